//! The page Alerts in a real browser: the list and one condition, in both languages, by mouse, keys and address.
//!
//! The rows are made up: one account opens an incident, another stays below, and one condition has no rows.

use std::sync::Arc;

use cspm_relay::clock::Clock;
use cspm_relay::lab::backtest::Tested;
use cspm_relay::lab::engine;
use cspm_relay::lab::preview::alerts::{Alerts, Arrived, Policy, Shown};
use cspm_relay::lab::preview::{FromStore, Language, Preview, Settings};
use cspm_relay::lab::store::Store;
use cspm_relay::lab::streaming::issue::Preference;
use cspm_relay::nrql::condition::{Comparison, Condition, Fill, Kind, Method, Occurrences, Priority, Signal, Term};
use serde_json::{Value, json};

use super::{ENGLISH, JAPANESE};
use crate::support::agent::is_lean;
use crate::support::browser::Browser;

const NOW_MS: i64 = 1_795_788_000_000;
const MINUTE_MS: i64 = 60_000;

fn shown(id: &str, query: &str, language: Language) -> Shown {
    let text = |english: &str, japanese: &str| match language {
        Language::English => english.to_owned(),
        Language::Japanese => japanese.to_owned(),
    };
    let term = |priority, threshold| Term {
        priority,
        comparison: Comparison::AboveOrEquals,
        threshold,
        duration_s: 300,
        occurrences: Occurrences::AtLeastOnce,
    };
    Shown {
        tested: Tested {
            policy: "own".to_owned(),
            policy_name: "Own".to_owned(),
            preference: Preference::Policy,
            id: id.to_owned(),
            enabled: true,
            runbook: "https://docs.aws.amazon.com/".to_owned(),
            condition: Condition {
                name: text("Many failed sign-ins", "サインイン失敗の多発"),
                query: query.to_owned(),
                kind: Kind::Static,
                signal: Signal {
                    window_s: 300,
                    slide_s: None,
                    method: Method::EventTimer { timer_s: 60 },
                    fill: Fill::None,
                    evaluation_delay_s: 0,
                },
                terms: vec![term(Priority::Critical, 5.0), term(Priority::Warning, 3.0)],
                expiration: None,
                time_limit_s: 86_400,
            },
        },
        because: "It is rare.".to_owned(),
        question: text("Who fails to sign in?", "誰がサインインに失敗しているか。"),
        value: text("failed sign-ins", "失敗の件数"),
        opens: vec![text(
            "CRITICAL when failed sign-ins in 5 minutes: at least 5.",
            "CRITICAL: 5 分あたりの失敗が 5 以上のとき。",
        )],
        closes: text("Closes when the value is good again.", "値が正常に戻ればクローズ。"),
        reasons: vec![(Priority::Critical, "Five are no typing error.".to_owned())],
        silence: String::new(),
        title: text("{{tag.account}}: many failures", "{{tag.account}} で失敗が多発"),
        description: "<b>{{tag.account}}</b>".to_owned(),
        response: String::new(),
        tuning: "`WHERE x`".to_owned(),
        remark: None,
    }
}

/// Minutes before now, and how many rows then.
fn rows() -> Store {
    let store = Store::in_memory();
    for (account, moments) in
        [("prod", &[(600, 1), (300, 6), (290, 1), (60, 3), (50, 1)][..]), ("<i>dev</i>", &[(300, 1), (10, 2)])]
    {
        for (minutes, number) in moments {
            for _ in 0..*number {
                let time = NOW_MS - minutes * MINUTE_MS;
                let row = json!({ "timestamp": time, "aws.accountName": account });
                store.append_json("Failure", row.as_object().expect("an object"), time);
            }
        }
    }
    store
}

async fn scene() -> Option<(Browser, Preview)> {
    if is_lean() {
        return None;
    }
    let browser = tokio::task::spawn_blocking(|| Browser::start(1_440, 1_000)).await.expect("a browser")?;
    let store = rows();
    let policies = Language::ALL.map(|language| {
        let conditions = vec![
            shown("absent", "SELECT count(*) FROM Nothing", language),
            shown("failures", "SELECT count(*) FROM Failure FACET aws.accountName AS account", language),
        ];
        let policy = Policy { key: "own".to_owned(), name: "Own".to_owned(), preference: "PER_POLICY".to_owned(), conditions };
        (language, vec![policy])
    });
    let settings = Settings {
        listen: "127.0.0.1:0".parse().expect("an address"),
        dashboards: vec![(Language::English, ENGLISH.to_owned()), (Language::Japanese, JAPANESE.to_owned())],
        language: Language::English,
        zones: Language::ALL.into_iter().map(|language| (language, "Asia/Tokyo".to_owned())).collect(),
        clock: Clock::fixed(NOW_MS),
        live: None,
        mask: None,
        alerts: Some(Alerts {
            policies: policies.to_vec(),
            rows: store.clone(),
            arrival: Arrived::AsStored,
            engine: engine::Settings::default(),
        }),
    };
    let answers = Arc::new(FromStore::new(store, engine::Settings::default()));
    Some((browser, Preview::start(settings, answers).await.expect("a preview")))
}

/// Texts of the cells of every row below an element.
fn cells(browser: &mut Browser, of: &str) -> Vec<Vec<String>> {
    let rows = browser.value(&format!(
        "[...document.querySelectorAll('{of} tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent.trim()))"
    ));
    serde_json::from_value(rows).expect("texts")
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_are_listed_with_their_incidents_and_shown_one_by_one() {
    let Some((mut browser, preview)) = scene().await else { return };
    for (language, tab, name, absent, title, counted) in [
        (
            "en",
            "Alerts",
            "Many failed sign-ins",
            "Not judged: no rows of Nothing",
            "prod: many failures",
            "1 critical, 2 warning",
        ),
        (
            "ja",
            "アラート",
            "サインイン失敗の多発",
            "Nothing の行がないため、判定していません",
            "prod で失敗が多発",
            "重大 1 件、警告 2 件",
        ),
    ] {
        browser.open(&format!("{}/?lang={language}&page=alerts&theme=light", preview.url()));
        let selected = browser.value("document.querySelector('[role=tab][aria-selected=true]').textContent");
        assert_eq!(selected, tab);
        let rows = cells(&mut browser, ".alerts-list");
        assert_eq!(rows.len(), 2, "{rows:?}");
        // The one with incidents is first.
        let first: Vec<&str> = rows[0].iter().map(String::as_str).collect();
        assert_eq!((first[0], first[1], first[2], first[3]), (name, "CRITICAL ≥ 5WARNING ≥ 3", "1", "2"), "{rows:?}");
        assert_eq!(rows[1][2], absent, "{rows:?}");
        let facts = browser.value("document.querySelector('.alerts-facts').textContent");
        assert!(facts.as_str().is_some_and(|facts| facts.contains(counted)), "{facts}");
        assert_eq!(browser.value("document.querySelectorAll('.strip-critical').length"), 1);

        // By the keyboard, as a link is.
        browser.value("document.querySelector('.alerts-name').focus()");
        browser.press("Enter");
        browser.until("document.querySelector('.alerts')?.dataset.state === 'ready'");
        browser.ready();
        assert_eq!(browser.value("new URLSearchParams(location.search).get('condition')"), "failures");
        assert!(browser.value("document.querySelector('.alerts .chart-canvas canvas')?.width > 0") == Value::Bool(true));
        let legend = browser.value("[...document.querySelectorAll('.alerts .legend-name')].map((one) => one.textContent)");
        assert_eq!(legend, json!(["prod", "<i>dev</i>"]));
        let incidents = cells(&mut browser, ".alerts-incidents");
        let told: Vec<(&str, &str, &str)> =
            incidents.iter().map(|row| (row[0].as_str(), row[1].as_str(), row[6].as_str())).collect();
        let expected =
            [("WARNING", title, "account prod"), ("CRITICAL", title, "account prod"), ("WARNING", title, "account prod")];
        let mut sorted = told.clone();
        sorted.sort_unstable();
        let mut wanted = expected.to_vec();
        wanted.sort_unstable();
        assert_eq!(sorted, wanted);
        // What stands in a text is text.
        assert_eq!(browser.value("document.querySelectorAll('.alerts b, .alerts i').length"), 0);
        let settings = browser.value("document.querySelector('.alerts-settings').textContent");
        for part in ["SELECT count(*) FROM Failure", "EVENT_TIMER", "Five are no typing error.", "{{tag.account}}"] {
            assert!(settings.as_str().is_some_and(|text| text.contains(part)), "{part}: {settings}");
        }

        // Back to the list, and by address to one without rows.
        browser.value("history.back()");
        browser.until("document.querySelector('.alerts-list') !== null && document.documentElement.dataset.ready === 'true'");
        browser.open(&format!("{}/?lang={language}&condition=absent&theme=dark", preview.url()));
        let notice = browser.value("document.querySelector('.alerts-signal .notice strong').textContent");
        assert_eq!(notice, absent);
        assert_eq!(browser.value("document.querySelectorAll('.alerts canvas').length"), 0);
        assert_eq!(browser.wrongs(), Vec::<String>::new(), "{language}");
    }
}

/// The tab comes after the dashboard's own pages, and the time picker decides what is counted.
#[tokio::test(flavor = "multi_thread")]
async fn the_time_that_is_picked_decides_which_incidents_are_shown() {
    let Some((mut browser, preview)) = scene().await else { return };
    browser.open(&format!("{}/?lang=en&page=0", preview.url()));
    browser.value("[...document.querySelectorAll('[role=tab]')].at(-1).click()");
    browser.until("document.querySelector('.alerts-list tbody td:nth-child(3)')?.textContent === '1'");
    assert_eq!(browser.value("new URLSearchParams(location.search).get('page')"), "alerts");
    // Five hours ago the critical one was over.
    browser.open(&format!("{}/?lang=en&page=alerts&time=3h", preview.url()));
    let rows = cells(&mut browser, ".alerts-list");
    assert_eq!((&*rows[0][2], &*rows[0][3]), ("0", "1"), "{rows:?}");
    let (since, until) = (NOW_MS - 400 * MINUTE_MS, NOW_MS - 200 * MINUTE_MS);
    browser.open(&format!("{}/?lang=en&page=alerts&since={since}&until={until}", preview.url()));
    let rows = cells(&mut browser, ".alerts-list");
    assert_eq!((&*rows[0][2], &*rows[0][3]), ("1", "1"), "{rows:?}");
    assert_eq!(browser.wrongs(), Vec::<String>::new());
}
