//! Threads that take the blocks of one step after the other.
//!
//! All threads share one word, the *cursor*: the current step and its next block. A thread takes blocks by
//! moving the cursor; who completes the last block of a step moves it to the next step. So nobody ever waits for a
//! thread that has no blocks: one that the system has put aside delays only what it has taken.

use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::Instant,
};

/// A cursor is the run (modulo 4096), the step, and the next block, from the high bits to the low.
const BLOCK_BITS: u32 = 32;
const STEP_BITS: u32 = 20;
/// Programs have fewer steps than this.
pub(crate) const STEPS_BELOW: u64 = 1 << STEP_BITS;
/// Kernels have fewer blocks than this.
pub(crate) const BLOCKS_BELOW: u64 = 1 << BLOCK_BITS;
/// How often a thread looks before it sleeps: about 50 microseconds.
const SPINS: u32 = 2_000;
/// Each thread's share of a step is cut into so many pieces, so that a slow thread holds up little.
const PIECES: u64 = 8;

/// Runs blocks `first..last` of a step on a thread.
pub(super) trait Work: Send + Sync + 'static {
    fn run(&self, step: usize, first: u64, last: u64, thread: usize);
}

/// Threads with their work, which stays the same from run to run.
pub(super) struct Pool<W: Work> {
    shared: Arc<Shared<W>>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared<W> {
    work: W,
    steps: Vec<StepState>,
    /// The step after the last means that no run is under way.
    cursor: Line<AtomicU64>,
    /// Completed blocks of the current step.
    done: Line<AtomicU64>,
    stop: AtomicBool,
    /// Nanoseconds since `epoch` at which the current step began; kept only while `timed`.
    began: AtomicU64,
    timed: AtomicBool,
    epoch: Instant,
    /// Threads that have started.
    started: AtomicUsize,
    sleepers: AtomicUsize,
    sleep: Mutex<()>,
    wake: Condvar,
}

/// Keeps what one thread polls apart from what others write.
#[repr(align(128))]
struct Line<T>(T);

struct StepState {
    blocks: u64,
    /// How many blocks a thread takes at once.
    piece: u64,
    runs: AtomicU64,
    nanos: AtomicU64,
}

impl<W: Work> Pool<W> {
    /// Starts `threads - 1` threads; the caller of [`Pool::run`] is the other one.
    pub fn new(threads: usize, blocks: &[u64], work: W) -> io::Result<Self> {
        let pieces = if threads == 1 {
            1
        } else {
            threads as u64 * PIECES
        };
        let steps: Vec<_> = blocks
            .iter()
            .map(|n| StepState {
                blocks: *n,
                piece: n.div_ceil(pieces).max(1),
                runs: AtomicU64::new(0),
                nanos: AtomicU64::new(0),
            })
            .collect();
        let shared = Arc::new(Shared {
            work,
            cursor: Line(AtomicU64::new(word(0, steps.len(), 0))),
            steps,
            done: Line(AtomicU64::new(0)),
            stop: AtomicBool::new(false),
            began: AtomicU64::new(0),
            timed: AtomicBool::new(false),
            epoch: Instant::now(),
            started: AtomicUsize::new(0),
            sleepers: AtomicUsize::new(0),
            sleep: Mutex::new(()),
            wake: Condvar::new(),
        });
        let mut pool = Self {
            shared,
            threads: Vec::new(),
        };
        for thread in 1..threads {
            let shared = Arc::clone(&pool.shared);
            let spawned = std::thread::Builder::new()
                .name(format!("tilewright-{thread}"))
                .spawn(move || shared.serve(thread))?;
            pool.threads.push(spawned);
        }
        // So that what starting a thread allocates is allocated before the first run.
        let s = &*pool.shared;
        let mut guard = s.lock();
        while s.started.load(Ordering::SeqCst) < threads - 1 {
            guard = s.wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        drop(guard);
        Ok(pool)
    }

    /// Runs every step, in order. The caller works too.
    pub fn run(&mut self, timed: bool) {
        let s = &*self.shared;
        s.timed.store(timed, Ordering::Relaxed);
        if timed {
            s.began.store(s.now(), Ordering::Relaxed);
        }
        s.enter(run_of(s.at()) + 1, 0);
        let mut at = s.at();
        while step_of(at) < s.steps.len() {
            at = if s.take(at, 0) { s.at() } else { s.wait(at) };
        }
    }

    /// Runs all of one step on the caller's thread.
    pub fn run_step(&mut self, step: usize) {
        let blocks = self.shared.steps[step].blocks;
        self.shared.work.run(step, 0, blocks, 0);
    }

    /// The work.
    pub fn work(&self) -> &W {
        &self.shared.work
    }

    /// How often each step has run.
    pub fn runs(&self) -> impl Iterator<Item = u64> {
        self.shared
            .steps
            .iter()
            .map(|s| s.runs.load(Ordering::Relaxed))
    }

    /// Nanoseconds that each step took, over all timed runs.
    pub fn nanos(&self) -> impl Iterator<Item = u64> {
        self.shared
            .steps
            .iter()
            .map(|s| s.nanos.load(Ordering::Relaxed))
    }
}

impl<W: Work> Drop for Pool<W> {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.notify();
        for thread in self.threads.drain(..) {
            // A kernel cannot unwind, so a thread ends only here.
            drop(thread.join());
        }
    }
}

impl<W: Work> Shared<W> {
    /// The life of a thread other than the caller.
    fn serve(&self, thread: usize) {
        let guard = self.lock();
        self.started.fetch_add(1, Ordering::SeqCst);
        drop(guard);
        self.wake.notify_all();
        let mut at = self.at();
        while !self.stop.load(Ordering::SeqCst) {
            let worked = step_of(at) < self.steps.len() && self.take(at, thread);
            at = if worked { self.at() } else { self.wait(at) };
        }
    }

    /// Runs some blocks of the step at `at`; false if none is left to take.
    fn take(&self, at: u64, thread: usize) -> bool {
        let (step, first) = (step_of(at), block_of(at));
        let state = &self.steps[step];
        if first >= state.blocks {
            return false;
        }
        let last = (first + state.piece).min(state.blocks);
        let moved = word(run_of(at), step, last);
        // Should 4096 runs pass before the exchange, it takes the same blocks of that later run, which is as good:
        // the work does not differ between runs.
        if self
            .cursor
            .0
            .compare_exchange(at, moved, Ordering::SeqCst, Ordering::SeqCst)
            .is_err()
        {
            return true;
        }
        self.work.run(step, first, last, thread);
        let before = self.done.0.fetch_add(last - first, Ordering::SeqCst);
        if before + (last - first) == state.blocks {
            self.complete(run_of(at), step);
        }
        true
    }

    fn complete(&self, run: u64, step: usize) {
        let state = &self.steps[step];
        state.runs.fetch_add(1, Ordering::Relaxed);
        if self.timed.load(Ordering::Relaxed) {
            let now = self.now();
            let began = self.began.swap(now, Ordering::Relaxed);
            state
                .nanos
                .fetch_add(now.saturating_sub(began), Ordering::Relaxed);
        }
        self.done.0.store(0, Ordering::SeqCst);
        self.enter(run, step + 1);
    }

    /// Moves the cursor to a step; passes over steps without blocks.
    fn enter(&self, run: u64, mut step: usize) {
        while self.steps.get(step).is_some_and(|s| s.blocks == 0) {
            self.steps[step].runs.fetch_add(1, Ordering::Relaxed);
            step += 1;
        }
        self.cursor.0.store(word(run, step, 0), Ordering::SeqCst);
        // A step in one piece is taken by the thread that got here, so nobody needs to wake for it.
        if self.steps.get(step).is_none_or(|s| s.blocks > s.piece) {
            self.notify();
        }
    }

    fn at(&self) -> u64 {
        self.cursor.0.load(Ordering::SeqCst)
    }

    /// The cursor, once it is at another step or run than `old`, or when the pool stops.
    fn wait(&self, old: u64) -> u64 {
        let news = || {
            let at = self.at();
            let moved = at >> BLOCK_BITS != old >> BLOCK_BITS;
            (moved || self.stop.load(Ordering::SeqCst)).then_some(at)
        };
        for _ in 0..SPINS {
            if let Some(at) = news() {
                return at;
            }
            std::hint::spin_loop();
        }
        let mut guard = self.lock();
        // Counted before the last look, and looked at by `notify` after the cursor has moved: one of the two sees
        // the other.
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        let at = loop {
            if let Some(at) = news() {
                break at;
            }
            guard = self
                .wake
                .wait(guard)
                .unwrap_or_else(PoisonError::into_inner);
        };
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
        at
    }

    fn notify(&self) {
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            drop(self.lock());
            self.wake.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.sleep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        self.epoch.elapsed().as_nanos() as u64
    }
}

/// The run wraps around.
const fn word(run: u64, step: usize, block: u64) -> u64 {
    (run << (STEP_BITS + BLOCK_BITS)) | ((step as u64) << BLOCK_BITS) | block
}

const fn run_of(cursor: u64) -> u64 {
    cursor >> (STEP_BITS + BLOCK_BITS)
}

const fn step_of(cursor: u64) -> usize {
    ((cursor >> BLOCK_BITS) & (STEPS_BELOW - 1)) as usize
}

const fn block_of(cursor: u64) -> u64 {
    cursor & (BLOCKS_BELOW - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes how often each block ran, and that the steps before it had ended.
    struct Notes {
        blocks: Vec<Vec<AtomicU64>>,
        early: AtomicU64,
    }

    impl Work for Notes {
        fn run(&self, step: usize, first: u64, last: u64, _thread: usize) {
            let count = self.blocks[step][0].load(Ordering::Relaxed);
            for block in first..last {
                self.blocks[step][block as usize].fetch_add(1, Ordering::Relaxed);
            }
            let before = self.blocks[..step].iter().flatten();
            let late = before.filter(|b| b.load(Ordering::Relaxed) < count).count();
            self.early.fetch_add(late as u64, Ordering::Relaxed);
        }
    }

    #[test]
    fn every_block_runs_once_and_in_the_order_of_steps() {
        for threads in [1, 2, 5] {
            for blocks in [&[][..], &[1], &[0, 3, 0, 0], &[100, 1, 1, 17, 0, 64]] {
                let notes = Notes {
                    blocks: blocks
                        .iter()
                        .map(|n| (0..(*n).max(1)).map(|_| AtomicU64::new(0)).collect())
                        .collect(),
                    early: AtomicU64::new(0),
                };
                // The places that stand for steps without blocks.
                for (place, n) in notes.blocks.iter().zip(blocks) {
                    place[0].store(if *n == 0 { 1 << 40 } else { 0 }, Ordering::Relaxed);
                }
                let mut pool = Pool::new(threads, blocks, notes).unwrap();
                // More runs than the cursor counts.
                let runs = if blocks.len() == 1 { 5000 } else { 300 };
                for _ in 0..runs {
                    pool.run(true);
                }
                let notes = pool.work();
                for (place, n) in notes.blocks.iter().zip(blocks).filter(|(_, n)| **n > 0) {
                    let counts: Vec<_> = place.iter().map(|b| b.load(Ordering::Relaxed)).collect();
                    assert_eq!(counts, vec![runs; *n as usize]);
                }
                assert_eq!(notes.early.load(Ordering::Relaxed), 0);
                assert!(pool.runs().all(|r| r == runs));
            }
        }
    }
}
