//! Answers, the files that they give, and how those are written.

use std::collections::BTreeMap;
use std::io::Cursor;

use super::*;
use crate::config::SourceKind;

const TRAIL: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/trail";
const EVENTS: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/events";

fn asked(args: &Args, typed: Option<&str>, language: Language) -> (Result<Answers, Stop>, String) {
    let mut input = Cursor::new(typed.unwrap_or_default().as_bytes().to_vec());
    let mut output = Vec::new();
    let asking = Asking::new(language, &mut input, &mut output, typed.is_some(), args.yes);
    let answers = questions::all(args, &BTreeMap::new(), asking);
    (answers, String::from_utf8(output).unwrap())
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn trail() -> Args {
    Args { account: Some(text("1234567")), trail_queue: Some(text(TRAIL)), yes: true, ..Args::default() }
}

#[test]
fn a_person_is_asked_five_questions_and_again_after_a_wrong_answer() {
    let typed = format!(
        "uk\neu\n111122223333\n1234567,7\nNRAK-SECRETSECRET\n\n{TRAIL}\nexample-trail\n{TRAIL}\n{EVENTS}\nown\n\nEurope/Paris\n"
    );
    let (answers, said) = asked(&Args::default(), Some(&typed), Language::English);
    let answers = answers.unwrap();
    assert_eq!((&*answers.accounts, &*answers.license_key), (&[1_234_567, 7][..], "env:NEW_RELIC_LICENSE_KEY"));
    assert_eq!(
        (&*answers.trail_buckets, &*answers.posture_regions),
        (&["example-trail".to_owned()][..], &["eu-west-1".to_owned()][..])
    );
    assert_eq!(answers.timezone, "Europe/Paris");
    for told in [
        "[1/5] New Relic",
        "[5/5] Calendar",
        "! \"uk\" is no data centre of New Relic: us, eu or jp is",
        "! \"111122223333\" looks like an AWS account id; a New Relic account id has 1 to 10 digits",
        "! not a place of a key: env:NAME or file:PATH is",
        "is the trail's queue: each needs one of its own",
        "AWS Regions, with commas between [eu-west-1]: ",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert!(!said.contains("SECRET"), "{said}");
}

#[test]
fn a_person_who_leaves_gets_nothing() {
    let (answers, _) = asked(&Args::default(), Some("eu\n"), Language::English);
    assert!(answers.unwrap_err().what.contains("nothing was written"));
}

#[test]
fn the_questions_are_japanese_where_that_is_asked_for() {
    let (answers, said) =
        asked(&Args::default(), Some("\n1234567\n\nなし\nなし\noff\nown\nap-northeast-1\n\n"), Language::Japanese);
    let answers = answers.unwrap();
    assert_eq!((answers.region, &*answers.timezone), (crate::config::Region::Jp, "Asia/Tokyo"));
    assert!(said.contains("データセンター：us、eu、jp [jp]: ") && said.contains("! 読むものがありません"), "{said}");
}

#[test]
fn without_a_terminal_every_missing_flag_is_named_at_once() {
    let (answers, said) = asked(&Args { region: Some(text("uk")), ..Args::default() }, None, Language::English);
    let what = answers.unwrap_err().what;
    for told in [
        "--region: \"uk\" is no data centre",
        "--account: needed, and there is no default",
        "--license-key, --trail-queue, --event-queue, --posture, --timezone: not given, and there is no terminal",
    ] {
        assert!(what.contains(told), "{told}: {what}");
    }
    assert_eq!(said, "");
}

#[test]
fn wrong_answers_are_told_with_what_is_allowed() {
    let gov = "https://sqs.us-gov-west-1.amazonaws.com/111122223333/events";
    for (args, told) in [
        (Args { account: Some(text("12a")), ..trail() }, "--account: \"12a\" is no New Relic account id: 1 to 10 digits are"),
        (Args { account: Some(text(",")), ..trail() }, "--account: \",\" is no"),
        (
            Args { trail_queue: Some(text("http://x")), ..trail() },
            "--trail-queue: \"http://x\" is no URL of an SQS queue: https://sqs.",
        ),
        (Args { event_queue: Some(text(gov)), ..trail() }, "is of another partition than the first queue (aws)"),
        (Args { event_queue: Some(text(TRAIL)), ..trail() }, "--event-queue: "),
        (Args { trail_bucket: Some(text("A_B")), ..trail() }, "--trail-bucket: \"A_B\" is no bucket's name"),
        (Args { license_key: Some(text("0123456789abcdef")), ..trail() }, "--license-key: not a place of a key"),
        (Args { license_key: Some(text("ssm:/key")), ..trail() }, "--license-key: not a place of a key"),
        (Args { posture: Some(text("all")), ..trail() }, "--posture: \"all\" is none of off, own"),
        (
            Args { posture: Some(text("aggregator:org")), aggregator_region: Some(text("eu-west-1,eu-west-2")), ..trail() },
            "--aggregator-region: \"eu-west-1,eu-west-2\" is no AWS Region",
        ),
        (
            Args { aggregator_region: Some(text("eu-west-1")), ..trail() },
            "--aggregator-region: it goes with --posture aggregator",
        ),
        (
            Args { posture: Some(text("off")), posture_regions: Some(text("eu-west-1")), ..trail() },
            "--posture-regions: no AWS Config is read",
        ),
        (Args { dead_letters: Some(text("/var/dead")), ..trail() }, "--dead-letters: \"/var/dead\" is no place of dead letters"),
        (Args { dead_letters: Some(text(TRAIL)), ..trail() }, "is a queue that is read"),
        (
            Args { dead_letters: Some(text("https://sqs.eu-west-1.amazonaws.com/111122223333/dead.fifo")), ..trail() },
            "--dead-letters: \"https://sqs.eu-west-1.amazonaws.com/111122223333/dead.fifo\" is a FIFO queue",
        ),
        (
            Args { posture: Some(text("own")), posture_regions: Some(text("cn-north-1")), ..trail() },
            "--posture-regions: \"cn-north-1\" is of another",
        ),
        (Args { posture_role: Some(text("x")), ..trail() }, "--posture-role: a role is taken only"),
        (Args { timezone: Some(text("Mars/Base")), ..trail() }, "--timezone: \"Mars/Base\" is no IANA time zone"),
        (Args { trail_queue: None, ..trail() }, "--posture: nothing would be read"),
    ] {
        let what = asked(&args, None, Language::English).0.unwrap_err().what;
        assert!(what.contains(told), "{told}: {what}");
    }
}

#[test]
fn the_file_is_read_back_as_it_was_meant() {
    for language in [Language::English, Language::Japanese] {
        let args = Args {
            region: Some(text("EU")),
            license_key: Some(text("file:/run/it's here")),
            trail_bucket: Some(text("example-trail")),
            event_queue: Some(text(EVENTS)),
            posture: Some(text("111122223333,012345678901")),
            ..trail()
        };
        let answers = asked(&args, None, language).0.unwrap();
        let config = read_back(&yaml::text(&answers)).unwrap();
        assert_eq!((config.new_relic.account_id, config.new_relic.region), (1_234_567, crate::config::Region::Eu));
        let posture = config.posture.unwrap();
        assert_eq!((&*posture.accounts[1], posture.role.unwrap().to_string()), ("012345678901", "cspm-relay-read".to_owned()));
        let SourceKind::TrailBucket { buckets, .. } = &config.sources[0].kind else { panic!("{:?}", config.sources) };
        assert_eq!((&**buckets, config.sources.len()), (&["example-trail".to_owned()][..], 2));
        assert!(yaml::text(&answers).contains("licenseKey: 'file:/run/it''s here'"));
    }
}

#[test]
fn the_role_has_a_policy_of_its_own() {
    let names = |args: &Args| {
        let answers = asked(args, None, Language::English).0.unwrap();
        files(&answers).unwrap().into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    let letters = Args { dead_letters: Some(text("s3://example-dead/relay")), ..trail() };
    let always = ["cspm-relay.yml", "dashboards/cspm.json", "dashboards/cspm.ja.json", "iam-policy.json"];
    assert_eq!(names(&trail()), always);
    let with_role = names(&Args { posture: Some(text("111122223333,222233334444")), ..trail() });
    assert_eq!(with_role, [&always[..], &["iam-role-policy.json"]].concat());
    assert_eq!(names(&letters), [&always[..], &["iam-letters-policy.json"]].concat());
}

/// What is written must hold where the agent runs, whose `AWS_REGION` is not this machine's.
#[test]
fn the_region_of_an_aggregator_is_in_the_file_and_in_the_policy() {
    let regions = |aggregator_region: Option<&str>, event_queue: Option<&str>| {
        let (aggregator_region, event_queue) = (aggregator_region.map(text), event_queue.map(text));
        let args = Args { posture: Some(text("aggregator:org")), aggregator_region, event_queue, ..trail() };
        let mut input = Cursor::new(Vec::new());
        let mut output = Vec::new();
        let asking = Asking::new(Language::English, &mut input, &mut output, false, true);
        let environment = BTreeMap::from([("AWS_REGION".to_owned(), text("us-west-2"))]);
        let answers = questions::all(&args, &environment, asking).unwrap();
        let text = yaml::text(&answers);
        let statements = iam::statements(&read_back(&text).unwrap(), iam::Who::Agent);
        let aggregator = statements.into_iter().find(|statement| statement.sid == "ConfigAggregator").unwrap();
        let line = text.lines().find(|line| line.contains("aggregatorRegion")).unwrap().trim().to_owned();
        (line, aggregator.condition.unwrap().2)
    };
    let both = |region: &str| (format!("aggregatorRegion: '{region}'"), vec![region.to_owned()]);
    assert_eq!(regions(None, None), both("eu-west-1"));
    assert_eq!(regions(None, Some(&EVENTS.replace("eu-west-1", "eu-west-2"))), both("eu-west-2"));
    assert_eq!(regions(Some("eu-central-1"), None), both("eu-central-1"));
}

#[test]
fn events_grant_any_bucket_of_aws_config_and_that_is_said() {
    let said = |args: &Args| {
        let answers = asked(args, None, Language::English).0.unwrap();
        ending(Path::new("."), &[], &[], &answers)
    };
    let note = "Note: events name AWS Config's bucket, the configuration does not";
    assert!(said(&Args { event_queue: Some(text(EVENTS)), ..trail() }).contains(note));
    assert!(!said(&trail()).contains(note));
}

#[test]
fn policies_of_an_earlier_run_are_found_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "iam-policy.json",
        "iam-policy-2.json",
        "iam-role-policy.json",
        "iam-policy-1.json",
        "iam-policy-02.json",
        "iam-policy-a.json",
        "my-iam-policy.json",
        "iam-policy.json.bak",
    ] {
        std::fs::write(folder.path().join(name), r#"{"Statement":[{"Sid":"TrailQueue"},{"Sid":"ReaderRole2"}]}"#).unwrap();
    }
    // Somebody else's, under a name of ours.
    std::fs::write(folder.path().join("iam-policy-3.json"), r#"{"Statement":[{"Sid":"Mine"}]}"#).unwrap();
    std::fs::create_dir(folder.path().join("iam-letters-policy.json")).unwrap();
    let stale = stale(folder.path(), &[(text("iam-policy.json"), text("new"))]);
    assert_eq!(stale, ["iam-policy-2.json", "iam-role-policy.json"].map(|name| folder.path().join(name)));
    let files = [(folder.path().join("iam-policy.json"), "new")];
    let refused = write::all(&files, &stale, false, Language::English).unwrap_err();
    assert!(refused.what.contains("iam-role-policy.json: there already"), "{}", refused.what);
    write::all(&files, &stale, true, Language::English).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 8, "the two are gone, and nothing is left beside");
}

#[test]
fn what_was_there_comes_back_when_a_file_cannot_get_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["old", "stale", "staged 1", "staged 2"] {
        std::fs::write(at(name), name).unwrap();
    }
    let paths = ["staged 1", "old", "staged 2", "new", "stale", "not there", "last"].map(at);
    let [first, old, second, new, stale, missing, last] = &paths;
    let told = write::rename(&[(Some(first), old), (Some(second), new), (None, stale), (Some(missing), last)]).unwrap_err();
    assert!(told.what.starts_with(&format!("writing {}: ", last.display())), "{}", told.what);
    let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["old", "stale"]);
    assert_eq!(std::fs::read_to_string(old).unwrap(), "old");
}

#[test]
fn nothing_is_replaced_unless_it_may_be_and_nothing_half_written_stays() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let names = || {
        let mut names: Vec<String> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    std::fs::write(at("b"), "old").unwrap();
    let files = [(at("a"), "new a"), (at("b"), "new b")];
    let refused = write::all(&files, &[], false, Language::English).unwrap_err();
    assert_eq!(refused.what, format!("{}: there already, nothing was written", at("b").display()));
    assert_eq!(names(), ["b"]);

    // The second cannot be staged: the first must not be left.
    let broken = [(at("a"), "new a"), (at("b").join("c"), "below a file")];
    assert!(write::all(&broken, &[], true, Language::English).is_err());
    assert_eq!(names(), ["b"]);

    write::all(&files, &[], true, Language::English).unwrap();
    assert_eq!((names(), std::fs::read_to_string(at("b")).unwrap()), (vec!["a".to_owned(), "b".to_owned()], "new b".to_owned()));
    std::fs::create_dir(at("d")).unwrap();
    let what = write::all(&[(at("d"), "x")], &[], true, Language::English).unwrap_err().what;
    assert!(what.contains("a folder, where a file is to be"), "{what}");
}

#[test]
fn the_language_is_that_of_the_flag_else_of_the_environment() {
    let with = |set: &[(&str, &str)]| set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let of = |asked, set: &[(&str, &str)]| {
        let variables: BTreeMap<String, String> = with(set);
        language(asked, &variables)
    };
    assert_eq!(of(None, &[("LANG", "ja_JP.UTF-8")]), Language::Japanese);
    assert_eq!(of(None, &[("LC_ALL", "C"), ("LANG", "ja_JP.UTF-8")]), Language::English);
    assert_eq!(of(Some(Lang::En), &[("LANG", "ja_JP.UTF-8")]), Language::English);
    assert_eq!(of(None, &[]), Language::English);
}
