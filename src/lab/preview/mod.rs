//! The preview: dashboards in the browser as New Relic draws them, without New Relic.
//!
//! In: dashboards in New Relic's import format, and something that [answers](Answers) queries. Out: a page on 127.0.0.1 that
//! draws them, or a picture of every page ([`export`]). What always holds: it listens on this machine only; the page loads
//! nothing from anywhere else (the browser is told to refuse it); with a [`Mask`] no answer and no error leaves the server
//! before account ids, ARNs, addresses and names are replaced. It never runs a query itself and draws only what New Relic can
//! draw.
//!
//! | path | answers |
//! | --- | --- |
//! | `GET /` | the page |
//! | `GET /assets/{name}` | its parts, embedded in the program |
//! | `GET /api/dashboards?lang=` | the dashboards of a language, and how the page is to behave ([`Settings`]) |
//! | `GET /api/clock` | the present by the clock of the data, milliseconds since 1970; whether data still come, and whether all of a feed have |
//! | `POST /api/query` | the rows of one query, or why there are none |
//! | `GET /api/alerts?lang=` | policies and conditions of the page Alerts, and from when to when rows came |
//! | `POST /api/alerts` | what each condition of a policy would have told in a time |
//! | `POST /api/alert` | one condition: signals and incidents in a time |
//!
//! Parts: `server` (paths, limits), `guard` (who may ask), `question` (variables, time, filters into a query), `origin` (which
//! attributes a column shows), `alerts` (conditions, signals, incidents), `mask`, `tree` (JSON with its names in order), `engine` (answers from the lab's
//! engine), `assets` (the page; plain modules without a build
//! step, drawn by Apache `ECharts`), `export`.

pub mod alerts;
mod assets;
mod engine;
pub mod export;
mod guard;
pub mod mask;
mod origin;
mod question;
mod server;
pub mod tree;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use alerts::Alerts;
pub use engine::FromStore;
pub use mask::Mask;
pub use question::{Asked, Filter, Position, Refusal, Wanted};
use server::Shared;
use tree::Tree;

use crate::clock::Clock;

/// What answers queries: the lab's engine, or rows made up for a test.
pub trait Answers: Send + Sync + 'static {
    /// The rows, as the JSON text of `NerdGraph`'s `nrql { … }` object: `results`, `totalResult`, `otherResult`, `metadata`, and
    /// what else there is. The names of a row come in the order of `SELECT`: tables show them so. It may take long: it is called
    /// on a thread that may block.
    ///
    /// # Errors
    /// Why there are no rows; shown in the widget.
    fn answer(&self, asked: &Asked) -> Result<String, Refusal>;

    /// Whether rows of an event type may have an attribute: a click on a group filters only widgets that know its attribute.
    fn knows(&self, event_type: &str, attribute: &str) -> bool;
}

/// Language of the page and of the dashboards it begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Japanese.
    Japanese,
}

impl Language {
    /// All, in the order in which the page offers them.
    pub const ALL: [Self; 2] = [Self::English, Self::Japanese];

    /// `en`, `ja`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Japanese => "ja",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.code())
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        Self::ALL.into_iter().find(|language| language.code() == text).ok_or_else(|| UnknownLanguage(text.to_owned()))
    }
}

/// A language that the page does not speak.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("language {0:?}; allowed: en, ja")]
pub struct UnknownLanguage(String);

/// Whether what is being sent has all come. Until then numbers grow one after the other, and the page says so. Time goes on after it.
#[derive(Debug, Clone, Default)]
pub struct Arrival(Arc<AtomicBool>);

impl Arrival {
    /// All has come.
    pub fn whole(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(super) fn is_whole(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// How the preview is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen: an address of this machine. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The dashboards, as texts in New Relic's import format, by language. A language that is missing shows the first.
    pub dashboards: Vec<(Language, String)>,
    /// Language that the page begins with.
    pub language: Language,
    /// IANA names of the zones in which times are shown, by language; a language without one shows the browser's own.
    pub zones: BTreeMap<Language, String>,
    /// The clock of the data.
    pub clock: Clock,
    /// Data still come: the page asks again by itself.
    pub live: Option<Arrival>,
    /// Whether names, ids and addresses are replaced.
    pub mask: Option<Arc<Mask>>,
    /// The page Alerts; `None`: there is none.
    pub alerts: Option<Alerts>,
}

/// Why a preview did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Others could read the data.
    #[error("listening on {0}: not an address of this machine; allowed: 127.0.0.1:PORT, [::1]:PORT")]
    Exposed(SocketAddr),
    /// The address is not to be had.
    #[error("listening on {listen}: {why}")]
    Listen {
        /// Where.
        listen: SocketAddr,
        /// Why.
        why: io::Error,
    },
    /// A dashboard is not JSON.
    #[error("reading the {language} dashboard: {why}")]
    Dashboard {
        /// Which.
        language: Language,
        /// Where and what.
        why: serde_json::Error,
    },
    /// There is nothing to show.
    #[error("no dashboard to show; allowed: one or more for a language")]
    NoDashboard,
}

/// One page of a dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Of the dashboard.
    pub language: Language,
    /// Which dashboard of its language, from 0.
    pub dashboard: usize,
    /// Which page of its dashboard, from 0; the page Alerts comes after those of the first dashboard.
    pub number: usize,
    /// As the tab says.
    pub name: String,
}

/// A running preview. Dropping it frees the port.
#[derive(Debug)]
pub struct Preview {
    address: SocketAddr,
    pages: Vec<Page>,
    server: JoinHandle<io::Result<()>>,
}

impl Preview {
    /// Listens and serves on the present tokio runtime.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(settings: Settings, answers: Arc<dyn Answers>) -> Result<Self, StartError> {
        let listen = settings.listen;
        if !listen.ip().is_loopback() {
            return Err(StartError::Exposed(listen));
        }
        let mut dashboards = Vec::new();
        for (language, text) in &settings.dashboards {
            let parsed: Tree = serde_json::from_str(text).map_err(|why| StartError::Dashboard { language: *language, why })?;
            dashboards.push((*language, parsed));
        }
        if dashboards.is_empty() {
            return Err(StartError::NoDashboard);
        }
        let pages = pages_of(&dashboards, settings.alerts.is_some());
        let failed = |why| StartError::Listen { listen, why };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let router = server::router(Arc::new(Shared::new(settings, dashboards, answers, address)));
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, pages, server })
    }

    /// Where the page is, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The pages of every dashboard, in order.
    #[must_use]
    pub fn pages(&self) -> &[Page] {
        &self.pages
    }

    /// Ends only when serving fails or is stopped.
    ///
    /// # Errors
    /// When the server's task panicked or serving failed.
    pub async fn serve(mut self) -> io::Result<()> {
        (&mut self.server).await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

impl Drop for Preview {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn pages_of(dashboards: &[(Language, Tree)], has_alerts: bool) -> Vec<Page> {
    let mut pages = Vec::new();
    for language in Language::ALL {
        let own = dashboards.iter().filter(|(of, _)| *of == language);
        for (dashboard, (_, definition)) in own.enumerate() {
            let named = definition.get("pages").map(Tree::items).unwrap_or_default();
            pages.extend(named.iter().enumerate().map(|(number, page)| {
                let name = page.get("name").and_then(Tree::text).unwrap_or_default().to_owned();
                Page { language, dashboard, number, name }
            }));
            if dashboard == 0 && has_alerts {
                pages.push(Page { language, dashboard, number: named.len(), name: "Alerts".to_owned() });
            }
        }
    }
    pages
}
