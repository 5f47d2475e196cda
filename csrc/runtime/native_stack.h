//===- native_stack.h - How much C stack is left --------------------------===//

#ifndef JANUS_RUNTIME_NATIVE_STACK_H
#define JANUS_RUNTIME_NATIVE_STACK_H

#include <cstdint>

namespace janus {

/// Whether the calling thread is about to run out of C stack. Calls through a
/// JitFunction take C stack where plain Python calls would not, so that a
/// recursion limit raised by the user no longer protects it.
bool native_stack_is_low();

/// The address below which the C stack of this thread must not grow.
char *lowest_native_stack();

/// How many calls deeper Python would let the current thread go, less a reserve for what the innermost call calls in
/// turn.
int64_t python_depth_left();

} // namespace janus

#endif // JANUS_RUNTIME_NATIVE_STACK_H
