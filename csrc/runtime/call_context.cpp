//===- call_context.cpp - One call of a JitFunction -----------------------===//

#include "call_context.h"

#include <new>

namespace janus {
namespace {

constexpr size_t kPooledContexts = 32;
CallContext *pool[kPooledContexts];
size_t pooled = 0;

void drop_all(PodVector<PyObject *> &objects, size_t first) {
  // Popped one by one: a destructor may run Python code.
  for (size_t index = first; index < objects.size(); ++index)
    Py_CLEAR(objects[index]);
}

} // namespace

CallContext *CallContext::acquire() {
  if (pooled)
    return pool[--pooled];
  auto *context = new (std::nothrow) CallContext;
  if (!context)
    PyErr_NoMemory();
  return context;
}

void CallContext::release(CallContext *context) {
  context->journal.reset();
  context->drop_fetched();
  drop_all(context->temporaries, 0);
  drop_all(context->keyed, 0);
  context->objects.clear();
  context->temporaries.clear();
  context->keyed.clear();
  context->argument_count = 0;
  if (pooled < kPooledContexts)
    pool[pooled++] = context;
  else
    delete context;
}

bool CallContext::keep(PyObject *owned) {
  if (temporaries.push(owned))
    return true;
  Py_DECREF(owned);
  PyErr_NoMemory();
  return false;
}

void CallContext::drop_fetched() { drop_all(objects, argument_count); }

void CallContext::drop_temporaries(size_t mark) {
  while (temporaries.size() > mark) {
    PyObject *object = temporaries.back();
    temporaries.pop();
    Py_DECREF(object);
  }
}

} // namespace janus
