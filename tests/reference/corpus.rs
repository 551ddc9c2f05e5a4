//! Reads `tests/corpus/<kind>.toml`; tests/corpus/README.md says what stands there.

use bodyguard::detect::Kind;
use bodyguard::scan::Finding;
use serde::Deserialize;

/// A body and what must be found in it, of one kind.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) body: Vec<u8>,
    pub(crate) wanted: Vec<Finding>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    row: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    text: String,
    #[serde(default)]
    unescape: bool,
}

/// The rows of a kind.
pub(crate) fn rows(kind: Kind) -> Vec<Row> {
    let path = format!("{}/tests/corpus/{}.toml", env!("CARGO_MANIFEST_DIR"), kind.name());
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let file: File = toml::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    file.row.into_iter().map(|raw| read(kind, raw)).collect()
}

fn read(kind: Kind, raw: Raw) -> Row {
    let text = repeat(&raw.text.replace('¦', ""));
    let (mut body, mut wanted, mut start) = (Vec::new(), Vec::new(), None);
    for piece in text.split_inclusive(['«', '»']) {
        let (plain, mark) = match piece.chars().next_back() {
            Some(mark @ ('«' | '»')) => (piece.strip_suffix(mark).unwrap(), Some(mark)),
            _ => (piece, None),
        };
        if raw.unescape {
            unescape(plain, &mut body)
        } else {
            body.extend_from_slice(plain.as_bytes())
        }
        let at = body.len() as u64;
        match (mark, start) {
            (Some('«'), None) => start = Some(at),
            (Some('»'), Some(from)) => {
                wanted.push(Finding { start: from, end: at, kind });
                start = None;
            }
            (None, None) => {}
            _ => panic!("{}: the marks do not pair", raw.name),
        }
    }
    Row { name: raw.name, body, wanted }
}

/// `⟨text*3⟩` is `texttexttext`.
fn repeat(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((plain, tail)) = rest.split_once('⟨') {
        let (inner, tail) = tail.split_once('⟩').expect("⟨ needs ⟩");
        let (unit, times) = inner.rsplit_once('*').expect("⟨text*number⟩");
        out.push_str(plain);
        out.push_str(&unit.repeat(times.parse().expect("⟨text*number⟩")));
        rest = tail;
    }
    out + rest
}

/// `\n`, `\r`, `\t`, `\e`, `\\` and `\xNN`.
fn unescape(text: &str, body: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'\\', [b'x', high, low, tail @ ..]) => {
                let digits = [*high, *low];
                body.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).expect("\\xNN"));
                tail
            }
            (b'\\', [letter, tail @ ..]) => {
                body.push(match letter {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'e' => 0x1b,
                    b'\\' => b'\\',
                    _ => panic!("unknown escape \\{}", char::from(*letter)),
                });
                tail
            }
            _ => {
                body.push(*first);
                tail
            }
        };
    }
}
