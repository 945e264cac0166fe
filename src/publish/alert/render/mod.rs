//! The conditions as New Relic takes them.
//!
//! In: a definition, the account, a language, the address of the dashboard. Out: the inputs of `NerdGraph` or Terraform's resources.
//! What always holds: both are made of one [`Rendered`], so they never say two things; method and delay or timer are always there,
//! also where New Relic's default is the same (P29); a definition with a fault that would be seen in New Relic is refused.

mod hcl;
mod nerdgraph;
mod terraform;

use std::collections::BTreeMap;

#[cfg(test)]
pub(super) use hcl::quoted as hcl_quoted;
pub use nerdgraph::nerdgraph;
pub use terraform::terraform;

use super::source::{ConditionSource, Definition, Policy, PolicySource};
use super::text::{WordError, closing, opening, written};
use crate::nrql::condition::{Condition, Priority};
use crate::nrql::{self, Statement};
use crate::publish::dashboard::{self, Language};

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// New Relic account that has the conditions and the data.
    pub account: u64,
    /// This policy alone, by the name of its folder.
    pub policy: Option<&'a str>,
    /// Of names and texts.
    pub language: Language,
    /// Where the dashboard is; `None`: it is named.
    pub dashboard_url: Option<&'a str>,
}

/// Why there is nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A file cannot be read.
    #[error("{0}")]
    Unreadable(#[from] dashboard::DefinitionError),
    /// There is no such policy.
    #[error("no policy `{name}`; the policies are {}", known.join(", "))]
    NoPolicy {
        /// As asked for.
        name: String,
        /// All there are.
        known: Vec<String>,
    },
    /// A text has a word that stands for nothing.
    #[error("{policy}/{id}.yml: {error}")]
    Word {
        /// Folder.
        policy: String,
        /// Condition.
        id: String,
        /// What.
        error: WordError,
    },
}

/// A policy with every text in one language.
pub(super) struct RenderedPolicy<'a> {
    pub(super) policy: &'a Policy,
    pub(super) source: &'a PolicySource,
    pub(super) conditions: Vec<Rendered<'a>>,
}

/// A condition with every text in one language.
pub(super) struct Rendered<'a> {
    pub(super) source: &'a ConditionSource,
    pub(super) model: Condition,
    pub(super) title: Option<String>,
    pub(super) description: String,
    /// Tags of the condition, by which it is found again.
    pub(super) tags: Vec<(&'static str, String)>,
}

/// Everything that is asked for, by policy and id.
pub(super) fn rendered<'a>(definition: &'a Definition, request: Request<'_>) -> Result<Vec<RenderedPolicy<'a>>, RenderError> {
    if let Some(fault) = definition.unreadable.first() {
        return Err(fault.clone().into());
    }
    let is_asked = |policy: &&Policy| request.policy.is_none_or(|name| policy.key == name);
    let pages = pages(request.language);
    let mut policies = Vec::new();
    for policy in definition.policies.iter().filter(is_asked) {
        let Some(source) = &policy.source else { continue };
        let page = pages.get(source.view.as_str()).map_or(source.view.as_str(), String::as_str);
        let mut conditions = Vec::new();
        for condition in policy.conditions.values() {
            conditions.push(one(policy, condition, page, request).map_err(|error| RenderError::Word {
                policy: policy.key.clone(),
                id: condition.id.clone(),
                error,
            })?);
        }
        policies.push(RenderedPolicy { policy, source, conditions });
    }
    match request.policy {
        Some(name) if policies.is_empty() => Err(RenderError::NoPolicy {
            name: name.to_owned(),
            known: definition.policies.iter().map(|policy| policy.key.clone()).collect(),
        }),
        _ => Ok(policies),
    }
}

fn one<'a>(policy: &Policy, condition: &'a ConditionSource, page: &str, request: Request<'_>) -> Result<Rendered<'a>, WordError> {
    let language = request.language;
    let mut model = condition.model(language);
    model.name = written(&model.name, condition, language)?;
    let title = condition.title_template.as_ref().map(|title| written(title.get(language), condition, language)).transpose()?;
    let description = description(condition, page, request)?;
    let tags = vec![
        ("cspm-relay.condition", condition.id.clone()),
        ("cspm-relay.policy", policy.key.clone()),
        ("responder", condition.responder.as_str().to_owned()),
        ("severity", priorities(condition).first().map_or("", |priority| priority.word()).to_owned()),
    ];
    Ok(Rendered { source: condition, model, title, description, tags })
}

/// The priorities that it has, the highest first; of one that opens on silence CRITICAL is one.
pub(super) fn priorities(condition: &ConditionSource) -> Vec<Priority> {
    let has = |priority: &Priority| {
        condition.term(*priority).is_some() || condition.expiration.opens && *priority == Priority::Critical
    };
    [Priority::Critical, Priority::Warning].into_iter().filter(has).collect()
}

/// What a person who is woken reads: what it means, who and where, what to do, when it opened, how to make it quieter.
pub(super) fn description(condition: &ConditionSource, page: &str, request: Request<'_>) -> Result<String, WordError> {
    let language = request.language;
    let text = |text: &dashboard::Both| written(text.get(language), condition, language);
    let [about, todo, opens, first, shown, quiet] = match language {
        Language::English => ["Where", "What to do", "Opens", "Responder", "Dashboard, page", "To make it quieter"],
        Language::Japanese => ["対象", "対処", "条件", "一次対応", "ダッシュボードのページ", "通知を減らすには"],
    };
    let facets: Vec<String> = facets(&condition.query).iter().map(|name| format!("{name} {{{{tag.{name}}}}}")).collect();
    let mut paragraphs = vec![text(&condition.description)?];
    if !facets.is_empty() {
        paragraphs.push(format!("{about}: {}", facets.join(", ")));
    }
    paragraphs.push(format!("{todo}: {}", text(&condition.response)?));
    let mut sentences = opening(condition, language);
    sentences.push(closing(condition, language));
    let space = if language == Language::English { " " } else { "" };
    paragraphs.push(format!("{opens}: {}", sentences.join(space)));
    paragraphs.push(format!("{first}: {}", condition.responder.as_str()));
    let address = request.dashboard_url.map(|url| format!(": {url}")).unwrap_or_default();
    paragraphs.push(format!("{shown} {page}{address}"));
    paragraphs.push(format!("{quiet}: {}", text(&condition.tuning)?));
    Ok(paragraphs.join("\n\n"))
}

/// The aliases of the facets of a query.
pub(super) fn facets(query: &str) -> Vec<String> {
    let Ok(Statement::Select(query)) = nrql::parse(query) else { return Vec::new() };
    let items = query.facet.iter().flat_map(|facet| &facet.items);
    let name =
        |item: &nrql::ast::FacetItem| item.alias.as_ref().map_or_else(|| item.value.to_string(), |alias| alias.text.clone());
    items.map(name).collect()
}

/// Names of the pages of the dashboard, by the names of their files.
fn pages(language: Language) -> BTreeMap<String, String> {
    let definition = dashboard::Definition::shipped();
    let pages = definition.into_iter().flat_map(|definition| definition.pages);
    pages.map(|(key, page)| (key, page.name.get(language).to_owned())).collect()
}
