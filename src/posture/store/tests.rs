//! What every store must do, whichever it is.

use super::*;

/// Conditional puts, lists and deletes, as every store does them.
async fn behaves(store: &dyn Store) {
    let place = store.place();
    let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
    let name = "state/111122223333/eu-west-1.json.gz";
    assert_eq!(store.get(name).await.unwrap(), None, "{place}");

    // Only one of two that expect nothing is first.
    let first = store.put(name, bytes("one"), Expected::Absent).await.unwrap();
    let lost = store.put(name, bytes("other"), Expected::Absent).await.unwrap_err();
    assert_eq!(lost, conflict(name), "{place}");
    assert_eq!(store.get(name).await.unwrap(), Some((bytes("one"), first.clone())), "{place}");

    // Only one of two that expect the same version wins.
    let second = store.put(name, bytes("two"), Expected::Version(first.clone())).await.unwrap();
    assert_ne!(first, second, "{place}");
    let lost = store.put(name, bytes("other"), Expected::Version(first.clone())).await.unwrap_err();
    assert_eq!(lost, conflict(name), "{place}");
    let absent = store.put("state/none", bytes("other"), Expected::Version(first)).await.unwrap_err();
    assert_eq!(absent, conflict("state/none"), "{place}: nothing is no version");
    let third = store.put(name, bytes("three"), Expected::Any).await.unwrap();
    assert_eq!(store.get(name).await.unwrap(), Some((bytes("three"), third)), "{place}");

    for other in ["state/111122223333/us-east-1.json.gz", "state/222233334444/eu-west-1.json.gz", "lease"] {
        store.put(other, bytes(""), Expected::Any).await.unwrap();
    }
    let eu = "state/111122223333/eu-west-1.json.gz".to_owned();
    let us = "state/111122223333/us-east-1.json.gz".to_owned();
    let other = "state/222233334444/eu-west-1.json.gz".to_owned();
    for (prefix, expected) in [
        ("", vec!["lease".to_owned(), eu.clone(), us.clone(), other.clone()]),
        ("state/", vec![eu.clone(), us.clone(), other]),
        ("state/1", vec![eu.clone(), us.clone()]),
        ("state/111122223333/eu", vec![eu]),
        ("state/333", vec![]),
        ("none/at/all/", vec![]),
    ] {
        assert_eq!(store.list(prefix).await.unwrap(), expected, "{place}: {prefix:?}");
    }

    store.delete(name).await.unwrap();
    store.delete(name).await.unwrap();
    assert_eq!((store.get(name).await.unwrap(), store.list("state/1").await.unwrap()), (None, vec![us]), "{place}");
    store.put(name, bytes("again"), Expected::Absent).await.unwrap();

    for wrong in ["", "/a", "a/", "a//b", "../a", "a/../b", "a/.lock", "a b", "a\\b", "é", &"x".repeat(513)] {
        let refused = |error: StoreError| matches!(error, StoreError::Name { .. });
        assert!(store.get(wrong).await.is_err_and(refused), "{place}: {wrong}");
        assert!(store.put(wrong, bytes(""), Expected::Any).await.is_err_and(refused), "{place}: {wrong}");
        assert!(store.delete(wrong).await.is_err_and(refused), "{place}: {wrong}");
    }
    for wrong in ["/", "../", "a//", ".", "a/.l", "é"] {
        assert!(matches!(store.list(wrong).await, Err(StoreError::Name { .. })), "{place}: {wrong}");
    }
    let large = Bytes::from(vec![0; MOST_BYTES + 1]);
    let refused = store.put(name, large, Expected::Any).await.unwrap_err();
    assert_eq!(refused, too_large(name, MOST_BYTES as u64 + 1), "{place}");
}

#[tokio::test]
async fn memory_behaves() {
    behaves(&Memory::new()).await;
}

#[test]
fn errors_say_what_to_do() {
    let denied =
        StoreError::Denied { why: "AccessDenied: no".to_owned(), missing: "s3:PutObject on arn:aws:s3:::b/*".to_owned() };
    assert_eq!(denied.to_string(), "AccessDenied: no; missing: s3:PutObject on arn:aws:s3:::b/*");
    assert!(not_a_name("a b").to_string().starts_with("\"a b\" is not a name: parts of letters"));
    assert_eq!(too_large("a", 70_000_000).to_string(), "a has 70000000 bytes; at most 67108864 are allowed");
}
