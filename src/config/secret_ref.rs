//! A key, or where it is.
//!
//! In: what was written: the key itself, `file:/path` or `env:NAME`. Out: the key, or why it cannot be had. What always
//! holds: no text made here holds any part of a key, not even of one written where a name belongs. It does not judge whether it is the right key.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use super::env::{self, Environment};
use super::fault::shown;
use crate::secret::Secret;

/// Largest file that is read for a key, bytes.
const FILE_BYTES: u64 = 4096;

/// A key, or where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// The key itself.
    Literal(Secret),
    /// A file that holds it.
    File(PathBuf),
    /// A variable that holds it.
    Variable(String),
}

/// Why a key cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// A kind of reference that a later version brings.
    #[error("`{0}:` references are not in this version")]
    Later(&'static str),
    /// The file cannot be read.
    #[error("reading the key from {}: {why}", shown(&path.display().to_string()))]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        why: String,
    },
    /// The variable is unset or empty.
    #[error("reading the key from variable {}: it is not set, or empty", shown(.0))]
    Variable(String),
    /// There is no key.
    #[error("empty")]
    Empty,
}

impl SecretRef {
    /// Tells a reference from a key.
    ///
    /// # Errors
    /// [`SecretError::Later`], [`SecretError::Empty`].
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        if let Some(path) = text.strip_prefix("file:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(SecretError::Empty) } else { Ok(Self::File(PathBuf::from(path))) };
        }
        if let Some(name) = text.strip_prefix("env:") {
            return if name.is_empty() { Err(SecretError::Empty) } else { Ok(Self::Variable(name.to_owned())) };
        }
        for (prefix, name) in [("secretsmanager:", "secretsmanager"), ("arn:", "secretsmanager"), ("ssm:", "ssm")] {
            if text.starts_with(prefix) {
                return Err(SecretError::Later(name));
            }
        }
        if text.is_empty() { Err(SecretError::Empty) } else { Ok(Self::Literal(Secret::new(text))) }
    }

    /// Fetches the key; again, after it was rotated.
    ///
    /// # Errors
    /// [`SecretError::File`], [`SecretError::Variable`].
    pub fn read(&self, env: &dyn Environment) -> Result<Secret, SecretError> {
        match self {
            Self::Literal(secret) => Ok(secret.clone()),
            Self::Variable(name) => match env::text(env, name) {
                Ok(Some(text)) => Ok(Secret::new(&text)),
                Ok(None) | Err(_) => Err(SecretError::Variable(name.clone())),
            },
            Self::File(path) => {
                let fault = |why: String| SecretError::File { path: path.clone(), why };
                let mut text = String::new();
                let file = File::open(path).map_err(|error| fault(error.to_string()))?;
                file.take(FILE_BYTES + 1).read_to_string(&mut text).map_err(|error| fault(error.to_string()))?;
                if u64::try_from(text.len()).is_ok_and(|bytes| bytes > FILE_BYTES) {
                    return Err(fault(format!("more than {FILE_BYTES} bytes")));
                }
                let secret = Secret::new(&text);
                if secret.is_empty() { Err(fault("it is empty".to_owned())) } else { Ok(secret) }
            }
        }
    }
}
