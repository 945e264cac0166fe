//! The probe over real sockets: answers, reasons, stale files, permissions.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::watch;

use super::probe::{Probe, Waits, Watched, place, reasons};
use crate::ack::Counts;
use crate::config::Health;
use crate::pipeline::Watch;
use crate::source::Phase;

/// A pipeline of one source that does nothing but hold its phase.
fn pipeline() -> (watch::Sender<Phase>, Watched) {
    let (phase, heard) = watch::channel(Phase::Running);
    let counts = Arc::new(Counts::new("trail"));
    counts.bytes(10, 70);
    let watch = Watch { counts: vec![counts], traffic: Arc::default(), gate: Arc::default(), phase: heard, standing: None };
    (phase, Watched { watch, troubles: vec![("trail".to_owned(), Arc::default())], waits: None })
}

async fn get(socket: &std::path::Path, path: &str) -> (u16, serde_json::Value) {
    let mut stream = UnixStream::connect(socket).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
}

/// S2-20: an agent that takes nothing yet is alive and not ready, and says what it waits for.
#[tokio::test]
async fn an_agent_that_waits_before_it_begins_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("health.sock");
    let probe = Probe::bind(&Health::Socket(path.clone())).await.unwrap().unwrap();
    let (_phase, watched) = pipeline();
    let begun = watch::Sender::new(false);
    let waits = Some(Waits { begun: begun.subscribe(), why: "names are awaited".to_owned() });
    let serving = tokio::spawn(probe.serve(Watched { waits, ..watched }));
    let both = async || (get(&path, "/live").await.0, get(&path, "/ready").await);
    let waiting = serde_json::json!({"ready": false, "reasons": ["names are awaited"], "notes": []});
    assert_eq!(both().await, (200, (503, waiting)));
    let ready = serde_json::json!({"ready": true, "reasons": [], "notes": []});
    begun.send_replace(true);
    assert_eq!(both().await, (200, (200, ready.clone())));
    begun.send_replace(false);
    assert_eq!(both().await.1.0, 503);
    drop(begun);
    assert_eq!(both().await, (200, (200, ready)), "nobody is left who would tell");
    serving.abort();
}

#[tokio::test]
async fn liveness_follows_the_pipeline_and_readiness_its_phase() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("health.sock");
    let probe = Probe::bind(&Health::Socket(path.clone())).await.unwrap().unwrap();
    let (phase, watched) = pipeline();
    let serving = tokio::spawn(probe.serve(watched));

    let both = async || (get(&path, "/live").await.0, get(&path, "/ready").await);
    for (name, now, ready) in [
        ("running", Phase::Running, (200, serde_json::json!({"ready": true, "reasons": [], "notes": []}))),
        ("draining", Phase::Draining, (503, serde_json::json!({"ready": false, "reasons": ["stopping: draining"], "notes": []}))),
        (
            "returning",
            Phase::Returning,
            (503, serde_json::json!({"ready": false, "reasons": ["stopping: returning"], "notes": []})),
        ),
    ] {
        phase.send_replace(now);
        assert_eq!(both().await, (200, ready), "{name}");
    }
    drop(phase);
    let ended = serde_json::json!({"ready": false, "reasons": ["the pipeline has ended"], "notes": []});
    assert_eq!(both().await, (503, (503, ended)));
    assert_eq!(get(&path, "/secrets").await.0, 404);

    serving.abort();
    let _cancelled = serving.await;
    assert!(!path.exists(), "the socket file stays behind");
}

#[tokio::test]
async fn status_shows_both_equations() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("health.sock");
    let probe = Probe::bind(&Health::Socket(path.clone())).await.unwrap().unwrap();
    let (_phase, watched) = pipeline();
    let _serving = tokio::spawn(probe.serve(watched));
    let (code, mut status) = get(&path, "/status").await;
    assert_eq!(code, 200);
    assert!(status["uptimeMs"].take().is_u64());
    let zero = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), 0.into())).collect::<serde_json::Map<_, _>>();
    assert_eq!(
        status,
        serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"), "uptimeMs": null, "phase": "running",
            "live": true, "ready": true, "reasons": [], "notes": [], "blocked": null,
            "sources": [{
                "name": "trail",
                "records": zero(&["received", "delivered", "ignored", "suppressed", "duplicate", "unreadable", "rejected", "returned", "open"]),
                "objects": zero(&["received", "released", "parked", "returned", "open"]),
                "bytesPacked": 10, "bytesUnpacked": 70, "detections": 0, "truncated": 0, "skipped": 0, "redelivered": 0,
                "newestEventMs": 0, "lagMsMax": 0, "queueAgeMs": 0, "trouble": [],
            }],
            "newRelic": {"requests": 0, "retries": 0, "bytes": 0, "answers": {}},
        })
    );
}

/// P11: a wrong key makes the agent not ready, and says what to do; it stays alive.
#[test]
fn every_reason_is_told() {
    let minutes = |minutes| Some(Duration::from_mins(minutes));
    for (name, phase, blocked, failing, trouble, expected) in [
        ("well", "running", None, None, None, &[][..]),
        ("a short fault", "running", None, minutes(1), None, &[]),
        ("unreachable", "running", None, minutes(3), None, &["New Relic has taken nothing for 3 minutes, though asked"]),
        ("refused", "paused", Some("check the key"), None, None, &["New Relic accepts nothing: check the key"]),
        ("access denied", "running", None, None, Some("no sqs:ReceiveMessage"), &["source trail: no sqs:ReceiveMessage"]),
        ("stopping while refused", "draining", Some("x"), None, None, &["stopping: draining", "New Relic accepts nothing: x"]),
        ("ended", "stopped", None, None, None, &["the pipeline has ended"]),
    ] {
        let troubles = [("trail", trouble.map(str::to_owned).into_iter().collect())];
        assert_eq!(reasons(phase, blocked, failing, troubles), expected, "{name}");
    }
}

#[tokio::test]
async fn a_socket_is_for_its_user_and_replaces_a_stale_one_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("health.sock");
    let at = Health::Socket(path.clone());
    // Dropping a listener of the standard library leaves its file: what a crash leaves.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let probe = Probe::bind(&at).await.unwrap().unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(probe.place(), place(&at));

    let taken = Probe::bind(&at).await.unwrap_err().to_string();
    assert!(taken.ends_with("another process answers there; give each agent a socket of its own"), "{taken}");

    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "keep me").unwrap();
    let refused = Probe::bind(&Health::Socket(file.clone())).await.unwrap_err().to_string();
    assert!(refused.contains("a file that is no socket has this name"), "{refused}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "keep me");
}

#[tokio::test]
async fn a_port_is_of_this_machine_only_and_off_is_nothing() {
    let probe = Probe::bind(&Health::Port(0)).await.unwrap().unwrap();
    assert!(probe.place().starts_with("127.0.0.1:"), "{}", probe.place());
    let port = probe.place().rsplit(':').next().unwrap().parse().unwrap();
    let taken = tokio::time::timeout(Duration::from_secs(5), Probe::bind(&Health::Port(port))).await.unwrap();
    assert!(taken.unwrap_err().to_string().starts_with(&format!("listening for health checks on 127.0.0.1:{port}: ")));
    assert!(Probe::bind(&Health::Off).await.unwrap().is_none());
}
