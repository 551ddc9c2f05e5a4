//! Judgements and masks on hand-made findings: no detector has a say here.

use std::sync::Arc;

use super::*;
use crate::body::JsonTracker;
use crate::detect::{Detector, Detectors, HashKey, Kind, KindSet, Mask};
use crate::policy::{BlockResponse, BodyMode, BodyRule, FailMode, MinFindings, Mode, Rule};
use crate::scan::{Finding, Programs};

fn body_rule(block: &[Kind], redact: &[Kind]) -> BodyRule {
    BodyRule {
        max_bytes: 100,
        body_mode: BodyMode::Auto,
        block: block.iter().copied().collect(),
        redact: redact.iter().copied().collect(),
        sensitive_data: false,
        program: Programs::default().of(block.iter().chain(redact).copied().collect()),
        json: None,
        redact_in_observe_modes: true,
        same_length: KindSet::EMPTY,
        min_findings: MinFindings::default(),
    }
}

fn rule(mode: Mode, fail_mode: FailMode) -> Rule {
    Rule {
        heads: Default::default(),
        source: "$".into(),
        mode,
        fail_mode,
        request: None,
        response: None,
        skip_content_types: vec![],
        strip_ranges: true,
        deny_upgrades: false,
        block_response: None,
        detectors: Arc::default(),
    }
}

static NO_DETECTORS: std::sync::LazyLock<Detectors> = std::sync::LazyLock::new(Detectors::default);

fn plain() -> Masks<'static> {
    Masks { detectors: &NO_DETECTORS, same_length: KindSet::EMPTY }
}

fn finding(kind: Kind, start: u64, end: u64) -> Finding {
    Finding { start, end, kind }
}

fn judged(mode: Mode, body_rule: &BodyRule, findings: &[Finding]) -> Judgement {
    judge::of_findings(&rule(mode, FailMode::Close), body_rule, findings, &mut judge::Seen::new())
}

fn counts(judgement: &Judgement) -> Vec<String> {
    let name = |count: &Count| count.kind.map_or("none", Kind::name);
    judgement.counts.iter().map(|count| format!("{}/{}/{}={}", count.engine, name(count), count.action, count.findings)).collect()
}

#[test]
fn a_block_kind_blocks_before_anything_is_masked() {
    let body_rule = body_rule(&[Kind::AWS_ACCESS_KEY], &[Kind::EMAIL]);
    let findings = [finding(Kind::EMAIL, 0, 9), finding(Kind::AWS_ACCESS_KEY, 20, 40)];
    let judgement = judged(Mode::Block, &body_rule, &findings);
    assert_eq!((judgement.verdict, judgement.status, judgement.rewrite), (Verdict::Blocked, 403, false));
    assert_eq!(judgement.code.map(|code| code.text(&Detectors::default())).as_deref(), Some("body.dlp_block:aws_access_key"));
    assert_eq!(counts(&judgement), ["dlp/email/detect=1", "dlp/aws_access_key/block=1"]);
}

#[test]
fn observe_modes_record_the_block_and_still_mask() {
    for mode in [Mode::Detect, Mode::Shadow] {
        let body_rule = body_rule(&[Kind::AWS_ACCESS_KEY], &[Kind::EMAIL]);
        let findings = [finding(Kind::EMAIL, 0, 9), finding(Kind::EMAIL, 10, 19), finding(Kind::AWS_ACCESS_KEY, 20, 40)];
        let judgement = judged(mode, &body_rule, &findings);
        assert_eq!((judgement.verdict, judgement.rewrite), (Verdict::WouldBlock, true));
        assert_eq!(counts(&judgement), ["dlp/email/redact=2", "dlp/aws_access_key/would_block=1"]);
    }
}

#[test]
fn observe_modes_mask_nothing_where_the_policy_says_so() {
    let mut body_rule = body_rule(&[], &[Kind::EMAIL]);
    body_rule.redact_in_observe_modes = false;
    let judgement = judged(Mode::Detect, &body_rule, &[finding(Kind::EMAIL, 0, 9)]);
    assert_eq!((judgement.verdict, judgement.rewrite), (Verdict::Clean, false));
    assert_eq!(counts(&judgement), ["dlp/email/would_redact=1"]);
    let judgement = judged(Mode::Block, &body_rule, &[finding(Kind::EMAIL, 0, 9)]);
    assert_eq!((judgement.verdict, judgement.rewrite), (Verdict::Redacted, true));
}

#[test]
fn the_hook_blocks_on_any_core_kind_and_never_masks() {
    let mut body_rule = body_rule(&[], &[Kind::EMAIL]);
    body_rule.sensitive_data = true;
    let findings = [finding(Kind::STRIPE_KEY, 0, 30), finding(Kind::EMAIL, 40, 49)];
    let judgement = judged(Mode::Block, &body_rule, &findings);
    assert_eq!(judgement.code.map(|code| code.text(&Detectors::default())).as_deref(), Some("body.sensitive_data:stripe_key"));
    assert_eq!(judgement.verdict, Verdict::Blocked);
    assert_eq!(counts(&judgement), ["dlp/email/detect=1", "sensitive_data/stripe_key/block=1", "sensitive_data/email/block=1"]);
    let judgement = judged(Mode::Shadow, &body_rule, &findings);
    assert_eq!((judgement.verdict, judgement.rewrite), (Verdict::WouldBlock, true));
    // Other kinds, built-in or the policy's own, are none of its business.
    let others = [finding(Kind::from_name("iban").unwrap(), 0, 22), finding(Kind::own(0).unwrap(), 30, 40)];
    let judgement = judged(Mode::Block, &body_rule, &others);
    assert_eq!((judgement.verdict, judgement.code, judgement.counts.len()), (Verdict::Clean, None, 0));
}

#[test]
fn a_failure_follows_its_own_rule() {
    use FailMode::{Close, Open};
    use Failure::{Corrupt, TooLarge, UnknownEncoding};
    let rows = [
        (Mode::Block, Close, TooLarge, Direction::Request, Verdict::Blocked, Some("body.truncated"), 413),
        (Mode::Block, Open, TooLarge, Direction::Response, Verdict::Blocked, Some("body.truncated"), 502),
        (Mode::Block, Close, Corrupt, Direction::Request, Verdict::FailedClosed, Some("body.undecodable"), 400),
        (Mode::Block, Close, UnknownEncoding, Direction::Request, Verdict::FailedClosed, Some("body.undecodable"), 415),
        (Mode::Block, Close, UnknownEncoding, Direction::Response, Verdict::FailedClosed, Some("body.undecodable"), 502),
        (Mode::Block, Open, Corrupt, Direction::Response, Verdict::FailedOpen, None, 502),
        (Mode::Shadow, Close, TooLarge, Direction::Request, Verdict::WouldBlock, Some("body.truncated"), 413),
        (Mode::Detect, Close, Corrupt, Direction::Response, Verdict::WouldBlock, Some("body.undecodable"), 502),
        (Mode::Detect, Open, Corrupt, Direction::Response, Verdict::FailedOpen, None, 502),
    ];
    for (mode, fail_mode, failure, direction, verdict, code, status) in rows {
        let body_rule = body_rule(&[Kind::EMAIL], &[]);
        let judgement = judge::of_failure(&rule(mode, fail_mode), &body_rule, direction, failure, &[]);
        let seen = (judgement.verdict, judgement.code.map(|code| code.text(&Detectors::default())), judgement.status);
        assert_eq!(seen, (verdict, code.map(str::to_owned), status), "{mode:?} {fail_mode:?} {failure:?} {direction:?}");
        assert_eq!(judgement.uninspected.is_some(), !verdict.blocks());
        assert!(!judgement.rewrite);
    }
}

#[test]
fn a_block_match_before_the_corruption_blocks_though_the_policy_fails_open() {
    let body_rule = body_rule(&[Kind::EMAIL], &[Kind::SSN]);
    let findings = [finding(Kind::EMAIL, 0, 9), finding(Kind::SSN, 10, 21)];
    let rule = rule(Mode::Block, FailMode::Open);
    let judgement = judge::of_failure(&rule, &body_rule, Direction::Response, Failure::Corrupt, &findings);
    assert_eq!(judgement.verdict, Verdict::Blocked);
    assert_eq!(judgement.code.map(|code| code.text(&Detectors::default())).as_deref(), Some("body.dlp_block:email"));
}

#[test]
fn a_body_that_cannot_be_rewritten_is_blocked_or_says_that_it_would_be() {
    let body_rule = body_rule(&[], &[Kind::EMAIL]);
    let judgement = judged(Mode::Block, &body_rule, &[finding(Kind::EMAIL, 0, 9)]).unmasked(Mode::Block, Direction::Request);
    assert_eq!((judgement.verdict, judgement.status, judgement.rewrite), (Verdict::Blocked, 413, false));
    let judgement = judged(Mode::Detect, &body_rule, &[finding(Kind::EMAIL, 0, 9)]).unmasked(Mode::Detect, Direction::Request);
    assert_eq!((judgement.verdict, judgement.rewrite), (Verdict::WouldBlock, false));
    assert_eq!(counts(&judgement), ["dlp/email/would_redact=1"]);
}

#[test]
fn of_overlapping_findings_block_kinds_win_then_the_leftmost_then_the_longest() {
    let body_rule = body_rule(&[Kind::GITHUB_TOKEN], &[Kind::JWT, Kind::EMAIL, Kind::SSN]);
    let rows: &[(&[Finding], &[Finding])] = &[
        // The token holds the JWT: nothing of it is masked by itself.
        (&[finding(Kind::GITHUB_TOKEN, 0, 50), finding(Kind::JWT, 10, 50)], &[]),
        (&[finding(Kind::SSN, 0, 11), finding(Kind::EMAIL, 0, 20)], &[finding(Kind::EMAIL, 0, 20)]),
        // What an overlapped finding has beyond the winner is masked with it.
        (&[finding(Kind::SSN, 0, 11), finding(Kind::EMAIL, 5, 20)], &[finding(Kind::SSN, 0, 11), finding(Kind::EMAIL, 11, 20)]),
        (
            &[finding(Kind::SSN, 0, 11), finding(Kind::EMAIL, 5, 20), finding(Kind::JWT, 15, 30)],
            &[finding(Kind::SSN, 0, 11), finding(Kind::EMAIL, 11, 20), finding(Kind::JWT, 20, 30)],
        ),
        (&[finding(Kind::SSN, 0, 11), finding(Kind::EMAIL, 11, 20)], &[finding(Kind::SSN, 0, 11), finding(Kind::EMAIL, 11, 20)]),
    ];
    for (findings, masked) in rows {
        let mut findings = findings.to_vec();
        findings.sort_unstable();
        assert_eq!(judge::redactions(Mode::Block, &body_rule, &findings), *masked, "{findings:?}");
    }
}

#[test]
fn overlapping_findings_never_leave_a_byte_of_a_redact_kind_readable() {
    use proptest::prelude::*;
    let kinds = [Kind::JWT, Kind::EMAIL, Kind::SSN];
    let body_rule = body_rule(&[], &kinds);
    proptest!(|(ranges in prop::collection::vec((0u64..60, 1u64..20, 0usize..3), 0..12))| {
        let mut findings: Vec<Finding> =
            ranges.iter().map(|&(start, len, kind)| finding(kinds[kind], start, start.saturating_add(len))).collect();
        findings.sort_unstable();
        let masked = judge::redactions(Mode::Block, &body_rule, &findings);
        let covered = |byte: u64| masked.iter().any(|range| range.start <= byte && byte < range.end);
        prop_assert!(masked.windows(2).all(|pair| pair[0].end <= pair[1].start));
        prop_assert!(findings.iter().all(|range| (range.start..range.end).all(covered)));
    });
}

#[test]
fn masks_say_what_was_there() {
    let rows: &[(&str, Kind, &str, &str)] = &[
        ("a «4111 1111-1111 1111» b", Kind::CREDIT_CARD, "a **** ****-**** 1111 b", "a **** ****-**** 1111 b"),
        ("«a@b.co»", Kind::EMAIL, "[REDACTED:email]", "*@*.**"),
        ("«4111%201111%201111%201111»", Kind::CREDIT_CARD, "****%20****%20****%201111", "****%20****%20****%201111"),
        (r"«\u0034111111111111111»", Kind::CREDIT_CARD, "************1111", "*****************1111"),
        ("«&#52;111111111111111»", Kind::CREDIT_CARD, "************1111", "****************1111"),
    ];
    for (marked, kind, labelled, in_place) in rows {
        let (before, rest) = marked.split_once('«').unwrap();
        let (value, after) = rest.split_once('»').unwrap();
        let body = format!("{before}{value}{after}");
        let findings = [finding(*kind, before.len() as u64, (before.len() + value.len()) as u64)];
        let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.unwrap()).unwrap();
        assert_eq!(text(rewrite(body.as_bytes(), &findings, plain(), None, None)), *labelled);
        if labelled.len() > body.len() {
            assert_eq!(text(rewrite(body.as_bytes(), &findings, plain(), None, Some(body.len()))), *in_place);
        }
    }
}

#[test]
fn a_mask_never_grows_a_body_past_its_room() {
    let body = b"a@b.co c@d.co";
    let findings = [finding(Kind::EMAIL, 0, 6), finding(Kind::EMAIL, 7, 13)];
    assert_eq!(rewrite(body, &findings, plain(), None, Some(13)).as_deref(), Some(&b"*@*.** *@*.**"[..]));
    assert_eq!(rewrite(body, &findings, plain(), None, Some(33)).as_deref(), Some(&b"[REDACTED:email] [REDACTED:email]"[..]));
    assert_eq!(rewrite(body, &findings, plain(), None, Some(12)), None);
}

#[test]
fn the_block_reply_is_json_and_names_the_code() {
    let body_rule = body_rule(&[Kind::EMAIL], &[]);
    let judgement = judged(Mode::Block, &body_rule, &[finding(Kind::EMAIL, 0, 9)]);
    let mut rule = rule(Mode::Block, FailMode::Close);
    let reply = block_reply(&rule, "api-dlp", Direction::Response, &judgement);
    assert_eq!(reply.status, 403);
    assert_eq!(reply.body, r#"{"error":"blocked","code":"body.dlp_block:email","direction":"response","policy":"api-dlp"}"#);
    assert_eq!(reply.headers[0], ("content-type", "application/json".into()));
    assert_eq!(reply.headers[1], ("x-bodyguard-code", "body.dlp_block:email".into()));

    rule.block_response =
        Some(BlockResponse { status: Some(451), content_type: Some("text/plain".into()), body: Some("no".into()) });
    let reply = block_reply(&rule, "api-dlp", Direction::Response, &judgement);
    assert_eq!((reply.status, reply.body.as_str(), reply.headers[0].1.as_str()), (451, "no", "text/plain"));

    let too_large = judge::of_failure(&rule, &body_rule, Direction::Request, Failure::TooLarge, &[]);
    let reply = block_reply(&rule, "api-dlp", Direction::Request, &too_large);
    assert_eq!((reply.status, reply.body.as_str()), (413, "no"), "what says why keeps its status");
}

#[test]
fn the_head_alone_decides_where_it_can() {
    let mut rule = rule(Mode::Block, FailMode::Close);
    rule.response = Some(body_rule(&[Kind::EMAIL], &[]));
    let rule = Arc::new(rule);
    let plan_of = |direction, head: MessageHead<'_>| plan(&rule, direction, &head);
    assert!(matches!(plan_of(Direction::Request, MessageHead::default()), Plan::Pass(None)));
    assert!(matches!(plan_of(Direction::Response, MessageHead::default()), Plan::Inspect(_)));
    let empty = MessageHead { content_length: Some(0), ..MessageHead::default() };
    assert!(matches!(plan_of(Direction::Response, empty), Plan::Pass(None)));
    let large = MessageHead { content_length: Some(101), ..MessageHead::default() };
    assert!(matches!(plan_of(Direction::Response, large), Plan::Judged(judgement) if judgement.status == 502));
    let kinds: KindSet = rule.response.as_ref().map(BodyRule::kinds).unwrap_or_default();
    assert!(kinds.contains(Kind::EMAIL) && !kinds.contains(Kind::SSN));
}

#[test]
fn a_number_that_another_finding_has_bitten_into_is_masked_as_text() {
    let body = b"[MII 4111111111111111]";
    let findings = [finding(Kind::PRIVATE_KEY, 1, 8), finding(Kind::CREDIT_CARD, 8, 21)];
    let written = rewrite(body, &findings, plain(), Some(JsonTracker::new()), None).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), "[[REDACTED:private_key]*********1111]");
}

/// A policy with one kind of its own, `patient`, that is masked so.
fn masked_as(mask: Mask) -> (Detectors, Kind) {
    let mut detectors = Detectors::default();
    let mut detector = Detector::of_regex("patient", "unused").unwrap();
    detector.setting.mask = Some(mask);
    let kind = detectors.add(detector).unwrap();
    (detectors, kind)
}

/// `marked` with what stands between the marks masked, as text or as JSON, with room to grow and without.
fn masked(mask: &Mask, marked: &str, json: bool, same_length: bool) -> String {
    let (detectors, kind) = masked_as(mask.clone());
    let (before, rest) = marked.split_once('«').unwrap();
    let (value, after) = rest.split_once('»').unwrap();
    let body = format!("{before}{value}{after}");
    let start = before.len() as u64;
    let findings = [finding(kind, start, start.saturating_add(value.len() as u64))];
    let masks = Masks { detectors: &detectors, same_length: if same_length { KindSet::EVERY } else { KindSet::EMPTY } };
    let written = rewrite(body.as_bytes(), &findings, masks, json.then(JsonTracker::new), None).unwrap();
    assert!(!same_length || json || written.len() == body.len(), "{marked}");
    String::from_utf8(written).unwrap()
}

#[test]
fn a_detectors_mask_shows_what_it_says_and_never_more_than_half() {
    for (mask, value, text, in_place) in [
        (Mask::Label, "MRN12345678", "[REDACTED:patient]", "***********"),
        (Mask::SameLength, "MRN-1234 5678", "***-**** ****", "***-**** ****"),
        (Mask::KeepLast(2), "MRN12345678", "*********78", "*********78"),
        (Mask::KeepLast(4), "a-b-1234", "*-*-*234", "*-*-*234"),
        (Mask::KeepLast(32), "123456", "***456", "***456"),
        (Mask::KeepLast(2), "1", "*", "*"),
        (Mask::KeepFirst(3), "MRN12345678", "MRN********", "MRN********"),
        (Mask::KeepFirst(9), "ab", "a*", "a*"),
        (Mask::KeepLast(2), r"\u0041BC%44", "**C%44", "*******C%44"),
        (Mask::KeepFirst(1), "Zoë Žižek", "Z** *****", "Z*** *******"),
    ] {
        assert_eq!(masked(&mask, &format!("a «{value}» b"), false, false), format!("a {text} b"), "{mask:?}");
        assert_eq!(masked(&mask, &format!("a «{value}» b"), false, true), format!("a {in_place} b"), "{mask:?}");
    }
}

#[test]
fn a_hash_is_the_same_for_the_same_value_and_not_without_its_key() {
    let key = |text: &str| Mask::Hash(HashKey::new(text.as_bytes()).unwrap());
    let hash = |mask: &Mask, value: &str| masked(mask, &format!("«{value}»"), false, false);
    // openssl dgst -sha256 -hmac 0123456789abcdef
    assert_eq!(hash(&key("0123456789abcdef"), "078-05-1120"), "[REDACTED:patient:1ef0ddfc5eafa070]");
    assert_eq!(hash(&key("0123456789abcdef"), r"\u0030\u00378-05-1120"), "[REDACTED:patient:1ef0ddfc5eafa070]");
    assert_ne!(hash(&key("0123456789abcdef"), "078-05-1120"), hash(&key("another key of bytes"), "078-05-1120"));
    assert_eq!(masked(&key("0123456789abcdef"), "«078-05-1120»", false, true), "***-**-****");
    let in_json = |value: &str| masked(&key("0123456789abcdef"), &format!("{{\"a\":\"«{value}»\"}}"), true, false);
    for (plain, escaped) in [
        ("https://x/y", r"https:\/\/x\/y"),
        ("https://x/y", r"https:\u002f\u002F\u0078/y"),
        ("zoë \u{1f600}", r"zo\u00eb \ud83d\uDE00"),
        ("078-05-1120", r"\u0030\u00378-05-1120"),
    ] {
        assert_eq!(in_json(escaped), format!("{{\"a\":\"{}\"}}", hash(&key("0123456789abcdef"), plain)), "{escaped}");
        assert_eq!(in_json(escaped), in_json(plain));
    }
    let plain_key = key("0123456789abcdef");
    let Mask::Hash(hashed) = &plain_key else { panic!("no hash") };
    assert!(in_json(r#"a\n\"\tb"#).contains(&hashed.hash("a\n\"\tb".bytes())));
    // In text a backslash is one, and half a pair of surrogates stays what is written.
    assert_ne!(hash(&key("0123456789abcdef"), r"x\/y"), hash(&key("0123456789abcdef"), "x/y"));
    assert!(in_json(r"x\ud83dy").contains(&hashed.hash(br"x\ud83dy".iter().copied())));
}

#[test]
fn a_match_over_quotes_and_braces_leaves_json_whole() {
    for (marked, written) in [
        (r#"{«"pin": 1234»}"#, r#"{"[REDACTED:patient]": "[REDACTED:patient]"}"#),
        (r#"{«"admin": true, "b"»: 1}"#, r#"{"[REDACTED:patient]": "[REDACTED:patient]", "[REDACTED:patient]": 1}"#),
        (r#"{"a": "x «y\»n z"}"#, r#"{"a": "x [REDACTED:patient]\n z"}"#),
        (r#"{"a": "x\«ny» z"}"#, r#"{"a": "x\n[REDACTED:patient] z"}"#),
        (r#"{"a": "x «y"»}"#, r#"{"a": "x [REDACTED:patient]"}"#),
        (r#"[1«2,3»4]"#, r#"["1[REDACTED:patient]","[REDACTED:patient]4"]"#),
    ] {
        let found = masked(&Mask::Label, marked, true, false);
        assert_eq!(found, written, "{marked}");
        assert!(serde_json::from_str::<serde_json::Value>(&found).is_ok(), "{found}");
        let found = masked(&Mask::Label, marked, true, true);
        assert!(serde_json::from_str::<serde_json::Value>(&found).is_ok(), "{found}");
    }
}

#[test]
fn fewer_findings_than_the_policy_wants_do_not_block() {
    let emails = |count: u64| (0..count).map(|at| finding(Kind::EMAIL, at * 10, at * 10 + 9));
    let with = |redact: &[Kind], min_findings| BodyRule { min_findings, ..body_rule(&[Kind::EMAIL, Kind::SSN], redact) };
    let of_email = || MinFindings::ByKind(vec![(Kind::EMAIL, 3)]);
    for (body_rule, count, ssn, verdict, expected) in [
        (with(&[], MinFindings::OfAll(3)), 2, false, Verdict::Clean, &["dlp/email/detect=2"][..]),
        (with(&[], MinFindings::OfAll(3)), 3, false, Verdict::Blocked, &["dlp/email/block=3"]),
        (with(&[], MinFindings::OfAll(3)), 2, true, Verdict::Blocked, &["dlp/email/block=2", "dlp/ssn/block=1"]),
        (with(&[], of_email()), 2, true, Verdict::Blocked, &["dlp/email/detect=2", "dlp/ssn/block=1"]),
        (with(&[], of_email()), 2, false, Verdict::Clean, &["dlp/email/detect=2"]),
        (with(&[], of_email()), 3, false, Verdict::Blocked, &["dlp/email/block=3"]),
        (with(&[Kind::EMAIL], of_email()), 2, false, Verdict::Redacted, &["dlp/email/redact=2"]),
        (with(&[Kind::EMAIL], of_email()), 3, false, Verdict::Blocked, &["dlp/email/block=3"]),
    ] {
        let findings: Vec<Finding> = emails(count).chain(ssn.then(|| finding(Kind::SSN, 90, 101))).collect();
        let judgement = judged(Mode::Block, &body_rule, &findings);
        assert_eq!(judgement.verdict, verdict, "{count} {ssn} {:?}", body_rule.min_findings);
        assert_eq!(counts(&judgement), expected, "{count} {ssn} {:?}", body_rule.min_findings);
        let watched = judged(Mode::Detect, &body_rule, &findings);
        assert_eq!(watched.code.is_some(), verdict == Verdict::Blocked);
    }
    // What is masked below the threshold is masked though a kind that does not block overlaps it.
    let both = BodyRule { min_findings: MinFindings::OfAll(9), ..body_rule(&[Kind::EMAIL], &[Kind::SSN]) };
    let overlapping = [finding(Kind::EMAIL, 0, 20), finding(Kind::SSN, 5, 16)];
    assert_eq!(judge::redactions(Mode::Block, &both, &overlapping), [finding(Kind::SSN, 5, 16)]);
    assert_eq!(judged(Mode::Block, &both, &overlapping).verdict, Verdict::Redacted);
}

#[test]
fn in_pieces_findings_add_up_to_the_threshold() {
    let body_rule = BodyRule { min_findings: MinFindings::OfAll(3), ..body_rule(&[Kind::EMAIL], &[]) };
    let rule = rule(Mode::Block, FailMode::Close);
    let mut seen = judge::Seen::new();
    let verdicts: Vec<Verdict> = (0..4)
        .map(|at| judge::of_findings(&rule, &body_rule, &[finding(Kind::EMAIL, at * 10, at * 10 + 9)], &mut seen).verdict)
        .collect();
    assert_eq!(verdicts, [Verdict::Clean, Verdict::Clean, Verdict::Blocked, Verdict::Blocked]);
}

#[test]
fn where_nothing_is_blocked_what_would_be_hides_no_mask() {
    let body_rule = body_rule(&[Kind::SSN], &[Kind::EMAIL]);
    let findings = [finding(Kind::SSN, 0, 20), finding(Kind::EMAIL, 5, 16)];
    for (mode, verdict, expected, masked) in [
        (Mode::Block, Verdict::Blocked, &["dlp/ssn/block=1"][..], &[][..]),
        (Mode::Detect, Verdict::WouldBlock, &["dlp/ssn/would_block=1", "dlp/email/redact=1"], &findings[1..]),
        (Mode::Shadow, Verdict::WouldBlock, &["dlp/ssn/would_block=1", "dlp/email/redact=1"], &findings[1..]),
    ] {
        let judgement = judged(mode, &body_rule, &findings);
        assert_eq!((judgement.verdict, judgement.rewrite), (verdict, mode != Mode::Block));
        assert_eq!(counts(&judgement), expected);
        assert_eq!(judge::redactions(mode, &body_rule, &findings), masked);
    }
    let watched = BodyRule { redact_in_observe_modes: false, ..body_rule };
    assert_eq!(counts(&judged(Mode::Detect, &watched, &findings)), ["dlp/ssn/would_block=1", "dlp/email/would_redact=1"]);
}
