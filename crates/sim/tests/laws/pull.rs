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

/// A blob of the slow twin.
#[derive(Clone, Copy)]
struct Blob {
    size_mb: f64,
    left_mb: f64,
    flows_s: Option<f64>,
    there_s: Option<f64>,
    owner: usize,
}

const LINK_MB: f64 = 10.0;
const ROUND_TRIP_S: f64 = 0.02;

/// The slow twin: at each instant everything is worked out from scratch. When each blob is there (s).
fn twin(pulls: &[(f64, Vec<usize>)], parallel: usize, sizes_mb: &[f64]) -> Vec<Option<f64>> {
    let blob = |&size_mb: &f64| Blob { size_mb, left_mb: size_mb, flows_s: None, there_s: None, owner: 0 };
    let mut blobs: Vec<Blob> = sizes_mb.iter().map(blob).collect();
    let mut now = 0.0;
    loop {
        for (own, (asked_s, layers)) in pulls.iter().enumerate() {
            for &layer in layers.iter().filter(|_| asked_s + 2.0 * ROUND_TRIP_S <= now + 1e-9) {
                let is_flying =
                    |blob: &&Blob| blob.flows_s.is_some() && blob.there_s.is_none() && blob.owner == own;
                let flying = blobs.iter().filter(is_flying).count();
                if blobs[layer].flows_s.is_none() && flying < parallel {
                    blobs[layer] = Blob { flows_s: Some(now + ROUND_TRIP_S), owner: own, ..blobs[layer] };
                }
            }
        }
        let flows = |blob: &Blob| blob.there_s.is_none() && blob.flows_s.is_some_and(|at| at <= now + 1e-9);
        let rate = LINK_MB / blobs.iter().filter(|blob| flows(blob)).count() as f64;
        let ends = blobs.iter().filter(|blob| flows(blob)).map(|blob| now + blob.left_mb / rate);
        let begins = blobs
            .iter()
            .filter_map(|blob| blob.flows_s)
            .chain(pulls.iter().map(|pull| pull.0 + 2.0 * ROUND_TRIP_S));
        let next = ends.chain(begins.filter(|at| *at > now + 1e-9)).fold(f64::INFINITY, f64::min);
        if next.is_infinite() {
            return blobs.iter().map(|blob| blob.there_s).collect();
        }
        let flowing: Vec<usize> = (0..blobs.len()).filter(|&index| flows(&blobs[index])).collect();
        for index in flowing {
            blobs[index].left_mb -= rate * (next - now);
            if blobs[index].left_mb < 1e-9 * blobs[index].size_mb {
                blobs[index].there_s = Some(next);
            }
        }
        now = next;
    }
}

#[test]
fn pulls_are_those_of_a_slow_twin() {
    let mut state = 7_u64;
    let mut below = |bound: u64| {
        // Knuth's MMIX generator; its upper bits.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    for case in 0..200 {
        let (platform, parallel) = [("rkt", 1), ("docker", 3), ("podman", 6)][case % 3];
        let sizes_kb: Vec<u64> = (0..9).map(|_| 1 + below(20_000)).collect();
        let mut text = HOST.replace("20MB/s", "100GB/s");
        let images: Vec<Vec<usize>> = (0..3)
            .map(|_| {
                let mut layers: Vec<usize> = (0..1 + below(8)).map(|_| below(9) as usize).collect();
                let mut seen = std::collections::BTreeSet::new();
                layers.retain(|layer| seen.insert(*layer));
                layers
            })
            .collect();
        for (index, layers) in images.iter().enumerate() {
            let layer = |&layer: &usize| format!("{{ id = \"{layer}\", size = \"{}kB\" }}", sizes_kb[layer]);
            let layers: Vec<String> = layers.iter().map(layer).collect();
            text += &format!("[[image]]\nname = \"i{index}\"\nlayers = [{}]\n", layers.join(", "));
        }
        let mut pulls = Vec::new();
        for index in 0..1 + below(5) {
            let (image, start_ms) = (below(3), below(4000));
            let start = format!("start_at = \"{start_ms}ms\"\n");
            text += &tenant(&format!("t{index}"), &format!("i{image}"), &start);
            pulls.push((start_ms as f64 / 1e3, images[image as usize].clone()));
        }
        let sizes_mb: Vec<f64> = sizes_kb.iter().map(|kb| *kb as f64 / 1e3).collect();
        let there_s = twin(&pulls, parallel, &sizes_mb);
        let report = report(platform, &text);
        for (index, (asked_s, layers)) in pulls.iter().enumerate() {
            for &layer in layers {
                let expected_s = there_s[layer].unwrap_or_else(|| panic!("case {case}: {layer} never came"));
                let found = stage(&report, index, &format!("pull {layer}")).and_then(StageRow::span);
                let missed = expected_s > asked_s + 2.0 * ROUND_TRIP_S + 1e-6;
                assert_eq!(found.is_some(), missed, "case {case}, tenant {index}, layer {layer}\n{text}");
                if let Some((_, end_s)) = found {
                    near(
                        &format!("case {case}, tenant {index}, layer {layer}\n{text}"),
                        asked_s + end_s,
                        expected_s,
                    );
                }
            }
        }
    }
}
