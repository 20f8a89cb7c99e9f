//! Why a model cannot be compiled.

/// Why a model cannot be compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// Sizes that do not fit, or ops that do not at these sizes.
    #[error(transparent)]
    Graph(#[from] ir::GraphError),
    /// A graph that serves no other sizes than those that it is compiled for.
    #[error(transparent)]
    Pad(#[from] passes::PadError),
    /// Matrices that cannot be stored in few bits.
    #[error(transparent)]
    Quantize(#[from] crate::QuantizeError),
    /// A graph that computes nothing.
    #[error("graph `{0}`: wanted at least one output, found none")]
    NoOutputs(String),
    /// A tensor without elements.
    #[error(
        "graph `{graph}`, {value} = {op}: wanted at least one element, found {ty}; help: tensors of size 0 have no kernels"
    )]
    Empty {
        /// Name of the graph.
        graph: String,
        /// The value.
        value: ir::ValueId,
        /// The op that computes it.
        op: &'static str,
        /// Its type.
        ty: String,
    },
    /// An op that no kernel computes.
    #[error(transparent)]
    Plan(#[from] passes::PlanError),
    /// A kernel that does not become machine code.
    #[error(transparent)]
    Backend(#[from] backends::cpu::BackendError),
    /// A kernel that does not become a text.
    #[error(transparent)]
    Print(#[from] backends::opencl::PrintError),
    /// A kernel that does not fit a chip, or has no text for it.
    #[error(transparent)]
    Ascend(#[from] backends::ascend::AscendError),
    /// The tuning database cannot be used.
    #[error(transparent)]
    Database(#[from] autotune::database::DatabaseError),
    /// The lock file says something else.
    #[error(transparent)]
    Lock(#[from] crate::LockError),
    /// A constant that cannot be computed.
    #[error(transparent)]
    Eval(#[from] ir::eval::EvalError),
    /// A weight that the model's files do not hold.
    #[error("weight `{0}`: the graph uses it, the model's files do not hold it")]
    NoWeight(String),
    /// The artifact cannot be written.
    #[error(transparent)]
    Write(#[from] runtime::WriteError),
    /// The artifact in memory cannot be read back.
    #[error(transparent)]
    Open(#[from] runtime::OpenNewError),
}
