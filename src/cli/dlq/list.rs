//! `dlq list`: what is in the dead letters, without changing anything.
//!
//! In: sheets of letters. Out: one row per letter, a count per reason, and every line that is no letter with its place. The
//! content is left out unless asked for: it may hold what people did.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::super::exit::{Exit, region_hint};
use super::super::table::table;
use super::{Format, Where, harmless, say};
use crate::config::{Need, env};
use crate::deliver::Letter;
use crate::deliver::mailbox::{Mailbox, Sheet};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Where,
    /// Show what is in the letters too
    #[arg(long)]
    content: bool,
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    let config = args.place.load(Need::LOCAL, &env::Process)?;
    let mut mailbox = Mailbox::new(args.place.target(&config).await?);
    let mut list = List { content: args.content, ..List::default() };
    let mut failed = false;
    loop {
        match mailbox.next().await {
            Ok(None) => break,
            Ok(Some(sheet)) => list.add(sheet),
            Err(error) => {
                failed = true;
                say(&format!("error: {error}"));
                if let Some(hint) = region_hint(&error.to_string()) {
                    say(&format!("  hint: {hint}"));
                }
            }
        }
    }
    if let Err(error) = mailbox.close().await {
        say(&format!("warning: {error}; they show again by themselves within two minutes"));
    }
    super::super::print(&match args.place.format {
        // Nobody could look, so nobody knows that there are none.
        Format::Text if failed && list.is_empty() => String::new(),
        Format::Text => list.text(),
        Format::Json => list.json().to_string() + "\n",
    })?;
    Ok(if failed {
        Exit::Failed
    } else if list.broken.is_empty() {
        Exit::Good
    } else {
        Exit::Found
    })
}

#[derive(Default)]
struct List {
    content: bool,
    letters: Vec<(String, Letter)>,
    broken: Vec<(String, String)>,
    reasons: BTreeMap<String, u64>,
}

impl List {
    fn add(&mut self, sheet: Sheet) {
        for line in sheet.lines {
            match line.letter {
                Ok(mut letter) => {
                    if !self.content {
                        (letter.content, letter.content_base64) = (None, None);
                    }
                    *self.reasons.entry(letter.reason.clone()).or_default() += 1;
                    self.letters.push((line.place, letter));
                }
                Err(why) => {
                    say(&format!("{}: {}", harmless(&line.place), harmless(&why)));
                    self.broken.push((line.place, why));
                }
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.letters.is_empty() && self.broken.is_empty()
    }

    fn text(&self) -> String {
        if self.is_empty() {
            return "No dead letters.\n".to_owned();
        }
        let rows: Vec<Vec<String>> = self.letters.iter().map(|(_, letter)| row(letter)).collect();
        let mut text = table(&["id", "when", "kind", "source", "origin", "record", "reason"], &rows);
        if self.content {
            for (_, letter) in &self.letters {
                let content = letter.content.as_ref().or(letter.content_base64.as_ref()).map_or("(none)", String::as_str);
                // Writing to a String cannot fail.
                let _ok = write!(text, "\n{}\n{}\n", letter.id, harmless(content)).is_ok();
            }
        }
        let mut reasons: Vec<(&String, &u64)> = self.reasons.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let reasons: Vec<Vec<String>> =
            reasons.into_iter().map(|(reason, count)| vec![count.to_string(), harmless(reason)]).collect();
        text.push('\n');
        text += &table(&["letters", "reason"], &reasons);
        if !self.broken.is_empty() {
            let _ok = write!(text, "\n{} lines are no letters; standard error names each.\n", self.broken.len()).is_ok();
        }
        text
    }

    fn json(&self) -> Value {
        let letters = self.letters.iter().map(|(place, letter)| {
            let mut shown = json!(letter);
            if let Some(letter) = shown.as_object_mut() {
                letter.insert("place".to_owned(), json!(place));
            }
            shown
        });
        json!({
            "letters": letters.collect::<Vec<_>>(),
            "reasons": self.reasons,
            "broken": self.broken.iter().map(|(place, why)| json!({ "place": place, "why": why })).collect::<Vec<_>>(),
        })
    }
}

/// One line of the table. Its record counts from 1, as in the log; the letter's `index` counts from 0.
fn row(letter: &Letter) -> Vec<String> {
    let when = jiff::Timestamp::from_millisecond(letter.time_ms);
    let when = when.map_or_else(|_| letter.time_ms.to_string(), |when| when.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    let record = letter.index.map_or_else(String::new, |index| index.saturating_add(1).to_string());
    let kind = format!("{:?}", letter.kind).to_lowercase();
    [&letter.id, &when, &kind, &letter.source, &letter.origin, &record, &letter.reason].map(|cell| harmless(cell)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::letter::LetterKind;

    fn list(content: bool) -> List {
        let mut list = List { content, ..List::default() };
        let letter = Letter::new(LetterKind::Record, 1_795_292_071_000, "trail", "s3://b/k", Some(3), "no record", b"{secret");
        list.reasons.insert(letter.reason.clone(), 1);
        let place = "f.ndjson:1".to_owned();
        let letter = if content { letter } else { Letter { content: None, ..letter } };
        list.letters.push((place, letter));
        list
    }

    #[test]
    fn a_list_names_everything_but_the_content() {
        let text = list(false).text();
        for part in ["2026-11-21T", "record", "trail", "s3://b/k", " 4 ", "no record"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("secret"), "{text}");
        assert!(list(true).text().contains("{secret"));
        let json = list(false).json();
        assert_eq!((&json["letters"][0]["kind"], &json["letters"][0]["place"]), (&json!("record"), &json!("f.ndjson:1")));
        assert_eq!(json["letters"][0]["index"], 3, "as the letter has it");
        assert_eq!((json["letters"][0].get("content"), &json["reasons"]["no record"]), (None, &json!(1)));
        assert_eq!(List::default().text(), "No dead letters.\n");
    }
}
