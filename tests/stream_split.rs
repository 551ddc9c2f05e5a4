//! What leaves a body that flows is what a buffered one would have become, however it is cut.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "support/flowing.rs"]
mod flowing;
mod reference;

use std::io::Write;
use std::sync::{Arc, LazyLock};

use bodyguard::act::{Direction, Flowing, Plan, Verdict, plan};
use bodyguard::body::{Coding, decode};
use bodyguard::detect::{KINDS, Kind, LOOK_AHEAD};
use bodyguard::policy::{Policy, RequestHead, Resolution, Rule};
use flowing::{buffer, cut, head, sorted, stream};
use proptest::prelude::*;

/// The rule of a policy whose only route has `body_mode` and this dlp check, in both directions.
fn rule(body_mode: &str, mode: &str, dlp: &str) -> Arc<Rule> {
    let text = format!(
        r#"{{"domains": [{{"hosts": ["*"], "policy": {{"mode": "{mode}", "response_body_mode": "{body_mode}",
            "request_body_mode": "{body_mode}", "inspect_response_body": true, "inspect_request_body": true,
            "max_response_body_bytes": 10000000, "max_request_body_bytes": 10000000,
            "checks": {{"body": {{"dlp": {{"direction": "both", {dlp}}}}}}}}}}}]}}"#
    );
    let policy = Policy::from_plugin_configuration(text.as_bytes()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let head = RequestHead { authority: b"h", path: b"/", method: b"GET", headers: &[], ..RequestHead::default() };
    match policy.resolve(&head) {
        Resolution::Rule(rule) => rule,
        Resolution::Pass(reason) => panic!("{reason}"),
    }
}

const MASK_ALL: &str = r#""redact": ["credit_card", "ssn", "email", "jwt", "private_key", "aws_access_key", "google_api_key", "slack_token", "github_token"]"#;
const MASK_SAME: &str = r#""redact": ["credit_card", "ssn", "email", "jwt", "private_key"], "mask": "same_length""#;
const MASK_MIXED: &str =
    r#""redact": ["credit_card", "ssn", "email", "jwt"], "mask": {"credit_card": "same_length", "email": "label"}"#;
const BLOCK: &str = r#""block": ["private_key", "aws_access_key", "jwt"], "redact": ["credit_card", "email"]"#;
const DLPS: [&str; 4] = [MASK_ALL, MASK_SAME, MASK_MIXED, BLOCK];

/// Every body of the corpora, findings and near misses alike, and what makes JSON of them.
static PIECES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut pieces: Vec<Vec<u8>> = Kind::all().flat_map(reference::corpus::rows).map(|row| row.body).collect();
    pieces.retain(|piece| piece.len() < 3000);
    for text in [
        "{\"n\": 4111111111111111, ",
        "[1,-4111111111111111,2]",
        "4111111111111111",
        "true4111111111111111",
        "\"",
        "\\\"",
        "\n",
        "@",
        "-----",
        "-----BEGIN PRIVATE KEY-----\n",
        " ",
        "{",
        "}",
        ":",
        ",",
        "e",
        "12345678.25e+9",
        "eyJ",
        "ghp_",
        "a@b.co",
        "536-90-4399",
        "\r\n\r\n",
    ] {
        pieces.push(text.as_bytes().to_vec());
    }
    pieces.push(vec![b'7'; 300]);
    pieces
});

fn body() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => any::<prop::sample::Index>().prop_map(|index| index.get(&PIECES).clone()),
        1 => prop::collection::vec(any::<u8>(), 0..30),
        2 => "[a-z0-9 ,:\"{}]{0,40}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(1));
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn encoded(coding: Option<&str>, body: &[u8]) -> Vec<u8> {
    match coding {
        Some("gzip") => gzip(body),
        Some("br") => {
            let mut out = Vec::new();
            brotli::CompressorWriter::new(&mut out, 4096, 3, 18).write_all(body).unwrap();
            out
        }
        Some("zstd") => zstd::encode_all(body, 1).unwrap(),
        Some(_) => Coding::Deflate.encode(body, 1),
        None => body.to_vec(),
    }
}

const CODINGS: [Option<&str>; 6] = [None, None, Some("gzip"), Some("deflate"), Some("br"), Some("zstd")];

const TYPES: [&str; 6] =
    ["application/json", "text/plain", "", "application/octet-stream", "application/x-ndjson", "multipart/x-mixed-replace"];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    /// The law: for every body, cut, coding, media type and policy.
    #[test]
    fn what_leaves_in_flight_is_what_leaves_a_buffer(
        body in body(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        content_type in prop::sample::select(&TYPES[..]),
        dlp in prop::sample::select(&DLPS[..]),
        mode in prop::sample::select(&["block", "shadow"][..]),
        coding in prop::sample::select(&CODINGS[..]),
    ) {
        let (streamed, buffered) = (rule("streamed", mode, dlp), rule("buffered", mode, dlp));
        let (judgement, written) = buffer(&buffered, &head(content_type, None), &body);
        let raw = encoded(coding, &body);
        let outcome = stream(&streamed, &head(content_type, coding), &cut(&raw, &cuts));
        prop_assert_eq!(outcome.cut, judgement.verdict.blocks());
        prop_assert_eq!(outcome.judgement.verdict, judgement.verdict);
        prop_assert_eq!(outcome.judgement.code.is_some(), judgement.code.is_some());
        if outcome.cut {
            // What left is the beginning of a clean or masked body, and nothing of what blocked.
            let watching = rule("streamed", "shadow", dlp);
            let whole = stream(&watching, &head(content_type, None), &[&body]);
            prop_assert!(whole.left.starts_with(&outcome.left));
            let first = bodyguard::scan::scan(buffered.response.as_ref().unwrap().block, &body)[0].start as usize;
            let value = &body[first..body.len().min(first + 20)];
            let holds = |bytes: &[u8]| bytes.windows(value.len()).any(|window| window == value);
            prop_assert!(holds(&body[..first]) || !holds(&outcome.left));
        } else {
            prop_assert_eq!(&outcome.left, &written);
            prop_assert_eq!(sorted(&outcome.judgement.counts), sorted(&judgement.counts));
            if dlp == MASK_SAME {
                prop_assert_eq!(outcome.left.len(), body.len());
            }
        }
    }

    /// A buffered body under a coding decodes to the same.
    #[test]
    fn an_encoded_body_is_masked_as_a_plain_one(body in body(), dlp in prop::sample::select(&DLPS[..3])) {
        let buffered = rule("buffered", "block", dlp);
        let (_, plain) = buffer(&buffered, &head("application/json", None), &body);
        let (_, written) = buffer(&buffered, &head("application/json", Some("gzip")), &gzip(&body));
        prop_assert_eq!(decode(Coding::Gzip, &written, u64::MAX).unwrap(), plain);
    }
}

#[test]
fn every_single_cut_of_every_row_of_the_corpora_gives_the_same_bytes() {
    let (streamed, buffered) = (rule("streamed", "block", MASK_ALL), rule("buffered", "block", MASK_ALL));
    for content_type in ["text/plain", "application/json"] {
        let head = head(content_type, None);
        for row in Kind::all().flat_map(reference::corpus::rows).filter(|row| row.body.len() < 700) {
            let body = [b"{\"a\": ", row.body.as_slice(), b" }"].concat();
            let (_, written) = buffer(&buffered, &head, &body);
            for at in 0..=body.len() {
                let outcome = stream(&streamed, &head, &[&body[..at], &body[at..]]);
                assert!(outcome.left == written, "{}, cut at {at}", row.name);
            }
            let bytes: Vec<&[u8]> = body.chunks(1).collect();
            assert!(stream(&streamed, &head, &bytes).left == written, "{}, byte by byte", row.name);
        }
    }
}

/// The most that may be held for `kind`: its longest match and what its validator reads behind it.
fn bound(kind: Kind) -> usize {
    kind.spec().max_len + LOOK_AHEAD
}

#[test]
fn what_is_held_is_bounded_by_the_longest_finding_whatever_the_body() {
    let longest = KINDS.iter().map(|spec| spec.max_len).max().unwrap() + LOOK_AHEAD;
    let hostile: [(&[u8], usize); 8] = [
        (b"a", bound(Kind::EMAIL)),
        (b"a@", bound(Kind::EMAIL)),
        (b"a.", bound(Kind::EMAIL)),
        (b"7", bound(Kind::EMAIL)),
        (b"eyJhbGciOiJIUzI1NiJ9.", bound(Kind::JWT)),
        (b"-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n", longest),
        (b"-----BEGIN", longest),
        (b"ghp_abcdefgh", bound(Kind::GITHUB_TOKEN)),
    ];
    for (unit, bound) in hostile {
        let body = unit.repeat(300_000 / unit.len());
        let chunks: Vec<&[u8]> = body.chunks(1000).collect();
        let outcome = stream(&rule("streamed", "block", MASK_ALL), &head("text/plain", None), &chunks);
        assert!(outcome.most_held <= bound + 1000, "{} bytes held of {:?}", outcome.most_held, String::from_utf8_lossy(unit));
    }
}

#[test]
fn nothing_of_clean_text_is_held_at_the_end_of_a_line() {
    let streamed = rule("streamed", "block", MASK_ALL);
    let lines: [&[u8]; 8] = [
        b"data: {\"choices\":[{\"delta\":{\"content\":\" the mail of 4111\"}}]}\n\n",
        b"data: see ada@exam\n",
        b"event: ping\ndata: 12345678901234\n\n",
        b"{\"id\": 1234567890123, \"ok\": tru\n",
        b"data: eyJ xoxb- AKIA ghp_ -----BEGI\n\n",
        b": 123-45\n",
        b"data: {\"created\":1732226400000}\n\n",
        b"data: [1732226400000, 1732226400000]\n\n",
    ];
    for line in lines {
        for content_type in ["text/event-stream", "application/x-ndjson", "text/plain"] {
            let Plan::Stream(mut streamer) = plan(&streamed, Direction::Response, &head(content_type, None)) else { panic!() };
            for _ in 0..3 {
                assert_eq!(streamer.feed(line).unwrap(), Flowing::AsItCame, "{}", String::from_utf8_lossy(line));
                assert_eq!(streamer.held_bytes(), 0);
            }
        }
    }
}

#[test]
fn talk_about_a_private_key_does_not_hold_the_events_behind_it() {
    let streamed = rule("streamed", "block", r#""block": ["private_key"]"#);
    let Plan::Stream(mut streamer) = plan(&streamed, Direction::Response, &head("text/event-stream", None)) else { panic!() };
    let begin: &[u8] = b"data: it begins with -----BEGIN PRIVATE KEY-----\n\n";
    let Flowing::Instead(left) = streamer.feed(begin).unwrap() else { panic!() };
    assert_eq!(left, b"data: it begins with ");
    let event: &[u8] = b"data: and then comes the rest\n\n";
    assert_eq!(streamer.feed(event).unwrap(), Flowing::Instead([&begin[left.len()..], event].concat()));
    for _ in 0..3 {
        assert_eq!(streamer.feed(event).unwrap(), Flowing::AsItCame);
    }
    // In JSON, the quote ends it.
    assert_eq!(streamer.feed(b"data: {\"t\":\"-----BEGIN PRIVATE KEY-----\"}\n\n").unwrap(), Flowing::AsItCame);
}

#[test]
fn a_word_that_may_become_an_address_is_all_that_a_chunk_leaves_behind() {
    let Plan::Stream(mut streamer) = plan(&rule("streamed", "block", MASK_ALL), Direction::Response, &head("text/plain", None))
    else {
        panic!()
    };
    assert_eq!(streamer.feed(b"write to ada").unwrap(), Flowing::Instead(b"write to ".to_vec()));
    assert_eq!(streamer.feed(b" lovelace\n").unwrap(), Flowing::Instead(b"ada lovelace\n".to_vec()));
}

#[test]
fn a_block_match_cuts_before_its_first_byte_and_ends_everything() {
    let key = format!("AKIA{}", "IOSFODNN7EXAMPLE");
    let Plan::Stream(mut streamer) = plan(&rule("streamed", "block", BLOCK), Direction::Response, &head("text/plain", None))
    else {
        panic!()
    };
    assert_eq!(streamer.feed(b"a line\n").unwrap(), Flowing::AsItCame);
    assert_eq!(streamer.feed(&key.as_bytes()[..10]).unwrap(), Flowing::Instead(Vec::new()));
    assert_eq!(streamer.feed(&key.as_bytes()[10..]).unwrap(), Flowing::Instead(Vec::new()));
    assert_eq!(streamer.feed(b"\nmore").unwrap(), Flowing::Cut);
    let judgement = streamer.judgement();
    assert_eq!((judgement.verdict, judgement.status), (Verdict::Blocked, 403));
    assert_eq!(streamer.take_counts().len(), 1);
}

#[test]
fn a_corrupt_stream_is_cut_in_every_mode_and_lets_nothing_unread_out() {
    let raw = gzip(b"some lines of text, and more of them\n".repeat(100).as_slice());
    for mode in ["block", "shadow"] {
        let streamed = rule("streamed", mode, MASK_ALL);
        for broken in [&raw[..raw.len() - 9], &[&raw[..40], b"\xff\xff\xff\xff\xff\xff\xff\xff"].concat(), b"no gzip"] {
            let outcome = stream(&streamed, &head("text/plain", Some("gzip")), &[broken]);
            assert!(outcome.cut && outcome.judgement.verdict.blocks(), "{mode}");
        }
        let empty = stream(&streamed, &head("text/plain", Some("gzip")), &[]);
        assert!(!empty.cut && empty.left.is_empty());
    }
}
