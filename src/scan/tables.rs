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

use super::block::ByteSet;

/// A state of a table: where its row is.
pub(super) type State = u32;
/// Nothing matches from here on.
pub(super) const DEAD: State = 0;
/// A match ends in a state.
const MATCH: u32 = 1 << 31;
/// A state can be left by a leap. The low bits are its number, or that of the bytes with which the state stays, from 1 on.
const LEAP: u32 = 1 << 30;
/// Fewest steps through a run that it is worth to leap over.
const LEAP_MIN: usize = 6;

/// An anchored DFA of one kind's pattern.
#[derive(Debug)]
pub(super) struct Table {
    /// For each byte its class.
    classes: [u8; 256],
    /// For each state a row: what it is, then for each class the state that follows.
    rows: Vec<u32>,
    leaps: Vec<Leap>,
    /// Where a walk starts.
    pub(super) start: State,
}

/// A run of bytes through which a state can be taken at once: hardly any value is without.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Leap {
    /// The bytes.
    pub(super) over: ByteSet,
    /// How many there must be; 0: any number.
    pub(super) count: usize,
    /// The state behind them.
    pub(super) to: State,
}

impl Table {
    /// Unpacks a file; `None` if it is none.
    fn load(file: &[u8]) -> Option<Table> {
        let [width, runs, a, b, c, d, rest @ ..] = file else { return None };
        let states = usize::from(u16::from_le_bytes([*a, *b]));
        let first_match = usize::from(u16::from_le_bytes([*c, *d]));
        let runs = usize::from(*runs).checked_sub(1).map_or(256, |last| last.saturating_add(1));
        let (runs, cells) = rest.split_at_checked(runs.checked_mul(2)?)?;
        let mut classes = [0; 256];
        let mut from = 0;
        for run in runs.as_chunks().0 {
            let [last, class] = *run;
            let to = usize::from(last).saturating_add(1);
            classes.get_mut(from..to)?.fill(class);
            from = to;
        }
        let width = usize::from(*width);
        let cell = if states > 256 { 2 } else { 1 };
        if width == 0 || cells.len() != states.checked_mul(width)?.checked_mul(cell)? {
            return None;
        }
        let row = u32::try_from(width).ok()?.checked_add(1)?;
        let mut rows = Vec::with_capacity(states.checked_mul(width)?.checked_add(states)?);
        for (number, cells) in cells.chunks_exact(width.checked_mul(cell)?).enumerate() {
            rows.push(if number >= first_match { MATCH } else { 0 });
            let next = cells.chunks_exact(cell).map(|next| next.iter().rev().fold(0, |next, byte| next << 8 | u32::from(*byte)));
            rows.extend(next.map(|next| next.saturating_mul(row)));
        }
        let mut table = Table { classes, rows, leaps: Vec::new(), start: row };
        table.find_leaps(width.checked_add(1)?);
        Some(table)
    }

    /// Notes for each state the run that can be leapt over from it.
    fn find_leaps(&mut self, row: usize) {
        let states: Vec<State> = (0..self.rows.len()).step_by(row).skip(1).filter_map(|at| State::try_from(at).ok()).collect();
        // What is in the middle of a run is passed over, so it needs no leap of its own.
        let mut inner: Vec<State> = Vec::new();
        for state in states {
            let own = self.classes_to(state, state);
            let leap = if own != 0 {
                Some(Leap { over: self.bytes_of(own), count: 0, to: state })
            } else {
                self.only(state).filter(|_| !inner.contains(&state)).and_then(|(over, mut to)| {
                    let mut count = 1usize;
                    while let Some((_, next)) = self.only(to).filter(|(next, _)| *next == over && self.about(to) & MATCH == 0) {
                        inner.push(to);
                        (to, count) = (next, count.saturating_add(1));
                    }
                    (count >= LEAP_MIN).then(|| Leap { over: self.bytes_of(over), count, to })
                })
            };
            let Some(leap) = leap else { continue };
            self.leaps.push(leap);
            let number = u32::try_from(self.leaps.len()).unwrap_or(0);
            if let Some(about) = self.rows.get_mut(state as usize) {
                *about |= if own == 0 { number | LEAP } else { number };
            }
        }
    }

    /// The classes that lead from a state to another, a bit each.
    fn classes_to(&self, from: State, to: State) -> u128 {
        let row = self.rows.get((from as usize).saturating_add(1)..).unwrap_or_default();
        let row = row.iter().take(self.start.saturating_sub(1) as usize);
        row.enumerate()
            .fold(0, |set, (class, next)| set | u128::from(*next == to).wrapping_shl(u32::try_from(class).unwrap_or(127)))
    }

    /// The only living state that follows a state, and the classes that lead there.
    fn only(&self, state: State) -> Option<(u128, State)> {
        let row = self.rows.get((state as usize).saturating_add(1)..)?;
        let mut next = row.iter().take(self.start.saturating_sub(1) as usize).filter(|next| **next != DEAD);
        let to = *next.next()?;
        (to != state && next.all(|next| *next == to)).then(|| (self.classes_to(state, to), to))
    }

    /// The bytes of a set of classes.
    fn bytes_of(&self, classes: u128) -> ByteSet {
        let mut set: ByteSet = [0; 32];
        for (byte, class) in (0..=255u8).zip(self.classes) {
            let wanted = classes.wrapping_shr(u32::from(class)) & 1 != 0;
            if let Some(row) = set.get_mut(usize::from(byte & 15 | byte >> 3 & 16)).filter(|_| wanted) {
                *row |= 1u8.wrapping_shl(u32::from(byte >> 4 & 7));
            }
        }
        set
    }

    /// The state behind `state` and `byte`.
    #[inline(always)]
    pub(super) fn step(&self, state: State, byte: u8) -> State {
        let class = self.classes.get(usize::from(byte)).copied().unwrap_or(0);
        let at = (state as usize).wrapping_add(usize::from(class)).wrapping_add(1);
        self.rows.get(at).copied().unwrap_or(DEAD)
    }

    /// What `state` is: 0, or to be asked for by [`Table::leap`] and [`matches`].
    #[inline(always)]
    pub(super) fn about(&self, state: State) -> u32 {
        self.rows.get(state as usize).copied().unwrap_or(0)
    }

    /// May `bytes`, and more behind them, match?
    pub(super) fn begins(&self, bytes: &[u8]) -> bool {
        let next = |state, byte: &u8| Some(self.step(state, *byte)).filter(|state| *state != DEAD);
        bytes.iter().try_fold(self.start, next).is_some()
    }

    /// The leap by which the state that `about` tells of can be left, if there is one.
    #[inline(always)]
    pub(super) fn leap(&self, about: u32) -> Option<&Leap> {
        if about & LEAP == 0 { None } else { self.leaps.get(((about & !(LEAP | MATCH)) as usize).wrapping_sub(1)) }
    }

    /// The bytes with which that state stays, if there are any.
    #[inline(always)]
    pub(super) fn stay(&self, about: u32) -> Option<&ByteSet> {
        self.leaps.get(((about & !MATCH) as usize).wrapping_sub(1)).map(|leap| &leap.over)
    }
}

/// Does a match end in the state that `about` tells of?
#[inline(always)]
pub(super) fn matches(about: u32) -> bool {
    about & MATCH != 0
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
