//! A first look at past records, before anything of them is told.
//!
//! In: stages that know the names of accounts, and inputs. Out: the time of the newest record; and rules on several records know what
//! they will be told, which depends on records that come later: as in the order of time, however they are read; and so for what
//! principals do for the first time. What always holds:
//! nothing is sent, and no fault is told that the reading itself will meet again. What can be read only once is not looked at: there
//! such rules answer as records come, and that is said.

use std::sync::Arc;

use super::super::assemble::{self, Manner};
use super::super::exit::Stop;
use super::Going;
use super::signals::Signals;
use crate::ack::{Piece, Settled};
use crate::classify::RuleSet;
use crate::clock::Clock;
use crate::config::{Config, LogRecords, Rules};
use crate::encode::{Lane, Outlet};
use crate::pipeline::To;
use crate::pipeline::worker::Stages;
use crate::source::replay::Input;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum For {
    /// What correlations will be told; nothing, if no rule asks for several records.
    Correlations,
    /// The time of the newest record, too.
    Newest,
}

/// A first pass. Returns the time of the newest record, if it was looked at and has one. `moment_ms`: when exceptions are looked at,
/// where the records do not tell; `None`: at the newest record.
///
/// # Errors
/// When it was stopped, or files of the configuration cannot be read.
pub(in crate::cli) async fn look(
    name: &'static str,
    stages: &Stages,
    config: &Config,
    inputs: &[Input],
    (wanted, moment_ms): (For, Option<i64>),
    signals: &Signals,
) -> anyhow::Result<Option<i64>> {
    let correlates = stages.rules.correlates();
    if inputs.iter().any(Input::is_stream) {
        if correlates {
            stages.rules.answer_past();
            tracing::warn!(
                "Standard input is read once: rules that count several records answer in the order in which records come. Files or \
                 folders are looked at first, and then the order changes nothing"
            );
        }
        return Ok(None);
    }
    if !correlates && wanted == For::Correlations {
        return Ok(None);
    }
    let looking = Arc::new(looking(stages, config)?);
    let mut going = Going::new(name, config, inputs, Arc::clone(&looking), Clock::fixed(0), signals);
    going.progress = None;
    let ended = going.relay(To::Outlet(Box::new(Nothing)), None).await?;
    if signals.came() {
        return Err(stopped(wanted, correlates).into());
    }
    let newest_ms = ended.summary.sources.iter().map(|(_, counts)| counts.newest_event_ms).max().filter(|ms| *ms > 0);
    let of_records = stages.lateness.is_some();
    stages.rules.answer_from(&looking.rules, moment_ms.or(newest_ms).filter(|_| !of_records));
    if let (Some(memory), Some(looked)) = (&stages.novelty, &looking.novelty) {
        memory.answer_from(looked);
    }
    Ok(newest_ms)
}

/// Stages that take note and tell nothing. What an exception mutes it mutes here, too.
fn looking(stages: &Stages, config: &Config) -> Result<Stages, Stop> {
    let mut plain = config.clone();
    plain.outputs.logs.records = LogRecords::None;
    plain.outputs.notices = false;
    plain.dead_letters = None;
    plain.exceptions = None;
    plain.frameworks = None;
    plain.rules = Rules::default();
    let rules =
        if stages.rules.correlates() { RuleSet::load(&config.rules).0.without_samples().gathering() } else { RuleSet::default() };
    Ok(Stages {
        rules,
        exceptions: stages.exceptions.clone(),
        enricher: stages.enricher.same(),
        lateness: stages.lateness,
        changes: None,
        novelty: stages.novelty.as_ref().map(|memory| memory.gathering()),
        quiet: true,
        ..assemble::stages(&plain, Clock::fixed(0), Manner::default())?
    })
}

/// A stop before anything was printed or sent.
fn stopped(wanted: For, correlates: bool) -> Stop {
    let looking = if wanted == For::Newest { "for the newest record" } else { "at the records of correlations" };
    let hint = (!correlates).then(|| "--now names the moment and spares the look".to_owned());
    Stop::failed(format!("stopped while looking {looking}: nothing was printed or sent"), hint)
}

/// Takes everything and keeps nothing.
struct Nothing;

impl Outlet for Nothing {
    fn put(&mut self, _: Lane, _: &[u8], _: i64, piece: Piece) {
        piece.settle(Settled::Delivered);
    }

    fn item_max(&self, _: Lane) -> usize {
        usize::MAX
    }

    fn flush(&mut self) {}
}
