//===- abi.h - The contract between generated code and the runtime --------===//
//
// The one declaration of the native ABI. Generated code is emitted against it,
// the `_runtime` extension implements it, and `_runtime.abi_symbols()` hands
// out the addresses. Plain C, no other header needed.
//
// Native code runs with the GIL held but never touches a Python object: it
// reads its slots, and appends records to the call's journal. The runtime
// turns the records into Python objects and effects after it has returned.
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

/* One call in flight: its journal and its memory. Opaque to generated code. */
typedef struct JanusCall JanusCall;

/*
 * A compiled function. `slots` holds, in argument order, one data pointer and
 * one extent for each dynamic dimension of a tensor, or the bits of a scalar
 * (i64, f64 bit-cast, i1 as 0 or 1). Input tensors are row-major, contiguous,
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
  JANUS_ABANDONED = -1
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
  X(janus_rt_scratch)

#endif /* JANUS_RUNTIME_ABI_H */
