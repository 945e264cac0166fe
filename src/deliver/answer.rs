//! What an answer of New Relic means: one table.
//!
//! In: the API, the status and the body. Out: an [`Answer`]. What always holds: only what the documentation calls success is
//! success (Event API: 200 with `"success": true`; Log API: 202; OTLP: 200 with OTLP's own answer, whole); whatever the table does
//! not know keeps the data.

use std::time::Duration;

use crate::encode::Lane;

/// What to do with a batch after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// New Relic has it.
    Accepted,
    /// Send it again, after this time if the server named one.
    Retry {
        /// Delay that the server asked for.
        after: Option<Duration>,
    },
    /// Too large: send it in two parts.
    Split,
    /// Something in it is refused: find it.
    Refused,
    /// Nothing will be accepted until a person acts: stop taking, keep what is held.
    Blocked(Block),
}

/// What a person must mend before anything is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// 401, 402 or 403: key missing, wrong, of the wrong kind or Region, or the account is not allowed to send.
    Credentials,
    /// An answer that New Relic's ingest APIs never give for a good request: wrong host, path or proxy.
    Address,
}

impl Block {
    /// What the reader can do.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Credentials => {
                "check newrelic.licenseKey (an ingest licence key, not a user key), newrelic.accountId and newrelic.region; \
                 `cspm-relay doctor newrelic` tells which one is wrong"
            }
            Self::Address => "check newrelic.region and newrelic.hosts, and any proxy on the way",
        }
    }
}

/// Reads an answer. `body`: the response body; where it is cut, it counts as what is left of it.
#[must_use]
pub fn read(lane: Lane, status: u16, retry_after: Option<Duration>, body: &[u8]) -> Answer {
    match (lane, status) {
        (Lane::Events, 200) if says_success(body) => Answer::Accepted,
        (Lane::Logs, 202) => Answer::Accepted,
        (Lane::Metrics, 200) if is_full_success(body) => Answer::Accepted,
        // Any other 2xx is no documented success: a proxy's page, say.
        (_, 200..=299) => Answer::Retry { after: retry_after },
        (_, 400) => Answer::Refused,
        (_, 401..=403) => Answer::Blocked(Block::Credentials),
        (_, 408 | 425 | 429 | 500..=599) => Answer::Retry { after: retry_after },
        (_, 413) => Answer::Split,
        _ => Answer::Blocked(Block::Address),
    }
}

/// Whether a request that did not end in [`Answer::Accepted`] may have been taken all the same. `status`: `None` when no answer
/// came. What New Relic documents as a refusal is one; what a proxy on the way says for it, or nobody, is in doubt.
#[must_use]
pub fn is_in_doubt(answer: &Answer, status: Option<u16>) -> bool {
    matches!(answer, Answer::Retry { .. }) && !matches!(status, Some(425 | 429 | 503))
}

/// Whether a body is OTLP's answer, whole, and no other byte: an `ExportMetricsServiceResponse`. New Relic's is empty. A collector
/// in between may send one with a partial success: it took what it did not reject, so to send all again would count that twice,
/// which OTLP forbids; the sender says what it said. What the schema does not have is not passed over as protobuf allows, because
/// a blank and a letter of a page would be a field. [opentelemetry-proto 1, `metrics_service`; OTLP/HTTP, partial success]
fn is_full_success(body: &[u8]) -> bool {
    /// `partial_success`, a message.
    const PARTIAL: u64 = 1 << 3 | LONG;
    /// Its `rejected_data_points`, and its `error_message`.
    const REJECTED: u64 = 1 << 3 | WHOLE;
    const MESSAGE: u64 = 2 << 3 | LONG;
    let is_of_partial = |tag: u64, value: &[u8]| tag == REJECTED || tag == MESSAGE && std::str::from_utf8(value).is_ok();
    all_fields(body, |tag, value| tag == PARTIAL && all_fields(value, is_of_partial))
}

/// The two forms of a protobuf value that are read here: a number, and its length before its bytes. [protobuf.dev, encoding]
const WHOLE: u64 = 0;
const LONG: u64 = 2;

/// Whether a text is a protobuf message to its end, each field of it as `is_known` wants its tag and its bytes (none of a number).
fn all_fields(mut message: &[u8], is_known: impl Fn(u64, &[u8]) -> bool) -> bool {
    while !message.is_empty() {
        match field(message) {
            Some((tag, value, rest)) if is_known(tag, value) => message = rest,
            _ => return false,
        }
    }
    true
}

/// The first field of a message, its bytes, and what follows it.
fn field(message: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let (tag, rest) = number(message)?;
    let (value, rest) = match tag & 7 {
        WHOLE => (&[][..], number(rest)?.1),
        LONG => {
            let (length, rest) = number(rest)?;
            rest.split_at_checked(usize::try_from(length).ok()?)?
        }
        _ => return None,
    };
    Some((tag, value, rest))
}

/// A number of at most ten bytes, seven bits in each, and what follows it.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let last = bytes.iter().take(10).position(|byte| byte & 0x80 == 0)?;
    let (number, rest) = bytes.split_at_checked(last + 1)?;
    // Of the tenth byte only one bit has room; the others are lost, as protobuf has it.
    Some((number.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f)), rest))
}

fn says_success(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Success {
        success: bool,
    }
    serde_json::from_slice::<Success>(body).is_ok_and(|answer| answer.success)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// X1: twelve codes and more; none but the documented success acknowledges.
    #[test]
    fn only_the_documented_success_is_success() {
        let ok = br#"{"success":true,"uuid":"u"}"#.as_slice();
        let after = Some(Duration::from_secs(7));
        let retry = || Answer::Retry { after };
        for lane in Lane::ALL {
            for (status, body, want) in [
                (200, ok, if lane == Lane::Events { Answer::Accepted } else { retry() }),
                (200, br#"{"success":false}"#.as_slice(), retry()),
                (200, b"<html>".as_slice(), retry()),
                (200, b"".as_slice(), if lane == Lane::Metrics { Answer::Accepted } else { retry() }),
                (200, b"\x0a\x00".as_slice(), if lane == Lane::Metrics { Answer::Accepted } else { retry() }),
                (202, b"".as_slice(), if lane == Lane::Logs { Answer::Accepted } else { retry() }),
                (204, b"".as_slice(), retry()),
                (301, ok, Answer::Blocked(Block::Address)),
                (400, ok, Answer::Refused),
                (401, ok, Answer::Blocked(Block::Credentials)),
                (403, ok, Answer::Blocked(Block::Credentials)),
                (404, ok, Answer::Blocked(Block::Address)),
                (408, ok, retry()),
                (413, ok, Answer::Split),
                (415, ok, Answer::Blocked(Block::Address)),
                (429, ok, retry()),
                (500, ok, retry()),
                (503, ok, retry()),
            ] {
                assert_eq!(read(lane, status, after, body), want, "{lane:?} {status}");
            }
        }
        // OTLP's whole answer and no other bytes, of which some begin like one.
        for (body, is_taken) in [
            (b"\x0a\x02\x08\x00".as_slice(), true),
            (b"\x0a\x06\x12\x04slow", true),
            (b"\x0a\x08\x08\x00\x12\x04slow", true),
            ("\x0a\x08\x12\x06監査".as_bytes(), true),
            (b"\x0a\x04\x08\x80\x80\x00", true),
            (b"\x0a\x00\x0a\x00", true),
            (b"\x0a\x80\x00", true),
            (b"\x0a\x04\x08\x03\x12\x00", true),
            (b"\x0a\x02\x08\x03", true),
            (b"\n", false),
            (b"\n<html>sign in</html>", false),
            (b"\n\n<html>sign in</html>", false),
            (b"\n\x04<html>", false),
            (b"\x0a\x00<html>", false),
            (b"\x0a\x02\x12\x04slow", false),
            (b"\x0a\x06\x12\x04sl\xffw", false),
            (b"\x0a\x01\x08", false),
            (b"\x0a\x02\x18\x01", false),
            (b"\x12\x00", false),
            (b"hi", false),
            (b"\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", false),
            (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", false),
            (b"{}", false),
        ] {
            let want = if is_taken { Answer::Accepted } else { retry() };
            assert_eq!(read(Lane::Metrics, 200, after, body), want, "{}", body.escape_ascii());
        }
        for (status, in_doubt) in [
            (None, true),
            (Some(200), true),
            (Some(408), true),
            (Some(429), false),
            (Some(500), true),
            (Some(502), true),
            (Some(503), false),
            (Some(504), true),
        ] {
            assert_eq!(is_in_doubt(&retry(), status), in_doubt, "{status:?}");
            assert!(!is_in_doubt(&Answer::Refused, status) && !is_in_doubt(&Answer::Accepted, status));
        }
        for status in 100..=999 {
            let accepted = matches!(status, 200 | 202);
            for lane in Lane::ALL {
                assert!(accepted || read(lane, status, None, ok) != Answer::Accepted, "{lane:?} {status}");
            }
        }
    }
}
