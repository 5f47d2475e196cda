//===- tape.cpp - Stacks for what backward computations need --------------===//

#include "tape.h"

#include "abi.h"
#include "journal.h"

#include <algorithm>
#include <cstdlib>
#include <new>

using namespace janus;

/// Entries keep the alignment of their elements, and as much more as costs little.
static size_t entry_bytes(size_t bytes) { return (bytes + 15) & ~size_t(15); }

void *Tapes::push(int32_t stack, size_t bytes) noexcept {
  if (stack < 0 || stack >= kStacks)
    return nullptr;
  used = true;
  size_t needed = entry_bytes(bytes);
  Chunk *&top = tops[stack];
  if (!top || top->size - top->used < needed) {
    // The chunk above is empty: from an earlier, higher stand of the stack.
    if (top && top->above && top->above->size < needed) {
      Chunk *small = top->above;
      top->above = small->above;
      if (small->above)
        small->above->below = top;
      std::free(small);
    }
    if (top && top->above && top->above->size >= needed) {
      top = top->above;
    } else {
      size_t size = std::max(needed, top ? 2 * top->size : kFirstChunk);
      void *memory = std::aligned_alloc(kAlignment, sizeof(Chunk) + ((size + kAlignment - 1) & ~(kAlignment - 1)));
      if (!memory)
        return nullptr;
      auto *chunk = new (memory) Chunk{top, top ? top->above : nullptr, size, 0};
      if (chunk->above)
        chunk->above->below = chunk;
      if (top)
        top->above = chunk;
      top = chunk;
    }
  }
  void *memory = top->data() + top->used;
  top->used += needed;
  return memory;
}

void *Tapes::pop(int32_t stack, size_t bytes) noexcept {
  Chunk *&top = tops[stack];
  while (top->used == 0 && top->below)
    top = top->below;
  top->used -= entry_bytes(bytes);
  return top->data() + top->used;
}

void Tapes::release(size_t keep) noexcept {
  for (Chunk *&top : tops) {
    if (!top)
      continue;
    while (top->above)
      top = top->above;
    while (top) {
      Chunk *below = top->below;
      if (!below && top->size <= keep) {
        top->used = 0;
        top->above = nullptr;
        break;
      }
      std::free(top);
      top = below;
    }
  }
}

void Tapes::reset() noexcept {
  if (used)
    release(kKept);
  used = false;
}

//===----------------------------------------------------------------------===//
// The functions that generated code calls
//===----------------------------------------------------------------------===//

void *janus_rt_tape_push(JanusCall *call, int32_t stack, int64_t bytes) {
  void *memory = bytes >= 0 ? call->tapes.push(stack, static_cast<size_t>(bytes)) : nullptr;
  if (!memory)
    call->exhausted = true;
  return memory;
}

void *janus_rt_tape_pop(JanusCall *call, int32_t stack, int64_t bytes) {
  return call->tapes.pop(stack, static_cast<size_t>(bytes));
}
