//! Cases made of random numbers, and bodies fed to the scanner in chunks. It refuses to know what should be found.

use std::sync::Arc;

use bodyguard::scan::{Finding, Program, Scanner};

/// Random numbers that a case's number alone decides (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// Some ways to cut `len` bytes, all between single bytes among them.
pub(crate) fn cuts(random: &mut Random, len: usize) -> Vec<usize> {
    let mut cuts: Vec<usize> = match random.below(5) {
        0 => (0..random.below(4)).map(|_| random.below(len + 1)).collect(),
        1 => (0..random.below(40)).map(|_| random.below(len + 1)).collect(),
        2 => (0..len).collect(),
        3 => (0..len).step_by(1 + random.below(9)).collect(),
        _ => (0..len).step_by(1 + random.below(200)).collect(),
    };
    cuts.sort_unstable();
    cuts
}

/// Scans in chunks; checks what `feed` promises on the way.
pub(crate) fn scan_cut(program: &Arc<Program>, body: &[u8], cuts: &[usize]) -> Result<Vec<Finding>, String> {
    let (mut scanner, mut findings, mut start, mut decided) = (Scanner::new(program), Vec::new(), 0, 0);
    for end in cuts.iter().copied().chain([body.len()]) {
        let (known, before) = (findings.len(), decided);
        decided = scanner.feed(&body[start..end], &mut findings);
        start = end;
        if decided < before || decided > end as u64 {
            return Err(format!("decided went from {before} to {decided} at {end}"));
        }
        for finding in &findings[known..] {
            if finding.start < before || finding.start >= decided {
                return Err(format!("{finding:?} reported when decided went from {before} to {decided}"));
            }
        }
    }
    let known = findings.len();
    scanner.finish(&mut findings);
    match findings[known..].iter().find(|finding| finding.start < decided) {
        Some(finding) => Err(format!("{finding:?} reported at the end, but {decided} was decided")),
        None if !findings.is_sorted() => Err(format!("out of order: {findings:?}")),
        None => Ok(findings),
    }
}

/// A smaller body, with its cuts, that still `fails`: pieces are left out, halves first, as long as it does.
pub(crate) fn shrink(body: &[u8], cuts: &[usize], fails: impl Fn(&[u8], &[usize]) -> bool) -> (Vec<u8>, Vec<usize>) {
    let (mut body, mut cuts) = (body.to_vec(), cuts.to_vec());
    let mut size = body.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at + size <= body.len() {
            let mut shorter = body.clone();
            shorter.drain(at..at + size);
            let moved: Vec<usize> =
                cuts.iter().map(|cut| if *cut > at { cut.saturating_sub(size).max(at) } else { *cut }).collect();
            if fails(&shorter, &moved) {
                (body, cuts) = (shorter, moved);
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    (body, cuts)
}
