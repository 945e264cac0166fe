//! Refused events and logs, straight to their API again.
//!
//! In: items as they were encoded. Out: how each ended. What always holds: an item is sent unchanged but for a time that has
//! left New Relic's window; what is no whole item is not sent, because New Relic accepts a broken body and then drops all of
//! it; one that is refused again costs itself only.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::sync::mpsc;

use crate::ack::counts::Snapshot;
use crate::ack::{Counts, ObjectEntry, Outcome, Rollups, Verdict};
use crate::clock::Clock;
use crate::config::Limits;
use crate::deliver::answer::Block;
use crate::deliver::letter::{Count, Letter, LetterKind};
use crate::deliver::retry::Backoff;
use crate::deliver::sender::Gate;
use crate::deliver::{Endpoint, Patience, Sender, Traffic};
use crate::encode::{Lane, limits, restamp};
use crate::pipeline::outlet::batcher;

/// An item of a letter.
#[derive(Debug)]
pub(super) struct Item {
    /// The letter's position among all that go together.
    pub(super) at: usize,
    lane: Lane,
    bytes: Vec<u8>,
    /// What it counts once it is accepted.
    counts: Vec<Count>,
    /// What a letter about it would be called. Letters of earlier versions, and edited ones, have other names.
    id: String,
    /// Its row has an id of its own; what has none may say the same twice, at two times.
    is_named: bool,
}

impl Item {
    /// What names its row, where something does.
    pub(super) fn row(&self) -> Option<&str> {
        Some(self.id.as_str()).filter(|_| self.is_named)
    }
}

/// Sends items.
#[derive(Debug)]
pub(super) struct Resend<'a> {
    pub(super) endpoint: Endpoint,
    pub(super) limits: &'a Limits,
    pub(super) clock: Clock,
    /// Where what is accepted is counted.
    pub(super) rollups: &'a Rollups,
}

/// How items ended.
#[derive(Debug)]
pub(super) struct Sent {
    /// By position: well, or why not.
    pub(super) ended: BTreeMap<usize, Result<(), String>>,
    /// Counts, one record per item.
    pub(super) counts: Snapshot,
    /// New Relic accepts nothing, and what a person can do.
    pub(super) blocked: Option<&'static str>,
}

/// What is looked for in an item; the rest is only read to its end.
#[derive(Debug, Deserialize)]
struct Fields {
    #[serde(rename = "eventType")]
    event_type: Option<IgnoredAny>,
}

/// The item in a letter, ready to be sent.
///
/// # Errors
/// Why it cannot be sent.
pub(super) fn item(at: usize, letter: &Letter, bytes: &[u8], settings: &Limits, now_ms: i64) -> Result<Item, String> {
    let lane = if letter.kind == LetterKind::Log { Lane::Logs } else { Lane::Events };
    // A list would pass for the fields in their order.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(format!("what is in the letter is no whole {}: not an object", lane.as_str()));
    }
    let fields: Fields =
        serde_json::from_slice(bytes).map_err(|error| format!("what is in the letter is no whole {}: {error}", lane.as_str()))?;
    if lane == Lane::Events && fields.event_type.is_none() {
        return Err("what is in the letter has no eventType".to_owned());
    }
    let bytes = restamp::restamp(bytes, now_ms);
    let most = batcher(lane, settings).item_max();
    if bytes.len() > most {
        return Err(format!("{} bytes, more than the {most} that one request may hold", bytes.len()));
    }
    let (id, is_named) = (letter_id(lane, &bytes), lane.name(&bytes).is_some());
    Ok(Item { at, lane, bytes, counts: letter.counts.clone(), id, is_named })
}

/// The id under which the sender would park this item.
fn letter_id(lane: Lane, bytes: &[u8]) -> String {
    let kind = if lane == Lane::Logs { LetterKind::Log } else { LetterKind::Event };
    Letter::new(kind, 0, "", "", None, "", bytes).id
}

impl Resend<'_> {
    /// Sends items until each has its answer, or until `stop`.
    pub(super) async fn send(&self, items: Vec<Item>, stop: impl Future<Output = ()>) -> Sent {
        let counts = Arc::new(Counts::new("dlq"));
        let (told, mut released) = mpsc::channel(items.len().max(1));
        let (letters_in, mut letters) = mpsc::channel(64);
        let gate = Arc::new(Gate::default());
        let traffic = Arc::new(Traffic::default());
        // Two letters that somebody edited may be about the same row: whatever befalls one befalls both.
        let mut ids: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut refused: BTreeMap<usize, String> = BTreeMap::new();
        let mut ended: BTreeMap<usize, Result<(), String>> = BTreeMap::new();
        let oldest_ms = self.clock.now_ms() - limits::LATE_MS;
        let mut senders = Vec::new();
        for lane in Lane::OF_RECORDS {
            let mut batcher = batcher(lane, self.limits);
            let mut batches = Vec::new();
            for item in items.iter().filter(|item| item.lane == lane) {
                ids.entry(item.id.as_str()).or_default().push(item.at);
                ended.insert(item.at, Err("stopped before New Relic had accepted it".to_owned()));
                let entry = ObjectEntry::enter(Arc::clone(&counts), item.at as u64, told.clone().try_reserve_owned().ok());
                let record = entry.record();
                record.ends_as(Outcome::Delivered);
                entry.decoded();
                // An item counts in two series at most.
                let mut tallies = item.counts.iter().map(|count| count.tally(self.rollups));
                let piece = record.piece().counting([tallies.next().flatten(), tallies.next().flatten()]);
                batches.extend(batcher.push(&item.bytes, oldest_ms, piece));
            }
            batches.extend(batcher.close());
            let sender = Sender {
                endpoint: self.endpoint.clone(),
                backoff: Backoff::default(),
                clock: self.clock.clone(),
                letters: letters_in.clone(),
                gate: Arc::clone(&gate),
                traffic: Arc::clone(&traffic),
                patience: Patience::GiveUp,
            };
            let in_flight = self.limits.requests_in_flight;
            senders.push(async move {
                let (batches_in, batches_out) = mpsc::channel(1);
                let feed = async move {
                    for batch in batches {
                        if batches_in.send(batch).await.is_err() {
                            return;
                        }
                    }
                };
                tokio::join!(feed, sender.run(batches_out, in_flight));
            });
        }
        drop((told, letters_in));
        let listen = async {
            while let Some(parking) = letters.recv().await {
                if let Some(positions) = ids.get(parking.letter.id.as_str()) {
                    refused.extend(positions.iter().map(|&at| (at, parking.letter.reason.clone())));
                    parking.piece.settle(parking.settled);
                }
                // One that is not known is dropped: returned.
            }
        };
        let work = async { tokio::join!(futures_util::future::join_all(senders), listen) };
        tokio::select! {
            _ = work => {}
            () = stop => {}
        }
        // What waits in it has not ended otherwise.
        drop(letters);
        let blocked = gate.watch().borrow().map(Block::hint);
        while let Some(news) = released.recv().await {
            let at = usize::try_from(news.object).unwrap_or(usize::MAX);
            let end = match (refused.remove(&at), news.verdict) {
                (Some(why), _) => Err(why),
                (None, Verdict::Released | Verdict::Parked) => Ok(()),
                (None, Verdict::Returned) => Err(blocked.unwrap_or("stopped before New Relic had accepted it").to_owned()),
            };
            ended.insert(at, end);
        }
        Sent { ended, counts: counts.snapshot(), blocked }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_292_071_000;

    #[test]
    fn only_whole_items_are_sent() {
        let settings = Limits::default();
        let good = br#"{"eventType":"AwsSecurityEvent","timestamp":1000,"relay.late":"false"}"#;
        let letter = |kind| Letter::new(kind, NOW, "", "", None, "", b"");
        let made = item(3, &letter(LetterKind::Event), good, &settings, NOW).unwrap();
        let text = String::from_utf8(made.bytes.clone()).unwrap();
        assert_eq!(text, format!(r#"{{"eventType":"AwsSecurityEvent","timestamp":{NOW},"relay.late":"true"}}"#));
        assert_eq!((made.at, made.lane), (3, Lane::Events));
        let log = item(0, &letter(LetterKind::Log), br#"{"message":{}}"#, &settings, NOW).unwrap();
        assert_eq!((log.lane, log.bytes.as_slice()), (Lane::Logs, br#"{"message":{}}"#.as_slice()));
        let long = format!(r#"{{"eventType":"A","x":"{}"}}"#, "x".repeat(1_000_000));
        for (name, bytes, says) in [
            ("cut", &good[..30], "no whole event"),
            ("two", br#"{"eventType":"A"},{"eventType":"B"}"#.as_slice(), "no whole event"),
            ("a list", b"[]", "no whole event"),
            ("no type", b"{}", "no eventType"),
            ("too long", long.as_bytes(), "more than the"),
        ] {
            let why = item(0, &letter(LetterKind::Event), bytes, &settings, NOW).unwrap_err();
            assert!(why.contains(says), "{name}: {why}");
        }
    }
}
