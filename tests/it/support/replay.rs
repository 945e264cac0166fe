//! A replay and what came of it.
//!
//! In: records, or files of them. Out: what the agent printed, its summary, and, independently of the agent, what the input holds.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use cspm_relay::lab::backend::{Backend, BackendSettings};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::agent::Agent;

/// How long a replay of tens of thousands of records may take in a debug build on a busy machine.
const LONG: Duration = Duration::from_mins(4);

/// What ends every replay to standard output that read anything.
pub(crate) const HEARTBEAT: &str = "CspmRelayHeartbeat";

/// A replay that has ended.
#[derive(Debug)]
pub(crate) struct Replayed {
    /// Exit code.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// `--summary json`; null when none was printed.
    pub(crate) summary: Value,
}

/// `replay --summary json` over these inputs; the caller adds what else it needs.
pub(crate) fn replay_of<P: AsRef<Path>>(inputs: impl IntoIterator<Item = P>) -> Agent {
    let agent = Agent::new(["replay", "--summary", "json"]).env("NO_COLOR", "1");
    inputs.into_iter().fold(agent, |agent, input| agent.arg(input.as_ref().to_string_lossy()))
}

/// Runs a replay to its end.
pub(crate) async fn finish(agent: Agent) -> Replayed {
    let ended = agent.start().exited(LONG).await;
    let summary = ended.stdout.lines().rev().chain(ended.stderr.lines()).find(|line| line.starts_with("{\"answers\":"));
    let summary = summary.map_or(Value::Null, |line| serde_json::from_str(line).expect("a summary is JSON"));
    Replayed { code: ended.status.code(), stdout: ended.stdout, stderr: ended.stderr, summary }
}

/// Runs a replay that must end well and whose counts must add up.
pub(crate) async fn good(agent: Agent) -> Replayed {
    let ended = finish(agent).await;
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.summary, ended.stderr);
    ended.assert_adds_up();
    ended
}

impl Replayed {
    /// A count of the only source: `recordsReceived`, or an outcome as `records.delivered` or `objects.released`.
    pub(crate) fn count(&self, name: &str) -> u64 {
        let value = &self.summary["sources"][0];
        let value = name.split('.').fold(value, |value, part| &value[part]);
        value.as_u64().unwrap_or_else(|| panic!("no count {name} in {}\n{}", self.summary, self.stderr))
    }

    /// `received = delivered + …`, added up here and not by the agent.
    pub(crate) fn assert_adds_up(&self) {
        let sum = |name: &str| -> u64 {
            let parts = self.summary["sources"][0][name].as_object().expect("outcomes");
            parts.values().map(|count| count.as_u64().expect("a count")).sum()
        };
        assert_eq!(self.count("recordsReceived"), sum("records"), "{}", self.summary);
        assert_eq!(self.count("objectsReceived"), sum("objects"), "{}", self.summary);
        assert_eq!(self.summary["sources"][0]["addsUp"], true);
    }

    /// Printed items of a kind, `event` or `log`, in order.
    pub(crate) fn printed(&self, kind: &str) -> Vec<Value> {
        let lines = self.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
        lines.filter(|line| line["kind"] == kind).map(|mut line| line["data"].take()).collect()
    }

    /// Printed events, without the heartbeat at the end.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.printed("event").into_iter().filter(|event| event["eventType"] != HEARTBEAT).collect()
    }

    /// What was printed, line by line, without the heartbeat at the end.
    pub(crate) fn lines(&self) -> Vec<String> {
        let is_heartbeat = |line: &&str| line.contains(&format!("\"eventType\":\"{HEARTBEAT}\""));
        self.stdout.lines().filter(|line| !is_heartbeat(line)).map(str::to_owned).collect()
    }

    /// Printed logs.
    pub(crate) fn logs(&self) -> Vec<Value> {
        self.printed("log")
    }
}

/// Times each value comes.
pub(crate) fn tally<T: Ord>(values: impl IntoIterator<Item = T>) -> BTreeMap<T, u64> {
    let mut times = BTreeMap::new();
    for value in values {
        *times.entry(value).or_default() += 1;
    }
    times
}

/// The `event.id` of each log.
pub(crate) fn log_ids(logs: &[Value]) -> BTreeMap<String, u64> {
    tally(logs.iter().map(|log| text(&log["attributes"]["event.id"])))
}

/// A value that must be text.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// Real records of this repository.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cloudtrail")
}

/// The attack simulations among them: one file per technique.
pub(crate) fn attacks() -> PathBuf {
    fixtures().join("AWSLogs/777788889999")
}

/// Every record below a folder of `.json.gz` files, read without the agent's code.
pub(crate) fn records(folder: &Path) -> Vec<Value> {
    let mut found = Vec::new();
    for path in files(folder) {
        let unpacked = unpack(&std::fs::read(&path).expect("a file"));
        let Value::Object(mut file) = serde_json::from_str(&unpacked).expect("JSON") else { continue };
        if let Some(Value::Array(records)) = file.remove("Records") {
            found.extend(records);
        }
    }
    assert!(!found.is_empty(), "no record below {}", folder.display());
    found
}

/// The text in gzip bytes.
#[expect(clippy::disallowed_types, reason = "not the agent's own reader: what the agent reads is held to this")]
pub(crate) fn unpack(packed: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut text).expect("packed text");
    text
}

/// Every `.json.gz` file below a folder, in order of name.
pub(crate) fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(".json.gz") {
                found.insert(path);
            }
        }
    }
    found
}

/// The `eventID` of each record.
pub(crate) fn event_ids(records: &[Value]) -> BTreeSet<String> {
    records.iter().map(|record| text(&record["eventID"])).collect()
}

/// `{"Records": […]}`.
pub(crate) fn file_of(records: &[Value]) -> String {
    json!({ "Records": records }).to_string()
}

/// Runs a script of `tests/tools`; gives its standard output, panics with everything when it fails.
pub(crate) fn tool(script: &str, arguments: &[&str]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools").join(script);
    let ended = Command::new("python3").arg(path).args(arguments).stdin(Stdio::null()).output().expect("python3 runs");
    let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{script} {arguments:?}: {}\n{out}\n{err}", ended.status);
    out.into_owned()
}

/// Makes records with a generator of `tests/tools`; gives their folder and what is true of them.
pub(crate) fn generate(script: &str, arguments: &[&str]) -> (TempDir, Value) {
    let folder = TempDir::new().expect("a temporary folder");
    let out = folder.path().to_string_lossy().into_owned();
    tool(script, &[&["--out", &out], arguments].concat());
    let truth = std::fs::read_to_string(folder.path().join("truth.json")).expect("the truth");
    (folder, serde_json::from_str(&truth).expect("JSON"))
}

/// A stand-in with these settings.
pub(crate) async fn stand_in(settings: BackendSettings) -> Backend {
    Backend::start(settings).await.expect("a free port")
}

/// Asserts that New Relic would have kept everything it was sent.
pub(crate) fn assert_clean(backend: &Backend) {
    let store = backend.store();
    assert_eq!(store.violations(), BTreeMap::new());
    assert_eq!(store.integration_errors(), []);
    assert_eq!(store.summary().elsewhere, 0);
}
