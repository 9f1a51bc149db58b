//! A tenant, without what it does.

use super::takes::{BYTES_MOST, MILLISECOND, SECOND};
use super::{Field, Table, Takes};

/// `tenant.restart`.
const RESTART: &[&str] = &["never", "on-failure", "always"];

pub(super) static TENANT: Table = Table::new(
    "One application, in one or more replicas, with what it asks for, what it may have and what it does.",
    &[
        Field::required("name", Takes::Name)
            .means("What the tenant is called in reports, events and diagnostics; unique.")
            .like("\"shop\"")
            .becomes("natively the cgroup's and the container's name; Kubernetes: metadata.name"),
        Field::default("replicas", Takes::Count { least: 1, most: 1000 }, "1")
            .means(
                "How many of it there are; each draws its own arrivals. All tenants together have at most 10000 replicas \
                 and 65536 threads, with scale events counted in.",
            )
            .like("2")
            .becomes("Kubernetes: Deployment spec.replicas"),
        Field::default("node", Takes::Node, "0")
            .means("The node it is placed on where no scheduler does it.")
            .like("1")
            .becomes("Kubernetes: spec.nodeName"),
        Field::absent("cpu", Takes::Table(&CPU), "default weight, no limit")
            .means("CPU that it asks for and may use.")
            .like("{ request = \"500m\", limit = \"1\" }"),
        Field::absent("memory", Takes::Table(&MEMORY), "no limit")
            .means("Memory that it asks for and may use.")
            .like("{ request = \"128MiB\", limit = \"256MiB\" }"),
        Field::absent("io", Takes::Table(&IO), "default weight, no limit")
            .means("Its share of the disk.")
            .like("{ weight = 200, read = \"50MB/s\" }"),
        Field::absent("pids", Takes::Table(&PIDS), "no limit")
            .means("Its processes and threads.")
            .like("{ limit = 64 }"),
        Field::default("ports", Takes::Ports, "[]")
            .means("Ports that it listens on; two tenants clash over one where they share the network.")
            .like("[80, 443]")
            .becomes("Kubernetes: containers[].ports[].hostPort on a shared network"),
        Field::default("needs", Takes::Map, "{}")
            .means("Library versions that it needs; two tenants clash over one where they share the file system.")
            .like("{ libssl = \"1.1\" }"),
        Field::default("start_at", Takes::INSTANT, "\"0s\"")
            .means("When it starts, from the start of the run; before the run's end.")
            .like("\"2s\""),
        Field::default("restart", Takes::Choice(RESTART), "\"never\"")
            .means("What happens when it ends: nothing, or a restart with Kubernetes' back-off after a failure or always.")
            .like("\"on-failure\"")
            .becomes("Kubernetes: spec.restartPolicy"),
        Field::absent("image", Takes::Image, "the built-in worker")
            .means("The image that it is made from.")
            .like("\"shop:1.2\"")
            .becomes("Kubernetes: containers[].image"),
        Field::required("workload", Takes::Table(&super::workload::WORKLOAD))
            .means("What it does.")
            .like("{ kind = \"compute\", threads = 4, work = \"30s\" }"),
    ],
);

static CPU: Table = Table::new(
    "CPU of each replica. Where a platform has no limits or weights they are not applied, and the report lists them in `absent`.",
    &[
        Field::absent(
            "request",
            Takes::Cpu { least: 1 },
            "the limit; without a limit the default weight (cgroup v2 100, v1 1024 shares)",
        )
        .means("What it is promised: its weight against the others when the machine is full, by the rule `weight`. At most the limit.")
        .like("\"500m\"")
        .becomes("cpu.weight (v2), cpu.shares (v1); OCI linux.resources.cpu.shares; Kubernetes resources.requests.cpu"),
        Field::absent("limit", Takes::Cpu { least: 1 }, "unlimited")
            .means(
                "The most it may use: a quota of CPU time, limit × period, in each period; when it is used up all threads stop \
                 until the next. The quota is at least 1 ms, as the kernel has it.",
            )
            .like("\"1\"")
            .becomes("cpu.max (v2), cpu.cfs_quota_us (v1); OCI linux.resources.cpu.quota; Kubernetes resources.limits.cpu"),
        Field::default("period", Takes::Duration { least: MILLISECOND, most: SECOND }, "\"100ms\"")
            .means("The period of the quota: a longer one lets bursts through and makes the stops longer.")
            .like("\"20ms\"")
            .becomes("cpu.max (v2), cpu.cfs_period_us (v1); OCI linux.resources.cpu.period; kubelet --cpu-cfs-quota-period"),
        Field::default("burst", Takes::Duration { least: 0, most: 1024 * SECOND }, "\"0s\"")
            .means("Unused quota that may be saved for later periods, in CPU time; at most the quota, and only with a limit.")
            .like("\"10ms\"")
            .becomes("cpu.max.burst (v2), cpu.cfs_burst_us (v1); OCI linux.resources.cpu.burst"),
        Field::absent("set", Takes::CpuSet, "all cores")
            .means("The cores that it may run on.")
            .like("\"0-1\"")
            .becomes("cpuset.cpus; OCI linux.resources.cpu.cpus; docker run --cpuset-cpus"),
        Field::default("weight", Takes::Choice(&["v1", "v2-old", "v2-new"]), "\"v2-new\"")
            .means(
                "How the request becomes a weight on cgroup v2: v1 is the shares themselves, v2-old the linear conversion \
                 (runc before 1.3.2, crun before 1.23), v2-new the one that keeps 1 CPU at weight 100.",
            )
            .like("\"v2-old\"")
            .becomes("the conversion from OCI linux.resources.cpu.shares to cpu.weight"),
        Field::default("nice", Takes::Nice, "0")
            .means(
                "The nice value of its threads, which decides only among threads of the same group: between tenants where all \
                 share one (bare-metal, chroot, namespaces), not between tenants with groups of their own. Each step down is \
                 about 1.25 times the weight: 0 has 1024, 5 has 335, -5 has 3121. Natively it is added to the nice value of \
                 catamaran itself, as nice(1) does; below that takes CAP_SYS_NICE. Of a guest it is its monitor's.",
            )
            .like("5")
            .becomes("setpriority(2), nice -n; OCI has none; systemd Nice="),
    ],
);

static MEMORY: Table = Table::new(
    "Memory of each replica.",
    &[
        Field::absent("request", Takes::SIZE, "the limit, if there is one")
            .means("What it is promised; only booked, it decides on placement and on who is evicted first. At most the limit.")
            .like("\"128MiB\"")
            .becomes("Kubernetes resources.requests.memory"),
        Field::absent("limit", Takes::SIZE, "unlimited")
            .means("The most it may use; beyond it the kernel reclaims, and then kills.")
            .like("\"256MiB\"")
            .becomes("memory.max (v2), memory.limit_in_bytes (v1); OCI linux.resources.memory.limit; Kubernetes resources.limits.memory"),
        Field::absent("high", Takes::SIZE, "unlimited")
            .means("Beyond it the kernel reclaims and slows the tenant down, without killing. At most the limit.")
            .like("\"200MiB\"")
            .becomes("memory.high (v2)"),
        Field::absent("swap", Takes::Bytes { least: 0, most: BYTES_MOST }, "unlimited")
            .means("The most swap it may use, memory not counted in.")
            .like("\"0MiB\"")
            .becomes("memory.swap.max (v2); in OCI linux.resources.memory.swap and memory.memsw.limit_in_bytes (v1) memory and swap together"),
        Field::default("oom_score_adj", Takes::OomScoreAdj, "0")
            .means(
                "Thousandths of the memory that runs out, added to what each of its processes weighs when the kernel looks for a \
                 victim; at -1000 it is never one. It counts on every platform. Natively a value below the runner's own takes \
                 CAP_SYS_RESOURCE.",
            )
            .like("500")
            .becomes("/proc/PID/oom_score_adj; OCI process.oomScoreAdj; set by the kubelet from QoS class and request"),
        Field::default("oom_group", Takes::Flag, "false")
            .means("Whether all its processes are killed together when one of them is killed for memory; cgroup v2 only.")
            .like("true")
            .becomes("memory.oom.group (v2); kubelet singleProcessOOMKill = false"),
    ],
);

static IO: Table = Table::new(
    "The disk share of each replica.",
    &[
        Field::absent("weight", Takes::Count { least: 1, most: 10_000 }, "100")
            .means("Its weight against the others when the disk is busy. It counts where the disk's scheduler is bfq, which takes \
                    1000 at most; else the report lists it in `absent`.")
            .like("200")
            .becomes("io.bfq.weight (v2), blkio.bfq.weight (v1); OCI linux.resources.blockIO.weight"),
        Field::absent("read", Takes::SPEED, "unlimited")
            .means("Most bytes read a second.")
            .like("\"50MB/s\"")
            .becomes("io.max rbps (v2), blkio.throttle.read_bps_device (v1); OCI linux.resources.blockIO.throttleReadBpsDevice"),
        Field::absent("write", Takes::SPEED, "unlimited")
            .means("Most bytes written a second.")
            .like("\"50MB/s\"")
            .becomes("io.max wbps (v2), blkio.throttle.write_bps_device (v1); OCI linux.resources.blockIO.throttleWriteBpsDevice"),
        Field::absent("iops", Takes::IOPS, "unlimited")
            .means("Most operations a second, of reads and of writes each.")
            .like("1000")
            .becomes("io.max riops and wiops (v2), blkio.throttle.*_iops_device (v1); OCI linux.resources.blockIO.throttleReadIOPSDevice, throttleWriteIOPSDevice"),
    ],
);

static PIDS: Table = Table::new(
    "Processes and threads of each replica.",
    &[Field::absent("limit", Takes::Count { least: 1, most: 4_194_304 }, "unlimited")
        .means("The most processes and threads at once; one more fails to start.")
        .like("64")
        .becomes("pids.max; OCI linux.resources.pids.limit; kubelet --pod-max-pids")],
);
