//! What single texts are read as.

use super::{parse, printed, query, value};
use crate::nrql::ast::{Day, Duration, ExprKind, Limit, Moment, Name, Source, Statement, Text, Timeseries, Unit, Width};
use crate::nrql::{WarningKind, parse_with_warnings};

fn text(said: &str) -> ExprKind {
    ExprKind::Text(said.to_owned())
}

fn name(text: &str) -> ExprKind {
    ExprKind::Name(text.to_owned())
}

#[test]
fn single_values_are_read_as_documented() {
    for (written, kind) in [
        ("'a'", text("a")),
        ("''", text("")),
        ("'it\\'s'", text("it's")),
        ("'it''s'", text("it's")),
        ("''''", text("'")),
        ("'a\\\\b\\d\\n'", text("a\\b\\d\\n")),
        ("'{{x}}'", text("{{x}}")),
        ("'-- no /* comment'", text("-- no /* comment")),
        ("\"a 'b'\"", text("a 'b'")),
        ("r'\\d+\\\\'", ExprKind::Raw("\\d+\\\\".to_owned())),
        ("R'a'", ExprKind::Raw("a".to_owned())),
        ("5", ExprKind::Number(5.0)),
        (".01", ExprKind::Number(0.01)),
        ("1.50", ExprKind::Number(1.5)),
        ("1e9", ExprKind::Number(1e9)),
        ("1E+6", ExprKind::Number(1e6)),
        ("10e8", ExprKind::Number(1e9)),
        ("1e-2", ExprKind::Number(0.01)),
        ("true", ExprKind::Bool(true)),
        ("False", ExprKind::Bool(false)),
        ("nUlL", ExprKind::Null),
        ("{{x}}", ExprKind::Template("x".to_owned())),
        ("{{ tags.x }}", ExprKind::Template("tags.x".to_owned())),
        ("a", name("a")),
        ("_a1", name("_a1")),
        ("aws.s3:BucketSizeBytes.5m", name("aws.s3:BucketSizeBytes.5m")),
        ("myNeatProcess.%.duration", name("myNeatProcess.%.duration")),
        ("4xx.count", name("4xx.count")),
        ("`a-b c`", name("a-b c")),
        ("`5`", name("5")),
        ("`SELECT`", name("SELECT")),
        ("größe", name("größe")),
    ] {
        assert_eq!(value(written).kind, kind, "{written}");
    }
}

/// No word is reserved: attributes are called like clauses, units and functions.
#[test]
fn words_of_the_language_are_names_where_a_name_must_stand() {
    for word in [
        "name", "type", "event", "count", "latest", "day", "month", "metric", "timezone", "limit", "offset", "since", "until",
        "order", "compare", "slide", "left", "inner", "join", "predict", "raw", "auto", "max", "now", "today", "ago", "desc",
        "asc", "on", "by", "at", "this", "last", "cases", "lookup", "show", "types", "each", "r",
    ] {
        for text in [
            format!("SELECT {word} FROM E"),
            format!("SELECT max({word}), {word} FROM E WHERE {word} = 1 AND {word} IS NULL"),
            format!("SELECT count(*) FROM E FACET {word}, {word} AS {word}"),
        ] {
            let tree = query(&text);
            assert_eq!(
                tree,
                query(&text.replace(word, &format!("`{word}`")).replace("`max`(", "max(").replace("`count`(", "count(")),
                "{text}"
            );
            printed(&text);
        }
    }
    for word in ["select", "from", "facet", "with"] {
        let text = format!("SELECT max({word}), {word}, {word} AS x FROM E WHERE {word} = 1 AND {word} IN (1)");
        assert_eq!(query(&text), query(&text.replace(word, &format!("`{word}`"))), "{text}");
    }
}

#[test]
fn comments_and_blanks_say_nothing() {
    let plain = query("SELECT a - 1 FROM E WHERE b / 2 > 1");
    for text in [
        "select a-1 from E where b/2>1",
        "\n\tSELECT a\r\n- 1 -- one\nFROM E // two\nWHERE /* three\n 'four */ b / 2 > 1 --",
        "SELECT a - 1 FROM E WHERE b / 2 > 1;",
        "SELECT(a)-1 FROM E WHERE(b)/2>1 ; ;",
        "SELECT a--1\n-1 FROM E WHERE b/2>1//",
    ] {
        assert_eq!(query(text), plain, "{text}");
    }
}

#[test]
fn moments_are_read_as_documented() {
    let ago = |count, unit| Moment::Ago(Duration { count, unit });
    let said = |text: &str| Text { text: text.to_owned(), ..Text::default() };
    for (written, moment) in [
        ("NOW", Moment::Now),
        ("1 day ago", ago(1.0, Unit::Day)),
        ("5 Minutes AGO", ago(5.0, Unit::Minute)),
        ("30minutes ago", ago(30.0, Unit::Minute)),
        ("1.5 hours ago", ago(1.5, Unit::Hour)),
        ("500 ago", ago(500.0, Unit::Millisecond)),
        ("2 quarters ago", ago(2.0, Unit::Quarter)),
        ("1700000000000", Moment::Epoch(1_700_000_000_000)),
        ("today", Moment::Day { day: Day::Today, at: None }),
        ("SUNDAY at '09:30'", Moment::Day { day: Day::Sunday, at: Some(said("09:30")) }),
        ("this week", Moment::This(Unit::Week)),
        ("last year", Moment::Last(Unit::Year)),
        ("'2026-01-01 10:00'", Moment::Text(said("2026-01-01 10:00"))),
        ("{{x}}", Moment::Template(Name { text: "x".to_owned(), ..Name::default() })),
    ] {
        let read = query(&format!("SELECT a FROM E SINCE {written} UNTIL {written} COMPARE WITH {written} LIMIT 1"));
        for one in [read.since, read.until, read.compare] {
            assert_eq!(one.as_ref(), Some(&moment), "{written}");
        }
        printed(&format!("SELECT a FROM E SINCE {written}"));
    }
}

#[test]
fn widths_are_read_as_documented() {
    let exact = |count, unit| Width::Exact(Duration { count, unit });
    for (written, width, slide) in [
        ("", Width::Auto, None),
        ("AUTO", Width::Auto, None),
        ("max", Width::Max, None),
        ("5 minutes", exact(5.0, Unit::Minute), None),
        ("DAY", exact(1.0, Unit::Day), None),
        ("300000", exact(300_000.0, Unit::Millisecond), None),
        ("1 hour SLIDE BY 5 minutes", exact(1.0, Unit::Hour), Some(exact(5.0, Unit::Minute))),
        ("1 hour SLIDE BY AUTO", exact(1.0, Unit::Hour), Some(Width::Auto)),
        ("{{w}} SLIDE BY {{w}}", template("w"), Some(template("w"))),
    ] {
        let read = query(&format!("SELECT count(*) FROM E TIMESERIES {written} LIMIT 5 FACET a"));
        assert_eq!(read.timeseries, Some(Timeseries { width, slide }), "{written}");
        assert_eq!((read.limit, read.facet.is_some()), (Some(Limit::Count(5)), true), "{written}");
    }
}

fn template(name: &str) -> Width {
    Width::Template(Name { text: name.to_owned(), ..Name::default() })
}

#[test]
fn sources_are_read_as_documented() {
    let read = query("SELECT a FROM E, `F G`, {{x}}, lookup(t), (SELECT max(b) AS a FROM H) WHERE a");
    let kinds: Vec<&str> = read
        .from
        .iter()
        .map(|source| match source {
            Source::Type(name) => name.text.as_str(),
            Source::Template(_) => "template",
            Source::Lookup(_) => "lookup",
            Source::Query(_) => "query",
        })
        .collect();
    assert_eq!(kinds, ["E", "F G", "template", "lookup", "query"]);
    let shown = parse("show event types since 1 day ago until now").map(|statement| statement.to_string());
    assert_eq!(shown, Ok("SHOW EVENT TYPES SINCE 1 day AGO UNTIL NOW".to_owned()));
    assert_eq!(parse("SHOW EVENT TYPES"), Ok(Statement::ShowEventTypes { since: None, until: None }));
    // All values come from WITH.
    assert_eq!(printed("WITH 1 AS a SELECT a + 1"), "WITH 1 AS a SELECT a + 1");
}

/// Text, and the text it is printed as.
#[test]
fn trees_are_printed_in_one_way() {
    for (text, again) in [
        (
            "from E select count ( * ) as 'n o' where a='b' since 1 DAYS ago",
            "SELECT count(*) AS 'n o' FROM E WHERE a = 'b' SINCE 1 day AGO",
        ),
        ("SELECT a AS 'b', c AS `d e`, f AS (g, 'h i') FROM E", "SELECT a AS b, c AS 'd e', f AS (g, 'h i') FROM E"),
        ("SELECT `limit`, `a`, `a b`, `5`, max FROM `E`", "SELECT `limit`, a, `a b`, `5`, max FROM E"),
        ("SELECT 'a\\d', 'a\\\\', 'it''s', '\\\\\\\\' FROM E", "SELECT 'a\\d', 'a\\\\', 'it\\'s', '\\\\\\\\' FROM E"),
        ("SELECT 1e3, 1.50, 1e20, .000000001 FROM E", "SELECT 1000, 1.5, 1e20, 1e-9 FROM E"),
        (
            "SELECT count(*) FROM E FACET a, CASES(WHERE b AS 'x y', c) OR d AS e ORDER BY max(f) DESC TIMESERIES",
            "SELECT count(*) FROM E FACET a, CASES(WHERE b AS 'x y', WHERE c) OR d AS e ORDER BY max(f) DESC TIMESERIES AUTO",
        ),
        (
            "SELECT a FROM E INNER JOIN (SELECT b FROM F) ON c + 1 = b LEFT JOIN (SELECT d FROM G) ON (e OR f)",
            "SELECT a FROM E JOIN (SELECT b FROM F) ON c + 1 = b LEFT JOIN (SELECT d FROM G) ON (e OR f)",
        ),
        (
            "SELECT funnel(a, WHERE b AS 'x', WHERE c), rate(sum(d), 1 minutes), cardinality(e, include: {f, `g h`}), f(SELECT max(x) FROM F) FROM E",
            "SELECT funnel(a, WHERE b AS x, WHERE c), rate(sum(d), 1 minute), cardinality(e, include: {f, `g h`}), f((SELECT max(x) FROM F)) FROM E",
        ),
        (
            "RAW SELECT a PREDICT holtwinters(seasonality: 1 hour, alpha: .5) USING 1 week BY 2 days FROM E EXTRAPOLATE WITH METRIC_FORMAT 'x' WITH TIMEZONE 'UTC'",
            "SELECT a FROM E WITH TIMEZONE 'UTC' EXTRAPOLATE PREDICT HOLTWINTERS(seasonality: 1 hour, alpha: 0.5) BY 2 days USING 1 week WITH METRIC_FORMAT 'x' RAW",
        ),
        (
            "SELECT a FROM E WHERE b IN () OR c NOT IN {{x}} OR d IN (SELECT e FROM F)",
            "SELECT a FROM E WHERE b IN () OR c NOT IN {{x}} OR d IN (SELECT e FROM F)",
        ),
        (
            "WITH timezone AS z, aparse(m, '*:*') AS (x, y) SELECT z FROM E",
            "WITH `timezone` AS z, aparse(m, '*:*') AS (x, y) SELECT z FROM E",
        ),
    ] {
        assert_eq!(printed(text), again, "{text}");
    }
}

#[test]
fn what_is_not_documented_is_read_with_a_warning() {
    for (text, kind, at) in [
        ("SELECT \"a\" FROM E", WarningKind::DoubleQuotes, "\"a\""),
        ("SELECT a FROM E SINCE \"2026-01-01\"", WarningKind::DoubleQuotes, "\"2026-01-01\""),
        ("SELECT a[\"b\"] FROM E", WarningKind::DoubleQuotes, "\"b\""),
        ("SELECT (a AS 'b') * 2 FROM E", WarningKind::UselessName, "AS 'b'"),
        ("SELECT concat(a, b as 'c') FROM E", WarningKind::UselessName, "as 'c'"),
        ("SELECT count(*) FROM E FACET CASES(WHERE a , )", WarningKind::TrailingComma, ","),
        ("SELECT count(*) FROM E SLIDE BY 1 minute", WarningKind::SlideAlone, "1 minute"),
    ] {
        let (statement, warnings) = parse_with_warnings(text).expect(text);
        let found: Vec<(WarningKind, &str)> = warnings.iter().map(|one| (one.kind, &text[one.span.range()])).collect();
        assert_eq!(found, [(kind, at)], "{text}");
        let again = statement.to_string();
        assert_eq!(parse_with_warnings(&again), Ok((statement, Vec::new())), "{again}");
    }
    assert_eq!(parse_with_warnings("SELECT 'a' FROM E").map(|(_, warnings)| warnings), Ok(Vec::new()));
}
