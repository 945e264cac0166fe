//! The end of an exception, of findings that nobody tells again.

use serde_json::{Value, json};

use super::news_tests::{COVER, DAY, ON, begun, covered, failed, packed, threat, unpacked};
use super::stored_tests::{opened, record, written};
use super::*;
use crate::posture::kept::Kept as _;
use crate::record::{AccountRegion, FindingForm};

const GUARD_DUTY: FindingForm = FindingForm::GuardDuty;
const ASFF: FindingForm = FindingForm::Asff;

fn counts(findings: &Findings) -> Vec<(u64, u64)> {
    findings.open_counts().iter().map(|row| (row.open, row.excepted)).collect()
}

fn never(_: &Cover, _: CoveredSite<'_>) -> bool {
    false
}

/// Uncovers all, and settles so: account, Region, control and number of findings of each notice.
fn uncovered(findings: &Findings, settled: Settled) -> Vec<String> {
    let all = findings.uncover(true, never);
    all.into_iter()
        .map(|one| {
            let told = format!("{} {} {} {} x{}", one.account, one.region, one.control, one.severity, one.findings.len());
            for (_, token) in one.findings.into_values() {
                findings.conclude(token, settled, record().1.piece());
            }
            told
        })
        .collect()
}

/// S2-20: an exception that is over mutes nothing, though its findings are never told again: one notice for a control in a place, and
/// they count as open.
#[test]
fn the_end_of_an_exception_is_told_without_an_import() {
    let findings = opened();
    for id in ["a", "b"] {
        covered(&findings, GUARD_DUTY, &threat(id, ON, ON), true, Settled::Delivered);
    }
    covered(&findings, ASFF, &failed("bucket", ON, ON), true, Settled::Delivered);
    covered(&findings, ASFF, &failed("other", ON, ON), false, Settled::Delivered);
    let before = counts(&findings);
    assert_eq!(before.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1)), (1, 3));
    assert_eq!(findings.uncover(true, |_, _| true), [], "they hold");
    let control = threat("a", ON, ON)["type"].as_str().expect("a type").to_owned();
    let want = [format!("222233334444 us-east-1 {control} HIGH x2"), "222233334444 eu-west-1 S3.8 HIGH x1".to_owned()];
    assert_eq!(uncovered(&findings, Settled::Returned), want);
    assert_eq!(counts(&findings), before, "nobody was told");
    let pending = findings.uncover(true, never);
    assert_eq!(findings.uncover(true, never), [], "each waits for its answer");
    for (_, token) in pending.into_iter().flat_map(|one| one.findings.into_values()) {
        findings.conclude(token, Settled::Delivered, record().1.piece());
    }
    assert_eq!(counts(&findings).iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1)), (4, 0));
    assert_eq!(uncovered(&findings, Settled::Delivered), Vec::<String>::new(), "once");
    // It is written, and an import that comes later shows it without paging once more.
    let after = opened();
    for (place, bytes) in written(&findings) {
        after.load(&place, &bytes).expect("this version");
        assert_eq!(after.to_write(&place).map(|(again, _)| again), Some(bytes), "{place}");
    }
    assert_eq!(counts(&after), counts(&findings));
    assert_eq!(uncovered(&after, Settled::Delivered), Vec::<String>::new());
    assert_eq!(covered(&after, ASFF, &failed("bucket", ON, ON + DAY), false, Settled::Delivered), "excepted>updated");
    assert_eq!(covered(&after, GUARD_DUTY, &threat("a", ON, ON + DAY), true, Settled::Delivered), "Unchanged", "it was renewed");
    assert_eq!(uncovered(&after, Settled::Delivered).len(), 1, "and ends again");
}

/// What nobody must see is uncovered without a word; its next import tells it.
#[test]
fn what_is_not_severe_or_not_open_is_uncovered_without_a_notice() {
    let of = |change: &dyn Fn(&mut Value)| {
        let mut finding = failed("bucket", ON, ON);
        change(&mut finding);
        finding
    };
    let medium = of(&|finding| finding["Severity"] = json!({ "Label": "MEDIUM" }));
    let set_aside = of(&|finding| finding["Workflow"]["Status"] = json!("SUPPRESSED"));
    for (name, finding, notices, want) in [
        ("not severe", &medium, true, (1, 0)),
        ("set aside", &set_aside, true, (0, 0)),
        ("no notices are sent", &of(&|_| {}), false, (1, 0)),
    ] {
        let findings = opened();
        covered(&findings, ASFF, finding, true, Settled::Delivered);
        written(&findings);
        assert_eq!(findings.uncover(notices, never), [], "{name}");
        assert_eq!(counts(&findings), [want], "{name}");
        assert_eq!(findings.unwritten(true).len(), 1, "{name}");
    }
    let closed = Findings::kept(config::Findings::default());
    assert_eq!(closed.uncover(true, never), [], "another agent leads");
}

/// An import beside a notice that waits tells its row, and pages nobody.
#[test]
fn an_import_while_the_end_is_told_does_not_page() {
    let findings = opened();
    covered(&findings, ASFF, &failed("bucket", ON, ON), true, Settled::Delivered);
    let waiting = findings.uncover(true, never);
    assert_eq!(covered(&findings, ASFF, &failed("bucket", ON, ON + 60_000), false, Settled::Delivered), "excepted>updated");
    for (_, token) in waiting.into_iter().flat_map(|one| one.findings.into_values()) {
        findings.conclude(token, Settled::Delivered, record().1.piece());
    }
    assert_eq!((counts(&findings), findings.uncover(true, never)), (vec![(1, 0)], vec![]));
}

/// A finding whose exception is over, and the notice of that, which waits for its answer.
fn ending() -> (Findings, Token) {
    let findings = opened();
    covered(&findings, ASFF, &failed("bucket", ON, ON), true, Settled::Delivered);
    let waiting = findings.uncover(true, never);
    let (_, token) = *waiting[0].findings.values().next().expect("the finding");
    (findings, token)
}

/// As it is after a restart, of what was written now or before.
fn restarted(findings: &Findings, stored: &mut BTreeMap<AccountRegion, Vec<u8>>) -> Findings {
    stored.extend(written(findings));
    let after = opened();
    for (place, bytes) in stored {
        after.load(place, bytes).expect("this version");
    }
    after
}

/// S2-20: the page of an end that comes back is still owed where an import was accepted on top of it, also over a restart.
#[test]
fn an_end_that_comes_back_pages_though_an_import_stands_on_it() {
    let import = |change: &dyn Fn(&mut Value)| {
        let mut finding = failed("bucket", ON, ON + 60_000);
        change(&mut finding);
        finding
    };
    let renamed = import(&|finding| finding["Title"] = json!("in other words"));
    let resolved = import(&|finding| finding["Compliance"]["Status"] = json!("PASSED"));
    let worse = import(&|finding| finding["Severity"] = json!({ "Label": "CRITICAL" }));
    for (name, import, covers, told, pages) in [
        ("it is open", import(&|_| {}), Some(false), "excepted>updated", true),
        ("what covers it is not known", renamed, None, "excepted>updated", true),
        ("it is resolved", resolved, Some(false), "excepted>resolved", false),
        ("it has paged itself", worse, Some(false), "excepted>worsened!", false),
    ] {
        let want = if pages { vec!["222233334444 eu-west-1 S3.8 HIGH x1".to_owned()] } else { Vec::new() };
        let settle = |findings: &Findings, token, settled| findings.conclude(token, settled, record().1.piece());
        let ((findings, end), mut stored) = (ending(), BTreeMap::new());
        assert_eq!(covered(&findings, ASFF, &import, covers, Settled::Delivered), told, "{name}");
        assert_eq!(uncovered(&restarted(&findings, &mut stored), Settled::Delivered), want, "{name}: stopped while it waits");
        settle(&findings, end, Settled::Returned);
        assert_eq!(uncovered(&restarted(&findings, &mut stored), Settled::Delivered), want, "{name}: stopped afterwards");
        assert_eq!(uncovered(&findings, Settled::Delivered), want, "{name}");
        assert_eq!(uncovered(&findings, Settled::Delivered), Vec::<String>::new(), "{name}: once");

        let ((findings, end), mut stored) = (ending(), BTreeMap::new());
        let token = begun(&findings, &import, covers);
        settle(&findings, end, Settled::Returned);
        settle(&findings, token, Settled::Delivered);
        assert_eq!(
            uncovered(&restarted(&findings, &mut stored), Settled::Delivered),
            want,
            "{name}: back before the import was accepted"
        );
        assert_eq!(uncovered(&findings, Settled::Delivered), want, "{name}: back before the import was accepted");

        let ((findings, end), mut stored) = (ending(), BTreeMap::new());
        covered(&findings, ASFF, &import, covers, Settled::Delivered);
        settle(&findings, end, Settled::Delivered);
        assert_eq!(
            uncovered(&restarted(&findings, &mut stored), Settled::Delivered),
            Vec::<String>::new(),
            "{name}: told after all"
        );
    }
}

/// A state of before does not say which exception it was: it is asked for by its control alone.
#[test]
fn a_cover_of_an_older_state_has_no_name() {
    let findings = opened();
    covered(&findings, ASFF, &failed("bucket", ON, ON), true, Settled::Delivered);
    let (place, bytes) = written(&findings).remove(0);
    let of = |text: &str| {
        let after = opened();
        after.load(&place, &packed(text)).expect("a state");
        let seen = std::cell::RefCell::new(Vec::new());
        let asked = |cover: &Cover, site: CoveredSite<'_>| {
            seen.borrow_mut().push((*cover, site.control.to_owned()));
            true
        };
        assert_eq!((after.uncover(true, asked), counts(&after)), (vec![], vec![(0, 1)]));
        seen.into_inner()
    };
    let text = unpacked(&bytes);
    assert_eq!(of(&text), [(COVER, "S3.8".to_owned())]);
    let u = format!(",\"u\":[[3,5,{},false]]", COVER.until_ms);
    let old = text.replacen(&u, "", 1);
    assert_ne!(old, text);
    assert_eq!(of(&old), [(Cover { control: 0, scope: 0, until_ms: 0, is_over: false }, "S3.8".to_owned())]);
}
