//! Order, laziness, and what cannot be read.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::source::memory::{MemoryBucket, Stored, pipeline};

fn paths(folder: &std::path::Path) -> Vec<Input> {
    vec![Input::Path(folder.to_owned())]
}

fn put(folder: &std::path::Path, key: &str, body: &str) {
    let path = folder.join(key);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, body).unwrap();
}

/// Replays, ends every object as `verdict` says, and gives names and the end.
async fn replay(
    replay: Replay,
    verdict: impl Fn(&Object) -> Verdict,
) -> (Vec<(u64, String)>, Result<(), SourceError>, Reading, Arc<Counts>) {
    let (intake, mut pipeline) = pipeline(2, &Limits::default());
    let progress = replay.progress();
    let running = tokio::spawn(replay.run(intake));
    let mut seen = Vec::new();
    while let Some(object) = pipeline.objects.recv().await {
        assert!(object.again, "who had it before may have counted it: {}", object.origin.name);
        seen.push((object.number, object.origin.name.clone()));
        pipeline.tell(object.number, verdict(&object)).await;
    }
    (seen, running.await.unwrap(), progress.read(), pipeline.counts)
}

#[test]
fn an_argument_is_stdin_a_bucket_or_a_path() {
    let s3 = |bucket: &str, prefix: &str| Input::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() };
    for (text, expected) in [
        ("-", Input::Stdin),
        ("s3://b", s3("b", "")),
        ("s3://b/", s3("b", "")),
        ("s3://b/AWSLogs/1 +", s3("b", "AWSLogs/1 +")),
        ("a/b.json", Input::Path("a/b.json".into())),
        ("s3:/b", Input::Path("s3:/b".into())),
    ] {
        assert_eq!(Input::parse(OsStr::new(text)).unwrap(), expected, "{text}");
    }
    let error = Input::parse(OsStr::new("s3:///x")).unwrap_err();
    assert_eq!(error.what, "reading s3:///x: it names no bucket");
}

/// P06, P27: the order of arguments and keys, without digests.
#[tokio::test]
async fn objects_come_in_order_and_are_numbered_in_it() {
    let folder = tempfile::tempdir().unwrap();
    for key in ["b/2.json", "b/1.json", "a.json", "AWSLogs/111122223333/CloudTrail-Digest/x.json.gz", "empty.json"] {
        put(folder.path(), key, if key == "empty.json" { "" } else { "12345" });
    }
    let mut inputs = vec![Input::Stdin];
    inputs.extend(paths(folder.path()));
    let (seen, end, reading, counts) = replay(Replay::new(inputs, None, &Limits::default()), |_| Verdict::Released).await;
    end.unwrap();
    let name = |key: &str| folder.path().join(key).display().to_string();
    assert_eq!(seen, [(0, "stdin".to_owned()), (1, name("a.json")), (2, name("b/1.json")), (3, name("b/2.json"))]);
    assert_eq!(
        reading,
        Reading { found: 4, found_bytes: 15, ended: 4, ended_bytes: 15, unread: 0, complete: true, stopped: false }
    );
    assert_eq!(counts.snapshot().skipped, 2);
}

/// P09: no more is read ahead than the pipeline takes.
#[tokio::test(start_paused = true)]
async fn a_bucket_is_read_one_object_and_one_page_ahead() {
    let bucket = Arc::new(MemoryBucket::default());
    for number in 0..100 {
        bucket.put(&format!("AWSLogs/111122223333/{number:03}"), Stored::Bytes(Bytes::from_static(b"x")));
    }
    let input = Input::parse(OsStr::new("s3://b/AWSLogs/")).unwrap();
    let source = Replay::new(vec![input], Some(Arc::<MemoryBucket>::clone(&bucket)), &Limits::default());
    let (intake, mut pipeline) = pipeline(2, &Limits::default());
    let running = tokio::spawn(source.run(intake));
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!((bucket.opened.load(Relaxed), bucket.pages.load(Relaxed)), (3, 1), "two taken, one ahead");
    for number in 0..100 {
        let object = pipeline.objects.recv().await.unwrap();
        assert_eq!((object.number, object.origin.name), (number, format!("s3://b/AWSLogs/111122223333/{number:03}")));
        assert_eq!(object.origin.account.as_deref(), Some("111122223333"));
        pipeline.tell(number, Verdict::Parked).await;
    }
    running.await.unwrap().unwrap();
    assert_eq!(pipeline.budget.available_permits(), super::super::budget_kib(&Limits::default()) as usize, "all room came back");
}

/// P05: what is gone or too large is told as such; what is refused or keeps failing is an error in the end, after the rest.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_does_not_stop_the_others() {
    let bucket = Arc::new(MemoryBucket::default());
    let good = Bytes::from_static(b"good");
    let denied = ReadError::Denied { why: "AccessDenied".to_owned(), missing: "s3:GetObject" };
    for (key, stored) in [
        ("1", Stored::Bytes(good.clone())),
        ("2", Stored::Fault(denied)),
        ("3", Stored::Fault(ReadError::Gone)),
        ("4", Stored::Fault(ReadError::TooLarge { bytes: 1 << 40 })),
        ("5", Stored::Flaky(4, good.clone())),
        ("6", Stored::Flaky(5, good.clone())),
        ("7", Stored::Bytes(good.clone())),
        ("dir/", Stored::Bytes(good.clone())),
    ] {
        bucket.put(key, stored);
    }
    let input = Input::parse(OsStr::new("s3://b")).unwrap();
    let source = Replay::new(vec![input], Some(bucket), &Limits::default());
    let bodies = std::sync::Mutex::new(Vec::new());
    let (_, end, reading, counts) = replay(source, |object| {
        bodies.lock().unwrap().push(format!("{} {:?}", object.origin.name, object.body));
        Verdict::Released
    })
    .await;
    assert_eq!(
        bodies.into_inner().unwrap(),
        [
            "s3://b/1 Held(4 bytes)",
            "s3://b/3 Missing(Gone)",
            "s3://b/4 Missing(TooLarge(1099511627776 bytes))",
            "s3://b/5 Held(4 bytes)",
            "s3://b/7 Held(4 bytes)",
        ]
    );
    assert_eq!(end.unwrap_err().what, "replaying s3://b/2: AccessDenied; missing: s3:GetObject (and 1 more)");
    assert_eq!((reading.unread, reading.ended, reading.complete), (2, 5, true));
    assert_eq!(counts.snapshot().skipped, 1);
}

#[tokio::test]
async fn an_object_that_goes_back_is_an_error_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "1.json", "a");
    put(folder.path(), "2.json", "b");
    let source = Replay::new(paths(folder.path()), None, &Limits::default());
    let (seen, end, ..) = replay(source, |object| if object.number == 1 { Verdict::Returned } else { Verdict::Released }).await;
    assert_eq!(seen.len(), 2, "it is not offered again");
    let what = end.unwrap_err().what;
    assert!(what.ends_with("2.json: not all of its records could be delivered or parked"), "{what}");
}

#[tokio::test]
async fn a_path_that_does_not_exist_is_said_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "1.json", "a");
    let mut inputs = paths(folder.path());
    inputs.push(Input::Path(folder.path().join("nowhere")));
    let (seen, end, ..) = replay(Replay::new(inputs, None, &Limits::default()), |_| Verdict::Released).await;
    assert_eq!(seen, []);
    let error = end.unwrap_err();
    assert!(error.what.contains("nowhere: No such file"), "{error}");
}

/// Refused for their age only: the count tells, no name does. An object with another reason is named, whatever the others have.
#[tokio::test]
async fn what_is_only_too_old_is_no_fault_of_its_object() {
    for (name, late, want) in [
        ("only late", [true, true], None),
        ("one is not", [true, false], Some("2.json: not all")),
        ("the first is not", [false, true], Some("1.json: not all")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "1.json", "a");
        put(folder.path(), "2.json", "b");
        let (intake, mut pipeline) = pipeline(2, &Limits::default());
        let source = Replay::new(paths(folder.path()), None, &Limits::default());
        let progress = source.progress();
        let running = tokio::spawn(source.run(intake));
        for late in late {
            let object = pipeline.objects.recv().await.unwrap();
            let told = Released { object: object.number, verdict: Verdict::Returned, only_late: late };
            pipeline.told.send(told).await.unwrap();
            while progress.read().ended <= object.number {
                tokio::task::yield_now().await;
            }
        }
        let end = running.await.unwrap().map_err(|error| error.what);
        match want {
            None => assert_eq!(end, Ok(()), "{name}"),
            Some(part) => {
                assert!(end.as_ref().is_err_and(|what| what.contains(part) && !what.contains("more")), "{name}: {end:?}");
            }
        }
    }
}

/// Contract: paused takes nothing, draining waits for what is open, returning does not wait.
#[tokio::test(start_paused = true)]
async fn phases_are_heard() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..10 {
        put(folder.path(), &number.to_string(), "x");
    }
    for (last, ends_while_open) in [(Phase::Draining, false), (Phase::Returning, true)] {
        let (intake, mut pipeline) = pipeline(1, &Limits::default());
        let running = tokio::spawn(Replay::new(paths(folder.path()), None, &Limits::default()).run(intake));
        let first = pipeline.objects.recv().await.unwrap();
        pipeline.phase.send(Phase::Paused).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        // One was under way when the phase changed.
        let under_way = pipeline.objects.try_recv().ok();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(pipeline.objects.try_recv().is_err(), "paused");
        let taken = 1 + usize::from(under_way.is_some());
        pipeline.phase.send(last).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(running.is_finished(), ends_while_open, "{last:?}");
        if !ends_while_open {
            for object in [Some(first), under_way].into_iter().flatten() {
                pipeline.tell(object.number, Verdict::Released).await;
            }
        }
        let what = running.await.unwrap().unwrap_err().what;
        if ends_while_open {
            assert!(what.contains("0: stopped before everything of it was sent (and "), "{what}");
        } else {
            let next = folder.path().join(if taken == 1 { "1" } else { "2" }).display().to_string();
            assert_eq!(what, format!("replaying {next} and what comes after it: stopped before it was read"));
        }
    }
}

/// What bears a trail's name is offered, empty or not: an empty one is a fault of the object. Everything else that is passed
/// over is counted by reason and named.
#[tokio::test]
async fn what_is_passed_over_is_named_and_a_trails_name_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let trail = "111122223333_CloudTrail_eu-west-1_20261121T0000Z_x.json.gz";
    let digest = trail.replace("CloudTrail", "CloudTrail-Digest");
    for (key, body) in [(trail, ""), (&digest, "x"), ("README.md", "x"), ("empty.json", ""), (".hidden", "x")] {
        put(folder.path(), key, body);
    }
    let source = Replay::new(paths(folder.path()), None, &Limits::default());
    let skipped = source.skipped();
    let (seen, end, _, counts) = replay(source, |_| Verdict::Released).await;
    end.unwrap();
    let name = |key: &str| folder.path().join(key).display().to_string();
    assert_eq!(seen, [(0, name(trail))]);
    let skipped: Vec<_> = skipped.read().into_iter().map(|(why, few)| (why, few.count, few.first)).collect();
    let want = [
        ("digest file", digest.as_str()),
        ("empty", "empty.json"),
        ("hidden or not a file", ".hidden"),
        ("its name ends like no file of records", "README.md"),
    ];
    assert_eq!(skipped, want.map(|(why, key)| (why, 1, vec![name(key)])));
    assert_eq!(counts.snapshot().skipped, 4);
}

/// A letter about a local file leads back to it from any folder.
#[tokio::test]
async fn a_relative_path_gives_an_absolute_name() {
    let source = Replay::new(vec![Input::Path("Cargo.toml".into())], None, &Limits::default());
    let (seen, end, ..) = replay(source, |_| Verdict::Released).await;
    end.unwrap();
    let want = std::env::current_dir().unwrap().join("Cargo.toml").display().to_string();
    assert_eq!(seen, [(0, want)]);
}
