//! Past records as the rows that the agent would have sent of them.
//!
//! In: files, folders, S3 prefixes; how late records come. Out: a store in memory with the events of every detection and notice, each
//! received when it would have been. What always holds: records go through the pipeline one by one and only what is sent is kept, so
//! months of a trail fit; the same input gives the same rows; nothing is sent and no dead letter is written.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::assemble::{self, Manner};
use super::exit::Stop;
use super::replay::Going;
use super::replay::look::{For, look};
use super::replay::report::Report;
use super::replay::signals::Signals;
use crate::ack::{Piece, Settled};
use crate::classify::Exceptions;
use crate::clock::Clock;
use crate::config::{Config, LogRecords};
use crate::encode::{Lane, Outlet};
use crate::lab::engine;
use crate::lab::store::Store;
use crate::lab::streaming::Settings;
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

/// Reads past records; logs and metrics are left out. `exceptions`: the text of a file that is only drafted, in the place of the
/// configured one.
///
/// # Errors
/// When the configuration's files cannot be read, or it was stopped before anything was kept; records that cannot be read are in the
/// report.
pub(super) async fn read(
    config: &Config,
    inputs: &[Input],
    lateness: Lateness,
    exceptions: Option<&str>,
    signals: &Signals,
) -> anyhow::Result<Past> {
    let mut config = config.clone();
    config.dead_letters = None;
    config.outputs.metrics = false;
    config.outputs.logs.records = LogRecords::None;
    let clock = Clock::fixed(0);
    let manner = Manner { notices: true, lateness: Some(lateness), ..Manner::default() };
    let mut stages = Stages { agent: NAME.to_owned(), ..assemble::stages(&config, clock.clone(), manner)? };
    if let Some(text) = exceptions {
        stages.exceptions = drafted(text, &config, &stages)?;
    }
    let store = Store::in_memory();
    let keeper = Keeper { store: store.clone() };
    look(NAME, &stages, &config, inputs, (For::Correlations, None), signals).await?;
    let going = Going::new(NAME, &config, inputs, Arc::new(stages), clock, signals);
    let report = going.kept(Box::new(keeper)).await?;
    Ok(Past { store, report })
}

/// The exceptions of a text.
fn drafted(text: &str, config: &Config, stages: &Stages) -> Result<Exceptions, Stop> {
    let path = config.exceptions.as_deref().unwrap_or(Path::new("exceptions.yml"));
    let read = Exceptions::from_text(text, path, &config.telemetry.time_zone, &stages.rules);
    let (exceptions, _) = read.map_err(|error| Stop::failed(error.to_string(), None))?;
    Ok(exceptions)
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

/// How conditions are evaluated, until somebody asks to stop.
pub(super) fn settings_until(is_stopped: impl Fn() -> bool + Send + Sync + 'static) -> Settings {
    let stop = Some(engine::Stop::new(is_stopped));
    Settings { engine: engine::Settings { stop, ..engine::Settings::default() }, ..Settings::default() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Config, Input, Lateness, Past, Signals, read};
    use crate::config::Need;
    use crate::lab::engine::value::Value;
    use crate::lab::engine::{Engine, Settings};

    const RULES: &str = "title: Refused\nname: refused\nlogsource: {product: aws, service: cloudtrail}\nlevel: low\ndetection:\n  \
                         s: {errorCode: OurRefusal}\n  condition: s\n---\ntitle: Many\nname: many-refused\nlevel: high\n\
                         correlation: {type: event_count, rules: [refused], timespan: 5m, condition: {gte: 3}}\n";

    /// A folder with these rules and with records, one in a file, the newest first.
    pub(in crate::cli) fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["rules", "records"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        std::fs::write(folder.path().join("rules/many.yml"), RULES).expect("a file");
        for (file, minute) in [("a", 3), ("b", 2), ("c", 1), ("d", 9)] {
            let record = format!(
                r#"{{"Records":[{{"eventVersion":"1.11","eventID":"{minute}","eventTime":"2024-08-02T10:0{minute}:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1","recipientAccountId":"111122223333","errorCode":"OurRefusal","sourceIPAddress":"198.51.100.7"}}]}}"#
            );
            std::fs::write(folder.path().join(format!("records/{file}.json")), record).expect("a file");
        }
        folder
    }

    /// A configuration with these rules.
    pub(in crate::cli) fn config(folder: &std::path::Path) -> Config {
        let mut config =
            Config::load_for(Need::LOCAL, None, &std::collections::BTreeMap::<String, String>::new()).expect("a configuration");
        config.rules.folders = vec![folder.join("rules")];
        config
    }

    /// How many events meet this.
    fn counted(past: &Past, condition: &str) -> String {
        // 2024-08-02T11:00:00Z.
        const NOW_MS: i64 = 1_722_596_400_000;
        let query = format!("SELECT count(*) FROM AwsSecurityEvent WHERE {condition} SINCE 1 day ago");
        let statement = crate::nrql::parse(&query).expect("NRQL");
        let answer = Engine::new(past.store.snapshot(), Settings::default()).run(&statement, NOW_MS).expect("an answer");
        let values = answer.results.iter().flat_map(|row| &row.values);
        let numbers = values.map(|(_, value)| if let Value::Number(count) = value { *count } else { f64::NAN });
        numbers.sum::<f64>().to_string()
    }

    /// Correlations are told as in the order of time, whatever files are called and however late records were.
    #[tokio::test]
    async fn correlations_are_exact_whatever_the_order_of_files() {
        let folder = folder();
        let inputs = [Input::Path(folder.path().join("records"))];
        let signals = Signals::listen().expect("signals");
        for lateness in [Lateness::OfTrail, Lateness::Fixed(0)] {
            let past = read(&config(folder.path()), &inputs, lateness, None, &signals).await.expect("rows");
            assert_eq!(counted(&past, "TRUE"), "1", "{lateness:?}");
            assert_eq!(counted(&past, "event.id = '3' AND control.id = 'many-refused'"), "1", "{lateness:?}");
            assert_eq!(past.report.thrown, crate::classify::Thrown::default());
        }
    }
}
