//! The recipe of the scanner's tables, and the proof that the committed ones are fresh.
//!
//! `UPDATE=1 cargo test --test scan_tables` rewrites them from the patterns in `bodyguard::detect::KINDS`. src/scan/tables.rs
//! says what stands in a file.
#![allow(clippy::arithmetic_side_effects, clippy::panic, clippy::indexing_slicing, clippy::unwrap_used)]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use bodyguard::detect::{KINDS, KindSpec};
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::{primitives::StateID, start, syntax};
use regex_automata::{Anchored, MatchKind};

fn automaton(spec: &KindSpec) -> dense::DFA<Vec<u32>> {
    dense::Builder::new()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .thompson(thompson::Config::new().utf8(false))
        .configure(
            dense::Config::new()
                // All matches: a walk to the dead state passes every length that matches, and the longest counts.
                .match_kind(MatchKind::All)
                .start_kind(StartKind::Anchored)
                .accelerate(false)
                .specialize_start_states(false),
        )
        .build(spec.pattern)
        .unwrap_or_else(|error| panic!("{}: {error}", spec.name))
}

/// States as numbers: for each, what follows each byte, and whether it matches. 0 is dead, 1 the start.
type States = Vec<([usize; 256], bool)>;

/// The states that can be reached. The library's automaton tells of a match a byte late; these do not.
fn states(dfa: &dense::DFA<Vec<u32>>) -> States {
    let start = dfa.start_state(&start::Config::new().anchored(Anchored::Yes)).unwrap();
    let mut numbers: HashMap<StateID, usize> = HashMap::from([(start, 1)]);
    let mut todo = vec![start];
    let mut states: States = vec![([0; 256], false)];
    while let Some(state) = todo.get(states.len() - 1).copied() {
        let mut row = [0; 256];
        for byte in 0..=255u8 {
            let next = dfa.next_state(state, byte);
            row[usize::from(byte)] = match dfa.is_dead_state(next) {
                true => 0,
                false => *numbers.entry(next).or_insert_with(|| {
                    todo.push(next);
                    todo.len()
                }),
            };
        }
        states.push((row, dfa.is_match_state(dfa.next_eoi_state(state))));
    }
    states
}

/// One state for all that nothing tells apart (Moore), numbered so that those that match stand last.
fn minimised(states: &States) -> States {
    let mut block: Vec<usize> = states.iter().map(|(_, matches)| usize::from(*matches)).collect();
    loop {
        let mut seen = HashMap::new();
        let refined: Vec<usize> = states
            .iter()
            .zip(&block)
            .map(|((row, _), own)| {
                let key = (*own, row.map(|next| block[next]));
                let fresh = seen.len();
                *seen.entry(key).or_insert(fresh)
            })
            .collect();
        let done = refined.iter().max() == block.iter().max();
        block = refined;
        if done {
            break;
        }
    }
    assert!(block[0] != block[1], "nothing matches");
    let mut order: Vec<usize> = Vec::new();
    for state in (0..states.len()).filter(|state| !states[*state].1).chain((0..states.len()).filter(|state| states[*state].1)) {
        if !order.iter().any(|known| block[*known] == block[state]) {
            order.push(state);
        }
    }
    let number: HashMap<usize, usize> = order.iter().enumerate().map(|(number, state)| (block[*state], number)).collect();
    order.iter().map(|state| (states[*state].0.map(|next| number[&block[next]]), states[*state].1)).collect()
}

fn build(spec: &KindSpec) -> Vec<u8> {
    let states = minimised(&states(&automaton(spec)));
    let mut columns: HashMap<Vec<usize>, u8> = HashMap::new();
    let classes: Vec<u8> = (0..256)
        .map(|byte| {
            let fresh = u8::try_from(columns.len()).unwrap();
            *columns.entry(states.iter().map(|(row, _)| row[byte]).collect()).or_insert(fresh)
        })
        .collect();
    assert!(columns.len() <= 128, "{}: {} classes", spec.name, columns.len());
    let runs: Vec<usize> = (0..256).filter(|byte| *byte == 255 || classes[*byte] != classes[*byte + 1]).collect();
    let number = |count: usize| u16::try_from(count).unwrap().to_le_bytes();
    let mut file = vec![columns.len() as u8, runs.len() as u8];
    file.extend(number(states.len()));
    file.extend(number(states.iter().position(|(_, matches)| *matches).unwrap()));
    file.extend(runs.iter().flat_map(|last| [*last as u8, classes[*last]]));
    for (row, _) in &states {
        for class in 0..columns.len() {
            let byte = classes.iter().position(|other| usize::from(*other) == class).unwrap();
            let next = number(row[byte]);
            file.extend(&next[..if states.len() > 256 { 2 } else { 1 }]);
        }
    }
    file
}

#[test]
fn the_committed_tables_are_those_of_the_patterns() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/scan/tables");
    let update = std::env::var_os("UPDATE").is_some();
    let mut stale = Vec::new();
    let mut list = String::from("[\n");
    let mut total = 0;
    let mut compare = |name: &str, fresh: &[u8]| {
        let path = folder.join(name);
        if std::fs::read(&path).ok().as_deref() != Some(fresh) {
            stale.push(name.to_owned());
            if update {
                std::fs::write(&path, fresh).unwrap();
            }
        }
    };
    for spec in &KINDS {
        let fresh = build(spec);
        total += fresh.len();
        println!("{}: {} bytes", spec.name, fresh.len());
        compare(&format!("{}.dfa", spec.name), &fresh);
        writeln!(list, "    include_bytes!(\"{}.dfa\"),", spec.name).unwrap();
    }
    list.push_str("]\n");
    compare("files.rs", list.as_bytes());
    println!("all: {total} bytes");
    assert!(stale.is_empty() || update, "stale tables {stale:?}: run UPDATE=1 cargo test --test scan_tables");
}
