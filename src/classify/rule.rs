//! A detective control: one rule on trail records, with all that its events say about it.
//!
//! In: what `read` found in a file. Out: plain data, with lists also joined the way events carry them.

use crate::record::severity::Severity;

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// `control.id`: the rule's `name`, else its Sigma `id`. Unique in a set.
    pub id: String,
    /// The UUID that Sigma tools know it by.
    pub sigma_id: Option<String>,
    /// `control.title`.
    pub title: String,
    /// The same in Japanese.
    pub title_ja: Option<String>,
    /// What it watches and why.
    pub description: String,
    /// Who wrote it; a rule from `SigmaHQ` is used under a licence that asks for the name.
    pub author: Option<String>,
    /// `control.severity`, Sigma's `level`.
    pub severity: Severity,
    /// `control.severityScore`, 0 to 100.
    pub score: u8,
    /// Why it is that severe: what follows if it is real, and how often it is not.
    pub severity_reason: Option<String>,
    /// How to make it quieter without making it blind.
    pub tuning: Option<String>,
    /// `control.pillar`.
    pub pillar: Pillar,
    /// Whether each match is also sent as a notice.
    pub notify: bool,
    /// ATT&CK tactics, `initial-access`; the first is the primary one.
    pub tactics: List,
    /// ATT&CK techniques, `T1078.004`; the first is the primary one.
    pub techniques: List,
    /// Framework controls, `CIS-AWS-5.0:4.3`.
    pub frameworks: List,
    /// What to do about a match.
    pub remediation: Option<String>,
    /// Where it is described at length.
    pub runbook: Option<String>,
    /// When it matches without anything being wrong.
    pub false_positives: Vec<String>,
    /// Where the rule was read and since when it is known: pages and articles.
    pub references: Vec<String>,
    /// Records that prove it.
    pub samples: Vec<Sample>,
    /// What it asks of several records, in words; `None`: it looks at one.
    pub correlation: Option<String>,
    /// The file it was read from.
    pub file: String,
    /// Line of the rule in the file, from 1.
    pub line: u64,
    /// Whether it came with the program.
    pub builtin: bool,
}

impl Rule {
    /// Whether this is its name or its id, in any case.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.names().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// `control.author`: who wrote it, if others than we did.
    #[must_use]
    pub fn foreign_author(&self) -> Option<&str> {
        self.author.as_deref().filter(|author| !self.builtin && !author.trim().is_empty())
    }

    /// Its id and its Sigma id, where they differ.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let sigma_id = self.sigma_id.as_deref().filter(|id| !id.eq_ignore_ascii_case(&self.id));
        std::iter::once(self.id.as_str()).chain(sigma_id)
    }
}

/// A list, also as one text with a bar at both ends, so that `LIKE '%|x|%'` is exact. Empty: no text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    items: Vec<String>,
    joined: String,
}

impl List {
    /// The list; repeated items are kept once.
    #[must_use]
    pub fn new(all: impl IntoIterator<Item = String>) -> Self {
        let mut items = Vec::new();
        for item in all {
            if !items.contains(&item) {
                items.push(item);
            }
        }
        let joined = if items.is_empty() { String::new() } else { format!("|{}|", items.join("|")) };
        Self { items, joined }
    }

    /// The items.
    #[must_use]
    pub fn items(&self) -> &[String] {
        &self.items
    }

    /// The first item: the primary one.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.items.first().map(String::as_str)
    }

    /// `|a|b|`, or `None` when empty.
    #[must_use]
    pub fn joined(&self) -> Option<&str> {
        (!self.joined.is_empty()).then_some(self.joined.as_str())
    }
}

/// The part of cloud security a control belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pillar {
    /// Posture of the cloud's own services; what a rule without a pillar belongs to.
    #[default]
    Cspm,
    /// Identities and permissions.
    Ciem,
    /// Workloads.
    Cwpp,
    /// Data.
    Dspm,
    /// Infrastructure as code.
    Iac,
}

impl Pillar {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Cspm, Self::Ciem, Self::Cwpp, Self::Dspm, Self::Iac];

    /// The word in events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cspm => "CSPM",
            Self::Ciem => "CIEM",
            Self::Cwpp => "CWPP",
            Self::Dspm => "DSPM",
            Self::Iac => "IaC",
        }
    }
}

/// A record that a rule must match, or must not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// What the record is.
    pub name: String,
    /// The record as JSON, with the fields that every record has filled in; of a correlation several, in the order they come.
    pub records: Vec<String>,
    /// Whether the rule matches it.
    pub matches: bool,
    /// Line in the rule's file.
    pub line: u64,
}
