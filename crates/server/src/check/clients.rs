//! Exceptions that were made for applications.

use doorward_app::clients::{WithoutPkce, list_without_pkce};
use doorward_store::migrations;

use super::{Finding, warning};
use crate::configuration::Configuration;
use crate::runtime::open_store;

/// Judges what is registered. Before the first start, and before `doorward migrate`, there is nothing to judge.
pub(super) async fn judge(configuration: &Configuration) -> Vec<Finding> {
    if configuration.is_sqlite() && !configuration.sqlite_file().exists() {
        return Vec::new();
    }
    let unread = || {
        let remedy = "The applications were not looked at: the database cannot be read now.";
        vec![warning("data_not_read", "database_url", remedy)]
    };
    let Ok(store) = open_store(configuration).await else { return unread() };
    let found = match migrations::status(&store).await {
        Ok(status) if status.applied.is_empty() || !status.pending.is_empty() => Vec::new(),
        Ok(_) => match list_without_pkce(&store).await {
            Ok(clients) => clients.into_iter().map(without_pkce).collect(),
            Err(_) => unread(),
        },
        Err(_) => unread(),
    };
    store.close().await;
    found
}

/// RFC 9700 section 2.1.1.
fn without_pkce(client: WithoutPkce) -> Finding {
    let (name, setting, remedy) = if client.nonce_required {
        let remedy =
            "Codes of this application are protected by nonce alone; register it with require_pkce as soon as it can.";
        ("client_without_pkce", "require_pkce", remedy)
    } else {
        let remedy = "Nothing protects the codes of this application. This is for tests of conformance: remove it when \
                      they are done.";
        ("client_without_pkce_and_nonce", "require_nonce", remedy)
    };
    Finding { client: Some(client.id), ..warning(name, setting, remedy) }
}
