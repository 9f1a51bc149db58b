//! `catamaran lessons`.

mod markdown;
mod model;
mod prove;

use std::path::PathBuf;
use std::{env, fs};

use catamaran_lessons::{Lesson, SCENARIO_PREFIX};
use catamaran_scenario::Lang;

use self::model::Model;
use crate::args::{Language, Lessons, LessonsAction};
use crate::failure::Failure;
use crate::output;
use crate::source::suggestion;
use crate::table::{self, Column};
use crate::terminal::Terminal;

/// Longer lines are hard to read.
const PROSE_COLUMNS: usize = 96;

pub(crate) fn lessons(args: &Lessons, terminal: &Terminal) -> Result<(), Failure> {
    let lang = args.lang.map_or_else(language_of_the_environment, Lang::from);
    match (&args.action, &args.id) {
        (Some(LessonsAction::Check), _) => prove::all(terminal),
        (Some(LessonsAction::New { id }), _) => start(id, terminal),
        (None, Some(id)) => read(find(id)?, lang, terminal),
        (None, None) => terminal.print(&list(lang, terminal)),
    }
}

fn list(lang: Lang, terminal: &Terminal) -> String {
    let all = catamaran_lessons::all();
    let columns = vec![
        Column::numbers("", all.iter().map(|lesson| lesson.number.to_string())),
        Column::text("id", all.iter().map(|lesson| lesson.id)),
        Column::text("title", all.iter().map(|lesson| lesson.title.get(lang))),
        Column::text("one idea", all.iter().map(|lesson| lesson.one_idea.get(lang))),
    ];
    table::lay_out(columns, terminal)
}

fn find(id: &str) -> Result<&'static Lesson, Failure> {
    let id = id.strip_prefix(SCENARIO_PREFIX).unwrap_or(id);
    catamaran_lessons::find(id).ok_or_else(|| {
        let known = catamaran_lessons::all().iter().map(|lesson| lesson.id.to_owned()).collect::<Vec<_>>();
        Failure::input(format!("{id}: no such lesson{}", suggestion(id, &known)))
    })
}

/// The whole lesson, its figures computed by the simulator as it is shown.
fn read(lesson: &'static Lesson, lang: Lang, terminal: &Terminal) -> Result<(), Failure> {
    let source = catamaran_lessons::markdown(lesson.id, lang)
        .ok_or_else(|| Failure::Failed(format!("{}: the lesson has no text", lesson.id)))?;
    let mut model = Model::new(lesson, terminal);
    let text = source.fill(&mut |source, path| model.value(source, path));
    model.finish()?;
    if !terminal.is_terminal() {
        return terminal.print(&format!("{}\n", text.trim_end()));
    }
    let width = terminal.width().min(PROSE_COLUMNS);
    terminal.print(&markdown::render(&text, width, terminal.colored()))
}

/// Writes the files of a new lesson into the repository that the working directory is in.
fn start(id: &str, terminal: &Terminal) -> Result<(), Failure> {
    let files = catamaran_lessons::new_lesson(id).map_err(|error| Failure::input(error.to_string()))?;
    let root = repository()?;
    if let Some(there) = files.iter().map(|file| root.join(&file.path)).find(|path| path.exists()) {
        return Err(Failure::input(format!("{} is there already; choose another id", there.display())));
    }
    let mut text = String::new();
    for file in &files {
        let path = root.join(&file.path);
        output::make_directory(path.parent().unwrap_or(&root))?;
        output::write(&path, &file.text)?;
        text += &format!("wrote {}\n", path.display());
    }
    text += "edit them, build, and prove the lesson: cargo run -- lessons check\n";
    terminal.print(&text)
}

fn repository() -> Result<PathBuf, Failure> {
    let here =
        env::current_dir().map_err(|error| Failure::input(format!("no working directory: {error}")))?;
    let root =
        here.ancestors().find(|folder| fs::exists(folder.join("crates/lessons/Cargo.toml")).unwrap_or(false));
    root.map(ToOwned::to_owned).ok_or_else(|| {
        Failure::input(format!(
            "{} is not in Catamaran's repository (no crates/lessons above it); lessons are built in, so clone it first",
            here.display()
        ))
    })
}

/// POSIX: the first of these that is set and not empty decides.
pub(crate) fn language_of_the_environment() -> Lang {
    let set = |name: &&str| env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set);
    locale.and_then(|locale| Lang::from_code(locale.split('.').next()?)).unwrap_or_default()
}

impl From<Language> for Lang {
    fn from(language: Language) -> Self {
        match language {
            Language::En => Self::En,
            Language::Ko => Self::Ko,
        }
    }
}
