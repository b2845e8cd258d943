//! A sink that hands packets to a supervisor over its Unix socket, and acknowledges what that has answered.

use std::collections::HashMap;
use std::future::Future;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::pin::Pin;
use std::thread;

use async_channel::{Receiver, Sender, bounded};
use countermand::{Batch, Payload, Refusal, Sink, wire};
use serde_json::Value;

/// See the head of the file. The socket blocks, so it has a thread, which ends with the sink.
#[derive(Debug)]
pub(crate) struct Supervised {
    batches: Sender<(Batch<Payload>, Sender<Batch<Payload>>)>,
}

impl Supervised {
    /// A sink for the supervisor that listens at `socket`, whenever it does.
    pub(crate) fn new(socket: &Path) -> io::Result<Self> {
        let (batches, received) = bounded(1);
        let socket = socket.to_owned();
        thread::Builder::new().name("supervised".into()).spawn(move || serve(&socket, &received))?;
        Ok(Self { batches })
    }
}

impl Sink<Payload> for Supervised {
    type Delivery = Pin<Box<dyn Future<Output = Batch<Payload>> + Send>>;

    /// Hands a batch over.
    ///
    /// # Cancellation
    ///
    /// Dropped, the batch is delivered all the same; the packets come again, and the supervisor knows them by their bytes.
    fn deliver(&mut self, batch: Batch<Payload>) -> Self::Delivery {
        let batches = self.batches.clone();
        Box::pin(async move {
            let (back, returned) = bounded(1);
            if let Err(unsent) = batches.send((batch, back)).await {
                return unsent.into_inner().0;
            }
            match returned.recv().await {
                Ok(batch) => batch,
                Err(_) => std::future::pending().await, // the thread has panicked: the outlet's patience ends this
            }
        })
    }
}

fn serve(socket: &Path, batches: &Receiver<(Batch<Payload>, Sender<Batch<Payload>>)>) {
    let mut line = None;
    while let Ok((mut batch, back)) = batches.recv_blocking() {
        let delivered = match &mut line {
            Some(line) => Line::deliver(line, &mut batch),
            none => Line::connect(socket).and_then(|line| none.insert(line).deliver(&mut batch)),
        };
        if let Err(error) = delivered {
            batch.refuse_rest(&Refusal::later(format!("{}: {error}", socket.display())));
            line = None;
        }
        // Who has gone meanwhile gets the packets again.
        let _ = back.try_send(batch);
    }
}

/// One connection.
struct Line {
    stream: BufReader<UnixStream>,
    /// How many packets were sent: the supervisor numbers them from 1.
    sent: u64,
}

impl Line {
    fn connect(socket: &Path) -> io::Result<Self> {
        let mut stream = UnixStream::connect(socket)?;
        stream.write_all(b"weatherlight/1 protobuf\n")?;
        Ok(Self { stream: BufReader::new(stream), sent: 0 })
    }

    /// Sends a batch and waits for an answer to each of its packets, which come in an order of their own.
    fn deliver(&mut self, batch: &mut Batch<Payload>) -> io::Result<()> {
        let mut frames = Vec::new();
        let mut places = HashMap::new();
        for (place, delivery) in batch.deliveries().iter().enumerate() {
            self.sent += 1;
            places.insert(self.sent, place);
            let body = &delivery.parcel.body;
            wire::write_framed(body.format(), body.bytes(), &mut frames);
        }
        self.stream.get_mut().write_all(&frames)?;
        while !places.is_empty() {
            let mut answer = String::new();
            if self.stream.read_line(&mut answer)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let answer: Value = serde_json::from_str(&answer)?;
            let Some(place) = answer["number"].as_u64().and_then(|number| places.remove(&number)) else { continue };
            let why = || answer["error"].as_str().unwrap_or_default().to_owned();
            match (answer["ok"].as_bool(), answer["retry"].as_bool()) {
                (Some(true), _) => batch.acknowledge(place),
                (_, Some(false)) => batch.refuse(place, Refusal::never(why())),
                _ => batch.refuse(place, Refusal::later(why())),
            }
        }
        Ok(())
    }
}
