//! What is read of AWS Config and of IAM, as written → valid.
//!
//! In: the keys of `posture`, and the Regions of the queues. Out: [`Posture`] when something switches it on, [`Identity`] when its
//! own switch does, or faults. Here is what concerns more than one key: a Region to ask, a role where there are several accounts,
//! what an aggregator makes useless.

use crate::config::fault::{Fault, Place};
use crate::config::options::find;
use crate::config::queue_url;
use crate::config::reader::Reader;
use crate::config::{Identity, Need, Posture, Role, Source, SourceKind};
use crate::record::trail::is_account_id;
use crate::secret::Secret;

const REGIONS: &str = "posture.regions";
const ACCOUNTS: &str = "posture.accounts";
const AGGREGATOR: &str = "posture.aggregator";
const AGGREGATOR_REGION: &str = "posture.aggregatorRegion";
const ROLE: &str = "posture.role";
const EXTERNAL_ID: &str = "posture.externalId";

/// One of these switches the reading on.
pub(super) const SWITCHES: [&str; 3] = [REGIONS, ACCOUNTS, AGGREGATOR];

/// Reads it all; `None`: nothing switches it on.
pub(super) fn posture(reader: &mut Reader<'_>, need: Need, sources: &[Source]) -> (Option<Posture>, Option<Identity>) {
    let default = Posture::of_region("");
    let regions = once(reader, REGIONS, "not an AWS Region", queue_url::is_region);
    let accounts = once(reader, ACCOUNTS, "not an AWS account id", is_account_id);
    let aggregator = reader.parse(AGGREGATOR, "not an aggregator's name", |text| is_aggregator(text).then(|| text.to_owned()));
    let aggregator_region =
        reader.parse(AGGREGATOR_REGION, "not an AWS Region", |text| queue_url::is_region(text).then(|| text.to_owned()));
    let role = reader.parse(ROLE, "not a role's name or an ARN for every account", Role::parse);
    let external_id = external_id(reader, need);
    let interval = reader.time("posture.interval", default.interval);
    let summary_interval = reader.time("posture.summaryInterval", default.summary_interval);
    let calls = reader.whole("posture.callsPerSecond", u64::from(default.calls_per_second));
    let concurrency =
        super::usize_of(reader.whole("posture.concurrency", super::u64_of(default.concurrency)), default.concurrency);

    let identity = identity(reader);

    together(reader, &accounts, identity.is_some());
    let reads_config = !regions.is_empty() || !accounts.is_empty() || aggregator.is_some();
    if !reads_config && identity.is_none() {
        return (None, None);
    }
    // IAM has one place for a whole partition: any Region of it will do.
    let of_trail = || if reads_config { None } else { trail_region(sources) };
    let of_aggregator = aggregator_region.filter(|_| aggregator.is_some());
    let Some(home) = of_aggregator.or_else(|| home(reader, sources)).or_else(|| regions.first().cloned()).or_else(of_trail)
    else {
        no_region(reader);
        return (None, None);
    };
    let calls_per_second = u32::try_from(calls).unwrap_or(default.calls_per_second);
    let identity = identity.map(|identity| Identity {
        home: home.clone(),
        accounts: accounts.clone(),
        aggregator: aggregator.clone(),
        role: role.clone(),
        external_id: external_id.clone(),
        calls_per_second,
        ..identity
    });
    if !reads_config {
        return (None, identity);
    }
    // An aggregator has Regions of its own; without one there is only what is named.
    let regions = if regions.is_empty() && aggregator.is_none() { vec![home.clone()] } else { regions };
    // Beside an aggregator the role is for IAM alone.
    let (role, external_id) = if aggregator.is_some() { (None, None) } else { (role, external_id) };
    let posture = Posture {
        home,
        regions,
        accounts,
        aggregator,
        role,
        external_id,
        interval,
        summary_interval,
        calls_per_second,
        concurrency,
    };
    (Some(posture), identity)
}

/// What is asked of IAM, if its switch is on; whom, is told by the keys that AWS Config has, too.
fn identity(reader: &mut Reader<'_>) -> Option<Identity> {
    let default = Identity::of_region("");
    let enabled = reader.switch("posture.identity.enabled", false);
    let interval = reader.time("posture.identity.interval", default.interval);
    let mut days = |path: &str, default: u32| u32::try_from(reader.whole(path, u64::from(default))).unwrap_or(default);
    let unused_days = days("posture.identity.unusedDays", default.unused_days);
    let key_max_age_days = days("posture.identity.keyMaxAgeDays", default.key_max_age_days);
    let last_accessed = reader.switch("posture.identity.lastAccessed", default.last_accessed);
    enabled.then_some(Identity { interval, unused_days, key_max_age_days, last_accessed, ..default })
}

/// A list in which nothing stands twice: it would be read twice.
fn once(reader: &mut Reader<'_>, path: &str, what: &str, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let found = reader.list(path, what, |text| fits(text).then(|| text.to_owned()));
    let mut kept: Vec<String> = Vec::new();
    for text in found {
        if kept.contains(&text) {
            let fault = Fault::new(path, reader.place(path), "the same twice").was(&text);
            reader.faults.push(fault.hint("write it once"));
        } else {
            kept.push(text);
        }
    }
    kept
}

/// Whether a text can be an aggregator's name.
pub(crate) fn is_aggregator(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// The external id; only the agent takes roles.
fn external_id(reader: &mut Reader<'_>, need: Need) -> Option<Secret> {
    if !need.sources {
        return None;
    }
    let id = reader.secret(EXTERNAL_ID)?;
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&byte);
    if !(2..=1224).contains(&id.expose().len()) || !id.expose().bytes().all(letter) {
        let hint = "AWS allows 2 to 1224 letters, digits and `_+=,.@:/-`".to_owned();
        reader.wrong(EXTERNAL_ID, "not an external id", Some(hint));
        return None;
    }
    Some(id)
}

/// What cannot stand together, and what cannot stand alone.
fn together(reader: &mut Reader<'_>, accounts: &[String], reads_iam: bool) {
    if reader.has(AGGREGATOR) && reader.has(ROLE) && !reads_iam {
        let fault = Fault::new(ROLE, reader.place(ROLE), format!("{AGGREGATOR} is written too"));
        let hint = "an aggregator is asked by the agent itself, a role in each account in its place: remove one of them, or set \
                    posture.identity.enabled, which reads IAM with the role";
        reader.faults.push(fault.allowed("one of them").hint(hint));
    }
    if reader.has(EXTERNAL_ID) && !reader.has(ROLE) && !reader.written.is_broken(ROLE) {
        let fault = Fault::new(EXTERNAL_ID, reader.place(EXTERNAL_ID), format!("there is no {ROLE} to take with it"));
        reader.faults.push(fault.hint(format!("write {ROLE}, or remove it")));
    }
    if reader.has(AGGREGATOR_REGION) && !reader.has(AGGREGATOR) && !reader.written.is_broken(AGGREGATOR) {
        let fault =
            Fault::new(AGGREGATOR_REGION, reader.place(AGGREGATOR_REGION), format!("there is no {AGGREGATOR} that has it"));
        reader.faults.push(fault.hint(format!("write {AGGREGATOR}, or remove it")));
    }
    let alone =
        !reader.has(ROLE) && !reader.has(AGGREGATOR) && ![ROLE, AGGREGATOR].iter().any(|path| reader.written.is_broken(path));
    if accounts.len() > 1 && alone {
        let what = format!("missing: {} accounts, of which the agent can read only its own", accounts.len());
        let fault = Fault::new(ROLE, Place::Nowhere, what);
        let allowed = find(ROLE).map(|row| row.kind.allowed()).unwrap_or_default();
        reader.faults.push(fault.allowed(allowed).hint(format!("write {ROLE}, or {AGGREGATOR} where there is one")));
    }
}

/// The Region of the event queue, else the one that AWS tools would use.
fn home(reader: &Reader<'_>, sources: &[Source]) -> Option<String> {
    let of_queue = sources.iter().find_map(|source| match &source.kind {
        SourceKind::EventQueue { region, .. } => region.clone(),
        SourceKind::TrailBucket { .. } => None,
    });
    of_queue.or_else(|| super::sdk_region(reader).filter(|region| queue_url::is_region(region)))
}

/// The Region of the trail's queue.
fn trail_region(sources: &[Source]) -> Option<String> {
    sources.iter().find_map(|source| match &source.kind {
        SourceKind::TrailBucket { region, .. } => region.clone(),
        SourceKind::EventQueue { .. } => None,
    })
}

fn no_region(reader: &mut Reader<'_>) {
    // A Region may stand where a fault already is.
    let told = |path: &str| reader.written.is_broken(path) || reader.faults.iter().any(|fault| fault.path.starts_with(path));
    if told(REGIONS) || told("sources") || told(AGGREGATOR_REGION) {
        return;
    }
    let fault = Fault::new(REGIONS, Place::Nowhere, "missing: there is no eventQueue source whose Region could be taken");
    let allowed = find(REGIONS).map(|row| row.kind.allowed()).unwrap_or_default();
    reader.faults.push(
        fault.allowed(allowed).hint("set AWS_REGION; or name the Regions that are read, here or in CSPM_RELAY_POSTURE_REGIONS"),
    );
}
