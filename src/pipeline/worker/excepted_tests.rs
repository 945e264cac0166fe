//! A finding that an exception covers, from import to import: when that begins, ends, or cannot be said.

use serde_json::json;

use super::super::Stages;
use super::super::tests::{exception, failed, of_type, run, stages};
use super::*;
use crate::enrich::{AccountNames, AccountRow};
use crate::posture::Findings;

/// S2-20: what an exception covered pages when that is over, however old it is; what it covers from now on is excepted.
#[test]
fn an_exception_that_ends_or_begins_on_a_known_finding_is_told() {
    let findings = Arc::new(Findings::in_memory(crate::config::Findings::default()).past_first_day());
    let import = |expires: &str, hour: u32| {
        let mut event = failed("NEW");
        let finding = &mut event["detail"]["findings"][0];
        for name in ["CreatedAt", "FirstObservedAt"] {
            finding[name] = json!("2025-01-01T00:00:00Z");
        }
        finding["UpdatedAt"] = json!(format!("2026-11-21T{hour:02}:00:00Z"));
        let text = if expires.is_empty() { String::new() } else { exception("S3.2", &format!("expires: {expires}")) };
        let stages = Stages { findings: Arc::clone(&findings), ..stages(&text) };
        let (items, counts) = run(&stages, &event);
        let rows = of_type(&items, "AwsSecurityFinding");
        let words = ["finding.transition", "finding.previousStatus", "finding.status", "compliance.exception.owner"];
        let told: Vec<_> =
            rows.iter().map(|row| words.map(|word| row[word].as_str().unwrap_or("-").to_owned()).join(" ")).collect();
        let open = findings.open_counts();
        let open = open.first().map(|row| (row.open, row.excepted)).expect("it is known");
        (told.concat(), of_type(&items, "AwsSecurityNotice").len(), counts.notices_held, open)
    };
    let (valid, over) = ("2026-11-21", "2026-11-20");
    for (what, expires, hour, want) in [
        ("covered from its beginning", valid, 1, ("new - EXCEPTED web-team", 0, 0, (0, 1))),
        ("imported again", valid, 2, ("", 0, 0, (0, 1))),
        ("it is over", over, 3, ("updated EXCEPTED OPEN -", 1, 0, (1, 0))),
        ("imported again", over, 4, ("", 0, 0, (1, 0))),
        ("covered anew", valid, 5, ("updated OPEN EXCEPTED web-team", 0, 0, (0, 1))),
        ("the file is empty", "", 6, ("updated EXCEPTED OPEN -", 1, 0, (1, 0))),
    ] {
        let (told, notices, held, open) = import(expires, hour);
        assert_eq!((told.as_str(), notices, held, open), want, "{what}");
    }
}

/// S2-20: after a restart the names of accounts are not there at once: no finding that is excepted by them pages for that.
#[test]
fn what_is_excepted_by_names_stays_so_until_they_are_known() {
    let findings = Arc::new(Findings::in_memory(crate::config::Findings::default()).past_first_day());
    let text = exception("S3.2", "expires: 2026-11-21, scope: {environments: [dev]}");
    let names = |environment: Option<&str>| {
        let environment = environment.map(str::to_owned);
        let row = AccountRow { id: "222233334444".to_owned(), environment, ..AccountRow::default() };
        AccountNames::default().with(vec![row])
    };
    let import = |names: AccountNames, hour: u32| {
        let mut event = failed("NEW");
        event["detail"]["findings"][0]["UpdatedAt"] = json!(format!("2026-11-21T{hour:02}:00:00Z"));
        let stages = Stages { findings: Arc::clone(&findings), ..stages(&text) };
        stages.enricher.rename(names);
        let (items, _) = run(&stages, &event);
        let rows = of_type(&items, "AwsSecurityFinding");
        let words = ["finding.previousStatus", "finding.status", "compliance.exception.owner"];
        let told: Vec<_> =
            rows.iter().map(|row| words.map(|word| row[word].as_str().unwrap_or("-").to_owned()).join(" ")).collect();
        (told.concat(), of_type(&items, "AwsSecurityNotice").len())
    };
    let none = || (String::new(), 0);
    assert_eq!(import(names(Some("dev")), 1), ("- EXCEPTED web-team".to_owned(), 0));
    assert_eq!(import(AccountNames::default().awaited(true), 2), none(), "nobody can say yet");
    assert_eq!(import(names(Some("dev")), 3), none());
    assert_eq!(
        import(names(Some("prod")).awaited(true), 4),
        ("EXCEPTED OPEN -".to_owned(), 1),
        "it is known to be none of those"
    );
    assert_eq!(import(names(Some("dev")), 5), ("OPEN EXCEPTED web-team".to_owned(), 0));
    assert_eq!(import(names(None), 6), ("EXCEPTED OPEN -".to_owned(), 1), "nobody will say");
}

/// Of several resources all must be meant, by one exception.
#[test]
fn a_finding_of_two_resources_is_excepted_only_for_both() {
    let mut event = failed("NEW");
    event["detail"]["findings"][0]["Resources"] = json!([
        { "Type": "AwsS3Bucket", "Id": "arn:aws:s3:::site" },
        { "Type": "AwsS3Bucket", "Id": "arn:aws:s3:::private" },
    ]);
    for (resources, want) in [("site", "OPEN"), ("[site, 'arn:aws:s3:::private']", "EXCEPTED")] {
        let text = exception("S3.2", &format!("expires: 2026-11-21, scope: {{resources: {resources}}}"));
        let (items, _) = run(&stages(&text), &event);
        assert_eq!(of_type(&items, "AwsSecurityFinding")[0]["finding.status"], want, "{resources}");
    }
    let both = exception("S3.2", "expires: 2026-11-21, scope: {resources: site}")
        + &exception("S3.2", "expires: 2026-11-22, scope: {resources: private}");
    assert_eq!(of_type(&run(&stages(&both), &event).0, "AwsSecurityFinding")[0]["finding.status"], "OPEN");
}
