//! What is wrong with a rule file, for the one who wrote it.
//!
//! In: what the reading steps found wrong. Out: [`RuleFault`]s that name file, line, what was found and what is allowed. A file's
//! faults are gathered, not only the first.

/// One fault of a rule file or of the settings that choose rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", place(file, *line))]
pub struct RuleFault {
    /// The file, as it was found; the setting's name for a fault of the settings.
    pub file: String,
    /// Line in the file, from 1; 0 when there is none.
    pub line: u64,
    /// What was found, where in the rule, and what is allowed.
    pub problem: String,
    /// What to do, where that is not plain.
    pub hint: Option<&'static str>,
}

fn place(file: &str, line: u64) -> String {
    if line == 0 { format!("{file}: ") } else { format!("{file}:{line}: ") }
}

/// The faults of one file, while it is read.
#[derive(Debug)]
pub(super) struct Faults {
    file: String,
    pub(super) found: Vec<RuleFault>,
    /// Placeholders without values, where that is no fault.
    unfilled: Vec<String>,
}

impl Faults {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), found: Vec::new(), unfilled: Vec::new() }
    }

    pub(super) fn add(&mut self, line: u64, problem: impl Into<String>) {
        self.found.push(RuleFault { file: self.file.clone(), line, problem: problem.into(), hint: None });
    }

    pub(super) fn add_with_hint(&mut self, line: u64, problem: impl Into<String>, hint: &'static str) {
        self.found.push(RuleFault { file: self.file.clone(), line, problem: problem.into(), hint: Some(hint) });
    }

    /// A placeholder has no values, and stands for nothing.
    pub(super) fn unfilled(&mut self, name: &str) {
        if !self.unfilled.iter().any(|known| known == name) {
            self.unfilled.push(name.to_owned());
        }
    }

    /// The placeholders without values since the last call.
    pub(super) fn take_unfilled(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unfilled)
    }
}
