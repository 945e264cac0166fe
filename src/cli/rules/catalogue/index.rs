//! The page of all rules, in two languages.
//!
//! In: rules with the places of their pages. Out: Markdown: a table for each service. What always holds: every rule has one row, by
//! service and name; where a rule has no Japanese title, its own stands.

use std::collections::BTreeMap;

use super::markdown::{code, link, prose, table};
use super::page::{MARK, by_framework};
use super::{INDEX, INDEX_JA, Subject};
use crate::classify::{Rule, technique_url};

/// The benchmark whose numbers have a column: its name is followed by its version.
const CIS: &str = "CIS-AWS-";

/// What is said in a language.
pub(super) struct Words {
    title: &'static str,
    intro: &'static str,
    head: [&'static str; 7],
    yes: &'static str,
    /// The heading of rules that lie in no folder.
    other: &'static str,
    name: fn(&Rule) -> &str,
    /// The same page in the other language.
    twin: (&'static str, &'static str),
}

pub(super) const ENGLISH: Words = Words {
    title: "Detective rules",
    intro: "A rule's page says why it matters, what it looks for, where to look, why it is so severe, how to tune it and how often it \
            matched. \"Notice\": every match is sent as a notice of its own and can page someone. Tactic and technique are those of \
            ATT&CK, the primary one first. CIS is the CIS AWS Foundations Benchmark, by version.",
    head: ["rule", "what", "severity", "notice", "tactic", "technique", "CIS"],
    yes: "yes",
    other: "Others",
    name: |rule| &rule.title,
    twin: ("日本語", INDEX_JA),
};

pub(super) const JAPANESE: Words = Words {
    title: "発見的統制（検知ルール）の一覧",
    intro: "各ルールのページ（英語）に、監視する理由、検知条件、確認すべき項目、重大度の根拠、調整方法、過去データでの検知件数を記載しています。\
            「通知」が「あり」のルールは、検知のたびに個別の通知を送ります。戦術とテクニックは ATT&CK のもので、先頭が主なものです。CIS は \
            CIS AWS Foundations Benchmark の項番で、版ごとに示しています。",
    head: ["ルール", "内容", "重大度", "通知", "戦術", "テクニック", "CIS"],
    yes: "あり",
    other: "その他",
    name: |rule| rule.title_ja.as_deref().unwrap_or(&rule.title),
    twin: ("English", INDEX),
};

/// The page.
pub(super) fn index(subjects: &[Subject], words: &Words) -> String {
    let mut services: BTreeMap<&str, BTreeMap<&str, &Subject>> = BTreeMap::new();
    for subject in subjects {
        services.entry(subject.service()).or_default().insert(&subject.rule.id, subject);
    }
    let (language, twin) = words.twin;
    let count = subjects.len();
    let mut page = format!("{MARK} from the rules' files: change those. -->\n\n# {} ({count})\n\n", words.title);
    page += &format!("[{language}]({twin})\n\n{}\n", words.intro);
    for (service, subjects) in services {
        let heading = if service.is_empty() { words.other } else { service };
        page += &format!("\n## {heading}\n\n{}", table(words.head, subjects.values().map(|subject| row(subject, words))));
    }
    page
}

fn row(subject: &Subject, words: &Words) -> [String; 7] {
    let rule = &subject.rule;
    let techniques: Vec<String> = rule.techniques.items().iter().map(|id| format!("[{id}]({})", technique_url(id))).collect();
    let cis: Vec<String> = by_framework(rule.frameworks.items())
        .into_iter()
        .filter_map(|(name, numbers)| Some(format!("{}: {numbers}", name.strip_prefix(CIS)?)))
        .collect();
    [
        link(&code(&rule.id), &subject.place),
        prose((words.name)(rule)),
        rule.severity.to_string(),
        if rule.notify { words.yes } else { "" }.to_owned(),
        rule.tactics.items().join(", "),
        techniques.join(", "),
        cis.join("; "),
    ]
}
