//! What an answer may be.
//!
//! In: text. Out: the answer, or what is wrong with it and what is allowed, in the language of the questions. What always holds: what
//! passes here passes the configuration's own checks; a key that was typed where a place belongs is not shown.

use super::words::{self, Say};
use crate::config::queue_url::{self, QueueUrl};
use crate::config::secret_ref::SecretRef;
use crate::config::{DeadLetters, Region, Role, is_aggregator, is_bucket, shown};
use crate::publish::dashboard::Language;
use crate::record::partition_of;
use crate::record::trail::is_account_id;

/// All answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answers {
    pub(super) language: Language,
    pub(super) region: Region,
    /// Never empty; the first one gets the data.
    pub(super) accounts: Vec<u64>,
    /// `env:NAME` or `file:PATH`.
    pub(super) license_key: String,
    pub(super) trail_queue: Option<Queue>,
    /// Empty: any.
    pub(super) trail_buckets: Vec<String>,
    pub(super) event_queue: Option<Queue>,
    pub(super) posture: Posture,
    /// Empty where an aggregator has its own, or nothing is read.
    pub(super) posture_regions: Vec<String>,
    /// Where the aggregator is; only with one.
    pub(super) aggregator_region: Option<String>,
    /// Only with accounts.
    pub(super) posture_role: Option<String>,
    /// Where dead letters go.
    pub(super) dead_letters: Option<DeadLetters>,
    pub(super) timezone: String,
}

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Queue {
    pub(super) url: String,
    /// `None`: an emulator's.
    pub(super) region: Option<String>,
}

/// Whose AWS Config is read.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) enum Posture {
    /// Nobody's.
    #[default]
    Off,
    /// The agent's own account's.
    Own,
    /// That of all accounts of an aggregator.
    Aggregator(String),
    /// These accounts', with a role.
    Accounts(Vec<String>),
}

impl Posture {
    pub(super) fn is_on(&self) -> bool {
        *self != Self::Off
    }
}

/// What is wrong, with what was found.
fn no(say: Say, found: &str, language: Language) -> String {
    let found: String = shown(found).chars().flat_map(char::escape_debug).collect();
    say.get(language).replace("{}", &format!("\"{found}\""))
}

/// The parts of a list, without blanks.
fn list(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect()
}

pub(super) fn region(text: &str, language: Language) -> Result<Region, String> {
    match text.to_ascii_lowercase().as_str() {
        "us" => Ok(Region::Us),
        "eu" => Ok(Region::Eu),
        "jp" => Ok(Region::Jp),
        _ => Err(no(words::NO_REGION, text, language)),
    }
}

pub(super) fn accounts(text: &str, language: Language) -> Result<Vec<u64>, String> {
    let mut accounts = Vec::new();
    for part in list(text) {
        if is_account_id(part) {
            return Err(no(words::AWS_ACCOUNT, part, language));
        }
        let is_number = part.len() <= 10 && part.bytes().all(|byte| byte.is_ascii_digit());
        let id = part.parse().ok().filter(|id| is_number && *id > 0);
        let id: u64 = id.ok_or_else(|| no(words::NO_ACCOUNT, part, language))?;
        if !accounts.contains(&id) {
            accounts.push(id);
        }
    }
    if accounts.is_empty() { Err(no(words::NO_ACCOUNT, text, language)) } else { Ok(accounts) }
}

pub(super) fn license_key(text: &str, language: Language) -> Result<String, String> {
    let name = |name: &str| {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !name.is_empty() && name.bytes().all(letter) && !name.starts_with(|first: char| first.is_ascii_digit())
    };
    match SecretRef::parse(text) {
        Ok(SecretRef::Variable(variable)) if name(&variable) => Ok(text.to_owned()),
        Ok(SecretRef::File(path)) if !path.to_string_lossy().contains(char::is_control) => Ok(text.to_owned()),
        // It may be the key.
        _ => Err(words::NO_PLACE.get(language).to_owned()),
    }
}

pub(super) fn queue(text: &str, language: Language) -> Result<Option<Queue>, String> {
    if is_none(text) {
        return Ok(None);
    }
    match QueueUrl::parse(text) {
        Some(parts) => Ok(Some(Queue { url: text.to_owned(), region: parts.region })),
        None => Err(no(words::NO_QUEUE, text, language).replace("{allowed}", queue_url::ALLOWED)),
    }
}

pub(super) fn buckets(text: &str, language: Language) -> Result<Vec<String>, String> {
    if ["any", "-", "すべて"].contains(&text) {
        return Ok(Vec::new());
    }
    match list(text).into_iter().find(|bucket| !is_bucket(bucket)) {
        Some(wrong) => Err(no(words::NO_BUCKET, wrong, language)),
        None => Ok(once(list(text))),
    }
}

pub(super) fn posture(text: &str, language: Language) -> Result<Posture, String> {
    let wrong = || no(words::NO_POSTURE, text, language);
    if let Some(name) = text.strip_prefix("aggregator:") {
        return if is_aggregator(name) { Ok(Posture::Aggregator(name.to_owned())) } else { Err(wrong()) };
    }
    match text {
        "off" | "none" | "-" => Ok(Posture::Off),
        "own" => Ok(Posture::Own),
        _ => {
            let accounts = list(text);
            let all = !accounts.is_empty() && accounts.iter().all(|account| is_account_id(account));
            if all { Ok(Posture::Accounts(once(accounts))) } else { Err(wrong()) }
        }
    }
}

/// Regions, all of this partition if there is one.
pub(super) fn regions(text: &str, partition: Option<&str>, language: Language) -> Result<Vec<String>, String> {
    let regions = list(text);
    if let Some(wrong) = regions.iter().find(|region| !queue_url::is_region(region)) {
        return Err(no(words::NO_AWS_REGION, wrong, language));
    }
    let first = regions.first().ok_or_else(|| no(words::NO_AWS_REGION, text, language))?;
    let partition = partition.unwrap_or_else(|| partition_of(first));
    match regions.iter().find(|region| partition_of(region) != partition) {
        Some(other) => Err(no(words::OTHER_PARTITION, other, language).replace("{partition}", partition)),
        None => Ok(once(regions)),
    }
}

/// A Region, of this partition if there is one.
pub(super) fn one_region(text: &str, partition: Option<&str>, language: Language) -> Result<String, String> {
    match regions(text, partition, language)?.as_slice() {
        [region] => Ok(region.clone()),
        _ => Err(no(words::NO_AWS_REGION, text, language)),
    }
}

/// A place of dead letters that more than one machine reaches.
pub(super) fn dead_letters(text: &str, language: Language) -> Result<Option<DeadLetters>, String> {
    if is_none(text) {
        return Ok(None);
    }
    if let Some(address) = text.strip_prefix("s3://") {
        let (bucket, prefix) = address.split_once('/').unwrap_or((address, ""));
        if is_bucket(bucket) && !prefix.starts_with('/') && !prefix.contains(char::is_control) {
            return Ok(Some(DeadLetters::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() }));
        }
    } else if let Some(parts) = QueueUrl::parse(text) {
        if parts.is_fifo() {
            return Err(no(words::FIFO_LETTERS, text, language));
        }
        return Ok(Some(DeadLetters::Queue { url: text.to_owned() }));
    }
    Err(no(words::NO_LETTERS, text, language).replace("{allowed}", queue_url::ALLOWED))
}

pub(super) fn role(text: &str, language: Language) -> Result<String, String> {
    Role::parse(text).map(|_| text.to_owned()).ok_or_else(|| no(words::NO_ROLE, text, language))
}

pub(super) fn timezone(text: &str, language: Language) -> Result<String, String> {
    let zone = jiff::tz::TimeZone::get(text).ok().and_then(|zone| zone.iana_name().map(str::to_owned));
    zone.ok_or_else(|| no(words::NO_ZONE, text, language))
}

/// A second queue: of the partition of the first one, and another one.
pub(super) fn beside(first: Option<&Queue>, second: Option<Queue>, language: Language) -> Result<Option<Queue>, String> {
    let (Some(first), Some(queue)) = (first, &second) else { return Ok(second) };
    if first.url == queue.url {
        return Err(no(words::SAME_QUEUE, &queue.url, language));
    }
    match (&first.region, &queue.region) {
        (Some(one), Some(other)) if partition_of(one) != partition_of(other) => {
            Err(no(words::OTHER_PARTITION, &queue.url, language).replace("{partition}", partition_of(one)))
        }
        _ => Ok(second),
    }
}

fn is_none(text: &str) -> bool {
    ["none", "-", "なし"].contains(&text)
}

fn once(all: Vec<&str>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for one in all {
        if !kept.iter().any(|other| other == one) {
            kept.push(one.to_owned());
        }
    }
    kept
}
