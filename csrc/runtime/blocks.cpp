//===- blocks.cpp - Aligned memory of results -----------------------------===//

#include "blocks.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace janus {
namespace {

// Size classes: multiples of 64 bytes up to 1 KiB, then powers of two up to
// 256 KiB. Larger blocks go to malloc, whose own caching is as good there.
constexpr size_t kFineStep = 64;
constexpr uint32_t kFineClasses = 16;
constexpr uint32_t kCoarseClasses = 8;
constexpr uint32_t kClasses = kFineClasses + kCoarseClasses;
constexpr uint32_t kUnpooled = ~uint32_t(0);
constexpr size_t kFineLimit = kFineStep * kFineClasses;
constexpr size_t kRetainedBytesPerClass = size_t(1) << 19;
constexpr uint32_t kRetainedBlocksPerClass = 64;
constexpr size_t kHugePageThreshold = size_t(1) << 22;

struct FreeList {
  void *head = nullptr;
  uint32_t length = 0;
};

FreeList free_lists[kClasses];
size_t live_blocks = 0;

uint32_t class_of(size_t bytes) {
  if (bytes <= kFineLimit)
    return static_cast<uint32_t>((bytes - 1) / kFineStep);
  uint32_t index = kFineClasses;
  for (size_t size = kFineLimit * 2; index < kClasses; size *= 2, ++index)
    if (bytes <= size)
      return index;
  return kUnpooled;
}

size_t class_bytes(uint32_t index) {
  return index < kFineClasses ? (index + 1) * kFineStep : kFineLimit << (index - kFineClasses + 1);
}

void *&next_free(void *memory) { return *static_cast<void **>(memory); }

void *allocate_fresh(size_t capacity, uint32_t size_class) {
  constexpr size_t overhead = kBlockAlignment + sizeof(BlockHeader);
  if (capacity > SIZE_MAX - overhead)
    return nullptr;
  void *raw = std::malloc(capacity + overhead);
  if (!raw)
    return nullptr;
  uintptr_t start = reinterpret_cast<uintptr_t>(raw) + sizeof(BlockHeader);
  start = (start + kBlockAlignment - 1) & ~uintptr_t(kBlockAlignment - 1);
  void *memory = reinterpret_cast<void *>(start);
  *block_header(memory) = {raw, capacity, size_class, 0};
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  // As NumPy does for its own large arrays: fewer page faults on first touch.
  if (capacity >= kHugePageThreshold) {
    uintptr_t page = (start + 4095) & ~uintptr_t(4095);
    madvise(reinterpret_cast<void *>(page), capacity - (page - start), MADV_HUGEPAGE);
  }
#endif
  return memory;
}

void *handler_malloc(void *, size_t bytes) { return allocate_block(bytes); }

void *handler_calloc(void *, size_t count, size_t item) {
  if (item && count > SIZE_MAX / item)
    return nullptr;
  void *memory = allocate_block(count * item);
  if (memory)
    std::memset(memory, 0, count * item);
  return memory;
}

void *handler_realloc(void *, void *memory, size_t bytes) {
  if (memory && block_header(memory)->capacity >= bytes)
    return memory;
  void *moved = allocate_block(bytes);
  if (moved && memory) {
    std::memcpy(moved, memory, block_header(memory)->capacity);
    free_block(memory);
  }
  return moved;
}

void handler_free(void *, void *memory, size_t) { free_block(memory); }

PyDataMem_Handler memory_handler = {
    "janus_runtime", 1, {nullptr, handler_malloc, handler_calloc, handler_realloc, handler_free}};

} // namespace

void *allocate_block(size_t bytes) noexcept {
  bytes = std::max<size_t>(bytes, 1);
  uint32_t size_class = class_of(bytes);
  void *memory;
  if (size_class == kUnpooled) {
    memory = allocate_fresh(bytes, size_class);
  } else if (FreeList &list = free_lists[size_class]; list.head) {
    memory = list.head;
    list.head = next_free(memory);
    --list.length;
  } else {
    memory = allocate_fresh(class_bytes(size_class), size_class);
  }
  if (memory)
    ++live_blocks;
  return memory;
}

void free_block(void *memory) noexcept {
  if (!memory)
    return;
  --live_blocks;
  BlockHeader *header = block_header(memory);
  if (header->size_class != kUnpooled) {
    FreeList &list = free_lists[header->size_class];
    if (list.length < kRetainedBlocksPerClass && (list.length + 1) * header->capacity <= kRetainedBytesPerClass) {
      next_free(memory) = list.head;
      list.head = memory;
      ++list.length;
      return;
    }
  }
  std::free(header->raw);
}

size_t live_block_count() { return live_blocks; }

PyObject *block_memory_handler() {
  static PyObject *capsule = nullptr;
  if (!capsule)
    capsule = PyCapsule_New(&memory_handler, "mem_handler", nullptr);
  return capsule;
}

} // namespace janus
