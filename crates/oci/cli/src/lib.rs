//! The command line of an OCI runtime: `catamaran oci`, and the program `catamaran-oci`, which is nothing else. Reads arguments,
//! calls [`catamaran_oci`], prints.
//!
//! *Architecture invariant*: exit codes and streams are runc's here, not those of the other commands: 1 on any error of ours, the
//! program's own code on `run` and `exec`.

mod args;
mod commands;
mod log;
mod more;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use catamaran_oci::{Problem, Warning, command};
use clap::Parser as _;

pub use args::Runtime;
use args::{Command, Global, List, ListFormat, Program};
use log::Log;

/// Name of the program, and of the folder with its states.
pub const NAME: &str = "catamaran-oci";

/// Carries out what this process was called for; its exit code.
#[must_use]
pub fn run() -> ExitCode {
    match Program::try_parse() {
        Ok(program) => carry_out(program.runtime),
        Err(error) => {
            // A reader that has gone away is nothing to complain about.
            let _ = error.print();
            if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
    }
}

fn print(text: &str) {
    // Who has stopped reading has read enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Carries a command out; its exit code.
#[must_use]
pub fn carry_out(runtime: Runtime) -> ExitCode {
    let Runtime { global, command } = runtime;
    let log = Log::new(&global);
    let mut warnings = Vec::new();
    let done = dispatch(command, &global, &mut warnings);
    for warning in &warnings {
        log.warn(warning);
    }
    match done {
        Ok(code) => ExitCode::from(code),
        Err(problem) => {
            log.error(&problem);
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command, global: &Global, warnings: &mut Vec<Warning>) -> Result<u8, Problem> {
    if global.systemd_cgroup {
        return Err(Problem::Usage(
            "--systemd-cgroup: this runtime makes its control groups itself; have the engine use cgroupfs (podman --cgroup-manager=cgroupfs, dockerd --exec-opt native.cgroupdriver=cgroupfs, containerd SystemdCgroup = false)".to_owned(),
        ));
    }
    let root = root(global);
    match command {
        Command::Create(create) => command::create(&listening(create.how(root)), warnings)?,
        Command::Start(one) => command::start(&root, &one.id)?,
        Command::State(one) => print(&format!("{}\n", command::state(&root, &one.id)?)),
        Command::Kill(kill) => {
            command::kill(&root, &kill.id, command::parse_signal(&kill.signal)?, kill.all)?;
        }
        Command::Delete(delete) => command::delete(&root, &delete.id, delete.force, warnings)?,
        Command::Run(run) => {
            return command::run(&listening(run.create.how(root)), run.detach, run.keep, warnings);
        }
        Command::Exec(exec) => return command::exec(&exec.how(root, global.debug), warnings),
        Command::List(list) => show(&list, &command::list(&root)?)?,
        Command::Ps(ps) => print(&more::processes(&ps, &command::ps(&root, &ps.id)?)?),
        Command::Pause(one) => command::pause(&root, &one.id)?,
        Command::Resume(one) => command::resume(&root, &one.id)?,
        Command::Update(update) => command::update(&root, &update.id, &more::resources(&update)?)?,
        Command::Events(events) => more::follow(&root, &events)?,
        Command::Features => print(&format!("{}\n", command::features())),
        Command::Spec(file) => command::spec(&file.bundle, file.rootless)?,
    }
    Ok(0)
}

/// Where states are kept.
fn root(global: &Global) -> PathBuf {
    if let Some(root) = &global.root {
        return root.clone();
    }
    let own = std::env::var_os("XDG_RUNTIME_DIR").filter(|_| !rustix::process::geteuid().is_root());
    PathBuf::from(own.unwrap_or_else(|| "/run".into())).join(NAME)
}

/// Sockets of systemd come right after the standard streams (sd_listen_fds(3)).
fn listening(mut new: command::New) -> command::New {
    new.listen_fds = sockets();
    new
}

fn sockets() -> u32 {
    let count = std::env::var("LISTEN_FDS").ok().and_then(|count| count.parse().ok());
    count.unwrap_or_default()
}

fn show(how: &List, rows: &[command::Row]) -> Result<(), Problem> {
    let text = if how.quiet {
        rows.iter().map(|row| format!("{}\n", row.id)).collect()
    } else if how.format == ListFormat::Json {
        let json = serde_json::to_string(rows).map_err(|error| Problem::system("write the list", error))?;
        format!("{json}\n")
    } else {
        table(rows)
    };
    print(&text);
    Ok(())
}

fn table(rows: &[command::Row]) -> String {
    let head = ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"].map(str::to_owned);
    let cells = rows.iter().map(|row| {
        [
            row.id.clone(),
            row.pid.to_string(),
            row.status.to_owned(),
            row.bundle.display().to_string(),
            row.created.clone(),
            row.owner.to_string(),
        ]
    });
    let all: Vec<[String; 6]> = std::iter::once(head).chain(cells).collect();
    let mut text = String::new();
    for row in &all {
        for (at, cell) in row.iter().enumerate() {
            let width = all.iter().filter_map(|row| row.get(at)).map(String::len).max().unwrap_or(0) + 2;
            text.push_str(&format!("{cell:width$}"));
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_made_by_systemd_are_refused_with_the_remedy() {
        let program = Program::try_parse_from(["catamaran-oci", "--systemd-cgroup", "list"]).unwrap();
        let Runtime { global, command } = program.runtime;
        let said = dispatch(command, &global, &mut Vec::new()).unwrap_err().to_string();
        for remedy in ["--cgroup-manager=cgroupfs", "native.cgroupdriver=cgroupfs", "SystemdCgroup = false"] {
            assert!(said.contains(remedy), "{said}");
        }
    }
}
