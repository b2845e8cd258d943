//! Without any feature: a token in a static, a queue in a static.

use countermand::priority_queue::PriorityQueue;
use countermand::{Cause, Fixed, HeldToken, Priority};

use crate::Tried;

pub(crate) fn tried() -> Tried {
    static DEVICE: HeldToken<'static> = HeldToken::new();
    static PUMP: HeldToken<'static> = HeldToken::below(&DEVICE);
    static COMMANDS: PriorityQueue<u32, Fixed<2>> = PriorityQueue::new();

    DEVICE.cancel_with(Cause::SHUTDOWN);
    assert_eq!(PUMP.cause(), Some(Cause::SHUTDOWN));
    COMMANDS.try_send(1, Priority::Low)?;
    COMMANDS.try_send(2, Priority::High)?;
    assert_eq!((COMMANDS.try_recv()?, COMMANDS.try_recv()?), (2, 1));
    Ok(())
}
