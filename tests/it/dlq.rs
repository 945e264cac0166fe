//! `cspm-relay dlq`: letters are shown, sent again, and taken away only after New Relic's answer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use cspm_relay::deliver::Letter;
use cspm_relay::deliver::letter::LetterKind;
use cspm_relay::lab::backend::{Account, Api, Backend, BackendSettings, Fault};
use cspm_relay::secret::Secret;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::agent::{self, Agent, Finished};
use crate::support::aws::{QueueSettings, emulators, random_name};
use crate::support::scene::{Scene, stopped};
use crate::support::{data, eventually};

async fn backend() -> Backend {
    let account = Account { license_key: Secret::new(agent::LICENSE_KEY), ..Account::default() };
    Backend::start(BackendSettings { accounts: vec![account], ..BackendSettings::default() }).await.expect("a stand-in")
}

fn now_ms() -> i64 {
    cspm_relay::clock::Clock::system().now_ms()
}

fn record(number: u64) -> Letter {
    let record = data::alarming(number, now_ms()).to_string();
    let origin = format!("s3://bucket/AWSLogs/{}/CloudTrail/x.json.gz", data::ACCOUNT);
    Letter::new(LetterKind::Record, now_ms(), "trail", &origin, Some(number), "a rule that was broken", record.as_bytes())
}

fn event(id: &str) -> Letter {
    let item = format!(r#"{{"eventType":"AwsSecurityEvent","timestamp":1000,"event.id":"{id}","relay.late":"false"}}"#);
    Letter::new(LetterKind::Event, now_ms(), "", "", None, "status 400", item.as_bytes())
}

fn log(id: &str) -> Letter {
    let item = format!(r#"{{"timestamp":{},"attributes":{{"event.id":"{id}"}},"message":{{"x":1}}}}"#, now_ms());
    Letter::new(LetterKind::Log, now_ms(), "", "", None, "status 400", item.as_bytes())
}

fn nonsense() -> Letter {
    Letter::new(LetterKind::Record, now_ms(), "trail", "s3://bucket/k", Some(7), "not JSON", b"{\"half\":")
}

fn write(folder: &Path, name: &str, letters: &[&Letter]) -> PathBuf {
    let path = folder.join(name);
    let text: String = letters.iter().map(|letter| letter.line() + "\n").collect();
    std::fs::write(&path, text).expect("a file of letters");
    path
}

fn dlq(command: &str, folder: &Path) -> Agent {
    Agent::new(["dlq"]).arg(command).arg("--from").arg(folder.to_string_lossy())
}

async fn replay(backend: &Backend, folder: &Path) -> Finished {
    dlq("replay", folder).new_relic(&backend.url()).finish().await
}

fn ids(backend: &Backend, event_type: &str) -> BTreeMap<String, u32> {
    backend.store().ids(event_type)
}

#[tokio::test]
async fn a_list_shows_letters_and_broken_lines_and_no_content() {
    let folder = TempDir::new().expect("a folder");
    let good = record(1);
    let path = write(folder.path(), "a.ndjson", &[&good]);
    std::fs::write(&path, format!("{}\nbroken\n", good.line())).expect("a file of letters");
    let ended = dlq("list", folder.path()).finish().await;
    assert_eq!(ended.status.code(), Some(1), "{}{}", ended.stdout, ended.stderr);
    for part in [&good.id, "a rule that was broken", "trail", "record"] {
        assert!(ended.stdout.contains(part), "{part} in {}", ended.stdout);
    }
    assert!(!ended.stdout.contains("StopLogging"), "{}", ended.stdout);
    assert!(ended.stderr.contains("a.ndjson:2: not a dead letter"), "{}", ended.stderr);

    let shown = dlq("list", folder.path()).arg("--content").arg("--format").arg("json").finish().await;
    let list: Value = serde_json::from_str(&shown.stdout).expect("one JSON object");
    assert_eq!(list["letters"][0]["content"], good.content.clone().expect("text"));
    assert_eq!(list["reasons"]["a rule that was broken"], 1);
    assert_eq!(list["broken"][0]["place"], format!("{}:2", path.display()));
}

/// X9: letters survive the success of others in the same file; P21, P22.
#[tokio::test]
async fn what_goes_well_goes_and_what_fails_stays_as_it_was() {
    let backend = backend().await;
    let folder = TempDir::new().expect("a folder");
    let cut = Letter { content: Some("{\"eventType\":\"A".to_owned()), ..event("cut") };
    let gone = Letter::new(LetterKind::Object, now_ms(), "files", "/no/such/object.json.gz", None, "corrupt", b"");
    let object = data::object(9, now_ms(), &data::mixed(40, 20, now_ms()));
    let file = folder.path().join("object.json.gz");
    std::fs::write(&file, &object.body).expect("an object");
    let whole = Letter::new(LetterKind::Object, now_ms(), "files", &file.to_string_lossy(), Some(3), "corrupt", b"");
    let foreign = Letter::new(LetterKind::Record, now_ms(), "trail", "queue/1", None, "unknown", b"{\"inventoryItems\":[]}");
    let (one, refused, sent, logged) = (record(1), nonsense(), event("e-1"), log("l-1"));
    // Its body could be taken for a record.
    let body = record(700).content.expect("text");
    let message = Letter::new(LetterKind::Message, now_ms(), "trail", "queue/2", None, "no notification", body.as_bytes());
    let path = write(folder.path(), "a.ndjson", &[&one, &refused, &sent, &cut, &logged, &gone, &whole, &foreign, &message]);
    let other = write(folder.path(), "b.ndjson", &[&one]);

    let ended = replay(&backend, folder.path()).await;
    assert_eq!(ended.status.code(), Some(1), "{}{}", ended.stdout, ended.stderr);
    let left = std::fs::read_to_string(&path).expect("letters that stay");
    assert_eq!(left, [&refused, &cut, &gone, &foreign, &message].map(|letter| letter.line() + "\n").concat());
    assert!(!other.exists(), "a copy of a letter that went well goes too");
    assert!(ended.stdout.contains("letters found 10 = 5 replayed + 5 stayed + 0 not asked for + 0 broken"), "{}", ended.stdout);
    assert!(ended.stdout.contains("items sent 2 = 2 delivered + 0 rejected + 0 returned"), "{}", ended.stdout);
    for why in [
        "No such file",
        "no whole event",
        "no whole record",
        "neither a CloudTrail file",
        "a queue message that was not understood",
    ] {
        assert!(ended.stdout.contains(why), "{why} in {}", ended.stdout);
    }
    let events = ids(&backend, "AwsSecurityEvent");
    assert!(events.contains_key(&data::id(1)) && events.contains_key("e-1") && events.contains_key(&data::id(50)), "{events:?}");
    assert!(ids(&backend, "Log").contains_key("l-1"));
    assert_eq!(backend.store().violations(), BTreeMap::default());

    // Once more: nothing is sent twice, nothing is written.
    let before = backend.store().summary().types;
    let again = replay(&backend, folder.path()).await;
    assert_eq!(again.status.code(), Some(1), "{}{}", again.stdout, again.stderr);
    assert_eq!(backend.store().summary().types, before);
    assert_eq!(std::fs::read_to_string(&path).expect("letters that stay"), left);
    let files = std::fs::read_dir(folder.path()).expect("the folder").count();
    assert_eq!(files, 2, "the letters that stay and the object");
}

/// Nobody who replays letters has to wonder whether some are configured, or which record "the first" is.
#[tokio::test]
async fn a_record_that_is_still_broken_is_told_by_its_own_place_and_stays() {
    let backend = backend().await;
    let folder = TempDir::new().expect("a folder");
    let broken = Letter::new(LetterKind::Record, now_ms(), "trail", "s3://bucket/k", Some(7), "not a JSON object", b"7");
    let path = write(folder.path(), "a.ndjson", &[&broken]);
    let ended = replay(&backend, folder.path()).await;
    assert_eq!(ended.status.code(), Some(1), "{}{}", ended.stdout, ended.stderr);
    let told = "Broken record 8 of s3://bucket/k: not a JSON object; it stays in the dead letters";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    assert!(!ended.stderr.contains("configured"), "{}", ended.stderr);
    assert_eq!(std::fs::read_to_string(&path).expect("the letter"), broken.line() + "\n");
}

/// Many files of one letter each, as an agent writes them, go through the pipeline together; each is judged by its own letter.
#[tokio::test]
async fn many_files_are_sent_together_and_each_goes_by_itself() {
    let backend = backend().await;
    let folder = TempDir::new().expect("a folder");
    for number in 0..300 {
        write(folder.path(), &format!("{number:03}.ndjson"), &[&if number % 100 == 7 { nonsense() } else { record(number) }]);
    }
    let ended = replay(&backend, folder.path()).await;
    assert_eq!(ended.status.code(), Some(1), "{}{}", ended.stdout, ended.stderr);
    let counts = "letters found 300 = 297 replayed + 3 stayed + 0 not asked for + 0 broken";
    assert!(ended.stdout.contains(counts), "{}", ended.stdout);
    let left = std::fs::read_dir(folder.path()).expect("the folder").map(|file| file.expect("a file").file_name());
    let mut left: Vec<_> = left.map(|name| name.to_string_lossy().into_owned()).collect();
    left.sort_unstable();
    assert_eq!(left, ["007.ndjson", "107.ndjson", "207.ndjson"]);
    let events = ids(&backend, "AwsSecurityEvent");
    assert!((0..300).all(|number| events.contains_key(&data::id(number)) == (number % 100 != 7)), "{} events", events.len());
    let requests: u64 = backend.store().summary().apis.values().map(|api| api.requests).sum();
    assert!(requests < 20, "{requests} requests");
}

/// X9: a crash after New Relic took it and before the letter is gone repeats the same id and loses nothing.
#[tokio::test]
async fn a_crash_between_send_and_removal_repeats_the_same_ids() {
    let backend = backend().await;
    let folder = TempDir::new().expect("a folder");
    let path = write(folder.path(), "a.ndjson", &[&event("e-1"), &log("l-1")]);
    let text = std::fs::read_to_string(&path).expect("letters");
    backend.script(Api::Events, [Fault::AcceptThenHang(Duration::from_mins(1))]);
    let running = dlq("replay", folder.path()).new_relic(&backend.url()).start();
    eventually("the event is stored", async || !ids(&backend, "AwsSecurityEvent").is_empty()).await;
    running.kill9();
    assert_eq!(std::fs::read_to_string(&path).expect("letters"), text);

    let ended = replay(&backend, folder.path()).await;
    assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(ids(&backend, "AwsSecurityEvent"), BTreeMap::from([("e-1".to_owned(), 2)]));
    assert!(!path.exists());
}

#[tokio::test]
async fn a_refused_event_stays_and_costs_itself_only() {
    let backend = backend().await;
    let folder = TempDir::new().expect("a folder");
    let bad = event("bad");
    let path = write(folder.path(), "a.ndjson", &[&bad, &event("good")]);
    // Refused together, then the first one alone.
    backend.script(Api::Events, [Fault::status(400), Fault::status(400)]);
    let ended = replay(&backend, folder.path()).await;
    assert_eq!(ended.status.code(), Some(1), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(std::fs::read_to_string(&path).expect("letters that stay"), bad.line() + "\n");
    assert!(ended.stdout.contains("New Relic refused this event alone: status 400"), "{}", ended.stdout);
    assert!(ended.stdout.contains("items sent 2 = 1 delivered + 1 rejected + 0 returned"), "{}", ended.stdout);
    assert_eq!(ids(&backend, "AwsSecurityEvent"), BTreeMap::from([("good".to_owned(), 1)]));
}

/// What is refused once more, later and so with another lag, is the letter that is there: sent again it is one row.
#[tokio::test]
async fn a_refused_event_that_comes_again_is_one_letter() {
    let backend = backend().await;
    backend.poison(Api::Events, "AwsSecurityEvent", 400);
    backend.poison(Api::Logs, &data::id(1), 400);
    let (folder, records) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let path = records.path().join("records.json");
    std::fs::write(&path, serde_json::json!({"Records": [data::alarming(1, now_ms() - 60_000)]}).to_string()).expect("records");
    let mut lags = BTreeSet::new();
    for _ in 0..2 {
        let agent = Agent::new(["replay"]).arg(path.to_string_lossy()).arg("--to").arg("newrelic").new_relic(&backend.url());
        let ended = agent.env("CSPM_RELAY_DEAD_LETTERS", folder.path().to_string_lossy()).finish().await;
        let files: Vec<_> =
            std::fs::read_dir(folder.path()).expect("the folder").map(|file| file.expect("a file").path()).collect();
        let letters = files.iter().map(|path| std::fs::read_to_string(path).expect("a letter"));
        let letters: Vec<Letter> = letters.map(|line| serde_json::from_str(&line).expect("a letter")).collect();
        let kinds: BTreeSet<_> = letters.iter().map(|letter| format!("{:?}", letter.kind)).collect();
        assert_eq!((kinds.len(), letters.len()), (2, 3), "two detections and a log: {}{}", ended.stdout, ended.stderr);
        let event = letters.iter().find(|letter| letter.kind == LetterKind::Event).and_then(|letter| letter.content.as_ref());
        let event: Value = serde_json::from_str(event.expect("an event")).expect("JSON");
        lags.insert(event["relay.lagMs"].as_i64());
    }
    assert_eq!(lags.len(), 2, "the same lag proves nothing: {lags:?}");
    backend.poison(Api::Events, "", 400);
    backend.poison(Api::Logs, "", 400);
    let ended = replay(&backend, folder.path()).await;
    assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
    let rows = |times| BTreeMap::from([(data::id(1), times)]);
    assert_eq!((ids(&backend, "AwsSecurityEvent"), ids(&backend, "Log")), (rows(2), rows(1)), "a row for each detection");
    assert_eq!(backend.store().detection_ids("AwsSecurityEvent").len(), 2);
}

/// Letters of earlier versions are named by all that is in them: two of them about one row are one row, in one file or in two.
#[tokio::test]
async fn letters_of_other_names_about_one_row_are_one_row() {
    let aged = |lag: u32| {
        let item = format!(r#"{{"eventType":"AwsSecurityEvent","timestamp":1000,"event.id":"one","relay.lagMs":{lag}}}"#);
        let letter = Letter::new(LetterKind::Event, now_ms(), "", "", None, "status 400", item.as_bytes());
        Letter { id: format!("{lag:032x}"), ..letter }
    };
    let (first, second, third) = (aged(1), aged(2), aged(3));
    let backend = backend().await;
    let folder = TempDir::new().expect("a folder");
    write(folder.path(), "a.ndjson", &[&first, &second]);
    write(folder.path(), "b.ndjson", &[&third, &event("two")]);
    let ended = replay(&backend, folder.path()).await;
    assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(ids(&backend, "AwsSecurityEvent"), BTreeMap::from([("one".to_owned(), 1), ("two".to_owned(), 1)]));
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0, "all of them are done");
}

/// Rows without an id that say the same at two times are two, also when both are so old that they get the present time.
#[tokio::test]
async fn letters_about_rows_without_an_id_are_a_row_each() {
    let told = |time: i64| {
        let item = format!(r#"{{"eventType":"CspmRelayException","timestamp":{time},"exception.id":"one"}}"#);
        Letter::new(LetterKind::Event, now_ms(), "", "", None, "status 400", item.as_bytes())
    };
    let backend = backend().await;
    let folder = TempDir::new().expect("a folder");
    write(folder.path(), "a.ndjson", &[&told(1_000), &told(2_000)]);
    write(folder.path(), "b.ndjson", &[&told(3_000)]);
    let ended = replay(&backend, folder.path()).await;
    assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(backend.store().counts("CspmRelayException").rows, 3);
}

/// A secret in a wrong place is not shown.
#[tokio::test]
async fn a_wrong_place_shows_no_secret() {
    let wrong = ["https://sqs.eu-west-1.amazonaws.com/111122223333/q?token=S3CRET", "https://u:S3CRET@sqs.example/q"];
    for command in [["dlq", "list", "--from"], ["dlq", "replay", "--from"], ["quickstart", "--yes", "--dead-letters"]] {
        for url in wrong {
            let ended = Agent::new(command).arg(url).new_relic("http://127.0.0.1:9").finish().await;
            assert_eq!(ended.status.code(), Some(2), "{command:?}: {}", ended.stderr);
            assert!(ended.stderr.contains("https://") && !ended.stderr.contains("S3CRET"), "{command:?}: {}", ended.stderr);
        }
    }
}

#[tokio::test]
async fn a_wrong_key_changes_nothing_and_says_so() {
    let backend = backend().await;
    let folder = TempDir::new().expect("a folder");
    let path = write(folder.path(), "a.ndjson", &[&record(1), &event("e-1")]);
    let text = std::fs::read_to_string(&path).expect("letters");
    let wrong = "f".repeat(36) + "NRAL";
    let agent = dlq("replay", folder.path()).new_relic(&backend.url()).env("NEW_RELIC_LICENSE_KEY", wrong);
    let ended = agent.finish().await;
    assert_eq!(ended.status.code(), Some(3), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("newrelic.licenseKey"), "{}", ended.stdout);
    assert_eq!(std::fs::read_to_string(&path).expect("letters"), text);
}

#[tokio::test]
async fn one_letter_can_be_asked_for_and_a_dry_run_does_nothing() {
    let backend = backend().await;
    let folder = TempDir::new().expect("a folder");
    let (one, two) = (event("e-1"), event("e-2"));
    let path = write(folder.path(), "a.ndjson", &[&one, &two]);
    let dry = dlq("replay", folder.path()).arg("--dry-run").finish().await;
    assert_eq!((dry.status.code(), dry.stdout.contains("2 event")), (Some(0), true), "{}{}", dry.stdout, dry.stderr);
    assert_eq!(std::fs::read_to_string(&path).expect("letters").lines().count(), 2);

    let ended = dlq("replay", folder.path())
        .arg("--id")
        .arg(&two.id)
        .env("NEW_RELIC_LICENSE_KEY", agent::LICENSE_KEY)
        .env("NEW_RELIC_ACCOUNT_ID", agent::ACCOUNT_ID)
        .arg("--to")
        .arg(backend.url())
        .finish()
        .await;
    assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(std::fs::read_to_string(&path).expect("letters"), one.line() + "\n");
    assert_eq!(ids(&backend, "AwsSecurityEvent"), BTreeMap::from([("e-2".to_owned(), 1)]));

    // A stand-in of ours needs no key, as with `replay --to`; a key that is written is used, and must be one.
    let ours = Backend::start(BackendSettings::default()).await.expect("a stand-in");
    let keyless = || dlq("replay", folder.path()).arg("--to").arg(ours.url());
    let wrong = keyless().env("NEW_RELIC_LICENSE_KEY", "no key").finish().await;
    assert_eq!(wrong.status.code(), Some(2), "{}{}", wrong.stdout, wrong.stderr);
    let ended = keyless().finish().await;
    assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(ids(&ours, "AwsSecurityEvent"), BTreeMap::from([("e-1".to_owned(), 1)]));

    let none = dlq("replay", folder.path()).arg("--id").arg("nobody").new_relic(&backend.url()).finish().await;
    assert_eq!(none.status.code(), Some(1), "{}{}", none.stdout, none.stderr);
    assert!(none.stderr.contains("no letter has the id nobody"), "{}", none.stderr);
}

#[tokio::test]
async fn letters_in_a_queue_and_a_bucket_go_the_same_way() {
    for aws in emulators().await {
        let backend = backend().await;
        let queue = aws.queue(QueueSettings::default()).await;
        queue.send(&event("q-1").line()).await;
        queue.send(&nonsense().line()).await;
        let at = |agent: Agent, place: &str| agent.arg("--from").arg(place).aws(&aws.endpoint).new_relic(&backend.url());
        let list = at(Agent::new(["dlq", "list"]), &queue.url).finish().await;
        assert_eq!(list.status.code(), Some(0), "{}: {}{}", aws.name, list.stdout, list.stderr);
        assert!(list.stdout.contains("not JSON") && list.stdout.contains("status 400"), "{}: {}", aws.name, list.stdout);
        let depth = queue.depth().await;
        assert_eq!((depth.visible, depth.in_flight), (2, 0), "{}: a list takes nothing", aws.name);

        let ended = at(Agent::new(["dlq", "replay"]), &queue.url).finish().await;
        assert_eq!(ended.status.code(), Some(1), "{}: {}{}", aws.name, ended.stdout, ended.stderr);
        let left = queue.receive().await;
        let bodies: Vec<&str> = left.iter().filter_map(|message| message.body.as_deref()).collect();
        assert_eq!(bodies.len(), 1, "{}: {bodies:?}", aws.name);
        assert!(bodies[0].contains("not JSON"), "{}: {bodies:?}", aws.name);

        let trail = aws.trail(QueueSettings::default()).await;
        trail.put("dead/a.ndjson", format!("{}\n{}\n", event("s-1").line(), nonsense().line()).into_bytes()).await;
        trail.put("dead/b.ndjson", format!("{}\n", log("s-2").line()).into_bytes()).await;
        let place = format!("s3://{}/dead", trail.bucket);
        let ended = at(Agent::new(["dlq", "replay"]), &place).finish().await;
        assert_eq!(ended.status.code(), Some(1), "{}: {}{}", aws.name, ended.stdout, ended.stderr);
        let left: Letter = serde_json::from_slice(&trail.get("dead/a.ndjson").await).expect("one letter");
        assert_eq!(left.reason, "not JSON", "{}", aws.name);
        let gone = aws.s3.get_object().bucket(&trail.bucket).key("dead/b.ndjson").send().await;
        assert!(gone.is_err(), "{}: a file without letters goes", aws.name);
        let sent = ids(&backend, "AwsSecurityEvent");
        assert_eq!(sent.keys().map(String::as_str).collect::<Vec<_>>(), ["q-1", "s-1"], "{}", aws.name);
    }
}

/// What an agent writes to a bucket or a queue is there when its source has let go, whole, and `dlq list` finds it.
#[tokio::test]
async fn letters_are_written_to_a_bucket_and_to_a_queue() {
    for aws in emulators().await {
        let bucket = random_name("dead");
        aws.s3.create_bucket().bucket(&bucket).send().await.expect("creating a bucket");
        let queue = aws.queue(QueueSettings::default()).await;
        for place in [format!("s3://{bucket}/deep/er"), queue.url.clone()] {
            let name = format!("{}, {place}", aws.name);
            let scene = Scene::new(aws.clone()).await;
            let timeless = format!(r#"{{"eventVersion":"1.08","eventID":"timeless","pad":"{}"}}"#, "x".repeat(800_000));
            let file = format!(r#"{{"Records":[{timeless},{}]}}"#, data::quiet(1, now_ms()));
            scene.trail.put("one.json.gz", data::gzip(file.as_bytes())).await;
            scene.trail.put("cut.json.gz", data::gzip(br#"{"Records":[{"a"#)).await;
            scene.trail.queue.send("no notification").await;
            let agent = scene.agent().env("CSPM_RELAY_DEAD_LETTERS", &place).start();
            scene.counts("objectsParked", 2).await;
            scene.counts("recordsUnreadable", 1).await;
            scene.empty().await;
            stopped(agent).await;
            assert_eq!(scene.letters(), Vec::<Value>::new(), "{name}: in the folder of others");

            let list = Agent::new(["dlq", "list", "--content", "--format", "json", "--from"]).arg(&place).aws(&aws.endpoint);
            let list = list.finish().await;
            assert_eq!(list.status.code(), Some(0), "{name}: {}", list.stderr);
            let list: Value = serde_json::from_str(&list.stdout).expect("one JSON object");
            let letters = list["letters"].as_array().expect("letters").iter();
            let found: BTreeMap<_, _> = letters.map(|letter| (letter["kind"].as_str(), letter["content"].as_str())).collect();
            let want = [("message", Some("no notification")), ("object", None), ("record", Some(timeless.as_str()))];
            assert!(found == want.map(|(kind, content)| (Some(kind), content)).into(), "{name}: {:?}", list["reasons"]);
        }
    }
}

/// An object that was overwritten is fetched again in the version that its letter names.
#[tokio::test]
async fn an_object_is_replayed_in_its_version() {
    for aws in emulators().await {
        let backend = backend().await;
        let trail = aws.trail(QueueSettings::default()).await;
        let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let versioning = aws.s3.put_bucket_versioning().bucket(&trail.bucket).versioning_configuration(enabled);
        versioning.send().await.unwrap_or_else(|error| panic!("{}: {error:?}", aws.name));
        let whole = data::object(9, now_ms(), &data::mixed(40, 20, now_ms()));
        let mut versions = Vec::new();
        for body in [whole.body, b"{\"Records\":[".to_vec()] {
            let put = aws.s3.put_object().bucket(&trail.bucket).key("k.json").body(body.into()).send().await.expect("an object");
            versions.push(put.version_id.expect("a version"));
        }
        let folder = TempDir::new().expect("a folder");
        let origin = format!("s3://{}/k.json", trail.bucket);
        let letter = |version| Letter::new(LetterKind::Object, now_ms(), "trail", &origin, None, "cut", b"").of_version(version);
        let path = write(folder.path(), "a.ndjson", &[&letter(Some(&versions[0])), &letter(Some(&versions[1])), &letter(None)]);
        let ended = dlq("replay", folder.path()).aws(&aws.endpoint).new_relic(&backend.url()).finish().await;
        assert_eq!(ended.status.code(), Some(1), "{}: {}{}", aws.name, ended.stdout, ended.stderr);
        let left = [letter(Some(&versions[1])), letter(None)].map(|letter| letter.id);
        let found = std::fs::read_to_string(&path).expect("letters that stay");
        let found: Vec<Letter> = found.lines().map(|line| serde_json::from_str(line).expect("a letter")).collect();
        assert_eq!(found.into_iter().map(|letter| letter.id).collect::<Vec<_>>(), left, "{}", aws.name);
        assert!(ids(&backend, "AwsSecurityEvent").contains_key(&data::id(50)), "{}", aws.name);
    }
}

/// A letter about a local file is found again from any folder, and says when it was parked and which file is missing.
#[tokio::test]
async fn a_letter_about_a_local_file_is_replayed_from_anywhere() {
    let backend = backend().await;
    let dead = TempDir::new().expect("a folder");
    let cut = format!("{{\"Records\":[{}", data::alarming(1, now_ms() - 90 * 86_400_000));
    let parking = Agent::new(["replay", "cut.json"]).env("CSPM_RELAY_DEAD_LETTERS", dead.path().to_string_lossy());
    let path = parking.file("cut.json", &cut);
    let before_ms = now_ms();
    let running = parking.start();
    let list = |format: &'static str| dlq("list", dead.path()).arg("--format").arg(format).finish();
    eventually("the letter is there", async || std::fs::read_dir(dead.path()).is_ok_and(|mut files| files.next().is_some()))
        .await;
    let listed: Value = serde_json::from_str(&list("json").await.stdout).expect("one JSON object");
    let letter = &listed["letters"][0];
    let parked_ms = letter["timeMs"].as_i64().expect("a time");
    assert!((before_ms..=now_ms()).contains(&parked_ms), "{letter}");
    assert!(letter["origin"].as_str().is_some_and(|origin| Path::new(origin).is_absolute()), "{letter}");
    // From another folder, with the file mended, and then with the file gone.
    std::fs::write(&path, cut + "]}").expect("a mended file");
    let letters = std::fs::read_dir(dead.path()).expect("letters").map(|file| file.expect("a file").path()).next();
    let letters = letters.expect("a letter");
    let text = std::fs::read_to_string(&letters).expect("a letter");
    let ended = replay(&backend, dead.path()).await;
    assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(ids(&backend, "AwsSecurityEvent").contains_key(&data::id(1)));
    std::fs::write(&letters, text).expect("the letter once more");
    std::fs::remove_file(&path).expect("the file goes");
    let ended = replay(&backend, dead.path()).await;
    assert_eq!(ended.status.code(), Some(1), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("cut.json again: No such file"), "{}", ended.stdout);
    drop(running.exited(Duration::from_secs(10)).await);
}
