//! Violations and findings whose exceptions are over.

use super::super::schedule::{Clockwork, Schedule};
use super::super::tests::{BAD, HOUR, NOW, ONE, Scene, place};
use super::*;
use crate::ack::{Counts, ObjectEntry, Outcome};
use crate::classify::RuleSet;
use crate::config::Watched;
use crate::posture::{Covered, Verdict, Weight};
use crate::record::finding::Around;
use crate::record::time::format_ms;
use crate::record::{Finding, FindingForm, Severity};

const GUARD_DUTY: &str = include_str!("../../../tests/fixtures/eventbridge/guardduty-finding-high.json");
const RULE: &str = "s3-bucket-public-read-prohibited";

/// A finding that the exception of this mark covers.
fn found(findings: &Findings, mark: Mark) -> String {
    let event: serde_json::Value = serde_json::from_str(GUARD_DUTY).expect("JSON");
    let raw = event["detail"].to_string();
    let finding = Finding::parse(FindingForm::GuardDuty, raw.as_bytes(), Around::default()).expect("a finding");
    let record = ObjectEntry::enter(Arc::new(Counts::new("events")), 1, None).record();
    record.ends_as(Outcome::Delivered);
    let cover = Cover { control: mark.control, scope: mark.scope, until_ms: NOW + 2 * HOUR, is_over: false };
    let weight = Weight { severity: Severity::High, covered: Covered::By(cover) };
    let Verdict::Tell(tell) = findings.judge(&finding, weight, &finding.event_id(), NOW, || record.piece()) else {
        panic!("it is new")
    };
    findings.conclude(tell.token, Settled::Delivered, record.piece());
    finding.control().to_owned()
}

/// S2-20: what an exception covered pages at its end, once for each control in a place, though AWS says nothing more of it.
#[tokio::test]
async fn the_end_of_an_exception_pages_for_what_it_covered() {
    let places = [place(ONE, "eu-west-1"), place(ONE, "us-east-1")];
    let mut scene = Scene::new(Some(&places), Watched::default());
    let kind = {
        let event: serde_json::Value = serde_json::from_str(GUARD_DUTY).expect("JSON");
        event["detail"]["type"].as_str().expect("a type").to_owned()
    };
    let end = format_ms(NOW + 2 * HOUR);
    let line = |control: &str, expires: &str| {
        format!(
            "- {{control: '{control}', owner: o, reason: r, expires: {expires}, scope: {{regions: [eu-west-1, us-east-1]}}}}\n"
        )
    };
    let text = line(RULE, &end) + &line(&kind, &end) + &line("restricted-ssh", "2027-01-31");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("exceptions.yml");
    std::fs::write(&path, text).expect("a file");
    let (exceptions, _) = Exceptions::from_file(&path, "UTC", &RuleSet::default()).expect("exceptions");
    let mark = exceptions.list()[1].mark();
    Arc::get_mut(&mut scene.lead.stages).expect("nobody else has it").exceptions = exceptions;
    assert_eq!(found(&scene.lead.stages.findings, mark), kind);
    scene.aws.put(&places[0], RULE, BAD, NOW - HOUR);
    scene.aws.put(&places[0], &format!("{RULE}-conformance-pack-abcdefghi"), BAD, NOW - HOUR);
    scene.aws.put(&places[1], "restricted-ssh", BAD, NOW - HOUR);
    scene.reads(0, None).await;
    let mut schedule = Schedule::default();
    let clockwork = Clockwork::new(&mut schedule, None);
    let told = async |hours: i64| {
        scene.lead.clock.advance_to(NOW + hours * HOUR);
        scene.sent.lock().unwrap().clear();
        tell(&scene.lead, &clockwork, NOW + hours * HOUR).await;
        let words = ["control.id", "aws.region", "compliance.previousState", "finding.previousStatus", "exception.uncovered"];
        let rows = scene.rows("AwsSecurityNotice");
        rows.iter().map(|row| words.map(|word| row[word].to_string().replace('"', "")).join(" ")).collect::<Vec<_>>()
    };
    assert_eq!(told(1).await, Vec::<String>::new(), "it holds");
    let want = [format!("{kind} us-east-1 null EXCEPTED 1"), format!("{RULE} eu-west-1 EXCEPTED null 2")];
    assert_eq!(told(3).await, want);
    assert_eq!(scene.lead.stages.findings.open_counts().first().map(|row| (row.open, row.excepted)), Some((1, 0)));
    assert_eq!(told(4).await, Vec::<String>::new(), "once");
}

/// Rules whose exceptions end together.
const ENDING: [&str; 3] = ["restricted-ssh", RULE, "iam-root-access-key-check"];

/// What is sent.
type Taken = tokio::sync::mpsc::Receiver<crate::encode::Batch>;

/// An exception of a control, so many hours from now.
fn line(control: &str, hours: i64, scope: &str) -> String {
    format!("- {{control: {control}, owner: o, reason: r, expires: {}, scope: {{{scope}}}}}\n", format_ms(NOW + hours * HOUR))
}

/// These rules violated since then, and the exceptions of this file; and what is sent.
async fn of_file(text: &str, rules: &[(&str, i64)]) -> (Scene, Taken) {
    let places = [place(ONE, "eu-west-1")];
    let mut scene = Scene::new(Some(&places), Watched::default());
    let path = std::path::Path::new("exceptions.yml");
    let (exceptions, _) = Exceptions::from_text(text, path, "UTC", &RuleSet::default()).expect("exceptions");
    Arc::get_mut(&mut scene.lead.stages).expect("nobody else has it").exceptions = exceptions;
    for (rule, hours) in rules {
        scene.aws.put(&places[0], rule, BAD, NOW + hours * HOUR);
    }
    let last = rules.iter().map(|(_, hours)| *hours).max().unwrap_or(0).max(0);
    scene.lead.clock.advance_to(NOW + last * HOUR);
    scene.reads(last, None).await;
    let (batches, taken) = tokio::sync::mpsc::channel(2);
    scene.lead.batches = batches;
    (scene, taken)
}

/// Each of [`ENDING`] violated, and excepted for so many hours.
async fn of_rules(hours: i64) -> (Scene, Taken) {
    let text: String = ENDING.iter().map(|rule| line(rule, hours, "")).collect();
    of_file(&text, &ENDING.map(|rule| (rule, -1))).await
}

/// What is told at that hour: control and count. The notice about `returned` comes back, the others arrive.
async fn told_at(scene: &Scene, taken: &mut Taken, clockwork: &Clockwork<'_, '_>, hours: i64, returned: &str) -> Vec<String> {
    scene.lead.clock.advance_to(NOW + hours * HOUR);
    let mut told = Vec::new();
    let answering = async {
        while let Some(batch) = taken.recv().await {
            for (item, piece) in batch.into_items().expect("a batch") {
                let row: serde_json::Value = serde_json::from_slice(&item).expect("JSON");
                let control = row["control.id"].as_str().expect("a control");
                told.push(format!("{control} {}", row["exception.uncovered"]));
                piece.settle(if control == returned { Settled::Returned } else { Settled::Delivered });
            }
        }
    };
    tokio::select! {
        () = tell(&scene.lead, clockwork, NOW + hours * HOUR) => {}
        () = answering => {}
    }
    told
}

/// S2-20: of two exceptions that mean a violation the one that holds longest is its own: nothing of it is told at the end of the
/// other one, and its end is told though that of the other one was, and another notice came back.
#[tokio::test]
async fn the_end_that_counts_is_the_last_one() {
    let of_pack = format!("{RULE}-conformance-pack-abcdefghi");
    let lines = [line(RULE, 1, ""), line(RULE, 3, "resources: [vault]"), line("restricted-ssh", 1, "")];
    for text in [lines.concat(), lines.iter().rev().map(String::as_str).collect()] {
        let (scene, mut taken) = of_file(&text, &[(RULE, -1), (&of_pack, -1), ("restricted-ssh", -1)]).await;
        let mut schedule = Schedule::default();
        let clockwork = Clockwork::new(&mut schedule, None);
        clockwork.done(KIND, NOW);
        let one = format!("{RULE} 1");
        let told = told_at(&scene, &mut taken, &clockwork, 2, "restricted-ssh").await;
        assert_eq!(told, ["restricted-ssh 1", &one]);
        assert_eq!(told_at(&scene, &mut taken, &clockwork, 4, "").await, ["restricted-ssh 1", &one]);
        assert_eq!(told_at(&scene, &mut taken, &clockwork, 5, "").await, [""; 0]);
    }
}

/// S2-20: nobody looked for hours; what began after one end, while another exception held, is told at the end of that one.
#[tokio::test]
async fn what_began_between_two_ends_is_told() {
    for (began, want) in [(0, 1), (2, 1), (4, 0)] {
        let text = line(RULE, 1, "") + &line(RULE, 3, "regions: [eu-west-1]");
        let (scene, mut taken) = of_file(&text, &[(RULE, began)]).await;
        let mut schedule = Schedule::default();
        let clockwork = Clockwork::new(&mut schedule, None);
        clockwork.done(KIND, NOW);
        assert_eq!(told_at(&scene, &mut taken, &clockwork, 5, "").await.len(), want, "began at {began}");
    }
}

/// S2-20: of several ends that are told together only what came back is told again, also by the agent that leads next.
#[tokio::test]
async fn an_end_that_was_accepted_or_refused_is_not_told_again() {
    let (scene, mut taken) = of_rules(2).await;
    let mut written = Schedule::default().bytes();
    for (hours, answers, want) in [
        (1, [Settled::Delivered; 3], &[][..]),
        (
            3,
            [Settled::Rejected, Settled::Returned, Settled::Delivered],
            &["iam-root-access-key-check", "restricted-ssh", RULE][..],
        ),
        (4, [Settled::Returned; 3], &["restricted-ssh"]),
        (5, [Settled::Rejected; 3], &["restricted-ssh"]),
        (6, [Settled::Delivered; 3], &[]),
    ] {
        scene.lead.clock.advance_to(NOW + hours * HOUR);
        let mut schedule = Schedule::read(&written);
        let clockwork = Clockwork::new(&mut schedule, None);
        let mut told = Vec::new();
        let mut answers = answers.into_iter();
        let answering = async {
            while let Some(batch) = taken.recv().await {
                for (item, piece) in batch.into_items().expect("a batch") {
                    let row: serde_json::Value = serde_json::from_slice(&item).expect("JSON");
                    told.push(row["control.id"].as_str().expect("a control").to_owned());
                    piece.settle(answers.next().expect("no more than there are rules"));
                }
            }
        };
        tokio::select! {
            () = tell(&scene.lead, &clockwork, NOW + hours * HOUR) => {}
            () = answering => {}
        }
        assert_eq!(told, want, "{hours}");
        drop(clockwork);
        written = schedule.bytes();
    }
}

/// P02: the answers that come while the agent stops count, though nobody waits for the rest any more.
#[tokio::test]
async fn what_is_told_while_the_agent_stops_is_not_told_again() {
    let (scene, mut taken) = of_rules(1).await;
    let mut schedule = Schedule::default();
    let clockwork = Clockwork::new(&mut schedule, None);
    clockwork.done(KIND, NOW);
    scene.lead.clock.advance_to(NOW + 2 * HOUR);
    let mut waiting = Vec::new();
    tokio::select! {
        () = tell(&scene.lead, &clockwork, NOW + 2 * HOUR) => panic!("not all was answered"),
        () = async {
            while waiting.len() < ENDING.len() {
                waiting.extend(taken.recv().await.expect("a batch").into_items().expect("a batch"));
            }
        } => {}
    }
    // The work is stopped; two answers still come, and the third goes back.
    let mut open = Vec::new();
    for ((item, piece), settled) in waiting.into_iter().zip([Settled::Delivered, Settled::Returned, Settled::Rejected]) {
        let row: serde_json::Value = serde_json::from_slice(&item).expect("JSON");
        if settled == Settled::Returned {
            open.push(row["control.id"].as_str().expect("a control").to_owned());
        }
        piece.settle(settled);
    }
    drop(clockwork);
    let mut schedule = Schedule::read(&schedule.bytes());
    let clockwork = Clockwork::new(&mut schedule, None);
    let mut told = Vec::new();
    tokio::select! {
        () = tell(&scene.lead, &clockwork, NOW + 3 * HOUR) => {}
        () = async {
            while let Some(batch) = taken.recv().await {
                for (item, piece) in batch.into_items().expect("a batch") {
                    let row: serde_json::Value = serde_json::from_slice(&item).expect("JSON");
                    told.push(row["control.id"].as_str().expect("a control").to_owned());
                    piece.settle(Settled::Delivered);
                }
            }
        } => {}
    }
    assert_eq!(told, open);
}
