//! `nrql QUERY --on newrelic --save DIR`: rows of New Relic in a folder of this machine.
//!
//! In: a query that lists rows, an account that may be asked. Out: a Parquet file for each event type. What always holds: all rows of
//! the window are written, each once, or nothing is: files come into being when everything was read and counted. Rows are held until
//! then, so there is a most of them; where there are none, nothing is written. Times and kinds of values stay as they were; a row
//! arrives when it happened, as New Relic does not tell more.

mod listing;
mod pages;

#[cfg(test)]
mod tests;

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::newrelic::Account;
use crate::cli::exit::{Exit, Stop};
use crate::cli::{block_on, count, print};
use crate::clock::Clock;
use crate::lab::store::{Store, folder};
use crate::publish::nerdgraph::NerdGraphError;
use crate::record::time::format_ms;
use listing::Listing;
use pages::{Asked, PageError};

/// How often a question is asked while its fault may pass.
const TRIES: u32 = 6;
/// Wait before the second try; it doubles, and up to half of it is left to chance.
const WAIT: Duration = Duration::from_millis(500);

/// Most rows that are held, of all types together.
const MOST_ROWS: u64 = 2_000_000;
/// Most bytes that are held, as JSON; columns take about as much memory, a share of it where texts repeat.
const MOST_BYTES: u64 = 1 << 30;

/// A row as `NerdGraph` gives it.
type Fields = Map<String, Value>;

/// Reads all rows of the query and writes them.
pub(super) fn run(account: &Account, query: &str, to: &Path) -> anyhow::Result<Exit> {
    let listing = Listing::of(query, Clock::system().now_ms()).map_err(|why| Stop::usage(why, Some(listing::HINT.to_owned())))?;
    for event_type in listing.types() {
        let file = folder::file(to, event_type);
        if file.exists() {
            let hint = "name another folder, or remove the file: rows are not mixed with those of another time";
            return Err(Stop::usage(format!("{} is there already", file.display()), Some(hint.to_owned())).into());
        }
    }
    let begun = Instant::now();
    let store = Store::in_memory();
    let mut told = Told::default();
    let mut bytes = 0;
    for event_type in listing.types() {
        let ask = async |nrql: &str| patiently(account, nrql).await;
        let keep = |rows: Vec<Fields>| {
            bytes += rows.iter().map(size).sum::<u64>();
            within(bytes, MOST_BYTES)?;
            rows.iter().try_for_each(|row| kept(&store, event_type, row))
        };
        let room = MOST_ROWS.saturating_sub(told.asked.rows);
        let read = pages::read(&listing, event_type, room, ask, keep, |asked| told.progress(event_type, asked));
        let read = block_on(async { Ok(read.await) });
        told.end();
        let asked = read?.map_err(|error| Stop::failed(error.to_string(), Some(error.hint().to_owned())))?;
        told.asked.add(&asked);
    }
    let (begin, end) = listing.window();
    let (begin, end) = (format_ms(begin), format_ms(end));
    if told.asked.rows == 0 {
        let types = listing.types().join(", ");
        print(&format!("no rows of {types} from {begin} until {end}: nothing was written\n"))?;
        return Ok(Exit::Good);
    }
    folder::save(&store.snapshot(), to).map_err(|error| Stop::usage(format!("writing {error}"), None))?;
    print(&format!(
        "{} in {}, from {begin} until {end}: {} in {:.1} s\n",
        count(told.asked.rows, "row"),
        to.display(),
        if told.asked.questions == 1 { "1 query".to_owned() } else { format!("{} queries", told.asked.questions) },
        begun.elapsed().as_secs_f64()
    ))?;
    Ok(Exit::Good)
}

/// Bytes of a row as JSON, about.
fn size(row: &Fields) -> u64 {
    let value = |value: &Value| match value {
        Value::String(text) => text.len() + 2,
        Value::Array(_) | Value::Object(_) => value.to_string().len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
    };
    row.iter().map(|(name, of)| (name.len() + value(of) + 4) as u64).sum()
}

/// Whether so many bytes may be held.
fn within(bytes: u64, most: u64) -> Result<(), PageError> {
    let mib = |bytes: u64| format!("{} MiB", bytes >> 20);
    if bytes <= most {
        return Ok(());
    }
    Err(PageError::TooMuch { found: format!("the rows are more than {}", mib(most)), most: mib(most) })
}

/// Puts a row into the store.
fn kept(store: &Store, event_type: &str, row: &Fields) -> Result<(), PageError> {
    let at = pages::timestamp(row)?;
    store.append_json(event_type, row, at);
    Ok(())
}

/// Asks, and again while the fault may pass: time-outs, too many requests, errors of New Relic's own servers, no answer.
async fn patiently(account: &Account, nrql: &str) -> Result<Vec<Fields>, NerdGraphError> {
    let mut wait = WAIT;
    let mut tries = 1;
    loop {
        match account.rows(nrql).await {
            Err(error) if error.is_passing() && tries < TRIES => {
                tokio::time::sleep(wait.mul_f64(fastrand::f64().mul_add(0.5, 0.5))).await;
                wait *= 2;
                tries += 1;
            }
            answer => return answer,
        }
    }
}

/// What a person at a terminal sees meanwhile.
#[derive(Debug, Default)]
struct Told {
    asked: Asked,
    shown: bool,
}

impl Told {
    fn progress(&mut self, event_type: &str, asked: &Asked) {
        let mut out = std::io::stderr();
        if out.is_terminal() {
            let line = format!("\r{event_type}: {} of {} rows", asked.rows, asked.counted);
            // Whoever cannot be told is not kept from the rows.
            self.shown |= out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_ok();
        }
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _said = std::io::stderr().write_all(b"\n").is_ok();
        }
    }
}
