//! Kernel parameters, masked and read-only paths.

use std::fs;

use serde_json::json;

use crate::check::{equal, holds};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "paths", cases: CASES };

const READ_ONLY: i64 = 30;

const CASES: &[Case] = &[
    case(
        "a_parameter_of_the_network",
        "config-linux.md#sysctl: parameters are changed for the container",
        |bed| {
            bed.namespace(json!({ "type": "network" }));
            bed.set(json!({ "linux": { "sysctl": { "net.ipv4.ip_unprivileged_port_start": "77" } } }));
            equal("value", &bed.ask(&["read /proc/sys/net/ipv4/ip_unprivileged_port_start"])?[0], "77\n")
        },
    ),
    case("a_parameter_of_ipc", "config-linux.md#sysctl: parameters are changed for the container", |bed| {
        bed.set(json!({ "linux": { "sysctl": { "kernel.msgmax": "12345", "fs.mqueue.msg_max": "17" } } }));
        let answers = bed.ask(&["read /proc/sys/kernel/msgmax", "read /proc/sys/fs/mqueue/msg_max"])?;
        equal("values", answers, json!(["12345\n", "17\n"]))
    }),
    case("a_parameter_stays_in_its_namespace", "config-linux.md#sysctl: for the container only", |bed| {
        let before = fs::read_to_string("/proc/sys/kernel/msgmax")?;
        bed.set(json!({ "linux": { "sysctl": { "kernel.msgmax": "12345" } } }));
        bed.seen()?;
        equal("value outside", fs::read_to_string("/proc/sys/kernel/msgmax")?, before)
    }),
    case(
        "a_parameter_of_the_whole_machine",
        "config-linux.md#sysctl: for the container: what is the machine's must not change",
        |bed| {
            let file = "/proc/sys/vm/stat_interval";
            let before = fs::read_to_string(file)?;
            bed.set(json!({ "linux": { "sysctl": { "vm.stat_interval": "7" } } }));
            let said = bed.try_create()?;
            let after = fs::read_to_string(file)?;
            if after != before {
                fs::write(file, &before)?;
            }
            equal("value outside", after, before)?;
            holds("it is refused", said.code != 0)
        },
    ),
    case("no_such_parameter", "runtime.md#create: what can't be made is an error", |bed| {
        bed.set(json!({ "linux": { "sysctl": { "kernel.msg_nothing": "1" } } }));
        bed.refused()
    }),
    case(
        "a_parameter_without_its_namespace",
        "config-linux.md#sysctl: without a namespace of its own it would be the runtime's",
        |bed| {
            bed.set(json!({ "linux": { "sysctl": { "net.ipv4.ip_unprivileged_port_start": "77" } } }));
            bed.refused()
        },
    ),
    case("a_masked_file", "config-linux.md#masked-paths: can't be read", |bed| {
        fs::write(bed.inside("tmp/secret"), "secret")?;
        bed.set(json!({ "linux": { "maskedPaths": ["/tmp/secret"] } }));
        equal("content", &bed.ask(&["read /tmp/secret"])?[0], "")?;
        equal("the file outside", fs::read_to_string(bed.inside("tmp/secret"))?, "secret")
    }),
    case("a_masked_folder", "config-linux.md#masked-paths: can't be read", |bed| {
        fs::create_dir(bed.inside("tmp/secrets"))?;
        fs::write(bed.inside("tmp/secrets/one"), "secret")?;
        bed.set(json!({ "linux": { "maskedPaths": ["/tmp/secrets"] } }));
        let answers = bed.ask(&["list /tmp/secrets", "touch /tmp/secrets/new"])?;
        equal("files", &answers[0], &json!([]))?;
        equal("it can't be written", &answers[1], READ_ONLY)
    }),
    case("a_masked_file_of_the_kernel", "config-linux.md#masked-paths: of /proc too", |bed| {
        bed.set(json!({ "linux": { "maskedPaths": ["/proc/cpuinfo"] } }));
        equal("content", &bed.ask(&["read /proc/cpuinfo"])?[0], "")
    }),
    case(
        "masking_what_is_not_there",
        "config-linux.md#masked-paths: what is not there can't be read anyway",
        |bed| {
            bed.set(json!({ "linux": { "maskedPaths": ["/proc/nowhere"] } }));
            bed.seen().map(drop)
        },
    ),
    case("masking_does_not_follow_out", "config-linux.md#masked-paths: paths are of the container", |bed| {
        fs::write(bed.file("outside"), "outside")?;
        std::os::unix::fs::symlink(bed.file("outside"), bed.inside("tmp/link"))?;
        bed.set(json!({ "linux": { "maskedPaths": ["/tmp/link"] } }));
        bed.deeds(&["exit 0"]);
        // Whether a link that leads nowhere is refused is not said.
        bed.run()?;
        equal("the file outside", fs::read_to_string(bed.file("outside"))?, "outside")
    }),
    case("a_read_only_folder", "config-linux.md#readonly-paths: is read-only in the container", |bed| {
        fs::create_dir(bed.inside("tmp/kept"))?;
        fs::write(bed.inside("tmp/kept/one"), "one")?;
        bed.set(json!({ "linux": { "readonlyPaths": ["/tmp/kept"] } }));
        let answers = bed.ask(&["read /tmp/kept/one", "touch /tmp/kept/two", "touch /tmp/other"])?;
        equal("answers", answers, json!(["one", READ_ONLY, null]))
    }),
    case("a_read_only_file", "config-linux.md#readonly-paths: is read-only in the container", |bed| {
        fs::write(bed.inside("tmp/one"), "one")?;
        bed.set(json!({ "linux": { "readonlyPaths": ["/tmp/one"] } }));
        equal("answers", bed.ask(&["read /tmp/one", "open w /tmp/one"])?, json!(["one", READ_ONLY]))
    }),
    case("the_kernel_s_parameters_read_only", "config-linux.md#readonly-paths: of /proc too", |bed| {
        bed.set(json!({ "linux": { "readonlyPaths": ["/proc/sys"] } }));
        let answers = bed.ask(&["read /proc/sys/kernel/msgmax", "open w /proc/sys/kernel/msgmax"])?;
        holds("it can be read", answers[0].is_string())?;
        equal("it can't be written", &answers[1], READ_ONLY)
    }),
    case(
        "a_read_only_path_that_is_not_there",
        "config-linux.md#readonly-paths: what is not there can't be written anyway",
        |bed| {
            bed.set(json!({ "linux": { "readonlyPaths": ["/proc/nowhere"] } }));
            bed.seen().map(drop)
        },
    ),
    case(
        "flags_below_a_read_only_path_stay",
        "config-linux.md#readonly-paths: nothing but that changes",
        |bed| {
            bed.mount(json!({ "destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "noexec"] }));
            bed.set(json!({ "linux": { "readonlyPaths": ["/tmp"] } }));
            let mount = super::mounts::at(&bed.seen()?, "/tmp")?;
            ["ro", "nosuid", "nodev", "noexec"]
                .iter()
                .try_for_each(|option| crate::check::lists("options", &mount["options"], option))
        },
    ),
];
