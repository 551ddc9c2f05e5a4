//! Where security events go besides the log: the table of `events`, and what is read from it.
//!
//! This module refuses to know how an event is sent; it knows where, how often, and how much may wait.

use std::fmt;

use super::cursor::Cursor;
use super::format::{HEADER_NAME, HEADER_VALUE, require};
use super::node::field_path;
use super::shape::{Field, Format, Holds, Report, Shape, editors, field};

/// Most events that a policy may ask one worker to keep.
const MAX_QUEUE_EVENTS: u64 = 10_000;
/// Events that one worker keeps, where the policy does not say.
const BUILT_IN_QUEUE_EVENTS: u64 = 2_000;
/// Shortest and longest time that a receiver has for its answer, in milliseconds.
const TIMEOUT_MILLISECONDS: std::ops::RangeInclusive<u32> = 100..=60_000;
/// The time where the policy does not say: that of the OTLP exporters of OpenTelemetry.
const BUILT_IN_TIMEOUT_MILLISECONDS: u32 = 10_000;
/// Shortest and longest time between batches, in milliseconds.
const INTERVAL_MILLISECONDS: std::ops::RangeInclusive<u32> = 200..=60_000;
/// The time where the policy does not say.
const BUILT_IN_INTERVAL_MILLISECONDS: u32 = 1_000;
/// Most headers, and most resource attributes.
const MAX_PAIRS: usize = 32;
/// Longest name of a cluster, an authority or an attribute, in bytes.
const MAX_NAME_BYTES: usize = 256;

const PATH: &str = "/v1/logs";
const SERVICE_NAME: (&str, &str) = ("service.name", "bodyguard");

/// Headers that the request has by itself, or that belong to a connection.
const OWN_HEADERS: [&str; 8] =
    ["content-type", "content-length", "host", "connection", "transfer-encoding", "te", "upgrade", "content-encoding"];

pub(super) static EVENTS: Shape = Shape {
    name: "events",
    some_of: &["otlp"],
    one_of: &[],
    fields: &[field(
        "otlp",
        "send security events to an OTLP/HTTP logs endpoint, in batches, as JSON; the log has them all the same",
        Holds::Object(&OTLP),
    )],
};

static OTLP: Shape = Shape { name: "otlp", some_of: &["cluster"], one_of: &[], fields: &OTLP_FIELDS };

static OTLP_FIELDS: [Field; 8] = [
    field("cluster", "Envoy's name of the cluster that the receiver is in", Holds::Text(&CLUSTER)),
    field("path", "path of the endpoint", Holds::Text(&ENDPOINT)).by_default("\"/v1/logs\""),
    field("authority", "host that the receiver is asked for; the cluster's name unless set", Holds::Text(&AUTHORITY)),
    field(
        "headers",
        "headers of each export, as in authorization; their values are never logged or shown",
        Holds::NamedMap(&HEADER_NAME, &Holds::Secret(&HEADER_VALUE)),
    )
    .by_default("{}"),
    field("timeout", "how long the receiver has for its answer", Holds::Text(&TIMEOUT)).by_default("\"10s\""),
    field("interval", "time between batches", Holds::Text(&INTERVAL)).by_default("\"1s\""),
    field(
        "max_queue",
        "events that one worker keeps while they wait for the receiver; further ones are dropped, and counted",
        Holds::Integer(1, MAX_QUEUE_EVENTS),
    )
    .by_default("2000"),
    field(
        "resource_attributes",
        "what the events come from, as in deployment.environment.name; service.name is bodyguard unless set",
        Holds::NamedMap(&ATTRIBUTE_NAME, &Holds::Text(&HEADER_VALUE)),
    ),
];

static CLUSTER: Format = Format {
    expected: "the name of an Envoy cluster, at most 256 bytes without spaces",
    check: |text| require(is_name(text)),
    pattern: editors("^[!-~]{1,256}$"),
};

static ENDPOINT: Format = Format {
    expected: "a path that starts with /, at most 256 bytes without spaces",
    check: |text| require(text.starts_with('/') && !text.contains('#') && is_name(text)),
    pattern: editors("^/[!-\"$-~]{0,255}$"),
};

static AUTHORITY: Format = Format {
    expected: "a host name or address, with or without a port",
    check: |text| require(is_authority(text)),
    pattern: editors(r"^[A-Za-z0-9._:\[\]-]{1,256}$"),
};

static ATTRIBUTE_NAME: Format = Format {
    expected: "the name of an attribute, at most 256 bytes without spaces",
    check: |text| require(is_name(text)),
    pattern: editors("^[!-~]{1,256}$"),
};

// The limits stand in messages that are constants too; a test keeps them equal.
static TIMEOUT: Format = Format {
    expected: "a duration as in 500ms or 5s, from 100ms to 60s",
    check: |text| require(milliseconds(text).is_some_and(|time| TIMEOUT_MILLISECONDS.contains(&time))),
    pattern: editors("^([1-9][0-9]{2,3}|[1-5][0-9]{4}|60000)ms$|^([1-9]|[1-5][0-9]|60)s$"),
};

static INTERVAL: Format = Format {
    expected: "a duration as in 500ms or 5s, from 200ms to 60s",
    check: |text| require(milliseconds(text).is_some_and(|time| INTERVAL_MILLISECONDS.contains(&time))),
    pattern: editors("^([2-9][0-9]{2}|[1-9][0-9]{3}|[1-5][0-9]{4}|60000)ms$|^([1-9]|[1-5][0-9]|60)s$"),
};

/// An OTLP/HTTP logs endpoint behind an Envoy cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Otlp {
    /// Envoy's name of the cluster.
    pub cluster: String,
    /// `:path` of an export.
    pub path: String,
    /// `:authority` of an export.
    pub authority: String,
    /// Further headers; names in lower case.
    pub headers: Vec<(String, Secret)>,
    /// Milliseconds that the receiver has for its answer.
    pub timeout_milliseconds: u32,
    /// Milliseconds between batches.
    pub interval_milliseconds: u32,
    /// Most events that one worker keeps.
    pub max_queue: usize,
    /// What the events come from; `service.name` is always there.
    pub resource: Vec<(String, String)>,
}

/// A text that is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text, for the one use that it has.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl Otlp {
    /// Reads `events.otlp` of a spec.
    pub(super) fn read(spec: &Cursor<'_>, report: &mut Report) -> Option<Otlp> {
        let otlp = spec.field("events")?.field("otlp")?;
        let text = |name| otlp.field(name).and_then(|field| field.text().map(str::to_owned));
        let time = |name| otlp.field(name).and_then(|field| milliseconds(field.text()?));
        let cluster = text("cluster")?;
        let authority = text("authority").or_else(|| default_authority(&cluster));
        if authority.is_none() && is_name(&cluster) {
            let message =
                format!("found none beside cluster {cluster:?}, which is no host name, allowed: {}", AUTHORITY.expected);
            report.error(field_path(&otlp.path, "authority"), message);
        }
        let max_queue = otlp.field("max_queue").and_then(|field| field.integer()).unwrap_or(BUILT_IN_QUEUE_EVENTS);
        Some(Otlp {
            authority: authority.unwrap_or_default(),
            path: text("path").unwrap_or_else(|| PATH.into()),
            headers: headers(&otlp, report),
            timeout_milliseconds: time("timeout").unwrap_or(BUILT_IN_TIMEOUT_MILLISECONDS),
            interval_milliseconds: time("interval").unwrap_or(BUILT_IN_INTERVAL_MILLISECONDS),
            max_queue: usize::try_from(max_queue).unwrap_or(usize::MAX),
            resource: resource(&otlp, report),
            cluster,
        })
    }

    /// Do both send to the same receiver, in the same name?
    pub fn same_receiver(&self, other: &Otlp) -> bool {
        (&self.cluster, &self.authority, &self.path, &self.headers)
            == (&other.cluster, &other.authority, &other.path, &other.headers)
    }
}

fn headers(otlp: &Cursor<'_>, report: &mut Report) -> Vec<(String, Secret)> {
    let mut headers: Vec<(String, Secret)> = Vec::new();
    // What is no name was reported, without it.
    for (name, value) in pairs(otlp, "headers", report).into_iter().filter(|(name, _)| (HEADER_NAME.check)(name).is_ok()) {
        let lower = name.to_ascii_lowercase();
        if OWN_HEADERS.contains(&lower.as_str()) {
            report.error(value.path, format!("refused: an export sets {lower} itself, or has no use for it"));
        } else if headers.iter().any(|(known, _)| *known == lower) {
            report.error(value.path, "found twice, allowed: once, in any case");
        } else if let Some(text) = value.text() {
            headers.push((lower, Secret(text.into())));
        }
    }
    headers
}

fn resource(otlp: &Cursor<'_>, report: &mut Report) -> Vec<(String, String)> {
    let given = pairs(otlp, "resource_attributes", report);
    let mut resource: Vec<(String, String)> =
        given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.text()?.to_owned()))).collect();
    if resource.iter().all(|(name, _)| name != SERVICE_NAME.0) {
        resource.insert(0, (SERVICE_NAME.0.into(), SERVICE_NAME.1.into()));
    }
    resource
}

fn pairs<'a>(otlp: &Cursor<'a>, name: &str, report: &mut Report) -> Vec<(&'a str, Cursor<'a>)> {
    let Some(map) = otlp.field(name) else { return Vec::new() };
    let pairs = map.fields();
    if pairs.len() > MAX_PAIRS {
        report.error(map.path, format!("found {}, allowed: at most {MAX_PAIRS}", pairs.len()));
    }
    pairs
}

/// What a receiver is called where the policy does not say: as its cluster, or as an Istio cluster says it,
/// `outbound|4318||otel.observability.svc.cluster.local`.
fn default_authority(cluster: &str) -> Option<String> {
    let authority = match cluster.split('|').collect::<Vec<_>>().as_slice() {
        [_direction, port, _subset, host] => format!("{host}:{port}"),
        _ => cluster.to_owned(),
    };
    is_authority(&authority).then_some(authority)
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn is_authority(text: &str) -> bool {
    is_name(text) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:[]-".contains(&b))
}

/// `500ms`, `5s`; without zeros in front.
fn milliseconds(text: &str) -> Option<u32> {
    let (digits, unit) = match text.strip_suffix("ms") {
        Some(digits) => (digits, 1),
        None => (text.strip_suffix('s')?, 1_000),
    };
    let digits = Some(digits).filter(|digits| {
        (1..=5).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
    })?;
    digits.parse::<u32>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_limits_that_are_checked() {
        for (format, range) in [(&TIMEOUT, TIMEOUT_MILLISECONDS), (&INTERVAL, INTERVAL_MILLISECONDS)] {
            let limits = format!("from {}ms to {}s", range.start(), range.end() / 1_000);
            assert!(format.expected.contains(&limits));
            assert!((format.check)(&format!("{}ms", range.start())).is_ok());
            assert!((format.check)(&format!("{}ms", range.start() - 1)).is_err());
            assert!((format.check)(&format!("{}ms", range.end() + 1)).is_err());
        }
        assert!(CLUSTER.expected.contains(&MAX_NAME_BYTES.to_string()));
        assert!((CLUSTER.check)(&"n".repeat(MAX_NAME_BYTES)).is_ok());
        assert!((CLUSTER.check)(&"n".repeat(MAX_NAME_BYTES + 1)).is_err());
    }

    #[test]
    fn durations_are_whole_numbers_of_two_units() {
        for (text, read) in [("500ms", Some(500)), ("5s", Some(5_000)), ("99999s", Some(99_999_000))] {
            assert_eq!(milliseconds(text), read, "{text}");
        }
        for text in ["", "s", "ms", "5", "1.5s", "-1s", "+1s", "5 s", "5m", "0s", "05s", "100000ms"] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
    }

    #[test]
    fn a_receiver_is_called_as_its_cluster_says() {
        for (cluster, authority) in [
            ("otel-collector", Some("otel-collector")),
            ("outbound|4318||otel.obs.svc.cluster.local", Some("otel.obs.svc.cluster.local:4318")),
            ("a/b", None),
            ("x|y", None),
        ] {
            assert_eq!(default_authority(cluster).as_deref(), authority, "{cluster}");
        }
    }

    #[test]
    fn a_secret_has_no_face() {
        assert_eq!(format!("{:?}", Secret("Bearer 1".into())), "(secret)");
    }
}
