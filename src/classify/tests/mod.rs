//! The engine as a whole: matching, faults, samples, and agreement with slower readers of the same rules.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::record::trail::Trail;

use super::sigma::Placeholders;
use super::*;

mod faults;
mod naive;
mod semantics;

/// A rule file with this detection.
fn rule_text(name: &str, detection: &str) -> String {
    format!(
        "title: {name}\nname: {name}\nlogsource: {{product: aws, service: cloudtrail}}\nlevel: medium\ndetection:\n{detection}"
    )
}

/// A set of rules from texts, which must have no fault.
fn set_of(texts: &[String]) -> RuleSet {
    let mut all = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let (rules, faults) = read::file(&format!("rule-{number}.yml"), text, false, &Placeholders::new());
        assert_eq!(faults, [], "{text}");
        all.extend(rules);
    }
    RuleSet::new((all, Vec::new())).0
}

/// The same records and rules, read by pySigma and rsigma: every pair must agree, and the count alone where a rule has more
/// matches than the oracle lists. Runs where the shared data lies beside the package.
#[test]
fn every_pair_agrees_with_the_sigma_oracle() {
    let Some(data) = shared_data() else {
        println!("skipped: no shared/data above {}", env!("CARGO_MANIFEST_DIR"));
        return;
    };
    // The oracle counts the one rule with placeholders as unfiltered.
    let placeholders: Placeholders =
        ["Legitimate_Countries", "Legitimate_IP_Ranges"].map(|name| (name.to_owned(), Vec::new())).into();
    let (read, faults) = load::alone(&[data.join("sigma")], &placeholders);
    assert_eq!(faults, []);
    let (set, _) = RuleSet::new((read, faults));
    assert_eq!(set.rules().len(), 58);

    let mut matcher = set.matcher();
    let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut records = 0;
    for raw in records_below(&data.join("cloudtrail/AWSLogs")) {
        let trail = Trail::parse(raw.as_bytes()).expect("a record");
        records += 1;
        for hit in matcher.matches(&trail) {
            found.entry(hit.sigma_id.as_deref().expect("an id")).or_default().insert(trail.event_id.or_empty().to_owned());
        }
    }
    assert_eq!(records, 4_363);

    let expected = std::fs::read_to_string(data.join("cloudtrail/sigma-expected.csv")).expect("the oracle");
    let mut rules = 0;
    for line in expected.lines().skip(1) {
        let cells: Vec<_> = line.split(',').collect();
        let [id, file, _, count, ids] = cells[..] else { panic!("{line}") };
        rules += 1;
        let found = found.remove(id).unwrap_or_default();
        assert_eq!(found.len().to_string(), count, "{file}");
        if !ids.is_empty() {
            assert_eq!(found, ids.split(';').map(str::to_owned).collect(), "{file}");
        }
    }
    assert_eq!((rules, found.len()), (58, 0));
}

fn shared_data() -> Option<PathBuf> {
    let start = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = start.ancestors().map(|folder| folder.join("shared/data"));
    beside.chain(start.ancestors().map(|folder| folder.join("work/shared/data"))).find(|data| data.join("sigma").is_dir())
}

fn records_below(folder: &Path) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Delivered<'a> {
        #[serde(rename = "Records", borrow)]
        records: Vec<&'a serde_json::value::RawValue>,
    }
    let mut records = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            records.extend(records_below(&path));
        } else {
            let packed = std::fs::read(&path).expect("a file");
            let mut text = String::new();
            flate2::bufread::MultiGzDecoder::new(packed.as_slice()).read_to_string(&mut text).expect("gzip");
            let delivered: Delivered<'_> = serde_json::from_str(&text).expect("records");
            records.extend(delivered.records.iter().map(|raw| raw.get().to_owned()));
        }
    }
    records
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
    }
    assert!(mapped >= 90, "only {mapped} rules name a framework");
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
