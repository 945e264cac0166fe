//! One leader among the agents that share a store.
//!
//! In: a store, the name of an object in it, how long a silent leader keeps the lead. Out: whether this agent leads, for whoever
//! watches. What always holds: no two agents lead at one instant, as long as their clocks run equally fast to a sixth; no clock
//! is compared with that of another machine. It does not stop what a deposed leader still does: writers of state expect a version.
//!
//! How: the object says who leads, and each renewal changes it. A leader leads until five sixths of the lease after it *sent* its
//! last good put. A follower takes over when the object stayed the same for the whole lease since it first *saw* it so, with a put
//! that expects exactly that version: of two followers one wins.

mod mark;

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use self::mark::Mark;
use super::store::{Expected, Store, StoreError, Version};

/// Longest lease, and how long a mark is respected that cannot be read.
pub const LONGEST: Duration = Duration::from_mins(5);

/// Time to let go of the lead when the agent stops.
const RELEASE: Duration = Duration::from_secs(3);

/// Time between two log lines about a store that does not answer.
const SAY_EVERY: Duration = Duration::from_mins(1);

/// Whether this agent leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leadership {
    /// Another one does, or nobody yet.
    Follower,
    /// This one does.
    Leader {
        /// Counts the tenures of all agents, from 1; no two have the same.
        epoch: u64,
    },
}

impl Leadership {
    /// Whether it is this agent.
    #[must_use]
    pub fn leads(self) -> bool {
        matches!(self, Self::Leader { .. })
    }
}

/// Who asks for the lead, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// A name for people who look at the object: host or task.
    pub holder: String,
    /// How long a leader that fell silent keeps the lead; at most [`LONGEST`].
    pub lease: Duration,
}

impl Settings {
    /// The lead is renewed after this time.
    fn renew(&self) -> Duration {
        self.lease() / 3
    }

    /// A follower looks this often.
    fn look(&self) -> Duration {
        self.lease() / 6
    }

    /// One call may take this long.
    fn call(&self) -> Duration {
        self.lease() / 6
    }

    /// After a call that failed a leader waits this long.
    fn again(&self) -> Duration {
        self.lease() / 12
    }

    /// So long after sending its last good put a leader leads: the rest is for clocks that run unequally.
    fn leads(&self) -> Duration {
        self.lease() - self.lease() / 6
    }

    fn lease(&self) -> Duration {
        self.lease.clamp(Duration::from_millis(12), LONGEST)
    }
}

/// An agent's part in the choice of a leader.
#[derive(Debug)]
pub struct Lease {
    store: Arc<dyn Store>,
    name: String,
    settings: Settings,
    published: watch::Sender<Leadership>,
    /// By this the agent knows its own marks; another one after each start.
    owner: String,
    /// Tenures it tried to begin.
    tenures: u64,
    /// The last put that should begin one, as long as nobody knows whether it happened.
    begun: Option<Begun>,
    seen: Option<Seen>,
    /// Highest epoch it knows of.
    epoch: u64,
    said: Option<Instant>,
}

/// A put that begins a tenure.
#[derive(Debug, Clone)]
struct Begun {
    mark: Mark,
    sent: Instant,
}

/// What a follower saw, and since when.
#[derive(Debug)]
struct Seen {
    /// `None`: there was no object.
    version: Option<Version>,
    since: Instant,
}

/// The time in which this agent leads.
#[derive(Debug)]
struct Tenure {
    mark: Mark,
    version: Version,
    /// When the put was sent that made `version`.
    sent: Instant,
}

/// What is in the store.
#[derive(Debug)]
struct Found {
    version: Version,
    /// `None`: it is no mark.
    mark: Option<Mark>,
}

/// How an attempt to renew ended.
enum Renewal {
    Done,
    /// Nobody knows.
    Unknown(StoreError),
    /// Somebody else wrote the object, or took it away.
    Lost,
}

impl Lease {
    /// A part in the choice of who leads, by the object of this name; and what to watch.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, name: &str, settings: Settings) -> (Self, watch::Receiver<Leadership>) {
        let (published, watched) = watch::channel(Leadership::Follower);
        let owner = format!("{:032x}", fastrand::u128(..));
        let name = name.to_owned();
        // A mark that is too long could not be read.
        let settings = Settings { holder: settings.holder.chars().take(200).collect(), ..settings };
        let lease = Self { store, name, settings, published, owner, tenures: 0, begun: None, seen: None, epoch: 0, said: None };
        (lease, watched)
    }

    /// Takes part until `stop`, then lets go of the lead, so that the next one has it at once.
    ///
    /// `stop` must not end before the work has that needs the lead.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            () = stop => {}
            never = self.take_part() => match never {},
        }
        self.publish(Leadership::Follower);
        self.release().await;
    }

    async fn take_part(&mut self) -> Infallible {
        loop {
            let tenure = self.follow().await;
            self.begun = None;
            self.epoch = self.epoch.max(tenure.mark.epoch);
            self.lead(tenure).await;
            self.publish(Leadership::Follower);
            // Somebody else may have begun and his mark be gone again: this agent does not start anew where there is nothing.
            self.seen.get_or_insert_with(|| Seen { version: None, since: Instant::now() }).since = Instant::now();
        }
    }

    fn publish(&self, now: Leadership) {
        let changed = self.published.send_replace(now) != now;
        match now {
            Leadership::Leader { epoch } if changed => tracing::info!(epoch, lease = self.name, "This agent leads"),
            Leadership::Follower if changed => tracing::info!(lease = self.name, "This agent no longer leads"),
            _ => {}
        }
    }

    /// Waits for the lead.
    async fn follow(&mut self) -> Tenure {
        loop {
            let wait = match self.bounded(None, self.store.get(&self.name)).await {
                Ok(found) => {
                    let found = found.map(|(bytes, version)| Found { version, mark: Mark::read(&bytes) });
                    if let Some(tenure) = self.begun_after_all(found.as_ref()) {
                        return tenure;
                    }
                    let wait = self.wait(found.as_ref());
                    if wait.is_zero() {
                        match self.take(found).await {
                            Ok(tenure) => return tenure,
                            // Somebody else was faster.
                            Err(StoreError::Conflict { .. }) => Duration::ZERO,
                            Err(error) => {
                                self.complain(&error);
                                self.settings.again()
                            }
                        }
                    } else {
                        wait
                    }
                }
                Err(error) => {
                    self.complain(&error);
                    self.settings.look()
                }
            };
            // Half by chance: agents that were started together need not ask together.
            let look = self.settings.look();
            sleep(wait.min(look / 2 + (look / 2).mul_f64(fastrand::f64())).max(Duration::from_millis(1))).await;
        }
    }

    /// A put whose answer was lost happened all the same, and the time in which it counts is not over.
    fn begun_after_all(&self, found: Option<&Found>) -> Option<Tenure> {
        let (found, begun) = (found?, self.begun.as_ref()?);
        let counts = found.mark.as_ref() == Some(&begun.mark) && begun.sent.elapsed() < self.settings.leads();
        counts.then(|| Tenure { mark: begun.mark.clone(), version: found.version.clone(), sent: begun.sent })
    }

    /// How long what is in the store must still stay the same.
    fn wait(&mut self, found: Option<&Found>) -> Duration {
        let whole = match found {
            // A new store. Where there was an object, somebody may still lead who has not noticed that it is gone.
            None if self.seen.is_none() => Duration::ZERO,
            None => self.settings.lease(),
            Some(Found { mark: Some(mark), .. }) => {
                self.epoch = self.epoch.max(mark.epoch);
                // It is this agent's own, and this agent does not lead: so nobody does.
                if mark.released || mark.is_of(&self.owner) { Duration::ZERO } else { self.settings.lease().max(mark.lease()) }
            }
            Some(Found { mark: None, .. }) => {
                if self.seen.as_ref().is_none_or(|seen| seen.version.as_ref() != found.map(|found| &found.version)) {
                    tracing::warn!(
                        object = format!("{}/{}", self.store.place(), self.name),
                        "Not the mark of a leader: nobody leads until it has stayed the same for {} s. Remove it if nothing else uses it",
                        LONGEST.as_secs()
                    );
                }
                LONGEST
            }
        };
        let version = found.map(|found| found.version.clone());
        let since = match &self.seen {
            Some(seen) if seen.version == version => seen.since,
            // Whoever wrote it sent it before it was seen here: this errs on the side of waiting.
            _ => Instant::now(),
        };
        // Nothing and never anything is not a sight to remember: the lead is tried for at once.
        if found.is_some() || self.seen.is_some() {
            self.seen = Some(Seen { version, since });
        }
        whole.saturating_sub(since.elapsed())
    }

    /// Tries to begin a tenure in place of what was found.
    async fn take(&mut self, found: Option<Found>) -> Result<Tenure, StoreError> {
        self.tenures += 1;
        let mark = Mark {
            holder: self.settings.holder.clone(),
            owner: self.owner.clone(),
            tenure: self.tenures,
            epoch: self.epoch.saturating_add(1),
            beat: 0,
            lease_ms: u64::try_from(self.settings.lease().as_millis()).unwrap_or(u64::MAX),
            released: false,
        };
        let sent = Instant::now();
        self.begun = Some(Begun { mark: mark.clone(), sent });
        let expected = found.map_or(Expected::Absent, |found| Expected::Version(found.version));
        let version = self.bounded(None, self.store.put(&self.name, mark.bytes(), expected)).await?;
        Ok(Tenure { mark, version, sent })
    }

    /// Leads, and comes back deposed.
    async fn lead(&mut self, mut tenure: Tenure) {
        if tenure.sent.elapsed() < self.settings.leads() {
            self.publish(Leadership::Leader { epoch: tenure.mark.epoch });
        }
        let mut next = tenure.sent + self.settings.renew();
        // A put that may have happened.
        let mut open: Option<(Mark, Instant)> = None;
        loop {
            let until = tenure.sent + self.settings.leads();
            sleep_until(next.min(until)).await;
            if Instant::now() >= until {
                tracing::warn!(lease = self.name, place = self.store.place(), "The lead could not be renewed in time");
                return;
            }
            match self.renew(&mut tenure, &mut open, until).await {
                Renewal::Done => next = tenure.sent + self.settings.renew(),
                Renewal::Unknown(error) => {
                    self.complain(&error);
                    next = Instant::now() + self.settings.again();
                }
                Renewal::Lost => {
                    tracing::warn!(
                        lease = self.name,
                        place = self.store.place(),
                        "Somebody else wrote or removed the mark of the leader"
                    );
                    return;
                }
            }
        }
    }

    async fn renew(&self, tenure: &mut Tenure, open: &mut Option<(Mark, Instant)>, until: Instant) -> Renewal {
        if let Some((mark, sent)) = open.clone() {
            match self.bounded(Some(until), self.store.get(&self.name)).await {
                Err(error) => return Renewal::Unknown(error),
                // It did not happen, or not yet.
                Ok(Some((_, version))) if version == tenure.version => {}
                Ok(Some((bytes, version))) if Mark::read(&bytes).as_ref() == Some(&mark) => {
                    *tenure = Tenure { mark, version, sent };
                    *open = None;
                    return Renewal::Done;
                }
                Ok(_) => return Renewal::Lost,
            }
        }
        // Each attempt writes other bytes, so that each has a version of its own.
        let beat = open.as_ref().map_or(tenure.mark.beat, |(mark, _)| mark.beat).saturating_add(1);
        let mark = Mark { beat, ..tenure.mark.clone() };
        let sent = Instant::now();
        *open = Some((mark.clone(), sent));
        let put = self.store.put(&self.name, mark.bytes(), Expected::Version(tenure.version.clone()));
        match self.bounded(Some(until), put).await {
            Ok(version) => {
                *tenure = Tenure { mark, version, sent };
                *open = None;
                Renewal::Done
            }
            Err(StoreError::Conflict { .. }) => Renewal::Lost,
            Err(error) => Renewal::Unknown(error),
        }
    }

    /// Says in the store that the next one need not wait.
    async fn release(&mut self) {
        if self.tenures == 0 {
            return;
        }
        let let_go = async {
            loop {
                let Some((bytes, version)) = self.store.get(&self.name).await? else { return Ok(()) };
                let mark = match Mark::read(&bytes) {
                    Some(mark) if mark.is_of(&self.owner) && !mark.released => mark,
                    _ => return Ok(()),
                };
                let mark = Mark { released: true, beat: mark.beat.saturating_add(1), ..mark };
                match self.store.put(&self.name, mark.bytes(), Expected::Version(version)).await {
                    // A renewal that was under way came in between.
                    Err(StoreError::Conflict { .. }) => {}
                    put => return put.map(drop),
                }
            }
        };
        let ended = timeout(RELEASE, let_go).await.unwrap_or_else(|_| Err(no_answer(RELEASE)));
        if let Err(error) = ended {
            tracing::warn!(%error, lease = self.name, "The lead was not let go: the next leader waits until the lease is over");
        }
    }

    /// A call that ends in good time, and before `until`.
    async fn bounded<T>(
        &self,
        until: Option<Instant>,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let time = self.settings.call();
        let most = Instant::now() + time;
        timeout_at(until.map_or(most, |until| until.min(most)), call).await.unwrap_or_else(|_| Err(no_answer(time)))
    }

    fn complain(&mut self, error: &StoreError) {
        if self.said.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            self.said = Some(Instant::now());
            tracing::warn!(%error, lease = self.name, place = self.store.place(), "Asking who leads failed; it is tried again");
        }
    }
}

fn no_answer(time: Duration) -> StoreError {
    StoreError::Passing { why: format!("no answer within {} ms", time.as_millis()) }
}
