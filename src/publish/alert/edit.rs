//! One value of a condition's file, changed in its text.
//!
//! In: YAML text, a path of keys, the new value and why. Out: the text with this value, and behind it the reason as a comment. What
//! always holds: every other byte stays; a value that is not found on one line is not changed, and neither is one behind which the
//! text says something else than before: the caller is told, and a person does it.

use super::lint::place;
use super::source::ConditionSource;

/// The text with another value at a path, `terms.0.threshold`; none where that cannot be done surely.
#[must_use]
pub fn edited(text: &str, path: &str, value: &str, because: &str) -> Option<String> {
    let key = path.rsplit('.').next()?;
    let number = place::line(text, path).checked_sub(1)?;
    let line = text.split_inclusive('\n').nth(number)?;
    let bare = line.trim_end_matches(['\n', '\r']);
    let begin = value_of(bare, key)?;
    let rest = bare.get(begin..)?;
    let end = rest.find([',', '}', '#']).map_or(rest.len(), |at| rest.get(..at).map_or(at, |own| own.trim_end().len()));
    let (head, own, tail) = (bare.get(..begin)?, rest.get(..end)?, rest.get(end..)?);
    if own.is_empty() || own.starts_with(['"', '\'', '>', '|', '&', '*', '!']) {
        return None;
    }
    // A second comment would be part of the first.
    let (tail, comment) = tail.split_once('#').map_or((tail, ""), |(tail, comment)| (tail, comment));
    let note = if comment.is_empty() { because.to_owned() } else { format!("{because};{comment}") };
    let new = format!("{head}{value}{} # {note}{}", tail.trim_end(), line.get(bare.len()..)?);
    let before: String = text.split_inclusive('\n').take(number).collect();
    let after: String = text.split_inclusive('\n').skip(number + 1).collect();
    // Its proof expects incidents of the priority that it had.
    let after = if key == "priority" { proof(&after, own, value) } else { after };
    let whole = format!("{before}{new}{after}");
    says_only(text, &whole, path).then_some(whole)
}

/// The rest of a file with another priority expected in its cases.
fn proof(rest: &str, old: &str, new: &str) -> String {
    match rest.split_once("\ncases:") {
        Some((terms, cases)) => {
            format!("{terms}\ncases:{}", cases.replace(&format!("priority: {old}"), &format!("priority: {new}")))
        }
        None => rest.to_owned(),
    }
}

/// Where a key's value begins on a line.
fn value_of(line: &str, key: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = line.get(from..)?.find(key).map(|at| at + from) {
        let (before, after) = (line.get(..at)?, line.get(at + key.len()..)?);
        let is_key = before.trim().is_empty() || before.trim_end().ends_with(['-', '{', ',']);
        if let Some(rest) = after.strip_prefix(':').filter(|_| is_key) {
            return Some(line.len() - rest.trim_start().len());
        }
        from = at + key.len();
    }
    None
}

/// Whether two texts are conditions that differ at most in this value: what `path` does not name is as it was.
fn says_only(before: &str, after: &str, path: &str) -> bool {
    let read = |text: &str| serde_saphyr::from_str::<ConditionSource>(text).ok();
    let (Some(before), Some(mut after)) = (read(before), read(after)) else { return false };
    let mut parts = path.split('.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("enabled"), None, None) => after.enabled = before.enabled,
        (Some("expiration"), Some("after"), None) => after.expiration.after = before.expiration.after,
        (Some("terms"), Some(number), Some(key)) => {
            let number = number.parse::<usize>().unwrap_or(usize::MAX);
            let (Some(old), Some(new)) = (before.terms.get(number), after.terms.get_mut(number)) else { return false };
            match key {
                "threshold" => new.threshold = old.threshold,
                "duration" => new.duration = old.duration,
                "priority" => {
                    new.priority = old.priority;
                    after.cases.clone_from(&before.cases);
                }
                _ => return false,
            }
        }
        _ => return false,
    }
    format!("{before:?}") == format!("{after:?}")
}

#[cfg(test)]
mod tests {
    use super::edited;
    use crate::publish::alert::SHIPPED;

    fn text(id: &str) -> &'static str {
        SHIPPED.iter().find(|(name, _)| name.ends_with(&format!("/{id}.yml"))).expect(id).1
    }

    /// S0-05: of every shipped condition what tuning changes can be changed, and nothing else changes with it.
    #[test]
    fn every_shipped_condition_can_be_edited() {
        for (name, text) in SHIPPED.iter().filter(|(name, _)| !name.ends_with("/policy.yml")) {
            for (path, value) in [("terms.0.threshold", "12345"), ("terms.0.duration", "7200"), ("enabled", "false")] {
                let new = edited(text, path, value, "a reason").unwrap_or_else(|| panic!("{name}: {path}"));
                let (old_lines, new_lines): (Vec<&str>, Vec<&str>) = (text.lines().collect(), new.lines().collect());
                let differing: Vec<_> = old_lines.iter().zip(&new_lines).filter(|(old, new)| old != new).collect();
                assert_eq!((old_lines.len(), differing.len()), (new_lines.len(), 1), "{name}: {path}");
                assert!(differing[0].1.contains(&format!("{value} # a reason")) || differing[0].1.ends_with("} # a reason"));
            }
        }
    }

    /// A page that becomes a warning is one in the proof, too: the file passes the linter as before.
    #[test]
    fn the_proof_of_a_condition_follows_its_priority() {
        let new = edited(text("backup-weakened"), "terms.0.priority", "WARNING", "quiet").expect("edited");
        assert!(!new.contains("priority: CRITICAL") && new.contains("- { priority: WARNING, facet:"), "{new}");
        assert!(new.contains("  - priority: WARNING # quiet\n"), "{new}");
    }

    #[test]
    fn what_is_not_surely_that_value_is_left_to_a_person() {
        let file = text("backup-weakened");
        assert_eq!(edited(file, "terms.3.threshold", "1", "r"), None);
        assert_eq!(edited(file, "signal.window", "1", "r"), None, "nothing that tuning changes");
        assert_eq!(edited(file, "enabled", "perhaps", "r"), None, "no longer a condition");
        assert_eq!(edited("", "enabled", "false", "r"), None);
        // A value in braces, and a comment that was there.
        let braced = file.replace("enabled: true", "enabled: true # on");
        let edited = edited(&braced, "enabled", "false", "was true").expect("edited");
        assert!(edited.contains("enabled: false # was true; on\n"), "{edited}");
    }
}
