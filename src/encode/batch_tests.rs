//! Batches stay inside their limits and lose no item and no piece.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::ack::{Counts, ObjectEntry, Outcome, Settled};

fn limits(unpacked: usize, packed: usize, items: usize) -> BodyLimits {
    BodyLimits { unpacked, packed, items, level: 1 }
}

fn unpacked(batch: &Batch) -> serde_json::Value {
    serde_json::from_slice(&batch.unpack().unwrap()).unwrap()
}

/// An object whose records are made by the test; the counts tell how they ended.
fn object() -> (Arc<Counts>, Arc<ObjectEntry>) {
    let counts = Arc::new(Counts::new("made"));
    (Arc::clone(&counts), ObjectEntry::enter(counts, 0, None))
}

fn piece(object: &Arc<ObjectEntry>) -> Piece {
    let record = object.record();
    record.ends_as(Outcome::Delivered);
    record.piece()
}

proptest! {
    /// Every item is in exactly one body, in order; every body is within its limits; every split keeps items and pieces
    /// together.
    #[test]
    fn items_go_through_batches_and_splits_whole(
        sizes in prop::collection::vec(1_usize..400, 1..60),
        body in 600_usize..3_000,
        most in 1_usize..20,
        refuse in any::<u64>(),
    ) {
        let (counts, object) = object();
        let mut batcher = Batcher::new(Lane::Events, limits(body, body, most), Lane::Events.head("{}"));
        let items: Vec<String> = sizes.iter().enumerate().map(|(at, size)| format!("{{\"{at}\":\"{}\"}}", "x".repeat(*size))).collect();
        let mut batches = Vec::new();
        for item in &items {
            batches.extend(batcher.push(item.as_bytes(), 5, piece(&object)));
        }
        batches.extend(batcher.close());
        let mut seen = Vec::new();
        let mut rng = fastrand::Rng::with_seed(refuse);
        batches.reverse();
        while let Some(batch) = batches.pop() {
            prop_assert!(batch.unpack().unwrap().len() <= body && batch.body().len() <= body && batch.len() <= most && !batch.is_empty());
            prop_assert_eq!(batch.oldest_ms, 5);
            if batch.len() > 1 && rng.bool() {
                let (first, second) = batch.halves().unwrap();
                batches.extend(second);
                batches.push(first);
                continue;
            }
            seen.extend(unpacked(&batch).as_array().unwrap().iter().map(ToString::to_string));
            prop_assert_eq!(batch.len(), unpacked(&batch).as_array().unwrap().len());
            batch.settle(Settled::Delivered);
        }
        prop_assert_eq!(seen, items);
        prop_assert_eq!(counts.snapshot().ended(Outcome::Delivered), sizes.len() as u64);
    }
}

#[test]
fn a_single_item_cannot_be_split() {
    let (_counts, object) = object();
    let mut batcher = Batcher::new(Lane::Logs, limits(1_000, 1_000, 10), Lane::Logs.head(r#"{"logtype":"x"}"#));
    assert!(batcher.push(b"{\"a\":1}", i64::MAX, piece(&object)).is_none());
    let batch = batcher.close().unwrap();
    assert_eq!(unpacked(&batch), serde_json::json!([{"common": {"attributes": {"logtype": "x"}}, "logs": [{"a": 1}]}]));
    let (alone, none) = batch.halves().unwrap();
    assert!(none.is_none());
    assert_eq!(alone.into_items().unwrap()[0].0, b"{\"a\":1}");
    assert!(batcher.close().is_none());
}

#[test]
fn a_larger_unpacked_limit_still_holds_the_packed_one() {
    let (_counts, object) = object();
    let packed = 400 << 10;
    let mut batcher = Batcher::new(Lane::Events, limits(10 << 20, packed, 100_000), Lane::Events.head("{}"));
    let mut rng = fastrand::Rng::with_seed(1);
    let mut batches = Vec::new();
    for _ in 0..2_000 {
        // Random text hardly shrinks.
        let item = format!("{{\"r\":\"{}\"}}", std::iter::repeat_with(|| rng.alphanumeric()).take(1_000).collect::<String>());
        batches.extend(batcher.push(item.as_bytes(), 0, piece(&object)));
    }
    batches.extend(batcher.close());
    assert!(batches.len() > 2);
    for batch in batches {
        assert!(batch.body().len() <= packed, "{} bytes", batch.body().len());
    }
}

/// Items shorter and longer than the stretch that is packed at once stand in the body in their order.
#[test]
fn short_and_long_items_keep_their_order() {
    let (_, object) = object();
    let mut batcher = Batcher::new(Lane::Events, limits(900_000, 900_000, 2_000), Lane::Events.head("{}"));
    let sizes = [10, STAGED - 30, 40, STAGED + 1, 5, 3 * STAGED, STAGED, 7];
    for (at, size) in sizes.iter().enumerate() {
        let item = format!("\"{at}{}\"", "x".repeat(*size));
        assert!(batcher.push(item.as_bytes(), 5, piece(&object)).is_none(), "item {at}");
    }
    let batch = batcher.close().unwrap();
    let body = unpacked(&batch);
    let read: Vec<(usize, usize)> = body
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item.as_str().unwrap().split_at(1))
        .map(|(at, text)| (at.parse().unwrap(), text.len()))
        .collect();
    assert_eq!(read, sizes.into_iter().enumerate().collect::<Vec<_>>());
}
