//! The words of the page in English and Japanese.
//!
//! In: an English word, a language. Out: the word. What always holds: the English is the key; a word without Japanese stays English.

use crate::cli::count;
use crate::publish::dashboard::Language;

pub(super) struct Words(pub(super) Language);

/// English, Japanese.
const JA: &[(&str, &str)] = &[
    ("Back-test of alert conditions", "アラート条件のバックテスト"),
    ("rows arrived", "届いた行の範囲"),
    ("rows", "行"),
    ("conditions", "条件"),
    ("condition", "条件"),
    ("on", "有効"),
    ("off", "無効"),
    ("critical", "重大"),
    ("warning", "警告"),
    ("CRITICAL", "重大"),
    ("WARNING", "警告"),
    ("incidents by day", "日別インシデント数"),
    ("incidents, days a column:", "インシデント数、棒 1 本の日数:"),
    ("late rows", "遅延行"),
    ("never judged", "未評価ウィンドウ"),
    ("still open", "継続中"),
    ("muted", "ミュート"),
    ("opened", "発生"),
    ("closed", "終了"),
    ("priority", "優先度"),
    ("cause", "原因"),
    ("signal", "シグナル"),
    ("issue", "イシュー"),
    ("issues", "イシュー"),
    ("page", "通知"),
    ("no", "なし"),
    ("policy", "ポリシー"),
    ("incidents", "インシデント"),
    ("Budget", "通知数の上限"),
    ("most in a day", "1 日の最多"),
    ("most in a week", "1 週間の最多"),
    ("most in a month", "1 か月の最多"),
    ("muting", "ミュートルール"),
    ("asks for what New Relic alone knows, blank here:", "は New Relic にしかない属性 (ここでは空) を使っています:"),
    ("holds", "上限内"),
    ("exceeded", "超過"),
    ("refused", "New Relic が拒否"),
    ("not tested", "未テスト"),
    ("no rows of", "行なし:"),
    ("approximate", "近似"),
    ("value", "値"),
    ("standard deviations", "標準偏差"),
    ("signal lost", "シグナル消失"),
    ("recovered", "回復"),
    ("time limit", "制限時間"),
    ("data returned", "データ再開"),
    ("threshold", "しきい値"),
    ("no incident", "インシデントなし"),
    ("more: --format json has all", "件を省略 (--format json で全件)"),
    (
        "Pages are issues that became critical, of conditions that are on, not muted. What happens after the last row is unknown.",
        "通知は、有効な条件のイシューのうち重大になり、ミュートされなかったものです。最後の行より後のことは分かりません。",
    ),
    (
        "late rows: came after their window was closed, so the condition never saw them",
        "遅延行: ウィンドウが閉じた後に届き、条件が評価しなかった行",
    ),
    (
        "never judged: windows with rows that nothing closed before the rows end",
        "未評価ウィンドウ: 行はあるが、最後まで閉じられなかったウィンドウ",
    ),
    ("approximate: New Relic's baseline is not published", "近似: New Relic のベースラインの算出方法は非公開"),
];

impl Words {
    pub(super) fn get<'w>(&self, word: &'w str) -> &'w str {
        match self.0 {
            Language::English => word,
            Language::Japanese => JA.iter().find(|(en, _)| *en == word).map_or(word, |(_, ja)| ja),
        }
    }

    /// So many pages.
    pub(super) fn pages(&self, number: u64) -> String {
        match self.0 {
            Language::English => count(number, "page"),
            Language::Japanese => format!("{number} 件の通知"),
        }
    }

    /// A text that begins or ends with words of ours, as `value 5`: those come first.
    pub(super) fn phrase(&self, text: &str) -> String {
        if self.0 == Language::English {
            return text.to_owned();
        }
        let whole = self.get(text);
        if whole != text {
            return whole.to_owned();
        }
        // The longest: "no rows of" before "no".
        let begins = |known: &str| text.strip_prefix(known).filter(|rest| rest.starts_with(' '));
        let ends = |known: &str| text.strip_suffix(known).filter(|rest| rest.ends_with(' '));
        let found = JA.iter().filter_map(|(known, ja)| Some((known.len(), ja, begins(known).or_else(|| ends(known))?.trim())));
        if let Some((_, ja, rest)) = found.max_by_key(|(length, ..)| *length) {
            return format!("{ja} {rest}");
        }
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the page asks for by a literal.
    fn asked() -> impl Iterator<Item = &'static str> {
        include_str!("mod.rs").split("words.get(\"").skip(1).filter_map(|rest| rest.split('"').next())
    }

    #[test]
    fn every_word_of_the_page_has_japanese() {
        let words = Words(Language::Japanese);
        let missing: Vec<&str> = asked().filter(|word| words.get(word) == *word).collect();
        assert!(asked().count() > 20 && missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn what_is_told_of_incidents_is_told_in_japanese() {
        let words = Words(Language::Japanese);
        for (english, japanese) in [
            ("signal lost", "シグナル消失"),
            ("value 5", "値 5"),
            ("4.20 standard deviations", "標準偏差 4.20"),
            ("no rows of AwsPostureSummary", "行なし: AwsPostureSummary"),
            ("something else", "something else"),
        ] {
            assert_eq!(words.phrase(english), japanese);
            assert_eq!(Words(Language::English).phrase(english), english);
        }
        assert_eq!((words.pages(1), Words(Language::English).pages(1)), ("1 件の通知".to_owned(), "1 page".to_owned()));
    }
}
