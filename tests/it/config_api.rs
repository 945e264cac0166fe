//! The reader of AWS Config's API against a stand-in: pages, tokens, throttles, refusals, roles, and where the calls go.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cspm_relay::config::Role;
use cspm_relay::record::{AccountRegion, ComplianceState, DeployedRule, Evaluation};
use cspm_relay::secret::Secret;
use cspm_relay::source::aws;
use cspm_relay::source::config_api::aggregator::{self, AccountRead, AggregatorApi, Found};
use cspm_relay::source::config_api::clients::Access;
use cspm_relay::source::config_api::sdk::SdkConfigApi;
use cspm_relay::source::config_api::sdk_aggregator::SdkAggregator;
use cspm_relay::source::config_api::{Calls, ConfigApi, ConfigApiError, FailingRule, Pack, PackRules};

use crate::support::aws::emulator;
use crate::support::config_api::fleet::{Fleet, JUDGED_MS, Judged, PackOf, Rule, Size};
use crate::support::config_api::{ConfigStandIn, Fault, OWN_ACCOUNT};
use crate::support::data::REGION;
use crate::support::setting;

/// As fast as the reader goes.
const FAST: f64 = 100.0;

fn place(number: u32) -> AccountRegion {
    AccountRegion::new(&Fleet::account(number), "eu-west-1")
}

async fn reader(stand_in: &ConfigStandIn, per_second: f64) -> Arc<SdkConfigApi> {
    let base = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .region("eu-west-1")
        .endpoint_url(stand_in.url())
        .credentials_provider(aws_sdk_sqs::config::Credentials::new("test", "test", None, None, "tests"))
        .load()
        .await;
    let (role, external_id) = (Role::parse("reader"), Some(Secret::new("only-we-know")));
    let access = Access { own_account: OWN_ACCOUNT.into(), role, external_id, per_second };
    Arc::new(SdkConfigApi::new(&base, access).await)
}

async fn all(api: &SdkConfigApi, place: &AccountRegion, rule: &str) -> Result<Vec<Evaluation>, ConfigApiError> {
    let mut all = Vec::new();
    api.evaluations(place, rule, &mut |page| {
        assert!(!page.is_empty(), "an empty page is nothing to tell");
        all.extend(page);
    })
    .await?;
    Ok(all)
}

fn expected(stand_in: &ConfigStandIn, place: &AccountRegion, rule: &str) -> Vec<Evaluation> {
    let judged = stand_in.with(|fleet| fleet.evaluations(place, rule)).expect("a rule");
    judged
        .into_iter()
        .map(|one| Evaluation {
            resource_type: one.resource_type.into(),
            resource_id: one.resource_id.into(),
            state: ComplianceState::of(&one.state),
            recorded_ms: one.recorded_ms,
            annotation: one.annotation.map(Into::into),
        })
        .collect()
}

fn judged(resource_id: &str, state: &str) -> Judged {
    Judged {
        resource_type: "AWS::S3::Bucket".to_owned(),
        resource_id: resource_id.to_owned(),
        state: state.to_owned(),
        recorded_ms: JUDGED_MS + 71_250,
        annotation: None,
    }
}

fn counted(api: &SdkConfigApi, place: &AccountRegion) -> Calls {
    api.calls().into_iter().find(|(of, _)| of == place).expect("the place was asked").1
}

#[tokio::test]
async fn every_page_of_rules_is_read_and_those_being_deleted_are_left_out() {
    let stand_in = ConfigStandIn::start(Size { rules: 60, ..Size::default() }).await;
    let here = place(0);
    stand_in.change(|fleet| {
        fleet.set_rule(&here, "rule-007", Some("DELETING"));
        fleet.set_rule(&here, "rule-008", Some("DELETING_RESULTS"));
        fleet.set_rule(&here, "rule-010", Some("EVALUATING"));
        fleet.set_rule(&here, "rule-020", None);
    });
    let api = reader(&stand_in, FAST).await;
    let rules = api.rules(&here).await.unwrap();
    let names: Vec<&str> = rules.iter().map(|rule| &*rule.name).collect();
    // Only the results of rule-008 go.
    let deleted = ["rule-007", "rule-020"];
    let wanted: Vec<String> = (0..60).map(|n| format!("rule-{n:03}")).filter(|name| !deleted.contains(&name.as_str())).collect();
    assert_eq!(names, wanted);
    assert_eq!(stand_in.count(&here, "DescribeConfigRules"), 3, "59 rules, 25 a page");
    assert_eq!(counted(&api, &here), Calls { calls: 3, throttled: 0, retried: 0 });
    let managed = DeployedRule {
        name: "rule-000".into(),
        arn: "arn:aws:config:eu-west-1:100000000000:config-rule/config-rule-rule-000".into(),
        identifier: Some("MANAGED_RULE_0".into()),
    };
    assert_eq!(rules[0], managed);
    let own = rules.iter().find(|rule| &*rule.name == "rule-009").unwrap();
    assert_eq!(own.identifier, None, "the function's ARN is no identifier");
}

#[tokio::test]
async fn every_page_of_evaluations_is_read_and_an_empty_one_is_walked_through() {
    let stand_in = ConfigStandIn::start(Size { resources: 250, ..Size::default() }).await;
    let (here, there) = (place(0), place(1));
    stand_in.empty_first(&there);
    let api = reader(&stand_in, FAST).await;
    for (place, pages) in [(&here, 3), (&there, 4)] {
        let read = all(&api, place, "rule-001").await.unwrap();
        assert_eq!(read.len(), 250);
        assert_eq!(read, expected(&stand_in, place, "rule-001"));
        assert_eq!(stand_in.count(place, "GetComplianceDetailsByConfigRule"), pages, "{place}");
        assert_eq!(counted(&api, place).calls, pages as u64);
    }
    assert_eq!(api.rules(&there).await.unwrap().len(), 3, "rules come after an empty page too");
    let states: BTreeSet<_> = expected(&stand_in, &here, "rule-001").iter().map(|one| one.state).collect();
    assert_eq!(states.len(), 3, "compliant, not, and not applicable");
}

#[tokio::test]
async fn an_unknown_state_is_no_error() {
    let stand_in = ConfigStandIn::start(Size { resources: 0, ..Size::default() }).await;
    let here = place(0);
    stand_in.change(|fleet| fleet.put(&here, "rule-000", judged("ledger", "RATHER_COMPLIANT")));
    let api = reader(&stand_in, FAST).await;
    let read = all(&api, &here, "rule-000").await.unwrap();
    let one = Evaluation {
        resource_type: "AWS::S3::Bucket".into(),
        resource_id: "ledger".into(),
        state: ComplianceState::Other,
        recorded_ms: JUDGED_MS + 71_250,
        annotation: None,
    };
    assert_eq!(read, [one], "to the millisecond");
}

#[tokio::test]
async fn what_is_deleted_between_two_reads_is_gone() {
    let stand_in = ConfigStandIn::start(Size::default()).await;
    let here = place(0);
    let api = reader(&stand_in, FAST).await;
    let before = all(&api, &here, "rule-000").await.unwrap();
    let gone = &before[0];
    stand_in.change(|fleet| {
        fleet.delete_resource(&here, &gone.resource_type, &gone.resource_id);
        fleet.set_rule(&here, "rule-002", None);
        fleet.add_rule(&here, Rule { name: "new".to_owned(), identifier: None, state: "ACTIVE" });
        fleet.put(&here, "new", judged("ledger", "NON_COMPLIANT"));
    });
    assert_eq!(all(&api, &here, "rule-000").await.unwrap(), before[1..]);
    let names: Vec<_> = api.rules(&here).await.unwrap().into_iter().map(|rule| rule.name).collect();
    assert_eq!(names, ["rule-000".into(), "rule-001".into(), Box::<str>::from("new")]);
    assert_eq!(all(&api, &here, "new").await.unwrap().len(), 1);
    let error = all(&api, &here, "rule-002").await.unwrap_err();
    assert!(matches!(&error, ConfigApiError::NoSuchRule { why } if why.contains("rule-002")), "{error:?}");
    assert_eq!(counted(&api, &here).retried, 0, "there is nothing to try again");
}

#[tokio::test]
async fn throttles_are_waited_out_and_counted() {
    let stand_in = ConfigStandIn::start(Size::default()).await;
    let here = place(0);
    stand_in.fail(&here, "DescribeConfigRules", Fault::Throttled, Some(2));
    let api = reader(&stand_in, FAST).await;
    assert_eq!(api.rules(&here).await.unwrap().len(), 3);
    assert_eq!(counted(&api, &here), Calls { calls: 3, throttled: 2, retried: 2 });
    assert_eq!(stand_in.calls().len(), 3, "no request that is not counted");
}

#[tokio::test]
async fn faults_that_stay_are_told_after_five_tries() {
    let stand_in = ConfigStandIn::start(Size::default()).await;
    let (throttled, broken) = (place(0), place(1));
    stand_in.fail(&throttled, "*", Fault::Throttled, None);
    stand_in.fail(&broken, "*", Fault::Html, None);
    let api = reader(&stand_in, FAST).await;
    let (one, other) = futures_util::future::join(api.rules(&throttled), api.rules(&broken)).await;
    let (one, other) = (one.unwrap_err(), other.unwrap_err());
    let why = "config:DescribeConfigRules: ThrottlingException: Rate exceeded".to_owned();
    assert_eq!(one, ConfigApiError::Passing { why });
    assert!(matches!(&other, ConfigApiError::Passing { .. }), "{other:?}");
    assert_eq!(counted(&api, &throttled), Calls { calls: 5, throttled: 5, retried: 4 });
    assert_eq!(counted(&api, &broken), Calls { calls: 5, throttled: 0, retried: 4 });
}

#[tokio::test]
async fn a_denied_account_does_not_keep_the_others_from_being_read() {
    let stand_in = ConfigStandIn::start(Size { accounts: 4, ..Size::default() }).await;
    stand_in.fail(&place(1), "GetComplianceDetailsByConfigRule", Fault::Denied, None);
    stand_in.untrusting(&Fleet::account(2));
    stand_in.fail(&place(3), "*", Fault::NotEnabled, None);
    let api = reader(&stand_in, FAST).await;
    let mut ends = Vec::new();
    for number in 0..4 {
        ends.push(all(&api, &place(number), "rule-000").await.map(|read| read.len()));
    }
    assert_eq!(ends[0], Ok(4));
    let missing = "config:GetComplianceDetailsByConfigRule";
    let why = format!("AccessDeniedException: User is not authorized to perform: {missing}");
    assert_eq!(ends[1], Err(ConfigApiError::Denied { why, missing: missing.to_owned() }));
    let role = "arn:aws:iam::100000000002:role/reader";
    let Err(ConfigApiError::Denied { why, missing }) = &ends[2] else { panic!("{:?}", ends[2]) };
    assert!(why.contains(role) && why.contains("not authorized to perform: sts:AssumeRole"), "{why}");
    assert!(missing.starts_with(&format!("sts:AssumeRole on {role} in the agent's role")), "{missing}");
    assert!(!format!("{:?}", ends[2]).contains("only-we-know"), "the external id is nobody's business");
    let Err(ConfigApiError::NotEnabled { why, what }) = &ends[3] else { panic!("{:?}", ends[3]) };
    assert!(why.starts_with("UnrecognizedClientException") && what.contains("enable it"), "{why} {what}");
    assert_eq!(api.rules(&place(1)).await.unwrap().len(), 3, "only one action was missing");
    for number in [1, 3] {
        assert_eq!(counted(&api, &place(number)).retried, 0, "a refusal is not tried again");
    }
}

#[tokio::test]
async fn a_token_that_goes_in_circles_is_a_fault_and_no_endless_loop() {
    let stand_in = ConfigStandIn::start(Size::default()).await;
    stand_in.fail(&place(0), "*", Fault::Circle, None);
    let api = reader(&stand_in, FAST).await;
    let error = api.rules(&place(0)).await.unwrap_err();
    let why = "config:DescribeConfigRules: the next page has the token of this one".to_owned();
    assert_eq!(error, ConfigApiError::Passing { why });
}

#[tokio::test]
async fn readers_of_one_place_together_stay_within_its_rate() {
    const RATE: usize = 20;
    let stand_in = ConfigStandIn::start(Size { rules: 20, accounts: 2, ..Size::default() }).await;
    stand_in.throttle_above(RATE + 1);
    let api = reader(&stand_in, f64::from(u32::try_from(RATE).unwrap())).await;
    let start = tokio::time::Instant::now();
    let readers = (0..4).map(|reader| {
        let api = Arc::clone(&api);
        tokio::spawn(async move {
            let place = place(reader % 2);
            for rule in 0..15 {
                all(&api, &place, &format!("rule-{rule:03}")).await.unwrap();
            }
        })
    });
    for ended in futures_util::future::join_all(readers).await {
        ended.unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(4), "two places take no longer than one: {:?}", start.elapsed());
    let calls = stand_in.calls();
    for number in [0, 1] {
        let times: Vec<_> = calls.iter().filter(|call| call.place == place(number)).map(|call| call.at).collect();
        assert_eq!(times.len(), 30);
        let within = |from| times.iter().filter(|at| **at >= from && at.duration_since(from) < Duration::from_secs(1)).count();
        // One more: requests leave at even distances, and may arrive a moment late.
        assert!(times.iter().all(|from| within(*from) <= RATE + 1), "{times:?}");
        assert_eq!(counted(&api, &place(number)), Calls { calls: 30, throttled: 0, retried: 0 });
    }
}

#[tokio::test]
async fn an_account_of_many_regions_takes_its_role_once() {
    let size = Size { accounts: 3, regions: &["eu-west-1", "us-east-1", "ap-northeast-1"], ..Size::default() };
    let stand_in = ConfigStandIn::start(size).await;
    let api = reader(&stand_in, FAST).await;
    for place in stand_in.with(Fleet::places) {
        assert_eq!(api.rules(&place).await.unwrap().len(), 3, "{place}");
        assert_eq!(stand_in.count(&place, "DescribeConfigRules"), 1, "the account and Region that were meant");
    }
    let taken = stand_in.taken();
    let arns: Vec<_> = taken.iter().map(|taken| taken.arn.as_str()).collect();
    assert_eq!(arns, ["arn:aws:iam::100000000001:role/reader", "arn:aws:iam::100000000002:role/reader"], "not in its own");
    for taken in taken {
        let said = (taken.session.as_str(), taken.external_id.as_deref(), taken.region.as_str());
        assert_eq!(said, ("cspm-relay", Some("only-we-know"), "eu-west-1"));
    }
}

#[tokio::test]
async fn a_rule_that_fails_to_run_is_told_and_one_that_failed_long_ago_is_not() {
    let stand_in = ConfigStandIn::start(Size { rules: 120, ..Size::default() }).await;
    let here = place(0);
    stand_in.change(|fleet| fleet.fail_rule(&here, "rule-077", "AccessDenied", "The role cannot be taken."));
    let api = reader(&stand_in, FAST).await;
    let failing = FailingRule {
        rule: "rule-077".into(),
        code: Some("AccessDenied".into()),
        message: Some("The role cannot be taken.".into()),
        failed_ms: JUDGED_MS + 3_600_000,
    };
    assert_eq!(api.failing_rules(&here).await.unwrap(), [failing]);
    assert_eq!(stand_in.count(&here, "DescribeConfigRuleEvaluationStatus"), 3, "120 rules, 50 a page");
}

#[tokio::test]
async fn packs_are_told_with_their_state_and_the_states_of_their_rules() {
    let stand_in = ConfigStandIn::start(Size::default()).await;
    let here = place(0);
    let rules =
        |states: &[&str]| states.iter().enumerate().map(|(n, state)| (format!("rule-{n}"), (*state).to_owned())).collect();
    stand_in.change(|fleet| {
        for number in 0..7 {
            let states = &["COMPLIANT", "NON_COMPLIANT", "COMPLIANT", "INSUFFICIENT_DATA", "NEW_WORD"][..number.min(5)];
            let state = ["INSUFFICIENT_DATA", "COMPLIANT", "NON_COMPLIANT"][number.min(2)];
            fleet.add_pack(&here, PackOf { name: format!("pack-{number}"), state: state.to_owned(), rules: rules(states) });
        }
    });
    let api = reader(&stand_in, FAST).await;
    let packs = api.packs(&here).await.unwrap();
    let told: Vec<_> = packs
        .iter()
        .map(|pack| {
            let PackRules { compliant, non_compliant, no_data } = pack.rules.expect("they were read");
            (&*pack.name, compliant, non_compliant, no_data)
        })
        .collect();
    let wanted = [
        ("pack-0", 0, 0, 0),
        ("pack-1", 1, 0, 0),
        ("pack-2", 1, 1, 0),
        ("pack-3", 2, 1, 0),
        ("pack-4", 2, 1, 1),
        ("pack-5", 2, 1, 2),
        ("pack-6", 2, 1, 2),
    ];
    assert_eq!(told, wanted);
    let states: Vec<_> = packs.iter().map(|pack| pack.state).take(3).collect();
    assert_eq!(states, [ComplianceState::InsufficientData, ComplianceState::Compliant, ComplianceState::NonCompliant]);
    let calls = ["DescribeConformancePacks", "GetConformancePackComplianceSummary", "DescribeConformancePackCompliance"];
    assert_eq!(calls.map(|operation| stand_in.count(&here, operation)), [1, 2, 7]);
    assert_eq!(api.packs(&place(1)).await.unwrap(), Vec::<Pack>::new());
}

#[tokio::test]
async fn a_pack_that_is_deleted_while_packs_are_read_takes_no_other_with_it() {
    let stand_in = ConfigStandIn::start(Size::default()).await;
    let here = place(0);
    stand_in.change(|fleet| {
        for number in 0..3 {
            let rules = vec![("rule-000".to_owned(), "COMPLIANT".to_owned())];
            fleet.add_pack(&here, PackOf { name: format!("pack-{number}"), state: "COMPLIANT".to_owned(), rules });
        }
    });
    let api = reader(&stand_in, FAST).await;
    // The summary of all three is refused, then that of the first alone; the rules of the second.
    stand_in.fail(&here, "GetConformancePackComplianceSummary", Fault::PackGone, Some(2));
    stand_in.fail(&here, "DescribeConformancePackCompliance", Fault::PackGone, Some(1));
    let rules = Some(PackRules { compliant: 1, non_compliant: 0, no_data: 0 });
    let left = Pack { name: "pack-2".into(), state: ComplianceState::Compliant, rules };
    assert_eq!(api.packs(&here).await.unwrap(), [left]);
    assert_eq!(stand_in.count(&here, "GetConformancePackComplianceSummary"), 4);
}

/// S2-13: who may list packs and not look into them still learns which there are, and how each stands as a whole.
#[tokio::test]
async fn packs_whose_rules_nobody_may_read_are_told_without_them() {
    let stand_in = ConfigStandIn::start(Size::default()).await;
    let here = place(0);
    stand_in.change(|fleet| {
        for number in 0..3 {
            let rules = vec![("rule-000".to_owned(), "COMPLIANT".to_owned())];
            fleet.add_pack(&here, PackOf { name: format!("pack-{number}"), state: "COMPLIANT".to_owned(), rules });
        }
    });
    let api = reader(&stand_in, FAST).await;
    stand_in.fail(&here, "DescribeConformancePackCompliance", Fault::Denied, None);
    let packs = api.packs(&here).await.unwrap();
    let told: Vec<_> = packs.iter().map(|pack| (&*pack.name, pack.state, pack.rules)).collect();
    assert_eq!(told, ["pack-0", "pack-1", "pack-2"].map(|name| (name, ComplianceState::Compliant, None)));
    assert_eq!(stand_in.count(&here, "DescribeConformancePackCompliance"), 1, "what refuses the caller refuses each name");
    stand_in.fail(&here, "GetConformancePackComplianceSummary", Fault::Denied, None);
    assert!(matches!(api.packs(&here).await, Err(ConfigApiError::Denied { .. })), "without their states nothing is said of them");
}

/// What the aggregator can know: each place's rules and judgements, but for what does not apply.
fn known(stand_in: &ConfigStandIn, account: &str) -> BTreeMap<(AccountRegion, String, String, String), ComplianceState> {
    stand_in.with(|fleet| {
        let mut known = BTreeMap::new();
        for place in fleet.places().into_iter().filter(|place| *place.account == *account) {
            for rule in fleet.rules(&place) {
                for one in fleet.evaluations(&place, &rule.name).unwrap() {
                    if one.state != "NOT_APPLICABLE" {
                        let key = (place.clone(), rule.name.clone(), one.resource_type, one.resource_id);
                        known.insert(key, ComplianceState::of(&one.state));
                    }
                }
            }
        }
        known
    })
}

#[tokio::test]
async fn an_aggregator_gives_what_the_accounts_themselves_give() {
    let size = Size { accounts: 3, regions: &["eu-west-1", "us-east-1"], rules: 30, resources: 12, shared_by: 5 };
    let stand_in = ConfigStandIn::start(size).await;
    let (home, silent) = (place(0), AccountRegion::new(&Fleet::account(1), "us-east-1"));
    stand_in.aggregate("all", &home);
    stand_in.unrecorded(&silent);
    stand_in.empty_first(&home);
    stand_in.change(|fleet| fleet.add_rule(&silent, Rule { name: "idle".to_owned(), identifier: None, state: "ACTIVE" }));
    let api = reader(&stand_in, FAST).await;
    let organization = SdkAggregator::new(api, "all", home.clone());
    let accounts = aggregator::accounts(&organization).await.unwrap();
    assert_eq!(accounts, [0, 1, 2].map(|number| Fleet::account(number).into_boxed_str()));
    for account in accounts {
        let mut read = BTreeMap::new();
        let mut rules = BTreeSet::new();
        let end = aggregator::account(&organization, &account, &mut |found| match found {
            Found::Rule(rule) => assert!(rules.insert((rule.place, rule.rule)), "a rule is told once"),
            Found::Evaluation { place, rule, evaluation, captured_ms } => {
                assert!(rules.contains(&(place.clone(), rule.clone())), "its rule came first");
                let by_name = place == silent;
                let times = if by_name { (JUDGED_MS, JUDGED_MS) } else { (0, JUDGED_MS + 1_500) };
                assert_eq!((evaluation.recorded_ms, captured_ms), times, "the query knows no rule's own time");
                let key = (place, rule.into(), evaluation.resource_type.into(), evaluation.resource_id.into());
                assert!(read.insert(key, evaluation.state).is_none(), "a judgement is told once");
            }
        })
        .await
        .unwrap();
        let known = known(&stand_in, &account);
        assert_eq!(read, known);
        let by_name = if *account == *silent.account { 30 } else { 0 };
        assert_eq!(end, AccountRead { rules: 60, evaluations: known.len() as u64, by_name, unlisted: 0 });
        assert!(!rules.iter().any(|(_, rule)| &**rule == "idle"), "an aggregator lists no rule without results");
    }
}

/// S2-13: the aggregator's packs are those of the accounts, whatever page they stand on.
#[tokio::test]
async fn an_aggregator_gives_the_packs_of_all_accounts() {
    let size = Size { accounts: 30, regions: &["eu-west-1"], ..Size::default() };
    let stand_in = ConfigStandIn::start(size).await;
    let home = place(0);
    stand_in.aggregate("all", &home);
    stand_in.empty_first(&home);
    stand_in.change(|fleet| {
        let states = ["COMPLIANT", "NON_COMPLIANT", "INSUFFICIENT_DATA", "NEW_WORD"];
        let rules: Vec<_> = states.map(|state| (format!("rule-{state}"), state.to_owned())).to_vec();
        for place in fleet.places() {
            for number in 0..4 {
                let (name, rules) = (format!("pack-{number}"), rules.clone());
                fleet.add_pack(&place, PackOf { name, state: "NON_COMPLIANT".to_owned(), rules });
            }
        }
    });
    let organization = SdkAggregator::new(reader(&stand_in, FAST).await, "all", home.clone());
    let mut found = Vec::new();
    organization.packs(&mut |page| found.extend(page)).await.unwrap();
    let names: BTreeSet<_> = found.iter().map(|(place, pack)| (place.clone(), pack.name.clone())).collect();
    assert_eq!((names.len(), found.len()), (120, 120), "each once");
    let rules = Some(PackRules { compliant: 1, non_compliant: 1, no_data: 2 });
    assert!(found.iter().all(|(_, pack)| (pack.state, pack.rules) == (ComplianceState::NonCompliant, rules)));
    assert_eq!(stand_in.count(&home, "DescribeAggregateComplianceByConformancePacks"), 3, "an empty page, 100 packs, 20 packs");
}

#[tokio::test]
async fn an_aggregator_that_is_not_there_is_said_to_be_missing() {
    let stand_in = ConfigStandIn::start(Size::default()).await;
    let organization = SdkAggregator::new(reader(&stand_in, FAST).await, "all", place(0));
    let error = aggregator::accounts(&organization).await.unwrap_err();
    let expected =
        "NoSuchConfigurationAggregatorException: there is no aggregator all; there is no such aggregator in this account";
    assert!(error.to_string().starts_with(expected), "{error}");
    let odd = organization.resources(Some("1' OR '1'='1"), &mut |_| {}).await.unwrap_err();
    assert!(matches!(odd, ConfigApiError::Refused { .. }), "no word of a query comes from outside");
}

/// The figures of the design note: 200 accounts, 150 rules each, 20 resources a rule, each resource judged by ten rules.
#[tokio::test]
async fn a_large_organization_takes_the_calls_that_were_counted() {
    let size = Size { accounts: 200, rules: 150, resources: 20, shared_by: 10, ..Size::default() };
    let stand_in = ConfigStandIn::start(size).await;
    let home = place(0);
    stand_in.aggregate("all", &home);
    let api = reader(&stand_in, FAST).await;
    let organization = SdkAggregator::new(Arc::clone(&api), "all", home.clone());
    assert_eq!(aggregator::accounts(&organization).await.unwrap().len(), 200);
    assert_eq!(stand_in.count(&home, "DescribeAggregateComplianceByConfigRules"), 30);
    let mut found = 0;
    let account = Fleet::account(123);
    let end = aggregator::account(&organization, &account, &mut |_| found += 1).await.unwrap();
    assert_eq!((end.rules, end.by_name, found), (150, 0, end.rules + end.evaluations));
    assert_eq!(end.evaluations, known(&stand_in, &account).len() as u64);
    assert_eq!(stand_in.count(&home, "DescribeAggregateComplianceByConfigRules"), 31);
    assert_eq!(stand_in.count(&home, "SelectAggregateResourceConfig"), 3);
    let there = place(123);
    for rule in api.rules(&there).await.unwrap() {
        all(&api, &there, &rule.name).await.unwrap();
    }
    assert_eq!(counted(&api, &there).calls, 6 + 150, "the account itself, rule by rule");
}

/// Set for the process that reads its endpoints from its environment; then the rest of what it needs is there too.
const CHILD: &str = "CSPM_RELAY_TEST_CONFIG_API_CHILD";

/// One variable sends AWS Config to the stand-in, one STS; everything else goes where `AWS_ENDPOINT_URL` says.
#[tokio::test]
async fn the_endpoints_of_config_and_sts_are_taken_from_the_environment() {
    if setting(CHILD).is_some() {
        return child().await;
    }
    let Some(emulator) = emulator("ministack").await else { return };
    let queue = emulator.queue(crate::support::aws::QueueSettings::default()).await;
    let stand_in = ConfigStandIn::start(Size::default()).await;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "config_api::the_endpoints_of_config_and_sts_are_taken_from_the_environment", "--nocapture"])
        .env(CHILD, queue.url.as_str())
        .env("AWS_ENDPOINT_URL", &emulator.endpoint)
        .env("AWS_ENDPOINT_URL_CONFIG_SERVICE", stand_in.url())
        .env("AWS_ENDPOINT_URL_STS", stand_in.url())
        .envs([("AWS_REGION", REGION), ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")])
        .stdin(Stdio::null());
    let ended = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(ended.status.success(), "{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    let asked: Vec<_> = stand_in.calls().into_iter().map(|call| (call.place, call.operation, call.refused)).collect();
    assert_eq!(asked, [0, 1].map(|number| (place(number), "DescribeConfigRules".to_owned(), None)));
    assert_eq!(stand_in.taken().len(), 1);
}

/// What the other process does: asks AWS Config in its own account and in another, and SQS and S3 beside it.
async fn child() {
    let base = aws::load(None).await;
    let access = Access { own_account: OWN_ACCOUNT.into(), role: Role::parse("reader"), external_id: None, per_second: FAST };
    let api = SdkConfigApi::new(&base, access).await;
    for number in [0, 1] {
        assert_eq!(api.rules(&place(number)).await.unwrap().len(), 3);
    }
    let queue_url = setting(CHILD).unwrap();
    let asked = aws_sdk_sqs::Client::new(&base).get_queue_url().queue_name(queue_url.rsplit('/').next().unwrap()).send().await;
    asked.expect("SQS is where it was");
    aws::s3_client(&base).list_buckets().send().await.expect("S3 is where it was");
}
