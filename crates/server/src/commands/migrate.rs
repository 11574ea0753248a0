//! `doorward migrate`.

use serde_json::json;

use super::failure::Failure;
use super::output::Output;
use crate::cli::Migrate;
use crate::configuration::Configuration;
use crate::runtime::Runtime;

/// Applies what is pending, or only says what is.
pub async fn run(configuration: &Configuration, flags: &Migrate, output: Output) -> Result<(), Failure> {
    let runtime = Runtime::open(configuration.clone()).await?;
    let status = if flags.status {
        doorward_store::migrations::status(&runtime.store).await
    } else {
        doorward_store::migrations::run(&runtime.store).await
    };
    runtime.close().await;
    let status = status?;
    output.answer(&json!({"applied": status.applied, "pending": status.pending}), || {
        let mut text = format!("applied: {}\n", status.applied.join(", "));
        if !status.pending.is_empty() {
            text += &format!("pending: {}\n", status.pending.join(", "));
        }
        text
    })
}
