//! The recipe of the scanner's tables, and the proof that the committed ones are fresh.
//!
//! `UPDATE=1 cargo test --test scan_tables` rewrites them from the patterns in `bodyguard::detect::KINDS`.
#![allow(clippy::panic, clippy::indexing_slicing, clippy::unwrap_used)]

use std::path::Path;

use bodyguard::detect::{KINDS, KindSpec};
use regex_automata::MatchKind;
use regex_automata::dfa::{StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;

fn build(spec: &KindSpec) -> Vec<u8> {
    let table = dense::Builder::new()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .thompson(thompson::Config::new().utf8(false))
        .configure(
            dense::Config::new()
                // All matches: a walk to the dead state passes every length that matches, and the longest counts.
                .match_kind(MatchKind::All)
                .start_kind(StartKind::Anchored)
                .minimize(true)
                .accelerate(false)
                .specialize_start_states(false),
        )
        .build(spec.pattern)
        .unwrap_or_else(|error| panic!("{}: {error}", spec.name));
    let (bytes, padding) = table.to_bytes_little_endian();
    bytes[padding..].to_vec()
}

#[test]
fn the_committed_tables_are_those_of_the_patterns() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/scan/tables");
    let mut stale = Vec::new();
    for spec in &KINDS {
        let path = folder.join(spec.name).with_extension("dfa");
        let fresh = build(spec);
        if std::fs::read(&path).ok().as_deref() != Some(&fresh) {
            stale.push(spec.name);
            if std::env::var_os("UPDATE").is_some() {
                std::fs::write(&path, &fresh).unwrap();
                println!("{}: {} bytes", spec.name, fresh.len());
            }
        }
    }
    assert!(
        stale.is_empty() || std::env::var_os("UPDATE").is_some(),
        "stale tables {stale:?}: run UPDATE=1 cargo test --test scan_tables"
    );
}
