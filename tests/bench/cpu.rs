//! CPU time of this thread, to the nanosecond, and of processes that have ended.
//!
//! In: nothing. Out: nanoseconds that this thread has run, from `/proc/thread-self/schedstat`: no clock of the wall, so a busy
//! neighbour costs little, and no 10 ms ticks; those only count what other processes took.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use anyhow::{Context as _, Result};

/// Adds up the CPU time of stretches of work.
pub(crate) struct Stopwatch {
    schedstat: File,
    spent_ns: u64,
}

impl Stopwatch {
    pub(crate) fn new() -> Result<Self> {
        let schedstat = File::open("/proc/thread-self/schedstat").context("opening /proc/thread-self/schedstat")?;
        Ok(Self { schedstat, spent_ns: 0 })
    }

    /// Does `work` and adds what it cost.
    pub(crate) fn time<T>(&mut self, work: impl FnOnce() -> T) -> Result<T> {
        let before = self.now_ns()?;
        let done = work();
        self.spent_ns += self.now_ns()?.saturating_sub(before);
        Ok(done)
    }

    /// What has been added so far, nanoseconds.
    pub(crate) fn spent_ns(&self) -> u64 {
        self.spent_ns
    }

    fn now_ns(&self) -> Result<u64> {
        // The scheduler brings its figure up to date when a thread offers its place.
        std::thread::yield_now();
        let mut text = [0; 64];
        let read = self.schedstat.read_at(&mut text, 0).context("reading schedstat")?;
        let text = std::str::from_utf8(text.get(..read).unwrap_or_default())?;
        let ran = text.split_ascii_whitespace().next().context("schedstat is empty")?;
        ran.parse().with_context(|| format!("schedstat says \"{ran}\", a number of nanoseconds is needed"))
    }
}

/// CPU time of all processes that this one started and waited for, nanoseconds in ticks of 10 ms.
pub(crate) fn children_ns() -> Result<u64> {
    const TICK_NS: u64 = 10_000_000;
    let text = std::fs::read_to_string("/proc/self/stat").context("reading /proc/self/stat")?;
    // What follows the name, which may hold anything: `cutime` and `cstime` are the 14th and 15th of it.
    let (_, fields) = text.rsplit_once(')').context("/proc/self/stat has no name")?;
    let ticks = |nth| fields.split_ascii_whitespace().nth(nth).and_then(|field| field.parse::<u64>().ok());
    let (user, system) = ticks(13).zip(ticks(14)).context("/proc/self/stat has no times of children")?;
    Ok((user + system) * TICK_NS)
}
