//===- heap_reads.cpp - Live objects as native code reads them ------------===//
//
// Native code runs with the GIL held and changes nothing, so that whatever an object reachable from the arguments
// refers to stays alive: references are borrowed throughout.
//
//===----------------------------------------------------------------------===//

#include "call_context.h"
#include "dtypes.h"
#include "guard_checks.h"
#include "jax_bridge.h"

#include <structmember.h>

using namespace janus;

namespace {

PyObject *as_object(JanusObject object) { return static_cast<PyObject *>(object); }

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

/// JanusAttribute::way; from kSlots on it is the offset of a slot plus kSlots.
enum Way : int64_t { kUnknown = 0, kLookup = 1, kRefused = 2, kSlots = 16 };

PyObject *name_of(JanusAttribute &attribute) {
  // Interned strings of compiled code live for good, like those of the interpreter's own code.
  if (!attribute.interned)
    attribute.interned = PyUnicode_InternFromString(attribute.name);
  return static_cast<PyObject *>(attribute.interned);
}

bool has_version(PyTypeObject *type) {
#ifdef Py_TPFLAGS_VALID_VERSION_TAG
  if (!PyType_HasFeature(type, Py_TPFLAGS_VALID_VERSION_TAG))
    return false;
#endif
  return type->tp_version_tag != 0;
}

/// How instances of a type get at an attribute without running code.
int64_t find_way(PyTypeObject *type, PyObject *name) {
  if (type->tp_getattro != PyObject_GenericGetAttr)
    return kRefused;
  PyObject *found = _PyType_Lookup(type, name);
  if (!found || !Py_TYPE(found)->tp_descr_get)
    return kLookup;
  if (Py_IS_TYPE(found, &PyMemberDescr_Type)) {
    const PyMemberDef *member = reinterpret_cast<PyMemberDescrObject *>(found)->d_member;
    if (member->type == T_OBJECT_EX)
      return kSlots + member->offset;
  }
  return kRefused;
}

PyObject *look_up(PyObject *object, PyObject *name) {
  PyObject *found = nullptr;
#if PY_VERSION_HEX >= 0x030D0000
  int status = PyObject_GetOptionalAttr(object, name, &found);
#else
  int status = _PyObject_LookupAttr(object, name, &found);
#endif
  if (status < 0)
    PyErr_Clear();
  if (!found)
    return nullptr;
  // Something else holds it, or it was made just now and is no plain attribute.
  bool held = Py_REFCNT(found) > 1;
  Py_DECREF(found);
  return held ? found : nullptr;
}

} // namespace

JanusObject janus_rt_get_attr(JanusObject pointer, JanusAttribute *attribute) {
  PyObject *object = as_object(pointer);
  if (!object)
    return nullptr;
  PyTypeObject *type = Py_TYPE(object);
  int64_t way;
  if (attribute->type == type && has_version(type) &&
      attribute->version == static_cast<int64_t>(type->tp_version_tag)) {
    way = attribute->way;
  } else {
    PyObject *name = name_of(*attribute);
    if (!name) {
      PyErr_Clear();
      return nullptr;
    }
    way = find_way(type, name);
    // The lookup has given the type a version, as far as there are any left.
    attribute->type = has_version(type) ? type : nullptr;
    attribute->version = type->tp_version_tag;
    attribute->way = way;
  }
  if (way >= kSlots)
    return *reinterpret_cast<PyObject **>(reinterpret_cast<char *>(object) + (way - kSlots));
  if (way == kRefused)
    return nullptr;
  return look_up(object, static_cast<PyObject *>(attribute->interned));
}

int64_t janus_rt_method_is(JanusObject pointer, JanusAttribute *attribute, JanusObject function) {
  PyObject *object = as_object(pointer), *name = name_of(*attribute);
  if (!object || !name) {
    PyErr_Clear();
    return 0;
  }
  return Py_TYPE(object)->tp_getattro == PyObject_GenericGetAttr && finds_method(object, name, as_object(function));
}

//===----------------------------------------------------------------------===//
// Containers
//===----------------------------------------------------------------------===//

JanusObject janus_rt_get_item(JanusObject pointer, int64_t index) {
  PyObject *object = as_object(pointer);
  if (!object)
    return nullptr;
  bool is_list = PyList_CheckExact(object);
  if (!is_list && !PyTuple_CheckExact(object))
    return nullptr;
  Py_ssize_t size = Py_SIZE(object);
  if (index < 0)
    index += size;
  if (index < 0 || index >= size)
    return nullptr;
  return is_list ? PyList_GET_ITEM(object, index) : PyTuple_GET_ITEM(object, index);
}

JanusObject janus_rt_get_key(JanusObject pointer, JanusObject key) {
  PyObject *object = as_object(pointer);
  if (!object || !key || !PyDict_CheckExact(object))
    return nullptr;
  PyObject *found = PyDict_GetItemWithError(object, as_object(key));
  if (!found)
    PyErr_Clear();
  return found;
}

int64_t janus_rt_length(JanusObject pointer) {
  PyObject *object = as_object(pointer);
  if (!object)
    return -1;
  if (PyUnicode_CheckExact(object))
    return PyUnicode_GET_LENGTH(object);
  return builtin_length(object);
}

int64_t janus_rt_equals(JanusObject left, JanusObject right) {
  if (!left || !right || !PyUnicode_CheckExact(as_object(left)) || !PyUnicode_CheckExact(as_object(right)))
    return 0;
  return left == right || PyUnicode_Compare(as_object(left), as_object(right)) == 0;
}

//===----------------------------------------------------------------------===//
// Objects made by the call
//===----------------------------------------------------------------------===//

namespace {

/// Holds a new object (or null, with an error set) until the end of the call.
JanusObject kept(JanusCall *call, PyObject *made) {
  // The journal is the first member of the context.
  if (made && reinterpret_cast<CallContext *>(call)->keep(made))
    return made;
  // Whoever waits for an interrupt gets it when the call is over.
  bool interrupted = PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_KeyboardInterrupt);
  PyErr_Clear();
  if (interrupted)
    PyErr_SetInterrupt();
  return nullptr;
}

} // namespace

JanusObject janus_rt_box_int(JanusCall *call, int64_t value) { return kept(call, PyLong_FromLongLong(value)); }

JanusObject janus_rt_box_float(JanusCall *call, double value) { return kept(call, PyFloat_FromDouble(value)); }

JanusObject janus_rt_box_bool(JanusCall *, int64_t value) { return value ? Py_True : Py_False; }

JanusObject janus_rt_invoke(JanusCall *call, JanusObject function, JanusObject a, JanusObject b, JanusObject c,
                            int64_t count) {
  PyObject *arguments[] = {as_object(a), as_object(b), as_object(c)};
  for (int64_t i = 0; i < count; ++i)
    if (!arguments[i])
      return nullptr;
  if (!function)
    return nullptr;
  return kept(call, PyObject_Vectorcall(as_object(function), arguments, static_cast<size_t>(count), nullptr));
}

//===----------------------------------------------------------------------===//
// Numbers and arrays
//===----------------------------------------------------------------------===//

JanusIntRead janus_rt_unbox_int(JanusObject pointer) {
  if (!pointer || !PyLong_CheckExact(as_object(pointer)))
    return {0, 0};
  int overflow = 0;
  int64_t value = PyLong_AsLongLongAndOverflow(as_object(pointer), &overflow);
  return {value, overflow == 0};
}

JanusIntRead janus_rt_unbox_bool(JanusObject object) {
  return {object == Py_True, object == Py_True || object == Py_False};
}

JanusFloatRead janus_rt_unbox_float(JanusObject pointer) {
  if (!pointer || !PyFloat_CheckExact(as_object(pointer)))
    return {0, 0};
  return {PyFloat_AS_DOUBLE(as_object(pointer)), 1};
}

namespace {

struct Wanted {
  int64_t kind, dtype, rank;
  const int64_t *dims;
};

bool matches(const int64_t *found, const Wanted &wanted) {
  for (int64_t axis = 0; axis < wanted.rank; ++axis)
    if (wanted.dims[axis] >= 0 && wanted.dims[axis] != found[axis])
      return false;
  return true;
}

/// `found` is the address, followed by the extents.
bool unbox_numpy(JanusCall *call, PyObject *object, const Wanted &wanted, int64_t *found) {
  PyArray_Descr *descr = descriptor(static_cast<int>(wanted.dtype));
  if (!descr || !PyArray_CheckExact(object))
    return false;
  auto *array = reinterpret_cast<PyArrayObject *>(object);
  if (!is_dtype(PyArray_DESCR(array), descr) || PyArray_NDIM(array) != static_cast<int>(wanted.rank))
    return false;
  static_assert(sizeof(npy_intp) == sizeof(int64_t));
  auto *extents = reinterpret_cast<const int64_t *>(PyArray_DIMS(array));
  if (!matches(extents, wanted))
    return false;
  if (!PyArray_IS_C_CONTIGUOUS(array) || !PyArray_ISALIGNED(array)) {
    PyObject *copy = PyArray_NewCopy(array, NPY_CORDER);
    // The journal is the first member of the context.
    if (!copy || !reinterpret_cast<CallContext *>(call)->keep(copy))
      return false;
    array = reinterpret_cast<PyArrayObject *>(copy);
  }
  found[0] = static_cast<int64_t>(reinterpret_cast<uintptr_t>(PyArray_DATA(array)));
  for (int64_t axis = 0; axis < wanted.rank; ++axis)
    found[1 + axis] = extents[axis];
  return true;
}

bool unbox_scalar(JanusCall *call, PyObject *object, const Wanted &wanted, int64_t *found) {
  PyArray_Descr *descr = descriptor(static_cast<int>(wanted.dtype));
  if (!descr || !is_scalar_of(object, descr))
    return false;
  void *memory = janus_rt_scratch(call, sizeof(ScalarCell));
  if (!memory)
    return false;
  PyArray_ScalarAsCtype(object, memory);
  found[0] = static_cast<int64_t>(reinterpret_cast<uintptr_t>(memory));
  return true;
}

bool unbox_jax(PyObject *object, const Wanted &wanted, int64_t *found) {
  bool weak = wanted.kind == JANUS_JAX_WEAK;
  const std::vector<int64_t> *extents = jax_extents(object, static_cast<int>(wanted.dtype), weak);
  if (!extents || extents->size() != static_cast<size_t>(wanted.rank) || !matches(extents->data(), wanted))
    return false;
  std::copy(extents->begin(), extents->end(), found + 1);
  return jax_data_pointer(object, found[0]);
}

} // namespace

int64_t janus_rt_unbox_array(JanusCall *call, JanusObject pointer, const int64_t *wanted, int64_t *found) {
  Wanted array = {wanted[0], wanted[1], wanted[2], wanted + 3};
  PyObject *object = as_object(pointer);
  bool holds = false;
  if (object && array.kind == JANUS_NUMPY)
    holds = unbox_numpy(call, object, array, found);
  else if (object && array.kind == JANUS_NUMPY_SCALAR)
    holds = unbox_scalar(call, object, array, found);
  else if (object)
    holds = unbox_jax(object, array, found);
  if (!holds && PyErr_Occurred())
    PyErr_Clear();
  return holds;
}
