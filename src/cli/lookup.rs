//! `--lookup NAME=FILE`: tables for `lookup(NAME)`, as `nrql` and `preview` take them.
//!
//! In: names and files. Out: the tables by name, or what is wrong. What always holds: a name stands once; there are no more tables
//! than New Relic keeps for an account.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::exit::Stop;
use crate::encode::limits::LOOKUP_TABLES;
use crate::lab::lookup;
use crate::lab::store::TableView;

/// A table that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    name: String,
    path: PathBuf,
}

/// One value of the option.
pub(super) fn asked(text: &str) -> Result<Asked, String> {
    let (name, path) = text.split_once('=').filter(|(_, path)| !path.is_empty()).ok_or("not NAME=FILE, as owners=owners.csv")?;
    lookup::name_fault(name).map_or(Ok(()), Err)?;
    Ok(Asked { name: name.to_owned(), path: PathBuf::from(path) })
}

/// All of them.
pub(super) fn tables(asked: &[Asked]) -> Result<BTreeMap<String, Arc<TableView>>, Stop> {
    if asked.len() > LOOKUP_TABLES {
        let many = format!("{} lookup tables; New Relic keeps at most {LOOKUP_TABLES} for an account", asked.len());
        return Err(Stop::usage(many, None));
    }
    let mut tables = BTreeMap::new();
    for Asked { name, path } in asked {
        let table = lookup::read(name, path).map_err(|error| Stop::usage(format!("reading {error}"), None))?;
        if tables.insert(name.clone(), table).is_some() {
            return Err(Stop::usage(
                format!("--lookup {name}=… stands twice"),
                Some("give each table a name of its own".to_owned()),
            ));
        }
    }
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_name_and_a_file() {
        let good = asked("owners=data/a=b.csv").unwrap();
        assert_eq!(good, Asked { name: "owners".to_owned(), path: PathBuf::from("data/a=b.csv") });
        for text in ["owners.csv", "owners=", "=owners.csv", "own ers=a.csv"] {
            assert!(asked(text).is_err(), "{text}");
        }
    }

    #[test]
    fn tables_have_names_of_their_own_and_are_not_many() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, "id,name\n1,a\n").unwrap();
        let one = |number: usize| Asked { name: format!("t{number}"), path: path.clone() };
        assert_eq!(tables(&[one(1), one(2)]).unwrap().keys().collect::<Vec<_>>(), ["t1", "t2"]);
        assert!(tables(&[one(1), one(1)]).unwrap_err().to_string().contains("--lookup t1=… stands twice"));
        let many: Vec<Asked> = (0..21).map(one).collect();
        assert!(tables(&many).unwrap_err().to_string().contains("21 lookup tables; New Relic keeps at most 20"));
    }
}
