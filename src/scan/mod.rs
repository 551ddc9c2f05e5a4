//! Bytes to findings.
//!
//! A [`Scanner`] is fed a body chunk by chunk, in any cut, and reports each occurrence of each of its kinds once, with its
//! byte range. It keeps only what could still be part of a finding. It refuses to know what a finding leads to, and never
//! copies a found value anywhere that outlives it.
//!
//! # What it finds
//!
//! For each kind on its own: walk the start positions from left to right; at a position take the longest match of the kind's
//! pattern, of at most its `max_len` bytes; ask its validator, which sees up to 64 bytes before the match and 16 behind it, more
//! where a word must stand near. A finding: go on at its end. None: go on at the next position. Findings of different kinds may
//! overlap, and all are reported.
//! `tests/reference` does exactly that, position by position; `tests/scan_exact.rs` and the fuzz target hold the scanner to it.
//!
//! The same is done with the body as it reads when its escapes are decoded, and what is found there and holds an escape is a
//! finding too, by the bytes it takes in the body (`view`). An escape is one of JSON (`\u0041`, up to four backslashes), of a URL
//! (`%41`) or of HTML (`&#65;`, `&#x41;`, `&nbsp; &plus; &apos; &commat; &period; &lowbar;`), of at most ten bytes, that stands for
//! a letter, a digit, a space or one of `+ - . _ @ '`. Two findings of a kind that overlap become one.
//!
//! # How
//!
//! ```text
//!  chunk ──► block ──► prefilter ──► starts ──────► lane (one a kind) ──────────────► findings
//!            64 bytes  which blocks  which byte     walk: how long is the match?      sorted, those before
//!            to masks  hold anything of which kind  accept: is it one?                the decided offset
//! ```
//!
//! Stage one looks at every byte and must be quick: `block` turns 64 bytes into masks with simd128, `shapes` finds runs of
//! digits in them, and `prefilter` leaves the loop only for a block that has a mark, or for an escape. On ordinary bodies few blocks
//! have one, and most marks are seen to be nothing at a closer look: `sieve` holds the bytes against the fingerprints (of literals,
//! which `heads` chooses, and of own kinds), `numbers` a number's form against those that any kind has. Marks are kept until some
//! blocks have one, an escape begins or the bytes end: only then is it known how far the stages behind may look. `starts` makes of
//! each mark the positions where a value may start; it may propose too many, never too few.
//!
//! Stage two judges: a `lane` takes the starts of its kind in order, walks (`walk`) the kind's precompiled DFA (`tables`)
//! from the start until the DFA is dead, and shows the longest match to the validator. Where a word must stand near, `word_starts`
//! knows where one may begin.
//!
//! What is looked for is a [`Program`], made once for a policy from a set of kinds. Only these have fingerprints in stage one and
//! lanes in stage two; the others cost nothing. A lane is three things: an anchor that proposes its starts (literals, digits, an
//! at sign), an automaton, a validator.
//!
//! # Chunks
//!
//! Clean text is scanned where it lies and not copied. At the end of a chunk the scanner holds what is not decided: values that
//! are still open, and the last bytes if they could become a start (`wor` may become `wor@example.com`, `--` a key), and 64
//! bytes before that for validators. With the next chunk it joins the first bytes to what it holds, as many as it takes until
//! all that matters lies in the chunk itself again. No byte goes through stage one or a table twice for the same start: an open
//! walk is kept with its state.
//!
//! # Bounds
//!
//! A start is decided at the latest [`hold_back`] bytes behind it: 39 bytes for a card number, 64 KiB for a private key; near
//! escapes, that many characters, of ten bytes at most. What is held between chunks is at most twice the largest of these, and what
//! validators look behind; near escapes that twice, and 24 bytes for each escape that is not decided. Work is linear: a byte is
//! read once by stage one, and a walk goes at most to the end of a run that only one start leads into, for `may_start` of each kind
//! refuses starts in the middle of one; `benches/engine` shows the cost on bodies made to hurt.

mod block;
mod digits;
mod heads;
mod lane;
mod numbers;
mod own;
mod prefilter;
mod program;
mod shapes;
mod sieve;
mod starts;
mod tables;
mod view;
mod walk;
mod word_starts;

use std::sync::Arc;

use crate::detect::{Kind, KindSet};

use lane::{Lane, Slice};
use own::OwnLane;
use prefilter::{Escape, Marked};
pub use program::{Program, Programs};
use view::Parsed;
pub use view::Scanner;
pub(crate) use view::{as_it_reads, escape_at};
use walk::Walk;

/// One occurrence of a kind: never the value, only where it stands.
///
/// Offsets count bytes of the decoded body from its start, across all chunks; `end` is exclusive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Finding {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// What it is.
    pub kind: Kind,
}

/// Most characters behind the start of a value of `kind`, a built-in one, until it is decided, and so most that a stream is held back for
/// it. A character is a byte, or an escape of at most ten. A bound for people and tests: what leaves is what the lanes have decided, those of
/// own kinds among them.
pub fn hold_back(kind: Kind) -> usize {
    kind.spec().max_len.saturating_add(kind.spec().look_ahead())
}

/// Bytes of a chunk that are joined to what is held from before, at first. If a value that starts there goes on, more follow.
const BRIDGE: usize = 256;

/// Finds all occurrences of what a program names in one body as it is written.
#[derive(Clone, Debug)]
struct Plain {
    program: Arc<Program>,
    /// By the number of their detector.
    lanes: Vec<Lane>,
    /// Those of the policy's own kinds.
    own: Vec<OwnLane>,
    /// The end of what was fed: all that is not decided, and what is read before a value.
    held: Vec<u8>,
    /// Bytes fed.
    fed: u64,
    /// Where the bytes start that are not decided.
    decided: u64,
    /// Found, but not before the decided offset yet.
    ready: Vec<Finding>,
    /// Room for the marks of some blocks.
    marked: Marked,
}

impl Plain {
    fn new(program: &Arc<Program>) -> Plain {
        Plain {
            lanes: program.detectors().iter().map(|_| Lane::default()).collect(),
            own: vec![OwnLane::default(); program.own.len()],
            program: Arc::clone(program),
            held: Vec::new(),
            fed: 0,
            decided: 0,
            ready: Vec::new(),
            marked: Marked::default(),
        }
    }

    /// Takes the next chunk of the body and appends what has become certain to `findings`, in the order of their starts (then
    /// ends, then kinds), over all calls.
    fn feed(&mut self, chunk: &[u8], findings: &mut Vec<Finding>) {
        self.feed_to_escape(chunk, None, findings);
    }

    /// The same, but only up to the first escape, or what may become one with more behind it, which it returns: where it begins in the
    /// chunk, and what it is. `before` is the byte before the chunk; `None`: escapes do not matter.
    fn feed_to_escape(&mut self, chunk: &[u8], before: Option<u8>, findings: &mut Vec<Finding>) -> Option<Escape> {
        let mut held = std::mem::take(&mut self.held);
        let mut read = 0usize;
        let mut escape = None;
        while !held.is_empty() && read < chunk.len() && escape.is_none() {
            let rest = chunk.get(read..).unwrap_or_default();
            let bridge = rest.get(..BRIDGE.max(held.len())).unwrap_or(rest);
            let from = held.len();
            held.extend_from_slice(bridge);
            if let Some((end, parsed)) = self.scan(&held, from, before) {
                held.truncate(end);
                // What is cut off by the end of the bridge alone is looked at again.
                if parsed != Parsed::Partial || bridge.len() == rest.len() {
                    escape = Some((read.saturating_add(end).saturating_sub(from), parsed));
                }
            }
            read = read.saturating_add(held.len()).saturating_sub(from);
            let kept = self.keep(&held).len();
            if escape.is_none() && read < chunk.len() && kept <= read {
                // All that is still of interest lies in the chunk itself: no more copying.
                held.clear();
            } else if held.len() > kept.saturating_mul(2) {
                held.drain(..held.len().saturating_sub(kept));
            }
        }
        if read < chunk.len() && escape.is_none() {
            escape = self.scan(chunk, read, before);
            let known = escape.and_then(|(end, _)| chunk.get(..end)).unwrap_or(chunk);
            held.extend_from_slice(self.keep(known));
        }
        self.held = held;
        self.report(self.decided, findings);
        escape
    }

    /// Ends the body: decides what was still open.
    fn finish(&mut self, findings: &mut Vec<Finding>) {
        let held = std::mem::take(&mut self.held);
        let slice = Slice { bytes: &held, at: self.fed.saturating_sub(held.len() as u64), last: true };
        self.resume(slice);
        self.report(u64::MAX, findings);
    }

    /// Bytes of the body that are held now: at most twice the longest [`hold_back`] of its kinds and what is read before a value.
    fn held(&self) -> usize {
        self.held.len()
    }

    /// Scans `bytes`, which the body goes on with behind the index `from`; what is before has been scanned. Ends at the first escape,
    /// if `before` tells what stands before `bytes`, and returns it.
    fn scan(&mut self, bytes: &[u8], from: usize, before: Option<u8>) -> Option<Escape> {
        let at = self.fed.saturating_sub(from as u64);
        let floor = usize::try_from(self.decided.saturating_sub(at)).unwrap_or(usize::MAX);
        let mut cursor = self.program.prefilter.start(bytes, from);
        let mut marked = std::mem::take(&mut self.marked);
        let (mut from, mut known) = (from, bytes);
        let mut escape = None;
        while from < bytes.len() && escape.is_none() {
            escape = self.program.prefilter.look(bytes, &mut cursor, before, &mut marked);
            // What stands behind may be an escape, at which the view must know what is known now, and no more.
            known = bytes.get(..cursor.at()).unwrap_or(bytes);
            self.judge(Slice { bytes: known, at, last: false }, from, floor, &marked);
            from = known.len();
        }
        self.marked = marked;
        self.fed = at.saturating_add(known.len() as u64);
        let Plain { program, .. } = self;
        let tail = program.starts.tail(known, floor, program.detectors()).max(program.notice.tail(
            known,
            floor,
            program.own_detectors(),
        ));
        let noticed = self.fed.saturating_sub(tail as u64);
        let open = self.lanes.iter().filter_map(Lane::undecided).chain(self.own.iter().filter_map(OwnLane::undecided)).min();
        self.decided = open.map_or(noticed, |open| open.min(noticed));
        escape
    }

    /// Judges what may start in the marked blocks of `slice`, which was judged up to the index `from`.
    fn judge(&mut self, slice: Slice<'_>, from: usize, floor: usize, marked: &Marked) {
        self.resume(slice);
        let Slice { bytes, at, .. } = slice;
        let Plain { program, lanes, own, ready, .. } = self;
        program.starts.propose_carried(bytes, from, program.detectors(), |number, start| {
            if let (Some(lane), Some(detector)) = (lanes.get_mut(number), program.detectors().get(number)) {
                let walk = Walk::at(detector.table.start);
                lane.offer(at.saturating_add(start as u64), walk, detector, slice, ready);
            }
        });
        for marks in marked.blocks() {
            program.starts.propose(bytes, floor, marks, program.detectors(), |number, start, walk| {
                if let (Some(lane), Some(detector)) = (lanes.get_mut(number), program.detectors().get(number)) {
                    lane.offer(at.saturating_add(start as u64), walk, detector, slice, ready);
                }
            });
            program.notice.propose(bytes, floor, marks, |number, start| {
                let lane = own.get_mut(number).zip(program.own.get(number)).zip(program.own_detector(number));
                if let Some(((lane, kind), detector)) = lane {
                    lane.offer(at.saturating_add(start as u64), (*kind, detector), slice, ready);
                }
            });
        }
    }

    /// Goes on with all values that are open.
    fn resume(&mut self, slice: Slice<'_>) {
        for (lane, detector) in self.lanes.iter_mut().zip(self.program.detectors()) {
            lane.resume(detector, slice, &mut self.ready);
        }
        for (lane, of) in self.own.iter_mut().zip(self.program.own.iter().copied().zip(self.program.own_detectors())) {
            lane.resume(of, slice, &mut self.ready);
        }
    }

    /// What of the last scanned bytes must be held.
    fn keep<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let undecided = usize::try_from(self.fed.saturating_sub(self.decided)).unwrap_or(usize::MAX);
        bytes.get(bytes.len().saturating_sub(undecided.saturating_add(self.program.look_behind()))..).unwrap_or_default()
    }

    /// Hands out what starts before `decided`.
    fn report(&mut self, decided: u64, findings: &mut Vec<Finding>) {
        self.ready.sort_unstable();
        let certain = self.ready.partition_point(|finding| finding.start < decided);
        findings.extend(self.ready.drain(..certain));
    }
}

/// All findings of `kinds` in a whole body, sorted by start. Makes a [`Program`] for it: who has many bodies keeps one.
pub fn scan(kinds: KindSet, body: &[u8]) -> Vec<Finding> {
    Programs::default().of(kinds).scan(body)
}
