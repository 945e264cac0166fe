//! Past records as the rows that the agent would have sent of them.
//!
//! In: files, folders, S3 prefixes; how late records come. Out: a store in memory with the events of every detection and notice, each
//! received when it would have been. What always holds: records go through the pipeline one by one and only what is sent is kept, so
//! months of a trail fit; the same input gives the same rows; nothing is sent and no dead letter is written.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::assemble::{self, Manner};
use super::replay::Going;
use super::replay::look::{For, look};
use super::replay::report::Report;
use super::replay::signals::Signals;
use crate::ack::{Piece, Settled};
use crate::clock::Clock;
use crate::config::{Config, LogRecords};
use crate::encode::{Lane, Outlet};
use crate::lab::store::Store;
use crate::pipeline::worker::Stages;
use crate::pipeline::worker::lateness::Lateness;
use crate::source::replay::Input;

/// Name of the source, in events and in the summary.
const NAME: &str = "replay";

/// Past records, read.
pub(super) struct Past {
    /// The rows.
    pub(super) store: Store,
    /// How reading ended.
    pub(super) report: Report,
}

/// Reads past records; logs and metrics are left out.
///
/// # Errors
/// When the configuration's files cannot be read, or it was stopped before anything was kept; records that cannot be read are in the report.
pub(super) async fn read(config: &Config, inputs: &[Input], lateness: Lateness, signals: &Signals) -> anyhow::Result<Past> {
    let mut config = config.clone();
    config.dead_letters = None;
    config.outputs.metrics = false;
    config.outputs.logs.records = LogRecords::None;
    let clock = Clock::fixed(0);
    let manner = Manner { notices: true, lateness: Some(lateness), ..Manner::default() };
    let stages = Stages { agent: NAME.to_owned(), ..assemble::stages(&config, clock.clone(), manner)? };
    let store = Store::in_memory();
    let keeper = Keeper { store: store.clone() };
    look(NAME, &stages, &config, inputs, (For::Correlations, None), signals).await?;
    let going = Going::new(NAME, &config, inputs, Arc::new(stages), clock, signals);
    let report = going.kept(Box::new(keeper)).await?;
    Ok(Past { store, report })
}

/// Keeps items as rows.
struct Keeper {
    store: Store,
}

impl Outlet for Keeper {
    fn put(&mut self, lane: Lane, item: &[u8], _time_ms: i64, piece: Piece) {
        piece.settle(Settled::Delivered);
        // What our own encoder wrote can be read.
        let Ok(Value::Object(row)) = serde_json::from_slice(item) else { return };
        let event_type = row.get("eventType").and_then(Value::as_str).filter(|_| lane == Lane::Events);
        if let Some(event_type) = event_type {
            self.store.append_json(event_type, &row, received(&row));
        }
    }

    fn item_max(&self, _: Lane) -> usize {
        usize::MAX
    }

    fn flush(&mut self) {}
}

/// When a row came, milliseconds since 1970: so long after its event as it says.
fn received(row: &Map<String, Value>) -> i64 {
    let number = |name: &str| row.get(name).and_then(Value::as_i64);
    let event_ms = number("event.time").or_else(|| number("timestamp")).unwrap_or_default();
    event_ms.saturating_add(number("relay.lagMs").unwrap_or_default().max(0))
}
