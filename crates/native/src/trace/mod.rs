//! What the kernel tells of the processes that start a tenant: who forked whom, who executed what, and some of their system calls,
//! each with its instant of the run's clock. Nobody is stopped and nothing is polled: the kernel writes records into rings that
//! are read when the tenant is there.
//!
//! **Source.** `perf_event_open(2)` (`PERF_COUNT_SW_DUMMY`, `PERF_RECORD_COMM`, `PERF_RECORD_FORK`, tracepoints of `syscalls`).

mod record;
mod seen;

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use perf_event::events::{Software, Tracepoint};
use perf_event::{Builder, Clock, Counter, SampleFlag, Sampler};
use rustix::ioctl::{IntegerSetter, ioctl};

pub(crate) use record::{Call, Event, What};
pub(crate) use seen::{Mark, Seen};

use crate::machine;

/// Room for records of each CPU (bytes, a power of two): a start makes some hundreds of some 60 bytes; the rest is for whoever else is
/// at work.
const RING_BYTES: usize = 1 << 20;
/// Where the kernel tells the numbers of its tracepoints.
const TRACEPOINTS: [&str; 2] =
    ["/sys/kernel/tracing/events/syscalls", "/sys/kernel/debug/tracing/events/syscalls"];
/// System calls that are looked at, by tracepoint.
const CALLS: [(&str, Call); 12] = [
    ("sys_enter_clone", Call::Clone),
    ("sys_enter_clone3", Call::Clone),
    ("sys_enter_mount", Call::Mount),
    ("sys_enter_move_mount", Call::Mount),
    ("sys_exit_mount", Call::Mounted),
    ("sys_enter_pivot_root", Call::Pivot),
    ("sys_exit_pivot_root", Call::Pivoted),
    ("sys_enter_capset", Call::Confine),
    ("sys_enter_seccomp", Call::Confine),
    (PRCTL, Call::Confine),
    ("sys_enter_execve", Call::Execute),
    ("sys_enter_accept4", Call::Accept),
];
/// Many calls in one, of which two are looked at: the older way to `seccomp` and what takes a capability away for good
/// (`PR_SET_SECCOMP`, `PR_CAPBSET_DROP`; `include/uapi/linux/prctl.h`).
const PRCTL: &str = "sys_enter_prctl";
const OF_PRCTL: &std::ffi::CStr = c"option == 22 || option == 24";
/// `PERF_EVENT_IOC_SET_OUTPUT` (`include/uapi/linux/perf_event.h`): records go into another event's ring.
const SET_OUTPUT: u32 = 0x2405;
/// `PERF_EVENT_IOC_SET_FILTER`: only what fits is recorded.
const SET_FILTER: u32 = 0x4008_2406;

/// Rings that are being filled.
pub(crate) struct Trace {
    rings: Vec<Ring>,
    /// Why system calls can't be seen, where they can't.
    pub(crate) blind: Option<String>,
}

/// The records of one CPU.
struct Ring {
    sampler: Sampler,
    /// By the number that the kernel has given each event; they last as long as the ring.
    calls: BTreeMap<u64, Call>,
    _counters: Vec<Counter>,
}

impl Trace {
    /// Begins to look at all processes of the machine: whose child is going to start a tenant is not known before.
    ///
    /// # Errors
    /// Why the kernel does not let us.
    pub(crate) fn begin() -> Result<Self, String> {
        let points = points();
        let blind = points.as_ref().err().cloned();
        let points = points.unwrap_or_default();
        let cpus = 0..machine::cpus_online();
        let ring = |cpu: u32| Ring::open(cpu as usize, &points);
        let rings = cpus.map(ring).collect::<std::io::Result<_>>();
        let rings = rings.map_err(|error| format!("perf_event_open: {error}"))?;
        Ok(Self { rings, blind })
    }

    /// What was recorded since the last time, in its order; `None` where the kernel has lost some of it.
    pub(crate) fn take(&mut self) -> Option<Vec<Event>> {
        let mut events = Vec::new();
        let mut lost = false;
        for ring in &mut self.rings {
            while let Some(record) = ring.sampler.next_record() {
                lost |= record::is_loss(record.ty());
                events.extend(record::parse(
                    record.ty(),
                    record.misc(),
                    &record.to_contiguous(),
                    &ring.calls,
                ));
            }
        }
        events.sort_by_key(|event| event.at_ns);
        (!lost).then_some(events)
    }
}

impl Ring {
    fn open(cpu: usize, points: &[Point]) -> std::io::Result<Self> {
        let build = |builder: &mut Builder<'_>| {
            builder
                .any_pid()
                .one_cpu(cpu)
                .include_kernel()
                .include_hv()
                .sample(SampleFlag::TID | SampleFlag::TIME | SampleFlag::ID)
                .sample_id_all(true)
                .clockid(Clock::MONOTONIC)
                .build()
        };
        let mut tasks = build(Builder::new(Software::DUMMY).comm(true).comm_exec(true).task(true))?;
        tasks.enable()?;
        let sampler = tasks.sampled(RING_BYTES)?;
        let (mut calls, mut counters) = (BTreeMap::new(), Vec::new());
        for Point { number, call, filter } in points {
            let mut counter = build(Builder::new(Tracepoint::with_id(*number)).sample_period(1))?;
            send_to(&counter, &sampler)?;
            if let Some(filter) = filter {
                narrow(&counter, filter)?;
            }
            counter.enable()?;
            calls.insert(counter.id(), *call);
            counters.push(counter);
        }
        Ok(Self { sampler, calls, _counters: counters })
    }
}

/// A tracepoint.
struct Point {
    number: u64,
    call: Call,
    filter: Option<&'static std::ffi::CStr>,
}

/// Has the records of one event written into the ring of another of the same CPU.
fn send_to(counter: &Counter, ring: &Sampler) -> std::io::Result<()> {
    control::<SET_OUTPUT>(counter, std::ptr::without_provenance_mut(ring.as_raw_fd() as usize))
}

/// Has an event record only what fits.
fn narrow(counter: &Counter, filter: &'static std::ffi::CStr) -> std::io::Result<()> {
    control::<SET_FILTER>(counter, filter.as_ptr().cast_mut().cast())
}

/// A call about an event whose argument is a number, or a text that lasts for ever.
#[allow(unsafe_code)]
fn control<const CODE: u32>(counter: &Counter, argument: *mut std::ffi::c_void) -> std::io::Result<()> {
    // SAFETY: the descriptor is open for as long as the counter that is borrowed here.
    let counter = unsafe { BorrowedFd::borrow_raw(counter.as_raw_fd()) };
    // SAFETY: of the two calls, one takes a number, the other reads a text that lasts for ever; neither writes to memory of ours.
    unsafe { ioctl(counter, IntegerSetter::<CODE>::new_pointer(argument)) }.map_err(std::io::Error::from)
}

/// What the machine has of [`CALLS`].
fn points() -> Result<Vec<Point>, String> {
    let read = |(name, call): &(&str, Call)| {
        let texts =
            TRACEPOINTS.iter().filter_map(|at| std::fs::read_to_string(format!("{at}/{name}/id")).ok());
        let number = texts.filter_map(|text| text.trim().parse().ok()).next();
        let filter = (*name == PRCTL).then_some(OF_PRCTL);
        number.map(|number| Point { number, call: *call, filter }).ok_or_else(|| {
            let [at, _] = TRACEPOINTS;
            format!("{at}/{name} is not there: `mount -t tracefs none /sys/kernel/tracing`, CONFIG_FTRACE_SYSCALLS=y")
        })
    };
    CALLS.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_seen_with_its_program_and_its_calls() {
        let mut trace = match Trace::begin() {
            Ok(trace) => trace,
            Err(why) => return println!("skipped: {why}"),
        };
        trace.take();
        let before = catamaran_worker::clock::now_ns();
        let mut child = std::process::Command::new("/bin/true").spawn().unwrap();
        child.wait().unwrap();
        let after = catamaran_worker::clock::now_ns();
        let events = trace.take().unwrap();
        let of = |what: &What| {
            let found = events.iter().filter(|event| event.pid == child.id() && event.what == *what);
            found.map(|event| event.at_ns).collect::<Vec<_>>()
        };
        let forked = What::Fork { child: child.id() };
        let forked = events.iter().find(|event| event.what == forked).expect("its fork");
        assert_eq!(forked.pid, std::process::id());
        let begun = of(&What::Begins("true".to_owned()));
        assert_eq!(begun.len(), 1, "{events:?}");
        assert!(before < forked.at_ns && forked.at_ns < begun[0] && begun[0] < after);
        if let Some(why) = &trace.blind {
            return println!("skipped: {why}");
        }
        let call = of(&What::Call(Call::Execute));
        assert!(call.iter().any(|at| forked.at_ns < *at && *at < begun[0]), "{call:?}");
    }
}
