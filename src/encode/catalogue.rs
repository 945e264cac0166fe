//! The control catalogue → items for the Event API.
//!
//! In: a control, whether anything came of it or not. Out: a `CspmRelayControl`. What always holds: what dashboards facet on is
//! never absent; whether a detective control runs and whether a preventive one is evaluated are told apart.

use super::compliance::{UNKNOWN, UNMAPPED};
use super::dictionary::CONTROL;
use super::event::VERSION;
use super::writer::EventWriter;
use crate::classify::{CatalogueKind, CatalogueRow};

/// Writes the `CspmRelayControl` of a control. Rows of one day share `now_ms`. Returns the number of values cut.
pub fn push_control(out: &mut Vec<u8>, row: &CatalogueRow<'_>, now_ms: i64, agent: &str) -> u64 {
    let mut event = EventWriter::begin(out, CONTROL, Some(now_ms));
    event.text("control.id", row.id);
    event.text("control.title", row.title);
    let is_detective = matches!(row.kind, CatalogueKind::Detective { .. });
    event.text("control.kind", if is_detective { "detective" } else { "preventive" });
    event.text("control.severity", row.severity.map_or(UNKNOWN, |severity| severity.as_str()));
    if let Some(score) = row.score {
        event.number("control.severityScore", i64::from(score));
    }
    event.text("control.pillar", row.pillar.map_or(UNKNOWN, |pillar| pillar.as_str()));
    event.text("control.frameworks", row.frameworks.joined().unwrap_or(UNMAPPED));
    match row.kind {
        CatalogueKind::Detective { enabled, tactics, techniques } => {
            event.flag("control.enabled", enabled);
            event.maybe("attack.tactic", tactics.first());
            event.maybe("attack.technique", techniques.first());
            event.maybe("attack.tactics", tactics.joined());
            event.maybe("attack.techniques", techniques.joined());
        }
        CatalogueKind::Preventive { evaluated: None } => event.text("control.evaluated", UNKNOWN),
        CatalogueKind::Preventive { evaluated: Some(evaluated) } => event.flag("control.evaluated", evaluated),
    }
    event.text("relay.version", VERSION);
    event.text("relay.agent", agent);
    event.end()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::limits;
    use super::*;
    use crate::classify::{Frameworks, RuleSet};

    #[test]
    fn every_control_is_an_event_of_its_own() {
        let (rules, frameworks) = (RuleSet::builtin(), Frameworks::default());
        let mut item = Vec::new();
        let mut found: Vec<Value> = Vec::new();
        for row in CatalogueRow::rows(&rules, &frameworks, None) {
            let cut = push_control(&mut item, &row, 1_795_292_071_000, "agent-1");
            assert!(cut == 0 && item.len() < limits::VALUE_SENT * 3, "{}: {} bytes", row.id, item.len());
            found.push(serde_json::from_slice(&item).expect("JSON"));
        }
        let of = |id: &str| found.iter().find(|event| event["control.id"] == id).expect(id);
        let root = of("root-user-activity");
        for (name, want) in [
            ("eventType", json!("CspmRelayControl")),
            ("timestamp", json!(1_795_292_071_000_i64)),
            ("control.kind", json!("detective")),
            ("control.enabled", json!("true")),
            ("control.evaluated", Value::Null),
            ("relay.agent", json!("agent-1")),
        ] {
            assert_eq!(root[name], want, "{name}");
        }
        assert!(root["attack.techniques"].as_str().is_some_and(|all| all.starts_with("|T")), "{root}");
        let ssh = of("restricted-ssh");
        for (name, want) in [
            ("control.kind", json!("preventive")),
            ("control.severity", json!("HIGH")),
            ("control.enabled", Value::Null),
            ("control.evaluated", json!("unknown")),
            ("attack.tactic", Value::Null),
        ] {
            assert_eq!(ssh[name], want, "{name}");
        }
        let unmapped = of("alb-tagged");
        assert_eq!((&unmapped["control.frameworks"], &unmapped["control.severity"]), (&json!("|unmapped|"), &json!("unknown")));
    }
}
