//! The page's files, embedded in the program.
//!
//! In: a name. Out: its content type and bytes. What always holds: what is not in this table does not exist; nothing is read from
//! the disk. `vendor/` holds what others wrote, as they published it (`vendor/README.md`).

/// One file.
pub(super) struct Asset {
    /// Its path below `/assets/`.
    pub(super) name: &'static str,
    pub(super) content_type: &'static str,
    pub(super) bytes: &'static [u8],
}

/// What a browser asks for at `/`.
pub(super) const PAGE: &str = "index.html";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! assets {
    ($($name:literal: $content_type:expr),* $(,)?) => {
        &[$(Asset { name: $name, content_type: $content_type, bytes: include_bytes!(concat!("assets/", $name)) }),*]
    };
}

/// All of them.
pub(super) const ASSETS: &[Asset] = assets! {
    "alerts.css": CSS,
    "alerts.js": SCRIPT,
    "api.js": SCRIPT,
    "base.css": CSS,
    "chart.js": SCRIPT,
    "controls.css": CSS,
    "dom.js": SCRIPT,
    "draw/bar.js": SCRIPT,
    "draw/billboard.js": SCRIPT,
    "draw/heat.js": SCRIPT,
    "draw/log.js": SCRIPT,
    "draw/markdown.js": SCRIPT,
    "draw/pie.js": SCRIPT,
    "draw/signal.js": SCRIPT,
    "draw/strip.js": SCRIPT,
    "draw/table.js": SCRIPT,
    "draw/time.js": SCRIPT,
    "filter.js": SCRIPT,
    "frame.js": SCRIPT,
    "icon.svg": SVG,
    "index.html": HTML,
    "main.js": SCRIPT,
    "number.js": SCRIPT,
    "palette.js": SCRIPT,
    "picker.js": SCRIPT,
    "table.css": CSS,
    "tabs.js": SCRIPT,
    "text.css": CSS,
    "texts.js": SCRIPT,
    "threshold.js": SCRIPT,
    "time.js": SCRIPT,
    "variable.js": SCRIPT,
    "vendor/echarts-6.1.0.esm.min.mjs": SCRIPT,
    "vendor/markdown-it-15.0.3.esm.min.mjs": SCRIPT,
    "view.js": SCRIPT,
    "widget.css": CSS,
    "widget.js": SCRIPT,
};

/// The file of that name.
pub(super) fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}
