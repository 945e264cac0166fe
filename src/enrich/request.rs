//! Which request parameters pass, and which of them names the resource.
//!
//! In: a record's request and response, the service and the call. Out: the allowed values by attribute name, and the value that
//! names the resource. What may pass is the table `request.tsv`, one row for each service, calls, path and target; everything
//! else stays behind: policy bodies, user data, tags, descriptions, secrets. One value passes as it is; several, each once, as a
//! list `|a|b|`. Values AWS masked (`HIDDEN_DUE_TO_SECURITY_REASONS`) stay masked.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use super::fields;
use crate::record::Trail;

/// Columns: event source, calls (`a|b`, or `*` for all), path from the record's top, and what the value is: an attribute
/// `request.…` or, for the resource's id, its type. Of the resource rows of a call, the first with a value decides.
const TABLE: &str = include_str!("request.tsv");

/// A list is gathered until it is longer than this, bytes: twice what any event attribute may hold, so that what is cut and
/// marked at sending is not cut here without a mark.
const LIST_BYTES: usize = 8_192;

/// The table by service.
#[derive(Debug)]
pub(super) struct Calls {
    by_source: HashMap<&'static str, Service>,
}

/// The calls of a service that have rows of their own, each with the service's `*` rows in it; and all other calls.
#[derive(Debug, Default)]
struct Service {
    named: HashMap<&'static str, Call>,
    other: Call,
}

/// What to read of one call.
#[derive(Debug, Default)]
struct Call {
    /// Where values go: one for each resource row, in the table's order, and one for each attribute.
    slots: Vec<Target>,
    /// Paths of request, response and service event details, with the slot of each.
    parts: [Vec<(Vec<&'static str>, usize)>; 3],
}

/// A row of the table.
#[derive(Debug)]
struct Row {
    source: &'static str,
    calls: Vec<&'static str>,
    /// Index into [`Call::parts`].
    part: usize,
    path: Vec<&'static str>,
    target: Target,
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
        // A test holds every row to the form that `parse_row` reads.
        let rows: Vec<Row> = table_lines().filter_map(parse_row).collect();
        let mut by_source: HashMap<&'static str, Service> = HashMap::new();
        for row in &rows {
            let service = by_source.entry(row.source).or_default();
            for call in row.calls.iter().filter(|call| **call != "*") {
                service.named.entry(call).or_default();
            }
        }
        for row in &rows {
            let Some(Service { named, other }) = by_source.get_mut(row.source) else {
                continue;
            };
            let all = row.calls.contains(&"*");
            let named = named.iter_mut().filter(|(name, _)| all || row.calls.contains(name)).map(|(_, call)| call);
            named.chain(all.then_some(other)).for_each(|call| call.add(row));
        }
        Self { by_source }
    }

    pub(super) fn attributes(&self) -> Vec<&'static str> {
        let calls = self.by_source.values().flat_map(|service| service.named.values().chain([&service.other]));
        let names = calls.flat_map(|call| &call.slots).filter_map(|target| match target {
            Target::Attribute(name) => Some(*name),
            Target::Resource(_) => None,
        });
        names.collect::<BTreeSet<_>>().into_iter().collect()
    }

    pub(super) fn read<'a>(&self, trail: &Trail<'a>, source: &str, event_name: &str) -> Read<'a> {
        let Some(service) = self.by_source.get(source) else {
            return Read::default();
        };
        let call = service.named.get(without_version(event_name)).unwrap_or(&service.other);
        let mut values: Vec<Values<'a>> = call.slots.iter().map(|_| Values::default()).collect();
        let parts = [trail.request_parameters, trail.response_elements, trail.service_event_details];
        for (paths, raw) in call.parts.iter().zip(parts) {
            let (Some(raw), false) = (raw, paths.is_empty()) else {
                continue;
            };
            fields::read(raw, paths, |path, value| {
                if let Some(values) = paths.get(path).and_then(|(_, slot)| values.get_mut(*slot)) {
                    values.add(value);
                }
            });
        }
        let mut read = Read::default();
        for (target, values) in call.slots.iter().zip(values) {
            match (target, values.into_text()) {
                (_, None) => {}
                (Target::Attribute(name), Some(text)) => read.request.push((name, text)),
                (Target::Resource(kind), Some(id)) => read.resource = read.resource.or(Some((kind, id))),
            }
        }
        read
    }
}

impl Call {
    fn add(&mut self, row: &Row) {
        let known = match row.target {
            Target::Attribute(_) => self.slots.iter().position(|target| *target == row.target),
            Target::Resource(_) => None,
        };
        let slot = known.unwrap_or_else(|| {
            self.slots.push(row.target);
            self.slots.len() - 1
        });
        if let Some(paths) = self.parts.get_mut(row.part) {
            paths.push((row.path.clone(), slot));
        }
    }
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

/// `UpdateFunctionConfiguration` of `UpdateFunctionConfiguration20150331v2`: Lambda and `CloudFront` add the API's version.
fn without_version(event_name: &str) -> &str {
    const DATE_DIGITS: usize = 8;
    let revision = event_name.trim_end_matches(|c: char| c.is_ascii_digit());
    let dated = if revision.len() < event_name.len() { revision.strip_suffix('v').unwrap_or(event_name) } else { event_name };
    let plain = dated.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    let digits = dated.bytes().skip(plain.len()).filter(u8::is_ascii_digit).count();
    if digits == DATE_DIGITS { plain } else { event_name }
}

fn table_lines() -> impl Iterator<Item = &'static str> {
    TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn parse_row(line: &'static str) -> Option<Row> {
    let mut columns = line.split('\t');
    let (source, calls, path, target) = (columns.next()?, columns.next()?, columns.next()?, columns.next()?);
    let mut steps = path.split('.');
    let part = match steps.next()? {
        "requestParameters" => 0,
        "responseElements" => 1,
        "serviceEventDetails" => 2,
        _ => return None,
    };
    let target = match target {
        attribute if attribute.starts_with("request.") => Target::Attribute(attribute),
        kind if kind.starts_with("AWS::") => Target::Resource(kind),
        _ => return None,
    };
    let path: Vec<&str> = steps.collect();
    let complete = columns.next().is_none() && !path.is_empty() && path.iter().all(|step| !step.is_empty());
    complete.then(|| Row { source, calls: calls.split('|').collect(), part, path, target })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_read() {
        let mut seen = BTreeSet::new();
        for line in table_lines() {
            let row = parse_row(line).unwrap_or_else(|| panic!("not a row: {line:?}"));
            assert!(row.source.ends_with(".amazonaws.com"), "{line}");
            for call in &row.calls {
                assert!(*call == "*" || !call.is_empty() && !call.contains('*'), "{line}");
                let key = (row.source, *call, row.part, row.path.clone(), format!("{:?}", row.target));
                assert!(seen.insert(key), "twice: {line}");
            }
        }
        let calls: BTreeSet<_> = seen.iter().map(|(source, call, ..)| (source, call)).collect();
        assert!(calls.len() >= 120, "{} calls", calls.len());
    }

    #[test]
    fn no_call_has_more_paths_than_one_pass_takes() {
        for (source, service) in &Calls::built_in().by_source {
            for call in service.named.values().chain([&service.other]) {
                assert!(call.parts.iter().all(|paths| paths.len() <= fields::PATHS_MAX), "{source}: {call:?}");
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
        const HARMLESS: [&str; 10] = [
            "servercertificatename",
            "certificatearn",
            "secretid",
            "secretidlist",
            "documentname",
            "valuestoadd",
            "valuestoremove",
            "minimumpasswordlength",
            "maxpasswordage",
            "passwordresetrequired",
        ];
        for row in table_lines().filter_map(parse_row) {
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
