//! docs/kinds.md is written from the table of kinds; `UPDATE=1 cargo test --test kinds_page` rewrites it.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write as _;

use bodyguard::detect::{GROUPS, KINDS, KindSpec, LOOK_AHEAD, LOOK_BEHIND, Mask, TEST_VALUES};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/kinds.md");

#[test]
fn the_page_of_kinds_is_fresh() {
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/docs")).unwrap();
        std::fs::write(PATH, &page).unwrap();
    }
    let written = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(written == page, "docs/kinds.md is not what the table says: UPDATE=1 cargo test --test kinds_page");
}

fn page() -> String {
    let mut page = format!(
        "# Kinds\n\n\
         <!-- Written from src/detect by `UPDATE=1 cargo test --test kinds_page`. -->\n\n\
         What bodyguard looks for, and what exactly is a finding. `tests/corpus/<kind>.toml` has examples of each rule: what is \
         found, and what only looks like it.\n\n\
         Everywhere, a JSON escape (`\\n`, `\\t`, `\\u000a`, however often its backslash is escaped), a percent-encoded byte (`%3D`) \
         and a terminal colour count as the byte they stand for, not as letters and digits beside a value. Values that are \
         documentation examples are findings like any other. To tell, bodyguard looks at {LOOK_BEHIND} bytes before a value and \
         {LOOK_AHEAD} behind it, and as far as words may stand near.\n\n\
         Where a word must stand near, it may stand before the value or behind it (there up to the next line end or double quote), in any \
         letter case, alone or as a part of a name: `routing number` is also `routing_number`, `routingNumber` and `ROUTING-NUMBER`. \
         In a table the word stands in the header row, and only the first rows are near it: see [limits.md](limits.md).\n\n\
         Letters in numbers of accounts and people (`iban`, `es_dni`, `it_codice_fiscale` and their like) are capitals.\n\n\
         A value is also found when some or all of its characters are escaped, but for `\" \\ % {{ }} [ ]` and all that is not ASCII: `\\u0041` in JSON \
         (and in JSON inside JSON, with up to four backslashes), `%41` in a URL, `&#65;`, `&#x41;`, `&nbsp;`, `&plus;`, `&apos;`, \
         `&commat;`, `&period;` and `&lowbar;` in HTML and XML, whatever the body's type. Masked are whole escapes. Decoded is \
         once: `%2541` is no `A`. What is a value as it is written stays one, whatever it reads like decoded.\n\n\
         | kind | what | masked as | longest value, bytes |\n|---|---|---|---|\n"
    );
    for spec in &KINDS {
        let note = only_behind_the_hook(spec);
        writeln!(page, "| [`{0}`](#{0}) | {1}{note} | {2} | {3} |", spec.name, spec.about, mask(spec), spec.max_len).unwrap();
    }
    page.push_str("\n## Groups\n\nA group may stand wherever a kind may. In a dlp list it stands for its kinds without \
         those that are only behind `detect_sensitive_data`: `group:secrets` in `block` or `redact` does not find a `stripe_key`.\n\n| group | what | kinds |\n|---|---|---|\n");
    for group in &GROUPS {
        let kinds: Vec<String> = group
            .kinds()
            .iter()
            .map(|kind| format!("[`{0}`](#{0}){1}", kind.name(), only_behind_the_hook(kind.spec())))
            .collect();
        writeln!(page, "| `{}` | {} | {} |", group.name, group.about, kinds.join(", ")).unwrap();
    }
    for spec in &KINDS {
        writeln!(page, "\n## {}\n\n{}\n\nSources:\n", spec.name, spec.rules).unwrap();
        for source in spec.sources {
            writeln!(page, "- {source}").unwrap();
        }
        if let Some(near) = spec.near {
            let words: Vec<String> = near.words().map(|word| format!("`{word}`")).collect();
            writeln!(page, "\nWords, at most {} bytes away: {}", near.within(), words.join(", ")).unwrap();
        }
    }
    page.push_str(
        "\n## Published test values\n\nWith `except_test_values: true` in a dlp check these are no findings, nor are e-mail addresses at example.com, \
         example.org, example.net and under the top-level domains example, test and invalid (RFC 2606, RFC 6761), and US telephone numbers \
         555-0100 to 555-0199. \
         \n\n| kind | values | published by |\n|---|---|---|\n",
    );
    for row in &TEST_VALUES {
        writeln!(page, "| `{}` | {} | {} |", row.kind, row.values.len(), row.source).unwrap();
    }
    page
}

/// No dlp list finds it, by name or in a group.
fn only_behind_the_hook(spec: &KindSpec) -> &'static str {
    if spec.detect_only { " (only behind `detect_sensitive_data`)" } else { "" }
}

fn mask(spec: &KindSpec) -> String {
    match spec.mask {
        Mask::Label => format!("`[REDACTED:{}]`", spec.name),
        Mask::KeepLastDigits(kept) => format!("`*` for every digit but the last {kept}"),
        Mask::KeepLast(kept) => format!("`*` for every letter and digit but the last {kept}"),
        other => panic!("no kind of the table is masked as {other:?}"),
    }
}
