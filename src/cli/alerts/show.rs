//! `alerts show`: one condition whole.
//!
//! In: a condition. Out: text for people: what it is for, what New Relic is asked, why each number is as it is, what people are told.
//! What always holds: numbers are those of the condition; texts have their words put in.

use crate::publish::alert::{ConditionSource, Policy, closing, opening, written};
use crate::publish::dashboard::{Both, Language};

/// The text.
///
/// # Errors
/// A word of a text that stands for nothing: lint tells all of them.
pub(super) fn text(policy: &Policy, condition: &ConditionSource, language: Language) -> anyhow::Result<String> {
    let put = |both: &Both| written(both.get(language), condition, language);
    let signal = &condition.signal;
    let wait =
        signal.timer.map_or_else(|| format!("delay {} s", signal.delay.unwrap_or_default()), |timer| format!("timer {timer} s"));
    let slide = signal.slide.map(|slide| format!(", slides by {slide} s")).unwrap_or_default();
    let fill = signal.fill_value.map_or_else(|| signal.fill.word().to_owned(), |value| format!("{} {value}", signal.fill.word()));
    let state = if condition.enabled { "on" } else { "off" };
    let mut out = format!("{} ({})\n\n", put(&condition.name)?, condition.id);
    for (name, value) in [
        ("policy", policy.key.clone()),
        ("question", put(&condition.question)?),
        ("state", format!("{state}: {}", condition.because)),
        ("responder", condition.responder.as_str().to_owned()),
        ("answers", condition.answers.join(", ")),
        ("opens", opening(condition, language).join(" ")),
        ("closes", closing(condition, language)),
        ("query", condition.query.clone()),
        ("signal", format!("window {} s{slide}, {}, {wait}, gaps {fill}", signal.window, signal.method.word())),
        ("lateness", format!("{} s: {}", condition.lateness.seconds, condition.lateness.why)),
    ] {
        out += &line(name, &value);
    }
    if let Some(baseline) = &condition.baseline {
        let value = format!("{}, {}: {}", baseline.direction.word(), baseline.seasonality.word(), baseline.reason);
        out += &line("baseline", &value);
    }
    for term in &condition.terms {
        let value = format!("{} {} {}: {}", term.priority.word(), term.operator.word(), term.threshold, term.reason);
        out += &line("threshold", &value);
    }
    let title = condition.title_template.as_ref().map(&put).transpose()?;
    let texts = [
        ("silence", condition.expiration.reason.clone()),
        ("description", put(&condition.description)?),
        ("response", put(&condition.response)?),
        ("runbook", condition.runbook.clone()),
        ("quieter", put(&condition.tuning)?),
    ];
    for (name, value) in title.map(|title| ("title", title)).into_iter().chain(texts) {
        out += &line(name, &value);
    }
    for case in &condition.cases {
        let value = match case.incidents.len() {
            0 => format!("{}: opens nothing", case.name),
            1 => format!("{}: opens an incident", case.name),
            several => format!("{}: opens {several} incidents", case.name),
        };
        out += &line("case", &value);
    }
    Ok(out)
}

fn line(name: &str, value: &str) -> String {
    format!("{name:<12} {value}\n")
}
