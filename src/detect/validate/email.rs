//! E-mail addresses: lengths, a top-level domain that exists, and what only looks like one.

use super::boundary::{self, behind};
use crate::detect::Candidate;

/// Most characters of a local part (RFC 5321 section 4.5.3.1.1).
const LOCAL_MAX: usize = 64;
/// Most bytes of a host name (RFC 1035 section 2.3.4, written without the root's dot).
const HOST_MAX: usize = 253;
/// Most bytes of a label (RFC 1035 section 2.3.4).
const LABEL_MAX: usize = 63;
/// Fewest and most bytes of a top-level domain of today's root zone, and some to spare.
const TOP_LEVEL_MIN: usize = 2;
const TOP_LEVEL_MAX: usize = 32;

/// A letter, a digit or `_`, which does not go on a longer local part.
pub(crate) fn may_start(before: &[u8], here: &[u8]) -> bool {
    here.first().copied().is_some_and(is_word) && !is_joined(before) && !boundary::inside_escape(before, here)
}

/// Up to the last label that makes a top-level domain.
pub(crate) fn accept(candidate: &Candidate<'_>) -> Option<usize> {
    let value = candidate.value;
    if !may_start(candidate.before, value) {
        return None;
    }
    let (local, at, host) = split(value)?;
    let encoded = local.iter().filter(|byte| **byte == b'%').count().saturating_mul(2);
    if local.len().saturating_sub(encoded) > LOCAL_MAX || host.len() > HOST_MAX || is_version(host) || is_density(host) {
        return None;
    }
    let length = value.len().saturating_sub(host.len()).saturating_add(host_length(host)?);
    let next = behind(value, candidate.after, length);
    let quoted = next.first() == Some(&b'\'') && boundary::holds(local, b'\'');
    let remote = is_remote(local, host, next);
    (!quoted && !remote && !is_in_authority(candidate.before, at)).then_some(length)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Would a local part that begins further left reach up to here?
///
/// Behind an apostrophe both can be true: `o'brien@` and `return'bob@...'`. Then the position counts, but only behind the first
/// apostrophe of a run.
fn is_joined(before: &[u8]) -> bool {
    if let [rest @ .., b'\''] = before {
        let run = rest.iter().rev().find(|byte| !is_word(**byte) && !matches!(byte, b'+' | b'-' | b'.'));
        return boundary::left(rest).is_some_and(is_word) && run == Some(&b'\'');
    }
    let mut rest = before;
    let mut point = false;
    while let Some((glue, is_point)) = strip_glue(rest) {
        if point && is_point {
            return false;
        }
        (rest, point) = (glue, is_point);
    }
    boundary::left(rest).is_some_and(is_word)
}

/// Takes one character off the end that a local part can hold but not begin with; says whether it is a point.
fn strip_glue(before: &[u8]) -> Option<(&[u8], bool)> {
    match before {
        [rest @ .., b'.'] => Some((rest, true)),
        [rest @ .., b'+' | b'-'] | [rest @ .., b'%', b'2', b'B' | b'b'] => Some((rest, false)),
        _ => None,
    }
}

/// The local part, the at sign as it is written, and the host.
fn split(value: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    if let Some((local, rest)) = boundary::find(value, b'@').and_then(|at| value.split_at_checked(at))
        && !(boundary::holds(local, b'\\') | boundary::holds(local, b'&') | boundary::holds(local, b'%'))
    {
        let (at, host) = rest.split_at_checked(1)?;
        return Some((local, at, host));
    }
    let local =
        value.iter().zip(value.iter().skip(1)).position(|pair| matches!(pair, (b'@' | b'\\' | b'&', _) | (b'%', b'4')))?;
    let (local, rest) = value.split_at_checked(local)?;
    let at = match rest.first()? {
        b'@' => 1,
        b'%' => 3,
        b'&' => rest.iter().position(|byte| *byte == b';')?.checked_add(1)?,
        _ => rest.iter().take_while(|byte| **byte == b'\\').count().checked_add(5)?,
    };
    let (at, host) = rest.split_at_checked(at)?;
    Some((local, at, host))
}

/// Bytes of the host up to its last label that is a top-level domain: `b.com.Then` ends a sentence at `b.com`.
fn host_length(host: &[u8]) -> Option<usize> {
    let mut fitting = 0usize;
    if host.len() <= LABEL_MAX {
        fitting = host.len();
    } else {
        for label in host.split(|byte| *byte == b'.').take_while(|label| label.len() <= LABEL_MAX) {
            fitting = fitting.saturating_add(label.len()).saturating_add(usize::from(fitting > 0));
        }
    }
    let mut rest = host.get(..fitting)?;
    while let Some(point) = rest.iter().rposition(|byte| *byte == b'.') {
        let (front, label) = rest.split_at_checked(point)?;
        if is_top_level(label.get(1..)?) {
            return Some(rest.len());
        }
        rest = front;
    }
    None
}

fn is_top_level(label: &[u8]) -> bool {
    let mut lower = [0u8; TOP_LEVEL_MAX];
    let Some(lower) = lower.get_mut(..label.len()).filter(|lower| lower.len() >= TOP_LEVEL_MIN) else { return false };
    for (to, from) in lower.iter_mut().zip(label) {
        *to = from.to_ascii_lowercase();
    }
    // Most end with one of these, and the list is far away.
    if matches!(&*lower, b"com" | b"org" | b"net" | b"de" | b"io" | b"uk") {
        return true;
    }
    std::str::from_utf8(lower).is_ok_and(tld::exist)
}

/// `18.2.0`, `v4.1`, `1.x`: the version of a package.
fn is_version(host: &[u8]) -> bool {
    if !matches!(host, [b'0'..=b'9' | b'v', ..]) {
        return false;
    }
    let mut labels = host.split(|byte| *byte == b'.');
    let number = |label: &[u8]| !label.is_empty() && label.iter().all(u8::is_ascii_digit);
    let first = labels.next().is_some_and(|label| number(label.strip_prefix(b"v").unwrap_or(label)));
    first && labels.next().is_some_and(|label| number(label) || label == b"x")
}

/// `2x.ai`, `1.5x.zip`: the density of an image, in an extension that is a top-level domain as well.
fn is_density(host: &[u8]) -> bool {
    let digits = host.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    (1..=3).contains(&digits) && matches!(host.get(digits..), Some([b'x', b'.', ..]))
}

/// The address of a repository: `git@host:owner/name`, and any user at a well-known host of code with a path behind a colon.
fn is_remote(local: &[u8], host: &[u8], next: &[u8]) -> bool {
    let code = [b"github.".as_slice(), b"gitlab.", b"bitbucket."].iter().any(|name| host.starts_with(name));
    let path = matches!(next, [b':', byte, ..] if byte.is_ascii_alphanumeric());
    (local == b"git" && (code || matches!(next, [b':' | b'/', ..]))) || (code && path)
}

/// Does the user part of a URL, `scheme://user:password@`, go on up to here?
fn is_in_authority(before: &[u8], at: &[u8]) -> bool {
    let schemes: [&[u8]; 3] = [b"://", br":\/\/", b":////"];
    // Nothing behind the scheme may end the user part, so its last slash is the last byte that would. Most often that is a quote
    // or a space.
    let plain = before.iter().rposition(|byte| ends_authority(*byte)).map_or(0, |last| last.saturating_add(1));
    let scheme = || before.get(..plain).filter(|before| schemes.iter().any(|scheme| before.ends_with(scheme))).map(<[u8]>::len);
    let start = if at == b"@" {
        // In a decoded view the at sign of an encoded URL is one, and the rest is as it was.
        scheme().or_else(|| boundary::holds(before, b'%').then(|| encoded_scheme(before, plain)).flatten())
    } else {
        encoded_scheme(before, plain)
    };
    start.and_then(|start| before.get(start..)).is_some_and(|user| !contains_encoded_end(user) && !contains_parameter(user))
}

/// Where an encoded URL's scheme ends, if that is not before `plain`.
fn encoded_scheme(before: &[u8], plain: usize) -> Option<usize> {
    let schemes: [&[u8]; 3] = [b"%3A%2F%2F", b"%3a%2f%2f", b"%3A//"];
    let ends = schemes
        .iter()
        .filter_map(|scheme| before.windows(scheme.len()).rposition(|window| window == *scheme)?.checked_add(scheme.len()));
    ends.max().filter(|start| *start >= plain)
}

fn ends_authority(byte: u8) -> bool {
    // Asked of every byte before an address, which mostly is a letter.
    !byte.is_ascii_alphanumeric()
        && (byte.is_ascii_whitespace()
            || matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'`' | b'<' | b'>' | b',' | b';' | b'|' | b'\\' | b'(' | b')'))
}

/// A space, a line end, a quote or a slash in percent-encoding.
fn contains_encoded_end(user: &[u8]) -> bool {
    user.windows(3).any(|escape| matches!(escape, b"%20" | b"%0A" | b"%0a" | b"%22" | b"%2F" | b"%2f" | b"%26"))
}

/// The next parameter of a query or a form, behind a URL without a path: `redirect_uri=https://app.example.com&login_hint=`.
fn contains_parameter(user: &[u8]) -> bool {
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'[' | b']' | b'%');
    user.split(|byte| *byte == b'&').skip(1).any(|parameter| {
        let name = parameter.iter().take_while(|byte| in_name(byte)).count();
        name > 0 && parameter.get(name) == Some(&b'=')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_top_level_domain_of_the_list_fits() {
        assert!(tld::TLD.len() > 1400);
        for domain in tld::TLD.iter() {
            assert!((TOP_LEVEL_MIN..=TOP_LEVEL_MAX).contains(&domain.len()), "{domain}");
            assert!(is_top_level(domain.to_ascii_uppercase().as_bytes()), "{domain}");
        }
    }

    #[test]
    fn a_host_ends_with_its_last_top_level_domain() {
        let rows: [(&str, Option<&str>); 7] = [
            ("b.com", Some("b.com")),
            ("b.com.Then", Some("b.com")),
            ("b.co.uk", Some("b.co.uk")),
            ("com", None),
            ("b.x.y.z", None),
            ("b.com.1", Some("b.com")),
            ("B.COM", Some("B.COM")),
        ];
        for (host, wanted) in rows {
            assert_eq!(host_length(host.as_bytes()), wanted.map(str::len), "{host}");
        }
        let long = format!("b.com.{}.com", "a".repeat(64));
        assert_eq!(host_length(long.as_bytes()), Some(5));
    }
}
