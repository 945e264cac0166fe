//! The settings of accounts: where their names come from, and whose records are kept.
//!
//! In: what was written. Out: [`Accounts`]. What always holds: a record is left out only when it is known to be of an account,
//! unit or Region that is not watched; what is not known is kept.

use std::path::PathBuf;

use super::fault::Fault;
use super::queue_url;
use super::reader::Reader;
use crate::record::Glob;
use crate::record::trail::is_account_id;

/// Names of accounts, and which accounts are watched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts {
    /// CSV or YAML file: account id, name, organizational unit.
    pub file: Option<PathBuf>,
    /// Whether AWS Organizations is asked for what the file does not say.
    pub organizations: bool,
    /// Where an account's tags say who owns it and what it is for.
    pub tags: AccountTags,
    /// Whose records are kept.
    pub watched: Watched,
}

/// Keys of tags of an account, for the owner also of a resource; the first that is there counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountTags {
    /// For the owner.
    pub owner: Vec<String>,
    /// For the environment.
    pub environment: Vec<String>,
}

impl Default for AccountTags {
    fn default() -> Self {
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        Self { owner: keys(&["owner", "Owner"]), environment: keys(&["environment", "Environment", "env", "Env"]) }
    }
}

impl AccountTags {
    /// Whether nothing is asked of tags.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.owner.is_empty() && self.environment.is_empty()
    }
}

/// Whose records are kept. By default everybody's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    /// Only these; empty: all.
    pub include: Vec<Accountable>,
    /// Not these, whatever `include` says.
    pub exclude: Vec<Accountable>,
    /// Only records of these Regions; empty: of all.
    pub regions: Vec<String>,
}

/// One account, or all below an organizational unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accountable {
    /// An account's id.
    Id(String),
    /// Paths of organizational units.
    Unit(Glob),
}

impl Watched {
    /// Whether nothing is left out.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty() && self.regions.is_empty()
    }

    /// Whether it depends on an account's organizational unit.
    #[must_use]
    pub fn needs_units(&self) -> bool {
        self.include.iter().chain(&self.exclude).any(|item| matches!(item, Accountable::Unit(_)))
    }

    /// Whether a record is kept. `unit`: the path of the account's organizational unit, if it is known; `region`: the record's.
    #[must_use]
    pub fn holds(&self, account: &str, unit: Option<&str>, region: Option<&str>) -> bool {
        if self.is_everything() {
            return true;
        }
        if let Some(region) = region
            && !self.regions.is_empty()
            && !self.regions.iter().any(|watched| watched == region)
        {
            return false;
        }
        let names = |item: &Accountable| match item {
            Accountable::Id(id) => Some(id == account),
            Accountable::Unit(path) => unit.map(|unit| path.matches_path(unit)),
        };
        if !is_account_id(account) {
            return true;
        }
        if self.exclude.iter().any(|item| names(item) == Some(true)) {
            return false;
        }
        // An account whose unit nobody knows may be in the unit that is meant.
        self.include.is_empty() || self.include.iter().any(|item| names(item) != Some(false))
    }
}

/// Reads everything below `accounts`.
pub(super) fn accounts(reader: &mut Reader<'_>) -> Accounts {
    let default = AccountTags::default();
    let mut tags = |path: &str, default: Vec<String>| {
        let found = reader.list(path, "empty", |key| (!key.is_empty()).then(|| key.to_owned()));
        if reader.has(path) { found } else { default }
    };
    let owner = tags("accounts.tags.owner", default.owner);
    let environment = tags("accounts.tags.environment", default.environment);
    let include = accountables(reader, "accounts.include");
    let exclude = accountables(reader, "accounts.exclude");
    let is_region = |text: &str| queue_url::is_region(text).then(|| text.to_owned());
    let regions = reader.list("accounts.regions", "not an AWS Region", is_region);
    Accounts {
        file: reader.path("accounts.file"),
        organizations: reader.switch("accounts.organizations", false),
        tags: AccountTags { owner, environment },
        watched: Watched { include, exclude, regions },
    }
}

fn accountables(reader: &mut Reader<'_>, path: &str) -> Vec<Accountable> {
    // A Region, an id of a unit or a number cut short is no path, and would silently name nobody.
    let found = reader.list(path, "neither an account id nor a path of units", |text| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_unit_id = text.starts_with("ou-") || text.starts_with("r-") || text.starts_with("arn:");
        if is_account_id(text) {
            Some(Accountable::Id(text.to_owned()))
        } else if text.is_empty() || is_number || is_unit_id || queue_url::is_region(text) {
            None
        } else {
            Some(Accountable::Unit(Glob::new(text)))
        }
    });
    for fault in reader.faults.iter_mut().filter(|fault| fault.path.starts_with(path) && fault.hint.is_none()) {
        if let Some(hint) = hint(fault) {
            fault.hint = Some(hint.into());
        }
    }
    found
}

/// What to do about an item that names nobody.
fn hint(fault: &Fault) -> Option<&'static str> {
    let was = fault.was.as_deref()?.trim_matches('"');
    if queue_url::is_region(was) {
        return Some("Regions go to accounts.regions");
    }
    if was.starts_with("ou-") || was.starts_with("arn:") {
        return Some("write the names of the units from the top: Workloads/Prod");
    }
    let is_number = !was.is_empty() && was.len() < 12 && was.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some("12 digits are needed: YAML drops leading zeros of a number, quotes keep them")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(include: &[&str], exclude: &[&str], regions: &[&str]) -> Watched {
        let items =
            |texts: &[&str]| {
                texts
                    .iter()
                    .map(|text| {
                        if is_account_id(text) { Accountable::Id((*text).to_owned()) } else { Accountable::Unit(Glob::new(text)) }
                    })
                    .collect()
            };
        let regions = regions.iter().map(|region| (*region).to_owned()).collect();
        Watched { include: items(include), exclude: items(exclude), regions }
    }

    const ONE: &str = "111122223333";
    const OTHER: &str = "444455556666";

    #[test]
    fn a_record_is_kept_unless_it_is_known_to_be_of_others() {
        let prod = Some("Workloads/Prod");
        for (name, watched, account, unit, region, want) in [
            ("everything", watched(&[], &[], &[]), ONE, None, None, true),
            ("included by id", watched(&[ONE], &[], &[]), ONE, prod, None, true),
            ("another id", watched(&[ONE], &[], &[]), OTHER, prod, None, false),
            ("another id, unit unknown", watched(&[ONE], &[], &[]), OTHER, None, None, false),
            ("included by unit", watched(&["Workloads/*"], &[], &[]), ONE, prod, None, true),
            ("another unit", watched(&["Sandbox/*"], &[], &[]), ONE, prod, None, false),
            ("its unit is not known", watched(&["Sandbox/*"], &[], &[]), ONE, None, None, true),
            ("excluded by id", watched(&[], &[ONE], &[]), ONE, prod, None, false),
            ("excluded by unit", watched(&[], &["Workloads/Prod"], &[]), ONE, prod, None, false),
            ("excluded unit, not known", watched(&[], &["Workloads/Prod"], &[]), ONE, None, None, true),
            ("both: excluded wins", watched(&["Workloads/*"], &[ONE], &[]), ONE, prod, None, false),
            ("no account", watched(&[ONE], &["*"], &[]), "unknown", None, None, true),
            ("its Region", watched(&[], &[], &["eu-west-1"]), ONE, None, Some("eu-west-1"), true),
            ("another Region", watched(&[], &[], &["eu-west-1"]), ONE, None, Some("us-east-1"), false),
            ("no Region", watched(&[], &[], &["eu-west-1"]), ONE, None, None, true),
            ("its Region, another account", watched(&[OTHER], &[], &["eu-west-1"]), ONE, None, Some("eu-west-1"), false),
        ] {
            assert_eq!(watched.holds(account, unit, region), want, "{name}");
        }
    }
}
