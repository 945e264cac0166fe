//! As written → valid.
//!
//! In: everything that was given. Out: a [`Config`], or all that is wrong with it. Here is what concerns more than one key:
//! what must be there, the region of a key, keys that were swapped, names and queues that must differ.

mod place;
mod posture;

pub(crate) use posture::is_aggregator;

use jiff::tz::TimeZone;
use tracing_subscriber::EnvFilter;

use crate::config::fault::{Fault, Place};
use crate::config::file::{EXAMPLE, LATER};
use crate::config::nearest::nearest;
use crate::config::options::LATER_SOURCE_KINDS;
use crate::config::queue_url::{self, QueueUrl};
use crate::config::reader::Reader;
use crate::config::{
    Changes, Config, Files, Health, Hosts, Limits, LogFormat, LogRecords, Logs, Need, NewRelic, Novelty, Outputs, Price, Region,
    Rules, Source, SourceKind, Telemetry, accounts, env, findings, keys,
};
use crate::record::Severity;
use crate::record::trail::is_account_id;
use crate::secret::Secret;

/// Reads everything; `None` only if there are faults. What names files is told even then.
pub(super) fn config(reader: &mut Reader<'_>, need: Need) -> (Option<Config>, Files) {
    version(reader);
    // Every part is read before any is missed, so that all faults are found.
    let new_relic = new_relic(reader, need);
    let sources = sources(reader);
    let dead_letters = place::dead_letters(reader);
    let state = place::state(reader, dead_letters.as_ref());
    let (posture, identity) = posture::posture(reader, need, &sources);
    let compliance_notify = reader.word("posture.notify").and_then(|word| word.parse().ok()).unwrap_or(Severity::High);
    if need.sources && posture.is_none() && identity.is_none() && reader.written.sources.is_empty() {
        nothing_to_read(reader);
    }
    let outputs = outputs(reader);
    let folders = reader.list("rules.folders", "not a path", |text| (!text.is_empty()).then(|| text.into()));
    let disable = reader.list("rules.disable", "empty", |text| (!text.is_empty()).then(|| text.to_owned()));
    let placeholders = reader.named_texts("rules.placeholders", |name| {
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
    });
    let exceptions = reader.path("exceptions");
    let frameworks = reader.path("frameworks.file");
    let accounts = accounts::accounts(reader);
    let findings = findings::read(reader);
    let limits = limits(reader);
    let health = health(reader);
    let telemetry = telemetry(reader);
    let price = price(reader);
    queues_differ(reader);
    let changes = Changes { wait: reader.time_or_off("changes.wait", Changes::default().wait) };
    let novelty = novelty(reader);
    let rules = Rules { folders, disable, placeholders };
    let files = Files { rules, exceptions, frameworks, accounts, dead_letters, state: state.place.clone() };
    let Files { rules, exceptions, frameworks, accounts, dead_letters, .. } = files.clone();
    let config = new_relic.map(|new_relic| Config {
        new_relic,
        sources,
        outputs,
        rules,
        exceptions,
        frameworks,
        accounts,
        dead_letters,
        state,
        posture,
        compliance_notify,
        identity,
        changes,
        novelty,
        findings,
        limits,
        health,
        price,
        telemetry,
    });
    (config, files)
}

fn version(reader: &mut Reader<'_>) {
    if reader.written.from_file && !reader.has("version") {
        reader.missing("version");
    }
    reader.word("version");
}

fn new_relic(reader: &mut Reader<'_>, need: Need) -> Option<NewRelic> {
    let explicit = region(reader);
    let hosts = Hosts {
        events: reader.base_url("newrelic.hosts.events", "/v1"),
        logs: reader.base_url("newrelic.hosts.logs", "/log/v1"),
        otlp: reader.base_url("newrelic.hosts.otlp", "/v1/metrics"),
        nerd_graph: reader.base_url("newrelic.hosts.nerdGraph", "/graphql"),
    };
    if !need.keys {
        let license_key = Secret::new("");
        return Some(NewRelic { region: explicit.unwrap_or(Region::Us), account_id: 0, license_key, api_key: None, hosts });
    }
    reader.require("newrelic.accountId");
    let account_id = account_id(reader);
    reader.require("newrelic.licenseKey");
    let license_key = key(reader, "newrelic.licenseKey", keys::license);
    let api_key = key(reader, "newrelic.apiKey", keys::user);
    let region = match (explicit, &license_key) {
        (Some(region), _) => Some(region),
        (None, Some(key)) if !reader.has("newrelic.region") => match keys::region(key) {
            Ok(region) => Some(region),
            Err((what, hint)) => {
                reader.wrong("newrelic.region", what, Some(hint.to_owned()));
                None
            }
        },
        _ => None,
    };
    Some(NewRelic { region: region?, account_id: account_id?, license_key: license_key?, api_key, hosts })
}

/// The region as written; New Relic's own tools write it in capitals.
fn region(reader: &mut Reader<'_>) -> Option<Region> {
    match &*reader.raw("newrelic.region")?.to_ascii_lowercase() {
        "us" => Some(Region::Us),
        "eu" => Some(Region::Eu),
        "jp" => Some(Region::Jp),
        _ => {
            reader.word("newrelic.region");
            None
        }
    }
}

fn account_id(reader: &mut Reader<'_>) -> Option<u64> {
    const PATH: &str = "newrelic.accountId";
    let text = reader.raw(PATH)?;
    let id = crate::config::value::whole(text).filter(|&id| id > 0 && text.len() <= 10);
    if id.is_none() {
        let hint = is_account_id(text).then(|| "this looks like an AWS account id".to_owned());
        reader.wrong(PATH, "not a New Relic account id", hint);
    }
    id
}

fn key(reader: &mut Reader<'_>, path: &str, check: fn(&Secret) -> Result<(), keys::Wrong>) -> Option<Secret> {
    let key = reader.secret(path)?;
    match check(&key) {
        Ok(()) => Some(key),
        Err((what, hint)) => {
            reader.wrong(path, what, Some(hint.to_owned()));
            None
        }
    }
}

/// Adds a fault that there is neither a source nor AWS Config to read, unless what is wrong with those has been told.
fn nothing_to_read(reader: &mut Reader<'_>) {
    let of_posture = reader.faults.iter().any(|fault| posture::SWITCHES.iter().any(|path| fault.path.starts_with(path)));
    let broken = ["sources", "posture"].iter().any(|path| reader.written.is_broken(path));
    if reader.written.is_unreadable() || broken || of_posture {
        return;
    }
    let fault = Fault::new("sources", Place::Nowhere, "missing: nothing to read from");
    let fault = fault.allowed("one source at least, or AWS Config itself");
    let hint = "write one in the file, or set CSPM_RELAY_TRAIL_QUEUE_URL or CSPM_RELAY_EVENT_QUEUE_URL; \
                CSPM_RELAY_POSTURE_REGIONS reads AWS Config without a queue";
    reader.faults.push(fault.hint(hint));
}

fn sources(reader: &mut Reader<'_>) -> Vec<Source> {
    let count = reader.written.sources.len();
    let mut sources: Vec<Source> = Vec::new();
    let mut names: Vec<(String, usize)> = Vec::new();
    for number in 0..count {
        // A fault about the whole item has been told; its keys are not missing one by one.
        if reader.written.broken.contains(&format!("sources[{number}]")) {
            continue;
        }
        let (name, kind) = source(reader, number);
        if let Some(name) = &name {
            match names.iter().find(|(other, _)| other == name) {
                Some(&(_, first)) => same_name(reader, name, first, number),
                None => names.push((name.clone(), number)),
            }
        }
        if let (Some(name), Some(kind)) = (name, kind) {
            sources.push(Source { name, kind });
        }
    }
    sources
}

/// Adds a fault about two sources of one name, unless the name is that of a queue they share, which is told itself.
fn same_name(reader: &mut Reader<'_>, name: &str, first: usize, second: usize) {
    let path = |number: usize, key: &str| format!("sources[{number}].{key}");
    let here = path(second, "name");
    let written = reader.has(&here);
    if !written && reader.raw(&path(first, "queueUrl")) == reader.raw(&path(second, "queueUrl")) {
        return;
    }
    let place = if written { reader.place(&here) } else { reader.place(&path(second, "queueUrl")) };
    let fault = Fault::new(here, place, "two sources of one name").was(name);
    reader.faults.push(fault.hint(format!("sources[{first}] has it too: give each a name of its own")));
}

/// One source's name and kind; what is missing is a fault already.
fn source(reader: &mut Reader<'_>, number: usize) -> (Option<String>, Option<SourceKind>) {
    let path = |key: &str| format!("sources[{number}].{key}");
    let (kind_path, queue_path, name_path) = (path("kind"), path("queueUrl"), path("name"));
    reader.require(&kind_path);
    let kind = source_kind(reader, &kind_path);
    // What a source of a later version needs is not known here.
    if kind.is_some() || reader.raw(&kind_path).is_none() {
        reader.require(&queue_path);
    }
    let queue = reader.queue(&queue_path);
    let name = match reader.raw(&name_path) {
        Some(text) if is_source_name(text) => Some(text.to_owned()),
        Some(_) => {
            reader.wrong(&name_path, "not a name", None);
            None
        }
        None => queue.as_ref().map(|(_, parts)| parts.name.clone()),
    };
    let region = source_region(reader, &path("region"), queue.as_ref().map(|(_, parts)| parts));
    let buckets = reader.list(&path("buckets"), "not a bucket name", |text| is_bucket(text).then(|| text.to_owned()));
    if kind == Some("eventQueue") && reader.has(&path("buckets")) {
        let place = reader.place(&path("buckets"));
        let fault = Fault::new(path("buckets"), place, "only a trailBucket source has buckets");
        reader.faults.push(fault.hint("remove it: an eventQueue reads the events themselves"));
    }
    let kind = match (kind, queue) {
        (Some("trailBucket"), Some((queue_url, _))) => Some(SourceKind::TrailBucket { queue_url, region, buckets }),
        (Some("eventQueue"), Some((queue_url, _))) => Some(SourceKind::EventQueue { queue_url, region }),
        _ => None,
    };
    (name, kind)
}

fn source_kind(reader: &mut Reader<'_>, path: &str) -> Option<&'static str> {
    let text = reader.raw(path)?;
    if LATER_SOURCE_KINDS.contains(&text) {
        reader.wrong(path, LATER, Some("this kind of source comes with a later version".to_owned()));
        return None;
    }
    reader.word(path)
}

/// The queue's Region: what is written, which must be that of the URL, or that of the URL, or for an emulator that of the SDK.
fn source_region(reader: &mut Reader<'_>, path: &str, queue: Option<&QueueUrl>) -> Option<String> {
    let in_url = queue.and_then(|parts| parts.region.clone());
    let Some(written) = reader.raw(path) else {
        return in_url.or_else(|| Some(sdk_region(reader).unwrap_or_else(|| "us-east-1".to_owned())));
    };
    if !queue_url::is_region(written) {
        reader.wrong(path, "not an AWS Region", None);
    } else if let Some(in_url) = in_url.filter(|in_url| in_url != written) {
        reader.wrong(path, "not the Region in the queue's URL", Some(format!("remove it, or write {in_url}")));
    }
    Some(written.to_owned())
}

/// The Region that AWS tools would use.
fn sdk_region(reader: &Reader<'_>) -> Option<String> {
    ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| env::text(reader.env, name).ok().flatten())
}

/// Each queue has one reader here: two sources would take each other's messages, and a dead letter would come back for ever.
fn queues_differ(reader: &mut Reader<'_>) {
    let mut paths: Vec<String> = (0..reader.written.sources.len()).map(|number| format!("sources[{number}].queueUrl")).collect();
    paths.push("deadLetters.queue".to_owned());
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for path in &paths {
        let Some(url) = reader.raw(path) else { continue };
        match seen.iter().find(|(other, _)| *other == url) {
            Some((_, first)) => {
                let fault = Fault::new(path.as_str(), reader.place(path), "the same queue twice").was(url);
                reader.faults.push(fault.hint(format!("{first} has it too: each needs a queue of its own")));
            }
            None => seen.push((url, path)),
        }
    }
}

fn is_source_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// Whether a text can be a bucket's name (S3 user guide, bucket naming rules).
pub(crate) fn is_bucket(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = text.bytes().next().is_some_and(inside) && text.bytes().last().is_some_and(inside);
    (3..=63).contains(&text.len())
        && ends
        && text.bytes().all(|byte| inside(byte) || matches!(byte, b'.' | b'-'))
        && !text.contains("..")
}

/// Adds a fault when more than one of these keys is written.
fn one_of(reader: &mut Reader<'_>, paths: &[&str]) {
    let mut written = paths.iter().filter(|path| reader.has(path));
    let (Some(first), Some(second)) = (written.next(), written.next()) else { return };
    let fault = Fault::new(*second, reader.place(second), format!("{first} is written too"));
    reader.faults.push(fault.allowed(format!("one of {}", paths.join(", "))).hint("remove the others"));
}

fn outputs(reader: &mut Reader<'_>) -> Outputs {
    let default = Outputs::default();
    let records = match reader.word("outputs.logs.records") {
        Some("matched") => LogRecords::Matched,
        Some("all") => LogRecords::All,
        Some("none") => LogRecords::None,
        _ => default.logs.records,
    };
    let read_only = reader.switch("outputs.logs.readOnly", default.logs.read_only);
    let thin = reader.switch("outputs.logs.thin", default.logs.thin);
    let mask = reader.switch("outputs.logs.mask", default.logs.mask);
    Outputs {
        logs: Logs { records, read_only, thin, mask },
        notices: reader.switch("outputs.notices", default.notices),
        metrics: reader.switch("outputs.metrics", default.metrics),
    }
}

fn price(reader: &mut Reader<'_>) -> Option<Price> {
    reader.parse("cost.pricePerGb", "not a price", Price::parse)
}

fn novelty(reader: &mut Reader<'_>) -> Novelty {
    let default = Novelty::default();
    Novelty {
        memory: usize_of(reader.bytes("novelty.memory", u64_of(default.memory)), default.memory),
        learning: reader.time("novelty.learning", default.learning),
    }
}

fn limits(reader: &mut Reader<'_>) -> Limits {
    let default = Limits::default();
    let bytes = |reader: &mut Reader<'_>, path, default: usize| usize_of(reader.bytes(path, u64_of(default)), default);
    let whole = |reader: &mut Reader<'_>, path, default: usize| usize_of(reader.whole(path, u64_of(default)), default);
    let gzip_level = reader.whole("limits.gzipLevel", u64::from(default.gzip_level));
    let limits = Limits {
        bytes_in_flight: reader.bytes("limits.bytesInFlight", default.bytes_in_flight),
        object_bytes: reader.bytes("limits.objectBytes", default.object_bytes),
        inflated_bytes: reader.bytes("limits.inflatedBytes", default.inflated_bytes),
        record_bytes: bytes(reader, "limits.recordBytes", default.record_bytes),
        body_bytes: bytes(reader, "limits.bodyBytes", default.body_bytes),
        packed_body_bytes: bytes(reader, "limits.packedBodyBytes", default.packed_body_bytes),
        gzip_level: u32::try_from(gzip_level).unwrap_or(default.gzip_level),
        flush_after: reader.time("limits.flushAfter", default.flush_after),
        requests_in_flight: whole(reader, "limits.requestsInFlight", default.requests_in_flight),
        request_timeout: reader.time("limits.requestTimeout", default.request_timeout),
        workers: whole(reader, "limits.workers", default.workers),
        seen_records: whole(reader, "limits.seenRecords", default.seen_records),
        drain: reader.time("limits.drain", default.drain),
    };
    if limits.inflated_bytes < limits.object_bytes {
        reader.wrong(
            "limits.inflatedBytes",
            "smaller than limits.objectBytes",
            Some("an unpacked object is the larger one".to_owned()),
        );
    }
    limits
}

fn u64_of(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// Values are in their row's range, which fits every machine this runs on.
fn usize_of(value: u64, default: usize) -> usize {
    usize::try_from(value).unwrap_or(default)
}

fn health(reader: &mut Reader<'_>) -> Health {
    let off = reader.switch("health.off", false);
    one_of(reader, if off { &["health.port", "health.socket", "health.off"] } else { &["health.port", "health.socket"] });
    let default = if let Health::Port(port) = Health::default() { port } else { 0 };
    let port = reader.whole("health.port", u64::from(default));
    match reader.path("health.socket") {
        _ if off => Health::Off,
        Some(socket) => Health::Socket(socket),
        None => Health::Port(u16::try_from(port).unwrap_or(default)),
    }
}

fn telemetry(reader: &mut Reader<'_>) -> Telemetry {
    let default = Telemetry::default();
    let log_format = match reader.word("telemetry.logFormat") {
        Some("text") => LogFormat::Text,
        Some("json") => LogFormat::Json,
        _ => default.log_format,
    };
    Telemetry {
        log_format,
        log_level: log_level(reader).unwrap_or(default.log_level),
        heartbeat: reader.time_or_off("telemetry.heartbeat", default.heartbeat),
        time_zone: time_zone(reader).unwrap_or(default.time_zone),
    }
}

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

fn log_level(reader: &mut Reader<'_>) -> Option<String> {
    const PATH: &str = "telemetry.logLevel";
    let text = reader.raw(PATH)?;
    // The parser takes any bare word for a target and shows all of it, so `inof` would be a flood.
    let stray = text
        .split(',')
        .map(str::trim)
        .find(|part| !part.contains('=') && !LEVELS.iter().any(|level| level.eq_ignore_ascii_case(part)));
    if let Some(stray) = stray {
        let hint = nearest(stray, LEVELS).map(|meant| format!("did you mean `{meant}`?"));
        reader.wrong(PATH, "not a log filter", hint);
        return None;
    }
    if EnvFilter::builder().with_regex(false).parse(text).is_err() {
        reader.wrong(PATH, "not a log filter", None);
        return None;
    }
    Some(text.to_owned())
}

/// The zone in the file, else that of `TZ`, by its name in the time zone database.
fn time_zone(reader: &mut Reader<'_>) -> Option<String> {
    const PATH: &str = "telemetry.timeZone";
    if let Some(text) = reader.raw(PATH) {
        let zone = zone_name(text);
        if zone.is_none() {
            reader.wrong(PATH, "not a time zone", None);
        }
        return zone;
    }
    let of_system = match env::text(reader.env, "TZ") {
        Ok(text) => text?,
        Err(fault) => {
            reader.faults.push(fault);
            return None;
        }
    };
    // POSIX writes a file as `:name` or as a path below the database.
    let name = of_system.trim_start_matches(':');
    let name = name.rsplit_once("zoneinfo/").map_or(name, |(_, name)| name);
    let zone = zone_name(name);
    if zone.is_none() && !reader.written.is_broken(PATH) {
        let fault = Fault::new(PATH, Place::Variable("TZ".into()), "not a time zone").was(&of_system);
        reader
            .faults
            .push(fault.allowed("a name of the IANA time zone database, as Asia/Tokyo").hint(format!("write {PATH}; {EXAMPLE}")));
    }
    zone
}

fn zone_name(text: &str) -> Option<String> {
    TimeZone::get(text).ok()?.iana_name().map(str::to_owned)
}
