//! From what the prefilter noticed to where values may start, and which trailing bytes may still become a start.

use crate::detect::{Kind, LOOK_BEHIND};

use super::prefilter::{HEADS, Marks, Of};
use super::shapes::{BARE, GROUPED, SSN};

/// Most bytes of an e-mail address before its at sign: 64 characters (RFC 5321, 4.5.3.1.1), each of which may be written as an
/// escape of three bytes.
pub(super) const LOCAL: usize = 192;
/// Most backslashes of an escaped at sign: JSON in JSON in JSON doubles them each time.
const BACKSLASHES: usize = 4;

/// May stand in the local part of an e-mail address, or in an escape there.
fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.+-'%".contains(&byte)
}

/// May a value of `kind` start at `at`?
fn may_start(kind: Kind, bytes: &[u8], at: usize) -> bool {
    let (before, here) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
    let before = before.get(before.len().saturating_sub(LOOK_BEHIND)..).unwrap_or(before);
    (kind.spec().may_start)(before, here)
}

/// Gives every possible start in a marked block to `offer`, as an index into `bytes`, for each kind in ascending order. None is
/// before `floor`, where all that a start needs to know of what stands before it is still there.
pub(super) fn starts(bytes: &[u8], floor: usize, marks: &Marks, mut offer: impl FnMut(Kind, usize)) {
    let mut offer = |kind, start| {
        if start >= floor && may_start(kind, bytes, start) {
            offer(kind, start);
        }
    };
    for end in bits(marks.prints, marks.base) {
        let known = bytes.get(..=end).unwrap_or(bytes);
        if known.last() == Some(&b'@') {
            locals(bytes, floor, end).for_each(|start| offer(Kind::EMAIL, start));
            continue;
        }
        for head in HEADS.iter().filter(|head| known.ends_with(head.text)) {
            let start = known.len().saturating_sub(head.text.len());
            match head.of {
                Of::Value(kind) => offer(kind, start),
                Of::At => {
                    let at = start.saturating_sub(backslashes(bytes, start));
                    locals(bytes, floor, at).for_each(|start| offer(Kind::EMAIL, start));
                }
            }
        }
    }
    for (end, bare) in ends(marks.shapes.bare | marks.shapes.grouped, marks.base, marks.shapes.bare) {
        let after = end.saturating_add(1);
        if bare {
            // The run may begin with the digits of an escape (`%204111`), at most four.
            let run = after.saturating_sub(BARE);
            (run..after.min(run.saturating_add(5))).for_each(|start| offer(Kind::CREDIT_CARD, start));
        } else {
            offer(Kind::CREDIT_CARD, after.saturating_sub(GROUPED));
        }
    }
    bits(marks.shapes.ssn, marks.base).for_each(|end| offer(Kind::SSN, end.saturating_add(1).saturating_sub(SSN)));
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

/// Where an e-mail address with its at sign at `at` may start.
fn locals(bytes: &[u8], floor: usize, at: usize) -> std::ops::Range<usize> {
    let before = bytes.get(floor..at).unwrap_or_default();
    let len = before.iter().rev().take(LOCAL).take_while(|byte| is_local(**byte)).count();
    at.saturating_sub(len)..at
}

/// How many more backslashes stand before `at`, of those that belong to one escape.
fn backslashes(bytes: &[u8], at: usize) -> usize {
    let before = bytes.get(..at).unwrap_or_default();
    before.iter().rev().take(BACKSLASHES.saturating_sub(1)).take_while(|byte| **byte == b'\\').count()
}

/// How many bytes at the end of `bytes`, from `floor` on, may become the start of a value of `kind` that is not noticed yet.
pub(super) fn tail(kind: Kind, bytes: &[u8], floor: usize) -> usize {
    match kind {
        Kind::EMAIL => email_tail(bytes, floor),
        Kind::CREDIT_CARD => digits_tail(kind, bytes, floor, &[b"ddddddddddddd", b"dddd-dddd"]),
        Kind::SSN => digits_tail(kind, bytes, floor, &[b"ddd-dd-dddd"]),
        _ => {
            let heads = HEADS.iter().filter(|head| head.of == Of::Value(kind));
            heads.map(|head| partial(bytes, head.text)).max().unwrap_or(0)
        }
    }
}

/// The longest proper beginning of `text` that `bytes` ends with.
fn partial(bytes: &[u8], text: &[u8]) -> usize {
    (1..text.len()).rev().find(|&len| text.get(..len).is_some_and(|start| bytes.ends_with(start))).unwrap_or(0)
}

/// A local part that may go on, with or without the beginning of an escaped at sign behind it.
fn email_tail(bytes: &[u8], floor: usize) -> usize {
    let escape = HEADS.iter().filter(|head| head.of == Of::At).map(|head| partial(bytes, head.text)).max().unwrap_or(0);
    let at = bytes.len().saturating_sub(escape);
    let more = if bytes.get(at) == Some(&b'\\') { backslashes(bytes, at) } else { 0 };
    // The further left first: its local part ends where the other's has not begun.
    let ends = [at.saturating_sub(more), bytes.len()];
    let mut starts = ends.into_iter().flat_map(|end| locals(bytes, floor, end));
    let first = starts.find(|start| may_start(Kind::EMAIL, bytes, *start));
    first.map_or(0, |first| bytes.len().saturating_sub(first))
}

/// The longest end of `bytes` at which a value may start and that begins one of `shapes` (`d` a digit, `-` any other byte).
fn digits_tail(kind: Kind, bytes: &[u8], floor: usize, shapes: &[&[u8]]) -> usize {
    let longest = shapes.iter().map(|shape| shape.len()).max().unwrap_or(0);
    let digit = |back: usize| bytes.len().checked_sub(back).and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let begins = |len: usize, shape: &[u8]| {
        len < shape.len() && (1..=len).rev().zip(shape).all(|(back, want)| digit(back) == (*want == b'd'))
    };
    (1..longest)
        .rev()
        .filter(|len| *len <= bytes.len().saturating_sub(floor))
        .find(|len| shapes.iter().any(|shape| begins(*len, shape)) && may_start(kind, bytes, bytes.len().saturating_sub(*len)))
        .unwrap_or(0)
}
