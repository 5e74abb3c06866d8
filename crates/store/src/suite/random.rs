//! Placeholder until the comparison is written below.
use crate::api::Store;
use std::sync::Arc;
/// Compares.
pub async fn random(_a: Arc<dyn Store>, _b: Arc<dyn Store>, _seed: u64, _steps: u32) {}
