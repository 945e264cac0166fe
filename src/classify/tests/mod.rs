//! The engine as a whole: matching, faults, samples, and agreement with slower readers of the same rules.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;

use crate::record::trail::Trail;

use super::sigma::Placeholders;
use super::*;

mod attacks;
mod faults;
mod forms;
mod naive;
mod pages;
mod semantics;

/// A rule file with this detection.
fn rule_text(name: &str, detection: &str) -> String {
    format!(
        "title: {name}\nname: {name}\nlogsource: {{product: aws, service: cloudtrail}}\nlevel: medium\ndetection:\n{detection}"
    )
}

/// The rules and faults of a file's text.
fn read_file(name: &str, text: &str, builtin: bool, placeholders: &Placeholders) -> (Vec<read::Read>, Vec<RuleFault>) {
    let read::FileRead { rules, faults, .. } = read::file(name, text, builtin, placeholders);
    (rules, faults)
}

/// A set of rules from texts, which must have no fault.
fn set_of(texts: &[String]) -> RuleSet {
    let mut all = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let (rules, faults) = read_file(&format!("rule-{number}.yml"), text, false, &Placeholders::new());
        assert_eq!(faults, [], "{text}");
        all.extend(rules);
    }
    RuleSet::new(load::Loaded::of(all)).0
}

/// Rules and records that are not ours, and what another reader of the same rules found: every pair must agree.
#[test]
fn every_pair_agrees_with_the_sigma_oracle() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    // The oracle gives the one rule with placeholders no values for them.
    let placeholders: Placeholders =
        ["Legitimate_Countries", "Legitimate_IP_Ranges"].map(|name| (name.to_owned(), Vec::new())).into();
    let (set, faults) = RuleSet::new(load::alone(&[fixtures.join("sigma")], &placeholders));
    assert_eq!(faults, []);

    let mut matcher = set.matcher();
    let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let records = records_below(&fixtures.join("cloudtrail/AWSLogs"));
    for raw in &records {
        let trail = Trail::parse(raw.as_bytes()).expect("a record");
        for hit in matcher.matches(&trail) {
            let new =
                found.entry(hit.sigma_id.as_deref().expect("an id")).or_default().insert(trail.event_id.or_empty().to_owned());
            assert!(new, "{} matched {} twice", hit.id, trail.event_id.or_empty());
        }
    }

    let expected = std::fs::read_to_string(fixtures.join("sigma/expected.csv")).expect("the oracle");
    let (mut rules, mut matches) = (0, 0);
    for line in expected.lines().skip(1) {
        let [id, file, count, ids] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let ids: BTreeSet<String> = ids.split(';').filter(|id| !id.is_empty()).map(str::to_owned).collect();
        assert_eq!(ids.len().to_string(), count, "{file}");
        assert_eq!(found.remove(id).unwrap_or_default(), ids, "{file}");
        rules += 1;
        matches += ids.len();
    }
    assert_eq!(found, BTreeMap::new(), "matches of rules that the oracle does not name");
    // As the README beside the rules says.
    assert_eq!((set.rules().len(), rules, records.len(), matches), (58, 58, 1_367, 244));
}

/// The larger set that the fixture is a part of, where it lies beside the repository: the same rules, imported as they are, match
/// what the oracle found in all 4,363 records.
#[test]
fn every_pair_of_the_larger_set_agrees_with_the_sigma_oracle() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let Ok(expected) = std::fs::read_to_string(shared.join("cloudtrail/sigma-expected.csv")) else { return };
    let import = Import::of(&[shared.join("sigma")], &crate::config::Rules::default());
    assert_eq!((import.imported.len(), import.unsupported.as_slice()), (58, &[][..]));
    assert_eq!(import.placeholders, ["Legitimate_Countries", "Legitimate_IP_Ranges"].map(str::to_owned).into());
    assert!(import.imported.iter().all(|rule| rule.author.is_some()), "the licence asks for the name");

    let (set, _) = RuleSet::new(load::alone(&[shared.join("sigma")], &Placeholders::new().lenient()));
    let mut matcher = set.matcher();
    let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for raw in records_below(&shared.join("cloudtrail/AWSLogs")) {
        let trail = Trail::parse(raw.as_bytes()).expect("a record");
        for hit in matcher.matches(&trail) {
            found.entry(hit.sigma_id.as_deref().expect("an id")).or_default().insert(trail.event_id.or_empty().to_owned());
        }
    }
    let mut matches = 0;
    for line in expected.lines().skip(1) {
        let [id, file, _, count, ids] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let ids: BTreeSet<String> = ids.split(';').filter(|id| !id.is_empty()).map(str::to_owned).collect();
        let of_rule = found.remove(id).unwrap_or_default();
        assert_eq!(of_rule.len().to_string(), count, "{file}");
        // Where the list leaves the ids out, the count must do.
        assert!(ids.is_empty() || ids == of_rule, "{file}: {ids:?} {of_rule:?}");
        matches += of_rule.len();
    }
    assert_eq!(found, BTreeMap::new(), "matches of rules that the oracle does not name");
    assert!(matches > 1_000, "{matches}");
}

fn records_below(folder: &Path) -> Vec<String> {
    let mut records = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            records.extend(records_below(&path));
        } else {
            records.extend(records_of(&path));
        }
    }
    records
}

/// The records of a file that a trail delivered.
#[expect(clippy::disallowed_types, reason = "not the reader that is tested elsewhere; its input is our own")]
fn records_of(path: &Path) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Delivered<'a> {
        #[serde(rename = "Records", borrow)]
        records: Vec<&'a serde_json::value::RawValue>,
    }
    let packed = std::fs::read(path).expect("a file");
    let mut text = String::new();
    flate2::bufread::MultiGzDecoder::new(packed.as_slice()).read_to_string(&mut text).expect("gzip");
    let delivered: Delivered<'_> = serde_json::from_str(&text).expect("records");
    delivered.records.iter().map(|raw| raw.get().to_owned()).collect()
}

/// The list of embedded files is the folder's content.
#[test]
fn every_builtin_file_is_embedded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/classify/rules");
    let mut files = Vec::new();
    files_below(&folder, &folder, &mut files);
    files.sort();
    let embedded: Vec<_> = builtin::FILES.iter().filter_map(|(name, _)| name.strip_prefix("builtin:")).collect();
    let lines = files.iter().map(|file| format!("    \"{file}\",\n")).collect::<Vec<_>>().concat();
    assert!(files == embedded, "src/classify/builtin.rs must list:\n{lines}");
}

fn files_below(root: &Path, folder: &Path, files: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files_below(root, &path, files);
        } else if path.extension().is_some_and(|end| end == "yml") {
            files.push(path.strip_prefix(root).expect("below").display().to_string());
        }
    }
}

/// Framework numbers come from mapping tables and are never made up; every rule says what to do and how.
#[test]
fn every_builtin_rule_is_mapped_and_says_what_to_do() {
    let known: Vec<&str> = include_str!("../../../tests/fixtures/mappings/framework_ids.txt").lines().collect();
    let set = RuleSet::builtin();
    let mut mapped = 0;
    for rule in set.rules() {
        for id in rule.frameworks.items() {
            assert!(known.contains(&id.as_str()), "{}: {id} is in no mapping table", rule.id);
        }
        mapped += usize::from(!rule.frameworks.items().is_empty());
        assert!(!rule.techniques.items().is_empty() && !rule.tactics.items().is_empty(), "{} has no ATT&CK technique", rule.id);
        assert!(rule.remediation.as_ref().is_some_and(|text| text.len() > 20), "{} has no remediation", rule.id);
        assert!(rule.runbook.as_ref().is_some_and(|url| url.starts_with("https://")), "{} has no runbook", rule.id);
        for (what, text) in [("title in Japanese", &rule.title_ja), ("reason", &rule.severity_reason), ("tuning", &rule.tuning)] {
            assert!(text.as_ref().is_some_and(|text| text.chars().count() > 5), "{} has no {what}", rule.id);
        }
        assert!(!rule.false_positives.is_empty() && rule.description.len() > 40, "{} says too little", rule.id);
    }
    assert!(mapped >= 90, "only {mapped} rules name a framework");
}

/// S0-23: at least two records that match and two that do not, and for each part of the condition one that needs it.
#[test]
fn the_samples_of_every_builtin_rule_prove_each_part_of_its_condition() {
    let set = RuleSet::builtin();
    assert!(set.rules().len() >= 100);
    for rule in set.rules() {
        for matches in [true, false] {
            let number = rule.samples.iter().filter(|sample| sample.matches == matches).count();
            assert!(number >= 2, "{}: {number} samples, matches: {matches}", rule.id);
        }
    }
    assert_eq!(RuleSet::unproven(&crate::config::Rules::default()), []);
}

/// Every built-in rule loads, is alone with its id, and proves itself.
#[test]
fn every_builtin_rule_passes_its_samples() {
    let (set, faults) = RuleSet::load(&crate::config::Rules::default());
    assert_eq!(faults, []);
    assert_eq!(set.rules().len(), builtin::FILES.len());
    let failed: Vec<_> = test_rules(&set).into_iter().filter(SampleResult::is_failure).collect();
    assert_eq!(failed, []);
}
