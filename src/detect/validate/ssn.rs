//! US social security numbers: area, group and serial that can have been issued.

use super::boundary;
use crate::detect::Candidate;

/// No digit and no digit with a dash before it.
pub(crate) fn may_start(before: &[u8], here: &[u8]) -> bool {
    let joined = match before {
        [rest @ .., b'-'] => boundary::left(rest).is_some_and(|byte| byte.is_ascii_digit()),
        _ => boundary::left(before).is_some_and(|byte| byte.is_ascii_digit()),
    };
    !joined && !boundary::inside_escape(before, here)
}

/// Area not 000, 666 or 9xx, group not 00, serial not 0000; no digit or dash-digit beside it.
pub(crate) fn accept(candidate: &Candidate<'_>) -> Option<usize> {
    if !may_start(candidate.before, candidate.value) {
        return None;
    }
    if matches!(candidate.after, [b'0'..=b'9', ..] | [b'-', b'0'..=b'9', ..]) {
        return None;
    }
    match candidate.value {
        [b'9', ..] | [b'0', b'0', b'0', ..] | [b'6', b'6', b'6', ..] => None,
        [_, _, _, _, b'0', b'0', ..] | [.., b'0', b'0', b'0', b'0'] => None,
        value => Some(value.len()),
    }
}
