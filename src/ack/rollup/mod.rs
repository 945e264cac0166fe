//! The counting ledger of the roll-up metrics.
//!
//! In: series that a worker asks for ([`Rollups::tally`]), and what the ledger of records says of their events. Out: per series,
//! how much was counted since it was taken last ([`Rollups::take`]), and by how much that may be too much. What always holds: a
//! count is in one place only: waiting here, or in a [`Taken`] that is under way; who cannot send it puts it back; at most
//! [`SERIES_MAX`] series of a counter are known in a day, everything beyond is counted in one named series.
//!
//! A record is counted when it has ended well and its event was accepted, so that refusals, retries and splits change nothing.
//! What nobody can know (an answer that was lost, an object that a source offers again, or tells of twice, past files, a copy too many
//! to wait for the first) is counted as a doubt.
//!
//! How far a sum may be off: too high by its doubts, too low by what a process that was killed had taken in since it sent last, a
//! minute at most. Beyond that nothing is known between processes: two notifications of one object that two agents take, or one agent
//! before and after a restart, count twice and raise no doubt; the bound of series holds for one process.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

#[cfg(test)]
mod tests;

/// Most series of one counter in a day (UTC), per process: half of what New Relic takes per metric and day, so that a second agent
/// with other accounts has room.
pub const SERIES_MAX: usize = 50_000;

/// Longest value of an attribute, bytes: what is longer in a record is nothing to facet on.
const VALUE_BYTES: usize = 128;

/// Between two values of a key; no value holds it.
const BETWEEN: char = '\u{1f}';

/// Every value of the series that takes what is too much.
pub const OVERFLOW: &str = "overflow";

/// What is said where a record says nothing.
const UNKNOWN: &str = "unknown";

const DAY_MS: i64 = 24 * 3_600_000;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    /// AWS records of which an event or a log was accepted, and those that are counted instead of being sent.
    Records,
    /// Detections (record × rule) that were accepted.
    Detections,
    /// Transitions of findings that were accepted.
    Findings,
    /// By how much one of the others may be too high.
    MaybeDouble,
}

impl Counter {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Records, Self::Detections, Self::Findings, Self::MaybeDouble];

    /// Name of its metric.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Records => "cspm.records",
            Self::Detections => "cspm.detections",
            Self::Findings => "cspm.findings",
            Self::MaybeDouble => "cspm.rollup.maybeDouble",
        }
    }

    /// Names of the attributes of its series, in the order of their values.
    #[must_use]
    pub const fn attributes(self) -> &'static [&'static str] {
        match self {
            Self::Records => &["aws.accountId", "aws.region", "aws.service", "record.kind"],
            Self::Detections => &["aws.accountId", "aws.region", "aws.service", "control.severity", "control.id"],
            Self::Findings => {
                &["aws.accountId", "aws.region", "aws.service", "control.severity", "control.id", "finding.transition"]
            }
            Self::MaybeDouble => &["rollup.metric"],
        }
    }
}

/// One combination of attributes of one counter.
#[derive(Debug)]
pub struct Series {
    counter: Counter,
    /// Its values, [`BETWEEN`] them.
    key: Box<str>,
    pending: AtomicU64,
    /// Where doubts about it are counted; `None`: it counts doubts itself.
    doubts: Option<Arc<Series>>,
}

impl Series {
    fn new(counter: Counter, key: &str, doubts: Option<Arc<Self>>) -> Arc<Self> {
        Arc::new(Self { counter, key: key.into(), pending: AtomicU64::new(0), doubts })
    }

    /// What it counts.
    #[must_use]
    pub fn counter(&self) -> Counter {
        self.counter
    }

    /// Its attributes: name and value.
    pub fn attributes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.counter.attributes().iter().copied().zip(self.key.split(BETWEEN))
    }

    /// Whether it takes what is beyond [`SERIES_MAX`].
    #[must_use]
    pub fn is_overflow(&self) -> bool {
        self.key.split(BETWEEN).all(|value| value == OVERFLOW)
    }
}

/// A series as the table knows it: by its key.
#[derive(Debug)]
struct Entry(Arc<Series>);

impl Borrow<str> for Entry {
    fn borrow(&self) -> &str {
        &self.0.key
    }
}

impl Hash for Entry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let key: &str = self.borrow();
        key.hash(state);
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.0.key == other.0.key
    }
}

impl Eq for Entry {}

/// What one piece adds to a series once it was accepted.
#[derive(Debug, Clone)]
pub struct Tally {
    series: Arc<Series>,
    amount: u64,
}

impl Tally {
    /// Where it counts.
    #[must_use]
    pub fn series(&self) -> &Series {
        &self.series
    }

    /// Adds it.
    pub(super) fn count(&self) {
        self.series.pending.fetch_add(self.amount, Relaxed);
    }

    /// It may be counted twice.
    pub(super) fn doubt(&self) {
        if let Some(doubts) = &self.series.doubts {
            doubts.pending.fetch_add(self.amount, Relaxed);
        }
    }
}

/// What was counted in a series, on its way to New Relic.
#[derive(Debug)]
pub struct Taken(Tally);

impl Taken {
    /// Where it was counted.
    #[must_use]
    pub fn series(&self) -> &Series {
        &self.0.series
    }

    /// How much, at least 1.
    #[must_use]
    pub fn amount(&self) -> u64 {
        self.0.amount
    }

    /// What a request that holds it puts at stake: a lost answer may mean that it is counted twice.
    #[must_use]
    pub fn stake(&self) -> Tally {
        self.0.clone()
    }
}

/// The series of one counter.
#[derive(Debug)]
struct Table {
    known: HashSet<Entry>,
    /// Of days before, as long as somebody may count in them.
    left: Vec<Arc<Series>>,
    overflow: Arc<Series>,
    doubts: Option<Arc<Series>>,
    /// Days since the epoch.
    day: i64,
    /// A key while it is put together.
    key: String,
}

impl Table {
    fn new(counter: Counter, doubts: Option<Arc<Series>>) -> Self {
        let key = vec![OVERFLOW; counter.attributes().len()].join(&String::from(BETWEEN));
        let overflow = Series::new(counter, &key, doubts.clone());
        Self { known: HashSet::new(), left: Vec::new(), overflow, doubts, day: 0, key: String::new() }
    }

    fn series(&mut self, counter: Counter, values: &[&str], most: usize) -> Arc<Series> {
        self.key.clear();
        for (nth, _) in counter.attributes().iter().enumerate() {
            if nth > 0 {
                self.key.push(BETWEEN);
            }
            let value = values.get(nth).copied().filter(|value| !value.is_empty()).unwrap_or(UNKNOWN);
            push_value(&mut self.key, value);
        }
        if let Some(Entry(series)) = self.known.get(self.key.as_str()) {
            return Arc::clone(series);
        }
        if self.known.len() >= most {
            return Arc::clone(&self.overflow);
        }
        let series = Series::new(counter, &self.key, self.doubts.clone());
        self.known.insert(Entry(Arc::clone(&series)));
        series
    }

    /// Begins a new day with no series known.
    fn turn(&mut self, day: i64) {
        if self.day != day {
            self.day = day;
            self.left.extend(self.known.drain().map(|Entry(series)| series));
        }
    }

    /// What waits in its series.
    fn pending(&self) -> u64 {
        let series = self.known.iter().map(|Entry(series)| series).chain(&self.left).chain([&self.overflow]);
        series.map(|series| series.pending.load(Relaxed)).sum()
    }

    fn take(&mut self, taken: &mut Vec<Taken>) {
        let series = self.known.iter().map(|Entry(series)| series).chain(&self.left).chain([&self.overflow]);
        for series in series {
            let amount = series.pending.swap(0, Relaxed);
            if amount > 0 {
                taken.push(Taken(Tally { series: Arc::clone(series), amount }));
            }
        }
        // Nobody else holds it, and nothing waits in it: it is over.
        self.left.retain_mut(|series| Arc::get_mut(series).is_none_or(|series| *series.pending.get_mut() > 0));
    }
}

/// A value cut to its length, without what separates two of them.
fn push_value(key: &mut String, value: &str) {
    let end = if value.len() <= VALUE_BYTES { value.len() } else { value.floor_char_boundary(VALUE_BYTES) };
    let value = value.get(..end).unwrap_or(value);
    if value.contains(BETWEEN) {
        key.extend(value.chars().map(|c| if c == BETWEEN { ' ' } else { c }));
    } else {
        key.push_str(value);
    }
}

/// Everything that is counted.
#[derive(Debug)]
pub struct Rollups {
    /// Of [`Counter::Records`], [`Counter::Detections`] and [`Counter::Findings`]; `None`: nothing is counted.
    tables: Option<[Mutex<Table>; 3]>,
    doubts: Vec<Arc<Series>>,
    most: usize,
    /// Counts that New Relic refused for good.
    refused: AtomicU64,
    /// Counts in overflow series that were sent.
    overflowed: AtomicU64,
    /// Counts that were accepted.
    sent: AtomicU64,
    /// Counts that were taken, and neither sent nor refused nor put back.
    under_way: AtomicU64,
    /// Counts that were taken and not put back, by [`Rollups::COUNTERS`].
    taken: [AtomicU64; 3],
}

/// How the roll-ups stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RollupTallies {
    /// Series known today of the counter that has most.
    pub series: u64,
    /// Counts that are in an overflow series, since the start.
    pub overflowed: u64,
    /// Counts that New Relic refused for good, since the start.
    pub refused: u64,
    /// Counts that New Relic accepted, since the start.
    pub sent: u64,
}

impl RollupTallies {
    /// What became of counts since `before`; series are those of now.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            series: self.series,
            overflowed: self.overflowed.saturating_sub(before.overflowed),
            refused: self.refused.saturating_sub(before.refused),
            sent: self.sent.saturating_sub(before.sent),
        }
    }
}

impl Rollups {
    /// What counts AWS's facts, in the order of [`Rollups::counted`].
    pub const COUNTERS: [Counter; 3] = [Counter::Records, Counter::Detections, Counter::Findings];

    /// Counts, if it `counts`.
    #[must_use]
    pub fn new(counts: bool) -> Arc<Self> {
        Self::with_most(counts, SERIES_MAX)
    }

    fn with_most(counts: bool, most: usize) -> Arc<Self> {
        let doubts = Self::COUNTERS.map(|counter| Series::new(Counter::MaybeDouble, counter.name(), None));
        let [records, detections, findings] = &doubts;
        let table = |counter, doubts: &Arc<Series>| Mutex::new(Table::new(counter, Some(Arc::clone(doubts))));
        let tables =
            [table(Counter::Records, records), table(Counter::Detections, detections), table(Counter::Findings, findings)];
        Arc::new(Self {
            tables: counts.then_some(tables),
            doubts: doubts.into(),
            most,
            refused: AtomicU64::new(0),
            overflowed: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            under_way: AtomicU64::new(0),
            taken: Default::default(),
        })
    }

    /// Whether anything is counted.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.tables.is_some()
    }

    /// One more in the series of these values, which stand in the order of [`Counter::attributes`]; one that is missing or empty
    /// is `unknown`. `None`: nothing is counted, or nobody may ask for this counter.
    #[must_use]
    pub fn tally(&self, counter: Counter, values: &[&str]) -> Option<Tally> {
        let [records, detections, findings] = self.tables.as_ref()?;
        let table = match counter {
            Counter::Records => records,
            Counter::Detections => detections,
            Counter::Findings => findings,
            Counter::MaybeDouble => return None,
        };
        let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Tally { series: table.series(counter, values, self.most), amount: 1 })
    }

    /// Takes everything that was counted since the last time, in order of counter and attributes, each series once. On the first
    /// call of a day (UTC) the series of the day before are forgotten.
    #[must_use]
    pub fn take(&self, now_ms: i64) -> Vec<Taken> {
        let mut taken = Vec::new();
        for table in self.tables.iter().flatten() {
            let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
            table.take(&mut taken);
            table.turn(now_ms.div_euclid(DAY_MS));
        }
        for series in &self.doubts {
            let amount = series.pending.swap(0, Relaxed);
            if amount > 0 {
                taken.push(Taken(Tally { series: Arc::clone(series), amount }));
            }
        }
        taken.sort_by(|one, other| {
            let key = |taken: &Taken| taken.series().counter;
            key(one).cmp(&key(other)).then_with(|| one.series().key.cmp(&other.series().key))
        });
        // The same series of two days is one series.
        taken.dedup_by(|later, first| {
            let same = later.series().counter == first.series().counter && later.series().key == first.series().key;
            if same {
                first.0.amount += later.0.amount;
            }
            same
        });
        self.under_way.fetch_add(taken.iter().map(counts_of).sum(), Relaxed);
        for (counter, total) in Self::COUNTERS.into_iter().zip(&self.taken) {
            let of_counter = taken.iter().filter(|taken| taken.series().counter == counter);
            total.fetch_add(of_counter.map(Taken::amount).sum(), Relaxed);
        }
        taken
    }

    /// How much was counted since the start, by [`Rollups::COUNTERS`]: exact while nothing is being taken.
    #[must_use]
    pub fn counted(&self) -> [u64; 3] {
        let mut counted = [0; 3];
        for ((counted, table), taken) in counted.iter_mut().zip(self.tables.iter().flatten()).zip(&self.taken) {
            *counted = table.lock().unwrap_or_else(PoisonError::into_inner).pending() + taken.load(Relaxed);
        }
        counted
    }

    /// Notes that so much of a counter may be counted again by somebody else.
    pub fn doubt(&self, counter: Counter, amount: u64) {
        let of_counter = self.doubts.iter().find(|series| *series.key == *counter.name());
        if let Some(doubts) = of_counter.filter(|_| self.counts()) {
            doubts.pending.fetch_add(amount, Relaxed);
        }
    }

    /// What is not with New Relic yet, here or under way: counts, doubts not among them.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        let of = |table: &Mutex<Table>| table.lock().unwrap_or_else(PoisonError::into_inner).pending();
        self.tables.iter().flatten().map(of).sum::<u64>() + self.under_way.load(Relaxed)
    }

    /// Notes that what was taken was not sent: it is counted with what comes next.
    pub fn put_back(&self, taken: &Taken) {
        taken.0.count();
        for (_, total) in Self::COUNTERS.into_iter().zip(&self.taken).filter(|(counter, _)| *counter == taken.series().counter) {
            total.fetch_sub(taken.amount(), Relaxed);
        }
        self.under_way.fetch_sub(counts_of(taken), Relaxed);
    }

    /// Notes that New Relic accepted what was taken.
    pub fn was_sent(&self, taken: &Taken) {
        let counts = counts_of(taken);
        self.sent.fetch_add(counts, Relaxed);
        self.under_way.fetch_sub(counts, Relaxed);
        if taken.series().is_overflow() {
            self.overflowed.fetch_add(counts, Relaxed);
        }
    }

    /// Notes that New Relic will never accept what was taken.
    pub fn was_refused(&self, taken: &Taken) {
        let counts = counts_of(taken);
        self.refused.fetch_add(counts, Relaxed);
        self.under_way.fetch_sub(counts, Relaxed);
    }

    /// How it stands.
    #[must_use]
    pub fn tallies(&self) -> RollupTallies {
        let known = |table: &Mutex<Table>| table.lock().unwrap_or_else(PoisonError::into_inner).known.len();
        let series = self.tables.iter().flatten().map(known).max().unwrap_or(0);
        RollupTallies {
            series: series as u64,
            overflowed: self.overflowed.load(Relaxed),
            refused: self.refused.load(Relaxed),
            sent: self.sent.load(Relaxed),
        }
    }
}

/// What of it is counts: a doubt is none.
fn counts_of(taken: &Taken) -> u64 {
    if taken.series().counter == Counter::MaybeDouble { 0 } else { taken.amount() }
}
