//! Runs allocate nothing.

#![allow(unsafe_code, reason = "an allocator that counts is an allocator")]

mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ir::DType;
use support::*;
use tempfile::tempdir;
use tilewright_runtime::{Artifact, Model, Options, TensorView, WeightChecks};

static CALLS: AtomicU64 = AtomicU64::new(0);

struct Counting;

// SAFETY: every call is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        CALLS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// The only test of this binary: others would allocate meanwhile.
#[test]
fn runs_allocate_nothing() {
    let folder = tempdir().unwrap();
    let artifact =
        Artifact::open(&artifact(folder.path(), &[64]), WeightChecks::BeforeUse).unwrap();
    let model = Model::load(Arc::new(artifact)).unwrap();
    let ids = i64s(&[3; 64]);
    for threads in [1, 3] {
        let options = Options {
            threads: NonZeroUsize::new(threads),
            profile: true,
        };
        let mut x = model.executor(0, &options).unwrap();
        let view = TensorView {
            dtype: DType::I64,
            shape: &[1, 64],
            bytes: &ids,
        };
        let mut go = || {
            x.set_input("ids", view).unwrap();
            x.run().unwrap();
            x.output("z").unwrap().bytes[0]
        };
        // Threads allocate while they start, which the first runs may overlap.
        for _ in 0..200 {
            go();
        }
        let before = CALLS.load(Ordering::SeqCst);
        for _ in 0..200 {
            go();
        }
        assert_eq!(CALLS.load(Ordering::SeqCst), before);
    }
}
