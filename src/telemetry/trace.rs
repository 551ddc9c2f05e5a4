//! The trace that a request says it is part of: W3C Trace Context, `traceparent`.
//!
//! See <https://www.w3.org/TR/trace-context-2/#traceparent-header>. A client can write what it likes there, so what is not valid, or
//! could be a value that somebody is looking for, is no trace.

use std::sync::Arc;

use crate::scan::Program;

/// Version, trace id, span id and flags, in 2, 32, 16 and 2 digits with dashes between them; later versions may be longer.
const TRACEPARENT_LEN: usize = 55;
const DASHES: [usize; 3] = [2, 35, 52];

/// The ids of a valid `traceparent`, in lower-case hexadecimal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceParent {
    /// 32 digits, not all zero.
    pub trace_id: String,
    /// 16 digits, not all zero.
    pub span_id: String,
    /// The trace flag of that name.
    pub sampled: bool,
}

impl TraceParent {
    /// Reads a header value; `every_kind` of the policy.
    pub fn parse(value: &[u8], every_kind: &Arc<Program>) -> Option<TraceParent> {
        let (fields, further) = value.split_at_checked(TRACEPARENT_LEN)?;
        let is_hex = |b: &u8| b.is_ascii_digit() || matches!(b, b'a'..=b'f');
        let well_formed = (0..).zip(fields).all(|(at, b)| if DASHES.contains(&at) { *b == b'-' } else { is_hex(b) });
        let known = match fields.get(..2)? {
            b"00" => further.is_empty(),
            b"ff" => false,
            _ => further.first().is_none_or(|b| *b == b'-'),
        };
        let id = |range| -> Option<&str> {
            let id = std::str::from_utf8(fields.get::<std::ops::Range<usize>>(range)?).ok()?;
            (!id.bytes().all(|b| b == b'0')).then_some(id)
        };
        // Sixteen digits between dashes can be a card number.
        if !well_formed || !known || !every_kind.scan(fields).is_empty() {
            return None;
        }
        Some(TraceParent { trace_id: id(3..35)?.into(), span_id: id(36..52)?.into(), sampled: fields.last()? & 1 == 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    #[test]
    fn only_what_the_standard_allows_is_a_trace() {
        let of = |text: &str| TraceParent::parse(text.as_bytes(), Program::all());
        let valid = of(&format!("00-{TRACE}-{SPAN}-01"));
        assert_eq!(valid, Some(TraceParent { trace_id: TRACE.into(), span_id: SPAN.into(), sampled: true }));
        assert!(of(&format!("cc-{TRACE}-{SPAN}-09-what-comes")).is_some(), "later versions may be longer");
        for wrong in [
            String::new(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}0-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-zz"),
            format!("00-{TRACE}_{SPAN}-01"),
            format!("01-{TRACE}-{SPAN}-01x"),
        ] {
            assert_eq!(of(&wrong), None, "{wrong}");
        }
        assert_eq!(TraceParent::parse(b"00-\xff", Program::all()), None);
    }

    #[test]
    fn a_card_number_is_no_span() {
        assert_eq!(TraceParent::parse(format!("00-{TRACE}-4111111111111111-01").as_bytes(), Program::all()), None);
    }
}
