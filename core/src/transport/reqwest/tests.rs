mod certificates;
mod tls;

use super::*;
use crate::transport::Report;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

/// A server that passes its connections to `serve`, one at a time.
fn server(serve: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().flatten().for_each(serve));
    address
}

/// Reads one request with its body.
fn request(stream: &mut impl std::io::Read) -> String {
    let mut text = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let n = stream.read(&mut chunk).unwrap_or(0);
        text.extend_from_slice(&chunk[..n]);
        let seen = String::from_utf8_lossy(&text).into_owned();
        let whole = seen.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            body.len() >= length.unwrap_or(0usize)
        });
        if n == 0 || whole {
            return seen;
        }
    }
}

fn post(url: String) -> Request {
    let headers = vec![("X-One".to_owned(), "1".to_owned()), ("Content-Type".to_owned(), "text/plain".to_owned())];
    Request { url, headers, body: b"hello".to_vec() }
}

fn start_send(transport: &Reqwest, request: Request) -> Receiver<Sent> {
    let (sender, receiver) = channel();
    let send = move |report| {
        if let Report::Finished(_, sent) = report {
            sender.send(sent).unwrap();
        }
    };
    transport.send(request, Completion::new(Arc::new(send), 1));
    receiver
}

fn send(request: Request) -> Sent {
    start_send(&Reqwest::new(), request).recv_timeout(Duration::from_secs(60)).unwrap()
}

fn response(request: Request) -> Response {
    match send(request) {
        Sent::Response(response) => response,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_arrives_unchanged_and_its_response_is_returned() {
    let (sender, seen) = channel();
    let address = server(move |mut stream| {
        sender.send(request(&mut stream)).unwrap();
        stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nRetry-After: 7\r\n\r\nok").unwrap();
    });
    let response = response(post(format!("http://{address}/v1/batch")));
    assert_eq!((response.status, response.body.as_slice(), response.cut), (202, b"ok".as_slice(), false));
    assert_eq!(response.retry_after(), Some(Duration::from_secs(7)));
    let seen = seen.recv().unwrap();
    assert!(seen.starts_with("POST /v1/batch HTTP/1.1\r\n") && seen.ends_with("\r\n\r\nhello"), "{seen}");
    assert!(seen.contains("x-one: 1\r\n"), "{seen}");
    assert!(!seen.to_ascii_lowercase().contains("accept-encoding"), "{seen}");
}

#[test]
fn requests_run_concurrently_and_a_silent_server_delays_none_of_them() {
    let silent = server(std::mem::forget);
    let quick = server(|mut stream| {
        request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    let transport = Reqwest::new();
    let waiting = start_send(&transport, post(format!("http://{silent}/")));
    let responded = start_send(&transport, post(format!("http://{quick}/")));
    assert!(matches!(responded.recv_timeout(Duration::from_secs(60)), Ok(Sent::Response(_))));
    assert!(waiting.try_recv().is_err());
    // The outcome of a request in flight is unknown when the transport is dropped.
    drop(transport);
    assert!(matches!(waiting.recv_timeout(Duration::from_secs(60)), Ok(Sent::Ambiguous(_))));
}

#[test]
fn a_refused_connection_is_not_sent() {
    // Port 1 is never picked as a free port, so no other test listens there.
    assert!(matches!(send(post("http://127.0.0.1:1/".into())), Sent::NotSent(_)));
}

#[test]
fn a_server_without_tls_is_not_sent_anything() {
    let address = server(|mut stream| {
        let _ = stream.write_all(b"220 hello\r\n");
    });
    assert!(matches!(send(post(format!("https://{address}/"))), Sent::NotSent(_)));
}

#[test]
fn invalid_addresses_and_headers_are_refused_before_anything_is_sent() {
    for url in ["http://example.com/", "ftp://127.0.0.1/", "nonsense", "", "http://127.0.0.1.example.com/"] {
        assert!(matches!(send(post(url.into())), Sent::NotSent(_)), "{url}");
    }
    let mut bad = post("http://127.0.0.1:1/".into());
    bad.headers.push(("X-Bad".into(), "a\r\nb".into()));
    let Sent::NotSent(what) = send(bad) else { panic!() };
    assert!(what.contains("x-bad"), "{what}");
}

#[test]
fn a_connection_closed_without_a_response_is_ambiguous() {
    let address = server(|mut stream| drop(request(&mut stream)));
    assert!(matches!(send(post(format!("http://{address}/"))), Sent::Ambiguous(_)));
}

#[test]
fn a_redirect_is_returned_and_not_followed() {
    let (sender, seen) = channel();
    let other = server(move |_| sender.send(()).unwrap());
    let address = server(move |mut stream| {
        request(&mut stream);
        let text = format!("HTTP/1.1 307 Go\r\nLocation: http://{other}/\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(text.as_bytes()).unwrap();
    });
    let response = response(post(format!("http://{address}/")));
    assert_eq!(response.status, 307);
    assert_eq!(response.header("location"), Some(format!("http://{other}/").as_str()));
    assert!(seen.try_recv().is_err());
}

#[test]
fn a_body_that_ends_early_is_marked_as_incomplete() {
    for head in ["Content-Length: 100\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n5\r\n"] {
        let address = server(move |mut stream| {
            request(&mut stream);
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}{{\"a").as_bytes()).unwrap();
        });
        let response = response(post(format!("http://{address}/")));
        assert_eq!((response.status, response.cut), (200, true));
    }
}

#[test]
fn a_body_of_ten_megabytes_is_read_up_to_the_limit() {
    let address = server(|mut stream| {
        request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad\r\nContent-Length: 10000000\r\n\r\n");
        let _ = stream.write_all(&vec![b'x'; 10_000_000]);
    });
    let response = response(post(format!("http://{address}/")));
    assert_eq!((response.status, response.body.len(), response.cut), (400, limits::RESPONSE_BYTES, true));
}

#[test]
fn a_response_that_arrives_byte_by_byte_is_complete() {
    let address = server(|mut stream| {
        request(&mut stream);
        stream.set_nodelay(true).unwrap();
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc" {
            stream.write_all(&[*byte]).unwrap();
            stream.flush().unwrap();
        }
        request(&mut stream);
    });
    let response = response(post(format!("http://{address}/")));
    assert_eq!((response.status, response.body.as_slice(), response.cut), (200, b"abc".as_slice(), false));
}

#[test]
fn the_client_needs_no_crypto_provider_of_the_process() {
    assert!(build(&Trust::default()).is_ok());
}
