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
        (Args { posture: Some(text("aggregator:org")), ..trail() }, "--posture: an aggregator is asked in the Region"),
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
        let config = read_back(&yaml::text(&answers), &BTreeMap::new()).unwrap();
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
        files(&answers, &BTreeMap::new()).unwrap().into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    let always = ["cspm-relay.yml", "dashboards/cspm.json", "dashboards/cspm.ja.json", "iam-policy.json"];
    assert_eq!(names(&trail()), always);
    let with_role = names(&Args { posture: Some(text("111122223333,222233334444")), ..trail() });
    assert_eq!(with_role, [&always[..], &["iam-role-policy.json"]].concat());
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
    let refused = write::all(&files, false, Language::English).unwrap_err();
    assert_eq!(refused.what, format!("{}: there already, nothing was written", at("b").display()));
    assert_eq!(names(), ["b"]);

    // The second cannot be staged: the first must not be left.
    let broken = [(at("a"), "new a"), (at("b").join("c"), "below a file")];
    assert!(write::all(&broken, true, Language::English).is_err());
    assert_eq!(names(), ["b"]);

    write::all(&files, true, Language::English).unwrap();
    assert_eq!((names(), std::fs::read_to_string(at("b")).unwrap()), (vec!["a".to_owned(), "b".to_owned()], "new b".to_owned()));
    std::fs::create_dir(at("d")).unwrap();
    let what = write::all(&[(at("d"), "x")], true, Language::English).unwrap_err().what;
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
