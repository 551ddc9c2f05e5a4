//! AWS access key IDs: four letters that name the sort, sixteen of base 32.

use super::boundary;
use crate::detect::Candidate;

/// No letter or digit before it.
pub(crate) fn may_start(before: &[u8], _here: &[u8]) -> bool {
    !boundary::alphanumeric_before(before)
}

/// The pattern says all but the neighbours.
pub(crate) fn accept(candidate: &Candidate<'_>) -> Option<usize> {
    let alone = may_start(candidate.before, candidate.value) && !boundary::alphanumeric_after(candidate.after);
    alone.then_some(candidate.value.len())
}
