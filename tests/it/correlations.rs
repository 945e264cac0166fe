//! Rules on several records, through the agent's binary: a replay says the same in whatever order it reads.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::agent::binary;
use crate::support::data::gzip;
use crate::support::replay::{Replayed, file_of, good, replay_of, text};

const RULES: &str = "title: Refused\nname: refused\nlogsource: {product: aws, service: cloudtrail}\nlevel: low\n\
                     detection:\n  s: {errorCode: OurRefusal}\n  condition: s\n---\n\
                     title: Many refused\nname: many-refused\nauthor: Ada Lovelace\nlevel: high\ncorrelation:\n  type: event_count\n  \
                     rules: [refused]\n  group-by: [sourceIPAddress]\n  timespan: 5m\n  condition: {gte: 3}\n";

fn refused(id: &str, time: &str) -> Value {
    json!({
        "eventVersion": "1.11", "eventID": id, "eventTime": time, "eventSource": "s3.amazonaws.com", "eventName": "GetObject",
        "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "sourceIPAddress": "198.51.100.7",
        "userIdentity": {"type": "IAMUser", "userName": "ann"}, "errorCode": "OurRefusal", "readOnly": true,
    })
}

/// The detections of a replay of these files, as id and control.
async fn replayed(files: &[(&str, &[Value])], arguments: &[&str]) -> (Vec<(String, String)>, Replayed) {
    let folder = TempDir::new().expect("a temporary folder");
    let write = |path: &Path, bytes: &[u8]| {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    };
    write(&folder.path().join("rules/many.yml"), RULES.as_bytes());
    let inputs = folder.path().join("input");
    for (name, records) in files {
        write(&inputs.join(name), &gzip(file_of(records).as_bytes()));
    }
    let mut agent = replay_of([&inputs]).env("CSPM_RELAY_RULES_FOLDERS", folder.path().join("rules").to_string_lossy());
    for argument in arguments {
        agent = agent.arg(*argument);
    }
    let ended = good(agent).await;
    let found = ended.events().iter().map(|event| (text(&event["event.id"]), text(&event["control.id"]))).collect();
    (found, ended)
}

#[tokio::test]
async fn a_replay_counts_by_the_time_of_records_however_it_reads_them() {
    let early = [refused("1", "2024-08-02T10:00:00Z"), refused("2", "2024-08-02T10:01:00Z")];
    let late = [refused("3", "2024-08-02T10:02:00Z"), refused("2", "2024-08-02T10:01:00Z")];
    let want = [("3".to_owned(), "many-refused".to_owned())];
    for arguments in [&[][..], &["--now", "2024-08-02T12:00:00Z"]] {
        let (found, ended) = replayed(&[("a.json.gz", &early), ("b.json.gz", &late)], arguments).await;
        assert_eq!(found, want, "{arguments:?}");
        let event = &ended.events()[0];
        for (name, value) in [("detection.correlated", "true"), ("control.author", "Ada Lovelace"), ("detection.primary", "true")]
        {
            assert_eq!(event[name], value, "{name}");
        }
        let (found, _) = replayed(&[("b.json.gz", &early), ("a.json.gz", &late)], arguments).await;
        assert_eq!(found, want, "read the other way round, {arguments:?}");
    }
}

/// Refusals that are too far apart, or one record that comes three times, are not many.
#[tokio::test]
async fn copies_and_distant_records_are_not_many() {
    let copies =
        [refused("1", "2024-08-02T10:00:00Z"), refused("1", "2024-08-02T10:00:00Z"), refused("2", "2024-08-02T10:01:00Z")];
    let distant = [refused("3", "2024-08-02T10:05:00Z"), refused("4", "2024-08-02T10:06:00Z")];
    let (found, _) = replayed(&[("a.json.gz", &copies), ("b.json.gz", &distant)], &[]).await;
    assert_eq!(found, []);
}

/// What can be read only once is told as it comes, and that is said.
#[tokio::test]
async fn standard_input_is_answered_as_it_comes() {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::write(folder.path().join("many.yml"), RULES).expect("a file");
    let records: Vec<Value> =
        ["00", "01", "02"].iter().map(|minute| refused(minute, &format!("2024-08-02T10:{minute}:00Z"))).collect();
    let input = folder.path().join("records.json");
    std::fs::write(&input, file_of(&records)).expect("a file");
    let mut agent = Command::new(binary());
    agent.env_clear().args(["replay", "-", "--now", "2024-08-02T08:00:00Z"]).env("CSPM_RELAY_RULES_FOLDERS", folder.path());
    let ended = agent.stdin(std::fs::File::open(&input).expect("a file")).output().expect("an end");
    let (out, said) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    let found: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told: Vec<&Value> = found.iter().map(|row| &row["data"]).filter(|row| row["control.id"] == "many-refused").collect();
    assert_eq!(told.iter().map(|row| text(&row["event.id"])).collect::<Vec<_>>(), ["02"], "{out}{said}");
    assert!(said.contains("Standard input is read once"), "{said}");
}
