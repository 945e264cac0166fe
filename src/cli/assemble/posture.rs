//! Configuration → what the agent that leads has to do.
//!
//! In: `state`, `posture`, and the queues of events. Out: [`Posture`], or `None` where nothing needs it. What always holds: the
//! agent's own account is known before AWS Config is asked; nothing is written here.

use std::sync::Arc;

use aws_config::SdkConfig;

use crate::ack::Counts;
use crate::cli::exit::Stop;
use crate::config::{self, Config, SourceKind, StatePlace};
use crate::pipeline::posture::identity::Identities;
use crate::pipeline::posture::{Posture, Reader};
use crate::posture::Terms;
use crate::posture::lease;
use crate::posture::store::{Folder, S3, Store};
use crate::record::AccountRegion;
use crate::secret::Secret;
use crate::source::aws;
use crate::source::config_api::aggregator::AggregatorApi;
use crate::source::config_api::clients::Access;
use crate::source::config_api::sdk::SdkConfigApi;
use crate::source::config_api::sdk_aggregator::SdkAggregator;
use crate::source::iam::sdk::SdkIam;

/// Name of the rows' source.
const NAME: &str = "posture";

/// Whether this configuration has a state that is written down.
pub(in crate::cli) fn is_kept(config: &Config) -> bool {
    config.state.place.is_some() && needs_state(config)
}

/// Only what AWS Config and findings say moves a state; and of several agents one reads IAM.
fn needs_state(config: &Config) -> bool {
    config.posture.is_some()
        || config.identity.is_some()
        || config.sources.iter().any(|source| matches!(source.kind, SourceKind::EventQueue { .. }))
}

/// What the agent has to do when it leads.
pub(in crate::cli) async fn posture(config: &Config, agent: &str) -> Result<Option<Posture>, Stop> {
    if !needs_state(config) {
        return Ok(None);
    }
    let kept = match &config.state.place {
        None => None,
        Some(place) => Some((store(place).await, lease::Settings { holder: agent.to_owned(), lease: config.state.lease })),
    };
    let settings = config.posture.as_ref();
    let reader = match settings {
        None => None,
        Some(settings) => Some(reader(settings).await?),
    };
    let identities = match &config.identity {
        None => None,
        Some(settings) => Some(identities(settings, &config.accounts.tags.owner).await?),
    };
    let defaults = config::Posture::of_region("");
    Ok(Some(Posture {
        counts: Arc::new(Counts::new(NAME)),
        trouble: Arc::default(),
        standing: Arc::default(),
        kept,
        reader,
        identities,
        reading: settings.unwrap_or(&defaults).interval,
        summary: settings.unwrap_or(&defaults).summary_interval,
        pace: Arc::default(),
        begun: None,
    }))
}

async fn store(place: &StatePlace) -> Arc<dyn Store> {
    match place {
        StatePlace::Folder(folder) => Arc::new(Folder::new(folder)),
        StatePlace::S3 { bucket, prefix } => Arc::new(S3::new(aws::s3_client(&aws::load(None).await), bucket, prefix)),
    }
}

/// The agent's own account: AWS Config and IAM are asked there without a role.
async fn own_account(base: &SdkConfig) -> Result<String, Stop> {
    aws::own_account(base).await.map_err(|why| {
        Stop::failed(
            format!("the agent's own account is not known, and AWS Config or IAM is asked there: {why}"),
            Some("check the agent's credentials; sts:GetCallerIdentity needs no permission".to_owned()),
        )
    })
}

/// As whom accounts are asked, and how fast.
fn access(own_account: &str, role: Option<&config::Role>, external_id: Option<&Secret>, per_second: u32) -> Access {
    Access {
        own_account: own_account.into(),
        role: role.cloned(),
        external_id: external_id.cloned(),
        per_second: f64::from(per_second),
    }
}

async fn identities(settings: &config::Identity, owner_tags: &[String]) -> Result<Identities, Stop> {
    let base = aws::load(Some(&settings.home)).await;
    let own_account = own_account(&base).await?;
    let has_role = settings.role.is_some();
    let access = access(&own_account, settings.role.as_ref(), settings.external_id.as_ref(), settings.calls_per_second);
    let aggregator: Option<Arc<dyn AggregatorApi>> = match &settings.aggregator {
        Some(name) if has_role && settings.accounts.is_empty() => {
            let home = AccountRegion::new(&own_account, &settings.home);
            let alone = Access { role: None, external_id: None, ..access.clone() };
            Some(Arc::new(SdkAggregator::new(Arc::new(SdkConfigApi::new(&base, alone).await), name, home)))
        }
        _ => None,
    };
    let accounts: Vec<Box<str>> = match (&aggregator, settings.aggregator.is_some() && !has_role) {
        (Some(_), _) => Vec::new(),
        // What an aggregator knows of others is no way to their IAM.
        (None, true) => vec![own_account.into()],
        (None, false) if settings.accounts.is_empty() => vec![own_account.into()],
        (None, false) => settings.accounts.iter().map(|account| account.as_str().into()).collect(),
    };
    Ok(Identities {
        api: Arc::new(SdkIam::new(&base, access, &settings.home).await),
        accounts,
        aggregator,
        interval: settings.interval,
        terms: Terms {
            unused_days: settings.unused_days,
            key_max_age_days: settings.key_max_age_days,
            owner_tags: owner_tags.to_vec(),
        },
        last_accessed: settings.last_accessed,
    })
}

async fn reader(settings: &config::Posture) -> Result<Reader, Stop> {
    let base = aws::load(Some(&settings.home)).await;
    let own_account = own_account(&base).await?;
    let access = access(&own_account, settings.role.as_ref(), settings.external_id.as_ref(), settings.calls_per_second);
    let api = Arc::new(SdkConfigApi::new(&base, access).await);
    if let Some(name) = &settings.aggregator {
        let home = AccountRegion::new(&own_account, &settings.home);
        return Ok(Reader::Aggregator {
            api: Arc::new(SdkAggregator::new(Arc::clone(&api), name, home)),
            calls: api,
            accounts: settings.accounts.iter().map(|account| account.as_str().into()).collect(),
            regions: settings.regions.iter().map(|region| region.as_str().into()).collect(),
        });
    }
    let own = [own_account];
    let accounts = if settings.accounts.is_empty() { &own[..] } else { &settings.accounts[..] };
    let places = accounts.iter().flat_map(|account| settings.regions.iter().map(|region| AccountRegion::new(account, region)));
    Ok(Reader::Places { api, places: places.collect(), concurrency: settings.concurrency })
}
