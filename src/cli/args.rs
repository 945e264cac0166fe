//! Arguments that several commands have, written once.
//!
//! In: what clap read. Out: the configuration, or all that is wrong with it as the end of the command.

use std::path::{Path, PathBuf};

use super::exit::Stop;
use crate::config::{Config, Environment, Need};

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

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people
    #[value(alias = "table")]
    Text,
    /// For machines
    Json,
}
