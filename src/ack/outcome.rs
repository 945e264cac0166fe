//! The words for how a piece, a record and an object ended.

/// How one piece (an event, a log, a dead letter) ended. Ordered: the worst decides for the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Settled {
    /// New Relic accepted it, or the dead letter was written for something that never was a record.
    Delivered = 0,
    /// New Relic will never accept it; it was written to the dead letters.
    Rejected = 1,
    /// Nobody has it: the source must offer it again.
    Returned = 2,
}

/// How a record ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// New Relic accepted every piece.
    Delivered,
    /// No rule and no output wanted it.
    Ignored,
    /// An exception muted it.
    Suppressed,
    /// A copy of a record that ended, or ends, well.
    Duplicate,
    /// Not a record; its bytes are in the dead letters.
    Unreadable,
    /// New Relic refused a piece of it; that piece is in the dead letters.
    Rejected,
    /// The source will offer it again.
    Returned,
}

impl Outcome {
    /// All of them, in the order of the equation.
    pub const ALL: [Self; 7] =
        [Self::Delivered, Self::Ignored, Self::Suppressed, Self::Duplicate, Self::Unreadable, Self::Rejected, Self::Returned];

    /// The word in counters, heartbeats and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Ignored => "ignored",
            Self::Suppressed => "suppressed",
            Self::Duplicate => "duplicate",
            Self::Unreadable => "unreadable",
            Self::Rejected => "rejected",
            Self::Returned => "returned",
        }
    }
}

/// How an object ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Every record settled well: the source may forget it.
    Released,
    /// The object, or the rest of it, is named in the dead letters: the source may forget it.
    Parked,
    /// Something of it is nowhere: the source must offer it again.
    Returned,
}

impl Verdict {
    /// All of them, in the order of the equation.
    pub const ALL: [Self; 3] = [Self::Released, Self::Parked, Self::Returned];

    /// The word in counters, heartbeats and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Parked => "parked",
            Self::Returned => "returned",
        }
    }
}
