//! The control catalogue → items for the Event API.
//!
//! In: a control, whether anything came of it or not. Out: a `CspmRelayControl`. What always holds: what dashboards facet on is
//! never absent; whether a detective control runs and whether a preventive one is evaluated are told apart.

use super::compliance::{UNKNOWN, UNMAPPED};
use super::dictionary::CONTROL;
use super::event::VERSION;
use super::writer::EventWriter;
use crate::classify::{Attestation, CatalogueKind, CatalogueRow, Duty};

/// Writes the `CspmRelayControl` of a control. Rows of one day share `now_ms`. Returns the number of values cut.
pub fn push_control(out: &mut Vec<u8>, row: &CatalogueRow<'_>, now_ms: i64, agent: &str) -> u64 {
    let mut event = EventWriter::begin(out, CONTROL, Some(now_ms));
    event.text("control.id", row.id);
    event.text("control.title", row.title);
    let kind = match row.kind {
        CatalogueKind::Detective { .. } => "detective",
        CatalogueKind::Preventive { .. } => "preventive",
        CatalogueKind::Unautomated => row.duty.automation.as_str(),
    };
    event.maybe("control.author", row.author);
    event.text("control.kind", kind);
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
        CatalogueKind::Unautomated => {}
        CatalogueKind::Preventive { evaluated: None } => event.text("control.evaluated", UNKNOWN),
        CatalogueKind::Preventive { evaluated: Some(evaluated) } => event.flag("control.evaluated", evaluated),
    }
    let Duty { automation, responsibility, reason, attestation } = row.duty;
    event.text("control.responsibility", responsibility.as_str());
    event.text("control.automation", automation.as_str());
    event.maybe("control.automationReason", reason.as_deref());
    if let Some(Attestation { by, on, .. }) = attestation {
        event.text("control.attestedBy", by);
        event.text("control.attestedOn", on);
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
            ("control.responsibility", json!("customer")),
            ("control.automation", json!("automated")),
            ("control.automationReason", Value::Null),
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

    /// S4-07, S4-18: what no rule judges says whose it is, why, and who answers for it; nobody counts it as not evaluated.
    #[test]
    fn what_no_rule_judges_says_why_and_who_answers_for_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("own.csv");
        let text = "control,framework,requirement,automation,responsibility,reason,attestedBy,attestedOn\n\
                    data-centre,ACME,1,inherited,,AWS guards the doors,ada,2026-11-20\n\
                    restricted-ssh,ACME,2,manual,shared,a jump host,,\n";
        std::fs::write(&path, text).expect("a file");
        let (rules, frameworks) = (RuleSet::builtin(), Frameworks::from_file(&path).expect("a table").0);
        let of = |id: &str| {
            let rows = CatalogueRow::rows(&rules, &frameworks, None);
            let row = rows.into_iter().find(|row| row.id == id).expect("a row");
            let mut item = Vec::new();
            push_control(&mut item, &row, 1_795_292_071_000, "agent-1");
            let row: Value = serde_json::from_slice(&item).expect("JSON");
            ["kind", "evaluated", "automation", "responsibility", "automationReason", "attestedBy", "attestedOn"]
                .map(|name| row[format!("control.{name}")].as_str().unwrap_or("-").to_owned())
        };
        assert_eq!(of("data-centre"), ["inherited", "-", "inherited", "aws", "AWS guards the doors", "ada", "2026-11-20"]);
        assert_eq!(of("restricted-ssh"), ["preventive", "unknown", "manual", "shared", "a jump host", "-", "-"]);
    }
}
