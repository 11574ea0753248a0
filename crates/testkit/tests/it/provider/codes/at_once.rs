//! What a request meets that is changed and not yet committed. Of two at once only PostgreSQL can tell.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use doorward_store::{Statement, StoreError, Tx};
use doorward_testkit::{Answer, Engine, World, only_on};
use serde_json::json;

use super::OFFLINE;
use crate::credentials::{count_events, number};
use crate::provider::applications::somebody_elses;
use crate::provider::relying_party::RelyingParty;
use crate::provider::renewal::renewing;
use crate::provider::signed_in;

static END_SESSION: Statement = Statement::new("tests::END_SESSION", "UPDATE sessions SET revoked_at = created_at");
static DELETE_CLIENT: Statement = Statement::new("tests::DELETE_CLIENT", "DELETE FROM clients");
/// How many transactions wait for this one.
static WAITING: Statement = Statement::new(
    "tests::WAITING_FOR_CHANGE",
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid",
);

/// What is answered while `change` is made: it is committed when the request waits for it, or has its answer.
async fn amid(world: &World, change: &'static Statement, request: impl Future<Output = Answer>) -> Answer {
    let is_answered = Arc::new(AtomicBool::new(false));
    let (tell, is_made) = std::sync::mpsc::channel();
    let make = {
        let is_answered = Arc::clone(&is_answered);
        move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            tx.execute_expecting(change, &[], 1)?;
            tell.send(()).unwrap();
            while tx.query_one(&WAITING, &[], |row| row.get::<i64>(0))? == 0 && !is_answered.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            Ok(())
        }
    };
    let store = world.store().clone();
    let making = tokio::spawn(async move { store.write(make).await });
    tokio::task::spawn_blocking(move || is_made.recv()).await.unwrap().unwrap();
    let answer = request.await;
    is_answered.store(true, Ordering::Release);
    making.await.unwrap().unwrap();
    answer
}

/// Who has lost the right to outlive sessions gets what hangs on the session, so that is what must live.
///
/// Proves: A-84
#[test]
fn what_is_left_of_a_code_says_whether_its_grant_waits_for_the_end_of_the_session() {
    only_on(Engine::Postgres, async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, renewing(&json!({}))).await;
        owner.open(&shop.start(&OFFLINE)).await.expect(303);
        let waiting = shop.code(&owner);
        let fields = json!({ "scope": "openid email" }).as_object().unwrap().clone();
        world.app().update_client(&world.operator().op(), &shop.client_id, fields).await.unwrap().unwrap();
        let answer = amid(world, &END_SESSION, shop.exchange(&waiting, &[])).await;
        assert_eq!(answer.expect(400).string("error"), "invalid_grant");
        assert_eq!(number(world, "SELECT COUNT(*) FROM grants").await, 0);
    });
}

/// Proves: A-81
#[test]
fn a_request_of_a_client_that_is_being_removed_is_answered_as_one_of_nobody() {
    only_on(Engine::Postgres, async |world| {
        let mut owner = signed_in(world).await;
        for (fields, is_asked) in [(json!({}), false), (somebody_elses(), true)] {
            let shop = RelyingParty::register(world, fields).await;
            let page = if is_asked {
                owner.open(&shop.start(&[])).await.expect(200);
                amid(world, &DELETE_CLIENT, owner.submit("/oauth2/consent", &[("decision", "allow")])).await
            } else {
                amid(world, &DELETE_CLIENT, owner.open(&shop.start(&[]))).await
            };
            assert!(page.text().contains("there is no such client"), "{}", page.text());
            page.expect(400);
        }
        assert_eq!(count_events(world, "consent.given").await, 0);
    });
}
