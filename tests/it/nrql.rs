//! `nrql` as people and scripts use it: what is printed, and the exit code.

use serde_json::{Value, json};

use super::support::agent::{Agent, Finished, is_lean};

/// Three queries, the second and third broken, one of them behind a line break; a blank line; what follows a tab is not read.
const QUERIES: &str = "SELECT count(*) FROM AwsSecurityEvent SINCE 1 week AGO\tREADME.md\n\nFROM AwsSecurityEvent SELECT max(a FACET b\t(\n\
                       SELECT a -- all\\n FROM WHERE b\n";

async fn checked(queries: &str, format: &str) -> Finished {
    let agent = Agent::new(["nrql", "--format", format, "--parse-only", "queries.tsv"]);
    agent.file("queries.tsv", queries);
    agent.finish().await
}

#[tokio::test]
async fn every_broken_query_is_told_with_its_place_in_the_file() {
    let ended = checked(QUERIES, "text").await;
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(ended.stderr, "");
    assert_eq!(
        ended.stdout,
        "queries.tsv:3:36: found `FACET`, expected `[`, an operator, `AS`, `,` or `)`\n\
         queries.tsv:4:24: found `WHERE`, expected an event type or `(`\n\
         parsed 1 of 3\n"
    );
    let report: Value = serde_json::from_str(&checked(QUERIES, "json").await.stdout).expect("JSON");
    assert_eq!((&report["parsed"], &report["queries"]), (&json!(1), &json!(3)));
    assert_eq!((&report["failures"][1]["line"], &report["failures"][1]["column"]), (&json!(4), &json!(24)));
}

#[tokio::test]
async fn good_queries_end_well_and_standard_input_may_hold_them() {
    let ended = checked("SELECT a FROM E\nSHOW EVENT TYPES", "text").await;
    assert_eq!((ended.status.code(), &*ended.stdout, &*ended.stderr), (Some(0), "parsed 2 of 2\n", ""));
    let nothing = Agent::new(["nrql", "--parse-only", "-"]).finish().await;
    assert_eq!((nothing.status.code(), &*nothing.stdout), (Some(0), "parsed 0 of 0\n"));
}

#[tokio::test]
async fn what_is_asked_wrongly_is_wrong_usage() {
    for (words, told) in [
        (&["--parse-only", "nosuch.tsv"][..], "reading nosuch.tsv: "),
        (&[], "  hint: `--"),
        (
            &["--on", "newrelic", "SELECT a FROM"],
            "NRQL Syntax Error at line 1, column 14: found the end, expected an event type or `(`",
        ),
    ] {
        let ended = words.iter().fold(Agent::new(["nrql"]), |agent, word| agent.arg(*word)).finish().await;
        assert_eq!((ended.status.code(), &*ended.stdout), (Some(2), ""), "{words:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(told), "{words:?}: {}", ended.stderr);
    }
}

#[tokio::test]
async fn the_functions_are_the_same_in_every_format() {
    let json = Agent::new(["nrql", "--functions", "--format", "json"]).finish().await;
    let rows: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let rows = rows.as_array().expect("a list");
    let names: Vec<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    let table = Agent::new(["nrql", "--functions"]).finish().await;
    let of_table = table.stdout.lines().skip(1).filter_map(|line| line.split([' ', ',']).find(|word| !word.is_empty()));
    assert_eq!(of_table.collect::<Vec<_>>(), names);
    let uniques = rows.iter().find(|row| row["name"] == "uniqueCount").expect("a row");
    assert_eq!(
        (&uniques["arguments"], &uniques["named"], &uniques["kind"]),
        (&json!({"least": 1, "most": 32}), &json!(["precision"]), &json!("aggregate"))
    );
}

/// One query a line; positions are those of the file; warnings alone are no failure.
#[tokio::test]
async fn lint_tells_each_fault_at_its_place_and_fails_on_errors_alone() {
    const QUERIES: &str = "SELECT count(*) FROM AwsSecurityEvent SINCE 1 day ago\n\n\
                           SELECT count(*)\\nFROM AwsSecurityEvents SINCE 1 day ago\tbehind a tab\n\
                           SELECT count(*) FROM AwsSecurityEvent WHERE actor.mfa != 'true' SINCE 1 day ago\n";
    let linted = async |name: &str, text: &str, words: &[&str]| {
        let agent = words.iter().fold(Agent::new(["nrql", "--lint", name]), |agent, word| agent.arg(*word));
        agent.file(name, text);
        agent.finish().await
    };
    let text = linted("queries.tsv", QUERIES, &[]).await;
    assert_eq!((text.status.code(), &*text.stderr), (Some(1), ""));
    assert_eq!(
        text.stdout,
        "queries.tsv:3:23: error[unknown-event-type]: there is no event type `AwsSecurityEvents`; did you mean `AwsSecurityEvent`?\n\
         queries.tsv:4:45: warning[negated-null]: whether rows without `actor.mfa` pass a negation is not documented; \
         add `AND actor.mfa IS NOT NULL`, or `OR actor.mfa IS NULL`\n\
         3 queries: 1 error, 1 warning\n"
    );

    // A file of that name is one query, in as many lines as it likes.
    let one = "-- who signs in\nSELECT count(*)\nFROM AwsSecurityEvent\nFACET actor.kind\nSINCE 1 day ago\n";
    let json = linted("who.nrql", one, &["--format", "json"]).await;
    let report: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!((json.status.code(), &report["queries"], &report["warnings"]), (Some(0), &1.into(), &1.into()));
    assert_eq!(
        report["findings"],
        json!([{
            "line": 4, "column": 1, "severity": "warning", "rule": "facet-without-limit",
            "message": "FACET without LIMIT shows 10 groups and hides the rest", "hint": "say how many",
        }])
    );
    let condition = linted("who.nrql", one, &["--purpose", "condition"]).await;
    assert_eq!(
        (condition.status.code(), &*condition.stdout),
        (
            Some(1),
            "who.nrql:4:7: error[condition-facet]: `actor.kind` is no plain name; say `AS actorKind`\n\
             who.nrql:5:1: error[condition-clause]: SINCE in a condition; the condition's window counts\n\
             1 query: 2 errors, 0 warnings\n"
        )
    );
}

/// Owners of accounts, for whom an event knows the id alone.
#[tokio::test]
async fn a_lookup_table_is_a_file_of_csv() {
    const EVENTS: &str = "{\"eventType\":\"E\",\"timestamp\":1702900000000,\"aws.accountId\":\"111122223333\"}\n\
                          {\"eventType\":\"E\",\"timestamp\":1702900000001,\"aws.accountId\":\"444455556666\"}\n";
    const OWNERS: &str = "id,owner\r\n111122223333,\"Mia, \"\"red\"\" team\"\r\n";
    const QUERY: &str = "FROM E LEFT JOIN (FROM lookup(owners) SELECT string(id) AS id, owner) ON aws.accountId = id \
                         SELECT count(*) FACET aws.accountId, owner OR 'nobody' AS owner";
    if is_lean() {
        return; // Without the lab there are no rows to ask.
    }
    let asked = async |owners: &str, words: &[&str]| {
        let agent = Agent::new(["nrql", "--data", "rows.ndjson", "--format", "csv"]);
        let agent = words.iter().fold(agent, |agent, word| agent.arg(*word));
        agent.file("rows.ndjson", EVENTS);
        agent.file("owners.csv", owners);
        agent.finish().await
    };
    let good = asked(OWNERS, &["--lookup", "owners=owners.csv", QUERY]).await;
    assert_eq!((good.status.code(), &*good.stderr), (Some(0), ""));
    assert_eq!(
        good.stdout,
        "facet,aws.accountId,owner,count\r\n\
         \"[\"\"111122223333\"\",\"\"Mia, \\\"\"red\\\"\" team\"\"]\",111122223333,\"Mia, \"\"red\"\" team\",1\r\n\
         \"[\"\"444455556666\"\",\"\"nobody\"\"]\",444455556666,nobody,1\r\n"
    );
    for (owners, words, told) in [
        (
            "id,owner\n1,a,b\n",
            &["--lookup", "owners=owners.csv", QUERY][..],
            "owners.csv:2: 3 cells; the first line names 2 columns",
        ),
        (OWNERS, &["--lookup", "owners=none.csv", QUERY], "reading none.csv: "),
        (OWNERS, &["--lookup", "owners.csv", QUERY], "not NAME=FILE"),
        (OWNERS, &["--lookup", "a=owners.csv", "--lookup", "a=owners.csv", QUERY], "--lookup a=… stands twice"),
        (OWNERS, &["--lookup", "teams=owners.csv", QUERY], "unknown lookup table `owners`: there is teams"),
        (OWNERS, &["SELECT count(*) FROM E TIMESERIES PREDICT"], "at column 35: PREDICT: New Relic runs it; the lab does not"),
    ] {
        let ended = asked(owners, words).await;
        assert_eq!((ended.status.code(), &*ended.stdout), (Some(2), ""), "{words:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(told), "{words:?}: {}", ended.stderr);
    }
}
