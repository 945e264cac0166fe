//! Sigma filters: one exclusion for many rules, without a change to their files.
//!
//! In: a document with `filter`, and the rules that were read. Out: the rules it names, each with the filter's condition joined to its
//! own by `and`: a filter that leaves out administrators says `condition: not selection`, as in pySigma and its manual. What always
//! holds: a filter with a fault changes no rule, so the rules it names stay as loud as they were; a name that is no rule's is a fault.

use super::expr::Expr;
use super::fault::RuleFault;
use super::read::Read;
use super::sigma::Item;

/// The word that stands for every rule.
pub(super) const ANY: &str = "any";

/// One filter.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    pub(super) title: String,
    /// Its Sigma id.
    pub(super) id: Option<String>,
    pub(super) author: Option<String>,
    pub(super) file: String,
    /// Line of the document, from 1.
    pub(super) line: u64,
    /// Names or ids with their lines; [`ANY`] alone: all rules.
    pub(super) rules: Vec<(u64, String)>,
    /// What must hold, too.
    pub(super) condition: Expr<Item>,
    /// Placeholders that have no values and match nothing.
    pub(super) unfilled: Vec<String>,
}

/// Joins filters to rules. `is_off`: names of rules that exist and do not run. Returns the filters that were joined, and what is wrong
/// with the others.
pub(super) fn apply(filters: Vec<Filter>, rules: &mut [Read], is_off: impl Fn(&str) -> bool) -> (Vec<Filter>, Vec<RuleFault>) {
    let is_meant =
        |read: &Read, name: &str| read.correlation.is_none() && (name.eq_ignore_ascii_case(ANY) || read.rule.is_called(name));
    let (mut joined, mut faults) = (Vec::new(), Vec::new());
    for filter in filters {
        let before = faults.len();
        for (line, name) in &filter.rules {
            if !is_off(name) && !rules.iter().any(|read| is_meant(read, name)) {
                faults.push(RuleFault {
                    file: filter.file.clone(),
                    line: *line,
                    problem: format!("filter.rules: \"{name}\" is the id or name of no rule on single records"),
                    hint: Some("`cspm-relay rules list` shows the ids; `any` stands for all rules"),
                });
            }
        }
        if faults.len() > before {
            continue;
        }
        for read in rules.iter_mut() {
            if filter.rules.iter().any(|(_, name)| is_meant(read, name)) {
                let own = std::mem::replace(&mut read.condition, Expr::Const(false));
                read.condition = Expr::all([own, filter.condition.clone()]);
            }
        }
        joined.push(filter);
    }
    (joined, faults)
}
