//! Exit codes and last words.

use std::io::Write as _;
use std::process::ExitCode;

/// How a command ended. The codes are part of the command line's contract: README has them as a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: good.
    Good,
    /// 1: it found what it was asked to look for.
    Found,
    /// 2: usage or configuration, and what they name on this machine: a missing file, a port that is taken.
    Usage,
    /// 3: AWS or New Relic failed, or the work could not be finished for another reason: input that is not what it should be,
    /// output that takes no more, records that were not sent.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Good => 0,
            Exit::Found => 1,
            Exit::Usage => 2,
            Exit::Failed => 3,
        })
    }
}

/// An error with the exit code it deserves and what the reader can do.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Stop {
    /// Code.
    pub exit: Exit,
    /// What was being done and what went wrong.
    pub what: String,
    /// What the reader can do.
    pub hint: Option<String>,
}

impl Stop {
    /// Wrong usage or configuration.
    pub fn usage(what: impl Into<String>, hint: Option<String>) -> Self {
        Self { exit: Exit::Usage, what: what.into(), hint }
    }

    /// AWS or New Relic failed, or the work could not be finished.
    pub fn failed(what: impl Into<String>, hint: Option<String>) -> Self {
        Self { exit: Exit::Failed, what: what.into(), hint }
    }
}

/// Prints an error with its causes and gives the code: that of a [`Stop`], else 3.
#[must_use]
pub fn explain(error: &anyhow::Error) -> ExitCode {
    let mut text = format!("error: {error}\n");
    for cause in error.chain().skip(1) {
        text += &format!("  because: {cause}\n");
    }
    let stop = error.downcast_ref::<Stop>();
    let region = region_hint(&text);
    for hint in stop.and_then(|stop| stop.hint.as_deref()).into_iter().chain(region) {
        text += &format!("  hint: {hint}\n");
    }
    // Nobody is left to be told that the last words could not be said.
    let _said = std::io::stderr().write_all(text.as_bytes()).is_ok();
    stop.map_or(Exit::Failed, |stop| stop.exit).into()
}

/// What to do when AWS's SDK knows no Region. It says so in words only, below whatever was being done with it.
#[must_use]
pub fn region_hint(what: &str) -> Option<&'static str> {
    let hint = "no AWS Region is known: set AWS_REGION to the Region of the bucket or queue, as eu-west-1, or AWS_PROFILE to a \
                profile that has one";
    what.contains("region must be set").then_some(hint)
}
