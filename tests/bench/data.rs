//! What the benchmarks read: the real records of `tests/fixtures/cloudtrail`, resampled.
//!
//! In: the fixture folder. Out: any number of records, each a copy of a real one with an `eventID` of its own, in gzip
//! objects of the form in which a trail delivers them. The same arguments give the same bytes.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use cspm_relay::record::{Trail, time};
use flate2::Compression;
use flate2::write::{GzDecoder, GzEncoder};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Length of a UUID as text.
const ID: usize = 36;
/// gzip level of made objects.
const LEVEL: u32 = 6;

#[derive(Deserialize)]
struct File<'a> {
    #[serde(rename = "Records", borrow)]
    records: Vec<&'a RawValue>,
}

/// A real record, with the places of what is made new in each copy.
struct Template {
    text: Vec<u8>,
    id_at: usize,
    time_at: Option<usize>,
    call: String,
}

/// The real records.
pub(crate) struct Templates(Vec<Template>);

/// Objects in memory, packed.
pub(crate) struct Objects {
    pub(crate) packed: Vec<Bytes>,
    pub(crate) records: u64,
    pub(crate) json_bytes: u64,
}

impl Templates {
    /// Reads every `*.json.gz` below `tests/fixtures/cloudtrail`.
    pub(crate) fn read() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cloudtrail");
        let mut files = Vec::new();
        walk(&root, &mut files)?;
        files.sort();
        let mut templates = Vec::new();
        for path in files {
            let mut decoder = GzDecoder::new(Vec::new());
            decoder.write_all(&std::fs::read(&path)?)?;
            let json = decoder.finish()?;
            let file: File<'_> = serde_json::from_slice(&json).with_context(|| format!("reading {}", path.display()))?;
            templates.extend(file.records.iter().filter_map(|raw| Template::of(raw.get())));
        }
        ensure!(templates.len() > 1_000, "only {} records below {}: at least 1,000 are needed", templates.len(), root.display());
        Ok(Self(templates))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// `eventSource` and `eventName` of the commonest calls, commonest first.
    pub(crate) fn commonest_calls(&self, most: usize) -> Vec<(String, String)> {
        let mut counts = std::collections::BTreeMap::<&str, usize>::new();
        for template in &self.0 {
            *counts.entry(&template.call).or_default() += 1;
        }
        let mut calls: Vec<_> = counts.into_iter().collect();
        calls.sort_by_key(|(call, count)| (std::cmp::Reverse(*count), *call));
        let split = |(call, _): (&str, usize)| call.split_once(' ').map(|(source, name)| (source.to_owned(), name.to_owned()));
        calls.into_iter().filter_map(split).take(most).collect()
    }

    /// `records` records in objects of `per_object`.
    pub(crate) fn objects(&self, records: usize, per_object: usize) -> Result<Objects> {
        let mut made = Objects { packed: Vec::new(), records: 0, json_bytes: 0 };
        let mut maker = self.maker(records, records.div_ceil(per_object), None);
        while let Some(packed) = maker.next()? {
            made.packed.push(packed.into());
        }
        (made.records, made.json_bytes) = (maker.records, maker.json_bytes);
        Ok(made)
    }

    /// Makes objects one by one. `end_ms`: record times are spread over the day before it; else they stay.
    pub(crate) fn maker(&self, records: usize, objects: usize, end_ms: Option<i64>) -> Maker<'_> {
        Maker { templates: self, rng: fastrand::Rng::with_seed(7), left: records, objects, end_ms, records: 0, json_bytes: 0 }
    }
}

/// Makes one object after the other.
pub(crate) struct Maker<'t> {
    templates: &'t Templates,
    rng: fastrand::Rng,
    /// Records to come.
    left: usize,
    /// Objects to come.
    objects: usize,
    end_ms: Option<i64>,
    pub(crate) records: u64,
    json_bytes: u64,
}

impl Maker<'_> {
    /// The next object, gzip; `None` when there are enough.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>> {
        if self.left == 0 || self.objects == 0 {
            return Ok(None);
        }
        let take = self.left.div_ceil(self.objects);
        self.left -= take;
        self.objects -= 1;
        let mut json = b"{\"Records\":[".to_vec();
        for at in 0..take {
            if at > 0 {
                json.push(b',');
            }
            let any = self.rng.usize(..self.templates.0.len());
            let Some(template) = self.templates.0.get(any) else { continue };
            let from = json.len();
            json.extend_from_slice(&template.text);
            let copy = json.get_mut(from..).unwrap_or_default();
            put(copy, template.id_at, &self.uuid());
            if let (Some(end_ms), Some(time_at)) = (self.end_ms, template.time_at) {
                let ms = (end_ms - self.rng.i64(0..86_400_000)) / 1_000 * 1_000;
                put(copy, time_at, &time::format_ms(ms));
            }
        }
        json.extend_from_slice(b"]}");
        self.records += take as u64;
        self.json_bytes += json.len() as u64;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(LEVEL));
        encoder.write_all(&json)?;
        Ok(Some(encoder.finish()?))
    }

    fn uuid(&mut self) -> String {
        let hex = format!("{:032x}", self.rng.u128(..));
        let mut text = String::with_capacity(ID);
        for (at, digit) in hex.chars().enumerate() {
            if matches!(at, 8 | 12 | 16 | 20) {
                text.push('-');
            }
            text.push(digit);
        }
        text
    }
}

impl Template {
    /// `None`: a record whose id cannot be made new in place.
    fn of(raw: &str) -> Option<Self> {
        let trail = Trail::parse(raw.as_bytes()).ok()?;
        let id = trail.event_id.get().filter(|id| id.len() == ID)?;
        let mut places = raw.match_indices(id).map(|(at, _)| at);
        let (Some(id_at), None) = (places.next(), places.next()) else { return None };
        let time = trail.event_time.get().filter(|time| time.len() == "2026-01-01T00:00:00Z".len());
        let time_at =
            time.and_then(|time| raw.find(&format!("\"eventTime\":\"{time}\""))).map(|at| at + "\"eventTime\":\"".len());
        let call = format!("{} {}", trail.event_source.or_empty(), trail.event_name.or_empty());
        Some(Self { text: raw.as_bytes().to_vec(), id_at, time_at, call })
    }
}

/// Writes `new` over what stands at `at`.
fn put(text: &mut [u8], at: usize, new: &str) {
    if let Some(place) = text.get_mut(at..at + new.len()) {
        place.copy_from_slice(new.as_bytes());
    }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "gz") {
            files.push(path);
        }
    }
    Ok(())
}
