//! NRQL over one account or several, at once or later.
//!
//! In: a query, the accounts it reads, how long it may take. Out: New Relic's result container. What always holds: a query sees
//! the rows accepted before it was asked, also when its answer is fetched later; what is kept for later is bounded and expires;
//! accounts that the key does not open are refused before anything is read.
//!
//! How long a query takes is not measured: it takes no time, or as long as a [`Fault::SlowQueries`](super::super::Fault) says, by
//! the stand-in's clock, so a test decides and does not wait. Facts (`NerdGraph` tutorials on NRQL and on asynchronous queries):
//! a query is given up after `timeout`, 5 s when it is not named; an asynchronous one answers within 5 s or with `queryProgress`;
//! across accounts, `accountId()` tells them apart. That `timeout` is from 5 to 120 s is taken
//! for granted here; so are the class and the words of a time-out beyond that it is `TIMEOUT`.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use tokio::time::Instant;

use super::graphql::Fault;
use super::{Session, number};
use crate::lab::engine::{Engine, Settings, Stop};
use crate::nrql::lint::QUERY_BYTES;

/// How long a query may take that names no time, and how long an asynchronous one is waited for, ms.
const PATIENCE_MS: i64 = 5_000;

/// What `timeout` may be, seconds.
const TIMEOUT_S: std::ops::RangeInclusive<i64> = 5..=120;

/// Longest asynchronous query, ms: ten minutes, with Data Plus.
const LONGEST_MS: i64 = 600_000;

/// How long this machine works on the queries of one document at most, whatever the stand-in's clock says: as long as a `timeout`
/// may be.
const WORK: Duration = Duration::from_mins(2);

/// Most queries that one document may ask. Not documented: a document of aliases could ask for ever.
const MOST_QUERIES: usize = 100;

/// Attribute that holds the account of a row while rows of several are read together. New Relic keeps the name for itself, so no
/// row has one of its own.
const ACCOUNT: &str = "accountId";

/// Results kept for later; the oldest go first.
const KEPT: usize = 100;

/// A query that is answered later.
#[derive(Debug)]
struct Later {
    id: String,
    accounts: Vec<u64>,
    answer: Json,
    ready_ms: i64,
    expires_ms: i64,
}

/// Queries that are answered later.
#[derive(Debug, Default)]
pub(super) struct Queries {
    kept: VecDeque<Later>,
    asked: u64,
}

/// Queries of one minute of the clock, as far as they are bounded.
#[derive(Debug, Default)]
pub(super) struct Rates {
    minute: i64,
    /// How many, and how often each, by account.
    accounts: BTreeMap<u64, (u32, BTreeMap<String, u32>)>,
}

/// What the queries of one document have cost.
#[derive(Debug)]
pub(super) struct Spent {
    queries: usize,
    end: Instant,
}

impl Spent {
    /// Of a document that begins.
    pub(super) fn nothing() -> Self {
        Self { queries: 0, end: Instant::now() + WORK }
    }
}

impl Session<'_> {
    /// `nrql` of an account or of the actor.
    pub(super) fn nrql(&mut self, accounts: &[u64], arguments: &Map<String, Json>) -> Result<Json, Fault> {
        let text = arguments.get("query").and_then(Json::as_str).unwrap_or_default();
        let timeout = match number(arguments, "timeout") {
            None => PATIENCE_MS,
            Some(seconds) if TIMEOUT_S.contains(&seconds) => seconds * 1_000,
            Some(seconds) => {
                let (least, most) = (TIMEOUT_S.start(), TIMEOUT_S.end());
                return Err(Fault::of("VALIDATION_ERROR", format!("timeout is {seconds} seconds, expected {least} to {most}")));
            }
        };
        self.spent.queries += 1;
        if self.spent.queries > MOST_QUERIES {
            let message = format!("the document asks more than {MOST_QUERIES} NRQL queries: ask the others in another document");
            return Err(Fault::of("VALIDATION_ERROR", message));
        }
        self.check_rate(accounts, text)?;
        let answer = self.run(accounts, text);
        let takes_ms = self.slow_ms;
        if arguments.get("async") == Some(&Json::Bool(true)) {
            return self.later(accounts, answer, takes_ms);
        }
        if takes_ms > timeout {
            return Err(Fault::of("TIMEOUT", format!("NRDB:1106 - Query timed out after {} seconds", timeout / 1_000)));
        }
        answer.map_err(|message| Fault::of("NRQL_SYNTAX_ERROR", message))
    }

    /// Counts a query in each of its accounts.
    ///
    /// # Errors
    /// The refusal of one too many. Its class is one that New Relic's Go client tries again; which one it has is not documented.
    fn check_rate(&self, accounts: &[u64], text: &str) -> Result<(), Fault> {
        let (queries, same) = (self.settings.queries_per_minute, self.settings.same_query_per_minute);
        if queries.or(same).is_none() || text.len() >= QUERY_BYTES {
            return Ok(());
        }
        let mut state = self.state.lock();
        let minute = self.now_ms.div_euclid(60_000);
        if state.rates.minute != minute {
            state.rates = Rates { minute, ..Rates::default() };
        }
        for account in accounts {
            let one_more = |count: &mut u32, most: Option<u32>, what: &str| {
                *count = count.saturating_add(1);
                let most = most.filter(|most| *count > *most);
                most.map_or(Ok(()), |most| {
                    let message = format!("Too many requests: more than {most} {what} in account {account} this minute");
                    Err(Fault::of("TOO_MANY_REQUESTS", message))
                })
            };
            let (all, each) = state.rates.accounts.entry(*account).or_default();
            one_more(all, queries, "queries")?;
            // Only what is not refused is kept: the texts of a minute are so bounded.
            one_more(each.entry(text.to_owned()).or_default(), same, "times the same query")?;
        }
        Ok(())
    }

    /// The whole answer to a query.
    fn run(&self, accounts: &[u64], text: &str) -> Result<Json, String> {
        if text.len() >= QUERY_BYTES {
            return Err(format!("NRQL Syntax Error: the query has {} bytes, and less than {QUERY_BYTES} are taken", text.len()));
        }
        let statement = crate::nrql::parse(text).map_err(|fault| fault.to_string())?;
        let end = self.spent.end;
        let stop = Stop::new(move || Instant::now() > end);
        let rows = |account: &u64| self.store.columns_of(*account).snapshot();
        let (snapshots, settings) = match accounts {
            [account] => (vec![rows(account)], Settings::served(*account, stop)),
            several => {
                let marked = several.iter().map(|account| rows(account).with_number(ACCOUNT, *account as f64));
                let settings = Settings { account_attribute: Some(ACCOUNT.into()), ..Settings::served(0, stop) };
                (marked.collect(), settings)
            }
        };
        // The end of a window is not included, and a clock that stands must not hide what came just now.
        let answer = Engine::together(snapshots, settings).run(&statement, self.now_ms.saturating_add(1));
        let mut answer = answer.map_err(|fault| format!("NRQL Syntax Error: {fault}"))?.json();
        if let Some(answer) = answer.as_object_mut() {
            answer.insert("nrql".to_owned(), text.into());
        }
        Ok(answer)
    }

    /// The answer, if it comes soon enough, else where to ask for it.
    fn later(&mut self, accounts: &[u64], answer: Result<Json, String>, takes_ms: i64) -> Result<Json, Fault> {
        if takes_ms > LONGEST_MS {
            return Err(Fault::of("TIMEOUT", format!("NRDB:1106 - Query timed out after {} seconds", LONGEST_MS / 1_000)));
        }
        // A query that cannot be read is refused at once, however it was asked.
        let answer = answer.map_err(|message| Fault::of("NRQL_SYNTAX_ERROR", message))?;
        let ready_ms = self.now_ms.saturating_add(if takes_ms > PATIENCE_MS { takes_ms } else { 0 });
        let expires_ms = ready_ms.saturating_add(i64::from(self.settings.result_expiration_s) * 1_000);
        let mut state = self.state.lock();
        let queries = &mut state.queries;
        queries.asked += 1;
        let id = format!("stand-in-query-{}", queries.asked);
        while queries.kept.len() >= KEPT {
            queries.kept.pop_front();
        }
        let later = Later { id, accounts: accounts.to_vec(), answer, ready_ms, expires_ms };
        let told = self.told(&later);
        queries.kept.push_back(later);
        Ok(told)
    }

    /// `nrqlQueryProgress`.
    pub(super) fn progress(&mut self, accounts: &[u64], arguments: &Map<String, Json>) -> Result<Json, Fault> {
        let id = arguments.get("queryId").and_then(Json::as_str).unwrap_or_default();
        let mut state = self.state.lock();
        let now_ms = self.now_ms;
        state.queries.kept.retain(|query| query.expires_ms > now_ms);
        let same = |query: &&Later| query.id == id && query.accounts == accounts;
        match state.queries.kept.iter().find(same) {
            Some(query) => Ok(self.told(query)),
            // What New Relic says is not documented.
            None => Err(Fault::of("NOT_FOUND", format!("no query {id:?} of these accounts, or its result has expired"))),
        }
    }

    fn told(&self, query: &Later) -> Json {
        let completed = query.ready_ms <= self.now_ms;
        let left_s = query.expires_ms.saturating_sub(self.now_ms) / 1_000;
        let mut answer = if completed { query.answer.clone() } else { json!({}) };
        if let Some(answer) = answer.as_object_mut() {
            let progress = json!({
                "queryId": query.id,
                "completed": completed,
                "retryAfter": if completed { Json::Null } else { self.settings.retry_after_s.into() },
                "retryDeadline": if completed { Json::Null } else { left_s.into() },
                "resultExpiration": left_s,
            });
            answer.insert("queryProgress".to_owned(), progress);
        }
        answer
    }
}
