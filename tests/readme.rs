//! What the README shows is what happens: its files are written, its commands run, its tables compared with the code.
#![allow(clippy::panic, clippy::unwrap_used, clippy::string_slice, clippy::arithmetic_side_effects)]

use std::path::{Path, PathBuf};
use std::process::Command;

use bodyguard::detect::{GROUPS, Kind, KindSet};
use bodyguard::policy::Policy;
use bodyguard::telemetry::{Metric, MetricType};

const README: &str = include_str!("../README.md");

/// The fenced blocks with the given language: the rest of the info string, and the text.
fn blocks<'a>(language: &str) -> Vec<(&'a str, &'a str)> {
    let mut found = Vec::new();
    let mut rest = README;
    while let Some(start) = rest.find("\n```") {
        let (info, text) = rest[start + 4..].split_once('\n').unwrap();
        let end = text.find("\n```").unwrap() + 1;
        if info.split(' ').next() == Some(language) {
            found.push((info.split_once(' ').map_or("", |(_, more)| more), &text[..end]));
        }
        rest = &text[end + 3..];
    }
    found
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn its_commands_print_what_it_says() {
    let folder = folder();
    for (info, text) in blocks("yaml") {
        std::fs::write(folder.join(info.strip_prefix("file=").unwrap()), text).unwrap();
    }
    let path =
        format!("{}:{}", Path::new(env!("CARGO_BIN_EXE_bodyguard")).parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut commands = 0;
    for (_, text) in blocks("console") {
        for step in format!("\n{text}").split("\n$ ").skip(1) {
            let (command, expected) = step.split_once('\n').unwrap_or((step, ""));
            let output = Command::new("sh")
                .args(["-c", &format!("exec 2>&1; {command}")])
                .current_dir(&folder)
                .env("PATH", &path)
                .output()
                .unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), expected.trim_end(), "{command}");
            commands += 1;
        }
    }
    assert!(commands >= 5, "the README has lost its commands");
}

#[test]
fn its_policies_load() {
    for (_, text) in blocks("yaml") {
        let policy = Policy::from_yaml_or_json(text).unwrap_or_else(|problems| panic!("{problems:?}"));
        assert_eq!(policy.warnings, []);
    }
}

/// The rows of its tables, as their cells.
fn rows() -> Vec<Vec<&'static str>> {
    README
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

#[test]
fn it_names_the_first_kinds_and_every_group() {
    let named: Vec<&str> = rows()
        .into_iter()
        .skip_while(|row| row.first() != Some(&"kind"))
        .skip(2)
        .map_while(|row| row.first()?.strip_prefix('`')?.strip_suffix('`'))
        .take_while(|name| Kind::from_name(name).is_some())
        .collect();
    let core: Vec<&str> = KindSet::core().iter().map(Kind::name).collect();
    assert_eq!(named, core);
    // The others stand in docs/kinds.md; their groups are named.
    for group in &GROUPS {
        assert!(README.contains(&format!("`{}`", group.name)), "{}", group.name);
    }
}

#[test]
fn its_metrics_have_their_names_types_and_labels() {
    let policy = include_str!("../policies/full-example.yaml");
    let policy = Policy::from_yaml_or_json(policy).unwrap();
    let rows = rows();
    for metric in Metric::all_of(&policy) {
        let name = format!("`{}`", metric.base_name());
        let row = rows.iter().find(|row| row[0].split(", ").any(|cell| cell == name));
        let row = row.unwrap_or_else(|| panic!("{name} is missing"));
        let metric_type = match metric.metric_type() {
            MetricType::Counter => "counter",
            MetricType::Gauge => "gauge",
            MetricType::Histogram => "histogram",
        };
        assert!(row[1].starts_with(metric_type), "{row:?}");
        let labels: Vec<&str> = metric.labels(&policy).into_iter().map(|(label, _)| label).collect();
        assert_eq!(row[2], labels.join(", "), "{name}");
    }
}

#[test]
fn its_links_lead_somewhere() {
    for link in README.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        if link.starts_with("http") {
            continue;
        }
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(link.split('#').next().unwrap());
        assert!(file.exists(), "{link}");
    }
}
