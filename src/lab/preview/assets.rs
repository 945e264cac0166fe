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
    "index.html": HTML,
};

/// The file of that name.
pub(super) fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}
