//! Answers the browser: one exchange a connection, one call of the worker each.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use countermand::{CallContext, Event, Intake as _, Job, Level, Token, Worker};
use futures::executor::block_on;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, http};

use super::exchange::Exchange;
use super::policy;
use super::site::Site;
use crate::intake::{Census, Sender, loopback};
use crate::stop::{Ready, Stop};
use crate::voice::Voice;

/// How long one exchange takes at the most.
const LIMIT: Duration = Duration::from_secs(10);

/// How long nothing is accepted after the system has said that there is no more room.
const BREATH: Duration = Duration::from_millis(100);

const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

/// See the head of the file.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) site: Site,
    pub(crate) census: Census,
    pub(crate) visitors: Worker,
    pub(crate) voice: Voice,
    /// Cancelled when exchanges are to end.
    pub(crate) token: Token,
}

impl Page {
    /// Answers at this address until the job is cancelled.
    ///
    /// # Errors
    ///
    /// Why the address cannot be, in words.
    pub(crate) fn serve(&self, address: SocketAddr, cx: &CallContext) -> Result<(), String> {
        let in_words = |error: io::Error| error.to_string();
        let listener = loopback(address)?;
        let event = Event::new("weatherlight.listening", Level::Info).with("door", "page");
        self.voice.take(&event.with("address", listener.local_addr().unwrap_or(address)));
        let stop = Stop::of(cx.token()).map_err(in_words)?;
        while stop.readable(&listener, None).map_err(in_words)? == Ready::Go {
            match listener.accept() {
                Ok((stream, from)) => self.welcome(stream, from),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => {
                    stop.rest(BREATH).map_err(in_words)?;
                }
            }
        }
        Ok(())
    }

    /// Has one exchange answered. One too many is closed at once; a browser asks again.
    fn welcome(&self, stream: TcpStream, from: SocketAddr) {
        let Ok(seat) = self.census.enter(Sender::Address(from.ip())) else { return };
        let site = self.site.clone();
        let job = Job::call(move |_| {
            let _seat = seat;
            // Whatever is wrong is wrong with the other end.
            drop(exchange(stream, &site));
        });
        drop(self.visitors.try_submit(job.name("exchange").parent(&self.token)));
    }
}

fn exchange(stream: TcpStream, site: &Site) -> Result<(), Box<dyn std::error::Error>> {
    let service = service_fn(|request: Request<Incoming>| std::future::ready(answer(&request, site)));
    let connection = http1::Builder::new()
        .keep_alive(false)
        // Else it would read on while it answers, to see whether the browser has gone; and here reading waits.
        .half_close(true)
        .max_buf_size(16 << 10)
        .serve_connection(Exchange::new(stream, LIMIT)?, service);
    Ok(block_on(connection)?)
}

fn answer(request: &Request<Incoming>, site: &Site) -> Result<Response<Full<Bytes>>, http::Error> {
    let plain = "text/plain; charset=utf-8";
    let (status, kind, text) = match policy::admit(request.method(), request.headers()) {
        Err(status) => (status, plain, format!("{status}\n")),
        Ok(()) => match request.uri().path() {
            "/" => (StatusCode::OK, "text/html; charset=utf-8", html()),
            "/live.json" => (StatusCode::OK, "application/json", site.live().to_string()),
            "/metrics" => (StatusCode::OK, countermand_metrics::CONTENT_TYPE, super::metrics::text(site)),
            "/health" => {
                let well = site.board.health() != "unhealthy";
                let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
                (status, "application/json", site.health().to_string())
            }
            _ => (StatusCode::NOT_FOUND, plain, "there is no such page\n".to_owned()),
        },
    };
    let mut response = Response::builder().status(status);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response = response.header(ALLOW, "GET, HEAD");
    }
    response
        .header(CONTENT_TYPE, kind)
        .header(CONTENT_SECURITY_POLICY, policy::content_security(SCRIPT, STYLE))
        .header(X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(REFERRER_POLICY, "no-referrer")
        .header(CACHE_CONTROL, "no-store")
        .header("cross-origin-resource-policy", "same-origin")
        .body(Full::new(Bytes::from(text)))
}

/// The whole page, the same each time; what it shows it asks for. So nothing that a sender said is ever part of it.
fn html() -> String {
    include_str!("page.html").replace("{style}", STYLE).replace("{script}", SCRIPT)
}
