//===- version.cpp - One compiled version of a function -------------------===//

#include "version.h"

#include "jit_function.h"
#include "native_stack.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <structmember.h>

namespace janus {

PyTypeObject *version_type = nullptr;

Outcome Version::try_guards(CallContext &context, size_t *stopped_at) {
  size_t wanted = static_cast<size_t>(program.slots());
  size_t present = context.objects.size();
  if (wanted > present) {
    PyObject **fresh = context.objects.grow(wanted - present);
    if (!fresh) {
      PyErr_NoMemory();
      return Outcome::Error;
    }
    std::fill_n(fresh, wanted - present, nullptr);
  }
  size_t mark = context.temporaries.size();
  Outcome outcome = program.run(context, stopped_at);
  if (outcome != Outcome::Pass) {
    // An error that is to propagate must survive the destructors run here.
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    context.drop_fetched();
    context.drop_temporaries(mark);
    PyErr_Restore(type, value, traceback);
  }
  return outcome;
}

int32_t Version::call_native(CallContext &context) {
  context.journal.arena_pool = &arenas;
  context.journal.frames.depth_left = python_depth_left();
  context.journal.frames.lowest_stack = lowest_native_stack();
  int32_t status;
  if (timed) {
    auto start = std::chrono::steady_clock::now();
    status = entry(context.slots.data(), &context.journal);
    native_ns += static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start).count());
  } else {
    status = entry(context.slots.data(), &context.journal);
  }
  context.journal.release_scratch();
  return status;
}

namespace {

VersionObject *self_of(PyObject *object) { return reinterpret_cast<VersionObject *>(object); }

void parse_object_slots(Version &version, PyObject *list) {
  Ref items(PySequence_Fast(list, "objs is a list of slots"));
  if (!items)
    throw PythonError();
  for (Py_ssize_t index = 0; index < PySequence_Fast_GET_SIZE(items.get()); ++index) {
    long slot = PyLong_AsLong(PySequence_Fast_GET_ITEM(items.get(), index));
    if (slot == -1 && PyErr_Occurred())
      throw PythonError();
    if (slot < 0 || slot >= version.program.slots()) {
      PyErr_Format(PyExc_ValueError, "objs names slot %ld of %d", slot, static_cast<int>(version.program.slots()));
      throw PythonError();
    }
    version.object_slots.push_back(static_cast<int32_t>(slot));
  }
}

PyObject *version_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  static const char *names[] = {"entry_address", "nslots", "program", "objs", "sites", "owner", nullptr};
  PyObject *address, *program, *objs, *sites, *owner;
  int slots;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "OiOOOO:Version", const_cast<char **>(names), &address, &slots,
                                   &program, &objs, &sites, &owner))
    return nullptr;
  void *entry = PyLong_AsVoidPtr(address);
  if (!entry && PyErr_Occurred())
    return nullptr;
  if (!entry || slots < 0 || slots > (1 << 24)) {
    PyErr_SetString(PyExc_ValueError, "a version wants an entry address and a count of slots");
    return nullptr;
  }
  PyObject *object = type->tp_alloc(type, 0);
  if (!object)
    return nullptr;
  Version &version = *new (&self_of(object)->version) Version;
  version.entry = reinterpret_cast<JanusEntry>(entry);
  version.owner = Py_NewRef(owner);
  try {
    version.program.parse(program, slots);
    version.sites.parse(sites);
    parse_object_slots(version, objs);
  } catch (const PythonError &) {
    Py_DECREF(object);
    return nullptr;
  } catch (const std::bad_alloc &) {
    Py_DECREF(object);
    return PyErr_NoMemory();
  }
  return object;
}

int version_traverse(PyObject *object, visitproc visit, void *arg) {
  Version &version = as_version(object);
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(version.owner);
  Py_VISIT(version.function);
  if (int result = version.program.traverse(visit, arg))
    return result;
  return version.sites.traverse(visit, arg);
}

int version_clear(PyObject *object) {
  // The owner stays up to the end: the code must not go before the version does.
  Version &version = as_version(object);
  Py_CLEAR(version.function);
  version.program.clear();
  version.sites.clear();
  return 0;
}

void version_dealloc(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  version_clear(object);
  PyObject *owner = as_version(object).owner;
  as_version(object).~Version();
  Py_XDECREF(owner);
  type->tp_free(object);
  Py_DECREF(type);
}

/// Bind (args, kwargs) as a call would and run the guards. Returns -2 with an error set, -1 where
/// all pass, or the number of the failing instruction; `bound` is false where Python would raise
/// a TypeError.
Py_ssize_t dry_run(PyObject *object, PyObject *args, PyObject *keywords, bool &bound) {
  bound = true;
  // Guards may run Python code.
  Ref alive = Ref::borrow(object);
  ContextScope context(CallContext::acquire());
  if (!context)
    return -2;
  Version &version = as_version(object);
  switch (bind_for_version(version, *context, args, keywords)) {
  case Signature::Result::Bound:
    break;
  case Signature::Result::Mismatch:
    bound = false;
    return 0;
  case Signature::Result::Error:
    return -2;
  }
  size_t stopped_at = 0;
  switch (version.try_guards(*context, &stopped_at)) {
  case Outcome::Pass:
    return -1;
  case Outcome::Fail:
    return static_cast<Py_ssize_t>(stopped_at);
  case Outcome::Error:
    return -2;
  }
  return -2;
}

bool parse_call(PyObject *args, PyObject *&call_args, PyObject *&call_keywords) {
  call_keywords = Py_None;
  if (!PyArg_ParseTuple(args, "O!|O", &PyTuple_Type, &call_args, &call_keywords))
    return false;
  if (call_keywords != Py_None && !PyDict_Check(call_keywords)) {
    PyErr_SetString(PyExc_TypeError, "kwargs is a dict or None");
    return false;
  }
  return true;
}

PyObject *version_check(PyObject *object, PyObject *args) {
  PyObject *call_args, *call_keywords;
  if (!parse_call(args, call_args, call_keywords))
    return nullptr;
  bool bound;
  Py_ssize_t result = dry_run(object, call_args, call_keywords, bound);
  return result == -2 ? nullptr : PyBool_FromLong(bound && result == -1);
}

PyObject *version_explain_failure(PyObject *object, PyObject *args) {
  PyObject *call_args, *call_keywords;
  if (!parse_call(args, call_args, call_keywords))
    return nullptr;
  bool bound;
  Py_ssize_t result = dry_run(object, call_args, call_keywords, bound);
  if (result == -2)
    return nullptr;
  if (!bound) {
    PyErr_SetString(PyExc_TypeError, "the arguments do not fit the function's parameters");
    return nullptr;
  }
  if (result == -1)
    Py_RETURN_NONE;
  return PyLong_FromSsize_t(result);
}

PyObject *version_get_address(PyObject *object, void *) {
  return PyLong_FromVoidPtr(reinterpret_cast<void *>(as_version(object).entry));
}

PyObject *version_get_slots(PyObject *object, void *) { return PyLong_FromLong(as_version(object).program.slots()); }

PyObject *version_get_exits(PyObject *object, void *) { return as_version(object).sites.exit_counts(); }

PyMethodDef version_methods[] = {
    {"check", version_check, METH_VARARGS,
     "check(args, kwargs=None) -> bool\n\nWhether the guards hold for a call with these arguments."},
    {"explain_failure", version_explain_failure, METH_VARARGS,
     "explain_failure(args, kwargs=None) -> int | None\n\nThe index of the guard instruction that "
     "fails for these arguments, None where all hold."},
    {nullptr, nullptr, 0, nullptr}};

PyGetSetDef version_getset[] = {
    {"entry_address", version_get_address, nullptr, "Address of the native entry.", nullptr},
    {"nslots", version_get_slots, nullptr, "Number of object slots.", nullptr},
    {"exits", version_get_exits, nullptr, "How often each exit site was taken.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

constexpr Py_ssize_t kVersionOffset = offsetof(VersionObject, version);

PyMemberDef version_members[] = {
    {"owner", T_OBJECT_EX, kVersionOffset + static_cast<Py_ssize_t>(offsetof(Version, owner)), READONLY,
     "The object that keeps the native code alive."},
    {"hits", T_ULONGLONG, kVersionOffset + static_cast<Py_ssize_t>(offsetof(Version, hits)), READONLY,
     "Calls whose guards passed."},
    {"native_ns", T_ULONGLONG, kVersionOffset + static_cast<Py_ssize_t>(offsetof(Version, native_ns)), READONLY,
     "Nanoseconds in native code, while `timed`."},
    {"timed", T_BOOL, kVersionOffset + static_cast<Py_ssize_t>(offsetof(Version, timed)), 0,
     "Whether native code is timed."},
    {nullptr, 0, 0, 0, nullptr}};

template <typename T> void *slot_of(T *function) { return reinterpret_cast<void *>(function); }

} // namespace

bool add_version_type(PyObject *module) {
  PyType_Slot slots[] = {
      {Py_tp_doc, const_cast<char *>("Version(entry_address, nslots, program, objs, sites, owner)\n--\n\n"
                                     "One compiled version of a function: native code, the guards under which "
                                     "it applies, and the sites where values leave it.")},
      {Py_tp_new, slot_of(version_new)},
      {Py_tp_dealloc, slot_of(version_dealloc)},
      {Py_tp_traverse, slot_of(version_traverse)},
      {Py_tp_clear, slot_of(version_clear)},
      {Py_tp_methods, version_methods},
      {Py_tp_getset, version_getset},
      {Py_tp_members, version_members},
      {0, nullptr}};
  PyType_Spec spec = {"janus_mlir._native._runtime.Version", sizeof(VersionObject), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, slots};
  version_type = reinterpret_cast<PyTypeObject *>(PyType_FromSpec(&spec));
  return version_type && PyModule_AddObjectRef(module, "Version", reinterpret_cast<PyObject *>(version_type)) == 0;
}

} // namespace janus
