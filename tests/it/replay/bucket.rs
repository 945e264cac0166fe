//! A replay of a bucket: `s3://bucket/prefix`.

use aws_sdk_s3::primitives::ByteStream;
use futures_util::StreamExt as _;
use tempfile::TempDir;

use super::NOW;
use crate::support::aws::{Aws, emulators, random_name};
use crate::support::data::{self, TrailObject};
use crate::support::replay::{good, log_ids, replay_of, tally};

const TIME_MS: i64 = 1_722_500_000_000;

/// More than S3 lists in one answer (1,000 keys).
const OBJECTS: u64 = 1_030;

/// Requests of the test that are under way at once.
const AT_ONCE: usize = 16;

/// Keys in each answer of a listing.
async fn pages(aws: &Aws, bucket: &str, prefix: &str) -> Vec<usize> {
    let mut pages = Vec::new();
    let mut from = None;
    loop {
        let asked = aws.s3.list_objects_v2().bucket(bucket).prefix(prefix).set_continuation_token(from);
        let page = asked.send().await.expect("listing a bucket");
        pages.push(page.contents().len());
        from = page.next_continuation_token;
        if from.is_none() {
            return pages;
        }
    }
}

/// A listing of several pages gives every object below the prefix once, in order, and nothing beside it.
#[tokio::test]
async fn a_bucket_of_several_pages_gives_what_a_folder_of_the_same_files_gives() {
    let objects: Vec<TrailObject> =
        (0..OBJECTS).map(|number| data::object(number, TIME_MS, &data::mixed(number * 10 + 45, 6, TIME_MS))).collect();
    let beside = data::object(OBJECTS, TIME_MS, &data::mixed(OBJECTS * 10, 1, TIME_MS));
    let folder = TempDir::new().expect("a temporary folder");
    for object in &objects {
        let path = folder.path().join(&object.key);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(path, &object.body).expect("a temporary file");
    }
    let all = |input: &str| replay_of([input]).arg("--logs").arg("all").arg("--now").arg(NOW);
    let want = good(all(&folder.path().to_string_lossy())).await;
    let ids = log_ids(&want.logs());
    assert_eq!(ids, tally(objects.iter().flat_map(|object| object.ids.iter().cloned())));
    for aws in emulators().await {
        let name = aws.name;
        let bucket = random_name("replay");
        aws.s3.create_bucket().bucket(&bucket).send().await.expect("creating a bucket");
        let put =
            |key: String, body: &[u8]| aws.s3.put_object().bucket(&bucket).key(key).body(ByteStream::from(body.to_vec())).send();
        let of_the_trail = objects.iter().map(|object| put(format!("org/{}", object.key), &object.body));
        let other = put(format!("other/{}", beside.key), &beside.body);
        let puts = futures_util::stream::iter(of_the_trail.chain([other])).buffer_unordered(AT_ONCE);
        puts.for_each(async |put| drop(put.expect("putting an object"))).await;
        assert_eq!(pages(&aws, &bucket, "org/").await, [1_000, 30], "{name}: the pages that the agent has to turn");
        let ended = good(all(&format!("s3://{bucket}/org/")).aws(&aws.endpoint)).await;
        assert_eq!(log_ids(&ended.logs()), ids, "{name}");
        assert_eq!((ended.count("objects.released"), ended.count("skipped")), (OBJECTS, 0), "{name}");
        assert!(ended.stdout == want.stdout, "{name}: a bucket gives other bytes, or another order, than a folder");
    }
}
