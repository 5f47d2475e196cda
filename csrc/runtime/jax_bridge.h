//===- jax_bridge.h - JAX arrays as inputs --------------------------------===//
//
// What the runtime needs of JAX is registered by janus_mlir/runtime/jax_arrays.py,
// the one place that knows JAX's internals.
//
//===----------------------------------------------------------------------===//

#ifndef JANUS_RUNTIME_JAX_BRIDGE_H
#define JANUS_RUNTIME_JAX_BRIDGE_H

#include "guard_program.h"
#include "python_api.h"

namespace janus {

/// `_runtime.register_jax(array_type, is_on_host)`.
PyObject *register_jax(PyObject *module, PyObject *args);

/// Have JAX registered, importing the Python side when needed. Throws PythonError.
void require_jax();

/// Whether it is exactly a registered JAX array. False before the registration.
bool is_jax_array(PyObject *object);

/// The check ("array", src, "jax", ...). May leave a Python error set on failure.
bool check_jax_array(PyObject *object, const Instruction &instruction, const int64_t *dims, JaxCache &cache,
                     int64_t *symbols);

/// The address of a JAX array's data, after waiting for its computation if need
/// be; false with a Python error set for an array that has no data any more.
bool jax_data_pointer(PyObject *array, int64_t &address);

/// The extents of a JAX array; false, perhaps with an error set, where it has none.
bool jax_shape(PyObject *array, std::vector<int64_t> &dims);

/// The extents of a JAX array on the host with this dtype that is or is not weakly typed; null, perhaps with an error
/// set, for anything else. Valid until the next call.
const std::vector<int64_t> *jax_extents(PyObject *array, int dtype, bool weak);

/// Note that a wrap callable has just made `array` from the NumPy array `source`.
void remember_made_array(PyObject *array, PyObject *source);

} // namespace janus

#endif // JANUS_RUNTIME_JAX_BRIDGE_H
