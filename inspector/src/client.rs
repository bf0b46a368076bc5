//! A minimal blocking HTTP client for loopback: one persistent connection, no redirects, no retries, no cookies.
//!
//! With it the demo app sends real requests, and tests see every byte, without an HTTP library.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Limit of the wait for a connection, or for the next byte. Longer than an app waits for servers before it answers.
const TIMEOUT: Duration = Duration::from_secs(90);

/// Maximum length of a header line, and maximum number of header lines.
const LINE_BYTES: u64 = 16 * 1024;
const LINES: usize = 100;

/// Maximum size of a body. The largest is the file of a queue, whose size an app chooses.
const BODY_BYTES: u64 = 1024 * 1024 * 1024;

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: u16,
    /// Headers, with names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// Returns the value of a header, by its lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A client of one server.
#[derive(Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
}

impl Client {
    /// Returns a client that connects at its first request.
    pub(crate) fn new(address: SocketAddr) -> Client {
        Client { address, connection: None }
    }

    /// Sends a request and reads the response. After an error, the next request opens a new connection.
    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Reply> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let stream = TcpStream::connect_timeout(&self.address, TIMEOUT)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(TIMEOUT))?;
                stream.set_write_timeout(Some(TIMEOUT))?;
                BufReader::new(stream)
            }
        };
        let mut head = format!("{method} {path} HTTP/1.1\r\ncontent-length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "host") {
            head.push_str(&format!("host: {}\r\n", self.address));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut request = head.into_bytes();
        request.extend_from_slice(body);
        connection.get_mut().write_all(&request)?;
        let reply = read(&mut connection)?;
        if reply.header("connection").is_none_or(|value| !value.eq_ignore_ascii_case("close")) {
            self.connection = Some(connection);
        }
        Ok(reply)
    }

    /// Sends a GET request.
    #[cfg(any(test, feature = "cli"))]
    pub(crate) fn get(&mut self, path: &str) -> io::Result<Reply> {
        self.send("GET", path, &[], &[])
    }

    /// Sends a POST request with a JSON body.
    #[cfg(test)]
    pub(crate) fn post(&mut self, path: &str, json: &str) -> io::Result<Reply> {
        self.send("POST", path, &[("content-type", "application/json")], json.as_bytes())
    }
}

fn read(connection: &mut BufReader<TcpStream>) -> io::Result<Reply> {
    let first = line(connection)?;
    let status =
        first.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(|| bad("missing status line"))?;
    let mut headers = Vec::new();
    loop {
        let next = line(connection)?;
        if next.is_empty() {
            break;
        }
        let (name, value) = next.split_once(':').ok_or_else(|| bad("header without a colon"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        if headers.len() > LINES {
            return Err(bad("too many headers"));
        }
    }
    let mut reply = Reply { status, headers, body: Vec::new() };
    let length: u64 = match reply.header("content-length") {
        Some(length) => length.parse().map_err(|_| bad("content-length is not a number"))?,
        None => return Err(bad("missing content-length")),
    };
    if length > BODY_BYTES {
        return Err(bad("body too large"));
    }
    connection.take(length).read_to_end(&mut reply.body)?;
    if (reply.body.len() as u64) < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(reply) }
}

fn line(connection: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    connection.take(LINE_BYTES).read_line(&mut line)?;
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
