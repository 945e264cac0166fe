//! `quickstart` as a first user meets it: with flags, in a terminal, in Japanese; and what it refuses.

use std::path::Path;

use serde_json::Value;

use super::support::agent::{self, Agent, Finished, LICENSE_KEY};
use super::support::skip;

const TRAIL: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/trail";
const EVENTS: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/events";

fn quickstart(folder: &Path, words: &[&str]) -> Agent {
    let agent = Agent::new(["quickstart", "--dir"]).arg(folder.to_string_lossy());
    words.iter().fold(agent, |agent, word| agent.arg(*word))
}

async fn answered(folder: &Path, words: &[&str]) -> Finished {
    quickstart(folder, words).finish().await
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// `check` on what was written.
async fn checked(folder: &Path) -> Finished {
    let config = folder.join("cspm-relay.yml");
    Agent::new(["check"]).arg(config.to_string_lossy()).env("NEW_RELIC_LICENSE_KEY", LICENSE_KEY).finish().await
}

#[tokio::test]
async fn what_is_written_by_flags_passes_the_checks_of_the_agent_and_of_the_dashboards() {
    let folder = tempfile::tempdir().expect("a folder");
    let words = [
        "--region",
        "us",
        "--account",
        "1234567,7654321",
        "--trail-queue",
        TRAIL,
        "--trail-bucket",
        "example-trail",
        "--event-queue",
        EVENTS,
        "--posture",
        "own",
        "--timezone",
        "Europe/Berlin",
        "--yes",
    ];
    let ended = answered(folder.path(), &words).await;
    assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), ""), "{}", ended.stdout);
    let at = |name: &str| folder.path().join(name).display().to_string();
    for said in [
        format!("  {}  the configuration\n", at("cspm-relay.yml")),
        format!("  cspm-relay check {}  # ", at("cspm-relay.yml")),
        format!("  cspm-relay doctor newrelic --config {}  # ", at("cspm-relay.yml")),
        format!("  cspm-relay run {}  # the agent\n", at("cspm-relay.yml")),
    ] {
        assert!(ended.stdout.contains(&said), "{said}: {}", ended.stdout);
    }

    let check = checked(folder.path()).await;
    assert_eq!(check.status.code(), Some(0), "{}{}", check.stdout, check.stderr);
    assert!(
        check.stdout.contains("account 1234567, region us") && check.stdout.contains("its own account, eu-west-1"),
        "{}",
        check.stdout
    );

    for (lang, name) in [("en", "dashboards/cspm.json"), ("ja", "dashboards/cspm.ja.json")] {
        let render = ["dashboards", "render", "--account", "1234567,7654321", "--timezone", "Europe/Berlin", "--lang", lang];
        assert_eq!(read(folder.path(), name), Agent::new(render).finish().await.stdout, "{name}");
    }
    assert_eq!(Agent::new(["dashboards", "lint"]).finish().await.status.code(), Some(0));

    let policy: Value = serde_json::from_str(&read(folder.path(), "iam-policy.json")).expect("JSON");
    let statements = policy["Statement"].as_array().expect("statements");
    let of = |sid: &str| statements.iter().find(|statement| statement["Sid"] == sid).unwrap_or_else(|| panic!("{sid}: {policy}"));
    assert_eq!(of("TrailQueue")["Resource"], serde_json::json!(["arn:aws:sqs:eu-west-1:111122223333:trail"]));
    assert_eq!(of("EventQueue")["Resource"], serde_json::json!(["arn:aws:sqs:eu-west-1:111122223333:events"]));
    assert_eq!(of("TrailObjects")["Resource"], serde_json::json!(["arn:aws:s3:::example-trail/*AWSLogs/*"]));
    assert_eq!(of("ConfigRules")["Condition"]["StringEquals"]["aws:RequestedRegion"], serde_json::json!(["eu-west-1"]));
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 3, "nothing else stays behind");
}

#[tokio::test]
async fn the_language_may_be_japanese() {
    let folder = tempfile::tempdir().expect("a folder");
    let queue = TRAIL.replace("eu-west-1", "ap-northeast-1");
    let ended = answered(folder.path(), &["--lang", "ja", "--account", "7", "--trail-queue", &queue, "--yes"]).await;
    assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), ""), "{}", ended.stdout);
    assert!(
        ended.stdout.starts_with("書き込みました：\n") && ended.stdout.contains("注意：バケットを指定していない"),
        "{}",
        ended.stdout
    );
    let config = read(folder.path(), "cspm-relay.yml");
    assert!(
        config.contains("キーそのものは書きません") && config.contains("region: jp") && config.contains("'Asia/Tokyo'"),
        "{config}"
    );
    assert_eq!(checked(folder.path()).await.status.code(), Some(0));

    let refused = quickstart(folder.path(), &["--account", "x", "--trail-queue", TRAIL, "--yes"]).env("LANG", "ja_JP.UTF-8");
    let refused = refused.finish().await;
    assert_eq!(refused.status.code(), Some(2));
    assert!(refused.stderr.contains("--account: \"x\" は New Relic のアカウント ID ではありません"), "{}", refused.stderr);
}

#[tokio::test]
async fn files_that_are_there_stay_unless_they_may_be_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let words = ["--account", "7", "--trail-queue", TRAIL, "--yes"];
    std::fs::write(folder.path().join("iam-policy.json"), "mine").expect("a file");
    let ended = answered(folder.path(), &words).await;
    assert_eq!((ended.status.code(), &*ended.stdout), (Some(2), ""));
    let there = folder.path().join("iam-policy.json");
    assert!(ended.stderr.contains(&format!("{}: there already, nothing was written", there.display())), "{}", ended.stderr);
    assert_eq!(
        (read(folder.path(), "iam-policy.json"), std::fs::read_dir(folder.path()).expect("it").count()),
        ("mine".into(), 1)
    );
    let forced = answered(folder.path(), &[&words[..], &["--force"]].concat()).await;
    assert_eq!(forced.status.code(), Some(0), "{}", forced.stderr);
    assert!(read(folder.path(), "iam-policy.json").contains("sqs:ReceiveMessage"));
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_flag_and_nothing_is_written() {
    let gov = TRAIL.replace("eu-west-1", "us-gov-west-1");
    for (words, told) in [
        (
            &["--account", "111122223333", "--trail-queue", TRAIL, "--yes"][..],
            "--account: \"111122223333\" looks like an AWS account id",
        ),
        (
            &["--account", "7", "--trail-queue", "arn:aws:sqs:eu-west-1:1:x", "--yes"],
            "--trail-queue: \"arn:aws:sqs:eu-west-1:1:x\" is no URL",
        ),
        (
            &["--account", "7", "--trail-queue", TRAIL, "--event-queue", &gov, "--yes"],
            "is of another partition than the first queue (aws)",
        ),
        (&["--trail-queue", TRAIL, "--yes"], "--account: needed, and there is no default"),
        (
            &["--account", "7"],
            "--region, --license-key, --trail-queue, --event-queue, --posture, --timezone: not given, and there is no terminal",
        ),
        (&["--account", "7", "--yes"], "--posture: nothing would be read"),
        (
            &["--account", "7", "--trail-queue", TRAIL, "--license-key", LICENSE_KEY, "--yes"],
            "--license-key: not a place of a key",
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let ended = answered(folder.path(), words).await;
        assert_eq!((ended.status.code(), &*ended.stdout), (Some(2), ""), "{words:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(told) && !ended.stderr.contains(LICENSE_KEY), "{words:?}: {}", ended.stderr);
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0, "{words:?}");
    }
}

/// Types an answer whenever the program waits behind a colon.
const TYPIST: &str = r#"
import os, pty, sys
answers = sys.argv[1].split("|")
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown, typed = b"", 0
while True:
    try:
        read = os.read(terminal, 4096)
    except OSError:
        break
    if not read:
        break
    shown += read
    if typed < len(answers) and shown.endswith(b": "):
        os.write(terminal, answers[typed].encode() + b"\n")
        typed += 1
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

#[tokio::test]
async fn a_person_at_a_terminal_is_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let answers = ["eu", "12 34", "1234567", "", TRAIL, "example-trail", "", "off", "Europe/Rome"].join("|");
    let typist = Agent::new(["typist.py"]).program("python3").arg(answers).arg(agent::binary().to_string_lossy());
    typist.file("typist.py", TYPIST);
    let has_python = std::process::Command::new("python3").args(["-c", "import pty"]).status();
    if !has_python.is_ok_and(|status| status.success()) {
        skip("there is no python3 with pty");
        return;
    }
    let ended = typist.arg("quickstart").arg("--dir").arg(folder.path().to_string_lossy()).finish().await;
    assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
    for shown in ["[1/5] New Relic", "! \"12 34\" is no New Relic account id", "[5/5] Calendar", "Next:"] {
        assert!(ended.stdout.contains(shown), "{shown}: {}", ended.stdout);
    }
    let config = read(folder.path(), "cspm-relay.yml");
    assert!(config.contains("accountId: 1234567") && config.contains("'Europe/Rome'") && !config.contains("posture"), "{config}");
    assert_eq!(checked(folder.path()).await.status.code(), Some(0));
}

#[tokio::test]
async fn iam_prints_the_policies_that_were_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let words =
        ["--account", "1", "--trail-queue", TRAIL, "--posture", "111122223333", "--dead-letters", "s3://letters/relay", "--yes"];
    let ended = answered(folder.path(), &words).await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let config = folder.path().join("cspm-relay.yml");
    let printed = Agent::new(["iam", "--format", "json"]).arg(config.to_string_lossy()).finish().await;
    let policies: Vec<Value> =
        serde_json::from_str(&printed.stdout).unwrap_or_else(|error| panic!("{error}: {}", printed.stderr));
    let files: Vec<&str> = policies.iter().filter_map(|policy| policy["file"].as_str()).collect();
    assert_eq!(files, ["iam-policy.json", "iam-role-policy.json", "iam-letters-policy.json"]);
    for policy in &policies {
        let written = read(folder.path(), policy["file"].as_str().expect("a name"));
        assert_eq!(serde_json::from_str::<Value>(&written).expect("JSON"), policy["policy"]);
    }
}
