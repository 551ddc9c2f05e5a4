//! docs/limits.md: every figure on it is the constant it names, and every constant that is a limit is on it.
#![allow(clippy::panic, clippy::unwrap_used, clippy::string_slice, clippy::arithmetic_side_effects)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../docs/limits.md");

/// Constants with a limit's name that are none for a reader of the page: file, name, why not.
const INTERNAL: [(&str, &str, &str); 9] = [
    ("src/act/mask.rs", "MAX_LEN", "of a number's own form"),
    ("src/body/protobuf.rs", "MAX_LEN", "of a number's own form"),
    ("src/body/encoding.rs", "MAX_WINDOW_BYTES", "the one of br, under another name"),
    ("src/body/encoding/flate.rs", "MAX_LEVEL", "effort of the encoder"),
    ("src/body/encoding/zstd/frame.rs", "MAX_BLOCK_BYTES", "of the format: every encoder keeps to it"),
    ("src/policy/node.rs", "MAX_SHOWN", "how much of a policy's text an error repeats"),
    ("src/detect/own/prints.rs", "MAX_LEAD", "how values are looked for"),
    ("src/detect/own/prints.rs", "MAX_PRINTS", "how values are looked for"),
    ("src/filter/root.rs", "TICK_MILLISECONDS", "how often the clock is looked at"),
];
/// Files whose limits stand on a page of their own.
const ELSEWHERE: [(&str, &str); 2] = [("src/policy/events.rs", "docs/events.md"), ("src/filter/exporter.rs", "docs/events.md")];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn source(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The value of a constant, from its source: products, quotients and shifts of numbers and of constants of the same file.
fn value(file: &str, name: &str) -> u64 {
    let text = source(file);
    let line = text.lines().find(|line| line.contains(&format!("const {name}: ")));
    let line = line.unwrap_or_else(|| panic!("{file} has no {name} any more"));
    let expression = line.split_once(" = ").unwrap().1.trim_end_matches(';');
    let mut words = expression.split(' ');
    let operand = |word: &str| word.replace('_', "").parse().unwrap_or_else(|_| value(file, word));
    let mut result = operand(words.next().unwrap());
    while let (Some(operator), Some(word)) = (words.next(), words.next()) {
        result = match operator {
            "*" => result * operand(word),
            "/" => result / operand(word),
            "<<" => result << operand(word),
            other => panic!("{file}: {name}: {other}"),
        };
    }
    result
}

/// The links `[figure](../file "NAME")`.
fn figures() -> Vec<(u64, String, String)> {
    let mut found = Vec::new();
    for part in PAGE.split('[').skip(1) {
        let Some((figure, link)) = part.split_once("](../") else { continue };
        let Some((file, rest)) = link.split_once(" \"") else { continue };
        let name = rest.split('"').next().unwrap();
        found.push((figure.parse().unwrap_or_else(|_| panic!("{figure}")), file.to_owned(), name.to_owned()));
    }
    found
}

#[test]
fn every_figure_is_the_constant_that_it_names() {
    let figures = figures();
    assert!(figures.len() > 20, "the page has lost its figures");
    for (figure, file, name) in figures {
        assert_eq!(figure, value(&file, &name), "{name} in {file}");
    }
}

fn files(folder: PathBuf, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_limit_of_the_source_is_on_the_page() {
    let known: BTreeSet<(String, String)> = figures().into_iter().map(|(_, file, name)| (file, name)).collect();
    let mut missing = Vec::new();
    for folder in ["src/policy", "src/body", "src/act", "src/detect/own", "src/filter", "src/telemetry"] {
        let mut found = Vec::new();
        files(root().join(folder), &mut found);
        for path in found {
            let file = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            let elsewhere = ELSEWHERE.iter().any(|(other, _)| *other == file);
            for line in source(&file).lines().filter(|_| !elsewhere) {
                let Some(name) = line.split_once("const ").and_then(|(_, rest)| rest.split_once(": ")).map(|(name, _)| name)
                else {
                    continue;
                };
                let limits = name.starts_with("MAX_") || name.starts_with("BUILT_IN_");
                let internal = INTERNAL.iter().any(|(at, which, _)| *at == file && *which == name);
                if limits && !internal && !known.contains(&(file.clone(), name.to_owned())) {
                    missing.push(format!("{name} of {file}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "say in docs/limits.md what happens past it, or in INTERNAL why not: {missing:?}");
}
