//! What a policy block looks for outside bodies: `checks.headers` and `checks.query`.
//!
//! Each of the two is one value, replaced as a whole by a more specific scope. This module refuses to know how a header is masked.

use std::sync::Arc;

use super::checks::Dlp;
use super::cursor::Cursor;
use super::document::{BLOCK, DIRECTION, EXCEPT_TEST_VALUES, MASKED, MIN_FINDINGS, OBSERVED, REDACT};
use super::format::require;
use super::shape::{Format, Holds, Report, Shape, editors, field};
use super::{BodyMode, BodyRule};
use crate::detect::Detectors;
use crate::scan::Programs;

/// Longest name of a header or a parameter in a list, in bytes.
const MAX_NAME_BYTES: usize = 256;

pub(super) static HEADERS: Shape = Shape {
    name: "header_checks",
    some_of: &["dlp"],
    one_of: &[],
    fields: &[field(
        "dlp",
        "data-loss prevention in header values: which kinds block a message and which are masked",
        Holds::Object(&HEADERS_DLP),
    )],
};

pub(super) static QUERY: Shape = Shape {
    name: "query_checks",
    some_of: &["dlp"],
    one_of: &[],
    fields: &[field(
        "dlp",
        "data-loss prevention in the query of a request's path: which kinds block a request and which are masked",
        Holds::Object(&QUERY_DLP),
    )],
};

static HEADERS_DLP: Shape = Shape {
    name: "headers_dlp",
    some_of: &["block", "redact"],
    one_of: &[&["only", "include"], &["only", "exclude"]],
    fields: &[
        field("direction", "header values of which messages", Holds::Choice(&DIRECTION)).by_default("\"both\""),
        BLOCK,
        REDACT,
        field(
            "include",
            "headers that are read although by default they are not, as in cookie; a * at the end stands for anything",
            Holds::List(&Holds::Text(&HEADER_NAMES)),
        )
        .by_default("[]"),
        field("exclude", "headers that are not read", Holds::List(&Holds::Text(&HEADER_NAMES))).by_default("[]"),
        field("only", "read these headers and no others", Holds::List(&Holds::Text(&HEADER_NAMES))).by_default("[]"),
        MASKED,
        MIN_FINDINGS,
        OBSERVED,
        EXCEPT_TEST_VALUES,
    ],
};

static QUERY_DLP: Shape = Shape {
    name: "query_dlp",
    some_of: &["block", "redact"],
    one_of: &[&["only", "exclude"]],
    fields: &[
        BLOCK,
        REDACT,
        field("exclude", "parameters that are not read", Holds::List(&Holds::Text(&PARAMETER))).by_default("[]"),
        field("only", "read these parameters and no others", Holds::List(&Holds::Text(&PARAMETER))).by_default("[]"),
        MASKED,
        MIN_FINDINGS,
        OBSERVED,
        EXCEPT_TEST_VALUES,
    ],
};

static HEADER_NAMES: Format = Format {
    expected: "a header name (RFC 9110 token) that is no part of the framing, or the beginning of one and a *",
    check: |text| {
        let name = text.strip_suffix('*').unwrap_or(text);
        let lower = name.to_ascii_lowercase();
        let token =
            text.len() <= MAX_NAME_BYTES && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'+-.^_`|~".contains(&b));
        require(token && !text.is_empty() && !NEVER_READ.contains(&lower.as_str()))
    },
    pattern: editors("^[!#$%&'+.^_`|~0-9A-Za-z-]*[!#$%&'*+.^_`|~0-9A-Za-z-]$"),
};

static PARAMETER: Format = Format {
    expected: "the name of a parameter as it reads when it is decoded, 1 to 256 bytes",
    check: |text| require((1..=MAX_NAME_BYTES).contains(&text.len())),
    pattern: editors("^[\\s\\S]{1,256}$"),
};

/// Headers that frame a message or negotiate it: never read, for a mask in them would break it, and nobody keeps data there.
/// Pseudo-headers are none of these lists: their names begin with a colon.
const NEVER_READ: [&str; 18] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "expect",
    "grpc-encoding",
    "grpc-status",
    "host",
    "http2-settings",
    "if-range",
    "keep-alive",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Not read unless `include` or `only` names them: credentials and cookies that are at home there, addresses and ids that proxies add,
/// validators and digests.
const NOT_BY_DEFAULT: [&str; 23] = [
    "authorization",
    "content-digest",
    "content-md5",
    "cookie",
    "digest",
    "etag",
    "forwarded",
    "if-match",
    "if-none-match",
    "proxy-authorization",
    "repr-digest",
    "sec-websocket-accept",
    "sec-websocket-key",
    "set-cookie",
    "traceparent",
    "tracestate",
    "x-amzn-trace-id",
    "x-b3-*",
    "x-cloud-trace-context",
    "x-envoy-*",
    "x-forwarded-*",
    "x-real-ip",
    "x-request-id",
];

/// Of those, what has no business in a response, and is a leak there.
const LEAKS_IN_RESPONSES: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// What is looked for in the heads of messages.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Heads {
    /// In the header values of requests.
    pub request_headers: Option<HeadRule>,
    /// In the header values of responses.
    pub response_headers: Option<HeadRule>,
    /// In the query of a request's path.
    pub query: Option<HeadRule>,
}

/// How header values, or a query, are inspected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeadRule {
    /// Which kinds block and which are masked, as in a body; it has no cap, for Envoy has one for heads.
    pub lists: BodyRule,
    /// Where.
    pub names: Names,
}

/// Which headers or parameters are read. Those of headers are in lower case.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Names {
    only: Vec<String>,
    include: Vec<String>,
    exclude: Vec<String>,
}

impl Heads {
    /// Every rule that there is.
    pub fn all(&self) -> impl Iterator<Item = &HeadRule> {
        [&self.request_headers, &self.response_headers, &self.query].into_iter().flatten()
    }

    /// Is nothing looked for there?
    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }
}

impl Names {
    /// The lists `only`, `include` and `exclude`.
    pub(super) fn lists(&self) -> (&[String], &[String], &[String]) {
        (&self.only, &self.include, &self.exclude)
    }

    /// Is this header, whose name is in lower case, read?
    pub fn has_header(&self, name: &str, response: bool) -> bool {
        // Base64 of gRPC: a mask would not be it any more.
        if name.starts_with(':') || name.ends_with("-bin") || NEVER_READ.contains(&name) {
            return false;
        }
        if !self.only.is_empty() {
            return self.only.iter().any(|pattern| matches(pattern, name));
        }
        let usual =
            !NOT_BY_DEFAULT.iter().any(|pattern| matches(pattern, name)) || (response && LEAKS_IN_RESPONSES.contains(&name));
        let included = || self.include.iter().any(|pattern| matches(pattern, name));
        (usual || included()) && !self.exclude.iter().any(|pattern| matches(pattern, name))
    }

    /// Is this parameter, whose name is decoded, read?
    pub fn has_parameter(&self, name: &[u8]) -> bool {
        let is = |known: &String| known.as_bytes() == name;
        (self.only.is_empty() || self.only.iter().any(is)) && !self.exclude.iter().any(is)
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => pattern == name,
    }
}

/// `checks.headers` and `checks.query` of one policy block, or of several laid over each other.
#[derive(Clone, Debug, Default)]
pub(super) struct HeadChecks {
    headers: Option<(Dlp, Names)>,
    query: Option<(Dlp, Names)>,
}

impl HeadChecks {
    pub(super) fn read(checks: &Cursor<'_>, detectors: &Detectors, report: &mut Report) -> HeadChecks {
        let mut check = |part: &str, headers: bool| {
            let dlp = checks.field(part)?.field("dlp")?;
            let names = |list| {
                let items = dlp.field(list).map(|list| list.items()).unwrap_or_default();
                let text =
                    |item: &Cursor<'_>| item.text().map(|text| if headers { text.to_ascii_lowercase() } else { text.into() });
                items.iter().filter_map(text).collect()
            };
            let names = Names { only: names("only"), include: names("include"), exclude: names("exclude") };
            let mut read = Dlp::read(&dlp, detectors, report);
            if dlp.field("direction").is_none() {
                (read.request, read.response) = (true, true);
            }
            Some((read, names))
        };
        HeadChecks { headers: check("headers", true), query: check("query", false) }
    }

    /// These checks, with those of `outer` where there are none.
    pub(super) fn over(self, outer: &HeadChecks) -> HeadChecks {
        HeadChecks { headers: self.headers.or_else(|| outer.headers.clone()), query: self.query.or_else(|| outer.query.clone()) }
    }

    pub(super) fn rules(&self, programs: &mut Programs) -> Heads {
        let mut rule = |check: &Option<(Dlp, Names)>, covers: fn(&Dlp) -> bool| {
            let (dlp, names) = check.as_ref().filter(|(dlp, _)| covers(dlp))?;
            let kinds = dlp.block.union(dlp.redact);
            if kinds.is_empty() {
                return None;
            }
            let lists = BodyRule {
                max_bytes: u64::MAX,
                body_mode: BodyMode::Buffered,
                block: dlp.block,
                redact: dlp.redact,
                sensitive_data: false,
                program: Arc::clone(&programs.excepting(kinds, dlp.except_test_values)),
                json: None,
                redact_in_observe_modes: dlp.redact_in_observe_modes,
                same_length: dlp.same_length,
                min_findings: dlp.min_findings.clone(),
            };
            Some(HeadRule { lists, names: names.clone() })
        };
        Heads {
            request_headers: rule(&self.headers, |dlp| dlp.request),
            response_headers: rule(&self.headers, |dlp| dlp.response),
            query: rule(&self.query, |_| true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(only: &[&str], include: &[&str], exclude: &[&str]) -> Names {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Names { only: list(only), include: list(include), exclude: list(exclude) }
    }

    #[test]
    fn which_headers_are_read() {
        let usual = names(&[], &[], &[]);
        for (name, request, response) in [
            ("x-note", true, true),
            ("referer", true, true),
            ("location", true, true),
            ("authorization", false, true),
            ("cookie", false, true),
            ("set-cookie", false, false),
            ("traceparent", false, false),
            ("x-b3-traceid", false, false),
            ("x-forwarded-for", false, false),
            ("etag", false, false),
            (":path", false, false),
            (":status", false, false),
            ("content-length", false, false),
            ("transfer-encoding", false, false),
            ("token-bin", false, false),
        ] {
            assert_eq!((usual.has_header(name, false), usual.has_header(name, true)), (request, response), "{name}");
        }
        let more = names(&[], &["cookie", "x-b3-*"], &["x-note", "x-in*"]);
        for (name, read) in [
            ("cookie", true),
            ("x-b3-spanid", true),
            ("authorization", false),
            ("x-note", false),
            ("x-internal", false),
            ("x-i", true),
        ] {
            assert_eq!(more.has_header(name, false), read, "{name}");
        }
        let only = names(&["set-cookie", "x-a*", "content-length", "*"], &[], &[]);
        for (name, read) in
            [("set-cookie", true), ("x-note", true), ("content-length", false), (":path", false), ("a-bin", false)]
        {
            assert_eq!(only.has_header(name, true), read, "{name}");
        }
        assert!(!names(&["x-a"], &[], &[]).has_header("x-note", true));
    }

    #[test]
    fn which_parameters_are_read() {
        assert!(names(&[], &[], &[]).has_parameter(b"q"));
        assert!(!names(&[], &[], &["q"]).has_parameter(b"q"));
        assert!(names(&[], &[], &["q"]).has_parameter(b"Q"));
        assert!(names(&["q"], &[], &[]).has_parameter(b"q"));
        assert!(!names(&["q"], &[], &[]).has_parameter(b"\xff"));
    }

    #[test]
    fn messages_name_the_limits_that_are_checked() {
        assert!(PARAMETER.expected.contains(&MAX_NAME_BYTES.to_string()));
        for name in NEVER_READ {
            assert!((HEADER_NAMES.check)(name).is_err());
        }
        assert!((HEADER_NAMES.check)("Host").is_err());
        assert!((HEADER_NAMES.check)("*").is_ok() && (HEADER_NAMES.check)("x-*").is_ok() && (HEADER_NAMES.check)("x*y").is_err());
    }
}
