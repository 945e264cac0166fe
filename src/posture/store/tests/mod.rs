//! What every store must do, whichever it is.

mod answers;

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

#[tokio::test]
async fn a_folder_behaves() {
    let root = tempfile::tempdir().unwrap();
    behaves(&Folder::new(&root.path().join("made/by it"))).await;
}

/// Of many that write at once, in threads and stores of their own, one wins each round.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_writers_in_a_folder_one_wins() {
    let root = tempfile::tempdir().unwrap();
    let mut expected = Expected::Absent;
    for round in 0..5 {
        let puts = (0..8).map(|writer| {
            let (store, expected) = (Folder::new(root.path()), expected.clone());
            tokio::spawn(async move { store.put("a/b", format!("{round} {writer}").into(), expected).await })
        });
        let ended: Vec<_> = futures_util::future::join_all(puts).await.into_iter().map(Result::unwrap).collect();
        let won: Vec<&Version> = ended.iter().filter_map(|put| put.as_ref().ok()).collect();
        assert_eq!(won.len(), 1, "{ended:?}");
        assert_eq!(ended.iter().filter(|put| **put == Err(conflict("a/b"))).count(), 7, "{ended:?}");
        expected = Expected::Version(won[0].clone());
    }
}

/// What a crash left behind is neither listed nor in the way, and a store of another process is the same store.
#[cfg(unix)]
#[tokio::test]
async fn a_folder_is_its_owners_alone_and_survives_a_crash() {
    use std::os::unix::fs::PermissionsExt as _;

    let root = tempfile::tempdir().unwrap();
    let made = root.path().join("state");
    let store = Folder::new(&made);
    let version = store.put("a/b", Bytes::from_static(b"1"), Expected::Absent).await.unwrap();
    std::fs::write(made.join("a/.b.part"), "half").unwrap();
    let mode = |path: &str| std::fs::metadata(made.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("a"), mode("a/b"), mode(".lock")), (0o700, 0o700, 0o600, 0o600));
    let other = Folder::new(&made);
    assert_eq!(other.list("").await.unwrap(), ["a/b"]);
    other.put("a/b", Bytes::from_static(b"2"), Expected::Version(version)).await.unwrap();
    assert_eq!(mode("a/b"), 0o600);
    assert!(!made.join("a/.b.part").exists());
}

#[tokio::test]
async fn what_a_folder_cannot_do_is_told() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    std::fs::write(&file, "").unwrap();
    let denied = Folder::new(&file.join("below")).put("a", Bytes::new(), Expected::Any).await.unwrap_err();
    assert!(matches!(&denied, StoreError::Denied { why, .. } if why.starts_with("locking ")), "{denied}");
    // A folder where an object belongs.
    std::fs::create_dir(root.path().join("a")).unwrap();
    for error in [
        Folder::new(root.path()).get("a").await.unwrap_err(),
        Folder::new(root.path()).put("a", Bytes::new(), Expected::Any).await.unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Denied { .. }), "{error:?}");
    }
    let large = std::fs::File::create(root.path().join("large")).unwrap();
    large.set_len(MOST_BYTES as u64 + 5).unwrap();
    let refused = Folder::new(root.path()).get("large").await.unwrap_err();
    assert_eq!(refused, too_large("large", MOST_BYTES as u64 + 5));
}

#[test]
fn errors_say_what_to_do() {
    let denied =
        StoreError::Denied { why: "AccessDenied: no".to_owned(), missing: "s3:PutObject on arn:aws:s3:::b/*".to_owned() };
    assert_eq!(denied.to_string(), "AccessDenied: no; missing: s3:PutObject on arn:aws:s3:::b/*");
    assert!(not_a_name("a b").to_string().starts_with("\"a b\" is not a name: parts of letters"));
    assert_eq!(too_large("a", 70_000_000).to_string(), "a has 70000000 bytes; at most 67108864 are allowed");
}
