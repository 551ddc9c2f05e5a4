//! A page of Markdown whose files are written and whose commands are run.

#![allow(dead_code, clippy::panic, clippy::unwrap_used, clippy::string_slice, clippy::arithmetic_side_effects)]

use std::path::Path;
use std::process::Command;

/// The fenced blocks of a language: the rest of the info string, and the text.
pub(crate) fn blocks<'a>(page: &'a str, language: &str) -> Vec<(&'a str, &'a str)> {
    let mut found = Vec::new();
    let mut rest = page;
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

/// Writes the page's `yaml file=NAME` blocks into a folder of that name, and runs its `console` blocks there, one after the other:
/// each command must print what stands behind it. `$LIBRARY` is the folder policies/. How many there were.
pub(crate) fn run(page: &str, folder: &str) -> usize {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    for (info, text) in blocks(page, "yaml") {
        std::fs::write(folder.join(info.strip_prefix("file=").unwrap()), text).unwrap();
    }
    let tool = Path::new(env!("CARGO_BIN_EXE_bodyguard")).parent().unwrap().display().to_string();
    let path = format!("{tool}:{}", std::env::var("PATH").unwrap());
    let mut commands = 0;
    for (_, text) in blocks(page, "console") {
        for step in format!("\n{text}").split("\n$ ").skip(1) {
            let (command, expected) = step.split_once('\n').unwrap_or((step, ""));
            let output = Command::new("sh")
                .args(["-c", &format!("exec 2>&1; {command}")])
                .current_dir(&folder)
                .env("PATH", &path)
                .env("LIBRARY", concat!(env!("CARGO_MANIFEST_DIR"), "/policies"))
                .output()
                .unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), expected.trim_end(), "{command}");
            commands += 1;
        }
    }
    commands
}

/// The page's links to files of this repository that are not there, `page` being in `folder`.
pub(crate) fn dead_links<'a>(page: &'a str, folder: &str) -> Vec<&'a str> {
    let links = page.split("](").skip(1).map(|rest| rest.split([')', ' ']).next().unwrap());
    let local = links.filter(|link| !link.starts_with("http"));
    let leads = |link: &&str| {
        let file = link.split('#').next().unwrap();
        file.is_empty() || Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(file).exists()
    };
    local.filter(|link| !leads(link)).collect()
}

/// The page with one of its parts replaced, which stands between `<!-- Written by ... TEST`: PART -->` and `<!-- End of PART -->`.
pub(crate) fn with_part(page: &str, test: &str, part: &str, text: &str) -> String {
    let begin = format!("<!-- Written by `UPDATE=1 cargo test --test {test}`: {part} -->\n");
    let end = format!("<!-- End of {part} -->");
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("no {begin}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no {end}"));
    [before, &begin, text, &end, after].concat()
}
