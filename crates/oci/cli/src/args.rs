//! The command line of an OCI runtime, as runc has it, because that is what podman, containerd and dockerd write.

use std::path::PathBuf;
use std::time::Duration;

use catamaran_oci::command::New;
use clap::{Args, Parser, ValueEnum};

/// Printed after the program's name.
const VERSION: &str = concat!("version ", env!("CARGO_PKG_VERSION"), "\nspec: 1.3.0");

/// `catamaran-oci`.
#[derive(Debug, Parser)]
#[command(
    name = "catamaran-oci",
    about = "An OCI runtime: starts containers from bundles (runtime specification 1.3)",
    version = VERSION,
    disable_version_flag = true,
    max_term_width = 100
)]
pub(super) struct Program {
    /// Print the version and the specification it follows
    #[arg(short = 'v', long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    #[command(flatten)]
    pub(super) runtime: Runtime,
}

/// `catamaran oci`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  catamaran oci spec                              write a config.json to begin with
  catamaran oci run --bundle my-bundle box        start it and stay until its end
  catamaran oci create --bundle my-bundle box     everything but the start
  catamaran oci exec box sh                       one more process in it

Options and exit codes are runc's. The program catamaran-oci, which podman, containerd and dockerd
take, is the same without the word `oci`.")]
pub struct Runtime {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Options of all commands.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// Folder with the states of containers [default: /run/catamaran-oci, or $XDG_RUNTIME_DIR/catamaran-oci]
    #[arg(long, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,
    /// File to which errors and warnings go as well
    #[arg(long, value_name = "FILE")]
    pub(super) log: Option<PathBuf>,
    /// How they are written there
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) log_format: LogFormat,
    /// Say more on standard error: the CPUs that a process of `exec` begins on
    #[arg(long)]
    pub(super) debug: bool,
    /// Refused: this runtime makes its control groups itself; have the engine use cgroupfs
    #[arg(long)]
    pub(super) systemd_cgroup: bool,
    /// Accepted as runc's: it is found out
    #[arg(long, value_name = "BOOL", hide = true)]
    pub(super) rootless: Option<String>,
}

/// `--log-format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// A line of words
    Text,
    /// A line of JSON
    Json,
}

/// The commands.
#[derive(Debug)]
pub(super) enum Command {
    /// Make a container that waits for its start
    Create(Create),
    /// Start the program of a created container
    Start(One),
    /// Print the state of a container
    State(One),
    /// Send a signal to a container
    Kill(Kill),
    /// Remove a container
    Delete(Delete),
    /// Make and start a container
    Run(Run),
    /// Start one more process in a container
    Exec(Box<Exec>),
    /// List the containers
    List(List),
    /// List the processes of a container
    Ps(Ps),
    /// Freeze a container
    Pause(One),
    /// Thaw a paused container
    Resume(One),
    /// Change the limits of a container
    Update(Update),
    /// Print what a container uses, and when its memory runs out
    Events(Events),
    /// Print what this runtime can do
    Features,
    /// Write a configuration to begin with
    Spec(SpecFile),
}

/// A container.
#[derive(Debug, Args)]
pub(super) struct One {
    /// Container
    #[arg(value_name = "ID")]
    pub(super) id: String,
}

/// What `create` and `run` have in common.
#[derive(Debug, Args)]
pub(super) struct Create {
    /// Folder with config.json
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    bundle: PathBuf,
    /// Socket that gets the master of the terminal
    #[arg(long, value_name = "PATH")]
    console_socket: Option<PathBuf>,
    /// File that gets the number of the container's process
    #[arg(long, value_name = "FILE")]
    pid_file: Option<PathBuf>,
    /// Descriptors from 3 on that the program gets, beside those of LISTEN_FDS
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    preserve_fds: u32,
    /// Change the root by chroot instead of pivot_root
    #[arg(long)]
    no_pivot: bool,
    /// Leave the caller's session keyring
    #[arg(long)]
    no_new_keyring: bool,
    /// Identifier of the container
    #[arg(value_name = "ID")]
    id: String,
}

impl Create {
    pub(super) fn how(self, root: PathBuf) -> New {
        New {
            root,
            id: self.id,
            bundle: self.bundle,
            console_socket: self.console_socket,
            pid_file: self.pid_file,
            preserve_fds: self.preserve_fds,
            listen_fds: 0,
            no_pivot: self.no_pivot,
            no_new_keyring: self.no_new_keyring,
        }
    }
}

/// `run`.
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) create: Create,
    /// Come back once the program runs
    #[arg(short, long)]
    pub(super) detach: bool,
    /// Leave the container when its program has ended
    #[arg(long)]
    pub(super) keep: bool,
    /// Accepted as runc's: the program is the runtime's own child
    #[arg(long, hide = true)]
    pub(super) no_subreaper: bool,
}

/// `kill`.
#[derive(Debug, Args)]
pub(super) struct Kill {
    /// To all processes of the container
    #[arg(short, long)]
    pub(super) all: bool,
    /// Container
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// Name or number
    #[arg(value_name = "SIGNAL", default_value = "SIGTERM")]
    pub(super) signal: String,
}

/// `delete`.
#[derive(Debug, Args)]
pub(super) struct Delete {
    /// Kill it first; one that is not there is no mistake
    #[arg(short, long)]
    pub(super) force: bool,
    /// Container
    #[arg(value_name = "ID")]
    pub(super) id: String,
}

/// `list`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// How to write it
    #[arg(short, long, default_value = "table")]
    pub(super) format: ListFormat,
    /// Identifiers only
    #[arg(short, long)]
    pub(super) quiet: bool,
}

/// `--format` of `list` and `ps`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    /// Columns
    Table,
    /// JSON
    Json,
}

/// `exec`.
#[derive(Debug, Args)]
pub(super) struct Exec {
    /// File with the whole of the process (JSON of `process`)
    #[arg(short, long, value_name = "FILE")]
    pub(super) process: Option<PathBuf>,
    /// Working directory
    #[arg(long, value_name = "DIR")]
    pub(super) cwd: Option<PathBuf>,
    /// More of the environment
    #[arg(short, long, value_name = "NAME=VALUE")]
    pub(super) env: Vec<String>,
    /// Give it a terminal
    #[arg(short, long)]
    pub(super) tty: bool,
    /// User and group
    #[arg(short, long, value_name = "UID[:GID]")]
    pub(super) user: Option<String>,
    /// Additional groups
    #[arg(short = 'g', long, value_name = "GID")]
    pub(super) additional_gids: Vec<u32>,
    /// Come back once the program runs
    #[arg(short, long)]
    pub(super) detach: bool,
    /// File that gets the number of the process
    #[arg(long, value_name = "FILE")]
    pub(super) pid_file: Option<PathBuf>,
    /// Socket that gets the master of the terminal
    #[arg(long, value_name = "PATH")]
    pub(super) console_socket: Option<PathBuf>,
    /// SELinux label
    #[arg(long, value_name = "LABEL")]
    pub(super) process_label: Option<String>,
    /// AppArmor profile
    #[arg(long, value_name = "PROFILE")]
    pub(super) apparmor: Option<String>,
    /// Set no_new_privs
    #[arg(long)]
    pub(super) no_new_privs: bool,
    /// One more capability
    #[arg(short, long, value_name = "CAPABILITY")]
    pub(super) cap: Vec<String>,
    /// Descriptors from 3 on that the program gets, beside those of LISTEN_FDS
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub(super) preserve_fds: u32,
    /// Group below the container's to be in
    #[arg(long = "cgroup", value_name = "[CONTROLLER,...:]PATH")]
    pub(super) groups: Vec<String>,
    /// Go on though the container is paused
    #[arg(long)]
    pub(super) ignore_paused: bool,
    /// Container
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// Program and arguments
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(super) command: Vec<String>,
}

/// `ps`.
#[derive(Debug, Args)]
pub(super) struct Ps {
    /// How to write it
    #[arg(short, long, default_value = "table")]
    pub(super) format: ListFormat,
    /// Container
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// Options for ps(1) [default: -ef]
    #[arg(value_name = "OPTION", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(super) options: Vec<String>,
}

/// `update`.
#[derive(Debug, Args)]
pub(super) struct Update {
    /// File with the new limits (JSON of `linux.resources`), `-` for standard input
    #[arg(short, long, value_name = "FILE")]
    pub(super) resources: Option<PathBuf>,
    /// Microseconds of CPU time in a period
    #[arg(long, value_name = "US", allow_hyphen_values = true)]
    pub(super) cpu_quota: Option<i64>,
    /// Length of the period in microseconds
    #[arg(long, value_name = "US")]
    pub(super) cpu_period: Option<u64>,
    /// Weight beside others
    #[arg(long, value_name = "WEIGHT")]
    pub(super) cpu_share: Option<u64>,
    /// CPUs to run on
    #[arg(long, value_name = "LIST")]
    pub(super) cpuset_cpus: Option<String>,
    /// Memory nodes to use
    #[arg(long, value_name = "LIST")]
    pub(super) cpuset_mems: Option<String>,
    /// Memory in bytes
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true)]
    pub(super) memory: Option<i64>,
    /// Memory that is aimed at when it is scarce
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true)]
    pub(super) memory_reservation: Option<i64>,
    /// Memory and swap together in bytes, -1 for no limit
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true)]
    pub(super) memory_swap: Option<i64>,
    /// Processes and threads
    #[arg(long, value_name = "COUNT", allow_hyphen_values = true)]
    pub(super) pids_limit: Option<i64>,
    /// Weight of the block devices' time, 10 to 1000
    #[arg(long, value_name = "WEIGHT")]
    pub(super) blkio_weight: Option<u16>,
    /// Container
    #[arg(value_name = "ID")]
    pub(super) id: String,
}

/// `events`.
#[derive(Debug, Args)]
pub(super) struct Events {
    /// Time between two lines about what is used
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = super::more::duration)]
    pub(super) interval: Duration,
    /// One line, and no more
    #[arg(long)]
    pub(super) stats: bool,
    /// Container
    #[arg(value_name = "ID")]
    pub(super) id: String,
}

/// `spec`.
#[derive(Debug, Args)]
pub(super) struct SpecFile {
    /// Folder that gets config.json
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub(super) bundle: PathBuf,
    /// For a runtime without privileges
    #[arg(long)]
    pub(super) rootless: bool,
}
