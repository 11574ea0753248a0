//! Requests as bytes on a real socket: what is no request, what could be read as two, and what never comes.

use std::time::Duration;

use doorward_server::listeners::ListenerLimits;
use doorward_testkit::{Engine, Served, Setup, World, both_with, only_on};

/// What a smuggler wants to be taken for a request of somebody else.
const SECOND: &str = "GET /api/v1/second HTTP/1.1\r\nHost: auth.example.test\r\n\r\n";
const HONEST: &str = "GET /api/v1/me HTTP/1.1\r\nHost: auth.example.test\r\nConnection: close\r\n\r\n";

fn head(lines: &str) -> String {
    format!("POST /api/v1/login HTTP/1.1\r\nHost: auth.example.test\r\nContent-Type: application/json\r\n{lines}\r\n")
}

/// Status, head and body of the one answer there is.
fn only_answer<'a>(what: &str, answer: &'a str) -> (u16, &'a str, &'a str) {
    assert_eq!(answer.matches("HTTP/1.").count(), 1, "{what:?} was answered {answer:?}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    (status, head, body)
}

async fn assert_others_are_served(served: &Served) {
    let answer = served.exchange(HONEST.as_bytes()).await;
    let (status, _, body) = only_answer(HONEST, &answer);
    assert!(status == 401 && body.contains("invalid_token"), "{answer}");
}

async fn serve(world: &World) -> Served {
    world.serve(ListenerLimits::default()).await
}

/// Heads and bodies whose end two readers may see in two places.
fn ambiguous() -> Vec<String> {
    let framed = [
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
        "Content-Length: 2\r\nContent-Length: 3\r\n",
        "Content-Length: 2\r\nContent-Length: 2\r\n",
        "Content-Length: 2, 2\r\n",
        "Content-Length: +2\r\n",
        "Content-Length: 0x2\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 2 2\r\n",
        "Content-Length:\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length : 2\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: identity, chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding:\u{b}chunked\r\n",
        " Transfer-Encoding: chunked\r\n",
        "X: y\r\n Transfer-Encoding: chunked\r\n",
        "X: y\nTransfer-Encoding: chunked\r\n",
        "X: y\rTransfer-Encoding: chunked\r\n",
        "X: y\0\r\n",
        "X y: z\r\n",
        ": z\r\n",
    ];
    let mut requests: Vec<String> = framed.iter().map(|lines| head(lines)).collect();
    requests.extend(
        [
            "GET / HTTP/1.1\nHost: auth.example.test\n\n",
            "GET / HTTP/1.1\r\nHost: auth.example.test\n\r\n",
            "GET / HTTP/1.1\r\nHost: auth.example.test\r\n\n",
            "GET /\u{1} HTTP/1.1\r\nHost: auth.example.test\r\n\r\n",
            "GET / HTTP/1.1 x\r\nHost: auth.example.test\r\n\r\n",
            "GET / HTTP/3.0\r\nHost: auth.example.test\r\n\r\n",
            "GET /\r\n",
            "POST / HTTP/1.0\r\nHost: auth.example.test\r\nTransfer-Encoding: chunked\r\n\r\n",
        ]
        .map(str::to_owned),
    );
    let chunks =
        ["fffffffffffffffff\r\n", "-1\r\nx\r\n", "0x1\r\nx\r\n", "1\nx\n0\n\n", "1\r\nxy\r\n0\r\n\r\n", "\r\n\r\n"];
    requests.extend(chunks.map(|chunks| head("Transfer-Encoding: chunked\r\n") + chunks));
    requests
}

/// Proves: V4.2.1
#[test]
fn a_request_whose_end_is_ambiguous_is_refused_and_nothing_after_it_is_read() {
    only_on(Engine::Sqlite, async |world| {
        let served = serve(world).await;
        for request in ambiguous() {
            let answer = served.exchange(format!("{request}{SECOND}").as_bytes()).await;
            let (status, _, body) = only_answer(&request, &answer);
            assert_eq!(status, 400, "{request:?} was answered {answer:?}");
            // Either hyper refuses it, without a body, or the edge does, with a problem.
            assert!(body.is_empty() || body.contains("malformed_request"), "{body}");
        }
        assert_others_are_served(&served).await;
        served.end().await;
    });
}

/// Proves: A-50, A-145, V4.2.1
#[test]
fn one_request_is_one_answer_whatever_it_says_about_itself() {
    only_on(Engine::Sqlite, async |world| {
        let served = serve(world).await;
        let own = "Host: auth.example.test\r\n";
        for (line, fields, status) in [
            ("GET /api/v1/me HTTP/1.1", "", 400),
            ("GET /api/v1/me HTTP/1.1", "Host: auth.example.test\r\nHost: auth.example.test\r\n", 400),
            ("GET /api/v1/me HTTP/1.1", "Host: auth.example.test\r\nHost: evil.example\r\n", 400),
            ("GET /api/v1/me HTTP/1.1", "Host: evil.example\r\n", 421),
            ("GET http://evil.example/api/v1/me HTTP/1.1", own, 400),
            ("GET https://evil.example/api/v1/me HTTP/1.1", "Host: evil.example\r\n", 421),
            ("GET https://auth.example.test/api/v1/me HTTP/1.1", "Host: evil.example\r\n", 400),
            ("GET https://auth.example.test/api/v1/me HTTP/1.1", own, 401),
            ("GET //evil.example/api/v1/me HTTP/1.1", own, 404),
            ("OPTIONS * HTTP/1.1", own, 404),
            ("CONNECT evil.example:443 HTTP/1.1", own, 400),
            ("CONNECT auth.example.test:443 HTTP/1.1", "Host: auth.example.test:443\r\n", 405),
            ("TRACE /api/v1/me HTTP/1.1", own, 405),
            ("get /api/v1/me HTTP/1.1", own, 405),
            ("GET /api/v1/me HTTP/1.1", "Host: auth.example.test\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n", 401),
            ("GET /api/v1/me HTTP/1.1", "Host: auth.example.test\r\nX-HTTP-Method-Override: DELETE\r\n", 401),
        ] {
            let request = format!("{line}\r\n{fields}Connection: close\r\n\r\n");
            let answer = served.exchange(format!("{request}{SECOND}").as_bytes()).await;
            let (seen, head, body) = only_answer(&request, &answer);
            assert_eq!(seen, status, "{request:?} was answered {answer:?}");
            assert!(head.contains("x-content-type-options: nosniff") && !body.contains("evil"), "{answer}");
        }
        // A body where none is expected is a body, not a request.
        let hidden =
            format!("GET /api/v1/me HTTP/1.1\r\n{own}Content-Length: {}\r\nConnection: close\r\n\r\n", SECOND.len());
        let answer = served.exchange(format!("{hidden}{SECOND}").as_bytes()).await;
        assert_eq!(only_answer(&hidden, &answer).0, 401);
        // And what follows a kept request is the next one: two requests, two answers.
        let two = HONEST.replace("Connection: close\r\n", "") + HONEST;
        assert_eq!(served.exchange(two.as_bytes()).await.matches("HTTP/1.1 401").count(), 2);
        served.end().await;
    });
}

/// A client that trusts `Content-Length` reads exactly the body, and where there is none it reads nothing.
///
/// Proves: V4.2.2
#[test]
fn what_an_answer_says_about_its_length_is_true() {
    only_on(Engine::Sqlite, async |world| {
        let served = serve(world).await;
        let tag = world.api("192.0.2.1").get("/api/v1/openapi.json").await.expect(200);
        let tag = format!("If-None-Match: {}\r\n", tag.header("etag").unwrap());
        for (line, fields, status) in [
            ("GET /login", "", 200),
            ("HEAD /login", "", 200),
            ("GET /account", "", 303),
            ("HEAD /account", "", 303),
            ("GET /api/v1/openapi.json", "", 200),
            ("HEAD /api/v1/openapi.json", "", 200),
            ("GET /api/v1/openapi.json", tag.as_str(), 304),
            ("HEAD /.well-known/jwks.json", "", 200),
            ("HEAD /nothing", "", 404),
            ("GET /nothing", "Accept-Encoding: gzip, br\r\n", 404),
            ("GET /api/v1/me", "", 401),
            ("HEAD /api/v1/me", "", 401),
            ("DELETE /api/v1/login", "", 405),
        ] {
            let request = format!("{line} HTTP/1.1\r\nHost: auth.example.test\r\n{fields}Connection: close\r\n\r\n");
            let answer = served.exchange(request.as_bytes()).await;
            let (seen, head, body) = only_answer(&request, &answer);
            assert_eq!(seen, status, "{request:?} was answered {answer:?}");
            let head = head.to_lowercase();
            assert!(!head.contains("transfer-encoding"), "{line}: {head}");
            let told = head.split("content-length: ").nth(1).map(|rest| rest.lines().next().unwrap().parse().unwrap());
            if line.starts_with("HEAD") || status == 304 {
                assert_eq!(body, "", "{line}");
            } else {
                assert_eq!(told, Some(body.len()), "{line}: {head}");
            }
        }
        served.end().await;
    });
}

/// What is a little too large is told by the edge; what is far too large is cut by hyper, whose answers have no body.
///
/// Proves: A-146
#[test]
fn a_head_that_is_too_large_is_told_so_and_one_that_is_far_too_large_is_cut() {
    only_on(Engine::Sqlite, async |world| {
        let served = serve(world).await;
        let sized = |path: usize, value: usize, fields: usize| {
            let many = "X: y\r\n".repeat(fields);
            format!(
                "GET /api/{} HTTP/1.1\r\nHost: auth.example.test\r\nConnection: close\r\nX: {}\r\n{many}\r\n",
                "p".repeat(path),
                "v".repeat(value)
            )
        };
        for (request, status, code) in [
            (sized(8 * 1024 - 5, 15 * 1024, 90), 404, "not_found"),
            (sized(8 * 1024, 1, 0), 414, "uri_too_long"),
            (sized(1, 17 * 1024, 0), 431, "headers_too_large"),
            (sized(1, 1, 100), 431, "headers_too_large"),
            (sized(1, 33 * 1024, 0), 431, ""),
            (sized(33 * 1024, 1, 0), 431, ""),
            (sized(1, 1, 130), 431, ""),
        ] {
            let answer = served.exchange(request.as_bytes()).await;
            let (seen, head, body) = only_answer(&request[..60], &answer);
            assert_eq!(seen, status, "{answer}");
            if code.is_empty() {
                assert!(body.is_empty() && head.contains("content-length: 0"), "{answer}");
            } else {
                assert!(head.contains("content-type: application/problem+json"), "{answer}");
                assert!(body.contains(&format!(r#""code":"{code}""#)), "{answer}");
            }
        }
        assert_others_are_served(&served).await;
        served.end().await;
    });
}

/// Proves: A-141, S-220
#[test]
fn a_body_that_does_not_come_is_given_up() {
    let mut setup = Setup::default();
    setup.edge.timeouts.body = Duration::from_millis(300);
    both_with(&setup, async |world| {
        let served = serve(world).await;
        for (fields, beginning) in [
            ("Content-Length: 50\r\n", ""),
            ("Content-Length: 50\r\n", "{\"email\":"),
            ("Transfer-Encoding: chunked\r\n", "2\r\n{\""),
            ("Transfer-Encoding: chunked\r\n", ""),
        ] {
            let request = head(fields) + beginning;
            let answer = served.exchange(request.as_bytes()).await;
            let (status, _, body) = only_answer(&request, &answer);
            assert_eq!(status, 408, "{answer}");
            assert!(body.contains("request_timeout"), "{answer}");
        }
        assert_others_are_served(&served).await;
        served.end().await;
    });
}
