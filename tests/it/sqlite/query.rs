//! Queries in two languages.
//!
//! In: a source of chance. Out: a query as NRQL, and the SQL that gives the same rows: times, facets, values. What always holds: the
//! SQL orders every row, as `tests/nrql/README.md` says the lab does where New Relic's documentation does not.

use fastrand::Rng;

use super::expression::{self, Condition, Said, Value};
use super::rows::{NAMES, NOW_MS};

/// A query.
pub(super) type Query = Said;

const MINUTE_MS: i64 = 60_000;

/// What a query reads.
struct Ground {
    /// `FROM …`, and the rows it means, as a condition of SQL.
    from: Said,
    /// `SINCE … UNTIL …`, and the window, ms.
    window: (String, i64, i64),
    condition: Option<Condition>,
}

/// An aggregate in SQL: the n-th is the column `a{n}`.
struct Aggregate {
    sql: String,
    /// Of no rows it is 0, not nothing.
    counts: bool,
}

/// An item of `SELECT`; its SQL is over the columns of aggregates.
struct Item {
    said: Said,
    /// The aggregate of SQL that is above 0 where the item makes a group, if not all rows do.
    needs: Option<String>,
}

/// Any query.
pub(super) fn query(chance: &mut Rng) -> Query {
    let mut ground = ground(chance);
    if chance.u8(..10) < 3 {
        return listing(chance, &ground);
    }
    if chance.u8(..4) == 0 {
        ground.condition = ground.condition.map(|condition| with_query(condition, &ground.window, chance));
    }
    values(chance, &ground)
}

fn ground(chance: &mut Rng) -> Ground {
    let from = match chance.u8(..4) {
        0 => Said { nrql: "Alpha, Beta".to_owned(), sql: "type IN ('Alpha', 'Beta')".to_owned() },
        1 => Said { nrql: "Beta".to_owned(), sql: "type = 'Beta'".to_owned() },
        _ => Said { nrql: "Alpha".to_owned(), sql: "type = 'Alpha'".to_owned() },
    };
    let ago = |chance: &mut Rng| i64::from(chance.u8(30..=250)) * MINUTE_MS;
    let (since, until) = match chance.u8(..5) {
        0 => (None, None),
        1..4 => (Some(ago(chance)), None),
        _ => {
            let until = i64::from(chance.u8(1..30)) * MINUTE_MS;
            (Some(until + ago(chance)), Some(until))
        }
    };
    let moment = |word: &str, ago: Option<i64>, chance: &mut Rng| match ago {
        None => String::new(),
        Some(ago) if chance.bool() => format!(" {word} {} minutes ago", ago / MINUTE_MS),
        Some(ago) => format!(" {word} {}", NOW_MS - ago),
    };
    let text = moment("SINCE", since, chance) + &moment("UNTIL", until, chance);
    let window = (text, NOW_MS - since.unwrap_or(60 * MINUTE_MS), NOW_MS - until.unwrap_or(0));
    let condition = (chance.u8(..5) > 0).then(|| {
        let depth = chance.u8(..3);
        expression::condition(chance, depth)
    });
    Ground { from, window, condition }
}

/// The condition, and one more that asks other rows.
fn with_query(condition: Condition, (_, begin, end): &(String, i64, i64), chance: &mut Rng) -> Condition {
    let inner = expression::condition(chance, 1);
    let read = format!("FROM rows WHERE type = 'Beta' AND ts >= {begin}.0 AND ts < {end}.0 AND {}", inner.sql());
    let test = if chance.bool() {
        let most = expression::attribute(NAMES[chance.usize(..2)]);
        let nrql = format!("(SELECT average({}) FROM Beta WHERE {})", most.nrql(chance), inner.nrql(chance));
        let sql = format!("(SELECT avg({}) {read})", most.number_sql());
        expression::compared(
            &expression::attribute("size"),
            [">", "<="][chance.usize(..2)],
            &Value::Plain(Said { nrql, sql }),
            chance,
        )
    } else {
        let (one, not) = (expression::attribute(["place", "mixed"][chance.usize(..2)]), if chance.bool() { "NOT " } else { "" });
        let said = one.nrql(chance);
        let nrql = format!("{said} {not}IN (SELECT uniques({said}) FROM Beta WHERE {})", inner.nrql(chance));
        // Nothing is not in an empty list by SQL; the lab's switch for what is missing knows no such exception.
        let sql = format!("(CASE WHEN {0} IS NOT NULL THEN {0} {not}IN (SELECT {0} {read} AND {0} IS NOT NULL) END)", one.sql());
        Said { nrql, sql }
    };
    Condition::And(Box::new(condition), Box::new(Condition::Test(test)))
}

impl Ground {
    fn nrql(&self, select: &str, rest: &str, chance: &mut Rng) -> String {
        // One WHERE or two: those of a query must all hold.
        let condition = match &self.condition {
            None => String::new(),
            Some(Condition::And(one, two)) if chance.bool() => {
                format!(" WHERE {} WHERE {}", one.nrql(chance), two.nrql(chance))
            }
            Some(condition) => format!(" WHERE {}", condition.nrql(chance)),
        };
        let from = &self.from.nrql;
        let begin = if chance.bool() { format!("SELECT {select} FROM {from}") } else { format!("FROM {from} SELECT {select}") };
        // Clauses come in any order.
        if chance.bool() {
            format!("{begin}{condition}{rest}{}", self.window.0)
        } else {
            format!("{begin}{}{condition}{rest}", self.window.0)
        }
    }

    /// The rows of a window, with more columns.
    fn rows(&self, begin_ms: i64, columns: &str) -> String {
        let (from, end_ms) = (&self.from.sql, self.window.2);
        let condition = self.condition.as_ref().map_or_else(|| "1".to_owned(), Condition::sql);
        format!("w AS (SELECT *{columns} FROM rows WHERE {from} AND ts >= {begin_ms}.0 AND ts < {end_ms}.0 AND {condition})")
    }
}

/// The place of a value's kind: truths, numbers, texts.
fn kind(column: &str) -> String {
    format!("CASE typeof({column}) WHEN 'blob' THEN 1 WHEN 'real' THEN 2 ELSE 3 END")
}

fn listing(chance: &mut Rng, ground: &Ground) -> Query {
    let mut items: Vec<Value> = (0..chance.usize(..3)).map(|_| expression::value(chance, 2)).collect();
    // Constants alone would be one value, as of an aggregate.
    items.push(expression::any_attribute(chance));
    let select: Vec<String> = items.iter().enumerate().map(|(at, item)| format!("{} AS 'v{at}'", item.nrql(chance))).collect();
    let columns: Vec<String> = items.iter().enumerate().map(|(at, item)| format!(", {} AS v{at}", item.sql())).collect();
    let (mut rest, mut order) = (String::new(), String::new());
    let by: Vec<(usize, bool)> = (0..chance.usize(..3).min(items.len())).map(|at| (at, chance.bool())).collect();
    for (at, descending) in &by {
        let way = if *descending { "DESC" } else { "" };
        rest += &format!("{} v{at} {way}", if rest.is_empty() { " ORDER BY" } else { "," });
        order += &format!("v{at} IS NULL, {} {way}, v{at} {way}, ", kind(&format!("v{at}")));
    }
    let mut limit = 100;
    if chance.bool() {
        limit = chance.usize(..200);
        rest += &format!(" LIMIT {limit}");
    }
    let offset = if chance.u8(..4) == 0 { chance.usize(..50) } else { 0 };
    if offset > 0 {
        rest += &format!(" OFFSET {offset}");
    }
    let shown: Vec<String> = (0..items.len()).map(|at| format!("v{at}")).collect();
    let rows = ground.rows(ground.window.1, &columns.concat());
    let sql = format!(
        "WITH {rows} SELECT ts, {} FROM w ORDER BY {order}ts DESC, type DESC, arrival DESC LIMIT {limit} OFFSET {offset}",
        shown.join(", ")
    );
    Said { nrql: ground.nrql(&select.join(", "), &rest, chance), sql }
}

fn values(chance: &mut Rng, ground: &Ground) -> Query {
    let mut aggregates = Vec::new();
    let items: Vec<Item> = (0..chance.usize(1..4)).map(|_| item(chance, &mut aggregates)).collect();
    let facets: Vec<Value> = (0..chance.usize(..3)).map(|_| facet(chance)).collect();
    let series = (chance.u8(..3) == 0).then(|| series(chance, ground.window.2 - ground.window.1));
    let mut rest = String::new();
    let mut limit = 10;
    if !facets.is_empty() {
        let names: Vec<String> = facets.iter().enumerate().map(|(at, one)| format!("{} AS 'f{at}'", one.nrql(chance))).collect();
        rest += &format!(" FACET {}", names.join(", "));
        let written = match chance.u8(..3) {
            0 => String::new(),
            1 => {
                limit = 5_000;
                " LIMIT MAX".to_owned()
            }
            _ => {
                limit = chance.usize(1..20);
                format!(" LIMIT {limit}")
            }
        };
        rest += &written;
    }
    rest += series.as_ref().map_or("", |(text, _)| text);
    let select: Vec<String> = items.iter().enumerate().map(|(at, item)| format!("{} AS 'v{at}'", item.said.nrql)).collect();
    let sql = sql(ground, &items, &aggregates, &facets, limit, series.map(|(_, width)| width));
    Said { nrql: ground.nrql(&select.join(", "), &rest, chance), sql }
}

/// `TIMESERIES`, and its width in ms.
fn series(chance: &mut Rng, window_ms: i64) -> (String, i64) {
    let minutes = [1, 2, 5, 7, 15, 30][chance.usize(..6)];
    let width = (minutes * MINUTE_MS).min(window_ms);
    let text = if width == minutes * MINUTE_MS && chance.bool() { format!("{minutes} minutes") } else { width.to_string() };
    (format!(" TIMESERIES {text}"), width)
}

fn facet(chance: &mut Rng) -> Value {
    match chance.u8(..6) {
        0 => expression::value(chance, 1),
        1 => expression::exact(chance),
        2 => expression::attribute("mixed"),
        _ => expression::attribute(NAMES[chance.usize(3..7)]),
    }
}

/// The whole: rows, groups ranked over the window, buckets, and a cell for each group and bucket.
fn sql(ground: &Ground, items: &[Item], aggregates: &[Aggregate], facets: &[Value], limit: usize, width: Option<i64>) -> String {
    let (_, since, end) = ground.window;
    // Buckets lie against the end of the window.
    let (begin, count) = width.map_or((since, 1), |width| (end - (end - since) / width * width, (end - since) / width));
    let columns: Vec<String> = facets.iter().enumerate().map(|(at, one)| format!(", {} AS f{at}", one.sql())).collect();
    let computed: Vec<String> = aggregates.iter().enumerate().map(|(at, one)| format!("{} AS a{at}", one.sql)).collect();
    let computed = computed.join(", ");
    // A cell without rows has what an aggregate of nothing is.
    let whole = |at: usize, one: &Aggregate| if one.counts { format!("coalesce(a{at}, 0.0) AS a{at}") } else { format!("a{at}") };
    let whole: Vec<String> = aggregates.iter().enumerate().map(|(at, one)| whole(at, one)).collect();
    let whole = whole.join(", ");
    let names: Vec<String> = (0..facets.len()).map(|at| format!("f{at}")).collect();
    let keys = names.join(", ");
    let shown: Vec<&str> = items.iter().map(|item| &*item.said.sql).collect();
    let shown = shown.join(", ");
    let mut with = vec![ground.rows(begin, &columns.concat())];
    if let Some(first) = items.first().filter(|_| !facets.is_empty()) {
        let there: Vec<String> = names.iter().map(|name| format!("{name} IS NOT NULL")).collect();
        let order: Vec<String> = names.iter().map(|name| format!("{}, {name}", kind(name))).collect();
        let needs = first.needs.as_deref().unwrap_or("1");
        let first = &first.said.sql;
        with.push(format!(
            "g AS (SELECT *, row_number() OVER (ORDER BY {first} IS NULL, {first} DESC, {}) AS place FROM \
             (SELECT {keys}, {computed}, {needs} AS needed FROM w GROUP BY {keys}) WHERE {} AND needed > 0)",
            order.join(", "),
            there.join(" AND ")
        ));
    }
    let Some(width) = width else {
        return if facets.is_empty() {
            format!("WITH {} SELECT {shown} FROM (SELECT {computed} FROM w)", with.join(", "))
        } else {
            format!("WITH {} SELECT {keys}, {shown} FROM g WHERE place <= {limit} ORDER BY place", with.join(", "))
        };
    };
    with.push(format!("b(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM b WHERE k + 1 < {count})"));
    let by: Vec<String> = names.iter().cloned().chain([format!("CAST(ts - {begin}.0 AS INTEGER) / {width} AS k")]).collect();
    let grouped: Vec<String> = (1..=by.len()).map(|at| at.to_string()).collect();
    with.push(format!("c AS (SELECT {}, {computed} FROM w GROUP BY {})", by.join(", "), grouped.join(", ")));
    let (groups, place) = if facets.is_empty() {
        (String::new(), "0".to_owned())
    } else {
        (format!("(SELECT {keys}, place FROM g WHERE place <= {limit}) JOIN "), "place".to_owned())
    };
    let prefix = if facets.is_empty() { String::new() } else { format!("{keys}, ") };
    let using: Vec<String> = names.iter().cloned().chain(["k".to_owned()]).collect();
    format!(
        "WITH RECURSIVE {} SELECT {begin} + k * {width}, {begin} + (k + 1) * {width}, {prefix}{shown} FROM \
         (SELECT k, {prefix}{place} AS place, {whole} FROM {groups}b LEFT JOIN c USING ({})) ORDER BY place, k",
        with.join(", "),
        using.join(", ")
    )
}

/// An item: an aggregate, or two of them in a sum.
fn item(chance: &mut Rng, aggregates: &mut Vec<Aggregate>) -> Item {
    if chance.u8(..8) == 0 {
        let condition = expression::condition(chance, 1);
        let (part, all) = (aggregates.len(), aggregates.len() + 1);
        aggregates.push(Aggregate { sql: format!("1.0 * count(*) FILTER (WHERE {})", condition.sql()), counts: true });
        aggregates.push(Aggregate { sql: "1.0 * count(*)".to_owned(), counts: true });
        let nrql = format!("percentage(count(*), WHERE {})", condition.nrql(chance));
        return Item { said: Said { nrql, sql: format!("(100.0 * a{part} / a{all})") }, needs: None };
    }
    let one = aggregate(chance, aggregates);
    if chance.u8(..6) > 0 {
        return one;
    }
    let (two, operator) = (aggregate(chance, aggregates), ['+', '-', '*', '/'][chance.usize(..4)]);
    let nrql = format!("{} {operator} {}", one.said.nrql, two.said.nrql);
    Item { said: Said { nrql, sql: format!("({} {operator} {})", one.said.sql, two.said.sql) }, needs: None }
}

fn aggregate(chance: &mut Rng, aggregates: &mut Vec<Aggregate>) -> Item {
    let of = expression::exact(chance);
    let (nrql, sql, number) = (of.nrql(chance), of.sql(), of.number_sql());
    let there = Some(format!("count({sql})"));
    let (mut nrql, mut sql, counts, mut needs) = match chance.u8(..10) {
        0..3 => ("count(*)".to_owned(), "count(*)".to_owned(), true, None),
        3 => (format!("count({nrql})"), format!("count({sql})"), true, there),
        4 => (format!("sum({nrql})"), format!("total({number})"), true, there),
        5 => (format!("average({nrql})"), format!("avg({number})"), false, there),
        6 => (format!("min({nrql})"), format!("min({number})"), false, there),
        7 => (format!("max({nrql})"), format!("max({number})"), false, there),
        8 => (format!("uniqueCount({nrql})"), format!("count(DISTINCT {sql})"), true, there),
        _ => {
            let two = expression::any_attribute(chance);
            // Zero is one number, whatever its sign; one text for both, or nothing.
            let one = |of: &str| {
                format!("CASE typeof({of}) WHEN 'real' THEN quote({of} + 0.0) WHEN 'null' THEN NULL ELSE quote({of}) END")
            };
            let both = format!("({} || ' ' || {})", one(&sql), one(&two.sql()));
            let nrql = format!("uniqueCount({nrql}, {})", two.nrql(chance));
            (nrql, format!("count(DISTINCT {both})"), true, Some(format!("count({both})")))
        }
    };
    if chance.u8(..4) == 0 {
        let condition = expression::condition(chance, 1);
        nrql = format!("filter({nrql}, WHERE {})", condition.nrql(chance));
        sql = format!("{sql} FILTER (WHERE {})", condition.sql());
        needs = None;
    }
    let at = aggregates.len();
    // A count of SQLite is no double, and would be divided as what it is.
    aggregates.push(Aggregate { sql: format!("1.0 * {sql}"), counts });
    Item { said: Said { nrql, sql: format!("a{at}") }, needs }
}
