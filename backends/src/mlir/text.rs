//! MLIR text, one typed operation at a time.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use half::{bf16, f16};

/// The type of a number in a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Elem {
    F16,
    Bf16,
    F32,
    F64,
    I1,
    I8,
    I16,
    I32,
    I64,
    Pointer,
    /// To memory that all blocks share, on devices that tell it from a block's own.
    GlobalPointer,
    /// To a block's own memory, on such devices.
    SharedPointer,
}

/// The type of a register: a scalar or a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Type {
    pub elem: Elem,
    /// Elements of a vector; none for a scalar.
    pub width: Option<u32>,
}

/// A register, assigned once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Value {
    id: u32,
    /// Which result, of an operation with a list of them.
    part: Option<u32>,
    pub ty: Type,
}

/// A function's text in the making.
#[derive(Default)]
pub(crate) struct Text {
    body: String,
    constants: String,
    known: BTreeMap<(Type, String), Value>,
    next: u32,
}

impl Elem {
    pub const fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::Bf16 | Self::F32 | Self::F64)
    }

    pub const fn bits(self) -> u32 {
        match self {
            Self::I1 => 1,
            Self::I8 => 8,
            Self::F16 | Self::Bf16 | Self::I16 => 16,
            Self::F32 | Self::I32 | Self::SharedPointer => 32,
            Self::F64 | Self::I64 | Self::Pointer | Self::GlobalPointer => 64,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::I1 => "i1",
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::Pointer => "!llvm.ptr",
            Self::GlobalPointer => "!llvm.ptr<1>",
            Self::SharedPointer => "!llvm.ptr<3>",
        }
    }
}

impl Type {
    pub const fn scalar(elem: Elem) -> Self {
        Self { elem, width: None }
    }

    /// As many elements, of another type.
    pub const fn of(self, elem: Elem) -> Self {
        Self {
            elem,
            width: self.width,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.width {
            None => f.write_str(self.elem.name()),
            Some(width) => write!(f, "vector<{width}x{}>", self.elem.name()),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.id)?;
        self.part.map_or(Ok(()), |part| write!(f, "#{part}"))
    }
}

impl Text {
    /// A name for a register that the text of a caller defines.
    pub fn name(&mut self, ty: Type) -> Value {
        let id = self.next;
        self.next += 1;
        Value { id, part: None, ty }
    }

    /// An operation with a list of results.
    pub fn results(&mut self, types: &[Type], operation: fmt::Arguments<'_>) -> Vec<Value> {
        let id = self.next;
        self.next += 1;
        self.line(format_args!("%{id}:{} = {operation}", types.len()));
        let part = |(part, ty): (usize, &Type)| Value {
            id,
            part: Some(part as u32),
            ty: *ty,
        };
        types.iter().enumerate().map(part).collect()
    }

    /// An operation with one result.
    pub fn op(&mut self, ty: Type, operation: fmt::Arguments<'_>) -> Value {
        let value = self.name(ty);
        self.line(format_args!("{value} = {operation}"));
        value
    }

    /// A line as it is.
    pub fn line(&mut self, line: fmt::Arguments<'_>) {
        writeln!(self.body, "{line}").expect("writing to a string does not end");
    }

    /// The finished function: its head, constants, then all lines.
    pub fn function(&self, head: &str) -> String {
        format!("{head} {{\n{}{}}}\n", self.constants, self.body)
    }

    /// The same floating-point number in every element.
    pub fn float(&mut self, ty: Type, value: f64) -> Value {
        let literal = match ty.elem {
            Elem::F64 => format!("0x{:016X}", value.to_bits()),
            Elem::F16 => format!("0x{:04X}", f16::from_f64(value).to_bits()),
            Elem::Bf16 => format!("0x{:04X}", bf16::from_f64(value).to_bits()),
            _ => format!("0x{:08X}", (value as f32).to_bits()),
        };
        self.constant(ty, literal)
    }

    /// The same integer in every element; kept to the type's width.
    pub fn int(&mut self, ty: Type, value: i64) -> Value {
        let kept = match ty.elem {
            Elem::I1 => return self.constant(ty, (value != 0).to_string()),
            Elem::I8 => i64::from(value as i8),
            Elem::I16 => i64::from(value as i16),
            Elem::I32 => i64::from(value as i32),
            _ => value,
        };
        self.constant(ty, kept.to_string())
    }

    /// `0, 1, 2, ..`
    pub fn iota(&mut self, elem: Elem, width: u32) -> Value {
        let ty = Type {
            elem,
            width: Some(width),
        };
        let numbers: Vec<String> = (0..width).map(|n| n.to_string()).collect();
        self.constant(ty, format!("[{}]", numbers.join(",")))
    }

    fn constant(&mut self, ty: Type, literal: String) -> Value {
        if let Some(value) = self.known.get(&(ty, literal.clone())) {
            return *value;
        }
        let value = self.name(ty);
        let attribute = match ty.width {
            None if ty.elem == Elem::I1 => literal.clone(),
            None => format!("{literal} : {ty}"),
            Some(_) => format!("dense<{literal}> : {ty}"),
        };
        writeln!(self.constants, "{value} = arith.constant {attribute}")
            .expect("writing to a string does not end");
        self.known.insert((ty, literal), value);
        value
    }

    /// An operation on two equal types that gives the same type.
    pub fn binary(&mut self, name: &str, a: Value, b: Value) -> Value {
        self.op(a.ty, format_args!("{name} {a}, {b} : {}", a.ty))
    }

    /// An operation of one operand that gives the same type.
    pub fn unary(&mut self, name: &str, a: Value) -> Value {
        self.op(a.ty, format_args!("{name} {a} : {}", a.ty))
    }

    /// One of LLVM's functions of one operand.
    pub fn intrinsic(&mut self, name: &str, a: Value) -> Value {
        self.op(
            a.ty,
            format_args!("llvm.intr.{name}({a}) : ({0}) -> {0}", a.ty),
        )
    }

    /// `a b + c`, rounded once.
    pub fn fma(&mut self, a: Value, b: Value, c: Value) -> Value {
        let ty = c.ty;
        self.op(
            ty,
            format_args!("llvm.intr.fma({a}, {b}, {c}) : ({ty}, {ty}, {ty}) -> {ty}"),
        )
    }

    /// A comparison, by its predicate: `arith.cmpf` or `arith.cmpi`.
    pub fn compare(&mut self, predicate: &str, a: Value, b: Value) -> Value {
        let letter = if a.ty.elem.is_float() { 'f' } else { 'i' };
        self.op(
            a.ty.of(Elem::I1),
            format_args!("arith.cmp{letter} {predicate}, {a}, {b} : {}", a.ty),
        )
    }

    /// `yes` where `condition`, else `no`.
    pub fn select(&mut self, condition: Value, yes: Value, no: Value) -> Value {
        let ty = yes.ty;
        match ty.width {
            None => self.op(
                ty,
                format_args!("arith.select {condition}, {yes}, {no} : {ty}"),
            ),
            Some(_) => self.op(
                ty,
                format_args!(
                    "arith.select {condition}, {yes}, {no} : {}, {ty}",
                    condition.ty
                ),
            ),
        }
    }

    /// A conversion, by the name of its operation, unless the types are the same.
    pub fn convert(&mut self, name: &str, a: Value, to: Type) -> Value {
        match a.ty == to {
            true => a,
            false => self.op(to, format_args!("{name} {a} : {} to {to}", a.ty)),
        }
    }

    /// A scalar in every element of a vector.
    pub fn broadcast(&mut self, a: Value, width: Option<u32>) -> Value {
        let ty = Type {
            elem: a.ty.elem,
            width,
        };
        self.convert("vector.broadcast", a, ty)
    }

    /// Elements picked from `a` followed by `b`.
    pub fn shuffle(&mut self, a: Value, b: Value, picked: &[u32]) -> Value {
        let ty = Type {
            elem: a.ty.elem,
            width: Some(picked.len() as u32),
        };
        self.op(
            ty,
            format_args!("vector.shuffle {a}, {b} {picked:?} : {0}, {0}", a.ty),
        )
    }

    /// One element of a vector.
    pub fn extract(&mut self, a: Value, at: u32) -> Value {
        let ty = Type::scalar(a.ty.elem);
        self.op(
            ty,
            format_args!("vector.extract {a}[{at}] : {ty} from {}", a.ty),
        )
    }

    /// Scalars side by side.
    pub fn gather(&mut self, scalars: &[Value]) -> Value {
        let ty = Type {
            elem: scalars[0].ty.elem,
            width: Some(scalars.len() as u32),
        };
        let list: Vec<String> = scalars.iter().map(Value::to_string).collect();
        self.op(
            ty,
            format_args!("vector.from_elements {} : {ty}", list.join(", ")),
        )
    }

    /// A call of one of LLVM's target intrinsics with one result.
    pub fn call(&mut self, ty: Type, name: &str, operands: &[Value]) -> Value {
        let (values, types) = listed(operands);
        self.op(
            ty,
            format_args!("llvm.call_intrinsic \"{name}\"({values}) : ({types}) -> {ty}"),
        )
    }

    /// A call of an intrinsic without a result.
    pub fn act(&mut self, name: &str, operands: &[Value]) {
        let (values, types) = listed(operands);
        self.line(format_args!(
            "llvm.call_intrinsic \"{name}\"({values}) : ({types}) -> ()"
        ));
    }

    /// A call of an intrinsic with several results of one type.
    pub fn calls(&mut self, ty: Type, count: u32, name: &str, operands: &[Value]) -> Vec<Value> {
        let (values, types) = listed(operands);
        let members = vec![ty.to_string(); count as usize].join(", ");
        let all = self.op(
            ty,
            format_args!(
                "llvm.call_intrinsic \"{name}\"({values}) : ({types}) -> !llvm.struct<({members})>"
            ),
        );
        let member = |i| {
            self.op(
                ty,
                format_args!("llvm.extractvalue {all}[{i}] : !llvm.struct<({members})>"),
            )
        };
        (0..count).map(member).collect()
    }

    /// Inline assembly that acts on more than its results, memory too. Its operands are numbered: first `kept`, which it may
    /// change, then registers of the types `fresh`, which it assigns, then `inputs`. Gives the former two.
    pub fn assembly(
        &mut self,
        code: &str,
        kept: &[Value],
        fresh: &[Type],
        inputs: &[Value],
    ) -> Vec<Value> {
        let results: Vec<Type> = kept
            .iter()
            .map(|v| v.ty)
            .chain(fresh.iter().copied())
            .collect();
        let mut constraints: Vec<String> = results
            .iter()
            .map(|ty| format!("={}", letter(*ty)))
            .collect();
        constraints.extend(inputs.iter().map(|v| letter(v.ty).to_string()));
        constraints.extend((0..kept.len()).map(|i| i.to_string()));
        constraints.push("~{memory}".into());
        let operands: Vec<Value> = inputs.iter().chain(kept).copied().collect();
        let (values, types) = listed(&operands);
        let members: Vec<String> = results.iter().map(Type::to_string).collect();
        let members = members.join(", ");
        let head = format!(
            "llvm.inline_asm has_side_effects \"{code}\", \"{}\" {values} : ({types}) ->",
            constraints.join(",")
        );
        match results[..] {
            [] => {
                self.line(format_args!("{head} ()"));
                vec![]
            }
            [ty] => vec![self.op(ty, format_args!("{head} {ty}"))],
            [first, ..] => {
                let all = self.op(first, format_args!("{head} !llvm.struct<({members})>"));
                let member = |(i, ty): (usize, &Type)| {
                    let ty = *ty;
                    self.op(
                        ty,
                        format_args!("llvm.extractvalue {all}[{i}] : !llvm.struct<({members})>"),
                    )
                };
                results.iter().enumerate().map(member).collect()
            }
        }
    }

    /// The same bits as another type of the same size.
    pub fn bits(&mut self, a: Value, to: Type) -> Value {
        match (a.ty.width, to.width) {
            (None, None) => self.convert("arith.bitcast", a, to),
            _ => self.convert("llvm.bitcast", a, to),
        }
    }
}

/// How inline assembly for NVIDIA's devices calls registers of a type.
const fn letter(ty: Type) -> char {
    match ty.elem {
        Elem::F32 => 'f',
        Elem::I64 | Elem::Pointer => 'l',
        _ => 'r',
    }
}

fn listed(operands: &[Value]) -> (String, String) {
    let values: Vec<String> = operands.iter().map(Value::to_string).collect();
    let types: Vec<String> = operands.iter().map(|v| v.ty.to_string()).collect();
    (values.join(", "), types.join(", "))
}
