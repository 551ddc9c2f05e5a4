//! Stripe secret and restricted keys.

use super::boundary;
use crate::detect::Candidate;

/// Bytes of the prefix: `sk_live_` and its like.
const PREFIX: usize = 8;
/// Fewest and most bytes behind the prefix. Keys had 24 for long and have 99 now; Stripe says to store up to 255.
const BODY: std::ops::RangeInclusive<usize> = 20..=247;

/// No letter or digit before it: `desk_live_...` is something else.
pub(crate) fn may_start(before: &[u8], _here: &[u8]) -> bool {
    !boundary::alphanumeric_before(before)
}

/// Long enough, and not the beginning of something longer.
pub(crate) fn accept(candidate: &Candidate<'_>) -> Option<usize> {
    if !may_start(candidate.before, candidate.value) || boundary::alphanumeric_after(candidate.after) {
        return None;
    }
    let body = candidate.value.get(PREFIX..)?;
    BODY.contains(&body.len()).then_some(candidate.value.len())
}
