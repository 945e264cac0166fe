//! The vocabulary: what flows through the stages.
//!
//! A *record* is one AWS fact. Types here borrow from the object they came from and know nothing of stages, networks or New
//! Relic.

pub mod actor;
pub mod compliance;
pub mod config_item;
pub mod csv;
pub mod evaluation;
pub mod finding;
pub mod glob;
pub mod id;
pub mod identity;
pub mod json;
pub mod novelty;
pub mod partition;
pub mod principal;
pub mod severity;
pub mod text;
pub mod time;
pub mod trail;

pub use actor::{Actor, ActorKind};
pub use compliance::{ComplianceChange, StateChange};
pub use config_item::{ChangeType, ConfigItem};
pub use evaluation::{AccountRegion, ComplianceState, DeployedRule, Evaluation};
pub use finding::{Finding, FindingForm, FindingKey, FindingStatus, InsightResults};
pub use glob::Glob;
pub use id::RecordKey;
pub use novelty::{Novelties, Novelty};
pub use partition::partition_of;
pub use principal::Principal;
pub use severity::Severity;
pub use text::Text;
pub use trail::Trail;

/// What sort of AWS fact a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// A CloudTrail record: [`Trail`].
    Trail,
    /// AWS Config judged a resource, and not as before: [`ComplianceChange`].
    ComplianceChange,
    /// AWS Config saw a resource that is not as before: [`ConfigItem`].
    ConfigItem,
    /// A security finding in this form: [`Finding`].
    Finding(FindingForm),
    /// The results of an insight, with the envelope around them: [`InsightResults`].
    Insight,
}
