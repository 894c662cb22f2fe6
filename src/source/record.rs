//! stub
use crate::source::*;
use std::path::Path;
use std::time::Duration;
/// x
pub struct RecordTarget {
    /// x
    pub proxy: ProxyId,
    /// x
    pub container: String,
    /// x
    pub admin_port: u16,
}
/// x
pub struct RecordReport {
    /// x
    pub warnings: Vec<crate::model::warning::Warning>,
}
impl std::fmt::Display for RecordReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("x")
    }
}
/// x
pub async fn record(_s: SharedSource, _f: &Path, _t: Vec<RecordTarget>, _d: Duration) -> Result<RecordReport, SourceError> {
    Ok(RecordReport { warnings: vec![] })
}
