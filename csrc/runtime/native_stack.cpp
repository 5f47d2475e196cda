//===- native_stack.cpp - How much C stack is left ------------------------===//

#include "native_stack.h"

#include "python_api.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <pthread.h>

namespace janus {
namespace {

/// Enough for the interpreter to unwind and for destructors and handlers to run.
constexpr size_t kReserve = size_t(384) << 10;

thread_local uintptr_t lowest_allowed = 0;

/// The address that the stack of this thread must not grow below; 1 where unknown.
uintptr_t find_lowest_allowed() {
#if defined(__linux__)
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0)
    return 1;
  void *base = nullptr;
  size_t size = 0;
  int failed = pthread_attr_getstack(&attributes, &base, &size);
  pthread_attr_destroy(&attributes);
  if (failed || !base)
    return 1;
  return reinterpret_cast<uintptr_t>(base) + std::min(kReserve, size / 4);
#elif defined(__APPLE__)
  auto top = reinterpret_cast<uintptr_t>(pthread_get_stackaddr_np(pthread_self()));
  size_t size = pthread_get_stacksize_np(pthread_self());
  return top - size + std::min(kReserve, size / 4);
#else
  return 1;
#endif
}

} // namespace

bool native_stack_is_low() { return static_cast<char *>(__builtin_frame_address(0)) < lowest_native_stack(); }

char *lowest_native_stack() {
  if (!lowest_allowed)
    lowest_allowed = find_lowest_allowed();
  return reinterpret_cast<char *>(lowest_allowed);
}

int64_t python_depth_left() {
  // What is inlined in native code, or done by it without a call, are calls in Python, and those of libraries
  // may nest some dozens deep: near the limit, Python itself finds out whether the program reaches it.
  constexpr int64_t kReserve = 80;
  PyThreadState *state = PyThreadState_Get();
#if PY_VERSION_HEX >= 0x030C0000
  return state->py_recursion_remaining - kReserve;
#else
  return state->recursion_remaining - kReserve;
#endif
}

} // namespace janus
