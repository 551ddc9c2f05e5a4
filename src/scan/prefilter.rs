//! Stage one: which blocks of a body hold anything that could be a finding, and where.
//!
//! A [`Prefilter`] is made for a program and looks only for what that needs: fingerprints where a kind starts with a
//! literal, every `@` where a kind holds one, runs of digits where a kind is made of digits. It proposes, and may propose too much;
//! what it leaves out is never looked at again, so it must never leave out a finding. In the same pass it looks for the escape at
//! which the body must be read decoded.

use std::sync::Arc;

use super::block::{self, BLOCK, BUCKETS, Carry, Fingerprints, Sets, padded};
use super::heads::Buckets;
use super::numbers::Numbers;
use super::shapes::{Shapes, Spans, digits_before};
use super::sieve::Sieve;
use super::starts::bits;
use super::view::{BACKSLASHES, Parsed, begins_escape, begun_escape, escape_ending};

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
    /// And shapes of digits.
    Digits,
    /// And stretches of them.
    Spans,
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
    /// Is every `@` wanted?
    at: bool,
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
    /// Where it started: no escape begins before that.
    from: usize,
    carry: Carry,
    spans: Spans,
}

impl Cursor {
    /// Up to where.
    pub(super) fn at(&self) -> usize {
        self.at
    }
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

/// Most marks of a block that are looked at closer. To leave the loop for more of them costs little beside what follows.
const FEW: u32 = 16;
/// Blocks that are looked for before they are looked at.
const MARKED: usize = 64;

/// The marked blocks of some bytes, in their order.
#[derive(Clone, Default, Debug)]
pub(super) struct Marked(Vec<Marks>);

impl Marked {
    /// Them.
    pub(super) fn blocks(&self) -> &[Marks] {
        &self.0
    }

    fn is_full(&self) -> bool {
        self.0.len() >= MARKED
    }

    /// Forgets what lies behind `end`.
    fn cut(&mut self, end: usize) {
        for Marks { base, prints, shapes } in self.0.iter_mut().rev() {
            if base.saturating_add(BLOCK) <= end {
                break;
            }
            let inside = below(end.saturating_sub(*base));
            *prints &= inside;
            let Shapes { bare, grouped, ssn, spans } = shapes;
            [bare, grouped, ssn, spans].into_iter().for_each(|shape| *shape &= inside);
        }
    }
}

/// Where an escape begins, or may begin, and what it is.
pub(super) type Escape = (usize, Parsed);

/// A block as the loop has seen it.
#[derive(Clone, Copy)]
struct Seen {
    base: usize,
    /// Where fingerprints end.
    prints: u64,
    digits: u64,
    digits_before: u64,
    spans: u64,
}

/// Why the loop goes no further.
enum Stop {
    /// An escape begins.
    Escape(Escape),
    /// Enough blocks are marked. What is noticed goes up to here.
    Full(usize),
}

impl Prefilter {
    /// Looks for what is wanted, fingerprints by `buckets`, and closer at numbers by `numbers`.
    pub(super) fn new(buckets: Buckets, numbers: &Arc<Numbers>, wanted: Wanted) -> Prefilter {
        let mask = |wanted| if wanted { u64::MAX } else { 0 };
        let (cards, ssns) = (mask(wanted.cards), mask(wanted.ssns));
        let work = match (wanted.prints | wanted.at, cards | ssns != 0, !numbers.is_empty()) {
            (false, false, false) => Work::Nothing,
            (true, false, false) => Work::Prints,
            (_, true, false) => Work::Digits,
            (_, _, true) => Work::Spans,
        };
        let digits = matches!(work, Work::Digits | Work::Spans);
        // Kinds of all sorts have many fingerprints: at signs are worth two instructions then, but not a bucket.
        let alone = wanted.at && work != Work::Spans;
        let taken = if alone { 2 } else { usize::from(digits) };
        let (mut table, sieve) = buckets.tables(BUCKETS.saturating_sub(taken));
        if digits {
            table.mark_digits();
        }
        if alone {
            table.notice_alone(b'@');
        }
        let span = u32::try_from(numbers.span()).unwrap_or(0);
        Prefilter { table, sieve, numbers: Arc::clone(numbers), work, at: wanted.at, cards, ssns, span }
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
        Cursor { at: from, from, carry: Carry::new(&self.table, last, digits), spans: Spans::carried(digits) }
    }

    /// Looks on from the cursor until `bytes` end, `marked` is full, or an escape begins. Escapes are looked for where it is told
    /// which byte stands before `bytes`.
    pub(super) fn look(&self, bytes: &[u8], cursor: &mut Cursor, before: Option<u8>, marked: &mut Marked) -> Option<Escape> {
        marked.0.clear();
        match self.work {
            Work::Nothing => {
                cursor.at = bytes.len();
                None
            }
            Work::Prints => self.walk::<false, false>(bytes, cursor, before, marked),
            Work::Digits => self.walk::<true, false>(bytes, cursor, before, marked),
            Work::Spans => self.walk::<true, true>(bytes, cursor, before, marked),
        }
    }

    fn walk<const DIGITS: bool, const SPANS: bool>(
        &self,
        bytes: &[u8],
        cursor: &mut Cursor,
        before: Option<u8>,
        marked: &mut Marked,
    ) -> Option<Escape> {
        let stop = loop {
            match self.next::<DIGITS, SPANS>(bytes, cursor) {
                None => break begun_escape(bytes, cursor.from, before?).map(Stop::Escape)?,
                Some(seen) => {
                    if let Some(stop) = self.mark(bytes, cursor.from, &seen, before, marked) {
                        break stop;
                    }
                }
            }
        };
        let (at, escape) = match stop {
            Stop::Escape((at, parsed)) => (at, Some((at, parsed))),
            Stop::Full(at) => (at, None),
        };
        if at < cursor.at {
            marked.cut(at);
            *cursor = self.start(bytes, at);
        }
        escape
    }

    /// The next block in which something was noticed, or the last one if it is not a whole one.
    // A function of its own, so that the host's compiler has the loop that matters optimised early.
    #[inline(never)]
    fn next<const DIGITS: bool, const SPANS: bool>(&self, bytes: &[u8], cursor: &mut Cursor) -> Option<Seen> {
        let rest = bytes.get(cursor.at..).unwrap_or_default();
        let (blocks, edge) = rest.as_chunks();
        let Cursor { at, mut carry, mut spans, .. } = *cursor;
        for (index, block) in blocks.iter().enumerate() {
            let digits_before = carry.digits();
            let sets = Sets::of::<DIGITS, SPANS>(&self.table, block, &mut carry);
            let spanned = if SPANS { spans.step(sets.digits(), self.span) } else { 0 };
            if sets.any() | (spanned != 0) {
                let base = at.wrapping_add(index.wrapping_mul(BLOCK));
                let prints = self.sift(bytes, base, sets.mask());
                let spanned = if SPANS && spanned != 0 { self.numbers.pass(bytes, base, spanned) } else { 0 };
                let shaped = self.cards | self.ssns != 0 && sets.any_number();
                if !shaped && prints | spanned == 0 {
                    continue;
                }
                *cursor = Cursor { at: base.wrapping_add(BLOCK), carry, spans, ..*cursor };
                return Some(Seen { base, prints, digits: sets.digits(), digits_before, spans: spanned });
            }
        }
        cursor.at = bytes.len();
        if edge.is_empty() {
            return None;
        }
        let base = bytes.len().saturating_sub(edge.len());
        let digits_before = carry.digits();
        let sets = Sets::of::<DIGITS, SPANS>(&self.table, &padded(edge), &mut carry);
        let spans = if SPANS { spans.step(sets.digits(), self.span) } else { 0 };
        let prints = self.sift(bytes, base, sets.mask() & below(edge.len()));
        Some(Seen { base, prints, digits: sets.digits(), digits_before, spans })
    }

    /// Those of the marks of the block at `base` that are fingerprints, or at signs, as far as they are wanted.
    #[inline(never)]
    fn sift(&self, bytes: &[u8], base: usize, marks: u64) -> u64 {
        if marks.count_ones() > FEW {
            return marks;
        }
        let ats = match bytes.get(base..).and_then(<[u8]>::first_chunk) {
            Some(block) if self.at => block::equal(block, b'@'),
            _ => 0,
        };
        marks & ats | self.sieve.pass(bytes, base, marks & !ats, self.at)
    }

    /// Keeps what was noticed in a block, as far as it is wanted, and tells when to stop.
    fn mark(&self, bytes: &[u8], from: usize, seen: &Seen, before: Option<u8>, marked: &mut Marked) -> Option<Stop> {
        let rest = bytes.get(seen.base..).unwrap_or_default();
        let inside = below(rest.len());
        let prints = seen.prints & inside;
        let shapes = if self.cards | self.ssns != 0 { Shapes::of(seen.digits, seen.digits_before) } else { Shapes::default() };
        let shapes = Shapes {
            bare: shapes.bare & self.cards & inside,
            grouped: shapes.grouped & self.cards & inside,
            ssn: shapes.ssn & self.ssns & inside,
            spans: seen.spans & inside,
        };
        if prints | shapes.any() != 0 {
            marked.0.push(Marks { base: seen.base, prints, shapes });
        }
        let end = seen.base.saturating_add(BLOCK);
        let mut last = end;
        if let Some(before) = before {
            let escapes = match rest.first_chunk() {
                Some(block) => block::escapes(block),
                None => block::escapes(&padded(rest)),
            };
            let begins = |back: usize| seen.base.checked_sub(back).and_then(|at| bytes.get(at)).is_some_and(begins_escape);
            let carried = u64::from(begins(2)) | u64::from(begins(1)) << 1;
            let ends = prints & (escapes << 2 | carried);
            if let Some(escape) = bits(ends, seen.base).find_map(|end| escape_ending(bytes, from, end, before)) {
                return Some(Stop::Escape(escape));
            }
            // What begins at the end of the block is noticed in the next one.
            let open = escapes & !below(BLOCK.saturating_sub(BACKSLASHES.saturating_add(1)));
            last = bits(open, seen.base).next().unwrap_or(end);
        }
        marked.is_full().then_some(Stop::Full(last))
    }
}

/// Ones for the first `len` bytes of a block.
fn below(len: usize) -> u64 {
    !u64::MAX.checked_shl(u32::try_from(len).unwrap_or(u32::MAX)).unwrap_or(0)
}
