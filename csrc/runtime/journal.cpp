//===- journal.cpp - What native code writes during a call ----------------===//

#include "journal.h"

#include "blocks.h"
#include "dtypes.h"
#include "python_api.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

using namespace janus;

//===----------------------------------------------------------------------===//
// Scratch memory
//===----------------------------------------------------------------------===//

namespace {

constexpr size_t kFirstChunkBytes = size_t(64) << 10;
/// A version keeps one arena of any size, for its usual call, and a few small
/// ones for recursion and threads.
constexpr size_t kIdleArenas = 4;
constexpr size_t kSmallArenaBytes = size_t(1) << 20;

size_t round_up(size_t bytes) { return (bytes + kBlockAlignment - 1) & ~(kBlockAlignment - 1); }

} // namespace

ScratchArena::~ScratchArena() {
  for (Chunk &chunk : chunks)
    std::free(chunk.start);
}

void *ScratchArena::allocate(size_t bytes) noexcept {
  if (bytes > SIZE_MAX / 4)
    return nullptr;
  bytes = round_up(std::max<size_t>(bytes, 1));
  if (chunks.empty() || chunks.back().bytes - used_in_last < bytes) {
    size_t size = std::max({bytes, kFirstChunkBytes, next_chunk_bytes, total});
    void *start = nullptr;
    if (posix_memalign(&start, kBlockAlignment, size) != 0) {
      size = bytes;
      if (posix_memalign(&start, kBlockAlignment, size) != 0)
        return nullptr;
    }
    if (!chunks.push({static_cast<char *>(start), size})) {
      std::free(start);
      return nullptr;
    }
    total += size;
    used_in_last = 0;
  }
  void *memory = chunks.back().start + used_in_last;
  used_in_last += bytes;
  return memory;
}

void ScratchArena::reset() noexcept {
  used_in_last = 0;
  if (chunks.size() <= 1)
    return;
  for (Chunk &chunk : chunks)
    std::free(chunk.start);
  chunks.clear();
  next_chunk_bytes = total;
  total = 0;
}

ArenaPool::~ArenaPool() {
  for (ScratchArena *arena : idle)
    delete arena;
}

ScratchArena *ArenaPool::acquire() noexcept {
  if (idle.empty())
    return new (std::nothrow) ScratchArena;
  ScratchArena *arena = idle.back();
  idle.pop_back();
  return arena;
}

void ArenaPool::release(ScratchArena *arena) noexcept {
  arena->reset();
  if (idle.empty() || (idle.size() < kIdleArenas && arena->retained_bytes() <= kSmallArenaBytes)) {
    try {
      idle.push_back(arena);
      return;
    } catch (const std::bad_alloc &) {
      // Keeping it is only an optimisation.
    }
  }
  delete arena;
}

//===----------------------------------------------------------------------===//
// The call
//===----------------------------------------------------------------------===//

void JanusCall::release_scratch() noexcept {
  tapes.reset();
  if (arena) {
    arena_pool->release(arena);
    arena = nullptr;
  }
  arena_pool = nullptr;
  frames.top = frames.limit = nullptr;
  frame_chunks.clear();
  handovers.clear();
}

void JanusCall::reset() noexcept {
  release_scratch();
  for (JournalBlock &block : blocks)
    if (!block.taken)
      free_block(block.memory);
  records.clear();
  if (holds_objects) {
    // Popped one by one: a destructor may run Python code.
    while (values.size()) {
      JournalValue value = values.back();
      values.pop();
      if (value.tag == ValueTag::Object)
        Py_XDECREF(static_cast<PyObject *>(value.as_object));
    }
  }
  values.clear();
  blocks.clear();
  dims.clear();
  exhausted = malformed = repeated = holds_objects = false;
}

//===----------------------------------------------------------------------===//
// The functions that generated code calls
//===----------------------------------------------------------------------===//

namespace {

JournalValue *push_value(JanusCall *call) {
  if (call->records.empty()) {
    call->malformed = true;
    return nullptr;
  }
  JournalValue *value = call->values.grow(1);
  if (!value) {
    call->exhausted = true;
    return nullptr;
  }
  ++call->records.back().value_count;
  return value;
}

/// Bytes of a tensor, or -1 where there is no such tensor.
int64_t tensor_bytes(int32_t dtype, int32_t rank, const int64_t *dims) {
  if (dtype < 0 || dtype >= JANUS_DTYPE_COUNT || rank < 0 || rank > NPY_MAXDIMS)
    return -1;
  int64_t bytes = item_size(dtype);
  bool overflow = false;
  bool empty = false;
  for (int32_t axis = 0; axis < rank; ++axis) {
    if (dims[axis] < 0)
      return -1;
    // An extent of 0 makes the others irrelevant, however large they are.
    empty |= dims[axis] == 0;
    overflow |= __builtin_mul_overflow(bytes, dims[axis], &bytes);
  }
  if (empty)
    return 0;
  return overflow ? INT64_MAX : bytes;
}

void push_block(JanusCall *call, uint32_t index) {
  JournalValue *value = push_value(call);
  if (!value)
    return;
  value->tag = ValueTag::Tensor;
  value->block = index;
  value->as_int = 0;
  if (++call->blocks[index].uses > 1)
    call->repeated = true;
}

} // namespace

void janus_rt_begin_record(JanusCall *call, int32_t site) {
  if (!call->records.push({site, static_cast<uint32_t>(call->values.size()), 0}))
    call->exhausted = true;
}

void janus_rt_push_i64(JanusCall *call, int64_t number) {
  if (JournalValue *value = push_value(call)) {
    value->tag = ValueTag::Int;
    value->as_int = number;
  }
}

void janus_rt_push_f64(JanusCall *call, double number) {
  if (JournalValue *value = push_value(call)) {
    value->tag = ValueTag::Float;
    value->as_float = number;
  }
}

void janus_rt_push_object(JanusCall *call, JanusObject object) {
  if (JournalValue *value = push_value(call)) {
    value->tag = ValueTag::Object;
    value->as_object = Py_XNewRef(static_cast<PyObject *>(object));
    call->holds_objects = true;
  }
}

void *janus_rt_alloc(JanusCall *call, int32_t dtype, int32_t rank, const int64_t *dims) {
  int64_t bytes = tensor_bytes(dtype, rank, dims);
  if (bytes < 0) {
    call->malformed = true;
    return nullptr;
  }
  void *memory = bytes == INT64_MAX ? nullptr : allocate_block(static_cast<size_t>(bytes));
  if (!memory) {
    call->exhausted = true;
    return nullptr;
  }
  uint32_t first_dim = static_cast<uint32_t>(call->dims.size());
  uint32_t index = static_cast<uint32_t>(call->blocks.size());
  int64_t *stored = call->dims.grow(static_cast<size_t>(rank));
  if ((rank && !stored) ||
      !call->blocks.push({memory, static_cast<uint8_t>(dtype), false, false, rank, first_dim, 0, 0})) {
    free_block(memory);
    call->exhausted = true;
    return nullptr;
  }
  for (int32_t axis = 0; axis < rank; ++axis)
    stored[axis] = dims[axis];
  block_header(memory)->journal_index = index;
  return memory;
}

void janus_rt_push_owned(JanusCall *call, void *memory) {
  // After exhaustion native code may go on with a null pointer up to its exit.
  uint32_t index = memory ? block_header(memory)->journal_index : 0;
  if (!memory || index >= call->blocks.size() || call->blocks[index].memory != memory) {
    call->malformed |= !call->exhausted;
    return;
  }
  push_block(call, index);
}

void janus_rt_push_copy(JanusCall *call, int32_t dtype, int32_t rank, const int64_t *dims, const void *memory) {
  void *copy = janus_rt_alloc(call, dtype, rank, dims);
  if (!copy)
    return;
  if (int64_t bytes = tensor_bytes(dtype, rank, dims))
    std::memcpy(copy, memory, static_cast<size_t>(bytes));
  push_block(call, block_header(copy)->journal_index);
}

void *janus_rt_scratch(JanusCall *call, int64_t bytes) {
  if (!call->arena && call->arena_pool)
    call->arena = call->arena_pool->acquire();
  void *memory = call->arena && bytes >= 0 ? call->arena->allocate(static_cast<size_t>(bytes)) : nullptr;
  if (!memory)
    call->exhausted = true;
  return memory;
}

//===----------------------------------------------------------------------===//
// Calls within native code
//===----------------------------------------------------------------------===//

namespace {
constexpr size_t kFirstFrames = size_t(256) << 10;
constexpr size_t kMostFrames = size_t(16) << 20;
} // namespace

void *janus_rt_grow_frames(JanusCall *call, int64_t bytes) {
  if (bytes < 0)
    return nullptr;
  JanusFrames &frames = call->frames;
  auto &chunks = call->frame_chunks;
  size_t next = 0;
  while (frames.limit && next < chunks.size() && chunks[next].end != frames.limit)
    ++next;
  if (frames.limit)
    ++next;
  size_t wanted = static_cast<size_t>(bytes);
  // A chunk that was used before serves again, or else makes place for a larger one.
  if (next >= chunks.size() || static_cast<size_t>(chunks[next].end - chunks[next].start) < wanted) {
    size_t size = std::max(wanted, std::min(kFirstFrames << std::min<size_t>(next, 6), kMostFrames));
    auto *start = static_cast<char *>(janus_rt_scratch(call, static_cast<int64_t>(size)));
    if (!start)
      return nullptr;
    while (chunks.size() > next)
      chunks.pop();
    if (!chunks.push({start, start + size})) {
      call->exhausted = true;
      return nullptr;
    }
  }
  frames.top = chunks[next].start + wanted;
  frames.limit = chunks[next].end;
  return chunks[next].start;
}

void *janus_rt_handover(JanusCall *call, int32_t index, int64_t bytes) {
  auto place = static_cast<size_t>(index);
  if (index < 0 || index >= JANUS_HANDOVERS) {
    call->malformed = true;
    return nullptr;
  }
  while (call->handovers.size() <= place)
    if (!call->handovers.push({nullptr, -1})) {
      call->exhausted = true;
      return nullptr;
    }
  Handover &handover = call->handovers[place];
  if (handover.bytes < bytes) {
    handover.memory = janus_rt_scratch(call, 2 * bytes);
    handover.bytes = handover.memory ? 2 * bytes : -1;
  }
  return handover.memory;
}
