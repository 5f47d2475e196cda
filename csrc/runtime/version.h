//===- version.h - One compiled version of a function ---------------------===//

#ifndef JANUS_RUNTIME_VERSION_H
#define JANUS_RUNTIME_VERSION_H

#include "guard_program.h"
#include "journal.h"
#include "python_api.h"
#include "sites.h"

#include <cstdint>
#include <vector>

namespace janus {

/// The C++ part of a `Version` object.
struct Version {
  JanusEntry entry = nullptr;
  GuardProgram program;
  SiteTable sites;
  /// Slots whose objects are handed to the callables of sites.
  std::vector<int32_t> object_slots;
  ArenaPool arenas;
  /// Keeps the native code alive.
  PyObject *owner = nullptr;
  /// A weak reference to the JitFunction that binds arguments for `check`; null before.
  PyObject *function = nullptr;
  uint64_t hits = 0;
  uint64_t native_ns = 0;
  bool timed = false;

  /// Run the guards; on Fail or Error the context holds the arguments only.
  Outcome try_guards(CallContext &context, size_t *stopped_at = nullptr);

  /// Run the native code on bound slots.
  int32_t call_native(CallContext &context);
};

struct VersionObject {
  PyObject_HEAD Version version;
};

extern PyTypeObject *version_type;

/// Create the type and add it to the module.
bool add_version_type(PyObject *module);

inline Version &as_version(PyObject *object) { return reinterpret_cast<VersionObject *>(object)->version; }

} // namespace janus

#endif // JANUS_RUNTIME_VERSION_H
