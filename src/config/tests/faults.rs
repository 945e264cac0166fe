//! What is told of every kind of fault.

use super::*;

#[test]
fn five_faults_are_told_at_once() {
    let text = "
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
exceptions: {file: a}
outputs: {}
";
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
      exceptions (line 18): must be a single value
        allowed: a path
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
        allowed: one source at least, or AWS Config itself
        hint: write one in the file, or set CSPM_RELAY_TRAIL_QUEUE_URL or CSPM_RELAY_EVENT_QUEUE_URL; CSPM_RELAY_POSTURE_REGIONS reads AWS Config without a queue
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
        (
            "stranger",
            "frobnicate: 1",
            "frobnicate (line 4): unknown key\n    allowed: version, newrelic, sources, outputs, rules, exceptions, frameworks, accounts, findings, deadLetters, state, posture, changes, novelty, limits, health, cost, telemetry\n    hint: `cspm-relay check --options` lists every key",
        ),
        ("merge key", "rules: &r {}\ntelemetry: {<<: *r}", "YAML merge keys are not supported"),
        ("alias", "rules: &r {}\ntelemetry: *r", "telemetry (line 5): a YAML alias (`*…`) is not supported"),
        ("tag", "telemetry: {logLevel: !x info}", "telemetry.logLevel (line 4): a YAML tag"),
        (
            "Region among the accounts",
            "accounts: {include: [eu-west-1]}",
            "accounts.include[0] (line 4): neither an account id nor a path of units (was \"eu-west-1\")\n    allowed: [account, …]: 12 digits, or a path of organizational units, as Workloads/Prod/*\n    hint: Regions go to accounts.regions",
        ),
        ("account id cut short", "accounts: {exclude: [12345678901]}", "hint: 12 digits are needed: YAML drops"),
        ("id of a unit", "accounts: {exclude: [ou-ab12-34cd56ef]}", "hint: write the names of the units from the top"),
        ("no Region", "accounts: {regions: [Ireland]}", "accounts.regions[0] (line 4): not an AWS Region (was \"Ireland\")"),
        ("later nested key", "outputs: {events: {via: otlp}}", "outputs.events (line 4): not in version"),
        (
            "two dead letters",
            "deadLetters: {folder: /a, s3: 's3://abc/d'}",
            "deadLetters.s3 (line 4): deadLetters.folder is written too",
        ),
        ("two health checks", "health: {port: 1, socket: /a}", "health.socket (line 4): health.port is written too"),
        ("off and a port", "health: {port: 1, off: true}", "health.off (line 4): health.port is written too"),
        ("off: false and two", "health: {port: 1, socket: /a, off: false}", "health.socket (line 4): health.port is written too"),
        ("bucket name", "deadLetters: {s3: 's3://Bad_Bucket/x'}", "not a bucket and a prefix (was \"s3://Bad_Bucket/x\")"),
        (
            "dead letters to a source",
            "deadLetters: {queue: 'https://sqs.eu-west-1.amazonaws.com/111122223333/trail'}",
            "deadLetters.queue (line 4): the same queue twice",
        ),
        (
            "dead letters to a FIFO queue",
            "deadLetters: {queue: 'https://sqs.eu-west-1.amazonaws.com/111122223333/dead.fifo'}",
            "deadLetters.queue (line 4): a FIFO queue (was \"https://sqs.eu-west-1.amazonaws.com/111122223333/dead.fifo\")\n    allowed: https://sqs.<region>.amazonaws.com/<account>/<name>, a standard queue\n    hint: letters name no message group, so SQS would refuse every one: name a standard queue",
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
fn an_unknown_variable_is_told_with_what_was_meant() {
    for (name, expected) in [
        ("CSPM_RELAY_TRIAL_QUEUE_URL", "did you mean `CSPM_RELAY_TRAIL_QUEUE_URL`?"),
        ("CSPM_RELAY_DEADLETTER", "did you mean `CSPM_RELAY_DEAD_LETTERS`?"),
        ("CSPM_RELAY_QUEUE_URL", "did you mean `CSPM_RELAY_TRAIL_QUEUE_URL` or `CSPM_RELAY_EVENT_QUEUE_URL`?"),
        ("CSPM_RELAY_", "`cspm-relay check --options` lists every variable"),
        ("CSPM_RELAY_FROBNICATE", "`cspm-relay check --options` lists every variable"),
    ] {
        let text = Config::load_for(Need::LOCAL, None, &env(&[(name, "x")])).unwrap_err().to_string();
        let expected = format!("config from the environment: 1 problem\n  {name}: unknown variable\n    hint: {expected}");
        assert_eq!(text, expected);
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
            "host with a token",
            "licenseKey: LIC, accountId: 1, hosts: {otlp: 'https://a.b/?token=tok1'}",
            "newrelic.hosts.otlp (line 2): not a base URL (was \"https://a.b/?token=****\")",
        ),
        (
            "host with a token and no scheme",
            "licenseKey: LIC, accountId: 1, hosts: {events: 'a.b?token=tok1'}",
            "newrelic.hosts.events (line 2): not a base URL (was \"a.b?token=****\")",
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
        for secret in [LICENSE, "ABCDEFG", "pw1", "tok1", "0123456789abcdef"] {
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
    assert!(large.contains("larger than 262144 bytes"), "{large}");
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

/// Letters written into a folder `./htps:/…` would be where nobody looks for them.
#[test]
fn a_mistyped_address_is_no_folder_for_dead_letters() {
    for (written, hint) in [
        ("htps://sqs.eu-west-1.amazonaws.com/111122223333/dlq", "hint: did you mean https://…? in a file"),
        ("S3://bucket/prefix", "hint: did you mean s3://…? in a file"),
        ("file:///var/lib/letters", "hint: in a file"),
        ("arn:aws:sqs:eu-west-1:111122223333:dlq", "hint: in a file"),
    ] {
        let pairs = [("CSPM_RELAY_DEAD_LETTERS", written), ("NEW_RELIC_ACCOUNT_ID", "1"), ("NEW_RELIC_LICENSE_KEY", LICENSE)];
        let of_variable = Config::load_for(Need::SEND, None, &env(&pairs)).unwrap_err().to_string();
        let start = format!(
            "config from the environment: 1 problem\n  deadLetters.folder (CSPM_RELAY_DEAD_LETTERS): an address, not a folder (was \
             {written:?})\n    allowed: a folder's path, s3://bucket/prefix, or a queue's URL: https://sqs."
        );
        assert!(of_variable.starts_with(&start) && of_variable.contains(hint), "{written}: {of_variable}");
        let of_file = faults(&format!("deadLetters: {{folder: '{written}'}}"));
        assert!(of_file.contains("deadLetters.folder (line 4): an address") && of_file.contains(hint), "{written}: {of_file}");
    }
    for good in ["/var/lib/letters", "letters", "./arn:x", "C:/letters"] {
        let pairs = [("CSPM_RELAY_DEAD_LETTERS", good)];
        let config = Config::load_for(Need::LOCAL, None, &env(&pairs)).unwrap();
        assert_eq!(config.dead_letters, Some(DeadLetters::Folder(PathBuf::from(good))));
    }
}

/// `check` looks into the files even when the rest has faults, and reads the configuration once: it may be standard input.
#[test]
fn files_are_told_beside_the_faults() {
    let pairs = [
        ("CSPM_RELAY_WORKERS", "x"),
        ("CSPM_RELAY_RULES_FOLDERS", "/nope"),
        ("CSPM_RELAY_ACCOUNTS_FILE", "/nope.csv"),
        ("CSPM_RELAY_DEAD_LETTERS", "/letters"),
        ("CSPM_RELAY_STATE", "/state"),
        ("CSPM_RELAY_EXCEPTIONS", "/nope.yml"),
        ("CSPM_RELAY_FRAMEWORKS_FILE", "/own.csv"),
    ];
    let (config, files) = Config::examine(Need::RUN, None, &env(&pairs));
    assert!(config.is_err());
    let rules = Rules { folders: vec![PathBuf::from("/nope")], ..Rules::default() };
    let accounts = Accounts { file: Some(PathBuf::from("/nope.csv")), ..Accounts::default() };
    let (exceptions, frameworks) = (Some(PathBuf::from("/nope.yml")), Some(PathBuf::from("/own.csv")));
    let dead_letters = Some(DeadLetters::Folder(PathBuf::from("/letters")));
    let state = Some(StatePlace::Folder(PathBuf::from("/state")));
    assert_eq!(files, Files { rules, exceptions, frameworks, accounts, dead_letters, state });
}

#[test]
fn a_reference_that_leads_nowhere_is_not_called_a_secret() {
    let text = load("version: 1\nnewrelic: {licenseKey: 'env:MY_KEY', accountId: 1}\n", &[("CSPM_RELAY_TRAIL_QUEUE_URL", TRAIL)])
        .unwrap_err();
    insta::assert_snapshot!(text, @"
    config relay.yml: 1 problem
      newrelic.licenseKey (line 2): reading the key from variable MY_KEY: it is not set, or empty
        allowed: the key itself, file:/path or env:NAME
    ");
}
