//! Programs of the user's own (`kind = "command"`): which file that is, what of the machine its root shows, and what its tape tells.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use catamaran_report::RunError;
use catamaran_report::report::{StageRow, TenantReport};
use catamaran_scenario::plan::{Tenant, Workload};
use catamaran_scenario::{Plan, Platform};
use catamaran_worker::program::{PATH, Words};
use catamaran_worker::tape::{Tape, phase};

use crate::accept::refuse;
use crate::{image, platform, root_by_hand};

/// What else a dynamic program needs of the machine: where its libraries are, and which of several programs a name means.
const BESIDES: [&str; 2] = ["/etc/ld.so.cache", "/etc/alternatives"];
/// Where a root has file systems of the kernel's own.
const KERNELS: [&str; 3] = ["/proc", "/sys", "/dev"];
/// What separates words, or hides them, where engines and runtimes are told of mounts.
const ODD: &str = ",:\"'\\#=";
/// Lines of what it said last that an error shows, and the most characters of each.
const TAIL_LINES: usize = 3;
const TAIL_WIDTH: usize = 160;

/// The programs of a workload and its phases, by their arguments.
fn all(workload: &Workload) -> impl Iterator<Item = &[String]> {
    workload.and_its_phases().filter_map(|workload| match workload {
        Workload::Command { argv, .. } => Some(argv.as_slice()),
        _ => None,
    })
}

/// Whether a tenant is, in a phase at least, a program of the user's own.
pub(crate) fn is_one(workload: &Workload) -> bool {
    all(workload).next().is_some()
}

/// The file that a program's name means, as `execvp` would have it with [`PATH`]; else what is wrong with it, and what to do.
fn find(name: &str) -> Result<PathBuf, (String, &'static str)> {
    let advice = "name a program that this machine has, by its whole path";
    if !name.contains('/') {
        let places = PATH.split(':').map(|folder| Path::new(folder).join(name));
        return places
            .into_iter()
            .find(|path| is_executable(path) == Ok(true))
            .ok_or_else(|| (format!("the program {name:?}, which is in no folder of {PATH}"), advice));
    }
    if !name.starts_with('/') {
        return Err((format!("the program {name:?}, a path from a folder that a tenant is not in"), advice));
    }
    let path = PathBuf::from(name);
    match is_executable(&path) {
        Ok(true) => Ok(path),
        Ok(false) => Err((
            format!("the program {name:?}, which is no executable file"),
            "name a program, or make it one (chmod +x)",
        )),
        Err(error) => Err((format!("the program {name:?}: {error}"), advice)),
    }
}

fn is_executable(path: &Path) -> Result<bool, String> {
    let about = fs::metadata(path).map_err(|error| error.to_string())?;
    Ok(about.is_file() && about.permissions().mode() & 0o111 != 0)
}

/// The words of a program's call, its file in the place of its name; the name where there is none, which then fails.
pub(crate) fn resolved(argv: &[String]) -> Vec<String> {
    let Some((name, arguments)) = argv.split_first() else { return Vec::new() };
    let path = find(name).map_or(name.clone(), |path| path.to_string_lossy().into_owned());
    std::iter::once(path).chain(arguments.iter().cloned()).collect()
}

/// Whether a tenant's programs are those of its image.
pub(crate) fn is_in_image(plan: &Plan, platform: Platform, tenant: &Tenant) -> bool {
    image::used(platform) == image::Use::Root && image::named(plan, tenant).is_some()
}

/// Refuses programs that are not there, and those that a platform has no place for. What an image has shows when it is started.
pub(crate) fn check(plan: &Plan, tenant: &Tenant, platform: Platform) -> Result<(), RunError> {
    let field = |name: &str| format!("tenant.{}.workload.{name}", tenant.name);
    for argv in all(&tenant.workload) {
        refuse(
            platform == Platform::Microvm,
            &field("kind"),
            "a program in a bare guest, which has no kernel to run it",
            "choose another platform, vm among them, or simulate",
        )?;
        if is_in_image(plan, platform, tenant) {
            continue;
        }
        let name = argv.first().map_or("", String::as_str);
        let path = match find(name) {
            Ok(path) => path,
            Err((what, advice)) => return refuse(true, &field("argv"), &what, advice),
        };
        let hidden = KERNELS.iter().any(|at| path.starts_with(at));
        let odd = name.contains(|c: char| c.is_whitespace() || c.is_control() || ODD.contains(c));
        for (wrong, why) in [
            (hidden, "which lies where a root of its own has the kernel's files"),
            (odd, "whose path has characters that have a meaning where mounts are told of"),
        ] {
            let wrong = wrong && platform::has_root(platform);
            refuse(wrong, &field("argv"), &format!("the program {name:?}, {why}"), "put it elsewhere")?;
        }
    }
    Ok(())
}

/// A tenant's program as one word of a shell line, where it has one whose words can be told apart by spaces alone.
pub(crate) fn typed(tenant: &Tenant) -> Option<String> {
    let argv = resolved(all(&tenant.workload).next()?);
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._,-@:=+%".contains(c);
    let fits = argv.iter().all(|word| !word.is_empty() && word.chars().all(plain));
    fits.then(|| argv.join(" "))
}

/// What of the machine is shown, read-only and at the same place, in the root of a tenant's own: the folders of its programs and
/// their libraries, and the program where it is in none of them. Nothing where the root is the machine's, or no program is run.
pub(crate) fn shown(plan: &Plan, tenant: &Tenant, platform: Platform) -> Vec<PathBuf> {
    let needs_none = !platform::has_root(platform) || !is_one(&tenant.workload);
    if needs_none || is_in_image(plan, platform, tenant) {
        return Vec::new();
    }
    let besides = BESIDES.iter().map(PathBuf::from).filter(|path| path.exists());
    let mut shown: Vec<PathBuf> = root_by_hand::programs().into_iter().chain(besides).collect();
    for argv in all(&tenant.workload) {
        let path = argv.first().and_then(|name| find(name).ok());
        shown.extend(path.filter(|path| !shown.iter().any(|folder| path.starts_with(folder))));
    }
    shown
}

/// Whether there is a program on a tape.
pub(crate) fn has_one(tape: &Tape) -> bool {
    Words::all(tape).next().is_some()
}

/// Whether a program of the tape was begun and nothing comes after it, so that its end is its worker's.
pub(crate) fn was_begun(tape: &Tape) -> bool {
    Words::all(tape).last().is_some_and(|words| words.asked_ns().is_some())
}

/// Whether a tenant is a program, from its first phase on, that could not be started.
pub(crate) fn was_never_there(tape: &Tape) -> bool {
    let layout = tape.layout();
    let first = (layout.phases > 0).then(|| layout.phase(0));
    let is_program = |at: &usize| tape.get(at + phase::KIND) == phase::PROGRAM;
    first.filter(is_program).is_some_and(|at| Words::at(tape, at).was_never_there())
}

/// Whether a program was ready, and is.
pub(crate) fn is_ready(tape: &Tape) -> bool {
    Words::all(tape).any(|words| words.ready_ns().is_some() && words.end().is_none_or(|end| end.stopped))
}

/// How a program was ended from outside, in the words in which a launcher tells of its tenant's end.
pub(crate) fn killed(tape: &Tape) -> Option<String> {
    let ends = Words::all(tape).filter_map(Words::end).filter(|end| !end.stopped);
    ends.filter(|end| end.signal().is_some()).last().map(|end| end.words())
}

/// The stage from the word to start a program to the probe's answer, after those of its worker: what lies between the two is the
/// wait for the common start.
pub(crate) fn stage(tape: &Tape, startup_s: Option<f64>) -> Option<StageRow> {
    let words = Words::all(tape).next()?;
    let ready_s = words.ready_ns()?.checked_sub(words.asked_ns()?)? as f64 / 1e9;
    let start_s = startup_s?;
    Some(StageRow::measured("ready", "probe", start_s, start_s + ready_s))
}

/// CPU time of the tape's programs, once all are gone (ns); none while that is not known.
fn cpu_ns(tape: &Tape) -> Option<u64> {
    Words::all(tape).map(Words::cpu_ns).last().flatten()
}

/// Puts right what is counted otherwise where the tenant is a program, and says why what is not known is not. `grouped`: its CPU time
/// is that of a group; `tapes`: those of its lives.
pub(crate) fn amend(row: &mut TenantReport, plan: &Tenant, tapes: &[&Tape], grouped: bool) {
    if !is_one(&plan.workload) {
        return;
    }
    row.startup_stages.extend(tapes.first().and_then(|tape| stage(tape, row.startup_s)));
    row.waited_s = None;
    row.explain_absence(
        "waited_s",
        "the kernel counts run-queue wait by thread, and forgets it with the thread; a program may have any",
    );
    (row.disk_bytes, row.network_bytes) = (None, None);
    row.explain_absence("disk_bytes", "a program moves bytes by itself, and nobody counts them");
    row.explain_absence("network_bytes", "a program moves bytes by itself, and nobody counts them");
    if !grouped {
        let programs_ns: Option<u64> = tapes.iter().map(|tape| cpu_ns(tape)).sum();
        row.cpu_s = row.cpu_s.zip(programs_ns).map(|(own_s, ns)| own_s + ns as f64 / 1e9);
        if row.cpu_s.is_none() {
            row.explain_absence(
                "cpu_s",
                "no control group counts it, and its processes were not all waited for",
            );
        }
    }
    if let (Some(error), Some(said)) = (&mut row.error, tapes.last().and_then(|tape| last_words(tape))) {
        error.push_str(&format!("; it said last: {said}"));
    }
}

/// The last lines that a tape's programs said, fit for one line of a terminal.
fn last_words(tape: &Tape) -> Option<String> {
    let shown =
        |line: &str| -> String { line.trim().chars().filter(|c| !c.is_control()).take(TAIL_WIDTH).collect() };
    let said = Words::all(tape).map(Words::said).last()?;
    let lines: Vec<String> = said.lines().map(shown).filter(|line| !line.is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(TAIL_LINES)..).unwrap_or_default();
    (!last.is_empty()).then(|| last.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_as_a_shell_would_find_it() {
        assert_eq!(find("/bin/sh"), Ok("/bin/sh".into()));
        assert!(find("sh").is_ok_and(|path| path.ends_with("sh") && path.is_absolute()));
        for (name, expected) in [
            ("no-such-program", "in no folder of"),
            ("/no/such/program", "No such file"),
            ("/etc/passwd", "no executable file"),
            ("/usr", "no executable file"),
            ("./here", "a path from a folder"),
            ("a/b", "a path from a folder"),
        ] {
            let (what, advice) = find(name).expect_err(name);
            assert!(what.contains(expected) && what.contains(name) && !advice.is_empty(), "{what}; {advice}");
        }
    }
}
