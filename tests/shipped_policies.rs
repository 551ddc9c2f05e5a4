//! The library in policies/: each policy does to messages what its cases in policies/tests/ say, through the command line tool, and
//! policies/README.md lists them; `UPDATE=1 cargo test --test shipped_policies` rewrites its table.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use bodyguard::policy::Policy;
use serde_json::Value;

#[path = "support/page.rs"]
mod page;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/policies");
const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/README.md");
const HEADINGS: [&str; 4] = ["# What it does:", "# When to use:", "# How to roll out:", "# Not covered:"];

/// The names of the policies, as their files have them.
fn names() -> Vec<String> {
    let yaml = |path: PathBuf| path.extension().is_some_and(|extension| extension == "yaml").then_some(path);
    let files = std::fs::read_dir(FOLDER).unwrap().filter_map(|file| yaml(file.unwrap().path()));
    let names: BTreeSet<String> = files.map(|file| file.file_stem().unwrap().to_str().unwrap().into()).collect();
    names.into_iter().collect()
}

fn text(name: &str) -> String {
    std::fs::read_to_string(format!("{FOLDER}/{name}.yaml")).unwrap()
}

fn cases(name: &str) -> Value {
    let file = format!("{FOLDER}/tests/{name}.yaml");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    serde_saphyr::from_str(&text).unwrap()
}

#[test]
fn every_shipped_policy_does_what_its_cases_say() {
    for name in names() {
        let done = Command::new(env!("CARGO_BIN_EXE_bodyguard"))
            .current_dir(Path::new(FOLDER).parent().unwrap())
            .args(["test", &format!("policies/{name}.yaml"), &format!("policies/tests/{name}.yaml")])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert_eq!(done.status.code(), Some(0), "{name}:\n{said}{}", String::from_utf8_lossy(&done.stderr));
    }
}

#[test]
fn every_shipped_policy_has_cases_of_what_it_acts_on_and_of_what_must_pass() {
    for name in names() {
        let verdicts: Vec<String> = cases(&name)["cases"]
            .as_array()
            .unwrap()
            .iter()
            .map(|case| case["expect"]["verdict"].as_str().unwrap_or_else(|| panic!("{name}: a case without a verdict")).into())
            .collect();
        assert!(verdicts.iter().any(|verdict| verdict == "clean"), "{name}: nothing passes");
        assert!(verdicts.iter().any(|verdict| verdict != "clean"), "{name}: nothing is found");
    }
}

#[test]
fn every_shipped_policy_loads_without_a_warning_and_says_what_it_is() {
    for name in names() {
        let text = text(&name);
        let policy = Policy::from_yaml_or_json(&text).unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
        assert_eq!(policy.warnings, [], "{name}");
        // The one that shows everything has the name that the design gives it.
        assert_eq!(policy.name, if name == "full-example" { "api-dlp" } else { &name });
        assert!(text.lines().nth(1).unwrap().starts_with(&format!("# {name}: ")), "{name}: the second line says what it is");
        for heading in HEADINGS {
            assert!(text.contains(heading), "{name}: {heading}");
        }
    }
}

/// Everything that stands in lists of this name, at any depth, in the order written.
fn listed(document: &Value, list: &str, found: &mut Vec<String>) {
    match document {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::Array(items) if name == list => {
                        found.extend(items.iter().filter_map(Value::as_str).map(str::to_owned))
                    }
                    _ => listed(value, list, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| listed(item, list, found)),
        _ => {}
    }
}

fn cell(document: &Value, list: &str) -> String {
    let mut found = Vec::new();
    listed(document, list, &mut found);
    let mut seen = BTreeSet::new();
    found.retain(|name| seen.insert(name.clone()));
    found.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The table of policies/README.md.
fn table() -> String {
    let mut table = String::from("| policy | what it is for | reads | blocks | masks | cases |\n|---|---|---|---|---|---|\n");
    for name in names() {
        let text = text(&name);
        let policy = Policy::from_yaml_or_json(&text).unwrap();
        let document: Value = serde_saphyr::from_str(&text).unwrap();
        let about = text.lines().nth(1).unwrap().split_once(": ").unwrap().1.trim_end_matches('.').to_owned();
        let reads = [
            ("requests", policy.rules().any(|rule| rule.request.is_some())),
            ("responses", policy.rules().any(|rule| rule.response.is_some())),
            ("headers", policy.rules().any(|rule| rule.heads.request_headers.is_some() || rule.heads.response_headers.is_some())),
            ("queries", policy.rules().any(|rule| rule.heads.query.is_some())),
        ];
        let reads: Vec<&str> = reads.into_iter().filter_map(|(what, is_read)| is_read.then_some(what)).collect();
        let count = cases(&name)["cases"].as_array().unwrap().len();
        table += &format!(
            "| [{name}]({name}.yaml) | {about} | {} | {} | {} | [{count}](tests/{name}.yaml) |\n",
            reads.join(", "),
            cell(&document["spec"], "block"),
            cell(&document["spec"], "redact"),
        );
    }
    table
}

#[test]
fn the_table_of_the_library_is_fresh() {
    let page = std::fs::read_to_string(README).unwrap();
    let made = page::with_part(&page, "shipped_policies", "library", &table());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(README, &made).unwrap();
    }
    assert!(
        std::fs::read_to_string(README).unwrap() == made,
        "policies/README.md is stale: UPDATE=1 cargo test --test shipped_policies"
    );
}

#[test]
fn the_page_of_the_library_is_right() {
    let page = std::fs::read_to_string(README).unwrap();
    assert_eq!(page::dead_links(&page, "policies"), [""; 0]);
    assert!(page::run(&page, "library") >= 3, "the page has lost its commands");
}
