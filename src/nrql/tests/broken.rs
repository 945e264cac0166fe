//! Broken queries: each is refused at its right place, with what is allowed there.
//!
//! Most are made by rule from good queries: the place follows from the rule, never from the parser. A rule is used only where the
//! language leaves no other reading: without the `(` of `count(*)` the star multiplies, so that is not among them.

use super::{parse, printed, refused};

/// Good queries with marks. `«token~allowed»`: without this token, the one behind it cannot stand there, and `allowed` could.
/// `‹allowed›`: cut here, the text ends too early, and `allowed` could follow.
const MARKED: [&str; 40] = [
    "«SELECT~`SELECT`» count(*) FROM E",
    "SELECT ‹a value›«count(*)~a value» FROM ‹an event type›«E~an event type» WHERE ‹a value›«a~a value» = ‹a value›1",
    "SELECT count(‹`)`›*‹`)`›«)~`)`» FROM E",
    "SELECT max«(~an operator»a‹`)`›«)~`)`» FROM E WHERE b",
    "SELECT max(a) AS ‹a name›«b~a name» FROM E",
    "SELECT a«,~`,`» b, ‹a value›«c~a value» FROM E",
    "SELECT a «AS~an operator» 'x'«,~`,`» b FROM E",
    "SELECT (‹a value›«a~a value»‹`)`›«)~`)`» FROM E",
    "SELECT (a «+~an operator» b‹`)`›) * ‹a value›«c~a value» FROM E",
    "SELECT a * «b~a value» / «c~a value» FROM E, ‹an event type›«F~an event type» WHERE a - ‹a value›«b~a value» < ‹a value›«c~a value» LIMIT 1",
    "SELECT a FROM E WHERE b «=~an operator» 1 AND ‹a value›«c~a value» != ‹a value›«d~a value» OR ‹a value›«e~a value»",
    "SELECT a FROM E WHERE b IS ‹`NULL`›«NULL~`NULL`» AND c IS NOT ‹`TRUE`›«TRUE~`TRUE`» AND NOT ‹a value›«d~a value»",
    "SELECT a FROM E WHERE b «LIKE~an operator» 'x' AND c LIKE ‹a value›«'y'~a value» AND d NOT ‹`LIKE`›«LIKE~`LIKE`» 'z'",
    "SELECT a FROM E WHERE b NOT ‹`RLIKE`›«RLIKE~`RLIKE`» ‹a value›«'x'~a value» LIMIT 1",
    "SELECT a FROM E WHERE b IN ‹`(`›«(~`(`» 1, ‹a value›2‹`)`›«)~`)`» LIMIT 1",
    "SELECT a FROM E WHERE c NOT ‹`IN`›«IN~`IN`» ('x'«,~`,`» ‹a value›«'y'~a value») AND (‹a value›«d~a value»)",
    "SELECT a FROM E WHERE b NOT IN (SELECT c ‹`FROM`›«FROM~`FROM`» F‹`)`›«)~`)`»",
    "SELECT filter(count(*)‹`,`›«,~`,`» WHERE ‹a value›«b = 1~a value»‹`)`›) FROM E",
    "SELECT percentile(a, ‹a value›«95~a value»), rate(count(*), ‹a value›1 minute‹`)`›«)~`)`» FROM E",
    "SELECT uniqueCount(a, precision: ‹a value›«1000~a value»‹`)`›) FROM E",
    "SELECT cardinality(a, include: {‹a name›b, ‹a name›«c~a name»‹`}`›«}~`}`») FROM E",
    "SELECT a«[~`FROM`»'b'‹`]`›«]~`]`» FROM E",
    "SELECT a[‹a field›«1~a field»] FROM E WHERE b[-‹a whole number›«2~a whole number»]",
    "SELECT count(*) FROM E FACET ‹a value›«a~a value», ‹a value›«b~a value» AS ‹a name›«'x'~a name» LIMIT 5",
    "SELECT count(*) FROM E FACET a ORDER ‹`BY`›«BY~`BY`» ‹a value›«max(b)~a value» LIMIT 5",
    "SELECT count(*) FROM E FACET CASES(‹a value›WHERE ‹a value›«a = 1~a value» AS ‹a name›«'x'~a name», WHERE b) OR ‹a value›«c~a value» LIMIT 5",
    "SELECT count(*) FROM E FACET CASES(WHERE a‹`)`›«)~`)`» LIMIT 5",
    "SELECT a FROM E ORDER ‹`BY`›«BY~`BY`» ‹a value›b DESC«,~a clause» ‹a value›«c~a value» LIMIT 5",
    "SELECT a FROM E LIMIT ‹a whole number›«10~a whole number» OFFSET ‹a whole number›«5~a whole number» SINCE 1 day AGO",
    "SELECT a FROM E SINCE ‹a day›«1~a number» day ‹`AGO`›«AGO~`AGO`» UNTIL ‹a date in quotes›«NOW~`NOW`» LIMIT 1",
    "SELECT a FROM E SINCE yesterday AT ‹a time of day in quotes›«'09:00'~a time of day in quotes» UNTIL THIS ‹a unit of time›«hour~a unit of time» LIMIT 1",
    "SELECT a FROM E SINCE LAST ‹a unit of time›«quarter~a unit of time» LIMIT 1",
    "SELECT count(*) FROM E COMPARE ‹`WITH`›«WITH~`WITH`» ‹a day›«1 week AGO~a number» LIMIT 1",
    "SELECT count(*) FROM E TIMESERIES 5 minutes SLIDE ‹`BY`›«BY~`BY`» ‹`MAX`›«1 minute~`AUTO`» LIMIT 1",
    "SELECT a FROM E WITH TIMEZONE ‹a time zone in quotes›«'UTC'~a time zone in quotes» LIMIT 1",
    "WITH ‹a value›«a + 1~a value» ‹`AS`›AS ‹a name›«b~a name», c AS (‹a name›d, ‹a name›«e~a name»‹`)`›«)~`)`» SELECT b FROM E",
    "SELECT a FROM E LEFT ‹`JOIN`›«JOIN~`JOIN`» ‹`(`›«(~`(`» ‹`SELECT`›SELECT b ‹`FROM`›FROM F‹`)`›«)~`)`» ‹`ON`›«ON~`ON`» ‹a value›«c~a value» = ‹a column of the query›«b~a column of the query» LIMIT 1",
    "SELECT a FROM lookup(‹the name of a table›«t~the name of a table»‹`)`›«)~`)`» PREDICT BY ‹a number›«1 hour~a number» USING ‹a number›2 days",
    "SELECT a FROM (‹`SELECT`›SELECT max(b) AS a FROM F ‹`)`›FACET ‹a value›c ‹`)`›LIMIT MAX‹`)`›) WHERE ‹a value›d",
    "SHOW ‹`EVENT`›«EVENT~`EVENT`» ‹`TYPES`›«TYPES~`TYPES`» SINCE ‹a day›«today~a day» UNTIL ‹a day›NOW",
];

/// A clause of each kind, in an order in which each begins where another ends.
const CLAUSES: [&str; 17] = [
    "SELECT count(*) AS n",
    "FROM E",
    "WITH a + 1 AS b",
    "LIMIT 5",
    "FACET a",
    "OFFSET 10",
    "ORDER BY c",
    "SINCE 1 day AGO",
    "UNTIL NOW",
    "COMPARE WITH 1 week AGO",
    "TIMESERIES AUTO",
    "SLIDE BY 1 minute",
    "WITH TIMEZONE 'UTC'",
    "WITH METRIC_FORMAT 'x'",
    "EXTRAPOLATE",
    "PREDICT",
    "RAW",
];

/// Faults of single tokens and other things no rule makes: text, what is wrong from where on, what is found, what is allowed.
const OTHERS: [(&str, &str, &str, &str); 38] = [
    ("", "", "the end", "`SELECT`"),
    ("  -- nothing", "", "the end", "`SELECT`"),
    (";", ";", "`;`", "`SELECT`"),
    ("DELETE FROM E WHERE a", "DELETE FROM E WHERE a", "`DELETE`", "`SELECT`"),
    ("FROM E", "", "the end", "`SELECT`"),
    ("SELECT a", "", "the end", "`FROM`"),
    ("SELECT a WHERE b", "", "the end", "`FROM`"),
    ("SELECT 'a FROM E", "'a FROM E", "an open `'`", "`'` behind it"),
    ("SELECT 'a\\' FROM E", "'a\\' FROM E", "an open `'`", "`'` behind it"),
    ("SELECT \"a FROM E", "\"a FROM E", "an open `\"`", "`\"` behind it"),
    ("SELECT r'a FROM E", "r'a FROM E", "an open `r'`", "`'` behind it"),
    ("SELECT `a FROM E", "`a FROM E", "an open back-tick", "back-tick behind it"),
    ("SELECT `` FROM E", "`` FROM E", "````", "a name between the back-ticks"),
    ("SELECT a /* FROM E", "/* FROM E", "an open `/*`", "`*/` behind it"),
    ("SELECT {{a FROM E", "{{a FROM E", "an open `{{`", "`}}` behind it"),
    ("SELECT {{}} FROM E", "{{}} FROM E", "`{{}}`", "the name of a variable between `{{` and `}}`"),
    ("SELECT a # b FROM E", "# b FROM E", "`#`", "a sign of NRQL; names with other characters stand in back-ticks"),
    ("SELECT a FROM E WHERE b = ä€", "€", "`€`", "a sign of NRQL; names with other characters stand in back-ticks"),
    ("SELECT a FROM E WHERE b == 1", "= 1", "`=`", "a value"),
    ("SELECT a FROM E WHERE b <> 1", "> 1", "`>`", "a value"),
    ("SELECT a FROM E WHERE b ! 1", "! 1", "`!`", "a sign of NRQL; names with other characters stand in back-ticks"),
    ("SELECT a FROM E WHERE b % 2 = 0", "% 2 = 0", "`%`", "an operator"),
    ("SELECT a FROM E WHERE b = 1e999", "1e999", "`1e999`", "a number below 1e308"),
    ("SELECT a FROM E WHERE b = 1.2.3", ".3", "`.3`", "an operator"),
    ("SELECT a FROM E WHERE b = NOT c", "NOT c", "`NOT`", "a value"),
    ("SELECT a FROM E WHERE b LIKE NOT c", "NOT c", "`NOT`", "a value"),
    ("SELECT a FROM E LIMIT 1.5", "1.5", "`1.5`", "a whole number"),
    ("SELECT a FROM E LIMIT -1", "-1", "`-`", "a whole number"),
    ("SELECT a FROM E LIMIT 99999999999999999999", "99999999999999999999", "`99999999999999999999`", "a whole number"),
    ("SELECT a FROM E SINCE 1.5", "", "the end", "`AGO`"),
    ("SELECT a FROM E SINCE -5 days AGO", "-5 days AGO", "`-`", "a number"),
    ("SELECT a FROM E SINCE 5 dais AGO", "dais AGO", "`dais`", "a unit of time"),
    ("SELECT a FROM E SINCE someday", "someday", "`someday`", "a day"),
    ("SELECT a[1.5] FROM E", "1.5] FROM E", "`1.5`", "a whole number"),
    ("SELECT `f`(a) FROM E", "(a) FROM E", "`(`", "an operator"),
    ("SELECT f(a WHERE b) FROM E", "WHERE b) FROM E", "`WHERE`", "`,`"),
    ("SELECT count(*) FROM E FACET a ORDER BY b, c", ", c", "`,`", "a clause"),
    ("SHOW EVENT TYPES LIMIT 5", "LIMIT 5", "`LIMIT`", "`SINCE`"),
];

/// A broken query, where it must be refused, and what must be allowed there.
type Case = (String, usize, String);

/// Takes the marks out of a query: the query without them, and what they make of it.
fn marked(text: &str) -> (String, Vec<Case>) {
    // Pieces: text, and marks with what they allow.
    let mut good = String::new();
    let mut without = Vec::new();
    let mut cuts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['«', '‹']) {
        good += &rest[..at];
        let is_token = rest[at..].starts_with('«');
        let (open, close) = if is_token { ('«', '»') } else { ('‹', '›') };
        let end = at + rest[at..].find(close).expect("a mark has an end");
        let inside = &rest[at + open.len_utf8()..end];
        if is_token {
            let (token, allowed) = inside.split_once('~').expect("a mark says what is allowed");
            without.push((good.len(), token.to_owned(), allowed.to_owned()));
            good += token;
        } else {
            cuts.push((good.len(), inside.to_owned()));
        }
        rest = &rest[end + close.len_utf8()..];
    }
    good += rest;
    let mut cases = Vec::new();
    for (start, token, allowed) in without {
        // The place of the token behind it moves to the front of it.
        let behind = good[start + token.len()..].trim_start();
        cases.push((format!("{} {behind}", &good[..start]), start + 1, allowed));
    }
    cases.extend(cuts.into_iter().map(|(at, allowed)| (good[..at].to_owned(), at, allowed)));
    (good, cases)
}

/// Where each clause begins in the text of them all.
fn clauses() -> (String, Vec<usize>) {
    let mut text = String::new();
    let mut starts = Vec::new();
    for clause in CLAUSES {
        starts.push(text.len());
        text = text + clause + " ";
    }
    (text, starts)
}

fn check(cases: &[Case]) {
    for (text, at, allowed) in cases {
        let error = refused(text);
        assert_eq!(error.span.start, *at, "{text}: {error}");
        assert!(error.expected.contains(allowed), "{text}: {error}; not among them: {allowed}");
        assert_eq!(error.column, text[..*at].chars().count() + 1, "{text}: {error}");
        // A word is told whole; of signs and texts the beginning is compared.
        let behind = &text[*at..];
        let word = behind.find(|c: char| !c.is_alphanumeric()).unwrap_or(behind.len());
        let found = if behind.is_empty() { "the end" } else { &behind[..word.max(1)] };
        let told = error.found.trim_start_matches("a second ").trim_matches('`');
        let is_sign = word == 0 && !behind.is_empty();
        assert!(told == found || is_sign && told.starts_with(found), "{text}: {error}");
    }
}

#[test]
fn a_missing_token_is_told_at_the_next_and_a_cut_at_the_end() {
    let mut cases = Vec::new();
    for text in MARKED {
        let (good, broken) = marked(text);
        printed(&good);
        cases.extend(broken);
    }
    check(&cases);
    assert!(cases.len() >= 150, "{} cases", cases.len());
}

#[test]
fn a_second_clause_is_told_where_it_begins() {
    let (good, starts) = clauses();
    printed(&good);
    let mut cases = Vec::new();
    for (clause, start) in CLAUSES.into_iter().zip(&starts) {
        // Behind the last, and before the first, so that the first of its kind is the second. `ORDER BY` is not directly behind
        // `FACET`, where it would be part of it.
        let another = "another clause".to_owned();
        cases.push((format!("{good}{clause}"), good.len(), another.clone()));
        cases.push((format!("{clause} {good}"), clause.len() + 1 + start, another));
    }
    check(&cases);
    assert_eq!(cases.len(), 34);
    // Conditions may be many.
    assert_eq!(printed("SELECT a FROM E WHERE b WHERE c"), "SELECT a FROM E WHERE b WHERE c");
}

#[test]
fn a_word_that_is_no_clause_and_a_sign_too_many_are_told_where_they_stand() {
    let (good, starts) = clauses();
    let mut cases = Vec::new();
    for start in starts.into_iter().skip(1) {
        for stray in ["GROUP BY x", ")", "]", "}", ": x", "5", "'x'"] {
            let allowed = if start < good.find("FROM").expect("a clause") + 1 { "another clause" } else { "a clause" };
            let before = &good[..start];
            cases.push((format!("{before}{stray} {}", &good[start..]), start, allowed.to_owned()));
        }
    }
    check(&cases);
    assert_eq!(cases.len(), 112);
}

#[test]
fn other_faults_have_their_place_too() {
    for (text, from, found, allowed) in OTHERS {
        let error = refused(text);
        assert_eq!(&text[error.span.start..], from, "{text}: {error}");
        assert_eq!(error.found, found, "{text}");
        assert!(error.expected.iter().any(|one| one == allowed), "{text}: {error}");
    }
}

/// What is wrong first is told first, even if what follows is no token at all.
#[test]
fn the_first_fault_is_told() {
    assert_eq!(refused("SELECT a b FROM E WHERE 'x").span.start, 9);
    assert_eq!(refused("SELECT a FROM E WHERE # (").span.start, 22);
}

#[test]
fn a_fault_knows_line_and_column_in_characters() {
    let error = refused("SELECT 'ä',\n  -- €\n  'ö' 5 FROM E");
    assert_eq!((error.line, error.column), (3, 7));
    assert_eq!(
        error.to_string(),
        "NRQL Syntax Error at line 3, column 7: found `5`, expected `[`, an operator, `AS`, `,`, `FROM` or another clause"
    );
}

/// Hostile texts are refused; none exhausts the stack of this test's thread, 2 MB.
#[test]
fn what_is_nested_or_chained_too_deep_is_refused() {
    let deep = |open: &str, inside: &str, close: &str, times: usize| {
        format!("SELECT {}{inside}{} FROM E", open.repeat(times), close.repeat(times))
    };
    for (name, text, found) in [
        ("parentheses", deep("(", "a", ")", 100_000), "nesting deeper than 64 levels"),
        ("open parentheses", deep("(", "a", "", 100_000), "nesting deeper than 64 levels"),
        ("calls", deep("f(", "a", ")", 100_000), "nesting deeper than 64 levels"),
        ("queries", deep("(SELECT ", "a", " FROM E)", 10_000), "nesting deeper than 64 levels"),
        ("cases", deep("CASES(a) OR ", "a", "", 50_000), "nesting deeper than 64 levels"),
        ("NOT", deep("NOT ", "a", "", 100_000), "more than 1000 operators"),
        ("signs", deep("- ", "a", "", 100_000), "more than 1000 operators"),
        ("keys", deep("", "a", "[1]", 100_000), "more than 1000 operators"),
        ("a chain", deep("a + ", "a", "", 100_000), "more than 1000 operators"),
        ("tests", deep("", "a", " IS NULL", 100_000), "more than 1000 operators"),
    ] {
        let error = refused(&text);
        assert_eq!(error.found, found, "{name}");
    }
    let long = refused(&" ".repeat(1_048_577));
    assert_eq!((long.found.as_str(), long.expected.as_slice()), ("1048577 bytes", &["at most 1048576".to_owned()][..]));
    // What is just allowed is read, compared, printed and dropped.
    for text in [deep("(", "a", ")", 62), deep("f(", "a", ")", 62), deep("a + ", "a", "", 1_000), deep("-", "a", "", 1)] {
        printed(&text);
    }
    for chain in ["NOT ", "- "] {
        printed(&deep(chain, "a", "", 1_000));
    }
    printed(&deep("", "a", "[1]", 1_000));
    assert!(parse(&deep("", "a", " IS NULL", 1_000)).is_ok());
}
