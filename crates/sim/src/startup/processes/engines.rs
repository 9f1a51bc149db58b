//! Processes of the engines for people: LXC, Docker, Podman, rkt.

use catamaran_report::process::{INIT, PROGRAM, RunsAs, SHELL};

use super::{Row, program, runtime};

/// **Source.** lxc `src/lxc/start.c` (`do_start`: `lxc_set_death_signal(SIGKILL, …)`), `tools/lxc_start.c` (`--daemon`).
pub(super) fn lxc(user: RunsAs) -> Vec<Row> {
    vec![
        Row::start("lxc-start", SHELL, user),
        Row::beside("lxc monitor", INIT, user).kills(&["container init", PROGRAM]),
        Row::beside("container init", "lxc monitor", user).kills(&[PROGRAM]),
        program("container init", user),
    ]
}

/// **Source.** containerd `docs/getting-started.md`, `containerd.service` (`KillMode=process`), `core/runtime/v2/shim.go`
/// (`cleanupAfterDeadShim`), "Container lifecycle" (shims are re-parented); Docker docs "Live restore" (by default the
/// daemon shuts containers down when it terminates).
pub(super) fn docker(oci: &str) -> Vec<Row> {
    let mut rows = vec![
        Row::start("docker", SHELL, RunsAs::User),
        Row::daemon("dockerd", RunsAs::Root).kills(&[]).stops(&["containerd-shim", PROGRAM]),
        Row::daemon("containerd", RunsAs::Root).kills(&[]).stops(&[]),
        Row::beside("containerd-shim", INIT, RunsAs::Root).kills(&[PROGRAM]),
    ];
    rows.extend(runtime(oci, "containerd-shim", RunsAs::Root));
    rows.push(program("containerd-shim", RunsAs::Root));
    rows
}

/// Whether the containers outlive the whole tree when it is killed, no source says.
///
/// **Source.** moby `contrib/dockerd-rootless.sh`, `libcontainerd/supervisor` (`Pdeathsig` of containerd); rootlesskit `README.md`.
pub(super) fn docker_rootless(oci: &str) -> Vec<Row> {
    let daemon = "dockerd in rootlesskit";
    let mut containerd = Row::daemon("containerd", RunsAs::User).kills(&[]);
    daemon.clone_into(&mut containerd.0.parent);
    let mut dockerd = Row::daemon(daemon, RunsAs::User).kills(&["containerd"]);
    "rootlesskit".clone_into(&mut dockerd.0.parent);
    let mut rows = vec![
        Row::start("docker", SHELL, RunsAs::User),
        Row::daemon("rootlesskit", RunsAs::User).stops(&[daemon, "containerd", "containerd-shim", PROGRAM]),
        dockerd,
        containerd,
        Row::beside("containerd-shim", INIT, RunsAs::User).kills(&[PROGRAM]),
    ];
    rows.extend(runtime(oci, "containerd-shim", RunsAs::User));
    rows.push(program("containerd-shim", RunsAs::User));
    rows
}

/// **Source.** podman `libpod/oci_conmon_common.go`, pull request 6520 (a container outlives its conmon); `newuidmap(1)`, which
/// is set-user-ID root; `pasta(1)`.
pub(super) fn podman(oci: &str, user: RunsAs) -> Vec<Row> {
    let mut rows = vec![Row::start("podman", SHELL, user)];
    match user {
        RunsAs::Root => rows.push(Row::start("netavark", "podman", user)),
        RunsAs::User => {
            rows.push(Row::start("newuidmap", "podman", RunsAs::Root));
            rows.push(Row::beside("pasta", INIT, user).kills(&[]));
        }
    }
    rows.push(Row::beside("conmon", INIT, user).kills(&[]));
    rows.extend(runtime(oci, "conmon", user));
    rows.push(program("conmon", user));
    rows
}

/// **Source.** As for its chain; systemd `src/nspawn/nspawn.c` (`PR_SET_PDEATHSIG`).
pub(super) fn rkt() -> Vec<Row> {
    let root = RunsAs::Root;
    vec![
        Row::start("rkt stage0", SHELL, root).becomes("rkt stage1"),
        Row::start("rkt stage1", SHELL, root).becomes("systemd-nspawn"),
        Row::beside("systemd-nspawn", SHELL, root).kills(&["systemd", "systemd-journald", PROGRAM]),
        Row::beside("systemd", "systemd-nspawn", root).kills(&["systemd-journald", PROGRAM]),
        Row::beside("systemd-journald", "systemd", root).kills(&[]),
        Row::start("rkt stage2", "systemd", root).becomes(PROGRAM),
        program("systemd", root),
    ]
}
