//! The ATT&CK ids that a rule may name.
//!
//! In: tags of a rule (`attack.t1078.004`, `attack.initial-access`). Out: the id and the tactic in their one spelling, or
//! nothing when they do not exist. The techniques are in `attack.csv` (ATT&CK 17 and the numbers that replace some of them in
//! 19); names and numbers © The MITRE Corporation, reproduced with its permission under the ATT&CK terms of use.

/// `technique_id,name,parent,tactics_v17,replaced_in_v19_by,known_in_v17`
const TECHNIQUES: &str = include_str!("attack.csv");

/// The enterprise tactics of ATT&CK 17, and the two that `defense-evasion` became in 19.
const TACTICS: [&str; 16] = [
    "reconnaissance",
    "resource-development",
    "initial-access",
    "execution",
    "persistence",
    "privilege-escalation",
    "defense-evasion",
    "stealth",
    "defense-impairment",
    "credential-access",
    "discovery",
    "lateral-movement",
    "collection",
    "command-and-control",
    "exfiltration",
    "impact",
];

/// What a tag below `attack.` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tag {
    /// `initial-access`
    Tactic(&'static str),
    /// `T1078.004`
    Technique(String),
    /// A group or a program, which events do not carry.
    Other,
}

/// Reads a tag without its `attack.`; `None`: no such id.
pub(super) fn tag(text: &str) -> Option<Tag> {
    let text = text.to_ascii_lowercase();
    if let Some(digits) = text.strip_prefix('t').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        let id = format!("T{digits}");
        return is_technique(&id).then_some(Tag::Technique(id));
    }
    let four = |digits: &str| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if text.strip_prefix(['g', 's']).is_some_and(four) {
        return Some(Tag::Other);
    }
    let dashed = text.replace('_', "-");
    TACTICS.into_iter().find(|tactic| *tactic == dashed).map(Tag::Tactic)
}

/// Every tactic, in the order of an attack.
pub(super) fn tactics() -> impl Iterator<Item = &'static str> {
    TACTICS.into_iter()
}

fn is_technique(id: &str) -> bool {
    rows().any(|row| row.id == id || row.replaced_by == id)
}

/// The tactics of a technique, most techniques have one.
pub(super) fn tactics_of(technique: &str) -> impl Iterator<Item = &'static str> {
    rows()
        .filter(move |row| row.id == technique || row.replaced_by == technique)
        .flat_map(|row| row.tactics.split(';').filter(|tactic| !tactic.is_empty()))
}

struct Row {
    id: &'static str,
    tactics: &'static str,
    replaced_by: &'static str,
}

fn rows() -> impl Iterator<Item = Row> {
    TECHNIQUES.lines().skip(1).filter_map(|line| {
        let mut cells = line.split(',');
        let id = cells.next()?;
        let (tactics, replaced_by) = (cells.nth(2)?, cells.next()?);
        Some(Row { id, tactics, replaced_by })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x13_only_ids_that_exist_are_taken() {
        let technique = |id: &str| Some(Tag::Technique(id.to_owned()));
        for (text, want) in [
            ("t1078.004", technique("T1078.004")),
            ("T1078", technique("T1078")),
            ("t1685.002", technique("T1685.002")),
            ("t1562.008", technique("T1562.008")),
            ("initial-access", Some(Tag::Tactic("initial-access"))),
            ("defense_evasion", Some(Tag::Tactic("defense-evasion"))),
            ("g0016", Some(Tag::Other)),
            ("t10784", None),
            ("t1078.04", None),
            ("t9999", None),
            ("initial access", None),
            ("", None),
        ] {
            assert_eq!(tag(text), want, "{text}");
        }
    }

    #[test]
    fn every_row_has_an_id_and_known_tactics() {
        let mut count = 0;
        for row in rows() {
            count += 1;
            assert!(row.id.starts_with('T'), "{}", row.id);
            for tactic in row.tactics.split(';').filter(|tactic| !tactic.is_empty()) {
                assert!(TACTICS.contains(&tactic), "{}: {tactic}", row.id);
            }
        }
        assert_eq!(count, TECHNIQUES.lines().count() - 1);
        assert_eq!(tactics_of("T1685.002").collect::<Vec<_>>(), ["defense-evasion"]);
    }
}
