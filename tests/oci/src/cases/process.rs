//! The program: its arguments, variables, folder, names of its machine, scheduling.

use serde_json::json;

use crate::check::{equal, holds, lists};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "process", cases: CASES };

const CASES: &[Case] = &[
    case("arguments_arrive_as_they_are", "config.md#process: args as of execvp, unchanged", |bed| {
        bed.set(json!({ "process": { "args": ["/probe", "see", "--", "exit", "0", "", "a b", "$HOME", "\"q\"", "한"] } }));
        let said = bed.run()?;
        let answers = crate::bed::answers(&said.out)?;
        equal(
            "arguments",
            &answers[0]["args"],
            &json!(["/probe", "see", "--", "exit", "0", "", "a b", "$HOME", "\"q\"", "한"]),
        )
    }),
    case(
        "a_program_is_found_on_its_path",
        "config.md#process: args as of execvp: a bare name is looked up on PATH",
        |bed| {
            std::fs::create_dir(bed.inside("bin"))?;
            std::fs::hard_link(bed.inside("probe"), bed.inside("bin/tool"))?;
            bed.set(json!({ "process": { "args": ["tool", "see"] } }));
            equal("name", &bed.answers()?[0]["args"][0], "tool")
        },
    ),
    case("variables_arrive", "config.md#process: env as of environ(7)", |bed| {
        let env = ["PATH=/", "ONE=1", "TWO=a=b", "THREE=", "FOUR=x y"];
        bed.set(json!({ "process": { "env": env } }));
        let seen = bed.seen()?;
        env.iter().try_for_each(|one| lists("env", &seen["env"], one))
    }),
    case(
        "the_runtime_s_variables_stay_outside",
        "config.md#process: env lists the variables of the process",
        |bed| {
            bed.set(json!({ "process": { "env": ["PATH=/"] } }));
            let seen = bed.seen()?;
            let count = seen["env"].as_array().map_or(0, Vec::len);
            // A home folder may be added, as shells expect one.
            holds(&format!("at most PATH, HOME: {}", seen["env"]), count <= 2)
        },
    ),
    case("the_working_folder", "config.md#process: cwd is the working directory", |bed| {
        bed.set(json!({ "process": { "cwd": "/tmp" } }));
        equal("cwd", &bed.seen()?["cwd"], "/tmp")
    }),
    case("the_working_folder_may_be_a_mount", "config.md#process: cwd is a path of the container", |bed| {
        std::fs::create_dir(bed.file("work"))?;
        bed.bind("work", "/work", &["bind"]);
        bed.set(json!({ "process": { "cwd": "/work", "args": ["/probe", "see", "--", "touch", "here"] } }));
        equal("cwd", &bed.answers()?[0]["cwd"], "/work")?;
        holds("the file is there", bed.file("work/here").is_file())
    }),
    case("the_host_name", "config.md#hostname: as processes inside see it", |bed| {
        bed.set(json!({ "hostname": "tenant-7" }));
        equal("hostname", &bed.seen()?["hostname"], "tenant-7")
    }),
    case("the_domain_name", "config.md#domainname: as processes inside see it", |bed| {
        bed.set(json!({ "domainname": "example.org" }));
        equal("domainname", &bed.seen()?["domainname"], "example.org")
    })
    .since("1.1.0"),
    case(
        "no_new_privileges",
        "config.md#linux-process: noNewPrivileges keeps from gaining privileges",
        |bed| {
            bed.set(json!({ "process": { "noNewPrivileges": true } }));
            equal("NoNewPrivs", &bed.seen()?["status"]["NoNewPrivs"], "1")
        },
    ),
    case(
        "new_privileges_are_the_default",
        "config.md#linux-process: noNewPrivileges is false by default",
        |bed| equal("NoNewPrivs", &bed.seen()?["status"]["NoNewPrivs"], "0"),
    ),
    case(
        "oom_score_adj_is_set",
        "config.md#linux-process: oomScoreAdj is the process's oom_score_adj",
        |bed| {
            bed.set(json!({ "process": { "oomScoreAdj": 321 } }));
            equal("oom_score_adj", &bed.seen()?["oom_score_adj"], 321)
        },
    ),
    case(
        "oom_score_adj_is_left_alone",
        "config.md#linux-process: without oomScoreAdj it must not be changed",
        |bed| {
            let own: i64 =
                std::fs::read_to_string("/proc/self/oom_score_adj")?.trim().parse().unwrap_or_default();
            equal("oom_score_adj", &bed.seen()?["oom_score_adj"], own)
        },
    ),
    case(
        "a_profile_where_there_is_no_apparmor",
        "config.md#linux-process: apparmorProfile is the profile of the process: without AppArmor it can't be",
        |bed| {
            if std::path::Path::new("/sys/module/apparmor/parameters/enabled").exists() {
                return crate::check::skip("this kernel has AppArmor");
            }
            bed.set(json!({ "process": { "apparmorProfile": "some-profile" } }));
            bed.refused_or_not_started()
        },
    ),
    case(
        "a_label_where_there_is_no_selinux",
        "config.md#linux-process: selinuxLabel is the label of the process: without SELinux it can't be",
        |bed| {
            if std::path::Path::new("/sys/fs/selinux/enforce").exists() {
                return crate::check::skip("this kernel has SELinux");
            }
            bed.set(json!({ "process": { "selinuxLabel": "system_u:system_r:svirt_t:s0" } }));
            bed.refused_or_not_started()
        },
    ),
    case(
        "a_label_of_mounts_where_there_is_no_selinux",
        "config-linux.md#mount-label: mountLabel is the label of the mounts: without SELinux it can't be",
        |bed| {
            if std::path::Path::new("/sys/fs/selinux/enforce").exists() {
                return crate::check::skip("this kernel has SELinux");
            }
            bed.set(json!({ "linux": { "mountLabel": "system_u:object_r:svirt_t:s0" } }));
            bed.refused_or_not_started()
        },
    ),
    case("a_personality_of_32_bits", "config-linux.md#personality: domain LINUX32", |bed| {
        bed.set(json!({ "linux": { "personality": { "domain": "LINUX32" } } }));
        equal("personality", &bed.seen()?["personality"], "00000008")
    })
    .since("1.1.0"),
    case("a_personality_that_is_the_default", "config-linux.md#personality: domain LINUX", |bed| {
        bed.set(json!({ "linux": { "personality": { "domain": "LINUX" } } }));
        equal("personality", &bed.seen()?["personality"], "00000000")
    }),
    case("a_policy_of_scheduling", "config.md#linux-process: scheduler sets policy and nice value", |bed| {
        bed.set(json!({ "process": { "scheduler": { "policy": "SCHED_BATCH", "nice": 5 } } }));
        let seen = bed.seen()?;
        equal(
            "policy (SCHED_BATCH is 3) and nice",
            &seen["scheduling"],
            &json!({ "policy": 3, "priority": 0, "nice": 5 }),
        )
    })
    .since("1.1.0"),
    case("a_policy_for_idle_times", "config.md#linux-process: scheduler sets the policy", |bed| {
        bed.set(json!({ "process": { "scheduler": { "policy": "SCHED_IDLE" } } }));
        equal("policy (SCHED_IDLE is 5)", &bed.seen()?["scheduling"]["policy"], 5)
    })
    .since("1.1.0"),
    case(
        "a_priority_of_input_and_output",
        "config.md#linux-process: ioPriority sets class and priority",
        |bed| {
            bed.set(json!({ "process": { "ioPriority": { "class": "IOPRIO_CLASS_IDLE", "priority": 0 } } }));
            bed.up()?;
            let pid = bed.pid()?.to_string();
            let Ok(said) = std::process::Command::new("ionice").args(["-p", &pid]).output() else {
                return crate::check::skip("there is no ionice (of util-linux) to ask");
            };
            let said = String::from_utf8_lossy(&said.stdout).into_owned();
            holds(&format!("the class is idle: {said:?}"), said.trim().starts_with("idle"))
        },
    )
    .since("1.1.0"),
    case(
        "the_cpus_of_the_program",
        "config.md#linux-process: execCPUAffinity.final holds once the program runs",
        |bed| {
            bed.set(json!({ "process": { "execCPUAffinity": { "initial": "0", "final": "0" } } }));
            bed.up()?;
            // It is of what `exec` starts, by the process that it is given.
            let mut process = bed.config["process"].clone();
            process["args"] = json!(["/probe", "see"]);
            std::fs::write(bed.file("process.json"), process.to_string())?;
            let (id, file) = (bed.id.clone(), bed.place("process.json"));
            let said = bed.must(&["exec", "--process", &file, &id])?;
            equal(
                "Cpus_allowed_list",
                &crate::bed::answers(&said.out)?[0]["status"]["Cpus_allowed_list"],
                "0",
            )
        },
    )
    .since("1.2.1"),
];
