//! Whether an identity or a key is used.
//!
//! In: what IAM knows of each use, when it was made, the time, a number of days. Out: used, unused, or unknown; since when; why. What
//! always holds: what is not known is unknown, neither used nor unused; what is younger than the days is not unused.
//!
//! IAM's silence says something: it has noted sign-ins since 2014-10-20 and uses of keys since 2015-04-22, so a password or key of
//! which it has no use was never used since. It notes uses of roles for 400 days: a role without one was not used for so long, or
//! never, if it is younger; whether it was used before that, nobody knows.

use crate::record::identity::{AccessKey, LastUse};
use crate::record::time::DAY_MS;

/// For how long IAM notes that a role was used, days. [IAM User Guide, last accessed information]
const ROLE_DAYS: i64 = 400;
/// Since when sign-ins are noted: 2014-10-20. [IAM User Guide, credential report]
const PASSWORDS_SINCE_MS: i64 = 1_413_763_200_000;
/// Since when uses of keys are noted: 2015-04-22. [IAM User Guide, credential report]
const KEYS_SINCE_MS: i64 = 1_429_660_800_000;

/// A use of something, or that there was none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Then.
    At(i64),
    /// None since this time, in which it was made or noting began.
    NoneSince(i64),
    /// Nobody knows.
    Unknown,
}

/// Whether something is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// `None`: nobody knows.
    pub is_unused: Option<bool>,
    /// Whole days since the last use, or since it was made or noting began.
    pub idle_days: Option<i64>,
    /// The last use that is known, milliseconds since the epoch.
    pub last_ms: Option<i64>,
    /// `notUsed`: not within the days; `neverUsed`: never, and older than the days; `notUsedWhileTracked`: not for as long as IAM
    /// keeps it; `noCredentials`: nothing that IAM would note. Else nothing.
    pub reason: Option<&'static str>,
}

/// Judges what was made at `made_ms`; `limit`: days.
pub(super) fn judge(uses: &[Use], made_ms: Option<i64>, now_ms: i64, limit: u32) -> Usage {
    let days = |since_ms: i64| now_ms.saturating_sub(since_ms).max(0) / DAY_MS;
    let limit = i64::from(limit);
    let last = uses.iter().filter_map(|one| if let Use::At(ms) = one { Some(*ms) } else { None }).max();
    let usage = |is_unused, idle_days, reason| Usage { is_unused, idle_days, last_ms: last, reason };
    let idle = last.map(days);
    if idle.is_some_and(|idle| idle < limit) {
        return usage(Some(false), idle, None);
    }
    let is_known = !uses.is_empty() && !uses.contains(&Use::Unknown);
    if let Some(age) = made_ms.map(days).filter(|age| *age < limit) {
        return usage(Some(false), idle.or(is_known.then_some(age)), None);
    }
    if !is_known {
        return usage(None, None, None);
    }
    if idle.is_some() {
        return usage(Some(true), idle, Some("notUsed"));
    }
    // None was ever used, for as long as the oldest of them is there.
    let since = uses.iter().filter_map(|one| if let Use::NoneSince(ms) = one { Some(*ms) } else { None }).min();
    match since.map(days) {
        Some(idle) if idle >= limit => usage(Some(true), Some(idle), Some("neverUsed")),
        idle => usage(idle.map(|_| false), idle, None),
    }
}

/// Judges a role.
pub(super) fn role(used_ms: Option<i64>, made_ms: Option<i64>, now_ms: i64, limit: u32) -> Usage {
    if let Some(used_ms) = used_ms {
        return judge(&[Use::At(used_ms)], made_ms, now_ms, limit);
    }
    let Some(made_ms) = made_ms else { return Usage::default() };
    let age = now_ms.saturating_sub(made_ms).max(0) / DAY_MS;
    if age <= ROLE_DAYS {
        return judge(&[Use::NoneSince(made_ms)], Some(made_ms), now_ms, limit);
    }
    if i64::from(limit) > ROLE_DAYS {
        return Usage::default();
    }
    Usage { is_unused: Some(true), idle_days: Some(ROLE_DAYS), last_ms: None, reason: Some("notUsedWhileTracked") }
}

/// A sign-in, of somebody who has a password.
pub(super) fn password(used: LastUse, changed_ms: Option<i64>, made_ms: Option<i64>) -> Use {
    match used {
        LastUse::At(ms) => Use::At(ms),
        LastUse::NoInformation => none_since(changed_ms.or(made_ms), PASSWORDS_SINCE_MS),
        // `N/A` is said of those who have none.
        LastUse::NotApplicable | LastUse::Unknown => Use::Unknown,
    }
}

/// A use of a key that is there.
pub(super) fn key(key: &AccessKey) -> Use {
    match key.used {
        LastUse::At(ms) => Use::At(ms),
        LastUse::NotApplicable => none_since(key.changed_ms, KEYS_SINCE_MS),
        LastUse::NoInformation | LastUse::Unknown => Use::Unknown,
    }
}

fn none_since(made_ms: Option<i64>, noted_since_ms: i64) -> Use {
    made_ms.map_or(Use::Unknown, |made_ms| Use::NoneSince(made_ms.max(noted_since_ms)))
}
