//! The header fields that negotiate codings (RFC 9110, sections 8.4 and 12.5.3).
//!
//! This file refuses to know how a coding is decoded; only which names can be.

use super::Coding;

/// The coding of that name, in any case; `None` where it cannot be decoded here.
fn coding(name: &[u8]) -> Option<Coding> {
    const NAMES: [(&[u8], Coding); 6] = [
        (b"gzip", Coding::Gzip),
        (b"x-gzip", Coding::Gzip),
        (b"deflate", Coding::Deflate),
        (b"br", Coding::Brotli),
        (b"zstd", Coding::Zstd),
        (b"identity", Coding::Identity),
    ];
    NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, coding)| *coding)
}

/// See [`Coding::from_header`].
pub(super) fn content_coding(value: &[u8]) -> Option<Coding> {
    let mut found = Coding::Identity;
    for name in entries(value) {
        match coding(name)? {
            Coding::Identity => {}
            real if found == Coding::Identity => found = real,
            // Two codings, one over the other.
            _ => return None,
        }
    }
    Some(found)
}

/// The entries of a comma list, trimmed, without empty ones.
fn entries(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|entry| !entry.is_empty())
}

/// One entry of `accept-encoding`.
struct Accepted<'a> {
    /// As it came, weight and all.
    text: &'a [u8],
    /// The coding's name.
    name: &'a [u8],
    /// Weight 0: not acceptable.
    refused: bool,
}

impl<'a> Accepted<'a> {
    fn read(text: &'a [u8]) -> Accepted<'a> {
        let mut parts = text.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let name = parts.next().unwrap_or_default();
        Accepted { text, name, refused: parts.any(is_zero_weight) }
    }

    /// Could the sender choose a coding because of this entry that is not wanted?
    fn lets_unwanted_in(&self, wanted: Wanted) -> bool {
        !self.refused && !coding(self.name).is_some_and(|coding| wanted.holds(coding))
    }

    fn is(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// `q=0`, `q=0.`, `q=0.000`; anything else that is no weight is taken as acceptable, as the sender may do.
fn is_zero_weight(parameter: &[u8]) -> bool {
    let Some((name, value)) = parameter.iter().position(|byte| *byte == b'=').and_then(|at| parameter.split_at_checked(at))
    else {
        return false;
    };
    let value = value.get(1..).unwrap_or_default().trim_ascii();
    name.trim_ascii().eq_ignore_ascii_case(b"q")
        && match value.split_first() {
            Some((b'0', [])) => true,
            Some((b'0', [b'.', zeros @ ..])) => zeros.iter().all(|byte| *byte == b'0'),
            _ => false,
        }
}

/// Which codings may come back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// Those that can be decoded: gzip, deflate, br, zstd.
    Decodable,
    /// Those that a changed body can be compressed with again: gzip, deflate.
    Encodable,
}

impl Wanted {
    fn holds(self, coding: Coding) -> bool {
        self == Wanted::Decodable || coding == Coding::Identity || coding.compresses()
    }
}

/// What an `accept-encoding` header must become so that only wanted codings come back; `None`: as it is.
///
/// Takes the values of all such headers joined with commas. Entries that could let another coding in, `*` too, are dropped;
/// the others keep their order and weights; refusals (`br;q=0`) stay, they do no harm. Where nothing acceptable would be left,
/// `identity`, even against an `identity;q=0`: a plain answer is better than one that cannot be read.
pub fn narrow_accept_encoding(value: &[u8], wanted: Wanted) -> Option<Vec<u8>> {
    if !entries(value).any(|entry| Accepted::read(entry).lets_unwanted_in(wanted)) {
        return None;
    }
    let kept: Vec<Accepted<'_>> = entries(value).map(Accepted::read).filter(|entry| !entry.lets_unwanted_in(wanted)).collect();
    let some_accepted = kept.iter().any(|entry| !entry.refused);
    // Identity is acceptable unless it is refused by name, or by `*` without being named.
    let identity_refused = kept.iter().any(|entry| entry.refused && (entry.is(b"identity") || entry.is(b"*")));
    if kept.is_empty() || (!some_accepted && identity_refused) {
        return Some(b"identity".to_vec());
    }
    let texts: Vec<&[u8]> = kept.iter().map(|entry| entry.text).collect();
    Some(texts.join(&b", "[..]))
}
