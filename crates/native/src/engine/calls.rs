//! What differs between the engines: their programs, and what these are told.

mod containerd;
mod docker;
mod lxc;
mod podman;

use std::path::{Path, PathBuf};
use std::{fs, io};

use catamaran_image::unpack::Unpacking;
use catamaran_scenario::Platform;
use catamaran_scenario::plan::Tenant;
use catamaran_worker::minimal::{CONTROL, FILE};
use catamaran_worker::room_plan::Said;
use catamaran_worker::script::Step;

use crate::cgroup::{Limits, MemoryLimits};
use crate::image::worker;
use crate::machine::to_cpu_list;
use crate::platform;
use crate::problem::Problem;

pub(super) use containerd::{CONTAINERD, DAY_NS};
pub(super) use docker::DOCKER;
pub(super) use lxc::LXC;
pub(super) use podman::PODMAN;

/// An engine.
pub(super) trait Calls: Sync {
    /// Its programs; the first one tells the version.
    fn programs(&self) -> &'static [&'static str];
    /// How to get them.
    fn remedy(&self) -> &'static str;
    /// The OCI runtime that it takes unless it is told otherwise; none where it does without.
    fn runtime(&self) -> Option<Platform>;
    /// Whether its own processes are in the guard as well: else they are at work where the runner is.
    fn stays(&self) -> bool {
        false
    }
    /// Whether its client has an option for each limit; else what stands in `Container::steps` is written once the container is
    /// there, before its tenant works.
    fn takes_all_limits(&self) -> bool {
        true
    }
    /// Its daemon, where it has one, and a command that succeeds once that answers.
    fn daemon(&self, _at: &Place) -> Option<Daemon> {
        None
    }
    /// Whether it knows images; else it is given a folder.
    fn knows_images(&self) -> bool {
        true
    }
    /// Takes an image from its archive; nothing where it knows none.
    fn load(&self, at: &Place, archive: &Path) -> Vec<String>;
    /// Pulls an image from a registry that speaks plain HTTP; nothing where it knows none.
    fn pull(&self, _at: &Place, _from: &str) -> Vec<String> {
        Vec::new()
    }
    /// Who pulls and unpacks.
    fn puller(&self) -> &'static str {
        ""
    }
    /// Tells what happens for as long as it is let, and a command upon which it says something if a new name is added; nothing
    /// where no client does.
    fn events(&self, _at: &Place) -> Option<Daemon> {
        None
    }
    /// When layers were unpacked, by what that has told: so long ago (ns before `of_day_ns` of the day).
    fn unpacked_in(&self, _told: &str, _of_day_ns: u64) -> Vec<(u64, u64)> {
        Vec::new()
    }
    /// Starts a container that goes on by itself.
    fn start(&self, at: &Place, container: &Container<'_>) -> Call;
    /// Where it writes down what goes wrong with the start of the container of that name, if it does not say so.
    fn log_of(&self, _at: &Place, _name: &str) -> Option<PathBuf> {
        None
    }
    /// Asks how the container of that name has ended.
    fn ask_end(&self, at: &Place, name: &str) -> Vec<String>;
    /// The exit code in the answer, which is nothing else unless the engine says more.
    fn code_in(&self, said: &Said) -> Option<i32> {
        said.out.trim().parse().ok()
    }
}

/// A command of the room.
pub(super) struct Call {
    /// What has to lie there for it, in the place's folder.
    pub(super) laid_out: Vec<Laid>,
    pub(super) words: Vec<String>,
}

/// What lies in the place's folder.
pub(super) enum Laid {
    Folder(PathBuf),
    /// A folder with the files of the worker's layer.
    Root(PathBuf),
    File(PathBuf, String),
}

/// A daemon.
pub(super) struct Daemon {
    pub(super) call: Call,
    pub(super) answers: Vec<String>,
}

impl Call {
    /// Lays out what it needs.
    pub(super) fn lay_out(&self) -> io::Result<()> {
        self.laid_out.iter().try_for_each(|laid| match laid {
            Laid::Folder(folder) => fs::create_dir_all(folder),
            Laid::Root(root) => {
                fs::create_dir_all(root)?;
                let mut unpacking = Unpacking::into(root).map_err(io::Error::other)?;
                unpacking.tar(&mut &*worker::layer()?).map_err(io::Error::other)
            }
            Laid::File(file, text) => fs::write(file, text),
        })
    }
}

impl From<Vec<String>> for Call {
    fn from(words: Vec<String>) -> Self {
        Self { laid_out: Vec::new(), words }
    }
}

/// Where an engine is at home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The run's folder, which both sides see.
    pub(super) folder: PathBuf,
    /// A file system in memory in it, which the room alone sees.
    pub(super) store: PathBuf,
    /// Of the control groups.
    pub(super) version: u8,
    /// Whether it is an ordinary user's.
    pub(super) rootless: bool,
    /// What the names of containers' groups begin with, in the groups that the room sees: empty or `/` and a name.
    pub(super) parent: String,
    /// The engine's programs, in the order of [`Calls::programs`].
    pub(super) programs: Vec<PathBuf>,
    /// The OCI runtime; empty where the engine does without.
    pub(super) runtime: PathBuf,
}

impl Place {
    /// The option by which docker, and podman after it, put a container's group there.
    fn cgroup_parent(&self) -> String {
        format!("--cgroup-parent={}", if self.parent.is_empty() { "/" } else { &self.parent })
    }

    fn program(&self, number: usize) -> String {
        text(self.programs.get(number).map_or(Path::new(""), PathBuf::as_path))
    }

    /// What its daemon says.
    pub(super) fn daemon_log(&self) -> PathBuf {
        self.folder.join("daemon.log")
    }

    fn stored(&self, name: &str) -> String {
        text(&self.store.join(name))
    }
}

/// What a container is to be.
pub(super) struct Container<'a> {
    pub(super) name: &'a str,
    pub(super) host_name: &'a str,
    /// The image, in the engine's words.
    pub(super) image: String,
    /// An image that was unpacked, for an engine that knows none.
    pub(super) root: Option<&'a Path>,
    /// The socket to the runner, where there is one.
    pub(super) control: Option<&'a Path>,
    /// The tenant's file on the machine.
    pub(super) file: Option<&'a Path>,
    /// What of the machine is to be seen at the same place, read-only.
    pub(super) programs: &'a [PathBuf],
    pub(super) limits: &'a Limits,
    /// The same as what is written to its groups.
    pub(super) steps: &'a [Step],
    /// The disk that its bounds are meant for, as a file.
    pub(super) device: Option<PathBuf>,
    /// The program and what it is told.
    pub(super) words: Vec<String>,
}

impl<'a> Container<'a> {
    /// What a tenant that is started so is to be, with nothing in it yet.
    pub(super) fn of(how: &'a platform::Plan, tenant: &'a Tenant, label: &'a str) -> Result<Self, Problem> {
        let limits = &how.limits;
        Ok(Self {
            name: label,
            host_name: &tenant.name,
            image: String::new(),
            root: None,
            control: None,
            file: None,
            programs: &[],
            limits,
            steps: &how.groups.make,
            device: limits.io.as_ref().map(|io| device_file(&io.device)).transpose()?,
            words: Vec::new(),
        })
    }

    /// What of the machine's is to be seen in it, and where.
    fn binds(&self) -> Vec<(String, String)> {
        let control = self.control.map(|control| (control, CONTROL));
        let all = control.into_iter().chain(self.file.map(|file| (file, FILE)));
        all.map(|(file, at)| (text(file), format!("/{at}"))).collect()
    }

    /// Its options in the words that docker has, and podman after it.
    fn options(&self) -> Vec<String> {
        let limits = self.limits;
        let mut words = vec![format!("--name={}", self.name), format!("--hostname={}", self.host_name)];
        words.extend(self.binds().into_iter().map(|(file, at)| format!("--volume={file}:{at}")));
        words.extend(self.programs.iter().map(|path| {
            let path = text(path);
            format!("--mount=type=bind,source={path},target={path},readonly,bind-nonrecursive=true")
        }));
        words.extend(limits.shares.map(|shares| format!("--cpu-shares={shares}")));
        if let Some(quota_us) = limits.quota_us {
            words.push(format!("--cpu-quota={quota_us}"));
            words.push(format!("--cpu-period={}", limits.period_us));
        }
        words.extend(limits.cpus.as_ref().map(|cpus| format!("--cpuset-cpus={}", to_cpu_list(cpus))));
        if let MemoryLimits { max: Some(max), swap, .. } = limits.memory {
            words.push(format!("--memory={max}"));
            // Of both together; without a word it would be twice the memory.
            let both = swap.map_or(-1, |swap| max.saturating_add(swap).cast_signed());
            words.push(format!("--memory-swap={both}"));
        }
        words.extend(limits.pids.map(|pids| format!("--pids-limit={pids}")));
        if let (Some(io), Some(device)) = (&limits.io, &self.device) {
            let bounds = [
                ("read-bps", io.read),
                ("write-bps", io.write),
                ("read-iops", io.iops),
                ("write-iops", io.iops),
            ];
            let bounds = bounds.into_iter().filter_map(|(what, bound)| Some((what, bound?)));
            words.extend(bounds.map(|(what, bound)| format!("--device-{what}={}:{bound}", device.display())));
        }
        words
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn owned<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).into()
}

/// The disk `MAJOR:MINOR` as a file.
fn device_file(number: &str) -> Result<PathBuf, Problem> {
    let path = format!("/sys/dev/block/{number}/uevent");
    let told = fs::read_to_string(&path).unwrap_or_default();
    let name = told.lines().find_map(|line| line.strip_prefix("DEVNAME=")).map(str::to_owned);
    name.map(|name| Path::new("/dev").join(name)).ok_or_else(|| {
        Problem::unavailable(
            format!("{path} does not name the disk {number}, which an engine wants by its name"),
            "leave the tenants' `io` out, or choose the platform container",
        )
    })
}
