//! What exists: dashboards and their pages, policies, conditions.
//!
//! In: changes. Out: entities as they are seen at a moment. What always holds: a change is seen by readers when
//! [`NerdGraphSettings::entity_delay_ms`](super::NerdGraphSettings) has passed on the stand-in's clock, and at once by the next
//! change; a guid names one entity for ever; a deleted entity is found by nobody but who undeletes it; of those that were deleted
//! the newest are kept.
//!
//! A guid is `account|domain|type|id` in Base64 without padding, as New Relic's are.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Map, Value as Json, json};

use super::{NerdGraphSettings, Session, outline};

/// Type of dashboards and their pages.
const DASHBOARD: &str = "DASHBOARD";

/// Tags: values by key.
pub(super) type Tags = BTreeMap<String, BTreeSet<String>>;

/// An entity at one time.
#[derive(Debug, Clone, Default)]
pub(super) struct Version {
    pub(super) name: String,
    pub(super) tags: Tags,
    /// What only entities of its type have.
    pub(super) more: Map<String, Json>,
}

/// What exists under a guid.
#[derive(Debug)]
pub(super) struct Entity {
    pub(super) account: u64,
    pub(super) domain: &'static str,
    pub(super) kind: &'static str,
    /// From when, and what; `None`: deleted. The last one is what is changed next.
    versions: Vec<(i64, Option<Version>)>,
    /// As it was before it was deleted.
    pub(super) deleted: Option<Version>,
}

impl Entity {
    /// As it is seen at a moment.
    pub(super) fn seen(&self, now_ms: i64) -> Option<&Version> {
        let seen = self.versions.iter().rev().find(|(from_ms, _)| *from_ms <= now_ms);
        seen.and_then(|(_, version)| version.as_ref())
    }

    /// As the last change left it.
    pub(super) fn newest(&self) -> Option<&Version> {
        self.versions.last().and_then(|(_, version)| version.as_ref())
    }

    fn put(&mut self, version: Option<Version>, now_ms: i64, from_ms: i64) {
        // What nobody can see any more goes.
        if let Some(seen) = self.versions.iter().rposition(|(from_ms, _)| *from_ms <= now_ms) {
            self.versions.drain(..seen);
        }
        self.versions.push((from_ms, version));
    }

    /// In the shape of `Entity` and `EntityOutline`; `suffix` is `Outline` for the latter.
    pub(super) fn json(&self, guid: &str, version: &Version, suffix: &str) -> Json {
        let (name, entity_type) = match self.kind {
            DASHBOARD => ("DashboardEntity", "DASHBOARD_ENTITY"),
            _ => ("GenericEntity", "GENERIC_ENTITY"),
        };
        let mut entity = version.more.clone();
        let tags: Vec<Json> = version.tags.iter().map(|(key, values)| json!({ "key": key, "values": values })).collect();
        for (field, value) in [
            ("__typename", format!("{name}{suffix}").into()),
            ("account", outline(self.account)),
            ("accountId", self.account.into()),
            ("domain", self.domain.into()),
            ("entityType", entity_type.into()),
            ("guid", guid.into()),
            ("name", version.name.as_str().into()),
            ("permalink", format!("https://one.newrelic.com/redirect/entity/{guid}").into()),
            ("reporting", true.into()),
            ("tags", tags.into()),
            ("type", self.kind.into()),
        ] {
            entity.insert(field.to_owned(), value);
        }
        Json::Object(entity)
    }
}

/// Everything that exists, and what was deleted and can be brought back.
#[derive(Debug, Default)]
pub(super) struct Entities {
    /// By guid.
    pub(super) all: BTreeMap<String, Entity>,
    /// Guids of what was deleted, the oldest first.
    deleted: VecDeque<String>,
}

impl Entities {
    /// Makes an entity, or changes the one that is there.
    pub(super) fn put(&mut self, guid: &Guid, version: Version, now_ms: i64, delay_ms: i64) {
        let made = || Entity { account: guid.account, domain: guid.domain, kind: guid.kind, versions: Vec::new(), deleted: None };
        let entity = self.all.entry(guid.text()).or_insert_with(made);
        entity.deleted = None;
        entity.put(Some(version), now_ms, now_ms.saturating_add(delay_ms));
    }

    /// Changes an entity that is there.
    pub(super) fn change(&mut self, guid: &str, version: Version, now_ms: i64, delay_ms: i64) {
        if let Some(entity) = self.all.get_mut(guid) {
            entity.put(Some(version), now_ms, now_ms.saturating_add(delay_ms));
        }
    }

    /// Deletes an entity; it can be brought back until [`NerdGraphSettings::entities`] others are deleted.
    pub(super) fn delete(&mut self, guid: &str, now_ms: i64, settings: &NerdGraphSettings) {
        let Some(entity) = self.all.get_mut(guid) else { return };
        let Some(newest) = entity.newest().cloned() else { return };
        entity.deleted = Some(newest);
        entity.put(None, now_ms, now_ms.saturating_add(settings.entity_delay_ms));
        self.deleted.push_back(guid.to_owned());
        while self.deleted.len() > settings.entities {
            let Some(oldest) = self.deleted.pop_front() else { return };
            self.forget(&oldest);
        }
    }

    /// Brings a deleted entity back, without the tags that it was given.
    pub(super) fn undelete(&mut self, guid: &str, now_ms: i64, delay_ms: i64) {
        let Some(entity) = self.all.get_mut(guid) else { return };
        let Some(version) = entity.deleted.take() else { return };
        let version = Version { tags: own_tags(entity.account), ..version };
        entity.put(Some(version), now_ms, now_ms.saturating_add(delay_ms));
        self.deleted.retain(|deleted| deleted != guid);
    }

    /// The dashboards and pages that are there.
    pub(super) fn dashboards(&self) -> usize {
        self.all.values().filter(|entity| entity.kind == DASHBOARD && entity.newest().is_some()).count()
    }

    /// Takes an entity away for good.
    pub(super) fn forget(&mut self, guid: &str) {
        self.all.remove(guid);
    }
}

/// What a guid says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guid {
    pub(super) account: u64,
    pub(super) domain: &'static str,
    pub(super) kind: &'static str,
    pub(super) id: u64,
}

impl Guid {
    pub(super) fn dashboard(account: u64, id: u64) -> Self {
        Self { account, domain: "VIZ", kind: DASHBOARD, id }
    }

    pub(super) fn alerts(account: u64, kind: &'static str, id: u64) -> Self {
        Self { account, domain: "AIOPS", kind, id }
    }

    pub(super) fn text(&self) -> String {
        STANDARD_NO_PAD.encode(format!("{}|{}|{}|{}", self.account, self.domain, self.kind, self.id))
    }
}

/// The tags that New Relic gives to every entity, and nobody may change.
pub(super) fn own_tags(account: u64) -> Tags {
    let one = |key: &str, value: String| (key.to_owned(), BTreeSet::from([value]));
    Tags::from([one("account", "Stand-in account".to_owned()), one("accountId", account.to_string())])
}

impl Session<'_> {
    /// The entity with this guid, as it is seen now; null if the key opens none.
    pub(super) fn entity(&self, guid: &str) -> Json {
        let state = self.state.lock();
        let found = state.entities.all.get(guid).filter(|entity| self.is_opened(entity.account));
        let seen = found.and_then(|entity| Some((entity, entity.seen(self.now_ms)?)));
        seen.map_or(Json::Null, |(entity, version)| entity.json(guid, version, ""))
    }
}
