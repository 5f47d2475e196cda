//===- jit_function.h - The callable that users hold ----------------------===//

#ifndef JANUS_RUNTIME_JIT_FUNCTION_H
#define JANUS_RUNTIME_JIT_FUNCTION_H

#include "python_api.h"
#include "signature.h"
#include "version.h"

namespace janus {

/// Versions in order of use. Shared with the calls that are going through it;
/// `set_versions` replaces the list, it does not change it.
class VersionList {
public:
  static VersionList *create(PyObject *tuple);
  static VersionList *retain(VersionList *list) {
    ++list->references;
    return list;
  }
  static void release(VersionList *list);

  size_t size() const { return items.size(); }
  PyObject *operator[](size_t index) const { return items[index]; }
  /// Try this version first from now on, unless another call is looking at the list.
  void move_to_front(size_t index);
  int traverse(visitproc visit, void *arg) const;

private:
  std::vector<PyObject *> items; // owned
  size_t references = 1;
};

extern PyTypeObject *jit_function_type;

/// Null, or asked before each call whether to leave it to Python. Owned.
extern PyObject *jit_gate;

bool add_jit_function_type(PyObject *module);

/// Bind (args, kwargs) with the signature of the function that holds the
/// version. Without one, positional arguments fill the slots as they come.
Signature::Result bind_for_version(Version &version, CallContext &context, PyObject *args, PyObject *keywords);

} // namespace janus

#endif // JANUS_RUNTIME_JIT_FUNCTION_H
