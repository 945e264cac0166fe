//! The alert conditions, from one file each: what New Relic is asked to make, through `NerdGraph` or Terraform, in every language.
//!
//! In: the files of `nrql/conditions`, built in or from a folder; files of muting rules. Out: the inputs of `NerdGraph`, Terraform's resources, a table for
//! people, and everything that is wrong with a file. What always holds: the same files give the same bytes; both languages ask New
//! Relic the same, they differ in names and texts; a text that tells a threshold has it from the threshold. It sends nothing.

mod cases;
mod edit;
mod files;
pub mod lint;
mod muting;
mod render;
mod source;
mod table;
mod text;

#[cfg(test)]
mod tests;

pub use cases::{Case, ExpectedIncident, RowSource};
pub use edit::{edited, retimed};
pub use files::SHIPPED;
pub use muting::muting_rules;
pub use render::{RenderError, Request, nerdgraph, terraform};
pub use source::{ConditionSource, Definition, Policy, PolicySource, Responder};
pub use table::{ladder, table};
pub use text::{closing, opening, written};
