//! What the learner changed, with undo; and the scenario that follows from it.

use std::rc::Rc;

use catamaran_lessons::Lesson;
use catamaran_scenario::{Platform, edit};
use yew::Reducible;

use crate::link::{Change, Link};

/// Everything that decides the simulation, beside the lesson.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Fields that stand otherwise than in the lesson's file.
    pub changes: Vec<Change>,
    /// Seed; `None`: the lesson's.
    pub seed: Option<u64>,
    /// Platform.
    pub platform: Platform,
}

impl Settings {
    /// As the lesson begins.
    #[must_use]
    pub fn start(lesson: &Lesson) -> Self {
        let platform = lesson.platforms.first().copied().unwrap_or(Platform::BareMetal);
        Self { changes: Vec::new(), seed: None, platform }
    }

    /// As a link says.
    #[must_use]
    pub fn from_link(lesson: &Lesson, link: &Link) -> Self {
        let start = Self::start(lesson);
        let offered = link.platform.filter(|platform| lesson.platforms.contains(platform));
        Self { changes: link.changes.clone(), seed: link.seed, platform: offered.unwrap_or(start.platform) }
    }

    /// The value at `path`, where it was changed.
    #[must_use]
    pub fn value(&self, path: &str) -> Option<&str> {
        self.changes.iter().find(|change| change.path == path).map(|change| change.value.as_str())
    }

    /// Sets a field; `start` (its value in the lesson's file) takes the change away.
    fn set(&mut self, path: &str, value: &str, start: &str) {
        self.changes.retain(|change| change.path != path);
        if value != start {
            self.changes.push(Change { path: path.to_owned(), value: value.to_owned() });
        }
    }

    /// The scenario's text with the changes in it.
    ///
    /// # Errors
    /// In words, where a change does not go into the scenario.
    pub fn scenario(&self, text: &str) -> Result<String, String> {
        let mut text = text.to_owned();
        let seed = self.seed.map(|seed| ("seed", seed.to_string()));
        let changes = self.changes.iter().map(|change| (change.path.as_str(), change.value.clone()));
        for (path, value) in seed.into_iter().chain(changes) {
            text = edit::set(&text, path, &value).map_err(|diagnostic| diagnostic.to_string())?;
        }
        Ok(text)
    }
}

/// A scenario's text with a lesson's changes in it.
///
/// # Errors
/// In words, where a change does not go into the scenario.
pub fn changed(text: &str, changes: &[catamaran_lessons::Change]) -> Result<String, String> {
    changes.iter().try_fold(text.to_owned(), |text, change| {
        edit::set(&text, change.path, change.value).map_err(|diagnostic| diagnostic.to_string())
    })
}

/// The settings now, before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// What holds.
    pub now: Settings,
    start: Settings,
    past: Vec<Settings>,
    future: Vec<Settings>,
    /// The field that is being dragged: its changes count as one.
    dragged: Option<&'static str>,
}

/// What can be done to the settings.
#[derive(Debug, Clone)]
pub enum Edit {
    /// A field of the lesson's controls.
    Set {
        /// Its path.
        path: &'static str,
        /// New value.
        value: String,
        /// Its value in the lesson's file.
        start: &'static str,
        /// Whether more of the same follows (a slider that is being dragged).
        dragging: bool,
    },
    /// The seed.
    Seed(Option<u64>),
    /// The platform.
    Platform(Platform),
    /// All at once.
    Replace(Settings),
    /// One change back.
    Undo,
    /// One forward again.
    Redo,
    /// As the lesson begins.
    Reset,
}

impl History {
    /// Begins with `now`; a reset goes to `start`.
    #[must_use]
    pub fn new(now: Settings, start: Settings) -> Self {
        Self { now, start, past: Vec::new(), future: Vec::new(), dragged: None }
    }

    /// Whether there is a change to take back.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// Whether one was taken back.
    #[must_use]
    pub fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }

    /// Whether anything differs from the start.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.now != self.start
    }

    /// The settings before and after those that hold.
    pub fn others(&self) -> impl Iterator<Item = &Settings> {
        self.past.iter().rev().chain(self.future.iter().rev())
    }

    fn apply(&mut self, edit: Edit) {
        let before = self.now.clone();
        let dragged = self.dragged.take();
        match edit {
            Edit::Undo => return self.go_back(),
            Edit::Redo => return self.go_forward(),
            Edit::Set { path, value, start, dragging } => {
                self.now.set(path, &value, start);
                self.dragged = dragging.then_some(path);
                if dragged == Some(path) {
                    return;
                }
            }
            Edit::Seed(seed) => self.now.seed = seed,
            Edit::Platform(platform) => self.now.platform = platform,
            Edit::Replace(settings) => self.now = settings,
            Edit::Reset => self.now = self.start.clone(),
        }
        if before != self.now {
            self.past.push(before);
            self.future.clear();
        }
    }

    fn go_back(&mut self) {
        if let Some(before) = self.past.pop() {
            self.future.push(std::mem::replace(&mut self.now, before));
        }
    }

    fn go_forward(&mut self) {
        if let Some(after) = self.future.pop() {
            self.past.push(std::mem::replace(&mut self.now, after));
        }
    }
}

impl Reducible for History {
    type Action = Edit;

    fn reduce(self: Rc<Self>, edit: Edit) -> Rc<Self> {
        let mut next = Rc::unwrap_or_clone(self);
        next.apply(edit);
        Rc::new(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: &str = "tenant.web.cpu.period";

    fn history() -> History {
        let start = Settings { changes: Vec::new(), seed: None, platform: Platform::Cgroups };
        History::new(start.clone(), start)
    }

    fn set(value: &str, dragging: bool) -> Edit {
        Edit::Set { path: PERIOD, value: value.to_owned(), start: "100ms", dragging }
    }

    fn after(edits: &[Edit]) -> History {
        let mut history = history();
        for edit in edits {
            history.apply(edit.clone());
        }
        history
    }

    #[test]
    fn changes_are_taken_back_and_made_again() {
        let table: &[(&[Edit], Option<&str>)] = &[
            (&[set("20ms", false)], Some("20ms")),
            (&[set("20ms", false), Edit::Undo], None),
            (&[set("20ms", false), Edit::Undo, Edit::Redo], Some("20ms")),
            (&[set("20ms", false), set("100ms", false)], None),
            (&[set("90ms", true), set("50ms", true), set("20ms", true), Edit::Undo], None),
            (&[set("90ms", false), set("20ms", false), Edit::Undo], Some("90ms")),
            (&[set("20ms", false), Edit::Reset], None),
            (&[set("20ms", false), Edit::Reset, Edit::Undo], Some("20ms")),
            (&[Edit::Undo, Edit::Redo], None),
        ];
        for (edits, expected) in table {
            assert_eq!(after(edits).now.value(PERIOD), *expected, "{edits:?}");
        }
    }

    #[test]
    fn a_new_change_forgets_what_was_taken_back() {
        let history = after(&[set("20ms", false), Edit::Undo, Edit::Seed(Some(8))]);
        assert!(!history.can_redo() && history.can_undo() && history.is_changed());
    }

    #[test]
    fn the_scenario_carries_the_changes() {
        let lesson = catamaran_lessons::find("cgroups").unwrap();
        let mut settings = Settings::start(lesson);
        settings.set(PERIOD, "20ms", "100ms");
        settings.seed = Some(99);
        let text = settings.scenario(lesson.scenario()).unwrap();
        let plan = catamaran_scenario::Plan::from_toml(&text, "test").unwrap();
        assert_eq!(plan.seed(), 99);
        assert_eq!(plan.tenants()[0].cpu.period.0, 20_000_000);
    }
}
