//! When what is read and sent.
//!
//! In: the clock, and when each kind of run was done last, by this agent or the one that led before. Out: one run after the other.
//! What always holds: a run that is due once is done once, whoever leads; one that was not whole counts as done, and says so; what
//! only a reading of AWS Config can know is not sent where nobody reads it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::keeper::Keeper;
use super::rows::RowKind;
use super::{Lead, reading, sending};

/// Time between two looks at the clock.
const LOOK: Duration = Duration::from_millis(500);
/// Places that could not be read are tried again after this time, or at the next reading if that is sooner.
const AGAIN: Duration = Duration::from_mins(10);

/// When each kind of run was done last, milliseconds since the epoch, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Schedule {
    #[serde(default)]
    done: BTreeMap<String, i64>,
    /// After this time places that could not be read are read again.
    #[serde(default)]
    again_ms: Option<i64>,
}

impl Schedule {
    /// What cannot be read was never done.
    pub(super) fn read(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    pub(super) fn bytes(&self) -> Bytes {
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    fn is_due(&self, kind: &str, every: Duration, now_ms: i64) -> bool {
        let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
        // A time that has not come yet was written by a clock that was wrong.
        self.done.get(kind).is_none_or(|done| now_ms >= done.saturating_add(every) || *done > now_ms)
    }
}

/// Does what is due, for ever.
pub(super) async fn run(lead: &Lead, schedule: &mut Schedule, keeper: Option<&Arc<Mutex<Keeper>>>) -> Infallible {
    let mut failed = reading::Failed::default();
    loop {
        let now_ms = lead.clock.now_ms();
        let again = schedule.again_ms.is_some_and(|again| now_ms >= again) && !failed.is_empty();
        let (mut moved, mut was_read) = (false, false);
        if let Some(reader) = &lead.posture.reader
            && (schedule.is_due("reading", lead.posture.reading, now_ms) || again)
        {
            let only = if again { Some(std::mem::take(&mut failed)) } else { None };
            failed = reading::read(lead, reader, only.as_ref()).await;
            if only.is_none() {
                schedule.done.insert("reading".to_owned(), now_ms);
            }
            schedule.again_ms = (!failed.is_empty()).then(|| now_ms.saturating_add(millis(AGAIN)));
            (moved, was_read) = (true, true);
        }
        let wanted = |kind: &RowKind| lead.posture.reader.is_some() || !kind.needs_reader();
        for kind in RowKind::ALL.into_iter().filter(wanted) {
            let every = kind.every(lead.posture.summary, lead.posture.reading);
            let now_ms = lead.clock.now_ms();
            let is_due = if kind.follows_reading() { was_read } else { schedule.is_due(kind.run().as_str(), every, now_ms) };
            if is_due {
                sending::send(lead, kind, now_ms).await;
                schedule.done.insert(kind.run().as_str().to_owned(), now_ms);
                moved = true;
            }
        }
        if moved && let Some(keeper) = keeper {
            keeper.lock().await.note(schedule, lead).await;
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn what_another_agent_did_is_not_done_again() {
        let mut schedule = Schedule::default();
        assert!(schedule.is_due("summary", DAY, 5));
        schedule.done.insert("summary".to_owned(), 1_000);
        let read = Schedule::read(&schedule.bytes());
        assert_eq!(read, schedule);
        assert!(!read.is_due("summary", DAY, 1_000 + millis(DAY) - 1) && read.is_due("summary", DAY, 1_000 + millis(DAY)));
        assert!(read.is_due("summary", DAY, 999), "a clock that was wrong");
        assert_eq!(Schedule::read(b"\xff"), Schedule::default());
    }
}
