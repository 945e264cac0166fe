//! `schema`: every attribute that is ever sent.
//!
//! In: the dictionary of the events, the allow-list of request parameters, the attributes of a log and the metrics, all built in. Out: a
//! table for a terminal, JSON, or Markdown. What always holds: an attribute has one row, which names every type that carries
//! it. The fields of a raw record are AWS's own and have no rows.

use serde_json::{Value, json};

use super::exit::Exit;
use super::table::table;
use crate::encode::dictionary::{ATTRIBUTES, Attribute, EVENTS, Kind, NOTICE, SECURITY_EVENT};
use crate::encode::metric::{self, METRIC};
use crate::encode::otlp;
use crate::enrich::{AccountNames, Enricher};

/// What is said of every request parameter.
const REQUEST: &str = "Request parameter that the allow-list passes for its call.";

/// What `actor.kind` says: what the record proves, most often too little to tell who holds a user's key.
const ACTOR_KIND: &str = "What stands behind the call, as far as the record tells. root; human: a person, by console, MFA or \
                          Identity Center; workload: a program, by instance, task, pod, function or SDK; awsService: AWS itself; \
                          ci: a pipeline; federated: another identity provider's user; unknown: no evidence, as an IAM user's \
                          key in the AWS CLI or Terraform, which people and programs use alike.";

/// The type of raw records.
pub(super) const LOG: &str = "Log";

/// What every event says first, and what every log has.
const FIRST: [Row; 2] = [
    Row {
        name: "eventType",
        kind: "text",
        unit: "",
        example: SECURITY_EVENT,
        events: EventTypes { events: EVENTS, log: false, metric: false },
        meaning: "New Relic's type, the FROM of a query.",
    },
    Row {
        name: "timestamp",
        kind: "number",
        unit: "ms since epoch",
        example: "1795292071000",
        events: EventTypes { events: EVENTS, log: true, metric: true },
        meaning: "What New Relic files it under: event.time; the time of sending for a notice, a heartbeat, a gap and what is late; the time of the run, for all its rows.",
    },
];

/// Attributes of events that logs carry too.
const OF_LOGS_TOO: [&str; 7] =
    ["event.id", "aws.accountId", "aws.accountName", "relay.version", "relay.source", "relay.late", "relay.truncated"];

/// What only logs have.
const OF_LOGS: [Row; 4] = [
    Row {
        name: "logtype",
        kind: "text",
        unit: "",
        example: "aws.cloudtrail",
        events: ONLY_LOG,
        meaning: "Always aws.cloudtrail.",
    },
    Row {
        name: "message",
        kind: "object",
        unit: "",
        example: "",
        events: ONLY_LOG,
        meaning: "The record as AWS wrote it, well-known secrets masked.",
    },
    Row {
        name: "trail.eventType",
        kind: "text",
        unit: "",
        example: "AwsApiCall",
        events: ONLY_LOG,
        meaning: "The record's own eventType, inside message: the Log API drops that name.",
    },
    Row {
        name: "trail.accountId",
        kind: "text",
        unit: "",
        example: "111122223333",
        events: ONLY_LOG,
        meaning: "The record's own top-level accountId, where it has one, inside message: the Log API drops that name.",
    },
];

/// What every point of a metric has.
const OF_METRICS: [Row; 2] = [
    Row {
        name: "metricName",
        kind: "text",
        unit: "",
        example: "cspm.records",
        events: ONLY_METRIC,
        meaning: "Name of the metric.",
    },
    Row {
        name: "service.name",
        kind: "text",
        unit: "",
        example: otlp::SERVICE,
        events: ONLY_METRIC,
        meaning: "Who counted: always cspm-relay.",
    },
];

const ONLY_METRIC: EventTypes = EventTypes { events: &[], log: false, metric: true };

const ONLY_LOG: EventTypes = EventTypes { events: &[], log: true, metric: false };

/// The types that carry an attribute.
#[derive(Debug, Clone, Copy)]
pub(super) struct EventTypes {
    events: &'static [&'static str],
    log: bool,
    metric: bool,
}

impl EventTypes {
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        self.events.iter().copied().chain(self.log.then_some(LOG)).chain(self.metric.then_some(METRIC))
    }
}

/// One attribute as it is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) name: &'static str,
    /// text, number, object, or the form of a metric.
    pub(super) kind: &'static str,
    unit: &'static str,
    example: &'static str,
    pub(super) events: EventTypes,
    pub(super) meaning: &'static str,
}

impl From<&Attribute> for Row {
    fn from(attribute: &Attribute) -> Self {
        let Attribute { name, kind, unit, example, events, meaning } = *attribute;
        let kind = match kind {
            Kind::Text => "text",
            Kind::Number => "number",
        };
        let meaning = if name == "actor.kind" { ACTOR_KIND } else { meaning };
        let of_metrics = metric::METRICS.iter().flat_map(|metric| metric.attributes).chain(&metric::OF_ACCOUNT);
        let metric = of_metrics.into_iter().any(|found| *found == name);
        Self { name, kind, unit, example, events: EventTypes { events, log: OF_LOGS_TOO.contains(&name), metric }, meaning }
    }
}

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How the dictionary looks
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// For people
    #[value(alias = "table")]
    Text,
    /// For machines
    Json,
    /// For a page
    Markdown,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let rows = rows()?;
    let text = match args.format {
        Format::Text => {
            let rows: Vec<Vec<String>> = rows
                .iter()
                .map(|row| {
                    let events: Vec<&str> = row.events.names().collect();
                    [row.name, row.kind, row.unit, &events.join(" "), row.meaning].map(str::to_owned).to_vec()
                })
                .collect();
            table(&["attribute", "type", "unit", "event types", "meaning"], &rows)
        }
        Format::Markdown => {
            let head = "| attribute | type | unit | example | event types | meaning |\n| --- | --- | --- | --- | --- | --- |\n";
            rows.iter().fold(head.to_owned(), |page, row| page + &markdown(row))
        }
        Format::Json => {
            let rows: Vec<Value> = rows.iter().map(json).collect();
            serde_json::to_string_pretty(&rows)? + "\n"
        }
    };
    super::print(&text)?;
    Ok(Exit::Good)
}

/// Every attribute, in the order in which people look for them.
pub(super) fn rows() -> anyhow::Result<Vec<Row>> {
    let enricher = Enricher::new(AccountNames::default(), "UTC")?;
    let request = enricher.request_attributes();
    let of_events = ATTRIBUTES.iter().map(Row::from).chain(request.iter().map(|name| parameter(name)));
    Ok(FIRST.into_iter().chain(of_events).chain(OF_LOGS).chain(of_metrics()).collect())
}

/// The metrics themselves, and the attributes that only they have.
fn of_metrics() -> impl Iterator<Item = Row> {
    let named = metric::METRICS.into_iter().map(|metric| Row {
        name: metric.name,
        kind: metric.form.as_str(),
        unit: "",
        example: "",
        events: ONLY_METRIC,
        meaning: metric.meaning,
    });
    let own = metric::ATTRIBUTES.into_iter().map(|attribute| Row {
        name: attribute.name,
        kind: "text",
        unit: "",
        example: attribute.example,
        events: ONLY_METRIC,
        meaning: attribute.meaning,
    });
    named.chain(OF_METRICS).chain(own)
}

/// The row of a request parameter.
fn parameter(name: &'static str) -> Row {
    let events = EventTypes { events: &[SECURITY_EVENT, NOTICE], log: false, metric: false };
    Row { name, kind: "text", unit: "", example: "", events, meaning: REQUEST }
}

fn json(row: &Row) -> Value {
    // A number as a number.
    let whole = row.example.parse::<i64>().map(Value::from);
    let example = whole.or_else(|_| row.example.parse::<f64>().map(Value::from)).ok().filter(|_| row.kind == "number");
    let example = example.unwrap_or_else(|| json!(row.example));
    let events: Vec<&str> = row.events.names().collect();
    json!({
        "name": row.name, "type": row.kind, "unit": row.unit, "example": example, "eventTypes": events, "meaning": row.meaning,
    })
}

fn markdown(row: &Row) -> String {
    // A bar would end the cell.
    let escaped = |text: &str| text.replace('|', "\\|");
    let example = if row.example.is_empty() { String::new() } else { format!("`{}`", escaped(row.example)) };
    let events: Vec<String> = row.events.names().map(|event| format!("`{event}`")).collect();
    let (unit, meaning) = (escaped(row.unit), escaped(row.meaning));
    format!("| `{}` | {} | {unit} | {example} | {} | {meaning} |\n", row.name, row.kind, events.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_has_one_row_and_logs_have_known_ones() {
        let rows = rows().unwrap();
        let mut names: Vec<&str> = rows.iter().map(|row| row.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "a name stands twice");
        for name in OF_LOGS_TOO {
            assert!(ATTRIBUTES.iter().any(|attribute| attribute.name == name), "{name}");
        }
        assert!(rows.iter().all(|row| row.events.names().next().is_some()));
    }
}
