//! One value of a condition's file, changed in its text.
//!
//! In: YAML text, a path of keys, the new value and why; or other times of an incident of a case. Out: the text with this value, and
//! behind it the reason as a comment. What always holds: every other byte stays; a value that is not found on one line is not changed,
//! and neither is one behind which the text says something else than before: the caller is told, and a person does it.

use super::lint::place;
use super::source::ConditionSource;
use crate::nrql::condition::Priority;

/// The text with another value at a path, `terms.0.threshold`; none where that cannot be done surely. With the priority of a term that
/// of the incidents changes that its cases expect of it.
#[must_use]
pub fn edited(text: &str, path: &str, value: &str, because: &str) -> Option<String> {
    let before = read(text)?;
    let mut whole = replaced(text, path, value, Some(because))?;
    let moved = moved(&before, path);
    for at in &moved {
        whole = replaced(&whole, &format!("{at}.priority"), value, None)?;
    }
    says_only(before, &whole, path, value).then_some(whole)
}

/// The text with other times of an incident that a case expects; none where that cannot be done surely: it says no times, or no end.
#[must_use]
pub fn retimed(text: &str, (case, incident): (usize, usize), opens: u32, closes: Option<u32>) -> Option<String> {
    let mut wanted = read(text)?;
    let expected = wanted.cases.get_mut(case)?.incidents.get_mut(incident)?;
    if expected.opens.is_none() || expected.closes.is_some() != closes.is_some() {
        return None;
    }
    (expected.opens, expected.closes) = (Some(opens), closes);
    let path = format!("cases.{case}.incidents.{incident}");
    let mut whole = replaced(text, &format!("{path}.opens"), &opens.to_string(), None)?;
    if let Some(closes) = closes {
        whole = replaced(&whole, &format!("{path}.closes"), &closes.to_string(), None)?;
    }
    same(&wanted, &read(&whole)?).then_some(whole)
}

fn read(text: &str) -> Option<ConditionSource> {
    serde_saphyr::from_str(text).ok()
}

fn same(one: &ConditionSource, other: &ConditionSource) -> bool {
    format!("{one:?}") == format!("{other:?}")
}

/// The text with another value on the line where it stands.
fn replaced(text: &str, path: &str, value: &str, because: Option<&str>) -> Option<String> {
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
    let tail = because.map_or_else(
        || tail.to_owned(),
        |because| {
            // A second comment would be part of the first.
            let (tail, comment) = tail.split_once('#').unwrap_or((tail, ""));
            let note = if comment.is_empty() { because.to_owned() } else { format!("{because};{comment}") };
            format!("{} # {note}", tail.trim_end())
        },
    );
    let before: String = text.split_inclusive('\n').take(number).collect();
    let after: String = text.split_inclusive('\n').skip(number + 1).collect();
    Some(format!("{before}{head}{value}{tail}{}{after}", line.get(bare.len()..)?))
}

/// The term that a path names the priority of.
fn reprioritized(path: &str) -> Option<usize> {
    path.strip_prefix("terms.")?.strip_suffix(".priority")?.parse().ok()
}

/// Where a condition's cases expect incidents of the term whose priority a path names. Those of silence are of no term.
fn moved(before: &ConditionSource, path: &str) -> Vec<String> {
    let Some(term) = reprioritized(path).and_then(|number| before.terms.get(number)) else { return Vec::new() };
    let mut moved = Vec::new();
    for (nth, case) in before.cases.iter().enumerate() {
        for (at, incident) in case.incidents.iter().enumerate() {
            if !incident.silence && incident.priority == term.priority.word() {
                moved.push(format!("cases.{nth}.incidents.{at}"));
            }
        }
    }
    moved
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

/// Whether a text says of a condition what was said before but for this value: what `path` does not name is as it was.
fn says_only(mut before: ConditionSource, after: &str, path: &str, value: &str) -> bool {
    let Some(after) = read(after) else { return false };
    let mut parts = path.split('.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("enabled"), None, None) => before.enabled = after.enabled,
        (Some("expiration"), Some("after"), None) => before.expiration.after = after.expiration.after,
        (Some("terms"), Some(number), Some(key)) => {
            let number = number.parse::<usize>().unwrap_or(usize::MAX);
            let (Some(old), Some(new)) = (before.terms.get_mut(number), after.terms.get(number)) else { return false };
            match key {
                "threshold" => old.threshold = new.threshold,
                "duration" => old.duration = new.duration,
                "priority" => {
                    let Some(priority) = Priority::of_word(value) else { return false };
                    let was = std::mem::replace(&mut old.priority, priority);
                    let expected = before.cases.iter_mut().flat_map(|case| &mut case.incidents);
                    let of_term = expected.filter(|incident| !incident.silence && incident.priority == was.word());
                    of_term.for_each(|incident| value.clone_into(&mut incident.priority));
                }
                _ => return false,
            }
        }
        _ => return false,
    }
    same(&before, &after)
}

#[cfg(test)]
mod tests {
    use super::{edited, retimed};
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

    /// What is silent is critical whatever the term is, and a name that has the word in it is no priority.
    #[test]
    fn the_incidents_of_silence_keep_their_priority() {
        let file = text("backup-weakened");
        let (head, cases) = file.split_once("\ncases:").expect("cases");
        let case = "\n  - name: \"priority: CRITICAL\"\n    incidents:\n      - { priority: CRITICAL, silence: true, opens: 7, closes: 9 }";
        let file = format!("{head}\ncases:{case}{cases}");
        let new = edited(&file, "terms.0.priority", "WARNING", "quiet").expect("edited");
        assert!(new.contains(case) && new.contains("- { priority: WARNING, facet:"), "{new}");
        // Cases that say something else are another condition.
        let other = edited(&file, "terms.0.threshold", "4", "r").expect("edited");
        assert!(other.contains(case) && other.contains("- { priority: CRITICAL, facet:"), "{other}");
    }

    #[test]
    fn an_incident_of_a_case_gets_other_times() {
        let file = text("attack-tool-used");
        let new = retimed(file, (0, 0), 1_600, Some(90_000)).expect("retimed");
        let differing: Vec<_> = file.lines().zip(new.lines()).filter(|(old, new)| old != new).collect();
        let line = "      - { priority: CRITICAL, facet: { account: prod, actor: bob }, opens: 1600, closes: 90000 }";
        assert_eq!(differing.iter().map(|(_, new)| *new).collect::<Vec<_>>(), [line]);
        // It would never close, there is no such incident, and one that says no times.
        for (at, closes) in [((0, 0), None), ((0, 1), Some(1)), ((1, 0), Some(1)), ((9, 0), Some(1))] {
            assert_eq!(retimed(file, at, 1, closes), None, "{at:?}");
        }
        let timeless = file.replace(", opens: 1510, closes: 7510", "");
        assert_eq!(retimed(&timeless, (0, 0), 1, None), None);
    }
}
