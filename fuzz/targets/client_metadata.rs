//! No registration makes the reader panic; whatever is accepted is written and read back the same.
#![no_main]

use doorward_oidc::client::{Author, Client, ClientId};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(fields) = serde_json::from_slice(bytes) else { return };
    let id = ClientId::parse("shop").expect("an id");
    let _ = Client::from_json(id.clone(), &fields, Author::Stranger);
    if let Ok(client) = Client::from_json(id.clone(), &fields, Author::Operator) {
        let again = Client::from_json(id, &client.to_json(), Author::Operator);
        assert_eq!(again.as_ref(), Ok(&client));
    }
});
