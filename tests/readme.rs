//! What the README shows is what happens: its files are written, its commands run, its tables compared with the code.
#![allow(clippy::panic, clippy::unwrap_used, clippy::string_slice, clippy::arithmetic_side_effects)]

use bodyguard::detect::{GROUPS, Kind, KindSet};
use bodyguard::policy::Policy;
use bodyguard::telemetry::{Metric, MetricType};

#[path = "support/page.rs"]
mod page;

const README: &str = include_str!("../README.md");

#[test]
fn its_commands_print_what_it_says() {
    assert!(page::run(README, "readme") >= 5, "the README has lost its commands");
}

#[test]
fn its_policies_load() {
    for (_, text) in page::blocks(README, "yaml") {
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
    assert_eq!(page::dead_links(README, "."), [""; 0]);
}
