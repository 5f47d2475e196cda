//===- jit_function.cpp - The callable that users hold --------------------===//

#include "jit_function.h"

#include "commit.h"
#include "native_stack.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <new>
#include <structmember.h>

namespace janus {

PyTypeObject *jit_function_type = nullptr;
PyObject *jit_gate = nullptr;

//===----------------------------------------------------------------------===//
// VersionList
//===----------------------------------------------------------------------===//

VersionList *VersionList::create(PyObject *tuple) {
  auto *list = new VersionList;
  list->items.reserve(static_cast<size_t>(PyTuple_GET_SIZE(tuple)));
  for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(tuple); ++index)
    list->items.push_back(Py_NewRef(PyTuple_GET_ITEM(tuple, index)));
  return list;
}

void VersionList::release(VersionList *list) {
  if (!list || --list->references)
    return;
  for (PyObject *item : list->items)
    Py_DECREF(item);
  delete list;
}

void VersionList::move_to_front(size_t index) {
  // References: that of the function, and that of the call which asks.
  if (index && references <= 2)
    std::rotate(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(index),
                items.begin() + static_cast<std::ptrdiff_t>(index) + 1);
}

int VersionList::traverse(visitproc visit, void *arg) const {
  for (PyObject *item : items)
    Py_VISIT(item);
  return 0;
}

namespace {

/// The C++ part of a `JitFunction` object.
struct JitFunction {
  PyObject *function = nullptr;
  PyObject *companion = nullptr;
  PyObject *on_miss = nullptr;
  PyObject *dict = nullptr;
  PyObject *weakrefs = nullptr;
  vectorcallfunc vectorcall = nullptr;
  VersionList *versions = nullptr;
  Signature signature;
  uint64_t calls = 0;
  uint64_t compiled_calls = 0;
  uint64_t misses = 0;
  /// The call, by number, before which `on_sample` is given the arguments.
  uint64_t sample_at = std::numeric_limits<uint64_t>::max();
  PyObject *on_sample = nullptr;
  uint64_t guard_ns = 0;
  uint64_t native_ns = 0;
  uint64_t commit_ns = 0;
  uint64_t python_ns = 0;
  bool disabled = false;
  bool settled = false;
  /// Calls in progress that native code has given up because they nest too deep.
  uint32_t too_deep = 0;
};

struct JitFunctionObject {
  PyObject_HEAD JitFunction jit;
};

JitFunction &as_jit(PyObject *object) { return reinterpret_cast<JitFunctionObject *>(object)->jit; }

class ListScope {
public:
  explicit ListScope(VersionList *list) : list(list ? VersionList::retain(list) : nullptr) {}
  ListScope(const ListScope &) = delete;
  ListScope &operator=(const ListScope &) = delete;
  ~ListScope() { VersionList::release(list); }
  VersionList *get() const { return list; }

private:
  VersionList *list;
};

/// Says where the time of a call goes. The first calls are all timed; of later ones a few, which stand
/// for the rest. (Their distance is a prime, so that calls that alternate are not always the same ones.)
class Stopwatch {
public:
  explicit Stopwatch(const JitFunction &jit) {
    if (jit.calls <= kAllTimed)
      weight = 1;
    else if (jit.calls % kDistance == 0)
      weight = kDistance;
    else
      return;
    start = Clock::now();
  }
  /// Add the time since the last lap to a counter.
  void lap(uint64_t &counter) {
    if (!weight)
      return;
    Clock::time_point now = Clock::now();
    counter +=
        weight * static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now - start).count());
    start = now;
  }

private:
  using Clock = std::chrono::steady_clock;
  static constexpr uint64_t kAllTimed = 64;
  static constexpr uint64_t kDistance = 61;
  uint64_t weight = 0;
  Clock::time_point start;
};

//===----------------------------------------------------------------------===//
// The call
//===----------------------------------------------------------------------===//

/// Hand the arguments of a call to Python: `callable(args, kwargs or None)`.
PyObject *call_with_arguments(PyObject *callable, PyObject *const *args, size_t count, PyObject *keywords) {
  Ref positional(PyTuple_New(static_cast<Py_ssize_t>(count)));
  if (!positional)
    return nullptr;
  for (size_t index = 0; index < count; ++index)
    PyTuple_SET_ITEM(positional.get(), static_cast<Py_ssize_t>(index), Py_NewRef(args[index]));
  Ref named;
  if (keywords && PyTuple_GET_SIZE(keywords)) {
    named = Ref(PyDict_New());
    if (!named)
      return nullptr;
    for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(keywords); ++index)
      if (PyDict_SetItem(named.get(), PyTuple_GET_ITEM(keywords, index), args[count + static_cast<size_t>(index)]) < 0)
        return nullptr;
  }
  Ref handler = Ref::borrow(callable);
  PyObject *stack[3] = {nullptr, positional.get(), named ? named.get() : Py_None};
  return PyObject_Vectorcall(handler.get(), stack + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr);
}

PyObject *call_function(JitFunction &jit, PyObject *const *args, size_t flagged_count, PyObject *keywords) {
  Ref function = Ref::borrow(jit.function);
  return PyObject_Vectorcall(function.get(), args, flagged_count, keywords);
}

PyObject *jit_vectorcall(PyObject *self, PyObject *const *args, size_t flagged_count, PyObject *keywords) {
  JitFunction &jit = as_jit(self);
  ++jit.calls;
  if (native_stack_is_low()) {
    PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded: the C stack of the thread is used up");
    return nullptr;
  }
  Stopwatch watch(jit);
  bool disabled = jit.disabled;
  if (jit_gate) {
    Ref gate = Ref::borrow(jit_gate);
    Ref closed(PyObject_CallNoArgs(gate.get()));
    int truth = closed ? PyObject_IsTrue(closed.get()) : -1;
    if (truth < 0)
      return nullptr;
    disabled |= truth != 0;
  }
  if (disabled) {
    PyObject *result = call_function(jit, args, flagged_count, keywords);
    watch.lap(jit.python_ns);
    return result;
  }
  if (jit.too_deep)
    return call_function(jit, args, flagged_count, keywords);
  size_t count = static_cast<size_t>(PyVectorcall_NARGS(flagged_count));
  if (keywords && PyTuple_GET_SIZE(keywords) == 0)
    keywords = nullptr;
  if (jit.calls >= jit.sample_at) {
    jit.sample_at = std::numeric_limits<uint64_t>::max();
    if (jit.on_sample && !Ref(call_with_arguments(jit.on_sample, args, count, keywords)))
      return nullptr;
  }
  ContextScope context(CallContext::acquire());
  if (!context)
    return nullptr;
  switch (jit.signature.bind(*context, jit.function, args, count, keywords)) {
  case Signature::Result::Bound:
    break;
  case Signature::Result::Mismatch:
    // Python words the TypeError.
    context.release();
    return call_function(jit, args, flagged_count, keywords);
  case Signature::Result::Error:
    return nullptr;
  }
  ListScope versions(jit.versions);
  size_t version_count = versions.get() ? versions.get()->size() : 0;
  for (size_t index = 0; index < version_count; ++index) {
    Version &version = as_version((*versions.get())[index]);
    Outcome outcome = version.try_guards(*context);
    if (outcome == Outcome::Fail)
      continue;
    if (outcome == Outcome::Error)
      return nullptr;
    versions.get()->move_to_front(index);
    ++version.hits;
    watch.lap(jit.guard_ns);
    int32_t status = version.call_native(*context);
    watch.lap(jit.native_ns);
    if (status < 0 || context->journal.exhausted) {
      // Nothing has been committed, so that Python may do the call from its start.
      context.release();
      if (status != JANUS_TOO_DEEP)
        return call_function(jit, args, flagged_count, keywords);
      // The recursion is for Python to do as a whole: each of its calls would go as deep in vain.
      Ref alive = Ref::borrow(self);
      ++jit.too_deep;
      PyObject *result = call_function(jit, args, flagged_count, keywords);
      --jit.too_deep;
      return result;
    }
    jit.compiled_calls += status == JANUS_RETURNED;
    PyObject *result = commit(version, context, status);
    if (status == JANUS_RETURNED)
      watch.lap(jit.commit_ns);
    return result;
  }
  context.release();
  watch.lap(jit.guard_ns);
  ++jit.misses;
  if (jit.settled) {
    PyObject *result = call_function(jit, args, flagged_count, keywords);
    watch.lap(jit.python_ns);
    return result;
  }
  return call_with_arguments(jit.on_miss, args, count, keywords);
}

//===----------------------------------------------------------------------===//
// The type
//===----------------------------------------------------------------------===//

PyObject *jit_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  static const char *names[] = {"function", "companion", "signature", "on_miss", nullptr};
  PyObject *function, *companion, *signature, *on_miss;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "OOOO:JitFunction", const_cast<char **>(names), &function,
                                   &companion, &signature, &on_miss))
    return nullptr;
  if (!PyCallable_Check(function) || !PyCallable_Check(on_miss)) {
    PyErr_SetString(PyExc_TypeError, "function and on_miss are callables");
    return nullptr;
  }
  PyObject *object = type->tp_alloc(type, 0);
  if (!object)
    return nullptr;
  JitFunction &jit = *new (&reinterpret_cast<JitFunctionObject *>(object)->jit) JitFunction;
  jit.function = Py_NewRef(function);
  jit.companion = Py_NewRef(companion);
  jit.on_miss = Py_NewRef(on_miss);
  jit.vectorcall = jit_vectorcall;
  try {
    jit.signature.parse(signature);
  } catch (const PythonError &) {
    Py_DECREF(object);
    return nullptr;
  } catch (const std::bad_alloc &) {
    Py_DECREF(object);
    return PyErr_NoMemory();
  }
  return object;
}

int jit_traverse(PyObject *object, visitproc visit, void *arg) {
  JitFunction &jit = as_jit(object);
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(jit.function);
  Py_VISIT(jit.companion);
  Py_VISIT(jit.on_miss);
  Py_VISIT(jit.on_sample);
  Py_VISIT(jit.dict);
  return jit.versions ? jit.versions->traverse(visit, arg) : 0;
}

int jit_clear(PyObject *object) {
  // None stands in for what a last call, from a destructor, would still use.
  JitFunction &jit = as_jit(object);
  for (PyObject **slot : {&jit.function, &jit.companion, &jit.on_miss})
    Ref dropped(std::exchange(*slot, Py_NewRef(Py_None)));
  Py_CLEAR(jit.on_sample);
  Py_CLEAR(jit.dict);
  VersionList::release(std::exchange(jit.versions, nullptr));
  return 0;
}

void jit_dealloc(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  JitFunction &jit = as_jit(object);
  if (jit.weakrefs)
    PyObject_ClearWeakRefs(object);
  Py_CLEAR(jit.function);
  Py_CLEAR(jit.companion);
  Py_CLEAR(jit.on_miss);
  Py_CLEAR(jit.on_sample);
  Py_CLEAR(jit.dict);
  VersionList::release(std::exchange(jit.versions, nullptr));
  jit.~JitFunction();
  type->tp_free(object);
  Py_DECREF(type);
}

PyObject *jit_descr_get(PyObject *self, PyObject *instance, PyObject *) {
  return instance && instance != Py_None ? PyMethod_New(self, instance) : Py_NewRef(self);
}

bool is_dunder(PyObject *name) {
  Py_ssize_t length = PyUnicode_GET_LENGTH(name);
  return length > 4 && PyUnicode_READ_CHAR(name, 0) == '_' && PyUnicode_READ_CHAR(name, 1) == '_' &&
         PyUnicode_READ_CHAR(name, length - 1) == '_' && PyUnicode_READ_CHAR(name, length - 2) == '_';
}

/// The object's own attributes come first. Names like `__code__` are then
/// looked up on the function, all others on the companion.
PyObject *jit_getattro(PyObject *self, PyObject *name) {
  PyObject *found = PyObject_GenericGetAttr(self, name);
  if (found || !PyErr_ExceptionMatches(PyExc_AttributeError))
    return found;
  PyErr_Clear();
  JitFunction &jit = as_jit(self);
  Ref target = Ref::borrow(is_dunder(name) ? jit.function : jit.companion);
  found = PyObject_GetAttr(target.get(), name);
  if (!found && PyErr_ExceptionMatches(PyExc_AttributeError))
    PyErr_Format(PyExc_AttributeError, "janus function has no attribute %R", name);
  return found;
}

/// What decides how the function is called belongs to the function.
int jit_setattro(PyObject *self, PyObject *name, PyObject *value) {
  for (const char *forwarded : {"__defaults__", "__kwdefaults__", "__code__"})
    if (PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, forwarded) == 0)
      return PyObject_SetAttr(as_jit(self).function, name, value);
  return PyObject_GenericSetAttr(self, name, value);
}

PyObject *jit_repr(PyObject *self) {
  JitFunction &jit = as_jit(self);
  Ref name(PyObject_GetAttrString(jit.function, "__qualname__"));
  if (!name) {
    PyErr_Clear();
    return PyUnicode_FromFormat("<janus.jit %R>", jit.function);
  }
  Ref code(PyObject_GetAttrString(jit.function, "__code__"));
  Ref file(code ? PyObject_GetAttrString(code.get(), "co_filename") : nullptr);
  Ref line(code ? PyObject_GetAttrString(code.get(), "co_firstlineno") : nullptr);
  if (!file || !line) {
    PyErr_Clear();
    return PyUnicode_FromFormat("<janus.jit %S>", name.get());
  }
  return PyUnicode_FromFormat("<janus.jit %S at %S:%S>", name.get(), file.get(), line.get());
}

PyObject *jit_set_versions(PyObject *self, PyObject *argument) {
  Ref tuple(PySequence_Tuple(argument));
  if (!tuple)
    return nullptr;
  JitFunction &jit = as_jit(self);
  auto slots = static_cast<int64_t>(jit.signature.slot_count());
  for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(tuple.get()); ++index) {
    PyObject *item = PyTuple_GET_ITEM(tuple.get(), index);
    if (!Py_IS_TYPE(item, version_type)) {
      PyErr_Format(PyExc_TypeError, "set_versions wants Version objects, not %R", item);
      return nullptr;
    }
    const Version &version = as_version(item);
    const GuardProgram &program = version.program;
    bool objects_known = std::all_of(version.object_slots.begin(), version.object_slots.end(),
                                     [&](int32_t slot) { return slot < slots || program.is_fetched(slot); });
    if (program.arguments_needed() > slots || !objects_known ||
        (program.first_fetched() < program.slots() && program.first_fetched() < slots)) {
      PyErr_Format(PyExc_ValueError, "the guard program of version %zd does not fit a function of %lld parameters",
                   index, static_cast<long long>(slots));
      return nullptr;
    }
  }
  Ref weak(PyWeakref_NewRef(self, nullptr));
  if (!weak)
    return nullptr;
  VersionList *list;
  try {
    list = VersionList::create(tuple.get());
  } catch (const std::bad_alloc &) {
    return PyErr_NoMemory();
  }
  for (size_t index = 0; index < list->size(); ++index)
    Ref replaced(std::exchange(as_version((*list)[index]).function, Py_NewRef(weak.get())));
  VersionList::release(std::exchange(jit.versions, list));
  Py_RETURN_NONE;
}

PyObject *jit_get_versions(PyObject *self, void *) {
  VersionList *list = as_jit(self).versions;
  size_t size = list ? list->size() : 0;
  PyObject *tuple = PyTuple_New(static_cast<Py_ssize_t>(size));
  for (size_t index = 0; tuple && index < size; ++index)
    PyTuple_SET_ITEM(tuple, static_cast<Py_ssize_t>(index), Py_NewRef((*list)[index]));
  return tuple;
}

PyObject *jit_self(PyObject *self, PyObject *) { return Py_NewRef(self); }

/// Pickled by name, as functions are.
PyObject *jit_reduce(PyObject *self, PyObject *) { return PyObject_GetAttrString(self, "__qualname__"); }

PyMethodDef jit_methods[] = {{"set_versions", jit_set_versions, METH_O,
                              "set_versions(versions)\n\nReplace the compiled versions, tried in order of last use."},
                             {"__copy__", jit_self, METH_NOARGS, "Functions are copied by reference."},
                             {"__deepcopy__", jit_self, METH_O, "Functions are copied by reference."},
                             {"__reduce__", jit_reduce, METH_NOARGS, "Functions are pickled by name."},
                             {nullptr, nullptr, 0, nullptr}};

PyGetSetDef jit_getset[] = {{"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
                            {"versions", jit_get_versions, nullptr, "The compiled versions.", nullptr},
                            {nullptr, nullptr, nullptr, nullptr, nullptr}};

constexpr Py_ssize_t offset_in_object(size_t offset) {
  return static_cast<Py_ssize_t>(offsetof(JitFunctionObject, jit) + offset);
}

PyMemberDef jit_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offset_in_object(offsetof(JitFunction, vectorcall)), READONLY, nullptr},
    {"__dictoffset__", T_PYSSIZET, offset_in_object(offsetof(JitFunction, dict)), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offset_in_object(offsetof(JitFunction, weakrefs)), READONLY, nullptr},
    {"function", T_OBJECT_EX, offset_in_object(offsetof(JitFunction, function)), READONLY, "The Python function."},
    {"companion", T_OBJECT_EX, offset_in_object(offsetof(JitFunction, companion)), READONLY,
     "The object that answers for attributes."},
    {"calls", T_ULONGLONG, offset_in_object(offsetof(JitFunction, calls)), READONLY, "All calls."},
    {"compiled_calls", T_ULONGLONG, offset_in_object(offsetof(JitFunction, compiled_calls)), READONLY,
     "Calls that native code ran from entry to return."},
    {"misses", T_ULONGLONG, offset_in_object(offsetof(JitFunction, misses)), READONLY,
     "Calls that no version applied to."},
    {"sample_at", T_ULONGLONG, offset_in_object(offsetof(JitFunction, sample_at)), 0,
     "The call, by number, before which `on_sample` is called, once."},
    {"on_sample", T_OBJECT, offset_in_object(offsetof(JitFunction, on_sample)), 0,
     "Called with (args, kwargs or None); what it returns is ignored."},
    {"guard_ns", T_ULONGLONG, offset_in_object(offsetof(JitFunction, guard_ns)), READONLY,
     "Nanoseconds in binding and guards, estimated from some of the calls."},
    {"native_ns", T_ULONGLONG, offset_in_object(offsetof(JitFunction, native_ns)), READONLY,
     "Nanoseconds in native code, estimated from some of the calls."},
    {"commit_ns", T_ULONGLONG, offset_in_object(offsetof(JitFunction, commit_ns)), READONLY,
     "Nanoseconds in effects and results of calls that ran to their end, estimated from some of them."},
    {"python_ns", T_ULONGLONG, offset_in_object(offsetof(JitFunction, python_ns)), READONLY,
     "Nanoseconds in the Python function while `disabled` or `settled`, estimated from some of the calls."},
    {"disabled", T_BOOL, offset_in_object(offsetof(JitFunction, disabled)), 0,
     "Whether calls go straight to the Python function."},
    {"settled", T_BOOL, offset_in_object(offsetof(JitFunction, settled)), 0,
     "Whether calls that no version applies to go straight to the Python function."},
    {nullptr, 0, 0, 0, nullptr}};

template <typename T> void *slot_of(T *function) { return reinterpret_cast<void *>(function); }

} // namespace

Signature::Result bind_for_version(Version &version, CallContext &context, PyObject *args, PyObject *keywords) {
  Ref holder;
  if (version.function)
    holder = Ref(PyObject_CallNoArgs(version.function));
  size_t count = static_cast<size_t>(PyTuple_GET_SIZE(args));
  bool has_keywords = keywords != Py_None && PyDict_GET_SIZE(keywords);
  if (!holder || holder.get() == Py_None) {
    auto needed = static_cast<size_t>(version.program.arguments_needed());
    if (has_keywords || count < needed || count > static_cast<size_t>(version.program.first_fetched()))
      return Signature::Result::Mismatch;
    PyObject **slots = context.objects.grow(count);
    if (count && !slots) {
      PyErr_NoMemory();
      return Signature::Result::Error;
    }
    context.argument_count = count;
    for (size_t index = 0; index < count; ++index)
      slots[index] = PyTuple_GET_ITEM(args, static_cast<Py_ssize_t>(index));
    return Signature::Result::Bound;
  }
  std::vector<PyObject *> flat;
  for (size_t index = 0; index < count; ++index)
    flat.push_back(PyTuple_GET_ITEM(args, static_cast<Py_ssize_t>(index)));
  Ref names;
  if (has_keywords) {
    names = Ref(PySequence_Tuple(keywords));
    if (!names)
      return Signature::Result::Error;
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(keywords, &position, &key, &value)) {
      if (!PyUnicode_Check(key))
        return Signature::Result::Mismatch;
      flat.push_back(value);
    }
  }
  JitFunction &jit = as_jit(holder.get());
  return jit.signature.bind(context, jit.function, flat.data(), count, names.get());
}

bool add_jit_function_type(PyObject *module) {
  PyType_Slot slots[] = {{Py_tp_new, slot_of(jit_new)},
                         {Py_tp_dealloc, slot_of(jit_dealloc)},
                         {Py_tp_traverse, slot_of(jit_traverse)},
                         {Py_tp_clear, slot_of(jit_clear)},
                         {Py_tp_call, slot_of(PyVectorcall_Call)},
                         {Py_tp_descr_get, slot_of(jit_descr_get)},
                         {Py_tp_getattro, slot_of(jit_getattro)},
                         {Py_tp_setattro, slot_of(jit_setattro)},
                         {Py_tp_repr, slot_of(jit_repr)},
                         {Py_tp_methods, jit_methods},
                         {Py_tp_getset, jit_getset},
                         {Py_tp_members, jit_members},
                         {0, nullptr}};
  PyType_Spec spec = {"janus_mlir._native._runtime.JitFunction", sizeof(JitFunctionObject), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
                          Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_IMMUTABLETYPE,
                      slots};
  jit_function_type = reinterpret_cast<PyTypeObject *>(PyType_FromSpec(&spec));
  return jit_function_type &&
         PyModule_AddObjectRef(module, "JitFunction", reinterpret_cast<PyObject *>(jit_function_type)) == 0;
}

} // namespace janus
