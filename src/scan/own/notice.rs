//! Where values of own kinds may start: each by the prints of its automaton.
//!
//! The block loop marks where any print of the program may end; here it is looked up which, and so whose start it is.

use crate::detect::{Automaton, ByteSet, Detector, LOOK_BEHIND, byte_before};

use super::super::heads::Buckets;
use super::super::prefilter::Marks;
use super::super::starts::bits;

/// Groups of prints, one bit each.
const GROUPS: usize = 64;

/// The prints of a program's own kinds.
#[derive(Debug)]
pub(in crate::scan) struct Notice {
    prints: Vec<Print>,
    /// For each byte the groups that have it at the first, the middle and the last place.
    places: Vec<[u64; 3]>,
    longest: usize,
}

#[derive(Debug)]
struct Print {
    sets: [ByteSet; 3],
    /// Whose it is.
    lane: usize,
    /// Bytes from a start to the print's last.
    lead: usize,
}

impl Notice {
    /// The prints of these kinds, whose numbers are their places.
    pub(in crate::scan) fn new<'a>(detectors: impl Iterator<Item = &'a Detector>) -> Notice {
        let mut prints = Vec::new();
        for (lane, detector) in detectors.enumerate() {
            let lead = detector.prints.lead;
            prints.extend(detector.prints.sets.iter().map(|sets| Print { sets: *sets, lane, lead }));
        }
        let mut places = vec![[0u64; 3]; if prints.is_empty() { 0 } else { 256 }];
        for (group, print) in groups().zip(&prints) {
            for (byte, cells) in (0..=u8::MAX).zip(&mut places) {
                for (cell, set) in cells.iter_mut().zip(&print.sets) {
                    *cell |= if set.contains(byte) { group } else { 0 };
                }
            }
        }
        let longest = prints.iter().map(|print| print.lead).max().unwrap_or(0);
        Notice { prints, places, longest }
    }

    /// Is there nothing to notice?
    pub(in crate::scan) fn is_empty(&self) -> bool {
        self.prints.is_empty()
    }

    /// Adds the prints to what the block loop looks for.
    pub(in crate::scan) fn add_to(&self, buckets: &mut Buckets) {
        for print in &self.prints {
            let [first, middle, last] = print.sets.map(|set| set.iter().collect::<Vec<u8>>());
            buckets.add([&first, &middle, &last]);
        }
    }

    /// Gives every possible start in a marked block to `offer`, as a lane and an index into `bytes`, for each lane in ascending order.
    #[inline]
    pub(in crate::scan) fn propose(&self, bytes: &[u8], floor: usize, marks: &Marks, mut offer: impl FnMut(usize, usize)) {
        if self.prints.is_empty() {
            return;
        }
        for end in bits(marks.prints, marks.base) {
            let byte = |back: usize| end.checked_sub(back).and_then(|at| bytes.get(at)).copied().unwrap_or(0);
            let print = [byte(2), byte(1), byte(0)];
            let mut left = self.groups_of(print);
            while left != 0 {
                let group = left.trailing_zeros() as usize;
                left &= left.wrapping_sub(1);
                for print_of in self.prints.iter().skip(group).step_by(GROUPS) {
                    let start = end.checked_sub(print_of.lead).filter(|start| *start >= floor);
                    if let Some(start) = start.filter(|_| print_of.sets.iter().zip(print).all(|(set, byte)| set.contains(byte))) {
                        offer(print_of.lane, start);
                    }
                }
            }
        }
    }

    fn groups_of(&self, print: [u8; 3]) -> u64 {
        let [first, middle, last] = print.map(|byte| self.places.get(usize::from(byte)).copied().unwrap_or_default());
        let ([first, ..], [_, middle, _], [.., last]) = (first, middle, last);
        first & middle & last
    }

    /// How many bytes at the end of `bytes`, from `floor` on, may become the start of a value that is not noticed yet.
    pub(in crate::scan) fn tail<'a>(&self, bytes: &[u8], floor: usize, detectors: impl Iterator<Item = &'a Detector>) -> usize {
        if self.prints.is_empty() {
            return 0;
        }
        let most = self.longest.min(bytes.len().saturating_sub(floor));
        let mut longest = 0usize;
        for detector in detectors {
            let lead = detector.prints.lead.min(most);
            let begins = |back: &usize| may_begin(&detector.automaton, bytes, bytes.len().saturating_sub(*back));
            longest = (longest.saturating_add(1)..=lead).rev().find(begins).unwrap_or(longest);
        }
        longest
    }
}

/// Each group's bit, over and over.
fn groups() -> impl Iterator<Item = u64> {
    (0..GROUPS as u32).cycle().map(|group| 1u64.wrapping_shl(group))
}

/// May a match begin at `at` and go on behind `bytes`?
fn may_begin(automaton: &Automaton, bytes: &[u8], at: usize) -> bool {
    let (before, here) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
    let before = before.get(before.len().saturating_sub(LOOK_BEHIND)..).unwrap_or(before);
    let state = automaton.start(byte_before(before));
    here.iter().fold(state, |state, byte| automaton.step(state, *byte)) != Automaton::DEAD
}
