//! Findings of all kinds in files: one JSON object a line. With `--naive` first, by the naive reference of the tests.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

#[path = "../../tests/reference/mod.rs"]
mod reference;

use bodyguard::detect::KindSet;

fn main() {
    let naive = std::env::args().nth(1).is_some_and(|first| first == "--naive");
    for file in std::env::args().skip(if naive { 2 } else { 1 }) {
        let body = std::fs::read(&file).unwrap();
        let findings = if naive { reference::scan(KindSet::all(), &body) } else { bodyguard::scan::scan(KindSet::all(), &body) };
        for finding in findings {
            let (kind, start, end) = (finding.kind.name(), finding.start, finding.end);
            println!("{}", serde_json::json!({ "file": file, "kind": kind, "start": start, "end": end }));
        }
    }
}
