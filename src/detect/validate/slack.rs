//! Slack tokens, by the forms in which Slack issues them.
//!
//! | form | groups behind the prefix |
//! |---|---|
//! | `xoxb-` bot | one to three numbers, then 16 or more alphanumerics |
//! | `xoxp-`, `xoxe-` user | two or three numbers, then 24 or more alphanumerics |
//! | `xoxe-` refresh | a version digit, then 24 or more letters and digits (Slack's have 146) |
//! | `xoxe.xoxp-`, `xoxe.xoxb-` configuration and rotating | the same, not all letters unless 100 or more (Slack's have 163 to 166) |
//! | `xoxa-`, `xoxr-` legacy workspace | numbers or none, then 8 or more alphanumerics, not all letters if there is no number |
//! | `xoxs-`, `xoxo-` legacy session | three numbers, then 8 or more alphanumerics; or fewer numbers, then 16 or more letters and digits |
//! | `xapp-` app level | a version digit, an app ID of upper-case letters and digits, a number, then 24 or more alphanumerics |
//!
//! A number has at most 14 digits.

use super::boundary;
use crate::detect::Candidate;

/// No letter or digit before it.
pub(crate) fn may_start(before: &[u8], _here: &[u8]) -> bool {
    !boundary::alphanumeric_before(before)
}

/// One of the forms of the module's table.
pub(crate) fn accept(candidate: &Candidate<'_>) -> Option<usize> {
    if !may_start(candidate.before, candidate.value) || boundary::alphanumeric_after(candidate.after) {
        return None;
    }
    is_token(candidate.value).then_some(candidate.value.len())
}

/// Most digits of a number: workspace, application and user IDs.
const NUMBER: usize = 14;

fn is_token(value: &[u8]) -> bool {
    let mut groups = value.split(|byte| *byte == b'-');
    let prefix = groups.next().unwrap_or_default();
    let Some(secret) = groups.next_back() else { return false };
    let count = groups.clone().count();
    let numbers = groups.clone().all(is_number);
    let version = groups.clone().next().is_some_and(|group| is_number(group) && group.len() == 1);
    match (prefix, count) {
        (b"xoxb", 1..=3) => numbers && secret.len() >= 16,
        (b"xoxp" | b"xoxe", 2 | 3) => numbers && secret.len() >= 24,
        (b"xoxe" | b"xoxe.xoxp" | b"xoxe.xoxb", 1) => version && secret.len() >= 24 && (varied(secret) || secret.len() >= 100),
        (b"xoxa" | b"xoxr", 0) => secret.len() >= 8 && varied(secret),
        (b"xoxa" | b"xoxr", _) => numbers && secret.len() >= 8,
        (b"xoxs" | b"xoxo", 1 | 2) => numbers && secret.len() >= 16 && varied(secret),
        (b"xoxs" | b"xoxo", 3) => numbers && secret.len() >= 8,
        (b"xapp", 3) => {
            let app = groups.clone().nth(1).is_some_and(|id| id.len() >= 8 && !id.iter().any(u8::is_ascii_lowercase));
            version && app && groups.next_back().is_some_and(is_number) && secret.len() >= 24
        }
        _ => false,
    }
}

fn is_number(group: &[u8]) -> bool {
    group.len() <= NUMBER && group.iter().all(u8::is_ascii_digit)
}

/// Both letters and digits: a word is no token.
fn varied(secret: &[u8]) -> bool {
    secret.iter().any(u8::is_ascii_digit) && secret.iter().any(u8::is_ascii_alphabetic)
}
