//! `dlq replay`: letters once more.
//!
//! In: sheets of letters. Out: records and objects through the whole pipeline, refused events and logs straight to their API;
//! every letter of which everything settled well is taken away, every other one stays as it is, with its reason printed. What
//! always holds: a letter goes only after New Relic's answer, so a crash in between repeats the same ids and loses nothing;
//! nothing is written into the dead letters, so what fails again is there once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::super::accounts;
use super::super::assemble::{self, Manner};
use super::super::exit::{Exit, Stop};
use super::super::replay::lend_keys;
use super::super::table::table;
use super::resend::{Item, Resend, item};
use super::{Format, Where, counts, harmless, say};
use crate::ack::counts::Snapshot;
use crate::ack::{Outcome, Verdict};
use crate::clock::Clock;
use crate::config::env::Process;
use crate::config::{Config, Environment, Need, Place, SourceKind};
use crate::deliver::letter::LetterKind;
use crate::deliver::mailbox::{Line, Mailbox, Sheet};
use crate::deliver::park::Target;
use crate::deliver::{Endpoint, Letter, Patience};
use crate::health;
use crate::pipeline::changes::Rest;
use crate::pipeline::worker::Stages;
use crate::pipeline::{Relay, Running, To, rollups};
use crate::record::id::digest_id;
use crate::source::aws;
use crate::source::bucket::Bucket;
use crate::source::letters::{Again, End, Letters};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Where,
    /// Only the letter of this id; may be given more than once
    #[arg(long = "id", value_name = "ID")]
    ids: Vec<String>,
    /// Say what would be sent, send nothing, change nothing
    #[arg(long)]
    dry_run: bool,
    /// Base URL in place of New Relic's Event and Log API: a stand-in, which needs no key, or a proxy
    #[arg(long, value_name = "URL")]
    to: Option<String>,
}

/// The environment with other addresses: `--to` is checked like the variables it stands for.
struct Elsewhere<'a> {
    to: &'a str,
}

impl Environment for Elsewhere<'_> {
    fn get(&self, name: &str) -> Option<std::ffi::OsString> {
        match name {
            "NEW_RELIC_INSIGHTS_BASE_URL" | "NEW_RELIC_LOGS_BASE_URL" | "NEW_RELIC_OTLP_BASE_URL" => Some(self.to.into()),
            other => Process.get(other),
        }
    }

    fn names(&self) -> Vec<String> {
        Process.names()
    }
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    let need = if args.dry_run { Need::LOCAL } else { Need::SEND };
    let config = match &args.to {
        Some(to) => elsewhere(&args.place, need, to)?,
        None => args.place.load(need, &Process)?,
    };
    health::log::start(&config.telemetry)?;
    let mut mailbox = Mailbox::new(args.place.target(&config).await?);
    let mut replay = Replay::new(config, args.ids.into_iter().collect(), args.dry_run)?;
    let stop = super::super::stop_signal().boxed().shared();
    if !args.dry_run {
        accounts::once(&replay.stages, &replay.config, stop.clone()).await?;
    }
    while replay.blocked.is_none() && stop.peek().is_none() {
        let sheets = replay.gather(&mut mailbox, &stop).await;
        if sheets.is_empty() {
            break;
        }
        let lines: Vec<&Line> = sheets.iter().flat_map(|sheet| &sheet.lines).collect();
        let done = tokio::select! {
            done = replay.lines(&lines, &stop) => done?,
            () = mailbox.hold() => continue,
        };
        let mut first = 0;
        for sheet in &sheets {
            let end = first + sheet.lines.len();
            let of_sheet = done.range(first..end).map(|at| at - first).collect();
            first = end;
            if let Err(error) = mailbox.remove(sheet, &of_sheet).await {
                counts::doubt(&replay.stages.rollups, sheet, &of_sheet, &mut replay.by_path);
                replay.failed(&format!("{error}; what was sent will be sent again, with the same ids"));
            }
        }
    }
    if let Err(error) = mailbox.close().await {
        say(&format!("warning: {error}; they show again by themselves within two minutes"));
    }
    if let Some(endpoint) = replay.endpoint.clone() {
        counts::send(&replay.stages, endpoint, &replay.config.limits, &replay.clock, &stop).await;
    }
    replay.told_missing();
    super::super::print(&match args.place.format {
        Format::Text => replay.text(),
        Format::Json => replay.json().to_string() + "\n",
    })?;
    Ok(replay.exit())
}

/// The configuration with other addresses. Keys that are written are used, a proxy needs them; where none are, those of our
/// stand-in are, as in `replay --to`.
fn elsewhere(place: &Where, need: Need, to: &str) -> Result<Config, Stop> {
    let env = Elsewhere { to };
    let faults = match Config::load_for(need, place.config.as_deref(), &env) {
        Ok(config) => return Ok(config),
        Err(faults) => faults,
    };
    let absent = |key: &str| faults.list().iter().any(|fault| &*fault.path == key && fault.place == Place::Nowhere);
    if absent("newrelic.licenseKey") && absent("newrelic.accountId") {
        let mut config = place.load(Need::LOCAL, &env)?;
        lend_keys(&mut config);
        return Ok(config);
    }
    Err(Stop::usage(faults.to_string(), None))
}

/// So many letters, or bytes of them, go through the pipeline at once: starting it and waiting for its last answers takes a good
/// part of a second, and most files hold one letter.
const TOGETHER: usize = 500;
const TOGETHER_BYTES: usize = 8 << 20;

pub(super) type StopSignal = Shared<BoxFuture<'static, ()>>;

/// As the agent: what lies in the dead letters was never told to anybody, so its notices are sent too, and a record that has
/// become old meanwhile is filed under the present and marked late.
const MANNER: Manner = Manner { notices: true, refuse_late: false, kept: false, rest: Rest::Sent, follow: false, lateness: None };

/// A replay under way.
struct Replay {
    config: Config,
    stages: Arc<Stages>,
    endpoint: Option<Endpoint>,
    clock: Clock,
    buckets: HashMap<Option<String>, Arc<dyn Bucket>>,
    /// Asked for; empty: all.
    ids: BTreeSet<String>,
    dry_run: bool,
    totals: Totals,
    /// Letters that went well in this run.
    done: HashSet<String>,
    /// What the pipeline counted of the letters that go together, by [`Rollups::COUNTERS`](crate::ack::Rollups::COUNTERS).
    by_path: [u64; 3],
    /// New Relic accepts nothing, and what a person can do.
    blocked: Option<&'static str>,
    has_failed: bool,
}

/// What became of the letters.
#[derive(Default)]
struct Totals {
    found: u64,
    replayed: u64,
    passed_over: u64,
    broken: u64,
    /// Ids that were asked for and that no letter has.
    missing: u64,
    would: BTreeMap<String, u64>,
    stayed: Vec<(String, String, String)>,
    /// Records and objects that went through the pipeline.
    path: Snapshot,
    /// Events and logs that were sent as they were.
    items: Snapshot,
}

/// The letters that are asked for, by what is to be done with them. Numbers are positions among all that go together.
#[derive(Default)]
struct Plan {
    again: BTreeMap<String, Vec<(usize, Again)>>,
    items: Vec<Item>,
    /// Letters that repeat another one of them, and which.
    copies: Vec<(usize, usize)>,
    ended: BTreeMap<usize, Result<(), String>>,
}

impl Replay {
    fn new(config: Config, ids: BTreeSet<String>, dry_run: bool) -> Result<Self, Stop> {
        let clock = Clock::system();
        let stages = Arc::new(assemble::stages(&config, clock.clone(), MANNER)?);
        let endpoint = if dry_run {
            None
        } else {
            let made = Endpoint::new(&config.new_relic, config.limits.request_timeout);
            Some(made.map_err(|error| Stop::usage(error.to_string(), None))?)
        };
        Ok(Self {
            config,
            stages,
            endpoint,
            clock,
            buckets: HashMap::new(),
            ids,
            dry_run,
            totals: Totals::default(),
            done: HashSet::new(),
            by_path: [0; 3],
            blocked: None,
            has_failed: false,
        })
    }

    fn failed(&mut self, what: &str) {
        self.has_failed = true;
        say(&format!("error: {}", harmless(what)));
    }

    /// As many sheets as go together; none when all have been given.
    async fn gather(&mut self, mailbox: &mut Mailbox, stop: &StopSignal) -> Vec<Sheet> {
        let (mut sheets, mut lines, mut bytes) = (Vec::new(), 0, 0);
        while lines < TOGETHER && bytes < TOGETHER_BYTES && stop.peek().is_none() {
            let next = tokio::select! {
                next = mailbox.next() => next,
                // What was taken and not given is as it was: a file, or a message that comes up again.
                () = stop.clone() => break,
            };
            match next {
                Ok(None) => break,
                Ok(Some(sheet)) => {
                    lines += sheet.lines.len();
                    bytes += sheet.bytes();
                    sheets.push(sheet);
                }
                Err(error) => self.failed(&error.to_string()),
            }
        }
        sheets
    }

    /// Sends what is asked for; gives the positions of the letters that may be taken away.
    async fn lines(&mut self, lines: &[&Line], stop: &StopSignal) -> anyhow::Result<BTreeSet<usize>> {
        let mut plan = self.plan(lines);
        self.merge(&mut plan);
        let rows: BTreeMap<usize, String> =
            plan.items.iter().filter_map(|item| Some((item.at, item.row()?.to_owned()))).collect();
        self.by_path = [0; 3];
        if let Some(endpoint) = self.endpoint.clone() {
            if !plan.again.is_empty() {
                let before = self.stages.rollups.counted();
                self.path(&endpoint, &mut plan, stop).await;
                for ((by_path, after), before) in self.by_path.iter_mut().zip(self.stages.rollups.counted()).zip(before) {
                    *by_path = after.saturating_sub(before);
                }
            }
            if !plan.items.is_empty() {
                let (limits, rollups) = (&self.config.limits, &self.stages.rollups);
                let resend = Resend { endpoint, limits, clock: self.clock.clone(), rollups };
                let sent = resend.send(std::mem::take(&mut plan.items), stop.clone()).await;
                add(&mut self.totals.items, &sent.counts);
                self.blocked = self.blocked.or(sent.blocked);
                plan.ended.extend(sent.ended);
            }
        }
        for (at, of) in plan.copies {
            if let Some(end) = plan.ended.get(&of).cloned() {
                plan.ended.insert(at, end);
            }
        }
        let mut done = BTreeSet::new();
        for (at, end) in plan.ended {
            let Some((place, letter)) = lines.get(at).and_then(|line| Some((&line.place, line.letter.as_ref().ok()?))) else {
                continue;
            };
            match end {
                Ok(()) => {
                    self.totals.replayed += 1;
                    self.done.insert(letter.id.clone());
                    self.done.extend(rows.get(&at).cloned());
                    done.insert(at);
                }
                Err(why) => self.totals.stayed.push((letter.id.clone(), place.clone(), why)),
            }
        }
        Ok(done)
    }

    fn plan(&mut self, lines: &[&Line]) -> Plan {
        let mut plan = Plan::default();
        let mut first: HashMap<&str, usize> = HashMap::new();
        let now_ms = self.clock.now_ms();
        for (at, line) in lines.iter().enumerate() {
            self.totals.found += 1;
            let letter = match &line.letter {
                Ok(letter) => letter,
                Err(why) => {
                    self.totals.broken += 1;
                    say(&format!("{}: {}", harmless(&line.place), harmless(why)));
                    continue;
                }
            };
            if !self.ids.is_empty() && !self.ids.contains(&letter.id) {
                self.totals.passed_over += 1;
            } else if self.dry_run {
                *self.totals.would.entry(format!("{:?}", letter.kind).to_lowercase()).or_default() += 1;
            } else if self.done.contains(&letter.id) {
                // The same thing was parked twice, and has gone well since.
                plan.ended.insert(at, Ok(()));
            } else if let Some(&of) = first.get(letter.id.as_str()) {
                plan.copies.push((at, of));
            } else {
                first.insert(&letter.id, at);
                // Whatever is not told otherwise was not reached.
                plan.ended.insert(at, Err("stopped before it was sent".to_owned()));
                if let Err(why) = add_to(&mut plan, at, letter, &self.config, now_ms) {
                    plan.ended.insert(at, Err(why));
                }
            }
        }
        plan
    }

    /// Letters of other names may be about the same row, those of earlier versions and edited ones: one of them is sent.
    fn merge(&self, plan: &mut Plan) {
        let Plan { items, copies, ended, .. } = plan;
        let mut first: HashMap<String, usize> = HashMap::new();
        items.retain(|item| {
            let Some(row) = item.row() else { return true };
            if self.done.contains(row) {
                ended.insert(item.at, Ok(()));
                return false;
            }
            let of = *first.entry(row.to_owned()).or_insert(item.at);
            if of != item.at {
                copies.push((item.at, of));
            }
            of == item.at
        });
    }

    /// Records and objects: the whole pipeline, one source per name that they came through.
    async fn path(&mut self, endpoint: &Endpoint, plan: &mut Plan, stop: &StopSignal) {
        let (told, mut letters) = mpsc::channel(64);
        let (mut sources, mut ends) = (Vec::new(), Vec::new());
        for (name, group) in std::mem::take(&mut plan.again) {
            let bucket = self.bucket(&name, &group).await;
            let (positions, again): (Vec<usize>, Vec<Again>) = group.into_iter().unzip();
            let source = Letters::new(again.clone(), bucket, &self.config.limits);
            ends.push((positions, again, source.ends()));
            sources.push(Running::new(&name, source));
        }
        let relay = Relay {
            stages: Arc::clone(&self.stages),
            limits: self.config.limits.clone(),
            to: To::NewRelic { endpoint: Box::new(endpoint.clone()), patience: Patience::GiveUp },
            dead_letters: Target::Told(told),
            heartbeat: None,
            rollups: rollups::EVERY,
            expiry: None,
            posture: None,
            clock: self.clock.clone(),
        };
        let mut why = Reasons::default();
        let listen = async {
            while let Some(letter) = letters.recv().await {
                why.hear(&letter);
            }
        };
        let (summary, ()) = tokio::join!(relay.run(sources, stop.clone(), |_| {}), listen);
        self.blocked = self.blocked.or(summary.blocked);
        for (_, counts) in &summary.sources {
            add(&mut self.totals.path, counts);
        }
        for (name, fault) in &summary.faults {
            self.failed(&format!("replaying letters of {name}: {fault}"));
        }
        for (positions, again, ends) in ends {
            let mut ends = ends.take();
            for (number, (at, again)) in positions.into_iter().zip(again).enumerate() {
                let end = match ends.remove(&number) {
                    Some(End::Well) => Ok(()),
                    Some(End::Missing(why)) => Err(why),
                    Some(End::Back) => Err(self.blocked.map_or_else(|| why.of(&again), str::to_owned)),
                    None => continue,
                };
                plan.ended.insert(at, end);
            }
        }
    }

    /// The bucket for the objects that letters of a source name; in the Region of that source, if it has one.
    async fn bucket(&mut self, source: &str, group: &[(usize, Again)]) -> Option<Arc<dyn Bucket>> {
        group.iter().find(|(_, again)| again.bytes.is_none() && again.origin.starts_with("s3://"))?;
        let region = self.config.sources.iter().find(|found| found.name == source).and_then(|found| match &found.kind {
            SourceKind::TrailBucket { region, .. } => region.clone(),
            SourceKind::EventQueue { .. } => None,
        });
        if let Some(bucket) = self.buckets.get(&region) {
            return Some(Arc::clone(bucket));
        }
        let bucket = aws::bucket(region.as_deref()).await;
        self.buckets.insert(region, Arc::clone(&bucket));
        Some(bucket)
    }

    /// Ids that were asked for and are nowhere.
    fn told_missing(&mut self) {
        let stayed: HashSet<&String> = self.totals.stayed.iter().map(|(id, ..)| id).collect();
        let missing: Vec<&String> = self.ids.iter().filter(|id| !self.done.contains(*id) && !stayed.contains(id)).collect();
        if !missing.is_empty() && !self.dry_run {
            let ids: Vec<&str> = missing.iter().map(|id| id.as_str()).collect();
            say(&format!("no letter has the id {}", harmless(&ids.join(", "))));
            self.totals.missing = missing.len() as u64;
        }
    }

    fn exit(&self) -> Exit {
        if self.blocked.is_some() || self.has_failed {
            Exit::Failed
        } else if self.totals.stayed.is_empty() && self.totals.broken + self.totals.missing == 0 {
            Exit::Good
        } else {
            Exit::Found
        }
    }

    fn text(&self) -> String {
        let totals = &self.totals;
        if self.dry_run {
            let would: Vec<String> = totals.would.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            let would = if would.is_empty() { "nothing".to_owned() } else { would.join(", ") };
            return format!("Would send again: {would}. Nothing was sent or changed.\n");
        }
        let mut text = String::new();
        if !totals.stayed.is_empty() {
            let cell = |text: &String| harmless(text);
            let rows: Vec<Vec<String>> =
                totals.stayed.iter().map(|(id, place, why)| vec![cell(id), cell(place), cell(why)]).collect();
            text += &table(&["stayed", "where", "why"], &rows);
            text.push('\n');
        }
        let stayed = totals.stayed.len() as u64;
        let letters =
            [("replayed", totals.replayed), ("stayed", stayed), ("not asked for", totals.passed_over), ("broken", totals.broken)];
        text += &equation("letters found", totals.found, letters);
        let (path, items) = (&totals.path, &totals.items);
        if path.objects_received > 0 {
            let objects = Verdict::ALL.map(|verdict| (verdict.as_str(), path.objects_ended(verdict)));
            text += &equation("objects received", path.objects_received, objects);
            let records = Outcome::ALL.map(|outcome| (outcome.as_str(), path.ended(outcome)));
            text += &equation("records received", path.records_received, records);
        }
        if items.records_received > 0 {
            let ends = [Outcome::Delivered, Outcome::Rejected, Outcome::Returned];
            text += &equation("items sent", items.records_received, ends.map(|end| (end.as_str(), items.ended(end))));
        }
        text
    }

    fn json(&self) -> Value {
        let totals = &self.totals;
        let stayed = totals.stayed.iter().map(|(id, place, why)| json!({ "id": id, "place": place, "why": why }));
        let ended = |counts: &Snapshot| -> BTreeMap<&str, u64> {
            Outcome::ALL.iter().map(|outcome| (outcome.as_str(), counts.ended(*outcome))).collect()
        };
        let objects: BTreeMap<&str, u64> =
            Verdict::ALL.iter().map(|verdict| (verdict.as_str(), totals.path.objects_ended(*verdict))).collect();
        json!({
            "dryRun": self.dry_run,
            "letters": {
                "found": totals.found, "replayed": totals.replayed, "stayed": totals.stayed.len(),
                "notAskedFor": totals.passed_over, "broken": totals.broken, "missing": totals.missing, "would": totals.would,
            },
            "stayed": stayed.collect::<Vec<_>>(),
            "objects": { "received": totals.path.objects_received, "ended": objects },
            "records": { "received": totals.path.records_received, "ended": ended(&totals.path) },
            "items": { "received": totals.items.records_received, "ended": ended(&totals.items) },
            "blocked": self.blocked,
        })
    }
}

/// Puts a letter where it belongs.
fn add_to(plan: &mut Plan, at: usize, letter: &Letter, config: &Config, now_ms: i64) -> Result<(), String> {
    let bytes = letter.bytes().map_err(|error| format!("its contentBase64 is no base64: {error}"))?;
    match letter.kind {
        LetterKind::Record | LetterKind::Object => {
            if letter.origin.is_empty() {
                return Err("it does not say where it came from".to_owned());
            }
            if letter.kind == LetterKind::Record {
                // What is cut off would count as a gap in the object that it came from, once per replay.
                serde_json::from_slice::<IgnoredAny>(&bytes).map_err(|error| format!("still no whole record: {error}"))?;
            }
            let bytes = (letter.kind == LetterKind::Record).then(|| Bytes::from(bytes));
            // A name of its own where none is known: `relay.source` must not be empty.
            let source = if letter.source.is_empty() { "dlq" } else { &letter.source };
            let again = Again { origin: letter.origin.clone(), version: letter.version_id.clone(), index: letter.index, bytes };
            plan.again.entry(source.to_owned()).or_default().push((at, again));
        }
        LetterKind::Message => {
            return Err(
                "a queue message that was not understood: send it to its queue again once the sender is mended".to_owned()
            );
        }
        LetterKind::Event | LetterKind::Log => plan.items.push(item(at, letter, &bytes, &config.limits, now_ms)?),
    }
    Ok(())
}

/// Why records and objects failed again, as far as letters would have said.
#[derive(Default)]
struct Reasons {
    by_content: HashMap<(String, String), String>,
    by_origin: HashMap<String, String>,
}

/// Reasons remembered at most, of letters that go together: an object may hold a million broken records.
const REASONS: usize = 10_000;

impl Reasons {
    fn hear(&mut self, letter: &Letter) {
        if self.by_content.len() < REASONS {
            let content = digest_id(&[&letter.bytes().unwrap_or_default()]);
            self.by_content.entry((letter.origin.clone(), content)).or_insert_with(|| letter.reason.clone());
            let of_origin = self.by_origin.entry(letter.origin.clone()).or_insert_with(|| letter.reason.clone());
            if letter.origin.is_empty() && *of_origin != letter.reason {
                // A refused item does not say which record it came from: with several reasons none can be told.
                "New Relic refused an event or a log of it: see the letter about that".clone_into(of_origin);
            }
        }
    }

    fn of(&self, again: &Again) -> String {
        let of_content = again.bytes.as_ref().and_then(|bytes| self.by_content.get(&(again.origin.clone(), digest_id(&[bytes]))));
        let of_object = || if again.bytes.is_none() { self.by_origin.get(&again.origin) } else { None };
        let of_item = || self.by_origin.get("");
        let reason = of_content.or_else(of_object).or_else(of_item);
        reason.cloned().unwrap_or_else(|| "not everything of it was accepted before the end".to_owned())
    }
}

fn equation<const N: usize>(name: &str, received: u64, ends: [(&str, u64); N]) -> String {
    let ends = ends.map(|(name, count)| format!("{count} {name}"));
    format!("{name} {received} = {}\n", ends.join(" + "))
}

/// Adds counts to the totals.
fn add(totals: &mut Snapshot, more: &Snapshot) {
    totals.records_received += more.records_received;
    totals.objects_received += more.objects_received;
    for (total, more) in totals.records.iter_mut().zip(more.records) {
        *total += more;
    }
    for (total, more) in totals.objects.iter_mut().zip(more.objects) {
        *total += more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_find_their_letter() {
        let mut why = Reasons::default();
        let again = |origin: &str, bytes: Option<&'static [u8]>| Again {
            origin: origin.into(),
            version: None,
            index: None,
            bytes: bytes.map(Bytes::from_static),
        };
        assert!(why.of(&again("s3://b/k", Some(b"1"))).starts_with("not everything"));
        for (content, reason) in [("1", "first"), ("2", "second")] {
            why.hear(&Letter::new(LetterKind::Record, 0, "s", "s3://b/k", Some(0), reason, content.as_bytes()));
        }
        assert_eq!(why.of(&again("s3://b/k", Some(b"2"))), "second");
        assert_eq!(why.of(&again("s3://b/k", None)), "first");
        assert!(why.of(&again("s3://b/k", Some(b"3"))).starts_with("not everything"));
        why.hear(&Letter::new(LetterKind::Event, 0, "", "", None, "refused", b"{}"));
        assert_eq!(why.of(&again("s3://b/k", Some(b"3"))), "refused");
    }

    #[test]
    fn equations_are_written_out() {
        assert_eq!(equation("letters found", 3, [("replayed", 2), ("stayed", 1)]), "letters found 3 = 2 replayed + 1 stayed\n");
    }
}
