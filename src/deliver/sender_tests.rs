//! The gate, and what a sender does after each answer, in paused time: the times are exact but for the jitter.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::Mutex;

use tokio::time::Instant;

use super::*;
use crate::ack::{Counts, ObjectEntry, Outcome};
use crate::encode::{Batcher, BodyLimits};

/// A moment of some day, 29 seconds before a minute is over.
const NOW: i64 = 1_795_292_071_000;

/// How long a request takes.
const ON_THE_WIRE: Duration = Duration::from_millis(100);

/// New Relic with its answers in order; when they are used up it accepts. Notes when each body came, and what was in it.
struct Scripted {
    began: Instant,
    answers: Mutex<VecDeque<Reply>>,
    asked: Mutex<Vec<(Duration, String)>>,
}

impl Post for Arc<Scripted> {
    async fn post(&self, _: Lane, body: bytes::Bytes) -> Reply {
        let mut unpacked = flate2::write::GzDecoder::new(Vec::new());
        unpacked.write_all(&body).unwrap();
        let text = String::from_utf8(unpacked.finish().unwrap()).unwrap();
        self.asked.lock().unwrap().push((self.began.elapsed(), text));
        let answer = self.answers.lock().unwrap().pop_front();
        tokio::time::sleep(ON_THE_WIRE).await;
        answer.unwrap_or_else(|| reply(200, Answer::Accepted))
    }
}

fn reply(status: u16, answer: Answer) -> Reply {
    Reply { answer, status: Some(status), said: String::new(), is_too_slow: status == 408, is_in_doubt: false }
}

fn later(status: u16, after_s: Option<u64>) -> Reply {
    reply(status, Answer::Retry { after: after_s.map(Duration::from_secs) })
}

/// A sender at work, what feeds it, and what New Relic saw.
struct AtWork {
    scripted: Arc<Scripted>,
    clock: Clock,
    gate: Arc<Gate>,
    letters: mpsc::Receiver<Parking>,
    counts: Arc<Counts>,
    batches: mpsc::Sender<Batch>,
    sender: tokio::task::JoinHandle<()>,
}

impl AtWork {
    fn start(in_flight: usize, answers: impl IntoIterator<Item = Reply>) -> Self {
        let answers = Mutex::new(answers.into_iter().collect());
        let scripted = Arc::new(Scripted { began: Instant::now(), answers, asked: Mutex::default() });
        let clock = Clock::fixed(NOW);
        let gate = Arc::new(Gate::default());
        let (letters_in, letters) = mpsc::channel(1);
        let sender = Sender {
            endpoint: Arc::clone(&scripted),
            backoff: Backoff::default(),
            clock: clock.clone(),
            letters: letters_in,
            gate: Arc::clone(&gate),
            traffic: Arc::default(),
            patience: Patience::Endless,
        };
        let (batches, receiver) = mpsc::channel(8);
        let sender = tokio::spawn(sender.run(receiver, in_flight));
        Self { scripted, clock, gate, letters, counts: Arc::new(Counts::new("test")), batches, sender }
    }

    /// Gives the sender a batch of these items.
    async fn give(&self, items: &[&str]) {
        let limits = BodyLimits { unpacked: 10_000, packed: 10_000, items: 100, level: 1 };
        let mut batcher = Batcher::new(Lane::Events, limits, Lane::Events.head(""));
        let entry = ObjectEntry::enter(Arc::clone(&self.counts), 0, None);
        for item in items {
            let record = entry.record();
            record.ends_as(Outcome::Delivered);
            let text = format!(r#"{{"eventType":"{item}","timestamp":{NOW},"relay.late":"false"}}"#);
            assert!(batcher.push(text.as_bytes(), NOW, record.piece()).is_none());
        }
        entry.decoded();
        self.batches.send(batcher.close().unwrap()).await.unwrap();
    }

    /// Waits until all is delivered; gives the requests: when (milliseconds) and the items in it.
    async fn requests(self) -> Vec<(u128, String)> {
        let Self { scripted, counts, batches, sender, .. } = self;
        drop(batches);
        sender.await.unwrap();
        let counts = counts.snapshot();
        assert!(counts.adds_up() && counts.ended(Outcome::Delivered) == counts.records_received, "{counts:?}");
        let asked = scripted.asked.lock().unwrap();
        let names = |text: &str| {
            let names = text.split(r#""eventType":""#).skip(1);
            names.map(|rest| rest.split('"').next().unwrap()).collect::<Vec<_>>().join(" ")
        };
        asked.iter().map(|(at, text)| (at.as_millis(), names(text))).collect()
    }
}

/// Asserts what was asked, and when: within the quarter of a second of jitter that a server's delay gets on top.
#[track_caller]
fn assert_requests(name: &str, got: &[(u128, String)], want: &[(u128, &str)]) {
    let fits = |((at, items), (from, wanted)): (&(u128, String), &(u128, &str))| {
        items == wanted && (*from..=*from + if *from == 0 { 0 } else { 250 }).contains(at)
    };
    assert!(got.len() == want.len() && got.iter().zip(want).all(fits), "{name}: got {got:?}, want {want:?}");
}

/// The delay that the server names, and the rest of the minute after a 429 without a word, are silence on the lane: the limit
/// counts requests, and every other one in between would be refused and counted too.
#[tokio::test(start_paused = true)]
async fn a_delay_of_the_server_is_silence_on_the_lane() {
    for (name, answer, wait_ms) in [
        ("429, seven seconds", later(429, Some(7)), 7_000),
        ("429, nothing said: the rest of the minute", later(429, None), 29_000),
        ("408, five seconds", later(408, Some(5)), 5_000),
        ("503, a minute", later(503, Some(60)), 60_000),
        ("429, a day: cut to ten minutes", later(429, Some(86_400)), 600_000),
    ] {
        let lane = AtWork::start(2, [answer]);
        lane.give(&["a"]).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        lane.give(&["b"]).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        lane.give(&["c"]).await;
        let requests = lane.requests().await;
        // The second was on the wire before the answer came; the third has to wait for as long as the first.
        let from = 100 + wait_ms;
        assert_eq!((requests[0].0, requests[1].0), (0, 50), "{name}");
        let mut late: Vec<&str> = requests[2..].iter().map(|(_, items)| items.as_str()).collect();
        late.sort_unstable();
        assert_eq!(late, ["a", "c"], "{name}: {requests:?}");
        assert!(requests[2..].iter().all(|(at, _)| (from..=from + 250).contains(at)), "{name}: {requests:?}");
    }
}

/// A later answer with a shorter delay does not break the silence.
#[tokio::test(start_paused = true)]
async fn the_longest_delay_counts() {
    let lane = AtWork::start(2, [later(429, Some(20)), later(429, Some(3))]);
    lane.give(&["a"]).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    lane.give(&["b"]).await;
    let requests = lane.requests().await;
    assert!(requests.len() == 4 && requests[2..].iter().all(|(at, _)| (20_100..=20_350).contains(at)), "{requests:?}");
}

/// Our own back-off is the batch's alone: one that keeps failing does not hold up the others.
#[tokio::test(start_paused = true)]
async fn our_own_delay_is_for_one_batch() {
    for status in [408, 500, 503] {
        let lane = AtWork::start(2, [later(status, None)]);
        lane.give(&["a"]).await;
        tokio::time::sleep(Duration::from_millis(110)).await;
        lane.give(&["b"]).await;
        let requests = lane.requests().await;
        let [first, other, again] = requests.as_slice() else { panic!("{status}: {requests:?}") };
        assert_eq!((first, other), (&(0, "a".to_owned()), &(110, "b".to_owned())), "{status}");
        assert!(again.1 == "a" && (225..=350).contains(&again.0), "{status}: {requests:?}");
    }
}

/// After a 408 the batch goes in halves, after the delay that was named, and again after every further one.
#[tokio::test(start_paused = true)]
async fn what_took_too_long_is_halved_after_the_wait() {
    let lane = AtWork::start(1, [later(408, Some(5)), later(408, Some(9))]);
    lane.give(&["a", "b", "c", "d"]).await;
    let want = [(0, "a b c d"), (5_100, "a b"), (14_200, "a"), (14_300, "b"), (14_400, "c d")];
    // The jitter of both waits.
    let mut requests = lane.requests().await;
    let first = requests[1].0 - 5_100;
    requests[2..].iter_mut().for_each(|(at, _)| *at -= first);
    assert_requests("halves", &requests, &want);
}

/// What waits in silence may grow too old for New Relic's window meanwhile: it is looked at again before it is sent.
#[tokio::test(start_paused = true)]
async fn what_grows_old_in_silence_gets_the_present_time() {
    let lane = AtWork::start(2, [later(429, Some(30))]);
    lane.give(&["a"]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    lane.give(&["b"]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let tomorrow = NOW + 24 * 3_600_000;
    lane.clock.advance_to(tomorrow);
    let scripted = Arc::clone(&lane.scripted);
    assert_eq!(lane.requests().await.len(), 3);
    let asked = scripted.asked.lock().unwrap();
    for (_, text) in &asked[1..] {
        assert!(text.contains(&format!(r#""timestamp":{tomorrow},"relay.late":"true""#)), "{text}");
    }
}

/// While nothing is accepted each batch asks twice a minute at most; the first that gets through wakes the others.
#[tokio::test(start_paused = true)]
async fn the_first_to_get_through_wakes_the_lane() {
    let lane = AtWork::start(3, (0..3).map(|_| reply(403, Answer::Blocked(Block::Credentials))));
    for item in ["a", "b", "c"] {
        lane.give(&[item]).await;
    }
    let requests = lane.requests().await;
    assert_eq!(requests.len(), 6, "{requests:?}");
    assert!(requests[..3].iter().all(|(at, _)| *at == 0), "{requests:?}");
    let first = requests[3].0;
    assert!((22_600..=37_600).contains(&first), "{requests:?}");
    // Awake as soon as the first has its answer, if not by themselves before.
    assert!(requests[4..].iter().all(|(at, _)| (first..=first + 100).contains(at)), "{requests:?}");
}

/// What accepts logs says nothing about events: the gate stays shut until the lane that was refused gets through.
#[test]
fn each_lane_opens_for_itself() {
    let gate = Gate::default();
    let reply = reply(404, Answer::Blocked(Block::Address));
    let mut seen = gate.watch();
    let mut events = gate.lane(Lane::Events).subscribe();
    gate.shut(Lane::Events, Block::Address, &reply, 0);
    assert_eq!(*seen.borrow_and_update(), Some(Block::Address));
    assert_eq!(*events.borrow_and_update(), Some(Block::Address));
    for _ in 0..3 {
        gate.open(Lane::Logs);
    }
    assert!(!seen.has_changed().unwrap() && !events.has_changed().unwrap());
    gate.shut(Lane::Logs, Block::Credentials, &reply, 1);
    gate.open(Lane::Events);
    assert_eq!((*seen.borrow_and_update(), *events.borrow_and_update()), (Some(Block::Credentials), None));
    gate.open(Lane::Logs);
    assert_eq!(*seen.borrow_and_update(), None);
}

#[test]
fn the_next_minute_is_at_most_a_minute_away() {
    for (now_ms, want_ms) in [(0, 60_000), (1, 59_999), (59_999, 1), (1_795_292_071_000, 29_000), (-1, 1)] {
        assert_eq!(to_next_minute(now_ms), Duration::from_millis(want_ms), "{now_ms}");
    }
}

/// Notes when an error is logged.
struct Errors {
    began: Instant,
    at: Arc<Mutex<Vec<Duration>>>,
}

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Errors {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        if *event.metadata().level() == tracing::Level::ERROR {
            self.at.lock().unwrap().push(self.began.elapsed());
        }
    }
}

/// What is wrong with the key is told at the first refusal and again with the first one a minute later, however many come between.
#[tokio::test(start_paused = true)]
async fn refused_credentials_are_told_once_a_minute() {
    use tracing_subscriber::layer::SubscriberExt as _;
    let errors = Errors { began: Instant::now(), at: Arc::default() };
    let told = Arc::clone(&errors.at);
    let _listening = tracing::subscriber::set_default(tracing_subscriber::registry().with(errors));
    let lane = AtWork::start(3, (0..1_000).map(|_| reply(403, Answer::Blocked(Block::Credentials))));
    for item in ["a", "b", "c"] {
        lane.give(&[item]).await;
    }
    for second in 0..600 {
        lane.clock.advance_to(NOW + second * 1_000);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let refused: Vec<_> = lane.scripted.asked.lock().unwrap().iter().map(|(at, _)| *at + ON_THE_WIRE).collect();
    let told = told.lock().unwrap();
    assert!(refused.len() > 5 * told.len(), "told {told:?}, refused {refused:?}");
    assert_eq!(told[0], refused[0]);
    // The wall clock of this test is set once a second.
    let (minute, second) = (Duration::from_mins(1), Duration::from_secs(1));
    for pair in told.windows(2) {
        let between: Vec<_> = refused.iter().filter(|at| (pair[0] + second..pair[1]).contains(*at)).collect();
        assert!(pair[1] + second > pair[0] + minute, "told again before a minute is over: {told:?}");
        assert!(between.iter().all(|at| **at < pair[0] + minute + second), "refused, and not told: {between:?} {told:?}");
    }
    assert!(*told.last().unwrap() > Duration::from_mins(8), "told no more: {told:?}");
}

/// The bounds of that minute, exactly.
#[test]
fn a_refusal_is_told_again_when_the_minute_is_over_and_not_before() {
    use tracing_subscriber::layer::SubscriberExt as _;
    let errors = Errors { began: Instant::now(), at: Arc::default() };
    let told = Arc::clone(&errors.at);
    let _listening = tracing::subscriber::set_default(tracing_subscriber::registry().with(errors));
    let gate = Gate::default();
    let refusal = reply(403, Answer::Blocked(Block::Credentials));
    for (after_ms, times) in [(0, 1), (1, 1), (59_999, 1), (60_000, 2), (119_999, 2), (120_000, 3), (500_000, 4)] {
        // Both lanes may be refused; they share the minute.
        for lane in Lane::ALL {
            gate.shut(lane, Block::Credentials, &refusal, NOW + after_ms);
        }
        assert_eq!(told.lock().unwrap().len(), times, "after {after_ms} ms");
    }
}

/// A refusal of one item says that New Relic reads what is sent: the gate opens. The sources wait for that, so no other batch
/// might ever come to open it.
#[tokio::test(start_paused = true)]
async fn a_refused_item_opens_the_gate() {
    for (status, answer) in [(400, Answer::Refused), (413, Answer::Split)] {
        let blocked = reply(403, Answer::Blocked(Block::Credentials));
        let mut lane = AtWork::start(1, [blocked, reply(status, answer)]);
        lane.give(&["a"]).await;
        let mut gate = lane.gate.watch();
        gate.wait_for(Option::is_some).await.unwrap();
        let parking = lane.letters.recv().await.unwrap();
        assert!(parking.letter.reason.contains(&status.to_string()), "{}", parking.letter.reason);
        assert_eq!(*gate.borrow(), None, "{status}");
    }
}

/// A batch that is refused again and again while others get through is not tried at the speed of the answers.
#[tokio::test(start_paused = true)]
async fn a_batch_refused_alone_backs_off() {
    let answers = (0..20)
        .map(|at| if at % 2 == 0 { reply(403, Answer::Blocked(Block::Credentials)) } else { reply(200, Answer::Accepted) });
    let lane = AtWork::start(2, answers);
    for at in 0..11 {
        lane.give(&[&format!("i{at}")]).await;
    }
    let requests = lane.requests().await;
    let first: Vec<_> = requests.iter().filter(|(_, items)| items == "i0").map(|(at, _)| *at).collect();
    // Once at once, in case the key was mended; then not for a while.
    assert!(first.len() == 3 && first[1] == 100 && first[2] > 300, "{requests:?}");
}

/// Time runs out here, on a way too slow for the body: halved like a 408, or it would never get through.
#[tokio::test(start_paused = true)]
async fn what_got_no_answer_in_time_is_halved() {
    let unheard = |is_too_slow| Reply {
        answer: Answer::Retry { after: None },
        status: None,
        said: String::new(),
        is_too_slow,
        is_in_doubt: true,
    };
    for (name, is_too_slow, want) in [("no time", true, vec!["a b", "a", "b"]), ("no connection", false, vec!["a b", "a b"])] {
        let work = AtWork::start(1, [unheard(is_too_slow)]);
        work.give(&["a", "b"]).await;
        let got = work.requests().await;
        assert_eq!(got.iter().map(|(_, items)| items.as_str()).collect::<Vec<_>>(), want, "{name}");
    }
}

/// Whoever refuses everything may not be New Relic: readiness must show it. Each item still ends, and what is good behind them
/// is delivered at once (P22).
#[tokio::test(start_paused = true)]
async fn when_everything_is_refused_it_shows_and_holds_nothing_up() {
    let names: Vec<String> = (0..25).map(|number| format!("e{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // What it takes to come to each of twenty-five: one request for each item, and one for each pair of halves.
    let mut work = AtWork::start(1, (0..2 * 25 - 1).map(|_| reply(400, Answer::Refused)));
    work.give(&names).await;
    work.give(&["good"]).await;
    for number in 1..=25 {
        let letter = work.letters.recv().await.unwrap();
        // The letters' channel holds one: the sender may be one item further.
        let shows = work.gate.failing().is_some();
        assert!(if number < 19 { !shows } else { number < 21 || shows }, "{number}: {shows}");
        letter.piece.settle(letter.settled);
    }
    let AtWork { scripted, gate, counts, batches, sender, .. } = work;
    drop(batches);
    sender.await.unwrap();
    let counts = counts.snapshot();
    assert_eq!((counts.ended(Outcome::Rejected), counts.ended(Outcome::Delivered)), (25, 1));
    assert!(counts.adds_up() && gate.failing().is_none() && gate.watch().borrow().is_none());
    let asked = scripted.asked.lock().unwrap();
    assert_eq!(asked.len(), 50);
    assert!(asked.iter().all(|(at, _)| *at < Duration::from_secs(6)), "no time is lost between the requests: {asked:?}");
}
