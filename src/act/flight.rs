//! Inspection in flight: what every kind of stream has in common.

use std::fmt;
use std::sync::Arc;

use super::{Count, Failure, Judgement, Uninspected};
use crate::policy::Rule;

/// What becomes of a chunk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Flowing {
    /// It goes on as it came.
    AsItCame,
    /// These bytes go on in its place.
    Instead(Vec<u8>),
    /// Nothing goes on, of this chunk and of any other.
    Cut,
}

/// Inspects one body while it flows.
pub trait InFlight {
    /// Takes the next raw chunk.
    ///
    /// # Errors
    /// The body cannot be inspected further; [`InFlight::fail`] judges that.
    fn feed(&mut self, chunk: &[u8]) -> Result<Flowing, Failure>;

    /// Ends the body: what was held leaves, or it is cut.
    fn finish(&mut self) -> (Flowing, Judgement);

    /// Judges a body that could not be inspected to its end. What came before has left: it ends here, whatever the mode.
    fn fail(&mut self, failure: Failure) -> Judgement;

    /// The judgement of what has been seen.
    fn judgement(&self) -> Judgement;

    /// Findings counted since this was last asked, for metrics that cannot wait for the end of a stream.
    fn take_counts(&mut self) -> Vec<Count>;

    /// Parts that passed unread since this was last asked, and why.
    fn take_uninspected(&mut self) -> Vec<Uninspected> {
        Vec::new()
    }

    /// May the body leave other than it came?
    fn may_rewrite(&self) -> bool;

    /// May the body leave with another length than it came with?
    fn may_resize(&self) -> bool;

    /// Does the body leave without the coding it came with?
    fn decodes(&self) -> bool;

    /// Bytes decoded and scanned so far.
    fn plain_bytes(&self) -> u64;

    /// Bytes held back now.
    fn held_bytes(&self) -> usize;

    /// About what a decoder holds besides, to refer back into; 0 where it is little.
    fn window_bytes(&self) -> usize {
        0
    }

    /// May what is held be all that is left of a good body, so that it must be given back when trailers end it?
    fn may_end_held(&self) -> bool {
        true
    }

    /// The rule that is applied.
    fn rule(&self) -> &Arc<Rule>;
}

/// Without what it holds: to be able to print all of that is 20 KB of the module.
impl fmt::Debug for dyn InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InFlight")
    }
}
