//! Arrivals become windows, and windows are closed.
//!
//! In: rows in the order they arrived, each of a signal. Out: in which windows each counts, and a [`Clock`] that says when a window
//! was closed. What always holds: a closed window never opens again, what comes for it then is late; the windows of a signal are
//! closed in order; what is due at an instant happens before what arrives at it. Values are not known here.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::super::engine::windowed::Arrival;
use super::loss::{Silence, Watch};
use super::settings::{Alignment, FlowClock, Switches};
use crate::nrql::condition::{Method, Signal};

/// Ms in a second.
pub(super) const SECOND_MS: i64 = 1_000;
/// What can be a time, ms since 1970: some 30,000 years either way. A row of another is of no window.
pub(super) const TIMES_MS: RangeInclusive<i64> = -1_000_000_000_000_000..=1_000_000_000_000_000;

/// The windows of a condition.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "names tell their units")]
pub(super) struct Windows {
    /// How long each is, ms.
    pub(super) width_ms: i64,
    /// How far their ends are apart, ms; divides the width.
    pub(super) step_ms: i64,
    origin_ms: i64,
    /// Windows that end before are not evaluated.
    first_end_ms: i64,
}

impl Windows {
    /// Of a condition that begins at a moment.
    pub(super) fn new(signal: &Signal, begin_ms: i64, alignment: Alignment) -> Self {
        let width_ms = i64::from(signal.window_s) * SECOND_MS;
        Self {
            width_ms,
            step_ms: i64::from(signal.step_s()) * SECOND_MS,
            origin_ms: if alignment == Alignment::Epoch { 0 } else { begin_ms },
            // Sliding windows wait for one whole window after creation.
            first_end_ms: if signal.slide_s.is_some() { begin_ms.saturating_add(width_ms) } else { i64::MIN },
        }
    }

    /// The last end of a window at or before a moment.
    pub(super) fn floor(&self, ms: i64) -> i64 {
        ms - (ms - self.origin_ms).rem_euclid(self.step_ms)
    }

    /// The ends of the windows that hold a moment.
    pub(super) fn ends(&self, ms: i64) -> impl Iterator<Item = i64> + use<> {
        let (first, step, least) = (self.floor(ms) + self.step_ms, self.step_ms, self.first_end_ms);
        (0..self.width_ms / self.step_ms).map(move |number| first + number * step).filter(move |end| *end >= least)
    }
}

/// When the windows of a signal are closed.
#[derive(Debug, Clone)]
pub(super) enum Clock {
    /// So many ms after their end.
    Cadence {
        delay_ms: i64,
        /// Nothing is closed at or after this moment,
        until_ms: i64,
        /// except windows with rows.
        settles: bool,
    },
    /// The greatest timestamp so far and when it arrived, each time it grew.
    Flow { delay_ms: i64, steps: Vec<(i64, i64)> },
    /// The ends of the windows with rows and when each was closed. Windows between are closed with the next of these.
    Timer { timer_ms: i64, closed: Vec<(i64, i64)> },
}

impl Clock {
    /// When a window with this end, that has rows or comes before one that has, was closed; none if it was not.
    pub(super) fn closed_ms(&self, end_ms: i64) -> Option<i64> {
        match self {
            Self::Cadence { delay_ms, until_ms, settles } => Some(end_ms + delay_ms).filter(|ms| *settles || ms < until_ms),
            Self::Flow { delay_ms, steps } => {
                let at = steps.partition_point(|(data_ms, _)| *data_ms < end_ms + delay_ms);
                steps.get(at).map(|(_, arrived_ms)| *arrived_ms)
            }
            Self::Timer { closed, .. } => closed.get(closed.partition_point(|(end, _)| *end < end_ms)).map(|(_, ms)| *ms),
        }
    }

    /// All windows that end at or before this were closed, of all others none without rows.
    pub(super) fn closed_until(&self) -> i64 {
        match self {
            Self::Cadence { delay_ms, until_ms, .. } => until_ms.saturating_sub(1).saturating_sub(*delay_ms),
            Self::Flow { delay_ms, steps } => steps.last().map_or(i64::MIN, |(data_ms, _)| data_ms - delay_ms),
            Self::Timer { closed, .. } => closed.last().map_or(i64::MIN, |(end_ms, _)| *end_ms),
        }
    }

    /// Whether a window is closed by a row that arrives, hence after what is due at that instant: a timer of 0 ends with the row.
    pub(super) const fn by_rows(&self) -> bool {
        matches!(self, Self::Flow { .. } | Self::Timer { timer_ms: 0, .. })
    }
}

/// What arrivals made.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// One for each group; a single one if all share it.
    clocks: Vec<Clock>,
    /// Silences of each group that were long enough to lose its signal.
    pub(super) silences: Vec<Vec<Silence>>,
    /// Rows that came after a window of theirs was closed.
    pub(super) late: u64,
    shared: bool,
}

impl Placed {
    /// The clock of a group; none if no row of it ever counted.
    pub(super) fn clock(&self, group: u32) -> Option<&Clock> {
        self.clocks.get(if self.shared { 0 } else { group as usize })
    }
}

/// A window of `EVENT_TIMER` that waits.
#[derive(Debug, Clone, Copy)]
struct Open {
    last_ms: i64,
}

/// One signal while its rows come.
#[derive(Debug, Default)]
struct Stream {
    /// Greatest timestamp so far.
    data_ms: Option<i64>,
    steps: Vec<(i64, i64)>,
    open: BTreeMap<i64, Open>,
    closed: Vec<(i64, i64)>,
    watch: Watch,
}

impl Stream {
    /// Closes what is due at `now_ms`. A row restarts its timer at its own instant, so a timer of 0 ends with the instant.
    fn close_due(&mut self, timer_ms: i64, now_ms: i64) {
        while let Some((end_ms, open)) = self.open.first_key_value().map(|(end_ms, open)| (*end_ms, *open)) {
            if open.last_ms >= now_ms || open.last_ms + timer_ms > now_ms {
                return;
            }
            let before = self.closed.last().map_or(i64::MIN, |(_, ms)| *ms);
            self.closed.push((end_ms, before.max(open.last_ms + timer_ms)));
            self.open.remove(&end_ms);
        }
    }

    fn advance(&mut self, arrival: &Arrival) {
        if self.data_ms.is_none_or(|known| known < arrival.timestamp_ms) {
            self.data_ms = Some(arrival.timestamp_ms);
            self.steps.push((arrival.timestamp_ms, arrival.received_ms));
        }
    }
}

/// Places rows in windows.
pub(super) struct Placing<'s> {
    pub(super) signal: &'s Signal,
    pub(super) windows: Windows,
    pub(super) switches: Switches,
    /// `expirationDuration`, ms; none if nobody waits for silence.
    pub(super) expires_ms: Option<i64>,
    /// End of the range, ms.
    pub(super) end_ms: i64,
    /// Windows with rows that wait at the end of the range are closed.
    pub(super) settles: bool,
}

impl Placing<'_> {
    /// The pairs of a row's position and the end of a window, and when windows were closed.
    pub(super) fn place(&self, arrivals: &[Arrival]) -> (Vec<(u32, i64)>, Placed) {
        let mut pairs = Vec::with_capacity(arrivals.len());
        let mut streams: Vec<Stream> = Vec::new();
        let mut late = 0;
        // The clock of all signals together.
        let mut whole = Stream::default();
        for (at, arrival) in (0_u32..).zip(arrivals) {
            let group = arrival.group as usize;
            if streams.len() <= group {
                streams.resize_with(group + 1, Stream::default);
            }
            let Some(stream) = streams.get_mut(group).filter(|_| TIMES_MS.contains(&arrival.timestamp_ms)) else { continue };
            if let Method::EventTimer { timer_s } = self.signal.method {
                stream.close_due(i64::from(timer_s) * SECOND_MS, arrival.received_ms);
            }
            let closed_until = self.closed_until(stream, &whole, arrival);
            let (mut last, mut is_late) = (None, false);
            for end_ms in self.windows.ends(arrival.timestamp_ms) {
                if end_ms <= closed_until {
                    is_late = true;
                    continue;
                }
                pairs.push((at, end_ms));
                last = Some(end_ms);
                if matches!(self.signal.method, Method::EventTimer { .. }) {
                    stream.open.insert(end_ms, Open { last_ms: arrival.received_ms });
                }
            }
            late += u64::from(is_late);
            match (self.signal.method, self.switches.flow_clock) {
                (Method::EventFlow { .. }, FlowClock::Signal) => stream.advance(arrival),
                (Method::EventFlow { .. }, FlowClock::Condition) => whole.advance(arrival),
                _ => {}
            }
            if let Some(expires_ms) = self.expires_ms
                && (last.is_some() || self.switches.late_rows_keep_alive)
            {
                stream.watch.row(arrival, last, expires_ms);
            }
        }
        (pairs, self.placed(streams, whole, late))
    }

    /// The end of the last window that is closed when a row arrives.
    fn closed_until(&self, stream: &Stream, whole: &Stream, arrival: &Arrival) -> i64 {
        match self.signal.method {
            Method::Cadence { delay_s } => arrival.received_ms - i64::from(delay_s) * SECOND_MS,
            Method::EventFlow { delay_s } => {
                let of = if self.switches.flow_clock == FlowClock::Signal { stream } else { whole };
                of.data_ms.map_or(i64::MIN, |data_ms| data_ms - i64::from(delay_s) * SECOND_MS)
            }
            Method::EventTimer { .. } => stream.closed.last().map_or(i64::MIN, |(end_ms, _)| *end_ms),
        }
    }

    fn placed(&self, mut streams: Vec<Stream>, whole: Stream, late: u64) -> Placed {
        let silences = |stream: &mut Stream| {
            self.expires_ms.map_or_else(Vec::new, |expires_ms| std::mem::take(&mut stream.watch).end(expires_ms, self.end_ms))
        };
        let silences = streams.iter_mut().map(silences).collect();
        let shared = |clock: Clock| (vec![clock], true);
        let (clocks, shared) = match (self.signal.method, self.switches.flow_clock) {
            (Method::Cadence { delay_s }, _) => {
                let delay_ms = i64::from(delay_s) * SECOND_MS;
                shared(Clock::Cadence { delay_ms, until_ms: self.end_ms, settles: self.settles })
            }
            (Method::EventFlow { delay_s }, FlowClock::Condition) => {
                shared(Clock::Flow { delay_ms: i64::from(delay_s) * SECOND_MS, steps: whole.steps })
            }
            (Method::EventFlow { delay_s }, FlowClock::Signal) => {
                let delay_ms = i64::from(delay_s) * SECOND_MS;
                (streams.into_iter().map(|stream| Clock::Flow { delay_ms, steps: stream.steps }).collect(), false)
            }
            (Method::EventTimer { timer_s }, _) => {
                let timer_ms = i64::from(timer_s) * SECOND_MS;
                let close = |mut stream: Stream| {
                    // What is due at the end of the range is not in it; what arrived in its last instant has ended with that.
                    let last_ms = self.end_ms - i64::from(timer_ms > 0);
                    stream.close_due(timer_ms, if self.settles { i64::MAX } else { last_ms });
                    Clock::Timer { timer_ms, closed: stream.closed }
                };
                (streams.into_iter().map(close).collect(), false)
            }
        };
        Placed { clocks, silences, late, shared }
    }

    /// Where all rows are of one group, its clock is everybody's: what a nested query reads.
    pub(super) fn shared(placed: Placed) -> Placed {
        Placed { shared: true, silences: Vec::new(), ..placed }
    }
}
