//! Configuration → what the agent that leads has to do.
//!
//! In: `state`, `posture`, and the queues of events. Out: [`Posture`], or `None` where nothing needs it. What always holds: the
//! agent's own account is known before AWS Config is asked; nothing is written here.

use std::sync::Arc;

use crate::ack::Counts;
use crate::cli::exit::Stop;
use crate::config::{self, Config, SourceKind, StatePlace};
use crate::pipeline::posture::{Posture, Reader};
use crate::posture::lease;
use crate::posture::store::{Folder, S3, Store};
use crate::record::AccountRegion;
use crate::source::aws;
use crate::source::config_api::clients::Access;
use crate::source::config_api::role::Role;
use crate::source::config_api::sdk::SdkConfigApi;
use crate::source::config_api::sdk_aggregator::SdkAggregator;

/// Name of the rows' source.
const NAME: &str = "posture";

/// Whether this configuration has a state that is written down.
pub(in crate::cli) fn is_kept(config: &Config) -> bool {
    config.state.place.is_some() && needs_state(config)
}

/// Only what AWS Config and findings say moves a state.
fn needs_state(config: &Config) -> bool {
    config.posture.is_some() || config.sources.iter().any(|source| matches!(source.kind, SourceKind::EventQueue { .. }))
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
    let defaults = config::Posture::of_region("");
    Ok(Some(Posture {
        counts: Arc::new(Counts::new(NAME)),
        trouble: Arc::default(),
        standing: Arc::default(),
        kept,
        reader,
        reading: settings.unwrap_or(&defaults).interval,
        summary: settings.unwrap_or(&defaults).summary_interval,
    }))
}

async fn store(place: &StatePlace) -> Arc<dyn Store> {
    match place {
        StatePlace::Folder(folder) => Arc::new(Folder::new(folder)),
        StatePlace::S3 { bucket, prefix } => Arc::new(S3::new(aws::s3_client(&aws::load(None).await), bucket, prefix)),
    }
}

async fn reader(settings: &config::Posture) -> Result<Reader, Stop> {
    let base = aws::load(Some(&settings.home)).await;
    let own_account = aws::own_account(&base).await.map_err(|why| {
        Stop::failed(
            format!("the agent's own account is not known, and AWS Config is asked there: {why}"),
            Some("check the agent's credentials; sts:GetCallerIdentity needs no permission".to_owned()),
        )
    })?;
    let external_id = settings.external_id.as_ref().map(|id| id.expose().to_owned());
    let role = settings.role.as_ref().map(|role| Role::new(&role.to_string(), external_id.as_deref())).transpose();
    let role = role.map_err(|error| Stop::usage(error.to_string(), Some("posture.role or posture.externalId".to_owned())))?;
    let access = Access { own_account: own_account.as_str().into(), role, per_second: f64::from(settings.calls_per_second) };
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
