//! The demo as a newcomer sees it: the dashboard in the browser, both halves of its summary, and how it ends.

mod widgets;

use std::time::Duration;

use super::support::PATIENCE;
use super::support::agent::{Agent, is_lean};

/// Time for five weeks, in a build that is not optimised, beside other tests on a busy machine.
const WEEKS: Duration = Duration::from_mins(10);

/// Everything the table counts as severe has a line in the feed, the last ones too.
#[tokio::test]
async fn the_demo_feeds_every_severe_detection_fills_every_widget_and_ends_well() {
    if is_lean() {
        return;
    }
    let mut demo = Agent::new(["demo"]).start();
    demo.says_within(WEEKS, "Ctrl-C ends both").await;
    let printed = demo.printed();
    let url = printed.lines().find_map(|line| line.strip_prefix("Dashboards on ")).expect("an address");
    let (widgets, empty) = widgets::empty(url.trim()).await;
    demo.terminate();
    let ended = demo.exited(PATIENCE).await;
    assert!(widgets > 80 && empty.is_empty(), "{widgets} widgets, of which show nothing:\n{}", empty.join("\n"));
    assert_eq!(ended.status.code(), Some(0), "{}\n{}", ended.stdout, ended.stderr);
    let (feed, table) = ended.stdout.split_once("Detections per control").expect("a table after the feed");
    for severity in ["CRITICAL", "HIGH"] {
        let fed = feed.lines().filter(|line| line.split_whitespace().nth(1) == Some(severity)).count();
        let counted = table.lines().filter(|line| line.split_whitespace().next() == Some(severity));
        let counted: usize =
            counted.filter_map(|line| line.split_whitespace().last().and_then(|count| count.parse::<usize>().ok())).sum();
        assert!(counted > 0 && fed == counted, "{severity}: {fed} in the feed, {counted} in the table\n{}", ended.stdout);
    }
    // What the agent adds, and the age of the records on a clock that follows them: a turn is three hours at most.
    let added =
        table.lines().find_map(|line| line.strip_prefix("Lag, from the agent's taking a file to the yes to the last of it: "));
    let seconds: Vec<f64> = added.into_iter().flat_map(str::split_whitespace).filter_map(|word| word.parse().ok()).collect();
    assert!(matches!(seconds[..], [median, longest] if 0.0 < median && median <= longest), "{added:?}");
    assert!(added.is_some_and(|line| line.ends_with(" (60 files)")), "{added:?}");
    let own = table.lines().find(|line| line.starts_with("Lag by the records' own times (relay.lagMs): at most "));
    assert!(own.is_some_and(|line| line.contains(" 0 h ") || line.contains(" 1 h ") || line.contains(" 2 h ")), "{own:?}");
    the_demo_shows_what_is_out_of_policy(&ended.stdout);
    the_demo_says_what_went_wrong(&ended.stdout);
}

/// The preventive half of the summary: each table is there, and its numbers fit one another.
fn the_demo_shows_what_is_out_of_policy(stdout: &str) {
    let section = |title: &str| {
        let (_, rest) = stdout.split_once(&format!("\n{title}\n")).unwrap_or_else(|| panic!("{title:?} in {stdout}"));
        let lines = rest.lines().skip(1).take_while(|line| line.starts_with("  "));
        lines.map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()).collect::<Vec<Vec<&str>>>()
    };
    let whole = |cell: &str| cell.parse::<u64>().unwrap_or_else(|_| panic!("{cell:?} is a count"));
    let compliance = section("Compliance by AWS Config, after five weeks");
    assert_eq!(compliance.iter().map(|row| row[0]).collect::<Vec<_>>(), ["rules, per account and Region", "resources"]);
    let top = section("Top violating rules");
    assert!(top.len() == 10 && top.is_sorted_by(|a, b| whole(a[2]) >= whole(b[2])), "{top:?}");
    let counted = compliance.iter().map(|row| (row[1], row[2], row[3])).chain(top.iter().map(|row| (row[3], row[2], row[4])));
    for (compliant, violating, percent) in counted {
        let (compliant, violating) = (whole(compliant), whole(violating));
        let parts = compliant * 10_000 / (compliant + violating);
        assert!(violating > 0);
        assert_eq!(percent, format!("{}.{:02}%", parts / 100, parts % 100));
    }
    let findings = section("Open findings by severity");
    let (all, products) = findings.split_last().expect("a line of all");
    assert_eq!(products.iter().map(|row| row[0]).collect::<Vec<_>>().len(), 5, "{products:?}");
    for column in 1..=5 {
        assert_eq!(whole(all[column]), products.iter().map(|row| whole(row[column])).sum::<u64>(), "{findings:?}");
    }
    let changes = section("Resources changed in the last 24 hours, and by whom");
    let unseen: Vec<&str> = changes.iter().filter(|row| row.contains(&"none")).map(|row| row[0]).collect();
    assert_eq!((changes.len(), unseen), (13, vec!["vol-0c1d2e3f4a5b6c7d8"]), "{changes:?}");
    assert!(changes.iter().any(|row| row.contains(&"PutBucketPolicy") && row.contains(&"alice (unknown)")), "{changes:?}");
    let held = section("Held by the stand-in");
    assert!(held.len() == 6 && held.iter().all(|row| whole(row[1]) > 0 && row[4] == "0"), "nothing is late: {held:?}");
    let notices = stdout.lines().find_map(|line| line.strip_prefix("Notices of these weeks: ")).expect("a line of notices");
    let counts: Vec<u64> = notices.split(", ").map(|part| whole(part.split(' ').next().unwrap_or_default())).collect();
    let sent = held.iter().find(|row| row[0] == "AwsSecurityNotice").map(|row| whole(row[1]));
    assert!(counts.len() == 3 && counts.iter().all(|count| *count > 0), "{notices}");
    assert_eq!(Some(counts.iter().sum()), sent, "each notice is about one thing");
    for text in ["\nThe agent's own state says the same\n", ": in = out\n", "\ndemo: the counts add up\n"] {
        assert!(stdout.contains(text), "{text:?} in {stdout}");
    }
}

/// What the summary says went wrong: on purpose, each once.
fn the_demo_says_what_went_wrong(stdout: &str) {
    let (_, rest) =
        stdout.split_once("\nWhat went wrong, as the page Relay health shows it\n").expect("a table of what went wrong");
    let what: Vec<&str> = rest.lines().skip(1).take(4).filter_map(|line| line.trim().split("  ").next()).collect();
    assert_eq!(
        what,
        ["gap (corrupt, 14 records read)", "lost after the yes", "event never came", "exception expired"],
        "{stdout}"
    );
    assert!(stdout.contains(", and 1 that New Relic lost after its yes: in = out\n"), "{stdout}");
    assert!(stdout.contains(" released + 1 parked + 0 returned\n"), "{stdout}");
}

/// One signal ends it wherever it is, with the summary.
#[tokio::test]
async fn the_demo_ends_at_the_first_signal() {
    if is_lean() {
        return;
    }
    let mut demo = Agent::new(["demo"]).start();
    demo.says(" HIGH ").await;
    demo.terminate();
    let ended = demo.exited(PATIENCE).await;
    assert_eq!(ended.status.code(), Some(0), "{}\n{}", ended.stdout, ended.stderr);
    // Before the numbers and after them: whoever sees only the end must not take a part for the whole.
    let cut_short =
        ended.stdout.lines().filter(|line| line.starts_with("Stopped after ") && line.contains(" objects: these are"));
    assert_eq!(cut_short.count(), 2, "{}", ended.stdout);
    for text in ["\nStopped after ", "\nDetections per control\n", ": in = out\n", "\ndemo: the counts add up\n"] {
        assert!(ended.stdout.contains(text), "{text:?} in {}", ended.stdout);
    }
    assert!(!ended.stdout.contains("Ctrl-C"), "{}", ended.stdout);
}
