//! Each stage alone, on records that are at hand unpacked and, where the stage wants it, parsed.
//!
//! In: objects. Out: one row per stage. Records go through in slices of a few hundred, so that a stage finds them about as
//! near to the processor as it would in the agent.

use std::io::{self, Read as _, Write as _};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use cspm_relay::ack::{Counts, ObjectEntry, Outcome, Seen};
use cspm_relay::classify::Classified;
use cspm_relay::decode::gzip::Unpacked;
use cspm_relay::decode::split::{Item, Splitter};
use cspm_relay::encode::event::{Arrival, push_security_event};
use cspm_relay::encode::log::{LogAttributes, push_log};
use cspm_relay::enrich::{AccountNames, Enricher};
use cspm_relay::record::{RecordKey, Trail, id};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::mpsc;

use crate::cpu::Stopwatch;
use crate::data::Objects;
use crate::report::Row;
use crate::rules::Set;

/// Records in one slice.
const SLICE: usize = 250;
/// Largest item, bytes.
const BODY: usize = 950_000;
/// The present, for records of any age.
const NOW_MS: i64 = 1_795_292_071_000;

/// The objects unpacked, and what is measured on them.
struct Bench {
    objects: Vec<Vec<u8>>,
    records: u64,
    json_bytes: u64,
    runs: usize,
    rows: Vec<Row>,
}

/// Measures every stage.
pub(crate) fn run(objects: &Objects, sets: &[Set], builtin: &Set, runs: usize) -> Result<Vec<Row>> {
    let mut unpacked = Vec::new();
    for packed in &objects.packed {
        let mut json = Vec::new();
        Unpacked::new(packed.as_ref(), u64::MAX)?.read_to_end(&mut json)?;
        unpacked.push(json);
    }
    let (records, json_bytes) = (objects.records, objects.json_bytes);
    let mut bench = Bench { objects: unpacked, records, json_bytes, runs, rows: Vec::new() };
    bench.gunzip(objects)?;
    bench.split()?;
    bench.parse()?;
    bench.ledger()?;
    for set in sets {
        bench.matching(set)?;
    }
    bench.log()?;
    bench.events(builtin)?;
    bench.gzip()?;
    Ok(bench.rows)
}

impl Bench {
    /// Does `once` several times, each with a stopwatch of its own; keeps the best.
    fn measure(&mut self, name: &str, mut once: impl FnMut(&[Vec<u8>], &mut Stopwatch) -> Result<String>) -> Result<()> {
        let mut row = Row::of(name, self.records, self.json_bytes);
        for _ in 0..self.runs {
            let mut watch = Stopwatch::new()?;
            let made = once(&self.objects, &mut watch)?;
            row.improve(&watch, || made);
        }
        self.rows.push(row);
        Ok(())
    }

    fn gunzip(&mut self, packed: &Objects) -> Result<()> {
        let mut window = vec![0; 64 << 10];
        self.measure("gunzip", |_, watch| {
            let bytes = watch.time(|| -> io::Result<u64> {
                let mut bytes = 0;
                for packed in &packed.packed {
                    let mut input = Unpacked::new(packed.as_ref(), u64::MAX)?;
                    loop {
                        match input.read(&mut window)? {
                            0 => break,
                            read => bytes += read as u64,
                        }
                    }
                }
                Ok(bytes)
            })??;
            Ok(format!("{} MB", bytes / 1_000_000))
        })
    }

    fn split(&mut self) -> Result<()> {
        self.measure("split", |objects, watch| {
            let found = watch.time(|| -> Result<u64> {
                let mut found = 0;
                for json in objects {
                    let mut splitter = Splitter::new(json.as_slice(), 1 << 20);
                    while let Some(item) = splitter.next()? {
                        found += u64::from(matches!(item, Item::Element(_)));
                    }
                }
                Ok(found)
            })??;
            Ok(format!("{found} records"))
        })
    }

    fn parse(&mut self) -> Result<()> {
        self.measure("parse", |objects, watch| {
            let mut parsed = 0_u64;
            in_slices(objects, |slice| {
                parsed += watch.time(|| slice.iter().filter(|raw| Trail::parse(raw).is_ok()).count() as u64)?;
                Ok(())
            })?;
            Ok(format!("{parsed} records"))
        })
    }

    fn ledger(&mut self) -> Result<()> {
        self.measure("id, ledger, seen", |objects, watch| {
            let seen = Seen::new(200_000);
            let counts = Arc::new(Counts::new("bench"));
            let (told, _news) = mpsc::channel(1);
            let entry = ObjectEntry::enter(Arc::clone(&counts), 0, told.try_reserve_owned().ok());
            in_trails(objects, |trails| {
                watch.time(|| {
                    for trail in trails {
                        let record = entry.record();
                        let account = trail.account().unwrap_or("unknown");
                        let id = id::event_id(trail, account);
                        let _admission = seen.admit(RecordKey::new(account, &id), &record);
                        record.ends_as(Outcome::Delivered);
                        record.piece().settle(cspm_relay::ack::Settled::Delivered);
                    }
                })
            })?;
            entry.decoded();
            drop(entry);
            let ended = counts.snapshot();
            Ok(format!("{} delivered, {} duplicate", ended.ended(Outcome::Delivered), ended.ended(Outcome::Duplicate)))
        })
    }

    fn matching(&mut self, set: &Set) -> Result<()> {
        let mut matcher = set.rules.matcher();
        self.measure(&format!("match, {} rules", set.name), |objects, watch| {
            let mut hits = 0_u64;
            in_trails(objects, |trails| {
                hits += watch.time(|| trails.iter().map(|trail| matcher.matches(trail).len() as u64).sum::<u64>())?;
                Ok(())
            })?;
            Ok(format!("{hits} hits"))
        })
    }

    fn log(&mut self) -> Result<()> {
        self.measure("log encode, masked", |objects, watch| {
            let (mut item, mut bytes) = (Vec::new(), 0);
            in_trails(objects, |trails| {
                watch.time(|| {
                    for trail in trails {
                        let account = trail.account().unwrap_or("unknown");
                        let attributes = LogAttributes {
                            timestamp_ms: trail.time_ms,
                            late: false,
                            event_id: trail.event_id.or_empty(),
                            account_id: account,
                            account_name: account,
                            source: "bench",
                        };
                        let _cut = push_log(&mut item, trail, &attributes, true, BODY);
                        bytes += item.len() as u64;
                    }
                })
            })?;
            Ok(format!("{} MB", bytes / 1_000_000))
        })
    }

    fn events(&mut self, set: &Set) -> Result<()> {
        let mut matcher = set.rules.matcher();
        let enricher = Enricher::new(AccountNames::default(), "UTC")?;
        let mut item = Vec::new();
        let mut encoded = 0_u64;
        self.measure("event encode, enriched", |objects, watch| {
            let mut bytes = 0;
            encoded = 0;
            in_trails(objects, |trails| {
                let found: Vec<_> = trails
                    .iter()
                    .filter_map(|trail| Some((trail, matcher.matches(trail).to_vec())).filter(|(_, hits)| !hits.is_empty()))
                    .collect();
                watch.time(|| {
                    for (trail, hits) in &found {
                        let meaning = enricher.enrich(trail, trail.account().unwrap_or("unknown"));
                        let event_id = trail.event_id.or_empty();
                        let classified = Classified { trail, event_id, enriched: &meaning, hits, novelty: None };
                        for at in 0..hits.len() {
                            let arrival = Arrival::of(trail.time_ms, NOW_MS);
                            let _cut = push_security_event(&mut item, &classified, at, arrival, "bench");
                            bytes += item.len() as u64;
                            encoded += 1;
                        }
                    }
                })
            })?;
            Ok(format!("per event, {} rules: {encoded} events, {} bytes each", set.name, bytes / encoded.max(1)))
        })?;
        let row = self.rows.last_mut().context("just measured")?;
        (row.records, row.json_bytes) = (encoded, 0);
        Ok(())
    }

    fn gzip(&mut self) -> Result<()> {
        self.measure("gzip 1 of raw bodies", |objects, watch| {
            let bytes = watch.time(|| -> io::Result<u64> {
                let mut bytes = 0;
                // About the size of a body each.
                for body in objects {
                    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(1));
                    encoder.write_all(body)?;
                    bytes += encoder.finish()?.len() as u64;
                }
                Ok(bytes)
            })??;
            Ok(format!("{} MB", bytes / 1_000_000))
        })
    }
}

/// Gives the raw records in slices.
fn in_slices(objects: &[Vec<u8>], mut work: impl FnMut(&[&[u8]]) -> Result<()>) -> Result<()> {
    for json in objects {
        let file: File<'_> = serde_json::from_slice(json)?;
        let records: Vec<&[u8]> = file.records.iter().map(|raw| raw.get().as_bytes()).collect();
        for slice in records.chunks(SLICE) {
            work(slice)?;
        }
    }
    Ok(())
}

/// Gives the parsed records in slices.
fn in_trails(objects: &[Vec<u8>], mut work: impl FnMut(&[Trail<'_>]) -> Result<()>) -> Result<()> {
    in_slices(objects, |slice| {
        let trails: Vec<Trail<'_>> = slice.iter().filter_map(|raw| Trail::parse(raw).ok()).collect();
        work(&trails)
    })
}

#[derive(serde::Deserialize)]
struct File<'a> {
    #[serde(rename = "Records", borrow)]
    records: Vec<&'a serde_json::value::RawValue>,
}
