//! Proves access: each step that data takes to New Relic, tried with one test event.
//!
//! In: the configuration. Out: one line per step, with what was found and what to do. What always holds: nothing is changed
//! but one `CspmRelayDoctor` event sent, a type that nothing else reads; no key is printed; a step that could not be tried is
//! named, never counted as good.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use clap::Subcommand;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::args::{ConfigFile, Format};
use super::exit::{Exit, Stop};
use crate::ack::{Counts, ObjectEntry};
use crate::cause;
use crate::clock::Clock;
use crate::config::{Config, Need, NewRelic, Region, env};
use crate::deliver::answer::{Answer, Block};
use crate::deliver::{Endpoint, http};
use crate::encode::dictionary::DOCTOR;
use crate::encode::event::push_doctor;
use crate::encode::{Batch, Lane};
use crate::pipeline::outlet::batcher;
use crate::publish::nerdgraph::{self, NerdGraph, NerdGraphError, quoted};
use crate::secret::Secret;

/// Time between two looks for the test event.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Tries of sending the test event while New Relic says "not now".
const TRIES: u32 = 3;
/// Messages of integration errors shown.
const MESSAGES: usize = 10;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Key, region, account: one test event (`CspmRelayDoctor`) is sent, and found again with the user key in `NEW_RELIC_API_KEY`
    Newrelic(NewRelicArgs),
}

#[derive(Debug, clap::Args)]
struct NewRelicArgs {
    #[command(flatten)]
    file: ConfigFile,
    /// Longest time to look for the test event: 90s, 2m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time)]
    wait: Duration,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// A time as it is written: a whole number with `s` or `m`, or seconds.
fn time(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix('m') {
        Some(number) => (number, 60),
        None => (text.strip_suffix('s').unwrap_or(text), 1),
    };
    match number.parse::<u64>() {
        Ok(number) if number <= 3_600 / unit => Ok(Duration::from_secs(number * unit)),
        Ok(_) => Err("at most one hour".to_owned()),
        Err(_) => Err("a whole number with s or m is needed: 90s, 2m".to_owned()),
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let What::Newrelic(args) = args.what;
    let config = args.file.load(Need::SEND, &env::Process)?;
    let report = super::runtime()?.block_on(new_relic(&config, args.wait))?;
    super::print(&match args.format {
        Format::Text => report.text(),
        Format::Json => report.json().to_string() + "\n",
    })?;
    Ok(report.exit())
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum State {
    Ok,
    /// Something that a person must mend.
    Problem,
    /// New Relic, or the way to it, failed.
    Failed,
    /// It could not be tried.
    NotPossible,
}

/// One step.
#[derive(Debug, Serialize)]
struct Step {
    #[serde(rename = "step")]
    title: &'static str,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Step {
    fn ok(step: &'static str, found: impl Into<String>) -> Self {
        Self { title: step, state: State::Ok, found: found.into(), hint: None }
    }

    fn bad(step: &'static str, state: State, found: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { title: step, state, found: found.into(), hint: Some(hint.into()) }
    }
}

/// All steps, and what New Relic lost lately.
#[derive(Debug, Default)]
struct Report {
    steps: Vec<Step>,
    errors: Vec<(String, u64)>,
}

impl Report {
    fn exit(&self) -> Exit {
        let any = |state| self.steps.iter().any(|step| step.state == state);
        if any(State::Failed) {
            Exit::Failed
        } else if any(State::Problem) {
            Exit::Found
        } else {
            Exit::Good
        }
    }

    fn text(&self) -> String {
        let width = self.steps.iter().map(|step| step.title.len()).max().unwrap_or(0);
        let mut text = String::new();
        let mut line = |state: &str, title: &str, what: &str| {
            // Writing to a String cannot fail.
            let _ok = writeln!(text, "{state:<9}  {title:<width$}  {what}").is_ok();
        };
        for Step { title, state, found, hint } in &self.steps {
            let state = match state {
                State::Ok => "ok",
                State::Problem => "PROBLEM",
                State::Failed => "FAILED",
                State::NotPossible => "not tried",
            };
            line(state, title, found);
            if let Some(hint) = hint {
                line("", "", &format!("hint: {hint}"));
            }
        }
        for (message, count) in &self.errors {
            line("", "", &format!("{count} × {message}"));
        }
        let untried: Vec<&str> =
            self.steps.iter().filter(|step| step.state == State::NotPossible).map(|step| step.title).collect();
        text += match self.exit() {
            Exit::Good if untried.is_empty() => "\nAll good: an event of this agent arrives and is found.\n",
            Exit::Good => "\nGood as far as it could be tried.\n",
            _ => "\nNot good: see above.\n",
        };
        text
    }

    fn json(&self) -> Value {
        let errors = self.errors.iter().map(|(message, count)| json!({ "message": message, "count": count }));
        json!({ "good": self.exit() == Exit::Good, "steps": self.steps, "integrationErrors": errors.collect::<Vec<_>>() })
    }
}

/// All steps, in the order of the path.
async fn new_relic(config: &Config, wait: Duration) -> Result<Report, Stop> {
    let settings = &config.new_relic;
    let mut report = Report::default();
    report.steps.push(Step::ok(
        "settings",
        format!("account {}, region {}, an ingest licence key", settings.account_id, name(settings.region)),
    ));
    report.steps.push(region(settings));
    hosts(config, &mut report).await?;

    let usage = |error: &dyn std::error::Error| Stop::usage(error.to_string(), None);
    let endpoint = Endpoint::new(settings, config.limits.request_timeout).map_err(|error| usage(&error))?;
    let clock = Clock::system();
    let id = format!("{:032x}", fastrand::u128(..));
    let sent = send(&endpoint, config, &id, clock.now_ms()).await;
    let arrived = sent.state == State::Ok;
    report.steps.push(sent);

    let Some(key) = &settings.api_key else {
        let hint = "set newrelic.apiKey (NEW_RELIC_API_KEY) to a user key (NRAK-…) for this command only";
        for step in [ACCOUNT, FOUND, ERRORS] {
            report.steps.push(Step::bad(step, State::NotPossible, "needs a user key, and newrelic.apiKey is not set", hint));
        }
        return Ok(report);
    };
    let nerd_graph = NerdGraph::new(settings, key, config.limits.request_timeout).map_err(|error| usage(&error))?;
    let account = account(&nerd_graph, settings.account_id).await;
    let allowed = account.state == State::Ok;
    report.steps.push(account);
    if !allowed {
        for step in [FOUND, ERRORS] {
            report.steps.push(Step::bad(step, State::NotPossible, "the account cannot be asked", "mend the step before"));
        }
        return Ok(report);
    }
    report.steps.push(if arrived {
        find(&nerd_graph, settings.account_id, &id, wait).await
    } else {
        Step::bad(FOUND, State::NotPossible, "the test event was not accepted", "mend the step before")
    });
    errors(&nerd_graph, settings.account_id, &mut report).await;
    Ok(report)
}

const ACCOUNT: &str = "account";
const FOUND: &str = "event found";
const ERRORS: &str = "integration errors";

/// Key and configured region.
fn region(settings: &NewRelic) -> Step {
    let own_hosts = settings.hosts.events.is_some() || settings.hosts.logs.is_some();
    match key_region(&settings.license_key) {
        of_key if of_key == settings.region => Step::ok("region", format!("the licence key is of {}", name(of_key))),
        of_key if own_hosts => Step::ok(
            "region",
            format!("the licence key looks like one of {}, newrelic.hosts decides where data goes", name(of_key)),
        ),
        of_key => Step::bad(
            "region",
            State::Problem,
            format!("the licence key looks like one of {}, and {} is configured", name(of_key), name(settings.region)),
            format!("set newrelic.region (NEW_RELIC_REGION) to {}, or use a key of the account's region", code(of_key)),
        ),
    }
}

/// The region a licence key was issued in, by its prefix before the first `x`; keys of the United States have none. What has
/// another prefix was refused when the settings were read, or is sent to hosts of its own.
fn key_region(key: &Secret) -> Region {
    let key = key.expose().to_ascii_lowercase();
    match key.split_once('x').map_or("", |(prefix, _)| prefix) {
        prefix if prefix.starts_with("eu") => Region::Eu,
        prefix if prefix.starts_with("jp") => Region::Jp,
        _ => Region::Us,
    }
}

fn name(region: Region) -> &'static str {
    match region {
        Region::Us => "the United States",
        Region::Eu => "the European Union",
        Region::Jp => "Japan",
    }
}

fn code(region: Region) -> &'static str {
    match region {
        Region::Us => "US",
        Region::Eu => "EU",
        Region::Jp => "JP",
    }
}

/// Whether the hosts resolve and answer. Any HTTP answer is one: what it says is the business of the next steps.
async fn hosts(config: &Config, report: &mut Report) -> Result<(), Stop> {
    let settings = &config.new_relic;
    let timeout = config.limits.request_timeout;
    let client = reqwest::Client::builder().http1_only().timeout(timeout).redirect(reqwest::redirect::Policy::none()).build();
    let client = client.map_err(|error| Stop::failed(format!("setting up TLS: {error}"), None))?;
    let of = |own: Option<&String>, base: &str| own.map_or(base, String::as_str).to_owned();
    let hosts = &settings.hosts;
    let metrics = config.outputs.metrics;
    let asked = [
        Some(("host: events", of(hosts.events.as_ref(), http::base_url(settings.region, Lane::Events)))),
        Some(("host: logs", of(hosts.logs.as_ref(), http::base_url(settings.region, Lane::Logs)))),
        metrics.then(|| ("host: OTLP", of(hosts.otlp.as_ref(), http::base_url(settings.region, Lane::Metrics)))),
        Some(("host: NerdGraph", of(hosts.nerd_graph.as_ref(), nerdgraph::base_url(settings.region)))),
    ];
    for (step, base) in asked.into_iter().flatten() {
        report.steps.push(match client.get(&base).send().await {
            Ok(answer) => Step::ok(step, format!("{base} answers (status {})", answer.status().as_u16())),
            Err(error) => {
                let cause = cause::innermost(&error);
                let hint = "check DNS, the security group, the proxy (HTTPS_PROXY) and newrelic.hosts; port 443 is enough";
                Step::bad(step, State::Failed, format!("{base} does not answer: {cause}"), hint)
            }
        });
    }
    Ok(())
}

/// A batch of the test event alone, made by the encoder that makes all batches.
fn batch(config: &Config, id: &str, now_ms: i64) -> Option<Batch> {
    let mut item = Vec::new();
    push_doctor(&mut item, id, now_ms);
    // Nobody waits for the answer but this command: the ledger hears it and tells no one.
    let entry = ObjectEntry::enter(Arc::new(Counts::new("doctor")), 0, None);
    let mut batcher = batcher(Lane::Events, &config.limits);
    let closed = batcher.push(&item, now_ms, entry.errand().piece());
    closed.or_else(|| batcher.close())
}

async fn send(endpoint: &Endpoint, config: &Config, id: &str, now_ms: i64) -> Step {
    const STEP: &str = "event sent";
    let settings = &config.new_relic;
    let Some(batch) = batch(config, id, now_ms) else {
        return Step::bad(STEP, State::Failed, "the test event could not be encoded", "report this as a fault of cspm-relay");
    };
    let mut tries = 0;
    loop {
        tries += 1;
        let reply = endpoint.post(Lane::Events, batch.body()).await;
        let status = reply.status.map_or_else(|| "no answer".to_owned(), |status| format!("status {status}"));
        let said = if reply.said.is_empty() { status } else { format!("{status}: {}", one_line(&reply.said)) };
        return match reply.answer {
            Answer::Accepted => Step::ok(STEP, format!("New Relic accepted {DOCTOR} {id}")),
            Answer::Retry { .. } if tries < TRIES => {
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
            Answer::Retry { .. } => {
                Step::bad(STEP, State::Failed, format!("New Relic did not take it ({said})"), "try again in a few minutes")
            }
            Answer::Blocked(Block::Credentials) => Step::bad(
                STEP,
                State::Problem,
                format!("New Relic refuses the licence key for account {} ({said})", settings.account_id),
                format!(
                    "the key is revoked or mistyped, or belongs to another account than newrelic.accountId, or to another region than {}",
                    code(settings.region)
                ),
            ),
            Answer::Blocked(Block::Address) => {
                Step::bad(STEP, State::Problem, format!("this is not New Relic's Event API ({said})"), Block::Address.hint())
            }
            Answer::Split | Answer::Refused => Step::bad(
                STEP,
                State::Problem,
                format!("New Relic refuses the event ({said})"),
                "a proxy that changes bodies? else report this as a fault of cspm-relay",
            ),
        };
    }
}

/// Whether the user key may ask the account.
async fn account(nerd_graph: &NerdGraph, account_id: u64) -> Step {
    let query = "query($id: Int!) { actor { user { name } account(id: $id) { id name } } }";
    match patiently(async || nerd_graph.ask(query, json!({ "id": account_id })).await).await {
        Ok(data) => match data.pointer("/actor/account/name").and_then(Value::as_str) {
            Some(name) => Step::ok(ACCOUNT, format!("{account_id} is \"{}\"", one_line(name))),
            None => no_account(nerd_graph, account_id, "no such account").await,
        },
        Err(NerdGraphError::Refused { message, .. }) => no_account(nerd_graph, account_id, &message).await,
        Err(error) => asked_in_vain(ACCOUNT, &error),
    }
}

async fn no_account(nerd_graph: &NerdGraph, account_id: u64, said: &str) -> Step {
    let found = format!("the user key may not see account {account_id} ({})", one_line(said));
    let accounts = nerd_graph.ask("{ actor { accounts { id name } } }", json!({})).await;
    let ids: Vec<String> = accounts
        .ok()
        .and_then(|data| data.pointer("/actor/accounts").cloned())
        .and_then(|accounts| accounts.as_array().cloned())
        .unwrap_or_default()
        .iter()
        .filter_map(|account| account.get("id").map(Value::to_string))
        .take(20)
        .collect();
    let hint = match ids.as_slice() {
        [] => "check newrelic.accountId, and whose key newrelic.apiKey is".to_owned(),
        ids => format!("check newrelic.accountId: the user key sees {}", ids.join(", ")),
    };
    Step::bad(ACCOUNT, State::Problem, found, hint)
}

/// Looks for the test event until it is there or the time is over.
async fn find(nerd_graph: &NerdGraph, account_id: u64, id: &str, wait: Duration) -> Step {
    let nrql = format!("SELECT count(*) FROM {DOCTOR} WHERE `doctor.id` = {} SINCE 1 hour ago", quoted(id));
    let began = Instant::now();
    loop {
        let failed = match nerd_graph.nrql(account_id, &nrql).await {
            Ok(rows) => {
                let count = rows.first().and_then(|row| row.get("count")).and_then(Value::as_u64).unwrap_or(0);
                if count > 0 {
                    return Step::ok(FOUND, format!("by NRQL, after {} s", began.elapsed().as_secs()));
                }
                None
            }
            Err(error) if error.is_passing() => Some(error),
            Err(error) => return asked_in_vain(FOUND, &error),
        };
        if began.elapsed() + LOOK_EVERY > wait {
            return match failed {
                Some(error) => asked_in_vain(FOUND, &error),
                None => Step::bad(
                    FOUND,
                    State::Problem,
                    format!("accepted, and not found within {} s", wait.as_secs()),
                    "is the licence key one of this account? Does a drop rule apply? The integration errors below may say why; \
                     a larger --wait rules out a slow moment",
                ),
            };
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What New Relic accepted and then lost in the last hour, from whatever sender.
async fn errors(nerd_graph: &NerdGraph, account_id: u64, report: &mut Report) {
    // Counted here and not with FACET: every feature of New Relic writes these rows, and their fields differ.
    let nrql = "SELECT message, newRelicFeature FROM NrIntegrationError SINCE 1 hour ago LIMIT MAX";
    match patiently(async || nerd_graph.nrql(account_id, nrql).await).await {
        Err(error) => report.steps.push(asked_in_vain(ERRORS, &error)),
        Ok(rows) if rows.is_empty() => report.steps.push(Step::ok(ERRORS, "none in the last hour")),
        Ok(rows) => {
            let hint = "New Relic accepted these and then dropped data: each message says what was wrong with it";
            let found = format!("{} in the last hour, by message:", rows.len());
            report.steps.push(Step::bad(ERRORS, State::Problem, found, hint));
            report.errors = by_message(&rows);
        }
    }
}

/// Messages with their feature, most frequent first.
fn by_message(rows: &[Map<String, Value>]) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for row in rows {
        let text = |name: &str, none: &'static str| row.get(name).and_then(Value::as_str).unwrap_or(none).to_owned();
        let message = format!("{}: {}", text("newRelicFeature", "unnamed feature"), text("message", "no message"));
        *counts.entry(one_line(&message)).or_default() += 1;
    }
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.truncate(MESSAGES);
    counts
}

fn asked_in_vain(step: &'static str, error: &NerdGraphError) -> Step {
    let (state, hint) = match error {
        NerdGraphError::Key(_) => {
            (State::Problem, "newrelic.apiKey must be a user key (NRAK-…) of a user in the configured region, and not be revoked")
        }
        NerdGraphError::Settings(_)
        | NerdGraphError::Refused { .. }
        | NerdGraphError::TooLarge { .. }
        | NerdGraphError::Payment(_) => (State::Problem, "check newrelic.apiKey, newrelic.accountId and the rights of the user"),
        NerdGraphError::Unreachable(_) | NerdGraphError::Passing(_) => (State::Failed, "try again in a few minutes"),
    };
    Step::bad(step, state, one_line(&error.to_string()), hint)
}

/// Asks again while that may help, a few times.
async fn patiently<T>(mut ask: impl AsyncFnMut() -> Result<T, NerdGraphError>) -> Result<T, NerdGraphError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match ask().await {
            Err(error) if error.is_passing() && tries < TRIES => tokio::time::sleep(Duration::from_secs(1)).await,
            ended => return ended,
        }
    }
}

/// Text of others in one line of a terminal: nothing in it steers the terminal.
fn one_line(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

#[cfg(test)]
#[cfg(feature = "lab")]
mod tests;
