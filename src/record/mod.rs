//! The vocabulary: what flows through the stages.
//!
//! A *record* is one AWS fact. Types here borrow from the object they came from and know nothing of stages, networks or New
//! Relic.

pub mod actor;
pub mod compliance;
pub mod csv;
pub mod evaluation;
pub mod glob;
pub mod id;
pub mod severity;
pub mod text;
pub mod time;
pub mod trail;

pub use actor::{Actor, ActorKind};
pub use compliance::ComplianceChange;
pub use evaluation::{AccountRegion, ComplianceState, DeployedRule, Evaluation};
pub use glob::Glob;
pub use id::RecordKey;
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
}
