//! JSON Web Tokens: base64url parts, the first of which is a JSON object with `alg`.
//!
//! Three parts are a signed token (RFC 7519), five with `enc` in the header an encrypted one (RFC 7516): all five are the
//! finding. The signature may be empty where `alg` is `none` (RFC 7519 section 6).

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::boundary;
use crate::detect::Candidate;

/// Letters of the shortest header, `{"alg":""}`. Shorter ones are not decoded.
const HEADER_MIN: usize = 14;

/// What is read of a header.
#[derive(Deserialize)]
struct Header {
    alg: String,
    enc: Option<IgnoredAny>,
}

/// No letter of base64url before it.
pub(crate) fn may_start(before: &[u8], _here: &[u8]) -> bool {
    boundary::left(before).is_none_or(|byte| sextet(byte).is_none())
}

/// The whole token, or the three first parts of a longer dotted run.
pub(crate) fn accept(candidate: &Candidate<'_>) -> Option<usize> {
    if !may_start(candidate.before, candidate.value) { None } else { length(candidate.value) }
}

/// Is all of `token` one?
pub(crate) fn is_token(token: &[u8]) -> bool {
    length(token) == Some(token.len())
}

/// Bytes of the token that `value` begins with.
fn length(value: &[u8]) -> Option<usize> {
    let mut parts = value.split(|byte| *byte == b'.');
    let (first, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if first.len() < HEADER_MIN {
        return None;
    }
    let header: Header = serde_json::from_slice(&decode(first)?).ok()?;
    let signed = first.len().saturating_add(payload.len()).saturating_add(signature.len()).saturating_add(2);
    match (parts.next(), parts.next()) {
        (Some(text), Some(tag)) if header.enc.is_some() && !text.is_empty() && !tag.is_empty() => Some(value.len()),
        _ if payload.is_empty() => None,
        _ if signature.is_empty() && !header.alg.eq_ignore_ascii_case("none") => None,
        _ => Some(signed),
    }
}

/// The bytes that base64url without padding stands for; bits left over at the end are dropped.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    for group in text.chunks(4) {
        let mut bits = 0u32;
        for letter in group {
            bits = bits.wrapping_shl(6) | u32::from(sextet(*letter)?);
        }
        let [_, a, b, c] = match group.len() {
            4 => bits,
            3 => bits.wrapping_shl(6),
            2 => bits.wrapping_shl(12),
            _ => return None,
        }
        .to_be_bytes();
        bytes.extend([a, b, c].iter().take(group.len().saturating_sub(1)));
    }
    Some(bytes)
}

/// The six bits of a letter of base64url.
fn sextet(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => letter.checked_sub(b'A'),
        b'a'..=b'z' => letter.checked_sub(b'a').and_then(|bits| bits.checked_add(26)),
        b'0'..=b'9' => letter.checked_sub(b'0').and_then(|bits| bits.checked_add(52)),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_decodes_with_every_remainder() {
        assert_eq!(decode(b"eyJhIjoxfQ").as_deref(), Some(br#"{"a":1}"#.as_slice()));
        assert_eq!(decode(b"_-8").as_deref(), Some([0xff, 0xef].as_slice()));
        assert_eq!(decode(b"AAAA").as_deref(), Some([0, 0, 0].as_slice()));
        assert_eq!(decode(b"AAAAA"), None);
    }
}
