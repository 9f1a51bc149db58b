//! The failures of runs without guests, and of what stands around them.

use crate::harness::{Interrupt, Row};

/// The platforms that are not guests.
const PLATFORMS: [&str; 5] = ["bare-metal", "chroot", "namespaces", "cgroups", "container"];

/// The same scenarios with nothing done to them: they run, so that it is the injection that fails a row.
pub(crate) fn undisturbed() -> Vec<Row> {
    let platforms = PLATFORMS.into_iter().chain(["vm"]);
    let rows = platforms.map(|platform| Row::on(platform, &format!("nothing, on {platform}")));
    rows.map(|row| row.ends(0, &["doomed"])).collect()
}

pub(crate) fn rows() -> Vec<Row> {
    let themes = [no_space(), limits(), no_permission(), no_controllers(), too_small(), interrupted()];
    themes.into_iter().flatten().chain(refused_calls()).collect()
}

fn no_space() -> Vec<Row> {
    let full = |what: &str, options: &str| {
        Row::on("container", what).inject(&format!("mount -t tmpfs -o {options} none /run/catamaran"))
    };
    // A folder on a full disk.
    let elsewhere = |arguments: &[&str], what: &str| {
        Row::of(arguments, what).inject(
            "mkdir \"$OUT/full\"; mount -t tmpfs -o size=4k none \"$OUT/full\"; head -c 4096 /dev/zero >\"$OUT/full/x\"",
        )
    };
    vec![
        full("no space for the door of the run folders", "nr_inodes=1")
            .ends(3, &["/run/catamaran: No space left", "make room", "df -i"]),
        full("no space for the run's folder", "nr_inodes=2")
            .ends(3, &["cannot make a run folder in /run/catamaran: No space left", "make room"]),
        full("no space for the run's lock", "nr_inodes=3")
            .ends(3, &["cannot make a run folder in /run/catamaran: No space left", "make room"]),
        full("no space for the run's ledger", "nr_inodes=4")
            .ends(3, &["cannot make a run folder in /run/catamaran: No space left", "make room"]),
        full("no space for a line of the ledger", "size=4k")
            .ends(3, &["the run's ledger: No space left", "make room"]),
        full("no space for the tenant's root", "nr_inodes=5")
            .ends(3, &["web.0.root: No space left", "make room"]),
        elsewhere(&["calibrate"], "no space for the calibration in the cache")
            .env("XDG_CACHE_HOME", "@/full")
            .ends(1, &["cannot keep the figures in the cache: No space left", "-o host.toml"]),
        elsewhere(&["calibrate", "-o", "@/full/host.toml"], "no space for the calibration in a file")
            .ends(1, &["full/host.toml: No space left", "has room"]),
        elsewhere(
            &["--quiet", "compare", "@/scenario.toml", "--plot", "@/full/chart.svg"],
            "no space for the chart of a comparison",
        )
        .ends(1, &["full/chart.svg: No space left", "has room"]),
    ]
}

fn limits() -> Vec<Row> {
    vec![
        Row::on("bare-metal", "files may not be larger than a line of the ledger")
            .limit("--fsize=40")
            .ends(3, &["the run's ledger: File too large", "ulimit -f"]),
        Row::on("bare-metal", "files may not be as large as the worker")
            .limit("--fsize=100000")
            .ends(3, &["memfd_create for the worker: File too large", "ulimit -f"]),
        Row::on("bare-metal", "files may not be as large as the tape")
            .with("50/s", "200000/s")
            .with("\"200ms\"", "\"2s\"")
            .limit("--fsize=3000000")
            .ends(3, &["cannot make a tape of ", "File too large", "ulimit -f"]),
        Row::on("bare-metal", "hardly a file may be open")
            .limit("--nofile=5")
            .ends(3, &["Too many open files", "ulimit -n"]),
        Row::on("container", "few files may be open")
            .limit("--nofile=9")
            .ends(3, &["Too many open files", "ulimit -n"]),
        Row::on("container", "no more processes may be made")
            .with("rootless = false", "rootless = true")
            .ordinary()
            .needs("container, rootless")
            .limit("--nproc=1")
            .ends(3, &["cannot start a launcher: Resource temporarily unavailable", "ulimit -u"]),
        Row::on("container", "no more namespaces may be made")
            .needs("container, rootless")
            .through(&["unshare", "--user", "--map-root-user", "sh", "-c"])
            .through(&["echo 0 >/proc/sys/user/max_net_namespaces; exec \"$0\" \"$@\""])
            .ends(2, &["clone3", "No space left", "no more namespaces", "/proc/sys/user"]),
        Row::on("container", "the tenant's memory does not take its own program")
            .with("cpu = {", "memory = { limit = \"200KiB\" }\ncpu = {")
            .ends(3, &["signal 9", "memory.limit"]),
    ]
}

fn no_permission() -> Vec<Row> {
    let read_only = |what: &str, place: &str| {
        Row::on("cgroups", what).inject(&format!("mount -o remount,bind,ro {place}"))
    };
    vec![
        read_only("run folders may only be read", "/run/catamaran")
            .ends(3, &["/run/catamaran: Read-only file system", "remount,rw"]),
        read_only("groups of the controller cpu may only be read", "/sys/fs/cgroup/cpu")
            .needs("cgroup-v1-cpu")
            .ends(2, &["/sys/fs/cgroup/cpu/catamaran-", "Read-only file system", "remount,rw"]),
        read_only("groups of the controller memory may only be read", "/sys/fs/cgroup/memory")
            .needs("cgroup-v1-memory")
            .ends(2, &["/sys/fs/cgroup/memory/", "Read-only file system", "remount,rw"]),
        read_only("groups of version 2 may only be read", "/sys/fs/cgroup")
            .needs("cgroup-v2-cpu")
            .ends(2, &["/sys/fs/cgroup", "sudo"]),
        Row::on("container", "the folder of the user's runs is another user's")
            .with("rootless = false", "rootless = true")
            .ordinary()
            .env("XDG_RUNTIME_DIR", "@/runs")
            .ends(3, &["cannot make a run folder in", "Permission denied", "XDG_RUNTIME_DIR"]),
        Row::of(&["calibrate"], "the cache may only be read")
            .inject("mkdir \"$OUT/cache\"; mount -t tmpfs -o ro none \"$OUT/cache\"")
            .env("XDG_CACHE_HOME", "@/cache")
            .ends(1, &["cannot keep the figures in the cache: Read-only file system", "-o host.toml"]),
        Row::of(
            &["--quiet", "compare", "@/scenario.toml", "--save", "@/kept/runs"],
            "reports may not be kept there",
        )
        .needs("bare-metal")
        .inject("mkdir \"$OUT/kept\"; mount -t tmpfs -o ro none \"$OUT/kept\"")
        .ends(1, &["kept/runs: Read-only file system", "a place that you may write to"]),
    ]
}

fn no_controllers() -> Vec<Row> {
    let without = |controller: &'static str, needs: &'static str| {
        Row::on("cgroups", &format!("the controller {controller} is not mounted"))
            .needs(needs)
            .inject(&format!("umount /sys/fs/cgroup/{controller}"))
    };
    vec![
        without("cpu", "cgroup-v1-cpu")
            .ends(2, &["the controller cpu is not mounted", "mount -t cgroup -o cpu none"]),
        without("memory", "cgroup-v1-memory")
            .ends(2, &["the controller memory is not mounted", "mount -t cgroup -o memory none"]),
        without("pids", "cgroup-v1-pids")
            .with("cpu = {", "pids = { limit = 9 }\ncpu = {")
            .ends(2, &["the controller pids is not mounted", "mount -t cgroup -o pids none"]),
        without("cpuset", "cgroup-v1-cpuset")
            .with("limit = \"1\"", "limit = \"1\", set = \"0\"")
            .ends(2, &["the controller cpuset is not mounted", "mount -t cgroup -o cpuset none"]),
        Row::on("cgroups", "something hides the controller memory")
            .needs("cgroup-v1-memory")
            .inject("mount -t tmpfs none /sys/fs/cgroup/memory")
            .ends(2, &["the controller memory is not mounted, or something hides it"]),
        Row::on("bare-metal", "no control groups are mounted")
            .inject("umount -R /sys/fs/cgroup")
            .ends(2, &["no control groups are mounted", "mount -t cgroup2"]),
        Row::on("bare-metal", "/proc is not mounted")
            .inject("mount -t tmpfs none /proc")
            .ends(2, &["/proc is not mounted", "mount -t proc proc /proc"]),
        Row::of(&["probe", "--on", "container"], "a probe without the controller memory")
            .needs("cgroup-v1-memory")
            .inject("umount /sys/fs/cgroup/memory")
            .ends(2, &["the controller memory is not mounted", "mount -t cgroup -o memory none"]),
        Row::of(&["calibrate", "-o", "-"], "a calibration without the controller cpu")
            .needs("cgroup-v1-cpu")
            .inject("umount /sys/fs/cgroup/cpu")
            .ends(2, &["the controller cpu is not mounted", "mount -t cgroup -o cpu none"]),
        Row::of(&["--quiet", "compare", "@/scenario.toml"], "a comparison without the controller cpu")
            .needs("cgroup-v1-cpu")
            .inject("umount /sys/fs/cgroup/cpu")
            .ends(2, &["the controller cpu is not mounted", "mount -t cgroup -o cpu none"]),
    ]
}

fn too_small() -> Vec<Row> {
    let wants = |what: &str, old: &str, new: &str| Row::on("cgroups", what).with(old, new);
    vec![
        wants("the machine has fewer cores", "cores = 1", "cores = 1000")
            .ends(2, &["wants 1000 cores", "lower `host.cores`"]),
        wants("the machine has less memory", "\"128MiB\"", "\"1000TiB\"")
            .ends(2, &["MiB of memory", "lower `host.memory`"]),
        wants("the machine has less swap", "cores = 1", "cores = 1\nswap = \"1000TiB\"")
            .ends(2, &["MiB of swap", "lower `host.swap`"]),
    ]
}

fn interrupted() -> Vec<Row> {
    let says = ["interrupted; everything was cleaned up"];
    vec![
        Row::on("bare-metal", "interrupted while the tenant waits for its exec")
            .interrupt(Interrupt::At("isolate"))
            .ends(130, &says),
        Row::on("chroot", "interrupted while the tenant has its root")
            .interrupt(Interrupt::At("pivot"))
            .ends(130, &says),
        Row::on("container", "interrupted while the tenant makes its root")
            .interrupt(Interrupt::At("rootfs"))
            .ends(130, &says),
    ]
}

/// Platform, name and number of the call, the error that it gets; exit code, and what the error says.
type Refusal = (&'static str, &'static str, libc::c_long, i32, i32, &'static [&'static str]);

/// A filter refuses one call, as a container without privileges or an old kernel would.
fn refused_calls() -> Vec<Row> {
    let refused = |platform, name: &str, call, error, code, says: &[&'static str]| {
        let what = format!("{name} is refused, on {platform}");
        Row::on(platform, &what).deny(call, error).ends(code, says)
    };
    let (not_permitted, not_there) = (libc::EPERM, libc::ENOSYS);
    let table: [Refusal; 17] = [
        ("chroot", "mount", libc::SYS_mount, not_permitted, 2, &["cannot mount a tmpfs", "sudo"]),
        ("chroot", "chroot", libc::SYS_chroot, not_permitted, 2, &["cannot chroot to", "sudo"]),
        ("namespaces", "mount", libc::SYS_mount, not_permitted, 2, &["mounts private", "sudo"]),
        ("namespaces", "clone3", libc::SYS_clone3, not_there, 2, &["clone3", "Linux 5.7"]),
        ("namespaces", "sethostname", libc::SYS_sethostname, not_permitted, 2, &["host name", "sudo"]),
        ("container", "mount", libc::SYS_mount, not_permitted, 2, &["mounts private", "privileged"]),
        ("container", "mknodat", libc::SYS_mknodat, not_permitted, 2, &["cannot mknod dev/", "sudo"]),
        ("container", "sendfile", libc::SYS_sendfile, not_there, 2, &["copy the worker", "Linux 5.7"]),
        ("container", "pivot_root", libc::SYS_pivot_root, not_permitted, 2, &["pivot_root", "privileged"]),
        ("container", "unshare", libc::SYS_unshare, not_permitted, 2, &["cgroup namespace", "sudo"]),
        ("container", "capset", libc::SYS_capset, not_permitted, 2, &["give up capabilities", "sudo"]),
        ("container", "seccomp", libc::SYS_seccomp, not_there, 2, &["seccomp filter", "Linux 5.7"]),
        ("bare-metal", "execveat", libc::SYS_execveat, not_there, 2, &["exec the worker", "Linux 5.7"]),
        ("bare-metal", "memfd_create", libc::SYS_memfd_create, not_permitted, 2, &["memfd_create", "sudo"]),
        ("bare-metal", "fallocate", libc::SYS_fallocate, not_permitted, 3, &["make a tape", "privileged"]),
        ("bare-metal", "socketpair", libc::SYS_socketpair, not_permitted, 3, &["socketpair", "privileged"]),
        ("bare-metal", "flock", libc::SYS_flock, not_there, 3, &["cannot look through", "Linux 5.7"]),
    ];
    let rows = table
        .map(|(platform, name, call, error, code, says)| refused(platform, name, call, error, code, says));
    rows.into()
}
