//! What `check` says of accounts: whose records are kept, and what is seldom meant by it.
//!
//! In: the settings of accounts. Out: words. Asks nobody.

use crate::config::{Accountable, Accounts, Watched};

/// Regions in which the global services of a partition record, by the beginning of its Regions' names.
const HOMES: [(&str, &str); 3] = [("cn-", "cn-north-1"), ("us-gov-", "us-gov-west-1"), ("", "us-east-1")];

/// Whose records are kept; `None`: everybody's.
pub(super) fn watched(watched: &Watched) -> Option<String> {
    let items = |items: &[Accountable]| {
        let texts = items.iter().map(|item| match item {
            Accountable::Id(id) => id.as_str(),
            Accountable::Unit(path) => path.as_str(),
        });
        texts.collect::<Vec<_>>().join(", ")
    };
    let (include, exclude) = (items(&watched.include), items(&watched.exclude));
    let parts = [("only ", include), ("not ", exclude), ("only in ", watched.regions.join(", "))];
    let parts = parts.into_iter().filter(|(_, items)| !items.is_empty()).map(|(word, items)| word.to_owned() + &items);
    Some(parts.collect::<Vec<_>>().join("; ")).filter(|text| !text.is_empty())
}

/// What is allowed, but seldom meant.
pub(super) fn warnings(accounts: &Accounts) -> Vec<String> {
    let mut warnings = Vec::new();
    if accounts.watched.needs_units() && accounts.file.is_none() && !accounts.organizations {
        warnings.push(
            "accounts.include or exclude names organizational units, but nothing says which account is in which: give an \
             accounts.file or set accounts.organizations. Until then records of all accounts are kept"
                .to_owned(),
        );
    }
    let regions = &accounts.watched.regions;
    let home_of = |region: &str| HOMES.iter().find(|(begin, _)| region.starts_with(begin)).map(|(_, home)| *home);
    let mut homes: Vec<&str> = regions.iter().filter_map(|region| home_of(region)).collect();
    homes.sort_unstable();
    homes.dedup();
    for home in homes.into_iter().filter(|home| !regions.iter().any(|region| region == home)) {
        warnings.push(format!(
            "accounts.regions leaves out {home}, where IAM, Organizations and other global services record: what happens there is \
             not seen"
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_without_their_partitions_home_are_doubted() {
        for (regions, homes) in [
            (&[][..], &[][..]),
            (&["eu-west-1", "us-east-1"], &[]),
            (&["eu-west-1", "eu-central-1"], &["us-east-1"]),
            (&["cn-northwest-1"], &["cn-north-1"]),
            (&["us-gov-east-1", "eu-west-1"], &["us-east-1", "us-gov-west-1"]),
        ] {
            let regions: Vec<String> = regions.iter().map(|region| (*region).to_owned()).collect();
            let accounts = Accounts { watched: Watched { regions, ..Watched::default() }, ..Accounts::default() };
            let warnings = warnings(&accounts);
            assert_eq!(warnings.len(), homes.len(), "{accounts:?}");
            for (warning, home) in warnings.iter().zip(homes) {
                assert!(warning.contains(&format!(" leaves out {home},")), "{warning}");
            }
        }
    }
}
