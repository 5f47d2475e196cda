//===- warnings.cpp - Whether NumPy only warns --------------------------===//
//
// Compiled code does not issue NumPy's floating-point warnings. That is right as long as nobody has them raised: who
// does so by `np.errstate`, or by a filter of `warnings`, changes one of two things that are quickly compared.
//
//===----------------------------------------------------------------------===//

#include "guard_checks.h"

using namespace janus;

namespace {

/// The context variable with NumPy's error state, and the function that looks at everything.
PyObject *state_variable = nullptr, *look = nullptr;
PyObject *warnings_dict = nullptr;

/// What was seen when `look` was called last; the objects are kept so that their addresses stay theirs.
struct Seen {
  PyObject *state = nullptr, *filters = nullptr, *first = nullptr;
  Py_ssize_t size = -1;
  bool quiet = false;
} seen;

} // namespace

PyObject *janus::register_warnings(PyObject *, PyObject *args) {
  PyObject *variable, *function, *dict;
  if (!PyArg_ParseTuple(args, "OOO!", &variable, &function, &PyDict_Type, &dict))
    return nullptr;
  Ref old_variable(std::exchange(state_variable, Py_NewRef(variable)));
  Ref old_look(std::exchange(look, Py_NewRef(function)));
  Ref old_dict(std::exchange(warnings_dict, Py_NewRef(dict)));
  Py_RETURN_NONE;
}

PyObject *janus::numpy_is_quiet(PyObject *, PyObject *) {
  if (!look)
    Py_RETURN_TRUE;
  PyObject *state = nullptr;
  if (PyContextVar_Get(state_variable, nullptr, &state) < 0)
    return nullptr;
  Ref held(state);
  PyObject *filters = PyDict_GetItemString(warnings_dict, "filters");
  if (!filters || !PyList_Check(filters))
    Py_RETURN_FALSE;
  Py_ssize_t size = PyList_GET_SIZE(filters);
  PyObject *first = size ? PyList_GET_ITEM(filters, 0) : nullptr;
  if (seen.state != state || seen.filters != filters || seen.size != size || seen.first != first) {
    Ref answer(PyObject_CallNoArgs(look));
    if (!answer)
      return nullptr;
    Ref old_state(std::exchange(seen.state, Py_XNewRef(state)));
    Ref old_filters(std::exchange(seen.filters, Py_NewRef(filters)));
    Ref old_first(std::exchange(seen.first, Py_XNewRef(first)));
    seen.size = size;
    seen.quiet = answer.get() == Py_True;
  }
  return PyBool_FromLong(seen.quiet);
}
