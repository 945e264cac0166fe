//! What an answer of New Relic means: one table.
//!
//! In: the API, the status and the first bytes of the body. Out: an [`Answer`]. What always holds: only what the
//! documentation calls success is success (Event API: 200 with `"success": true`; Log API: 202); whatever the table does not
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
        // Any other 2xx is no documented success: a proxy's page, say.
        (_, 200..=299) => Answer::Retry { after: retry_after },
        (_, 400) => Answer::Refused,
        (_, 401..=403) => Answer::Blocked(Block::Credentials),
        (_, 408 | 425 | 429 | 500..=599) => Answer::Retry { after: retry_after },
        (_, 413) => Answer::Split,
        _ => Answer::Blocked(Block::Address),
    }
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
        for status in 100..=999 {
            let accepted = matches!(status, 200 | 202);
            for lane in Lane::ALL {
                assert!(accepted || read(lane, status, None, ok) != Answer::Accepted, "{lane:?} {status}");
            }
        }
    }
}
