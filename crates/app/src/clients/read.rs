//! Reading rows of clients. What a registration says is worked out once; the row itself is read each time, so that a
//! change counts from the next request on, whoever made it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use doorward_oidc::client::{Author, Client, ClientId};
use doorward_store::clients::ClientRow;
use serde_json::{Map, Value};

use super::RegisteredClient;
use crate::failure::Failure;

/// Most registrations kept; more are worked out each time.
const MOST_ENTRIES: usize = 1_000;

/// Registrations that were read before, by the id of the client.
#[derive(Default)]
pub(crate) struct ReadClients {
    entries: Mutex<HashMap<String, Entry>>,
}

struct Entry {
    /// What it was worked out from, to the byte.
    metadata: String,
    client: Client,
}

impl ReadClients {
    /// The client of a row.
    pub(crate) fn read(&self, row: &ClientRow) -> Result<RegisteredClient, Failure> {
        let (created_at, updated_at, disabled_at) = (row.created_at, row.updated_at, row.disabled_at);
        Ok(RegisteredClient { client: self.client_of(row)?, created_at, updated_at, disabled_at })
    }

    fn client_of(&self, row: &ClientRow) -> Result<Client, Failure> {
        // A panic between two map operations leaves a usable map: every entry is checked when it is used.
        if let Some(entry) = self.entries.lock().unwrap_or_else(PoisonError::into_inner).get(&row.id)
            && entry.metadata == row.metadata
        {
            return Ok(entry.client.clone());
        }
        let client = read_metadata(&row.id, &row.metadata)?;
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST_ENTRIES && !entries.contains_key(&row.id) {
            // Those in use come back at once.
            entries.clear();
        }
        entries.insert(row.id.clone(), Entry { metadata: row.metadata.clone(), client: client.clone() });
        Ok(client)
    }
}

/// The client with this id and metadata, as its row holds them.
pub(crate) fn read_metadata(id: &str, metadata: &str) -> Result<Client, Failure> {
    let corrupt = || Failure::internal("reading a client", "its row does not hold the metadata of a client");
    let members: Map<String, Value> = serde_json::from_str(metadata).map_err(|_| corrupt())?;
    let id = ClientId::parse(id).map_err(|_| corrupt())?;
    Client::from_json(id, &members, Author::Operator).map_err(|_| corrupt())
}

#[cfg(test)]
mod tests {
    use doorward_model::time::Timestamp;

    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_000_000);

    fn row(id: &str, name: &str) -> ClientRow {
        let metadata = serde_json::json!({
            "client_name": name, "redirect_uris": ["https://shop.example.com/callback"],
        });
        ClientRow {
            id: id.to_owned(),
            metadata: metadata.to_string(),
            created_at: NOW,
            updated_at: NOW,
            disabled_at: None,
        }
    }

    fn name_of(clients: &ReadClients, row: &ClientRow) -> String {
        clients.read(row).unwrap().client.metadata().name.as_ref().unwrap().as_str().to_owned()
    }

    #[test]
    fn a_row_says_what_it_says_whatever_was_read_before() {
        let clients = ReadClients::default();
        assert_eq!(name_of(&clients, &row("shop", "Shop")), "Shop");
        // Changed within the same millisecond.
        assert_eq!(name_of(&clients, &row("shop", "Boutique")), "Boutique");
        assert_eq!(name_of(&clients, &row("shop", "Shop")), "Shop");
        let kept_out = ClientRow { disabled_at: Some(NOW), ..row("shop", "Shop") };
        assert_eq!(clients.read(&kept_out).unwrap().disabled_at, Some(NOW));
        assert_eq!(name_of(&clients, &row("other", "Other")), "Other");
    }

    #[test]
    fn any_number_of_clients_takes_a_bounded_space() {
        let clients = ReadClients::default();
        for number in 0..=MOST_ENTRIES {
            let id = format!("shop-{number}");
            assert_eq!(name_of(&clients, &row(&id, &id)), id);
        }
        assert_eq!(clients.entries.lock().unwrap().len(), 1);
    }
}
