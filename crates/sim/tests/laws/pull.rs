//! Images: a pull on paper, shared layers, one link for all, and caches.

use catamaran_report::report::{Report, StageRow};
use catamaran_scenario::Calibration;
use catamaran_scenario::calibration::StartupStage;

use crate::common::{plan, run};

/// A machine that starts containers in no time, so that a pull begins at once.
fn instant() -> Calibration {
    let mut calibration = Calibration::reference();
    let stage = || StartupStage { name: "start".into(), actor: "engine".into(), median_ns: 0 };
    for platform in catamaran_scenario::Platform::ALL {
        calibration.startup.insert(*platform, vec![stage()]);
    }
    calibration
}

/// A link of 10 MB/s and 10 ms each way; unpacking at 20 MB/s.
const HOST: &str = "network = { bandwidth = \"10MB/s\", latency = \"10ms\" }\nunpack = \"20MB/s\"\n";

fn image(name: &str, layers: &[(&str, u64)], more: &str) -> String {
    let layers: Vec<String> =
        layers.iter().map(|(id, mb)| format!("{{ id = \"{id}\", size = \"{mb}MB\" }}")).collect();
    format!("[[image]]\nname = \"{name}\"\nlayers = [{}]\n{more}\n", layers.join(", "))
}

fn tenant(name: &str, image: &str, more: &str) -> String {
    format!("[[tenant]]\nname = \"{name}\"\nimage = \"{image}\"\n{more}workload = {{ kind = \"idle\" }}\n")
}

fn report(platform: &str, text: &str) -> Report {
    run(&plan(1, "1h", platform, text), &instant()).report
}

fn stage<'a>(report: &'a Report, index: usize, name: &str) -> Option<&'a StageRow> {
    report.tenants[index].startup_stages.iter().find(|stage| stage.name == name)
}

fn span(report: &Report, index: usize, name: &str) -> (f64, f64) {
    stage(report, index, name).and_then(StageRow::span).unwrap_or_else(|| panic!("{name}"))
}

/// To the microsecond: lengths begin at nothing.
fn near(what: &str, value_s: f64, expected_s: f64) {
    assert!((value_s - expected_s).abs() < 1e-6, "{what}: {value_s} s, not {expected_s} s");
}

#[test]
fn a_pull_is_as_on_paper() {
    let layers = [("base", 30), ("lib", 10), ("app", 20), ("conf", 10)];
    let text = format!("{HOST}{}{}", image("shop", &layers, ""), tenant("shop", "shop", ""));
    let report = report("docker", &text);
    // Manifest and configuration: two round trips of 20 ms. Three layers at a time, a round trip each before the first byte.
    // From 60 ms on three share 10 MB/s: lib has its 10 MB after 3 s. From then on base (20 left) and app (10 left) share, and
    // conf asks: it flows 20 ms later. In these 20 ms each of the two has 0.1 MB. Then a third each: app's 9.9 MB and conf's
    // 10 take 2.97 s and 0.02 s more at half the link (conf has 0.1 left, and base 10).
    let expected = [
        ("resolve", 0.0, 0.04),
        ("pull base", 0.04, 0.06 + 7.0),
        ("pull lib", 0.04, 3.06),
        ("pull app", 0.04, 3.06 + 0.02 + 2.97),
        ("pull conf", 3.06, 3.06 + 0.02 + 2.97 + 0.02),
        ("unpack base", 7.06, 8.56),
        ("unpack lib", 8.56, 9.06),
        ("unpack app", 9.06, 10.06),
        ("unpack conf", 10.06, 10.56),
    ];
    for (name, start_s, end_s) in expected {
        let (start, end) = span(&report, 0, name);
        near(&format!("{name} begins"), start, start_s);
        near(&format!("{name} ends"), end, end_s);
    }
    near("start", report.tenants[0].startup_s.unwrap(), 10.56);
    let sources: Vec<_> =
        report.tenants[0].startup_stages.iter().map(|stage| stage.source.as_deref()).collect();
    assert!(sources.contains(&Some("host.network.bandwidth")) && sources.contains(&Some("host.unpack")));
}

#[test]
fn one_transfer_at_a_time_is_a_queue() {
    let layers = [("a", 10), ("b", 20), ("c", 30)];
    let text = format!("{HOST}{}{}", image("shop", &layers, ""), tenant("shop", "shop", ""));
    // rkt: one after the other, a round trip of 20 ms before each.
    let one = report("rkt", &text);
    for (name, end_s) in [("pull a", 1.06), ("pull b", 3.08), ("pull c", 6.10)] {
        near(name, span(&one, 0, name).1, end_s);
    }
    // The link is the same for all: the bytes come no sooner, but for the round trips.
    let six = report("podman", &text);
    near("podman", span(&six, 0, "pull c").1, 6.06);
}

#[test]
fn layers_are_fetched_and_unpacked_once() {
    let images = format!(
        "{}{}",
        image("shop", &[("base", 40), ("shop", 10)], ""),
        image("blog", &[("base", 40), ("blog", 10)], "")
    );
    let late = tenant("late", "blog", "start_at = \"10m\"\n");
    let text = format!("{HOST}{images}{}{}{late}", tenant("shop", "shop", ""), tenant("blog", "blog", ""));
    let report = report("containerd", &text);
    // 60 MB of layers, not 100, over 10 MB/s.
    let end = |index: usize, name: &str| span(&report, index, name).1;
    near("the last byte", end(0, "pull base"), 0.06 + 6.0);
    assert_eq!(span(&report, 0, "pull base"), span(&report, 1, "pull base"), "both wait for one transfer");
    assert_eq!(span(&report, 0, "unpack base"), span(&report, 1, "unpack base"), "and for one unpacking");
    assert!(stage(&report, 1, "pull shop").is_none());
    assert_eq!(report.tenants[2].startup_s, Some(0.0), "an image that is there is not asked for");
}

#[test]
fn a_cached_image_is_there_and_lends_its_layers() {
    let images = |cached: &str| {
        format!(
            "{}{}",
            image("base", &[("base", 40)], cached),
            image("shop", &[("base", 40), ("shop", 10)], "")
        )
    };
    let text = |cached: &str| {
        format!("{HOST}{}{}{}", images(cached), tenant("shop", "shop", ""), tenant("plain", "base", ""))
    };
    let warm = report("cri-o", &text("cached = true"));
    near("shop", warm.tenants[0].startup_s.unwrap(), 0.06 + 1.0 + 0.5);
    assert!(stage(&warm, 0, "pull base").is_none());
    assert_eq!(warm.tenants[1].startup_s, Some(0.0));
    let cold = report("cri-o", &text(""));
    near("cold", cold.tenants[0].startup_s.unwrap(), 0.06 + 5.0 + 2.0 + 0.5);
}

#[test]
fn the_kubelet_pulls_one_image_at_a_time() {
    let images = format!("{}{}", image("a", &[("a", 10)], ""), image("b", &[("b", 10)], ""));
    let text = format!("{HOST}{images}{}{}", tenant("a", "a", ""), tenant("b", "b", ""));
    let (kubelet, alone) = (report("kubernetes", &text), report("containerd", &text));
    let end = |report: &Report, name: &str, index: usize| span(report, index, name).1;
    near("a", end(&kubelet, "unpack a", 0), 0.06 + 1.0 + 0.5);
    near("b waits for a", end(&kubelet, "pull-queue", 1), 1.56);
    near("b", end(&kubelet, "unpack b", 1), 3.12);
    // Without a kubelet both come at once, and each takes as long as both.
    near("both", end(&alone, "pull a", 0), 2.06);
    near("both", end(&alone, "pull b", 1), 2.06);
}

#[test]
fn without_the_machines_figures_a_pull_is_unknown() {
    let rest = format!("{}{}", image("shop", &[("base", 10)], ""), tenant("shop", "shop", ""));
    let known = |host: &str| {
        let report = report("docker", &format!("{host}{rest}"));
        let row = &report.tenants[0];
        let lengths = row.startup_stages.iter().map(|stage| stage.length().is_some()).collect::<Vec<_>>();
        (lengths, row.startup_s.is_some(), row.absent.get("startup_s").cloned().unwrap_or_default())
    };
    let (lengths, whole, why) = known("");
    assert_eq!((lengths, whole), (vec![false, false, true], false));
    assert!(why.contains("pull base (needs host.network.bandwidth)"), "{why}");
    let (lengths, whole, why) = known("network = { bandwidth = \"10MB/s\" }\n");
    assert_eq!((lengths, whole), (vec![true, false, true], false));
    assert!(why.contains("unpack base (needs host.unpack)"), "{why}");
    let (lengths, whole, _) = known("network = { bandwidth = \"10MB/s\" }\nunpack = \"10MB/s\"\n");
    assert_eq!((lengths, whole), (vec![true; 3], true));
}

#[test]
fn a_root_directory_is_no_image() {
    let text = format!("{}{}", image("shop", &[("base", 10)], ""), tenant("shop", "shop", ""));
    let row = report("runc", &text).tenants.swap_remove(0);
    assert!(row.absent.contains_key("tenant.image"));
    assert_eq!(row.startup_s, Some(0.0));
}
