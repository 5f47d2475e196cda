//===- journal.h - What native code writes during a call ------------------===//

#ifndef JANUS_RUNTIME_JOURNAL_H
#define JANUS_RUNTIME_JOURNAL_H

#include "abi.h"
#include "pod_vector.h"
#include "tape.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace janus {

/// A bump allocator that keeps its peak size between calls.
class ScratchArena {
public:
  ScratchArena() = default;
  ScratchArena(const ScratchArena &) = delete;
  ScratchArena &operator=(const ScratchArena &) = delete;
  ~ScratchArena();

  /// 64-byte aligned memory, or null.
  void *allocate(size_t bytes) noexcept;
  /// Forget all allocations; what was spread over several chunks will be one.
  void reset() noexcept;
  size_t retained_bytes() const { return total; }

private:
  struct Chunk {
    char *start;
    size_t bytes;
  };
  PodVector<Chunk> chunks;
  size_t used_in_last = 0;
  size_t total = 0;
  size_t next_chunk_bytes = 0;
};

/// The arenas of a version that no call is using.
class ArenaPool {
public:
  ArenaPool() = default;
  ArenaPool(const ArenaPool &) = delete;
  ArenaPool &operator=(const ArenaPool &) = delete;
  ~ArenaPool();

  ScratchArena *acquire() noexcept;
  void release(ScratchArena *arena) noexcept;

private:
  std::vector<ScratchArena *> idle;
};

enum class ValueTag : uint8_t { Int, Float, Tensor, Object };

struct JournalValue {
  ValueTag tag;
  /// Of a tensor: its number in `JanusCall::blocks`.
  uint32_t block;
  union {
    int64_t as_int;
    double as_float;
    /// Owned; null for none.
    void *as_object;
  };
};

struct JournalRecord {
  int32_t site;
  uint32_t first_value;
  uint32_t value_count;
};

/// Memory for the frames of nested calls.
struct FrameChunk {
  char *start;
  char *end;
};

/// Memory for one result of a nested call, from the arena.
struct Handover {
  void *memory;
  int64_t bytes;
};

/// Memory from janus_rt_alloc or janus_rt_push_copy.
struct JournalBlock {
  void *memory;
  uint8_t dtype;
  /// An array has taken the memory over.
  bool taken;
  /// Every record that holds it will give the same Python object.
  bool one_object;
  int32_t rank;
  uint32_t first_dim;
  /// Values in the journal that still refer to it.
  uint32_t uses;
  int32_t key;
};

} // namespace janus

/// The call in flight, as far as native code is concerned.
struct JanusCall {
  /// First: native code reads and writes it.
  JanusFrames frames = {};
  janus::PodVector<janus::JournalRecord> records;
  janus::PodVector<janus::JournalValue> values;
  janus::PodVector<janus::JournalBlock> blocks;
  janus::PodVector<int64_t> dims;
  janus::ScratchArena *arena = nullptr;
  janus::ArenaPool *arena_pool = nullptr;
  janus::Tapes tapes;
  /// Memory ran out: nothing of the call counts.
  bool exhausted = false;
  /// Native code broke the ABI.
  bool malformed = false;
  /// Some block was pushed more than once.
  bool repeated = false;
  /// Some value is an object.
  bool holds_objects = false;
  /// Memory for frames, in the order in which it is used. It belongs to the arena.
  janus::PodVector<janus::FrameChunk> frame_chunks;
  /// Results on their way to a caller.
  janus::PodVector<janus::Handover> handovers;

  /// Give scratch memory back. To be called as soon as the entry has returned.
  void release_scratch() noexcept;
  /// Free what no array has taken over and forget everything.
  void reset() noexcept;
};

#endif // JANUS_RUNTIME_JOURNAL_H
