//! `dashboards`: what New Relic imports, from the binary: with accounts filled in, and what is wrong with a definition.

use std::path::Path;

use serde_json::Value;

use super::support::agent::Agent;

/// The definition of this repository.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/dashboards/source");

/// A copy of the definition in which one text of a file is another.
fn changed(file: &str, from: &str, to: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(SOURCE).expect("the definition") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_owned();
        let mut text = std::fs::read_to_string(&path).expect("text");
        if name == file {
            assert_eq!(text.matches(from).count(), 1, "`{from}` in {file}");
            text = text.replace(from, to);
        }
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

async fn linted(folder: &Path) -> (Option<i32>, String) {
    let ended = Agent::new(["dashboards", "lint"]).arg(folder.to_string_lossy()).finish().await;
    assert_eq!(ended.stderr, "");
    (ended.status.code(), ended.stdout)
}

#[tokio::test]
async fn a_dashboard_is_printed_for_the_accounts_that_are_named() {
    let render = ["dashboards", "render", "--account", "1234567,7654321", "--lang", "ja", "--page", "health"];
    let ended = Agent::new(render).finish().await;
    assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), ""));
    let page: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!((&page["name"], &page["variables"]), (&"稼働状況".into(), &Value::Array(vec![])));
    assert_eq!(ended.stdout.matches("1234567").count(), 16);
    assert_eq!(
        page["pages"][0]["widgets"][0]["rawConfiguration"]["nrqlQueries"][0]["accountIds"],
        serde_json::json!([1_234_567, 7_654_321])
    );

    let shipped = Agent::new(["dashboards", "render", "--account", "0"]).finish().await;
    assert_eq!(shipped.stdout, include_str!("../../dashboards/cspm.json"));

    for (wrong, why) in [
        (["--account", "12a"], "invalid value '12a' for '--account <N>'"),
        (["--page", "health"], "the following required arguments were not provided"),
    ] {
        let ended = Agent::new(["dashboards", "render"]).arg(wrong[0]).arg(wrong[1]).finish().await;
        assert_eq!((ended.status.code(), ended.stderr.contains(why)), (Some(2), true), "{}", ended.stderr);
    }
    let ended = Agent::new(["dashboards", "render", "--account", "1", "--page", "nine"]).finish().await;
    assert_eq!(
        (ended.status.code(), &*ended.stderr),
        (
            Some(2),
            "error: no page `nine`; the pages are overview, detective, preventive, findings, attack, frameworks, resources, identity, health\n"
        )
    );
}

#[tokio::test]
async fn every_widget_is_listed_with_its_question() {
    let ended = Agent::new(["dashboards", "list", "--lang", "ja", "--format", "json"]).finish().await;
    let widgets: Vec<Value> = serde_json::from_str(&ended.stdout).expect("JSON");
    let ids: Vec<&str> = widgets.iter().filter_map(|widget| widget["id"].as_str()).collect();
    assert_eq!((ids.len(), ids.first(), ids.last()), (108, Some(&"overview-months"), Some(&"health-runs")));
    assert_eq!(widgets[4]["question"], "準拠ルールと違反ルールの比率はどうか。");
    let table = Agent::new(["dashboards", "list"]).finish().await;
    assert_eq!(table.stdout.lines().count(), 109);
}

#[tokio::test]
async fn lint_tells_file_line_and_byte_of_each_fault() {
    let built_in = Agent::new(["dashboards", "lint"]).finish().await;
    assert_eq!((built_in.status.code(), &*built_in.stdout), (Some(0), "9 pages, 108 widgets: 0 findings\n"));
    assert_eq!(linted(Path::new(SOURCE)).await, (Some(0), "9 pages, 108 widgets: 0 findings\n".to_owned()));

    for (file, from, to, want) in [
        (
            "overview.yml",
            "layout: { column: 7, row: 1, width: 3, height: 4 }",
            "layout: { column: 6, row: 1, width: 3, height: 4 }",
            "overview.yml:27: overview-week: stands on `overview-months`: both take cells of columns 6 to 8 from row 1 on",
        ),
        (
            "overview.yml",
            "layout: { column: 10, row: 1, width: 3, height: 4 }",
            "layout: { column: 10, row: 1, width: 4, height: 4 }",
            "overview.yml:56: overview-percent: columns 10 to 13; a page has columns 1 to 12",
        ),
        (
            "overview.yml",
            "detection.primary = 'true' SINCE 1 week ago",
            "detection.primry = 'true' SINCE 1 week ago",
            "overview.yml:27: overview-week: query 1, byte 177, at `detection.primry = 'true`: error[unknown-attribute]: `detection.primry` is no attribute of AwsSecurityEvent; did you mean `detection.primary`?",
        ),
        (
            "overview.yml",
            "1 week ago COMPARE WITH",
            "1 week ago COMPARE",
            "overview.yml:27: overview-week: query 1, byte 229, at `1 week ago`: found `1`, expected `WITH`",
        ),
    ] {
        let folder = changed(file, from, to);
        assert_eq!(linted(folder.path()).await, (Some(1), format!("{want}\n9 pages, 108 widgets: 1 finding\n")));
    }

    let folder = changed("health.yml", "  - id: health-runs\n", "  - identity: health-runs\n");
    let ended = Agent::new(["dashboards", "lint"]).arg(folder.path().to_string_lossy()).finish().await;
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.starts_with("error: health.yml:") && ended.stderr.contains("identity"), "{}", ended.stderr);
    let ended = Agent::new(["dashboards", "lint", "/no/such/folder"]).finish().await;
    assert_eq!((ended.status.code(), ended.stderr.starts_with("error: /no/such/folder: ")), (Some(2), true), "{}", ended.stderr);
}
