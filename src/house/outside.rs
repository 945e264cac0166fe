//! The rules on the form of files: size, module doc, names, words that have no place here.
//!
//! In: files of the repository. Out: breaches. It knows nothing of what the code means.

use std::path::Path;

use super::text::code_only;
use super::{Breach, File};

/// Longest source file, lines.
const FILE_LINES: usize = 600;

/// Longest `main.rs`, lines: it has no logic, so that everything can be tested.
const MAIN_LINES: usize = 40;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 8] = ["util", "utils", "common", "helper", "helpers", "manager", "managers", "misc"];

/// Size, module doc, lints switched off, for a Rust file.
pub(super) fn check_rust(file: &File) -> Vec<Breach> {
    let mut breaches = Vec::new();
    if file.path.rsplit_once('.').is_none_or(|(_, ending)| ending != "rs") {
        return breaches;
    }
    let lines = file.text.lines().count();
    let most = if file.path == "src/main.rs" { MAIN_LINES } else { FILE_LINES };
    if lines > most {
        breaches.push(file.breach(lines, format!("{lines} lines; at most {most} are allowed: split by step")));
    }
    let first = file.text.lines().next().unwrap_or_default();
    // A program's root says nothing that `cli` and the crate doc do not say.
    if file.path != "src/main.rs" && !first.starts_with("//!") {
        breaches.push(
            file.breach(1, "does not open with `//!`: what comes in, what goes out, what always holds, what it does not do"),
        );
    }
    for (number, line) in code_only(&file.text).lines().enumerate() {
        if line.contains("#[allow") || line.contains("#![allow") || (line.contains("cfg_attr") && line.contains("allow(")) {
            breaches.push(
                file.breach(number + 1, "`allow`; only `#[expect(…, reason = \"…\")]` is allowed, it tells when it is stale"),
            );
        }
    }
    breaches
}

/// Folder and file names.
pub(super) fn check_name(file: &File) -> Vec<Breach> {
    let empty = |name: &str| EMPTY_NAMES.contains(&name.split('.').next().unwrap_or(name).to_lowercase().as_str());
    let mut breaches = Vec::new();
    for name in file.path.split('/').filter(|name| empty(name)) {
        breaches.push(file.breach(1, format!("`{name}` names a drawer; name the concept (retry, archive, clock)")));
    }
    breaches
}

/// Folders that are somebody's own on every machine.
const OWN: [&str; 3] = ["home", "root", "Users"];

/// Folders that every Linux machine has for the same things.
const SYSTEM: [&str; 12] = ["bin", "boot", "dev", "etc", "lib", "lib64", "proc", "run", "sbin", "sys", "usr", "var"];

/// Paths of somebody's machine: they mean nothing to a reader. Below somebody's own folders no path is let in; elsewhere none
/// that is there where this test runs, which is where it was written, and is in no folder of the system.
pub(super) fn check_machine(file: &File, is_here: impl Fn(&Path) -> bool) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        for path in absolute_paths(line) {
            let mut parts = path.split('/').filter(|part| !part.is_empty());
            let (Some(top), Some(below)) = (parts.next(), parts.next()) else { continue };
            let found = || !SYSTEM.contains(&top) && is_here(&Path::new("/").join(top).join(below));
            if OWN.contains(&top) || found() {
                breaches.push(
                    file.breach(number + 1, format!("`{path}` is a path of one machine; write it from the repository's root")),
                );
            }
        }
    }
    breaches
}

/// The absolute paths in a line. Inside a longer path a `/` begins none, and two begin an address or a comment.
fn absolute_paths(line: &str) -> impl Iterator<Item = &str> {
    let inside = |c: char| c.is_alphanumeric() || "_-./~})>*".contains(c);
    let begins = move |at: usize| !line[..at].ends_with(inside) && !line[at..].starts_with("//");
    line.match_indices('/').filter(move |(at, _)| begins(*at)).map(|(at, _)| {
        let path = &line[at..];
        let end = path.find(|c: char| !(c.is_alphanumeric() || "_-./".contains(c))).unwrap_or(path.len());
        path[..end].trim_end_matches('.')
    })
}

/// The levels of a page's headings, in order: code blocks do not count.
pub(super) fn headings(page: &str) -> Vec<usize> {
    let mut fenced = false;
    let mut levels = Vec::new();
    for line in page.lines() {
        if line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~") {
            fenced = !fenced;
        }
        let level = line.chars().take_while(|c| *c == '#').count();
        if !fenced && (1..=6).contains(&level) && line[level..].starts_with(' ') {
            levels.push(level);
        }
    }
    levels
}

/// Two languages, one page: the headings come in the same order and depth.
pub(super) fn check_pages(english: Option<&File>, japanese: Option<&File>) -> Vec<Breach> {
    match (english, japanese) {
        (Some(english), Some(japanese)) if headings(&english.text) != headings(&japanese.text) => {
            let what = format!("headings {:?}, but {} has {:?}", headings(&japanese.text), english.path, headings(&english.text));
            vec![japanese.breach(1, what)]
        }
        (Some(page), None) | (None, Some(page)) => {
            vec![page.breach(1, "README.md and README.ja.md are one page in two languages: one of them is missing")]
        }
        _ => Vec::new(),
    }
}
