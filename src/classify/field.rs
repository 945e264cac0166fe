//! Fields of a record, found by path without a tree.
//!
//! In: dotted paths of all rules; then, per record, the raw text of its parts. Out: the values of a path, as places in that
//! text. A part (`requestParameters`, …) is scanned at most once per record, for all paths of all rules at once; nothing is
//! allocated once the lists have grown. A path through an array gives the values of every element; `null` is no value. Names
//! are compared exactly. Never fails: what cannot be read has no values.

use serde_json::value::RawValue;

use crate::record::json;
use crate::record::trail::Trail;

use super::fold::Table;
use super::predicate::Kind;

/// Deepest nesting of arrays and objects that a path is followed into; records nest 11 deep at most as far as seen.
const DEPTH: usize = 64;

/// Values kept between records; a record with more gives the memory back.
const KEPT_VALUES: usize = 16_384;

/// Bytes of unescaped text kept between records.
const KEPT_BYTES: usize = 1 << 20;

/// Where the values of a field come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A text member of the record.
    Top(Top),
    /// A path inside a part.
    Part(Part),
    /// Every text, number and boolean of the record (keywords).
    Anywhere,
}

/// Text members of a record that are read already. `eventID` is not here: the member also takes `eventId`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Top {
    EventTime,
    EventVersion,
    EventSource,
    EventName,
    AwsRegion,
    SourceIp,
    UserAgent,
    ErrorCode,
    ErrorMessage,
    EventType,
    EventCategory,
    RecipientAccount,
    Account,
    ReadOnly,
}

impl Top {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "eventTime" => Self::EventTime,
            "eventVersion" => Self::EventVersion,
            "eventSource" => Self::EventSource,
            "eventName" => Self::EventName,
            "awsRegion" => Self::AwsRegion,
            "sourceIPAddress" => Self::SourceIp,
            "userAgent" => Self::UserAgent,
            "errorCode" => Self::ErrorCode,
            "errorMessage" => Self::ErrorMessage,
            "eventType" => Self::EventType,
            "eventCategory" => Self::EventCategory,
            "recipientAccountId" => Self::RecipientAccount,
            "accountId" => Self::Account,
            "readOnly" => Self::ReadOnly,
            _ => return None,
        })
    }

    fn of<'t>(self, trail: &'t Trail<'_>) -> Option<&'t str> {
        match self {
            Self::EventTime => &trail.event_time,
            Self::EventVersion => &trail.event_version,
            Self::EventSource => &trail.event_source,
            Self::EventName => &trail.event_name,
            Self::AwsRegion => &trail.aws_region,
            Self::SourceIp => &trail.source_ip_address,
            Self::UserAgent => &trail.user_agent,
            Self::ErrorCode => &trail.error_code,
            Self::ErrorMessage => &trail.error_message,
            Self::EventType => &trail.event_type,
            Self::EventCategory => &trail.event_category,
            Self::RecipientAccount => &trail.recipient_account_id,
            Self::Account => &trail.account_id,
            Self::ReadOnly => &trail.read_only,
        }
        .get()
    }
}

/// The parts of a record that stay raw; `Whole` serves every other top-level name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    UserIdentity,
    Request,
    Response,
    Additional,
    ServiceDetails,
    Insight,
    Resources,
    Addendum,
    Whole,
}

const PARTS: usize = 9;

impl Part {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "userIdentity" => Self::UserIdentity,
            "requestParameters" => Self::Request,
            "responseElements" => Self::Response,
            "additionalEventData" => Self::Additional,
            "serviceEventDetails" => Self::ServiceDetails,
            "insightDetails" => Self::Insight,
            "resources" => Self::Resources,
            "addendum" => Self::Addendum,
            _ => return None,
        })
    }

    fn of<'t>(self, trail: &'t Trail<'_>) -> Option<&'t [u8]> {
        let raw = match self {
            Self::UserIdentity => trail.user_identity,
            Self::Request => trail.request_parameters,
            Self::Response => trail.response_elements,
            Self::Additional => trail.additional_event_data,
            Self::ServiceDetails => trail.service_event_details,
            Self::Insight => trail.insight_details,
            Self::Resources => trail.resources,
            Self::Addendum => trail.addendum,
            Self::Whole => return Some(trail.raw.as_bytes()),
        };
        raw.map(|raw: &RawValue| raw.get().as_bytes())
    }
}

/// All fields that rules ask for.
#[derive(Debug, Default)]
pub(super) struct Fields {
    names: Table<u32, true>,
    places: Vec<Place>,
    /// The paths of each part, by [`Part`].
    roots: [Step; PARTS],
}

/// One name of a path, and what may follow.
#[derive(Debug, Default)]
struct Step {
    /// The field whose path ends here.
    field: Option<u32>,
    next: Table<Step, true>,
}

/// The name under which keywords, which have no field, are known.
pub(super) const ANYWHERE: &str = "";

impl Fields {
    /// The number of a field; a new one if the path is new.
    pub(super) fn number(&mut self, path: &str) -> u32 {
        let new = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        let number = self.names.entry(path.as_bytes(), || new).map_or(new, |number| *number);
        if number == new {
            self.add(path, number);
        }
        number
    }

    fn add(&mut self, path: &str, number: u32) {
        if path == ANYWHERE {
            return self.places.push(Place::Anywhere);
        }
        if let Some(top) = Top::named(path) {
            return self.places.push(Place::Top(top));
        }
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let (part, rest) = Part::named(first).map_or((Part::Whole, Some(path)), |part| (part, rest));
        self.places.push(Place::Part(part));
        let mut step = self.roots.get_mut(part as usize);
        for name in rest.into_iter().flat_map(|rest| rest.split('.')) {
            step = step.and_then(|step| step.next.entry(name.as_bytes(), Step::default));
        }
        if let Some(step) = step {
            step.field = Some(number);
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// What reading the field costs, in rough nanoseconds.
    pub(super) fn cost(&self, field: u32) -> u32 {
        match self.place(field) {
            Some(Place::Top(_)) => 5,
            Some(Place::Part(Part::Whole)) => 300,
            Some(Place::Part(Part::UserIdentity)) => 60,
            Some(Place::Part(_)) => 100,
            Some(Place::Anywhere) | None => 1_000,
        }
    }

    /// What is added to the cost of finding rules by this field, because nearly all records have the same few values.
    pub(super) fn sameness(&self, field: u32) -> u32 {
        match self.place(field) {
            Some(Place::Top(
                Top::EventVersion
                | Top::EventType
                | Top::EventCategory
                | Top::AwsRegion
                | Top::RecipientAccount
                | Top::Account
                | Top::ReadOnly,
            )) => 200,
            _ => 0,
        }
    }

    fn place(&self, field: u32) -> Option<Place> {
        self.places.get(field as usize).copied()
    }
}

/// Where a value stands.
#[derive(Debug, Clone, Copy)]
struct Found {
    start: u32,
    end: u32,
    /// The next value of the same field, as its number plus one; 0: none.
    next: u32,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Text in the part, without escapes.
    Plain,
    /// Text in [`Values::unescaped`].
    Unescaped,
    Scalar,
    Composite,
}

/// First and last value of a field, as numbers plus one, if `round` is the record's.
#[derive(Debug, Clone, Copy, Default)]
struct Chain {
    round: u32,
    first: u32,
    last: u32,
}

/// The values found in one record. One per thread, used again for the next record.
#[derive(Debug, Default)]
pub(super) struct Values {
    round: u32,
    scanned: [u32; PARTS],
    chains: Vec<Chain>,
    found: Vec<Found>,
    unescaped: Vec<u8>,
}

impl Values {
    /// Room for `fields` fields.
    pub(super) fn new(fields: usize) -> Self {
        Self { chains: vec![Chain::default(); fields], ..Self::default() }
    }

    /// Forgets the last record.
    pub(super) fn start(&mut self) {
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.chains.fill(Chain::default());
            self.scanned = [0; PARTS];
            self.round = 1;
        }
        if self.found.capacity() > KEPT_VALUES {
            self.found = Vec::new();
        }
        if self.unescaped.capacity() > KEPT_BYTES {
            self.unescaped = Vec::new();
        }
        self.found.clear();
        self.unescaped.clear();
    }

    /// Makes the values of `field` known, scanning its part if that was not done for this record.
    pub(super) fn read(&mut self, fields: &Fields, field: u32, trail: &Trail<'_>) {
        match fields.place(field) {
            Some(Place::Part(part)) => {
                let Some(scanned) = self.scanned.get_mut(part as usize) else { return };
                if *scanned == self.round {
                    return;
                }
                *scanned = self.round;
                if let (Some(json), Some(root)) = (part.of(trail), fields.roots.get(part as usize)) {
                    let mut scan = Scan { json, values: self };
                    // A text that breaks off has the values found until then.
                    scan.value(root, json::skip_space(json, 0), 0);
                }
            }
            Some(Place::Anywhere) => {
                if self.chains.get(field as usize).is_some_and(|chain| chain.round != self.round) {
                    Scan { json: trail.raw.as_bytes(), values: self }.anywhere(field);
                }
            }
            Some(Place::Top(_)) | None => {}
        }
    }

    /// Whether some value of a field that was [`read`](Self::read) passes. Composite values come as compact JSON, made in
    /// `scratch`.
    pub(super) fn any(
        &self,
        fields: &Fields,
        field: u32,
        trail: &Trail<'_>,
        scratch: &mut Vec<u8>,
        mut test: impl FnMut(Kind, &[u8]) -> bool,
    ) -> bool {
        let (mut next, json) = match fields.place(field) {
            Some(Place::Top(top)) => return top.of(trail).is_some_and(|text| test(Kind::Text, text.as_bytes())),
            Some(Place::Part(part)) => (self.first(field), part.of(trail).unwrap_or_default()),
            Some(Place::Anywhere) => (self.first(field), trail.raw.as_bytes()),
            None => return false,
        };
        while let Some(found) = (next as usize).checked_sub(1).and_then(|at| self.found.get(at)) {
            let range = found.start as usize..found.end as usize;
            let passes = match found.form {
                Form::Plain => test(Kind::Text, json.get(range).unwrap_or_default()),
                Form::Unescaped => test(Kind::Text, self.unescaped.get(range).unwrap_or_default()),
                Form::Scalar => test(Kind::Scalar, json.get(range).unwrap_or_default()),
                Form::Composite => {
                    scratch.clear();
                    json::compact(json.get(range).unwrap_or_default(), scratch);
                    test(Kind::Composite, scratch)
                }
            };
            if passes {
                return true;
            }
            next = found.next;
        }
        false
    }

    /// Whether a field that was read has a value.
    pub(super) fn is_present(&self, fields: &Fields, field: u32, trail: &Trail<'_>) -> bool {
        match fields.place(field) {
            Some(Place::Top(top)) => top.of(trail).is_some(),
            Some(_) => self.first(field) != 0,
            None => false,
        }
    }

    fn first(&self, field: u32) -> u32 {
        self.chains.get(field as usize).filter(|chain| chain.round == self.round).map_or(0, |chain| chain.first)
    }

    fn push(&mut self, field: u32, start: usize, end: usize, form: Form) {
        let (Ok(start), Ok(end), Ok(number)) = (u32::try_from(start), u32::try_from(end), u32::try_from(self.found.len() + 1))
        else {
            return;
        };
        let Some(chain) = self.chains.get_mut(field as usize) else { return };
        if chain.round != self.round {
            *chain = Chain { round: self.round, first: 0, last: 0 };
        }
        if chain.first == 0 {
            chain.first = number;
        } else if let Some(last) = (chain.last as usize).checked_sub(1).and_then(|at| self.found.get_mut(at)) {
            last.next = number;
        }
        chain.last = number;
        self.found.push(Found { start, end, next: 0, form });
    }

    /// The inside of a string, resolved if it has escapes.
    fn push_text(&mut self, field: u32, json: &[u8], start: usize, end: usize, escaped: bool) {
        if escaped {
            let from = self.unescaped.len();
            json::unescape(json.get(start..end).unwrap_or_default(), &mut self.unescaped);
            self.push(field, from, self.unescaped.len(), Form::Unescaped);
        } else {
            self.push(field, start, end, Form::Plain);
        }
    }
}

/// A walk through one part.
struct Scan<'j, 'v> {
    json: &'j [u8],
    values: &'v mut Values,
}

impl Scan<'_, '_> {
    /// Notes the values under `step` in the value that starts at `at`; gives the position behind it.
    fn value(&mut self, step: &Step, at: usize, depth: usize) -> Option<usize> {
        let first = *self.json.get(at)?;
        let end = match first {
            b'"' => {
                let (end, escaped) = json::string_end(self.json, at + 1)?;
                if let Some(field) = step.field {
                    self.values.push_text(field, self.json, at + 1, end, escaped);
                }
                return Some(end + 1);
            }
            b'{' if depth < DEPTH && !step.next.is_empty() => self.object(step, at + 1, depth + 1)?,
            b'[' if depth < DEPTH => self.array(step, at + 1, depth + 1)?,
            _ => json::skip_value(self.json, at)?,
        };
        if let Some(field) = step.field
            && first != b'n'
        {
            self.values.push(field, at, end, if matches!(first, b'{' | b'[') { Form::Composite } else { Form::Scalar });
        }
        Some(end)
    }

    /// Walks the members of an object, from behind its brace.
    fn object(&mut self, step: &Step, mut at: usize, depth: usize) -> Option<usize> {
        loop {
            at = json::skip_space(self.json, at);
            match self.json.get(at)? {
                b'}' => return Some(at + 1),
                b',' => {
                    at += 1;
                    continue;
                }
                b'"' => {}
                _ => return None,
            }
            let (key_end, escaped) = json::string_end(self.json, at + 1)?;
            let key = self.json.get(at + 1..key_end)?;
            at = json::skip_space(self.json, key_end + 1);
            if *self.json.get(at)? != b':' {
                return None;
            }
            at = json::skip_space(self.json, at + 1);
            let child = if escaped { self.escaped_member(step, key) } else { member(step, key) };
            at = match child {
                Some(child) => self.value(child, at, depth)?,
                None => json::skip_value(self.json, at)?,
            };
        }
    }

    /// Walks the elements of an array, from behind its bracket: a path goes through it.
    fn array(&mut self, step: &Step, mut at: usize, depth: usize) -> Option<usize> {
        loop {
            at = json::skip_space(self.json, at);
            match self.json.get(at)? {
                b']' => return Some(at + 1),
                b',' => at += 1,
                _ => at = self.value(step, at, depth)?,
            }
        }
    }

    /// A member whose name is written with escapes: rare, so the name is resolved in the shared buffer and dropped again.
    fn escaped_member<'s>(&mut self, step: &'s Step, key: &[u8]) -> Option<&'s Step> {
        let from = self.values.unescaped.len();
        json::unescape(key, &mut self.values.unescaped);
        let child = self.values.unescaped.get(from..).and_then(|key| member(step, key));
        self.values.unescaped.truncate(from);
        child
    }

    /// Notes every text, number and boolean, member names left out.
    fn anywhere(&mut self, field: u32) {
        let mut at = 0;
        while let Some(byte) = self.json.get(at) {
            match byte {
                b'"' => {
                    let Some((end, escaped)) = json::string_end(self.json, at + 1) else { return };
                    let start = at + 1;
                    at = json::skip_space(self.json, end + 1);
                    if self.json.get(at) != Some(&b':') {
                        self.values.push_text(field, self.json, start, end, escaped);
                    }
                }
                b'{' | b'}' | b'[' | b']' | b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' => at += 1,
                first => {
                    let end = json::scalar_end(self.json, at);
                    if *first != b'n' {
                        self.values.push(field, at, end, Form::Scalar);
                    }
                    at = end;
                }
            }
        }
    }
}

/// The step for a member. A name with dots is also several steps at once, so `a.b` finds `{"a.b": …}`.
fn member<'s>(step: &'s Step, key: &[u8]) -> Option<&'s Step> {
    if let Some(child) = step.next.get(key) {
        return Some(child);
    }
    memchr::memchr(b'.', key)?;
    key.split(|byte| *byte == b'.').try_fold(step, |step, name| step.next.get(name))
}
