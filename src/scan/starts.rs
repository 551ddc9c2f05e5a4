//! From what the prefilter noticed to where values may start, and which trailing bytes may still become a start.

use crate::detect::{Anchor, Kind, LOOK_BEHIND};

use super::block::Fingerprints;
use super::digits;
use super::heads::{Head, Heads, Place};
use super::prefilter::{Marks, Prefilter, Wanted};
use super::program::Detector;
use super::shapes::{BARE, GROUPED, SPAN_MAX, SSN};

/// Where values of a program's lanes may start: each by the anchor of its kind.
#[derive(Debug)]
pub(super) struct Starts {
    heads: Heads,
    /// The lanes whose starts have ways of their own.
    email: Option<usize>,
    card: Option<usize>,
    ssn: Option<usize>,
    /// Other lanes of values that begin with digits, or with a few letters before them, and the shortest stretch of digits of any.
    digits: Vec<Digits>,
    span: usize,
}

/// A lane of values with digits at their beginning.
#[derive(Debug)]
struct Digits {
    lane: usize,
    /// Bytes that may stand before the digits, largest first.
    leads: &'static [usize],
    /// Fewest digits and separators.
    least: usize,
}

/// Escaped at signs, each as far as it is noticed.
const ESCAPED_ATS: [&str; 7] = ["\\u0", "%40", "&#6", "&#x", "&#X", "&#0", "&co"];

/// Most bytes of an e-mail address before its at sign: 64 characters (RFC 5321, 4.5.3.1.1), each of which may be written as an
/// escape of three bytes.
pub(super) const LOCAL: usize = 192;
/// One more than the most bytes of a label of a host name (RFC 1035, 2.3.4).
const LABEL: usize = 64;
/// What may stand between the groups of a card number; `+` is how forms encode a space.
const SEPARATORS: &[u8] = b" -+";
/// Most backslashes of an escaped at sign: JSON in JSON in JSON doubles them each time.
const BACKSLASHES: usize = 4;

/// May stand in the local part of an e-mail address, or in an escape there.
fn is_local(byte: u8) -> bool {
    /// The bits of the bytes 0 to 63, and of 64 to 127.
    const LOCALS: [u64; 2] = {
        let mut bits = [0u64; 2];
        let mut byte = 0u8;
        while byte < 128 {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'-' | b'\'' | b'%') {
                let [low, high] = &mut bits;
                *(if byte < 64 { low } else { high }) |= 1 << (byte & 63);
            }
            byte = byte.wrapping_add(1);
        }
        bits
    };
    let [low, high] = LOCALS;
    let bits = if byte < 64 { low } else { high };
    byte < 128 && bits.wrapping_shr(u32::from(byte)) & 1 != 0
}

/// May a value of this lane start at `at`?
fn may_start(of: &Detector, bytes: &[u8], at: usize) -> bool {
    let (before, here) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
    let before = before.get(before.len().saturating_sub(LOOK_BEHIND)..).unwrap_or(before);
    (of.spec.may_start)(before, here)
}

impl Starts {
    /// Those of `detectors`, whose numbers are their places, and the prefilter that notices them.
    pub(super) fn new(detectors: &[Detector]) -> (Starts, Prefilter) {
        let mut table = Fingerprints::NONE;
        let mut literals: Vec<Head> = Vec::new();
        let mut digits = Vec::new();
        let (mut email, mut card, mut ssn) = (None, None, None);
        for (lane, detector) in detectors.iter().enumerate() {
            let mut add = |texts: &[&'static str], place| {
                literals.extend(texts.iter().map(|text| Head { text: text.as_bytes(), lane, place }));
            };
            match detector.spec.anchor {
                _ if detector.kind == Kind::EMAIL => {
                    email = Some(lane);
                    add(&ESCAPED_ATS, Place::At);
                }
                _ if detector.kind == Kind::CREDIT_CARD => card = Some(lane),
                _ if detector.kind == Kind::SSN => ssn = Some(lane),
                Anchor::Prefix(texts) => add(texts, Place::Start),
                Anchor::Inner(texts, within) => add(texts, Place::Within(within)),
                Anchor::Digits(least) => digits.push(Digits { lane, leads: &[0], least }),
                Anchor::Led(leads, least) => digits.push(Digits { lane, leads, least }),
            }
        }
        let span = digits.iter().map(|digits| digits.least).min().unwrap_or(SPAN_MAX);
        let heads = Heads::new(literals.iter().copied(), &mut table);
        let wanted = Wanted {
            prints: !literals.is_empty(),
            at: email.is_some(),
            cards: card.is_some(),
            ssns: ssn.is_some(),
            span: if digits.is_empty() { 0 } else { span },
        };
        (Starts { heads, email, card, ssn, digits, span }, Prefilter::new(table, wanted))
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
        mut offer: impl FnMut(usize, usize),
    ) {
        let mut offer = |lane: usize, start: usize| {
            if start >= floor && detectors.get(lane).is_some_and(|of| may_start(of, bytes, start)) {
                offer(lane, start);
            }
        };
        for end in bits(marks.prints, marks.base) {
            let known = bytes.get(..=end).unwrap_or(bytes);
            if known.last() == Some(&b'@') && self.email.is_some_and(|_| host_may_follow(bytes, end)) {
                let email = self.email.unwrap_or_default();
                locals(bytes, floor, end, |start| offer(email, start));
            }
            for head in self.heads.ending(known) {
                let start = known.len().saturating_sub(head.text.len());
                match head.place {
                    Place::Start => offer(head.lane, start),
                    Place::Within(most) => (start.saturating_sub(most)..=start).for_each(|start| offer(head.lane, start)),
                    Place::At => {
                        let at = start.saturating_sub(backslashes(bytes, start));
                        locals(bytes, floor, at, |start| offer(head.lane, start));
                    }
                }
            }
        }
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
            let start = end.saturating_add(1).saturating_sub(self.span);
            let behind = digits::behind_escape(bytes, start);
            let reach = if behind.is_some() { SPAN_MAX } else { digits::reach(bytes, start) };
            for Digits { lane, leads, .. } in self.digits.iter().filter(|digits| digits.least <= reach) {
                for lead in leads.iter().filter_map(|lead| start.checked_sub(*lead)) {
                    offer(*lane, lead);
                }
                if let Some(behind) = behind.filter(|at| leads.last() == Some(&0) && is_digit(bytes, *at)) {
                    offer(*lane, behind);
                }
            }
        }
    }

    /// Gives the starts behind escapes whose digits were noticed in what is before `from`, but which end only behind it.
    pub(super) fn propose_carried(&self, bytes: &[u8], from: usize, detectors: &[Detector], mut offer: impl FnMut(usize, usize)) {
        let run =
            bytes.get(..from).unwrap_or(bytes).iter().rev().take(digits::OF_ESCAPE).take_while(|byte| byte.is_ascii_digit());
        let start = from.saturating_sub(run.count());
        if start == from || start.saturating_add(self.span) > from {
            return;
        }
        let Some(behind) = digits::behind_escape(bytes, start).filter(|at| *at >= from && is_digit(bytes, *at)) else { return };
        for Digits { lane, .. } in self.digits.iter().filter(|digits| digits.leads.last() == Some(&0)) {
            if detectors.get(*lane).is_some_and(|of| may_start(of, bytes, behind)) {
                offer(*lane, behind);
            }
        }
    }

    /// How many bytes at the end of `bytes`, from `floor` on, may become the start of a value that is not noticed yet.
    pub(super) fn tail(&self, bytes: &[u8], floor: usize, detectors: &[Detector]) -> usize {
        let of = |lane: Option<usize>| detectors.get(lane?);
        let mut most = self.heads.partial(bytes);
        if let Some(email) = of(self.email) {
            most = most.max(email_tail(email, bytes, floor));
        }
        if let Some(card) = of(self.card) {
            most = most.max(digits_tail(card, bytes, floor, &[b"ddddddddddddd", b"ddddsdddd"]));
        }
        if let Some(ssn) = of(self.ssn) {
            most = most.max(digits_tail(ssn, bytes, floor, &[b"ddd-dd-dddd"]));
        }
        for Digits { lane, leads, .. } in self.digits.iter().filter(|digits| digits.leads.first() != Some(&0)) {
            let lead = leads.first().copied().unwrap_or(0);
            most = most.max(of(Some(*lane)).map_or(0, |of| led_tail(of, bytes, floor, lead.saturating_add(self.span))));
        }
        if self.digits.is_empty() { most } else { most.max(digits::tail(bytes, self.span)) }
    }
}

fn is_digit(bytes: &[u8], at: usize) -> bool {
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
            offer(start);
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
fn bits(mask: u64, base: usize) -> impl Iterator<Item = usize> {
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

/// Gives every index from `floor` on at which an e-mail address with its at sign at `at` may start, in ascending order.
fn locals(bytes: &[u8], floor: usize, at: usize, mut offer: impl FnMut(usize)) {
    let before = bytes.get(floor..at).unwrap_or_default();
    let len = before.iter().rev().take(LOCAL).take_while(|byte| is_local(**byte)).count();
    let from = at.saturating_sub(len);
    let from = from.saturating_add(behind_escape(bytes.get(from..at).unwrap_or_default()));
    let local = bytes.get(from..at).unwrap_or_default();
    // Behind a letter or a digit none can start, unless that ends an escape or a terminal's colour.
    let escaped = match from.checked_sub(1).and_then(|last| bytes.get(last)) {
        Some(byte) => matches!(byte, b'\\' | b'[' | b';' | b'%') || from == floor || len == LOCAL,
        None => false,
    };
    let escaped = escaped || local.contains(&b'%');
    // Nor behind `.`, `+` or `-` behind one of these, unless there are two dots.
    let (mut joined, mut last) = (false, 0);
    for (start, &byte) in (from..at).zip(local) {
        let word = byte.is_ascii_alphanumeric() || byte == b'_';
        if word && (escaped || !joined) {
            offer(start);
        }
        let glue = matches!(byte, b'.' | b'+' | b'-') && (last, byte) != (b'.', b'.');
        joined = word || joined && glue;
        last = byte;
    }
}

/// Where the last escape of `local` that is no `%2B` is past its `%`: no local part goes on over another. One that is cut off at
/// the end may still become a `%2B`.
fn behind_escape(local: &[u8]) -> usize {
    let other = |at: &usize| match local.get(*at..) {
        Some([b'%', b'2', b'B' | b'b', ..] | [b'%', b'2'] | [b'%']) => false,
        Some([b'%', ..]) => true,
        _ => false,
    };
    (0..local.len()).rev().find(other).map_or(0, |at| at.saturating_add(1))
}

/// Could the at sign at `at` stand between a local part and a host, as far as is known? Looks no further than the first label.
fn host_may_follow(bytes: &[u8], at: usize) -> bool {
    let local = at.checked_sub(1).and_then(|last| bytes.get(last)).is_some_and(|byte| is_local(*byte));
    let host = bytes.get(at.saturating_add(1)..).unwrap_or_default();
    let label = host.iter().take(LABEL).position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'-');
    local
        && match label {
            Some(len) => len > 0 && host.get(len) == Some(&b'.'),
            // The label goes on behind what is known, or is longer than a label can be.
            None => host.len() < LABEL,
        }
}

/// How many more backslashes stand before `at`, of those that belong to one escape.
fn backslashes(bytes: &[u8], at: usize) -> usize {
    let before = bytes.get(..at).unwrap_or_default();
    before.iter().rev().take(BACKSLASHES.saturating_sub(1)).take_while(|byte| **byte == b'\\').count()
}

/// The longest proper beginning of `text` that `bytes` ends with.
fn partial(bytes: &[u8], text: &[u8]) -> usize {
    (1..text.len()).rev().find(|&len| text.get(..len).is_some_and(|start| bytes.ends_with(start))).unwrap_or(0)
}

/// A local part that may go on, with or without the beginning of an escaped at sign behind it.
fn email_tail(of: &Detector, bytes: &[u8], floor: usize) -> usize {
    let escape = ESCAPED_ATS.iter().map(|text| partial(bytes, text.as_bytes())).max().unwrap_or(0);
    let at = bytes.len().saturating_sub(escape);
    let more = if bytes.get(at) == Some(&b'\\') { backslashes(bytes, at) } else { 0 };
    // The further left first: its local part ends where the other's has not begun.
    let ends = [at.saturating_sub(more), bytes.len()];
    let mut first = bytes.len();
    for end in ends {
        locals(bytes, floor, end, |start| {
            if start < first && may_start(of, bytes, start) {
                first = start;
            }
        });
    }
    bytes.len().saturating_sub(first)
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
    let known = bytes.len().saturating_sub(floor);
    (1..longest.min(known.saturating_add(1)))
        .rev()
        .find(|len| {
            let start = bytes.len().saturating_sub(*len);
            let end = bytes.get(start..).unwrap_or_default();
            shapes.iter().any(|shape| begins(end, shape)) && may_start(of, bytes, start)
        })
        .unwrap_or(0)
}
