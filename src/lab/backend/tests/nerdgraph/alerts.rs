//! Alerts: policies, conditions and muting rules, and every refusal.

use super::*;

const POLICY: &str = "mutation($id: Int!, $policy: AlertsPolicyInput!) { alertsPolicyCreate(accountId: $id, policy: $policy) { id accountId name incidentPreference } }";
const STATIC: &str = "mutation($id: Int!, $policy: ID!, $condition: AlertsNrqlConditionStaticInput!) {
    alertsNrqlConditionStaticCreate(accountId: $id, policyId: $policy, condition: $condition) { id entityGuid type } }";
const BASELINE: &str = "mutation($id: Int!, $policy: ID!, $condition: AlertsNrqlConditionBaselineInput!) {
    alertsNrqlConditionBaselineCreate(accountId: $id, policyId: $policy, condition: $condition) { id type baselineDirection signalSeasonality } }";
const UPDATE: &str = "mutation($id: Int!, $condition: ID!, $change: AlertsNrqlConditionUpdateStaticInput!) {
    alertsNrqlConditionStaticUpdate(accountId: $id, id: $condition, condition: $change) { name enabled nrql { query } } }";
const READ: &str = "query($id: Int!, $condition: ID!) { actor { account(id: $id) { alerts { nrqlCondition(id: $condition) {
    __typename id name enabled policyId type description titleTemplate runbookUrl violationTimeLimitSeconds createdAt updatedAt nrql { query dataAccountId }
    signal { aggregationWindow aggregationMethod aggregationDelay aggregationTimer slideBy fillOption fillValue }
    expiration { expirationDuration openViolationOnExpiration closeViolationsOnExpiration ignoreOnExpectedTermination }
    terms { priority operator threshold thresholdDuration thresholdOccurrences disableHealthStatusReporting } } } } } }";
const CONDITIONS: &str = "query($id: Int!, $criteria: AlertsNrqlConditionsSearchCriteriaInput, $cursor: String) { actor { account(id: $id) { alerts {
    nrqlConditionsSearch(searchCriteria: $criteria, cursor: $cursor) { totalCount nextCursor nrqlConditions { name ... on AlertsNrqlBaselineCondition { baselineDirection } } } } } } }";
const POLICIES: &str =
    "query($id: Int!, $criteria: AlertsPoliciesSearchCriteriaInput, $cursor: String) { actor { account(id: $id) { alerts {
    policiesSearch(searchCriteria: $criteria, cursor: $cursor) { totalCount nextCursor policies { id name } } } } } }";

/// The id of a new policy of account 1.
async fn policy(backend: &Backend, name: &str) -> String {
    let variables = json!({ "id": 1, "policy": { "name": name, "incidentPreference": "PER_CONDITION" } });
    good(backend, POLICY, variables, "/alertsPolicyCreate/id").await.as_str().unwrap().to_owned()
}

fn condition() -> Value {
    json!({ "name": "Root used", "enabled": true, "nrql": { "query": "SELECT count(*) FROM AwsSecurityNotice FACET aws.accountId" },
        "signal": { "aggregationWindow": 300, "aggregationMethod": "EVENT_TIMER", "aggregationTimer": 300, "fillOption": "STATIC", "fillValue": 0 },
        "terms": [{ "priority": "CRITICAL", "operator": "ABOVE", "threshold": 0, "thresholdDuration": 300, "thresholdOccurrences": "AT_LEAST_ONCE" }],
        "expiration": { "expirationDuration": 3600, "closeViolationsOnExpiration": true } })
}

fn baseline() -> Value {
    json!({ "name": "More than usual", "enabled": true, "baselineDirection": "UPPER_ONLY", "nrql": { "query": "SELECT count(*) FROM Log" },
        "terms": [{ "priority": "WARNING", "operator": "ABOVE", "threshold": 3, "thresholdDuration": 120, "thresholdOccurrences": "ALL" }] })
}

/// What is wrong with an input, by name and reason.
async fn wrong(backend: &Backend, query: &str, variables: Value, operation: &str) -> Vec<(String, String)> {
    let answer = ask(backend, query, variables).await;
    let error = &answer["errors"][0];
    assert_eq!(error["message"], "A downstream error occurred.", "{answer}");
    let said = &error["downstreamResponse"][0];
    assert_eq!(
        (&said["message"], &said["path"], &said["extensions"]["code"]),
        (&json!("Validation Error"), &json!([operation]), &json!("BAD_USER_INPUT"))
    );
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let errors = said["extensions"]["validationErrors"].as_array().unwrap();
    errors.iter().map(|error| (text(&error["name"]), text(&error["reason"]))).collect()
}

#[tokio::test]
async fn policies_are_made_changed_found_page_by_page_and_deleted_with_their_conditions() {
    let (backend, _) = fleet(NerdGraphSettings { alerts_page: 2, ..Default::default() }).await;
    let ids = [policy(&backend, "Alpha").await, policy(&backend, "Beta").await, policy(&backend, "alphabet").await];
    assert_eq!(ids, ["1", "2", "3"]);
    let search = async |criteria: Value, cursor: Value| {
        good(
            &backend,
            POLICIES,
            json!({ "id": 1, "criteria": criteria, "cursor": cursor }),
            "/actor/account/alerts/policiesSearch",
        )
        .await
    };
    assert_eq!(
        search(Value::Null, Value::Null).await,
        json!({ "totalCount": 3, "nextCursor": "after:2", "policies": [{ "id": "1", "name": "Alpha" }, { "id": "2", "name": "Beta" }] })
    );
    assert_eq!(
        search(Value::Null, json!("after:2")).await,
        json!({ "totalCount": 3, "nextCursor": null, "policies": [{ "id": "3", "name": "alphabet" }] })
    );
    for (criteria, found) in [
        (json!({ "name": "Alpha" }), json!([{ "id": "1", "name": "Alpha" }])),
        (json!({ "nameLike": "ALPHA" }), json!([{ "id": "1", "name": "Alpha" }, { "id": "3", "name": "alphabet" }])),
        (json!({ "ids": ["2", "7"] }), json!([{ "id": "2", "name": "Beta" }])),
    ] {
        assert_eq!(search(criteria.clone(), Value::Null).await["policies"], found, "{criteria}");
    }
    let update = "mutation { alertsPolicyUpdate(accountId: 1, id: 1, policy: { incidentPreference: PER_POLICY }) { name incidentPreference } }";
    assert_eq!(
        good(&backend, update, json!({}), "/alertsPolicyUpdate").await,
        json!({ "name": "Alpha", "incidentPreference": "PER_POLICY" })
    );
    let made =
        good(&backend, STATIC, json!({ "id": 1, "policy": "1", "condition": condition() }), "/alertsNrqlConditionStaticCreate")
            .await;
    let delete = "mutation { alertsPolicyDelete(accountId: 1, id: 1) { id } }";
    assert_eq!(good(&backend, delete, json!({}), "/alertsPolicyDelete").await, json!({ "id": "1" }));
    let gone = |what: &str, id: &str| ("NOT_FOUND".to_owned(), format!("Not Found: no {what} with id \"{id}\" in this account"));
    assert_eq!(refusal(&backend, delete, json!({})).await, gone("policy", "1"));
    assert_eq!(refusal(&backend, update, json!({})).await, gone("policy", "1"));
    assert_eq!(refusal(&backend, READ, json!({ "id": 1, "condition": made["id"] })).await, gone("condition", "4"));
    assert_eq!(
        refusal(&backend, STATIC, json!({ "id": 2, "policy": "2", "condition": condition() })).await,
        gone("policy", "2"),
        "of another account"
    );
    assert_eq!(
        refusal(&backend, "mutation { alertsPolicyDelete(accountId: 3, id: 2) { id } }", json!({})).await.0,
        "ACCESS_DENIED"
    );
    for name in [String::new(), "n".repeat(129)] {
        let variables = json!({ "id": 1, "policy": { "name": name, "incidentPreference": "PER_POLICY" } });
        let found = wrong(&backend, POLICY, variables, "policyCreate").await;
        assert_eq!(found, [("name".to_owned(), "length must be between 1 and 128".to_owned())]);
    }
}

#[tokio::test]
async fn a_query_that_new_relic_refuses_makes_no_condition() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    let policy = policy(&backend, "P").await;
    let long = format!("SELECT count(*) FROM T WHERE a IN ({})", vec!["'0123456789'"; 300].join(", "));
    let reasons = async |query: &str| {
        let mut condition = condition();
        condition["nrql"]["query"] = query.into();
        let variables = json!({ "id": 1, "policy": policy, "condition": condition });
        let found = wrong(&backend, STATIC, variables, "nrqlConditionStaticCreate").await;
        found.into_iter().map(|(name, reason)| format!("{name}: {reason}")).collect::<Vec<_>>()
    };
    let mut found = Vec::new();
    for query in [
        "SELECT count(*) FROM T WHERE foo(a) = 'x'",
        "SELECT sum(a, b, c) FROM T",
        "SELECT uniqueCount(a, precise: 3) FROM T",
        "SELECT count(*), a FROM T",
        &long,
    ] {
        found.extend(reasons(query).await);
    }
    assert_eq!(
        found,
        [
            "nrql.query: there is no function `foo`",
            "nrql.query: `sum` takes 1 argument, not 3",
            "nrql.query: `uniqueCount` has no argument `precise:`",
            "nrql.query: `a` is of one row, other items are of all",
            "nrql.query: a condition selects one number, not 2",
            "nrql.query: 4234 bytes; New Relic takes less than 4096",
        ]
    );
}

#[tokio::test]
async fn a_condition_is_read_back_whole_and_only_what_is_given_changes() {
    let (backend, clock) = fleet(NerdGraphSettings::default()).await;
    let policy = policy(&backend, "P").await;
    let made = good(
        &backend,
        STATIC,
        json!({ "id": 1, "policy": policy, "condition": condition() }),
        "/alertsNrqlConditionStaticCreate",
    )
    .await;
    // 1|AIOPS|CONDITION|2
    assert_eq!(made, json!({ "id": "2", "entityGuid": "MXxBSU9QU3xDT05ESVRJT058Mg", "type": "STATIC" }));
    let read = async || good(&backend, READ, json!({ "id": 1, "condition": "2" }), "/actor/account/alerts/nrqlCondition").await;
    let mut whole = json!({ "__typename": "AlertsNrqlStaticCondition", "id": "2", "name": "Root used", "enabled": true, "policyId": "1", "type": "STATIC",
        "description": null, "titleTemplate": null, "runbookUrl": null, "violationTimeLimitSeconds": 259_200, "createdAt": NOW, "updatedAt": NOW,
        "nrql": { "query": "SELECT count(*) FROM AwsSecurityNotice FACET aws.accountId", "dataAccountId": null },
        "signal": { "aggregationWindow": 300, "aggregationMethod": "EVENT_TIMER", "aggregationDelay": null, "aggregationTimer": 300, "slideBy": null, "fillOption": "STATIC", "fillValue": 0 },
        "expiration": { "expirationDuration": 3600, "openViolationOnExpiration": false, "closeViolationsOnExpiration": true, "ignoreOnExpectedTermination": false },
        "terms": [{ "priority": "CRITICAL", "operator": "ABOVE", "threshold": 0, "thresholdDuration": 300, "thresholdOccurrences": "AT_LEAST_ONCE", "disableHealthStatusReporting": false }] });
    assert_eq!(read().await, whole);
    clock.advance_to(NOW + 1);
    let change = json!({ "name": "Renamed", "nrql": { "dataAccountId": 2 }, "signal": { "aggregationWindow": 60 }, "runbookUrl": "https://example.org/x" });
    good(&backend, UPDATE, json!({ "id": 1, "condition": "2", "change": change }), "/alertsNrqlConditionStaticUpdate").await;
    whole["name"] = "Renamed".into();
    whole["updatedAt"] = (NOW + 1).into();
    whole["runbookUrl"] = "https://example.org/x".into();
    whole["nrql"]["dataAccountId"] = 2.into();
    whole["signal"] = json!({ "aggregationWindow": 60, "aggregationMethod": "EVENT_FLOW", "aggregationDelay": 120, "aggregationTimer": null, "slideBy": null, "fillOption": "NONE", "fillValue": null });
    assert_eq!(read().await, whole);
    let search = "{ actor { entitySearch(query: \"type = 'CONDITION'\") { results { entities { name } } } } }";
    assert_eq!(good(&backend, search, json!({}), "/actor/entitySearch/results/entities").await, json!([{ "name": "Renamed" }]));
    let delete = "mutation { alertsConditionDelete(accountId: 1, id: 2) { id } }";
    assert_eq!(good(&backend, delete, json!({}), "/alertsConditionDelete").await, json!({ "id": "2" }));
    assert_eq!(refusal(&backend, delete, json!({})).await.0, "NOT_FOUND");
    assert_eq!(good(&backend, search, json!({}), "/actor/entitySearch/results/entities").await, json!([]));
}

#[tokio::test]
async fn conditions_are_found_by_name_policy_query_and_operator_and_keep_their_kind() {
    let (backend, _) = fleet(NerdGraphSettings { alerts_page: 1, ..Default::default() }).await;
    let (one, two) = (policy(&backend, "One").await, policy(&backend, "Two").await);
    good(&backend, STATIC, json!({ "id": 1, "policy": one, "condition": condition() }), "/alertsNrqlConditionStaticCreate").await;
    assert_eq!(
        good(
            &backend,
            BASELINE,
            json!({ "id": 1, "policy": two, "condition": baseline() }),
            "/alertsNrqlConditionBaselineCreate"
        )
        .await,
        json!({ "id": "4", "type": "BASELINE", "baselineDirection": "UPPER_ONLY", "signalSeasonality": "NEW_RELIC_CALCULATION" })
    );
    let search = async |criteria: Value, cursor: Value| {
        good(
            &backend,
            CONDITIONS,
            json!({ "id": 1, "criteria": criteria, "cursor": cursor }),
            "/actor/account/alerts/nrqlConditionsSearch",
        )
        .await
    };
    let (root, more) = (json!({ "name": "Root used" }), json!({ "name": "More than usual", "baselineDirection": "UPPER_ONLY" }));
    assert_eq!(
        search(json!({}), Value::Null).await,
        json!({ "totalCount": 2, "nextCursor": "after:1", "nrqlConditions": [root] })
    );
    assert_eq!(
        search(json!({}), json!("after:1")).await,
        json!({ "totalCount": 2, "nextCursor": null, "nrqlConditions": [more] })
    );
    for (criteria, found) in [
        (json!({ "policyId": two }), json!([more])),
        (json!({ "nameLike": "root" }), json!([root])),
        (json!({ "name": "root used" }), json!([])),
        (json!({ "query": "SELECT count(*) FROM Log" }), json!([more])),
        (json!({ "queryLike": "awssecurity" }), json!([root])),
        (json!({ "termsOperator": "BELOW" }), json!([])),
    ] {
        assert_eq!(search(criteria.clone(), Value::Null).await["nrqlConditions"], found, "{criteria}");
    }
    let kept = refusal(&backend, UPDATE, json!({ "id": 1, "condition": "4", "change": { "name": "x" } })).await;
    assert_eq!(kept, ("NOT_FOUND".to_owned(), "Not Found: no STATIC condition with id \"4\" in this account".to_owned()));
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table of refusals")]
async fn every_range_and_combination_of_a_condition_is_kept_and_named() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    let policy = policy(&backend, "P").await;
    let term = |fields: Value| {
        let mut term = condition()["terms"][0].clone();
        term.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        term
    };
    let window = "must be a multiple of aggregationWindow";
    for (label, change, name, reason) in [
        ("name", json!({ "name": "" }), "name", "length must be between 1 and 128"),
        ("long name", json!({ "name": "n".repeat(129) }), "name", "length must be between 1 and 128"),
        ("description", json!({ "description": "d".repeat(4_001) }), "description", "length must be between 0 and 4000"),
        ("title", json!({ "titleTemplate": "t".repeat(257) }), "titleTemplate", "length must be between 0 and 256"),
        ("runbook", json!({ "runbookUrl": "ftp://x" }), "runbookUrl", "must be a valid URL"),
        (
            "time limit",
            json!({ "violationTimeLimitSeconds": 299 }),
            "violationTimeLimitSeconds",
            "must be between 300 and 2592000",
        ),
        ("no term", json!({ "terms": [] }), "terms", "must hold one or two terms"),
        (
            "three terms",
            json!({ "terms": [term(json!({})), term(json!({})), term(json!({}))] }),
            "terms",
            "must hold one or two terms",
        ),
        (
            "two critical",
            json!({ "terms": [term(json!({})), term(json!({}))] }),
            "terms[].priority",
            "must be CRITICAL for one and WARNING for the other",
        ),
        (
            "duration",
            json!({ "terms": [term(json!({ "thresholdDuration": 86_700 }))] }),
            "terms[].thresholdDuration",
            "must be between 60 and 86400",
        ),
        (
            "duration and window",
            json!({ "terms": [term(json!({ "thresholdDuration": 450 }))] }),
            "terms[].thresholdDuration",
            window,
        ),
        (
            "window",
            json!({ "signal": { "aggregationWindow": 29 }, "terms": [term(json!({ "thresholdDuration": 290 }))] }),
            "signal.aggregationWindow",
            "must be between 30 and 21600",
        ),
        (
            "flow delay",
            json!({ "signal": { "aggregationDelay": 1_201 } }),
            "signal.aggregationDelay",
            "must be between 0 and 1200",
        ),
        (
            "cadence delay",
            json!({ "signal": { "aggregationMethod": "CADENCE", "aggregationDelay": 3_601 } }),
            "signal.aggregationDelay",
            "must be between 0 and 3600",
        ),
        (
            "delay with a timer",
            json!({ "signal": { "aggregationMethod": "EVENT_TIMER", "aggregationDelay": 60 } }),
            "signal.aggregationDelay",
            "must not be set when aggregationMethod is EVENT_TIMER",
        ),
        (
            "timer",
            json!({ "signal": { "aggregationMethod": "EVENT_TIMER", "aggregationTimer": 1_201 } }),
            "signal.aggregationTimer",
            "must be between 0 and 1200",
        ),
        (
            "timer without its method",
            json!({ "signal": { "aggregationTimer": 60 } }),
            "signal.aggregationTimer",
            "must only be set when aggregationMethod is EVENT_TIMER",
        ),
        (
            "evaluation delay",
            json!({ "signal": { "evaluationDelay": 7_201 } }),
            "signal.evaluationDelay",
            "must be between 0 and 7200",
        ),
        (
            "static without a value",
            json!({ "signal": { "fillOption": "STATIC" } }),
            "signal.fillValue",
            "is required when fillOption is STATIC",
        ),
        (
            "a value for nothing",
            json!({ "signal": { "fillValue": 0 } }),
            "signal.fillValue",
            "must only be set when fillOption is STATIC",
        ),
        (
            "slide as wide",
            json!({ "signal": { "aggregationWindow": 60, "slideBy": 60 } }),
            "signal.slideBy",
            "must be at least 30 and less than aggregationWindow",
        ),
        (
            "slide no factor",
            json!({ "signal": { "aggregationWindow": 300, "slideBy": 40 } }),
            "signal.slideBy",
            "must be a factor of aggregationWindow",
        ),
        (
            "slide of a wide window",
            json!({ "signal": { "aggregationWindow": 10_800, "slideBy": 60 }, "terms": [term(json!({ "thresholdDuration": 10_800 }))] }),
            "signal.slideBy",
            "must be at least 450 and less than aggregationWindow",
        ),
        (
            "expiration",
            json!({ "expiration": { "expirationDuration": 29 } }),
            "expiration.expirationDuration",
            "must be between 30 and 172800",
        ),
        (
            "expiration without time",
            json!({ "expiration": { "openViolationOnExpiration": true } }),
            "expiration.expirationDuration",
            "is required when violations are opened or closed on expiration",
        ),
        (
            "account of another",
            json!({ "nrql": { "query": "SELECT count(*) FROM Log", "dataAccountId": 3 } }),
            "nrql.dataAccountId",
            "no such account, or no right to it",
        ),
        (
            "SINCE",
            json!({ "nrql": { "query": "SELECT count(*) FROM Log SINCE 1 hour ago" } }),
            "nrql.query",
            "SINCE in a condition",
        ),
        (
            "COMPARE WITH",
            json!({ "nrql": { "query": "SELECT count(*) FROM Log COMPARE WITH 1 day ago" } }),
            "nrql.query",
            "COMPARE WITH in a condition",
        ),
        (
            "LIMIT",
            json!({ "nrql": { "query": "SELECT count(*) FROM Log FACET a LIMIT 5" } }),
            "nrql.query",
            "LIMIT in a condition",
        ),
    ] {
        let mut condition = condition();
        condition.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let found =
            wrong(&backend, STATIC, json!({ "id": 1, "policy": policy, "condition": condition }), "nrqlConditionStaticCreate")
                .await;
        assert_eq!(found, [(name.to_owned(), reason.to_owned())], "{label}");
    }
    for query in ["SELEKT 1", "SELECT uniques(a) FROM Log", "SELECT count(*), max(a) FROM Log"] {
        let mut condition = condition();
        condition["nrql"]["query"] = query.into();
        let found =
            wrong(&backend, STATIC, json!({ "id": 1, "policy": policy, "condition": condition }), "nrqlConditionStaticCreate")
                .await;
        assert!(found.iter().all(|(name, _)| name == "nrql.query"), "{query}: {found:?}");
    }
    for (label, change, name, reason) in [
        ("deviations", json!({ "threshold": 0.5 }), "terms[].threshold", "must be between 1 and 1000"),
        ("short", json!({ "thresholdDuration": 60 }), "terms[].thresholdDuration", "must be between 120 and 86400"),
    ] {
        let mut condition = baseline();
        condition["terms"][0].as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let found = wrong(
            &backend,
            BASELINE,
            json!({ "id": 1, "policy": policy, "condition": condition }),
            "nrqlConditionBaselineCreate",
        )
        .await;
        assert_eq!(found, [(name.to_owned(), reason.to_owned())], "{label}");
    }
    let mut below = baseline();
    below["terms"][0]["operator"] = "BELOW".into();
    assert_eq!(
        refusal(&backend, BASELINE, json!({ "id": 1, "policy": policy, "condition": below })).await.1,
        "Argument \"condition\" has invalid value $condition.\nIn field \"operator\": Expected type \"AlertsNrqlDynamicConditionTermsOperator!\", found \"BELOW\"."
    );
    let made = good(
        &backend,
        STATIC,
        json!({ "id": 1, "policy": policy, "condition": condition() }),
        "/alertsNrqlConditionStaticCreate/id",
    )
    .await;
    let found = wrong(
        &backend,
        UPDATE,
        json!({ "id": 1, "condition": made, "change": { "signal": { "aggregationWindow": 90 } } }),
        "nrqlConditionStaticUpdate",
    )
    .await;
    assert_eq!(found, [("terms[].thresholdDuration".to_owned(), window.to_owned())], "the whole is judged");
}

#[tokio::test]
async fn muting_rules_are_made_changed_listed_and_deleted() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    let create = "mutation($rule: AlertsMutingRuleInput!) { alertsMutingRuleCreate(accountId: 1, rule: $rule) { id status condition { operator conditions { attribute operator values } } } }";
    let condition = |attribute: &str, operator: &str, values: Value| json!({ "operator": "AND", "conditions": [{ "attribute": attribute, "operator": operator, "values": values }] });
    let rule = |condition: Value| json!({ "name": "Sandbox", "enabled": true, "condition": condition });
    let tags = condition("tags.aws.accountId", "IN", json!(["111122223333"]));
    assert_eq!(
        good(&backend, create, json!({ "rule": rule(tags.clone()) }), "/alertsMutingRuleCreate").await,
        json!({ "id": "1", "status": "ACTIVE", "condition": tags })
    );
    let update = "mutation { alertsMutingRuleUpdate(accountId: 1, id: 1, rule: { enabled: false }) { name status } }";
    assert_eq!(
        good(&backend, update, json!({}), "/alertsMutingRuleUpdate").await,
        json!({ "name": "Sandbox", "status": "INACTIVE" })
    );
    for (enabled, found) in [(true, json!([])), (false, json!([{ "id": "1" }]))] {
        let list =
            format!("{{ actor {{ account(id: 1) {{ alerts {{ mutingRules(filter: {{ enabled: {enabled} }}) {{ id }} }} }} }} }}");
        assert_eq!(good(&backend, &list, json!({}), "/actor/account/alerts/mutingRules").await, found);
    }
    for (condition, name, reason) in [
        (json!({ "operator": "OR", "conditions": [] }), "condition.conditions", "must hold at least one condition"),
        (condition("policyName", "EQUALS", json!(["a", "b"])), "condition.conditions[].values", "must hold exactly one value"),
        (condition("policyName", "IS_BLANK", json!(["a"])), "condition.conditions[].values", "must be empty for this operator"),
        (condition("policyName", "NOT_IN", json!([])), "condition.conditions[].values", "must hold at least one value"),
        (
            condition("tags.", "EQUALS", json!(["a"])),
            "condition.conditions[].attribute",
            "\"tags.\" must be tags.<name> or one of accountId, conditionId, conditionName, conditionRunbookUrl, conditionType, entity.guid, nrqlEventType, nrqlQuery, policyId, policyName, product, targetId, targetName",
        ),
    ] {
        let found = wrong(&backend, create, json!({ "rule": rule(condition) }), "mutingRuleCreate").await;
        assert_eq!(found, [(name.to_owned(), reason.to_owned())]);
    }
    let delete = "mutation { alertsMutingRuleDelete(accountId: 1, id: 1) { id } }";
    assert_eq!(good(&backend, delete, json!({}), "/alertsMutingRuleDelete").await, json!({ "id": "1" }));
    assert_eq!(refusal(&backend, update, json!({})).await.0, "NOT_FOUND");
}
