//! What the bench runs, in V8 and native: engines by number over bodies by name.

pub mod corpus;
mod engines;

pub use engines::{ENGINES, Engines};

use std::cell::RefCell;

/// What the functions below work on; V8 runs them in one thread.
#[derive(Default)]
struct State {
    engines: Engines,
    body: Vec<u8>,
    name: Vec<u8>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Room for the name of a corpus, `len` bytes.
#[unsafe(no_mangle)]
pub extern "C" fn bench_name(len: usize) -> *mut u8 {
    STATE.with_borrow_mut(|state| {
        state.name = vec![0; len];
        state.name.as_mut_ptr()
    })
}

/// Makes the body that was named; how many findings are in it.
#[unsafe(no_mangle)]
pub extern "C" fn bench_make(size: usize) -> usize {
    STATE.with_borrow_mut(|state| {
        let findings;
        (state.body, findings) = corpus::make(&String::from_utf8_lossy(&state.name), size);
        findings
    })
}

/// Runs an engine over the body some times; the findings of one run.
#[unsafe(no_mangle)]
pub extern "C" fn bench_run(engine: usize, times: u32) -> usize {
    STATE.with_borrow_mut(|state| (0..times).fold(0, |_, _| state.engines.run(engine, &state.body)))
}

/// Is this built with simd128?
#[unsafe(no_mangle)]
pub extern "C" fn bench_simd() -> u32 {
    u32::from(cfg!(all(target_arch = "wasm32", target_feature = "simd128")))
}
