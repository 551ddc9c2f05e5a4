//! Headers as the host hands them over, and what the filter reads from them.
//!
//! Values are bytes: a header that is no UTF-8 is somebody's mistake, and must not be ours.

/// A header map in the wire form of Proxy-Wasm: a count, the lengths of all pairs, then names and values, each behind a NUL.
#[derive(Default)]
pub struct Headers {
    wire: Vec<u8>,
    /// Start of a name, its length, and the length of the value.
    pairs: Vec<(usize, usize, usize)>,
}

const WORD: usize = 4;

impl Headers {
    /// Reads the wire form; what does not fit into it is dropped.
    pub fn from_wire(wire: Vec<u8>) -> Headers {
        let word = |at: usize| -> Option<usize> {
            let bytes = wire.get(at..at.checked_add(WORD)?)?;
            usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
        };
        let read = || -> Option<Vec<(usize, usize, usize)>> {
            let count = word(0)?;
            let mut data = count.checked_mul(WORD.checked_mul(2)?)?.checked_add(WORD)?;
            let mut pairs = Vec::with_capacity(count.min(wire.len()));
            for pair in 0..count {
                let lengths = pair.checked_mul(WORD.checked_mul(2)?)?.checked_add(WORD)?;
                let (name, value) = (word(lengths)?, word(lengths.checked_add(WORD)?)?);
                pairs.push((data, name, value));
                data = data.checked_add(name)?.checked_add(value)?.checked_add(2)?;
            }
            Some(pairs)
        };
        let pairs = read().unwrap_or_default();
        Headers { wire, pairs }
    }

    /// Makes the wire form.
    pub fn to_wire<'a>(pairs: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone) -> Vec<u8> {
        let size = |part: &[u8]| u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes();
        let mut wire = Vec::new();
        wire.extend_from_slice(&u32::try_from(pairs.clone().count()).unwrap_or(u32::MAX).to_le_bytes());
        for (name, value) in pairs.clone() {
            wire.extend_from_slice(&size(name));
            wire.extend_from_slice(&size(value));
        }
        for part in pairs.flat_map(|(name, value)| [name, value]) {
            wire.extend_from_slice(part);
            wire.push(0);
        }
        wire
    }

    /// Names (lower case, pseudo-headers among them) and values, as they came.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.pairs.iter().filter_map(|pair| self.pair(*pair))
    }

    /// The same, in a list.
    pub fn to_vec(&self) -> Vec<(&[u8], &[u8])> {
        let mut pairs = Vec::with_capacity(self.pairs.len());
        pairs.extend(self.iter());
        pairs
    }

    fn pair(&self, (start, name_len, value_len): (usize, usize, usize)) -> Option<(&[u8], &[u8])> {
        let (name, rest) = self.wire.get(start..)?.split_at_checked(name_len)?;
        Some((name, rest.get(1..)?.get(..value_len)?))
    }

    /// All values of `name`. Most names are told apart by their lengths.
    fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let alike = self.pairs.iter().filter(move |(_, name_len, _)| *name_len == name.len());
        alike.filter_map(|pair| self.pair(*pair)).filter(move |(other, _)| *other == name.as_bytes()).map(|(_, value)| value)
    }

    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.values(name).next()
    }

    /// All values of `name`, joined with commas.
    pub fn joined(&self, name: &str) -> Option<Vec<u8>> {
        let values: Vec<&[u8]> = self.values(name).collect();
        (!values.is_empty()).then(|| values.join(&b","[..]))
    }

    /// A `content-length` that is one.
    pub fn content_length(&self) -> Option<u64> {
        std::str::from_utf8(self.get("content-length")?).ok()?.trim().parse().ok()
    }

    /// Does the comma list `name` have `token`, in any case?
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.joined(name).is_some_and(|list| {
            list.split(|byte| *byte == b',').any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
        })
    }

    /// A request that turns the connection into a tunnel: CONNECT, or an HTTP/1.1 upgrade (also what Envoy makes of an
    /// extended CONNECT).
    pub fn is_upgrade(&self) -> bool {
        self.get(":method") == Some(b"CONNECT") || (self.get("upgrade").is_some() && self.has_token("connection", "upgrade"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &[u8])]) -> Headers {
        Headers::from_wire(Headers::to_wire(pairs.iter().map(|(name, value)| (name.as_bytes(), *value))))
    }

    #[test]
    fn the_wire_form_round_trips_any_bytes() {
        let pairs: &[(&str, &[u8])] = &[(":path", b"/"), ("x-t", b"\xff\xfe"), ("empty", b""), ("te", b"a"), ("te", b"b")];
        let headers = headers(pairs);
        let read: Vec<(&[u8], &[u8])> = headers.iter().collect();
        let written: Vec<(&[u8], &[u8])> = pairs.iter().map(|(name, value)| (name.as_bytes(), *value)).collect();
        assert_eq!(read, written);
        assert_eq!(headers.joined("te").as_deref(), Some(&b"a,b"[..]));
    }

    #[test]
    fn a_cut_wire_form_reads_as_no_headers() {
        let wire = Headers::to_wire([(&b"name"[..], &b"value"[..])].into_iter());
        for len in 0..wire.len() {
            let cut = wire.get(..len).unwrap_or_default().to_vec();
            assert!(Headers::from_wire(cut).get("name").is_none_or(|value| value == b"value"));
        }
        assert_eq!(Headers::from_wire(vec![0xff; 64]).iter().count(), 0);
    }

    #[test]
    fn upgrades_need_both_headers() {
        assert!(headers(&[("connection", b"keep-alive, Upgrade"), ("upgrade", b"websocket")]).is_upgrade());
        assert!(!headers(&[("upgrade", b"h2c")]).is_upgrade());
        assert!(headers(&[(":method", b"CONNECT")]).is_upgrade());
    }
}
