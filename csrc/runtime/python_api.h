//===- python_api.h - CPython and NumPy headers, in the one right order ---===//

#ifndef JANUS_RUNTIME_PYTHON_API_H
#define JANUS_RUNTIME_PYTHON_API_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL janus_runtime_array_api
#ifndef JANUS_RUNTIME_IMPORTS_NUMPY
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

#include <utility>

namespace janus {

/// Thrown where a Python error has been set, in code that parses arguments;
/// caught before control returns to the interpreter.
struct PythonError {};

/// An owned reference.
class Ref {
public:
  Ref() = default;
  explicit Ref(PyObject *owned) : object(owned) {}
  static Ref borrow(PyObject *borrowed) { return Ref(Py_XNewRef(borrowed)); }
  Ref(Ref &&other) noexcept : object(other.release()) {}
  Ref(const Ref &) = delete;
  Ref &operator=(Ref &&other) noexcept {
    std::swap(object, other.object);
    return *this;
  }
  ~Ref() { Py_XDECREF(object); }

  PyObject *get() const { return object; }
  PyObject *release() { return std::exchange(object, nullptr); }
  explicit operator bool() const { return object != nullptr; }

private:
  PyObject *object = nullptr;
};

} // namespace janus

#endif // JANUS_RUNTIME_PYTHON_API_H
