//! What the runtime has done inside of a container: everything is decided, nothing is parsed any more.
//!
//! **Source.** Runtime specification 1.2, config.md and config-linux.md.

use serde::{Deserialize, Serialize};

use crate::capability::Sets;
use crate::filter::Filter;
use crate::mount::{Options, Propagation};

/// A descriptor that is sent along with an [`Order`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Handed {
    /// Directory of the container's control group of version 2: the process is made in it (`CLONE_INTO_CGROUP`).
    Group,
    /// A file `tasks` of version 1, open for writing: the process enters it by itself.
    Tasks,
    /// A handle (pidfd) on the container's own process, whose namespaces are entered.
    Container,
    /// A handle on a root that was entered by chroot(2), into which a process that joins the container goes: its mount namespace
    /// does not lead there.
    Root,
    /// A connected socket that takes the master of the terminal.
    Console,
    /// The listening socket on which the process waits to be started.
    Start,
    /// A connected socket that takes the descriptor of a seccomp listener.
    SeccompAgent,
}

/// Everything that the process of a container does before it is the container's program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The descriptors that come along, in this order.
    pub handed: Vec<Handed>,
    /// Namespaces to enter by path.
    pub join: Vec<Join>,
    /// Namespaces of [`Handed::Container`] to enter (`CLONE_NEW…` bits).
    pub join_container: u32,
    /// Namespaces to make (`CLONE_NEW…` bits).
    pub make: u32,
    /// What is written to `timens_offsets` of a new time namespace.
    pub time_offsets: String,
    /// Whether the runtime writes the maps of a new user namespace, and the process waits for it.
    pub wait_for_maps: bool,
    /// Whether the runtime moves network devices into the container's namespace, and the process waits for it.
    pub wait_for_devices: bool,
    /// Whether it becomes user and group 0 of its user namespace before anything else.
    pub become_root: bool,
    /// `oom_score_adj`, which the process writes while it has the privileges of the caller.
    pub oom_score_adj: Option<i32>,
    /// The file system, for a new container; a process that joins a container finds it there.
    pub root: Option<Root>,
    /// What becomes of the process in the end.
    pub process: Process,
    /// Whether to wait for the runtime's hooks (prestart, createRuntime) once everything is mounted.
    pub wait_for_hooks: bool,
    /// Hooks that run in the container's namespaces before its root is entered.
    pub create_container: Vec<Hook>,
    /// Hooks that run inside of the container when it is started.
    pub start_container: Vec<Hook>,
}

/// A namespace that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// Its kind: one `CLONE_NEW…` bit.
    pub kind: u32,
    /// Where it is found.
    pub path: String,
}

/// Where what is mounted for a container goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mounting {
    /// Into a mount namespace of the container.
    Own,
    /// Among the caller's mounts, for the container has no mount namespace: all onto a copy of the root file system that lies on its
    /// own folder, and goes with the container.
    Callers,
    /// Nowhere: it has no mount namespace, and nothing is asked for that takes a mount.
    Nothing,
}

/// The container's file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// The root file system, an absolute path outside.
    pub path: String,
    /// Where mounts go.
    pub mounting: Mounting,
    /// Whether it ends read-only.
    pub read_only: bool,
    /// `rootfsPropagation`.
    pub propagation: Option<Propagation>,
    /// Whether the root is changed by pivot_root(2); chroot(2) otherwise (`--no-pivot`, and without a mount namespace).
    pub pivot: bool,
    /// Mounts, in order.
    pub mounts: Vec<Mount>,
    /// Whether sources of bind mounts are opened with the privileges of the caller, before a user namespace is made.
    pub early_sources: bool,
    /// Whether devices and links are made in `/dev`; not where the caller's own is mounted there.
    pub own_dev: bool,
    /// Devices, the default ones too.
    pub devices: Vec<Device>,
    /// Whether devices are bound from outside because they can't be made in a user namespace.
    pub bind_devices: bool,
    /// Paths that nobody shall read.
    pub masked: Vec<String>,
    /// Paths that nobody shall write.
    pub read_only_paths: Vec<String>,
    /// Host name.
    pub hostname: Option<String>,
    /// NIS domain name.
    pub domainname: Option<String>,
    /// Paths below `/proc/sys` and values.
    pub sysctl: Vec<(String, String)>,
    /// Whether the loopback device is brought up: in a new network namespace.
    pub loopback: bool,
}

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where, inside of the container.
    pub destination: String,
    /// What.
    pub what: What,
    /// How.
    pub options: Options,
    /// How the owners of an idmapped mount are mapped.
    pub owners: Option<Owners>,
}

/// How owners are mapped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Owners {
    /// By these contents of `uid_map` and `gid_map`.
    By(String, String),
    /// As in the user namespace at this path.
    As(String),
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// Something that is there: an absolute path outside.
    Bind(String),
    /// A new file system.
    New {
        /// Its type.
        kind: String,
        /// Its source, where it has one.
        source: String,
    },
    /// The control groups of version 1: a tmpfs with a folder for each.
    Groups {
        /// Folders.
        hierarchies: Vec<Hierarchy>,
        /// Links to them: name and target.
        links: Vec<(String, String)>,
    },
}

/// A hierarchy of control groups of version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hierarchy {
    /// Name of its folder.
    pub name: String,
    /// The container's group, a path outside.
    pub group: String,
    /// Words of its mount (`cpu`, `name=systemd`), with which it is mounted anew in a control group namespace.
    pub words: Vec<String>,
}

/// Kind of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceKind {
    /// `c` or `u`.
    Character,
    /// `b`.
    Block,
    /// `p`.
    Fifo,
}

/// A device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Where, inside of the container.
    pub path: String,
    /// Which kind.
    pub kind: DeviceKind,
    /// Major number.
    pub major: u32,
    /// Minor number.
    pub minor: u32,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// A program that runs at a point of a container's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// Program.
    pub path: String,
    /// Arguments, the name first.
    pub args: Vec<String>,
    /// Environment, `NAME=value`; `None` leaves that of the runtime.
    pub env: Option<Vec<String>>,
    /// Seconds it may take.
    pub timeout_s: Option<u32>,
}

impl Hook {
    /// The same; where it has no environment of its own, with this one.
    #[must_use]
    pub fn with_environment(&self, environment: &[String]) -> Self {
        let mut hook = self.clone();
        hook.env.get_or_insert_with(|| environment.to_vec());
        hook
    }
}

/// A resource limit (setrlimit(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rlimit {
    /// `RLIMIT_…`.
    pub resource: u32,
    /// Soft limit.
    pub soft: u64,
    /// Hard limit.
    pub hard: u64,
}

/// Arguments of sched_setattr(2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduling {
    /// `SCHED_…`.
    pub policy: u32,
    /// `SCHED_FLAG_…`.
    pub flags: u64,
    /// Nice value.
    pub nice: i32,
    /// Static priority.
    pub priority: u32,
    /// Time in a period (ns).
    pub runtime_ns: u64,
    /// Deadline (ns).
    pub deadline_ns: u64,
    /// Period (ns).
    pub period_ns: u64,
}

/// Arguments of set_mempolicy(2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryPolicy {
    /// `MPOL_…` with its flags.
    pub mode: u32,
    /// Nodes, bit n of word n / 64.
    pub nodes: Vec<u64>,
}

/// What becomes of the process in the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Whether it gets a terminal of its own.
    pub terminal: bool,
    /// Rows and columns of the terminal.
    pub console_size: Option<(u16, u16)>,
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Additional groups; `None` where the user namespace does not let one set them.
    pub groups: Option<Vec<u32>>,
    /// File mode creation mask.
    pub umask: Option<u32>,
    /// Program and arguments.
    pub args: Vec<String>,
    /// Environment, `NAME=value`.
    pub env: Vec<String>,
    /// Working directory.
    pub cwd: String,
    /// Capabilities; `None` leaves them as they are.
    pub capabilities: Option<Sets>,
    /// Resource limits.
    pub rlimits: Vec<Rlimit>,
    /// Whether no_new_privs is set.
    pub no_new_privileges: bool,
    /// AppArmor profile.
    pub apparmor: Option<String>,
    /// SELinux label.
    pub selinux: Option<String>,
    /// Class and value for ioprio_set(2).
    pub io_priority: Option<i32>,
    /// Scheduling.
    pub scheduling: Option<Scheduling>,
    /// CPUs before and after the process is in its control group (`execCPUAffinity`): bit n of word n / 64.
    pub affinity: (Option<Vec<u64>>, Option<Vec<u64>>),
    /// NUMA memory policy.
    pub memory_policy: Option<MemoryPolicy>,
    /// personality(2).
    pub personality: Option<u32>,
    /// Filter of system calls.
    pub filter: Option<Filter>,
    /// Name of a new session keyring.
    pub keyring: Option<String>,
    /// Descriptors from 3 on that the program gets.
    pub preserved: u32,
}
