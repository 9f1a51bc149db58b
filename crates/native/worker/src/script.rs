//! The script by which a launcher starts its tenant: written by the runner from the platform's rules, carried out step
//! by step, and the same that `--dry-run` shows. As text it is one step a line, so that a person can read it.

mod words;

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::file::LayerFile;
use crate::runtime_call::RuntimeCall;
use crate::share::Share;
pub use words::{stamp, word};

/// One step on a control group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Makes a group.
    Make(PathBuf),
    /// Writes a value to a group's file.
    Write {
        /// Text to write.
        value: String,
        /// File of a group.
        file: PathBuf,
    },
    /// Moves the process into the group at this path.
    Enter(PathBuf),
}

impl Step {
    /// Carries the step out for process `pid`.
    ///
    /// # Errors
    /// One sentence: what was done to which path and what the kernel answered.
    pub fn perform(&self, pid: u32) -> Result<(), String> {
        let (done, path) = match self {
            Self::Make(path) => (fs::create_dir(path), path.clone()),
            Self::Write { value, file } => (write_file(file, value), file.clone()),
            Self::Enter(path) => (write_file(&path.join("cgroup.procs"), &pid.to_string()), path.clone()),
        };
        done.map_err(|error| format!("{} {}: {error}", self.verb(), path.display()))
    }

    fn verb(&self) -> String {
        match self {
            Self::Make(_) => "cannot make the control group".to_owned(),
            Self::Write { value, .. } => format!("cannot write {value:?} to"),
            Self::Enter(_) => "cannot enter the control group".to_owned(),
        }
    }
}

/// Writes to a file that must be there already: in a cgroup file system a missing file is a missing mechanism, and in
/// any other a new one would be a lie.
fn write_file(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    fs::OpenOptions::new().write(true).truncate(true).open(path)?.write_all(text.as_bytes())
}

/// A namespace of one's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Namespace {
    /// Mount points.
    Mount,
    /// Process numbers.
    Pid,
    /// Host name.
    Uts,
    /// System V and POSIX message queues, semaphores, shared memory.
    Ipc,
    /// Network devices, ports.
    Net,
    /// View of the control groups.
    Cgroup,
}

impl Namespace {
    /// Every kind, in the order in which `unshare` lists them.
    pub const ALL: [Self; 6] = [Self::Mount, Self::Uts, Self::Ipc, Self::Net, Self::Pid, Self::Cgroup];

    /// Name in scripts; `unshare` has an option of the same name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mount => "mount",
            Self::Pid => "pid",
            Self::Uts => "uts",
            Self::Ipc => "ipc",
            Self::Net => "net",
            Self::Cgroup => "cgroup",
        }
    }

    /// Its `CLONE_NEW…` flag.
    #[must_use]
    pub const fn clone_flag(self) -> u64 {
        (match self {
            Self::Mount => libc::CLONE_NEWNS,
            Self::Pid => libc::CLONE_NEWPID,
            Self::Uts => libc::CLONE_NEWUTS,
            Self::Ipc => libc::CLONE_NEWIPC,
            Self::Net => libc::CLONE_NEWNET,
            Self::Cgroup => libc::CLONE_NEWCGROUP,
        }) as u64
    }
}

/// First line of a script.
const TITLE: &str = "start";

/// How one tenant is started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// Groups to make and limits to set, before the process is there.
    pub limits: Vec<Step>,
    /// Groups that the process is moved into once it is there.
    pub join: Vec<Step>,
    /// Group of the v2 hierarchy that the process is born in.
    pub born_in: Option<PathBuf>,
    /// Namespaces of its own.
    pub namespaces: Vec<Namespace>,
    /// Network namespace that is there already, which the process enters: a file of it.
    pub network: Option<PathBuf>,
    /// Host name in its own UTS namespace.
    pub host_name: Option<String>,
    /// Its `oom_score_adj`, where it is not the launcher's.
    pub oom_score_adj: Option<i32>,
    /// Its nice value, where it is not the launcher's.
    pub nice: Option<i32>,
    /// Its own file, which is open when the program begins ([`crate::file`]).
    pub file: Option<PathBuf>,
    /// The file of a layer in its place.
    pub layer: Option<LayerFile>,
    /// Another program in the worker's place: its path and arguments; empty where the tenant is the worker itself.
    pub exec: Vec<String>,
    /// File that takes the standard error of that program.
    pub errors: Option<PathBuf>,
    /// A daemon beside that program, which shows its guest [`Self::programs`].
    pub share: Option<Share>,
    /// Groups of version 1 that the process enters by itself, as a lone thread: the kernel then needs no grace period
    /// (`cgroup_attach_lock`, `CGRP_ATTACH_LOCK_NONE`).
    pub enter: Vec<PathBuf>,
    /// Root of its own.
    pub root: Option<Root>,
    /// What of the machine its own root shows, read-only and at the same place: files and folders by their whole paths.
    pub programs: Vec<PathBuf>,
    /// Folder with an unpacked image that is seen in that root; tenants write over it, not to it.
    pub image: Option<PathBuf>,
    /// A user namespace in which these two numbers (user, group) of the machine are root, and nobody else is there.
    pub user: Option<(u32, u32)>,
    /// Whether capabilities, new privileges and system calls are taken away before the program begins.
    pub confined: bool,
    /// What the program is told to do instead of the work on the tape.
    pub probe: Vec<String>,
    /// An OCI runtime starts the tenant from a bundle: of the above, the launcher itself then cares for network, nice value and
    /// errors alone.
    pub runtime: Option<RuntimeCall>,
}

/// A root directory of one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Folder on which it is mounted.
    pub at: PathBuf,
    /// How the process comes to have it.
    pub way: RootWay,
}

/// How a process comes to have a root of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootWay {
    /// Made on the machine before the process is there, and entered by `chroot`.
    Chroot,
    /// Made by the process in its own mount namespace, and exchanged for the machine's by `pivot_root`.
    Pivot,
}

impl Script {
    /// As text, one step a line.
    #[must_use]
    pub fn to_text(&self) -> String {
        // Never empty: on a socket an empty message looks like the end.
        let mut text = format!("{TITLE}\n");
        for (stage, steps) in [("limits", &self.limits), ("join", &self.join)] {
            for step in steps {
                let _ = match step {
                    Step::Make(path) => writeln!(text, "{stage} make {}", path.display()),
                    Step::Write { value, file } => {
                        writeln!(text, "{stage} write {}\t{}", file.display(), value)
                    }
                    Step::Enter(path) => writeln!(text, "{stage} enter {}", path.display()),
                };
            }
        }
        for namespace in &self.namespaces {
            let _ = writeln!(text, "namespace {}", namespace.name());
        }
        if let Some(group) = &self.born_in {
            let _ = writeln!(text, "born-in {}", group.display());
        }
        if let Some(file) = &self.network {
            let _ = writeln!(text, "network {}", file.display());
        }
        if let Some(name) = &self.host_name {
            let _ = writeln!(text, "host-name {name}");
        }
        if let Some(adjustment) = self.oom_score_adj {
            let _ = writeln!(text, "oom-score-adj {adjustment}");
        }
        if let Some(nice) = self.nice {
            let _ = writeln!(text, "nice {nice}");
        }
        if let Some(file) = &self.file {
            let _ = writeln!(text, "file {}", file.display());
        }
        if let Some(layer) = &self.layer {
            let _ = writeln!(text, "layer {}", layer.to_text());
        }
        for argument in &self.exec {
            let _ = writeln!(text, "exec {argument}");
        }
        if let Some(file) = &self.errors {
            let _ = writeln!(text, "errors {}", file.display());
        }
        if let Some(share) = &self.share {
            let _ = writeln!(text, "share {}", share.to_text());
        }
        for group in &self.enter {
            let _ = writeln!(text, "enter {}", group.display());
        }
        self.confinement_to_text(&mut text);
        text
    }

    fn confinement_to_text(&self, text: &mut String) {
        if let Some(Root { at, way }) = &self.root {
            let word = match way {
                RootWay::Chroot => "chroot",
                RootWay::Pivot => "pivot",
            };
            let _ = writeln!(text, "{word} {}", at.display());
        }
        for path in &self.programs {
            let _ = writeln!(text, "program {}", path.display());
        }
        if let Some(image) = &self.image {
            let _ = writeln!(text, "image {}", image.display());
        }
        if let Some((user, group)) = self.user {
            let _ = writeln!(text, "user {user} {group}");
        }
        if self.confined {
            text.push_str("confined yes\n");
        }
        for argument in &self.probe {
            let _ = writeln!(text, "probe {argument}");
        }
        if let Some(call) = &self.runtime {
            call.to_text(text);
        }
    }

    /// The script of a text that [`Self::to_text`] made.
    ///
    /// # Errors
    /// The line that is no step.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let mut script = Self::default();
        for line in text.lines().filter(|line| *line != TITLE) {
            script.take(line).ok_or_else(|| format!("not a step of a start-up script: {line:?}"))?;
        }
        Ok(script)
    }

    fn take(&mut self, line: &str) -> Option<()> {
        let (word, rest) = line.split_once(' ')?;
        match word {
            "limits" => self.limits.push(step(rest)?),
            "join" => self.join.push(step(rest)?),
            "namespace" => self.namespaces.push(Namespace::ALL.into_iter().find(|kind| kind.name() == rest)?),
            "born-in" => self.born_in = Some(rest.into()),
            "network" => self.network = Some(rest.into()),
            "host-name" => self.host_name = Some(rest.to_owned()),
            "oom-score-adj" => self.oom_score_adj = Some(rest.parse().ok()?),
            "nice" => self.nice = Some(rest.parse().ok()?),
            "file" => self.file = Some(rest.into()),
            "layer" => self.layer = Some(LayerFile::from_text(rest)),
            "exec" => self.exec.push(rest.to_owned()),
            "errors" => self.errors = Some(rest.into()),
            "share" => self.share = Some(Share::from_text(rest)?),
            "enter" => self.enter.push(rest.into()),
            "chroot" => self.root = Some(Root { at: rest.into(), way: RootWay::Chroot }),
            "pivot" => self.root = Some(Root { at: rest.into(), way: RootWay::Pivot }),
            "image" => self.image = Some(rest.into()),
            "user" => {
                let (user, group) = rest.split_once(' ')?;
                self.user = Some((user.parse().ok()?, group.parse().ok()?));
            }
            "program" => self.programs.push(rest.into()),
            "confined" => self.confined = rest == "yes",
            "probe" => self.probe.push(rest.to_owned()),
            _ => self.runtime.get_or_insert_default().take(word, rest)?,
        }
        Some(())
    }
}

fn step(text: &str) -> Option<Step> {
    let (verb, rest) = text.split_once(' ')?;
    match verb {
        "make" => Some(Step::Make(rest.into())),
        "enter" => Some(Step::Enter(rest.into())),
        "write" => {
            let (file, value) = rest.rsplit_once('\t')?;
            Some(Step::Write { value: value.to_owned(), file: file.into() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_survives_the_way_to_the_launcher() {
        let script = Script {
            limits: vec![
                Step::Make("/sys/fs/cgroup/cpu/with space/t".into()),
                Step::Write { value: "40000 100000".into(), file: "/sys/fs/cgroup/with\ttab/cpu.max".into() },
            ],
            join: vec![Step::Enter("/sys/fs/cgroup/cpu/t".into())],
            born_in: Some("/sys/fs/cgroup/t".into()),
            namespaces: Namespace::ALL.to_vec(),
            network: Some("/proc/12/fd/9".into()),
            host_name: Some("shop".into()),
            oom_score_adj: Some(-500),
            nice: Some(-5),
            file: Some("/var/tmp/catamaran-1-2-web.0.disk".into()),
            layer: Some(LayerFile { path: "/v/layer".into(), above: Some("/v/with space".into()) }),
            exec: vec!["/usr/bin/qemu-system-x86_64".into(), "-append".into(), "console=ttyS0 quiet".into()],
            errors: Some("/run/catamaran/1-2/web.0.errors".into()),
            share: Share::from_text("/usr/lib/qemu/virtiofsd\t/run/catamaran/1-2/web.0.share"),
            enter: vec!["/sys/fs/cgroup/pids/t".into()],
            root: Some(Root { at: "/run/catamaran/1/root".into(), way: RootWay::Pivot }),
            programs: vec!["/usr".into(), "/opt/with space/x".into()],
            image: Some("/var/tmp/with space/0".into()),
            user: Some((1000, 1001)),
            confined: true,
            probe: vec!["42".into(), "/run/with space".into()],
            runtime: Some(RuntimeCall {
                words: vec!["/usr/bin/crun".into(), "run".into()],
                pid_file: "/run/with space/web.0.pid".into(),
                root: "/run/with space/web.0.bundle/rootfs".into(),
                shown: vec![("/sys/fs/cgroup/cpu/catamaran-1".into(), "/sys/fs/cgroup/cpu".into())],
                hidden: vec!["/sys/fs/cgroup/unified".into()],
            }),
        };
        assert_eq!(Script::from_text(&script.to_text()), Ok(script));
    }

    #[test]
    fn what_is_no_step_is_named() {
        for text in [
            "limits",
            "limits burn /x",
            "namespace time",
            "join write /x",
            "user 1",
            "oom-score-adj x",
            "nice x",
            "show /x",
            "x y",
            "",
        ] {
            let answer = Script::from_text(&format!("{text}\n"));
            assert!(answer.is_err_and(|message| message.contains(text)), "{text:?}");
        }
    }

    #[test]
    fn a_step_says_what_it_could_not_do_and_to_what() {
        let missing = Step::Write { value: "100".into(), file: "/nowhere/cpu.weight".into() };
        let message = missing.perform(1).expect_err("there is no such file");
        assert!(message.contains("cannot write \"100\" to /nowhere/cpu.weight"), "{message}");
    }
}
