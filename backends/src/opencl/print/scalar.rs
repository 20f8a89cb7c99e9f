//! Constants, conversions and functions of one, two or three registers.

use half::{bf16, f16};
use ir::{BinaryFn, DType, UnaryFn};

use super::{Dialect, Printer, Unsupported, helper::Helper, index::integer};

/// A number as a literal of a register.
pub(super) fn constant(dtype: DType, value: f64, dialect: Dialect) -> String {
    match dtype {
        DType::F32 => float(value as f32),
        DType::F16 | DType::Bf16 => float(ir::round_to(dtype, value) as f32),
        DType::I8 => integer((value as i64 as i8).into(), ""),
        DType::U8 => integer((value as i64 as u8).into(), ""),
        DType::I32 => integer((value as i64 as i32).into(), ""),
        DType::I64 => integer(value as i64, dialect.long_suffix()),
        DType::Bool => integer((value != 0.0).into(), ""),
    }
}

/// A number as it stands in memory.
pub(super) fn stored_constant(dtype: DType, value: f64, dialect: Dialect) -> String {
    match dtype {
        DType::F16 => format!("{:#x}", f16::from_f64(ir::round_to(dtype, value)).to_bits()),
        DType::Bf16 => format!(
            "{:#x}",
            bf16::from_f64(ir::round_to(dtype, value)).to_bits()
        ),
        _ => constant(dtype, value, dialect),
    }
}

fn float(x: f32) -> String {
    match x {
        x if x.is_nan() => "NAN".into(),
        f32::INFINITY => "INFINITY".into(),
        f32::NEG_INFINITY => "(-INFINITY)".into(),
        x if x.is_sign_negative() => format!("({x:?}f)"),
        x => format!("{x:?}f"),
    }
}

impl Printer<'_> {
    /// Rounds the result of an operation to an element type.
    fn rounded(&mut self, dtype: DType, text: String) -> String {
        match dtype {
            DType::F16 => self.call(Helper::RoundF16, "tw_f16", &[&text]),
            DType::Bf16 => self.call(Helper::RoundBf16, "tw_bf16", &[&text]),
            // Narrow integers were widened to compute with.
            DType::I8 | DType::U8 => {
                format!("({})({text})", self.dialect.register(dtype))
            }
            _ => text,
        }
    }

    pub(super) fn call(&mut self, helper: Helper, name: &str, arguments: &[&str]) -> String {
        self.helpers.insert(helper);
        format!("{name}({})", arguments.join(", "))
    }

    pub(super) fn unary(
        &mut self,
        f: UnaryFn,
        dtype: DType,
        x: &str,
    ) -> Result<String, Unsupported> {
        let whole = !dtype.is_float();
        let builtin = |name: &str| format!("{name}({x})");
        let text = match f {
            UnaryFn::Neg => format!("-{x}"),
            UnaryFn::Abs if whole => format!("({x} < 0 ? -{x} : {x})"),
            UnaryFn::Abs => builtin("fabs"),
            UnaryFn::Exp => builtin("exp"),
            UnaryFn::Log => builtin("log"),
            UnaryFn::Sqrt => builtin("sqrt"),
            UnaryFn::Rsqrt => format!("1.0f / sqrt({x})"),
            UnaryFn::Recip => format!("1.0f / {x}"),
            UnaryFn::Tanh => builtin("tanh"),
            UnaryFn::Erf => builtin("erf"),
            UnaryFn::Sin => builtin("sin"),
            UnaryFn::Cos => builtin("cos"),
            UnaryFn::Floor => builtin("floor"),
            UnaryFn::Ceil => builtin("ceil"),
            UnaryFn::Round => builtin("rint"),
            UnaryFn::Not => return Ok(format!("{x} == 0")),
            _ => return Err(Unsupported::Unary(f)),
        };
        Ok(self.rounded(dtype, text))
    }

    pub(super) fn binary(&mut self, f: BinaryFn, dtype: DType, a: &str, b: &str) -> String {
        let whole = !dtype.is_float();
        let infix = |op: &str| format!("{a} {op} {b}");
        let text = match f {
            BinaryFn::Add => infix("+"),
            BinaryFn::Sub => infix("-"),
            BinaryFn::Mul => infix("*"),
            BinaryFn::Div => infix("/"),
            // A NaN on the left is kept; one on the right fails the comparison and is taken.
            BinaryFn::Max if !whole => format!("({a} > {b} || {a} != {a}) ? {a} : {b}"),
            BinaryFn::Min if !whole => format!("({a} < {b} || {a} != {a}) ? {a} : {b}"),
            BinaryFn::Max => format!("{a} > {b} ? {a} : {b}"),
            BinaryFn::Min => format!("{a} < {b} ? {a} : {b}"),
            BinaryFn::Pow => format!("pow({a}, {b})"),
            BinaryFn::FloorDiv if whole => self.call(Helper::IntDiv, "tw_int_div", &[a, b]),
            BinaryFn::FloorDiv => self.call(Helper::FloorDiv, "tw_floor_div", &[a, b]),
            BinaryFn::Mod if whole => {
                let quotient = self.call(Helper::IntDiv, "tw_int_div", &[a, b]);
                format!("{a} - {quotient} * {b}")
            }
            BinaryFn::Mod => self.call(Helper::Mod, "tw_mod", &[a, b]),
            BinaryFn::Eq => return infix("=="),
            BinaryFn::Ne => return infix("!="),
            BinaryFn::Lt => return infix("<"),
            BinaryFn::Le => return infix("<="),
            BinaryFn::Gt => return infix(">"),
            BinaryFn::Ge => return infix(">="),
            BinaryFn::And => return format!("{a} != 0 && {b} != 0"),
            BinaryFn::Or => return format!("{a} != 0 || {b} != 0"),
        };
        self.rounded(dtype, text)
    }

    pub(super) fn fma(&mut self, dtype: DType, [a, b, c]: [&str; 3]) -> String {
        let text = match dtype.is_float() {
            true => format!("fma({a}, {b}, {c})"),
            false => format!("{a} * {b} + {c}"),
        };
        self.rounded(dtype, text)
    }

    /// Floats become integers as 64-bit ones, which are then cut: so the reference does.
    pub(super) fn cast(&mut self, from: DType, to: DType, x: &str) -> String {
        let ty = self.dialect.register(to);
        match (from.is_float(), to) {
            _ if from == to => x.into(),
            (_, DType::Bool) => format!("{x} != 0"),
            (true, DType::F32) => x.into(),
            (true, DType::F16 | DType::Bf16) => self.rounded(to, x.into()),
            (false, DType::F32 | DType::F16 | DType::Bf16) => {
                self.rounded(to, format!("(float){x}"))
            }
            (true, _) => {
                let whole = self.call(Helper::Long, "tw_long", &[x]);
                format!("({ty}){whole}")
            }
            (false, _) => format!("({ty}){x}"),
        }
    }
}
