//! What the threads of one tenant do, one step at a time: phases in order, each begun by all threads together.

use catamaran_scenario::Plan;
use catamaran_scenario::draw::Requests;
use catamaran_scenario::file_work::FileWork;
use catamaran_scenario::fork_work::ForkWork;
use catamaran_scenario::leak::Leak;
use catamaran_scenario::network_work::NetworkWork;
use catamaran_scenario::plan::Workload;

use super::attend;
use super::filer::{self, FileOp, Filer, Places};
use super::forker::Forker;
use super::leaker::{self, Leaker};
use super::lock::{self, Lock};
use super::server::{Served, Server};
use super::talker::{Talk, Talker};
use crate::kernel::Instant;

/// What a thread does next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Action {
    /// Computes so many nanoseconds at the speed of one busy core, but not beyond `until`; `request` adds the cost of
    /// handling one.
    Work { ns: f64, request: bool, until: Option<Instant> },
    /// Touches so many pages for the first time, but not beyond `until`.
    Touch { pages: u64, until: Option<Instant> },
    /// Touches all pages that it holds once more, but not beyond `until`.
    TouchAgain { until: Option<Instant> },
    /// Asks for an operation on its file.
    Operate(FileOp),
    /// Uses its core and computes nothing, until it is asked again: when it comes onto a core, or when a lock is free.
    Spin,
    /// Asks for something of its connection, but not beyond `until`.
    Talk { talk: Talk, until: Option<Instant> },
    /// Makes a child.
    Fork,
    /// Takes its oldest child, which is dead, from the kernel.
    Reap,
    /// Sleeps until a child ends, but not beyond that.
    AwaitChild(Instant),
    /// Kills its children.
    EndChildren,
    /// Sleeps until then.
    SleepUntil(Instant),
    /// Waits for the other threads of its phase.
    Wait,
    /// Has nothing more to do.
    Exit,
}

#[derive(Debug, Clone)]
pub(super) enum Stage {
    Compute { ns_each: f64, given: Vec<bool>, lock: Option<Lock> },
    Server(Server),
    Memory { leaker: Leaker, hot: bool },
    Disk(Filer),
    Network(Talker),
    Fork(Forker),
    Idle,
}

#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) stage: Stage,
    pub(super) threads: u32,
    lasts: Option<u64>,
}

/// A tenant's program.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(super) steps: Vec<Step>,
    pub(super) current: usize,
    began: Instant,
    /// Threads of the present step that have done their part.
    done: u32,
    /// The request that each thread is at.
    pub(super) serving: Vec<Option<usize>>,
    end: Instant,
    lasts: bool,
    finished: Option<Instant>,
    /// What became of requests in lives before this one, of phases that start over.
    pub(super) past: Vec<Served>,
    /// Whether one thread more answers those who talk to it.
    pub(super) answers: bool,
}

impl Program {
    /// The program of one replica of a tenant, from `start` to the `end` of the run at the latest.
    pub(crate) fn new(
        plan: &Plan,
        tenant: usize,
        replica: u32,
        (start, end): (Instant, Instant),
        page_bytes: u64,
    ) -> Option<Self> {
        let workload = &plan.tenants().get(tenant)?.workload;
        let phases: Vec<(&Workload, Option<u64>)> = match workload {
            Workload::Phases(phases) => phases.iter().map(|p| (&p.workload, p.lasts.map(|l| l.0))).collect(),
            other => vec![(other, None)],
        };
        let mut steps = Vec::new();
        for (index, (workload, lasts)) in phases.into_iter().enumerate() {
            let requests = Requests::new(plan, tenant, replica, index);
            let places = Places::of(plan, (tenant, replica, index), workload);
            steps.push(Step::new(workload, lasts, requests, (page_bytes, places))?);
        }
        if let Some(first) = steps.first_mut() {
            first.begin(start);
        }
        let threads = steps.iter().map(|step| step.threads).max()?;
        let lasts = matches!(
            workload,
            Workload::Server(_) | Workload::Memory { .. } | Workload::Fork { .. } | Workload::Idle
        );
        let serving = vec![None; threads as usize];
        Some(Self {
            steps,
            current: 0,
            began: start,
            done: 0,
            serving,
            end,
            lasts,
            finished: None,
            past: Vec::new(),
            answers: false,
        })
    }

    /// One that does nothing.
    pub(crate) fn idle((start, end): (Instant, Instant)) -> Self {
        let step = Step { stage: Stage::Idle, threads: 1, lasts: None };
        Self {
            steps: vec![step],
            current: 0,
            began: start,
            done: 0,
            serving: vec![None],
            end,
            lasts: true,
            finished: None,
            past: Vec::new(),
            answers: false,
        }
    }

    /// The same with one thread more, its last, which answers those who talk to it.
    pub(crate) fn and_answers(self) -> Self {
        Self { answers: true, ..self }
    }

    /// Whether a thread of it answers those who talk to it, which takes CPU time and makes no turns.
    pub(crate) fn answers(&self) -> bool {
        self.answers
    }

    /// What `thread` does next; whatever it did before is done at `now`. The second answer is set when this ends a phase,
    /// so that the threads that wait have to be asked again.
    pub(crate) fn next(&mut self, thread: usize, now: Instant) -> (Action, bool) {
        let Some(step) = self.steps.get_mut(self.current) else { return (Action::Exit, false) };
        if thread >= step.threads as usize {
            return (Action::Wait, false);
        }
        match Self::step(step, &mut self.serving[thread], thread, now, self.began, self.end) {
            Some(action) => (action, false),
            None => self.part_done(thread, now),
        }
    }

    fn step(
        step: &mut Step,
        serving: &mut Option<usize>,
        thread: usize,
        now: Instant,
        began: Instant,
        end: Instant,
    ) -> Option<Action> {
        let until = step.lasts.map_or(end, |lasts| (began + lasts).min(end));
        match &mut step.stage {
            Stage::Compute { ns_each, given, lock } => {
                let first = !std::mem::replace(&mut given[thread], true);
                let over = step.lasts.is_some() && now >= until;
                let until = step.lasts.map(|_| until).filter(|_| first);
                let Some(lock) = lock else {
                    return first.then_some(Action::Work { ns: *ns_each, request: false, until });
                };
                match lock.next(thread, over) {
                    lock::Step::Work(ns) => Some(Action::Work { ns, request: false, until }),
                    lock::Step::Spin => Some(Action::Spin),
                    lock::Step::Rest => None,
                }
            }
            Stage::Idle => (now < until).then_some(Action::SleepUntil(until)),
            Stage::Memory { leaker, .. } => (now < until).then(|| {
                let cut = step.lasts.map(|_| until);
                match leaker.next(now) {
                    leaker::Step::Touch(pages) => Action::Touch { pages, until: cut },
                    leaker::Step::Again => Action::TouchAgain { until: cut },
                    leaker::Step::Sleep(at) => Action::SleepUntil(at.min(until)),
                    leaker::Step::Rest => Action::SleepUntil(until),
                }
            }),
            Stage::Disk(filer) => match filer.next(thread, now, began, until) {
                filer::Step::Operate(op) => Some(Action::Operate(op)),
                filer::Step::Sleep(at) => Some(Action::SleepUntil(at)),
                // One that has a time of its own lasts for it.
                filer::Step::Rest => {
                    (step.lasts.is_some() && now < until).then_some(Action::SleepUntil(until))
                }
            },
            Stage::Network(talker) => {
                let until = step.lasts.map(|_| until);
                match talker.next(now, until.unwrap_or(Instant::MAX)) {
                    Some(talk) => Some(Action::Talk { talk, until }),
                    // One that has a time of its own lasts for it.
                    None => until.filter(|until| now < *until).map(Action::SleepUntil),
                }
            }
            Stage::Fork(forker) => forker.next(now, began, until),
            Stage::Server(server) => attend::next(server, serving, (thread, now))
                .or_else(|| (now < until).then_some(Action::SleepUntil(until))),
        }
    }

    /// A thread has done its part of the phase: the last one begins the next phase.
    fn part_done(&mut self, thread: usize, now: Instant) -> (Action, bool) {
        self.done += 1;
        let all = self.steps.get(self.current).map_or(0, |step| step.threads);
        if self.done < all {
            return (Action::Wait, false);
        }
        self.current += 1;
        self.done = 0;
        self.began = now;
        if let Some(step) = self.steps.get_mut(self.current) {
            step.begin(now);
        }
        if self.current == self.steps.len() {
            self.finished = Some(now);
            return (Action::Exit, true);
        }
        (self.next(thread, now).0, true)
    }

    /// When the request arrived that `thread` is about to have answered.
    pub(crate) fn answering(&self, thread: usize) -> Option<Instant> {
        match &self.steps.get(self.current)?.stage {
            Stage::Server(server) => {
                let request = server.requests().get((*self.serving.get(thread)?)?)?;
                request.started.map(|_| request.arrival)
            }
            Stage::Network(talker) if thread == 0 => talker.asking_since(),
            _ => None,
        }
    }

    /// Ends at `at` what would have gone on to the end of the run: later requests are none of it.
    pub(crate) fn stop_at(&mut self, at: Instant) {
        self.end = self.end.min(at);
    }

    /// The number of the phase that it is in.
    pub(crate) fn phase(&self) -> usize {
        self.current
    }

    /// When all of it was done, if it was; a server and an idle tenant are at work until the end of the run.
    pub(crate) fn finished(&self) -> Option<Instant> {
        self.finished
    }

    /// Whether it is the tenant's part to be there until the run ends, so that the end of the run is its end.
    pub(crate) fn lasts_to_the_end(&self) -> bool {
        self.lasts
    }

    /// The phase of talking is over for its thread, whatever it was at.
    pub(crate) fn give_up_talking(&mut self) {
        if let Some(Step { stage: Stage::Network(talker), .. }) = self.steps.get_mut(self.current) {
            talker.give_up();
        }
    }

    /// It ends by force; `clients_stay` says whether those who ask it go on asking.
    pub(crate) fn stop(&mut self, now: Instant, clients_stay: bool) {
        match self.steps.get_mut(self.current).map(|step| &mut step.stage) {
            Some(Stage::Server(server)) => server.stop(now, clients_stay),
            Some(Stage::Network(talker)) => talker.stop(now),
            Some(Stage::Fork(forker)) => forker.stop(now),
            _ => {}
        }
    }

    /// It begins anew at `now`. The clients of a lone server go on as if nothing had happened; all else starts over.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.serving.fill(None);
        (self.done, self.began, self.finished) = (0, now, None);
        if let [Step { stage: Stage::Server(server), .. }] = self.steps.as_mut_slice() {
            self.current = 0;
            return server.resume(now);
        }
        let begun = self.current;
        for (index, step) in self.steps.iter_mut().enumerate() {
            let past = step.start_over(now);
            if index <= begun {
                self.past.extend(past);
            }
        }
        self.current = 0;
        if let Some(first) = self.steps.first_mut() {
            first.begin(now);
        }
    }
}

impl Step {
    fn new(
        workload: &Workload,
        lasts: Option<u64>,
        requests: Option<Requests>,
        (page_bytes, places): (u64, Places),
    ) -> Option<Self> {
        let (stage, threads) = match workload {
            Workload::Compute { threads, work, lock } => {
                let ns_each = work.0 as f64 / f64::from(*threads);
                let locked = |lock: &catamaran_scenario::plan::Lock| {
                    Lock::new(*threads as usize, ns_each, lock.every.0 as f64, lock.hold.0 as f64)
                };
                let lock = lock.as_ref().map(locked);
                (Stage::Compute { ns_each, given: vec![false; *threads as usize], lock }, *threads)
            }
            Workload::Server(server) => {
                let arrivals = requests?.map(|request| (request.arrival_ns, request.demand_ns));
                let timeout = server.timeout.map(|timeout| timeout.0);
                (Stage::Server(Server::new(arrivals, server.queue, timeout)), server.threads)
            }
            Workload::Disk { depth, .. } => {
                (Stage::Disk(Filer::new(FileWork::of(workload)?, places)), *depth)
            }
            Workload::Fork { .. } => (Stage::Fork(Forker::new(ForkWork::of(workload)?)), 1),
            Workload::Network { .. } => (Stage::Network(Talker::new(NetworkWork::of(workload)?)), 1),
            Workload::Idle => (Stage::Idle, 1),
            Workload::Command { like: Some(like), .. } => {
                return Self::new(like, lasts, requests, (page_bytes, places));
            }
            other => {
                let leak = Leak::of(other)?;
                (Stage::Memory { leaker: Leaker::new(leak, page_bytes), hot: leak.touch_loop }, 1)
            }
        };
        Some(Self { stage, threads, lasts })
    }

    /// Arrivals are drawn from the beginning of their phase.
    fn begin(&mut self, now: Instant) {
        if let Stage::Server(server) = &mut self.stage {
            server.shift(now);
        }
    }

    /// Becomes as it was before it was begun; answers what became of its requests until `now`.
    fn start_over(&mut self, now: Instant) -> Vec<Served> {
        match &mut self.stage {
            Stage::Compute { given, lock, .. } => {
                given.fill(false);
                if let Some(lock) = lock {
                    lock.start_over();
                }
            }
            Stage::Memory { leaker, .. } => *leaker = leaker.anew(),
            Stage::Server(server) => return server.start_over(now),
            Stage::Disk(filer) => return filer.start_over(),
            Stage::Network(talker) => return talker.start_over(),
            Stage::Fork(forker) => return forker.start_over(),
            Stage::Idle => {}
        }
        Vec::new()
    }
}
