//! The customer's own framework numbers, beside those of the tables, and what no rule judges.
//!
//! In: a CSV file with the columns `control,framework,requirement` and those of `duty::COLUMNS` that are wanted, read once at start;
//! then a rule's name, or a control's id. Out: its framework numbers, those of the tables first; who sees to it; and the
//! requirements that the file names. What always holds: nothing of the tables is lost; a control that the
//! file does not name has what the tables say; *all* faults of the file are told at once, each with its line. A custom rule is
//! named as it is deployed, with or without what a conformance pack or an organization adds.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::LazyLock;

use super::duty::{self, Automation, Duty, Written};
use super::file_error::{self, FileError, FileFault};
use super::preventive::{self, PreventiveControl};
use super::rule::List;
use super::security_hub::{self, SecurityHubControl};
use crate::config::nearest::nearest;
use crate::record::csv;

/// What the file holds, in messages.
const HOLDS: &str = "framework numbers";

const COLUMNS: [&str; 3] = ["control", "framework", "requirement"];
const HEADER: &str = "the header control,framework,requirement";

/// Longest name of a framework or a requirement, characters: an event holds many of them.
const NAME_CHARS: usize = 100;

/// Framework numbers of the customer. Immutable: threads share it.
#[derive(Debug, Clone, Default)]
pub struct Frameworks {
    /// By the control's name as [`key`] writes it.
    by_control: HashMap<String, Own>,
}

/// What the file says of one control.
#[derive(Debug, Clone)]
struct Own {
    /// Its name as it is shown.
    id: String,
    /// Those of the tables, then those of the file.
    frameworks: List,
    /// How many of them are of the tables.
    of_tables: usize,
    /// No table knows it.
    is_custom: bool,
    /// No table of AWS Config's rules knows it.
    is_no_rule: bool,
    /// Who sees to it.
    duty: Duty,
}

impl Frameworks {
    /// Reads a file, and tells what in it is doubtful: a control that no table knows may be a rule of the customer's own.
    ///
    /// # Errors
    /// [`FileError`] lists everything that is wrong.
    pub fn from_file(path: &Path) -> Result<(Self, Vec<FileFault>), FileError> {
        Self::from_text(&file_error::read(HOLDS, path)?, path)
    }

    /// The same of the text of a file; `path` names it in what is told.
    ///
    /// # Errors
    /// [`FileError`] lists everything that is wrong.
    pub fn from_text(text: &str, path: &Path) -> Result<(Self, Vec<FileFault>), FileError> {
        let mut reader = Reader::default();
        reader.read(text);
        if !reader.faults.is_empty() {
            return Err(FileError::new(HOLDS, path, reader.faults));
        }
        let Reader { controls, doubts, .. } = reader;
        let by_control = controls.into_iter().map(|(key, control)| (key, own(control))).collect();
        Ok((Self { by_control }, doubts))
    }

    /// The numbers of a rule of AWS Config by its name as deployed, with the managed rule behind it; `None`: unmapped. The file may
    /// name either of them, or both.
    #[must_use]
    pub fn of_rule<'f>(&'f self, deployed: &str, control: Option<&'static PreventiveControl>) -> Option<Cow<'f, List>> {
        let managed = control.map(|control| self.of_control(control));
        // The name of a managed rule, given to another one, is no name of this one.
        let own = self.by_control.get(&key(deployed)).filter(|own| own.is_custom).map(|own| &own.frameworks);
        match (managed, own) {
            (Some(managed), Some(own)) => Some(Cow::Owned(List::new(managed.items().iter().chain(own.items()).cloned()))),
            (managed, own) => managed.or(own).map(Cow::Borrowed),
        }
    }

    /// The numbers of a managed rule.
    pub(super) fn of_control<'f>(&'f self, control: &'f PreventiveControl) -> &'f List {
        self.by_control.get(control.id).map_or(&control.frameworks, |own| &own.frameworks)
    }

    /// The numbers of a control of Security Hub by its id, with what the tables know of it; `None`: unmapped.
    #[must_use]
    pub fn of_security_hub<'f>(&'f self, id: &str, control: Option<&'static SecurityHubControl>) -> Option<&'f List> {
        let tables = control.map(|control| &control.frameworks);
        if self.by_control.is_empty() {
            return tables;
        }
        self.by_control.get(&key(id)).map(|own| &own.frameworks).or(tables)
    }

    /// The controls that only the file knows, or that no rule judges, each with its numbers and who sees to it, by name.
    #[must_use]
    pub fn custom(&self) -> Vec<(&str, &List, &Duty)> {
        let is_shown = |own: &&Own| own.is_custom || own.is_no_rule && own.duty.automation != Automation::Automated;
        let own = self.by_control.values().filter(is_shown);
        let mut own: Vec<_> = own.map(|own| (own.id.as_str(), &own.frameworks, &own.duty)).collect();
        own.sort_unstable_by_key(|(id, ..)| *id);
        own
    }

    /// Who sees to a control of this id.
    #[must_use]
    pub fn duty(&self, id: &str) -> &Duty {
        self.duty_of_key(&key(id)).unwrap_or(&Duty::USUAL)
    }

    /// The same by its key; `None`: the file does not name it.
    pub(super) fn duty_of_key(&self, key: &str) -> Option<&Duty> {
        self.by_control.get(key).map(|own| &own.duty)
    }

    /// The numbers of the file alone: each with the rules of AWS Config that judge it, as [`key`] writes them, or with the name of a
    /// control that no single rule stands for.
    pub(super) fn own_numbers(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.by_control.iter().flat_map(|(key, own)| {
            // Rules of Security Hub's control that serve no other one. What people or AWS see to, no rule judges.
            let is_judged = own.is_no_rule && own.duty.automation == Automation::Automated;
            let rules = security_hub::control(&own.id).filter(|_| is_judged);
            let rules = rules.into_iter().flat_map(|control| &control.rules).filter(|rule| rule.hub_controls.len() == 1);
            let mut judges: Vec<&str> = rules.map(|rule| rule.id).collect();
            if judges.is_empty() {
                judges.push(key);
            }
            own.frameworks.items().iter().skip(own.of_tables).map(move |number| (number.as_str(), judges.clone()))
        })
    }

    /// How many controls the file names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_control.len()
    }

    /// Whether there is nothing of the customer's own.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_control.is_empty()
    }
}

/// A control's name as it is looked for: case never tells two apart, nor what a deployment adds.
pub(super) fn key(name: &str) -> String {
    preventive::plain(&preventive::dashed(name)).to_owned()
}

/// What the tables and the file say of one control.
fn own(control: Control) -> Own {
    let Control { id, numbers, duty } = control;
    let rule = preventive::control(&id);
    let security_hub = security_hub::control(&id);
    let tables = rule.map(|rule| &rule.frameworks).or_else(|| security_hub.map(|control| &control.frameworks));
    let tables = tables.map_or(&[][..], List::items);
    let frameworks = List::new(tables.iter().cloned().chain(numbers));
    Own {
        frameworks,
        of_tables: tables.len(),
        is_custom: rule.is_none() && security_hub.is_none(),
        is_no_rule: rule.is_none(),
        duty,
        id,
    }
}

/// Where each column stands.
struct Order {
    needed: [usize; 3],
    duty: [Option<usize>; duty::COLUMNS.len()],
}

/// A control as the rows of the file tell of it.
struct Control {
    /// Its id as it is shown.
    id: String,
    numbers: Vec<String>,
    duty: Duty,
}

#[derive(Default)]
struct Reader {
    faults: Vec<FileFault>,
    doubts: Vec<FileFault>,
    /// By key.
    controls: HashMap<String, Control>,
    /// By key: where each is named first, and what its rows say of who sees to it.
    written: BTreeMap<String, (u64, Written)>,
    /// Where each row was met first.
    rows: HashMap<(String, String), u64>,
    /// Frameworks of the tables and of the rows before, by their name in lower case.
    frameworks: HashMap<String, String>,
}

impl Reader {
    fn fault(&mut self, line: u64, what: impl Into<String>) {
        self.faults.push(FileFault::new(line, "", what));
    }

    fn read(&mut self, text: &str) {
        let (lines, unclosed) = csv::lines(text);
        if let Some(line) = unclosed {
            self.fault(line, csv::UNCLOSED);
        }
        let mut lines = lines.into_iter();
        let Some(header) = lines.next() else {
            return self.fault(1, format!("the file is empty; {HEADER} is needed"));
        };
        let Some(order) = self.header(&header) else { return };
        self.frameworks = known_frameworks().map(|name| (name.to_ascii_lowercase(), name.to_owned())).collect();
        let mut rows = 0;
        for csv::Line { line, cells } in lines {
            rows += 1;
            if cells.len() != header.cells.len() {
                let needed = header.cells.len();
                let what = format!("{} cells; {needed} are needed (quote a cell that holds a comma)", cells.len());
                self.fault(line, what);
                continue;
            }
            let cell = |at: Option<usize>| at.and_then(|at| cells.get(at)).map_or("", |cell| cell.trim());
            let [control, framework, requirement] = order.needed.map(|at| cell(Some(at)));
            self.row(line, [control, framework, requirement], order.duty.map(cell));
        }
        for (key, (line, written)) in std::mem::take(&mut self.written) {
            let duty = written.duty(line, &mut self.faults);
            if let Some(control) = self.controls.get_mut(&key) {
                control.duty = duty;
            }
        }
        if rows == 0 && self.faults.is_empty() {
            // A failed copy more often than a wish.
            self.fault(0, "no row under the header; write at least one, or configure no file");
        }
    }

    /// Where each column stands.
    fn header(&mut self, header: &csv::Line) -> Option<Order> {
        let found: Vec<&str> = header.cells.iter().map(|cell| cell.trim()).collect();
        let before = self.faults.len();
        for (at, name) in found.iter().enumerate() {
            if !COLUMNS.contains(name) && !duty::COLUMNS.contains(name) {
                let allowed = [&COLUMNS[..], &duty::COLUMNS[..]].concat().join(", ");
                self.fault(header.line, format!("unknown column \"{name}\"; allowed are {allowed}"));
            } else if found.iter().take(at).any(|other| other == name) {
                self.fault(header.line, format!("column \"{name}\" is there twice; once is allowed"));
            }
        }
        let order = COLUMNS.map(|column| found.iter().position(|name| *name == column));
        for (column, _) in COLUMNS.iter().zip(order).filter(|(_, at)| at.is_none()) {
            self.fault(header.line, format!("column \"{column}\" is missing; {HEADER} is needed"));
        }
        let [Some(control), Some(framework), Some(requirement)] = order else { return None };
        let duty = duty::COLUMNS.map(|column| found.iter().position(|name| *name == column));
        (self.faults.len() == before).then_some(Order { needed: [control, framework, requirement], duty })
    }

    fn row(&mut self, line: u64, needed: [&str; 3], duty: [&str; duty::COLUMNS.len()]) {
        let [control, framework, requirement] = needed;
        let before = self.faults.len();
        for (column, cell) in COLUMNS.iter().zip([control, framework, requirement]) {
            if cell.is_empty() {
                self.fault(line, format!("{column} is missing"));
            } else if cell.chars().count() > NAME_CHARS {
                self.fault(line, format!("{column} is longer than {NAME_CHARS} characters"));
            } else if cell.contains('|') || cell.chars().any(char::is_control) {
                self.fault(line, format!("{column} {cell:?} has a `|` or a control character, which ends a number in a list"));
            }
        }
        if framework.contains(':') {
            self.fault(line, format!("framework {framework:?} has a `:`, behind which the requirement stands"));
        }
        // Two ways of writing would be two frameworks on the dashboard.
        let known = self.frameworks.entry(framework.to_ascii_lowercase()).or_insert_with(|| framework.to_owned()).clone();
        if known != framework {
            let fault = FileFault::new(line, "", format!("framework \"{framework}\" is written \"{known}\" elsewhere"));
            self.faults.push(fault.hint(format!("write {known}")));
        }
        let rule = preventive::control(control);
        let security_hub = security_hub::control(control);
        let id = rule.map(|rule| rule.id).or_else(|| security_hub.map(|control| control.id.as_str()));
        let key = key(id.unwrap_or(control));
        let number = format!("{framework}:{requirement}");
        if let Some(first) = self.rows.insert((key.clone(), number.clone()), line) {
            self.fault(line, format!("the same row as line {first}; each is written once"));
        }
        let (_, written) = self.written.entry(key.clone()).or_insert_with(|| (line, Written::default()));
        written.row(line, duty, &mut self.faults);
        if self.faults.len() > before {
            return;
        }
        if id.is_none() && !self.controls.contains_key(&key) {
            self.doubt(line, control);
        }
        let shown = id.map_or_else(|| preventive::plain(control).to_owned(), str::to_owned);
        let control =
            self.controls.entry(key).or_insert_with(|| Control { id: shown, numbers: Vec::new(), duty: Duty::default() });
        control.numbers.push(number);
    }

    /// A name near one of the tables is more often a slip than a rule of the customer's own.
    fn doubt(&mut self, line: u64, control: &str) {
        let known = preventive::all().iter().map(|rule| rule.id);
        let known = known.chain(security_hub::all().iter().map(|control| control.id.as_str()));
        if let Some(meant) = nearest(control, known) {
            let doubt = FileFault::new(line, "", format!("control \"{control}\" is of no table: right for a rule of your own"));
            self.doubts.push(doubt.hint(format!("did you mean `{meant}`?")));
        }
    }
}

/// The frameworks of the tables.
pub(super) fn known_frameworks() -> impl Iterator<Item = &'static str> {
    static NAMES: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
        let numbers = preventive::all().iter().flat_map(|rule| rule.frameworks.items());
        numbers.filter_map(|number| Some(number.split_once(':')?.0)).collect()
    });
    NAMES.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Frameworks, Vec<String>), String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("own.csv");
        std::fs::write(&path, text).expect("a file");
        let without = |text: String| text.replace(&format!("{}/", folder.path().display()), "");
        let read = Frameworks::from_file(&path).map_err(|error| without(error.to_string()))?;
        Ok((read.0, read.1.iter().map(|doubt| without(doubt.in_file(&path))).collect()))
    }

    fn of<'f>(frameworks: &'f Frameworks, deployed: &str) -> &'f [String] {
        match frameworks.of_rule(deployed, preventive::control(deployed)) {
            Some(Cow::Borrowed(list)) => list.items(),
            Some(Cow::Owned(list)) => panic!("{list:?} is of two names"),
            None => &[],
        }
    }

    /// S2-21: the customer's numbers stand beside those of the tables, and a rule of their own is mapped.
    #[test]
    fn numbers_of_the_file_stand_beside_those_of_the_tables() {
        let text = "\u{feff}framework,control,requirement\r\nACME-1,restricted-ssh,7.1\r\nACME-1,INCOMING_SSH_DISABLED,7.2\r\n\
                    ACME-1,Our-own-rule,\"3, part 2\"\r\nCIS-AWS-5.0,our-own-rule,9.9\r\nACME-1,ec2.13,7.3\r\nACME-1,cloudwatch.1,8\r\n";
        let (frameworks, doubts) = read(text).expect("a table");
        assert_eq!((frameworks.len(), doubts), (4, Vec::new()));
        let table = preventive::control("restricted-ssh").expect("a rule").frameworks.items();
        for deployed in ["restricted-ssh", "securityhub-restricted-ssh-1a2b3c4d", "restricted-ssh-conformance-pack-abc123def"] {
            let numbers = of(&frameworks, deployed);
            assert!(numbers.starts_with(table), "{deployed}");
            assert_eq!(numbers[table.len()..], ["ACME-1:7.1".to_owned(), "ACME-1:7.2".to_owned()], "{deployed}");
        }
        let own = ["ACME-1:3, part 2", "CIS-AWS-5.0:9.9"];
        for deployed in ["our-own-rule", "OrgConfigRule-our-own-rule-ab12cd34", "our_own_rule"] {
            assert_eq!(of(&frameworks, deployed), own, "{deployed}");
        }
        assert_eq!(of(&frameworks, "our-own-rule-2"), [""; 0], "never a near one");
        // A managed rule under a name of the customer's: the file may know it by both.
        let both = frameworks.of_rule("our-own-rule", preventive::behind("our-own-rule", Some("INCOMING_SSH_DISABLED")));
        let both = both.expect("numbers");
        assert!(both.items().starts_with(table) && both.items().ends_with(&own.map(str::to_owned)), "{both:?}");
        assert_eq!(both.items().len(), table.len() + 4);
        let other = "s3-bucket-public-read-prohibited";
        assert_eq!(of(&frameworks, other), preventive::control(other).expect("a rule").frameworks.items());
        let hub = |id: &str| frameworks.of_security_hub(id, security_hub::control(id)).map(|list| list.items().join(" "));
        assert!(hub("EC2.13").is_some_and(|numbers| numbers.contains("FSBP:EC2.13") && numbers.ends_with(" ACME-1:7.3")));
        assert!(hub("CloudWatch.1").is_some_and(|numbers| numbers.ends_with("CIS-AWS-5.0:4.3 ACME-1:8")));
        assert_eq!(hub("Own.1"), None);
        let custom: Vec<_> = frameworks.custom().iter().map(|(id, list, _)| (*id, list.items().len())).collect();
        assert_eq!(custom, [("Our-own-rule", 2)]);
    }

    #[test]
    fn without_a_file_the_tables_speak() {
        let none = Frameworks::default();
        let ssh = preventive::control("restricted-ssh");
        assert_eq!(none.of_rule("restricted-ssh", ssh).as_deref(), ssh.map(|rule| &rule.frameworks));
        assert!(preventive::all().iter().all(|rule| key(rule.id) == rule.id), "a managed rule is looked for by its name");
        assert_eq!((none.of_rule("our-own-rule", None), none.is_empty()), (None, true));
    }

    #[test]
    fn a_near_name_is_doubted() {
        let (_, doubts) = read("control,framework,requirement\nrestricted-shh,ACME,1\nour-own-rule,ACME,1\n").expect("a table");
        let want = "own.csv:2: control \"restricted-shh\" is of no table: right for a rule of your own\n    hint: did you mean `restricted-ssh`?";
        assert_eq!(doubts, [want]);
    }

    /// S4-09: what no rule judges says why; an attestation has a person and a day; a control has one of each.
    #[test]
    fn who_sees_to_a_control_is_said_once_and_whole() {
        let header = "control,framework,requirement,automation,responsibility,reason,attestedBy,attestedOn";
        let good = format!("{header}\nmfa,A,1,manual,,people,ada,2026-11-21\nmfa,A,2,,,,,\nmfa,A,3,manual,shared,people,,\n");
        let (frameworks, _) = read(&good).expect("a table");
        let duty = frameworks.duty("mfa");
        assert_eq!((duty.automation.as_str(), duty.responsibility.as_str()), ("manual", "shared"));
        assert!(duty.is_attested(1_795_219_200_000) && !duty.is_attested(1_795_219_199_999), "{duty:?}");
        assert_eq!(frameworks.duty("another"), &Duty::USUAL);
        for (row, want) in [
            ("Manual,,x,,", "own.csv:2: automation is \"Manual\"\n    allowed: automated, manual or inherited"),
            (",we,,,", "own.csv:2: responsibility is \"we\"\n    allowed: aws, customer or shared"),
            ("manual,,x,ada,2026-02-30", "own.csv:2: attestedOn is \"2026-02-30\"\n    allowed: a day, as 2026-11-21"),
            (
                "manual,,x,ada,2026-11-21T10:00:00Z",
                "own.csv:2: attestedOn is \"2026-11-21T10:00:00Z\"\n    allowed: a day, as 2026-11-21",
            ),
            (
                "manual,,,,",
                "own.csv:2: reason is missing of a control that is not automated\n    hint: write why no rule judges it",
            ),
            (
                "manual,,x,ada,",
                "own.csv:2: attestedOn is missing beside attestedBy\n    hint: an attestation has a person and a day",
            ),
            (
                "inherited,,x,,2026-11-21",
                "own.csv:2: attestedBy is missing beside attestedOn\n    hint: an attestation has a person and a day",
            ),
            (
                ",,,ada,2026-11-21",
                "own.csv:2: an automated control is attested\n    hint: a rule judges it: leave attestedBy and attestedOn empty, or write manual or inherited",
            ),
            (
                "manual,,x,,\nmfa,A,2,inherited,,,,",
                "own.csv:3: automation is \"inherited\", and \"manual\" on line 2: a control has one",
            ),
        ] {
            let error = read(&format!("{header}\nmfa,A,1,{row}\n")).expect_err(row);
            assert_eq!(error, format!("reading framework numbers from own.csv: 1 problem\n  {want}"), "{row}");
        }
    }

    #[test]
    fn all_faults_are_told_at_once_with_their_lines() {
        for (name, text, want) in [
            (
                "rows",
                "control,framework,requirement\nrestricted-ssh,ACME,1\n,ACME,\nrestricted-ssh,cis-aws-5.0,1.1\n\
                 restricted-ssh,A:B,1\nrestricted-ssh,ACME,a|b\nINCOMING_SSH_DISABLED,ACME,1\nrestricted-ssh,acme,2\na,b\n",
                "reading framework numbers from own.csv: 8 problems
  own.csv:3: control is missing
  own.csv:3: requirement is missing
  own.csv:4: framework \"cis-aws-5.0\" is written \"CIS-AWS-5.0\" elsewhere
    hint: write CIS-AWS-5.0
  own.csv:5: framework \"A:B\" has a `:`, behind which the requirement stands
  own.csv:6: requirement \"a|b\" has a `|` or a control character, which ends a number in a list
  own.csv:7: the same row as line 2; each is written once
  own.csv:8: framework \"acme\" is written \"ACME\" elsewhere
    hint: write ACME
  own.csv:9: 2 cells; 3 are needed (quote a cell that holds a comma)",
            ),
            (
                "header",
                "control,standard,control\n",
                "reading framework numbers from own.csv: 4 problems
  own.csv:1: unknown column \"standard\"; allowed are control, framework, requirement, automation, responsibility, reason, attestedBy, attestedOn
  own.csv:1: column \"control\" is there twice; once is allowed
  own.csv:1: column \"framework\" is missing; the header control,framework,requirement is needed
  own.csv:1: column \"requirement\" is missing; the header control,framework,requirement is needed",
            ),
            (
                "no rows",
                "control,framework,requirement\n",
                "reading framework numbers from own.csv: 1 problem\n  own.csv: no row under the header; write at least one, or configure no file",
            ),
            (
                "nothing",
                "",
                "reading framework numbers from own.csv: 1 problem\n  own.csv:1: the file is empty; the header control,framework,requirement is needed",
            ),
            (
                "quote",
                "control,framework,requirement\na,b,\"c\n",
                "reading framework numbers from own.csv: 1 problem
  own.csv:2: a quote (\") opens here and is never closed",
            ),
        ] {
            assert_eq!(read(text).map(|(frameworks, _)| frameworks.len()), Err(want.to_owned()), "{name}");
        }
    }
}
