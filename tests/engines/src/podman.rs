//! podman, which has no daemon: each container has a monitor (`conmon`), which calls the runtime.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::engine::{Engine, How};
use crate::image;
use crate::place::Place;
use crate::tool::{Said, Tool, find};

pub(crate) struct Podman {
    tool: Tool,
    /// Options of each container.
    run: Vec<String>,
}

/// Nothing is started; podman is told where everything is.
pub(crate) fn start(place: &Place) -> Result<Box<dyn Engine>> {
    let parent = format!("--cgroup-parent=/{}", place.group);
    Ok(Box::new(Podman::new(Tool::new(&find("podman").context("there is no podman")?), place, vec![parent])?))
}

impl Podman {
    /// Calls this podman, which keeps everything in the place.
    pub(crate) fn new(tool: Tool, place: &Place, more: Vec<String>) -> Result<Self> {
        let tool = tool.with(&[
            "--root",
            &place.folder("podman/root")?,
            "--runroot",
            &place.folder("podman/run")?,
            "--tmpdir",
            &place.folder("podman/tmp")?,
            "--cgroup-manager=cgroupfs",
            "--events-backend=none",
            "--runtime",
            &place.runtime(),
        ]);
        // Without CAP_SYS_RESOURCE hard limits can't be raised, as podman does unless it is told these.
        let fixed = [
            "--network=none",
            "--log-driver=k8s-file",
            "--ulimit=nofile=1024:1024",
            "--ulimit=nproc=4096:4096",
        ];
        Ok(Self { tool, run: fixed.map(str::to_owned).into_iter().chain(more).collect() })
    }

    fn container(&self, first: &[&str], name: &str, how: How<'_>, command: &[&str]) -> Vec<String> {
        let mut words: Vec<String> = first.iter().map(|word| (*word).to_owned()).collect();
        words.extend(self.run.iter().cloned());
        words.push(format!("--name={name}"));
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
        self.tool.ok(&["inspect", "--type=container", "--format", field, name])
    }
}

impl Engine for Podman {
    fn load(&self, archive: &Path) -> Result<()> {
        self.tool.ok(&["load", "--input", &archive.display().to_string()]).map(drop)
    }

    fn run(&self, name: &str, how: How<'_>, command: &[&str]) -> Result<Said> {
        self.tool.said(&self.container(&["run", "--rm"], name, how, command))
    }

    fn start(&self, name: &str, how: How<'_>, command: &[&str]) -> Result<()> {
        self.tool.ok(&self.container(&["run", "--detach"], name, how, command)).map(drop)
    }

    fn logs(&self, name: &str) -> Result<String> {
        self.tool.ok(&["logs", name])
    }

    fn exec(&self, name: &str, command: &[&str]) -> Result<Said> {
        self.tool.said(&[&["exec", name], command].concat())
    }

    fn pid(&self, name: &str) -> Result<u32> {
        let pid = self.inspect(name, "{{.State.Pid}}")?;
        pid.parse().with_context(|| format!("the process {pid:?}"))
    }

    fn id(&self, name: &str) -> Result<String> {
        self.inspect(name, "{{.Id}}")
    }

    fn pause(&self, name: &str) -> Result<()> {
        self.tool.ok(&["pause", name]).map(drop)
    }

    fn resume(&self, name: &str) -> Result<()> {
        self.tool.ok(&["unpause", name]).map(drop)
    }

    fn stop(&self, name: &str) -> Result<()> {
        self.tool.ok(&["stop", "--time=20", name]).map(drop)
    }

    fn kill(&self, name: &str) -> Result<()> {
        self.tool.ok(&["kill", name]).map(drop)
    }

    fn wait(&self, name: &str) -> Result<i32> {
        let code = self.tool.ok(&["wait", name])?;
        code.parse().with_context(|| format!("the exit code {code:?}"))
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.tool.ok(&["rm", name]).map(drop)
    }

    fn update_memory(&self, _: &str, _: u64) -> Result<bool> {
        // podman 4.3 has a command `update`, which asks the systemd manager for it even with `cgroupfs`.
        Ok(false)
    }

    fn shows(&self, name: &str, pid: u32) -> Result<()> {
        let top = self.tool.ok(&["top", name, "hpid", "comm"])?;
        ensure!(
            top.lines().any(|line| line.split_whitespace().eq([pid.to_string().as_str(), "sh"])),
            "{top:?}"
        );
        let stats = self.tool.ok(&["stats", "--no-stream", "--no-reset", "--format", "{{.PIDS}}", name])?;
        // The shell and its sleep; podman takes the figures from the container's control group.
        ensure!(stats.parse() == Ok(2), "processes by its statistics: {stats:?}");
        Ok(())
    }

    fn code_of_no_program(&self) -> i32 {
        127
    }

    fn limits_processes(&self) -> bool {
        true
    }

    fn shut_down(self: Box<Self>) -> Result<()> {
        // Unmounts what podman has mounted for itself.
        self.tool.ok(&["system", "reset", "--force"]).map(drop)
    }
}
