//! docker: its daemon starts a containerd of its own, whose shims call the runtime.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use catamaran_image::dockerd::Places;

use crate::daemon::Daemon;
use crate::engine::{Engine, How};
use crate::groups;
use crate::image;
use crate::place::Place;
use crate::tool::{Said, Tool, find};

struct Docker {
    daemon: Daemon,
    client: Tool,
}

pub(crate) fn start(place: &Place) -> Result<Box<dyn Engine>> {
    let socket = format!("unix://{}", place.file("docker.sock"));
    // Debian's own, if there is another: it is as old as the daemon.
    let client = Some("/usr/bin/docker".into()).filter(|client: &std::path::PathBuf| client.is_file());
    let client = Tool::new(&client.or_else(|| find("docker")).context("there is no docker")?);
    let client = client.with(&["--host", &socket]);
    let program = Tool::new(&find("dockerd").context("there is no dockerd")?);
    let configuration = place.file("docker.json");
    let places = Places {
        socket: &socket,
        data: &place.folder("docker/data")?,
        exec: &place.folder("docker/exec")?,
        pid_file: &place.file("docker.pid"),
        configuration: &configuration,
        runtime: &place.runtime(),
    };
    let parent = format!("--cgroup-parent=/{}", place.group);
    let options = places.options();
    let arguments: Vec<&str> = options.iter().chain([&parent]).map(String::as_str).collect();
    std::fs::write(&configuration, "{}")?;
    let answers = || client.ok(&["version", "--format", "{{.Server.Version}}"]).map(drop);
    let daemon = Daemon::start(&program, &arguments, place, answers)?;
    Ok(Box::new(Docker { daemon, client }))
}

impl Docker {
    fn container(first: &[&str], name: &str, how: How<'_>, command: &[&str]) -> Vec<String> {
        let mut words: Vec<String> = first.iter().map(|word| (*word).to_owned()).collect();
        words.extend(["--network=none".into(), format!("--name={name}")]);
        if let Some(limits) = how.limits {
            words.push(format!("--memory={}", limits.memory_bytes));
            words.push(format!("--cpus={}.{:02}", limits.cpu_percent / 100, limits.cpu_percent % 100));
            words.push(format!("--pids-limit={}", limits.pids));
        }
        if how.terminal {
            words.push("--tty".into());
        }
        words.push(image::NAME.into());
        words.extend(command.iter().map(|word| (*word).to_owned()));
        words
    }

    fn inspect(&self, name: &str, field: &str) -> Result<String> {
        self.client.ok(&["inspect", "--type=container", "--format", field, name])
    }
}

impl Engine for Docker {
    fn load(&self, archive: &Path) -> Result<()> {
        self.client.ok(&["load", "--input", &archive.display().to_string()]).map(drop)
    }

    fn run(&self, name: &str, how: How<'_>, command: &[&str]) -> Result<Said> {
        self.client.said(&Self::container(&["run", "--rm"], name, how, command))
    }

    fn start(&self, name: &str, how: How<'_>, command: &[&str]) -> Result<()> {
        self.client.ok(&Self::container(&["run", "--detach"], name, how, command)).map(drop)
    }

    fn logs(&self, name: &str) -> Result<String> {
        self.client.ok(&["logs", name])
    }

    fn exec(&self, name: &str, command: &[&str]) -> Result<Said> {
        self.client.said(&[&["exec", name], command].concat())
    }

    fn pid(&self, name: &str) -> Result<u32> {
        let pid = self.inspect(name, "{{.State.Pid}}")?;
        pid.parse().with_context(|| format!("the process {pid:?}"))
    }

    fn id(&self, name: &str) -> Result<String> {
        self.inspect(name, "{{.Id}}")
    }

    fn pause(&self, name: &str) -> Result<()> {
        self.client.ok(&["pause", name]).map(drop)
    }

    fn resume(&self, name: &str) -> Result<()> {
        self.client.ok(&["unpause", name]).map(drop)
    }

    fn stop(&self, name: &str) -> Result<()> {
        self.client.ok(&["stop", "--time=20", name]).map(drop)
    }

    fn kill(&self, name: &str) -> Result<()> {
        self.client.ok(&["kill", name]).map(drop)
    }

    fn wait(&self, name: &str) -> Result<i32> {
        let code = self.client.ok(&["wait", name])?;
        code.parse().with_context(|| format!("the exit code {code:?}"))
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.client.ok(&["rm", "--volumes", name]).map(drop)
    }

    fn update_memory(&self, name: &str, bytes: u64) -> Result<bool> {
        // The limit of memory and swap together may not be below it.
        let swap = format!("--memory-swap={}", 2 * bytes);
        self.client.ok(&["update", &format!("--memory={bytes}"), &swap, name])?;
        Ok(true)
    }

    fn shows(&self, name: &str, pid: u32) -> Result<()> {
        let top = self.client.ok(&["top", name, "-o", "pid,comm"])?;
        ensure!(
            top.lines().any(|line| line.split_whitespace().eq([pid.to_string().as_str(), "sh"])),
            "{top:?}"
        );
        // The shell and its sleep, by the group's figures, which the daemon asks the shim for.
        let stats = self.client.ok(&["stats", "--no-stream", "--format", "{{.PIDs}}", name])?;
        ensure!(stats.parse() == Ok(2), "processes by its statistics: {stats:?}");
        self.client.ok(&["update", "--pids-limit=44", name])?;
        let pids = groups::limits(pid)?.pids;
        ensure!(pids == 44, "after the update the kernel shows a limit of {pids} processes");
        Ok(())
    }

    fn code_of_no_program(&self) -> i32 {
        127
    }

    fn limits_processes(&self) -> bool {
        true
    }

    fn shut_down(self: Box<Self>) -> Result<()> {
        self.daemon.end()
    }
}
