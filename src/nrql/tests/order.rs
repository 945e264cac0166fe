//! Clauses stand in any order.

use proptest::prelude::*;

use super::{Expr, Query, query};

/// Clauses that may stand in any order: groups, and rows. Of rows `ORDER BY` may follow anything, as there is no `FACET`.
const GROUPS: [&str; 16] = [
    "SELECT count(*) AS n, max(a)",
    "FROM E, F JOIN (SELECT b, c FROM G) ON a = b",
    "WHERE a = 1 OR b LIKE 'x'",
    "WHERE c IN (1, 2)",
    "FACET a AS k, b",
    "LIMIT 20",
    "SINCE 1 day AGO",
    "UNTIL today AT '12:00'",
    "COMPARE WITH 1 week AGO",
    "TIMESERIES 1 hour",
    "SLIDE BY 5 minutes",
    "WITH TIMEZONE 'Asia/Tokyo'",
    "WITH d + 1 AS e",
    "EXTRAPOLATE",
    "PREDICT BY 1 hour",
    "WITH METRIC_FORMAT 'x'",
];
const ROWS: [&str; 8] =
    ["SELECT *", "FROM E", "WHERE a", "ORDER BY a DESC, b", "LIMIT MAX", "OFFSET 10", "SINCE LAST month", "RAW"];

/// The tree of a query, its conditions sorted: they are kept in the order written.
fn sorted(text: &str) -> Query {
    let mut read = query(text);
    read.conditions.sort_by_key(Expr::to_string);
    read
}

/// Every clause first, and every clause last.
#[test]
fn every_clause_may_be_first_and_last() {
    for clauses in [&GROUPS[..], &ROWS[..]] {
        let usual = query(&clauses.join(" "));
        for first in 0..clauses.len() {
            let mut turned = clauses.to_vec();
            turned.rotate_left(first);
            assert_eq!(sorted(&turned.join(" ")), usual, "{turned:?}");
            turned.reverse();
            assert_eq!(sorted(&turned.join("\n")), usual, "{turned:?}");
        }
    }
}

proptest! {
    #[test]
    fn clauses_stand_in_any_order(groups in Just(GROUPS.to_vec()).prop_shuffle(), rows in Just(ROWS.to_vec()).prop_shuffle()) {
        for (clauses, usual) in [(groups, GROUPS.join(" ")), (rows, ROWS.join(" "))] {
            prop_assert_eq!(sorted(&clauses.join(" ")), query(&usual), "{:?}", clauses);
        }
    }
}

/// `ORDER BY` belongs to `FACET` only directly behind it.
#[test]
fn order_by_belongs_to_the_facet_it_follows() {
    let by_facet = query("SELECT count(*) FROM E FACET a ORDER BY max(b) LIMIT 5");
    assert_eq!((by_facet.order_by.len(), by_facet.facet.map(|facet| facet.order_by.is_some())), (0, Some(true)));
    let by_rows = query("SELECT count(*) FROM E FACET a LIMIT 5 ORDER BY b");
    assert_eq!((by_rows.order_by.len(), by_rows.facet.as_ref().map(|facet| facet.order_by.is_some())), (1, Some(false)));
    assert_eq!(by_rows.to_string(), "SELECT count(*) FROM E ORDER BY b FACET a LIMIT 5");
    assert_eq!(query(&by_rows.to_string()), by_rows);
}
