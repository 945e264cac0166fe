//! Gathering the rules that run.
//!
//! In: the built-in files, the folders and the ids of the settings. Out: rules in their final order, and every fault. A bad
//! file, folder or rule never stops the others. Reads rule folders, nothing else.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::config::Rules;

use super::builtin::FILES;
use super::correlation;
use super::fault::RuleFault;
use super::filter::{self, Filter};
use super::read::{self, FileRead, Read};
use super::sigma::Placeholders;

/// Deepest folder below a rule folder: a link that points upwards ends there.
const DEPTH: usize = 16;

/// Largest rule file, bytes.
const FILE_BYTES: u64 = 1 << 20;

/// Where faults of the settings are.
const DISABLE: &str = "rules.disable";

/// What was read: the rules that run, those that are switched off, and what is wrong with the others.
pub(super) struct Loaded {
    pub(super) rules: Vec<Read>,
    pub(super) disabled: Vec<Read>,
    /// What was joined to the rules.
    pub(super) filters: Vec<Filter>,
    pub(super) faults: Vec<RuleFault>,
}

impl Loaded {
    /// These rules run.
    #[cfg(test)]
    pub(super) fn of(rules: Vec<Read>) -> Self {
        Self { rules, disabled: Vec::new(), filters: Vec::new(), faults: Vec::new() }
    }
}

/// The built-in rules, in order.
pub(super) fn builtin(placeholders: &Placeholders) -> Loaded {
    let mut loading = Loading::new(placeholders);
    loading.builtin();
    loading.finish(&[])
}

/// The built-in rules and those of the folders, without the disabled ones, in order.
pub(super) fn load(settings: &Rules, placeholders: &Placeholders) -> Loaded {
    let mut loading = Loading::new(placeholders);
    loading.builtin();
    for folder in &settings.folders {
        loading.folder(folder);
    }
    loading.finish(&settings.disable)
}

/// Only the rules of these files and folders, in order. The built-in rules that they name are lent to them.
pub(super) fn alone(paths: &[PathBuf], placeholders: &Placeholders) -> Loaded {
    let mut loading = Loading::new(placeholders);
    for path in paths {
        loading.folder(path);
    }
    loading.lend();
    let mut loaded = loading.finish(&[]);
    correlation::keep_needed(&mut loaded.rules);
    loaded
}

/// The rules of these files and folders beside the built-in ones, without the disabled ones, in order; what is wrong with the settings is
/// left out.
pub(super) fn beside(paths: &[PathBuf], settings: &Rules, placeholders: &Placeholders) -> Loaded {
    let mut loading = Loading::new(placeholders);
    loading.builtin();
    for path in paths {
        loading.folder(path);
    }
    let mut loaded = loading.finish(&settings.disable);
    loaded.faults.retain(|fault| fault.file != DISABLE);
    loaded
}

struct Loading<'p> {
    placeholders: &'p Placeholders,
    rules: Vec<Read>,
    filters: Vec<Filter>,
    faults: Vec<RuleFault>,
    /// Ids and Sigma ids, lower case.
    taken: HashSet<String>,
}

impl<'p> Loading<'p> {
    fn new(placeholders: &'p Placeholders) -> Self {
        Self { placeholders, rules: Vec::new(), filters: Vec::new(), faults: Vec::new(), taken: HashSet::new() }
    }

    fn builtin(&mut self) {
        for (name, text) in FILES {
            self.file(name, text, true);
        }
    }

    /// If something names a rule that is not here: the built-in rules whose ids are free. A file that is a built-in one itself, or a
    /// changed copy of it, stands for it.
    fn lend(&mut self) {
        let correlated = self.rules.iter().filter_map(|read| read.correlation.as_ref()).flat_map(|spec| &spec.rules);
        let filtered = self.filters.iter().flat_map(|filter| &filter.rules);
        if correlated.chain(filtered).all(|(_, name)| self.taken.contains(&name.to_ascii_lowercase())) {
            return;
        }
        for (name, text) in FILES {
            let rules = read::file(name, text, true, self.placeholders).rules.into_iter();
            let free = rules.filter(|read| !read.rule.names().any(|id| self.taken.contains(&id.to_ascii_lowercase())));
            self.rules.extend(free.map(|read| Read { lent: true, ..read }));
        }
    }

    fn folder(&mut self, folder: &Path) {
        let mut files = Vec::new();
        let faults = self.faults.len();
        if folder.is_file() {
            files.push(folder.to_owned());
        } else {
            self.walk(folder, 0, &mut files);
        }
        // A folder that cannot be read has been told, and nobody knows what is in it.
        if files.is_empty() && self.faults.len() == faults {
            self.fault(folder, "no rule file; needed: *.yml or *.yaml, in the folder or below");
        }
        files.sort();
        for file in files {
            let size = std::fs::metadata(&file).map(|data| data.len());
            if size.is_ok_and(|size| size > FILE_BYTES) {
                self.fault(&file, format!("more than {FILE_BYTES} bytes, the largest rule file"));
                continue;
            }
            match std::fs::read_to_string(&file) {
                Ok(text) => self.file(&file.display().to_string(), &text, false),
                Err(error) => self.fault(&file, format!("reading the file: {error}")),
            }
        }
    }

    fn walk(&mut self, folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
        if depth > DEPTH {
            return self.fault(folder, format!("more than {DEPTH} folders deep"));
        }
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.fault(folder, format!("reading the folder: {error}")),
        };
        for entry in entries {
            match entry {
                Ok(entry) if entry.path().is_dir() => self.walk(&entry.path(), depth + 1, files),
                Ok(entry) => {
                    let path = entry.path();
                    let is_rule =
                        path.extension().is_some_and(|end| end.eq_ignore_ascii_case("yml") || end.eq_ignore_ascii_case("yaml"));
                    if is_rule {
                        files.push(path);
                    }
                }
                Err(error) => self.fault(folder, format!("reading the folder: {error}")),
            }
        }
    }

    fn fault(&mut self, path: &Path, problem: impl Into<String>) {
        self.faults.push(RuleFault { file: path.display().to_string(), line: 0, problem: problem.into(), hint: None });
    }

    /// Takes the rules of a file whose ids are new.
    fn file(&mut self, name: &str, text: &str, builtin: bool) {
        let FileRead { rules, filters, faults } = read::file(name, text, builtin, self.placeholders);
        self.faults.extend(faults);
        self.filters.extend(filters);
        for read in rules {
            let ids: Vec<_> = read.rule.names().map(str::to_ascii_lowercase).collect();
            if let Some(id) = ids.iter().find(|id| self.taken.contains(*id)) {
                self.faults.push(RuleFault {
                    file: name.to_owned(),
                    line: read.rule.line,
                    problem: format!("\"{id}\" is the id or name of another rule; every rule needs its own"),
                    hint: Some("to replace a built-in rule, disable it and give yours another name and id"),
                });
            } else {
                self.taken.extend(ids);
                self.rules.push(read);
            }
        }
    }

    /// Puts the disabled rules apart and sorts.
    fn finish(mut self, disable: &[String]) -> Loaded {
        for id in disable {
            if !self.taken.contains(&id.to_ascii_lowercase()) {
                self.faults.push(RuleFault {
                    file: DISABLE.to_owned(),
                    line: 0,
                    problem: format!("\"{id}\" is no rule's id or name"),
                    hint: Some("`cspm-relay rules list` shows the ids"),
                });
            }
        }
        let (disabled, mut rules): (Vec<_>, Vec<_>) =
            self.rules.into_iter().partition(|read| disable.iter().any(|off| read.rule.is_called(off)));
        let is_off = |name: &str| disabled.iter().any(|read: &Read| read.rule.is_called(name));
        let (filters, faults) = filter::apply(self.filters, &mut rules, is_off);
        self.faults.extend(faults);
        self.faults.extend(correlation::resolve(&mut rules, is_off));
        let (rules, faults) = sorted(rules, self.faults);
        Loaded { rules, disabled, filters, faults }
    }
}

/// Puts rules in their order (severity, score, id), and faults in theirs (file, line).
pub(super) fn sorted(mut rules: Vec<Read>, mut faults: Vec<RuleFault>) -> (Vec<Read>, Vec<RuleFault>) {
    faults.sort_by(|a, b| a.file.cmp(&b.file).then(a.line.cmp(&b.line)));
    rules.sort_by(|a, b| {
        let (a, b) = (&a.rule, &b.rule);
        b.severity.cmp(&a.severity).then(b.score.cmp(&a.score)).then_with(|| a.id.cmp(&b.id))
    });
    (rules, faults)
}
