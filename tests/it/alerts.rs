//! `alerts`: what New Relic is asked to tell people, from the binary: the list, one of them, what is wrong, both forms.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::support::agent::Agent;
use super::support::{setting, skip};

/// The conditions of this repository.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/nrql/conditions");

/// A copy of the conditions in which one text of a file is another.
fn changed(file: &str, from: &str, to: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for policy in std::fs::read_dir(SOURCE).expect("policies") {
        let policy = policy.expect("a policy").path();
        let copy = folder.path().join(policy.file_name().expect("a name"));
        std::fs::create_dir(&copy).expect("a folder");
        for entry in std::fs::read_dir(&policy).expect("a policy") {
            let path = entry.expect("an entry").path();
            let mut text = std::fs::read_to_string(&path).expect("text");
            if path.ends_with(file) {
                assert_eq!(text.matches(from).count(), 1, "`{from}` in {file}");
                text = text.replace(from, to);
            }
            std::fs::write(copy.join(path.file_name().expect("a name")), text).expect("written");
        }
    }
    folder
}

async fn linted(path: &Path) -> (Option<i32>, String) {
    let ended = Agent::new(["alerts", "lint"]).arg(path.to_string_lossy()).finish().await;
    assert_eq!(ended.stderr, "");
    (ended.status.code(), ended.stdout)
}

#[tokio::test]
async fn every_condition_is_listed_and_shown_with_its_reasons() {
    let ended = Agent::new(["alerts", "list", "--format", "json"]).finish().await;
    let list: Vec<Value> = serde_json::from_str(&ended.stdout).expect("JSON");
    assert!(list.len() >= 40, "{}", list.len());
    let of = |id: &str| list.iter().find(|condition| condition["id"] == id).expect("a condition").clone();
    // Ships enabled: lag, and what New Relic threw away.
    assert_eq!(["lag", "integration-errors", "root-used"].map(|id| of(id)["enabled"].clone()), [true, true, true]);
    let off: Vec<&Value> = list.iter().filter(|condition| condition["enabled"] == false).collect();
    assert!(
        !off.is_empty() && off.iter().all(|condition| condition["because"].as_str().is_some_and(|why| why.starts_with("Off: ")))
    );

    let table = Agent::new(["alerts", "list", "--lang", "ja"]).finish().await;
    assert_eq!(table.stdout.lines().count(), list.len() + 1);
    assert!(table.stdout.contains("root-used"), "{}", table.stdout);

    let shown = Agent::new(["alerts", "show", "failed-logins"]).finish().await;
    for part in [
        "opens        CRITICAL when failed sign-ins in 10 minutes: at least 20. WARNING when failed sign-ins in 10 minutes: at least 8.\n",
        "signal       window 600 s, slides by 60 s, EVENT_TIMER, timer 1200 s, gaps NONE\n",
        "threshold    CRITICAL ABOVE_OR_EQUALS 20: Two a minute for ten minutes is no person.\n",
        "case         the same over a day: opens nothing\n",
    ] {
        assert!(shown.stdout.contains(part), "{part}{}", shown.stdout);
    }
    let ended = Agent::new(["alerts", "show", "nothing"]).finish().await;
    assert_eq!(
        (ended.status.code(), &*ended.stderr),
        (Some(2), "error: no condition `nothing`\n  hint: `cspm-relay alerts list` has all of them\n")
    );
}

#[tokio::test]
async fn lint_tells_file_and_line_of_each_fault() {
    let built_in = Agent::new(["alerts", "lint"]).finish().await;
    assert_eq!(built_in.status.code(), Some(0), "{}", built_in.stdout);
    assert!(built_in.stdout.ends_with(" conditions: 0 findings\n"), "{}", built_in.stdout);
    assert_eq!(linted(Path::new(SOURCE)).await, (Some(0), built_in.stdout.clone()));
    // One policy, and one file of it.
    for path in ["relay-health", "relay-health/lag.yml"] {
        let (code, text) = linted(&Path::new(SOURCE).join(path)).await;
        assert_eq!((code, text.starts_with("1 policy, ")), (Some(0), true), "{text}");
    }

    for (file, from, to, want) in [
        (
            "detective/failed-logins.yml",
            "FACET aws.accountName AS",
            "FACET aws.acountName AS",
            "detective/failed-logins.yml:10: query: byte 86, at `aws.acountName AS accoun`: error[unknown-attribute]: `aws.acountName` is no attribute of AwsSecurityEvent; did you mean `aws.accountName`?",
        ),
        (
            "detective/failed-logins.yml",
            "timer: 1200",
            "timer: 300",
            "detective/failed-logins.yml:14: signal.timer: 300, and rows are up to 1200 s late (`lateness`): what comes after that is lost to the condition",
        ),
        (
            "relay-health/gaps.yml",
            "en: \"Gap: {{tag.kind}} in {{tag.source}}\"",
            "en: \"Gap: {{tag.kind}} in {{tag.bucket}}\"",
            "relay-health/gaps.yml:37: titleTemplate.en: `{{tag.bucket}}`: the query has no facet `bucket`; there are kind, source",
        ),
    ] {
        let folder = changed(file, from, to);
        let (code, text) = linted(folder.path()).await;
        assert_eq!(code, Some(1), "{text}");
        assert!(text.lines().any(|line| line.starts_with(want)), "{want}\n{text}");
    }

    let folder = changed("relay-health/gaps.yml", "responder: ", "respnder: ");
    let ended = Agent::new(["alerts", "lint", "--format", "json"]).arg(folder.path().to_string_lossy()).finish().await;
    let findings: Vec<Value> = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!((ended.status.code(), findings.len(), &findings[0]["file"]), (Some(1), 1, &"relay-health/gaps.yml".into()));
    assert!(findings[0]["line"].as_u64().is_some_and(|line| line > 1), "{}", findings[0]);

    let empty = tempfile::tempdir().expect("a folder");
    for (path, why) in
        [("/no/such/folder", "error: /no/such/folder: "), (&*empty.path().to_string_lossy(), "no conditions there\n  hint: ")]
    {
        let ended = Agent::new(["alerts", "lint"]).arg(path).finish().await;
        assert_eq!((ended.status.code(), ended.stderr.contains(why)), (Some(2), true), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn both_forms_are_printed_for_an_account_and_always_the_same() {
    let render = [
        "alerts",
        "render",
        "--account",
        "7654321",
        "--policy",
        "relay-health",
        "--dashboard-url",
        "https://one.newrelic.com/d/1",
    ];
    let nerdgraph = Agent::new(render).arg("--format").arg("nerdgraph").finish().await;
    assert_eq!((nerdgraph.status.code(), &*nerdgraph.stderr), (Some(0), ""));
    let document: Value = serde_json::from_str(&nerdgraph.stdout).expect("JSON");
    assert_eq!((&document["account"], document["policies"].as_array().map(Vec::len)), (&7_654_321.into(), Some(1)));
    let condition = &document["policies"][0]["conditions"][0]["condition"];
    assert_eq!(condition["nrql"]["dataAccountId"], 7_654_321);
    let text = condition["description"].as_str().expect("a text");
    assert!(text.contains("Dashboard, page Relay health: https://one.newrelic.com/d/1"), "{text}");

    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("alerts.tf");
    let ended = Agent::new(render).arg("--format").arg("terraform").arg("--out").arg(out.to_string_lossy()).finish().await;
    assert_eq!((ended.status.code(), &*ended.stdout), (Some(0), ""));
    let from_folder = Agent::new(render).arg("--format").arg("terraform").arg("--from").arg(SOURCE).finish().await;
    assert_eq!(std::fs::read_to_string(&out).expect("a file"), from_folder.stdout);

    for (wrong, why) in [
        (
            ["--policy", "health"],
            "error: no policy `health`; the policies are detective, findings, identity, preventive, relay-health\n",
        ),
        (["--dashboard-url", "one.newrelic.com"], "an address that begins with https:// is needed"),
        (["--account", "12a"], "invalid value '12a' for '--account <N>'"),
    ] {
        let render = ["alerts", "render", "--format", "terraform"];
        let mut agent = Agent::new(render).arg(wrong[0]).arg(wrong[1]);
        if wrong[0] != "--account" {
            agent = agent.arg("--account").arg("1");
        }
        let ended = agent.finish().await;
        assert_eq!((ended.status.code(), ended.stderr.contains(why)), (Some(2), true), "{}", ended.stderr);
    }
}

/// What a parser of Terraform's language reads of a text: resources by type and name.
fn parsed(hcl: &str) -> Option<Value> {
    let Some(python) = setting("CSPM_RELAY_TEST_HCL") else {
        skip("needs a parser of Terraform's language, and CSPM_RELAY_TEST_HCL is not set");
        return None;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/hcl_to_json.py");
    let mut command = Command::new(python);
    let mut run = command.args(["-B", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python runs");
    // It reads all before it writes.
    run.stdin.take().expect("its input").write_all(hcl.as_bytes()).expect("written");
    let ended = run.wait_with_output().expect("python ends");
    assert!(ended.status.success(), "no HCL");
    Some(serde_json::from_slice(&ended.stdout).expect("JSON"))
}

/// S2-31: Terraform reads the same of its form as New Relic's API is given: every policy, condition, text, number and tag.
#[tokio::test]
async fn terraform_reads_what_new_relic_is_given() {
    for lang in ["en", "ja"] {
        let render = ["alerts", "render", "--account", "7654321", "--lang", lang, "--format"];
        let hcl = Agent::new(render).arg("terraform").finish().await.stdout;
        let Some(resources) = parsed(&hcl) else { return };
        let json = Agent::new(render).arg("nerdgraph").finish().await.stdout;
        let document: Value = serde_json::from_str(&json).expect("JSON");
        let of = |kind: &str| resources[kind].as_object().unwrap_or_else(|| panic!("no {kind}"));
        let (policies, conditions, tags) =
            (of("newrelic_alert_policy"), of("newrelic_nrql_alert_condition"), of("newrelic_entity_tags"));
        let (mut given_policies, mut given) = (0, 0);
        for policy in document["policies"].as_array().expect("policies") {
            let key = policy["key"].as_str().expect("a key");
            let resource = format!("cspm_relay_{key}").replace('-', "_");
            assert_eq!(policies[&resource]["name"], policy["policy"]["name"], "{key}");
            assert_eq!(policies[&resource]["incident_preference"], policy["policy"]["incidentPreference"], "{key}");
            given_policies += 1;
            for entry in policy["conditions"].as_array().expect("conditions") {
                let (id, want) = (entry["key"].as_str().expect("an id"), &entry["condition"]);
                let name = format!("{resource}_{}", id.replace('-', "_"));
                let read = &conditions[&name];
                same(id, read, want);
                assert_eq!(read["policy_id"], format!("${{newrelic_alert_policy.{resource}.id}}"), "{id}");
                let tag = |tag: &Value| (tag["key"].to_string(), tag["values"].to_string());
                let all = |tags: &Value| tags.as_array().expect("tags").iter().map(tag).collect::<BTreeMap<_, _>>();
                assert_eq!(all(&tags[&name]["tag"]), all(&entry["tags"]), "{id}");
                given += 1;
            }
        }
        assert_eq!((policies.len(), conditions.len(), tags.len()), (given_policies, given, given));
        assert!(given > 70, "{given} conditions");
    }
}

/// A condition as Terraform reads it, and as New Relic's API is given it.
fn same(id: &str, read: &Value, want: &Value) {
    for (attribute, pointer) in [
        ("name", "/name"),
        ("enabled", "/enabled"),
        ("description", "/description"),
        ("title_template", "/titleTemplate"),
        ("runbook_url", "/runbookUrl"),
        ("aggregation_window", "/signal/aggregationWindow"),
        ("slide_by", "/signal/slideBy"),
        ("aggregation_timer", "/signal/aggregationTimer"),
        ("aggregation_delay", "/signal/aggregationDelay"),
        ("expiration_duration", "/expiration/expirationDuration"),
        ("open_violation_on_expiration", "/expiration/openViolationOnExpiration"),
        ("close_violations_on_expiration", "/expiration/closeViolationsOnExpiration"),
        ("violation_time_limit_seconds", "/violationTimeLimitSeconds"),
    ] {
        assert_eq!(&read[attribute], want.pointer(pointer).unwrap_or(&Value::Null), "{id}: {attribute}");
    }
    assert_eq!(read["nrql"][0]["query"], want["nrql"]["query"], "{id}");
    let terms = want["terms"].as_array().expect("terms");
    for term in terms {
        let block = &read[term["priority"].as_str().expect("a priority").to_lowercase()][0];
        assert_eq!(block["threshold"].as_f64(), term["threshold"].as_f64(), "{id}");
        assert_eq!(block["threshold_duration"], term["thresholdDuration"], "{id}");
        for (attribute, key) in [("operator", "operator"), ("threshold_occurrences", "thresholdOccurrences")] {
            assert_eq!(block[attribute], term[key].as_str().expect("a word").to_lowercase(), "{id}: {attribute}");
        }
    }
    let blocks = ["critical", "warning"].iter().filter(|priority| read[**priority].is_array()).count();
    assert_eq!(blocks, terms.len(), "{id}");
}
