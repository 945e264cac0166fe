//! Batches → answers.
//!
//! In: [`Batch`](crate::encode::Batch)es. Out: every piece of them settled: delivered when New Relic said so in its
//! documented way, rejected when it never will and the item is safe in the dead letters, returned otherwise. What always
//! holds: nothing is given up while the source can wait; a refused item costs itself only.

pub mod answer;
mod folder;
pub mod http;
pub mod letter;
pub mod mailbox;
pub mod park;
pub mod retry;
pub mod sender;

pub use http::Endpoint;
pub use letter::Letter;
pub use sender::{Patience, Sender, Traffic};
