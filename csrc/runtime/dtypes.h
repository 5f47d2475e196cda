//===- dtypes.h - Element type codes as NumPy knows them ------------------===//

#ifndef JANUS_RUNTIME_DTYPES_H
#define JANUS_RUNTIME_DTYPES_H

#include "abi.h"
#include "python_api.h"

#include <cstdint>

namespace janus {

/// Names by code, as in janus_mlir/runtime/dtypes.py.
extern const char *const kDTypeNames[JANUS_DTYPE_COUNT];
extern const int8_t kItemSizes[JANUS_DTYPE_COUNT];

inline int64_t item_size(int32_t code) { return kItemSizes[code]; }

/// The NumPy descriptor of a code, borrowed and immortal. Null with a Python
/// error set for a code out of range and for bfloat16 without ml_dtypes.
PyArray_Descr *descriptor(int32_t code);

/// Fill the table. To be called once, after NumPy's API has been imported.
bool initialize_descriptors();

/// Copy the value of a NumPy scalar of at most 16 bytes that holds no reference
/// (a number or a bool). False, without an error, for any other object.
bool copy_scalar(PyObject *scalar, void *destination);

/// Whether `found` is, in native byte order, the type `wanted` from
/// `descriptor()`. Types that are merely of equal layout do not count.
inline bool is_dtype(PyArray_Descr *found, PyArray_Descr *wanted) {
  return found == wanted ||
         (found->type_num == wanted->type_num && PyArray_ISNBO(found->byteorder) && !PyDataType_HASFIELDS(found));
}

} // namespace janus

#endif // JANUS_RUNTIME_DTYPES_H
