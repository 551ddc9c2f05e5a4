//! Kinds of sensitive data: one table, one validator a file; and what a policy says about them (`own`).
//!
//! Everything that is known about a kind stands in [`KINDS`]: the policy parser, the JSON schema, metric labels, the scanner's
//! tables and the documentation are all derived from it. This module refuses to know where bytes come from and what a
//! finding leads to.
//!
//! # What a scanner must do
//!
//! The findings of a kind in a body are defined by this walk, and by nothing else:
//!
//! 1. Go through the positions of the body from left to right.
//! 2. At a position, take the longest match of the row's `pattern` that begins exactly there, within the next `max_len` bytes
//!    (a match may end at that bound because the bound cut it).
//! 3. No match: go on at the next position.
//! 4. Give the match and its neighbours ([`KindSpec::look_behind`] and [`KindSpec::look_ahead`] bytes, fewer only at the ends of the
//!    body) to [`KindSpec::judge`]: the row's `accept`, a word near where the row needs one ([`Near`]), and what of the match only leads
//!    to the value. `None`: go on at the next position, not behind the match.
//! 5. A range: a finding there. Go on at its end.
//!
//! Kinds know nothing of each other: their findings may overlap.
//!
//! # Why that can be linear
//!
//! - `anchor` says what every match shows, so most positions need no look at all.
//! - `may_start` is a look at a few bytes and refuses every position that stands inside a longer run of the same sort (a digit
//!   behind a digit, a base64url letter behind another), so that a run is walked once and not once a byte.
//! - A pattern stops soon where it cannot become a value: a PEM block ends before the next five dashes, a JSON Web Token has at
//!   most five parts, a Slack token at most six groups, a card at most 23 bytes.
//!
//! So a byte is walked by a small constant number of candidates of a kind, whatever the body.

pub mod checksum;
mod frequency;
mod group;
mod hash;
mod kind;
mod near;
mod own;
mod pattern;
mod table;
mod test_values;
mod validate;

pub(crate) use frequency::common;
pub use group::{GROUPS, Group, PREFIX as GROUP_PREFIX, named};
pub use hash::{HashKey, MAX_KEY_BYTES, MIN_KEY_BYTES};
pub use kind::{Anchor, Candidate, Kind, KindSet, KindSpec, LOOK_AHEAD, LOOK_BEHIND, Mask, START_BYTES};
pub(crate) use near::WORD_EDGE;
pub use near::{MAX_NEAR_BYTES, MAX_NEAR_WORDS, MAX_WORD_BYTES, Near};
pub use own::{
    Automaton, ByteSet, Conditions, Detector, Detectors, MAX_ALL_COMPILED_BYTES, MAX_COMPILED_BYTES, MAX_DETECTORS,
    MAX_MATCH_BYTES, Prints, Setting, State,
};
pub use pattern::{MAX_REGEX_BYTES, MAX_REGEX_COMPILED_BYTES, Pattern};
pub use table::KINDS;
pub use test_values::{TEST_VALUES, TestValues, is_test_value};
pub(crate) use validate::card::begins as begins_a_card;

/// The byte before a position, decoded where an escape ends there; `None` at the start of the body. Up to [`LOOK_BEHIND`] bytes of what
/// stands before it are enough.
pub fn byte_before(before: &[u8]) -> Option<u8> {
    validate::boundary::left(before)
}

/// May a match of `kind` that is still open and begins with `value` become a finding? `false` means that `accept` refuses it,
/// whatever follows, so nobody need wait for that.
pub fn may_go_on(kind: Kind, value: &[u8]) -> bool {
    kind != Kind::PRIVATE_KEY || validate::pem::may_go_on(value)
}
