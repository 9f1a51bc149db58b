//! containerd by its client `ctr`: each container has a shim (`containerd-shim-runc-v2`), which calls the runtime.

use std::path::Path;

use catamaran_scenario::Platform;
use catamaran_worker::room_plan::Said;

use super::{Call, Calls, Container, Daemon, Laid, Place, owned, text};
use crate::cgroup::MemoryLimits;

pub(in super::super) struct Containerd;

pub(in super::super) const CONTAINERD: Containerd = Containerd;

impl Containerd {
    fn words(at: &Place) -> Vec<String> {
        vec![at.program(1), "--address".to_owned(), at.stored("containerd.sock")]
    }
}

impl Calls for Containerd {
    fn programs(&self) -> &'static [&'static str] {
        &["containerd", "ctr"]
    }

    fn remedy(&self) -> &'static str {
        "apt-get install containerd"
    }

    fn runtime(&self) -> Option<Platform> {
        Some(Platform::Runc)
    }

    /// `ctr run` has none for a set of cores, processes, swap and disk operations.
    fn takes_all_limits(&self) -> bool {
        false
    }

    fn daemon(&self, at: &Place) -> Option<Daemon> {
        let configuration = at.folder.join("containerd.toml");
        // CRI is for the kubelet; its absence keeps the daemon from looking for networks.
        let text = format!(
            "version = 2\nroot = {:?}\nstate = {:?}\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
             [grpc]\naddress = {:?}\n",
            at.stored("root"),
            at.stored("state"),
            at.stored("containerd.sock"),
        );
        let words = vec![at.program(0), "--config".to_owned(), super::text(&configuration)];
        let call = Call { laid_out: vec![Laid::File(configuration, text)], words };
        Some(Daemon { call, answers: [Self::words(at), owned(["version"])].concat() })
    }

    fn load(&self, at: &Place, archive: &Path) -> Vec<String> {
        [Self::words(at), owned(["images", "import"]), vec![text(archive)]].concat()
    }

    fn pull(&self, at: &Place, from: &str) -> Vec<String> {
        [Self::words(at), owned(["images", "pull", "--plain-http", from])].concat()
    }

    fn puller(&self) -> &'static str {
        "containerd"
    }

    fn events(&self, at: &Place) -> Option<Daemon> {
        let words = [Self::words(at), owned(["events"])].concat();
        let answers = [Self::words(at), owned(["namespaces", "create"])].concat();
        Some(Daemon { call: words.into(), answers })
    }

    fn unpacked_in(&self, told: &str, of_day_ns: u64) -> Vec<(u64, u64)> {
        let mut begun = std::collections::BTreeMap::new();
        let mut spans = Vec::new();
        for (topic, key, ago_ns) in told.lines().filter_map(|line| snapshot(line, of_day_ns)) {
            match topic {
                "/snapshot/prepare" => drop(begun.insert(key, ago_ns)),
                "/snapshot/commit" => spans.extend(begun.remove(&key).map(|from_ns| (from_ns, ago_ns))),
                _ => {}
            }
        }
        spans
    }

    fn start(&self, at: &Place, container: &Container<'_>) -> Call {
        let limits = container.limits;
        let mut words = [Self::words(at), owned(["run", "--detach", "--null-io", "--seccomp"])].concat();
        let fixed = [("--runc-binary", text(&at.runtime)), ("--runc-root", at.stored("runtime"))];
        words.extend(fixed.into_iter().flat_map(|(option, value)| [option.to_owned(), value]));
        words.extend(["--cgroup".to_owned(), format!("{}/{}", at.parent, container.name)]);
        for (file, at) in container.binds() {
            words.push(format!("--mount=type=bind,src={file},dst={at},options=rbind:rw"));
        }
        words.extend(container.programs.iter().map(|path| {
            let path = text(path);
            format!("--mount=type=bind,src={path},dst={path},options=bind:ro:nosuid:nodev")
        }));
        words.extend(limits.shares.map(|shares| format!("--cpu-shares={shares}")));
        if let Some(quota_us) = limits.quota_us {
            words.push(format!("--cpu-quota={quota_us}"));
            words.push(format!("--cpu-period={}", limits.period_us));
        }
        if let MemoryLimits { max: Some(max), .. } = limits.memory {
            words.push(format!("--memory-limit={max}"));
        }
        words.extend([container.image.clone(), container.name.to_owned()]);
        words.extend(container.words.iter().cloned());
        words.into()
    }

    fn ask_end(&self, at: &Place, name: &str) -> Vec<String> {
        [Self::words(at), owned(["task", "delete", name])].concat()
    }

    /// `ctr task delete` is silent about 0.
    fn code_in(&self, said: &Said) -> Option<i32> {
        let Some((_, code)) = said.err.split_once("exit code ") else { return said.is_well().then_some(0) };
        code.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    }
}

/// What a line of `ctr events` tells of a layer that is being unpacked: the topic, the snapshot's key and how long ago it was (ns).
fn snapshot(line: &str, of_day_ns: u64) -> Option<(&str, String, u64)> {
    let mut words = line.splitn(7, ' ');
    let (_date, time, offset) = (words.next()?, words.next()?, words.next()?);
    let (_zone, _namespace, topic) = (words.next()?, words.next()?, words.next()?);
    let event: serde_json::Value = serde_json::from_str(words.next()?).ok()?;
    // So are those called that are made for unpacking (containerd's `rootfs/apply.go`).
    let key = event.get("key")?.as_str().filter(|key| key.starts_with("extract-"))?;
    let mut parts = time.split(':').map(|part| part.parse::<f64>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let at_ns = (((hours * 60.0 + minutes) * 60.0 + seconds) * 1e9) as u64;
    (offset == "+0000").then(|| (topic, key.to_owned(), (of_day_ns + DAY_NS - at_ns) % DAY_NS))
}

/// A day (ns).
pub(in super::super) const DAY_NS: u64 = 86_400_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_read_from_what_ctr_says() {
        let said = |end: &str, err: &str| Said { end: end.into(), out: String::new(), err: err.into() };
        let warning = "time=\"2026-11-27T03:02:03Z\" level=warning msg=\"task web.1 exit with non-zero exit code 137\"\n";
        let table = [
            (said("1", warning), Some(137)),
            (said("0", ""), Some(0)),
            (said("1", "ctr: not found"), None),
            (said("1", "exit code unknown"), None),
        ];
        for (said, expected) in table {
            assert_eq!(CONTAINERD.code_in(&said), expected, "{said:?}");
        }
    }

    #[test]
    fn when_layers_were_unpacked_is_read_from_its_events() {
        let line = |time: &str, topic: &str, event: &str| {
            format!("2026-11-27 {time} +0000 UTC default {topic} {{{event}}}\n")
        };
        let key = r#""key":"extract-1-x sha256:a","snapshotter":"overlayfs""#;
        let told = [
            line("23:59:58.5", "/snapshot/prepare", key),
            line("23:59:59", "/snapshot/prepare", r#""key":"web.0""#),
            line("00:00:01.25", "/snapshot/commit", key),
            line("00:00:02", "/snapshot/commit", key),
            "no event".to_owned(),
        ];
        // Three seconds after midnight.
        let spans = CONTAINERD.unpacked_in(&told.concat(), 3_000_000_000);
        assert_eq!(spans, [(4_500_000_000, 1_750_000_000)]);
        let elsewhere = told.concat().replace("+0000", "+0900");
        assert_eq!(CONTAINERD.unpacked_in(&elsewhere, 3_000_000_000), []);
    }
}
