//! A slow evaluator that follows the words of `DESIGN.md`: every window is tried, every row of records is walked.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// A record of a stream.
#[derive(Debug, Clone, PartialEq)]
struct Event {
    id: usize,
    name: &'static str,
    second: i64,
    ip: Option<&'static str>,
    agent: &'static str,
    size: i64,
}

impl Event {
    fn json(&self) -> String {
        let ip = self.ip.map(|ip| format!(r#""sourceIPAddress":"{ip}","#)).unwrap_or_default();
        let more = format!(r#"{ip}"userAgent":"{}","requestParameters":{{"size":{}}}"#, self.agent, self.size);
        record(&format!("{:03}", self.id), self.name, self.second, &more)
    }
}

/// What a window must hold, by the words of the type.
type Holds = fn(&[&Event]) -> bool;

/// Type, condition, and the same in plain words. Windows are 5 seconds long; the rules are A and B.
const CASES: [(&str, &str, Holds); 12] = [
    ("event_count", "{gte: 3}", |window| window.len() >= 3),
    ("event_count", "{gt: 1, lte: 3}", |window| (2..=3).contains(&window.len())),
    ("event_count", "{eq: 2}", |window| window.len() == 2),
    ("event_count", "{gte: 2, neq: 3}", |window| window.len() >= 2 && window.len() != 3),
    ("value_count", "{gte: 2, field: userAgent}", |window| distinct(window) >= 2),
    ("value_count", "{eq: 1, field: userAgent}", |window| distinct(window) == 1),
    ("temporal", "a and b", |window| ["A", "B"].iter().all(|name| window.iter().any(|event| event.name == *name))),
    ("temporal_ordered", "a and b", |window| {
        window.iter().any(|a| a.name == "A" && window.iter().any(|b| b.name == "B" && a.second <= b.second))
    }),
    ("value_sum", "{gt: 10, field: requestParameters.size}", |window| window.iter().map(|event| event.size).sum::<i64>() > 10),
    ("value_avg", "{lt: 3, field: requestParameters.size}", |window| {
        window.iter().map(|event| event.size).sum::<i64>() < 3 * i64::try_from(window.len()).expect("few")
    }),
    ("value_median", "{gte: 6, field: requestParameters.size}", |window| {
        let sizes = sizes(window);
        let middle = sizes.len() / 2;
        let twice = if sizes.len() % 2 == 1 { 2 * sizes[middle] } else { sizes[middle - 1] + sizes[middle] };
        twice >= 12
    }),
    ("value_percentile", "{gte: 8, percentile: 75, field: requestParameters.size}", |window| {
        let sizes = sizes(window);
        let enough = |size: &&i64| sizes.iter().filter(|other| other <= size).count() * 100 >= 75 * sizes.len();
        sizes.iter().find(enough).is_some_and(|size| *size >= 8)
    }),
];

const SPAN: i64 = 5;

fn distinct(window: &[&Event]) -> usize {
    window.iter().map(|event| event.agent).collect::<BTreeSet<_>>().len()
}

fn sizes(window: &[&Event]) -> Vec<i64> {
    let mut sizes: Vec<i64> = window.iter().map(|event| event.size).collect();
    sizes.sort_unstable();
    sizes
}

/// The ids of the records that complete the correlation, in the order they are given.
fn told(events: &[Event], takes: fn(&Event) -> bool, holds: Holds) -> BTreeSet<usize> {
    let mut known: Vec<&Event> = Vec::new();
    let mut told: BTreeSet<usize> = BTreeSet::new();
    for event in events.iter().filter(|event| event.ip.is_some() && takes(event)) {
        if known.contains(&event) {
            continue;
        }
        known.push(event);
        let mates: Vec<&Event> = known.iter().copied().filter(|mate| mate.ip == event.ip).collect();
        // Every window that ends with a record and holds this one.
        let ends = mates.iter().map(|mate| mate.second).filter(|end| (event.second..event.second + SPAN).contains(end));
        let fits = ends.into_iter().any(|end| {
            let inside = |mate: &&Event| (end - SPAN + 1..=end).contains(&mate.second);
            let window: Vec<&Event> = mates.iter().copied().filter(inside).collect();
            holds(&window)
        });
        let is_quiet = mates.iter().all(|mate| !told.contains(&mate.id) || (mate.second - event.second).abs() >= SPAN);
        if fits && is_quiet {
            told.insert(event.id);
        }
    }
    told
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = (
        proptest::sample::select(vec!["A", "A", "B", "C"]),
        0_i64..24,
        proptest::sample::select(vec![Some("1.1.1.1"), Some("1.1.1.1"), Some("2.2.2.2"), None]),
        proptest::sample::select(vec!["x", "y", "z"]),
        0_i64..10,
    );
    proptest::collection::vec(event, 1..40).prop_map(|events| {
        let made = |(id, (name, second, ip, agent, size))| Event { id, name, second, ip, agent, size };
        events.into_iter().enumerate().map(made).collect()
    })
}

/// The events with some of them again, in another order: each comes at most so many places later or earlier.
fn shuffled(events: &[Event], seed: &[u8]) -> Vec<Event> {
    let mut all: Vec<(usize, Event)> = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let noise = usize::from(seed.get(at % seed.len().max(1)).copied().unwrap_or(0));
        all.push((at * 4 + noise % 32, event.clone()));
        if noise % 5 == 0 {
            all.push((at * 4 + noise % 64 + 8, event.clone()));
        }
    }
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, event)| event).collect()
}

fn rules(kind: &str, condition: &str) -> RuleSet {
    let inside =
        format!("{{type: {kind}, rules: [a, b], group-by: [sourceIPAddress], timespan: {SPAN}s, condition: {condition}}}");
    set_of(&[base("a", "A"), base("b", "B"), correlation("found", &inside)])
}

/// The ids of the records with a detection; a record that comes again must get the same answer.
fn found(set: &RuleSet, events: &[Event]) -> BTreeSet<usize> {
    let json: Vec<String> = events.iter().map(Event::json).collect();
    let mut answers: std::collections::BTreeMap<usize, bool> = std::collections::BTreeMap::new();
    for (event, hits) in events.iter().zip(detections(set, &json)) {
        let answer = !hits.is_empty();
        assert_eq!(*answers.entry(event.id).or_insert(answer), answer, "the answer of {event:?} has changed");
    }
    answers.into_iter().filter(|(_, told)| *told).map(|(id, _)| id).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// As records come, in whatever order and however often.
    #[test]
    fn an_agent_agrees_with_the_slow_evaluator(events in events(), seed: [u8; 16], case in 0..CASES.len()) {
        let (kind, condition, holds) = CASES[case];
        let stream = shuffled(&events, &seed);
        let want = told(&stream, |event| event.name != "C", holds);
        prop_assert_eq!(found(&rules(kind, condition), &stream), want, "{} {}", kind, condition);
    }

    /// A replay says what records in the order of their time would have been told, in whatever order it reads them.
    #[test]
    fn a_replay_is_exact_in_any_order(events in events(), seed: [u8; 16], again: [u8; 16], case in 0..CASES.len()) {
        let (kind, condition, holds) = CASES[case];
        let mut in_time = events.clone();
        in_time.sort_by_key(|event| (event.second, event.id));
        let want = told(&in_time, |event| event.name != "C", holds);
        let first_look = rules(kind, condition).gathering();
        prop_assert_eq!(found(&first_look, &shuffled(&events, &seed)), BTreeSet::new(), "a look answers nothing");
        let answering = rules(kind, condition);
        answering.answer_from(&first_look, None);
        prop_assert_eq!(&found(&answering, &shuffled(&events, &again)), &want, "{} {}", kind, condition);
        prop_assert_eq!(&found(&rules(kind, condition), &in_time), &want, "in order an agent says the same");
    }

    /// A correlation of a correlation: the record that completes the inner one feeds the outer one.
    #[test]
    fn correlations_of_correlations_agree_too(events in events(), seed: [u8; 16]) {
        let set = |kind: &str| {
            let inner = format!("{{type: event_count, rules: [a], group-by: [sourceIPAddress], timespan: {SPAN}s, condition: {{gte: 2}}}}");
            let outer = format!("{{type: {kind}, rules: [inner, c], group-by: [sourceIPAddress], timespan: {SPAN}s}}");
            set_of(&[base("a", "A"), base("c", "C"), correlation("outer", &outer), correlation("inner", &inner)])
        };
        let mut in_time = events.clone();
        in_time.sort_by_key(|event| (event.second, event.id));
        let inner = told(&in_time, |event| event.name == "A", |window| window.len() >= 2);
        // What completes the inner one is called B here.
        let fed: Vec<Event> = in_time
            .iter()
            .filter(|event| event.name == "C" || inner.contains(&event.id))
            .map(|event| if event.name == "C" { event.clone() } else { Event { name: "B", ..event.clone() } })
            .collect();
        for (kind, holds) in [
            ("temporal", (|window| ["B", "C"].iter().all(|name| window.iter().any(|event| event.name == *name))) as Holds),
            ("temporal_ordered", |window| {
                window.iter().any(|b| b.name == "B" && window.iter().any(|c| c.name == "C" && b.second <= c.second))
            }),
        ] {
            let want = told(&fed, |_| true, holds);
            let first_look = set(kind).gathering();
            found(&first_look, &shuffled(&events, &seed));
            let answering = set(kind);
            answering.answer_from(&first_look, None);
            prop_assert_eq!(&found(&answering, &events), &want, "{}", kind);
            prop_assert_eq!(&found(&set(kind), &in_time), &want, "{}", kind);
        }
    }
}
