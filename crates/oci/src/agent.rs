//! The agent that answers system calls of a container (config-linux.md, "Seccomp", `listenerPath`).

use std::os::fd::OwnedFd;

use catamaran_oci_init::filter::Listener;
use serde_json::{Value, json};

use crate::{Problem, console};

/// The agent's end, before there is a process that could wait for it.
pub(crate) fn reach(listener: &Listener) -> Result<OwnedFd, Problem> {
    console::connect_to(listener.path.as_ref()).map_err(|error| {
        Problem::system(format!("linux.seccomp.listenerPath: connect to {}", listener.path), error)
    })
}

/// What the agent is told of the process.
pub(crate) fn words(listener: &Listener, pid: i32, state: &str) -> Result<String, Problem> {
    let failed = |error| Problem::system("write the state for the seccomp agent", error);
    let state: Value = serde_json::from_str(state).map_err(failed)?;
    let words = json!({
        "ociVersion": state["ociVersion"],
        "fds": ["seccompFd"],
        "pid": pid,
        "metadata": listener.metadata,
        "state": state,
    });
    serde_json::to_string(&words).map_err(failed)
}
