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
        let shown = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        format!("applied: {}\npending: {}\n", shown(&status.applied), shown(&status.pending))
    })
}
