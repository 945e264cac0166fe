//! One request to AWS, whatever service it is of: when its turn comes, and again while its fault may pass.
//!
//! In: the rate of a place, the request, and who judges what went wrong. Out: the answer, or why there is none. What always holds:
//! each try waits for its turn and is counted; after [`TRIES`] tries a fault that may pass is told as one.

use std::error::Error;

use aws_sdk_config::config::http::HttpResponse;
use aws_sdk_config::error::SdkError;

use super::rate::Rate;
use crate::record::AccountRegion;
use crate::source::backoff::Backoff;

/// Tries of one request before a passing fault is told.
const TRIES: u32 = 5;

/// What to make of a request that went wrong.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::source) enum Verdict<F> {
    /// Too many requests: slower, then again.
    TooMany(String),
    /// Again, after a while.
    Again(String),
    /// To ask again now is of no use.
    Ended(F),
}

/// Asks; `judge` tells what to make of an error, `passing` makes the error of a fault that did not pass in time.
pub(in crate::source) async fn ask<T, E, F, X>(
    rate: &Rate,
    (place, action): (&AccountRegion, &str),
    send: impl Fn() -> F + Sync,
    judge: impl Fn(&SdkError<E, HttpResponse>) -> Verdict<X> + Sync,
    passing: impl Fn(String) -> X + Sync,
) -> Result<T, X>
where
    E: Error + Send + Sync + 'static,
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    T: Send,
{
    let mut backoff = Backoff::new();
    loop {
        rate.turn(backoff.failures() > 0).await;
        let sent = send().await;
        rate.came_back();
        let error = match sent {
            Ok(answer) => {
                rate.answered();
                return Ok(answer);
            }
            Err(error) => error,
        };
        let why = match judge(&error) {
            Verdict::Ended(error) => return Err(error),
            Verdict::TooMany(why) => {
                rate.throttled();
                why
            }
            Verdict::Again(why) => why,
        };
        let delay = backoff.next();
        if backoff.failures() >= TRIES {
            return Err(passing(format!("{action}: {why}")));
        }
        tracing::debug!("{place}: {action} again: {why}");
        tokio::time::sleep(delay).await;
    }
}
