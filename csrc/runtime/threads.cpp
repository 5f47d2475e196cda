//===- threads.cpp - The threads that share the pieces of a kernel --------===//
//
// A fork-join pool. The calling thread publishes a job and takes pieces of it like everybody else, so that a job ends
// even if no other thread ever gets to run. One job runs at a time: whoever comes while one does, runs its own pieces
// alone. Threads start when they are first needed, and not again in a forked child before that needs them itself.
//
//===----------------------------------------------------------------------===//

#include "threads.h"

#include "abi.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <pthread.h>
#include <sched.h>
#include <system_error>
#include <thread>

namespace {

using Body = void (*)(int64_t, int64_t, void *);

/// How often a thread looks for what it waits for before it sleeps: some ten microseconds.
constexpr int kSpins = 2000;

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

struct Job {
  Body body;
  void *arguments;
  int64_t pieces;
  std::atomic<int64_t> next{0};

  void work() {
    for (int64_t i = next.fetch_add(1, std::memory_order_relaxed); i < pieces;
         i = next.fetch_add(1, std::memory_order_relaxed))
      body(i, i + 1, arguments);
  }
};

class Pool {
public:
  /// Runs the job with up to `helpers` other threads; false, without having done anything, if another one runs.
  bool run(Job &job, int helpers) {
    if (busy.test_and_set(std::memory_order_acquire))
      return false;
    start(helpers);
    {
      std::lock_guard<std::mutex> lock(mutex);
      current = &job;
      seats = helpers;
      // Looked at without the lock by those who spin.
      generation.fetch_add(1, std::memory_order_release);
    }
    wake.notify_all();
    job.work();
    {
      std::unique_lock<std::mutex> lock(mutex);
      // Nobody joins any more; who has joined still uses the job.
      current = nullptr;
    }
    for (int spin = 0; spin < kSpins && active.load(std::memory_order_acquire) != 0; ++spin)
      relax();
    if (active.load(std::memory_order_acquire) != 0) {
      std::unique_lock<std::mutex> lock(mutex);
      done.wait(lock, [this] { return active.load(std::memory_order_acquire) == 0; });
    }
    busy.clear(std::memory_order_release);
    return true;
  }

private:
  void start(int helpers) {
    for (; started < helpers; ++started) {
      try {
        std::thread(&Pool::serve, this).detach();
      } catch (const std::system_error &) {
        return; // No more threads to be had: those that there are will do.
      }
    }
  }

  void serve() {
    uint64_t seen = 0;
    while (true) {
      for (int spin = 0; spin < kSpins && generation.load(std::memory_order_acquire) == seen; ++spin)
        relax();
      Job *job;
      {
        std::unique_lock<std::mutex> lock(mutex);
        wake.wait(lock, [&] { return generation.load(std::memory_order_relaxed) != seen; });
        seen = generation.load(std::memory_order_relaxed);
        job = seats > 0 ? current : nullptr;
        if (!job)
          continue;
        --seats;
        active.fetch_add(1, std::memory_order_relaxed);
      }
      job->work();
      std::lock_guard<std::mutex> lock(mutex);
      if (active.fetch_sub(1, std::memory_order_acq_rel) == 1)
        done.notify_one();
    }
  }

  std::atomic_flag busy = ATOMIC_FLAG_INIT;
  std::mutex mutex;
  std::condition_variable wake, done;
  Job *current = nullptr;
  int seats = 0;
  int started = 0;
  std::atomic<uint64_t> generation{0};
  std::atomic<int> active{0};
};

/// Never destroyed: its threads may outlive everything else.
std::atomic<Pool *> the_pool{nullptr};
std::atomic<int> wanted{0};

Pool *pool() {
  Pool *found = the_pool.load(std::memory_order_acquire);
  if (found)
    return found;
  // The threads of a process stay behind when it forks: the child makes a pool of its own.
  static const int registered = pthread_atfork(nullptr, nullptr, [] { the_pool.store(nullptr); });
  (void)registered;
  Pool *made = new Pool;
  if (!the_pool.compare_exchange_strong(found, made)) {
    delete made;
    return found;
  }
  return made;
}

int core_count() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof(cores), &cores) == 0)
    return CPU_COUNT(&cores);
  return 1;
}

} // namespace

int janus::thread_count() {
  int count = wanted.load(std::memory_order_relaxed);
  if (count == 0) {
    static const int cores = core_count();
    count = cores;
  }
  return count < kMaxThreads ? count : kMaxThreads;
}

void janus::set_thread_count(int count) { wanted.store(count, std::memory_order_relaxed); }

extern "C" void janus_rt_parallel(Body body, void *arguments, int64_t pieces) {
  int64_t helpers = janus::thread_count() - 1;
  if (helpers > pieces - 1)
    helpers = pieces - 1;
  if (helpers > 0) {
    Job job{body, arguments, pieces};
    if (pool()->run(job, static_cast<int>(helpers)))
      return;
  }
  body(0, pieces, arguments);
}
