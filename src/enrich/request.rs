//! Which request parameters pass, and which of them names the resource.
//!
//! In: a record's request and response, the service and the call. Out: the allowed values by attribute name, and the value that
//! names the resource. What may pass is the table `request.tsv`, one row for each service, calls, path and target; everything
//! else stays behind: policy bodies, user data, tags, descriptions, secrets. One value passes as it is; several, each once, as a
//! list `|a|b|`. Values AWS masked (`HIDDEN_DUE_TO_SECURITY_REASONS`) stay masked.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use serde_json::value::RawValue;

use super::fields;
use crate::record::Trail;

/// Columns: event source, calls (`a|b`, a prefix ending `*`, or `*`), path from the record's top, and what the value is: an
/// attribute `request.…` or, for the resource's id, its type. Of the resource rows of a call, the first with a value decides.
const TABLE: &str = include_str!("request.tsv");

/// A list is gathered until it is longer than this, bytes: twice what any event attribute may hold, so that what is cut and
/// marked at sending is not cut here without a mark.
const LIST_BYTES: usize = 8_192;

/// The table by service.
#[derive(Debug)]
pub(super) struct Calls {
    by_source: HashMap<&'static str, Vec<Row>>,
}

#[derive(Debug)]
struct Row {
    calls: Vec<&'static str>,
    part: Part,
    path: Vec<&'static str>,
    target: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Request,
    Response,
    Details,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Attribute(&'static str),
    Resource(&'static str),
}

/// What the table lets through of one record.
#[derive(Debug, Default)]
pub(super) struct Read<'a> {
    pub(super) request: Vec<(&'static str, Cow<'a, str>)>,
    /// Type and id.
    pub(super) resource: Option<(&'static str, Cow<'a, str>)>,
}

impl Calls {
    pub(super) fn built_in() -> Self {
        let mut by_source: HashMap<&'static str, Vec<Row>> = HashMap::new();
        for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            // A test holds every row to this form.
            if let Some((source, row)) = parse_row(line) {
                by_source.entry(source).or_default().push(row);
            }
        }
        Self { by_source }
    }

    pub(super) fn attributes(&self) -> Vec<&'static str> {
        let rows = self.by_source.values().flatten();
        let names = rows.filter_map(|row| match row.target {
            Target::Attribute(name) => Some(name),
            Target::Resource(_) => None,
        });
        names.collect::<BTreeSet<_>>().into_iter().collect()
    }

    pub(super) fn read<'a>(&self, trail: &Trail<'a>, source: &str, event_name: &str) -> Read<'a> {
        let Some(rows) = self.by_source.get(source) else {
            return Read::default();
        };
        let call = without_version(event_name);
        let rows: Vec<&Row> = rows.iter().filter(|row| row.matches(call)).take(fields::PATHS_MAX).collect();
        let mut values: Vec<Values<'a>> = rows.iter().map(|_| Values::default()).collect();
        let parts = [
            (Part::Request, trail.request_parameters),
            (Part::Response, trail.response_elements),
            (Part::Details, trail.service_event_details),
        ];
        for (part, raw) in parts {
            if let Some(raw) = raw {
                read_part(part, raw, &rows, &mut values);
            }
        }
        gather(&rows, values)
    }
}

/// The path of a row in another part: no key is this.
const NOWHERE: &[&str] = &["\0"];

fn read_part<'a>(part: Part, raw: &'a RawValue, rows: &[&Row], values: &mut [Values<'a>]) {
    let of_part = |row: &&Row| row.part == part;
    if !rows.iter().any(of_part) {
        return;
    }
    // Positions in `paths` are those of `rows` and `values`.
    let paths: Vec<&[&str]> = rows.iter().map(|row| if of_part(row) { row.path.as_slice() } else { NOWHERE }).collect();
    fields::read(raw, &paths, |path, value| {
        if let Some(values) = values.get_mut(path) {
            values.add(value);
        }
    });
}

/// Attributes with all values of their rows; the resource by its first row with a value.
fn gather<'a>(rows: &[&Row], values: Vec<Values<'a>>) -> Read<'a> {
    let mut read = Read::default();
    let mut by_name: Vec<(&'static str, Values<'a>)> = Vec::new();
    for (row, values) in rows.iter().zip(values) {
        match row.target {
            Target::Resource(kind) => {
                if read.resource.is_none() {
                    read.resource = values.into_text().map(|id| (kind, id));
                }
            }
            Target::Attribute(name) => match by_name.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => values.list.into_iter().for_each(|value| known.add(value)),
                None => by_name.push((name, values)),
            },
        }
    }
    read.request = by_name.into_iter().filter_map(|(name, values)| Some((name, values.into_text()?))).collect();
    read
}

/// The values at one path, each once.
#[derive(Debug, Default)]
struct Values<'a> {
    list: Vec<Cow<'a, str>>,
    bytes: usize,
}

impl<'a> Values<'a> {
    fn add(&mut self, value: Cow<'a, str>) {
        if value.is_empty() || self.bytes > LIST_BYTES || self.list.contains(&value) {
            return;
        }
        self.bytes += value.len() + 1;
        self.list.push(value);
    }

    fn into_text(mut self) -> Option<Cow<'a, str>> {
        match self.list.len() {
            0 => None,
            1 => self.list.pop(),
            _ => {
                let mut text = String::with_capacity(self.bytes + 1);
                for value in &self.list {
                    text.push('|');
                    // A bar inside a value would look like two values.
                    text.extend(value.chars().map(|c| if c == '|' { '¦' } else { c }));
                }
                text.push('|');
                Some(Cow::Owned(text))
            }
        }
    }
}

impl Row {
    fn matches(&self, call: &str) -> bool {
        self.calls.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => call.starts_with(prefix),
            None => call == *pattern,
        })
    }
}

/// `UpdateFunctionConfiguration` of `UpdateFunctionConfiguration20150331v2`: Lambda and `CloudFront` add the API's version.
fn without_version(event_name: &str) -> &str {
    const DATE_DIGITS: usize = 8;
    let revision = event_name.trim_end_matches(|c: char| c.is_ascii_digit());
    let dated = if revision.len() < event_name.len() { revision.strip_suffix('v').unwrap_or(event_name) } else { event_name };
    let plain = dated.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    let digits = dated.bytes().skip(plain.len()).filter(u8::is_ascii_digit).count();
    if digits == DATE_DIGITS { plain } else { event_name }
}

fn parse_row(line: &'static str) -> Option<(&'static str, Row)> {
    let mut columns = line.split('\t');
    let (source, calls, path, target) = (columns.next()?, columns.next()?, columns.next()?, columns.next()?);
    let mut steps = path.split('.');
    let part = match steps.next()? {
        "requestParameters" => Part::Request,
        "responseElements" => Part::Response,
        "serviceEventDetails" => Part::Details,
        _ => return None,
    };
    let target = match target {
        attribute if attribute.starts_with("request.") => Target::Attribute(attribute),
        kind if kind.starts_with("AWS::") => Target::Resource(kind),
        _ => return None,
    };
    let path: Vec<&str> = steps.collect();
    let complete = columns.next().is_none() && !path.is_empty() && path.iter().all(|step| !step.is_empty());
    complete.then(|| (source, Row { calls: calls.split('|').collect(), part, path, target }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_read() {
        let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut seen = BTreeSet::new();
        for line in lines {
            let (source, row) = parse_row(line).unwrap_or_else(|| panic!("not a row: {line:?}"));
            assert!(source.ends_with(".amazonaws.com"), "{line}");
            for call in &row.calls {
                assert!(!call.is_empty() && !call.trim_end_matches('*').contains('*'), "{line}");
                let key = (source, *call, format!("{:?}{:?}{:?}", row.part, row.path, row.target));
                assert!(seen.insert(key), "twice: {line}");
            }
        }
        assert!(seen.len() >= 120, "{} calls", seen.len());
    }

    #[test]
    fn no_call_has_more_rows_than_one_pass_takes() {
        for (source, rows) in Calls::built_in().by_source {
            for call in rows.iter().flat_map(|row| &row.calls) {
                let count = rows.iter().filter(|row| row.matches(call)).count();
                assert!(count <= fields::PATHS_MAX, "{source} {call}: {count}");
            }
        }
    }

    #[test]
    fn nothing_that_may_hold_a_secret_or_a_body_is_allowed() {
        const REFUSED: [&str; 14] = [
            "password",
            "secret",
            "token",
            "document",
            "userdata",
            "body",
            "description",
            "privatekey",
            "certificate",
            "sshpublickey",
            "environment",
            "parameters",
            "value",
            "policytext",
        ];
        // Names and ids, account ids a snapshot is shared with, and the settings of a password policy are no secrets.
        const HARMLESS: [&str; 9] = [
            "servercertificatename",
            "secretid",
            "secretidlist",
            "documentname",
            "valuestoadd",
            "valuestoremove",
            "minimumpasswordlength",
            "maxpasswordage",
            "passwordresetrequired",
        ];
        for row in Calls::built_in().by_source.values().flatten() {
            let last = row.path.last().expect("a step").to_ascii_lowercase();
            assert!(HARMLESS.contains(&last.as_str()) || !REFUSED.iter().any(|word| last.contains(word)), "{row:?}");
        }
    }

    #[test]
    fn api_versions_are_not_part_of_a_calls_name() {
        for (name, want) in [
            ("UpdateFunctionConfiguration20150331v2", "UpdateFunctionConfiguration"),
            ("CreateFunction20150331", "CreateFunction"),
            ("CreateFunction2020_05_31", "CreateFunction"),
            ("CreateBucket", "CreateBucket"),
            ("ListObjectsV2", "ListObjectsV2"),
            ("Describe2024", "Describe2024"),
            ("", ""),
            ("20150331", ""),
        ] {
            assert_eq!(without_version(name), want, "{name}");
        }
    }
}
