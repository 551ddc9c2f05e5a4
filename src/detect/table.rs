//! The table of built-in kinds: everything else that knows a kind by name is derived from it.
//!
//! Each family of kinds has a file; here they become one table. A kind's number is its place, and nobody keeps numbers.

mod americas;
mod asia;
mod common;
mod core;
mod europe;
mod secrets;

use super::kind::KindSpec;

/// Kinds of the first family: those of the `detect_sensitive_data` hook.
pub(super) const CORE: usize = core::ROWS.len();

/// Every family, in the order of their kinds' numbers.
const FAMILIES: [&[KindSpec]; 6] = [&core::ROWS, &secrets::ROWS, &common::ROWS, &americas::ROWS, &europe::ROWS, &asia::ROWS];

/// Every built-in kind, in the order of their numbers.
pub static KINDS: [KindSpec; count()] = join();

const fn count() -> usize {
    let (mut families, mut count) = (FAMILIES.as_slice(), 0usize);
    while let [family, rest @ ..] = families {
        count = count.wrapping_add(family.len());
        families = rest;
    }
    count
}

const fn join() -> [KindSpec; count()] {
    let mut kinds = [KindSpec::ROW; count()];
    let mut slots = kinds.as_mut_slice();
    let mut at = 0usize;
    while let [slot, free @ ..] = slots {
        *slot = lean(row(at));
        at = at.wrapping_add(1);
        slots = free;
    }
    kinds
}

/// Without what only people read, where it would be carried into the module: 15 KB that no proxy looks at.
const fn lean(row: KindSpec) -> KindSpec {
    if cfg!(target_arch = "wasm32") { KindSpec { about: "", rules: "", sources: &[], ..row } } else { row }
}

/// The row with this number.
const fn row(mut at: usize) -> KindSpec {
    let mut families = FAMILIES.as_slice();
    while let [family, others @ ..] = families {
        let mut rows = *family;
        while let [row, more @ ..] = rows {
            if at == 0 {
                return *row;
            }
            at = at.wrapping_sub(1);
            rows = more;
        }
        families = others;
    }
    KindSpec::ROW
}
