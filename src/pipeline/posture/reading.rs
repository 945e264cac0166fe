//! Reading AWS Config: the baseline, and later what no event told.
//!
//! In: rules and results of each account and Region. Out: the state, a change for each result that is not as it was told, and one
//! row that says how the reading went. What always holds: what could not be read closes nothing; one account that cannot be read
//! does not stop the others; a place that an aggregator does not list, alone or with its whole account, is closed or forgotten only
//! if it has not listed it for six hours; a repair is part of the state only when it was accepted; who is not watched is not asked, and what is not asked any more is
//! forgotten and is no repair.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};

use futures_util::StreamExt as _;
use futures_util::stream;

use super::emitter::Emitter;
use super::freshness::{Ended, Failed, Kind};
use super::rows::Packs;
use super::{Lead, Reader, sending};
use crate::classify::{ClassifiedChange, preventive_control_behind};
use crate::encode::compliance::{Told, plain, push_change, push_notice};
use crate::encode::event::Arrival;
use crate::encode::posture::{self, RunKind};
use crate::posture::Correction;
use crate::posture::compliance::reconcile::Reading;
use crate::record::time::HOUR_MS;
use crate::record::{AccountRegion, DeployedRule, Evaluation};
use crate::source::config_api::aggregator::{self, AggregateRule, AggregatorApi, Found};
use crate::source::config_api::{ConfigApi, ConfigApiError, Pack};

/// What an aggregator says may be so old: what changed since then is left alone.
const AGGREGATOR_LAG_MS: i64 = 6 * HOUR_MS;

/// What an aggregator does not list for so long is gone: one that was made anew fills in hours. Readings that are as far apart as
/// its answers may be old begin a moment earlier or later.
const BELIEVED_AFTER_MS: i64 = AGGREGATOR_LAG_MS - HOUR_MS / 60;

/// One reading.
struct Run<'l> {
    lead: &'l Lead,
    /// Milliseconds since the epoch.
    began_ms: i64,
    emitter: Emitter,
    repairs: AtomicU64,
    ended: std::sync::Mutex<Ended>,
}

/// Reads everything, or only what failed before. Returns places of which nothing is to be known any more.
pub(super) async fn read(lead: &Lead, reader: &Reader, only: Option<&BTreeSet<Failed>>) -> Vec<AccountRegion> {
    let began_ms = lead.clock.now_ms();
    let run = Run { lead, began_ms, emitter: lead.emitter(), repairs: AtomicU64::new(0), ended: std::sync::Mutex::default() };
    let calls_before = calls(reader);
    let is_first = match reader {
        Reader::Places { api, places, concurrency } => {
            let is_wanted = |place: &&AccountRegion| {
                lead.watches(place) && only.is_none_or(|only| only.contains(&Failed::Place((*place).clone())))
            };
            let places: Vec<_> = places.iter().filter(is_wanted).collect();
            let mut first: Vec<_> = places.clone();
            first.retain(|place| !lead.stages.compliance.has_baseline(place));
            stream::iter(places).for_each_concurrent(*concurrency, |place| run.place(&**api, place)).await;
            // Where AWS Config is not there, every reading would be the first one.
            first.iter().any(|place| !run.is_not_enabled(place))
        }
        Reader::Aggregator { api, accounts, .. } => run.organization(&**api, reader, accounts, only).await,
    };
    if only.is_none() {
        run.leave_unasked(reader);
    }
    let Run { emitter, repairs, ended, .. } = run;
    let ended = ended.into_inner().unwrap_or_default();
    lead.known().readings.ended(&ended, only, (began_ms, lead.clock.now_ms()), lead.posture.reading);
    lead.say_standing();
    let Ended { read, failed, partly, gone, doubted, .. } = ended;
    for place in &gone {
        let mut known = lead.known();
        known.failing.remove(place);
        known.packs.remove(place);
    }
    let (rows, repairs, read) = (emitter.rows(), repairs.into_inner(), read.len() as u64);
    let accepted = emitter.accepted().await;
    if repairs > 0 {
        tracing::warn!(repairs, "Changes of compliance that came by no event are repaired");
    }
    if doubted > 0 {
        tracing::warn!(
            doubted,
            "The aggregator lists no rule of {doubted} places that it had before: they stay as they are until it has not for six hours"
        );
    }
    tracing::info!(
        places = read,
        failed = failed.len(),
        repairs,
        results = lead.stages.compliance.results(),
        "AWS Config was read"
    );
    let kind = match only {
        Some(_) => RunKind::Retry,
        None if is_first => RunKind::Baseline,
        None => RunKind::Reconcile,
    };
    let not_there = {
        let kinds = lead.known().readings.kinds();
        failed.iter().filter(|(what, _)| kinds.get(what) == Some(&Kind::NotThere)).count() as u64
    };
    // AWS says the same of keys that do not exist: where nothing is read, nobody knows what is there.
    let not_enabled = if read == 0 && partly.is_empty() { 0 } else { not_there };
    let places_failed = (failed.len() + partly.len()) as u64 + doubted - not_enabled;
    let ended = posture::Run {
        kind,
        rows,
        repairs,
        places: read,
        places_failed,
        places_not_enabled: Some(not_enabled),
        calls: calls(reader).saturating_sub(calls_before),
        began_ms,
        ended_ms: lead.clock.now_ms(),
        accepted,
        complete: accepted && places_failed == 0,
        agent: &lead.stages.agent,
    };
    sending::tell(lead, &ended).await;
    gone
}

fn calls(reader: &Reader) -> u64 {
    let calls = match reader {
        Reader::Places { api, .. } => api.calls(),
        Reader::Aggregator { calls, .. } => calls.calls(),
    };
    calls.iter().map(|(_, calls)| calls.calls).sum()
}

impl Run<'_> {
    /// One account in one Region, by itself.
    async fn place(&self, api: &dyn ConfigApi, place: &AccountRegion) {
        let began_ms = self.lead.clock.now_ms();
        match self.of_place(api, place, began_ms).await {
            Ok(None) => self.ended().read.push((place.clone(), began_ms)),
            // All others were read: one that AWS refuses is said, and what was known of it stays.
            Ok(Some(refused)) => {
                self.lead.trouble(&Failed::Place(place.clone()), &refused);
                self.ended().partly.push((place.clone(), refused));
            }
            Err(error) => {
                match &error {
                    ConfigApiError::NotEnabled { .. } => drop(self.lead.known().packs.remove(place)),
                    _ => self.lead.note_packs(place, None),
                }
                self.failed(Failed::Place(place.clone()), error);
            }
        }
        self.emitter.flush().await;
    }

    /// Gives what AWS said of a rule that it refuses, if it did of one.
    async fn of_place(
        &self,
        api: &dyn ConfigApi,
        place: &AccountRegion,
        began_ms: i64,
    ) -> Result<Option<ConfigApiError>, ConfigApiError> {
        let reading = Reading::of_place(began_ms, self.lead.posture.reading);
        let rules = api.rules(place).await?;
        let mut names: HashSet<Box<str>> = HashSet::with_capacity(rules.len());
        let mut refused = None;
        for rule in &rules {
            let mut evaluations = Vec::new();
            match api.evaluations(place, &rule.name, &mut |page| evaluations.extend(page)).await {
                Ok(()) => self.rule(place, rule, evaluations, reading).await,
                // Deleted since it was listed: it is not in `names`, and by that has left.
                Err(ConfigApiError::NoSuchRule { .. }) => continue,
                Err(error @ ConfigApiError::Refused { .. }) => refused = Some(error),
                Err(error) => return Err(error),
            }
            names.insert(rule.name.clone());
        }
        for correction in self.lead.stages.compliance.reconcile_rules(place, &names, reading) {
            self.correct(place, correction).await;
        }
        match api.failing_rules(place).await {
            Ok(failing) => self.lead.note_failing(place, failing.len() as u64),
            Err(error) => tracing::warn!(%place, %error, "Which rules fail to run is not known: {error}"),
        }
        // Packs sum up rules that were read above: without them the place is read all the same.
        let packs = api.packs(place).await;
        let packs = packs.inspect_err(|error| tracing::warn!(%place, %error, "Conformance packs could not be read: {error}"));
        self.lead.note_packs(place, packs.ok());
        Ok(refused)
    }

    /// All through an aggregator, one account after the other. Whether any place was read for the first time.
    async fn organization(
        &self,
        api: &dyn AggregatorApi,
        reader: &Reader,
        accounts: &BTreeSet<Box<str>>,
        only: Option<&BTreeSet<Failed>>,
    ) -> bool {
        // They are sent after a reading of everything only.
        if only.is_none() {
            self.packs_of_all(api, reader).await;
        }
        let mut is_first = false;
        let all = match self.accounts(api, accounts, only).await {
            Ok(all) => all,
            Err(error) => {
                self.failed(Failed::Everything, error);
                return false;
            }
        };
        let is_asked = |place: &AccountRegion| reader.asks(place) && self.lead.watches(place);
        for account in all.into_iter().filter(|account| self.lead.watches_in(account, None)) {
            let began_ms = self.lead.clock.now_ms();
            let as_of_ms = began_ms.saturating_sub(AGGREGATOR_LAG_MS);
            let reading = Reading::of_aggregator(began_ms, as_of_ms, self.lead.posture.reading);
            let mut found: BTreeMap<AccountRegion, BTreeMap<Box<str>, Vec<Evaluation>>> = BTreeMap::new();
            let mut take = |one| match one {
                Found::Rule(AggregateRule { place, rule, .. }) if is_asked(&place) => {
                    found.entry(place).or_default().entry(rule).or_default();
                }
                Found::Evaluation { place, rule, evaluation, captured_ms } => {
                    if let Some(evaluations) = found.get_mut(&place).and_then(|rules| rules.get_mut(&rule)) {
                        evaluations.push(Evaluation { recorded_ms: captured_ms, ..evaluation });
                    }
                }
                Found::Rule(_) => {}
            };
            if let Err(error) = aggregator::account(api, &account, &mut take).await {
                self.failed(Failed::Account(account), error);
                continue;
            }
            self.ended().accounts.push((account.clone(), began_ms));
            self.leave_without_rules(|place| *place.account == *account && is_asked(place), &found, reading).await;
            for (place, rules) in found {
                is_first |= !self.lead.stages.compliance.has_baseline(&place);
                let names = rules.keys().cloned().collect();
                for (name, evaluations) in rules {
                    let rule = DeployedRule { name, arn: Box::default(), identifier: None };
                    self.rule(&place, &rule, evaluations, reading).await;
                }
                for correction in self.lead.stages.compliance.reconcile_rules(&place, &names, reading) {
                    self.correct(&place, correction).await;
                }
                self.ended().read.push((place, began_ms));
            }
            self.emitter.flush().await;
        }
        is_first
    }

    /// The accounts to read: those that failed, those that are configured, or all that the aggregator knows.
    async fn accounts(
        &self,
        api: &dyn AggregatorApi,
        accounts: &BTreeSet<Box<str>>,
        only: Option<&BTreeSet<Failed>>,
    ) -> Result<Vec<Box<str>>, ConfigApiError> {
        if let Some(only) = only {
            let accounts = only.iter().filter_map(|what| match what {
                Failed::Account(account) => Some(account.clone()),
                Failed::Everything | Failed::Place(_) => None,
            });
            return Ok(accounts.collect());
        }
        if !accounts.is_empty() {
            return Ok(accounts.iter().cloned().collect());
        }
        let all = aggregator::accounts(api).await?;
        let compliance = &self.lead.stages.compliance;
        let known: Vec<_> = compliance.places().into_iter().filter(|place| compliance.has_baseline(place)).collect();
        // An aggregator that was made anew fills again in hours.
        if all.is_empty() && !known.is_empty() {
            let why = "the aggregator lists no account, though it did before: what is known stays as it is".to_owned();
            return Err(ConfigApiError::Passing { why });
        }
        // An account that has left the organization: nobody can say how it stands, and that is no change of its rules.
        let left = known.into_iter().filter(|place| !all.contains(&place.account) && self.is_believed_gone(place));
        let left: Vec<_> = left.collect();
        self.ended().gone.extend(left);
        Ok(all)
    }

    /// Whether an aggregator that does not list a place has not for so long that the place is gone. An aggregator that fills anew
    /// lists a part for hours: until then what is known stays as it is.
    fn is_believed_gone(&self, place: &AccountRegion) -> bool {
        let missed_ms = self.lead.known().readings.missed_ms(place);
        let is_believed = missed_ms.is_some_and(|ms| self.began_ms.saturating_sub(ms) >= BELIEVED_AFTER_MS);
        self.ended().absent.push(place.clone());
        if !is_believed {
            tracing::debug!(%place, "The aggregator lists no rule of {place}, though it did before");
            self.ended().doubted += 1;
            // Its packs are missing for the same reason.
            self.lead.known().packs.entry(place.clone()).or_default();
        }
        is_believed
    }

    /// Places of an account that was read whole, in which no rule is any more, now and for long: what is known of them has left;
    /// once it has, they are forgotten.
    async fn leave_without_rules<T>(
        &self,
        is_meant: impl Fn(&AccountRegion) -> bool,
        found: &BTreeMap<AccountRegion, T>,
        reading: Reading,
    ) {
        let compliance = &self.lead.stages.compliance;
        let all = compliance.places().into_iter();
        for place in all.filter(|place| is_meant(place) && !found.contains_key(place) && compliance.has_baseline(place)) {
            if !self.is_believed_gone(&place) {
                continue;
            }
            for correction in compliance.reconcile_rules(&place, &HashSet::new(), reading) {
                self.correct(&place, correction).await;
            }
            let is_empty = compliance.rules(&place).is_empty();
            let mut ended = self.ended();
            if is_empty {
                ended.gone.push(place);
            } else {
                ended.read.push((place, reading.began_ms));
            }
        }
    }

    /// Places that were read before and are not asked any more, because of another configuration: they are left without a word.
    fn leave_unasked(&self, reader: &Reader) {
        let compliance = &self.lead.stages.compliance;
        let left = compliance
            .places()
            .into_iter()
            .filter(|place| compliance.has_baseline(place) && !(reader.asks(place) && self.lead.watches(place)));
        self.ended().gone.extend(left);
    }

    /// The conformance packs of all accounts: one list, and each place has what it says or nothing. What cannot be read stays as it
    /// was, and is not complete.
    async fn packs_of_all(&self, api: &dyn AggregatorApi, reader: &Reader) {
        let is_wanted = |place: &AccountRegion| reader.asks(place) && self.lead.watches(place);
        let mut packs = Packs::new();
        let mut take = |page: Vec<(AccountRegion, Pack)>| {
            for (place, pack) in page.into_iter().filter(|(place, _)| is_wanted(place)) {
                packs.entry(place).or_default().get_or_insert_default().push(pack);
            }
        };
        if let Err(error) = api.packs(&mut take).await {
            tracing::warn!(%error, "Conformance packs could not be read: {error}");
            self.lead.note_packs(&AccountRegion::new("unknown", "all"), None);
            return;
        }
        self.lead.known().packs = packs;
    }

    async fn rule(&self, place: &AccountRegion, rule: &DeployedRule, evaluations: Vec<Evaluation>, reading: Reading) {
        for correction in self.lead.stages.compliance.reconcile_rule(place, rule, evaluations, reading) {
            self.correct(place, correction).await;
        }
    }

    /// Tells a change that no event told; it moves the state once it was accepted.
    async fn correct(&self, place: &AccountRegion, correction: Correction) {
        let Lead { stages, clock, counts, .. } = self.lead;
        self.repairs.fetch_add(1, Ordering::Relaxed);
        let change = plain(&correction, place);
        let event_id = change.event_id();
        let enricher = stages.enricher.now();
        let enriched = enricher.enrich_change(&change);
        let control = preventive_control_behind(&correction.rule, correction.rule_identifier.as_deref());
        let frameworks = stages.frameworks.of_rule(&correction.rule, control);
        let frameworks = frameworks.as_deref();
        let mut classified =
            ClassifiedChange { change, event_id: &event_id, enriched: &enriched, control, frameworks, exception: None };
        classified.exception = classified.find_exception(&stages.exceptions, clock.now_ms());
        let told = Told::correction(&correction);
        let arrival = Arrival::of(correction.at_ms, clock.now_ms());
        let mut items = vec![(Vec::new(), arrival.timestamp_ms)];
        let mut cut = 0;
        if let Some((item, _)) = items.first_mut() {
            cut += push_change(item, &classified, &told, arrival, counts.name());
        }
        if stages.notifies(place, &classified, &correction.story) {
            let mut item = Vec::new();
            cut += push_notice(&mut item, &classified, &told, arrival, counts.name());
            items.push((item, i64::MAX));
        }
        self.emitter.cut(cut);
        let record = self.emitter.record();
        let (compliance, piece, ticket) = (Arc::clone(&stages.compliance), record.piece(), correction.ticket);
        let refused = self.emitter.refused();
        let step = record.step(move |settled| {
            refused.note(settled);
            compliance.conclude(ticket, settled, piece);
        });
        for (item, time_ms) in items {
            self.emitter.put(&item, time_ms, step.piece()).await;
        }
    }

    fn ended(&self) -> MutexGuard<'_, Ended> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_not_enabled(&self, place: &AccountRegion) -> bool {
        let of_place = |what: &Failed| matches!(what, Failed::Place(other) if other == place);
        self.ended().failed.iter().any(|(what, error)| of_place(what) && matches!(error, ConfigApiError::NotEnabled { .. }))
    }

    fn failed(&self, what: Failed, error: ConfigApiError) {
        self.lead.trouble(&what, &error);
        self.ended().failed.push((what, error));
    }
}
