//===- guard_program.h - Entry guards of a version ------------------------===//
//
// A guard program decides whether a version applies to a call, and fills the
// native slots. It is a list of instructions run in order, failing fast. The
// instructions are given as Python tuples (see janus_mlir/runtime/README.md)
// and kept as flat structs.
//
//===----------------------------------------------------------------------===//

#ifndef JANUS_RUNTIME_GUARD_PROGRAM_H
#define JANUS_RUNTIME_GUARD_PROGRAM_H

#include "call_context.h"
#include "python_api.h"

#include <cstdint>
#include <vector>

namespace janus {

enum class Op : uint8_t {
  // Fetch an object.
  Attr,
  Type,
  Index,
  Key,
  Global,
  Cell,
  Const,
  Call1,
  // Check objects.
  TypeIs,
  Is,
  IsNot,
  Same,
  Distinct,
  Eq,
  Len,
  DictKeys,
  Absent,
  MethodIs,
  ArrayNumpy,
  ArrayJax,
  NpScalar,
  Writeable,
  NoOverlap,
  IntRange,
  // Append native slots.
  BindTensor,
  BindInt,
  BindFloat,
  BindBool,
  BindLen,
  BindObject,
};

/// The references are borrowed: GuardProgram::constants owns them.
struct Instruction {
  Op op;
  bool weak = false;
  int8_t dtype = 0;
  int32_t dst = -1;
  int32_t src = -1;
  int32_t other = -1;
  PyObject *object = nullptr;
  PyObject *name = nullptr;
  PyArray_Descr *descr = nullptr;
  int64_t low = 0;
  int64_t high = 0;
  /// A range of GuardProgram::numbers (dims, axes or slots).
  uint32_t first_number = 0;
  uint32_t number_count = 0;
  /// Number of an ArrayJax check's cache.
  uint32_t cache = 0;
};

/// Dimensions are encoded as the extent, or as one of these below zero.
constexpr int64_t encode_binding_symbol(int64_t symbol) { return -1 - 2 * symbol; }
constexpr int64_t encode_bound_symbol(int64_t symbol) { return -2 - 2 * symbol; }
constexpr bool is_binding_symbol(int64_t dim) { return (dim & 1) != 0; }
constexpr int64_t decode_symbol(int64_t dim) { return (-1 - dim) / 2; }

/// The abstract value that a JAX check accepted last, and its shape.
struct JaxCache {
  PyObject *aval = nullptr;
  std::vector<int64_t> dims;
};

enum class Outcome { Pass, Fail, Error };

class GuardProgram {
public:
  GuardProgram() = default;
  GuardProgram(const GuardProgram &) = delete;
  GuardProgram &operator=(const GuardProgram &) = delete;
  ~GuardProgram() { clear(); }

  /// Read the instructions from a Python list. Throws PythonError.
  void parse(PyObject *program, int32_t slot_count);

  /// Run on a context whose first slots hold the arguments. On Fail no Python
  /// error is set; Error means one that is no ordinary failure of a fetch
  /// (KeyboardInterrupt, say). `stopped_at` is then the instruction's number.
  Outcome run(CallContext &context, size_t *stopped_at = nullptr);

  int32_t slots() const { return slot_count; }
  /// The first slot that is fetched and not an argument.
  int32_t first_fetched() const { return fetched_from; }
  bool is_fetched(int32_t slot) const { return fetched[static_cast<size_t>(slot)]; }
  /// One more than the last argument slot that is read.
  int32_t arguments_needed() const { return arguments; }

  int traverse(visitproc visit, void *arg) const;
  void clear();

private:
  friend class ProgramParser;

  std::vector<Instruction> instructions;
  std::vector<int64_t> numbers;
  std::vector<PyObject *> constants;
  std::vector<JaxCache> jax_caches;
  std::vector<bool> fetched;
  int32_t slot_count = 0;
  int32_t fetched_from = 0;
  int32_t arguments = 0;
  size_t symbol_count = 0;
  size_t native_slot_count = 0;
  size_t cell_count = 0;
};

} // namespace janus

#endif // JANUS_RUNTIME_GUARD_PROGRAM_H
