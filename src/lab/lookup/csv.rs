//! Records of CSV, as RFC 4180 has them.
//!
//! In: text. Out: records, each with the line where it begins. What always holds: a cell in quotes may hold commas, line breaks and
//! doubled quotes; lines end in LF or CRLF; a line with nothing on it is no record; what breaks the rules is a fault with its line,
//! never a guess.

/// One record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Where it begins, counted from 1.
    pub(super) line: usize,
    pub(super) cells: Vec<String>,
}

/// What is wrong, and in which line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) what: &'static str,
}

/// Reads records one after the other; none after a fault.
#[derive(Debug)]
pub(super) struct Records<'t> {
    rest: &'t str,
    line: usize,
}

impl<'t> Records<'t> {
    /// Of a text, which may begin with a byte order mark.
    pub(super) fn new(text: &'t str) -> Self {
        Self { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 }
    }

    /// Passes a text if it stands here.
    fn eat(&mut self, text: &str) -> bool {
        self.rest.strip_prefix(text).inspect(|rest| self.rest = rest).is_some()
    }

    /// Passes the end of a line, or stands at the end of all.
    fn line_ends(&mut self) -> bool {
        if self.eat("\r\n") || self.eat("\n") {
            self.line += 1;
            return true;
        }
        self.rest.is_empty()
    }

    /// What stands before one of these letters, or all that is left.
    fn until(&mut self, ends: &[char]) -> &'t str {
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        text
    }

    fn bare(&mut self) -> Result<String, Fault> {
        let cell = self.until(&[',', '\n']);
        // The end of a line is two letters in most files.
        let cell = if self.rest.starts_with(',') { cell } else { cell.strip_suffix('\r').unwrap_or(cell) };
        if cell.contains('"') {
            let what = "a quote inside a cell without quotes: put the whole cell in quotes and double the quote";
            return Err(Fault { line: self.line, what });
        }
        Ok(cell.to_owned())
    }

    /// What follows an opening quote.
    fn quoted(&mut self) -> Result<String, Fault> {
        let line = self.line;
        let mut cell = String::new();
        loop {
            let text = self.until(&['"']);
            self.line += text.matches('\n').count();
            cell.push_str(text);
            if !self.eat("\"") {
                return Err(Fault { line, what: "the quote that opens a cell here is never closed" });
            }
            if !self.eat("\"") {
                return Ok(cell);
            }
            cell.push('"');
        }
    }

    fn record(&mut self) -> Result<Record, Fault> {
        let line = self.line;
        let mut cells = Vec::new();
        loop {
            cells.push(if self.eat("\"") { self.quoted()? } else { self.bare()? });
            if self.line_ends() {
                return Ok(Record { line, cells });
            }
            if !self.eat(",") {
                return Err(Fault {
                    line: self.line,
                    what: "text behind a closing quote: double a quote that belongs to the cell",
                });
            }
        }
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() && self.line_ends() {}
        if self.rest.is_empty() {
            return None;
        }
        Some(self.record().inspect_err(|_| self.rest = ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(usize, Vec<String>)>, Fault> {
        Records::new(text).map(|record| record.map(|record| (record.line, record.cells))).collect()
    }

    /// Where a record begins, and its cells.
    type Expected<'e> = (usize, &'e [&'e str]);

    #[test]
    fn records_are_read_as_the_standard_has_them() {
        let cases: [(&str, &[Expected<'_>]); 9] = [
            ("a,b\r\n1,2\r\n", &[(1, &["a", "b"]), (2, &["1", "2"])]),
            ("a,b\n1,2", &[(1, &["a", "b"]), (2, &["1", "2"])]),
            ("\u{feff}a,b", &[(1, &["a", "b"])]),
            ("\"a,\"\"b\"\"\",c", &[(1, &["a,\"b\"", "c"])]),
            ("\"a\r\nb\",c\nd,e", &[(1, &["a\r\nb", "c"]), (3, &["d", "e"])]),
            (",\n\"\",", &[(1, &["", ""]), (2, &["", ""])]),
            ("a,b\n\n\r\n1,2\n\n", &[(1, &["a", "b"]), (4, &["1", "2"])]),
            (" a , 東京 ", &[(1, &[" a ", " 東京 "])]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            let expected: Vec<(usize, Vec<String>)> =
                expected.iter().map(|(line, cells)| (*line, cells.iter().map(ToString::to_string).collect())).collect();
            assert_eq!(read(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_breaks_the_rules_is_told_with_its_line() {
        for (text, line, what) in [
            ("a,b\n1,2\"3", 2, "a quote inside"),
            ("a,b\n\"1\"2,3", 2, "text behind"),
            ("a,b\n1,\"2\n3\n", 2, "never closed"),
            ("\"a\nb\"c", 2, "text behind"),
        ] {
            let fault = read(text).expect_err(text);
            assert_eq!((fault.line, fault.what.contains(what)), (line, true), "{text:?}: {fault:?}");
        }
    }
}
