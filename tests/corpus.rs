//! The corpora, through the naive reference; and what the table promises to a scanner.
#![allow(clippy::arithmetic_side_effects, clippy::panic, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod reference;

use bodyguard::detect::{Anchor, KINDS, Kind, KindSet, LOOK_BEHIND, START_BYTES};
use reference::corpus;

#[test]
fn every_row_of_every_corpus_gives_its_findings() {
    let mut wrong = Vec::new();
    for kind in Kind::all() {
        for row in corpus::rows(kind) {
            let found = reference::scan(KindSet::from_iter([kind]), &row.body);
            if found != row.wanted {
                let spans = |findings: &[bodyguard::scan::Finding]| {
                    findings.iter().map(|finding| (finding.start, finding.end)).collect::<Vec<_>>()
                };
                wrong.push(format!("{}: {}: found {:?}, wanted {:?}", kind.name(), row.name, spans(&found), spans(&row.wanted)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_corpus_has_findings_and_near_misses_under_names_of_their_own() {
    for kind in Kind::all() {
        let rows = corpus::rows(kind);
        let positive = rows.iter().filter(|row| !row.wanted.is_empty()).count();
        let (least, each) = if KindSet::core().contains(kind) { (40, 15) } else { (12, 6) };
        assert!(rows.len() >= least, "{} has {} rows", kind.name(), rows.len());
        assert!(positive >= each && rows.len() - positive >= each, "{}: {positive} of {}", kind.name(), rows.len());
        let mut names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), rows.len(), "{}: names repeat", kind.name());
    }
}

#[test]
fn no_row_depends_on_the_end_of_the_body() {
    for kind in Kind::all() {
        for row in corpus::rows(kind) {
            let mut body = b"\" ".to_vec();
            body.extend_from_slice(&row.body);
            let cut_off =
                kind == Kind::PRIVATE_KEY && row.wanted.last().is_some_and(|finding| finding.end == row.body.len() as u64);
            body.extend_from_slice(if cut_off { b"\"" } else { b" \"" });
            let found = reference::scan(KindSet::from_iter([kind]), &body);
            let wanted: Vec<_> = row.wanted.iter().map(|finding| (finding.start + 2, finding.end + 2)).collect();
            let found: Vec<_> = found.iter().map(|finding| (finding.start, finding.end)).collect();
            assert_eq!(found, wanted, "{}: {}", kind.name(), row.name);
        }
    }
}

#[test]
fn may_start_refuses_no_position_that_a_validator_accepts() {
    let bodies: Vec<Vec<u8>> = Kind::all().flat_map(corpus::rows).map(|row| row.body).collect();
    for kind in Kind::all() {
        let spec = kind.spec();
        for body in &bodies {
            for start in 0..body.len() {
                let Some(end) = reference::longest(kind, body, start) else { continue };
                let here = &body[start..body.len().min(start + START_BYTES)];
                if spec.judge(&reference::candidate(kind, body, start, end)).is_some() {
                    assert!((spec.may_start)(&body[start.saturating_sub(LOOK_BEHIND)..start], here), "{} {start}", spec.name);
                }
            }
        }
    }
}

#[test]
fn every_match_shows_its_anchor() {
    for kind in Kind::all() {
        for row in corpus::rows(kind) {
            for finding in &row.wanted {
                let (start, end) = (usize::try_from(finding.start).unwrap(), usize::try_from(finding.end).unwrap());
                // A name that leads to the value is of the match, not of the finding.
                let leads = |body: &[u8], start: usize| {
                    (0..start).find(|from| {
                        let range = reference::longest(kind, body, *from)
                            .and_then(|to| kind.spec().judge(&reference::candidate(kind, body, *from, to)));
                        range.is_some_and(|range| range.start > 0 && from + range.start == start)
                    })
                };
                let read = |to: usize| reference::view::View::of(&row.body[..to]).decoded;
                let decoded = read(end);
                let from = leads(&row.body, start).map(|from| read(from).len());
                let from = from.or_else(|| leads(&read(row.body.len()), read(start).len()));
                // What is escaped shows it when decoded.
                let value = &decoded[from.unwrap_or(read(start).len())..];
                let shown = match kind.spec().anchor {
                    Anchor::Prefix(prefixes) => prefixes.iter().any(|prefix| value.starts_with(prefix.as_bytes())),
                    Anchor::Inner(inner, within) => {
                        value.contains(&b'@')
                            || inner.iter().any(|text| {
                                value
                                    .windows(text.len())
                                    .position(|window| window == text.as_bytes())
                                    .is_some_and(|at| at <= within)
                            })
                    }
                    Anchor::Digits(least) => value[0].is_ascii_digit() && value.len() >= least,
                    Anchor::Led(leads, least) => leads.iter().any(|lead| {
                        value.len() >= lead + least
                            && value[*lead].is_ascii_digit()
                            && !value[..*lead].iter().any(u8::is_ascii_digit)
                    }),
                };
                assert!(shown, "{}: {}", kind.name(), row.name);
                assert!(value.len() <= kind.spec().max_len);
            }
        }
    }
}

#[test]
fn the_automaton_of_each_kind_stays_small() {
    for kind in Kind::all() {
        let bytes = reference::automaton_bytes(kind);
        assert!(bytes <= 64 * 1024, "{}: {bytes} bytes", KINDS[kind.index()].name);
    }
}
