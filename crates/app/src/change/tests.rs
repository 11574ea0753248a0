//! The wrapper that every use case writes through: all of it commits, or nothing does.

use doorward_store::{Statement, Store, StoreError};

use super::*;
use crate::mail::Letter;
use crate::op::Op;
use crate::post::Addressee;
use crate::test_app::{app, op};
use crate::test_database::{at, on_both};

static RENAME: Statement = Statement::new("tests::RENAME", "UPDATE users SET name = $1");
static NAMES: Statement = Statement::new("tests::NAMES", "SELECT COALESCE(name, '') FROM users");
static ACTIONS: Statement =
    Statement::new("tests::ACTIONS", "SELECT action FROM events WHERE action <> 'keys.rotated'");
static MAILS: Statement = Statement::new("tests::MAILS", "SELECT id FROM deliveries");
static NONSENSE: Statement = Statement::new("tests::NONSENSE", "UPDATE users SET email = NULL");

/// What is in the tables that one change writes to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Written {
    names: Vec<String>,
    actions: Vec<String>,
    mails: usize,
}

impl Written {
    fn nothing() -> Self {
        Self { names: vec![String::new()], ..Self::default() }
    }
}

async fn written(store: &Store) -> Written {
    let read = |statement| store.read::<_, StoreError, _>(move |tx| tx.query_all(statement, &[], |row| row.get(0)));
    Written {
        names: read(&NAMES).await.unwrap(),
        actions: read(&ACTIONS).await.unwrap(),
        mails: read(&MAILS).await.unwrap().len(),
    }
}

async fn with_user(store: &Store) -> App {
    let app = app(store, at(0)).await;
    let id = doorward_model::id::UserId::new(at(0), op(at(0), 9).random.as_ref());
    crate::test_database::insert_user(store, id, "ada@example.com").await;
    app
}

fn event(op: &Op) -> EventDraft {
    EventDraft::new(op, Action::ProfileChanged)
}

fn parcel(app: &App, op: &Op) -> Parcel {
    let to = Addressee { email: "ada@example.com", name: None, locale: None };
    let letter = Letter::PasswordChanged { incident: App::incident(op), forgot_link: app.link("/forgot") };
    app.pack(op, to, &letter).unwrap()
}

/// Changes a name, queues a mail, records `events` events and then does `last`.
async fn change(
    app: &App,
    events: u64,
    last: impl Fn(&mut Change<'_, '_>) -> Result<(), Failure> + Send + 'static,
) -> Result<(), Failure> {
    let first = op(at(1), 1);
    let drafts: Vec<EventDraft> = (0..events).map(|seed| event(&op(at(1), 20 + seed))).collect();
    let (owner, parcel) = (event(&first), parcel(app, &first));
    app.change(move |change| {
        change.tx.execute(&RENAME, &["Ada".into()])?;
        for draft in &drafts {
            change.record(draft)?;
        }
        change.post(drafts.first().unwrap_or(&owner), &parcel)?;
        last(change)
    })
    .await
}

/// Proves: S-67, S-191, V2.3.3, A-168
#[tokio::test]
async fn a_change_its_event_and_its_mail_are_there_together_or_not_at_all() {
    on_both(|store| async move {
        let app = with_user(&store).await;
        let failed = change(&app, 1, |_| Err(Failure::internal("failing late", std::fmt::Error))).await;
        assert!(matches!(failed, Err(Failure::Internal { .. })), "{failed:?}");
        assert_eq!(written(&store).await, Written::nothing());
        let failed = change(&app, 1, |change| Ok(change.tx.execute(&NONSENSE, &[]).map(drop)?)).await;
        assert!(failed.is_err(), "{failed:?}");
        assert_eq!(written(&store).await, Written::nothing());
        change(&app, 1, |_| Ok(())).await.unwrap();
        let all = Written { names: vec!["Ada".into()], actions: vec!["user.profile_changed".into()], mails: 1 };
        assert_eq!(written(&store).await, all);
    })
    .await;
}

/// Proves: S-191, A-168
#[tokio::test]
async fn a_change_without_exactly_one_event_is_refused() {
    on_both(|store| async move {
        let app = with_user(&store).await;
        let outcome = app
            .change(|change| {
                change.tx.execute(&RENAME, &["Ada".into()])?;
                Ok(())
            })
            .await;
        assert!(matches!(outcome, Err(Failure::Unrecorded { recorded: 0 })), "{outcome:?}");
        let outcome = change(&app, 2, |_| Ok(())).await;
        assert!(matches!(outcome, Err(Failure::Unrecorded { recorded: 2 })), "{outcome:?}");
        let outcome = change(&app, 1, |change| {
            change.quietly();
            Ok(())
        })
        .await;
        assert!(matches!(outcome, Err(Failure::Unrecorded { recorded: 1 })), "{outcome:?}");
        assert_eq!(written(&store).await, Written::nothing());
    })
    .await;
}
