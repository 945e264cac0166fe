//! `rules import sigma`: which rules of other people run here.
//!
//! In: a folder of Sigma files. Out: a list of what runs and of what does not and why; with `--out`, unchanged copies in a company
//! rule folder. What always holds: a file that is there and differs is never written over; nothing is sent.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use super::super::args::{ConfigFile, Format};
use super::super::count;
use super::super::exit::{Exit, Stop};
use super::super::table::table;
use crate::classify::{Import, ImportedRule};
use crate::config::{Need, env};
use crate::record::Severity;

#[derive(Debug, Subcommand)]
pub(super) enum Form {
    /// Sigma rules for AWS CloudTrail, used as they are
    Sigma {
        /// A folder, with what is below it, or one file
        #[arg(value_name = "DIR")]
        path: PathBuf,
        /// Copy the files that run, unchanged, into this folder, for `rules.folders`; no other file is written over
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
        #[command(flatten)]
        file: ConfigFile,
        /// How the result looks
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}

pub(super) fn run(form: Form) -> anyhow::Result<Exit> {
    let Form::Sigma { path, out, file, format } = form;
    super::there(std::slice::from_ref(&path))?;
    let settings = file.load(Need::LOCAL, &env::Process)?.rules;
    let import = Import::of(std::slice::from_ref(&path), &settings);
    let copied = match &out {
        Some(folder) => Some(Copies::make(&import, &path, folder)?),
        None => None,
    };
    super::super::print(&match format {
        Format::Text => text(&import, copied.as_ref(), out.as_deref()),
        Format::Json => serde_json::to_string_pretty(&object(&import))? + "\n",
    })?;
    let refused = copied.map(|copied| copied.refused).unwrap_or_default();
    if let [first, ..] = refused.as_slice() {
        let what =
            format!("{} not copied: another file of this name is there, as {}", count(refused.len(), "file"), first.display());
        return Err(Stop::usage(
            what,
            Some("compare them; remove or rename the one that is there, or name another folder".to_owned()),
        )
        .into());
    }
    Ok(if import.imported.is_empty() { Exit::Found } else { Exit::Good })
}

fn object(import: &Import) -> Value {
    let imported: Vec<Value> = import
        .imported
        .iter()
        .map(|rule| {
            let ImportedRule { file, id, title, level, author, notes, .. } = rule;
            let mut object =
                json!({ "file": file, "id": id, "title": title, "level": level.map(Severity::as_str), "author": author });
            if let (Some(members), false) = (object.as_object_mut(), notes.is_empty()) {
                members.insert("notes".to_owned(), json!(notes));
            }
            object
        })
        .collect();
    let unsupported: Vec<Value> =
        import.unsupported.iter().map(|fault| json!({ "file": fault.file, "line": fault.line, "why": fault.problem })).collect();
    json!({ "imported": imported, "unsupported": unsupported })
}

fn text(import: &Import, copies: Option<&Copies>, out: Option<&Path>) -> String {
    let row = |rule: &ImportedRule| -> Vec<String> {
        let level = rule.level.map_or("", |level| level.as_str());
        let [id, author] = [&rule.id, &rule.author].map(|text| text.clone().unwrap_or_default());
        vec![level.to_owned(), id, author, rule.file.clone(), rule.title.clone()]
    };
    let mut text = String::new();
    if !import.imported.is_empty() {
        let rows: Vec<Vec<String>> = import.imported.iter().map(row).collect();
        text += &table(&["severity", "id", "author", "file", "title"], &rows);
    }
    for rule in import.imported.iter().filter(|rule| !rule.notes.is_empty()) {
        text += &format!("NOTE     {}:{}: {}\n", rule.file, rule.line, rule.notes.join("; "));
    }
    for fault in &import.unsupported {
        text += &format!("NOT RUN  {fault}\n");
        text += &fault.hint.map(|hint| format!("         hint: {hint}\n")).unwrap_or_default();
    }
    if !import.placeholders.is_empty() {
        text +=
            "\nPlaceholders without values match nothing. Give them values in the configuration:\n\nrules:\n  placeholders:\n";
        for name in &import.placeholders {
            text += &format!("    {name}: []\n");
        }
        text += "\n";
    }
    if let (Some(copies), Some(folder)) = (copies, out) {
        let folder = folder.display();
        text += &format!("{} copied to {folder}, {} there already\n", count(copies.written, "file"), copies.same);
        for file in &copies.refused {
            text += &format!("NOT COPIED {}: differs\n", file.display());
        }
        text += &format!("To run them: rules: {{folders: [{folder}]}}\n");
    }
    let (imported, unsupported) = (import.imported.len(), import.unsupported.len());
    text + &format!("{} imported, {} not supported\n", count(imported, "document"), count(unsupported, "problem"))
}

/// What became of the copies.
#[derive(Debug, Default)]
struct Copies {
    written: usize,
    /// Files that were there with the same bytes.
    same: usize,
    /// Files that are there and differ.
    refused: Vec<PathBuf>,
}

impl Copies {
    /// Copies every file with something that runs, below `out` as it lies below `from`.
    fn make(import: &Import, from: &Path, out: &Path) -> Result<Self, Stop> {
        let root = if from.is_dir() { from } else { from.parent().unwrap_or(from) };
        let files: BTreeSet<&str> = import.imported.iter().map(|rule| rule.file.as_str()).collect();
        let mut copies = Self::default();
        for file in files.into_iter().map(Path::new) {
            let target = out.join(file.strip_prefix(root).unwrap_or(file));
            let failed =
                |error: std::io::Error| Stop::usage(format!("copying {} to {}: {error}", file.display(), target.display()), None);
            let bytes = std::fs::read(file).map_err(failed)?;
            match std::fs::read(&target) {
                Ok(there) if there == bytes => copies.same += 1,
                Ok(_) => copies.refused.push(target),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    if let Some(folder) = target.parent() {
                        std::fs::create_dir_all(folder).map_err(failed)?;
                    }
                    write_new(&target, &bytes).map_err(failed)?;
                    copies.written += 1;
                }
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(copies)
    }
}

/// Writes a file that must not be there.
fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    std::fs::OpenOptions::new().write(true).create_new(true).open(path)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Rules;

    const RULE: &str = "title: One\nname: one\nauthor: Ann\nlogsource: {product: aws, service: cloudtrail}\nlevel: low\ndetection:\n  s: {eventName|expand: '%Names%'}\n  condition: s\n";
    const OTHER: &str = "title: Two\nid: 11111111-2222-4333-8444-555555555555\nlogsource: {product: windows, category: process_creation}\nlevel: low\ndetection:\n  s: {Image: x}\n  condition: s\n";

    /// A folder with a rule, a rule of another log source, and a correlation of nothing.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("below")).expect("a folder");
        std::fs::write(folder.path().join("below/one.yml"), RULE).expect("a file");
        std::fs::write(folder.path().join("two.yml"), OTHER).expect("a file");
        folder
    }

    #[test]
    fn what_runs_and_what_does_not_is_told_with_why() {
        let folder = folder();
        let import = Import::of(&[folder.path().to_owned()], &Rules::default());
        let root = format!("{}/", folder.path().display());
        let told = object(&import).to_string().replace(&root, "");
        assert_eq!(
            told,
            "{\"imported\":[{\"author\":\"Ann\",\"file\":\"below/one.yml\",\"id\":\"one\",\"level\":\"LOW\",\
             \"notes\":[\"placeholder %Names% has no values and matches nothing\"],\"title\":\"One\"}],\
             \"unsupported\":[{\"file\":\"two.yml\",\"line\":3,\"why\":\"logsource.product is \\\"windows\\\"; allowed: aws\"},\
             {\"file\":\"two.yml\",\"line\":3,\"why\":\"logsource.service is missing; allowed: cloudtrail\"}]}"
        );
        let text = text(&import, None, None);
        assert!(text.contains("rules:\n  placeholders:\n    Names: []\n"), "{text}");
        assert!(text.ends_with("1 document imported, 2 problems not supported\n"), "{text}");
        let placeholders = [("Names".to_owned(), vec!["X".to_owned()])].into();
        let import = Import::of(&[folder.path().to_owned()], &Rules { placeholders, ..Rules::default() });
        assert!(import.placeholders.is_empty() && import.imported.iter().all(|rule| rule.notes.is_empty()));
    }

    #[test]
    fn files_are_copied_unchanged_and_no_other_is_written_over() {
        let (folder, out) = (folder(), tempfile::tempdir().expect("a folder"));
        let import = Import::of(&[folder.path().to_owned()], &Rules::default());
        let copy = || Copies::make(&import, folder.path(), out.path()).expect("copies");
        let first = copy();
        assert_eq!((first.written, first.same, first.refused.len()), (1, 0, 0));
        let copied = out.path().join("below/one.yml");
        assert_eq!(std::fs::read_to_string(&copied).expect("a copy"), RULE);
        assert!(!out.path().join("two.yml").exists(), "nothing of it runs");
        let again = copy();
        assert_eq!((again.written, again.same, again.refused.len()), (0, 1, 0));
        std::fs::write(&copied, "mine").expect("a file");
        let third = copy();
        assert_eq!((third.written, third.same, third.refused), (0, 0, vec![copied.clone()]));
        assert_eq!(std::fs::read_to_string(&copied).expect("a file"), "mine");
    }
    /// Documents are judged as they would run: beside the built-in rules. A filter with a fault changes nothing and is not listed.
    #[test]
    fn documents_may_name_built_in_rules_and_faulty_filters_are_not_imported() {
        let folder = tempfile::tempdir().expect("a folder");
        let builtin = crate::classify::RuleSet::builtin().rules().first().expect("a rule").id.clone();
        let correlation = format!(
            "title: Many\nname: many\ncorrelation: {{type: event_count, rules: [{builtin}], timespan: 5m, condition: {{gte: 3}}}}\n"
        );
        let filter = |title: &str, rules: &str| {
            format!(
                "title: {title}\nlogsource: {{product: aws}}\nfilter:\n  rules: [{rules}]\n  s: {{eventName: X}}\n  condition: not s\n"
            )
        };
        let good = filter("Good", &builtin);
        let lost = filter("Lost", &format!("{builtin}, nowhere"));
        std::fs::write(folder.path().join("all.yml"), [correlation, good, lost].join("---\n")).expect("a file");
        let import = Import::of(&[folder.path().to_owned()], &Rules::default());
        let titles: Vec<&str> = import.imported.iter().map(|rule| &*rule.title).collect();
        assert_eq!(titles, ["Many", "Good"]);
        let found: Vec<&str> = import.unsupported.iter().map(|fault| &*fault.problem).collect();
        assert_eq!(found, ["filter.rules: \"nowhere\" is the id or name of no rule on single records"]);
        let off = Rules { disable: vec!["many".to_owned()], ..Rules::default() };
        let import = Import::of(&[folder.path().to_owned()], &off);
        let notes: Vec<_> =
            import.imported.iter().map(|rule| (&*rule.title, rule.notes.first().map_or("", |note| &**note))).collect();
        let filter = "a filter: it changes the rules that it names";
        assert_eq!(notes, [("Many", "switched off by rules.disable"), ("Good", filter)]);
    }
}
