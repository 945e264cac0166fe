//! Streaming evaluation: cases worked by hand, issues, muting. An oracle judges it in `tests/it/streaming.rs`.

mod bounds;
mod cases;
mod issue;
mod muting;

use crate::nrql::condition::{Condition, Fill, Kind, Method, Signal};

/// A condition of a window of 60 s, event flow without delay, and no term.
fn condition(query: &str) -> Condition {
    Condition {
        name: "case".to_owned(),
        query: query.to_owned(),
        kind: Kind::Static,
        signal: Signal {
            window_s: 60,
            slide_s: None,
            method: Method::EventFlow { delay_s: 0 },
            fill: Fill::None,
            evaluation_delay_s: 0,
        },
        terms: Vec::new(),
        expiration: None,
        time_limit_s: 259_200,
    }
}
