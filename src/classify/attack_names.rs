//! What ATT&CK techniques are called, and where they are described.
//!
//! In: a technique's number, as [`attack`](super::attack) knows it. Out: its name and its page. What always holds: every number that
//! a rule may name has a name; a test holds it. Names © The MITRE Corporation, as those of `attack.csv`: of ATT&CK 17, those that 17
//! does not have of 19.

/// `technique,name`; a sub-technique's name is its own part alone.
const NAMES: &str = include_str!("attack_names.csv");

/// `Account Manipulation: Additional Cloud Credentials` of `T1098.001`; `None`: no such number.
#[must_use]
pub fn technique_name(id: &str) -> Option<String> {
    let own = name(id)?;
    let whole = id.split_once('.').and_then(|(parent, _)| name(parent));
    Some(whole.map_or_else(|| own.to_owned(), |whole| format!("{whole}: {own}")))
}

/// The page of a technique in ATT&CK.
#[must_use]
pub fn technique_url(id: &str) -> String {
    format!("https://attack.mitre.org/techniques/{}/", id.replace('.', "/"))
}

fn name(id: &str) -> Option<&'static str> {
    NAMES.lines().skip(1).filter_map(|line| line.split_once(',')).find(|(known, _)| *known == id).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_technique_has_a_name() {
        let numbers: Vec<&str> = include_str!("attack.csv").lines().filter_map(|line| line.split(',').next()).collect();
        let named: Vec<&str> = NAMES.lines().filter_map(|line| line.split(',').next()).collect();
        assert_eq!(named, numbers, "src/classify/attack_names.csv must have the rows of src/classify/attack.csv, in their order");
        for id in numbers.into_iter().skip(1) {
            assert!(technique_name(id).is_some_and(|name| name.len() > 2 && name.trim() == name), "{id}");
        }
    }

    #[test]
    fn a_part_is_called_after_its_whole() {
        assert_eq!(technique_name("T1098").as_deref(), Some("Account Manipulation"));
        assert_eq!(technique_name("T1098.001").as_deref(), Some("Account Manipulation: Additional Cloud Credentials"));
        assert_eq!(technique_name("T9999"), None);
        assert_eq!(technique_url("T1098.001"), "https://attack.mitre.org/techniques/T1098/001/");
        assert_eq!(technique_url("T1098"), "https://attack.mitre.org/techniques/T1098/");
    }
}
