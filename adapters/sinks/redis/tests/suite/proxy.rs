//! A way to the server on which what the first connection sends can be held back.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

pub(crate) struct Proxy {
    port: u16,
    held: Arc<Held>,
    first: JoinHandle<()>,
}

#[derive(Default)]
struct Held {
    back: Mutex<bool>,
    released: Condvar,
}

impl Proxy {
    /// On a port of its own, to the server on `port`.
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port();
        let held = Arc::new(Held::default());
        let first = std::thread::spawn({
            let held = held.clone();
            move || {
                let (client, _) = listener.accept().unwrap();
                // Those that come later are passed on as they are, until the test ends.
                std::thread::spawn(move || {
                    for client in listener.incoming() {
                        let client = client.unwrap();
                        std::thread::spawn(move || pass(client, port, &Held::default()));
                    }
                });
                pass(client, port, &held);
            }
        });
        Self { port: own, held, first }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// From now on what the first connection sends does not arrive.
    pub(crate) fn hold(&self) {
        *self.held.back.lock().unwrap() = true;
    }

    /// It arrives; returns when the server is through with it and with that connection.
    pub(crate) fn release(self) {
        *self.held.back.lock().unwrap() = false;
        self.held.released.notify_all();
        self.first.join().unwrap();
    }
}

/// Passes on what comes, both ways, until both sides have ended.
fn pass(mut client: TcpStream, port: u16, held: &Held) {
    let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let answering = std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = answers.read(&mut piece) {
            // Whoever asked may be gone; the server is listened to all the same.
            drop(back.write_all(&piece[..count]));
        }
        drop(back.shutdown(Shutdown::Both));
    });
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = client.read(&mut piece) {
        let back = held.back.lock().unwrap();
        drop(held.released.wait_while(back, |back| *back).unwrap());
        if server.write_all(&piece[..count]).is_err() {
            break;
        }
    }
    drop(server.shutdown(Shutdown::Write));
    answering.join().unwrap();
}
