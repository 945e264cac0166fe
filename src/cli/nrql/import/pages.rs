//! All rows of a listing, window by window.
//!
//! In: a listing, and whoever answers queries. Out: its rows, oldest window first. What always holds: a window that gives as many rows
//! as a query may is not believed: it is halved until New Relic counts fewer, down to a millisecond; rows outside a window are left to
//! the window they are of, so none comes twice whichever end a window includes; of every window as many rows came as New Relic counts
//! there right after: neither fewer nor more, so that rows which arrive late in one window do not hide that some are missing in
//! another.

use serde_json::Value;

use super::Fields;
use super::listing::Listing;
use crate::publish::nerdgraph::NerdGraphError;
use crate::record::time::format_ms;

/// Most rows of one query: `LIMIT MAX`. [NRQL reference, "LIMIT"]
pub(super) const PAGE_ROWS: usize = 5_000;

/// How often a window is read whose rows are not as many as are counted: rows of now arrive between the two questions.
const READS: u32 = 3;

/// Rows that a window is made to hold: half a page, so that few are too full.
const AIM_ROWS: u64 = 2_500;

/// How much was read and how often was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// Rows that were read.
    pub(super) rows: u64,
    /// Rows that New Relic counted before.
    pub(super) counted: u64,
    /// Queries, without those that were asked again.
    pub(super) questions: u64,
}

impl Asked {
    /// Adds another type's.
    pub(super) fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.counted += other.counted;
        self.questions += other.questions;
    }
}

/// Why rows could not be read whole.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PageError {
    /// New Relic did not answer, or not as wished.
    #[error("{0}; nothing was written")]
    Asking(#[from] NerdGraphError),
    /// More rows in a millisecond than a query gives.
    #[error(
        "{rows} rows of {event_type} are of one millisecond ({}), and a query gives {PAGE_ROWS} at most; nothing was written",
        format_ms(*.at_ms)
    )]
    Crowded {
        /// Of which type.
        event_type: String,
        /// Which millisecond.
        at_ms: i64,
        /// How many rows.
        rows: u64,
    },
    /// Not as many rows of a window as are counted there.
    #[error(
        "{rows} rows of {event_type} came from {} until {}, and New Relic counts {counted} there; nothing was written",
        format_ms(*.begin_ms),
        format_ms(*.end_ms)
    )]
    Differs {
        /// Of which type.
        event_type: String,
        /// Begin of the window.
        begin_ms: i64,
        /// Its end.
        end_ms: i64,
        /// That came.
        rows: u64,
        /// That are there.
        counted: u64,
    },
    /// More than this machine is to hold.
    #[error("{found}, and at most {most} are held at once; nothing was written")]
    TooMuch {
        /// How much there is.
        found: String,
        /// How much may be.
        most: String,
    },
    /// An answer that cannot be understood.
    #[error("{0}; nothing was written")]
    Answer(String),
}

impl PageError {
    /// What the reader can do.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Asking(error) if error.is_passing() => "run it again, or with a shorter window",
            Self::Asking(_) => "`cspm-relay doctor newrelic` tells what is wrong with the key, the region or the account",
            Self::Crowded { .. } => "add a WHERE that leaves fewer, and read the rest into another folder",
            Self::TooMuch { .. } => "take a shorter window (SINCE … UNTIL …), and read the rest into another folder",
            Self::Differs { .. } => "run it again, with an UNTIL some minutes ago: what New Relic has just taken comes late",
            Self::Answer(_) => {
                "this version does not understand New Relic here: `--format json` without `--save` shows the answer"
            }
        }
    }
}

/// When a row happened, milliseconds since 1970.
pub(super) fn timestamp(row: &Fields) -> Result<i64, PageError> {
    let at = row.get("timestamp").and_then(|at| at.as_i64().or_else(|| at.as_f64().and_then(crate::lab::engine::time::whole)));
    at.ok_or_else(|| PageError::Answer("a row without a timestamp".to_owned()))
}

/// Reads every row of one type, `most_rows` at most. `keep` gets the rows of a window in the order of their times; `tell` what has
/// been read so far.
pub(super) async fn read(
    listing: &Listing,
    event_type: &str,
    most_rows: u64,
    ask: impl AsyncFn(&str) -> Result<Vec<Fields>, NerdGraphError>,
    mut keep: impl FnMut(Vec<Fields>) -> Result<(), PageError>,
    mut tell: impl FnMut(&Asked),
) -> Result<Asked, PageError> {
    let (begin_ms, end_ms) = listing.window();
    let counted = number(&ask(&listing.count(event_type, begin_ms, end_ms)).await?)?;
    if counted > most_rows {
        return Err(PageError::TooMuch {
            found: format!("{counted} rows of {event_type}"),
            most: format!("{most_rows} more rows"),
        });
    }
    let mut asked = Asked { counted, questions: 1, rows: 0 };
    let mut at_ms = begin_ms;
    let mut width = first_width(end_ms.saturating_sub(begin_ms), counted);
    let mut reads = 0;
    while counted > 0 && at_ms < end_ms {
        let until_ms = at_ms.saturating_add(width).min(end_ms);
        width = until_ms.saturating_sub(at_ms);
        asked.questions += 1;
        let page = match ask(&listing.rows(event_type, at_ms, until_ms)).await {
            Ok(page) if page.len() < PAGE_ROWS => page,
            Ok(_) | Err(NerdGraphError::TooLarge { .. }) if width > 1 => {
                width = narrower(listing, event_type, at_ms, width, &ask, &mut asked).await?;
                continue;
            }
            Ok(page) => page,
            Err(error) => return Err(error.into()),
        };
        // The window as it was asked for, whichever of its ends New Relic includes.
        asked.questions += 1;
        let there = number(&ask(&listing.count(event_type, at_ms, until_ms)).await?)?;
        if there > page.len() as u64 && page.len() >= PAGE_ROWS {
            return Err(PageError::Crowded { event_type: event_type.to_owned(), at_ms, rows: there });
        }
        if there != page.len() as u64 {
            reads += 1;
            if reads < READS {
                continue;
            }
            let rows = page.len() as u64;
            let event_type = event_type.to_owned();
            return Err(PageError::Differs { event_type, begin_ms: at_ms, end_ms: until_ms, rows, counted: there });
        }
        reads = 0;
        let few = (page.len() as u64) < AIM_ROWS / 2;
        let rows = of_window(page, at_ms, until_ms)?;
        asked.rows += rows.len() as u64;
        keep(rows)?;
        tell(&asked);
        at_ms = until_ms;
        if few {
            width = width.saturating_mul(2);
        }
    }
    if asked.rows < counted {
        let event_type = event_type.to_owned();
        return Err(PageError::Differs { event_type, begin_ms, end_ms, rows: asked.rows, counted });
    }
    Ok(asked)
}

/// A shorter window from the same begin that a query gives whole. Counting is cheap, and thousands of rows that are not kept are not.
async fn narrower(
    listing: &Listing,
    event_type: &str,
    at_ms: i64,
    mut width: i64,
    ask: impl AsyncFn(&str) -> Result<Vec<Fields>, NerdGraphError>,
    asked: &mut Asked,
) -> Result<i64, PageError> {
    loop {
        width = (width / 2).max(1);
        asked.questions += 1;
        let rows = number(&ask(&listing.count(event_type, at_ms, at_ms.saturating_add(width))).await?)?;
        if width == 1 || rows < PAGE_ROWS as u64 {
            return Ok(width);
        }
    }
}

/// The window that would hold what is aimed at, if rows came evenly; at least a millisecond.
fn first_width(span_ms: i64, counted: u64) -> i64 {
    let parts = i64::try_from(counted.div_ceil(AIM_ROWS)).unwrap_or(i64::MAX).max(1);
    (span_ms / parts).max(1)
}

/// The rows of a page that are of the window, oldest first. New Relic gives the newest first.
fn of_window(page: Vec<Fields>, begin_ms: i64, end_ms: i64) -> Result<Vec<Fields>, PageError> {
    let mut rows = Vec::with_capacity(page.len());
    for row in page.into_iter().rev() {
        let at = timestamp(&row)?;
        if (begin_ms..end_ms).contains(&at) {
            rows.push((at, row));
        }
    }
    rows.sort_by_key(|(at, _)| *at);
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// The number in the answer to a `count(*)`.
fn number(answer: &[Fields]) -> Result<u64, PageError> {
    let count = answer.first().and_then(|row| row.get("count"));
    let number = count.and_then(|count| count.as_u64().or_else(|| whole(count)));
    number.ok_or_else(|| PageError::Answer("an answer to count(*) without a number".to_owned()))
}

fn whole(count: &Value) -> Option<u64> {
    count.as_f64().and_then(crate::lab::engine::time::whole).and_then(|count| u64::try_from(count).ok())
}
