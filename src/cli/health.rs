//! `health`: is the agent beside me well?
//!
//! In: where the agent listens, as the agent itself would read it. Out: one line, and 0 or 1. It speaks plain HTTP/1.1 over
//! the local socket, so that an image without shell and curl can check itself. What always holds: it ends within
//! [`PATIENCE`], below the 5 s that ECS gives a check, and needs no key.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use super::args::ConfigFile;
use super::exit::Exit;
use crate::config::{Config, Health, Need, env};
use crate::health::probe::place;

/// Time for everything.
const PATIENCE: Duration = Duration::from_secs(4);

/// Largest answer that is read, bytes.
const ANSWER_BYTES: u64 = 64 << 10;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Ask whether records flow (queues answer, New Relic accepts), not only whether the process works
    #[arg(long)]
    ready: bool,
    /// Unix socket the agent listens on [default: as configured]
    #[arg(long, value_name = "PATH", conflicts_with_all = ["port", "config"])]
    socket: Option<PathBuf>,
    /// Port of 127.0.0.1 the agent listens on [default: as configured]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), conflicts_with = "config")]
    port: Option<u16>,
    #[command(flatten)]
    file: ConfigFile,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let (good, line) = match at(&args) {
        // Docker reserves the exit code 2, so a configuration that cannot be read is unhealthy like everything else.
        Err(why) => (false, why),
        Ok(Health::Off) => (false, "unhealthy: health.off is set, so the agent listens nowhere; remove it".to_owned()),
        Ok(at) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(ask(&at, args.ready))
        }
    };
    super::print(&(line + "\n"))?;
    Ok(if good { Exit::Good } else { Exit::Found })
}

/// Where the agent listens.
fn at(args: &Args) -> Result<Health, String> {
    match (&args.socket, args.port) {
        (Some(socket), _) => Ok(Health::Socket(socket.clone())),
        (None, Some(port)) => Ok(Health::Port(port)),
        (None, None) => {
            let config = Config::load_for(Need::LOCAL, args.file.config.as_deref(), &env::Process);
            config.map(|config| config.health).map_err(|faults| format!("unhealthy: {faults}"))
        }
    }
}

/// Asks, and puts the answer into one line.
async fn ask(at: &Health, ready: bool) -> (bool, String) {
    let (path, word) = if ready { ("/ready", "ready") } else { ("/live", "live") };
    let place = place(at);
    let answer = match tokio::time::timeout(PATIENCE, answer(at, path)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return (false, format!("not {word}: no answer from {place}: {error}")),
        Err(_) => return (false, format!("not {word}: no answer from {place} within {} s", PATIENCE.as_secs())),
    };
    match (status(&answer), body(&answer)) {
        (Some(200), Some(body)) if body.get(word) == Some(&true.into()) => {
            let notes = texts(&body, "notes").unwrap_or_default();
            (true, [word.to_owned()].into_iter().chain(notes).collect::<Vec<_>>().join("; "))
        }
        (Some(503), Some(body)) => {
            let reasons = texts(&body, "reasons").unwrap_or_else(|| vec!["no reason given".to_owned()]);
            (false, format!("not {word}: {}", reasons.join("; ")))
        }
        _ => (false, format!("not {word}: what listens on {place} is not cspm-relay")),
    }
}

/// The texts of a list, each as one line, whatever it quotes.
fn texts(body: &serde_json::Value, name: &str) -> Option<Vec<String>> {
    let all = body.get(name)?.as_array()?.iter();
    Some(all.filter_map(|text| Some(text.as_str()?.escape_debug().to_string())).collect())
}

async fn answer(at: &Health, path: &str) -> io::Result<String> {
    match at {
        Health::Port(port) => talk(TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, *port)).await?, path).await,
        Health::Socket(socket) => talk(UnixStream::connect(socket).await?, path).await,
        Health::Off => Err(io::Error::other("it listens nowhere")),
    }
}

async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, path: &str) -> io::Result<String> {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.take(ANSWER_BYTES).read_to_end(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The status of an answer.
fn status(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.parse().ok()
}

fn body(answer: &str) -> Option<serde_json::Value> {
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}
