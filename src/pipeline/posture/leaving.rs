//! What is let go of findings before they are counted.
//!
//! In: what is known, and whose records are kept. Out: nothing is known any more of places that are not watched, neither here nor
//! in the store, nor of what nobody tells any more. What always holds: a place of which something still waits for an answer or for
//! the writing is left for the next time.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::keeper::{self, Keeper};
use crate::posture::Findings;
use crate::record::AccountRegion;

/// Lets go what is not to be counted. `watches`: whether records of an account and, where it is known, a Region are kept.
pub(super) async fn let_go(
    findings: &Findings,
    watches: impl Fn(&str, Option<&str>) -> bool,
    keeper: Option<&Arc<Mutex<Keeper>>>,
    now_ms: i64,
) {
    findings.forget_old(now_ms);
    let gone = findings.places().into_iter().filter(|place| !watches(&place.account, known(&place.region)));
    keeper::forget(findings, &gone.collect::<Vec<_>>(), keeper).await;
}

/// The Region of a finding, as the question whose records are kept is asked of it.
pub(super) fn known(region: &str) -> Option<&str> {
    Some(region).filter(|region| *region != AccountRegion::UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ack::{Counts, ObjectEntry, Outcome, RecordEntry, Settled};
    use crate::posture::store::{Memory, Store};
    use crate::posture::{Kept, Verdict};
    use crate::record::finding::Around;
    use crate::record::{Finding, FindingForm};

    const GUARD_DUTY: &str = include_str!("../../../tests/fixtures/eventbridge/guardduty-finding-high.json");
    const DAY: i64 = 24 * 3_600_000;

    fn record() -> Arc<RecordEntry> {
        let record = ObjectEntry::enter(Arc::new(Counts::new("events")), 1, None).record();
        record.ends_as(Outcome::Delivered);
        record
    }

    /// A finding in an account that is told and accepted; when it was told.
    fn found(findings: &Findings, account: &str) -> i64 {
        let mut event: serde_json::Value = serde_json::from_str(GUARD_DUTY).expect("JSON");
        let detail = &mut event["detail"];
        detail["accountId"] = account.into();
        detail["arn"] = format!("arn:aws:guardduty:us-east-1:{account}:detector/0000/finding/1").into();
        let raw = detail.to_string();
        let finding = Finding::parse(FindingForm::GuardDuty, raw.as_bytes(), Around::default()).expect("a finding");
        let record = record();
        let verdict = findings.judge(&finding, finding.severity, &finding.event_id(), finding.updated_ms, || record.piece());
        let Verdict::Tell(tell) = verdict else { panic!("it is new: {verdict:?}") };
        findings.conclude(tell.token, Settled::Delivered, record.piece());
        finding.updated_ms
    }

    fn accounts(findings: &Findings) -> Vec<String> {
        findings.open_counts().into_iter().map(|row| row.account).collect()
    }

    /// S1-11: of an account that is excluded nothing is counted, kept or loaded again.
    #[tokio::test]
    async fn what_is_not_watched_is_forgotten_once_nothing_of_it_waits() {
        let store: Arc<dyn Store> = Arc::new(Memory::default());
        let findings = Findings::kept(crate::config::Findings::default());
        let keeper = Keeper::load(Arc::clone(&store), &[&findings]).await.expect("it can be read");
        let keeper = Arc::new(Mutex::new(keeper));
        findings.open();
        found(&findings, "111122223333");
        let now_ms = found(&findings, "444455556666");
        let without = |account: &str, _: Option<&str>| account != "444455556666";
        let_go(&findings, without, Some(&keeper), now_ms).await;
        assert_eq!(accounts(&findings).len(), 2, "their records wait for the writing");
        keeper.lock().await.write(&[&findings], true).await.expect("it leads");
        let_go(&findings, |_, _| true, Some(&keeper), now_ms).await;
        assert_eq!((accounts(&findings).len(), store.list("").await.expect("names").len()), (2, 2), "all are watched");
        let_go(&findings, without, Some(&keeper), now_ms).await;
        assert_eq!(accounts(&findings), ["111122223333"]);
        assert_eq!(store.list("").await.expect("names"), ["findings/111122223333/us-east-1.json.gz"]);
        // It may come back.
        found(&findings, "444455556666");
        keeper.lock().await.write(&[&findings], true).await.expect("it leads");
        assert_eq!(store.list("").await.expect("names").len(), 2);
    }

    /// S1-11: what AWS has deleted is not counted, though nothing has come since.
    #[tokio::test]
    async fn what_nobody_tells_any_more_is_let_go_before_it_is_counted() {
        let findings = Findings::in_memory(crate::config::Findings::default());
        let told_ms = found(&findings, "111122223333");
        let_go(&findings, |_, _| true, None, told_ms + 89 * DAY).await;
        assert_eq!(accounts(&findings).len(), 1);
        let_go(&findings, |_, _| true, None, told_ms + 91 * DAY).await;
        assert_eq!(accounts(&findings), Vec::<String>::new());
    }

    #[test]
    fn a_region_that_nobody_knows_is_asked_of_nobody() {
        assert_eq!((known("eu-west-1"), known(AccountRegion::UNKNOWN)), (Some("eu-west-1"), None));
    }
}
