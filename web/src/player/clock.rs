//! What makes the head move: an animation frame each time the screen is drawn, or, where less motion is wished for, one
//! jump a second.

use std::rc::Rc;

use gloo_timers::callback::Interval;
use web_sys::window;
use yew::prelude::*;

use super::state::{Action, Player};
use crate::widgets::FrameLoop;

/// How the head moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// With every frame.
    Smooth,
    /// In jumps, for people who asked their system for less motion.
    Cuts,
}

/// Time between two jumps (ms of one's own time).
const CUT_MS: u32 = 1_000;

/// A frame after a pause of the page (a hidden tab) counts no more than this (ms).
const LONGEST_FRAME_MS: f64 = 100.0;

impl Motion {
    /// What the system asks for.
    #[must_use]
    pub fn wanted() -> Self {
        let query =
            window().and_then(|window| window.match_media("(prefers-reduced-motion: reduce)").ok().flatten());
        if query.is_some_and(|query| query.matches()) { Self::Cuts } else { Self::Smooth }
    }
}

/// What moves the head; it stops moving when this is dropped.
#[derive(Default)]
struct Driver {
    _frames: Option<FrameLoop>,
    _cuts: Option<Interval>,
}

/// A play head that moves while it plays.
#[hook]
pub fn use_player(first: impl FnOnce() -> Player) -> UseReducerHandle<Player> {
    let player = use_reducer(first);
    let dispatcher = player.dispatcher();
    use_effect_with(player.playing, move |&playing| {
        let driver =
            playing.then(|| drive(Rc::new(move |elapsed_ms| dispatcher.dispatch(Action::Tick(elapsed_ms)))));
        move || drop(driver)
    });
    player
}

fn drive(tick: Rc<dyn Fn(f64)>) -> Driver {
    match Motion::wanted() {
        Motion::Smooth => {
            let frames = FrameLoop::start(move |elapsed_ms| tick(elapsed_ms.min(LONGEST_FRAME_MS)));
            Driver { _frames: Some(frames), ..Driver::default() }
        }
        Motion::Cuts => {
            let cuts = Interval::new(CUT_MS, move || tick(f64::from(CUT_MS)));
            Driver { _cuts: Some(cuts), ..Driver::default() }
        }
    }
}
