//! GitHub tokens: classic, fine-grained, and the installation token of 2026 that carries a JSON Web Token.
//!
//! The last six characters of a classic token are a CRC-32. It is not checked: a masked checksum would tell which tokens are
//! real, and tools that shorten or transcribe tokens break it.

use super::{boundary, jwt};
use crate::detect::Candidate;

/// Letters and digits behind the prefix of a classic token.
const CLASSIC: usize = 36;
/// The same of a refresh token, which GitHub issues longer.
const REFRESH: usize = 76;
/// Letters and digits of the two parts of a fine-grained token.
const FINE_GRAINED: (usize, usize) = (22, 59);
/// Most digits of an application's number.
const APP_ID: usize = 20;

/// No letter or digit before it.
pub(crate) fn may_start(before: &[u8], _here: &[u8]) -> bool {
    !boundary::alphanumeric_before(before)
}

/// One of the three forms, whole.
pub(crate) fn accept(candidate: &Candidate<'_>) -> Option<usize> {
    if !may_start(candidate.before, candidate.value) || boundary::alphanumeric_after(candidate.after) {
        return None;
    }
    let value = candidate.value;
    let token = match value {
        [b'g', b'i', ..] => fine_grained(value),
        _ => classic(value) || installation(value),
    };
    token.then_some(value.len())
}

fn classic(value: &[u8]) -> bool {
    match value.split_at_checked(4) {
        Some((prefix, body)) if body.iter().all(u8::is_ascii_alphanumeric) => {
            body.len() == CLASSIC || (prefix == b"ghr_" && body.len() == REFRESH)
        }
        _ => false,
    }
}

fn fine_grained(value: &[u8]) -> bool {
    let Some(body) = value.strip_prefix(b"github_pat_") else { return false };
    let mut parts = body.split(|byte| *byte == b'_');
    let lengths = (parts.next().map(<[u8]>::len), parts.next().map(<[u8]>::len), parts.next());
    lengths == (Some(FINE_GRAINED.0), Some(FINE_GRAINED.1), None)
}

fn installation(value: &[u8]) -> bool {
    let Some(body) = value.strip_prefix(b"ghs_") else { return false };
    let app_id = body.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match body.split_at_checked(app_id) {
        Some((_, [b'_', token @ ..])) => (1..=APP_ID).contains(&app_id) && jwt::is_token(token),
        _ => false,
    }
}
