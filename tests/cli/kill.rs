//! `kill -9` of a compile, at any moment: at its path there is nothing, or an artifact that is complete, and
//! neither files nor processes stay behind.

use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use tilewright::runtime::{Artifact, WeightChecks, manifest::SectionId};

use crate::{
    folder::Folder,
    program::{bytes, command, done, folder},
};

/// Longest wait for a process that has to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A compile in a process group of its own, which its workers and its linker join.
struct Compile {
    child: Child,
    /// Disconnected when the compile has ended.
    end: Receiver<()>,
}

impl Compile {
    /// Starts a compile whose temporary files, if it made any, would be in `temporary`.
    fn start(folder: &Folder, line: &str) -> Self {
        let mut child = command(&folder.0, line)
            .env("TMPDIR", folder.0.join("temporary"))
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut output = child.stdout.take().unwrap();
        let (alive, end) = mpsc::channel();
        thread::spawn(move || {
            let _alive = alive;
            io::copy(&mut output, &mut io::sink())
        });
        Self { child, end }
    }

    /// Waits for the end of the compile, but not longer; whether it came. The moment of a kill is a time: there is
    /// no event to wait for that would not favour some moments.
    fn ends_within(&self, time: Duration) -> bool {
        self.end.recv_timeout(time) == Err(RecvTimeoutError::Disconnected)
    }

    /// Kills the compile, and fails if one of its processes outlives it for long.
    fn kill(mut self) {
        let group = self.child.id();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let start = Instant::now();
        while !members(group).is_empty() {
            assert!(start.elapsed() < PATIENCE, "{:?} live on", members(group));
            thread::yield_now();
        }
    }
}

/// Processes of a group that have not ended; `/proc/PID/stat` has the state and the group behind the name, which
/// stands in parentheses: proc_pid_stat(5).
fn members(group: u32) -> Vec<u32> {
    let is_member = |id: &u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let mut fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let [state, _parent, its_group] = std::array::from_fn(|_| fields.next().unwrap_or("Z"));
        state != "Z" && its_group == group.to_string()
    };
    let names = fs::read_dir("/proc").unwrap();
    let ids = names.filter_map(|e| e.unwrap().file_name().to_str()?.parse().ok());
    ids.filter(is_member).collect()
}

/// Whether the artifact opens and every checksum matches.
fn is_complete(path: &Path) -> bool {
    let artifact = Artifact::open(path, WeightChecks::BeforeUse).unwrap();
    let count = artifact.sections().len() as u32;
    (0..count).all(|i| artifact.section(SectionId(i)).is_ok())
}

/// Names in a folder, hidden ones too.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Pseudo-random numbers in 0..1 (splitmix64: Steele, Lea and Flood 2014).
fn random(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// A folder with an empty `temporary`, an empty `out`, an older artifact `old.tw`, and what the compile makes as
/// `whole.tw`; and how long that takes.
fn prepared(line: &str) -> (Folder, Duration) {
    let folder = folder("kill");
    fs::create_dir(folder.0.join("temporary")).unwrap();
    fs::create_dir(folder.0.join("out")).unwrap();
    let old = "compile bert --target cpu --shape batch=1,seq=2 -o old.tw";
    done(&folder, old);
    let line = line.replace("out/m.tw", "whole.tw");
    let measure = || {
        let start = Instant::now();
        done(&folder, &line);
        start.elapsed()
    };
    let time = measure().min(measure());
    assert!(is_complete(&folder.0.join("old.tw")) && is_complete(&folder.0.join("whole.tw")));
    (folder, time)
}

/// Fails unless `out` holds an artifact of the compile, or what was there before, and there is nothing else.
fn check(folder: &Folder, old: Option<&[u8]>, whole: &[u8]) {
    let path = folder.0.join("out/m.tw");
    let found = path.exists().then(|| bytes(folder, "out/m.tw"));
    let replaced = found.as_deref() == Some(whole);
    assert!(replaced || found.as_deref() == old, "neither old nor new");
    assert!(found.is_none() || is_complete(&path));
    let wanted = found.map(|_| "m.tw".to_owned()).into_iter().collect();
    assert_eq!(names(&folder.0.join("out")), wanted);
    assert_eq!(names(&folder.0.join("temporary")), BTreeSet::new());
}

/// Kills `moments` compiles, one in each part of the time that a whole one takes, and a little more; every other one
/// is to replace an older artifact.
fn kill_at_random(line: &str, moments: u32, mut seed: u64) {
    let (folder, time) = prepared(line);
    let mut time = time.mul_f64(1.1);
    let [old, whole] = ["old.tw", "whole.tw"].map(|name| bytes(&folder, name));
    let out = folder.0.join("out/m.tw");
    let before = names(&folder.0);
    let mut ended = 0;
    for i in 0..moments {
        let older = (i % 2 == 1).then_some(old.as_slice());
        match older {
            Some(bytes) => fs::write(&out, bytes).unwrap(),
            None if out.exists() => fs::remove_file(&out).unwrap(),
            None => {}
        }
        let moment = time.mul_f64((f64::from(i) + random(&mut seed)) / f64::from(moments));
        let start = Instant::now();
        let compile = Compile::start(&folder, line);
        if compile.ends_within(moment) {
            ended += 1;
            // It is faster than when it was measured.
            time = time.min(start.elapsed());
        }
        compile.kill();
        check(&folder, older, &whole);
    }
    assert_eq!(names(&folder.0), before);
    println!("{moments} kills in {time:?}, {ended} after the end");
    assert!(ended < moments, "nothing was killed");
}

#[test]
fn a_killed_compile_leaves_all_or_nothing() {
    let line = "compile llama_base --target cpu --shape batch=1,seq=16 -o out/m.tw";
    kill_at_random(line, 14, 1);
}

#[test]
fn a_killed_compile_of_large_weights_leaves_all_or_nothing() {
    let line = "compile minilm --target cpu --shape batch=1,seq=128 -o out/m.tw";
    kill_at_random(line, 6, 2);
}

#[test]
fn workers_end_with_their_compile() {
    let line = "compile llama_base --target cpu --shape batch=1,seq=16 -o out/m.tw";
    let (folder, _) = prepared(line);
    let whole = bytes(&folder, "whole.tw");
    let compile = Compile::start(&folder, line);
    let start = Instant::now();
    while members(compile.child.id()).len() < 2 {
        let ended = compile.ends_within(Duration::ZERO) || start.elapsed() > PATIENCE;
        assert!(!ended, "the compile had no worker");
    }
    compile.kill();
    check(&folder, None, &whole);
}
