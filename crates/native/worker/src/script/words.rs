//! What launcher, worker and runner tell each other, and where instants of a start-up are noted.

/// What the launcher and the worker tell the runner; one message each.
pub mod word {
    /// The launcher is there and waits for its script.
    pub const READY: &str = "ready";
    /// The worker's threads are all there and wait for the common start.
    pub const STARTED: &str = "started";
    /// The tenant's process was made; its number is on the tape.
    pub const CLONED: &str = "cloned";
    /// Something failed (a sentence follows).
    pub const FAILED: &str = "failed ";
    /// The tenant ends before its work is done, through no fault of the run (a sentence follows).
    pub const GAVE_UP: &str = "gave-up ";
    /// One finding of a probe (name, tab, finding follow).
    pub const FOUND: &str = "found ";
    /// A probe has told everything, and stays until it is told to go.
    pub const PROBED: &str = "probed";
}

/// Numbers of the start-up instants on the tape.
pub mod stamp {
    /// The launcher took up the request to start the tenant.
    pub const REQUEST: usize = 0;
    /// Groups made and limits set.
    pub const LIMITED: usize = 1;
    /// First instruction of the new process.
    pub const CLONED: usize = 2;
    /// In its groups.
    pub const JOINED: usize = 3;
    /// In its namespaces, all set up; just before exec.
    pub const ISOLATED: usize = 4;
    /// First own instruction of the worker.
    pub const FIRST: usize = 5;
    /// The monitor of a virtual machine is ready to run it.
    pub const VMM: usize = 6;
    /// The guest's kernel has begun: its clock shows zero.
    pub const FIRMWARE: usize = 7;
    /// First own instruction of the guest's process 1.
    pub const KERNEL: usize = 8;
    /// The guest's process 1 has set up the guest and starts the worker.
    pub const INIT: usize = 9;
    /// The minimal root is made.
    pub const ROOTED: usize = 10;
    /// The minimal root is the process's root, the machine's is out of reach.
    pub const PIVOTED: usize = 11;
    /// Capabilities and system calls are taken away.
    pub const CONFINED: usize = 12;
    /// A bare guest has executed its first instruction.
    pub const GUEST: usize = 13;
}
