//! The state of one account in one Region as it is written.
//!
//! In: the state. Out: gzip of JSON lines, which any tool reads: a head with the version, the resource types, then a line for each
//! rule. What always holds: what is written reads back the same; a newer version, or what was cut, is an error, never half a
//! state. gzip, not zstd: it is in the build already, and its part that packs is Rust.

use std::io::{BufRead, BufReader, Read as _, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::place::{Held, History, Place, RuleState};
use crate::record::{AccountRegion, ComplianceState};

/// The version that this agent writes, and the newest that it reads.
pub const VERSION: u32 = 1;

/// Most bytes of a state unpacked.
const UNPACKED_MAX: u64 = 1 << 30;

/// Why a written state cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// Cut off, or not what its packing says.
    #[error("cut off or damaged: {0}")]
    Damaged(String),
    /// Written by a newer agent.
    #[error("its version is {0}, this agent reads up to {VERSION}: run the newer agent, or name another place for the state")]
    Newer(u32),
}

#[derive(Serialize, Deserialize)]
struct Head<'a> {
    version: u32,
    #[serde(borrow)]
    account: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    region: std::borrow::Cow<'a, str>,
    baseline: bool,
    kinds: Vec<Box<str>>,
    rules: usize,
}

#[derive(Serialize, Deserialize)]
struct Rule {
    name: Box<str>,
    arn: Box<str>,
    #[serde(rename = "knownMs")]
    known_ms: i64,
    results: Vec<Row>,
}

/// kind, resource, state, time, told, and of what has violated: first seen, since, reopened, annotation.
#[derive(Serialize, Deserialize)]
struct Row(u16, Box<str>, Box<str>, i64, bool, #[serde(default)] Option<Past>);

#[derive(Serialize, Deserialize)]
struct Past(i64, i64, u32, Option<Box<str>>);

/// The state as it is written.
pub(super) fn write(place: &AccountRegion, state: &Place) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    let head = Head {
        version: VERSION,
        account: (&*place.account).into(),
        region: (&*place.region).into(),
        baseline: state.baseline,
        kinds: state.kinds.clone(),
        rules: state.rules.len(),
    };
    // Writing to memory cannot fail; what failed all the same would be too short, and is refused when it is read.
    let _written = line(&mut out, &head);
    for (name, rule) in &state.rules {
        let results = rule.held.iter().map(row).collect();
        let rule = Rule { name: name.clone(), arn: rule.arn.clone(), known_ms: rule.known_ms, results };
        let _written = line(&mut out, &rule);
    }
    out.finish().unwrap_or_default()
}

fn line(out: &mut GzEncoder<Vec<u8>>, value: &impl Serialize) -> bool {
    serde_json::to_writer(&mut *out, value).is_ok() && out.write_all(b"\n").is_ok()
}

fn row(held: &Held) -> Row {
    let past = held.history.as_deref().map(|history| {
        let History { first_seen_ms, since_ms, reopen_count, annotation } = history;
        Past(*first_seen_ms, *since_ms, *reopen_count, annotation.clone())
    });
    Row(held.kind, held.resource_id.clone(), held.state.as_str().into(), held.at_ms, held.told, past)
}

/// Reads a state.
pub(super) fn read(bytes: &[u8]) -> Result<Place, StoredError> {
    let damaged = |what: &dyn std::fmt::Display| StoredError::Damaged(what.to_string());
    #[expect(clippy::disallowed_types, reason = "one member, of our own writing, bounded here")]
    let mut lines = BufReader::new(flate2::bufread::GzDecoder::new(bytes)).take(UNPACKED_MAX).lines();
    let first = lines.next().ok_or_else(|| damaged(&"it is empty"))?.map_err(|error| damaged(&error))?;
    let version: Version = serde_json::from_str(&first).map_err(|error| damaged(&error))?;
    if version.version > VERSION {
        return Err(StoredError::Newer(version.version));
    }
    let head: Head<'_> = serde_json::from_str(&first).map_err(|error| damaged(&error))?;
    let mut place = Place { baseline: head.baseline, kinds: head.kinds, ..Place::default() };
    for text in lines {
        let rule: Rule = serde_json::from_str(&text.map_err(|error| damaged(&error))?).map_err(|error| damaged(&error))?;
        let mut held: Vec<Held> = rule.results.into_iter().map(Held::from).collect();
        held.sort_by(|one, other| (one.kind, &one.resource_id).cmp(&(other.kind, &other.resource_id)));
        place.rules.insert(rule.name, RuleState { arn: rule.arn, known_ms: rule.known_ms, held });
    }
    if place.rules.len() != head.rules {
        return Err(damaged(&format!("{} of {} rules are there", place.rules.len(), head.rules)));
    }
    Ok(place)
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl From<Row> for Held {
    fn from(Row(kind, resource_id, state, at_ms, told, past): Row) -> Self {
        let history = past.map(|Past(first_seen_ms, since_ms, reopen_count, annotation)| {
            Box::new(History { first_seen_ms, since_ms, reopen_count, annotation })
        });
        Self { resource_id, history, at_ms, kind, state: ComplianceState::of(&state), told }
    }
}
