//! The catalogue as a whole: the pages beside the built-in rules, and what is on them.

use super::*;
use crate::cli::nrql::names::names;
use crate::nrql::lint::{Purpose, report};

/// How the pages are renewed.
const RENEW: &str = "cspm-relay rules catalogue --out src/classify/rules";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/classify/rules")
}

fn all(out: Option<&Path>) -> Vec<Subject> {
    subjects(&config::Rules::default(), out, None).expect("the built-in rules")
}

/// S0-23: the pages that lie beside the rules are what the rules give now; no rule is without one and no page without a rule.
#[test]
fn the_pages_beside_the_rules_are_those_of_the_rules() {
    let subjects = all(Some(&folder()));
    assert_eq!(subjects.len(), RuleSet::builtin().rules().len());
    let pages = pages(&subjects).expect("pages");
    let is_old = |path: &&String| std::fs::read_to_string(folder().join(path)).ok().as_ref() != pages.get(*path);
    let old: Vec<&String> = pages.keys().filter(is_old).collect();
    assert!(old.is_empty(), "{} pages are not what the rules say; renew them by: {RENEW}\n{old:#?}", old.len());
    let stale = place::stale(&folder(), &pages).expect("the folder");
    assert!(stale.is_empty(), "no rule has these pages, delete them: {stale:#?}");
}

/// S0-23, S1-06: every page says why, what, where to look, how severe and why, how to tune and what to do.
#[test]
fn every_builtin_page_has_every_part() {
    for subject in all(None) {
        let page = page::page(&subject);
        let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let want = [
            "Why it matters",
            "What the relay looks for",
            "Evidence",
            "Severity",
            "Good reasons (false positives)",
            "Tuning",
            "What to do",
            "ATT&CK",
            "NRQL over raw records",
            "Back-test",
            "Samples",
            "References",
        ];
        let id = &subject.rule.id;
        let missing: Vec<&str> = want.into_iter().filter(|heading| !headings.contains(heading)).collect();
        assert!(missing.is_empty(), "{id}: {missing:?}");
        assert!(subject.rule.title_ja.is_some() && subject.rule.severity_reason.is_some(), "{id}");
        assert!(subject.rule.frameworks.items().is_empty() || headings.contains(&"Framework controls"), "{id}");
        // Whoever has no credentials has no name: an address is left.
        let is_who = |name: &str| name.starts_with("actor.") || name == "source.ip";
        assert!(subject.fields.iter().any(|field| is_who(&field.name) && !field.values.is_empty()), "{id}");
        assert!(subject.fields.iter().all(|field| !field.meaning.is_empty()), "{id}: {:?}", subject.fields);
    }
}

/// The queries of the pages are NRQL that finds something to say about, without a warning.
#[test]
fn every_query_of_a_page_is_good() {
    let names = names().expect("names");
    for subject in all(None) {
        let query = evidence::query(&subject.rule, &subject.fields);
        let found = report(&query, &names, &Purpose::Saved);
        assert!(found.is_empty(), "{}: {found:?}\n{query}", subject.rule.id);
    }
}

/// The bundled records are all read, and are those that their page counts.
#[test]
fn figures_are_those_of_the_bundled_records() {
    let subjects = all(None);
    let of = |id: &str| &subjects.iter().find(|subject| subject.rule.id == id).expect(id).figures;
    assert!(subjects.iter().all(|subject| subject.figures.len() == 1 && subject.figures[0].records == 1_367));
    assert_eq!(of("trail-logging-stopped")[0].matches, counted("StopLogging"));
    assert!(of("trail-logging-stopped")[0].matches > 0);
}

/// Records of a call that succeeded, counted in another way.
fn counted(name: &str) -> u64 {
    let records = crate::cli::demo::bundled_records().expect("records");
    let texts = records.iter().map(|raw| String::from_utf8_lossy(raw).replace("\": ", "\":"));
    texts.filter(|text| text.contains(&format!("\"eventName\":\"{name}\"")) && !text.contains("\"errorCode\":\"")).count() as u64
}

/// Figures of a file stand before those of the bundled records.
#[test]
fn a_back_test_is_shown() {
    let root = tempfile::tempdir().expect("a folder");
    let file = root.path().join("figures.json");
    let text = r#"{"rules": {"iam-user-created": {"records": 90000, "matches": 12, "actors": 3, "days": 30, "source": "prod | 30 days"}}}"#;
    std::fs::write(&file, text).expect("a file");
    let subjects = subjects(&config::Rules::default(), None, Some(&file)).expect("subjects");
    let subject = subjects.iter().find(|subject| subject.rule.id == "iam-user-created").expect("a rule");
    let page = page::page(subject);
    let row = "| prod \\| 30 days | 90000 | 30 | 12 | 3 |\n";
    let (given, bundled) = (page.find(row).expect(&page), page.find(&markdown::prose(bundled::BUNDLED)).expect(&page));
    assert!(given < bundled, "{page}");
}

/// A file that this command did not write is kept, and then nothing is written.
#[test]
fn nothing_of_others_is_replaced() {
    let root = tempfile::tempdir().expect("a folder");
    let out = root.path().join("out");
    let pages = BTreeMap::from([("a/one.md".to_owned(), page::MARK.to_owned()), ("two.md".to_owned(), page::MARK.to_owned())]);
    std::fs::create_dir(&out).expect("a folder");
    std::fs::write(out.join("two.md"), "# Mine\n").expect("a file");
    let refused = write(&out, &pages).expect_err("refused");
    assert!(refused.what.ends_with("two.md: not written by this command, and so not replaced"), "{}", refused.what);
    assert!(!out.join("a").exists());
    std::fs::remove_file(out.join("two.md")).expect("removed");
    for _ in 0..2 {
        write(&out, &pages).expect("written, and written again");
    }
    assert_eq!(std::fs::read_to_string(out.join("a/one.md")).expect("a file"), page::MARK);
}

/// Both languages name the same rules, each in its own words.
#[test]
fn both_lists_have_a_row_for_each_rule() {
    let subjects = all(None);
    for words in [&index::ENGLISH, &index::JAPANESE] {
        let list = index::index(&subjects, words);
        for subject in &subjects {
            let link = format!("| [`{}`]({}) | ", subject.rule.id, subject.place);
            assert_eq!(list.matches(&link).count(), 1, "{link}");
        }
    }
    assert!(index::index(&subjects, &index::JAPANESE).contains("ルートユーザーがコンソールにサインインした"));
    assert!(index::index(&subjects, &index::ENGLISH).contains("Root user signed in to the console"));
}
