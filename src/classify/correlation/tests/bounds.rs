//! What is kept is bounded, and what is thrown out is counted; what was told outlives the records.

use super::super::Thrown;
use super::super::compiled::{Correlation, Correlations, Source};
use super::super::feed::Feed;
use super::super::spec::{HITS_PER_GROUP, Kind, Operator, Range, Want};
use super::super::state::{BACK_MS, BYTES, Disorder, FORWARD_MS, LATE_MS, Lost, Offered, State};
use super::*;

/// Length of the window, milliseconds.
const SPAN_MS: i64 = 10_000;

fn counted(condition: &str) -> RuleSet {
    let inside =
        format!("{{type: event_count, rules: [base], group-by: [sourceIPAddress], timespan: 10s, condition: {condition}}}");
    set_of(&[base("base", "X"), correlation("many", &inside)])
}

fn offer(set: &RuleSet, id: &str, ms: i64, ip: &str, now_ms: i64) -> bool {
    let time = time::format_ms(ms);
    let raw = format!(r#"{{"eventID":"{id}","eventSource":"s","eventName":"X","eventTime":"{time}","sourceIPAddress":"{ip}"}}"#);
    let trail = Trail::parse(raw.as_bytes()).expect("a record");
    !set.matcher().detections(&trail, "1", id, now_ms).is_empty()
}

/// A record whose clock is wrong neither counts nor makes the others old; one that comes after a day does not count.
#[test]
fn records_far_from_the_others_do_not_count() {
    let set = counted("{gte: 2}");
    let now_ms = START_MS;
    assert!(!offer(&set, "ahead", now_ms + FORWARD_MS + 1, "a", now_ms));
    assert!(!offer(&set, "1", now_ms, "a", now_ms));
    assert!(offer(&set, "2", now_ms + 1_000, "a", now_ms), "the one ahead made nothing old");
    let old_ms = now_ms + 1_000 - BACK_MS - 10_000;
    assert!(!offer(&set, "3", old_ms, "b", now_ms) && offer(&set, "4", old_ms, "b", now_ms), "just not too old");
    assert!(!offer(&set, "5", old_ms - 1, "c", now_ms) && !offer(&set, "6", old_ms - 1, "c", now_ms));
    assert_eq!(set.thrown(), Thrown { records: 0, out_of_time: 3 });
}

/// A correlation of one rule, and its state.
struct One {
    correlations: Correlations,
    state: State,
}

impl One {
    fn new(kind: Kind, at_least: f64, bytes: usize) -> Self {
        let mut correlations = Correlations::default();
        let want = Want::Number(Range(vec![(Operator::GreaterOrEqual, at_least)]));
        let sources = vec![Source { rule: 1, group: Vec::new(), values: Vec::new() }];
        correlations.list.push(Correlation { rule: 0, kind, want, timespan_ms: SPAN_MS, sources });
        Self { correlations, state: State::new(Disorder::LIVE, bytes) }
    }

    /// Whether the record completes it in this group.
    fn offer(&mut self, group: u64, id: u64, second: i64) -> bool {
        self.offer_with(group, id, second * 1_000, vec![id], false)
    }

    fn offer_with(&mut self, group: u64, id: u64, ms: i64, values: Vec<u64>, is_muted: bool) -> bool {
        let number = f64::from(u32::try_from(id).expect("small"));
        let feed = Feed { correlation: 0, slot: 0, source: 1, certain: true, group: [0, group], values, number };
        let muted: &[u32] = if is_muted { &[0] } else { &[] };
        let record = Offered { time_ms: START_MS + ms, id: [0, id], feeds: &[feed], muted };
        !self.state.offer(&self.correlations, record, i64::MAX).is_empty()
    }
}

/// Many groups push out those that were silent longest; what is left still counts.
#[test]
fn the_oldest_groups_go_first_and_all_is_bounded_in_bytes() {
    const ROOM: usize = 200_000;
    let mut one = One::new(Kind::EventCount, 2.0, ROOM);
    for number in 0..5_000 {
        // Fast enough that each would still count.
        assert!(!one.offer_with(number, number, i64::try_from(number).expect("small"), Vec::new(), false));
        assert!(one.state.bytes() <= ROOM, "{}", one.state.bytes());
    }
    let lost = one.state.lost;
    assert!(lost.hits > 3_000 && lost.off == 0, "{lost:?}");
    assert!(!one.offer_with(0, 10_000, 4_999, Vec::new(), false), "it was thrown out");
    assert!(one.offer_with(4_999, 10_001, 4_999, Vec::new(), false), "it was kept");
}

/// A group whose records no window can hold any more makes room, and nobody is told of a loss.
#[test]
fn what_no_longer_counts_is_no_loss() {
    let mut one = One::new(Kind::EventCount, 2.0, 100_000);
    let apart_s = (SPAN_MS + LATE_MS) / 1_000 / 4;
    for (number, second) in (0..4_000).zip((0..).step_by(usize::try_from(apart_s).expect("small"))) {
        one.offer(number, number, second);
    }
    assert_eq!(one.state.lost, Lost::default());
}

/// The values of records are many: they are bounded, too.
#[test]
fn records_with_many_values_fit_the_room() {
    let mut one = One::new(Kind::ValueCount, 1e9, BYTES);
    for number in 0..10_000_u64 {
        one.offer_with(0, number, 0, (number * 100..number * 100 + 100).collect(), false);
        assert!(one.state.bytes() <= BYTES);
    }
    assert!(one.state.lost.hits > 0);
}

/// A record that completed something gets the same answer when it comes again, and its group tells nothing twice, whatever was pushed
/// out meanwhile.
#[test]
fn what_was_told_outlives_its_group() {
    const ROOM: usize = 100_000;
    let mut one = One::new(Kind::EventCount, 2.0, ROOM);
    assert!(!one.offer(7, 1, 0) && one.offer(7, 2, 1));
    for number in 100..3_000 {
        one.offer_with(number, number, 2_000, Vec::new(), false);
    }
    assert!(one.offer(7, 2, 1), "it comes again");
    assert!(!one.offer(7, 3, 3) && !one.offer(7, 4, 4), "told already");
    assert!(one.offer(7, 5, 12), "a timespan later it is told again");
}

/// The same when the records of a full group pushed it out.
#[test]
fn a_full_group_keeps_its_newest_records() {
    let most = HITS_PER_GROUP as u64;
    let mut one = One::new(Kind::EventCount, HITS_PER_GROUP as f64, BYTES);
    // All in one second: in one window.
    let told: Vec<u64> = (0..most * 2).filter(|number| one.offer(0, *number, 0)).collect();
    assert_eq!(told, [most - 1], "told once, though the records that it was told of were thrown out");
    assert!(one.state.lost.hits > 0);
    assert!(one.offer(0, most - 1, 0), "and told the same when it comes again");
}

/// A group keeps what a window can still hold, with the time that deliveries take, and not a day.
#[test]
fn a_group_keeps_its_records_no_longer_than_they_count() {
    let mut one = One::new(Kind::EventCount, 1e9, BYTES);
    let kept_s = (SPAN_MS + LATE_MS) / 1_000;
    for second in 0..kept_s {
        one.offer(0, u64::try_from(second).expect("positive"), second);
    }
    let bytes = one.state.bytes();
    for second in kept_s..kept_s * 4 {
        one.offer(0, u64::try_from(second).expect("positive"), second);
    }
    assert!(one.state.bytes() <= bytes * 2, "{} after {bytes}", one.state.bytes());
    assert_eq!(one.state.lost, Lost::default());
}

/// What an exception mutes tells nothing: it leaves the group to others, is told once itself, and is no one else's answer.
#[test]
fn a_muted_completion_does_not_use_up_the_group() {
    let mut one = One::new(Kind::EventCount, 2.0, BYTES);
    let mut offer = |id, second: i64, is_muted| one.offer_with(0, id, second * 1_000, Vec::new(), is_muted);
    assert!(!offer(1, 0, true) && offer(2, 1, true), "found, for whoever counts what is muted");
    assert!(!offer(3, 2, true), "and not again");
    assert!(offer(4, 3, false), "another one's is told");
    assert!(!offer(5, 4, false) && !offer(6, 5, true), "once");
    assert!(offer(2, 1, true) && offer(4, 3, false) && !offer(3, 2, true), "they get the same answers again");
}
