//! A whole organization through one aggregator of AWS Config.
//!
//! In: an aggregator. Out: the accounts that it knows, and for one account after the other the rules that have results and how
//! they judge. What always holds: never more than one account's rules are held; a rule that has results and of which the query
//! knows nothing is asked for by name; a judgement of a rule that is not listed any more is left out and counted. What an
//! aggregator says is older than what the account itself says, and has neither times nor reasons (`DESIGN.md`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use futures_util::future::BoxFuture;

use super::{ConfigApiError, Each, Pack};
use crate::record::{AccountRegion, ComplianceState, Evaluation};

/// What is asked of an aggregator. The contract is that of [`super::ConfigApi`].
pub trait AggregatorApi: fmt::Debug + Send + Sync + 'static {
    /// The rules that have results, of one account or of all.
    fn rules<'a>(&'a self, account: Option<&'a str>, each: Each<'a, AggregateRule>) -> BoxFuture<'a, Result<(), ConfigApiError>>;

    /// The recorded compliance of resources, of one account or of all. Empty where `AWS::Config::ResourceCompliance` is not
    /// recorded.
    fn resources<'a>(
        &'a self,
        account: Option<&'a str>,
        each: Each<'a, JudgedResource>,
    ) -> BoxFuture<'a, Result<(), ConfigApiError>>;

    /// How one rule of one place judges; only what is compliant and what is not.
    fn evaluations<'a>(
        &'a self,
        place: &'a AccountRegion,
        rule: &'a str,
        each: Each<'a, Evaluation>,
    ) -> BoxFuture<'a, Result<(), ConfigApiError>>;

    /// The conformance packs of all accounts, and how they stand.
    fn packs<'a>(&'a self, each: Each<'a, (AccountRegion, Pack)>) -> BoxFuture<'a, Result<(), ConfigApiError>>;
}

/// A rule as an aggregator lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregateRule {
    /// Where it is deployed.
    pub place: AccountRegion,
    /// `ConfigRuleName`
    pub rule: Box<str>,
    /// The rule as a whole.
    pub state: ComplianceState,
}

/// A resource and how every rule that concerns it judges it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedResource {
    /// Where it is.
    pub place: AccountRegion,
    /// As `AWS::S3::Bucket`.
    pub resource_type: Box<str>,
    /// As AWS Config names it.
    pub resource_id: Box<str>,
    /// When all of this was recorded together, milliseconds since the epoch; 0 where the API does not say. No rule's own time.
    pub captured_ms: i64,
    /// Rules by name.
    pub rules: Vec<(Box<str>, ComplianceState)>,
}

/// One thing that was read of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A rule that has results.
    Rule(AggregateRule),
    /// How a rule judges a resource. Comes after its rule.
    Evaluation {
        /// Where.
        place: AccountRegion,
        /// The rule's name.
        rule: Box<str>,
        /// The judgement; without a time of its own and a reason where it comes from the query.
        evaluation: Evaluation,
        /// The latest change that the judgement can know of: an event recorded after it wins. 0 where the API does not say.
        captured_ms: i64,
    },
}

/// How the read of an account went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountRead {
    /// Rules that have results.
    pub rules: u64,
    /// Evaluations given.
    pub evaluations: u64,
    /// Rules that had to be asked for one by one, because the query knew nothing of them.
    pub by_name: u64,
    /// Judgements of rules that are not listed (deleted, or newer than the list), left out.
    pub unlisted: u64,
}

/// The accounts that have rules with results, sorted.
///
/// # Errors
/// When not every page could be read.
pub async fn accounts(api: &dyn AggregatorApi) -> Result<Vec<Box<str>>, ConfigApiError> {
    let mut accounts = BTreeSet::new();
    api.rules(None, &mut |page| {
        for AggregateRule { place, .. } in page {
            if !accounts.contains(&place.account) {
                accounts.insert(place.account);
            }
        }
    })
    .await?;
    Ok(accounts.into_iter().collect())
}

/// What is known of a listed rule while its account is read.
#[derive(Debug, Clone, Copy)]
struct Listed {
    /// Its state says that resources were judged.
    has_results: bool,
    /// The query named it.
    met: bool,
}

/// Reads one account: its rules, then how they judge.
///
/// # Errors
/// When not all of it could be read; what was given is true all the same.
pub async fn account(
    api: &dyn AggregatorApi,
    account: &str,
    each: &mut (dyn FnMut(Found) + Send),
) -> Result<AccountRead, ConfigApiError> {
    let mut read = AccountRead::default();
    // By place, then by name: looked up without owning either.
    let mut listed: BTreeMap<AccountRegion, BTreeMap<Box<str>, Listed>> = BTreeMap::new();
    api.rules(Some(account), &mut |page| {
        for rule in page {
            let has_results = matches!(rule.state, ComplianceState::Compliant | ComplianceState::NonCompliant);
            let known = Listed { has_results, met: false };
            // A list that changes while it is read may name a rule twice.
            if listed.entry(rule.place.clone()).or_default().insert(rule.rule.clone(), known).is_none() {
                read.rules += 1;
                each(Found::Rule(rule));
            }
        }
    })
    .await?;
    api.resources(Some(account), &mut |page| {
        for resource in page {
            let mut here = listed.get_mut(&resource.place);
            for (rule, state) in &resource.rules {
                let Some(known) = here.as_mut().and_then(|rules| rules.get_mut(rule)) else {
                    read.unlisted += 1;
                    continue;
                };
                known.met = true;
                read.evaluations += 1;
                each(Found::Evaluation {
                    place: resource.place.clone(),
                    rule: rule.clone(),
                    evaluation: Evaluation {
                        resource_type: resource.resource_type.clone(),
                        resource_id: resource.resource_id.clone(),
                        state: *state,
                        recorded_ms: 0,
                        annotation: None,
                    },
                    captured_ms: resource.captured_ms,
                });
            }
        }
    })
    .await?;
    for (place, rules) in &listed {
        for (rule, _) in rules.iter().filter(|(_, known)| known.has_results && !known.met) {
            read.by_name += 1;
            let mut give = |page: Vec<Evaluation>| {
                for evaluation in page {
                    read.evaluations += 1;
                    let captured_ms = evaluation.recorded_ms;
                    each(Found::Evaluation { place: place.clone(), rule: rule.clone(), evaluation, captured_ms });
                }
            };
            match api.evaluations(place, rule, &mut give).await {
                Ok(()) | Err(ConfigApiError::NoSuchRule { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(read)
}
