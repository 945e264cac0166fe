//! What is kept is bounded, and what is thrown out is counted.

use super::super::state::{BACK_MS, FORWARD_MS, GROUPS};
use super::super::{Thrown, spec::HITS_PER_GROUP};
use super::*;

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

/// Many groups push out those that were silent longest; what is left still counts.
#[test]
fn the_oldest_groups_go_first() {
    let set = counted("{gte: 2}");
    for number in 0..=GROUPS {
        let ms = START_MS + i64::try_from(number).expect("small");
        assert!(!offer(&set, &format!("{number}"), ms, &format!("ip-{number}"), START_MS));
    }
    let thrown = set.thrown();
    assert_eq!(thrown, Thrown { records: (GROUPS as u64 + 1) / 10, out_of_time: 0 });
    assert_eq!(thrown.since(thrown), Thrown::default());
    let late_ms = START_MS + i64::try_from(GROUPS).expect("small");
    assert!(!offer(&set, "again-0", late_ms - 1, "ip-0", START_MS), "it was thrown out");
    assert!(offer(&set, "again-9999", late_ms, "ip-9999", START_MS), "it was kept");
}

/// A group holds the newest records, and remembers that it told.
#[test]
fn a_full_group_keeps_its_newest_records() {
    let set = counted(&format!("{{gte: {HITS_PER_GROUP}}}"));
    let mut told = Vec::new();
    let count = HITS_PER_GROUP * 2;
    let mut matcher = set.matcher();
    for number in 0..count {
        // All in one second: in one window.
        let raw = record(&format!("{number:06}"), "X", 0, r#""sourceIPAddress":"a""#);
        let trail = Trail::parse(raw.as_bytes()).expect("a record");
        if !matcher.detections(&trail, "1", trail.event_id.or_empty(), i64::MAX).is_empty() {
            told.push(number);
        }
    }
    assert_eq!(told, [HITS_PER_GROUP - 1], "told once, though the records that it was told of were thrown out");
    assert!(set.thrown().records > 0);
}
