//! Common random numbers: what they depend on and what not, their distribution, and their very values.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests panic as tests do")]

use catamaran_scenario::Plan;
use catamaran_scenario::draw::{Request, Requests};
use proptest::prelude::*;

/// A scenario with one server.
struct Given<'a> {
    seed: u64,
    tenant: &'a str,
    duration: &'a str,
    arrivals: &'a str,
    service: &'a str,
    rest: &'a str,
}

const PLAIN: Given<'_> = Given {
    seed: 7,
    tenant: "web",
    duration: "100s",
    arrivals: r#"process = "poisson", rate = "1000/s""#,
    service: r#"cpu = "1ms", distribution = "exponential""#,
    rest: "",
};

impl Given<'_> {
    fn plan(&self) -> Plan {
        let Self { seed, tenant, duration, arrivals, service, rest } = self;
        let text = format!(
            "schema = \"catamaran/scenario/v1\"\nname = \"draws\"\nseed = {seed}\nduration = \"{duration}\"\n\
             platforms = [\"bare-metal\"]\n[[tenant]]\nname = \"{tenant}\"\nreplicas = 3\n{rest}\n\
             workload = {{ kind = \"server\", arrivals = {{ {arrivals} }}, service = {{ {service} }} }}\n"
        );
        parse(&text)
    }

    fn draw(&self, replica: u32) -> Vec<Request> {
        Requests::new(&self.plan(), 0, replica, 0).expect("a server").collect()
    }
}

fn parse(text: &str) -> Plan {
    Plan::from_toml(text, "draws.toml").unwrap_or_else(|error| panic!("{error}"))
}

fn gaps(requests: &[Request]) -> Vec<f64> {
    let before = std::iter::once(0).chain(requests.iter().map(|request| request.arrival_ns));
    before.zip(requests).map(|(before, request)| (request.arrival_ns - before) as f64).collect()
}

fn demands(requests: &[Request]) -> Vec<f64> {
    requests.iter().map(|request| request.demand_ns as f64).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation over mean.
fn variation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    variance.sqrt() / mean
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let covariance =
        a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum::<f64>() / a.len().min(b.len()) as f64;
    covariance / (variation(a) * mean_a * variation(b) * mean_b)
}

fn assert_near(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found / expected - 1.0).abs() < tolerance, "{what}: {found}, expected {expected}");
}

#[test]
fn exponential_gaps_and_demands() {
    // 100,000 draws: the standard error of a mean is 0.3 %; the bound is five of it.
    let requests = PLAIN.draw(0);
    assert_near(requests.len() as f64, 100_000.0, 0.016, "requests");
    assert_near(mean(&gaps(&requests)), 1e6, 0.016, "mean gap (ns)");
    assert_near(variation(&gaps(&requests)), 1.0, 0.02, "variation of gaps");
    assert_near(mean(&demands(&requests)), 1e6, 0.016, "mean demand (ns)");
    assert_near(variation(&demands(&requests)), 1.0, 0.02, "variation of demands");
    let beyond_mean = demands(&requests).iter().filter(|demand| **demand > 1e6).count() as f64;
    assert_near(beyond_mean / requests.len() as f64, (-1.0f64).exp(), 0.025, "demands above the mean");
}

#[test]
fn lognormal_demands() {
    for sigma in [0.5, 1.0] {
        let service = format!("cpu = \"1ms\", distribution = \"lognormal\", sigma = {sigma:?}");
        let demands = demands(&Given { service: &service, ..PLAIN }.draw(0));
        assert_near(mean(&demands), 1e6, 0.025, "mean demand (ns)");
        let logarithms: Vec<_> = demands.iter().map(|demand| demand.ln()).collect();
        assert_near(mean(&logarithms), 1e6f64.ln() - sigma * sigma / 2.0, 0.002, "mean logarithm");
        assert_near(variation(&logarithms) * mean(&logarithms), sigma, 0.012, "deviation of the logarithm");
    }
}

#[test]
fn constant_arrivals_are_exact() {
    let given = Given {
        duration: "1s",
        arrivals: r#"process = "constant", rate = "3/s""#,
        service: r#"cpu = "4ms", distribution = "constant""#,
        ..PLAIN
    };
    let expected =
        [0, 333_333_333, 666_666_667].map(|arrival_ns| Request { arrival_ns, demand_ns: 4_000_000 });
    assert_eq!(given.draw(0), expected);
    let many = Given { duration: "20s", arrivals: r#"process = "constant", rate = "60/s""#, ..PLAIN };
    assert_eq!(many.draw(0).len(), 1200, "the one at the very end is beyond it");
}

#[test]
fn bursts_are_exact() {
    let given = Given { duration: "1s", arrivals: r#"process = "burst", rate = "8/s", size = 4"#, ..PLAIN };
    let times: Vec<_> = given.draw(0).iter().map(|request| request.arrival_ns).collect();
    assert_eq!(times, [0, 0, 0, 0, 500_000_000, 500_000_000, 500_000_000, 500_000_000]);
}

#[test]
fn neither_stream_depends_on_the_other() {
    let plain = PLAIN.draw(0);
    let other_service =
        Given { service: r#"cpu = "9ms", distribution = "lognormal", sigma = 2.0"#, ..PLAIN }.draw(0);
    assert_eq!(gaps(&plain), gaps(&other_service), "arrivals under another service");
    let other_arrivals =
        Given { arrivals: r#"process = "burst", rate = "1000/s", size = 7"#, ..PLAIN }.draw(0);
    let common = plain.len().min(other_arrivals.len());
    assert_eq!(demands(&plain)[..common], demands(&other_arrivals)[..common], "demands under other arrivals");
    assert!(correlation(&gaps(&plain), &demands(&plain)).abs() < 0.016, "gaps and demands correlate");
}

#[test]
fn rates_scale_the_same_gaps() {
    let slow = Given { arrivals: r#"process = "poisson", rate = "500/s""#, ..PLAIN }.draw(0);
    for (slow, fast) in slow.iter().zip(PLAIN.draw(0)).take(1000) {
        assert!(slow.arrival_ns.abs_diff(2 * fast.arrival_ns) < 2000, "{slow:?} {fast:?}");
    }
}

#[test]
fn everything_that_names_a_stream_matters() {
    let streams = [
        PLAIN.draw(0),
        PLAIN.draw(1),
        PLAIN.draw(2),
        Given { seed: 8, ..PLAIN }.draw(0),
        Given { tenant: "web2", ..PLAIN }.draw(0),
    ];
    for (index, a) in streams.iter().enumerate() {
        for b in streams.iter().skip(index + 1) {
            let (gaps, demands) = (correlation(&gaps(a), &gaps(b)), correlation(&demands(a), &demands(b)));
            assert!(gaps.abs() < 0.016 && demands.abs() < 0.016, "streams correlate: {gaps} {demands}");
        }
    }
}

#[test]
fn nothing_else_matters() {
    let expected = PLAIN.draw(1);
    let rest = "cpu = { limit = \"100m\" }\nports = [80]\nneeds = { libssl = \"3\" }";
    assert_eq!(Given { rest, ..PLAIN }.draw(1), expected);
    let shorter = Given { duration: "10s", ..PLAIN }.draw(1);
    assert_eq!(shorter, expected[..shorter.len()], "a shorter run has the first of the same requests");
}

#[test]
fn phases() {
    let server = "kind = \"server\", arrivals = { process = \"poisson\", rate = \"100/s\" }, \
                  service = { cpu = \"1ms\", distribution = \"exponential\" }";
    let plan = parse(&format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"phases\"\nduration = \"10s\"\nplatforms = [\"bare-metal\"]\n\
         [[tenant]]\nname = \"web\"\nstart_at = \"2s\"\nworkload = {{ phases = [\n\
         {{ {server}, for = \"3s\" }},\n{{ kind = \"idle\", for = \"1s\" }},\n{{ {server}, for = \"60s\" }} ] }}\n"
    ));
    let draw = |phase| Requests::new(&plan, 0, 0, phase).map(|requests| requests.collect::<Vec<_>>());
    let (first, third) = (draw(0).expect("a server"), draw(2).expect("a server"));
    assert!(first.iter().all(|request| request.arrival_ns < 3_000_000_000));
    assert!(third.iter().all(|request| request.arrival_ns < 8_000_000_000), "what is left of the run");
    assert_near(first.len() as f64, 300.0, 0.25, "requests of the first phase");
    assert_ne!(first[0], third[0], "each phase draws anew");
    assert_eq!((draw(1), draw(3)), (None, None));
}

#[test]
fn no_server_no_requests() {
    let plan = PLAIN.plan();
    assert!(Requests::new(&plan, 1, 0, 0).is_none());
    assert!(Requests::new(&plan, 0, 0, 1).is_none());
}

/// The numbers themselves, checked against a second implementation of SHA-256, ChaCha8 and the formulae. Whoever changes them makes every recorded run incomparable: then the label in `draw.rs` and this
/// test change together, with a decision record.
#[test]
fn golden() {
    let first = |given: &Given<'_>, replica| {
        let requests = Requests::new(&given.plan(), 0, replica, 0).expect("a server");
        requests.take(4).map(|request| (request.arrival_ns, request.demand_ns)).collect::<Vec<_>>()
    };
    let lognormal = Given { service: r#"cpu = "1ms", distribution = "lognormal", sigma = 1.0"#, ..PLAIN };
    let expected = [(816_303, 445_760), (3_615_332, 1_490_647), (4_890_378, 337_818), (7_481_688, 1_535_303)];
    assert_eq!(first(&PLAIN, 0), expected);
    let expected =
        [(175_124, 2_503_068), (2_088_605, 2_040_763), (3_022_978, 3_316_815), (5_956_455, 299_151)];
    assert_eq!(first(&PLAIN, 2), expected, "replica 2");
    let expected =
        [(816_303, 1_543_750), (3_615_332, 2_719_875), (4_890_378, 721_342), (7_481_688, 2_497_787)];
    assert_eq!(first(&lognormal, 0), expected, "lognormal");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_server_draws_in_order_and_in_time(
        seed in 0u64..1 << 53,
        rate in 1u32..5000,
        size in 1u32..50,
        process in prop::sample::select(vec!["poisson", "constant", "burst"]),
        distribution in prop::sample::select(vec!["constant", "exponential", "lognormal"]),
        cpu_ns in 1u64..10_000_000_000,
    ) {
        let arrivals = format!("process = \"{process}\", rate = \"{rate}/m\"");
        let arrivals = if process == "burst" { format!("{arrivals}, size = {size}") } else { arrivals };
        let service = format!("cpu = \"{cpu_ns}ns\", distribution = \"{distribution}\"");
        let service = if distribution == "lognormal" { format!("{service}, sigma = 1.5") } else { service };
        let given = Given { seed, arrivals: &arrivals, service: &service, ..PLAIN };
        let requests = given.draw(0);
        prop_assert!(requests.is_sorted_by_key(|request| request.arrival_ns));
        prop_assert!(requests.iter().all(|request| request.arrival_ns < 100_000_000_000 && request.demand_ns >= 1));
        prop_assert_eq!(given.draw(0), requests);
    }
}
