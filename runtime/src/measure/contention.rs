//! Whether others used the processor while something was timed.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    time::Duration,
};

/// The share of a sample that its threads may wait, ready to run, while others run: more than what moving a thread from
/// core to core takes, less than one turn of another process.
const SHARE: f64 = 0.05;

/// Counters of the system: how long the threads of this process were ready to run and did not, and how much time the
/// machine below took away.
///
/// Threads that start later are not seen.
pub(crate) struct Contention {
    /// `/proc/self/task/*/schedstat`: time on a processor and time waiting for one in nanoseconds, and turns (Linux,
    /// `Documentation/scheduler/sched-stats.rst`).
    tasks: Vec<File>,
    /// `/proc/stat`: of its first line, the eighth number is the time stolen, in ticks (proc_stat(5)).
    machine: Option<File>,
}

/// What the counters say at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Of each thread; none of those that have ended.
    waited: Vec<Option<Duration>>,
    stolen: u64,
}

impl Contention {
    /// Opens the counters of the threads that there are. Systems without them see no contention.
    pub fn new() -> Self {
        let tasks = fs::read_dir("/proc/self/task").into_iter().flatten();
        let tasks = tasks.filter_map(|t| File::open(t.ok()?.path().join("schedstat")).ok());
        Self {
            tasks: tasks.collect(),
            machine: File::open("/proc/stat").ok(),
        }
    }

    /// What the counters say now.
    pub fn mark(&self) -> Mark {
        let waited = self.tasks.iter().map(|f| waited(&text(f)?));
        Mark {
            waited: waited.collect(),
            stolen: self
                .machine
                .as_ref()
                .and_then(|f| stolen(&text(f)?))
                .unwrap_or(0),
        }
    }
}

impl Mark {
    /// Whether what took `elapsed` from this mark to another was disturbed.
    pub fn is_disturbed(&self, later: &Self, elapsed: Duration) -> bool {
        let both = self.waited.iter().zip(&later.waited);
        let waited =
            both.filter_map(|(before, after)| Some(after.as_ref()?.saturating_sub((*before)?)));
        let waited: Duration = waited.sum();
        later.stolen > self.stolen || waited.as_secs_f64() > SHARE * elapsed.as_secs_f64()
    }
}

/// The start of a file of the system's, which is made anew at each reading.
fn text(file: &File) -> Option<String> {
    let mut bytes = [0; 512];
    let read = file.read_at(&mut bytes, 0).ok()?;
    Some(String::from_utf8_lossy(&bytes[..read]).into_owned())
}

fn waited(schedstat: &str) -> Option<Duration> {
    let nanos = schedstat.split_ascii_whitespace().nth(1)?;
    nanos.parse().ok().map(Duration::from_nanos)
}

fn stolen(stat: &str) -> Option<u64> {
    let mut fields = stat.lines().next()?.split_ascii_whitespace();
    (fields.next()? == "cpu").then(|| fields.nth(7)?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_as_the_system_writes_them() {
        assert_eq!(
            waited("8144092 213307 28\n"),
            Some(Duration::from_nanos(213_307))
        );
        assert_eq!(waited(""), None);
        let stat = "cpu  10132153 290696 3084719 46828483 16683 0 25195 4242 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
        assert_eq!(stolen(stat), Some(4242));
        assert_eq!(stolen("intr 1 2 3"), None);
    }

    #[test]
    fn waiting_and_stolen_time_disturb() {
        let elapsed = Duration::from_millis(1);
        let second = Duration::from_secs(1);
        let before = Mark {
            waited: vec![Some(3 * second), Some(second)],
            stolen: 7,
        };
        let after = |nanos, stolen| Mark {
            waited: vec![Some(3 * second + Duration::from_nanos(nanos)), None],
            stolen,
        };
        // A thread that ended takes its counter with it.
        assert!(!before.is_disturbed(&after(40_000, 7), elapsed));
        assert!(before.is_disturbed(&after(60_000, 7), elapsed));
        assert!(before.is_disturbed(&after(0, 8), elapsed));
    }

    #[test]
    fn threads_that_share_a_processor_are_seen_to_wait() {
        let processors = rustix::thread::sched_getaffinity(None).unwrap();
        let first = (0..1024).find(|i| processors.is_set(*i)).unwrap();
        let mut one = rustix::thread::CpuSet::new();
        one.set(first);
        let spin = |barrier: &std::sync::Barrier| {
            rustix::thread::sched_setaffinity(None, &one).unwrap();
            barrier.wait();
            let start = std::time::Instant::now();
            while start.elapsed() < Duration::from_millis(60) {
                std::hint::spin_loop();
            }
            barrier.wait();
            // A thread that ended has no counter: it stays until that was read.
            barrier.wait();
        };
        let barrier = std::sync::Barrier::new(3);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| spin(&barrier));
            }
            let counters = Contention::new();
            let before = counters.mark();
            barrier.wait();
            barrier.wait();
            let after = counters.mark();
            barrier.wait();
            match before.waited.iter().any(Option::is_some) {
                true => assert!(
                    before.is_disturbed(&after, Duration::from_millis(60)),
                    "{before:?} {after:?}"
                ),
                false => println!("skipped: this system keeps no schedstat"),
            }
        });
    }
}
