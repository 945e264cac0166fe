//! What a back-test makes of what it does not know, of policies, and of muting rules.

use super::*;
use crate::lab::store::Store;
use crate::nrql::condition::{Comparison, Expiration, Fill, Kind, Method, Occurrences, Signal, Term};
use crate::nrql::muting::{Operator, Test};

const MINUTE_MS: i64 = 60_000;

/// A condition of a policy that is on: critical above 5, warning above 0, in windows of a minute.
fn tested(id: &str, query: &str, preference: Preference) -> Tested {
    let term = |priority, threshold| Term {
        priority,
        comparison: Comparison::Above,
        threshold,
        duration_s: 60,
        occurrences: Occurrences::AtLeastOnce,
    };
    Tested {
        policy: "own".to_owned(),
        policy_name: "Our own".to_owned(),
        preference,
        id: id.to_owned(),
        enabled: true,
        runbook: "https://example.com/steps".to_owned(),
        condition: Condition {
            name: id.to_owned(),
            query: query.to_owned(),
            kind: Kind::Static,
            signal: Signal {
                window_s: 60,
                slide_s: None,
                method: Method::EventTimer { timer_s: 60 },
                fill: Fill::None,
                evaluation_delay_s: 0,
            },
            terms: vec![term(Priority::Critical, 5.0), term(Priority::Warning, 0.0)],
            expiration: Some(Expiration { after_s: 1_800, opens: false, closes: true, ignores_expected: false }),
            time_limit_s: 86_400,
        },
    }
}

/// Rows of `T`: minute, account, value.
fn rows(rows: &[(i64, &str, f64)]) -> Snapshot {
    let store = Store::in_memory();
    store.append("T", |pen| {
        for (minute, account, value) in rows {
            pen.begin(minute * MINUTE_MS, minute * MINUTE_MS);
            pen.text("account", account);
            pen.number("value", *value);
        }
    });
    store.snapshot()
}

const BY_ACCOUNT: &str = "SELECT sum(value) FROM T FACET account";
const ALL: Range = Range { begin_ms: 0, end_ms: i64::MAX };

fn run(snapshot: &Snapshot, tested: Vec<Tested>) -> Backtest {
    backtest(std::slice::from_ref(snapshot), tested, ALL, &Settings::default())
}

/// When issues reached critical, minutes.
fn pages(result: &Backtest) -> Vec<i64> {
    result.opened(Priority::Critical).iter().map(|ms| ms / MINUTE_MS).collect()
}

/// P28: a condition of long windows beside it, or a range that ends later, adds no silence to what is known.
#[test]
fn nothing_is_made_up_after_the_last_row() {
    let snapshot = rows(&[(0, "dev", 9.0), (10, "prod", 1.0)]);
    let mut silent = tested("silent", BY_ACCOUNT, Preference::Condition);
    silent.condition.expiration = Some(Expiration { after_s: 900, opens: true, closes: false, ignores_expected: false });
    silent.condition.signal.fill = Fill::Static(9.0);
    silent.condition.time_limit_s = 300;
    let mut slow = tested("slow", BY_ACCOUNT, Preference::Condition);
    slow.condition.signal.window_s = 21_600;
    slow.condition.terms.iter_mut().for_each(|term| term.duration_s = 86_400);
    let result = run(&snapshot, vec![silent, slow]);
    assert_eq!(result.range, Range { begin_ms: 0, end_ms: 10 * MINUTE_MS + 1 });
    let of = |id: usize| -> Vec<(Priority, i64, bool)> {
        let incidents = result.outcomes[id].incidents();
        incidents.map(|(_, one)| (one.priority, one.opened_ms / MINUTE_MS, one.closed.is_some())).collect()
    };
    // Dev is closed by its limit before the last row came; prod is still open.
    assert_eq!(of(0), [(Priority::Critical, 1, true), (Priority::Warning, 1, true), (Priority::Warning, 11, false)]);
    // The long window is closed by its timer: dev at once met the term, prod too.
    assert_eq!(of(1), [(Priority::Critical, 1, false), (Priority::Warning, 1, false), (Priority::Warning, 11, false)]);
}

/// S3-14: what pages is the issue, by the policy's preference.
#[test]
fn incidents_page_by_the_issue_that_they_share() {
    let snapshot = rows(&[(0, "dev", 9.0), (2, "prod", 9.0), (9, "prod", 1.0)]);
    let of = |preference| run(&snapshot, vec![tested("a", BY_ACCOUNT, preference), tested("b", BY_ACCOUNT, preference)]);
    assert_eq!(pages(&of(Preference::Policy)), [1]);
    assert_eq!(pages(&of(Preference::Condition)), [1, 1]);
    let each = of(Preference::ConditionAndTarget);
    assert_eq!(pages(&each), [1, 1, 3, 3]);
    assert!(each.issues.iter().all(|issue| issue.origins.len() == 2 && issue.policy == "own"), "{:?}", each.issues);
}

#[test]
fn an_issue_pages_when_it_becomes_critical_and_a_warning_never() {
    let snapshot = rows(&[(0, "dev", 1.0), (3, "dev", 9.0), (50, "prod", 1.0)]);
    let result = run(&snapshot, vec![tested("a", BY_ACCOUNT, Preference::Policy)]);
    assert_eq!(pages(&result), [4]);
    assert_eq!(result.opened(Priority::Warning), [MINUTE_MS, 51 * MINUTE_MS]);
}

#[test]
fn a_condition_that_is_off_pages_nobody_and_hides_nothing() {
    let snapshot = rows(&[(0, "dev", 9.0), (2, "prod", 9.0)]);
    let on = tested("on", "SELECT sum(value) FROM T WHERE account = 'prod'", Preference::Policy);
    let off = Tested { enabled: false, ..tested("off", BY_ACCOUNT, Preference::Policy) };
    let result = run(&snapshot, vec![off, on]);
    assert_eq!(pages(&result), [3]);
    assert_eq!(
        result.issues.iter().map(|issue| (issue.enabled, issue.origins.len())).collect::<Vec<_>>(),
        [(false, 4), (true, 2)]
    );
}

#[test]
fn what_is_muted_pages_nobody_and_is_still_told() {
    let snapshot = rows(&[(0, "dev", 9.0), (2, "prod", 9.0)]);
    let test = |attribute: &str, value: &str| Test {
        attribute: attribute.to_owned(),
        operator: Operator::Equals,
        values: vec![value.to_owned()],
    };
    let rule =
        |conditions| MutingRule { name: "Quiet".to_owned(), enabled: true, all: true, conditions, schedule: None, closes: false };
    let with = |rule| {
        let tested = vec![tested("a", BY_ACCOUNT, Preference::ConditionAndTarget)];
        run(&snapshot, tested).muted_by(&[rule])
    };
    let result = with(rule(vec![test("tags.account", "dev"), test("policyName", "Our own"), test("nrqlEventType", "T")]));
    assert_eq!(pages(&result), [3]);
    let muted: Vec<bool> = result.issues.iter().map(|issue| issue.issue.told_ms.is_none()).collect();
    assert_eq!(muted, [true, false]);
    assert_eq!(pages(&with(rule(vec![test("conditionRunbookUrl", "https://example.com/steps")]))), [0_i64; 0]);
    assert_eq!(pages(&with(rule(vec![test("policyName", "own")]))), [1, 3]);
}

#[test]
fn without_rows_of_its_types_a_condition_is_not_tested() {
    let snapshot = rows(&[(0, "dev", 9.0)]);
    let of = |query: &str| {
        let result = run(&snapshot, vec![tested("a", query, Preference::Policy)]);
        (result.outcomes[0].event_types.clone(), result.outcomes[0].has_rows)
    };
    let types = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(of("SELECT count(*) FROM U, V, U"), (types(&["U", "V"]), false));
    assert_eq!(of("SELECT count(*) FROM U, T"), (types(&["U", "T"]), true));
    let nested = "SELECT max(n) FROM (SELECT count(*) AS n FROM U FACET account)";
    assert_eq!(of(nested), (types(&["U"]), false));
}

/// P28: of the last windows only some rows came. A sum that asks for little would be met by that alone; it is left, and counted.
#[test]
fn a_window_that_lacks_rows_pages_for_nothing() {
    // Ten a minute for half an hour and a bit; whole windows of five minutes have 50.
    let minutes: Vec<(i64, &str, f64)> = (0..32).map(|minute| (minute, "dev", 10.0)).collect();
    let snapshot = rows(&minutes);
    let of = |query: &str, comparison, threshold| {
        let mut one = tested("one", query, Preference::Policy);
        one.condition.signal = Signal { window_s: 300, method: Method::EventTimer { timer_s: 180 }, ..one.condition.signal };
        one.condition.terms.truncate(1);
        for term in &mut one.condition.terms {
            (term.comparison, term.threshold, term.duration_s) = (comparison, threshold, 300);
        }
        let result = run(&snapshot, vec![one]);
        let unclosed = result.outcomes[0].result.as_ref().expect("evaluated").unclosed;
        (pages(&result), unclosed)
    };
    let sum = "SELECT sum(value) FROM T";
    assert_eq!(of(sum, Comparison::Below, 45.0), (vec![], 2));
    assert_eq!(of(sum, Comparison::NotEquals, 50.0), (vec![], 2));
    assert_eq!(of("SELECT average(value) FROM T", Comparison::Above, 10.0), (vec![], 2));
    // More rows would only say more.
    assert_eq!(of(sum, Comparison::Above, 15.0), (vec![7], 0));
    assert_eq!(of("SELECT count(*) FROM T", Comparison::AboveOrEquals, 5.0), (vec![7], 0));
}

/// Conditions were there before the records: what a sliding window holds at the very first arrival is evaluated.
#[test]
fn a_burst_at_the_first_arrival_is_seen_by_a_sliding_window() {
    let snapshot = rows(&[(60, "dev", 9.0), (150, "prod", 0.0)]);
    let mut sliding = tested("sliding", BY_ACCOUNT, Preference::Condition);
    sliding.condition.signal.window_s = 600;
    sliding.condition.signal.slide_s = Some(60);
    sliding.condition.terms.iter_mut().for_each(|term| term.duration_s = 600);
    let result = run(&snapshot, vec![sliding]);
    assert_eq!(pages(&result).len(), 1, "{:?}", result.outcomes[0].result);
}
