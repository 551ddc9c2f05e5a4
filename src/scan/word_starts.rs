//! A quick look for words near a value: where nothing begins like one, none is there.
//!
//! Most numbers have no word near. [`WordStarts`] asks the block masks where the first three letters of any word stand, which costs a block
//! or two, whatever the text; only there it is read word by word. What near means, and what a word is, [`Near`] knows.

use super::block::{BLOCK, BUCKETS, Carry, Fingerprints, Sets, padded};
use super::heads::Buckets;
use super::starts::bits;
use crate::detect::{ByteSet, Near, WORD_EDGE};

/// The beginnings of the words of a kind.
#[derive(Debug)]
pub(super) struct WordStarts {
    table: Fingerprints,
    /// Most bytes before a value that a word and what tells that it begins stand in.
    behind: usize,
}

impl WordStarts {
    /// Those of `near`.
    pub(super) fn new(near: &Near) -> WordStarts {
        let mut buckets = Buckets::default();
        let mut longest = 0;
        for word in near.words() {
            longest = word.len().max(longest);
            let mut known = true;
            buckets.notice([0, 1, 2].map(|at| {
                let letter = word.as_bytes().get(at).copied().filter(|letter| known && *letter != b' ');
                known = letter.is_some();
                // A space stands for many bytes, or for none.
                letter.map_or(ByteSet::ALL, |letter| ByteSet::of(letter).union(ByteSet::of(letter.to_ascii_uppercase())))
            }));
        }
        let (table, _) = buckets.tables(BUCKETS);
        WordStarts { table, behind: near.within().saturating_add(longest).saturating_add(WORD_EDGE) }
    }

    /// Does one stand near a value with this before and behind it?
    pub(super) fn hold(&self, near: &Near, before: &[u8], after: &[u8]) -> bool {
        let before = before.get(before.len().saturating_sub(self.behind)..).unwrap_or(before);
        near.holds_at(before, after, |text| self.places(text))
    }

    /// Where in `text` the first three bytes of a word stand.
    fn places(&self, text: &[u8]) -> impl Iterator<Item = usize> {
        let mut carry = Carry::new(&self.table, [0; 2], 0);
        // The mask has the last of three bytes: two that are not there are looked at behind the end, for words of two letters.
        let blocks = (0..text.len().saturating_add(2)).step_by(BLOCK);
        blocks.flat_map(move |base| {
            let rest = text.get(base..).unwrap_or_default();
            let block = rest.first_chunk().copied().unwrap_or_else(|| padded(rest));
            let sets = Sets::of::<false, false>(&self.table, &block, &mut carry);
            let mask = if sets.any() { sets.mask() } else { 0 };
            bits(mask, base).filter_map(|end| end.checked_sub(2))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Kind;

    #[test]
    fn a_word_holds_where_it_stands_near() {
        for near in Kind::all().filter_map(|kind| kind.spec().near) {
            let words = WordStarts::new(near);
            for word in near.words() {
                for word in [word.to_owned(), word.to_uppercase(), word.replace(' ', ""), word.replace(' ', "_")] {
                    for gap in 0..near.within().saturating_add(8) {
                        let far = "-".repeat(gap);
                        let (before, after) = (format!("1, {word}{far}"), format!("{far}{word}"));
                        let (longer, further) = (format!("{} {before}", "x".repeat(90)), format!("{after}) {}", "x".repeat(90)));
                        for (before, after) in [(&*before, ""), ("", &after), (&longer, ""), ("", &further)] {
                            let (before, after) = (before.as_bytes(), after.as_bytes());
                            assert_eq!(words.hold(near, before, after), near.holds(before, after), "{word} {gap}");
                        }
                    }
                }
            }
            assert!(words.places(b"1234567890, 1234567890").next().is_none());
        }
    }
}
