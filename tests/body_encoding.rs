//! Content codings against an independent implementation (zlib-rs), in every cut, at every cap, broken in every way.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, clippy::string_slice)]

use std::io::{Read, Write};

use bodyguard::body::{Coding, DecodeError, Decoder, decode};
use flate2::{Compression, GzBuilder, write};
use proptest::prelude::*;

const NO_CAP: u64 = u64::MAX;

/// `hello hello hello hello\n`, written by GNU gzip with a name and a time.
const GNU_GZIP: &str = "1f8b0808cd0c026b020366782e74787400cb48cdc9c957c84027b9000088590b18000000";

fn gzip(plain: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = write::GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zlib(plain: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = write::ZlibEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn raw(plain: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = write::DeflateEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Decodes in pieces of the given lengths (the last one takes the rest); what came out, and how it ended.
fn decode_cut(coding: Coding, body: &[u8], cuts: &[usize], cap: u64) -> (Vec<u8>, Result<(), DecodeError>) {
    let mut plain = Vec::new();
    let mut decoder = Decoder::new(coding, cap);
    let mut rest = body;
    let mut outcome = Ok(());
    for cut in cuts.iter().copied().chain([usize::MAX]) {
        let (chunk, behind) = rest.split_at(cut.min(rest.len()));
        rest = behind;
        outcome = decoder.feed(chunk, &mut |piece| {
            assert!(coding == Coding::Identity || piece.len() <= 32 * 1024, "a piece of {} bytes", piece.len());
            plain.extend_from_slice(piece);
        });
        if outcome.is_err() {
            assert_eq!(decoder.feed(b"more", &mut |_| panic!("gave bytes behind an error")), outcome);
            break;
        }
    }
    assert_eq!(decoder.decoded_bytes(), plain.len() as u64);
    (plain, outcome.and_then(|()| decoder.finish()))
}

/// Bytes that compress well, badly and not at all, from a seed.
fn sample(len: usize, mut seed: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(len + 64);
    while out.len() < len {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let value = (seed >> 33) as usize;
        match value % 4 {
            0 => out.extend_from_slice(b"{\"name\":\"somebody\",\"number\":12345}"),
            1 => out.extend(std::iter::repeat_n(b'x', value % 300)),
            2 => {
                let back = (value % 40_000).min(out.len());
                let at = out.len() - back;
                let run: Vec<u8> = out[at..].iter().copied().take(value % 200).collect();
                out.extend_from_slice(&run);
            }
            _ => out.extend_from_slice(&seed.to_le_bytes()),
        }
    }
    out.truncate(len);
    out
}

/// One gzip member made by hand, with the flags and header fields given.
fn member(flags: u8, fields: &[u8], plain: &[u8]) -> Vec<u8> {
    let plain_member = gzip(plain, 6);
    let mut out = vec![0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 2, 3];
    out.extend_from_slice(fields);
    if flags & 2 != 0 {
        out.extend_from_slice(&(crc(&out) as u16).to_le_bytes());
    }
    out.extend_from_slice(&plain_member[10..]);
    out
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap()).collect()
}

#[test]
fn what_other_encoders_write_decodes_at_every_level() {
    for len in [0, 1, 2, 100, 32_767, 32_768, 32_769, 70_000, 200_000] {
        let plain = sample(len, len as u64);
        for level in [0, 1, 6, 9] {
            for (coding, body) in [
                (Coding::Gzip, gzip(&plain, level)),
                (Coding::Deflate, zlib(&plain, level)),
                (Coding::Deflate, raw(&plain, level)),
            ] {
                assert!(decode(coding, &body, NO_CAP).as_ref() == Ok(&plain), "{coding:?} of {len} bytes, level {level}");
            }
        }
    }
}

#[test]
fn what_gnu_gzip_wrote_decodes_at_every_single_cut() {
    let body = unhex(GNU_GZIP);
    for cut in 0..=body.len() {
        assert_eq!(decode_cut(Coding::Gzip, &body, &[cut], NO_CAP), (b"hello hello hello hello\n".to_vec(), Ok(())), "{cut}");
    }
}

#[test]
fn every_header_field_of_gzip_is_read() {
    let long_name = [vec![b'n'; 2000], vec![0]].concat();
    for (flags, fields) in [
        (0, &b""[..]),
        (1, b""), // FTEXT says nothing
        (2, b""),
        (4, b"\x00\x00"),
        (4, b"\x05\x00abcde"),
        (8, b"name\0"),
        (8, b"\0"),
        (8, &long_name),
        (16, b"comment\0"),
        (31, b"\x02\x00abname\0comment\0"),
        (30, b"\x00\x00\0\0"),
    ] {
        let body = member(flags, fields, b"plain");
        for cut in 0..body.len() {
            assert_eq!(decode_cut(Coding::Gzip, &body, &[cut, 1], NO_CAP), (b"plain".to_vec(), Ok(())), "{flags:#x} {cut}");
        }
    }
    let built = GzBuilder::new().filename("a").comment("b").extra("c").mtime(7).write(Vec::new(), Compression::fast());
    assert_eq!(decode(Coding::Gzip, &built.finish().unwrap(), NO_CAP), Ok(Vec::new()));
}

#[test]
fn a_header_that_is_wrong_or_too_long_is_corrupt() {
    let mut wrong_crc = member(2, b"", b"plain");
    wrong_crc[10] ^= 1;
    let endless = member(8, &[vec![b'n'; 5000], vec![0]].concat(), b"plain");
    let mut wrong_method = member(0, b"", b"plain");
    wrong_method[2] = 7;
    for body in [wrong_crc, endless, wrong_method, member(32, b"", b"plain"), member(128, b"", b"plain"), b"plain".to_vec()] {
        assert_eq!(decode(Coding::Gzip, &body, NO_CAP), Err(DecodeError::Corrupt));
    }
}

#[test]
fn members_follow_one_another_and_zero_bytes_may_follow_the_last() {
    let (a, b) = (sample(40_000, 1), sample(50_000, 2));
    let two = [gzip(&a, 6), gzip(b"", 6), member(31, b"\x01\x00xn\0c\0", &b)].concat();
    let plain = [a, b].concat();
    assert!(decode(Coding::Gzip, &two, NO_CAP).as_ref() == Ok(&plain));
    let padded = [&two[..], &[0; 1000]].concat();
    assert!(decode(Coding::Gzip, &padded, NO_CAP).as_ref() == Ok(&plain));
    for garbage in [&b"x"[..], b"\0x", b"\0\x1f\x8b", b"\x1f", b"\x1f\x8b\x08"] {
        let (_, outcome) = decode_cut(Coding::Gzip, &[&two[..], garbage].concat(), &[two.len()], NO_CAP);
        assert_eq!(outcome, Err(DecodeError::Corrupt), "{garbage:?}");
    }
    assert_eq!(decode(Coding::Gzip, &[0; 10], NO_CAP), Err(DecodeError::Corrupt));
    for stream in [zlib(b"abc", 6), raw(b"abc", 6)] {
        for garbage in [&b"x"[..], b"\0"] {
            for cut in [0, stream.len()] {
                let (plain, outcome) = decode_cut(Coding::Deflate, &[&stream[..], garbage].concat(), &[cut], NO_CAP);
                assert_eq!((&plain[..], outcome), (&b"abc"[..], Err(DecodeError::Corrupt)));
            }
        }
    }
}

#[test]
fn an_empty_body_is_legal_under_every_coding() {
    for coding in [Coding::Identity, Coding::Gzip, Coding::Deflate] {
        assert_eq!(decode(coding, b"", 0), Ok(Vec::new()));
    }
}

#[test]
fn a_body_cut_off_at_any_byte_is_corrupt() {
    let plain = sample(3000, 3);
    for (coding, body, may_end) in [
        (Coding::Gzip, gzip(&plain, 6), None),
        (Coding::Gzip, [gzip(&plain, 6), gzip(&plain, 9)].concat(), Some(gzip(&plain, 6).len())),
        (Coding::Deflate, zlib(&plain, 6), None),
        (Coding::Deflate, raw(&plain, 6), None),
    ] {
        for len in 1..body.len() {
            let expected = if may_end == Some(len) { Ok(()) } else { Err(DecodeError::Corrupt) };
            assert_eq!(decode_cut(coding, &body[..len], &[len / 2], NO_CAP).1, expected, "{coding:?} after {len} bytes");
        }
    }
}

#[test]
fn a_reference_to_before_the_start_of_a_stream_is_corrupt() {
    // A fixed block: copy 3 bytes from 2 back, end. There is nothing 2 back.
    let reaches_back = [0x03, 0x22, 0x00];
    assert_eq!(decode(Coding::Deflate, &reaches_back, NO_CAP), Err(DecodeError::Corrupt));
    // Nor is there in a second member, whatever the first one left behind.
    let body = [&gzip(&sample(100_000, 4), 6)[..], &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], &reaches_back, &[0; 8]].concat();
    let (plain, outcome) = decode_cut(Coding::Gzip, &body, &[], NO_CAP);
    assert_eq!((plain.len(), outcome), (100_000, Err(DecodeError::Corrupt)));
}

#[test]
fn the_cap_is_exact() {
    for len in [1, 1000, 32_768, 32_769, 65_536, 100_000_usize] {
        let plain = sample(len, 5);
        for (coding, body) in [
            (Coding::Identity, plain.clone()),
            (Coding::Gzip, gzip(&plain, 6)),
            (Coding::Gzip, [gzip(&plain[..len / 2], 6), gzip(&plain[len / 2..], 6)].concat()),
            (Coding::Deflate, zlib(&plain, 6)),
            (Coding::Deflate, raw(&plain, 6)),
        ] {
            for cuts in [&[][..], &[1, 7, 300, 5000]] {
                for cap in [len + 1, len] {
                    assert!(decode_cut(coding, &body, cuts, cap as u64) == (plain.clone(), Ok(())), "{coding:?} {len} {cap}");
                }
                for cap in [len - 1, len / 2, 0] {
                    let (given, outcome) = decode_cut(coding, &body, cuts, cap as u64);
                    assert_eq!((given.len(), outcome), (cap, Err(DecodeError::OverCap)), "{coding:?} {len} {cap}");
                    assert!(given == plain[..cap]);
                }
            }
        }
    }
}

#[test]
fn a_bomb_is_cut_off_at_the_cap() {
    // 16 MiB of zeros in 16 KiB, twice over.
    let bomb = gzip(&vec![0; 16 << 20], 9);
    assert!(bomb.len() < 20_000);
    for (coding, body) in [(Coding::Gzip, [&bomb[..], &bomb].concat()), (Coding::Deflate, zlib(&vec![0; 16 << 20], 9))] {
        let (given, outcome) = decode_cut(coding, &body, &[10, 1000], 1 << 20);
        assert_eq!((given.len(), outcome), (1 << 20, Err(DecodeError::OverCap)));
    }
}

#[test]
fn a_body_of_nothing_but_empty_members_decodes() {
    let body = gzip(b"", 9).repeat(20_000);
    assert_eq!(decode_cut(Coding::Gzip, &body, &[1, 20, 999], 0), (Vec::new(), Ok(())));
}

#[test]
fn a_decoder_shows_no_byte_of_a_body() {
    let mut decoder = Decoder::new(Coding::Gzip, NO_CAP);
    let body = gzip(&[b'Q'; 100], 0);
    decoder.feed(&body, &mut |_| {}).unwrap();
    let shown = format!("{decoder:?}");
    assert!(!shown.contains("81, 81") && !shown.contains("QQ"), "{shown}");
}

#[test]
fn what_is_encoded_here_decodes_elsewhere() {
    for len in [0, 1, 1000, 100_000] {
        let plain = sample(len, 6);
        for level in [0, 1, 6, 9, 10, 255] {
            let mut back = Vec::new();
            flate2::read::GzDecoder::new(&Coding::Gzip.encode(&plain, level)[..]).read_to_end(&mut back).unwrap();
            assert!(back == plain, "gzip of {len} bytes, level {level}");
            back.clear();
            flate2::read::ZlibDecoder::new(&Coding::Deflate.encode(&plain, level)[..]).read_to_end(&mut back).unwrap();
            assert!(back == plain, "zlib of {len} bytes, level {level}");
        }
        assert_eq!(Coding::Identity.encode(&plain, 6), plain);
    }
    assert_eq!(Coding::Gzip.encode(b"abc", 6)[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
}

#[test]
fn encoding_to_fit_tries_harder_and_then_gives_up() {
    let plain = sample(100_000, 7);
    for coding in [Coding::Gzip, Coding::Deflate] {
        let fast = coding.encode(&plain, 2).len();
        let best = coding.encode(&plain, 6).len().min(coding.encode(&plain, 9).len());
        assert!(best < fast);
        for (max_len, fits) in [(fast, true), (fast - 1, true), (best, true), (best - 1, false), (10, false), (0, false)] {
            let encoded = coding.encode_within(&plain, max_len);
            assert_eq!(encoded.is_some(), fits, "{coding:?} {max_len}");
            if let Some(encoded) = encoded {
                assert!(encoded.len() <= max_len);
                assert!(decode(coding, &encoded, NO_CAP).as_ref() == Ok(&plain));
            }
        }
    }
    // Room without end costs no memory, and always fits; so does what cannot be compressed.
    let noise: Vec<u8> = (0..50_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8 ^ (at >> 3) as u8).collect();
    for body in [&plain[..], &noise, b""] {
        for coding in [Coding::Gzip, Coding::Deflate] {
            let encoded = coding.encode_within(body, usize::MAX).unwrap();
            assert!(decode(coding, &encoded, NO_CAP).unwrap() == body);
        }
    }
    assert_eq!(Coding::Identity.encode_within(b"abc", 3), Some(b"abc".to_vec()));
    assert_eq!(Coding::Identity.encode_within(b"abc", 2), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn no_cut_changes_what_comes_out(
        len in 0..90_000_usize,
        seed: u64,
        level in 0..10_u32,
        cuts in prop::collection::vec(prop_oneof![Just(0), Just(1), 0..40_usize, 0..40_000_usize], 0..60),
        which in 0..4,
        cap in prop_oneof![Just(NO_CAP), 0..100_000_u64],
        keep in prop_oneof![Just(1.0), 0.0..1.0],
    ) {
        let plain = sample(len, seed);
        let (coding, mut body) = match which {
            0 => (Coding::Gzip, gzip(&plain, level)),
            1 => (Coding::Gzip, [gzip(&plain[..len / 3], level), member(31, b"\x01\x00xn\0c\0", &plain[len / 3..])].concat()),
            2 => (Coding::Deflate, zlib(&plain, level)),
            _ => (Coding::Deflate, raw(&plain, level)),
        };
        body.truncate((body.len() as f64 * keep) as usize);
        let whole = decode_cut(coding, &body, &[], cap);
        prop_assert!(whole == decode_cut(coding, &body, &cuts, cap));
        let bytewise = vec![1; body.len().min(3000)];
        prop_assert!(whole == decode_cut(coding, &body, &bytewise, cap));
        prop_assert!(whole.0.len() as u64 <= cap && whole.0 == plain[..whole.0.len()]);
        if keep == 1.0 && cap >= len as u64 {
            prop_assert_eq!(whole.1, Ok(()));
            prop_assert_eq!(whole.0.len(), len);
        }
    }

    #[test]
    fn flipped_bits_never_panic_and_never_pass_a_checksum(
        seed: u64,
        level in 0..10_u32,
        flips in prop::collection::vec((0..3000_usize, 0..8_u32), 1..6),
        cuts in prop::collection::vec(0..300_usize, 0..8),
    ) {
        let plain = sample(2000, seed);
        for (coding, body, checked) in [
            (Coding::Gzip, gzip(&plain, level), true),
            (Coding::Deflate, zlib(&plain, level), true),
            (Coding::Deflate, raw(&plain, level), false),
        ] {
            let mut broken = body.clone();
            for (at, bit) in &flips {
                let at = at % broken.len();
                broken[at] ^= 1 << bit;
            }
            let outcome = decode_cut(coding, &broken, &cuts, 1 << 20);
            prop_assert!(outcome == decode_cut(coding, &broken, &[], 1 << 20));
            // A flip in a byte that carries nothing (the time, padding bits) changes nothing. One that makes a zlib head a raw
            // stream's cannot be told by a checksum.
            let still_zlib = coding == Coding::Gzip || broken[0] & 0x0f == 8;
            if checked && still_zlib && outcome.1.is_ok() {
                prop_assert!(outcome.0 == plain);
            }
        }
    }

    #[test]
    fn any_bytes_decode_or_fail_the_same_in_every_cut(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        cuts in prop::collection::vec(0..50_usize, 0..8),
        head in any::<bool>(),
    ) {
        for (coding, prefix) in [(Coding::Gzip, &b"\x1f\x8b\x08\0\0\0\0\0\0\0"[..]), (Coding::Deflate, b"\x78\x9c")] {
            let body = if head { [prefix, &bytes[..]].concat() } else { bytes.clone() };
            prop_assert!(decode_cut(coding, &body, &cuts, 100_000) == decode_cut(coding, &body, &[], 100_000));
        }
    }
}
