//! Runs containers by podman, containerd and docker through a given OCI runtime, as people who use these engines do, and
//! looks at what is left when they are removed.
//!
//! `catamaran-engines run SCENE RUNTIME` plays a scene in namespaces of its own (mounts, processes, network, IPC, host
//! name): the engine has private sockets, roots and states on a file system in memory, cannot see the machine's, and is
//! gone with its shims and mounts when the first process of the namespace is. Control groups are below one of our own in
//! each hierarchy; whatever kills us, a keeper removes them.
//!
//! It prints what it does. Exit code 0: all was as it should be. 77: it can't be tried here, and the last line says
//! `cannot: reason`. 1: it was not, and the last lines say what.

mod containerd;
mod crowd;
mod daemon;
mod docker;
mod engine;
mod first;
mod groups;
mod image;
mod keeper;
mod left;
mod outside;
mod place;
mod podman;
mod rootless;
mod scene;
mod tool;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};

/// How a scene ended that found nothing wrong.
enum Ended {
    /// Everything was as it should be.
    Well,
    /// It can't be tried on this machine, and why.
    Unavailable(String),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match carry_out(&words) {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::Unavailable(why)) => {
            println!("cannot: {}", why.replace('\n', " "));
            ExitCode::from(77)
        }
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The last three are what the first starts.
fn carry_out(words: &[&str]) -> Result<Ended> {
    match *words {
        ["run", scene, runtime] => outside::run(scene, Path::new(runtime)),
        ["keep", folder] => keeper::keep(Path::new(folder)).map(|()| Ended::Well),
        ["first", folder, scene, runtime] => first::process([folder, scene, runtime]).map(|()| Ended::Well),
        ["play", folder, scene, runtime] => {
            scene::play(scene, Path::new(folder), Path::new(runtime)).map(|()| Ended::Well)
        }
        _ => bail!(
            "usage: catamaran-engines run SCENE RUNTIME, where SCENE is one of {} and RUNTIME the path of an OCI runtime",
            scene::NAMES.join(", ")
        ),
    }
}
