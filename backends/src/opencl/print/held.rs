//! Sums of products, kept near their operands.
//!
//! LLVM moves what only a guarded store wants to where the guard holds, and loads all operands before many multiply-adds: so
//! f32 contractions and attention for gfx906 took all registers and up to 2 KB of scratch a lane (clang 22, 2026-11-25).
//! Empty assembly holds a sum where it is computed, and multiply-adds are scheduled some at a time. Compilers for
//! other machines see nothing of it.

use std::collections::BTreeSet;

use ir::{
    lane::{Stmt, Value},
    tile::Var,
};

use super::Printer;

/// Multiply-adds that are scheduled together, as in `simt::emit`.
const TOGETHER: usize = 128;

/// What the text brings along for it.
const MACROS: &str = "\
#ifdef __AMDGCN__
#define TW_HOLD(x) __asm__ volatile(\"\" : \"+v\"(x));
#define TW_PART __builtin_amdgcn_sched_barrier(0);
#else
#define TW_HOLD(x)
#define TW_PART
#endif
";

/// What is known of sums.
#[derive(Default)]
pub(super) struct Held {
    /// Sums that another matrix instruction adds to.
    continued: BTreeSet<Var>,
    /// Multiply-adds since they were last parted.
    together: usize,
    used: bool,
}

impl Held {
    pub fn of(body: &[Stmt]) -> Self {
        let mut held = Self::default();
        held.add(body);
        held
    }

    fn add(&mut self, body: &[Stmt]) {
        for stmt in body {
            match stmt {
                Stmt::Let(_, Value::Matrix { c, .. }) => {
                    self.continued.insert(*c);
                }
                Stmt::For(each) => self.add(&each.body),
                Stmt::When { body, .. } => self.add(body),
                _ => {}
            }
        }
    }

    /// The macros, if a line uses them.
    pub fn macros(&self) -> &'static str {
        if self.used { MACROS } else { "" }
    }
}

impl Printer<'_> {
    /// Whether a sum stays where it is computed: one that nothing adds to.
    pub(super) fn stays(&self, var: Var) -> bool {
        !self.held.continued.contains(&var)
    }

    /// Says so of the registers of a sum, after their lines.
    pub(super) fn hold(&mut self, var: Var, names: &[String]) {
        if self.stays(var) {
            for four in names.chunks(4) {
                let each: Vec<String> = four.iter().map(|n| format!("TW_HOLD({n})")).collect();
                self.line(&each.join(" "));
            }
            self.held.used = true;
        }
        self.held.together += names.len();
        if self.held.together >= TOGETHER {
            self.line("TW_PART");
            self.held.together = 0;
            self.held.used = true;
        }
    }
}
