//===- guard_checks.cpp - The checks behind guard instructions ------------===//

#include "guard_checks.h"

#include "dtypes.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace janus {
namespace {

PyTypeObject *deque_type = nullptr;

bool same_bits(double left, double right) { return std::memcmp(&left, &right, sizeof(double)) == 0; }

/// Look `name` up on a type as attribute access does. Borrowed, null if absent.
PyObject *lookup_on_type(PyTypeObject *type, PyObject *name) {
#if PY_VERSION_HEX < 0x030F0000 && !defined(Py_GIL_DISABLED)
  return _PyType_Lookup(type, name);
#else
  PyObject *mro = type->tp_mro;
  for (Py_ssize_t index = 0; mro && index < PyTuple_GET_SIZE(mro); ++index) {
    auto *base = reinterpret_cast<PyTypeObject *>(PyTuple_GET_ITEM(mro, index));
    Ref dict(PyType_GetDict(base));
    if (PyObject *found = dict ? PyDict_GetItemWithError(dict.get(), name) : nullptr)
      return found;
  }
  PyErr_Clear();
  return nullptr;
#endif
}

bool instances_have_dict(PyTypeObject *type) {
  if (type->tp_dictoffset != 0)
    return true;
#ifdef Py_TPFLAGS_MANAGED_DICT
  return (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) != 0;
#else
  return false;
#endif
}

/// The bytes from the lowest to one past the highest byte of an array.
void memory_bounds(PyArrayObject *array, uintptr_t &low, uintptr_t &high) {
  low = high = reinterpret_cast<uintptr_t>(PyArray_DATA(array));
  for (int axis = 0; axis < PyArray_NDIM(array); ++axis) {
    npy_intp extent = PyArray_DIM(array, axis);
    if (extent == 0) {
      high = low;
      return;
    }
    npy_intp span = (extent - 1) * PyArray_STRIDE(array, axis);
    (span < 0 ? low : high) += static_cast<uintptr_t>(span);
  }
  high += static_cast<uintptr_t>(PyArray_ITEMSIZE(array));
}

bool is_empty(PyArrayObject *array) { return PyArray_SIZE(array) == 0; }

bool is_plain_type(PyTypeObject *type) {
  return type == &PyLong_Type || type == &PyFloat_Type || type == &PyComplex_Type || type == &PyUnicode_Type ||
         type == &PyBytes_Type || type == &PyBool_Type || type == Py_TYPE(Py_None) || type == Py_TYPE(Py_Ellipsis);
}

} // namespace

bool initialize_checks() {
  Ref collections(PyImport_ImportModule("collections"));
  Ref deque(collections ? PyObject_GetAttrString(collections.get(), "deque") : nullptr);
  if (!deque)
    return false;
  deque_type = reinterpret_cast<PyTypeObject *>(deque.release());
  return true;
}

bool is_comparable_constant(PyObject *object) {
  if (is_plain_type(Py_TYPE(object)) || PyArray_DescrCheck(object))
    return true;
  if (PyTuple_Check(object)) {
    for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(object); ++index)
      if (!is_comparable_constant(PyTuple_GET_ITEM(object, index)))
        return false;
    return true;
  }
  if (PySlice_Check(object)) {
    auto *slice = reinterpret_cast<PySliceObject *>(object);
    return is_comparable_constant(slice->start) && is_comparable_constant(slice->stop) &&
           is_comparable_constant(slice->step);
  }
  ScalarCell cell;
  return copy_scalar(object, &cell);
}

bool equal_constant(PyObject *value, PyObject *constant) {
  if (value == constant)
    return true;
  PyTypeObject *type = Py_TYPE(value);
  if (type != Py_TYPE(constant))
    return false;
  if (type == &PyLong_Type || type == &PyUnicode_Type || type == &PyBytes_Type) {
    int equal = PyObject_RichCompareBool(value, constant, Py_EQ);
    if (equal < 0)
      PyErr_Clear();
    return equal > 0;
  }
  if (type == &PyFloat_Type)
    return same_bits(PyFloat_AS_DOUBLE(value), PyFloat_AS_DOUBLE(constant));
  if (type == &PyComplex_Type) {
    Py_complex left = PyComplex_AsCComplex(value);
    Py_complex right = PyComplex_AsCComplex(constant);
    return same_bits(left.real, right.real) && same_bits(left.imag, right.imag);
  }
  if (PyTuple_Check(value)) {
    Py_ssize_t size = PyTuple_GET_SIZE(value);
    if (size != PyTuple_GET_SIZE(constant))
      return false;
    for (Py_ssize_t index = 0; index < size; ++index)
      if (!equal_constant(PyTuple_GET_ITEM(value, index), PyTuple_GET_ITEM(constant, index)))
        return false;
    return true;
  }
  if (type == &PySlice_Type) {
    auto *left = reinterpret_cast<PySliceObject *>(value);
    auto *right = reinterpret_cast<PySliceObject *>(constant);
    return equal_constant(left->start, right->start) && equal_constant(left->stop, right->stop) &&
           equal_constant(left->step, right->step);
  }
  if (PyArray_DescrCheck(value)) {
    auto *left = reinterpret_cast<PyArray_Descr *>(value);
    auto *right = reinterpret_cast<PyArray_Descr *>(constant);
    return left->type_num == right->type_num && PyArray_EquivTypes(left, right);
  }
  ScalarCell left = {};
  ScalarCell right = {};
  if (copy_scalar(value, &left) && copy_scalar(constant, &right))
    return std::memcmp(&left, &right, sizeof left) == 0;
  return false;
}

Py_ssize_t builtin_length(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  if (type == &PyList_Type)
    return PyList_GET_SIZE(object);
  if (type == &PyTuple_Type)
    return PyTuple_GET_SIZE(object);
  if (type == &PyDict_Type)
    return PyDict_GET_SIZE(object);
  if (type == &PyUnicode_Type)
    return PyUnicode_GET_LENGTH(object);
  if (type == &PySet_Type || type == &PyFrozenSet_Type)
    return PySet_GET_SIZE(object);
  if (type == deque_type || type == &PyBytes_Type)
    return PyObject_Size(object);
  return -1;
}

bool has_keys_in_order(PyObject *dict, PyObject *keys) {
  if (!PyDict_CheckExact(dict) || PyDict_GET_SIZE(dict) != PyTuple_GET_SIZE(keys))
    return false;
  Py_ssize_t position = 0;
  Py_ssize_t index = 0;
  PyObject *key;
  while (PyDict_Next(dict, &position, &key, nullptr)) {
    if (!equal_constant(key, PyTuple_GET_ITEM(keys, index)))
      return false;
    ++index;
  }
  return true;
}

bool finds_method(PyObject *object, PyObject *name, PyObject *function) {
  PyTypeObject *type = Py_TYPE(object);
  if (lookup_on_type(type, name) != function)
    return false;
  if (Py_TYPE(function)->tp_descr_set || !instances_have_dict(type))
    return true;
  // Looking into the instance's dict would make CPython build one where the
  // attributes are stored inline, and slow the object down for good. A bound
  // method that attribute access returns says the same.
  if (PyFunction_Check(function) && type->tp_getattro == PyObject_GenericGetAttr) {
    Ref found(PyObject_GetAttr(object, name));
    if (!found) {
      PyErr_Clear();
      return false;
    }
    return PyMethod_Check(found.get()) && PyMethod_GET_FUNCTION(found.get()) == function &&
           PyMethod_GET_SELF(found.get()) == object;
  }
  Ref dict(PyObject_GenericGetDict(object, nullptr));
  int shadowed = dict ? PyDict_Contains(dict.get(), name) : -1;
  if (shadowed < 0)
    PyErr_Clear();
  return shadowed == 0;
}

bool memory_bounds_overlap(PyArrayObject *left, PyArrayObject *right) {
  if (left == right)
    return true;
  if (is_empty(left) || is_empty(right))
    return false;
  uintptr_t left_low, left_high, right_low, right_high;
  memory_bounds(left, left_low, left_high);
  memory_bounds(right, right_low, right_high);
  return left_low < right_high && right_low < left_high;
}

bool pairwise_distinct(PyObject *const *objects, const int64_t *slots, size_t count) {
  constexpr size_t few = 16;
  if (count <= few) {
    for (size_t left = 0; left < count; ++left)
      for (size_t right = left + 1; right < count; ++right)
        if (objects[slots[left]] == objects[slots[right]])
          return false;
    return true;
  }
  std::vector<PyObject *> sorted(count);
  for (size_t index = 0; index < count; ++index)
    sorted[index] = objects[slots[index]];
  std::sort(sorted.begin(), sorted.end());
  return std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
}

} // namespace janus
