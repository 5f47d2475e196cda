//===- native_stack.h - How much C stack is left --------------------------===//

#ifndef JANUS_RUNTIME_NATIVE_STACK_H
#define JANUS_RUNTIME_NATIVE_STACK_H

namespace janus {

/// Whether the calling thread is about to run out of C stack. Calls through a
/// JitFunction take C stack where plain Python calls would not, so that a
/// recursion limit raised by the user no longer protects it.
bool native_stack_is_low();

} // namespace janus

#endif // JANUS_RUNTIME_NATIVE_STACK_H
