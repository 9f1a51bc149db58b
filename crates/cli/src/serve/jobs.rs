//! Runs asked for by the page: one at a time, each ended at its time cap.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use catamaran_native::RunnerOptions;
use catamaran_report::{Report, RunError};
use catamaran_scenario::{Plan, Platform};
use serde::Serialize;
use tokio::sync::watch;
use tokio::task;

use super::refusal::Refusal;

/// Ended runs that are kept for the page to fetch.
const KEPT: usize = 16;

/// Start-up, calibration and clean-up take this long at most on top of the scenario's duration.
const MARGIN: Duration = Duration::from_secs(30);

/// What carries a plan out; the native runner, or a stand-in in tests of this module.
pub(crate) type Launch = dyn Fn(&Plan, Platform, RunnerOptions) -> Result<Report, RunError> + Send + Sync;

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// At work.
    Running,
    /// There is a report.
    Completed,
    /// There is an error.
    Failed,
    /// Ended by `DELETE`, or with the server.
    Cancelled,
}

/// The answer of `GET /api/run/<id>`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct JobView {
    pub(crate) state: State,
    pub(crate) elapsed_s: f64,
    pub(crate) total_s: f64,
    pub(crate) report: Option<Report>,
    pub(crate) error: Option<String>,
}

/// One run.
struct Job {
    id: u64,
    interrupted: Arc<AtomicBool>,
    view: watch::Sender<JobView>,
}

/// All runs of this server.
#[derive(Clone)]
pub(crate) struct Jobs {
    launch: Arc<Launch>,
    book: Arc<Mutex<Book>>,
    margin: Duration,
}

#[derive(Default)]
struct Book {
    started: u64,
    closed: bool,
    jobs: VecDeque<Arc<Job>>,
}

impl Jobs {
    /// Nothing run yet.
    pub(crate) fn new(launch: Arc<Launch>) -> Self {
        Self { launch, book: Arc::default(), margin: MARGIN }
    }

    /// Starts a run, where none is at work.
    pub(crate) fn start(&self, plan: Plan, platform: Platform) -> Result<u64, Refusal> {
        let job = self.enter(plan.duration().seconds())?;
        let id = job.id;
        let cap = Duration::from_nanos(plan.duration().0) + self.margin;
        task::spawn(carry_out(Arc::clone(&self.launch), job, plan, platform, cap));
        Ok(id)
    }

    /// The run at work.
    pub(crate) fn running(&self) -> Option<u64> {
        self.book().running().map(|job| job.id)
    }

    /// How a run stands.
    pub(crate) fn view(&self, id: &str) -> Result<JobView, Refusal> {
        self.find(id).map(|job| job.view.borrow().clone())
    }

    /// Ends a run and waits until it has cleaned up; an ended one stays as it is.
    pub(crate) async fn cancel(&self, id: &str) -> Result<JobView, Refusal> {
        let job = self.find(id)?;
        Ok(job.end().await)
    }

    /// Ends the run at work and starts no other.
    pub(crate) async fn close(&self) {
        let running = {
            let mut book = self.book();
            book.closed = true;
            book.running()
        };
        if let Some(job) = running {
            job.end().await;
        }
    }

    fn enter(&self, total_s: f64) -> Result<Arc<Job>, Refusal> {
        let mut book = self.book();
        if book.closed {
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the server is ending"));
        }
        if let Some(job) = book.running() {
            return Err(Refusal::new(
                StatusCode::CONFLICT,
                format!(
                    "run {} is still at work, and a second one would disturb it; wait or cancel it",
                    job.id
                ),
            ));
        }
        book.started += 1;
        let view = JobView { state: State::Running, elapsed_s: 0.0, total_s, report: None, error: None };
        let job =
            Arc::new(Job { id: book.started, interrupted: Arc::default(), view: watch::Sender::new(view) });
        book.jobs.push_back(Arc::clone(&job));
        if book.jobs.len() > KEPT {
            book.jobs.pop_front();
        }
        Ok(job)
    }

    fn find(&self, id: &str) -> Result<Arc<Job>, Refusal> {
        let book = self.book();
        let found = book.jobs.iter().find(|job| job.id.to_string() == id).map(Arc::clone);
        found.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, format!("there is no run {id:?} (any more)")))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn running(&self) -> Option<Arc<Job>> {
        self.jobs.iter().find(|job| job.view.borrow().state == State::Running).map(Arc::clone)
    }
}

impl Job {
    async fn end(&self) -> JobView {
        self.interrupted.store(true, Ordering::SeqCst);
        let mut view = self.view.subscribe();
        match view.wait_for(|view| view.state != State::Running).await {
            Ok(view) => view.clone(),
            Err(_closed) => self.view.borrow().clone(),
        }
    }

    /// What the runner gets: our flag, and a way to tell how far it is.
    fn options(self: &Arc<Self>) -> RunnerOptions {
        let job = Arc::clone(self);
        RunnerOptions {
            interrupted: Arc::clone(&self.interrupted),
            progress: Some(Box::new(move |elapsed_s, total_s| {
                job.view.send_modify(|view| {
                    view.elapsed_s = elapsed_s;
                    view.total_s = total_s;
                });
            })),
            ..RunnerOptions::default()
        }
    }
}

async fn carry_out(launch: Arc<Launch>, job: Arc<Job>, plan: Plan, platform: Platform, cap: Duration) {
    let begun = Instant::now();
    let options = job.options();
    let mut run = task::spawn_blocking(move || launch(&plan, platform, options));
    let mut late = false;
    let result = tokio::select! {
        result = &mut run => result,
        () = tokio::time::sleep(cap) => {
            late = true;
            job.interrupted.store(true, Ordering::SeqCst);
            run.await
        }
    };
    let result = result.unwrap_or_else(|error| {
        Err(RunError::Failed {
            what: format!("the runner broke off: {error}"),
            advice: "run `catamaran clean`".into(),
        })
    });
    let (state, report, error) = match result {
        Ok(report) => (State::Completed, Some(report), None),
        Err(RunError::Interrupted) if late => {
            (State::Failed, None, Some(format!("ended at its time cap of {} s", cap.as_secs())))
        }
        Err(RunError::Interrupted) => (State::Cancelled, None, Some(RunError::Interrupted.to_string())),
        Err(error) => (State::Failed, None, Some(error.to_string())),
    };
    job.view.send_modify(|view| {
        view.elapsed_s = begun.elapsed().as_secs_f64();
        (view.state, view.report, view.error) = (state, report, error);
    });
}

#[cfg(test)]
mod tests {
    use catamaran_report::report::{BackendKind, Identity};
    use tokio::time::timeout;

    use super::*;

    const SCENARIO: &str = r#"
schema = "catamaran/scenario/v1"
name = "small"
title = { en = "Small" }
seed = 7
duration = "1s"
platforms = ["bare-metal"]
[host]
cores = 1
memory = "256MiB"
[[tenant]]
name = "batch"
workload = { kind = "compute", work = "1s" }
"#;

    fn plan() -> Plan {
        Plan::from_toml(SCENARIO, "small.toml").unwrap()
    }

    fn report() -> Report {
        let identity = Identity {
            scenario_digest: String::new(),
            engine: String::new(),
            calibration_digest: None,
            machine: None,
        };
        Report::blank(&plan(), Platform::BareMetal, BackendKind::Native, 0, identity)
    }

    /// Tells how far it is, and goes on until it is interrupted, as the native runner does.
    fn endless() -> Arc<Launch> {
        Arc::new(|_, _, mut options| {
            if let Some(progress) = &mut options.progress {
                progress(0.25, 1.0);
            }
            while !options.interrupted.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(RunError::Interrupted)
        })
    }

    fn at_once(result: Result<Report, RunError>) -> Arc<Launch> {
        Arc::new(move |_, _, _| result.clone())
    }

    fn start(jobs: &Jobs) -> Result<String, StatusCode> {
        jobs.start(plan(), Platform::BareMetal).map(|id| id.to_string()).map_err(|refusal| refusal.status)
    }

    async fn ended(jobs: &Jobs, id: &str) -> JobView {
        let mut view = jobs.find(id).unwrap().view.subscribe();
        let waited = timeout(Duration::from_secs(60), view.wait_for(|view| view.state != State::Running));
        waited.await.unwrap().unwrap().clone()
    }

    #[tokio::test]
    async fn a_run_ends_with_its_report_or_its_error() {
        let failed = RunError::Failed { what: "no memory".into(), advice: "buy some".into() };
        for (result, state) in [(Ok(report()), State::Completed), (Err(failed), State::Failed)] {
            let jobs = Jobs::new(at_once(result.clone()));
            let id = start(&jobs).unwrap();
            let view = ended(&jobs, &id).await;
            assert_eq!((view.state, view.report), (state, result.clone().ok()));
            assert_eq!(view.error, result.err().map(|error| error.to_string()));
            assert_eq!(jobs.running(), None);
        }
    }

    #[tokio::test]
    async fn a_second_run_is_refused_while_one_is_at_work() {
        let jobs = Jobs::new(endless());
        let first = start(&jobs).unwrap();
        assert_eq!(start(&jobs), Err(StatusCode::CONFLICT));
        assert_eq!(jobs.running().map(|id| id.to_string()), Some(first.clone()));
        assert_eq!(jobs.cancel(&first).await.unwrap().state, State::Cancelled);
        let second = start(&jobs).unwrap();
        assert_ne!(first, second);
        assert_eq!(jobs.view(&first).unwrap().state, State::Cancelled, "an ended run is kept");
        assert_eq!(jobs.cancel(&second).await.unwrap().state, State::Cancelled);
        assert_eq!(jobs.cancel(&second).await.unwrap().state, State::Cancelled, "again changes nothing");
    }

    #[tokio::test]
    async fn a_run_is_ended_at_its_time_cap() {
        let jobs = Jobs { margin: Duration::ZERO, ..Jobs::new(endless()) };
        let id = start(&jobs).unwrap();
        let view = ended(&jobs, &id).await;
        assert_eq!(view.state, State::Failed);
        assert!(view.error.unwrap().contains("time cap of 1 s"));
    }

    #[tokio::test]
    async fn closing_ends_the_run_at_work_and_takes_no_other() {
        let jobs = Jobs::new(endless());
        let id = start(&jobs).unwrap();
        jobs.close().await;
        assert_eq!(jobs.view(&id).unwrap().state, State::Cancelled);
        assert_eq!(start(&jobs), Err(StatusCode::SERVICE_UNAVAILABLE));
    }

    #[tokio::test]
    async fn a_runner_that_breaks_off_is_a_failed_run() {
        let jobs = Jobs::new(Arc::new(|_, _, _| panic!("a defect")));
        let id = start(&jobs).unwrap();
        assert_eq!(ended(&jobs, &id).await.state, State::Failed);
    }

    #[tokio::test]
    async fn only_the_latest_runs_are_kept() {
        let jobs = Jobs::new(at_once(Ok(report())));
        for _ in 0..=KEPT {
            let id = start(&jobs).unwrap();
            ended(&jobs, &id).await;
        }
        assert_eq!(jobs.view("1").unwrap_err().status, StatusCode::NOT_FOUND);
        assert_eq!(jobs.view("2").unwrap().state, State::Completed);
        assert_eq!(jobs.view("-").unwrap_err().status, StatusCode::NOT_FOUND);
    }
}
