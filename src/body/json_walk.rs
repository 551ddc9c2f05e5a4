//! Walks JSON as it flows, in any cut, and says of each byte where it stands: in a key, in a value, at which paths, or in text.
//!
//! It takes one document or many behind one another, lines of JSON, and the data lines of an event stream. It is a lenient reader
//! (a bare word passes for a value), but what breaks the grammar is text: to the end of the line or record where these are documents,
//! to the end of the event in an event stream, else to the end of the body. So is a document that is neither object nor array,
//! and what lies deeper than [`MAX_DEPTH`].
//!
//! This module refuses to know policies: [`JsonPaths`] are followed, whatever they are for.

mod key;
mod layout;

use std::sync::Arc;

use super::json::{Beginning, RECORD_SEPARATOR, is_token_byte};
use super::json_path::{JsonPaths, Name, PathSet};
use key::Key;
pub(super) use layout::EventTracker;
pub use layout::Layout;
use layout::{EventLine, Part};

/// Objects and arrays within one another that are followed; a document that goes deeper is text from there on.
pub const MAX_DEPTH: usize = 128;
/// Longest key that a path can name, in bytes as it reads when its escapes are decoded.
pub const MAX_KEY_BYTES: usize = 256;
/// A scalar that is longer, in bytes, is told in pieces of this length.
pub const MAX_SCALAR_BYTES: u64 = 4096;

/// No value.
const NULL: &[u8] = b"null";

/// Where a byte stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In no JSON that can be followed.
    Text,
    /// In a key, or where one must come; the paths of the object.
    Key(PathSet),
    /// In a value, or about one; its paths.
    Value(PathSet),
}

/// What the walk has passed. Offsets count bytes of the body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Passed {
    /// A key: what stands between its quotes.
    Key {
        /// Its first byte.
        start: u64,
        /// Its closing quote.
        end: u64,
        /// The paths that name the member itself, not what holds it.
        paths: PathSet,
    },
    /// A scalar, or a piece of a long one: what stands between the quotes of a string, never empty, or a bare token. `null` is none:
    /// it says that there is no value.
    Scalar {
        /// Its first byte.
        start: u64,
        /// One past its last byte.
        end: u64,
        /// Its paths.
        paths: PathSet,
    },
    /// The begin of an array's item.
    Item {
        /// Its first byte.
        start: u64,
        /// The how manieth it is, from 1.
        number: u64,
        /// The paths of the array.
        paths: PathSet,
    },
}

/// An object or array that is open.
#[derive(Clone, Copy, Debug)]
struct Frame {
    array: bool,
    items: u64,
    paths: PathSet,
    /// Where in `live` the nodes stand that wait for its children.
    live: usize,
    live_end: usize,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Want {
    /// A document, or space.
    Document,
    /// The first item of an array, or its end.
    FirstItem,
    /// A value.
    Value,
    /// The first key of an object, or its end.
    FirstKey,
    /// A key.
    Key,
    /// The colon behind a key.
    Colon,
    /// A comma, or the end of what is open.
    More,
    /// The rest of a string.
    String { key: bool },
    /// What is escaped, behind the backslash.
    Escape { key: bool },
    /// So many more digits of `\uXXXX`.
    Unit { key: bool, left: u8 },
    /// The rest of a bare token.
    Token,
    /// Nothing: what comes is text.
    Nothing,
}

/// The walk. See the module.
#[derive(Clone, Debug)]
pub struct JsonWalk {
    paths: Arc<JsonPaths>,
    layout: Layout,
    beginning: Beginning,
    event: EventLine,
    want: Want,
    at: u64,
    frames: Vec<Frame>,
    /// Nodes of the paths that wait for children: those of the frames one behind the other, then those of the child at hand.
    live: Vec<u16>,
    /// The paths of the child at hand.
    child: PathSet,
    /// The start of the string or token at hand.
    start: u64,
    key: Key,
    /// How many bytes of the token at hand are those of `null`.
    null: usize,
    /// Of a `\u` escape: what has come of it.
    unit: u32,
}

impl JsonWalk {
    /// A walk at the start of a body.
    pub fn new(paths: Arc<JsonPaths>, layout: Layout) -> JsonWalk {
        JsonWalk {
            paths,
            layout,
            beginning: Beginning::default(),
            event: EventLine::default(),
            want: Want::Document,
            at: 0,
            frames: Vec::new(),
            live: Vec::new(),
            child: PathSet::EMPTY,
            start: 0,
            key: Key::default(),
            null: 0,
            unit: 0,
        }
    }

    /// Will nothing be told any more, and every byte stand in text?
    pub fn is_over(&self) -> bool {
        self.layout == Layout::Documents && self.want == Want::Nothing
    }

    /// The offset of the next byte.
    pub fn offset(&self) -> u64 {
        self.at
    }

    /// Where the next byte stands.
    pub fn place(&self) -> Place {
        if self.layout == Layout::Events && !self.event.in_data() {
            return Place::Text;
        }
        let Some(frame) = self.frames.last() else { return Place::Text };
        match self.want {
            Want::Document | Want::Nothing => Place::Text,
            Want::FirstKey | Want::Key => Place::Key(frame.paths),
            Want::String { key: true } | Want::Escape { key: true } | Want::Unit { key: true, .. } => Place::Key(frame.paths),
            Want::More => Place::Value(frame.paths),
            _ => Place::Value(self.child),
        }
    }

    /// Where a scalar or key began that is not told yet: what starts there or behind it may still come up.
    pub fn open_since(&self) -> Option<u64> {
        matches!(self.want, Want::String { .. } | Want::Escape { .. } | Want::Unit { .. } | Want::Token).then_some(self.start)
    }

    /// Walks over the next bytes of the body.
    pub fn walk(&mut self, bytes: &[u8], told: &mut impl FnMut(Passed)) {
        let mut rest = self.beginning.past_mark(bytes);
        self.at = self.at.saturating_add(bytes.len().saturating_sub(rest.len()) as u64);
        while let Some((&byte, behind)) = rest.split_first() {
            // Inside strings, most bytes change nothing.
            if matches!(self.want, Want::String { key: false }) && self.layout != Layout::Events {
                let plain = rest
                    .iter()
                    .position(|byte| matches!(*byte, b'"' | b'\\' | b'\n' | b'\r' | RECORD_SEPARATOR))
                    .unwrap_or(rest.len());
                let room = usize::try_from(self.start.saturating_add(MAX_SCALAR_BYTES).saturating_sub(self.at)).unwrap_or(0);
                let skip = plain.min(room);
                if skip > 0 {
                    self.at = self.at.saturating_add(skip as u64);
                    rest = rest.get(skip..).unwrap_or_default();
                    continue;
                }
            }
            match self.layout.part(byte, &mut self.event) {
                Part::Document => self.step(byte, told),
                Part::Between => {}
                Part::End => {
                    self.end_token(told);
                    self.restart();
                }
            }
            self.at = self.at.saturating_add(1);
            rest = behind;
        }
    }

    /// Ends the body: tells the token that it ends with.
    pub fn finish(&mut self, told: &mut impl FnMut(Passed)) {
        self.end_token(told);
        self.restart();
    }

    /// The next document may begin.
    fn restart(&mut self) {
        self.frames.clear();
        self.want = Want::Document;
    }

    fn give_up(&mut self) {
        self.frames.clear();
        self.want = Want::Nothing;
    }

    /// Takes one byte of a document.
    fn step(&mut self, byte: u8, told: &mut impl FnMut(Passed)) {
        if self.want == Want::Token {
            if is_token_byte(byte) {
                self.match_null(byte);
                if self.at.saturating_sub(self.start) >= MAX_SCALAR_BYTES {
                    self.tell_piece(told);
                }
                return;
            }
            self.end_token(told);
        }
        let space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        match self.want {
            Want::Nothing | Want::Token => {}
            Want::String { key } => self.step_in_string(byte, key, told),
            Want::Escape { key } => self.step_in_escape(byte, key),
            Want::Unit { key, left } => self.step_in_unit(byte, key, left),
            _ if space => {}
            Want::Document => match byte {
                b'{' | b'[' => {
                    self.live.clear();
                    self.child = self.paths.root(&mut self.live);
                    self.open(byte == b'[', 0);
                }
                RECORD_SEPARATOR => {}
                _ => self.give_up(),
            },
            Want::FirstItem if byte == b']' => self.close(),
            Want::FirstKey if byte == b'}' => self.close(),
            Want::FirstItem | Want::Value => self.value(byte, told),
            Want::FirstKey | Want::Key if byte == b'"' => {
                (self.start, self.want) = (self.at.saturating_add(1), Want::String { key: true });
                self.key.clear();
            }
            Want::Colon if byte == b':' => self.want = Want::Value,
            Want::More => self.more(byte),
            _ => self.give_up(),
        }
    }

    fn value(&mut self, byte: u8, told: &mut impl FnMut(Passed)) {
        if let Some(frame) = self.frames.last_mut().filter(|frame| frame.array) {
            frame.items = frame.items.saturating_add(1);
            told(Passed::Item { start: self.at, number: frame.items, paths: frame.paths });
        }
        match byte {
            b'{' | b'[' => {
                let live = self.frames.last().map_or(0, |frame| frame.live_end);
                self.open(byte == b'[', live);
            }
            b'"' => (self.start, self.want) = (self.at.saturating_add(1), Want::String { key: false }),
            _ if is_token_byte(byte) => {
                (self.start, self.want, self.null) = (self.at, Want::Token, 0);
                self.match_null(byte);
            }
            _ => self.give_up(),
        }
    }

    fn more(&mut self, byte: u8) {
        match (self.frames.last().map(|frame| frame.array), byte) {
            (Some(true), b']') | (Some(false), b'}') => self.close(),
            (Some(true), b',') => {
                self.item();
                self.want = Want::Value;
            }
            (Some(false), b',') => self.want = Want::Key,
            _ => self.give_up(),
        }
    }

    /// Opens the child at hand, whose waiting nodes start at `live`.
    fn open(&mut self, array: bool, live: usize) {
        if self.frames.len() >= MAX_DEPTH {
            return self.give_up();
        }
        self.frames.push(Frame { array, items: 0, paths: self.child, live, live_end: self.live.len() });
        if array {
            self.item();
            self.want = Want::FirstItem;
        } else {
            self.want = Want::FirstKey;
        }
    }

    fn close(&mut self) {
        self.frames.pop();
        self.want = if self.frames.is_empty() { Want::Document } else { Want::More };
    }

    /// Goes down to the next item of the array.
    fn item(&mut self) {
        if let Some(&frame) = self.frames.last() {
            self.live.truncate(frame.live_end);
            let named = self.paths.child(&mut self.live, frame.live..frame.live_end, Name::Item(frame.items));
            self.child = frame.paths.union(named);
        }
    }

    /// Goes down to the member of the object whose key has come; returns the paths that name it.
    fn member(&mut self) -> PathSet {
        let Some(&frame) = self.frames.last() else { return PathSet::EMPTY };
        self.live.truncate(frame.live_end);
        let named = self.paths.child(&mut self.live, frame.live..frame.live_end, Name::Key(self.key.name()));
        self.child = frame.paths.union(named);
        named
    }

    fn step_in_string(&mut self, byte: u8, key: bool, told: &mut impl FnMut(Passed)) {
        match byte {
            b'"' if key => {
                let paths = self.member();
                told(Passed::Key { start: self.start, end: self.at, paths });
                self.want = Want::Colon;
            }
            b'"' => {
                if self.at > self.start {
                    told(Passed::Scalar { start: self.start, end: self.at, paths: self.child });
                }
                self.want = Want::More;
            }
            b'\\' => {
                if !key && self.at.saturating_sub(self.start) >= MAX_SCALAR_BYTES {
                    self.tell_piece(told);
                }
                self.want = Want::Escape { key };
            }
            b'\n' | b'\r' | RECORD_SEPARATOR => self.give_up(),
            _ if key => self.key.push(byte),
            _ if self.at.saturating_sub(self.start) >= MAX_SCALAR_BYTES => self.tell_piece(told),
            _ => {}
        }
    }

    /// Tells a piece of a long scalar, up to the byte at hand.
    fn tell_piece(&mut self, told: &mut impl FnMut(Passed)) {
        told(Passed::Scalar { start: self.start, end: self.at, paths: self.child });
        self.start = self.at;
    }

    fn step_in_escape(&mut self, byte: u8, key: bool) {
        self.want = Want::String { key };
        match byte {
            b'u' => (self.unit, self.want) = (0, Want::Unit { key, left: 4 }),
            _ if key => self.key.push_escaped(byte),
            _ => {}
        }
    }

    fn step_in_unit(&mut self, byte: u8, key: bool, left: u8) {
        let Some(digit) = char::from(byte).to_digit(16) else { return self.give_up() };
        self.unit = (self.unit << 4) | digit;
        let left = left.saturating_sub(1);
        self.want = if left == 0 { Want::String { key } } else { Want::Unit { key, left } };
        if left == 0 && key {
            self.key.push_unit(self.unit);
        }
    }

    /// Takes the byte at hand, one of a token, for `null`.
    fn match_null(&mut self, byte: u8) {
        if self.at.saturating_sub(self.start) == self.null as u64 && NULL.get(self.null) == Some(&byte) {
            self.null = self.null.saturating_add(1);
        }
    }

    fn end_token(&mut self, told: &mut impl FnMut(Passed)) {
        if self.want == Want::Token {
            if self.null < NULL.len() || self.at.saturating_sub(self.start) > NULL.len() as u64 {
                told(Passed::Scalar { start: self.start, end: self.at, paths: self.child });
            }
            self.want = Want::More;
        }
    }
}
