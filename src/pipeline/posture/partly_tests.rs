//! Readings of what is not there, of what AWS refuses in part, and of accounts without any rule: what is whole, and what is not.

use serde_json::json;

use super::rows::RowKind;
use super::tests::*;
use super::*;
use crate::config::Watched;

fn not_enabled() -> ConfigApiError {
    ConfigApiError::NotEnabled { why: "NoAvailableConfigurationRecorderException".to_owned(), what: "set up a recorder" }
}

/// S2-01: a Region where AWS Config is off is a number of its own; it keeps nothing else from being whole.
#[tokio::test]
async fn a_region_where_aws_config_is_not_there_is_missing_in_nothing() {
    let places = [place(ONE, "eu-west-1"), place(ONE, "us-east-1")];
    let scene = Scene::new(Some(&places), Watched::default());
    scene.aws.put(&places[0], "r", BAD, NOW - HOUR);
    scene.aws.fail(&places[1].to_string(), not_enabled());
    let run = scene.reads(0, None).await;
    assert_eq!((run_of(&run), &run["run.placesNotEnabled"]), (("baseline", &json!(1), &json!(0), "true", "true"), &json!(1)));
    for (kind, event_type) in [
        (RowKind::Summary, "AwsPostureSummary"),
        (RowKind::Violations, "AwsComplianceViolation"),
        (RowKind::Packs, "AwsConformancePackSnapshot"),
    ] {
        let (rows, run) = scene.sends(kind, event_type).await;
        let want = (kind.run().as_str(), &json!(1), &json!(0), "true", "true");
        assert_eq!((rows.len(), run_of(&run), &run["run.placesNotEnabled"]), (1, want, &json!(1)));
    }
    assert_eq!(run_of(&scene.reads(24, None).await).0, "reconcile", "no reading is the first one again");
    let (rows, _) = scene.sends(RowKind::Summary, "AwsPostureSummary").await;
    assert_eq!(rows[0]["posture.violatingRulesDelta1d"], 0, "there are deltas");
    let regions = ["posture.regions", "posture.regionsRead", "posture.regionsNotEnabled"].map(|name| &rows[0][name]);
    assert_eq!(regions, [&json!(1), &json!(1), &json!(1)]);
    let (rows, _) = scene.sends(RowKind::Controls, "CspmRelayControl").await;
    assert!(rows.iter().any(|row| row["control.evaluated"] == "false"), "what is deployed nowhere is known");
    assert_eq!(scene.lead.posture.standing.faults().len(), 0);
}

/// S2-01: what was read before and is not there any more is missing, and so is everything where nothing can be read.
#[tokio::test]
async fn a_region_that_was_read_before_or_stands_alone_is_missing_when_it_is_not_there() {
    let places = [place(ONE, "eu-west-1"), place(ONE, "us-east-1")];
    let scene = Scene::new(Some(&places), Watched::default());
    for place in &places {
        scene.aws.fail(&place.to_string(), not_enabled());
    }
    let run = scene.reads(0, None).await;
    assert_eq!((run_of(&run), &run["run.placesNotEnabled"]), (("reconcile", &json!(0), &json!(2), "false", "true"), &json!(0)));
    assert_eq!(scene.lead.posture.standing.faults().len(), 1, "keys that do not exist look the same");
    scene.aws.mended();
    scene.reads(7, None).await;
    scene.aws.fail(&places[1].to_string(), not_enabled());
    let run = scene.reads(28, None).await;
    assert_eq!((run_of(&run), &run["run.placesNotEnabled"]), (("reconcile", &json!(1), &json!(1), "false", "true"), &json!(0)));
    let (_, run) = scene.sends(RowKind::Summary, "AwsPostureSummary").await;
    assert_eq!(run_of(&run), ("summary", &json!(1), &json!(1), "false", "true"));
}

/// S2-13: a rule that AWS refuses to tell keeps its results, and the place is not read whole; nobody is stopped by it.
#[tokio::test]
async fn a_place_with_a_rule_that_is_refused_is_not_read_whole() {
    let places = [place(ONE, "eu-west-1")];
    let scene = Scene::new(Some(&places), Watched::default());
    for rule in ["r", "s"] {
        scene.aws.put(&places[0], rule, BAD, NOW - HOUR);
    }
    scene.reads(0, None).await;
    let refused = ConfigApiError::Refused { why: "ValidationException".to_owned() };
    scene.aws.fail(&format!("{} s", places[0]), refused);
    let run = scene.reads(7, None).await;
    assert_eq!((run_of(&run), &run["run.repairs"]), (("reconcile", &json!(0), &json!(1), "false", "true"), &json!(0)));
    let (rows, run) = scene.sends(RowKind::Snapshot, "AwsComplianceSnapshot").await;
    assert_eq!((rows.len(), &rows[1]["posture.observedAt"], run_of(&run).3), (2, &json!(NOW), "false"));
    let (rows, run) = scene.sends(RowKind::Packs, "AwsConformancePackSnapshot").await;
    assert_eq!((rows.len(), run_of(&run).3), (1, "true"), "packs were read");
    let standing = &scene.lead.posture.standing;
    assert_eq!((standing.faults().len(), standing.notes().len()), (0, 1));
    assert!(scene.lead.known().readings.due(i64::MAX).is_empty(), "asked again it is refused again");
    scene.aws.mended();
    assert_eq!(run_of(&scene.reads(14, None).await), ("reconcile", &json!(1), &json!(0), "true", "true"));
}

/// S2-01, S2-13: what is read but for a rule is read: what is not there beside it is counted alike by the reading and by the rows.
#[tokio::test]
async fn a_region_that_is_not_there_is_missing_in_nothing_beside_one_that_is_read_in_part() {
    let places = [place(ONE, "eu-west-1"), place(ONE, "us-east-1")];
    let scene = Scene::new(Some(&places), Watched::default());
    for rule in ["r", "s"] {
        scene.aws.put(&places[0], rule, BAD, NOW - HOUR);
    }
    scene.aws.fail(&format!("{} s", places[0]), ConfigApiError::Refused { why: "ValidationException".to_owned() });
    scene.aws.fail(&places[1].to_string(), not_enabled());
    let run = scene.reads(0, None).await;
    assert_eq!((run_of(&run), &run["run.placesNotEnabled"]), (("baseline", &json!(0), &json!(1), "false", "true"), &json!(1)));
    let (_, run) = scene.sends(RowKind::Summary, "AwsPostureSummary").await;
    assert_eq!((run_of(&run), &run["run.placesNotEnabled"]), (("summary", &json!(0), &json!(1), "false", "true"), &json!(1)));
}

/// S2-01: an account without any rule was read, and nothing of it is missing; it is no account that fails, either.
#[tokio::test]
async fn an_account_without_any_rule_is_read_through_an_aggregator() {
    let mut scene = Scene::new(None, Watched::default());
    if let Some(Reader::Aggregator { accounts, .. }) = &mut scene.lead.posture.reader {
        accounts.extend([ONE.into(), OTHER.into()]);
    }
    scene.aws.fail(OTHER, denied());
    assert_eq!(run_of(&scene.reads(0, None).await), ("reconcile", &json!(0), &json!(1), "false", "true"));
    let standing = Arc::clone(&scene.lead.posture.standing);
    assert_eq!((standing.faults().len(), standing.notes().len()), (0, 1), "one of two can be read");
    scene.aws.mended();
    scene.aws.put(&place(OTHER, "eu-west-1"), "r", BAD, NOW - HOUR);
    assert_eq!(run_of(&scene.reads(7, None).await), ("baseline", &json!(1), &json!(0), "true", "true"));
    let (rows, run) = scene.sends(RowKind::Summary, "AwsPostureSummary").await;
    assert_eq!((rows.len(), run_of(&run)), (2, ("summary", &json!(1), &json!(0), "true", "true")));
    assert_eq!((&rows[0]["posture.regions"], rows[0].get("posture.violatingRules")), (&json!(0), None));
    scene.lead.clock.advance_to(NOW + 20 * HOUR);
    assert_eq!(scene.lead.freshness(NOW + 20 * HOUR).missing(), 2, "long ago");
    for account in [ONE, OTHER] {
        scene.aws.fail(account, denied());
    }
    scene.reads(21, None).await;
    assert_eq!(standing.faults().len(), 1, "nothing can be read");
}
