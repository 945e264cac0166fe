//! Tuning on rows whose answer is known.

mod refused;

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use serde_json::json;

use super::{Attack, Change, Edit, Exclusion, Muted, Plan, Tuning, attacks, contributions, restricted};
use crate::lab::backtest::{Tested, arrivals};
use crate::lab::engine::{Engine, Settings as Asked};
use crate::lab::store::{Snapshot, Store};
use crate::lab::streaming::issue::Preference;
use crate::lab::streaming::{Range, Settings};
use crate::nrql::condition::{Condition, Expiration, Fill, Kind, Method, Occurrences, Priority, Signal, Term};
use crate::nrql::lint::Comparison;
use crate::nrql::parse;

const HOUR_MS: i64 = 3_600_000;
/// 2026-11-02, a Monday, as New Relic's clock says it.
const BEGIN_MS: i64 = 1_793_577_600_000;

/// A condition on single notices, as most that are shipped.
fn condition(id: &str, query: &str, threshold: f64) -> Tested {
    let term = Term {
        priority: Priority::Critical,
        comparison: Comparison::Above,
        threshold,
        duration_s: 60,
        occurrences: Occurrences::AtLeastOnce,
    };
    let signal = Signal {
        window_s: 60,
        slide_s: None,
        method: Method::EventTimer { timer_s: 60 },
        fill: Fill::None,
        evaluation_delay_s: 0,
    };
    Tested {
        policy: "p".to_owned(),
        policy_name: "P".to_owned(),
        preference: Preference::ConditionAndTarget,
        id: id.to_owned(),
        enabled: true,
        runbook: String::new(),
        condition: Condition {
            name: id.to_owned(),
            query: query.to_owned(),
            kind: Kind::Static,
            signal,
            terms: vec![term],
            expiration: Some(Expiration { after_s: 3_600, opens: false, closes: true, ignores_expected: false }),
            time_limit_s: 86_400,
        },
    }
}

fn by_actor() -> Tested {
    condition("admin", "SELECT count(*) FROM AwsSecurityNotice WHERE control.ids LIKE '%|admin|%' FACET actor.name AS actor", 0.0)
}

fn notice(store: &Store, at_h: i64, actor: &str, event: &str) {
    let at_ms = BEGIN_MS + at_h * HOUR_MS;
    let row = json!({
        "timestamp": at_ms, "control.id": "admin", "control.ids": "|admin|", "actor.name": actor, "actor.arn": actor, "event.id": event,
        "aws.accountId": "111122223333", "source.ip": "203.0.113.7",
    });
    store.append_json("AwsSecurityNotice", row.as_object().expect("an object"), at_ms);
}

/// Noise of one actor, twice a day for four weeks; one attack by somebody else.
fn noise() -> Store {
    let store = Store::in_memory();
    for nth in 0..56 {
        notice(&store, nth * 12, "ci/deploy", &format!("noise-{nth}"));
        if nth == 20 {
            notice(&store, nth * 12 + 3, "mallory", "attack-1");
        }
    }
    store
}

fn labels(named: &[(&str, &str)]) -> BTreeMap<String, BTreeSet<String>> {
    named.iter().map(|(attack, event)| ((*attack).to_owned(), BTreeSet::from([(*event).to_owned()]))).collect()
}

fn with<T>(store: &Store, budget: &str, labelled: &[(&str, &str)], then: impl FnOnce(Tuning<'_>) -> T) -> T {
    let snapshots = vec![store.snapshot()];
    let (first, last) = arrivals(&snapshots).expect("rows");
    let attacks: Vec<Attack> = attacks(&snapshots, &labels(labelled));
    then(Tuning {
        snapshots: &snapshots,
        range: Range { begin_ms: first, end_ms: last + 1 },
        settings: &Settings::default(),
        muting: &[],
        budget: budget.parse().expect("a budget"),
        attacks: &attacks,
    })
}

fn tune(store: &Store, tested: Vec<Tested>, budget: &str, labelled: &[(&str, &str)]) -> Plan {
    with(store, budget, labelled, |tuning| tuning.search(tested, &|_| true, &mut |_| {}))
}

/// The attacks that the conditions tell as they are.
fn told(store: &Store, tested: Vec<Tested>, labelled: &[(&str, &str)]) -> BTreeSet<String> {
    with(store, "1/week", labelled, |tuning| tuning.told(&tuning.backtest(tested)))
}

fn changes(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| step.change.to_string()).collect()
}

/// S0-05, P39: who makes the noise is excepted, and nobody else.
#[test]
fn the_noise_of_one_actor_is_excepted_and_the_attack_is_told() {
    let plan = tune(&noise(), vec![by_actor()], "5/week", &[("stolen rights", "attack-1")]);
    assert_eq!(changes(&plan), ["except admin by ci/deploy"]);
    let step = &plan.steps[0];
    assert_eq!((step.before, step.after, step.missed.len(), plan.holds), (57, 1, 0, true));
}

/// An attack by a noisy actor itself: what keeps it told comes first, however much noise an exception would spare.
#[test]
fn an_exception_that_would_hide_an_attack_comes_last() {
    let store = noise();
    for day in 0..28 {
        notice(&store, day * 24 + 7, "scanner", &format!("scan-{day}"));
    }
    let labelled = [("stolen rights", "attack-1"), ("stolen pipeline", "noise-30")];
    let plan = tune(&store, vec![by_actor()], "15/week", &labelled);
    assert_eq!(changes(&plan), ["except admin by scanner"], "{:?}", plan.steps);
    assert!(plan.holds && plan.steps[0].missed.is_empty(), "{:?}", plan.steps);
    // Where nothing else helps, what is missed is named exactly.
    let plan = tune(&store, vec![by_actor()], "1/month", &labelled);
    let missed: Vec<&String> = plan.steps.iter().flat_map(|step| &step.missed).collect();
    assert!(plan.holds, "{:?}", plan.steps);
    assert_eq!(missed, ["stolen pipeline"], "{:?}", plan.steps);
}

/// No step is there that the budget does not need: each one taken back breaks it.
#[test]
fn every_step_is_needed() {
    let store = noise();
    for day in 0..28 {
        notice(&store, day * 24 + 7, "scanner", &format!("scan-{day}"));
    }
    let all = condition("all", "SELECT count(*) FROM AwsSecurityNotice FACET actor.name AS actor", 0.0);
    let snapshots = vec![store.snapshot()];
    let (first, last) = arrivals(&snapshots).expect("rows");
    for budget in ["20/week", "5/week", "1/month", "0/month"] {
        let tuning = Tuning {
            snapshots: &snapshots,
            range: Range { begin_ms: first, end_ms: last + 1 },
            settings: &Settings::default(),
            muting: &[],
            budget: budget.parse().expect("a budget"),
            attacks: &[],
        };
        let plan = tuning.search(vec![by_actor(), all.clone()], &|_| true, &mut |_| {});
        assert!(plan.holds && !plan.steps.is_empty(), "{budget}: {:?}", plan.steps);
        let chain: Vec<(u64, u64)> = plan.steps.iter().map(|step| (step.before, step.after)).collect();
        assert!(chain.windows(2).all(|two| two[0].1 == two[1].0), "{budget}: {chain:?}");
        for skipped in 0..plan.steps.len() {
            let mut tested = vec![by_actor(), all.clone()];
            for (_, step) in plan.steps.iter().enumerate().filter(|(at, _)| *at != skipped) {
                for one in &mut tested {
                    match &step.change {
                        Change::Edit { condition, edit } if *condition == one.id => {
                            one.condition = edit.apply(&one.condition);
                            one.enabled &= *edit != Edit::Off;
                        }
                        Change::Exclude(exclusion) => one.condition.query = restricted(&one.condition.query, exclusion),
                        Change::Edit { .. } => {}
                    }
                }
            }
            let result = tuning.backtest(tested);
            let over = tuning.budget.exceeded(&result.opened(Priority::Critical), result.range);
            assert!(!over.is_empty(), "{budget}: without {}: {:?}", plan.steps[skipped].change, plan.steps);
        }
    }
}

/// What each came once is not excepted one by one: that would silence the past alone.
#[test]
fn what_never_comes_again_is_no_exception() {
    let store = Store::in_memory();
    for nth in 0..20 {
        notice(&store, nth * 30, &format!("session-{nth}"), &format!("noise-{nth}"));
    }
    let plan = tune(&store, vec![by_actor()], "1/month", &[]);
    assert!(plan.holds, "{:?}", plan.steps);
    let named = |step: &super::Step| matches!(&step.change, Change::Exclude(one) if matches!(one.muted, Muted::Actor(_)));
    assert!(!plan.steps.iter().any(named), "{:?}", plan.steps);
}

#[test]
fn what_fits_already_is_left_alone() {
    let plan = tune(&noise(), vec![by_actor()], "15/week", &[]);
    assert!(plan.holds && plan.steps.is_empty(), "{:?}", plan.steps);
    let off = Tested { enabled: false, ..by_actor() };
    let plan = tune(&noise(), vec![off], "0/month", &[]);
    assert!(plan.holds && plan.steps.is_empty(), "what is off pages nobody");
}

/// A threshold of many goes up as far as is needed; one that says "one is enough" stays.
#[test]
fn a_threshold_goes_up_to_what_the_noise_reaches() {
    let store = Store::in_memory();
    for day in 0..10 {
        // No name to except: each time it is another actor.
        for nth in 0..12 {
            notice(&store, day * 24, &format!("someone-{day}-{nth}"), &format!("noise-{day}-{nth}"));
        }
    }
    for nth in 0..40 {
        notice(&store, 99, &format!("attacker-{nth}"), "attack-1");
    }
    let query = "SELECT count(*) FROM AwsSecurityNotice WHERE control.ids LIKE '%|admin|%' FACET aws.accountId AS account";
    let plan = tune(&store, vec![condition("many", query, 5.0)], "1/week", &[("burst", "attack-1")]);
    assert_eq!(changes(&plan), ["many: threshold 5 → 12"], "{:?}", plan.steps);
    assert!(plan.holds && plan.steps[0].missed.is_empty(), "{:?}", plan.steps);
    let zero = tune(&store, vec![condition("any", query, 0.0)], "1/week", &[("burst", "attack-1")]);
    assert!(zero.steps.iter().all(|step| !matches!(step.change, Change::Edit { edit: Edit::Threshold { .. }, .. })));
}

#[test]
fn the_same_rows_give_the_same_steps() {
    let run = || {
        let plan =
            tune(&noise(), vec![by_actor(), condition("all", "SELECT count(*) FROM AwsSecurityNotice", 0.0)], "1/week", &[]);
        (plan.steps, plan.holds)
    };
    assert_eq!(run(), run());
}

/// Rows that lack what an exclusion names stay, and what names say is never read as NRQL.
#[test]
fn a_restricted_query_leaves_out_what_the_exception_would_mute_and_nothing_else() {
    let store = Store::in_memory();
    let odd = "x' OR 'a' = 'a";
    for (controls, actor) in
        [("|admin|", Some("ci/deploy")), ("|admin|", None), ("|other|", Some("ci/deploy")), ("|admin|", Some(odd))]
    {
        let mut row = json!({ "timestamp": BEGIN_MS, "control.id": "admin", "control.ids": controls });
        if let Some(actor) = actor {
            row["actor.name"] = actor.into();
        }
        store.append_json("AwsSecurityNotice", row.as_object().expect("an object"), BEGIN_MS);
    }
    // Detections name one control.
    for control in ["admin", "other"] {
        let row = json!({ "timestamp": BEGIN_MS, "control.id": control, "actor.name": "ci/deploy" });
        store.append_json("AwsSecurityEvent", row.as_object().expect("an object"), BEGIN_MS);
    }
    let snapshot: Snapshot = store.snapshot();
    let count = |query: &str| {
        let statement = parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        let answer = Engine::new(snapshot.clone(), Asked::default()).run(&statement, BEGIN_MS + 1).expect(query);
        answer.results[0].values[0].1.as_number()
    };
    let exclude = |muted: Muted| Exclusion { control: "admin".to_owned(), muted };
    for (from, exclusion, want) in [
        ("AwsSecurityNotice", exclude(Muted::Actor("ci/deploy".to_owned())), 3.0),
        ("AwsSecurityNotice", exclude(Muted::Actor(odd.to_owned())), 3.0),
        ("AwsSecurityNotice", exclude(Muted::Everybody), 1.0),
        ("AwsSecurityNotice", exclude(Muted::Account("111122223333".to_owned())), 4.0),
        ("AwsSecurityEvent", exclude(Muted::Actor("ci/deploy".to_owned())), 1.0),
        ("AwsSecurityEvent", exclude(Muted::Address("203.0.113.7".to_owned())), 2.0),
        ("(SELECT count(*) AS n FROM AwsSecurityNotice FACET control.ids)", exclude(Muted::Everybody), 1.0),
    ] {
        let query = format!("SELECT count(*) FROM {from} SINCE 1 hour ago");
        assert_eq!(count(&restricted(&query, &exclusion)), Some(want), "{}", restricted(&query, &exclusion));
    }
    assert_eq!(restricted("SELECT count(*) FROM CspmRelayGap", &exclude(Muted::Everybody)), "SELECT count(*) FROM CspmRelayGap");
}

/// S0-05: the histogram by day and those who did most.
#[test]
fn contributions_are_counted_by_day_and_name() {
    let snapshots = vec![noise().snapshot()];
    let range = Range { begin_ms: BEGIN_MS, end_ms: BEGIN_MS + 56 * 12 * HOUR_MS };
    let made = contributions(&snapshots, range, &TimeZone::UTC);
    let [made] = &made[..] else { panic!("{made:?}") };
    assert_eq!((made.control.as_str(), made.rows, made.by_day.len()), ("admin", 57, 28));
    assert_eq!(made.by_day.values().copied().max(), Some(3), "two a day, and the attack");
    let actors: Vec<(&str, u64)> = made.actors.iter().map(|one| (one.name.as_str(), one.rows)).collect();
    assert_eq!(actors, [("ci/deploy", 56), ("mallory", 1)]);
    assert_eq!(made.sources[0].name, "203.0.113.7");
}

/// An attack whose records no rule wanted is told as such, not left out.
#[test]
fn an_attack_without_rows_is_never_told() {
    let snapshots = vec![noise().snapshot()];
    let found = attacks(&snapshots, &labels(&[("seen", "attack-1"), ("unseen", "nothing")]));
    let rows: Vec<(&str, usize)> = found.iter().map(|attack| (attack.name.as_str(), attack.rows.rows())).collect();
    assert_eq!(rows, [("seen", 1), ("unseen", 0)]);
}

/// A row that `filter()` leaves out adds nothing to the window that noise opens: it is not what somebody was woken for.
#[test]
fn an_attack_that_adds_nothing_to_the_value_is_not_told() {
    let store = Store::in_memory();
    notice(&store, 1, "ci/deploy", "noise");
    notice(&store, 1, "mallory", "attack");
    notice(&store, 30, "ci/deploy", "last");
    let of = |actor: &str| {
        let query = format!(
            "SELECT filter(count(*), WHERE actor.name = '{actor}') FROM AwsSecurityNotice WHERE control.ids LIKE '%|admin|%' FACET control.id AS control"
        );
        told(&store, vec![condition("admin", &query, 0.0)], &[("stolen rights", "attack")]).len()
    };
    assert_eq!((of("ci/deploy"), of("mallory")), (0, 1));
}
