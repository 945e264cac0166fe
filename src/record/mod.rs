//! The vocabulary: what flows through the stages.
//!
//! A *record* is one AWS fact. Types here borrow from the object they came from and know nothing of stages, networks or New
//! Relic.

pub mod actor;
pub mod id;
pub mod severity;
pub mod text;
pub mod time;
pub mod trail;

pub use actor::{Actor, ActorKind};
pub use id::RecordKey;
pub use severity::Severity;
pub use text::Text;
pub use trail::Trail;
