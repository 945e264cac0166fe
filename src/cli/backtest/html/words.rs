//! The words of the page in English and Japanese.
//!
//! In: an English word, a language. Out: the word. What always holds: the English is the key; a word without Japanese stays English.

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
    ("incidents of two days and more a column", "インシデント数 (1 本の棒が複数日)"),
    ("late rows", "遅延行"),
    ("never judged", "未評価の窓"),
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
    ("holds", "上限内"),
    ("exceeded", "超過"),
    ("pages", "件の通知"),
    ("refused", "New Relic が拒否"),
    ("not tested", "未テスト"),
    ("no rows of", "行がない:"),
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
        "遅延行: 窓が閉じた後に届き、条件が評価しなかった行",
    ),
    (
        "never judged: windows with rows that nothing closed before the rows end",
        "未評価の窓: 行はあるが、最後まで閉じられなかった窓",
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

    /// The first words of a text that begins with words of ours: `value 5`, `no rows of A`.
    pub(super) fn phrase(&self, text: &str) -> String {
        if self.0 == Language::English {
            return text.to_owned();
        }
        let whole = self.get(text);
        if whole != text {
            return whole.to_owned();
        }
        for (known, ja) in JA {
            if let Some(rest) = text.strip_prefix(known).filter(|rest| rest.starts_with(' ')) {
                return format!("{ja}{rest}");
            }
            if let Some(rest) = text.strip_suffix(known).filter(|rest| rest.ends_with(' ')) {
                return format!("{ja} {}", rest.trim_end());
            }
        }
        text.to_owned()
    }
}
