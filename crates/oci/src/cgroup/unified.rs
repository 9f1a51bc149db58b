//! `linux.resources.unified`: files of version 2 and what to write to them, whatever they are.

use std::collections::HashMap;

use super::Manager;
use super::apply::Control;
use crate::Problem;

/// Files that move, end or stop processes instead of setting anything, or make a group of which nobody can be born or put.
const NO_SETTINGS: [&str; 5] =
    ["cgroup.procs", "cgroup.threads", "cgroup.kill", "cgroup.freeze", "cgroup.type"];

pub(super) fn apply(manager: &Manager, files: &HashMap<String, String>) -> Result<(), Problem> {
    // In the order of their names, so that twice the same leads to the same.
    let mut files: Vec<_> = files.iter().collect();
    files.sort();
    for (file, value) in files {
        let at = format!("linux.resources.unified[{file:?}]");
        let Some(controller) = controller(file) else {
            let accepted = "CONTROLLER.PARAMETER, such as memory.high: the name of a file in a control group";
            return Err(Problem::config(&at, format!("{file:?}"), accepted));
        };
        if NO_SETTINGS.contains(&file.as_str()) {
            return Err(Problem::config(&at, format!("{file:?}"), "a file that sets something"));
        }
        if !manager.is_v2_only() {
            let accepted = "control groups version 2 only, and this machine has controllers in version 1";
            return Err(Problem::config(&at, format!("{value:?}"), accepted));
        }
        let control = match (controller, manager.groups.first()) {
            ("cgroup", Some(group)) => Control::of(group, &at)?,
            _ => manager.controller(controller, &at)?,
        };
        // The kernel takes one line at a time.
        for line in value.lines() {
            control.set(&at, file, line)?;
        }
    }
    Ok(())
}

/// `memory` of `memory.high`.
fn controller(file: &str) -> Option<&str> {
    let plain = file.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let (controller, parameter) = file.split_once('.')?;
    (plain && !controller.is_empty() && !parameter.is_empty()).then_some(controller)
}

#[cfg(test)]
mod tests {
    use super::controller;

    #[test]
    fn only_names_of_files_in_a_group_are_taken() {
        assert_eq!(controller("hugetlb.1GB.max"), Some("hugetlb"));
        assert_eq!(controller("cgroup.max.depth"), Some("cgroup"));
        for file in [
            "",
            "memory",
            ".high",
            "memory.",
            "../memory.high",
            "x/memory.high",
            "memory.high\0",
            "..",
            "a.b c",
        ] {
            assert_eq!(controller(file), None, "{file:?}");
        }
    }
}
