//! What differs between files, so that it can be applied.
//!
//! In: files as they are and as they would be, and where they are. Out: a unified diff that `git apply` and `patch -p1` take, and the
//! folder in which. What always holds: no path in it climbs or begins at the root: the folder is the nearest to here that holds all files.

use std::path::{Component, Path, PathBuf};

use similar::TextDiff;

/// Where the files are.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) exceptions: PathBuf,
    /// Where the conditions were read; none: those that are built in.
    pub(super) conditions: Option<PathBuf>,
    /// The folder of whoever asks, from the root, without links.
    pub(super) here: PathBuf,
}

impl Names {
    pub(super) fn exceptions(&self) -> PathBuf {
        self.whole(&self.exceptions)
    }

    /// The path of a condition's file, `<policy>/<file>`.
    pub(super) fn condition(&self, file: &str) -> PathBuf {
        let name = file.split_once('/').map_or(file, |(_, name)| name);
        self.whole(&match &self.conditions {
            None => Path::new("nrql/conditions").join(file),
            Some(path) if path.is_file() => path.clone(),
            Some(path) if path.join("policy.yml").is_file() => path.join(name),
            Some(path) => path.join(file),
        })
    }

    /// A path from the root, without links and steps up where it exists, or the folder does in which it would.
    fn whole(&self, path: &Path) -> PathBuf {
        let path = self.here.join(path);
        let beside = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
        path.canonicalize().ok().or_else(beside).unwrap_or_else(|| straight(&path))
    }
}

/// A path without steps up, as far as names tell.
fn straight(path: &Path) -> PathBuf {
    let mut straight = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(straight.pop()),
            Component::CurDir => {}
            other => straight.push(other),
        }
    }
    straight
}

/// A diff, and how to use it.
#[derive(Debug, Default)]
pub(super) struct Diff {
    pub(super) text: String,
    /// Where it is to be applied; none: here.
    pub(super) folder: Option<String>,
    /// Files in it whose cases have to be written anew by a person.
    pub(super) stale: Vec<String>,
}

/// The diff of files: path from the root, as it is, as it would be.
pub(super) fn of(here: &Path, files: &[(PathBuf, Option<&str>, &str)], stale: &[PathBuf]) -> Diff {
    let holds_all = |folder: &&Path| files.iter().all(|(path, ..)| path.starts_with(folder));
    let folder = here.ancestors().find(holds_all).unwrap_or(here);
    let name = |path: &Path| path.strip_prefix(folder).unwrap_or(path).display().to_string();
    Diff {
        text: files.iter().map(|(path, old, new)| one(&name(path), *old, new)).collect(),
        folder: (folder != here).then(|| folder.display().to_string()),
        stale: stale.iter().map(|path| name(path)).collect(),
    }
}

/// One file's part.
fn one(name: &str, old: Option<&str>, new: &str) -> String {
    // Of a name with blanks it has to be told where it ends.
    let end = if name.contains(' ') { "\t" } else { "" };
    let from = old.map_or_else(|| "/dev/null".to_owned(), |_| format!("a/{name}{end}"));
    let text = TextDiff::from_lines(old.unwrap_or_default(), new);
    text.unified_diff().context_radius(3).header(&from, &format!("b/{name}{end}")).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(here: &Path, exceptions: &str, conditions: Option<&str>) -> Names {
        Names { exceptions: exceptions.into(), conditions: conditions.map(PathBuf::from), here: here.to_owned() }
    }

    /// S0-05: what `git apply` refuses, a path that climbs, is never in a diff: it says where it is to be applied.
    #[test]
    fn a_diff_names_files_from_a_folder_that_holds_them_all() {
        let tree = tempfile::tempdir().expect("a folder");
        let root = tree.path().canonicalize().expect("a path");
        for folder in ["here/conditions/own", "conditions/own"] {
            std::fs::create_dir_all(root.join(folder)).expect("a folder");
            std::fs::write(root.join(folder).join("a b.yml"), "old\n").expect("a file");
        }
        let here = root.join("here");
        let diff = |conditions: Option<&str>, exceptions: &str| {
            let names = names(&here, exceptions, conditions);
            let of = names.condition("own/a b.yml");
            let diff = super::of(&here, &[(names.exceptions(), None, "new\n"), (of.clone(), Some("old\n"), "new\n")], &[of]);
            let named: Vec<String> =
                diff.text.lines().filter_map(|line| line.strip_prefix("+++ b/").map(str::to_owned)).collect();
            assert!(diff.text.starts_with("--- /dev/null\n"), "{}", diff.text);
            (named.join(" | "), diff.folder.map(PathBuf::from), diff.stale.join(" "))
        };
        let (said, folder, stale) = diff(Some("./conditions"), "exceptions.yml");
        assert_eq!(
            (said.as_str(), folder, stale.as_str()),
            ("exceptions.yml | conditions/own/a b.yml\t", None, "conditions/own/a b.yml")
        );
        let (said, folder, stale) = diff(Some("../conditions"), "exceptions.yml");
        assert_eq!((said.as_str(), stale.as_str()), ("here/exceptions.yml | conditions/own/a b.yml\t", "conditions/own/a b.yml"));
        assert_eq!(folder, Some(root.clone()));
        let (said, folder, _) = diff(None, &root.join("none/../exceptions.yml").display().to_string());
        assert_eq!((said.as_str(), folder), ("exceptions.yml | here/nrql/conditions/own/a b.yml\t", Some(root.clone())));
        // And it can be applied there.
        let names = names(&here, "exceptions.yml", Some("../conditions"));
        let one = of(&here, &[(names.condition("own/a b.yml"), Some("old\n"), "new\n")], &[]);
        std::fs::write(here.join("tune.diff"), &one.text).expect("a diff");
        let folder = one.folder.expect("a folder");
        let applied = std::process::Command::new("git").args(["apply", "here/tune.diff"]).current_dir(folder).output();
        let Ok(applied) = applied else { return };
        assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
        assert_eq!(std::fs::read_to_string(root.join("conditions/own/a b.yml")).expect("a file"), "new\n");
    }
}
