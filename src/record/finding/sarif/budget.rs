//! How much is kept of a file of results beside one result at a time.
//!
//! In: what the runs of the file say, piece by piece. Out: whether there is room for it. What always holds: the room is that of the
//! whole file, however many runs, tools and rules it is spread over. What only makes a finding easier to read is left out when
//! there is no more, and counted; what says which finding it is, is never left out: without room for it the file is not read.

/// Bytes of titles, help, messages and files: Semgrep's whole registry has about a tenth of that.
const TEXTS: usize = 32 << 20;
/// Bytes of names: of tools, scans, rules and folders.
const WORDS: usize = 16 << 20;
/// Rules whose texts are kept; the others take their room from that of names.
const RULES: usize = 50_000;
/// Files that results name by number only.
const FILES: usize = 200_000;
/// Extensions of tools.
const EXTENSIONS: usize = 10_000;
/// Bytes that a text takes beside its own.
const BESIDE: usize = size_of::<String>();

/// What room there is left in a file.
#[derive(Debug)]
pub struct Budget {
    texts: usize,
    words: usize,
    rules: usize,
    files: usize,
    extensions: usize,
    left_out: u64,
}

/// A file that says more beside its results than can be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("more than {most} {what} in all runs together; give fewer runs in one file")]
pub struct TooMuch {
    most: usize,
    what: &'static str,
}

impl Default for Budget {
    fn default() -> Self {
        Self { texts: TEXTS, words: WORDS, rules: RULES, files: FILES, extensions: EXTENSIONS, left_out: 0 }
    }
}

impl Budget {
    /// Texts of rules, and files, that were left out.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Takes the room of names.
    pub(super) fn words<'w>(&mut self, words: impl IntoIterator<Item = &'w str>) -> Result<(), TooMuch> {
        self.names(bytes(words))
    }

    fn names(&mut self, bytes: usize) -> Result<(), TooMuch> {
        self.words = self.words.checked_sub(bytes).ok_or(TooMuch { most: WORDS, what: "bytes of names" })?;
        Ok(())
    }

    /// Takes the room of an extension.
    pub(super) fn extension(&mut self) -> Result<(), TooMuch> {
        let left = self.extensions.checked_sub(1);
        self.extensions = left.ok_or(TooMuch { most: EXTENSIONS, what: "extensions of tools" })?;
        Ok(())
    }

    /// Takes the room of a rule, of so many bytes beside its words and texts. Whether there is any for its texts.
    pub(super) fn rule(&mut self, bytes: usize) -> Result<bool, TooMuch> {
        let has_texts = Self::take(&mut self.rules, 1, &mut self.left_out);
        if !has_texts {
            self.names(bytes)?;
        }
        Ok(has_texts)
    }

    /// Takes the room of a file, if there is any.
    pub(super) fn file(&mut self, uri: &str) -> bool {
        Self::take(&mut self.files, 1, &mut self.left_out) && self.texts([uri])
    }

    /// Takes the room of texts, if there is any.
    pub(super) fn texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> bool {
        Self::take(&mut self.texts, bytes(texts), &mut self.left_out)
    }

    fn take(left: &mut usize, wanted: usize, left_out: &mut u64) -> bool {
        let rest = left.checked_sub(wanted);
        *left_out += u64::from(rest.is_none());
        *left = rest.unwrap_or(*left);
        rest.is_some()
    }
}

fn bytes<'t>(texts: impl IntoIterator<Item = &'t str>) -> usize {
    texts.into_iter().map(|text| text.len() + BESIDE).sum()
}
