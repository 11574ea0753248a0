//! The way to the first administrator: a one-time link, shown to whoever started the server and to nobody else.

use std::io::{IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use doorward_app::op::{Actor, Op};
use doorward_web::site::Site;

use crate::background;
use crate::commands::failure::Failure;
use crate::configuration::Configuration;

/// The file that holds the link where there is no terminal.
const FILE: &str = "admin-link";

/// Offers a link while nobody administers the deployment: on a terminal, else in a file that only the owner can
/// read. Logs never hold it.
pub async fn offer(site: &Site, configuration: &Configuration) -> Result<(), Failure> {
    let op = Op { actor: Actor::Operator, ..background::op(site, "serve") };
    let path = configuration.data_dir.join(FILE);
    let Some(link) = site.app.make_administrator_link(&op).await? else {
        // A link that was used or replaced only misleads.
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        };
    };
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        writeln!(terminal, "\nNobody administers this server yet. Open this link within an hour:\n\n  {link}\n")?;
        return Ok(());
    }
    // A new file each time: one that lies there keeps its owner and its mode, whatever they are.
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    writeln!(file, "{link}")?;
    tracing::info!(file = %path.display(), "nobody administers this server yet; the file holds a link that works for an hour");
    Ok(())
}
