//! What an S3 key, or a path copied from a bucket, tells about the object behind it.
//!
//! In: a plain (decoded) key. Out: the account in it, and whether it is known to hold no records. What always holds: only what
//! `CloudTrail` and AWS Config themselves are known to write beside records is skipped; an unknown folder is read and the content
//! decides. Layout: `CloudTrail` user guide, "Finding your `CloudTrail` log files" and "Digest file structure".

use crate::record::trail::is_account_id;

/// Why an object is passed over without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// A digest file: hashes of other files, for integrity checks.
    Digest,
    /// A snapshot of AWS Config: what is, and not what changed.
    Snapshot,
    /// A folder marker of the S3 console: a key that ends in a slash.
    FolderMarker,
    /// The empty object with which S3 or `CloudTrail` tries whether it may write.
    WriteTest,
}

impl Skip {
    /// The words in log lines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Digest => "digest file",
            Self::Snapshot => "snapshot of AWS Config",
            Self::FolderMarker => "folder marker",
            Self::WriteTest => "write test",
        }
    }
}

/// The account whose records the key holds: the 12 digits after the last `AWSLogs/` and the organization, if one is named.
#[must_use]
pub fn account(key: &str) -> Option<&str> {
    owner(key).map(|(account, _folder)| account)
}

/// Whether the key is known to hold no records.
#[must_use]
pub fn skip(key: &str) -> Option<Skip> {
    if key.ends_with('/') || key.ends_with("_$folder$") {
        return Some(Skip::FolderMarker);
    }
    let file = key.rsplit('/').next().unwrap_or(key);
    if file == "CloudTrailWriteTest" || file == "ConfigWritabilityCheckFile" {
        return Some(Skip::WriteTest);
    }
    if is_config_snapshot(key, file) {
        return Some(Skip::Snapshot);
    }
    // The folder decides where there is one: a prefix of the customer's may be called anything.
    let digest = match owner(key) {
        Some((_account, folder)) => folder == "CloudTrail-Digest",
        None => file.contains("_CloudTrail-Digest_"),
    };
    digest.then_some(Skip::Digest)
}

/// Whether the key is that of a trail's object: then its bytes are a trail's too, or they are corrupt.
#[must_use]
pub fn names_trail(key: &str) -> bool {
    let file = key.rsplit('/').next().unwrap_or(key);
    // As CloudTrail writes it, in lower case; unpacked, as people keep it.
    let ending = file.strip_suffix(".gz").unwrap_or(file).rsplit_once('.').map(|(_, ending)| ending);
    if skip(key).is_some() || ending != Some("json") {
        return false;
    }
    let of_trail = |folder: &str| folder == "CloudTrail" || folder.starts_with("CloudTrail-");
    // A name copied out of its folder: `account_CloudTrail_region_time_unique.json.gz`.
    let mut parts = file.split('_');
    let by_name = parts.next().is_some_and(is_account_id) && parts.next().is_some_and(of_trail) && parts.count() >= 2;
    by_name || owner(key).is_some_and(|(_account, folder)| of_trail(folder))
}

/// `…/<account>/Config/<Region>/<year>/<month>/<day>/ConfigSnapshot/<account>_Config_<Region>_ConfigSnapshot_<time>_<id>.json.gz`
fn is_config_snapshot(key: &str, file: &str) -> bool {
    let mut parts = file.split('_');
    let by_name =
        parts.next().is_some_and(is_account_id) && parts.next() == Some("Config") && parts.nth(1) == Some("ConfigSnapshot");
    let in_folder = || owner(key).is_some_and(|(_account, folder)| folder == "Config");
    by_name || in_folder() && key.rsplit('/').nth(1) == Some("ConfigSnapshot")
}

/// Account and the folder after it.
fn owner(key: &str) -> Option<(&str, &str)> {
    let mut parts = key.split('/').rev();
    // From the back: the last `AWSLogs` counts, because a customer's prefix may hold the same word.
    let mut after = ["", "", ""];
    loop {
        let part = parts.next()?;
        if part == "AWSLogs" {
            break;
        }
        let [first, second, _] = after;
        after = [part, first, second];
    }
    let [first, second, third] = after;
    let (account, folder) = if first.starts_with("o-") { (second, third) } else { (first, second) };
    is_account_id(account).then_some((account, folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_after_the_last_awslogs() {
        let file = "CloudTrail/eu-west-1/2026/11/21/x.json.gz";
        for (name, key, expected) in [
            ("plain", format!("AWSLogs/111122223333/{file}"), Some("111122223333")),
            ("organization", format!("AWSLogs/o-abc123defg/111122223333/{file}"), Some("111122223333")),
            ("prefix", format!("a/b/AWSLogs/111122223333/{file}"), Some("111122223333")),
            ("prefix of the same name", format!("AWSLogs/444455556666/AWSLogs/111122223333/{file}"), Some("111122223333")),
            ("absolute path", format!("/data/AWSLogs/111122223333/{file}"), Some("111122223333")),
            ("no layout", "x.json.gz".to_owned(), None),
            ("eleven digits", format!("AWSLogs/11112222333/{file}"), None),
            ("no digits", format!("AWSLogs/11112222333x/{file}"), None),
            ("word in a name", "myAWSLogs/111122223333/x".to_owned(), None),
            ("nothing after", "AWSLogs".to_owned(), None),
        ] {
            assert_eq!(account(&key), expected, "{name}");
        }
    }

    /// P06, P09: what holds no records is known by its key; what might, is not skipped.
    #[test]
    fn only_what_holds_no_records_is_skipped() {
        for (name, key, expected) in [
            ("records", "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/21/x.json.gz", None),
            ("Insights", "AWSLogs/111122223333/CloudTrail-Insight/eu-west-1/2026/11/21/x.json.gz", None),
            ("unknown folder", "AWSLogs/111122223333/CloudTrail-New/x.json.gz", None),
            ("digest", "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/11/21/x.json.gz", Some(Skip::Digest)),
            ("digest, organization", "p/AWSLogs/o-abc/111122223333/CloudTrail-Digest/r/x.json.gz", Some(Skip::Digest)),
            (
                "digest, copied flat",
                "111122223333_CloudTrail-Digest_eu-west-1_t_eu-west-1_20261121T202005Z.json.gz",
                Some(Skip::Digest),
            ),
            ("prefix named like it", "CloudTrail-Digest/AWSLogs/111122223333/CloudTrail/r/x.json.gz", None),
            ("folder marker", "AWSLogs/111122223333/CloudTrail/", Some(Skip::FolderMarker)),
            ("write test", "AWSLogs/111122223333/CloudTrail/CloudTrailWriteTest", Some(Skip::WriteTest)),
            (
                "snapshot",
                "AWSLogs/111122223333/Config/eu-west-1/2026/11/2/ConfigSnapshot/111122223333_Config_eu-west-1_ConfigSnapshot_t_u.json.gz",
                Some(Skip::Snapshot),
            ),
            (
                "snapshot, renamed",
                "p/AWSLogs/o-abc/111122223333/Config/eu-west-1/2026/11/2/ConfigSnapshot/x.json.gz",
                Some(Skip::Snapshot),
            ),
            ("snapshot, copied flat", "111122223333_Config_eu-west-1_ConfigSnapshot_t_u.json.gz", Some(Skip::Snapshot)),
            (
                "history",
                "AWSLogs/111122223333/Config/eu-west-1/2026/11/2/ConfigHistory/111122223333_Config_eu-west-1_ConfigHistory_AWS::S3::Bucket_f_t_1.json.gz",
                None,
            ),
            ("a folder of the customer's", "ConfigSnapshot/x.json.gz", None),
            ("a trail's object in it", "ConfigSnapshot/AWSLogs/111122223333/CloudTrail/r/ConfigSnapshot/x.json.gz", None),
            ("a region of many words", "111122223333_Config_eu_ConfigHistory_ConfigSnapshot_x.json.gz", None),
            ("empty", "", None),
        ] {
            assert_eq!(skip(key), expected, "{name}");
        }
    }

    #[test]
    fn a_trails_object_is_known_by_its_name_or_its_folder() {
        let file = "111122223333_CloudTrail_eu-west-1_20261121T0000Z_x.json.gz";
        for (name, key, expected) in [
            ("copied flat", file.to_owned(), true),
            ("below a folder", format!("/data/copies/{file}"), true),
            ("unpacked", file.replace(".gz", ""), true),
            ("Insights", file.replace("CloudTrail", "CloudTrail-Insight"), true),
            ("in its folder, renamed", "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/21/x.json.gz".to_owned(), true),
            ("digest", file.replace("CloudTrail", "CloudTrail-Digest"), false),
            ("of Config", file.replace("CloudTrail", "Config"), false),
            ("a note beside", "AWSLogs/111122223333/CloudTrail/README.md".to_owned(), false),
            ("write test", "AWSLogs/111122223333/CloudTrail/CloudTrailWriteTest".to_owned(), false),
            ("no account", file.replacen('1', "x", 1), false),
            ("only a word", "CloudTrail.json".to_owned(), false),
            ("any file", "records.json.gz".to_owned(), false),
        ] {
            assert_eq!(names_trail(&key), expected, "{name}");
        }
    }
}
