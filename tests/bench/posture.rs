//! AWS Config of a large organization, read by the real binary.
//!
//! In: a stand-in of AWS Config that plays 200 accounts with 150 rules that judge 20 resources each; the New Relic stand-in, which
//! checks and counts. Out: what the first reading and the first time of every kind of row took: calls and the most of them in any
//! second of one place, as they arrived; peak resident memory; rows and bytes, and what those make in a month with the default
//! times. What always holds: the figures are of a whole reading: every account read, every row that must be there accepted.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use cspm_relay::config::Posture;
use cspm_relay::lab::backend::{self, Backend, BackendSettings, Retain, Store, TypeCounts};
use cspm_relay::pipeline::posture::rows::RowKind;
use cspm_relay::record::AccountRegion;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::config_api::fleet::{Fleet, PackOf, Size};
use crate::config_api::{Call, ConfigStandIn};
use crate::memory::{Killed, high_water_kib};
use crate::report::{Budget, Verdict, real, say};

const REGION: &str = "eu-west-1";
const SIZE: Size = Size { accounts: 200, regions: &[REGION], rules: 150, resources: 20, shared_by: 5 };

/// Conformance packs in each account, and rules in each of them.
const PACKS: u32 = 3;
const PACK_RULES: u32 = 40;

/// Calls in any second of one account and Region.
const RATE: Budget = Budget::AtMost(2.0);
/// Calls for each page that there is.
const CALLS: Budget = Budget::AtMost(1.1);
/// Peak resident memory, MiB.
const MEMORY: Budget = Budget::AtMost(128.0);
/// A month by the defaults, GB.
const MONTH: Budget = Budget::AtMost(15.0);

/// The most that all of it may take: four times what the rate alone makes of it.
const PATIENCE: Duration = Duration::from_mins(6);
const MONTH_SECONDS: u64 = 30 * 86_400;
/// The row that tells that a run has ended.
const RUN: &str = "AwsPostureRun";

/// The type of a kind's rows.
fn event_type(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Summary => "AwsPostureSummary",
        RowKind::Snapshot => "AwsComplianceSnapshot",
        RowKind::Violations => "AwsComplianceViolation",
        RowKind::Frameworks => "AwsFrameworkSnapshot",
        RowKind::Packs => "AwsConformancePackSnapshot",
        RowKind::Findings => "AwsFindingSnapshot",
        RowKind::Controls => "CspmRelayControl",
    }
}

/// Reads it all once, and judges each figure.
pub(crate) fn run(verdicts: &mut Vec<Verdict>) -> Result<Value> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(verdicts))
}

async fn measure(verdicts: &mut Vec<Verdict>) -> Result<Value> {
    let config = ConfigStandIn::start(SIZE).await;
    config.change(deploy_packs);
    let new_relic = Backend::start(BackendSettings { retain: Retain::Ids, ..BackendSettings::default() }).await?;
    let folder = tempfile::tempdir()?;
    let began = Instant::now();
    let mut agent = Killed(agent(&config, &new_relic, folder.path())?);
    let peak_kib = until_done(&mut agent, &new_relic.store(), folder.path()).await?;
    let seconds = began.elapsed().as_secs_f64();
    drop(agent);

    let store = new_relic.store();
    let calls = config.calls();
    let pages = pages();
    whole(&config, &calls, &store)?;
    let most = most_in_a_second(&calls);
    let ratio = real(calls.len() as u64) / real(pages);
    say(&format!(
        "\nAWS Config of {} accounts with {} rules of {} resources each: {seconds:.0} s, {} calls for {pages} pages",
        SIZE.accounts,
        SIZE.rules,
        SIZE.resources,
        calls.len()
    ))?;
    say(&format!("{:24} {:>9} {:>9} {:>10} {:>9}", "rows", "number", "MB", "bytes/row", "GB/month"))?;
    let defaults = Posture::of_region(REGION);
    let mut month = 0.0;
    let mut rows = Vec::new();
    let mut runs = MONTH_SECONDS / defaults.interval.as_secs();
    let kinds = RowKind::ALL.into_iter().map(|kind| (event_type(kind), kind.every(defaults.summary_interval, defaults.interval)));
    for (event_type, every) in kinds {
        let times = MONTH_SECONDS / every.as_secs();
        runs += times;
        let counts = store.counts(event_type);
        month += line(event_type, counts, real(counts.bytes * times) / 1e9, &mut rows)?;
    }
    let counts = store.counts(RUN);
    month += line(RUN, counts, real(counts.bytes) / real(counts.rows.max(1)) * real(runs) / 1e9, &mut rows)?;
    let peak_mib = real(peak_kib) / 1024.0;
    for (what, figure, decimals, budget) in [
        ("calls in any second of one account", real(most), 0, RATE),
        ("calls : pages", ratio, 3, CALLS),
        ("peak memory, MiB", peak_mib, 1, MEMORY),
        ("a month, GB", month, 2, MONTH),
    ] {
        verdicts.push(Verdict { what: what.to_owned(), figure, decimals, budget });
    }
    Ok(json!({
        "seconds": seconds, "calls": calls.len(), "pages": pages, "mostInASecond": most, "peakKib": peak_kib,
        "gigabytesAMonth": month, "rows": rows,
    }))
}

fn line(event_type: &str, counts: TypeCounts, month: f64, rows: &mut Vec<Value>) -> Result<f64> {
    let (megabytes, each) = (real(counts.bytes) / 1e6, counts.bytes / counts.rows.max(1));
    say(&format!("{event_type:24} {:>9} {megabytes:>9.1} {each:>10} {month:>9.3}", counts.rows))?;
    rows.push(json!({ "type": event_type, "rows": counts.rows, "bytes": counts.bytes, "gigabytesAMonth": month }));
    Ok(month)
}

/// The same packs everywhere.
fn deploy_packs(fleet: &mut Fleet) {
    for place in fleet.places() {
        for pack in 0..PACKS {
            let state = |rule: u32| if rule.is_multiple_of(10) { "NON_COMPLIANT" } else { "COMPLIANT" };
            let rules = (0..PACK_RULES).map(|rule| (format!("rule-{rule:03}"), state(rule).to_owned())).collect();
            let name = format!("Operational-Best-Practices-{pack}");
            fleet.add_pack(&place, PackOf { name, state: "NON_COMPLIANT".to_owned(), rules });
        }
    }
}

/// The agent that only reads AWS Config; its state is kept in the folder.
fn agent(config: &ConfigStandIn, new_relic: &Backend, folder: &Path) -> Result<std::process::Child> {
    let accounts: Vec<String> = (0..SIZE.accounts).map(Fleet::account).collect();
    let log = std::fs::File::create(folder.join("log"))?;
    Command::new(env!("CARGO_BIN_EXE_cspm-relay"))
        .arg("run")
        .env_clear()
        .env("AWS_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ENDPOINT_URL", config.url())
        .env("NEW_RELIC_ACCOUNT_ID", backend::ACCOUNT_ID.to_string())
        .env("NEW_RELIC_LICENSE_KEY", backend::LICENSE_KEY)
        .env("NEW_RELIC_INSIGHTS_BASE_URL", new_relic.url())
        .env("NEW_RELIC_LOGS_BASE_URL", new_relic.url())
        .env("NEW_RELIC_OTLP_BASE_URL", new_relic.url())
        .env("NEW_RELIC_NERDGRAPH_BASE_URL", new_relic.url())
        .env("CSPM_RELAY_HEALTH_SOCKET", folder.join("health.sock"))
        .env("CSPM_RELAY_STATE", folder.join("state"))
        .env("CSPM_RELAY_POSTURE_REGIONS", REGION)
        .env("CSPM_RELAY_POSTURE_ACCOUNTS", accounts.join(","))
        .env("CSPM_RELAY_POSTURE_ROLE", "cspm-relay-read")
        .env("CSPM_RELAY_POSTURE_CONCURRENCY", SIZE.accounts.to_string())
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("starting the agent")
}

/// Waits until the baseline and every kind of row have ended; the peak of the agent's memory until then, KiB.
async fn until_done(agent: &mut Killed, store: &Store, folder: &Path) -> Result<u64> {
    let began = Instant::now();
    let status = format!("/proc/{}/status", agent.0.id());
    let mut peak_kib = 0;
    let log = || std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    loop {
        // Once more after the end: the last writing of the state counts too.
        let done = store.counts(RUN).rows > RowKind::ALL.len() as u64;
        if done {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        if let Some(peak) = std::fs::read_to_string(&status).ok().and_then(|text| high_water_kib(&text)) {
            peak_kib = peak_kib.max(peak);
        }
        if let Some(ended) = agent.0.try_wait()? {
            bail!("the agent ended with {ended}: {}", log());
        }
        if done {
            return Ok(peak_kib);
        }
        ensure!(began.elapsed() < PATIENCE, "not done after {PATIENCE:?}: {:?}\n{}", store.summary(), log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Pages that there are: rules by 25, how their last runs went by 50, results by 100; packs by 20, their states by 5, their rules.
fn pages() -> u64 {
    let of_packs = PACKS.div_ceil(20) + PACKS.div_ceil(5) + PACKS * PACK_RULES.div_ceil(1_000);
    let of_place = SIZE.rules.div_ceil(25) + SIZE.rules.div_ceil(50) + SIZE.rules * SIZE.resources.div_ceil(100) + of_packs;
    u64::from(SIZE.accounts * of_place)
}

/// Fails unless everything was read, and every row arrived that must, once and within New Relic's limits.
fn whole(config: &ConfigStandIn, calls: &[Call], store: &Store) -> Result<()> {
    let refused = calls.iter().filter(|call| call.refused.is_some()).count();
    ensure!(refused == 0, "{refused} calls were refused: {:?}", calls.iter().find(|call| call.refused.is_some()));
    let (violations, errors) = (store.violations(), store.integration_errors());
    ensure!(violations.is_empty() && errors.is_empty(), "New Relic's limits were passed: {violations:?} {errors:?}");
    let broken: usize = config.with(|fleet| {
        let rules =
            fleet.places().into_iter().flat_map(|place| fleet.rules(&place).into_iter().map(move |rule| (place.clone(), rule)));
        let judged = rules.flat_map(|(place, rule)| fleet.evaluations(&place, &rule.name).unwrap_or_default());
        judged.filter(|one| one.state == "NON_COMPLIANT").count()
    });
    let rules = u64::from(SIZE.accounts * SIZE.rules);
    for (kind, want) in [
        (RowKind::Summary, u64::from(SIZE.accounts)),
        (RowKind::Snapshot, rules),
        (RowKind::Violations, broken as u64),
        (RowKind::Packs, u64::from(SIZE.accounts * PACKS)),
    ] {
        let found = store.counts(event_type(kind));
        ensure!((found.rows, found.repeated) == (want, 0), "{want} {} wanted, {found:?} found", event_type(kind));
    }
    let told = store.counts("AwsComplianceChange").rows;
    ensure!(told == 0, "the baseline told of {told} changes");
    Ok(())
}

/// The most calls of one place that arrived within less than a second.
fn most_in_a_second(calls: &[Call]) -> u64 {
    let mut places: BTreeMap<&AccountRegion, Vec<Instant>> = BTreeMap::new();
    for call in calls {
        places.entry(&call.place).or_default().push(call.at);
    }
    let of_place = |times: &Vec<Instant>| {
        let ends = times.iter().enumerate();
        let within = ends.map(|(at, end)| {
            let before = times.iter().take(at + 1).rev();
            before.take_while(|time| end.duration_since(**time) < Duration::from_secs(1)).count()
        });
        within.max().unwrap_or(0)
    };
    places.values().map(of_place).max().unwrap_or(0) as u64
}
