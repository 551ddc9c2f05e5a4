//! Texts of a document that have rules of their own: hosts, paths, regexes, header names, media ranges.

use super::host::HostPattern;
use super::shape::{Format, editors};
use crate::body::{self, JsonPath, MediaRange};
use crate::detect::{HashKey, MAX_REGEX_BYTES, MAX_WORD_BYTES, Pattern};

/// Longest `metadata.name`, in bytes: it becomes a metric label, and a label of Kubernetes has 63.
pub(super) const MAX_NAME_BYTES: usize = 63;
/// Longest name of a kind of a policy's own, in bytes: it becomes a metric label too.
const MAX_KIND_NAME_BYTES: usize = 40;
/// Longest body of a `block_response`, in bytes.
pub(super) const MAX_BLOCK_BODY_BYTES: usize = 65_536;
/// Longest path, header value or media type in a document, in bytes.
pub(super) const MAX_TEXT_BYTES: usize = 4096;

// The limits stand in messages that are constants too; a test keeps them equal.
pub(super) static NAME: Format = Format {
    expected: "1 to 63 of A-Z a-z 0-9 . _ - (it becomes a metric label)",
    check: |text| {
        let fits = (1..=MAX_NAME_BYTES).contains(&text.len());
        require(fits && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')))
    },
    pattern: editors("^[A-Za-z0-9._-]{1,63}$"),
};

pub(super) static HOST: Format = Format {
    expected: "a host name, *.suffix or *",
    check: |text| HostPattern::parse(text).map(drop),
    pattern: editors(r"^\s*(\*|(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]\.?)\s*$"),
};

pub(super) static PATH: Format =
    Format { expected: "a path that starts with /, without a query", check: path, pattern: editors("^/[^?#]*$") };

pub(super) static PATH_OR_STAR: Format = Format {
    expected: "a path that starts with /, without a query, or * (the target of a server-wide OPTIONS)",
    check: |text| if text == "*" { Ok(()) } else { path(text) },
    pattern: editors(r"^(/[^?#]*|\*)$"),
};

pub(super) static REGEX: Format = Format {
    expected: "a regex in Rust's regex syntax, on bytes, found anywhere unless ^ and $ anchor it, at most 2048 bytes",
    check: |text| Pattern::new(text).map(drop),
    pattern: None,
};

pub(super) static KIND_NAME: Format = Format {
    expected: "a letter of a-z, then at most 39 of a-z 0-9 _",
    check: |text| {
        let fits = (1..=MAX_KIND_NAME_BYTES).contains(&text.len()) && text.starts_with(|first: char| first.is_ascii_lowercase());
        require(fits && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'))
    },
    pattern: editors("^[a-z][a-z0-9_]{0,39}$"),
};

pub(super) static DETECTOR_REGEX: Format = Format {
    expected: "a regex in Rust's regex syntax, on bytes, at most 2048 bytes",
    check: |text| if text.len() <= MAX_REGEX_BYTES { Ok(()) } else { Err(format!("it has {} bytes", text.len())) },
    pattern: None,
};

pub(super) static WORD: Format = Format {
    expected: "a text of 1 to 64 bytes without control characters",
    check: |text| require((1..=MAX_WORD_BYTES).contains(&text.len()) && !text.chars().any(char::is_control)),
    pattern: None,
};

pub(super) static VALUE: Format = Format {
    expected: "a text of 1 to 4096 bytes",
    check: |text| require((1..=MAX_TEXT_BYTES).contains(&text.len())),
    pattern: None,
};

pub(super) static JSON_KEY: Format = Format {
    expected: "a text of 1 to 256 bytes",
    check: |text| require((1..=body::MAX_KEY_BYTES).contains(&text.len())),
    pattern: None,
};

pub(super) static JSON_PATH: Format = Format {
    expected: "a JSON path of at most 256 bytes as in $.users[*].ssn, $..card or card.* (at any depth)",
    check: |text| JsonPath::parse(text).map(drop),
    pattern: None,
};

pub(super) static HASH_KEY: Format = Format {
    expected: "a text of 16 to 64 bytes, best random ones (openssl rand -hex 32)",
    check: |text| require(HashKey::new(text.as_bytes()).is_some()),
    pattern: None,
};

pub(super) static METHOD: Format = Format {
    expected: "an HTTP method: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE, CONNECT, QUERY, or one of WebDAV",
    check: |text| require(METHODS.iter().any(|method| method.eq_ignore_ascii_case(text))),
    // An ECMA-262 regex has no mark of its own for "in any case".
    pattern: editors(METHOD_PATTERN),
};

/// RFC 9110 and RFC 5789, QUERY, and of WebDAV RFC 4918, RFC 3253 and RFC 5323.
const METHODS: [&str; 19] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "QUERY",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
    "SEARCH",
];

const METHOD_PATTERN: &str = concat!(
    "^(",
    "[Gg][Ee][Tt]|[Hh][Ee][Aa][Dd]|[Pp][Oo][Ss][Tt]|[Pp][Uu][Tt]|[Pp][Aa][Tt][Cc][Hh]|",
    "[Dd][Ee][Ll][Ee][Tt][Ee]|[Oo][Pp][Tt][Ii][Oo][Nn][Ss]|[Tt][Rr][Aa][Cc][Ee]|",
    "[Cc][Oo][Nn][Nn][Ee][Cc][Tt]|[Qq][Uu][Ee][Rr][Yy]|[Pp][Rr][Oo][Pp][Ff][Ii][Nn][Dd]|",
    "[Pp][Rr][Oo][Pp][Pp][Aa][Tt][Cc][Hh]|[Mm][Kk][Cc][Oo][Ll]|[Cc][Oo][Pp][Yy]|[Mm][Oo][Vv][Ee]|",
    "[Ll][Oo][Cc][Kk]|[Uu][Nn][Ll][Oo][Cc][Kk]|[Rr][Ee][Pp][Oo][Rr][Tt]|[Ss][Ee][Aa][Rr][Cc][Hh]",
    ")$"
);

pub(super) static MEDIA_RANGE: Format = Format {
    expected: "type/subtype, type/* or */*",
    check: |text| require(MediaRange::parse(text).is_some()),
    pattern: editors(r"^\s*(\*/\*|[!#$%&'+.^_`|~0-9A-Za-z-]+/(\*|(\*\+)?[!#$%&'+.^_`|~0-9A-Za-z-]+))\s*$"),
};

pub(super) static CONTENT_TYPE: Format = Format {
    expected: "a media type with a subtype, as in application/json; charset=utf-8, at most 4096 bytes",
    check: |text| {
        let has_subtype = text.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && !subtype.is_empty());
        require(has_subtype && text.len() <= MAX_TEXT_BYTES && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()))
    },
    pattern: editors("^[!#$%&'*+.^_`|~0-9A-Za-z-]+/[ -~]+$"),
};

pub(super) static HEADER_NAME: Format = Format {
    expected: "a header name (RFC 9110 token)",
    check: |text| require(is_token(text)),
    pattern: editors("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"),
};

pub(super) static HEADER_VALUE: Format = Format {
    expected: "a text without control characters, at most 4096 bytes",
    check: |text| require(text.len() <= MAX_TEXT_BYTES && !text.chars().any(|c| c.is_control() && c != '\t')),
    pattern: editors(r"^[^\x00-\x08\x0A-\x1F\x7F-\x9F]*$"),
};

pub(super) static BLOCK_BODY: Format = Format {
    expected: "a text of at most 65536 bytes",
    check: |text| if text.len() <= MAX_BLOCK_BODY_BYTES { Ok(()) } else { Err(format!("it has {} bytes", text.len())) },
    pattern: None,
};

/// A check that has nothing to add to what is expected.
pub(super) fn require(holds: bool) -> Result<(), String> {
    if holds { Ok(()) } else { Err(String::new()) }
}

fn path(text: &str) -> Result<(), String> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(format!("longer than {MAX_TEXT_BYTES} bytes"));
    }
    require(text.starts_with('/') && !text.contains(['?', '#']))
}

/// RFC 9110, 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{MAX_KEY_BYTES, MIN_KEY_BYTES};

    #[test]
    fn the_pattern_of_methods_is_made_of_them() {
        let any_case = |name: &&str| name.chars().map(|c| format!("[{c}{}]", c.to_ascii_lowercase())).collect::<String>();
        assert_eq!(METHOD_PATTERN, format!("^({})$", METHODS.iter().map(any_case).collect::<Vec<_>>().join("|")));
    }

    #[test]
    fn messages_name_the_limits_that_are_checked() {
        assert!(NAME.expected.contains(&MAX_NAME_BYTES.to_string()));
        assert!(BLOCK_BODY.expected.contains(&MAX_BLOCK_BODY_BYTES.to_string()));
        assert!(CONTENT_TYPE.expected.contains(&MAX_TEXT_BYTES.to_string()));
        assert!(REGEX.expected.contains(&MAX_REGEX_BYTES.to_string()));
        assert!(DETECTOR_REGEX.expected.contains(&MAX_REGEX_BYTES.to_string()));
        assert!(WORD.expected.contains(&MAX_WORD_BYTES.to_string()));
        assert!(VALUE.expected.contains(&MAX_TEXT_BYTES.to_string()));
        assert!(JSON_KEY.expected.contains(&body::MAX_KEY_BYTES.to_string()));
        assert!(HASH_KEY.expected.contains(&format!("{MIN_KEY_BYTES} to {MAX_KEY_BYTES}")));
        assert!((KIND_NAME.check)(&"n".repeat(MAX_KIND_NAME_BYTES)).is_ok());
        assert!((KIND_NAME.check)(&"n".repeat(MAX_KIND_NAME_BYTES + 1)).is_err());
        assert!((NAME.check)(&"n".repeat(MAX_NAME_BYTES)).is_ok());
        assert!((NAME.check)(&"n".repeat(MAX_NAME_BYTES + 1)).is_err());
    }
}
