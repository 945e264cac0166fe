//! A picture of every page, made by a headless Chromium.
//!
//! In: a running [`Preview`], a browser, a folder. Out: one PNG a page. What always holds: the browser gets a profile of its own,
//! which is removed; it talks to this machine only, as the page tells it to; a page is drawn to its whole height, when all its
//! widgets have their answers. Nothing is downloaded: without a browser there are no pictures.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::{Page, Preview};

/// Names under which Chromium and its kin are found, the best first.
const NAMES: [&str; 5] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/// Width of a picture, CSS pixels: twelve columns are read well.
const WIDTH: u32 = 1440;

/// Height in which a page is measured; no page becomes lower.
const LEAST_HEIGHT: u32 = 600;

/// Height of the tallest picture: beyond it, a browser's pictures are cut.
const MOST_HEIGHT: u32 = 16_000;

/// Pixels of a picture per CSS pixel.
const SCALE: u32 = 2;

/// How long the page's own clock may run until everything is drawn, one try after the other. It stands while the browser waits for
/// an answer and runs ahead of the world otherwise, so a busy machine needs more of it; nobody waits that long.
const PAGE_TIMES_MS: [u32; 3] = [20_000, 100_000, 500_000];

/// How long a browser may take in all for one picture.
const PATIENCE: Duration = Duration::from_mins(2);

/// Time between two looks whether the browser has ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What browsers are told on every start: nothing but the page, and no call home.
const FLAGS: [&str; 13] = [
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--mute-audio",
    "--no-proxy-server",
];

/// Light or dark pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// Dark on light.
    #[default]
    Light,
    /// Light on dark.
    Dark,
}

impl fmt::Display for Theme {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Light => "light",
            Self::Dark => "dark",
        })
    }
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// No browser is there.
    #[error("no headless browser on PATH; looked for: {}. Debian: apt-get install chromium", NAMES.join(", "))]
    NoBrowser,
    /// A file or folder could not be made.
    #[error("writing {}: {why}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// The browser did not start.
    #[error("starting {}: {why}", browser.display())]
    Start {
        /// Which.
        browser: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// The browser ended without what it was to make.
    #[error("drawing page {page:?}: {what}")]
    Draw {
        /// Name of the page.
        page: String,
        /// What happened.
        what: String,
    },
}

/// The browser to use, from the folders of `PATH`.
///
/// # Errors
/// [`ExportError::NoBrowser`].
pub fn browser(path: &OsStr) -> Result<PathBuf, ExportError> {
    let folders: Vec<PathBuf> = std::env::split_paths(path).collect();
    let all = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let runs = |file: &PathBuf| std::fs::metadata(file).is_ok_and(|about| about.is_file() && about.mode() & 0o111 != 0);
    all.into_iter().find(runs).ok_or(ExportError::NoBrowser)
}

/// Makes a picture of every page; `made` is told of each. Blocks until all are there: call it on a thread that may.
///
/// # Errors
/// [`ExportError`], with the first page that could not be drawn.
pub fn export(
    preview: &Preview,
    browser: &Path,
    folder: &Path,
    theme: Theme,
    made: &mut dyn FnMut(&Path),
) -> Result<Vec<PathBuf>, ExportError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |why| ExportError::Write { path, why }
    };
    std::fs::create_dir_all(folder).map_err(failed(folder))?;
    // Some browsers take a relative path to be in their own folder.
    let folder = std::path::absolute(folder).map_err(failed(folder))?;
    let profile = Profile::new(&folder).map_err(failed(&folder))?;
    let mut files = Vec::new();
    for page in preview.pages() {
        let address = format!(
            "{}/?picture&lang={}&dashboard={}&page={}&theme={theme}",
            preview.url(),
            page.language,
            page.dashboard,
            page.number
        );
        let run = Run { browser, profile: &profile.0, page: &page.name, address: &address };
        let (height, page_time_ms) = run.height()?;
        let file = folder.join(file_name(page));
        run.picture(height, page_time_ms, &file)?;
        made(&file);
        files.push(file);
    }
    Ok(files)
}

/// `en-1-overview.png`; a name that has nothing in ASCII leaves its number.
fn file_name(page: &Page) -> String {
    let letters = page.name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let words: String = letters.collect();
    let words: Vec<&str> = words.split('-').filter(|word| !word.is_empty()).collect();
    let dashboard = if page.dashboard == 0 { String::new() } else { format!("{}-", page.dashboard + 1) };
    let number = format!("{}-{dashboard}{}", page.language, page.number + 1);
    let parts: Vec<&str> = std::iter::once(number.as_str()).chain(words).collect();
    format!("{}.png", parts.join("-"))
}

/// One page in one browser.
struct Run<'a> {
    browser: &'a Path,
    profile: &'a Path,
    page: &'a str,
    address: &'a str,
}

impl Run<'_> {
    /// How high the page is, drawn whole, CSS pixels, and how much of its time that took.
    fn height(&self) -> Result<(u32, u32), ExportError> {
        for page_time_ms in PAGE_TIMES_MS {
            let page = self.browse(LEAST_HEIGHT, page_time_ms, "--dump-dom".into())?;
            let attribute = |name: &str| {
                let (_, after) = page.split_once(&format!("{name}=\""))?;
                after.split_once('"').map(|(value, _)| value)
            };
            if attribute("data-ready") == Some("true") {
                let height = attribute("data-height").and_then(|height| height.parse().ok()).unwrap_or(LEAST_HEIGHT);
                return Ok((height.clamp(LEAST_HEIGHT, MOST_HEIGHT), page_time_ms));
            }
        }
        Err(self.failed("not all widgets had their answers in time; is the machine busy? It can be tried again".to_owned()))
    }

    fn picture(&self, height: u32, page_time_ms: u32, file: &Path) -> Result<(), ExportError> {
        let mut argument = OsString::from("--screenshot=");
        argument.push(file);
        // What an earlier run left would pass for the new one.
        if file.exists() {
            std::fs::remove_file(file).map_err(|why| ExportError::Write { path: file.to_owned(), why })?;
        }
        self.browse(height, page_time_ms, argument)?;
        if file.exists() { Ok(()) } else { Err(self.failed("the browser wrote no picture".to_owned())) }
    }

    fn failed(&self, what: String) -> ExportError {
        ExportError::Draw { page: self.page.to_owned(), what }
    }

    /// Opens the page, waits for the browser's end, gives what it printed.
    fn browse(&self, height: u32, page_time_ms: u32, task: OsString) -> Result<String, ExportError> {
        let mut profile = OsString::from("--user-data-dir=");
        profile.push(self.profile);
        let mut command = Command::new(self.browser);
        command.args(FLAGS).arg(profile).arg(task);
        command.arg(format!("--window-size={WIDTH},{height}"));
        command.arg(format!("--force-device-scale-factor={SCALE}"));
        command.arg(format!("--virtual-time-budget={page_time_ms}"));
        // Its sandbox refuses to start for root, as in containers. The page is ours and loads nothing from elsewhere.
        if std::fs::metadata(self.profile).is_ok_and(|about| about.uid() == 0) {
            command.arg("--no-sandbox");
        }
        command.arg(self.address).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let child = command.spawn().map_err(|why| ExportError::Start { browser: self.browser.to_owned(), why })?;
        self.wait(child)
    }

    fn wait(&self, mut child: Child) -> Result<String, ExportError> {
        // Read beside the waiting: a full pipe would stop the browser.
        let mut out = child.stdout.take();
        let reader = thread::spawn(move || {
            let mut text = String::new();
            let read = out.as_mut().map_or(Ok(0), |out| out.read_to_string(&mut text));
            read.map(|_| text)
        });
        let mut waited = Duration::ZERO;
        let ended = loop {
            match child.try_wait() {
                Ok(Some(status)) => break Ok(status),
                Ok(None) if waited < PATIENCE => {
                    thread::sleep(LOOK_EVERY);
                    waited += LOOK_EVERY;
                }
                Ok(None) => {
                    // It may end at this very moment: then there is nothing to kill.
                    let _gone = child.kill().is_ok() && child.wait().is_ok();
                    break Err(format!("the browser did not end within {} s", PATIENCE.as_secs()));
                }
                Err(why) => break Err(why.to_string()),
            }
        };
        let status = ended.map_err(|what| self.failed(what))?;
        let text = reader.join().ok().and_then(Result::ok).unwrap_or_default();
        if status.success() { Ok(text) } else { Err(self.failed(format!("the browser ended with {status}"))) }
    }
}

/// A profile of its own, removed at the end.
struct Profile(PathBuf);

impl Profile {
    fn new(beside: &Path) -> io::Result<Self> {
        let folder = beside.join(format!(".browser-{}", std::process::id()));
        std::fs::create_dir(&folder)?;
        // Says that nobody's own browser is meant, and lets a search for caches skip it.
        File::create(folder.join("CACHEDIR.TAG"))?;
        Ok(Self(folder))
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        // A browser that still writes its last file leaves some; they say nothing of anybody.
        let _gone = std::fs::remove_dir_all(&self.0).is_ok();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::lab::preview::Language;

    #[test]
    fn names_of_pictures() {
        for (name, language, dashboard, number, expected) in [
            ("Overview", Language::English, 0, 0, "en-1-overview.png"),
            ("Resources and drift", Language::English, 0, 6, "en-7-resources-and-drift.png"),
            ("ATT&CK", Language::English, 1, 4, "en-2-5-att-ck.png"),
            ("../../x", Language::English, 0, 0, "en-1-x.png"),
            ("月次報告", Language::Japanese, 0, 0, "ja-1.png"),
        ] {
            assert_eq!(file_name(&Page { language, dashboard, number, name: name.to_owned() }), expected, "{name}");
        }
    }

    #[test]
    fn the_first_browser_that_runs_is_taken() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = std::env::join_paths([one.path(), two.path()]).unwrap();
        let missing = browser(&path).unwrap_err().to_string();
        assert!(
            missing.starts_with("no headless browser on PATH; looked for: chromium, chromium-browser, google-chrome"),
            "{missing}"
        );
        let put = |folder: &Path, name: &str, mode: u32| {
            std::fs::write(folder.join(name), "").unwrap();
            std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        put(one.path(), "chromium", 0o644);
        put(one.path(), "google-chrome", 0o755);
        assert_eq!(browser(&path).unwrap(), one.path().join("google-chrome"));
        put(two.path(), "chromium", 0o755);
        assert_eq!(browser(&path).unwrap(), two.path().join("chromium"));
    }
}
