//! Stage one: which blocks of a body hold anything that could be a finding, and where.
//!
//! A [`Prefilter`] is made for a set of kinds and looks only for what those need: fingerprints where a kind starts with a
//! literal or holds an `@`, runs of digits where a kind is made of digits. It proposes, and may propose too much; what it
//! leaves out is never looked at again, so it must never leave out a finding.

use crate::detect::{Kind, KindSet};

use super::block::{self, BLOCK, Block, Carry, Fingerprints, Sets};
use super::heads::{Of, PRINTS};
use super::shapes::{Runs, Shapes};

/// What the block loop computes, chosen once for a set of kinds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Work {
    Nothing,
    /// Fingerprints.
    Prints,
    /// Fingerprints and `@`.
    At,
    Digits,
    PrintsDigits,
    AtDigits,
}

/// Stage one for a set of kinds.
#[derive(Clone, Debug)]
pub(super) struct Prefilter {
    table: Fingerprints,
    work: Work,
    /// All ones where card numbers are wanted.
    cards: u64,
    /// All ones where social security numbers are wanted.
    ssns: u64,
}

/// How far stage one has come in one slice of a body.
#[derive(Debug)]
pub(super) struct Cursor {
    at: usize,
    carry: Carry,
    runs: Runs,
}

/// A block in which something was noticed. Bit `i` of a mask stands for the byte at `base + i`.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Marks {
    /// Where the block starts in the slice.
    pub(super) base: usize,
    /// Where fingerprints end.
    pub(super) prints: u64,
    /// Where digits take a shape.
    pub(super) shapes: Shapes,
}

impl Prefilter {
    /// Looks for the kinds of `kinds`, and for nothing else.
    pub(super) fn new(kinds: KindSet) -> Prefilter {
        let mut table = Fingerprints::NONE;
        let mut prints = false;
        for (of, print) in &PRINTS {
            let wanted = match of {
                Of::Value(kind) => kinds.contains(*kind),
                Of::At => kinds.contains(Kind::EMAIL),
            };
            if wanted {
                prints = true;
                table.add(print);
            }
        }
        let mask = |kind| if kinds.contains(kind) { u64::MAX } else { 0 };
        let (cards, ssns) = (mask(Kind::CREDIT_CARD), mask(Kind::SSN));
        let work = match (prints, kinds.contains(Kind::EMAIL), cards | ssns != 0) {
            (false, _, false) => Work::Nothing,
            (false, _, true) => Work::Digits,
            (true, false, false) => Work::Prints,
            (true, false, true) => Work::PrintsDigits,
            (true, true, false) => Work::At,
            (true, true, true) => Work::AtDigits,
        };
        Prefilter { table, work, cards, ssns }
    }

    /// Starts at `from` in `bytes`; what stands before it is only context.
    pub(super) fn start(&self, bytes: &[u8], from: usize) -> Cursor {
        let before = bytes.get(..from).unwrap_or(bytes);
        let last = match before {
            [.., a, b] => [*a, *b],
            [b] => [0, *b],
            [] => [0, 0],
        };
        Cursor { at: from, carry: Carry::new(&self.table, last), runs: Runs::carried(before) }
    }

    /// The next block in which something was noticed, or `None` at the end of `bytes`.
    pub(super) fn next(&self, bytes: &[u8], cursor: &mut Cursor) -> Option<Marks> {
        match self.work {
            Work::Nothing => None,
            Work::Prints => self.walk::<true, false, false>(bytes, cursor),
            Work::At => self.walk::<true, true, false>(bytes, cursor),
            Work::Digits => self.walk::<false, false, true>(bytes, cursor),
            Work::PrintsDigits => self.walk::<true, false, true>(bytes, cursor),
            Work::AtDigits => self.walk::<true, true, true>(bytes, cursor),
        }
    }

    // Functions of their own, so that the host's compiler has the loop that matters optimised early.
    #[inline(never)]
    fn walk<const PRINTS: bool, const AT: bool, const DIGITS: bool>(&self, bytes: &[u8], cursor: &mut Cursor) -> Option<Marks> {
        let rest = bytes.get(cursor.at..).unwrap_or_default();
        let (blocks, edge) = rest.as_chunks();
        let (mut carry, mut runs) = (cursor.carry, cursor.runs);
        for (index, block) in blocks.iter().enumerate() {
            let before = runs;
            let sets = Sets::of::<AT>(&self.table, block, &mut carry);
            let shaped = DIGITS && runs.step(block::digits(block));
            let printed = PRINTS && sets.any();
            if printed | shaped {
                let base = cursor.at.wrapping_add(index.wrapping_mul(BLOCK));
                *cursor = Cursor { at: base.wrapping_add(BLOCK), carry, runs };
                let shapes = if shaped { runs.shapes(&before) } else { Shapes::default() };
                return Some(self.marks(base, if printed { sets.mask() } else { 0 }, shapes));
            }
        }
        if edge.is_empty() {
            return None;
        }
        let mut block: Block = [0; BLOCK];
        for (to, from) in block.iter_mut().zip(edge) {
            *to = *from;
        }
        let before = runs;
        let sets = Sets::of::<AT>(&self.table, &block, &mut carry);
        let _ = DIGITS && runs.step(block::digits(&block));
        let base = bytes.len().saturating_sub(edge.len());
        *cursor = Cursor { at: bytes.len(), carry, runs };
        let inside = !u64::MAX.checked_shl(u32::try_from(edge.len()).unwrap_or(0)).unwrap_or(0);
        Some(self.marks(base, if PRINTS { sets.mask() & inside } else { 0 }, runs.shapes(&before)))
    }

    /// What was noticed in a block, as far as it is wanted.
    fn marks(&self, base: usize, prints: u64, shapes: Shapes) -> Marks {
        let Shapes { bare, grouped, ssn } = shapes;
        Marks { base, prints, shapes: Shapes { bare: bare & self.cards, grouped: grouped & self.cards, ssn: ssn & self.ssns } }
    }
}
