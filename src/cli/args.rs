//! Arguments that several commands have, written once.
//!
//! In: what clap read. Out: the configuration, or all that is wrong with it as the end of the command.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::exit::Stop;
use crate::config::{Config, Environment, Need};
use crate::publish::dashboard::Language;
use crate::source::SourceError;
use crate::source::replay::Input;

/// Where the configuration is.
#[derive(Debug, Default, clap::Args)]
pub(super) struct ConfigFile {
    /// Configuration file; environment variables win over it [default: `CSPM_RELAY_CONFIG`, else the environment alone]
    #[arg(long, short, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

impl ConfigFile {
    /// The configuration for a command with this need.
    ///
    /// # Errors
    /// Everything that is wrong with it, as wrong usage.
    pub(super) fn load(&self, need: Need, env: &dyn Environment) -> Result<Config, Stop> {
        let hint = "`cspm-relay check --example` prints a complete file, `cspm-relay check --options` every key and variable";
        Config::load_for(need, self.config.as_deref(), env)
            .map_err(|faults| Stop::usage(faults.to_string(), Some(hint.to_owned())))
    }
}

/// Where the agent's configuration is, for the commands that are about nothing else.
#[derive(Debug, Default, clap::Args)]
pub(super) struct AgentFile {
    /// The configuration file, without `--config`; - for standard input
    #[arg(value_name = "FILE", conflicts_with = "config")]
    path: Option<PathBuf>,
    #[command(flatten)]
    file: ConfigFile,
}

impl AgentFile {
    /// The file, if one is named.
    pub(super) fn path(self) -> Option<PathBuf> {
        let named = self.path.or(self.file.config);
        named.map(|file| if file == Path::new("-") { "/dev/stdin".into() } else { file })
    }

    /// The agent's configuration.
    ///
    /// # Errors
    /// Everything that is wrong with it, as wrong usage.
    pub(super) fn load(self, env: &dyn Environment) -> Result<Config, Stop> {
        ConfigFile { config: self.path() }.load(Need::RUN, env)
    }
}

/// A language as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Lang {
    /// English
    En,
    /// Japanese
    Ja,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::En => Self::English,
            Lang::Ja => Self::Japanese,
        }
    }
}

/// What is read of the past, as the command line names it: each is there, and none is named wrongly.
///
/// # Errors
/// The first that is not.
pub(super) fn inputs(named: &[OsString]) -> Result<Vec<Input>, Stop> {
    let read = || {
        let inputs = named.iter().map(|input| Input::parse(input)).collect::<Result<Vec<_>, _>>()?;
        inputs.iter().try_for_each(Input::exists)?;
        Ok(inputs)
    };
    read().map_err(|error: SourceError| Stop::usage(error.what, error.hint))
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people
    #[value(alias = "table")]
    Text,
    /// For machines
    Json,
}
