//! A policy's own kinds in bodies that flow: what leaves is what a buffered body would have become, however it is cut, and no byte
//! leaves while it may still be part of a finding.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used, clippy::panic)]

#[path = "support/flowing.rs"]
mod flowing;

use std::sync::{Arc, LazyLock};

use bodyguard::policy::{Policy, RequestHead, Resolution, Rule};
use flowing::{buffer, cut, head, sorted, stream};
use proptest::prelude::*;

/// Kinds of every source and every condition; some that are decided only by what comes behind them.
const DETECTORS: &str = r#"{
  part: {regex: "PN-[0-9]{3,6}"},
  behind: {regex: "K[0-9]{4}", near: {words: [secret], within: 30}},
  number: {regex: "[0-9]{10}", validate: luhn, mask: {keep_last: 2}},
  list: {regex: "[a-z]+(;[a-z]+){2,}", except_regex: ["^x"], mask: same_length},
  words: {words: [top secret, password_hash], ignore_case: true},
  both: {regex: "[A-Z]{2}[0-9]{2,60}", require: ["7"], except: [AB77]},
  hashed: {regex: "CUST-[0-9]{4}", mask: {hash: {key: a key of thirty-two bytes or more}}},
  grades: {json_keys: [grade]},
  named: {json_keys: [pin], values: false},
  export: {large_array: {min_items: 4}},
  placed: {regex: "Q[0-9]{3}", paths: ["$.q", "rows"], except_paths: ["skip"]},
  email: {except_regex: ["@x\\.com$"], except_paths: ["skip"]}
}"#;

const MASK: &str = "redact: [part, behind, number, list, words, both, hashed, grades, named, placed, email]";
const CHECKS: [&str; 6] = [
    MASK,
    "block: [part, export], redact: [behind, number, list, words, both, hashed, grades, placed, email]",
    "block: [behind, words], redact: [part, number, list]",
    "block: [grades, named, placed], redact: [both, email]",
    "block: [part, email], redact: [part, number, email], min_findings: 3",
    "block: [part, grades], redact: [part, number], min_findings: {part: 2}",
];

/// The first policy of each way to judge, mode and check.
fn rule(body_mode: &str, mode: &str, dlp: &str) -> Arc<Rule> {
    let text = format!(
        "detectors: {DETECTORS}\ndomains: [{{hosts: ['*'], policy: {{mode: {mode}, response_body_mode: {body_mode}, \
         inspect_response_body: true, max_response_body_bytes: 10000000, checks: {{body: {{dlp: {{{dlp}}}}}}}}}}}]"
    );
    let policy = Policy::from_yaml_or_json(&text).unwrap_or_else(|problems| panic!("{problems:?}"));
    match policy.resolve(&RequestHead { authority: b"h", path: b"/", ..RequestHead::default() }) {
        Resolution::Rule(rule) => rule,
        Resolution::Pass(reason) => panic!("{reason}"),
    }
}

/// Streamed and buffered, in `block` and in `shadow`, for each check.
static RULES: LazyLock<Vec<[[Arc<Rule>; 2]; 2]>> = LazyLock::new(|| {
    let of = |dlp: &&str| ["block", "shadow"].map(|mode| ["streamed", "buffered"].map(|body_mode| rule(body_mode, mode, dlp)));
    CHECKS.iter().map(of).collect()
});

const PIECES: [&str; 44] = [
    "PN-123456",
    "PN-12",
    "PN-1234567",
    "K1234",
    "K123",
    "secret",
    "Secret word",
    "1234567897",
    "1234567890",
    "123456",
    "ab;cd;ef;gh",
    "x;yy;zz",
    "ab;cd",
    "top secret",
    "TOP SECRETS",
    "password_hash",
    "AB77",
    "CD71234",
    "CD1234",
    "EF7777777777777777777777",
    "CUST-0042",
    "CUST-004",
    "ada@corp.org",
    "bob@x.com",
    "Q123",
    "Q12",
    "{\"grade\":",
    "\"A+\"",
    "3.5",
    "{\"pin\": 1234}",
    "{\"q\": \"Q456\"}",
    "{\"rows\":[\"Q111\",{\"skip\":\"Q222 eve@corp.org\"}]}",
    "[1,2,3,4,5]",
    "[[],{},",
    "\"P\\u004e-123456\"",
    "\"",
    ",",
    ":",
    "}",
    "]",
    " ",
    "\n",
    "data: ",
    "a longer stretch of text in which nothing at all is of any interest to anybody, ",
];

const TYPES: [&str; 5] =
    ["application/json", "text/plain", "application/x-ndjson", "text/event-stream", "application/octet-stream"];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

    #[test]
    fn what_leaves_in_flight_is_what_leaves_a_buffer(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..16),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..14),
        content_type in prop::sample::select(&TYPES[..]),
        check in 0..CHECKS.len(),
    ) {
        let body = pieces.concat().into_bytes();
        let chunks = cut(&body, &cuts);
        let [[streamed, buffered], [watching, watched]] = &RULES[check];
        let threshold = CHECKS[check].contains("min_findings");
        let (judgement, written) = buffer(buffered, &head(content_type, None), &body);
        let outcome = stream(streamed, &head(content_type, None), &chunks);
        prop_assert_eq!(outcome.cut, judgement.verdict.blocks());
        prop_assert_eq!(outcome.judgement.verdict, judgement.verdict);
        // Where nothing is blocked, whatever blocks leaves as it is, and the rest as ever.
        let (whole, masked) = buffer(watched, &head(content_type, None), &body);
        let flowing = stream(watching, &head(content_type, None), &chunks);
        prop_assert_eq!(&flowing.left, &masked);
        prop_assert_eq!(flowing.judgement.verdict, whole.verdict);
        if outcome.cut {
            prop_assert!(masked.starts_with(&outcome.left));
        } else {
            prop_assert_eq!(&outcome.left, &written);
            prop_assert_eq!(sorted(&outcome.judgement.counts), sorted(&judgement.counts));
        }
        if !threshold {
            prop_assert_eq!(sorted(&flowing.judgement.counts), sorted(&whole.counts));
        }
    }
}

#[test]
fn a_byte_that_may_still_be_part_of_a_finding_does_not_leave() {
    let streamed = rule("streamed", "block", "block: [part, behind, list, words, both, grades, placed]");
    for (content_type, value) in [
        ("text/plain", "PN-123"),
        ("text/plain", "K1234 is behind a secret"),
        ("text/plain", "ab;cd;ef"),
        ("text/plain", "top secret"),
        ("text/plain", "CD71234567890123456789012345678901234567890"),
        ("application/json", "{\"grade\": \"a rather long remark\"}"),
        ("application/json", "{\"q\": \"Q123\"}"),
    ] {
        let body = format!("before {value} behind");
        let body = if content_type == "text/plain" { body.into_bytes() } else { value.as_bytes().to_vec() };
        let whole = stream(&streamed, &head(content_type, None), &[&body]);
        assert!(whole.cut, "{value}");
        for at in 0..=body.len() {
            let (front, back) = body.split_at(at);
            for chunks in [vec![front, back], body.chunks(1).collect()] {
                let outcome = stream(&streamed, &head(content_type, None), &chunks);
                assert!(outcome.cut, "{value}, cut at {at}");
                let beginning: &[u8] = if content_type == "text/plain" {
                    b"before "
                } else {
                    &body[..body.iter().rposition(|byte| *byte == b':').unwrap() + 3]
                };
                assert!(
                    beginning.starts_with(&outcome.left),
                    "{value}, cut at {at}: {:?} left",
                    String::from_utf8_lossy(&outcome.left)
                );
            }
        }
    }
}

/// What leaves of a body, whole and flowing in every cut in two.
fn left(dlp: &str, content_type: &str, body: &str) -> String {
    let (_, written) = buffer(&rule("buffered", "block", dlp), &head(content_type, None), body.as_bytes());
    let streamed = rule("streamed", "block", dlp);
    for at in 0..=body.len() {
        let (front, back) = body.as_bytes().split_at(at);
        let outcome = stream(&streamed, &head(content_type, None), &[front, back]);
        assert_eq!(outcome.left, written, "{body}, cut at {at}");
    }
    String::from_utf8(written).unwrap()
}

#[test]
fn a_number_in_the_json_of_an_event_becomes_a_string_and_text_of_an_event_stays_text() {
    let dlp = "redact: [credit_card, grades, number]";
    for (body, wanted) in [
        ("data: {\"card\": 4111111111111111, \"n\": 1}\n\n", "data: {\"card\": \"************1111\", \"n\": 1}\n\n"),
        ("data:[4111111111111111]\r\n\r\n", "data:[\"************1111\"]\r\n\r\n"),
        (
            "data: {\"grade\": 3.5}\n\ndata: {\"grade\": null}\n\n",
            "data: {\"grade\": \"[REDACTED:grades]\"}\n\ndata: {\"grade\": null}\n\n",
        ),
        (
            "event: x\ndata: {\ndata: \"a\": 4111111111111111\ndata: }\n\n",
            "event: x\ndata: {\ndata: \"a\": \"************1111\"\ndata: }\n\n",
        ),
        ("data: {\"s\": \"4111111111111111\"}\n\n", "data: {\"s\": \"************1111\"}\n\n"),
        ("data: 4111111111111111\n\n", "data: ************1111\n\n"),
        ("data: 1234567897\n\n", "data: ********97\n\n"),
        (
            "data: pay 4111111111111111 now\n\ndata: [4111111111111111]\n\n",
            "data: pay ************1111 now\n\ndata: [\"************1111\"]\n\n",
        ),
        ("data: {}\nid: 4111111111111111\n\n", "data: {}\nid: ************1111\n\n"),
        (": 4111111111111111\n\n", ": ************1111\n\n"),
        ("id: {\ndata: 4111111111111111\n\n", "id: {\ndata: ************1111\n\n"),
    ] {
        assert_eq!(left(dlp, "text/event-stream", body), wanted);
        if !body.contains('\r') {
            assert_eq!(left(dlp, "text/event-stream; charset=utf-8", &body.replace('\n', "\r\n")), wanted.replace('\n', "\r\n"));
        }
    }
}

#[test]
fn what_is_held_is_bounded_by_the_longest_match_whatever_the_body() {
    let streamed = rule("streamed", "block", MASK);
    for unit in ["a;", "a", "K1234 ", "CD7", "7", "PN-", "[", "\"", "top ", "CUST-", "{\"grade\":", "a@"] {
        let body = unit.repeat(400_000 / unit.len());
        for content_type in TYPES {
            let chunks: Vec<&[u8]> = body.as_bytes().chunks(1000).collect();
            let held = stream(&streamed, &head(content_type, None), &chunks).most_held;
            assert!(held <= 4096 * 4, "{held} bytes held of {unit:?} as {content_type}");
        }
    }
}

#[test]
fn the_finding_that_reaches_a_threshold_cuts_and_those_before_it_have_left_masked() {
    let streamed = rule("streamed", "block", "block: [part], redact: [part], min_findings: 3");
    let lines: [&[u8]; 4] = [b"one PN-111 here\n", b"two PN-222 here\n", b"three PN-333 here\n", b"more\n"];
    let outcome = stream(&streamed, &head("text/plain", None), &lines);
    assert_eq!(String::from_utf8_lossy(&outcome.left), "one [REDACTED:part] here\ntwo [REDACTED:part] here\n");
    assert!(outcome.cut && outcome.judgement.verdict.blocks());
    // In one piece they are cut together, and none leaves.
    let outcome = stream(&streamed, &head("text/plain", None), &[&lines.concat()]);
    assert!(outcome.cut && outcome.left.is_empty());
    let outcome = stream(&streamed, &head("text/plain", None), &lines[..2]);
    assert!(!outcome.cut);
}
