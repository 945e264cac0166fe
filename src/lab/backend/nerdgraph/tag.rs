//! Tags of entities.
//!
//! In: a guid and tags. Out: nothing, or why not. What always holds: tags that New Relic itself gives stay; a refused change changes
//! nothing; a change takes as long to be seen as any other of an entity.
//!
//! Limits of keys and values are from memory (New Relic's page on tags): 100 keys an entity, 128 characters a key, 256 a value.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::entity::{Tags, own_tags};
use super::{Arguments, Session, text};

const KEYS: usize = 100;
const KEY_CHARS: usize = 128;
const VALUE_CHARS: usize = 256;

/// What a mutation does to the tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Add,
    Replace,
    DeleteKeys,
    DeleteValues,
}

impl Session<'_> {
    /// Changes the tags of an entity.
    pub(super) fn change_tags(&mut self, arguments: &Arguments, change: Change) -> Json {
        match self.tags_changed(arguments, change) {
            Ok(()) => json!({ "errors": [] }),
            Err((kind, message)) => json!({ "errors": [{ "type": kind, "message": message }] }),
        }
    }

    fn tags_changed(&mut self, arguments: &Arguments, change: Change) -> Result<(), (&'static str, String)> {
        let guid = text(arguments, "guid");
        let mut state = self.state.lock();
        let found = state.entities.all.get(guid).filter(|entity| self.is_opened(entity.account));
        // One that is not seen yet cannot be tagged yet.
        let seen = found.filter(|entity| entity.seen(self.now_ms).is_some());
        let Some((entity, newest)) = seen.and_then(|entity| Some((entity, entity.newest()?))) else {
            return Err(("NOT_FOUND", format!("The entity with guid {guid:?} was not found")));
        };
        let own = own_tags(entity.account);
        let mut version = newest.clone();
        let list = |name: &str| arguments.get(name).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        match change {
            Change::Add | Change::Replace => {
                let given = given(list("tags"), &own)?;
                if change == Change::Replace {
                    version.tags = own;
                }
                for (key, values) in given {
                    version.tags.entry(key).or_default().extend(values);
                }
            }
            Change::DeleteKeys => {
                for key in list("tagKeys").iter().filter_map(Json::as_str) {
                    refuse_own(key, &own)?;
                    version.tags.remove(key);
                }
            }
            Change::DeleteValues => {
                for pair in list("tagValues").iter().filter_map(Json::as_object) {
                    let (key, value) = (text(pair, "key"), text(pair, "value"));
                    refuse_own(key, &own)?;
                    if let Some(values) = version.tags.get_mut(key) {
                        values.remove(value);
                    }
                }
                version.tags.retain(|_, values| !values.is_empty());
            }
        }
        if version.tags.len() > KEYS {
            return Err(("TOO_MANY_TAG_KEYS", format!("{} tag keys, at most {KEYS}", version.tags.len())));
        }
        state.entities.change(guid, version, self.now_ms, self.settings.entity_delay_ms);
        Ok(())
    }
}

fn refuse_own(key: &str, own: &Tags) -> Result<(), (&'static str, String)> {
    if own.contains_key(key) { Err(("INVALID_KEY", format!("The tag key {key:?} is reserved"))) } else { Ok(()) }
}

fn given(tags: &[Json], own: &Tags) -> Result<Tags, (&'static str, String)> {
    let mut given = Tags::new();
    for tag in tags.iter().filter_map(Json::as_object) {
        let key = text(tag, "key");
        refuse_own(key, own)?;
        if key.is_empty() || key.chars().count() > KEY_CHARS {
            return Err(("INVALID_KEY", format!("The tag key {key:?} must have 1 to {KEY_CHARS} characters")));
        }
        let values = tag.get("values").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let values: BTreeSet<String> = values.iter().filter_map(Json::as_str).map(str::to_owned).collect();
        if values.is_empty() {
            return Err(("INVALID_VALUE", format!("The tag {key:?} has no value")));
        }
        if let Some(value) = values.iter().find(|value| value.is_empty() || value.chars().count() > VALUE_CHARS) {
            return Err((
                "INVALID_VALUE",
                format!("The value {value:?} of the tag {key:?} must have 1 to {VALUE_CHARS} characters"),
            ));
        }
        given.entry(key.to_owned()).or_default().extend(values);
    }
    Ok(given)
}
