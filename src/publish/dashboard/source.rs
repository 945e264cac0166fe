//! The definition as it is written.
//!
//! In: YAML files: `dashboard.yml` (names, variables, words that queries share, colours), `labels.yml` (every label of a query in
//! Japanese) and one file a page. Out: a [`Definition`]. What always holds: an unknown key is a fault with file and line; what the
//! keys *say* is judged by [`lint`](super::lint) alone, so that a definition with faults can be read and all of them told.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::files::{DASHBOARD, LABELS, SHIPPED};

/// A language of the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English, in which labels are written.
    English,
    /// Japanese.
    Japanese,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::Japanese];
}

/// The same in both languages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Both {
    /// English.
    #[serde(default)]
    pub en: String,
    /// Japanese.
    #[serde(default)]
    pub ja: String,
}

impl Both {
    /// In one language.
    #[must_use]
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::English => &self.en,
            Language::Japanese => &self.ja,
        }
    }
}

/// What all pages share: `dashboard.yml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shared {
    /// Of the dashboard.
    pub name: Both,
    /// Of the dashboard.
    pub description: Both,
    /// IANA name of the zone of calendar functions and of days in metrics.
    pub timezone: Both,
    /// Names of the files of the pages, without `.yml`, in the order shown.
    pub pages: Vec<String>,
    /// Variables of the dashboard.
    pub variables: Vec<VariableSource>,
    /// What `[[word]]` in a query stands for.
    pub words: BTreeMap<String, String>,
    /// Colours by the label or value that names a series, by the name of the palette.
    pub palettes: BTreeMap<String, BTreeMap<String, String>>,
}

/// A variable of the dashboard: `{{name}}` in queries.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariableSource {
    /// A letter, then letters, digits, `_`.
    pub name: String,
    /// What people see.
    pub title: Both,
    /// Where values come from.
    #[serde(rename = "type")]
    pub kind: VariableKind,
    /// Several at once: asked with `IN`.
    #[serde(default)]
    pub multiple: bool,
    /// Of `NRQL`: gives the values, by `uniques()`.
    #[serde(default)]
    pub query: Option<String>,
    /// Of `ENUM`: the values.
    #[serde(default)]
    pub items: Vec<String>,
    /// At first.
    pub default: Vec<String>,
}

/// Where the values of a variable come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum VariableKind {
    /// Any text.
    String,
    /// A list.
    Enum,
    /// A query.
    Nrql,
}

impl VariableKind {
    /// New Relic's word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::String => "STRING",
            Self::Enum => "ENUM",
            Self::Nrql => "NRQL",
        }
    }
}

/// A page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageSource {
    /// In the tabs.
    pub name: Both,
    /// What it is about.
    pub description: Both,
    /// Whether its queries may name variables. A page without them prints to PDF.
    #[serde(default = "yes")]
    pub variables: bool,
    /// What it shows.
    pub widgets: Vec<WidgetSource>,
}

fn yes() -> bool {
    true
}

/// A widget.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WidgetSource {
    /// Names it, in this definition alone.
    pub id: String,
    /// Above it.
    pub title: Both,
    /// What it answers.
    #[serde(default)]
    pub question: Both,
    /// Requirements that ask for it.
    #[serde(default)]
    pub answers: Vec<String>,
    /// New Relic's name of the way it is drawn.
    pub visualization: String,
    /// Where.
    pub layout: Layout,
    /// Whose window counts.
    #[serde(default)]
    pub window: Window,
    /// What is asked; none of `viz.markdown`.
    #[serde(default)]
    pub queries: Vec<String>,
    /// Of `viz.markdown`.
    #[serde(default)]
    pub text: Option<Both>,
    /// Raw configuration as New Relic has it, labels in English.
    #[serde(default)]
    pub options: Map<String, Value>,
    /// A palette of `dashboard.yml`.
    #[serde(default)]
    pub palette: Option<String>,
    /// Columns of a table that grow redder with the count.
    #[serde(default)]
    pub heat: Vec<String>,
}

/// Where a widget stands, in cells. 12 columns; rows as many as there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// From 1.
    pub column: u32,
    /// From 1.
    pub row: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// Whose window counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Window {
    /// That of the time picker; the query's own only while the picker stands at "default".
    #[default]
    Picker,
    /// That of the query, because it is part of the question.
    Own,
}

/// The definition of the dashboard.
#[derive(Debug, Clone)]
pub struct Definition {
    /// What pages share.
    pub shared: Shared,
    /// English label → Japanese.
    pub labels: BTreeMap<String, String>,
    /// The pages in the order shown: name of the file without `.yml`, the page.
    pub pages: Vec<(String, PageSource)>,
    /// Text of every file, to tell lines.
    pub(super) texts: BTreeMap<String, String>,
}

/// A definition that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// A file is not there.
    #[error("{file}: no such file among those of the definition")]
    Missing {
        /// Which.
        file: String,
    },
    /// A file says something that means nothing.
    #[error("{file}:{line}: {message}")]
    Unreadable {
        /// Which.
        file: String,
        /// From 1; 0: unknown.
        line: u64,
        /// What and why.
        message: String,
    },
}

impl Definition {
    /// The one that is built in.
    ///
    /// # Errors
    /// None that a test has not seen.
    pub fn shipped() -> Result<Self, DefinitionError> {
        Self::read(SHIPPED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())))
    }

    /// Reads files: name and text of each.
    ///
    /// # Errors
    /// The first file that is missing or cannot be read.
    pub fn read(files: impl IntoIterator<Item = (String, String)>) -> Result<Self, DefinitionError> {
        let texts: BTreeMap<String, String> = files.into_iter().collect();
        let shared: Shared = read(&texts, DASHBOARD)?;
        let labels = read(&texts, LABELS)?;
        let mut pages = Vec::new();
        for name in &shared.pages {
            pages.push((name.clone(), read(&texts, &format!("{name}.yml"))?));
        }
        Ok(Self { shared, labels, pages, texts })
    }

    /// Every widget with the name of its page.
    pub fn widgets(&self) -> impl Iterator<Item = (&str, &WidgetSource)> {
        self.pages.iter().flat_map(|(name, page)| page.widgets.iter().map(move |widget| (name.as_str(), widget)))
    }

    /// The label in a language; English where there is no Japanese.
    pub(super) fn label<'a>(&'a self, label: &'a str, language: Language) -> &'a str {
        match language {
            Language::English => label,
            Language::Japanese => self.labels.get(label).map_or(label, String::as_str),
        }
    }
}

/// Reads one file of many.
pub(in crate::publish) fn read<T: serde::de::DeserializeOwned>(
    texts: &BTreeMap<String, String>,
    file: &str,
) -> Result<T, DefinitionError> {
    let text = texts.get(file).ok_or_else(|| DefinitionError::Missing { file: file.to_owned() })?;
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let line = error.location().map_or(0, |location| location.line());
        let message = error.without_snippet().to_string();
        let message = message.lines().next().unwrap_or_default().to_owned();
        DefinitionError::Unreadable { file: file.to_owned(), line, message }
    })
}
