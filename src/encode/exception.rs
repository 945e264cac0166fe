//! Exceptions that have ended → items for the Event API.
//!
//! In: an exception that mutes nothing any more. Out: a `CspmRelayException`, so that its owner sees that the control speaks
//! again; it is told every day as long as the exception stands. What always holds: each telling of the same exception has the same
//! `exception.id`.

use super::dictionary::EXCEPTION;
use super::event::VERSION;
use super::writer::EventWriter;
use crate::classify::Exception;

/// Writes the `CspmRelayException` of an exception that has expired. Returns the number of values cut.
pub fn push_expired(out: &mut Vec<u8>, exception: &Exception, now_ms: i64, agent: &str) -> u64 {
    let mut event = EventWriter::begin(out, EXCEPTION, Some(now_ms));
    event.text("exception.id", &exception.id);
    event.text("exception.state", "expired");
    event.text("control.id", &exception.control);
    event.text("exception.owner", &exception.owner);
    event.text("exception.reason", &exception.reason);
    event.text("exception.scope", &exception.scope.text());
    event.text("exception.expires", &exception.expires);
    event.number("exception.expiresTime", exception.expires_ms);
    event.text("relay.version", VERSION);
    event.text("relay.agent", agent);
    event.end()
}
