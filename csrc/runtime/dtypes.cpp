//===- dtypes.cpp - Element type codes as NumPy knows them ----------------===//

#include "dtypes.h"

#include <cstring>

namespace janus {

const char *const kDTypeNames[JANUS_DTYPE_COUNT] = {"bool",     "int8",    "int16",   "int32",     "int64",
                                                    "uint8",    "uint16",  "uint32",  "uint64",    "float16",
                                                    "bfloat16", "float32", "float64", "complex64", "complex128"};

const int8_t kItemSizes[JANUS_DTYPE_COUNT] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 8, 16};

namespace {

PyArray_Descr *descriptors[JANUS_DTYPE_COUNT];

/// bfloat16 is no NumPy type of its own; ml_dtypes, which JAX brings, adds it.
PyArray_Descr *find_bfloat16() {
  Ref module(PyImport_ImportModule("ml_dtypes"));
  if (!module)
    return nullptr;
  Ref type(PyObject_GetAttrString(module.get(), "bfloat16"));
  if (!type)
    return nullptr;
  PyArray_Descr *found = nullptr;
  return PyArray_DescrConverter(type.get(), &found) ? found : nullptr;
}

} // namespace

bool initialize_descriptors() {
  static const int numbers[JANUS_DTYPE_COUNT] = {NPY_BOOL,   NPY_INT8,    NPY_INT16,   NPY_INT32,     NPY_INT64,
                                                 NPY_UINT8,  NPY_UINT16,  NPY_UINT32,  NPY_UINT64,    NPY_FLOAT16,
                                                 NPY_NOTYPE, NPY_FLOAT32, NPY_FLOAT64, NPY_COMPLEX64, NPY_COMPLEX128};
  for (int code = 0; code < JANUS_DTYPE_COUNT; ++code) {
    if (code == JANUS_BF16)
      continue;
    descriptors[code] = PyArray_DescrFromType(numbers[code]);
    if (!descriptors[code])
      return false;
  }
  return true;
}

bool copy_scalar(PyObject *scalar, void *destination) {
  if (!PyArray_CheckScalar(scalar) || PyArray_Check(scalar))
    return false;
  Ref owned(reinterpret_cast<PyObject *>(PyArray_DescrFromScalar(scalar)));
  if (!owned) {
    PyErr_Clear();
    return false;
  }
  auto *descr = reinterpret_cast<PyArray_Descr *>(owned.get());
  int number = descr->type_num;
  // Long doubles have padding bytes of no fixed value; Janus has no use for them.
  if (number == NPY_LONGDOUBLE || number == NPY_CLONGDOUBLE || PyDataType_ELSIZE(descr) > 16)
    return false;
  if (PyTypeNum_ISUSERDEF(number)) {
    // Of types that are not NumPy's own, NumPy gives the address of the value.
    const void *value = nullptr;
    PyArray_ScalarAsCtype(scalar, &value);
    std::memcpy(destination, value, static_cast<size_t>(PyDataType_ELSIZE(descr)));
    return true;
  }
  if (!PyTypeNum_ISNUMBER(number) && !PyTypeNum_ISBOOL(number))
    return false;
  PyArray_ScalarAsCtype(scalar, destination);
  return true;
}

PyArray_Descr *descriptor(int32_t code) {
  if (code < 0 || code >= JANUS_DTYPE_COUNT) {
    PyErr_Format(PyExc_ValueError, "no element type has the code %d", static_cast<int>(code));
    return nullptr;
  }
  if (!descriptors[code])
    descriptors[code] = find_bfloat16();
  return descriptors[code];
}

} // namespace janus
