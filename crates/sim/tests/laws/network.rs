//! Talk over the network: closed forms of requests and streams, who pays for what, links, and what the end of a peer does.

use catamaran_report::report::{TenantReport, TenantState};
use catamaran_scenario::Calibration;
use catamaran_scenario::calibration::{MessageCosts, NetworkCosts, TurnCosts};
use catamaran_sim::{Outcome, naive};

use crate::common::{cpu_s, hog, ideal, near, plan, run, tenant};

const LOOPBACK: MessageCosts = MessageCosts {
    send_ns: 3000,
    send_ns_per_byte: 0.0,
    receive_ns: 1000,
    receive_ns_per_byte: 0.0,
    in_turn: None,
};

/// A machine without costs but those of its network.
fn with_network(costs: impl Fn(&mut NetworkCosts)) -> Calibration {
    let mut network = NetworkCosts {
        wake_ns: 500,
        wake_idle_ns: 2000,
        wakeup_idle_ns: 5000,
        sleep_ns: 700,
        window_bytes: 1 << 20,
        loopback: LOOPBACK,
        veth: MessageCosts { send_ns: 4000, ..LOOPBACK },
    };
    costs(&mut network);
    Calibration { network: Some(network), ..ideal() }
}

fn as_it_is() -> Calibration {
    with_network(|_| {})
}

fn idle(name: &str) -> String {
    format!("[[tenant]]\nname = \"{name}\"\nworkload = {{ kind = \"idle\" }}\n")
}

fn client(name: &str, to: &str, what: &str) -> String {
    format!("[[tenant]]\nname = \"{name}\"\nworkload = {{ kind = \"network\", to = \"{to}\", {what} }}\n")
}

fn p50(row: &TenantReport) -> f64 {
    row.requests.as_ref().and_then(|requests| requests.latency_s).map_or(f64::NAN, |latency| latency.p50)
}

fn finished_s(outcome: &Outcome, name: &str) -> f64 {
    tenant(outcome, name).finished_s.unwrap_or(f64::NAN)
}

#[test]
fn a_request_takes_the_sum_of_both_ways() {
    let both = format!("{}{}", idle("shop"), client("ann", "shop", "requests = 1000, size = \"64B\""));
    // On a core each: send, wake, interrupt, come out of idle, read; there and back. On one core nobody idles, and whoever
    // answers takes it as soon as it is woken: who asks has not gone to sleep yet when the answer is there.
    let table = [
        ("bare-metal", 2, 2.0 * (3.0 + 0.5 + 2.0 + 5.0 + 1.0), 3.0 + 0.5 + 2.0 + 1.0, 3.0 + 0.5 + 2.0 + 1.0),
        ("bare-metal", 1, 2.0 * (3.0 + 1.0) + 0.5 + 0.7, 3.0 + 0.5 + 1.0, 0.7 + 1.0 + 3.0),
        ("container", 1, 2.0 * (4.0 + 1.0) + 0.5 + 0.7, 4.0 + 0.5 + 1.0, 0.7 + 1.0 + 4.0),
    ];
    for (platform, cores, latency_us, cpu_us, answer_us) in table {
        let outcome = run(&plan(cores, "10s", platform, &both), &as_it_is());
        let what = format!("{platform} on {cores}");
        near(&what, p50(tenant(&outcome, "ann")), latency_us * 1e-6, 0.01);
        near(&what, cpu_s(&outcome, "ann"), 1000.0 * cpu_us * 1e-6, 0.03);
        near(&what, cpu_s(&outcome, "shop"), 1000.0 * answer_us * 1e-6, 0.03);
        for name in ["ann", "shop"] {
            assert_eq!(tenant(&outcome, name).network_bytes, Some(2 * 64 * 1000), "{name}");
        }
        let requests = tenant(&outcome, "ann").requests.as_ref().unwrap();
        assert_eq!((requests.sent, requests.completed, requests.failed), (1000, 1000, 0));
    }
}

const TURN: TurnCosts = TurnCosts {
    send_ns_per_byte: 0.02,
    receive_ns_per_byte: 0.01,
    segments_send_ns: 2000,
    segments_receive_ns: 1500,
    after_ns: 0,
    segments_after_ns: 0,
};

#[test]
fn bytes_that_take_turns_stay_near_and_more_than_a_segment_is_acknowledged() {
    let costs = |network: &mut NetworkCosts| {
        for message in [&mut network.loopback, &mut network.veth] {
            (message.send_ns_per_byte, message.receive_ns_per_byte) = (1.0, 1.0);
            message.in_turn = Some(TURN);
        }
    };
    // On one core: both ways, what waking costs, and what the one who slept pays.
    let table = [
        ("one segment over the loopback", "bare-metal", 16_000.0, 3.0 + 1.0),
        ("the same in segments over Ethernet", "container", 16_000.0, 4.0 + 2.0 + 1.0 + 1.5),
        ("a segment over Ethernet", "container", 1400.0, 4.0 + 1.0),
    ];
    for (what, platform, bytes, way_us) in table {
        let ann = client("ann", "shop", &format!("requests = 1000, size = \"{bytes}B\""));
        let outcome = run(&plan(1, "10s", platform, &format!("{}{ann}", idle("shop"))), &with_network(costs));
        let latency_us = 2.0 * (way_us + bytes * 0.03e-3) + 0.5 + 0.7;
        near(what, p50(tenant(&outcome, "ann")), latency_us * 1e-6, 0.01);
    }
    // A stream goes through a whole window.
    let ann = client("ann", "shop", "bytes = \"64MiB\", size = \"64KiB\"");
    let stream = run(&plan(2, "10s", "bare-metal", &format!("{}{ann}", idle("shop"))), &with_network(costs));
    near("a stream", finished_s(&stream, "ann"), 1024.0 * 68.5e-6, 0.02);
}

#[test]
fn the_end_of_a_call_that_woke_somebody_counts_as_theirs_who_take_the_core() {
    let shop = idle("shop").replace("workload", "cpu = { request = \"50m\" }\nworkload");
    let ann = client("ann", "shop", "requests = 1000, size = \"4KiB\"")
        .replace("workload", "cpu = { request = \"2\" }\nworkload");
    let with_after = |after_ns| {
        let costs = |network: &mut NetworkCosts| {
            network.loopback.send_ns = 10_000;
            network.loopback.in_turn = Some(TurnCosts { after_ns, ..TURN });
        };
        run(&plan(1, "10s", "cgroups", &format!("{shop}{ann}")), &with_network(costs))
    };
    let (before, after) = (with_after(0), with_after(4000));
    let gains = cpu_s(&after, "ann") - cpu_s(&before, "ann");
    let loses = cpu_s(&before, "shop") - cpu_s(&after, "shop");
    near("the woken one's, whose weight has it take the core", gains, 1000.0 * 4e-6, 0.05);
    near("the waker's", loses, 1000.0 * 4e-6, 0.05);
    near("time", finished_s(&after, "ann"), finished_s(&before, "ann"), 0.01);
}

#[test]
fn who_answers_many_is_the_bottleneck() {
    let ann =
        client("ann", "shop", "requests = 100000, size = \"64B\"").replace("name", "replicas = 6\nname");
    let outcome = run(&plan(8, "1s", "bare-metal", &format!("{}{ann}", idle("shop"))), &as_it_is());
    let clients = outcome.report.tenants.iter().filter(|row| row.name == "ann");
    let answered: f64 = clients.filter_map(|row| row.throughput_per_s).sum();
    // It reads, sends, and interrupts the idle core of each: 6.5 µs.
    near("answers", answered, 1e6 / 6.5, 0.02);
    near("its core", cpu_s(&outcome, "shop"), 1.0, 0.01);
}

#[test]
fn replicas_are_dealt_to_replicas() {
    let shop = idle("shop").replace("name", "replicas = 2\nname");
    let ann = client("ann", "shop", "requests = 10, size = \"1KiB\"").replace("name", "replicas = 3\nname");
    let outcome = run(&plan(2, "1s", "bare-metal", &format!("{shop}{ann}")), &as_it_is());
    let served = |replica| {
        let row = outcome.report.tenants.iter().find(|row| row.name == "shop" && row.replica == replica);
        row.and_then(|row| row.network_bytes)
    };
    assert_eq!((served(0), served(1)), (Some(2 * 20 * 1024), Some(20 * 1024)), "0 and 2; 1");
}

#[test]
fn a_stream_is_as_fast_as_the_slower_side() {
    let both = format!("{}{}", idle("shop"), client("ann", "shop", "bytes = \"64MiB\", size = \"64KiB\""));
    let outcome = |send_ns, receive_ns| {
        let costs = |network: &mut NetworkCosts| {
            network.loopback = MessageCosts { send_ns, receive_ns, ..LOOPBACK };
            (network.wake_ns, network.wake_idle_ns, network.wakeup_idle_ns, network.sleep_ns) = (0, 0, 0, 0);
        };
        run(&plan(2, "10s", "bare-metal", &both), &with_network(costs))
    };
    near("a slow reader", finished_s(&outcome(20_000, 50_000), "ann"), 1024.0 * 50e-6, 0.01);
    let slow_sender = outcome(50_000, 20_000);
    near("a slow sender", finished_s(&slow_sender, "ann"), 1024.0 * 50e-6, 0.01);
    assert_eq!(tenant(&slow_sender, "ann").network_bytes, Some(64 << 20));
    assert!(tenant(&slow_sender, "ann").absent.contains_key("requests"));
}

#[test]
fn a_window_lets_a_sender_ahead_of_a_reader_that_has_no_core() {
    // The reader has a tenth of a core; the sender fills the window, and goes on at the reader's speed.
    let shop = idle("shop").replace("workload", "cpu = { limit = \"100m\" }\nworkload");
    let both = format!("{shop}{}", client("ann", "shop", "bytes = \"64MiB\", size = \"64KiB\""));
    let costs = |network: &mut NetworkCosts| {
        network.veth = MessageCosts { send_ns: 10_000, receive_ns: 1_000_000, ..LOOPBACK };
    };
    let outcome = run(&plan(2, "20s", "container", &both), &with_network(costs));
    near("end", finished_s(&outcome, "ann"), 1024.0 * 1e-3 / 0.1, 0.02);
    near("sender", cpu_s(&outcome, "ann"), 1024.0 * 10e-6, 0.1);
    assert!(tenant(&outcome, "shop").throttled_s.unwrap() > 5.0);
}

#[test]
fn a_link_is_shared_and_takes_its_time() {
    let link = "network = { bandwidth = \"10MB/s\", latency = \"1ms\" }\n";
    let streams = format!(
        "{link}{}{}{}",
        idle("shop"),
        client("ann", "shop", "bytes = \"5MB\", size = \"50kB\""),
        client("bob", "shop", "bytes = \"10MB\", size = \"50kB\"")
    );
    let outcome = run(&plan(2, "10s", "bare-metal", &streams), &as_it_is());
    // Half each until the smaller one is through; then all of it.
    near("the smaller", finished_s(&outcome, "ann"), 1.0, 0.01);
    near("the larger", finished_s(&outcome, "bob"), 1.5, 0.01);
    let asks = format!("{link}{}{}", idle("shop"), client("ann", "shop", "requests = 100, size = \"100kB\""));
    let outcome = run(&plan(2, "10s", "bare-metal", &asks), &as_it_is());
    near("both ways", p50(tenant(&outcome, "ann")), 2.0 * (0.01 + 1e-3), 0.01);
}

#[test]
fn a_peer_that_is_killed_takes_its_clients_along() {
    let event = "[[event]]\nat = \"1s\"\ndo = \"kill\"\ntarget = \"shop\"\n";
    let forever = client("ann", "shop", "requests = 1000000, size = \"64B\"");
    for (restart, state, restarts) in [("never", TenantState::Failed, 0), ("always", TenantState::Running, 1)]
    {
        let ann = forever.replace("workload", &format!("restart = \"{restart}\"\nworkload"));
        let shop = idle("shop").replace("workload", "restart = \"always\"\nworkload");
        let mut calibration = as_it_is();
        calibration.startup.clear();
        let outcome = run(&plan(2, "3s", "bare-metal", &format!("{shop}{ann}{event}")), &calibration);
        let row = tenant(&outcome, "ann");
        let requests = row.requests.as_ref().unwrap();
        assert_eq!((row.state, requests.failed, row.restarts), (state, 1, Some(restarts)), "{restart}");
        if restart == "never" {
            near("end", row.finished_s.unwrap(), 1.0, 0.001);
            assert!(row.error.as_ref().is_some_and(|error| error.contains("ECONNRESET")), "{:?}", row.error);
            let reset = outcome.report.events.iter().find(|event| event.what == "reset").unwrap();
            let cause = &outcome.report.events[reset.because.unwrap() as usize];
            assert_eq!((cause.what.as_str(), cause.target.as_str()), ("killed", "shop"));
        }
    }
}

#[test]
fn who_comes_before_its_peer_is_refused_and_may_try_again() {
    let shop = idle("shop").replace("workload", "start_at = \"2s\"\nworkload");
    for (restart, state) in [("never", TenantState::Failed), ("on-failure", TenantState::Completed)] {
        let ann = client("ann", "shop", "requests = 5, size = \"64B\"")
            .replace("workload", &format!("restart = \"{restart}\"\nworkload"));
        let outcome = run(&plan(2, "60s", "bare-metal", &format!("{shop}{ann}")), &as_it_is());
        let row = tenant(&outcome, "ann");
        assert_eq!(row.state, state, "{restart}: {:?}", row.error);
        assert_eq!(row.error.is_some(), restart == "never");
    }
}

#[test]
fn a_peer_whose_work_is_done_stays_for_its_clients() {
    let both = format!(
        "{}{}",
        hog("shop", 1, "100ms", ""),
        client("ann", "shop", "requests = 100000, size = \"64B\"")
    );
    let outcome = run(&plan(2, "60s", "bare-metal", &both), &as_it_is());
    assert!(finished_s(&outcome, "shop") < 0.2 && finished_s(&outcome, "ann") > 1.0);
    assert_eq!(tenant(&outcome, "ann").state, TenantState::Completed);
    near("for others", cpu_s(&outcome, "shop"), 0.1 + 100_000.0 * 6.5e-6, 0.1);
}

#[test]
fn what_is_under_way_at_the_end_of_a_phase_is_given_up() {
    let link = "network = { latency = \"300ms\" }\n";
    let ask = "kind = \"network\", to = \"shop\", requests = 100, size = \"64B\"";
    let ann = format!(
        "[[tenant]]\nname = \"ann\"\nworkload = {{ phases = [{{ {ask}, for = \"1s\" }}, {{ kind = \"compute\", work = \"100ms\" }}] }}\n"
    );
    let outcome = run(&plan(2, "10s", "bare-metal", &format!("{link}{}{ann}", idle("shop"))), &as_it_is());
    let requests = tenant(&outcome, "ann").requests.as_ref().unwrap();
    assert_eq!((requests.sent, requests.completed, requests.failed), (2, 1, 0));
    near("end", finished_s(&outcome, "ann"), 1.1, 0.001);
}

#[test]
fn alone_a_client_has_its_peer_and_nobody_else() {
    let all = format!(
        "{}{}{}",
        hog("shop", 2, "60s", ""),
        client("ann", "shop", "requests = 1000, size = \"64B\""),
        hog("batch", 2, "60s", "")
    );
    let plan = plan(1, "5s", "bare-metal", &all);
    let report =
        naive::alone(&plan, plan.platforms()[0], &as_it_is(), &catamaran_sim::Options::default()).unwrap();
    let ann = report.tenants.iter().find(|row| row.name == "ann").unwrap();
    near("alone", p50(ann), (2.0 * (3.0 + 1.0) + 0.5 + 0.7) * 1e-6, 0.01);
    let beside = finished_s(&run(&plan, &as_it_is()), "ann");
    assert!(beside > 3.0 * ann.finished_s.unwrap(), "beside two hogs: {beside}");
}

#[test]
fn between_guests_a_round_trip_takes_longer_by_what_was_published() {
    let both = format!("{}{}", idle("shop"), client("ann", "shop", "requests = 1000, size = \"64B\""));
    let latency = |platform| p50(tenant(&run(&plan(2, "10s", platform, &both), &as_it_is()), "ann"));
    let (bare, guests) = (latency("bare-metal"), latency("vm"));
    // FEL-RR-Tk less FEL-RR-Tn; a guest's thread is not interrupted by a thread of the machine.
    near("guests", guests - bare, 30.36e-6 - 2.0 * 2.5e-6, 0.1);
    let firecracker = latency("microvm");
    near("Firecracker", firecracker - guests, 111e-6 - 30.36e-6, 0.02);
}
