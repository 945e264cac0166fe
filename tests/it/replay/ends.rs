//! How a replay ends: what cannot be read, what is broken, what is not there, and who stops it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{replayed, with_open_output};
use crate::support::agent::Agent;
use crate::support::data::{self, gzip};
use crate::support::eventually;
use crate::support::replay::{file_of, finish, good, replay_of};

/// The name of a trail's object.
const TRAIL: &str = "111122223333_CloudTrail_eu-west-1_20261121T0000Z_x.json.gz";
const TIME_MS: i64 = 1_780_000_000_000;

fn folder_with(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).expect("a temporary file");
    }
    folder
}

fn letters_of(folder: &Path) -> Vec<Value> {
    let files = std::fs::read_dir(folder).expect("letters").map(|file| file.expect("a file").path());
    let text = files.map(|path| std::fs::read_to_string(path).expect("a letter"));
    let mut letters: Vec<Value> = text.map(|text| serde_json::from_str(&text).expect("JSON")).collect();
    letters.sort_by_key(|letter| letter["index"].as_u64());
    letters
}

/// X3: what bears a trail's name and cannot be read is corrupt, wherever it stands: a gap, and a dead letter or a fault.
#[tokio::test]
async fn what_bears_a_trails_name_and_cannot_be_read_is_corrupt() {
    let whole = gzip(file_of(&data::mixed(0, 3, TIME_MS)).as_bytes());
    let garbled: Vec<u8> = whole.iter().enumerate().map(|(at, byte)| if at < 4 { b'#' } else { *byte }).collect();
    for (name, bytes) in [("garbled", garbled.as_slice()), ("empty", b""), ("packed nothing", &gzip(b"")), ("a note", b"note\n")]
    {
        let folder = folder_with(&[(TRAIL, bytes)]);
        let path = folder.path().join(TRAIL);
        for input in [folder.path(), &path] {
            let ended = finish(replay_of([input])).await;
            ended.assert_adds_up();
            assert_eq!(ended.code, Some(3), "{name}: {}\n{}", ended.summary, ended.stderr);
            let counts = (ended.count("objects.returned"), ended.count("skipped"), ended.count("recordsReceived"));
            assert_eq!(counts, (1, 0, 0), "{name}: {}", ended.summary);
            let events: Vec<_> = ended.events().iter().map(|event| event["eventType"].clone()).collect();
            assert_eq!(events, ["CspmRelayGap"], "{name}");
            // There is no newest record to take the time from: it is the present.
            let [sent_ms, lately_ms] = [&ended.events()[0]["timestamp"], &json!(TIME_MS)].map(Value::as_i64);
            assert!(sent_ms > lately_ms, "{name}: {sent_ms:?}");
            assert!(ended.stderr.contains("no dead letters are configured"), "{name}: {}", ended.stderr);

            let dead = TempDir::new().expect("a temporary folder");
            let parked = good(replay_of([input]).env("CSPM_RELAY_DEAD_LETTERS", dead.path().to_string_lossy())).await;
            assert_eq!(parked.count("objects.parked"), 1, "{name}: {}", parked.summary);
            assert_eq!(parked.summary["deadLetters"], dead.path().to_string_lossy().as_ref(), "{name}");
            let letters = letters_of(dead.path());
            assert_eq!(letters.len(), 1, "{name}");
            assert_eq!(
                (&letters[0]["kind"], &letters[0]["origin"]),
                (&json!("object"), &json!(path.to_string_lossy())),
                "{name}"
            );
        }
    }
    // The same bytes under another name are of another kind, and counted.
    let folder = folder_with(&[("notes.json.gz", &garbled), ("good.json.gz", &whole)]);
    let ended = good(replay_of([folder.path()])).await;
    assert_eq!((ended.count("skipped"), ended.count("recordsReceived")), (1, 3), "{}", ended.summary);
    assert_eq!(ended.summary["passedOver"]["not an object of a trail"]["count"], 1, "{}", ended.summary);
}

/// P22: a broken record costs itself only, in the first place too.
#[tokio::test]
async fn a_broken_first_record_costs_itself_only() {
    let good_ones = data::mixed(0, 2, TIME_MS);
    let [one, two] = [good_ones[0].to_string(), good_ones[1].to_string()];
    for (name, text, content) in [
        ("a number", format!(r#"{{"Records":[1,{one},{two}]}}"#), "1"),
        ("text", format!(r#"{{"Records":["a,b",{one},{two}]}}"#), r#""a,b""#),
        ("another object", format!(r#"{{"Records":[{{"a":1}},{one},{two}]}}"#), r#"{"a":1}"#),
        ("an array", format!(r#"{{"Records":[[7,{{}}],{one},{two}]}}"#), "[7,{}]"),
        ("the end of a line", format!("1.08\"}}\n{one}\n{two}\n"), "1.08\"}"),
    ] {
        let folder = folder_with(&[("records.json", text.as_bytes())]);
        let dead = TempDir::new().expect("a temporary folder");
        let agent = replay_of([folder.path()]).arg("--logs").arg("all");
        let ended = good(agent.env("CSPM_RELAY_DEAD_LETTERS", dead.path().to_string_lossy())).await;
        let counts = (ended.logs().len(), ended.count("records.unreadable"), ended.count("objects.released"));
        assert_eq!(counts, (2, 1, 1), "{name}: {}\n{}", ended.summary, ended.stderr);
        let letters = letters_of(dead.path());
        let letters: Vec<_> = letters.iter().map(|letter| (letter["index"].as_u64(), letter["content"].as_str())).collect();
        assert_eq!(letters, [(Some(0), Some(content))], "{name}");
    }
}

/// X3: a file in a folder is passed over only if there is no record in all of it. Records among other things are sent, the
/// others are unreadable; where so much comes before them that it cannot be kept, the file is named and the replay not complete.
#[tokio::test]
async fn a_file_with_records_in_it_is_never_passed_over() {
    let lines: String = data::mixed(0, 3, TIME_MS).iter().map(|record| record.to_string() + "\n").collect();
    let logs = "2026-11-21 20:00:00 a line of a log\n".repeat(5_000);
    for (name, text, counts) in [
        ("two lines of another kind first", format!("{{\"a\":1}}\n# note\n{lines}"), [3, 2, 0, 0]),
        ("many lines of another kind first", format!("{logs}{lines}"), [0, 0, 0, 1]),
        ("only lines of another kind", logs.clone(), [0, 0, 1, 0]),
    ] {
        let folder =
            folder_with(&[("a.ndjson", text.as_bytes()), ("good.json", file_of(&data::mixed(10, 1, TIME_MS)).as_bytes())]);
        let dead = TempDir::new().expect("a temporary folder");
        let agent = replay_of([folder.path()]).arg("--logs").arg("all");
        let ended = finish(agent.env("CSPM_RELAY_DEAD_LETTERS", dead.path().to_string_lossy())).await;
        ended.assert_adds_up();
        let [sent, unreadable, passed_over, returned] = counts;
        let found = [
            ended.logs().len() as u64 - 1,
            ended.count("records.unreadable"),
            ended.count("skipped"),
            ended.count("objects.returned"),
        ];
        assert_eq!(found, [sent, unreadable, passed_over, returned], "{name}: {}\n{}", ended.summary, ended.stderr);
        assert_eq!(ended.code, Some(if returned > 0 { 3 } else { 0 }), "{name}: {}", ended.stderr);
        let named = folder.path().join("a.ndjson").display().to_string();
        assert_eq!(ended.stderr.contains("but there are records in it"), returned > 0, "{name}: {}", ended.stderr);
        assert!(ended.stderr.contains(&named), "{name}: {}", ended.stderr);
    }
}

/// A document of another kind, such as an inventory is, is no record that is too long, however large it is.
#[tokio::test]
async fn a_large_document_of_another_kind_is_no_record() {
    let large = json!({ "inventoryId": "1", "items": [{ "configuration": "x".repeat(2 << 20) }] }).to_string();
    let folder =
        folder_with(&[("inventory.json", large.as_bytes()), ("good.json", file_of(&data::mixed(0, 1, TIME_MS)).as_bytes())]);
    let dead = TempDir::new().expect("a temporary folder");
    let of = |input: &Path| replay_of([input]).env("CSPM_RELAY_DEAD_LETTERS", dead.path().to_string_lossy());
    let beside = good(of(folder.path())).await;
    assert_eq!((beside.count("skipped"), beside.count("recordsReceived")), (1, 1), "{}", beside.summary);
    let named = finish(of(&folder.path().join("inventory.json"))).await;
    let counts = (named.code, named.count("objects.returned"), named.count("recordsReceived"));
    assert_eq!(counts, (Some(3), 1, 0), "{}\n{}", named.summary, named.stderr);
    assert!(named.stderr.contains("Not an object of a trail: it stays where it is"), "{}", named.stderr);
    assert_eq!(letters_of(dead.path()), Vec::<Value>::new());
}

/// Each broken record is named, up to a limit, and then how many more there are; the summary says where they are.
#[tokio::test]
async fn every_broken_record_is_named() {
    let broken = |count: usize| format!("{{\"Records\":[{}]}}", vec!["7"; count].join(","));
    let folder = folder_with(&[("four.json", broken(4).as_bytes()), ("many.json", broken(60).as_bytes())]);
    let four = finish(replay_of([folder.path().join("four.json")])).await;
    assert_eq!((four.code, four.count("records.returned")), (Some(3), 4), "{}", four.stderr);
    for record in 1..=4 {
        let line = format!("Broken record {record} of {}: not a JSON object", folder.path().join("four.json").display());
        assert_eq!(four.stderr.matches(&line).count(), 1, "{line}: {}", four.stderr);
    }
    assert!(four.stderr.contains("not kept; CSPM_RELAY_DEAD_LETTERS names a folder"), "{}", four.stderr);
    assert!(!four.stderr.contains("go back"), "{}", four.stderr);
    assert_eq!(four.summary["headline"], "4 records not sent, 1 object not finished; the counts add up");
    let dead = folder.path().join("dead");
    let agent = Agent::new(["replay"]).arg(folder.path().join("many.json").to_string_lossy());
    let many = agent.env("CSPM_RELAY_DEAD_LETTERS", dead.to_string_lossy()).finish().await;
    assert_eq!(many.status.code(), Some(0), "{}", many.stderr);
    assert_eq!(many.stderr.matches("Broken record ").count(), 50, "{}", many.stderr);
    assert!(many.stderr.contains("10 more broken records were not named here"), "{}", many.stderr);
    assert!(many.stderr.contains(&format!("dead letters: {}", dead.display())), "{}", many.stderr);
    assert!(many.stderr.contains("replay: complete, 60 broken or refused things parked; the counts add up\n"), "{}", many.stderr);
}

/// Not one record: that is said, with what was passed over, and is no success; an empty pipe is mostly a failed command.
#[tokio::test]
async fn nothing_found_is_said() {
    let empty = folder_with(&[]);
    let foreign = folder_with(&[("README.md", b"# Title\n"), ("other.json", b"{\"a\":1}"), ("zero.json", b"")]);
    for (name, input, passed_over) in [
        ("an empty folder", empty.path().to_string_lossy().into_owned(), 0),
        ("other files", foreign.path().to_string_lossy().into_owned(), 3),
        ("an empty file", foreign.path().join("zero.json").to_string_lossy().into_owned(), 0),
        ("an empty pipe", "-".to_owned(), 0),
        ("an empty list", folder_file(&empty, "list.json", "[]"), 0),
        ("a file of no records", folder_file(&empty, "none.json", "{\"Records\":[]}"), 0),
    ] {
        let ended = finish(replay_of([&input])).await;
        ended.assert_adds_up();
        assert_eq!(ended.code, Some(3), "{name}: {}\n{}", ended.summary, ended.stderr);
        assert_eq!(ended.summary["headline"], "no records found; the counts add up", "{name}");
        assert_eq!(ended.count("skipped"), passed_over, "{name}");
        let over = ended.summary["passedOver"].as_object().expect("reasons");
        let over: u64 = over.values().filter_map(|few| few["count"].as_u64()).sum();
        assert_eq!(over, passed_over, "{name}: {}", ended.summary);
        assert!(ended.stderr.contains("\nerror: no records found: "), "{name}: {}", ended.stderr);
    }
    let said = Agent::new(["replay"]).arg(foreign.path().to_string_lossy()).finish().await.stderr;
    for part in [
        format!("  passed over, empty: 1 ({})", foreign.path().join("zero.json").display()),
        format!("  passed over, not an object of a trail: 1 ({})", foreign.path().join("other.json").display()),
        "1 object read, 3 passed over".to_owned(),
    ] {
        assert!(said.contains(&part), "{part} in {said}");
    }
}

fn folder_file(folder: &TempDir, name: &str, text: &str) -> String {
    // A folder of its own, so that the other one stays empty.
    let path = folder.path().with_extension(name);
    std::fs::write(&path, text).expect("a temporary file");
    path.to_string_lossy().into_owned()
}

/// After a stop no further object is read; what was not is named, and the exit code says so.
#[tokio::test]
async fn a_stop_ends_the_reading_of_a_folder() {
    const FILES: u64 = 1_200;
    let folder = TempDir::new().expect("a temporary folder");
    for file in 0..FILES {
        let path = folder.path().join(format!("{file:04}.json"));
        std::fs::write(path, file_of(&data::mixed(file * 4, 4, TIME_MS))).expect("a temporary file");
    }
    let mut child = with_open_output(&["--summary", "json"], folder.path());
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    out.read_line(&mut String::new()).expect("a line");
    // Nobody reads on, so it waits with little of the folder printed.
    let kill = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", child.id())).status();
    assert!(kill.is_ok_and(|status| status.success()));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let ended = tokio::task::spawn_blocking(move || {
        out.read_to_end(&mut Vec::new()).expect("the rest");
        child.wait_with_output().expect("an end")
    });
    let ended = tokio::time::timeout(Duration::from_secs(10), ended).await.expect("soon").expect("no panic");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    let line = said.lines().find(|line| line.starts_with("{\"answers\":")).expect("a summary");
    let summary: Value = serde_json::from_str(line).expect("JSON");
    let read = summary["sources"][0]["objectsReceived"].as_u64().expect("a count");
    assert!((1..FILES / 2).contains(&read), "{read} objects read after the stop: {said}");
    assert_eq!(summary["sources"][0]["objects"]["released"], read, "what was offered has drained: {said}");
    let next = folder.path().join(format!("{read:04}.json"));
    let rest = format!("replaying {} and what comes after it: stopped before it was read", next.display());
    assert!(said.contains(&rest), "{rest} in {said}");
    assert_eq!(summary["headline"], "stopped before the end of the input; the counts add up");
    assert_eq!(ended.status.code(), Some(3), "{said}");
}

/// A stop during the look for the newest record is a stop: nothing is printed after it.
#[tokio::test]
async fn a_stop_during_the_first_look_prints_nothing() {
    // Long enough for a signal to come while it is read.
    let lines: String = data::mixed(0, 20, TIME_MS).iter().map(|record| record.to_string() + "\n").collect();
    let folder = folder_with(&[("a.ndjson", lines.repeat(4_000).as_bytes()), ("b.ndjson", lines.as_bytes())]);
    let agent = replay_of([folder.path()]).arg("--logs").arg("all").env("CSPM_RELAY_DRAIN", "1s");
    let running = agent.start();
    let open = async || running.has_open(&folder.path().join("a.ndjson"));
    eventually("the first file is open", open).await;
    running.terminate();
    let ended = running.exited(Duration::from_secs(10)).await;
    assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(3), ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("error: stopped while looking for the newest record: nothing was printed"), "{}", ended.stderr);
}

/// A second signal does not wait for what cannot settle, and the summary stays true.
#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let agent = replay_of::<&str>([]);
    let now_ms = cspm_relay::clock::Clock::system().now_ms();
    let path = agent.file("records.json", &file_of(&data::mixed(0, 4, now_ms)));
    let agent = agent.arg(path.to_string_lossy()).arg("--logs").arg("all");
    let mut running = agent.arg("--to").arg("http://127.0.0.1:9").start();
    running.says("the host cannot be reached. 4 records read so far, none given up").await;
    running.terminate();
    running.says("A second Ctrl-C or SIGTERM ends it at once").await;
    running.terminate();
    let ended = replayed(running.exited(Duration::from_secs(5)).await);
    ended.assert_adds_up();
    assert_eq!((ended.code, ended.count("records.returned")), (Some(3), 4), "{}", ended.stderr);
    assert_eq!(ended.summary["headline"], "4 records not sent, 1 object not finished; the counts add up", "{}", ended.stderr);
    assert!(ended.stderr.contains("records.json: stopped before everything of it was sent"), "{}", ended.stderr);
}
