//! How much a month New Relic will count.
//!
//! In: how many records a day, and what is sent. Out: bytes a month per output, and whether the free amount is enough. Pure:
//! no file, no network. It is an estimate from measured sizes and stated shares, not a promise; the heartbeat tells what was
//! really sent.

use std::fmt;
use std::time::Duration;

use super::{LogRecords, Logs, Outputs};

/// A month, seconds: 30 days.
const MONTH_SECONDS: u64 = 30 * 86_400;

/// What New Relic counts as one GB, bytes. Pricing page: 10^9.
const GB: u64 = 1_000_000_000;

/// What costs nothing each month, bytes. Pricing page: 100 GB.
pub const FREE_BYTES: u64 = 100 * GB;

/// A detection or notice, bytes as New Relic counts them. Mean of flattened `CloudTrail` records, measured: 1,352.
const EVENT_BYTES: u64 = 1_300;

/// A raw record as a log, bytes. Mean of compact records, measured: 1,261, and the log's own attributes.
const LOG_BYTES: u64 = 1_400;

/// A heartbeat, bytes: about the size of an event with core attributes only, measured: 925.
const HEARTBEAT_BYTES: u64 = 1_000;

/// Management records of one busy account, a day. Assumed: 200 accounts then make the 100 million a day the design counts with.
pub const RECORDS_PER_ACCOUNT_DAY: u64 = 500_000;

/// Records that a rule of ours matches, per million. Assumed.
const DETECTIONS_PER_MILLION: u64 = 4_000;

/// Detections that also send a notice, per million. Assumed.
const NOTICES_PER_MILLION: u64 = 50_000;

/// Records that changed nothing, per million. Measured: 80 %.
const READ_ONLY_PER_MILLION: u64 = 800_000;

/// What is to be sent, and how much of it there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Volume {
    /// `CloudTrail` records a day, all accounts and Regions together.
    pub records_per_day: u64,
    /// Sources, each with heartbeats of its own.
    pub sources: u64,
}

impl Volume {
    /// What so many accounts bring when nobody counted.
    #[must_use]
    pub const fn of_accounts(accounts: u64, sources: u64) -> Self {
        Self { records_per_day: accounts.saturating_mul(RECORDS_PER_ACCOUNT_DAY), sources }
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
    /// Heartbeats.
    pub heartbeats: u64,
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
        heartbeats: heartbeats.saturating_mul(HEARTBEAT_BYTES),
    }
}

/// Records that go out as logs. Rules mostly match changes, so leaving out what only read is not counted as a saving there.
fn logged(records: u64, detected: u64, logs: Logs) -> u64 {
    match (logs.records, logs.read_only) {
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
    pub const fn total(&self) -> u64 {
        self.detections.saturating_add(self.notices).saturating_add(self.logs).saturating_add(self.heartbeats)
    }

    /// Whether it stays in what New Relic gives for nothing.
    #[must_use]
    pub const fn is_free(&self) -> bool {
        self.total() <= FREE_BYTES
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "estimate for {} records a day, GB a month:", self.records_per_day)?;
        for (name, bytes) in
            [("detections", self.detections), ("notices", self.notices), ("logs", self.logs), ("heartbeats", self.heartbeats)]
        {
            writeln!(f, "  {name:<12}{:>10}", gigabytes(bytes))?;
        }
        writeln!(f, "  {:<12}{:>10}", "total", gigabytes(self.total()))?;
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
        )
    }
}

/// Bytes as GB with one digit after the point, rounded up, so that nothing looks like nothing.
fn gigabytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil(GB / 10);
    format!("{}.{}", tenths / 10, tenths % 10)
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
        Outputs { logs: Logs { records, read_only, mask: true }, notices: true }
    }

    #[test]
    fn the_defaults_bring_two_hundred_accounts_about_35_gb() {
        let estimate = estimate(Volume::of_accounts(200, 3), &Outputs::default(), MINUTE);
        insta::assert_snapshot!(estimate, @r#"
        estimate for 100000000 records a day, GB a month:
          detections        15.6
          notices            0.8
          logs              16.8
          heartbeats         0.2
          total             33.4
        stays within the 100 GB a month that cost nothing, if nothing else is sent
        assumed: 0.4 % of records have a detection, 5 % of detections a notice; 80 % of records only read
        "#);
    }

    #[test]
    fn each_setting_changes_its_own_row() {
        let volume = Volume { records_per_day: 1_000_000, sources: 1 };
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
                heartbeats: 43_200_000,
            };
            assert_eq!(found, expected, "{name}");
        }
        let quiet = estimate(volume, &Outputs { notices: false, ..Outputs::default() }, None);
        assert_eq!((quiet.notices, quiet.heartbeats), (0, 0));
    }

    #[test]
    fn the_free_amount_is_a_limit_that_may_be_reached() {
        let of = |logs| Estimate { records_per_day: 0, detections: 0, notices: 0, logs, heartbeats: 0 };
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
    fn small_amounts_are_rounded_up() {
        for (bytes, expected) in [(0, "0.0"), (1, "0.1"), (99_999_999, "0.1"), (100_000_001, "0.2"), (35 * GB, "35.0")] {
            assert_eq!(gigabytes(bytes), expected);
        }
    }
}
