//! After a change of the master key: what was sealed with an earlier one is sealed again, so that the earlier one may go.
//!
//! A start seals the keys again (`keys/start`). Deliveries wait for hours, and nodes that have not changed the master key
//! yet go on sealing with the old one: so this is done again and again, for as long as earlier keys are at hand.

use doorward_model::id::DeliveryId;
use doorward_store::deliveries;

use crate::App;
use crate::failure::Failure;
use crate::op::Op;
use crate::post::PAYLOAD;

/// Deliveries that are sealed again at once.
const BATCH: i64 = 20;

impl App {
    /// Seals keys and queued deliveries again that an earlier master key has sealed; says how many. What none of the keys at
    /// hand opens stays as it is, and so does everything while the database knows another master key as the current one.
    pub async fn seal_again(&self, op: &Op) -> Result<usize, Failure> {
        if !self.keys.masters().has_previous() {
            return Ok(0);
        }
        let keys = self.keys.seal_again(op.random.as_ref()).await;
        let Some(keys) = keys? else { return Ok(0) };
        let deliveries = self.seal_deliveries_again(op).await?;
        if keys + deliveries > 0 {
            tracing::info!(keys, deliveries, "sealed again with the current master key");
        }
        Ok(keys + deliveries)
    }

    async fn seal_deliveries_again(&self, op: &Op) -> Result<usize, Failure> {
        let (masters, mut after, mut count) = (self.keys.masters(), String::new(), 0);
        loop {
            let (fingerprint, from) = (masters.fingerprint(), after);
            let read =
                self.store.read(move |tx| deliveries::list_sealed_otherwise(tx, fingerprint.as_bytes(), &from, BATCH));
            let batch = read.await?;
            let Some((last, _)) = batch.last() else { return Ok(count) };
            after = last.to_string();
            let mut anew: Vec<(DeliveryId, Vec<u8>, Vec<u8>)> = Vec::new();
            for (id, seen) in batch {
                let sealed = masters
                    .reseal(PAYLOAD, &id.to_string(), &seen, op.random.as_ref())
                    .map_err(|error| Failure::internal("sealing a delivery again", error))?;
                anew.extend(sealed.map(|sealed| (id, seen, sealed)));
            }
            let written = self.store.write(move |tx| {
                let mut written = 0;
                for (id, seen, sealed) in &anew {
                    written += usize::from(deliveries::update_payload(tx, *id, seen, sealed)?);
                }
                Ok(written)
            });
            count += written.await.map_err(|error: doorward_store::StoreError| Failure::from(error))?;
        }
    }
}

#[cfg(test)]
mod tests;
