//! JSON positions: any document, any cut.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used, clippy::panic)]

use bodyguard::body::{JsonTracker, Position, quote_ranges};
use proptest::prelude::*;
use serde_json::Value;

fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[a-z0-9\"\\\\/\n\t\u{1}:,{}\\[\\] ]{0,12}", "\\PC{0,8}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..6).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// The value with each bare token (number, true, false, null) as the string of its text.
fn with_tokens_as_strings(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(with_tokens_as_strings).collect(),
        Value::Object(pairs) => pairs.iter().map(|(key, item)| (key.clone(), with_tokens_as_strings(item))).collect(),
        Value::String(text) => Value::from(text.clone()),
        bare => Value::from(bare.to_string()),
    }
}

/// Quotes the token of every single byte that stands bare.
fn quote_all(body: &[u8]) -> Vec<u8> {
    let ranges: Vec<(usize, usize)> = (0..body.len()).map(|at| (at, at + 1)).collect();
    let mut tokens: Vec<(usize, usize)> = quote_ranges(body, &ranges)
        .into_iter()
        .zip(body)
        .filter_map(|(position, byte)| match position {
            Position::Bare { start, end } if byte.is_ascii_alphanumeric() || b"+-.".contains(byte) => Some((start, end)),
            _ => None,
        })
        .collect();
    tokens.dedup();
    let mut out = Vec::new();
    let mut at = 0;
    for (start, end) in tokens {
        out.extend_from_slice(&body[at..start]);
        out.push(b'"');
        out.extend_from_slice(&body[start..end]);
        out.push(b'"');
        at = end;
    }
    out.extend_from_slice(&body[at..]);
    out
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn a_document_stays_json_when_its_bare_tokens_are_quoted(documents in prop::collection::vec(any_json(), 1..4), pretty: bool) {
        let texts: Vec<String> = documents
            .iter()
            .map(|value| if pretty { serde_json::to_string_pretty(value).unwrap() } else { value.to_string() })
            .collect();
        let quoted = quote_all(texts.join("\n").as_bytes());
        let back: Vec<Value> = serde_json::Deserializer::from_slice(&quoted).into_iter().map(Result::unwrap).collect();
        let expected: Vec<Value> = documents.iter().map(with_tokens_as_strings).collect();
        prop_assert_eq!(back, expected);
    }

    #[test]
    fn a_tracker_says_the_same_in_every_cut(text in "[a1\"\\\\:,\n{} ]{0,60}", cut in 0..61_usize) {
        let (head, tail) = text.as_bytes().split_at(cut.min(text.len()));
        let mut tracker = JsonTracker::new();
        tracker.feed(head);
        let ranges: Vec<(usize, usize)> = (0..tail.len()).map(|at| (at, at + 1)).collect();
        let shifted: Vec<(usize, usize)> = ranges.iter().map(|(start, end)| (start + head.len(), end + head.len())).collect();
        let whole = quote_ranges(text.as_bytes(), &shifted);
        for (part, whole) in tracker.positions(tail, &ranges).into_iter().zip(whole) {
            match (part, whole) {
                (Position::InString, Position::InString) => {}
                // A token that the cut went through is none any more.
                (Position::InString, Position::Bare { start, .. }) => prop_assert!(start < head.len()),
                (Position::Bare { start, end }, Position::Bare { start: whole_start, end: whole_end }) => {
                    prop_assert_eq!(start + head.len(), whole_start);
                    prop_assert_eq!(end + head.len(), whole_end);
                }
                _ => prop_assert!(false, "{part:?} {whole:?}"),
            }
        }
        // A safe cut goes through no number.
        let cut = JsonTracker::new().safe_cut(text.as_bytes(), head.len());
        prop_assert!(cut <= head.len());
        for position in quote_ranges(text.as_bytes(), &[(cut, cut + 1)]) {
            if let Position::Bare { start, end } = position
                && JsonTracker::is_number(&text.as_bytes()[start..end])
            {
                prop_assert_eq!(start, cut.min(text.len()));
            }
        }
    }

    #[test]
    fn many_ranges_in_one_call_lie_where_each_lies_alone(
        text in "[a1\"\\\\:,\n{} ]{0,60}",
        mut ranges in prop::collection::vec((0..61_usize, 0..8_usize), 0..12),
        sorted: bool,
    ) {
        if sorted {
            ranges.sort_unstable();
        }
        let ranges: Vec<(usize, usize)> = ranges.into_iter().map(|(start, len)| (start, start + len)).collect();
        let alone: Vec<Position> = ranges.iter().flat_map(|range| quote_ranges(text.as_bytes(), &[*range])).collect();
        prop_assert_eq!(quote_ranges(text.as_bytes(), &ranges), alone);
    }

    #[test]
    fn any_bytes_and_any_ranges_are_harmless(
        bytes in prop::collection::vec(any::<u8>(), 0..100),
        ranges in prop::collection::vec((0..120_usize, 0..120_usize), 0..6),
    ) {
        for (position, (start, end)) in quote_ranges(&bytes, &ranges).into_iter().zip(ranges) {
            if let Position::Bare { start: token_start, end: token_end } = position {
                prop_assert!(token_start <= token_end && token_end <= bytes.len());
                if start <= end && end <= bytes.len() {
                    prop_assert!(token_start <= start && end <= token_end);
                }
            }
        }
    }
}
