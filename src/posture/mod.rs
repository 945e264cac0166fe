//! What is known between two records: the state of every resource under every rule, findings, who leads, who changed what, who did
//! what before.
//!
//! In: records that were judged before, and what is read from AWS. Out: what changed, and counts of what is. What always holds:
//! the state that is written follows what New Relic accepted, never runs ahead of it; every bound is a setting or a constant
//! here. Never talks to New Relic.

pub mod compliance;
pub mod identity;
mod kept;
pub mod lease;
mod novelty;
pub mod store;
pub mod stored;

pub use compliance::{Compliance, Correction, Fact, Judgement, Story, Ticket};
// What the encoders of rows name.
pub use compliance::counts::{AccountCounts, Results, RuleCounts, Violation};
pub use compliance::history::{Delta, Trend};
pub mod changes;

pub use identity::{
    Breadth, Identity, IdentityKind, Inventory, KeyFacts, Risk, RoleFacts, SignIn, Terms, Trust, TrustKind, Usage,
};
pub use kept::{Kept, Owed};
pub use novelty::{NoveltyMemory, NoveltyTallies};

pub use changes::{Actor, ItemFact, Join, Name, TrailFact, Who};
mod findings;

pub use findings::{
    Begun, Cover, Covered, CoveredSite, FindingTallies, Findings, Hearing, OpenFindings, Tell, Token, Transition, Uncovered,
    Verdict, Weight,
};
