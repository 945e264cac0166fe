//! A dead letter: what could not be delivered or read, why, and how to try again.
//!
//! In: bytes and a reason. Out: one line of JSON, written to a folder, an S3 prefix or a queue, and read back by
//! `cspm-relay dlq`. The id is made from what the letter is about, so parking the same thing twice gives the same letter; a
//! refused item is the same thing under whatever time it comes again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::ack::{Counter, Rollups, Tally};
use crate::encode::Lane;
use crate::record::id::digest_id;

/// What is in a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LetterKind {
    /// Something in the place of a trail record that is none; the bytes are in it. Replay decodes it again.
    Record,
    /// A message of a queue that tells of objects, which nobody understood; its body is in it. Replay leaves it: only the queue
    /// that it came from can tell what it means.
    Message,
    /// An object, or the rest of it; only its name is in it. Replay fetches it again.
    Object,
    /// An encoded event that the Event API refused. Replay sends it again.
    Event,
    /// An encoded log that the Log API refused. Replay sends it again.
    Log,
}

/// What a refused item counts in the roll-up metrics once New Relic accepts it: one more in this series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Count {
    /// Name of the counter, `cspm.detections`.
    pub metric: String,
    /// Values of the series, in the order of [`Counter::attributes`].
    pub values: Vec<String>,
}

impl Count {
    fn of(tally: &Tally) -> Self {
        let series = tally.series();
        let values = series.attributes().map(|(_, value)| value.to_owned()).collect();
        Self { metric: series.counter().name().to_owned(), values }
    }

    /// The same among what is counted here; `None`: nothing is counted, or no relay counts such a thing.
    #[must_use]
    pub fn tally(&self, rollups: &Rollups) -> Option<Tally> {
        let counter = Counter::ALL.into_iter().find(|counter| counter.name() == self.metric)?;
        let values: Vec<&str> = self.values.iter().map(String::as_str).collect();
        (values.len() == counter.attributes().len()).then(|| rollups.tally(counter, &values))?
    }
}

/// A dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Letter {
    /// Version of this form.
    pub version: u32,
    /// Made from kind, origin, S3 version, index and content, of an event or a log from what names its row ([`Lane::name`]): the
    /// same thing has the same id.
    pub id: String,
    /// What is in it.
    pub kind: LetterKind,
    /// When it was written, milliseconds since the epoch.
    pub time_ms: i64,
    /// The source it came through; empty for a refused item of several sources.
    pub source: String,
    /// Where it came from: `s3://bucket/key`, a path, `queue/message`; empty for a refused item (its `event.id` names it).
    pub origin: String,
    /// The S3 version of the object, where its notification named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// Position of the record in its object, from 0.
    pub index: Option<u64>,
    /// Why it is here.
    pub reason: String,
    /// The content as text, when it is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The content in base64, when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_base64: Option<String>,
    /// What a refused item counts once it is accepted, for whoever sends it again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<Count>,
}

impl Letter {
    /// The version of the form that is written and read. It is raised with every field that is added once a version of the program
    /// was released: a reader refuses fields that it does not know.
    pub const VERSION: u32 = 1;

    /// A letter about `content`, which may be empty (an object that only has a name).
    #[must_use]
    pub fn new(
        kind: LetterKind,
        time_ms: i64,
        source: &str,
        origin: &str,
        index: Option<u64>,
        reason: &str,
        content: &[u8],
    ) -> Self {
        let place = index.map_or_else(String::new, |index| index.to_string());
        let kind_name = format!("{kind:?}");
        // When an item came is written in it, and it may come again.
        let name = match kind {
            LetterKind::Event => Lane::Events.name(content),
            LetterKind::Log => Lane::Logs.name(content),
            LetterKind::Record | LetterKind::Message | LetterKind::Object => None,
        };
        let about = name.as_deref().unwrap_or(content);
        let id = digest_id(&[kind_name.as_bytes(), origin.as_bytes(), place.as_bytes(), about]);
        let (text, base64) = match std::str::from_utf8(content) {
            Ok("") => (None, None),
            Ok(text) => (Some(text.to_owned()), None),
            Err(_) => (None, Some(BASE64.encode(content))),
        };
        Self {
            version: Self::VERSION,
            id,
            kind,
            time_ms,
            source: source.to_owned(),
            origin: origin.to_owned(),
            version_id: None,
            index,
            reason: reason.to_owned(),
            content: text,
            content_base64: base64,
            counts: Vec::new(),
        }
    }

    /// The same, counting this once it is accepted.
    #[must_use]
    pub fn counting<'t>(self, tallies: impl Iterator<Item = &'t Tally>) -> Self {
        Self { counts: tallies.map(Count::of).collect(), ..self }
    }

    /// The same, about one version of its object.
    #[must_use]
    pub fn of_version(self, version: Option<&str>) -> Self {
        let Some(version) = version else { return self };
        let id = digest_id(&[self.id.as_bytes(), version.as_bytes()]);
        Self { id, version_id: Some(version.to_owned()), ..self }
    }

    /// About how many bytes it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        let content = self.content.as_ref().or(self.content_base64.as_ref());
        1_000 + content.map_or(0, String::len)
    }

    /// The content as bytes.
    ///
    /// # Errors
    /// When the base64 in the letter is none: somebody edited it.
    pub fn bytes(&self) -> Result<Vec<u8>, base64::DecodeError> {
        match (&self.content, &self.content_base64) {
            (Some(text), _) => Ok(text.as_bytes().to_vec()),
            (None, Some(base64)) => BASE64.decode(base64),
            (None, None) => Ok(Vec::new()),
        }
    }

    /// The letter as one line of JSON, without a line end.
    #[must_use]
    pub fn line(&self) -> String {
        // A struct of text and numbers always serialises.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_says_what_its_item_counts_once_it_is_accepted() {
        let rollups = Rollups::new(true);
        let values = ["111122223333", "eu-west-1", "iam", "HIGH", "root-used"];
        let tally = rollups.tally(Counter::Detections, &values).unwrap();
        let plain = Letter::new(LetterKind::Event, 5, "", "", None, "status 400", b"{}");
        let letter = plain.clone().counting([&tally].into_iter());
        assert_eq!(letter.id, plain.id);
        let read: Letter = serde_json::from_str(&letter.line()).unwrap();
        assert_eq!(read.counts, [Count { metric: "cspm.detections".to_owned(), values: values.map(str::to_owned).to_vec() }]);
        let again: Vec<_> = read.counts.iter().filter_map(|count| count.tally(&rollups)).collect();
        let shown: Vec<_> = again.iter().flat_map(|tally| tally.series().attributes()).map(|(_, value)| value).collect();
        assert_eq!(shown, values);
        // One that somebody edited counts nothing rather than something else.
        for (metric, values) in [("cspm.detections", 4), ("cspm.unheard", 5), ("cspm.rollup.maybeDouble", 1)] {
            let count = Count { metric: metric.to_owned(), values: vec!["x".to_owned(); values] };
            assert!(count.tally(&rollups).is_none(), "{metric}");
        }
    }

    #[test]
    fn a_letter_keeps_any_bytes_and_the_same_thing_has_the_same_id() {
        let long = vec![b'x'; 2 << 20];
        for content in [b"{\"a\":".as_slice(), b"\xff\x00binary", b"", &long] {
            let letter = Letter::new(LetterKind::Record, 5, "trail", "s3://b/k", Some(3), "no record", content);
            let read: Letter = serde_json::from_str(&letter.line()).unwrap();
            assert_eq!(read, letter);
            assert_eq!(read.bytes().unwrap(), content);
            let again = Letter::new(LetterKind::Record, 9, "trail", "s3://b/k", Some(3), "other words", content);
            assert_eq!(again.id, letter.id);
            let other = Letter::new(LetterKind::Record, 5, "trail", "s3://b/k", Some(4), "no record", content);
            assert_ne!(other.id, letter.id);
        }
    }

    /// What is refused may be offered again: by another record of its object that went back, by another agent, by `replay`.
    #[test]
    fn a_refused_item_that_comes_again_has_the_same_id() {
        let id = |kind, item: &str| Letter::new(kind, 5, "", "", None, "status 400", item.as_bytes()).id;
        let event = |changed: (&str, &str)| {
            let item = r#"{"eventType":"AwsSecurityEvent","timestamp":1795292071000,"relay.late":"false","detection.id":"e-1:root-used","control.title":"Root was used","event.id":"e-1","event.time":1795292071000,"aws.accountId":"111122223333","aws.accountName":"prod","relay.version":"0.1.0","relay.source":"trail","relay.lagMs":42}"#;
            assert!(item.contains(changed.0), "{}", changed.0);
            id(LetterKind::Event, &item.replace(changed.0, changed.1))
        };
        let first = event(("", ""));
        for (name, from, to) in [
            ("later", "\"relay.lagMs\":42", "\"relay.lagMs\":90042"),
            (
                "past the window",
                "\"timestamp\":1795292071000,\"relay.late\":\"false\"",
                "\"timestamp\":1795399071000,\"relay.late\":\"true\"",
            ),
            ("by another version", "\"relay.version\":\"0.1.0\"", "\"relay.version\":\"0.2.0\""),
            ("by another source", "\"relay.source\":\"trail\"", "\"relay.source\":\"again\""),
            ("when the account has another name", "\"prod\"", "\"production\""),
        ] {
            assert_eq!(event((from, to)), first, "{name}");
        }
        for (name, from, to) in [
            ("another type", "AwsSecurityEvent", "AwsSecurityNotice"),
            ("another record", "\"event.id\":\"e-1\"", "\"event.id\":\"e-2\""),
            ("another rule", "e-1:root-used", "e-1:root-console-login"),
            ("another account", "111122223333", "444455556666"),
        ] {
            assert_ne!(event((from, to)), first, "{name}");
        }
        // Two places of one insight share their event.id, and so do the notices of one run.
        for (name, one, other) in [
            ("insights", r#"{"event.id":"i","insight.result":"a"}"#, r#"{"event.id":"i","insight.result":"b"}"#),
            (
                "transitions",
                r#"{"event.id":"f","finding.transition":"new"}"#,
                r#"{"event.id":"f","finding.transition":"updated"}"#,
            ),
            (
                "states",
                r#"{"event.id":"c","compliance.state":"COMPLIANT"}"#,
                r#"{"event.id":"c","compliance.state":"NON_COMPLIANT"}"#,
            ),
            ("ends", r#"{"event.id":"u","exception.uncovered":2}"#, r#"{"event.id":"u","exception.uncovered":3}"#),
            ("nothing names them", r#"{"timestamp":1,"snapshot.id":"s"}"#, r#"{"timestamp":2,"snapshot.id":"s"}"#),
            ("an empty name", r#"{"event.id":"","a":1}"#, r#"{"event.id":"","a":2}"#),
            ("lists", r#"[{"event.id":"a"},1]"#, r#"[{"event.id":"a"},2]"#),
            ("cut", r#"{"event.id":"a","b":1"#, r#"{"event.id":"a","b":2"#),
        ] {
            assert_ne!(id(LetterKind::Event, one), id(LetterKind::Event, other), "{name}");
        }
        let gap = |agent: &str, ms: i64| {
            let item = format!(r#"{{"eventType":"CspmRelayGap","timestamp":{ms},"gap.id":"g","relay.agent":"{agent}"}}"#);
            id(LetterKind::Event, &item)
        };
        assert_eq!(gap("a", 1), gap("b", 2));
        let log = |event_id: &str, ms: i64, late: bool, name: &str| {
            let item = format!(
                r#"{{"timestamp":{ms},"attributes":{{"relay.late":"{late}","event.id":"{event_id}","aws.accountId":"111122223333","aws.accountName":"{name}"}},"message":{{"event.id":"{ms}"}}}}"#
            );
            id(LetterKind::Log, &item)
        };
        assert_eq!(log("e-1", 1, false, "prod"), log("e-1", 2, true, "production"));
        assert_ne!(log("e-1", 1, false, "prod"), log("e-2", 1, false, "prod"));
        // Only what the encoders wrote is known by its names.
        let record = |lag| format!(r#"{{"event.id":"e-1","relay.lagMs":{lag}}}"#);
        assert_ne!(id(LetterKind::Record, &record(1)), id(LetterKind::Record, &record(2)));
    }

    #[test]
    fn versions_of_an_object_have_letters_of_their_own() {
        let letter = |version| Letter::new(LetterKind::Object, 5, "trail", "s3://b/k", None, "cut", b"").of_version(version);
        let (one, two, none) = (letter(Some("v1")), letter(Some("v2")), letter(None));
        assert!(one.id != two.id && one.id != none.id);
        assert_eq!(one.id, letter(Some("v1")).id);
        let read: Letter = serde_json::from_str(&one.line()).unwrap();
        assert_eq!(read.version_id.as_deref(), Some("v1"));
        assert!(!none.line().contains("versionId"));
    }
}
