//! The doors of the service, by which others come in: senders by socket, port and standard input, whoever looks at the page, and the
//! word to load the configuration again.

use std::net::SocketAddr;

use countermand::{Cause, Format};

use super::{EXCHANGES, Service};
use crate::args::Stdin;
use crate::intake::{Census, Door, Entrance, PaceLimit, Sender, SenderLimits};
use crate::preflight::Ready;
use crate::reload::Reloading;
use crate::setup::Setup;
use crate::supervise::Part;
use crate::web::Page;

impl Service {
    pub(super) fn doors(&self, ready: Ready, setup: &Setup) -> Result<(), String> {
        let entrance = |door| Entrance {
            door,
            reception: self.reception.clone(),
            census: self.census(),
            senders: self.senders.clone(),
            voice: self.supervisor.voice.clone(),
            token: self.intake.clone(),
        };
        if let Some(path) = setup.socket() {
            let entrance = entrance(Door::Socket);
            self.detach(Part::call("socket", &self.intake, move |cx| entrance.socket(&path, cx)))?;
        }
        if let Some(address) = address(&setup.own().tcp)? {
            let entrance = entrance(Door::Secret(ready.secret));
            self.detach(Part::call("tcp", &self.intake, move |cx| entrance.tcp(address, cx)))?;
        }
        Ok(())
    }

    pub(super) fn page(&self, setup: &Setup) -> Result<(), String> {
        let Some(address) = address(&setup.own().page)? else { return Ok(()) };
        let unpaced = PaceLimit { packets: None, bytes: None };
        let page = Page {
            site: self.site.clone(),
            census: Census::new(move || SenderLimits { all: EXCHANGES, each: EXCHANGES, pace: unpaced }),
            visitors: self.visitors.clone(),
            voice: self.supervisor.voice.clone(),
            token: self.outside.clone(),
        };
        self.detach(Part::call("page", &self.outside, move |cx| page.serve(address, cx)))
    }

    /// Takes packets from standard input, and ends with it if that is wanted.
    ///
    /// # Errors
    ///
    /// Why it cannot be, in words.
    pub(crate) fn stdin(&self, stdin: Stdin, until_eof: bool) -> Result<(), String> {
        let format = if stdin == Stdin::Protobuf { Format::Protobuf } else { Format::Json };
        let (reception, census, end) = (self.reception.clone(), self.census(), self.end.clone());
        self.detach(Part::call("stdin", &self.intake, move |cx| {
            let seat = census.enter(Sender::Stdin)?;
            let came = reception.stdin(format, &seat, cx);
            if until_eof {
                end.cancel_with(Cause::REQUESTED.with_text("standard input has ended"));
            }
            came.map(drop)
        }))
    }

    /// Loads the configuration again whenever it is told to.
    ///
    /// # Errors
    ///
    /// Why it cannot be, in words.
    pub(crate) fn reloads(&self, reloading: Reloading) -> Result<(), String> {
        self.detach(Part::call("reload", &self.intake, move |cx| reloading.serve(cx)))
    }

    /// The senders at one door, under the limits that there are now.
    fn census(&self) -> Census {
        let tuned = self.tuned.clone();
        Census::new(move || tuned.read().senders)
    }
}

fn address(text: &str) -> Result<Option<SocketAddr>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|error| format!("{text}: {error}"))
}
