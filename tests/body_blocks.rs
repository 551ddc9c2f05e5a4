//! How many DEFLATE blocks a body may have: exact, the same in every cut, far from what encoders write, near for what only costs.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]

use std::io::Read;

use bodyguard::body::{Coding, DecodeError, Decoder};
use flate2::{Compress, Compression, FlushCompress, Status};
use proptest::prelude::*;

const FREE: u64 = Decoder::FREE_BLOCKS;

/// A raw DEFLATE stream made by hand, block by block, and what a plain count says about it.
#[derive(Default, Clone)]
struct Blocks {
    bytes: Vec<u8>,
    spare_bits: u32,
    plain: Vec<u8>,
    blocks: u64,
    /// What came out before the first block too many ended.
    refused_at: Option<usize>,
}

impl Blocks {
    fn bits(&mut self, value: u32, count: u32) {
        for at in 0..count {
            if self.spare_bits == 0 {
                self.bytes.push(0);
                self.spare_bits = 8;
            }
            *self.bytes.last_mut().unwrap() |= ((value >> at & 1) as u8) << (8 - self.spare_bits);
            self.spare_bits -= 1;
        }
    }

    /// A Huffman code, which starts with its highest bit.
    fn code(&mut self, code: u32, count: u32) {
        self.bits(code.reverse_bits() >> (32 - count), count);
    }

    /// A block has ended.
    fn end(&mut self) {
        self.blocks += 1;
        let plain = self.plain.len() as u64 / Decoder::PLAIN_BYTES_PER_BLOCK;
        let coded = self.bytes.len() as u64 / Decoder::CODED_BYTES_PER_BLOCK;
        if self.blocks > FREE + plain.min(coded) {
            self.refused_at.get_or_insert(self.plain.len());
        }
    }

    /// A fixed block of these letters, and then a match of so many bytes, 3 or 258, from one back.
    fn fixed(&mut self, last: bool, letters: &[u8], matched: usize) {
        self.bits(u32::from(last) | 0b010, 3);
        for letter in letters {
            self.code(0x30 + u32::from(*letter), 8);
        }
        self.plain.extend_from_slice(letters);
        match matched {
            3 => self.code(1, 7),
            258 => self.code(0b1100_0101, 8),
            _ => {}
        }
        if matched > 0 {
            self.code(0, 5);
            let again = *self.plain.last().unwrap();
            self.plain.extend(std::iter::repeat_n(again, matched));
        }
        self.code(0, 7);
        self.end();
    }

    fn stored(&mut self, last: bool, bytes: &[u8]) {
        self.bits(u32::from(last), 3);
        self.spare_bits = 0;
        let len = bytes.len() as u16;
        self.bytes.extend([len.to_le_bytes(), (!len).to_le_bytes()].concat());
        self.bytes.extend_from_slice(bytes);
        self.plain.extend_from_slice(bytes);
        self.end();
    }

    /// The smallest dynamic block: tables, the one code that ends it, and nothing in it.
    fn dynamic(&mut self, last: bool) {
        self.bits(u32::from(last) | 0b100, 3);
        // 257 literals and lengths, 1 distance, 18 code lengths: of "138 zeros" one bit, of 0 and 1 two.
        for (value, count) in [(0, 5), (0, 5), (14, 4)] {
            self.bits(value, count);
        }
        for length in [0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2] {
            self.bits(length, 3);
        }
        // 256 zeros, a one for the end of the block, a zero for the distance; and then that end.
        for zeros in [138, 118] {
            self.code(0, 1);
            self.bits(zeros - 11, 7);
        }
        for (code, count) in [(0b11, 2), (0b10, 2), (0, 1)] {
            self.code(code, count);
        }
        self.end();
    }
}

/// Decodes in pieces of these lengths, again and again; how many bytes came out, and how it ended.
fn decoded(coding: Coding, body: &[u8], cuts: &[usize]) -> (Vec<u8>, Result<(), DecodeError>) {
    let mut plain = Vec::new();
    let mut decoder = Decoder::new(coding, u64::MAX);
    let (mut rest, mut cuts) = (body, cuts.iter().cycle());
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
        rest = behind;
        if let Err(error) = decoder.feed(chunk, &mut |piece| plain.extend_from_slice(piece)) {
            return (plain, Err(error));
        }
    }
    let end = decoder.finish();
    (plain, end)
}

fn raw(body: &[u8], cuts: &[usize]) -> (Vec<u8>, Result<(), DecodeError>) {
    decoded(Coding::Deflate, body, cuts)
}

/// A gzip member around a raw stream.
fn member(stream: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(plain);
    [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], stream, &crc.sum().to_le_bytes(), &crc.amount().to_le_bytes()].concat()
}

/// What an encoder makes of `pieces`, flushing behind each.
fn flushed<'a>(pieces: impl IntoIterator<Item = (&'a [u8], FlushCompress)>, level: u32, zlib: bool) -> Vec<u8> {
    let mut encoder = Compress::new(Compression::new(level), zlib);
    let mut out = Vec::new();
    let mut push = |mut piece: &[u8], flush| {
        loop {
            out.reserve(piece.len() + 100);
            let before = encoder.total_in();
            let status = encoder.compress_vec(piece, &mut out, flush).unwrap();
            piece = &piece[(encoder.total_in() - before) as usize..];
            if piece.is_empty() && (status == Status::StreamEnd || flush != FlushCompress::Finish && out.len() < out.capacity()) {
                break;
            }
        }
    };
    for (piece, flush) in pieces {
        push(piece, flush);
    }
    push(b"", FlushCompress::Finish);
    out
}

/// Tokens of a language model, each in an event, about so many bytes long.
fn events(count: usize, len: usize) -> Vec<Vec<u8>> {
    let mut seed = 1_u64;
    let mut event = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut event =
            format!("data: {}", ["the", "a", "token", "of", "model", "{", "naïve"][(seed >> 40) as usize % 7]).into_bytes();
        while event.len() + 2 < len {
            event.push(b'a' + (seed >> (20 + event.len() % 32)) as u8 % 26);
        }
        event.truncate(len - 2);
        event.extend(b"\n\n");
        event
    };
    (0..count).map(|_| event()).collect()
}

#[test]
fn the_number_of_blocks_is_exact() {
    let last = FREE as usize;
    // (blocks that are allowed, how a block is made)
    type Block = fn(&mut Blocks, bool);
    let empty_fixed: Block = |body, last| body.fixed(last, b"", 0);
    let empty_stored: Block = |body, last| body.stored(last, b"");
    let letter: Block = |body, last| body.fixed(last, b"a", 0);
    for (most, block) in [
        (last, empty_fixed),
        (last, empty_stored),
        (last, |body, last| body.dynamic(last)),
        // One in eight is earned: 32,768 + 37,449 / 8 = 37,449.
        (37_449, letter),
        (37_449, |body, last| body.stored(last, b"x")),
    ] {
        for (count, expected) in [(most, Ok(())), (most + 1, Err(DecodeError::TooManyBlocks))] {
            let mut body = Blocks::default();
            for at in 1..=count {
                block(&mut body, at == count);
            }
            assert_eq!(body.refused_at.is_some(), expected.is_err());
            for cuts in [&[usize::MAX][..], &[1], &[7, 1000]] {
                assert!(raw(&body.bytes, cuts) == (body.plain.clone(), expected), "{most} {count} {cuts:?}");
            }
        }
    }
}

#[test]
fn what_only_costs_is_refused_after_that_many_blocks() {
    const MIB: usize = 1 << 20;
    type Block = fn(&mut Blocks);
    let kinds: [(&str, Block); 7] = [
        ("empty fixed", |body| body.fixed(false, b"", 0)),
        ("empty stored", |body| body.stored(false, b"")),
        ("empty dynamic", |body| body.dynamic(false)),
        ("one letter", |body| body.fixed(false, b"a", 0)),
        ("one byte stored", |body| body.stored(false, b"a")),
        ("a match of 3", |body| body.fixed(false, if body.plain.is_empty() { b"a" } else { b"" }, 3)),
        // Much comes out, so the bytes that went in bound it.
        ("a match of 258 in 32 blocks", |body| {
            let matched = if body.blocks % 32 == 0 { 258 } else { 0 };
            body.fixed(false, if body.plain.is_empty() { b"a" } else { b"" }, matched);
        }),
    ];
    for (name, block) in kinds {
        let mut body = Blocks::default();
        while body.bytes.len() < MIB {
            block(&mut body);
        }
        let refused_at = body.refused_at.unwrap();
        let (plain, end) = raw(&body.bytes, &[4096]);
        assert_eq!((plain.len(), end), (refused_at, Err(DecodeError::TooManyBlocks)), "{name}");
    }
}

#[test]
fn members_count_together() {
    let mut one = Blocks::default();
    one.fixed(true, b"", 0);
    let most = member(&one.bytes, b"").repeat(FREE as usize);
    assert_eq!(decoded(Coding::Gzip, &most, &[5000]), (Vec::new(), Ok(())));
    let more = [most, member(&one.bytes, b"")].concat();
    assert_eq!(decoded(Coding::Gzip, &more, &[5000]), (Vec::new(), Err(DecodeError::TooManyBlocks)));
    // A member for every line of a log.
    let line = [b'x'; 9];
    let lines = member(&flushed([(&line[..], FlushCompress::None)], 6, false), &line).repeat(100_000);
    assert_eq!(decoded(Coding::Gzip, &lines, &[5000]).1, Ok(()));
}

#[test]
fn what_encoders_write_is_far_from_the_bound() {
    for flush in [FlushCompress::Sync, FlushCompress::Partial, FlushCompress::Full] {
        // (events, bytes of each): an answer of a language model is some thousand events of 20 to 200 bytes.
        for (count, len) in [(60_000, 20), (20_000, 200), (40_000, 16), (23_000, 5), (16_000, 3)] {
            let events = events(count, len);
            for level in [1, 9] {
                let body = flushed(events.iter().map(|event| (&event[..], flush)), level, true);
                let (plain, end) = decoded(Coding::Deflate, &body, &[3000]);
                assert_eq!(end, Ok(()), "{count} events of {len} bytes, level {level}, {flush:?}");
                assert!(plain == events.concat());
            }
        }
    }
}

fn pieces() -> impl Strategy<Value = Vec<(Vec<u8>, u8)>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        (any::<u8>(), 0_usize..70_000).prop_map(|(byte, times)| vec![byte; times]),
        ("[a-z ]{1,30}", 1_usize..1500).prop_map(|(text, times)| text.repeat(times).into_bytes()),
    ];
    prop::collection::vec((piece, 0..4_u8), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    /// Against another inflater: any pieces, flushes, levels, members and cuts.
    #[test]
    fn another_inflater_says_the_same(
        members in prop::collection::vec((pieces(), 0..10_u32), 1..4),
        cuts in prop::collection::vec(1..5000_usize, 1..10),
        frame in 0..3,
    ) {
        let flush = |kind| [FlushCompress::None, FlushCompress::Sync, FlushCompress::Partial, FlushCompress::Full][usize::from(kind)];
        let mut whole = Vec::new();
        for (pieces, level) in &members {
            let plain: Vec<u8> = pieces.iter().flat_map(|(piece, _)| piece.clone()).collect();
            let stream = flushed(pieces.iter().map(|(piece, kind)| (&piece[..], flush(*kind))), *level, frame == 1);
            let mut other = Vec::new();
            match frame {
                0 => {
                    whole.extend(member(&stream, &plain));
                    flate2::read::MultiGzDecoder::new(&whole[..]).read_to_end(&mut other).unwrap();
                    let (ours, end) = decoded(Coding::Gzip, &whole, &cuts);
                    prop_assert_eq!(end, Ok(()));
                    prop_assert!(ours == other);
                }
                1 => {
                    flate2::read::ZlibDecoder::new(&stream[..]).read_to_end(&mut other).unwrap();
                    prop_assert!(raw(&stream, &cuts) == (other, Ok(())));
                }
                _ => {
                    flate2::read::DeflateDecoder::new(&stream[..]).read_to_end(&mut other).unwrap();
                    prop_assert!(raw(&stream, &cuts) == (other, Ok(())));
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(25) })]

    /// Random blocks around the bound, in random cuts, against the plain count.
    #[test]
    fn the_verdict_is_that_of_a_plain_count(
        free in 32_500..32_900_usize,
        blocks in prop::collection::vec((0..10_u8, 0..30_usize), 0..1500),
        cuts in prop::collection::vec(1..900_usize, 1..10),
    ) {
        let mut body = Blocks::default();
        for _ in 0..free {
            body.stored(false, b"");
        }
        for (kind, len) in blocks {
            let letters = &b"abcdefghijklmnopqrstuvwxyzabcd"[..len];
            match kind {
                0..=3 => body.stored(false, letters),
                4..=6 => body.fixed(false, letters, if body.plain.is_empty() { 0 } else { [0, 3, 258][len % 3] }),
                _ => body.dynamic(false),
            }
        }
        body.stored(true, b"");
        let expected = match body.refused_at {
            Some(at) => (body.plain[..at].to_vec(), Err(DecodeError::TooManyBlocks)),
            None => (body.plain.clone(), Ok(())),
        };
        prop_assert!(raw(&body.bytes, &cuts) == expected);
        prop_assert!(raw(&body.bytes, &[usize::MAX]) == expected);
    }
}
