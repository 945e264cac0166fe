//! `replay --to stdout`: what goes in comes out, once, always alike.

mod bucket;
mod ends;

use std::collections::BTreeSet;
use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cspm_relay::lab::backend::BackendSettings;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::agent::{Agent, Finished, binary};
use crate::support::data::{self, gzip};
use crate::support::eventually;
use crate::support::replay::{
    HEARTBEAT, Replayed, attacks, event_ids, file_of, files, finish, fixtures, generate, good, log_ids, records, replay_of,
    stand_in, tally, text, tool, unpack,
};

/// The moment of runs that are compared byte for byte over inputs of different forms.
const NOW: &str = "2024-08-02T10:00:00Z";

/// The tool that knows `CloudTrail` and the relay's promises but none of its code.
fn judge(output: &str, inputs: &Path, logs: &str) -> Value {
    let folder = TempDir::new().expect("a temporary folder");
    let printed = folder.path().join("printed.ndjson");
    std::fs::write(&printed, output).expect("a temporary file");
    let said =
        tool("ledger_oracle.py", &["compare", "--logs", logs, "--output", &printed.to_string_lossy(), &inputs.to_string_lossy()]);
    serde_json::from_str(&said).expect("the judge says JSON")
}

/// Asserts that every record of a folder is in exactly one log and every detection is there once.
async fn every_record_once(folder: &Path) -> Replayed {
    let source = records(folder);
    let ended = good(replay_of([folder]).arg("--logs").arg("all")).await;
    let logs = log_ids(&ended.logs());
    assert_eq!(logs, tally(source.iter().map(|record| text(&record["eventID"]))));
    assert_eq!(ended.count("records.delivered"), source.len() as u64);
    let events = ended.events();
    assert_eq!(ended.count("detections"), events.len() as u64);
    for event in &events {
        let (id, control) = (text(&event["event.id"]), text(&event["control.id"]));
        assert_eq!(event["detection.id"], format!("{id}:{control}"));
    }
    // P08: ids that a store can count.
    let detections = tally(events.iter().map(|event| text(&event["detection.id"])));
    assert!(detections.values().all(|times| *times == 1), "{detections:?}");
    let judged = judge(&ended.stdout, folder, "all");
    assert_eq!(judged["faults"], json!([]));
    assert_eq!(judged["unique"], logs.len());
    ended
}

/// P19: an array of records is records; P27: the same input gives the same bytes.
#[tokio::test]
async fn every_real_record_comes_out_once_and_always_alike() {
    let one = every_record_once(&fixtures()).await;
    let two = good(replay_of([fixtures()]).arg("--logs").arg("all")).await;
    assert!(one.stdout == two.stdout, "two runs printed different bytes");
    // What is no record (a list and a page of the fixtures) is skipped and said to be.
    assert_eq!(one.count("skipped"), 2);
    // Without the raw records the detections are the same, byte for byte.
    let events = |ended: &Replayed| -> Vec<String> {
        ended.lines().into_iter().filter(|line| line.starts_with("{\"kind\":\"event\"")).collect()
    };
    let none = good(replay_of([fixtures()]).arg("--logs").arg("none")).await;
    assert_eq!(none.lines().len() as u64, one.count("detections"));
    assert!(events(&none) == events(&one), "logs changed the detections");
    assert_eq!(none.count("records.ignored") + none.count("records.delivered"), one.count("records.delivered"));
    let matched = good(replay_of([fixtures()])).await;
    judge(&matched.stdout, &fixtures(), "matched");
    assert_eq!(matched.count("records.ignored"), none.count("records.ignored"));
}

/// S0-22: whoever asks the printed rows can tell silence from peace, and a log has all that New Relic would keep of it.
#[tokio::test]
async fn one_heartbeat_at_the_end_tells_all_that_was_counted() {
    let ended = good(replay_of([attacks()]).arg("--logs").arg("all").arg("--now").arg(NOW)).await;
    let rows = ended.printed("event");
    let heartbeats: Vec<&Value> = rows.iter().filter(|row| row["eventType"] == HEARTBEAT).collect();
    let [heartbeat] = heartbeats[..] else { panic!("{heartbeats:?}") };
    assert_eq!(rows.last(), Some(heartbeat), "it comes last");
    assert_eq!(heartbeat["timestamp"], 1_722_592_800_000_i64, "of the clock of the replay");
    assert_eq!(heartbeat["relay.source"], "replay");
    assert_eq!(heartbeat["heartbeat.date"], "2024-08-02");
    assert_eq!(heartbeat["heartbeat.recordsReceived"], ended.count("recordsReceived"));
    assert_eq!(heartbeat["heartbeat.recordsDelivered"], ended.count("records.delivered"));
    let logs: Vec<Value> = ended.lines().iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let logs: Vec<&Value> = logs.iter().filter(|line| line["kind"] == "log").collect();
    assert!(!logs.is_empty() && logs.iter().all(|line| line["common"]["logtype"] == "aws.cloudtrail"), "{:?}", logs.first());
    // Of nothing nothing is told: the moment would be another one each time.
    let folder = TempDir::new().expect("a temporary folder");
    let none = finish(replay_of([folder.path()])).await;
    assert_eq!(none.stdout, "", "{}", none.stderr);
}

/// P27: a cut file is shown as a gap, and the gap is the same in every run.
#[tokio::test]
async fn a_gap_comes_out_always_alike() {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("cut.json");
    let whole = file_of(&data::mixed(0, 5, 1_780_000_000_000));
    std::fs::write(&path, whole.get(..whole.len() - 20).expect("a part")).expect("a temporary file");
    let one = finish(replay_of([&path])).await;
    let two = finish(replay_of([&path])).await;
    assert!(one.stdout.contains("\"relay.agent\":\"replay\""), "{}", one.stdout);
    assert_eq!(one.stdout, two.stdout);
}

/// Each attack simulation is met by the control that is for it; what the techniques are is in `index.csv`.
#[tokio::test]
async fn every_simulated_attack_is_detected() {
    let ended = good(replay_of([attacks()]).arg("--logs").arg("all")).await;
    let index = std::fs::read_to_string(fixtures().join("index.csv")).expect("the index");
    let events = ended.events();
    for (technique, control) in [
        ("credential-access.ec2-get-password-data", "unauthorized-api-call"),
        ("defense-evasion.cloudtrail-delete", "trail-deleted"),
        ("defense-evasion.cloudtrail-event-selectors", "trail-event-selectors-reduced"),
        ("defense-evasion.cloudtrail-stop", "trail-logging-stopped"),
        ("defense-evasion.dns-delete-logs", "dns-query-logging-removed"),
        ("defense-evasion.organizations-leave", "organizations-changed"),
        ("defense-evasion.vpc-remove-flow-logs", "flow-logs-deleted"),
        ("execution.ec2-user-data", "instance-user-data-changed"),
        ("execution.ssm-send-command", "ssm-command-run"),
        ("exfiltration.ec2-security-group-open-port-22-ingress", "security-group-admin-port-open"),
        ("exfiltration.ec2-share-ami", "ami-shared"),
        ("exfiltration.ec2-share-ebs-snapshot", "ebs-snapshot-shared"),
        ("exfiltration.rds-share-snapshot", "rds-snapshot-shared"),
        ("initial-access.console-login-without-mfa", "console-login-without-mfa"),
        ("lateral-movement.ec2-serial-console-send-ssh-public-key", "serial-console-key-pushed"),
        ("persistence.iam-backdoor-role", "role-trust-policy-changed"),
        ("persistence.iam-backdoor-user", "access-key-created-for-other-user"),
        ("persistence.iam-create-admin-user", "admin-policy-attached"),
        ("persistence.iam-create-backdoor-role", "admin-policy-attached"),
        ("persistence.iam-create-user-login-profile", "console-password-set-for-other-user"),
        ("persistence.lambda-backdoor-function", "lambda-function-public"),
        ("persistence.lambda-layer-extension", "lambda-layer-attached"),
        ("persistence.lambda-overwrite-code", "lambda-code-changed"),
        ("persistence.rolesanywhere-create-trust-anchor", "roles-anywhere-trust-added"),
        ("persistence.sts-federation-token", "federation-token-issued-to-user"),
        ("privilege-escalation.iam-update-user-login-profile", "console-password-set-for-other-user"),
    ] {
        let line = index.lines().find(|line| line.contains(&format!(",aws.{technique}.json,"))).expect(technique);
        let path = fixtures().join(line.split(',').nth(2).expect("a path"));
        let ids = event_ids(&read_file(&path));
        let found: Vec<_> = events.iter().filter(|event| ids.contains(&text(&event["event.id"]))).collect();
        let controls = tally(found.iter().map(|event| text(&event["control.id"])));
        assert!(controls.contains_key(control), "{technique}: {controls:?}");
        for id in &ids {
            let of = found.iter().filter(|event| event["event.id"] == **id).collect::<Vec<_>>();
            let primary = of.iter().filter(|event| event["detection.primary"] == "true").count();
            assert_eq!(primary, usize::from(!of.is_empty()), "{technique} {id}: one primary detection");
        }
    }
}

fn read_file(path: &Path) -> Vec<Value> {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::copy(path, folder.path().join("one.json.gz")).expect("a copy");
    records(folder.path())
}

/// A trail's file with its records as they were written.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct File<'a> {
    #[serde(borrow)]
    records: Vec<&'a RawValue>,
}

/// P27: the form in which records lie makes no difference.
#[tokio::test]
async fn every_form_of_input_gives_the_same_bytes() {
    let file = files(&attacks()).into_iter().find(|path| path.to_string_lossy().contains("20240802T0825Z")).expect("the file");
    let packed = std::fs::read(&file).expect("its bytes");
    let plain = unpack(&packed);
    let inside: File<'_> = serde_json::from_str(&plain).expect("records");
    let lines = |of: fn(&str) -> String| inside.records.iter().map(|raw| of(raw.get()) + "\n").collect::<String>();
    let bus = lines(|raw| {
        format!(
            r#"{{"version":"0","id":"7bf73129-1428-4cd3-a780-95db273d1602","detail-type":"AWS API Call via CloudTrail","source":"aws.ec2","account":"777788889999","time":"2024-08-02T08:25:00Z","region":"us-east-1","resources":[],"detail":{raw}}}"#
        )
    });
    let (first, second) = plain.as_bytes().split_at(plain.len() / 2);
    let members = [gzip(first), gzip(second)].concat();
    let folder = TempDir::new().expect("a temporary folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::File::create(&path).and_then(|mut file| file.write_all(bytes)).expect("a temporary file");
        path
    };
    let run = async |path: &Path| good(replay_of([path]).arg("--logs").arg("all").arg("--now").arg(NOW)).await;
    let want = run(&file).await;
    assert_eq!(want.logs().len(), inside.records.len());
    for (name, path) in [
        ("plain", write("plain.json", plain.as_bytes())),
        ("packed under a plain name", write("packed.json", &packed)),
        ("two gzip members", write("members.json.gz", &members)),
        ("NDJSON", write("lines.ndjson", lines(str::to_owned).as_bytes())),
        ("packed NDJSON", write("lines.ndjson.gz", &gzip(lines(str::to_owned).as_bytes()))),
        ("EventBridge envelopes", write("bus.jsonl", bus.as_bytes())),
    ] {
        // The heartbeat says how long they are.
        assert!(run(&path).await.lines() == want.lines(), "{name} gives other bytes than a trail's own file");
    }
    for (name, path) in [("packed", file.clone()), ("NDJSON", folder.path().join("lines.ndjson"))] {
        let piped = |more: &str| {
            let script = format!("exec \"$0\" replay --summary json --logs all {more} - <\"$1\"");
            Agent::new(["-c"]).program("/bin/sh").arg(script).arg(binary().to_string_lossy()).arg(path.to_string_lossy())
        };
        assert!(good(piped(&format!("--now {NOW}"))).await.lines() == want.lines(), "standard input, {name}");
        // Without --now the clock follows the records: still the same bytes each time, and the same records.
        let (one, two) = (good(piped("")).await, good(piped("")).await);
        assert!(one.stdout == two.stdout, "standard input without --now, {name}");
        assert_eq!(log_ids(&one.logs()), log_ids(&want.logs()), "{name}");
        // A shell's `<(…)` is a pipe with a name: read once, as it comes.
        let fifo = folder.path().join("fifo");
        let named = |more: &str| {
            let script = format!(
                "rm -f \"$2\" && mkfifo \"$2\" && {{ cat \"$1\" >\"$2\" & }} && exec \"$0\" replay --summary json --logs all {more} \"$2\""
            );
            let agent = Agent::new(["-c"]).program("/bin/sh").arg(script).arg(binary().to_string_lossy());
            agent.arg(path.to_string_lossy()).arg(fifo.to_string_lossy())
        };
        assert!(good(named(&format!("--now {NOW}"))).await.lines() == want.lines(), "a named pipe, {name}");
        assert!(good(named("")).await.lines() == one.lines(), "a named pipe without --now, {name}");
    }
}

/// Twenty thousand made records, a quarter of them delivered twice: the counts that the generator wrote down, exactly.
#[tokio::test]
async fn copies_and_counts_are_those_of_the_generator() {
    let (folder, truth) =
        generate("gen_cloudtrail.py", &["--records", "20000", "--duplicates", "0.25", "--days", "3", "--accounts", "8"]);
    let input = folder.path().join("AWSLogs");
    let ended = good(replay_of([&input]).arg("--logs").arg("all").arg("--now").arg("2026-06-01T00:00:00Z")).await;
    let number = |name: &str| truth[name].as_u64().expect("a count");
    assert!(number("duplicates") > 4_500, "{}", number("duplicates"));
    assert_eq!(ended.count("recordsReceived"), number("delivered"));
    assert_eq!(ended.count("records.delivered"), number("unique"));
    assert_eq!(ended.count("records.duplicate"), number("duplicates"));
    assert_eq!(ended.count("objects.released"), number("files"));
    let logs = ended.logs();
    assert_eq!(logs.len() as u64, number("unique"));
    assert_eq!(number("delivered"), logs.len() as u64 + number("duplicates"));
    let message = |log: &Value, name: &str| log["message"][name].as_str().unwrap_or("none").to_owned();
    for (counts, of) in [
        ("by_account", tally(logs.iter().map(|log| text(&log["attributes"]["aws.accountId"])))),
        ("by_event", tally(logs.iter().map(|log| message(log, "eventSource") + ":" + &message(log, "eventName")))),
        ("by_region", tally(logs.iter().map(|log| message(log, "awsRegion")))),
        ("by_day", tally(logs.iter().map(|log| message(log, "eventTime").chars().take(10).collect()))),
    ] {
        assert_eq!(json!(of), truth[counts], "{counts}");
    }
    let judged = judge(&ended.stdout, &input, "all");
    assert_eq!((&judged["faults"], &judged["duplicates"]), (&json!([]), &truth["duplicates"]));
    // Every planted incident leaves all its records.
    let ids = log_ids(&logs);
    let planted: Vec<_> =
        truth["incidents"].as_array().expect("incidents").iter().filter_map(|it| it["event_ids"].as_array()).collect();
    assert!(planted.iter().flat_map(|ids| ids.iter()).all(|id| ids.contains_key(&text(id))), "{planted:?}");
}

/// P06: digests and other files of a trail's bucket; late and large records.
#[tokio::test]
async fn insights_digests_late_and_large_records_are_kept_apart() {
    let more = ["--records", "600", "--days", "2", "--accounts", "3", "--extras", "--big", "15", "--late", "0.3"];
    let (folder, truth) = generate("gen_cloudtrail.py", &[&more[..], &["--org", "o-exampleorg1"]].concat());
    let input = folder.path().join("AWSLogs");
    let ended = good(replay_of([&input]).arg("--logs").arg("all")).await;
    let judged = judge(&ended.stdout, &input, "all");
    assert_eq!(judged["faults"], json!([]));
    assert!(judged["digests"].as_u64().is_some_and(|count| count > 50), "{judged}");
    assert_eq!(json!(ended.count("skipped")), judged["digests"], "a digest is skipped and counted");
    let insights = truth["insights"].as_u64().expect("a count");
    assert_eq!(Some(ended.count("records.delivered")), truth["unique"].as_u64().map(|unique| unique + insights));
    assert!(truth["late"].as_u64().is_some_and(|count| count > 100));
    let large = ended.stdout.lines().filter(|line| line.len() > 20_000).count();
    assert!(large >= 5, "{large} large records came out whole");
    // What is longer than New Relic keeps is cut here, too: standard output shows what would be sent.
    let cut = ended.logs().iter().filter(|log| log["attributes"].get("relay.truncated").is_some()).count() as u64;
    assert!(cut > 0 && ended.count("truncated") >= cut, "{cut} logs are marked, {} values", ended.count("truncated"));
    assert!(ended.stdout.lines().all(|line| line.len() < 134_000));
}

/// Broken records of a second input.
const BROKEN: usize = 3;

/// What is no record costs itself only; exit codes say which of the three ends it was.
#[tokio::test]
async fn broken_input_is_said_and_the_rest_comes_out() {
    let sound = records(&attacks()).into_iter().take(6).collect::<Vec<_>>();
    let whole = file_of(&sound);
    let folder = TempDir::new().expect("a temporary folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a temporary file");
        path
    };
    let good_file = write("good.json", whole.as_bytes());
    let packed = gzip(whole.as_bytes());
    let more = write("more.json", format!("{{\"Records\":[{}]}}", ["{\"no\":\"record\"}"; BROKEN].join(",")).as_bytes());
    let bad_record = whole.replacen("{\"Records\":[", "{\"Records\":[{\"eventID\":\"no time\"},", 1);
    for (name, path, logs, unreadable, parked) in [
        ("a record without a time", write("a.json", bad_record.as_bytes()), 6, 1, 0),
        ("cut gzip", write("b.json.gz", &packed[..packed.len() - 9]), 6, 0, 1),
        ("cut JSON", write("c.json", &whole.as_bytes()[..whole.len() - 40]), 6, 0, 1),
    ] {
        let letters = folder.path().join(format!("letters-{logs}-{unreadable}-{}", path.display().to_string().len()));
        let agent = replay_of([&path, &good_file]).arg("--logs").arg("all");
        let ended = good(agent.env("CSPM_RELAY_DEAD_LETTERS", letters.to_string_lossy())).await;
        assert_eq!(ended.logs().len(), logs, "{name}: every sound record, copies once");
        assert_eq!(ended.count("records.unreadable"), unreadable, "{name}");
        assert_eq!(ended.count("objects.parked"), parked, "{name}");
        let gaps = ended.events().iter().filter(|event| event["eventType"] == "CspmRelayGap").count() as u64;
        assert_eq!(gaps, parked, "{name}: a gap is shown");
        let parked = || std::fs::read_dir(&letters).expect("letters").map(|file| file.expect("a file").file_name()).collect();
        let names: BTreeSet<_> = parked();
        assert_eq!(names.len(), 1, "{name}");
        // The same thing again, among other things: the same letter.
        let again = finish(replay_of([&path, &more]).env("CSPM_RELAY_DEAD_LETTERS", letters.to_string_lossy())).await;
        assert_eq!((again.code, parked().len(), parked().is_superset(&names)), (Some(0), 1 + BROKEN, true), "{name}");
        // Without dead letters it goes back, and the exit code says that something was found.
        let returned = finish(replay_of([&path, &good_file]).arg("--logs").arg("all")).await;
        assert_ne!(returned.code, Some(0), "{name}");
        returned.assert_adds_up();
        assert_eq!((returned.logs().len(), returned.count("objects.returned")), (logs, 1), "{name}");
    }
    let absent = finish(replay_of([folder.path().join("absent.json")])).await;
    assert_eq!((absent.code, absent.stdout.as_str()), (Some(2), ""), "{}", absent.stderr);
    assert_eq!(absent.stderr.matches("absent.json").count(), 1, "{}", absent.stderr);
    let wrong = finish(replay_of([&good_file]).arg("--to").arg("nowhere")).await;
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
}

/// What cannot be read is said once, although standard output needs two looks at the input.
#[tokio::test]
async fn an_unreadable_object_is_said_once() {
    let folder = TempDir::new().expect("a temporary folder");
    std::os::unix::fs::symlink("nowhere", folder.path().join("lost.json")).expect("a link");
    std::fs::write(folder.path().join("note.json"), "no record").expect("a file");
    let ended = finish(replay_of([folder.path(), &folder.path().join("note.json")])).await;
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    for line in ["Not replayed: ", "lost.json: entity not found", "Not an object of a trail: it stays where it is"] {
        let times = ended.stderr.lines().filter(|logged| logged.contains("ERROR") && logged.contains(line)).count();
        assert_eq!(times, if line == "Not replayed: " { 2 } else { 1 }, "{line}: {}", ended.stderr);
    }
    assert_eq!(ended.stderr.matches("\nerror: ").count(), 1, "{}", ended.stderr);
}

/// A replay of a folder whose output nobody has begun to read.
fn with_open_output(more: &[&str], folder: &Path) -> Child {
    Command::new(binary())
        .args(["replay", "--logs", "all", "--now", NOW])
        .args(more)
        .arg(folder)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the agent starts")
}

/// What a reader does that has seen enough (`| head`): the command ends at once, quietly and well.
#[tokio::test]
async fn a_reader_that_goes_away_ends_it_quietly() {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::write(folder.path().join("records.json"), file_of(&data::mixed(0, 30_000, 1_780_000_000_000))).expect("a file");
    let mut child = with_open_output(&[], folder.path());
    let mut lines = std::io::BufReader::new(child.stdout.take().expect("piped"));
    for _ in 0..3 {
        let mut line = String::new();
        lines.read_line(&mut line).expect("a line");
        assert!(line.starts_with("{\"kind\":"), "{line}");
    }
    drop(lines);
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output().expect("an end"));
    let ended = tokio::time::timeout(Duration::from_secs(10), ended).await.expect("at once").expect("no panic");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(0), "{said}");
    // What was and was not printed is told, and nothing else.
    let mut lines = said.lines();
    let headline = lines.next().unwrap_or_default();
    assert!(headline.starts_with("replay: the reader of standard output went away, "), "{said}");
    assert!(headline.ends_with("; the counts add up") && lines.all(|line| line.starts_with("  ")), "{said}");
}

/// `replay -` with an input that stays open: the shell holds the other end of the pipe.
fn piped(script: &str, path: &Path) -> Agent {
    let script =
        format!("mkfifo pipe && exec 3<>pipe && {script} && exec \"$0\" replay --summary json --logs all \"$2\" \"$3\" - <pipe");
    Agent::new(["-c"]).program("/bin/sh").arg(script).arg(binary().to_string_lossy()).arg(path.to_string_lossy())
}

/// What came of a replay that a test ended by itself.
fn replayed(ended: Finished) -> Replayed {
    let summary = ended.stdout.lines().chain(ended.stderr.lines()).find(|line| line.starts_with("{\"answers\":"));
    let summary = summary.map_or(Value::Null, |line| serde_json::from_str(line).expect("a summary is JSON"));
    Replayed { code: ended.status.code(), stdout: ended.stdout, stderr: ended.stderr, summary }
}

/// Records of a pipe that stays open come out while it waits, and a stop does not wait for more.
#[tokio::test]
async fn an_open_pipe_is_read_as_it_comes_and_holds_no_stop_up() {
    let folder = TempDir::new().expect("a temporary folder");
    let now_ms = cspm_relay::clock::Clock::system().now_ms();
    let records = data::mixed(0, 20, now_ms - 60_000);
    let lines: String = records.iter().map(|record| record.to_string() + "\n").collect();
    assert!(lines.len() < 60_000, "it has to fit into a pipe");
    let path = folder.path().join("lines.ndjson");
    std::fs::write(&path, &lines).expect("a file");
    let half = folder.path().join("half.ndjson");
    std::fs::write(&half, lines.clone() + "{\"eventVersion\":").expect("a file");
    // Between two records or in the middle of one: nobody knows what would have come.
    for (name, path, to_new_relic) in
        [("standard output", &path, false), ("New Relic", &path, true), ("cut by the stop", &half, true)]
    {
        let backend = stand_in(BackendSettings::default()).await;
        let to = if to_new_relic { backend.url() } else { "stdout".to_owned() };
        let mut running = piped("cat \"$1\" >&3", path).arg("--to").arg(to).start();
        if to_new_relic {
            let arrived = async || backend.store().ids("Log").len() == records.len();
            eventually(&format!("{name}: everything read has arrived"), arrived).await;
        } else {
            running.says(&data::id(19)).await;
        }
        running.terminate();
        let ended = running.exited(Duration::from_secs(5)).await;
        assert_eq!(ended.status.code(), Some(3), "{name}: {}", ended.stderr);
        assert!(ended.stderr.contains("replaying stdin: stopped before its end was read"), "{name}: {}", ended.stderr);
        let ended = replayed(ended);
        ended.assert_adds_up();
        assert_eq!((ended.count("records.delivered"), ended.count("recordsReceived")), (20, 20), "{name}");
        assert_eq!(ended.count("objects.returned"), 1, "{name}");
        assert_eq!(ended.count("bytesPacked"), std::fs::metadata(path).expect("a file").len(), "{name}");
    }
}

/// Records that New Relic takes no more: why, how many and what to do, in one line, whatever the number of files.
#[tokio::test]
async fn old_records_are_refused_in_one_line() {
    let folder = TempDir::new().expect("a temporary folder");
    for file in 0..5 {
        let records = data::mixed(file * 4, 4, 1_780_000_000_000);
        std::fs::write(folder.path().join(format!("{file}.json")), file_of(&records)).expect("a file");
    }
    let backend = stand_in(BackendSettings::default()).await;
    let ended = finish(replay_of([folder.path()]).arg("--logs").arg("all").arg("--to").arg(backend.url())).await;
    ended.assert_adds_up();
    assert_eq!((ended.code, ended.count("records.returned"), ended.count("refusedLate")), (Some(3), 20, 20));
    let said: Vec<_> = ended.stderr.lines().collect();
    let [what, hint] = said[..] else { panic!("{}", ended.stderr) };
    assert!(what.starts_with("error: 20 records not sent: more than 23 hours old"), "{what}");
    assert!(hint.contains("--restamp"), "{hint}");
}

/// A host that cannot be reached is said to be so, and a stop names what was not sent.
#[tokio::test]
async fn an_unreachable_host_is_said() {
    let agent = replay_of::<&str>([]);
    let now_ms = cspm_relay::clock::Clock::system().now_ms();
    let path = agent.file("records.json", &file_of(&data::mixed(0, 4, now_ms)));
    let agent = agent.arg(path.to_string_lossy()).arg("--logs").arg("all").env("CSPM_RELAY_DRAIN", "1s");
    let mut running = agent.arg("--to").arg("http://127.0.0.1:9").start();
    running.says("the host cannot be reached. 4 records read so far, none given up").await;
    running.terminate();
    let ended = replayed(running.exited(Duration::from_secs(10)).await);
    ended.assert_adds_up();
    assert_eq!((ended.code, ended.count("records.returned")), (Some(3), 4), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("the host cannot be reached").count(), 1, "{}", ended.stderr);
}

/// A company's own rule, from a folder that a variable names, makes events like a built-in one.
#[tokio::test]
async fn a_rule_of_a_company_makes_events() {
    let rule = "title: Instances were listed\nname: acme-instances-listed\nlogsource: {product: aws, service: cloudtrail}\n\
                detection:\n  call: {eventSource: ec2.amazonaws.com, eventName: DescribeInstances}\n  condition: call\nlevel: low\n";
    let rules = TempDir::new().expect("a temporary folder");
    std::fs::create_dir(rules.path().join("ec2")).expect("a folder");
    std::fs::write(rules.path().join("ec2/acme-instances-listed.yml"), rule).expect("a file");
    let time = 1_780_000_000_000;
    let records = [data::quiet(1, time), data::alarming(2, time)];
    let controls = async |rules: &str| {
        let agent = replay_of::<&str>([]).env("CSPM_RELAY_RULES_FOLDERS", rules);
        let path = agent.file("records.json", &file_of(&records));
        let ended = good(agent.arg(path.to_string_lossy())).await;
        let said = ["event.id", "control.id", "control.title", "control.severity", "detection.primary"];
        tally(ended.events().iter().map(|event| said.map(|name| text(&event[name]))))
    };
    let mut want = controls("").await;
    assert!(!want.is_empty() && want.keys().all(|[id, ..]| *id == data::id(2)), "{want:?}");
    let own = [data::id(1).as_str(), "acme-instances-listed", "Instances were listed", "LOW", "true"].map(str::to_owned);
    assert_eq!(want.insert(own, 1), None);
    assert_eq!(controls(&rules.path().to_string_lossy()).await, want, "beside what the built-in rules find");
}

/// An S3 notification has most of a record's fields and is none.
#[tokio::test]
async fn a_notification_is_no_record() {
    let folder = TempDir::new().expect("a temporary folder");
    let notification = json!({
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1", "eventTime": "2026-11-21T20:20:05.118Z",
        "eventName": "ObjectCreated:Put", "s3": { "bucket": { "name": "b" }, "object": { "key": "k" } },
    });
    std::fs::write(folder.path().join("a.json"), file_of(std::slice::from_ref(&notification))).expect("a file");
    std::fs::write(folder.path().join("b.json"), notification.to_string()).expect("a file");
    let ended = finish(replay_of([folder.path()]).arg("--logs").arg("all")).await;
    ended.assert_adds_up();
    // Without a place for dead letters it stays where it is.
    assert_eq!((ended.count("records.delivered"), ended.count("records.returned")), (0, 2), "{}", ended.summary);
    assert_eq!(ended.logs(), Vec::<Value>::new());
}

/// A record that names no account is one of its caller's, then its object's, then its envelope's: its copies are one record.
#[tokio::test]
async fn copies_by_two_ways_have_the_same_account() {
    let folder = TempDir::new().expect("a temporary folder");
    let record = |id: &str, identity: Value| {
        json!({
            "eventVersion": "1.08", "eventTime": "2026-11-21T20:14:31Z", "eventSource": "signin.amazonaws.com",
            "eventName": "ConsoleLogin", "eventType": "AwsConsoleSignIn", "eventID": id, "userIdentity": identity,
        })
    };
    let records = [
        record("identity", json!({ "type": "IAMUser", "accountId": "111122223333" })),
        record("key or envelope", json!({ "type": "Unknown" })),
    ];
    let key = folder.path().join("AWSLogs/444455556666/CloudTrail/eu-west-1/2026/11/21");
    std::fs::create_dir_all(&key).expect("a folder");
    std::fs::write(key.join("444455556666_CloudTrail_eu-west-1_20261121T2020Z_A.json"), file_of(&records)).expect("a file");
    let envelope = |record: &Value| {
        let kind = "AWS Console Sign In via CloudTrail";
        json!({ "detail-type": kind, "source": "aws.signin", "account": "444455556666", "detail": record }).to_string()
    };
    let events = records.iter().chain([&record("envelope", json!(null))]).map(envelope).collect::<Vec<_>>();
    std::fs::write(folder.path().join("events.json"), events.join("\n")).expect("a file");
    std::fs::write(folder.path().join("bare.json"), record("nobody", json!({ "accountId": "HIDDEN" })).to_string())
        .expect("a file");
    let ended = good(replay_of([folder.path()]).arg("--logs").arg("all")).await;
    let accounts = tally(ended.logs().iter().map(|log| {
        let attributes = &log["attributes"];
        (text(&attributes["event.id"]), text(&attributes["aws.accountId"]))
    }));
    let want =
        [("envelope", "444455556666"), ("identity", "111122223333"), ("key or envelope", "444455556666"), ("nobody", "unknown")];
    assert_eq!(accounts, want.map(|(id, account)| ((id.to_owned(), account.to_owned()), 1)).into());
}
