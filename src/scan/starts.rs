//! From what the prefilter noticed to where values may start, and which trailing bytes may still become a start.
//!
//! Literals, cards and social security numbers here; e-mail addresses in `email`, other numbers in [`Numbers`]. This module refuses to
//! know how long a value is.

mod email;

use std::sync::Arc;

use crate::detect::{self, Anchor, Kind, LOOK_BEHIND, begins_a_card};

use super::block::{self, ByteSet, byte_set};
use super::digits;
use super::heads::{Buckets, Head, Heads, PRINT, Place, notice};
use super::numbers::Numbers;
use super::own::Notice;
use super::prefilter::{Marks, Prefilter, Wanted};
use super::program::Detector;
use super::shapes::{BARE, GROUPED, SSN};
use super::tables::DEAD;
use super::view::ESCAPES;
use super::walk::Walk;
use email::{ESCAPED_ATS, all_locals, backslashes, between_hosts, escaped_at_may_be, host_may_follow, plain_local};

/// Where values of a program's lanes may start: each by the anchor of its kind.
#[derive(Debug)]
pub(super) struct Starts {
    heads: Heads,
    /// For each lane the bytes behind which none of its values starts, unless they end an escape. Where literals follow one
    /// another without end, most are done with by these.
    refused: Vec<ByteSet>,
    /// The lanes whose starts have ways of their own.
    email: Option<usize>,
    /// A walk over the shortest local part, a byte, and its at sign.
    behind_at: Walk,
    card: Option<usize>,
    ssn: Option<usize>,
    /// Other lanes of values that begin with digits, or with a few letters before them.
    numbers: Arc<Numbers>,
}

/// What may stand between the groups of a card number; `+` is how forms encode a space.
const SEPARATORS: &[u8] = b" -+";

/// May a value of this lane start at `at`?
fn may_start(of: &Detector, bytes: &[u8], at: usize) -> bool {
    let (before, here) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
    let before = before.get(before.len().saturating_sub(LOOK_BEHIND)..).unwrap_or(before);
    (of.spec.may_start)(before, here)
}

/// May a number of this lane stand behind this byte, where that ends no escape; with a `digit` before it? Letters and digits are asked
/// about, but for the `m` that ends colours, and what joins digits.
pub(super) fn may_follow(of: &Detector, digit: bool, byte: u8) -> bool {
    let mut before = [b' '; LOOK_BEHIND];
    let [.., past, last] = &mut before;
    (*past, *last) = (if digit { b'1' } else { b' ' }, byte);
    let asked = byte.is_ascii_alphanumeric() && byte != b'm' || digit && matches!(byte, b'.' | b'-' | b'/' | b'_');
    !asked || (of.spec.may_start)(&before, b"1")
}

/// The letters, digits, `_` and `-` behind which `may_start` refuses a literal; none where it asks for more than that. `m` ends
/// colours.
fn refused_before(of: &Detector) -> ByteSet {
    let Anchor::Prefix(texts) = of.spec.anchor else { return [0; 32] };
    let refuses = |byte: u8| {
        let mut before = [b' '; LOOK_BEHIND];
        if let Some(last) = before.last_mut() {
            *last = byte;
        }
        texts.iter().all(|text| !(of.spec.may_start)(&before, text.as_bytes()))
    };
    if refuses(b' ') {
        return [0; 32];
    }
    let bytes = (0..128u8).filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let bytes: Vec<u8> = bytes.filter(|byte| *byte != b'm' && refuses(*byte)).collect();
    byte_set(&bytes, false)
}

/// A one in each byte.
const ONES: u64 = 0x0101_0101_0101_0101;

/// Bytes before a literal that refuse it.
const NEAR_BEHIND: usize = 8;
/// Last bytes that tell whether a literal of at most eight bytes is refused.
const REFUSED_BY: usize = 16;

/// Does one of `set` stand before `at`, that ends no escape?
#[inline]
fn stands_behind(set: &ByteSet, bytes: &[u8], at: usize) -> bool {
    let last = at.checked_sub(1).and_then(|last| bytes.get(last));
    last.is_some_and(|last| block::contains(set, *last)) && !escape_near(bytes, at)
}

/// Could an escape end before `at`?
#[inline]
pub(super) fn escape_near(bytes: &[u8], at: usize) -> bool {
    let Some(near) = bytes.get(..at).and_then(<[u8]>::last_chunk::<NEAR_BEHIND>) else { return true };
    // Eight bytes at once: is one of them zero when it is held against a backslash, or a percent sign?
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & ONES.wrapping_mul(0x80);
    let word = u64::from_le_bytes(*near);
    zero(word ^ ONES.wrapping_mul(0x5c)) | zero(word ^ ONES.wrapping_mul(0x25)) != 0
}

/// Adds the beginnings of escapes. The closer look tells them apart by their first byte only: it is precise for few.
fn add_escapes(buckets: &mut Buckets) {
    let set = |bytes: &[u8]| bytes.iter().copied().collect::<detect::ByteSet>();
    for one in ESCAPES {
        buckets.notice(one.map(set));
        let alike = ESCAPES.iter().filter(|other| other.first() == one.first());
        let [first, middle, last] = alike.fold([detect::ByteSet::default(); PRINT], |mut all, other| {
            all.iter_mut().zip(other).for_each(|(all, bytes)| *all = all.union(set(bytes)));
            all
        });
        buckets.sift([detect::ByteSet::ALL, first, middle, last]);
    }
}

impl Starts {
    /// Those of `detectors`, whose numbers are their places, and the prefilter that notices them.
    pub(super) fn new(detectors: &[Detector], own: &Notice) -> (Starts, Prefilter) {
        let mut buckets = Buckets::default();
        let mut literals: Vec<Head> = Vec::new();
        let refused = detectors.iter().map(refused_before).collect();
        let (mut email, mut card, mut ssn) = (None, None, None);
        let mut behind_at = Walk::at(DEAD);
        for (lane, detector) in detectors.iter().enumerate() {
            let mut add = |texts: &[&'static str], place| {
                literals.extend(texts.iter().map(|text| {
                    let text = notice(text.as_bytes());
                    let walk =
                        if place == Place::Start { Walk::behind(detector.table, text) } else { Walk::at(detector.table.start) };
                    Head { text, lane, place, walk }
                }));
            };
            match detector.spec.anchor {
                _ if detector.kind == Kind::EMAIL => {
                    email = Some(lane);
                    behind_at = Walk::behind(detector.table, b"a@");
                    add(&ESCAPED_ATS, Place::At);
                }
                _ if detector.kind == Kind::CREDIT_CARD => card = Some(lane),
                _ if detector.kind == Kind::SSN => ssn = Some(lane),
                Anchor::Prefix(texts) => add(texts, Place::Start),
                Anchor::Inner(texts, within) => add(texts, Place::Within(within)),
                Anchor::Digits(_) | Anchor::Led(..) => {}
            }
        }
        let numbers = Arc::new(Numbers::new(detectors));
        add_escapes(&mut buckets);
        let heads = Heads::new(literals.iter().copied(), &mut buckets);
        own.add_to(&mut buckets);
        let wanted = Wanted {
            prints: !literals.is_empty() || !own.is_empty(),
            at: email.is_some(),
            cards: card.is_some(),
            ssns: ssn.is_some(),
        };
        let prefilter = Prefilter::new(buckets, &numbers, wanted);
        (Starts { heads, refused, email, behind_at, card, ssn, numbers }, prefilter)
    }

    /// Gives every possible start in a marked block to `offer`, as a lane and an index into `bytes`, for each lane in ascending
    /// order. None is before `floor`, where all that a start needs to know of what stands before it is still there.
    #[inline]
    pub(super) fn propose(
        &self,
        bytes: &[u8],
        floor: usize,
        marks: &Marks,
        detectors: &[Detector],
        mut offer: impl FnMut(usize, usize, Walk),
    ) {
        let mut begin = |lane: usize, start: usize, walk: Walk| {
            if start >= floor && detectors.get(lane).is_some_and(|of| may_start(of, bytes, start)) {
                offer(lane, start, walk);
            }
        };
        let prints = if self.email.is_some() { between_hosts(bytes, marks) } else { marks.prints };
        let mut left = prints;
        // What the last bytes are where no literal that ends may begin a value: where tokens follow one another, it is so again.
        let mut refused_behind = None;
        while left != 0 {
            let end = marks.base.wrapping_add(left.trailing_zeros() as usize);
            left &= left.wrapping_sub(1);
            let Some(known) = bytes.get(..end.wrapping_add(1)) else { break };
            if let (Some(b'@'), Some(email)) = (known.last(), self.email) {
                if host_may_follow(bytes, end.saturating_add(1)) {
                    match plain_local(bytes, floor, end) {
                        // Whatever the local part, behind its at sign the same follows.
                        Some(Some(start)) => {
                            let more = end.saturating_sub(start).saturating_sub(1);
                            begin(email, start, self.behind_at.further_left(more));
                        }
                        Some(None) => {}
                        None => {
                            let walk = Walk::at(detectors.get(email).map_or(DEAD, |of| of.table.start));
                            all_locals(bytes, floor, end, &mut |start| begin(email, start, walk));
                        }
                    }
                }
                continue;
            }
            let behind = known.last_chunk::<REFUSED_BY>().map(|bytes| u128::from_le_bytes(*bytes));
            if behind.is_some() && behind == refused_behind {
                continue;
            }
            let mut refused = true;
            for head in self.heads.ending(known) {
                let start = known.len().saturating_sub(head.text.len());
                match head.place {
                    Place::Start => {
                        if self.refused.get(head.lane).is_some_and(|refused| stands_behind(refused, bytes, start)) {
                            refused &= head.text.len() <= REFUSED_BY.wrapping_sub(NEAR_BEHIND);
                            continue;
                        }
                        refused = false;
                        let rest = bytes.get(known.len()..).unwrap_or_default();
                        if let Some(walk) = detectors.get(head.lane).and_then(|of| head.walk.ahead(of.table, rest)) {
                            begin(head.lane, start, walk);
                        }
                    }
                    Place::Within(most) => {
                        refused = false;
                        for start in start.saturating_sub(most)..=start {
                            begin(head.lane, start, head.walk);
                        }
                    }
                    Place::At => {
                        refused = false;
                        let at = start.saturating_sub(backslashes(bytes, start));
                        if escaped_at_may_be(bytes, at) {
                            all_locals(bytes, floor, at, &mut |start| begin(head.lane, start, head.walk));
                        }
                    }
                }
            }
            if refused {
                refused_behind = behind;
            }
        }
        let mut offer = |lane: usize, start: usize| {
            begin(lane, start, Walk::at(detectors.get(lane).map_or(DEAD, |of| of.table.start)));
        };
        if let Some(card) = self.card {
            cards(bytes, marks, |start| offer(card, start));
        }
        if let Some(ssn) = self.ssn {
            for end in bits(marks.shapes.ssn, marks.base) {
                if is(bytes, end.saturating_sub(4), b"-") && is(bytes, end.saturating_sub(7), b"-") {
                    offer(ssn, end.saturating_add(1).saturating_sub(SSN));
                }
            }
        }
        for end in bits(marks.shapes.spans, marks.base) {
            self.numbers.propose(bytes, end.saturating_add(1).saturating_sub(self.numbers.span()), |lane, start| {
                // Most numbers of the right form are over after some bytes.
                let of = detectors.get(lane);
                let walk = of.and_then(|of| Walk::at(of.table.start).ahead(of.table, bytes.get(start..).unwrap_or_default()));
                if let Some(walk) = walk {
                    begin(lane, start, walk);
                }
            });
        }
    }

    /// Gives the starts behind escapes whose digits were noticed in what is before `from`, but which end only behind it.
    pub(super) fn propose_carried(&self, bytes: &[u8], from: usize, detectors: &[Detector], mut offer: impl FnMut(usize, usize)) {
        let run =
            bytes.get(..from).unwrap_or(bytes).iter().rev().take(digits::OF_ESCAPE).take_while(|byte| byte.is_ascii_digit());
        let start = from.saturating_sub(run.count());
        if start == from || start.saturating_add(self.numbers.span()) > from {
            return;
        }
        let Some(behind) = digits::behind_escape(bytes, start).filter(|at| *at >= from && is_digit(bytes, *at)) else { return };
        for lane in self.numbers.bare() {
            if detectors.get(lane).is_some_and(|of| may_start(of, bytes, behind)) {
                offer(lane, behind);
            }
        }
    }

    /// How many bytes at the end of `bytes`, from `floor` on, may become the start of a value that is not noticed yet.
    pub(super) fn tail(&self, bytes: &[u8], floor: usize, detectors: &[Detector]) -> usize {
        let of = |lane: Option<usize>| detectors.get(lane?);
        let mut most = self.heads.partial(bytes);
        if let Some(email) = of(self.email) {
            most = most.max(email::tail(email, bytes, floor));
        }
        if let Some(card) = of(self.card) {
            most = most.max(digits_tail(card, bytes, floor, &[b"ddddddddddddd", b"ddddsdddd"]));
        }
        if let Some(ssn) = of(self.ssn) {
            most = most.max(digits_tail(ssn, bytes, floor, &[b"ddd-dd-dddd"]));
        }
        let span = self.numbers.span();
        for (lane, lead) in self.numbers.led() {
            most = most.max(of(Some(lane)).map_or(0, |of| led_tail(of, bytes, floor, lead.saturating_add(span))));
        }
        if self.numbers.is_empty() { most } else { most.max(digits::tail(bytes, span)) }
    }
}

pub(super) fn is_digit(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(u8::is_ascii_digit)
}

/// The longest end of `bytes`, shorter than `noticed`, at which a value may start: what leads to its digits has come, but not they.
fn led_tail(of: &Detector, bytes: &[u8], floor: usize, noticed: usize) -> usize {
    let known = bytes.len().saturating_sub(floor);
    let begins = |len: &usize| {
        let start = bytes.len().saturating_sub(*len);
        of.table.begins(bytes.get(start..).unwrap_or_default()) && may_start(of, bytes, start)
    };
    (1..noticed.min(known.saturating_add(1))).rev().find(begins).unwrap_or(0)
}

/// Gives the starts of card numbers in a marked block.
fn cards(bytes: &[u8], marks: &Marks, mut offer: impl FnMut(usize)) {
    for (end, bare) in ends(marks.shapes.bare | marks.shapes.grouped, marks.base, marks.shapes.bare) {
        let after = end.saturating_add(1);
        if bare {
            let start = after.saturating_sub(BARE);
            if bytes.get(start).is_none_or(|digit| begins_a_card(*digit)) {
                offer(start);
            }
            // The run may begin with the digits of an escape (`%204111`), at most four.
            if ends_in_escape(bytes, start) {
                (start..after).skip(1).take(4).for_each(&mut offer);
            }
        } else if is(bytes, end.saturating_sub(4), SEPARATORS) {
            offer(after.saturating_sub(GROUPED));
        }
    }
}

/// Is the byte at `at` one of these?
fn is(bytes: &[u8], at: usize, of: &[u8]) -> bool {
    bytes.get(at).is_some_and(|byte| of.contains(byte))
}

/// Could the bytes before `at` begin an escape that goes on behind it?
fn ends_in_escape(bytes: &[u8], at: usize) -> bool {
    bytes.get(..at).unwrap_or_default().iter().rev().take(6).any(|byte| matches!(byte, b'%' | b'\\'))
}

/// The indexes of the set bits of a mask whose lowest bit stands for `base`.
pub(super) fn bits(mask: u64, base: usize) -> impl Iterator<Item = usize> {
    ends(mask, base, 0).map(|(end, _)| end)
}

/// The indexes of the set bits of a mask whose lowest bit stands for `base`, and whether they are set in `also`.
fn ends(mut mask: u64, base: usize, also: u64) -> impl Iterator<Item = (usize, bool)> {
    std::iter::from_fn(move || {
        let lowest = mask.trailing_zeros();
        mask &= mask.checked_sub(1)?;
        Some((base.saturating_add(lowest as usize), also.checked_shr(lowest)? & 1 != 0))
    })
}

/// The longest end of `bytes` at which a value may start and that begins one of `shapes`: `d` stands for a digit, `s` for a
/// separator of a card number, anything else for itself.
fn digits_tail(of: &Detector, bytes: &[u8], floor: usize, shapes: &[&[u8]]) -> usize {
    let longest = shapes.iter().map(|shape| shape.len()).max().unwrap_or(0);
    let begins = |end: &[u8], shape: &[u8]| {
        end.len() < shape.len()
            && end.iter().zip(shape).all(|(byte, want)| match want {
                b'd' => byte.is_ascii_digit(),
                b's' => SEPARATORS.contains(byte),
                _ => byte == want,
            })
    };
    let known = bytes.iter().rev().take(longest).take_while(|byte| byte.is_ascii_digit() || SEPARATORS.contains(byte)).count();
    let known = known.min(bytes.len().saturating_sub(floor));
    (1..longest.min(known.saturating_add(1)))
        .rev()
        .find(|len| {
            let start = bytes.len().saturating_sub(*len);
            let end = bytes.get(start..).unwrap_or_default();
            shapes.iter().any(|shape| begins(end, shape)) && may_start(of, bytes, start)
        })
        .unwrap_or(0)
}
