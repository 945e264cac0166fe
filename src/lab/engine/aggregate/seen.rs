//! Which values a slot has seen.
//!
//! In: slots and numbers of values. Out: whether a pair is new. What always holds: it is exact; as long as slots times numbers are
//! few, a pair costs one bit and no hash.

use crate::lab::store::hash::QuickSet;

/// Most bits in the table: 32 MiB. Beyond, pairs are hashed.
const BITS_MAX: usize = 1 << 28;

/// Pairs of slot and number.
pub(super) enum Seen {
    /// One bit for each pair, so many words for each slot.
    Bits { slots: usize, words: usize, bits: Vec<u64> },
    /// Pairs.
    Pairs(QuickSet<(u32, u32)>),
}

impl Seen {
    pub(super) const fn new(slots: usize) -> Self {
        Self::Bits { slots, words: 0, bits: Vec::new() }
    }

    /// Puts a pair in; true if it was not there. A slot out of range takes nothing.
    pub(super) fn insert(&mut self, slot: u32, number: u32) -> bool {
        self.make_room(number);
        match self {
            Self::Pairs(pairs) => pairs.insert((slot, number)),
            Self::Bits { words, bits, .. } => {
                let (word, bit) = (number as usize / 64, 1_u64 << (number % 64));
                bits.get_mut(slot as usize * *words + word).is_some_and(|word| {
                    let new = *word & bit == 0;
                    *word |= bit;
                    new
                })
            }
        }
    }

    /// Makes the table wide enough for a number, or gives it up.
    fn make_room(&mut self, number: u32) {
        let Self::Bits { slots, words, bits } = self else { return };
        let needed = number as usize / 64 + 1;
        if needed <= *words {
            return;
        }
        let wider = needed.next_power_of_two();
        if slots.saturating_mul(wider).saturating_mul(64) > BITS_MAX {
            let mut pairs = QuickSet::default();
            self.each(|slot, number| {
                pairs.insert((slot, number));
            });
            *self = Self::Pairs(pairs);
            return;
        }
        let mut grown = vec![0; *slots * wider];
        if *words > 0 {
            for (old, new) in bits.chunks(*words).zip(grown.chunks_mut(wider)) {
                old.iter().zip(new).for_each(|(old, new)| *new = *old);
            }
        }
        (*words, *bits) = (wider, grown);
    }

    /// Bytes it takes, about.
    pub(super) fn held(&self) -> u64 {
        match self {
            Self::Bits { bits, .. } => 8 * bits.len() as u64,
            Self::Pairs(pairs) => 16 * pairs.len() as u64,
        }
    }

    /// Gives every pair to `take`.
    pub(super) fn each(&self, mut take: impl FnMut(u32, u32)) {
        match self {
            Self::Pairs(pairs) => pairs.iter().for_each(|(slot, number)| take(*slot, *number)),
            Self::Bits { words, bits, .. } if *words > 0 => {
                for (slot, row) in (0_u32..).zip(bits.chunks(*words)) {
                    for (base, word) in (0_u32..).step_by(64).zip(row) {
                        let mut left = *word;
                        while left != 0 {
                            take(slot, base + left.trailing_zeros());
                            left &= left - 1;
                        }
                    }
                }
            }
            Self::Bits { .. } => {}
        }
    }
}
