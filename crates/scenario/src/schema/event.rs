//! What happens during a run.

use super::{Cases, Field, Table, Takes};

const ACTIONS: &[&str] =
    &["scale", "kill", "fail-node", "drain", "update", "set-limit", "migrate", "partition"];

const fn tenant() -> Field {
    Field::required("target", Takes::Tenant).means("The tenant that it happens to.").like("\"shop\"")
}

const fn node() -> Field {
    Field::required("target", Takes::Node).means("The node that it happens to.").like("1")
}

pub(super) static EVENT: Table = Table::new(
    "Something that happens to a tenant or to a node at a given time.",
    &[
        Field::required("at", Takes::INSTANT)
            .means("When, from the start of the run; before the run's end.")
            .like("\"5s\""),
        Field::required("do", Takes::Choice(ACTIONS))
            .means("What happens; each action has fields of its own.")
            .like("\"kill\""),
    ],
)
.by(&Cases {
    by: "do",
    instead: None,
    tables: &[
        ("scale", &SCALE),
        ("kill", &KILL),
        ("fail-node", &FAIL_NODE),
        ("drain", &DRAIN),
        ("update", &UPDATE),
        ("set-limit", &SET_LIMIT),
        ("migrate", &MIGRATE),
        ("partition", &PARTITION),
    ],
});

static SCALE: Table = Table::new(
    "A tenant gets another number of replicas.",
    &[
        tenant(),
        Field::required("replicas", Takes::Count { least: 0, most: 1000 })
            .means("How many there shall be.")
            .like("3")
            .becomes("Kubernetes: Deployment spec.replicas"),
    ],
);

static KILL: Table = Table::new("A tenant is killed with SIGKILL; `restart` says what follows.", &[tenant()]);

static FAIL_NODE: Table = Table::new("A node is lost, with all that ran on it.", &[node()]);

static DRAIN: Table = Table::new(
    "A node is emptied: its tenants go to the other nodes in turn. Guests move while they run (as by migrate); all else is \
                stopped there and started elsewhere.",
    &[node()],
);

static UPDATE: Table = Table::new(
    "A tenant gets another image, replica by replica.",
    &[
        tenant(),
        Field::required("image", Takes::Image)
            .means("The new image.")
            .like("\"shop:1.2\"")
            .becomes("Kubernetes: containers[].image"),
    ],
);

static SET_LIMIT: Table = Table::new(
    "A tenant gets other limits, while it runs: `cpu`, `memory` or both.",
    &[
        tenant(),
        Field::absent("cpu", Takes::Cpu { least: 1 }, "as it was; required without memory")
            .means("The new CPU limit; the quota is at least 1 ms, and at least the burst.")
            .like("\"200m\"")
            .becomes("cpu.max (v2), cpu.cfs_quota_us (v1)"),
        Field::absent("memory", Takes::SIZE, "as it was; required without cpu")
            .means("The new memory limit.")
            .like("\"64MiB\"")
            .becomes("memory.max (v2), memory.limit_in_bytes (v1)"),
    ],
);

static MIGRATE: Table = Table::new(
    "A tenant moves to another node while it runs: live migration of its guests, one after the other, by pre-copy over \
     `host.network.bandwidth`. A process or a container can't be moved so.",
    &[tenant(), Field::required("to", Takes::Node).means("The node that it moves to.").like("1")],
);

static PARTITION: Table = Table::new(
    "A node is cut off from the others for a while.",
    &[node(), Field::required("for", Takes::SPAN).means("For how long.").like("\"10s\"")],
);
