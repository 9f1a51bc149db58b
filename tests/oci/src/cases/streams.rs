//! Standard streams, terminals, further descriptors, pid files.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::termios::{isatty, tcgetwinsize};
use serde_json::json;

use crate::bed::{Bed, PATIENCE};
use crate::call::wait_for;
use crate::check::{Verdict, equal, holds, wrong};
use crate::socket::Socket;
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "streams", cases: CASES };

/// A created container with a terminal, and the terminal's other side.
fn with_terminal(bed: &mut Bed) -> Verdict<File> {
    let socket = Socket::at(&bed.file("console.sock"))?;
    bed.set(json!({ "process": { "terminal": true } }));
    bed.options.extend(["--console-socket".to_owned(), bed.place("console.sock")]);
    bed.create()?;
    let mut message = socket.message()?;
    let Some(descriptor) = message.descriptors.pop() else { return wrong("no descriptor came") };
    holds("it is the only one", message.descriptors.is_empty())?;
    holds("it is a terminal", isatty(&descriptor))?;
    Ok(File::from(descriptor))
}

/// What comes out of a terminal until its program has ended, or for a bounded time.
fn all_of(mut terminal: File) -> Verdict<String> {
    fcntl_setfl(&terminal, OFlags::NONBLOCK).map_err(std::io::Error::from)?;
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    wait_for(PATIENCE, || match terminal.read(&mut part) {
        Ok(0) => Some(()),
        Ok(count) => {
            bytes.extend(part.iter().take(count));
            None
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        // EIO is how the end of the other side is told.
        Err(_) => Some(()),
    });
    Ok(String::from_utf8_lossy(&bytes).replace('\r', ""))
}

const CASES: &[Case] = &[
    case(
        "three_descriptors_and_no_more",
        "runtime-linux.md#file-descriptors: 0, 1 and 2 are kept open, others must not be",
        |bed| {
            let seen = bed.seen()?;
            let names: Vec<&String> =
                seen["descriptors"].as_object().map(|list| list.keys().collect()).unwrap_or_default();
            equal("descriptors", names, vec!["0", "1", "2"])
        },
    ),
    case(
        "further_descriptors_are_kept_if_asked",
        "runtime-linux.md#file-descriptors: more may be passed; runc: --preserve-fds",
        |bed| {
            // What the suite opens is closed by exec: the shell opens it for the runtime.
            fs::write(bed.file("passed"), "passed on")?;
            let shell = format!("exec 3<{} && exec \"$@\"", bed.place("passed"));
            bed.options.extend(["--preserve-fds".to_owned(), "1".to_owned()]);
            let said = bed.run_by(&["/bin/sh", "-c", &shell, "sh"])?;
            let seen = crate::bed::answers(&said.out)?;
            let three = seen[0]["descriptors"]["3"].as_str().unwrap_or_default().to_owned();
            holds(&format!("descriptor 3 is the file: {}", seen[0]["descriptors"]), three.ends_with("passed"))
        },
    ),
    case(
        "what_the_runtime_has_open_does_not_leak",
        "runtime-linux.md#file-descriptors: others must not be leaked",
        |bed| {
            let shell = format!("exec 7<{} && exec \"$@\"", bed.place("root"));
            let said = bed.run_by(&["/bin/sh", "-c", &shell, "sh"])?;
            let seen = crate::bed::answers(&said.out)?;
            holds(
                &format!("descriptor 7 is closed: {}", seen[0]["descriptors"]),
                seen[0]["descriptors"]["7"].is_null(),
            )
        },
    ),
    case(
        "standard_streams_are_the_runtime_s",
        "runtime-linux.md#file-descriptors: 0, 1 and 2 are those of the runtime",
        |bed| {
            bed.deeds(&["see"]);
            let said = bed.run()?;
            holds("standard output arrived", said.out.starts_with('['))
        },
    ),
    case(
        "a_terminal_goes_to_the_socket",
        "runc: --console-socket receives the terminal's descriptor",
        |bed| {
            bed.deeds(&["see"]);
            let terminal = with_terminal(bed)?;
            bed.start()?;
            let seen = crate::bed::answers(&all_of(terminal)?)?;
            equal("streams", &seen[0]["terminal"]["stdin"], true)?;
            equal("streams", &seen[0]["terminal"]["stderr"], true)
        },
    ),
    case(
        "a_terminal_is_the_console",
        "config-linux.md#default-devices: /dev/console is the terminal",
        |bed| {
            bed.deeds(&["stat /dev/console", "open rw /dev/tty", "see"]);
            let terminal = with_terminal(bed)?;
            bed.start()?;
            let answers = crate::bed::answers(&all_of(terminal)?)?;
            equal("kind of /dev/console", &answers[0]["kind"], "char")?;
            // A slave of a pseudo terminal has the major number 136.
            equal("major number of /dev/console", &answers[0]["device"][0], 136)?;
            equal("opening the controlling terminal", &answers[1], &json!(null))
        },
    ),
    case(
        "a_terminal_has_its_size",
        "config.md#process: consoleSize is the size of the terminal in characters",
        |bed| {
            bed.set(json!({ "process": { "consoleSize": { "height": 31, "width": 97 } } }));
            bed.deeds(&["see"]);
            let terminal = with_terminal(bed)?;
            let size = tcgetwinsize(&terminal).map_err(std::io::Error::from)?;
            bed.start()?;
            let seen = crate::bed::answers(&all_of(terminal)?)?;
            equal("size outside", (size.ws_row, size.ws_col), (31, 97))?;
            equal("size inside", &seen[0]["terminal"]["size"], &json!([31, 97]))
        },
    ),
    case("without_a_terminal_there_is_none", "config.md#process: terminal is false by default", |bed| {
        let seen = bed.seen()?;
        equal("standard output", &seen["terminal"]["stdout"], false)
    }),
    case(
        "a_terminal_needs_a_socket",
        "runc#create: a terminal of a detached container needs --console-socket",
        |bed| {
            bed.set(json!({ "process": { "terminal": true } }));
            bed.refused()
        },
    ),
    case("the_socket_must_be_there", "runc#create: --console-socket must be of a listener", |bed| {
        bed.set(json!({ "process": { "terminal": true } }));
        bed.options.extend(["--console-socket".to_owned(), bed.place("nowhere.sock")]);
        bed.refused()
    }),
    case("a_pid_file", "runc#create: --pid-file gets the process's number", |bed| {
        bed.options.extend(["--pid-file".to_owned(), bed.place("pid")]);
        bed.create()?;
        let pid = bed.pid()?;
        equal("pid file", fs::read_to_string(bed.file("pid"))?, pid.to_string())
    }),
    case("input_reaches_the_program", "runtime-linux.md#file-descriptors: 0 is that of the runtime", |bed| {
        fs::write(bed.file("input"), "said to it")?;
        bed.deeds(&["stdin"]);
        let shell = format!("exec \"$@\" <{}", bed.place("input"));
        let said = bed.run_by(&["/bin/sh", "-c", &shell, "sh"])?;
        equal("input", &crate::bed::answers(&said.out)?[0], "said to it")
    }),
    case(
        "output_of_a_container_that_was_created",
        "runtime-linux.md#file-descriptors: those of create are the program's",
        |bed| {
            bed.deeds(&["see"]);
            bed.create()?;
            bed.start()?;
            let has = wait_for(PATIENCE, || bed.output().starts_with('[').then_some(()));
            holds("the output is where create's was", has.is_some())
        },
    ),
];
