//! The machine, and the settings of single platforms.

use super::takes::{BYTES_MOST, MILLISECOND};
use super::{Field, Table, Takes};
use crate::plan::Namespace;

pub(super) static HOST: Table = Table::new(
    "The machine. A native run confines all tenants to it: the first `cores` of the machine by cpuset, `memory` by a parent \
     cgroup; a machine that is too small is refused. `disk` and `network` bind only where they are given.",
    &[
        Field::default("cores", Takes::Count { least: 1, most: 1024 }, "1")
            .means("Cores of the machine (of each node of a cluster).")
            .like("2")
            .becomes("natively cpuset.cpus of the run's own parent cgroup"),
        Field::default("memory", Takes::Bytes { least: 1 << 20, most: BYTES_MOST }, "\"1GiB\"")
            .means("Memory of the machine (of each node of a cluster).")
            .like("\"4GiB\"")
            .becomes("natively memory.max of the run's own parent cgroup"),
        Field::default("swap", Takes::Bytes { least: 0, most: BYTES_MOST }, "\"0MiB\"")
            .means("Swap beside the memory; a native run on a machine with more is confined to it, one with less is refused.")
            .like("\"512MiB\"")
            .becomes("natively memory.swap.max (v2) or memory.memsw.limit_in_bytes (v1) of the run's own parent cgroup"),
        Field::absent("disk", Takes::Table(&DISK), "does not bind")
            .means("What the disk can do.")
            .like("{ read = \"500MB/s\", write = \"300MB/s\", iops = 20000 }"),
        Field::absent("network", Takes::Table(&NETWORK), "does not bind")
            .means("What the network can do. Images are pulled over it, before whoever talks over it begins.")
            .like("{ bandwidth = \"10Gbit/s\", latency = \"50us\" }"),
        Field::absent("unpack", Takes::SPEED, "unknown")
            .means("How fast layers of images are unpacked, in compressed bytes; without it the length of a start that unpacks one \
                    is unknown.")
            .like("\"60MB/s\""),
        Field::default("nodes", Takes::Count { least: 1, most: 10_000 }, "1")
            .means("Machines of this kind; more than one is a cluster. All nodes together have at most 1048576 cores.")
            .like("3"),
    ],
);

static DISK: Table = Table::new(
    "What the host's disk can do for all tenants together; each bound holds only where it is given. Natively it is the \
     kernel's throttling of the run's own parent cgroup; on cgroup v1 not beside bounds of tenants, which it would not reach.",
    &[
        Field::optional("read", Takes::SPEED)
            .means("Most bytes read a second.")
            .like("\"500MB/s\"")
            .becomes("io.max rbps (v2), blkio.throttle.read_bps_device (v1)"),
        Field::optional("write", Takes::SPEED)
            .means("Most bytes written a second.")
            .like("\"300MB/s\"")
            .becomes("io.max wbps (v2), blkio.throttle.write_bps_device (v1)"),
        Field::optional("iops", Takes::IOPS)
            .means("Most operations a second, of reads and of writes each.")
            .like("20000")
            .becomes("io.max riops and wiops (v2), blkio.throttle.*_iops_device (v1)"),
    ],
);

static NETWORK: Table = Table::new(
    "What the host's network can do for all tenants together; each bound holds only where it is given.",
    &[
        Field::optional("bandwidth", Takes::SPEED)
            .means("Bandwidth of the one link, for both directions together, headers counted in.")
            .like("\"10Gbit/s\""),
        Field::optional("latency", Takes::Duration { least: 0, most: 10_000 * MILLISECOND })
            .means("One-way latency of each message over it.")
            .like("\"50us\""),
    ],
);

pub(super) static PLATFORMS: Table = Table::new(
    "Settings by platform, each under [platform.NAME].",
    &super::by_platform(Takes::Table(&PLATFORM)),
);

static PLATFORM: Table = Table::new(
    "Settings of one platform. What is left out comes from the calibration (host.toml), or from what the platform itself does \
     by default.",
    &[
        Field::absent("runtime", Takes::Text, "the platform's own")
            .means("The low-level runtime under an engine: the simulator knows runc, crun and youki.")
            .like("\"crun\"")
            .becomes("Kubernetes: RuntimeClass.handler; docker run --runtime"),
        Field::absent("rootless", Takes::Flag, "false")
            .means(
                "Carried out without root: in a user namespace in which the user is root, and nobody else is there. Limits apply \
                 where the user was given a control group; else the report lists them in `absent`. Podman needs one, of cgroup v2.",
            )
            .like("true"),
        Field::absent("scheduler", Takes::Choice(&["eevdf", "cfs"]), "as calibrated")
            .means("The kernel's pick of the next thread: EEVDF (Linux 6.6 and later) or CFS (before). On vm it is the guest's \
                    kernel that is meant, CFS if absent, as in Debian 12; the host's is as calibrated.")
            .like("\"cfs\""),
        Field::absent("hz", Takes::Count { least: 100, most: 10_000 }, "as calibrated")
            .means("Timer ticks a second; pre-emption of a running thread is decided at ticks. On vm the guest's, 250 if absent.")
            .like("1000")
            .becomes("CONFIG_HZ"),
        Field::absent("base_slice", Takes::Duration { least: 100_000, most: 1000 * MILLISECOND }, "as calibrated")
            .means("How long a thread runs before another of equal claim may take over, after the kernel's scaling by cores. On \
                    vm the guest's; if absent 0.75 ms, scaled by its virtual CPUs.")
            .like("\"2.8ms\"")
            .becomes("/sys/kernel/debug/sched/base_slice_ns; before 6.6 min_granularity_ns"),
        Field::absent("autogroup", Takes::Flag, "as calibrated")
            .means("Whether each session's threads compete as one group on a plain machine.")
            .like("false")
            .becomes("kernel.sched_autogroup_enabled"),
        Field::absent("vcpus", Takes::Count { least: 1, most: 1024 }, "host.cores")
            .means("Virtual CPUs of each guest: threads of the host that share the weight, the quota and the cores of the \
                    tenant; what they wait for a core is the guest's steal.")
            .like("2")
            .becomes("qemu -smp"),
        Field::absent("memory", Takes::Bytes { least: 1 << 20, most: BYTES_MOST }, "the platform's own")
            .means("Memory of each guest. While it is idle the host gives it what its monitor and its kernel need; the \
                    simulator takes 128 MiB or more; both backends take 256 MiB if absent.")
            .like("\"512MiB\"")
            .becomes("qemu -m"),
        Field::absent("guest", Takes::Choice(&["linux", "bare"]), "linux")
            .means("What runs in a guest: a Linux kernel, or our own ring-3 loop without a kernel, which neither backend \
                    carries out yet. Natively the kernel is the image that CATAMARAN_VM_KERNEL names, else Debian's for \
                    clouds: from `cargo xtask setup`, or in /boot.")
            .like("\"bare\""),
        Field::absent("accel", Takes::Choice(&["kvm", "tcg"]), "kvm where it works")
            .means("The accelerator of a virtual machine; tcg is emulation and always labelled so. The simulator takes what \
                    was measured on the calibrated machine; without a measurement it models kvm by published figures and \
                    refuses tcg. Natively kvm is tried first where the field is absent, for 8 s at most.")
            .like("\"tcg\"")
            .becomes("qemu -accel"),
        Field::absent("type", Takes::Count { least: 1, most: 2 }, "the platform's own")
            .means("Type of the hypervisor: 1 on the machine itself, 2 on an operating system. The simulator's vm is of type 1: \
                    KVM is part of the kernel; vm-hosted is of type 2.")
            .like("2"),
        Field::absent("compat", Takes::Text, "the newest known")
            .means("The release whose rules are followed, where they changed.")
            .like("\"1.20\""),
        Field::absent("unshare", Takes::Choices(Namespace::NAMES), "all but user")
            .means("Namespaces of each tenant's own, on the platform namespaces. A new /proc is mounted with mount and pid together \
                    only, and the host name is set with uts only. With user the tenant is root inside, and outside whoever \
                    carries the scenario out; nobody else is mapped.")
            .like("[\"mount\", \"pid\"]")
            .becomes("unshare(1): --mount, --pid, --uts, --ipc, --net, --user --map-root-user, --cgroup"),
        Field::absent("migration", Takes::Choice(&["qemu", "clark"]), "qemu")
            .means("By whose rule the event migrate moves a guest: QEMU sends as fast as it may (128 MiB/s) until the rest can be sent \
                    within the down-time; Clark and others (Xen, 2005) send each round 50 Mbit/s faster than the guest wrote \
                    in the last one, at least 100 Mbit/s, until less than 256 KiB are left or the guest writes too fast.")
            .like("\"clark\""),
        Field::absent("downtime", Takes::Duration { least: MILLISECOND, most: 2_000_000 * MILLISECOND }, "\"300ms\"")
            .means("How long a guest may stand still when it is moved; QEMU's rule only. Too short a time for what the guest writes \
                    meanwhile, and the migration never comes to its end.")
            .like("\"50ms\"")
            .becomes("QEMU: migrate-set-parameters downtime-limit; virsh migrate-setmaxdowntime"),
        Field::absent("page_sharing", Takes::Flag, "false")
            .means("Whether the host looks for equal pages in its guests and keeps one of each (KSM): here the kernel's image, which is \
                    the same in all guests, and pages that hold zeros. What tenants write is taken to be equal nowhere.")
            .like("true")
            .becomes("/sys/kernel/mm/ksm/run; QEMU: -machine mem-merge=on"),
        Field::absent("balloon", Takes::Flag, "false")
            .means("Whether guests give back memory that they were given and do not use when the host has less than 4 % left, until it \
                    has 6 %.")
            .like("true")
            .becomes("QEMU: -device virtio-balloon; ESX: vmmemctl"),
    ],
);
