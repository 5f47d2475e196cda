//===- threads.cpp - The threads that share the pieces of a kernel --------===//
//
// A fork-join pool. The calling thread publishes a job and takes pieces of it like everybody else, so that a job ends
// even if no other thread ever gets to run. One job runs at a time: whoever comes while one does, runs its own pieces
// alone. Threads start when they are first needed, and not again in a forked child before that needs them itself.
//
//===----------------------------------------------------------------------===//

#include "threads.h"

#include "abi.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

using janus::kMaxThreads;
using Body = void (*)(int64_t, int64_t, void *);

/// For how long a thread looks for what it waits for before it sleeps: longer than what usually lies between two
/// kernels that are shared, and next to nothing for the machine.
constexpr std::chrono::microseconds kPatience{100};
/// What kernels keep on the stack is bounded (`kMaxPackedElements`), whatever the limit for the main thread.
constexpr size_t kStackBytes = size_t(8) << 20;

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

/// Rounding and the treatment of tiny numbers are those of the thread that calls.
unsigned float_mode() {
#if defined(__x86_64__)
  return _mm_getcsr();
#else
  return 0;
#endif
}

void set_float_mode(unsigned mode) {
#if defined(__x86_64__)
  _mm_setcsr(mode);
#else
  (void)mode;
#endif
}

template <typename Condition> bool spin_until(Condition condition) {
  auto end = std::chrono::steady_clock::now() + kPatience;
  do {
    for (int i = 0; i < 32; ++i) {
      if (condition())
        return true;
      relax();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

struct Job {
  Body body;
  void *arguments;
  int64_t pieces;
  unsigned mode = float_mode();
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
    while (started < helpers && start())
      ++started;
    bool call;
    {
      std::lock_guard<std::mutex> lock(mutex);
      current = &job;
      seats = helpers;
      // Those who are awake come by themselves.
      call = asleep > 0 && started - asleep < helpers;
      // Looked at without the lock by those who spin.
      generation.fetch_add(1, std::memory_order_release);
    }
    if (call)
      wake.notify_one();
    job.work();
    {
      // Nobody joins any more; who has joined still uses the job.
      std::lock_guard<std::mutex> lock(mutex);
      current = nullptr;
    }
    auto finished = [this] { return active.load(std::memory_order_acquire) == 0; };
    if (!spin_until(finished)) {
      std::unique_lock<std::mutex> lock(mutex);
      done.wait(lock, finished);
    }
    busy.clear(std::memory_order_release);
    return true;
  }

private:
  /// Starts a thread; false if there is none to be had: those that there are will do.
  bool start() {
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
      return false;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, kStackBytes);
    // Signals are for the threads of the program.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    auto body = [](void *pool) -> void * {
      static_cast<Pool *>(pool)->serve();
      return nullptr;
    };
    bool made = pthread_create(&thread, &attributes, body, this) == 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_attr_destroy(&attributes);
    return made;
  }

  void serve() {
    uint64_t seen = 0;
    auto published = [&] { return generation.load(std::memory_order_acquire) != seen; };
    std::unique_lock<std::mutex> lock(mutex, std::defer_lock);
    while (true) {
      spin_until(published);
      lock.lock();
      ++asleep;
      wake.wait(lock, published);
      --asleep;
      seen = generation.load(std::memory_order_relaxed);
      Job *job = seats > 0 ? current : nullptr;
      if (!job) {
        lock.unlock();
        continue;
      }
      --seats;
      active.fetch_add(1, std::memory_order_relaxed);
      bool call = seats > 0 && asleep > 0;
      lock.unlock();
      if (call)
        wake.notify_one();
      set_float_mode(job->mode);
      job->work();
      lock.lock();
      if (active.fetch_sub(1, std::memory_order_acq_rel) == 1)
        done.notify_one();
      lock.unlock();
    }
  }

  std::atomic_flag busy = ATOMIC_FLAG_INIT;
  std::mutex mutex;
  std::condition_variable wake, done;
  Job *current = nullptr;
  int seats = 0;  // how many more may join
  int asleep = 0; // or about to be
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
    static const int cores = std::min(core_count(), kMaxThreads);
    count = cores;
  }
  return count;
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
