//! Stage one: which blocks of a body hold anything that could be a finding, and where.
//!
//! A [`Prefilter`] is made for a program and looks only for what that needs: fingerprints where a kind starts with a
//! literal or holds an `@`, runs of digits where a kind is made of digits. It proposes, and may propose too much; what it
//! leaves out is never looked at again, so it must never leave out a finding.

use std::sync::Arc;

use super::block::{self, BLOCK, Block, Carry, Fingerprints, Sets};
use super::numbers::Numbers;
use super::shapes::{Runs, Shapes, Spans, digits_before};
use super::sieve::Sieve;

/// What a prefilter looks for.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Wanted {
    /// Fingerprints.
    pub(super) prints: bool,
    /// Every `@`.
    pub(super) at: bool,
    /// Shapes of card numbers.
    pub(super) cards: bool,
    /// Shapes of social security numbers.
    pub(super) ssns: bool,
}

/// What the block loop computes, chosen once for a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Work {
    Nothing,
    /// Fingerprints.
    Prints,
    /// Fingerprints and `@`.
    At,
    /// Shapes of digits.
    Digits,
    PrintsDigits,
    AtDigits,
    /// Shapes of digits, and stretches of them.
    Spans,
    PrintsSpans,
    AtSpans,
}

/// Stage one of a program.
#[derive(Clone, Debug)]
pub(super) struct Prefilter {
    table: Fingerprints,
    /// What looks closer at what they mark.
    sieve: Sieve,
    /// What looks closer at stretches of digits.
    numbers: Arc<Numbers>,
    work: Work,
    /// All ones where card numbers are wanted.
    cards: u64,
    /// All ones where social security numbers are wanted.
    ssns: u64,
    span: u32,
}

/// How far stage one has come in one slice of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    at: usize,
    carry: Carry,
    runs: Runs,
    spans: Spans,
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
    /// Looks for what is wanted, fingerprints by `table` and, closer, by `sieve`, and numbers by `numbers`.
    pub(super) fn new(table: Fingerprints, sieve: Sieve, numbers: &Arc<Numbers>, wanted: Wanted) -> Prefilter {
        let mask = |wanted| if wanted { u64::MAX } else { 0 };
        let (cards, ssns) = (mask(wanted.cards), mask(wanted.ssns));
        let work = match (wanted.prints, wanted.at, cards | ssns != 0, !numbers.is_empty()) {
            (false, false, false, false) => Work::Nothing,
            (false, false, true, false) => Work::Digits,
            (false, false, _, true) => Work::Spans,
            (true, false, false, false) => Work::Prints,
            (true, false, true, false) => Work::PrintsDigits,
            (true, false, _, true) => Work::PrintsSpans,
            (_, true, false, false) => Work::At,
            (_, true, true, false) => Work::AtDigits,
            (_, true, _, true) => Work::AtSpans,
        };
        Prefilter {
            table,
            sieve,
            numbers: Arc::clone(numbers),
            work,
            cards,
            ssns,
            span: u32::try_from(numbers.span()).unwrap_or(0),
        }
    }

    /// Starts at `from` in `bytes`; what stands before it is only context.
    pub(super) fn start(&self, bytes: &[u8], from: usize) -> Cursor {
        let before = bytes.get(..from).unwrap_or(bytes);
        let last = match before {
            [.., a, b] => [*a, *b],
            [b] => [0, *b],
            [] => [0, 0],
        };
        let digits = digits_before(before);
        Cursor { at: from, carry: Carry::new(&self.table, last), runs: Runs::carried(digits), spans: Spans::carried(digits) }
    }

    /// The next block in which something was noticed, or `None` at the end of `bytes`.
    pub(super) fn next(&self, bytes: &[u8], cursor: &mut Cursor) -> Option<Marks> {
        match self.work {
            Work::Nothing => None,
            Work::Prints => self.walk::<true, false, false, false>(bytes, cursor),
            Work::At => self.walk::<true, true, false, false>(bytes, cursor),
            Work::Digits => self.walk::<false, false, true, false>(bytes, cursor),
            Work::PrintsDigits => self.walk::<true, false, true, false>(bytes, cursor),
            Work::AtDigits => self.walk::<true, true, true, false>(bytes, cursor),
            Work::Spans => self.walk::<false, false, true, true>(bytes, cursor),
            Work::PrintsSpans => self.walk::<true, false, true, true>(bytes, cursor),
            Work::AtSpans => self.walk::<true, true, true, true>(bytes, cursor),
        }
    }

    // Functions of their own, so that the host's compiler has the loop that matters optimised early.
    #[inline(never)]
    fn walk<const PRINTS: bool, const AT: bool, const DIGITS: bool, const SPANS: bool>(
        &self,
        bytes: &[u8],
        cursor: &mut Cursor,
    ) -> Option<Marks> {
        let rest = bytes.get(cursor.at..).unwrap_or_default();
        let (blocks, edge) = rest.as_chunks();
        let Cursor { at, mut carry, mut runs, mut spans } = *cursor;
        for (index, block) in blocks.iter().enumerate() {
            let before = runs;
            let sets = Sets::of::<AT>(&self.table, block, &mut carry);
            let digits = if DIGITS { block::digits(block) } else { 0 };
            let shaped = DIGITS && runs.step(digits);
            let spanned = if SPANS { spans.step(digits, self.span) } else { 0 };
            let printed = PRINTS && sets.any();
            if printed | shaped | (spanned != 0) {
                let base = at.wrapping_add(index.wrapping_mul(BLOCK));
                let prints = if printed { self.sieve.pass::<AT>(bytes, base, sets.mask()) } else { 0 };
                let spanned = if SPANS && spanned != 0 { self.numbers.pass(bytes, base, spanned) } else { 0 };
                if !shaped && prints | spanned == 0 {
                    continue;
                }
                *cursor = Cursor { at: base.wrapping_add(BLOCK), carry, runs, spans };
                let shapes = if shaped { runs.shapes(&before) } else { Shapes::default() };
                let shapes = Shapes { spans: spanned, ..shapes };
                return Some(self.marks(base, prints, shapes));
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
        let digits = block::digits(&block);
        let _ = DIGITS && runs.step(digits);
        let base = bytes.len().saturating_sub(edge.len());
        let inside = !u64::MAX.checked_shl(u32::try_from(edge.len()).unwrap_or(0)).unwrap_or(0);
        let spanned = if SPANS { spans.step(digits, self.span) & inside } else { 0 };
        *cursor = Cursor { at: bytes.len(), carry, runs, spans };
        let shapes = Shapes { spans: spanned, ..runs.shapes(&before) };
        let prints = if PRINTS { self.sieve.pass::<AT>(bytes, base, sets.mask() & inside) } else { 0 };
        Some(self.marks(base, prints, shapes))
    }

    /// What was noticed in a block, as far as it is wanted.
    fn marks(&self, base: usize, prints: u64, shapes: Shapes) -> Marks {
        let Shapes { bare, grouped, ssn, spans } = shapes;
        let shapes = Shapes { bare: bare & self.cards, grouped: grouped & self.cards, ssn: ssn & self.ssns, spans };
        Marks { base, prints, shapes }
    }
}
