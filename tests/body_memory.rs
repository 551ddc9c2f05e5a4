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

#[test]
fn a_decoder_holds_no_more_than_it_says() {
    let plain: Vec<u8> = (0..3_000_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 27) as u8).collect();
    let mut encoder = write::GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&plain).unwrap();
    let body = encoder.finish().unwrap().repeat(2);
    let before = NOW.load(SeqCst);
    MOST.store(before, SeqCst);
    let mut decoder = Decoder::new(Coding::Gzip, u64::MAX);
    for chunk in body.chunks(10_000) {
        decoder.feed(chunk, &mut |_| {}).unwrap();
    }
    decoder.finish().unwrap();
    let most = MOST.load(SeqCst) - before;
    assert_eq!(decoder.decoded_bytes(), 6_000_000);
    assert!(most > 32 * 1024 && most <= Decoder::MEMORY_BYTES, "{most} bytes, said {}", Decoder::MEMORY_BYTES);
    drop(decoder);
    // The test runner's own thread allocates a little meanwhile.
    assert!(NOW.load(SeqCst) <= before + 4096, "something was kept");
}
