//! The rules: one table.
//!
//! What always holds: an id stands once and is never given another meaning, so that people can search for it; a rule says why, with
//! its source: *docs* is New Relic's documentation, *reference* our reading of it, *design* a decision of this product.

use super::finding::Severity;

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its name, in kebab case.
    pub id: &'static str,
    /// How bad it is to break it.
    pub severity: Severity,
    /// What it says.
    pub says: &'static str,
    /// Why, and who says so.
    pub why: &'static str,
}

macro_rules! rules {
    ($($name:ident $severity:ident $id:literal: $says:literal, $why:literal;)*) => {
        $(pub(super) static $name: Rule = Rule { id: $id, severity: Severity::$severity, says: $says, why: $why };)*
        /// All of them.
        pub static RULES: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    // What can be read.
    SYNTAX Error "syntax": "the text is NRQL", "docs: New Relic refuses it";
    UNDOCUMENTED Warning "undocumented": "the text is NRQL as documented",
        "reference, lexical rules: dashboards in use have it, no page says what it means";
    TOO_LONG Error "too-long": "a query is shorter than 4,096 bytes", "docs: less than 4 KB";
    // Names.
    UNKNOWN_TYPE Error "unknown-event-type": "an event type in FROM exists, and eventType() is compared with one of FROM",
        "docs: names are case-sensitive, an unknown one gives no rows and no error";
    UNKNOWN_METRIC Error "unknown-metric": "a metric that is named exists", "docs: an unknown one gives no points and no error";
    UNKNOWN_ATTRIBUTE Error "unknown-attribute": "an attribute is one of the types in FROM",
        "docs: names are case-sensitive, an unknown one is null everywhere and no error";
    NAME_TOO_EARLY Error "name-too-early":
        "a name given by AS is used where it is known: of SELECT in ORDER BY and in the query outside, of WITH behind its value",
        "reference, clauses: WHERE and FACET see attributes and the names of WITH only; a value of WITH sees the names before it";
    RESERVED_NAME Error "reserved-name": "no attribute has a name that New Relic reserves",
        "docs: what is sent under it is dropped without a word";
    UNKNOWN_VARIABLE Error "unknown-variable": "a {{variable}} is one of the dashboard",
        "docs: what is not replaced is no NRQL";
    TYPE_TWICE Warning "type-twice": "an event type stands once in FROM",
        "reference, clauses: several types are a union; no page says what one of them twice is";
    NAME_TWICE Warning "name-twice": "columns of a result have different names",
        "reference, result shapes: a column is found by its name; apdex gives `score`, `count`, `s`, `t` and `f`";
    // Functions.
    UNKNOWN_FUNCTION Error "unknown-function": "a function exists", "docs: New Relic refuses it";
    WRONG_ARGUMENTS Error "wrong-arguments": "a function gets as many arguments, and of the form, that it takes",
        "docs: New Relic refuses it";
    UNKNOWN_ARGUMENT Error "unknown-argument": "an argument with a name is one that the function has",
        "docs: New Relic refuses it";
    UNIQUE_COUNT_PRECISION Error "unique-count-precision": "uniqueCount says its precision",
        "docs: exact to 256 values without, to 50,000 with; design: refused without";
    COUNT_OF_TEXT Warning "count-of-text": "count asks for rows or for an attribute",
        "reference, traps: a text in quotes counts every row, whatever attribute was meant";
    OVER_LIMIT Error "over-limit": "no limit of a function or clause is passed, upwards or downwards", "docs: limits";
    UNIQUES_CUT Warning "uniques-cut": "uniques in a subquery says how many",
        "docs: 1,000 without, the rest is missing without a word";
    UNREADABLE_TEXT Error "unreadable-text": "a zone, a date, a time of day, a pattern is one",
        "docs: query time range, RLIKE, capture, aparse, toDatetime, encode; New Relic refuses what is none, or gives null";
    UNKNOWN_UNIT Warning "unknown-unit": "convert gets two units of one measure",
        "docs: UCUM names, in their case; only the common ones are known here";
    // Kinds of values.
    TEXT_AND_NUMBER Error "text-and-number": "texts are compared with texts, numbers with numbers",
        "docs: nothing is converted, '1' and 1 never match, neither is ever TRUE";
    FLAG_AS_BOOLEAN Error "flag-as-boolean": "a flag is compared with 'true' or 'false'",
        "design: flags are texts in every event, in small letters; IS TRUE never holds for a text";
    CALENDAR_VALUE Error "calendar-value": "a part of a time is compared with what it can be",
        "docs: hourOf gives `9:00` or 0 to 23, weekdayOf `Sunday` or 0 to 6; nothing else ever matches";
    LIST_AS_TEXT Error "list-as-text": "an item of a list is asked for with LIKE '%|item|%'",
        "design: a list is one text, `|a|b|`, in every event; no item of it is all of it";
    COMPARED_WITH_NULL Error "compared-with-null": "null is asked for with IS", "docs: every comparison with null is false";
    WRONG_KIND Error "wrong-kind": "a function or sign of numbers gets numbers, one of texts gets texts",
        "docs: values of another kind are skipped or give null";
    NO_CONDITION Error "no-condition": "a condition says yes or no",
        "docs: nothing is converted; a text or a list is never true";
    PERCENTILE_OBJECT Error "percentile-object": "of a percentile one number is taken before it is used as one",
        "docs: its value is an object, keyed by the percents";
    PERCENTAGE_SCALE Warning "percentage-scale": "percentage is read as 0 to 100", "docs: it is a hundred times the share";
    LIKE_WITHOUT_WILDCARD Warning "like-without-wildcard": "LIKE has a %",
        "docs: it matches the whole value; without % it is an = that ignores case";
    LIKE_UNDERSCORE Warning "like-underscore": "a _ in LIKE is meant as it stands",
        "docs: only % stands for other characters, unlike in SQL";
    MIXED_AND_OR Warning "mixed-and-or": "AND beside OR stands in parentheses",
        "reference, operators: AND binds tighter; dashboards in use were wrong about it";
    NEGATED_NULL Warning "negated-null": "a negation says what of rows without the attribute",
        "reference, types and nulls: not documented; three-valued as in SQL, or not";
    // Rows and aggregates.
    MIXED_SELECT Error "mixed-select": "SELECT has rows or aggregates, not both", "docs: New Relic refuses it";
    AGGREGATE_IN_WHERE Error "aggregate-in-where": "WHERE, FACET, WITH and ORDER BY ask about one row",
        "docs: they work before aggregation; a subquery or FROM (…) works after it";
    NESTED_AGGREGATE Error "nested-aggregate": "an aggregate is of rows", "docs: an aggregate of aggregates needs FROM (…)";
    CLAUSE_OF_AGGREGATES Error "clause-of-aggregates": "FACET, TIMESERIES and COMPARE WITH stand with aggregates",
        "docs: rows have no groups and no buckets";
    BLOB_OF_ROWS Error "blob-of-rows": "blob stands in SELECT of rows", "docs: blob; it gives a long text of each row, LIMIT 20";
    CLAUSE_OF_ROWS Warning "clause-of-rows": "ORDER BY and OFFSET stand with rows", "docs: ignored for aggregates";
    FACET_ASCENDING Warning "facet-ascending": "FACET … ORDER BY is not said to ascend",
        "docs: the greatest groups stay, ASC does not work there";
    NUMERIC_FACET Warning "numeric-facet": "a number in FACET is made a text", "docs: it loses its decimals without string()";
    // Queries in queries.
    CLAUSE_IN_NESTED Error "clause-in-nested": "a query in another has only clauses that are allowed there",
        "docs: nested aggregation, subqueries, JOIN, lookup";
    ONE_COLUMN Error "one-column": "a subquery used as a value gives one value, after IN one column", "docs: subqueries";
    TOO_MANY_SUBQUERIES Error "too-many-subqueries": "a query has at most 3 subqueries", "docs: limits";
    NESTED_WITHOUT_LIMIT Warning "nested-without-limit": "a query in another says its LIMIT",
        "docs: 10 groups or 100 rows without, 10 in a JOIN; the outer query never sees the rest";
    CLAUSE_ALONE Error "clause-alone": "a clause stands with the clauses it needs", "docs: SLIDE BY, PREDICT";
    JOIN_KEY Error "join-key": "ON with a computed key names the column of the joined query",
        "docs: JOIN; the right side of the key is a column";
    // Time.
    NO_WINDOW Error "no-window": "a widget that ignores the time picker says SINCE", "docs: the last hour without";
    LAST_HOUR Warning "last-hour": "a saved query says SINCE", "docs: the last hour without";
    FIXED_WINDOW Warning "fixed-window": "the window of a widget is relative to now",
        "design: what is kept 30 days has no fixed beginning";
    EMPTY_WINDOW Error "empty-window": "the window begins before it ends", "docs: SINCE before UNTIL";
    BEYOND_RETENTION Error "beyond-retention": "nothing is asked for that is not kept any more",
        "docs: events and logs 30 days, metrics 13 months; design: refused";
    NEARLY_BEYOND_RETENTION Warning "nearly-beyond-retention": "nothing is asked for that on some days is not kept any more",
        "docs: events and logs 30 days, metrics 13 months; a calendar unit may be longer";
    COMPARE_WITH_ITSELF Error "compare-with-itself": "COMPARE WITH compares with another time",
        "docs: the window is moved as far back as it says; not at all shows no change ever";
    COMPARE_WITHOUT_WINDOW Warning "compare-without-window": "COMPARE WITH stands beside SINCE or UNTIL",
        "docs: required, though dashboards in use do without: then hours are compared";
    TOO_MANY_BUCKETS Error "too-many-buckets": "a series has at most 366 buckets and at least one", "docs: limits";
    // How many.
    FACET_WITHOUT_LIMIT Warning "facet-without-limit": "FACET says how many groups", "docs: 10 without, the rest is not shown";
    // Alert conditions.
    CONDITION_CLAUSE Error "condition-clause": "a condition has no clause that New Relic refuses there",
        "docs: create NRQL alert conditions";
    CONDITION_VALUE Error "condition-value": "a condition selects one number", "docs: create NRQL alert conditions";
    CONDITION_FACET Error "condition-facet": "a facet of a condition has a plain name",
        "design: titles and muting rules name it as {{tag.name}}, where a dot would lead further";
    COUNT_NEVER_ZERO Error "count-never-zero": "no threshold of a condition waits for a count of 0",
        "docs: where no row passes WHERE there is no value, not 0";
    COUNT_BLIND_TO_SILENCE Warning "count-blind-to-silence": "a condition on too few rows also hears none at all",
        "docs: where no row passes WHERE there is no value, which is not below anything";
}
