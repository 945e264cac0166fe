//! Destinations, channels and workflows.

use super::*;

const DESTINATION: &str = "mutation($destination: AiNotificationsDestinationInput!) { aiNotificationsCreateDestination(accountId: 1, destination: $destination) {
    destination { id name type active properties { key value } } error { ...wrong } } } fragment wrong on AiNotificationsError { __typename
    ... on AiNotificationsResponseError { type description } ... on AiNotificationsDataValidationError { fields { field message } } }";
const CHANNEL: &str = "mutation($channel: AiNotificationsChannelInput!) { aiNotificationsCreateChannel(accountId: 1, channel: $channel) {
    channel { id destinationId type } error { ...wrong } } } fragment wrong on AiNotificationsError { __typename
    ... on AiNotificationsResponseError { type description } ... on AiNotificationsDataValidationError { fields { field message } } }";
const WORKFLOW: &str = "mutation($data: AiWorkflowsCreateWorkflowInput!) { aiWorkflowsCreateWorkflow(accountId: 1, createWorkflowData: $data) {
    workflow { id name workflowEnabled issuesFilter { name type predicates { attribute operator values } } destinationConfigurations { channelId name type notificationTriggers } }
    errors { type description } } }";

fn webhook(name: &str) -> Value {
    json!({ "name": name, "type": "WEBHOOK", "properties": [{ "key": "url", "value": "https://example.org/hook" }],
        "auth": { "type": "TOKEN", "token": { "prefix": "Bearer", "token": "secret" } } })
}

fn channel(destination: &Value) -> Value {
    json!({ "name": "hook", "type": "WEBHOOK", "destinationId": destination, "product": "IINT", "properties": [{ "key": "payload", "value": "{}" }] })
}

fn workflow(name: &str, channel: &Value) -> Value {
    json!({ "name": name, "mutingRulesHandling": "DONT_NOTIFY_FULLY_MUTED_ISSUES", "destinationConfigurations": [{ "channelId": channel, "notificationTriggers": ["ACTIVATED"] }],
        "issuesFilter": { "name": "f", "type": "FILTER", "predicates": [{ "attribute": "labels.policyIds", "operator": "EXACTLY_MATCHES", "values": ["1"] }] } })
}

async fn create(backend: &Backend, query: &str, name: &str, value: Value, what: &str) -> Value {
    let mut variables = json!({});
    variables[name] = value;
    let answer = ask(backend, query, variables).await;
    let result = answer["data"].as_object().and_then(|data| data.values().next().cloned()).unwrap_or_default();
    assert_ne!(result[what]["id"], Value::Null, "{answer}");
    result[what].clone()
}

#[tokio::test]
async fn a_workflow_goes_to_a_channel_of_a_destination_and_takes_it_along_when_it_goes() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    let destination = create(&backend, DESTINATION, "destination", webhook("Hook"), "destination").await;
    assert_eq!(
        destination,
        json!({ "id": "1", "name": "Hook", "type": "WEBHOOK", "active": true, "properties": [{ "key": "url", "value": "https://example.org/hook" }] })
    );
    let made = create(&backend, CHANNEL, "channel", channel(&destination["id"]), "channel").await;
    assert_eq!(made, json!({ "id": "2", "destinationId": "1", "type": "WEBHOOK" }));
    assert_eq!(
        create(&backend, WORKFLOW, "data", workflow("Pager", &made["id"]), "workflow").await,
        json!({ "id": "3", "name": "Pager", "workflowEnabled": true,
            "issuesFilter": { "name": "f", "type": "FILTER", "predicates": [{ "attribute": "labels.policyIds", "operator": "EXACTLY_MATCHES", "values": ["1"] }] },
            "destinationConfigurations": [{ "channelId": "2", "name": "hook", "type": "WEBHOOK", "notificationTriggers": ["ACTIVATED"] }] })
    );
    let update = "mutation { aiWorkflowsUpdateWorkflow(accountId: 1, updateWorkflowData: { id: 3, workflowEnabled: false }) { workflow { name workflowEnabled } errors { type } } }";
    assert_eq!(
        good(&backend, update, json!({}), "/aiWorkflowsUpdateWorkflow").await,
        json!({ "workflow": { "name": "Pager", "workflowEnabled": false }, "errors": [] })
    );
    let renamed = "mutation { aiNotificationsUpdateDestination(accountId: 1, destinationId: 1, destination: { name: \"Other\" }) { destination { name type } error { __typename } } }";
    assert_eq!(
        good(&backend, renamed, json!({}), "/aiNotificationsUpdateDestination").await,
        json!({ "destination": { "name": "Other", "type": "WEBHOOK" }, "error": null })
    );
    let list = "{ actor { account(id: 1) { aiNotifications { destinations(filters: { exactName: \"Other\" }) { totalCount entities { id } }
        channels(filters: { destinationId: 1 }) { entities { id } } } aiWorkflows { workflows(filters: { nameLike: \"page\", channelId: 2 }) { totalCount entities { id } } } } } }";
    assert_eq!(
        good(&backend, list, json!({}), "/actor/account").await,
        json!({ "aiNotifications": { "destinations": { "totalCount": 1, "entities": [{ "id": "1" }] }, "channels": { "entities": [{ "id": "2" }] } },
            "aiWorkflows": { "workflows": { "totalCount": 1, "entities": [{ "id": "3" }] } } })
    );
    let drop_channel = "mutation { aiNotificationsDeleteChannel(accountId: 1, channelId: 2) { ids error { type description } } }";
    let drop_destination =
        "mutation { aiNotificationsDeleteDestination(accountId: 1, destinationId: 1) { ids error { type description } } }";
    let in_use = |what: &str| json!({ "ids": null, "error": { "type": "ENTITY_IN_USE", "description": what } });
    assert_eq!(
        good(&backend, drop_channel, json!({}), "/aiNotificationsDeleteChannel").await,
        in_use("the channel 2 is used by a workflow")
    );
    assert_eq!(
        good(&backend, drop_destination, json!({}), "/aiNotificationsDeleteDestination").await,
        in_use("the destination 1 is used by a channel")
    );
    let delete = "mutation { aiWorkflowsDeleteWorkflow(accountId: 1, id: 3) { id errors { type description } } }";
    assert_eq!(good(&backend, delete, json!({}), "/aiWorkflowsDeleteWorkflow").await, json!({ "id": "3", "errors": [] }));
    assert_eq!(
        good(&backend, drop_channel, json!({}), "/aiNotificationsDeleteChannel/error/type").await,
        "INVALID_PARAMETER",
        "it went along"
    );
    assert_eq!(
        good(&backend, drop_destination, json!({}), "/aiNotificationsDeleteDestination").await,
        json!({ "ids": ["1"], "error": null })
    );
    assert_eq!(
        good(&backend, delete, json!({}), "/aiWorkflowsDeleteWorkflow").await,
        json!({ "id": null, "errors": [{ "type": "INVALID_PARAMETER", "description": "no workflow with id \"3\" in this account" }] })
    );
}

/// The secret half of a URL is never kept, but that there is one is.
#[tokio::test]
async fn a_destination_with_a_secret_url_is_renamed_without_it() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    let secret = json!({ "name": "Hook", "type": "WEBHOOK", "properties": [],
        "secureUrl": { "prefix": "https://example.org/", "secureSuffix": "s3cret" } });
    create(&backend, DESTINATION, "destination", secret, "destination").await;
    let update = "mutation($destination: AiNotificationsDestinationUpdate!) { aiNotificationsUpdateDestination(accountId: 1, destinationId: 1, destination: $destination) {
        destination { name active properties { key value } } error { ... on AiNotificationsDataValidationError { fields { field message } } } } }";
    for (change, name, active) in [
        (json!({ "name": "Other" }), "Other", true),
        (json!({ "active": false }), "Other", false),
        (json!({ "secureUrl": { "secureSuffix": "n3w" } }), "Other", false),
        (json!({ "name": "Again" }), "Again", false),
    ] {
        let result = good(&backend, update, json!({ "destination": change }), "/aiNotificationsUpdateDestination").await;
        let destination = json!({ "name": name, "active": active, "properties": [] });
        assert_eq!(result, json!({ "destination": destination, "error": null }), "{change}");
    }
    let bare = create(&backend, DESTINATION, "destination", webhook("Bare"), "destination").await;
    let emptied = update.replace("destinationId: 1", &format!("destinationId: {}", bare["id"].as_str().unwrap()));
    let found =
        good(&backend, &emptied, json!({ "destination": { "properties": [] } }), "/aiNotificationsUpdateDestination").await;
    assert_eq!(found["error"]["fields"], json!([{ "field": "properties", "message": "the property url is missing" }]));
}

#[tokio::test]
async fn what_a_destination_or_channel_lacks_is_named() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    let destination = create(&backend, DESTINATION, "destination", webhook("Hook"), "destination").await;
    let of = |kind: &str, properties: Value| json!({ "name": "N", "type": kind, "properties": properties });
    let fields = |wrong: &[(&str, &str)]| {
        let fields: Vec<Value> = wrong.iter().map(|(field, message)| json!({ "field": field, "message": message })).collect();
        json!({ "__typename": "AiNotificationsDataValidationError", "fields": fields })
    };
    let addresses = vec!["a@example.org"; 151].join(",");
    for (label, input, error) in [
        ("no address", of("EMAIL", json!([])), fields(&[("properties", "the property email is missing")])),
        (
            "too many",
            of("EMAIL", json!([{ "key": "email", "value": addresses }])),
            fields(&[("properties", "151 e-mail addresses, at most 150")]),
        ),
        (
            "no credentials",
            of("PAGERDUTY_SERVICE_INTEGRATION", json!([])),
            fields(&[("auth", "a destination of type PAGERDUTY_SERVICE_INTEGRATION needs other credentials")]),
        ),
        (
            "slack",
            of("SLACK", json!([])),
            json!({ "__typename": "AiNotificationsResponseError", "type": "OAUTH_NOT_SUPPORTED", "description": "a destination of type SLACK is made in a browser only" }),
        ),
    ] {
        assert_eq!(
            good(&backend, DESTINATION, json!({ "destination": input }), "/aiNotificationsCreateDestination/error").await,
            error,
            "{label}"
        );
    }
    let spoiled = |field: &str, value: Value| {
        let mut channel = channel(&destination["id"]);
        channel[field] = value;
        channel
    };
    for (label, input, error) in [
        ("no payload", spoiled("properties", json!([])), fields(&[("properties", "the property payload is missing")])),
        ("no name", spoiled("name", json!("")), fields(&[("name", "must not be empty")])),
        (
            "another kind",
            spoiled("type", json!("EMAIL")),
            fields(&[("type", "a channel of type EMAIL does not fit a destination of type WEBHOOK")]),
        ),
        (
            "no destination",
            spoiled("destinationId", json!("9")),
            json!({ "__typename": "AiNotificationsResponseError", "type": "INVALID_PARAMETER", "description": "no destination with id \"9\" in this account" }),
        ),
    ] {
        assert_eq!(
            good(&backend, CHANNEL, json!({ "channel": input }), "/aiNotificationsCreateChannel/error").await,
            error,
            "{label}"
        );
    }
}

#[tokio::test]
async fn what_a_workflow_lacks_is_named() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    let destination = create(&backend, DESTINATION, "destination", webhook("Hook"), "destination").await;
    let used = create(&backend, CHANNEL, "channel", channel(&destination["id"]), "channel").await["id"].clone();
    let free = create(&backend, CHANNEL, "channel", channel(&destination["id"]), "channel").await["id"].clone();
    create(&backend, WORKFLOW, "data", workflow("Taken", &used), "workflow").await;
    let spoiled = |path: &str, value: Value| {
        let mut data = workflow("New", &free);
        *data.pointer_mut(path).unwrap() = value;
        data
    };
    for (label, data, kind, description) in [
        ("name", workflow("Taken", &free), "DUPLICATE", "there is a workflow named \"Taken\""),
        ("channel of another", workflow("New", &used), "VALIDATION_ERROR", "the channel 2 belongs to another workflow"),
        ("no channel", workflow("New", &json!("9")), "CHANNEL_NOT_FOUND", "no channel with id \"9\" in this account"),
        ("no predicate", spoiled("/issuesFilter/predicates", json!([])), "INVALID_PARAMETER", "issuesFilter has no predicate"),
        (
            "no channels",
            spoiled("/destinationConfigurations", json!([])),
            "INVALID_PARAMETER",
            "destinationConfigurations is empty",
        ),
        (
            "never told",
            spoiled("/destinationConfigurations/0/notificationTriggers", json!(["CLOSED"])),
            "INVALID_PARAMETER",
            "the notificationTriggers of channel 3 lack ACTIVATED",
        ),
    ] {
        let result = good(&backend, WORKFLOW, json!({ "data": data }), "/aiWorkflowsCreateWorkflow").await;
        assert_eq!(result, json!({ "workflow": null, "errors": [{ "type": kind, "description": description }] }), "{label}");
    }
}
