//! Object → records.
//!
//! In: an [`Object`](crate::source::Object)'s body. Out, one at a time and borrowed: the raw JSON text of each record and its kind,
//! or what is no record and why. Gzip or plain, CloudTrail files, AWS Config's history files, NDJSON, arrays and EventBridge
//! envelopes are told apart by content. What always holds: bytes unpacked and bytes per record are bounded; a broken record costs
//! itself only; the end of the object says whether it was whole. Never talks to the network.

mod envelope;
pub mod gzip;
pub mod sarif;
pub mod split;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor};
use std::path::Path;

use bytes::Bytes;

use crate::record::{FindingForm, RecordKind};
use envelope::{document, has_marks, is_trail};
use gzip::{TooLarge, Unpacked};
pub use split::Stopped;
use split::{Item, SplitError, Splitter};

/// What the decoder found.
#[derive(Debug)]
pub enum Decoded<'a> {
    /// A record.
    Record {
        /// What sort of fact it is.
        kind: RecordKind,
        /// Its raw JSON text.
        raw: &'a [u8],
        /// The account that the EventBridge envelope around it names, twelve digits.
        account: Option<&'a str>,
        /// The Region that it names.
        region: Option<&'a str>,
        /// The time that it names, as it stands there.
        time: Option<&'a str>,
    },
    /// The findings of one event of Security Hub's, one at least: each is a record.
    Findings {
        /// Their form.
        form: FindingForm,
        /// The raw JSON text of each.
        raws: Vec<&'a [u8]>,
        /// The account that the envelope names, twelve digits.
        account: Option<&'a str>,
        /// The Region that it names.
        region: Option<&'a str>,
        /// The time that it names, as it stands there.
        time: Option<&'a str>,
    },
    /// Something in the place of a record that is none.
    Broken {
        /// Its bytes, or the head of them.
        raw: &'a [u8],
        /// What was found, and what would have been read.
        why: String,
    },
    /// A record longer than [`Bounds::record`].
    TooLong {
        /// All that is known of it.
        head: &'a [u8],
        /// It stands where a file of another kind begins: in no array, without the marks of a record, and none comes after it.
        alone: bool,
    },
    /// A document of a known kind that holds no records: a digest.
    Empty,
    /// Items of a snapshot of AWS Config, each of them passed over: they say what is, and not what changed.
    Snapshot,
    /// A document of a kind this agent does not read.
    Foreign {
        /// Its bytes.
        raw: &'a [u8],
        /// What was found, and what would have been read.
        why: String,
    },
    /// The input is open and has nothing yet: ask again.
    Waiting,
}

impl<'a> Decoded<'a> {
    /// A trail record without an envelope.
    fn trail(raw: &'a [u8]) -> Self {
        Self::Record { kind: RecordKind::Trail, raw, account: None, region: None, time: None }
    }

    /// Whether it is a record, or was one before it was cut or grew too long, as far as its marks tell: what holds one is not of
    /// another kind.
    #[must_use]
    pub fn is_meant_as_record(&self) -> bool {
        match self {
            Self::Record { .. } | Self::Findings { .. } => true,
            Self::Broken { raw, .. } | Self::TooLong { head: raw, .. } => has_marks(raw),
            Self::Empty | Self::Snapshot | Self::Foreign { .. } | Self::Waiting => false,
        }
    }
}

/// Why an object ended before its end. The records before are good.
#[derive(Debug, thiserror::Error)]
pub enum ObjectFault {
    /// More came out than the limit allows.
    #[error(transparent)]
    TooLarge(TooLarge),
    /// Cut off or not what its packing says.
    #[error("truncated or corrupt: {0}")]
    Corrupt(String),
    /// The bytes cannot be had.
    #[error("cannot be read: {0}")]
    Unavailable(io::Error),
    /// It is to be read no further.
    #[error(transparent)]
    Stopped(Stopped),
}

/// Reads one object.
pub struct Decoder {
    splitter: Splitter<Unpacked<Box<dyn BufRead + Send>>>,
    /// What the object is has been decided, and everything that was kept for it has been told.
    begun: bool,
    doubt: Doubt,
    /// What is lent out of what is kept.
    lent: Option<Kept>,
}

/// What an object begins with, as long as it is no record: what comes after it tells whether these are broken records or the
/// object is a file of another kind.
#[derive(Default)]
struct Doubt {
    kept: VecDeque<Kept>,
    bytes: usize,
    /// Whether a record came after them.
    among_records: Option<bool>,
    /// None of them has been told yet.
    untold: bool,
    /// What ended the doubt and is told after them.
    then: Option<Result<Option<Kept>, ObjectFault>>,
}

/// Most items, and most bytes of them, that are kept in doubt; where so much that is no record comes first, the object is of
/// another kind.
const DOUBT_ITEMS: usize = 1_000;
const DOUBT_BYTES: usize = 1 << 20;

/// An item that is kept while another one is read.
struct Kept {
    bytes: Vec<u8>,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Element,
    ConfigItem,
    Snapshot,
    Document,
    Broken(&'static str),
    Stray(&'static str),
}

impl Kept {
    fn of(item: Item<'_>) -> Self {
        let (bytes, kind) = match item {
            Item::Element(raw) => (raw, Kind::Element),
            Item::ConfigItem(raw) => (raw, Kind::ConfigItem),
            Item::Snapshot => (&[][..], Kind::Snapshot),
            Item::Document(raw) => (raw, Kind::Document),
            Item::Broken(raw, why) => (raw, Kind::Broken(why)),
            Item::Stray(raw, why) => (raw, Kind::Stray(why)),
        };
        Self { bytes: bytes.to_vec(), kind }
    }

    fn item(&self) -> Item<'_> {
        let raw = self.bytes.as_slice();
        match self.kind {
            Kind::Element => Item::Element(raw),
            Kind::ConfigItem => Item::ConfigItem(raw),
            Kind::Snapshot => Item::Snapshot,
            Kind::Document => Item::Document(raw),
            Kind::Broken(why) => Item::Broken(raw, why),
            Kind::Stray(why) => Item::Stray(raw, why),
        }
    }

    /// In the first place: either a broken record or the sign of a file of another kind. What begins like JSON and is not
    /// whole is a broken record, and so is an element of an array.
    fn is_doubtful(&self) -> bool {
        match decoded(self.item()) {
            Decoded::Foreign { .. } => true,
            Decoded::TooLong { head, .. } => matches!(self.kind, Kind::Broken(_)) && !is_trail(head),
            Decoded::Broken { raw, .. } => {
                matches!(self.kind, Kind::Broken(_)) && !raw.starts_with(b"{") && !raw.starts_with(b"[")
            }
            _ => false,
        }
    }

    /// A record, as far as its marks tell.
    fn is_record(&self) -> bool {
        decoded(self.item()).is_meant_as_record()
    }
}

/// Memory that one decoder leaves to the next; holds nothing that is read again.
#[derive(Debug, Default)]
pub struct Buffer(Vec<u8>);

/// Largest buffer that is left to the next decoder, bytes.
const BUFFER_KEPT: usize = 256 << 10;

/// Bounds for one object.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Most bytes unpacked.
    pub inflated: u64,
    /// Most bytes of one record.
    pub record: usize,
}

impl Decoder {
    /// Opens bytes in memory.
    ///
    /// # Errors
    /// Never in practice: memory can be read.
    pub fn held(bytes: Bytes, bounds: Bounds) -> Result<Self, ObjectFault> {
        Self::held_with(bytes, bounds, Buffer::default())
    }

    /// Opens bytes in memory, in the buffer of a decoder before: of many small objects, each would else pay for one.
    ///
    /// # Errors
    /// As [`Decoder::held`].
    pub fn held_with(bytes: Bytes, bounds: Bounds, buffer: Buffer) -> Result<Self, ObjectFault> {
        Ok(Self::open(Box::new(Cursor::new(bytes)), bounds, buffer))
    }

    /// The buffer, for the next object.
    #[must_use]
    pub fn into_buffer(self) -> Buffer {
        let buffer = self.splitter.into_buffer();
        // One huge record must not hold its memory for ever.
        if buffer.len() > BUFFER_KEPT { Buffer::default() } else { Buffer(buffer) }
    }

    /// Opens a file; it is read as it is needed.
    ///
    /// # Errors
    /// [`ObjectFault::Unavailable`] when it cannot be opened or read.
    pub fn file(path: &Path, bounds: Bounds) -> Result<Self, ObjectFault> {
        let file = File::open(path).map_err(ObjectFault::Unavailable)?;
        Ok(Self::open(Box::new(BufReader::with_capacity(64 << 10, file)), bounds, Buffer::default()))
    }

    /// Reads an input as it comes. One that has nothing yet says [`io::ErrorKind::WouldBlock`] and is asked again; one that
    /// is to be read no further says [`Stopped`], which is [`ObjectFault::Stopped`] wherever it comes.
    #[must_use]
    pub fn reader(input: impl BufRead + Send + 'static, bounds: Bounds) -> Self {
        Self::open(Box::new(input), bounds, Buffer::default())
    }

    fn open(input: Box<dyn BufRead + Send>, bounds: Bounds, Buffer(buffer): Buffer) -> Self {
        let unpacked = Unpacked::later(input, bounds.inflated);
        let splitter = Splitter::with_buffer(unpacked, bounds.record, buffer);
        Self { splitter, begun: false, doubt: Doubt { untold: true, ..Doubt::default() }, lent: None }
    }

    /// Bytes of JSON read so far.
    #[must_use]
    pub fn unpacked(&self) -> u64 {
        self.splitter.total()
    }

    /// The next record or what stands in its place; `None` at the end of a whole object.
    ///
    /// # Errors
    /// [`ObjectFault`] when the object ends early; what came before is good.
    pub fn next(&mut self) -> Result<Option<Decoded<'_>>, ObjectFault> {
        if !self.begun {
            return self.begin();
        }
        match self.splitter.next() {
            Ok(item) => Ok(item.map(decoded)),
            Err(error) if is_waiting(&error) => Ok(Some(Decoded::Waiting)),
            Err(error) => Err(object_fault(error)),
        }
    }

    /// The first things; what is no record there is told only when it is known what the object is.
    fn begin(&mut self) -> Result<Option<Decoded<'_>>, ObjectFault> {
        while self.doubt.among_records.is_none() {
            let read = match self.splitter.next() {
                Ok(item) => Ok(item.map(Kept::of)),
                Err(error) if is_waiting(&error) => return Ok(Some(Decoded::Waiting)),
                Err(error) => Err(object_fault(error)),
            };
            self.doubt.weigh(read);
        }
        let among_records = self.doubt.among_records == Some(true);
        if let Some(kept) = self.doubt.kept.pop_front() {
            let is_first = std::mem::take(&mut self.doubt.untold);
            return Ok(Some(match decoded(self.lent.insert(kept).item()) {
                Decoded::Foreign { raw, why } if among_records => Decoded::Broken { raw, why },
                Decoded::Broken { raw, why } if !among_records && is_first => Decoded::Foreign { raw, why },
                Decoded::TooLong { head, .. } => Decoded::TooLong { head, alone: !among_records && is_first },
                told => told,
            }));
        }
        self.begun = true;
        match std::mem::take(&mut self.doubt).then {
            Some(then) => {
                self.lent = then?;
                Ok(self.lent.as_ref().map(|kept| decoded(kept.item())))
            }
            None => self.next(),
        }
    }
}

impl Doubt {
    /// Keeps what was read, and decides as soon as it can.
    fn weigh(&mut self, read: Result<Option<Kept>, ObjectFault>) {
        match read {
            Ok(Some(next)) if self.kept.is_empty() && !next.is_doubtful() || next.is_record() => {
                self.among_records = Some(true);
                self.then = Some(Ok(Some(next)));
            }
            Ok(Some(next)) => {
                self.bytes += next.bytes.len();
                self.kept.push_back(next);
                if self.kept.len() >= DOUBT_ITEMS || self.bytes >= DOUBT_BYTES {
                    self.among_records = Some(false);
                }
            }
            end => {
                if matches!(end, Err(ObjectFault::Unavailable(_) | ObjectFault::Stopped(_))) {
                    // Nobody knows what would have come: the whole object is to be read again.
                    self.kept.clear();
                }
                self.among_records = Some(false);
                self.then = Some(end);
            }
        }
    }
}

/// What an item is.
fn decoded(item: Item<'_>) -> Decoded<'_> {
    match item {
        Item::Element(raw) => Decoded::trail(raw),
        Item::ConfigItem(raw) => Decoded::Record { kind: RecordKind::ConfigItem, raw, account: None, region: None, time: None },
        Item::Snapshot => Decoded::Snapshot,
        Item::Document(raw) => document(raw),
        Item::Broken(raw, why) | Item::Stray(raw, why) if why == split::TOO_LONG => Decoded::TooLong { head: raw, alone: false },
        Item::Broken(raw, why) | Item::Stray(raw, why) => Decoded::Broken { raw, why: why.to_owned() },
    }
}

fn is_waiting(error: &SplitError) -> bool {
    matches!(error, SplitError::Read(error) if error.kind() == io::ErrorKind::WouldBlock)
}

fn object_fault(error: SplitError) -> ObjectFault {
    match error {
        SplitError::Truncated(_) => ObjectFault::Corrupt(error.to_string()),
        SplitError::Read(error) if Stopped::is_in(&error) => ObjectFault::Stopped(Stopped),
        SplitError::Read(error) => match error.downcast::<TooLarge>() {
            Ok(too_large) => ObjectFault::TooLarge(too_large),
            // What the packing says is wrong with the bytes; everything else is wrong with their place.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
                ) =>
            {
                ObjectFault::Corrupt(error.to_string())
            }
            Err(error) => ObjectFault::Unavailable(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { inflated: 1 << 20, record: 1 << 16 };

    fn decode(input: &str) -> Vec<String> {
        let mut decoder = Decoder::held(Bytes::copy_from_slice(input.as_bytes()), BOUNDS).unwrap();
        let mut found = Vec::new();
        while let Some(decoded) = decoder.next().unwrap() {
            found.push(match decoded {
                Decoded::Record { kind, raw, account, region, .. } => {
                    let kind = match kind {
                        RecordKind::Trail => "record".to_owned(),
                        RecordKind::ComplianceChange => "compliance change".to_owned(),
                        RecordKind::ConfigItem => "configuration item".to_owned(),
                        other => format!("{other:?} {region:?}"),
                    };
                    let account = account.map(|account| format!("{account}: ")).unwrap_or_default();
                    format!("{account}{kind} {}", String::from_utf8_lossy(raw))
                }
                Decoded::Findings { form, raws, account, region, .. } => {
                    let raws: Vec<_> = raws.into_iter().map(String::from_utf8_lossy).collect();
                    format!("{form:?} {account:?} {region:?} {}", raws.join(" "))
                }
                Decoded::Broken { why, .. } => format!("broken: {why}"),
                Decoded::TooLong { head, alone: false } => format!("too long: {} bytes are kept", head.len()),
                Decoded::TooLong { head, alone: true } => format!("too long and alone: {} bytes are kept", head.len()),
                Decoded::Empty => "empty".to_owned(),
                Decoded::Snapshot => "snapshot".to_owned(),
                Decoded::Foreign { why, .. } => format!("foreign: {why}"),
                Decoded::Waiting => "waiting".to_owned(),
            });
        }
        found
    }

    #[test]
    fn documents_are_told_apart_by_content() {
        for (name, input, want) in [
            ("file", r#"{"Records":[{"eventID":"1"}]}"#, r#"record {"eventID":"1"}"#),
            ("bare record", r#"{"eventVersion":"1.08","eventID":"1"}"#, r#"record {"eventVersion":"1.08","eventID":"1"}"#),
            (
                "envelope",
                r#"{"detail-type":"AWS API Call via CloudTrail","source":"aws.iam","account":"111122223333","detail":{"eventID":"1"}}"#,
                r#"111122223333: record {"eventID":"1"}"#,
            ),
            (
                "envelope of a kind spelt in another way",
                r#"{"detail-type":"AWS Console Signin via CloudTrail","source":"aws.signin","detail":{"eventID":"1"}}"#,
                r#"record {"eventID":"1"}"#,
            ),
            (
                "envelope of network activity",
                r#"{"detail-type":"AWS Network Activity Event via CloudTrail","detail":{"eventID":"1"}}"#,
                r#"record {"eventID":"1"}"#,
            ),
            (
                "envelope without a usable account",
                r#"{"detail-type":"AWS API Call via CloudTrail","account":"me","detail":{"eventID":"1"}}"#,
                r#"record {"eventID":"1"}"#,
            ),
            (
                "envelope of AWS Config",
                r#"{"detail-type":"Config Rules Compliance Change","account":"111122223333","detail":{"configRuleName":"r"}}"#,
                r#"111122223333: compliance change {"configRuleName":"r"}"#,
            ),
            (
                "compliance change without an envelope",
                r#"{"messageType":"ComplianceChangeNotification","configRuleName":"r"}"#,
                r#"compliance change {"messageType":"ComplianceChangeNotification","configRuleName":"r"}"#,
            ),
            (
                "other envelope",
                r#"{"detail-type":"Inspector2 Scan","source":"aws.inspector2","detail":{}}"#,
                "broken: EventBridge event of detail type \"Inspector2 Scan\" from aws.inspector2: this version reads CloudTrail's and \"Config Rules Compliance Change\", \"Config Configuration Item Change\", \"Security Hub Findings - Imported\", \"Security Hub Findings - Custom Action\", \"Findings Imported V2\", \"Security Hub Insight Results\", \"GuardDuty Finding\", \"Inspector2 Finding\", \"Macie Finding\", \"Access Analyzer Finding\", \"Unused Access Finding for IAM entities\", \"Internal Access Finding\"",
            ),
            (
                "finding",
                r#"{"detail-type":"GuardDuty Finding","account":"111122223333","region":"eu-west-1","detail":{"id":"1"}}"#,
                r#"111122223333: Finding(GuardDuty) Some("eu-west-1") {"id":"1"}"#,
            ),
            (
                "several findings in one event (S3-01)",
                r#"{"detail-type":"Security Hub Findings - Imported","account":"111122223333","region":"eu-west-1","detail":{"findings":[{"Id":"1"},7, {"Id":"2"}]}}"#,
                r#"Asff Some("111122223333") Some("eu-west-1") {"Id":"1"} 7 {"Id":"2"}"#,
            ),
            (
                "no finding in an event",
                r#"{"detail-type":"Findings Imported V2","detail":{"findings":{}}}"#,
                "broken: an event of Security Hub without findings: a list in detail.findings is needed",
            ),
            (
                "finding without an envelope",
                r#"{"ProductArn":"a","AwsAccountId":"1"}"#,
                r#"Finding(Asff) None {"ProductArn":"a","AwsAccountId":"1"}"#,
            ),
            (
                "insight",
                r#"{"detail-type":"Security Hub Insight Results","detail":{}}"#,
                r#"Insight None {"detail-type":"Security Hub Insight Results","detail":{}}"#,
            ),
            (
                "record that speaks of envelopes",
                r#"{"eventVersion":"1.08","requestParameters":{"detail-type":["x"]}}"#,
                r#"record {"eventVersion":"1.08","requestParameters":{"detail-type":["x"]}}"#,
            ),
            ("digest (P06)", r#"{"digestStartTime":"2026-01-01T00:00:00Z","logFiles":[]}"#, "empty"),
            ("history file", r#"{"fileVersion":"1.0","configurationItems":[{"x":1}]}"#, r#"configuration item {"x":1}"#),
            ("snapshot file", r#"{"configSnapshotId":"1","configurationItems":[{"x":1}]}"#, "snapshot"),
            ("no JSON at all", "# Title\n", "foreign: not a JSON object"),
            ("a trail's file all the same", r#"{"Records":[1]}"#, "broken: not a JSON object"),
            (
                "foreign",
                r#"{"inventoryItems":[]}"#,
                "foreign: neither a CloudTrail file, a CloudTrail record nor an EventBridge event",
            ),
        ] {
            assert_eq!(decode(input), [want], "{name}");
        }
    }

    /// A broken record costs itself only, in the first place too (P22, X3); a file of another kind stays one.
    #[test]
    fn what_comes_after_it_tells_what_the_first_thing_is() {
        let good = r#"{"eventVersion":"1.08","eventID":"1"}"#;
        let record = format!("record {good}");
        let (broken, foreign) = ("broken: not a JSON object", "foreign: not a JSON object");
        let unknown = "neither a CloudTrail file, a CloudTrail record nor an EventBridge event";
        let (unknown_first, unknown_later) = (format!("broken: {unknown}"), format!("foreign: {unknown}"));
        let digest = r#"{"digestStartTime":"2026-01-01T00:00:00Z","logFiles":[]}"#;
        let few = [vec![broken; DOUBT_ITEMS - 1], vec![&record]].concat();
        let many = [vec![foreign], vec![broken; DOUBT_ITEMS - 1], vec![&record]].concat();
        for (name, input, want) in [
            ("file", format!(r#"{{"Records":[1,{good},{good}]}}"#), vec![broken, &record, &record]),
            ("file, text", format!(r#"{{"Records":["x,y",{good}]}}"#), vec![broken, &record]),
            ("file, no record at all", r#"{"Records":[{"a":1}]}"#.to_owned(), vec![r#"record {"a":1}"#]),
            ("array", format!("[null,{good}]"), vec![broken, &record]),
            ("lines, the first one cut", format!("1.08\"}}\n{good}\n{good}\n"), vec![broken, &record, &record]),
            ("lines, the first one of another kind", format!("{{\"a\":1}}\n{good}\n"), vec![&unknown_first, &record]),
            (
                "lines, two of another kind",
                format!("{{\"a\":1}}\nb\n{good}\n{{}}\n"),
                vec![&unknown_first, broken, &record, &unknown_later],
            ),
            ("lines, a record cut in the middle", "b\n{\"eventVersion\":\"1.08\",\n".to_owned(), vec![broken, broken]),
            ("lines, a digest among the first", format!("b\n{digest}\n{good}\n"), vec![broken, "empty", &record]),
            ("text", "# Title\n\ntext\n".to_owned(), vec![foreign, broken]),
            ("text before a record, as much as is kept", "x\n".repeat(DOUBT_ITEMS - 1) + good, few),
            ("text before a record, more than is kept", "x\n".repeat(DOUBT_ITEMS) + good, many),
            ("other documents", "{\"a\":1}\n{\"b\":2}\n".to_owned(), vec![&unknown_later, &unknown_later]),
        ] {
            assert_eq!(decode(&input), want, "{name}");
        }
    }

    #[test]
    fn of_a_record_over_the_limit_the_head_is_kept() {
        let long = format!(r#"{{"Records":[{{"a":"{}"}},{{"b":2}}]}}"#, "x".repeat(BOUNDS.record));
        let too_long = "too long: 4096 bytes are kept";
        assert_eq!(decode(&long), [too_long, r#"record {"b":2}"#]);
        // Where nothing says that it is a record, it may be a document of another kind.
        let more = "x".repeat(BOUNDS.record);
        let good = r#"{"eventVersion":"1.08","eventID":"1"}"#;
        let record = format!("record {good}");
        for (name, input, want) in [
            ("a bare record", format!(r#"{{"eventVersion":"1.08","a":"{more}"}}"#), vec![too_long]),
            ("in an array", format!(r#"[{{"a":"{more}"}}]"#), vec![too_long]),
            ("before a record", format!("{{\"a\":\"{more}\"}}\n{good}\n"), vec![too_long, &record]),
            ("after a record", format!("{good}\n{{\"a\":\"{more}\"}}\n"), vec![&record, too_long]),
            ("a document", format!(r#"{{"a":"{more}"}}"#), vec!["too long and alone: 4096 bytes are kept"]),
            ("a line of text", format!("{more}x\n"), vec!["too long and alone: 4096 bytes are kept"]),
        ] {
            assert_eq!(decode(&input), want, "{name}");
        }
    }

    #[test]
    fn a_used_buffer_changes_nothing() {
        let mut buffer = Buffer::default();
        let long = format!(r#"{{"Records":[{{"a":"{}"}},{{"b":2}}"#, "x".repeat(40_000));
        for (input, want) in
            [(long.as_str(), 2), (r#"{"Records":[{"c":3}]}"#, 1), ("", 0), (r#"{"Records":[{"d":4},{"e":5}]}"#, 2)]
        {
            let bytes = Bytes::copy_from_slice(input.as_bytes());
            let mut decoder = Decoder::held_with(bytes, BOUNDS, buffer).unwrap();
            let mut records = 0;
            while let Ok(Some(decoded)) = decoder.next() {
                let Decoded::Record { raw, .. } = decoded else { panic!("{decoded:?} in {input:.30}") };
                assert!(raw.starts_with(b"{\"") && raw.ends_with(b"}"), "{input:.30}");
                records += 1;
            }
            assert_eq!(records, want, "{input:.30}");
            buffer = decoder.into_buffer();
        }
    }

    #[test]
    fn a_cut_file_gives_its_good_records_and_says_so() {
        let mut decoder = Decoder::held(Bytes::from_static(br#"{"Records":[{"a":1},{"b"#), BOUNDS).unwrap();
        assert!(matches!(decoder.next(), Ok(Some(Decoded::Record { .. }))));
        let fault = decoder.next().unwrap_err();
        assert_eq!(fault.to_string(), "truncated or corrupt: ends in the middle of a record");
    }
}
