//! What the play head knows and how it moves; no clock and no DOM here.

use std::rc::Rc;

use yew::Reducible;

use crate::picture::{Recording, View};

/// Speeds to choose from: simulated milliseconds in a second of one's own time.
pub const SPEEDS: &[u32] = &[5, 20, 50, 100, 250, 1_000, 5_000];

/// Widths of the window to choose from (ns).
pub const WINDOWS: &[u64] = &[
    10_000_000,
    20_000_000,
    50_000_000,
    100_000_000,
    200_000_000,
    500_000_000,
    1_000_000_000,
    2_000_000_000,
    5_000_000_000,
    10_000_000_000,
    30_000_000_000,
];

/// Where in the window the head stays while it plays: what was lies to its left, a glimpse of what comes to its right.
const HEAD_PLACE: f64 = 0.8;

/// Parts of the window that a change must be away to be a step: less could not be seen.
const VISIBLE_PARTS: u64 = 240;

/// The play head over a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Player {
    /// The head (ns).
    pub time_ns: u64,
    /// What is shown.
    pub view: View,
    /// Whether it runs.
    pub playing: bool,
    /// Simulated milliseconds in a second.
    pub speed: u32,
    recording: Option<Rc<Recording>>,
}

/// What can be done to it.
#[derive(Debug, Clone)]
pub enum Action {
    /// Another simulation to look at; the head stays where it is.
    Load(Rc<Recording>),
    /// So many milliseconds of one's own time went by.
    Tick(f64),
    /// Play or pause.
    Toggle,
    /// Pause.
    Pause,
    /// Play.
    Play,
    /// To the next change that can be seen; pauses.
    StepForward,
    /// To the change before; pauses.
    StepBack,
    /// By so many windows (negative: back).
    Jump(f64),
    /// To that instant (ns).
    Seek(u64),
    /// To the start.
    Rewind,
    /// To the end.
    End,
    /// A narrower window (nearer) or a wider one.
    Zoom {
        /// Nearer?
        nearer: bool,
    },
    /// A window of that width (ns).
    Window(u64),
    /// Simulated milliseconds in a second.
    Speed(u32),
}

impl Player {
    /// A head at the start.
    #[must_use]
    pub fn new(window_ns: u64, speed: u32) -> Self {
        Self { time_ns: 0, view: View { start_ns: 0, window_ns }, playing: false, speed, recording: None }
    }

    /// With exactly this head and view, as a link says.
    #[must_use]
    pub fn placed(mut self, time_ns: u64, view: View) -> Self {
        (self.time_ns, self.view) = (time_ns, view);
        self
    }

    /// The end of the run (ns); 0 while there is none.
    #[must_use]
    pub fn end_ns(&self) -> u64 {
        self.recording.as_ref().map_or(0, |recording| recording.end_ns)
    }

    /// Whether the head has come to the end.
    #[must_use]
    pub fn at_end(&self) -> bool {
        self.recording.is_some() && self.time_ns >= self.end_ns()
    }

    /// The least distance (ns) of a step.
    fn least_step_ns(&self) -> u64 {
        (self.view.window_ns / VISIBLE_PARTS).max(1)
    }

    fn head_place_ns(&self) -> u64 {
        (self.view.window_ns as f64 * HEAD_PLACE) as u64
    }

    /// The latest start of a view (ns).
    fn last_start_ns(&self) -> u64 {
        self.end_ns().saturating_sub(self.view.window_ns)
    }

    /// Moves the view no further than needed to show the head at its place or left of it.
    fn follow(mut self) -> Self {
        let latest = self.time_ns.saturating_sub(self.head_place_ns());
        if self.time_ns < self.view.start_ns || latest > self.view.start_ns {
            self.view.start_ns = latest;
        }
        self.view.start_ns = self.view.start_ns.min(self.last_start_ns());
        self
    }

    fn seek(mut self, time_ns: u64) -> Self {
        self.time_ns = match self.recording {
            Some(_) => time_ns.min(self.end_ns()),
            None => time_ns,
        };
        let shown = (self.view.start_ns..=self.view.end_ns()).contains(&self.time_ns);
        if shown && !self.playing { self } else { self.follow() }
    }

    fn tick(mut self, elapsed_ms: f64) -> Self {
        if !self.playing || self.recording.is_none() {
            return self;
        }
        let moved_ns = elapsed_ms / 1e3 * f64::from(self.speed) * 1e6;
        self.time_ns = self.time_ns.saturating_add(moved_ns.max(0.0).round() as u64).min(self.end_ns());
        self.playing = !self.at_end();
        self.follow()
    }

    fn window(mut self, window_ns: u64) -> Self {
        let part = self.time_ns.saturating_sub(self.view.start_ns) as f64 / self.view.window_ns.max(1) as f64;
        self.view.window_ns = window_ns.max(1);
        let before = (part.min(1.0) * window_ns as f64) as u64;
        self.view.start_ns = self.time_ns.saturating_sub(before).min(self.last_start_ns());
        self
    }

    fn zoom(self, nearer: bool) -> Self {
        let now = self.view.window_ns;
        let next = match nearer {
            true => WINDOWS.iter().rev().find(|&&window| window < now),
            false => WINDOWS.iter().find(|&&window| window > now),
        };
        match next {
            Some(&window_ns) => self.window(window_ns),
            None => self,
        }
    }

    fn step(mut self, found: Option<u64>) -> Self {
        self.playing = false;
        match found {
            Some(time_ns) => self.seek(time_ns),
            None => self,
        }
    }

    fn jump(self, windows: f64) -> Self {
        let by_ns = (windows.abs() * self.view.window_ns as f64) as u64;
        let to_ns = match windows < 0.0 {
            true => self.time_ns.saturating_sub(by_ns),
            false => self.time_ns.saturating_add(by_ns),
        };
        self.seek(to_ns)
    }

    fn toggle(mut self) -> Self {
        if self.at_end() {
            self = self.seek(0);
        }
        self.playing = !self.playing;
        self
    }

    fn load(mut self, recording: Rc<Recording>) -> Self {
        self.recording = Some(recording);
        let time_ns = self.time_ns;
        self.seek(time_ns)
    }

    fn apply(mut self, action: Action) -> Self {
        let find = |search: fn(&Recording, u64, u64) -> Option<u64>| {
            self.recording
                .as_ref()
                .and_then(|recording| search(recording, self.time_ns, self.least_step_ns()))
        };
        match action {
            Action::Load(recording) => return self.load(recording),
            Action::Tick(elapsed_ms) => return self.tick(elapsed_ms),
            Action::Toggle => return self.toggle(),
            Action::StepForward => {
                let found = find(Recording::next_change);
                return self.step(found);
            }
            Action::StepBack => {
                let found = find(Recording::previous_change);
                return self.step(found);
            }
            Action::Jump(windows) => return self.jump(windows),
            Action::Seek(time_ns) => return self.seek(time_ns),
            Action::Rewind => return self.seek(0),
            Action::End => return self.seek(u64::MAX),
            Action::Zoom { nearer } => return self.zoom(nearer),
            Action::Window(window_ns) => return self.window(window_ns),
            Action::Pause => self.playing = false,
            Action::Play => self.playing = !self.at_end(),
            Action::Speed(speed) => self.speed = speed.max(1),
        }
        self
    }
}

impl Reducible for Player {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        Rc::new(Rc::unwrap_or_clone(self).apply(action))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::tests_support::{recording, slice};

    /// 1000 ns of run, seen through 100 ns.
    fn player() -> Player {
        let film = recording(&[slice(0, 0, 0, 50), slice(0, 1, 60, 300), slice(0, 0, 300, 1_000)]);
        Player::new(100, 1).apply(Action::Load(Rc::new(film)))
    }

    fn after(actions: &[Action]) -> (u64, u64, bool) {
        let player = actions.iter().cloned().fold(player(), Player::apply);
        (player.time_ns, player.view.start_ns, player.playing)
    }

    #[test]
    fn the_head_moves_as_told() {
        use Action::{End, Jump, Play, Rewind, Seek, StepBack, StepForward, Tick, Toggle};
        /// What is done, and where head, window and playing stand then.
        type Row<'a> = (&'a [Action], (u64, u64, bool));
        let table: &[Row] = &[
            (&[], (0, 0, false)),
            (&[Tick(1.0)], (0, 0, false)),
            (&[Play, Tick(0.05)], (50, 0, true)),
            (&[Play, Tick(0.09)], (90, 10, true)),
            (&[Play, Tick(5.0)], (1_000, 900, false)),
            (&[End, Toggle], (0, 0, true)),
            (&[Toggle, Toggle], (0, 0, false)),
            (&[StepForward], (50, 0, false)),
            (&[StepForward, StepForward, StepForward], (300, 220, false)),
            (&[Seek(300), StepBack], (60, 0, false)),
            (&[StepBack], (0, 0, false)),
            (&[Seek(95)], (95, 0, false)),
            (&[Seek(5_000)], (1_000, 900, false)),
            (&[Seek(500), Rewind], (0, 0, false)),
            (&[Seek(500), Jump(-1.0)], (400, 320, false)),
            (&[Jump(0.5)], (50, 0, false)),
        ];
        for (actions, expected) in table {
            assert_eq!(after(actions), *expected, "{actions:?}");
        }
    }

    #[test]
    fn zooming_keeps_the_head_where_it_stands() {
        let player = player().apply(Action::Seek(500));
        let part = |player: &Player| (player.time_ns - player.view.start_ns) * 100 / player.view.window_ns;
        assert_eq!(part(&player), 80);
        assert_eq!(part(&player.clone().apply(Action::Window(10))), 80);
        assert_eq!(
            player.apply(Action::Zoom { nearer: true }).view.window_ns,
            100,
            "there is no nearer window"
        );
    }

    #[test]
    fn another_simulation_keeps_the_head() {
        let shorter = recording(&[slice(0, 0, 0, 50)]);
        let player = player().apply(Action::Seek(700)).apply(Action::Load(Rc::new(shorter)));
        assert_eq!((player.time_ns, player.view.start_ns), (700, 620));
    }

    #[test]
    fn a_link_places_the_head_before_the_simulation_is_there() {
        let view = View { start_ns: 850, window_ns: 100 };
        let placed = Player::new(100, 1).placed(900, view);
        let film = Rc::new(recording(&[slice(0, 0, 0, 50)]));
        let loaded = placed.apply(Action::Load(film));
        assert_eq!((loaded.time_ns, loaded.view), (900, view));
    }
}
