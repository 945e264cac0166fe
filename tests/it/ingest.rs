//! `ingest sarif`: what a scanner of code says, as New Relic holds it, and what a pipeline is told.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use cspm_relay::lab::backend::{Api, Backend, BackendSettings};
use serde_json::{Value, json};

use crate::support::agent::{Agent, binary};
use crate::support::replay::{Replayed, assert_clean, finish, stand_in, tally, text};

/// A moment at which the scan of the fixtures that names its time is not late.
const NOW: &str = "2026-11-21T20:14:31Z";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sarif").join(name)
}

const FIXTURES: [(&str, u64, u64, u64); 6] = [
    // File, then how many of its results are sent, ignored, suppressed.
    ("baseline.sarif", 5, 2, 0),
    ("cfn-guard.sarif", 2, 0, 0),
    ("checkov.sarif", 2, 0, 1),
    ("kics.sarif", 1, 1, 0),
    ("semgrep.sarif", 2, 0, 0),
    ("trivy.sarif", 2, 0, 0),
];

fn ingest(files: &[PathBuf]) -> Agent {
    let agent = Agent::new(["ingest", "sarif", "--summary", "json"]).env("NO_COLOR", "1");
    files.iter().fold(agent, |agent, file| agent.arg(file.to_string_lossy()))
}

fn to(agent: Agent, backend: &Backend) -> Agent {
    agent.arg("--to").arg(backend.url())
}

async fn backend() -> Backend {
    stand_in(BackendSettings::default()).await
}

fn printed(ended: &Replayed) -> Vec<Value> {
    let mut rows = ended.events();
    for row in &mut rows {
        row.as_object_mut().expect("a row").remove("relay.version");
    }
    rows
}

/// S1-20: the files of five scanners become rows that New Relic accepts; every result is accounted for; nobody is woken; the same
/// files again have the same ids.
#[tokio::test]
async fn the_files_of_every_scanner_become_rows() {
    let backend = backend().await;
    let files: Vec<PathBuf> = FIXTURES.iter().map(|(name, ..)| fixture(name)).collect();
    let ended = finish(to(ingest(&files), &backend).arg("--account").arg("111122223333")).await;
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.summary, ended.stderr);
    ended.assert_adds_up();
    let sum = |of: fn(&(&str, u64, u64, u64)) -> u64| FIXTURES.iter().map(of).sum::<u64>();
    let want = [sum(|fixture| fixture.1), sum(|fixture| fixture.2), sum(|fixture| fixture.3), 0, 0];
    let names = ["records.delivered", "records.ignored", "records.suppressed", "records.unreadable", "records.returned"];
    assert_eq!(names.map(|name| ended.count(name)), want);
    assert_eq!(ended.summary["headline"], "complete; the counts add up");
    let rows = backend.store().rows("AwsSecurityFinding");
    assert_eq!(rows.len() as u64, want[0]);
    for row in &rows {
        for (name, value) in [("control.pillar", "IaC"), ("aws.accountId", "111122223333"), ("relay.source", "ingest")] {
            assert_eq!(row[name], value, "{row:?}");
        }
        assert!(!text(&row["code.file"]).starts_with('/'), "{row:?}");
    }
    let products = tally(rows.iter().map(|row| text(&row["finding.product"])));
    assert_eq!(products.len(), 6, "{products:?}");
    assert_eq!(backend.store().rows("AwsSecurityNotice").len(), 0);
    assert_clean(&backend);

    let ids = |rows: &[serde_json::Map<String, Value>]| rows.iter().map(|row| text(&row["event.id"])).collect::<BTreeSet<_>>();
    let first = ids(&rows);
    assert_eq!(first.len(), rows.len());
    let again = finish(to(ingest(&files), &backend).arg("--account").arg("111122223333")).await;
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert_eq!(ids(&backend.store().rows("AwsSecurityFinding")), first, "doubles are seen by their id");
}

/// The whole rows of each scanner, frozen.
#[tokio::test]
async fn the_rows_of_each_scanner() {
    for (name, delivered, ..) in FIXTURES {
        let ended = finish(ingest(&[fixture(name)]).arg("--to").arg("stdout").arg("--now").arg(NOW)).await;
        assert_eq!(ended.code, Some(0), "{name}: {}", ended.stderr);
        let rows = printed(&ended);
        assert_eq!(rows.len() as u64, delivered, "{name}");
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../golden");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let name = format!("sarif_{}", name.trim_end_matches(".sarif").replace('-', "_"));
        settings.bind(|| insta::assert_json_snapshot!(name, rows));
    }
}

#[tokio::test]
async fn standard_input_and_packed_files_are_read_alike() {
    let whole = finish(ingest(&[fixture("semgrep.sarif")]).arg("--to").arg("stdout").arg("--now").arg(NOW)).await;
    let agent = Agent::new(["-c"]).program("/bin/sh").env("NO_COLOR", "1");
    let script = "gzip -c \"$1\" | \"$0\" ingest sarif --summary json --to stdout --now \"$2\" -";
    let agent = agent.arg(script).arg(binary().to_string_lossy()).arg(fixture("semgrep.sarif").to_string_lossy()).arg(NOW);
    let piped = finish(agent).await;
    assert_eq!((whole.code, piped.code), (Some(0), Some(0)), "{}", piped.stderr);
    assert_eq!(whole.stdout, piped.stdout);
    // What is held is bounded.
    let big = format!(r#"{{"version":"2.1.0","x":"{}","runs":[]}}"#, "x".repeat(100_000));
    let agent = Agent::new(["-c"]).program("/bin/sh").env("NO_COLOR", "1").env("CSPM_RELAY_OBJECT_BYTES", "64000");
    let file = agent.file("big.sarif", &big);
    let script = "cat \"$1\" | \"$0\" ingest sarif --to stdout -";
    let refused = agent.arg(script).arg(binary().to_string_lossy()).arg(file.to_string_lossy()).finish().await;
    assert_eq!(refused.status.code(), Some(3));
    assert!(refused.stderr.contains("error: stdin: more than limits.objectBytes (64000) through a pipe"), "{}", refused.stderr);
}

/// A file that is not what it should be is told with its name and place, and what is good is delivered all the same.
#[tokio::test]
async fn what_cannot_be_read_is_told_and_the_rest_arrives() {
    let head = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"T"}},"results":["#;
    let good = |number: u32| format!(r#"{{"ruleId":"R","message":{{"text":"m{number}"}}}}"#);
    let long = "x".repeat(20_000);
    let utf16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (one, two) = (good(1), good(2));
    let no_rule = format!(r#"{head}{one},{{"message":{{}}}},{two}]}}]}}"#);
    let cut = format!("{head}{one},{two},{{\"ru");
    let cut_at = cut.len();
    let bytes = |text: &str| text.as_bytes().to_vec();
    for (name, file, rows, unreadable, says) in [
        ("text", bytes("Passed checks: 3\n"), 0, 0, "scan.sarif: not SARIF 2.1.0: not a JSON object".to_owned()),
        (
            "a trail",
            bytes(r#"{"Records":[]}"#),
            0,
            0,
            "scan.sarif: not SARIF 2.1.0: a JSON object without a list \"runs\"".to_owned(),
        ),
        (
            "version 1",
            bytes(r#"{"version":"1.0.0","runs":[]}"#),
            0,
            0,
            "scan.sarif: not SARIF 2.1.0: version \"1.0.0\"".to_owned(),
        ),
        ("UTF-16", utf16, 0, 0, "scan.sarif: not SARIF 2.1.0: it is UTF-16".to_owned()),
        ("empty", Vec::new(), 0, 0, "scan.sarif: not SARIF 2.1.0: it is empty".to_owned()),
        (
            "cut",
            bytes(&cut),
            2,
            0,
            format!("scan.sarif: truncated or corrupt: ends at byte {cut_at}, in the middle of the document; 2 results before"),
        ),
        ("no rule", bytes(&no_rule), 2, 1, "runs[0].results[1]: not a finding (sarif): ruleId (or rule.id".to_owned()),
        (
            "too long",
            bytes(&format!(r#"{head}{{"ruleId":"{long}"}},{one}]}}]}}"#)),
            1,
            1,
            "runs[0].results[0]: longer than limits.recordBytes (16000)".to_owned(),
        ),
        ("wrong types", bytes(&format!(r#"{head}7,[],"x",{one}]}}]}}"#)), 1, 3, "runs[0].results[2]: not a finding".to_owned()),
        ("no list", bytes(r#"{"version":"2.1.0","runs":[{"results":"none"}]}"#), 0, 1, "runs[0].results is no list".to_owned()),
        (
            "an unknown word",
            bytes(&format!(r#"{head}{{"ruleId":"R","kind":"bad"}},{one}]}}]}}"#)),
            1,
            1,
            "kind is \"bad\"".to_owned(),
        ),
    ] {
        let backend = backend().await;
        let agent = Agent::new(["ingest", "sarif", "--summary", "json"]).env("NO_COLOR", "1");
        let agent = agent.env("CSPM_RELAY_RECORD_BYTES", "16000");
        let path = agent.file("scan.sarif", "");
        std::fs::write(&path, &file).expect("a temporary file");
        let ended = finish(to(agent.arg(path.to_string_lossy()), &backend)).await;
        assert_eq!(ended.code, Some(3), "{name}: {}", ended.stderr);
        ended.assert_adds_up();
        assert!(ended.stderr.contains(&says), "{name}: {}", ended.stderr);
        assert_eq!(ended.count("records.unreadable"), unreadable, "{name}");
        assert_eq!(backend.store().rows("AwsSecurityFinding").len(), rows, "{name}");
        assert_eq!(backend.store().rows("CspmRelayGap").len(), 0, "{name}: a scan is no gap in what AWS says");
        assert!(!text(&ended.summary["headline"]).contains("complete"), "{name}");
        assert_clean(&backend);
    }
}

/// A byte order mark, a run without a result and a file without a run are whole.
#[tokio::test]
async fn a_scan_that_found_nothing_is_complete() {
    for file in [
        "\u{feff}{\"version\":\"2.1.0\",\"runs\":[]}",
        r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"T"}},"results":[]}]}"#,
    ] {
        let agent = ingest(&[]);
        let path = agent.file("scan.sarif", file);
        let ended = finish(agent.arg(path.to_string_lossy()).arg("--to").arg("stdout")).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{}", ended.stderr);
        assert_eq!(ended.summary["headline"], "complete; the counts add up");
    }
}

#[tokio::test]
async fn wrong_usage_is_told_before_anything_is_read() {
    let checkov = fixture("checkov.sarif");
    for (arguments, says) in [
        (vec!["no-such-file"], "reading no-such-file: No such file"),
        (vec!["s3://bucket/key"], "reading s3://bucket/key: not a file"),
        (vec!["/"], "reading /: a folder"),
        (vec!["--account", "prod", "-"], "--account \"prod\": not an account"),
        (vec!["--to", "nowhere", "-"], "--to \"nowhere\": not a target"),
        (vec!["--now", "soon", "--to", "stdout", "-"], "--now \"soon\": not a time"),
        (vec![], "required arguments were not provided"),
    ] {
        let agent = arguments.iter().fold(Agent::new(["ingest", "sarif"]), |agent, argument| agent.arg(*argument));
        let ended = agent.finish().await;
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(says), "{arguments:?}: {}", ended.stderr);
    }
    // Without a key there is no New Relic to send to, and that is the default.
    let ended = Agent::new(["ingest", "sarif"]).arg(checkov.to_string_lossy()).finish().await;
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("newrelic.licenseKey"), "{}", ended.stderr);
}

/// What New Relic refuses is counted and told; a refused key sends nothing.
#[tokio::test]
async fn a_refusal_is_no_success() {
    let backend = backend().await;
    backend.poison(Api::Events, "CKV_AWS_18", 400);
    let ended = finish(to(ingest(&[fixture("checkov.sarif"), fixture("trivy.sarif")]), &backend)).await;
    ended.assert_adds_up();
    assert_eq!(
        (ended.code, ended.count("records.delivered"), ended.count("records.returned")),
        (Some(3), 2, 2),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("error: 2 results not sent: no answer, or refused"), "{}", ended.stderr);
    // With a place for them they are kept there.
    let agent = ingest(&[fixture("checkov.sarif")]);
    let letters = agent.file("x", "").with_file_name("letters");
    let ended = finish(to(agent.env("CSPM_RELAY_DEAD_LETTERS", letters.to_string_lossy()), &backend)).await;
    assert_eq!((ended.code, ended.count("records.rejected")), (Some(3), 2), "{}", ended.stderr);
    backend.poison(Api::Events, "", 400);
    let agent = Agent::new(["ingest", "sarif", "--summary", "json"]).new_relic(&backend.url()).env("NO_COLOR", "1");
    let ended = finish(agent.env("NEW_RELIC_LICENSE_KEY", "f".repeat(40)).arg(fixture("checkov.sarif").to_string_lossy())).await;
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("error: New Relic accepted nothing"), "{}", ended.stderr);
    assert_eq!(ended.count("records.returned"), 2);
}

/// A file that is larger than the memory that reading it takes.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_is_never_held() {
    const RESULTS: usize = 4_000;
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let path = folder.path().join("large.sarif");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).expect("a file"));
    file.write_all(br#"{"version":"2.1.0","runs":[{"results":["#).expect("written");
    let snippet = "x".repeat(50_000);
    for number in 0..RESULTS {
        let kind = if number + 10 < RESULTS { "pass" } else { "fail" };
        let result = json!({ "ruleId": "R", "kind": kind, "message": { "text": format!("m{number}") }, "x": snippet });
        write!(file, "{}{result}", if number == 0 { "" } else { "," }).expect("written");
    }
    file.write_all(br#"],"tool":{"driver":{"name":"T"}}}]}"#).expect("written");
    file.flush().expect("written");
    drop(file);
    let bytes = std::fs::metadata(&path).expect("a file").len();
    assert!(bytes > 190_000_000, "{bytes}");

    let backend = backend().await;
    let mut hold = backend.hold(Api::Events);
    let agent = to(ingest(std::slice::from_ref(&path)), &backend).start();
    // All that fails stands at the end: with the first request everything has been read.
    let request =
        tokio::time::timeout(std::time::Duration::from_mins(3), hold.next()).await.expect("a request").expect("a request");
    let peak = agent.peak_kib();
    assert!(peak < 100_000, "{peak} KiB for a file of {bytes} bytes");
    drop((request, hold));
    let ended = agent.exited(std::time::Duration::from_mins(1)).await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(backend.store().rows("AwsSecurityFinding").len(), 10);
}
