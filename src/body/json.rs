//! Where a JSON text has strings and where it has bare tokens, so that a masked number can become a string.
//!
//! This module refuses to parse: it knows strings, escapes and what separates tokens, nothing else. One text or many behind one
//! another (NDJSON, JSON text sequences, the data lines of an event stream) are walked alike; an event whose data begins like
//! neither object nor array is no JSON. A line end (LF or CR) or a record separator ends a string, which in valid JSON has none: one broken
//! line does not turn the next ones inside out. What is no JSON at all gives positions of no meaning, and no harm.

use super::MediaType;
use super::json_walk::EventTracker;

/// Where a range of a JSON text lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Position {
    /// It starts within a string: what replaces it needs no quotes.
    InString,
    /// It starts in no JSON, as in an event of an event stream that is text.
    Text,
    /// It starts outside of every string, in a bare token: a number, or what should have been one. To mask within it, the whole
    /// of `start..end` becomes a string. The range lies within these bounds.
    Bare {
        /// First byte of the token.
        start: usize,
        /// One past its last byte.
        end: usize,
    },
}

/// Walks a JSON text (or several, one after the other) in any cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct JsonTracker {
    place: Place,
    /// The byte before is one of a bare token, which goes on if the next one is too.
    in_token: bool,
    /// Of an event stream: where it is JSON. What is not has strings everywhere.
    events: Option<EventTracker>,
}

/// Where the next byte stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Place {
    #[default]
    Outside,
    String,
    /// In a string, behind a backslash.
    Escape,
    /// In a string, before so many hexadecimal digits of an escape.
    Hex(u8),
}

impl Place {
    /// Where the byte behind `byte` stands.
    fn after(self, byte: u8) -> Place {
        match (self, byte) {
            (_, b'\n' | b'\r' | RECORD_SEPARATOR) => Place::Outside,
            (Place::Escape, b'u') => Place::Hex(HEX_DIGITS),
            (Place::Hex(left), byte) if left > 1 && byte.is_ascii_hexdigit() => Place::Hex(left.saturating_sub(1)),
            (Place::Outside, b'"') | (Place::Escape, _) => Place::String,
            (Place::Outside, _) => Place::Outside,
            (_, b'"') => Place::Outside,
            (_, b'\\') => Place::Escape,
            _ => Place::String,
        }
    }

    /// Walks over `bytes`: whole blocks at once, for a body that flows is walked from its start to its end, findings or not.
    fn over(self, bytes: &[u8]) -> Place {
        let line = behind_last_end(bytes);
        let start = if line.len() < bytes.len() { Place::Outside } else { self };
        let (blocks, edge) = line.as_chunks::<BLOCK>();
        let place = blocks.iter().fold(start, |place, block| place.over_plain(block).unwrap_or_else(|| place.over_parts(block)));
        place.over_parts(edge)
    }

    fn over_parts(self, bytes: &[u8]) -> Place {
        let each = |place: Place, bytes: &[u8]| bytes.iter().fold(place, |place, byte| place.after(*byte));
        let (parts, edge) = bytes.as_chunks::<PART>();
        let place = parts.iter().fold(self, |place, part| place.over_plain(part).unwrap_or_else(|| each(place, part)));
        each(place, edge)
    }

    /// Walks over bytes with no line end in them. Where nothing is escaped, all that counts is whether their quotes are even; where
    /// something is: `None`.
    fn over_plain<const N: usize>(self, bytes: &[u8; N]) -> Option<Place> {
        if matches!(self, Place::Escape | Place::Hex(_)) || any(bytes, |byte| byte == b'\\') {
            return None;
        }
        // The compiler makes vectors of such sums, not of a parity.
        let odd = bytes.iter().fold(0u8, |quotes, byte| quotes.wrapping_add(u8::from(*byte == b'"'))) % 2 == 1;
        Some(match (self, odd) {
            (place, false) => place,
            (Place::Outside, true) => Place::String,
            (_, true) => Place::Outside,
        })
    }
}

/// Digits of `\u0041`.
const HEX_DIGITS: u8 = 4;
/// Bytes that are looked at in one go, and those where an escape is among them.
const BLOCK: usize = 256;
pub(super) const PART: usize = 64;

/// Is there a byte that `is`? Numbers, for of these the compiler makes vectors.
#[inline(always)]
pub(super) fn any<const N: usize>(bytes: &[u8; N], is: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(0, |any, byte| any | u8::from(is(*byte))) != 0
}

/// What of `bytes` stands behind the last byte that ends every string.
fn behind_last_end(bytes: &[u8]) -> &[u8] {
    let ends = |byte: u8| matches!(byte, b'\n' | b'\r' | RECORD_SEPARATOR);
    let (edge, blocks) = bytes.as_rchunks::<BLOCK>();
    let clean = blocks.iter().rev().take_while(|block| !any(block, ends)).count();
    let (before, _) = blocks.split_at_checked(blocks.len().saturating_sub(clean)).unwrap_or((blocks, &[]));
    let last = before.last().map_or(edge, |block| block.as_slice());
    let Some(at) = last.iter().rposition(|byte| ends(*byte)) else { return bytes };
    let known = clean.saturating_mul(BLOCK).saturating_add(last.len());
    let end = bytes.len().saturating_sub(known).saturating_add(at).saturating_add(1);
    bytes.get(end..).unwrap_or_default()
}

/// Starts every text of `application/json-seq` (RFC 7464).
pub(super) const RECORD_SEPARATOR: u8 = 0x1e;

/// U+FEFF in UTF-8, which a body may begin with; no reader takes it for a part of the text.
const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// How much of a byte order mark a body has begun with.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Beginning {
    matched: usize,
    past: bool,
}

impl Beginning {
    /// What of the body's next bytes is none of the mark.
    pub(super) fn past_mark<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let mut rest = bytes;
        while !self.past
            && let Some((byte, behind)) = rest.split_first()
        {
            if BYTE_ORDER_MARK.get(self.matched) == Some(byte) {
                self.matched = self.matched.saturating_add(1);
                rest = behind;
            } else {
                self.past = true;
            }
        }
        rest
    }
}

/// Does a body that nobody has named a type of begin like JSON? `None`: space, or what may be a byte order mark, is all there is.
pub fn begins_like_json(bytes: &[u8]) -> Option<bool> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace() && !BYTE_ORDER_MARK.contains(byte))?;
    Some(matches!(first, b'{' | b'['))
}

impl JsonTracker {
    /// A bare token that is longer is no number that anyone reads; [`JsonTracker::safe_cut`] does not wait for its end.
    pub const MAX_TOKEN_BYTES: usize = 4096;

    /// A tracker at the start of a text.
    pub fn new() -> JsonTracker {
        JsonTracker::default()
    }

    /// A tracker at the start of a body of that type; `None`: it has no JSON in it.
    pub fn of(media_type: &MediaType) -> Option<JsonTracker> {
        match media_type.essence() {
            "text/event-stream" => Some(JsonTracker { events: Some(EventTracker::default()), ..JsonTracker::new() }),
            _ => media_type.is_json().then(JsonTracker::new),
        }
    }

    /// Walks on over `chunk`.
    pub fn feed(&mut self, chunk: &[u8]) {
        if let Some(events) = &mut self.events {
            events.feed(chunk);
        }
        self.place = self.place.over(chunk);
        if let Some(last) = chunk.last() {
            self.in_token = self.place == Place::Outside && is_token_byte(*last);
        }
    }

    /// Walks on to the farthest place up to `upto` where `bytes` can be cut (see [`JsonTracker::safe_cut`]), and returns it.
    pub fn feed_upto(&mut self, bytes: &[u8], upto: usize) -> usize {
        let (before, behind) = bytes.split_at_checked(upto).unwrap_or((bytes, &[]));
        let mut next = *self;
        next.feed(before);
        let number = next.number_before(self, before, behind);
        if number > 0 {
            // A number holds nothing that leads anywhere.
            next.in_token = false;
        }
        *self = next;
        before.len().saturating_sub(number)
    }

    /// Is the next byte inside a string (behind its opening quote, up to and with its closing one)?
    pub fn in_string(&self) -> bool {
        self.place != Place::Outside
    }

    /// Where each of `ranges` lies in `bytes`, of which the first is the tracker's next; one pass where `ranges` are sorted by
    /// start. Ranges may overlap; what is out of bounds or empty gets the nearest sensible answer.
    pub fn positions(&self, bytes: &[u8], ranges: &[(usize, usize)]) -> Vec<Position> {
        let mut place = self.place;
        let mut at = 0;
        // Where the bare token that `at` stands in begins, and where the last token that was asked for ends: a body that is one
        // endless token full of findings is walked once, not once a finding.
        let mut token = 0;
        let mut ended: Option<(usize, usize)> = None;
        ranges
            .iter()
            .zip(self.in_json(bytes, ranges))
            .map(|(&(start, end), in_json)| {
                if !in_json {
                    return Position::Text;
                }
                let start = start.min(bytes.len());
                if start < at {
                    (place, at, token, ended) = (self.place, 0, 0, None);
                }
                let between = bytes.get(at..start).unwrap_or_default();
                place = place.over(between);
                at = start;
                if place != Place::Outside {
                    return Position::InString;
                }
                // Outside of strings, a run of token bytes back from here holds no quote, so all of it stands outside.
                let run = between.iter().rev().take_while(|byte| is_token_byte(**byte)).count();
                let in_token = bytes.get(start).is_some_and(|byte| is_token_byte(*byte));
                // A range that starts at a separator touches no token before it.
                if !in_token {
                    token = start;
                } else if run < between.len() {
                    token = start.saturating_sub(run);
                }
                let end = end.clamp(start, bytes.len());
                let token_ends = match ended {
                    Some((from, to)) if from <= start && start < end && end <= to => to,
                    _ => token_end(bytes, place, start, end),
                };
                if token_ends > end {
                    ended = Some((end.saturating_sub(1), token_ends));
                }
                if self.in_token && in_token && token == 0 {
                    // It began before these bytes: whoever cut it there knew that it is no number.
                    return Position::InString;
                }
                Position::Bare { start: token, end: token_ends }
            })
            .collect()
    }

    /// The parts of each of `ranges` (sorted by start) that can be masked without breaking a text: of strings what is within the quotes,
    /// without an escape that the range cuts; and bare tokens. Each comes with the index of its range, in order.
    pub fn parts(&self, bytes: &[u8], ranges: &[(usize, usize)]) -> Vec<(usize, usize, usize)> {
        let mut parts = Vec::new();
        let (mut place, mut at) = (self.place, 0);
        for ((index, &(start, end)), in_json) in ranges.iter().enumerate().zip(self.in_json(bytes, ranges)) {
            if !in_json {
                parts.push((index, start, end));
                continue;
            }
            if start < at {
                (place, at) = (self.place, 0);
            }
            place = place.over(bytes.get(at..start).unwrap_or_default());
            at = start;
            let mut within = place;
            // Where the part begins that goes on, and where it may end.
            let mut part: Option<(usize, usize)> = None;
            for (offset, byte) in (start..end).zip(bytes.get(start..end).unwrap_or_default()) {
                let next = within.after(*byte);
                let behind = offset.saturating_add(1);
                let plain = match (within, next) {
                    (Place::Outside, Place::Outside) => is_token_byte(*byte),
                    (Place::Outside, _) | (_, Place::Outside) => false,
                    _ => true,
                };
                let whole = matches!(next, Place::Outside | Place::String);
                match (plain, &mut part) {
                    (true, Some((_, to))) if whole => *to = behind,
                    (true, Some(_)) => {}
                    // The rest of an escape that began before the range is no part of it.
                    (true, None) if matches!(within, Place::Outside | Place::String) => {
                        part = Some((offset, if whole { behind } else { offset }));
                    }
                    (true, None) => {}
                    (false, _) => parts.extend(part.take().map(|(from, to)| (index, from, to))),
                }
                within = next;
            }
            parts.extend(part.map(|(from, to)| (index, from, to)));
        }
        parts.retain(|(_, from, to)| from < to);
        parts
    }

    /// Whether each of `ranges` starts in JSON; all do but in an event stream.
    fn in_json<'a>(&self, bytes: &'a [u8], ranges: &'a [(usize, usize)]) -> impl Iterator<Item = bool> + 'a {
        let start = self.events;
        let (mut events, mut at) = (start, 0);
        ranges.iter().map(move |(to, _)| {
            if *to < at {
                (events, at) = (start, 0);
            }
            let Some(events) = &mut events else { return true };
            events.feed(bytes.get(at..*to).unwrap_or_default());
            at = *to;
            events.in_json()
        })
    }

    /// Is this bare token, whole, a number that anyone reads?
    pub fn is_number(token: &[u8]) -> bool {
        token.len() <= JsonTracker::MAX_TOKEN_BYTES && token.iter().all(|byte| is_number_byte(*byte))
    }

    /// Is this bare token, whole, a value of JSON?
    pub fn is_value(token: &[u8]) -> bool {
        matches!(token, b"true" | b"false" | b"null") || JsonTracker::is_number(token)
    }

    /// The farthest place up to `upto` where `bytes` (the first is the tracker's next) can be cut without cutting a bare token,
    /// so that the token of a later finding is still whole in hand. `upto` itself within a string, or where the token is no number:
    /// longer than [`JsonTracker::MAX_TOKEN_BYTES`], or with other bytes in it.
    pub fn safe_cut(&self, bytes: &[u8], upto: usize) -> usize {
        let mut walked = *self;
        walked.feed_upto(bytes, upto)
    }

    /// The length of the bare number that `before` ends with and that may go on in `behind`; 0: none. `start` stood before both.
    fn number_before(&self, start: &JsonTracker, before: &[u8], behind: &[u8]) -> usize {
        if self.place != Place::Outside || behind.first().is_some_and(|byte| !is_token_byte(*byte)) {
            return 0;
        }
        // Outside of a string, a run of token bytes back from here holds no quote, so all of it stands outside.
        let longest = JsonTracker::MAX_TOKEN_BYTES.saturating_add(1);
        let run = || before.iter().rev().take(longest).take_while(|byte| is_token_byte(**byte));
        let length = run().count();
        let goes_on = start.in_token && length == before.len();
        let number = length < longest && !goes_on && run().all(|byte| is_number_byte(*byte));
        if number { length } else { 0 }
    }
}

/// Where each of `ranges` (start and end of findings, best sorted by start) lies in a whole JSON body, in one pass.
pub fn quote_ranges(body: &[u8], ranges: &[(usize, usize)]) -> Vec<Position> {
    JsonTracker::new().positions(body, ranges)
}

/// The end of the token that `start..end` ends in, where `start` stands outside of strings.
fn token_end(bytes: &[u8], place: Place, start: usize, end: usize) -> usize {
    // A range that ends within a string or behind a separator is no number; it stays as it is.
    let range = bytes.get(start..end).unwrap_or_default();
    if place.over(range) != Place::Outside || !range.last().is_some_and(|byte| is_token_byte(*byte)) {
        return end;
    }
    let more = bytes.get(end..).unwrap_or_default().iter().take_while(|byte| is_token_byte(**byte)).count();
    end.saturating_add(more)
}

/// A byte of a number or of a bare word: neither space nor anything that JSON separates with.
pub(super) fn is_token_byte(byte: u8) -> bool {
    !matches!(byte, b'"' | b',' | b':' | b'[' | b']' | b'{' | b'}' | RECORD_SEPARATOR) && !byte.is_ascii_whitespace()
}

/// A byte that JSON numbers are made of.
fn is_number_byte(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::string_slice)]
mod tests {
    use super::*;

    /// The text's one `<...>` is the range; the brackets are taken out.
    fn position(marked: &str) -> (String, Position) {
        let start = marked.find('<').unwrap();
        let end = marked.find('>').unwrap() - 1;
        let body = marked.replace(['<', '>'], "");
        let found = quote_ranges(body.as_bytes(), &[(start, end)]);
        (body, found[0])
    }

    #[test]
    fn a_range_within_a_string_needs_no_quotes() {
        for marked in [
            r#"{"a":"<x>"}"#,
            r#"{"<x>":1}"#,
            r#"["a\"<x>"]"#,
            r#"["a\\","<x>"]"#,
            r#"["a\\\"<x>"]"#,
            r#"["\u0022<x>"]"#,
            r#"["<\u0040x>"]"#,
            r#"["unclosed <x>"#,
            "[\"a\"]\n[\"<x>\"]",
            "{\"broken\": \"no end\n{\"a\":\"<x>\"}",
            "\x1e{\"broken\": \"no end\x1e{\"a\":\"<x>\"}",
            r#""a""<x>""#,
        ] {
            assert_eq!(position(marked).1, Position::InString, "{marked}");
        }
    }

    #[test]
    fn the_parts_of_a_range_are_its_tokens() {
        for (marked, parts) in [
            (r#"{"a":"<x>"}"#, &["x"][..]),
            (r#"{<"pin": 1234, "b": true>}"#, &["pin", "1234", "b", "true"]),
            (r#"{"a":"<x","b>":1}"#, &["x", "b"]),
            (r#"["a<b\\">,1]"#, &[r"b\\"]),
            (r#"["a<b\>n"]"#, &["b"]),
            (r#"["a<b\u0>041"]"#, &["b"]),
            (r#"["a<b\u0041>"]"#, &[r"b\u0041"]),
            (r#"["\u0<041b>"]"#, &["b"]),
            (r#"["\<nb>"]"#, &["b"]),
            (r#"["\u0<0>41"]"#, &[]),
            (r#"["<\>""]"#, &[]),
            (r#"[<1,2>3]"#, &["1", "2"]),
            ("<no json at all>", &["no", "json", "at", "all"]),
        ] {
            let start = marked.find('<').unwrap();
            let end = marked.find('>').unwrap() - 1;
            let body = marked.replace(['<', '>'], "");
            let found = JsonTracker::new().parts(body.as_bytes(), &[(start, end)]);
            assert_eq!(found.iter().map(|(_, from, to)| &body[*from..*to]).collect::<Vec<_>>(), parts, "{marked}");
            for cut in 0..start {
                let mut tracker = JsonTracker::new();
                tracker.feed(&body.as_bytes()[..cut]);
                let moved = tracker.parts(&body.as_bytes()[cut..], &[(start - cut, end - cut)]);
                let moved: Vec<_> = moved.into_iter().map(|(index, from, to)| (index, from + cut, to + cut)).collect();
                assert_eq!(moved, found, "{marked} cut at {cut}");
            }
        }
    }

    #[test]
    fn a_range_within_a_bare_token_gets_the_whole_token() {
        for (marked, token) in [
            (r#"{"a":<4111>}"#, "4111"),
            (r#"{"a":-<4111>.25e+9}"#, "-4111.25e+9"),
            (r#"[1,<22>,3]"#, "22"),
            (r#"[1,2<2>2 ]"#, "222"),
            ("<4111>", "4111"),
            ("1\n<2>\n3", "2"),
            ("\x1e<2>\n", "2"),
            (r#"["a\\",<5>]"#, "5"),
            (r#"["a\"",<5>]"#, "5"),
            (r#"["a\\\"",<5>]"#, "5"),
            (r#"["\u0022",<5>]"#, "5"),
            (r#""a":<5>"#, "5"),
            (r#"{}<5>{}"#, "5"),
            ("[4<1 2>3]", "41 23"),
            ("{\"a\":\r\n\t<5>\r\n}", "5"),
            ("{\"broken\": \"no end\n{\"a\":<5>}", "5"),
        ] {
            let (body, Position::Bare { start, end }) = position(marked) else { panic!("in a string: {marked}") };
            assert_eq!(&body[start..end], token, "{marked}");
        }
    }

    #[test]
    fn many_ranges_are_placed_in_one_call_in_any_order_and_overlapping() {
        let body = br#"{"a":123456,"b":"789","c":5}"#;
        let token = Position::Bare { start: 5, end: 11 };
        let last = Position::Bare { start: 26, end: 27 };
        assert_eq!(
            quote_ranges(body, &[(5, 7), (6, 9), (9, 11), (17, 20), (26, 27)]),
            [token, token, token, Position::InString, last]
        );
        assert_eq!(quote_ranges(body, &[(26, 27), (9, 11), (17, 20)]), [last, token, Position::InString]);
        assert_eq!(quote_ranges(body, &[]), []);
    }

    #[test]
    fn one_endless_token_full_of_findings_is_walked_once() {
        let body = b"a@b.co;".repeat(150_000);
        let ranges: Vec<(usize, usize)> = (0..150_000).map(|at| (at * 7, at * 7 + 6)).collect();
        let whole = Position::Bare { start: 0, end: body.len() };
        // Once a finding, this would be 75,000 million steps.
        assert!(quote_ranges(&body, &ranges).iter().all(|position| *position == whole));
    }

    #[test]
    fn ranges_of_no_meaning_stay_within_bounds() {
        let body = br#"{"a":12}"#;
        for range in [(0, 0), (8, 8), (9, 20), (7, 3), (0, 99), (usize::MAX, usize::MAX)] {
            if let [Position::Bare { start, end }] = quote_ranges(body, &[range])[..] {
                assert!(start <= end && end <= body.len(), "{range:?}");
            }
        }
    }

    #[test]
    fn a_cut_never_falls_into_a_bare_token() {
        let body = br#"{"a":12345,"b c":"d e"}"#;
        for (upto, cut) in [(0, 0), (5, 5), (6, 5), (9, 5), (10, 10), (11, 11), (13, 13), (20, 20), (99, 23)] {
            assert_eq!(JsonTracker::new().safe_cut(body, upto), cut, "{upto}");
        }
        // At the end of what is in hand the token may go on.
        assert_eq!(JsonTracker::new().safe_cut(b"[12", 3), 1);
        let endless = [b'1'; 2 * JsonTracker::MAX_TOKEN_BYTES];
        assert_eq!(JsonTracker::new().safe_cut(&endless, 4096), 0);
        assert_eq!(JsonTracker::new().safe_cut(&endless, 4097), 4097);
    }

    #[test]
    fn blocks_are_walked_as_bytes_are_from_every_place_and_in_every_cut() {
        let mut seed = 88_172_645_463_325_252u64;
        for round in 0..3000 {
            let bytes: Vec<u8> = (0..round % 900)
                .map(|_| {
                    seed ^= seed << 13;
                    seed ^= seed >> 7;
                    seed ^= seed << 17;
                    // Rare enough that there are blocks of every sort.
                    match seed % 900 {
                        0 => b'\n',
                        1 => RECORD_SEPARATOR,
                        541 => b'\r',
                        2 | 3 => b'\\',
                        4..=120 => b'"',
                        121..=360 => b'1',
                        361..=540 => b',',
                        _ => b'x',
                    }
                })
                .collect();
            for place in [Place::Outside, Place::String, Place::Escape] {
                let naive = bytes.iter().fold(place, |place, byte| place.after(*byte));
                assert_eq!(place.over(&bytes), naive);
            }
            let (head, tail) = bytes.split_at(bytes.len() / 3);
            let mut tracker = JsonTracker::new();
            tracker.feed(head);
            for upto in [tail.len(), tail.len() / 2, 0] {
                let (mut fed, mut walked) = (tracker, tracker);
                let cut = walked.feed_upto(tail, upto);
                fed.feed(&tail[..cut]);
                assert_eq!((tracker.safe_cut(tail, upto), walked), (cut, fed));
            }
        }
    }

    #[test]
    fn a_tracker_says_where_the_next_byte_stands() {
        let mut tracker = JsonTracker::new();
        for (chunk, inside) in [("{", false), ("\"", true), ("a\\", true), ("\"", true), ("\"", false), (":1}", false)] {
            tracker.feed(chunk.as_bytes());
            assert_eq!(tracker.in_string(), inside, "behind {chunk}");
        }
    }
}
