//! URLs that carry a password: `scheme://user:password@host`.

use super::boundary;
use crate::detect::Candidate;

/// No letter, digit, or anything else of a scheme before it.
pub(crate) fn may_start(before: &[u8], _here: &[u8]) -> bool {
    !boundary::left(before).is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_'))
}

/// A password that is no placeholder.
pub(crate) fn accept(candidate: &Candidate<'_>) -> Option<usize> {
    if !may_start(candidate.before, candidate.value) {
        return None;
    }
    let value = candidate.value;
    let at = value.iter().position(|byte| *byte == b'@')?;
    let user_info = value.get(..at)?;
    let colon = user_info.iter().rposition(|byte| *byte == b':')?;
    let password = user_info.get(colon.checked_add(1)?..)?;
    is_password(password).then_some(value.len())
}

/// More than a variable (`$PASS`, `${PASS}`, `{{pass}}`, `%s`, `%PASS%`, `<pass>`), stars, or a word for one: `password`,
/// `db_password`, `your-secret`, `REDACTED`.
fn is_password(password: &[u8]) -> bool {
    const WORDS: &str = "password passwd pass pwd pw secret token x redacted filtered";
    let variable = matches!(
        password,
        [] | [b'$' | b'{' | b'<' | b'[' | b'(' | b'*', ..]
            | [.., b'}' | b'>' | b']']
            | [b'%', b's' | b'd' | b'(' | b'{', ..]
            | [b'%', .., b'%']
    );
    let uniform = password.iter().all(|byte| Some(byte) == password.first());
    let joint = password.iter().rposition(|byte| matches!(byte, b'_' | b'-'));
    let (before, last) = password.split_at_checked(joint.map_or(0, |joint| joint.saturating_add(1))).unwrap_or_default();
    let name = before.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-'));
    let word = name && WORDS.split(' ').any(|word| last.eq_ignore_ascii_case(word.as_bytes()));
    !(variable || uniform || word || password.to_ascii_lowercase().starts_with(b"your"))
}
