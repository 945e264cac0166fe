//! How bad a detection is: one scale for every input.

use std::fmt;
use std::str::FromStr;

/// Severity of a control, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth keeping, nothing to do.
    Informational,
    /// Look at it in the weekly review.
    Low,
    /// Look at it today.
    Medium,
    /// Look at it now.
    High,
    /// Wake someone.
    Critical,
}

impl Severity {
    /// All of them, lowest first.
    pub const ALL: [Self; 5] = [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word in events: upper case, as Security Hub writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "INFORMATIONAL",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }

    /// The score a rule gets when it names none, 0 to 100 (Security Hub's normalized bands).
    #[must_use]
    pub fn default_score(self) -> u8 {
        match self {
            Self::Informational => 0,
            Self::Low => 20,
            Self::Medium => 50,
            Self::High => 75,
            Self::Critical => 95,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = ();

    /// Reads the word in any case; Sigma's `informational` to `critical` are the same words.
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|severity| severity.as_str().eq_ignore_ascii_case(text)).ok_or(())
    }
}
