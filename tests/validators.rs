//! Properties of the table and its validators: recall in everyday surroundings, checksums, no panic, linear work.
#![allow(clippy::arithmetic_side_effects, clippy::panic, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod reference;

use bodyguard::detect::{Candidate, Kind, KindSet, LOOK_AHEAD, LOOK_BEHIND, START_BYTES};
use proptest::prelude::*;
use reference::corpus;

/// What people write before and behind a value, in the formats that travel in bodies.
const SURROUNDINGS: [(&str, &str); 45] = [
    ("", ""),
    (" ", " "),
    ("\n", "\n"),
    ("\r\n", "\r\n"),
    ("\t", "\t"),
    ("{\"key\":\"", "\"}"),
    ("{\"key\": \"", "\",\"x\":1}"),
    ("[\"", "\"]"),
    ("\"first\\n", "\\nlast\""),
    ("\"first\\r\\n", "\\r\\nlast\""),
    ("\"first\\t", "\\tlast\""),
    ("\"{\\\"key\\\":\\\"", "\\\"}\""),
    ("\"first\\\\n", "\\\\nlast\""),
    ("\"\\u0022", "\\u0022\""),
    ("\"\\u003e", "\\u003c\""),
    ("<key>", "</key>"),
    ("<td class=\"x\">", "</td>"),
    ("<a title='", "'>"),
    ("<input value=\"", "\">"),
    ("<![CDATA[", "]]>"),
    ("&quot;", "&quot;"),
    ("&lt;", "&gt;"),
    ("&#10;", "&#10;"),
    ("key=", "&other=1"),
    ("a=1&key=", "&b=2"),
    ("key%3D", "%26other"),
    ("%22", "%22"),
    ("%0A", "%0A"),
    ("key: ", "\nother: x"),
    ("key: '", "'\n"),
    ("key: \"", "\"\n"),
    ("  - ", "\n  - x"),
    ("KEY=", "\nOTHER=1"),
    ("export KEY='", "'"),
    ("1,2,", ",3\n"),
    ("a;", ";b"),
    ("|", "|"),
    ("(", ")"),
    ("It is ", ". Then"),
    ("Is it ", "?"),
    ("`", "`"),
    ("2026-11-21T21:00:00Z INFO got ", " from 10.0.0.1"),
    ("\u{1b}[32m", "\u{1b}[0m"),
    ("2026-11-21 INFO \u{1b}[1;31m", "\u{1b}[0m"),
    ("值", "值"),
];

/// What leads to a value of a kind, where there must be something.
fn lead(kind: Kind) -> &'static str {
    match (kind.name(), kind.spec().near) {
        ("aws_secret_key", _) => "secret_key=",
        ("azure_storage_key", _) => "AccountKey=",
        ("bearer_token", _) => "Bearer ",
        (_, Some(near)) => near.words().next().unwrap(),
        (_, None) => "",
    }
}

/// Values of a kind as they are issued; of those behind the first ten, the values of its corpus.
fn value(kind: Kind) -> BoxedStrategy<String> {
    match kind.name() {
        "credit_card" => card().boxed(),
        "ssn" => (1u32..900, 1u32..100, 1u32..10_000)
            .prop_filter("an area that exists", |(area, ..)| *area != 666)
            .prop_map(|(area, group, serial)| format!("{area:03}-{group:02}-{serial:04}"))
            .boxed(),
        "email" => "[a-z][a-z0-9_]{0,9}([.+-][a-z0-9]{1,8}){0,2}@[a-z]([a-z0-9]{1,9}-)?[a-z0-9]{1,9}(\\.[a-z]{3,8}){0,1}\\.(com|org|de|io|co\\.uk)"
            .boxed(),
        "jwt" => ("[A-Za-z0-9_-]{8,200}", "[A-Za-z0-9_-]{22,90}")
            .prop_map(|(payload, signature)| format!("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.{payload}.{signature}"))
            .boxed(),
        "aws_access_key" => "(AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}".boxed(),
        "private_key" => ("(RSA |EC |OPENSSH |ENCRYPTED |)", "([A-Za-z0-9+/]{64}\n){2,20}[A-Za-z0-9+/]{4,60}={0,2}\n")
            .prop_map(|(sort, body)| format!("-----BEGIN {sort}PRIVATE KEY-----\n{body}-----END {sort}PRIVATE KEY-----"))
            .boxed(),
        "google_api_key" => "AIza[A-Za-z0-9_-]{35}".boxed(),
        "slack_token" => "(xoxb-[0-9]{10,13}-[0-9]{10,13}-[A-Za-z0-9]{24}|xoxp(-[0-9]{10,13}){3}-[a-f0-9]{32}|xapp-1-A[A-Z0-9]{10}-[0-9]{13}-[a-f0-9]{64}|xoxe\\.xoxp-1-[A-Za-z0-9]{164}|xoxe-1-[A-Za-z0-9]{146})".boxed(),
        "github_token" => "(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}|ghs_[1-9][0-9]{0,7}_eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9\\.[A-Za-z0-9_-]{100,300}\\.[A-Za-z0-9_-]{86})".boxed(),
        "stripe_key" => "(sk|rk)_(live|test)_([A-Za-z0-9]{24}|[A-Za-z0-9]{99})".boxed(),
        _ => {
            let rows = corpus::rows(kind).into_iter().filter(|row| !row.body.iter().any(|byte| matches!(byte, b'%' | b'&' | b'\\')));
            let values: Vec<String> = rows
                .flat_map(|row| {
                    let value = |finding: &bodyguard::scan::Finding| {
                        let (start, end) = (usize::try_from(finding.start).unwrap(), usize::try_from(finding.end).unwrap());
                        String::from_utf8(row.body[start..end].to_vec()).unwrap()
                    };
                    row.wanted.iter().map(value).collect::<Vec<_>>()
                })
                .collect();
            prop::sample::select(values).boxed()
        }
    }
}

/// A number that passes Luhn, bare or in fours.
fn card() -> impl Strategy<Value = String> {
    let body = prop_oneof![
        "4[0-9]{14}",
        "5[1-5][0-9]{13}",
        "2[3-6][0-9]{13}",
        "3[47][0-9]{12}",
        "36[0-9]{11}",
        "6011[0-9]{11}",
        "3530[0-9]{11}",
        "62[0-9]{13}",
        "62[0-9]{16}",
        "220[0-4][0-9]{11}",
    ];
    (body, prop_oneof![Just(""), Just(" "), Just("-"), Just("+")]).prop_map(|(body, separator)| {
        let number = with_check_digit(&body);
        let groups: &[usize] = match number.len() {
            14 => &[4, 6, 4],
            15 => &[4, 6, 5],
            _ => &[4, 4, 4, 4, 3],
        };
        let mut rest = number.as_str();
        let mut parts = Vec::new();
        for length in groups {
            let (part, tail) = rest.split_at(rest.len().min(*length));
            parts.push(part);
            rest = tail;
        }
        parts.retain(|part| !part.is_empty());
        parts.join(separator)
    })
}

fn with_check_digit(body: &str) -> String {
    ('0'..='9').map(|digit| format!("{body}{digit}")).find(|number| luhn::valid(number)).unwrap()
}

fn spans(kind: Kind, body: &[u8]) -> Vec<(usize, usize)> {
    let findings = reference::scan(KindSet::from_iter([kind]), body);
    findings.iter().map(|finding| (usize::try_from(finding.start).unwrap(), usize::try_from(finding.end).unwrap())).collect()
}

fn any_kind() -> impl Strategy<Value = Kind> {
    (0..Kind::all().count()).prop_map(|index| Kind::all().nth(index).unwrap())
}

/// Pieces of values and of what stands between them, so that random bodies come near to findings.
fn fragments() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "a",
        "Z",
        "0",
        "4111",
        "1111 1111",
        "-",
        "+",
        ".",
        "_",
        "'",
        "\"",
        "\\",
        "\\n",
        "\\u0040",
        "\\u000a",
        "%",
        "%40",
        "%2B",
        "%3D",
        "@",
        "@@",
        "example.com",
        ".com",
        "&#64;",
        "eyJ",
        "eyJhbGciOiJIUzI1NiJ9",
        "ewo",
        "AKIA",
        "IOSFODNN7EXAMPLE",
        "-----BEGIN ",
        "PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "RSA ",
        "\n",
        "MIIEpAIBAAKCAQEA0123456789abcdef",
        "AIza",
        "xoxb-",
        "123456789012-",
        "ghp_",
        "ghs_1_",
        "sk_live_",
        "abcdefghijklmnopqrstuvwx",
        "123-45-6789",
        "routing 111000025",
        "+1415555",
        "(415) 555-",
        "GB29 NWBK 6016",
        "AB 12 34 56",
        "$2b$12$",
        "Bearer ",
        "https://u:",
        "://",
        "git",
        "\u{1b}[1m",
        "\u{ff}",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_value_is_found_whole_in_everyday_surroundings((kind, value) in any_kind().prop_flat_map(|kind| (Just(kind), value(kind))), around in prop::sample::select(&SURROUNDINGS[..])) {
        // A word stands before the surroundings; a name that must stand directly before the value, behind them.
        let (word, name) = if kind.spec().near.is_some() { (lead(kind), "") } else { ("", lead(kind)) };
        prop_assume!(kind.spec().near.is_none_or(|near| around.0.len() + 2 <= near.within()));
        let body = format!("{word}: {}{name}{value}{}", around.0, around.1);
        let start = word.len() + 2 + around.0.len() + name.len();
        let mut found = spans(kind, body.as_bytes());
        // The surroundings have dates of their own.
        found.retain(|(from, _)| kind.name() != "date_of_birth" || *from >= start);
        prop_assert_eq!(found, [(start, start + value.len())], "{} in {:?}", kind.name(), around);
    }

    #[test]
    fn a_card_with_one_digit_changed_is_none(number in card(), at in 0usize..19, by in 1u8..10) {
        let mut bytes = number.into_bytes();
        let digits: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at].is_ascii_digit()).collect();
        let at = digits[at % digits.len()];
        bytes[at] = b'0' + (bytes[at] - b'0' + by) % 10;
        let whole = bytes.len();
        prop_assert!(!spans(Kind::CREDIT_CARD, &bytes).contains(&(0, whole)));
    }

    #[test]
    fn validators_take_any_bytes_and_answer_within_the_match(kind in any_kind(), before in prop::collection::vec(any::<u8>(), 0..LOOK_BEHIND), value in prop_oneof![fragments(), prop::collection::vec(any::<u8>(), 0..200)], after in prop::collection::vec(any::<u8>(), 0..LOOK_AHEAD)) {
        let range = kind.spec().judge(&Candidate { before: &before, value: &value, after: &after });
        prop_assert!(range.is_none_or(|range| range.start < range.end && range.end <= value.len()));
        (kind.spec().may_start)(&before, &value);
    }

    #[test]
    fn findings_of_random_bodies_are_apart_and_no_start_is_refused(kind in any_kind(), body in fragments()) {
        let mut last = 0;
        for (start, end) in spans(kind, &body) {
            prop_assert!(last <= start && start < end && end - start <= kind.spec().max_len);
            last = end;
            let here = &body[start..body.len().min(start + START_BYTES)];
            // The finding of a kind with a name before it starts behind its match.
            let led = matches!(kind.name(), "aws_secret_key" | "azure_storage_key" | "bearer_token");
            prop_assert!(led || (kind.spec().may_start)(&body[start.saturating_sub(LOOK_BEHIND)..start], here));
        }
    }

    #[test]
    fn mutated_rows_of_the_corpora_are_scanned_without_a_panic(row in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>(), how in 0u8..3) {
        let rows = ROWS.with(|rows| rows.len());
        let (kind, mut body) = ROWS.with(|all| all[row.index(rows)].clone());
        if !body.is_empty() && body.len() < 2000 {
            let at = at.index(body.len());
            match how {
                0 => body[at] = byte,
                1 => body.insert(at, byte),
                _ => body.truncate(at),
            }
            spans(kind, &body);
        }
    }
}

thread_local! {
    static ROWS: Vec<(Kind, Vec<u8>)> =
        Kind::all().flat_map(|kind| corpus::rows(kind).into_iter().map(move |row| (kind, row.body))).collect();
}

/// Bodies made to cost as much as they can.
const HOSTILE: [&str; 58] = [
    "+",
    "+1",
    "+1 ",
    "1.",
    "1:",
    "2a00:",
    "2a00",
    "A",
    "AB12",
    "AB12 ",
    "GB29 ",
    "GB29NWBK",
    "X1",
    "(",
    "(415) ",
    "19",
    "1980-",
    "sk-",
    "-sk-",
    "Bearer ",
    "https://a:",
    "$6$",
    "0",
    "4",
    "4111 ",
    "4111-",
    "1 1 ",
    "123-45-",
    "123-",
    "@",
    "a@",
    "a@b.",
    "a.",
    "a'",
    "'a",
    "a'a",
    "+a",
    "%2Ba",
    "a%2B",
    "a@a.a",
    "_",
    "eyJ",
    "eyJ.",
    ".eyJhbGciOiJ",
    "eyJhbGciOiJIUzI1NiJ9.",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN A-A ",
    "----A",
    "AKIA",
    "AIza",
    "-AIza",
    "xoxb-",
    "xoxb-1-",
    "ghp_",
    "ghs_1_eyJ",
    "_ghs_1_eyJa.a.",
    "sk_live_",
];

#[test]
fn the_work_per_byte_is_bounded_on_hostile_bodies() {
    let mut worst = Vec::new();
    for kind in Kind::all() {
        for piece in HOSTILE {
            let body = piece.repeat(64 * 1024 / piece.len());
            let steps = steps(kind, body.as_bytes());
            if steps > 8 * body.len() {
                worst.push(format!("{} on {piece:?}: {} steps a byte", kind.name(), steps / body.len()));
            }
        }
    }
    assert!(worst.is_empty(), "{}", worst.join("\n"));
}

/// Bytes that the patterns walk over, at the positions where a value may start and where the anchor of the kind can be.
fn steps(kind: Kind, body: &[u8]) -> usize {
    let spec = kind.spec();
    let mut steps = 0;
    for start in 0..body.len() {
        let here = &body[start..body.len().min(start + START_BYTES)];
        if (spec.may_start)(&body[start.saturating_sub(LOOK_BEHIND)..start], here) {
            steps += reference::walked(kind, body, start);
        }
    }
    steps
}
