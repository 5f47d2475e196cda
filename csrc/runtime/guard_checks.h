//===- guard_checks.h - The checks behind guard instructions --------------===//

#ifndef JANUS_RUNTIME_GUARD_CHECKS_H
#define JANUS_RUNTIME_GUARD_CHECKS_H

#include "guard_program.h"
#include "python_api.h"

namespace janus {

/// Import the types that the checks know by identity (deque).
bool initialize_checks();

/// Whether `equal_constant` decides equality with this object exactly: numbers,
/// strings, bytes, None, NumPy numbers and dtypes, and tuples and slices of such.
bool is_comparable_constant(PyObject *object);

/// Same exact type and same value; floats by their bits. Runs no user code.
bool equal_constant(PyObject *value, PyObject *constant);

/// The length of an exact builtin container (or deque), -1 for anything else.
Py_ssize_t builtin_length(PyObject *object);

/// Whether an exact dict has exactly these keys in this order.
bool has_keys_in_order(PyObject *dict, PyObject *keys);

/// Whether `object.name` finds `function` on the type, and nothing in the
/// instance's own dict hides it.
bool finds_method(PyObject *object, PyObject *name, PyObject *function);

/// The code of a NumPy scalar's type matches.
inline bool is_scalar_of(PyObject *object, PyArray_Descr *descr) { return Py_TYPE(object) == descr->typeobj; }

/// Whether the memory of two arrays may overlap, judged by their bounds.
bool memory_bounds_overlap(PyArrayObject *left, PyArrayObject *right);

/// Whether the objects are pairwise not identical.
bool pairwise_distinct(PyObject *const *objects, const int64_t *slots, size_t count);

/// `_runtime.register_warnings(state_variable, look, warnings_dict)` and `_runtime.numpy_is_quiet(_)`.
PyObject *register_warnings(PyObject *module, PyObject *args);
PyObject *numpy_is_quiet(PyObject *module, PyObject *ignored);

/// Check dims of an array, and bind or compare dimension symbols.
inline bool match_dims(const int64_t *found, const int64_t *wanted, size_t count, int64_t minimum, int64_t *symbols) {
  for (size_t axis = 0; axis < count; ++axis) {
    int64_t dim = wanted[axis];
    if (dim >= 0) {
      if (found[axis] != dim)
        return false;
      continue;
    }
    int64_t &symbol = symbols[decode_symbol(dim)];
    if (is_binding_symbol(dim)) {
      if (found[axis] < minimum)
        return false;
      symbol = found[axis];
    } else if (found[axis] != symbol || found[axis] < minimum) {
      return false;
    }
  }
  return true;
}

} // namespace janus

#endif // JANUS_RUNTIME_GUARD_CHECKS_H
