//! What a policy says about kinds: its own ones, and where a finding does not count.
//!
//! The policy reads its `detectors` into [`Detectors`]; scanners, masks, metrics and events ask them. A kind of a policy's own has
//! one *source*, where its matches come from: a regex, words, or the structure of JSON (which others walk). [`Conditions`] judge
//! each finding, of an own kind or a built-in one: a finding that they refuse is none, and nothing that overlaps it is looked for
//! in its place. This module refuses to know documents and bodies.

mod automaton;
mod prints;

use std::collections::{BTreeMap, BTreeSet};

pub use automaton::{Automaton, MAX_COMPILED_BYTES, MAX_MATCH_BYTES, State};
pub use prints::{ByteSet, Prints};

use super::checksum::Checksum;
use super::kind::{Kind, Mask};
use super::near::Near;
use super::pattern::Pattern;

/// Most kinds of its own that a policy may have.
pub const MAX_DETECTORS: usize = 100;
/// Most bytes of the tables of all detectors of a policy.
pub const MAX_ALL_COMPILED_BYTES: usize = 4_194_304;

/// All that a policy says about kinds.
#[derive(Debug, Default)]
pub struct Detectors {
    own: Vec<Detector>,
    built_in: BTreeMap<Kind, Setting>,
}

/// A kind of a policy's own.
#[derive(Debug)]
pub struct Detector {
    /// Its name in lists, metrics, labels and events.
    pub name: String,
    /// Where its matches come from.
    pub automaton: Automaton,
    /// By what they are noticed.
    pub prints: Prints,
    /// What else is said of it.
    pub setting: Setting,
}

/// What a policy may say of any kind.
#[derive(Debug, Default)]
pub struct Setting {
    /// What a finding must be besides.
    pub conditions: Conditions,
    /// How it is masked; `None`: as its kind is.
    pub mask: Option<Mask>,
}

/// What a finding must be besides a match.
#[derive(Debug, Default)]
pub struct Conditions {
    /// Values that are no finding.
    pub except: BTreeSet<Vec<u8>>,
    /// What is found in values that are no finding.
    pub except_regex: Vec<Pattern>,
    /// What is found in every value, all of it.
    pub require: Vec<Pattern>,
    /// What stands near.
    pub near: Option<Near>,
    /// Its check digits are right.
    pub validate: Option<&'static Checksum>,
}

impl Detector {
    /// A kind whose values a regex matches.
    ///
    /// # Errors
    /// What is wrong with the regex, on one line.
    pub fn of_regex(name: &str, regex: &str) -> Result<Detector, String> {
        Ok(Detector::of(name, Automaton::new(regex)?))
    }

    /// A kind whose values are these words, where no letter, digit or underscore stands beside them.
    ///
    /// # Errors
    /// They take too much room.
    pub fn of_words<'a>(name: &str, words: impl Iterator<Item = &'a str>, ignore_case: bool) -> Result<Detector, String> {
        let words: Vec<&str> = words.collect();
        let longest = words.iter().map(|word| word.len()).max().unwrap_or(0);
        // The longer of two that begin alike is the one that is there.
        let words: Vec<&str> =
            (1..=longest).rev().flat_map(|len| words.iter().filter(move |word| word.len() == len)).copied().collect();
        let edge = |byte: Option<u8>| if byte.is_some_and(is_word_byte) { r"\b" } else { "" };
        let words = words.iter().map(|word| {
            let (first, last) = (word.as_bytes().first().copied(), word.as_bytes().last().copied());
            format!("{}{}{}", edge(first), literal(word), edge(last))
        });
        let words: Vec<String> = words.collect();
        let flags = if ignore_case { "(?i)" } else { "" };
        Ok(Detector::of(name, Automaton::of(&format!("{flags}(?:{})", words.join("|")))?))
    }

    /// A kind whose values the structure of a body says, and no scanner looks for.
    pub fn of_structure(name: &str) -> Detector {
        Detector::of(name, Automaton::nothing())
    }

    fn of(name: &str, automaton: Automaton) -> Detector {
        let prints = Prints::of(&automaton);
        Detector { name: name.into(), automaton, prints, setting: Setting::default() }
    }
}

impl Detectors {
    /// Adds an own kind; `None` where there are too many.
    pub fn add(&mut self, detector: Detector) -> Option<Kind> {
        let kind = Kind::own(self.own.len()).filter(|_| self.own.len() < MAX_DETECTORS)?;
        self.own.push(detector);
        Some(kind)
    }

    /// Does the policy say nothing about kinds?
    pub fn is_empty(&self) -> bool {
        self.own.is_empty() && self.built_in.is_empty()
    }

    /// Says something of a built-in kind.
    pub fn set(&mut self, kind: Kind, setting: Setting) {
        self.built_in.insert(kind, setting);
    }

    /// Every own kind, in the order of its number.
    pub fn own(&self) -> impl Iterator<Item = (Kind, &Detector)> {
        (0..).map_while(Kind::own).zip(&self.own)
    }

    /// The definition of an own kind.
    pub fn get(&self, kind: Kind) -> Option<&Detector> {
        self.own.get(kind.own_number()?)
    }

    /// The kind of that name, own or built-in.
    pub fn kind(&self, name: &str) -> Option<Kind> {
        let own = self.own().find(|(_, detector)| detector.name == name).map(|(kind, _)| kind);
        own.or_else(|| Kind::from_name(name))
    }

    /// What a kind is called.
    pub fn name(&self, kind: Kind) -> &str {
        self.get(kind).map_or(kind.name(), |detector| detector.name.as_str())
    }

    /// How a kind is masked.
    pub fn mask(&self, kind: Kind) -> &Mask {
        self.setting(kind).and_then(|setting| setting.mask.as_ref()).unwrap_or(kind.spec().mask)
    }

    /// What a finding of a kind must be besides; `None`: nothing.
    pub fn conditions(&self, kind: Kind) -> Option<&Conditions> {
        self.setting(kind).map(|setting| &setting.conditions)
    }

    fn setting(&self, kind: Kind) -> Option<&Setting> {
        match self.get(kind) {
            Some(detector) => Some(&detector.setting),
            None => self.built_in.get(&kind),
        }
    }
}

impl Conditions {
    /// Is a value with these bytes before and behind it a finding?
    pub fn hold(&self, before: &[u8], value: &[u8], after: &[u8]) -> bool {
        !self.excepts(value) && self.besides(before, value, after)
    }

    /// The same, but for what the value must not be.
    pub fn besides(&self, before: &[u8], value: &[u8], after: &[u8]) -> bool {
        self.require.iter().all(|require| require.is_match(value))
            && self.near.as_ref().is_none_or(|near| near.holds(before, after))
            && self.validate.is_none_or(|checksum| valid(checksum, value))
    }

    /// Is this value said to be no finding?
    pub fn excepts(&self, value: &[u8]) -> bool {
        self.except.contains(value) || self.except_regex.iter().any(|except| except.is_match(value))
    }

    /// Bytes to know before and behind a value.
    pub fn reach(&self) -> usize {
        self.near.as_ref().map_or(0, Near::look_behind)
    }
}

/// Are the check digits of a value right? What separates its letters and digits is left out.
fn valid(checksum: &Checksum, value: &[u8]) -> bool {
    let plain: Vec<u8> = value.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_uppercase).collect();
    (checksum.valid)(&plain)
}

/// A byte of a word, as `\w` has it.
fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// A regex that matches this text and nothing else.
fn literal(text: &str) -> String {
    let mut regex = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_punctuation() {
            regex.push('\\');
        }
        regex.push(character);
    }
    regex
}
