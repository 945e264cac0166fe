//! The configuration as a commented file.
//!
//! In: answers. Out: YAML. What always holds: only what was answered is set; every text is quoted, so none is read as something else.

use super::answers::{Answers, Posture, Queue};
use super::words::{self, Say};
use crate::config::DeadLetters;

/// The file.
pub(super) fn text(answers: &Answers) -> String {
    let language = answers.language;
    let say = |say: Say| say.get(language);
    let account = answers.accounts.first().copied().unwrap_or_default();
    let mut text = format!(
        "# {}\nversion: 1\n\nnewrelic:\n  region: {}\n  accountId: {account}\n  # {}\n  licenseKey: {}\n",
        say(words::FILE_HEAD),
        answers.region.as_str().to_ascii_lowercase(),
        say(words::FILE_KEY),
        quoted(&answers.license_key)
    );
    let sources = [
        ("trail", "trailBucket", &answers.trail_queue, words::FILE_TRAIL),
        ("events", "eventQueue", &answers.event_queue, words::FILE_EVENTS),
    ];
    if sources.iter().any(|(_, _, queue, _)| queue.is_some()) {
        text += "\nsources:\n";
    }
    for (name, kind, queue, about) in sources {
        let Some(Queue { url, .. }) = queue else { continue };
        text += &format!("  # {}\n  - name: {name}\n    kind: {kind}\n    queueUrl: {}\n", say(about), quoted(url));
        if kind == "trailBucket" && !answers.trail_buckets.is_empty() {
            text += &format!("    # {}\n    buckets: {}\n", say(words::FILE_BUCKETS), list(&answers.trail_buckets));
        }
    }
    if answers.posture.is_on() {
        text += &format!("\n# {}\nposture:\n", say(words::FILE_POSTURE));
        if !answers.posture_regions.is_empty() {
            text += &format!("  regions: {}\n", list(&answers.posture_regions));
        }
        match &answers.posture {
            Posture::Off | Posture::Own => {}
            Posture::Aggregator(name) => {
                text += &format!("  aggregator: {}\n", quoted(name));
                if let Some(region) = &answers.aggregator_region {
                    text += &format!("  # {}\n  aggregatorRegion: {}\n", say(words::FILE_AGGREGATOR), quoted(region));
                }
            }
            Posture::Accounts(accounts) => text += &format!("  accounts: {}\n", list(accounts)),
        }
        if let Some(role) = &answers.posture_role {
            text += &format!("  # {}\n  role: {}\n", say(words::FILE_ROLE), quoted(role));
        }
    }
    text += &format!("\ntelemetry:\n  # {}\n  timeZone: {}\n", say(words::FILE_ZONE), quoted(&answers.timezone));
    text += &format!("\n# {}\n#state:\n#  s3: s3://example-state/cspm-relay\n", say(words::FILE_STATE));
    text += &format!("\n# {}\n", say(words::FILE_LETTERS));
    text += &match &answers.dead_letters {
        Some(DeadLetters::S3 { bucket, prefix }) => {
            format!("deadLetters:\n  s3: {}\n", quoted(&format!("s3://{bucket}/{prefix}")))
        }
        Some(DeadLetters::Queue { url }) => format!("deadLetters:\n  queue: {}\n", quoted(url)),
        Some(DeadLetters::Folder(_)) | None => "#deadLetters:\n#  s3: s3://example-dead-letters/cspm-relay\n".to_owned(),
    };
    text
}

fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// A text that is nothing else, whatever it looks like.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
