//! Namespaces of a case's own in which its runtime is: networks with devices, of which none of the machine's is ever moved, and
//! mounts, which a runtime may spoil without spoiling the suite's.

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};
use rustix::mount::{MountPropagationFlags, mount_change};
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
        made(|| {
            unshare(CloneFlags::CLONE_NEWNET)?;
            File::open("/proc/thread-self/ns/net")
        })
        .map(Self)
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

/// By a thread that ends in its namespaces.
fn made(make: impl FnOnce() -> std::io::Result<File> + Send + 'static) -> Verdict<File> {
    match std::thread::spawn(make).join() {
        Ok(made) => Ok(made?),
        Err(_) => wrong("a thread died"),
    }
}

/// A mount namespace, of which nothing goes out.
pub(crate) struct Mounts(File);

impl Mounts {
    /// One in which the case's runtime is from here on.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn of_the_runtime(bed: &mut Bed) -> Verdict<Self> {
        let handle = made(|| {
            unshare(CloneFlags::CLONE_NEWNS)?;
            mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
            mount_change("/", MountPropagationFlags::SHARED | MountPropagationFlags::REC)?;
            File::open("/proc/thread-self/ns/mnt")
        })?;
        let mounts = Self(handle);
        bed.through_program(&["nsenter", &mounts.option()]);
        Ok(mounts)
    }

    fn option(&self) -> String {
        format!("--mount=/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd())
    }

    /// Its name: `mnt:[4026531841]`.
    ///
    /// # Errors
    /// Where `/proc` is not there.
    pub(crate) fn name(&self) -> Verdict<String> {
        let link = std::fs::read_link(format!("/proc/self/fd/{}", self.0.as_raw_fd()))?;
        Ok(link.to_string_lossy().into_owned())
    }

    /// Everything that is mounted there.
    ///
    /// # Errors
    /// Where it can't be asked, also because its root is not what it was.
    pub(crate) fn all(&self) -> Verdict<String> {
        let Ok(said) =
            Command::new("nsenter").arg(self.option()).args(["cat", "/proc/self/mountinfo"]).output()
        else {
            return skip("there is no nsenter (of util-linux)");
        };
        if said.status.success() {
            return Ok(String::from_utf8_lossy(&said.stdout).into_owned());
        }
        wrong(format!("its mounts are spoilt: {}", String::from_utf8_lossy(&said.stderr).trim()))
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
