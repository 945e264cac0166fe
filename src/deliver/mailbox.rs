//! Reads dead letters back, and takes away those that are done with.
//!
//! In: the place that [`park`](super::park) writes to. Out: [`Sheet`]s, one per file, S3 object or receive, each with its
//! lines in order: a [`Letter`], or what is wrong with the line and where it stands. What always holds: only
//! [`Mailbox::remove`] changes anything, and only the lines it is told; everything else, broken lines too, stays byte for
//! byte; a file is replaced whole or not at all. Messages of a queue are hidden from others while the mailbox is open and
//! shown again by [`Mailbox::close`]. It neither sends letters nor judges them.
//!
//! An agent may write the same file again meanwhile: a file's name is made from the ids in it, so that can only bring back
//! letters that were here before.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry as Change, DeleteMessageBatchRequestEntry as Delete, Message};

use tokio::time::Instant;

use super::Letter;
use super::park::{Target, write_file};
use crate::cause;

/// Largest file or object of letters that is read, bytes; the agent writes 8 MiB at most, and one letter more.
const SHEET_BYTES: u64 = 64 << 20;
/// How long a received message stays hidden; renewed at half time by [`Mailbox::hold`].
const HIDDEN: Duration = Duration::from_mins(2);
/// How long an empty receive waits: long enough for SQS to ask all its servers.
const RECEIVE_SECONDS: i32 = 2;
/// Entries of one SQS batch call.
const QUEUE_BATCH: usize = 10;

/// A file, an object, or what one receive brought.
#[derive(Debug)]
pub struct Sheet {
    /// Path, `s3://bucket/key`, or the queue's URL.
    pub name: String,
    /// What is in it, in order, blank lines left out.
    pub lines: Vec<Line>,
}

/// One line, or one message.
#[derive(Debug)]
pub struct Line {
    /// Where it stands, for people: `file:line` or `queue/message-id`.
    pub place: String,
    /// The letter, or why it is none.
    pub letter: Result<Letter, String>,
    raw: Vec<u8>,
    /// How a message is deleted.
    handle: Option<String>,
}

/// Why letters could not be read or taken away.
#[derive(Debug, thiserror::Error)]
#[error("{doing} dead letters in {place}: {why}")]
pub struct MailboxError {
    doing: &'static str,
    place: String,
    why: String,
}

/// Letters, sheet by sheet.
#[derive(Debug)]
pub struct Mailbox {
    target: Target,
    /// File names or keys that wait to be read.
    names: VecDeque<String>,
    /// Where a listing goes on; `None` at the beginning.
    next: Option<String>,
    /// Nothing more is listed or received: all is known, or it failed.
    listed: bool,
    /// Messages that were received: their ids, to tell when all have been seen.
    seen: HashSet<String>,
    /// Handles of messages that are hidden.
    held: BTreeSet<String>,
    /// No message in `held` was hidden or renewed before this, as far as receiving goes.
    hidden_since: Option<Instant>,
}

impl Mailbox {
    /// The letters that `target` holds. Nothing is read yet.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self {
            target,
            names: VecDeque::new(),
            next: None,
            listed: false,
            seen: HashSet::new(),
            held: BTreeSet::new(),
            hidden_since: None,
        }
    }

    /// The next sheet; `None` when all have been given.
    ///
    /// # Errors
    /// When a file or object cannot be read: the next call goes on after it. When the place cannot be listed or received
    /// from: the next call says that there is nothing more.
    pub async fn next(&mut self) -> Result<Option<Sheet>, MailboxError> {
        match self.target.clone() {
            Target::Nowhere | Target::Told(_) | Target::Discard => Ok(None),
            Target::Folder(folder) => {
                if !self.listed {
                    self.listed = true;
                    self.names = file_names(&folder).await.map_err(|why| self.fault("listing", why.to_string()))?;
                }
                let Some(name) = self.names.pop_front() else { return Ok(None) };
                let path = folder.join(name);
                let fault = |why: String| MailboxError { doing: "reading", place: path.display().to_string(), why };
                let size = tokio::fs::metadata(&path).await.map_err(|error| fault(error.to_string()))?.len();
                if size > SHEET_BYTES {
                    return Err(fault(too_large(size)));
                }
                let bytes = tokio::fs::read(&path).await.map_err(|error| fault(error.to_string()))?;
                Ok(Some(Sheet::read(path.display().to_string(), &bytes)))
            }
            Target::S3 { client, bucket, prefix } => {
                let Some(key) = self.key(&client, &bucket, &super::park::prefixed(&prefix)).await? else { return Ok(None) };
                let name = format!("s3://{bucket}/{key}");
                let fault = |why: String| MailboxError { doing: "reading", place: name.clone(), why };
                let answer = client.get_object().bucket(&bucket).key(&key).send().await;
                let answer = answer.map_err(|error| fault(cause::innermost(&error)))?;
                let size = answer.content_length().and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0);
                if size > SHEET_BYTES {
                    return Err(fault(too_large(size)));
                }
                let bytes = answer.body.collect().await.map_err(|error| fault(error.to_string()))?.into_bytes();
                Ok(Some(Sheet::read(name, &bytes)))
            }
            Target::Queue { client, url } => self.receive(&client, &url).await,
        }
    }

    /// Takes these lines (by their place in the sheet) away, for good.
    ///
    /// # Errors
    /// When they could not be taken away, or not all of them: they will be found again.
    pub async fn remove(&mut self, sheet: &Sheet, done: &BTreeSet<usize>) -> Result<(), MailboxError> {
        if done.is_empty() {
            return Ok(());
        }
        let fault = |why: String| MailboxError { doing: "removing", place: sheet.name.clone(), why };
        let mut rest = Vec::new();
        for (_, line) in sheet.lines.iter().enumerate().filter(|(at, _)| !done.contains(at)) {
            rest.extend_from_slice(&line.raw);
            rest.push(b'\n');
        }
        match self.target.clone() {
            Target::Nowhere | Target::Told(_) | Target::Discard => Ok(()),
            Target::Folder(folder) => {
                let path = PathBuf::from(&sheet.name);
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                let done =
                    if rest.is_empty() { tokio::fs::remove_file(&path).await } else { write_file(&folder, &name, &rest).await };
                done.map_err(|error| fault(error.to_string()))
            }
            Target::S3 { client, bucket, .. } => {
                let key = sheet.name.strip_prefix(&format!("s3://{bucket}/")).unwrap_or(&sheet.name);
                if rest.is_empty() {
                    let asked = client.delete_object().bucket(&bucket).key(key);
                    asked.send().await.map(drop).map_err(|error| fault(cause::innermost(&error)))
                } else {
                    let asked = client.put_object().bucket(&bucket).key(key).content_type("application/x-ndjson");
                    asked.body(rest.into()).send().await.map(drop).map_err(|error| fault(cause::innermost(&error)))
                }
            }
            Target::Queue { client, url } => {
                let handles: Vec<&String> = done.iter().filter_map(|&at| sheet.lines.get(at)?.handle.as_ref()).collect();
                for group in handles.chunks(QUEUE_BATCH) {
                    let entries = group.iter().enumerate().filter_map(|(at, handle)| {
                        Delete::builder().id(at.to_string()).receipt_handle(handle.as_str()).build().ok()
                    });
                    let asked = client.delete_message_batch().queue_url(&url).set_entries(Some(entries.collect()));
                    let answer = asked.send().await.map_err(|error| fault(cause::innermost(&error)))?;
                    if let Some(failed) = answer.failed().first() {
                        return Err(fault(format!("{}: {}", failed.code(), failed.message().unwrap_or_default())));
                    }
                    for handle in group {
                        self.held.remove(*handle);
                    }
                }
                Ok(())
            }
        }
    }

    /// Keeps received messages hidden for as long as it is polled; never ends. Dropping it is safe at any time.
    pub async fn hold(&self) {
        let mut since = self.hidden_since.unwrap_or_else(Instant::now);
        loop {
            tokio::time::sleep_until(since + HIDDEN / 2).await;
            since = Instant::now();
            if let Err(error) = self.show_in(HIDDEN).await {
                tracing::warn!(%error, "Messages may come up again before they are done with; that repeats ids, nothing else");
            }
        }
    }

    /// Shows the messages that are left to others at once.
    ///
    /// # Errors
    /// When SQS did not do it: they show again by themselves within two minutes.
    pub async fn close(self) -> Result<(), MailboxError> {
        self.show_in(Duration::ZERO).await
    }

    async fn show_in(&self, time: Duration) -> Result<(), MailboxError> {
        let Target::Queue { client, url } = &self.target else { return Ok(()) };
        let seconds = i32::try_from(time.as_secs()).unwrap_or(i32::MAX);
        let held: Vec<&String> = self.held.iter().collect();
        for group in held.chunks(QUEUE_BATCH) {
            let entries = group.iter().enumerate().filter_map(|(at, handle)| {
                Change::builder().id(at.to_string()).receipt_handle(handle.as_str()).visibility_timeout(seconds).build().ok()
            });
            let asked = client.change_message_visibility_batch().queue_url(url).set_entries(Some(entries.collect()));
            asked.send().await.map_err(|error| self.fault("handing back", cause::innermost(&error)))?;
        }
        Ok(())
    }

    /// The next key of letters.
    async fn key(&mut self, client: &aws_sdk_s3::Client, bucket: &str, prefix: &str) -> Result<Option<String>, MailboxError> {
        while self.names.is_empty() && !self.listed {
            let asked = client.list_objects_v2().bucket(bucket).prefix(prefix).set_continuation_token(self.next.take());
            self.listed = true;
            let page = asked.send().await.map_err(|error| self.fault("listing", cause::innermost(&error)))?;
            self.next = page.next_continuation_token;
            self.listed = self.next.is_none();
            let keys = page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key);
            self.names.extend(keys.filter(|key| key.ends_with(".ndjson")));
        }
        Ok(self.names.pop_front())
    }

    async fn receive(&mut self, client: &aws_sdk_sqs::Client, url: &str) -> Result<Option<Sheet>, MailboxError> {
        if self.listed {
            return Ok(None);
        }
        self.listed = true;
        loop {
            self.renew().await;
            let asked = client.receive_message().queue_url(url).wait_time_seconds(RECEIVE_SECONDS);
            let asked = asked.max_number_of_messages(i32::try_from(QUEUE_BATCH).unwrap_or(10));
            let asked = asked.visibility_timeout(i32::try_from(HIDDEN.as_secs()).unwrap_or(i32::MAX));
            let answer = asked.send().await.map_err(|error| self.fault("receiving", cause::innermost(&error)))?;
            let queue = url.rsplit('/').next().unwrap_or(url);
            let messages = answer.messages.unwrap_or_default();
            // Only an empty receive is the end: one that repeats what was seen says nothing about the rest.
            if messages.is_empty() {
                return Ok(None);
            }
            let mut lines = Vec::new();
            for Message { message_id, receipt_handle, body, .. } in messages {
                let (Some(id), Some(handle)) = (message_id, receipt_handle) else { continue };
                self.held.insert(handle.clone());
                // One that comes up a second time was dealt with in this run.
                if self.seen.insert(id.clone()) {
                    let raw = body.unwrap_or_default().into_bytes();
                    lines.push(Line { place: format!("{queue}/{id}"), letter: letter(&raw), raw, handle: Some(handle) });
                }
            }
            if !lines.is_empty() {
                self.listed = false;
                return Ok(Some(Sheet { name: url.to_owned(), lines }));
            }
        }
    }

    /// Renews what is hidden when half its time is over: reading a long queue takes longer than a message stays hidden, and one
    /// that came up again meanwhile would be taken by others.
    async fn renew(&mut self) {
        let since = *self.hidden_since.get_or_insert_with(Instant::now);
        if since.elapsed() < HIDDEN / 2 {
            return;
        }
        self.hidden_since = Some(Instant::now());
        if let Err(error) = self.show_in(HIDDEN).await {
            tracing::warn!(%error, "Messages may come up again before all are read; that repeats ids, nothing else");
        }
    }

    fn fault(&self, doing: &'static str, why: String) -> MailboxError {
        MailboxError { doing, place: self.target.name(), why }
    }
}

impl Sheet {
    /// How large it is, bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.lines.iter().map(|line| line.raw.len()).sum()
    }

    fn read(name: String, bytes: &[u8]) -> Self {
        let lines = bytes.split(|byte| *byte == b'\n').enumerate();
        let lines = lines.filter(|(_, raw)| !raw.trim_ascii().is_empty()).map(|(at, raw)| Line {
            place: format!("{name}:{}", at + 1),
            letter: letter(raw),
            raw: raw.to_vec(),
            handle: None,
        });
        let lines = lines.collect();
        Self { name, lines }
    }
}

/// Reads one line.
fn letter(raw: &[u8]) -> Result<Letter, String> {
    let letter: Letter = serde_json::from_slice(raw).map_err(|error| format!("not a dead letter: {error}"))?;
    if letter.version != Letter::VERSION {
        return Err(format!("a dead letter of version {}: this version of cspm-relay reads {}", letter.version, Letter::VERSION));
    }
    letter.bytes().map_err(|error| format!("its contentBase64 is no base64: {error}"))?;
    Ok(letter)
}

fn too_large(size: u64) -> String {
    format!("{size} bytes, more than the {SHEET_BYTES} that are read: split the file by lines")
}

/// The files of letters in a folder, in the order of their names; a folder that does not exist yet holds none.
async fn file_names(folder: &std::path::Path) -> std::io::Result<VecDeque<String>> {
    let mut entries = match tokio::fs::read_dir(folder).await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(VecDeque::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        // A name that is not UTF-8 is none of ours; one that begins with a dot is still being written.
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.ends_with(".ndjson") && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names.into())
}

#[cfg(test)]
mod tests {
    use super::super::letter::LetterKind;
    use super::*;

    fn letter_of(content: &str) -> Letter {
        Letter::new(LetterKind::Record, 1, "s", "o", None, "why", content.as_bytes())
    }

    async fn all(target: &Target) -> (Mailbox, Vec<Sheet>) {
        let mut mailbox = Mailbox::new(target.clone());
        let mut sheets = Vec::new();
        while let Some(sheet) = mailbox.next().await.unwrap() {
            sheets.push(sheet);
        }
        (mailbox, sheets)
    }

    /// X9: what is left of a file survives the success of its other letters, broken lines too.
    #[tokio::test]
    async fn only_what_is_done_goes() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::Folder(folder.path().to_owned());
        let letters: Vec<Letter> = ["1", "2", "3"].map(letter_of).into();
        let [one, two, three] = letters.as_slice() else { unreachable!() };
        let text = format!("{}\nnonsense\n\n{}\n{}\n", one.line(), two.line(), three.line());
        std::fs::write(folder.path().join("a.ndjson"), &text).unwrap();
        std::fs::write(folder.path().join(".b.ndjson.part"), "half").unwrap();
        std::fs::write(folder.path().join("notes.txt"), "not ours").unwrap();

        let (mut mailbox, sheets) = all(&target).await;
        let [sheet] = sheets.as_slice() else { panic!("{sheets:?}") };
        let places: Vec<&str> = sheet.lines.iter().map(|line| line.place.rsplit('/').next().unwrap()).collect();
        assert_eq!(places, ["a.ndjson:1", "a.ndjson:2", "a.ndjson:4", "a.ndjson:5"]);
        assert!(sheet.lines[1].letter.as_ref().unwrap_err().starts_with("not a dead letter: "));
        mailbox.remove(sheet, &BTreeSet::new()).await.unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("a.ndjson")).unwrap(), text);

        mailbox.remove(sheet, &BTreeSet::from([0, 3])).await.unwrap();
        let left = std::fs::read_to_string(folder.path().join("a.ndjson")).unwrap();
        assert_eq!(left, format!("nonsense\n{}\n", two.line()));

        let (mut mailbox, sheets) = all(&target).await;
        mailbox.remove(&sheets[0], &BTreeSet::from([0, 1])).await.unwrap();
        assert!(!folder.path().join("a.ndjson").exists());
        assert!(folder.path().join("notes.txt").exists());
    }

    #[tokio::test]
    async fn a_folder_that_does_not_exist_holds_no_letters() {
        let folder = tempfile::tempdir().unwrap();
        let (_, sheets) = all(&Target::Folder(folder.path().join("later"))).await;
        assert!(sheets.is_empty());
    }

    #[test]
    fn lines_that_are_no_letters_say_why() {
        let good = letter_of("x").line();
        for (name, line, says) in [
            ("other version", good.replace("\"version\":1", "\"version\":2"), "a dead letter of version 2"),
            ("cut", good.chars().take(20).collect(), "not a dead letter"),
            ("no base64", good.replace("\"content\":\"x\"", "\"contentBase64\":\"*\""), "no base64"),
        ] {
            let why = letter(line.as_bytes()).unwrap_err();
            assert!(why.contains(says), "{name}: {why}");
        }
        assert_eq!(letter(good.as_bytes()).unwrap(), letter_of("x"));
    }
}
