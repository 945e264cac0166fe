//! The agent as a process of its own.
//!
//! In: settings. Out: the running binary, its output, its end. It gets an empty environment but for what is set here, a folder of
//! its own, and it is killed when the test lets go of it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use super::data::REGION;
use super::{PATIENCE, eventually, setting, within};

/// Licence key of every agent under test; the stand-in is told to accept it.
pub(crate) const LICENSE_KEY: &str = "0123456789abcdef0123456789abcdef0123NRAL";

/// New Relic account of every agent under test.
pub(crate) const ACCOUNT_ID: &str = "1234567";

/// The binary under test.
pub(crate) fn binary() -> PathBuf {
    setting("CSPM_RELAY_TEST_AGENT").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_cspm-relay")), PathBuf::from)
}

/// Whether the binary under test was built without the lab.
pub(crate) fn is_lean() -> bool {
    setting("CSPM_RELAY_TEST_AGENT_KIND").as_deref() == Some("lean")
}

/// How to start an agent.
#[derive(Debug)]
pub(crate) struct Agent {
    program: PathBuf,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
    folder: TempDir,
}

impl Agent {
    /// `cspm-relay` with these arguments, and nothing set but AWS credentials for an emulator and a health socket of its own.
    pub(crate) fn new<const N: usize>(arguments: [&str; N]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let socket = folder.path().join("health.sock");
        Self { program: binary(), arguments: arguments.map(str::to_owned).to_vec(), environment: BTreeMap::new(), folder }
            .env("PATH", setting("PATH").unwrap_or_default())
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("CSPM_RELAY_HEALTH_SOCKET", socket.to_string_lossy())
    }

    /// `cspm-relay run` between an AWS endpoint and a New Relic endpoint, with the trail's queue.
    pub(crate) fn run(aws: &str, new_relic: &str, queue_url: &str) -> Self {
        Self::new(["run"]).aws(aws).new_relic(new_relic).env("CSPM_RELAY_TRAIL_QUEUE_URL", queue_url)
    }

    /// Another program in the agent's place.
    pub(crate) fn program(mut self, program: impl AsRef<Path>) -> Self {
        program.as_ref().clone_into(&mut self.program);
        self
    }

    /// On a disk that is full: no file that it writes grows beyond a few KiB.
    pub(crate) fn on_a_full_disk(mut self) -> Self {
        // Without the trap the signal would end the process before the write could fail.
        let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"".to_owned();
        let agent = self.program.to_string_lossy().into_owned();
        self.arguments.splice(0..0, ["-c".to_owned(), script, agent]);
        self.program("/bin/sh")
    }

    /// The endpoint of every AWS service.
    pub(crate) fn aws(self, endpoint: &str) -> Self {
        self.env("AWS_ENDPOINT_URL", endpoint)
    }

    /// The base URL of every New Relic API, with a key and an account.
    pub(crate) fn new_relic(self, url: &str) -> Self {
        self.env("NEW_RELIC_LICENSE_KEY", LICENSE_KEY)
            .env("NEW_RELIC_ACCOUNT_ID", ACCOUNT_ID)
            .env("NEW_RELIC_INSIGHTS_BASE_URL", url)
            .env("NEW_RELIC_LOGS_BASE_URL", url)
            .env("NEW_RELIC_OTLP_BASE_URL", url)
            .env("NEW_RELIC_NERDGRAPH_BASE_URL", url)
    }

    /// A variable of its environment.
    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    /// One more argument.
    pub(crate) fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Writes a configuration file and names it.
    pub(crate) fn config(self, yaml: &str) -> Self {
        let path = self.file("config.yml", yaml);
        self.env("CSPM_RELAY_CONFIG", path.to_string_lossy())
    }

    /// Writes a file into the agent's folder.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("a temporary file");
        path
    }

    fn command(&self, arguments: &[String]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear().envs(&self.environment).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Starts it.
    pub(crate) fn start(self) -> Running {
        let mut child = self
            .command(&self.arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("starting {}: {error}", self.program.display()));
        let stdout = Gathered::read(child.stdout.take().expect("piped"));
        let stderr = Gathered::read(child.stderr.take().expect("piped"));
        Running { agent: self, child, stdout, stderr }
    }

    /// Runs it to its end.
    pub(crate) async fn finish(self) -> Finished {
        self.start().exited(PATIENCE).await
    }
}

/// A running agent.
#[derive(Debug)]
pub(crate) struct Running {
    agent: Agent,
    child: Child,
    stdout: Gathered,
    stderr: Gathered,
}

/// How an agent ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Exit code, or the signal that ended it.
    pub(crate) status: ExitStatus,
    /// Everything it printed.
    pub(crate) stdout: String,
    /// Everything it logged.
    pub(crate) stderr: String,
}

impl Running {
    /// Waits until `cspm-relay health` says it is well; panics with its output if it ends before.
    pub(crate) async fn ready(&mut self) {
        let asked = self.agent.command(&["health".to_owned()]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(asked.is_ok(), "asking for the agent's health: {asked:?}");
        eventually("the agent is healthy", async || {
            self.assert_alive();
            let health = self.agent.command(&["health".to_owned()]).stdout(Stdio::null()).stderr(Stdio::null()).status();
            health.is_ok_and(|status| status.success())
        })
        .await;
    }

    /// Waits until it has printed or logged a text.
    pub(crate) async fn says(&mut self, text: &str) {
        self.says_within(PATIENCE, text).await;
    }

    /// The same of what takes longer.
    pub(crate) async fn says_within(&mut self, limit: Duration, text: &str) {
        within(limit, &format!("the agent says {text:?}"), async || {
            let found = self.stdout.text().contains(text) || self.stderr.text().contains(text);
            if !found {
                self.assert_alive();
            }
            found
        })
        .await;
    }

    fn assert_alive(&mut self) {
        if let Some(status) = self.child.try_wait().expect("a child can be asked") {
            panic!("the agent ended with {status}:\n{}\n{}", self.stdout.text(), self.stderr.text());
        }
    }

    /// Everything it has printed so far.
    pub(crate) fn printed(&self) -> String {
        self.stdout.text()
    }

    /// What `cspm-relay health --ready` prints of it now.
    pub(crate) fn readiness(&self) -> String {
        let asked = self.agent.command(&["health".to_owned(), "--ready".to_owned()]).output();
        String::from_utf8_lossy(&asked.expect("an answer").stdout).into_owned()
    }

    /// Everything it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.stderr.text()
    }

    /// The most memory it has held so far, KiB (`VmHWM`).
    pub(crate) fn peak_kib(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a running process has a status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a status tells the peak");
        line.trim().trim_end_matches("kB").trim().parse().expect("a number of KiB")
    }

    /// Ends it as a crash does: no chance to tidy up.
    pub(crate) fn kill9(mut self) -> Finished {
        self.child.kill().expect("a child can be killed");
        let status = self.child.wait().expect("a child ends");
        self.gather(status)
    }

    /// Whether it has this file open now.
    pub(crate) fn has_open(&self, path: &Path) -> bool {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).into_iter().flatten().flatten();
        open.filter_map(|link| std::fs::read_link(link.path()).ok()).any(|target| target == path)
    }

    /// Asks it to end (SIGTERM).
    pub(crate) fn terminate(&self) {
        let kill = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", self.child.id())).status();
        assert!(kill.is_ok_and(|status| status.success()), "SIGTERM could not be sent");
    }

    /// Waits for its end; panics with its output when it takes longer than `limit`.
    pub(crate) async fn exited(mut self, limit: Duration) -> Finished {
        let ending = async {
            loop {
                if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        match tokio::time::timeout(limit, ending).await {
            Ok(status) => self.gather(status),
            Err(late) => {
                panic!("the agent did not end within {limit:?} ({late}):\n{}\n{}", self.stdout.text(), self.stderr.text())
            }
        }
    }

    fn gather(mut self, status: ExitStatus) -> Finished {
        Finished { status, stdout: self.stdout.all(), stderr: self.stderr.all() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already ended is fine.
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

/// What comes out of a pipe, read by a thread so that the agent never waits for the test.
#[derive(Debug)]
struct Gathered {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Gathered {
    fn read(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&bytes);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length @ 1..) = pipe.read(&mut buffer) {
                to.lock().expect("no test panics here").extend_from_slice(&buffer[..length]);
            }
        });
        Self { bytes, reader: Some(reader) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().expect("no test panics here")).into_owned()
    }

    /// Everything, once the pipe is closed.
    fn all(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader ends with the pipe");
        }
        self.text()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    fn shell(script: &str) -> Agent {
        Agent::new(["-c"]).program("/bin/sh").arg(script)
    }

    #[tokio::test]
    async fn it_sees_only_what_is_set() {
        let ended =
            shell("env | cut -d= -f1 | sort | tr '\\n' ' '; cat config.yml >&2; exit 3").config("version: 1").finish().await;
        assert_eq!(ended.status.code(), Some(3));
        for name in
            ["AWS_ACCESS_KEY_ID", "AWS_EC2_METADATA_DISABLED", "AWS_REGION", "CSPM_RELAY_CONFIG", "CSPM_RELAY_HEALTH_SOCKET"]
        {
            assert!(ended.stdout.contains(name), "{name} in {}", ended.stdout);
        }
        assert!(!ended.stdout.contains("CARGO"), "{}", ended.stdout);
        assert_eq!(ended.stderr, "version: 1");
    }

    #[tokio::test]
    async fn a_run_is_told_where_everything_is() {
        // `sh run` runs the script of that name, which stands in the agent's folder.
        let agent = Agent::run("http://aws", "http://new-relic", "http://aws/queue").program("/bin/sh");
        agent.file("run", "env >&2; exec sleep 60");
        let mut running = agent.start();
        for line in [
            "AWS_ENDPOINT_URL=http://aws",
            "CSPM_RELAY_TRAIL_QUEUE_URL=http://aws/queue",
            "NEW_RELIC_INSIGHTS_BASE_URL=http://new-relic",
            "NEW_RELIC_LOGS_BASE_URL=http://new-relic",
            "NEW_RELIC_OTLP_BASE_URL=http://new-relic",
            &format!("NEW_RELIC_LICENSE_KEY={LICENSE_KEY}"),
            &format!("NEW_RELIC_ACCOUNT_ID={ACCOUNT_ID}"),
        ] {
            running.says(&format!("{line}\n")).await;
        }
        assert!(running.log().contains("AWS_ACCESS_KEY_ID=test\n"));
    }

    #[test]
    fn the_agent_under_test_is_there() {
        assert!(binary().is_file(), "{}", binary().display());
        assert!(!is_lean() || setting("CSPM_RELAY_TEST_AGENT").is_some(), "cargo's own binary is the full one");
    }

    #[tokio::test]
    async fn sigterm_can_be_caught() {
        let mut running = shell("trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done").start();
        running.says("up").await;
        running.terminate();
        let ended = running.exited(PATIENCE).await;
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(7), "up\nbye\n"));
    }

    #[tokio::test]
    async fn kill_cannot_be_caught() {
        let mut running = shell("trap 'echo bye' TERM EXIT; echo up; exec sleep 60").start();
        running.says("up").await;
        let ended = running.kill9();
        assert_eq!((ended.status.signal(), ended.stdout.as_str()), (Some(9), "up\n"));
    }

    #[tokio::test]
    #[should_panic(expected = "the agent ended with exit status: 4")]
    async fn an_early_end_is_told() {
        shell("exit 4").start().says("up").await;
    }

    #[tokio::test]
    async fn it_is_ready_when_its_health_says_so() {
        // The script stands for both commands: asked for its health it says no twice.
        let agent = Agent::new(["run"]);
        let script = agent.folder.path().join("agent.sh");
        let text = "#!/bin/sh\ncase $1 in health) echo x >>asked; [ $(wc -l <asked) -gt 2 ];; *) echo up; exec sleep 60;; esac\n";
        // Written by another process: a file that this one had open for writing could be busy when it is started.
        let write = Command::new("sh").args(["-c", "printf '%s' \"$0\" >\"$1\" && chmod +x \"$1\"", text]).arg(&script).status();
        assert!(write.is_ok_and(|status| status.success()));
        let mut running = agent.program(&script).start();
        running.ready().await;
        let asked = std::fs::read_to_string(script.with_file_name("asked")).expect("it was asked");
        assert_eq!(asked.lines().count(), 3);
    }
}
