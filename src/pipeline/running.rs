//! A source before it runs.
//!
//! In: a source and its name. Out: the future that reads it, once the pipeline gives it an intake, and counters under its name.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::watch;

use crate::ack::Counts;
use crate::source::{Intake, Phase, Source, SourceError};

/// A source at work.
type AtWork = Pin<Box<dyn Future<Output = Result<(), SourceError>> + Send>>;

/// A source ready to run.
pub struct Running {
    pub(super) counts: Arc<Counts>,
    pub(super) told_by_caller: bool,
    pub(super) led: bool,
    pub(super) run: Box<dyn FnOnce(Intake) -> AtWork + Send>,
}

impl Running {
    /// Prepares a source under its name.
    pub fn new(name: &str, source: impl Source) -> Self {
        Self {
            counts: Arc::new(Counts::new(name)),
            told_by_caller: false,
            led: false,
            run: Box::new(move |intake| Box::pin(source.run(intake))),
        }
    }

    /// Its fault is not logged when it comes: the caller tells it at the end, once.
    #[must_use]
    pub fn told_by_caller(self) -> Self {
        Self { told_by_caller: true, ..self }
    }

    /// Its records move the state: only the agent that leads takes them.
    #[must_use]
    pub fn led(self) -> Self {
        Self { led: true, ..self }
    }

    /// It begins once this is true, or nobody can say any more. A stop before that ends it with nothing taken.
    #[must_use]
    pub fn once(self, mut begun: watch::Receiver<bool>) -> Self {
        let run = self.run;
        let begin = move |intake: Intake| -> AtWork {
            Box::pin(async move {
                let mut phase = intake.phase.clone();
                let goes_on = tokio::select! {
                    _ = begun.wait_for(|begun| *begun) => true,
                    _ = phase.wait_for(|phase| *phase >= Phase::Draining) => false,
                };
                if goes_on { run(intake).await } else { Ok(()) }
            })
        };
        Self { run: Box::new(begin), ..self }
    }

    /// The source's counters.
    #[must_use]
    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }
}
