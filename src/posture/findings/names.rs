//! Words that many findings share, kept once.
//!
//! In: a word. Out: a number of two bytes. What always holds: the number of words is bounded; one too many is [`OTHER`].

use std::collections::HashMap;

use crate::record::AccountRegion;

/// What a word is called when there are too many.
pub(super) const OTHER: &str = "other";

/// The number of an account or a Region that is not known.
pub(super) const UNKNOWN: u16 = 1;

/// Words by number.
#[derive(Debug)]
pub(super) struct Names {
    numbers: HashMap<Box<str>, u16>,
    names: Vec<Box<str>>,
}

impl Default for Names {
    fn default() -> Self {
        let names: [Box<str>; 2] = [OTHER.into(), AccountRegion::UNKNOWN.into()];
        Self { numbers: names.iter().cloned().zip([0, UNKNOWN]).collect(), names: names.into() }
    }
}

impl Names {
    /// The number of a word; `None`: there are too many.
    pub(super) fn number(&mut self, name: &str) -> Option<u16> {
        if let Some(number) = self.numbers.get(name) {
            return Some(*number);
        }
        let number = u16::try_from(self.names.len()).ok()?;
        self.names.push(name.into());
        self.numbers.insert(name.into(), number);
        Some(number)
    }

    /// The number of a word that is known.
    pub(super) fn find(&self, name: &str) -> Option<u16> {
        self.numbers.get(name).copied()
    }

    /// The number of a word, or of [`OTHER`].
    pub(super) fn number_or_other(&mut self, name: &str) -> u16 {
        self.number(name).unwrap_or(0)
    }

    /// The word of a number.
    pub(super) fn name(&self, number: u16) -> &str {
        self.names.get(usize::from(number)).map_or(OTHER, AsRef::as_ref)
    }
}
