//! The preview in a real browser: every visualization is drawn, says what the rows say, and can be used without a mouse.
//!
//! The rows are made up (`tests/fixtures/preview`): one event type for each widget.

mod alerts;
mod masked;
mod shipped;

use std::collections::BTreeSet;
use std::sync::Arc;

use cspm_relay::clock::Clock;
use cspm_relay::lab::preview::{Answers, Arrival, Asked, Language, Mask, Position, Preview, Refusal, Settings};
use cspm_relay::nrql::ast::{Source, Statement};
use serde_json::{Value, json};

use super::support::agent::is_lean;
use super::support::browser::Browser;

const ENGLISH: &str = include_str!("../../fixtures/preview/dashboard.json");
const JAPANESE: &str = include_str!("../../fixtures/preview/dashboard.ja.json");
const ANSWERS: &str = include_str!("../../fixtures/preview/answers.json");

/// Rows by event type, as text: parsed, their names would lose their order. Keeps what was asked.
struct MadeUp {
    asked: std::sync::Mutex<Vec<String>>,
}

impl Answers for MadeUp {
    fn answer(&self, asked: &Asked) -> Result<String, Refusal> {
        self.asked.lock().unwrap().push(asked.statement.to_string());
        let Statement::Select(query) = &asked.statement else { panic!("{}", asked.text) };
        let Some(Source::Type(name)) = query.from.first() else { panic!("{}", asked.text) };
        if name.text == "Refused" {
            let start = asked.text.find("TIMESERIES").unwrap();
            let position = Some(Position { start, end: start + "TIMESERIES 1 second".len() });
            return Err(Refusal { message: "604800 buckets; allowed: 366".to_owned(), position });
        }
        let (_, after) = ANSWERS.split_once(&format!("\n\"{}\": ", name.text)).unwrap();
        // The last one is followed by the end of all.
        let own = after.split_once(",\n\"").map(|(own, _)| own).or_else(|| after.trim_end().strip_suffix('}'));
        Ok(own.unwrap().to_owned())
    }

    fn knows(&self, _: &str, _: &str) -> bool {
        true
    }
}

struct Scene {
    browser: Browser,
    answers: Arc<MadeUp>,
    preview: Preview,
}

impl Scene {
    /// A preview and a browser; `None`: there is no browser, or this is the lean run, which has no preview.
    async fn new(mask: bool, width: u32) -> Option<Self> {
        Self::of(width, Clock::fixed(1_795_788_000_000), None, mask).await
    }

    /// One whose data come while it is looked at.
    async fn live(clock: Clock, arrival: Arrival) -> Option<Self> {
        Self::of(1_400, clock, Some(arrival), false).await
    }

    async fn of(width: u32, clock: Clock, live: Option<Arrival>, mask: bool) -> Option<Self> {
        if is_lean() {
            return None;
        }
        let browser = tokio::task::spawn_blocking(move || Browser::start(width, 1_000)).await.unwrap()?;
        let answers = Arc::new(MadeUp { asked: std::sync::Mutex::default() });
        let settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            dashboards: vec![(Language::English, ENGLISH.to_owned()), (Language::Japanese, JAPANESE.to_owned())],
            language: Language::English,
            zones: Language::ALL.into_iter().map(|language| (language, "Asia/Tokyo".to_owned())).collect(),
            clock,
            live,
            mask: mask.then(|| Arc::new(Mask::new())),
            alerts: None,
        };
        let preview = Preview::start(settings, Arc::clone(&answers) as Arc<dyn Answers>).await.unwrap();
        Some(Self { browser, answers, preview })
    }

    fn open(&mut self, query: &str) {
        let address = format!("{}/?{query}", self.preview.url());
        self.browser.open(&address);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.answers.asked.lock().unwrap())
    }

    /// Kind and state of every widget.
    fn states(&mut self) -> Vec<(String, String)> {
        let states =
            self.browser.value("[...document.querySelectorAll('.widget')].map((card) => [card.dataset.viz, card.dataset.state])");
        serde_json::from_value(states).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_widget_of_every_page_is_drawn_without_a_word_on_the_console() {
    let Some(mut scene) = Scene::new(false, 1_400).await else { return };
    let mut seen = BTreeSet::new();
    for language in ["en", "ja"] {
        for page in 0..3 {
            for theme in ["light", "dark"] {
                scene.open(&format!("lang={language}&page={page}&theme={theme}"));
                for (kind, state) in scene.states() {
                    let title = format!("{kind} on page {page}, {language}, {theme}");
                    // Three widgets of the last page are meant to fail, one to be empty.
                    let expected: &[&str] = if page == 2 { &["ready", "error", "empty"] } else { &["ready"] };
                    assert!(expected.contains(&state.as_str()), "{title}: {state}");
                    seen.insert(kind);
                }
                // Each chart has a picture of its size.
                let flat =
                    "[...document.querySelectorAll('.chart-canvas')].filter((one) => !one.querySelector('canvas')?.width).length";
                assert_eq!(scene.browser.value(flat), 0, "page {page}, {language}, {theme}");
                assert_eq!(scene.browser.wrongs(), [] as [String; 0], "page {page}, {language}, {theme}");
            }
        }
    }
    let drawn: Vec<&str> = seen.iter().map(String::as_str).collect();
    let all = [
        "logger.log-table-widget",
        "nerdpack.custom-viz",
        "viz.area",
        "viz.bar",
        "viz.billboard",
        "viz.bullet",
        "viz.event-feed",
        "viz.funnel",
        "viz.heatmap",
        "viz.histogram",
        "viz.json",
        "viz.line",
        "viz.markdown",
        "viz.pie",
        "viz.stacked-bar",
        "viz.table",
    ];
    assert_eq!(drawn, all);
    scene.open("page=2");
    let failed = scene.states().into_iter().filter(|(_, state)| state == "error").map(|(kind, _)| kind).collect::<Vec<_>>();
    assert_eq!(failed, ["viz.table", "viz.line", "nerdpack.custom-viz"]);
    let marks = scene.browser.value("[...document.querySelectorAll('.query mark')].map((mark) => mark.textContent)");
    assert_eq!(marks, json!(["WERE", "TIMESERIES 1 second"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_what_the_rows_say() {
    let Some(mut scene) = Scene::new(false, 1_400).await else { return };
    let answers: Value = serde_json::from_str(ANSWERS).unwrap();
    scene.open("page=0");
    let values = scene.browser.value("[...document.querySelectorAll('[aria-label=\"Sign-ins and root\"] .tile-value')].map((tile) => Number(tile.dataset.value))");
    assert_eq!(values, json!([12, 1, 0, 431]));
    let severities = "[...document.querySelectorAll('[aria-label=\"Sign-ins and root\"] .tile')].map((tile) => tile.querySelector('.tile-severity')?.textContent ?? '')";
    assert_eq!(scene.browser.value(severities), json!(["Warning", "Warning", "", "Critical"]));
    let rows = "[...document.querySelectorAll('section[aria-label=\"By control: today, this week\"] tbody tr')].map((row) => [...row.cells].map((cell) => JSON.parse(cell.dataset.value)))";
    let mut expected: Vec<Value> = answers["Table"]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            json!([row["control.severity"], row["control.id"], row["Today"], row["This week"], row["Compliant %"], row["Newest"]])
        })
        .collect();
    // Sorted as the widget says, what is missing at the end.
    expected.sort_by_key(|row| std::cmp::Reverse(row[2].as_i64().unwrap_or(-1)));
    assert_eq!(scene.browser.value(rows), Value::Array(expected));
    // The table behind a chart is the rows.
    scene.open("page=1");
    for (title, event_type, column) in [
        ("Detections per account", "Bar", "count"),
        ("Rules now", "Pie", "Rules"),
        ("Compliance, 30 days", "Trend", "percentRules"),
    ] {
        let card = format!("document.querySelector('section[aria-label=\"{title}\"]')");
        scene.browser.value(&format!("{card}.querySelector('.widget-menu').click()"));
        scene.browser.value(&format!("{card}.querySelector('.menu-item').click()"));
        let shown = scene.browser.value(&format!(
            "(() => {{ const table = {card}.querySelector('table'); const at = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent === '{column}'); \
             return [...table.tBodies[0].rows].map((row) => JSON.parse(row.cells[at].dataset.value)); }})()"
        ));
        let rows = answers[event_type]["results"].as_array().unwrap();
        assert_eq!(shown, rows.iter().map(|row| row[column].clone()).collect::<Value>(), "{title}");
    }
    assert_eq!(scene.browser.wrongs(), [] as [String; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_tabs_for_the_keyboard_and_charts_have_words() {
    let Some(mut scene) = Scene::new(false, 1_400).await else { return };
    scene.open("page=0");
    scene.browser.value("document.getElementById('tab-0').focus()");
    for (key, focus) in [
        ("ArrowRight", "tab-1"),
        ("ArrowRight", "tab-2"),
        ("ArrowRight", "tab-0"),
        ("End", "tab-2"),
        ("Home", "tab-0"),
        ("ArrowLeft", "tab-2"),
        ("ArrowLeft", "tab-1"),
    ] {
        scene.browser.press(key);
        scene.browser.ready();
        assert_eq!(scene.browser.value("document.activeElement.id"), focus, "{key}");
        assert_eq!(scene.browser.value("document.querySelector('[role=tab][aria-selected=true]').id"), focus, "{key}");
        assert_eq!(scene.browser.value("document.querySelectorAll('[role=tab][tabindex=\"0\"]').length"), 1, "{key}");
    }
    let labels: Vec<String> = serde_json::from_value(
        scene.browser.value("[...document.querySelectorAll('[role=img]')].map((one) => one.getAttribute('aria-label'))"),
    )
    .unwrap();
    assert_eq!(labels.len(), 10);
    assert_eq!(labels[6], "Rules now. Pie chart; 1 series, 3 values. Highest: COMPLIANT, 131.");
    // A menu opens and closes by keys, and gives the focus back.
    scene.browser.value("document.querySelector('.widget-menu').focus()");
    scene.browser.press("Enter");
    assert_eq!(scene.browser.value("document.activeElement.className"), "menu-item");
    scene.browser.press("Escape");
    assert_eq!(scene.browser.value("document.activeElement.className"), "widget-menu");
    // Everything that can be used has a name.
    let unnamed = "[...document.querySelectorAll('button, select, input, a, [role=region]')].filter((one) => !(one.getAttribute('aria-label') || one.textContent.trim() || one.labels?.length || one.id === 'skip')).map((one) => one.outerHTML)";
    assert_eq!(scene.browser.value(unnamed), json!([]));
    assert_eq!(scene.browser.wrongs(), [] as [String; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_time_and_clicks_reach_the_queries() {
    let Some(mut scene) = Scene::new(false, 1_400).await else { return };
    scene.open("page=0");
    let asked = scene.asked();
    let of = |asked: &[String], event_type: &str| {
        asked.iter().find(|query| query.contains(&format!("FROM {event_type}"))).unwrap().clone()
    };
    // "All" is the whole list that the variable's query found.
    assert!(of(&asked, "Several").contains("WHERE aws.region IN ('ap-northeast-1', 'eu-central-1', 'us-east-1')"), "{asked:?}");
    assert!(of(&asked, "Table").contains("WHERE aws.accountId LIKE '%'"), "{asked:?}");
    let input = "document.querySelector('.variables input[type=text]')";
    scene.browser.value(&format!(
        "(() => {{ const input = {input}; input.value = '1111%'; input.dispatchEvent(new Event('change')); }})()"
    ));
    scene.browser.ready();
    assert!(of(&scene.asked(), "Table").contains("WHERE aws.accountId LIKE '1111%'"));
    // The picker replaces SINCE, but not of a widget that keeps its own window.
    scene.open("page=0&time=7d");
    let asked = scene.asked();
    assert!(of(&asked, "Single").ends_with("SINCE 1795183200000 UNTIL 1795788000000"), "{asked:?}");
    assert!(!of(&asked, "Percentiles").contains("SINCE"), "{asked:?}");
    // A click on a group filters every widget, once; a second click on the chip's button ends it.
    scene.browser.value(
        "[...document.querySelectorAll('.cell-filter')].find((button) => button.textContent === 'iam-user-created').click()",
    );
    scene.browser.ready();
    let asked = scene.asked();
    assert!(asked.iter().all(|query| query.contains("WHERE control.id = 'iam-user-created'")), "{asked:?}");
    scene.browser.value("document.querySelector('.chip button').click()");
    scene.browser.ready();
    assert!(scene.asked().iter().all(|query| !query.contains("iam-user-created")));
    assert_eq!(scene.browser.wrongs(), [] as [String; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_phone_widgets_stand_in_one_column_and_nothing_sticks_out() {
    let Some(mut scene) = Scene::new(false, 500).await else { return };
    for page in 0..3 {
        scene.open(&format!("page={page}&lang=ja"));
        let lefts = "new Set([...document.querySelectorAll('.widget')].map((card) => Math.round(card.getBoundingClientRect().left))).size";
        assert_eq!(scene.browser.value(lefts), 1, "page {page}");
        let wide = "[...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.table-scroll, .tabs, .log')).map((one) => one.outerHTML.slice(0, 120))";
        assert_eq!(scene.browser.value(wide), json!([]), "page {page}");
        assert_eq!(scene.browser.value("document.documentElement.scrollWidth <= innerWidth"), true, "page {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_mask_nothing_of_the_rows_stands_on_the_page() {
    let Some(mut scene) = Scene::new(true, 1_400).await else { return };
    for page in 0..3 {
        scene.open(&format!("page={page}"));
        scene.browser.value("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
        scene.browser.until("[...document.querySelectorAll('details')].every((one) => one.childElementCount === 2)");
        let text = scene.browser.value("document.documentElement.outerHTML");
        let text = text.as_str().unwrap();
        for word in ["111122223333", "555566667777", "alice", "bob.sato", "prod-payments", "198.51.77.", "AKIAJKLMNOPQRSTUVWXY"] {
            assert!(!text.contains(word), "{word} on page {page}");
        }
        assert_eq!(scene.browser.wrongs(), [] as [String; 0]);
    }
    // What a click sends back is understood.
    scene.open("page=0");
    scene.asked();
    scene.browser.value("document.querySelector('section[aria-label=\"Violating resources\"] .cell-filter').click()");
    scene.browser.ready();
    assert!(scene.asked().iter().all(|query| query.contains("WHERE aws.accountName = 'prod-payments'")));
}

/// As long as a feed goes on, numbers that do not agree are no surprise: the page says so, and stops saying it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_still_being_sent_is_said() {
    let (clock, arrival) = (Clock::fixed(1_795_788_000_000), Arrival::default());
    let Some(mut scene) = Scene::live(clock.clone(), arrival.clone()).await else { return };
    let said = "document.getElementById('arriving').textContent";
    scene.open("lang=en");
    let text = scene.browser.value(said);
    assert_eq!(
        text,
        "Data are still being sent; their clock shows Nov 27, 2026, 23:00:00. Until all are in, numbers grow and need not agree \
         with each other."
    );
    scene.open("lang=ja");
    let text = scene.browser.value(said);
    assert!(
        text.as_str().is_some_and(|text| text.starts_with("データを送信中です (データ上の時刻: 2026/11/27 23:00:00)")),
        "{text}"
    );
    assert_eq!(scene.browser.value("document.getElementById('arriving').checkVisibility()"), true);
    arrival.whole();
    clock.advance_to(1_795_788_001_000);
    scene.browser.until("!document.getElementById('arriving').checkVisibility()");
    assert_eq!(scene.browser.wrongs(), [] as [String; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_never_written_as_nothing() {
    let Some(mut scene) = Scene::new(false, 1_400).await else { return };
    scene.open("lang=en");
    let written = "import('/assets/number.js').then(({ humanised, exact }) => \
                   [0, 0.004, 0.005, -0.004, 1e-9].map((value) => humanised(value)).concat(exact(0.00002), exact(-2, 0)))";
    assert_eq!(scene.browser.value(written), json!(["0", "<0.01", "0.01", ">−0.01", "<0.01", "<0.0001", "−2"]));
}
