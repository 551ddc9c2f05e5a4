//! JSON Web Tokens: base64url parts, the first of which is a JSON object with `alg`.
//!
//! Three parts are a signed token (RFC 7519), five with `enc` in the header an encrypted one (RFC 7516): all five are the
//! finding. The signature may be empty where `alg` is `none` (RFC 7519 section 6).

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::boundary;
use crate::detect::Candidate;

/// Letters of the shortest header, `{"alg":""}`. Shorter ones are not decoded.
const HEADER_MIN: usize = 14;
/// Letters of a header that is decoded without asking for memory.
const NEAR: usize = 256;

/// What is read of a JSON value. Not derived: that would refuse values of other types in words, and the words for a number are
/// 20 KB of the module.
enum Json<'a> {
    Null,
    Text(Cow<'a, str>),
    /// An object: its `alg`, and whether there is an `enc`.
    Header(Option<Cow<'a, str>>, bool),
    Other,
}

/// No letter of base64url before it.
pub(crate) fn may_start(before: &[u8], _here: &[u8]) -> bool {
    boundary::left(before).is_none_or(|byte| SEXTETS.get(usize::from(byte)) == Some(&OTHER))
}

/// The whole token, or the three first parts of a longer dotted run.
pub(crate) fn accept(candidate: &Candidate<'_>) -> Option<usize> {
    if !may_start(candidate.before, candidate.value) { None } else { length(candidate.value) }
}

/// Is all of `token` one?
pub(crate) fn is_token(token: &[u8]) -> bool {
    length(token) == Some(token.len())
}

/// Bytes of the token that `value` begins with.
fn length(value: &[u8]) -> Option<usize> {
    let mut parts = Parts(Some(value));
    let (first, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if first.len() < HEADER_MIN {
        return None;
    }
    let mut near = [0; NEAR];
    let mut far = Vec::new();
    let room = match near.get_mut(..first.len()) {
        Some(room) => room,
        None => {
            far.resize(first.len(), 0);
            far.as_mut_slice()
        }
    };
    let Json::Header(Some(alg), encrypted) = serde_json::from_slice(decode(first, room)?).ok()? else { return None };
    let signed = first.len().saturating_add(payload.len()).saturating_add(signature.len()).saturating_add(2);
    match (parts.next(), parts.next()) {
        (Some(text), Some(tag)) if encrypted && !text.is_empty() && !tag.is_empty() => Some(value.len()),
        _ if payload.is_empty() => None,
        _ if signature.is_empty() && !alg.eq_ignore_ascii_case("none") => None,
        _ => Some(signed),
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Json<'de>, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Json<'de>, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Json<'de>, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Json<'de>, E> {
        Ok(Json::Other)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.into())))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        while access.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Json::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let (mut alg, mut encrypted) = (None, None);
        while let Some(name) = access.next_key()? {
            match name {
                Json::Text(name) if name == "alg" => match access.next_value()? {
                    Json::Text(text) if alg.is_none() => alg = Some(text),
                    _ => return Err(A::Error::custom("alg is one text")),
                },
                Json::Text(name) if name == "enc" => {
                    if encrypted.replace(!matches!(access.next_value()?, Json::Null)).is_some() {
                        return Err(A::Error::custom("enc comes once"));
                    }
                }
                _ => drop(access.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Json::Header(alg, encrypted == Some(true)))
    }
}

/// What stands between points.
struct Parts<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.0.take()?;
        let Some((part, behind)) = boundary::find(rest, b'.').and_then(|at| rest.split_at_checked(at)) else { return Some(rest) };
        self.0 = behind.get(1..);
        Some(part)
    }
}

/// The bytes that base64url without padding stands for, put into `room`, which is as long; bits left over at the end are dropped.
fn decode<'a>(text: &[u8], room: &'a mut [u8]) -> Option<&'a [u8]> {
    let (groups, rest) = text.as_chunks();
    let mut len = groups.len().wrapping_mul(3);
    let mut cells = room.as_chunks_mut().0.iter_mut();
    for (group, cell) in groups.iter().zip(&mut cells) {
        let [_, bytes @ ..] = bits(group)?.to_be_bytes();
        *cell = bytes;
    }
    let last = match rest {
        [] => [0; 3],
        [a, b] => [*a, *b, b'A'],
        [a, b, c] => [*a, *b, *c],
        _ => return None,
    };
    if !rest.is_empty() {
        let [a, b, c] = last;
        let [_, bytes @ ..] = bits(&[a, b, c, b'A'])?.to_be_bytes();
        let count = rest.len().wrapping_sub(1);
        for (to, from) in room.get_mut(len..)?.iter_mut().zip(bytes.iter().take(count)) {
            *to = *from;
        }
        len = len.wrapping_add(count);
    }
    room.get(..len)
}

/// The bits of four letters.
fn bits(group: &[u8; 4]) -> Option<u32> {
    let [a, b, c, d] = group.map(|letter| SEXTETS.get(usize::from(letter)).copied().unwrap_or(OTHER));
    let joined = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
    ((a | b | c | d) & OTHER == 0).then_some(joined)
}

/// No letter of base64url.
const OTHER: u8 = 64;

/// What each byte stands for.
static SEXTETS: [u8; 256] = {
    let mut table = [OTHER; 256];
    let mut cells: &mut [u8] = &mut table;
    let mut byte = 0u8;
    while let [cell, tail @ ..] = cells {
        if let Some(bits) = sextet(byte) {
            *cell = bits;
        }
        byte = byte.wrapping_add(1);
        cells = tail;
    }
    table
};

/// The six bits of a letter of base64url.
const fn sextet(letter: u8) -> Option<u8> {
    Some(match letter {
        b'A'..=b'Z' => letter.wrapping_sub(b'A'),
        b'a'..=b'z' => letter.wrapping_sub(b'a').wrapping_add(26),
        b'0'..=b'9' => letter.wrapping_sub(b'0').wrapping_add(52),
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_decodes_with_every_remainder() {
        let rows: [(&[u8], Option<&[u8]>); 6] = [
            (b"eyJhIjoxfQ", Some(br#"{"a":1}"#)),
            (b"_-8", Some(&[0xff, 0xef])),
            (b"AAAA", Some(&[0, 0, 0])),
            (b"", Some(b"")),
            (b"AAAAA", None),
            (b"AA.A", None),
        ];
        for (text, bytes) in rows {
            assert_eq!(decode(text, &mut vec![0; text.len()]), bytes);
        }
    }
}
