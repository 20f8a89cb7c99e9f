//! What one vendor's devices add to MLIR: numbers of lanes and blocks, meeting points, copies, matrix
//! instructions, and what becomes of LLVM's output.

use ir::lane::{MatrixInstr, Program};

use super::{
    Code,
    emit::held::{Held, Part},
};
use crate::{
    failure::{Failure, Unsupported},
    mlir::{
        Machine,
        text::{Text, Value},
    },
};

pub(crate) trait Dialect {
    /// What makes the code, for records.
    fn toolchain(&self) -> &'static str;

    /// Whom LLVM makes code for.
    fn machine(&self) -> Machine<'_>;

    /// What a module says besides its functions.
    fn module(&self) -> &'static str;

    /// Attributes of a kernel's function, for blocks of so many lanes.
    fn kernel(&self, threads: u32) -> String;

    /// Most bytes of shared memory that a kernel states itself; more is asked for when it is launched.
    fn stated_shared(&self) -> usize;

    /// Most blocks of so many lanes.
    fn blocks(&self, threads: u32) -> u64;

    /// Whether accumulators of matrix instructions live in vectors rather than single registers.
    fn wide_accumulators(&self) -> bool;

    /// The letter of a register of 32 bits in inline assembly.
    fn word_register(&self) -> char;

    /// The number of the lane in its block.
    fn thread(&self, text: &mut Text) -> Value;

    /// The number of the block.
    fn block(&self, text: &mut Text) -> Value;

    /// A word that is the same in all lanes of a warp, so marked.
    fn uniform(&self, text: &mut Text, word: Value) -> Value;

    /// All lanes of the block meet.
    fn barrier(&self, text: &mut Text);

    /// The word of the lane whose number differs in these bits; `lane` is its own.
    fn shuffle(&self, text: &mut Text, word: Value, lane: Value, bits: u32) -> Value;

    /// Starts a copy of `bytes` bytes of which `kept` are read and the others 0; false if copies do not end by
    /// themselves.
    fn copy(
        &self,
        text: &mut Text,
        to: Value,
        from: Value,
        bytes: usize,
        kept: Option<Value>,
    ) -> bool;

    /// Closes a group of copies.
    fn commit(&self, text: &mut Text);

    /// Waits for all but the last `pending` groups.
    fn wait(&self, text: &mut Text, pending: u32);

    /// The words of so many 8 x 8 matrices; none if a warp cannot read them.
    fn load_matrix(
        &self,
        text: &mut Text,
        from: Value,
        count: u32,
        transposed: bool,
    ) -> Option<Vec<Value>>;

    /// The registers of `c + a b`, for an instruction that has a word; none if it is not known.
    fn matrix(
        &self,
        text: &mut Text,
        instr: &MatrixInstr,
        operands: [&Held; 3],
    ) -> Option<Vec<Part>>;

    /// Whether an instruction depends on nothing but its operands, so that LLVM may move it.
    fn may_move(&self, instr: &MatrixInstr) -> bool;

    /// Keeps instructions before and after on their side, where LLVM's scheduler is the last one.
    fn part(&self, text: &mut Text);

    /// The module as LLVM is to have it, from the one that the builder wrote.
    fn adapted(&self, _: &Program, module: String) -> Result<String, Unsupported> {
        Ok(module)
    }

    /// Machine code and facts from LLVM's output.
    fn finish(&self, program: &Program, output: Vec<u8>) -> Result<Code, Failure>;
}
