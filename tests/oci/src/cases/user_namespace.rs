//! User namespaces and what they map.

use std::fs;

use serde_json::json;

use crate::bed::Bed;
use crate::check::{equal, holds};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "user_namespace", cases: CASES };

/// The id outside that is 0 inside.
const FIRST: u32 = 100_000;

/// A user namespace in which 0 is [`FIRST`] outside.
pub(super) fn mapped(bed: &mut Bed) {
    let map = json!([{ "containerID": 0, "hostID": FIRST, "size": 65536 }]);
    bed.namespace(json!({ "type": "user" }));
    bed.set(json!({ "linux": { "uidMappings": map, "gidMappings": map } }));
}

const CASES: &[Case] = &[
    case("it_is_new", "config-linux.md#namespaces: user: without a path it is new", |bed| {
        let own = fs::read_link("/proc/self/ns/user")?.to_string_lossy().into_owned();
        mapped(bed);
        let seen = bed.seen()?;
        holds("another than the runtime's", seen["namespaces"]["user"] != own.as_str())
    }),
    case(
        "the_maps_are_those_of_the_configuration",
        "config-linux.md#user-namespace-mappings: containerID, hostID, size",
        |bed| {
            mapped(bed);
            let seen = bed.seen()?;
            equal("uid_map", &seen["uid_map"], &json!([[0, FIRST, 65536]]))?;
            equal("gid_map", &seen["gid_map"], &json!([[0, FIRST, 65536]]))
        },
    ),
    case("several_ranges", "config-linux.md#user-namespace-mappings: a list of ranges", |bed| {
        let map = json!([{ "containerID": 0, "hostID": FIRST, "size": 10 }, { "containerID": 1000, "hostID": 200_000, "size": 5 }]);
        mapped(bed);
        bed.set(json!({ "linux": { "uidMappings": map, "gidMappings": map } }));
        equal("uid_map", &bed.seen()?["uid_map"], &json!([[0, FIRST, 10], [1000, 200_000, 5]]))
    }),
    case("the_user_is_mapped", "config.md#user: uid in the container namespace", |bed| {
        mapped(bed);
        bed.set(json!({ "process": { "user": { "uid": 7, "gid": 8 } } }));
        bed.up()?;
        let status = fs::read_to_string(format!("/proc/{}/status", bed.pid()?))?;
        let id = |name: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .and_then(|line| line.split_whitespace().next())
                .map(str::to_owned)
        };
        equal("uid outside", id("Uid:"), Some((FIRST + 7).to_string()))?;
        equal("gid outside", id("Gid:"), Some((FIRST + 8).to_string()))
    }),
    case(
        "root_inside_is_nobody_outside",
        "config-linux.md#user-namespace-mappings: ids from the host to the container",
        |bed| {
            fs::write(bed.file("secret"), "x")?;
            // Who is nobody outside can't make the place for it either.
            fs::write(bed.inside("tmp/secret"), "")?;
            fs::set_permissions(bed.file("secret"), std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
            mapped(bed);
            bed.bind("secret", "/tmp/secret", &["bind"]);
            let answers = bed.ask(&["see", "read /tmp/secret"])?;
            equal("uid inside", &answers[0]["uid"], 0)?;
            equal("reading a file of the host's root (EACCES)", &answers[1], 13)
        },
    ),
    case("groups_may_be_set", "config.md#user: additionalGids are in the container namespace", |bed| {
        mapped(bed);
        bed.set(json!({ "process": { "user": { "uid": 0, "gid": 0, "additionalGids": [3, 4] } } }));
        let seen = bed.seen()?;
        let groups = seen["groups"].as_array().cloned().unwrap_or_default();
        holds(
            &format!("3 and 4 are among {groups:?}"),
            [3, 4].iter().all(|group| groups.iter().any(|one| one == group)),
        )
    }),
    case("capabilities_hold_inside", "config.md#linux-process: capabilities are of the namespace", |bed| {
        let sets = ["CAP_SYS_ADMIN", "CAP_CHOWN"];
        mapped(bed);
        bed.set(json!({ "process": { "capabilities": { "bounding": sets, "effective": sets, "permitted": sets } } }));
        bed.mount(json!({ "destination": "/tmp", "type": "tmpfs", "source": "tmpfs" }));
        let answers = bed.ask(&["sethostname inside", "mkdir /tmp/place", "mount-tmpfs /tmp/place"])?;
        equal("sethostname", &answers[0], &json!(null))?;
        equal("mount", &answers[2], &json!(null))
    }),
    case(
        "default_devices_are_there",
        "config-linux.md#default-devices: must be supplied in user namespaces too",
        |bed| {
            mapped(bed);
            let answers = bed.ask(&["open rw /dev/null", "open r /dev/zero", "open r /dev/urandom"])?;
            equal("opening them", answers, json!([null, null, null]))
        },
    ),
    case("by_path", "config-linux.md#namespaces: must be placed in the namespace of path", |bed| {
        mapped(bed);
        bed.up()?;
        let path = format!("/proc/{}/ns/user", bed.pid()?);
        let first = fs::read_link(&path)?;
        bed.without_namespace("user");
        bed.namespace(json!({ "type": "user", "path": path }));
        let second = format!("{}-b", bed.id);
        bed.set(json!({ "linux": { "cgroupsPath": format!("/{second}"), "uidMappings": null, "gidMappings": null } }));
        bed.create_as(&second)?;
        let said = bed.must(&["state", &second])?;
        let state: serde_json::Value = serde_json::from_str(&said.out)?;
        let joined = fs::read_link(format!("/proc/{}/ns/user", state["pid"]))?;
        bed.must(&["delete", "--force", &second])?;
        equal("user namespace", joined, first)
    }),
];
