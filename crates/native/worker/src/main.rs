//! `catamaran-worker`: one static program in several roles. As *launcher* it waits for the request to start its tenant and
//! then does what a minimal runtime does; as *worker* it carries out the workload on the tape; as *probe* it tells what
//! it sees and what it is let do; as process 1 of a guest it starts the worker there and speaks to the runner. Standard
//! input is then the socket to the runner, standard output the tape; a guest has a serial port in their place.
//!
//! By hand, `catamaran-worker container SCRIPT` creates a container by a start script, starts in it a program that
//! does nothing, and deletes it.

mod attacks;
mod client;
mod confine;
mod contained;
mod disk;
mod forks;
mod guest;
mod guest_root;
mod launch;
mod layer;
mod lock;
mod memory;
mod microvm;
mod network;
mod noop;
mod peer;
mod probe;
mod room;
mod rootfs;
mod runtime;
mod server;
mod sharing;
mod start;
mod supervise;
mod work;

use std::io::Write as _;

use catamaran_worker::clock;
use catamaran_worker::script::word;

fn main() {
    let first_ns = clock::now_ns();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = match arguments.as_slice() {
        [] if std::process::id() == 1 => Err(guest::init(first_ns)),
        ["true"] => Ok(()),
        ["container", script] => by_hand(script),
        ["launch", _run, runner] => launch::launch(runner),
        ["work", _run] => work::work(first_ns),
        // An OCI runtime shows a file in the container; it opens none for it.
        ["work", _run, file] => disk::hand_over(file.as_ref()).and_then(|()| work::work(first_ns)),
        ["work-at", socket, _run] => contained::report_at(socket).and_then(|()| work::work(first_ns)),
        ["work-at", socket, _run, file] => contained::report_at(socket)
            .and_then(|()| disk::hand_over(file.as_ref()))
            .and_then(|()| work::work(first_ns)),
        ["room", _run, runner] => room::make(runner),
        ["room-first", store] => room::first(store.as_ref()),
        ["probe", run, outside, host_file, playground, memory_bytes] => {
            probe::probe(run, outside, (host_file, playground), memory_bytes)
        }
        ["probe-at", socket, run, outside, host_file, playground, memory_bytes] => {
            contained::report_at(socket)
                .and_then(|()| probe::probe(run, outside, (host_file, playground), memory_bytes))
                .map(|()| contained::stay_until_looked_at())
        }
        _ => Err("this program is started by catamaran, by hand only as `catamaran-worker container SCRIPT`"
            .into()),
    };
    if let Err(message) = answer {
        let told = rustix::io::write(rustix::stdio::stdin(), format!("{}{message}", word::FAILED).as_bytes());
        if told.is_err() {
            let _ = writeln!(std::io::stderr(), "catamaran-worker: {message}");
        }
        std::process::exit(1);
    }
}

/// Ends as the container's program did.
fn by_hand(script: &str) -> Result<(), String> {
    match noop::contain(script) {
        Ok(code) => std::process::exit(code),
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "catamaran-worker: {message}");
            std::process::exit(1)
        }
    }
}
