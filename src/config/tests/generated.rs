//! What is made from the option table, and what no input may do.

use std::collections::BTreeMap;

use super::*;

#[test]
fn the_example_shows_every_key_and_the_defaults() {
    let text = example::example();
    let config = load(&text, &[("NEW_RELIC_LICENSE_KEY", LICENSE)]).unwrap();
    assert_eq!((config.limits, config.outputs), (Limits::default(), Outputs::default()));
    assert_eq!((config.rules, config.accounts, config.dead_letters), (Rules::default(), Accounts::default(), None));
    assert_eq!((config.health, config.telemetry), (Health::default(), Telemetry::default()));
    assert_eq!(config.novelty, Novelty::default());
    assert_eq!((config.state, config.posture), (State::default(), None));
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
    let example = example::example();
    let lines = example.lines().map(|line| match line.trim_start().strip_prefix('#').filter(|rest| !rest.starts_with(' ')) {
        Some(off)
            if !["socket:", "off:", "s3:", "queue:", "apiKey:", "aggregator:", "aggregatorRegion:", "externalId:"]
                .iter()
                .any(|key| off.starts_with(key)) =>
        {
            line.replacen('#', "", 1)
        }
        _ => line.to_owned(),
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let config = load(text, &[("NEW_RELIC_LICENSE_KEY", LICENSE)]).unwrap();
    assert_eq!((config.new_relic.region, &*config.telemetry.time_zone), (Region::Eu, "Asia/Tokyo"));
    assert_eq!(config.dead_letters, Some(DeadLetters::Folder(PathBuf::from("/var/lib/cspm-relay/dead-letters"))));
    assert_eq!(config.state.place, Some(StatePlace::Folder(PathBuf::from("/var/lib/cspm-relay/state"))));
    let posture = Posture { role: Role::parse("cspm-relay-read"), ..Posture::of_region("eu-west-1") };
    let regions = vec!["eu-west-1".to_owned(), "us-east-1".to_owned()];
    assert_eq!(config.posture, Some(Posture { regions, accounts: vec!["111122223333".to_owned()], ..posture }));
}

#[test]
fn every_variable_stands_beside_its_keys() {
    let example = example::example();
    for variable in options::variables().filter(|name| *name != "CSPM_RELAY_CONFIG") {
        assert!(example.contains(variable), "{variable}");
    }
    for (path, expected) in [
        ("deadLetters.s3", &["CSPM_RELAY_DEAD_LETTERS"][..]),
        ("sources[].queueUrl", &["CSPM_RELAY_TRAIL_QUEUE_URL", "CSPM_RELAY_EVENT_QUEUE_URL"]),
        ("state.s3", &["CSPM_RELAY_STATE"]),
        ("limits.workers", &["CSPM_RELAY_WORKERS"]),
        ("sources[].name", &[]),
    ] {
        let key = options::find(path).unwrap();
        assert_eq!(key.variables().collect::<Vec<_>>(), expected, "{path}");
    }
    for special in options::SPECIAL_VARIABLES {
        assert!(special.keys.iter().all(|path| options::find(path).is_some()), "{}", special.name);
    }
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
        proptest::prop_assert!(config.0.is_some() || !reader.faults.is_empty(), "{text}");
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
