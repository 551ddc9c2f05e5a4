//! Dates that somebody living can be born on.

use super::boundary;
use super::id;
use crate::detect::Candidate;

/// Years of birth.
const YEARS: std::ops::RangeInclusive<u32> = 1900..=2049;
/// Months by their first three letters.
const MONTHS: [&[u8]; 12] = [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

/// A day that is in the calendar, alone; a time may follow it.
pub(crate) fn accept(candidate: &Candidate<'_>) -> Option<usize> {
    let time = matches!(candidate.after, [b'T', b'0'..=b'9', ..]);
    let alone = id::may_start(candidate.before, candidate.value) && (time || !boundary::alphanumeric_after(candidate.after));
    let goes_on = matches!(candidate.after, [b'.' | b'-' | b'/', b'0'..=b'9', ..]);
    (alone && !goes_on && is_date(candidate.value)).then_some(candidate.value.len())
}

/// Year, month and day; month, day and year; day, month and year.
fn is_date(value: &[u8]) -> bool {
    let parts = value.split(|byte| !byte.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    // A slash in a form is `%2F`.
    let mut parts = parts.map(|part| part.strip_prefix(b"2F").or_else(|| part.strip_prefix(b"2f")).unwrap_or(part));
    let (Some(first), Some(second), Some(third), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let number = |part: &[u8]| id::number(Some(part));
    if first.len() == 4 {
        return YEARS.contains(&number(first)) && id::is_day(number(second), number(third));
    }
    let Some(month) = named_month(second) else {
        let day = id::is_day(number(first), number(second)) || id::is_day(number(second), number(first));
        return day && (YEARS.contains(&number(third)) || third.len() == 2);
    };
    YEARS.contains(&number(third)) && id::is_day(month, number(first))
}

fn named_month(text: &[u8]) -> Option<u32> {
    let at = MONTHS.iter().position(|month| text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(month)))?;
    u32::try_from(at.saturating_add(1)).ok()
}
