//! Where values of own kinds may start: each by the prints of its automaton.
//!
//! The block loop marks where any print of the program ends; here it is looked up which, and so whose start it is.

use crate::detect::{Automaton, ByteSet, Detector, LOOK_BEHIND, byte_before};

use super::super::heads::Buckets;
use super::super::prefilter::Marks;
use super::super::sieve::{PLACES, Sieve, before};
use super::super::starts::bits;

/// The prints of a program's own kinds.
#[derive(Debug)]
pub(in crate::scan) struct Notice {
    prints: Vec<Print>,
    sieve: Sieve,
    longest: usize,
}

#[derive(Debug)]
struct Print {
    sets: [ByteSet; PLACES],
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
        let sieve = Sieve::of(&prints.iter().map(|print| print.sets).collect::<Vec<_>>());
        let longest = prints.iter().map(|print| print.lead).max().unwrap_or(0);
        Notice { prints, sieve, longest }
    }

    /// Is there nothing to notice?
    pub(in crate::scan) fn is_empty(&self) -> bool {
        self.prints.is_empty()
    }

    /// Adds the prints to what the block loop looks for.
    pub(in crate::scan) fn add_to(&self, buckets: &mut Buckets) {
        for print in &self.prints {
            buckets.add(print.sets);
        }
    }

    /// Gives every possible start in a marked block to `offer`, as a lane and an index into `bytes`, for each lane in ascending order.
    #[inline]
    pub(in crate::scan) fn propose(&self, bytes: &[u8], floor: usize, marks: &Marks, mut offer: impl FnMut(usize, usize)) {
        if self.prints.is_empty() {
            return;
        }
        for end in bits(marks.prints, marks.base) {
            let print = before(bytes, end);
            let mut left = self.sieve.groups(print);
            while left != 0 {
                let group = left.trailing_zeros() as usize;
                left &= left.wrapping_sub(1);
                for print_of in self.sieve.sharing(group, &self.prints) {
                    let start = end.checked_sub(print_of.lead).filter(|start| *start >= floor);
                    if let Some(start) = start.filter(|_| print_of.sets.iter().zip(print).all(|(set, byte)| set.contains(byte))) {
                        offer(print_of.lane, start);
                    }
                }
            }
        }
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

/// May a match begin at `at` and go on behind `bytes`?
fn may_begin(automaton: &Automaton, bytes: &[u8], at: usize) -> bool {
    let (before, here) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
    let before = before.get(before.len().saturating_sub(LOOK_BEHIND)..).unwrap_or(before);
    let state = automaton.start(byte_before(before));
    here.iter().fold(state, |state, byte| automaton.step(state, *byte)) != Automaton::DEAD
}
