//! Code generation in processes of its own: LLVM ends the process on what it cannot select, and then only a
//! worker is lost.
//!
//! A worker is a run of a program that calls [`serve`]. It reads requests and writes replies as frames: a length
//! of 8 bytes, little endian, then as many bytes. A request is JSON; a reply is code after a 0, or JSON of
//! a failure after a 1. It ends with its input, and is killed with the thread that started it.

use std::{
    ffi::OsString,
    io::{self, Read, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use ir::{Target, lane, tile};
use serde::{Deserialize, Serialize};

use crate::{
    cpu,
    failure::{BackendError, Failure},
    mlir, simt,
};

/// How to start workers.
#[derive(Clone, Debug)]
pub struct Processes {
    /// What to run.
    pub program: PathBuf,
    /// What makes it call [`serve`].
    pub arguments: Vec<OsString>,
    /// How many at once, at least 1.
    pub count: usize,
    /// How long one program may take; for ever without.
    pub limit: Option<Duration>,
}

/// Where code is generated.
#[derive(Clone, Debug)]
pub enum Workers {
    /// Here, on rayon's threads. What LLVM cannot select ends this process.
    InProcess,
    /// In other processes.
    Processes(Processes),
}

/// A program of either kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Work {
    Tile(tile::Program),
    Lane(lane::Program),
}

#[derive(Serialize, Deserialize)]
struct Request {
    work: Work,
    target: Target,
}

/// Answers requests from standard input on standard output until there are no more.
///
/// # Errors
/// The other side speaks another language, or ended in the middle of a frame.
pub fn serve() -> io::Result<()> {
    mlir::end_with_parent();
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    while let Some(frame) = read_frame(&mut input)? {
        let request: Request = serde_json::from_slice(&frame)?;
        let answer = match &request.work {
            Work::Tile(program) => cpu::object(program, &request.target),
            Work::Lane(program) => simt::generate(program, &request.target),
        };
        let reply = match answer {
            Ok(mut bytes) => {
                bytes.insert(0, 0);
                bytes
            }
            Err(failure) => {
                let mut bytes = vec![1];
                serde_json::to_writer(&mut bytes, &failure)?;
                bytes
            }
        };
        write_frame(&mut output, &reply)?;
    }
    Ok(())
}

/// What LLVM makes of one program.
pub(crate) type Answer = Result<Vec<u8>, Failure>;

/// The answers to programs, in their order.
///
/// # Errors
/// A worker cannot be run.
pub(crate) fn answers(
    programs: &[Work],
    target: &Target,
    processes: &Processes,
) -> Result<Vec<Answer>, BackendError> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        let mut worker = None;
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(program) = programs.get(i) else {
                break done;
            };
            done.push((i, ask(&mut worker, processes, program, target)));
        }
    };
    let count = processes.count.clamp(1, programs.len().max(1));
    let mut done: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
        let joined = threads
            .into_iter()
            .map(|t| t.join().expect("work does not panic"));
        joined.flatten().collect()
    });
    done.sort_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, result)| result).collect()
}

struct Worker {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already; either way nothing is left of it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(
    slot: &mut Option<Worker>,
    processes: &Processes,
    work: &Work,
    target: &Target,
) -> Result<Answer, BackendError> {
    let unusable = |error| BackendError::Worker {
        program: processes.program.clone(),
        error,
    };
    let mut worker = match slot.take() {
        Some(worker) => worker,
        None => start(processes).map_err(unusable)?,
    };
    let request = Request {
        work: work.clone(),
        target: target.clone(),
    };
    let request = serde_json::to_vec(&request).expect("programs are plain data");
    let (reply, is_late) = exchange(&mut worker, &request, processes.limit);
    match reply {
        _ if is_late => {
            let limit = processes.limit.expect("without a limit nothing is late");
            Ok(Err(Failure::TimedOut(limit)))
        }
        Ok(Some(reply)) => {
            *slot = Some(worker);
            match reply.split_first() {
                Some((0, code)) => Ok(Ok(code.to_vec())),
                Some((1, failure)) => {
                    let failure = serde_json::from_slice(failure);
                    Ok(Err(failure.map_err(|e| unusable(e.into()))?))
                }
                _ => Err(unusable(io::ErrorKind::InvalidData.into())),
            }
        }
        // The pipe broke: the worker has ended.
        Ok(None) | Err(_) => {
            let status = worker.child.wait().map_err(unusable)?;
            Ok(Err(Failure::Crashed(status.to_string())))
        }
    }
}

/// Sends a request and reads the reply; a worker that takes longer than the limit is killed, and late.
fn exchange(
    worker: &mut Worker,
    request: &[u8],
    limit: Option<Duration>,
) -> (io::Result<Option<Vec<u8>>>, bool) {
    let Worker {
        child,
        input,
        output,
    } = worker;
    let (done, wait) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let watch = limit.map(|limit| {
            scope.spawn(move || {
                let is_late = wait.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout);
                if is_late {
                    // It may have ended just now.
                    let _ = child.kill();
                }
                is_late
            })
        });
        let sent = write_frame(input, request);
        let reply = sent.and_then(|()| read_frame(output));
        drop(done);
        let is_late = watch.is_some_and(|w| w.join().expect("watching does not panic"));
        (reply, is_late)
    })
}

fn start(processes: &Processes) -> io::Result<Worker> {
    let mut child = Command::new(&processes.program)
        .args(&processes.arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let input = child.stdin.take().expect("the pipe was asked for");
    let output = child.stdout.take().expect("the pipe was asked for");
    Ok(Worker {
        child,
        input,
        output,
    })
}

fn write_frame(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(&(bytes.len() as u64).to_le_bytes())?;
    to.write_all(bytes)?;
    to.flush()
}

/// The next frame; none at the end of the input.
fn read_frame(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 8];
    match from.read_exact(&mut length) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u64::from_le_bytes(length);
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(bytes))
}
