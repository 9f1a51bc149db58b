//! What a runtime says of itself.

use serde_json::Value;

use crate::bed::Bed;
use crate::check::{Verdict, equal, holds, lists};
use crate::runtime::version;
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "features", cases: CASES };

fn features(bed: &mut Bed) -> Verdict<Value> {
    let said = bed.must(&["features"])?;
    Ok(serde_json::from_str(&said.out)?)
}

const CASES: &[Case] = &[
    case(
        "versions",
        "features.md#specification-version: ociVersionMin and ociVersionMax are required",
        |bed| {
            let features = features(bed)?;
            let of = |name: &str| features[name].as_str().and_then(version);
            let (least, most) = (of("ociVersionMin"), of("ociVersionMax"));
            holds(&format!("{least:?} is at most {most:?}"), least.is_some() && least <= most)
        },
    )
    .since("1.1.0"),
    case("hooks", "features.md#hooks: names of the hooks", |bed| {
        let features = features(bed)?;
        let all = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];
        all.iter().try_for_each(|name| lists("hooks", &features["hooks"], name))
    })
    .since("1.1.0"),
    case("mount_options", "features.md#mount-options: names of the options", |bed| {
        let features = features(bed)?;
        let some = ["ro", "rro", "nosuid", "noexec", "nodev", "rbind", "rprivate", "rslave", "noatime"];
        some.iter().try_for_each(|name| lists("mountOptions", &features["mountOptions"], name))
    })
    .since("1.1.0"),
    case("namespaces", "features.md#namespaces: kinds of namespaces", |bed| {
        let features = features(bed)?;
        let some = ["cgroup", "ipc", "mount", "network", "pid", "user", "uts"];
        some.iter().try_for_each(|name| lists("namespaces", &features["linux"]["namespaces"], name))
    })
    .since("1.1.0"),
    case("capabilities", "features.md#capabilities: names of capabilities", |bed| {
        let features = features(bed)?;
        lists("capabilities", &features["linux"]["capabilities"], "CAP_CHECKPOINT_RESTORE")
    })
    .since("1.1.0"),
    case("control_groups", "features.md#cgroup: which versions it can", |bed| {
        let features = features(bed)?;
        let cgroup = &features["linux"]["cgroup"];
        equal("v1", &cgroup["v1"], true)?;
        equal("v2", &cgroup["v2"], true)
    })
    .since("1.1.0"),
    case("seccomp", "features.md#seccomp: actions, operators, architectures", |bed| {
        let features = features(bed)?;
        let seccomp = &features["linux"]["seccomp"];
        equal("enabled", &seccomp["enabled"], true)?;
        ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_NOTIFY"]
            .iter()
            .try_for_each(|name| lists("actions", &seccomp["actions"], name))?;
        lists("operators", &seccomp["operators"], "SCMP_CMP_MASKED_EQ")?;
        lists("archs", &seccomp["archs"], "SCMP_ARCH_X86_64")
    })
    .since("1.1.0"),
    case("newer_properties", "features.md#mount-extensions: idmap mounts, with 1.2", |bed| {
        let features = features(bed)?;
        equal("idmap", &features["linux"]["mountExtensions"]["idmap"]["enabled"], true)
    })
    .since("1.2.0"),
    case("the_version_line", "runc: --version names the specification", |bed| {
        let said = bed.must(&["--version"])?;
        let line = said.out.lines().find_map(|line| line.trim().strip_prefix("spec:"));
        holds(
            &format!("a line `spec: X.Y.Z` is in {:?}", said.out),
            line.and_then(|text| version(text.trim())).is_some(),
        )
    }),
];
