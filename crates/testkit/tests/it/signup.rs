//! `/api/v1/signup` and `/api/v1/email-verifications`.

use doorward_model::time::{HOUR_MS, MINUTE_MS, SECOND_MS};
use doorward_store::Statement;
use doorward_testkit::both;
use doorward_testkit::world::Request;
use http::Method;
use serde_json::json;

use crate::people::{AWAY, HOME, OTHER_PASSWORD, OWNER, PASSWORD, WRONG_PASSWORD, count, stranger};

static COUNT_PENDING: Statement = Statement::new("it::COUNT_PENDING", "SELECT count(*) FROM pending_signups");
static COUNT_USERS: Statement = Statement::new("it::COUNT_USERS", "SELECT count(*) FROM users");

fn another_code(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

/// Proves: A-2, S-42, S-9, V6.3.8
#[test]
fn signing_up_answers_the_same_for_a_new_a_pending_and_a_known_address() {
    both(async |world| {
        world.api(HOME).make_account(OWNER, PASSWORD).await;
        world.api(HOME).sign_up("pending@example.org", PASSWORD).await.expect(202);
        let known = world.api(&stranger(1)).sign_up(OWNER, OTHER_PASSWORD).await.expect(202);
        let pending = world.api(&stranger(2)).sign_up("pending@example.org", OTHER_PASSWORD).await.expect(202);
        let new = world.api(&stranger(3)).sign_up("newest@example.org", OTHER_PASSWORD).await.expect(202);
        assert_eq!(known.shape(), new.shape());
        assert_eq!(pending.shape(), new.shape());
        assert!(new.cookies().is_empty());
        assert!(!world.last_letter_to(OWNER).await.has_code(), "the owner is told, not asked");
        assert!(world.last_letter_to("newest@example.org").await.has_code());
    });
}

/// Proves: A-61, V6.6.2
#[test]
fn nobody_prepares_an_account_for_the_address_of_somebody_else() {
    both(async |world| {
        let attacker = world.api(AWAY);
        let first = attacker.sign_up(OWNER, WRONG_PASSWORD).await.expect(202).string("verification");
        let letter = world.last_letter_to(OWNER).await;
        attacker.sign_up(OWNER, OTHER_PASSWORD).await.expect(202);
        world.api(HOME).confirm_link(&letter.token(), PASSWORD).await.expect(200);
        assert_eq!(count(world, &COUNT_PENDING).await, 0);
        attacker.login(OWNER, WRONG_PASSWORD).await.expect_problem(401, "invalid_credentials");
        attacker.login(OWNER, OTHER_PASSWORD).await.expect_problem(401, "invalid_credentials");
        attacker.confirm_code(&first, &letter.code()).await.expect_problem(400, "invalid_token");
        world.api(HOME).login(OWNER, PASSWORD).await.expect(200);
    });
}

/// Proves: V6.6.3
#[test]
fn five_wrong_codes_end_the_code() {
    both(async |world| {
        let owner = world.api(HOME);
        let verification = owner.sign_up(OWNER, PASSWORD).await.expect(202).string("verification");
        let code = world.last_letter_to(OWNER).await.code();
        let wrong = another_code(&code);
        for _ in 0..5 {
            owner.confirm_code(&verification, &wrong).await.expect_problem(400, "invalid_token");
        }
        owner.confirm_code(&verification, &code).await.expect_problem(400, "invalid_token");
        owner.login(OWNER, PASSWORD).await.expect_problem(401, "invalid_credentials");
        assert_eq!(count(world, &COUNT_USERS).await, 0);
    });
}

/// Proves: V6.6.3
#[test]
fn four_wrong_codes_leave_one_try() {
    both(async |world| {
        let owner = world.api(HOME);
        let verification = owner.sign_up(OWNER, PASSWORD).await.expect(202).string("verification");
        let code = world.last_letter_to(OWNER).await.code();
        for _ in 0..4 {
            owner.confirm_code(&verification, &another_code(&code)).await.expect(400);
        }
        owner.confirm_code(&verification, &code).await.expect(200);
        owner.confirm_code(&verification, &code).await.expect_problem(400, "invalid_token");
    });
}

/// Proves: V6.6.3
#[test]
fn fifty_codes_tried_at_once_are_five_tries() {
    both(async |world| {
        let owner = world.api(HOME);
        let verification = owner.sign_up(OWNER, PASSWORD).await.expect(202).string("verification");
        let code = world.last_letter_to(OWNER).await.code();
        let mut tries = tokio::task::JoinSet::new();
        for number in 0..50 {
            let (client, verification) = (world.api(&stranger(number)), verification.clone());
            let wrong = another_code(&code);
            tries.spawn(async move { client.confirm_code(&verification, &wrong).await.expect(400) });
        }
        tries.join_all().await;
        let failed = world.actions().await.iter().filter(|action| *action == "signup.verification_failed").count();
        assert_eq!(failed, 5);
        owner.confirm_code(&verification, &code).await.expect_problem(400, "invalid_token");
    });
}

/// Proves: V6.5.5
#[test]
fn a_code_works_for_ten_minutes() {
    both(async |world| {
        let owner = world.api(HOME);
        let late = owner.sign_up("late@example.org", PASSWORD).await.expect(202).string("verification");
        let late_code = world.last_letter_to("late@example.org").await.code();
        let timely = owner.sign_up(OWNER, PASSWORD).await.expect(202).string("verification");
        let timely_code = world.last_letter_to(OWNER).await.code();
        world.advance(10 * MINUTE_MS - SECOND_MS);
        owner.confirm_code(&timely, &timely_code).await.expect(200);
        world.advance(2 * SECOND_MS);
        owner.confirm_code(&late, &late_code).await.expect_problem(400, "invalid_token");
    });
}

/// Proves: A-60
#[test]
fn a_link_works_for_a_day_and_looking_at_it_consumes_nothing() {
    both(async |world| {
        let owner = world.api(HOME);
        owner.sign_up("late@example.org", PASSWORD).await.expect(202);
        let late = world.last_letter_to("late@example.org").await.token();
        owner.sign_up(OWNER, PASSWORD).await.expect(202);
        let letter = world.last_letter_to(OWNER).await;
        world.send(Request::new(Method::HEAD, &letter.link(), AWAY)).await;
        for _ in 0..3 {
            let mut scanner = world.browser(AWAY);
            scanner.open(&letter.link()).await.expect(200);
            assert!(scanner.has_form("/verify/link"));
            assert!(!scanner.location.contains("token="), "the token leaves the address: {}", scanner.location);
        }
        world.advance(24 * HOUR_MS - MINUTE_MS);
        owner.confirm_link(&letter.token(), PASSWORD).await.expect(200);
        owner.confirm_link(&letter.token(), PASSWORD).await.expect_problem(400, "invalid_token");
        world.advance(2 * MINUTE_MS);
        owner.confirm_link(&late, PASSWORD).await.expect_problem(400, "invalid_token");
    });
}

#[test]
fn a_mail_sent_again_has_a_new_code_and_the_link_of_the_earlier_one_stays_valid() {
    both(async |world| {
        let owner = world.api(HOME);
        let verification = owner.sign_up(OWNER, PASSWORD).await.expect(202).string("verification");
        let first = world.last_letter_to(OWNER).await;
        world.advance(SECOND_MS);
        let body = json!({ "verification": verification });
        owner.post("/api/v1/email-verifications", &body).await.expect(202);
        let second = world.last_letter_to(OWNER).await;
        assert_ne!(first.code(), second.code());
        owner.confirm_code(&verification, &first.code()).await.expect_problem(400, "invalid_token");
        owner.confirm_link(&first.token(), PASSWORD).await.expect(200);
        owner.login(OWNER, PASSWORD).await.expect(200);
    });
}

/// Proves: V6.3.8
#[test]
fn asking_for_the_mail_again_says_nothing_about_the_sign_up() {
    both(async |world| {
        let verification = world.api(HOME).sign_up(OWNER, PASSWORD).await.expect(202).string("verification");
        let client = world.api(AWAY);
        let again = |text: String| {
            let client = client.clone();
            async move { client.post("/api/v1/email-verifications", &json!({ "verification": text })).await.expect(202) }
        };
        let known = again(verification.clone()).await;
        let mut unknown = verification.clone();
        unknown.replace_range(10..14, if &verification[10..14] == "AAAA" { "BBBB" } else { "AAAA" });
        assert_eq!(again(unknown).await.shape(), known.shape());
        assert_eq!(again("nonsense".to_owned()).await.shape(), known.shape());
    });
}

/// Proves: A-57, V6.6.2
#[test]
fn a_token_of_another_kind_confirms_and_resets_nothing() {
    both(async |world| {
        let mut owner = world.api(HOME);
        owner.make_account(OWNER, PASSWORD).await;
        owner.sign_in(OWNER, PASSWORD).await.expect(200);
        let reset = owner.reset_token(OWNER).await;
        let handle = owner.sign_up("other@example.org", PASSWORD).await.expect(202).string("verification");
        let letter = world.last_letter_to("other@example.org").await;
        let (access, refresh) = (owner.access_token.clone().unwrap(), owner.refresh_token.clone().unwrap());
        let client = world.api(AWAY);
        for wrong in [&reset, &handle, &access, &refresh] {
            client.confirm_link(wrong, OTHER_PASSWORD).await.expect_problem(400, "invalid_token");
        }
        for wrong in [&handle, &letter.token(), &access, &refresh] {
            client.reset(wrong, OTHER_PASSWORD).await.expect_problem(400, "invalid_token");
        }
        for wrong in [&reset, &letter.token(), &access, &refresh] {
            client.confirm_code(wrong, &letter.code()).await.expect_problem(400, "invalid_token");
        }
        client.confirm_code(&handle, &letter.code()).await.expect(200);
        client.reset(&reset, OTHER_PASSWORD).await.expect(204);
    });
}

/// Proves: S-175, V6.5.1, V2.3.4, V15.4.2
#[test]
fn twenty_openers_of_one_link_make_one_account() {
    both(async |world| {
        world.api(HOME).sign_up(OWNER, PASSWORD).await.expect(202);
        let token = world.last_letter_to(OWNER).await.token();
        let mut openers = tokio::task::JoinSet::new();
        for number in 0..20 {
            let (client, token) = (world.api(&stranger(number)), token.clone());
            openers.spawn(async move { client.confirm_link(&token, OTHER_PASSWORD).await.status.as_u16() });
        }
        let mut answers = openers.join_all().await;
        answers.sort_unstable();
        assert_eq!((answers[0], answers[1], answers[19]), (200, 400, 400));
        assert_eq!(count(world, &COUNT_USERS).await, 1);
    });
}

/// Proves: A-65, S-39
#[test]
fn what_is_nearly_an_address_is_another_person_or_none() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        // The same mailbox, spelt otherwise: one person.
        for same in ["OWNER@example.org", "owner@EXAMPLE.ORG", " owner@example.org "] {
            world.api(HOME).login(same, PASSWORD).await.expect(200);
        }
        // Whatever a provider makes of these, here they are others: the owner's password opens none of them, and a link
        // for one goes to that address alone.
        for (number, other) in
            ["owner+x@example.org", "own.er@example.org", "o.w.n.e.r@example.org", "owner@mail.example.org"]
                .into_iter()
                .enumerate()
        {
            let owner = world.api(&stranger(number));
            owner.login(other, PASSWORD).await.expect_problem(401, "invalid_credentials");
            owner.post("/api/v1/password/forgot", &json!({ "email": other })).await.expect(202);
            owner.make_account(other, OTHER_PASSWORD).await;
            owner.login(other, OTHER_PASSWORD).await.expect(200);
            owner.login(OWNER, OTHER_PASSWORD).await.expect_problem(401, "invalid_credentials");
        }
        assert_eq!(count(world, &COUNT_USERS).await, 5);
        assert!(world.letters_to(OWNER).await.iter().all(|letter| !letter.text.contains("token=")), "no link went out");
        // One letter more than an address may have.
        let long =
            format!("{}@{}.example.org", "a".repeat(64), ["b".repeat(59), "c".repeat(59), "d".repeat(58)].join("."));
        assert_eq!(long.len(), 255);
        for none in [
            "owner@example.org.",
            "owner.@example.org",
            ".owner@example.org",
            "ow..ner@example.org",
            "\"owner\"@example.org",
            "\"owner\\@x\"@example.org",
            "owner(home)@example.org",
            "<owner@example.org>",
            "owner@[192.0.2.1]",
            "owner@example..org",
            "owner@-example.org",
            long.as_str(),
        ] {
            let answer = world.api(AWAY).sign_up(none, OTHER_PASSWORD).await;
            assert_eq!(answer.status, 422, "{none}");
            let answer = answer.expect_problem(422, "validation_failed");
            assert_eq!(answer.complaints()[0].0, "/email", "{none}");
            // Nor does it sign anybody in.
            world.api(&stranger(40)).login(none, PASSWORD).await;
        }
    });
}
