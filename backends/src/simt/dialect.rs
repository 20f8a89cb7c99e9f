//! What one vendor's devices add to MLIR: numbers of lanes and blocks, meeting points, copies, matrix
//! instructions, and what becomes of LLVM's output.

use ir::lane::{MatrixInstr, Program, Swizzle, WarpgroupInstr};

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

    /// Attributes of an argument that is a tensor map.
    fn map_argument(&self) -> &'static str {
        unreachable!("devices without tensor copies have no such arguments")
    }

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
    /// themselves, as on most devices.
    fn copy(&self, _: &mut Text, _: Value, _: Value, _: usize, _: Option<Value>) -> bool {
        false
    }

    /// Closes a group of copies.
    fn commit(&self, _: &mut Text) {}

    /// Waits for all but the last `pending` groups.
    fn wait(&self, _: &mut Text, _: u32) {}

    /// The words of so many 8 x 8 matrices; none if a warp cannot read them, as on most devices.
    fn load_matrix(&self, _: &mut Text, _: Value, _: u32, _: bool) -> Option<Vec<Value>> {
        None
    }

    /// The registers of `c + a b`, for an instruction that has a word; none if it is not known.
    fn matrix(
        &self,
        text: &mut Text,
        instr: &MatrixInstr,
        operands: [&Held; 3],
    ) -> Option<Vec<Part>>;

    /// Whether an instruction depends on nothing but its operands, so that LLVM may move it.
    fn may_move(&self, instr: &MatrixInstr) -> bool;

    /// What the device has beside, if it has tensor copies, mbarriers and warpgroups.
    fn warpgroups(&self) -> Option<&dyn Warpgroups> {
        None
    }

    /// `e^x` of an f32 by the device's own function, of few instructions: within `2 + 1.2 |x|` units in the last place, what is
    /// less than the least normal number as 0. None if the device has no such.
    fn short_exp(&self, _: &mut Text, _: Value) -> Option<Value> {
        None
    }

    /// Keeps instructions before and after on their side, where LLVM's scheduler is the last one.
    fn part(&self, text: &mut Text);

    /// The module as LLVM is to have it, from the one that the builder wrote.
    fn adapted(&self, _: &Program, module: String) -> Result<String, Unsupported> {
        Ok(module)
    }

    /// Machine code and facts from LLVM's output.
    fn finish(&self, program: &Program, output: Vec<u8>) -> Result<Code, Failure>;
}

/// An operand of a warpgroup's product in shared memory.
pub(crate) struct Tile {
    /// A sixteenth of the address of its first element.
    pub start: Value,
    pub along_depth: bool,
    pub swizzle: Swizzle,
    /// Bytes from eight lines to the next eight.
    pub next_lines: u32,
    /// Bytes from where a line of the swizzle ends to where it goes on.
    pub next_chunk: u32,
}

/// The left operand of a warpgroup's product.
pub(crate) enum Left {
    /// In registers, as words.
    Held(Vec<Value>),
    Shared(Tile),
}

/// Tensor copies, mbarriers, products of warpgroups. Addresses in shared memory are words.
pub(crate) trait Warpgroups {
    /// A word that all lanes of a warp hold alike, said so that the assembler knows.
    fn uniform(&self, text: &mut Text, word: Value) -> Value;

    /// Begins the counting of an mbarrier.
    fn start(&self, text: &mut Text, signal: Value, arrivals: u32);

    /// Lets copies see the mbarriers that this lane has started.
    fn started(&self, text: &mut Text);

    /// Says that a tensor map will be used.
    fn prefetch(&self, text: &mut Text, map: Value);

    /// Starts the copy of a box from these places.
    fn copy_box(&self, text: &mut Text, to: Value, map: Value, from: &[Value], signal: Value);

    /// Arrives, and expects bytes.
    fn expect(&self, text: &mut Text, signal: Value, bytes: u32);

    /// Arrives.
    fn arrive(&self, text: &mut Text, signal: Value);

    /// Waits for the end of a phase.
    fn await_phase(&self, text: &mut Text, signal: Value, parity: Value);

    /// Orders the uses of registers before products that begin later; gives those that these may change.
    fn fence(&self, text: &mut Text, held: &[Value]) -> Vec<Value>;

    /// Starts a product; without `c`, its result is assigned, not added to. None if it is not known.
    fn product(
        &self,
        text: &mut Text,
        instr: &WarpgroupInstr,
        a: &Left,
        b: &Tile,
        c: Option<&[Value]>,
    ) -> Option<Vec<Value>>;

    /// Closes a group of products.
    fn commit(&self, text: &mut Text);

    /// Waits for all but the last groups, whose ends change what is held.
    fn wait(&self, text: &mut Text, pending: u32, held: &[Value]) -> Vec<Value>;

    /// Takes or gives registers.
    fn registers(&self, text: &mut Text, count: u32, more: bool);
}
