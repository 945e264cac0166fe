//! A condition of an alert, as New Relic evaluates it.
//!
//! In: what a file of `nrql/conditions` or an answer of `NerdGraph` says. Out: plain data for whoever renders, checks or evaluates it,
//! and everything by which New Relic would refuse it. What always holds: names and ranges are New Relic's (`NerdGraph`,
//! `AlertsNrqlCondition…`; docs, create NRQL alert conditions; Terraform provider); times are whole seconds, as there.

pub use super::lint::Comparison;

/// What decides about incidents: the query, how its windows are made, and when a value is one too many.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// 1 to 128 characters.
    pub name: String,
    /// NRQL with one numeric value.
    pub query: String,
    /// How a value is judged.
    pub kind: Kind,
    /// How rows become values.
    pub signal: Signal,
    /// One or two, of different priority.
    pub terms: Vec<Term>,
    /// What a signal that went silent does; `None`: nothing.
    pub expiration: Option<Expiration>,
    /// `violationTimeLimitSeconds`: an incident is closed after this time, s; 300 to 2,592,000.
    pub time_limit_s: u32,
}

/// How a value is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By itself.
    Static,
    /// By its distance from what was to be expected, in standard deviations.
    Baseline(Direction, Seasonality),
}

/// `baselineDirection`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "New Relic's own words")]
pub enum Direction {
    UpperOnly,
    LowerOnly,
    UpperAndLower,
}

/// `signalSeasonality`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "New Relic's own words")]
pub enum Seasonality {
    NewRelicCalculation,
    Hourly,
    Daily,
    Weekly,
    None,
}

/// How rows become values: one for each window and group of `FACET`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signal {
    /// `aggregationWindow`, s; 30 to 21,600.
    pub window_s: u32,
    /// `slideBy`, s: less than the window and a divisor of it.
    pub slide_s: Option<u32>,
    /// When a window is closed.
    pub method: Method,
    /// What stands for a window without rows.
    pub fill: Fill,
    /// `evaluationDelay`, s: how long a new signal is not judged; at most 7,200.
    pub evaluation_delay_s: u32,
}

/// `aggregationMethod`: when a window is closed. What comes for it afterwards is lost to the condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// When a row comes whose timestamp is this much after its end, s; 0 to 1,200.
    EventFlow {
        /// `aggregationDelay`.
        delay_s: u32,
    },
    /// When no row came for it for this long, s; 0 to 1,200.
    EventTimer {
        /// `aggregationTimer`.
        timer_s: u32,
    },
    /// When the clock is this much after its end, s; 0 to 3,600.
    Cadence {
        /// `aggregationDelay`.
        delay_s: u32,
    },
}

/// `fillOption`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fill {
    /// `NONE`: no value.
    None,
    /// `STATIC`: this value.
    Static(f64),
    /// `LAST_VALUE`: the value of the window before.
    LastValue,
}

/// When an incident opens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// Whom it concerns.
    pub priority: Priority,
    /// How the value is compared; of a baseline always `Above`.
    pub comparison: Comparison,
    /// With what: a value, or 1 to 1,000 standard deviations.
    pub threshold: f64,
    /// `thresholdDuration`, s: a multiple of the window; 60 (of a baseline 120) to 86,400.
    pub duration_s: u32,
    /// Of how many values in that time.
    pub occurrences: Occurrences,
}

/// `priority`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "New Relic's own words")]
pub enum Priority {
    Warning,
    Critical,
}

/// `thresholdOccurrences`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrences {
    /// Every value of the duration.
    All,
    /// One.
    AtLeastOnce,
}

/// `expiration`: what happens when a signal has been silent for some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiration {
    /// `expirationDuration`, s; 30 to 172,800.
    pub after_s: u32,
    /// `openViolationOnExpiration`.
    pub opens: bool,
    /// `closeViolationsOnExpiration`.
    pub closes: bool,
    /// `ignoreOnExpectedTermination`: not if the signal was tagged `termination: expected`.
    pub ignores_expected: bool,
}

/// A fault: the key, in `NerdGraph`'s words, and what is allowed.
pub type Fault = (&'static str, String);

impl Condition {
    /// Whether only a value above a threshold opens an incident.
    #[must_use]
    pub fn opens_above(&self) -> bool {
        self.terms.iter().all(|term| matches!(term.comparison, Comparison::Above | Comparison::AboveOrEquals))
    }

    /// Everything outside of New Relic's limits, the query apart: that is for [`lint`](super::lint::lint).
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let name = self.name.chars().count();
        if !(1..=128).contains(&name) {
            faults.push(("name", format!("{name} characters; allowed: 1 to 128")));
        }
        range(&mut faults, "violationTimeLimitSeconds", self.time_limit_s, 300, 2_592_000);
        self.signal.faults(&mut faults);
        self.faults_of_terms(&mut faults);
        if let Some(expiration) = self.expiration {
            range(&mut faults, "expiration.expirationDuration", expiration.after_s, 30, 172_800);
        }
        faults
    }

    fn faults_of_terms(&self, faults: &mut Vec<Fault>) {
        match self.terms.as_slice() {
            [_] => {}
            [one, other] if one.priority != other.priority => {}
            [_, _] => faults.push(("terms", "two of one priority; allowed: one CRITICAL and one WARNING".to_owned())),
            terms => faults.push(("terms", format!("{}; allowed: one or two", terms.len()))),
        }
        let is_baseline = matches!(self.kind, Kind::Baseline(..));
        for term in &self.terms {
            let shortest = if is_baseline { 120 } else { 60 };
            range(faults, "terms.thresholdDuration", term.duration_s, shortest, 86_400);
            if !term.duration_s.is_multiple_of(self.signal.window_s.max(1)) {
                let problem = format!("{}; allowed: a multiple of aggregationWindow ({})", term.duration_s, self.signal.window_s);
                faults.push(("terms.thresholdDuration", problem));
            }
            if !term.threshold.is_finite() || is_baseline && !(1.0..=1_000.0).contains(&term.threshold) {
                let allowed = if is_baseline { "1 to 1,000 standard deviations" } else { "a number" };
                faults.push(("terms.threshold", format!("{}; allowed: {allowed}", term.threshold)));
            }
            if is_baseline && term.comparison != Comparison::Above {
                faults.push(("terms.operator", "a baseline's; allowed: ABOVE".to_owned()));
            }
        }
    }
}

impl Signal {
    /// How far the ends of two windows that follow each other are apart, s.
    #[must_use]
    pub fn step_s(&self) -> u32 {
        self.slide_s.unwrap_or(self.window_s)
    }

    fn faults(&self, faults: &mut Vec<Fault>) {
        range(faults, "signal.aggregationWindow", self.window_s, 30, 21_600);
        range(faults, "signal.evaluationDelay", self.evaluation_delay_s, 0, 7_200);
        let (key, seconds, most) = match self.method {
            Method::EventFlow { delay_s } => ("signal.aggregationDelay", delay_s, 1_200),
            Method::EventTimer { timer_s } => ("signal.aggregationTimer", timer_s, 1_200),
            Method::Cadence { delay_s } => ("signal.aggregationDelay", delay_s, 3_600),
        };
        range(faults, key, seconds, 0, most);
        if let Some(slide) = self.slide_s {
            let least = match self.window_s {
                ..=3_600 => 30,
                3_601..=7_200 => self.window_s / 120,
                _ => self.window_s / 24,
            };
            if slide < least || slide >= self.window_s || !self.window_s.is_multiple_of(slide) {
                let problem = format!("{slide}; allowed: a divisor of aggregationWindow ({}), at least {least}", self.window_s);
                faults.push(("signal.slideBy", problem));
            }
        }
        if let Fill::Static(value) = self.fill
            && !value.is_finite()
        {
            faults.push(("signal.fillValue", format!("{value}; allowed: a number")));
        }
    }
}

fn range(faults: &mut Vec<Fault>, key: &'static str, value: u32, least: u32, most: u32) {
    if !(least..=most).contains(&value) {
        faults.push((key, format!("{value}; allowed: {least} to {most}")));
    }
}

/// `NerdGraph`'s word for each value of a setting.
macro_rules! words {
    ($type:ty: $($value:path => $word:literal),+ $(,)?) => {
        impl $type {
            /// All, with the word that `NerdGraph` has for each.
            pub const WORDS: &'static [(Self, &'static str)] = &[$(($value, $word)),+];

            /// `NerdGraph`'s word.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $($value => $word),+ }
            }

            /// What a word of `NerdGraph` says.
            #[must_use]
            pub fn of_word(word: &str) -> Option<Self> {
                Self::WORDS.iter().find(|(_, known)| *known == word).map(|(value, _)| *value)
            }
        }
    };
}

words!(Comparison: Comparison::Above => "ABOVE", Comparison::AboveOrEquals => "ABOVE_OR_EQUALS", Comparison::Below => "BELOW",
    Comparison::BelowOrEquals => "BELOW_OR_EQUALS", Comparison::Equals => "EQUALS", Comparison::NotEquals => "NOT_EQUALS");
words!(Priority: Priority::Critical => "CRITICAL", Priority::Warning => "WARNING");
words!(Occurrences: Occurrences::All => "ALL", Occurrences::AtLeastOnce => "AT_LEAST_ONCE");
words!(Direction: Direction::UpperOnly => "UPPER_ONLY", Direction::LowerOnly => "LOWER_ONLY",
    Direction::UpperAndLower => "UPPER_AND_LOWER");
words!(Seasonality: Seasonality::NewRelicCalculation => "NEW_RELIC_CALCULATION", Seasonality::Hourly => "HOURLY",
    Seasonality::Daily => "DAILY", Seasonality::Weekly => "WEEKLY", Seasonality::None => "NONE");

#[cfg(test)]
mod tests {
    use super::*;

    fn condition() -> Condition {
        Condition {
            name: "Root used".to_owned(),
            query: "SELECT count(*) FROM AwsSecurityNotice".to_owned(),
            kind: Kind::Static,
            signal: Signal {
                window_s: 300,
                slide_s: None,
                method: Method::EventTimer { timer_s: 300 },
                fill: Fill::None,
                evaluation_delay_s: 0,
            },
            terms: vec![Term {
                priority: Priority::Critical,
                comparison: Comparison::Above,
                threshold: 0.0,
                duration_s: 300,
                occurrences: Occurrences::AtLeastOnce,
            }],
            expiration: None,
            time_limit_s: 86_400,
        }
    }

    #[test]
    fn what_new_relic_refuses_is_told_by_its_key() {
        assert_eq!(condition().faults(), []);
        let keys = |change: &dyn Fn(&mut Condition)| {
            let mut changed = condition();
            change(&mut changed);
            changed.faults().into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert_eq!(keys(&|c| c.name.clear()), ["name"]);
        assert_eq!(keys(&|c| c.time_limit_s = 299), ["violationTimeLimitSeconds"]);
        assert_eq!(keys(&|c| c.signal.window_s = 15), ["signal.aggregationWindow"]);
        assert_eq!(keys(&|c| c.signal.window_s = 240), ["terms.thresholdDuration"]);
        assert_eq!(keys(&|c| c.signal.slide_s = Some(300)), ["signal.slideBy"]);
        assert_eq!(keys(&|c| c.signal.slide_s = Some(70)), ["signal.slideBy"]);
        assert_eq!(keys(&|c| c.signal.slide_s = Some(60)), Vec::<&str>::new());
        assert_eq!(keys(&|c| c.signal.method = Method::EventTimer { timer_s: 1_201 }), ["signal.aggregationTimer"]);
        assert_eq!(keys(&|c| c.signal.method = Method::Cadence { delay_s: 3_600 }), Vec::<&str>::new());
        assert_eq!(keys(&|c| c.signal.fill = Fill::Static(f64::NAN)), ["signal.fillValue"]);
        assert_eq!(keys(&|c| c.terms.clear()), ["terms"]);
        assert_eq!(keys(&|c| c.terms.push(c.terms[0])), ["terms"]);
        assert_eq!(keys(&|c| c.kind = Kind::Baseline(Direction::UpperOnly, Seasonality::Weekly)), ["terms.threshold"]);
        let silent = Expiration { after_s: 29, opens: true, closes: true, ignores_expected: false };
        assert_eq!(keys(&|c| c.expiration = Some(silent)), ["expiration.expirationDuration"]);
    }

    #[test]
    fn every_word_reads_back() {
        for (value, word) in Comparison::WORDS {
            assert_eq!((Comparison::of_word(word), value.word()), (Some(*value), *word));
        }
        assert_eq!(Priority::of_word("critical"), None);
    }
}
