//! `catamaran-worker`: one static program in three roles. As *launcher* it waits for the request to start its tenant and
//! then does what a minimal runtime does; as *worker* it carries out the workload on the tape; as process 1 of a guest it
//! starts the worker there and speaks to the runner.
//!
//! Standard input is the socket to the runner, standard output the tape; a guest has a serial port in their place.

mod guest;
mod launch;
mod memory;
mod server;
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
        ["launch", _run, runner] => launch::launch(runner),
        ["work", _run] => work::work(first_ns),
        _ => Err("this program is started by catamaran, never by hand".to_owned()),
    };
    if let Err(message) = answer {
        let told = rustix::io::write(rustix::stdio::stdin(), format!("{}{message}", word::FAILED).as_bytes());
        if told.is_err() {
            let _ = writeln!(std::io::stderr(), "catamaran-worker: {message}");
        }
        std::process::exit(1);
    }
}
