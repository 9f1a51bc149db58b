//! Instances that move from node to node: who moves when, and how a world hands one over to another.
//!
//! **Law.** The guests of a tenant move one after the other, as do those of all events on one node: there is one link. While
//! rounds go on (`platform::migration`) the guest runs; what it writes meanwhile is what its tenant touches for the first
//! time, and all that it holds where it touches that anew. For the last round it stands still; then its threads, its timers and its
//! memory are on the other node, and nothing is left. A migration comes to nothing where the guest ends, where the other node has no
//! room for it or fails, and where one of the two is cut off: the guest goes on where it is. A node that is drained sends its instances
//! to the others in turn, to the next one where there is no room; what is no guest that can be moved while it runs is stopped, and
//! started there.
//! **Source.** As for `platform::migration`; libvirt `qemuMigrationSrcPerform` (a source that fails resumes its guest).
//! **Left out.** What a start on a node costs that has not got the image yet. Two nodes that send to a third at the same time have its link each to itself. What an idle guest writes (its
//! kernel's few pages) nobody has published. The place of the guest's memory on the other node is taken when it comes, not while it is sent.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use catamaran_scenario::Plan;
use catamaran_scenario::plan::{self, Action};

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

/// What an instance had on nodes before this one, as far as it did not take it along in its guest.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Before {
    pub(super) cpu_ns: u64,
    pub(super) waited_ns: u64,
    pub(super) stolen_ns: u64,
    pub(super) work_ns: f64,
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
    /// None where it was stopped, to be started elsewhere.
    guest: Option<MovedGuest>,
    /// Threads by their number in the instance.
    timers: Vec<(Instant, Event)>,
    memory: Option<MovedMemory>,
    /// What it is charged when it comes (bytes).
    needs_bytes: u64,
}

/// What a node has for another one: an instance, or that one which was expected does not come.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    pub(super) to: u32,
    pub(super) index: usize,
    pub(super) goods: Option<Box<Goods>>,
}

/// An instance that is to move.
#[derive(Debug, Clone)]
struct Wish {
    index: usize,
    to: u32,
    /// Where it goes if there is no room.
    or: Vec<u32>,
    cause: Option<Cause>,
}

impl Wish {
    /// The next node to go to, which is taken off the list.
    fn next(&mut self) -> Option<u32> {
        (!self.or.is_empty()).then(|| self.or.remove(0))
    }
}

/// A migration under way.
#[derive(Debug, Clone)]
struct Underway {
    wish: Wish,
    /// None where it was stopped, to be started elsewhere.
    rounds: Option<Rounds>,
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
    /// Where instances go when the node is drained, by the time of that.
    refuges: BTreeMap<Instant, Vec<u32>>,
    /// Instances of which it is not known yet whether they come.
    pub(super) expecting: usize,
    outbox: Vec<Parcel>,
}

/// The nodes on which an instance may come to be.
fn visits(plan: &Plan, setting: &Setting, (tenant, replica): (usize, u32)) -> BTreeSet<u32> {
    let own = nodes::node_of(plan, (tenant, replica));
    let name = plan.tenants().get(tenant).filter(|_| setting.guest.is_some()).map(|tenant| &tenant.name);
    let to = plan.events().iter().filter_map(|event| match &event.action {
        Action::Migrate { target, to } if Some(target) == name => Some(*to),
        _ => None,
    });
    let visited: BTreeSet<u32> = own.into_iter().chain(to).collect();
    let drained =
        |event: &plan::Event| matches!(event.action, Action::Drain { target } if visited.contains(&target));
    match plan.events().iter().any(drained) {
        true => (0..plan.host().nodes).collect(),
        false => visited,
    }
}

/// Where the instances of a node may go that is drained at `at`: to all nodes that were not drained before.
fn elsewhere(plan: &Plan, target: u32, at: Instant) -> impl Iterator<Item = u32> {
    let drained: BTreeSet<u32> = plan
        .events()
        .iter()
        .filter(|event| event.at.0 <= at)
        .filter_map(|event| if let Action::Drain { target } = event.action { Some(target) } else { None })
        .collect();
    (0..plan.host().nodes).filter(move |node| *node != target && !drained.contains(node))
}

/// How often a node waits to hear whether an instance comes.
fn expected(plan: &Plan, setting: &Setting, node: u32, instance: (usize, u32)) -> usize {
    let name = plan.tenants().get(instance.0).map(|tenant| &tenant.name);
    let is = |event: &&plan::Event| match &event.action {
        Action::Migrate { target, to } => setting.guest.is_some() && Some(target) == name && *to == node,
        Action::Drain { target } => {
            place(plan, setting, *target, instance).is_some()
                && elsewhere(plan, *target, event.at.0).any(|other| other == node)
        }
        _ => false,
    };
    plan.events().iter().filter(is).count()
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

fn refuges(plan: &Plan, node: u32) -> BTreeMap<Instant, Vec<u32>> {
    let of_node = plan.events().iter().filter(|event| event.action == Action::Drain { target: node });
    of_node.map(|event| (event.at.0, elsewhere(plan, node, event.at.0).collect())).collect()
}

impl Moves {
    pub(super) fn of(plan: &Plan, setting: &Setting, node: u32) -> Self {
        let instances = plan.instances().enumerate().filter(|(index, _)| setting.takes_part(*index));
        let expecting = instances.map(|(_, one)| expected(plan, setting, node, one)).sum();
        let cut = |event: &plan::Event| match event.action {
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
            expecting,
            refuges: refuges(plan, node),
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
    fn keep_from(&mut self, index: usize, nodes: &[u32]) {
        self.outbox.extend(nodes.iter().map(|&to| Parcel { to, index, goods: None }));
    }

    /// Nothing more moves.
    pub(super) fn give_all_up(&mut self) {
        let underway = self.underway.take().map(|underway| underway.wish);
        let all: Vec<Wish> = underway.into_iter().chain(self.waiting.drain(..)).collect();
        for wish in all {
            self.keep_from(wish.index, &[wish.to]);
            self.keep_from(wish.index, &wish.or);
        }
    }

    /// Whether instances are moved while they run.
    pub(super) fn is_live(&self) -> bool {
        self.terms.is_some()
    }

    /// Whether something is to come, from another node or the answer of one.
    pub(super) fn waits(&self) -> bool {
        self.expecting > 0 || self.underway.as_ref().is_some_and(|underway| underway.left)
    }

    pub(super) fn take_outbox(&mut self) -> Vec<Parcel> {
        std::mem::take(&mut self.outbox)
    }
}

impl World {
    /// Has instances move to another node, one after the other.
    pub(super) fn migrate(&mut self, instances: &[usize], to: u32, cause: Option<Cause>) {
        let wish = |&index: &usize| Wish { index, to, or: Vec::new(), cause };
        self.moves.waiting.extend(instances.iter().map(wish));
        self.next_move();
    }

    /// Has instances move to the other nodes in turn; those of `others` are not here.
    pub(super) fn drain(&mut self, instances: &[usize], others: &[usize], cause: Option<Cause>) {
        let Some(nodes) = self.moves.refuges.get(&self.now).cloned().filter(|nodes| !nodes.is_empty()) else {
            return;
        };
        let (there, gone): (Vec<usize>, Vec<usize>) =
            instances.iter().partition(|index| self.is_there(**index));
        for (turn, index) in there.into_iter().enumerate() {
            let mut or = nodes.clone();
            or.rotate_left(turn % nodes.len());
            let to = or.remove(0);
            self.moves.waiting.push_back(Wish { index, to, or, cause });
        }
        gone.iter().chain(others).for_each(|index| self.moves.keep_from(*index, &nodes));
        self.next_move();
    }

    fn next_move(&mut self) {
        while self.moves.underway.is_none()
            && let Some(wish) = self.moves.waiting.pop_front()
        {
            if !self.begin_move(&wish) {
                self.not_there(wish);
            }
        }
    }

    /// An instance does not go to the first node of a wish, which still waits for it.
    fn not_there(&mut self, wish: Wish) {
        self.moves.outbox.push(Parcel { to: wish.to, index: wish.index, goods: None });
        self.go_on_to_the_next(wish);
    }

    /// An instance goes to the next node of a wish, if there is any.
    fn go_on_to_the_next(&mut self, mut wish: Wish) {
        if self.is_there(wish.index)
            && let Some(next) = wish.next()
        {
            wish.to = next;
            return self.moves.waiting.push_front(wish);
        }
        self.note(Note::NotMoved(wish.index), wish.cause);
        self.moves.keep_from(wish.index, &wish.or);
    }

    /// Begins a migration, if it can be begun.
    fn begin_move(&mut self, wish: &Wish) -> bool {
        let goes = self.is_there(wish.index) && wish.to != self.moves.node && !self.lost;
        if !goes || self.moves.cut(wish.to, self.now, self.now).is_some() {
            return false;
        }
        self.moves.number += 1;
        let (since, wish) = (self.now, wish.clone());
        let Some(terms) = self.moves.terms else {
            self.moves.underway =
                Some(Underway { wish: wish.clone(), rounds: None, since, told: 0, last: true, left: false });
            self.stop_to_move(&wish);
            return true;
        };
        let bytes = self.memory_to_send(wish.index, terms.sends_all());
        let mut rounds = Rounds::new(terms);
        let first = rounds.first(bytes);
        self.forget_writes(wish.index);
        let rounds = Some(rounds);
        self.moves.underway = Some(Underway { wish, rounds, since, told: 0, last: false, left: false });
        self.transfer(first);
        true
    }

    /// Begins a round.
    fn transfer(&mut self, next: Next) {
        let Some(Underway { wish, told, .. }) = self.moves.underway.clone() else { return };
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
        let underway = self.moves.underway.clone().filter(|_| number == self.moves.number);
        let Some(Underway { wish, since, last, mut rounds, .. }) = underway else { return };
        if !self.is_there(wish.index) || self.moves.cut(wish.to, self.now, self.now).is_some() {
            return self.give_up_move(wish.index, wish.cause);
        }
        if last {
            return self.depart(&wish);
        }
        let written = self.written(wish.index);
        self.forget_writes(wish.index);
        let Some(next) = rounds.as_mut().map(|rounds| rounds.next(written, self.now - since)) else { return };
        if let Some(underway) = &mut self.moves.underway {
            underway.rounds = rounds;
        }
        self.transfer(next);
    }

    /// The migration of an instance comes to nothing, if one is under way: it goes on where it is.
    pub(super) fn give_up_move(&mut self, index: usize, cause: Option<Cause>) {
        let is_of = |underway: &mut Underway| underway.wish.index == index && underway.rounds.is_some();
        let Some(Underway { wish, last, .. }) = self.moves.underway.take_if(is_of) else { return };
        if last && let Some(guests) = self.engine.guests() {
            guests.go_on(index);
        }
        self.not_there(Wish { cause, ..wish });
        self.next_move();
    }
}
