use std::collections::BTreeMap;

use super::*;

const LICENSE: &str = "0123456789abcdef0123456789abcdef0123NRAL";
const TRAIL: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/trail";

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Loads a file's text as `relay.yml`.
fn load(text: impl AsRef<[u8]>, pairs: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.yml");
    std::fs::write(&path, text).unwrap();
    Config::load(Some(&path), &env(pairs))
        .map_err(|faults| faults.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

/// The faults of a file that is good but for these lines.
fn faults(lines: &str) -> String {
    let base = format!("version: 1\nnewrelic: {{accountId: 1234567, licenseKey: {LICENSE}}}\n");
    let text = if lines.contains("sources:") {
        base + lines
    } else {
        format!("{base}sources: [{{kind: trailBucket, queueUrl: '{TRAIL}'}}]\n{lines}")
    };
    load(text, &[]).expect_err("no fault")
}

#[test]
fn with_only_the_environment_it_runs() {
    let config = Config::load(
        None,
        &env(&[
            ("NEW_RELIC_LICENSE_KEY", LICENSE),
            ("NEW_RELIC_ACCOUNT_ID", "1234567"),
            ("CSPM_RELAY_TRAIL_QUEUE_URL", TRAIL),
            ("CSPM_RELAY_EVENT_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/111122223333/events"),
            ("HOME", "/"),
        ]),
    )
    .unwrap();
    assert_eq!((config.new_relic.region, config.new_relic.account_id), (Region::Us, 1_234_567));
    assert_eq!(config.new_relic.license_key.expose(), LICENSE);
    let region = Some("eu-west-1".to_owned());
    assert_eq!(
        config.sources,
        [
            Source {
                name: "trail".to_owned(),
                kind: SourceKind::TrailBucket { queue_url: TRAIL.to_owned(), region: region.clone(), buckets: Vec::new() }
            },
            Source {
                name: "events".to_owned(),
                kind: SourceKind::EventQueue {
                    queue_url: "https://sqs.eu-west-1.amazonaws.com/111122223333/events".to_owned(),
                    region
                }
            },
        ]
    );
    assert_eq!((config.limits, config.outputs, config.telemetry), (Limits::default(), Outputs::default(), Telemetry::default()));
    assert_eq!((config.health, config.dead_letters), (Health::Port(8465), None));
}

#[test]
fn five_faults_are_told_at_once() {
    let text = r#"
version: 1
newrelic:
  accountId: 111122223333
outputs:
  logs: {records: match, readonly: false}
limits:
  gzipLevel: 12
  flushAfter: 2
sources:
  - name: trail
    kind: trailBucket
    queueUrl: cloudtrail
  - name: trail
    kind: eventQueue
    queueURL: https://sqs.eu-west-1.amazonaws.com/111122223333/events
  - kind: logGroups
posture: {interval: 1h}
outputs: {}
"#;
    insta::assert_snapshot!(load(text, &[("CSPM_RELAY_LOG_LEVL", "info")]).unwrap_err(), @"");
}
