//===- tape.h - Stacks for what backward computations need ----------------===//

#ifndef JANUS_RUNTIME_TAPE_H
#define JANUS_RUNTIME_TAPE_H

#include <cstddef>
#include <cstdint>

namespace janus {

/// The stacks of one call. Memory is taken in growing chunks and never moves.
class Tapes {
public:
  Tapes() = default;
  Tapes(const Tapes &) = delete;
  Tapes &operator=(const Tapes &) = delete;
  ~Tapes() { release(0); }

  /// Memory on top of a stack; null when there is none.
  void *push(int32_t stack, size_t bytes) noexcept;
  /// The memory that was pushed last, of the same size.
  void *pop(int32_t stack, size_t bytes) noexcept;
  /// Empty all stacks, and give memory back, but for a little for the next call.
  void reset() noexcept;

private:
  static constexpr int kStacks = 16;
  static constexpr size_t kAlignment = 64, kFirstChunk = size_t(64) << 10, kKept = size_t(1) << 20;

  /// Chunks are a list in both directions; the header is at their start.
  struct alignas(kAlignment) Chunk {
    Chunk *below, *above;
    size_t size, used;
    char *data() { return reinterpret_cast<char *>(this) + sizeof(Chunk); }
  };

  void release(size_t keep) noexcept;

  Chunk *tops[kStacks] = {};
  bool used = false;
};

} // namespace janus

#endif // JANUS_RUNTIME_TAPE_H
