//! Names and meaning for a trail record: whose account, who did it, to what, with which outcome.
//!
//! In: a parsed trail record and its account id. Out: an [`Enriched`] that borrows from both and from the account names. Always:
//! what dashboards filter on is never empty (`unknown` where the record says nothing); of the request, only what
//! `request.tsv` allows for that call passes. Never fails, never asks AWS, never builds a JSON tree, never changes the record.

mod accounts;
mod accounts_file;
mod calendar;
mod compliance;
mod config_item;
mod fields;
mod finding;
mod iac;
mod kind;
mod outcome;
mod partition;
mod principal;
mod request;
mod resource;
mod shared;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;

pub use accounts::{AccountFault, AccountFileError, AccountName, AccountNames, AccountRow};
pub use calendar::{Day, TimeZoneError};
pub use compliance::EnrichedChange;
pub use config_item::EnrichedItem;
pub use finding::EnrichedFinding;
pub use iac::Iac;
pub use outcome::EventOutcome;
pub use resource::Resource;
pub use shared::SharedEnricher;

use crate::config::AccountTags;
use crate::record::trail::Addendum;
use crate::record::{Actor, Text, Trail};

/// Key and value of a tag.
type Tag<'a> = (Cow<'a, str>, Cow<'a, str>);

/// What a name is when the record does not tell.
const UNKNOWN: &str = "unknown";

/// Adds names and meaning to records. Built once, shared by all workers.
#[derive(Debug)]
pub struct Enricher {
    accounts: AccountNames,
    calendar: calendar::Calendar,
    calls: Arc<request::Calls>,
    /// Keys of tags that name an owner; the first that is there counts.
    owner_tags: Arc<[String]>,
}

/// What enrichment adds to a record.
#[derive(Debug, Clone)]
pub struct Enriched<'a> {
    /// The account the record belongs to.
    pub account: AccountName<'a>,
    /// `aws`, `aws-cn`, …
    pub partition: &'a str,
    /// `iam` of `iam.amazonaws.com`; of an Insights event the service it is about.
    pub service: Cow<'a, str>,
    /// Region of the call, or `unknown`.
    pub region: &'a str,
    /// `CreateUser`; of an Insights event the call it is about; of a summary `AggregatedEvent`; never empty.
    pub event_name: Cow<'a, str>,
    /// `Management`, `Data`, `NetworkActivity`, `Insight`, `Aggregated`, or `unknown`.
    pub category: &'a str,
    /// Whether the call worked.
    pub outcome: EventOutcome,
    /// `errorCode`, on failure.
    pub error_code: Option<&'a str>,
    /// `errorMessage`, on failure.
    pub error_message: Option<&'a str>,
    /// Who did it.
    pub actor: Actor<'a>,
    /// Name of the rule that decided `actor.kind`, in the table of the source file `kind.rs`; `None`: no rule holds.
    pub actor_rule: Option<&'static str>,
    /// What it was done to.
    pub resource: Resource<'a>,
    /// Allowed request parameters by attribute name (`request.cidr`), in the order of the table, each name once.
    pub request: Vec<(&'static str, Cow<'a, str>)>,
    /// Why the record came late or again, if it says.
    pub addendum: Option<Addendum<'a>>,
    /// The day of the call in the configured zone.
    pub day: Day,
}

impl Enricher {
    /// An enricher with these names, counting days in this IANA time zone.
    ///
    /// # Errors
    /// The time zone is not known.
    pub fn new(accounts: AccountNames, time_zone: &str) -> Result<Self, TimeZoneError> {
        let calendar = calendar::Calendar::new(time_zone)?;
        let owner_tags = AccountTags::default().owner.into();
        Ok(Self { accounts, calendar, calls: Arc::new(request::Calls::built_in()), owner_tags })
    }

    /// The same that takes a resource's owner from the first of these tags that is there.
    #[must_use]
    pub fn with_owner_tags(self, keys: Vec<String>) -> Self {
        Self { owner_tags: keys.into(), ..self }
    }

    /// The same with other names of accounts.
    #[must_use]
    pub fn with_accounts(&self, accounts: AccountNames) -> Self {
        let (calls, owner_tags) = (Arc::clone(&self.calls), Arc::clone(&self.owner_tags));
        Self { accounts, calendar: self.calendar.clone(), calls, owner_tags }
    }

    /// The names of all accounts.
    #[must_use]
    pub fn accounts(&self) -> &AccountNames {
        &self.accounts
    }

    /// Every `request.*` attribute that may come out, sorted, each once.
    #[must_use]
    pub fn request_attributes(&self) -> Vec<&'static str> {
        self.calls.attributes()
    }

    /// The day of a moment in the configured zone, milliseconds since the epoch.
    #[must_use]
    pub fn day(&self, ms: i64) -> Day {
        self.calendar.day(ms)
    }

    /// The names of an account, as [`Self::enrich`] gives them.
    #[must_use]
    pub fn account<'a>(&'a self, account_id: &'a str) -> AccountName<'a> {
        self.accounts.get(account_id)
    }

    /// The names of an account, of a record about a resource with these tags.
    fn account_of<'a>(&'a self, account_id: &'a str, tags: &'a [Tag<'a>]) -> AccountName<'a> {
        let value = |key: &String| {
            let values = tags.iter().filter(|(name, _)| name == key).map(|(_, value)| value.trim());
            values.into_iter().find(|value| !value.is_empty())
        };
        self.accounts.get_with(account_id, self.owner_tags.iter().find_map(value))
    }

    /// Adds names and meaning to a record of this account.
    #[must_use]
    pub fn enrich<'a>(&'a self, trail: &'a Trail<'a>, account_id: &'a str) -> Enriched<'a> {
        let subject = Subject::of(trail);
        let (actor, actor_rule) = principal::actor(trail);
        let category = category(trail);
        let source = subject.source.as_deref().unwrap_or_default();
        let call = self.calls.read(trail, source, &subject.name);
        let resource = resource::of(trail, source, account_id, &actor, call.resource);
        Enriched {
            account: self.accounts.get(account_id),
            partition: partition::of([actor.arn.as_ref(), actor.session_issuer.as_ref()], trail.aws_region.get()),
            region: present(&trail.aws_region).unwrap_or(UNKNOWN),
            outcome: outcome::of(trail, category),
            error_code: present(&trail.error_code),
            error_message: present(&trail.error_message),
            addendum: trail.addendum(),
            day: self.calendar.day(trail.time_ms),
            request: call.request,
            service: service(subject.source),
            event_name: subject.name,
            category,
            actor,
            actor_rule,
            resource,
        }
    }
}

/// Region and service of a record, as [`Enricher::enrich`] gives them, without the rest.
#[must_use]
pub fn region_and_service<'a>(trail: &'a Trail<'a>) -> (&'a str, Cow<'a, str>) {
    (present(&trail.aws_region).unwrap_or(UNKNOWN), service(Subject::of(trail).source))
}

/// The text of a field, unless absent or empty.
fn present<'a>(text: &'a Text<'_>) -> Option<&'a str> {
    text.get().filter(|text| !text.is_empty())
}

/// The call a record is about: its own, or the one an Insights event watches.
struct Subject<'a> {
    source: Option<Cow<'a, str>>,
    name: Cow<'a, str>,
}

impl<'a> Subject<'a> {
    fn of(trail: &'a Trail<'a>) -> Self {
        let mut source = present(&trail.event_source).map(Cow::Borrowed);
        let mut name = present(&trail.event_name).map(Cow::Borrowed);
        if let Some(raw) = trail.insight_details {
            fields::read(raw, &[["eventSource"], ["eventName"]], |path, value| {
                let field = if path == 0 { &mut source } else { &mut name };
                if field.is_none() && !value.is_empty() {
                    *field = Some(value);
                }
            });
        }
        let nameless = if trail.event_type.get() == Some("AwsAggregatedEvent") { "AggregatedEvent" } else { UNKNOWN };
        Self { source, name: name.unwrap_or(Cow::Borrowed(nameless)) }
    }
}

/// `iam` of `iam.amazonaws.com`: what stands before the first dot.
fn service(source: Option<Cow<'_, str>>) -> Cow<'_, str> {
    match source {
        Some(Cow::Borrowed(source)) => Cow::Borrowed(first_label(source)),
        Some(Cow::Owned(source)) => Cow::Owned(first_label(&source).to_owned()),
        None => Cow::Borrowed(UNKNOWN),
    }
}

fn first_label(source: &str) -> &str {
    let label = source.split('.').next().unwrap_or(source);
    if label.is_empty() { UNKNOWN } else { label }
}

/// Categories by event type, for records older than `eventCategory` (version 1.07).
const CATEGORIES: [(&str, &str); 6] = [
    ("AwsConsoleSignIn", "Management"),
    ("AwsConsoleAction", "Management"),
    ("AwsServiceEvent", "Management"),
    ("AwsVpceEvent", "NetworkActivity"),
    ("AwsCloudTrailInsight", "Insight"),
    ("AwsAggregatedEvent", "Aggregated"),
];

fn category<'a>(trail: &'a Trail<'_>) -> &'a str {
    present(&trail.event_category).unwrap_or_else(|| {
        let by_type = CATEGORIES.iter().find(|(event_type, _)| trail.event_type.get() == Some(event_type));
        by_type.map_or(UNKNOWN, |(_, category)| category)
    })
}
