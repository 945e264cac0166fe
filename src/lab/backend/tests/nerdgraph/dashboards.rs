//! Dashboards: made, read back, replaced, deleted, brought back, refused.

use super::*;

pub(super) const CREATE: &str =
    "mutation($id: Int!, $dashboard: DashboardInput!) { dashboardCreate(accountId: $id, dashboard: $dashboard) {
    entityResult { guid name accountId createdAt updatedAt pages { guid widgets { id } } } errors { type description } } }";
const UPDATE: &str =
    "mutation($guid: EntityGuid!, $dashboard: DashboardInput!) { dashboardUpdate(guid: $guid, dashboard: $dashboard) {
    entityResult { guid name updatedAt pages { guid widgets { id } } } errors { type description } } }";
const DELETE: &str = "mutation($guid: EntityGuid!) { dashboardDelete(guid: $guid) { status errors { type description } } }";
const UNDELETE: &str = "mutation($guid: EntityGuid!) { dashboardUndelete(guid: $guid) { errors { type description } } }";
const READ: &str = "query($guid: EntityGuid!) { actor { entity(guid: $guid) { __typename guid name accountId type domain permalink tags { key values }
    ... on DashboardEntity { description permissions createdAt updatedAt owner { email userId } variables { name type defaultValues { value { string } } options { ignoreTimeRange } }
      pages { guid name description widgets { id title layout { column row width height } visualization { id } rawConfiguration linkedEntities { guid name } } } } } } }";

/// A dashboard of one page with two widgets.
pub(super) fn dashboard(name: &str) -> Value {
    json!({ "name": name, "permissions": "PUBLIC_READ_ONLY", "description": null, "pages": [{ "name": "One", "widgets": [
        { "title": "Count", "visualization": { "id": "viz.billboard" }, "layout": { "column": 1, "row": 1, "width": 3, "height": 2 },
          "rawConfiguration": { "nrqlQueries": [{ "accountIds": [1], "query": "SELECT count(*) FROM Log WHERE a LIKE {{account}}" }], "thresholds": [] } },
        { "title": "Text", "visualization": { "id": "viz.markdown" }, "rawConfiguration": { "text": "# hi" } },
    ] }], "variables": [{ "name": "account", "type": "STRING", "defaultValues": [{ "value": { "string": "%" } }], "options": { "ignoreTimeRange": true } }] })
}

async fn created(backend: &Backend, dashboard: Value) -> Value {
    let result = good(backend, CREATE, json!({ "id": 1, "dashboard": dashboard }), "/dashboardCreate").await;
    assert_eq!(result["errors"], json!([]));
    result["entityResult"].clone()
}

#[tokio::test]
async fn a_dashboard_is_read_back_as_it_was_sent_with_ids_and_defaults() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    let made = created(&backend, dashboard("Mine")).await;
    // 1|VIZ|DASHBOARD|1
    assert_eq!(made["guid"], "MXxWSVp8REFTSEJPQVJEfDE");
    let entity = good(&backend, READ, json!({ "guid": made["guid"] }), "/actor/entity").await;
    let sent = dashboard("Mine");
    let widget = |at: usize| sent["pages"][0]["widgets"][at].clone();
    assert_eq!(
        entity,
        json!({
            "__typename": "DashboardEntity", "guid": made["guid"], "name": "Mine", "accountId": 1, "type": "DASHBOARD", "domain": "VIZ",
            "permalink": "https://one.newrelic.com/redirect/entity/MXxWSVp8REFTSEJPQVJEfDE",
            "tags": [{ "key": "account", "values": ["Stand-in account"] }, { "key": "accountId", "values": ["1"] }],
            "description": null, "permissions": "PUBLIC_READ_ONLY", "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
            "owner": { "email": "user@stand-in.invalid", "userId": 1 },
            "variables": [{ "name": "account", "type": "STRING", "defaultValues": [{ "value": { "string": "%" } }], "options": { "ignoreTimeRange": true } }],
            "pages": [{ "guid": made["pages"][0]["guid"], "name": "One", "description": null, "widgets": [
                { "id": "3", "title": "Count", "layout": widget(0)["layout"], "visualization": { "id": "viz.billboard" },
                  "rawConfiguration": widget(0)["rawConfiguration"], "linkedEntities": [] },
                { "id": "4", "title": "Text", "layout": { "column": 1, "row": 1, "width": 4, "height": 3 }, "visualization": { "id": "viz.markdown" },
                  "rawConfiguration": { "text": "# hi" }, "linkedEntities": [] },
            ] }],
        })
    );
}

#[tokio::test]
async fn an_update_replaces_all_and_keeps_the_ids_it_names() {
    let (backend, clock) = fleet(NerdGraphSettings::default()).await;
    let made = created(&backend, dashboard("Mine")).await;
    let (guid, page) = (made["guid"].clone(), made["pages"][0]["guid"].clone());
    clock.advance_to(NOW + 1_000);
    let mut next = dashboard("Renamed");
    next["pages"][0]["guid"] = page.clone();
    next["pages"][0]["widgets"][1]["id"] = "4".into();
    next["pages"][0]["widgets"][1]["linkedEntityGuids"] = json!([page]);
    next["pages"].as_array_mut().unwrap().push(json!({ "name": "Two", "widgets": [] }));
    let result = good(&backend, UPDATE, json!({ "guid": guid, "dashboard": next }), "/dashboardUpdate").await;
    assert_eq!(result["errors"], json!([]));
    let pages = result["entityResult"]["pages"].clone();
    assert_eq!((&pages[0]["guid"], &pages[0]["widgets"]), (&page, &json!([{ "id": "5" }, { "id": "4" }])));
    let entity = good(&backend, READ, json!({ "guid": guid }), "/actor/entity").await;
    assert_eq!(
        (&entity["name"], &entity["createdAt"], &entity["updatedAt"]),
        (&json!("Renamed"), &json!("2026-01-01T00:00:00Z"), &json!("2026-01-01T00:00:01Z"))
    );
    assert_eq!(entity["pages"][0]["widgets"][1]["linkedEntities"], json!([{ "guid": page, "name": "Renamed / One" }]));
    // A page that is not named goes.
    let result = good(&backend, UPDATE, json!({ "guid": guid, "dashboard": dashboard("Renamed") }), "/dashboardUpdate").await;
    assert_ne!(result["entityResult"]["pages"][0]["guid"], page);
    assert_eq!(good(&backend, READ, json!({ "guid": page }), "/actor/entity").await, Value::Null);
    for (label, spoil, fault) in [
        (
            "page",
            json!({ "pages": [{ "name": "One", "guid": page, "widgets": [] }] }),
            format!("Invalid page input: no page {} on this dashboard, or it is named twice", page.as_str().unwrap()),
        ),
        (
            "widget",
            json!({ "pages": [{ "name": "One", "widgets": [{ "id": "4", "visualization": { "id": "viz.markdown" }, "rawConfiguration": { "text": "" } }] }] }),
            "Invalid widget input: no widget 4 on this page, or it is named twice".to_owned(),
        ),
    ] {
        let mut next = dashboard("Renamed");
        next["pages"] = spoil["pages"].clone();
        let result = good(&backend, UPDATE, json!({ "guid": guid, "dashboard": next }), "/dashboardUpdate").await;
        assert_eq!(
            result,
            json!({ "entityResult": null, "errors": [{ "type": "INVALID_INPUT", "description": fault }] }),
            "{label}"
        );
    }
}

#[tokio::test]
async fn a_deleted_dashboard_is_gone_until_it_is_brought_back_without_its_tags() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    let made = created(&backend, dashboard("Mine")).await;
    let (guid, page) = (json!({ "guid": made["guid"] }), json!({ "guid": made["pages"][0]["guid"] }));
    let tag = "mutation($guid: EntityGuid!) { taggingAddTagsToEntity(guid: $guid, tags: [{ key: \"managedBy\", values: [\"me\"] }]) { errors { type } } }";
    assert_eq!(good(&backend, tag, guid.clone(), "/taggingAddTagsToEntity/errors").await, json!([]));
    assert_eq!(good(&backend, DELETE, guid.clone(), "/dashboardDelete").await, json!({ "status": "SUCCESS", "errors": [] }));
    for gone in [&guid, &page] {
        assert_eq!(good(&backend, READ, gone.clone(), "/actor/entity").await, Value::Null);
    }
    let text = made["guid"].as_str().unwrap();
    let not_found = json!([{ "type": "DASHBOARD_NOT_FOUND", "description": format!("Dashboard {text} not found") }]);
    assert_eq!(
        good(&backend, DELETE, guid.clone(), "/dashboardDelete").await,
        json!({ "status": "FAILURE", "errors": not_found })
    );
    let update = good(&backend, UPDATE, json!({ "guid": text, "dashboard": dashboard("Mine") }), "/dashboardUpdate/errors").await;
    assert_eq!(update, json!([{ "type": "INVALID_INPUT", "description": format!("Dashboard {text} not found") }]));
    assert_eq!(good(&backend, UNDELETE, guid.clone(), "/dashboardUndelete/errors").await, json!([]));
    let back = good(&backend, READ, guid.clone(), "/actor/entity").await;
    assert_eq!((&back["name"], back["tags"].as_array().unwrap().len()), (&json!("Mine"), 2));
    assert_eq!(good(&backend, READ, page, "/actor/entity/name").await, "Mine / One");
    assert_eq!(good(&backend, UNDELETE, guid, "/dashboardUndelete/errors").await, not_found, "it is not deleted");
}

/// Two entities each: the dashboard and its page.
#[tokio::test]
async fn only_what_is_there_takes_room_and_what_was_deleted_long_ago_is_gone_for_good() {
    let (backend, _) = fleet(NerdGraphSettings { entities: 4, ..Default::default() }).await;
    let full = |after: usize| {
        let description = format!("there would be {after} dashboards and pages, at most 4: delete some first");
        json!([{ "type": "INVALID_INPUT", "description": description }])
    };
    let create = async |name: &str| {
        let result = good(&backend, CREATE, json!({ "id": 1, "dashboard": dashboard(name) }), "/dashboardCreate").await;
        (result["entityResult"]["guid"].clone(), result["errors"].clone())
    };
    let update = async |guid: &Value, pages: usize| {
        let mut next = dashboard("Other");
        next["pages"] = (0..pages).map(|_| next["pages"][0].clone()).collect();
        good(&backend, UPDATE, json!({ "guid": guid, "dashboard": next }), "/dashboardUpdate/errors").await
    };
    let delete = async |guid: &Value| good(&backend, DELETE, json!({ "guid": guid }), "/dashboardDelete/status").await;
    let undelete = async |guid: &Value| good(&backend, UNDELETE, json!({ "guid": guid }), "/dashboardUndelete/errors").await;
    let none = json!([]);
    let ((one, _), (two, _)) = (create("One").await, create("Two").await);
    assert_eq!(create("Three").await, (Value::Null, full(6)));
    assert_eq!(update(&one, 2).await, full(5));
    assert_eq!(update(&one, 1).await, none, "one page for another");
    assert_eq!(delete(&two).await, "SUCCESS");
    let (three, errors) = create("Three").await;
    assert_eq!(errors, none, "what is deleted takes no room");
    assert_eq!(undelete(&two).await, full(6));
    assert_eq!((delete(&three).await, undelete(&two).await), (json!("SUCCESS"), none.clone()));
    assert_eq!((delete(&two).await, delete(&one).await), (json!("SUCCESS"), json!("SUCCESS")));
    let lost = format!("Dashboard {} not found", three.as_str().unwrap());
    assert_eq!(
        undelete(&three).await,
        json!([{ "type": "DASHBOARD_NOT_FOUND", "description": lost }]),
        "four others were deleted since"
    );
    assert_eq!((undelete(&two).await, undelete(&one).await), (none.clone(), none));
    assert_eq!(good(&backend, READ, json!({ "guid": one }), "/actor/entity/pages/0/name").await, "One");
}

#[tokio::test]
async fn dashboards_of_accounts_that_the_key_does_not_open_stay_as_they_are() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    let body = json!({ "query": CREATE, "variables": { "id": 3, "dashboard": dashboard("Theirs") } });
    let (_, theirs) = answer(by_another(&backend, &body)).await;
    let guid = theirs["data"]["dashboardCreate"]["entityResult"]["guid"].as_str().unwrap().to_owned();
    assert_eq!(good(&backend, READ, json!({ "guid": guid }), "/actor/entity").await, Value::Null);
    let forbidden =
        |what: &str| json!([{ "type": "FORBIDDEN_OPERATION", "description": format!("Not allowed to {what} dashboard {guid}") }]);
    assert_eq!(
        good(&backend, UPDATE, json!({ "guid": guid, "dashboard": dashboard("Mine") }), "/dashboardUpdate/errors").await,
        forbidden("change")
    );
    assert_eq!(good(&backend, DELETE, json!({ "guid": guid }), "/dashboardDelete/errors").await, forbidden("delete"));
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table of refusals")]
async fn every_limit_is_kept_and_named() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    let widget = |fields: Value| {
        let mut widget = json!({ "title": "W", "visualization": { "id": "viz.line" }, "layout": { "column": 1, "row": 1, "width": 4, "height": 3 },
            "rawConfiguration": { "nrqlQueries": [{ "accountId": 1, "query": "SELECT count(*) FROM Log" }] } });
        widget.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        widget
    };
    let query = |query: &str| json!({ "rawConfiguration": { "nrqlQueries": [{ "accountIds": ["1"], "query": query }] } });
    let with =
        |widgets: Vec<Value>| json!({ "name": "D", "permissions": "PRIVATE", "pages": [{ "name": "P", "widgets": widgets }] });
    let variable = |fields: Value| {
        let mut dashboard = with(vec![]);
        dashboard["variables"] = fields;
        dashboard
    };
    let long = format!("SELECT count(*) FROM Log WHERE a = '{}'", "x".repeat(4_096));
    let of_widget = |fault: &str| format!("Invalid widget input: {fault} (widget \"W\")");
    let of_variable = |fault: &str| format!("Invalid variable input: {fault} (variable \"v\")");
    let no_account = "nrql queries must provide either a valid 'accountId' or a list of 'accountIds'";
    for (label, dashboard, faults) in [
        (
            "no page",
            json!({ "name": "D", "permissions": "PRIVATE", "pages": [] }),
            vec!["Invalid dashboard input: 0 pages, expected 1 to 20".to_owned()],
        ),
        (
            "21 pages",
            json!({ "name": "D", "permissions": "PRIVATE", "pages": vec![json!({ "name": "P", "widgets": [] }); 21] }),
            vec!["Invalid dashboard input: 21 pages, expected 1 to 20".to_owned()],
        ),
        (
            "names",
            json!({ "name": "", "description": "d".repeat(1_025), "permissions": "PRIVATE", "pages": [{ "name": "n".repeat(256), "widgets": [] }] }),
            vec![
                "Invalid dashboard input: the name has 0 characters, expected 1 to 255".to_owned(),
                "Invalid dashboard input: the description has 1025 characters, at most 1024".to_owned(),
                "Invalid page input: the name has 256 characters, expected 1 to 255".to_owned(),
            ],
        ),
        (
            "101 widgets",
            with(vec![widget(json!({})); 101]),
            vec!["Invalid page input: 101 widgets on page \"P\", at most 100".to_owned()],
        ),
        ("100 widgets", with(vec![widget(json!({})); 100]), vec![]),
        (
            "title",
            with(vec![widget(json!({ "title": "日".repeat(256) }))]),
            vec![format!("Invalid widget input: the title has 256 characters, at most 255 (widget \"{}\")", "日".repeat(256))],
        ),
        ("title that fits", with(vec![widget(json!({ "title": "日".repeat(255) }))]), vec![]),
        (
            "layout",
            with(vec![widget(json!({ "layout": { "column": 13, "row": 0, "width": 0, "height": 13 } }))]),
            vec![
                of_widget("column is 13, expected 1 to 12"),
                of_widget("row is 0, expected 1 or more"),
                of_widget("width is 0, expected 1 to 12"),
                of_widget("height is 13, expected 1 to 12"),
            ],
        ),
        (
            "beyond the grid",
            with(vec![widget(json!({ "layout": { "column": 10, "row": 1, "width": 4, "height": 1 } }))]),
            vec![of_widget("column 10 and width 4 end beyond column 12")],
        ),
        (
            "custom visualization",
            with(vec![widget(json!({ "visualization": { "id": "my-pack.my-chart" }, "rawConfiguration": {} }))]),
            vec![],
        ),
        (
            "no configuration",
            with(vec![json!({ "title": "W", "visualization": { "id": "viz.pie" } })]),
            vec![of_widget("rawConfiguration is missing")],
        ),
        (
            "no query",
            with(vec![widget(json!({ "rawConfiguration": { "nrqlQueries": [] } }))]),
            vec![of_widget("nrqlQueries is missing or empty")],
        ),
        (
            "markdown",
            with(vec![widget(json!({ "visualization": { "id": "viz.markdown" } }))]),
            vec![of_widget("viz.markdown needs text")],
        ),
        (
            "21 queries",
            with(vec![widget(
                json!({ "rawConfiguration": { "nrqlQueries": vec![json!({ "accountId": 1, "query": "SELECT 1 FROM Log" }); 21] } }),
            )]),
            vec![of_widget("21 queries, at most 20")],
        ),
        (
            "account 0",
            with(vec![widget(
                json!({ "rawConfiguration": { "nrqlQueries": [{ "accountId": 0, "query": "SELECT count(*) FROM Log" }] } }),
            )]),
            vec![of_widget(no_account)],
        ),
        (
            "accountIds no list",
            with(vec![widget(
                json!({ "rawConfiguration": { "nrqlQueries": [{ "accountIds": 1, "query": "SELECT count(*) FROM Log" }] } }),
            )]),
            vec![of_widget(no_account)],
        ),
        (
            "long query",
            with(vec![widget(query(&long))]),
            vec![of_widget(&format!("the query has {} bytes, expected less than 4096", long.len()))],
        ),
        (
            "two links",
            with(vec![widget(json!({ "linkedEntityGuids": ["a", "b"] }))]),
            vec![
                of_widget("2 linked entities, at most 1"),
                "Invalid widget input: no dashboard page a to link to".to_owned(),
                "Invalid widget input: no dashboard page b to link to".to_owned(),
            ],
        ),
        (
            "variable twice",
            variable(json!([{ "name": "v", "type": "STRING" }, { "name": "v", "type": "STRING" }])),
            vec![of_variable("the name is used twice")],
        ),
        (
            "variable without query",
            variable(json!([{ "name": "v", "type": "NRQL" }])),
            vec![of_variable("a variable of type NRQL needs nrqlQuery")],
        ),
        (
            "variable without uniques",
            variable(
                json!([{ "name": "v", "type": "NRQL", "nrqlQuery": { "accountIds": [0], "query": "SELECT count(*) FROM Log" } }]),
            ),
            vec![
                of_variable("nrqlQuery needs the accountIds of at least one account"),
                of_variable("the query must select uniques()"),
            ],
        ),
        (
            "variable without items",
            variable(json!([{ "name": "v", "type": "ENUM" }])),
            vec![of_variable("a variable of type ENUM needs items")],
        ),
        (
            "variable's name",
            variable(json!([{ "name": "1v", "type": "STRING" }])),
            vec![
                "Invalid variable input: the name must be a letter, then letters, digits and underscores (variable \"1v\")"
                    .to_owned(),
            ],
        ),
    ] {
        let errors = good(&backend, CREATE, json!({ "id": 1, "dashboard": dashboard }), "/dashboardCreate/errors").await;
        let wanted: Vec<Value> = faults.iter().map(|fault| json!({ "type": "INVALID_INPUT", "description": fault })).collect();
        assert_eq!(errors, Value::from(wanted), "{label}");
    }
    let errors = good(&backend, CREATE, json!({ "id": 1, "dashboard": with(vec![widget(json!({ "visualization": { "id": "viz.donut" } })), widget(query("SELEKT 1"))]) }), "/dashboardCreate/errors").await;
    let text = |at: usize| errors[at]["description"].as_str().unwrap_or_default();
    assert!(
        text(0).starts_with("Invalid widget input: unknown visualization \"viz.donut\", expected one of infra.inventory, "),
        "{errors}"
    );
    assert!(text(1).starts_with("Invalid widget input: invalid NRQL: NRQL Syntax Error"), "{errors}");
}

#[tokio::test]
async fn inputs_that_the_schema_does_not_know_are_refused_before_anything_runs() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    let mut spoiled = dashboard("D");
    spoiled["guid"] = "x".into();
    spoiled["permissions"] = "PUBLIC".into();
    spoiled["pages"][0]["widgets"][0]["nrqlQueries"] = json!([]);
    assert_eq!(
        refusal(&backend, CREATE, json!({ "id": 1, "dashboard": spoiled })).await.1,
        "Argument \"dashboard\" has invalid value $dashboard.\nIn field \"guid\": Unknown field.\nIn field \"nrqlQueries\": Unknown field.\n\
         In field \"permissions\": Expected type \"DashboardPermissions!\", found \"PUBLIC\"."
    );
}

#[tokio::test]
async fn the_shipped_dashboards_are_taken_once_their_account_is_filled_in() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    for text in [include_str!("../../../../../dashboards/cspm.json"), include_str!("../../../../../dashboards/cspm.ja.json")] {
        let template: Value = serde_json::from_str(text).unwrap();
        let errors = good(&backend, CREATE, json!({ "id": 1, "dashboard": template.clone() }), "/dashboardCreate/errors").await;
        assert!(!errors.as_array().unwrap().is_empty(), "account 0 is a placeholder");
        let made = created(&backend, with_account(template)).await;
        assert_eq!(made["pages"].as_array().unwrap().len(), 9);
    }
}

/// Every account 0 becomes account 1.
fn with_account(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| match name.as_str() {
                "accountIds" => (name, json!([1])),
                "accountId" => (name, json!(1)),
                _ => (name, with_account(value)),
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(with_account).collect(),
        plain => plain,
    }
}
