//! Bodies that flow, driven by a scripted Envoy in both worlds: cuts, trailers, ranges, upgrades.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]

mod support;

use bodyguard::act::Direction;
use bodyguard::filter::flow::PATIENCE_BYTES;
use proptest::prelude::*;
use support::{End, Envoy, HeaderList, Message, Outcome, get, post, response};

fn policy(flag: bool, extra: &str) -> String {
    format!(
        r#"{{"metadata": {{"name": "api-dlp"}}, "spec": {{
            "allow_on_headers_stop_iteration": {flag}, "max_inflight_body_bytes": 100000,
            "defaults": {{"inspect_request_body": true, "inspect_response_body": true, "max_response_body_bytes": 2000,
                "response_body_mode": "streamed", "request_body_mode": "streamed"{extra},
                "checks": {{"body": {{"dlp": {{"direction": "both", "block": ["aws_access_key"], "redact": ["email", "credit_card"]}}}}}}}},
            "domains": [{{"hosts": ["*"]}}]}}}}"#
    )
}

fn envoy(flag: bool) -> Envoy {
    Envoy::new(&policy(flag, ""), flag)
}

fn header<'a>(list: Option<&'a HeaderList>, name: &str) -> Option<&'a [u8]> {
    list?.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_slice())
}

fn answered(outcome: &Outcome, name: &str) -> Option<Vec<u8>> {
    header(outcome.client.headers.as_ref(), name).map(<[u8]>::to_vec)
}

const LINE: &[u8] = b"nothing to see here\n";
const MAIL: &[u8] = b"write to ada@example.com\n";
const MASKED: &[u8] = b"write to [REDACTED:email]\n";
const KEY: &[u8] = b"key AKIAIOSFODNN7EXAMPLE\n";
const ENDS: [End; 3] = [End::OnLastChunk, End::OnEmptyChunk, End::ByTrailers];

#[test]
fn a_long_body_flows_past_every_cap() {
    let chunk = LINE.repeat(5000);
    let chunks = [chunk.as_slice(), &chunk, MAIL, &chunk];
    for flag in [true, false] {
        for end in ENDS {
            let mut envoy = envoy(flag);
            let outcome = envoy.exchange(&post(&chunks, end, &[]), &response(&chunks, end, &[]));
            let expected = [&chunk, &chunk, MASKED, &chunk].concat();
            assert!(outcome.upstream.body == expected && outcome.client.body == expected, "{flag} {end:?}");
            assert!(outcome.client.whole);
            assert_eq!(envoy.script.metric(&["verdict=.=redacted"]), 2);
            assert_eq!(envoy.script.metric(&["bodyguard_inflight_body_bytes"]), 0);
        }
    }
}

#[test]
fn a_block_is_a_reply_before_anything_is_sent_and_a_cut_after_that() {
    for (flag, first) in [(true, true), (true, false), (false, true), (false, false)] {
        let chunks: &[&[u8]] = if first { &[KEY, LINE] } else { &[LINE, KEY, LINE] };
        let mut envoy = envoy(flag);
        let outcome = envoy.exchange(&get(), &response(chunks, End::OnLastChunk, &[]));
        assert_eq!(outcome.reply.as_ref().map(|reply| reply.status), (flag && first).then_some(403));
        assert_eq!(outcome.reset, !(flag && first));
        assert_eq!(outcome.client.body, if first { b"".as_slice() } else { LINE });
        assert_eq!(envoy.script.metric(&["bodyguard_messages_total", "verdict=.=blocked"]), 1);
        assert_eq!(envoy.script.metric(&["kind=.=aws_access_key", "action=.=block"]), 1);

        let outcome = envoy.exchange(&post(chunks, End::OnLastChunk, &[]), &Message::default());
        assert_eq!(outcome.reply.map(|reply| reply.status), Some(403));
        assert!(!String::from_utf8_lossy(&outcome.upstream.body).contains("AKIA"));
    }
}

#[test]
fn what_is_held_when_announced_trailers_come_is_given_back() {
    for flag in [true, false] {
        for chunks in [
            &[b"write to ".as_slice(), b"ada@example.com"][..],
            &[b"write to ada@exa", b"mple.com"],
            &[b"write to ada@example.com"],
        ] {
            for announced in [true, false] {
                let extra: &[(&str, &str)] = if announced { &[("trailer", "x")] } else { &[] };
                let mut envoy = envoy(flag);
                let outcome = envoy.exchange(&get(), &response(chunks, End::ByTrailers, extra));
                if outcome.reset || outcome.reply.is_some() {
                    assert!(!announced, "{flag} {chunks:?}");
                    assert_eq!(envoy.script.metric(&["bodyguard_errors_total", "trailers"]), 1);
                } else {
                    assert!(outcome.client.whole);
                    assert_eq!(outcome.client.body, b"write to [REDACTED:email]", "{flag} {announced} {chunks:?}");
                }
            }
        }
    }
}

#[test]
fn behind_a_pause_nothing_is_written_that_envoys_buffer_might_not_hold() {
    let many = b" a@b.co\n".repeat(10_000);
    let expected = [&b"word"[..], &b" [REDACTED:email]\n".repeat(10_000)].concat();
    for end in [End::OnEmptyChunk, End::OnLastChunk] {
        let mut envoy = envoy(false);
        envoy.limit = many.len();
        // The scripted Envoy refuses a buffered body that outgrows its buffer, as the real one crashes.
        let outcome = envoy.exchange(&get(), &response(&[b"word", &many], end, &[("trailer", "x")]));
        if end == End::OnEmptyChunk {
            assert_eq!((outcome.client.body.len(), outcome.reset), (expected.len(), false));
            assert!(outcome.client.body == expected);
        } else {
            assert!(outcome.reset && expected.starts_with(&outcome.client.body));
        }
    }
}

#[test]
fn lines_leave_at_once_though_trailers_are_announced() {
    let mut envoy = envoy(false);
    let mut exchange = envoy.begin();
    exchange.send(Direction::Request, &get());
    // No end comes: what has left by then is all that counts.
    let mut message = response(&[MAIL, LINE], End::ByTrailers, &[("trailer", "x")]);
    message.end = End::OnLastChunk;
    exchange.send(Direction::Response, &message);
    assert_eq!(exchange.outcome.client.body, [MASKED, LINE].concat());
    let words: Vec<&[u8]> = std::iter::repeat_n(&b"some words and"[..], 2 * PATIENCE_BYTES / 14).collect();
    let outcome = envoy.exchange(&get(), &response(&words, End::OnLastChunk, &[("trailer", "x")]));
    assert!(outcome.client.body == words.concat());
}

#[test]
fn bytes_held_in_flight_count_in_the_budget() {
    // A key that does not end is held up to its bound, 64 KiB: that does not fit.
    let text = policy(false, "").replace("aws_access_key", "private_key").replace("100000", "30000");
    let begun =
        [b"-----BEGIN RSA PRIVATE KEY-----\n".as_slice(), &b"MIIEpAIBAAKCAQEAFakeFakeFakeFakeFake\n".repeat(300)].concat();
    let more = b"MIIEpAIBAAKCAQEAFakeFakeFakeFakeFake\n".repeat(600);
    let mut envoy = Envoy::new(&text, false);
    let outcome = envoy.exchange(&post(&[&begun, &more], End::OnEmptyChunk, &[]), &Message::default());
    assert_eq!(outcome.reply.map(|reply| reply.status), Some(413));
    assert_eq!(outcome.upstream.body, b"");
    assert_eq!(envoy.script.metric(&["bodyguard_inflight_body_bytes"]), 0);
}

#[test]
fn windows_of_encoded_streams_count_in_the_budget() {
    use bodyguard::body::Coding;
    let chunks: Vec<Vec<u8>> = Coding::Brotli.encode(&LINE.repeat(10_000), 0).chunks(10_000).map(<[u8]>::to_vec).collect();
    let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
    for (budget, passes) in [("100000", false), ("1000000", true)] {
        let mut envoy = Envoy::new(&policy(false, "").replace("100000", budget), false);
        let outcome = envoy.exchange(&get(), &response(&chunks, End::OnLastChunk, &[("content-encoding", "br")]));
        assert_eq!(outcome.client.whole, passes);
        assert!(LINE.repeat(10_000).starts_with(&outcome.client.body));
        assert_eq!(envoy.script.metric(&["bodyguard_inflight_body_bytes"]), 0);
    }
}

#[test]
fn masks_of_the_same_length_leave_even_the_length_true() {
    let length = MAIL.len().to_string();
    let list = [("content-type", "application/octet-stream"), ("content-length", length.as_str()), ("etag", "\"1\"")];
    for body_mode in ["streamed", "buffered"] {
        for flag in [true, false] {
            let text = policy(flag, "").replace("streamed", body_mode);
            let outcome = Envoy::new(&text, flag).exchange(&get(), &response(&[MAIL], End::OnEmptyChunk, &list));
            assert_eq!(outcome.client.body, b"write to ***@*******.***\n", "{body_mode} {flag}");
            assert_eq!(answered(&outcome, "content-length").as_deref(), Some(length.as_bytes()));
            assert_eq!(answered(&outcome, "etag"), None);
        }
    }
}

#[test]
fn requests_lose_their_ranges_unless_the_policy_allows_them() {
    let strips = policy(false, "");
    let rows = [
        (strips.clone(), true),
        (policy(false, r#", "ranges": "allow""#), false),
        (strips.replace(r#""inspect_response_body": true"#, r#""inspect_response_body": false"#), false),
        (policy(false, r#", "mode": "shadow""#), true),
    ];
    for (text, stripped) in rows {
        let mut request = get();
        request.headers.extend([("range".into(), b"bytes=0-9".to_vec()), ("if-range".into(), b"\"1\"".to_vec())]);
        let outcome = Envoy::new(&text, false).exchange(&request, &response(&[LINE], End::OnLastChunk, &[]));
        let list = outcome.upstream.headers.as_ref();
        assert_eq!(header(list, "range").is_none(), stripped, "{text}");
        assert_eq!(header(list, "if-range").is_none(), stripped, "{text}");
    }
}

#[test]
fn a_part_of_a_body_follows_the_fail_mode() {
    for (extra, reply) in [("", Some(502)), (r#", "fail_mode": "fail_open""#, None), (r#", "mode": "shadow""#, None)] {
        for (status, content_type) in [("206", "text/plain"), ("200", "multipart/byteranges; boundary=x")] {
            let mut envoy = Envoy::new(&policy(true, extra), true);
            let mut answer = response(&[MAIL], End::OnLastChunk, &[("content-type", content_type)]);
            answer.headers[0].1 = status.into();
            let outcome = envoy.exchange(&get(), &answer);
            assert_eq!(outcome.reply.map(|reply| reply.status), reply, "{extra}");
            assert_eq!(outcome.client.body, if reply.is_some() { b"".as_slice() } else { MAIL });
            assert_eq!(envoy.script.metric(&["bodyguard_uninspected_total", "content_type"]), i64::from(reply.is_none()));
        }
    }
}

#[test]
fn a_denied_upgrade_is_refused_before_anything_passes() {
    for (mode, refused) in [("block", true), ("shadow", false)] {
        for flag in [true, false] {
            let extra = format!(r#", "mode": "{mode}", "upgrades": "deny""#);
            let mut envoy = Envoy::new(&policy(flag, &extra), flag);
            let mut upgrade = post(&[KEY], End::OnLastChunk, &[("connection", "Upgrade"), ("upgrade", "websocket")]);
            upgrade.headers[0].1 = b"GET".to_vec();
            let mut switching = response(&[KEY], End::OnLastChunk, &[]);
            switching.headers[0].1 = b"101".to_vec();
            let outcome = envoy.exchange(&upgrade, &switching);
            if refused {
                let reply = outcome.reply.unwrap();
                assert_eq!(reply.status, 403);
                assert_eq!(header(Some(&reply.headers), "x-bodyguard-code"), Some(&b"body.upgrade_denied"[..]));
                assert_eq!(outcome.upstream.headers, None);
            } else {
                assert_eq!(outcome.upstream.body, KEY);
                assert_eq!(envoy.script.metric(&["bodyguard_uninspected_total", "upgrade", "direction=.=request"]), 1);
            }
            let verdict = if refused { "verdict=.=blocked" } else { "verdict=.=would_block" };
            assert_eq!(envoy.script.metric(&["bodyguard_messages_total", verdict]), 1);
        }
    }
}

#[test]
fn an_encoded_stream_leaves_decoded_with_headers_that_say_so() {
    let packed = bodyguard::body::Coding::Gzip.encode(&[LINE, MAIL].concat(), 6);
    let length = packed.len().to_string();
    let list = [
        ("content-encoding", "gzip"),
        ("content-length", length.as_str()),
        ("content-type", "text/event-stream"),
        ("trailer", "x"),
    ];
    for flag in [true, false] {
        for end in ENDS {
            let chunks: Vec<&[u8]> = packed.chunks(7).collect();
            let outcome = envoy(flag).exchange(&get(), &response(&chunks, end, &list));
            assert_eq!(outcome.client.body, [LINE, MASKED].concat(), "{flag} {end:?}");
            assert_eq!((answered(&outcome, "content-encoding"), answered(&outcome, "content-length")), (None, None));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    /// However a body is cut, ended and held, its receiver gets the same bytes; or, at trailers that nobody announced, none behind
    /// those that had left.
    #[test]
    fn the_receiver_gets_the_same_bytes_for_every_cut(
        pieces in prop::collection::vec(prop::sample::select(vec![
            &b"ada@example.com"[..], b" 4111 1111 1111 1111 ", b"\"n\": 4111111111111111, ", b"word", b"\n", b" foo@bar ", b"12", b"{\"a\": ",
        ]), 0..14),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        end in prop::sample::select(&ENDS[..]),
        flag in any::<bool>(),
        json in any::<bool>(),
        announced in any::<bool>(),
    ) {
        let body = pieces.concat();
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        at.extend([0, body.len()]);
        at.sort_unstable();
        let chunks: Vec<&[u8]> = at.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect();
        let mut extra = vec![("content-type", if json { "application/json" } else { "text/plain" })];
        let whole = Envoy::new(&policy(true, "").replace("streamed", "buffered"), true)
            .exchange(&get(), &response(&[&body], End::OnLastChunk, &extra));
        if announced {
            extra.push(("trailer", "x"));
        }
        let mut envoy = envoy(flag);
        let outcome = envoy.exchange(&get(), &response(&chunks, end, &extra));
        if outcome.reset || outcome.reply.is_some() {
            prop_assert!(end == End::ByTrailers && !announced);
            prop_assert!(whole.client.body.starts_with(&outcome.client.body));
        } else {
            prop_assert_eq!(&outcome.client.body, &whole.client.body);
        }
        prop_assert_eq!(envoy.script.metric(&["bodyguard_inflight_body_bytes"]), 0);
    }
}
