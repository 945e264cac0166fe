//! `nrql` as people and scripts use it: what is printed, and the exit code.

use serde_json::{Value, json};

use super::support::agent::{Agent, Finished};

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
