//! An insight of Security Hub that somebody sends on once a week: failed controls by account.
//!
//! In: how every result stands at the end of a day. Out: the event with a count per account. What always holds: a count is that of
//! the results which violate at that time, so the dashboard's own counts and the insight's are of the same facts.

use serde_json::{Value, json};

use super::{ACCOUNTS, DAY_MS, Maker, Standing, VIOLATING};

/// Time of the day at which everything of the day has been told, milliseconds.
const EVENING_MS: i64 = 81_000_000;

/// What an insight counted on a day.
pub(super) struct Counted {
    day: i64,
    results: Vec<Value>,
}

impl Counted {
    /// Of the results as they stand; an account without a failed control has no line.
    pub(super) fn of(day: i64, results: &[Standing]) -> Self {
        let failed =
            |id: &str| results.iter().filter(|standing| standing.account.id == id && standing.state == VIOLATING).count();
        let mut counts: Vec<(&str, usize)> = ACCOUNTS.iter().map(|account| (account.id, failed(account.id))).collect();
        counts.retain(|(_, count)| *count > 0);
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Self { day, results: counts.into_iter().map(|(id, count)| json!({ id: count })).collect() }
    }
}

impl Maker {
    /// The events of what was counted, from the account in which Security Hub gathers.
    pub(super) fn insights(&mut self, counted: Vec<Counted>) {
        let [gatherer, ..] = &ACCOUNTS;
        for Counted { day, results } in counted {
            let at_ms = self.start_ms + day * DAY_MS + EVENING_MS;
            let detail = json!({
                "actionName": "Weekly review", "actionDescription": "Made for the demo",
                "insightArn": format!("arn:aws:securityhub:{}:{}:insight/{}/custom/failed-controls", gatherer.region, gatherer.id, gatherer.id),
                "insightName": "Failed controls by account", "resultType": "AwsAccountId",
                "number of results": results.len(), "insightResults": results,
            });
            self.push(at_ms, gatherer, "Security Hub Insight Results", "aws.securityhub", detail);
        }
    }
}
