//! Findings of all kinds in files, by the naive reference: one JSON object a line.
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

fn main() {
    for file in std::env::args().skip(1) {
        let body = std::fs::read(&file).unwrap();
        for finding in reference::scan(bodyguard::detect::KindSet::all(), &body) {
            let (kind, start, end) = (finding.kind.name(), finding.start, finding.end);
            println!("{}", serde_json::json!({ "file": file, "kind": kind, "start": start, "end": end }));
        }
    }
}
