//! What a condition says of itself, made of its values.
//!
//! In: a condition and a language. Out: its texts with every `[[word]]` put in, and the sentences about when it opens and closes.
//! What always holds: a number in a text is the number that New Relic decides by, for nobody writes it a second time (P37).

use super::source::{ConditionSource, TermSource};
use crate::nrql::condition::{Comparison, Direction, Occurrences, Priority};
use crate::publish::dashboard::Language;

/// A word that stands for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordError {
    /// There is none.
    #[error("no word `[[{word}]]`; the words are {}", WORDS.map(|(word, _)| format!("[[{word}]]")).join(", "))]
    Unknown {
        /// As written.
        word: String,
    },
    /// The condition has no such value.
    #[error("`[[{word}]]` stands for {}, and the condition has none", meaning(word))]
    Nothing {
        /// As written.
        word: String,
    },
    /// `[[` without `]]`.
    #[error("`[[` without `]]`")]
    Open,
}

/// Every word and what it stands for.
pub(super) const WORDS: [(&str, &str); 7] = [
    ("critical", "the threshold of the CRITICAL term"),
    ("warning", "the threshold of the WARNING term"),
    ("criticalFor", "the duration of the CRITICAL term"),
    ("warningFor", "the duration of the WARNING term"),
    ("window", "the window"),
    ("silence", "the time after which the signal counts as silent"),
    ("limit", "the time after which an incident is closed"),
];

fn meaning(word: &str) -> &'static str {
    WORDS.iter().find(|(known, _)| *known == word).map_or("nothing", |(_, meaning)| meaning)
}

/// A text with every word put in.
///
/// # Errors
/// The first word that stands for nothing.
pub fn written(text: &str, condition: &ConditionSource, language: Language) -> Result<String, WordError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[[") {
        let (word, next) = after.split_once("]]").ok_or(WordError::Open)?;
        out += before;
        out += &value(word, condition, language)?;
        rest = next;
    }
    Ok(out + rest)
}

fn value(word: &str, condition: &ConditionSource, language: Language) -> Result<String, WordError> {
    let of = |priority, text: &dyn Fn(&TermSource) -> String| condition.term(priority).map(text);
    let found = match word {
        "critical" => of(Priority::Critical, &|term| number(term.threshold)),
        "warning" => of(Priority::Warning, &|term| number(term.threshold)),
        "criticalFor" => of(Priority::Critical, &|term| span(term.duration, language)),
        "warningFor" => of(Priority::Warning, &|term| span(term.duration, language)),
        "window" => Some(span(condition.signal.window, language)),
        "silence" => condition.expiration.after.map(|after| span(after, language)),
        "limit" => Some(duration(condition.time_limit, language)),
        _ => return Err(WordError::Unknown { word: word.to_owned() }),
    };
    found.ok_or_else(|| WordError::Nothing { word: word.to_owned() })
}

/// When it opens: a sentence for each term, and one for silence.
#[must_use]
pub fn opening(condition: &ConditionSource, language: Language) -> Vec<String> {
    let mut terms: Vec<&TermSource> = condition.terms.iter().collect();
    terms.sort_by_key(|term| std::cmp::Reverse(term.priority));
    let mut sentences: Vec<String> = match condition.expiration.after {
        Some(after) if condition.expiration.opens => vec![silence(after, language)],
        _ => Vec::new(),
    };
    // One that is about silence has a term because New Relic asks for one; it is told where it can hold.
    let can_hold = |term: &&TermSource| !(condition.expiration.opens && term.never_holds());
    sentences.extend(terms.into_iter().filter(can_hold).map(|term| sentence(condition, term, language)));
    sentences
}

fn silence(after: u32, language: Language) -> String {
    let after = span(after, language);
    match language {
        Language::English => format!("CRITICAL when nothing came for {after}."),
        Language::Japanese => format!("CRITICAL: {after}、何も届かないとき。"),
    }
}

fn sentence(condition: &ConditionSource, term: &TermSource, language: Language) -> String {
    let (priority, value, window) = (term.priority.word(), condition.value.get(language), condition.signal.window);
    let is = compared(condition, term, language);
    // One window that breaches is enough; that it is one of several is said where a term is longer than a window.
    let lasts = term.duration > window;
    let all = term.occurrences == Occurrences::All;
    let (window, time) = (duration(window, language), span(term.duration, language));
    match language {
        Language::English => {
            let of = match (condition.moment, lasts && all) {
                (true, _) => value.to_owned(),
                (false, true) => format!("{value} in each {window}"),
                (false, false) => format!("{value} in {window}"),
            };
            let how_long = match (lasts, all) {
                (false, _) => String::new(),
                (true, true) => format!(", for {time}"),
                (true, false) => format!(", once in {time}"),
            };
            format!("{priority} when {of}: {is}{how_long}.")
        }
        Language::Japanese => {
            let of = if condition.moment { value.to_owned() } else { format!("{window}あたりの{value}") };
            let how_long = match (lasts, all) {
                (false, _) => String::new(),
                (true, true) => format!("{time}続けて "),
                (true, false) => format!("{time}に一度でも "),
            };
            format!("{priority}: {of}が {how_long}{is}とき。")
        }
    }
}

/// How a value compares when it breaches.
fn compared(condition: &ConditionSource, term: &TermSource, language: Language) -> String {
    let threshold = number(term.threshold);
    let direction = condition.baseline.as_ref().map(|baseline| baseline.direction);
    match language {
        Language::English => match direction {
            Some(Direction::UpperOnly) => format!("{threshold} standard deviations above what was to be expected"),
            Some(Direction::LowerOnly) => format!("{threshold} standard deviations below what was to be expected"),
            Some(Direction::UpperAndLower) => format!("{threshold} standard deviations off what was to be expected"),
            None => format!("{} {threshold}", in_english(term.operator)),
        },
        Language::Japanese => match direction {
            Some(Direction::UpperOnly) => format!("予測を標準偏差の {threshold} 倍上回る"),
            Some(Direction::LowerOnly) => format!("予測を標準偏差の {threshold} 倍下回る"),
            Some(Direction::UpperAndLower) => format!("予測から標準偏差の {threshold} 倍外れる"),
            None => format!("{threshold} {}", in_japanese(term.operator)),
        },
    }
}

fn in_english(operator: Comparison) -> &'static str {
    match operator {
        Comparison::Above => "more than",
        Comparison::AboveOrEquals => "at least",
        Comparison::Below => "less than",
        Comparison::BelowOrEquals => "at most",
        Comparison::Equals => "exactly",
        Comparison::NotEquals => "other than",
    }
}

fn in_japanese(operator: Comparison) -> &'static str {
    match operator {
        Comparison::Above => "を超える",
        Comparison::AboveOrEquals => "以上である",
        Comparison::Below => "を下回る",
        Comparison::BelowOrEquals => "以下である",
        Comparison::Equals => "と等しい",
        Comparison::NotEquals => "と異なる",
    }
}

/// When it closes.
#[must_use]
pub fn closing(condition: &ConditionSource, language: Language) -> String {
    let limit = duration(condition.time_limit, language);
    let after = condition.expiration.after.filter(|_| condition.expiration.closes).map(|after| span(after, language));
    let comes_back = condition.expiration.opens && after.is_none();
    match (after, language) {
        (_, Language::English) if comes_back => format!("Closes when something comes again, after {limit} in any case."),
        (_, Language::Japanese) if comes_back => format!("再び届けばクローズ (最長 {limit})。"),
        (Some(after), Language::English) => format!("Closes when nothing more came for {after}, after {limit} in any case."),
        (None, Language::English) => format!("Closes when the value is good again, after {limit} in any case."),
        (Some(after), Language::Japanese) => format!("{after}、何も届かなければクローズ (最長 {limit})。"),
        (None, Language::Japanese) => format!("値が正常に戻ればクローズ (最長 {limit})。"),
    }
}

/// A number as people write it.
pub(super) fn number(value: f64) -> String {
    format!("{value}")
}

/// A time in the largest unit that it is whole in.
pub(super) fn duration(seconds: u32, language: Language) -> String {
    let (count, english, japanese) = in_units(seconds);
    match language {
        Language::English if count == 1 => format!("{count} {english}"),
        Language::English => format!("{count} {english}s"),
        Language::Japanese => format!("{count} {japanese}"),
    }
}

/// The same as something that lasts.
fn span(seconds: u32, language: Language) -> String {
    let text = duration(seconds, language);
    match language {
        Language::Japanese if !text.ends_with("時間") => text + "間",
        _ => text,
    }
}

/// So many of the largest unit, in English and Japanese.
fn in_units(seconds: u32) -> (u32, &'static str, &'static str) {
    const UNITS: [(u32, &str, &str); 3] = [(86_400, "day", "日"), (3_600, "hour", "時間"), (60, "minute", "分")];
    let fits = |unit: &&(u32, &str, &str)| seconds >= unit.0 && seconds.is_multiple_of(unit.0);
    let (length, english, japanese) = UNITS.iter().find(fits).copied().unwrap_or((1, "second", "秒"));
    (seconds / length, english, japanese)
}
