//! When to go on, pause, drain and return.
//!
//! In: the running sources, a stop signal, the gate. Out: the phase that every source hears. Running ⇄ Paused (New Relic
//! accepts nothing), Running or Paused → Draining (stop) → Returning (deadline). Where nobody waits for New Relic to accept
//! again, a shut gate is a stop. What always holds: the phase never goes back from Draining or Returning.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::deliver::Patience;
use crate::deliver::answer::Block;
use crate::source::{Phase, SourceError};

/// Runs the sources to their end; the faults of those that could not go on.
pub(super) async fn until_ended(
    sources: &mut JoinSet<(String, Result<(), SourceError>)>,
    phase: &watch::Sender<Phase>,
    (mut gate, patience): (watch::Receiver<Option<Block>>, Patience),
    stop: impl Future<Output = ()>,
    drain: Duration,
    hand_back: Duration,
) -> Vec<(String, SourceError)> {
    let mut faults = Vec::new();
    let mut stop = std::pin::pin!(stop);
    let mut deadline = std::pin::pin!(tokio::time::sleep(Duration::MAX));
    let mut gate_open = true;
    loop {
        let now = *phase.borrow();
        tokio::select! {
            ended = sources.join_next() => match ended {
                None => return faults,
                Some(Ok((_, Ok(())))) => {}
                Some(Ok((name, Err(fault)))) => {
                    tracing::error!(source = name, error = %fault, hint = fault.hint, "Source {name} cannot go on: {fault}");
                    faults.push((name, fault));
                }
                Some(Err(error)) => {
                    let fault = SourceError { what: format!("a source ended in a panic: {error}"), hint: None };
                    faults.push((String::new(), fault));
                }
            },
            () = &mut stop, if now < Phase::Draining => {
                tracing::info!(drain_ms = u64::try_from(drain.as_millis()).unwrap_or(u64::MAX), "Stopping: taking nothing new");
                phase.send_replace(Phase::Draining);
                deadline.as_mut().reset(tokio::time::Instant::now() + drain);
            }
            () = &mut deadline, if now >= Phase::Draining => {
                if now == Phase::Returning {
                    sources.abort_all();
                    return faults;
                }
                tracing::warn!("Not everything settled in time: handing the rest back");
                phase.send_replace(Phase::Returning);
                deadline.as_mut().reset(tokio::time::Instant::now() + hand_back);
            }
            changed = gate.changed(), if gate_open && now < Phase::Draining => match changed {
                Ok(()) => {
                    let blocked = gate.borrow_and_update().is_some();
                    if blocked && patience == Patience::GiveUp {
                        phase.send_replace(Phase::Draining);
                        deadline.as_mut().reset(tokio::time::Instant::now() + drain);
                        continue;
                    }
                    phase.send_replace(if blocked { Phase::Paused } else { Phase::Running });
                }
                Err(_) => gate_open = false,
            },
        }
    }
}
