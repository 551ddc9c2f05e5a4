//! How documents lie in a body: which bytes belong to one, and where one ends.

use crate::body::json::{Beginning, PART as BLOCK, RECORD_SEPARATOR, any};

/// How documents are laid out in a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// One document, or several behind one another.
    Documents,
    /// Each line is a document, and each record.
    Lines,
    /// Each record of `application/json-seq` is a document, of as many lines as it likes.
    Records,
    /// The data lines of each event of `text/event-stream` are a document.
    Events,
}

/// What a byte is to the documents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// One of a document.
    Document,
    /// None of it.
    Between,
    /// The one at hand ends, and another may begin.
    End,
}

impl Layout {
    /// What the next byte of the body is.
    pub(super) fn part(self, byte: u8, line: &mut EventLine) -> Part {
        match self {
            Layout::Documents => Part::Document,
            Layout::Lines if matches!(byte, b'\n' | RECORD_SEPARATOR) => Part::End,
            Layout::Records if byte == RECORD_SEPARATOR => Part::End,
            Layout::Lines | Layout::Records => Part::Document,
            Layout::Events => line.part(byte),
        }
    }
}

/// The line of an event stream that the next byte stands in.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct EventLine {
    state: State,
    /// The byte before was a CR, so an LF that comes now ends no line of its own.
    after_cr: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// So many bytes of the line have come, all as in `data:`.
    Name(usize),
    /// Directly behind `data:`.
    Colon,
    Data,
    /// A line of another name.
    Other,
}

impl Default for State {
    fn default() -> State {
        State::Name(0)
    }
}

const DATA: &[u8] = b"data:";

/// Knows of an event stream, in any cut, where it is JSON: in the data of an event that begins like an object or array.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(in crate::body) struct EventTracker {
    beginning: Beginning,
    line: EventLine,
    /// Whether the data of the event at hand is JSON, once its first byte has come.
    json: Option<bool>,
}

impl EventTracker {
    /// Walks on over `bytes`.
    pub(in crate::body) fn feed(&mut self, bytes: &[u8]) {
        let mut rest = self.beginning.past_mark(bytes);
        while let Some((byte, behind)) = rest.split_first() {
            rest = behind;
            match self.line.part(*byte) {
                Part::End => self.json = None,
                Part::Document if self.json.is_none() && !byte.is_ascii_whitespace() => {
                    self.json = Some(matches!(byte, b'{' | b'['));
                }
                Part::Document | Part::Between => {}
            }
            // Of a line whose field is known, nothing but its end matters.
            let known = self.line.state == State::Other || (self.line.state == State::Data && self.json.is_some());
            if known && !matches!(byte, b'\n' | b'\r') {
                rest = from_line_end(rest);
            }
        }
    }

    /// Does the next byte stand in JSON?
    pub(in crate::body) fn in_json(self) -> bool {
        self.json == Some(true) && self.line.in_data()
    }
}

/// `bytes` from their first line end on.
fn from_line_end(bytes: &[u8]) -> &[u8] {
    let ends = |byte: u8| matches!(byte, b'\n' | b'\r');
    let (blocks, edge) = bytes.as_chunks::<BLOCK>();
    let clean = blocks.iter().take_while(|block| !any(block, ends)).count();
    let rest = blocks.get(clean).map_or(edge, |block| block.as_slice());
    let end = rest.iter().position(|byte| ends(*byte)).unwrap_or(rest.len());
    bytes.get(clean.saturating_mul(BLOCK).saturating_add(end)..).unwrap_or_default()
}

impl EventLine {
    /// May the next byte be one of a document?
    pub(super) fn in_data(self) -> bool {
        matches!(self.state, State::Colon | State::Data)
    }

    fn part(&mut self, byte: u8) -> Part {
        if self.after_cr && byte == b'\n' {
            self.after_cr = false;
            return Part::Between;
        }
        self.after_cr = byte == b'\r';
        let line_ends = matches!(byte, b'\n' | b'\r');
        let (state, part) = match self.state {
            // An empty line ends the event.
            State::Name(0) if line_ends => (State::Name(0), Part::End),
            State::Name(matched) if DATA.get(matched) == Some(&byte) => {
                let matched = matched.saturating_add(1);
                (if matched == DATA.len() { State::Colon } else { State::Name(matched) }, Part::Between)
            }
            State::Name(_) | State::Other => (State::Other, Part::Between),
            // One space behind the colon belongs to the field's syntax.
            State::Colon if byte == b' ' => (State::Data, Part::Between),
            State::Colon | State::Data => (State::Data, Part::Document),
        };
        self.state = if line_ends { State::Name(0) } else { state };
        part
    }
}
