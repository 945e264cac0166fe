//! Which transitions a person is told of.
//!
//! In: a transition that would alarm, and since when its place is watched. Out: whether it is held back. What always holds: its row is
//! sent all the same; what an exception covers alarms nobody, and its end does: it was open all the while, and is not held as old.
//!
//! The first import after the relay is switched on tells what has been there for months: nobody must get up for that. So a finding
//! that nobody knew is held back when it was first seen before its account and Region were watched, with a day to spare. Security
//! Hub's controls are dated from their first check, long before they failed; but it tells each of them every day: when the place
//! has been watched for two days, one that nobody told has begun since.

use super::books::Book;
use super::state::State;
use super::{Findings, Transition};
use crate::record::finding::product;
use crate::record::{Finding, FindingKey, FindingStatus};

const DAY_MS: i64 = 24 * 3_600_000;

/// So long before its place was watched a finding may have been seen first and still count as new.
const SPARE_MS: i64 = DAY_MS;

/// So long it takes until every control was told. It refreshes them every 12 to 24 hours, from memory of its user guide's
/// schedule of checks, not looked up: two days leave room.
const SETTLED_MS: i64 = 2 * DAY_MS;

/// What becomes of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    /// It is sent.
    Due,
    /// It would be, of anything that is not old news or a sample.
    Held,
    /// Nobody must see this.
    None,
}

impl Findings {
    /// What becomes of the notice of this transition. `still_open`: nothing newer says otherwise.
    pub(super) fn notice(
        &self,
        (finding, key): (&Finding<'_>, FindingKey),
        (transition, was_excepted, after): (Transition, bool, &State),
        still_open: bool,
        book: &Book,
        now_ms: i64,
    ) -> Notice {
        let is_open = after.status() == FindingStatus::Open && still_open;
        let is_uncovered = was_excepted && !after.excepted();
        let is_alarming = (transition.is_alarming() || is_uncovered) && !after.excepted();
        if !is_alarming || !is_open || after.severity() < self.settings.notify {
            return Notice::None;
        }
        let is_old = || book.was_evicted(key, after.severity()) || was_there(finding, after, book.born_ms, now_ms);
        if finding.more.sample || transition == Transition::New && is_old() { Notice::Held } else { Notice::Due }
    }
}

/// Whether it was there before its place was watched.
fn was_there(finding: &Finding<'_>, after: &State, born_ms: Option<i64>, now_ms: i64) -> bool {
    let Some(born_ms) = born_ms else { return false };
    let is_control = finding.product == product::SECURITY_HUB && finding.control_id.is_some();
    let is_settled = is_control && now_ms.saturating_sub(born_ms) >= SETTLED_MS;
    !is_settled && after.first_seen_ms <= born_ms.saturating_sub(SPARE_MS)
}
