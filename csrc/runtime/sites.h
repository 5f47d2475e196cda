//===- sites.h - Where values leave native code ---------------------------===//

#ifndef JANUS_RUNTIME_SITES_H
#define JANUS_RUNTIME_SITES_H

#include "call_context.h"
#include "python_api.h"

#include <cstdint>
#include <vector>

namespace janus {

enum class ValueKind : uint8_t { Int, Float, Bool, Numpy, NpScalar, Jax, Object, Objects };
enum class SiteKind : uint8_t { Unused, Effect, Return, Exit };
/// How the result of a site is made: its value, a tuple of its values, None, or by its callable.
enum class Finish : uint8_t { Call, Single, Tuple, None };

struct ValueSpec {
  ValueKind kind;
  /// The type of the Python object; native code pushes storage types.
  int8_t dtype;
  /// 0: always a fresh object. Otherwise values of one key are one object.
  int32_t key;
  PyArray_Descr *descr;
  PyObject *wrap; // borrowed from SiteTable::references
};

struct Site {
  SiteKind kind = SiteKind::Unused;
  Finish finish = Finish::Call;
  /// An exit: drop the records before it.
  bool discard = false;
  PyObject *callable = nullptr; // borrowed from SiteTable::references
  std::vector<ValueSpec> values;
  uint64_t exits = 0;
};

/// The sites of a version, by number.
class SiteTable {
public:
  SiteTable() = default;
  SiteTable(const SiteTable &) = delete;
  SiteTable &operator=(const SiteTable &) = delete;
  ~SiteTable() { clear(); }

  /// Read a list of (id, kind, specs, fn, discard, fast). Throws PythonError.
  void parse(PyObject *list);

  /// Null where there is no such site.
  Site *find(int32_t id) {
    return id >= 0 && static_cast<size_t>(id) < sites.size() && sites[static_cast<size_t>(id)].kind != SiteKind::Unused
               ? &sites[static_cast<size_t>(id)]
               : nullptr;
  }
  size_t key_limit() const { return keys; }
  /// {site: times left there}, of the exits taken.
  PyObject *exit_counts() const;

  int traverse(visitproc visit, void *arg) const;
  void clear();

private:
  std::vector<Site> sites;
  std::vector<PyObject *> references;
  size_t keys = 0;

  PyObject *own(PyObject *object) {
    references.push_back(Py_NewRef(object));
    return object;
  }
  void parse_site(PyObject *tuple);
  ValueSpec parse_value(PyObject *tuple);
};

/// Make the Python object of a journal value: a new reference, or null with an error.
PyObject *wrap_value(CallContext &context, const JournalValue &value, const ValueSpec &spec);

} // namespace janus

#endif // JANUS_RUNTIME_SITES_H
