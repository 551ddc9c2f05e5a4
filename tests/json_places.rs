//! What a policy says about places in JSON, buffered and as it flows, in every cut in two.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, clippy::indexing_slicing)]

use std::sync::Arc;

use bodyguard::act::{Direction, Flowing, MessageHead, Plan, Verdict, plan};
use bodyguard::policy::{Policy, RequestHead, Resolution, Rule};

fn rule(detectors: &str, dlp: &str, body_mode: &str) -> Arc<Rule> {
    let text = format!(
        "detectors: {detectors}\ndomains: [{{hosts: [\"*\"], policy: {{inspect_response_body: true, max_response_body_bytes: 100000, \
         response_body_mode: {body_mode}, checks: {{body: {{dlp: {dlp}}}}}}}}}]"
    );
    let policy = Policy::from_yaml_or_json(&text).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(policy.warnings, [], "{detectors}");
    match policy.resolve(&RequestHead { authority: b"h", path: b"/", method: b"GET", headers: &[], ..RequestHead::default() }) {
        Resolution::Rule(rule) => rule,
        Resolution::Pass(reason) => panic!("{reason}"),
    }
}

/// What leaves of a body that comes in these pieces; `None`: it is blocked.
fn through(rule: &Arc<Rule>, content_type: &str, pieces: &[&[u8]]) -> Option<String> {
    let head = MessageHead { content_type: Some(content_type.as_bytes()), ..MessageHead::default() };
    let whole = pieces.concat();
    let left = match plan(rule, Direction::Response, &head) {
        Plan::Inspect(mut inspector) => {
            for piece in pieces {
                inspector.feed(piece).unwrap();
            }
            let judgement = inspector.finish();
            match judgement.verdict {
                Verdict::Blocked => return None,
                _ if judgement.rewrite => inspector.rewrite(&whole, None).unwrap(),
                _ => whole,
            }
        }
        Plan::Stream(mut streamer) => {
            let mut left = Vec::new();
            for piece in pieces {
                match streamer.feed(piece).unwrap() {
                    Flowing::AsItCame => left.extend_from_slice(piece),
                    Flowing::Instead(bytes) => left.extend(bytes),
                    Flowing::Cut => return None,
                }
            }
            match streamer.finish().0 {
                Flowing::Instead(bytes) => left.extend(bytes),
                Flowing::AsItCame => {}
                Flowing::Cut => return None,
            }
            left
        }
        _ => panic!("not inspected"),
    };
    Some(String::from_utf8(left).unwrap())
}

fn check(detectors: &str, dlp: &str, content_type: &str, body: &str, wanted: Option<&str>) {
    for body_mode in ["buffered", "streamed"] {
        let rule = rule(detectors, dlp, body_mode);
        for cut in 0..body.len() {
            let (head, tail) = body.as_bytes().split_at(cut);
            let left = through(&rule, content_type, &[head, tail]);
            assert_eq!(left.as_deref(), wanted, "{detectors}, {body_mode}, cut at {cut}: {body}");
        }
    }
}

const JSON: &str = "application/json";

#[test]
fn kinds_count_where_the_policy_says() {
    for (detectors, body, wanted) in [
        (
            r#"{email: {paths: ["$.users[*].mail", "owner.*"]}}"#,
            r#"{"users":[{"mail":"a@x.com","note":"b@x.com"}],"owner":{"x":"c@x.com"}}"#,
            r#"{"users":[{"mail":"[REDACTED:email]","note":"b@x.com"}],"owner":{"x":"[REDACTED:email]"}}"#,
        ),
        (
            r#"{email: {except_paths: ["support"]}}"#,
            r#"{"support":"a@x.com","x":{"support":["b@x.com"],"y":"c@x.com"}}"#,
            r#"{"support":"a@x.com","x":{"support":["b@x.com"],"y":"[REDACTED:email]"}}"#,
        ),
        ("{email: {in: values}}", r#"{"a@x.com":"b@x.com"}"#, r#"{"a@x.com":"[REDACTED:email]"}"#),
        ("{email: {in: keys}}", r#"{"a@x.com":"b@x.com"}"#, r#"{"[REDACTED:email]":"b@x.com"}"#),
        (
            r#"{email: {paths: ["$.m"]}}"#,
            r#"{"x":"a@x.com","m":"\u0062@x.com"} what follows is text: c@x.com"#,
            r#"{"x":"a@x.com","m":"[REDACTED:email]"} what follows is text: [REDACTED:email]"#,
        ),
        (r#"{email: {paths: ["$.m"]}}"#, "no JSON: a@x.com", "no JSON: [REDACTED:email]"),
    ] {
        check(detectors, "{redact: [email]}", JSON, body, Some(wanted));
    }
}

#[test]
fn an_own_kind_counts_where_the_policy_says() {
    let detectors = r#"{part: {regex: "PN-[0-9]{4}", paths: ["$..parts"], mask: {keep_last: 2}}}"#;
    let body = r#"{"parts":["PN-1234",{"x":"PN-5678"}],"y":"PN-9999"}"#;
    let wanted = r#"{"parts":["**-**34",{"x":"**-**78"}],"y":"PN-9999"}"#;
    check(detectors, "{redact: [part]}", JSON, body, Some(wanted));
}

#[test]
fn a_match_stands_where_it_begins_and_one_that_ends_with_the_text_hides_nothing() {
    let body = r#"{"note":"pw=","x":"pw=Realsecret123"}"#;
    for (regex, wanted) in [("pw=[!-~]{12,64}", body), (r#"pw=[^"\s,&]{12,64}"#, r#"{"note":"pw=","x":"[REDACTED:own]"}"#)] {
        check(&format!("{{own: {{regex: '{regex}', except_paths: [note]}}}}"), "{redact: [own]}", JSON, body, Some(wanted));
    }
}

#[test]
fn what_a_body_says_it_is_decides_where_its_places_end() {
    let body = "{\"note\":\n{\"y\":\"a@x.com\"}}";
    let masked = "{\"note\":\n{\"y\":\"[REDACTED:email]\"}}";
    for (content_type, wanted) in [(JSON, masked), ("application/x-ndjson", body), ("text/plain", masked)] {
        let streamed = rule("{email: {paths: [note]}}", "{redact: [email]}", "streamed");
        assert_eq!(through(&streamed, content_type, &[body.as_bytes()]).as_deref(), Some(wanted), "{content_type}");
    }
}

#[test]
fn anchors_are_the_ends_of_the_body_unless_the_regex_says_lines() {
    for (regex, wanted) in [("^a1$", "x\na1\ny"), ("(?m)^a1$", "x\n[REDACTED:own]\ny")] {
        check(&format!("{{own: {{regex: '{regex}'}}}}"), "{redact: [own]}", "text/plain", "x\na1\ny", Some(wanted));
    }
}

#[test]
fn values_under_keys_are_masked_whatever_they_are() {
    let detectors = "{grades: {json_keys: [grade, gpa]}}";
    let body = r#"{"name":"Ada","grade":"A+","terms":[{"gpa":3.5},{"grade":{"math":"B","art":null}},{"grade":""}]}"#;
    let wanted = r#"{"name":"Ada","grade":"[REDACTED:grades]","terms":[{"gpa":"[REDACTED:grades]"},{"grade":{"math":"[REDACTED:grades]","art":null}},{"grade":""}]}"#;
    check(detectors, "{redact: [grades]}", JSON, body, Some(wanted));
    check(detectors, "{block: [grades]}", JSON, body, None);
    check(detectors, "{block: [grades]}", JSON, r#"{"name":"grade","x":"gpa"}"#, Some(r#"{"name":"grade","x":"gpa"}"#));
    for body in [r#"{"grade":null,"gpa":[null , {"x":null}]}"#, "{\"grade\":null\n}", r#"{"grade":{"":null}"#, r#"{"grade":null"#]
    {
        check(detectors, "{block: [grades]}", JSON, body, Some(body));
    }
    for value in ["true", "false", "nul", "nulls", "\"null\"", "0", "Null", "nnull"] {
        check(detectors, "{block: [grades]}", JSON, &format!("{{\"grade\":{value}}}"), None);
    }
    check("{grades: {json_keys: [grade], values: false}}", "{block: [grades]}", JSON, r#"{"a":[{"grade":{}}]}"#, None);
}

#[test]
fn an_array_that_is_too_long_is_found() {
    let detectors = "{mass_export: {large_array: {min_items: 3}, except_paths: [\"$.tags\"]}}";
    for (body, blocked) in [
        ("[1,2]", false),
        ("[1,2,3]", true),
        (r#"{"a":[{"b":[[],[],{}]}]}"#, true),
        (r#"{"tags":[1,2,3,4]}"#, false),
        (r#"{"a":"[1,2,3]"}"#, false),
    ] {
        check(detectors, "{block: [mass_export]}", JSON, body, (!blocked).then_some(body));
    }
}

#[test]
fn lines_and_events_are_documents_of_their_own() {
    let detectors = r#"{email: {paths: ["$.m"]}}"#;
    let lines = "{\"m\":\"a@x.com\",\"n\":\"b@x.com\"}\nbroken {\n{\"n\":\"c@x.com\"}\n";
    let wanted = "{\"m\":\"[REDACTED:email]\",\"n\":\"b@x.com\"}\nbroken {\n{\"n\":\"c@x.com\"}\n";
    check(detectors, "{redact: [email]}", "application/x-ndjson", lines, Some(wanted));
    let events = "event: d\ndata: {\"m\":\"a@x.com\",\ndata: \"n\":\"b@x.com\"}\n\ndata: {\"n\":\"c@x.com\"}\n\ndata: [DONE]\n\n";
    let wanted =
        "event: d\ndata: {\"m\":\"[REDACTED:email]\",\ndata: \"n\":\"b@x.com\"}\n\ndata: {\"n\":\"c@x.com\"}\n\ndata: [DONE]\n\n";
    check(detectors, "{redact: [email]}", "text/event-stream", events, Some(wanted));
}

#[test]
fn a_text_of_a_sequence_has_lines_and_an_event_ends_them_with_cr() {
    let detectors = "{password: {json_keys: [password]}}";
    let dlp = "{redact: [password, credit_card]}";
    let body = "\u{1e} {\n \"password\": \"hunter2\"\n}\n\u{1e}{ broken \"\n\u{1e}[\n{\r\n\"password\":\n5}]\n";
    let wanted = "\u{1e} {\n \"password\": \"[REDACTED:password]\"\n}\n\u{1e}{ broken \"\n\u{1e}[\n{\r\n\"password\":\n\"[REDACTED:password]\"}]\n";
    for content_type in ["application/json-seq", "application/geo+json-seq"] {
        check(detectors, dlp, content_type, body, Some(wanted));
    }
    let data = "data:{\"n\":4111111111111111,\"password\":1}";
    let masked = "data:{\"n\":\"************1111\",\"password\":\"[REDACTED:password]\"}";
    for before in ["id: a\"b\r", ": \"\r", ": \"\r\r", "data: say \"\r\r", "data:{\"x\":\"\r\r", "data: \"\\\r\n\r\n"] {
        let (body, wanted) = (format!("{before}{data}\r\r{data}\r\r"), format!("{before}{masked}\r\r{masked}\r\r"));
        check(detectors, dlp, "text/event-stream", &body, Some(&wanted));
    }
}

#[test]
fn an_exception_holds_for_a_value_however_it_is_escaped() {
    let body = "ada@x.com ada%40x.com \\u0061da@x.com ada&#64;x.com b%40x.com";
    let wanted = "ada@x.com ada%40x.com \\u0061da@x.com ada&#64;x.com [REDACTED:email]";
    for detectors in ["{email: {except: [\"ada@x.com\"]}}", "{email: {except_regex: [\"^ada@\"]}}"] {
        check(detectors, "{redact: [email]}", "text/plain", body, Some(wanted));
    }
    let body = "ada%40example.com ada@example.com";
    check("{}", "{redact: [email], except_test_values: true}", "text/plain", body, Some(body));
}

#[test]
fn a_long_number_under_a_key_becomes_a_string() {
    for digits in [256, 257, 300] {
        let body = format!("{{\"num\":{},\"x\":1}}", "7".repeat(digits));
        check("{g: {json_keys: [num]}}", "{redact: [g]}", JSON, &body, Some("{\"num\":\"[REDACTED:g]\",\"x\":1}"));
    }
    let whole = |digits: usize| format!("{{\"num\":-{}}}", "7".repeat(digits - 1));
    for body_mode in ["buffered", "streamed"] {
        let rule = rule("{g: {json_keys: [num]}}", "{redact: [g]}", body_mode);
        for chunk in [1000, 4095, 4100, 9000] {
            for (digits, wanted) in [
                (4095, "{\"num\":\"[REDACTED:g]\"}"),
                (4096, "{\"num\":\"[REDACTED:g]\"}"),
                // The limit: a number that no reader takes anyway.
                (4097, "{\"num\":[REDACTED:g][REDACTED:g]}"),
            ] {
                let body = whole(digits);
                let pieces: Vec<&[u8]> = body.as_bytes().chunks(chunk).collect();
                assert_eq!(through(&rule, JSON, &pieces).as_deref(), Some(wanted), "{body_mode}, {digits} in {chunk}");
            }
        }
    }
}

#[test]
fn a_byte_order_mark_before_a_body_is_none_of_it() {
    let detectors = "{password: {json_keys: [password]}, email: {paths: [m]}}";
    let mask = "{redact: [password, email, credit_card]}";
    let value = "{\"password\":\"hunter2\",\"m\":\"a@x.com\",\"x\":\"b@x.com\",\"n\":4111111111111111}";
    let masked = "{\"password\":\"[REDACTED:password]\",\"m\":\"[REDACTED:email]\",\"x\":\"b@x.com\",\"n\":\"************1111\"}";
    for (content_type, before, behind) in [
        (JSON, "", ""),
        ("", "", ""),
        ("application/x-ndjson", "", "\n"),
        ("text/event-stream", "data:", "\n\n"),
        ("text/event-stream", "data:", "\r\r"),
    ] {
        for mark in ["", "\u{feff}"] {
            let (body, wanted) = (format!("{mark}{before}{value}{behind}"), format!("{mark}{before}{masked}{behind}"));
            check(detectors, mask, content_type, &body, Some(&wanted));
        }
    }
    check("{bulk: {large_array: {min_items: 3}}}", "{block: [bulk]}", JSON, "\u{feff}[1,2,3]", None);
    // Anywhere else it is no part of JSON: what has it is text.
    let twice = "\u{feff}\u{feff}{\"password\":\"hunter2\",\"x\":\"b@x.com\"}";
    check("{password: {json_keys: [password]}}", "{redact: [password]}", JSON, twice, Some(twice));
}

#[test]
fn what_cannot_be_is_refused_with_its_path() {
    for (detectors, error) in [
        (
            r#"{email: {paths: ["$x"]}}"#,
            "$.detectors.email.paths[0]: found \"$x\", allowed: a JSON path of at most 256 bytes as in $.users[*].ssn, $..card or card.* (at any depth)",
        ),
        ("{email: {in: strings}}", "$.detectors.email.in: found \"strings\", allowed: keys, values, both"),
        ("{x: {json_keys: []}}", "$.detectors.x.json_keys: found no key, allowed: at least one"),
        (
            "{x: {json_keys: [a], near: {words: [b]}}}",
            "$.detectors.x.near: found near beside json_keys or large_array, allowed: in, paths, except_paths, mask",
        ),
        ("{x: {regex: ab, values: true}}", "$.detectors.x.values: found beside no json_keys, allowed: with json_keys"),
        (
            "{x: {large_array: {min_items: 0}}}",
            "$.detectors.x.large_array.min_items: found 0, allowed: an integer from 1 to 1000000000",
        ),
        (
            "{email: {json_keys: [a]}}",
            "$.detectors.email.json_keys: found json_keys for the built-in kind email, allowed: except, except_regex, near, mask, in, paths, except_paths",
        ),
    ] {
        let problems = Policy::from_yaml_or_json(&format!("detectors: {detectors}")).unwrap_err();
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(texts.iter().any(|text| text.starts_with(error)), "{detectors}: {texts:?}");
    }
    let many = (0..129).map(|n| format!("\"$.a{n}\"")).collect::<Vec<_>>().join(",");
    let problems = Policy::from_yaml_or_json(&format!("detectors: {{email: {{paths: [{many}]}}}}")).unwrap_err();
    assert!(problems[0].to_string().contains("128 paths"), "{problems:?}");
}
