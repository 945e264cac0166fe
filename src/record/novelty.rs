//! Whether something was there before (`novelty.api`, `novelty.address`).

/// One answer. It says nothing of good or bad: a new thing is not an alert.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Novelty {
    /// Seen for the first time, by one who has watched and remembered long enough to say so.
    New,
    /// Seen before.
    Known,
    /// Not remembered, by one who cannot tell.
    #[default]
    Unknown,
}

impl Novelty {
    /// The word in events: whether it is new.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "true",
            Self::Known => "false",
            Self::Unknown => "unknown",
        }
    }
}

/// The answers of one record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Novelties {
    /// Of the principal and the API call.
    pub api: Novelty,
    /// Of the principal and the source address.
    pub address: Novelty,
}
