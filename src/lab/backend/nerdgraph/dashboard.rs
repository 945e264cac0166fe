//! Dashboards: made, replaced whole, deleted, brought back.
//!
//! In: `DashboardInput`. Out: New Relic's results, whose `errors` hold what is refused. What always holds: a refused change changes
//! nothing; a page or widget keeps its id while the input names it, one that is not named is replaced; a dashboard stays in its
//! account; every page is an entity of its own.
//!
//! Facts (`NerdGraph` tutorial on dashboards, types of New Relic's Go client): the mutations' error types, that an update replaces
//! all, that custom tags are lost when a dashboard comes back. Which type a dashboard that is not there has at an update is not
//! documented: `INVALID_INPUT`.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::entity::{Guid, Version, own_tags};
use super::graphql::Fault;
use super::{Arguments, Kept, Session, date_time, input, text, widget};

/// Where a widget keeps the pages it links to, until they are read.
const LINKED: &str = "linkedEntityGuids";

/// What of a dashboard is needed to change it.
struct Present {
    account: u64,
    version: Version,
}

/// Why a guid names no dashboard that may be changed.
enum Absent {
    NotFound,
    Forbidden,
}

impl Session<'_> {
    /// `dashboardCreate`.
    pub(super) fn create_dashboard(&mut self, arguments: &Arguments) -> Result<Json, Fault> {
        let account = self.account(arguments)?;
        let dashboard = input(arguments, "dashboard");
        let mut faults = widget::faults(&dashboard, self.settings);
        let mut state = self.state.lock();
        faults.extend(unknown_ids(&dashboard, None));
        faults.extend(unknown_links(&dashboard, &state));
        faults.extend(self.no_room(&state, 1 + list(&dashboard, "pages").len(), 0));
        if !faults.is_empty() {
            return Ok(refusal("INVALID_INPUT", faults));
        }
        let guid = Guid::dashboard(account, state.next_id());
        Ok(self.put_dashboard(&mut state, guid.text().as_str(), Some(guid), account, None, &dashboard))
    }

    /// `dashboardUpdate`.
    pub(super) fn update_dashboard(&mut self, arguments: &Arguments) -> Json {
        let (guid, dashboard) = (text(arguments, "guid"), input(arguments, "dashboard"));
        let mut state = self.state.lock();
        let Present { account, version } = match self.present(&state, guid) {
            Ok(present) => present,
            Err(Absent::NotFound) => return refusal("INVALID_INPUT", vec![format!("Dashboard {guid} not found")]),
            Err(Absent::Forbidden) => {
                return refusal("FORBIDDEN_OPERATION", vec![format!("Not allowed to change dashboard {guid}")]);
            }
        };
        let mut faults = widget::faults(&dashboard, self.settings);
        faults.extend(unknown_ids(&dashboard, Some(&version)));
        faults.extend(unknown_links(&dashboard, &state));
        faults.extend(self.no_room(&state, list(&dashboard, "pages").len(), pages(&version).count()));
        if !faults.is_empty() {
            return refusal("INVALID_INPUT", faults);
        }
        self.put_dashboard(&mut state, guid, None, account, Some(version), &dashboard)
    }

    /// `dashboardDelete`.
    pub(super) fn delete_dashboard(&mut self, arguments: &Arguments) -> Json {
        let guid = text(arguments, "guid");
        let mut state = self.state.lock();
        let (kind, message) = match self.present(&state, guid) {
            Ok(present) => {
                // The dashboard first: it is never there to be brought back when a page of it is not.
                for guid in [guid.to_owned()].into_iter().chain(pages(&present.version)) {
                    state.entities.delete(&guid, self.now_ms, self.settings);
                }
                return json!({ "status": "SUCCESS", "errors": [] });
            }
            Err(Absent::NotFound) => ("DASHBOARD_NOT_FOUND", format!("Dashboard {guid} not found")),
            Err(Absent::Forbidden) => ("FORBIDDEN_OPERATION", format!("Not allowed to delete dashboard {guid}")),
        };
        json!({ "status": "FAILURE", "errors": [{ "type": kind, "description": message }] })
    }

    /// `dashboardUndelete`.
    pub(super) fn undelete_dashboard(&mut self, arguments: &Arguments) -> Json {
        let guid = text(arguments, "guid");
        let mut state = self.state.lock();
        let found = state.entities.all.get(guid).filter(|entity| entity.deleted.as_ref().is_some_and(is_whole));
        let Some(entity) = found else {
            return json!({ "errors": [{ "type": "DASHBOARD_NOT_FOUND", "description": format!("Dashboard {guid} not found") }] });
        };
        if !self.is_opened(entity.account) {
            let description = format!("Not allowed to bring back dashboard {guid}");
            return json!({ "errors": [{ "type": "FORBIDDEN_OPERATION", "description": description }] });
        }
        let guids: Vec<String> = entity.deleted.iter().flat_map(pages).chain([guid.to_owned()]).collect();
        if let Some(description) = self.no_room(&state, guids.len(), 0) {
            return json!({ "errors": [{ "type": "INVALID_INPUT", "description": description }] });
        }
        for guid in guids {
            state.entities.undelete(&guid, self.now_ms, self.settings.entity_delay_ms);
        }
        json!({ "errors": [] })
    }

    /// `linkedEntities` of a widget, as they are seen now.
    pub(super) fn linked(&self, widget: &Json) -> Json {
        let state = self.state.lock();
        let guids = widget.get(LINKED).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
        let seen = guids.filter_map(|guid| {
            let entity = state.entities.all.get(guid)?;
            Some(entity.json(guid, entity.seen(self.now_ms)?, "Outline"))
        });
        seen.collect()
    }

    /// What is wrong with making so many dashboards and pages when so many go.
    fn no_room(&self, state: &Kept, made: usize, gone: usize) -> Option<String> {
        let (there, most) = (state.entities.dashboards(), self.settings.entities);
        let after = there.saturating_add(made).saturating_sub(gone);
        // What makes nothing more may always be done.
        let is_full = made > gone && after > most;
        is_full.then(|| format!("there would be {after} dashboards and pages, at most {most}: delete some first"))
    }

    fn present(&self, state: &Kept, guid: &str) -> Result<Present, Absent> {
        let entity = state.entities.all.get(guid).ok_or(Absent::NotFound)?;
        let version = entity.newest().filter(|version| is_whole(version)).ok_or(Absent::NotFound)?;
        if !self.is_opened(entity.account) {
            return Err(Absent::Forbidden);
        }
        Ok(Present { account: entity.account, version: version.clone() })
    }

    /// Writes a dashboard that was checked, with its pages, and gives the mutation's result.
    fn put_dashboard(
        &self,
        state: &mut Kept,
        guid: &str,
        made: Option<Guid>,
        account: u64,
        before: Option<Version>,
        dashboard: &Arguments,
    ) -> Json {
        let now = date_time(self.now_ms);
        let created =
            before.as_ref().and_then(|before| before.more.get("createdAt").cloned()).unwrap_or_else(|| now.as_str().into());
        let owner = json!({ "email": "user@stand-in.invalid", "userId": 1 });
        let name = text(dashboard, "name");
        let permissions = dashboard.get("permissions").cloned().unwrap_or_default();
        let common = Map::from_iter([
            ("createdAt".to_owned(), created),
            ("updatedAt".to_owned(), now.into()),
            ("owner".to_owned(), owner),
            ("permissions".to_owned(), permissions),
        ]);
        let delay_ms = self.settings.entity_delay_ms;
        let mut gone: BTreeSet<String> = before.iter().flat_map(pages).collect();
        let mut pages = Vec::new();
        for page in list(dashboard, "pages").iter().filter_map(Json::as_object) {
            let page_name = text(page, "name");
            let given = text(page, "guid");
            let fresh = given.is_empty().then(|| Guid::dashboard(account, state.next_id()));
            let page_guid = fresh.map_or_else(|| given.to_owned(), |guid| guid.text());
            let version = |tags| {
                let mut more = common.clone();
                more.insert("dashboardParentGuid".to_owned(), guid.into());
                Version { name: format!("{name} / {page_name}"), tags, more }
            };
            if let Some(guid) = fresh {
                state.entities.put(&guid, version(own_tags(account)), self.now_ms, delay_ms);
            } else {
                gone.remove(&page_guid);
                let tags =
                    state.entities.all.get(&page_guid).and_then(|entity| entity.newest()).map(|newest| newest.tags.clone());
                let version = version(tags.unwrap_or_else(|| own_tags(account)));
                state.entities.change(&page_guid, version, self.now_ms, delay_ms);
            }
            let widgets =
                list(page, "widgets").iter().filter_map(Json::as_object).map(|widget| kept_widget(state, widget)).collect();
            pages.push(json!({
                "guid": page_guid, "name": page_name, "description": page.get("description"),
                "createdAt": common.get("createdAt"), "updatedAt": common.get("updatedAt"), "owner": common.get("owner"),
                "widgets": Json::Array(widgets),
            }));
        }
        for guid in gone {
            state.entities.delete(&guid, self.now_ms, self.settings);
        }
        let mut more = common;
        more.insert("description".to_owned(), dashboard.get("description").cloned().unwrap_or_default());
        more.insert("pages".to_owned(), pages.into());
        more.insert("variables".to_owned(), list(dashboard, "variables").to_vec().into());
        let mut result = more.clone();
        for (field, value) in [("accountId", account.into()), ("guid", guid.into()), ("name", name.into())] {
            result.insert(field.to_owned(), value);
        }
        let tags = before.map_or_else(|| own_tags(account), |before| before.tags);
        let version = Version { name: name.to_owned(), tags, more };
        match made {
            Some(guid) => state.entities.put(&guid, version, self.now_ms, delay_ms),
            None => state.entities.change(guid, version, self.now_ms, delay_ms),
        }
        json!({ "entityResult": result, "errors": [] })
    }
}

/// A widget as it is read back.
fn kept_widget(state: &mut Kept, widget: &Arguments) -> Json {
    let given = text(widget, "id");
    let id = if given.is_empty() { state.next_id().to_string() } else { given.to_owned() };
    let layout = input(widget, "layout");
    let or = |field: &str, default: i64| layout.get(field).filter(|value| !value.is_null()).cloned().unwrap_or(default.into());
    json!({
        "id": id,
        "title": widget.get("title"),
        "visualization": widget.get("visualization"),
        "layout": { "column": or("column", 1), "row": or("row", 1), "width": or("width", 4), "height": or("height", 3) },
        LINKED: widget.get("linkedEntityGuids"),
        "rawConfiguration": widget.get("rawConfiguration"),
    })
}

fn refusal(kind: &str, descriptions: Vec<String>) -> Json {
    let errors: Vec<Json> = descriptions.into_iter().map(|text| json!({ "description": text, "type": kind })).collect();
    json!({ "entityResult": null, "errors": errors })
}

/// Whether it is a dashboard and not a page of one.
fn is_whole(version: &Version) -> bool {
    version.more.contains_key("pages")
}

/// The guids of a dashboard's pages.
fn pages(version: &Version) -> impl Iterator<Item = String> {
    let pages = list(&version.more, "pages");
    let guids: Vec<String> = pages.iter().filter_map(|page| Some(page.get("guid")?.as_str()?.to_owned())).collect();
    guids.into_iter()
}

pub(super) fn list<'a>(of: &'a Arguments, name: &str) -> &'a [Json] {
    of.get(name).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Ids that the input names and the dashboard does not have, or names twice.
fn unknown_ids(dashboard: &Arguments, before: Option<&Version>) -> Vec<String> {
    let before = before.map(|before| list(&before.more, "pages")).unwrap_or_default();
    let mut faults = Vec::new();
    let mut named = BTreeSet::new();
    for page in list(dashboard, "pages").iter().filter_map(Json::as_object) {
        let guid = text(page, "guid");
        let known = before.iter().find(|page| page.get("guid").and_then(Json::as_str) == Some(guid));
        if !guid.is_empty() && (known.is_none() || !named.insert(guid)) {
            faults.push(format!("Invalid page input: no page {guid} on this dashboard, or it is named twice"));
        }
        let widgets = known.and_then(|page| page.get("widgets")).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        for widget in list(page, "widgets").iter().filter_map(Json::as_object) {
            let id = text(widget, "id");
            let is_known = widgets.iter().any(|known| known.get("id").and_then(Json::as_str) == Some(id));
            if !id.is_empty() && (!is_known || !named.insert(id)) {
                faults.push(format!("Invalid widget input: no widget {id} on this page, or it is named twice"));
            }
        }
    }
    faults
}

/// Links to what is no page of a dashboard.
fn unknown_links(dashboard: &Arguments, state: &Kept) -> Vec<String> {
    let pages = list(dashboard, "pages").iter().filter_map(Json::as_object);
    let widgets = pages.flat_map(|page| list(page, "widgets")).filter_map(Json::as_object);
    let links = widgets.flat_map(|widget| list(widget, "linkedEntityGuids")).filter_map(Json::as_str);
    let is_page = |guid: &str| {
        let newest = state.entities.all.get(guid).and_then(|entity| entity.newest());
        newest.is_some_and(|version| version.more.contains_key("dashboardParentGuid"))
    };
    links.filter(|guid| !is_page(guid)).map(|guid| format!("Invalid widget input: no dashboard page {guid} to link to")).collect()
}
