//! Guests that move from node to node while they run: who moves when, and how a world hands one over to another.
//!
//! **Law.** The guests of a tenant move one after the other, as do those of all events on one node: there is one link. While
//! rounds go on (`platform::migration`) the guest runs; what it writes meanwhile is what its tenant touches for the first
//! time, and all that it holds where it touches that anew. For the last round it stands still; then its threads, its timers and its
//! memory are on the other node, and nothing is left. A migration comes to nothing where the guest ends, where the other node has no
//! room for it or fails, and where one of the two is cut off: the guest goes on where it is.
//! **Source.** As for `platform::migration`; libvirt `qemuMigrationSrcPerform` (a source that fails resumes its guest).
//! **Left out.** Two nodes that send to a third at the same time have its link each to itself. What an idle guest writes (its
//! kernel's few pages) nobody has published. The place of the guest's memory on the other node is taken when it comes, not while it is sent.

use std::collections::VecDeque;

use catamaran_scenario::Plan;
use catamaran_scenario::plan::Action;

use super::build::Setting;
use super::guests::MovedGuest;
use super::lives::Lives;
use super::log::Note;
use super::memory::MovedMemory;
use super::nodes;
use super::world::{Event, TENANTS_SECOND, World};
use crate::kernel::Instant;
use crate::kernel::trace::Cause;
use crate::platform::migration::{Next, Rounds, Terms, Transfer};
use crate::workload::Program;

mod hand_over;

/// Rounds of one migration that are told one by one; one that does not come to its end goes on quietly.
const ROUNDS_TOLD: u32 = 100;

/// Whether an instance is on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Here,
    /// It was never here, and may come.
    Expected,
    /// It has gone to another node.
    Left,
}

/// What an instance had on nodes before this one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Before {
    pub(super) peak_bytes: u64,
    pub(super) throttled_ns: u64,
    pub(super) throttled_periods: u64,
}

/// All of an instance, between two nodes.
#[derive(Debug, Clone)]
pub(super) struct Goods {
    program: Program,
    start: Instant,
    lives: Lives,
    before: Before,
    guest: MovedGuest,
    /// Threads by their number in the instance.
    timers: Vec<(Instant, Event)>,
    memory: Option<MovedMemory>,
}

/// What a node has for another one: an instance, or that one which was expected does not come.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    pub(super) to: u32,
    pub(super) index: usize,
    pub(super) goods: Option<Box<Goods>>,
}

/// An instance that is to move.
#[derive(Debug, Clone, Copy)]
struct Wish {
    index: usize,
    to: u32,
    cause: Option<Cause>,
}

/// A migration under way.
#[derive(Debug, Clone, Copy)]
struct Underway {
    wish: Wish,
    rounds: Rounds,
    since: Instant,
    /// How many rounds there were.
    told: u32,
    /// Whether the guest stands still.
    last: bool,
    /// Whether it has left, and the answer is awaited.
    left: bool,
}

/// When a node can't be reached (from, until).
type Cut = (u32, Instant, Instant);

/// Migrations of a node.
#[derive(Debug, Clone)]
pub(super) struct Moves {
    /// None where nothing can move.
    terms: Option<Terms>,
    node: u32,
    cuts: Vec<Cut>,
    waiting: VecDeque<Wish>,
    underway: Option<Underway>,
    /// Of the migration under way, or of the last one.
    number: u32,
    /// Instances of which it is not known yet whether they come.
    pub(super) expecting: usize,
    outbox: Vec<Parcel>,
}

/// The nodes on which an instance may come to be.
fn visits(plan: &Plan, setting: &Setting, (tenant, replica): (usize, u32)) -> Vec<u32> {
    let own = nodes::node_of(plan, (tenant, replica));
    let name = plan.tenants().get(tenant).filter(|_| setting.guest.is_some()).map(|tenant| &tenant.name);
    let to = plan.events().iter().filter_map(move |event| match &event.action {
        Action::Migrate { target, to } if Some(target) == name => Some(*to),
        _ => None,
    });
    own.into_iter().chain(to).collect()
}

/// Where an instance is at first, as a node sees it; none where it never comes there.
pub(super) fn place(plan: &Plan, setting: &Setting, node: u32, instance: (usize, u32)) -> Option<Place> {
    if nodes::node_of(plan, instance) == Some(node) {
        return Some(Place::Here);
    }
    visits(plan, setting, instance).contains(&node).then_some(Place::Expected)
}

/// All nodes on which instances that take part may come to be.
pub(super) fn all_nodes(plan: &Plan, setting: &Setting) -> impl Iterator<Item = u32> {
    let instances = plan.instances().enumerate().filter(|(index, _)| setting.takes_part(*index));
    instances.flat_map(|(_, one)| visits(plan, setting, one))
}

impl Moves {
    pub(super) fn of(plan: &Plan, setting: &Setting, node: u32) -> Self {
        let comes = |(tenant, _): (usize, u32)| {
            let name = plan.tenants().get(tenant).map(|tenant| &tenant.name);
            let here = |action: &Action| matches!(action, Action::Migrate { target, to } if Some(target) == name && *to == node);
            plan.events().iter().filter(|event| here(&event.action)).count()
        };
        let instances = plan.instances().enumerate().filter(|(index, _)| setting.takes_part(*index));
        let expecting = instances.map(|(_, one)| comes(one)).sum();
        let cut = |event: &catamaran_scenario::plan::Event| match event.action {
            Action::FailNode { target } => Some((target, event.at.0, Instant::MAX)),
            Action::Partition { target, lasts } => Some((target, event.at.0, event.at.0 + lasts.0)),
            _ => None,
        };
        Self {
            terms: setting.migration,
            node,
            cuts: plan.events().iter().filter_map(cut).collect(),
            waiting: VecDeque::new(),
            underway: None,
            number: 0,
            expecting: if setting.guest.is_some() { expecting } else { 0 },
            outbox: Vec::new(),
        }
    }

    /// When this node or that one is cut off between two instants, if it is.
    fn cut(&self, other: u32, from: Instant, until: Instant) -> Option<Instant> {
        let cuts = self.cuts.iter().filter(|(node, start, end)| {
            (*node == other || *node == self.node) && *start <= until && *end > from
        });
        cuts.map(|(_, start, _)| (*start).max(from)).min()
    }

    /// One that was expected on a node does not come.
    fn keep(&mut self, wish: Wish) {
        self.outbox.push(Parcel { to: wish.to, index: wish.index, goods: None });
    }

    /// Nothing more moves.
    pub(super) fn give_all_up(&mut self) {
        let underway = self.underway.take().map(|underway| underway.wish);
        let all: Vec<Wish> = underway.into_iter().chain(self.waiting.drain(..)).collect();
        all.into_iter().for_each(|wish| self.keep(wish));
    }

    /// Whether something is to come, from another node or the answer of one.
    pub(super) fn waits(&self) -> bool {
        self.expecting > 0 || self.underway.is_some_and(|underway| underway.left)
    }

    pub(super) fn take_outbox(&mut self) -> Vec<Parcel> {
        std::mem::take(&mut self.outbox)
    }
}

impl World {
    /// Has instances move to another node, one after the other.
    pub(super) fn migrate(&mut self, instances: &[usize], to: u32, cause: Option<Cause>) {
        self.moves.waiting.extend(instances.iter().map(|&index| Wish { index, to, cause }));
        self.next_move();
    }

    fn next_move(&mut self) {
        while self.moves.underway.is_none()
            && let Some(wish) = self.moves.waiting.pop_front()
        {
            if !self.begin_move(wish) {
                self.note(Note::NotMoved(wish.index), wish.cause);
                self.moves.keep(wish);
            }
        }
    }

    /// Begins a migration, if it can be begun.
    fn begin_move(&mut self, wish: Wish) -> bool {
        let Some(terms) = self.moves.terms else { return false };
        let goes = self.is_there(wish.index) && wish.to != self.moves.node && !self.lost;
        if !goes || self.moves.cut(wish.to, self.now, self.now).is_some() {
            return false;
        }
        let bytes = self.memory_to_send(wish.index, terms.sends_all());
        let mut rounds = Rounds::new(terms);
        let first = rounds.first(bytes);
        self.forget_writes(wish.index);
        self.moves.number += 1;
        self.moves.underway =
            Some(Underway { wish, rounds, since: self.now, told: 0, last: false, left: false });
        self.transfer(first);
        true
    }

    /// Begins a round.
    fn transfer(&mut self, next: Next) {
        let Some(Underway { wish, told, .. }) = self.moves.underway else { return };
        let (note, Transfer { ns, .. }, last) = match next {
            Next::Round(round) => (Note::Round(wish.index, round.bytes), round, false),
            Next::Last(round) => (Note::Still(wish.index, round.bytes), round, true),
        };
        let cause = if last || told < ROUNDS_TOLD { self.note(note, wish.cause) } else { wish.cause };
        if last && let Some(guests) = self.engine.guests() {
            guests.stand_still(wish.index);
        }
        let now = self.now;
        if let Some(underway) = &mut self.moves.underway {
            underway.wish.cause = cause;
            (underway.since, underway.told, underway.last) = (now, told + 1, last);
        }
        let over = now.saturating_add(ns);
        let at = self.moves.cut(wish.to, now, over).unwrap_or(over);
        self.queue.push(at, TENANTS_SECOND, Event::Move(self.moves.number));
    }

    /// A round is over, or was cut off.
    pub(super) fn move_on(&mut self, number: u32) {
        let Some(mut underway) = self.moves.underway.filter(|_| number == self.moves.number) else { return };
        let Underway { wish, since, last, .. } = underway;
        if !self.is_there(wish.index) || self.moves.cut(wish.to, self.now, self.now).is_some() {
            return self.give_up_move(wish.index, wish.cause);
        }
        if last {
            return self.depart(wish);
        }
        let written = self.written(wish.index);
        self.forget_writes(wish.index);
        let next = underway.rounds.next(written, self.now - since);
        self.moves.underway = Some(underway);
        self.transfer(next);
    }

    /// The migration of an instance comes to nothing, if one is under way: it goes on where it is.
    pub(super) fn give_up_move(&mut self, index: usize, cause: Option<Cause>) {
        let Some(underway) = self.moves.underway.filter(|underway| underway.wish.index == index) else {
            return;
        };
        self.moves.underway = None;
        if underway.last
            && let Some(guests) = self.engine.guests()
        {
            guests.go_on(index);
        }
        self.note(Note::NotMoved(index), cause);
        self.moves.keep(underway.wish);
        self.next_move();
    }
}
