//! Ascend C: a tile program as text for the vendor's C++ compiler, with buffers, queues and flags of its own.
//!
//! The second form beside MLIR, for tuning by hand and for devices that the MLIR compiler does not know. Names and meanings are
//! noted from public documentation; nothing of CANN is part of this crate. `emulate.h` runs the text on a CPU.

mod access;
mod arena;
mod cube;
mod functions;
mod products;
mod split;
mod text;
mod values;
mod vector;

use ir::{
    Bytes, DType, Target, TensorCore,
    tile::{self, Place, Program, Shape},
};

use super::{AscendError, Memory, Need, live::without_copies};
use split::split;
use text::Text;
use vector::Vector;

/// What starts and lengths on the chip are multiples of.
const ALIGN: u64 = 32;

/// Tiles from memory, or on their way to it, that may exist at a time: the hardware has so many events.
const QUEUED: usize = 8;

/// The headers of the emulation by name, the first to be included.
pub const EMULATION: [(&str, &str); 4] = [
    ("emulate.h", include_str!("emulate.h")),
    ("emulate_tensor.h", include_str!("emulate_tensor.h")),
    ("emulate_vector.h", include_str!("emulate_vector.h")),
    ("emulate_cube.h", include_str!("emulate_cube.h")),
];

/// A kernel in Ascend C.
#[derive(Clone, Debug)]
pub struct Source {
    /// A file.
    pub text: String,
    /// Whether it uses the cube, with two vector cores beside it.
    pub cube: bool,
    /// What it holds of the vector unit's buffer.
    pub vector: Bytes,
    /// Global memory through which its units pass sums: the last argument, if it is not 0.
    pub workspace: Bytes,
}

/// Prints a program.
///
/// # Errors
/// The program has a fault, the target is of another form, its tiles do not fit, or a step has no text.
pub fn print(program: &Program, target: &Target) -> Result<Source, AscendError> {
    let core = target.tensor().ok_or_else(|| AscendError::Form {
        program: program.name.clone(),
        target: target.name.clone(),
    })?;
    let types = tile::types(program).map_err(Box::new)?;
    let unsupported = |(place, what): (Place, String)| AscendError::Unsupported {
        program: program.name.clone(),
        place,
        what,
        form: "form in Ascend C",
    };
    if !program.locals.is_empty() {
        let fault = (Place::default(), "an array of a block's own".into());
        return Err(unsupported(fault));
    }
    let body = without_copies(&program.body, &types);
    let split = match stands_apart(core) {
        true => split(program, &body, &types).map_err(unsupported)?,
        // How the cube's sums come to a vector unit of the same core is not known here.
        false => None,
    };
    let mut text = Text::default();
    let (cube, used) = match &split {
        None => {
            let plain = Program {
                body,
                ..program.clone()
            };
            let used = Vector::print(&plain, &types, None, &mut text).map_err(unsupported)?;
            (None, used)
        }
        Some(split) => {
            for (memory, found, limit) in cube::needs(&split.product, core) {
                fits(program, memory, found, limit)?;
            }
            let printed = cube::print(program, &split.product, core).map_err(unsupported)?;
            let mut halved = types.clone();
            let rows = split.product.shape.rows;
            if split.half.is_some() {
                let tiles = halved.values_mut().map(|(_, shape)| shape);
                tiles.filter(|s| s.rows == rows).for_each(|s| s.rows /= 2);
            }
            let used =
                Vector::print(&split.rest, &halved, split.half, &mut text).map_err(unsupported)?;
            let cube = Cube {
                text: printed,
                workspace: split.rest.params.last().expect("the workspace").len,
                halved: split.half.is_some(),
            };
            (Some(cube), used)
        }
    };
    fits(program, Memory::Ub, used, core.vector.size)?;
    let vector = Bytes(used);
    let text = file(program, core, cube.as_ref(), &text.finish(), vector);
    let workspace = cube.as_ref().map_or(0, |c| c.workspace.unsigned_abs());
    Ok(Source {
        text,
        cube: cube.is_some(),
        vector,
        workspace: Bytes(workspace * DType::F32.size() as u64),
    })
}

/// The part of a kernel that multiplies.
struct Cube {
    text: String,
    /// Elements of the workspace.
    workspace: i64,
    /// Whether both vector cores of a block work.
    halved: bool,
}

fn fits(program: &Program, memory: Memory, found: u64, limit: Bytes) -> Result<(), AscendError> {
    if found <= limit.0 {
        return Ok(());
    }
    let need = Need {
        memory,
        bytes: Bytes(found),
        limit,
        place: Place::default(),
        live: vec![],
    };
    Err(AscendError::DoesNotFit {
        program: program.name.clone(),
        need: Box::new(need),
    })
}

/// Whether a device's cube and vector units are cores of their own: then they are counted apart.
pub(super) fn stands_apart(core: &TensorCore) -> bool {
    core.vector_cores != core.cube_cores
}

/// The compiler's name for the architecture.
fn architecture(core: &TensorCore) -> &'static str {
    match stands_apart(core) {
        true => "dav-2201",
        false => "dav-2002",
    }
}

/// Integers of every kernel.
const INSIDE: &str = "\
// How many elements of a side lie below a limit.
__aicore__ inline int64_t Inside(int64_t limit, int64_t by, int64_t most) {
  const int64_t count = limit > 0 ? (limit + by - 1) / by : 0;
  return count < most ? count : most;
}
__aicore__ inline int64_t Least(int64_t a, int64_t b) { return a < b ? a : b; }
__aicore__ inline int64_t Most(int64_t a, int64_t b) { return a > b ? a : b; }
";

fn file(
    program: &Program,
    core: &TensorCore,
    cube: Option<&Cube>,
    vector: &str,
    used: Bytes,
) -> String {
    let name = &program.name;
    let (blocks, device) = (program.blocks(), &core.device);
    let kind = if cube.is_some() {
        "__mix__(1, 2)"
    } else {
        "__vector__"
    };
    let mut text = format!(
        "// {name} for {device}: {blocks} blocks; {} of {} bytes of UB\n\
         // bisheng -xasc --npu-arch={} -O2 -std=c++17 -fPIC --shared {name}.cpp -o lib{name}.so\n\
         // not seen: what the vendor's compiler makes of it, a device, a time\n\
         #ifdef TILEWRIGHT_EMULATE\n#include \"emulate.h\"\n#else\n#include \"kernel_operator.h\"\n#endif\n\
         using namespace AscendC;\n\n{INSIDE}\n",
        used.0,
        core.vector.size.0,
        architecture(core)
    );
    let mut arguments: Vec<String> = (0..program.params.len())
        .map(|i| format!("GM_ADDR p{i}"))
        .collect();
    if cube.is_some() {
        arguments.push("GM_ADDR workspace".into());
    }
    text += &format!(
        "extern \"C\" __global__ {kind} void {name}({}) {{\n",
        arguments.join(", ")
    );
    for (i, array) in program.params.iter().enumerate() {
        text += &global(&format!("g{i}"), array.dtype, &format!("p{i}"), array.len);
    }
    if let Some(cube) = cube {
        // Vector cores count two for each block. The words bring their own parentheses.
        text += "  int64_t block = GetBlockIdx();\n  if ASCEND_IS_AIV {\n    block /= 2;\n  }\n";
        text += &places(program);
        let own = format!("g{}", program.params.len());
        text += &global(&own, DType::F32, "workspace", cube.workspace);
        text += &format!("  if ASCEND_IS_AIC {{\n{}  }}\n", cube.text);
        text += "  if ASCEND_IS_AIV {\n    const int64_t part = GetSubBlockIdx();\n    CrossCoreWaitFlag(0);\n";
        if !cube.halved {
            text += "    if (part > 0) {\n      return;\n    }\n";
        }
        return text + vector + "  }\n}\n";
    }
    text += "  const int64_t block = GetBlockIdx();\n";
    text += &places(program);
    text + vector + "}\n"
}

fn global(name: &str, dtype: DType, address: &str, len: i64) -> String {
    let ty = ctype(dtype);
    format!(
        "  GlobalTensor<{ty}> {name};\n  \
         {name}.SetGlobalBuffer(reinterpret_cast<__gm__ {ty} *>({address}), {len});\n"
    )
}

/// The block's place on each axis of the grid; the last counts fastest.
fn places(program: &Program) -> String {
    let mut stride = program.blocks();
    let mut text = String::new();
    for (i, size) in program.grid.iter().enumerate() {
        stride /= size;
        text += &format!("  [[maybe_unused]] const int64_t c{i} = block / {stride} % {size};\n");
    }
    text
}

/// The C++ type of an element in memory.
const fn ctype(dtype: DType) -> &'static str {
    match dtype {
        DType::F32 => "float",
        DType::F16 => "half",
        DType::Bf16 => "bfloat16_t",
        DType::I64 => "int64_t",
        DType::I32 => "int32_t",
        DType::I8 => "int8_t",
        DType::U8 | DType::Bool => "uint8_t",
    }
}

/// Elements between two rows of a tile: the same for every element type, so that whole tiles are computed at once.
fn pitch(shape: Shape) -> u64 {
    match shape.lanes {
        1 => 1,
        lanes => u64::from(lanes).next_multiple_of(16),
    }
}

/// Elements of a tile with its padding: whole repeats of f32.
fn count(shape: Shape) -> u64 {
    (u64::from(shape.rows) * pitch(shape)).next_multiple_of(64)
}
