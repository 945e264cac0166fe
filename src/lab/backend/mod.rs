//! The New Relic stand-in: a real HTTP server that keeps New Relic's documented contract, for tests, the demo and benches.
//!
//! In: HTTP on a port of this machine. Out: the documented answers, and a [`Store`] of what was accepted. It refuses by the
//! constants of `encode::limits` and has no numbers of its own; where the documentation leaves a choice, it takes the one a
//! sender has to fear, and says so at the [`Violation`].
//!
//! | path | answers |
//! | --- | --- |
//! | `POST /v1/accounts/{id}/events` | Event API: 200, 400, 403, 408, 413, 415, 429 |
//! | `POST /log/v1` | Log API: 202, 400, 403, 408, 413, 415, 429 |
//! | `POST /graphql` | `NerdGraph`: NRQL at once, later and over several accounts; dashboards, entity search, tags, alerts, workflows: 200, 400, 401, 429 |
//! | `POST /v1/metrics` | OTLP in protobuf: 200, 400, 401, 403, 408, 413, 415, 429 |
//! | `POST /v1/{logs,traces}` | 501: this part of OTLP is not in the stand-in yet; it belongs beside `otlp` |
//! | `GET /stand-in/summary`, `GET /stand-in/ids?type=T` | what was accepted, as JSON |
//! | any other path, any other method | 404, 405 |
//!
//! As in New Relic, the body is judged after the answer: a bad event is lost under a 200, and only an `NrIntegrationError`
//! tells. Here it is readable at once; the real one takes minutes. Each request can meet a [`Fault`], scripted or by chance,
//! or be held by a [`Hold`]. A cut really closes the TCP connection.
//!
//! Not imitated: TLS, retention, OTLP as JSON or packed with zstd, distinct types and names per account, daily quotas, account-side parsing and drop rules.
//! Parts: `connection` (cutting), `body` (size, unpacking), `server` (order of
//! checks, answers), `event_api`, `log_api` and `otlp` (bodies to rows), `intake` (broken rules), `store`, `fault`, `nerdgraph`.

mod body;
mod connection;
mod event_api;
mod fault;
mod intake;
mod log_api;
mod nerdgraph;
mod otlp;
mod server;
mod settings;
mod store;

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use connection::{Connection, CuttingListener, Open};
pub use fault::{Api, Fault, HeldRequest, Hold, RandomFaults};
pub use intake::Violation;
pub use nerdgraph::{NerdGraphSettings, TooMany};
use server::Shared;
pub use settings::{ACCOUNT_ID, Account, BackendArgs, BackendSettings, LICENSE_KEY, USER_KEY};
pub use store::{ApiCounts, Ending, IntegrationError, Retain, Store, Summary, TypeCounts};

/// Why a stand-in did not start.
#[derive(Debug, thiserror::Error)]
#[error("listening on {listen}: {why}")]
pub struct StartError {
    listen: SocketAddr,
    why: io::Error,
}

/// A running stand-in. Dropping it cuts every connection and frees the port.
#[derive(Debug)]
pub struct Backend {
    shared: Arc<Shared>,
    address: SocketAddr,
    open: Arc<Open>,
    server: JoinHandle<io::Result<()>>,
}

impl Backend {
    /// Listens and serves on the present tokio runtime.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub async fn start(settings: BackendSettings) -> Result<Self, StartError> {
        let listen = settings.listen;
        let failed = |why| StartError { listen, why };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let open = Open::new();
        let shared = Arc::new(Shared::new(settings));
        let service = server::router(Arc::clone(&shared)).into_make_service_with_connect_info::<Connection>();
        let listener = CuttingListener::new(listener, Arc::clone(&open));
        let server = tokio::spawn(async move { axum::serve(listener, service).await });
        Ok(Self { shared, address, open, server })
    }

    /// Base URL of every API, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it accepted.
    #[must_use]
    pub fn store(&self) -> Store {
        self.shared.store.clone()
    }

    /// Appends faults to the script of `api`: one per request, in order of arrival, before any random fault.
    pub fn script(&self, api: Api, faults: impl IntoIterator<Item = Fault>) {
        self.shared.plans.script(api, faults);
    }

    /// Faults of the script of `api` that no request has met yet.
    #[must_use]
    pub fn script_left(&self, api: Api) -> usize {
        self.shared.plans.left(api)
    }

    /// Replaces the random faults of the APIs that take data, from their first draw; `None` ends them.
    pub fn random_faults(&self, faults: Option<RandomFaults>) {
        self.shared.plans.random(faults);
    }

    /// Refuses with `code` every body of `api` that holds `marker` from now on, as New Relic would one with a bad item in it;
    /// an empty marker ends it.
    pub fn poison(&self, api: Api, marker: &str, code: u16) {
        self.shared.plans.poison(api, marker, code);
    }

    /// Says yes to the next body of `api` with a row of this `event.id` and loses that row afterwards, as New Relic may: only an
    /// `NrIntegrationError` tells. The sender broke no rule, so there is no [`Violation`].
    pub fn lose(&self, api: Api, event_id: &str) {
        self.shared.plans.lose(api, event_id);
    }

    /// Holds every request to `api` from now on, until the [`Hold`] is dropped.
    #[must_use = "dropping it releases every request"]
    pub fn hold(&self, api: Api) -> Hold {
        self.shared.plans.hold(api)
    }

    /// Ends only when serving fails or is stopped: for a stand-in with a process of its own.
    ///
    /// # Errors
    ///
    /// When the server's task panicked or serving failed.
    pub async fn serve(mut self) -> io::Result<()> {
        (&mut self.server).await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    /// Stops listening, cuts every connection and waits until all are closed. The store stays readable.
    pub async fn stop(mut self) {
        self.server.abort();
        // Aborted or ended: both are what is wanted.
        drop((&mut self.server).await);
        self.open.cut_all();
        self.open.closed().await;
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.server.abort();
        self.open.cut_all();
    }
}
