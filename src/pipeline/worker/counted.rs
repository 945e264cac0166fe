//! What an accepted event or log adds to the roll-up counters.
//!
//! In: what a record says of itself. Out: tallies for its pieces. What always holds: a record is one in `cspm.records`, with the
//! first of its events, or with its log where it has no event, or at once where it is thinned: counted instead of sent; nothing is asked or allocated where nothing is counted.

use super::Stages;
use crate::ack::{Counter, Tally};
use crate::record::Severity;

/// What kind of record it is (`record.kind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Trail,
    Compliance,
    Change,
    Finding,
    Insight,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Trail => "trail",
            Self::Compliance => "compliance",
            Self::Change => "change",
            Self::Finding => "finding",
            Self::Insight => "insight",
        }
    }
}

/// Where a record is from, as its rows say it.
#[derive(Debug, Clone, Copy)]
pub(super) struct From<'a> {
    pub(super) account: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

impl Stages {
    /// One more record.
    pub(super) fn counts_record(&self, from: From<'_>, kind: Kind) -> Option<Tally> {
        self.rollups.tally(Counter::Records, &[from.account, from.region, from.service, kind.as_str()])
    }

    /// One more detection.
    pub(super) fn counts_detection(&self, from: From<'_>, severity: Severity, control: &str) -> Option<Tally> {
        self.rollups.tally(Counter::Detections, &[from.account, from.region, from.service, severity.as_str(), control])
    }

    /// One more transition of a finding.
    pub(super) fn counts_finding(&self, from: From<'_>, severity: Severity, control: &str, transition: &str) -> Option<Tally> {
        let values = [from.account, from.region, from.service, severity.as_str(), control, transition];
        self.rollups.tally(Counter::Findings, &values)
    }
}
