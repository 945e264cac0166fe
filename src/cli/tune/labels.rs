//! Which records belong to which attack.
//!
//! In: a CSV file under the header `attack,event.id`, in which other columns may stand. Out: the ids of each attack's events. What always
//! holds: cells are texts, whatever they look like; an empty cell, or a file without these columns, is told with its name; nothing is
//! guessed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::cli::exit::Stop;
use crate::lab::lookup;

/// The columns.
const COLUMNS: [&str; 2] = ["attack", "event.id"];

/// The most that is read of a file, bytes: some hundred thousand events.
const MOST_BYTES: u64 = 16 << 20;

/// The most attacks.
const MOST_ATTACKS: usize = 1_000;

/// The attacks.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// Ids of events by name of attack.
    pub(super) events: BTreeMap<String, BTreeSet<String>>,
}

impl Labels {
    /// Of a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(path: &Path) -> Result<Self, Stop> {
        let stop = |what: String| Stop::usage(what, Some("a labels file is CSV under the header attack,event.id".to_owned()));
        let records = lookup::records(path, MOST_BYTES).map_err(|error| stop(error.to_string()))?;
        let mut records = records.into_iter();
        let (_, header) = records.next().unwrap_or_default();
        let mut places = [0; 2];
        for (place, column) in places.iter_mut().zip(COLUMNS) {
            let mut named = header.iter().enumerate().filter(|(_, name)| name.trim() == column).map(|(at, _)| at);
            *place = match (named.next(), named.next()) {
                (Some(at), None) => at,
                (None, _) => return Err(stop(format!("{}: a column is missing; needed: attack and event.id", path.display()))),
                (Some(_), Some(_)) => return Err(stop(format!("{}: two columns are called {column}", path.display()))),
            };
        }
        let mut labels = Self::default();
        for (line, cells) in records {
            let [attack, event] = places.map(|at| cells.get(at).map_or("", |cell| cell.trim()).to_owned());
            if attack.is_empty() || event.is_empty() {
                return Err(stop(format!("{}:{line}: an empty cell", path.display())));
            }
            labels.events.entry(attack).or_default().insert(event);
        }
        if labels.events.len() > MOST_ATTACKS {
            let number = labels.events.len();
            return Err(stop(format!(
                "{}: {number} attacks; at most {MOST_ATTACKS}: the column attack names each once",
                path.display()
            )));
        }
        if labels.events.is_empty() {
            return Err(stop(format!("{}: the header alone, no attack", path.display())));
        }
        Ok(labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, Vec<String>)>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("labels.csv");
        std::fs::write(&path, text).expect("a file");
        let labels = Labels::read(&path).map_err(|stop| stop.to_string())?;
        Ok(labels.events.into_iter().map(|(attack, events)| (attack, events.into_iter().collect())).collect())
    }

    fn labels(all: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
        all.iter().map(|(attack, events)| ((*attack).to_owned(), events.iter().map(ToString::to_string).collect())).collect()
    }

    /// S0-05: what looks like a number is a name all the same.
    #[test]
    fn cells_are_texts() {
        let text = "attack,event.id\n1.10,007\n1.1,7\nTrue,1e3\n1.10, a \n";
        assert_eq!(read(text), Ok(labels(&[("1.1", &["7"]), ("1.10", &["007", "a"]), ("True", &["1e3"])])));
    }

    #[test]
    fn other_columns_may_stand_beside_in_any_order() {
        let text = "\u{feff}timestamp,event.id, attack ,accountId\r\n1,a,one,\r\n\r\n2,b,one,3\r\n";
        assert_eq!(read(text), Ok(labels(&[("one", &["a", "b"])])));
    }

    /// More than New Relic takes of a table.
    #[test]
    fn a_file_may_be_long() {
        let lines: Vec<String> = (0..200_000).map(|nth| format!("the same attack,{nth:020}")).collect();
        let read = read(&format!("attack,event.id\n{}\n", lines.join("\n"))).expect("labels");
        assert_eq!((read.len(), read[0].1.len()), (1, 200_000));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, says) in [
            ("attack,event\na,b\n", "labels.csv: a column is missing; needed: attack and event.id"),
            ("attack,event.id,attack\na,b,c\n", "labels.csv: two columns are called attack"),
            ("attack,event.id\na,x\n\nb, \n", "labels.csv:4: an empty cell"),
            ("attack,event.id\na\n", "labels.csv:2: 1 cells"),
            ("", "labels.csv: nothing in it"),
            ("attack,event.id\n", "labels.csv: the header alone, no attack"),
        ] {
            let told = read(text).expect_err(text);
            assert!(told.contains(says), "{told}");
        }
    }
}
