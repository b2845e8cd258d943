//! A collector that keeps what it is sent, and answers as the test wants.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

/// A request: method and path, its content type, its body.
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

/// A collector that answers each connection's first request with this; its address, and the requests.
pub(crate) fn collector(status: &'static str, answer: Vec<u8>) -> (String, Receiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (keep, requests) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Some(request) = serve(&mut stream.unwrap(), status, &answer) else { continue };
            // The test has seen enough.
            if keep.send(request).is_err() {
                return;
            }
        }
    });
    (address, requests)
}

fn serve(stream: &mut TcpStream, status: &str, answer: &[u8]) -> Option<Request> {
    let mut read = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let count = stream.read(&mut piece).ok().filter(|count| *count > 0)?;
        read.extend_from_slice(&piece[..count]);
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut head = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(start) = head.parse(&read).unwrap() else { continue };
        let line = format!("{} {}", head.method.unwrap(), head.path.unwrap());
        let find = |name: &str| {
            let header = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            header.map(|header| String::from_utf8(header.value.to_vec()).unwrap())
        };
        let length: usize = find("content-length").expect("a length").parse().unwrap();
        let content_type = find("content-type").unwrap_or_default();
        if read.len() < start + length {
            continue;
        }
        let body = read[start..start + length].to_vec();
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", answer.len());
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(answer).ok()?;
        return Some(Request { line, content_type, body });
    }
}
