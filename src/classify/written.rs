//! What stands in a rule's file, as it was written.
//!
//! In: a rule. Out: the lines of its `detection`, with comments, order and quotes as its author left them. What always holds: the
//! lines are the file's own; of a rule that is written in a way that has no such lines (all of it on one) nothing is given.

use std::borrow::Cow;
use std::io;

use super::builtin::FILES;
use super::rule::Rule;

/// The key and its lines end here, too: the next document, or the end of this one.
const ENDS: [&str; 2] = ["---", "..."];

/// The `detection` of a rule as its file has it, from the key on, without the indentation that the whole rule has.
///
/// # Errors
/// The file cannot be read any more.
pub fn written_detection(rule: &Rule) -> io::Result<Option<String>> {
    let built_in = FILES.iter().find(|(name, _)| rule.builtin && *name == rule.file);
    let text = match built_in {
        Some((_, text)) => Cow::Borrowed(*text),
        None => Cow::Owned(std::fs::read_to_string(&rule.file)?),
    };
    Ok(usize::try_from(rule.line).ok().and_then(|line| lines_of(&text, line, "detection")))
}

/// The lines of a key of the map that begins in line `first`, from 1.
fn lines_of(text: &str, first: usize, key: &str) -> Option<String> {
    let mut lines = text.lines().skip(first.checked_sub(1)?).peekable();
    let indent = indentation(lines.peek()?);
    let is_end = |line: &str| ENDS.iter().any(|end| line.trim_end() == *end || line.starts_with(&format!("{end} ")));
    let is_below = |line: &str| is_blank(line) || indentation(line) > indent;
    let mut inside = lines.take_while(|line| !is_end(line)).skip_while(|line| indentation(line) != indent || !has_key(line, key));
    let head = inside.next()?;
    let mut found: Vec<&str> = std::iter::once(head).chain(inside.take_while(|line| is_below(line))).collect();
    // Blank lines and comments at the end belong to what comes next.
    while found.len() > 1 && found.last().is_some_and(|line| is_blank(line)) {
        found.pop();
    }
    let cut = |line: &&str| line.get(indent.min(indentation(line))..).unwrap_or_default().trim_end().to_owned();
    Some(found.iter().map(cut).collect::<Vec<_>>().join("\n") + "\n")
}

/// Whether a line opens this key.
fn has_key(line: &str, key: &str) -> bool {
    let rest = line.trim_start();
    let plain = rest.strip_prefix(key);
    let quoted = ['"', '\''].iter().find_map(|quote| rest.strip_prefix(*quote)?.strip_prefix(key)?.strip_prefix(*quote));
    plain.or(quoted).is_some_and(|after| after.trim_start().starts_with(':'))
}

/// Nothing, or a comment.
fn is_blank(line: &str) -> bool {
    let text = line.trim_start();
    text.is_empty() || text.starts_with('#')
}

/// Spaces that a line begins with; YAML allows no tabs there.
fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

#[cfg(test)]
mod tests {
    use super::super::RuleSet;
    use super::*;

    #[test]
    fn the_lines_of_a_key_are_found_wherever_its_rule_stands() {
        for (what, text, first, want) in [
            (
                "in the middle",
                "title: a\ndetection:\n  s:\n    a: b\n  condition: s\nlevel: low\n",
                1,
                Some("detection:\n  s:\n    a: b\n  condition: s\n"),
            ),
            ("last", "title: a\ndetection:\n  s: {a: b}\n  condition: s\n", 1, Some("detection:\n  s: {a: b}\n  condition: s\n")),
            (
                "comment inside, comment of the next key",
                "detection:\n# one\n  s: 1\n\n# two\nlevel: low\n",
                1,
                Some("detection:\n# one\n  s: 1\n"),
            ),
            ("second document", "detection:\n  a: 1\n---\ntitle: b\ndetection:\n  b: 1\n...\n", 4, Some("detection:\n  b: 1\n")),
            ("not in its own document", "title: a\n---\ndetection:\n  b: 1\n", 1, None),
            ("indented as a whole", "  title: a\n  detection:\n    s: 1\n  level: low\n", 1, Some("detection:\n  s: 1\n")),
            ("a deeper key of the same name", "cspm:\n  detection: x\ndetection:\n  s: 1\n", 1, Some("detection:\n  s: 1\n")),
            ("quoted", "\"detection\" :\n  s: 1\n", 1, Some("\"detection\" :\n  s: 1\n")),
            ("a longer key", "detections:\n  s: 1\n", 1, None),
            ("all on one line", "{title: a, detection: {s: 1}}\n", 1, None),
            ("behind the end", "title: a\n", 7, None),
            ("line unknown", "detection:\n  s: 1\n", 0, None),
        ] {
            assert_eq!(lines_of(text, first, "detection").as_deref(), want, "{what}");
        }
    }

    #[test]
    fn every_builtin_rule_has_its_lines() {
        for rule in RuleSet::builtin().rules() {
            let text = written_detection(rule).expect("no file is read").expect(&rule.id);
            assert!(text.starts_with("detection:\n") && text.contains("\n  condition: "), "{}: {text}", rule.id);
            assert!(!text.contains("falsepositives") && !text.contains("logsource"), "{}: {text}", rule.id);
        }
    }

    #[test]
    fn a_file_that_is_gone_is_an_error() {
        let rule = Rule { builtin: false, file: "/no/such/rule.yml".to_owned(), ..RuleSet::builtin().rules()[0].clone() };
        assert_eq!(written_detection(&rule).expect_err("gone").kind(), io::ErrorKind::NotFound);
    }
}
