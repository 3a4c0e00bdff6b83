//! Work on all cores, results in the order of the input, memory bounded.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many inputs may be between the one whose result is awaited and the one
/// that is begun next, a core: what waits in memory is bounded by it.
const AHEAD: usize = 16;

/// How many threads work: one a core.
#[must_use]
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

struct State<I, R> {
    input: I,
    begun: usize,
    given: usize,
    done: BTreeMap<usize, R>,
    ended: bool,
    stopped: bool,
}

struct Shared<I, R> {
    state: Mutex<State<I, R>>,
    changed: Condvar,
}

impl<I, R> Shared<I, R> {
    fn lock(&self) -> MutexGuard<'_, State<I, R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, guard: MutexGuard<'a, State<I, R>>) -> MutexGuard<'a, State<I, R>> {
        self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stops the others when a worker panics: nobody waits for what never comes.
struct Stopper<'a, I, R>(&'a Shared<I, R>);

impl<I, R> Drop for Stopper<'_, I, R> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().stopped = true;
            self.0.changed.notify_all();
        }
    }
}

/// Runs `work` on every input, on so many threads, and gives the results to
/// `give` in the order of the inputs, on this thread. `start` makes what a
/// thread keeps for itself.
///
/// # Errors
/// The first of `give`; nothing more is begun then.
pub fn run<T, R, W, E>(
    input: impl Iterator<Item = T> + Send,
    threads: usize,
    start: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, T) -> R + Sync,
    mut give: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E>
where
    T: Send,
    R: Send,
{
    let threads = threads.max(1);
    let ahead = threads * AHEAD;
    let shared = Shared {
        state: Mutex::new(State {
            input,
            begun: 0,
            given: 0,
            done: BTreeMap::new(),
            ended: false,
            stopped: false,
        }),
        changed: Condvar::new(),
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| worker(&shared, ahead, &start, &work));
        }
        let outcome = deliver(&shared, &mut give);
        shared.lock().stopped = true;
        shared.changed.notify_all();
        outcome
    })
}

fn worker<T, I: Iterator<Item = T>, R, W>(
    shared: &Shared<I, R>,
    ahead: usize,
    start: &(impl Fn() -> W + Sync),
    work: &(impl Fn(&mut W, T) -> R + Sync),
) {
    let _stopper = Stopper(shared);
    let mut own = start();
    loop {
        let mut state = shared.lock();
        while !state.stopped && !state.ended && state.begun >= state.given + ahead {
            state = shared.wait(state);
        }
        if state.stopped || state.ended {
            return;
        }
        let Some(item) = state.input.next() else {
            state.ended = true;
            shared.changed.notify_all();
            return;
        };
        let number = state.begun;
        state.begun += 1;
        drop(state);
        let result = work(&mut own, item);
        let mut state = shared.lock();
        state.done.insert(number, result);
        if number == state.given {
            shared.changed.notify_all();
        }
    }
}

fn deliver<I, R, E>(
    shared: &Shared<I, R>,
    give: &mut impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    loop {
        let mut state = shared.lock();
        let result = loop {
            let next = state.given;
            if let Some(result) = state.done.remove(&next) {
                break result;
            }
            if state.stopped || state.ended && state.begun == state.given {
                return Ok(());
            }
            state = shared.wait(state);
        };
        state.given += 1;
        drop(state);
        shared.changed.notify_all();
        give(result)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn results_come_in_order_whoever_is_slow() {
        let mut seen = Vec::new();
        let slow = |(): &mut (), n: u64| {
            if n.is_multiple_of(7) {
                std::thread::sleep(std::time::Duration::from_millis(3));
            }
            n * 2
        };
        run(
            0..500,
            4,
            || (),
            slow,
            |n| {
                seen.push(n);
                Ok::<(), ()>(())
            },
        )
        .unwrap();
        assert_eq!(seen, (0..500).map(|n| n * 2).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_runs_far_ahead_of_a_slow_taker() {
        let begun = AtomicUsize::new(0);
        let mut given = 0;
        run(
            0..2_000,
            2,
            || (),
            |(), n: usize| {
                begun.fetch_add(1, Ordering::SeqCst);
                n
            },
            |_| {
                given += 1;
                assert!(begun.load(Ordering::SeqCst) <= given + 2 * AHEAD + 2);
                Ok::<(), ()>(())
            },
        )
        .unwrap();
        assert_eq!(given, 2_000);
    }

    #[test]
    fn an_error_ends_it() {
        let mut given = 0;
        let outcome = run(
            0..,
            3,
            || (),
            |(), n: u64| n,
            |n| {
                given += 1;
                if n == 10 { Err("enough") } else { Ok(()) }
            },
        );
        assert_eq!((outcome, given), (Err("enough"), 11));
    }
}
