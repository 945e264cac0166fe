//! The records of the demo: a trail of real ones, moved to the present, and weeks of posture that were made.
//!
//! In: the files of `tests/fixtures/cloudtrail` (their `README.md` names sources and licences), embedded at build, and the events
//! of `posture`. Out: objects in the order of time; the newest records of the files lie spread over the last twenty hours, but for a
//! few that came last more than a week ago; each day before has copies of a few files, one of them cut off; how long each file took
//! to be accepted. What always holds: of the last day's trail only
//! `eventTime` is changed, of the days before `eventID` too, so that no record is another one's copy; every file keeps the order
//! and, within an hour, the distances of its records; each turn of the past is accepted, and what was due in it is done, before
//! the next one.

use std::collections::{HashMap, VecDeque};
use std::io::Read as _;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use regex::{Captures, Regex};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::posture::{self, Event};
use crate::ack::Verdict;
use crate::clock::Clock;
use crate::decode::gzip::Unpacked;
use crate::decode::{Bounds, Decoded, Decoder, ObjectFault};
use crate::pipeline::posture::Pace;
use crate::record::time;
use crate::record::time::{DAY_MS, HOUR_MS};
use crate::source::{Body, Intake, Object, Origin, Phase, Sight, Source, SourceError};

/// Names the files and embeds their bytes.
macro_rules! trail_files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_bytes!(concat!("../../../tests/fixtures/cloudtrail/", $path)).as_slice())),*]
    };
}

/// Key and packed bytes of every bundled file.
#[rustfmt::skip]
const FILES: &[(&str, &[u8])] = trail_files![
    "AWSLogs/111111111111/CloudTrail/us-east-1/2016/04/13/111111111111_CloudTrail_us-east-1_20160413T1810Z_Kwq85EGmelXOvOts.json.gz",
    "AWSLogs/111111111111/CloudTrail/us-east-1/2024/08/18/111111111111_CloudTrail_us-east-1_20240818T1940Z_xRfrIEZriEKRX2Cr.json.gz",
    "AWSLogs/111111111111/CloudTrail/us-east-1/2024/09/22/111111111111_CloudTrail_us-east-1_20240922T1010Z_GakQWYpn9bjXSYvr.json.gz",
    "AWSLogs/111111111111/CloudTrail/us-east-1/2025/02/15/111111111111_CloudTrail_us-east-1_20250215T1545Z_QUdp83ewQTucqaE3.json.gz",
    "AWSLogs/111111111111/CloudTrail/us-east-1/2025/04/27/111111111111_CloudTrail_us-east-1_20250427T1045Z_VBzOpnApw5JU9hpd.json.gz",
    "AWSLogs/111111111111/CloudTrail/us-east-1/2025/10/12/111111111111_CloudTrail_us-east-1_20251012T1500Z_GzPFyyIiDHj9vqBF.json.gz",
    "AWSLogs/111111111111/CloudTrail/us-east-1/2026/02/08/111111111111_CloudTrail_us-east-1_20260208T1710Z_S8hADzlgFPwsb3Af.json.gz",
    "AWSLogs/111111111111/CloudTrail/us-east-1/2026/02/22/111111111111_CloudTrail_us-east-1_20260222T1615Z_FsE977COdjFaEGoX.json.gz",
    "AWSLogs/111111111111/CloudTrail/us-east-1/2026/03/11/111111111111_CloudTrail_us-east-1_20260311T0705Z_QJhwEe2PV7DKRlRJ.json.gz",
    "AWSLogs/111111111111/CloudTrail/us-east-2/2024/09/24/111111111111_CloudTrail_us-east-2_20240924T0815Z_kM1oVMIkZIdc9LK5.json.gz",
    "AWSLogs/111111111111/CloudTrail/us-west-2/2024/12/15/111111111111_CloudTrail_us-west-2_20241215T2125Z_FUmviKL0ZH9g6Xdy.json.gz",
    "AWSLogs/111111111111/CloudTrail/us-west-2/2025/05/24/111111111111_CloudTrail_us-west-2_20250524T1510Z_3qKN8y4FlPzPIudC.json.gz",
    "AWSLogs/111111111111/CloudTrail/us-west-2/2025/09/07/111111111111_CloudTrail_us-west-2_20250907T1920Z_jBJt1qGwTyX3sfCA.json.gz",
    "AWSLogs/111111111111/CloudTrail/us-west-2/2025/10/10/111111111111_CloudTrail_us-west-2_20251010T1740Z_0QFW1nyHme3PgHre.json.gz",
    "AWSLogs/111111111111/CloudTrail/us-west-2/2025/10/12/111111111111_CloudTrail_us-west-2_20251012T1515Z_cZRKDtCjxvArO2E6.json.gz",
    "AWSLogs/111122223333/CloudTrail/us-east-1/2023/07/10/111122223333_CloudTrail_us-east-1_20230710T1205Z_4fUSnFyGgOKgZtHT.json.gz",
    "AWSLogs/111122223333/CloudTrail/us-east-1/2023/07/10/111122223333_CloudTrail_us-east-1_20230710T1205Z_TG4RRA34vXyi9Idi.json.gz",
    "AWSLogs/111122223333/CloudTrail/us-east-1/2023/07/10/111122223333_CloudTrail_us-east-1_20230710T1210Z_zljrpja2ey1a0t2C.json.gz",
    "AWSLogs/111122223333/CloudTrail/us-east-1/2023/07/10/111122223333_CloudTrail_us-east-1_20230710T1215Z_GbJ4KoRvGQzF4Ijm.json.gz",
    "AWSLogs/111122223333/CloudTrail/us-east-1/2023/07/10/111122223333_CloudTrail_us-east-1_20230710T1215Z_pgdHsHNtVFnp6GcD.json.gz",
    "AWSLogs/111122223333/CloudTrail/us-east-1/2023/07/10/111122223333_CloudTrail_us-east-1_20230710T1215Z_v65kkF0SkDT8le98.json.gz",
    "AWSLogs/111122223333/CloudTrail/us-east-1/2023/07/10/111122223333_CloudTrail_us-east-1_20230710T1220Z_Yz9DhD7zsebF4h6z.json.gz",
    "AWSLogs/111122223333/CloudTrail/us-east-1/2023/07/10/111122223333_CloudTrail_us-east-1_20230710T1225Z_WuZUu4M9JXT6AjBn.json.gz",
    "AWSLogs/111122223333/CloudTrail/us-east-1/2023/07/10/111122223333_CloudTrail_us-east-1_20230710T1230Z_KGnjnf8l3eZszViU.json.gz",
    "AWSLogs/111122223333/CloudTrail/us-east-1/2023/07/10/111122223333_CloudTrail_us-east-1_20230710T1230Z_SgmELjGiIZ4CQwsp.json.gz",
    "AWSLogs/111122223333/CloudTrail/us-east-1/2023/07/10/111122223333_CloudTrail_us-east-1_20230710T1230Z_V3j2KgFdI8g9Kvmf.json.gz",
    "AWSLogs/111122223333/CloudTrail/us-east-1/2023/07/10/111122223333_CloudTrail_us-east-1_20230710T1230Z_vkuD3vYUvRdI7H4z.json.gz",
    "AWSLogs/444455556666/CloudTrail/eu-west-1/2021/12/02/444455556666_CloudTrail_eu-west-1_20211202T2220Z_TXEaPVAfFQrwDh1N.json.gz",
    "AWSLogs/777788889999/CloudTrail/ap-southeast-2/2024/07/30/777788889999_CloudTrail_ap-southeast-2_20240730T2135Z_W4oCPW58Wrp7oxnX.json.gz",
    "AWSLogs/777788889999/CloudTrail/ap-southeast-2/2024/07/31/777788889999_CloudTrail_ap-southeast-2_20240731T1310Z_NHKM99AdiUVfvqfy.json.gz",
    "AWSLogs/777788889999/CloudTrail/ap-southeast-2/2024/07/31/777788889999_CloudTrail_ap-southeast-2_20240731T1425Z_XCEydLEPrDcx01te.json.gz",
    "AWSLogs/777788889999/CloudTrail/ap-southeast-2/2024/08/01/777788889999_CloudTrail_ap-southeast-2_20240801T1335Z_lglPe34ycbBp5589.json.gz",
    "AWSLogs/777788889999/CloudTrail/ap-southeast-2/2024/08/01/777788889999_CloudTrail_ap-southeast-2_20240801T1355Z_nCEEDdfqA10D5BSC.json.gz",
    "AWSLogs/777788889999/CloudTrail/ap-southeast-2/2024/08/02/777788889999_CloudTrail_ap-southeast-2_20240802T0855Z_K8QHIfDhfmEw8JtF.json.gz",
    "AWSLogs/777788889999/CloudTrail/ap-southeast-2/2024/11/26/777788889999_CloudTrail_ap-southeast-2_20241126T1540Z_kvwtbzyEODbLc9qy.json.gz",
    "AWSLogs/777788889999/CloudTrail/eu-west-1/2024/07/30/777788889999_CloudTrail_eu-west-1_20240730T2200Z_OXF5jKXTEycCp9so.json.gz",
    "AWSLogs/777788889999/CloudTrail/eu-west-1/2024/07/31/777788889999_CloudTrail_eu-west-1_20240731T1230Z_rWBNkKPwa4fqsqZD.json.gz",
    "AWSLogs/777788889999/CloudTrail/eu-west-1/2024/07/31/777788889999_CloudTrail_eu-west-1_20240731T1255Z_JSJnOTNEebGGldFB.json.gz",
    "AWSLogs/777788889999/CloudTrail/eu-west-1/2024/07/31/777788889999_CloudTrail_eu-west-1_20240731T1510Z_IfzG45o2Wuf6DNYR.json.gz",
    "AWSLogs/777788889999/CloudTrail/eu-west-1/2024/08/01/777788889999_CloudTrail_eu-west-1_20240801T1220Z_Hv4dKa85H1zLGkNq.json.gz",
    "AWSLogs/777788889999/CloudTrail/eu-west-1/2024/08/01/777788889999_CloudTrail_eu-west-1_20240801T1225Z_qAfckeG83xkrGkaE.json.gz",
    "AWSLogs/777788889999/CloudTrail/eu-west-1/2024/08/01/777788889999_CloudTrail_eu-west-1_20240801T1230Z_ueX3arMiEV8OMoPW.json.gz",
    "AWSLogs/777788889999/CloudTrail/eu-west-1/2024/08/01/777788889999_CloudTrail_eu-west-1_20240801T1240Z_7gpfIXstJ8KrmpY7.json.gz",
    "AWSLogs/777788889999/CloudTrail/eu-west-1/2024/08/01/777788889999_CloudTrail_eu-west-1_20240801T1330Z_wrb1V2ytAygNGxqx.json.gz",
    "AWSLogs/777788889999/CloudTrail/eu-west-1/2024/08/01/777788889999_CloudTrail_eu-west-1_20240801T1340Z_AKtC89tiu3nNGnY6.json.gz",
    "AWSLogs/777788889999/CloudTrail/eu-west-1/2024/08/01/777788889999_CloudTrail_eu-west-1_20240801T1530Z_YOSeSm6t5qwcJApT.json.gz",
    "AWSLogs/777788889999/CloudTrail/eu-west-1/2024/08/02/777788889999_CloudTrail_eu-west-1_20240802T0910Z_hiulq6SiyjEt3Z31.json.gz",
    "AWSLogs/777788889999/CloudTrail/eu-west-1/2024/11/30/777788889999_CloudTrail_eu-west-1_20241130T0845Z_jdgXIHlG6zZMHZRY.json.gz",
    "AWSLogs/777788889999/CloudTrail/us-east-1/2024/07/31/777788889999_CloudTrail_us-east-1_20240731T1250Z_1DHGVzg5S2NG8CAZ.json.gz",
    "AWSLogs/777788889999/CloudTrail/us-east-1/2024/07/31/777788889999_CloudTrail_us-east-1_20240731T1955Z_gfi6zi8dor0qwyUT.json.gz",
    "AWSLogs/777788889999/CloudTrail/us-east-1/2024/08/01/777788889999_CloudTrail_us-east-1_20240801T1230Z_T4vDawIPMC8v7FnR.json.gz",
    "AWSLogs/777788889999/CloudTrail/us-east-1/2024/08/01/777788889999_CloudTrail_us-east-1_20240801T1325Z_qXxpNKK4l8NxLi55.json.gz",
    "AWSLogs/777788889999/CloudTrail/us-east-1/2024/08/01/777788889999_CloudTrail_us-east-1_20240801T1345Z_sjvsJ5rWR9YyAlJL.json.gz",
    "AWSLogs/777788889999/CloudTrail/us-east-1/2024/08/01/777788889999_CloudTrail_us-east-1_20240801T1350Z_JEuAoGwsP3Dcuw9u.json.gz",
    "AWSLogs/777788889999/CloudTrail/us-east-1/2024/08/02/777788889999_CloudTrail_us-east-1_20240802T0825Z_HFuHcCsrp01MCFnn.json.gz",
    "AWSLogs/777788889999/CloudTrail/us-east-1/2024/08/02/777788889999_CloudTrail_us-east-1_20240802T0835Z_yI6I8pTvrwHnWYJR.json.gz",
    "AWSLogs/777788889999/CloudTrail/us-east-1/2024/08/28/777788889999_CloudTrail_us-east-1_20240828T0955Z_ELuFbhsvhPivh99F.json.gz",
    "AWSLogs/777788889999/CloudTrail/us-east-1/2024/10/17/777788889999_CloudTrail_us-east-1_20241017T2015Z_DgSjGq1m26OsFZRh.json.gz",
    "AWSLogs/777788889999/CloudTrail/us-west-2/2024/07/30/777788889999_CloudTrail_us-west-2_20240730T2155Z_UFOqIkuvdTLs58Fv.json.gz",
    "AWSLogs/777788889999/CloudTrail/us-west-2/2024/07/31/777788889999_CloudTrail_us-west-2_20240731T1240Z_4P7M1IWKbNCaPUmN.json.gz",
    "AWSLogs/777788889999/CloudTrail/us-west-2/2024/08/01/777788889999_CloudTrail_us-west-2_20240801T1135Z_MKn1vSBFzA6rvnQw.json.gz",
    "AWSLogs/777788889999/CloudTrail/us-west-2/2024/08/01/777788889999_CloudTrail_us-west-2_20240801T1205Z_cuFDqIBb7Be9da0p.json.gz",
    "AWSLogs/777788889999/CloudTrail/us-west-2/2024/08/01/777788889999_CloudTrail_us-west-2_20240801T1400Z_1GE5QfdN4cnvxH3W.json.gz",
];

/// Over which time the files are spread, milliseconds.
const SPREAD_MS: i64 = 20 * 3_600_000;
/// Longest distance kept between the records of one file, milliseconds.
const FILE_MS: i64 = 3_600_000;
/// Most bytes of one bundled file.
const FILE_BYTES: u64 = 16 << 20;
/// Most bytes of one record of them.
const RECORD_BYTES: usize = 1 << 20;

static EVENT_TIME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#""eventTime"\s*:\s*"([^"]+)""#).ok());
static EVENT_ID: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#""event(?:ID|Id)"\s*:\s*"([^"]+)""#).ok());

/// How far the clock goes at once in the days before the last, milliseconds.
pub(super) const PAST_MS: i64 = HOUR_MS;
/// Of how many files a day of the past has one copied, on a day of work and on another one.
const ONE_OF: (u32, u32) = (7, 20);
/// Copies the same files every time.
const SEED: u64 = 11;

/// Ends of the names of files that have no records of late: what only they were detected by (DNS query logging removed, snapshot of
/// RDS shared, federation token issued) has gone silent.
const SILENT: [&str; 3] = ["_XCEydLEPrDcx01te.json.gz", "_7gpfIXstJ8KrmpY7.json.gz", "_jdgXIHlG6zZMHZRY.json.gz"];
/// Time without their records, milliseconds: more than the week of the dashboard.
const SILENT_MS: i64 = 8 * DAY_MS;
/// Every how many days before it they come.
const SILENT_EVERY: i64 = 4;

/// The end of the name of the file of which one copy is cut off.
const CUT: &str = "_pgdHsHNtVFnp6GcD.json.gz";
/// How long ago that is, milliseconds: on the day before the last.
const CUT_MS: i64 = 30 * HOUR_MS;

/// The raw text of every bundled record, as it was found, in the order of the files.
///
/// # Errors
/// When a bundled file cannot be unpacked.
pub(in crate::cli) fn records() -> Result<Vec<Vec<u8>>, ObjectFault> {
    let bounds = Bounds { inflated: FILE_BYTES, record: RECORD_BYTES };
    let mut records = Vec::new();
    for (_, packed) in FILES {
        let mut decoder = Decoder::held(Bytes::from_static(packed), bounds)?;
        while let Some(decoded) = decoder.next()? {
            if let Decoded::Record { raw, .. } = decoded {
                records.push(raw.to_vec());
            }
        }
    }
    Ok(records)
}

/// The records as a source.
#[derive(Debug)]
pub(super) struct Bundle {
    steps: VecDeque<Step>,
    /// Time between two files.
    pace: Duration,
    /// How long each took.
    delays: Delays,
    /// Who waits until a turn's work is done.
    turns: Turns,
}

/// The clock that the past moves, and who works by it.
#[derive(Debug, Clone)]
pub(super) struct Turns {
    pub(super) clock: Clock,
    pub(super) pace: Arc<Pace>,
}

impl Turns {
    /// The clock shows `ms`, and what is due then is done.
    async fn pass(&self, ms: i64) {
        self.clock.advance_to(ms);
        self.pace.done(ms).await;
    }
}

/// What comes next.
#[derive(Debug)]
enum Step {
    /// An object.
    Object(Made),
    /// This time has come, milliseconds since the epoch.
    Turn(i64),
}

/// An object on its turn.
#[derive(Debug)]
struct Made {
    name: String,
    account: Option<String>,
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Of a turn of the past: the next one waits until it was accepted.
    Past,
    /// A file of the trail.
    File,
    /// Events between two files.
    Between,
}

impl Bundle {
    /// Everything up to `now_ms`, with so much time between two files.
    ///
    /// # Errors
    /// When a bundled file cannot be unpacked.
    pub(super) fn new(now_ms: i64, pace: Duration, turns: Turns) -> Result<Self, SourceError> {
        Ok(Self { steps: steps(now_ms)?, pace, delays: Delays::default(), turns })
    }

    /// How many objects there are.
    pub(super) fn len(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step, Step::Object(_))).count()
    }

    /// How often a word stands in all of it.
    #[cfg(test)]
    pub(super) fn count(&self, word: &str) -> usize {
        let objects = self.steps.iter().filter_map(|step| if let Step::Object(made) = step { Some(&made.text) } else { None });
        objects.map(|text| text.matches(word).count()).sum()
    }

    /// How long each file took, as far as it has been accepted.
    pub(super) fn delays(&self) -> Delays {
        self.delays.clone()
    }
}

impl Source for Bundle {
    async fn run(self, intake: Intake) -> Result<(), SourceError> {
        let Self { mut steps, pace, delays, turns } = self;
        let Intake { objects, mut released, mut phase, .. } = intake;
        let mut taken = HashMap::new();
        let mut number = 0_u64;
        let mut pause = std::pin::pin!(tokio::time::sleep(Duration::ZERO));
        while !steps.is_empty() || !taken.is_empty() {
            if let (Some(Step::Turn(ms)), true) = (steps.front(), taken.is_empty()) {
                let ms = *ms;
                tokio::select! {
                    () = turns.pass(ms) => drop(steps.pop_front()),
                    stop = phase.wait_for(|phase| *phase >= Phase::Draining) => {
                        let _gone = stop.is_err();
                        steps.clear();
                    }
                }
                continue;
            }
            let is_object = matches!(steps.front(), Some(Step::Object(_)));
            tokio::select! {
                told = released.recv() => {
                    let Some(told) = told else { return Ok(()) };
                    if let Some((since, Kind::File)) = taken.remove(&told.object) && told.verdict == Verdict::Released {
                        delays.note(Instant::now() - since);
                    }
                }
                stop = phase.wait_for(|phase| *phase >= Phase::Draining), if !steps.is_empty() => {
                    let _gone = stop.is_err();
                    steps.clear();
                }
                () = &mut pause, if !pause.is_elapsed() => {}
                room = objects.reserve(), if pause.is_elapsed() && is_object => {
                    let (Ok(room), Some(Step::Object(made))) = (room, steps.pop_front()) else { return Ok(()) };
                    let Made { name, account, text, kind } = made;
                    taken.insert(number, (Instant::now(), kind));
                    let origin = Origin { name, account, sight: Sight::Named };
                    room.send(Object { number, origin, body: Body::Held(Bytes::from(text)), room: None, again: false });
                    number += 1;
                    if kind == Kind::File {
                        pause.as_mut().reset(Instant::now() + pace);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Everything, in the order of time.
fn steps(now_ms: i64) -> Result<VecDeque<Step>, SourceError> {
    let mut events_left = VecDeque::from(posture::weeks(now_ms));
    events_left.retain(|event| !event.is_lost);
    let mut steps = VecDeque::new();
    let trail_ms = now_ms - age_ms(0, files()) - FILE_MS;
    let (mut copies, changes) = copies(now_ms, trail_ms)?;
    events_left.extend(changes);
    events_left.make_contiguous().sort_by_key(|event| event.at_ms);
    let mut until_ms = now_ms - posture::SPAN_MS;
    // What is done by the clock is done first now: then it is due when the clock has come to the end of a turn, not in the middle.
    steps.push_back(Step::Turn(until_ms));
    while until_ms < trail_ms {
        until_ms = (until_ms + PAST_MS).min(trail_ms);
        let of_turn = copies.iter().take_while(|(newest_ms, _)| *newest_ms <= until_ms).count();
        steps.extend(copies.drain(..of_turn).map(|(_, made)| Step::Object(made)));
        steps.extend(events(take_until(&mut events_left, until_ms), Kind::Past));
        steps.push_back(Step::Turn(until_ms));
    }
    for (number, (key, packed)) in (0_u64..).zip(FILES).filter(|(_, (key, _))| !is_silent(key)) {
        let newest_ms = now_ms - age_ms(number, files());
        steps.extend(events(take_until(&mut events_left, newest_ms), Kind::Between));
        let made = file(key, packed, newest_ms, Kind::File)?;
        let changes = posture::changes::of_trail(&made.text);
        steps.push_back(Step::Object(made));
        steps.extend(events(changes, Kind::Between));
    }
    steps.extend(events(events_left.into(), Kind::Between));
    // What is due by the clock now is done before the demo ends.
    steps.push_back(Step::Turn(now_ms));
    Ok(steps)
}

/// A file of the trail, with its newest record at `newest_ms`.
fn file(key: &str, packed: &[u8], newest_ms: i64, kind: Kind) -> Result<Made, SourceError> {
    let text = moved(packed, newest_ms)
        .map_err(|error| SourceError { what: format!("unpacking the bundled {key}: {error}"), hint: None })?;
    let account = key.split('/').nth(1).map(str::to_owned);
    Ok(Made { name: format!("demo/{key}"), account, text, kind })
}

/// Copies, each with the time of its newest record.
type Copies = VecDeque<(i64, Made)>;

/// Copies of files on the days before `until_ms`, each with the time of its newest record, in the order of time, and what their
/// calls changed. Fewer on Saturdays and Sundays, and most of them in the hours of work.
fn copies(now_ms: i64, until_ms: i64) -> Result<(Copies, Vec<Event>), SourceError> {
    let mut rng = fastrand::Rng::with_seed(SEED);
    let (mut copies, mut changes) = (Vec::new(), Vec::new());
    let mut day_ms = now_ms - posture::SPAN_MS;
    while day_ms < until_ms {
        // 1970 began on a Thursday.
        let is_free = matches!((day_ms.div_euclid(DAY_MS) + 4) % 7, 0 | 6);
        let one_of = if is_free { ONE_OF.1 } else { ONE_OF.0 };
        for (number, (key, packed)) in FILES.iter().enumerate() {
            // Who is only in these files is new on the last day.
            let is_left_out = if is_silent(key) {
                let days_ago = (now_ms - day_ms) / DAY_MS;
                day_ms + DAY_MS > now_ms - SILENT_MS || days_ago % SILENT_EVERY > 0
            } else {
                number % 5 == 4 || rng.u32(0..one_of) > 0
            };
            if is_left_out {
                continue;
            }
            let newest_ms = day_ms + FILE_MS + (rng.i64(0..DAY_MS / 2 - FILE_MS) + rng.i64(0..DAY_MS / 2));
            if newest_ms < until_ms {
                let mut made = file(key, packed, newest_ms, Kind::Past)?;
                changes.extend(posture::changes::of_copy(&made.text));
                made.text = renamed(&made.text, newest_ms);
                made.name = format!("{}.{newest_ms}", made.name);
                copies.push((newest_ms, made));
            }
        }
        day_ms += DAY_MS;
    }
    for (key, packed) in FILES.iter().filter(|(key, _)| key.ends_with(CUT)) {
        copies.push((now_ms - CUT_MS, cut_off(key, packed, now_ms - CUT_MS)?));
    }
    copies.sort_by_key(|(newest_ms, _)| *newest_ms);
    Ok((copies.into(), changes))
}

/// Whether nothing of this file has come of late.
fn is_silent(key: &str) -> bool {
    SILENT.iter().any(|end| key.ends_with(end))
}

/// A copy of a file as an upload that broke would leave it: it ends in the middle of a record.
fn cut_off(key: &str, packed: &[u8], newest_ms: i64) -> Result<Made, SourceError> {
    let mut made = file(key, packed, newest_ms, Kind::Past)?;
    made.text = renamed(&made.text, newest_ms);
    // At the last mark of a record that lies in the first half.
    let half = made.text.floor_char_boundary(made.text.len() / 2);
    let end = made.text.get(..half).and_then(|half| half.rfind("\"eventID\"")).unwrap_or(half);
    made.text.truncate(end);
    made.name = format!("demo/cut-off/{key}");
    Ok(made)
}

/// The records with ids of their own.
fn renamed(text: &str, salt: i64) -> String {
    let Some(event_id) = EVENT_ID.as_ref() else { return text.to_owned() };
    let renamed = event_id.replace_all(text, |found: &Captures<'_>| {
        let old = found.get(1).map_or("", |text| text.as_str());
        let digest = Sha256::digest(format!("{salt} {old}"));
        let hex = |from: usize, to: usize| {
            digest.iter().take(to).skip(from).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
        };
        let id = [hex(0, 4), hex(4, 6), hex(6, 8), hex(8, 10), hex(10, 16)].join("-");
        format!("\"eventID\":\"{id}\"")
    });
    renamed.into_owned()
}

/// The first events, as far as they are sent before this time.
fn take_until(week: &mut VecDeque<Event>, until_ms: i64) -> Vec<Event> {
    let count = week.iter().take_while(|event| event.at_ms < until_ms).count();
    week.drain(..count).collect()
}

/// Events as an object of lines; `None`: there are none.
fn events(events: Vec<Event>, kind: Kind) -> Option<Step> {
    let first = events.first()?;
    let name = format!("demo/events/{}.ndjson", time::format_ms(first.at_ms));
    let text = events.iter().map(|event| event.envelope.to_string() + "\n").collect();
    Some(Step::Object(Made { name, account: None, text, kind }))
}

/// How long each file took: from the agent's taking it to the answer that covers the last of its records.
#[derive(Debug, Clone, Default)]
pub(super) struct Delays(Arc<Mutex<Vec<Duration>>>);

impl Delays {
    fn note(&self, delay: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(delay);
    }

    /// Of the files that have been accepted whole, shortest first.
    pub(super) fn sorted(&self) -> Vec<Duration> {
        let mut delays = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        delays.sort_unstable();
        delays
    }
}

/// How many files there are.
const fn files() -> u64 {
    FILES.len() as u64
}

/// How long ago the newest record of a file is: the last file is a few seconds old.
fn age_ms(number: u64, files: u64) -> i64 {
    let left = i64::try_from(files.saturating_sub(number)).unwrap_or(1);
    SPREAD_MS * left / i64::try_from(files.max(1)).unwrap_or(1) - SPREAD_MS / i64::try_from(files.max(1)).unwrap_or(1) + 5_000
}

/// The file with its newest record at `newest_ms`.
fn moved(packed: &[u8], newest_ms: i64) -> std::io::Result<String> {
    let mut text = String::new();
    Unpacked::new(packed, FILE_BYTES)?.read_to_string(&mut text)?;
    let Some(event_time) = EVENT_TIME.as_ref() else { return Ok(text) };
    let times = event_time.captures_iter(&text).filter_map(|found| time::parse_ms(found.get(1)?.as_str()));
    let Some(newest) = times.max() else { return Ok(text) };
    let shifted = event_time.replace_all(&text, |found: &Captures<'_>| {
        let old = found.get(1).and_then(|text| time::parse_ms(text.as_str())).unwrap_or(newest);
        // Whole seconds, as AWS writes them.
        let new = (newest_ms - (newest - old).min(FILE_MS)) / 1_000 * 1_000;
        format!("\"eventTime\":\"{}\"", time::format_ms(new))
    });
    Ok(shifted.into_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_fixture_is_bundled() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cloudtrail");
        let mut found = Vec::new();
        let mut folders = vec![root.join("AWSLogs")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        found.sort();
        assert_eq!(FILES.iter().map(|(key, _)| *key).collect::<Vec<_>>(), found, "add the files to the list above");
    }

    /// The dashboard's week has nothing of them, the weeks before have.
    #[test]
    fn files_that_went_silent_have_copies_of_earlier_weeks_only_and_one_copy_is_cut_off() {
        let now_ms = 1_795_292_071_000;
        let objects: Vec<Made> = steps(now_ms)
            .unwrap()
            .into_iter()
            .filter_map(|step| if let Step::Object(made) = step { Some(made) } else { None })
            .collect();
        for end in SILENT {
            let of_file = objects.iter().filter(|made| made.name.contains(end));
            let newest = of_file.clone().flat_map(|made| {
                let found = EVENT_TIME.as_ref().unwrap().captures_iter(&made.text);
                found.map(|found| time::parse_ms(found.get(1).unwrap().as_str()).unwrap()).collect::<Vec<_>>()
            });
            assert!(of_file.count() >= 3, "{end}");
            assert!(newest.max().unwrap() < now_ms - 7 * DAY_MS, "{end}");
        }
        let files = objects.iter().filter(|made| made.kind == Kind::File).count();
        assert_eq!(files, FILES.len() - SILENT.len());
        let broken: Vec<&Made> =
            objects.iter().filter(|made| made.kind != Kind::Between && made.name.contains("AWSLogs")).collect();
        let broken: Vec<&str> = broken
            .into_iter()
            .filter(|made| serde_json::from_str::<serde_json::Value>(&made.text).is_err())
            .map(|made| made.name.as_str())
            .collect();
        assert!(matches!(broken[..], [name] if name.starts_with("demo/cut-off/") && name.ends_with(CUT)), "{broken:?}");
    }

    #[test]
    fn only_times_move_and_all_lie_in_the_window() {
        let now = 1_795_292_071_000;
        for (number, (key, packed)) in (0..).zip(FILES) {
            let mut before = String::new();
            Unpacked::new(*packed, FILE_BYTES).unwrap().read_to_string(&mut before).unwrap();
            let mut before: serde_json::Value = serde_json::from_str(&before).unwrap();
            let newest = now - age_ms(number, FILES.len() as u64);
            let mut after: serde_json::Value = serde_json::from_str(&moved(packed, newest).unwrap()).unwrap();
            let mut seen = Vec::new();
            for (old, new) in before["Records"].as_array_mut().unwrap().iter_mut().zip(after["Records"].as_array_mut().unwrap()) {
                seen.push(time::parse_ms(new["eventTime"].as_str().unwrap()).unwrap());
                old["eventTime"] = serde_json::Value::Null;
                new["eventTime"] = serde_json::Value::Null;
            }
            assert_eq!(before, after, "{key}");
            assert!(seen.iter().all(|ms| *ms <= now && *ms > now - 22 * 3_600_000), "{key}");
            assert_eq!(seen.iter().max().copied(), Some(newest / 1_000 * 1_000), "{key}");
        }
    }
}
