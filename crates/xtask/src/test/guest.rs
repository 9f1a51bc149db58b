//! The native tests on cgroup v2, whatever this machine mounts: they run in a guest whose kernel has every controller of
//! version 2. The guest is emulated (TCG), so that no machine needs KVM; it asserts no speed.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::Run;
use super::build::TestProgram;
use super::guest_machine::Machine;
use super::initramfs::Initramfs;
use crate::setup::guest_kernel;
use crate::shell::{Workspace, follow};

/// Longest life of the guest of the native tests: half as much again as on two idle cores of 2.6 GHz.
const PATIENCE: Duration = Duration::from_mins(9);
/// Boots until one comes to its end: an emulated guest has been seen to stand still, its clock and all time limits in it too.
const BOOTS: u32 = 3;

/// A test program as it is run in the guest.
struct Group {
    /// Folder and name of the test program.
    program: (&'static str, &'static str),
    /// In which control group: `alone`, a delegated one of its own; `shared`, one with other processes in it, below one
    /// that hands controllers down; `root`.
    place: &'static str,
    /// Longest time it may take, s.
    seconds: u32,
    arguments: &'static str,
}

/// What is run, in this order. On a tree of version 2 it matters from which group a run is started.
const GROUPS: [Group; 11] = [
    Group { program: ("crates/native", "v2"), place: "alone", seconds: 90, arguments: "" },
    Group {
        program: ("crates/native", "v2"),
        place: "root",
        seconds: 90,
        // What stands in the tenant's group is the same from wherever a run is started.
        arguments: "--skip forks_beyond_pids_max --skip the_bound_of_the_host",
    },
    Group { program: ("crates/native", "run"), place: "shared", seconds: 90, arguments: "" },
    Group {
        program: ("crates/native", "run"),
        place: "alone",
        seconds: 90,
        // The lines are typed into a shell beside the test, whose group is then no longer the shell's alone.
        arguments: "--skip the_lines_of_a_dry_run_can_be_typed",
    },
    Group { program: ("crates/oci", "cgroup_v2"), place: "shared", seconds: 60, arguments: "" },
    Group {
        program: ("crates/native", "events"),
        place: "alone",
        seconds: 60,
        arguments: "a_bound what_ends",
    },
    Group { program: ("crates/native", "forks"), place: "alone", seconds: 60, arguments: "" },
    Group { program: ("crates/native", "disk"), place: "root", seconds: 60, arguments: "" },
    Group {
        program: ("crates/native", "network"),
        place: "shared",
        seconds: 90,
        // On all platforms it takes half a minute here; what only a guest's kernel can do has a test of its own.
        arguments: "--skip the_lines_of_a_dry_run_can_be_typed",
    },
    Group { program: ("crates/native", "kill"), place: "shared", seconds: 300, arguments: "" },
    Group {
        program: ("tests", "conformance"),
        place: "alone",
        seconds: 300,
        // The page cache knows no version of control groups, nor do kills and starts; limits that are set anew do.
        arguments: "native:: --skip vm:: --skip a_rate_paces_the_disk --skip who_is_killed --skip replicas_come \
                    --skip an_update",
    },
];

/// Programs of this machine that tests start in the guest.
const TOOLS: [&str; 14] = [
    "sh",
    "mkdir",
    "rmdir",
    "sleep",
    "true",
    "hostname",
    "unshare",
    "mount",
    "umount",
    "mknod",
    "ln",
    "chroot",
    "pivot_root",
    "setpriv",
];

/// Programs that make a network by hand, where this machine has them; without them one test says so.
const TOOLS_FOR_NETWORKS: [&str; 3] = ["ip", "tc", "nsenter"];

/// What the guest says when it has run every group.
const LAST_WORD: &str = "guest: all groups have been run";

/// The scheduler of disks that knows weights of control groups.
const WEIGHS: &str = "bfq";

/// Boots the guest and counts what its tests say.
pub(super) fn native_v2(run: &mut Run) -> Result<()> {
    in_guest(run, "native-v2", &[WEIGHS], PATIENCE, |run, folder, image| {
        tests(run.workspace, run.programs, folder, image)
    })
}

/// Boots a guest, which may live for so long, with the programs that `fill` puts into its file system, and with those schedulers for its disk; counts what they
/// say. What `fill` returns are the lines of `/groups`; what it makes lies in the folder that it is given, `target/NAME`.
pub(super) fn in_guest(
    run: &mut Run,
    name: &str,
    schedulers: &[&'static str],
    patience: Duration,
    fill: impl FnOnce(&Run, &Path, &mut Initramfs) -> Result<String>,
) -> Result<()> {
    let kernel = guest_kernel(run.workspace).context("no kernel for guests")?;
    let folder = run.workspace.target().join(name);
    fs::create_dir_all(&folder)?;
    let mut image = Initramfs::default();
    let groups = fill(run, &folder, &mut image)?;
    image.file("/groups", groups.into_bytes());
    system(run.workspace, &mut image)?;
    let machine = Machine::prepare(run.workspace, kernel, schedulers, &folder, &mut image)?;
    image.write(machine.archive())?;
    let megabytes = fs::metadata(machine.archive())?.len() >> 20;
    println!("the guest boots with {megabytes} MiB of programs");
    let mut said = Said::default();
    for boot in 1..=BOOTS {
        said = boot_once(run, &machine, patience)?;
        if said.complete {
            break;
        }
        println!("boot {boot} of {BOOTS}: the guest stopped before all groups had been run");
    }
    fs::remove_dir_all(&folder)?;
    said.lines.iter().for_each(|line| run.tally.line(line));
    if !said.complete {
        bail!("the guest ended before all groups had been run");
    }
    Ok(())
}

/// What a guest said, and whether it came to its end.
#[derive(Default)]
struct Said {
    lines: Vec<String>,
    complete: bool,
}

fn boot_once(run: &Run, machine: &Machine, patience: Duration) -> Result<Said> {
    let mut said = Said::default();
    let mut qemu = machine.boot(run.workspace)?;
    let until = run.until.min(Instant::now() + patience);
    let ended = follow(&mut qemu, until, |line| {
        let line = line.trim_end_matches('\r');
        println!("{line}");
        said.complete |= line == LAST_WORD;
        said.lines.push(line.to_owned());
    });
    said.complete &= matches!(ended, Ok(true));
    Ok(said)
}

/// Process 1, and what it and the tests call.
fn system(workspace: &Workspace, image: &mut Initramfs) -> Result<()> {
    // An example of crates/native, which cargo builds with its tests.
    let init = workspace.target().join("debug/examples/v2_guest");
    image.program(workspace, &init, "/init")?;
    for tool in TOOLS {
        let file = workspace.find(tool).with_context(|| format!("{tool} is not on PATH"))?;
        image.program(workspace, &file.canonicalize()?, &format!("/bin/{tool}"))?;
    }
    for (tool, file) in TOOLS_FOR_NETWORKS.iter().filter_map(|tool| Some((tool, workspace.find(tool)?))) {
        image.program(workspace, &file.canonicalize()?, &format!("/bin/{tool}"))?;
    }
    Ok(())
}

/// The native tests, and the lines that run them.
fn tests(
    workspace: &Workspace,
    programs: &[TestProgram],
    folder: &Path,
    image: &mut Initramfs,
) -> Result<String> {
    let mut list = String::new();
    for group in &GROUPS {
        let (of, name) = group.program;
        let program = programs
            .iter()
            .find(|program| program.folder == Path::new(of) && program.name == name && program.integration);
        let program = program.with_context(|| format!("{of} has no test program {name}"))?;
        let stripped = folder.join(name);
        strip(workspace, &program.executable, &stripped)?;
        let place = format!("/tests/{name}");
        image.program(workspace, &stripped, &place)?;
        list += &format!("{} {} {place} {}\n", group.seconds, group.place, group.arguments);
    }
    Ok(list)
}

/// The program without what only debuggers need, which would fill the guest's memory.
pub(super) fn strip(workspace: &Workspace, program: &Path, stripped: &Path) -> Result<()> {
    let mut command = workspace.command("strip");
    let done = command.arg("-o").arg(stripped).arg(program).status();
    if !done.is_ok_and(|status| status.success()) {
        bail!(
            "`strip` (of the package binutils, which the linker is part of) failed on {}",
            program.display()
        );
    }
    Ok(())
}
