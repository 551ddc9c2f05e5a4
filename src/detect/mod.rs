//! Kinds of sensitive data: one table, one validator a file.
//!
//! Everything that is known about a kind stands in [`KINDS`]: the policy parser, the JSON schema, metric labels, the scanner's
//! tables and the documentation are all derived from it. This module refuses to know where bytes come from and what a
//! finding leads to.

mod kind;

pub use kind::{KINDS, Kind, KindSet, KindSpec, Mask};
