//! What the simulator can't carry out yet is refused by name.

use crate::common::{hog, plan};
use catamaran_report::RunError;
use catamaran_scenario::Calibration;
use catamaran_sim::{Options, simulate};

#[test]
fn by_the_path_of_the_field() {
    let tenant = |rest: &str| format!("[[tenant]]\nname = \"t\"\n{rest}\n");
    let fork = "workload = { kind = \"fork\", rate = \"1/s\", lifetime = \"1s\" }";
    let compute = "workload = { kind = \"compute\", work = \"1s\" }";
    let talk = |to: &str, node: u32| {
        let work = format!("workload = {{ kind = \"network\", to = \"{to}\", requests = 5, size = 9 }}");
        format!(
            "{}[[tenant]]\nname = \"{to}\"\nnode = {node}\nworkload = {{ kind = \"idle\" }}\n",
            tenant(&work)
        )
    };
    let vm = |setting: &str| format!("{}[platform.vm]\n{setting}\n", hog("t", 1, "1s", ""));
    let event = |what: &str| format!("{}[[event]]\nat = \"1s\"\n{what}\n", hog("t", 1, "1s", ""));
    let table = [
        (
            "docker",
            format!("{}[platform.docker]\nruntime = \"kata\"\n", hog("t", 1, "1s", "")),
            "platform.docker.runtime",
        ),
        (
            "docker",
            format!(
                "{}[[image]]\nname = \"a\"\nlayers = [{}]\n",
                tenant(&format!("replicas = 1000\nimage = \"a\"\n{compute}")),
                (0..101).map(|k| format!("{{ id = \"{k}\", size = 1 }}, ")).collect::<String>()
            ),
            "tenant.t.replicas",
        ),
        (
            "kata",
            format!("{}[platform.kata]\naccel = \"tcg\"\n", hog("t", 1, "1s", "")),
            "platform.kata.accel",
        ),
        (
            "vm-hosted",
            format!("{}[platform.vm-hosted]\ntype = 1\n", hog("t", 1, "1s", "")),
            "platform.vm-hosted.type",
        ),
        ("gvisor", tenant("workload = { kind = \"memory\", start = \"1MiB\" }"), "tenant.t.workload"),
        ("gvisor", talk("shop", 0), "tenant.t.workload"),
        ("vm-hosted", talk("shop", 0), "tenant.t.workload"),
        ("cgroups", format!("nodes = 2\n{}", talk("shop", 1)), "tenant.t.workload"),
        (
            "cgroups",
            talk("shop", 0).replace("name = \"shop\"", "name = \"shop\"\npids = { limit = 2 }"),
            "tenant.shop.pids.limit",
        ),
        ("docker", format!("network = {{ latency = \"1ms\" }}\n{}", hog("t", 1, "1s", "")), "host.network"),
        (
            "docker",
            format!(
                "{}[[image]]\nname = \"a\"\narchive = \"a.tar\"\n",
                tenant(&format!("image = \"a\"\n{compute}"))
            ),
            "image.a.layers",
        ),
        ("gvisor", tenant(fork), "tenant.t.workload"),
        ("cgroups", tenant(&format!("pids = {{ limit = 1 }}\n{compute}")), "tenant.t.pids.limit"),
        (
            "bare-metal",
            tenant("workload = { phases = [ { kind = \"command\", argv = [\"true\"], for = \"1s\" } ] }"),
            "tenant.t.workload.phases[0].kind",
        ),
        (
            "cgroups",
            format!("{}[platform.cgroups]\nautogroup = true\n", hog("t", 1, "1s", "")),
            "platform.cgroups.autogroup",
        ),
        (
            "vm-hosted",
            tenant("workload = { kind = \"disk\", op = \"read\", size = \"1MiB\" }"),
            "tenant.t.workload",
        ),
        ("vm-hosted", tenant(&format!("io = {{ iops = 9 }}\n{compute}")), "tenant.t.io"),
        ("vm", vm("type = 2"), "platform.vm.type"),
        ("vm", vm("guest = \"bare\""), "platform.vm.guest"),
        ("vm", vm("memory = \"64MiB\""), "platform.vm.memory"),
        ("vm", vm("accel = \"tcg\""), "platform.vm.accel"),
        (
            "cgroups",
            format!("{}[platform.cgroups]\nvcpus = 2\n", hog("t", 1, "1s", "")),
            "platform.cgroups.vcpus",
        ),
        ("bare-metal", event("do = \"drain\"\ntarget = 0"), "event.do"),
        ("vm", format!("nodes = 2\n{}", event("do = \"drain\"\ntarget = 0")), "host.network.bandwidth"),
        (
            "container",
            format!(
                "nodes = 11\n{}[[event]]\nat = \"1s\"\ndo = \"drain\"\ntarget = 0\n",
                tenant(&format!("replicas = 1000\n{compute}"))
            ),
            "event.do",
        ),
        ("bare-metal", event("do = \"migrate\"\ntarget = \"t\"\nto = 0"), "event.do"),
        ("vm", event("do = \"migrate\"\ntarget = \"t\"\nto = 0"), "host.network.bandwidth"),
        ("microvm", event("do = \"migrate\"\ntarget = \"t\"\nto = 0"), "event.do"),
        ("vm", event("do = \"partition\"\ntarget = 0\nfor = \"1s\""), "event.do"),
        (
            "vm",
            format!(
                "{}[[event]]\nat = \"2s\"\ndo = \"scale\"\ntarget = \"t\"\nreplicas = 2\n",
                event("do = \"migrate\"\ntarget = \"t\"\nto = 0")
            ),
            "event.do",
        ),
        (
            "microvm",
            format!("{}[platform.microvm]\nmigration = \"clark\"\n", hog("t", 1, "1s", "")),
            "platform.microvm.migration",
        ),
        ("vm", tenant("workload = { kind = \"memory\", start = \"129MiB\" }"), "platform.vm.memory"),
        (
            "vm",
            format!("swap = \"1MiB\"\n{}", tenant("workload = { kind = \"memory\", start = \"1MiB\" }")),
            "tenant.t.workload",
        ),
        (
            "vm",
            tenant("memory = { limit = \"9MiB\" }\nworkload = { kind = \"memory\", start = \"1MiB\" }"),
            "tenant.t.memory.limit",
        ),
        ("cgroups", event("do = \"partition\"\ntarget = 0\nfor = \"1s\""), "event.do"),
        ("vm", event("do = \"set-limit\"\ntarget = \"t\"\nmemory = \"64MiB\""), "event.memory"),
    ];
    for (platform, tenants, expected) in table {
        let plan = plan(1, "9s", platform, &tenants);
        let answer = simulate(&plan, plan.platforms()[0], &Calibration::reference(), &Options::default());
        match answer {
            Err(RunError::Unsupported { field, .. }) => assert_eq!(field, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
}

#[test]
fn what_the_machine_was_not_calibrated_for() {
    let memory = "[[tenant]]\nname = \"t\"\nworkload = { kind = \"memory\", start = \"1MiB\" }\n";
    let disk = "[[tenant]]\nname = \"t\"\nworkload = { kind = \"disk\", op = \"read\", size = \"1MiB\" }\n";
    let without_memory = Calibration { memory: None, ..Calibration::reference() };
    let without_disk = Calibration { disk: None, ..Calibration::reference() };
    for (tenant, calibration, expected) in [
        (memory, without_memory, Some("tenant.t.workload.kind")),
        (memory, Calibration::reference(), None),
        (disk, without_disk, Some("tenant.t.workload.kind")),
        (disk, Calibration::reference(), None),
    ] {
        let plan = plan(1, "1s", "bare-metal", tenant);
        let answer = simulate(&plan, plan.platforms()[0], &calibration, &Options::default());
        let refused = answer.err().map(|error| match error {
            RunError::Unsupported { field, advice, .. } => (field, advice.contains("calibrate")),
            other => panic!("{other}"),
        });
        assert_eq!(refused, expected.map(|field| (field.to_owned(), true)));
    }
}
