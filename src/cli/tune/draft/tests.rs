//! What a draft makes of changes.

use super::*;

fn draft(files: impl IntoIterator<Item = (String, String)>) -> Draft {
    let signature = Signature {
        owner: "platform".to_owned(),
        expires: Date::constant(2027, 1, 31),
        budget: "1/week".parse().expect("a budget"),
    };
    Draft::new(files.into_iter().collect(), None, signature, RuleSet::builtin(), Linter::new().expect("names"))
}

fn shipped() -> Vec<(String, String)> {
    crate::publish::alert::SHIPPED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn edit(condition: &str, edit: Edit) -> Change {
    Change::Edit { condition: condition.to_owned(), edit }
}

fn added(draft: &Draft) -> Vec<String> {
    let names = Names { exceptions: "exceptions.yml".into(), conditions: None, here: "/nowhere".into() };
    let diff = draft.diff(&names);
    diff.text.lines().filter(|line| line.starts_with('+') && !line.starts_with("+++")).map(str::to_owned).collect()
}

/// S0-05: no edit that is proposed makes a file that the linter refuses; a text that names the number of the page needs the page.
#[test]
fn no_edit_that_can_be_made_fails_the_linter() {
    let draft = draft(shipped());
    let mut refused = Vec::new();
    for (_, source) in draft.definition().conditions().filter(|(_, source)| source.term(Priority::Critical).is_some()) {
        for one in [Edit::Warn, Edit::Join { from: 0, to: 172_800 }, Edit::Threshold { from: 0.0, to: 432.0 }, Edit::Off] {
            let fits = match one {
                Edit::Warn => source.terms.len() == 1 && !source.expiration.opens,
                Edit::Join { .. } => source.expiration.closes,
                Edit::Threshold { .. } => !source.is_silence_alone(),
                _ => true,
            };
            if fits && !draft.can(&edit(&source.id, one)) {
                refused.push(format!("{}: {one}", source.id));
            }
        }
    }
    assert_eq!(refused, ["attack-tool-used: critical → warning", "objects-by-strangers: critical → warning"]);
}

/// A step may have come before that was not needed in the end: what a value was is what the file says, and it is said once.
#[test]
fn what_a_value_was_is_taken_from_the_file() {
    let mut draft = draft(shipped());
    let id = "attack-tool-used";
    draft.take(&[edit(id, Edit::Threshold { from: 8.0, to: 10.0 })]).expect("made");
    draft.take(&[edit(id, Edit::Threshold { from: 10.0, to: 12.0 })]).expect("made");
    assert_eq!(added(&draft), ["+    threshold: 12 # was 3: tuned for 1/week"]);
    draft.take(&[edit(id, Edit::Threshold { from: 12.0, to: 3.0 })]).expect("made");
    assert_eq!(added(&draft), [""; 0]);
}

/// A company's file may be called as it likes.
#[test]
fn a_condition_is_found_in_whatever_file_it_is() {
    let mut files = shipped();
    for (name, _) in &mut files {
        if name.ends_with("/attack-tool-used.yml") {
            *name = "detective/tools.yml".to_owned();
        }
    }
    let off = edit("attack-tool-used", Edit::Off);
    let mut renamed = draft(files.clone());
    assert!(renamed.can(&off));
    renamed.take([&off]).expect("made");
    assert_eq!(added(&renamed), ["+enabled: false # was true: tuned for 1/week"]);
    // Two files of one id: nobody knows which is meant.
    let twin = files.iter().find(|(name, _)| name == "detective/tools.yml").map(|(_, text)| text.clone()).expect("a file");
    assert!(!draft(files.into_iter().chain([("identity/tools.yml".to_owned(), twin)])).can(&off));
}

/// The times of the proof follow; where it would have to say something else it is told.
#[test]
fn cases_that_no_longer_hold_are_told() {
    let mut draft = draft(shipped());
    let names = Names { exceptions: "exceptions.yml".into(), conditions: None, here: "/nowhere".into() };
    draft.take(&[edit("attack-tool-used", Edit::Join { from: 7_200, to: 14_400 })]).expect("made");
    assert_eq!(added(&draft).len(), 2);
    assert_eq!(draft.diff(&names).stale, [""; 0]);
    draft.take(&[edit("attack-tool-used", Edit::Threshold { from: 3.0, to: 12.0 })]).expect("made");
    assert_eq!(draft.diff(&names).stale, ["nrql/conditions/detective/attack-tool-used.yml"]);
}

/// An empty list gives way to the first entry; nothing else that looks like one does, and comments stay.
#[test]
fn an_exception_is_added_and_nothing_taken_away() {
    let with = |written: &str| {
        let mut draft = draft(shipped());
        (draft.written, draft.exceptions) = (Some(written.to_owned()), Some(written.to_owned()));
        let change = Change::Exclude(Exclusion {
            control: "root-user-activity".to_owned(),
            muted: Muted::Account("111122223333".to_owned()),
        });
        assert!(draft.can(&change), "{written}");
        draft.take(&[change]).expect("made");
        draft.exceptions.expect("a file")
    };
    assert!(with("[] # owned by security\n").starts_with("# owned by security\n- control:"));
    let kept = "- control: root-user-activity\n  owner: a\n  reason: |\n    []  see the ticket\n  expires: 2027-01-31\n  scope: {accounts: [444455556666]}\n";
    assert!(with(kept).starts_with(kept));
}
