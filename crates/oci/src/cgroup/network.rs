//! `linux.resources.network`: the class and the priorities of what a container sends, which only version 1 has.

use oci_spec::runtime::LinuxNetwork;

use super::Manager;
use super::apply::{Control, ONLY_V1};
use crate::Problem;

const CLASS: &str = "linux.resources.network.classID";
const PRIORITIES: &str = "linux.resources.network.priorities";

pub(super) fn apply(manager: &Manager, network: &LinuxNetwork) -> Result<(), Problem> {
    let control = |name, at, value: String| match manager.v1(name) {
        Some(group) => Control::of(group, at),
        None if manager.is_v2_only() => Err(Problem::config(at, value, ONLY_V1)),
        None => Err(manager.missing(name, at)),
    };
    if let Some(class) = network.class_id().filter(|class| *class != 0) {
        control("net_cls", CLASS, class.to_string())?.set(CLASS, "net_cls.classid", class)?;
    }
    for priority in network.priorities().as_deref().unwrap_or_default() {
        let (name, priority) = (priority.name(), priority.priority());
        let line = format!("{name} {priority}");
        if name.is_empty() || name.contains(|letter: char| letter.is_whitespace() || letter == '/') {
            return Err(Problem::config(PRIORITIES, format!("{name:?}"), "the name of a network interface"));
        }
        control("net_prio", PRIORITIES, line.clone())?.set(PRIORITIES, "net_prio.ifpriomap", line)?;
    }
    Ok(())
}
