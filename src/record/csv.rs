//! Tables that people keep (CSV, RFC 4180).
//!
//! In: the text of a file. Out: its lines as cells. What always holds: quoted cells may hold commas, doubled quotes and line
//! ends; blank lines are skipped; a line is known by where it begins. Knows no columns.

/// One line of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it begins, from 1.
    pub line: u64,
    /// Its cells, as written.
    pub cells: Vec<String>,
}

/// What is wrong with a line whose quote never ends.
pub const UNCLOSED: &str = "a quote (\") opens here and is never closed";

/// Splits a text into lines of cells. The second is the line whose quote never ends, if there is one; what it holds is left out.
#[must_use]
pub fn lines(text: &str) -> (Vec<Line>, Option<u64>) {
    let mut lines = Vec::new();
    let mut chars = text.chars().peekable();
    let (mut line, mut started) = (1, 1);
    let (mut cells, mut cell) = (Vec::new(), String::new());
    let mut quoted = false;
    let mut end_line = |cells: &mut Vec<String>, cell: &mut String, started: u64| {
        cells.push(std::mem::take(cell));
        let cells = std::mem::take(cells);
        if cells.iter().any(|cell| !cell.trim().is_empty()) {
            lines.push(Line { line: started, cells });
        }
    };
    while let Some(c) = chars.next() {
        line += u64::from(c == '\n');
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' if quoted => quoted = false,
            _ if quoted => cell.push(c),
            '"' if cell.trim().is_empty() => {
                cell.clear();
                quoted = true;
            }
            ',' => cells.push(std::mem::take(&mut cell)),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' => {
                end_line(&mut cells, &mut cell, started);
                started = line;
            }
            _ => cell.push(c),
        }
    }
    if quoted {
        return (lines, Some(started));
    }
    end_line(&mut cells, &mut cell, started);
    (lines, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_as_written_and_lines_know_where_they_begin() {
        let (found, unclosed) = lines("a,\"b,\"\"c\"\"\"\r\n\n\"two\nlines\",d\n e ,\n");
        let found: Vec<_> = found.iter().map(|line| (line.line, line.cells.iter().map(String::as_str).collect())).collect();
        let want: Vec<(u64, Vec<&str>)> = vec![(1, vec!["a", "b,\"c\""]), (3, vec!["two\nlines", "d"]), (5, vec![" e ", ""])];
        assert_eq!((found, unclosed), (want, None));
    }

    #[test]
    fn a_quote_that_never_ends_is_told_with_its_line() {
        let (found, unclosed) = lines("a,b\nc,\"d\ne\n");
        assert_eq!((found.len(), unclosed), (1, Some(2)));
    }
}
