//! A connection that is made when it is needed, and given up at the first doubt.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, IntoConnectionInfo as _, Pipeline, ProtocolVersion, Value};

use crate::fault::clip;
use crate::{Fault, RedisConfig, reply};

/// At most one connection to the server. Each request takes it, and puts it back only when it has been answered in full and in form.
///
/// 1. A connection that is out when its request ends otherwise (an error, nonsense, a time-out, a future that is dropped) is closed,
///    never used again.
/// 2. What it may still have had on its way is fenced off: before its successor is used for anything else, the server is told to close it. So no
///    request is ever done after a later one.
/// 3. The lock is never held across an await.
pub(crate) struct Link {
    client: Client,
    options: AsyncConnectionConfig,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    free: Option<Live>,
    /// The one that was out last, until it comes back. There is never more than one: nothing is sent over a successor before the fence stands.
    doubtful: Option<Identity>,
}

struct Live {
    connection: MultiplexedConnection,
    identity: Option<Identity>,
}

/// By what the server knows a connection. The number alone would not do: after a restart another connection may have it.
#[derive(Clone)]
struct Identity {
    number: u64,
    address: String,
}

impl Link {
    /// To the server of this configuration, which is valid. Nothing is sent yet. An answer may take `patience`.
    pub(crate) fn new(config: &RedisConfig, patience: Duration) -> Result<Self, Fault> {
        // The client's error might show a part of the address, and with it the password (G8).
        let unusable = |error: redis::RedisError| {
            Fault::setting("redis_url", format!("not an address that the client can use ({})", error.category()))
        };
        let info = config.url.expose().into_connection_info().map_err(unusable)?;
        // One form of answers, whatever the address says.
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP2).set_skip_set_lib_name();
        let client = Client::open(info.set_redis_settings(settings)).map_err(unusable)?;
        let options = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(config.connect_timeout))
            .set_response_timeout(Some(patience));
        Ok(Self { client, options, state: Mutex::default() })
    }

    /// Sends these commands one after the other; the server's answers, one for each, errors among them.
    pub(crate) async fn ask(&self, commands: &Pipeline) -> Result<Vec<Value>, Fault> {
        let mut live = match self.take() {
            Some(live) => live,
            None => self.connect().await?,
        };
        self.state().doubtful = live.identity.clone();
        let answers = exchange(&mut live.connection, commands).await?;
        // The server that was the master is no longer; perhaps the name stands for another one by now.
        let demoted =
            answers.iter().any(|answer| matches!(answer, Value::ServerError(error) if error.code() == "READONLY"));
        if !demoted {
            let mut state = self.state();
            state.doubtful = None;
            state.free = Some(live);
        }
        Ok(answers)
    }

    /// One command and its answer, which is no error.
    pub(crate) async fn ask_one(&self, command: Cmd) -> Result<Value, Fault> {
        let mut commands = Pipeline::new();
        commands.add_command(command);
        match self.ask(&commands).await?.pop() {
            Some(Value::ServerError(error)) => Err(reply::refused(&error)),
            Some(answer) => Ok(answer),
            None => Err(Fault::Nonsense("nothing".into())),
        }
    }

    /// The server does all of these commands, with nothing of anybody else's between them, or none; the answer to each.
    pub(crate) async fn transaction(&self, commands: Vec<Cmd>) -> Result<Vec<Value>, Fault> {
        let mut pipeline = Pipeline::with_capacity(commands.len() + 2);
        pipeline.cmd("MULTI");
        for command in commands {
            pipeline.add_command(command);
        }
        pipeline.cmd("EXEC");
        let answers = reply::transaction(self.ask(&pipeline).await?);
        if let Err(Fault::Nonsense(_)) = answers {
            self.doubt();
        }
        answers
    }

    /// What came over the connection made no sense: it is not used again.
    pub(crate) fn doubt(&self) {
        let mut state = self.state();
        if let Some(live) = state.free.take() {
            state.doubtful = live.identity;
        }
    }

    fn take(&self) -> Option<Live> {
        self.state().free.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection of which the server knows that it comes after all others of this link.
    async fn connect(&self) -> Result<Live, Fault> {
        let connecting = contain(self.client.get_multiplexed_async_connection_with_config(&self.options)).await?;
        let mut connection = connecting.map_err(|error| Fault::Unreachable(clip(&error.to_string())))?;
        let doubtful = self.state().doubtful.clone();
        let mut commands = Pipeline::new();
        if let Some(Identity { number, address }) = &doubtful {
            commands.cmd("CLIENT").arg("KILL").arg("ID").arg(*number).arg("ADDR").arg(address);
        }
        commands.cmd("CLIENT").arg("INFO");
        let mut answers = exchange(&mut connection, &commands).await?;
        // Where it is not allowed to ask for this, there is no fence: a packet that has expired in the meantime may then still arrive,
        // behind later ones.
        let identity = answers.pop().as_ref().and_then(reply::text).and_then(Identity::read);
        self.state().doubtful = None;
        Ok(Live { connection, identity })
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("connected", &self.state().free.is_some()).finish_non_exhaustive()
    }
}

impl Identity {
    /// From `id=7 addr=127.0.0.1:50000 …`.
    fn read(info: &str) -> Option<Self> {
        let find = |name: &str| info.split_ascii_whitespace().find_map(|part| part.strip_prefix(name));
        Some(Self { number: find("id=")?.parse().ok()?, address: find("addr=")?.to_owned() })
    }
}

async fn exchange(connection: &mut MultiplexedConnection, commands: &Pipeline) -> Result<Vec<Value>, Fault> {
    let answers = contain(connection.send_packed_commands(commands, 0, commands.len())).await?;
    let answers = answers.map_err(|error| match error.kind() {
        redis::ErrorKind::Parse | redis::ErrorKind::UnexpectedReturnType => Fault::Nonsense(clip(&error.to_string())),
        _ => Fault::Unanswered(clip(&error.to_string())),
    })?;
    if answers.len() == commands.len() {
        Ok(answers)
    } else {
        Err(Fault::Nonsense(format!("{} answers to {} commands", answers.len(), commands.len())))
    }
}

/// The client panics where there is no runtime for it; that is a fault like others.
async fn contain<F: Future>(future: F) -> Result<F::Output, Fault> {
    AssertUnwindSafe(future).catch_unwind().await.map_err(|panic| {
        let said = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(|text| &**text));
        Fault::Client(clip(said.unwrap_or("it panicked")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_known_by_number_and_address() {
        let identity = Identity::read("id=7 addr=127.0.0.1:50000 laddr=127.0.0.1:6379 fd=8 name= db=0\n").unwrap();
        assert_eq!((identity.number, &*identity.address), (7, "127.0.0.1:50000"));
        assert!(Identity::read("OK").is_none() && Identity::read("id=x addr=y").is_none());
    }

    #[test]
    fn an_address_that_cannot_be_used_is_not_shown() {
        let config = RedisConfig::new("redis://:hunter2@localhost/not-a-number");
        let fault = Link::new(&config, Duration::from_secs(1)).unwrap_err();
        assert!(matches!(&fault, Fault::Setting { setting: "redis_url", .. }), "{fault}");
        assert!(!fault.to_string().contains("hunter2") && !fault.to_string().contains("not-a-number"), "{fault}");
    }
}
