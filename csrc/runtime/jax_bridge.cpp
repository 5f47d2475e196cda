//===- jax_bridge.cpp - JAX arrays as inputs ------------------------------===//

#include "jax_bridge.h"

#include "dtypes.h"
#include "guard_checks.h"

namespace janus {
namespace {

/// What the Python side registered. References are held for good.
PyTypeObject *array_type = nullptr;
PyObject *is_on_host = nullptr;

struct {
  PyObject *aval;
  PyObject *shape;
  PyObject *dtype;
  PyObject *weak_type;
  PyObject *is_deleted;
  PyObject *is_ready;
  PyObject *block_until_ready;
  PyObject *unsafe_buffer_pointer;
} names;

bool initialize_names() {
  auto intern = [](PyObject *&slot, const char *name) {
    slot = PyUnicode_InternFromString(name);
    return slot != nullptr;
  };
  return intern(names.aval, "aval") && intern(names.shape, "shape") && intern(names.dtype, "dtype") &&
         intern(names.weak_type, "weak_type") && intern(names.is_deleted, "is_deleted") &&
         intern(names.is_ready, "is_ready") && intern(names.block_until_ready, "block_until_ready") &&
         intern(names.unsafe_buffer_pointer, "unsafe_buffer_pointer");
}

//===----------------------------------------------------------------------===//
// Arrays seen before
//===----------------------------------------------------------------------===//

/// JAX arrays do not change, except that they can be deleted (donated). What was
/// found out about one, at about a microsecond, holds as long as it lives.
struct KnownArray {
  PyObject *array = nullptr;   // borrowed, valid while the weak reference is alive
  PyObject *weakref = nullptr; // owned
  PyObject *aval = nullptr;    // owned
  int64_t address = 0;         // of data that is ready; 0 where not asked for yet
  /// Of an array that a wrap callable made: a weak reference (owned) to the NumPy array that has the
  /// data. JAX keeps that alive as long as it has not copied it.
  PyObject *source = nullptr;
};

constexpr size_t kKnownArrays = 1024;
KnownArray known_arrays[kKnownArrays];

KnownArray &place_of(PyObject *array) {
  uintptr_t address = reinterpret_cast<uintptr_t>(array);
  return known_arrays[((address >> 4) ^ (address >> 14)) % kKnownArrays];
}

/// What a weak reference refers to, null if it is gone. Only to be compared: nothing is held.
PyObject *target_of(PyObject *weakref) {
#if PY_VERSION_HEX >= 0x030D0000
  PyObject *target = nullptr;
  if (PyWeakref_GetRef(weakref, &target) != 1)
    return nullptr;
  Py_DECREF(target);
  return target;
#else
  PyObject *target = PyWeakref_GetObject(weakref);
  return target == Py_None ? nullptr : target;
#endif
}

/// Null for an array not seen before.
KnownArray *find_known(PyObject *array) {
  KnownArray &place = place_of(array);
  return place.array == array && target_of(place.weakref) == array ? &place : nullptr;
}

/// Remember an array whose data lies on the host. Null if that failed.
KnownArray *remember(PyObject *array, PyObject *aval) {
  PyObject *weakref = PyWeakref_NewRef(array, nullptr);
  if (!weakref) {
    PyErr_Clear();
    return nullptr;
  }
  KnownArray &place = place_of(array);
  KnownArray replaced = std::exchange(place, KnownArray{array, weakref, Py_NewRef(aval)});
  Py_XDECREF(replaced.weakref);
  Py_XDECREF(replaced.aval);
  Py_XDECREF(replaced.source);
  return &place;
}

//===----------------------------------------------------------------------===//
// Finding out
//===----------------------------------------------------------------------===//

bool lies_on_host(PyObject *array) {
  Ref verdict(PyObject_CallOneArg(is_on_host, array));
  return verdict.get() == Py_True;
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

bool wait_until_ready(PyObject *array) {
  Ref ready(PyObject_CallMethodNoArgs(array, names.is_ready));
  if (!ready)
    return false;
  if (ready.get() == Py_True)
    return true;
  return bool(Ref(PyObject_CallMethodNoArgs(array, names.block_until_ready)));
}

} // namespace

PyObject *register_jax(PyObject *, PyObject *args) {
  PyObject *type, *predicate;
  if (!PyArg_ParseTuple(args, "O!O:register_jax", &PyType_Type, &type, &predicate))
    return nullptr;
  if (!names.aval && !initialize_names())
    return nullptr;
  Ref old_type(reinterpret_cast<PyObject *>(array_type));
  Ref old_predicate(std::exchange(is_on_host, Py_NewRef(predicate)));
  array_type = reinterpret_cast<PyTypeObject *>(Py_NewRef(type));
  Py_RETURN_NONE;
}

void require_jax() {
  if (array_type)
    return;
  Ref module(PyImport_ImportModule("janus_mlir.runtime.jax_arrays"));
  if (!module)
    throw PythonError();
  if (!array_type) {
    PyErr_SetString(PyExc_RuntimeError, "janus_mlir.runtime.jax_arrays did not register JAX");
    throw PythonError();
  }
}

bool is_jax_array(PyObject *object) { return array_type && Py_TYPE(object) == array_type; }

bool check_jax_array(PyObject *object, const Instruction &instruction, const int64_t *dims, JaxCache &cache,
                     int64_t *symbols) {
  if (!is_jax_array(object))
    return false;
  KnownArray *known = find_known(object);
  Ref aval = known ? Ref::borrow(known->aval) : Ref(PyObject_GetAttr(object, names.aval));
  if (!aval)
    return false;
  if (aval.get() == cache.aval) {
    // Dimension symbols may differ from the last time: the dims are matched again.
    if (!match_dims(cache.dims.data(), dims, cache.dims.size(), instruction.low, symbols))
      return false;
  } else {
    std::vector<int64_t> found;
    if (!is_wanted_aval(aval.get(), instruction, found) ||
        !match_dims(found.data(), dims, found.size(), instruction.low, symbols))
      return false;
    cache.dims.swap(found);
    Ref replaced(std::exchange(cache.aval, Py_NewRef(aval.get())));
  }
  if (!known) {
    if (!lies_on_host(object))
      return false;
    remember(object, aval.get());
  }
  return true;
}

bool jax_data_pointer(PyObject *array, int64_t &address) {
  // First: JAX crashes when a deleted array is asked whether it is ready.
  Ref deleted(PyObject_CallMethodNoArgs(array, names.is_deleted));
  if (deleted.get() != Py_False) {
    if (deleted)
      PyErr_SetString(PyExc_RuntimeError, "the JAX array has been deleted");
    return false;
  }
  if (KnownArray *known = find_known(array); known && known->address && (!known->source || target_of(known->source))) {
    address = known->address;
    return true;
  }
  // The address is known before the data is there: JAX computes asynchronously.
  if (!wait_until_ready(array))
    return false;
  Ref pointer(PyObject_CallMethodNoArgs(array, names.unsafe_buffer_pointer));
  if (!pointer)
    return false;
  unsigned long long value = PyLong_AsUnsignedLongLong(pointer.get());
  if (PyErr_Occurred())
    return false;
  address = static_cast<int64_t>(value);
  // Looked up only now: waiting may have let other threads in.
  if (KnownArray *known = find_known(array)) {
    known->address = address;
    Py_CLEAR(known->source);
  }
  return true;
}

namespace {

/// What an abstract value says of its arrays. Few are alive at a time, and arrays that are alike share one.
struct KnownAval {
  PyObject *aval = nullptr; // owned
  int dtype = -1;
  bool weak = false;
  std::vector<int64_t> dims;
};

constexpr size_t kKnownAvals = 256;
KnownAval known_avals[kKnownAvals];

/// Null, perhaps with an error set, where it does not describe an array of a type that the runtime has.
const KnownAval *read_aval(PyObject *aval) {
  uintptr_t address = reinterpret_cast<uintptr_t>(aval);
  KnownAval &known = known_avals[((address >> 4) ^ (address >> 12)) % kKnownAvals];
  if (known.aval == aval)
    return &known;
  Ref dtype(PyObject_GetAttr(aval, names.dtype));
  if (!dtype || !PyArray_DescrCheck(dtype.get()))
    return nullptr;
  int code = 0;
  for (; code < JANUS_DTYPE_COUNT; ++code) {
    PyArray_Descr *descr = descriptor(code);
    if (descr && is_dtype(reinterpret_cast<PyArray_Descr *>(dtype.get()), descr))
      break;
    PyErr_Clear();
  }
  Ref weak(PyObject_GetAttr(aval, names.weak_type));
  Ref shape(PyObject_GetAttr(aval, names.shape));
  std::vector<int64_t> dims;
  if (code == JANUS_DTYPE_COUNT || !weak || !read_dims(shape.get(), dims))
    return nullptr;
  Ref replaced(std::exchange(known.aval, Py_NewRef(aval)));
  known.dtype = code;
  known.weak = weak.get() == Py_True;
  known.dims.swap(dims);
  return &known;
}

} // namespace

const std::vector<int64_t> *jax_extents(PyObject *array, int dtype, bool weak) {
  if (!is_jax_array(array))
    return nullptr;
  KnownArray *known = find_known(array);
  Ref aval = known ? Ref::borrow(known->aval) : Ref(PyObject_GetAttr(array, names.aval));
  const KnownAval *found = aval ? read_aval(aval.get()) : nullptr;
  if (!found || found->dtype != dtype || found->weak != weak)
    return nullptr;
  if (!known) {
    if (!lies_on_host(array))
      return nullptr;
    remember(array, aval.get());
    // Python code has run: look again.
    found = read_aval(aval.get());
  }
  return found ? &found->dims : nullptr;
}

bool jax_shape(PyObject *array, std::vector<int64_t> &dims) {
  Ref shape(PyObject_GetAttr(array, names.shape));
  return read_dims(shape.get(), dims);
}

void remember_made_array(PyObject *array, PyObject *source) {
  if (!is_jax_array(array))
    return;
  // Not asked for its address: JAX makes the array costlier to free once it has given that away.
  Ref aval(PyObject_GetAttr(array, names.aval));
  Ref weak_source(aval ? PyWeakref_NewRef(source, nullptr) : nullptr);
  KnownArray *known = weak_source ? remember(array, aval.get()) : nullptr;
  if (known) {
    known->source = weak_source.release();
    void *data = PyArray_DATA(reinterpret_cast<PyArrayObject *>(source));
    known->address = static_cast<int64_t>(reinterpret_cast<uintptr_t>(data));
  }
  PyErr_Clear();
}

} // namespace janus
