//! The static tasks that drivers and keepers live in.

/// Declares so many static tasks of embassy's, and a function that starts a worker on them:
///
/// ```
/// countermand_embassy::tasks! {
///     /// Starts a worker, on the executor of this spawner.
///     pub fn start_worker = 3;
/// }
/// # use countermand_core::{Worker, WorkerConfig};
/// # use countermand_embassy::StartError;
/// # use embassy_executor::Spawner;
/// # use {critical_section as _, embassy_time as _};
/// let start: fn(Spawner, WorkerConfig) -> Result<Worker, StartError> = start_worker;
/// ```
///
/// A worker takes a task for each of its drivers, and one for its keeper; they are free again when it has ended. Several workers may share them.
/// The function fails with [`StartError`](crate::StartError) for settings at fault, and where too few tasks are free.
#[macro_export]
macro_rules! tasks {
    ($(#[$meta:meta])* $vis:vis fn $start:ident = $count:expr $(;)?) => {
        $(#[$meta])*
        $vis fn $start(
            spawner: $crate::embassy_executor::Spawner,
            config: $crate::__private::WorkerConfig,
        ) -> ::core::result::Result<$crate::__private::Worker, $crate::StartError> {
            #[$crate::embassy_executor::task(pool_size = $count, embassy_executor = $crate::embassy_executor)]
            async fn attendant(attendant: $crate::Attendant<$crate::Embassy>) {
                attendant.await;
            }

            $crate::Embassy::new().start(spawner, config, |spawner, next| {
                attendant(next).map(|token| spawner.spawn(token))
            })
        }
    };
}
