//! A document as a tree, in the order it was written, whether it came as JSON, YAML or a protobuf Struct.
//!
//! Not `serde_json::Value`: errors are reported in the order of the document, a key given twice must be seen, and a number has
//! one form (a double, as in JSON and Struct), so that the same policy has the same hash whichever way it came.
//! This module refuses to know what a document means.

use std::fmt::Write;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::sort;

/// Most levels of objects and lists in a document.
pub(super) const MAX_DEPTH: usize = 32;

/// Digits behind the point, at most, of a number that is written as one.
const DECIMALS: usize = 15;

/// Most characters of a found value that an error repeats.
const MAX_SHOWN: usize = 60;

/// One value of a document.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Node {
    /// `null`: as if the field were not there.
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    /// Keys as written, in order; one may come twice.
    Object(Vec<(String, Node)>),
}

impl Node {
    /// What it is, for an error: its type and, where short, its value.
    pub(super) fn shown(&self) -> String {
        match self {
            Node::Null => "null".into(),
            Node::Bool(value) => value.to_string(),
            Node::Number(value) => number(*value),
            Node::Text(text) => shown_text(text),
            Node::List(items) => format!("a list of {}", items.len()),
            Node::Object(fields) => format!("an object of {} fields", fields.len()),
        }
    }

    /// What it is, for an error where it may be a secret: its type, never a value.
    pub(super) fn type_name(&self) -> String {
        match self {
            Node::Text(_) => "a text".into(),
            Node::Number(_) => "a number".into(),
            other => other.shown(),
        }
    }

    /// The canonical form: JSON, keys sorted, no whitespace, integral numbers without a fraction.
    pub(super) fn canonical(&self) -> String {
        let mut out = String::new();
        self.write_canonical(&mut out);
        out
    }

    fn write_canonical(&self, out: &mut String) {
        match self {
            Node::Null => out.push_str("null"),
            Node::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Node::Number(value) => out.push_str(&number(*value)),
            Node::Text(text) => quote(text, out),
            Node::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write_canonical(out);
                }
                out.push(']');
            }
            Node::Object(fields) => {
                let sorted = sort::sorted_by(fields.iter().collect(), |a, b| a.0.cmp(&b.0));
                out.push('{');
                for (index, (key, value)) in sorted.into_iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    quote(key, out);
                    out.push(':');
                    value.write_canonical(out);
                }
                out.push('}');
            }
        }
    }
}

/// A text in quotes, on one line, cut where it is long.
pub(super) fn shown_text(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{:?}...", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

/// The path of a field below `parent`: `$.spec`, or `$["odd name"]`.
pub(super) fn field_path(parent: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if plain { format!("{parent}.{name}") } else { format!("{parent}[{}]", shown_text(name)) }
}

/// The path of an item below `parent`: `$.domains[0]`.
pub(super) fn item_path(parent: &str, index: usize) -> String {
    format!("{parent}[{index}]")
}

/// A number in the fewest digits that mean it. Done for the numbers of documents, because the library's way, which is done for
/// all, is 17 KB.
fn number(value: f64) -> String {
    /// Below it every integer is a double, and a quotient of two means what its decimals mean.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < 1e30 {
        return (value as i128).to_string();
    }
    let mut scale = 1.0;
    for decimals in 1..=DECIMALS {
        scale *= 10.0;
        let scaled = (value.abs() * scale).round();
        if scaled < EXACT && scaled / scale == value.abs() {
            let digits = format!("{:0width$}", scaled as u64, width = decimals.saturating_add(1));
            let (whole, fraction) = digits.split_at(digits.len().saturating_sub(decimals));
            return format!("{}{whole}.{fraction}", if value < 0.0 { "-" } else { "" });
        }
    }
    format!("0x{:016x} as a double", value.to_bits())
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        Level(0).deserialize(deserializer)
    }
}

/// Reads a node at this depth.
#[derive(Clone, Copy)]
struct Level(usize);

impl Level {
    fn below<E: Error>(self) -> Result<Level, E> {
        match self.0.checked_add(1) {
            Some(depth) if depth <= MAX_DEPTH => Ok(Level(depth)),
            _ => Err(E::custom(format_args!("nested deeper than {MAX_DEPTH} levels"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Node;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a policy document")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    // Numbers of a policy are far below 2^53; above it, the nearest double is as good in an error message.
    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value as f64))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Number(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.into()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let below = self.below()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(below)? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let below = self.below()?;
        let mut fields = Vec::new();
        while let Some(key) = access.next_key::<String>()? {
            fields.push((key, access.next_value_seed(below)?));
        }
        Ok(Node::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_is_written_in_the_fewest_digits_that_mean_it() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (403.0, "403"),
            (-1.0, "-1"),
            (1.5, "1.5"),
            (-0.25, "-0.25"),
            (0.1, "0.1"),
            (1e-7, "0.0000001"),
            (134_217_728.5, "134217728.5"),
            (1e18, "1000000000000000000"),
            (1e-300, "0x01a56e1fc2f8f359 as a double"),
            (f64::INFINITY, "0x7ff0000000000000 as a double"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    proptest! {
        #[test]
        fn a_decimal_number_is_written_as_it_was(whole in 0u64..100_000_000, fraction in 1u64..1_000_000) {
            let text = format!("{whole}.{fraction:06}");
            let text = text.trim_end_matches('0');
            prop_assert_eq!(number(text.parse().unwrap()), text);
            prop_assert_eq!(number(-text.parse::<f64>().unwrap()), format!("-{text}"));
        }
    }
}
