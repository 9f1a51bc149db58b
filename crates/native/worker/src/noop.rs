//! A container whole, in one process: create, start, delete. What is run in it does nothing, so what it takes is what
//! containing takes. `cargo xtask bench-container` holds it against the same in other runtimes.

use std::ffi::CString;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use catamaran_worker::folder::{Folder, group_line, home};
use catamaran_worker::reap::reap;
use catamaran_worker::script::{Root, RootWay, Script, Step};

use crate::launch::own_program;
use crate::start::{Start, Whom};

/// Starts a program that does nothing by the script in the file at `path`, and removes all that was made; its exit code.
pub(crate) fn contain(path: &str) -> Result<i32, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))?;
    let mut script = Script::from_text(&text)?;
    let home = home();
    let mut folder = Folder::make(&home)
        .map_err(|error| format!("cannot make a run folder in {}: {error}", home.display()))?;
    script.root = Some(Root { at: folder.path.clone(), way: RootWay::Pivot });
    let groups: Vec<PathBuf> = script.limits.iter().filter_map(made).map(Path::to_owned).collect();
    let lines: String = groups.iter().map(|group| group_line(group)).collect();
    folder.register(&lines).map_err(|error| format!("cannot write the ledger: {error}"))?;
    let ended = start(&script);
    let removed = remove(&groups, &folder.path);
    let ended = ended?;
    removed?;
    ended.parse().map_err(|_| format!("it ended by {ended}"))
}

fn start(script: &Script) -> Result<String, String> {
    let program = own_program()?;
    let arguments: [CString; 2] = [c"catamaran-worker".into(), c"true".into()];
    let start = Start { script, program: &program, arguments: &arguments, for_whom: Whom::Oneself };
    reap(start.carry_out()?.as_fd())
}

fn made(step: &Step) -> Option<&Path> {
    match step {
        Step::Make(group) => Some(group),
        _ => None,
    }
}

fn remove(groups: &[PathBuf], folder: &Path) -> Result<(), String> {
    for group in groups.iter().rev() {
        std::fs::remove_dir(group)
            .map_err(|error| format!("cannot remove the control group {}: {error}", group.display()))?;
    }
    std::fs::remove_dir_all(folder).map_err(|error| format!("cannot remove {}: {error}", folder.display()))
}
