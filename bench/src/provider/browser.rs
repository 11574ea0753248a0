//! A browser that signs somebody in and keeps the cookies.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::Outcome;
use crate::client::{Answer, Connection, get};

/// Redirects on the way through a sign-in.
const MOST_STEPS: usize = 10;

/// A browser with one origin's cookies.
pub(super) struct Browser {
    connection: Connection,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(super) async fn open(address: SocketAddr) -> Outcome<Self> {
        Ok(Self { connection: Connection::open(address).await?, cookies: BTreeMap::new() })
    }

    /// Sends a whole request and keeps the cookies of the answer.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> Outcome<Answer> {
        let answer = self.connection.exchange(request).await?;
        for cookie in answer.headers("set-cookie") {
            let (name, rest) = cookie.split_once('=').ok_or("a cookie without a value")?;
            match rest.split(';').next().unwrap_or_default() {
                "" => drop(self.cookies.remove(name)),
                value => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
        Ok(answer)
    }

    /// Follows where it is led on this server, until it is led to `end`.
    pub(super) async fn follow(&mut self, path: &str, end: &str) -> Outcome<()> {
        let mut path = path.to_owned();
        for _ in 0..MOST_STEPS {
            let header = self.cookie_header();
            let answer = self.exchange(&get(&path, &header)).await?.expect(303)?;
            let to = answer.headers("location").next().ok_or("led nowhere")?;
            if to.starts_with(end) {
                return Ok(());
            }
            path_of(to).clone_into(&mut path);
        }
        Err(format!("led on for ever, to {path}").into())
    }

    /// The header with every cookie it holds.
    pub(super) fn cookie_header(&self) -> String {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if cookies.is_empty() { String::new() } else { format!("cookie: {}\r\n", cookies.join("; ")) }
    }
}

/// An address without its origin.
pub(super) fn path_of(address: &str) -> &str {
    let Some((_, rest)) = address.split_once("://") else { return address };
    rest.find('/').map_or("/", |at| &rest[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_left_out() {
        assert_eq!(path_of("http://localhost:3000/auth/1?a=b"), "/auth/1?a=b");
        assert_eq!(path_of("/auth/1"), "/auth/1");
        assert_eq!(path_of("http://localhost"), "/");
    }
}
