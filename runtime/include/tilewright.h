// The C interface of tilewright's runtime. Link with -ltilewright_runtime. Made by cbindgen; do not edit.

#ifndef TILEWRIGHT_H
#define TILEWRIGHT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

// Element types. Integers and floating-point numbers are those of the machine; a bool is one byte, 0 or 1.
typedef enum tw_dtype {
  // There is no such input or output.
  TW_NONE = 0,
  // IEEE 754 binary32.
  TW_F32 = 1,
  // IEEE 754 binary16.
  TW_F16 = 2,
  // The upper half of binary32.
  TW_BF16 = 3,
  // Two's complement, 8 bits.
  TW_I8 = 4,
  // Unsigned, 8 bits.
  TW_U8 = 5,
  // Two's complement, 32 bits.
  TW_I32 = 6,
  // Two's complement, 64 bits.
  TW_I64 = 7,
  // One byte, 0 or 1.
  TW_BOOL = 8,
} tw_dtype;

// A model that is ready to run, with its threads and memory.
//
// One thread at a time may use it; it may move between threads. Different models may run at the same time;
// each has threads of its own.
typedef struct tw_model tw_model;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// What the last call on this thread that failed says, in UTF-8; "" if none has. Never null; valid until the next call
// of this library on this thread.
const char *tw_last_error(void);

// Loads the first program of an artifact; see `tw_load_program`.
//
// # Safety
// `path` is null or ends with NUL.
struct tw_model *tw_load(const char *path, uint32_t threads);

// Loads the program at a position of an artifact (an artifact has one for each set of sizes it was compiled for),
// with this many threads; 0 takes as many as the process may use at once. Null if that cannot be done: see
// `tw_last_error`. The model is given back to `tw_free`.
//
// The file must stay as it is while it is loaded; replacing it by another one is fine.
//
// # Safety
// `path` is null or ends with NUL.
struct tw_model *tw_load_program(const char *path,
                                 size_t program,
                                 uint32_t threads);

// Ends a model. Null is fine.
//
// # Safety
// `model` is null or comes from `tw_load`, and is not used any more.
void tw_free(struct tw_model *model);

// Number of inputs; 0 for null.
//
// # Safety
// `model` is null or comes from `tw_load`.
size_t tw_input_count(const struct tw_model *model);

// Name of an input, valid as long as the model; null if there is none at this position.
//
// # Safety
// `model` is null or comes from `tw_load`.
const char *tw_input_name(const struct tw_model *model, size_t position);

// Element type of an input.
//
// # Safety
// `model` is null or comes from `tw_load`.
enum tw_dtype tw_input_dtype(const struct tw_model *model, size_t position);

// Number of axes of an input.
//
// # Safety
// `model` is null or comes from `tw_load`.
size_t tw_input_rank(const struct tw_model *model, size_t position);

// Sizes of the axes of an input, `tw_input_rank` of them, valid as long as the model.
//
// # Safety
// `model` is null or comes from `tw_load`.
const size_t *tw_input_shape(const struct tw_model *model, size_t position);

// Number of outputs; 0 for null.
//
// # Safety
// `model` is null or comes from `tw_load`.
size_t tw_output_count(const struct tw_model *model);

// Name of an output, valid as long as the model; null if there is none at this position.
//
// # Safety
// `model` is null or comes from `tw_load`.
const char *tw_output_name(const struct tw_model *model, size_t position);

// Element type of an output.
//
// # Safety
// `model` is null or comes from `tw_load`.
enum tw_dtype tw_output_dtype(const struct tw_model *model, size_t position);

// Number of axes of an output.
//
// # Safety
// `model` is null or comes from `tw_load`.
size_t tw_output_rank(const struct tw_model *model, size_t position);

// Sizes of the axes of an output, `tw_output_rank` of them, valid as long as the model.
//
// # Safety
// `model` is null or comes from `tw_load`.
const size_t *tw_output_shape(const struct tw_model *model, size_t position);

// The elements of an output, row-major, valid as long as the model and rewritten by `tw_run`; zeros before the first
// run.
//
// # Safety
// `model` is null or comes from `tw_load`.
const void *tw_output_data(const struct tw_model *model,
                           size_t position);

// Copies a tensor, row-major, into the input of this name, which keeps it for all runs to come. `dtype` is a
// `tw_dtype`. 0, or -1 if the type does not fit or a value is out of range: see `tw_last_error`.
//
// # Safety
// `model` is null or comes from `tw_load`; `name` is null or ends with NUL; `shape` has `rank` sizes; `data` has as
// many elements as these say.
int32_t tw_set_input(struct tw_model *model,
                     const char *name,
                     int32_t dtype,
                     const size_t *shape,
                     size_t rank,
                     const void *data);

// Computes the outputs. 0, or -1 if an input that the model needs was never set: see `tw_last_error`.
//
// # Safety
// `model` is null or comes from `tw_load`.
int32_t tw_run(struct tw_model *model);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* TILEWRIGHT_H */
