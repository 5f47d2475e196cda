//===- threads.h - The threads that share the pieces of a kernel ----------===//

#ifndef JANUS_RUNTIME_THREADS_H
#define JANUS_RUNTIME_THREADS_H

namespace janus {

/// More are not used, whatever is asked for.
constexpr int kMaxThreads = 256;

/// How many threads native code may use, the calling one included.
int thread_count();

/// 0 stands for one per core that this process may run on. Threads that exist already stay.
void set_thread_count(int count);

} // namespace janus

#endif // JANUS_RUNTIME_THREADS_H
