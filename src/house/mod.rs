//! The rules of this source tree, as tests.
//!
//! In: the files of the repository. Out: a list of breaches, each with file, line and what is allowed. What always holds: every
//! rule has a made-up source that it refuses, so no rule can pass by accident. It reads text, it does not compile: a path that a
//! macro builds is not seen.

#![expect(clippy::string_slice, reason = "positions come from searches in the same text")]

mod imports;
mod outside;
mod text;

mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

/// A rule that a file does not keep.
#[derive(Debug, PartialEq, Eq)]
struct Breach {
    file: String,
    line: usize,
    what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// A file of the repository: its path from the root, with `/`, and its text.
struct File {
    path: String,
    text: String,
}

impl File {
    fn breach(&self, line: usize, what: impl Into<String>) -> Breach {
        Breach { file: self.path.clone(), line, what: what.into() }
    }
}

/// The folder that holds `Cargo.toml`.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file of the repository; what tools build (`target`) and what git keeps are left out.
fn repository() -> Vec<File> {
    let mut files = Vec::new();
    walk(&root(), &root(), &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<File>) {
    for entry in std::fs::read_dir(folder).expect("the repository can be read") {
        let path = entry.expect("the repository can be read").path();
        let name = path.file_name().expect("an entry has a name").to_string_lossy();
        if path.is_symlink() || matches!(&*name, "target" | ".git" | "__pycache__" | "node_modules") {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, files);
        } else if let Ok(text) = String::from_utf8(std::fs::read(&path).expect("a file of the repository can be read")) {
            let path = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
            files.push(File { path, text });
        }
    }
}

/// Fails with every breach, one a line.
fn assert_none(breaches: &[Breach]) {
    let list: Vec<String> = breaches.iter().map(Breach::to_string).collect();
    assert!(breaches.is_empty(), "{} breaches of the house rules (src/house):\n{}", list.len(), list.join("\n"));
}
