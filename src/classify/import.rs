//! What of other people's rules can run here.
//!
//! In: files and folders of Sigma documents, used as they are beside the built-in rules. Out: which run, and why the others do not. What always holds: a
//! placeholder without values stops nothing, it matches nothing and is told; nothing is written.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::record::severity::Severity;

use super::fault::RuleFault;
use super::load;
use super::sigma::Placeholders;

/// A document that runs here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedRule {
    /// Its file.
    pub file: String,
    /// Line of the document, from 1.
    pub line: u64,
    /// `control.id` of a rule; a filter's Sigma id.
    pub id: Option<String>,
    /// What it is called.
    pub title: String,
    /// Severity; `None`: a filter.
    pub level: Option<Severity>,
    /// Who wrote it.
    pub author: Option<String>,
    /// What to know about it.
    pub notes: Vec<String>,
}

/// What a look at other people's rules found.
#[derive(Debug)]
pub struct Import {
    /// What runs, in the order of files and lines.
    pub imported: Vec<ImportedRule>,
    /// What does not, and why, in the order of files and lines.
    pub unsupported: Vec<RuleFault>,
    /// Placeholders that have no values.
    pub placeholders: BTreeSet<String>,
}

impl Import {
    /// Looks at files and folders.
    #[must_use]
    pub fn of(paths: &[PathBuf], settings: &crate::config::Rules) -> Self {
        let placeholders = Placeholders::from(&settings.placeholders).lenient();
        let mut loaded = load::beside(paths, settings, &placeholders);
        loaded.rules.retain(|read| !read.rule.builtin);
        loaded.disabled.retain(|read| !read.rule.builtin);
        let unfilled = |names: &[String]| -> Vec<String> {
            names.iter().map(|name| format!("placeholder %{name}% has no values and matches nothing")).collect()
        };
        let off = loaded.disabled.iter().map(|read| (read, vec!["switched off by rules.disable".to_owned()]));
        let rules = loaded.rules.iter().map(|read| (read, Vec::new())).chain(off).map(|(read, notes)| ImportedRule {
            file: read.rule.file.clone(),
            line: read.rule.line,
            id: Some(read.rule.id.clone()),
            title: read.rule.title.clone(),
            level: Some(read.rule.severity),
            author: read.rule.author.clone(),
            notes: [notes, unfilled(&read.unfilled)].concat(),
        });
        let filters = loaded.filters.iter().map(|filter| ImportedRule {
            file: filter.file.clone(),
            line: filter.line,
            id: filter.id.clone(),
            title: filter.title.clone(),
            level: None,
            author: filter.author.clone(),
            notes: [vec!["a filter: it changes the rules that it names".to_owned()], unfilled(&filter.unfilled)].concat(),
        });
        let mut imported: Vec<ImportedRule> = rules.chain(filters).collect();
        imported.sort_by(|a, b| a.file.cmp(&b.file).then(a.line.cmp(&b.line)));
        let of_rules = loaded.rules.iter().flat_map(|read| &read.unfilled);
        let placeholders = of_rules.chain(loaded.filters.iter().flat_map(|filter| &filter.unfilled)).cloned().collect();
        Self { imported, unsupported: loaded.faults, placeholders }
    }
}
