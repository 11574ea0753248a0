//! What happens to a database in operation: the disk is full, the server is gone.

use doorward_store::{Statement, StoreError};

use crate::world::World;

static PAGE_COUNT: Statement = Statement::new("testkit::PAGE_COUNT", "SELECT page_count FROM pragma_page_count");
static INTEGRITY: Statement =
    Statement::new("testkit::INTEGRITY", "SELECT integrity_check FROM pragma_integrity_check");
static DANGLING: Statement = Statement::new("testkit::DANGLING", "SELECT count(*) FROM pragma_foreign_key_check");
/// As many pages as SQLite can have: no limit.
const NO_LIMIT: i64 = 4_294_967_294;

impl World {
    /// The file of the embedded database cannot grow any more; what fits into its pages still does.
    pub async fn fill_disk(&self) {
        let pages: Result<i64, StoreError> =
            self.store().read(|tx| tx.query_one(&PAGE_COUNT, &[], |row| row.get(0))).await;
        self.limit_pages(pages.unwrap()).await;
    }

    /// There is space again.
    pub async fn free_disk(&self) {
        self.limit_pages(NO_LIMIT).await;
    }

    async fn limit_pages(&self, pages: i64) {
        let sql: &'static str = format!("PRAGMA max_page_count = {pages}").leak();
        let statement: &'static Statement = Box::leak(Box::new(Statement::new("testkit::LIMIT_PAGES", sql)));
        let limit: Result<i64, StoreError> =
            self.store().write(|tx| tx.query_one(statement, &[], |row| row.get(0))).await;
        limit.unwrap();
    }

    /// Passes when the embedded database finds nothing wrong with its file and no row refers to nothing.
    pub async fn assert_intact(&self) {
        let verdict: Result<(String, i64), StoreError> = self
            .store()
            .read(|tx| {
                let verdict = tx.query_one(&INTEGRITY, &[], |row| row.get(0))?;
                Ok((verdict, tx.query_one(&DANGLING, &[], |row| row.get(0))?))
            })
            .await;
        assert_eq!(verdict.unwrap(), ("ok".to_owned(), 0));
    }

    /// The database server ends every connection and takes no new one.
    pub fn take_database_away(&self) {
        self.place().let_connections_in(false);
    }

    /// The database server takes connections again.
    pub fn give_database_back(&self) {
        self.place().let_connections_in(true);
    }
}
