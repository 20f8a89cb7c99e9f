//! The C interface, from which `include/tilewright.h` is made.

#![allow(unsafe_code, reason = "a C interface takes pointers")]
#![allow(non_camel_case_types, reason = "names as C programs write them")]

use std::{
    any::Any,
    cell::RefCell,
    ffi::{CStr, CString, c_char, c_void},
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    ptr, slice,
    sync::Arc,
};

use ir::DType;

use crate::{Artifact, Executor, Model, Options, Port, TensorView, WeightChecks};

/// A model that is ready to run, with its threads and memory.
///
/// One thread at a time may use it; it may move between threads. Different models may run at the same time;
/// each has threads of its own.
pub struct tw_model {
    executor: Executor,
    inputs: Vec<CString>,
    outputs: Vec<CString>,
}

/// Element types. Integers and floating-point numbers are those of the machine; a bool is one byte, 0 or 1.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum tw_dtype {
    /// There is no such input or output.
    TW_NONE = 0,
    /// IEEE 754 binary32.
    TW_F32 = 1,
    /// IEEE 754 binary16.
    TW_F16 = 2,
    /// The upper half of binary32.
    TW_BF16 = 3,
    /// Two's complement, 8 bits.
    TW_I8 = 4,
    /// Unsigned, 8 bits.
    TW_U8 = 5,
    /// Two's complement, 32 bits.
    TW_I32 = 6,
    /// Two's complement, 64 bits.
    TW_I64 = 7,
    /// One byte, 0 or 1.
    TW_BOOL = 8,
}

use tw_dtype::*;

const DTYPES: [(tw_dtype, DType); 8] = [
    (TW_F32, DType::F32),
    (TW_F16, DType::F16),
    (TW_BF16, DType::Bf16),
    (TW_I8, DType::I8),
    (TW_U8, DType::U8),
    (TW_I32, DType::I32),
    (TW_I64, DType::I64),
    (TW_BOOL, DType::Bool),
];

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::new(CString::default());
}

/// What the last call on this thread that failed says, in UTF-8; "" if none has. Never null; valid until the next call
/// of this library on this thread.
#[unsafe(no_mangle)]
pub extern "C" fn tw_last_error() -> *const c_char {
    LAST_ERROR.with(|e| e.try_borrow().map_or(c"".as_ptr(), |e| e.as_ptr()))
}

/// Loads the first program of an artifact; see `tw_load_program`.
///
/// # Safety
/// `path` is null or ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_load(path: *const c_char, threads: u32) -> *mut tw_model {
    // SAFETY: the caller's promise.
    unsafe { tw_load_program(path, 0, threads) }
}

/// Loads the program at a position of an artifact (an artifact has one for each set of sizes it was compiled for),
/// with this many threads; 0 takes as many as the process may use at once. Null if that cannot be done: see
/// `tw_last_error`. The model is given back to `tw_free`.
///
/// The file must stay as it is while it is loaded; replacing it by another one is fine.
///
/// # Safety
/// `path` is null or ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_load_program(
    path: *const c_char,
    program: usize,
    threads: u32,
) -> *mut tw_model {
    guarded(ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let path = unsafe { text(path, "path") }?;
        let artifact = Artifact::open(Path::new(path), WeightChecks::BeforeUse).map_err(say)?;
        let model = Model::load(Arc::new(artifact)).map_err(say)?;
        let options = Options {
            threads: NonZeroUsize::new(threads as usize),
            profile: false,
        };
        let executor = model.executor(program, &options).map_err(say)?;
        let name = |p: &Port| CString::new(p.name.as_str()).expect("the artifact was checked");
        let inputs = executor.inputs().map(name).collect();
        let outputs = executor.outputs().map(name).collect();
        Ok(Box::into_raw(Box::new(tw_model {
            executor,
            inputs,
            outputs,
        })))
    })
}

/// Ends a model. Null is fine.
///
/// # Safety
/// `model` is null or comes from `tw_load`, and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_free(model: *mut tw_model) {
    guarded((), || {
        if !model.is_null() {
            // SAFETY: the caller's promise: it was made by `Box::into_raw` and is given back once.
            drop(unsafe { Box::from_raw(model) });
        }
        Ok(())
    });
}

/// Number of inputs; 0 for null.
///
/// # Safety
/// `model` is null or comes from `tw_load`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_input_count(model: *const tw_model) -> usize {
    // SAFETY: the caller's promise.
    with(model, 0, |m| Some(m.inputs.len()))
}

/// Name of an input, valid as long as the model; null if there is none at this position.
///
/// # Safety
/// `model` is null or comes from `tw_load`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_input_name(model: *const tw_model, position: usize) -> *const c_char {
    with(model, ptr::null(), |m| {
        m.inputs.get(position).map(|n| n.as_ptr())
    })
}

/// Element type of an input.
///
/// # Safety
/// `model` is null or comes from `tw_load`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_input_dtype(model: *const tw_model, position: usize) -> tw_dtype {
    with(model, TW_NONE, |m| {
        m.executor.inputs().nth(position).map(dtype)
    })
}

/// Number of axes of an input.
///
/// # Safety
/// `model` is null or comes from `tw_load`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_input_rank(model: *const tw_model, position: usize) -> usize {
    with(model, 0, |m| {
        m.executor.inputs().nth(position).map(|p| p.shape.len())
    })
}

/// Sizes of the axes of an input, `tw_input_rank` of them, valid as long as the model.
///
/// # Safety
/// `model` is null or comes from `tw_load`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_input_shape(model: *const tw_model, position: usize) -> *const usize {
    with(model, ptr::null(), |m| {
        m.executor.inputs().nth(position).map(|p| p.shape.as_ptr())
    })
}

/// Number of outputs; 0 for null.
///
/// # Safety
/// `model` is null or comes from `tw_load`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_output_count(model: *const tw_model) -> usize {
    with(model, 0, |m| Some(m.outputs.len()))
}

/// Name of an output, valid as long as the model; null if there is none at this position.
///
/// # Safety
/// `model` is null or comes from `tw_load`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_output_name(model: *const tw_model, position: usize) -> *const c_char {
    with(model, ptr::null(), |m| {
        m.outputs.get(position).map(|n| n.as_ptr())
    })
}

/// Element type of an output.
///
/// # Safety
/// `model` is null or comes from `tw_load`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_output_dtype(model: *const tw_model, position: usize) -> tw_dtype {
    with(model, TW_NONE, |m| {
        m.executor.outputs().nth(position).map(dtype)
    })
}

/// Number of axes of an output.
///
/// # Safety
/// `model` is null or comes from `tw_load`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_output_rank(model: *const tw_model, position: usize) -> usize {
    with(model, 0, |m| {
        m.executor.outputs().nth(position).map(|p| p.shape.len())
    })
}

/// Sizes of the axes of an output, `tw_output_rank` of them, valid as long as the model.
///
/// # Safety
/// `model` is null or comes from `tw_load`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_output_shape(model: *const tw_model, position: usize) -> *const usize {
    with(model, ptr::null(), |m| {
        m.executor.outputs().nth(position).map(|p| p.shape.as_ptr())
    })
}

/// The elements of an output, row-major, valid as long as the model and rewritten by `tw_run`; zeros before the first
/// run.
///
/// # Safety
/// `model` is null or comes from `tw_load`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_output_data(model: *const tw_model, position: usize) -> *const c_void {
    with(model, ptr::null(), |m| {
        m.executor
            .output_at(position)
            .map(|t| t.bytes.as_ptr().cast())
    })
}

/// Copies a tensor, row-major, into the input of this name, which keeps it for all runs to come. `dtype` is a
/// `tw_dtype`. 0, or -1 if the type does not fit or a value is out of range: see `tw_last_error`.
///
/// # Safety
/// `model` is null or comes from `tw_load`; `name` is null or ends with NUL; `shape` has `rank` sizes; `data` has as
/// many elements as these say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_set_input(
    model: *mut tw_model,
    name: *const c_char,
    dtype: i32,
    shape: *const usize,
    rank: usize,
    data: *const c_void,
) -> i32 {
    guarded(-1, || {
        // SAFETY: the caller's promise: it is null or valid, and nobody else uses it now.
        let model = unsafe { model.as_mut() }.ok_or("the model is null")?;
        // SAFETY: the caller's promise.
        let name = unsafe { text(name, "name") }?;
        let known = DTYPES.iter().find(|(d, _)| *d as i32 == dtype);
        let (_, dtype) = known.ok_or("the element type is none of tw_dtype")?;
        if shape.is_null() && rank > 0 {
            return Err("the shape is null".into());
        }
        // SAFETY: the caller's promise; the pointer is not used if there are no sizes.
        let shape = if rank == 0 {
            &[]
        } else {
            unsafe { slice::from_raw_parts(shape, rank) }
        };
        let elements = shape
            .iter()
            .try_fold(dtype.size(), |n, d| n.checked_mul(*d));
        let len = elements
            .filter(|n| *n <= isize::MAX as usize)
            .ok_or("the shape is too large")?;
        if data.is_null() && len > 0 {
            return Err("the data is null".into());
        }
        // SAFETY: the caller's promise; the pointer is not used if there are no elements.
        let bytes = if len == 0 {
            &[]
        } else {
            unsafe { slice::from_raw_parts(data.cast(), len) }
        };
        let view = TensorView {
            dtype: *dtype,
            shape,
            bytes,
        };
        model.executor.set_input(name, view).map_err(say)?;
        Ok(0)
    })
}

/// Computes the outputs. 0, or -1 if an input that the model needs was never set: see `tw_last_error`.
///
/// # Safety
/// `model` is null or comes from `tw_load`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_run(model: *mut tw_model) -> i32 {
    guarded(-1, || {
        // SAFETY: the caller's promise: it is null or valid, and nobody else uses it now.
        let model = unsafe { model.as_mut() }.ok_or("the model is null")?;
        model.executor.run().map_err(say)?;
        Ok(0)
    })
}

fn dtype(port: &Port) -> tw_dtype {
    DTYPES
        .iter()
        .find(|(_, d)| *d == port.dtype)
        .map_or(TW_NONE, |(d, _)| *d)
}

fn say(e: impl std::error::Error) -> String {
    e.to_string()
}

/// # Safety
/// `text` is null or ends with NUL.
unsafe fn text<'a>(text: *const c_char, what: &str) -> Result<&'a str, String> {
    if text.is_null() {
        return Err(format!("the {what} is null"));
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str()
        .map_err(|_| format!("the {what} is not UTF-8"))
}

/// Asks a model; `none` for null and where `ask` finds nothing. The model is null or valid, as all callers require.
fn with<T: Copy>(model: *const tw_model, none: T, ask: impl FnOnce(&tw_model) -> Option<T>) -> T {
    guarded(none, || {
        // SAFETY: every function that calls this one requires it.
        let model = unsafe { model.as_ref() }.ok_or("the model is null")?;
        Ok(ask(model).ok_or("there is no such position")?)
    })
}

/// Runs `body`; keeps its error, or its panic, for `tw_last_error`, and gives `failed` instead.
fn guarded<T>(failed: T, body: impl FnOnce() -> Result<T, String>) -> T {
    let panicked = |p: Box<dyn Any + Send>| {
        let text = p.downcast_ref::<&str>().map(ToString::to_string);
        let text = text
            .or_else(|| p.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        format!("an error in tilewright itself: {text}")
    };
    let message = match catch_unwind(AssertUnwindSafe(body)).map_err(panicked) {
        Ok(Ok(value)) => return value,
        Ok(Err(message)) | Err(message) => message,
    };
    let message = CString::new(message.replace('\0', "?")).expect("NULs are replaced");
    LAST_ERROR.with(|e| *e.borrow_mut() = message);
    failed
}
