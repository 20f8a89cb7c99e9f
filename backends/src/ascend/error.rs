//! Why a program has no text.

use ir::tile::{Place, VerifyError};

use super::Need;

/// Why a program has no text for a device.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AscendError {
    /// The program has a fault.
    #[error(transparent)]
    Verify(#[from] Box<VerifyError>),
    /// The target is of another form.
    #[error("tile program `{program}`: wanted a target of the tensor form, found `{target}`")]
    Form {
        /// Name of the program.
        program: String,
        /// Name of the target.
        target: String,
    },
    /// Its tiles take more than there is.
    #[error("tile program `{program}`: {need}; help: smaller tiles")]
    DoesNotFit {
        /// Name of the program.
        program: String,
        /// What is full, where, and of what.
        need: Box<Need>,
    },
    /// A step that has no text.
    #[error("tile program `{program}`, {place}: {what} has no {form}")]
    Unsupported {
        /// Name of the program.
        program: String,
        /// The statement.
        place: Place,
        /// What is asked for.
        what: String,
        /// Which text it is missing in.
        form: &'static str,
    },
}
