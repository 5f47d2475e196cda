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

/// `_runtime.register_jax(array_type, sharding_attribute, accepts_sharding)`.
PyObject *register_jax(PyObject *module, PyObject *args);

/// Have JAX registered, importing the Python side when needed. Throws PythonError.
void require_jax();

/// The check ("array", src, "jax", ...). Python errors are failures.
bool check_jax_array(PyObject *object, const Instruction &instruction, const int64_t *dims,
                     JaxCache &cache, int64_t *symbols);

/// The address of a JAX array's data, waiting for its computation if need be. 0 with a Python
/// error set for an array that has none any more. The array may be any object of the registered type.
int64_t jax_data_pointer(PyObject *array);

/// Whether it is exactly a registered JAX array. False before the registration.
bool is_jax_array(PyObject *object);

/// The extents of a JAX array, from its `shape`. False with an error set on failure.
bool jax_shape(PyObject *array, std::vector<int64_t> &dims);

} // namespace janus

#endif // JANUS_RUNTIME_JAX_BRIDGE_H
