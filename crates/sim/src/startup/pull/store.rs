//! What one node has of images, and how the rest comes, event by event.

use std::collections::{BTreeMap, BTreeSet};

use catamaran_scenario::Plan;
use catamaran_scenario::plan::Image;

use super::{Habit, Part};

/// Round trips for the manifest and the configuration of an image.
const ROUND_TRIPS: u64 = 2;

/// Where lengths come from.
const LINK: &str = "host.network.bandwidth";
const UNPACK: &str = "host.unpack";
const LATENCY: &str = "host.network.latency";

/// What happens, in the order in which it is handled at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happens {
    /// A layer has been unpacked on a stack.
    Unpacked(usize),
    /// A pull is asked for.
    Asked(usize),
    /// Its manifest is there.
    Resolved(usize),
    /// The first byte of a blob comes.
    Flows(usize),
}

#[derive(Debug, Default)]
struct Blob {
    id: String,
    size: f64,
    /// When its first request was sent, and when it was there.
    asked: Option<f64>,
    there: Option<f64>,
    /// Whose transfer it is.
    pull: usize,
    /// Pulls that go on when it is there.
    waiting: Vec<usize>,
}

/// A layer on top of certain others.
#[derive(Debug, Default)]
struct Stack {
    blob: usize,
    begun: Option<f64>,
    done: Option<f64>,
    /// Pulls that wait for it.
    waiting: Vec<usize>,
}

#[derive(Debug)]
struct Pull {
    instance: usize,
    image: String,
    asked: f64,
    resolve: Option<(f64, f64)>,
    /// Blob and stack of each layer, the bottom one first.
    layers: Vec<(usize, usize)>,
    /// How many layers it has asked for, has under way, has unpacked.
    next: usize,
    flying: usize,
    unpacked: usize,
    /// Layers that were not there when it began.
    missed: Vec<usize>,
    /// Stacks that it unpacked, or waited for.
    stacked: Vec<usize>,
}

/// What one node has of images.
#[derive(Debug)]
pub(super) struct Store {
    habit: Habit,
    /// Bytes in a nanosecond; none where the scenario does not say.
    link: Option<f64>,
    unpack: Option<f64>,
    /// One way (ns).
    latency: Option<f64>,
    blobs: Vec<Blob>,
    blob_of: BTreeMap<String, usize>,
    stacks: Vec<Stack>,
    stack_of: BTreeMap<(Option<usize>, usize), usize>,
    pulls: Vec<Pull>,
    /// Images that are complete.
    images: BTreeSet<String>,
    /// Pulls that wait for their turn, where images come one at a time; the one whose turn it is.
    queue: Vec<usize>,
    turn: Option<usize>,
    now: f64,
    events: BTreeSet<(u64, Happens)>,
    /// Bytes that each transfer under way has had since the beginning of time.
    each: f64,
    /// By the value of `each` at which they are complete.
    transfers: BTreeSet<(u64, usize)>,
}

/// The order of non-negative numbers is that of their bits.
fn key(number: f64) -> u64 {
    number.max(0.0).to_bits()
}

impl Store {
    pub(super) fn new(plan: &Plan, habit: Habit) -> Self {
        let network = plan.host().network.as_ref();
        let per_ns = |bytes: catamaran_scenario::BytesPerSecond| bytes.0 as f64 / 1e9;
        let mut store = Self {
            habit,
            link: network.and_then(|network| network.bandwidth).map(per_ns),
            unpack: plan.host().unpack.map(per_ns),
            latency: network.and_then(|network| network.latency).map(|latency| latency.0 as f64),
            blobs: Vec::new(),
            blob_of: BTreeMap::new(),
            stacks: Vec::new(),
            stack_of: BTreeMap::new(),
            pulls: Vec::new(),
            images: BTreeSet::new(),
            queue: Vec::new(),
            turn: None,
            now: 0.0,
            events: BTreeSet::new(),
            each: 0.0,
            transfers: BTreeSet::new(),
        };
        for image in plan.images().iter().filter(|image| image.cached) {
            store.images.insert(image.name.clone());
            for (blob, stack) in store.layers(image) {
                store.blobs[blob].there = Some(0.0);
                store.stacks[stack].done = Some(0.0);
            }
        }
        store
    }

    /// Blob and stack of each layer of an image.
    fn layers(&mut self, image: &Image) -> Vec<(usize, usize)> {
        let mut below = None;
        let mut layers = Vec::new();
        for layer in &image.layers {
            let blob = *self.blob_of.entry(layer.id.clone()).or_insert_with(|| {
                self.blobs.push(Blob { id: layer.id.clone(), size: layer.size.0 as f64, ..Blob::default() });
                self.blobs.len() - 1
            });
            let stack = *self.stack_of.entry((below, blob)).or_insert_with(|| {
                self.stacks.push(Stack { blob, ..Stack::default() });
                self.stacks.len() - 1
            });
            layers.push((blob, stack));
            below = Some(stack);
        }
        layers
    }

    pub(super) fn ask(&mut self, instance: usize, at_ns: u64, image: &Image) {
        let layers = self.layers(image);
        let at = at_ns as f64;
        self.events.insert((key(at), Happens::Asked(self.pulls.len())));
        self.pulls.push(Pull {
            instance,
            image: image.name.clone(),
            asked: at,
            resolve: None,
            layers,
            next: 0,
            flying: 0,
            unpacked: 0,
            missed: Vec::new(),
            stacked: Vec::new(),
        });
    }

    /// Lets time go by until every image is there.
    pub(super) fn carry_out(mut self) -> BTreeMap<usize, Vec<Part>> {
        loop {
            let event = self.events.first().map(|(at, _)| f64::from_bits(*at));
            let transfer = self.next_transfer();
            match (transfer, event) {
                (Some((at, each)), event) if event.is_none_or(|event| at <= event) => {
                    self.advance_to(at);
                    self.each = each;
                    self.complete();
                }
                (_, Some(event)) => {
                    self.advance_to(event);
                    self.handle_first();
                }
                _ => break,
            }
        }
        self.pulls.iter().map(|pull| (pull.instance, self.parts(pull))).collect()
    }

    /// When the next blob is complete, and what each transfer has had by then.
    fn next_transfer(&self) -> Option<(f64, f64)> {
        let each = f64::from_bits(self.transfers.first()?.0);
        let left = (each - self.each).max(0.0) * self.transfers.len() as f64;
        // Without a link of known speed lengths are unknown, and only the order counts.
        Some((self.link.map_or(self.now, |link| self.now + left / link), each))
    }

    fn advance_to(&mut self, at: f64) {
        if let (Some(link), false) = (self.link, self.transfers.is_empty()) {
            self.each += (at - self.now).max(0.0) * link / self.transfers.len() as f64;
        }
        self.now = self.now.max(at);
    }

    fn handle_first(&mut self) {
        match self.events.pop_first().map(|(_, what)| what) {
            Some(Happens::Asked(pull)) => self.asked(pull),
            Some(Happens::Resolved(pull)) => {
                let blobs = self.pulls[pull].layers.iter().map(|(blob, _)| *blob);
                let missed: BTreeSet<usize> =
                    blobs.filter(|&blob| self.blobs[blob].there.is_none()).collect();
                self.pulls[pull].missed = missed.into_iter().collect();
                self.fetch(pull);
                self.go_on(pull);
            }
            Some(Happens::Flows(blob)) => {
                self.transfers.insert((key(self.each + self.blobs[blob].size), blob));
            }
            Some(Happens::Unpacked(stack)) => {
                self.stacks[stack].done = Some(self.now);
                for pull in std::mem::take(&mut self.stacks[stack].waiting) {
                    self.go_on(pull);
                }
            }
            None => {}
        }
    }

    fn asked(&mut self, pull: usize) {
        if self.habit.serial && self.turn.is_some() {
            return self.queue.push(pull);
        }
        if self.images.contains(&self.pulls[pull].image) {
            // It is there; one that waited for its turn has lost that time.
            let waited = self.now > self.pulls[pull].asked;
            self.pulls[pull].resolve = waited.then_some((self.now, self.now));
            return;
        }
        if self.habit.serial {
            self.turn = Some(pull);
        }
        let there = self.now + self.latency.unwrap_or(0.0) * 2.0 * ROUND_TRIPS as f64;
        self.pulls[pull].resolve = Some((self.now, there));
        self.events.insert((key(there), Happens::Resolved(pull)));
    }

    /// Asks for as many layers as may come at a time.
    fn fetch(&mut self, pull: usize) {
        while self.pulls[pull].flying < self.habit.parallel {
            let Some(&(blob, _)) = self.pulls[pull].layers.get(self.pulls[pull].next) else { return };
            self.pulls[pull].next += 1;
            if self.blobs[blob].asked.is_some() || self.blobs[blob].there.is_some() {
                continue;
            }
            self.blobs[blob].asked = Some(self.now);
            self.blobs[blob].pull = pull;
            self.pulls[pull].flying += 1;
            let flows = self.now + self.latency.unwrap_or(0.0) * 2.0;
            self.events.insert((key(flows), Happens::Flows(blob)));
        }
    }

    /// The first of the transfers is complete.
    fn complete(&mut self) {
        let Some((_, blob)) = self.transfers.pop_first() else { return };
        self.blobs[blob].there = Some(self.now);
        let pull = self.blobs[blob].pull;
        self.pulls[pull].flying -= 1;
        self.fetch(pull);
        for pull in std::mem::take(&mut self.blobs[blob].waiting) {
            self.go_on(pull);
        }
    }

    /// Unpacks what can be unpacked of a pull, or waits.
    fn go_on(&mut self, pull: usize) {
        while let Some(&(blob, stack)) = self.pulls[pull].layers.get(self.pulls[pull].unpacked) {
            if self.stacks[stack].done.is_some() {
                self.pulls[pull].unpacked += 1;
                continue;
            }
            if self.stacks[stack].begun.is_none() && self.blobs[blob].there.is_none() {
                return self.blobs[blob].waiting.push(pull);
            }
            self.pulls[pull].stacked.push(stack);
            self.stacks[stack].waiting.push(pull);
            if self.stacks[stack].begun.is_some() {
                return;
            }
            self.stacks[stack].begun = Some(self.now);
            let length = self.unpack.map_or(0.0, |unpack| self.blobs[blob].size / unpack);
            self.events.insert((key(self.now + length), Happens::Unpacked(stack)));
            return;
        }
        let image = self.pulls[pull].image.clone();
        self.images.insert(image);
        if self.turn == Some(pull) {
            self.turn = None;
            for next in std::mem::take(&mut self.queue) {
                self.asked(next);
            }
        }
    }

    /// What a tenant waited for.
    fn parts(&self, pull: &Pull) -> Vec<Part> {
        let Some((asked, resolved)) = pull.resolve else { return Vec::new() };
        let span =
            |from: f64, to: f64| ((from - pull.asked).max(0.0) as u64, (to - pull.asked).max(0.0) as u64);
        let actor = self.habit.actor;
        let part = |name: String, known: bool, from: f64, to: f64, source| Part {
            name,
            actor,
            span: known.then(|| span(from, to)),
            source,
        };
        let mut parts = Vec::new();
        let timed = self.link.is_some() && self.unpack.is_some();
        if asked > pull.asked {
            // Images come one at a time: until it was this one's turn.
            parts.push(part("pull-queue".into(), timed, pull.asked, asked, UNPACK));
        }
        if resolved > asked {
            parts.push(part("resolve".into(), true, asked, resolved, LATENCY));
        }
        for blob in pull.missed.iter().map(|&blob| &self.blobs[blob]) {
            if let (Some(from), Some(to)) = (blob.asked, blob.there) {
                let name = format!("pull {}", blob.id);
                parts.push(part(name, self.link.is_some(), from.max(asked), to, LINK));
            }
        }
        for stack in pull.stacked.iter().map(|&stack| &self.stacks[stack]) {
            if let (Some(from), Some(to)) = (stack.begun, stack.done) {
                let name = format!("unpack {}", self.blobs[stack.blob].id);
                let source = if self.link.is_some() { UNPACK } else { LINK };
                parts.push(part(name, timed, from.max(asked), to, source));
            }
        }
        parts
    }
}
