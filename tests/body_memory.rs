//! The heap that a decoder takes is what its documentation says, whatever it is fed.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bodyguard::body::{Coding, Decoder};
use flate2::{Compression, write};

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all work is the system allocator's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        MOST.fetch_max(NOW.fetch_add(layout.size(), SeqCst) + layout.size(), SeqCst);
        // SAFETY: passed on as it came.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), SeqCst);
        // SAFETY: passed on as it came.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most that is on the heap while these chunks are decoded, in bytes.
fn most(coding: Coding, chunks: impl Iterator<Item = Vec<u8>>, plain_bytes: u64) -> usize {
    let before = NOW.load(SeqCst);
    let mut most = 0;
    let mut decoder = Decoder::new(coding, u64::MAX);
    for chunk in chunks {
        let idle = NOW.load(SeqCst);
        MOST.store(idle, SeqCst);
        decoder.feed(&chunk, &mut |_| {}).unwrap();
        // What the chunks take is not the decoder's.
        most = most.max(MOST.load(SeqCst) - before - chunk.capacity());
    }
    decoder.finish().unwrap();
    assert_eq!(decoder.decoded_bytes(), plain_bytes);
    drop(decoder);
    // The test runner's own thread allocates a little meanwhile.
    assert!(NOW.load(SeqCst) <= before + 4096, "something was kept");
    most
}

#[test]
fn a_decoder_holds_no_more_than_it_says() {
    let plain: Vec<u8> = (0..3_000_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 27) as u8).collect();
    let mut encoder = write::GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&plain).unwrap();
    let body = encoder.finish().unwrap().repeat(2);
    let gzip = most(Coding::Gzip, body.chunks(10_000).map(<[u8]>::to_vec), 6_000_000);
    assert!(gzip > 32 * 1024 && gzip <= Decoder::MEMORY_BYTES, "{gzip} bytes, said {}", Decoder::MEMORY_BYTES);

    // Frames with the largest window, longer than it: blocks of 128 KiB of one byte.
    let frame = [&b"\x28\xb5\x2f\xfd\x00\x68"[..], &b"\x02\x00\x10x".repeat(300), b"\x01\x00\x00"].concat();
    let chunks = frame.chunks(10).chain(frame.chunks(10)).map(<[u8]>::to_vec);
    let zstd = most(Coding::Zstd, chunks, 2 * 300 * 131_072);
    let said = Decoder::MAX_WINDOW_BYTES + 512 * 1024;
    assert!(zstd > 8 << 20 && zstd <= said, "{zstd} bytes, said {said}");
    // What it says of itself is no less than what it takes.
    for window_log in [10_u8, 17, 19, 21] {
        let frame =
            [&[0x28, 0xb5, 0x2f, 0xfd, 0, (window_log - 10) << 3][..], &b"\x02\x20\x00x".repeat(9000), b"\x01\x00\x00"].concat();
        let mut decoder = Decoder::new(Coding::Zstd, u64::MAX);
        decoder.feed(&frame, &mut |_| {}).unwrap();
        let said = decoder.window_bytes() + 256 * 1024;
        let zstd = most(Coding::Zstd, frame.chunks(4000).map(<[u8]>::to_vec), 9000 * 1024);
        assert!(zstd <= said && said <= (4 << window_log) + 1024 * 1024, "{zstd} bytes, said {said}, window 2^{window_log}");
    }
    // Small frames take no room for the window that they ask for.
    let frame = b"\x28\xb5\x2f\xfd\x00\x68\x09\x00\x00x";
    let zstd = most(Coding::Zstd, std::iter::repeat_n(frame.to_vec(), 1000), 1000);
    assert!(zstd <= 512 * 1024, "{zstd} bytes for small frames");
    println!("gzip {gzip}, zstd {zstd}");
}
