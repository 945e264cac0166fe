//! Dates, times of day and zones as a query writes them.
//!
//! In: a text in quotes. Out: what it says, or why it says nothing. What always holds: no clock is asked, so linter and engine read
//! a text alike; which moment is meant depends on now, and is the engine's to say.

mod text;
mod zone;

pub use text::{DateTimeText, TextError, instant, time_of_day};
pub use zone::{offset_seconds, zone};
