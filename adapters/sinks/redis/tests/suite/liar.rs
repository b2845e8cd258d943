//! A server that answers nonsense.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Answers whatever it is sent with the same bytes, many times; with none, it closes the connection.
pub(crate) struct Liar {
    port: u16,
    gone: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Liar {
    pub(crate) fn start(port: u16, answer: &'static [u8]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let gone = Arc::new(AtomicBool::new(false));
        let ends = gone.clone();
        let thread = std::thread::spawn(move || {
            let mut talks = Vec::new();
            let mut streams = Vec::new();
            for stream in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    break;
                }
                let stream = stream.unwrap();
                streams.push(stream.try_clone().unwrap());
                talks.push(std::thread::spawn(move || talk(stream, answer)));
            }
            drop(listener);
            // One that is gone already cannot be shut down.
            streams.iter().for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
            talks.into_iter().for_each(|talk| talk.join().unwrap());
        });
        Self { port, gone, thread: Some(thread) }
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::SeqCst);
        // It waits for somebody to come.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        let ended = self.thread.take().unwrap().join();
        if !std::thread::panicking() {
            ended.unwrap();
        }
    }
}

/// Until the other side has gone.
fn talk(mut stream: TcpStream, answer: &[u8]) {
    let mut asked = [0; 4096];
    loop {
        match stream.read(&mut asked) {
            Ok(0) => return,
            Ok(_) if answer.is_empty() => return,
            Ok(_) => {
                if stream.write_all(&answer.repeat(32)).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
