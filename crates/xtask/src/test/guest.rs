//! The native tests on cgroup v2, whatever this machine mounts: they run in a guest whose kernel has every controller of
//! version 2. The guest is emulated (TCG), so that no machine needs KVM; it asserts no speed.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::build::TestProgram;
use super::guest_machine::Machine;
use super::initramfs::Initramfs;
use super::oci::others;
use super::said::Said;
use super::tally::Tally;
use super::{MOST_REPEATED, Run};
use crate::setup::guest_kernel;
use crate::shell::{Workspace, follow_while_it_speaks};

/// Longest life of the guest of the native tests: half as much again as on two idle cores of 2.6 GHz.
const PATIENCE: Duration = Duration::from_mins(9);
/// Boots until all groups have been run: an emulated guest has been seen to stand still, its clock and all time limits in it too.
const BOOTS: u32 = 3;
/// A guest that says nothing for so long stands still: its first process says every five seconds that it is at work, once the
/// kernel has come up, which takes a few seconds.
const STANDS_STILL: Duration = Duration::from_secs(90);

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
const GROUPS: [Group; 13] = [
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
    Group {
        program: ("crates/native", "command"),
        place: "alone",
        seconds: 90,
        arguments: "what_a_program_leaves a_program_gets_time endless_output memory_beyond",
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
                    --skip an_update --skip runc:: --skip crun::",
    },
    Group {
        program: ("tests", "conformance"),
        place: "alone",
        seconds: 120,
        // Runtimes of others take longer for each start here: what they make of the limits of version 2.
        arguments: "native::runc::a_limit_throttles native::runc::a_memory_limit_kills native::runc::what_is_seen \
                    native::runc::touched_memory native::crun::a_limit_throttles native::crun::a_memory_limit_kills \
                    native::crun::what_is_seen native::crun::touched_memory",
    },
];

/// Programs of this machine that tests start in the guest.
const TOOLS: [&str; 18] = [
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
    "setsid",
    "grep",
    "yes",
    "perl",
];

/// Programs that make a network by hand, where this machine has them; without them one test says so.
const TOOLS_FOR_NETWORKS: [&str; 3] = ["ip", "tc", "nsenter"];

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
    let count = groups.lines().count();
    image.file("/groups", groups.into_bytes());
    system(run.workspace, &mut image)?;
    let machine = Machine::prepare(run.workspace, kernel, schedulers, &folder, &mut image)?;
    image.write(machine.archive())?;
    let megabytes = fs::metadata(machine.archive())?.len() >> 20;
    println!("the guest boots with {megabytes} MiB of programs");
    let wanted: Vec<usize> = (0..count).collect();
    let outcome = boot_and_repeat(run, &machine, patience, &wanted);
    fs::remove_dir_all(&folder)?;
    outcome
}

/// Has guests run these groups, and those once more in which a few tests failed.
fn boot_and_repeat(run: &mut Run, machine: &Machine, patience: Duration, wanted: &[usize]) -> Result<()> {
    let first = boot_until_run(run, machine, patience, wanted);
    let (signs, silence) = first.signs_of_life();
    println!(
        "the guest said {signs} times that it is at work; it was never silent for more than {silence:.1?}"
    );
    // Nobody could tell a guest that stands still from one whose tests take long.
    run.tally.check("a guest is heard while its tests are at work", signs > 0);
    let mut tallies = first.tallies();
    let failed = |tally: &Tally| tally.failed.len();
    let failing: Vec<usize> =
        tallies.iter().filter(|(_, tally)| failed(tally) > 0).map(|(number, _)| *number).collect();
    if (1..=MOST_REPEATED).contains(&tallies.values().map(failed).sum()) {
        println!("\nonce more: groups {failing:?}, of which a test failed");
        let second = boot_until_run(run, machine, patience, &failing);
        tallies.iter_mut().for_each(|(number, tally)| second.repeat(*number, tally));
    }
    tallies.into_values().for_each(|tally| run.tally.absorb(tally));
    let missing = first.missing(wanted);
    if !missing.is_empty() {
        bail!("the guest ended before all groups had been run: {missing:?}");
    }
    Ok(())
}

/// Boots guests until these groups have been run; what they said.
fn boot_until_run(run: &Run, machine: &Machine, patience: Duration, wanted: &[usize]) -> Said {
    let mut said = Said::default();
    for boot in 1..=BOOTS {
        let missing = said.missing(wanted);
        if missing.is_empty() {
            break;
        }
        println!("boot {boot} of at most {BOOTS}, for the groups {missing:?}");
        let until = run.until.min(Instant::now() + patience);
        said.boots();
        let ended = machine.boot(run.workspace, &missing).and_then(|mut qemu| {
            follow_while_it_speaks(&mut qemu, until, STANDS_STILL, |text| {
                said.take(text, |line| println!("{line}"));
            })
        });
        if let Err(why) = ended {
            println!("{why:#}");
        }
    }
    said
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
        let place = format!("/tests/{name}");
        stripped(workspace, &program.executable, folder, &place, image)?;
        list += &format!("{} {} {place} {}\n", group.seconds, group.place, group.arguments);
    }
    for (name, program) in others(workspace) {
        stripped(workspace, &program, folder, &format!("/bin/{name}"), image)?;
    }
    Ok(list)
}

/// Puts a program at `place` of the guest without what only debuggers need, which would fill the guest's memory; the copy is made in
/// `folder`.
pub(super) fn stripped(
    workspace: &Workspace,
    program: &Path,
    folder: &Path,
    place: &str,
    image: &mut Initramfs,
) -> Result<()> {
    let copy = folder.join(Path::new(place).file_name().unwrap_or_default());
    let mut command = workspace.command("strip");
    let done = command.arg("-o").arg(&copy).arg(program).status();
    if !done.is_ok_and(|status| status.success()) {
        bail!(
            "`strip` (of the package binutils, which the linker is part of) failed on {}",
            program.display()
        );
    }
    image.program(workspace, &copy, place)
}
