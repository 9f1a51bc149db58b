//! Rust text. The `Debug` form of a string is a Rust literal.

use std::fmt::Write;

use crate::bases;
use crate::figure::{self, Figure, Op, Run, Source};
use crate::manifest::{BetField, Condition, Control, Find, Text};
use crate::markdown::Piece;
use crate::read::{BLOCKS, LANGUAGES, Lesson, Section, Words};

/// The whole generated module.
pub(crate) fn module(lessons: &[Lesson], home: &[Vec<Section>]) -> Result<String, String> {
    let mut out = String::new();
    for lesson in lessons {
        for file in &lesson.scenarios {
            let name = constant(lesson, &file.name);
            put(&mut out, format_args!("const {name}: &str = include_str!({:?});\n", file.path))?;
        }
    }
    let rows = lessons.iter().map(lesson_literal).collect::<Result<Vec<_>, _>>()?;
    put(&mut out, format_args!("pub(super) static LESSONS: &[Lesson] = &[{}];\n", rows.join(",\n")))?;
    let rows = lessons.iter().map(markdown_literal).collect::<Vec<_>>();
    put(
        &mut out,
        format_args!("pub(super) static MARKDOWN: &[(&str, [Plain; 2])] = &[{}];\n", rows.join(",\n")),
    )?;
    for (language, sections) in LANGUAGES.iter().zip(home) {
        let name = format!("HOME_{}", language.to_uppercase());
        let rows: Vec<String> = sections.iter().map(|part| section(part, None)).collect();
        put(&mut out, format_args!("pub(super) static {name}: &[Section] = &[{}];\n", rows.join(",\n")))?;
    }
    Ok(out)
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) -> Result<(), String> {
    out.write_fmt(text).map_err(|error| error.to_string())
}

fn constant(lesson: &Lesson, file: &str) -> String {
    format!("{}_{file}", lesson.id).replace('-', "_").to_uppercase()
}

fn lesson_literal(lesson: &Lesson) -> Result<String, String> {
    let manifest = &lesson.manifest;
    let scenarios = list(&lesson.scenarios, |file| {
        format!("ScenarioFile {{ name: {:?}, text: {} }}", file.name, constant(lesson, &file.name))
    });
    let controls =
        manifest.controls.iter().zip(&lesson.starts).map(|(c, start)| control(c, start)).collect::<Vec<_>>();
    let fields =
        manifest.bet.fields.iter().zip(&lesson.answers).map(|(f, answer)| bet_field(lesson, f, answer));
    let conditions = manifest.goal.conditions.iter().map(condition).collect::<Result<Vec<_>, _>>()?;
    let words =
        lesson.words.iter().map(|words| words_literal(lesson, words)).collect::<Result<Vec<_>, _>>()?;
    Ok(format!(
        "Lesson {{ id: {id:?}, number: {number}, title: {title}, one_idea: {one_idea}, scenarios: {scenarios}, \
         platforms: {platforms}, controls: &[{controls}], bet: Bet {{ run: {run}, fields: &[{fields}] }}, \
         goal: Goal {{ conditions: &[{conditions}], finds: {finds}, picks: {picks}, at_most: &{at_most:?}, locked: &{locked:?} }}, \
         solution: {solution}, solution_on: {solution_on}, stage: Stage::{stage:?}, command: {command:?}, recorded: {recorded}, \
         bases: {bases}, \
         words: [{words}] }}",
        id = lesson.id,
        number = manifest.number,
        finds = list(&manifest.goal.finds, find),
        picks = list(&manifest.goal.picks.iter().zip(&lesson.right).collect::<Vec<_>>(), |(pick, right)| {
            format!("Pick {{ id: {:?}, label: {}, right: &{right:?} }}", pick.id, text(&pick.label))
        }),
        bases = list(&lesson.bases, bases::literal),
        title = text(&manifest.title),
        one_idea = text(&manifest.one_idea),
        platforms = list(&lesson.platforms, |name| platform(name)),
        controls = controls.join(", "),
        run = run(lesson, &lesson.bet_run),
        fields = fields.collect::<Vec<_>>().join(", "),
        conditions = conditions.join(", "),
        at_most = manifest.goal.at_most,
        locked = manifest.goal.locked,
        solution = list(&manifest.solution, |change| change_literal(&change.path, &change.value)),
        solution_on = manifest
            .solution_on
            .as_ref()
            .map_or_else(|| "None".to_owned(), |name| format!("Some({})", platform(name))),
        stage = manifest.stage,
        command = manifest.command,
        recorded = lesson
            .recorded
            .as_ref()
            .map_or_else(|| "None".to_owned(), |path| format!("Some(include_str!({path:?}))")),
        words = words.join(", "),
    ))
}

pub(crate) fn list<T>(items: &[T], literal: impl Fn(&T) -> String) -> String {
    format!("&[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", "))
}

pub(crate) fn text(text: &Text) -> String {
    format!("Text {{ en: {:?}, ko: {:?} }}", text.en, text.ko)
}

/// `bare-metal` is `Platform::BareMetal`; the compiler says if there is none.
fn platform(name: &str) -> String {
    let capital = |word: &str| {
        word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect::<String>()
    };
    format!("Platform::{}", name.split('-').map(capital).collect::<String>())
}

fn control(control: &Control, start: &str) -> String {
    let choices = |choices: &[crate::manifest::Choice]| {
        let literal = |choice: &crate::manifest::Choice| {
            format!("Choice {{ value: {:?}, label: {} }}", choice.value, text(&choice.label))
        };
        list(choices, literal)
    };
    let kind = match (&control.slider, &control.choice, &control.switch) {
        (_, _, Some(word)) => format!("ControlKind::Switch {{ word: {word:?} }}"),
        (Some(slider), ..) => format!(
            "ControlKind::Slider {{ min: {:?}, max: {:?}, step: {:?}, unit: {:?} }}",
            slider.min, slider.max, slider.step, slider.unit
        ),
        (None, Some(few), None) => format!("ControlKind::Choice({})", choices(few)),
        (None, None, None) => {
            format!("ControlKind::Order({})", choices(control.order.as_deref().unwrap_or_default()))
        }
    };
    format!(
        "Control {{ id: {:?}, path: {:?}, start: {start:?}, label: {}, help: {}, kind: {kind} }}",
        control.id,
        control.path,
        text(&control.label),
        text(&control.help)
    )
}

fn bet_field(lesson: &Lesson, field: &BetField, answer: &Figure) -> String {
    let choices = list(&field.choice, |choice| {
        format!("BetChoice {{ value: {:?}, label: {} }}", choice.value, text(&choice.label))
    });
    format!(
        "BetField {{ id: {:?}, label: {}, min: {:?}, max: {:?}, step: {:?}, tolerance: {:?}, choices: {choices}, answer: {} }}",
        field.id,
        text(&field.label),
        field.min,
        field.max,
        field.step,
        field.tolerance,
        figure(Some(lesson), answer)
    )
}

fn condition(condition: &Condition) -> Result<String, String> {
    let op = match condition.op.as_str() {
        "<" => "Below",
        "<=" => "AtMost",
        ">" => "Above",
        ">=" => "AtLeast",
        other => return Err(format!("goal: unknown op \"{other}\"; accepted are <, <=, >, >=")),
    };
    let formula = figure::formula_of(&condition.metric).map_err(|what| format!("goal: {what}"))?;
    let unit = match &condition.unit {
        Some(word) => format!("Some(Unit::{})", figure::unit(word).map_err(|what| format!("goal: {what}"))?),
        None => "None".to_owned(),
    };
    Ok(format!(
        "Condition {{ metric: {:?}, formula: {}, unit: {unit}, op: Comparison::{op}, value: {:?}, text: {} }}",
        condition.metric,
        list(&formula, op_literal),
        condition.value,
        text(&condition.text)
    ))
}

fn find(find: &Find) -> String {
    format!("Find {{ id: {:?}, label: {}, metric: {:?} }}", find.id, text(&find.label), find.metric)
}

fn change_literal(path: &str, value: &str) -> String {
    format!("Change {{ path: {path:?}, value: {value:?} }}")
}

fn run(lesson: &Lesson, run: &Run) -> String {
    format!(
        "Run {{ file: {:?}, scenario: {}, platform: {}, changes: {} }}",
        run.file,
        constant(lesson, &run.file),
        platform(&run.platform),
        list(&run.changes, |(path, value)| change_literal(path, value))
    )
}

fn words_literal(lesson: &Lesson, words: &Words) -> Result<String, String> {
    let find = |id: &str| {
        words.sections.iter().find(|section| section.id == id).ok_or(format!("block {id} is missing"))
    };
    let sections = |ids: &[&str]| {
        let found =
            ids.iter().map(|id| Ok(section(find(id)?, Some(lesson)))).collect::<Result<Vec<_>, String>>();
        found.map(|rows| rows.join(", "))
    };
    let html = |id: &str| find(id).map(|section| format!("Html({})", pieces(&section.html, Some(lesson))));
    let beats = ["play", "bet", "run", "why", "goal", "for-real", "debrief"];
    let terms = list(&words.terms, |term| {
        format!("Term {{ term: {:?}, html: Html({}) }}", term.title, pieces(&term.html, Some(lesson)))
    });
    Ok(format!(
        "Words {{ beats: [{}], hints: [{}, {}, {}], solution: {}, imprecise: {}, glossary: {terms}, sources: {} }}",
        sections(&beats)?,
        html("hint-1")?,
        html("hint-2")?,
        html("hint-3")?,
        html("solution")?,
        sections(&["imprecise"])?,
        sections(&["sources"])?,
    ))
}

fn section(section: &Section, lesson: Option<&Lesson>) -> String {
    let html = pieces(&section.html, lesson);
    format!("Section {{ id: {:?}, title: {:?}, html: Html({html}) }}", section.id, section.title)
}

/// The whole lesson as one Markdown document, blocks in their order.
fn markdown_literal(lesson: &Lesson) -> String {
    let languages = lesson.words.iter().zip(LANGUAGES).map(|(words, language)| {
        let manifest = &lesson.manifest;
        let pick = |text: &'_ Text| if language == "ko" { text.ko.clone() } else { text.en.clone() };
        let head = Piece::Text(format!(
            "# {}. {}\n\n{}\n",
            manifest.number,
            pick(&manifest.title),
            pick(&manifest.one_idea)
        ));
        let mut rows = vec![piece(&head, Some(lesson))];
        for section in BLOCKS.iter().filter_map(|id| words.sections.iter().find(|section| section.id == *id))
        {
            rows.push(piece(&Piece::Text(format!("\n## {}\n", section.title)), Some(lesson)));
            rows.extend(section.markdown.iter().map(|part| piece(part, Some(lesson))));
        }
        format!("Plain(&[{}])", rows.join(", "))
    });
    format!("({:?}, [{}])", lesson.id, languages.collect::<Vec<_>>().join(", "))
}

fn pieces(pieces: &[Piece], lesson: Option<&Lesson>) -> String {
    list(pieces, |part| piece(part, lesson))
}

fn piece(piece: &Piece, lesson: Option<&Lesson>) -> String {
    match piece {
        Piece::Text(text) => format!("Piece::Text({text:?})"),
        Piece::Figure(part) => format!("Piece::Figure({})", figure(lesson, part)),
    }
}

fn figure(lesson: Option<&Lesson>, figure: &Figure) -> String {
    let source = match (&figure.source, lesson) {
        (Source::Run(source), Some(lesson)) => format!("Source::Run({})", run(lesson, source)),
        // The home page has no scenario of its own, so its figures can only be live ones; `read::home` lets no other through.
        _ => "Source::Now".to_owned(),
    };
    let josa = figure.josa.map_or_else(|| "None".to_owned(), |pair| format!("Some(Josa::{pair})"));
    format!(
        "Figure {{ unit: Unit::{}, formula: {}, source: {source}, josa: {josa} }}",
        figure.unit,
        list(&figure.formula, op_literal)
    )
}

fn op_literal(op: &Op) -> String {
    match op {
        Op::Number(number) => format!("Op::Number({number:?})"),
        Op::Metric(path) => format!("Op::Metric({path:?})"),
        Op::Operator("+") => "Op::Add".to_owned(),
        Op::Operator("-") => "Op::Subtract".to_owned(),
        Op::Operator("*") => "Op::Multiply".to_owned(),
        Op::Operator(_) => "Op::Divide".to_owned(),
    }
}
