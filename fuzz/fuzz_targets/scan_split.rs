//! The scanner, in chunks that the input chooses, finds what the naive reference finds in the whole body.
//!
//! Input: a byte that says which kinds, a byte that says how many cuts there are, that many bytes (each the length of a chunk,
//! times a scale), and the body.
#![no_main]

use bodyguard::detect::{Kind, KindSet};
use bodyguard::scan::Scanner;
use libfuzzer_sys::{Corpus, fuzz_target};

#[path = "../../tests/reference/mod.rs"]
mod reference;

/// The reference takes long on more.
const BODY_MAX: usize = 4096;

fuzz_target!(|input: &[u8]| -> Corpus {
    let [which, count, rest @ ..] = input else { return Corpus::Reject };
    let Some((cuts, body)) = rest.split_at_checked(usize::from(count % 32)) else { return Corpus::Reject };
    if body.len() > BODY_MAX {
        return Corpus::Reject;
    }
    // 0 is all kinds; anything else leaves out those whose number has its bit set.
    let kinds: KindSet = Kind::all().filter(|kind| which >> (kind.index() % 8) & 1 == 0).collect();

    let (mut scanner, mut findings, mut rest, mut decided) = (Scanner::new(&reference::program(kinds)), Vec::new(), body, 0);
    for cut in cuts {
        let (chunk, behind) = rest.split_at(usize::from(*cut).min(rest.len()));
        let now = scanner.feed(chunk, &mut findings);
        assert!(now >= decided, "decided went back");
        assert!(findings.iter().all(|finding| finding.start < now), "reported before it was decided");
        (rest, decided) = (behind, now);
    }
    scanner.feed(rest, &mut findings);
    scanner.finish(&mut findings);
    assert_eq!(findings, reference::scan(kinds, body));
    Corpus::Keep
});
