//! The hash that stands in place of a value: HMAC-SHA-256 under the policy's key, cut to 64 bits.
//!
//! Not a bare hash: a social security number is one of 10^9, and a laptop hashes all of them in seconds. Without the key nobody can
//! try values. This module refuses to know what is hashed.

use sha2::{Digest, Sha256};

/// Fewest bytes of a key: 128 bits, if they are random.
pub const MIN_KEY_BYTES: usize = 16;
/// Most bytes of a key: a block of SHA-256, so that no key is longer than what is made of it.
pub const MAX_KEY_BYTES: usize = BLOCK_BYTES;
/// Bytes of the tag that are shown, each as two hexadecimal digits. Two of a million different values agree with a chance of one to
/// 37 million.
const SHOWN_BYTES: usize = 8;
/// Bytes of a block of SHA-256 (RFC 2104: B).
const BLOCK_BYTES: usize = 64;

/// A key, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct HashKey([u8; BLOCK_BYTES]);

impl HashKey {
    /// A key of [`MIN_KEY_BYTES`] to [`MAX_KEY_BYTES`]; `None` for others.
    pub fn new(bytes: &[u8]) -> Option<HashKey> {
        let mut key = [0; BLOCK_BYTES];
        key.get_mut(..bytes.len())?.copy_from_slice(bytes);
        (bytes.len() >= MIN_KEY_BYTES).then_some(HashKey(key))
    }

    /// The first 64 bits of HMAC-SHA-256 (RFC 2104) of a value, in hexadecimal digits.
    pub fn hash(&self, value: impl Iterator<Item = u8>) -> String {
        let padded = |pad: u8| self.0.map(|byte| byte ^ pad);
        let mut inner = Sha256::new_with_prefix(padded(0x36));
        value.for_each(|byte| inner.update([byte]));
        let tag = Sha256::new_with_prefix(padded(0x5c)).chain_update(inner.finalize()).finalize();
        tag.iter().take(SHOWN_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl std::fmt::Debug for HashKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashKey(_)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_rfc() {
        // RFC 4231, test cases 1, 3 and 4, whose keys are long enough.
        let ascending: Vec<u8> = (1..=25).collect();
        for (key, data, tag) in [
            (&[0x0b; 20][..], &b"Hi There"[..], "b0344c61d8db3853"),
            (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46"),
            (&ascending, &[0xcd; 50], "82558a389a443c0e"),
        ] {
            assert_eq!(HashKey::new(key).unwrap().hash(data.iter().copied()), tag);
        }
    }

    #[test]
    fn short_and_long_keys_are_none_and_a_key_is_never_shown() {
        for (len, fits) in [(0, false), (15, false), (16, true), (64, true), (65, false)] {
            assert_eq!(HashKey::new(&vec![b'k'; len]).is_some(), fits, "{len}");
        }
        assert_eq!(format!("{:?}", HashKey::new(b"a secret, sixteen")), "Some(HashKey(_))");
    }
}
