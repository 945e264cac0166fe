//! The inputs of `NerdGraph`.
//!
//! In: what is asked for. Out: JSON: the mutations, and for each policy its input and those of its conditions. What always holds: the
//! inputs are `AlertsPolicyInput`, `AlertsNrqlConditionStaticInput` and `AlertsNrqlConditionBaselineInput` and nothing else, so that
//! they can be sent as they are; what New Relic has no input for stands beside them.

use serde::Serialize;

use super::{RenderError, Rendered, RenderedPolicy, Request, rendered};
use crate::nrql::condition::{Condition, Expiration, Fill, Kind, Method, Signal, Term};
use crate::publish::alert::source::Definition;

/// Documents of `NerdGraph`; the variables are those that the rendered file has, and the id of the policy.
const POLICY: &str =
    "mutation($account: Int!, $policy: AlertsPolicyInput!) { alertsPolicyCreate(accountId: $account, policy: $policy) { id } }";
const STATIC: &str = "mutation($account: Int!, $policy: ID!, $condition: AlertsNrqlConditionStaticInput!) { alertsNrqlConditionStaticCreate(accountId: $account, policyId: $policy, condition: $condition) { id entityGuid } }";
const BASELINE: &str = "mutation($account: Int!, $policy: ID!, $condition: AlertsNrqlConditionBaselineInput!) { alertsNrqlConditionBaselineCreate(accountId: $account, policyId: $policy, condition: $condition) { id entityGuid } }";
const TAGS: &str = "mutation($guid: EntityGuid!, $tags: [TaggingTagInput!]!) { taggingAddTagsToEntity(guid: $guid, tags: $tags) { errors { message } } }";

#[derive(Serialize)]
struct Document<'a> {
    account: u64,
    mutations: Mutations,
    policies: Vec<PolicyEntry<'a>>,
}

#[derive(Serialize)]
struct Mutations {
    policy: &'static str,
    #[serde(rename = "static")]
    static_: &'static str,
    baseline: &'static str,
    tags: &'static str,
}

#[derive(Serialize)]
struct PolicyEntry<'a> {
    key: &'a str,
    policy: PolicyInput<'a>,
    conditions: Vec<ConditionEntry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicyInput<'a> {
    name: &'a str,
    incident_preference: &'a str,
}

#[derive(Serialize)]
struct ConditionEntry<'a> {
    key: &'a str,
    mutation: &'static str,
    tags: Vec<Tag<'a>>,
    condition: ConditionInput<'a>,
}

#[derive(Serialize)]
struct Tag<'a> {
    key: &'a str,
    values: [&'a str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConditionInput<'a> {
    name: &'a str,
    enabled: bool,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title_template: Option<&'a str>,
    runbook_url: &'a str,
    nrql: QueryInput<'a>,
    signal: SignalInput,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_direction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal_seasonality: Option<&'static str>,
    terms: Vec<TermInput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<ExpirationInput>,
    violation_time_limit_seconds: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct QueryInput<'a> {
    query: &'a str,
    data_account_id: u64,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct SignalInput {
    aggregation_window: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    slide_by: Option<u32>,
    aggregation_method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    aggregation_delay: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aggregation_timer: Option<u32>,
    fill_option: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fill_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluation_delay: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TermInput {
    priority: &'static str,
    operator: &'static str,
    threshold: f64,
    threshold_duration: u32,
    threshold_occurrences: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExpirationInput {
    expiration_duration: u32,
    open_violation_on_expiration: bool,
    close_violations_on_expiration: bool,
    ignore_on_expected_termination: bool,
}

/// What is sent to `NerdGraph`, as JSON.
///
/// # Errors
/// When the definition cannot be rendered, or there is no such policy.
pub fn nerdgraph(definition: &Definition, request: Request<'_>) -> Result<String, RenderError> {
    let policies = rendered(definition, request)?;
    let mutations = Mutations { policy: POLICY, static_: STATIC, baseline: BASELINE, tags: TAGS };
    let entry = |policy| policy_entry(policy, request);
    let document = Document { account: request.account, mutations, policies: policies.iter().map(entry).collect() };
    // Texts and numbers always become JSON.
    Ok(serde_json::to_string_pretty(&document).unwrap_or_default() + "\n")
}

fn policy_entry<'a>(policy: &'a RenderedPolicy<'_>, request: Request<'_>) -> PolicyEntry<'a> {
    PolicyEntry {
        key: &policy.policy.key,
        policy: PolicyInput {
            name: policy.source.name.get(request.language),
            incident_preference: &policy.source.incident_preference,
        },
        conditions: policy.conditions.iter().map(|condition| condition_entry(condition, request.account)).collect(),
    }
}

fn condition_entry<'a>(rendered: &'a Rendered<'_>, account: u64) -> ConditionEntry<'a> {
    let Rendered { source, model, title, description, tags } = rendered;
    let Condition { name, query, kind, signal, terms, expiration, time_limit_s } = model;
    let (mutation, baseline_direction, signal_seasonality) = match kind {
        Kind::Static => ("static", None, None),
        Kind::Baseline(direction, seasonality) => ("baseline", Some(direction.word()), Some(seasonality.word())),
    };
    ConditionEntry {
        key: &source.id,
        mutation,
        tags: tags.iter().map(|(key, value)| Tag { key, values: [value] }).collect(),
        condition: ConditionInput {
            name,
            enabled: source.enabled,
            description,
            title_template: title.as_deref(),
            runbook_url: &source.runbook,
            nrql: QueryInput { query, data_account_id: account },
            signal: signal_input(signal),
            baseline_direction,
            signal_seasonality,
            terms: terms.iter().map(term_input).collect(),
            expiration: expiration.map(expiration_input),
            violation_time_limit_seconds: *time_limit_s,
        },
    }
}

fn signal_input(signal: &Signal) -> SignalInput {
    let (method, delay, timer) = match signal.method {
        Method::EventFlow { delay_s } => ("EVENT_FLOW", Some(delay_s), None),
        Method::EventTimer { timer_s } => ("EVENT_TIMER", None, Some(timer_s)),
        Method::Cadence { delay_s } => ("CADENCE", Some(delay_s), None),
    };
    let (fill_option, fill_value) = match signal.fill {
        Fill::None => ("NONE", None),
        Fill::Static(value) => ("STATIC", Some(value)),
        Fill::LastValue => ("LAST_VALUE", None),
    };
    SignalInput {
        aggregation_window: signal.window_s,
        slide_by: signal.slide_s,
        aggregation_method: method,
        aggregation_delay: delay,
        aggregation_timer: timer,
        fill_option,
        fill_value,
        evaluation_delay: Some(signal.evaluation_delay_s).filter(|delay| *delay > 0),
    }
}

fn term_input(term: &Term) -> TermInput {
    TermInput {
        priority: term.priority.word(),
        operator: term.comparison.word(),
        threshold: term.threshold,
        threshold_duration: term.duration_s,
        threshold_occurrences: term.occurrences.word(),
    }
}

fn expiration_input(expiration: Expiration) -> ExpirationInput {
    ExpirationInput {
        expiration_duration: expiration.after_s,
        open_violation_on_expiration: expiration.opens,
        close_violations_on_expiration: expiration.closes,
        ignore_on_expected_termination: expiration.ignores_expected,
    }
}
