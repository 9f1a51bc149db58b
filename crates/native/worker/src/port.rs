//! What a guest and the runner tell each other over the guest's second serial port: a line each, the first word says
//! what. All instants are the guest's (ns of its `CLOCK_MONOTONIC`); all numbers are decimal.

/// Where the guest finds the port.
pub const DEVICE: &str = "/dev/ttyS1";

/// Where the guest finds its tape.
pub const TAPE: &str = "/tape";

/// Folder of the modules that the guest's kernel is to load, by name in their order.
pub const MODULES: &str = "/modules";

/// Where the guest finds the disk that is its tenant's file.
pub const DISK: &str = "/dev/vda";

/// Where the guest finds its address in the run's network, as `10.87.0.1/16`, where there is one.
pub const ADDRESS: &str = "/address";

/// Where the guest finds what of the machine its program's root shows: a path a line, where there is a program.
pub const SHOWN: &str = "/shown";

/// By which name the guest's kernel knows the file system in which these are.
pub const SHARE: &str = "machine";

/// Where the guest has that file system, and where the root of its program.
pub const SHARE_AT: &str = "/machine";
/// The other of the two.
pub const ROOT: &str = "/tenant";

/// The guest's network card.
pub const CARD: &str = "eth0";

/// Folder of the guest in which a probe may do as it likes.
pub const PLAYGROUND: &str = "/tmp";

/// Words that the guest begins a line with.
pub mod tells {
    /// `init FIRST`: process 1 is there; its first own instruction.
    pub const INIT: &str = "init";
    /// `ready EXEC FIRST`: all threads of the worker wait for the common start; when the worker was started, and its
    /// first own instruction.
    pub const READY: &str = "ready";
    /// `now INSTANT`: answers [`super::asks::CLOCK`].
    pub const NOW: &str = "now";
    /// `kills COUNT`: how many processes the guest's kernel has killed for memory, before the line that comes next.
    pub const KILLS: &str = "kills";
    /// `ended HOW`: the worker's exit code or `signal N`, or in a sentence why it gave up.
    pub const ENDED: &str = "ended";
    /// `stopped`: answers [`super::asks::STOP`].
    pub const STOPPED: &str = "stopped";
    /// `words COUNT`: answers [`super::asks::READ`]; that many words follow, low byte first.
    pub const WORDS: &str = "words";
    /// `found NAME FINDING` (a tab between name and finding): what a probe found.
    pub const FOUND: &str = "found";
    /// `probed`: the probe has ended.
    pub const PROBED: &str = "probed";
    /// `failed SENTENCE`: nothing comes after it.
    pub const FAILED: &str = "failed";
}

/// Words that the runner begins a line with.
pub mod asks {
    /// `clock`: what the guest's clock shows.
    pub const CLOCK: &str = "clock";
    /// `go ORIGIN BEGIN`: the run's common start, and when this tenant's work begins.
    pub const GO: &str = "go";
    /// `stop`: halt the worker where it is and note its threads' counters on the tape.
    pub const STOP: &str = "stop";
    /// `read FIRST COUNT`: words of the tape.
    pub const READ: &str = "read";
    /// `probe ARGUMENTS` (tabs between them): look around and try what one is let do; the arguments are the probe's.
    pub const PROBE: &str = "probe";
}
