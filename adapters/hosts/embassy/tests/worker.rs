//! What is this host's own: tasks that run out, threads that may wait, and the real timer.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use countermand_core::{Job, Outcome, Phase, RejectReason, Shutdown, Token, WaitReason, WorkerConfig};
use countermand_embassy::StartError;
use embassy_executor::{Executor, Spawner};
use {critical_section as _, embassy_time as _};

type Main = std::pin::Pin<Box<dyn Future<Output = ()>>>;

#[embassy_executor::task(pool_size = 8)]
async fn main_task(main: Main, done: Rc<Cell<bool>>) {
    main.await;
    done.set(true);
}

/// Runs `main` on an executor of its own, on this thread.
fn on_embassy<F: Future<Output = ()> + 'static>(main: impl FnOnce(Spawner) -> F + 'static) {
    let done = Rc::new(Cell::new(false));
    let executor: &'static mut Executor = Box::leak(Box::new(Executor::new()));
    let end = Rc::clone(&done);
    executor.run_until(
        move |spawner| spawner.spawn(main_task(Box::pin(main(spawner)), end).expect("a task is free")),
        move || done.get(),
    );
}

#[test]
fn a_sleep_and_a_time_out_on_the_real_timer() {
    countermand_embassy::tasks! { fn start = 3; }
    on_embassy(|spawner| async move {
        let worker = start(spawner, WorkerConfig::new().lanes(2).drivers(2)).unwrap();
        let nap = Job::task_with(async |context| context.sleep(Duration::from_millis(2)).await);
        let nap = worker.submit(nap).await.unwrap();
        let late = Job::task(std::future::pending::<()>()).run_timeout(Duration::from_millis(2));
        let late = worker.submit(late).await.unwrap();
        assert_eq!(nap.await.completed(), Some(()));
        assert!(matches!(late.await, Outcome::TimedOut { phase: Phase::Running, .. }));
        worker.shutdown(Shutdown::Drain).await;
    });
}

#[test]
fn too_few_tasks_are_an_error_that_counts_them_and_leave_nothing_behind() {
    countermand_embassy::tasks! { fn start = 3; }
    on_embassy(|spawner| async move {
        let error = start(spawner, WorkerConfig::new().lanes(3).drivers(3)).unwrap_err();
        assert_eq!(error, StartError::TooFewTasks { attendants: 4, free: 3 });
        assert!(error.to_string().contains("want 4 tasks, and 3 are free"), "{error}");
        // What had a task already gives it back in its next turn, and a worker that fits is started.
        while start(spawner, WorkerConfig::new().lanes(1).drivers(1)).is_err() {
            yield_now().await;
        }
    });
}

/// Lets the other tasks have their turn.
async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

#[test]
fn settings_at_fault_are_told() {
    countermand_embassy::tasks! { fn start = 3; }
    on_embassy(|spawner| async move {
        let error = start(spawner, WorkerConfig::new().lanes(0)).unwrap_err();
        assert!(matches!(&error, StartError::Config(_)), "{error}");
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("lanes"), "{error:?}");
    });
}

#[test]
fn a_call_is_refused_and_comes_back() {
    countermand_embassy::tasks! { fn start = 3; }
    on_embassy(|spawner| async move {
        let worker = start(spawner, WorkerConfig::new()).unwrap();
        let rejected = worker.submit(Job::call(|_| ())).await.unwrap_err();
        assert!(matches!(rejected.reason, RejectReason::NoThreads), "{:?}", rejected.reason);
        worker.shutdown(Shutdown::Drain).await;
    });
}

#[test]
fn a_blocking_wait_is_refused_here_and_works_elsewhere() {
    countermand_embassy::tasks! { fn start = 3; }
    on_embassy(|spawner| async move {
        let worker = start(spawner, WorkerConfig::new()).unwrap();
        // Before any attendant had a turn.
        let refused = worker.submit(Job::task(std::future::ready(1))).await.unwrap().wait().unwrap_err();
        assert!(matches!(refused.reason, WaitReason::WouldDeadlock), "{:?}", refused.reason);
        assert_eq!(refused.handle.await.completed(), Some(1));
        let handle = worker.submit(Job::task(std::future::ready(2))).await.unwrap();
        let waited = Token::new();
        let end = waited.clone().drop_guard();
        let thread = std::thread::spawn(move || {
            let _end = end;
            handle.wait().unwrap().completed()
        });
        waited.cancelled().await;
        assert_eq!(thread.join().unwrap(), Some(2));
        worker.shutdown(Shutdown::Drain).await;
    });
}
