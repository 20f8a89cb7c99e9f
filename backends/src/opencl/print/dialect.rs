//! The words in which OpenCL C and HIP differ.

use ir::DType;

/// A language of the C family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// OpenCL C 1.2, without extensions.
    OpenCl,
    /// HIP, as hipcc takes it.
    Hip,
}

/// Where an array lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    Global,
    Shared,
}

impl Dialect {
    /// What precedes the helpers.
    pub(super) fn prologue(self) -> &'static str {
        match self {
            Self::OpenCl => "#pragma OPENCL FP_CONTRACT OFF\n",
            Self::Hip => "#include <hip/hip_runtime.h>\n#pragma clang fp contract(off)\n",
        }
    }

    /// The address space of a pointer, with a space after it.
    pub(super) fn space(self, space: Space) -> &'static str {
        match (self, space) {
            (Self::OpenCl, Space::Global) => "__global ",
            (Self::OpenCl, Space::Shared) => "__local ",
            (Self::Hip, _) => "",
        }
    }

    /// What declares an array in shared memory.
    pub(super) fn shared(self) -> &'static str {
        match self {
            Self::OpenCl => "__local",
            Self::Hip => "__shared__",
        }
    }

    pub(super) fn barrier(self) -> &'static str {
        match self {
            Self::OpenCl => "barrier(CLK_LOCAL_MEM_FENCE);",
            Self::Hip => "__syncthreads();",
        }
    }

    /// The lane's number in its block, and the block's in the grid.
    pub(super) fn ids(self) -> [&'static str; 2] {
        match self {
            Self::OpenCl => ["get_local_id(0)", "get_group_id(0)"],
            Self::Hip => ["threadIdx.x", "blockIdx.x"],
        }
    }

    /// What precedes a function that kernels call.
    pub(super) fn function(self) -> &'static str {
        match self {
            Self::OpenCl => "static inline",
            Self::Hip => "static __device__ inline",
        }
    }

    /// A 64-bit integer.
    pub(super) fn long(self) -> &'static str {
        match self {
            Self::OpenCl => "long",
            Self::Hip => "long long",
        }
    }

    /// What ends a 64-bit literal.
    pub(super) fn long_suffix(self) -> &'static str {
        match self {
            Self::OpenCl => "L",
            Self::Hip => "LL",
        }
    }

    /// The type of a register.
    pub(super) fn register(self, dtype: DType) -> &'static str {
        match dtype {
            DType::F32 | DType::F16 | DType::Bf16 => "float",
            DType::I8 => match self {
                Self::OpenCl => "char",
                Self::Hip => "signed char",
            },
            DType::U8 => self.unsigned(8),
            DType::I32 | DType::Bool => "int",
            DType::I64 => self.long(),
        }
    }

    /// The type of an element in memory.
    pub(super) fn element(self, dtype: DType) -> &'static str {
        match dtype {
            DType::F16 | DType::Bf16 => self.unsigned(16),
            DType::Bool => self.unsigned(8),
            _ => self.register(dtype),
        }
    }

    fn unsigned(self, bits: u32) -> &'static str {
        match (self, bits) {
            (Self::OpenCl, 8) => "uchar",
            (Self::OpenCl, _) => "ushort",
            (Self::Hip, 8) => "unsigned char",
            (Self::Hip, _) => "unsigned short",
        }
    }

    /// So many of a type side by side; one is the type itself.
    pub(in crate::opencl) fn vector(self, scalar: &str, len: u32) -> String {
        match (self, len) {
            (_, 1) => scalar.into(),
            (Self::OpenCl, _) => format!("{scalar}{len}"),
            (Self::Hip, _) => {
                let word = scalar.trim_start_matches('_').replace(' ', "_");
                format!("tw_{word}{len}")
            }
        }
    }

    /// A vector with these components.
    pub(super) fn make(self, scalar: &str, parts: &[String]) -> String {
        let ty = self.vector(scalar, parts.len() as u32);
        match (self, parts) {
            (_, [one]) => one.clone(),
            (Self::OpenCl, _) => format!("({ty})({})", parts.join(", ")),
            (Self::Hip, _) => format!("{ty}{{{}}}", parts.join(", ")),
        }
    }

    /// A vector type that the language does not have by itself.
    pub(super) fn define_vector(self, scalar: &str, len: u32) -> Option<String> {
        let name = self.vector(scalar, len);
        (self == Self::Hip && len > 1)
            .then(|| format!("typedef {scalar} {name} __attribute__((ext_vector_type({len})));\n"))
    }
}
