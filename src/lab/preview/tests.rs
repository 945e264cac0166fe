//! Tests of the preview over HTTP: what it serves, whom it refuses, and that a mask leaves nothing.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::*;
use crate::nrql::ast::{Source, Statement};

const DASHBOARD: &str = include_str!("../../../tests/fixtures/preview/dashboard.json");
const DASHBOARD_JA: &str = include_str!("../../../tests/fixtures/preview/dashboard.ja.json");
const ANSWERS: &str = include_str!("../../../tests/fixtures/preview/answers.json");

/// Rows by the event type that a query is about.
struct MadeUp(Tree);

impl Answers for MadeUp {
    fn answer(&self, asked: &Asked) -> Result<String, Refusal> {
        let Statement::Select(query) = &asked.statement else { panic!("{}", asked.text) };
        let Some(Source::Type(name)) = query.from.first() else { panic!("{}", asked.text) };
        if name.text == "Refused" {
            let start = asked.text.find("TIMESERIES").unwrap();
            let message = "604800 buckets for 111122223333; allowed: 366".to_owned();
            return Err(Refusal { message, position: Some(Position { start, end: start + 19 }) });
        }
        Ok(serde_json::to_string(self.0.get(&name.text).unwrap()).unwrap())
    }

    fn knows(&self, _: &str, _: &str) -> bool {
        true
    }
}

async fn started(mask: Option<Mask>) -> Preview {
    started_with(mask, None).await
}

async fn started_with(mask: Option<Mask>, alerts: Option<Alerts>) -> Preview {
    let settings = Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        dashboards: vec![(Language::English, DASHBOARD.to_owned()), (Language::Japanese, DASHBOARD_JA.to_owned())],
        language: Language::Japanese,
        zones: Language::ALL.into_iter().map(|language| (language, "Asia/Tokyo".to_owned())).collect(),
        clock: Clock::fixed(1_795_788_000_000),
        live: None,
        mask: mask.map(Arc::new),
        alerts,
    };
    Preview::start(settings, Arc::new(MadeUp(serde_json::from_str(ANSWERS).unwrap()))).await.unwrap()
}

/// One request as it goes over the wire: status, head, body.
async fn send(preview: &Preview, request: String) -> (u16, String, String) {
    let address = preview.address;
    tokio::task::spawn_blocking(move || {
        let mut connection = TcpStream::connect(address).unwrap();
        let request = request.replace("HOST", &address.to_string());
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), body.to_owned())
    })
    .await
    .unwrap()
}

async fn get(preview: &Preview, path: &str) -> (u16, String, String) {
    send(preview, format!("GET {path} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n")).await
}

async fn ask(preview: &Preview, body: &str) -> (u16, Tree) {
    ask_at(preview, "/api/query", body).await
}

async fn ask_at(preview: &Preview, path: &str, body: &str) -> (u16, Tree) {
    let head = "Host: HOST\r\nConnection: close\r\nContent-Type: application/json\r\n";
    let request = format!("POST {path} HTTP/1.1\r\n{head}Content-Length: {}\r\n\r\n{body}", body.len());
    let (status, _, body) = send(preview, request).await;
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_the_page_with_its_parts_and_a_strict_policy() {
    let preview = started(None).await;
    let (status, head, page) = get(&preview, "/").await;
    assert_eq!(status, 200);
    assert!(
        head.contains("content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'"),
        "{head}"
    );
    assert!(!head.contains("unsafe"), "{head}");
    let parts: Vec<&str> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert_eq!(parts.len(), 8, "{page}");
    for path in parts {
        assert_eq!(get(&preview, path).await.0, 200, "{path}");
    }
    for (name, path, expected) in [
        ("a script", "/assets/draw/table.js", "text/javascript; charset=utf-8"),
        ("the library", "/assets/vendor/echarts-6.1.0.esm.min.mjs", "text/javascript; charset=utf-8"),
        ("no such file", "/assets/none.js", "application/json"),
        ("outside", "/assets/../mod.rs", "application/json"),
    ] {
        let (_, head, _) = get(&preview, path).await;
        assert!(head.contains(&format!("content-type: {expected}")), "{name}: {head}");
    }
}

#[test]
fn every_part_that_is_imported_is_embedded() {
    for asset in assets::ASSETS.iter().filter(|asset| !asset.name.starts_with("vendor/")) {
        let text = str::from_utf8(asset.bytes).unwrap();
        let folder = asset.name.rsplit_once('/').map_or("", |(folder, _)| folder);
        for line in text.lines().filter(|line| line.starts_with("import ")) {
            let from = line.rsplit('"').nth(1).unwrap();
            let path = match from.strip_prefix("../") {
                Some(above) => above.to_owned(),
                None => [folder, from.strip_prefix("./").unwrap()]
                    .iter()
                    .filter(|part| !part.is_empty())
                    .copied()
                    .collect::<Vec<_>>()
                    .join("/"),
            };
            assert!(assets::find(&path).is_some(), "{}: {line}", asset.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_others_and_what_is_too_large() {
    let preview = started(None).await;
    let post = |head: &str, body: &str| {
        format!("POST /api/query HTTP/1.1\r\nConnection: close\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    let large = format!(r#"{{"query":"{}"}}"#, "x".repeat(300_000));
    for (name, request, expected) in [
        ("another host", "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".to_owned(), 421),
        ("another origin", post("Host: HOST\r\nOrigin: http://evil.example\r\nContent-Type: application/json", "{}"), 403),
        ("a form", post("Host: HOST\r\nContent-Type: text/plain", "{}"), 415),
        ("no question", post("Host: HOST\r\nContent-Type: application/json", "{}"), 400),
        ("too large", post("Host: HOST\r\nContent-Type: application/json", &large), 413),
        ("another method", "DELETE /api/query HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n".to_owned(), 405),
        ("another path", "GET /etc HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n".to_owned(), 404),
        (
            "conditions of a preview without",
            "GET /api/alerts HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n".to_owned(),
            404,
        ),
        ("another language", "GET /api/dashboards?lang=xx HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n".to_owned(), 400),
    ] {
        assert_eq!(send(&preview, request).await.0, expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dashboards_come_in_the_language_asked_for() {
    let preview = started(None).await;
    for (name, path, language, title) in [
        ("as set", "/api/dashboards", "ja", "すべての可視化"),
        ("as asked", "/api/dashboards?lang=en", "en", "Every visualization"),
    ] {
        let answer: Tree = serde_json::from_str(&get(&preview, path).await.2).unwrap();
        assert_eq!(answer.get("lang").and_then(Tree::text), Some(language), "{name}");
        let dashboard: Tree = serde_json::from_str(answer.get("dashboards").unwrap().items()[0].text().unwrap()).unwrap();
        assert_eq!(dashboard.get("name").and_then(Tree::text), Some(title), "{name}");
        assert_eq!(
            (answer.get("zone").and_then(Tree::text), answer.get("masked")),
            (Some("Asia/Tokyo"), Some(&Tree::Bool(false))),
            "{name}"
        );
    }
    let names: Vec<&str> = preview.pages().iter().map(|page| page.name.as_str()).collect();
    assert_eq!(names, ["Numbers and tables", "Charts", "Texts and states", "数値と表", "グラフ", "テキストと状態"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_keep_their_order_and_say_what_can_filter() {
    let preview = started(None).await;
    let (status, answer) =
        ask(&preview, r#"{"query":"SELECT latest(b) AS 'Owner' FROM Violations FACET aws.accountName, lower(resource.arn)"}"#)
            .await;
    assert_eq!(status, 200);
    let Tree::Object(first) = &answer.get("results").unwrap().items()[0] else { panic!("{answer:?}") };
    let names: Vec<&str> = first.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["facet", "aws.accountName", "resource.arn", "Owner", "Since", "Annotation", "Fix"]);
    let about = answer.get("preview").unwrap();
    assert_eq!(about.get("facetAttributes").unwrap().items(), ["aws.accountName".into(), Tree::Null]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_query_says_where() {
    let preview = started(None).await;
    for (name, query, parts) in [
        ("by the parser", "SELECT count(*) FROM A WERE b", ["SELECT count(*) FROM A ", "WERE", " b"]),
        ("by the engine", "SELECT 'é' FROM Refused TIMESERIES 1 second", ["SELECT 'é' FROM Refused ", "TIMESERIES 1 second", ""]),
    ] {
        let (status, answer) = ask(&preview, &serde_json::json!({ "query": query }).to_string()).await;
        assert_eq!(status, 200, "{name}");
        let found: Vec<&str> = answer.get("parts").unwrap().items().iter().filter_map(Tree::text).collect();
        // The parser may take one more word for the fault.
        assert_eq!(found, parts, "{name}");
        assert!(answer.get("error").and_then(Tree::text).is_some_and(|error| !error.is_empty()), "{name}");
    }
}

/// Every query of the dashboard, and what it gets.
async fn everything(preview: &Preview) -> String {
    let mut all = String::new();
    for language in ["en", "ja"] {
        all += &get(preview, &format!("/api/dashboards?lang={language}")).await.2;
    }
    let dashboard: Tree = serde_json::from_str(DASHBOARD).unwrap();
    for widget in dashboard.get("pages").unwrap().items().iter().flat_map(|page| page.get("widgets").unwrap().items()) {
        let Some(queries) = widget.get("rawConfiguration").and_then(|raw| raw.get("nrqlQueries")) else { continue };
        for query in queries.items() {
            let body = serde_json::json!({
                "query": query.get("query").and_then(Tree::text),
                "variables": [{ "name": "account", "strategy": "STRING", "values": ["%"] }, { "name": "region", "strategy": "STRING", "values": ["eu-central-1"] }],
            });
            all += &serde_json::to_string(&ask(preview, &body.to_string()).await.1).unwrap();
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mask_leaves_nothing() {
    let secret = [
        "111122223333",
        "222233334444",
        "333344445555",
        "444455556666",
        "555566667777",
        "198.51.77.",
        "2600:1f18",
        "alice",
        "bob.sato",
        "ci-deploy",
        "yamada",
        "prod-payments",
        "prod-web",
        "log-archive",
        "AIDAJQABLZS4A3QDU576Q",
        "AKIAJKLMNOPQRSTUVWXY",
        "team-web",
    ];
    let open = everything(&started(None).await).await;
    for word in secret {
        assert!(open.contains(word), "the fixture does not hold {word}");
    }
    let masked = everything(&started(Some(Mask::new())).await).await;
    for word in secret {
        assert!(!masked.contains(word), "{word} is left");
    }
    let digits = regex::Regex::new("[0-9]+").unwrap();
    let ids: Vec<&str> =
        digits.find_iter(&masked).map(|found| found.as_str()).filter(|run| run.len() == 12 && !run.starts_with("0000")).collect();
    // An ingest limit in bytes is no id.
    assert_eq!(ids, ["100000000000", "100000000000"]);
    let addresses = regex::Regex::new(r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b").unwrap();
    let others: Vec<&str> = addresses
        .find_iter(&masked)
        .map(|found| found.as_str())
        .filter(|address| !["192.0.2.", "198.51.100.", "203.0.113."].iter().any(|range| address.starts_with(range)))
        .collect();
    assert_eq!(others, [] as [&str; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_mask_clicks_still_find_what_they_mean() {
    struct Echo;
    impl Answers for Echo {
        fn answer(&self, asked: &Asked) -> Result<String, Refusal> {
            Ok(serde_json::json!({ "results": [{ "actor.name": "alice", "aws.accountId": "111122223333", "asked": asked.statement.to_string() }] }).to_string())
        }

        fn knows(&self, _: &str, _: &str) -> bool {
            true
        }
    }
    let mask = Arc::new(Mask::with_key([3; 16]));
    let settings = Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        dashboards: vec![(Language::English, DASHBOARD.to_owned())],
        language: Language::English,
        zones: BTreeMap::new(),
        clock: Clock::fixed(0),
        live: None,
        mask: Some(Arc::clone(&mask)),
        alerts: None,
    };
    let preview = Preview::start(settings, Arc::new(Echo)).await.unwrap();
    let (_, first) = ask(&preview, r#"{"query":"SELECT actor.name, aws.accountId FROM A"}"#).await;
    let row = &first.get("results").unwrap().items()[0];
    let (name, account) = (row.get("actor.name").unwrap().text().unwrap(), row.get("aws.accountId").unwrap().text().unwrap());
    assert_ne!((name, account), ("alice", "111122223333"));
    let body = serde_json::json!({
        "query": "SELECT count(*) FROM A WHERE aws.accountId LIKE {{a}}",
        "variables": [{ "name": "a", "strategy": "STRING", "values": [account] }],
        "filters": [{ "attribute": "actor.name", "value": name }],
    });
    let (_, second) = ask(&preview, &body.to_string()).await;
    let asked = second.get("results").unwrap().items()[0].get("asked").unwrap().text().unwrap();
    assert_eq!(mask.original(asked), "SELECT count(*) FROM A WHERE aws.accountId LIKE '111122223333' WHERE actor.name = 'alice'");
    assert!(!asked.contains("alice"), "{asked}");
}

#[tokio::test]
async fn starts_on_this_machine_only() {
    let with = |listen: &str, dashboards: Vec<(Language, String)>| Settings {
        listen: listen.parse().unwrap(),
        dashboards,
        language: Language::English,
        zones: BTreeMap::new(),
        clock: Clock::fixed(0),
        live: None,
        mask: None,
        alerts: None,
    };
    for (name, settings, expected) in [
        (
            "every address",
            with("0.0.0.0:0", vec![]),
            "listening on 0.0.0.0:0: not an address of this machine; allowed: 127.0.0.1:PORT, [::1]:PORT",
        ),
        ("nothing to show", with("127.0.0.1:0", vec![]), "no dashboard to show; allowed: one or more for a language"),
        (
            "no JSON",
            with("127.0.0.1:0", vec![(Language::Japanese, "{".to_owned())]),
            "reading the ja dashboard: EOF while parsing an object at line 1 column 1",
        ),
    ] {
        let answers = Arc::new(MadeUp(Tree::Null));
        assert_eq!(Preview::start(settings, answers).await.unwrap_err().to_string(), expected, "{name}");
    }
}

/// The page Alerts comes after the dashboard's own; what leaves of it goes through the same guard and mask.
#[tokio::test(flavor = "multi_thread")]
async fn conditions_are_asked_for_as_queries_are() {
    let preview = started_with(Some(Mask::new()), Some(alerts::tests::made_up())).await;
    let english: Vec<&Page> = preview.pages().iter().filter(|page| page.language == Language::English).collect();
    assert_eq!(english.last().map(|page| (page.number, &*page.name)), Some((english.len() - 1, "Alerts")));
    let (status, head, body) = get(&preview, "/api/alerts?lang=ja").await;
    assert!(status == 200 && head.contains("content-security-policy: default-src 'none'"), "{head}");
    let definitions: Tree = serde_json::from_str(&body).unwrap();
    assert_eq!(definitions.get("policies").map(|policies| policies.items().len()), Some(1), "{body}");
    let range = r#""since":1700000000000,"until":1700086400000"#;
    for (name, path, question, status, told) in [
        ("a policy", "/api/alerts", format!(r#"{{"policy":"own",{range}}}"#), 200, "conditions"),
        ("no such policy", "/api/alerts", format!(r#"{{"policy":"none",{range}}}"#), 200, "error"),
        ("a condition", "/api/alert", format!(r#"{{"id":"own-one",{range}}}"#), 200, "incidents"),
        ("no such condition", "/api/alert", format!(r#"{{"id":"none",{range}}}"#), 200, "error"),
        ("no time", "/api/alert", r#"{"id":"own-one"}"#.to_owned(), 400, "error"),
        ("something else", "/api/alert", format!(r#"{{"id":"own-one","sql":1,{range}}}"#), 400, "error"),
    ] {
        let (answered, answer) = ask_at(&preview, path, &question).await;
        assert_eq!(answered, status, "{name}");
        assert!(answer.get(told).is_some(), "{name}: {answer:?}");
        assert!(!format!("{answer:?}").contains("payroll"), "{name}: {answer:?}");
    }
    let elsewhere = "POST /api/alert HTTP/1.1\r\nHost: HOST\r\nOrigin: http://evil.example\r\nConnection: close\r\n\
                     Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(send(&preview, elsewhere.to_owned()).await.0, 403);
}
