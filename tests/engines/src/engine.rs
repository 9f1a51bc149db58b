//! What an engine is asked to do.

use std::path::Path;

use anyhow::Result;

use crate::groups::Limits;
use crate::tool::Said;

/// How a container is run.
#[derive(Default, Clone, Copy)]
pub(crate) struct How<'a> {
    /// Its limits; the number of processes is left out by `ctr`, which has no option for it.
    pub(crate) limits: Option<&'a Limits>,
    /// With a terminal of its own.
    pub(crate) terminal: bool,
}

/// A container engine that was started for us alone. Containers have names.
pub(crate) trait Engine {
    /// Takes an image from an archive.
    fn load(&self, archive: &Path) -> Result<()>;
    /// Runs a container of [`crate::image::NAME`] to its end and removes it.
    fn run(&self, name: &str, how: How<'_>, command: &[&str]) -> Result<Said>;
    /// Starts one that goes on by itself.
    fn start(&self, name: &str, how: How<'_>, command: &[&str]) -> Result<()>;
    /// What its processes have written.
    fn logs(&self, name: &str) -> Result<String>;
    /// Runs a command in it to its end; all that the command says is heard only of [`Engine::shell`].
    fn exec(&self, name: &str, command: &[&str]) -> Result<Said>;
    /// Runs a script in it to its end.
    fn shell(&self, name: &str, script: &str) -> Result<Said> {
        self.exec(name, &["/bin/sh", "-c", script])
    }
    /// Its first process, as we see it.
    fn pid(&self, name: &str) -> Result<u32>;
    /// What it is called in the engine's and the runtime's files.
    fn id(&self, name: &str) -> Result<String>;
    fn pause(&self, name: &str) -> Result<()>;
    fn resume(&self, name: &str) -> Result<()>;
    /// Asks it to end by SIGTERM, with some seconds before it is killed where the engine does that.
    fn stop(&self, name: &str) -> Result<()>;
    /// Kills it.
    fn kill(&self, name: &str) -> Result<()>;
    /// Waits for its end; its exit code.
    fn wait(&self, name: &str) -> Result<i32>;
    /// Removes it after its end.
    fn remove(&self, name: &str) -> Result<()>;
    /// Gives it another memory limit; `false` where the engine has no command for that.
    fn update_memory(&self, name: &str, bytes: u64) -> Result<bool>;
    /// What it shows of a running container: its processes, of which that is the first, and what they use.
    fn shows(&self, name: &str, pid: u32) -> Result<()>;
    /// The exit code of a container whose program is not there: 127 by convention of shells, where the engine keeps it.
    fn code_of_no_program(&self) -> i32;
    /// Whether limits on processes can be given, see [`How::limits`].
    fn limits_processes(&self) -> bool;
    /// Ends the engine and waits for its end.
    fn shut_down(self: Box<Self>) -> Result<()>;
}
