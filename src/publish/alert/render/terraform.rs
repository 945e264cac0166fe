//! Terraform's resources.
//!
//! In: what is asked for. Out: HCL: a policy, its conditions and their tags (provider `newrelic`, `newrelic_alert_policy`,
//! `newrelic_nrql_alert_condition`, `newrelic_entity_tags`). What always holds: the same settings as `NerdGraph`'s inputs, in the
//! provider's words; blocks and attributes in one order, so that a plan is empty when nothing changed.

use super::hcl::Hcl;
use super::{RenderError, Rendered, RenderedPolicy, Request, rendered};
use crate::nrql::condition::{Condition, Fill, Kind, Method, Priority, Signal, Term};
use crate::publish::alert::source::Definition;

/// The resources, as one file.
///
/// # Errors
/// When the definition cannot be rendered, or there is no such policy.
pub fn terraform(definition: &Definition, request: Request<'_>) -> Result<String, RenderError> {
    let mut hcl = Hcl::default();
    hcl.comment(
        "Policies and conditions of cspm-relay. Written by `cspm-relay alerts render --format terraform`;\nchange the files that it reads, not this one.",
    );
    for policy in rendered(definition, request)? {
        hcl.gap();
        policy_block(&mut hcl, &policy, request);
        for condition in &policy.conditions {
            hcl.gap();
            condition_block(&mut hcl, &policy.policy.key, condition, request.account);
            hcl.gap();
            tags_block(&mut hcl, &policy.policy.key, condition);
        }
    }
    Ok(hcl.finish())
}

/// The name of a resource: letters, digits and `_`, never a digit first.
fn resource(parts: &[&str]) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
    let name: String = std::iter::once("cspm_relay").chain(parts.iter().copied()).collect::<Vec<_>>().join("_");
    name.chars().map(plain).collect()
}

fn policy_block(hcl: &mut Hcl, policy: &RenderedPolicy<'_>, request: Request<'_>) {
    hcl.comment(&policy.source.reason);
    let head = format!("resource \"newrelic_alert_policy\" \"{}\"", resource(&[&policy.policy.key]));
    hcl.block(&head, |hcl| {
        hcl.bare("account_id", request.account);
        hcl.text("name", policy.source.name.get(request.language));
        hcl.text("incident_preference", &policy.source.incident_preference);
    });
}

fn condition_block(hcl: &mut Hcl, policy: &str, rendered: &Rendered<'_>, account: u64) {
    let Rendered { source, model, title, description, .. } = rendered;
    let Condition { name, query, kind, signal, terms, expiration, time_limit_s } = model;
    let head = format!("resource \"newrelic_nrql_alert_condition\" \"{}\"", resource(&[policy, &source.id]));
    hcl.comment(&source.because);
    hcl.block(&head, |hcl| {
        hcl.bare("account_id", account);
        hcl.bare("policy_id", format!("newrelic_alert_policy.{}.id", resource(&[policy])));
        hcl.text("name", name);
        hcl.bare("enabled", source.enabled);
        hcl.text("description", description);
        if let Some(title) = title {
            hcl.text("title_template", title);
        }
        hcl.text("runbook_url", &source.runbook);
        match kind {
            Kind::Static => hcl.text("type", "static"),
            Kind::Baseline(direction, seasonality) => {
                hcl.text("type", "baseline");
                hcl.text("baseline_direction", &direction.word().to_lowercase());
                hcl.text("signal_seasonality", &seasonality.word().to_lowercase());
            }
        }
        signal_attributes(hcl, signal);
        if let Some(expiration) = expiration {
            hcl.bare("expiration_duration", expiration.after_s);
            hcl.bare("open_violation_on_expiration", expiration.opens);
            hcl.bare("close_violations_on_expiration", expiration.closes);
            hcl.bare("ignore_on_expected_termination", expiration.ignores_expected);
        }
        hcl.bare("violation_time_limit_seconds", *time_limit_s);
        hcl.gap();
        hcl.block("nrql", |hcl| {
            hcl.bare("data_account_id", account);
            hcl.text("query", query);
        });
        for priority in [Priority::Critical, Priority::Warning] {
            for term in terms.iter().filter(|term| term.priority == priority) {
                hcl.gap();
                term_block(hcl, term);
            }
        }
    });
}

fn signal_attributes(hcl: &mut Hcl, signal: &Signal) {
    hcl.bare("aggregation_window", signal.window_s);
    if let Some(slide_s) = signal.slide_s {
        hcl.bare("slide_by", slide_s);
    }
    let (method, wait, seconds) = match signal.method {
        Method::EventFlow { delay_s } => ("event_flow", "aggregation_delay", delay_s),
        Method::EventTimer { timer_s } => ("event_timer", "aggregation_timer", timer_s),
        Method::Cadence { delay_s } => ("cadence", "aggregation_delay", delay_s),
    };
    hcl.text("aggregation_method", method);
    hcl.bare(wait, seconds);
    match signal.fill {
        Fill::None => hcl.text("fill_option", "none"),
        Fill::LastValue => hcl.text("fill_option", "last_value"),
        Fill::Static(value) => {
            hcl.text("fill_option", "static");
            hcl.bare("fill_value", value);
        }
    }
    if signal.evaluation_delay_s > 0 {
        hcl.bare("evaluation_delay", signal.evaluation_delay_s);
    }
}

fn term_block(hcl: &mut Hcl, term: &Term) {
    hcl.block(&term.priority.word().to_lowercase(), |hcl| {
        hcl.text("operator", &term.comparison.word().to_lowercase());
        hcl.bare("threshold", term.threshold);
        hcl.bare("threshold_duration", term.duration_s);
        hcl.text("threshold_occurrences", &term.occurrences.word().to_lowercase());
    });
}

fn tags_block(hcl: &mut Hcl, policy: &str, rendered: &Rendered<'_>) {
    let name = resource(&[policy, &rendered.source.id]);
    hcl.block(&format!("resource \"newrelic_entity_tags\" \"{name}\""), |hcl| {
        hcl.bare("guid", format!("newrelic_nrql_alert_condition.{name}.entity_guid"));
        for (key, value) in &rendered.tags {
            hcl.gap();
            hcl.block("tag", |hcl| {
                hcl.text("key", key);
                hcl.bare("values", format!("[{}]", super::hcl::quoted(value)));
            });
        }
    });
}
