//! The state machine of an exchange, driven by a scripted Envoy in both worlds.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]

mod support;

use bodyguard::act::Direction;
use proptest::prelude::*;
use support::{End, Envoy, Message, Outcome, Received, get, post, response};

/// Both directions inspected; caps of 200 KB; e-mails masked, AWS keys blocked.
fn policy(flag: bool, mode: &str, extra: &str) -> String {
    format!(
        r#"{{"metadata": {{"name": "api-dlp"}}, "spec": {{
            "allow_on_headers_stop_iteration": {flag},
            "max_inflight_body_bytes": 250000,
            "defaults": {{"mode": "{mode}", "inspect_request_body": true, "inspect_response_body": true,
                "max_request_body_bytes": 200000, "max_response_body_bytes": 200000{extra},
                "checks": {{"body": {{"dlp": {{"direction": "both", "block": ["aws_access_key"],
                                               "redact": ["email", "credit_card"]}}}}}}}},
            "domains": [{{"hosts": ["*"], "routes": [{{"match": {{}}, "policy": {{}}}}]}}]}}}}"#
    )
}

fn envoy(flag: bool, mode: &str) -> Envoy {
    Envoy::new(&policy(flag, mode, ""), flag)
}

fn header<'a>(outcome: &'a Outcome, name: &str) -> Option<&'a [u8]> {
    let list = outcome.client.headers.as_ref()?;
    list.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_slice())
}

const CLEAN: &[u8] = b"nothing to see here";
const MAIL: &[u8] = b"write to ada@example.com today";
const MASKED: &[u8] = b"write to [REDACTED:email] today";
const KEY: &[u8] = b"key AKIAIOSFODNN7EXAMPLE.";

#[test]
fn an_unchanged_message_leaves_as_it_came_in_both_worlds() {
    for flag in [true, false] {
        for end in [End::OnLastChunk, End::OnEmptyChunk, End::ByTrailers] {
            let mut envoy = envoy(flag, "block");
            // No length: the body's end is open, as over HTTP/2. With one, released headers would lose it: it may change.
            let answer = response(&[CLEAN, CLEAN], end, &[("content-type", "text/plain"), ("x-t", "kept")]);
            let outcome = envoy.exchange(&get(), &answer);
            assert_eq!(outcome.client.headers.as_ref(), Some(&answer.headers), "{flag} {end:?}");
            assert_eq!(outcome.client.body, [CLEAN, CLEAN].concat(), "{flag} {end:?}");
            assert!(outcome.client.whole);
            assert_eq!(envoy.script.metric(&["verdict=.=clean", "direction=.=response"]), 1);
            assert_eq!(envoy.script.filter_state("bodyguard.verdict").as_deref(), Some("clean"));
        }
    }
}

#[test]
fn held_headers_keep_even_the_length_of_an_unchanged_message() {
    let length = CLEAN.len().to_string();
    let answer = response(&[CLEAN], End::OnEmptyChunk, &[("content-length", &length), ("etag", "\"1\"")]);
    let outcome = envoy(true, "block").exchange(&get(), &answer);
    assert_eq!(outcome.client.headers.as_ref(), Some(&answer.headers));
}

#[test]
fn a_masked_body_has_headers_that_tell_the_truth() {
    let length = MAIL.len().to_string();
    let list = [("content-length", length.as_str()), ("etag", "\"1\""), ("content-digest", "x"), ("x-t", "kept")];
    for flag in [true, false] {
        for end in [End::OnLastChunk, End::OnEmptyChunk, End::ByTrailers] {
            let mut envoy = envoy(flag, "block");
            let outcome = envoy.exchange(&get(), &response(&[MAIL], end, &list));
            assert_eq!(outcome.client.body, MASKED, "{flag} {end:?}");
            let masked_length = MASKED.len().to_string();
            assert_eq!(header(&outcome, "content-length"), flag.then_some(masked_length.as_bytes()));
            assert_eq!((header(&outcome, "etag"), header(&outcome, "content-digest")), (None, None));
            assert_eq!(header(&outcome, "x-t"), Some(&b"kept"[..]));
            assert_eq!(envoy.script.filter_state("bodyguard.findings").as_deref(), Some("response:redact:email=1"));
            assert_eq!(envoy.script.metric(&["bodyguard_body_mutations_total", "response"]), 1);
        }
    }
}

#[test]
fn a_blocked_request_never_shows_its_body_to_the_upstream() {
    for flag in [true, false] {
        for end in [End::OnLastChunk, End::OnEmptyChunk, End::ByTrailers] {
            let mut envoy = envoy(flag, "block");
            let outcome = envoy.exchange(&post(&[CLEAN, KEY], end, &[]), &response(&[CLEAN], end, &[]));
            let reply = outcome.reply.unwrap();
            assert_eq!(reply.status, 403);
            assert_eq!(
                reply.body,
                r#"{"error":"blocked","code":"body.dlp_block:aws_access_key","direction":"request","policy":"api-dlp"}"#
            );
            assert_eq!(outcome.upstream.body, b"");
            assert_eq!(outcome.upstream.headers.is_some(), !flag, "held headers never leave");
            assert_eq!(envoy.script.metric(&["verdict=.=blocked", "direction=.=request"]), 1);
            assert_eq!(envoy.script.metric(&["bodyguard_inflight_body_bytes"]), 0);
        }
    }
}

#[test]
fn a_blocked_response_is_replaced_where_its_headers_are_held_and_cut_where_they_are_gone() {
    let answer = response(&[CLEAN, KEY, CLEAN], End::OnLastChunk, &[]);
    let outcome = envoy(true, "block").exchange(&get(), &answer);
    assert_eq!(outcome.reply.map(|reply| reply.status), Some(403));
    assert_eq!(outcome.client.headers, None);

    let outcome = envoy(false, "block").exchange(&get(), &answer);
    assert!(outcome.reset && outcome.reply.is_none());
    assert_eq!(outcome.client.body, b"");
}

#[test]
fn our_own_reply_is_not_inspected() {
    let mut envoy = envoy(true, "block");
    let mut exchange = envoy.begin();
    exchange.send(Direction::Request, &post(&[KEY], End::OnLastChunk, &[]));
    assert!(exchange.outcome.reply.is_some());
    let mut exchange_after = exchange;
    exchange_after.outcome.reply = None;
    exchange_after.send(Direction::Response, &response(&[KEY], End::OnLastChunk, &[]));
    exchange_after.close();
    assert_eq!(envoy.script.metric(&["bodyguard_messages_total", "direction=.=response"]), 0);
}

#[test]
fn observe_modes_never_block_and_still_mask() {
    for (flag, mode) in [(true, "detect"), (false, "detect"), (true, "shadow"), (false, "shadow")] {
        let mut envoy = envoy(flag, mode);
        let body = [MAIL, b" ", KEY].concat();
        let outcome = envoy.exchange(&post(&[&body], End::OnEmptyChunk, &[]), &response(&[CLEAN], End::OnLastChunk, &[]));
        assert_eq!(outcome.upstream.body, [MASKED, b" ", KEY].concat());
        assert_eq!(envoy.script.metric(&["verdict=.=would_block", "direction=.=request"]), 1);
        assert_eq!(envoy.script.metric(&["kind=.=aws_access_key", "action=.=would_block"]), 1);
        assert_eq!(
            envoy.script.filter_state("bodyguard.findings").as_deref(),
            Some("request:would_block:aws_access_key=1;request:redact:email=1")
        );
        let events: Vec<String> =
            envoy.script.log().into_iter().map(|(_, line)| line).filter(|line| line.starts_with('{')).collect();
        assert!(events[0].contains(&format!(r#""mode":"{mode}""#)), "{events:?}");
        assert!(events[0].contains(r#""path":"/v1/x""#), "the query is dropped: {events:?}");
    }
}

#[test]
fn a_body_over_its_cap_is_refused_at_the_head_where_the_head_says_so() {
    for flag in [true, false] {
        let large = [("content-length", "200001")];
        let mut envoy = envoy(flag, "block");
        let outcome = envoy.exchange(&post(&[CLEAN], End::OnLastChunk, &large), &Message::default());
        assert_eq!(outcome.reply.map(|reply| reply.status), Some(413));
        assert_eq!(outcome.upstream.headers, None, "released or not, the headers had not gone yet");
        let outcome = envoy.exchange(&get(), &response(&[CLEAN], End::OnLastChunk, &large));
        assert_eq!(outcome.reply.map(|reply| reply.status), Some(502));
        assert_eq!(outcome.client.headers, None);
        assert_eq!(envoy.script.metric(&["engine=.=body_size", "kind=.=none", "action=.=block"]), 2);
    }
}

#[test]
fn a_body_that_outgrows_its_cap_is_refused_or_passes_whole_in_observe_modes() {
    let chunk = vec![b'x'; 90_000];
    let chunks: [&[u8]; 3] = [&chunk, &chunk, &chunk];
    for flag in [true, false] {
        let mut blocking = envoy(flag, "block");
        let outcome = blocking.exchange(&post(&chunks, End::OnLastChunk, &[]), &Message::default());
        assert_eq!(outcome.reply.map(|reply| reply.status), Some(413));
        assert_eq!(outcome.upstream.body, b"");

        let mut watching = envoy(flag, "shadow");
        let outcome = watching.exchange(&post(&chunks, End::OnEmptyChunk, &[]), &response(&[CLEAN], End::OnLastChunk, &[]));
        assert!(outcome.upstream.body == chunks.concat());
        assert_eq!(watching.script.metric(&["bodyguard_uninspected_total", "too_large"]), 1);
        assert_eq!(watching.script.metric(&["bodyguard_inflight_body_bytes"]), 0);
    }
}

#[test]
fn bodies_in_flight_share_one_budget() {
    let chunk = vec![b'x'; 150_000];
    for flag in [true, false] {
        let mut envoy = envoy(flag, "block");
        let mut unfinished = envoy.begin();
        unfinished.send(Direction::Request, &post(&[&chunk], End::Never, &[]));
        let unfinished = unfinished.leave();
        let large = post(&[&chunk], End::OnLastChunk, &[]);
        let outcome = envoy.exchange(&large, &Message::default());
        assert_eq!(outcome.reply.map(|reply| reply.status), Some(413));
        assert_eq!(envoy.script.metric(&["bodyguard_errors_total", "budget"]), 1);
        unfinished.borrow_mut().on_close();
        assert!(envoy.exchange(&large, &response(&[CLEAN], End::OnLastChunk, &[])).reply.is_none());
        assert_eq!(envoy.script.metric(&["bodyguard_inflight_body_bytes"]), 0);
    }
}

#[test]
fn a_response_that_takes_the_place_of_another_is_inspected_from_its_first_byte() {
    for flag in [true, false] {
        let mut envoy = envoy(flag, "block");
        let mut exchange = envoy.begin();
        exchange.send(Direction::Request, &get());
        exchange.send(Direction::Response, &response(&[CLEAN], End::Never, &[]));
        exchange.outcome.client = Received::default();
        exchange.send(Direction::Response, &response(&[MAIL], End::OnLastChunk, &[]));
        assert_eq!(exchange.close().client.body, MASKED);
        assert_eq!(envoy.script.metric(&["bodyguard_inflight_body_bytes"]), 0);
    }
}

#[test]
fn what_comes_behind_the_announced_length_goes_nowhere() {
    for flag in [true, false] {
        let length = CLEAN.len().to_string();
        let mut envoy = envoy(flag, "block");
        let list = [("content-length", length.as_str())];
        let outcome =
            envoy.exchange(&post(&[CLEAN, KEY], End::OnLastChunk, &list), &response(&[CLEAN], End::OnEmptyChunk, &list));
        assert_eq!(outcome.upstream.body, CLEAN);
        assert_eq!(envoy.script.metric(&["bodyguard_errors_total", "overlong"]), 1);
    }
}

#[test]
fn trailers_without_a_body_end_the_watch() {
    for content_type in ["text/plain", "text/event-stream"] {
        let mut envoy = envoy(true, "block");
        let mut exchange = envoy.begin();
        exchange.send(Direction::Request, &get());
        exchange.send(Direction::Response, &response(&[], End::ByTrailers, &[("content-type", content_type)]));
        exchange.wait(3_000_000_000);
        assert!(exchange.outcome.client.whole);
        exchange.close();
        assert_eq!(envoy.script.resumed(), [], "what has gone cannot be let go");
        assert_eq!(envoy.script.tick_period(), 0);
    }
}

#[test]
fn a_body_over_its_cap_is_judged_alike_in_every_cut() {
    let body = [KEY, vec![b' '; 210_000].as_slice(), MAIL].concat();
    for pieces in [1, 2, 3, 7, 20] {
        let chunks: Vec<&[u8]> = body.chunks(body.len().div_ceil(pieces)).collect();
        let mut envoy = envoy(false, "block");
        let reply = envoy.exchange(&post(&chunks, End::OnLastChunk, &[]), &Message::default()).reply.unwrap();
        assert_eq!(reply.status, 403, "in {pieces} pieces");
        assert_eq!(envoy.script.metric(&["bodyguard_inspected_bytes_total"]), 200_000, "in {pieces} pieces");
    }
}

#[test]
fn a_wrong_flag_hangs_nothing_and_is_said_once() {
    let mut envoy = Envoy::new(&policy(true, "block", ""), false);
    for _ in 0..3 {
        let outcome = envoy.exchange(&post(&[MAIL], End::OnEmptyChunk, &[]), &response(&[MAIL], End::OnLastChunk, &[]));
        assert_eq!(outcome.upstream.body, MASKED);
        assert_eq!(outcome.client.body, MASKED);
    }
    let errors: Vec<String> =
        envoy.script.log().into_iter().filter(|(level, _)| *level == log::Level::Error).map(|(_, line)| line).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("allow_on_headers_stop_iteration"));
    assert_eq!(envoy.script.metric(&["bodyguard_errors_total", "headers_flag"]), 1);
}

#[test]
fn a_right_flag_ends_the_watch() {
    let mut envoy = envoy(true, "block");
    envoy.exchange(&post(&[CLEAN], End::OnLastChunk, &[]), &response(&[CLEAN], End::OnLastChunk, &[]));
    assert_ne!(envoy.script.tick_period(), 0);
    envoy.root.tick();
    assert_eq!(envoy.script.tick_period(), 0);
    assert!(envoy.script.log().iter().all(|(level, _)| *level > log::Level::Warn));
}

#[test]
fn a_mask_that_would_outgrow_envoys_buffer_is_made_in_place() {
    let body = b"a@b.co ".repeat(20_000);
    let mut envoy = Envoy::new(&policy(true, "block", "").replace("200000", "2000000").replace("250000", "9000000"), true);
    envoy.limit = body.len();
    let outcome = envoy.exchange(&get(), &response(&[&body], End::OnLastChunk, &[]));
    assert!(outcome.client.body == b"*@*.** ".repeat(20_000));
}

#[test]
fn a_small_body_whose_end_is_open_never_outgrows_the_smallest_buffer() {
    let body = b"a@b.co ".repeat(20_000);
    for frames in 1..6 {
        let body = &body[..frames * 16 * 1024 / 7 * 7];
        let chunks: Vec<&[u8]> = body.chunks(16 * 1024).collect();
        for end in [End::OnLastChunk, End::OnEmptyChunk] {
            let mut envoy = envoy(false, "block");
            envoy.limit = 32 * 1024;
            let outcome = envoy.exchange(&get(), &response(&chunks, end, &[]));
            assert!(!outcome.client.body.windows(4).any(|part| part == b"a@b."), "{frames} {end:?}");
        }
    }
}

#[test]
fn upgrades_and_streams_pass_and_are_counted() {
    let mut envoy = envoy(false, "block");
    let mut upgrade = post(&[KEY], End::OnLastChunk, &[("connection", "Upgrade"), ("upgrade", "websocket")]);
    upgrade.headers[0].1 = b"GET".to_vec();
    let mut switching = response(&[KEY], End::OnLastChunk, &[]);
    switching.headers[0].1 = b"101".to_vec();
    let outcome = envoy.exchange(&upgrade, &switching);
    assert_eq!((outcome.upstream.body.as_slice(), outcome.client.body.as_slice()), (KEY, KEY));
    assert_eq!(envoy.script.metric(&["bodyguard_uninspected_total", "upgrade"]), 2);
}

#[test]
fn an_upgrade_that_the_upstream_declines_is_an_ordinary_response() {
    let mut envoy = envoy(true, "block");
    let upgrade = post(&[], End::OnLastChunk, &[("connection", "Upgrade"), ("upgrade", "websocket")]);
    let outcome = envoy.exchange(&upgrade, &response(&[KEY], End::OnLastChunk, &[]));
    assert_eq!(outcome.reply.map(|reply| reply.status), Some(403));
}

#[test]
fn a_grpc_request_is_refused_in_grpc() {
    let extra = r#", "request_body_mode": "buffered""#;
    let mut envoy = Envoy::new(&policy(true, "block", extra), true);
    let request = post(&[KEY], End::OnLastChunk, &[("content-type", "application/grpc")]);
    let reply = envoy.exchange(&request, &Message::default()).reply.unwrap();
    assert_eq!(reply.grpc_status, Some(7));
}

#[test]
fn a_grpc_web_request_is_refused_in_http() {
    let extra = r#", "request_body_mode": "buffered""#;
    let mut envoy = Envoy::new(&policy(true, "block", extra), true);
    let request = post(&[KEY], End::OnLastChunk, &[("content-type", "application/grpc-web+proto")]);
    let reply = envoy.exchange(&request, &Message::default()).reply.unwrap();
    assert_eq!((reply.status, reply.grpc_status), (403, None));
    assert!(reply.body.starts_with('{'), "{}", reply.body);
}

#[test]
fn no_content_type_switches_inspection_off() {
    let frame = |flag: u8, len: u32| [&[flag][..], &len.to_be_bytes(), KEY].concat();
    let grpc = "application/grpc";
    let rows = [
        ("application/grpc-web-text", KEY.to_vec()),
        ("application/connect+json", KEY.to_vec()),
        (grpc, KEY.to_vec()),
        // A frame that never ends, and one that only says that it is compressed.
        (grpc, frame(0, 65_535)),
        (grpc, frame(1, u32::try_from(KEY.len()).unwrap())),
    ];
    for (content_type, body) in rows {
        for flag in [true, false] {
            for end in [End::OnLastChunk, End::OnEmptyChunk, End::ByTrailers] {
                let request = post(&[&body], end, &[("content-type", content_type)]);
                let outcome = envoy(flag, "block").exchange(&request, &response(&[CLEAN], End::OnLastChunk, &[]));
                assert!(outcome.reply.is_some(), "{content_type} {body:?} {flag} {end:?}");
                assert!(!outcome.upstream.body.windows(4).any(|part| part == b"AKIA"), "{content_type} {body:?} {flag} {end:?}");
            }
        }
    }
}

#[test]
fn a_json_text_without_a_content_type_stays_json() {
    let outcome = envoy(true, "block").exchange(&get(), &response(&[br#" {"n": 4111111111111111}"#], End::OnLastChunk, &[]));
    assert_eq!(outcome.client.body, br#" {"n": "************1111"}"#);
}

#[test]
fn an_empty_body_that_trailers_end_is_no_error() {
    for flag in [true, false] {
        let mut envoy = envoy(flag, "block");
        let outcome = envoy.exchange(&get(), &response(&[], End::ByTrailers, &[]));
        assert!(outcome.client.whole);
        assert_eq!(envoy.script.metric(&["bodyguard_errors_total"]), 0);
    }
}

#[test]
fn who_only_watches_holds_nothing_and_changes_nothing() {
    let policy = |flag| policy(flag, "shadow", "").replace(r#""redact": ["#, r#""redact_in_observe_modes": false, "redact": ["#);
    let large = vec![b'y'; 70_000];
    for flag in [true, false] {
        for (content_type, coding) in
            [("text/plain", ""), ("text/event-stream", ""), ("text/event-stream", "gzip"), ("text/plain", "gzip")]
        {
            let body = [MAIL, b" ", KEY, b" ", &large].concat();
            let body = if coding.is_empty() { body } else { bodyguard::body::Coding::Gzip.encode(&body, 1) };
            let (head, tail) = body.split_at(10);
            let mut list = vec![("content-type", content_type), ("etag", "x")];
            if !coding.is_empty() {
                list.push(("content-encoding", coding));
            }
            let answer = response(&[head, tail], End::ByTrailers, &list);
            let mut envoy = Envoy::new(&policy(flag), flag);
            let outcome = envoy.exchange(&get(), &answer);
            assert_eq!(outcome.client.headers.as_ref(), Some(&answer.headers));
            assert!(outcome.client.body == body, "{content_type} {coding} {flag}");
            assert_eq!(envoy.script.metric(&["kind=.=aws_access_key", "action=.=would_block"]), 1);
            assert_eq!(envoy.script.metric(&["kind=.=email", "action=.=would_redact"]), 1);
            assert_eq!(envoy.script.metric(&["bodyguard_errors_total"]), 0);
        }
    }
}

#[test]
fn a_bomb_in_a_stream_is_refused() {
    let zeros = vec![0; usize::try_from(bodyguard::act::MAX_DECODED_CHUNK_BYTES).unwrap() + 1];
    let bomb = bodyguard::body::Coding::Gzip.encode(&zeros, 1);
    let list = [("content-type", "text/event-stream"), ("content-encoding", "gzip")];
    for flag in [true, false] {
        let outcome = envoy(flag, "block").exchange(&post(&[&bomb], End::OnLastChunk, &list), &Message::default());
        assert_eq!(outcome.reply.map(|reply| reply.status), Some(413));
    }
}

#[test]
fn a_mask_that_grows_a_stream_never_outgrows_envoys_buffer() {
    let mails = b"a@b.co ".repeat(140_000);
    let list = [("content-type", "text/event-stream")];
    let mut envoy = Envoy::new(&policy(false, "block", "").replace("250000", "9000000"), false);
    // The first byte may become an address, so we pause, and Envoy buffers the chunk behind it.
    let outcome = envoy.exchange(&get(), &response(&[b"a", &mails, b"."], End::OnLastChunk, &list));
    assert!(outcome.client.whole);
    assert!(!outcome.client.body.windows(6).any(|part| part == b"a@b.co"));
}

#[test]
fn what_cannot_be_masked_as_a_number_is_masked_as_text() {
    let body = b"5500 0055 5555 5559-4111111111111111 jane.doe@example.com\n";
    for content_type in ["application/x-ndjson", "application/json"] {
        let list = [("content-type", content_type)];
        let outcome = envoy(true, "block").exchange(&get(), &response(&[body], End::OnLastChunk, &list));
        let seen = String::from_utf8(outcome.client.body).unwrap();
        assert!(!seen.contains("jane.doe") && !seen.contains("411111") && !seen.contains("5500"), "{content_type}: {seen}");
    }
}

#[test]
fn digests_in_the_trailers_of_a_masked_body_are_removed() {
    for flag in [true, false] {
        for content_type in ["text/plain", "text/event-stream"] {
            let mut envoy = envoy(flag, "block");
            let list = [("content-type", content_type), ("trailer", "digest")];
            envoy.exchange(&get(), &response(&[CLEAN, b"."], End::ByTrailers, &list));
            assert_eq!(envoy.script.removed_trailers(), Vec::<String>::new(), "what was not changed keeps them");
            envoy.exchange(&get(), &response(&[MAIL, b"."], End::ByTrailers, &list));
            assert!(envoy.script.removed_trailers().contains(&"digest".to_owned()), "{flag} {content_type}");
        }
    }
}

#[test]
fn headers_that_are_no_utf8_change_nothing() {
    for flag in [true, false] {
        let mut request = post(&[MAIL], End::OnLastChunk, &[]);
        request.headers.push(("x-t".into(), b"\xff\xfe".to_vec()));
        request.headers[2].1 = b"/\xff?a".to_vec();
        let outcome = envoy(flag, "block").exchange(&request, &response(&[CLEAN], End::OnLastChunk, &[]));
        assert_eq!(outcome.upstream.body, MASKED);
        assert!(outcome.upstream.headers.unwrap().contains(&("x-t".into(), b"\xff\xfe".to_vec())));
    }
}

#[test]
fn accept_encoding_is_narrowed_to_what_can_be_decoded() {
    let mut request = get();
    request.headers.push(("accept-encoding".into(), b"br, gzip;q=0.5".to_vec()));
    let outcome = envoy(false, "block").exchange(&request, &response(&[CLEAN], End::OnLastChunk, &[]));
    let list = outcome.upstream.headers.unwrap();
    let value = list.iter().find(|(name, _)| name == "accept-encoding").map(|(_, value)| value.as_slice());
    assert_eq!(value, Some(&b"gzip;q=0.5"[..]));
}

#[test]
fn a_bad_policy_is_refused_with_its_path() {
    let log = Envoy::try_new(r#"{"domains": [{"hosts": ["*"], "policy": {"mode": "blok"}}]}"#, false).err().unwrap();
    assert!(log.iter().any(|line| line.contains("$.domains[0].policy.mode") && line.contains("blok")), "{log:?}");
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::OnLastChunk), Just(End::OnEmptyChunk), Just(End::ByTrailers)]
}

/// Bodies with findings, near misses and noise.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"ada@example.com".to_vec()),
        Just(b" 4111 1111 1111 1111 ".to_vec()),
        Just(b"\"n\": 4111111111111111, ".to_vec()),
        Just(b" foo@bar ".to_vec()),
        prop::collection::vec(any::<u8>(), 0..40),
        "[a-z ,:\"{}]{0,40}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn cut(body: &[u8], cuts: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    at.extend([0, body.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| body[pair[0]..pair[1]].to_vec()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// However a body is cut, ended, coded and held, its receiver gets the same bytes.
    #[test]
    fn the_receiver_gets_the_same_bytes_for_every_cut(
        body in body(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        end in end(),
        flag in any::<bool>(),
        json in any::<bool>(),
        with_length in any::<bool>(),
    ) {
        let content_type = if json { "application/json" } else { "text/plain" };
        let length = body.len().to_string();
        let mut extra = vec![("content-type", content_type)];
        if with_length {
            extra.push(("content-length", &length));
        }
        let chunks = cut(&body, &cuts);
        let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let whole = envoy(true, "block").exchange(&get(), &response(&[&body], End::OnLastChunk, &[("content-type", content_type)]));

        let mut there = envoy(flag, "block");
        let outcome = there.exchange(&get(), &response(&chunks, end, &extra));
        prop_assert_eq!(&outcome.client.body, &whole.client.body);
        let mut back = envoy(flag, "block");
        let outcome = back.exchange(&post(&chunks, end, &extra), &response(&[CLEAN], End::OnLastChunk, &[]));
        prop_assert_eq!(&outcome.upstream.body, &whole.client.body);
        prop_assert_eq!(back.script.metric(&["bodyguard_inflight_body_bytes"]), 0);
    }
}

#[test]
fn a_policy_tells_how_many_of_its_rules_block_and_how_many_only_watch() {
    for (mode, blocking, observing) in [("block", 1, 0), ("shadow", 0, 1), ("detect", 0, 1)] {
        let envoy = envoy(true, mode);
        assert_eq!(envoy.script.metric(&["bodyguard_policy_rules_blocking"]), blocking, "{mode}");
        assert_eq!(envoy.script.metric(&["bodyguard_policy_rules_observing"]), observing, "{mode}");
    }
    let unread = r#"{"domains": [{"hosts": ["*"], "routes": [{"match": {}, "policy": {"mode": "shadow"}}]}]}"#;
    let envoy = Envoy::new(unread, true);
    assert_eq!(envoy.script.metric(&["bodyguard_policy_rules_observing"]), 0, "a rule that inspects nothing watches nothing");
}

#[test]
fn a_clean_message_costs_no_more_host_calls_than_it_must() {
    // Each takes Envoy 0.1 to 0.8 microseconds, at every message.
    let judged =
        [("body", 1), ("headers", 2), ("increment_metric", 2), ("now", 2), ("record_metric", 2), ("set_filter_state", 1)];
    let length = CLEAN.len().to_string();
    let typed = [("content-type", "application/json"), ("content-length", &length)];
    for (flag, extra, end, more) in [
        (true, &typed[..], End::OnEmptyChunk, vec![]),
        (true, &typed[..1], End::OnLastChunk, vec![]),
        // It is released before it is judged: its length goes, in case it changes.
        (false, &typed[..], End::OnEmptyChunk, vec![("remove_header", 1)]),
        (false, &typed[..1], End::OnLastChunk, vec![]),
    ] {
        let mut envoy = envoy(flag, "block");
        let answer = response(&[CLEAN], end, extra);
        // The first one also proves Envoy's setting and tells the VM's memory.
        envoy.exchange(&get(), &answer);
        envoy.exchange(&get(), &answer);
        let calls: Vec<(&str, usize)> = envoy.script.host_calls().into_iter().collect();
        let mut expected = [&judged[..], &more].concat();
        expected.sort_unstable();
        assert_eq!(calls, expected, "held: {flag}, {end:?}, {extra:?}");
    }
}

#[test]
fn findings_too_few_to_block_are_counted() {
    for threshold in ["2", r#"{"aws_access_key": 2}"#] {
        let old = r#""block": ["aws_access_key"]"#;
        let text = policy(true, "block", "").replace(old, &format!(r#"{old}, "min_findings": {threshold}"#));
        let mut envoy = Envoy::new(&text, true);
        let outcome = envoy.exchange(&post(&[KEY], End::OnLastChunk, &[]), &Message::default());
        assert_eq!(outcome.upstream.body, KEY);
        assert_eq!(envoy.script.metric(&["kind=.=aws_access_key", "action=.=detect;"]), 1, "{threshold}");
    }
}

#[test]
fn what_envoy_knows_of_a_request_is_asked_only_where_a_route_does() {
    let routes = |of: &str| {
        let old = r#"{"match": {}, "policy": {}}"#;
        policy(true, "block", "").replace(old, &format!(r#"{{"match": {{{of}}}, "policy": {{}}}}"#))
    };
    let here = |of: &str, properties: &[(&str, &[u8])]| {
        let mut envoy = Envoy::new(&routes(of), true);
        properties.iter().for_each(|(path, value)| envoy.script.set_property(path, value));
        let outcome = envoy.exchange(&post(&[MAIL], End::OnLastChunk, &[]), &Message::default());
        (outcome.upstream.body == MASKED, envoy.script.host_calls().get("property").copied().unwrap_or(0))
    };
    let uri = ("connection\0uri_san_peer_certificate", &b"spiffe://td/ns/a/sa/x"[..]);
    let waypoint = ("filter_state\0io.istio.peer_principal", uri.1);
    let port = ("destination\0port", &8443u64.to_le_bytes()[..]);
    let cluster = ("xds\0cluster_name", &b"outbound|443||a.com"[..]);
    let (who, from, to) =
        (r#""source_principals": ["td/ns/a/sa/x"]"#, r#""destination_ports": [8443]"#, r#""clusters": ["outbound|443||*"]"#);
    for (of, properties, found) in [
        ("", &[uri, port, cluster][..], (true, 0)),
        (r#""path_prefix": "/v1""#, &[uri, port, cluster], (true, 0)),
        (who, &[uri], (true, 1)),
        // Behind Istio's waypoint the certificate was another listener's.
        (who, &[waypoint], (true, 2)),
        (who, &[(uri.0, b"spiffe://td/ns/a/sa/y"), waypoint], (false, 1)),
        (who, &[(uri.0, b""), waypoint], (true, 2)),
        (who, &[(uri.0, b"\xff\xfe")], (false, 1)),
        (who, &[port, cluster], (false, 2)),
        (r#""source_principals": ["*"]"#, &[], (false, 2)),
        (from, &[port], (true, 1)),
        (from, &[(port.0, b"8443")], (false, 1)),
        (from, &[(port.0, &(8443u64 + 65536).to_le_bytes())], (false, 1)),
        (from, &[], (false, 1)),
        (to, &[cluster], (true, 1)),
        (to, &[(cluster.0, b"outbound|80||a.com")], (false, 1)),
        (&format!("{who}, {from}, {to}"), &[uri, port, cluster], (true, 3)),
        (&format!("{who}, {from}, {to}"), &[uri, port], (false, 3)),
    ] {
        assert_eq!(here(of, properties), found, "{of} {properties:?}");
    }
}

#[test]
fn an_exchange_without_a_rule_costs_a_look_at_its_request() {
    let elsewhere = policy(true, "block", "").replace(r#""hosts": ["*"]"#, r#""hosts": ["elsewhere.example.com"]"#);
    let mut envoy = Envoy::new(&elsewhere, true);
    envoy.exchange(&get(), &response(&[KEY], End::OnLastChunk, &[]));
    assert_eq!(envoy.script.host_calls().into_iter().collect::<Vec<_>>(), [("headers", 1)]);
}
