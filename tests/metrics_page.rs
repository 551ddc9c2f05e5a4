//! The tables of docs/metrics.md are written from the code; `UPDATE=1 cargo test --test metrics_page` rewrites them.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, clippy::arithmetic_side_effects)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bodyguard::detect::KINDS;
use bodyguard::policy::Policy;
use bodyguard::telemetry::{Metric, MetricType};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
const BEGIN: &str = "<!-- Written by `UPDATE=1 cargo test --test metrics_page`. -->\n";
const END: &str = "<!-- End. -->\n";
const ENVOY: &str = include_str!("../examples/envoy/envoy.yaml");

#[test]
fn the_tables_of_the_page_of_metrics_are_fresh() {
    let page = std::fs::read_to_string(PATH).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the mark before the tables");
    let (_, after) = rest.split_once(END).expect("the mark behind the tables");
    let fresh = format!("{before}{BEGIN}{}{END}{after}", tables());
    if std::env::var_os("UPDATE").is_some() {
        return std::fs::write(PATH, &fresh).unwrap();
    }
    assert!(page == fresh, "docs/metrics.md is not what the code says: UPDATE=1 cargo test --test metrics_page");
}

#[test]
fn the_page_of_metrics_has_a_section_for_every_metric() {
    let page = std::fs::read_to_string(PATH).unwrap();
    let policy = fullest();
    for name in Metric::all_of(&policy).into_iter().map(Metric::base_name).collect::<BTreeSet<_>>() {
        let section = page.lines().any(|line| line.starts_with("### ") && line.contains(&format!("`{name}`")));
        assert!(section, "no section on {name}");
    }
}

#[test]
fn every_metric_has_a_key_of_its_own() {
    let all = Metric::all_of(&fullest());
    let keys: BTreeSet<u32> = all.iter().map(|metric| metric.key()).collect();
    assert_eq!(keys.len(), all.len());
}

/// A policy under which every metric can move: every kind in every list, in every mode.
fn fullest() -> Policy {
    let dlp: Vec<_> = KINDS.iter().filter(|kind| !kind.detect_only).map(|kind| kind.name).collect();
    let mut routes = String::new();
    for mode in ["block", "shadow", "detect"] {
        for list in ["block", "redact"] {
            write!(
                routes,
                r#"{{"match": {{"path_prefix": "/{mode}/{list}"}}, "policy": {{"mode": "{mode}", "upgrades": "deny",
                    "inspect_request_body": true, "inspect_response_body": true, "max_response_body_bytes": 1000,
                    "checks": {{"body": {{"detect_sensitive_data": true,
                        "dlp": {{"direction": "both", "{list}": {dlp:?}}}}}}}}}}},"#
            )
            .unwrap();
        }
    }
    let routes = routes.trim_end_matches(',');
    let text =
        format!(r#"{{"events": {{"otlp": {{"cluster": "otel"}}}}, "domains": [{{"hosts": ["*"], "routes": [{routes}]}}]}}"#);
    Policy::from_yaml_or_json(&text).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn tables() -> String {
    let policy = fullest();
    // By base name: type, labels, how many there are.
    let mut metrics: BTreeMap<&str, (MetricType, Vec<&str>, usize)> = BTreeMap::new();
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for metric in Metric::all_of(&policy) {
        let labels = metric.labels(&policy);
        let row = metrics
            .entry(metric.base_name())
            .or_insert_with(|| (metric.metric_type(), labels.iter().map(|(label, _)| *label).collect(), 0));
        row.2 += 1;
        for (label, value) in &labels {
            // The one word that two metrics use for sets of their own.
            let whose = if *label == "reason" { format!("`reason` of `{}`", metric.base_name()) } else { format!("`{label}`") };
            let known = values.entry(whose).or_default();
            let shown = match *label {
                "policy" => "any: `metadata.name` of the policy, `default` where there is none".to_owned(),
                "hash" => "any: 12 hexadecimal digits, of the policy's content".to_owned(),
                _ => format!("`{value}`"),
            };
            if !known.contains(&shown) {
                known.push(shown);
            }
        }
    }
    let mut text = String::from("| metric | type | labels | series at most |\n|---|---|---|---|\n");
    let mut total = 0;
    for (name, (metric_type, labels, count)) in metrics {
        let per = match (labels.contains(&"hash"), labels.contains(&"policy")) {
            (true, _) => " for each version of each policy",
            (_, true) => " for each policy",
            _ => "",
        };
        let (type_name, series) = match metric_type {
            MetricType::Counter => ("counter", count),
            MetricType::Gauge => ("gauge", count),
            // Its buckets, the one without an end, the sum and the count.
            MetricType::Histogram => ("histogram", count * (buckets(name) + 3)),
        };
        total += series;
        writeln!(text, "| `{name}` | {type_name} | {} | {series}{per} |", labels.join(", ")).unwrap();
    }
    text.push_str("\n| label | values |\n|---|---|\n");
    for (label, values) in values {
        writeln!(text, "| {label} | {} |", values.join(", ")).unwrap();
    }
    writeln!(text, "\n**How many series.** At most {total} for an Envoy that loads one policy.").unwrap();
    text
}

/// How many buckets examples/envoy/envoy.yaml gives a histogram.
fn buckets(name: &str) -> usize {
    let (_, rest) = ENVOY.split_once(&format!("suffix: {name}}}")).expect("the histogram's buckets");
    let (_, rest) = rest.split_once("buckets: [").unwrap();
    rest.split(']').next().unwrap().split(',').count()
}
