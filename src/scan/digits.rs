//! Runs of digits at a closer look: how far they go, and where one begins that an escape seems to be part of.
//!
//! In `%20415` the digits of a number begin behind those of an escape; the prefilter sees one run.

use super::shapes::SPAN_MAX;

/// Most digits at the start of a run that belong to an escape: those of `\u0020`.
pub(super) const OF_ESCAPE: usize = 4;

/// How far digits with single other bytes between go from `start` on, up to [`SPAN_MAX`]; that many too where `bytes` end first.
pub(super) fn reach(bytes: &[u8], start: usize) -> usize {
    let here = bytes.get(start..).unwrap_or_default();
    let mut last = true;
    let end = here.iter().take(SPAN_MAX).position(|byte| {
        let digit = byte.is_ascii_digit();
        let over = !digit && !last;
        last = digit;
        over
    });
    end.unwrap_or(SPAN_MAX)
}

/// Where the escape ends that the run of digits at `start` begins in the middle of, if it does and the run goes on there as far as is
/// known.
pub(super) fn behind_escape(bytes: &[u8], start: usize) -> Option<usize> {
    let (before, here) = bytes.split_at_checked(start)?;
    let rest = match before {
        [.., b'%'] | [.., b'\\', b'x'] => 2,
        [.., b'%', hex] | [.., b'\\', b'x', hex] if hex.is_ascii_hexdigit() => 1,
        [.., b'\\', b'u'] => 4,
        [.., b'\\', b'u', a] if a.is_ascii_hexdigit() => 3,
        [.., b'\\', b'u', a, b] if [a, b].iter().all(|byte| byte.is_ascii_hexdigit()) => 2,
        [.., b'\\', b'u', a, b, c] if [a, b, c].iter().all(|byte| byte.is_ascii_hexdigit()) => 1,
        _ => return None,
    };
    here.iter().take(rest).all(u8::is_ascii_digit).then_some(start.saturating_add(rest))
}

/// The longest end of `bytes`, shorter than `span`, that begins with a digit behind none and has no two other bytes in a row.
pub(super) fn tail(bytes: &[u8], span: usize) -> usize {
    let (mut most, mut last) = (0, true);
    for (back, byte) in (1..span).zip(bytes.iter().rev()) {
        let digit = byte.is_ascii_digit();
        if !digit && !last {
            break;
        }
        if digit
            && !bytes.len().checked_sub(back.saturating_add(1)).is_some_and(|at| bytes.get(at).is_some_and(u8::is_ascii_digit))
        {
            most = back;
        }
        last = digit;
    }
    most
}
