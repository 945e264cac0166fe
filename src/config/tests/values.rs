//! What is read, and from where.

use super::*;

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
fn a_file_with_everything_is_read() {
    let text = format!(
        "
version: 1
newrelic:
  region: EU
  accountId: '0001234567'
  licenseKey: {LICENSE}
  apiKey: NRAK-ABCDEF
  hosts: {{events: 'https://proxy.example:8443/', logs: 'http://127.0.0.1:9000', otlp: 'https://otlp.example/v1/metrics', nerdGraph: https://api.eu.newrelic.com/graphql}}
sources:
  - {{kind: eventQueue, name: bus, queueUrl: 'http://127.0.0.1:4566/000000000000/events', region: ap-northeast-1}}
  - kind: trailBucket
    queueUrl: {TRAIL}
    buckets:
      - example-trail
outputs: {{logs: {{records: all, readOnly: false, thin: true, mask: false}}, notices: false, metrics: false}}
rules: {{folders: [/etc/rules, more], disable: [aws-root-login]}}
accounts: {{file: accounts.csv}}
deadLetters: {{s3: s3://example-dead/cspm/relay/}}
changes: {{wait: 0s}}
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
            otlp: Some("https://otlp.example".to_owned()),
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
    let logs = Logs { records: LogRecords::All, read_only: false, thin: true, mask: false };
    assert_eq!(config.outputs, Outputs { logs, notices: false, metrics: false });
    let folders = vec![PathBuf::from("/etc/rules"), PathBuf::from("more")];
    assert_eq!((config.rules.folders, config.rules.disable), (folders, vec!["aws-root-login".to_owned()]));
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
            request_timeout: Duration::from_mins(1),
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
    assert_eq!((config.changes.wait, config.telemetry), (Some(Duration::ZERO), expected));
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
fn the_health_listener_is_a_port_a_socket_or_off() {
    for (name, written, expected) in [
        ("absent", "{}", Health::Port(8465)),
        ("port", "{port: 1, off: false}", Health::Port(1)),
        ("socket", "{socket: /a}", Health::Socket(PathBuf::from("/a"))),
        ("off", "{off: true}", Health::Off),
    ] {
        let text = format!("version: 1\nhealth: {written}\n");
        let pairs = [("NEW_RELIC_ACCOUNT_ID", "1"), ("NEW_RELIC_LICENSE_KEY", LICENSE), ("CSPM_RELAY_TRAIL_QUEUE_URL", TRAIL)];
        assert_eq!(load(text, &pairs).unwrap().health, expected, "{name}");
    }
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
fn a_key_of_another_region_is_doubted_unless_the_hosts_are_written() {
    let pairs = |more: &[(&'static str, &'static str)]| {
        let key = ("NEW_RELIC_LICENSE_KEY", "eu01xx0123456789abcdef0123456789abcdNRAL");
        let all = [&[key, ("NEW_RELIC_ACCOUNT_ID", "1"), ("NEW_RELIC_REGION", "JP")][..], more].concat();
        Config::load_for(Need::SEND, None, &env(&all)).unwrap().new_relic.key_doubts()
    };
    let doubts = pairs(&[("NEW_RELIC_LOGS_BASE_URL", "http://127.0.0.1:1")]);
    assert!(
        matches!(&*doubts, [doubt] if doubt.starts_with("newrelic.region is JP, but the licence key is of EU")),
        "{doubts:?}"
    );
    let hosts = ["NEW_RELIC_LOGS_BASE_URL", "NEW_RELIC_INSIGHTS_BASE_URL", "NEW_RELIC_OTLP_BASE_URL"]
        .map(|name| (name, "http://127.0.0.1:1"));
    assert_eq!(pairs(&hosts), Vec::<String>::new());
}

#[test]
fn accounts_are_named_and_chosen() {
    let text = format!(
        "
version: 1
newrelic: {{accountId: 1234567, licenseKey: {LICENSE}}}
sources: [{{kind: trailBucket, queueUrl: '{TRAIL}'}}]
accounts:
  organizations: true
  tags: {{owner: [Team], environment: []}}
  include: [111122223333, '012345678901', Workloads/*]
  exclude: ['*/Sandbox/*']
  regions: [eu-west-1, us-east-1]
"
    );
    let accounts = load(&text, &[("CSPM_RELAY_ACCOUNTS_EXCLUDE", "Sandbox/*, 444455556666")]).unwrap().accounts;
    let id = |id: &str| Accountable::Id(id.to_owned());
    let unit = |path: &str| Accountable::Unit(crate::record::Glob::new(path));
    assert_eq!(accounts.watched.include, [id("111122223333"), id("012345678901"), unit("Workloads/*")]);
    assert_eq!(accounts.watched.exclude, [unit("Sandbox/*"), id("444455556666")], "the variable wins");
    assert_eq!(accounts.watched.regions, ["eu-west-1", "us-east-1"]);
    assert!(accounts.organizations && accounts.watched.needs_units());
    assert_eq!(accounts.tags, AccountTags { owner: vec!["Team".to_owned()], environment: Vec::new() });
    let (bare, _) = text.split_once("accounts:").unwrap();
    assert_eq!(load(bare, &[]).unwrap().accounts, Accounts::default());
}

/// `rules.placeholders`: names of the user's own, each with a list; everything that is wrong is told at once.
#[test]
fn placeholders_are_names_with_lists() {
    let text = |placeholders: &str| {
        format!("version: 1\nnewrelic: {{accountId: 1, licenseKey: {LICENSE}}}\nrules:\n  placeholders: {placeholders}\n")
    };
    let variables = [("CSPM_RELAY_TRAIL_QUEUE_URL", TRAIL)];
    let rules = load(text("{Admins: [ann, 007], None: []}"), &variables).expect("a configuration").rules;
    let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(rules.placeholders, [("Admins".to_owned(), list(&["ann", "007"])), ("None".to_owned(), Vec::new())].into());
    let wrong = load(text("{a b: [x], Empty: [''], One: ann, Twice: [x], Twice: [y], Deep: [[x]]}"), &variables).unwrap_err();
    for want in [
        "rules.placeholders (line 4): not a name (was \"a b\")",
        "rules.placeholders.Empty[0] (line 4): empty",
        "rules.placeholders.One (line 4): must be a list",
        "rules.placeholders.Twice (line 4): written twice",
        "rules.placeholders.Deep[0] (line 4): must be a single text",
        "{Name: [text, …], …}",
    ] {
        assert!(wrong.contains(want), "{want}: {wrong}");
    }
    let wrong = load(text("[x]"), &variables).unwrap_err();
    assert!(wrong.contains("rules.placeholders (line 4): must be a map"), "{wrong}");
}

/// S1-23: 0 switches it off; a time of learning shorter than an hour teaches nothing.
#[test]
fn what_is_remembered_of_principals_is_read() {
    let variables = |memory: &'static str, learning: &'static str| {
        Config::load(
            None,
            &env(&[
                ("NEW_RELIC_LICENSE_KEY", LICENSE),
                ("NEW_RELIC_ACCOUNT_ID", "1234567"),
                ("CSPM_RELAY_TRAIL_QUEUE_URL", TRAIL),
                ("CSPM_RELAY_NOVELTY_MEMORY", memory),
                ("CSPM_RELAY_NOVELTY_LEARNING", learning),
            ]),
        )
    };
    let novelty = |memory, learning| variables(memory, learning).unwrap().novelty;
    assert_eq!(novelty("64KiB", "36h"), Novelty { memory: 64 << 10, learning: Duration::from_hours(36) });
    assert_eq!(novelty("0", "1h"), Novelty { memory: 0, learning: Duration::from_hours(1) });
    let faults = variables("2GiB", "59m").unwrap_err().to_string();
    assert!(faults.contains("novelty.memory") && faults.contains("novelty.learning"), "{faults}");
}
