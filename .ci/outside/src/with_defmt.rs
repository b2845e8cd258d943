//! Plain values can be printed by defmt. (Printing them takes a device's logger.)

use countermand::{Cause, Instant, Level, Priority};

use crate::Tried;

pub(crate) fn tried() -> Tried {
    fn can_be_printed<T: defmt::Format>(_: T) {}
    can_be_printed(Priority::High);
    can_be_printed(Cause::SHUTDOWN);
    can_be_printed((Instant::ORIGIN, Level::Info));
    Ok(())
}
