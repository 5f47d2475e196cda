//===- blocks.h - Aligned memory of results -------------------------------===//
//
// Results are written by native code straight into the memory that the NumPy
// array will own: 64-byte aligned blocks, the small ones kept on free lists.
// The array frees its block through a NumPy memory handler (NEP 49), so no base
// object is needed and `flags.owndata` is true as for any fresh array. JAX takes
// over 64-byte aligned memory without a copy.
//
// All functions want the GIL.
//
//===----------------------------------------------------------------------===//

#ifndef JANUS_RUNTIME_BLOCKS_H
#define JANUS_RUNTIME_BLOCKS_H

#include "python_api.h"

#include <cstddef>
#include <cstdint>

namespace janus {

constexpr size_t kBlockAlignment = 64;

/// What stands in front of a block's memory.
struct BlockHeader {
  void *raw;
  size_t capacity;
  uint32_t size_class;
  /// The block's number in the journal that allocated it.
  uint32_t journal_index;
};

inline BlockHeader *block_header(void *memory) {
  return reinterpret_cast<BlockHeader *>(static_cast<char *>(memory) - sizeof(BlockHeader));
}

/// Uninitialised memory of at least `bytes` bytes, or null.
void *allocate_block(size_t bytes) noexcept;
void free_block(void *memory) noexcept;

/// Blocks handed out and not yet freed.
size_t live_block_count();

/// The NumPy memory handler (a capsule, borrowed) of arrays that own a block;
/// null with an error set if it could not be made.
PyObject *block_memory_handler();

} // namespace janus

#endif // JANUS_RUNTIME_BLOCKS_H
