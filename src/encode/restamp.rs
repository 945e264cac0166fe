//! Keeps the time of a batch that waited long inside New Relic's window.
//!
//! In: an item as [`super::event`] or [`super::log`] wrote it. Out: the same item with the present time and `relay.late`
//! set, when its own time has grown older than [`limits::LATE_MS`]. The original time stays in `event.time`. Only the fixed
//! places that our own encoders write are touched.

use super::limits;
use super::writer::push_number;

const TIME: &[u8] = b"\"timestamp\":";
const ON_TIME: &[u8] = b"\"relay.late\":\"false\"";
const LATE: &[u8] = b"\"relay.late\":\"true\"";

/// How far the head reaches in which our encoders write `timestamp`, bytes.
const HEAD: usize = 96;

/// The item with the present time, if its own is too old; else unchanged.
#[must_use]
pub fn restamp(item: &[u8], now_ms: i64) -> Vec<u8> {
    let Some((from, to, ms)) = timestamp(item) else { return item.to_vec() };
    if now_ms - ms <= limits::LATE_MS {
        return item.to_vec();
    }
    let mut out = Vec::with_capacity(item.len() + 8);
    out.extend_from_slice(item.get(..from).unwrap_or_default());
    push_number(&mut out, now_ms);
    let rest = item.get(to..).unwrap_or_default();
    match memchr::memmem::find(rest, ON_TIME) {
        Some(at) => {
            out.extend_from_slice(rest.get(..at).unwrap_or_default());
            out.extend_from_slice(LATE);
            out.extend_from_slice(rest.get(at + ON_TIME.len()..).unwrap_or_default());
        }
        None => out.extend_from_slice(rest),
    }
    out
}

/// Where the number stands, and what it says.
fn timestamp(item: &[u8]) -> Option<(usize, usize, i64)> {
    let head = item.get(..HEAD.min(item.len()))?;
    let from = memchr::memmem::find(head, TIME)? + TIME.len();
    let digits = item.get(from..)?.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'-').count();
    let text = std::str::from_utf8(item.get(from..from + digits)?).ok()?;
    Some((from, from + digits, text.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_292_071_000;

    fn shown(item: &str) -> String {
        String::from_utf8(restamp(item.as_bytes(), NOW)).unwrap()
    }

    #[test]
    fn only_old_items_move() {
        let item = |ms: i64, late: bool| {
            format!(r#"{{"eventType":"AwsSecurityEvent","timestamp":{ms},"event.id":"1","relay.late":"{late}"}}"#)
        };
        let (fresh, old) = (NOW - limits::LATE_MS, NOW - limits::LATE_MS - 1);
        for (name, before, after) in [
            ("fresh", item(fresh, false), item(fresh, false)),
            ("old", item(old, false), item(NOW, true)),
            ("old and marked", item(old, true), item(NOW, true)),
            (
                "no time of its own",
                r#"{"eventType":"AwsSecurityNotice","event.id":"1"}"#.to_owned(),
                r#"{"eventType":"AwsSecurityNotice","event.id":"1"}"#.to_owned(),
            ),
        ] {
            assert_eq!(shown(&before), after, "{name}");
        }
        let log = |ms: i64, late: bool| {
            format!(r#"{{"timestamp":{ms},"attributes":{{"relay.late":"{late}"}},"message":{{"x":"\"relay.late\":\"false\""}}}}"#)
        };
        assert_eq!(shown(&log(old, false)), log(NOW, true));
    }
}
