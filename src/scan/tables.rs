//! Stage two's tables: for each kind a DFA of its pattern, built when developing and loaded without building anything.
//!
//! `tests/scan_tables.rs` is the recipe. It builds each DFA from [`crate::detect::KINDS`] (anchored, all matches, so that a walk
//! to the dead state passes every length that matches), minimises it, and compares it with what is committed under `tables/`;
//! `UPDATE=1 cargo test --test scan_tables` rewrites the files. The numbers in them are little-endian, like every machine that
//! this crate is built for.

use std::sync::OnceLock;

use regex_automata::Anchored;
use regex_automata::dfa::{Automaton, dense::DFA};
use regex_automata::util::{primitives::StateID, start};

use crate::detect::{KINDS, Kind};

/// An anchored DFA of one kind's pattern.
#[derive(Debug)]
pub(super) struct Table {
    /// The automaton.
    pub(super) dfa: DFA<&'static [u32]>,
    /// Its only start.
    pub(super) start: StateID,
}

impl Table {
    /// Checks the bytes of a file; `None` if they are no automaton.
    fn load(bytes: &'static [u8]) -> Option<Table> {
        let (dfa, _) = DFA::from_bytes(bytes).ok()?;
        let start = dfa.start_state(&start::Config::new().anchored(Anchored::Yes)).ok()?;
        Some(Table { dfa, start })
    }
}

/// Bytes aligned as DFA tables have to be.
#[repr(C)]
struct Aligned<B: ?Sized> {
    _align: [u32; 0],
    bytes: B,
}

macro_rules! table {
    ($name:literal) => {{
        static ALIGNED: &Aligned<[u8]> = &Aligned { _align: [], bytes: *include_bytes!(concat!("tables/", $name, ".dfa")) };
        &ALIGNED.bytes
    }};
}

/// The files, in the order of [`KINDS`].
static FILES: [&[u8]; KINDS.len()] = [
    table!("credit_card"),
    table!("ssn"),
    table!("email"),
    table!("jwt"),
    table!("aws_access_key"),
    table!("private_key"),
    table!("google_api_key"),
    table!("slack_token"),
    table!("github_token"),
    table!("stripe_key"),
];

/// The tables that some program has asked for: each is checked once in the life of a VM.
static TABLES: [OnceLock<Option<Table>>; KINDS.len()] = [const { OnceLock::new() }; KINDS.len()];

/// The table of `kind`. Absent only where the module's own bytes are damaged; a test proves that every one loads.
pub(super) fn table(kind: Kind) -> Option<&'static Table> {
    let table = TABLES.get(kind.index())?;
    table.get_or_init(|| FILES.get(kind.index()).and_then(|bytes| Table::load(bytes))).as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_table_that_loads() {
        for kind in Kind::all() {
            assert!(table(kind).is_some(), "{}", kind.name());
        }
    }
}
