//! containerd by its client `ctr`: each container has a shim (`containerd-shim-runc-v2`), which calls the runtime.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::daemon::Daemon;
use crate::engine::{Engine, How};
use crate::image;
use crate::place::Place;
use crate::tool::{Said, Tool, find, until};

struct Containerd {
    place: Place,
    daemon: Daemon,
    ctr: Tool,
    runtime_root: String,
}

pub(crate) fn start(place: &Place) -> Result<Box<dyn Engine>> {
    let socket = place.file("containerd.sock");
    let configuration = place.file("containerd.toml");
    // CRI is for the kubelet; its absence keeps the daemon from looking for networks.
    let text = format!(
        "version = 2\nroot = {:?}\nstate = {:?}\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
         [grpc]\naddress = {socket:?}\n",
        place.folder("containerd/root")?,
        place.folder("containerd/state")?,
    );
    fs::write(&configuration, text)?;
    let ctr = Tool::new(&find("ctr").context("there is no ctr")?).with(&["--address", &socket]);
    let program = Tool::new(&find("containerd").context("there is no containerd")?);
    let daemon =
        Daemon::start(&program, &["--config", &configuration], place, || ctr.ok(&["version"]).map(drop))?;
    let runtime_root = place.folder("runtime")?;
    Ok(Box::new(Containerd { place: place.clone(), daemon, ctr, runtime_root }))
}

impl Containerd {
    fn container(&self, first: &[&str], name: &str, how: How<'_>, command: &[&str]) -> Vec<String> {
        let mut words: Vec<String> = first.iter().map(|word| (*word).to_owned()).collect();
        let group = format!("/{}/{name}", self.place.group);
        let runtime = self.place.runtime();
        let fixed = ["--runc-binary", &runtime, "--runc-root", &self.runtime_root, "--cgroup", &group];
        words.extend(fixed.map(str::to_owned));
        if let Some(limits) = how.limits {
            let quota = limits.cpu_percent * 1000;
            words.push(format!("--memory-limit={}", limits.memory_bytes));
            words.push(format!("--cpu-quota={quota}"));
            words.push("--cpu-period=100000".into());
        }
        if how.terminal {
            words.push("--tty".into());
        }
        words.extend([image::NAME, name].map(str::to_owned));
        words.extend(command.iter().map(|word| (*word).to_owned()));
        words
    }

    /// Process and state of a container, in `ctr task ls`.
    fn task(&self, name: &str) -> Result<(u32, String)> {
        let table = self.ctr.ok(&["task", "list"])?;
        let row = table.lines().find_map(|line| match *line.split_whitespace().collect::<Vec<_>>() {
            [task, pid, state] if task == name => Some((pid.parse().ok()?, state.to_owned())),
            _ => None,
        });
        row.with_context(|| format!("{name} is not in {table:?}"))
    }
}

/// The exit code in what `ctr task delete` says, which is silent about 0.
fn code_in(said: &str) -> Option<i32> {
    let Some((_, code)) = said.split_once("exit code ") else { return Some(0) };
    code.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

impl Engine for Containerd {
    fn load(&self, archive: &Path) -> Result<()> {
        self.ctr.ok(&["images", "import", &archive.display().to_string()]).map(drop)
    }

    fn run(&self, name: &str, how: How<'_>, command: &[&str]) -> Result<Said> {
        let words = self.container(&["run", "--rm"], name, how, command);
        if !how.terminal {
            return self.ctr.said(&words);
        }
        // `ctr` hands its own terminal on, so that it needs one.
        let script = Tool::new(&find("script").context("there is no script")?);
        let typed = self.ctr.typed(&words);
        script.said(&["--quiet", "--return", "--command", &typed, "/dev/null"])
    }

    fn start(&self, name: &str, how: How<'_>, command: &[&str]) -> Result<()> {
        let log = format!("--log-uri=file://{}", self.place.file("container.log"));
        self.ctr.ok(&self.container(&["run", "--detach", &log], name, how, command)).map(drop)
    }

    fn logs(&self, _: &str) -> Result<String> {
        Ok(fs::read_to_string(self.place.file("container.log"))?)
    }

    fn exec(&self, name: &str, command: &[&str]) -> Result<Said> {
        self.ctr.said(&[&["task", "exec", "--exec-id=other", name], command].concat())
    }

    fn shell(&self, name: &str, script: &str) -> Result<Said> {
        // `ctr` does not wait for the rest of what a process has written that is gone.
        self.exec(name, &["/bin/sh", "-c", &format!("({script}); code=$?; sleep 0.3; exit $code")])
    }

    fn pid(&self, name: &str) -> Result<u32> {
        Ok(self.task(name)?.0)
    }

    fn id(&self, name: &str) -> Result<String> {
        Ok(name.to_owned())
    }

    fn pause(&self, name: &str) -> Result<()> {
        self.ctr.ok(&["task", "pause", name]).map(drop)
    }

    fn resume(&self, name: &str) -> Result<()> {
        self.ctr.ok(&["task", "resume", name]).map(drop)
    }

    fn stop(&self, name: &str) -> Result<()> {
        self.ctr.ok(&["task", "kill", "--signal=SIGTERM", name]).map(drop)
    }

    fn kill(&self, name: &str) -> Result<()> {
        self.ctr.ok(&["task", "kill", "--signal=SIGKILL", name]).map(drop)
    }

    fn wait(&self, name: &str) -> Result<i32> {
        until("waiting for the container's end", || {
            let (_, state) = self.task(name)?;
            ensure!(state == "STOPPED", "it is {state}");
            Ok(())
        })?;
        let said = self.ctr.said(&["task", "delete", name])?;
        ensure!(said.code == Some(0), "deleting the task: {said}");
        code_in(&said.err).with_context(|| format!("no exit code in {said}"))
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.ctr.ok(&["container", "delete", name])?;
        let log = self.place.file("container.log");
        fs::remove_file(&log).with_context(|| log)
    }

    fn update_memory(&self, _: &str, _: u64) -> Result<bool> {
        // Its API has a call for it, `ctr` no command.
        Ok(false)
    }

    fn shows(&self, name: &str, pid: u32) -> Result<()> {
        let list = self.ctr.ok(&["task", "ps", name])?;
        let first = pid.to_string();
        ensure!(list.lines().any(|line| line.split_whitespace().next() == Some(&first)), "{list:?}");
        let metrics = self.ctr.ok(&["task", "metrics", name])?;
        let used = metrics.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            // Of version 1, of version 2.
            let known = ["memory.usage_in_bytes", "memory.usage"].contains(&words.next()?);
            known.then(|| words.next()?.parse::<u64>().ok()).flatten()
        });
        ensure!(used.is_some_and(|bytes| bytes > 0), "what its memory is, in {metrics:?}");
        Ok(())
    }

    fn code_of_no_program(&self) -> i32 {
        1
    }

    fn limits_processes(&self) -> bool {
        false
    }

    fn shut_down(self: Box<Self>) -> Result<()> {
        let left = self.ctr.ok(&["container", "list", "--quiet"])?;
        if !left.is_empty() {
            bail!("containers are left: {left}");
        }
        self.daemon.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_read_from_what_ctr_says() {
        let said = "time=\"2026-11-26T20:26:37Z\" level=warning msg=\"task killed exit with non-zero exit code 137\"\n";
        assert_eq!((code_in(said), code_in(""), code_in("exit code unknown")), (Some(137), Some(0), None));
    }
}
