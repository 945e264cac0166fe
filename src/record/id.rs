//! The ids that make a record findable again and a copy recognisable.
//!
//! In: a record. Out: `event.id`, the same for the same record on every path and at every run; and a key of fixed size for
//! the duplicate window.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::trail::Trail;

/// Longest id that is used as it is, bytes; AWS's own have 36. A longer one would be cut when sent, and then be another's.
const ID_BYTES: usize = 256;

/// The deterministic id of an AWS record: `eventID`, else `eventId`, else (or when that is longer than any id) a hash of account,
/// Region and raw bytes. An `UPDATED_DATA` record that reuses the id of the one it repeats gets a suffix of its own, because it is
/// a new record.
#[must_use]
pub fn event_id<'a>(trail: &'a Trail<'_>, account: &str) -> Cow<'a, str> {
    let Some(id) = trail.event_id.get().filter(|id| !id.is_empty() && id.len() <= ID_BYTES) else {
        return Cow::Owned(hex(&hash(&[account.as_bytes(), trail.aws_region.or_empty().as_bytes(), trail.raw.as_bytes()])));
    };
    match trail.addendum() {
        Some(addendum)
            if addendum.reason.get() == Some("UPDATED_DATA")
                && addendum.original_event_id.get().is_none_or(|original| original == id) =>
        {
            let digest = hex(&hash(&[trail.raw.as_bytes()]));
            Cow::Owned(format!("{id}+{}", digest.get(..8).unwrap_or_default()))
        }
        _ => Cow::Borrowed(id),
    }
}

/// What the duplicate window remembers of a record: account and record id, exact for AWS's own ids (a UUID is 128 bits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordKey {
    account: u64,
    // Two words: a number of 128 bits would be padded to a third more memory in the duplicate window.
    high: u64,
    low: u64,
}

impl RecordKey {
    /// The key of a record.
    #[must_use]
    pub fn new(account: &str, event_id: &str) -> Self {
        let [high, low] = uuid(event_id).unwrap_or_else(|| words(hash(&[event_id.as_bytes()])));
        Self { account: account.parse().unwrap_or(0), high, low }
    }
}

impl RecordKey {
    /// The account's number; 0: it has none.
    #[must_use]
    pub fn account(self) -> u64 {
        self.account
    }

    /// A number that few other records have.
    #[must_use]
    pub fn short(self) -> u32 {
        let spread = (self.high ^ self.low.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // To the upper half every bit of the id comes.
        (spread >> 32) as u32
    }
}

/// A UUID in its usual text form as a number, the high word first.
fn uuid(text: &str) -> Option<[u64; 2]> {
    let bytes: &[u8; 36] = text.as_bytes().try_into().ok()?;
    let mut words = [0_u64; 2];
    let mut digits = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        let [high, low] = &mut words;
        let word = if digits < 16 { high } else { low };
        *word = *word << 4 | u64::from(digit);
        digits += 1;
    }
    Some(words)
}

fn words(bytes: [u8; 16]) -> [u64; 2] {
    let number = u128::from_be_bytes(bytes);
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are what is wanted")]
    let halves = [(number >> 64) as u64, number as u64];
    halves
}

/// The first 128 bits of SHA-256 over the parts, each ended by its length so that parts cannot run into each other.
fn hash(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
        hasher.update(part.len().to_be_bytes());
    }
    let digest = hasher.finalize();
    let mut out = [0; 16];
    for (to, from) in out.iter_mut().zip(digest) {
        *to = from;
    }
    out
}

/// A deterministic id for anything that has no id of its own: 32 hexadecimal digits.
#[must_use]
pub fn digest_id(parts: &[&[u8]]) -> String {
    hex(&hash(parts))
}

/// The same as two words, for what is remembered.
#[must_use]
pub fn digest_words(parts: &[&[u8]]) -> [u64; 2] {
    words(hash(parts))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ok = write!(text, "{byte:02x}").is_ok();
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_of(raw: &str) -> String {
        event_id(&Trail::parse(raw.as_bytes()).expect(raw), "111122223333").into_owned()
    }

    #[test]
    fn ids_are_the_records_own_or_a_stable_hash() {
        assert_eq!(id_of(r#"{"eventTime":"2026-01-01T00:00:00Z","eventID":"abc"}"#), "abc");
        let without = r#"{"eventVersion":"1.0","eventTime":"2026-01-01T00:00:00Z","eventName":"X"}"#;
        assert_eq!(id_of(without), id_of(without));
        assert_eq!(id_of(without).len(), 32);
        let long = |id: &str| id_of(&format!(r#"{{"eventTime":"2026-01-01T00:00:00Z","eventID":"{id}"}}"#));
        assert_eq!(long(&"x".repeat(ID_BYTES)).len(), ID_BYTES);
        assert_eq!(long(&"x".repeat(ID_BYTES + 1)).len(), 32);
        assert_ne!(long(&"x".repeat(5_000)), long(&"x".repeat(5_001)));
    }

    #[test]
    fn an_updated_record_is_a_new_one() {
        let with = |original: &str| {
            id_of(&format!(
                r#"{{"eventTime":"2026-01-01T00:00:00Z","eventID":"abc","addendum":{{"reason":"UPDATED_DATA","originalEventID":"{original}"}}}}"#
            ))
        };
        assert_eq!(with("other"), "abc");
        assert!(with("abc").starts_with("abc+"));
        assert_eq!(
            id_of(r#"{"eventTime":"2026-01-01T00:00:00Z","eventID":"abc","addendum":{"reason":"DELIVERY_DELAY"}}"#),
            "abc"
        );
    }

    #[test]
    fn keys_tell_accounts_and_ids_apart() {
        let key = RecordKey::new("111122223333", "6d2d5e0a-8a5b-4d0c-9a46-1f0000000001");
        assert_eq!(key, RecordKey::new("111122223333", "6d2d5e0a-8a5b-4d0c-9a46-1f0000000001"));
        assert_ne!(key, RecordKey::new("444455556666", "6d2d5e0a-8a5b-4d0c-9a46-1f0000000001"));
        assert_ne!(key, RecordKey::new("111122223333", "6d2d5e0a-8a5b-4d0c-9a46-1f0000000002"));
        assert_ne!(RecordKey::new("1", "x"), RecordKey::new("1", "y"));
    }
}
