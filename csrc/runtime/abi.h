//===- abi.h - The contract between generated code and the runtime --------===//
//
// The one declaration of the native ABI. Generated code is emitted against it,
// the `_runtime` extension implements it, and `_runtime.abi_symbols()` hands
// out the addresses. Plain C, no other header needed.
//
// Native code runs with the GIL held. It reads its slots and, through the
// functions below, live Python objects, changes none, and appends records to
// the call's journal. The runtime turns the records into Python objects and
// effects after it has returned.
//
//===----------------------------------------------------------------------===//

#ifndef JANUS_RUNTIME_ABI_H
#define JANUS_RUNTIME_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Element types. The codes are shared with janus_mlir/runtime/dtypes.py. */
typedef enum JanusDType {
  JANUS_BOOL = 0,
  JANUS_I8 = 1,
  JANUS_I16 = 2,
  JANUS_I32 = 3,
  JANUS_I64 = 4,
  JANUS_UI8 = 5,
  JANUS_UI16 = 6,
  JANUS_UI32 = 7,
  JANUS_UI64 = 8,
  JANUS_F16 = 9,
  JANUS_BF16 = 10,
  JANUS_F32 = 11,
  JANUS_F64 = 12,
  JANUS_C64 = 13,
  JANUS_C128 = 14,
  JANUS_DTYPE_COUNT = 15
} JanusDType;

/* One call in flight: its journal and its memory. Opaque to generated code but for
   its beginning, a JanusFrames. */
typedef struct JanusCall JanusCall;

/* What calls within native code use. A function takes its memory from `top`, and puts
   `top` and `limit` back as they were when it returns. */
typedef struct JanusFrames {
  char *top;
  char *limit;
  /* How many calls deep Python would let the program go from here, less a reserve. */
  int64_t depth_left;
  /* The C stack must not grow below this address. */
  char *lowest_stack;
} JanusFrames;

/* A borrowed reference to a Python object, or NULL. */
typedef void *JanusObject;

/*
 * A compiled function. `slots` holds, in argument order, one data pointer and
 * one extent for each dynamic dimension of a tensor, the bits of a scalar
 * (i64, f64 bit-cast, i1 as 0 or 1), or an object. Input tensors are row-major, contiguous,
 * aligned to at least their item size, read-only, and valid for the call only.
 *
 * Result: JANUS_RETURNED, or k + 1 where the function was left at exit site k
 * (the last record is then that of site k), or JANUS_ABANDONED.
 */
typedef int32_t (*JanusEntry)(const int64_t *slots, JanusCall *call);

enum {
  /* The last record is that of a return site. */
  JANUS_RETURNED = 0,
  /* Nothing of this call counts: it is run again by the Python function. To be
     returned when janus_rt_alloc or janus_rt_scratch gave NULL. */
  JANUS_ABANDONED = -1,
  /* Likewise, because calls were nested too deep. */
  JANUS_TOO_DEEP = -2
};

/* Begin the record of `site`; its values are pushed next, in order. */
void janus_rt_begin_record(JanusCall *call, int32_t site);

/* Push a scalar (an i1 is pushed as 0 or 1). */
void janus_rt_push_i64(JanusCall *call, int64_t value);
void janus_rt_push_f64(JanusCall *call, double value);

/*
 * Uninitialised row-major memory, 64-byte aligned, for a value that may leave
 * the call. `dtype` is the storage type: any code of the right item size will
 * do, the site of the record has the last word on the type. NULL when memory
 * has run out. Memory that is never pushed is freed after the call.
 */
void *janus_rt_alloc(JanusCall *call, int32_t dtype, int32_t rank, const int64_t *dims);

/* Push memory from janus_rt_alloc without a copy. It may be pushed repeatedly. */
void janus_rt_push_owned(JanusCall *call, void *memory);

/* Push a copy, made now, of row-major memory of any origin. */
void janus_rt_push_copy(JanusCall *call, int32_t dtype, int32_t rank, const int64_t *dims, const void *memory);

/* Uninitialised scratch, 64-byte aligned, valid until the entry returns. NULL
   when memory has run out. */
void *janus_rt_scratch(JanusCall *call, int64_t bytes);

/*
 * The stacks of the call, on which forward computations leave what backward ones take. A push gives uninitialised
 * memory, 16-byte aligned, on top of stack `stack`, or NULL when memory has run out. A pop gives the memory that was
 * pushed last, whose size the caller knows; it stays as it is until the next push.
 */
void *janus_rt_tape_push(JanusCall *call, int32_t stack, int64_t bytes);
void *janus_rt_tape_pop(JanusCall *call, int32_t stack, int64_t bytes);

/* Push a Python object; the journal holds a reference. NULL becomes None. */
void janus_rt_push_object(JanusCall *call, JanusObject object);

/* Scratch for `bytes` (a multiple of 64) above `limit`: sets `top` and `limit`. NULL when memory has run out. */
void *janus_rt_grow_frames(JanusCall *call, int64_t bytes);

/* Memory in which a function leaves its result number `index` (below JANUS_HANDOVERS) for
   its caller, who copies it before the next call. NULL when memory has run out. */
enum { JANUS_HANDOVERS = 64 };
void *janus_rt_handover(JanusCall *call, int32_t index, int64_t bytes);

/* What a read of an attribute remembers; zero but for the name. */
typedef struct JanusAttribute {
  const char *name;
  void *interned;
  void *type;
  int64_t version;
  int64_t way;
} JanusAttribute;

/* Reads of live objects, which run no Python code of the user's: janus.get_attr and its like
   say what they do. Failures are NULL, -1 or ok = 0, never a Python error. */
typedef struct JanusIntRead {
  int64_t value;
  int64_t ok;
} JanusIntRead;
typedef struct JanusFloatRead {
  double value;
  int64_t ok;
} JanusFloatRead;
JanusObject janus_rt_get_attr(JanusObject object, JanusAttribute *attribute);
int64_t janus_rt_method_is(JanusObject object, JanusAttribute *attribute, JanusObject function);
JanusObject janus_rt_get_item(JanusObject object, int64_t index);
JanusObject janus_rt_get_key(JanusObject object, JanusObject key);
int64_t janus_rt_length(JanusObject object);
int64_t janus_rt_equals(JanusObject left, JanusObject right);
JanusIntRead janus_rt_unbox_int(JanusObject object);
JanusIntRead janus_rt_unbox_bool(JanusObject object);
JanusFloatRead janus_rt_unbox_float(JanusObject object);

/* Numbers as objects, and calls of functions without effects; what they give lives as long as the call. NULL, never a
   Python error, where that fails. */
JanusObject janus_rt_box_int(JanusCall *call, int64_t value);
JanusObject janus_rt_box_float(JanusCall *call, double value);
JanusObject janus_rt_box_bool(JanusCall *call, int64_t value);
JanusObject janus_rt_invoke(JanusCall *call, JanusObject function, JanusObject a, JanusObject b, JanusObject c,
                            int64_t count);

/* The kinds of arrays; numbered like janus.unbox's. */
enum { JANUS_NUMPY = 1, JANUS_NUMPY_SCALAR = 2, JANUS_JAX = 3, JANUS_JAX_WEAK = 4 };

/* Check that an object is an array as `wanted` = {kind, dtype, rank, extents...} says, where -1 is any
   extent. Writes its address and all its extents to `found`. */
int64_t janus_rt_unbox_array(JanusCall *call, JanusObject object, const int64_t *wanted, int64_t *found);

/*
 * Run `body(i, i + 1, arguments)` for each piece i below `pieces`, on this thread and on others of the pool, in any
 * order and at the same time; or `body(0, pieces, arguments)` where threads would not help. Returns when all have run.
 */
void janus_rt_parallel(void (*body)(int64_t from, int64_t to, void *arguments), void *arguments, int64_t pieces);

#ifdef __cplusplus
}
#endif

/* Every function above, for tables of their addresses. */
#define JANUS_ABI_FUNCTIONS(X)                                                                                         \
  X(janus_rt_begin_record)                                                                                             \
  X(janus_rt_push_i64)                                                                                                 \
  X(janus_rt_push_f64)                                                                                                 \
  X(janus_rt_alloc)                                                                                                    \
  X(janus_rt_push_owned)                                                                                               \
  X(janus_rt_push_copy)                                                                                                \
  X(janus_rt_scratch)                                                                                                  \
  X(janus_rt_tape_push)                                                                                                \
  X(janus_rt_tape_pop)                                                                                                 \
  X(janus_rt_push_object)                                                                                              \
  X(janus_rt_grow_frames)                                                                                              \
  X(janus_rt_handover)                                                                                                 \
  X(janus_rt_get_attr)                                                                                                 \
  X(janus_rt_method_is)                                                                                                \
  X(janus_rt_get_item)                                                                                                 \
  X(janus_rt_get_key)                                                                                                  \
  X(janus_rt_length)                                                                                                   \
  X(janus_rt_equals)                                                                                                   \
  X(janus_rt_unbox_int)                                                                                                \
  X(janus_rt_unbox_bool)                                                                                               \
  X(janus_rt_unbox_float)                                                                                              \
  X(janus_rt_unbox_array)                                                                                              \
  X(janus_rt_parallel)                                                                                                 \
  X(janus_rt_box_int)                                                                                                  \
  X(janus_rt_box_float)                                                                                                \
  X(janus_rt_box_bool)                                                                                                 \
  X(janus_rt_invoke)

#endif /* JANUS_RUNTIME_ABI_H */
