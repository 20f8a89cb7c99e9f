//! Matrix instructions: multiply-adds of a lane's own registers, or a macro with a body for each kind of device.

use std::fmt::Write;

use ir::{
    lane::{Layout, MatrixInstr, Spelling},
    tile::Var,
};

use super::{Dialect, Printer, Registers, Unsupported, dialect::Space, index, memory::components};
use crate::opencl::mmac::{self, Mmac};

impl Printer<'_> {
    pub(super) fn matrix(
        &mut self,
        var: Var,
        position: u32,
        [a, b, c]: [Var; 3],
    ) -> Result<(), Unsupported> {
        let instr = &self.program.matrix[position as usize];
        let operands = [a, b, c].map(|v| self.registers[&v].names.clone());
        let dtype = instr.accumulator;
        match &instr.spelling {
            Spelling::Outer => {
                let pairs = instr
                    .own_registers()
                    .ok_or_else(|| Unsupported::Layout(instr.name.clone()))?;
                let [a, b, c] = operands;
                let terms = pairs.iter().zip(&c);
                let values: Vec<String> = terms
                    .map(|((i, j), c)| self.fma(dtype, [&a[*i as usize], &b[*j as usize], c]))
                    .collect();
                let kind = if self.stays(var) { "" } else { "const " };
                let (name, ty) = (self.name(var), self.dialect.register(dtype));
                let names: Vec<String> = (0..values.len()).map(|i| format!("{name}_{i}")).collect();
                for (name, value) in names.iter().zip(values) {
                    self.line(&format!("{kind}{ty} {name} = {value};"));
                }
                self.hold(var, &names);
                self.registers.insert(var, Registers { dtype, names });
            }
            Spelling::Word(word) => {
                if self.divergent {
                    return Err(Unsupported::Divergent(instr.name.clone()));
                }
                let Some(mmac) = mmac::find(word) else {
                    return Err(Unsupported::Word(word.clone()));
                };
                for layout in [&instr.a, &instr.b, &instr.c] {
                    for scalar in mmac.operand.scalars() {
                        self.vector(scalar, layout.width());
                    }
                }
                let [a, b, c] = operands.map(|names| {
                    let vector = self.dialect.make("float", &names);
                    match self.dialect {
                        Dialect::OpenCl => vector,
                        // A macro would take the commas between braces for its own.
                        Dialect::Hip => format!("({vector})"),
                    }
                });
                let (name, width) = (self.name(var), instr.c.width());
                let ty = self.vector("float", width);
                self.line(&format!("{ty} {name};"));
                self.line(&format!("{}({name}, {a}, {b}, {c});", macro_name(word)));
                let names = components(&name, width);
                self.registers.insert(var, Registers { dtype, names });
            }
        }
        Ok(())
    }

    /// The macros of the words that the program uses.
    pub(super) fn macros(&self) -> String {
        let mut all = String::new();
        for instr in &self.program.matrix {
            let Spelling::Word(word) = &instr.spelling else {
                continue;
            };
            if let Some(mmac) = mmac::find(word) {
                all += &self.one_macro(instr, mmac);
            }
        }
        match all.is_empty() {
            true => all,
            false => format!("{}{all}", self.dots()),
        }
    }

    fn one_macro(&self, instr: &MatrixInstr, mmac: &Mmac) -> String {
        let (_, _, k) = instr.sides();
        let name = macro_name(mmac.word);
        let [na, nb, nc] = [&instr.a, &instr.b, &instr.c].map(Layout::width);
        let builtin = mmac.builtin;
        let (x, y) = (
            mmac.operand.text(self.dialect, "a", na),
            mmac.operand.text(self.dialect, "b", nb),
        );
        let function = name.to_lowercase();
        let local = self.dialect.space(Space::Shared);
        let inline = self.dialect.function();
        let [ta, tb, tc] = [na, nb, nc].map(|n| self.dialect.vector("float", n));
        let barrier = self.dialect.barrier();
        let mut body = String::new();
        let put = |body: &mut String,
                   layout: &Layout,
                   vector: &str,
                   at: &dyn Fn(&str, &str) -> String| {
            for (i, part) in (0..).zip(components(vector, layout.width())) {
                let (row, column) = self.rows_and_columns(layout, i);
                writeln!(body, "    t[{}] = {part};", at(&row, &column)).expect("strings grow");
            }
        };
        let start = instr.a.shape().0 * k;
        put(&mut body, &instr.a, "a", &|r, c| {
            format!("({r}) * {k} + {c}")
        });
        put(&mut body, &instr.b, "b", &|r, c| {
            format!("{start} + ({c}) * {k} + {r}")
        });
        writeln!(body, "    {barrier}").expect("strings grow");
        for (i, part) in (0..).zip(components("c", nc)) {
            let (row, column) = self.rows_and_columns(&instr.c, i);
            let operands = format!("t + ({row}) * {k}, t + {start} + ({column}) * {k}");
            writeln!(body, "    {part} = {}({operands}, {k}, {part});", mmac.dot)
                .expect("strings grow");
        }
        format!(
            "#if TW_MATRIX == 2\n#define {name}(d, a, b, c) d = {builtin}({x}, {y}, c)\n#else\n\
             {inline} {tc} {function}({local}TW_STAGE *t, int lane, {ta} a, {tb} b, {tc} c) {{\n    \
             {barrier}\n{body}    return c;\n}}\n\
             #define {name}(d, a, b, c) d = {function}(tw_stage + warp * TW_STAGE_LEN, lane, a, b, c)\n#endif\n"
        )
    }

    /// Chooses the body, and defines the dot products that two of them share.
    fn dots(&self) -> String {
        let (f, local) = (self.dialect.function(), self.dialect.space(Space::Shared));
        let (extension, pair) = match self.dialect {
            Dialect::OpenCl => (
                "#if TW_MATRIX > 0\n#pragma OPENCL EXTENSION cl_khr_fp16 : enable\n#endif\n",
                "(half2)(",
            ),
            Dialect::Hip => (
                "typedef _Float16 tw_pair __attribute__((ext_vector_type(2)));\n\
                 static __device__ inline tw_pair tw_pair_of(float a, float b) { return tw_pair{(_Float16)a, (_Float16)b}; }\n",
                "tw_pair_of(",
            ),
        };
        format!(
            "#ifndef TW_MATRIX\n#define TW_MATRIX 0\n#endif\n{extension}#define TW_STAGE float\n\
             {f} float tw_dot({local}const float *a, {local}const float *b, int k, float c) {{\n    \
             for (int i = 0; i < k; ++i) c = fma(a[i], b[i], c);\n    return c;\n}}\n\
             {f} float tw_dot_f16({local}const float *a, {local}const float *b, int k, float c) {{\n\
             #if TW_MATRIX == 1\n    for (int i = 0; i < k; i += 2)\n        \
             c = __builtin_amdgcn_fdot2({pair}a[i], a[i + 1]), {pair}b[i], b[i + 1]), c, false);\n    return c;\n\
             #else\n    return tw_dot(a, b, k, c);\n#endif\n}}\n"
        )
    }

    fn rows_and_columns(&self, layout: &Layout, register: u32) -> (String, String) {
        let (row, column) = layout.index(register);
        let none = |_: Var| unreachable!("places in a layout depend on lane and warp");
        let text = |i| index::text(i, &self.leaves(), &none, self.dialect).0;
        (text(&row), text(&column))
    }

    /// The memory by which warps hand fragments around, where the device has no such instruction.
    pub(super) fn stage(&mut self) {
        let staged = mmac::staged(self.program);
        if staged > 0 {
            let each = staged / u64::from(self.program.warps);
            self.raw_line(&format!(
                "#if TW_MATRIX != 2\n#define TW_STAGE_LEN {each}\n    {} TW_STAGE tw_stage[{staged}];\n#endif",
                self.dialect.shared()
            ));
        }
    }
}

fn macro_name(word: &str) -> String {
    format!("TW_{}", word.to_uppercase())
}
