//! Escaped values: found whole, in every cut, as a naive decoder and the naive reference find them; and masked so that the
//! document stays one.
#![allow(clippy::arithmetic_side_effects, clippy::panic, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod reference;

use std::sync::{Arc, LazyLock};

use bodyguard::act::{Masks, rewrite};
use bodyguard::body::JsonTracker;
use bodyguard::detect::{Detector, Detectors, Kind, KindSet};
use bodyguard::scan::{Finding, Programs, Scanner, scan};
use reference::cuts::{Random, cuts, scan_cut};
use reference::{check, corpus};

fn masks(same_length: KindSet) -> Masks<'static> {
    static NONE: LazyLock<Detectors> = LazyLock::new(Detectors::default);
    Masks { detectors: &NONE, same_length }
}

/// `byte` in one of the ways to escape it.
fn escaped(random: &mut Random, byte: u8, style: usize) -> String {
    match style {
        0 => format!("\\u{byte:04x}"),
        1 => format!("\\u{byte:04X}"),
        2 => format!("\\\\u{byte:04x}"),
        3 => format!("%{byte:02X}"),
        4 => format!("%{byte:02x}"),
        5 => format!("&#{byte};"),
        6 => format!("&#{byte:0width$};", width = random.below(8)),
        _ => format!("&#x{byte:x};"),
    }
}

/// Are values of this kind URLs with a password?
fn is_url(kind: Kind) -> bool {
    matches!(kind.name(), "database_url" | "basic_auth_url")
}

/// May stand in a value, and is decoded.
fn is_decoded(byte: u8) -> bool {
    (byte == b' ' || byte.is_ascii_graphic()) && !b"\"\\%{}[]".contains(&byte)
}

/// `value` with one in `rarity` of its characters escaped in one style, or each in its own.
fn escape(random: &mut Random, value: &[u8], rarity: usize) -> Vec<u8> {
    let style = random.below(9);
    let (mut out, mut rest) = (Vec::new(), value);
    while let [byte, tail @ ..] = rest {
        // What is an escape already stays one.
        let len = match rest {
            [b'%', ..] => 3,
            [b'\\', b'\\', b'u', ..] => 7,
            [b'\\', b'u', ..] => 6,
            [b'\\', b'\\', ..] => 3,
            [b'\\', ..] => 2,
            [b'&', ..] => rest.iter().position(|byte| *byte == b';').map_or(1, |end| end + 1),
            _ => 0,
        };
        if len > 0 {
            let (escape, tail) = rest.split_at(len.min(rest.len()));
            out.extend_from_slice(escape);
            rest = tail;
            continue;
        }
        if is_decoded(*byte) && random.below(rarity) == 0 {
            let style = if style == 8 { random.below(8) } else { style };
            out.extend_from_slice(escaped(random, *byte, style).as_bytes());
        } else {
            out.push(*byte);
        }
        rest = tail;
    }
    out
}

/// A value with what stands before and behind it.
struct Positive {
    kind: Kind,
    before: Vec<u8>,
    value: Vec<u8>,
    after: Vec<u8>,
}

fn positives(longest: usize) -> Vec<Positive> {
    let rows = Kind::all().flat_map(|kind| corpus::rows(kind).into_iter().map(move |row| (kind, row)));
    rows.filter(|(_, row)| row.body.len() <= longest)
        .flat_map(|(kind, row)| {
            let positive = |finding: &Finding| {
                let (start, end) = (finding.start as usize, finding.end as usize);
                let part = |from: usize, to: usize| row.body[from..to].to_vec();
                Positive { kind, before: part(0, start), value: part(start, end), after: part(end, row.body.len()) }
            };
            row.wanted.iter().map(positive).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_value_of_the_corpora_is_found_whole_when_any_of_its_characters_are_escaped() {
    let mut missed = Vec::new();
    let values = positives(4000);
    for case in 0..20_000u64 {
        let mut random = Random(case | 4 << 40);
        let Positive { kind, before, value, after } = &values[random.below(values.len())];
        let rarity = 1 + random.below(20);
        // A password that is percent-encoded already is encoded twice when more of its URL is.
        if value.windows(3).any(|escape| matches!(escape, b"%2F" | b"%2f" | b"%3A" | b"%3a")) && is_url(*kind) {
            continue;
        }
        let value = escape(&mut random, value, rarity);
        // The first kinds need nothing near; the others stay where they stood.
        let elsewhere = random.pick(&[&("\"", "\""), &("<td>", "</td>"), &("k=", "&x=1"), &("", "")]);
        let (before, after) = match KindSet::core().contains(*kind) {
            true => (elsewhere.0.as_bytes(), elsewhere.1.as_bytes()),
            false => (&before[..], &after[..]),
        };
        let body = [before, &value, after].concat();
        let (start, end) = (before.len() as u64, (before.len() + value.len()) as u64);
        let found = scan([*kind].into_iter().collect(), &body);
        if !found.contains(&Finding { start, end, kind: *kind }) {
            missed.push(format!("{} {found:?}: {}", kind.name(), body.escape_ascii()));
        }
    }
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed[..missed.len().min(8)].join("\n"));
}

#[test]
fn bodies_of_escaped_values_and_near_misses_in_any_cut() {
    let values = positives(300);
    let noise = [
        "\\", "\\\\", "\\u", "\\u00", "%", "%4", "&", "&#", "&#x4", "&comma", "x", " ", "\"", "\n", "@", "-----", "%B4111",
        "&#64", "%3D", "\\/", "%2F", "%3a",
    ];
    for case in 0..30_000u64 {
        let mut random = Random(case | 5 << 40);
        let mut body = Vec::new();
        for _ in 0..1 + random.below(6) {
            match random.below(4) {
                0 => (0..random.below(6)).for_each(|_| body.extend_from_slice(random.pick(&noise).as_bytes())),
                1 => body.extend(std::iter::repeat_n(b'z', random.below(700))),
                _ => {
                    let Positive { before, value, .. } = &values[random.below(values.len())];
                    if random.below(2) == 0 {
                        body.extend_from_slice(before);
                    }
                    let rarity = 1 + random.below(30);
                    body.extend(escape(&mut random, value, rarity));
                    if random.below(3) == 0 {
                        let at = random.below(body.len());
                        body.truncate(at);
                    }
                }
            }
        }
        let cuts = cuts(&mut random, body.len());
        check(KindSet::all(), &body, &cuts, &format!("escaped {case}"));
    }
}

/// Escapes before values, behind them and in them, all kinds and some of a policy's own, cut into pieces of one length.
#[test]
fn values_with_escapes_beside_them_in_pieces_of_one_to_nine_bytes() {
    let mut detectors = Detectors::default();
    let regexes = [r"\bPN-[0-9]{6}\b", "[a-z]{1,12}=[0-9]+", "secret", r"[A-Za-z0-9]+@corp\b", "(?i)mrn[0-9]{4,8}", ".{3}x$"];
    let own: Vec<Kind> = regexes.iter().map(|regex| detectors.add(Detector::of_regex("own", regex).unwrap()).unwrap()).collect();
    let own_values = ["PN-123456", "key=42", "secret", "ada@corp", "MRN12345", "abcx"];
    let program = Programs::new(Arc::new(detectors)).of(KindSet::all().iter().chain(own).collect());
    let values = positives(120);
    let beside = [
        "\\n", "\\t", "\\\\n", "\\u0020", "\\u0061", "\\u00e9", "%20", "%2B", "%3D", "%2F", "\\/", "\\u003d", "%41", "&amp;",
        "&nbsp;", "&#64;", "&#x20;", "&#39;", "\\", "%", "&", "\\u", "a", ".", "-", " ", "\"", "\n", "@", "1",
    ];
    let mut seen = 0;
    for case in 0..1_500u64 {
        let mut random = Random(case | 6 << 40);
        let mut body = Vec::new();
        for _ in 0..1 + random.below(3) {
            (0..random.below(4)).for_each(|_| body.extend_from_slice(random.pick(&beside).as_bytes()));
            let rarity = 1 + random.below(30);
            if random.below(4) == 0 {
                let value = random.pick(&own_values).as_bytes();
                body.extend(escape(&mut random, value, rarity));
            } else {
                let Positive { before, value, .. } = &values[random.below(values.len())];
                body.extend_from_slice(if random.below(2) == 0 { before } else { &[] });
                body.extend(if random.below(2) == 0 { escape(&mut random, value, rarity) } else { value.clone() });
            }
            (0..random.below(4)).for_each(|_| body.extend_from_slice(random.pick(&beside).as_bytes()));
        }
        let whole = program.scan(&body);
        seen += whole.len();
        let built_in: Vec<Finding> = whole.iter().copied().filter(|found| found.kind.own_number().is_none()).collect();
        assert_eq!(built_in, reference::scan(KindSet::all(), &body), "case {case}: {}", body.escape_ascii());
        for length in 1..=9 {
            let cuts: Vec<usize> = (0..body.len()).step_by(length).collect();
            assert_eq!(scan_cut(&program, &body, &cuts).as_ref(), Ok(&whole), "case {case} by {length}: {}", body.escape_ascii());
        }
    }
    assert!(seen > 2_000, "only {seen} findings: the cases test nothing");
}

#[test]
fn punctuation_of_a_policys_own_values_may_be_escaped() {
    let mut detectors = Detectors::default();
    let kind = detectors.add(Detector::of_regex("own", "key:[0-9]{3}").unwrap()).unwrap();
    let program = Programs::new(Arc::new(detectors)).of([kind].into_iter().collect());
    for body in ["key:123", "key%3A123", r"key\u003a123", "key&#58;123", "key&#x3A;123"] {
        assert_eq!(program.scan(body.as_bytes()), [Finding { start: 0, end: body.len() as u64, kind }], "{body}");
    }
    for body in ["key%5B123", "key%253A123", r"key\/123"] {
        assert_eq!(program.scan(body.as_bytes()), [], "{body}");
    }
}

#[test]
fn escaped_cards_keep_their_last_four_digits_and_json_stays_json() {
    let rows: [(&str, &str); 7] = [
        (r#"{"k":"\u0034111111111111111"}"#, r#"{"k":"************1111"}"#),
        (r#"{"k":"411111111111\u0031111"}"#, r#"{"k":"************\u0031111"}"#),
        (r#"{"k":"\\u0034111111111111111"}"#, r#"{"k":"************1111"}"#),
        (r#"{"k":"4111\u00201111\u00201111\u00201111"}"#, r#"{"k":"****\u0020****\u0020****\u00201111"}"#),
        (r#"{"k":"jane.doe\u002bx@example.com"}"#, r#"{"k":"[REDACTED:email]"}"#),
        ("4111%201111%201111%201111", "****%20****%20****%201111"),
        ("<b>4111&nbsp;1111&nbsp;1111&nbsp;111&#49;</b>", "<b>****&nbsp;****&nbsp;****&nbsp;111&#49;</b>"),
    ];
    for (body, masked) in rows {
        let findings = scan(KindSet::all(), body.as_bytes());
        let json = body.starts_with('{');
        let out = rewrite(body.as_bytes(), &findings, masks(KindSet::EMPTY), json.then(JsonTracker::new), None).unwrap();
        assert_eq!(String::from_utf8_lossy(&out), masked);
    }
    let values = positives(300);
    for case in 0..5_000u64 {
        let mut random = Random(case | 6 << 40);
        let Positive { kind, value, .. } = &values[random.below(values.len())];
        let text: String = value
            .iter()
            .filter(|byte| is_decoded(**byte))
            .map(|byte| {
                let style = random.below(3);
                if random.below(3) == 0 { escaped(&mut random, *byte, style) } else { char::from(*byte).to_string() }
            })
            .collect();
        let body = format!("{{\"k\":\"{text}\"}}");
        let findings = scan([*kind].into_iter().collect(), body.as_bytes());
        for same_length in [KindSet::EMPTY, KindSet::all()] {
            let out = rewrite(body.as_bytes(), &findings, masks(same_length), Some(JsonTracker::new()), None).unwrap();
            let read: Result<serde_json::Value, _> = serde_json::from_slice(&out);
            assert!(read.is_ok(), "{body} became {}", out.escape_ascii());
            assert!(same_length == KindSet::EMPTY || out.len() == body.len());
        }
    }
}

#[test]
fn what_is_clean_again_behind_an_escape_is_let_go() {
    let (mut scanner, mut findings) = (Scanner::new(&reference::program(KindSet::all())), Vec::new());
    let mut fed = 0;
    for text in ["{\"a\": \"\\u0041 and %41\",\n", "\"b\": 1,\n"].iter().cycle().take(200) {
        fed += text.len() as u64;
        assert_eq!(scanner.feed(text.as_bytes(), &mut findings), fed);
    }
    assert!(scanner.held() < 600, "{} held", scanner.held());
    assert!(findings.is_empty());
}

#[test]
fn bodies_full_of_marks_and_escapes_are_found_in_one_piece_as_in_small_ones() {
    let pieces = [
        "jo@example.com ",
        "a%40b.com ",
        "jo\\u0040example.com ",
        "&#64;",
        "%",
        "&",
        "\\",
        "\\\\",
        "\\\\\\\\u0040b.com",
        "\\\\\\\\\\u0040",
        "@",
        "4111111111111111 ",
        "4111-1111-1111-1111",
        "%34111111111111111",
        "123-45-6789 ",
        "078-05-112%30 ",
        "eyJ",
        "AKIA",
        "1234567890123",
        "sk_live_",
        "x",
        " ",
        "plain text that says nothing, and goes on for a block or so, to the end. ",
    ];
    let all = reference::program(KindSet::all()).kinds();
    for round in 0..60u64 {
        let mut random = Random(round);
        let mut body = String::new();
        while body.len() < 24_000 {
            // In half of the rounds nothing clean stands between, so that marks fill one piece after the other.
            body.push_str(random.pick(&pieces[..if round % 2 == 0 { 20 } else { pieces.len() }]));
        }
        for kinds in [KindSet::core(), all] {
            let size = 100 + random.below(1500);
            let cuts: Vec<usize> = (size..body.len()).step_by(size).collect();
            let program = reference::program(kinds);
            let small = scan_cut(&program, body.as_bytes(), &cuts).unwrap();
            assert_eq!(scan_cut(&program, body.as_bytes(), &[]).unwrap(), small, "round {round}, pieces of {size}");
            assert!(small.len() > 20);
        }
    }
}

#[test]
fn an_escape_is_read_wherever_the_marks_before_it_fill_their_room() {
    for (value, kind) in
        [("jo@exampl\\u0065.org", Kind::EMAIL), ("jo@exampl%65.org", Kind::EMAIL), ("jo@exampl\\\\\\\\u0065.org", Kind::EMAIL)]
    {
        for filler in 3_900..4_230 {
            let mut body = "x@y ".repeat(filler / 4 + 1);
            body.truncate(filler);
            body.push(' ');
            let start = body.len() as u64;
            body.push_str(value);
            let end = body.len() as u64;
            body.push_str(" and so on");
            let found = scan(KindSet::core(), body.as_bytes());
            assert_eq!(found, [Finding { start, end, kind }], "{value} behind {filler} bytes");
        }
    }
}

#[test]
fn digits_of_an_escape_behind_the_beginning_of_another_are_judged_alike_in_every_cut() {
    for head in ["\\u", "\\\\u", "\\x", "\\u4", "\\u41", ""] {
        for number in ["%4111 1111 1111 1111", "%41111111111111111", "%4378-05-1120", "%20078-05-1120"] {
            let body = format!("{head}{number} ");
            for cut in 0..body.len() {
                check(KindSet::all(), body.as_bytes(), &[cut], "an escape behind the beginning of another");
            }
        }
    }
}
