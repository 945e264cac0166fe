//! `rules to-nrql`: rules as queries of New Relic over raw trail records.
//!
//! In: rules as conditions of NRQL. Out: for each the query of an alert condition, or why NRQL cannot say it. What always holds: a
//! query that is printed finds, of the rule's samples sent as logs, those that the rule matches; a test holds it.

use serde_json::{Value, json};

use super::super::count;
use super::super::table::table;
use crate::classify::{NrqlCondition, Rule};
use crate::encode::mask;
use crate::nrql::lint::QUERY_BYTES;

/// What a log of a raw record is found by, as `encode` writes it.
const LOGS: &str = "logtype = 'aws.cloudtrail'";

/// One signal for each account and caller: who has no ARN, as whoever is anonymous, by the address, for a group without a name is none.
const FACET: &str = "FACET aws.accountId AS account, userIdentity.arn OR sourceIPAddress AS actor";

/// What the reader must know before the query is of use.
pub(super) const NEEDS: &str =
    "Needs every record as a log (outputs.logs.records: all); by default only records with a detection are sent.";

/// A rule in NRQL.
pub(super) struct Said {
    pub(super) rule: Rule,
    /// The query, or what stands against it.
    pub(super) query: Result<String, Vec<String>>,
}

impl Said {
    pub(super) fn new((rule, condition): (Rule, Result<NrqlCondition, Vec<String>>)) -> Self {
        let query = condition.and_then(|NrqlCondition { text, compared }| {
            let hidden = compared.iter().filter(|path| path.split('.').any(mask::is_secret));
            let hidden: Vec<String> =
                hidden.map(|path| format!("{path} is masked in logs, as its name speaks of a secret")).collect();
            if !hidden.is_empty() {
                return Err(hidden);
            }
            let query = format!("SELECT count(*) FROM Log WHERE {LOGS} AND {text} {FACET}");
            let long = query.len() > QUERY_BYTES;
            if long { Err(vec![format!("{} bytes: a query has at most {QUERY_BYTES}", query.len())]) } else { Ok(query) }
        });
        Self { rule, query }
    }
}

/// One rule, for people.
pub(super) fn page(said: &Said) -> String {
    match &said.query {
        Ok(query) => format!("{query}\n\n{NEEDS}\n"),
        Err(reasons) => {
            let lines = reasons.join("\n  ");
            let instead = format!("SELECT count(*) FROM AwsSecurityEvent WHERE control.id = '{}'", said.rule.id);
            format!(
                "rule {} cannot be said in NRQL over raw records:\n  {lines}\nask for its detections instead:\n  {instead}\n",
                said.rule.id
            )
        }
    }
}

/// All rules, for people.
pub(super) fn list(all: &[Said]) -> String {
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|said| {
            let answer = match &said.query {
                Ok(query) => format!("{} bytes", query.len()),
                Err(reasons) => format!("no: {}", reasons.join("; ")),
            };
            vec![said.rule.id.clone(), answer]
        })
        .collect();
    let good = all.iter().filter(|said| said.query.is_ok()).count();
    let summary = format!("{good} of {} as NRQL; `rules to-nrql ID` prints the query\n", count(all.len(), "rule"));
    table(&["id", "query over raw records"], &rows) + &summary
}

/// All rules, for machines.
pub(super) fn objects(all: &[Said]) -> Vec<Value> {
    all.iter()
        .map(|said| json!({ "id": said.rule.id, "nrql": said.query.as_ref().ok(), "unsupported": said.query.as_ref().err() }))
        .collect()
}

#[cfg(test)]
#[cfg(feature = "lab")]
mod tests {
    use super::*;
    use crate::classify::RuleSet;
    use crate::encode::log::{LogAttributes, push_log};
    use crate::lab::engine::{self, Engine, Settings, Switches};
    use crate::lab::store::{LOG, Store};
    use crate::nrql;
    use crate::nrql::lint::{Names, Purpose, Severity, Term, lint};
    use crate::record::trail::Trail;

    /// 2026-11-21T12:00:00Z, when samples are of.
    const NOW_MS: i64 = 1_795_262_400_000;

    /// How many logs of one record a query finds, whatever a negation makes of what is not there: New Relic does not say.
    fn found(query: &str, record: &str) -> f64 {
        let [without, with] = [false, true].map(|null_satisfies_negation| {
            let switches = Switches { null_satisfies_negation, ..Switches::default() };
            found_with(query, record, Settings { switches, ..Settings::default() })
        });
        assert!((without - with).abs() < 0.5, "{without} or {with}, as null is taken\n{query}\n{record}");
        without
    }

    fn found_with(query: &str, record: &str, settings: Settings) -> f64 {
        let trail = Trail::parse(record.as_bytes()).expect("a record");
        let account_id = trail.recipient_account_id.or_empty();
        let attributes = LogAttributes {
            timestamp_ms: NOW_MS - 1_000,
            late: false,
            event_id: "e",
            account_id,
            account_name: account_id,
            source: "s",
        };
        let mut log = Vec::new();
        push_log(&mut log, &trail, &attributes, true, 1_000_000);
        let log: Value = serde_json::from_slice(&log).expect("JSON");
        let mut common = log["attributes"].as_object().expect("attributes").clone();
        common.insert("logtype".to_owned(), "aws.cloudtrail".into());
        common.insert("timestamp".to_owned(), log["timestamp"].clone());
        let store = Store::in_memory();
        store.append(LOG, |rows| rows.log(&common, &log["message"], NOW_MS));
        let statement = nrql::parse(query).expect("NRQL");
        let answer = Engine::new(store.snapshot(), settings).run(&statement, NOW_MS).expect("an answer");
        let counts = answer.results.iter().flat_map(|row| &row.values).filter(|(name, _)| &**name == "count");
        counts.map(|(_, value)| if let engine::value::Value::Number(count) = value { *count } else { 0.0 }).sum()
    }

    /// P50: each query finds the samples that the rule matches, and no other.
    #[test]
    fn a_query_finds_what_its_rule_matches() {
        let all: Vec<Said> = RuleSet::to_nrql(&crate::config::Rules::default()).into_iter().map(Said::new).collect();
        let mut said = 0;
        for Said { rule, query } in &all {
            let Ok(query) = query else { continue };
            for sample in &rule.samples {
                let [record] = sample.records.as_slice() else { panic!("{}: a sample of one record", rule.id) };
                let hits = found(query, record);
                assert_eq!(hits > 0.0, sample.matches, "{} {:?}\n{query}\n{}", rule.id, sample.name, record);
            }
            let statement = nrql::parse(query).expect("NRQL");
            let terms = vec![Term { comparison: nrql::lint::Comparison::Above, threshold: 0.0 }];
            let purpose = Purpose::Condition { terms, fills_gaps: false };
            let findings = lint(query, &statement, &Names::default(), &purpose);
            let errors: Vec<_> = findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
            assert!(errors.is_empty(), "{}: {errors:?}\n{query}", rule.id);
            said += 1;
        }
        assert!(said * 10 >= all.len() * 7, "only {said} of {} rules", all.len());
    }
    /// P50: a query says the same as its rule of values that a function of NRQL makes nothing of, and of none.
    #[test]
    fn a_negated_test_holds_for_what_is_no_address_and_no_number() {
        let rule = |name: &str, selection: &str| {
            format!(
                "title: {name}\nname: {name}\nlogsource: {{product: aws, service: cloudtrail}}\nlevel: low\ndetection:\n  \
                 call: {{eventName: X}}\n  out: {{{selection}}}\n  condition: call and not out\n---\n"
            )
        };
        let folder = tempfile::tempdir().expect("a folder");
        let text = [
            rule("inside", "sourceIPAddress|cidr: 10.0.0.0/8"),
            rule("inside-one", "sourceIPAddress|cidr: [10.0.0.0/8, 192.168.0.0/16]"),
            rule("more", "requestParameters.size|gt: 5"),
            rule("less", "requestParameters.size|lte: 5"),
            rule("both", "sourceIPAddress|cidr: 10.0.0.0/8, requestParameters.size|gte: 5"),
        ];
        std::fs::write(folder.path().join("own.yml"), text.concat()).expect("a file");
        let rules = crate::config::Rules { folders: vec![folder.path().to_owned()], ..crate::config::Rules::default() };
        let (set, faults) = RuleSet::alone(&rules.folders, &rules);
        assert_eq!(faults, []);
        let said: Vec<Said> = RuleSet::to_nrql(&rules).into_iter().map(Said::new).filter(|said| !said.rule.builtin).collect();
        assert_eq!(said.len(), 5);
        let mut matcher = set.matcher();
        for address in
            [Some("10.1.2.3"), Some("192.168.7.1"), Some("8.8.8.8"), Some("s3.amazonaws.com"), Some("2001:db8::1"), None]
        {
            for size in [Some("3"), Some("9"), Some("\"9\""), Some("\"many\""), Some("\"\""), None] {
                let address = address.map(|ip| format!(r#","sourceIPAddress":"{ip}""#)).unwrap_or_default();
                let size = size.map(|size| format!(r#","requestParameters":{{"size":{size}}}"#)).unwrap_or_default();
                let record = format!(
                    r#"{{"eventID":"1","eventSource":"s","eventName":"X","eventTime":"2026-11-21T12:00:00Z","recipientAccountId":"111122223333","userIdentity":{{"arn":"arn:aws:iam::111122223333:user/ann"}}{address}{size}}}"#
                );
                let trail = Trail::parse(record.as_bytes()).expect("a record");
                let hits: Vec<&str> = matcher.matches(&trail).iter().map(|rule| &*rule.id).collect();
                for Said { rule, query } in &said {
                    let query = query.as_ref().expect("a query");
                    assert_eq!(found(query, &record) > 0.0, hits.contains(&&*rule.id), "{}\n{query}\n{record}", rule.id);
                }
            }
        }
    }
}
