//! `rules catalogue`: a page for each rule and a page of all, for people who read before they trust.
//!
//! In: the rules, figures of back-tests. Out: Markdown, beside the rules' files or in a folder of its own. What always holds: the same
//! rules and figures give the same bytes; no file is replaced that this command did not write; a page without a rule is told, never
//! taken away.

mod backtest;
#[cfg(feature = "lab")]
mod bundled;
mod evidence;
mod index;
mod markdown;
mod page;
mod place;
// In the lab alone: the pages show figures of records that come with it.
#[cfg(feature = "lab")]
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{From, there, warn};
use crate::classify::{Rule, RuleSet, written_detection};
use crate::cli::exit::{Exit, Stop};
use crate::cli::rules::to_nrql::Said;
use crate::cli::{count, print};
use crate::config;
use backtest::Figures;
use evidence::{Evidence, Field};
use place::Place;

/// The page of all rules, in English and in Japanese.
const INDEX: &str = "CATALOGUE.md";
const INDEX_JA: &str = "CATALOGUE.ja.md";

/// Arguments of `rules catalogue`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    from: From,
    /// Where the pages go [default: the list of all rules alone, to standard output]
    ///
    /// In a folder with rule files each page goes beside its rule's file, and rules that have none there get no page. In any other
    /// folder every rule gets one.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Figures of a back-test to show, as JSON
    ///
    /// `{"rules": {"<control.id>": {"records": 100000, "matches": 3, "actors": 2, "days": 30, "source": "what the records are"}}}`
    #[arg(long, value_name = "FILE")]
    backtest: Option<PathBuf>,
}

/// A rule and what its page says of it.
struct Subject {
    rule: Rule,
    /// The path of its page, from the folder of all, parts joined by `/`.
    place: String,
    /// The rule's file, where it lies beside the page.
    file: Option<String>,
    /// What it looks for, as its file says; `None`: not in lines of its own.
    detection: Option<String>,
    fields: Vec<Field>,
    nrql: Result<String, Vec<String>>,
    figures: Vec<Figures>,
}

impl Subject {
    /// The folder of the page.
    fn service(&self) -> &str {
        self.place.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let Args { from, out, backtest } = args;
    there(backtest.as_slice())?;
    let rules = from.settings()?;
    warn(&RuleSet::load(&rules).1);
    let subjects = subjects(&rules, out.as_deref(), backtest.as_deref())?;
    let Some(out) = out else {
        print(&index::index(&subjects, &index::ENGLISH))?;
        return Ok(Exit::Good);
    };
    let pages = pages(&subjects)?;
    write(&out, &pages)?;
    let (many, out_shown) = (count(subjects.len(), "page"), out.display());
    print(&format!("{many}, {INDEX} and {INDEX_JA} in {out_shown}\n"))?;
    for stale in place::stale(&out, &pages)? {
        use std::io::Write as _;
        // Nobody is left to be told that a note could not be said.
        let _said = writeln!(std::io::stderr(), "note: {stale}: no rule has this page any more; delete it").is_ok();
    }
    Ok(Exit::Good)
}

/// What the pages say: of the rules that get one, in the order of the rules.
fn subjects(rules: &config::Rules, out: Option<&Path>, backtest: Option<&Path>) -> anyhow::Result<Vec<Subject>> {
    let (set, _) = RuleSet::load(rules);
    let evidence = Evidence::new()?;
    let known: Vec<&Rule> = set.rules().iter().chain(set.disabled()).collect();
    let mut sources: Vec<BTreeMap<String, Figures>> = Vec::new();
    if let Some(file) = backtest {
        sources.push(backtest::read(file, &known)?);
    }
    // Without the lab no records come with the program.
    #[cfg(feature = "lab")]
    sources.push(bundled::figures(&set)?);
    let places = place::places(&set.rules().iter().collect::<Vec<_>>(), out, &rules.folders);
    let said = RuleSet::to_nrql(rules).into_iter().map(Said::new);
    let mut subjects = Vec::new();
    for Said { rule, query } in said {
        let Some(Place { page, file }) = places.get(&rule.id).cloned() else { continue };
        let reading = |error| Stop::failed(format!("{}: reading the rule's file again: {error}", rule.file), None);
        let figures = sources.iter_mut().filter_map(|source| source.remove(&rule.id)).collect();
        subjects.push(Subject {
            place: page,
            file,
            detection: written_detection(&rule).map_err(reading)?,
            fields: evidence.fields(&rule),
            nrql: query,
            figures,
            rule,
        });
    }
    Ok(subjects)
}

/// Every file of the catalogue by its path below the folder.
///
/// # Errors
/// Two of them would be one.
fn pages(subjects: &[Subject]) -> Result<BTreeMap<String, String>, Stop> {
    let indexes = [(INDEX, &index::ENGLISH), (INDEX_JA, &index::JAPANESE)];
    let mut pages: BTreeMap<String, String> =
        indexes.into_iter().map(|(path, words)| (path.to_owned(), index::index(subjects, words))).collect();
    for subject in subjects {
        // On some file systems a name is the same in any case.
        if indexes.iter().any(|(path, _)| path.eq_ignore_ascii_case(&subject.place)) {
            let what = format!("rule {:?}: its page would be {}, the page of all rules", subject.rule.id, subject.place);
            return Err(Stop::usage(what, Some("put the rule's file into a folder of its own".to_owned())));
        }
        pages.insert(subject.place.clone(), page::page(subject));
    }
    Ok(pages)
}

/// Writes all files, or none where one would replace what somebody else wrote.
fn write(out: &Path, pages: &BTreeMap<String, String>) -> Result<(), Stop> {
    let wrong = |path: &Path, what: String| Stop::usage(format!("{}: {what}", path.display()), None);
    for path in pages.keys().map(|path| out.join(path)) {
        match std::fs::read(&path) {
            Ok(bytes) if !bytes.starts_with(page::MARK.as_bytes()) => {
                let hint = "move it away, or name another folder; no file was written";
                let what = format!("{}: not written by this command, and so not replaced", path.display());
                return Err(Stop::usage(what, Some(hint.to_owned())));
            }
            Err(error) if !is_absent(&error) => return Err(wrong(&path, format!("reading it: {error}"))),
            Ok(_) | Err(_) => {}
        }
    }
    for (path, text) in pages {
        let path = out.join(path);
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        made.and_then(|()| std::fs::write(&path, text)).map_err(|error| wrong(&path, format!("writing it: {error}")))?;
    }
    Ok(())
}

/// Nothing is there to be replaced. Whatever else stands in the way is told when it is written.
fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}
