//! How the stand-in's `NerdGraph` behaves where New Relic's documentation is silent, or says it twice.
//!
//! In: nothing. Out: [`NerdGraphSettings`]. What always holds: no other file of `nerdgraph` decides such a thing.

/// How a user who asks too much at once is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TooMany {
    /// HTTP 429, as the page on usage limits says.
    #[default]
    Status,
    /// HTTP 200 with `TOO_MANY_REQUESTS` in the answer, which New Relic's own Go client looks for, too.
    Body,
}

/// Settings of the stand-in's `NerdGraph`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NerdGraphSettings {
    /// Requests of one user at once; more are refused. New Relic guarantees 25.
    pub concurrent_requests: usize,
    /// How they are refused.
    pub too_many: TooMany,
    /// How long a change of an entity is not seen by those who read or search, milliseconds of the stand-in's clock. New Relic's
    /// Terraform provider waits up to 30 s; nobody says how long it is.
    pub entity_delay_ms: i64,
    /// Dashboards and pages of dashboards that are there at once, and as many deleted ones that can be brought back. Not documented.
    pub entities: usize,
    /// Entities in one page of a search.
    pub search_page: usize,
    /// Policies or conditions in one page of a search. Not documented.
    pub alerts_page: usize,
    /// Accounts that one query may read. New Relic's limits of NRQL: 30.
    pub accounts_per_query: usize,
    /// NRQL queries of one account in a minute of the stand-in's clock; more are refused. `None`: no bound. New Relic's own: 3,000.
    pub queries_per_minute: Option<u32>,
    /// The same for one and the same query. New Relic's own: 120.
    pub same_query_per_minute: Option<u32>,
    /// What a client is told to wait before it asks for an asynchronous query again, seconds. Not documented.
    pub retry_after_s: u32,
    /// How long the result of an asynchronous query is kept, seconds of the stand-in's clock. Not documented.
    pub result_expiration_s: u32,
    /// Highest widget. New Relic's page says 32, its Go client and Terraform provider say 12.
    pub widget_height: i64,
}

impl Default for NerdGraphSettings {
    fn default() -> Self {
        Self {
            concurrent_requests: 25,
            too_many: TooMany::default(),
            entity_delay_ms: 0,
            entities: 10_000,
            search_page: 200,
            alerts_page: 200,
            accounts_per_query: 30,
            queries_per_minute: None,
            same_query_per_minute: None,
            retry_after_s: 1,
            result_expiration_s: 600,
            widget_height: 12,
        }
    }
}
