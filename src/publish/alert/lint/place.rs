//! Where a key stands in a file of ours.
//!
//! In: YAML text and a path of keys, `terms.1.threshold`. Out: a line, from 1. What always holds: of what is not found the line of the
//! nearest key that is; nothing here decides what is wrong, only where a person should look.

/// The line of the value at a path.
pub(in crate::publish::alert) fn line(text: &str, path: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let (mut at, mut found) = (0, 0);
    for key in path.split('.') {
        let rest = lines.iter().enumerate().skip(at);
        let hit = match key.parse::<usize>() {
            // Items of the list below the key that was found last.
            Ok(nth) => {
                let below = indent(lines.get(found).copied().unwrap_or_default());
                let items = rest.skip(1).take_while(|(_, line)| line.trim().is_empty() || indent(line) > below || is_item(line));
                let depth = items.clone().find(|(_, line)| is_item(line)).map(|(_, line)| indent(line));
                items.filter(|(_, line)| is_item(line) && Some(indent(line)) == depth).nth(nth)
            }
            Err(_) => rest.clone().find(|(_, line)| has_key(line, key)).filter(|(number, line)| {
                // A key of the top stands at the left; one further in stands below its own.
                *number == found || at == 0 || indent(line) > 0
            }),
        };
        let Some((number, _)) = hit else { break };
        (at, found) = (number, number);
    }
    if lines.is_empty() { 0 } else { found + 1 }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn is_item(line: &str) -> bool {
    line.trim_start().starts_with("- ")
}

/// Whether a key begins on a line: at its begin, behind a dash, or within braces.
fn has_key(line: &str, key: &str) -> bool {
    let inner = line.trim_start().trim_start_matches("- ");
    if inner.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')) {
        return true;
    }
    let Some((head, braced)) = inner.split_once('{') else { return false };
    // Braces of Handlebars are within a text.
    !braced.starts_with('{')
        && (head.is_empty() || head.ends_with(": "))
        && braced.split(", ").any(|part| part.trim_start().strip_prefix(key).is_some_and(|rest| rest.starts_with(':')))
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_key_is_found_where_it_stands() {
        let text = "id: a\nsignal: { window: 60, timer: 60 }\nterms:\n  - priority: CRITICAL\n    threshold: 1\n  - priority: WARNING\n    threshold: 2\ncases:\n  - name: one\n    rows:\n      - { event: E, at: 1 }\n  - name: two\n";
        for (path, want) in [
            ("id", 1),
            ("signal.timer", 2),
            ("terms", 3),
            ("terms.0.threshold", 5),
            ("terms.1.threshold", 7),
            ("terms.1", 6),
            ("cases.1.name", 12),
            ("cases.0.rows.0", 11),
            ("signal.nothing", 2),
            ("nothing", 1),
        ] {
            assert_eq!(line(text, path), want, "{path}");
        }
        assert_eq!(line("", "id"), 0);
    }
}
