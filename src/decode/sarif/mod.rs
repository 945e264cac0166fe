//! A file of scan results, SARIF 2.1.0 → its results, one at a time.
//!
//! In: a reader that can be had twice. Out: first what the runs say ([`survey`]: tool, rules, where the code is from), then each
//! result, borrowed, with its place in the file ([`results`]). Twice, because SARIF leaves the order open: Semgrep and whatever
//! sorts its keys write the results before the tool, others write folders behind them. What always holds: no more than one result
//! and what the runs say is held, within one [`Budget`] for the whole file, whatever its size; a result that is too long or broken
//! costs itself only; the first reading tells a file of another kind before anything is sent, the second one where a file ends too
//! early. Packed files are unpacked on the way, within the limit.

mod walk;

use std::io::{BufRead, Read};

use super::gzip::Unpacked;
use super::split::SplitError;
use super::{Bounds, ObjectFault, object_fault};
use crate::record::finding::sarif::{Budget, RunPart, SarifRun};
use walk::{Raw, Walk, WalkError};

/// Longest text of a run's own that is looked at, bytes: an address, a time, a version.
const WORD: usize = 16 << 10;

/// What the first reading found.
#[derive(Debug, Default)]
pub struct Survey {
    /// What each run says, in their order.
    pub runs: Vec<SarifRun>,
    /// Results in all of them.
    pub results: u64,
    /// `version`
    version: Option<String>,
    has_runs: bool,
    budget: Budget,
}

/// Why a file is not read at all.
#[derive(Debug, thiserror::Error)]
pub enum SarifError {
    /// It is of another kind, or of another version.
    #[error("not SARIF 2.1.0: {0}")]
    Foreign(String),
    /// It cannot be read.
    #[error(transparent)]
    Fault(#[from] ObjectFault),
}

/// What stands in the place of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    /// A result, as far as its place tells: its raw JSON text.
    Whole(&'a [u8]),
    /// One that is longer than [`Bounds::record`].
    TooLong,
    /// No list where the results of a run must be.
    NoList,
    /// No object where a run must be.
    NoRun,
}

/// A result and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The run, from 0.
    pub run: usize,
    /// Its place in the run, from 0.
    pub index: u64,
    /// What is there.
    pub content: Content<'a>,
}

/// Most runs of one file.
const RUNS: usize = 10_000;

/// Reads what the runs say, and passes over their results.
///
/// # Errors
/// [`SarifError`] when it is no SARIF 2.1.0, or cannot be read at all. A file that ends too early has a survey: of what comes before
/// its end.
pub fn survey(input: impl BufRead, bounds: Bounds) -> Result<Survey, SarifError> {
    let mut survey = Survey::default();
    let mut walk = Walk::new(Unpacked::later(input, bounds.inflated));
    let read = begin(&mut walk).and_then(|()| document(&mut walk, bounds, &mut Surveying(&mut survey)));
    let fault = match read {
        Ok(()) => None,
        Err(Ended::Foreign(why)) => return Err(SarifError::Foreign(why)),
        // What a result is cannot be told without it.
        Err(Ended::TooMuch(why)) => return Err(ObjectFault::Corrupt(why).into()),
        Err(Ended::Fault(fault @ ObjectFault::Unavailable(_))) => return Err(fault.into()),
        Err(Ended::Fault(fault)) => Some(fault),
    };
    let left_out = survey.budget.left_out();
    if left_out > 0 {
        tracing::warn!(left_out, "A file of results says more of its rules and files than is kept: some findings have no title");
    }
    match (&survey.version, fault) {
        (Some(version), _) if !is_known(version) => {
            let what = format!("version \"{version}\"; convert it, or ask the scanner for 2.1.0");
            Err(SarifError::Foreign(what))
        }
        // What is not there may have been cut off.
        (_, Some(fault)) if survey.has_runs => {
            tracing::debug!(%fault, "A file of results ends too early");
            Ok(survey)
        }
        (_, Some(fault)) => Err(fault.into()),
        (_, None) if !survey.has_runs => Err(SarifError::Foreign("a JSON object without a list \"runs\"".to_owned())),
        (None, None) => Err(SarifError::Foreign("it has no \"version\"".to_owned())),
        (Some(_), None) => Ok(survey),
    }
}

/// Gives every result to `hear`, which says whether to go on.
///
/// # Errors
/// [`ObjectFault`] when the file ends too early, or is not the one that was surveyed; the results before are good.
pub fn results(
    input: impl BufRead,
    bounds: Bounds,
    survey: &Survey,
    hear: &mut impl FnMut(Told<'_>) -> bool,
) -> Result<u64, ObjectFault> {
    let mut walk = Walk::new(Unpacked::later(input, bounds.inflated));
    let read = begin(&mut walk).and_then(|()| document(&mut walk, bounds, &mut Hearing { runs: survey.runs.len(), hear }));
    match read {
        Ok(()) => Ok(walk.position()),
        Err(Ended::Foreign(why) | Ended::TooMuch(why)) => Err(ObjectFault::Corrupt(why)),
        Err(Ended::Fault(fault)) => Err(fault),
    }
}

fn is_known(version: &str) -> bool {
    version == "2.1.0" || version.starts_with("2.1.0-")
}

/// Why a reading ended before the document.
enum Ended {
    Foreign(String),
    /// It says more beside its results than can be kept.
    TooMuch(String),
    Fault(ObjectFault),
}

impl From<WalkError> for Ended {
    fn from(error: WalkError) -> Self {
        Self::Fault(match error {
            WalkError::Read(error) => object_fault(SplitError::Read(error)),
            other => ObjectFault::Corrupt(other.to_string()),
        })
    }
}

/// What a reading does with what it meets.
trait Reading {
    fn version(&mut self, _text: &str) {}
    /// There is a list of runs.
    fn runs(&mut self) {}
    /// A run begins.
    fn run(&mut self) -> Result<(), Ended>;
    fn part(&mut self, _part: RunPart<'_>, _raw: Option<&[u8]>) -> Result<(), Ended> {
        Ok(())
    }
    /// Whether the parts of a run are wanted.
    fn wants_parts(&self) -> bool;
    /// What stands in the place of a result; `false`: read no further.
    fn result(&mut self, told: Told<'_>) -> bool;
}

struct Surveying<'s>(&'s mut Survey);

impl Reading for Surveying<'_> {
    fn version(&mut self, text: &str) {
        self.0.version = Some(text.to_owned());
    }

    fn runs(&mut self) {
        self.0.has_runs = true;
    }

    fn run(&mut self) -> Result<(), Ended> {
        if self.0.runs.len() >= RUNS {
            return Err(Ended::Fault(ObjectFault::Corrupt(format!("more than {RUNS} runs"))));
        }
        self.0.runs.push(SarifRun::default());
        Ok(())
    }

    fn part(&mut self, part: RunPart<'_>, raw: Option<&[u8]>) -> Result<(), Ended> {
        let Survey { runs, budget, .. } = &mut *self.0;
        let Some(run) = runs.last_mut() else { return Ok(()) };
        run.hear(part, raw, budget).map_err(|much| Ended::TooMuch(much.to_string()))
    }

    fn wants_parts(&self) -> bool {
        true
    }

    fn result(&mut self, _told: Told<'_>) -> bool {
        self.0.results += 1;
        true
    }
}

struct Hearing<'h, H> {
    /// Those that were surveyed and have not begun.
    runs: usize,
    hear: &'h mut H,
}

impl<H: FnMut(Told<'_>) -> bool> Reading for Hearing<'_, H> {
    fn run(&mut self) -> Result<(), Ended> {
        let other = || Ended::Fault(ObjectFault::Corrupt("it changed while it was read".to_owned()));
        self.runs = self.runs.checked_sub(1).ok_or_else(other)?;
        Ok(())
    }

    fn wants_parts(&self) -> bool {
        false
    }

    fn result(&mut self, told: Told<'_>) -> bool {
        (self.hear)(told)
    }
}

/// The marks that a file may begin with.
fn begin<R: Read>(walk: &mut Walk<R>) -> Result<(), Ended> {
    let head = walk.head(3)?;
    let foreign = |what: &str| Err(Ended::Foreign(what.to_owned()));
    match head {
        [0xef, 0xbb, 0xbf] => walk.pass(3),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'{', 0, ..] | [0, b'{', ..] => {
            return foreign("it is UTF-16, and JSON is exchanged as UTF-8; in PowerShell write it with Out-File -Encoding utf8");
        }
        [] => return foreign("it is empty"),
        _ => {}
    }
    match walk.peek() {
        Ok(b'{') => Ok(()),
        Ok(b'[') => foreign("a JSON list; an object with \"version\" and \"runs\" is needed"),
        Ok(_) => foreign("not a JSON object"),
        Err(WalkError::Cut { .. }) => foreign("it is empty"),
        Err(error) => Err(error.into()),
    }
}

/// The whole document.
fn document<R: Read>(walk: &mut Walk<R>, bounds: Bounds, reading: &mut impl Reading) -> Result<(), Ended> {
    let mut number = 0;
    object(walk, |walk, key| match key {
        "version" => {
            let version = word(walk)?;
            reading.version(&version);
            Ok(())
        }
        "runs" => {
            if walk.peek()? != b'[' {
                return Err(Ended::Foreign("\"runs\" is no list".to_owned()));
            }
            reading.runs();
            list(walk, |walk| {
                reading.run()?;
                run(walk, number, bounds, reading)?;
                number += 1;
                Ok(())
            })
        }
        _ => Ok(walk.skip()?),
    })?;
    Ok(walk.end()?)
}

/// One run.
fn run<R: Read>(walk: &mut Walk<R>, number: usize, bounds: Bounds, reading: &mut impl Reading) -> Result<(), Ended> {
    let stop = || Ended::Fault(ObjectFault::Stopped(super::Stopped));
    if walk.peek()? != b'{' {
        walk.skip()?;
        let goes_on = reading.result(Told { run: number, index: 0, content: Content::NoRun });
        return if goes_on { Ok(()) } else { Err(stop()) };
    }
    let mut index = 0;
    object(walk, |walk, key| match key {
        "results" => {
            match walk.peek()? {
                b'[' => list(walk, |walk| {
                    let content = match walk.value(bounds.record)? {
                        Raw::Whole(raw) => Content::Whole(raw),
                        Raw::TooLong(_) => Content::TooLong,
                    };
                    let goes_on = reading.result(Told { run: number, index, content });
                    index += 1;
                    if goes_on { Ok(()) } else { Err(stop()) }
                }),
                // SARIF's word for a scan that did not take place.
                b'n' => Ok(walk.skip()?),
                _ => {
                    walk.skip()?;
                    let goes_on = reading.result(Told { run: number, index, content: Content::NoList });
                    if goes_on { Ok(()) } else { Err(stop()) }
                }
            }
        }
        _ if !reading.wants_parts() => Ok(walk.skip()?),
        "tool" => object(walk, |walk, key| match key {
            "driver" => component(walk, RunPart::Driver, bounds, reading),
            "extensions" => list(walk, |walk| component(walk, RunPart::Extension, bounds, reading)),
            _ => Ok(walk.skip()?),
        }),
        "invocations" => list(walk, |walk| {
            object(
                walk,
                |walk, key| if key == "endTimeUtc" { part(walk, RunPart::EndTime, WORD, reading) } else { Ok(walk.skip()?) },
            )
        }),
        "versionControlProvenance" => list(walk, |walk| part(walk, RunPart::Origin, WORD, reading)),
        "automationDetails" => part(walk, RunPart::Automation, WORD, reading),
        "originalUriBaseIds" => object(walk, |walk, name| part(walk, RunPart::Base(name), WORD, reading)),
        "artifacts" => list(walk, |walk| file(walk, reading)),
        _ => Ok(walk.skip()?),
    })
}

/// A part of the tool that has rules.
fn component<R: Read>(walk: &mut Walk<R>, which: RunPart<'_>, bounds: Bounds, reading: &mut impl Reading) -> Result<(), Ended> {
    reading.part(which, None)?;
    object(walk, |walk, key| match key {
        "name" => part(walk, RunPart::Name, WORD, reading),
        "semanticVersion" | "version" => part(walk, RunPart::Version, WORD, reading),
        "guid" => part(walk, RunPart::Guid, WORD, reading),
        "rules" => list(walk, |walk| part(walk, RunPart::Rule, bounds.record, reading)),
        _ => Ok(walk.skip()?),
    })
}

/// One of the files that results may name by number. Each has its place, whatever it says.
fn file<R: Read>(walk: &mut Walk<R>, reading: &mut impl Reading) -> Result<(), Ended> {
    let mut told = false;
    object(walk, |walk, key| {
        if key == "location" && !std::mem::replace(&mut told, true) {
            return part(walk, RunPart::File, WORD, reading);
        }
        Ok(walk.skip()?)
    })?;
    if !told {
        reading.part(RunPart::File, None)?;
    }
    Ok(())
}

fn part<R: Read>(walk: &mut Walk<R>, part: RunPart<'_>, most: usize, reading: &mut impl Reading) -> Result<(), Ended> {
    match walk.value(most)? {
        Raw::Whole(raw) => reading.part(part, Some(raw)),
        Raw::TooLong(_) => reading.part(part, None),
    }
}

/// A text, empty where there is none.
fn word<R: Read>(walk: &mut Walk<R>) -> Result<String, Ended> {
    Ok(match walk.value(WORD)? {
        Raw::Whole(raw) => serde_json::from_slice::<crate::record::Text<'_>>(raw).ok().map(|text| text.or_empty().to_owned()),
        Raw::TooLong(_) => None,
    }
    .unwrap_or_default())
}

/// Goes through an object; what is none is passed over.
fn object<R: Read>(walk: &mut Walk<R>, mut each: impl FnMut(&mut Walk<R>, &str) -> Result<(), Ended>) -> Result<(), Ended> {
    if walk.peek()? != b'{' {
        return Ok(walk.skip()?);
    }
    walk.open(b'{', "an object")?;
    while walk.more(b'}')? {
        let key = walk.key()?;
        each(walk, &key)?;
    }
    Ok(())
}

/// Goes through a list; what is none is passed over.
fn list<R: Read>(walk: &mut Walk<R>, mut each: impl FnMut(&mut Walk<R>) -> Result<(), Ended>) -> Result<(), Ended> {
    if walk.peek()? != b'[' {
        return Ok(walk.skip()?);
    }
    walk.open(b'[', "a list")?;
    while walk.more(b']')? {
        each(walk)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
