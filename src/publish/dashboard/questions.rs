//! The questions that the dashboard answers, as Markdown.
//!
//! In: the definition. Out: one table a page: widget, question, how it is drawn, requirements. What always holds: every widget has a
//! row, in the order in which it stands on the page.

use super::source::{Definition, Language, PageSource, WidgetSource, Window};

/// The tables in one language.
#[must_use]
pub fn questions(definition: &Definition, language: Language) -> String {
    definition.pages.iter().enumerate().map(|(place, (_, page))| page_table(place, page, language)).collect::<Vec<_>>().join("\n")
}

fn page_table(place: usize, page: &PageSource, language: Language) -> String {
    let header = match language {
        Language::English => "| widget | question | drawn as | window | requirements |",
        Language::Japanese => "| ウィジェット | 問い | 表示 | 期間 | 要件 |",
    };
    let mut text = format!(
        "### {place}. {}\n\n{}\n\n{header}\n| --- | --- | --- | --- | --- |\n",
        page.name.get(language),
        page.description.get(language)
    );
    for widget in &page.widgets {
        text += &row(widget, language);
    }
    text
}

fn row(widget: &WidgetSource, language: Language) -> String {
    let window = match (widget.window, language) {
        (Window::Own, Language::English) => "its own",
        (Window::Picker, Language::English) => "time picker",
        (Window::Own, Language::Japanese) => "固定",
        (Window::Picker, Language::Japanese) => "タイムピッカー",
    };
    let cell = |text: &str| text.replace('|', "\\|");
    let drawn = widget.visualization.trim_start_matches("viz.");
    let (title, question) = (cell(widget.title.get(language)), cell(widget.question.get(language)));
    format!("| {title} | {question} | {drawn} | {window} | {} |\n", widget.answers.join(", "))
}
