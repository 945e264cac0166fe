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
    insta::assert_snapshot!(load(text, &[("CSPM_RELAY_LOG_LEVL", "info")]).unwrap_err(), @r#"
    config relay.yml: 13 problems
      newrelic.accountId (line 4): not a New Relic account id (was "111122223333")
        allowed: a New Relic account id: 1 to 10 digits
        hint: this looks like an AWS account id
      outputs.logs.readonly (line 6): unknown key
        hint: did you mean `readOnly`?
      outputs.logs.records (line 6): not one of its values (was "match")
        allowed: matched, all, none
        hint: did you mean `matched`?
      limits.gzipLevel (line 8): out of range (was "12")
        allowed: 1 to 9
      limits.flushAfter (line 9): not a time (was "2")
        allowed: 10ms to 1m
        hint: add the unit: 2ms, 2s or 2m
      sources[0].queueUrl (line 13): not an SQS queue URL (was "cloudtrail")
        allowed: https://sqs.<region>.amazonaws.com/<account>/<name>
        hint: `cspm-relay check --example` prints a valid file
      sources[1].name (line 14): two sources of one name (was "trail")
        hint: sources[0] has it too: give each a name of its own
      sources[1].queueURL (line 16): unknown key
        hint: did you mean `queueUrl`?
      sources[2].kind (line 17): not in version 0.1.0 (was "logGroups")
        allowed: trailBucket, eventQueue
        hint: this kind of source comes with a later version
      posture (line 18): not in version 0.1.0
        hint: compliance from AWS Config comes with a later version: remove the key
      outputs (line 19): written twice
        hint: line 5 has it too: keep one
      CSPM_RELAY_LOG_LEVL: unknown variable
        hint: did you mean `CSPM_RELAY_LOG_LEVEL`?
      newrelic.licenseKey: missing
        allowed: the key itself, file:/path or env:NAME
        hint: write it in the file or set NEW_RELIC_LICENSE_KEY
    "#);
}

#[test]
fn a_file_with_everything_is_read() {
    let text = format!(
        "
version: 1
newrelic:
  region: EU
  accountId: '0001234567'
  licenseKey: {LICENSE}
  apiKey: NRAK-ABCDEF
  hosts: {{events: 'https://proxy.example:8443/', logs: 'http://127.0.0.1:9000', nerdGraph: https://api.eu.newrelic.com/graphql}}
sources:
  - {{kind: eventQueue, name: bus, queueUrl: 'http://127.0.0.1:4566/000000000000/events', region: ap-northeast-1}}
  - kind: trailBucket
    queueUrl: {TRAIL}
    buckets:
      - example-trail
outputs: {{logs: {{records: all, readOnly: false, mask: false}}, notices: false}}
rules: {{folders: [/etc/rules, more], disable: [aws-root-login]}}
accounts: {{file: accounts.csv}}
deadLetters: {{s3: s3://example-dead/cspm/relay/}}
limits:
  bytesInFlight: 32MiB
  objectBytes: 1MB
  inflatedBytes: 1GiB
  recordBytes: 2MiB
  bodyBytes: 1000000
  packedBodyBytes: 500 kB
  gzipLevel: 1
  flushAfter: 1s
  requestsInFlight: 8
  requestTimeout: 1m
  workers: 2
  seenRecords: 0
  drain: 25s
health: {{socket: /run/health.sock}}
telemetry: {{logFormat: json, logLevel: 'warn,cspm_relay=debug', heartbeat: off, timeZone: asia/tokyo}}
"
    );
    let config = load(text, &[]).unwrap();
    assert_eq!((config.new_relic.region, config.new_relic.account_id), (Region::Eu, 1_234_567));
    assert_eq!(config.new_relic.api_key.unwrap().expose(), "NRAK-ABCDEF");
    assert_eq!(
        config.new_relic.hosts,
        Hosts {
            events: Some("https://proxy.example:8443".to_owned()),
            logs: Some("http://127.0.0.1:9000".to_owned()),
            nerd_graph: Some("https://api.eu.newrelic.com".to_owned()),
        }
    );
    let queue_url = "http://127.0.0.1:4566/000000000000/events".to_owned();
    let buckets = vec!["example-trail".to_owned()];
    assert_eq!(
        config.sources,
        [
            Source {
                name: "bus".to_owned(),
                kind: SourceKind::EventQueue { queue_url, region: Some("ap-northeast-1".to_owned()) }
            },
            Source {
                name: "trail".to_owned(),
                kind: SourceKind::TrailBucket { queue_url: TRAIL.to_owned(), region: Some("eu-west-1".to_owned()), buckets }
            },
        ]
    );
    let logs = Logs { records: LogRecords::All, read_only: false, mask: false };
    assert_eq!(config.outputs, Outputs { logs, notices: false });
    assert_eq!(config.rules.folders, [PathBuf::from("/etc/rules"), PathBuf::from("more")]);
    assert_eq!(config.rules.disable, ["aws-root-login"]);
    assert_eq!(config.accounts.file, Some(PathBuf::from("accounts.csv")));
    assert_eq!(
        config.dead_letters,
        Some(DeadLetters::S3 { bucket: "example-dead".to_owned(), prefix: "cspm/relay/".to_owned() })
    );
    assert_eq!(
        config.limits,
        Limits {
            bytes_in_flight: 32 << 20,
            object_bytes: 1_000_000,
            inflated_bytes: 1 << 30,
            record_bytes: 2 << 20,
            body_bytes: 1_000_000,
            packed_body_bytes: 500_000,
            gzip_level: 1,
            flush_after: Duration::from_secs(1),
            requests_in_flight: 8,
            request_timeout: Duration::from_secs(60),
            workers: 2,
            seen_records: 0,
            drain: Duration::from_secs(25),
        }
    );
    assert_eq!(config.health, Health::Socket(PathBuf::from("/run/health.sock")));
    let expected = Telemetry {
        log_format: LogFormat::Json,
        log_level: "warn,cspm_relay=debug".to_owned(),
        heartbeat: None,
        time_zone: "Asia/Tokyo".to_owned(),
    };
    assert_eq!(config.telemetry, expected);
}

#[test]
fn variables_win_over_the_file() {
    let text = format!(
        "version: 1\nnewrelic: {{accountId: 1, licenseKey: {LICENSE}}}\nsources: [{{name: mine, kind: trailBucket, queueUrl: '{TRAIL}'}}]
deadLetters: {{folder: /a}}\nhealth: {{socket: /run/x}}\noutputs: {{logs: {{records: all}}}}\n"
    );
    let config = load(
        text,
        &[
            ("NEW_RELIC_ACCOUNT_ID", "2"),
            ("NEW_RELIC_REGION", "JP"),
            ("NEW_RELIC_INSIGHTS_BASE_URL", "http://127.0.0.1:1/v1"),
            ("NEW_RELIC_LOGS_BASE_URL", "http://127.0.0.1:1/log/v1"),
            ("CSPM_RELAY_TRAIL_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/111122223333/other"),
            ("CSPM_RELAY_DEAD_LETTERS", "https://sqs.us-east-1.amazonaws.com/111122223333/dead"),
            ("CSPM_RELAY_HEALTH_PORT", "9000"),
            ("CSPM_RELAY_LOGS_RECORDS", "none"),
            ("CSPM_RELAY_RULES_FOLDERS", "/a, /b,"),
            ("CSPM_RELAY_HEARTBEAT", "off"),
            ("CSPM_RELAY_WORKERS", ""),
            ("TZ", ":Asia/Tokyo"),
        ],
    )
    .unwrap();
    assert_eq!((config.new_relic.account_id, config.new_relic.region), (2, Region::Jp));
    assert_eq!(config.new_relic.hosts.events.as_deref(), Some("http://127.0.0.1:1"));
    assert_eq!(config.new_relic.hosts.logs.as_deref(), Some("http://127.0.0.1:1"));
    let [Source { name, kind: SourceKind::TrailBucket { queue_url, region, .. } }] = &*config.sources else {
        panic!("{:?}", config.sources)
    };
    assert_eq!((&**name, &**queue_url), ("mine", "https://sqs.us-east-1.amazonaws.com/111122223333/other"));
    assert_eq!(region.as_deref(), Some("us-east-1"));
    let dead = "https://sqs.us-east-1.amazonaws.com/111122223333/dead".to_owned();
    assert_eq!((config.dead_letters, config.health), (Some(DeadLetters::Queue { url: dead }), Health::Port(9000)));
    assert_eq!((config.outputs.logs.records, config.telemetry.heartbeat), (LogRecords::None, None));
    assert_eq!(config.rules.folders, [PathBuf::from("/a"), PathBuf::from("/b")]);
    assert_eq!((config.limits.workers, &*config.telemetry.time_zone), (1, "Asia/Tokyo"));
}

#[test]
fn the_configuration_variable_names_the_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, b"version: 1\nnewrelic: {accountId: 7}\n").unwrap();
    let path = file.path().to_str().unwrap();
    let config =
        Config::load_for(Need::SEND, None, &env(&[("CSPM_RELAY_CONFIG", path), ("NEW_RELIC_LICENSE_KEY", LICENSE)])).unwrap();
    assert_eq!((config.new_relic.account_id, config.sources.len()), (7, 0));
}

#[test]
fn what_a_command_does_not_need_is_not_asked_for() {
    let config = Config::load_for(Need::LOCAL, None, &env(&[("NEW_RELIC_LICENSE_KEY", "file:/nowhere")])).unwrap();
    assert_eq!((config.new_relic.account_id, config.new_relic.license_key.is_empty()), (0, true));
    let text = Config::load_for(Need::SEND, None, &env(&[])).unwrap_err().to_string();
    insta::assert_snapshot!(text, @r#"
    config from the environment: 2 problems
      newrelic.accountId: missing
        allowed: a New Relic account id: 1 to 10 digits
        hint: write it in the file or set NEW_RELIC_ACCOUNT_ID
      newrelic.licenseKey: missing
        allowed: the key itself, file:/path or env:NAME
        hint: write it in the file or set NEW_RELIC_LICENSE_KEY
    "#);
    let text =
        Config::load(None, &env(&[("NEW_RELIC_LICENCE_KEY", LICENSE), ("NEW_RELIC_ACCOUNT_ID", "1")])).unwrap_err().to_string();
    insta::assert_snapshot!(text, @r#"
    config from the environment: 2 problems
      newrelic.licenseKey: missing
        allowed: the key itself, file:/path or env:NAME
        hint: `NEW_RELIC_LICENCE_KEY` is set: the name is `NEW_RELIC_LICENSE_KEY`
      sources: missing: nothing to read from
        allowed: one source at least
        hint: write one in the file, or set CSPM_RELAY_TRAIL_QUEUE_URL or CSPM_RELAY_EVENT_QUEUE_URL
    "#);
}

#[test]
fn each_fault_says_where_what_and_what_to_do() {
    for (name, lines, expected) in [
        (
            "word in the wrong case",
            "outputs: {logs: {records: All}}",
            "(was \"All\")\n    allowed: matched, all, none\n    hint: did you mean `all`?",
        ),
        (
            "yes",
            "outputs: {notices: yes}",
            "outputs.notices (line 4): not true or false (was \"yes\")\n    allowed: true, false\n    hint: write true",
        ),
        ("above the range", "limits: {bodyBytes: 2MB}", "out of range (was \"2MB\")\n    allowed: 10kB to 1MB"),
        ("below the range", "limits: {bytesInFlight: 1023KiB}", "out of range (was \"1023KiB\")\n    allowed: 1MiB to 16GiB"),
        ("unit nobody knows", "limits: {bytesInFlight: 16M}", "not a number of bytes (was \"16M\")"),
        ("float", "limits: {gzipLevel: 4.5}", "not a whole number (was \"4.5\")"),
        ("time in range", "telemetry: {heartbeat: 2h}", "out of range (was \"2h\")\n    allowed: 1s to 1h, or off"),
        ("map for a value", "telemetry: {logLevel: {a: b}}", "telemetry.logLevel (line 4): must be a single value"),
        (
            "value for a map",
            "telemetry: info",
            "telemetry (line 4): must be a map\n    allowed: the keys logFormat, logLevel, heartbeat, timeZone",
        ),
        ("value for a list", "rules: {folders: /x}", "must be a list (was \"/x\")\n    allowed: [path, …]\n    hint: write [/x]"),
        ("map for a list", "sources: {kind: trailBucket}", "sources (line 3): must be a list, each item with `- `"),
        ("list in a list", "rules: {folders: [[a]]}", "rules.folders[0] (line 4): must be a single text"),
        (
            "key at the wrong level",
            "heartbeat: 1m",
            "heartbeat (line 4): unknown key\n    hint: it belongs at `telemetry.heartbeat`",
        ),
        ("dotted key", "telemetry.logLevel: info", "hint: it belongs at `telemetry.logLevel`"),
        ("stranger", "frobnicate: 1", "frobnicate (line 4): unknown key\n    allowed: version, newrelic, sources, outputs"),
        ("merge key", "rules: &r {}\ntelemetry: {<<: *r}", "YAML merge keys are not supported"),
        ("alias", "rules: &r {}\ntelemetry: *r", "telemetry (line 5): a YAML alias (`*…`) is not supported"),
        ("tag", "telemetry: {logLevel: !x info}", "telemetry.logLevel (line 4): a YAML tag"),
        ("later key", "exceptions: x", "exceptions (line 4): not in version"),
        ("later nested key", "outputs: {events: {via: otlp}}", "outputs.events (line 4): not in version"),
        (
            "two dead letters",
            "deadLetters: {folder: /a, s3: 's3://abc/d'}",
            "deadLetters.s3 (line 4): deadLetters.folder is written too",
        ),
        ("two health checks", "health: {port: 1, socket: /a}", "health.socket (line 4): health.port is written too"),
        ("bucket name", "deadLetters: {s3: 's3://Bad_Bucket/x'}", "not a bucket and a prefix (was \"s3://Bad_Bucket/x\")"),
        (
            "dead letters to a source",
            "deadLetters: {queue: 'https://sqs.eu-west-1.amazonaws.com/111122223333/trail'}",
            "deadLetters.queue (line 4): the same queue twice",
        ),
        ("level that is a target", "telemetry: {logLevel: inof}", "not a log filter (was \"inof\")"),
        ("filter nobody can read", "telemetry: {logLevel: 'a=b=c'}", "not a log filter (was \"a=b=c\")"),
        ("zone nobody knows", "telemetry: {timeZone: Mars/Base}", "not a time zone (was \"Mars/Base\")"),
        (
            "inflated below packed",
            "limits: {objectBytes: 64MB, inflatedBytes: 2MiB}",
            "smaller than limits.objectBytes (was \"2MiB\")",
        ),
        ("written twice", "newrelic: {}", "newrelic (line 4): written twice\n    hint: line 2 has it too: keep one"),
        (
            "queue by ARN",
            "sources: [{kind: trailBucket, queueUrl: 'arn:aws:sqs:eu-west-1:111122223333:q'}]",
            "for this ARN it is https://sqs.eu-west-1.amazonaws.com/111122223333/q",
        ),
        (
            "region beside the URL's",
            "sources: [{kind: trailBucket, queueUrl: 'https://sqs.eu-west-1.amazonaws.com/111122223333/q', region: us-east-1}]",
            "hint: remove it, or write eu-west-1",
        ),
        (
            "buckets of events",
            "sources: [{kind: eventQueue, queueUrl: 'https://sqs.eu-west-1.amazonaws.com/111122223333/q', buckets: [abc]}]",
            "only a trailBucket source has buckets",
        ),
        (
            "bucket that is none",
            "sources: [{kind: trailBucket, queueUrl: 'https://sqs.eu-west-1.amazonaws.com/111122223333/q', buckets: [A]}]",
            "sources[0].buckets[0] (line 3): not a bucket name (was \"A\")",
        ),
        (
            "key of a later source",
            "sources: [{kind: trailBucket, queueUrl: 'https://sqs.eu-west-1.amazonaws.com/111122223333/q', logGroups: [a]}]",
            "sources[0].logGroups (line 3): not in version",
        ),
    ] {
        let text = faults(lines);
        assert!(text.starts_with("config relay.yml: 1 problem\n"), "{name}: {text}");
        assert!(text.contains(expected), "{name}: {text}");
    }
}

#[test]
fn keys_are_checked_and_never_printed() {
    for (name, new_relic, expected) in [
        (
            "user key for ingest",
            "licenseKey: NRAK-ABCDEFG, accountId: 1",
            "this is a user key (NRAK-…), not an ingest licence key (was ****)",
        ),
        (
            "licence key for users",
            "licenseKey: LIC, accountId: 1, apiKey: LIC",
            "newrelic.apiKey (line 2): this is an ingest licence key",
        ),
        ("AWS account", "licenseKey: LIC, accountId: 111122223333", "hint: this looks like an AWS account id"),
        ("account with a letter", "licenseKey: LIC, accountId: 12a", "not a New Relic account id (was \"12a\")"),
        ("key as account", "licenseKey: LIC, accountId: LIC", "not a New Relic account id (was \"****\")"),
        (
            "later store",
            "licenseKey: 'secretsmanager:x', accountId: 1",
            "`secretsmanager:` references are not in this version (was ****)",
        ),
        ("missing file", "licenseKey: 'file:/nowhere/key', accountId: 1", "reading the key from /nowhere/key: No such file"),
        ("unset variable", "licenseKey: 'env:MY_KEY', accountId: 1", "reading the key from variable MY_KEY: it is not set"),
        ("key for a name", "licenseKey: 'env:LIC', accountId: 1", "reading the key from variable ****: it is not set"),
        ("empty", "licenseKey: '', accountId: 1", "newrelic.licenseKey (line 2): empty (was ****)"),
        (
            "unknown region",
            "licenseKey: gov01xx0123456789abcdef0123456789abcdef, accountId: 1",
            "newrelic.region: the licence key is of a region",
        ),
        (
            "host with a path",
            "licenseKey: LIC, accountId: 1, hosts: {events: 'https://a.b/c'}",
            "newrelic.hosts.events (line 2): not a base URL",
        ),
        ("host in the clear", "licenseKey: LIC, accountId: 1, hosts: {logs: 'http://a.b'}", "http:// only to this machine"),
        (
            "host with a password",
            "licenseKey: LIC, accountId: 1, hosts: {logs: 'https://u:pw1@a.b'}",
            "(was \"https://****@a.b\")",
        ),
        (
            "mistyped",
            "licenceKey: LIC, accountId: 1",
            "newrelic.licenceKey (line 2): unknown key\n    hint: did you mean `licenseKey`?",
        ),
    ] {
        let new_relic = new_relic.replace("LIC", LICENSE);
        let text = format!("version: 1\nnewrelic: {{{new_relic}}}\nsources: [{{kind: trailBucket, queueUrl: '{TRAIL}'}}]\n");
        let text = load(text, &[]).unwrap_err();
        assert!(text.starts_with("config relay.yml: 1 problem\n"), "{name}: {text}");
        assert!(text.contains(expected), "{name}: {text}");
        for secret in [LICENSE, "ABCDEFG", "pw1", "0123456789abcdef"] {
            assert!(!text.contains(secret), "{name}: {text}");
        }
    }
}

#[test]
fn a_key_written_anywhere_is_not_printed() {
    for row in options::OPTIONS {
        // `a.b.c` → `{a: {b: {c: KEY}}}`; a list's item stands in brackets.
        let text = row.path.rsplit('.').fold(LICENSE.to_owned(), |inner, part| match part.strip_suffix("[]") {
            Some(list) => format!("{{{list}: [{inner}]}}"),
            None => format!("{{{part}: {inner}}}"),
        });
        let shown = load(&text, &[]).unwrap_err();
        assert!(!shown.contains(LICENSE) && !shown.contains("not YAML") && !shown.contains("unknown key"), "{text}: {shown}");
    }
}

#[test]
fn keys_are_read_from_files_and_variables() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, format!("  {LICENSE}\n").as_bytes()).unwrap();
    let from_file = format!("file:{}", file.path().display());
    for (name, written) in [("file", &*from_file), ("variable", "env:MY_KEY"), ("itself", LICENSE)] {
        let pairs = [("NEW_RELIC_ACCOUNT_ID", "1"), ("NEW_RELIC_LICENSE_KEY", written), ("MY_KEY", LICENSE)];
        let config = Config::load_for(Need::SEND, None, &env(&pairs)).unwrap();
        assert_eq!(config.new_relic.license_key.expose(), LICENSE, "{name}");
        assert!(!format!("{config:?}").contains(LICENSE), "{name}");
    }
}

#[test]
fn what_is_not_yaml_is_told_with_its_line() {
    for (name, bytes, expected) in [
        ("open list", &b"version: 1\nrules: {folders: [a\n"[..], "not YAML: "),
        ("tab", b"version: 1\nrules:\n\tfolders: []\n", "line 3: not YAML: "),
        ("secret line", b"version: 1\nnewrelic:\n  licenseKey: 'abcdefNRAL\n  x: 1\n", "not YAML: "),
        ("bytes", b"version: 1\n\xff\n", "line 2: not UTF-8"),
        ("scalar", b"hello\n", "line 1: not a map"),
        ("list", b"- a\n", "line 1: not a map"),
        ("two documents", b"version: 1\n---\nversion: 1\n", "line 2: a second YAML document"),
        ("deep", b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "not YAML: "),
    ] {
        let text = load(bytes, &[]).unwrap_err();
        assert!(text.starts_with("config relay.yml: 1 problem\n"), "{name}: {text}");
        assert!(text.contains(expected) && !text.contains("abcdef"), "{name}: {text}");
    }
    let large = load(vec![b'#'; tree::FILE_BYTES + 1], &[]).unwrap_err();
    assert!(large.contains("larger than 1048576 bytes"), "{large}");
}

#[test]
fn an_empty_or_unfinished_file_is_an_empty_map() {
    let pairs = [("NEW_RELIC_ACCOUNT_ID", "1"), ("NEW_RELIC_LICENSE_KEY", LICENSE), ("CSPM_RELAY_TRAIL_QUEUE_URL", TRAIL)];
    for (name, text) in [("nothing", ""), ("comments", "# only\n"), ("mark", "\u{feff}# only\n"), ("document", "---\n")] {
        let text = load(text, &pairs).unwrap_err();
        assert_eq!(text, "config relay.yml: 1 problem\n  version: missing\n    allowed: 1", "{name}");
    }
    let config = load("\u{feff}version: 1\nrules:\n  # folders: []\ntelemetry: ~\nlimits: {workers: }\n", &pairs).unwrap();
    assert_eq!((config.limits, config.telemetry), (Limits::default(), Telemetry::default()));
}

#[test]
fn sources_are_told_apart() {
    let queue =
        |name: &str| format!("{{kind: trailBucket, queueUrl: 'https://sqs.eu-west-1.amazonaws.com/111122223333/{name}'}}");
    let named = "{name: a, kind: eventQueue, queueUrl: 'https://sqs.eu-west-1.amazonaws.com/111122223333/b'}";
    let text = faults(&format!("sources: [{}, {}, 7, {{}}, {named}]", queue("a"), queue("a")));
    insta::assert_snapshot!(text, @r#"
    config relay.yml: 5 problems
      sources[2] (line 3): must be a map
        allowed: the keys name, kind, queueUrl, region, buckets
        hint: `cspm-relay check --example` prints a valid file
      sources[3].kind (line 3): missing
        allowed: trailBucket, eventQueue
      sources[3].queueUrl (line 3): missing
        allowed: https://sqs.<region>.amazonaws.com/<account>/<name>
      sources[4].name (line 3): two sources of one name (was "a")
        hint: sources[0] has it too: give each a name of its own
      sources[1].queueUrl (line 3): the same queue twice (was "https://sqs.eu-west-1.amazonaws.com/111122223333/a")
        hint: sources[0].queueUrl has it too: each needs a queue of its own
    "#);
    let both = format!("version: 1\nsources: [{}, {}]", queue("a"), queue("b"));
    let pairs = [("CSPM_RELAY_TRAIL_QUEUE_URL", TRAIL), ("NEW_RELIC_ACCOUNT_ID", "1"), ("NEW_RELIC_LICENSE_KEY", LICENSE)];
    let text = load(both, &pairs).unwrap_err();
    assert!(text.contains("  CSPM_RELAY_TRAIL_QUEUE_URL: the file has 2 sources of kind trailBucket\n"), "{text}");
}

#[test]
fn the_example_shows_every_key_and_the_defaults() {
    let text = example::example();
    let config = load(&text, &[("NEW_RELIC_LICENSE_KEY", LICENSE)]).unwrap();
    assert_eq!((config.limits, config.outputs), (Limits::default(), Outputs::default()));
    assert_eq!((config.rules, config.accounts, config.dead_letters), (Rules::default(), Accounts::default(), None));
    assert_eq!((config.health, config.telemetry), (Health::default(), Telemetry::default()));
    assert_eq!((config.new_relic.hosts, config.new_relic.api_key), (Hosts::default(), None));
    let kinds: Vec<&str> = config.sources.iter().map(|source| &*source.name).collect();
    assert_eq!(kinds, ["trail", "events"]);
    for row in options::OPTIONS {
        let key = format!("{}: ", options::last(row.path));
        let found = text.lines().any(|line| line.trim_start_matches([' ', '-', '#']).starts_with(&key));
        assert!(found, "{}", row.path);
    }
}

#[test]
fn what_the_example_comments_out_is_valid_too() {
    // One of each group that means "one of"; files that do not exist are replaced.
    let mut text = String::new();
    for line in example::example().lines() {
        let off = line.trim_start().strip_prefix('#').filter(|rest| !rest.starts_with(' '));
        match off {
            Some(rest) if !["socket:", "off:", "s3:", "queue:", "apiKey:"].iter().any(|key| rest.starts_with(key)) => {
                text += &format!("{}{rest}\n", line.split('#').next().unwrap());
            }
            _ => text += &format!("{line}\n"),
        }
    }
    let config = load(text, &[("NEW_RELIC_LICENSE_KEY", LICENSE)]).unwrap();
    assert_eq!((config.new_relic.region, &*config.telemetry.time_zone), (Region::Eu, "Asia/Tokyo"));
    assert_eq!(config.dead_letters, Some(DeadLetters::Folder(PathBuf::from("/var/lib/cspm-relay/dead-letters"))));
}

#[test]
fn the_option_table_is_whole() {
    let table = options::markdown();
    let mut variables: Vec<&str> = options::variables().collect();
    let count = variables.len();
    variables.sort_unstable();
    variables.dedup();
    assert_eq!(variables.len(), count, "a variable sets two keys");
    for variable in variables {
        assert!(table.contains(&format!("`{variable}`")), "{variable}");
    }
    for line in table.lines().filter(|line| line.starts_with("| `") && !line.starts_with("| `CSPM")) {
        assert_eq!(line.matches('|').count(), 7, "{line}");
    }
    assert!(
        table
            .contains("| `limits.gzipLevel` | number | 1 to 9 | `4` | `CSPM_RELAY_GZIP_LEVEL` | gzip level of request bodies. |")
    );
    assert_eq!(table.matches("\n| `").count(), options::OPTIONS.len() + options::SPECIAL_VARIABLES.len());
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let (written, faults) = file::Written::read(&bytes);
        proptest::prop_assert!(written.is_unreadable() == faults.iter().any(|fault| fault.path.is_empty() && !fault.what.starts_with("a key")));
    }

    #[test]
    fn no_text_of_known_words_makes_it_panic(
        parts in proptest::collection::vec(proptest::sample::select(WORDS), 0..60),
    ) {
        let text = parts.concat();
        let (written, faults) = file::Written::read(text.as_bytes());
        let environment = BTreeMap::new();
        let mut reader = reader::Reader { written: &written, env: &environment, faults };
        let config = valid::config(&mut reader, Need::RUN);
        proptest::prop_assert!(config.is_some() || !reader.faults.is_empty(), "{text}");
        // What is told can be printed.
        if let Some(faults) = Faults::of(None, reader.faults) {
            proptest::prop_assert!(faults.to_string().starts_with("config from the environment: "));
        }
    }
}

/// What files are made of, for the property test.
const WORDS: &[&str] = &[
    "version",
    "newrelic",
    "accountId",
    "licenseKey",
    "sources",
    "kind",
    "queueUrl",
    "limits",
    "gzipLevel",
    "telemetry",
    "heartbeat",
    "rules",
    "folders",
    "deadLetters",
    "s3",
    "health",
    "off",
    "trailBucket",
    ": ",
    ":\n  ",
    "\n",
    "\n  ",
    "\n    ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "1",
    "99999999999999999999",
    "15s",
    "true",
    "~",
    "'",
    "\"",
    "&a ",
    "*a",
    "!t ",
    "|\n",
    "? ",
    "# x\n",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "監査",
    "\u{0}",
    "\t",
    "<<",
    "file:",
    "env:",
];
