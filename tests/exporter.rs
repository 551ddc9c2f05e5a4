//! The exporter of security events, driven by a scripted Envoy: what waits, what is sent, what is counted.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]

mod support;

use bodyguard::filter::exporter::{MAX_BATCH_EVENTS, MAX_QUEUE_BYTES, MAX_RETRY_NANOSECONDS};
use bodyguard::filter::root::Root;
use serde_json::{Value, json};
use support::{End, Envoy, Message, get, post, response};

const SECOND: u64 = 1_000_000_000;
const OK: &[(&str, &str)] = &[(":status", "200")];
const BUSY: &[(&str, &str)] = &[(":status", "503")];

fn policy(otlp: &str) -> String {
    format!(
        r#"{{"metadata": {{"name": "api-dlp"}}, "spec": {{
            "events": {{"otlp": {otlp}}},
            "defaults": {{"inspect_request_body": true, "inspect_response_body": true, "max_response_body_bytes": 200000,
                "checks": {{"body": {{"dlp": {{"direction": "both", "block": ["aws_access_key"], "redact": ["email"]}}}}}}}},
            "domains": [{{"hosts": ["*"]}}]}}}}"#
    )
}

fn envoy(otlp: &str) -> Envoy {
    Envoy::new(&policy(otlp), false)
}

/// A response that is masked: one event.
fn event(envoy: &mut Envoy) {
    envoy.exchange(&get(), &response(&[b"ada@example.com"], End::OnLastChunk, &[]));
}

fn events(envoy: &mut Envoy, count: usize) {
    for _ in 0..count {
        event(envoy);
    }
}

fn count(envoy: &Envoy, outcome: &str) -> i64 {
    envoy.script.metric(&[&format!("outcome=.={outcome};"), "bodyguard_events_total"])
}

fn counts(envoy: &Envoy) -> (i64, i64, i64) {
    (count(envoy, "exported"), count(envoy, "dropped"), count(envoy, "failed"))
}

fn records(envoy: &Envoy, call: usize) -> Vec<Value> {
    let body: Value = serde_json::from_slice(&envoy.script.calls()[call].body).unwrap();
    body["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().unwrap().clone()
}

fn warnings(envoy: &Envoy) -> Vec<String> {
    let about_export = |line: &String| line.contains("security events");
    envoy.script.log().into_iter().map(|(_, line)| line).filter(about_export).collect()
}

#[test]
fn an_event_waits_for_the_tick_and_is_counted_when_it_was_taken() {
    let mut envoy = envoy(
        r#"{"cluster": "otel", "path": "/x/logs", "authority": "otel.example:4318", "timeout": "3s",
            "headers": {"Authorization": "Bearer 1"}, "resource_attributes": {"deployment.environment.name": "test"}}"#,
    );
    assert_eq!(envoy.script.tick_period(), 1000);
    event(&mut envoy);
    assert!(envoy.script.calls().is_empty(), "nothing is sent while a message is served");
    envoy.tick_after(SECOND);
    let calls = envoy.script.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!((calls[0].cluster.as_str(), calls[0].timeout), ("otel", 3000));
    let sent: Vec<(&str, &str)> =
        calls[0].headers.iter().map(|(name, value)| (name.as_str(), std::str::from_utf8(value).unwrap())).collect();
    let agent = concat!("bodyguard/", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        sent,
        [
            (":method", "POST"),
            (":path", "/x/logs"),
            (":authority", "otel.example:4318"),
            ("content-type", "application/json"),
            ("user-agent", agent),
            ("authorization", "Bearer 1")
        ]
    );
    assert_eq!(counts(&envoy), (0, 0, 0), "its fate is not known yet");
    envoy.answer(0, OK, "{}");
    assert_eq!(counts(&envoy), (1, 0, 0));
    envoy.tick_after(SECOND);
    assert_eq!(envoy.script.calls().len(), 1, "nothing is left");
}

#[test]
fn a_record_says_what_the_log_line_says() {
    let mut envoy = envoy(r#"{"cluster": "otel"}"#);
    envoy.script.pass_time(1_763_769_600_123_456_789);
    let trace = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
    let body = b"key AKIAIOSFODNN7EXAMPLE of ada@example.com";
    envoy.exchange(&post(&[body], End::OnLastChunk, &trace), &Message::default());
    envoy.tick_after(SECOND);
    let request: Value = serde_json::from_slice(&envoy.script.calls()[0].body).unwrap();
    let hash = envoy.script.metrics().into_keys().find(|name| name.contains("policy_info")).unwrap();
    let hash = hash.split("hash=.=").nth(1).unwrap().split(";.;").next().unwrap();
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let number = |key: &str, value: &str| json!({"key": key, "value": {"intValue": value}});
    assert_eq!(
        request,
        json!({"resourceLogs": [{
            "resource": {"attributes": [text("service.name", "bodyguard")]},
            "scopeLogs": [{
                "scope": {"name": "bodyguard", "version": env!("CARGO_PKG_VERSION")},
                "logRecords": [{
                    "timeUnixNano": "1763769600123456789", "observedTimeUnixNano": "1763769600123456789",
                    "severityNumber": 13, "severityText": "WARN", "eventName": "bodyguard.message",
                    "body": {"stringValue": "blocked request: body.dlp_block:aws_access_key"},
                    "attributes": [
                        text("bodyguard.policy", "api-dlp"), text("bodyguard.policy_hash", hash),
                        text("bodyguard.mode", "block"), text("bodyguard.direction", "request"),
                        text("bodyguard.verdict", "blocked"), text("bodyguard.code", "body.dlp_block:aws_access_key"),
                        text("bodyguard.request_id", "id-1"), text("http.request.method", "POST"),
                        text("server.address", "api.example.com"), text("url.path", "/v1/x"),
                        number("bodyguard.findings.aws_access_key", "1"), number("bodyguard.findings.email", "1"),
                        number("bodyguard.actions.dlp.block", "1"), number("bodyguard.actions.dlp.detect", "1"),
                    ],
                    "flags": 1, "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331",
                }],
            }],
        }]})
    );
}

#[test]
fn a_clean_message_makes_no_event_and_an_idle_exporter_no_call() {
    let mut envoy = envoy(r#"{"cluster": "otel"}"#);
    for _ in 0..10 {
        envoy.exchange(&get(), &response(&[b"clean"], End::OnLastChunk, &[]));
        envoy.tick_after(SECOND);
    }
    assert!(envoy.script.calls().is_empty());
    assert_ne!(envoy.script.tick_period(), 0, "what a configuration before this one left may still come");
}

#[test]
fn batches_are_bounded_and_one_is_on_its_way_at_a_time() {
    let mut envoy = envoy(r#"{"cluster": "otel", "max_queue": 5000}"#);
    events(&mut envoy, 2 * MAX_BATCH_EVENTS + 1);
    envoy.tick_after(SECOND);
    envoy.tick_after(SECOND);
    assert_eq!(envoy.script.calls().len(), 1);
    envoy.answer(0, OK, "");
    assert_eq!(envoy.script.calls().len(), 2, "a full batch does not wait for the tick");
    envoy.answer(1, OK, "");
    assert_eq!(envoy.script.calls().len(), 2);
    envoy.tick_after(SECOND);
    let sizes: Vec<usize> = (0..3).map(|call| records(&envoy, call).len()).collect();
    assert_eq!(sizes, [MAX_BATCH_EVENTS, MAX_BATCH_EVENTS, 1]);
    envoy.answer(2, OK, "");
    assert_eq!(counts(&envoy), (2 * MAX_BATCH_EVENTS as i64 + 1, 0, 0));
}

#[test]
fn what_does_not_fit_the_queue_is_dropped_and_counted() {
    let mut envoy = envoy(r#"{"cluster": "otel", "max_queue": 3}"#);
    events(&mut envoy, 5);
    assert_eq!(counts(&envoy), (0, 2, 0));
    envoy.tick_after(SECOND);
    event(&mut envoy);
    assert_eq!(counts(&envoy), (0, 3, 0), "what is on its way still has its place");
    envoy.answer(0, OK, "{}");
    assert_eq!(counts(&envoy), (3, 3, 0));
    event(&mut envoy);
    assert_eq!(counts(&envoy), (3, 3, 0));
}

#[test]
fn the_queue_is_bounded_in_bytes_too() {
    let mut envoy = envoy(r#"{"cluster": "otel", "max_queue": 10000}"#);
    let mut long = get();
    long.headers[2].1 = vec![b'/'; 10_000];
    let answer = response(&[b"ada@example.com"], End::OnLastChunk, &[]);
    for _ in 0..10_000 {
        envoy.exchange(&long, &answer);
    }
    let kept = 10_000 - count(&envoy, "dropped");
    assert!((4_000..10_000).contains(&kept), "{kept} of about 600 bytes in {MAX_QUEUE_BYTES}");
}

#[test]
fn a_receiver_that_is_busy_is_asked_again_later_and_later() {
    let mut envoy = envoy(r#"{"cluster": "otel"}"#);
    event(&mut envoy);
    let mut waits = Vec::new();
    for attempt in 0..8 {
        let mut waited = 0;
        while envoy.script.calls().len() == attempt {
            envoy.tick_after(SECOND);
            waited += 1;
            assert!(waited < 100);
        }
        waits.push(waited);
        envoy.answer(attempt, [BUSY, &[(":status", "429")], &[(":status", "504")], &[]][attempt % 4], "");
    }
    assert!(waits.is_sorted() && waits[1] == 1 && (30..=40).contains(&waits[7]), "{waits:?}");
    assert_eq!(counts(&envoy), (0, 0, 0));
    assert_eq!(warnings(&envoy).len(), 1, "it is said once: {:?}", warnings(&envoy));
    assert!(warnings(&envoy)[0].contains("503"));
    envoy.tick_after(60 * SECOND);
    envoy.answer(8, OK, "");
    assert_eq!(counts(&envoy), (1, 0, 0));
    assert_eq!(warnings(&envoy).len(), 2, "and so is its end");
}

#[test]
fn a_receiver_may_ask_for_time() {
    let mut envoy = envoy(r#"{"cluster": "otel"}"#);
    event(&mut envoy);
    envoy.tick_after(SECOND);
    envoy.answer(0, &[(":status", "429"), ("retry-after", "20")], "");
    for _ in 0..19 {
        envoy.tick_after(SECOND);
    }
    assert_eq!(envoy.script.calls().len(), 1);
    envoy.tick_after(2 * SECOND);
    assert_eq!(envoy.script.calls().len(), 2);
    envoy.answer(1, &[(":status", "429"), ("retry-after", "99999999999999999")], "");
    envoy.tick_after(62 * SECOND);
    assert_eq!(envoy.script.calls().len(), 3, "within reason");
}

#[test]
fn events_that_nobody_takes_are_given_up_at_last() {
    let mut envoy = envoy(r#"{"cluster": "otel", "max_queue": 700}"#);
    events(&mut envoy, 600);
    let (mut answered, mut passed) = (0, 0);
    while count(&envoy, "failed") == 0 {
        assert!(passed < 2 * MAX_RETRY_NANOSECONDS, "for ever");
        envoy.tick_after(SECOND);
        passed += SECOND;
        if envoy.script.calls().len() > answered {
            envoy.answer(answered, BUSY, "");
            answered += 1;
        }
    }
    assert!(passed >= MAX_RETRY_NANOSECONDS);
    assert_eq!(counts(&envoy), (0, 0, MAX_BATCH_EVENTS as i64));
    envoy.tick_after(120 * SECOND);
    envoy.answer(answered, OK, "");
    assert_eq!(counts(&envoy), (88, 0, MAX_BATCH_EVENTS as i64));
}

#[test]
fn what_a_receiver_refuses_for_good_is_not_sent_again() {
    for status in ["400", "401", "404", "413", "500", "301"] {
        let mut envoy = envoy(r#"{"cluster": "otel"}"#);
        events(&mut envoy, 2);
        envoy.tick_after(SECOND);
        envoy.answer(0, &[(":status", status)], "secret words of the receiver");
        envoy.tick_after(100 * SECOND);
        assert_eq!((envoy.script.calls().len(), counts(&envoy)), (1, (0, 0, 2)), "{status}");
        assert!(warnings(&envoy)[0].contains(status) && !warnings(&envoy)[0].contains("secret"));
    }
}

#[test]
fn a_receiver_may_take_a_part() {
    let mut envoy = envoy(r#"{"cluster": "otel"}"#);
    events(&mut envoy, 5);
    envoy.tick_after(SECOND);
    envoy.answer(0, OK, r#"{"partialSuccess": {"rejectedLogRecords": "2", "errorMessage": "too old"}}"#);
    assert_eq!(counts(&envoy), (3, 0, 2));
}

#[test]
fn a_cluster_that_is_not_there_is_said_once_and_the_queue_fills() {
    let mut envoy = envoy(r#"{"cluster": "otel", "max_queue": 3}"#);
    envoy.script.refuse_calls(true);
    for _ in 0..5 {
        event(&mut envoy);
        envoy.tick_after(SECOND);
    }
    assert_eq!(counts(&envoy), (0, 2, 0));
    assert_eq!(warnings(&envoy).len(), 1);
    assert!(warnings(&envoy)[0].contains(r#"cluster "otel""#));
    envoy.script.refuse_calls(false);
    envoy.tick_after(60 * SECOND);
    envoy.answer(0, OK, "");
    assert_eq!(counts(&envoy), (3, 2, 0), "it came");
}

#[test]
fn an_answer_that_never_comes_is_not_waited_for_for_ever() {
    let mut envoy = envoy(r#"{"cluster": "otel", "timeout": "1s"}"#);
    event(&mut envoy);
    envoy.tick_after(SECOND);
    envoy.tick_after(5 * SECOND);
    assert_eq!(envoy.script.calls().len(), 1);
    envoy.tick_after(2 * SECOND);
    envoy.tick_after(2 * SECOND);
    assert_eq!(envoy.script.calls().len(), 2);
    envoy.answer(0, OK, "");
    assert_eq!(counts(&envoy), (0, 0, 0), "of another export");
    envoy.answer(1, OK, "");
    envoy.answer(1, OK, "");
    assert_eq!(counts(&envoy), (1, 0, 0));
}

#[test]
fn a_new_configuration_takes_what_the_old_one_left_where_the_receiver_is_the_same() {
    let same = r#"{"cluster": "otel", "interval": "5s"}"#;
    let other = r#"{"cluster": "elsewhere"}"#;
    for (next, exported, dropped) in [(policy(same), 4, 0), (policy(other), 0, 3), (policy(same).replace("events", "x-"), 0, 3)] {
        let next = next.replace(r#""x-": {"otlp": {"cluster": "otel", "interval": "5s"}},"#, "");
        let mut old = envoy(r#"{"cluster": "otel"}"#);
        events(&mut old, 2);
        old.tick_after(SECOND);
        event(&mut old);
        old.script.set_configuration(&next);
        old.script.forget_metrics();
        let mut new = Root::new(old.script.clone(), std::rc::Rc::clone(&old.vm));
        assert!(new.configure());
        old.root.retire();
        old.root.tick();
        std::mem::swap(&mut old.root, &mut new);
        if exported > 0 {
            event(&mut old);
            old.tick_after(5 * SECOND);
            assert_eq!(records(&old, 1).len(), 4, "two of them for the second time: nobody knows whether they had come");
            old.answer(1, OK, "");
        }
        assert_eq!((count(&old, "exported"), count(&old, "dropped")), (exported, dropped));
    }
}

#[test]
fn a_clock_that_is_set_back_does_not_stop_exports() {
    let mut envoy = envoy(r#"{"cluster": "otel"}"#);
    envoy.script.pass_time(1_000_000 * SECOND);
    event(&mut envoy);
    envoy.tick_after(SECOND);
    envoy.answer(0, OK, "");
    envoy.script.set_time(SECOND);
    event(&mut envoy);
    envoy.tick_after(SECOND);
    assert_eq!(envoy.script.calls().len(), 2);
}

#[test]
fn no_value_and_no_header_of_the_exporter_is_shown() {
    let secret = "Bearer hunter2";
    let mut envoy = envoy(&format!(r#"{{"cluster": "otel", "headers": {{"authorization": "{secret}"}}}}"#));
    let mut request = post(&[b"AKIAIOSFODNN7EXAMPLE ada@example.com"], End::OnLastChunk, &[]);
    request.headers[2].1 = b"/users/ada@example.com/AKIAIOSFODNN7EXAMPLE?x".to_vec();
    request.headers[3].1 = b"4111111111111111".to_vec();
    request.headers.push(("traceparent".into(), b"00-0af7651916cd43dd8448eb211c80319c-4111111111111111-01".to_vec()));
    envoy.exchange(&request, &Message::default());
    envoy.tick_after(SECOND);
    envoy.answer(0, &[(":status", "401")], "");
    let body = String::from_utf8(envoy.script.calls()[0].body.clone()).unwrap();
    assert!(body.contains("aws_access_key"));
    for value in ["AKIAIOSFODNN7EXAMPLE", "ada@example.com", "4111111111111111", "hunter2"] {
        assert!(!body.contains(value), "{body}");
    }
    assert!(envoy.script.log().iter().all(|(_, line)| !line.contains("hunter2") && !line.contains("ada@")));
}

const PAGE: &str = include_str!("../docs/events.md");

/// The first fenced block of the page in this language.
fn block(language: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn the_page_shows_the_fields_of_the_log_line() {
    let mut envoy = envoy(r#"{"cluster": "otel"}"#);
    envoy.exchange(&post(&[b"AKIAIOSFODNN7EXAMPLE"], End::OnLastChunk, &[]), &Message::default());
    let line = envoy.script.log().into_iter().map(|(_, line)| line).find(|line| line.starts_with('{')).unwrap();
    let keys = |text: &str| -> Vec<String> {
        let line: serde_json::Map<String, Value> = serde_json::from_str(text).unwrap();
        line.keys().cloned().collect()
    };
    assert_eq!(keys(block("json")), keys(&line));
    for key in keys(&line) {
        assert!(PAGE.lines().any(|row| row.starts_with('|') && row.contains(&format!("`{key}`"))), "{key}");
    }
}

#[test]
fn the_page_shows_the_built_in_values() {
    let read = |text: &str| bodyguard::policy::Policy::from_yaml_or_json(text).unwrap().otlp.unwrap();
    let shown = read(&format!("domains: []\n{}", block("yaml").replace("spec:\n", "").replace("\n  ", "\n").trim_start()));
    assert_eq!(shown, read("{domains: [], events: {otlp: {cluster: otel-collector}}}"));
    assert!(PAGE.contains(&format!("at most {MAX_BATCH_EVENTS} events")));
    assert!(PAGE.contains(&format!("about {} MiB", MAX_QUEUE_BYTES >> 20)));
    assert!(PAGE.contains(&format!("for {} minutes", MAX_RETRY_NANOSECONDS / SECOND / 60)));
}
