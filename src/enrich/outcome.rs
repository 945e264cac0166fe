//! Whether a call worked (`event.outcome`).
//!
//! In: a record. Out: success, failure, or unknown where the record is not about one call. Facts: `errorCode` and `errorMessage`
//! are there only on failure (`CloudTrail` record contents); a failed console sign-in has no `errorCode` but an answer named like
//! the event (console sign-in events page): `{"ConsoleLogin":"Failure"}`. Never guesses from status words of single services.

use crate::record::Trail;

use super::fields;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventOutcome {
    /// It was carried out.
    Success,
    /// It was refused or failed.
    Failure,
    /// The record is not about one call.
    Unknown,
}

impl EventOutcome {
    /// The word in events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Unknown => "unknown",
        }
    }
}

pub(super) fn of(trail: &Trail<'_>, category: &str) -> EventOutcome {
    if matches!(category, "Insight" | "Aggregated") {
        return EventOutcome::Unknown;
    }
    if !trail.error_code.is_empty() || !trail.error_message.is_empty() {
        return EventOutcome::Failure;
    }
    let mut failed = false;
    if let Some(event) = trail.event_name.get() {
        // Sign-ins answer under the event's own name, of the console in responseElements, of Identity Center in the details.
        let parts = match (trail.event_type.get(), trail.event_source.get()) {
            (Some("AwsConsoleSignIn"), _) | (_, Some("signin.amazonaws.com")) => {
                [trail.response_elements, trail.service_event_details]
            }
            _ => [None, None],
        };
        for part in parts.into_iter().flatten() {
            fields::read(part, &[[event]], |_, answer| failed |= answer.eq_ignore_ascii_case("Failure"));
        }
    }
    if failed { EventOutcome::Failure } else { EventOutcome::Success }
}
