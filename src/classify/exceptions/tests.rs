//! What an exception mutes, and what it does not; files that are not used, and why.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::*;
use crate::enrich::{AccountNames, Enricher};
use crate::record::ActorKind;
use crate::record::time::parse_ms;

static RULES: LazyLock<RuleSet> = LazyLock::new(RuleSet::builtin);

fn read_in(zone: &str, text: &str) -> Result<(Exceptions, Vec<String>), String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("exceptions.yml");
    std::fs::write(&path, text).expect("a file");
    let place = format!("{}/", folder.path().display());
    let read = Exceptions::from_file(&path, zone, &RULES).map_err(|error| error.to_string());
    let read = read.map(|(exceptions, doubts)| (exceptions, doubts.iter().map(|doubt| doubt.in_file(&path)).collect::<Vec<_>>()));
    let without = |text: String| text.replace(&place, "");
    read.map(|(exceptions, doubts)| (exceptions, doubts.into_iter().map(without).collect())).map_err(without)
}

fn read(text: &str) -> Result<(Exceptions, Vec<String>), String> {
    read_in("UTC", text)
}

/// One exception with this scope, as one line of YAML.
fn with_scope(scope: &str) -> Exceptions {
    let text = format!("- {{control: root-user-activity, owner: o, reason: r, expires: 2027-01-31, scope: {scope}}}\n");
    let (exceptions, doubts) = read(&text).expect(scope);
    assert_eq!(doubts, Vec::<String>::new(), "{scope}");
    exceptions
}

fn actor() -> Actor<'static> {
    Actor {
        kind: ActorKind::Workload,
        identity_type: Cow::Borrowed("AssumedRole"),
        name: Cow::Borrowed("Deploy/run-1"),
        arn: Some(Cow::Borrowed("arn:aws:sts::111122223333:assumed-role/Deploy/run-1")),
        account_id: None,
        session_issuer: Some(Cow::Borrowed("arn:aws:iam::111122223333:role/ci/Deploy")),
        source_identity: None,
        mfa: None,
    }
}

fn account(environment: Option<&'static str>) -> AccountName<'static> {
    AccountName {
        id: "111122223333",
        name: "web",
        organizational_unit: "Workloads/Prod",
        environment,
        owner: None,
        is_awaited: false,
    }
}

const CONTROL: &str = "root-user-activity";

fn now() -> i64 {
    parse_ms("2026-11-21T20:14:31Z").expect("a time")
}

/// S2-20: what an exception covered is covered by one of the same scope, whoever owns it and however long; where none is left, by
/// what may mean it.
#[test]
fn what_was_covered_is_covered_until_nothing_means_it() {
    let file = |lines: &[(&str, &str)]| {
        let line = |(scope, expires): &(&str, &str)| {
            format!("- {{control: S3.2, owner: o, reason: r, expires: {expires}, scope: {{{scope}}}}}\n")
        };
        read(&lines.iter().map(line).collect::<String>()).expect("exceptions").0
    };
    let (valid, over) = ("2026-12-31", "2026-01-31");
    let a = "accounts: [111122223333], resources: [a]";
    let mark = file(&[(a, over)]).list()[0].mark();
    let awaited = AccountName { organizational_unit: "unknown", is_awaited: true, ..account(None) };
    let unit = "organizationalUnits: [Workloads/*], resources: [b]";
    for (name, exceptions, account, want) in [
        ("it holds", file(&[(a, valid)]), account(None), true),
        ("it is over", file(&[(a, over)]), account(None), false),
        ("it is over, and another means something else", file(&[(a, over), ("resources: [b]", valid)]), account(None), false),
        ("it was renewed by a second one", file(&[(a, over), (a, valid)]), account(None), true),
        ("it means more resources now", file(&[("resources: [a, b]", valid)]), account(None), true),
        ("it means another Region now", file(&[("regions: [us-east-1]", valid)]), account(None), false),
        ("its unit is not known yet", file(&[(unit, valid)]), awaited, true),
        ("its unit is not known", file(&[(unit, valid)]), AccountName { is_awaited: false, ..awaited }, false),
        ("there is no file", Exceptions::default(), account(None), false),
    ] {
        assert_eq!(exceptions.still_covers(mark, "S3.2", &account, "eu-west-1", now()), want, "{name}");
    }
    let of_rule = Mark { control: 0, scope: 0 };
    let exceptions = file(&[(a, valid)]);
    let asked = |control: &str| exceptions.still_covers(of_rule, control, &account(None), "eu-west-1", now());
    assert_eq!((asked("S3.2"), asked("S3.3")), (true, false), "an older state names none");
}

/// S2-20: what an exception covered that is over is covered by any other one that means all of it, though both stand in the file.
#[test]
fn what_was_covered_is_covered_by_another_one_that_means_it_too() {
    let of = |scope: &str, expires: &str| {
        format!("- {{control: S3.2, owner: o, reason: r, expires: {expires}, scope: {{{scope}}}}}\n")
    };
    let one = "accounts: [111122223333], resources: [a]";
    for (name, was, other, want) in [
        ("the whole account", one, "accounts: [111122223333]", true),
        ("more resources", one, "resources: [b, a]", true),
        ("all that are like it", one, "resources: ['*']", true),
        ("all of its prefix", "resources: ['site-*-logs']", "resources: ['site-*']", true),
        ("another resource", one, "resources: [b]", false),
        ("one resource of all", "accounts: [111122223333]", "resources: [b]", false),
        ("some of its prefix", "resources: ['site-*']", "resources: ['site-?']", false),
        ("another Region", one, "regions: [us-east-1]", false),
    ] {
        let until = |other_ends: &str| {
            let (exceptions, _) = read(&(of(was, "2026-01-31") + &of(other, other_ends))).expect(name);
            let mark = exceptions.list()[0].mark();
            exceptions.still_covers(mark, "S3.2", &account(None), "eu-west-1", now())
        };
        assert_eq!((until("2026-12-31"), until("2026-02-28")), (want, false), "{name}");
    }
}

/// S2-20: of several exceptions that mean the same the last one ends it, wherever it stands in the file.
#[test]
fn the_exception_that_holds_longest_is_the_one() {
    let of = |expires: &str, scope: &str| {
        format!("- {{control: {CONTROL}, owner: o, reason: r, expires: {expires}, scope: {{{scope}}}}}\n")
    };
    let lines = [of("2027-01-31", ""), of("2027-12-31", "resources: [a]"), of("2027-12-31", "regions: [eu-west-1]")];
    let facts = |resource_id| {
        [Facts { account: account(None), region: "eu-west-1", resource_id, resource_arn: None, actor: None, address: None }]
    };
    for text in [lines.concat(), lines.iter().rev().map(String::as_str).collect::<String>()] {
        let (exceptions, _) = read(&text).expect("exceptions");
        let found = |resource: &'static str| exceptions.find_for_all(CONTROL, &facts(resource), now()).expect("one").line;
        // Of those that end together the first.
        let want = if text.ends_with(&lines[2]) { (2, 3) } else { (1, 1) };
        assert_eq!((found("a"), found("b")), want, "{text}");
    }
}

/// S2-20: what depends on a unit or environment that somebody may still name is neither meant nor not; nothing else is in doubt.
#[test]
fn what_is_not_known_of_an_account_yet_decides_nothing() {
    let named = account(Some("prod"));
    let nameless = AccountName { organizational_unit: "unknown", environment: None, ..named };
    let awaited = AccountName { is_awaited: true, ..nameless };
    let half = AccountName { environment: Some("prod"), ..awaited };
    for (scope, account, want) in [
        ("{environments: prod}", named, (true, true)),
        ("{environments: prod}", nameless, (false, false)),
        ("{environments: prod}", awaited, (false, true)),
        ("{environments: prod, regions: us-east-1}", awaited, (false, false)),
        ("{environments: dev}", half, (false, false)),
        ("{organizationalUnits: Workloads/*}", half, (false, true)),
        ("{organizationalUnits: Workloads/*, environments: prod}", half, (false, true)),
        ("{organizationalUnits: Workloads/*, environments: dev}", half, (false, false)),
        ("{regions: eu-west-1}", awaited, (true, true)),
    ] {
        let facts =
            [Facts { account, region: "eu-west-1", resource_id: "unknown", resource_arn: None, actor: None, address: None }];
        let exceptions = with_scope(scope);
        let found = exceptions.find_for_all(CONTROL, &facts, now()).is_some();
        let may = exceptions.may_find_for_all(CONTROL, &facts, now()).is_some();
        assert_eq!((found, may), want, "{scope} {account:?}");
    }
}

/// S2-20: every part of a scope narrows it, and all parts hold together.
#[test]
fn what_is_outside_any_part_of_a_scope_is_not_muted() {
    let actor = actor();
    for (scope, want) in [
        ("{}", true),
        ("{accounts: [111122223333]}", true),
        ("{accounts: 111122223333}", true),
        ("{accounts: ['012345678901', 111122223333]}", true),
        ("{accounts: [012345678901]}", false),
        ("{organizationalUnits: [Workloads/*]}", true),
        ("{organizationalUnits: Workloads/Prod}", true),
        ("{organizationalUnits: Workloads}", false),
        ("{organizationalUnits: [Sandbox/*]}", false),
        ("{environments: [PROD]}", true),
        ("{environments: [dev]}", false),
        ("{regions: [eu-west-1, us-east-1]}", true),
        ("{regions: us-east-1}", false),
        ("{resources: ['public-*']}", true),
        ("{resources: 'arn:aws:s3:::public-*'}", true),
        ("{resources: '*:s3:::private-*'}", false),
        ("{actors: 'Deploy/*'}", true),
        ("{actors: '*:role/ci/Deploy'}", true),
        ("{actors: '*assumed-role/Deploy/*'}", true),
        ("{actors: ['Ops/*', '*:role/ci/Other']}", false),
        ("{addresses: 203.0.113.7}", true),
        ("{addresses: [198.51.100.0/24, 203.0.113.0/28]}", true),
        ("{addresses: 203.0.113.8/29}", false),
        ("{addresses: cloudformation.amazonaws.com}", false),
        ("{addresses: '2001:db8::/32'}", false),
        ("{actors: 'Deploy/*', addresses: 198.51.100.7}", false),
        ("{accounts: 111122223333, regions: us-east-1}", false),
        ("{accounts: 111122223333, regions: eu-west-1, environments: prod, actors: 'Deploy/*'}", true),
    ] {
        let facts = Facts {
            account: account(Some("prod")),
            region: "eu-west-1",
            resource_id: "public-site",
            resource_arn: Some(Cow::Borrowed("arn:aws:s3:::public-site")),
            actor: Some(&actor),
            address: Some("203.0.113.7"),
        };
        let exceptions = with_scope(scope);
        assert_eq!(exceptions.find(CONTROL, &facts, now()).is_some(), want, "{scope}");
        assert_eq!(exceptions.find("trail-logging-stopped", &facts, now()), None, "{scope}: another control");
        assert!(exceptions.concerns(CONTROL) && !exceptions.concerns("trail-logging-stopped"), "{scope}");
    }
}

#[test]
fn what_is_not_known_of_a_fact_is_not_in_a_scope() {
    let facts = Facts {
        account: account(None),
        region: "unknown",
        resource_id: "|public-1|private|",
        resource_arn: None,
        actor: None,
        address: None,
    };
    for (scope, want) in [
        ("{environments: prod}", false),
        ("{actors: '*'}", false),
        ("{addresses: 0.0.0.0/0}", false),
        ("{regions: eu-west-1}", false),
        // One of two resources: what was done to the other is not muted.
        ("{resources: 'public-*'}", false),
        ("{resources: ['public-*', private]}", true),
    ] {
        assert_eq!(with_scope(scope).find(CONTROL, &facts, now()).is_some(), want, "{scope}");
    }
}

/// S2-20: an ARN mutes what AWS Config names by an id, where the one can be built from the other; where not, it is said.
#[test]
fn an_arn_in_a_scope_reaches_results_of_aws_config_or_is_doubted() {
    let enricher = Enricher::new(AccountNames::default(), "UTC").expect("a zone");
    let change = |resource_type: &'static str, resource_id: &'static str| StateChange {
        account: "111122223333",
        region: "eu-west-1",
        rule: "r",
        rule_arn: "",
        resource_type,
        resource_id,
        state: "NON_COMPLIANT",
        previous: None,
        at_ms: 0,
        annotation: None,
    };
    let of = |pattern: &str| {
        let control = "s3-bucket-public-read-prohibited";
        let text =
            format!("- {{control: {control}, owner: o, reason: r, expires: 2027-01-31, scope: {{resources: ['{pattern}']}}}}\n");
        let (exceptions, doubts) = read(&text).expect(pattern);
        let holds = |kind, id| {
            let change = change(kind, id);
            let enriched = enricher.enrich_change(&change);
            exceptions.find(control, &Facts::of_change(&change, &enriched), now()).is_some()
        };
        (holds("AWS::S3::Bucket", "site"), holds("AWS::IAM::Role", "AROA0"), doubts)
    };
    for (pattern, bucket, role) in [
        ("arn:aws:s3:::site", true, false),
        ("site", true, false),
        ("arn:aws:s3:::sit?", true, false),
        ("arn:aws:s3:::site2", false, false),
        ("arn:aws-cn:s3:::site", false, false),
        ("AROA0", false, true),
    ] {
        assert_eq!(of(pattern), (bucket, role, vec![]), "{pattern}");
    }
    let doubt = "exceptions.yml:1: [0].scope.resources: AWS Config names what \"arn:aws:iam::*:role/Ops\" means by its unique id, \
                 as AROA…: no result of it is muted, only findings are\n    hint: name it also as `resource.id` has it in \
                 AwsComplianceChange";
    assert_eq!(of("arn:aws:iam::*:role/Ops"), (false, false, vec![doubt.to_owned()]));
}

/// A type of findings is muted by its own name; nobody acted in it.
#[test]
fn a_type_of_findings_is_a_control() {
    let kind = "Recon:EC2/PortProbeUnprotectedPort";
    let text = |rest: &str| format!("- {{control: '{kind}', owner: o, reason: r, expires: 2027-01-31{rest}}}\n");
    let (exceptions, doubts) = read(&text("")).expect("an exception");
    assert!(exceptions.concerns(kind) && doubts.is_empty(), "{doubts:?}");
    let (_, doubts) = read(&text(", scope: {actors: 'Ops/*'}")).expect("an exception");
    assert!(doubts[0].contains("nothing in an account is muted by it"), "{doubts:?}");
}

/// S2-20: an exception ends when it says, and is told.
#[test]
fn a_day_ends_in_the_configured_zone() {
    let facts = Facts {
        account: account(None),
        region: "eu-west-1",
        resource_id: "unknown",
        resource_arn: None,
        actor: None,
        address: None,
    };
    for (zone, expires, last, first) in [
        ("UTC", "2027-01-31", "2027-01-31T23:59:59.999Z", "2027-02-01T00:00:00Z"),
        ("Asia/Tokyo", "2027-01-31", "2027-01-31T14:59:59.999Z", "2027-01-31T15:00:00Z"),
        ("Asia/Tokyo", "2027-01-31T12:00:00Z", "2027-01-31T11:59:59Z", "2027-01-31T12:00:00Z"),
        ("UTC", "2027-01-31T12:00:00+09:00", "2027-01-31T02:59:59Z", "2027-01-31T03:00:00Z"),
    ] {
        let text = format!("- {{control: {CONTROL}, owner: o, reason: r, expires: {expires}}}\n");
        let (exceptions, _) = read_in(zone, &text).expect(expires);
        let at = |time: &str| parse_ms(time).expect("a time");
        assert!(exceptions.find(CONTROL, &facts, at(last)).is_some(), "{zone} {expires}");
        assert!(exceptions.find(CONTROL, &facts, at(first)).is_none(), "{zone} {expires}");
        assert_eq!(exceptions.expired(None, at(last)).count(), 0, "{zone} {expires}");
        assert_eq!(exceptions.expired(Some(at(last)), at(first)).count(), 1, "{zone} {expires}");
        assert_eq!(exceptions.expired(Some(at(first)), at(first) + 1).count(), 0, "{zone} {expires}");
    }
}

#[test]
fn a_control_is_known_by_each_of_its_names() {
    for (written, id) in [
        ("root-user-activity", "root-user-activity"),
        ("ROOT-USER-ACTIVITY", "root-user-activity"),
        ("restricted-ssh", "restricted-ssh"),
        ("INCOMING_SSH_DISABLED", "restricted-ssh"),
        ("securityhub-restricted-ssh-1a2b3c4d", "restricted-ssh"),
        ("ec2.13", "EC2.13"),
    ] {
        let (exceptions, doubts) =
            read(&format!("- {{control: {written}, owner: o, reason: r, expires: 2027-01-31}}\n")).expect(written);
        assert_eq!(doubts, Vec::<String>::new(), "{written}");
        assert!(exceptions.concerns(id), "{written}");
    }
    let text = "- {control: root-user-activty, owner: o, reason: r, expires: 2027-01-31}\n\
                - {control: our-own-rule, owner: o, reason: r, expires: 2027-01-31}\n";
    let (exceptions, doubts) = read(text).expect("a rule to come");
    assert!(exceptions.concerns("our-own-rule"));
    let want = [
        "exceptions.yml:1: [0].control: no control is called \"root-user-activty\" yet: nothing in an account is muted by it\n    hint: did you mean `root-user-activity`?",
        "exceptions.yml:2: [1].control: no control is called \"our-own-rule\" yet: nothing in an account is muted by it\n    hint: right only for a rule of your own or of a scanner of code; `cspm-relay rules list` shows the detective controls",
    ];
    assert_eq!(doubts, want);
}

#[test]
fn the_same_exception_has_the_same_id_and_another_one_another() {
    let id = |text: &str| read(text).expect("exceptions").0.list().first().expect("one").id.clone();
    let text = "- {control: restricted-ssh, owner: o, reason: r, expires: 2027-01-31}\n";
    assert_eq!(id(text), id(&text.replace("reason: r", "reason: other words")));
    for other in ["expires: 2027-02-28", "expires: 2027-01-31, scope: {regions: eu-west-1}"] {
        assert_ne!(id(text), id(&text.replace("expires: 2027-01-31", other)), "{other}");
    }
}

#[test]
fn all_faults_of_a_file_are_told_at_once() {
    let text = "
- control: root-user-activity
  owner: o
  scope:
    accounts: [12345678901, ada]
    region: [eu-west-1]
    environments: []
    resources: [{a: b}]
    regions: [Ireland]
  expires: 31.01.2027
- control: 's3-*'
  owner: ''
  reason: r
  until: 2027-01-31
  expires: 2027-02-30
- just text
- {control: restricted-ssh, owner: o, reason: r, expires: 2027-01-31, scope: {actors: 'Ops/*'}}
- {control: restricted-ssh, owner: o, reason: r, expires: 2027-01-31T25:00:00Z, scope: everywhere}
";
    insta::assert_snapshot!(read(text).expect_err("faults"), @r#"
    reading exceptions from exceptions.yml: 16 problems
      exceptions.yml:2: [0].reason: missing
        allowed: why it is there
      exceptions.yml:5: [0].scope.accounts[0]: 12345678901 found
        allowed: 12 digits
      exceptions.yml:5: [0].scope.accounts[1]: "ada" found
        allowed: 12 digits
      exceptions.yml:6: [0].scope.region: unknown key
        allowed: accounts, organizationalUnits, environments, regions, resources, actors, addresses
        hint: did you mean `regions`?
      exceptions.yml:7: [0].scope.environments: an empty list
        allowed: environments as the accounts have them
        hint: remove the key to leave it open, or name at least one
      exceptions.yml:8: [0].scope.resources: a map found
        allowed: ids or ARNs of resources, with * and ?
      exceptions.yml:9: [0].scope.regions: "Ireland" found
        allowed: AWS Regions, as eu-west-1
      exceptions.yml:10: [0].expires: "31.01.2027" is no day and no time
        allowed: the last day it mutes, as 2027-01-31, or a time, as 2027-01-31T12:00:00Z
      exceptions.yml:11: [1].control: "s3-*" is no id
        allowed: the id of one control
        hint: write one exception for each control
      exceptions.yml:12: [1].owner: "" found
        allowed: who answers for it
      exceptions.yml:14: [1].until: unknown key
        allowed: control, scope, owner, reason, expires
      exceptions.yml:15: [1].expires: "2027-02-30" is no day and no time
        allowed: the last day it mutes, as 2027-01-31, or a time, as 2027-01-31T12:00:00Z
      exceptions.yml:16: [2]: "just text" where an exception is needed
        allowed: a list of maps with the keys control, scope, owner, reason, expires; [] for none
      exceptions.yml:17: [3].control: "restricted-ssh" is a preventive control: nobody did what it says
        hint: remove scope.actors, or name a detective control (`cspm-relay rules list`)
      exceptions.yml:18: [4].expires: "2027-01-31T25:00:00Z" is no day and no time
        allowed: the last day it mutes, as 2027-01-31, or a time, as 2027-01-31T12:00:00Z
      exceptions.yml:18: [4].scope: "everywhere" where a map is needed
        allowed: accounts, organizationalUnits, environments, regions, resources, actors, addresses
        hint: without scope the control is muted everywhere
    "#);
}

#[test]
fn two_alike_and_files_of_another_shape_are_refused() {
    let one = "- {control: restricted-ssh, owner: o, reason: r, expires: 2027-01-31}\n";
    for (name, text, want) in [
        ("twice", one.repeat(2), "exceptions.yml:2: the same control, scope, owner and expiry as on line 1"),
        ("empty", String::new(), "exceptions.yml: the file is empty"),
        ("a map", "exceptions: []\n".to_owned(), "exceptions.yml:1: a map found"),
        ("two documents", format!("{one}---\n{one}"), "exceptions.yml:3: a second document"),
        ("no YAML", "- [\n".to_owned(), "not YAML: "),
    ] {
        let text = read(&text).map(|(exceptions, _)| exceptions.list().len()).expect_err(name);
        assert!(text.starts_with("reading exceptions from exceptions.yml: 1 problem\n") && text.contains(want), "{name}: {text}");
    }
    assert_eq!(read("[]\n").map(|(exceptions, doubts)| (exceptions.is_empty(), doubts.len())), Ok((true, 0)));
    let missing = Exceptions::from_file(Path::new("no/such/file.yml"), "UTC", &RuleSet::default()).expect_err("no file");
    assert!(missing.to_string().contains("no/such/file.yml: No such file"), "{missing}");
}
