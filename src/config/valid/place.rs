//! Places to write to: where dead letters go and where state is kept.
//!
//! In: what was written. Out: at most one place of each, or faults: two where one belongs, addresses that are none, a place of
//! state inside that of dead letters. It opens none of them.

use std::path::PathBuf;

use super::{is_bucket, one_of};
use crate::config::fault::Fault;
use crate::config::nearest::nearest;
use crate::config::queue_url;
use crate::config::reader::Reader;
use crate::config::{DeadLetters, State, StatePlace};

/// Where dead letters go.
pub(super) fn dead_letters(reader: &mut Reader<'_>) -> Option<DeadLetters> {
    const FOLDER: &str = "deadLetters.folder";
    const QUEUE: &str = "deadLetters.queue";
    one_of(reader, &[FOLDER, "deadLetters.s3", QUEUE]);
    if reader.has(FOLDER) {
        let keys = "in a file they are deadLetters.folder, deadLetters.s3 and deadLetters.queue";
        let allowed = format!("a folder's path, s3://bucket/prefix, or a queue's URL: {}", queue_url::ALLOWED);
        return folder(reader, FOLDER, &allowed, keys).map(DeadLetters::Folder);
    }
    if let Some((url, parts)) = reader.queue(QUEUE) {
        if parts.is_fifo() {
            let fault = Fault::new(QUEUE, reader.place(QUEUE), "a FIFO queue").was(&url);
            let fault = fault.allowed(format!("{}, a standard queue", queue_url::ALLOWED));
            reader.faults.push(fault.hint("letters name no message group, so SQS would refuse every one: name a standard queue"));
            return None;
        }
        return Some(DeadLetters::Queue { url });
    }
    s3(reader, "deadLetters.s3").map(|(bucket, prefix)| DeadLetters::S3 { bucket, prefix })
}

/// Where state is kept, and the lease.
pub(super) fn state(reader: &mut Reader<'_>, dead_letters: Option<&DeadLetters>) -> State {
    const FOLDER: &str = "state.folder";
    let lease = reader.time("state.lease", State::default().lease);
    one_of(reader, &[FOLDER, "state.s3"]);
    let (path, place) = if reader.has(FOLDER) {
        let keys = "in a file they are state.folder and state.s3";
        (FOLDER, folder(reader, FOLDER, "a folder's path, or s3://bucket/prefix", keys).map(StatePlace::Folder))
    } else {
        ("state.s3", s3(reader, "state.s3").map(|(bucket, prefix)| StatePlace::S3 { bucket, prefix }))
    };
    if let (Some(place), Some(letters)) = (&place, dead_letters)
        && is_inside(place, letters)
    {
        let hint = "give each a place of its own: `dlq` would take state for letters";
        reader.wrong(path, "inside the place of deadLetters", Some(hint.to_owned()));
    }
    State { place, lease }
}

/// Whether letters are listed where state is.
fn is_inside(state: &StatePlace, letters: &DeadLetters) -> bool {
    let as_folder = |prefix: &str| if prefix.is_empty() { String::new() } else { format!("{}/", prefix.trim_end_matches('/')) };
    match (state, letters) {
        (StatePlace::Folder(state), DeadLetters::Folder(letters)) => state.starts_with(letters),
        (StatePlace::S3 { bucket, prefix }, DeadLetters::S3 { bucket: other, prefix: letters }) => {
            bucket == other && as_folder(prefix).starts_with(&as_folder(letters))
        }
        _ => false,
    }
}

/// A bucket and a prefix.
fn s3(reader: &mut Reader<'_>, path: &str) -> Option<(String, String)> {
    let text = reader.raw(path)?;
    let (bucket, prefix) = text.strip_prefix("s3://").map_or(("", ""), |rest| rest.split_once('/').unwrap_or((rest, "")));
    if !is_bucket(bucket) || prefix.starts_with('/') {
        reader.wrong(path, "not a bucket and a prefix", None);
        return None;
    }
    Some((bucket.to_owned(), prefix.to_owned()))
}

/// A folder; a mistyped address is a fault: what is written would be where nobody looks.
fn folder(reader: &mut Reader<'_>, path: &str, allowed: &str, keys: &str) -> Option<PathBuf> {
    let folder = reader.path(path)?;
    let text = reader.raw(path)?;
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    if scheme.is_none() && !text.starts_with("arn:") {
        return Some(folder);
    }
    let schemes = if allowed.contains("https://") { &["https", "http", "s3"][..] } else { &["s3"] };
    let meant = scheme.and_then(|scheme| nearest(scheme, schemes.iter().copied()));
    let meant = meant.map(|meant| format!("did you mean {meant}://…? ")).unwrap_or_default();
    let fault = Fault::new(path, reader.place(path), "an address, not a folder").was(text).allowed(allowed);
    reader.faults.push(fault.hint(format!("{meant}{keys}")));
    None
}
