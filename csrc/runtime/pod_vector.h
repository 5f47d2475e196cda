//===- pod_vector.h - A vector that never throws --------------------------===//
//
// Generated code calls into the journal, and no C++ exception may cross it, so
// the journal grows through this vector, which reports exhaustion as null.
//
//===----------------------------------------------------------------------===//

#ifndef JANUS_RUNTIME_POD_VECTOR_H
#define JANUS_RUNTIME_POD_VECTOR_H

#include <cstddef>
#include <cstdlib>
#include <type_traits>

namespace janus {

template <typename T> class PodVector {
  static_assert(std::is_trivially_copyable_v<T>, "elements are moved by realloc");

public:
  PodVector() = default;
  PodVector(const PodVector &) = delete;
  PodVector &operator=(const PodVector &) = delete;
  ~PodVector() { std::free(items); }

  T *data() const { return items; }
  size_t size() const { return count; }
  bool empty() const { return count == 0; }
  T &operator[](size_t index) const { return items[index]; }
  T &back() const { return items[count - 1]; }
  T *begin() const { return items; }
  T *end() const { return items + count; }
  void clear() { count = 0; }
  void pop() { --count; }

  /// Room for `extra` more elements: where they start, or null.
  T *grow(size_t extra) noexcept {
    if (count + extra > capacity && !reserve(count + extra))
      return nullptr;
    T *start = items + count;
    count += extra;
    return start;
  }
  bool push(const T &value) noexcept {
    T *slot = grow(1);
    if (!slot)
      return false;
    *slot = value;
    return true;
  }
  bool reserve(size_t wanted) noexcept {
    if (wanted <= capacity)
      return true;
    size_t rounded = capacity ? capacity : 16;
    while (rounded < wanted)
      rounded *= 2;
    void *grown = std::realloc(static_cast<void *>(items), rounded * sizeof(T));
    if (!grown)
      return false;
    items = static_cast<T *>(grown);
    capacity = rounded;
    return true;
  }

private:
  T *items = nullptr;
  size_t count = 0;
  size_t capacity = 0;
};

} // namespace janus

#endif // JANUS_RUNTIME_POD_VECTOR_H
