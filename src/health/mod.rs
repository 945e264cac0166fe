//! x
pub mod log {
    /// x
    /// # Errors
    /// x
    pub fn start(_: &crate::config::Telemetry) -> anyhow::Result<()> {
        let _r = tracing_subscriber::fmt().with_writer(std::io::stderr).try_init().is_ok();
        Ok(())
    }
}
pub mod probe {
    /// x
    /// # Errors
    /// x
    pub async fn serve(_: &crate::config::Health, _: crate::pipeline::Watch) -> anyhow::Result<()> {
        std::future::pending().await
    }
}
