//! The ATT&CK ids that a rule may name.
//!
//! In: tags of a rule (`attack.t1078.004`, `attack.initial-access`). Out: the id and the tactic in their one spelling, or
//! nothing when they do not exist. `attack.csv` holds every enterprise technique of ATT&CK 17 and the numbers of 19 that
//! cloud rules already use, with the tactics of 17; numbers and names © The MITRE Corporation, reproduced and distributed with
//! its permission under the ATT&CK terms of use.

/// `technique,tactics`; several tactics are joined with `;`, in the order of an attack.
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
        return rows().any(|(known, _)| known == id).then_some(Tag::Technique(id));
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

/// The tactics of a technique.
pub(super) fn tactics_of(technique: &str) -> impl Iterator<Item = &'static str> {
    let tactics = rows().find(|(id, _)| *id == technique).map_or("", |(_, tactics)| tactics);
    tactics.split(';').filter(|tactic| !tactic.is_empty())
}

/// Technique and tactics of every row.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    TECHNIQUES.lines().skip(1).filter_map(|line| line.split_once(','))
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
            ("t1003", technique("T1003")),
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
        for (id, tactics) in rows() {
            count += 1;
            assert!(id.starts_with('T'), "{id}");
            assert!(!tactics.is_empty(), "{id}");
            for tactic in tactics.split(';') {
                assert!(TACTICS.contains(&tactic), "{id}: {tactic}");
            }
        }
        assert_eq!(count, TECHNIQUES.lines().count() - 1);
        assert_eq!(tactics_of("T1685.002").collect::<Vec<_>>(), ["defense-evasion"]);
        assert_eq!(tactics_of("T1078.004").next(), Some("initial-access"));
    }
}
