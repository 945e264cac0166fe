//! The join on its own: who fits, who does not, and what is never said.

use super::*;

const CAPTURED: i64 = 1_795_292_910_114;
const MINUTE: i64 = 60_000;

fn actor(name: &str) -> Actor {
    Actor {
        kind: ActorKind::Human,
        name: name.to_owned(),
        arn: Some(format!("arn:aws:sts::111122223333:assumed-role/{name}")),
        session_issuer: None,
    }
}

fn typed(kind: &str, id: &str) -> Name {
    Name::Typed(kind.to_owned(), id.to_owned())
}

fn fact(id: &str, who: &str, names: Vec<Name>) -> TrailFact {
    TrailFact {
        event_id: id.to_owned(),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        service: "s3".to_owned(),
        event_name: "PutBucketPolicy".to_owned(),
        time_ms: CAPTURED - MINUTE,
        names,
        actor: actor(who),
        source_ip: None,
        user_agent: None,
    }
}

fn bucket(id: &str, who: &str) -> TrailFact {
    fact(id, who, vec![typed("AWS::S3::Bucket", "ledger")])
}

fn item() -> ItemFact {
    ItemFact {
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        resource_type: "AWS::S3::Bucket".to_owned(),
        resource_id: "ledger".to_owned(),
        resource_name: Some("ledger".to_owned()),
        arn: Some("arn:aws:s3:::ledger".to_owned()),
        time_ms: CAPTURED,
        related_events: Vec::new(),
    }
}

fn join(facts: impl IntoIterator<Item = TrailFact>) -> Join {
    let mut join = Join::default();
    for fact in facts {
        join.trail(fact, CAPTURED);
    }
    join
}

fn told(who: &Who) -> (&'static str, Option<&str>) {
    (who.confidence(), who.fact().map(|fact| fact.event_id.as_str()))
}

/// S2-33: one is certain, the same actor twice is likely, two actors are ambiguous, none is none.
#[test]
fn candidates_by_different_actors_are_never_guessed_between() {
    let later = |mut fact: TrailFact| {
        fact.time_ms += 1_000;
        fact
    };
    assert_eq!(told(&join([]).who(&item())), ("none", None));
    assert_eq!(told(&join([bucket("1", "ada")]).who(&item())), ("certain", Some("1")));
    assert_eq!(told(&join([later(bucket("2", "ada")), bucket("1", "ada")]).who(&item())), ("likely", Some("2")));
    let two = join([bucket("1", "ada"), bucket("2", "bob"), bucket("3", "ada")]).who(&item());
    assert_eq!(two, Who::Ambiguous(vec!["1".to_owned(), "2".to_owned(), "3".to_owned()], 3));
    let again = join([bucket("1", "ada"), bucket("1", "ada")]);
    assert_eq!((again.kept(), told(&again.who(&item()))), (1, ("certain", Some("1"))), "a record that came twice is one");
}

#[test]
fn the_record_that_config_names_is_certain_among_others() {
    let mut named = item();
    named.related_events = vec!["2".to_owned()];
    let facts = || [bucket("1", "ada"), fact("2", "bob", vec![]), bucket("3", "eve")];
    assert_eq!(told(&join(facts()).who(&named)), ("certain", Some("2")));
    named.related_events = vec!["other".to_owned()];
    assert_eq!(join(facts()).who(&named).confidence(), "ambiguous", "one that never came decides nothing");
    named.related_events = vec!["2".to_owned()];
    named.account = "444455556666".to_owned();
    assert_eq!(join(facts()).who(&named), Who::None, "ids of another account");
}

#[test]
fn only_the_very_resource_in_its_place_and_time_fits() {
    let edit = |edit: fn(&mut TrailFact)| {
        let mut fact = bucket("1", "ada");
        edit(&mut fact);
        fact
    };
    for (name, fact, fits) in [
        ("as it is", edit(|_| {}), true),
        ("another account", edit(|fact| "444455556666".clone_into(&mut fact.account)), false),
        ("another Region", edit(|fact| "eu-west-2".clone_into(&mut fact.region)), false),
        ("at the window's beginning", edit(|fact| fact.time_ms = CAPTURED - WINDOW_MS), true),
        ("before it", edit(|fact| fact.time_ms = CAPTURED - WINDOW_MS - 1), false),
        ("clocks disagree", edit(|fact| fact.time_ms = CAPTURED + SKEW_MS), true),
        ("after it", edit(|fact| fact.time_ms = CAPTURED + SKEW_MS + 1), false),
        ("ARN", edit(|fact| fact.names = vec![Name::Arn("arn:aws:s3:::ledger".to_owned())]), true),
        ("longer ARN", edit(|fact| fact.names = vec![Name::Arn("arn:aws:s3:::ledger2".to_owned())]), false),
        ("longer id", edit(|fact| fact.names = vec![typed("AWS::S3::Bucket", "ledger2")]), false),
        ("shorter id", edit(|fact| fact.names = vec![typed("AWS::S3::Bucket", "ledge")]), false),
        ("another type of the name", edit(|fact| fact.names = vec![typed("AWS::S3::AccessPoint", "ledger")]), false),
        ("unknown type, same service", edit(|fact| fact.names = vec![typed("unknown", "ledger")]), true),
        (
            "unknown type, another service",
            edit(|fact| {
                fact.names = vec![typed("unknown", "ledger")];
                "glue".clone_into(&mut fact.service);
            }),
            false,
        ),
        (
            "asked for as a bucket",
            edit(|fact| fact.names = vec![Name::Asked("bucketName".to_owned(), "ledger".to_owned())]),
            true,
        ),
        (
            "asked for as something else",
            edit(|fact| fact.names = vec![Name::Asked("roleName".to_owned(), "ledger".to_owned())]),
            false,
        ),
        ("names nothing", edit(|fact| fact.names.clear()), false),
    ] {
        assert_eq!(join([fact]).who(&item()).fact().is_some(), fits, "{name}");
    }
}

#[test]
fn global_services_and_ids_of_their_own_kind_fit_across() {
    let mut role = item();
    "global".clone_into(&mut role.region);
    "AWS::IAM::Role".clone_into(&mut role.resource_type);
    "AROAEXAMPLEEXAMPLE123".clone_into(&mut role.resource_id);
    role.resource_name = Some("deploy".to_owned());
    role.arn = Some("arn:aws:iam::111122223333:role/team/deploy".to_owned());
    let mut attach = fact("1", "ada", vec![typed("AWS::IAM::Role", "deploy")]);
    "iam".clone_into(&mut attach.service);
    "us-east-1".clone_into(&mut attach.region);
    assert_eq!(told(&join([attach.clone()]).who(&role)), ("certain", Some("1")));
    "eu-west-1".clone_into(&mut role.region);
    assert_eq!(told(&join([attach.clone()]).who(&role)), ("certain", Some("1")));
    attach.names = vec![typed("AWS::IAM::User", "deploy"), Name::Asked("userName".to_owned(), "deploy".to_owned())];
    assert_eq!(join([attach]).who(&role), Who::None, "a user of the same name");

    let mut group = item();
    "AWS::EC2::SecurityGroup".clone_into(&mut group.resource_type);
    "sg-0123456789abcdef0".clone_into(&mut group.resource_id);
    group.resource_name = None;
    group.arn = None;
    let rule = |id: &str| {
        let mut rule = fact("1", "ada", vec![Name::Asked("groupId".to_owned(), id.to_owned())]);
        "ec2".clone_into(&mut rule.service);
        rule
    };
    assert_eq!(told(&join([rule("sg-0123456789abcdef0")]).who(&group)), ("certain", Some("1")));
    assert_eq!(join([rule("sg-0123456789abcdef")]).who(&group), Who::None);
}

#[test]
fn facts_are_bounded_in_number_and_time_and_what_is_forgotten_makes_nobody_certain() {
    let mut join = Join::default();
    join.trail(bucket("old", "ada"), 0);
    join.trail(bucket("1", "ada"), KEPT_MS + 1);
    assert_eq!(join.kept(), 1, "too old");
    for n in 0..FACTS_MAX {
        join.trail(fact(&n.to_string(), "x", vec![typed("AWS::S3::Bucket", "other")]), KEPT_MS + 1);
    }
    assert_eq!(join.kept(), FACTS_MAX);
    join.trail(bucket("last", "ada"), KEPT_MS + 1);
    assert_eq!(told(&join.who(&item())), ("likely", Some("last")), "others of that time have been crowded out");
    let mut much_later = item();
    much_later.time_ms += 10 * WINDOW_MS;
    let mut late = bucket("late", "ada");
    late.time_ms = much_later.time_ms;
    join.trail(late, KEPT_MS + 1);
    assert_eq!(told(&join.who(&much_later)), ("certain", Some("late")));
}

#[test]
fn a_pipeline_is_told_only_of_who_is_known() {
    let is = |kind| Actor { kind, ..actor("x") }.is_pipeline();
    assert_eq!((is(ActorKind::Ci), is(ActorKind::Human), is(ActorKind::Unknown)), (Some(true), Some(false), None));
}

/// Another agent reads the same trail, or this one was not there yet: a record that it has not seen may fit, too.
#[test]
fn what_may_have_been_read_elsewhere_is_never_certain() {
    for (since, want) in [
        (None, "certain"),
        (Some(CAPTURED - WINDOW_MS - 1), "certain"),
        (Some(CAPTURED - WINDOW_MS), "likely"),
        (Some(i64::MAX), "likely"),
    ] {
        let mut join = Join::since(since);
        join.trail(bucket("1", "ada"), CAPTURED);
        assert_eq!(join.who(&item()).confidence(), want, "{since:?}");
        let named = ItemFact { related_events: vec!["1".to_owned()], ..item() };
        assert_eq!(join.who(&named).confidence(), "certain", "AWS Config names it");
        join.trail(bucket("2", "bob"), CAPTURED);
        assert_eq!(join.who(&item()).confidence(), "ambiguous");
    }
}
