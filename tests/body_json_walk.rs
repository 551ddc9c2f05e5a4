//! The walk over JSON: any document, any layout, any cut, against a naive reference.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, clippy::string_slice)]

use std::sync::Arc;

use bodyguard::body::{
    JsonPath, JsonPaths, JsonWalk, Layout, MAX_DEPTH, MAX_KEY_BYTES, MAX_SCALAR_BYTES, Passed, PathSet, Place,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn paths(texts: &[&str]) -> Arc<JsonPaths> {
    let mut paths = JsonPaths::default();
    for text in texts {
        paths.add(&JsonPath::parse(text).unwrap()).unwrap();
    }
    Arc::new(paths)
}

fn walked(paths: &Arc<JsonPaths>, layout: Layout, pieces: &[&[u8]]) -> (Vec<Passed>, Vec<Place>) {
    let mut walk = JsonWalk::new(Arc::clone(paths), layout);
    let (mut told, mut places) = (Vec::new(), Vec::new());
    for piece in pieces {
        walk.walk(piece, &mut |passed| told.push(passed));
        places.push(walk.place());
    }
    walk.finish(&mut |passed| told.push(passed));
    (told, places)
}

/// The scalars that a path names, as text.
fn named(path: &str, layout: Layout, body: &str) -> Vec<String> {
    let (told, _) = walked(&paths(&[path]), layout, &[body.as_bytes()]);
    let scalars = told.into_iter().filter_map(|passed| match passed {
        Passed::Scalar { start, end, paths } if paths.meets(PathSet::of(0)) => {
            Some(body[start as usize..end as usize].to_owned())
        }
        _ => None,
    });
    scalars.collect()
}

#[test]
fn a_path_names_a_value_and_all_that_it_holds() {
    let body = r#"{"users":[{"ssn":"1","card":{"pan":2,"cvv":"3"}},{"ssn":"4","x":[{"ssn":5,"":6}]}],"ssn":true,"a.b":{"card":[7,8]},"n":{}}"#;
    for (path, scalars) in [
        ("$", "1 2 3 4 5 6 true 7 8"),
        ("$.ssn", "true"),
        ("$.users[*].ssn", "1 4"),
        ("$.users[1].ssn", "4"),
        ("$.users[0]", "1 2 3"),
        ("$.users.*.ssn", "1 4"),
        ("ssn", "1 4 5 true"),
        ("$..ssn", "1 4 5 true"),
        ("card.*", "2 3 7 8"),
        ("card[1]", "8"),
        ("$['a.b'].card", "7 8"),
        ("$..card..*", "2 3 7 8"),
        ("$.users..ssn", "1 4 5"),
        ("$..*.card.pan", "2"),
        ("$.*[0].ssn", "1"),
        ("$.users[2]", ""),
        ("$.n", ""),
        ("$.Users", ""),
        (r#"[""]"#, "6"),
    ] {
        assert_eq!(named(path, Layout::Documents, body).join(" "), scalars, "{path}");
    }
}

#[test]
fn keys_are_compared_as_they_read() {
    for key in [r"ssn", r"\u0073sn", r"s\u0073\u006E"] {
        assert_eq!(named("$.ssn", Layout::Documents, &format!(r#"{{"{key}":1}}"#)), ["1"], "{key}");
    }
    assert_eq!(named("$['a\u{1F600}\n\"/']", Layout::Documents, r#"{"a\ud83d\ude00\n\"\/":1}"#), ["1"]);
    assert_eq!(named("$['a\u{FFFD}b']", Layout::Documents, r#"{"a\ud83db":1}"#), ["1"]);
    let longest = "k".repeat(MAX_KEY_BYTES);
    let paths_of = |key: &str| {
        let mut paths = JsonPaths::default();
        paths.add(&JsonPath::of_key(key)).unwrap();
        let body = format!(r#"{{"{key}":1,"z":2}}"#);
        let (told, _) = walked(&Arc::new(paths), Layout::Documents, &[body.as_bytes()]);
        told.iter().filter(|passed| matches!(passed, Passed::Scalar { paths, .. } if !paths.is_empty())).count()
    };
    assert_eq!(paths_of(&longest), 1);
    assert_eq!(paths_of(&format!("{longest}k")), 0, "a longer key is none that a path can name");
}

#[test]
fn many_documents_lines_and_events_are_walked_alike() {
    for (layout, body) in [
        (Layout::Documents, "{\"a\":1} [2]{\"a\":\n3}"),
        (Layout::Lines, "{\"a\":1}\n{\"b\" broken \"a\": 9}\n{\"a\":3"),
        (Layout::Lines, "\u{1e}{\"a\":1}\n\u{1e}{\"b\u{1e}{\"a\":3}\n"),
        (Layout::Events, "event: x\ndata: {\"a\":1}\n\n: {\"a\":2}\nid: {\"a\":2}\ndata:{\"a\"\ndata: :3}\n\n"),
        (Layout::Events, "data: {\"a\":1}\r\n\r\ndata: [DONE]\r\n\r\ndata: {\"b\":\r\rdata:{\"a\":3}\r\r"),
        (Layout::Events, "data: {\"a\":1}\n\ndatum: {\"a\":2}\ndata {\"a\":2}\ndata:\ndata: {\"a\":3}\n\n"),
    ] {
        assert_eq!(named("$.a", layout, body), ["1", "3"], "{body}");
    }
}

#[test]
fn what_breaks_the_grammar_is_text() {
    for (layout, body, tail) in [
        (Layout::Documents, "hello {\"a\":1}", Place::Text),
        (Layout::Documents, "\"a lone string\"", Place::Text),
        (Layout::Documents, "{\"a\":1}}{\"a\":1", Place::Text),
        (Layout::Documents, "{\"a\" 1", Place::Text),
        (Layout::Documents, "{a:1", Place::Text),
        (Layout::Documents, "[1 2", Place::Text),
        (Layout::Documents, "[1,,2", Place::Text),
        (Layout::Documents, "[1}", Place::Text),
        (Layout::Documents, "{\"a\":\"b\nc", Place::Text),
        (Layout::Documents, "{\"a\":\"\\u00x", Place::Text),
        (Layout::Documents, "{\"a\":1}\n", Place::Text),
        (Layout::Documents, "{\"a\":", Place::Value(PathSet::of(0))),
        (Layout::Documents, "{\"a\":\"x\\", Place::Value(PathSet::of(0))),
        (Layout::Documents, "{\"a\":\"x\\u00", Place::Value(PathSet::of(0))),
        (Layout::Documents, "{\"a\":[{\"b", Place::Key(PathSet::of(0))),
        (Layout::Documents, "{\"a\":1,", Place::Key(PathSet::EMPTY)),
        (Layout::Documents, "{\"a\":1 ", Place::Value(PathSet::EMPTY)),
        (Layout::Lines, "{a\n{\"a\":", Place::Value(PathSet::of(0))),
        (Layout::Lines, "{\"a\":\n", Place::Text),
        (Layout::Events, "data: {a\ndata: {\"a\":", Place::Text),
        (Layout::Events, "data: {a\n\ndata: {\"a\":", Place::Value(PathSet::of(0))),
        (Layout::Events, "data: {\"a\":\n", Place::Text),
        (Layout::Events, "data: {\"a\":\ndata:", Place::Value(PathSet::of(0))),
    ] {
        let (_, places) = walked(&paths(&["$.a"]), layout, &[body.as_bytes()]);
        assert_eq!(places, [tail], "{body:?}");
    }
}

#[test]
fn what_lies_too_deep_is_text() {
    let body = "[".repeat(MAX_DEPTH);
    let places = |body: &str| walked(&paths(&["$"]), Layout::Documents, &[body.as_bytes()]).1;
    assert_eq!(places(&body), [Place::Value(PathSet::of(0))]);
    assert_eq!(places(&format!("{body}[")), [Place::Text]);
    assert_eq!(places(&format!("{body}[]{}", "]".repeat(MAX_DEPTH))), [Place::Text]);
}

#[test]
fn a_long_scalar_is_told_in_pieces_and_no_escape_is_cut() {
    let most = MAX_SCALAR_BYTES as usize;
    for value in
        ["x".repeat(most * 2 + 5), format!("{}\\u0041\\n{}", "x".repeat(most - 3), "y".repeat(most)), "1".repeat(most + 1)]
    {
        let quote = if value.starts_with('1') { "" } else { "\"" };
        let pieces = named("$.a", Layout::Documents, &format!("{{\"a\":{quote}{value}{quote}}}"));
        assert_eq!(pieces.concat(), value);
        assert!(pieces.len() > 1 && pieces.iter().all(|piece| piece.len() <= most + 6), "{}", pieces.len());
        assert!(pieces.iter().all(|piece| !piece.ends_with('\\') && !piece.ends_with("\\u00")));
    }
}

#[test]
fn items_are_counted() {
    let (told, _) = walked(&paths(&["$.a"]), Layout::Documents, &[br#"{"a":[5,[6],{"b":7}],"c":[]}"#]);
    let items: Vec<(u64, u64, bool)> = told
        .into_iter()
        .filter_map(|passed| match passed {
            Passed::Item { start, number, paths } => Some((start, number, paths.meets(PathSet::of(0)))),
            _ => None,
        })
        .collect();
    assert_eq!(items, [(6, 1, true), (8, 2, true), (9, 1, true), (12, 3, true)]);
}

/// Steps of a path, for the naive reference.
#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Item(usize),
    Any,
}

fn any_steps() -> impl Strategy<Value = Vec<(bool, Step)>> {
    let step = prop_oneof![
        3 => "[ab]".prop_map(Step::Key),
        1 => (0..3usize).prop_map(Step::Item),
        1 => Just(Step::Any),
    ];
    prop::collection::vec((any::<bool>(), step), 0..4)
}

fn text_of(steps: &[(bool, Step)]) -> String {
    let mut text = "$".to_owned();
    for (descends, step) in steps {
        text += if *descends { ".." } else { "" };
        text += &match step {
            Step::Key(key) => format!("['{key}']"),
            Step::Item(item) => format!("[{item}]"),
            Step::Any => "[*]".into(),
        };
    }
    text
}

#[derive(Clone, Debug)]
enum At {
    Key(String),
    Item(usize),
}

/// Does the path name the value at `place`, or one that holds it?
fn names(steps: &[(bool, Step)], place: &[At]) -> bool {
    let Some(((descends, step), rest)) = steps.split_first() else { return true };
    let fits = |at: &At| match (step, at) {
        (Step::Any, _) => true,
        (Step::Key(key), At::Key(name)) => key == name,
        (Step::Item(item), At::Item(index)) => item == index,
        _ => false,
    };
    let depths = if *descends { place.len() } else { place.len().min(1) };
    (0..depths).any(|depth| fits(&place[depth]) && names(rest, &place[depth + 1..]))
}

fn scalars(value: &Value, place: &mut Vec<At>, out: &mut Vec<(String, Vec<At>)>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                place.push(At::Item(index));
                scalars(item, place, out);
                place.pop();
            }
        }
        Value::Object(pairs) => {
            for (key, item) in pairs {
                place.push(At::Key(key.clone()));
                scalars(item, place, out);
                place.pop();
            }
        }
        Value::String(text) => {
            let quoted = Value::from(text.as_str()).to_string();
            if !text.is_empty() {
                out.push((quoted[1..quoted.len() - 1].to_owned(), place.clone()));
            }
        }
        // Null is no value.
        Value::Null => {}
        bare => out.push((bare.to_string(), place.clone())),
    }
}

fn any_document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i32>().prop_map(Value::from),
        "[a-z\"\\\\/\n{}\\[\\],: ]{0,6}".prop_map(Value::from)
    ];
    let inner = leaf.prop_recursive(4, 30, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[abc]", inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    });
    inner.prop_map(|value| json!([value]))
}

fn cut<'a>(body: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    at.extend([0, body.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn scalars_and_their_paths_are_those_of_the_reference(
        document in any_document(),
        pretty in any::<bool>(),
        all_steps in prop::collection::vec(any_steps(), 1..4),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let body = if pretty { serde_json::to_string_pretty(&document).unwrap() } else { document.to_string() };
        let texts: Vec<String> = all_steps.iter().map(|steps| text_of(steps)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let (told, _) = walked(&paths(&texts), Layout::Documents, &cut(body.as_bytes(), &cuts));
        let found: Vec<(String, Vec<bool>)> = told.iter().filter_map(|passed| match passed {
            Passed::Scalar { start, end, paths } => Some((
                body[*start as usize..*end as usize].to_owned(),
                (0..texts.len()).map(|number| paths.meets(PathSet::of(number))).collect(),
            )),
            _ => None,
        }).collect();
        let mut wanted = Vec::new();
        scalars(&document, &mut Vec::new(), &mut wanted);
        let wanted: Vec<(String, Vec<bool>)> =
            wanted.into_iter().map(|(text, place)| (text, all_steps.iter().map(|steps| names(steps, &place)).collect())).collect();
        prop_assert_eq!(found, wanted, "{:?} in {}", texts, body);
    }

    #[test]
    fn no_cut_changes_what_is_told_or_where_a_byte_stands(
        body in "[\\[\\]{}:,\"\\\\ua0\n\r\u{1e} ]{0,60}|(data: ?|\n|\r\n|\\{|\"a\"|:|\\[|\\]|\\}|,|1|\"b\\\\u0041\"){0,30}",
        layout in prop_oneof![Just(Layout::Documents), Just(Layout::Lines), Just(Layout::Records), Just(Layout::Events)],
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let body = body.as_bytes();
        let paths = paths(&["$.a", "a[*]", "$"]);
        let single: Vec<&[u8]> = body.chunks(1).collect();
        let (told, places) = walked(&paths, layout, &single);
        let pieces: Vec<&[u8]> = cut(body, &cuts).into_iter().filter(|piece| !piece.is_empty()).collect();
        let (told_in_pieces, places_between) = walked(&paths, layout, &pieces);
        prop_assert_eq!(&told, &told_in_pieces);
        let mut at = 0;
        for (piece, place) in pieces.iter().zip(places_between) {
            at += piece.len();
            prop_assert_eq!(place, places[at - 1], "at {}", at);
        }
    }
}
