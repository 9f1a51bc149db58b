//! What a tenant does.

use super::takes::{BYTES_MOST, SECOND};
use super::{Cases, Field, Table, Takes};

const THREADS: Takes = Takes::Count { least: 1, most: 4096 };
const PROCESSES: &[&str] = &["poisson", "constant", "burst"];
const DISTRIBUTIONS: &[&str] = &["constant", "exponential", "lognormal"];
const OPS: &[&str] = &["read", "write", "randread", "randwrite"];
/// Every kind that `like` may be.
const LIKE_KINDS: &[&str] = &["compute", "server", "memory", "disk", "network", "fork", "idle"];
/// Every kind.
const KINDS: &[&str] = &["compute", "server", "memory", "disk", "network", "fork", "command", "idle"];

const KIND_MEANS: &str = "What the workload is; each kind has fields of its own.";

pub(crate) static WORKLOAD: Table = Table::new(
    "What a tenant does: one kind of work, or several in order (`phases`).",
    &[
        Field::absent("kind", Takes::Choice(KINDS), "required without phases")
            .means(KIND_MEANS)
            .like("\"compute\""),
        Field::absent("phases", Takes::Tables(&PHASE), "required without kind")
            .means("Workloads in order, at most 1000, in place of a kind, each with the fields of its kind; they are not nested.")
            .like("[{ kind = \"idle\", for = \"2s\" }, { kind = \"compute\", work = \"1s\" }]"),
    ],
)
.by(&KIND_OR_PHASES);

pub(crate) static PHASE: Table = Table::new(
    "One of the workloads in order.",
    &[
        Field::required("kind", Takes::Choice(KINDS)).means(KIND_MEANS).like("\"idle\""),
        Field::absent("for", Takes::SPAN, "until its work is done; required with idle, server, memory and fork, which have no end of their own")
            .means("When the phase is over, from its start; a server's arrivals stop then.")
            .like("\"2s\""),
    ],
)
.by(&KIND);

static LIKE: Table = Table::new(
    "What the simulator takes in place of a program.",
    &[Field::required("kind", Takes::Choice(LIKE_KINDS)).means(KIND_MEANS).like("\"compute\"")],
)
.by(&Cases {
    by: "kind",
    instead: None,
    tables: &[
        ("compute", &COMPUTE),
        ("server", &SERVER),
        ("memory", &MEMORY),
        ("disk", &DISK),
        ("network", &NETWORK),
        ("fork", &FORK),
        ("idle", &IDLE),
    ],
});

const ALL: &[(&str, &Table)] = &[
    ("compute", &COMPUTE),
    ("server", &SERVER),
    ("memory", &MEMORY),
    ("disk", &DISK),
    ("network", &NETWORK),
    ("fork", &FORK),
    ("command", &COMMAND),
    ("idle", &IDLE),
];

static KIND: Cases = Cases { by: "kind", instead: None, tables: ALL };
static KIND_OR_PHASES: Cases = Cases { by: "kind", instead: Some("phases"), tables: ALL };

static COMPUTE: Table = Table::new(
    "Computes a fixed amount, split evenly over its threads.",
    &[
        Field::default("threads", THREADS, "1").means("Threads that compute at once.").like("4"),
        Field::required("work", Takes::Duration { least: 1, most: 10_000 * 3600 * SECOND })
            .means(
                "CPU time of all its threads together at the speed of one busy core. A CPU second is a calibrated number of turns \
                 of a fixed loop, so that a slower machine takes longer.",
            )
            .like("\"30s\""),
        Field::optional("lock", Takes::Table(&LOCK))
            .means(
                "A spin lock that its threads share. Whoever waits for it computes nothing and uses its core all the same, so that \
                 a holder that has lost its core costs the others theirs.",
            )
            .like("{ every = \"1ms\", hold = \"50us\" }"),
    ],
);

/// What a thread computes between two looks at a lock.
const AT_A_LOCK: Takes = Takes::Duration { least: 1000, most: 3600 * SECOND };

static LOCK: Table = Table::new(
    "A lock that is waited for by spinning (test-and-set: whoever finds it free has it).",
    &[
        Field::required("every", AT_A_LOCK)
            .means("What each thread computes between two turns at the lock, part of `work`.")
            .like("\"1ms\""),
        Field::required("hold", AT_A_LOCK)
            .means("What it computes then while it holds the lock, part of `work`.")
            .like("\"50us\""),
    ],
);

static SERVER: Table = Table::new(
    "Answers requests that come whether or not the last ones are done (open loop): one first-in, first-out queue, `threads` workers. \
     Latency runs from the intended arrival to completion.",
    &[
        Field::required("arrivals", Takes::Table(&ARRIVALS))
            .means("When requests come.")
            .like("{ process = \"poisson\", rate = \"60/s\" }"),
        Field::required("service", Takes::Table(&SERVICE))
            .means("The CPU time that each request needs.")
            .like("{ cpu = \"4ms\", distribution = \"exponential\" }"),
        Field::default("threads", THREADS, "1").means("Workers, each with one request at a time.").like("4"),
        Field::default("queue", Takes::Count { least: 0, most: 1_000_000 }, "1024")
            .means(
                "Requests that may wait, the ones in service not counted; an arrival at a full queue fails.",
            )
            .like("100"),
        Field::optional("timeout", Takes::SPAN)
            .means("A request that has not been begun this long after its arrival fails.")
            .like("\"500ms\""),
    ],
);

static ARRIVALS: Table = Table::new(
    "When requests come. Arrival k is a function of the seed, the tenant, its replica and k alone, the same on every platform.",
    &[
        Field::required("process", Takes::Choice(PROCESSES))
            .means("Exponential gaps (poisson), equal gaps (constant), or several requests at once with equal gaps between (burst).")
            .like("\"poisson\""),
        Field::required("rate", Takes::Rate)
            .means("Mean rate. All tenants together expect at most 10 million requests, operations on files, pieces of messages, forks, turns at locks and steps of touching memory (100 a second) in a run.")
            .like("\"60/s\""),
        Field::absent("size", Takes::Count { least: 1, most: 100_000 }, "required with process = \"burst\", refused without")
            .means("Requests a burst; the bursts are so far apart that the mean rate is `rate`.")
            .like("10"),
    ],
);

static SERVICE: Table = Table::new(
    "The CPU time that each request needs. Demand k is a function of the seed, the tenant, its replica and k alone.",
    &[
        Field::required("cpu", Takes::Duration { least: 1, most: 3600 * SECOND })
            .means("Mean CPU time of a request, at the speed of one busy core.")
            .like("\"4ms\""),
        Field::required("distribution", Takes::Choice(DISTRIBUTIONS))
            .means("How it varies around that mean.")
            .like("\"exponential\""),
        Field::absent(
            "sigma",
            Takes::Real { most: 5.0 },
            "required with distribution = \"lognormal\", refused without",
        )
        .means("Standard deviation of the demand's logarithm; 1 is a heavy tail, 2 a very heavy one.")
        .like("1.0"),
    ],
);

static MEMORY: Table = Table::new(
    "Allocates and touches `start`, page by page, then leaks: every 10 ms it touches what is due by then. One thread; it ends \
     with the run, or when it is killed.",
    &[
        Field::default("start", Takes::Bytes { least: 0, most: BYTES_MOST }, "\"0MiB\"")
            .means("Allocated and touched at the start.")
            .like("\"64MiB\""),
        Field::default("leak", Takes::Bandwidth { least: 0 }, "\"0MiB/s\"")
            .means("Allocated and touched in each second after that, and never given back.")
            .like("\"10MiB/s\""),
        Field::absent("limit_at", Takes::SIZE, "leaks on")
            .means("Leaks no further than this, `start` counted in; at least `start`.")
            .like("\"512MiB\""),
        Field::default("touch", Takes::Choice(&["once", "loop"]), "\"once\"")
            .means("Whether the memory is touched once, or over and over (all of it every 10 ms, as far as the CPU allows), which keeps it hot.")
            .like("\"loop\""),
    ],
);

static DISK: Table = Table::new(
    "Reads or writes a file of the tenant's own, block by block, until `size` is done. The file is laid out before the run \
     and removed after it: natively in TMPDIR, /var/tmp or /tmp, whichever is on a disk first. In a report each block is a \
     request.",
    &[
        Field::required("op", Takes::Choice(OPS)).means("Which operation.").like("\"randread\""),
        Field::required("size", Takes::SIZE).means("Bytes in all, in whole blocks. The file is as large, but at most 256MiB: a larger size goes over it again.").like("\"256MiB\""),
        Field::default("block", Takes::Bytes { least: 512, most: 1 << 30 }, "\"4KiB\"")
            .means("Bytes an operation; at most `size`, and a multiple of 512 unless `cached`, as O_DIRECT demands.")
            .like("\"64KiB\""),
        Field::default("depth", THREADS, "1").means("Operations in flight: threads with one each.").like("8"),
        Field::default("fsync", Takes::Flag, "false").means("Waits after each write until it is on the device.").like("true"),
        Field::absent("rate", Takes::SPEED, "as fast as it goes").means("No operation begins sooner than this speed has it; what is late is made up for.").like("\"20MB/s\""),
        Field::default("cached", Takes::Flag, "false").means("Through the page cache, which holds the file from the start, rather than O_DIRECT. In a guest it is the guest's page cache.").like("true"),
        Field::absent("layer", Takes::Layer, "a file of the tenant's own")
            .means(
                "The file is one that the image's layer of this id consists of, as large as the layer. It goes through the page cache, which \
                 does not hold it at first, so that `cached` has no meaning beside it; a larger `size` goes over it again. Where tenants share a \
                 kernel and their roots are overlays, all that name the layer have one file: the first one reads it from the disk and is \
                 charged its pages, and whoever writes to it has all of it copied up first. In guests each has a copy.",
            )
            .like("\"base\"")
            .becomes("overlayfs: lowerdir"),
    ],
);

static NETWORK: Table = Table::new(
    "Talks to another tenant over TCP: a stream (`bytes`) or request and response (`requests`), one of the two. Each replica has one \
     connection, to replica r mod R of its peer, where one thread more answers all of them, at the peer's own cost. What is sent \
     at once is at most 64KiB.",
    &[
        Field::required("to", Takes::Tenant)
            .means("The other tenant; not itself. When it is killed, this fails.")
            .like("\"web\""),
        Field::absent("bytes", Takes::SIZE, "required without requests")
            .means("A stream of so many bytes; it is done when the peer has read all of it.")
            .like("\"100MiB\""),
        Field::absent("requests", Takes::Count { least: 1, most: 10_000_000 }, "required without bytes")
            .means("So many requests, each with its response before the next.")
            .like("1000"),
        Field::required("size", Takes::Bytes { least: 1, most: 1 << 30 })
            .means("Bytes a message; a response is as large as its request.")
            .like("\"4KiB\""),
    ],
);

static FORK: Table = Table::new(
    "Forks children at regular times, whether or not the last ones are gone (open loop). Each sleeps for its lifetime and exits, and is \
     reaped; a fork that pids.max refuses fails (EAGAIN) and is not tried again. Latency runs from when a fork was due to when its child \
     was reaped.",
    &[
        Field::required("rate", Takes::Rate).means("Processes started, by time. The first comes at once; one that is late is made up for.").like("\"20/s\""),
        Field::required("lifetime", Takes::Duration { least: 0, most: super::takes::DAY })
            .means("How long each sleeps before it exits.")
            .like("\"100ms\""),
        Field::absent("max", Takes::Count { least: 1, most: 4_194_304 }, "unlimited")
            .means("At most this many at once, those that are dead and not reaped included: a fork that is due beyond that waits.")
            .like("50"),
    ],
);

static COMMAND: Table = Table::new(
    "Runs a program natively; the simulator takes the workload `like` in its place.",
    &[
        Field::required("argv", Takes::Texts)
            .means("The program and its arguments. The program is a file of this machine, by its whole path, or by a name that is looked for in the usual folders. It gets PATH and HOME for an environment. Where a tenant has a root of its own, as in a Linux guest, the machine's /bin, /sbin, /lib, /lib64 and /usr are shown in it read-only, and the program's file. At the end of the run it gets SIGTERM, 2 s later SIGKILL.")
            .like("[\"python3\", \"-m\", \"http.server\", \"80\"]")
            .becomes("OCI process.args; Kubernetes containers[].command"),
        Field::absent("probe", Takes::Table(&PROBE), "ready once started")
            .means("How to see that it is ready: one that never is has failed.")
            .like("{ tcp = 80 }"),
        Field::absent("like", Takes::Table(&LIKE), "natively only")
            .means("One of the other kinds, with its fields.")
            .like("{ kind = \"compute\", work = \"1s\" }"),
    ],
);

static PROBE: Table = Table::new(
    "How to see that a program is ready.",
    &[Field::required("tcp", Takes::Count { least: 1, most: 65_535 })
        .means("The port that is open then, on 127.0.0.1 of the tenant's own network.")
        .like("80")
        .becomes("Kubernetes containers[].readinessProbe.tcpSocket.port")],
);

static IDLE: Table = Table::new("Does nothing; it is there, and costs what being there costs.", &[]);
