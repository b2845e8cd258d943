//! The sim as a host of workers.

use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

use countermand_core::{Call, Host, Instant, WouldDeadlock};

use crate::alarm::SimAlarm;
use crate::call;
use crate::place::{self, Role};
use crate::sim::Sim;

impl Host for Sim {
    type Alarm = SimAlarm;

    fn now(&self) -> Instant {
        self.world.now()
    }

    fn alarm(&self) -> SimAlarm {
        SimAlarm::new(&self.world)
    }

    fn offload(&self, call: Call) -> Result<(), Call> {
        let slot = Arc::new(Mutex::new(Some(call)));
        let take = |slot: &Mutex<Option<Call>>| slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        let body = {
            let slot = Arc::clone(&slot);
            Box::new(move || {
                if let Some(call) = take(&slot) {
                    call.run();
                }
            })
        };
        match call::start(&self.world, None, Location::caller(), body) {
            Ok(_) => Ok(()),
            Err(refused) => {
                drop(refused);
                take(&slot).map_or(Ok(()), Err)
            }
        }
    }

    fn has_threads(&self) -> bool {
        true
    }

    /// Refused on the thread that drives, or drove last, or made the sim: nobody would drive then. In a call of this sim the run goes on
    /// meanwhile, as in [`Sim::blocking`].
    fn block(&self, wait: &mut dyn FnMut()) -> Result<(), WouldDeadlock> {
        match place::role_in(&self.world) {
            Some(Role::Seat) => return Err(WouldDeadlock),
            Some(Role::Call(id)) => call::blocking(&self.world, id, wait),
            None if self.world.lock().home == std::thread::current().id() => return Err(WouldDeadlock),
            None => wait(),
        }
        Ok(())
    }
}
