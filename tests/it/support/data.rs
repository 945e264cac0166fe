//! `CloudTrail` objects with known ids.
//!
//! In: which records. Out: gzip bytes and an S3 key as `CloudTrail` writes them, and the ids that are inside. The same numbers
//! give the same ids; times are given, so that nothing here reads a clock.

use std::collections::BTreeSet;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

/// The account of records and keys.
pub(crate) const ACCOUNT: &str = "111122223333";

/// The Region of records, keys and emulators.
pub(crate) const REGION: &str = "us-east-1";

/// The `eventID` of a numbered record.
pub(crate) fn id(number: u64) -> String {
    format!("{:08x}-0000-4000-8000-{number:012x}", number >> 48)
}

/// A call that changes nothing and that no rule wants.
pub(crate) fn quiet(number: u64, time_ms: i64) -> Value {
    record(number, time_ms, "ec2.amazonaws.com", "DescribeInstances", true, &json!({"instancesSet": {}}))
}

/// A call that a detective control is for: logging was stopped.
pub(crate) fn alarming(number: u64, time_ms: i64) -> Value {
    let trail = format!("arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/organization");
    record(number, time_ms, "cloudtrail.amazonaws.com", "StopLogging", false, &json!({"name": trail}))
}

fn record(number: u64, time_ms: i64, source: &str, name: &str, read_only: bool, parameters: &Value) -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser", "principalId": "AIDAEXAMPLEEXAMPLE123", "arn": format!("arn:aws:iam::{ACCOUNT}:user/mila"),
            "accountId": ACCOUNT, "accessKeyId": "AKIAEXAMPLEEXAMPLE12", "userName": "mila",
        },
        "eventTime": iso(time_ms),
        "eventSource": source,
        "eventName": name,
        "awsRegion": REGION,
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "aws-cli/2.17.32",
        "requestParameters": parameters,
        "responseElements": null,
        "requestID": format!("{number:08x}-1111-4111-8111-111111111111"),
        "eventID": id(number),
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    })
}

/// An object as it lies in the bucket.
#[derive(Debug, Clone)]
pub(crate) struct TrailObject {
    /// S3 key under `AWSLogs/`.
    pub(crate) key: String,
    /// gzip bytes.
    pub(crate) body: Vec<u8>,
    /// What is inside.
    pub(crate) ids: BTreeSet<String>,
}

/// An object of these records; `number` makes its name.
pub(crate) fn object(number: u64, time_ms: i64, records: &[Value]) -> TrailObject {
    let ids = records.iter().map(|record| record["eventID"].as_str().expect("a record with an id").to_owned()).collect();
    let (date, minute) = (time(time_ms).strftime("%Y/%m/%d").to_string(), time(time_ms).strftime("%Y%m%dT%H%MZ").to_string());
    let key = format!("AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{date}/{ACCOUNT}_CloudTrail_{REGION}_{minute}_{number:016}.json.gz");
    TrailObject { key, body: gzip(json!({ "Records": records }).to_string().as_bytes()), ids }
}

/// `count` quiet records from `first` on, and an alarming one in the middle of each hundred.
pub(crate) fn mixed(first: u64, count: u64, time_ms: i64) -> Vec<Value> {
    (first..first + count)
        .map(|number| if number % 100 == 50 { alarming(number, time_ms) } else { quiet(number, time_ms) })
        .collect()
}

/// Packs bytes.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).expect("memory");
    packer.finish().expect("memory")
}

fn time(time_ms: i64) -> jiff::Zoned {
    jiff::Timestamp::from_millisecond(time_ms).expect("a time").to_zoned(jiff::tz::TimeZone::UTC)
}

/// A time as `CloudTrail` writes it.
pub(crate) fn iso(time_ms: i64) -> String {
    time(time_ms).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_what_cloudtrail_writes() {
        let made = object(7, 1_780_000_000_000, &mixed(40, 20, 1_780_000_000_000));
        assert_eq!(
            made.key,
            "AWSLogs/111122223333/CloudTrail/us-east-1/2026/05/28/111122223333_CloudTrail_us-east-1_20260528T2026Z_0000000000000007.json.gz"
        );
        assert_eq!(made.ids.len(), 20);
        assert!(made.ids.contains("00000000-0000-4000-8000-000000000028"), "{:?}", made.ids);
        assert_eq!(made.body.get(..2), Some(&[0x1f, 0x8b][..]));
        let names: Vec<_> = mixed(40, 20, 0).iter().filter(|record| record["eventName"] == "StopLogging").cloned().collect();
        assert_eq!(names.len(), 1);
        let parsed = cspm_relay::record::trail::Trail::parse(names[0].to_string().as_bytes()).map(|trail| trail.time_ms);
        assert_eq!(parsed.expect("a record the relay reads"), 0);
    }
}
