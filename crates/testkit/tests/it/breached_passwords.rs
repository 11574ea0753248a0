//! New passwords and a scripted service that knows breached ones.

use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use doorward_app::breached_passwords::{
    BreachCheck, BreachedPasswords, HashPrefix, NoAnswer, RangeAnswer, WithoutAnswer,
};
use doorward_app::outbound::Outbound;
use doorward_model::password::Password;
use doorward_testkit::{Setup, World, both, both_with};
use serde_json::json;

use crate::people::{HOME, OTHER_PASSWORD, OWNER, PASSWORD};

/// Good by every rule of ours, and known to the service.
const BREACHED: &str = "nine walnuts beside the harbour";

/// What the service is asked, and what it says.
#[derive(Default)]
struct Service {
    asked: Mutex<Vec<String>>,
    is_down: bool,
}

impl BreachedPasswords for Service {
    fn find_range<'a>(&'a self, prefix: &'a HashPrefix) -> RangeAnswer<'a> {
        self.asked.lock().unwrap().push(prefix.as_str().to_owned());
        let hash = hex(BREACHED);
        let padding = "0018A45C4D1DEF81644B54AB7F969B88D65:0";
        let lines = match hash.strip_prefix(prefix.as_str()) {
            Some(rest) => format!("{padding}\r\n{rest}:42\r\n"),
            None => format!("{padding}\r\n"),
        };
        let answer = if self.is_down { Err(NoAnswer::TooLate) } else { Ok(lines.into()) };
        Box::pin(std::future::ready(answer))
    }
}

fn hex(password: &str) -> String {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    hash.as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02X}"))
}

fn asking(service: &Arc<Service>, without_answer: WithoutAnswer) -> Setup {
    let outbound = Outbound { breached: BreachCheck::with(service.clone(), without_answer), ..Outbound::default() };
    Setup { outbound, ..Setup::default() }
}

/// The digits of a hash must not turn up in a log line or an event either; whole worlds are searched for canaries.
fn watch(world: &World) {
    for password in [BREACHED, PASSWORD, OTHER_PASSWORD] {
        world.canaries().add(&hex(password));
        world.canaries().add(&hex(password)[5..]);
    }
}

/// Proves: V6.2.12, A-24
#[test]
fn a_password_known_from_a_breach_is_refused_wherever_one_is_chosen() {
    let service = Arc::new(Service::default());
    both_with(&asking(&service, WithoutAnswer::Accept), async |world| {
        watch(world);
        let mut client = world.api(HOME);
        let refused = client.sign_up(OWNER, BREACHED).await.expect_problem(422, "validation_failed");
        assert_eq!(refused.json()["errors"][0]["code"], json!("password_blocklisted"), "{}", refused.text());
        assert_eq!(world.letters_to(OWNER).await.len(), 0);

        let letter = client.make_account(OWNER, PASSWORD).await;
        assert!(letter.text.contains(OWNER));
        client.sign_in(OWNER, PASSWORD).await.expect(200);
        let change = json!({ "current_password": PASSWORD, "new_password": BREACHED });
        client.post("/api/v1/password/change", &change).await.expect_problem(422, "validation_failed");
        let token = client.reset_token(OWNER).await;
        client.reset(&token, BREACHED).await.expect_problem(422, "validation_failed");

        let mut browser = world.browser(HOME);
        browser.open("/signup").await.expect(200);
        let page = browser.submit("/signup", &[("email", "other@example.org"), ("password", BREACHED)]).await;
        assert!(page.expect(422).text().contains("in a list of stolen passwords"));
        browser.submit("/signup", &[("email", "other@example.org"), ("password", PASSWORD)]).await.expect(200);
        browser.open(&world.last_letter_to("other@example.org").await.link()).await.expect(200);
        let page = browser.submit("/verify/link", &[("password", BREACHED)]).await.expect(422);
        assert!(page.text().contains("in a list of stolen passwords"));
        browser.submit("/verify/link", &[("password", OTHER_PASSWORD)]).await.expect(200);

        client.reset(&token, OTHER_PASSWORD).await.expect(204);
        client.login(OWNER, OTHER_PASSWORD).await.expect(200);
    });
    let asked = service.asked.lock().unwrap();
    assert!(asked.len() > 10 && asked.iter().all(|prefix| prefix.len() == 5), "{asked:?}");
}

/// What our own rules refuse is not sent anywhere, and a sign-in asks nobody.
///
/// Proves: V6.2.12
#[test]
fn only_passwords_that_could_be_taken_are_asked_for() {
    let service = Arc::new(Service::default());
    both_with(&asking(&service, WithoutAnswer::Refuse), async |world| {
        watch(world);
        world.operator().create_user(OWNER, PASSWORD).await;
        service.asked.lock().unwrap().clear();
        let client = world.api(HOME);
        client.sign_up("other@example.org", "password").await.expect_problem(422, "validation_failed");
        client.login(OWNER, PASSWORD).await.expect(200);
        client.login(OWNER, BREACHED).await.expect(401);
        assert!(service.asked.lock().unwrap().is_empty());
        let prefix = HashPrefix::of(&Password::new(OTHER_PASSWORD).unwrap()).as_str().to_owned();
        client.sign_up("other@example.org", OTHER_PASSWORD).await.expect(202);
        assert_eq!(*service.asked.lock().unwrap(), [prefix]);
    });
}

/// Proves: V6.2.12, V16.3.4
#[test]
fn without_an_answer_the_operator_decides() {
    let service = Arc::new(Service { is_down: true, ..Service::default() });
    both_with(&asking(&service, WithoutAnswer::Accept), async |world| {
        watch(world);
        let answer = world.api(HOME).sign_up(OWNER, BREACHED).await.expect(202);
        let line = world.canaries().line_saying("a new password was accepted without asking for breaches").unwrap();
        assert_eq!(
            (&line["level"], line["span"]["request.id"].as_str()),
            (&json!("ERROR"), answer.header("x-request-id"))
        );
        assert!(line["fields"]["error"].is_string(), "{line}");
        world.api(HOME).sign_up(OWNER, "password1password1").await.expect_problem(422, "validation_failed");
    });
    both_with(&asking(&service, WithoutAnswer::Refuse), async |world| {
        watch(world);
        let answer = world.api(HOME).sign_up(OWNER, PASSWORD).await.expect_problem(503, "unavailable");
        assert!(answer.header(http::header::RETRY_AFTER).is_some());
        assert_eq!(world.letters_to(OWNER).await.len(), 0);
        let mut browser = world.browser(HOME);
        browser.open("/signup").await.expect(200);
        browser.submit("/signup", &[("email", OWNER), ("password", PASSWORD)]).await.expect(503);
    });
}

#[test]
fn by_default_nobody_is_asked() {
    both(async |world| {
        world.api(HOME).sign_up(OWNER, BREACHED).await.expect(202);
    });
}
