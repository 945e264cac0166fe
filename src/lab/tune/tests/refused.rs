//! What tuning must not propose, though it would fit the budget.

use super::super::candidate::of_root;
use super::*;

fn row(store: &Store, at_ms: i64, fields: serde_json::Value) {
    let mut row = fields;
    row["timestamp"] = at_ms.into();
    row["control.id"] = "admin".into();
    row["control.ids"] = "|admin|".into();
    store.append_json("AwsSecurityNotice", row.as_object().expect("an object"), at_ms);
}

fn has_exception(plan: &Plan) -> bool {
    changes(plan).iter().any(|change| change.starts_with("except"))
}

/// Many incidents within minutes are no noise: an attack that nobody labelled looks so.
#[test]
fn a_burst_of_one_day_is_no_exception() {
    let store = Store::in_memory();
    for nth in 0..4 {
        let bucket = format!("bucket-{nth}");
        row(
            &store,
            BEGIN_MS + nth * 30_000,
            json!({"actor.arn": "mallory", "actor.name": "mallory", "resource.id": bucket, "event.id": "a"}),
        );
    }
    let query = "SELECT count(*) FROM AwsSecurityNotice FACET resource.id AS resource, actor.name AS actor";
    let plan = tune(&store, vec![condition("public", query, 0.0)], "1/week", &[]);
    assert!(!has_exception(&plan), "{:?}", plan.steps);
}

/// A role is shared: whoever makes the noise is excepted before all who may use the role.
#[test]
fn a_person_is_excepted_and_not_the_role() {
    for role in ["role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_1", "role/Admin"] {
        let store = Store::in_memory();
        let role = format!("arn:aws:iam::111122223333:{role}");
        let notice_of = |at_h: i64, name: &str| {
            let arn = format!("arn:aws:sts::111122223333:assumed-role/Admin/{name}");
            row(
                &store,
                BEGIN_MS + at_h * HOUR_MS,
                json!({"actor.arn": arn, "actor.name": name, "actor.sessionIssuer": role, "event.id": name}),
            );
        };
        for nth in 0..40 {
            notice_of(nth * 12, "ada");
            if nth == 9 {
                notice_of(nth * 12 + 4, "mallory");
            }
        }
        let plan = tune(&store, vec![by_actor()], "5/week", &[]);
        assert_eq!(changes(&plan), ["except admin by arn:aws:sts::111122223333:assumed-role/Admin/ada"]);
    }
}

/// Sessions with names of their own are one role; of a permission set many people are, so a threshold or joining comes first.
#[test]
fn a_role_is_excepted_where_no_session_comes_again() {
    let of = |role: &str| {
        let store = Store::in_memory();
        for nth in 0..40 {
            let arn = format!("arn:aws:sts::111122223333:assumed-role/Deploy/{nth}");
            row(
                &store,
                BEGIN_MS + nth * 12 * HOUR_MS,
                json!({"actor.arn": arn, "actor.name": "Deploy", "actor.sessionIssuer": role, "event.id": "x"}),
            );
        }
        changes(&tune(&store, vec![by_actor()], "5/week", &[]))
    };
    let role = "arn:aws:iam::111122223333:role/Deploy";
    assert_eq!(of(role), [format!("except admin by all with {role}")]);
    let set = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Deploy_1";
    let steps = of(set);
    assert!(steps.iter().all(|step| step.starts_with("admin: joins")), "{steps:?}");
}

/// Not even by its address, its account, or for everybody.
#[test]
fn root_is_never_excepted() {
    for root in [json!({"actor.arn": "arn:aws:iam::111122223333:root"}), json!({"actor.kind": "root"})] {
        let store = Store::in_memory();
        for nth in 0..40 {
            let mut fields =
                json!({"actor.name": "root", "aws.accountId": "111122223333", "source.ip": "203.0.113.7", "event.id": "x"});
            fields.as_object_mut().expect("an object").extend(root.as_object().expect("an object").clone());
            row(&store, BEGIN_MS + nth * 49 * HOUR_MS, fields);
        }
        let plan = tune(&store, vec![by_actor()], "1/month", &[]);
        assert!(plan.holds && !has_exception(&plan), "{:?}", plan.steps);
    }
}

/// A step that is not needed for the budget is kept where an attack would join what noise has opened.
#[test]
fn a_step_that_keeps_an_attack_told_is_not_taken_back() {
    let store = Store::in_memory();
    for nth in 0..56 {
        let at = BEGIN_MS + nth * 11 * HOUR_MS;
        row(
            &store,
            at,
            json!({"actor.arn": "ci/deploy", "actor.name": "ci/deploy", "aws.accountId": "111122223333", "source.ip": "203.0.113.7", "event.id": format!("n{nth}")}),
        );
        let once = format!("one-{nth}");
        row(
            &store,
            at,
            json!({"actor.arn": once, "actor.name": once, "aws.accountId": "444455556666", "source.ip": format!("198.51.100.{nth}"), "event.id": format!("m{nth}")}),
        );
    }
    row(
        &store,
        BEGIN_MS + (20 * 11 + 5) * HOUR_MS,
        json!({"actor.arn": "mallory", "actor.name": "mallory", "aws.accountId": "111122223333", "source.ip": "192.0.2.1", "event.id": "attack-1"}),
    );
    let mut all = condition("all", "SELECT count(*) FROM AwsSecurityNotice FACET aws.accountId AS account", 0.0);
    all.condition.time_limit_s = 2_592_000;
    let plan = tune(&store, vec![all], "5/week", &[("stolen rights", "attack-1")]);
    assert!(plan.holds && plan.steps.iter().all(|step| step.missed.is_empty()), "{:?}", plan.steps);
}

/// A threshold that was tuned twice is told from what stands in the file.
#[test]
fn a_threshold_is_told_from_what_stands() {
    let store = Store::in_memory();
    let mut id = 0;
    for day in 0..28 {
        for _ in 0..(if day % 2 == 0 { 8 } else { 12 }) {
            id += 1;
            notice(&store, day * 24, &format!("someone-{id}"), &format!("noise-{id}"));
        }
    }
    for nth in 0..40 {
        notice(&store, 99, &format!("attacker-{nth}"), "attack-1");
    }
    let query = "SELECT count(*) FROM AwsSecurityNotice WHERE control.ids LIKE '%|admin|%' FACET aws.accountId AS account";
    let plan = tune(&store, vec![condition("many", query, 5.0)], "1/week", &[("burst", "attack-1")]);
    assert_eq!(changes(&plan), ["many: threshold 5 → 12"]);
}

/// No value is below nothing: such a threshold would be the condition switched off.
#[test]
fn a_condition_on_little_is_not_switched_off_by_its_threshold() {
    let store = Store::in_memory();
    let day = 24 * HOUR_MS;
    store.append("T", |pen| {
        for nth in 0..28 {
            for (ms, value) in [(nth * day, 0.4), (nth * day + HOUR_MS, 9.0)] {
                pen.begin(BEGIN_MS + ms, BEGIN_MS + ms);
                pen.number("value", value);
            }
        }
    });
    let mut low = condition("low", "SELECT sum(value) FROM T", 5.0);
    for comparison in [Comparison::Below, Comparison::BelowOrEquals] {
        low.condition.terms[0].comparison = comparison;
        let steps = changes(&tune(&store, vec![low.clone()], "1/week", &[]));
        assert!(!steps.iter().any(|step| step.contains("threshold")), "{steps:?}");
    }
}

/// The shipped conditions leave root out and one of their own tells of it: an exception by address would mute that one, too.
#[test]
fn what_root_used_with_others_is_never_excepted() {
    let store = Store::in_memory();
    let of = |day: i64, name: &str, kind: &str| {
        row(
            &store,
            BEGIN_MS + day * 24 * HOUR_MS,
            json!({"actor.arn": name, "actor.name": name, "actor.kind": kind, "source.ip": "203.0.113.7", "aws.accountId": "111122223333", "event.id": name}),
        );
    };
    for nth in 0..40 {
        of(nth, &format!("user-{nth}"), "human");
    }
    of(20, "root", "root");
    let clause = "FROM AwsSecurityNotice WHERE control.ids LIKE '%|admin|%'";
    let people = format!("SELECT count(*) {clause} AND (actor.kind IS NULL OR actor.kind != 'root') FACET actor.name AS actor");
    let root = "SELECT count(*) FROM AwsSecurityNotice WHERE actor.kind = 'root' FACET aws.accountId AS account";
    let plan = tune(&store, vec![condition("people", &people, 0.0), condition("root-used", root, 0.0)], "1/month", &[]);
    assert!(!has_exception(&plan), "{:?}", plan.steps);
}

/// P39: what misses an attack is taken back before what misses none.
#[test]
fn of_two_steps_of_which_one_is_enough_the_one_that_misses_nothing_stays() {
    let store = Store::in_memory();
    let of = |hour: i64, control: &str, times: usize, event: &str| {
        for nth in 0..times {
            let at_ms = BEGIN_MS + hour * HOUR_MS;
            let fields = json!({
                "timestamp": at_ms, "control.id": control, "control.ids": format!("|{control}|"), "event.id": event,
                "actor.name": format!("{event}-{nth}"),
            });
            store.append_json("AwsSecurityNotice", fields.as_object().expect("an object"), at_ms);
        }
    };
    // On the first day three pages; on the second two, for which `two` has to go, and with it one of the first day.
    of(1, "many", 22, "noise");
    of(5, "one", 1, "attack-1");
    of(8, "two", 1, "noise");
    of(30, "two", 1, "attack-2");
    of(33, "two", 1, "attack-3");
    of(80, "other", 1, "end");
    let query = |control: &str, facet: &str| {
        format!("SELECT count(*) FROM AwsSecurityNotice WHERE control.id = '{control}' FACET {facet} AS who")
    };
    let conditions = vec![
        condition("many", &query("many", "control.id"), 20.0),
        condition("one", &query("one", "actor.name"), 0.0),
        condition("two", &query("two", "actor.name"), 0.0),
    ];
    let plan = tune(&store, conditions, "1/day", &[("first", "attack-1"), ("second", "attack-2"), ("third", "attack-3")]);
    assert_eq!(changes(&plan), ["many: threshold 20 → 22", "two: critical → warning"]);
    let missed: Vec<&str> = plan.steps.iter().flat_map(|step| &step.missed).map(String::as_str).collect();
    assert_eq!((missed, plan.holds), (vec!["second", "third"], true));
}

/// Whatever an exception would mute of root's is known, for everybody too.
#[test]
fn what_would_mute_root_is_known() {
    let store = Store::in_memory();
    row(&store, BEGIN_MS, json!({"actor.kind": "root", "actor.name": "root", "source.ip": "203.0.113.7", "aws.accountId": "1"}));
    row(&store, BEGIN_MS, json!({"actor.kind": "human", "actor.name": "ada", "source.ip": "192.0.2.1", "aws.accountId": "2"}));
    let snapshots = [store.snapshot()];
    let range = Range { begin_ms: BEGIN_MS, end_ms: BEGIN_MS + 1 };
    let found = of_root(&snapshots, range, &Settings::default());
    let muted: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(muted, ["admin from 203.0.113.7", "admin in 1", "admin for everybody"]);
}
