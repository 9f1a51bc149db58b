//! A card for each lesson that is written; those that are not are named as such.

use catamaran_lessons::{self as lessons, Lesson};
use yew::prelude::*;

use crate::app::use_lang;
use crate::i18n::{Home, Lang, beats_done, coming_lessons, lesson_number, say};
use crate::lesson::{Progress, stored_progress};
use crate::link::Route;

/// The lessons.
#[component]
pub fn Cards() -> Html {
    let lang = use_lang();
    let progress = use_memo((), |()| stored_progress());
    let coming = coming_lessons(lang);
    html! {
        <section class="lessons" aria-labelledby="lessons-title">
            <h2 id="lessons-title">{ say(lang, Home::LessonsTitle) }</h2>
            <p>{ say(lang, Home::LessonsText) }</p>
            <ul class="cards">
                { for lessons::all().iter().map(|lesson| card(lang, lesson, progress.get(lesson.id))) }
                if !coming.is_empty() {
                    <li class="card coming">
                        <h3>{ say(lang, Home::ComingTitle) }</h3>
                        <p>{ say(lang, Home::ComingText) }</p>
                        <ul>{ for coming.iter().map(|title| html! { <li>{ *title }</li> }) }</ul>
                    </li>
                }
            </ul>
        </section>
    }
}

fn card(lang: Lang, lesson: &'static Lesson, progress: Option<&Progress>) -> Html {
    let done = progress.map_or(0, |progress| progress.beats.len());
    let verb = match (done, progress.is_some_and(|progress| progress.goal_met)) {
        (0, _) => Home::StartLesson,
        (_, true) => Home::Again,
        _ => Home::Continue,
    };
    html! {
        <li class="card">
            <p class="lesson-number">{ lesson_number(lang, lesson.number) }</p>
            <h3>{ lesson.title.get(lang) }</h3>
            <p>{ lesson.one_idea.get(lang) }</p>
            <p class="card-foot">
                <a class="button" href={Route::Lesson(lesson.id.to_owned()).href()}
                    aria-label={format!("{}: {}", say(lang, verb), lesson.title.get(lang))}
                    data-testid={format!("card-{}", lesson.id)}>{ say(lang, verb) }</a>
                if done > 0 {
                    <span class="card-progress">{ beats_done(lang, done) }</span>
                }
            </p>
        </li>
    }
}
