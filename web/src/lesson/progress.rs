//! How far a learner has come; kept in this browser only.

use std::collections::{BTreeMap, BTreeSet};

use gloo_storage::{LocalStorage, Storage};
use serde::{Deserialize, Serialize};

const PROGRESS_KEY: &str = "catamaran.progress";

/// A learner's progress in one lesson.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Beats that were opened, by their ids.
    pub beats: BTreeSet<String>,
    /// The last beat that was open.
    pub last_beat: Option<String>,
    /// Guesses by field of the bet.
    pub bet: BTreeMap<String, f64>,
    /// How sure the learner was: `guess`, `fairly`, `certain`.
    pub confidence: Option<String>,
    /// Whether the bet was placed or skipped.
    pub bet_done: bool,
    /// Whether the goal was met.
    pub goal_met: bool,
    /// Hints that were opened.
    pub hints: u8,
    /// What was marked in the task, by ids.
    pub marked: BTreeSet<String>,
}

/// The progress in every lesson, by id. What can't be read (another version wrote it) counts as none.
#[must_use]
pub fn stored_progress() -> BTreeMap<String, Progress> {
    LocalStorage::get(PROGRESS_KEY).unwrap_or_default()
}

/// The progress in a lesson.
#[must_use]
pub(super) fn progress_in(lesson: &str) -> Progress {
    stored_progress().remove(lesson).unwrap_or_default()
}

/// Keeps the progress in a lesson. Where the browser keeps nothing, it ends with the page.
pub(super) fn keep_progress(lesson: &str, progress: &Progress) {
    let mut all = stored_progress();
    all.insert(lesson.to_owned(), progress.clone());
    let _ = LocalStorage::set(PROGRESS_KEY, all);
}

/// All progress as a file.
#[must_use]
pub(super) fn progress_json() -> String {
    serde_json::to_string_pretty(&stored_progress()).unwrap_or_default()
}
