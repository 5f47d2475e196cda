//===- call_context.h - One call of a JitFunction -------------------------===//

#ifndef JANUS_RUNTIME_CALL_CONTEXT_H
#define JANUS_RUNTIME_CALL_CONTEXT_H

#include "journal.h"
#include "python_api.h"

namespace janus {

/// Storage of a NumPy scalar that native code reads through a pointer.
struct alignas(16) ScalarCell {
  char bytes[16];
};

/// Everything that a call needs between binding and commit. Contexts are pooled
/// (under the GIL), so that a call neither allocates nor takes much C stack,
/// however deep the recursion.
struct CallContext {
  JanusCall journal;
  /// Object slots: borrowed arguments first, then what the guard program fetched (owned).
  PodVector<PyObject *> objects;
  /// Owned objects that live as long as the call: bound tuples, defaults, contiguous copies.
  PodVector<PyObject *> temporaries;
  /// Values of the dynamic dimension symbols.
  PodVector<int64_t> symbols;
  /// What native code is given.
  PodVector<int64_t> slots;
  PodVector<ScalarCell> cells;
  /// Results by identity key (owned, null where not made yet).
  PodVector<PyObject *> keyed;
  size_t argument_count = 0;

  static CallContext *acquire();
  /// Release what the call holds and return the context to the pool. Runs destructors.
  static void release(CallContext *context);

  /// Hold `owned` until the end of the call. False (with an error set, and the
  /// reference gone) when out of memory.
  bool keep(PyObject *owned);
  /// Drop what the guard program fetched; the arguments stay.
  void drop_fetched();
  /// Drop the temporaries beyond the first `mark`.
  void drop_temporaries(size_t mark);
};

/// The holder of a context during a scope.
class ContextScope {
public:
  explicit ContextScope(CallContext *context) : context(context) {}
  ContextScope(const ContextScope &) = delete;
  ContextScope &operator=(const ContextScope &) = delete;
  ~ContextScope() { release(); }

  explicit operator bool() const { return context != nullptr; }
  CallContext *operator->() const { return context; }
  CallContext &operator*() const { return *context; }
  void release() {
    if (context)
      CallContext::release(std::exchange(context, nullptr));
  }

private:
  CallContext *context;
};

} // namespace janus

#endif // JANUS_RUNTIME_CALL_CONTEXT_H
