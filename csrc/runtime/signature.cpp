//===- signature.cpp - Binding arguments to slots -------------------------===//

#include "signature.h"

#include <algorithm>

namespace janus {
namespace {

constexpr size_t kNowhere = ~size_t(0);

/// `function.__defaults__` or `__kwdefaults__` as of now, owned; null without an
/// error when there are none.
Ref live_defaults(PyObject *function, bool keyword_only) {
  if (PyFunction_Check(function))
    return Ref::borrow(keyword_only ? PyFunction_GetKwDefaults(function) : PyFunction_GetDefaults(function));
  Ref found(PyObject_GetAttrString(function, keyword_only ? "__kwdefaults__" : "__defaults__"));
  if (!found)
    PyErr_Clear();
  return found;
}

} // namespace

void Signature::parse(PyObject *tuple) {
  PyObject *given;
  Py_ssize_t posonly, pos_or_kw, kwonly;
  int varargs, varkw;
  if (!PyTuple_Check(tuple)) {
    PyErr_SetString(PyExc_TypeError, "a signature is a tuple");
    throw PythonError();
  }
  if (!PyArg_ParseTuple(tuple, "Onnnpp:signature", &given, &posonly, &pos_or_kw, &kwonly, &varargs, &varkw))
    throw PythonError();
  Ref items(PySequence_Fast(given, "the names of a signature are a sequence"));
  if (!items)
    throw PythonError();
  Py_ssize_t named = posonly + pos_or_kw + kwonly;
  Py_ssize_t total = named + varargs + varkw;
  Py_ssize_t size = PySequence_Fast_GET_SIZE(items.get());
  // The names of *args and **kwargs may be given, in their places, or left out.
  if (posonly < 0 || pos_or_kw < 0 || kwonly < 0 || (size != named && size != total)) {
    PyErr_SetString(PyExc_ValueError, "the names of a signature do not match its counts");
    throw PythonError();
  }
  positional_only = static_cast<size_t>(posonly);
  positional = static_cast<size_t>(posonly + pos_or_kw);
  keyword_only = static_cast<size_t>(kwonly);
  has_varargs = varargs;
  has_varkw = varkw;
  names.assign(static_cast<size_t>(total), nullptr);
  Py_ssize_t next = 0;
  for (size_t slot = 0; slot < names.size(); ++slot) {
    bool starred = (has_varargs && slot == positional) || (has_varkw && slot + 1 == names.size());
    if (starred) {
      next += size == total;
      continue;
    }
    PyObject *name = PySequence_Fast_GET_ITEM(items.get(), next++);
    if (!PyUnicode_CheckExact(name)) {
      PyErr_SetString(PyExc_TypeError, "the names of a signature are strings");
      throw PythonError();
    }
    Py_INCREF(name);
    PyUnicode_InternInPlace(&name);
    names[slot] = name;
  }
}

void Signature::clear() {
  std::vector<PyObject *> dropped;
  dropped.swap(names);
  for (PyObject *name : dropped)
    Py_XDECREF(name);
}

size_t Signature::find_keyword(PyObject *name) const {
  auto search = [&](auto matches) {
    for (size_t slot = positional_only; slot < positional; ++slot)
      if (matches(names[slot]))
        return slot;
    for (size_t slot = first_keyword_only(); slot < first_keyword_only() + keyword_only; ++slot)
      if (matches(names[slot]))
        return slot;
    return kNowhere;
  };
  size_t slot = search([&](PyObject *known) { return known == name; });
  if (slot != kNowhere)
    return slot;
  return search([&](PyObject *known) { return PyUnicode_Compare(known, name) == 0; });
}

Signature::Result Signature::bind(CallContext &context, PyObject *function, PyObject *const *args, size_t count,
                                  PyObject *keywords) const {
  PyObject **slots = context.objects.grow(names.size());
  if (names.size() && !slots) {
    PyErr_NoMemory();
    return Result::Error;
  }
  context.argument_count = names.size();
  if (!keywords && count == names.size() && count == positional) {
    std::copy_n(args, count, slots);
    return Result::Bound;
  }
  std::fill_n(slots, names.size(), nullptr);
  return bind_slowly(context, function, args, count, keywords);
}

Signature::Result Signature::bind_slowly(CallContext &context, PyObject *function, PyObject *const *args, size_t count,
                                         PyObject *keywords) const {
  PyObject **slots = context.objects.data();
  size_t given = std::min(count, positional);
  std::copy_n(args, given, slots);
  if (count > positional && !has_varargs)
    return Result::Mismatch;
  if (has_varargs) {
    PyObject *rest = PyTuple_New(static_cast<Py_ssize_t>(count - given));
    if (!rest)
      return Result::Error;
    for (size_t index = given; index < count; ++index)
      PyTuple_SET_ITEM(rest, static_cast<Py_ssize_t>(index - given), Py_NewRef(args[index]));
    if (!context.keep(rest))
      return Result::Error;
    slots[positional] = rest;
  }
  PyObject *extra = nullptr;
  if (has_varkw) {
    extra = PyDict_New();
    if (!extra || !context.keep(extra))
      return Result::Error;
    slots[names.size() - 1] = extra;
  }
  Py_ssize_t keyword_count = keywords ? PyTuple_GET_SIZE(keywords) : 0;
  for (Py_ssize_t index = 0; index < keyword_count; ++index) {
    PyObject *name = PyTuple_GET_ITEM(keywords, index);
    PyObject *value = args[count + static_cast<size_t>(index)];
    size_t slot = find_keyword(name);
    if (slot != kNowhere) {
      if (slots[slot])
        return Result::Mismatch;
      slots[slot] = value;
    } else if (!extra) {
      return Result::Mismatch;
    } else if (PyDict_SetItem(extra, name, value) < 0) {
      return Result::Error;
    }
  }
  return fill_defaults(context, function);
}

Signature::Result Signature::fill_defaults(CallContext &context, PyObject *function) const {
  PyObject **slots = context.objects.data();
  auto missing = [](PyObject *slot) { return slot == nullptr; };
  if (std::any_of(slots, slots + positional, missing)) {
    Ref defaults = live_defaults(function, false);
    if (!defaults || !PyTuple_Check(defaults.get()))
      return Result::Mismatch;
    size_t available = static_cast<size_t>(PyTuple_GET_SIZE(defaults.get()));
    size_t first_default = positional - std::min(available, positional);
    for (size_t slot = 0; slot < positional; ++slot) {
      if (slots[slot])
        continue;
      if (slot < first_default)
        return Result::Mismatch;
      // Counted from the end: a tuple longer than the parameters is legal.
      slots[slot] = PyTuple_GET_ITEM(defaults.get(), static_cast<Py_ssize_t>(available - positional + slot));
    }
    if (!context.keep(defaults.release()))
      return Result::Error;
  }
  PyObject **first = slots + first_keyword_only();
  if (!std::any_of(first, first + keyword_only, missing))
    return Result::Bound;
  Ref defaults = live_defaults(function, true);
  if (!defaults || !PyDict_Check(defaults.get()))
    return Result::Mismatch;
  for (size_t index = 0; index < keyword_only; ++index) {
    if (first[index])
      continue;
    PyObject *name = names[first_keyword_only() + index];
    PyObject *value = PyDict_GetItemWithError(defaults.get(), name);
    if (!value)
      return PyErr_Occurred() ? Result::Error : Result::Mismatch;
    if (!context.keep(Py_NewRef(value)))
      return Result::Error;
    first[index] = value;
  }
  return Result::Bound;
}

} // namespace janus
