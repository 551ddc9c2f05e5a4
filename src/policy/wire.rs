//! The bytes of a `google.protobuf.Struct`, as Envoy hands them to a plugin whose configuration is one.
//!
//! Message definitions: protobuf's struct.proto; wire format: protobuf's encoding guide. Only what those three messages need is
//! read; unknown fields are stepped over, as protobuf asks. This module refuses to know what a document means.

use super::node::{MAX_DEPTH, Node};

/// Why bytes are no Struct: one lower-case line.
pub(super) type WireError = String;

/// Reads a Struct.
///
/// # Errors
/// Where the bytes are none, or it nests deeper than [`MAX_DEPTH`].
pub(super) fn read_struct(bytes: &[u8]) -> Result<Node, WireError> {
    object(bytes, 0)
}

/// `message Struct { map<string, Value> fields = 1; }`
fn object(bytes: &[u8], depth: usize) -> Result<Node, WireError> {
    let depth = below(depth)?;
    let mut fields: Vec<(String, Node)> = Vec::new();
    let mut reader = Reader { rest: bytes };
    while let Some((number, value)) = reader.field()? {
        if let (1, Wire::Bytes(entry)) = (number, value) {
            fields.push(map_entry(entry, depth)?);
        }
    }
    Ok(Node::Object(fields))
}

/// An entry of the map: the key is field 1, the value field 2; what is missing has its default.
fn map_entry(bytes: &[u8], depth: usize) -> Result<(String, Node), WireError> {
    let mut key = String::new();
    let mut node = Node::Null;
    let mut reader = Reader { rest: bytes };
    while let Some(field) = reader.field()? {
        match field {
            (1, Wire::Bytes(text)) => key = string(text)?,
            (2, Wire::Bytes(inner)) => node = value(inner, depth)?,
            _ => {}
        }
    }
    Ok((key, node))
}

/// `message Value`: a oneof of null (1), number (2), string (3), bool (4), Struct (5) and ListValue (6).
fn value(bytes: &[u8], depth: usize) -> Result<Node, WireError> {
    let mut node = Node::Null;
    let mut reader = Reader { rest: bytes };
    while let Some(field) = reader.field()? {
        match field {
            (1, Wire::Varint(_)) => node = Node::Null,
            (2, Wire::Fixed64(bits)) => node = Node::Number(f64::from_bits(bits)),
            (3, Wire::Bytes(text)) => node = Node::Text(string(text)?),
            (4, Wire::Varint(flag)) => node = Node::Bool(flag != 0),
            (5, Wire::Bytes(inner)) => node = object(inner, depth)?,
            (6, Wire::Bytes(inner)) => node = list(inner, depth)?,
            _ => {}
        }
    }
    Ok(node)
}

/// `message ListValue { repeated Value values = 1; }`
fn list(bytes: &[u8], depth: usize) -> Result<Node, WireError> {
    let depth = below(depth)?;
    let mut items = Vec::new();
    let mut reader = Reader { rest: bytes };
    while let Some((number, field)) = reader.field()? {
        if let (1, Wire::Bytes(item)) = (number, field) {
            items.push(value(item, depth)?);
        }
    }
    Ok(Node::List(items))
}

fn below(depth: usize) -> Result<usize, WireError> {
    match depth.checked_add(1) {
        Some(depth) if depth <= MAX_DEPTH => Ok(depth),
        _ => Err(format!("nested deeper than {MAX_DEPTH} levels")),
    }
}

fn string(bytes: &[u8]) -> Result<String, WireError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "a string is not utf-8".into())
}

/// A field's value by its wire type.
#[derive(Clone, Copy)]
enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The next field's number and value; `None` at the end.
    fn field(&mut self) -> Result<Option<(u64, Wire<'a>)>, WireError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = tag >> 3;
        if number == 0 {
            return Err("field number 0".into());
        }
        let value = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = self.varint()?;
                Wire::Bytes(self.take(usize::try_from(length).unwrap_or(usize::MAX))?)
            }
            5 => {
                self.array::<4>()?;
                Wire::Fixed32
            }
            other => return Err(format!("wire type {other}")),
        };
        Ok(Some((number, value)))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(too_short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or_else(too_short)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// Seven bits a byte, lowest first; at most ten bytes.
    fn varint(&mut self) -> Result<u64, WireError> {
        let mut value = 0u64;
        for shift in (0u32..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or_else(too_short)?;
            self.rest = rest;
            // The tenth byte holds one bit; what it says beyond is lost, as in protobuf's own readers.
            value |= u64::from(byte & 0x7f).wrapping_shl(shift);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number longer than 10 bytes".into())
    }
}

fn too_short() -> WireError {
    "ends in the middle of a field".into()
}
