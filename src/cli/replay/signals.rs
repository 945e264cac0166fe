//! SIGTERM and Ctrl-C, the first and the second.
//!
//! In: the process's signals, from the moment this is made. Out: two futures that may be had again and again. What always
//! holds: a signal that came before anybody waited is not forgotten, so a command of several steps stops once for all.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often the process was asked to stop.
#[derive(Debug)]
pub(in crate::cli) struct Signals {
    heard: watch::Receiver<u32>,
    listening: JoinHandle<()>,
}

impl Signals {
    /// Begins to listen; from here on no signal ends the process by itself.
    pub(in crate::cli) fn listen() -> std::io::Result<Self> {
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (tell, heard) = watch::channel(0);
        Ok(Self { heard, listening: tokio::spawn(count(terminate, interrupt, tell)) })
    }

    /// Whether the first one has come.
    pub(in crate::cli) fn came(&self) -> bool {
        *self.heard.borrow() > 0
    }

    /// Asks whether one more has come since now: for work that no task can be waited for in.
    #[cfg(feature = "lab")]
    pub(in crate::cli) fn one_more(&self) -> impl Fn() -> bool + Clone + Send + Sync + use<> {
        let heard = self.heard.clone();
        let before = *heard.borrow();
        move || *heard.borrow() > before
    }

    /// Ends with the first one.
    pub(in crate::cli) fn first(&self) -> impl Future<Output = ()> + use<> {
        reached(self.heard.clone(), 1)
    }

    /// Ends with the second one.
    pub(in crate::cli) fn second(&self) -> impl Future<Output = ()> + use<> {
        reached(self.heard.clone(), 2)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn count(mut terminate: Signal, mut interrupt: Signal, tell: watch::Sender<u32>) {
    loop {
        let came = tokio::select! {
            came = terminate.recv() => came,
            came = interrupt.recv() => came,
        };
        if came.is_none() {
            return;
        }
        tell.send_modify(|times| *times += 1);
    }
}

async fn reached(mut heard: watch::Receiver<u32>, times: u32) {
    if heard.wait_for(|heard| *heard >= times).await.is_err() {
        // Nobody listens any more, so nobody is asked to stop.
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_signal_is_remembered_and_the_second_one_is_another() {
        let (tell, heard) = watch::channel(0);
        let signals = Signals { heard, listening: tokio::spawn(std::future::pending()) };
        let now = || (signals.came(), signals.first().now_or_never().is_some(), signals.second().now_or_never().is_some());
        assert_eq!(now(), (false, false, false));
        tell.send_replace(1);
        assert_eq!((now(), now()), ((true, true, false), (true, true, false)));
        tell.send_replace(2);
        assert_eq!(now(), (true, true, true));
        drop(tell);
        assert!(signals.second().now_or_never().is_some(), "what came has come");
    }
}
