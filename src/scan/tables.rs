//! Stage two's tables: for each kind a DFA of its pattern, built when developing and loaded without building anything.
//!
//! `tests/scan_tables.rs` is the recipe. It builds each DFA from [`crate::detect::KINDS`] (anchored, all matches, so that a walk
//! to the dead state passes every length that matches), minimises it, and compares it with what is committed under `tables/`;
//! `UPDATE=1 cargo test --test scan_tables` rewrites the files.
//!
//! # A file
//!
//! | bytes | what |
//! |---|---|
//! | 1 | classes of bytes, at most 128 |
//! | 1 | runs of bytes of one class, modulo 256 |
//! | 2 | states, at most 256 times 256; 0 is dead, 1 the start |
//! | 2 | the first state that matches: all behind it do too |
//! | 2 a run | its last byte, its class |
//! | 1 or 2 a class of a state | the state that follows; two bytes (low first) where there are more than 256 states |
//!
//! A file is unpacked when a scanner first asks for its kind: kinds that no policy names cost nothing but the bytes of the module.

use std::sync::OnceLock;

use crate::detect::{KINDS, Kind};

/// A state of a table.
pub(super) type State = u16;
/// Nothing matches from here on.
pub(super) const DEAD: State = 0;
/// Where a walk starts.
pub(super) const START: State = 1;

/// An anchored DFA of one kind's pattern.
#[derive(Debug)]
pub(super) struct Table {
    /// For each byte its class.
    classes: [u8; 256],
    /// For each state, for each class, the state that follows; a state has `1 << shift` of them.
    next: Vec<State>,
    shift: u32,
    /// This state and those behind it match.
    first_match: State,
}

impl Table {
    /// Unpacks a file; `None` if it is none.
    fn load(file: &[u8]) -> Option<Table> {
        let [class_count, runs, a, b, c, d, rest @ ..] = file else { return None };
        let states = usize::from(u16::from_le_bytes([*a, *b]));
        let first_match = u16::from_le_bytes([*c, *d]);
        let runs = usize::from(*runs).checked_sub(1).map_or(256, |last| last.saturating_add(1));
        let (runs, rows) = rest.split_at_checked(runs.checked_mul(2)?)?;
        let mut classes = [0; 256];
        let mut from = 0;
        for run in runs.as_chunks().0 {
            let [last, class] = *run;
            let to = usize::from(last).saturating_add(1);
            classes.get_mut(from..to)?.fill(class);
            from = to;
        }
        let width = usize::from(*class_count);
        let row = width.checked_next_power_of_two()?;
        let mut next = Vec::with_capacity(states.checked_mul(row)?);
        let wide = states > 256;
        for line in rows.chunks_exact(if wide { width.checked_mul(2)? } else { width }.max(1)) {
            if wide {
                next.extend(line.as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair)));
            } else {
                next.extend(line.iter().map(|state| u16::from(*state)));
            }
            next.resize(next.len().saturating_add(row.saturating_sub(width)), DEAD);
        }
        (next.len() == states.checked_mul(row)?).then_some(Table { classes, next, shift: row.trailing_zeros(), first_match })
    }

    /// The state behind `byte`.
    #[inline(always)]
    pub(super) fn step(&self, state: State, byte: u8) -> State {
        let class = self.classes.get(usize::from(byte)).copied().unwrap_or(0);
        let at = usize::from(state).wrapping_shl(self.shift) | usize::from(class);
        self.next.get(at).copied().unwrap_or(DEAD)
    }

    /// Does what led to `state` match?
    #[inline(always)]
    pub(super) fn matches(&self, state: State) -> bool {
        state >= self.first_match
    }

    /// May `bytes`, and more behind them, match?
    pub(super) fn begins(&self, bytes: &[u8]) -> bool {
        bytes.iter().try_fold(START, |state, byte| Some(self.step(state, *byte)).filter(|state| *state != DEAD)).is_some()
    }
}

/// The files, in the order of [`KINDS`].
static FILES: &[&[u8]] = &include!("tables/files.rs");

/// What was unpacked.
static TABLES: [OnceLock<Option<Table>>; KINDS.len()] = [const { OnceLock::new() }; KINDS.len()];

/// The table of `kind`. Absent only where the module's own bytes are damaged; a test proves that every one loads.
pub(super) fn table(kind: Kind) -> Option<&'static Table> {
    let file = FILES.get(kind.index())?;
    TABLES.get(kind.index())?.get_or_init(|| Table::load(file)).as_ref()
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

    #[test]
    fn a_file_that_is_cut_off_is_no_table() {
        for file in FILES {
            for len in [0, 1, 5, 6, 20, file.len().saturating_sub(1)] {
                assert!(Table::load(file.get(..len).unwrap_or_default()).is_none());
            }
        }
    }
}
