//! Host names in one form, and which domain a host belongs to.
//!
//! Compared lower-cased, without user info, port or trailing dot; an IPv6 literal keeps its brackets and its spelling.
//! This module refuses to know what a domain says.

use std::borrow::Cow;

use crate::sort;

/// The host of an `:authority`. Allocates only to lower-case.
pub(super) fn normalize(authority: &[u8]) -> Cow<'_, [u8]> {
    let plain = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
    if authority.iter().all(plain) && !authority.ends_with(b".") {
        return Cow::Borrowed(authority);
    }
    let authority = authority.trim_ascii();
    let host = match authority.iter().rposition(|b| *b == b'@') {
        Some(at) => authority.split_at_checked(at).and_then(|(_, rest)| rest.strip_prefix(b"@")).unwrap_or_default(),
        None => authority,
    };
    let mut host = without_port(host);
    while let Some(shorter) = host.strip_suffix(b".") {
        host = shorter;
    }
    if host.iter().any(u8::is_ascii_uppercase) { Cow::Owned(host.to_ascii_lowercase()) } else { Cow::Borrowed(host) }
}

fn without_port(host: &[u8]) -> &[u8] {
    if host.starts_with(b"[") {
        let end = host.iter().position(|b| *b == b']').map_or(host.len(), |at| at.saturating_add(1));
        return host.get(..end).unwrap_or(host);
    }
    let end = host.iter().position(|b| *b == b':').unwrap_or(host.len());
    host.get(..end).unwrap_or(host)
}

/// A host as a policy names it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum HostPattern {
    /// That host.
    Exact(Vec<u8>),
    /// `*.suffix`: one or more labels before it; kept without the star, with the dot.
    Suffix(Vec<u8>),
    /// `*`
    Any,
}

impl HostPattern {
    /// Reads a host of a document.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn parse(text: &str) -> Result<HostPattern, String> {
        let text = text.trim();
        if text == "*" {
            return Ok(HostPattern::Any);
        }
        let (name, wildcard) = match text.strip_prefix("*.") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        let literal = name.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
        if let Some(literal) = literal {
            if wildcard || literal.parse::<std::net::Ipv6Addr>().is_err() {
                return Err("not an IPv6 literal in brackets".into());
            }
        } else {
            if name.contains("://") {
                return Err("a scheme does not belong here".into());
            }
            if name.contains(':') {
                return Err("a port does not belong here; an IPv6 literal stands in brackets".into());
            }
            if !name.is_ascii() {
                return Err("write an international name as xn--...".into());
            }
            let label =
                |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
            if !name.split('.').all(label) {
                return Err(String::new());
            }
        }
        let name = name.to_ascii_lowercase();
        Ok(if wildcard { HostPattern::Suffix(format!(".{name}").into_bytes()) } else { HostPattern::Exact(name.into_bytes()) })
    }
}

impl std::fmt::Display for HostPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HostPattern::Exact(name) => f.write_str(&String::from_utf8_lossy(name)),
            HostPattern::Suffix(suffix) => write!(f, "*{}", String::from_utf8_lossy(suffix)),
            HostPattern::Any => f.write_str("*"),
        }
    }
}

/// Which value a host has: exact, then the longest `*.suffix`, then `*`.
#[derive(Debug, Default)]
pub(super) struct HostMap {
    exact: Vec<(Vec<u8>, usize)>,
    suffix: Vec<(Vec<u8>, usize)>,
    any: Option<usize>,
}

impl HostMap {
    /// A map of patterns, each given once, to values.
    pub(super) fn new(patterns: impl IntoIterator<Item = (HostPattern, usize)>) -> HostMap {
        let mut map = HostMap::default();
        for (pattern, value) in patterns {
            match pattern {
                HostPattern::Exact(name) => map.exact.push((name, value)),
                HostPattern::Suffix(suffix) => map.suffix.push((suffix, value)),
                HostPattern::Any => map.any = Some(value),
            }
        }
        map.exact = sort::sorted(map.exact);
        map.suffix = sort::sorted(map.suffix);
        map
    }

    /// The value of a normal host. Two binary searches and one for each dot; nothing is allocated.
    pub(super) fn get(&self, host: &[u8]) -> Option<usize> {
        if let Some(value) = find(&self.exact, host) {
            return Some(value);
        }
        if !self.suffix.is_empty() {
            // From the leftmost dot on, so the longest suffix comes first; a dot at the very start leaves no label for the star.
            for (at, _) in host.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'.') {
                if let Some(value) = host.get(at..).and_then(|suffix| find(&self.suffix, suffix)) {
                    return Some(value);
                }
            }
        }
        self.any
    }
}

fn find(sorted: &[(Vec<u8>, usize)], key: &[u8]) -> Option<usize> {
    let at = sorted.binary_search_by(|(name, _)| name.as_slice().cmp(key)).ok()?;
    sorted.get(at).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_has_one_form() {
        for (raw, host) in [
            ("api.example.com", "api.example.com"),
            ("API.Example.COM:8443", "api.example.com"),
            ("user:pass@api.example.com:443", "api.example.com"),
            ("evil@other@api.example.com.:443", "api.example.com"),
            ("api.example.com.", "api.example.com"),
            ("[::1]:8080", "[::1]"),
            ("[2001:DB8::1]", "[2001:db8::1]"),
            ("127.0.0.1:10000", "127.0.0.1"),
            ("", ""),
            (":80", ""),
        ] {
            assert_eq!(String::from_utf8_lossy(&normalize(raw.as_bytes())), host, "{raw}");
        }
    }

    #[test]
    fn the_most_specific_pattern_wins() {
        let names = ["*", "*.example.com", "*.internal.example.com", "a.internal.example.com", "[::1]"];
        let map = HostMap::new(names.iter().enumerate().map(|(i, name)| (HostPattern::parse(name).unwrap(), i)));
        for (host, winner) in [
            ("a.internal.example.com", 3),
            ("b.internal.example.com", 2),
            ("x.y.internal.example.com", 2),
            ("internal.example.com", 1),
            ("example.com", 0),
            (".example.com", 0),
            ("notexample.com", 0),
            ("[::1]", 4),
            ("", 0),
        ] {
            assert_eq!(map.get(host.as_bytes()), Some(winner), "{host}");
        }
        assert_eq!(HostMap::new([(HostPattern::parse("a.b").unwrap(), 0)]).get(b"c.b"), None);
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            "*.",
            "*x.com",
            "a.*.com",
            "http://a.com",
            "a.com:80",
            "a b.com",
            "ü.de",
            "::1",
            "[::g]",
            "*.[::1]",
            "a..b",
            "u@h",
        ] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }
}
