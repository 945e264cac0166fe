//! Entities: found, marked, seen late.

use super::dashboards::{CREATE, dashboard};
use super::*;

const SEARCH: &str = "query($q: String, $cursor: String, $options: EntitySearchOptions) { actor { entitySearch(query: $q, options: $options) {
    count results(cursor: $cursor) { nextCursor entities { guid name type ... on DashboardEntityOutline { dashboardParentGuid } } } } } }";
const FOUND: &str = "/actor/entitySearch";
const TAG: &str = "mutation($guid: EntityGuid!, $tags: [TaggingTagInput!]!) { taggingAddTagsToEntity(guid: $guid, tags: $tags) { errors { type message } } }";
const REPLACE: &str = "mutation($guid: EntityGuid!, $tags: [TaggingTagInput!]!) { taggingReplaceTagsOnEntity(guid: $guid, tags: $tags) { errors { type message } } }";
const DELETE_KEYS: &str = "mutation($guid: EntityGuid!, $keys: [String!]!) { taggingDeleteTagFromEntity(guid: $guid, tagKeys: $keys) { errors { type message } } }";
const DELETE_VALUES: &str = "mutation($guid: EntityGuid!, $pairs: [TaggingTagValueInput!]!) { taggingDeleteTagValuesFromEntity(guid: $guid, tagValues: $pairs) { errors { type message } } }";
const TAGS: &str = "query($guid: EntityGuid!) { actor { entity(guid: $guid) { name tags { key values } } } }";

async fn created(backend: &Backend, account: u64, name: &str) -> String {
    let variables = json!({ "id": account, "dashboard": dashboard(name) });
    let guid = good(backend, CREATE, variables, "/dashboardCreate/entityResult/guid").await;
    guid.as_str().unwrap().to_owned()
}

async fn names(backend: &Backend, query: &str) -> Vec<String> {
    let found = good(backend, SEARCH, json!({ "q": query }), &format!("{FOUND}/results/entities")).await;
    found.as_array().unwrap().iter().map(|entity| entity["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn entities_are_found_by_type_name_account_and_tags() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    let (one, _two) = (created(&backend, 1, "Alpha").await, created(&backend, 2, "Beta's").await);
    let policy =
        "mutation { alertsPolicyCreate(accountId: 1, policy: { name: \"Pager\", incidentPreference: PER_POLICY }) { id } }";
    good(&backend, policy, json!({}), "/alertsPolicyCreate").await;
    let tags = json!([{ "key": "managedBy", "values": ["cspm-relay"] }, { "key": "pack id", "values": ["a", "b"] }]);
    assert_eq!(good(&backend, TAG, json!({ "guid": one, "tags": tags }), "/taggingAddTagsToEntity/errors").await, json!([]));
    for (query, wanted) in [
        ("type = 'DASHBOARD'", vec!["Alpha", "Alpha / One", "Beta's", "Beta's / One"]),
        ("type IN ('POLICY', 'CONDITION')", vec!["Pager"]),
        ("domain = 'AIOPS' AND type = 'POLICY'", vec!["Pager"]),
        ("name = 'Beta\\'s'", vec!["Beta's"]),
        ("name LIKE 'ALPHA'", vec!["Alpha", "Alpha / One"]),
        ("name LIKE 'a%one'", vec!["Alpha / One", "Beta's / One"]),
        ("name NOT LIKE 'one' AND type = 'DASHBOARD'", vec!["Alpha", "Beta's"]),
        ("accountId = 2", vec!["Beta's", "Beta's / One"]),
        ("tags.managedBy = 'cspm-relay'", vec!["Alpha"]),
        ("`tags.pack id` = 'b'", vec!["Alpha"]),
        ("type = 'DASHBOARD' AND tags.managedBy IS NULL", vec!["Alpha / One", "Beta's", "Beta's / One"]),
        ("type = 'DASHBOARD' AND NOT (tags.managedBy = 'cspm-relay' OR name LIKE '/')", vec!["Beta's"]),
        ("reporting = 'true' AND name != 'Alpha' AND domain != 'VIZ'", vec!["Pager"]),
        ("type = 'dashboard'", vec![]),
    ] {
        assert_eq!(names(&backend, query).await, wanted, "{query}");
    }
    let built = "{ actor { entitySearch(queryBuilder: { type: DASHBOARD, name: \"alpha\", tags: [{ key: \"pack id\", value: \"a\" }] }) { count query } } }";
    assert_eq!(
        good(&backend, built, json!({}), FOUND).await,
        json!({ "count": 1, "query": "type = 'DASHBOARD' AND name LIKE 'alpha' AND `tags.pack id` = 'a'" })
    );
    let parent = good(
        &backend,
        SEARCH,
        json!({ "q": "name = 'Alpha / One'" }),
        &format!("{FOUND}/results/entities/0/dashboardParentGuid"),
    )
    .await;
    assert_eq!(parent, one);
    let several = "query($guids: [EntityGuid]!) { actor { entities(guids: $guids) { name } } }";
    assert_eq!(
        good(&backend, several, json!({ "guids": [one, "none"] }), "/actor/entities").await,
        json!([{ "name": "Alpha" }, null])
    );
}

#[tokio::test]
async fn a_search_goes_from_page_to_page() {
    let (backend, _) = fleet(NerdGraphSettings { search_page: 3, ..Default::default() }).await;
    for name in ["A", "B"] {
        created(&backend, 1, name).await;
    }
    let page = async |cursor: Value, limit: Value| {
        let options = json!({ "limit": limit });
        let found =
            good(&backend, SEARCH, json!({ "q": "type = 'DASHBOARD'", "cursor": cursor, "options": options }), FOUND).await;
        let names: Vec<Value> =
            found["results"]["entities"].as_array().unwrap().iter().map(|entity| entity["name"].clone()).collect();
        (found["count"].clone(), Value::from(names), found["results"]["nextCursor"].clone())
    };
    assert_eq!(page(Value::Null, Value::Null).await, (json!(4), json!(["A", "A / One", "B"]), json!("after:3")));
    assert_eq!(page(json!("after:3"), Value::Null).await, (json!(4), json!(["B / One"]), Value::Null));
    assert_eq!(page(Value::Null, json!(1)).await, (json!(4), json!(["A"]), json!("after:1")));
    let wrong = refusal(&backend, SEARCH, json!({ "q": "type = 'DASHBOARD'", "cursor": "3" })).await;
    assert_eq!(wrong, ("BAD_USER_INPUT".to_owned(), "the cursor \"3\" is none that was given".to_owned()));
}

#[tokio::test]
async fn a_search_that_is_not_understood_is_refused() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    created(&backend, 1, "A").await;
    for (query, why) in [
        ("", "it is empty"),
        ("name", "only =, !=, LIKE, IN, IS NULL, AND, OR and NOT are known here"),
        ("colour = 'red'", "no attribute \"colour\" here"),
        ("name = 'A' LIMIT 1", "a condition is expected, and nothing behind it"),
        ("name = domain", "a constant is expected on the right"),
        ("'A' = name", "an attribute is expected on the left"),
        ("name > 'A'", "only =, !=, LIKE, IN, IS NULL, AND, OR and NOT are known here"),
    ] {
        let (class, message) = refusal(&backend, SEARCH, json!({ "q": query })).await;
        assert_eq!((class.as_str(), message), ("BAD_USER_INPUT", format!("Invalid entity search query: {why}")), "{query}");
    }
    for clause in [
        "SINCE 1 day ago",
        "UNTIL 1 day ago",
        "TIMESERIES",
        "ORDER BY name",
        "FACET name",
        "LIMIT MAX",
        "OFFSET 1",
        "COMPARE WITH 1 day ago",
        "WITH TIMEZONE 'Asia/Tokyo'",
        "EXTRAPOLATE",
        "RAW",
        "PREDICT",
        "WHERE name = 'B'",
    ] {
        let (class, message) = refusal(&backend, SEARCH, json!({ "q": format!("name = 'A' {clause}") })).await;
        assert_eq!(
            (class.as_str(), message.as_str()),
            ("BAD_USER_INPUT", "Invalid entity search query: a condition is expected, and nothing behind it"),
            "{clause}"
        );
    }
}

#[tokio::test]
async fn tags_are_added_replaced_and_deleted_but_never_those_of_new_relic() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    let guid = created(&backend, 1, "A").await;
    let own = |rest: Value| {
        let mut tags = json!([{ "key": "account", "values": ["Stand-in account"] }, { "key": "accountId", "values": ["1"] }]);
        tags.as_array_mut().unwrap().extend(rest.as_array().unwrap().clone());
        tags
    };
    for (label, change, variables, left) in [
        (
            "add",
            TAG,
            json!({ "tags": [{ "key": "team", "values": ["b", "a"] }] }),
            json!([{ "key": "team", "values": ["a", "b"] }]),
        ),
        (
            "add to",
            TAG,
            json!({ "tags": [{ "key": "team", "values": ["c"] }] }),
            json!([{ "key": "team", "values": ["a", "b", "c"] }]),
        ),
        (
            "delete a value",
            DELETE_VALUES,
            json!({ "pairs": [{ "key": "team", "value": "b" }] }),
            json!([{ "key": "team", "values": ["a", "c"] }]),
        ),
        (
            "replace",
            REPLACE,
            json!({ "tags": [{ "key": "x", "values": ["1"] }, { "key": "y", "values": ["2"] }] }),
            json!([{ "key": "x", "values": ["1"] }, { "key": "y", "values": ["2"] }]),
        ),
        (
            "delete the last value",
            DELETE_VALUES,
            json!({ "pairs": [{ "key": "x", "value": "1" }] }),
            json!([{ "key": "y", "values": ["2"] }]),
        ),
        ("delete a key", DELETE_KEYS, json!({ "keys": ["y", "never there"] }), json!([])),
    ] {
        let mut variables = variables;
        variables["guid"] = guid.as_str().into();
        let answer = ask(&backend, change, variables).await;
        let result = answer["data"].as_object().and_then(|data| data.values().next().cloned());
        assert_eq!(result, Some(json!({ "errors": [] })), "{label}");
        assert_eq!(good(&backend, TAGS, json!({ "guid": guid }), "/actor/entity/tags").await, own(left), "{label}");
    }
    let many: Vec<Value> = (0..99).map(|at| json!({ "key": format!("k{at}"), "values": ["v"] })).collect();
    for (label, change, variables, kind, message) in [
        (
            "own",
            TAG,
            json!({ "guid": guid, "tags": [{ "key": "accountId", "values": ["9"] }] }),
            "INVALID_KEY",
            "The tag key \"accountId\" is reserved".to_owned(),
        ),
        (
            "own, deleted",
            DELETE_KEYS,
            json!({ "guid": guid, "keys": ["account"] }),
            "INVALID_KEY",
            "The tag key \"account\" is reserved".to_owned(),
        ),
        (
            "no value",
            TAG,
            json!({ "guid": guid, "tags": [{ "key": "a" }] }),
            "INVALID_VALUE",
            "The tag \"a\" has no value".to_owned(),
        ),
        (
            "no key",
            TAG,
            json!({ "guid": guid, "tags": [{ "key": "", "values": ["v"] }] }),
            "INVALID_KEY",
            "The tag key \"\" must have 1 to 128 characters".to_owned(),
        ),
        (
            "long value",
            TAG,
            json!({ "guid": guid, "tags": [{ "key": "a", "values": ["v".repeat(257)] }] }),
            "INVALID_VALUE",
            format!("The value {:?} of the tag \"a\" must have 1 to 256 characters", "v".repeat(257)),
        ),
        ("too many", TAG, json!({ "guid": guid, "tags": many }), "TOO_MANY_TAG_KEYS", "101 tag keys, at most 100".to_owned()),
        (
            "nobody",
            TAG,
            json!({ "guid": "none", "tags": [] }),
            "NOT_FOUND",
            "The entity with guid \"none\" was not found".to_owned(),
        ),
    ] {
        let answer = ask(&backend, change, variables).await;
        let result = answer["data"].as_object().and_then(|data| data.values().next().cloned());
        assert_eq!(result, Some(json!({ "errors": [{ "type": kind, "message": message }] })), "{label}");
    }
    assert_eq!(good(&backend, TAGS, json!({ "guid": guid }), "/actor/entity/tags").await, own(json!([])), "nothing changed");
}

#[tokio::test]
async fn a_change_is_seen_only_after_the_delay_and_changes_in_between_add_up() {
    let (backend, clock) = fleet(NerdGraphSettings { entity_delay_ms: 5_000, ..Default::default() }).await;
    let guid = created(&backend, 1, "A").await;
    let read = async || good(&backend, TAGS, json!({ "guid": guid }), "/actor/entity").await;
    let tag = async |value: &str| {
        let tags = json!([{ "key": "t", "values": [value] }]);
        good(&backend, TAG, json!({ "guid": guid, "tags": tags }), "/taggingAddTagsToEntity/errors").await
    };
    assert_eq!(read().await, Value::Null);
    assert_eq!(names(&backend, "name LIKE 'A'").await, Vec::<String>::new());
    let unseen = json!([{ "type": "NOT_FOUND", "message": format!("The entity with guid {guid:?} was not found") }]);
    assert_eq!(tag("a").await, unseen, "what is not seen cannot be tagged");
    clock.advance_to(NOW + 4_999);
    assert_eq!(read().await, Value::Null);
    clock.advance_to(NOW + 5_000);
    assert_eq!(read().await["name"], "A");
    assert_eq!(names(&backend, "name LIKE 'A'").await, ["A", "A / One"]);
    assert_eq!((tag("a").await, tag("b").await), (json!([]), json!([])));
    assert_eq!(read().await["tags"].as_array().unwrap().len(), 2);
    clock.advance_to(NOW + 10_000);
    assert_eq!(read().await["tags"][2], json!({ "key": "t", "values": ["a", "b"] }));
    let delete = "mutation($guid: EntityGuid!) { dashboardDelete(guid: $guid) { status } }";
    assert_eq!(good(&backend, delete, json!({ "guid": guid }), "/dashboardDelete/status").await, "SUCCESS");
    assert_eq!(read().await["name"], "A", "not seen yet");
    clock.advance_to(NOW + 15_000);
    assert_eq!(read().await, Value::Null);
}
