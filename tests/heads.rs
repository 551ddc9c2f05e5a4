//! Header values and queries: what is found in them, what leaves, and how it is told.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]

mod support;

use bodyguard::act::Direction;
use bodyguard::policy::Policy;
use proptest::prelude::*;
use support::{End, Envoy, HeaderList, Message, Outcome, get, post, response};

const MAIL: &str = "ada@example.com";
const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const CARD: &str = "4111 1111 1111 1111";
const CLEAN: &[u8] = b"clean";

/// Blocks AWS keys and masks the rest, in headers and queries; bodies are inspected where `bodies` says so.
fn policy(flag: bool, mode: &str, bodies: bool, headers: &str, query: &str) -> String {
    let body = r#""body": {"dlp": {"direction": "both", "block": ["aws_access_key"], "redact": ["email"]}},"#;
    let lists = r#""block": ["aws_access_key"], "redact": ["email", "credit_card", "jwt"]"#;
    format!(
        r#"{{"metadata": {{"name": "api-dlp"}}, "spec": {{"allow_on_headers_stop_iteration": {flag},
            "defaults": {{"mode": "{mode}", "inspect_request_body": {bodies}, "inspect_response_body": {bodies},
                "max_response_body_bytes": 1000,
                "checks": {{{}"headers": {{"dlp": {{{lists}{headers}}}}}, "query": {{"dlp": {{{lists}{query}}}}}}}}},
            "domains": [{{"hosts": ["*"]}}]}}}}"#,
        if bodies { body } else { "" }
    )
}

fn envoy(flag: bool, mode: &str, bodies: bool) -> Envoy {
    Envoy::new(&policy(flag, mode, bodies, "", ""), flag)
}

fn with(mut message: Message, extra: &[(&str, &str)]) -> Message {
    for (name, value) in extra {
        match message.headers.iter_mut().find(|(known, _)| known == name && name.starts_with(':')) {
            Some(header) => header.1 = value.as_bytes().to_vec(),
            None => message.headers.push(((*name).to_owned(), value.as_bytes().to_vec())),
        }
    }
    message
}

fn values<'a>(list: &'a Option<HeaderList>, name: &str) -> Vec<&'a str> {
    let list = list.as_ref().unwrap();
    list.iter().filter(|(other, _)| other == name).map(|(_, value)| std::str::from_utf8(value).unwrap()).collect()
}

fn events(envoy: &Envoy) -> Vec<serde_json::Value> {
    let lines = envoy.script.log().into_iter().map(|(_, line)| line).filter(|line| line.starts_with('{'));
    lines.map(|line| serde_json::from_str(&line).unwrap()).collect()
}

/// A GET and its answer, with these headers.
fn exchange(envoy: &mut Envoy, request: &[(&str, &str)], answer: &[(&str, &str)]) -> Outcome {
    envoy.exchange(&with(get(), request), &response(&[CLEAN], End::OnLastChunk, answer))
}

#[test]
fn a_header_is_masked_in_both_directions_and_worlds_with_and_without_a_body() {
    for (flag, bodies, chunks) in [(true, true, 1), (false, true, 1), (true, false, 1), (false, false, 1), (false, true, 0)] {
        let mut envoy = envoy(flag, "block", bodies);
        let body = [CLEAN].repeat(chunks);
        let note = format!("from {MAIL}, {CARD}");
        let request = post(&body, End::OnLastChunk, &[("x-note", &note), ("x-kept", "same")]);
        let outcome = envoy.exchange(&request, &response(&body, End::OnLastChunk, &[("x-owner", MAIL)]));
        assert_eq!(values(&outcome.upstream.headers, "x-note"), ["from [REDACTED:email], **** **** **** 1111"]);
        assert_eq!(values(&outcome.upstream.headers, "x-kept"), ["same"]);
        assert_eq!(values(&outcome.client.headers, "x-owner"), ["[REDACTED:email]"]);
        assert_eq!((outcome.upstream.body, outcome.client.body), (body.concat(), body.concat()));
        for (direction, findings) in [("request", 2), ("response", 1)] {
            let direction = format!("direction=.={direction};");
            assert_eq!(envoy.script.metric(&["bodyguard_messages_total", &direction, "verdict=.=redacted"]), 1);
            assert_eq!(envoy.script.metric(&["bodyguard_messages_total", &direction]), 1, "a message has one verdict");
            assert_eq!(
                envoy.script.metric(&["bodyguard_findings_total", &direction, "action=.=redact;", "engine=.=dlp"]),
                findings
            );
        }
        assert_eq!(envoy.script.metric(&["bodyguard_body_mutations_total"]), 0);
        assert_eq!(events(&envoy).len(), 2);
        assert_eq!(envoy.script.filter_state("bodyguard.verdict").as_deref(), Some("redacted"));
        let findings = envoy.script.filter_state("bodyguard.findings").unwrap();
        assert_eq!(findings, "request:redact:credit_card=1,email=1;response:redact:email=1");
    }
}

#[test]
fn a_head_that_blocks_is_refused_cleanly_in_both_worlds_and_nothing_goes_on() {
    for (flag, bodies) in [(true, true), (false, true), (true, false), (false, false)] {
        for (headers, code) in [
            (("x-key", KEY), "headers.dlp_block:aws_access_key"),
            ((":path", "/x?a=1&key=AKIAIOSFODNN7EXAMPLE"), "query.dlp_block:aws_access_key"),
        ] {
            let mut envoy = envoy(flag, "block", bodies);
            let outcome = envoy.exchange(&with(post(&[CLEAN], End::OnLastChunk, &[]), &[headers]), &Message::default());
            let reply = outcome.reply.unwrap();
            assert_eq!(reply.status, 403);
            assert!(reply.headers.contains(&("x-bodyguard-code".to_owned(), code.as_bytes().to_vec())), "{:?}", reply.headers);
            let expected = format!(r#"{{"error":"blocked","code":"{code}","direction":"request","policy":"api-dlp"}}"#);
            assert_eq!(reply.body, expected);
            assert_eq!(outcome.upstream.headers, None);
            assert_eq!(envoy.script.metric(&["verdict=.=blocked", "direction=.=request"]), 1);
            assert_eq!(envoy.script.metric(&["action=.=block;", "kind=.=aws_access_key"]), 1);
            assert_eq!(events(&envoy)[0]["code"], code);
        }
        let mut envoy = envoy(flag, "block", bodies);
        let outcome = exchange(&mut envoy, &[], &[("x-key", KEY)]);
        assert_eq!((outcome.reply.unwrap().status, outcome.client.headers), (403, None));
    }
}

#[test]
fn block_wins_over_every_mask_of_the_head() {
    let mut envoy = envoy(false, "block", false);
    let outcome = exchange(&mut envoy, &[("x-owner", MAIL), (":path", &format!("/x?owner={MAIL}&key={KEY}"))], &[]);
    assert!(outcome.reply.is_some());
    assert_eq!(envoy.script.metric(&["action=.=redact;"]), 0);
    assert_eq!(envoy.script.metric(&["action=.=detect;", "kind=.=email"]), 2);
}

#[test]
fn modes_that_watch_block_nothing_and_mask_unless_told_not_to() {
    for (extra, shown) in [("", "[REDACTED:email]"), (r#", "redact_in_observe_modes": false"#, MAIL)] {
        for mode in ["detect", "shadow"] {
            let mut envoy = Envoy::new(&policy(false, mode, true, extra, extra), false);
            let outcome = exchange(&mut envoy, &[("x-owner", MAIL), ("x-key", KEY)], &[]);
            assert_eq!(values(&outcome.upstream.headers, "x-owner"), [shown]);
            assert_eq!(values(&outcome.upstream.headers, "x-key"), [KEY]);
            assert_eq!(events(&envoy)[0]["code"], "headers.dlp_block:aws_access_key");
            assert_eq!(events(&envoy)[0]["verdict"], "would_block");
            let action = if shown == MAIL { "action=.=would_redact;" } else { "action=.=redact;" };
            assert_eq!(envoy.script.metric(&[action, "kind=.=email", "direction=.=request"]), 1);
        }
    }
    let off = policy(false, "off", false, "", "").replace("true", "false");
    let mut envoy = Envoy::new(&off, false);
    assert_eq!(values(&exchange(&mut envoy, &[("x-key", KEY)], &[]).upstream.headers, "x-key"), [KEY]);
}

#[test]
fn fewer_findings_than_the_threshold_pass_counted_and_are_masked_where_redact_has_them() {
    let other = "AKIAIOSFODNN7EXAMPLF";
    let (one, two) = (KEY.to_owned(), format!("{KEY} {other}"));
    let detect = &["action=.=detect;", "kind=.=aws_access_key"][..];
    for (extra, redact, value, refused, shown) in [
        (r#", "min_findings": 2"#, "", &one, false, KEY),
        (r#", "min_findings": 2"#, "", &two, true, ""),
        (r#", "min_findings": {"aws_access_key": 2}"#, "", &one, false, KEY),
        (r#", "min_findings": {"aws_access_key": 2}"#, "", &two, true, ""),
        (r#", "min_findings": {"aws_access_key": 2}"#, r#""aws_access_key", "#, &one, false, "[REDACTED:aws_access_key]"),
        (r#", "min_findings": {"aws_access_key": 2}"#, r#""aws_access_key", "#, &two, true, ""),
        // Of another kind one is enough.
        (r#", "min_findings": {"group:financial": 2}"#, "", &one, true, ""),
    ] {
        let text = policy(false, "block", false, extra, extra).replace(r#""redact": [""#, &format!(r#""redact": [{redact}""#));
        let path = format!("/x?key={}", value.replace(' ', "&key="));
        for (header, found) in [(("x-key", value.as_str()), "x-key"), ((":path", path.as_str()), ":path")] {
            let mut envoy = Envoy::new(&text, false);
            let outcome = exchange(&mut envoy, &[header], &[]);
            assert_eq!(outcome.reply.is_some(), refused, "{extra} {redact} {header:?}");
            if refused {
                assert!(envoy.script.metric(&["action=.=block;", "kind=.=aws_access_key"]) > 0);
                continue;
            }
            let left = values(&outcome.upstream.headers, found)[0];
            assert_eq!(
                left,
                if found == ":path" { format!("/x?key={}", shown.replace('[', "%5B").replace(']', "%5D")) } else { shown.into() }
            );
            assert_eq!(envoy.script.metric(detect), i64::from(redact.is_empty()), "{extra} {redact}");
            let verdict = if redact.is_empty() { "clean" } else { "redacted" };
            assert_eq!(envoy.script.filter_state("bodyguard.verdict").as_deref(), Some(verdict));
        }
    }
}

#[test]
fn headers_and_query_have_thresholds_of_their_own() {
    let extra = r#", "min_findings": 2"#;
    let both = [("x-key", KEY), (":path", "/x?key=AKIAIOSFODNN7EXAMPLE")];
    let mut envoy = Envoy::new(&policy(false, "block", true, extra, extra), false);
    assert!(exchange(&mut envoy, &both, &[("x-key", KEY)]).reply.is_none(), "one in each is not two in one");
    assert_eq!(envoy.script.metric(&["action=.=detect;", "kind=.=aws_access_key", "direction=.=request;"]), 2);
    // What is refused for its headers has its query masked too, whatever the threshold: an access log shows it.
    let text = policy(false, "block", true, "", extra);
    let mut envoy = Envoy::new(&text, false);
    assert_eq!(exchange(&mut envoy, &both, &[]).reply.map(|reply| reply.status), Some(403));
    assert_eq!(envoy.script.metric(&["action=.=block;", "kind=.=aws_access_key"]), 1);
    // Watched, the threshold decides what would be blocked.
    for (value, action) in
        [(KEY.to_owned(), "action=.=detect;"), (format!("{KEY} AKIAIOSFODNN7EXAMPLF"), "action=.=would_block;")]
    {
        let mut envoy = Envoy::new(&policy(false, "shadow", false, extra, extra), false);
        exchange(&mut envoy, &[("x-key", &value)], &[]);
        assert!(envoy.script.metric(&[action, "kind=.=aws_access_key"]) > 0, "{value}");
    }
}

#[test]
fn head_and_body_of_a_message_make_one_event_with_the_graver_verdict() {
    for flag in [true, false] {
        let mut envoy = envoy(flag, "block", true);
        let body = format!("key {KEY}");
        let outcome = envoy.exchange(&post(&[body.as_bytes()], End::OnLastChunk, &[("x-owner", MAIL)]), &Message::default());
        assert_eq!(outcome.reply.unwrap().status, 403);
        let [event] = &events(&envoy)[..] else { panic!("{:?}", events(&envoy)) };
        assert_eq!((&event["verdict"], &event["code"]), (&"blocked".into(), &"body.dlp_block:aws_access_key".into()));
        assert_eq!(event["findings"], serde_json::json!({"aws_access_key": 1, "email": 1}));
        assert_eq!(envoy.script.metric(&["bodyguard_messages_total"]), 1);
        assert_eq!(envoy.script.metric(&["bodyguard_findings_total"]), 2);
    }
}

#[test]
fn what_was_found_in_a_head_is_told_even_if_its_body_never_ends() {
    let mut envoy = envoy(false, "block", true);
    let mut exchange = envoy.begin();
    exchange.send(Direction::Request, &post(&[CLEAN], End::Never, &[("x-owner", MAIL)]));
    exchange.close();
    assert_eq!(events(&envoy).len(), 1);
    assert_eq!(envoy.script.metric(&["verdict=.=redacted"]), 1);
}

#[test]
fn credentials_cookies_and_what_frames_a_message_are_left_alone() {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLWJ5dGVzLWhlcmU";
    let bearer = format!("Bearer {jwt}");
    let cookie = format!("sid={jwt}; mail={MAIL}");
    let mut envoy = envoy(false, "block", false);
    let list =
        [("authorization", bearer.as_str()), ("cookie", &cookie), ("traceparent", "00-4111111111111111-4111111111111111-01")];
    let outcome = exchange(&mut envoy, &list, &[("set-cookie", &cookie), ("etag", "\"4111111111111111\"")]);
    for (name, value) in list {
        assert_eq!(values(&outcome.upstream.headers, name), [value]);
    }
    assert_eq!(values(&outcome.client.headers, "set-cookie"), [&cookie]);
    assert_eq!(envoy.script.metric(&["bodyguard_findings_total"]), 0);
    let more = policy(false, "block", false, r#", "include": ["Authorization", "cookie", "set-cookie"]"#, "");
    let outcome = exchange(&mut Envoy::new(&more, false), &list, &[("set-cookie", &cookie)]);
    assert_eq!(values(&outcome.upstream.headers, "authorization"), ["Bearer [REDACTED:jwt]"]);
    assert_eq!(values(&outcome.upstream.headers, "cookie"), ["sid=[REDACTED:jwt]; mail=[REDACTED:email]"]);
    assert_eq!(values(&outcome.client.headers, "set-cookie"), ["sid=[REDACTED:jwt]; mail=[REDACTED:email]"]);
}

#[test]
fn lists_of_names_decide_what_is_read() {
    for (lists, masked) in [
        ("", ["x-a", "x-b", "y"].as_slice()),
        (r#", "exclude": ["X-A"]"#, &["x-b", "y"]),
        (r#", "exclude": ["x-*"]"#, &["y"]),
        (r#", "only": ["x-b"]"#, &["x-b"]),
        (r#", "direction": "response""#, &[]),
        (r#", "direction": "request""#, &["x-a", "x-b", "y"]),
    ] {
        let mut envoy = Envoy::new(&policy(false, "block", false, lists, ""), false);
        let outcome = exchange(&mut envoy, &[("x-a", MAIL), ("x-b", MAIL), ("y", MAIL)], &[]);
        for name in ["x-a", "x-b", "y"] {
            let expected = if masked.contains(&name) { "[REDACTED:email]" } else { MAIL };
            assert_eq!(values(&outcome.upstream.headers, name), [expected], "{lists} {name}");
        }
    }
    for (lists, path) in [
        ("", "/x?a=%5BREDACTED:email%5D&b%20c=%5BREDACTED:email%5D"),
        (r#", "exclude": ["a"]"#, "/x?a=ada@example.com&b%20c=%5BREDACTED:email%5D"),
        (r#", "exclude": ["b c"]"#, "/x?a=%5BREDACTED:email%5D&b%20c=ada@example.com"),
        (r#", "only": ["a"]"#, "/x?a=%5BREDACTED:email%5D&b%20c=ada@example.com"),
    ] {
        let mut envoy = Envoy::new(&policy(false, "block", false, "", lists), false);
        let outcome = exchange(&mut envoy, &[(":path", "/x?a=ada@example.com&b%20c=ada@example.com")], &[]);
        assert_eq!(values(&outcome.upstream.headers, ":path"), [path], "{lists}");
    }
}

#[test]
fn several_headers_of_a_name_keep_their_order_and_bytes() {
    let mut envoy = envoy(false, "block", false);
    let mut request = with(get(), &[("x-t", "one"), ("x-t", MAIL), ("x-t", "three")]);
    request.headers.push(("x-raw".into(), b"\xff\xfe ada@example.com \x80".to_vec()));
    request.headers.push(("x-odd".into(), b"\xc3\x28".to_vec()));
    let outcome = envoy.exchange(&request, &response(&[CLEAN], End::OnLastChunk, &[]));
    assert_eq!(values(&outcome.upstream.headers, "x-t"), ["one", "[REDACTED:email]", "three"]);
    let list = outcome.upstream.headers.unwrap();
    let value = |name: &str| list.iter().find(|(other, _)| other == name).unwrap().1.clone();
    assert_eq!(value("x-raw"), b"\xff\xfe [REDACTED:email] \x80");
    assert_eq!(value("x-odd"), b"\xc3\x28");
    assert_eq!(list.len(), request.headers.len());
}

#[test]
fn a_query_is_masked_as_it_reads_and_stays_one() {
    for (query, masked) in [
        ("?q=clean", "?q=clean"),
        ("", ""),
        ("?", "?"),
        ("?mail=ada@example.com", "?mail=%5BREDACTED:email%5D"),
        ("?mail=ada%40example.com&x=1", "?mail=%5BREDACTED:email%5D&x=1"),
        ("?card=4111111111111111", "?card=************1111"),
        ("?card=4111+1111+1111+1111&b=%zz", "?card=****+****+****+1111&b=%zz"),
        ("?card=4111%201111%201111%201111", "?card=****%20****%20****%201111"),
        ("?ada@example.com", "?%5BREDACTED:email%5D"),
        ("?a=1?mail=ada@example.com?", "?a=1?mail=%5BREDACTED:email%5D?"),
    ] {
        let mut envoy = envoy(false, "block", false);
        let outcome = exchange(&mut envoy, &[(":path", &format!("/a%2Fb/ada@example.com{query}"))], &[]);
        assert_eq!(values(&outcome.upstream.headers, ":path"), [format!("/a%2Fb/ada@example.com{masked}")]);
        assert!(envoy.script.log().iter().all(|(_, line)| !line.contains("ada@") && !line.contains("4111")));
    }
}

#[test]
fn a_mask_in_a_url_is_legal_there() {
    let mut envoy = envoy(false, "block", false);
    let url = "https://example.com/?mail=ada@example.com";
    let outcome = exchange(&mut envoy, &[("referer", url)], &[("location", url)]);
    assert_eq!(values(&outcome.upstream.headers, "referer"), ["https://example.com/?mail=%5BREDACTED:email%5D"]);
    assert_eq!(values(&outcome.client.headers, "location"), ["https://example.com/?mail=%5BREDACTED:email%5D"]);
}

#[test]
fn a_mask_can_keep_its_length() {
    let mut envoy = Envoy::new(&policy(false, "block", false, r#", "mask": "same_length""#, r#", "mask": "same_length""#), false);
    let outcome = exchange(&mut envoy, &[("x-a", MAIL), (":path", "/?m=ada%40example.com")], &[]);
    assert_eq!(values(&outcome.upstream.headers, "x-a"), ["***@*******.***"]);
    assert_eq!(values(&outcome.upstream.headers, ":path"), ["/?m=***%40*******.***"]);
}

#[test]
fn a_value_that_begins_in_one_header_never_ends_in_another() {
    let text = policy(false, "block", false, "", "").replace(r#""email", "#, r#""email", "private_key", "#);
    let mut envoy = Envoy::new(&text, false);
    let material = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj".repeat(3);
    let begin = format!("-----BEGIN PRIVATE KEY-----\\n{material}");
    let outcome = exchange(&mut envoy, &[("x-key", &begin), ("x-next", &material), ("x-last", "kept")], &[]);
    assert_eq!(values(&outcome.upstream.headers, "x-key"), ["[REDACTED:private_key]"]);
    assert_eq!(values(&outcome.upstream.headers, "x-next"), [&material]);
    assert_eq!(values(&outcome.upstream.headers, "x-last"), ["kept"]);
}

#[test]
fn grpc_is_refused_in_its_own_words_and_its_binary_metadata_passes() {
    let mut envoy = envoy(false, "block", false);
    let grpc = [("content-type", "application/grpc"), ("x-key", KEY)];
    let reply = exchange(&mut envoy, &grpc, &[]).reply.unwrap();
    assert_eq!((reply.grpc_status, reply.body.as_str()), (Some(7), "blocked: headers.dlp_block:aws_access_key"));
    let outcome = exchange(&mut envoy, &[("content-type", "application/grpc"), ("token-bin", KEY)], &[]);
    assert_eq!(values(&outcome.upstream.headers, "token-bin"), [KEY]);
}

#[test]
fn an_upgrade_has_a_head_like_any_other() {
    let mut envoy = envoy(false, "block", true);
    let upgrade = [("connection", "Upgrade"), ("upgrade", "websocket"), (":path", "/ws?mail=ada@example.com")];
    let outcome = exchange(&mut envoy, &upgrade, &[(":status", "101")]);
    assert_eq!(values(&outcome.upstream.headers, ":path"), ["/ws?mail=%5BREDACTED:email%5D"]);
    assert_eq!(envoy.script.metric(&["bodyguard_messages_total", "direction=.=request"]), 1);
}

#[test]
fn detectors_of_the_policy_count_in_heads_like_any_kind() {
    let text = r#"{"detectors": {"part": {"regex": "PN-[0-9]{6}"}}, "domains": [{"hosts": ["*"], "policy": {"checks": {
        "headers": {"dlp": {"block": ["part"]}}, "query": {"dlp": {"redact": ["part"]}}}}}]}"#;
    assert_eq!(Policy::from_yaml_or_json(text).unwrap().warnings, []);
    let mut envoy = Envoy::new(text, false);
    let outcome = exchange(&mut envoy, &[(":path", "/?p=PN-123456")], &[]);
    assert_eq!(values(&outcome.upstream.headers, ":path"), ["/?p=%5BREDACTED:part%5D"]);
    let reply = exchange(&mut envoy, &[("x-part", "PN-123456")], &[]).reply.unwrap();
    assert!(reply.body.contains(r#""code":"headers.dlp_block:part""#), "{}", reply.body);
}

#[test]
fn a_scope_replaces_the_checks_of_a_wider_one_whole() {
    let text = r#"{"defaults": {"checks": {"headers": {"dlp": {"redact": ["email"]}}, "query": {"dlp": {"redact": ["email"]}}}},
        "domains": [{"hosts": ["*"], "routes": [{"match": {}, "policy": {"checks": {"headers": {"dlp": {"block": ["jwt"]}}}}}]}]}"#;
    let policy = Policy::from_yaml_or_json(text).unwrap();
    assert_eq!(policy.warnings, []);
    let rule = policy.rules().next().unwrap();
    let lists = &rule.heads.request_headers.as_ref().unwrap().lists;
    assert_eq!((lists.block.iter().count(), lists.redact.is_empty()), (1, true));
    assert!(rule.heads.query.is_some() && rule.heads.response_headers.is_some());
}

/// Own kinds, each with its regex and list, looked for in heads.
fn own(kinds: &[(&str, &str, &str)], query: &str) -> Envoy {
    let detectors: serde_json::Map<String, serde_json::Value> =
        kinds.iter().map(|(name, regex, _)| ((*name).to_owned(), serde_json::json!({"regex": regex}))).collect();
    let list = |list: &str| -> Vec<&str> { kinds.iter().filter(|kind| kind.2 == list).map(|kind| kind.0).collect() };
    let lists = serde_json::json!({"block": list("block"), "redact": list("redact")});
    let mut of_query: serde_json::Value = serde_json::from_str(query).unwrap();
    of_query.as_object_mut().unwrap().extend(lists.as_object().unwrap().clone());
    let checks = serde_json::json!({"headers": {"dlp": lists}, "query": {"dlp": of_query}});
    let text =
        serde_json::json!({"detectors": detectors, "domains": [{"hosts": ["*"], "policy": {"checks": checks}}]}).to_string();
    assert_eq!(Policy::from_yaml_or_json(&text).unwrap().warnings, []);
    Envoy::new(&text, false)
}

#[test]
fn a_match_that_begins_in_a_name_or_in_another_header_hides_none_in_a_value() {
    let token = [("tok", "(?i)token[=:] ?[^;]{8,}", "block")];
    for blocked in [
        &[("x-n", "token=realsecret1")][..],
        &[("x-token", "a"), ("x-n", "token=realsecret1")],
        &[("token", "token=realsecret1")],
        &[("x-token", "a"), ("x-m", "b"), ("x-n", "token=realsecret1"), ("x-o", "c")],
        &[("x-n", "token="), ("x-m", "token=realsecret1")],
    ] {
        let outcome = exchange(&mut own(&token, "{}"), blocked, &[]);
        assert_eq!(outcome.reply.map(|reply| reply.status), Some(403), "{blocked:?}");
    }
    for clean in [&[("x-n", "token=a"), ("x-m", "longer than that")][..], &[("x-token", "a"), ("x-m", "b")]] {
        assert!(exchange(&mut own(&token, "{}"), clean, &[]).reply.is_none(), "{clean:?}");
    }
    let mut envoy = own(&[("tok", r"token=[^\n]+", "redact")], "{}");
    let outcome = exchange(&mut envoy, &[("x-a", "token=first"), ("x-b", "is token=second"), ("x-c", "third")], &[]);
    assert_eq!(values(&outcome.upstream.headers, "x-a"), ["[REDACTED:tok]"]);
    assert_eq!(values(&outcome.upstream.headers, "x-b"), ["is [REDACTED:tok]"]);
    assert_eq!(values(&outcome.upstream.headers, "x-c"), ["third"]);
}

#[test]
fn a_match_in_one_parameter_hides_none_in_the_next() {
    let word = [("pw", "pw=[!-~]{12,64}", "block")];
    let status = |kinds: &[(&str, &str, &str)], query: &str, path: &str| {
        exchange(&mut own(kinds, query), &[(":path", path)], &[]).reply.map(|reply| reply.status)
    };
    for (query, path, blocked) in [
        (r#"{"exclude": ["q"]}"#, "/?q=pw=&e=pw=Realsecret123", true),
        (r#"{"exclude": ["q"]}"#, "/?q=pw=Realsecret123&e=1", false),
        ("{}", "/?pw=1&b=longerthanthat", false),
        (r#"{"min_findings": 2}"#, "/?pw=Realsecret123&e.pw=Realsecret124", true),
        (r#"{"min_findings": 2}"#, "/?pw=Realsecret123&e=1", false),
        (r#"{"exclude": ["q"]}"#, "/?q=1;e=pw=Realsecret123", true),
        (r#"{"exclude": ["q"]}"#, "/?q=1;q=pw=Realsecret123", false),
        (r#"{"only": ["e"]}"#, "/?q=1;e=pw=Realsecret123;f=2", true),
        (r#"{"only": ["e"]}"#, "/?q=1;f=pw=Realsecret123;e=2", false),
        (r#"{"exclude": ["q"]}"#, "/?e=1;q=pw=Realsecret123", true),
    ] {
        assert_eq!(status(&word, query, path), blocked.then_some(403), "{query} {path}");
    }
}

#[test]
fn masks_that_would_make_a_head_much_longer_keep_its_length() {
    let mails = |count: usize| "a@b.co;".repeat(count);
    let label = "[REDACTED:email];".len() - "a@b.co;".len();
    let most = 4096 / label;
    for (count, kept) in [(most, false), (most + 1, true), (4000, true)] {
        let mut envoy = envoy(false, "block", false);
        let outcome = exchange(&mut envoy, &[("x-a", &mails(count))], &[("x-a", &mails(count))]);
        for list in [&outcome.upstream.headers, &outcome.client.headers] {
            let value = values(list, "x-a")[0];
            assert!(!value.contains("a@b.co"));
            assert_eq!(value.len() == mails(count).len(), kept, "{count}");
        }
    }
    let mut envoy = envoy(false, "block", false);
    let (note, path) = (mails(most / 2 + 1), format!("/?m={}", mails(most / 2 + 1)));
    let outcome = exchange(&mut envoy, &[("x-a", &note), (":path", &path)], &[]);
    assert_eq!(values(&outcome.upstream.headers, "x-a")[0].len(), note.len(), "headers and query count together");
    assert_eq!(values(&outcome.upstream.headers, ":path")[0].len(), path.len());
}

#[test]
fn a_mask_in_a_media_type_or_a_link_leaves_them_readable() {
    let mut envoy = envoy(false, "block", false);
    let link = format!("<https://api.example.com/?mail={MAIL}&page=2>; rel=next");
    let outcome = exchange(&mut envoy, &[], &[("content-type", "text/plain; owner=ada@example.com"), ("link", &link)]);
    assert_eq!(values(&outcome.client.headers, "content-type"), ["text/plain; owner=***@*******.***"]);
    assert_eq!(
        values(&outcome.client.headers, "link"),
        ["<https://api.example.com/?mail=%5BREDACTED:email%5D&page=2>; rel=next"]
    );
}

const PAGE: &str = include_str!("../docs/headers.md");

/// The names in the row of the page's last table that begins so; `x-*` as `x-1`.
fn row(beginning: &str) -> Vec<String> {
    let (_, table) = PAGE.split_once("## What is not read").unwrap();
    let row = table.lines().find(|line| line.starts_with(&format!("| {beginning} |"))).unwrap();
    let names = row.split('`').skip(1).step_by(2).filter(|name| !name.starts_with(':') && !name.contains('.'));
    names.map(|name| name.replace("*-bin", "a-bin").replace('*', "1")).collect()
}

fn reads(dlp: &str, name: &str, response: bool) -> bool {
    let text = format!("{{defaults: {{checks: {{headers: {{dlp: {{redact: [jwt]{dlp}}}}}}}}}, domains: [{{host: '*'}}]}}");
    let policy = Policy::from_yaml_or_json(&text).unwrap();
    let heads = &policy.rules().next().unwrap().heads;
    let head_rule = if response { &heads.response_headers } else { &heads.request_headers };
    head_rule.as_ref().unwrap().names.has_header(name, response)
}

#[test]
fn the_page_says_which_headers_are_not_read() {
    let all = ", only: ['*']";
    for name in row("never") {
        assert!(!reads(all, &name, false) && !reads(all, &name, true), "{name}");
    }
    for name in row("not by default, in requests") {
        assert!(!reads("", &name, false) && reads("", &name, true) && reads(all, &name, false), "{name}");
    }
    for name in row("not by default") {
        assert!(!reads("", &name, false) && !reads("", &name, true) && reads(all, &name, true), "{name}");
    }
    assert!(row("never").len() > 15 && row("not by default").len() > 15);
    let (_, yaml) = PAGE.split_once("```yaml\n").unwrap();
    let policy = Policy::from_yaml_or_json(yaml.split_once("```").unwrap().0).unwrap();
    assert_eq!(policy.warnings, []);
    assert!(policy.rules().all(|rule| rule.inspects() && rule.request.is_none()));
}

/// What may stand in a header: no CR, LF or NUL; here, any other byte that a parser would let through. Two cards with one space between
/// them are read as one long run of groups, so there is more between values.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let noise = proptest::collection::vec(prop_oneof![0x20u8..0x7f, 0x80u8..=0xff, Just(b'\t'), Just(b'%')], 0..12);
    let planted = prop_oneof![
        Just(MAIL.as_bytes().to_vec()),
        Just(CARD.as_bytes().to_vec()),
        Just(b"ada%40example.com".to_vec()),
        Just(br"\u0061da@example.com".to_vec()),
        Just(b"4111-1111-1111-1111".to_vec()),
    ];
    proptest::collection::vec(prop_oneof![noise, planted], 0..6).prop_map(|parts| parts.join(&b"; "[..]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_masked_header_is_legal_and_holds_nothing_that_would_be_masked_again(
        list in proptest::collection::vec((prop_oneof![Just("x-a"), Just("x-b"), Just("referer")], value()), 0..6),
        query in "[ -~&&[^#]]{0,20}(mail=ada(@|%40)example\\.com)?&?(c=4111(%20|\\+|-)1111(%20|\\+|-)1111(%20|\\+|-)1111)?[!-~&&[^#]]{0,9}",
    ) {
        let mut envoy = envoy(false, "block", false);
        let mut request = get();
        request.headers[2].1 = format!("/x?{query}").into_bytes();
        request.headers.extend(list.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let outcome = envoy.exchange(&request, &response(&[CLEAN], End::OnLastChunk, &[]));
        let sent = outcome.upstream.headers.unwrap();
        prop_assert_eq!(sent.len(), request.headers.len());
        for (_, value) in &sent {
            prop_assert!(!value.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')));
        }
        for name in ["x-a", "x-b", "referer"] {
            let of = |list: &HeaderList| -> Vec<Vec<u8>> {
                list.iter().filter(|(other, _)| other == name).map(|(_, value)| value.clone()).collect()
            };
            let (before, after) = (of(&request.headers), of(&sent));
            prop_assert_eq!(before.len(), after.len());
            for (before, after) in before.iter().zip(&after) {
                let clean = bodyguard::scan::scan(bodyguard::detect::KindSet::all(), before).is_empty();
                prop_assert!(!clean || before == after, "what is clean stays byte for byte");
            }
        }
        let path = &sent.iter().find(|(name, _)| name == ":path").unwrap().1;
        let illegal = |path: &[u8]| path.iter().filter(|byte| !byte.is_ascii_graphic() || b"\"<>[]^`{|}\\".contains(byte)).count();
        prop_assert!(illegal(path) <= illegal(&request.headers[2].1), "a mask adds nothing that a query may not hold");
        // Sent once more, nothing is left to mask.
        let again = envoy.exchange(&Message { headers: sent.clone(), ..Message::default() }, &response(&[CLEAN], End::OnLastChunk, &[]));
        let mut twice = again.upstream.headers.unwrap();
        let mut once = sent;
        once.sort();
        twice.sort();
        prop_assert_eq!(once, twice);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_masked_in_a_value_does_not_depend_on_the_headers_beside_it(
        list in proptest::collection::vec(("(x-(tok|n)|tok)", "(tok|[=:] ?|[a-c;]){0,12}"), 1..5),
    ) {
        let regex = [("tok", "tok[=:] ?[^;]{3,9}", "redact")];
        let mut envoy = own(&regex, "{}");
        let mut masked = |headers: &[(&str, &str)]| exchange(&mut envoy, headers, &[]).upstream.headers.unwrap();
        let numbered: Vec<(String, String)> =
            list.iter().enumerate().map(|(at, (name, value))| (format!("x-{at}-{name}"), value.clone())).collect();
        let all: Vec<(&str, &str)> = numbered.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let together = masked(&all);
        for header in &all {
            let alone = masked(&[*header]);
            let of = |list: &HeaderList| list.iter().find(|(name, _)| name == header.0).map(|(_, value)| value.clone());
            prop_assert_eq!(of(&together), of(&alone), "{:?}", header);
        }
    }
}
