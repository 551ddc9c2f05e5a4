//! Google API keys: `AIza` and 35 of base64url.

use super::boundary;
use crate::detect::Candidate;

/// No letter of base64url before it.
pub(crate) fn may_start(before: &[u8], _here: &[u8]) -> bool {
    !boundary::left(before).is_some_and(of_key)
}

/// The pattern says all but the neighbours.
pub(crate) fn accept(candidate: &Candidate<'_>) -> Option<usize> {
    let alone = may_start(candidate.before, candidate.value) && !candidate.after.first().copied().is_some_and(of_key);
    alone.then_some(candidate.value.len())
}

fn of_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}
