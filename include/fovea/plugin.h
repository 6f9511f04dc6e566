/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin interface: operators of your own, in a shared library that Fovea loads (`fovea ... --plugin lib.so`, or
 * fovea::load_plugin). Plain C11 and nothing else: a library built today keeps working with later versions of Fovea that
 * speak the same FOVEA_PLUGIN_ABI, whatever compiler or standard library made either of them.
 *
 * A library exports one function, fovea_plugin_entry(), which returns a table of operators. For each operator it says
 * what it is called, what it takes (inputs, attributes), how the shapes of its outputs follow from those of its inputs,
 * and how to compute it. From C++, <fovea/plugin.hpp> does the writing down: one operator is one class in one file.
 *
 * Rules for callbacks
 *  - No exception may leave one, and none may exit, fork or change the floating point mode.
 *  - A callback answers FOVEA_OK, or another code with one sentence in `why` (who, what was expected, what was found).
 *  - Everything passed in belongs to Fovea and lives until the callback returns. Memory behind `state` is the plugin's.
 *  - Any callback may be called from any thread, several at a time. Only calls with one `state` never overlap.
 *  - `threads` says how many threads the callback may use (OpenMP or others, joined before it returns). Results must not
 *    depend on it.
 *  - What stands in data is a stranger's: an index read from an input is checked before it is used.
 * A library that crashes or hangs takes the process with it: load only libraries that you trust as you trust Fovea itself.
 *
 * Growing: structs that begin with struct_size may gain fields at their end; a missing one counts as zero. All other
 * structs stay as they are within one ABI number; their reserved fields are zero. */
#ifndef FOVEA_PLUGIN_H
#define FOVEA_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FOVEA_PLUGIN_ABI 1
#define FOVEA_MAX_RANK 10

/* --- answers */

typedef int32_t fovea_code;
enum {
  FOVEA_OK = 0,
  FOVEA_INVALID = 1,       /* inputs, attributes or shapes that make no sense */
  FOVEA_UNSUPPORTED = 2,   /* they make sense, but not to this operator or kernel */
  FOVEA_OUT_OF_MEMORY = 3
};

typedef struct fovea_message {
  char text[512]; /* zero-terminated; empty when the callback is called */
} fovea_message;

/* --- element types, as in fovea::DataType. Types of less than 8 bits take a byte an element. Text does not pass. */

enum {
  FOVEA_UNDEFINED = 0, FOVEA_F32 = 1, FOVEA_F16 = 2, FOVEA_BF16 = 3, FOVEA_F64 = 4, FOVEA_I8 = 5, FOVEA_U8 = 6, FOVEA_I16 = 7,
  FOVEA_U16 = 8, FOVEA_I32 = 9, FOVEA_U32 = 10, FOVEA_I64 = 11, FOVEA_U64 = 12, FOVEA_BOOL = 13, FOVEA_C64 = 15, FOVEA_C128 = 16,
  FOVEA_F8E4M3FN = 17, FOVEA_F8E4M3FNUZ = 18, FOVEA_F8E5M2 = 19, FOVEA_F8E5M2FNUZ = 20, FOVEA_F8E8M0 = 21, FOVEA_F4E2M1 = 22,
  FOVEA_I4 = 23, FOVEA_U4 = 24, FOVEA_I2 = 25, FOVEA_U2 = 26
};
#define FOVEA_TYPE_BIT(type) (UINT64_C(1) << (type))

/* --- what an operator is */

enum { FOVEA_OPTIONAL = 1, FOVEA_VARIADIC = 2 };

typedef struct fovea_port { /* an input or an output */
  const char* name;
  uint64_t types;    /* FOVEA_TYPE_BIT(...) | ...; of an output: 0, its rule says */
  uint32_t flags;    /* FOVEA_OPTIONAL: may be left out, and so may all after it. FOVEA_VARIADIC: the last input only, any number from one on */
  uint32_t reserved;
} fovea_port;

enum { FOVEA_INT = 0, FOVEA_FLOAT = 1, FOVEA_STRING = 2, FOVEA_INTS = 3, FOVEA_FLOATS = 4, FOVEA_STRINGS = 5 };

typedef struct fovea_attribute {
  const char* name;
  int32_t type;                /* FOVEA_INT ... : which of the following holds the value */
  int32_t given;               /* 1 when the model has it, 0 when this is the default */
  int64_t i;
  double f;
  const char* s;
  int64_t count;               /* elements of the lists */
  const int64_t* ints;
  const double* floats;
  const char* const* strings;
} fovea_attribute;

typedef struct fovea_attribute_spec {
  fovea_attribute fallback;    /* name, type and default */
  int32_t required;            /* 1: there is no default */
  int32_t num_allowed;         /* FOVEA_STRING: the values it may have, 0 for any */
  const char* const* allowed;
  uint64_t reserved;
} fovea_attribute_spec;

typedef struct fovea_tensor {
  int32_t type;                    /* FOVEA_UNDEFINED: an optional one that is missing */
  int32_t rank;
  int64_t extents[FOVEA_MAX_RANK]; /* outermost first */
  int64_t strides[FOVEA_MAX_RANK]; /* elements between neighbours along an axis */
  void* data;                      /* null where not known yet; inputs are only read */
  uint64_t reserved[2];
} fovea_tensor;

/* --- the shape rule */

/* An extent, a number or an expression such as floordiv(H+1,2): a handle that is good until the rule returns.
 * FOVEA_NO_DIM is nobody's; whatever is computed from it is FOVEA_NO_DIM again, and the rule then fails. */
typedef int32_t fovea_dim;
#define FOVEA_NO_DIM (-1)

enum {
  FOVEA_ADD = 0, FOVEA_SUB = 1, FOVEA_MUL = 2,
  FOVEA_FLOOR_DIV = 3, FOVEA_CEIL_DIV = 4, FOVEA_MOD = 5, /* towards minus infinity, plus infinity; a - floor_div(a, b) * b */
  FOVEA_MIN = 6, FOVEA_MAX = 7
};

/* One node as its shape rule sees it. The rule runs while a network is imported and built, when extents may be symbols and
 * inputs may be unknown, and again for concrete shapes: the same code does both as long as it computes with fovea_dim.
 * What is not known is no error: leave outputs unset then. An output's extents may depend on the inputs' types, extents,
 * constants and (through input_element) on the values of small integer inputs. They cannot depend on other data. */
typedef struct fovea_infer {
  uint32_t struct_size;
  int32_t num_inputs, num_outputs, num_attributes;
  const fovea_attribute* attributes;                               /* all of the operator's, in its order, defaults filled in */
  void* host;                                                      /* first argument of the functions below */
  int32_t (*input_present)(void* host, int32_t input);             /* 0 for an optional one that is missing */
  int32_t (*input_type)(void* host, int32_t input);                /* FOVEA_UNDEFINED while unknown */
  int32_t (*input_rank)(void* host, int32_t input);                /* -1 while unknown */
  fovea_dim (*input_extent)(void* host, int32_t input, int32_t axis);
  int64_t (*input_elements)(void* host, int32_t input);            /* of a small integer vector or scalar whose elements are known, else -1 */
  fovea_dim (*input_element)(void* host, int32_t input, int64_t index);
  const fovea_tensor* (*input_constant)(void* host, int32_t input); /* null unless its data is known */
  fovea_dim (*number)(void* host, int64_t value);
  int32_t (*number_of)(void* host, fovea_dim dim, int64_t* value); /* 1 when the extent is a number, which goes to `value` */
  fovea_dim (*combine)(void* host, int32_t operation, fovea_dim a, fovea_dim b);
  fovea_dim (*scale)(void* host, fovea_dim a, double factor);      /* floor(a * factor) */
  void (*set_type)(void* host, int32_t output, int32_t type);
  void (*set_shape)(void* host, int32_t output, int32_t rank, const fovea_dim* extents);
} fovea_infer;

/* --- kernels */

enum { FOVEA_CPU = 1, FOVEA_CUDA = 2 }; /* FOVEA_CUDA is reserved: such kernels are listed and not used yet */

/* One concrete piece of work. In can_run and prepare, inputs that are constants have their data and nothing else has. */
typedef struct fovea_problem {
  uint32_t struct_size;
  int32_t device, threads;
  int32_t num_inputs, num_outputs, num_attributes;
  const fovea_tensor* inputs;
  const fovea_tensor* outputs;          /* types and extents as the shape rule found them */
  const fovea_attribute* attributes;    /* as in fovea_infer */
  void* state;                          /* run: what prepare made */
  void* scratch;                        /* run: scratch_bytes of memory, aligned to 64 bytes, contents arbitrary */
  void* stream;                         /* run on FOVEA_CUDA: the stream to enqueue on */
} fovea_problem;

typedef struct fovea_prepared {
  uint32_t struct_size;
  uint32_t reserved;
  void* state;                          /* handed to run and, once, to release */
  uint64_t scratch_bytes;
} fovea_prepared;

enum { FOVEA_STRIDED = 1 };

typedef struct fovea_kernel {
  uint32_t struct_size;
  int32_t device;
  const char* name;                     /* unique in its operator, not "reference"; stands in engines and reports */
  uint32_t flags;                       /* FOVEA_STRIDED: heeds strides; without it all tensors are dense and row-major */
  uint32_t reserved;
  /* Optional. Whether this kernel does this problem; if not, why not, in one sentence. Cheap. */
  fovea_code (*can_run)(const fovea_problem* problem, fovea_message* why);
  /* Optional. Once per concrete shape: packs constants, fills tables, says how much scratch memory run needs. */
  fovea_code (*prepare)(const fovea_problem* problem, fovea_prepared* prepared, fovea_message* why);
  /* Writes every element of every output that is wanted (type not FOVEA_UNDEFINED). Outputs overlap no input. Allocates nothing. */
  fovea_code (*run)(const fovea_problem* problem, fovea_message* why);
  /* Optional. Frees what prepare made. */
  void (*release)(void* state);
} fovea_kernel;

enum { FOVEA_NON_DETERMINISTIC = 1 }; /* random numbers: never computed ahead, never shared between equal nodes */

typedef struct fovea_operator {
  uint32_t struct_size;
  uint32_t flags;
  const char* name;                     /* "domain::Name", as ONNX nodes name it */
  const char* version;                  /* any text; engines run only with the version they were built with */
  const char* summary;                  /* one line for `fovea ops` */
  int32_t num_inputs, num_outputs;
  const fovea_port* inputs;
  const fovea_port* outputs;
  int32_t num_attributes, num_kernels;
  const fovea_attribute_spec* attributes;
  const fovea_kernel* const* kernels;   /* best first; at least one for FOVEA_CPU */
  fovea_code (*infer)(const fovea_infer* node, fovea_message* why);
  /* Optional: plain code that a reader checks by eye. While building, kernels are compared with it. Without it the last CPU
   * kernel is its own reference, and the engine says that nothing independent has checked it. state and scratch are null. */
  fovea_code (*reference)(const fovea_problem* problem, fovea_message* why);
} fovea_operator;

typedef struct fovea_plugin {
  uint32_t struct_size;
  uint32_t abi;                         /* FOVEA_PLUGIN_ABI of the header it was compiled with */
  const char* name;                     /* of the library, for messages */
  int32_t num_operators;
  uint32_t reserved;
  const fovea_operator* const* operators;
} fovea_plugin;

#if defined(_WIN32)
#define FOVEA_PLUGIN_EXPORT __declspec(dllexport)
#else
#define FOVEA_PLUGIN_EXPORT __attribute__((visibility("default")))
#endif

/* The one symbol of a plugin. `host_abi` is the FOVEA_PLUGIN_ABI of the Fovea that loads it. The table must live as long as
 * the process, as the library does: plugins are never unloaded. */
FOVEA_PLUGIN_EXPORT const fovea_plugin* fovea_plugin_entry(uint32_t host_abi);

#ifdef __cplusplus
}
#endif

#endif /* FOVEA_PLUGIN_H */
