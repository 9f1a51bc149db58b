//! Who starts a tenant, and by which system calls: the chains of actors that the simulator has and the page draws, against what strace
//! sees of runs by whatever is installed here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::common::run;
use crate::strace::{Call, calls, missing};

const PLATFORMS: [&str; 8] = ["container", "runc", "crun", "youki", "lxc", "podman", "containerd", "docker"];
const CALLS: &str =
    "execve,execveat,clone,clone3,fork,vfork,unshare,mount,move_mount,pivot_root,capset,seccomp,prctl";
/// Stages of a chain that a native run does not go through: nothing is pulled, there are no pods, the engines' own networks are left out but
/// for docker's hook, and the tenant is LXC's init.
const LEFT_OUT: [(&str, &[&str]); 3] = [
    ("lxc", &["network", "services"]),
    ("podman", &["network"]),
    ("containerd", &["sandbox", "network", "pause"]),
];
/// The file of an actor's program, or what it calls itself, where that is not the actor's name.
const PROGRAMS: [(&str, &str); 4] = [
    ("containerd-shim", "containerd-shim-runc-v2"),
    ("runc init", "runc:[2:INIT]"),
    ("youki intermediate", "youki:[1:INTER]"),
    ("youki init", "youki:[2:INIT]"),
];
const SCENARIO: &str = "schema = \"catamaran/scenario/v1\"\nname = \"start\"\nseed = 1\nduration = \"200ms\"\n\
                        platforms = [\"container\"]\nhost = { cores = 1, memory = \"256MiB\" }\n[[tenant]]\nname = \"idle\"\n\
                        cpu = { request = \"500m\", limit = \"500m\" }\nworkload = { kind = \"idle\" }\n";

/// What is remembered of a process.
#[derive(Debug, Clone, Default)]
struct Process {
    /// Whoever made it.
    maker: u32,
    /// Whose child it is: somebody else's, where its maker asked for that (`CLONE_PARENT`).
    parent: u32,
    /// The call that did.
    made_by: usize,
    /// The names that it had, one after the other, each with the call by which it got it.
    names: Vec<(usize, String)>,
}

/// The processes of a trace.
struct Tree {
    calls: Vec<Call>,
    /// Thread → process.
    threads: BTreeMap<u32, u32>,
    processes: BTreeMap<u32, Process>,
}

impl Tree {
    fn of(calls: Vec<Call>) -> Self {
        let mut tree = Self { calls: Vec::new(), threads: BTreeMap::new(), processes: BTreeMap::new() };
        for (number, call) in calls.iter().enumerate().filter(|(_, call)| call.succeeded()) {
            let process = *tree.threads.get(&call.pid).unwrap_or(&call.pid);
            match &*call.name {
                "clone" | "clone3" | "fork" | "vfork" => tree.grow(number, call, process),
                "execve" | "execveat" => tree.rename(number, process, program(&call.arguments)),
                "prctl" if call.arguments.starts_with("PR_SET_NAME") && call.pid == process => {
                    tree.rename(number, process, call.arguments.split('"').nth(1).map(str::to_owned));
                }
                _ => {}
            }
        }
        tree.calls = calls;
        tree
    }

    fn grow(&mut self, number: usize, call: &Call, maker: u32) {
        let Some(child) = made(&call.result) else { return };
        if call.arguments.contains("CLONE_THREAD") {
            self.threads.insert(child, maker);
            return;
        }
        let above = self.processes.get(&maker).map_or(0, |maker| maker.parent);
        let parent = if call
            .arguments
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .any(|flag| flag == "CLONE_PARENT")
        {
            above
        } else {
            maker
        };
        // What a child does may be written down before its maker's call is over.
        let process = self.processes.entry(child).or_default();
        (process.maker, process.parent, process.made_by) = (maker, parent, number);
    }

    /// A program that starts itself anew keeps its name.
    fn rename(&mut self, number: usize, process: u32, name: Option<String>) {
        let itself = |name: &String| name == "exe" || name.parse::<u32>().is_ok();
        if let Some(name) = name.filter(|name| !itself(name)) {
            self.processes.entry(process).or_default().names.push((number, name));
        }
    }

    /// The name that a process had when that call was made: its own last one, or its maker's.
    fn name_at(&self, process: u32, number: usize) -> &str {
        let Some(known) = self.processes.get(&process) else { return "" };
        match known.names.iter().rfind(|(at, _)| *at < number) {
            Some((_, name)) => name,
            None if known.maker != 0 => self.name_at(known.maker, known.made_by),
            None => "",
        }
    }

    /// The tenant's process: whoever becomes the worker last.
    fn tenant(&self) -> Option<(usize, u32)> {
        let is_worker = |call: &&Call| {
            call.name.starts_with("execve") && call.arguments.contains("catamaran-worker\", \"work")
        };
        let number = self.calls.iter().rposition(|call| call.succeeded() && is_worker(&call))?;
        Some((number, self.calls.get(number)?.pid))
    }

    /// Whose child is whose: (parent, child), by the names that they had as programs.
    fn children(&self) -> BTreeSet<(String, String)> {
        let pairs = self.processes.values().flat_map(|process| {
            let parent = self.name_at(process.parent, process.made_by).to_owned();
            process.names.iter().map(move |(_, name)| (parent.clone(), name.clone()))
        });
        pairs.collect()
    }

    /// When a program of that name first began after a call.
    fn begun(&self, name: &str, after: usize) -> Option<usize> {
        let begins = self.processes.values().flat_map(|process| &process.names);
        begins.filter(|(at, begun)| *at > after && begun == name).map(|(at, _)| *at).min()
    }
}

/// The number of a process that was made, in strace's own numbers.
fn made(result: &str) -> Option<u32> {
    let own = result.rsplit_once("/* ").map_or(result, |(_, own)| own);
    own.split_whitespace().next()?.parse().ok()
}

/// The file that is executed, or what it is told that it is called where it is given as a descriptor.
fn program(arguments: &str) -> Option<String> {
    let path = arguments.split('"').nth(1)?;
    let path = if path.is_empty() { arguments.split('"').nth(3)? } else { path };
    path.rsplit('/').next().map(str::to_owned)
}

/// A run of the scenario on a platform under strace; none where the platform is not to be had here.
fn trace(platform: &str) -> Option<(Tree, Value)> {
    let folder = tempfile::tempdir().unwrap();
    let (file, log) = (folder.path().join("start.toml"), folder.path().join("strace.log"));
    fs::write(&file, SCENARIO).unwrap();
    let output = Command::new("strace")
        .args(["-f", "-qq", "--seccomp-bpf", "--pidns-translation", "-s", "128", "-e", "signal=none", "-e"])
        .args([&format!("trace={CALLS}"), "-o"])
        .arg(&log)
        .arg(env!("CARGO_BIN_EXE_catamaran"))
        .args(["run", "--on", platform, "--json", "--quiet"])
        .arg(&file)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // "not available here" by the exit codes that are promised.
    if output.status.code() == Some(2) {
        println!("skipped: {platform}: {said}");
        return None;
    }
    assert!(output.status.success(), "{platform}: {said}");
    let reports: Value = serde_json::from_slice(&output.stdout).unwrap();
    Some((Tree::of(calls(&fs::read_to_string(log).unwrap())), reports[0].clone()))
}

fn simulated(platform: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("start.toml");
    fs::write(&file, SCENARIO).unwrap();
    let outcome = run(&["sim", "--on", platform, "--json", "--quiet", file.to_str().unwrap()]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    serde_json::from_str::<Value>(&outcome.stdout).unwrap()[0].clone()
}

/// Names and actors of the stages of the first tenant.
fn stages(report: &Value) -> Vec<(String, String)> {
    let text = |stage: &Value, field: &str| stage[field].as_str().unwrap_or_default().to_owned();
    let rows = report["tenants"][0]["startup_stages"].as_array().unwrap();
    rows.iter().map(|stage| (text(stage, "name"), text(stage, "actor"))).collect()
}

fn file_of(actor: &str) -> &str {
    PROGRAMS.iter().find(|(known, _)| *known == actor).map_or(actor, |(_, file)| file)
}

/// The tenant's own way: namespaces, mounts, the root turned, privileges taken away, the program.
fn check_calls(platform: &str, tree: &Tree) {
    let (program, tenant) = tree.tenant().unwrap_or_else(|| panic!("{platform}: no worker begins"));
    let process = &tree.processes[&tenant];
    let own = |is: &dyn Fn(&Call) -> bool| {
        let found = tree.calls.iter().enumerate();
        let found =
            found.filter(|(number, call)| *number < program && call.pid == tenant && call.succeeded());
        found.filter(|(_, call)| is(call)).map(|(number, _)| number).collect::<Vec<_>>()
    };
    let is = |names: &'static [&str]| move |call: &Call| names.contains(&&*call.name);
    let mounts = own(&is(&["mount", "move_mount"]));
    let turns = own(&is(&["pivot_root"]));
    let confines = own(&|call| {
        ["capset", "seccomp"].contains(&&*call.name)
            || call.name == "prctl"
                && ["PR_SET_SECCOMP", "PR_CAPBSET_DROP"].iter().any(|word| call.arguments.starts_with(word))
    });
    let [turn] = *turns else { panic!("{platform}: the root is turned {} times", turns.len()) };
    let first = *mounts.first().unwrap_or_else(|| panic!("{platform}: nothing is mounted"));
    let last = *confines.last().unwrap_or_else(|| panic!("{platform}: no privilege is taken away"));
    assert!(
        process.made_by < first && first < turn && turn < last,
        "{platform}: {process:?} {first} {turn} {last}"
    );
    // Made in new namespaces, by one who has got itself some for its children, or gets them itself before it mounts.
    let fresh = |call: &Call| call.succeeded() && call.arguments.contains("CLONE_NEWNS");
    let maker = |call: &Call| call.pid == process.maker && call.name == "unshare";
    let new = tree.calls.iter().take(first).enumerate().any(|(number, call)| {
        fresh(call)
            && (number == process.made_by || maker(call) || call.pid == tenant && call.name == "unshare")
    });
    assert!(new, "{platform}: it mounts in its maker's namespace");
}

/// Stages and actors as in the chain, and each actor's program begun in that order, by whom the simulator says.
fn check_actors(platform: &str, tree: &Tree, native: &Value) {
    let simulated = simulated(platform);
    let left_out = LEFT_OUT.iter().find(|(name, _)| *name == platform).map_or(&[][..], |(_, names)| *names);
    let chain: Vec<_> =
        stages(&simulated).into_iter().filter(|(name, _)| !left_out.contains(&&**name)).collect();
    let mut carried_out = stages(native);
    if platform == "containerd" {
        // Without pods it is `ctr` that asks, and there is no sandbox's shim to be asked for a task.
        assert_eq!(carried_out.remove(0), ("request".to_owned(), "ctr".to_owned()));
        let sorted = |mut stages: Vec<(String, String)>| {
            stages.sort();
            stages
        };
        assert_eq!(sorted(carried_out), sorted(chain.clone()), "{platform}");
    } else {
        assert_eq!(carried_out, chain, "{platform}");
    }
    let rows = native["tenants"][0]["startup_stages"].as_array().unwrap();
    if native["tenants"][0]["absent"].get("startup_stages").is_none() {
        let is_known = |row: &Value| {
            row["start_s"].as_f64().is_some() && row["start_s"].as_f64() <= row["end_s"].as_f64()
        };
        assert!(rows.iter().all(is_known), "{platform}: {rows:?}");
    }
    let processes = simulated["processes"].as_array().unwrap();
    let row = |actor: &str| processes.iter().find(|row| row["name"] == actor);
    let (children, (program, _)) = (tree.children(), tree.tenant().unwrap());
    let mut after = 0;
    let mut known = BTreeSet::new();
    for (_, actor) in stages(native).iter().filter(|(_, actor)| known.insert(actor.clone())) {
        let (file, row) = (file_of(actor), row(actor));
        // Whoever has no name of its own, and daemons, which were there before.
        let nameless = ["kernel", "lxc monitor", "container init"].contains(&&**actor);
        if nameless || row.is_some_and(|row| row["stays"] == "machine") {
            continue;
        }
        let begun = tree.begun(file, after);
        let begun =
            begun.unwrap_or_else(|| panic!("{platform}: {file} does not begin after those before it"));
        assert!(begun < program, "{platform}: {file} begins when the tenant runs");
        after = begun;
        let parent = row.and_then(|row| row["parent"].as_str()).unwrap_or("shell");
        if !["shell", "init"].contains(&parent) {
            let pair = (file_of(parent).to_owned(), file.to_owned());
            assert!(children.contains(&pair), "{platform}: {pair:?} is not among {children:?}");
        }
    }
}

#[test]
fn chains_are_as_the_kernel_sees_them() {
    if let Some(why) = missing() {
        println!("skipped: the chains of actors: {why}");
        return;
    }
    for platform in PLATFORMS {
        let Some((tree, native)) = trace(platform) else { continue };
        check_calls(platform, &tree);
        if platform != "container" {
            check_actors(platform, &tree, &native);
        }
    }
}

#[test]
fn a_tree_is_read_from_a_log() {
    let log = "10 execve(\"/usr/sbin/runc\", [\"runc\", \"run\"], 0x7f /* 9 vars */) = 0\n\
               10 clone(child_stack=NULL, flags=CLONE_VM|CLONE_THREAD) = 4 /* 11 in strace's PID NS */\n\
               11 clone(child_stack=NULL, flags=CLONE_VM|CLONE_VFORK|SIGCHLD <unfinished ...>\n\
               12 execve(\"/proc/self/exe\", [\"runc\", \"init\"], 0x7f /* 9 vars */) = 0\n\
               11 <... clone resumed>) = 5 /* 12 in strace's PID NS */\n\
               12 prctl(PR_SET_NAME, \"runc:[2:INIT]\") = 0\n\
               12 execve(\"/catamaran-worker\", [\"/catamaran-worker\", \"work\", \"1-2\"], 0x7f) = 0\n";
    let tree = Tree::of(calls(log));
    let pair = |parent: &str, child: &str| (parent.to_owned(), child.to_owned());
    let expected = [pair("", "runc"), pair("runc", "catamaran-worker"), pair("runc", "runc:[2:INIT]")];
    assert_eq!(tree.children(), BTreeSet::from(expected));
    assert_eq!((tree.tenant(), tree.begun("runc", 0)), (Some((5, 12)), None));
}
