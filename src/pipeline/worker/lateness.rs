//! When a past record would have come, had the agent listened then.
//!
//! In: a record's time and the name of its object. Out: the time of its arrival. What always holds: the same record comes at the same
//! time in every run; none comes before it happened. What really delayed it nobody wrote down, but `CloudTrail` names its files by the
//! minute of delivery, and says that this is about five minutes after the call on average (user guide, "How `CloudTrail` works").

use crate::record::time;

/// Ms in a minute.
const MINUTE_MS: i64 = 60_000;
/// What a trail gathers before it writes a file, about. Assumed.
const BATCH_MS: i64 = 5 * MINUTE_MS;
/// From the end of a batch to the agent: at least this much, and up to this much more. With half a batch about five minutes.
const WAY_MS: i64 = MINUTE_MS;
const SPREAD_MS: i64 = 3 * MINUTE_MS;
/// From the minute that is in a file's name to the agent.
const NAMED_WAY_MS: i64 = MINUTE_MS / 2;
/// A name that is further away from the record's time speaks of something else: copied, made.
const NAMED_MAX_MS: i64 = 24 * 60 * MINUTE_MS;

/// How late records come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lateness {
    /// As a trail delivers: at the time in the name of the object, else about five minutes after the call.
    OfTrail,
    /// This long after its time, ms, from 0.
    Fixed(i64),
}

impl Lateness {
    /// When a record of this time and object came, milliseconds since 1970.
    #[must_use]
    pub fn arrival_ms(self, time_ms: i64, object: &str) -> i64 {
        match self {
            Self::Fixed(ms) => time_ms.saturating_add(ms.max(0)),
            Self::OfTrail => match named_ms(object) {
                Some(named) if (0..=NAMED_MAX_MS).contains(&named.saturating_sub(time_ms)) => named.saturating_add(NAMED_WAY_MS),
                // The name has no seconds: the record may be of its own minute.
                Some(named) if (0..MINUTE_MS).contains(&time_ms.saturating_sub(named)) => time_ms.saturating_add(NAMED_WAY_MS),
                _ => {
                    let end_ms = time_ms.saturating_sub(time_ms.rem_euclid(BATCH_MS)).saturating_add(BATCH_MS);
                    end_ms.saturating_add(WAY_MS).saturating_add(spread(object, end_ms))
                }
            },
        }
    }
}

/// The minute in the name of a trail's file, `account_CloudTrail_region_20261121T2020Z_unique.json.gz`.
fn named_ms(object: &str) -> Option<i64> {
    let file = object.rsplit('/').next()?;
    let minute = file.split('_').find(|part| part.len() == 14 && part.ends_with('Z') && part.as_bytes().get(8) == Some(&b'T'))?;
    let (date, clock) = (minute.get(..8)?, minute.get(9..13)?);
    let text = format!("{}-{}-{}T{}:{}:00Z", date.get(..4)?, date.get(4..6)?, date.get(6..)?, clock.get(..2)?, clock.get(2..)?);
    time::parse_ms(&text)
}

/// The same for one object and batch, evenly spread over others (FNV-1a).
fn spread(object: &str, end_ms: i64) -> i64 {
    let bytes = object.bytes().chain(end_ms.to_le_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    i64::try_from((hash >> 16) % SPREAD_MS.unsigned_abs()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        time::parse_ms(text).expect(text)
    }

    const FILE: &str =
        "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/21/111122223333_CloudTrail_us-east-1_20261121T2020Z_abc.json.gz";

    #[test]
    fn a_record_comes_when_its_file_says() {
        for (time, want) in [("2026-11-21T20:12:00Z", "2026-11-21T20:20:30Z"), ("2026-11-21T20:20:10Z", "2026-11-21T20:20:40Z")] {
            assert_eq!(Lateness::OfTrail.arrival_ms(ms(time), FILE), ms(want), "{time}");
        }
    }

    /// P28: minutes late, about five on average, never early, in every run the same.
    #[test]
    fn without_a_name_it_comes_about_five_minutes_later() {
        let begin = ms("2026-11-01T00:00:00Z");
        let mut sum = 0;
        for number in 0..10_000 {
            let (time, object) = (begin + number * 37_000, format!("part-{}.json", number % 50));
            // As a named file that is days away from its records.
            for object in [object.clone(), format!("{object}/{}", FILE.rsplit('/').next().expect("a name"))] {
                let late = Lateness::OfTrail.arrival_ms(time, &object) - time;
                assert!((MINUTE_MS..=BATCH_MS + WAY_MS + SPREAD_MS).contains(&late), "{late}");
                assert_eq!(late, Lateness::OfTrail.arrival_ms(time, &object) - time);
                sum += late;
            }
        }
        let mean_s = sum / 20_000 / 1_000;
        assert!((270..=330).contains(&mean_s), "{mean_s}");
    }

    #[test]
    fn a_fixed_lateness_is_added() {
        assert_eq!(Lateness::Fixed(90_000).arrival_ms(1_000, ""), 91_000);
        assert_eq!(Lateness::Fixed(-5).arrival_ms(1_000, ""), 1_000);
    }
}
