//! What a stream holds on the heap is what docs/streaming.md says, and that page is written from the same constants:
//! `UPDATE=1 cargo test --test stream_memory` rewrites its tables.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::panic, unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bodyguard::act::{Direction, MessageHead, Plan, plan};
use bodyguard::body::{Coding, Decoder, JsonTracker};
use bodyguard::detect::{KINDS, LOOK_AHEAD, LOOK_BEHIND};
use bodyguard::filter::flow::{FLOOR_BYTES, PATIENCE_BYTES};
use bodyguard::policy::{Policy, RequestHead, Resolution, Rule};

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all work is the system allocator's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        NOW.fetch_add(layout.size(), SeqCst);
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

/// Most heap of a stream without a coding whose text holds nothing back, in bytes.
const IDLE_BYTES: usize = 4 * 1024;

fn rule() -> Arc<Rule> {
    let text = r#"{"domains": [{"hosts": ["*"], "policy": {"response_body_mode": "streamed", "inspect_response_body": true,
        "checks": {"body": {"dlp": {"block": ["private_key"], "redact": ["email", "credit_card", "ssn", "jwt"]}}}}}]}"#;
    let policy = Policy::from_plugin_configuration(text.as_bytes()).unwrap();
    let head = RequestHead { authority: b"h", path: b"/", method: b"GET", headers: &[], ..RequestHead::default() };
    let Resolution::Rule(rule) = policy.resolve(&head) else { panic!() };
    rule
}

/// Heap of a stream that has been fed `chunk` many times, in bytes.
fn heap(rule: &Arc<Rule>, coding: Option<&str>, chunks: &[Vec<u8>]) -> usize {
    const STREAMS: usize = 20;
    let head = MessageHead {
        content_type: Some(b"text/event-stream"),
        content_encoding: coding.map(str::as_bytes),
        ..MessageHead::default()
    };
    let before = NOW.load(SeqCst);
    let streams: Vec<_> = (0..STREAMS)
        .map(|_| {
            let Plan::Stream(mut streamer) = plan(rule, Direction::Response, &head) else { panic!() };
            for chunk in chunks {
                drop(streamer.feed(chunk).unwrap());
            }
            streamer
        })
        .collect();
    let each = (NOW.load(SeqCst) - before) / STREAMS;
    drop(streams);
    each
}

#[test]
fn a_stream_holds_what_the_page_says_and_the_page_says_what_the_constants_are() {
    let rule = rule();
    let line = b"data: {\"token\": \"some words of it\", \"at\": 1732226400000}\n\n".to_vec();
    let clean = vec![line.clone(); 2000];
    heap(&rule, None, &clean);
    let idle = heap(&rule, None, &clean);
    assert!(idle <= IDLE_BYTES, "{idle} bytes for a stream that holds nothing");

    let key =
        [b"-----BEGIN RSA PRIVATE KEY-----\n".to_vec(), b"MIIEpAIBAAKCAQEAFakeFakeFakeFakeFakeFake\n".repeat(1500)].concat();
    let longest = KINDS.iter().map(|spec| spec.max_len).max().unwrap();
    let holding = heap(&rule, None, &key.chunks(1000).map(<[u8]>::to_vec).collect::<Vec<_>>());
    // Held once to be sent and once to be scanned; a vector may have twice the room it needs.
    let most = 4 * (longest + LOOK_BEHIND + LOOK_AHEAD) + IDLE_BYTES;
    assert!(holding > longest / 2 && holding <= most, "{holding} bytes for a stream that holds a key, allowed {most}");

    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&clean.concat()).unwrap();
    packer.flush().unwrap();
    let packed = vec![packer.get_ref().clone()];
    let gzip = heap(&rule, Some("gzip"), &packed);
    assert!(gzip <= Decoder::MEMORY_BYTES + 4 * IDLE_BYTES, "{gzip} bytes for a gzip stream");
    let br = heap(&rule, Some("br"), &[Coding::Brotli.encode(&clean.concat(), 0)]);
    println!("idle {idle}, holding a key {holding}, gzip {gzip}, br (window of 64 KiB) {br}");

    page_is_fresh();
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/streaming.md");
const BEGIN: &str = "<!-- Written by `UPDATE=1 cargo test --test stream_memory`: -->\n";
const END: &str = "<!-- Written until here. -->\n";

fn page_is_fresh() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, behind) = rest.split_once(END).unwrap();
    let fresh = [before, BEGIN, &tables(), END, behind].concat();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(PAGE, &fresh).unwrap();
    }
    assert!(
        fresh == page || std::env::var_os("UPDATE").is_some(),
        "docs/streaming.md is stale: UPDATE=1 cargo test --test stream_memory"
    );
}

fn tables() -> String {
    let mut text = String::from("| kind | most that a candidate holds, bytes |\n|---|---|\n");
    for spec in &KINDS {
        writeln!(text, "| `{}` | {} |", spec.name, spec.max_len + spec.look_ahead()).unwrap();
    }
    let rows = [
        (
            "bytes behind a match that its validator waits for, unless a line end or `\"` comes first (48 where words may stand near)",
            LOOK_AHEAD,
        ),
        ("bytes that stay for what comes behind them to be judged by (they have left)", LOOK_BEHIND),
        ("longest bare JSON number that is held until its end, bytes", JsonTracker::MAX_TOKEN_BYTES),
        ("heap of a stream that holds nothing, at most, bytes", IDLE_BYTES),
        ("heap of a gzip or deflate decoder, bytes", Decoder::MEMORY_BYTES),
        ("blocks that a gzip or deflate body may have, however little is in them", Decoder::FREE_BLOCKS as usize),
        ("bytes that must come out for each block more", Decoder::PLAIN_BYTES_PER_BLOCK as usize),
        ("bytes that must go in for each block more", Decoder::CODED_BYTES_PER_BLOCK as usize),
        ("heap of a br or zstd decoder for its window, at most, bytes", Decoder::MAX_WINDOW_BYTES),
        ("most that waits although it could leave, where trailers are announced, bytes", PATIENCE_BYTES),
        ("most that is written when trailers come, bytes", FLOOR_BYTES),
    ];
    text.push_str("\n| what | how much |\n|---|---|\n");
    for (what, bytes) in rows {
        writeln!(text, "| {what} | {bytes} |").unwrap();
    }
    text
}
