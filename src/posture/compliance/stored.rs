//! The state of one account in one Region as it is written.
//!
//! In: the state. Out: lines: a head with the version and the resource types, then one for each rule. What always holds: what is
//! written reads back the same; what was cut is an error, never half a state; what older agents did not write yet is not known.

use serde::{Deserialize, Serialize};

use super::place::{Held, History, Place, RuleState, Texts};
use crate::posture::stored::{Packer, StoredError, Unpacker, VERSION};
use crate::record::{AccountRegion, ComplianceState};

#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    account: Box<str>,
    region: Box<str>,
    baseline: bool,
    kinds: Vec<Box<str>>,
    rules: usize,
}

#[derive(Serialize, Deserialize)]
struct Rule {
    name: Box<str>,
    arn: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identifier: Option<Box<str>>,
    #[serde(rename = "knownMs")]
    known_ms: i64,
    #[serde(rename = "readMs", default)]
    read_ms: i64,
    results: Vec<Row>,
}

/// kind, resource, state, time, told, and of what has violated: first seen, since, reopened, annotation.
#[derive(Serialize, Deserialize)]
struct Row(u16, Box<str>, Box<str>, i64, bool, #[serde(default)] Option<Past>);

#[derive(Serialize, Deserialize)]
struct Past(i64, i64, u32, Option<Box<str>>);

/// The state as it is written.
pub(super) fn write(place: &AccountRegion, state: &Place) -> Vec<u8> {
    let mut out = Packer::new();
    out.line(&Head {
        version: VERSION,
        account: place.account.clone(),
        region: place.region.clone(),
        baseline: state.baseline,
        kinds: state.kinds.clone(),
        rules: state.rules.len(),
    });
    for (name, rule) in &state.rules {
        let results = rule.held.iter().map(row).collect();
        out.line(&Rule {
            name: name.clone(),
            arn: rule.arn.clone(),
            identifier: rule.identifier.clone(),
            known_ms: rule.known_ms,
            read_ms: rule.read_ms,
            results,
        });
    }
    out.bytes()
}

fn row(held: &Held) -> Row {
    let past = held.history.as_deref().map(|history| {
        let History { first_seen_ms, since_ms, reopen_count, annotation } = history;
        Past(*first_seen_ms, *since_ms, *reopen_count, annotation.as_deref().map(Box::from))
    });
    Row(held.kind, (&*held.resource_id).into(), held.state.as_str().into(), held.at_ms, held.told, past)
}

/// Reads a state.
pub(super) fn read(bytes: &[u8]) -> Result<Place, StoredError> {
    let (head, lines) = Unpacker::open::<Head>(bytes)?;
    let mut place = Place { baseline: head.baseline, kinds: head.kinds, ..Place::default() };
    for rule in lines.lines::<Rule>() {
        let rule = rule?;
        // A list of its own: rows are longer than what is held of them, and a list made in their place would keep their room.
        let Rule { name, arn, identifier, known_ms, read_ms, results } = rule;
        let mut held = Vec::with_capacity(results.len());
        held.extend(results.into_iter().map(|row| row.held(&mut place.texts)));
        held.sort_by(|one, other| (one.kind, &one.resource_id).cmp(&(other.kind, &other.resource_id)));
        place.rules.insert(name, RuleState { arn, identifier, known_ms, read_ms, held });
    }
    if place.rules.len() != head.rules {
        return Err(StoredError::damaged(&format!("{} of {} rules are there", place.rules.len(), head.rules)));
    }
    Ok(place)
}

impl Row {
    fn held(self, texts: &mut Texts) -> Held {
        let Self(kind, resource_id, state, at_ms, told, past) = self;
        let history = past.map(|Past(first_seen_ms, since_ms, reopen_count, annotation)| {
            let annotation = annotation.map(|text| texts.share(&text));
            Box::new(History { first_seen_ms, since_ms, reopen_count, annotation })
        });
        Held { resource_id: texts.share(&resource_id), history, at_ms, kind, state: ComplianceState::of(&state), told }
    }
}
