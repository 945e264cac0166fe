//! Pieces of Markdown, as GitHub reads it.
//!
//! In: texts of rules. Out: the same as prose, cells, code and tables. What always holds: a text stays what it says: what Markdown
//! would take for a sign of its own is escaped, but for code between backticks, which authors of rules write.

/// What Markdown would take for more than a character in prose.
const SIGNS: [char; 6] = ['\\', '*', '_', '<', '[', ']'];

/// A text with its code between backticks.
pub(super) fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.trim().split('`').collect();
    // One backtick without its other one is a backtick.
    let (inside, last) = if parts.len() % 2 == 1 { ("`", "`") } else { ("`", "\\`") };
    let mut out = String::new();
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            out += if number + 1 == parts.len() { last } else { inside };
        }
        let is_code = number % 2 == 1 && number + 1 < parts.len();
        if is_code {
            out += part;
        } else {
            out.push_str(&escaped(part));
        }
    }
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        // An underscore inside a word is none of Markdown's.
        let inside_word = c == '_' && before.is_alphanumeric() && rest.peek().is_some_and(|next| next.is_alphanumeric());
        if SIGNS.contains(&c) && !inside_word {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    out
}

/// A text as code in a line.
pub(super) fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    let fence = "`".repeat(longest_run(&text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// A link to a file of the same tree; `text` is Markdown already.
pub(super) fn link(text: &str, path: &str) -> String {
    let is_plain = !path.contains([' ', '(', ')']);
    if is_plain { format!("[{text}]({path})") } else { format!("[{text}](<{path}>)") }
}

/// A block of code in a language.
pub(super) fn block(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// `- a`, one a line.
pub(super) fn list(items: impl IntoIterator<Item = String>) -> String {
    items.into_iter().fold(String::new(), |list, item| list + "- " + &item.replace('\n', "\n  ") + "\n")
}

/// A table of cells that are Markdown already.
pub(super) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let line = |cells: &[String]| {
        // A bar would end the cell, a line break the row.
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|").replace(['\n', '\r'], " ")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut out = line(&head.map(str::to_owned));
    out += &format!("|{}\n", " --- |".repeat(N));
    rows.into_iter().for_each(|row| out += &line(&row));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_keeps_code_and_says_what_it_said() {
        for (text, want) in [
            ("plain", "plain"),
            ("roles as *:role/ci/* and \"*\"", "roles as \\*:role/ci/\\* and \"\\*\""),
            ("name it in `scope.actors: [\"*:role/x\"]` only", "name it in `scope.actors: [\"*:role/x\"]` only"),
            ("a `b` and ` alone *", "a `b` and \\` alone \\*"),
            ("<script> [x](y) a_b _c_", "\\<script> \\[x\\](y) a_b \\_c\\_"),
            ("`*` first", "`*` first"),
            ("", ""),
        ] {
            assert_eq!(prose(text), want, "{text}");
        }
    }

    #[test]
    fn code_holds_backticks_and_tables_hold_bars() {
        assert_eq!((code("a"), code("a`b"), code("`a")), ("`a`".to_owned(), "``a`b``".to_owned(), "`` `a ``".to_owned()));
        assert_eq!(block("yaml", "a: '```'\n"), "````yaml\na: '```'\n````\n");
        assert_eq!(table(["a", "b"], [["x|y".to_owned(), "1\n2".to_owned()]]), "| a | b |\n| --- | --- |\n| x\\|y | 1 2 |\n");
        assert_eq!(list(["one\ntwo".to_owned(), "three".to_owned()]), "- one\n  two\n- three\n");
    }
}
