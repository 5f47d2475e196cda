//===- jax_bridge.cpp - JAX arrays as inputs ------------------------------===//

#include "jax_bridge.h"

#include "dtypes.h"
#include "guard_checks.h"

namespace janus {
namespace {

/// What the Python side registered. References are held for good.
struct {
  PyTypeObject *array_type = nullptr;
  PyObject *sharding_attribute = nullptr;
  PyObject *accepts_sharding = nullptr;
} jax;

struct {
  PyObject *aval;
  PyObject *shape;
  PyObject *dtype;
  PyObject *weak_type;
  PyObject *is_ready;
  PyObject *block_until_ready;
  PyObject *unsafe_buffer_pointer;
} names;

/// Shardings found acceptable. Few objects serve all arrays of a process.
constexpr size_t kKnownShardings = 8;
PyObject *known_shardings[kKnownShardings];
size_t next_sharding = 0;

bool intern(PyObject *&slot, const char *name) {
  slot = PyUnicode_InternFromString(name);
  return slot != nullptr;
}

bool initialize_names() {
  return intern(names.aval, "aval") && intern(names.shape, "shape") &&
         intern(names.dtype, "dtype") && intern(names.weak_type, "weak_type") &&
         intern(names.is_ready, "is_ready") &&
         intern(names.block_until_ready, "block_until_ready") &&
         intern(names.unsafe_buffer_pointer, "unsafe_buffer_pointer");
}

bool has_accepted_sharding(PyObject *array) {
  Ref sharding(PyObject_GetAttr(array, jax.sharding_attribute));
  if (!sharding)
    return false;
  for (PyObject *known : known_shardings)
    if (known == sharding.get())
      return true;
  Ref verdict(PyObject_CallOneArg(jax.accepts_sharding, sharding.get()));
  if (!verdict || PyObject_IsTrue(verdict.get()) != 1)
    return false;
  PyObject *&slot = known_shardings[next_sharding];
  next_sharding = (next_sharding + 1) % kKnownShardings;
  Ref evicted(std::exchange(slot, sharding.release()));
  return true;
}

bool read_dims(PyObject *shape, std::vector<int64_t> &dims) {
  if (!shape || !PyTuple_Check(shape))
    return false;
  dims.clear();
  for (Py_ssize_t axis = 0; axis < PyTuple_GET_SIZE(shape); ++axis) {
    long long extent = PyLong_AsLongLong(PyTuple_GET_ITEM(shape, axis));
    if (extent < 0)
      return false;
    dims.push_back(extent);
  }
  return true;
}

bool is_wanted_aval(PyObject *aval, const Instruction &wanted, std::vector<int64_t> &dims) {
  Ref dtype(PyObject_GetAttr(aval, names.dtype));
  if (!dtype || !PyArray_DescrCheck(dtype.get()) ||
      !is_dtype(reinterpret_cast<PyArray_Descr *>(dtype.get()), wanted.descr))
    return false;
  Ref weak(PyObject_GetAttr(aval, names.weak_type));
  if (!weak || weak.get() != (wanted.weak ? Py_True : Py_False))
    return false;
  Ref shape(PyObject_GetAttr(aval, names.shape));
  return read_dims(shape.get(), dims) && dims.size() == wanted.number_count;
}

int64_t read_pointer(PyObject *array) {
  // The address is known before the data is there: JAX computes asynchronously.
  Ref ready(PyObject_CallMethodNoArgs(array, names.is_ready));
  if (!ready)
    return 0;
  if (ready.get() != Py_True) {
    Ref waited(PyObject_CallMethodNoArgs(array, names.block_until_ready));
    if (!waited)
      return 0;
  }
  Ref pointer(PyObject_CallMethodNoArgs(array, names.unsafe_buffer_pointer));
  if (!pointer)
    return 0;
  return static_cast<int64_t>(PyLong_AsUnsignedLongLongMask(pointer.get()));
}

} // namespace

PyObject *register_jax(PyObject *, PyObject *args) {
  PyObject *array_type, *sharding_attribute, *accepts_sharding;
  if (!PyArg_ParseTuple(args, "O!UO:register_jax", &PyType_Type, &array_type, &sharding_attribute,
                        &accepts_sharding))
    return nullptr;
  if (!names.aval && !initialize_names())
    return nullptr;
  Py_INCREF(sharding_attribute);
  PyUnicode_InternInPlace(&sharding_attribute);
  Ref old_type(reinterpret_cast<PyObject *>(jax.array_type));
  Ref old_attribute(std::exchange(jax.sharding_attribute, sharding_attribute));
  Ref old_accepts(std::exchange(jax.accepts_sharding, Py_NewRef(accepts_sharding)));
  jax.array_type = reinterpret_cast<PyTypeObject *>(Py_NewRef(array_type));
  for (PyObject *&known : known_shardings)
    Ref forgotten(std::exchange(known, nullptr));
  Py_RETURN_NONE;
}

void require_jax() {
  if (jax.array_type)
    return;
  Ref module(PyImport_ImportModule("janus_mlir.runtime.jax_arrays"));
  if (!module)
    throw PythonError();
  if (!jax.array_type) {
    PyErr_SetString(PyExc_RuntimeError, "janus_mlir.runtime.jax_arrays did not register JAX");
    throw PythonError();
  }
}

bool is_jax_array(PyObject *object) { return jax.array_type && Py_TYPE(object) == jax.array_type; }

bool check_jax_array(PyObject *object, const Instruction &instruction, const int64_t *dims,
                     JaxCache &cache, int64_t *symbols) {
  if (!is_jax_array(object))
    return false;
  Ref aval(PyObject_GetAttr(object, names.aval));
  if (!aval)
    return false;
  if (aval.get() != cache.aval) {
    std::vector<int64_t> found;
    if (!is_wanted_aval(aval.get(), instruction, found) ||
        !match_dims(found.data(), dims, found.size(), instruction.low, symbols) ||
        !has_accepted_sharding(object))
      return false;
    cache.dims.swap(found);
    Ref replaced(std::exchange(cache.aval, aval.release()));
    return true;
  }
  // Symbols may differ from the last time, so the dims are compared again.
  return match_dims(cache.dims.data(), dims, cache.dims.size(), instruction.low, symbols) &&
         has_accepted_sharding(object);
}

int64_t jax_data_pointer(PyObject *array) { return read_pointer(array); }

bool jax_shape(PyObject *array, std::vector<int64_t> &dims) {
  Ref shape(PyObject_GetAttr(array, names.shape));
  return shape && read_dims(shape.get(), dims);
}

} // namespace janus
