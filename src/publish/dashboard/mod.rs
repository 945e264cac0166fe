//! The dashboard, from one definition: what New Relic imports, in every language, for any accounts.
//!
//! In: the files of `dashboards/source`, built in or from a folder. Out: the JSON that New Relic's "Import dashboard" takes, the list
//! of questions, and everything that is wrong with the definition. What always holds: the same definition gives the same bytes;
//! both languages ask New Relic the same, they differ in labels and in the zone of calendar functions. It sends nothing.

mod document;
mod files;
pub mod lint;
mod query;
mod questions;
mod render;
mod source;

#[cfg(test)]
mod tests;

pub use document::{Document, Page, Widget};
pub use files::SHIPPED;
pub use questions::questions;
pub use render::{PLACEHOLDER_ACCOUNT, RenderError, Request, render};
pub(in crate::publish) use source::read;
pub use source::{Both, Definition, DefinitionError, Language, PageSource, WidgetSource};
