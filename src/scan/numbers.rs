//! Where values may start that begin with digits, or with a few letters and signs before them.
//!
//! Bodies are full of numbers, and some thirty kinds are numbers, so a number is not tried for each of them. First its *form* is
//! looked up: how many digits it has and what follows them, how many digits come behind that and what follows those. [`Numbers`] asks
//! the automata once, when a program is made, which kinds can have which form, and which byte before; most numbers can be nothing.
//! That holds because no value ends before a digit: `accept` of each such kind refuses it.

use super::digits;
use super::program::Detector;
use super::shapes::SPAN_MAX;
use super::starts::{escape_near, is_digit, may_follow};
use super::tables::{DEAD, State, Table, matches};
use super::view::begins_escape;
use crate::detect::Anchor;

/// Digits of a run that are counted; of more, these are looked at.
const RUN_MAX: usize = 20;
/// Bits of a set of lanes. Where there are more lanes, they share bits.
const BITS: usize = 64;

/// Where values of a program's lanes of numbers may start.
#[derive(Debug)]
pub(super) struct Numbers {
    lanes: Vec<Digits>,
    /// The shortest stretch of digits and single other bytes of any.
    span: usize,
    /// For each byte the lanes whose digits it may stand before, where it ends no escape; and those where a digit stands before it.
    before: Box<[[u64; 256]; 2]>,
    /// Lanes whose values may begin with their digits.
    bare: u64,
    /// For each digit the lanes whose digits it may begin.
    begins: [u64; 10],
    /// For a stretch of each length the lanes that it is long enough for.
    long: [u64; SPAN_MAX + 1],
    first: Forms,
    second: Forms,
}

/// A lane of values with digits at their beginning.
#[derive(Debug)]
struct Digits {
    lane: usize,
    /// Bytes that may stand before the digits, largest first.
    leads: &'static [usize],
    /// Fewest digits and separators.
    least: usize,
}

/// By the length of a run of digits, which lanes can have it.
#[derive(Debug)]
struct Forms {
    /// Those whose values may end behind it or go on.
    open: [u64; RUN_MAX + 1],
    /// Those whose values may end behind it.
    ends: [u64; RUN_MAX + 1],
    /// Those whose values may go on with a byte, for each class of bytes.
    goes: Vec<[u64; RUN_MAX + 1]>,
    /// Those whose values may do either, for runs of less than eight digits.
    short: Vec<[u64; 8]>,
    classes: Box<[u8; 256]>,
}

impl Numbers {
    /// Those of `detectors`, whose numbers are their places.
    pub(super) fn new(detectors: &[Detector]) -> Numbers {
        let lanes = detectors.iter().enumerate().filter_map(|(lane, of)| match of.spec.anchor {
            _ if of.has_own_start() => None,
            Anchor::Digits(least) => Some(Digits { lane, leads: &[0], least }),
            Anchor::Led(leads, least) => Some(Digits { lane, leads, least }),
            Anchor::Prefix(_) | Anchor::Inner(..) => None,
        });
        let lanes: Vec<Digits> = lanes.collect();
        let span = lanes.iter().map(|digits| digits.least).min().unwrap_or(0);
        let mut numbers = Numbers {
            span,
            before: Box::new([[0; 256]; 2]),
            bare: 0,
            begins: [0; 10],
            long: [0; SPAN_MAX + 1],
            first: Forms::new(),
            second: Forms::new(),
            lanes: Vec::new(),
        };
        for (at, digits) in lanes.iter().enumerate() {
            if let Some(of) = detectors.get(digits.lane) {
                numbers.add(1u64.wrapping_shl(u32::try_from(at).unwrap_or(0)), digits, of);
            }
        }
        numbers.first.pack();
        numbers.second.pack();
        numbers.lanes = lanes;
        numbers
    }

    /// Reads the automaton of a lane, whose bit is `bit`.
    fn add(&mut self, bit: u64, digits: &Digits, of: &Detector) {
        let table = of.table;
        let mut starts: Vec<State> = Vec::new();
        for lead in digits.leads {
            let Some(free) = lead.checked_sub(1) else {
                self.bare |= bit;
                starts.push(table.start);
                for (digit, lanes) in [false, true].into_iter().zip(self.before.iter_mut()) {
                    for (byte, lanes) in (0..=u8::MAX).zip(lanes) {
                        *lanes |= if may_follow(of, digit, byte) { bit } else { 0 };
                    }
                }
                continue;
            };
            let mut states = vec![table.start];
            for _ in 0..free {
                states = after(table, &states, |byte| !byte.is_ascii_digit());
            }
            for byte in (0..=u8::MAX).filter(|byte| !byte.is_ascii_digit()) {
                let led = after(table, &states, |of| of == byte);
                if !after(table, &led, |byte| byte.is_ascii_digit()).is_empty() {
                    self.before.iter_mut().filter_map(|lanes| lanes.get_mut(usize::from(byte))).for_each(|lanes| *lanes |= bit);
                    led.into_iter().for_each(|state| add(&mut starts, state));
                }
            }
        }
        for (digit, lanes) in (b'0'..).zip(&mut self.begins) {
            *lanes |= if after(table, &starts, |byte| byte == digit).is_empty() { 0 } else { bit };
        }
        for (long, lanes) in self.long.iter_mut().enumerate() {
            *lanes |= if digits.least <= long { bit } else { 0 };
        }
        let behind = self.first.read(bit, table, starts);
        self.second.read(bit, table, behind);
    }

    /// Is there no lane of numbers?
    pub(super) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// The shortest stretch of digits and single other bytes that any lane wants.
    pub(super) fn span(&self) -> usize {
        self.span
    }

    /// Those of the marks of the block at `base` at which a stretch of digits is complete that may be of some lane.
    #[inline(never)]
    pub(super) fn pass(&self, bytes: &[u8], base: usize, marks: u64) -> u64 {
        let (mut left, mut passed) = (marks, 0);
        while left != 0 {
            let lowest = left & left.wrapping_neg();
            let end = base.wrapping_add(left.trailing_zeros() as usize);
            let start = end.wrapping_add(1).wrapping_sub(self.span);
            if self.is_nothing(bytes, start) {
                left ^= lowest;
                continue;
            }
            let escaped = escaped(bytes, start);
            let any = self.lanes_at(bytes, start, escaped) != 0 || escaped && digits::behind_escape(bytes, start).is_some();
            passed |= if any { lowest } else { 0 };
            left ^= lowest;
        }
        passed
    }

    /// Is it quickly seen that no lane's digits begin at `start`? The way of most numbers, without a branch up to its end.
    #[inline(always)]
    fn is_nothing(&self, bytes: &[u8], start: usize) -> bool {
        let (before, here) = bytes.split_at_checked(start).unwrap_or_default();
        let (Some(near), Some(here)) = (before.last_chunk(), here.first_chunk()) else { return false };
        let (near, here) = (u64::from_le_bytes(*near), u64::from_le_bytes(*here));
        let [.., past, last] = near.to_le_bytes();
        let [a, ..] = here.to_le_bytes();
        let run = digits_of(here);
        let next = here.wrapping_shr(run.wrapping_mul(8)) as u8;
        let [none, digit] = &*self.before;
        let before = if past.is_ascii_digit() { digit } else { none };
        let before = before.get(usize::from(last)).copied().unwrap_or(0);
        let begins = self.begins.get(usize::from(a & 15)).copied().unwrap_or(0);
        let class = self.first.classes.get(usize::from(next)).copied().unwrap_or(0);
        let may = self.first.short.get(usize::from(class)).and_then(|may| may.get(run as usize)).copied().unwrap_or(u64::MAX);
        // An escape behind the digits may stand for anything.
        before & begins & may == 0 && !begins_escape(&next) && !escaped(bytes, start)
    }

    /// The lanes whose digits may begin at `start`, by their form and the byte before.
    #[inline(always)]
    fn lanes_at(&self, bytes: &[u8], start: usize, escaped: bool) -> u64 {
        let [none, digit] = &*self.before;
        let of = |lanes: &[u64; 256], byte: u8| lanes.get(usize::from(byte)).copied().unwrap_or(0);
        let before = match bytes.get(..start).unwrap_or_default() {
            [.., before, last] => of(if before.is_ascii_digit() { digit } else { none }, *last),
            [last] => of(none, *last),
            [] => self.bare,
        };
        // Behind an escape there may be any.
        let before = if escaped { before | self.bare } else { before };
        if before == 0 { 0 } else { self.form(bytes, start, before) }
    }

    /// Gives every possible start in a stretch of digits that begins at `start`, and is long enough for some lane, to `offer`.
    #[inline]
    pub(super) fn propose(&self, bytes: &[u8], start: usize, mut offer: impl FnMut(usize, usize)) {
        let escaped = escaped(bytes, start);
        let mut lanes = self.lanes_at(bytes, start, escaped);
        if lanes != 0 {
            lanes &= self.long.get(digits::reach(bytes, start)).copied().unwrap_or(u64::MAX);
        }
        let behind = if escaped { digits::behind_escape(bytes, start) } else { None };
        let behind = behind.filter(|at| is_digit(bytes, *at));
        let more = behind.map_or(0, |at| self.form(bytes, at, self.bare));
        let mut left = lanes | more;
        while left != 0 {
            let bit = left & left.wrapping_neg();
            for Digits { lane, leads, .. } in self.lanes.iter().skip(left.trailing_zeros() as usize).step_by(BITS) {
                if lanes & bit != 0 {
                    for lead in leads.iter().filter_map(|lead| start.checked_sub(*lead)) {
                        offer(*lane, lead);
                    }
                }
                if let Some(behind) = behind.filter(|_| more & bit != 0) {
                    offer(*lane, behind);
                }
            }
            left ^= bit;
        }
    }

    /// Gives the lanes that may have a value at `behind`, which stands behind an escape.
    pub(super) fn bare(&self) -> impl Iterator<Item = usize> {
        self.lanes.iter().filter(|digits| digits.leads.last() == Some(&0)).map(|digits| digits.lane)
    }

    /// Lanes whose digits something leads to, and most bytes of that.
    pub(super) fn led(&self) -> impl Iterator<Item = (usize, usize)> {
        let lead = |digits: &Digits| digits.leads.first().copied().filter(|lead| *lead != 0);
        self.lanes.iter().filter_map(move |digits| Some((digits.lane, lead(digits)?)))
    }

    /// Those of `lanes` that can have a number of the form of the one at `start`, as far as is known.
    #[inline]
    fn form(&self, bytes: &[u8], start: usize, lanes: u64) -> u64 {
        let rest = bytes.get(start..).unwrap_or_default();
        let digit = rest.first().map_or(0, |byte| usize::from(byte.wrapping_sub(b'0')));
        let begins = lanes & self.begins.get(digit).copied().unwrap_or(0);
        let (run, next) = run(rest);
        let Some(next) = next else { return begins & at(&self.first.open, run) };
        let goes = begins & self.first.goes(run, next);
        let ends = begins & at(&self.first.ends, run);
        if goes == 0 {
            return ends;
        }
        let (run, next) = self::run(rest.get(run.wrapping_add(1)..).unwrap_or_default());
        let second = match next {
            Some(next) => at(&self.second.ends, run) | self.second.goes(run, next),
            None => at(&self.second.open, run),
        };
        goes & second | ends
    }
}

/// May the digits at `start` be those of an escape, or stand behind one that ends with a letter or digit?
#[inline(always)]
fn escaped(bytes: &[u8], start: usize) -> bool {
    let last = start.checked_sub(1).and_then(|last| bytes.get(last));
    last.is_some_and(|last| *last == b'%' || last.is_ascii_alphanumeric()) && escape_near(bytes, start)
}

/// How many of eight bytes, from the first on, are digits.
#[inline(always)]
fn digits_of(eight: u64) -> u32 {
    // From the first that is no digit on, the highest bits are not to be trusted.
    let ones = u64::from_le_bytes([1; 8]);
    let value = eight ^ ones.wrapping_mul(0x30);
    let others = (value.wrapping_add(ones.wrapping_mul(0x76)) | value) & ones.wrapping_mul(0x80);
    others.trailing_zeros().wrapping_div(8)
}

/// Digits at the beginning of `bytes`, and what follows them; nothing where more may follow, or an escape, which may stand for anything.
#[inline(always)]
fn run(bytes: &[u8]) -> (usize, Option<u8>) {
    let mut run = bytes.first_chunk().map_or(0, |eight| digits_of(u64::from_le_bytes(*eight)) as usize);
    if run == 0 || run == 8 {
        run = bytes.iter().take(RUN_MAX).take_while(|byte| byte.is_ascii_digit()).count();
    }
    (run, if run == RUN_MAX { None } else { bytes.get(run).copied().filter(|next| !begins_escape(next)) })
}

#[inline(always)]
fn at(lanes: &[u64; RUN_MAX + 1], run: usize) -> u64 {
    lanes.get(run).copied().unwrap_or(u64::MAX)
}

impl Forms {
    fn new() -> Forms {
        let goes = vec![[0; RUN_MAX + 1]; 256];
        Forms { open: [0; RUN_MAX + 1], ends: [0; RUN_MAX + 1], goes, short: Vec::new(), classes: Box::new([0; 256]) }
    }

    /// Which runs of digits a lane can have behind one of `states`, and the states behind a run and one byte more.
    fn read(&mut self, bit: u64, table: &Table, mut states: Vec<State>) -> Vec<State> {
        let mut behind: Vec<State> = Vec::new();
        for run in 0..=RUN_MAX {
            if let Some(ends) = self.ends.get_mut(run).filter(|_| states.iter().any(|state| matches(table.about(*state)))) {
                *ends |= bit;
            }
            if let Some(open) = self.open.get_mut(run).filter(|_| !states.is_empty()) {
                *open |= bit;
            }
            for (byte, goes) in (0..=u8::MAX).zip(&mut self.goes).filter(|(byte, _)| !byte.is_ascii_digit()) {
                let next = states.iter().map(|state| table.step(*state, byte)).filter(|next| *next != DEAD);
                for next in next {
                    if let Some(goes) = goes.get_mut(run) {
                        *goes |= bit;
                    }
                    add(&mut behind, next);
                }
            }
            states = after(table, &states, |byte| byte.is_ascii_digit());
        }
        behind
    }

    /// Bytes that go on in the same lanes become a class.
    fn pack(&mut self) {
        let mut known: Vec<[u64; RUN_MAX + 1]> = Vec::new();
        for (goes, class) in self.goes.iter().zip(self.classes.iter_mut()) {
            let number = known.iter().position(|known| known == goes).unwrap_or(known.len());
            if number == known.len() {
                known.push(*goes);
            }
            *class = u8::try_from(number).unwrap_or(0);
        }
        self.goes = known;
        let either = |goes: &[u64; RUN_MAX + 1]| {
            let mut short = [0; 8];
            short.iter_mut().zip(goes).zip(&self.ends).for_each(|((either, goes), ends)| *either = goes | ends);
            short
        };
        self.short = self.goes.iter().map(either).collect();
    }

    #[inline(always)]
    fn goes(&self, run: usize, next: u8) -> u64 {
        let class = self.classes.get(usize::from(next)).copied().unwrap_or(0);
        self.goes.get(usize::from(class)).map_or(0, |goes| at(goes, run))
    }
}

/// The living states behind `states` and one of the bytes, each once.
fn after(table: &Table, states: &[State], wanted: impl Fn(u8) -> bool) -> Vec<State> {
    let mut next: Vec<State> = Vec::new();
    for byte in (0..=u8::MAX).filter(|byte| wanted(*byte)) {
        for to in states.iter().map(|state| table.step(*state, byte)).filter(|to| *to != DEAD) {
            add(&mut next, to);
        }
    }
    next
}

fn add(states: &mut Vec<State>, state: State) {
    if !states.contains(&state) {
        states.push(state);
    }
}
