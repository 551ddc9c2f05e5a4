//! Security events as OTLP log records, in OTLP's JSON encoding.
//!
//! Messages: opentelemetry-proto, `ExportLogsServiceRequest`; encoding: the OTLP specification, "JSON Protobuf Encoding" (64-bit
//! integers are strings, ids are hexadecimal, enums are numbers). This module refuses to know how a batch gets anywhere.

use serde::Serialize;

use super::event::Event;

const SCOPE: Scope = Scope { name: "bodyguard", version: env!("CARGO_PKG_VERSION") };
/// What every record is an event of.
const EVENT_NAME: &str = "bodyguard.message";
/// `SEVERITY_NUMBER_INFO`.
const SEVERITY_INFO: u8 = 9;
/// `SEVERITY_NUMBER_WARN`.
const SEVERITY_WARN: u8 = 13;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExportLogsServiceRequest<'a> {
    resource_logs: [ResourceLogs<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLogs<'a> {
    resource: Resource<'a>,
    scope_logs: [ScopeLogs<'a>; 1],
}

#[derive(Serialize)]
struct Resource<'a> {
    attributes: Vec<KeyValue<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScopeLogs<'a> {
    scope: Scope,
    log_records: Vec<LogRecord<'a>>,
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogRecord<'a> {
    time_unix_nano: String,
    observed_time_unix_nano: String,
    severity_number: u8,
    severity_text: &'static str,
    event_name: &'static str,
    body: AnyValue<'a>,
    attributes: Vec<KeyValue<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<&'a str>,
}

#[derive(Serialize)]
struct KeyValue<'a> {
    key: String,
    value: AnyValue<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum AnyValue<'a> {
    StringValue(std::borrow::Cow<'a, str>),
    /// Decimal: JSON's numbers are doubles.
    IntValue(String),
}

/// The body of one export: `events`, which come from what `resource` says.
pub fn export_request<'a>(resource: &[(String, String)], events: impl Iterator<Item = &'a Event>) -> Vec<u8> {
    let request = ExportLogsServiceRequest {
        resource_logs: [ResourceLogs {
            resource: Resource { attributes: resource.iter().map(|(key, value)| text(key, value)).collect() },
            scope_logs: [ScopeLogs { scope: SCOPE, log_records: events.map(record).collect() }],
        }],
    };
    serde_json::to_vec(&request).unwrap_or_default()
}

/// How many records of an export the receiver has not taken, by its answer (`ExportLogsServiceResponse`).
///
/// Only that number is looked for: a parser of all JSON would be 11 KB of the module for a counter.
pub fn rejected(response: &[u8]) -> u64 {
    let read = || {
        let (_, rest) = std::str::from_utf8(response).ok()?.split_once("\"rejectedLogRecords\"")?;
        let number = rest.trim_start().strip_prefix(':')?.trim_start().trim_start_matches('"');
        number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    read().unwrap_or_default()
}

fn record(event: &Event) -> LogRecord<'_> {
    let time = event.nanoseconds.to_string();
    let (severity_number, severity_text) = match event.level {
        log::Level::Warn => (SEVERITY_WARN, "WARN"),
        _ => (SEVERITY_INFO, "INFO"),
    };
    LogRecord {
        observed_time_unix_nano: time.clone(),
        time_unix_nano: time,
        severity_number,
        severity_text,
        event_name: EVENT_NAME,
        body: AnyValue::StringValue(summary(event).into()),
        attributes: attributes(event),
        flags: event.trace.as_ref().map(|trace| trace.sampled.into()),
        trace_id: event.trace.as_ref().map(|trace| trace.trace_id.as_str()),
        span_id: event.trace.as_ref().map(|trace| trace.span_id.as_str()),
    }
}

/// The event in a few words: `blocked response: body.dlp_block:aws_access_key`, `redacted response: email=3`.
fn summary(event: &Event) -> String {
    let what = event.code.clone().unwrap_or_else(|| {
        let findings = event.findings.iter().map(|(kind, findings)| format!("{kind}={findings}"));
        findings.collect::<Vec<_>>().join(",")
    });
    let separator = if what.is_empty() { "" } else { ": " };
    format!("{} {}{separator}{what}", event.verdict, event.direction)
}

/// Names of OpenTelemetry's semantic conventions where there are such.
fn attributes(event: &Event) -> Vec<KeyValue<'_>> {
    let mut attributes = vec![
        text("bodyguard.policy", &event.policy),
        text("bodyguard.policy_hash", &event.policy_hash),
        text("bodyguard.mode", event.mode),
        text("bodyguard.direction", event.direction),
        text("bodyguard.verdict", event.verdict),
    ];
    attributes.extend(event.code.as_deref().map(|code| text("bodyguard.code", code)));
    attributes.extend([
        text("bodyguard.request_id", &event.request_id),
        text("http.request.method", &event.method),
        text("server.address", &event.host),
        text("url.path", &event.path),
    ]);
    attributes.extend(event.findings.iter().map(|(kind, count)| number(format!("bodyguard.findings.{kind}"), *count)));
    attributes.extend(
        event.actions.iter().map(|(action, count)| number(format!("bodyguard.actions.{}", action.replace(':', ".")), *count)),
    );
    attributes
}

fn text<'a>(key: &str, value: &'a str) -> KeyValue<'a> {
    KeyValue { key: key.into(), value: AnyValue::StringValue(value.into()) }
}

fn number<'a>(key: String, value: u64) -> KeyValue<'a> {
    KeyValue { key, value: AnyValue::IntValue(value.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_says_what_it_has_not_taken_in_either_form_of_a_number() {
        for (response, count) in [
            ("", 0),
            ("{}", 0),
            (r#"{"partialSuccess":null}"#, 0),
            (r#"{"partialSuccess":{}}"#, 0),
            (r#"{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"no"}}"#, 3),
            (r#"{"partialSuccess":{"rejectedLogRecords":3}}"#, 3),
            (r#"{"partialSuccess":{"rejectedLogRecords":-3}}"#, 0),
            ("\u{fffd}", 0),
        ] {
            assert_eq!(rejected(response.as_bytes()), count, "{response}");
        }
    }
}
