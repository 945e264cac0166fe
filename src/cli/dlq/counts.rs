//! The roll-up counts of a replay.
//!
//! In: the counting ledger, and letters that could not be taken away. Out: the last counts to New Relic, doubts about what the next
//! replay counts again, a warning about what was not taken. What always holds: whatever ended the replay, the counts of what was
//! accepted are tried once, and what is missing is told.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::super::count;
use super::replay::StopSignal;
use super::say;
use crate::ack::Rollups;
use crate::clock::Clock;
use crate::config::Limits;
use crate::deliver::Endpoint;
use crate::deliver::letter::LetterKind;
use crate::deliver::mailbox::Sheet;
use crate::pipeline::rollups;
use crate::pipeline::worker::Stages;

/// How long the counts of items may take to be accepted: metrics that are not taken must not keep a replay from ending.
const PATIENCE: Duration = Duration::from_secs(30);

/// The same once somebody asked to stop.
const PATIENCE_STOPPED: Duration = Duration::from_secs(5);

/// Sends what was counted and is not with New Relic yet. One try, also when New Relic took no more events: metrics have an endpoint
/// of their own, and nobody else knows these counts.
pub(super) async fn send(stages: &Arc<Stages>, endpoint: Endpoint, limits: &Limits, clock: &Clock, stop: &StopSignal) {
    let enough = async {
        tokio::select! {
            () = tokio::time::sleep(PATIENCE) => {}
            () = stop.clone() => tokio::time::sleep(PATIENCE_STOPPED).await,
        }
    };
    tokio::select! {
        () = rollups::send_rest(stages, endpoint, limits, clock) => {}
        () = enough => {}
    }
    let waiting = stages.rollups.waiting();
    if waiting > 0 {
        say(&format!(
            "warning: {} of what was accepted {} missing in the roll-up metrics: New Relic did not take them",
            count(waiting, "count"),
            if waiting == 1 { "is" } else { "are" }
        ));
    }
}

/// Doubts what these letters of a sheet counted: they were accepted and are still there, so the next replay counts them again. Items
/// say what they count; of records and objects it is known for all that went through the pipeline together, `by_path`, which is
/// doubted once.
pub(super) fn doubt(rollups: &Rollups, sheet: &Sheet, stay: &BTreeSet<usize>, by_path: &mut [u64; 3]) {
    let letters = stay.iter().filter_map(|&at| sheet.lines.get(at)?.letter.as_ref().ok());
    for letter in letters {
        if matches!(letter.kind, LetterKind::Record | LetterKind::Object) {
            for (counter, amount) in Rollups::COUNTERS.into_iter().zip(std::mem::take(by_path)) {
                rollups.doubt(counter, amount);
            }
        }
        for tally in letter.counts.iter().filter_map(|count| count.tally(rollups)) {
            rollups.doubt(tally.series().counter(), 1);
        }
    }
}
