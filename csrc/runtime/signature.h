//===- signature.h - Binding arguments to slots ---------------------------===//

#ifndef JANUS_RUNTIME_SIGNATURE_H
#define JANUS_RUNTIME_SIGNATURE_H

#include "call_context.h"
#include "python_api.h"

#include <vector>

namespace janus {

/// Parameters of a function. Slots: positional ones, the tuple of `*args`,
/// keyword-only ones, the dict of `**kwargs`.
class Signature {
public:
  Signature() = default;
  Signature(const Signature &) = delete;
  Signature &operator=(const Signature &) = delete;
  ~Signature() { clear(); }

  /// Read (names, n_posonly, n_pos_or_kw, n_kwonly, has_varargs, has_varkw).
  /// Throws PythonError.
  void parse(PyObject *tuple);

  size_t slot_count() const { return names.size(); }

  enum class Result { Bound, Mismatch, Error };

  /// Fill the context's first slots. Arguments are borrowed from `args`; what
  /// is made or fetched here (tuples, defaults) is kept by the context.
  /// Mismatch: Python would raise a TypeError.
  Result bind(CallContext &context, PyObject *function, PyObject *const *args, size_t count, PyObject *keywords) const;

  void clear();

private:
  /// By slot, interned; null for `*args` and `**kwargs`.
  std::vector<PyObject *> names;
  size_t positional_only = 0;
  size_t positional = 0;
  size_t keyword_only = 0;
  bool has_varargs = false;
  bool has_varkw = false;

  size_t first_keyword_only() const { return positional + has_varargs; }
  size_t find_keyword(PyObject *name) const;
  Result bind_slowly(CallContext &context, PyObject *function, PyObject *const *args, size_t count,
                     PyObject *keywords) const;
  Result fill_defaults(CallContext &context, PyObject *function) const;
};

} // namespace janus

#endif // JANUS_RUNTIME_SIGNATURE_H
