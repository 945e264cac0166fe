//! Where the page of a rule goes.
//!
//! In: rules, the folder of the pages, the folders of rules. Out: for each rule that gets a page its path, and the pages in the folder
//! that no rule has. What always holds: a path ends in the rule's id, so no two rules share one; where the folder has rule files, a
//! page lies beside its rule's file, and a rule that has none there gets no page.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::page::MARK;
use crate::classify::Rule;
use crate::cli::exit::Stop;

/// How files that came with the program are named.
const BUILTIN: &str = "builtin:";

/// Deepest folder in which pages are looked for: as deep as rule files are.
const DEPTH: usize = 16;

/// A page, and the rule's file beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Path from the folder of the pages, parts joined by `/`.
    pub(super) page: String,
    /// Name of the rule's file, in the same folder.
    pub(super) file: Option<String>,
}

/// The places by the id of the rule. `folders`: those that company rules were read from.
pub(super) fn places(rules: &[&Rule], out: Option<&Path>, folders: &[PathBuf]) -> BTreeMap<String, Place> {
    let folders: Vec<PathBuf> = folders.iter().map(|folder| folder_of(folder)).collect();
    let out = out.and_then(|out| out.canonicalize().ok());
    let beside: BTreeMap<String, Place> = out.iter().flat_map(|out| rules.iter().filter_map(|rule| below(rule, out))).collect();
    let is_of_rules = out.is_some_and(|out| folders.iter().any(|folder| folder.starts_with(&out)));
    if is_of_rules || !beside.is_empty() {
        return beside;
    }
    rules.iter().map(|rule| (rule.id.clone(), Place { page: page(&path(rule, &folders), &rule.id), file: None })).collect()
}

/// The place of a rule whose file is in this folder.
fn below(rule: &Rule, out: &Path) -> Option<(String, Place)> {
    let path = match rule.file.strip_prefix(BUILTIN).filter(|_| rule.builtin) {
        Some(path) => out.join(path).is_file().then(|| PathBuf::from(path))?,
        None => Path::new(&rule.file).canonicalize().ok()?.strip_prefix(out).ok()?.to_owned(),
    };
    let file = path.file_name()?.to_str()?.to_owned();
    Some((rule.id.clone(), Place { page: page(&path, &rule.id), file: Some(file) }))
}

/// The path of a rule's file below the folder that it was read from.
fn path(rule: &Rule, folders: &[PathBuf]) -> PathBuf {
    if let Some(path) = rule.file.strip_prefix(BUILTIN).filter(|_| rule.builtin) {
        return path.into();
    }
    let file = Path::new(&rule.file);
    let whole = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let found = folders.iter().filter_map(|folder| whole.strip_prefix(folder).ok()).min_by_key(|path| path.components().count());
    found.or(file.file_name().map(Path::new)).unwrap_or(file).to_owned()
}

/// A folder of rules, or that of a rule file.
fn folder_of(path: &Path) -> PathBuf {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = if whole.is_file() { whole.parent() } else { None };
    folder.map_or(whole.clone(), Path::to_owned)
}

/// The page of a rule, in the folder of its file.
fn page(file: &Path, id: &str) -> String {
    let folder = file.parent().into_iter().flat_map(Path::components);
    let mut parts: Vec<String> = folder
        .filter_map(|part| if let Component::Normal(name) = part { Some(name.to_string_lossy().into_owned()) } else { None })
        .collect();
    parts.push(format!("{id}.md"));
    parts.join("/")
}

/// The pages in the folder that are not among these.
///
/// # Errors
/// The folder cannot be read.
pub(super) fn stale(out: &Path, pages: &BTreeMap<String, String>) -> Result<Vec<String>, Stop> {
    let mut found = Vec::new();
    let wrong = |error| Stop::usage(format!("{}: looking for pages without a rule: {error}", out.display()), None);
    walk(out, 0, &mut found).map_err(wrong)?;
    let mut stale: Vec<PathBuf> = found.into_iter().filter(|path| !pages.keys().any(|page| out.join(page) == *path)).collect();
    stale.sort();
    Ok(stale.iter().map(|path| path.display().to_string()).collect())
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        // A folder that is a link is another one's.
        if kind.is_dir() && depth < DEPTH {
            walk(&path, depth + 1, found)?;
        } else if path.extension().is_some_and(|end| end == "md") && std::fs::read(&path)?.starts_with(MARK.as_bytes()) {
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::RuleSet;

    const RULE: &str = "title: T\nname: NAME\nlogsource: {product: aws, service: cloudtrail}\nlevel: low\ndetection:\n  s: {eventName: X}\n  condition: s\n";

    fn company(folder: &Path, files: &[(&str, &str)]) -> RuleSet {
        for (path, name) in files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, RULE.replace("NAME", name)).expect("a file");
        }
        let folders = vec![folder.to_owned()];
        RuleSet::load(&crate::config::Rules { folders, ..Default::default() }).0
    }

    fn of(set: &RuleSet, out: Option<&Path>, folders: &[PathBuf]) -> BTreeMap<String, Place> {
        places(&set.rules().iter().collect::<Vec<_>>(), out, folders)
    }

    /// Company rules get their pages beside their files, and no page of a built-in rule comes between them.
    #[test]
    fn a_page_lies_beside_its_rule_or_every_rule_has_one() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("ours");
        let set = company(&folder, &[("iam/own.yml", "own-one"), ("top.yaml", "own-two")]);
        let folders = [folder.clone()];
        let place = |page: &str, file: Option<&str>| Place { page: page.to_owned(), file: file.map(str::to_owned) };
        let beside = |one: &str, two: &str| {
            BTreeMap::from([
                ("own-one".to_owned(), place(one, Some("own.yml"))),
                ("own-two".to_owned(), place(two, Some("top.yaml"))),
            ])
        };
        assert_eq!(of(&set, Some(&folder), &folders), beside("iam/own-one.md", "own-two.md"));
        assert_eq!(of(&set, Some(root.path()), &folders), beside("ours/iam/own-one.md", "ours/own-two.md"), "a folder above");
        for out in [None, Some(root.path().join("new")), Some(folder.join("pages"))] {
            let all = of(&set, out.as_deref(), &folders);
            assert_eq!(all.len(), set.rules().len(), "{out:?}");
            assert_eq!(all["own-one"], place("iam/own-one.md", None));
            assert_eq!(all["own-two"], place("own-two.md", None));
            assert_eq!(all["iam-user-created"], place("iam/iam-user-created.md", None));
        }
    }

    /// A folder of rules of which none can be used gets no pages of others.
    #[test]
    fn a_folder_of_broken_rules_stays_as_it_is() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::write(root.path().join("broken.yml"), "title: T\n").expect("a file");
        assert_eq!(of(&company(root.path(), &[]), Some(root.path()), &[root.path().to_owned()]), BTreeMap::new());
    }

    #[test]
    fn pages_that_no_rule_has_are_found_and_other_pages_are_not_ours() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(root.path().join("iam")).expect("a folder");
        for (path, text) in [("iam/old.md", MARK), ("iam/new.md", MARK), ("README.md", "# Ours\n"), ("iam/x.yml", MARK)] {
            std::fs::write(root.path().join(path), text).expect("a file");
        }
        let pages = BTreeMap::from([("iam/new.md".to_owned(), String::new())]);
        let old = root.path().join("iam/old.md").display().to_string();
        assert_eq!(stale(root.path(), &pages).expect("read"), [old]);
    }
}
