//! When to go on, pause, drain and return.
//!
//! In: the running sources, a stop signal, the gate. Out: the phase that every source hears. Running ⇄ Paused (New Relic
//! accepts nothing), Running or Paused → Draining (stop) → Returning (deadline, or somebody is in a hurry). Where nobody waits
//! for New Relic to accept again, a shut gate is a stop. What always holds: the phase never goes back from Draining or
//! Returning.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep};

use crate::deliver::Patience;
use crate::deliver::answer::Block;
use crate::source::{Phase, SourceError};

/// In whose name a fault of the pipeline itself is told.
pub(super) const PIPELINE: &str = "pipeline";

/// How the sources ended.
pub(super) struct Ended {
    /// The faults of those that could not go on, and of the pipeline.
    pub(super) faults: Vec<(String, SourceError)>,
    /// When there was a stop: the moment at which everything has to be over.
    pub(super) end: Option<Instant>,
}

/// How long a stop may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time {
    /// For what is held to settle.
    pub(super) drain: Duration,
    /// For the sources to hand back what has not.
    pub(super) hand_back: Duration,
    /// What becomes of that, for the log.
    pub(super) rest: &'static str,
}

/// Takes nothing new, and takes the one deadline that everything from here on shares.
fn begin_drain(
    phase: &watch::Sender<Phase>,
    deadline: &mut Pin<&mut Sleep>,
    end: &mut Option<Instant>,
    Time { drain, hand_back, .. }: Time,
) {
    let now = Instant::now();
    phase.send_replace(Phase::Draining);
    deadline.as_mut().reset(now + drain);
    *end = Some(now + drain + hand_back);
}

/// Runs the sources to their end. `died` tells when something behind them has.
pub(super) async fn until_ended(
    sources: &mut JoinSet<(String, Result<(), SourceError>)>,
    phase: &watch::Sender<Phase>,
    (mut gate, patience): (watch::Receiver<Option<Block>>, Patience),
    (stop, hurry): (impl Future<Output = ()>, impl Future<Output = ()>),
    died: impl Future<Output = SourceError>,
    time: Time,
) -> Ended {
    let mut faults = Vec::new();
    let mut died = std::pin::pin!(died);
    let mut alive = true;
    // Everything that follows a stop shares its time.
    let mut end = None;
    let (mut stop, mut hurry) = (std::pin::pin!(stop), std::pin::pin!(hurry));
    let mut deadline = std::pin::pin!(tokio::time::sleep(Duration::MAX));
    let mut gate_open = true;
    loop {
        let now = *phase.borrow();
        tokio::select! {
            ended = sources.join_next() => match ended {
                None => return Ended { faults, end },
                Some(Ok((_, Ok(())))) => {}
                Some(Ok((name, Err(fault)))) => faults.push((name, fault)),
                Some(Err(error)) => {
                    let fault = SourceError { what: format!("a source ended in a panic: {error}"), hint: None };
                    tracing::error!(error = %fault, "Stopping, so that the agent can be started anew: {fault}");
                    faults.push((PIPELINE.to_owned(), fault));
                    // The other sources would go on, and nobody would see that one is missing.
                    if now < Phase::Draining {
                        begin_drain(phase, &mut deadline, &mut end, time);
                    }
                }
            },
            () = &mut stop, if now < Phase::Draining => {
                tracing::info!(drain_ms = u64::try_from(time.drain.as_millis()).unwrap_or(u64::MAX), "Stopping: taking nothing new");
                begin_drain(phase, &mut deadline, &mut end, time);
            }
            () = &mut hurry, if now < Phase::Returning => {
                tracing::debug!("Stopping at once: {}", time.rest);
                let last = Instant::now() + time.hand_back;
                end = Some(end.map_or(last, |end| last.min(end)));
                phase.send_replace(Phase::Returning);
                deadline.as_mut().reset(last);
            }
            fault = &mut died, if alive => {
                alive = false;
                tracing::error!(error = %fault, "Stopping, so that the agent can be started anew: {fault}");
                faults.push((PIPELINE.to_owned(), fault));
                if now < Phase::Draining {
                    begin_drain(phase, &mut deadline, &mut end, time);
                }
            }
            () = &mut deadline, if now >= Phase::Draining => {
                if now == Phase::Returning {
                    sources.abort_all();
                    return Ended { faults, end };
                }
                tracing::warn!("Not everything settled in time: {}", time.rest);
                phase.send_replace(Phase::Returning);
                deadline.as_mut().reset(end.unwrap_or_else(Instant::now));
            }
            changed = gate.changed(), if gate_open && now < Phase::Draining => match changed {
                Ok(()) => {
                    let blocked = gate.borrow_and_update().is_some();
                    if blocked && patience == Patience::GiveUp {
                        begin_drain(phase, &mut deadline, &mut end, time);
                        continue;
                    }
                    phase.send_replace(if blocked { Phase::Paused } else { Phase::Running });
                }
                Err(_) => gate_open = false,
            },
        }
    }
}
