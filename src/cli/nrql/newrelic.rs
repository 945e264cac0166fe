//! Queries on New Relic's own database.
//!
//! In: a query, and a user key in the environment. Out: its rows as `NerdGraph` gives them. What always holds: nothing is sent but the
//! query; the key is never printed.

use std::time::Duration;

#[cfg(feature = "lab")]
use serde_json::Map;
use serde_json::Value;

use super::Format;
use super::rows::{self, Row};
use crate::cli::exit::{Exit, Stop};
use crate::cli::{print, runtime};
use crate::config::{Environment, Hosts, NewRelic, Region, env};
use crate::publish::nerdgraph::NerdGraph;
#[cfg(feature = "lab")]
use crate::publish::nerdgraph::NerdGraphError;
use crate::secret::Secret;

/// Longest wait for one answer; New Relic itself gives up after a minute.
const PATIENCE: Duration = Duration::from_secs(70);

/// Longest that New Relic may take for one of many queries, seconds: the longest that it allows. [NerdGraph NRQL guide]
#[cfg(feature = "lab")]
const SECONDS: u32 = 60;

/// An account of New Relic's that may be asked.
pub(super) struct Account {
    nerd_graph: NerdGraph,
    id: u64,
}

impl Account {
    /// As the environment says.
    pub(super) fn of_environment() -> Result<Self, Stop> {
        Self::of(&env::Process)
    }

    fn of(environment: &impl Environment) -> Result<Self, Stop> {
        let get = |name: &str| environment.get(name).and_then(|text| text.into_string().ok()).filter(|text| !text.is_empty());
        let need = |name: &str, what: &str| {
            get(name).ok_or_else(|| Stop::usage(format!("{name} is not set"), Some(format!("set it to {what}"))))
        };
        let key = Secret::new(&need("NEW_RELIC_API_KEY", "a user key (NRAK-…)")?);
        let id = need("NEW_RELIC_ACCOUNT_ID", "the number of the account")?;
        let id: u64 = id.parse().map_err(|_| Stop::usage(format!("NEW_RELIC_ACCOUNT_ID \"{id}\": not a number"), None))?;
        let region = match get("NEW_RELIC_REGION").unwrap_or_default().to_ascii_uppercase().as_str() {
            "" | "US" => Region::Us,
            "EU" => Region::Eu,
            "JP" => Region::Jp,
            word => return Err(Stop::usage(format!("NEW_RELIC_REGION \"{word}\": not one of US, EU, JP"), None)),
        };
        let hosts = Hosts { nerd_graph: get("NEW_RELIC_NERDGRAPH_BASE_URL"), ..Hosts::default() };
        // Nothing is sent to the account: no licence key is needed.
        let settings = NewRelic { region, account_id: id, license_key: Secret::new(""), api_key: None, hosts };
        let nerd_graph = NerdGraph::new(&settings, &key, PATIENCE).map_err(|error| Stop::usage(error.to_string(), None))?;
        Ok(Self { nerd_graph, id })
    }

    /// The rows of one query, asked once.
    ///
    /// # Errors
    /// As [`NerdGraph::ask`].
    #[cfg(feature = "lab")]
    pub(super) async fn rows(&self, query: &str) -> Result<Vec<Map<String, Value>>, NerdGraphError> {
        self.nerd_graph.nrql_within(self.id, query, SECONDS).await
    }

    /// Runs one query.
    pub(super) fn ask(&self, query: &str, format: Format) -> anyhow::Result<Exit> {
        let answer = runtime()?.block_on(self.nerd_graph.nrql(self.id, query));
        let found = answer.map_err(|error| Stop::failed(error.to_string(), None))?;
        let found: Vec<Row> = found.into_iter().map(|row| row.into_iter().collect::<Vec<(String, Value)>>()).collect();
        print(&rows::text(&found, &[], format)?)?;
        Ok(Exit::Good)
    }
}
