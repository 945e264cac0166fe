//! Names a pair by a number of 64 bits.
//!
//! In: texts. Out: the same number for the same texts on every machine and in every run, so that a replay says the same every time.
//! What always holds: texts cannot run into each other, for each goes in with its length. It is fast, and no defence: whoever
//! chooses texts to collide wins that one of his own is taken for another of his own.

/// Any odd words with bits all over; fixed for ever.
const WORDS: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db];

/// The number of a text behind what `before` stands for.
pub(super) fn hash(before: u64, text: &[u8]) -> u64 {
    let [first, middle, last] = WORDS;
    let mut state = fold(before ^ first, middle ^ text.len() as u64);
    let (words, rest) = text.as_chunks::<8>();
    for word in words {
        state = mixed(state, u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(rest) {
            *to = *from;
        }
        state = mixed(state, u64::from_le_bytes(word));
    }
    fold(state ^ last, first)
}

/// Adding the state keeps what came before even where the product is zero.
fn mixed(state: u64, word: u64) -> u64 {
    let [_, middle, _] = WORDS;
    fold(state ^ word, middle).wrapping_add(state.rotate_left(29))
}

/// Both halves of a product, one over the other.
#[expect(clippy::cast_possible_truncation, reason = "the two halves are what is wanted")]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn texts_do_not_run_into_each_other() {
        let of = |parts: &[&str]| parts.iter().fold(0, |before, part| hash(before, part.as_bytes()));
        let all: [&[&str]; 9] = [
            &["ab", "c"],
            &["a", "bc"],
            &["abc"],
            &["abc", ""],
            &["", "abc"],
            &["abc\0"],
            &[""],
            &["", ""],
            &["abcdefgh\0", "i"],
        ];
        let hashes: HashSet<u64> = all.iter().map(|parts| of(parts)).collect();
        assert_eq!(hashes.len(), all.len());
    }

    /// Addresses and ids that differ in a place or two fill a table evenly, by the bits of either end.
    #[test]
    fn similar_texts_spread() {
        let mut all = HashSet::new();
        let (mut low, mut high) = (vec![0_u32; 256], vec![0_u32; 256]);
        for at in 0..65_536_u32 {
            let hash = hash(7, format!("10.7.{}.{}", at >> 8, at & 255).as_bytes());
            all.insert(hash);
            low[usize::try_from(hash & 255).unwrap()] += 1;
            high[usize::try_from(hash >> 56).unwrap()] += 1;
        }
        assert_eq!(all.len(), 65_536);
        assert!(low.iter().chain(&high).all(|count| (160..370).contains(count)), "{low:?} {high:?}");
    }
}
