//! Who sees what at an instant, put in order for drawing: what stands outside, on the machine, and what each tenant sees.

use catamaran_report::timeline::View;

use super::Recording;

/// What is drawn of one resource, in this order.
pub const RESOURCES: [&str; 8] =
    ["process", "file", "mount", "host-name", "network", "user", "ipc", "cgroup"];

/// The things of one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Group<'a> {
    /// One of [`RESOURCES`].
    pub resource: &'static str,
    /// Its things that are there by now.
    pub things: Vec<&'a View>,
}

/// What a tenant sees and what is hidden from it, by resource. A resource of which it has its own comes with the machine's,
/// hidden.
#[must_use]
pub fn inside(recording: &Recording, tenant: u32, at_ns: u64) -> Vec<Group<'_>> {
    groups(recording, tenant, at_ns, |_| true)
}

/// What stands on the machine: the same things, told by the tenant that is asked first, without what is its own.
#[must_use]
pub fn outside(recording: &Recording, at_ns: u64) -> Vec<Group<'_>> {
    groups(recording, 0, at_ns, |view| view.resource == "process" || !view.own)
}

fn groups(recording: &Recording, tenant: u32, at_ns: u64, keep: impl Fn(&View) -> bool) -> Vec<Group<'_>> {
    let views = &recording.timeline.views;
    let of = |resource: &'static str| {
        let is_there =
            |view: &&View| view.tenant == tenant && view.resource == resource && view.born_ns <= at_ns;
        Group { resource, things: views.iter().filter(is_there).filter(|view| keep(view)).collect() }
    };
    RESOURCES.into_iter().map(of).collect()
}

/// How many processes are there, how many of them the tenant lists, and how many it can reach.
#[must_use]
pub fn processes(recording: &Recording, tenant: u32, at_ns: u64) -> (usize, usize, usize) {
    let all = inside(recording, tenant, at_ns).into_iter().filter(|group| group.resource == "process");
    let all: Vec<&View> = all.flat_map(|group| group.things).collect();
    let seen = all.iter().filter(|view| view.seen).count();
    (all.len(), seen, all.iter().filter(|view| view.reach == Some(true)).count())
}

/// Whether a tenant is there by now.
#[must_use]
pub fn is_there(recording: &Recording, tenant: u32, at_ns: u64) -> bool {
    let own = |view: &&View| view.tenant == tenant && view.own && view.resource == "process";
    recording.timeline.views.iter().find(own).is_some_and(|view| view.born_ns <= at_ns)
}

#[cfg(test)]
mod tests {
    use catamaran_report::timeline::Timeline;

    use super::*;
    use crate::picture::tests_support::report;

    fn view(tenant: u32, resource: &str, own: bool, seen: bool, born_ns: u64) -> View {
        let process = resource == "process";
        View {
            tenant,
            resource: resource.to_owned(),
            thing: String::new(),
            own,
            seen,
            name: None,
            reach: process.then_some(seen),
            born_ns,
        }
    }

    #[test]
    fn processes_are_there_once_they_are_started() {
        let views = vec![
            view(0, "process", false, false, 0),
            view(0, "process", true, true, 10),
            view(0, "process", false, false, 30),
            view(0, "network", false, false, 0),
            view(0, "network", true, true, 0),
            view(1, "process", true, true, 30),
        ];
        let film = Recording::new(report(), Timeline { views, ..Timeline::default() });
        assert_eq!(processes(&film, 0, 0), (1, 0, 0));
        assert_eq!(processes(&film, 0, 10), (2, 1, 1));
        assert_eq!(processes(&film, 0, 30), (3, 1, 1));
        assert_eq!([9, 10].map(|at_ns| is_there(&film, 0, at_ns)), [false, true]);
        assert_eq!(film.next_change(10, 1), Some(30));
        let count =
            |groups: Vec<Group<'_>>| groups.iter().map(|group| group.things.len()).collect::<Vec<_>>();
        assert_eq!(count(inside(&film, 0, 30)), [3, 0, 0, 0, 2, 0, 0, 0]);
        assert_eq!(count(outside(&film, 30)), [3, 0, 0, 0, 1, 0, 0, 0]);
    }
}
