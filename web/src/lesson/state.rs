//! What a lesson page holds together: settings, simulation, play head, progress, link.

use std::collections::BTreeSet;
use std::rc::Rc;

use catamaran_lessons::{Beat, Lesson, Stage, Verdict};
use catamaran_report::Report;
use catamaran_scenario::Plan;
use gloo_timers::callback::Timeout;
use yew::prelude::*;

use super::beats::{beat_of, number_of};
use super::goal::check;
use super::progress::{Progress, keep_progress, progress_in};
use super::prose::Figures;
use super::settings::{History, Settings};
use crate::app::{self, Preferences, use_preferences};
use crate::link::{Link, Route};
use crate::picture::View;
use crate::player::{Action, Motion, Player, use_player};
use crate::sim::{Bench, Wanted, use_bench, use_library};

/// Window (ns) and speed (ms of the run in a second) with which a lesson opens: memory fills over seconds, all else happens
/// within milliseconds.
const fn first_view(stage: Stage) -> (u64, u32) {
    match stage {
        Stage::Memory | Stage::Family | Stage::Chain => (10_000_000_000, 1_000),
        Stage::Servers => (20_000_000_000, 1_000),
        Stage::Layers => (20_000_000_000, 1_000),
        Stage::Steal => (200_000_000, 50),
        Stage::Cpu | Stage::Weight | Stage::Sight => (500_000_000, 100),
    }
}

/// The address follows the picture after so much rest (ms).
const ADDRESS_REST_MS: u32 = 400;

/// All of it.
#[derive(Clone, PartialEq)]
pub(super) struct LessonState {
    pub(super) lesson: &'static Lesson,
    pub(super) beat: Beat,
    pub(super) open: Callback<Beat>,
    pub(super) history: UseReducerHandle<History>,
    /// The scenario that is shown, or why the values don't make one.
    pub(super) scenario: Result<String, String>,
    pub(super) bench: Bench,
    pub(super) player: UseReducerHandle<Player>,
    pub(super) figures: Figures,
    pub(super) progress: Progress,
    pub(super) keep: Callback<Progress>,
    pub(super) reports: Rc<Vec<Report>>,
    pub(super) set_reports: Callback<Vec<Report>>,
    pub(super) verdict: Option<Verdict>,
    /// The lesson's own plan.
    pub(super) start: Rc<Option<Plan>>,
}

impl LessonState {
    /// The link to the picture as it stands.
    pub(super) fn link(&self, preferences: Preferences) -> Link {
        let settings = &self.history.now;
        Link {
            route: Route::Lesson(self.lesson.id.to_owned()),
            beat: Some(number_of(self.beat)),
            platform: Some(settings.platform),
            changes: settings.changes.clone(),
            seed: settings.seed,
            time_ns: Some(self.player.time_ns),
            start_ns: Some(self.player.view.start_ns),
            window_ns: Some(self.player.view.window_ns),
            lang: Some(preferences.lang),
            theme: Some(preferences.theme),
            token: None,
        }
    }
}

/// Puts a lesson page together from the link with which it was opened.
#[hook]
pub(super) fn use_lesson(lesson: &'static Lesson, link: &Link) -> LessonState {
    let (preferences, _) = use_preferences();
    let (progress, keep) = use_progress(lesson);
    let beat = use_state(|| first_beat(link, &progress));
    let history = use_reducer(|| History::new(Settings::from_link(lesson, link), Settings::start(lesson)));
    let wanted = wanted(lesson, *beat, &history.now);
    let bench = use_bench(wanted.clone().ok(), lesson.stage);
    let library = use_library(lesson.runs(preferences.lang));
    let player = use_player(|| first_player(lesson, link));
    use_loading(&bench, &player, lesson.stage, link.time_ns.is_none());
    let figures = Figures { bench: (*bench).clone(), library: Rc::new((*library).clone()) };
    let open = opening(lesson.stage, &beat, &player, &progress, &keep);
    let reports = use_state(|| Rc::new(Vec::new()));
    let set_reports = {
        let reports = reports.setter();
        Callback::from(move |found: Vec<Report>| reports.set(Rc::new(found)))
    };
    let start = use_memo((), |()| Plan::from_toml(lesson.scenario(), "lesson").ok());
    let verdict = use_verdict(lesson, start.clone(), &bench, *beat, progress.marked.clone());
    use_goal_met(&verdict, &progress, &keep);
    let state = LessonState {
        lesson,
        beat: *beat,
        open,
        history,
        scenario: wanted.map(|wanted| wanted.scenario),
        bench: (*bench).clone(),
        player,
        figures,
        progress,
        keep,
        reports: (*reports).clone(),
        set_reports,
        verdict,
        start,
    };
    use_address(&state, preferences);
    state
}

fn first_beat(link: &Link, progress: &Progress) -> Beat {
    let last = || Beat::ALL.iter().copied().find(|beat| Some(beat.id()) == progress.last_beat.as_deref());
    link.beat.and_then(beat_of).or_else(last).unwrap_or(Beat::Play)
}

fn first_player(lesson: &Lesson, link: &Link) -> Player {
    let (first_window_ns, first_speed) = first_view(lesson.stage);
    let window_ns = link.window_ns.filter(|&window| window > 0).unwrap_or(first_window_ns);
    let time_ns = link.time_ns.unwrap_or_default();
    let start_ns = link.start_ns.unwrap_or_default();
    Player::new(window_ns, first_speed).placed(time_ns, View { start_ns, window_ns })
}

/// What is to be simulated: the learner's scenario, or the bet's while its answer is looked at.
fn wanted(lesson: &Lesson, beat: Beat, settings: &Settings) -> Result<Wanted, String> {
    if beat == Beat::Run {
        let run = lesson.bet.run;
        let scenario = super::settings::changed(run.scenario, run.changes)?;
        return Ok(Wanted { scenario, platform: run.platform });
    }
    let scenario = settings.scenario(lesson.scenario())?;
    Ok(Wanted { scenario, platform: settings.platform })
}

/// The play head gets each new simulation; the first one plays, unless the link names a moment or less motion is wanted. What is
/// seen is then shown at the end, where everybody is there.
#[hook]
fn use_loading(bench: &Bench, player: &UseReducerHandle<Player>, stage: Stage, may_play: bool) {
    let player = player.dispatcher();
    let first = use_mut_ref(|| true);
    use_effect_with(bench.recording().cloned(), move |recording| {
        if let Some(recording) = recording {
            player.dispatch(Action::Load(recording.clone()));
            if !first.replace(false) || !may_play {
                return;
            }
            match (Motion::wanted(), stage) {
                (Motion::Smooth, _) => player.dispatch(Action::Play),
                (_, Stage::Sight | Stage::Family | Stage::Chain) => player.dispatch(Action::End),
                (
                    _,
                    Stage::Cpu
                    | Stage::Memory
                    | Stage::Weight
                    | Stage::Steal
                    | Stage::Servers
                    | Stage::Layers,
                ) => {}
            }
        }
    });
}

#[hook]
fn use_progress(lesson: &'static Lesson) -> (Progress, Callback<Progress>) {
    let progress = use_state(|| progress_in(lesson.id));
    let setter = progress.setter();
    let keep = use_callback(lesson.id, move |next: Progress, id| {
        keep_progress(id, &next);
        setter.set(next);
    });
    ((*progress).clone(), keep)
}

/// Opens a beat: remembered, and with the play head at the start where another stretch of time is shown.
fn opening(
    stage: Stage,
    beat: &UseStateHandle<Beat>,
    player: &UseReducerHandle<Player>,
    progress: &Progress,
    keep: &Callback<Progress>,
) -> Callback<Beat> {
    let (now, setter, player) = (**beat, beat.setter(), player.dispatcher());
    let (progress, keep) = (progress.clone(), keep.clone());
    Callback::from(move |next: Beat| {
        if !matches!(stage, Stage::Sight | Stage::Family) && (now == Beat::Run) != (next == Beat::Run) {
            player.dispatch(Action::Rewind);
        }
        let mut progress = progress.clone();
        progress.beats.extend([now.id().to_owned(), next.id().to_owned()]);
        progress.last_beat = Some(next.id().to_owned());
        keep.emit(progress);
        setter.set(next);
    })
}

/// How the goal stands with what is on the screen; `None` while it is simulated.
#[hook]
fn use_verdict(
    lesson: &'static Lesson,
    start: Rc<Option<Plan>>,
    bench: &Bench,
    beat: Beat,
    marked: BTreeSet<String>,
) -> Option<Verdict> {
    let done = bench.done.clone().filter(|_| !bench.busy && beat != Beat::Run);
    let verdict = use_memo((done, start, marked), |(done, start, marked)| {
        let (recording, wanted) = done.as_ref()?;
        let now = Plan::from_toml(&wanted.scenario, "scenario").ok()?;
        Some(check(lesson, (**start).as_ref()?, &now, marked, &recording.report))
    });
    (*verdict).clone()
}

/// A goal that was met stays met.
#[hook]
fn use_goal_met(verdict: &Option<Verdict>, progress: &Progress, keep: &Callback<Progress>) {
    let passed = verdict.as_ref().is_some_and(Verdict::passed);
    let (progress, keep) = (progress.clone(), keep.clone());
    use_effect_with(passed, move |&passed| {
        if passed && !progress.goal_met {
            keep.emit(Progress { goal_met: true, ..progress });
        }
    });
}

/// The address follows what is set, and the moment too once the play head rests.
#[hook]
fn use_address(state: &LessonState, preferences: Preferences) {
    let mut link = state.link(preferences);
    if state.player.playing {
        (link.time_ns, link.start_ns) = (None, None);
    }
    use_effect_with(link, |link| {
        let link = link.clone();
        let timer = Timeout::new(ADDRESS_REST_MS, move || app::replace(&link));
        move || drop(timer)
    });
}
