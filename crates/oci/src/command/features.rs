//! `features`: what this runtime can do (runtime specification 1.3, features.md).

use serde_json::{Value, json};

use crate::{capabilities, check, mounts};

/// The document.
#[must_use]
pub fn features() -> Value {
    let mount_options: Vec<_> = mounts::known().collect();
    let names: Vec<_> = capabilities::known().collect();
    json!({
        "ociVersionMin": "1.0.0",
        "ociVersionMax": "1.3.0",
        "hooks": ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
        "mountOptions": mount_options,
        "linux": {
            "namespaces": ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"],
            "capabilities": names,
            "cgroup": { "v1": true, "v2": true, "systemd": false, "systemdUser": false, "rdma": false },
            "seccomp": seccomp(),
            "apparmor": { "enabled": true },
            "selinux": { "enabled": true },
            "intelRdt": { "enabled": true, "schemata": true, "monitoring": true },
            "memoryPolicy": { "modes": check::MEMORY_MODES, "flags": check::MEMORY_FLAGS },
            "mountExtensions": { "idmap": { "enabled": true } },
            "netDevices": { "enabled": true },
        },
    })
}

/// Actions, operators and architectures that a filter may name.
fn seccomp() -> Value {
    let flags = ["TSYNC", "LOG", "SPEC_ALLOW", "WAIT_KILLABLE_RECV"]
        .map(|flag| format!("SECCOMP_FILTER_FLAG_{flag}"));
    let actions = ["KILL", "KILL_PROCESS", "KILL_THREAD", "TRAP", "ERRNO", "TRACE", "NOTIFY", "LOG", "ALLOW"];
    let operators =
        ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"].map(|operator| format!("SCMP_CMP_{operator}"));
    let architectures = ["X86_64", "X32", "X86", "AARCH64", "ARM"].map(|name| format!("SCMP_ARCH_{name}"));
    json!({
        "enabled": true,
        "actions": actions.map(|action| format!("SCMP_ACT_{action}")),
        "operators": operators,
        "archs": architectures,
        "knownFlags": flags.clone(),
        "supportedFlags": flags,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_spec::runtime::LinuxSeccomp;

    #[test]
    fn what_is_listed_of_memory_policies_is_read() {
        for mode in check::MEMORY_MODES {
            for flag in check::MEMORY_FLAGS {
                let policy = json!({"mode": mode, "flags": [flag]});
                assert!(
                    serde_json::from_value::<oci_spec::runtime::LinuxMemoryPolicy>(policy).is_ok(),
                    "{mode} {flag}"
                );
            }
        }
    }

    #[test]
    fn what_is_listed_of_seccomp_is_taken() {
        let listed = seccomp();
        let words = |name: &str| listed[name].as_array().unwrap().clone();
        let arguments = |operator: &Value| json!([{"index": 0, "value": 1, "valueTwo": 1, "op": operator}]);
        let rules: Vec<_> = words("operators")
            .iter()
            .map(|operator| json!({"names": ["read"], "action": "SCMP_ACT_LOG", "args": arguments(operator)}))
            .collect();
        for action in words("actions") {
            let filter = json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": words("archs"),
                "flags": ["SECCOMP_FILTER_FLAG_LOG"], "listenerPath": "/x", "syscalls": [{"names": ["mkdir"], "action": action}]});
            let filter: LinuxSeccomp = serde_json::from_value(filter).unwrap();
            crate::seccomp::compile(&filter).unwrap();
        }
        let filter =
            json!({"defaultAction": "SCMP_ACT_ALLOW", "flags": words("supportedFlags"), "syscalls": rules});
        let filter: LinuxSeccomp = serde_json::from_value(filter).unwrap();
        crate::seccomp::compile(&filter).unwrap();
    }
}
