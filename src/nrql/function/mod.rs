//! Every function of the language.
//!
//! In: a name. Out: what is known of the function. What always holds: one table ([`FUNCTIONS`]), read by the linter, the engine
//! and `cspm-relay nrql --functions`; names are the same in any case and stand in it once. The parser does not read it: a wrong
//! name or number of arguments is no fault of syntax.

mod table;

#[cfg(test)]
mod tests;

pub use table::FUNCTIONS;

/// What is known of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    /// As New Relic writes it.
    pub name: &'static str,
    /// Other names of the same.
    pub aliases: &'static [&'static str],
    /// Over rows, or within one.
    pub kind: Kind,
    /// How common.
    pub tier: Tier,
    /// Fewest arguments without a name; `WHERE …` and `1 minute` are one.
    pub least: usize,
    /// Most arguments without a name; none if there is no limit.
    pub most: Option<usize>,
    /// Arguments with a name, as `precision: 1000`.
    pub named: &'static [&'static str],
    /// What the lab does with it.
    pub support: Support,
    /// What it gives.
    pub doc: &'static str,
    /// How the lab's answer differs from New Relic's; empty if it does not, as far as is documented.
    pub difference: &'static str,
}

/// Over what a function works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Many rows give one value.
    Aggregate,
    /// Values of one row, or of aggregates, give one value.
    Row,
}

/// How common a part of the language is (NRQL reference, what people really write): the tiers of dashboards and alerts in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// The core: four of five queries.
    T1,
    /// Everyday extras: 97 of 100.
    T2,
    /// All else that is not only for metrics as Prometheus has them.
    T3,
    /// Only for such metrics, or hardly ever.
    Beyond,
}

/// What the lab does with a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// Runs it as documented.
    Exact,
    /// Runs it, with another result than New Relic's.
    Approximate,
    /// Reads it and refuses to run it.
    Parsed,
}

impl Kind {
    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aggregate => "aggregate",
            Self::Row => "row",
        }
    }
}

impl Tier {
    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::T1 => "T1",
            Self::T2 => "T2",
            Self::T3 => "T3",
            Self::Beyond => "beyond",
        }
    }
}

impl Support {
    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Approximate => "approximate",
            Self::Parsed => "parsed only",
        }
    }
}

impl Function {
    const fn new(kind: Kind, tier: Tier, name: &'static str, least: usize, most: Option<usize>, doc: &'static str) -> Self {
        let (aliases, named): (&[&str], &[&str]) = (&[], &[]);
        Self { name, aliases, kind, tier, least, most, named, support: Support::Exact, doc, difference: "" }
    }

    const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    const fn named(self, named: &'static [&'static str]) -> Self {
        Self { named, ..self }
    }

    const fn differs(self, difference: &'static str) -> Self {
        Self { difference, ..self }
    }

    const fn approximate(self, difference: &'static str) -> Self {
        Self { support: Support::Approximate, difference, ..self }
    }

    const fn parsed(self) -> Self {
        Self { support: Support::Parsed, ..self }
    }

    /// Whether it takes so many arguments without a name.
    #[must_use]
    pub fn takes(&self, arguments: usize) -> bool {
        arguments >= self.least && self.most.is_none_or(|most| arguments <= most)
    }

    /// How many arguments it takes, as `1`, `2 to 3`, `1 or more`.
    #[must_use]
    pub fn arity(&self) -> String {
        let least = self.least;
        match self.most {
            None => format!("{least} or more"),
            Some(most) if most == least => least.to_string(),
            Some(most) => format!("{least} to {most}"),
        }
    }
}

/// The function of a name, in any case.
#[must_use]
pub fn function(name: &str) -> Option<&'static Function> {
    let is = |one: &&str| one.eq_ignore_ascii_case(name);
    FUNCTIONS.iter().find(|function| is(&function.name) || function.aliases.iter().any(is))
}
