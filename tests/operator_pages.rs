//! The pages that an operator follows: commands print what the pages say, links lead somewhere, and what they name is there.
//! docs/install.md is run by `make deploy-test`, which has kubectl and helm.
#![allow(clippy::panic, clippy::unwrap_used)]

use bodyguard::policy::Policy;

#[path = "support/page.rs"]
mod page;

const ROLLOUT: &str = include_str!("../docs/rollout.md");
const PAGES: [(&str, &str); 5] = [
    ("install", include_str!("../docs/install.md")),
    ("rollout", ROLLOUT),
    ("limits", include_str!("../docs/limits.md")),
    ("compatibility", include_str!("../docs/compatibility.md")),
    ("signing", include_str!("../docs/signing.md")),
];

#[test]
fn the_steps_of_a_rollout_print_what_the_page_says() {
    assert!(page::run(ROLLOUT, "rollout") >= 10, "the page has lost its commands");
}

#[test]
fn the_policy_it_starts_with_loads_without_a_warning() {
    for (_, text) in page::blocks(ROLLOUT, "yaml") {
        let policy = Policy::from_yaml_or_json(text).unwrap_or_else(|problems| panic!("{problems:?}"));
        assert_eq!(policy.warnings, []);
    }
}

#[test]
fn links_lead_somewhere() {
    for (name, text) in PAGES {
        assert_eq!(page::dead_links(text, "docs"), [""; 0], "docs/{name}.md");
    }
}

#[test]
fn the_envoys_that_are_named_as_tested_are_those_of_the_makefile() {
    let makefile = include_str!("../Makefile");
    for name in ["ENVOY_OLDEST", "ENVOY_NEWEST"] {
        let version = makefile.lines().find_map(|line| line.strip_prefix(&format!("{name} := "))).unwrap();
        let (_, compatibility) = PAGES.iter().find(|(page, _)| *page == "compatibility").unwrap();
        assert!(compatibility.contains(&format!("| {version} | tested")), "{version}");
    }
}
