//! What the object of a lease says.
//!
//! In: the object's bytes. Out: a [`Mark`], or `None` when they are something else. What always holds: a mark that is written and
//! read is the same; keys that a later version adds are passed over. It decides nothing.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::LONGEST;

/// Largest object that can be a mark, bytes.
const BYTES: usize = 4096;

/// Who leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mark {
    /// For people.
    pub(super) holder: String,
    /// The agent, by chance: another one after each start.
    pub(super) owner: String,
    /// With `owner` the tenure, unlike any other.
    pub(super) tenure: u64,
    /// Counts the tenures of all agents.
    pub(super) epoch: u64,
    /// Counts the renewals of the tenure, tried ones too.
    pub(super) beat: u64,
    /// How long the leader may fall silent, milliseconds.
    pub(super) lease_ms: u64,
    /// The leader has let go.
    pub(super) released: bool,
}

impl Mark {
    /// Reads an object.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > BYTES { None } else { serde_json::from_slice(bytes).ok() }
    }

    /// The object.
    pub(super) fn bytes(&self) -> Bytes {
        // Plain fields always can be written; nothing would be no mark, and be respected as long as can be.
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// Whether this agent wrote it.
    pub(super) fn is_of(&self, owner: &str) -> bool {
        self.owner == owner
    }

    /// How long it must be respected.
    pub(super) fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back_and_nothing_else_is_one() {
        let mark = Mark {
            holder: "task/7 \"東京\"".to_owned(),
            owner: "f".repeat(32),
            tenure: 2,
            epoch: 3,
            beat: 4,
            lease_ms: 30_000,
            released: false,
        };
        assert_eq!(Mark::read(&mark.bytes()), Some(mark.clone()));
        let later = String::from_utf8(mark.bytes().to_vec()).unwrap().replacen('{', "{\"later\":[1],", 1);
        assert_eq!(Mark::read(later.as_bytes()), Some(mark.clone()));
        for bytes in [&b""[..], b"{}", b"[]", b"\xff", b"{\"owner\":\"x\"}", &[b' '; BYTES + 1]] {
            assert_eq!(Mark::read(bytes), None);
        }
        assert_eq!(Mark { lease_ms: u64::MAX, ..mark }.lease(), LONGEST);
    }
}
