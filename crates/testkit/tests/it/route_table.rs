//! Every route of the table, asked by every kind of caller and in every wrong way.

mod callers;
mod forged;
mod limits;
mod safe;
mod shapes;
mod upstream;

use doorward_testkit::World;
use doorward_testkit::world::Request;
use doorward_web::route::{CsrfRule, Door, RouteInfo};
use doorward_web::route_table::RouteTable;
use http::header;

/// The table as it is served.
fn routes() -> Vec<RouteInfo> {
    RouteTable::new(doorward_web::routes()).unwrap().list()
}

/// The path of a route with something in the place of its parameters.
fn path(route: &RouteInfo) -> String {
    let path = route.path.replace("{id}", "session_01h455vb4pex5vsknk084sn02q");
    path.replace("{client_id}", "client_01h455vb4pex5vsknk084sn02q")
}

fn is_unsafe(route: &RouteInfo) -> bool {
    route.csrf != CsrfRule::Safe
}

/// A request to a route with an empty body of its kind, from `address`, as our own pages send it.
fn ask(route: &RouteInfo, address: &str, csrf: &str) -> Request {
    let request = Request::new(route.method.clone(), &path(route), address);
    if !is_unsafe(route) {
        return request;
    }
    let request = crate::credentials::same_origin(request);
    match route.door {
        Door::Page | Door::PopupPage => {
            request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(format!("csrf_token={csrf}"))
        }
        Door::OAuth => request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(String::new()),
        Door::Api | Door::Metadata => {
            request.header("x-csrf-token", csrf).header(header::CONTENT_TYPE, "application/json").body("{}".to_owned())
        }
    }
}

/// How many rows there are in every table, and what happened so far.
async fn state(world: &World) -> Vec<i64> {
    let mut counts = Vec::new();
    for sql in [
        "SELECT COUNT(*) FROM users",
        "SELECT COUNT(*) FROM passwords",
        "SELECT COUNT(*) FROM pending_signups",
        "SELECT COUNT(*) FROM one_time_tokens",
        "SELECT COUNT(*) FROM sessions",
        "SELECT COUNT(*) FROM sessions WHERE revoked_at IS NULL",
        "SELECT COUNT(*) FROM token_families",
        "SELECT COUNT(*) FROM known_devices",
        "SELECT COUNT(*) FROM attempts",
        "SELECT COUNT(*) FROM mail_budgets",
        "SELECT COUNT(*) FROM events",
        "SELECT COUNT(*) FROM deliveries",
        "SELECT COUNT(*) FROM signing_keys",
        "SELECT COUNT(*) FROM revocations",
        "SELECT COUNT(*) FROM clients",
        "SELECT COUNT(*) FROM grants",
        "SELECT COUNT(*) FROM consents",
        "SELECT COUNT(*) FROM client_sessions",
    ] {
        counts.push(crate::credentials::number(world, sql).await);
    }
    counts
}

/// How many people there are, and passwords and clients.
pub(crate) async fn accounts(world: &World) -> [i64; 3] {
    let count = async |sql| crate::credentials::number(world, sql).await;
    [
        count("SELECT COUNT(*) FROM users").await,
        count("SELECT COUNT(*) FROM passwords").await,
        count("SELECT COUNT(*) FROM clients").await,
    ]
}
