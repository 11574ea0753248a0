//! `GET /api/v1/sessions`.

use doorward_testkit::both;
use http::Method;
use serde_json::{Value, json};

use crate::credentials::{EMAIL, bare, browser, register, with_cookie};

const OTHER: &str = "grace@example.org";

/// Proves: V7.5.2, A-127, S-33, S-155, S-177, V15.3.1
#[test]
fn people_see_their_own_sessions_newest_first_in_pages() {
    both(async |world| {
        register(world, EMAIL).await;
        register(world, OTHER).await;
        let mut mine = Vec::new();
        for _ in 0..7 {
            mine.push(browser(world, EMAIL).await);
            browser(world, OTHER).await;
        }
        let list = async |query: &str| {
            let request = with_cookie(bare(&Method::GET, &format!("/api/v1/sessions{query}")), &mine[2].cookie);
            world.send(request).await.expect(200).json()
        };
        let (mut seen, mut query) = (Vec::new(), "?limit=3".to_owned());
        loop {
            let page = list(&query).await;
            let data = page["data"].as_array().unwrap();
            assert!((1..=3).contains(&data.len()));
            seen.extend(data.clone());
            let Value::String(cursor) = &page["next_cursor"] else { break };
            query = format!("?limit=3&cursor={cursor}");
        }
        let ids: Vec<_> = seen.iter().map(|session| session["id"].as_str().unwrap()).collect();
        let expected: Vec<_> = mine.iter().rev().map(|held| held.session.as_str()).collect();
        assert_eq!(ids, expected);
        for session in &seen {
            assert_eq!(session["current"], json!(session["id"] == json!(mine[2].session)));
            assert_eq!(session["ip"], json!("198.51.100.7"));
            assert_eq!(session["authentication_methods"], json!(["pwd"]));
            let names: Vec<_> = session.as_object().unwrap().keys().map(String::as_str).collect();
            let known =
                ["authentication_methods", "created_at", "current", "device", "expires_at", "id", "ip", "last_seen_at"];
            assert_eq!(names.iter().copied().collect::<std::collections::BTreeSet<_>>(), known.into());
        }
        assert_eq!(list("").await["data"].as_array().unwrap().len(), 7);
    });
}

/// Proves, S-177
#[test]
fn a_list_has_bounds_and_takes_no_forged_place() {
    both(async |world| {
        register(world, EMAIL).await;
        register(world, OTHER).await;
        let (mine, foreign) = (browser(world, EMAIL).await, browser(world, OTHER).await);
        let get = async |query: &str| {
            world.send(with_cookie(bare(&Method::GET, &format!("/api/v1/sessions?{query}")), &mine.cookie)).await
        };
        for query in [
            "limit=-1",
            "limit=0",
            "limit=101",
            "limit=1000000000000000000",
            "limit=NaN",
            "limit=",
            "limit=1.5",
            "limit=%31%30%31",
            "cursor=x",
            "cursor=session_x",
            "cursor=user_01h455vb4pex5vsknk084sn02q",
            "cursor=",
            "cursor=%27%20OR%201%3D1%20--",
            "cursor=../../etc/passwd",
            "offset=10",
            "sort=credential_hash",
            "filter=.*",
            "user_id=user_01h455vb4pex5vsknk084sn02q",
        ] {
            get(query).await.expect_problem(422, "validation_failed");
        }
        for query in ["limit=1&limit=2", "limit=%ff", "cursor=%"] {
            let answer = get(query).await;
            assert!([400, 422].contains(&answer.status.as_u16()), "{query}: {}", answer.text());
        }
        // A cursor is a place, not a right: somebody else's shows the caller's own sessions and nothing more.
        let page = get(&format!("cursor={}", foreign.session)).await.expect(200).json();
        let ids: Vec<_> = page["data"].as_array().unwrap().iter().map(|session| session["id"].clone()).collect();
        assert!(ids.is_empty() || ids == [json!(mine.session)], "{page}");
    });
}
