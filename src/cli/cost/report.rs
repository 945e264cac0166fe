//! What was weighed, for a month and in money.
//!
//! In: rows and bytes, the settings, a price. Out: text for people, JSON for machines. What always holds: a saving is the difference
//! of two sums over the same records; money is named only where a price was given.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::table::table;
use super::meter::{LogClass, Share, Usage, Used};
use crate::config::estimate::{FREE_BYTES, POINT_BYTES};
use crate::config::{Config, LogRecords, Outputs, Price};
use crate::encode::dictionary::NOTICE;
use crate::record::time;

/// Ms in a day, and in the month that is billed.
const DAY_MS: f64 = 86_400_000.0;
const MONTH_MS: f64 = 30.0 * DAY_MS;
/// What New Relic counts as one GB.
const GB: f64 = 1e9;
/// Shorter records say nothing about a month.
const SPAN_MIN_MS: i64 = 3_600_000;

/// The answer.
pub(super) struct Cost {
    /// From the oldest record to the newest, ms.
    span: Option<(i64, i64)>,
    price: Option<Price>,
    lines: Vec<(String, Used)>,
    accounts: Vec<(String, Used)>,
    all_accounts: usize,
    rules: Vec<(String, Used)>,
    all_rules: usize,
    /// Setting, and what it changes: bytes now less bytes then.
    savings: Vec<(String, i64)>,
}

/// Other settings.
type Change<'c> = &'c dyn Fn(&mut Outputs);

/// Bytes of everything with these settings.
fn total(usage: &Usage, outputs: Outputs) -> Used {
    lines(usage, outputs).into_iter().fold(Used::default(), |sum, (_, used)| sum.and(used))
}

fn lines(usage: &Usage, outputs: Outputs) -> Vec<(String, Used)> {
    let events = usage.types.iter().filter(|(name, _)| outputs.notices || *name != NOTICE);
    let mut lines: Vec<(String, Used)> = events.map(|(name, used)| (name.clone(), *used)).collect();
    lines.push(("Log".to_owned(), logs(&usage.logs, outputs)));
    if outputs.metrics {
        let records = if outputs.logs.records == LogRecords::All { &usage.record_points } else { &usage.matched_points };
        let points = records.count() + usage.detection_points.count();
        lines.push(("Metric (about)".to_owned(), Used { rows: points, bytes: points * POINT_BYTES }));
    }
    lines
}

fn logs(classes: &BTreeMap<LogClass, Used>, outputs: Outputs) -> Used {
    let sent = |class: &LogClass| match (outputs.logs.records, class) {
        (LogRecords::None, _) => false,
        (_, LogClass::Matched) | (LogRecords::All, LogClass::Changed) => true,
        (LogRecords::Matched, _) => false,
        (LogRecords::All, LogClass::Read) => outputs.logs.read_only && !outputs.logs.thin,
    };
    classes.iter().filter(|(class, _)| sent(class)).fold(Used::default(), |sum, (_, used)| sum.and(*used))
}

fn share(share: &Share, outputs: Outputs) -> Used {
    let notices = if outputs.notices { share.notices } else { Used::default() };
    share.events.and(notices).and(logs(&share.logs, outputs))
}

/// The dearest of them, and how many there are.
fn dearest(shares: &BTreeMap<String, Share>, outputs: Outputs, top: usize) -> (Vec<(String, Used)>, usize) {
    let mut all: Vec<(String, Used)> = shares.iter().map(|(name, of)| (name.clone(), share(of, outputs))).collect();
    all.sort_by_key(|(name, used)| (Reverse(used.bytes), name.clone()));
    let number = all.len();
    all.truncate(top);
    (all, number)
}

impl Cost {
    pub(super) fn new(usage: &Usage, config: &Config, top: usize) -> Self {
        let outputs = config.outputs;
        let (accounts, all_accounts) = dearest(&usage.accounts, outputs, top);
        let (rules, all_rules) = dearest(&usage.rules, outputs, top);
        let now = total(usage, outputs).bytes;
        let with = |change: Change<'_>| {
            let mut changed = outputs;
            change(&mut changed);
            (changed != outputs).then(|| now.cast_signed() - total(usage, changed).bytes.cast_signed())
        };
        let settings: [(&str, Change<'_>); 7] = [
            ("outputs.logs.records: none", &|outputs| outputs.logs.records = LogRecords::None),
            ("outputs.logs.records: matched", &|outputs| outputs.logs.records = LogRecords::Matched),
            ("outputs.logs.records: all", &|outputs| {
                outputs.logs.records = LogRecords::All;
                (outputs.logs.read_only, outputs.logs.thin) = (true, false);
            }),
            ("outputs.logs: {records: all, thin: true}", &|outputs| {
                outputs.logs.records = LogRecords::All;
                outputs.logs.thin = true;
            }),
            ("outputs.logs: {records: all, readOnly: false}", &|outputs| {
                outputs.logs.records = LogRecords::All;
                outputs.logs.read_only = false;
            }),
            ("outputs.notices: false", &|outputs| outputs.notices = false),
            ("outputs.metrics: false", &|outputs| outputs.metrics = false),
        ];
        let of_settings = settings.iter().filter_map(|(name, change)| Some(((*name).to_owned(), with(change)?)));
        let of_rules = rules.iter().map(|(id, used)| (format!("rules.disable: [{id}]"), used.bytes.cast_signed()));
        let savings = of_settings.chain(of_rules).collect();
        let price = config.price.clone();
        Self { span: usage.span, price, lines: lines(usage, outputs), accounts, all_accounts, rules, all_rules, savings }
    }

    /// By what a number of these records becomes one of a month; `None`: they say too little.
    fn to_month(&self) -> Option<f64> {
        let (oldest, newest) = self.span?;
        let span = newest.saturating_sub(oldest);
        (span >= SPAN_MIN_MS).then(|| MONTH_MS / span as f64)
    }

    fn sum(&self) -> Used {
        self.lines.iter().fold(Used::default(), |sum, (_, used)| sum.and(*used))
    }

    /// GB a month, and money, of so many bytes.
    fn cells(&self, bytes: f64) -> Vec<String> {
        let month = self.to_month().map(|factor| bytes * factor / GB);
        // What is rounded to nothing has no sign.
        let shown = |number: f64, digits: usize| {
            let text = format!("{number:.digits$}");
            if text.bytes().all(|byte| b"-0.".contains(&byte)) { text.replace('-', "") } else { text }
        };
        let mut cells = vec![shown(bytes / 1e6, 2), month.map(|gb| shown(gb, 3)).unwrap_or_default()];
        if let Some(price) = &self.price {
            cells.push(month.map(|gb| shown(gb * price.amount, 2)).unwrap_or_default());
        }
        cells
    }

    fn table(&self, name: &str, with_rows: bool, rows: impl Iterator<Item = (String, Option<u64>, f64)>) -> String {
        let mut header = vec![name];
        if with_rows {
            header.push("rows");
        }
        header.extend(["MB", "GB a month"]);
        let money = self.price.as_ref().map(|price| format!("{} a month", price.currency));
        header.extend(money.as_deref());
        let rows: Vec<Vec<String>> = rows
            .map(|(name, rows, bytes)| {
                let number = rows.map(|rows| rows.to_string());
                [Some(name), number].into_iter().flatten().chain(self.cells(bytes)).collect()
            })
            .collect();
        table(&header, &rows)
    }

    pub(super) fn text(&self) -> String {
        let Some((oldest, newest)) = self.span else { return "nothing would be sent of these records\n".to_owned() };
        let days = newest.saturating_sub(oldest) as f64 / DAY_MS;
        let mut text = format!("records from {} to {}: {days:.2} days\n\n", time::format_ms(oldest), time::format_ms(newest));
        let used = |(name, used): &(String, Used)| (name.clone(), Some(used.rows), used.bytes as f64);
        let total = ("total".to_owned(), self.sum());
        text += &self.table("type", true, self.lines.iter().chain([&total]).map(used));
        for (what, shown, all) in [("account", &self.accounts, self.all_accounts), ("rule", &self.rules, self.all_rules)] {
            let some = if shown.len() < all { format!(", {} of {all}", shown.len()) } else { String::new() };
            text += &format!("\nby {what}{some}\n\n");
            text += &self.table(what, true, shown.iter().map(used));
        }
        text += "\nwhat a setting saves (less than 0: it costs more)\n\n";
        text += &self.table("setting", false, self.savings.iter().map(|(name, bytes)| (name.clone(), None, *bytes as f64)));
        match self.to_month() {
            None => text += "\nless than an hour of records: nothing is said of a month\n",
            Some(factor) => {
                let month = self.sum().bytes as f64 * factor;
                let free = FREE_BYTES / 1_000_000_000;
                let word = if month <= FREE_BYTES as f64 { "within" } else { "more than" };
                text += &format!("\n{word} the {free} GB a month that cost nothing, if nothing else is sent");
                text += if self.price.is_some() {
                    "; money is what every GB would cost\n"
                } else {
                    "; --price \"0.40 USD\" tells money\n"
                };
            }
        }
        text + "heartbeats, posture and identities come on top: `cspm-relay check` estimates them\n"
    }

    pub(super) fn json(&self) -> Value {
        let factor = self.to_month();
        let month = |bytes: f64| factor.map(|factor| (bytes * factor).round());
        let money = |bytes: f64| Some(month(bytes)? / GB * self.price.as_ref()?.amount);
        let one = |(name, used): &(String, Used)| {
            let bytes = used.bytes as f64;
            json!({ "name": name, "rows": used.rows, "bytes": used.bytes, "bytesPerMonth": month(bytes), "pricePerMonth": money(bytes) })
        };
        let many = |all: &[(String, Used)]| all.iter().map(one).collect::<Vec<_>>();
        let savings: Vec<Value> = self
            .savings
            .iter()
            .map(|(name, bytes)| {
                let of = *bytes as f64;
                json!({ "setting": name, "bytes": bytes, "bytesPerMonth": month(of), "pricePerMonth": money(of) })
            })
            .collect();
        json!({
            "from": self.span.map(|(oldest, _)| time::format_ms(oldest)), "to": self.span.map(|(_, newest)| time::format_ms(newest)),
            "currency": self.price.as_ref().map(|price| &price.currency),
            "types": many(&self.lines), "total": one(&("total".to_owned(), self.sum())),
            "accounts": many(&self.accounts), "accountCount": self.all_accounts,
            "rules": many(&self.rules), "ruleCount": self.all_rules,
            "savings": savings,
        })
    }
}
