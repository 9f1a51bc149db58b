//! What the duel's page holds together: settings, three simulations, one play head, the link.

use std::rc::Rc;

use catamaran_lessons::Stage;
use catamaran_report::report::Report;
use catamaran_scenario::{Calibration, Plan};
use gloo_timers::callback::Timeout;
use yew::prelude::*;

use super::figures::{Blast, Figure, Figures, leak, leak_in_guest};
use super::film::{Film, together};
use super::reports::{Reports, use_reports};
use super::settings::{self, ERAS, Leak};
use crate::app::{self, Preferences, use_preferences};
use crate::lesson::{History, Settings};
use crate::link::{Link, Route};
use crate::picture::View;
use crate::player::{Action, Motion, Player, use_player};
use crate::sim::{Bench, Failure, Wanted, use_bench};

/// Window (ns) and speed (ms of the run in a second) with which the duel opens: the boot of a guest lasts some seconds then.
const FIRST_WINDOW_NS: u64 = 500_000_000;
const FIRST_SPEED: u32 = 100;

/// The address follows the picture after so much rest (ms).
const ADDRESS_REST_MS: u32 = 400;

/// One era.
#[derive(Clone, PartialEq)]
pub(super) struct Era {
    pub(super) bench: Bench,
    pub(super) film: Option<Rc<Film>>,
    /// None until there is a simulation.
    pub(super) figures: Option<Rc<Figures>>,
    /// Whom a leak kills; none until that is simulated.
    pub(super) leak: Option<Figure<Blast>>,
}

/// All of it.
#[derive(Clone, PartialEq)]
pub(super) struct Duel {
    pub(super) history: UseReducerHandle<History>,
    /// The scenario that is shown, or why the values don't make one.
    pub(super) scenario: Result<String, String>,
    /// In the order of [`ERAS`].
    pub(super) eras: [Era; 3],
    pub(super) player: UseReducerHandle<Player>,
}

impl Duel {
    /// Whether a simulation of the picture is under way.
    pub(super) fn busy(&self) -> bool {
        self.eras.iter().any(|era| era.bench.busy)
    }

    /// The link to the picture as it stands.
    pub(super) fn link(&self, preferences: Preferences) -> Link {
        Link {
            route: Route::Duel,
            changes: self.history.now.changes.clone(),
            seed: self.history.now.seed,
            time_ns: Some(self.player.time_ns),
            start_ns: Some(self.player.view.start_ns),
            window_ns: Some(self.player.view.window_ns),
            lang: Some(preferences.lang),
            theme: Some(preferences.theme),
            ..Link::default()
        }
    }
}

/// Puts the duel together from the link with which it was opened.
#[hook]
pub(super) fn use_duel(link: &Link) -> Duel {
    let (preferences, _) = use_preferences();
    let history = use_reducer(|| {
        let start = Settings { changes: Vec::new(), seed: None, platform: ERAS[0] };
        History::new(settings::from_link(link), start)
    });
    let scenario = settings::scenario(&history.now);
    let wanted = |era: usize| {
        let scenario = scenario.clone().ok()?;
        Some(Wanted { scenario, platform: *ERAS.get(era)? })
    };
    let benches = [
        use_bench(wanted(0), Stage::Cpu),
        use_bench(wanted(1), Stage::Cpu),
        use_bench(wanted(2), Stage::Cpu),
    ];
    let films = [use_film(&benches[0]), use_film(&benches[1]), use_film(&benches[2])];
    let figures = [use_figures(&benches[0]), use_figures(&benches[1]), use_figures(&benches[2])];
    let leaks: Vec<Result<Leak, String>> = ERAS
        .iter()
        .map(|&era| scenario.clone().and_then(|text| settings::leak(&text, &history.now, era)))
        .collect();
    let asked = leaks.iter().filter_map(|leak| Some(leak.as_ref().ok()?.wanted().clone())).collect();
    let reports = use_reports(asked);
    let player = use_player(|| first_player(link));
    use_loading(&films, &benches, &player, link.time_ns.is_none());
    let era = |index: usize| Era {
        bench: (*benches[index]).clone(),
        film: films[index].clone(),
        figures: figures[index].clone(),
        leak: leaks.get(index).and_then(|leak| blast(leak, &reports, &benches[index])),
    };
    let duel = Duel { eras: [era(0), era(1), era(2)], history, scenario, player };
    use_address(&duel, preferences);
    duel
}

fn first_player(link: &Link) -> Player {
    let window_ns = link.window_ns.filter(|&window| window > 0).unwrap_or(FIRST_WINDOW_NS);
    let start_ns = link.start_ns.unwrap_or_default();
    let time_ns = link.time_ns.unwrap_or_default();
    Player::new(window_ns, FIRST_SPEED).placed(time_ns, View { start_ns, window_ns })
}

/// The simulation on the common clock.
#[hook]
fn use_film(bench: &Bench) -> Option<Rc<Film>> {
    let film = use_memo(bench.recording().cloned(), |recording| {
        recording.as_ref().map(|recording| Rc::new(Film::new(recording)))
    });
    (*film).clone()
}

#[hook]
fn use_figures(bench: &Bench) -> Option<Rc<Figures>> {
    let figures = use_memo(bench.done.clone(), |done| {
        let (recording, wanted) = done.as_ref()?;
        let plan = Plan::from_toml(&wanted.scenario, "scenario").ok()?;
        Some(Rc::new(Figures::of(&plan, &recording.report, &Calibration::reference())))
    });
    (*figures).clone()
}

/// Whom a leak kills, once it is simulated; where that can't be simulated, why.
fn blast(fault: &Result<Leak, String>, reports: &Reports, bench: &Bench) -> Option<Figure<Blast>> {
    let fault = match fault {
        Ok(fault) => fault,
        Err(reason) => return Some(Err(reason.clone())),
    };
    let report: &Report = match reports.answer(fault.wanted())? {
        Ok(report) => report,
        Err(Failure::Refused(reason) | Failure::Broken(reason)) => return Some(Err(reason.clone())),
    };
    match fault {
        Leak::All(_) => Some(Ok(leak(report))),
        Leak::Guest(_) => {
            let (recording, wanted) = bench.done.as_ref()?;
            let plan = Plan::from_toml(&wanted.scenario, "scenario").ok()?;
            Some(leak_in_guest(&plan, &recording.report, report))
        }
    }
}

/// The play head gets each new set of films; the first one plays, unless the link names a moment or less motion is wanted.
#[hook]
fn use_loading(
    films: &[Option<Rc<Film>>; 3],
    benches: &[UseReducerHandle<Bench>; 3],
    player: &UseReducerHandle<Player>,
    may_play: bool,
) {
    let player = player.dispatcher();
    let first = use_mut_ref(|| true);
    let settled = benches.iter().all(|bench| !bench.busy);
    let there: Vec<Rc<Film>> = films.iter().flatten().cloned().collect();
    use_effect_with((there, settled), move |(films, settled)| {
        let Some(whole) = settled.then(|| together(films)).flatten() else { return };
        player.dispatch(Action::Load(Rc::new(whole)));
        if first.replace(false) && may_play && Motion::wanted() == Motion::Smooth {
            player.dispatch(Action::Play);
        }
    });
}

/// The address follows what is set, and the moment too once the play head rests.
#[hook]
fn use_address(duel: &Duel, preferences: Preferences) {
    let mut link = duel.link(preferences);
    if duel.player.playing {
        (link.time_ns, link.start_ns) = (None, None);
    }
    use_effect_with(link, |link| {
        let link = link.clone();
        let timer = Timeout::new(ADDRESS_REST_MS, move || app::replace(&link));
        move || drop(timer)
    });
}
