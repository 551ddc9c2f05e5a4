//! br and zstd: decoded in every cut, bounded, and refused where they are broken. Other decoders made the expected bytes.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]

use std::io::Write;

use bodyguard::body::{Coding, DecodeError, Decoder, decode};
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

fn brotli(body: &[u8], window_bits: u32) -> Vec<u8> {
    let mut out = Vec::new();
    brotli::CompressorWriter::new(&mut out, 4096, 5, window_bits).write_all(body).unwrap();
    out
}

fn zstd(body: &[u8]) -> Vec<u8> {
    compress_to_vec(body, CompressionLevel::Fastest)
}

/// What zstd(1) makes of [`TEXT`], level 19, with a checksum.
const FRAME: &[u8] = b"\x28\xb5\x2f\xfd\x04\x68\x1d\x01\x00\xc2\x01\x06\x0b\xf0\x39\x40\x12\xcd\xd2\x95\x32\x31\x0e\x78\xb7\xd9\xc9\x07\x1c\x96\x06\xe1\x79\xed\x36\x1b\x02\x00\x37\x87\x02\x92\xf9\x05\xcd\x83\x72\x13";
const TEXT: &[u8] = b"hello world, hello world, hello there, world of hello";

fn fed(coding: Coding, chunks: &[&[u8]], cap: u64) -> (Vec<u8>, Result<(), DecodeError>) {
    let mut plain = Vec::new();
    let mut decoder = Decoder::new(coding, cap);
    for chunk in chunks {
        if let Err(error) = decoder.feed(chunk, &mut |piece| plain.extend_from_slice(piece)) {
            return (plain, Err(error));
        }
    }
    let end = decoder.finish();
    (plain, end)
}

fn cut<'a>(body: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    at.extend([0, body.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect()
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        (any::<u8>(), 0usize..70_000).prop_map(|(byte, times)| vec![byte; times]),
        ("[a-z ]{1,30}", 1usize..300).prop_map(|(text, times)| text.repeat(times).into_bytes()),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

/// What the reference encoder makes of `pieces`, flushed behind each.
fn reference_zstd(pieces: &[&[u8]], level: i32, window_log: u32, checksum: bool, size: bool) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), level).unwrap();
    encoder.window_log(window_log).unwrap();
    encoder.include_checksum(checksum).unwrap();
    if size {
        encoder.set_pledged_src_size(Some(pieces.iter().map(|piece| piece.len() as u64).sum())).unwrap();
    }
    for piece in pieces {
        encoder.write_all(piece).unwrap();
        encoder.flush().unwrap();
    }
    encoder.finish().unwrap()
}

/// Text that repeats itself from near and far, `len` bytes.
fn echoes(len: usize, mut seed: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(len + 500);
    while out.len() < len {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let value = (seed >> 33) as usize;
        if out.is_empty() || value.is_multiple_of(3) {
            out.extend((0..value % 90).map(|at| (seed >> (at % 57)) as u8));
        } else {
            let at = out.len() - 1 - (value >> 3) % out.len().min(1 << (value % 23));
            let run: Vec<u8> = out[at..].iter().copied().take(value % 500).collect();
            out.extend(run);
        }
    }
    out.truncate(len);
    out
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(120) })]

    /// Against the reference: any window, flush and frame, in any cut, with many windows in a frame.
    #[test]
    fn what_the_reference_encoder_writes_decodes_in_every_cut(
        frames in prop::collection::vec((0usize..1_500_000, any::<u64>(), 10u32..22, -3i32..8, any::<bool>(), any::<bool>()), 1..4),
        flushes in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..9),
    ) {
        let (mut body, mut packed) = (Vec::new(), Vec::new());
        for (len, seed, window_log, level, checksum, size) in frames {
            let plain = echoes(len, seed);
            packed.extend(reference_zstd(&cut(&plain, &flushes), level, window_log, checksum, size));
            body.extend(plain);
        }
        let (plain, end) = fed(Coding::Zstd, &cut(&packed, &cuts), u64::MAX);
        prop_assert_eq!(end, Ok(()));
        prop_assert!(plain == body);
        // A broken frame is an error or another body, the same in every cut.
        if let Some(byte) = packed.len().checked_sub(7) {
            packed[byte / 2] ^= 0x10;
            prop_assert!(fed(Coding::Zstd, &cut(&packed, &cuts), 5_000_000) == fed(Coding::Zstd, &[&packed], 5_000_000));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn every_cut_decodes_alike(body in body(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..9), bits in 10u32..25) {
        for (coding, packed) in [(Coding::Brotli, brotli(&body, bits)), (Coding::Zstd, zstd(&body))] {
            let (plain, end) = fed(coding, &cut(&packed, &cuts), u64::MAX);
            prop_assert_eq!(end, Ok(()));
            prop_assert!(plain == body);
            // The cap is exact.
            if !body.is_empty() {
                let cap = body.len() as u64 - 1;
                let (plain, end) = fed(coding, &cut(&packed, &cuts), cap);
                prop_assert_eq!(end, Err(DecodeError::OverCap));
                prop_assert!(plain == body[..body.len() - 1]);
            }
            // Cut off anywhere, it is no body.
            if packed.len() > 1 {
                prop_assert!(decode(coding, &packed[..packed.len() - 1], u64::MAX).is_err());
            }
            prop_assert!(decode(coding, &[packed.as_slice(), b"x"].concat(), u64::MAX).is_err());
        }
    }

    /// What is stored here, others can read; a decoder of br that shares no code with ours among them.
    #[test]
    fn a_stored_body_reads_back(body in body(), level in 0u8..10) {
        for coding in [Coding::Brotli, Coding::Zstd] {
            let packed = coding.encode(&body, level);
            prop_assert!(decode(coding, &packed, u64::MAX).unwrap() == body);
            prop_assert!(packed.len() <= body.len() + body.len() / 10_000 + 16);
            prop_assert_eq!(coding.encode_within(&body, packed.len()), Some(packed.clone()));
            prop_assert_eq!(coding.encode_within(&body, packed.len() - 1), None);
        }
        let mut plain = Vec::new();
        brotli::BrotliDecompress(&mut Coding::Brotli.encode(&body, 0).as_slice(), &mut plain).unwrap();
        prop_assert!(plain == body);
    }

    /// A broken body is an error or another body; never a panic, never more than its cap.
    #[test]
    fn no_bytes_do_harm(
        body in body(),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        noise in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        for (coding, packed) in [(Coding::Brotli, brotli(&body, 22)), (Coding::Zstd, zstd(&body))] {
            let mut broken = packed.clone();
            for (at, byte) in &hits {
                let at = at.index(broken.len());
                broken[at] = *byte;
            }
            for bytes in [broken.as_slice(), &noise, &[&b"\x28\xb5\x2f\xfd"[..], &noise].concat()] {
                let (plain, _) = fed(coding, &[bytes], 100_000);
                prop_assert!(plain.len() <= 100_000);
            }
        }
    }
}

#[test]
fn frames_follow_each_other_and_their_checksums_hold() {
    assert_eq!(decode(Coding::Zstd, FRAME, 200).unwrap(), TEXT);
    assert_eq!(decode(Coding::Zstd, &[FRAME, FRAME].concat(), 200).unwrap(), [TEXT, TEXT].concat());
    let mut wrong = FRAME.to_vec();
    *wrong.last_mut().unwrap() ^= 1;
    assert_eq!(decode(Coding::Zstd, &wrong, 200), Err(DecodeError::Corrupt));
}

#[test]
fn places_for_unread_bytes_and_windows_without_measure_are_refused() {
    // A skippable frame; a dictionary; a window of 16 MiB.
    for bytes in
        [&b"\x50\x2a\x4d\x18\x05\0\0\0hello"[..], b"\x28\xb5\x2f\xfd\x01\x58\x07\x59\0\0", b"\x28\xb5\x2f\xfd\x00\x70\x59\0\0"]
    {
        assert_eq!(decode(Coding::Zstd, bytes, 100), Err(DecodeError::Corrupt));
    }
    // Large windows are no br.
    assert_eq!(decode(Coding::Brotli, &[0x11, 0x1a, 0x01, 0x02], 100), Err(DecodeError::Corrupt));
}

#[test]
fn an_empty_body_is_legal_and_a_bomb_stops_at_its_cap() {
    let large = vec![b'a'; 20_000_000];
    for (coding, packed) in [(Coding::Brotli, brotli(&large, 24)), (Coding::Zstd, zstd(&large))] {
        assert_eq!(decode(coding, b"", 100), Ok(Vec::new()));
        let (plain, end) = fed(coding, &[&packed], 5000);
        assert_eq!((plain.len(), end), (5000, Err(DecodeError::OverCap)));
    }
}

#[test]
fn a_stream_of_zstd_comes_out_as_it_is_flushed() {
    for (level, window_log) in [(1, 10), (3, 21), (9, 23)] {
        let mut writer = zstd::Encoder::new(Vec::new(), level).unwrap();
        writer.window_log(window_log).unwrap();
        writer.include_checksum(true).unwrap();
        let mut decoder = Decoder::new(Coding::Zstd, u64::MAX);
        let mut seen = 0;
        for number in 0..20_000 {
            let event = format!("data: {{\"token\": {number}, \"of\": {}}}\n\n", number % 7);
            writer.write_all(event.as_bytes()).unwrap();
            writer.flush().unwrap();
            let packed = writer.get_ref()[seen..].to_vec();
            seen += packed.len();
            let mut plain = Vec::new();
            decoder.feed(&packed, &mut |piece| plain.extend_from_slice(piece)).unwrap();
            assert_eq!(plain, event.as_bytes());
        }
        let end = writer.finish().unwrap()[seen..].to_vec();
        decoder.feed(&end, &mut |_| {}).unwrap();
        assert_eq!(decoder.finish(), Ok(()));
    }
}

#[test]
fn a_window_is_as_large_as_its_frame_says_and_no_larger_than_allowed() {
    let plain = echoes(100_000, 7);
    for (window_log, expected) in [(23, Ok(())), (24, Err(DecodeError::Corrupt))] {
        let packed = reference_zstd(&[&plain], 3, window_log, true, false);
        assert_eq!(fed(Coding::Zstd, &[&packed], u64::MAX).1, expected, "{window_log}");
    }
    // A size of 8 MiB and one more, in a single segment; a reserved bit.
    for (bytes, expected) in [
        (&b"\x28\xb5\x2f\xfd\xa0\x00\x00\x80\x00\x01\0\0"[..], Ok(())),
        (b"\x28\xb5\x2f\xfd\xa0\x01\x00\x80\x00\x01\0\0", Err(DecodeError::Corrupt)),
        (b"\x28\xb5\x2f\xfd\x00\x58\x01\0\0", Ok(())),
        (b"\x28\xb5\x2f\xfd\x08\x58\x01\0\0", Err(DecodeError::Corrupt)),
    ] {
        assert_eq!(fed(Coding::Zstd, &[bytes], 100).1, expected, "{bytes:?}");
    }
}

#[test]
fn a_stream_of_br_comes_out_as_it_is_flushed() {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
    let mut decoder = Decoder::new(Coding::Brotli, u64::MAX);
    let mut seen = 0;
    for number in 0..5 {
        let event = format!("data: event {number}\n\n");
        writer.write_all(event.as_bytes()).unwrap();
        writer.flush().unwrap();
        let packed = writer.get_ref()[seen..].to_vec();
        seen += packed.len();
        let mut plain = Vec::new();
        decoder.feed(&packed, &mut |piece| plain.extend_from_slice(piece)).unwrap();
        assert_eq!(plain, event.as_bytes());
    }
}
