//! The way to the first administrator: a one-time link, shown to whoever started the server and to nobody else.

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use doorward_app::op::{Actor, Op};
use doorward_web::site::Site;

use crate::background;
use crate::commands::failure::Failure;
use crate::configuration::Configuration;
use crate::tasks::{Supervisor, TaskError};

/// The file that holds the link where there is no terminal.
const FILE: &str = "admin-link";
/// How often is looked for an administrator while the file is there.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Offers a link while nobody administers the deployment: on a terminal, else in a file that only the owner can
/// read, until there is an administrator. Logs never hold it.
pub async fn offer(supervisor: &Supervisor, site: &Site, configuration: &Configuration) -> Result<(), Failure> {
    let op = Op { actor: Actor::Operator, ..background::op(site, "serve") };
    let path = configuration.data_dir.join(FILE);
    let link = site.app.make_administrator_link(&op).await?;
    // A link that was used or replaced only misleads, and a file that lies there keeps its owner and its mode,
    // whatever they are.
    remove(&path)?;
    let Some(link) = link else {
        return Ok(());
    };
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        writeln!(terminal, "\nNobody administers this server yet. Open this link within an hour:\n\n  {link}\n")?;
        return Ok(());
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    writeln!(file, "{link}")?;
    tracing::info!(file = %path.display(), "nobody administers this server yet; the file holds a link that works for an hour");
    remove_when_used(supervisor, site, path);
    Ok(())
}

/// However the administrator came to be: by the link, at the command line, or through another node.
fn remove_when_used(supervisor: &Supervisor, site: &Site, path: PathBuf) {
    let (site, path, is_removed) = (site.clone(), Arc::new(path), Arc::new(AtomicBool::new(false)));
    supervisor.spawn("administrator link", LOOK_INTERVAL, move || {
        let (site, path, is_removed) = (site.clone(), Arc::clone(&path), Arc::clone(&is_removed));
        async move {
            if is_removed.load(Ordering::Relaxed) {
                return Ok(());
            }
            if site.app.has_administrator().await.map_err(|failure| TaskError::new(&failure))? {
                remove(&path).map_err(|error| TaskError::new(&error))?;
                is_removed.store(true, Ordering::Relaxed);
            }
            Ok(())
        }
    });
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
