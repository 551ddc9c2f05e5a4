//! What each policy in policies/ does to a body, through the command line tool: what a reader of its comments would expect.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::process::{Command, Stdio};

const PERSON: &str = "card 4111 1111 1111 1111 of ada@example.com";
const KEY: &str = "key AKIAIOSFODNN7EXAMPLE.";
const CLEAN: &str = "nothing to see here";

/// Policy, body, what is forwarded (`None`: nothing), verdict.
const ROWS: [(&str, &str, Option<&str>, &str); 22] = [
    ("observe-only", PERSON, Some(PERSON), "would_block"),
    ("observe-only", KEY, Some(KEY), "would_block"),
    ("observe-only", CLEAN, Some(CLEAN), "clean"),
    ("pci", PERSON, Some("card **** **** **** 1111 of ada@example.com"), "redacted"),
    ("pci", KEY, Some(KEY), "clean"),
    ("pci", CLEAN, Some(CLEAN), "clean"),
    ("secrets-out", PERSON, Some(PERSON), "clean"),
    ("secrets-out", KEY, None, "blocked"),
    ("secrets-out", CLEAN, Some(CLEAN), "clean"),
    ("pii-redact", PERSON, Some("card **** **** **** 1111 of [REDACTED:email]"), "redacted"),
    ("pii-redact", KEY, Some(KEY), "clean"),
    ("pii-redact", CLEAN, Some(CLEAN), "clean"),
    ("own-data", PERSON, Some(PERSON), "clean"),
    (
        "own-data",
        "MRN12345678 MRN00000000 of bob@corp.example.org",
        Some("*********78 MRN00000000 of [REDACTED:email]"),
        "redacted",
    ),
    ("own-data", "MRN10000001 MRN10000002 MRN10000003 MRN10000004 MRN10000005", None, "blocked"),
    ("own-data", "Account no. 1234567897, 1234567890", Some("Account no. [REDACTED:account], 1234567890"), "redacted"),
    ("own-data", "order 1234567897", Some("order 1234567897"), "clean"),
    (
        "own-data",
        "a Password_Hash, CUST-AB12CD",
        Some("a [REDACTED:secret_words], [REDACTED:customer:5da698fc1ee76ca1]"),
        "redacted",
    ),
    ("own-data", CLEAN, Some(CLEAN), "clean"),
    ("full-example", PERSON, None, "blocked"),
    ("full-example", KEY, None, "blocked"),
    ("full-example", CLEAN, Some(CLEAN), "clean"),
];

#[test]
fn every_shipped_policy_does_to_a_body_what_it_says() {
    for (policy, body, forwarded, verdict) in ROWS {
        let file = format!("{}/policies/{policy}.yaml", env!("CARGO_MANIFEST_DIR"));
        let mut tool = Command::new(env!("CARGO_BIN_EXE_bodyguard"))
            .args(["redact", "--policy", &file, "--host", "any.example.org", "--content-type", "text/plain", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        tool.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
        let output = tool.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(if forwarded.is_some() { 0 } else { 3 }), "{policy}: {body}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), forwarded.unwrap_or_default(), "{policy}: {body}");
        let told: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(told["verdict"], verdict, "{policy}: {body}");
    }
}
