//! Paths in one form, so that `/x/%2e%2e/api` cannot slip past a rule for `/api`.
//!
//! The same function serves the document and the request: the query and the fragment are dropped, an absolute URI is reduced to
//! its path, percent escapes are decoded once (a broken escape stays as it is, and so do bytes that are no UTF-8), then empty
//! segments, `.` and `..` are resolved. A trailing slash stays. `*`, the target of a server-wide OPTIONS, stays `*`.
//! This module refuses to know rules.

use std::borrow::Cow;

/// The normal form of a request target. Allocates only where something has to change.
///
/// It starts with `/`, or is `*`. Normalizing is idempotent wherever the result holds no `%`, `?` or `#`: those were escaped
/// and are now bytes of the path.
pub(super) fn normalize(target: &[u8]) -> Cow<'_, [u8]> {
    if target == b"*" {
        return Cow::Borrowed(target);
    }
    let end = target.iter().position(|b| matches!(b, b'?' | b'#')).unwrap_or(target.len());
    let path = without_authority(target.get(..end).unwrap_or_default());
    if is_normal(path) { Cow::Borrowed(path) } else { Cow::Owned(resolve(&decode(path, b""))) }
}

/// The form in which an escaped slash is no separator but a byte of a segment, written `%2F`; `None` where there is none.
///
/// Servers differ: of `/api/..%2fpublic`, one serves `/public`, and another `/api/` with a strange segment behind it.
pub(super) fn with_escaped_slashes(target: &[u8]) -> Option<Vec<u8>> {
    if !target.contains(&b'%') {
        return None;
    }
    let end = target.iter().position(|b| matches!(b, b'?' | b'#')).unwrap_or(target.len());
    let path = without_authority(target.get(..end).unwrap_or_default());
    let escaped = path.windows(3).any(|window| window.eq_ignore_ascii_case(b"%2f"));
    escaped.then(|| resolve(&decode(path, b"/")))
}

/// Does `prefix` cover `path`? Both normal. Segment by segment: `/api` covers `/api` and `/api/x`, not `/apix`.
///
/// A trailing slash of the prefix does not count: `/api/` covers `/api` too, because most servers serve the two alike.
/// `/` covers everything, `*` too.
pub(super) fn covers(prefix: &[u8], path: &[u8]) -> bool {
    let prefix = trim_slash(prefix);
    match path.strip_prefix(prefix) {
        Some(rest) => prefix.is_empty() || rest.is_empty() || rest.starts_with(b"/"),
        None => false,
    }
}

/// The path without its trailing slash: what [`covers`] compares.
pub(super) fn trim_slash(path: &[u8]) -> &[u8] {
    path.strip_suffix(b"/").unwrap_or(path)
}

/// `http://host/path` as a request target (RFC 9112, absolute-form): what stands behind the authority.
fn without_authority(target: &[u8]) -> &[u8] {
    if target.starts_with(b"/") {
        return target;
    }
    let scheme_end = target.iter().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))).unwrap_or(0);
    match target.split_at_checked(scheme_end) {
        Some((scheme, rest)) if !scheme.is_empty() => match rest.strip_prefix(b"://") {
            Some(rest) => rest.iter().position(|b| *b == b'/').and_then(|at| rest.get(at..)).unwrap_or_default(),
            None => target,
        },
        _ => target,
    }
}

fn is_normal(path: &[u8]) -> bool {
    let Some(below) = path.strip_prefix(b"/") else { return false };
    if below.contains(&b'%') {
        return false;
    }
    let mut segments = below.split(|b| *b == b'/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        if matches!(segment, b"." | b"..") || (segment.is_empty() && !last) {
            return false;
        }
    }
    true
}

/// Percent escapes decoded, once; but for those of the bytes in `but`.
fn decode(path: &[u8], but: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&first, behind)) = rest.split_first() {
        let escaped = match (first, behind.split_first_chunk::<2>()) {
            (b'%', Some(([high, low], behind))) => hex(*high).zip(hex(*low)).map(|(high, low)| (high << 4 | low, behind)),
            _ => None,
        };
        match escaped {
            Some((byte, behind)) if !but.contains(&byte) => {
                out.push(byte);
                rest = behind;
            }
            Some((_, behind)) => {
                out.extend(rest.iter().take(3).map(u8::to_ascii_uppercase));
                rest = behind;
            }
            None => {
                out.push(first);
                rest = behind;
            }
        }
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Dot segments and empty segments resolved (RFC 3986, 5.2.4); never above the root.
fn resolve(path: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(path.len().saturating_add(1));
    // A path that ends in a resolved segment ends in a slash, as `/a/` does.
    let mut open = true;
    for segment in path.split(|b| *b == b'/') {
        match segment {
            b"" | b"." => open = true,
            b".." => {
                let parent = out.iter().rposition(|b| *b == b'/').unwrap_or(0);
                out.truncate(parent);
                open = true;
            }
            name => {
                out.push(b'/');
                out.extend_from_slice(name);
                open = false;
            }
        }
    }
    if open {
        out.push(b'/');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_has_one_form() {
        for (raw, normal) in [
            ("", "/"),
            ("/", "/"),
            ("*", "*"),
            ("/api", "/api"),
            ("/api/", "/api/"),
            ("/api?x=/y", "/api"),
            ("/api#f?x", "/api"),
            ("?x", "/"),
            ("/x/%2e%2e/api", "/api"),
            ("/x/%2E%2E%2Fapi", "/api"),
            ("/x/..%2fapi", "/api"),
            ("/x/.%2e/api/./y", "/api/y"),
            ("//api///x", "/api/x"),
            ("/a/b/..", "/a/"),
            ("/a/.", "/a/"),
            ("/..", "/"),
            ("/../../etc", "/etc"),
            ("/%61pi", "/api"),
            ("/%2561pi", "/%61pi"),
            ("/a%3Fb", "/a?b"),
            ("/a%", "/a%"),
            ("/a%4", "/a%4"),
            ("/a%zz", "/a%zz"),
            ("/%c3%a9", "/é"),
            ("api/x", "/api/x"),
            ("http://user@h:80/api/x?y", "/api/x"),
            ("HTTPS://h", "/"),
            ("http://h?x", "/"),
            ("/.well-known/..x/...", "/.well-known/..x/..."),
            ("/a/*", "/a/*"),
        ] {
            assert_eq!(String::from_utf8_lossy(&normalize(raw.as_bytes())), normal, "{raw}");
        }
        assert_eq!(&*normalize(b"/%ff/\xfe"), b"/\xff/\xfe");
    }

    #[test]
    fn a_plain_path_is_not_copied() {
        for raw in ["/", "/api/x", "/api/x/", "/api/x?y=%20", "/.well-known/x"] {
            assert!(matches!(normalize(raw.as_bytes()), Cow::Borrowed(_)), "{raw}");
        }
    }

    #[test]
    fn a_prefix_covers_whole_segments() {
        for (prefix, path, covered) in [
            ("/", "/", true),
            ("/", "/x", true),
            ("/", "*", true),
            ("/api", "/api", true),
            ("/api", "/api/", true),
            ("/api", "/api/x", true),
            ("/api", "/apix", false),
            ("/api", "/ap", false),
            ("/api", "/", false),
            ("/api/", "/api", true),
            ("/api/", "/api/x", true),
            ("/api/", "/apix", false),
        ] {
            assert_eq!(covers(prefix.as_bytes(), path.as_bytes()), covered, "{prefix} {path}");
        }
    }

    /// Segments as an attacker writes them; what they mean is for the reference to say.
    fn segments() -> impl Strategy<Value = Vec<String>> {
        let written = prop_oneof![
            Just("".to_owned()),
            Just(".".to_owned()),
            Just("%2e".to_owned()),
            Just("..".to_owned()),
            Just("%2E.".to_owned()),
            Just(".%2e".to_owned()),
            Just("%2e%2e".to_owned()),
            "[a-c]{1,2}",
            Just("%61".to_owned()),
        ];
        prop::collection::vec(written, 0..8)
    }

    /// A stack of names, the plainest way to walk a path.
    fn reference(segments: &[String]) -> Vec<String> {
        let mut stack = Vec::new();
        for segment in segments {
            match segment.to_ascii_lowercase().replace("%2e", ".").replace("%61", "a").as_str() {
                "" | "." => {}
                ".." => {
                    stack.pop();
                }
                name => stack.push(name.to_owned()),
            }
        }
        stack
    }

    proptest! {
        #[test]
        fn what_a_server_walks_to_is_what_is_compared(segments in segments(), slash in prop_oneof![Just("/"), Just("%2f"), Just("%2F")]) {
            let raw = format!("/{}", segments.join(slash));
            let normal = normalize(raw.as_bytes()).into_owned();
            let names = reference(&segments);
            let walked = format!("/{}", names.join("/"));
            prop_assert_eq!(trim_slash(&normal), trim_slash(walked.as_bytes()), "{}", raw);
            // Nothing slips past the rule for its first segment.
            if let Some(first) = names.first() {
                let covered = covers(format!("/{first}").as_bytes(), &normal);
                prop_assert!(covered, "{}", raw);
            }
        }

        #[test]
        fn the_normal_form_is_normal(raw in prop::collection::vec(prop_oneof![Just(b'/'), Just(b'.'), Just(b'%'), Just(b'2'), Just(b'e'), any::<u8>()], 0..24)) {
            let normal = normalize(&raw).into_owned();
            prop_assert!(normal.starts_with(b"/") || normal == b"*");
            prop_assert!(!normal.split(|b| *b == b'/').any(|s| s == b"." || s == b".."));
            prop_assert!(!normal.windows(2).any(|w| w == b"//"));
            if !normal.iter().any(|b| matches!(b, b'%' | b'?' | b'#')) {
                prop_assert_eq!(&*normalize(&normal), &normal[..]);
            }
        }
    }
}
