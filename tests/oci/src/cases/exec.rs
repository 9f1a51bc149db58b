//! Further processes in a running container.

use std::fs;

use serde_json::json;

use crate::check::{equal, holds, lists};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "exec", cases: CASES };

const CASES: &[Case] = &[
    case("in_the_namespaces_of_the_container", "runc#exec: the process is in the container", |bed| {
        bed.namespace(json!({ "type": "network" }));
        bed.namespace(json!({ "type": "cgroup" }));
        bed.up()?;
        let pid = bed.pid()?;
        let seen = bed.exec(&[], &["see"])?[0].take();
        for kind in ["pid", "ipc", "uts", "mnt", "net", "cgroup"] {
            let link = fs::read_link(format!("/proc/{pid}/ns/{kind}"))?;
            equal(kind, &seen["namespaces"][kind], link.to_string_lossy().as_ref())?;
        }
        Ok(())
    }),
    case("in_the_user_namespace_of_the_container", "runc#exec: the process is in the container", |bed| {
        super::user_namespace::mapped(bed);
        bed.up()?;
        let seen = bed.exec(&[], &["see"])?[0].take();
        equal("uid_map", &seen["uid_map"], &json!([[0, 100_000, 65536]]))?;
        equal("uid", &seen["uid"], 0)
    }),
    case(
        "in_the_control_groups_of_the_container",
        "runc#exec: the process is under the container's limits",
        |bed| {
            bed.up()?;
            let seen = bed.exec(&[], &["see"])?[0].take();
            let text = seen["cgroup"].as_str().unwrap_or_default();
            let of = text
                .lines()
                .find(|line| line.contains(":pids:") || (bed.host.is_v2() && line.starts_with("0::")));
            holds(&format!("{of:?} is of the container"), of.is_some_and(|line| line.contains(&bed.id)))
        },
    ),
    case("in_a_group_below", "runc#exec: --cgroup is a group below the container's that is there", |bed| {
        bed.up()?;
        let pid = bed.pid()?;
        let below = bed.host.group(pid, "pids")?.join("below");
        fs::create_dir(&below)?;
        let word = if bed.host.is_v2() { "below" } else { "pids:below" };
        let seen = bed.exec(&["--cgroup", word], &["see"]);
        let refused = ["..", "nowhere", "dreams:/"].map(|word| {
            let id = bed.id.clone();
            bed.must_not(&["exec", "--cgroup", word, &id, "/probe", "exit", "0"]).map(drop)
        });
        fs::remove_dir(&below)?;
        let text = seen?[0]["cgroup"].take();
        let text = text.as_str().unwrap_or_default();
        holds(&format!("it is there: {text}"), text.lines().any(|line| line.ends_with("/below")))?;
        refused.into_iter().collect()
    }),
    case("the_status_is_the_program_s", "runc#exec: it ends with the program's exit status", |bed| {
        bed.up()?;
        let id = bed.id.clone();
        equal("exit status", bed.call(&["exec", &id, "/probe", "exit", "43"])?.code, 43)
    }),
    case(
        "variables_of_the_container_and_more",
        "runc#exec: --env adds to the container's variables",
        |bed| {
            bed.set(json!({ "process": { "env": ["PATH=/", "OF=container"] } }));
            bed.up()?;
            let seen = bed.exec(&["--env", "MORE=a=b"], &["see"])?[0].take();
            lists("env", &seen["env"], "OF=container")?;
            lists("env", &seen["env"], "MORE=a=b")
        },
    ),
    case("another_folder", "runc#exec: --cwd is the working directory", |bed| {
        bed.up()?;
        equal("cwd", &bed.exec(&["--cwd", "/tmp"], &["see"])?[0]["cwd"], "/tmp")
    }),
    case("another_user", "runc#exec: --user UID:GID", |bed| {
        bed.up()?;
        let seen = bed.exec(&["--user", "1000:1001"], &["see"])?[0].take();
        equal("ids", (&seen["uid"], &seen["gid"]), (&json!(1000), &json!(1001)))
    }),
    case("a_process_of_its_own", "runc#exec: --process is a process of config.json", |bed| {
        bed.up()?;
        let process = json!({ "user": { "uid": 5, "gid": 6, "additionalGids": [7] }, "cwd": "/tmp",
            "args": ["/probe", "see"], "env": ["ONLY=this"], "noNewPrivileges": true,
            "capabilities": { "bounding": ["CAP_KILL"], "effective": [], "permitted": [] },
            "rlimits": [{ "type": "RLIMIT_FSIZE", "soft": 4096, "hard": 8192 }] });
        fs::write(bed.file("process.json"), process.to_string())?;
        let (id, file) = (bed.id.clone(), bed.place("process.json"));
        let said = bed.must(&["exec", "--process", &file, &id])?;
        let seen = crate::bed::answers(&said.out)?[0].take();
        equal("ids", (&seen["uid"], &seen["gid"]), (&json!(5), &json!(6)))?;
        equal("cwd", &seen["cwd"], "/tmp")?;
        lists("env", &seen["env"], "ONLY=this")?;
        equal("NoNewPrivs", &seen["status"]["NoNewPrivs"], "1")?;
        equal("CapBnd", &seen["status"]["CapBnd"], "0000000000000020")?;
        equal("Max file size", &seen["limits"]["Max file size"], &json!(["4096", "8192"]))
    }),
    case("a_mask_of_its_own", "config.md#user: umask is the mask of the process", |bed| {
        bed.up()?;
        let process =
            json!({ "user": { "uid": 0, "gid": 0, "umask": 0o077 }, "cwd": "/", "args": ["/probe", "see"] });
        fs::write(bed.file("process.json"), process.to_string())?;
        let (id, file) = (bed.id.clone(), bed.place("process.json"));
        let said = bed.must(&["exec", "--process", &file, &id])?;
        equal("umask", &crate::bed::answers(&said.out)?[0]["status"]["Umask"], "0077")
    }),
    case("capabilities_of_the_container", "runc#exec: what is not given is the container's", |bed| {
        let two = ["CAP_CHOWN", "CAP_KILL"];
        bed.set(
            json!({ "process": { "capabilities": { "bounding": two, "effective": two, "permitted": two } } }),
        );
        bed.up()?;
        let seen = bed.exec(&[], &["see"])?[0].take();
        equal("CapBnd", &seen["status"]["CapBnd"], "0000000000000021")?;
        equal("CapEff", &seen["status"]["CapEff"], "0000000000000021")
    }),
    case("one_capability_more", "runc#exec: --cap adds one", |bed| {
        bed.up()?;
        let seen = bed.exec(&["--cap", "CAP_NET_RAW"], &["see"])?[0].take();
        let bits = u64::from_str_radix(seen["status"]["CapBnd"].as_str().unwrap_or_default(), 16)
            .unwrap_or_default();
        holds(&format!("bit 13 of {bits:x}"), bits & (1 << 13) != 0)
    }),
    case(
        "the_filter_of_the_container",
        "runc#exec: the process is under the container's seccomp filter",
        |bed| {
            bed.set(json!({ "linux": { "seccomp": { "defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{ "names": ["getpriority"], "action": "SCMP_ACT_ERRNO", "errnoRet": 66 }] } } }));
            bed.up()?;
            equal("getpriority", &bed.exec(&[], &["getpriority"])?[0], 66)
        },
    ),
    case(
        "no_further_descriptors",
        "runtime-linux.md#file-descriptors: others than 0, 1 and 2 must not be leaked",
        |bed| {
            bed.up()?;
            let seen = bed.exec(&[], &["see"])?[0].take();
            let names: Vec<String> = seen["descriptors"]
                .as_object()
                .map(|list| list.keys().cloned().collect())
                .unwrap_or_default();
            equal("descriptors", names, vec!["0".to_owned(), "1".to_owned(), "2".to_owned()])
        },
    ),
    case("detached", "runc#exec: with --detach it returns, --pid-file gets the number", |bed| {
        bed.up()?;
        let (id, file) = (bed.id.clone(), bed.place("exec.pid"));
        bed.must(&["exec", "--detach", "--pid-file", &file, &id, "/probe", "wait"])?;
        let pid = fs::read_to_string(bed.file("exec.pid"))?;
        let own = fs::read_link(format!("/proc/{}/ns/pid", bed.pid()?))?;
        equal("PID namespace", fs::read_link(format!("/proc/{pid}/ns/pid"))?, own)
    }),
    case("a_terminal", "runc#exec: --tty with --console-socket", |bed| {
        bed.up()?;
        let socket = crate::socket::Socket::at(&bed.file("exec.sock"))?;
        let (id, place) = (bed.id.clone(), bed.place("exec.sock"));
        bed.must(&["exec", "--tty", "--detach", "--console-socket", &place, &id, "/probe", "wait"])?;
        let message = socket.message()?;
        let terminal = message.descriptors.first();
        holds("a terminal came", terminal.is_some_and(rustix::termios::isatty))
    }),
    case("no_such_program", "runc#exec: what can't be started is an error", |bed| {
        bed.up()?;
        let id = bed.id.clone();
        bed.must_not(&["exec", &id, "/nowhere"])?;
        equal("status", bed.state()?["status"].take(), "running")
    }),
    case("no_program", "runc#exec: without arguments it is an error", |bed| {
        bed.up()?;
        let id = bed.id.clone();
        bed.must_not(&["exec", &id]).map(drop)
    }),
    case("not_in_a_stopped_container", "runc#exec: the container must be there to be entered", |bed| {
        bed.up()?;
        bed.stop()?;
        let id = bed.id.clone();
        bed.must_not(&["exec", &id, "/probe", "exit", "0"]).map(drop)
    }),
    case("not_in_one_that_is_not_there", "runc#exec: without an id of a container it is an error", |bed| {
        bed.must_not(&["exec", "nobody", "/probe", "exit", "0"]).map(drop)
    }),
    case("it_ends_without_the_container", "runc#exec: the container goes on", |bed| {
        bed.up()?;
        bed.exec(&[], &["see"])?;
        equal("status", bed.state()?["status"].take(), "running")
    }),
];
