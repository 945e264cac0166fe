//! Peak memory of the real binary, in both shapes of a backlog.
//!
//! In: a million records in some 300 large objects, and 100,000 records in some 28,000 small ones, made once below `target/`.
//! Out: the child's peak resident memory (`VmHWM` of `/proc/PID/status`, read until it ends) for a replay to the New Relic
//! stand-in, which only counts, and one to standard output.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use cspm_relay::clock::Clock;
use serde_json::{Value, json};

use crate::data::Templates;
use crate::report::{Budget, Verdict, real, say};

/// Most resident memory allowed, MiB.
const BUDGET: Budget = Budget::Below(64.0);

/// A backlog.
struct Shape {
    name: &'static str,
    records: usize,
    objects: usize,
    /// Accounts and Regions that the objects are spread over.
    trails: usize,
}

const SHAPES: [Shape; 2] = [
    Shape { name: "large", records: 1_000_000, objects: 300, trails: 1 },
    Shape { name: "small", records: 100_000, objects: 28_000, trails: 400 },
];

/// Measures all of it, and judges each figure.
pub(crate) fn run(templates: &Templates, verdicts: &mut Vec<Verdict>) -> Result<Vec<Value>> {
    say("\npeak resident memory of the agent's binary")?;
    let mut rows = Vec::new();
    for shape in SHAPES {
        let folder = made(templates, &shape)?;
        for target in ["stand-in", "stdout"] {
            let peak_kib = replay(&folder, target, shape.records)?;
            let (name, objects, peak_mib) = (shape.name, shape.objects, real(peak_kib) / 1024.0);
            say(&format!("{name:6} {:>8} records in {objects:>6} objects to {target:8} {peak_mib:>6.1} MiB", shape.records))?;
            let what = format!("memory, {name} objects to {target}, MiB");
            verdicts.push(Verdict { what, figure: peak_mib, decimals: 1, budget: BUDGET });
            rows.push(json!({ "shape": name, "records": shape.records, "objects": objects, "to": target, "peakKib": peak_kib }));
        }
    }
    Ok(rows)
}

/// The folder of a shape; made when it is not there.
fn made(templates: &Templates, shape: &Shape) -> Result<PathBuf> {
    let folder = crate::scratch().join(shape.name);
    let done = folder.join("done");
    if done.exists() {
        return Ok(folder.join("AWSLogs"));
    }
    let mut maker = templates.maker(shape.records, shape.objects, Some(Clock::system().now_ms()));
    let mut at = 0;
    while let Some(packed) = maker.next()? {
        let trail = at % shape.trails;
        let (account, region) = (trail / 2, if trail.is_multiple_of(2) { "ap-northeast-1" } else { "eu-west-1" });
        let account = format!("{:012}", 111_122_223_333 + account);
        let day = folder.join(format!("AWSLogs/{account}/CloudTrail/{region}/2026/11/21"));
        std::fs::create_dir_all(&day)?;
        std::fs::write(day.join(format!("{account}_CloudTrail_{region}_20261121T{at:06}Z_made.json.gz")), packed)?;
        at += 1;
    }
    std::fs::write(done, "")?;
    Ok(folder.join("AWSLogs"))
}

/// Replays a folder; the peak, KiB.
fn replay(folder: &Path, target: &str, records: usize) -> Result<u64> {
    let binary = env!("CARGO_BIN_EXE_cspm-relay");
    let mut stand_in = None;
    let to = if target == "stdout" {
        target.to_owned()
    } else {
        let mut child = Killed(Command::new(binary).args(["stand-in", "--count-only"]).stdout(Stdio::piped()).spawn()?);
        let mut line = String::new();
        BufReader::new(child.0.stdout.take().context("the stand-in has no output")?).read_line(&mut line)?;
        let url = line
            .split_ascii_whitespace()
            .find(|word| word.starts_with("http://"))
            .context("the stand-in did not say its address")?;
        let url = url.to_owned();
        stand_in = Some(child);
        url
    };
    let summary = crate::scratch().join("summary.txt");
    let (out, err): (Stdio, Stdio) = if target == "stdout" {
        (Stdio::null(), std::fs::File::create(&summary)?.into())
    } else {
        (std::fs::File::create(&summary)?.into(), Stdio::inherit())
    };
    let mut agent = Command::new(binary);
    agent.arg("replay").arg(folder).args(["--logs", "all", "--restamp", "--summary", "json", "--to", &to]);
    let mut child = Killed(agent.stdout(out).stderr(err).spawn()?);
    let status = format!("/proc/{}/status", child.0.id());
    let mut peak_kib = 0;
    let ended = loop {
        if let Some(peak) = std::fs::read_to_string(&status).ok().and_then(|text| high_water_kib(&text)) {
            peak_kib = peak_kib.max(peak);
        }
        if let Some(ended) = child.0.try_wait()? {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    drop(stand_in);
    let said = std::fs::read_to_string(&summary)?;
    ensure!(ended.success(), "the replay ended with {ended}: {said}");
    if !said.contains(&records.to_string()) {
        bail!("the replay did not take {records} records: {said}");
    }
    Ok(peak_kib)
}

/// The peak resident memory that `/proc/PID/status` tells.
pub(crate) fn high_water_kib(status: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// A child that does not outlive the bench.
pub(crate) struct Killed(pub(crate) Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.0.kill().and_then(|()| self.0.wait()).is_ok();
    }
}
