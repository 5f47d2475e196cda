//===- guard_run.cpp - Running a guard program ----------------------------===//

#include "dtypes.h"
#include "guard_checks.h"
#include "guard_program.h"
#include "jax_bridge.h"

#include <cstring>

namespace janus {
namespace {

/// A fetch failed: an ordinary exception means that the version does not apply.
Outcome fetch_failure() {
  if (!PyErr_Occurred())
    return Outcome::Fail;
  if (!PyErr_ExceptionMatches(PyExc_Exception))
    return Outcome::Error;
  PyErr_Clear();
  return Outcome::Fail;
}

PyObject *fetch_item(PyObject *sequence, int64_t index) {
  bool is_list = PyList_CheckExact(sequence);
  if (!is_list && !PyTuple_CheckExact(sequence))
    return nullptr;
  Py_ssize_t size = Py_SIZE(sequence);
  if (index < 0)
    index += size;
  if (index < 0 || index >= size)
    return nullptr;
  return Py_NewRef(is_list ? PyList_GET_ITEM(sequence, index) : PyTuple_GET_ITEM(sequence, index));
}

PyObject *fetch(const Instruction &instruction, PyObject *const *objects) {
  switch (instruction.op) {
  case Op::Attr:
    return PyObject_GetAttr(objects[instruction.src], instruction.name);
  case Op::Type:
    return Py_NewRef(reinterpret_cast<PyObject *>(Py_TYPE(objects[instruction.src])));
  case Op::Index:
    return fetch_item(objects[instruction.src], instruction.low);
  case Op::Key:
    if (!PyDict_CheckExact(objects[instruction.src]))
      return nullptr;
    return Py_XNewRef(PyDict_GetItemWithError(objects[instruction.src], instruction.object));
  case Op::Global:
    return Py_XNewRef(PyDict_GetItemWithError(instruction.object, instruction.name));
  case Op::Cell:
    return PyCell_Get(instruction.object);
  case Op::Const:
    return Py_NewRef(instruction.object);
  default:
    return PyObject_CallOneArg(instruction.object, objects[instruction.src]);
  }
}

bool is_numpy_array(PyObject *object, const Instruction &instruction) {
  if (!PyArray_CheckExact(object))
    return false;
  auto *array = reinterpret_cast<PyArrayObject *>(object);
  return is_dtype(PyArray_DESCR(array), instruction.descr) &&
         PyArray_NDIM(array) == static_cast<int>(instruction.number_count);
}

bool overlaps_none(PyObject *object, PyObject *const *objects, const int64_t *slots, size_t count) {
  if (!PyArray_Check(object))
    return false;
  for (size_t index = 0; index < count; ++index) {
    PyObject *other = objects[slots[index]];
    // A JAX array is immutable: nothing that may be written lies in it.
    if (is_jax_array(other))
      continue;
    if (!PyArray_Check(other) ||
        memory_bounds_overlap(reinterpret_cast<PyArrayObject *>(object), reinterpret_cast<PyArrayObject *>(other)))
      return false;
  }
  return true;
}

bool exact_int(PyObject *object, int64_t &value) {
  if (!PyLong_CheckExact(object))
    return false;
  int overflow = 0;
  value = PyLong_AsLongLongAndOverflow(object, &overflow);
  return overflow == 0;
}

int64_t float_bits(double value) {
  int64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

template <typename Pointer> int64_t address(Pointer *pointer) {
  return static_cast<int64_t>(reinterpret_cast<uintptr_t>(pointer));
}

bool push_extents(CallContext &context, const int64_t *axes, size_t count, const int64_t *extents, size_t rank) {
  for (size_t index = 0; index < count; ++index) {
    if (static_cast<size_t>(axes[index]) >= rank)
      return false;
    context.slots.push(extents[axes[index]]);
  }
  return true;
}

Outcome bind_array(CallContext &context, PyArrayObject *array, const int64_t *axes, size_t count) {
  void *data = PyArray_DATA(array);
  if (!PyArray_IS_C_CONTIGUOUS(array) || !PyArray_ISALIGNED(array)) {
    PyObject *copy = PyArray_NewCopy(array, NPY_CORDER);
    if (!copy || !context.keep(copy))
      return Outcome::Error;
    data = PyArray_DATA(reinterpret_cast<PyArrayObject *>(copy));
  }
  context.slots.push(address(data));
  static_assert(sizeof(npy_intp) == sizeof(int64_t));
  return push_extents(context, axes, count, reinterpret_cast<int64_t *>(PyArray_DIMS(array)),
                      static_cast<size_t>(PyArray_NDIM(array)))
             ? Outcome::Pass
             : Outcome::Fail;
}

Outcome bind_tensor(CallContext &context, PyObject *object, const int64_t *axes, size_t count) {
  if (PyArray_Check(object))
    return bind_array(context, reinterpret_cast<PyArrayObject *>(object), axes, count);
  if (is_jax_array(object)) {
    int64_t pointer;
    if (!jax_data_pointer(object, pointer))
      return fetch_failure();
    context.slots.push(pointer);
    if (count == 0)
      return Outcome::Pass;
    std::vector<int64_t> extents;
    if (!jax_shape(object, extents))
      return fetch_failure();
    return push_extents(context, axes, count, extents.data(), extents.size()) ? Outcome::Pass : Outcome::Fail;
  }
  if (count != 0)
    return Outcome::Fail;
  // Reserved by the caller, so that the cells do not move.
  ScalarCell *cell = context.cells.grow(1);
  if (!copy_scalar(object, cell))
    return Outcome::Fail;
  context.slots.push(address(cell));
  return Outcome::Pass;
}

} // namespace

Outcome GuardProgram::run(CallContext &context, size_t *stopped_at) {
  context.symbols.clear();
  context.slots.clear();
  context.cells.clear();
  if (!context.symbols.reserve(symbol_count) || !context.slots.reserve(native_slot_count) ||
      !context.cells.reserve(cell_count)) {
    PyErr_NoMemory();
    return Outcome::Error;
  }
  PyObject **objects = context.objects.data();
  int64_t *symbols = context.symbols.data();
  const int64_t *pool = numbers.data();

  auto passes = [&](const Instruction &instruction) -> Outcome {
    auto verdict = [](bool holds) { return holds ? Outcome::Pass : Outcome::Fail; };
    PyObject *object = instruction.src >= 0 ? objects[instruction.src] : nullptr;
    const int64_t *list = pool + instruction.first_number;
    size_t count = instruction.number_count;
    switch (instruction.op) {
    case Op::Attr:
    case Op::Type:
    case Op::Index:
    case Op::Key:
    case Op::Global:
    case Op::Cell:
    case Op::Const:
    case Op::Call1:
      objects[instruction.dst] = fetch(instruction, objects);
      return objects[instruction.dst] ? Outcome::Pass : fetch_failure();
    case Op::TypeIs:
      return verdict(reinterpret_cast<PyObject *>(Py_TYPE(object)) == instruction.object);
    case Op::Is:
      return verdict(object == instruction.object);
    case Op::IsNot:
      return verdict(object != instruction.object);
    case Op::Same:
      return verdict(object == objects[instruction.other]);
    case Op::Distinct:
      return verdict(pairwise_distinct(objects, list, count));
    case Op::Eq:
      return verdict(equal_constant(object, instruction.object));
    case Op::Len:
      return verdict(builtin_length(object) == instruction.low);
    case Op::DictKeys:
      return verdict(has_keys_in_order(object, instruction.object));
    case Op::Absent: {
      int found = PyDict_Contains(instruction.object, instruction.name);
      return found < 0 ? fetch_failure() : verdict(found == 0);
    }
    case Op::MethodIs:
      return verdict(finds_method(object, instruction.name, instruction.object));
    case Op::ArrayNumpy:
      return verdict(is_numpy_array(object, instruction) &&
                     match_dims(reinterpret_cast<int64_t *>(PyArray_DIMS(reinterpret_cast<PyArrayObject *>(object))),
                                list, count, instruction.low, symbols));
    case Op::ArrayJax:
      return check_jax_array(object, instruction, list, jax_caches[instruction.cache], symbols) ? Outcome::Pass
                                                                                                : fetch_failure();
    case Op::NpScalar:
      return verdict(is_scalar_of(object, instruction.descr));
    case Op::Writeable:
      return verdict(PyArray_Check(object) && PyArray_ISWRITEABLE(reinterpret_cast<PyArrayObject *>(object)));
    case Op::NoOverlap:
      return verdict(overlaps_none(object, objects, list, count));
    case Op::IntRange: {
      int64_t value;
      return verdict(exact_int(object, value) && instruction.low <= value && value <= instruction.high);
    }
    case Op::BindTensor:
      return bind_tensor(context, object, list, count);
    case Op::BindInt: {
      int64_t value;
      if (!exact_int(object, value))
        return Outcome::Fail;
      context.slots.push(value);
      return Outcome::Pass;
    }
    case Op::BindFloat:
      if (!PyFloat_CheckExact(object))
        return Outcome::Fail;
      context.slots.push(float_bits(PyFloat_AS_DOUBLE(object)));
      return Outcome::Pass;
    case Op::BindBool:
      if (!PyBool_Check(object))
        return Outcome::Fail;
      context.slots.push(object == Py_True);
      return Outcome::Pass;
    case Op::BindLen: {
      Py_ssize_t length = builtin_length(object);
      if (length < 0)
        return Outcome::Fail;
      context.slots.push(length);
      return Outcome::Pass;
    }
    case Op::BindObject:
      context.slots.push(address(object));
      return Outcome::Pass;
    }
    return Outcome::Fail;
  };

  for (const Instruction &instruction : instructions) {
    Outcome outcome = passes(instruction);
    if (outcome != Outcome::Pass) {
      if (stopped_at)
        *stopped_at = static_cast<size_t>(&instruction - instructions.data());
      return outcome;
    }
  }
  return Outcome::Pass;
}

} // namespace janus
