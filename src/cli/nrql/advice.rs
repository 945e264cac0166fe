//! What a query that runs may not mean.
//!
//! In: a query, the rows it asks, how many rows came. Out: a line for each thing that New Relic answers with nothing, or with less
//! than there is, and without an error. What always holds: a name that the dictionary has, or that any row here has, is not judged.

use super::names::names;
use super::place;
use crate::encode::metric::METRIC;
use crate::lab::store::Snapshot;
use crate::nrql::lint::{Kind, Names, Purpose, report};

/// Rules of the linter that New Relic breaks without a word.
const WITHOUT_A_WORD: [&str; 8] = [
    "unknown-event-type",
    "unknown-metric",
    "unknown-attribute",
    "reserved-name",
    "text-and-number",
    "flag-as-boolean",
    "compared-with-null",
    "wrong-kind",
];

/// The rule of what `FACET` hides.
const CUT: &str = "facet-without-limit";
/// Groups without `LIMIT`.
const GROUPS: usize = 10;

/// The names that a query on these rows may use.
pub(super) fn known(snapshot: &Snapshot) -> anyhow::Result<Names> {
    let mut names = names()?;
    for event_type in snapshot.event_types(i64::MIN, i64::MAX) {
        let attributes = snapshot.attributes(&event_type);
        for attribute in &attributes {
            names.attribute(&event_type, attribute, Kind::Any);
        }
        if &*event_type == METRIC {
            // Which column is a metric and which one its attribute, the columns do not say.
            for metric in &attributes {
                names.metric(metric, attributes.iter().map(AsRef::as_ref));
            }
        }
    }
    Ok(names)
}

/// What to tell beside an answer of `rows` rows.
pub(super) fn advice(query: &str, names: &Names, snapshot: &Snapshot, rows: usize) -> Vec<String> {
    let has = |name: &str| {
        let types = snapshot.event_types(i64::MIN, i64::MAX);
        types.iter().any(|event_type| snapshot.attributes(event_type).iter().any(|attribute| &**attribute == name))
    };
    let found = report(query, names, &Purpose::Saved).into_iter().map(|reported| reported.finding);
    let told = found.filter(|finding| match finding.rule {
        CUT => rows >= GROUPS,
        "reserved-name" => query.get(finding.span.start..finding.span.end).is_none_or(|name| !has(name.trim_matches('`'))),
        rule => WITHOUT_A_WORD.contains(&rule),
    });
    told.map(|finding| {
        let hint = if finding.hint.is_empty() { String::new() } else { format!("; {}", finding.hint) };
        format!("{}: {}{hint}", place(query, finding.span.start), finding.message)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lab::store::Store;

    fn advised(query: &str, rows: usize) -> Vec<String> {
        let store = Store::in_memory();
        for (event_type, row) in [
            ("AwsSecurityEvent", json!({ "event.name": "A", "mine": "x" })),
            ("Own", json!({ "accountId": "1", "colour": "red" })),
        ] {
            store.append_json(event_type, row.as_object().expect("an object"), 1_000);
        }
        let snapshot = store.snapshot();
        advice(query, &known(&snapshot).expect("names"), &snapshot, rows)
    }

    #[test]
    fn what_new_relic_answers_with_nothing_is_told() {
        for (query, told) in [
            (
                "SELECT count(*) FROM AwsSecurityEvents",
                vec!["at column 22: there is no event type `AwsSecurityEvents`; did you mean `AwsSecurityEvent`?"],
            ),
            ("SELECT count(*) FROM AwsSecurityEvent WHERE event.nam = 'A'", vec!["at column 45: `event.nam` is no attribute of"]),
            ("SELECT count(*) FROM AwsSecurityEvent, Own WHERE mine = 'x' AND colour = 'red'", vec![]),
            ("SELECT count(*) FROM Own WHERE accountId = '1' AND mine IS NULL", vec!["at column 52: `mine` is no attribute of"]),
            ("SELECT uniqueCount(event.id) FROM AwsSecurityEvent", vec![]),
        ] {
            let found = advised(query, 1);
            assert_eq!(found.len(), told.len(), "{query}: {found:?}");
            for (one, begin) in found.iter().zip(&told) {
                assert!(one.starts_with(begin), "{query}: {one}");
            }
        }
    }

    #[test]
    fn groups_that_facet_hides_are_told_only_where_some_may_be_hidden() {
        let query = "SELECT count(*) FROM Own FACET colour";
        assert_eq!(advised(query, 9), Vec::<String>::new());
        let told = advised(query, 10);
        assert!(matches!(told.as_slice(), [one] if one.contains("FACET without LIMIT shows 10 groups")), "{told:?}");
    }
}
