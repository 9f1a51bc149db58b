//! What an ordinary user can do, to whom nobody gave a control group; the rest says what it needs.

use crate::harness::Row;

pub(crate) fn rows() -> Vec<Row> {
    let run = |platform, what: &str| Row::on(platform, what).ordinary();
    let rootless = |row: Row| row.with("rootless = false", "rootless = true").needs("container, rootless");
    let by_root = &["it takes root", "sudo catamaran", "rootless = true"];
    let no_group = &["control group /sys/fs/cgroup", "systemd-run"];
    let json = &["run", "@/scenario.toml", "--on", "container", "--json"];
    let compare = &["--quiet", "compare", "@/scenario.toml", "--on", "container"];
    vec![
        run("bare-metal", "bare-metal by an ordinary user").ends(2, no_group),
        run("chroot", "chroot by an ordinary user").ends(2, by_root),
        run("namespaces", "namespaces by an ordinary user").ends(2, by_root),
        run("cgroups", "cgroups by an ordinary user").ends(2, no_group),
        run("container", "a container by an ordinary user").ends(2, &["user namespace", "rootless = true"]),
        run("runc", "runc by an ordinary user").ends(2, by_root),
        run("docker", "an engine by an ordinary user").ends(2, by_root),
        // The guest's kernel and QEMU come first, which anybody may have.
        run("vm", "a guest by an ordinary user").needs("vm").ends(2, no_group),
        rootless(run("container", "a rootless container by an ordinary user")).ends(0, &["doomed"]),
        rootless(Row::of(json, "what a rootless container's report says of limits").scenario("container"))
            .ordinary()
            .needs("container, rootless")
            .ends(
                0,
                &["\"cpu.limit\": \"rootless, and this user was given no control group: no limits apply\""],
            ),
        rootless(Row::of(compare, "a comparison of a rootless container").scenario("container"))
            .ordinary()
            .needs("container, rootless")
            .ends(0, &["doomed"]),
        Row::of(&["--quiet", "compare", "@/scenario.toml"], "a comparison of bare-metal")
            .ordinary()
            .ends(2, no_group),
        Row::of(&["run", "@/scenario.toml", "--dry-run"], "a dry run")
            .ordinary()
            .needs("cgroup-v1-cpu")
            .ends(0, &["mkdir"]),
        Row::of(&["doctor"], "doctor")
            .ordinary()
            .needs("container, rootless")
            .ends(0, &["runs as an ordinary user", "✓  container, rootless", "to get root", "sudo"]),
        Row::of(&["probe", "--on", "container"], "a probe of a container")
            .ordinary()
            .ends(2, &["sudo catamaran"]),
        Row::of(&["probe", "--on", "bare-metal"], "a probe of bare-metal").ordinary().ends(2, no_group),
        Row::of(&["calibrate", "-o", "-"], "a calibration").ordinary().ends(2, no_group),
        Row::of(&["clean"], "clean").ordinary().ends(0, &["nothing was left behind"]),
        Row::of(&["sim", "@/scenario.toml"], "a simulation").ordinary().ends(0, &["doomed"]),
    ]
}
