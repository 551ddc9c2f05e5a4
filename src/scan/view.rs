//! The body as it is written, and as it reads: values that are escaped are found too.
//!
//! A [`Scanner`] reads a body with a [`Plain`] scanner. Where an escape of a character of a value begins (`escape`), it wakes
//! a second one, the *view*: a copy of the first with all that it holds, which is fed the decoded bytes from there on. `offsets`
//! leads from the view back to the body. Both know the same up to the first escape, so nothing is read again; and when both
//! have decided all that lies near the last escape, they know the same again, and the view is dropped. A body without such
//! escapes costs nothing more: the block loop notices where one begins.
//!
//! The findings are those of the body as it is written, and those of the whole decoded body that hold an escape, from the first
//! byte of the first character to the last byte of the last. Two of a kind that overlap become one. `tests/reference` does
//! exactly that, naively.
//!
//! This module refuses to know kinds and media types: an escape counts wherever it stands.

mod escape;
mod offsets;

use std::sync::Arc;

use super::{Finding, Plain, Program};
use crate::detect::KindSet;

use escape::ESCAPE_MAX;
pub(in crate::scan) use escape::decoded;
pub(super) use escape::{
    BACKSLASHES, PRINTS as ESCAPES, Parsed, begins as begins_escape, begun as begun_escape, ending as escape_ending, parse,
};
pub(crate) use escape::{as_it_reads, escape_at};
use offsets::Offsets;

/// Bytes that are read in one piece when the view wakes; then it may fall asleep. Twice as many each time that it does not.
const WINDOW: usize = 512;
/// Most bytes that are read in one piece while the view is awake.
const WINDOW_MAX: usize = 8 * 1024;

/// Finds all occurrences of what a program names in one body, escaped ones among them.
#[derive(Debug)]
pub struct Scanner {
    raw: Plain,
    view: Option<Box<View>>,
    /// What may be the beginning of an escape, at the end of what was fed: no scanner has it yet. At most [`ESCAPE_MAX`] bytes.
    carry: Vec<u8>,
    /// The byte before what comes next.
    last: u8,
    /// Found, and not handed out yet.
    found: Vec<Finding>,
    /// May findings of the view be among them?
    mixed: bool,
    decided: u64,
}

/// The body as it reads, from an escape on.
#[derive(Debug)]
struct View {
    scanner: Plain,
    offsets: Offsets,
    /// Bytes that are read next in one piece.
    window: usize,
    /// Decoded bytes on their way to the scanner.
    decoded: Vec<u8>,
    found: Vec<Finding>,
}

impl Scanner {
    /// A scanner for one body. Makes nothing but room for each of the program's lanes.
    pub fn new(program: &Arc<Program>) -> Scanner {
        Scanner { raw: Plain::new(program), view: None, carry: Vec::new(), last: 0, found: Vec::new(), mixed: false, decided: 0 }
    }

    /// Takes the next chunk of the body and appends what has become certain to `findings`, in the order of their starts (then
    /// ends, then kinds), over all calls.
    ///
    /// Returns the offset up to which everything is decided: no finding that is reported later starts before it, and none that
    /// is reported now starts behind it.
    pub fn feed(&mut self, chunk: &[u8], findings: &mut Vec<Finding>) -> u64 {
        let mut rest = chunk;
        if !self.carry.is_empty() {
            let mut bridge = std::mem::take(&mut self.carry);
            let known = bridge.len();
            bridge.extend_from_slice(chunk.get(..ESCAPE_MAX).unwrap_or(chunk));
            let read = self.run(&bridge, known);
            rest = chunk.get(read.saturating_sub(known)..).unwrap_or_default();
        }
        self.run(rest, rest.len());
        self.report(findings);
        self.decided
    }

    /// Ends the body: decides what was still open.
    pub fn finish(&mut self, findings: &mut Vec<Finding>) {
        let carry = std::mem::take(&mut self.carry);
        self.raw.feed(&carry, &mut self.found);
        self.raw.finish(&mut self.found);
        if let Some(mut view) = self.view.take() {
            view.decoded.extend_from_slice(&carry);
            view.feed(&mut self.found);
            view.scanner.finish(&mut view.found);
            view.hand_over(&mut self.found);
        }
        self.report(findings);
    }

    /// Bytes of the body that are held now: at most four times the longest [`hold_back`](super::hold_back) of its kinds and
    /// what is read before a value, and one escape. While escapes are near, each that is not decided takes 24 bytes more.
    pub fn held(&self) -> usize {
        let view = self.view.as_ref().map_or(0, |view| view.scanner.held());
        self.raw.held().saturating_add(view).saturating_add(self.carry.len())
    }

    /// Reads `bytes` up to `to`, or to the end of an escape that begins before it. Returns how many bytes were read.
    fn run(&mut self, bytes: &[u8], to: usize) -> usize {
        let mut at = 0;
        while at < to && self.carry.is_empty() {
            at = match self.view.take() {
                None => self.sleep(bytes, at, to),
                Some(view) => self.wake(view, bytes, at, to),
            };
        }
        let read = at.saturating_add(self.carry.len());
        if let Some(last) = at.checked_sub(1).and_then(|last| bytes.get(last)) {
            self.last = *last;
        }
        read
    }

    /// Reads on from `at` to the next escape, at which the view wakes.
    fn sleep(&mut self, bytes: &[u8], at: usize, to: usize) -> usize {
        let found = if to == bytes.len() {
            let before = at.checked_sub(1).and_then(|before| bytes.get(before)).copied().unwrap_or(self.last);
            let rest = bytes.get(at..).unwrap_or_default();
            self.raw.feed_to_escape(rest, Some(before), &mut self.found).map(|(end, parsed)| (at.saturating_add(end), parsed))
        } else {
            // An escape may begin before `to` and end behind it.
            let found = escape::find(bytes, at, to, self.last);
            let end = found.map_or(to, |(end, _)| end);
            self.raw.feed(bytes.get(at..end).unwrap_or_default(), &mut self.found);
            found
        };
        let end = found.map_or(to, |(end, _)| end);
        match found {
            Some((_, Parsed::Partial)) => self.carry.extend_from_slice(bytes.get(end..).unwrap_or_default()),
            Some(_) => self.view = Some(Box::new(View::of(&self.raw))),
            None => {}
        }
        end
    }

    /// Reads on from `at` with both scanners, one window.
    fn wake(&mut self, mut view: Box<View>, bytes: &[u8], at: usize, to: usize) -> usize {
        let window = to.min(at.saturating_add(view.window));
        let mut end = at;
        while end < window {
            let found = escape::find(bytes, end, window, self.last);
            let start = found.map_or(window, |(start, _)| start);
            view.decoded.extend_from_slice(bytes.get(end..start).unwrap_or_default());
            end = start;
            match found {
                Some((_, Parsed::Escape { len, byte })) => {
                    view.push(self.raw.fed.saturating_add(start.saturating_sub(at) as u64), len, byte);
                    end = start.saturating_add(len);
                }
                Some(_) => {
                    self.carry.extend_from_slice(bytes.get(start..).unwrap_or_default());
                    break;
                }
                None => {}
            }
        }
        self.raw.feed(bytes.get(at..end).unwrap_or_default(), &mut self.found);
        view.feed(&mut self.found);
        self.mixed = true;
        if !view.knows_what(&self.raw) {
            view.window = view.window.saturating_mul(2).min(WINDOW_MAX);
            self.view = Some(view);
        }
        end
    }

    /// Hands out what is certain: what nothing that is found later can overlap.
    fn report(&mut self, findings: &mut Vec<Finding>) {
        if self.mixed {
            join(&mut self.found);
        }
        let mut certain = self.found.len();
        let mut decided = self.raw.decided;
        if let Some(view) = &self.view {
            decided = decided.min(view.decided());
            let open = self.found.iter().filter(|finding| finding.end > decided).map(|finding| finding.start).min();
            decided = open.map_or(decided, |open| open.min(decided));
            certain = self.found.partition_point(|finding| finding.start < decided);
        } else {
            self.mixed = false;
        }
        findings.extend(self.found.drain(..certain));
        self.decided = decided;
    }
}

impl View {
    /// A view that begins where `raw` has come to.
    fn of(raw: &Plain) -> View {
        View { window: WINDOW, scanner: raw.clone(), offsets: Offsets::default(), decoded: Vec::new(), found: Vec::new() }
    }

    /// Adds an escape at `raw`.
    fn push(&mut self, raw: u64, len: usize, byte: u8) {
        self.offsets.push(self.scanner.fed.saturating_add(self.decoded.len() as u64), raw, len);
        self.decoded.push(byte);
    }

    /// Scans what was decoded.
    fn feed(&mut self, found: &mut Vec<Finding>) {
        self.scanner.feed(&self.decoded, &mut self.found);
        self.decoded.clear();
        self.hand_over(found);
        self.offsets.forget(self.scanner.decided);
    }

    /// Gives away what was found and holds an escape.
    fn hand_over(&mut self, found: &mut Vec<Finding>) {
        for Finding { start, end, kind } in self.found.drain(..) {
            if self.offsets.any(start, end) {
                found.push(Finding { start: self.offsets.start(start), end: self.offsets.end(end), kind });
            }
        }
    }

    /// The offset in the body up to which the view has decided.
    fn decided(&self) -> u64 {
        self.offsets.start(self.scanner.decided)
    }

    /// Will `raw` find from now on what the view would?
    fn knows_what(&self, raw: &Plain) -> bool {
        let decided = raw.decided.min(self.decided());
        let near = self.offsets.end(self.offsets.behind_last()).saturating_add(raw.program.look_behind() as u64);
        let same = |raw: u64, view: u64| {
            let next = self.offsets.start(view);
            raw == next || raw.max(next) <= decided
        };
        decided >= near
            && raw.lanes.iter().zip(&self.scanner.lanes).all(|(raw, view)| same(raw.next(), view.next()))
            && raw.own.iter().zip(&self.scanner.own).all(|(raw, view)| same(raw.next(), view.next()))
    }
}

/// Sorts, and makes one of those of a kind that overlap.
fn join(findings: &mut Vec<Finding>) {
    findings.sort_unstable();
    // Of each kind the last one: how many stand up to it.
    let mut last = [0usize; KindSet::SIZE];
    let mut joined: Vec<Finding> = Vec::with_capacity(findings.len());
    for next in findings.drain(..) {
        let Some(last) = last.get_mut(next.kind.index()) else { continue };
        match last.checked_sub(1).and_then(|at| joined.get_mut(at)) {
            Some(before) if next.start < before.end => before.end = before.end.max(next.end),
            _ => {
                joined.push(next);
                *last = joined.len();
            }
        }
    }
    joined.sort_unstable();
    *findings = joined;
}
