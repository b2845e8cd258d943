//! What every weighed image does besides what is weighed: two tasks, of which one lets the other go first, and a clock that is read.

use core::future::poll_fn;
use core::hint::black_box;
use core::pin::Pin;
use core::sync::atomic::{AtomicU32, Ordering};
use core::task::{Context, Poll};

use countermand_core::{Alarm, Host, Instant};

/// As small as a clock can be that goes, and of which nothing is known beforehand.
#[inline(never)]
pub fn nanos() -> u64 {
    static TICKS: AtomicU32 = AtomicU32::new(0);
    let ticks = TICKS.load(Ordering::Relaxed).wrapping_add(1);
    TICKS.store(ticks, Ordering::Relaxed);
    black_box(u64::from(ticks) << 10)
}

/// The host of the workers that are weighed: that clock, and no alarm.
#[derive(Debug)]
pub struct Ticks;

impl Host for Ticks {
    type Alarm = Never;

    fn now(&self) -> Instant {
        Instant::from_nanos(nanos())
    }

    fn alarm(&self) -> Never {
        Never
    }
}

/// An alarm that never rings.
#[derive(Debug)]
pub struct Never;

impl Alarm for Never {
    fn poll_at(self: Pin<&mut Self>, _: Instant, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

/// Ready at the second poll.
pub async fn once_around() {
    black_box(nanos());
    let mut polled = false;
    poll_fn(|cx| {
        if polled {
            return Poll::Ready(());
        }
        polled = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What a task has come to is not optimized away.
pub fn keep(value: u32) {
    black_box(value);
}

/// The image around two tasks: `waits` and `acts` are the bodies of theirs.
#[macro_export]
macro_rules! weighed {
    (waits: $waits:block, acts: $acts:block) => {
        #[embassy_executor::task]
        async fn waits() {
            $waits
        }

        #[embassy_executor::task]
        async fn acts() {
            $crate::weighed::once_around().await;
            $acts
        }

        #[cortex_m_rt::entry]
        fn entry() -> ! {
            static EXECUTOR: static_cell::StaticCell<embassy_executor::Executor> = static_cell::StaticCell::new();
            EXECUTOR.init(embassy_executor::Executor::new()).run(|spawner| {
                if let (Ok(waits), Ok(acts)) = (waits(), acts()) {
                    spawner.spawn(waits);
                    spawner.spawn(acts);
                }
            })
        }

        /// Says nothing: what is weighed formats nothing.
        #[panic_handler]
        fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
            loop {
                cortex_m::asm::wfi();
            }
        }
    };
}
