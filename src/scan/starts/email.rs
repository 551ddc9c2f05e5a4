//! Where e-mail addresses may start: from an at sign back over the local part, and how much of an end may still become one.
//!
//! It refuses to know what noticed the at sign.

use crate::detect::LOOK_BEHIND;

use super::super::block::{self, BLOCK, ByteSet, byte_set};
use super::super::prefilter::Marks;
use super::super::program::Detector;
use super::super::view::{BACKSLASHES, Parsed, parse};
use super::may_start;

/// Escaped at signs, each as far as it is noticed.
pub(super) const ESCAPED_ATS: [&str; 7] = ["\\u0", "%40", "&#6", "&#x", "&#X", "&#0", "&co"];

/// Most bytes of an e-mail address before its at sign: 64 characters (RFC 5321, 4.5.3.1.1), each of which may be written as an
/// escape of three bytes.
const LOCAL: usize = 192;
/// One more than the most bytes of a label of a host name (RFC 1035, 2.3.4).
const LABEL: usize = 64;
/// What may stand in the local part of an e-mail address, or in an escape there; what in a label of a host, and at its ends.
static LOCAL_BYTES: ByteSet = byte_set(b"+-_.'%", true);
static LABEL_BYTES: ByteSet = byte_set(b"-", true);
static HOST_BYTES: ByteSet = byte_set(b"", true);
/// Letters, digits and `_`, with which a local part begins; what its parts are joined by.
static WORD_BYTES: ByteSet = byte_set(b"_", true);
static GLUE_BYTES: ByteSet = byte_set(b".+-", false);

/// May stand in the local part of an e-mail address, or in an escape there.
fn is_local(byte: u8) -> bool {
    block::contains(&LOCAL_BYTES, byte)
}

/// The only index at which an e-mail address with its at sign at `at` may start, where that is easily seen: its local part is
/// short and of nothing but letters, digits, `_` and single points, `+` and `-` between. `None`: it is not so easy.
#[inline]
pub(super) fn plain_local(bytes: &[u8], floor: usize, at: usize) -> Option<Option<usize>> {
    const NEAR: usize = 32;
    let from = at.checked_sub(NEAR).filter(|from| *from >= floor)?;
    let near = bytes.get(from..at)?.first_chunk::<NEAR>()?;
    let (words, glue) = (block::of_half(&WORD_BYTES, near), block::of_half(&GLUE_BYTES, near));
    let len = (words | glue).leading_ones();
    let outside = near.get(NEAR.wrapping_sub(len as usize).wrapping_sub(1)).copied()?;
    if matches!(outside, b'\\' | b'[' | b';' | b'%' | b'\'') {
        return None;
    }
    let inside = u32::MAX.checked_shl(32u32.wrapping_sub(len)).unwrap_or(0);
    let points = block::equal_half(near, b'.') & inside;
    if points & points << 1 != 0 {
        return None;
    }
    // No local part ends with a point.
    let words = if points.leading_ones() == 0 { words & inside } else { 0 };
    Some((words != 0).then(|| from.saturating_add(words.trailing_zeros() as usize)))
}

/// Gives every index from `floor` on at which an e-mail address with its at sign at `at` may start, in ascending order.
#[cold]
pub(super) fn all_locals(bytes: &[u8], floor: usize, at: usize, offer: &mut dyn FnMut(usize)) {
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
    let (mut joined, mut run, mut last) = (false, 0usize, 0);
    for (start, &byte) in (from..at).zip(local) {
        let word = byte.is_ascii_alphanumeric() || byte == b'_';
        if word && (escaped || !joined) {
            offer(start);
        }
        let glue = matches!(byte, b'.' | b'+' | b'-') && (last, byte) != (b'.', b'.');
        run = if glue { run.saturating_add(1) } else { 0 };
        // A validator sees no word behind more of them than it can look back.
        joined = word || joined && glue && run < LOOK_BEHIND;
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

/// Fewest `@` in a block that are worth a look at all of it.
const FEW: u32 = 4;

/// Those of the marks that are no `@`, or one with a byte of a local part before it and one of a host behind it. Where there are
/// many, most are done with here.
#[inline]
pub(super) fn between_hosts(bytes: &[u8], marks: &Marks) -> u64 {
    let Some(block) = bytes.get(marks.base..).and_then(<[u8]>::first_chunk) else { return marks.prints };
    let ats = block::equal(block, b'@');
    if (marks.prints & ats).count_ones() < FEW {
        return marks.prints;
    }
    let before = block::of(&LOCAL_BYTES, block) << 1 | 1;
    let behind = block::of(&HOST_BYTES, block) >> 1 | 1 << BLOCK.wrapping_sub(1);
    marks.prints & (!ats | before & behind)
}

/// Could a host begin at `at`, behind an at sign, as far as is known? Looks no further than the first label.
#[inline]
pub(super) fn host_may_follow(bytes: &[u8], at: usize) -> bool {
    let host = bytes.get(at..).unwrap_or_default();
    let label = block::span(&LABEL_BYTES, host.get(..LABEL).unwrap_or(host));
    match host.get(label) {
        Some(next) => label > 0 && label < LABEL && *next == b'.',
        // The label goes on behind what is known.
        None => true,
    }
}

/// Could an escaped at sign stand at `at`, with a host behind it?
pub(super) fn escaped_at_may_be(bytes: &[u8], at: usize) -> bool {
    match parse(bytes.get(at..).unwrap_or_default()) {
        Parsed::Escape { len, byte: b'@' } => host_may_follow(bytes, at.saturating_add(len)),
        Parsed::Partial => true,
        Parsed::Escape { .. } | Parsed::No => false,
    }
}

/// How many more backslashes stand before `at`, of those that belong to one escape.
pub(super) fn backslashes(bytes: &[u8], at: usize) -> usize {
    let before = bytes.get(..at).unwrap_or_default();
    before.iter().rev().take(BACKSLASHES.saturating_sub(1)).take_while(|byte| **byte == b'\\').count()
}

/// The longest proper beginning of `text` that `bytes` ends with.
fn partial(bytes: &[u8], text: &[u8]) -> usize {
    (1..text.len()).rev().find(|&len| text.get(..len).is_some_and(|start| bytes.ends_with(start))).unwrap_or(0)
}

/// A local part that may go on, with or without the beginning of an escaped at sign behind it.
pub(super) fn tail(of: &Detector, bytes: &[u8], floor: usize) -> usize {
    // The beginnings of escapes have two bytes at most.
    let begun = bytes.iter().rev().take(2).any(|byte| matches!(byte, b'\\' | b'%' | b'&'));
    let escapes = ESCAPED_ATS.iter().map(|text| if begun { partial(bytes, text.as_bytes()) } else { 0 });
    let escape = escapes.max().unwrap_or(0);
    let at = bytes.len().saturating_sub(escape);
    let more = if bytes.get(at) == Some(&b'\\') { backslashes(bytes, at) } else { 0 };
    // The further left first: its local part ends where the other's has not begun.
    let ends = [at.saturating_sub(more), bytes.len()];
    if escape == 0
        && bytes.last() != Some(&b'.')
        && let Some(start) = plain_local(bytes, floor, bytes.len())
    {
        let start = start.filter(|start| may_start(of, bytes, *start));
        return start.map_or(0, |start| bytes.len().saturating_sub(start));
    }
    let mut first = bytes.len();
    for end in ends {
        all_locals(bytes, floor, end, &mut |start| {
            if start < first && may_start(of, bytes, start) {
                first = start;
            }
        });
    }
    bytes.len().saturating_sub(first)
}
