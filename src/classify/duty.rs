//! Who sees to a control and how: a rule, people, or AWS.
//!
//! In: the optional cells of the customer's table, row by row. Out: a [`Duty`] of each control. What always holds: a control has one
//! duty; what no rule judges has a reason; an attestation has a person and a day, and says nothing before that day.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::file_error::FileFault;

/// The optional columns.
pub(super) const COLUMNS: [&str; 5] = ["automation", "responsibility", "reason", "attestedBy", "attestedOn"];

/// Longest cell of a reason or a person, characters.
const CHARS: usize = 500;

/// How it is known whether a control holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Automation {
    /// A rule judges it.
    #[default]
    Automated,
    /// People do, and attest it.
    Manual,
    /// AWS sees to it; that its reports were looked at is attested.
    Inherited,
}

impl Automation {
    fn of(word: &str) -> Option<Self> {
        [Self::Automated, Self::Manual, Self::Inherited].into_iter().find(|known| known.as_str() == word)
    }

    /// The word in files and events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Automated => "automated",
            Self::Manual => "manual",
            Self::Inherited => "inherited",
        }
    }
}

/// Whose part of the shared responsibility a control is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Responsibility {
    /// AWS's own.
    Aws,
    /// The customer's: what a rule on an account judges.
    #[default]
    Customer,
    /// Both have a part in it.
    Shared,
}

impl Responsibility {
    fn of(word: &str) -> Option<Self> {
        [Self::Aws, Self::Customer, Self::Shared].into_iter().find(|known| known.as_str() == word)
    }

    /// The word in files and events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Customer => "customer",
            Self::Shared => "shared",
        }
    }
}

/// Somebody answers for it that a control holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// Who.
    pub by: String,
    /// The day, as `2026-11-21`.
    pub on: String,
    /// Its first moment in UTC, milliseconds since the epoch.
    pub on_ms: i64,
}

/// Who sees to a control and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Duty {
    /// How it is known whether it holds, where no rule is deployed that judges it.
    pub automation: Automation,
    /// Whose it is.
    pub responsibility: Responsibility,
    /// Why no rule judges it.
    pub reason: Option<String>,
    /// Who answers for it.
    pub attestation: Option<Attestation>,
}

impl Duty {
    /// Of a control that no file speaks of.
    pub(super) const USUAL: Self =
        Self { automation: Automation::Automated, responsibility: Responsibility::Customer, reason: None, attestation: None };

    /// Whether somebody had attested it by this time.
    #[must_use]
    pub fn is_attested(&self, now_ms: i64) -> bool {
        self.attestation.as_ref().is_some_and(|attestation| attestation.on_ms <= now_ms)
    }
}

/// What the rows of one control say, each with its line.
#[derive(Debug, Default)]
pub(super) struct Written {
    said: [Option<(String, u64)>; COLUMNS.len()],
    /// A cell is wrong: what is missing beside it is not worth a word.
    is_faulty: bool,
}

impl Written {
    /// Takes in the cells of a row: an empty one says nothing.
    pub(super) fn row(&mut self, line: u64, cells: [&str; COLUMNS.len()], faults: &mut Vec<FileFault>) {
        let said = COLUMNS.iter().zip(cells).zip(&mut self.said);
        for ((column, cell), said) in said.filter(|((_, cell), _)| !cell.is_empty()) {
            if let Err(allowed) = allowed(column, cell) {
                let found: String = cell.chars().take(CHARS).collect();
                faults.push(FileFault::new(line, "", format!("{column} is {found:?}")).allowed(allowed));
                self.is_faulty = true;
                continue;
            }
            match said {
                Some((before, first)) if before != cell => {
                    let what = format!("{column} is {cell:?}, and {before:?} on line {first}: a control has one");
                    faults.push(FileFault::new(line, "", what));
                    self.is_faulty = true;
                }
                Some(_) => {}
                None => *said = Some((cell.to_owned(), line)),
            }
        }
    }

    /// The duty, or what is wrong with it; `line`: where its control is named first.
    pub(super) fn duty(self, line: u64, faults: &mut Vec<FileFault>) -> Duty {
        if self.is_faulty {
            return Duty::default();
        }
        let [automation, responsibility, reason, by, on] = self.said.map(|said| said.map(|(text, _)| text));
        let automation = automation.and_then(|cell| Automation::of(&cell)).unwrap_or_default();
        let usual = if automation == Automation::Inherited { Responsibility::Aws } else { Responsibility::Customer };
        let responsibility = responsibility.and_then(|cell| Responsibility::of(&cell)).unwrap_or(usual);
        let mut fault = |what: &str, hint: &str| faults.push(FileFault::new(line, "", what).hint(hint));
        let is_automated = automation == Automation::Automated;
        if !is_automated && reason.is_none() {
            fault("reason is missing of a control that is not automated", "write why no rule judges it");
        }
        if is_automated && (by.is_some() || on.is_some()) {
            fault(
                "an automated control is attested",
                "a rule judges it: leave attestedBy and attestedOn empty, or write manual or inherited",
            );
        }
        let attestation = match (by, on) {
            (Some(by), Some(on)) => day(&on).map(|on_ms| Attestation { by, on, on_ms }),
            (None, None) => None,
            (Some(_), None) => {
                fault("attestedOn is missing beside attestedBy", "an attestation has a person and a day");
                None
            }
            (None, Some(_)) => {
                fault("attestedBy is missing beside attestedOn", "an attestation has a person and a day");
                None
            }
        };
        Duty { automation, responsibility, reason, attestation }
    }
}

/// What may stand in a cell, if this may not.
fn allowed(column: &str, cell: &str) -> Result<(), &'static str> {
    let (is_good, allowed) = match column {
        "automation" => (Automation::of(cell).is_some(), "automated, manual or inherited"),
        "responsibility" => (Responsibility::of(cell).is_some(), "aws, customer or shared"),
        "attestedOn" => (day(cell).is_some(), "a day, as 2026-11-21"),
        _ => (cell.chars().count() <= CHARS && !cell.chars().any(char::is_control), "one line of at most 500 characters"),
    };
    if is_good { Ok(()) } else { Err(allowed) }
}

/// The first moment of a day.
fn day(text: &str) -> Option<i64> {
    // The date's own reader would take a time, too, and forget its hours.
    let date: Date = (text.len() == "2026-11-21".len()).then(|| text.parse().ok())??;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}
