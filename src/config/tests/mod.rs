//! The configuration as people write it: good files, faults of every kind, the example and the option table.

mod faults;
mod generated;
mod identity;
mod posture;
mod values;

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
