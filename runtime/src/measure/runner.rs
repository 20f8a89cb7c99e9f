//! The parent's side: a child process that measures, kept on a short leash.

use std::{
    collections::VecDeque,
    ffi::OsString,
    io::{self, Read},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::PathBuf,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use super::{
    Job, Limits, Outcome, Stage,
    frame::{self, Message, Request},
};

/// Time to start a process.
const START: Duration = Duration::from_secs(60);
/// Time to compute a reference, which is no fault of the candidate's.
const REFERENCE: Duration = Duration::from_secs(600);
/// Bytes that are kept of what a child said last.
const TAIL: usize = 2048;

/// Measures jobs in a child process, one after the other. A child that crashes or does not end is replaced.
///
/// The child is killed with the runner, and with the thread that made it.
pub struct Runner {
    program: PathBuf,
    arguments: Vec<OsString>,
    limits: Limits,
    worker: Option<Worker>,
}

/// Why nothing can be measured.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// The program does not start.
    #[error("{}: cannot be run: {error}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// What it says is no outcome.
    #[error("{}: wanted a program that measures, found one that says something else: {error}", program.display())]
    Language {
        /// The program.
        program: PathBuf,
        /// What is wrong with what it says.
        error: io::Error,
    },
}

/// A child, and threads that listen to it.
struct Worker {
    child: Child,
    input: ChildStdin,
    messages: Receiver<io::Result<Message>>,
    said: Option<JoinHandle<String>>,
    /// Whether it was given a job before.
    used: bool,
}

/// How a job ended.
enum End {
    Outcome(Outcome),
    /// The child ended, in this stage; none if it had not begun.
    Gone(Option<Stage>),
    /// The time of the stage is over.
    Late(Option<Stage>, Duration),
    Language(io::Error),
}

impl Runner {
    /// A runner whose children are runs of `program` with `arguments`, which make it call [`serve`](super::serve).
    pub fn new(
        program: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = OsString>,
        limits: Limits,
    ) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.into_iter().collect(),
            limits,
            worker: None,
        }
    }

    /// The limits of a child.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The child's process id, if one waits for a job.
    pub fn child(&self) -> Option<u32> {
        self.worker.as_ref().map(|w| w.child.id())
    }

    /// Measures one job; whatever the candidate does is an outcome.
    ///
    /// # Errors
    /// There is no child to measure with.
    pub fn measure(&mut self, job: &Job) -> Result<Outcome, RunnerError> {
        let request = Request {
            job: job.clone(),
            memory: self.limits.memory,
        };
        let request = match serde_json::to_vec(&request) {
            Ok(request) => request,
            // Only a path can have no JSON.
            Err(e) => {
                return Ok(Outcome::Refused {
                    reason: format!("artifact: {e}; help: use a path in UTF-8"),
                });
            }
        };
        loop {
            let mut worker = match self.worker.take() {
                Some(worker) => worker,
                None => self.start()?,
            };
            let used = std::mem::replace(&mut worker.used, true);
            let seconds = job.policy.seconds.clamp(0.0, 1e6);
            let end = worker.ask(&request, self.limits.time, Duration::from_secs_f64(seconds));
            match end {
                End::Outcome(outcome) => {
                    // After a crash a device may do nothing more in that process.
                    if !matches!(outcome, Outcome::Crash { .. }) {
                        self.worker = Some(worker);
                    }
                    return Ok(outcome);
                }
                // It ended before the job came, for instance with the thread that started it.
                End::Gone(None) if used => {}
                End::Gone(stage) => {
                    let (status, said) = worker.end();
                    return Ok(gone(stage, status, &said));
                }
                End::Late(stage, after) => return Ok(late(stage, after)),
                End::Language(error) => {
                    return Err(RunnerError::Language {
                        program: self.program.clone(),
                        error,
                    });
                }
            }
        }
    }

    fn start(&self) -> Result<Worker, RunnerError> {
        let unusable = |error| RunnerError::Start {
            program: self.program.clone(),
            error,
        };
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // So that all it starts can be killed with it.
            .process_group(0)
            .spawn()
            .map_err(unusable)?;
        let input = child.stdin.take().expect("the pipe was asked for");
        let mut output = child.stdout.take().expect("the pipe was asked for");
        let mut errors = child.stderr.take().expect("the pipe was asked for");
        let (sender, messages) = mpsc::channel();
        std::thread::spawn(move || {
            while let Some(message) = frame::read(&mut output).transpose() {
                let is_last = message.is_err();
                if sender.send(message).is_err() || is_last {
                    break;
                }
            }
        });
        let said = std::thread::spawn(move || tail(&mut errors));
        Ok(Worker {
            child,
            input,
            messages,
            said: Some(said),
            used: false,
        })
    }
}

impl Worker {
    /// Gives it a job, and waits for the outcome. A stage may take `limit`; timing `seconds` more.
    fn ask(&mut self, request: &[u8], limit: Duration, seconds: Duration) -> End {
        if frame::write(&mut self.input, request).is_err() {
            return End::Gone(None);
        }
        let mut stage = None;
        loop {
            let allowed = match stage {
                None => START.max(limit),
                Some(Stage::Reference) => REFERENCE.max(limit),
                Some(Stage::Baseline | Stage::Candidate) => limit,
                Some(Stage::Timing) => limit + seconds,
            };
            match self.messages.recv_timeout(allowed) {
                Ok(Ok(Message::Stage(next))) => stage = Some(next),
                Ok(Ok(Message::Done(outcome))) => return End::Outcome(outcome),
                // A frame that is cut off is the end, too.
                Ok(Err(e)) if e.kind() == io::ErrorKind::UnexpectedEof => return End::Gone(stage),
                Ok(Err(e)) => return End::Language(e),
                Err(RecvTimeoutError::Timeout) => return End::Late(stage, allowed),
                Err(RecvTimeoutError::Disconnected) => return End::Gone(stage),
            }
        }
    }

    /// How it ended, and what it said last.
    fn end(mut self) -> (io::Result<ExitStatus>, String) {
        // Its output is closed, so it ends by itself; and if it does not, it is made to.
        let start = Instant::now();
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break Ok(status),
                Ok(None) if start.elapsed() < Duration::from_secs(1) => std::thread::yield_now(),
                Ok(None) => {
                    self.kill();
                    break self.child.wait();
                }
                Err(e) => break Err(e),
            }
        };
        let said = self.said.take().and_then(|s| s.join().ok());
        (status, said.unwrap_or_default())
    }

    fn kill(&self) {
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            // It may have ended already.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Once waited for, its number may be another's.
        if let Ok(None) = self.child.try_wait() {
            self.kill();
            let _ = self.child.wait();
        }
    }
}

/// The end of what is read, on one line.
fn tail(from: &mut impl Read) -> String {
    let mut last = VecDeque::new();
    let mut bytes = [0; 1024];
    while let Ok(n @ 1..) = from.read(&mut bytes) {
        last.extend(&bytes[..n]);
        let more = last.len().saturating_sub(TAIL);
        last.drain(..more);
    }
    let text = String::from_utf8_lossy(last.make_contiguous()).into_owned();
    let words = text.split_whitespace();
    words.collect::<Vec<_>>().join(" ")
}

/// The outcome of a job whose child ended.
fn gone(stage: Option<Stage>, status: io::Result<ExitStatus>, said: &str) -> Outcome {
    let how = match status {
        Ok(status) => match (status.signal(), status.code()) {
            (Some(signal), _) => format!("ended by {}", name(signal)),
            (_, Some(code)) => format!("ended with code {code}"),
            _ => "ended".into(),
        },
        Err(e) => format!("ended; {e}"),
    };
    let when = stage.map_or("before it began", Stage::words);
    let when = if stage.is_some() {
        format!("while {when}")
    } else {
        when.into()
    };
    let said = if said.is_empty() {
        String::new()
    } else {
        format!("; it said: {said}")
    };
    let reason = format!("the process {how} {when}{said}");
    match stage {
        Some(Stage::Candidate | Stage::Timing) => Outcome::Crash { reason },
        None | Some(Stage::Reference | Stage::Baseline) => Outcome::Refused { reason },
    }
}

/// The outcome of a job that took too long.
fn late(stage: Option<Stage>, after: Duration) -> Outcome {
    match stage {
        Some(stage @ (Stage::Candidate | Stage::Timing)) => Outcome::Timeout { after, stage },
        Some(stage) => Outcome::Refused {
            reason: format!(
                "no end after {} s while {}",
                after.as_secs_f64(),
                stage.words()
            ),
        },
        None => Outcome::Refused {
            reason: format!("the process did not begin within {} s", after.as_secs_f64()),
        },
    }
}

/// What signals are called (signal(7)).
fn name(signal: i32) -> String {
    let known = match signal {
        4 => "SIGILL (an instruction that this processor lacks)",
        6 => "SIGABRT (it gave up)",
        7 => "SIGBUS (memory that is not there)",
        8 => "SIGFPE (a division by zero)",
        9 => "SIGKILL (it was killed)",
        11 => "SIGSEGV (memory that is not its own)",
        15 => "SIGTERM (it was asked to end)",
        24 => "SIGXCPU (its time is over)",
        31 => "SIGSYS (a call that is forbidden)",
        _ => return format!("signal {signal}"),
    };
    known.into()
}
