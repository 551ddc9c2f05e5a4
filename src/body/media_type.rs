//! Media types, as in `content-type`, and ranges of them, as in a policy.
//!
//! Reading is lenient, and yet never lets a header choose what is inspected: what is no media type, or is two different ones,
//! reads as the empty type, which no range but `*/*` holds. This module refuses to know charsets and boundaries.

/// A `content-type`, its parameters dropped, lower-cased.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct MediaType {
    essence: String,
}

/// `type/subtype`, `type/*`, `type/*+suffix` or `*/*`, lower-cased.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MediaRange {
    essence: String,
}

/// JSON texts whose name does not end in `json`.
const JSON: [&str; 13] = [
    "application/fhir+ndjson",
    "application/json-seq",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonl",
    "application/jsonlines",
    "application/x-jsonlines",
    "application/json-lines",
    "application/json-rpc",
    "application/jsonrequest",
    "application/csp-report",
    "application/geo+json-seq",
];

/// JSON of the AWS query protocols is `application/x-amz-json-1.0` and `-1.1`.
const JSON_PREFIX: &str = "application/x-amz-json-";

/// Line-delimited JSON is written while it is made.
const STREAMS: [&str; 13] = [
    "application/fhir+ndjson",
    "text/event-stream",
    "multipart/x-mixed-replace",
    "application/json-seq",
    "application/geo+json-seq",
    "application/stream+json",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonl",
    "application/jsonlines",
    "application/x-jsonlines",
    "application/json-lines",
];

/// Text whose type is `application`.
const TEXT: [&str; 14] = [
    "application/xml",
    "application/xml-dtd",
    "application/javascript",
    "application/x-javascript",
    "application/ecmascript",
    "application/x-www-form-urlencoded",
    "application/yaml",
    "application/x-yaml",
    "application/toml",
    "application/sql",
    "application/graphql",
    "application/x-sh",
    "application/x-pem-file",
    "application/rtf",
];

/// Suffixes of structured text (RFC 6839 and its registry).
const TEXT_SUFFIXES: [&str; 3] = ["+xml", "+yaml", "+json-seq"];

impl MediaType {
    /// Reads a `content-type` header (several joined with commas); what is no media type reads as the empty one.
    pub fn parse(value: &[u8]) -> MediaType {
        if !value.iter().any(|byte| matches!(byte, b',' | b'"')) {
            return MediaType { essence: essence(value.split(|byte| *byte == b';').next()).unwrap_or_default() };
        }
        let entries = unquoted_split(value, b',').filter(|entry| !entry.trim_ascii().is_empty());
        let mut types = entries.map(|entry| essence(unquoted_split(entry, b';').next()));
        let first = types.next().flatten();
        // Of two that differ, one recipient believes the first and another the last.
        let agreed = first.filter(|first| types.all(|other| other.as_ref() == Some(first)));
        MediaType { essence: agreed.unwrap_or_default() }
    }

    /// `application/json` and what is built on it: `+json`, ndjson, json-seq and their like. Not what frames JSON in bytes of
    /// its own, as gRPC does.
    pub fn is_json(&self) -> bool {
        if self.is_framed() {
            return false;
        }
        // There is one slash.
        ["/json", "/x-json", "+json"].iter().any(|end| self.essence.ends_with(end))
            || self.essence.starts_with(JSON_PREFIX)
            || JSON.contains(&self.essence())
    }

    /// `application/json-seq` (RFC 7464) and what is built on it: texts that a record separator each begins.
    pub fn is_json_seq(&self) -> bool {
        self.essence() == "application/json-seq" || self.essence().ends_with("+json-seq")
    }

    /// JSON of which each line, or each record, is a text of its own: ndjson, jsonl, json-seq.
    pub fn is_json_lines(&self) -> bool {
        self.is_json() && (STREAMS.contains(&self.essence()) || self.essence.ends_with("+json-seq"))
    }

    /// A type that is a stream of parts without an end in sight: `text/event-stream`, gRPC, ndjson, `multipart/x-mixed-replace`.
    pub fn is_stream(&self) -> bool {
        self.is_framed() || STREAMS.contains(&self.essence())
    }

    /// `application/grpc` and `application/grpc+...` and `application/grpc-web...`.
    pub fn is_grpc(&self) -> bool {
        let Some(rest) = self.essence.strip_prefix("application/grpc") else { return false };
        let rest = rest.strip_prefix("-web").unwrap_or(rest);
        let rest = rest.strip_prefix("-text").unwrap_or(rest);
        rest.is_empty() || rest.starts_with('+')
    }

    /// `application/grpc` and `application/grpc+...`: what a proxy answers in gRPC's own words.
    pub fn is_native_grpc(&self) -> bool {
        self.essence.strip_prefix("application/grpc").is_some_and(|rest| rest.is_empty() || rest.starts_with('+'))
    }

    /// gRPC-Web whose frames are written in base64: `application/grpc-web-text`.
    pub fn is_grpc_text(&self) -> bool {
        self.is_grpc() && self.essence.contains("-text")
    }

    /// A type that people could read as it is: `text/*`, JSON, XML, scripts, forms.
    pub fn is_text_like(&self) -> bool {
        self.essence.starts_with("text/")
            || self.is_json()
            || TEXT.contains(&self.essence())
            || (!self.is_framed() && TEXT_SUFFIXES.iter().any(|suffix| self.essence.ends_with(suffix)))
    }

    /// The lower-cased `type/subtype`; empty where there was none.
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// Messages with a binary head each: gRPC, and Connect's streams.
    pub fn is_framed(&self) -> bool {
        self.is_grpc() || self.essence.starts_with("application/connect+")
    }
}

impl MediaRange {
    /// Reads a range; `None` where it is none: no slash, a wildcard in the wrong place, a parameter.
    pub fn parse(text: &str) -> Option<MediaRange> {
        let essence = text.trim_ascii().to_ascii_lowercase();
        let (main, sub) = essence.split_once('/')?;
        let legal = match (main, sub) {
            ("*", "*") => true,
            (main, "*") => is_name(main.as_bytes()),
            (main, sub) => is_name(main.as_bytes()) && is_name(sub.strip_prefix("*+").unwrap_or(sub).as_bytes()),
        };
        legal.then_some(MediaRange { essence })
    }

    /// Does the range hold `media_type`? `*/*` holds every body, also one without a type.
    pub fn contains(&self, media_type: &MediaType) -> bool {
        if self.essence == "*/*" {
            return true;
        }
        match self.essence.split_once('*') {
            None => self.essence == media_type.essence,
            // What is before the star ends in a slash; what is behind it is empty or a suffix, and the star at least one byte.
            Some((main, suffix)) => media_type
                .essence
                .strip_prefix(main)
                .and_then(|sub| sub.strip_suffix(suffix))
                .is_some_and(|between| !between.is_empty()),
        }
    }

    /// The lower-cased range.
    pub fn as_str(&self) -> &str {
        &self.essence
    }
}

/// What stands before the parameters, lower-cased, if it is a media type.
fn essence(written: Option<&[u8]>) -> Option<String> {
    let essence = written.unwrap_or_default().trim_ascii().to_ascii_lowercase();
    String::from_utf8(essence).ok().filter(|essence| is_media_type(essence))
}

fn is_media_type(essence: &str) -> bool {
    let mut names = essence.as_bytes().split(|byte| *byte == b'/');
    names.next().is_some_and(is_name) && names.next().is_some_and(is_name) && names.next().is_none()
}

/// A token of RFC 9110 without `*`, which a media type has no use for.
fn is_name(name: &[u8]) -> bool {
    let mark =
        |byte| matches!(byte, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~');
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || mark(*byte))
}

/// Splits at a separator that stands in no quoted string.
fn unquoted_split(value: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    value.split(move |byte| {
        let splits = !quoted && *byte == separator;
        if escaped {
            escaped = false;
        } else if *byte == b'"' {
            quoted = !quoted;
        } else {
            escaped = quoted && *byte == b'\\';
        }
        splits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_reads_as_its_lower_cased_essence() {
        for (value, essence) in [
            (&b"application/json"[..], "application/json"),
            (b" Application/JSON ; charset=UTF-8", "application/json"),
            (b"text/html;charset=\"a,b;c\"", "text/html"),
            (b"multipart/mixed; boundary=\"a\\\",b\"", "multipart/mixed"),
            (b"text/plain; x=\xff\xfe", "text/plain"),
            (b"image/svg+xml", "image/svg+xml"),
            (b"text/html, text/html; charset=x", "text/html"),
            // Two that differ: neither.
            (b"image/png, text/html", ""),
            (b"image/png; a=b, text/html", ""),
            (b"image/png, \xff", ""),
            (b"", ""),
            (b"json", ""),
            (b"/", ""),
            (b"text/", ""),
            (b"/html", ""),
            (b"te xt/html", ""),
            (b"*/*", ""),
            (b"image/*", ""),
            (b"text/\xffhtml", ""),
            (b"a/b/c", ""),
        ] {
            assert_eq!(MediaType::parse(value).essence(), essence, "{value:?}");
        }
    }

    #[test]
    fn types_fall_into_their_classes() {
        // json, stream, gRPC, text-like
        for (value, classes) in [
            ("application/json", "j--t"),
            ("text/json", "j--t"),
            ("application/problem+json", "j--t"),
            ("application/vnd.api+json", "j--t"),
            ("application/x-amz-json-1.1", "j--t"),
            ("application/x-ndjson", "js-t"),
            ("application/fhir+ndjson", "js-t"),
            ("application/json-seq", "js-t"),
            ("application/stream+json", "js-t"),
            ("text/event-stream", "-s-t"),
            ("multipart/x-mixed-replace", "-s--"),
            ("application/grpc", "-sg-"),
            ("application/grpc+proto", "-sg-"),
            ("application/grpc+json", "-sg-"),
            ("application/grpc-web", "-sg-"),
            ("application/grpc-web+proto", "-sg-"),
            ("application/grpc-web-text", "-sg-"),
            ("application/grpc-web-text+proto", "-sg-"),
            ("application/grpcish", "----"),
            ("application/connect+json", "-s--"),
            ("application/x-www-form-urlencoded", "---t"),
            ("text/html", "---t"),
            ("application/xml", "---t"),
            ("application/atom+xml", "---t"),
            ("image/svg+xml", "---t"),
            ("application/javascript", "---t"),
            ("image/png", "----"),
            ("application/octet-stream", "----"),
            ("application/jsonish", "----"),
            ("", "----"),
        ] {
            let media = MediaType::parse(value.as_bytes());
            let is = [media.is_json(), media.is_stream(), media.is_grpc(), media.is_text_like()];
            let found: String = is.iter().zip("jsgt".chars()).map(|(is, class)| if *is { class } else { '-' }).collect();
            assert_eq!(found, classes, "{value}");
        }
    }

    #[test]
    fn a_range_holds_what_it_says() {
        for (range, value, holds) in [
            ("image/*", "image/png", true),
            ("IMAGE/*", "image/PNG; q=1", true),
            ("image/*", "imagex/png", false),
            ("image/*", "text/html", false),
            ("image/*", "", false),
            ("*/*", "image/png", true),
            ("*/*", "", true),
            ("text/html", "text/html;charset=utf-8", true),
            ("text/html", "text/htm", false),
            ("application/*+json", "application/problem+json", true),
            ("application/*+json", "application/json", false),
            ("application/*+json", "application/+json", false),
            ("application/*+json", "image/a+json", false),
        ] {
            let media = MediaType::parse(value.as_bytes());
            assert_eq!(MediaRange::parse(range).unwrap().contains(&media), holds, "{range} {value}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in
            ["", "*", "image", "image/", "/png", "*/png", "im*/png", "image/p*", "image/*x", "a/b;c=d", "a/b/c", "a b/c", "a/*+"]
        {
            assert_eq!(MediaRange::parse(text), None, "{text}");
        }
    }
}
