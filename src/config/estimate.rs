//! How much a month New Relic will count.
//!
//! In: how many records a day, and what is sent. Out: bytes a month per output, and whether the free amount is enough. Pure:
//! no file, no network. It is an estimate from measured sizes and stated shares, not a promise; the heartbeat tells what was
//! really sent.

use std::fmt;
use std::time::Duration;

use super::{Identity, LogRecords, Logs, Outputs, Posture};

/// A month, seconds: 30 days.
const MONTH_SECONDS: u64 = 30 * 86_400;

/// What New Relic counts as one GB, bytes. Pricing page: 10^9.
const GB: u64 = 1_000_000_000;

/// A thousandth of it.
const MB: u64 = GB / 1_000;

/// What costs nothing each month, bytes. Pricing page: 100 GB.
pub const FREE_BYTES: u64 = 100 * GB;

/// A detection or notice, bytes as New Relic counts them. Mean of flattened `CloudTrail` records, measured: 1,352.
const EVENT_BYTES: u64 = 1_300;

/// A raw record as a log, bytes. Mean of compact records, measured: 1,261, and the log's own attributes.
const LOG_BYTES: u64 = 1_400;

/// A heartbeat, bytes: about the size of an event with core attributes only, measured: 925.
const HEARTBEAT_BYTES: u64 = 1_000;

/// A point of a metric, bytes. Measured: 250 to 400.
pub const POINT_BYTES: u64 = 350;

/// Series of one metric that an account has in a minute, at most. Assumed.
const SERIES_OF_ACCOUNT: u64 = 20;

/// Points of `cspm.compliance` an account and summary. Assumed: four states of three severities.
const GAUGES: u64 = 12;

/// Management records of one busy account, a day. Assumed: 200 accounts then make the 100 million a day the design counts with.
pub const RECORDS_PER_ACCOUNT_DAY: u64 = 500_000;

/// Records that a rule of ours matches, per million. Assumed.
const DETECTIONS_PER_MILLION: u64 = 4_000;

/// Detections that also send a notice, per million. Assumed.
const NOTICES_PER_MILLION: u64 = 50_000;

/// Records that changed nothing, per million. Measured: 80 %.
const READ_ONLY_PER_MILLION: u64 = 800_000;

/// Rules of AWS Config in an account and Region. Assumed: what the design counts with.
const RULES: u64 = 150;

/// Resources that violate a rule in an account and Region. Assumed.
const VIOLATIONS_PER_RULE: u64 = 1;

/// Requirements of all frameworks that controls are mapped to, each a row an account and day. Counted: 832.
const REQUIREMENTS: u64 = 830;

/// A summary of an account, bytes. Measured, as the three below: 958.
const SUMMARY_BYTES: u64 = 960;

/// Counts of a rule, bytes. Measured: 515.
const SNAPSHOT_BYTES: u64 = 520;

/// A violation, bytes. Measured: 1,604.
const VIOLATION_BYTES: u64 = 1_600;

/// A requirement of a framework in an account, bytes. Measured: 533.
const FRAMEWORK_BYTES: u64 = 540;

/// Conformance packs in an account and Region, each a row a reading. Assumed.
const PACKS: u64 = 5;

/// A conformance pack, bytes. Assumed, as a summary of less: 500.
const PACK_BYTES: u64 = 500;

/// Users, roles and access keys of an account. Assumed.
const IDENTITIES: u64 = 300;

/// An identity, bytes. Assumed, as the longest of the rows above without their lists: 900.
const IDENTITY_BYTES: u64 = 900;

/// Times a day that counts of rules are sent.
const SNAPSHOTS_A_DAY: u64 = 4;

/// What is to be sent, and how much of it there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Volume {
    /// `CloudTrail` records a day, all accounts and Regions together.
    pub records_per_day: u64,
    /// Sources, each with heartbeats of its own.
    pub sources: u64,
    /// What is read of AWS Config; `None`: nothing.
    pub fleet: Option<Fleet>,
    /// Whose IAM is read; `None`: nobody's.
    pub inventory: Option<Inventory>,
}

/// Accounts whose IAM is read, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inventory {
    /// Accounts.
    pub accounts: u64,
    /// Time between two inventories.
    pub interval: Duration,
}

/// Where AWS Config is read, and how often that is summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fleet {
    /// Accounts.
    pub accounts: u64,
    /// Regions of each.
    pub regions: u64,
    /// Time between two summaries.
    pub summary: Duration,
    /// Time between two readings.
    pub reading: Duration,
}

impl Inventory {
    /// What these settings read; `accounts`: how many there are where the settings name none and an aggregator has them all.
    #[must_use]
    pub fn of(identity: &Identity, accounts: u64) -> Self {
        // Without a role only the agent's own account is read, whatever the aggregator has.
        let known = identity.aggregator.as_ref().and(identity.role.as_ref());
        let accounts = match (identity.accounts.len() as u64, known) {
            (0, Some(_)) => accounts,
            (0, None) => 1,
            (named, _) => named,
        };
        Self { accounts, interval: identity.interval }
    }

    /// Bytes a month.
    fn bytes(self) -> u64 {
        let inventories = MONTH_SECONDS / self.interval.as_secs().max(1);
        self.accounts.saturating_mul(inventories.saturating_mul(IDENTITIES * IDENTITY_BYTES))
    }
}

impl Fleet {
    /// What these settings read; `accounts`: how many there are where the settings name none and an aggregator has them all.
    #[must_use]
    pub fn of(posture: &Posture, accounts: u64) -> Self {
        let named = posture.accounts.len() as u64;
        let accounts = match (named, &posture.aggregator) {
            (0, Some(_)) => accounts,
            (0, None) => 1,
            _ => named,
        };
        Self {
            accounts,
            regions: (posture.regions.len() as u64).max(1),
            summary: posture.summary_interval,
            reading: posture.interval,
        }
    }

    /// Bytes a month of what is sent at an interval: summaries, counts of rules, violations, frameworks and packs.
    fn bytes(self) -> u64 {
        let Self { accounts, regions, summary, reading } = self;
        let summaries = (MONTH_SECONDS / summary.as_secs().max(1)).saturating_mul(SUMMARY_BYTES);
        let of_account = summaries.saturating_add(30 * REQUIREMENTS * FRAMEWORK_BYTES);
        let of_rules = 30 * RULES * (SNAPSHOTS_A_DAY * SNAPSHOT_BYTES + VIOLATIONS_PER_RULE * VIOLATION_BYTES);
        let of_packs = (MONTH_SECONDS / reading.as_secs().max(1)).saturating_mul(PACKS * PACK_BYTES);
        let of_place = of_packs.saturating_add(of_rules);
        accounts.saturating_mul(of_account.saturating_add(regions.saturating_mul(of_place)))
    }
}

impl Volume {
    /// What so many accounts bring when nobody counted.
    #[must_use]
    pub const fn of_accounts(accounts: u64, sources: u64) -> Self {
        Self { records_per_day: accounts.saturating_mul(RECORDS_PER_ACCOUNT_DAY), sources, fleet: None, inventory: None }
    }
}

/// Bytes a month per output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    /// Records a day it was made for.
    pub records_per_day: u64,
    /// Detections.
    pub detections: u64,
    /// Notices.
    pub notices: u64,
    /// Raw records as logs.
    pub logs: u64,
    /// Roll-up metrics.
    pub metrics: u64,
    /// Heartbeats.
    pub heartbeats: u64,
    /// How AWS Config's rules stand, at intervals; changes of it and findings are too unlike from customer to customer.
    pub posture: u64,
    /// Who there is in IAM, at intervals.
    pub identities: u64,
}

/// Bytes a month for this volume and these outputs.
#[must_use]
pub fn estimate(volume: Volume, outputs: &Outputs, heartbeat: Option<Duration>) -> Estimate {
    let records = volume.records_per_day.saturating_mul(30);
    let detected = share(records, DETECTIONS_PER_MILLION);
    let notices = if outputs.notices { share(detected, NOTICES_PER_MILLION) } else { 0 };
    let heartbeats = match heartbeat.map(|every| every.as_secs()) {
        Some(every) if every > 0 => (MONTH_SECONDS / every).saturating_mul(volume.sources),
        _ => 0,
    };
    Estimate {
        records_per_day: volume.records_per_day,
        detections: detected.saturating_mul(EVENT_BYTES),
        notices: notices.saturating_mul(EVENT_BYTES),
        logs: logged(records, detected, outputs.logs).saturating_mul(LOG_BYTES),
        metrics: if outputs.metrics { points(volume, outputs.logs, detected).saturating_mul(POINT_BYTES) } else { 0 },
        heartbeats: heartbeats.saturating_mul(HEARTBEAT_BYTES),
        posture: volume.fleet.map_or(0, Fleet::bytes),
        identities: volume.inventory.map_or(0, Inventory::bytes),
    }
}

/// Points of metrics: one a minute for each series that counted something, and the gauges of each summary.
fn points(volume: Volume, logs: Logs, detected: u64) -> u64 {
    let accounts = volume.records_per_day.div_ceil(RECORDS_PER_ACCOUNT_DAY);
    let most = accounts.saturating_mul(MONTH_SECONDS / 60 * SERIES_OF_ACCOUNT);
    let records = logged(volume.records_per_day.saturating_mul(30), detected, logs).max(detected);
    let gauges = volume.fleet.map_or(0, |fleet| {
        fleet.accounts.saturating_mul((MONTH_SECONDS / fleet.summary.as_secs().max(1)).saturating_mul(GAUGES))
    });
    records.min(most).saturating_add(detected.min(most)).saturating_add(gauges)
}

/// Records that go out as logs. Rules mostly match changes, so leaving out what only read is not counted as a saving there.
fn logged(records: u64, detected: u64, logs: Logs) -> u64 {
    match (logs.records, logs.read_only && !logs.thin) {
        (LogRecords::None, _) => 0,
        (LogRecords::Matched, _) => detected,
        (LogRecords::All, true) => records,
        (LogRecords::All, false) => records.saturating_sub(share(records, READ_ONLY_PER_MILLION)),
    }
}

/// A share of a number, without overflow.
fn share(of: u64, per_million: u64) -> u64 {
    u64::try_from(u128::from(of) * u128::from(per_million) / 1_000_000).unwrap_or(u64::MAX)
}

impl Estimate {
    /// Bytes a month, all outputs together.
    #[must_use]
    pub fn total(&self) -> u64 {
        let Self { detections, notices, logs, metrics, heartbeats, posture, identities, .. } = self;
        [detections, notices, logs, metrics, heartbeats, posture, identities]
            .into_iter()
            .fold(0_u64, |sum, part| sum.saturating_add(*part))
    }

    /// Whether it stays in what New Relic gives for nothing.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.total() <= FREE_BYTES
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = Unit::of(self.total());
        writeln!(f, "estimate for {} records a day, {} a month:", self.records_per_day, unit.name())?;
        let mut total = 0_u64;
        for (name, bytes) in [
            ("detections", self.detections),
            ("notices", self.notices),
            ("logs", self.logs),
            ("metrics", self.metrics),
            ("heartbeats", self.heartbeats),
            ("posture", self.posture),
            ("identities", self.identities),
        ] {
            let steps = unit.steps(bytes);
            total = total.saturating_add(steps);
            writeln!(f, "  {name:<12}{:>10}", unit.show(steps))?;
        }
        // The sum of what stands above it, so that nobody who adds up finds something else.
        writeln!(f, "  {:<12}{:>10}", "total", unit.show(total))?;
        let free = FREE_BYTES / GB;
        if self.is_free() {
            writeln!(f, "stays within the {free} GB a month that cost nothing, if nothing else is sent")?;
        } else {
            writeln!(f, "more than the {free} GB a month that cost nothing")?;
        }
        write!(
            f,
            "assumed: {} of records have a detection, {} of detections a notice; {} of records only read",
            percent(DETECTIONS_PER_MILLION),
            percent(NOTICES_PER_MILLION),
            percent(READ_ONLY_PER_MILLION)
        )?;
        if self.posture > 0 {
            write!(
                f,
                "; {RULES} rules of AWS Config an account and Region, {VIOLATIONS_PER_RULE} violation each, and {PACKS} conformance packs"
            )?;
        }
        if self.identities > 0 {
            write!(f, "; {IDENTITIES} users, roles and keys an account")?;
        }
        Ok(())
    }
}

/// How the amounts of one estimate are written: all alike, so that they can be compared and added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Whole MB.
    Mega,
    /// GB with two digits after the point.
    Giga,
}

impl Unit {
    /// The unit for amounts with this sum.
    const fn of(total: u64) -> Self {
        if total < GB { Self::Mega } else { Self::Giga }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Mega => "MB",
            Self::Giga => "GB",
        }
    }

    /// An amount in the smallest steps that are written, rounded to the nearest; what is there never looks like nothing.
    fn steps(self, bytes: u64) -> u64 {
        let step = match self {
            Self::Mega => MB,
            Self::Giga => 10 * MB,
        };
        (bytes.saturating_add(step / 2) / step).max(u64::from(bytes > 0))
    }

    fn show(self, steps: u64) -> String {
        match self {
            Self::Mega => steps.to_string(),
            Self::Giga => format!("{}.{:02}", steps / 100, steps % 100),
        }
    }
}

fn percent(per_million: u64) -> String {
    let tenths = per_million / 1_000;
    if tenths.is_multiple_of(10) { format!("{} %", tenths / 10) } else { format!("{}.{} %", tenths / 10, tenths % 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Option<Duration> = Some(Duration::from_mins(1));

    fn with_logs(records: LogRecords, read_only: bool) -> Outputs {
        Outputs { logs: Logs { records, read_only, thin: false, mask: true }, notices: true, metrics: false }
    }

    #[test]
    fn the_defaults_bring_two_hundred_accounts_about_42_gb() {
        let estimate = estimate(Volume::of_accounts(200, 3), &Outputs::default(), MINUTE);
        insta::assert_snapshot!(estimate, @r#"
        estimate for 100000000 records a day, GB a month:
          detections       15.60
          notices           0.78
          logs             16.80
          metrics           8.40
          heartbeats        0.13
          posture           0.00
          identities        0.00
          total            41.71
        stays within the 100 GB a month that cost nothing, if nothing else is sent
        assumed: 0.4 % of records have a detection, 5 % of detections a notice; 80 % of records only read
        "#);
    }

    /// The same as the rows themselves take in `pipeline::posture`, for the same customer: 12.7 GB.
    #[test]
    fn what_is_read_of_aws_config_counts_too() {
        let settings = Posture { regions: ["a", "b", "c"].map(str::to_owned).into(), ..Posture::of_region("a") };
        let of = |settings: &Posture| Fleet::of(settings, 200);
        assert_eq!((of(&settings).accounts, of(&settings).regions), (1, 3), "its own account");
        let named = Posture { accounts: vec!["111122223333".to_owned(); 7], ..settings.clone() };
        assert_eq!(of(&named).accounts, 7);
        let all = Posture { aggregator: Some("org".to_owned()), ..settings };
        let fleet = of(&all);
        assert_eq!((fleet.accounts, fleet.regions), (200, 3));
        let found =
            estimate(Volume { records_per_day: 0, sources: 0, fleet: Some(fleet), inventory: None }, &Outputs::default(), None);
        assert_eq!(found.metrics, 200 * 720 * 12 * 350, "gauges");
        assert!((12_500_000_000..13_000_000_000).contains(&found.posture), "{}", found.posture);
        assert_eq!(found.total(), found.posture + found.metrics);
        assert!(found.to_string().contains("only read; 150 rules of AWS Config an account and Region"), "{found}");
        let rarer = Fleet { summary: Duration::ZERO, accounts: u64::MAX, ..fleet };
        assert_eq!(rarer.bytes(), u64::MAX, "no overflow");
    }

    /// Packs are sent at each reading, one row for each in each place.
    #[test]
    fn conformance_packs_count_with_each_reading() {
        let of = |hours: u64, regions: u64| {
            let hour = Duration::from_hours(1);
            Fleet { accounts: 10, regions, summary: hour, reading: Duration::from_hours(hours) }.bytes()
        };
        // 10 accounts in 2 Regions, 120 readings more a month, 5 packs of 500 bytes.
        assert_eq!(of(3, 2) - of(6, 2), 10 * 2 * 120 * 5 * 500);
    }

    /// S2-35: who there is in IAM counts where it is read, and of those accounts that can be.
    #[test]
    fn identities_count_where_iam_is_read() {
        let own = Identity::of_region("eu-west-1");
        let named = Identity { accounts: vec!["111122223333".to_owned(); 7], ..own.clone() };
        let alone = Identity { aggregator: Some("org".to_owned()), ..own.clone() };
        let all = Identity { role: crate::config::Role::parse("reader"), ..alone.clone() };
        for (settings, want) in [(&own, 1), (&named, 7), (&alone, 1), (&all, 200)] {
            assert_eq!(Inventory::of(settings, 200).accounts, want, "{settings:?}");
        }
        let volume = Volume { records_per_day: 0, sources: 0, fleet: None, inventory: Some(Inventory::of(&all, 200)) };
        let found = estimate(volume, &Outputs::default(), None);
        assert_eq!((found.identities, found.total()), (200 * 30 * 300 * 900, found.identities));
        let text = found.to_string();
        assert!(
            text.contains("only read; 300 users, roles and keys an account") && !text.contains("rules of AWS Config"),
            "{text}"
        );
    }

    #[test]
    fn each_setting_changes_its_own_row() {
        let volume = Volume { records_per_day: 1_000_000, sources: 1, fleet: None, inventory: None };
        for (name, records, read_only, logs) in [
            ("all", LogRecords::All, true, 42_000_000_000),
            ("changes", LogRecords::All, false, 8_400_000_000),
            ("matched", LogRecords::Matched, true, 168_000_000),
            ("none", LogRecords::None, true, 0),
        ] {
            let found = estimate(volume, &with_logs(records, read_only), MINUTE);
            let expected = Estimate {
                records_per_day: 1_000_000,
                detections: 156_000_000,
                notices: 7_800_000,
                logs,
                metrics: 0,
                heartbeats: 43_200_000,
                posture: 0,
                identities: 0,
            };
            assert_eq!(found, expected, "{name}");
        }
        let quiet = estimate(volume, &Outputs { notices: false, ..Outputs::default() }, None);
        assert_eq!((quiet.notices, quiet.heartbeats), (0, 0));
        assert_eq!(quiet.metrics, 2 * 120_000 * 350, "each detection is a point of two metrics");
        let all = Outputs { metrics: true, ..with_logs(LogRecords::All, true) };
        assert_eq!(estimate(volume, &all, None).metrics, (2 * 43_200 * 20 + 120_000) * 350, "a minute has only so many series");
    }

    #[test]
    fn the_free_amount_is_a_limit_that_may_be_reached() {
        let of = |logs| Estimate {
            records_per_day: 0,
            detections: 0,
            notices: 0,
            logs,
            metrics: 0,
            heartbeats: 0,
            posture: 0,
            identities: 0,
        };
        assert_eq!([of(FREE_BYTES).is_free(), of(FREE_BYTES + 1).is_free()], [true, false]);
        assert!(of(FREE_BYTES + 1).to_string().contains("more than the 100 GB"));
    }

    #[test]
    fn no_number_overflows() {
        let volume = Volume::of_accounts(u64::MAX, u64::MAX);
        let found = estimate(volume, &with_logs(LogRecords::All, true), Some(Duration::from_millis(1)));
        assert_eq!((found.total(), found.heartbeats), (u64::MAX, 0));
    }

    #[test]
    fn one_account_is_told_in_megabytes() {
        let estimate = estimate(Volume::of_accounts(1, 1), &Outputs::default(), MINUTE);
        insta::assert_snapshot!(estimate, @r#"
        estimate for 500000 records a day, MB a month:
          detections          78
          notices              4
          logs                84
          metrics             42
          heartbeats          43
          posture              0
          identities           0
          total              251
        stays within the 100 GB a month that cost nothing, if nothing else is sent
        assumed: 0.4 % of records have a detection, 5 % of detections a notice; 80 % of records only read
        "#);
    }

    /// Whoever adds up the lines finds the total, in both units.
    #[test]
    fn the_lines_add_up() {
        for records_per_day in [0, 1, 1_000, 123_456, 1_000_000, 2_345_678, 7_654_321, 987_654_321, u64::MAX / 3_000_000] {
            let text =
                estimate(Volume { records_per_day, sources: 3, fleet: None, inventory: None }, &Outputs::default(), MINUTE)
                    .to_string();
            let amounts: Vec<u64> = text
                .lines()
                .filter(|line| line.starts_with("  "))
                .map(|line| line.split_whitespace().nth(1).unwrap().replace('.', "").parse().unwrap())
                .collect();
            let [lines @ .., total] = &*amounts else { panic!("no line: {text}") };
            assert_eq!((lines.len(), lines.iter().sum::<u64>()), (7, *total), "{text}");
        }
    }

    #[test]
    fn amounts_are_rounded_and_never_to_nothing() {
        for (unit, bytes, expected) in [
            (Unit::Mega, 0, "0"),
            (Unit::Mega, 1, "1"),
            (Unit::Mega, 1_499_999, "1"),
            (Unit::Mega, 1_500_000, "2"),
            (Unit::Giga, 1, "0.01"),
            (Unit::Giga, GB + 14 * MB, "1.01"),
            (Unit::Giga, GB + 15 * MB, "1.02"),
            (Unit::Giga, 35 * GB, "35.00"),
        ] {
            assert_eq!(unit.show(unit.steps(bytes)), expected, "{unit:?} {bytes}");
        }
        assert_eq!([Unit::of(GB - 1), Unit::of(GB)], [Unit::Mega, Unit::Giga]);
    }
}
