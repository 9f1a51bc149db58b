//! `catamaran bench`: what the workload answers, and what it took the whole program.

use catamaran_sim::bench::{self, SharedHosts};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use serde::Serialize;

use crate::args::bench::{Bench, Hold, Hosts, Queueing, Workload};
use crate::failure::Failure;
use crate::table::{self, Column};
use crate::terminal::Terminal;
use crate::units;

/// One answer; what has no meaning for the workload is left out.
#[derive(Debug, Default, Serialize)]
struct Answer {
    workload: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    makespan_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean_response_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rms_response_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean_sojourn_s: Option<f64>,
    work_items: u64,
    cpu_s: Option<f64>,
    /// `None` where the system does not say.
    peak_rss_bytes: Option<u64>,
}

pub(crate) fn bench(args: &Bench, terminal: &Terminal) -> Result<(), Failure> {
    let (answer, output) = match &args.workload {
        Workload::W1(size) => (shared_hosts("w1", size), &size.output),
        Workload::W1Vm(size) => (shared_hosts("w1-vm", size), &size.output),
        Workload::W2(size) => (hold(size), &size.output),
        Workload::Mm1(size) => (queueing(size), &size.output),
    };
    // Read last, so that all of the work is in it.
    let answer = Answer { cpu_s: cpu_s(), peak_rss_bytes: peak_rss_bytes(), ..answer };
    if output.json { terminal.print_json(&answer) } else { terminal.print(&text(&answer, terminal)) }
}

fn shared_hosts(workload: &'static str, size: &Hosts) -> Answer {
    let found = bench::shared_hosts(&SharedHosts {
        hosts: size.hosts,
        tasks: size.tasks,
        weights: size.weights.clone(),
        cap_cores: size.cap,
        in_machines: workload == "w1-vm",
    });
    Answer {
        workload,
        makespan_s: Some(found.makespan_s),
        mean_response_s: Some(found.mean_response_s),
        rms_response_s: Some(found.rms_response_s),
        work_items: found.work_items,
        ..Answer::default()
    }
}

fn hold(size: &Hold) -> Answer {
    let found = bench::hold(size.pending, size.events);
    Answer { workload: "w2", clock_s: Some(found.clock_s), work_items: found.work_items, ..Answer::default() }
}

fn queueing(size: &Queueing) -> Answer {
    let found = bench::mm1(size.customers);
    Answer {
        workload: "mm1",
        mean_sojourn_s: Some(found.mean_sojourn_s),
        work_items: found.work_items,
        ..Answer::default()
    }
}

/// CPU time of this process so far, all threads, user and system (s). `None` where the system does not say.
fn cpu_s() -> Option<f64> {
    let used = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Some(seconds(used.user_time()) + seconds(used.system_time()))
}

/// The most memory that this program has had resident. `getrusage` has a maximum, too, but that one is handed on through
/// `exec`: it may be the shell's.
fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

fn text(answer: &Answer, terminal: &Terminal) -> String {
    let times = [
        ("makespan", answer.makespan_s),
        ("mean response", answer.mean_response_s),
        ("rms response", answer.rms_response_s),
        ("clock", answer.clock_s),
        ("mean sojourn", answer.mean_sojourn_s),
    ];
    let mut columns = vec![
        Column::text("workload", [answer.workload]),
        Column::numbers("items", [answer.work_items.to_string()]),
    ];
    for (title, value) in times {
        if let Some(value) = value {
            columns.push(Column::numbers(title, [format!("{value:.9} s")]));
        }
    }
    if let Some(cpu_s) = answer.cpu_s {
        let rate = answer.work_items as f64 / cpu_s;
        columns.push(Column::numbers("CPU time", [units::seconds(cpu_s)]));
        columns.push(Column::numbers("items per CPU second", [format!("{rate:.0}")]).ranked(2));
    }
    if let Some(bytes) = answer.peak_rss_bytes {
        columns.push(Column::numbers("peak memory", [units::bytes(bytes as f64)]).ranked(1));
    }
    table::lay_out(columns, terminal)
}
