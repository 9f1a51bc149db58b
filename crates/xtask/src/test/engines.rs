//! Container engines of this machine on cgroup v2, in a guest: there they find nothing but themselves.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::Run;
use super::build::build_of;
use super::guest::{in_guest, stripped};
use crate::shell::Workspace;

/// The programs of each engine that the native runner knows, with those that they start.
const ENGINES: [(&str, &[&str]); 4] = [
    ("podman", &["podman", "conmon", "crun"]),
    ("containerd", &["containerd", "containerd-shim-runc-v2", "ctr", "runc"]),
    ("docker", &["dockerd", "docker", "containerd", "containerd-shim-runc-v2", "runc"]),
    ("lxc", &["lxc-start"]),
];

/// Where LXC mounts the root of a container before it is that (`lxc.rootfs.mount` of `lxc.container.conf(5)` as Debian builds it).
const LXC_ROOT: &str = "/usr/lib/x86_64-linux-gnu/lxc/rootfs/README";
/// Whose signatures podman wants to see on an image: nobody's (`containers-policy.json(5)`).
const POLICY: &str = "{\"default\": [{\"type\": \"insecureAcceptAnything\"}]}\n";
/// Who there is; engines look up whom they are and whose their sockets are to be.
const USERS: [(&str, &str); 2] = [
    ("/etc/passwd", "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"),
    ("/etc/group", "root:x:0:\nnogroup:x:65534:\n"),
];
/// Where the guest's programs are, those on a disk too.
const PATH: &str = "/usr/local/bin:/bin";
/// What LXC's and containers' ends are looked for with, beside what every guest has.
const TOOLS: [&str; 1] = ["cat"];

/// The file of tests, in the group in which a run finds all controllers.
const TESTS: &str = "engines_v2";
/// Longest time of all of them (s): several times what they take on two idle cores, where everything is emulated.
const SECONDS: u64 = 480;
/// Longest life of the guest.
const PATIENCE: Duration = Duration::from_secs(SECONDS + 60);

/// Boots a guest with every engine that is installed here; one that is not is a test that was skipped.
pub(super) fn engines_v2(run: &mut Run) -> Result<()> {
    let programs = build_of(run.workspace, &["--test", TESTS], run.until)?;
    let tests = programs.first().context("cargo did not build the tests")?.executable.clone();
    let mut cargo = run.workspace.cargo(["build", "--workspace", "--example", "v2_guest", "--locked"]);
    run.check("the guest's first process builds", &mut cargo)?;
    let mut here = Vec::new();
    for (engine, programs) in ENGINES {
        match programs.iter().find(|program| run.workspace.find(program).is_none()) {
            None => here.push((engine, programs)),
            Some(missing) => {
                run.tally.line(&format!("test {engine} on cgroup v2 ... ignored, {missing} is not on PATH"));
            }
        }
    }
    in_guest(run, "engines-v2", &[], PATIENCE, |run, folder, image| {
        let place = format!("/tests/{TESTS}");
        stripped(run.workspace, &tests, folder, &place, image)?;
        for program in here.iter().flat_map(|(_, programs)| *programs) {
            image.program_on_disk(run.workspace, &found(run.workspace, program)?, program);
        }
        for tool in TOOLS {
            image.program(run.workspace, &found(run.workspace, tool)?, &format!("/bin/{tool}"))?;
        }
        // Of Debian's packages only that of LXC brings a folder in /var/lib.
        image.file("/var/lib/lxc/README", b"a folder\n".to_vec());
        image.file(LXC_ROOT, b"a folder\n".to_vec());
        image.file("/etc/containers/policy.json", POLICY.into());
        USERS.into_iter().for_each(|(file, text)| image.file(file, text.into()));
        let names: Vec<&str> = here.iter().map(|(engine, _)| *engine).collect();
        Ok(format!("{SECONDS} alone PATH={PATH} CATAMARAN_ENGINES={} {place}\n", names.join(",")))
    })
}

fn found(workspace: &Workspace, program: &str) -> Result<std::path::PathBuf> {
    let file = workspace.find(program).with_context(|| format!("{program} is not on PATH"))?;
    Ok(file.canonicalize()?)
}
