//! A heap of tags whose items know their places, so that a tag can be changed and an item taken out in O(log n).

/// Where an item is that is in no heap.
pub(super) const NOWHERE: u32 = u32::MAX;

/// Children of one place: two comparisons more for each level, and half as many levels, which reads less memory.
const ARITY: usize = 4;

#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) tag: f64,
    pub(super) item: u32,
}

/// The least tag first. `at` is where each item is; an item is in one heap of those that share an `at`, or nowhere.
#[derive(Debug, Clone, Default)]
pub(super) struct Heap(Vec<Entry>);

impl Heap {
    #[inline]
    pub(super) fn first(&self) -> Option<Entry> {
        self.0.first().copied()
    }

    /// The tag of the item in that place.
    pub(super) fn tag(&self, place: u32) -> f64 {
        self.0[place as usize].tag
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn push(&mut self, at: &mut [u32], item: u32, tag: f64) {
        self.0.push(Entry { tag, item });
        self.up(at, self.0.len() - 1, Entry { tag, item });
    }

    /// Gives an item that is in here another tag.
    #[inline]
    pub(super) fn set(&mut self, at: &mut [u32], item: u32, tag: f64) {
        if let [only] = self.0.as_mut_slice() {
            only.tag = tag;
            return;
        }
        let place = at[item as usize] as usize;
        let entry = Entry { tag, item };
        if tag > self.0[place].tag { self.down(at, place, entry) } else { self.up(at, place, entry) }
    }

    /// Takes an item out that is in here.
    pub(super) fn remove(&mut self, at: &mut [u32], item: u32) {
        let place = std::mem::replace(&mut at[item as usize], NOWHERE) as usize;
        let Some(last) = self.0.pop() else { return };
        if let Some(gone) = self.0.get(place) {
            if last.tag > gone.tag { self.down(at, place, last) } else { self.up(at, place, last) }
        }
    }

    fn up(&mut self, at: &mut [u32], mut place: usize, entry: Entry) {
        while place > 0 {
            let parent = (place - 1) / ARITY;
            let above = self.0[parent];
            if above.tag <= entry.tag {
                break;
            }
            self.0[place] = above;
            at[above.item as usize] = place as u32;
            place = parent;
        }
        self.0[place] = entry;
        at[entry.item as usize] = place as u32;
    }

    #[inline]
    fn down(&mut self, at: &mut [u32], mut place: usize, entry: Entry) {
        loop {
            let first = place * ARITY + 1;
            let child = match self.0.get(first..first + ARITY) {
                // Which one is a number that is reckoned with, and no branch: nobody could predict it.
                Some(four @ [a, b, c, d]) => {
                    let (left, right) = (usize::from(b.tag < a.tag), 2 + usize::from(d.tag < c.tag));
                    first + if four[right].tag < four[left].tag { right } else { left }
                }
                _ => match self.first_of_few(first) {
                    Some(child) => child,
                    None => break,
                },
            };
            let least = self.0[child];
            if least.tag >= entry.tag {
                break;
            }
            self.0[place] = least;
            at[least.item as usize] = place as u32;
            place = child;
        }
        self.0[place] = entry;
        at[entry.item as usize] = place as u32;
    }

    /// Which is the first of the entries with the least tag, from one to the last.
    #[inline]
    fn first_of_few(&self, first: usize) -> Option<usize> {
        let mut found = (first, self.0.get(first)?.tag);
        for (index, entry) in self.0.iter().enumerate().skip(first + 1) {
            if entry.tag < found.1 {
                found = (index, entry.tag);
            }
        }
        Some(found.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::rng::SplitMix64;

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
