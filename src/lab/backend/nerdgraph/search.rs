//! Who finds what: `entitySearch`.
//!
//! In: a condition as text or as `queryBuilder`. Out: outlines of the entities that satisfy it, by name, page by page. What always
//! holds: only entities of accounts that the key opens are found, and only as they are seen at the moment; pages of a dashboard are
//! found as dashboards, too, and name it in `dashboardParentGuid`.
//!
//! The condition is read by the NRQL parser, whose `WHERE` it looks like. Known are `name`, `type`, `domain`, `accountId`, `id`,
//! `reporting` and `tags.<key>`, compared by `=`, `!=`, `[NOT] LIKE`, `[NOT] IN`, `IS [NOT] NULL`, joined by `AND`, `OR`, `NOT`;
//! all else is refused, so that no search finds everything by mistake. From memory: `LIKE` looks for a part, whatever the case.

use serde_json::{Value as Json, json};

use super::entity::{Entity, Version};
use super::graphql::Fault;
use super::{Arguments, Session, cursor, input, number, page, text};
use crate::nrql::Statement;
use crate::nrql::ast::{Among, BinaryOp, Expr, ExprKind, IsWhat, Query, UnaryOp};

/// Where what was found waits for `results`; no field of the schema has such a name.
const FOUND: &str = "#found";
/// The size of a page, in the same place.
const SIZE: &str = "#size";

impl Session<'_> {
    /// `entitySearch` of the actor.
    pub(super) fn entity_search(&self, arguments: &Arguments) -> Result<Json, Fault> {
        let query = match arguments.get("queryBuilder").and_then(Json::as_object) {
            Some(builder) => built(builder),
            None => text(arguments, "query").to_owned(),
        };
        let condition = read(&query)?;
        let state = self.state.lock();
        let mut found = Vec::new();
        for (guid, entity) in state.entities.all.iter().filter(|(_, entity)| self.is_opened(entity.account)) {
            let Some(version) = entity.seen(self.now_ms) else { continue };
            if satisfies(&condition, &Seen { guid, entity, version })? {
                found.push(entity.json(guid, version, "Outline"));
            }
        }
        let by = |entity: &Json| entity.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
        found.sort_by_cached_key(by);
        let limit = number(&input(arguments, "options"), "limit").and_then(|limit| usize::try_from(limit).ok());
        let size =
            limit.filter(|limit| *limit > 0).map_or(self.settings.search_page, |limit| limit.min(self.settings.search_page));
        Ok(json!({ "count": found.len(), "query": query, FOUND: found, SIZE: size }))
    }
}

/// `results` of a search.
pub(super) fn of_search(search: &Json, name: &str, arguments: &Arguments) -> Result<Option<Json>, Fault> {
    if name != "results" {
        return Ok(None);
    }
    let found = search.get(FOUND).and_then(Json::as_array).cloned().unwrap_or_default();
    let size = search.get(SIZE).and_then(Json::as_u64).and_then(|size| usize::try_from(size).ok()).unwrap_or(1);
    let (entities, next) = page(found, cursor(arguments), size)?;
    Ok(Some(json!({ "entities": entities, "nextCursor": next })))
}

/// A `queryBuilder` as a condition.
fn built(builder: &Arguments) -> String {
    let mut parts = Vec::new();
    for (field, operator) in [("domain", "="), ("type", "="), ("name", "LIKE")] {
        if let Some(value) = builder.get(field).and_then(Json::as_str) {
            parts.push(format!("{field} {operator} {}", quoted(value)));
        }
    }
    if let Some(reporting) = builder.get("reporting").and_then(Json::as_bool) {
        parts.push(format!("reporting = '{reporting}'"));
    }
    let tags = builder.get("tags").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    for tag in tags.iter().filter_map(Json::as_object) {
        parts.push(format!("`tags.{}` = {}", text(tag, "key").replace('`', ""), quoted(text(tag, "value"))));
    }
    parts.join(" AND ")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn refused(why: impl std::fmt::Display) -> Fault {
    Fault::of("BAD_USER_INPUT", format!("Invalid entity search query: {why}"))
}

fn read(query: &str) -> Result<Expr, Fault> {
    if query.trim().is_empty() {
        return Err(refused("it is empty"));
    }
    let bare = "SELECT name FROM Entity";
    let mut found = select(&format!("{bare} WHERE {query}"))?;
    let (Some(condition), true) = (found.conditions.pop(), found.conditions.is_empty()) else {
        return Err(refused(ALONE));
    };
    // Whatever clause there may be: without its condition it is the query that it was put behind.
    let bare = select(bare)?;
    found.span = bare.span;
    if found == bare { Ok(condition) } else { Err(refused(ALONE)) }
}

/// Why a condition with something else is refused.
const ALONE: &str = "a condition is expected, and nothing behind it";

fn select(text: &str) -> Result<Query, Fault> {
    match crate::nrql::parse(text) {
        Ok(Statement::Select(query)) => Ok(*query),
        Ok(Statement::ShowEventTypes { .. }) => Err(refused(ALONE)),
        Err(fault) => Err(refused(fault)),
    }
}

/// An entity at the moment of the search.
struct Seen<'s> {
    guid: &'s str,
    entity: &'s Entity,
    version: &'s Version,
}

impl Seen<'_> {
    /// The values of an attribute: none, one, or all of a tag.
    fn values(&self, name: &str) -> Result<Vec<String>, Fault> {
        Ok(match name {
            "name" => vec![self.version.name.clone()],
            "type" => vec![self.entity.kind.to_owned()],
            "domain" => vec![self.entity.domain.to_owned()],
            "accountId" | "tags.accountId" => vec![self.entity.account.to_string()],
            "id" => vec![self.guid.to_owned()],
            "reporting" => vec!["true".to_owned()],
            _ => match name.strip_prefix("tags.") {
                Some(key) => self.version.tags.get(key).into_iter().flatten().cloned().collect(),
                None => return Err(refused(format!("no attribute {name:?} here"))),
            },
        })
    }
}

fn satisfies(condition: &Expr, seen: &Seen<'_>) -> Result<bool, Fault> {
    match &condition.kind {
        ExprKind::Binary(BinaryOp::And, one, other) => Ok(satisfies(one, seen)? & satisfies(other, seen)?),
        ExprKind::Binary(BinaryOp::Or, one, other) => Ok(satisfies(one, seen)? | satisfies(other, seen)?),
        ExprKind::Unary(UnaryOp::Not, inner) => Ok(!satisfies(inner, seen)?),
        ExprKind::Binary(operator @ (BinaryOp::Equal | BinaryOp::NotEqual), value, wanted) => {
            let (found, wanted) = (values(value, seen)?, constant(wanted)?);
            Ok(found.contains(&wanted) == (*operator == BinaryOp::Equal))
        }
        ExprKind::Like { value, negated, pattern } => {
            let (found, pattern) = (values(value, seen)?, constant(pattern)?.to_lowercase());
            Ok(found.iter().any(|value| is_like(&value.to_lowercase(), &pattern)) != *negated)
        }
        ExprKind::In { value, negated, among: Among::Values(among) } => {
            let (found, among) = (values(value, seen)?, among.iter().map(constant).collect::<Result<Vec<_>, _>>()?);
            Ok(found.iter().any(|value| among.contains(value)) != *negated)
        }
        ExprKind::Is { value, negated, what: IsWhat::Null } => Ok(values(value, seen)?.is_empty() != *negated),
        _ => Err(refused("only =, !=, LIKE, IN, IS NULL, AND, OR and NOT are known here")),
    }
}

fn values(value: &Expr, seen: &Seen<'_>) -> Result<Vec<String>, Fault> {
    match &value.kind {
        ExprKind::Name(name) => seen.values(name),
        _ => Err(refused("an attribute is expected on the left")),
    }
}

fn constant(value: &Expr) -> Result<String, Fault> {
    match &value.kind {
        ExprKind::Text(text) | ExprKind::Raw(text) => Ok(text.clone()),
        ExprKind::Number(number) => Ok(number.to_string()),
        ExprKind::Bool(flag) => Ok(flag.to_string()),
        _ => Err(refused("a constant is expected on the right")),
    }
}

/// Whether a pattern is part of a text; `%` stands for anything.
fn is_like(text: &str, pattern: &str) -> bool {
    let mut rest = text;
    pattern.split('%').all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}
