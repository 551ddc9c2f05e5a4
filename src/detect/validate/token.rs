//! Tokens whose form says it all: what stands beside them, and whether they are more than a placeholder.

use super::boundary;
use crate::detect::Candidate;

/// Fewest different characters at the end of a token; `xxxxxxxx` and `0000` have fewer.
const DIFFERENT: u32 = 6;
/// Bytes of a token's end that are looked at for that.
const END: usize = 24;

/// No letter, digit, dash or underscore before it.
pub(crate) fn may_start(before: &[u8], _here: &[u8]) -> bool {
    !boundary::left(before).is_some_and(of_token)
}

/// The pattern says all but the neighbours, and that it is no placeholder.
pub(crate) fn accept(candidate: &Candidate<'_>) -> Option<usize> {
    let alone = may_start(candidate.before, candidate.value) && !candidate.after.first().copied().is_some_and(of_token);
    (alone && varied(candidate.value)).then_some(candidate.value.len())
}

/// Anywhere: a name leads to the value.
pub(crate) fn led_may_start(_before: &[u8], _here: &[u8]) -> bool {
    true
}

/// "OpenAI" in base64: what OpenAI's keys have in their middle.
const OPENAI: &[u8] = b"T3BlbkFJ";

/// OpenAI's mark, and a secret behind it.
pub(crate) fn accept_openai(candidate: &Candidate<'_>) -> Option<usize> {
    let mark = candidate.value.windows(OPENAI.len()).position(|window| window == OPENAI)?;
    let secret = candidate.value.len().saturating_sub(mark).saturating_sub(OPENAI.len());
    accept(candidate).filter(|_| secret >= 20)
}

/// Bytes of an AWS secret access key: 240 bits in base64.
const AWS_SECRET: usize = 40;
/// Bytes of an Azure storage key: 512 bits in base64, padded.
const AZURE_KEY: usize = 88;

/// Where an AWS secret access key begins behind its name.
pub(crate) fn aws_lead(value: &[u8]) -> usize {
    value.len().saturating_sub(AWS_SECRET)
}

/// Where an Azure storage key begins behind its name.
pub(crate) fn azure_lead(value: &[u8]) -> usize {
    value.len().saturating_sub(AZURE_KEY)
}

/// An AWS secret access key has upper and lower case letters and digits; a hash in hexadecimal has not.
pub(crate) fn accept_aws(candidate: &Candidate<'_>) -> Option<usize> {
    let value = candidate.value.get(aws_lead(candidate.value)..)?;
    let has = |of: fn(&u8) -> bool| value.iter().any(of);
    let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    (mixed && ends(candidate.after) && varied(value)).then_some(candidate.value.len())
}

/// An Azure storage key behind its name.
pub(crate) fn accept_azure(candidate: &Candidate<'_>) -> Option<usize> {
    let value = candidate.value.get(azure_lead(candidate.value)..)?;
    (ends(candidate.after) && varied(value)).then_some(candidate.value.len())
}

/// Does base64 end here?
fn ends(after: &[u8]) -> bool {
    !after.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+/=_".contains(byte))
}

/// A bearer token has letters and digits; a sentence about one has not.
pub(crate) fn accept_bearer(candidate: &Candidate<'_>) -> Option<usize> {
    let value = candidate.value.get(bearer_lead(candidate.value)..)?;
    let yours = value.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"your"));
    let mixed = !yours && value.iter().any(u8::is_ascii_digit) && value.iter().any(u8::is_ascii_alphabetic);
    let alone = !boundary::alphanumeric_before(candidate.before) && ends(candidate.after);
    // The point at the end is of the sentence.
    let points = value.iter().rev().take_while(|byte| **byte == b'.').count();
    (mixed && alone && varied(value)).then_some(candidate.value.len().saturating_sub(points))
}

/// `Bearer` and what stands between it and the token.
pub(crate) fn bearer_lead(value: &[u8]) -> usize {
    const BEARER: usize = 6;
    let mut at = BEARER;
    loop {
        at = match value.get(at..) {
            Some([b' ' | b'+', ..]) => at.saturating_add(1),
            Some([b'%', b'2', b'0', ..]) => at.saturating_add(3),
            _ => return at,
        };
    }
}

/// A password's hash has the length that its algorithm gives it; a backslash is of the slash that it escapes.
pub(crate) fn accept_hash(candidate: &Candidate<'_>) -> Option<usize> {
    let hash = candidate.value.rsplit(|byte| *byte == b'$').next()?;
    let len = hash.iter().filter(|byte| **byte != b'\\').count();
    let wanted = match candidate.value {
        [_, b'2', ..] => 53,
        [_, b'5', ..] => 43,
        [_, b'6', ..] => 86,
        _ => len.max(16),
    };
    // One point more is of the sentence.
    let point = usize::from(len > wanted && hash.ends_with(b"."));
    accept(candidate).map(|end| end.saturating_sub(point)).filter(|_| len.checked_sub(point) == Some(wanted))
}

/// Is it more than a placeholder?
pub(crate) fn varied(value: &[u8]) -> bool {
    let end = value.get(value.len().saturating_sub(END)..).unwrap_or(value);
    let seen = end.iter().fold(0u128, |seen, byte| seen | 1u128.wrapping_shl(u32::from(*byte & 127)));
    seen.count_ones() >= DIFFERENT
}

fn of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

#[cfg(test)]
#[allow(clippy::string_slice)]
mod tests {
    use super::*;

    #[test]
    fn the_name_before_a_value_is_no_part_of_it() {
        for text in ["Bearer abc", "bearer%20%20abc", "Bearer+ abc"] {
            assert_eq!(&text[bearer_lead(text.as_bytes())..], "abc", "{text}");
        }
    }
}
