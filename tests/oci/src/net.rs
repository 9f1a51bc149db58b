//! A network namespace of a case's own, with devices of its own: nothing of the machine's is ever moved.

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};
use serde_json::Value;

use crate::bed::Bed;
use crate::check::{Verdict, skip, wrong};

/// A network namespace for as long as somebody has the handle or is in it.
pub(crate) struct Network(File);

impl Network {
    /// A new one.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn new() -> Verdict<Self> {
        let make = || -> std::io::Result<File> {
            unshare(CloneFlags::CLONE_NEWNET)?;
            File::open("/proc/thread-self/ns/net")
        };
        match std::thread::spawn(make).join() {
            Ok(made) => Ok(Self(made?)),
            Err(_) => wrong("a thread died"),
        }
    }

    /// One in which the case's runtime is from here on.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn of_the_runtime(bed: &mut Bed) -> Verdict<Self> {
        let network = Self::new()?;
        bed.through_program(&["nsenter", &format!("--net={}", network.path())]);
        Ok(network)
    }

    /// The one that a process is in.
    ///
    /// # Errors
    /// Where it has gone.
    pub(crate) fn of(pid: i64) -> Verdict<Self> {
        Ok(Self(File::open(format!("/proc/{pid}/ns/net"))?))
    }

    /// Where it is found as long as this is there.
    pub(crate) fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd())
    }

    /// `ip` with these words, in it; what it says.
    ///
    /// # Errors
    /// What it complains of; a skip where there is no such program.
    pub(crate) fn ip(&self, line: &str) -> Verdict<String> {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.path())).arg("ip").args(line.split_whitespace());
        let Ok(said) = command.output() else { return skip("there is no nsenter (of util-linux)") };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        match said.status.code() {
            Some(0) => Ok(text(&said.stdout)),
            Some(126 | 127) => skip("there is no ip (of iproute2)"),
            _ => wrong(format!("ip {line}: {}", text(&said.stderr))),
        }
    }

    /// A pair of devices; the first is the one to be moved.
    ///
    /// # Errors
    /// Where the kernel has none.
    pub(crate) fn pair(&self, name: &str, other: &str) -> Verdict {
        self.ip(&format!("link add {name} type veth peer name {other}")).map(drop)
    }

    /// The device of that name as `ip -json address` tells it; none where it is not there.
    ///
    /// # Errors
    /// What `ip` complains of.
    pub(crate) fn device(&self, name: &str) -> Verdict<Option<Value>> {
        let all: Value = serde_json::from_str(&self.ip("-json address show")?)?;
        Ok(all.as_array().into_iter().flatten().find(|one| one["ifname"] == name).cloned())
    }
}

/// Addresses of a device, `10.1.2.3/24`, without those that the kernel gives by itself.
pub(crate) fn addresses(device: &Value) -> Vec<String> {
    let all = device["addr_info"].as_array().into_iter().flatten();
    let global = all.filter(|one| one["scope"] == "global");
    let text = |one: &Value| format!("{}/{}", one["local"].as_str().unwrap_or_default(), one["prefixlen"]);
    let mut found: Vec<String> = global.map(text).collect();
    found.sort();
    found
}

/// Whether it is in service.
pub(crate) fn is_up(device: &Value) -> bool {
    device["flags"].as_array().is_some_and(|flags| flags.iter().any(|flag| flag == "UP"))
}
