//! A test of rules as `JUnit` XML, which every CI system shows.
//!
//! In: a test. Out: one suite per file, one case per sample; a broken file is an error of its own suite. What always holds:
//! the text is well-formed XML 1.0, whatever names and records say.

use std::collections::BTreeMap;

use super::outcome::{Tested, Weight, sentence, weigh};

/// The report.
pub(super) fn report(tested: &Tested) -> String {
    let mut suites: BTreeMap<&str, Suite> = BTreeMap::new();
    for fault in &tested.faults {
        let suite = suites.entry(&fault.file).or_default();
        suite.errors += 1;
        let hint = fault.hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        let inside = element("error", &fault.to_string(), &format!("{fault}{hint}"));
        suite.case("file", &format!("line {}", fault.line), &fault.file, fault.line, &inside);
    }
    for result in &tested.results {
        let suite = suites.entry(&result.file).or_default();
        let what = sentence(result);
        let place = format!("{}:{}: {what}", result.file, result.line);
        let inside = match weigh(result) {
            Weight::Passed => String::new(),
            Weight::Warning => {
                suite.skipped += 1;
                format!("<skipped message=\"{}\"/>", escaped(&what))
            }
            Weight::Failed => {
                suite.failures += 1;
                element("failure", &what, &place)
            }
        };
        let name = if result.sample.is_empty() { "samples of both kinds" } else { &result.sample };
        suite.case(&result.rule, name, &result.file, result.line, &inside);
    }
    let sum = |of: fn(&Suite) -> usize| suites.values().map(of).sum::<usize>();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"cspm-relay rules\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">\n",
        sum(|suite| suite.tests),
        sum(|suite| suite.failures),
        sum(|suite| suite.errors),
        sum(|suite| suite.skipped)
    );
    for (file, suite) in &suites {
        xml += &format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">\n{}  </testsuite>\n",
            escaped(file),
            suite.tests,
            suite.failures,
            suite.errors,
            suite.skipped,
            suite.cases
        );
    }
    xml + "</testsuites>\n"
}

#[derive(Default)]
struct Suite {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    cases: String,
}

impl Suite {
    fn case(&mut self, class: &str, name: &str, file: &str, line: u64, inside: &str) {
        self.tests += 1;
        let (class, name, file) = (escaped(class), escaped(name), escaped(file));
        let open = format!("    <testcase classname=\"{class}\" name=\"{name}\" file=\"{file}\" line=\"{line}\"");
        self.cases += &if inside.is_empty() { format!("{open}/>\n") } else { format!("{open}>{inside}</testcase>\n") };
    }
}

fn element(name: &str, message: &str, text: &str) -> String {
    format!("<{name} message=\"{}\">{}</{name}>", escaped(message), escaped(text))
}

/// Text as XML: what has a meaning there is escaped, what may not stand there at all is replaced.
pub(in crate::cli) fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => xml += "&amp;",
            '<' => xml += "&lt;",
            '>' => xml += "&gt;",
            '"' => xml += "&quot;",
            '\n' => xml += "&#10;",
            '\t' => xml += "&#9;",
            '\r' => xml += "&#13;",
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => xml.push('\u{fffd}'),
            other => xml.push(other),
        }
    }
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_breaks_the_xml() {
        assert_eq!(escaped("a<b & \"c\">\n\u{7}é\u{ffff}"), "a&lt;b &amp; &quot;c&quot;&gt;&#10;\u{fffd}é\u{fffd}");
    }
}
