//! OTLP's asynchronous half for metrics: from a body that already has its 200 to rows of type `Metric`.
//!
//! In: an unpacked `ExportMetricsServiceRequest` in protobuf and the time. Out: an [`Intake`]. Each point is a row: its metric's name
//! and times, the attributes of resource, scope and point (on a clash the inner one wins), and under the metric's own name an object
//! of `type` and numbers, as `getField` reads them. A delta sum that only grows is a `count`, a cumulative one a `cumulativeCount`, a
//! gauge or a cumulative sum that falls too is a `gauge`; a delta sum that falls is not supported by New Relic, histograms and summaries
//! are not imitated: both are lost here, so that a sender sees it. [OTLP metric mapping page; limits in `encode::limits`]

mod wire;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::intake::{Intake, Row, Violation, is_longer, is_reserved};
use crate::encode::limits;
use wire::{Broken, fields};

/// Type of every point.
pub(super) const METRIC: &str = "Metric";

const NANOS_OF_MS: u64 = 1_000_000;

/// What a sum adds up. [metrics.proto, `AggregationTemporality`]
const DELTA: u64 = 1;
const CUMULATIVE: u64 = 2;

/// Reads one body at `now_ms`.
pub(super) fn read(body: &[u8], now_ms: i64) -> Intake {
    let mut intake = Intake::default();
    // A body that is broken somewhere is lost whole: nothing of it is stored before the end is read.
    let mut reading = Reading { now_ms, intake: &mut intake };
    if reading.request(body).is_err() {
        intake = Intake::default();
        intake.lose(Violation::Protobuf, 1, Some(METRIC));
    }
    intake
}

type Attributes = Map<String, Value>;

struct Reading<'i> {
    now_ms: i64,
    intake: &'i mut Intake,
}

/// What a point's metric says of all its points.
#[derive(Debug, Clone, Copy)]
enum Form {
    Count,
    CumulativeCount,
    Gauge,
}

impl Reading<'_> {
    fn request(&mut self, body: &[u8]) -> Result<(), Broken> {
        for field in fields(body) {
            if let (1, resource_metrics) = field? {
                self.resource(resource_metrics.bytes()?)?;
            }
        }
        Ok(())
    }

    fn resource(&mut self, message: &[u8]) -> Result<(), Broken> {
        let mut outer = Attributes::new();
        for field in fields(message) {
            if let (1, resource) = field? {
                self.attributes(resource.bytes()?, 1, &mut outer)?;
            }
        }
        for field in fields(message) {
            if let (2, scope_metrics) = field? {
                self.scope(scope_metrics.bytes()?, &outer)?;
            }
        }
        Ok(())
    }

    fn scope(&mut self, message: &[u8], outer: &Attributes) -> Result<(), Broken> {
        let mut attributes = outer.clone();
        for field in fields(message) {
            let (1, scope) = field? else { continue };
            for field in fields(scope.bytes()?) {
                match field? {
                    (1, name) if !name.bytes()?.is_empty() => {
                        attributes.insert("otel.library.name".to_owned(), name.text()?.into());
                    }
                    (2, version) if !version.bytes()?.is_empty() => {
                        attributes.insert("otel.library.version".to_owned(), version.text()?.into());
                    }
                    _ => {}
                }
            }
            self.attributes(scope.bytes()?, 3, &mut attributes)?;
        }
        for field in fields(message) {
            if let (2, metric) = field? {
                self.metric(metric.bytes()?, &attributes)?;
            }
        }
        Ok(())
    }

    fn metric(&mut self, message: &[u8], outer: &Attributes) -> Result<(), Broken> {
        let (mut name, mut unit, mut data) = ("", "", None);
        for field in fields(message) {
            match field? {
                (1, value) => name = value.text()?,
                (3, value) => unit = value.text()?,
                (number @ (5 | 7 | 9 | 10 | 11), value) => data = Some((number, value.bytes()?)),
                _ => {}
            }
        }
        let Some((number, data)) = data else {
            self.intake.lose(Violation::MetricKind, 1, Some(METRIC));
            return Ok(());
        };
        let form = match number {
            5 => Some(Form::Gauge),
            7 => sum_form(data)?,
            _ => None,
        };
        let mut outer = outer.clone();
        if !unit.is_empty() {
            outer.insert("unit".to_owned(), unit.into());
        }
        for field in fields(data) {
            if let (1, point) = field? {
                self.point(point.bytes()?, name, form, &outer)?;
            }
        }
        Ok(())
    }

    fn point(&mut self, message: &[u8], name: &str, form: Option<Form>, outer: &Attributes) -> Result<(), Broken> {
        let Some(form) = form else {
            self.intake.lose(Violation::MetricKind, 1, Some(METRIC));
            return Ok(());
        };
        let (mut from, mut to, mut number) = (0, 0, None);
        for field in fields(message) {
            match field? {
                (2, value) => from = value.eight()?,
                (3, value) => to = value.eight()?,
                (4, value) => number = Some(json!(f64::from_bits(value.eight()?))),
                (6, value) => number = Some(json!(value.eight()?.cast_signed())),
                _ => {}
            }
        }
        let mut attributes = outer.clone();
        self.attributes(message, 7, &mut attributes)?;
        if let Err(violation) = self.keep(attributes, name, form, (from, to), number) {
            self.intake.lose(violation, 1, Some(METRIC));
        }
        Ok(())
    }

    fn keep(
        &mut self,
        mut attributes: Attributes,
        name: &str,
        form: Form,
        (from, to): (u64, u64),
        number: Option<Value>,
    ) -> Result<(), Violation> {
        if name.is_empty() {
            return Err(Violation::NameIllegal);
        }
        if name.len() > limits::NAME_BYTES {
            return Err(Violation::NameTooLong);
        }
        let number = number.filter(|number| !number.is_null()).ok_or(Violation::ValueKind)?;
        let ms = |nanos: u64| i64::try_from(nanos / NANOS_OF_MS).unwrap_or(i64::MAX);
        let to = if to == 0 { self.now_ms } else { ms(to) };
        let from = if from == 0 { to } else { ms(from) };
        let is_old = self.now_ms.saturating_sub(from) > limits::METRIC_WINDOW_MS;
        if is_old || to.saturating_sub(self.now_ms) > limits::METRIC_FUTURE_MS {
            return Err(Violation::TimestampWindow);
        }
        let value = match form {
            Form::Count => json!({ "type": "count", "count": number }),
            Form::CumulativeCount => json!({ "type": "cumulativeCount", "count": number }),
            Form::Gauge => {
                json!({ "type": "gauge", "count": 1, "total": number, "min": number, "max": number, "latest": number })
            }
        };
        attributes.retain(|name, _| {
            let reserved = is_reserved(name);
            if reserved {
                self.intake.note(Violation::ReservedName);
            }
            !reserved
        });
        attributes.insert("metricName".to_owned(), name.into());
        attributes.insert("timestamp".to_owned(), from.into());
        attributes.insert("endTimestamp".to_owned(), to.into());
        if attributes.len() > limits::METRIC_ATTRIBUTES {
            return Err(Violation::TooManyAttributes);
        }
        attributes.insert(name.to_owned(), value);
        self.intake.rows.push(Row { event_type: METRIC.to_owned(), attributes });
        Ok(())
    }

    /// The attributes in field `number` of a message. What is too long is cut and kept; what New Relic has no place for is left out.
    fn attributes(&mut self, message: &[u8], number: u64, into: &mut Attributes) -> Result<(), Broken> {
        for field in fields(message) {
            let (found, pair) = field?;
            if found != number {
                continue;
            }
            let (mut name, mut value) = ("", None);
            for field in fields(pair.bytes()?) {
                match field? {
                    (1, text) => name = text.text()?,
                    (2, any) => value = self.any(any.bytes()?)?,
                    _ => {}
                }
            }
            if name.is_empty() {
                self.intake.note(Violation::NameIllegal);
                continue;
            }
            if name.len() > limits::NAME_BYTES {
                self.intake.note(Violation::NameTooLong);
            }
            let kept = name.get(..name.floor_char_boundary(limits::NAME_BYTES)).unwrap_or(name);
            if let Some(value) = value {
                into.insert(kept.to_owned(), value);
            }
        }
        Ok(())
    }

    /// An attribute's value; `None`: there is no place for it.
    fn any(&mut self, message: &[u8]) -> Result<Option<Value>, Broken> {
        let mut read = None;
        for field in fields(message) {
            read = match field? {
                (1, value) => Some(self.cut(value.text()?)),
                (2, value) => Some(Value::Bool(value.varint()? != 0)),
                (3, value) => Some(value.varint()?.cast_signed().into()),
                (4, value) => Some(json!(f64::from_bits(value.eight()?))),
                (5, list) => {
                    let items = fields(list.bytes()?).filter(|field| !matches!(field, Ok((number, _)) if *number != 1));
                    let items: Result<Vec<_>, Broken> = items.map(|field| self.any(field?.1.bytes()?)).collect();
                    let items: Vec<Value> = items?.into_iter().flatten().collect();
                    if items.len() > limits::OTLP_LIST {
                        self.intake.note(Violation::ListTooLong);
                        None
                    } else {
                        Some(items.into())
                    }
                }
                // Maps and bytes.
                _ => {
                    self.intake.note(Violation::ValueKind);
                    None
                }
            };
        }
        Ok(read)
    }

    fn cut(&mut self, text: &str) -> Value {
        if !is_longer(text, limits::OTLP_VALUE_CHARS) {
            return text.into();
        }
        self.intake.note(Violation::OtlpValueCut);
        text.chars().take(limits::OTLP_VALUE_CHARS).collect::<String>().into()
    }
}

/// What a sum is; `None`: New Relic does not support it.
fn sum_form(sum: &[u8]) -> Result<Option<Form>, Broken> {
    let (mut temporality, mut is_monotonic) = (0, false);
    for field in fields(sum) {
        match field? {
            (2, value) => temporality = value.varint()?,
            (3, value) => is_monotonic = value.varint()? != 0,
            _ => {}
        }
    }
    Ok(match (temporality, is_monotonic) {
        (DELTA, true) => Some(Form::Count),
        (CUMULATIVE, true) => Some(Form::CumulativeCount),
        (CUMULATIVE, false) => Some(Form::Gauge),
        _ => None,
    })
}
