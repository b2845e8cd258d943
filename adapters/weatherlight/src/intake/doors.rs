//! The doors that packets come in by: the Unix socket, the TCP port.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use countermand::{CallContext, Event, Intake, Job, Level, Token, Worker};

use super::census::{Census, Seat, Sender};
use super::channel::Channel;
use super::hello::Door;
use super::reception::{Reception, turn_away};
use crate::stop::{Ready, Stop};
use crate::voice::Voice;

/// How long nothing is accepted after the system has said that there is no more room.
const BREATH: Duration = Duration::from_millis(100);

/// A door, and who attends to those that come in by it.
#[derive(Clone, Debug)]
pub(crate) struct Entrance {
    pub(crate) door: Door,
    pub(crate) reception: Reception,
    pub(crate) census: Census,
    /// Where connections are attended to, each as a call with a lane of its own.
    pub(crate) senders: Worker,
    pub(crate) voice: Voice,
    /// Cancelled when connections are to end.
    pub(crate) token: Token,
}

/// The Unix socket while it is listened on. Dropping it removes the file.
struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Socket {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = fs::remove_file(&self.path);
    }
}

impl Entrance {
    /// Lets connections in at the Unix socket until the job is cancelled.
    ///
    /// # Errors
    ///
    /// Why the socket cannot be, in words.
    pub(crate) fn socket(&self, path: &Path, cx: &CallContext) -> Result<(), String> {
        let socket = bind(path).map_err(|why| format!("{}: {why}", path.display()))?;
        self.open("socket", path.display());
        self.serve(&socket.listener, cx, || {
            let (stream, _) = socket.listener.accept()?;
            let sender = Sender::Process(peer(&stream)?);
            Ok((Channel::Unix(stream), sender))
        })
    }

    /// Lets connections in at the TCP port until the job is cancelled.
    ///
    /// # Errors
    ///
    /// Why the port cannot be, in words.
    pub(crate) fn tcp(&self, address: SocketAddr, cx: &CallContext) -> Result<(), String> {
        let listener = loopback(address)?;
        self.open("tcp", listener.local_addr().unwrap_or(address));
        self.serve(&listener, cx, || {
            let (stream, from): (TcpStream, _) = listener.accept()?;
            Ok((Channel::Tcp(stream), Sender::Address(from.ip())))
        })
    }

    fn open(&self, door: &str, address: impl std::fmt::Display) {
        let event = Event::new("weatherlight.listening", Level::Info);
        self.voice.take(&event.with("door", door).with("address", address));
    }

    fn serve(
        &self,
        listener: impl AsFd,
        cx: &CallContext,
        accept: impl Fn() -> io::Result<(Channel, Sender)>,
    ) -> Result<(), String> {
        let stop = Stop::of(cx.token()).map_err(|error| error.to_string())?;
        while stop.readable(&listener, None).map_err(|error| error.to_string())? == Ready::Go {
            match accept() {
                Ok((channel, sender)) => self.welcome(channel, sender),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // No more files, or whoever came has gone again: neither is the door's end.
                Err(error) => {
                    self.voice.log(&Event::new("weatherlight.not_accepted", Level::Warning).describe(error));
                    stop.rest(BREATH).map_err(|error| error.to_string())?;
                }
            }
        }
        Ok(())
    }

    fn welcome(&self, channel: Channel, sender: Sender) {
        let seat = match self.census.enter(sender) {
            Ok(seat) => seat,
            Err(why) => return self.turn_away(channel, sender, why),
        };
        let entrance = self.clone();
        let attend = move |cx: &CallContext, channel: Channel, seat: &Seat| {
            if let Err(error) = entrance.reception.attend(channel, &entrance.door, seat, cx) {
                let event = Event::new("weatherlight.connection_lost", Level::Info).describe(error);
                entrance.voice.log(&event.with("sender", format_args!("{:?}", sender)));
            }
        };
        let job = Job::call(move |cx| attend(cx, channel, &seat)).name("connection").parent(&self.token);
        if let Err(rejected) = self.senders.try_submit(job) {
            // The connection is in the job, and ends with it.
            let event = Event::new("weatherlight.not_accepted", Level::Warning).describe(rejected.reason);
            self.voice.log(&event);
        }
    }

    fn turn_away(&self, channel: Channel, sender: Sender, why: &'static str) {
        let event = Event::new("weatherlight.turned_away", Level::Warning).describe(why);
        self.voice.log(&event.with("sender", format_args!("{:?}", sender)));
        // Whoever does not listen is not waited for.
        let _ = channel.ready().and_then(|channel| turn_away(channel, why, true));
    }
}

/// The process at the other end, if it belongs to whom this one does.
fn peer(stream: &UnixStream) -> io::Result<i32> {
    let peer = rustix::net::sockopt::socket_peercred(stream)?;
    if peer.uid != rustix::process::geteuid() && !peer.uid.is_root() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "somebody else's process"));
    }
    Ok(peer.pid.as_raw_nonzero().get())
}

/// Listens on `path`, in a directory that nobody else can look into.
fn bind(path: &Path) -> Result<Socket, String> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.ok_or("the socket wants a directory of its own")?;
    match DirBuilder::new().recursive(true).mode(0o700).create(directory) {
        Ok(()) => {}
        Err(error) => return Err(format!("its directory cannot be made: {error}")),
    }
    let metadata = fs::metadata(directory).map_err(|error| format!("its directory cannot be looked at: {error}"))?;
    if metadata.uid() != rustix::process::geteuid().as_raw() || metadata.mode() & 0o077 != 0 {
        let mode = metadata.mode() & 0o7777;
        return Err(format!("its directory is open to others (mode {mode:04o}); it wants one of its own, with 0700"));
    }
    match UnixStream::connect(path) {
        Ok(_) => return Err("somebody listens there already".to_owned()),
        // Left behind by one that was killed.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|error| format!("the old one cannot be removed: {error}"))?;
        }
        Err(_) => {}
    }
    let listener = UnixListener::bind(path).map_err(|error| error.to_string())?;
    let socket = Socket { listener, path: path.to_owned() };
    // Until here the directory has kept others out.
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(|error| error.to_string())?;
    socket.listener.set_nonblocking(true).map_err(|error| error.to_string())?;
    Ok(socket)
}

/// Listens on an address that only this machine reaches.
///
/// # Errors
///
/// If it is another, or taken.
pub(crate) fn loopback(address: SocketAddr) -> Result<TcpListener, String> {
    if !address.ip().is_loopback() {
        return Err(format!("{address}: others could reach it; only loopback is listened on"));
    }
    let listener = TcpListener::bind(address).map_err(|error| format!("{address}: {error}"))?;
    listener.set_nonblocking(true).map_err(|error| format!("{address}: {error}"))?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_private_and_takes_the_place_of_a_dead_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("own/intake.sock");
        let socket = bind(&path).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(bind(&path).err().unwrap(), "somebody listens there already");
        drop(socket);
        assert!(!path.exists());
        // As after a kill: the file stays, and nobody listens.
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        bind(&path).unwrap();
    }

    #[test]
    fn a_directory_that_others_look_into_will_not_do() {
        let directory = tempfile::tempdir().unwrap();
        let open = directory.path().join("open");
        DirBuilder::new().create(&open).unwrap();
        fs::set_permissions(&open, Permissions::from_mode(0o755)).unwrap();
        assert!(bind(&open.join("intake.sock")).err().unwrap().contains("mode 0755"));
        assert!(bind(Path::new("intake.sock")).err().unwrap().contains("directory of its own"));
    }

    #[test]
    fn only_loopback_is_listened_on() {
        assert!(loopback("0.0.0.0:0".parse().unwrap()).unwrap_err().contains("others could reach it"));
        assert!(loopback("127.0.0.1:0".parse().unwrap()).is_ok());
    }
}
