//! What an answer of New Relic means: one table.
//!
//! In: the API, the status and the first bytes of the body. Out: an [`Answer`]. What always holds: only what the
//! documentation calls success is success (Event API: 200 with `"success": true`; Log API: 202; OTLP: 200 with OTLP's own answer); whatever the table does not
//! know keeps the data.

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

/// Reads an answer. `body`: the beginning of the response body, a few hundred bytes are enough.
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

/// An `ExportMetricsServiceResponse`: empty, or with a partial success (field 1). New Relic sends none; a collector in between
/// might. It took what it did not reject, and to send all again would count that twice: the sender says what it said.
fn is_full_success(body: &[u8]) -> bool {
    body.is_empty() || body.first() == Some(&0x0a)
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
