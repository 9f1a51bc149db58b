//! A heap of tags whose items know their places, so that a tag can be changed and an item taken out in O(log n).
//!
//! **How.** Tags are kept as whole numbers of the same order: of four of those a processor takes the least without a branch,
//! in WebAssembly too, where a choice between two floating-point numbers is a branch that nobody can predict.

/// Where an item is that is in no heap.
pub(super) const NOWHERE: u32 = u32::MAX;

/// Children of one place: two comparisons more for each level, and half as many levels, which reads less memory.
const ARITY: usize = 4;

/// A tag, ordered by its bits: of numbers that are not below 0 the bits have the order of the numbers, of those below the
/// other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key(i64);

impl Key {
    fn of(tag: f64) -> Self {
        // Together with -0, which stands apart by its bits, there is one 0.
        Self(flipped((tag + 0.0).to_bits() as i64))
    }

    fn tag(self) -> f64 {
        f64::from_bits(flipped(self.0) as u64)
    }
}

/// All bits but the sign the other way round where the sign is set; twice is nothing.
fn flipped(bits: i64) -> i64 {
    bits ^ ((bits >> 63) & i64::MAX)
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: Key,
    item: u32,
}

/// What comes first.
#[derive(Debug, Clone, Copy)]
pub(super) struct First {
    pub(super) tag: f64,
    pub(super) item: u32,
}

/// The least tag first. `at` is where each item is; an item is in one heap of those that share an `at`, or nowhere.
#[derive(Debug, Clone, Default)]
pub(super) struct Heap(Vec<Entry>);

impl Heap {
    #[inline]
    pub(super) fn first(&self) -> Option<First> {
        self.0.first().map(|entry| First { tag: entry.key.tag(), item: entry.item })
    }

    /// The tag of the item in that place.
    pub(super) fn tag(&self, place: u32) -> f64 {
        self.0[place as usize].key.tag()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn push(&mut self, at: &mut [u32], item: u32, tag: f64) {
        let entry = Entry { key: Key::of(tag), item };
        self.0.push(entry);
        self.up(at, self.0.len() - 1, entry);
    }

    /// Gives an item that is in here another tag.
    #[inline]
    pub(super) fn set(&mut self, at: &mut [u32], item: u32, tag: f64) {
        let key = Key::of(tag);
        if let [only] = self.0.as_mut_slice() {
            only.key = key;
            return;
        }
        let place = at[item as usize] as usize;
        let entry = Entry { key, item };
        if key > self.0[place].key { self.down(at, place, entry) } else { self.up(at, place, entry) }
    }

    /// Takes an item out that is in here.
    pub(super) fn remove(&mut self, at: &mut [u32], item: u32) {
        let place = std::mem::replace(&mut at[item as usize], NOWHERE) as usize;
        let Some(last) = self.0.pop() else { return };
        if let Some(gone) = self.0.get(place) {
            if last.key > gone.key { self.down(at, place, last) } else { self.up(at, place, last) }
        }
    }

    fn up(&mut self, at: &mut [u32], mut place: usize, entry: Entry) {
        while place > 0 {
            let parent = (place - 1) / ARITY;
            let above = self.0[parent];
            if above.key <= entry.key {
                break;
            }
            self.0[place] = above;
            at[above.item as usize] = place as u32;
            place = parent;
        }
        self.0[place] = entry;
        at[entry.item as usize] = place as u32;
    }

    fn down(&mut self, at: &mut [u32], mut place: usize, entry: Entry) {
        loop {
            let first = place * ARITY + 1;
            let child = match self.0.get(first..first + ARITY) {
                Some(&[a, b, c, d]) => first + least_of_four([a.key, b.key, c.key, d.key]),
                _ => match (first..self.0.len()).min_by_key(|&child| self.0[child].key) {
                    Some(child) => child,
                    None => break,
                },
            };
            let least = self.0[child];
            if least.key >= entry.key {
                break;
            }
            self.0[place] = least;
            at[least.item as usize] = place as u32;
            place = child;
        }
        self.0[place] = entry;
        at[entry.item as usize] = place as u32;
    }
}

/// Which is the first of those with the least key.
#[inline]
fn least_of_four([a, b, c, d]: [Key; ARITY]) -> usize {
    let (left, right) = (usize::from(b < a), 2 + usize::from(d < c));
    if c.min(d) < a.min(b) { right } else { left }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::rng::SplitMix64;

    #[test]
    fn keys_have_the_order_of_their_tags_and_give_them_back() {
        let tags = [
            f64::NEG_INFINITY,
            -2.5,
            -f64::MIN_POSITIVE,
            0.0,
            5e-324,
            1.0,
            1.0 + f64::EPSILON,
            3e300,
            f64::INFINITY,
        ];
        for pair in tags.windows(2) {
            assert!(Key::of(pair[0]) < Key::of(pair[1]), "{pair:?}");
        }
        assert!(tags.iter().all(|&tag| Key::of(tag).tag() == tag));
        assert_eq!(Key::of(-0.0), Key::of(0.0));
    }

    #[test]
    fn the_least_tag_is_first_whatever_is_pushed_changed_and_removed() {
        let mut dice = SplitMix64::named(3, "heap");
        let (mut heap, mut at, mut twin) = (Heap::default(), vec![NOWHERE; 60], vec![None; 60]);
        for _ in 0..20_000 {
            let (item, tag) = (dice.below(60) as usize, dice.below(1000) as f64);
            match (twin[item], dice.below(3)) {
                (None, _) => heap.push(&mut at, item as u32, tag),
                (Some(_), 0) => heap.remove(&mut at, item as u32),
                (Some(_), _) => heap.set(&mut at, item as u32, tag),
            }
            twin[item] = (at[item] != NOWHERE).then_some(tag);
            let least = twin.iter().flatten().copied().min_by(f64::total_cmp);
            assert_eq!(heap.first().map(|entry| entry.tag), least);
            assert_eq!(heap.is_empty(), least.is_none());
        }
    }
}
