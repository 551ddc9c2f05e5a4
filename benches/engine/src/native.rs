//! The native half of the bench. Takes lines `<engine> <runs> <size> <corpus>` and answers each with `<findings> <ns per pass>`.

use std::io::BufRead;
use std::time::Instant;

use bodyguard_bench_engine::{Engines, corpus};

/// A run is repeated until it takes this long, so that the clock's grain does not matter.
const RUN_NANOSECONDS: u128 = 2_000_000;

fn main() {
    let mut engines = Engines::default();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("standard input is text");
        let words: Vec<&str> = line.split(' ').collect();
        let [engine, runs, size, name] = words[..] else { panic!("four words a line, not {line:?}") };
        let (engine, runs, size): (usize, usize, usize) =
            (engine.parse().expect("a number"), runs.parse().expect("a number"), size.parse().expect("a number"));
        let (body, _) = corpus::make(name, size);
        let mut found = 0;
        let mut pass = |times: u32| {
            let start = Instant::now();
            for _ in 0..times {
                found = engines.run(engine, &body);
            }
            start.elapsed().as_nanos()
        };
        let mut times = 1;
        while pass(times) < RUN_NANOSECONDS {
            times *= 2;
        }
        let mut samples: Vec<u128> = (0..runs).map(|_| pass(times) * 1000 / u128::from(times)).collect();
        samples.sort_unstable();
        println!("{found} {}", samples[samples.len() / 2] as f64 / 1000.0);
    }
}
