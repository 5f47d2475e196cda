//===- module.cpp - The extension module `_runtime` -----------------------===//

#define JANUS_RUNTIME_IMPORTS_NUMPY
#include "python_api.h"

#include "abi.h"
#include "blocks.h"
#include "dtypes.h"
#include "guard_checks.h"
#include "jax_bridge.h"
#include "jit_function.h"
#include "threads.h"
#include "version.h"

namespace {

using namespace janus;

bool add_symbol(PyObject *table, const char *name, void *address) {
  Ref number(PyLong_FromVoidPtr(address));
  return number && PyDict_SetItemString(table, name, number.get()) == 0;
}

PyObject *abi_symbols(PyObject *, PyObject *) {
  Ref table(PyDict_New());
  if (!table)
    return nullptr;
#define JANUS_ADD_SYMBOL(NAME)                                                                                         \
  if (!add_symbol(table.get(), #NAME, reinterpret_cast<void *>(&NAME)))                                                \
    return nullptr;
  JANUS_ABI_FUNCTIONS(JANUS_ADD_SYMBOL)
#undef JANUS_ADD_SYMBOL
  return table.release();
}

PyObject *dtype_names(PyObject *, PyObject *) {
  PyObject *names = PyTuple_New(JANUS_DTYPE_COUNT);
  for (int code = 0; names && code < JANUS_DTYPE_COUNT; ++code) {
    PyObject *name = PyUnicode_FromString(kDTypeNames[code]);
    if (!name) {
      Py_DECREF(names);
      return nullptr;
    }
    PyTuple_SET_ITEM(names, code, name);
  }
  return names;
}

PyObject *live_blocks(PyObject *, PyObject *) { return PyLong_FromSize_t(live_block_count()); }

PyObject *set_gate(PyObject *, PyObject *gate) {
  Ref replaced(std::exchange(jit_gate, gate == Py_None ? nullptr : Py_NewRef(gate)));
  Py_RETURN_NONE;
}

PyObject *set_num_threads(PyObject *, PyObject *count) {
  long wanted = PyLong_AsLong(count);
  if (wanted == -1 && PyErr_Occurred())
    return nullptr;
  if (wanted < 0) {
    PyErr_SetString(PyExc_ValueError, "the number of threads must not be negative");
    return nullptr;
  }
  set_thread_count(static_cast<int>(wanted < kMaxThreads ? wanted : kMaxThreads));
  Py_RETURN_NONE;
}

PyObject *num_threads(PyObject *, PyObject *) { return PyLong_FromLong(thread_count()); }

PyMethodDef methods[] = {
    {"abi_symbols", abi_symbols, METH_NOARGS,
     "abi_symbols() -> dict[str, int]\n\nAddresses of the functions that generated code calls."},
    {"dtype_names", dtype_names, METH_NOARGS,
     "dtype_names() -> tuple[str, ...]\n\nNames of the element types, by code."},
    {"live_blocks", live_blocks, METH_NOARGS, "live_blocks() -> int\n\nMemory blocks of results that are alive."},
    {"set_gate", set_gate, METH_O,
     "set_gate(gate)\n\nHave `gate()` asked before each call whether to leave it to Python; None asks nobody."},
    {"set_num_threads", set_num_threads, METH_O,
     "set_num_threads(count)\n\nLet native code use so many threads; 0 stands for one per core."},
    {"num_threads", num_threads, METH_NOARGS, "num_threads() -> int\n\nHow many threads native code may use."},
    {"register_jax", register_jax, METH_VARARGS,
     "register_jax(array_type, is_on_host)\n\nTell the runtime what JAX arrays are; done by "
     "janus_mlir.runtime.jax_arrays."},
    {"register_warnings", register_warnings, METH_VARARGS,
     "register_warnings(state_variable, look, warnings_dict)\n\nTell the runtime how to find out whether NumPy only "
     "warns; "
     "done by janus_mlir.runtime.numpy_state."},
    {"numpy_is_quiet", numpy_is_quiet, METH_O,
     "numpy_is_quiet(ignored) -> bool\n\nWhether NumPy's floating-point warnings raise nothing now."},
    {nullptr, nullptr, 0, nullptr}};

PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                          "_runtime",
                          "The native runtime of Janus: guards, native calls and commit.",
                          -1,
                          methods,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr};

} // namespace

PyMODINIT_FUNC PyInit__runtime() {
  import_array();
  Ref module(PyModule_Create(&definition));
  if (!module || !initialize_descriptors() || !initialize_checks() || !block_memory_handler() ||
      !add_version_type(module.get()) || !add_jit_function_type(module.get()))
    return nullptr;
  return module.release();
}
