//! Comparing and hashing bytes without regard to ASCII case, and a hash table keyed that way.
//!
//! In: bytes of names and values. Out: equality, search and lookup as Sigma wants them (case-insensitive by default).
//! Looking up never allocates. The table is built once, from rules; records are only looked up in it.

/// Whether `haystack` holds `needle`, in any ASCII case.
pub(super) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else { return true };
    let Some(last_start) = haystack.len().checked_sub(needle.len()) else { return false };
    let Some(starts) = haystack.get(..=last_start) else { return false };
    memchr::memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), starts)
        .any(|at| haystack.get(at..at + needle.len()).is_some_and(|part| part.eq_ignore_ascii_case(needle)))
}

/// Whether `text` starts with `prefix`, in any ASCII case.
pub(super) fn starts_with(text: &[u8], prefix: &[u8]) -> bool {
    text.get(..prefix.len()).is_some_and(|part| part.eq_ignore_ascii_case(prefix))
}

/// Whether `text` ends with `suffix`, in any ASCII case.
pub(super) fn ends_with(text: &[u8], suffix: &[u8]) -> bool {
    text.len().checked_sub(suffix.len()).and_then(|at| text.get(at..)).is_some_and(|part| part.eq_ignore_ascii_case(suffix))
}

/// Sets the bit that tells `a` from `A` in eight bytes at once. Some other bytes fall together too (`@` and `` ` ``): a hash
/// may, as every hit is compared.
const CASE_BITS: u64 = 0x2020_2020_2020_2020;

/// A hash that is equal for texts equal in any ASCII case. Not keyed: the table holds rule texts only, so a record can at
/// most walk the chain that the rules built.
pub(super) fn hash(text: &[u8]) -> u64 {
    let (words, tail) = text.as_chunks::<8>();
    let mut state = text.len() as u64;
    for word in words {
        state = mix(state, u64::from_le_bytes(*word));
    }
    if !tail.is_empty() {
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(tail) {
            *to = *from;
        }
        state = mix(state, u64::from_le_bytes(last));
    }
    state ^ state >> 32
}

fn length_bit(key: &[u8]) -> u64 {
    1 << (key.len() & 63)
}

fn mix(state: u64, word: u64) -> u64 {
    (state.rotate_left(5) ^ (word | CASE_BITS)).wrapping_mul(0x517c_c1b7_2722_0a95)
}

/// Bytes to `T`, found in any ASCII case or, for `EXACT`, in the same case only.
#[derive(Debug, Clone)]
pub(super) struct Table<T, const EXACT: bool = false> {
    /// Open addressing: hash and entry number plus one; 0 is empty. Length is a power of two, at most half full.
    slots: Vec<(u64, u32)>,
    entries: Vec<(Box<[u8]>, T)>,
    /// A bit for each length, modulo 64, that some key has: most absent keys are seen to be absent here.
    lengths: u64,
}

impl<T, const EXACT: bool> Default for Table<T, EXACT> {
    fn default() -> Self {
        Self { slots: Vec::new(), entries: Vec::new(), lengths: 0 }
    }
}

impl<T, const EXACT: bool> Table<T, EXACT> {
    /// The value of `key`.
    pub(super) fn get(&self, key: &[u8]) -> Option<&T> {
        if self.lengths & length_bit(key) == 0 { None } else { self.get_hashed(hash(key), key) }
    }

    /// The value of `key`, whose [`hash`] is known.
    pub(super) fn get_hashed(&self, hash: u64, key: &[u8]) -> Option<&T> {
        let entry = self.find(hash, key)?;
        self.entries.get(entry).map(|(_, value)| value)
    }

    fn find(&self, hash: u64, key: &[u8]) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = usize::try_from(hash & mask as u64).unwrap_or(0);
        loop {
            match self.slots.get(at) {
                Some(&(found, number)) if number != 0 => {
                    let entry = number as usize - 1;
                    if found == hash && self.entries.get(entry).is_some_and(|(text, _)| Self::same(text, key)) {
                        return Some(entry);
                    }
                }
                _ => return None,
            }
            at = (at + 1) & mask;
        }
    }

    fn same(a: &[u8], b: &[u8]) -> bool {
        if EXACT { a == b } else { a.eq_ignore_ascii_case(b) }
    }

    /// The value of `key`, made if it is new.
    pub(super) fn entry(&mut self, key: &[u8], make: impl FnOnce() -> T) -> Option<&mut T> {
        let hash = hash(key);
        let entry = self.find(hash, key).unwrap_or_else(|| {
            self.entries.push((key.into(), make()));
            self.lengths |= length_bit(key);
            if self.entries.len() * 2 > self.slots.len() {
                self.grow();
            } else {
                self.place(hash, self.entries.len());
            }
            self.entries.len() - 1
        });
        self.entries.get_mut(entry).map(|(_, value)| value)
    }

    fn grow(&mut self) {
        let size = (self.entries.len() * 4).next_power_of_two();
        self.slots.clear();
        self.slots.resize(size, (0, 0));
        let hashes: Vec<u64> = self.entries.iter().map(|(key, _)| hash(key)).collect();
        for (number, hash) in (1..).zip(hashes) {
            self.place(hash, number);
        }
    }

    /// Puts entry `number` (from 1) into the first free slot of its chain.
    fn place(&mut self, hash: u64, number: usize) {
        let mask = self.slots.len() - 1;
        let mut at = usize::try_from(hash & mask as u64).unwrap_or(0);
        while let Some(slot) = self.slots.get_mut(at) {
            if slot.1 == 0 {
                *slot = (hash, u32::try_from(number).unwrap_or(u32::MAX));
                return;
            }
            at = (at + 1) & mask;
        }
    }

    /// Whether nothing was put in.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn search_ignores_ascii_case_and_only_that() {
        for (haystack, needle, want) in [
            ("StopLogging", "pLOG", true),
            ("StopLogging", "plogx", false),
            ("abc", "abcd", false),
            ("abc", "", true),
            ("aaab", "AAB", true),
            ("[", "{", false),
        ] {
            assert_eq!(contains(haystack.as_bytes(), needle.as_bytes()), want, "{haystack} {needle}");
        }
        assert!(starts_with(b"arn:aws:iam", b"ARN:"));
        assert!(ends_with(b"arn:aws:iam", b":IAM"));
        assert!(!ends_with(b"am", b"iam"));
    }

    #[test]
    fn a_table_finds_every_key_in_any_case_and_nothing_else() {
        let mut folded: Table<usize> = Table::default();
        let mut exact: Table<usize, true> = Table::default();
        for number in 0..500 {
            let key = format!("Key-{number}-{}", "x".repeat(number % 19));
            *folded.entry(key.as_bytes(), || 0).expect("a slot") = number;
            *exact.entry(key.as_bytes(), || 0).expect("a slot") = number;
        }
        for number in 0..500 {
            let key = format!("Key-{number}-{}", "x".repeat(number % 19));
            assert_eq!(folded.get(key.to_uppercase().as_bytes()), Some(&number));
            assert_eq!(exact.get(key.as_bytes()), Some(&number));
            assert_eq!(exact.get(key.to_uppercase().as_bytes()), None);
            assert_eq!(folded.get(format!("{key}y").as_bytes()), None);
        }
        // `@` and "`" differ in the case bit only, yet they are no letters.
        folded.entry(b"@", || 1);
        assert_eq!(folded.get(b"`"), None);
    }
}
