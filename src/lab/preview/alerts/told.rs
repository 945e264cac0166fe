//! What leaves of the page Alerts, as JSON.
//!
//! In: what the desk found, the shown time, a mask. Out: trees. What always holds: values of facets are masked by the attributes they
//! show, and titles are made of what was masked; lists are bounded ([`SIGNALS`], [`INCIDENTS`], [`SPANS`]) and the rest is told as a
//! number.

use serde_json::{Map, Value, json};

use super::super::origin::{self, Origins};
use super::super::tree::Tree;
use super::super::{Language, Mask, Refusal};
use super::desk::{Brief, Desk, Found, Verdict, is_in};
use super::line::{self, judged};
use super::{ListRequest, OneRequest, Policy, Shown};
use crate::lab::engine::{self, Field};
use crate::lab::streaming::{Cause, Evaluation, Incident, Point, Reason, SignalRun};
use crate::nrql;
use crate::nrql::condition::{Condition, Fill, Kind, Method, Term};

/// Signals that a chart shows: more lines are told apart by nobody.
const SIGNALS: usize = 8;

/// Incidents in the table of a condition, the last ones.
const INCIDENTS: usize = 200;

/// Incidents in the strip of a list, the last ones.
const SPANS: usize = 200;

impl Desk {
    /// All policies and conditions, and from when to when rows came.
    pub(in crate::lab::preview) fn definitions(&self, language: Language, mask: Option<&Mask>) -> Tree {
        let policies: Vec<Value> = self.policies(language).iter().map(policy).collect();
        let past = self.past();
        let told = json!({ "policies": policies, "arrivals": past.arrivals.map(|(first, last)| [first, last]) });
        masked(&told, &Origins::new(), mask)
    }

    /// What each condition of a policy found in the shown time.
    pub(in crate::lab::preview) fn list(&self, request: &ListRequest, mask: Option<&Mask>) -> Result<Tree, Refusal> {
        checked(request.since, request.until)?;
        let all = self.policies(Language::default());
        let policy = all.iter().find(|policy| policy.key == request.policy).ok_or_else(|| unknown("policy", &request.policy))?;
        let past = self.past();
        let one = |shown: &Shown| {
            let brief = self.brief(shown, &past);
            told(&shown.tested.id, &brief, request.since, request.until)
        };
        let told: Vec<Value> = policy.conditions.iter().map(one).map(Value::Object).collect();
        Ok(masked(&json!({ "conditions": told }), &Origins::new(), mask))
    }

    /// One condition: signals and incidents of the shown time.
    pub(in crate::lab::preview) fn one(&self, request: &OneRequest, mask: Option<&Mask>) -> Result<Tree, Refusal> {
        checked(request.since, request.until)?;
        let language = request.lang.as_deref().and_then(|lang| lang.parse().ok()).unwrap_or_default();
        let (_, shown) = self.condition(language, &request.id).ok_or_else(|| unknown("condition", &request.id))?;
        let past = self.past();
        let (brief, evaluation) = self.whole(shown, &past);
        let mut told = told(&shown.tested.id, &brief, request.since, request.until);
        told.remove("spans");
        if let Some(evaluation) = evaluation {
            add(&mut told, shown, &evaluation, request);
        }
        let origins = match nrql::parse(&shown.tested.condition.query) {
            Ok(statement) if mask.is_some() => origin::of(&statement),
            _ => Origins::new(),
        };
        Ok(titled(masked(&Value::Object(told), &origins, mask), shown, mask))
    }
}

/// Ms since 1970, either way, that a browser can count.
const TIMES_MS: std::ops::RangeInclusive<i64> = -8_640_000_000_000_000..=8_640_000_000_000_000;

/// A time that has a length and can be counted in.
fn checked(since_ms: i64, until_ms: i64) -> Result<(), Refusal> {
    if since_ms < until_ms && TIMES_MS.contains(&since_ms) && TIMES_MS.contains(&until_ms) {
        return Ok(());
    }
    Err(Refusal { message: "since must lie before until, both in milliseconds since 1970".to_owned(), position: None })
}

fn unknown(what: &str, name: &str) -> Refusal {
    Refusal { message: format!("no {what} {name:?}"), position: None }
}

/// As it leaves the server.
fn masked(told: &Value, origins: &Origins, mask: Option<&Mask>) -> Tree {
    // Nothing here can fail: a tree holds every JSON.
    let tree = serde_json::from_value::<Tree>(told.clone()).unwrap_or(Tree::Null);
    mask.map_or_else(|| tree.clone(), |mask| mask.answer(&tree, origins))
}

fn policy(policy: &Policy) -> Value {
    let conditions: Vec<Value> = policy.conditions.iter().map(definition).collect();
    json!({ "key": policy.key, "name": policy.name, "preference": policy.preference, "conditions": conditions })
}

fn definition(shown: &Shown) -> Value {
    let condition = &shown.tested.condition;
    let term = |term: &Term| {
        let reason = shown.reasons.iter().find(|(priority, _)| *priority == term.priority).map(|(_, reason)| reason);
        json!({
            "priority": term.priority.word(), "operator": term.comparison.word(), "threshold": term.threshold,
            "duration": term.duration_s, "occurrences": term.occurrences.word(), "reason": reason,
        })
    };
    let baseline = match condition.kind {
        Kind::Static => None,
        Kind::Baseline(direction, seasonality) => Some([direction.word(), seasonality.word()]),
    };
    let expiration = condition.expiration.map(|expiration| {
        json!({
            "after": expiration.after_s, "opens": expiration.opens, "closes": expiration.closes,
            "ignoresExpected": expiration.ignores_expected,
        })
    });
    json!({
        "id": shown.tested.id, "name": condition.name, "enabled": shown.tested.enabled, "because": shown.because, "question": shown.question,
        "value": shown.value, "opens": shown.opens, "closes": shown.closes, "silence": shown.silence, "title": shown.title,
        "description": shown.description, "response": shown.response, "tuning": shown.tuning, "runbook": shown.tested.runbook,
        "query": condition.query, "baseline": baseline, "terms": condition.terms.iter().map(term).collect::<Vec<_>>(),
        "signal": signal_settings(condition), "expiration": expiration, "timeLimit": condition.time_limit_s,
        "remark": shown.remark,
    })
}

fn signal_settings(condition: &Condition) -> Value {
    let signal = &condition.signal;
    let (method, wait) = match signal.method {
        Method::EventFlow { delay_s } => ("EVENT_FLOW", delay_s),
        Method::EventTimer { timer_s } => ("EVENT_TIMER", timer_s),
        Method::Cadence { delay_s } => ("CADENCE", delay_s),
    };
    let (fill, fill_value) = match signal.fill {
        Fill::None => ("NONE", None),
        Fill::Static(value) => ("STATIC", Some(value)),
        Fill::LastValue => ("LAST_VALUE", None),
    };
    json!({
        "window": signal.window_s, "slide": signal.slide_s, "method": method, "wait": wait, "fill": fill, "fillValue": fill_value,
        "evaluationDelay": signal.evaluation_delay_s,
    })
}

/// What a condition found in the shown time.
fn told(id: &str, brief: &Brief, since_ms: i64, until_ms: i64) -> Map<String, Value> {
    let mut told = Map::from_iter([("id".to_owned(), id.into())]);
    let mut put = |name: &str, value: Value| drop(told.insert(name.to_owned(), value));
    match &brief.found {
        Found::NoRows(types) => put("noRows", types.as_slice().into()),
        Found::Refused(why) => put("error", why.as_str().into()),
        Found::Judged(verdict) => {
            let Verdict { incidents, forgotten, signals, late, unclosed, approximate, notes } = verdict;
            let shown: Vec<&Incident> = incidents.iter().filter(|incident| is_in(incident, since_ms, until_ms)).collect();
            let of = |word: &str| shown.iter().filter(|incident| incident.priority.word() == word).count();
            let spans = shown.iter().rev().take(SPANS);
            let span = |incident: &&Incident| {
                json!([incident.opened_ms, incident.closed.map(|closed| closed.at_ms), incident.priority.word()])
            };
            put("critical", of("CRITICAL").into());
            put("warning", of("WARNING").into());
            put("open", shown.iter().filter(|incident| incident.closed.is_none()).count().into());
            put("last", shown.last().map(|incident| incident.opened_ms).into());
            put("spans", spans.map(span).collect());
            put("forgotten", (*forgotten).into());
            put("signalsInAll", (*signals).into());
            put("late", (*late).into());
            put("unclosed", (*unclosed).into());
            put("approximate", (*approximate).into());
            put("notes", notes.as_slice().into());
        }
    }
    told
}

/// The signals and incidents of a condition.
fn add(told: &mut Map<String, Value>, shown: &Shown, evaluation: &Evaluation, request: &OneRequest) {
    let (since_ms, until_ms) = (request.since, request.until);
    let condition = &shown.tested.condition;
    let in_time = |incident: &&Incident| is_in(incident, since_ms, until_ms);
    // How often something happened, and how much there was: the busiest come first, and among equals the first.
    let rank = |signal: &SignalRun| {
        let incidents = signal.incidents.iter().filter(in_time).count();
        let is_shown =
            |point: &&Point| point.end_ms > since_ms && point.begin_ms < until_ms && judged(condition, point).is_some();
        let measured = signal.points.iter().filter(is_shown).count();
        (incidents, measured)
    };
    let mut ranked: Vec<((usize, usize), &SignalRun)> =
        evaluation.signals.iter().map(|signal| (rank(signal), signal)).filter(|(rank, _)| *rank != (0, 0)).collect();
    ranked.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
    let lines: Vec<Value> = ranked
        .iter()
        .take(SIGNALS)
        .map(|(_, signal)| {
            let line = line::line(condition, &signal.points, since_ms, until_ms);
            let point =
                |point: &Point| json!([point.begin_ms, point.end_ms, judged(condition, point), point.filled, point.value]);
            json!({
                "facets": facets(&signal.facets), "points": line.points.iter().map(point).collect::<Vec<_>>(),
                "joins": line.joins_ms, "windows": line.windows,
            })
        })
        .collect();
    let mut incidents: Vec<(&SignalRun, &Incident)> =
        evaluation.incidents().filter(|(_, incident)| is_in(incident, since_ms, until_ms)).collect();
    incidents.sort_by_key(|(_, incident)| std::cmp::Reverse(incident.opened_ms));
    let of_signal = |signal: &SignalRun| ranked.iter().take(SIGNALS).position(|(_, known)| std::ptr::eq(*known, signal));
    let list: Vec<Value> =
        incidents.iter().take(INCIDENTS).map(|(signal, incident)| one(signal, incident, of_signal(signal))).collect();
    told.insert("moreIncidents".to_owned(), incidents.len().saturating_sub(list.len()).into());
    told.insert("moreSignals".to_owned(), ranked.len().saturating_sub(lines.len()).into());
    told.insert("signals".to_owned(), lines.into());
    told.insert("incidents".to_owned(), list.into());
}

fn facets(facets: &[Field]) -> Value {
    Value::Object(facets.iter().map(|(name, value)| (name.to_string(), engine::json(value))).collect())
}

fn one(signal: &SignalRun, incident: &Incident, of_signal: Option<usize>) -> Value {
    let why = |reason| match reason {
        Reason::Recovered => "recovered",
        Reason::TimeLimit => "timeLimit",
        Reason::SignalLost => "signalLost",
        Reason::DataReturned => "dataReturned",
    };
    json!({
        "priority": incident.priority.word(),
        "cause": match incident.cause { Cause::Threshold => "threshold", Cause::SignalLost => "signalLost" },
        "opened": incident.opened_ms,
        "windowEnd": incident.window_end_ms,
        "value": incident.value,
        "closed": incident.closed.map(|closed| closed.at_ms),
        "closedBecause": incident.closed.map(|closed| why(closed.reason)),
        "facets": facets(&signal.facets),
        "signal": of_signal,
    })
}

/// Puts into every incident the title that people would read.
fn titled(mut tree: Tree, shown: &Shown, mask: Option<&Mask>) -> Tree {
    if let Tree::Object(fields) = &mut tree
        && let Some((_, Tree::List(incidents))) = fields.iter_mut().find(|(name, _)| name == "incidents")
    {
        for incident in incidents {
            let title = title(shown, incident);
            // What stands between the values may be a name too, in a condition of one's own.
            incident.push("title", Tree::Text(mask.map_or_else(|| title.clone(), |mask| mask.text(&title))));
        }
    }
    tree
}

/// The title of an incident. New Relic has no template for one about a lost signal: the condition's name stands there.
fn title(shown: &Shown, incident: &Tree) -> String {
    let is_lost = incident.get("cause").and_then(Tree::text) == Some("signalLost");
    if is_lost || shown.title.is_empty() {
        return shown.tested.condition.name.clone();
    }
    let mut out = String::with_capacity(shown.title.len());
    let mut rest = shown.title.as_str();
    while let Some((before, after)) = rest.split_once("{{")
        && let Some((word, next)) = after.split_once("}}")
    {
        out += before;
        match word_of(word.trim(), shown, incident) {
            Some(text) => out += &text,
            // New Relic knows more words than rows can tell.
            None => out += &format!("{{{{{word}}}}}"),
        }
        rest = next;
    }
    out + rest
}

fn word_of(word: &str, shown: &Shown, incident: &Tree) -> Option<String> {
    match word {
        "conditionName" => return Some(shown.tested.condition.name.clone()),
        "priority" => return incident.get("priority").and_then(Tree::text).map(str::to_owned),
        _ => {}
    }
    let facet = word.strip_prefix("tag.").or_else(|| word.strip_prefix("tags."))?;
    match incident.get("facets")?.get(facet)? {
        Tree::Text(text) => Some(text.clone()),
        other => serde_json::to_string(other).ok(),
    }
}
