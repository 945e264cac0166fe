//! Writes dead letters.
//!
//! In: letters with the pieces that wait for them. Out: pieces settled as asked once the letter is safe; returned when it
//! could not be written. What always holds: a letter is durable before its piece settles (a folder is synced, S3 and SQS have
//! answered); no letter is cut, so one that does not fit into a message of a queue is not written there, and its piece is
//! returned; the same letter written twice is one letter in a folder or prefix, because its id is its name there. A queue
//! cannot know, so a letter may be in it twice; `dlq replay` sends it once.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Letter;
use crate::ack::{Piece, Settled};
use crate::cause;

/// A letter, the piece that waits for it, and how the piece settles once the letter is safe.
#[derive(Debug)]
pub struct Parking {
    /// What is written.
    pub letter: Letter,
    /// Who waits.
    pub piece: Piece,
    /// How it settles when the letter is safe.
    pub settled: Settled,
}

/// Where letters are written.
#[derive(Debug, Clone)]
pub enum Target {
    /// A folder; one file per letter.
    Folder(PathBuf),
    /// An S3 prefix; one object per letter.
    S3 {
        /// Client for the bucket's Region.
        client: aws_sdk_s3::Client,
        /// Bucket name.
        bucket: String,
        /// Key prefix without a leading slash.
        prefix: String,
    },
    /// An SQS queue; one message per letter.
    Queue {
        /// Client for the queue's Region.
        client: aws_sdk_sqs::Client,
        /// The queue's URL.
        url: String,
    },
    /// Nowhere: everything is returned, and the source's own redrive decides.
    Nowhere,
    /// Forgotten: for a look at the input that sends nothing and lets go of nothing, and for the demo, whose objects stay as they are.
    Discard,
    /// Nowhere either, but somebody wants to know why: each letter that would have been written is told, and its piece is
    /// returned. For a replay of letters, where what fails again stays as it is.
    Told(mpsc::Sender<Letter>),
}

/// What becomes of what cannot be sent, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A letter is written.
    Kept,
    /// Nobody keeps it but its source, a queue.
    Back,
    /// Nobody keeps it: its file or pipe never gave anything away.
    Unkept,
    /// It came out of a letter, which stays.
    Stays,
}

impl Fate {
    /// Of one record.
    #[must_use]
    pub fn of_record(self) -> &'static str {
        match self {
            Self::Kept => "it goes to the dead letters",
            Self::Back | Self::Unkept => "it is not sent, and no dead letters are configured",
            Self::Stays => "it stays in the dead letters",
        }
    }

    /// When there is no target.
    fn untargeted(self) -> &'static str {
        match self {
            Self::Kept | Self::Back | Self::Stays => {
                "No deadLetters target is configured: broken and refused records go back to their source"
            }
            Self::Unkept => {
                "No deadLetters target is configured: broken and refused records are not sent and not kept; \
                 CSPM_RELAY_DEAD_LETTERS names a folder, bucket or queue to keep them in"
            }
        }
    }

    /// Of what follows the place where an object broke.
    #[must_use]
    pub fn of_rest(self) -> &'static str {
        match self {
            Self::Kept => "its rest goes to the dead letters",
            Self::Back | Self::Unkept => "its rest is not read, and no dead letters are configured",
            Self::Stays => "its rest is not read, and its letter stays in the dead letters",
        }
    }
}

/// Time between two log lines about a missing target.
const SAY_EVERY: std::time::Duration = std::time::Duration::from_mins(1);
/// Letters written together at most.
const TOGETHER: usize = 500;
/// Bytes taken together; one letter more may come on top.
const BYTES: usize = 8 << 20;
/// S3 objects being written at once.
const PUTS: usize = 8;
/// Messages in one SQS batch call, and their bytes. [SQS: 10 messages, 1 MiB for the whole call]
const QUEUE_BATCH: usize = 10;
const QUEUE_BYTES: usize = 1 << 20;

/// Why letters could not be written.
#[derive(Debug, thiserror::Error)]
#[error("writing dead letters to {target}: {why}")]
pub struct ParkError {
    target: String,
    why: String,
}

impl Target {
    /// For messages.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Folder(path) => path.display().to_string(),
            Self::S3 { bucket, prefix, .. } => format!("s3://{bucket}/{prefix}"),
            Self::Queue { url, .. } => url.clone(),
            Self::Nowhere | Self::Discard | Self::Told(_) => "nowhere".to_owned(),
        }
    }

    /// What becomes of what is parked here; `gives_back`: there is a source that gets back what is nowhere.
    #[must_use]
    pub fn fate(&self, gives_back: bool) -> Fate {
        match self {
            Self::Folder(_) | Self::S3 { .. } | Self::Queue { .. } => Fate::Kept,
            Self::Nowhere | Self::Discard if gives_back => Fate::Back,
            Self::Nowhere | Self::Discard => Fate::Unkept,
            Self::Told(_) => Fate::Stays,
        }
    }

    /// Writes until the channel closes.
    pub async fn run(self, mut letters: mpsc::Receiver<Parking>, fate: Fate) {
        let mut said = None;
        while let Some(first) = letters.recv().await {
            // Only what is written next is taken out of the channel: its bound is the bound of what is held.
            let mut bytes = first.letter.size();
            let mut together = vec![first];
            while together.len() < TOGETHER && bytes < BYTES {
                let Ok(parking) = letters.try_recv() else { break };
                bytes += parking.letter.size();
                together.push(parking);
            }
            self.park(together, fate, &mut said).await;
        }
    }

    async fn park(&self, parkings: Vec<Parking>, fate: Fate, said: &mut Option<Instant>) {
        if let Self::Told(listener) = self {
            for parking in parkings {
                if listener.send(parking.letter).await.is_err() {
                    tracing::debug!("Nobody listens any more to why letters fail");
                }
            }
            // The pieces were dropped: returned.
            return;
        }
        if matches!(self, Self::Nowhere) {
            if said.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
                *said = Some(Instant::now());
                let letter = parkings.first().map(|parking| &parking.letter);
                tracing::warn!(
                    reason = letter.map(|letter| letter.reason.as_str()),
                    origin = letter.map(|letter| letter.origin.as_str()),
                    record = letter.and_then(|letter| letter.index).map(|index| index.saturating_add(1)),
                    "{}",
                    fate.untargeted()
                );
            }
            // Dropping the pieces returns them.
            return;
        }
        let letters: Vec<&Letter> = parkings.iter().map(|parking| &parking.letter).collect();
        let safe = match self.write(&letters).await {
            Ok(safe) => safe,
            Err(error) => {
                tracing::error!(%error, "Dead letters were not written; their records go back to the source");
                return;
            }
        };
        for (parking, safe) in parkings.into_iter().zip(safe) {
            if safe {
                parking.piece.settle(parking.settled);
            }
        }
    }

    /// Writes letters; says of each whether it is safe.
    ///
    /// # Errors
    /// [`ParkError`] when none is.
    pub async fn write(&self, letters: &[&Letter]) -> Result<Vec<bool>, ParkError> {
        let fault = |why: String| ParkError { target: self.name(), why };
        match self {
            Self::Nowhere | Self::Told(_) => Ok(vec![false; letters.len()]),
            Self::Discard => Ok(vec![true; letters.len()]),
            Self::Folder(folder) => {
                let files = letters.iter().map(|letter| (file_name(letter), content(letter))).collect();
                write_files(folder, files).await.map_err(|error| fault(error.to_string()))?;
                Ok(vec![true; letters.len()])
            }
            Self::S3 { client, bucket, prefix } => {
                let prefix = prefixed(prefix);
                let put = |letter: &Letter| {
                    let put = client.put_object().bucket(bucket).key(format!("{prefix}{}", file_name(letter)));
                    put.content_type("application/x-ndjson").body(content(letter).into()).send()
                };
                let puts: Vec<_> = letters.iter().map(|letter| put(letter)).collect();
                let written: Vec<_> = futures_util::stream::iter(puts).buffered(PUTS).collect().await;
                let failed = written.iter().find_map(|put| put.as_ref().err()).map(|error| cause::innermost(error));
                match failed {
                    Some(why) if written.iter().all(Result::is_err) => Err(fault(why)),
                    Some(why) => {
                        tracing::error!(error = why, "Some dead letters were not written; their records go back to the source");
                        Ok(written.iter().map(Result::is_ok).collect())
                    }
                    None => Ok(vec![true; letters.len()]),
                }
            }
            Self::Queue { client, url } => {
                let mut safe = vec![false; letters.len()];
                for letter in letters.iter().filter(|letter| letter.line().len() > QUEUE_BYTES) {
                    tracing::error!(
                        origin = letter.origin,
                        record = letter.index.map(|index| index.saturating_add(1)),
                        reason = letter.reason,
                        "A dead letter is larger than a message of SQS may be: its record goes back to the source"
                    );
                }
                for group in queue_groups(letters) {
                    let entries = group.iter().filter_map(|&at| {
                        let body = letters.get(at)?.line();
                        SendMessageBatchRequestEntry::builder().id(at.to_string()).message_body(body).build().ok()
                    });
                    match client.send_message_batch().queue_url(url).set_entries(Some(entries.collect())).send().await {
                        Ok(sent) => {
                            for entry in sent.successful() {
                                if let Some(safe) = entry.id().parse::<usize>().ok().and_then(|at| safe.get_mut(at)) {
                                    *safe = true;
                                }
                            }
                        }
                        Err(error) => {
                            tracing::error!(error = cause::innermost(&error), "Sending dead letters to the queue failed");
                        }
                    }
                }
                if safe.contains(&true) { Ok(safe) } else { Err(fault("the queue took none of them".to_owned())) }
            }
        }
    }
}

/// The name of a letter's file: the same thing is parked under the same name.
fn file_name(letter: &Letter) -> String {
    format!("{}.ndjson", letter.id)
}

fn content(letter: &Letter) -> Vec<u8> {
    let mut line = letter.line().into_bytes();
    line.push(b'\n');
    line
}

/// Groups of letters that fit into one SQS call each; a letter that fits into none is in none.
fn queue_groups(letters: &[&Letter]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut bytes = QUEUE_BYTES;
    for (at, letter) in letters.iter().enumerate() {
        let size = letter.line().len();
        if size > QUEUE_BYTES {
            continue;
        }
        let full = groups.last().is_none_or(|group| group.len() >= QUEUE_BATCH || bytes + size > QUEUE_BYTES);
        if full {
            groups.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(group) = groups.last_mut() {
            group.push(at);
        }
    }
    groups
}

/// A prefix that ends like a folder.
pub(super) fn prefixed(prefix: &str) -> String {
    if prefix.is_empty() || prefix.ends_with('/') { prefix.to_owned() } else { format!("{prefix}/") }
}

/// Writes a file so that it is there whole or not at all, and on the disk before this returns.
pub(super) async fn write_file(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    write_files(folder, vec![(name.to_owned(), bytes.to_vec())]).await
}

/// The same for several: each is there whole or not at all, and all are on the disk before this returns well.
async fn write_files(folder: &Path, files: Vec<(String, Vec<u8>)>) -> std::io::Result<()> {
    let folder = folder.to_owned();
    let write = move || {
        super::folder::make(&folder)?;
        for (name, bytes) in files {
            // A name of its own: others may write the same letter to the same folder.
            let open = folder.join(format!(".{name}.{:016x}.part", fastrand::u64(..)));
            let write = || {
                let mut file = super::folder::new_file(&open)?;
                file.write_all(&bytes)?;
                file.sync_all()?;
                std::fs::rename(&open, folder.join(name))
            };
            write().inspect_err(|_| {
                // On a full disk each try would leave one more. What cannot be taken away does no harm.
                let _gone = std::fs::remove_file(&open).is_ok();
            })?;
        }
        // The names are on the disk only when the folder is.
        std::fs::File::open(&folder)?.sync_all()
    };
    tokio::task::spawn_blocking(write).await?
}

#[cfg(test)]
mod tests {
    use super::super::letter::LetterKind;
    use super::*;

    fn letter(content: &str) -> Letter {
        Letter::new(LetterKind::Record, 1, "s", "o", None, "why", content.as_bytes())
    }

    /// Broken records are kept as they came, unmasked.
    #[cfg(unix)]
    #[tokio::test]
    async fn only_its_owner_reads_a_letter() {
        use std::os::unix::fs::PermissionsExt as _;

        let root = tempfile::tempdir().unwrap();
        let (deep, deeper) = (root.path().join("deep"), root.path().join("deep/er"));
        let shared = root.path().join("shared");
        std::fs::create_dir(&shared).unwrap();
        std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o750)).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let letter = letter("1");
        for folder in [&deeper, &shared] {
            // A letter that others could read until now is closed when it is written again.
            for _ in 0..2 {
                Target::Folder(folder.clone()).write(&[&letter]).await.unwrap();
                let file = folder.join(file_name(&letter));
                assert_eq!(mode(&file), 0o600, "{}", file.display());
                std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
            }
        }
        assert_eq!((mode(&deep), mode(&deeper)), (0o700, 0o700));
        assert_eq!(mode(&shared), 0o750, "a folder that was there stays as its owner made it");
    }

    /// However they are taken together: a repetition overwrites, and gives the newest time.
    #[tokio::test]
    async fn a_folder_holds_each_letter_once() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::Folder(folder.path().join("deep"));
        let (one, two, three) = (letter("1"), letter("2"), letter("3"));
        let later = Letter { time_ms: 2, ..two.clone() };
        for together in [vec![&one, &two], vec![&one], vec![&later, &three]] {
            assert_eq!(target.write(&together).await.unwrap(), vec![true; together.len()]);
        }
        let files = std::fs::read_dir(folder.path().join("deep")).unwrap().map(|file| file.unwrap().path());
        let found: std::collections::BTreeMap<_, _> = files
            .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap()))
            .collect();
        let want = [&one, &later, &three].map(|letter| (format!("{}.ndjson", letter.id), letter.line() + "\n"));
        assert_eq!(found, want.into());
    }

    /// A file gets nothing back, so whoever replays one is told what would keep its broken records.
    #[test]
    fn only_what_has_a_queue_behind_it_goes_back() {
        for (name, target, gives_back, fate, says) in [
            ("queue", Target::Nowhere, true, Fate::Back, "go back to their source"),
            ("file", Target::Nowhere, false, Fate::Unkept, "CSPM_RELAY_DEAD_LETTERS"),
        ] {
            assert_eq!(target.fate(gives_back), fate, "{name}");
            assert!(fate.untargeted().contains(says), "{name}: {}", fate.untargeted());
        }
        let (told, _) = mpsc::channel(1);
        assert_eq!(Target::Told(told).fate(true), Fate::Stays);
        assert_eq!(Target::Folder("f".into()).fate(false), Fate::Kept);
    }

    #[test]
    fn a_letter_too_long_for_a_message_is_in_no_call() {
        let (short, long, quotes) = (letter("1"), letter(&"x".repeat(1 << 20)), letter(&"\"".repeat(600_000)));
        assert_eq!(queue_groups(&[&long, &short, &quotes, &short]), [[1, 3]]);
        assert!(queue_groups(&[&long]).is_empty());
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let target = Target::Folder(file.path().join("below-a-file"));
        assert!(target.write(&[&letter("1")]).await.unwrap_err().to_string().starts_with("writing dead letters to "));
    }

    #[test]
    fn queue_calls_stay_inside_the_limits_of_sqs() {
        let letters: Vec<Letter> = (0..25).map(|at| letter(&"x".repeat(if at < 3 { 600_000 } else { 10 }))).collect();
        let letters: Vec<&Letter> = letters.iter().collect();
        let groups = queue_groups(&letters);
        assert_eq!(groups.concat(), (0..25).collect::<Vec<_>>());
        for group in groups {
            assert!(group.len() <= QUEUE_BATCH);
            assert!(group.iter().map(|&at| letters[at].line().len()).sum::<usize>() <= QUEUE_BYTES);
        }
    }
}
