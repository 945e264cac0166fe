//! State on S3, as the emulators play it: puts that expect something, lists of several pages, and who leads.
//!
//! Both emulators honour `If-None-Match` and `If-Match`; were one to stop, these tests would say which.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cspm_relay::posture::lease::{Leadership, Lease, Settings};
use cspm_relay::posture::store::{Expected, S3, Store, StoreError};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use crate::support::PATIENCE;
use crate::support::aws::{Aws, emulators, random_name};

/// A store in a bucket of its own.
async fn store(aws: &Aws, prefix: &str) -> Arc<S3> {
    let bucket = random_name("state");
    aws.s3.create_bucket().bucket(&bucket).send().await.expect("creating a bucket");
    Arc::new(S3::new(aws.s3.clone(), &bucket, prefix))
}

fn is_conflict<T: std::fmt::Debug>(put: Result<T, StoreError>) -> bool {
    matches!(put, Err(StoreError::Conflict { .. }))
}

#[tokio::test]
async fn a_put_happens_only_to_what_it_expects() {
    for aws in emulators().await {
        let (store, name) = (store(&aws, "cspm/relay").await, "state/111122223333/eu-west-1.json.gz");
        let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
        assert_eq!(store.get(name).await.unwrap(), None, "{}", aws.name);
        let first = store.put(name, bytes("one"), Expected::Absent).await.unwrap();
        assert!(is_conflict(store.put(name, bytes("x"), Expected::Absent).await), "{}: If-None-Match", aws.name);
        let second = store.put(name, bytes("two"), Expected::Version(first.clone())).await.unwrap();
        assert!(is_conflict(store.put(name, bytes("x"), Expected::Version(first.clone())).await), "{}: If-Match", aws.name);
        assert!(is_conflict(store.put("none", bytes("x"), Expected::Version(first)).await), "{}: If-Match of nothing", aws.name);
        assert_eq!(store.get(name).await.unwrap(), Some((bytes("two"), second)), "{}", aws.name);
        store.put(name, bytes("three"), Expected::Any).await.unwrap();
        store.delete(name).await.unwrap();
        store.delete(name).await.unwrap();
        assert_eq!((store.get(name).await.unwrap(), store.list("").await.unwrap()), (None, vec![]), "{}", aws.name);
    }
}

#[tokio::test]
async fn of_many_writers_one_wins() {
    for aws in emulators().await {
        let store = store(&aws, "").await;
        let first = store.put("lease", Bytes::from_static(b"0"), Expected::Absent).await.unwrap();
        let puts = (0..8).map(|writer| {
            let (store, first) = (Arc::clone(&store), first.clone());
            async move { store.put("lease", Bytes::from(format!("writer {writer}")), Expected::Version(first)).await }
        });
        let ended = futures_util::future::join_all(puts).await;
        assert_eq!(ended.iter().filter(|put| put.is_ok()).count(), 1, "{}: {ended:?}", aws.name);
        assert_eq!(ended.into_iter().filter(|put| is_conflict(put.clone())).count(), 7, "{}", aws.name);
    }
}

#[tokio::test]
async fn a_list_has_all_its_pages() {
    for aws in emulators().await {
        let store = store(&aws, "p/").await;
        let names: Vec<String> = (0..1_030).map(|number| format!("state/{number:012}/eu-west-1")).collect();
        for some in names.chunks(16) {
            let puts = some.iter().map(|name| store.put(name, Bytes::from_static(b"x"), Expected::Any));
            futures_util::future::try_join_all(puts).await.unwrap();
        }
        store.put("lease", Bytes::from_static(b"x"), Expected::Any).await.unwrap();
        assert_eq!(store.list("state/").await.unwrap(), names, "{}", aws.name);
        assert_eq!(store.list("state/000000001029").await.unwrap(), names[1029..], "{}", aws.name);
    }
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_told() {
    for aws in emulators().await {
        let store = S3::new(aws.s3.clone(), &random_name("none"), "");
        for error in [store.get("a").await.map(drop), store.put("a", Bytes::new(), Expected::Absent).await.map(drop)] {
            let error = error.unwrap_err();
            assert!(matches!(&error, StoreError::Denied { missing, .. } if missing.starts_with("the bucket none-")), "{error:?}");
        }
    }
}

/// The first lets go, the second dies, the third takes over: no two at once, and no epoch twice.
#[tokio::test]
async fn the_lead_goes_from_one_to_the_next() {
    const LEASE: Duration = Duration::from_secs(5);
    for aws in emulators().await {
        let store = store(&aws, "cspm").await;
        let start = || {
            let settings = Settings { holder: "test".to_owned(), lease: LEASE };
            let (lease, watched) = Lease::new(store.clone(), "lease/posture", settings);
            let (stop, stopped) = oneshot::channel::<()>();
            let task = tokio::spawn(lease.run(async { stopped.await.unwrap_or_default() }));
            (watched, stop, task)
        };
        let leads = async |watched: &mut tokio::sync::watch::Receiver<Leadership>| {
            *timeout(PATIENCE, watched.wait_for(|now| now.leads())).await.expect("nobody leads").unwrap()
        };
        let (mut first, stop_first, first_task) = start();
        assert_eq!(leads(&mut first).await, Leadership::Leader { epoch: 1 }, "{}", aws.name);
        let (mut second, _stop_second, second_task) = start();
        tokio::time::sleep(LEASE + LEASE / 2).await;
        assert_eq!((*first.borrow(), *second.borrow()), (Leadership::Leader { epoch: 1 }, Leadership::Follower), "{}", aws.name);

        stop_first.send(()).unwrap();
        first_task.await.unwrap();
        let let_go = Instant::now();
        assert_eq!(leads(&mut second).await, Leadership::Leader { epoch: 2 }, "{}", aws.name);
        assert!(let_go.elapsed() < LEASE / 2, "{}: {:?}", aws.name, let_go.elapsed());

        let (mut third, stop_third, third_task) = start();
        tokio::time::sleep(LEASE / 2).await;
        second_task.abort();
        let died = Instant::now();
        assert_eq!(leads(&mut third).await, Leadership::Leader { epoch: 3 }, "{}", aws.name);
        // Its last renewal was at most a third of the lease before.
        assert!(died.elapsed() >= LEASE / 2, "{}: {:?}", aws.name, died.elapsed());
        stop_third.send(()).unwrap();
        third_task.await.unwrap();
    }
}
