//===- wrap.cpp - Python objects from journal values ----------------------===//

#include "blocks.h"
#include "dtypes.h"
#include "jax_bridge.h"
#include "sites.h"

#include <cstring>
#include <utility>

namespace janus {
namespace {

template <typename T> T load(const void *memory) {
  T value;
  std::memcpy(&value, memory, sizeof value);
  return value;
}

PyObject *malformed(const char *what) {
  PyErr_Format(PyExc_SystemError, "native code broke the Janus ABI: %s", what);
  return nullptr;
}

/// The type to read a tensor's memory as: the site's, which knows signs and
/// bools, unless the stored items are of another size.
int32_t read_type(const JournalBlock &block, const ValueSpec &spec) {
  return item_size(block.dtype) == item_size(spec.dtype) ? spec.dtype : block.dtype;
}

PyObject *block_item(const JournalBlock &block, int32_t dtype) {
  PyArray_Descr *descr = descriptor(dtype);
  return descr ? PyArray_Scalar(block.memory, descr, nullptr) : nullptr;
}

int64_t element_count(const JanusCall &call, const JournalBlock &block) {
  int64_t count = 1;
  for (int32_t axis = 0; axis < block.rank; ++axis)
    count *= call.dims[block.first_dim + static_cast<uint32_t>(axis)];
  return count;
}

/// A Python number of the one element of a block.
PyObject *number_from_block(const JanusCall &call, const JournalBlock &block, const ValueSpec &spec) {
  if (element_count(call, block) != 1)
    return malformed("a number was pushed as a tensor of several elements");
  const void *memory = block.memory;
  switch (read_type(block, spec)) {
  case JANUS_BOOL:
    return PyBool_FromLong(load<int8_t>(memory) != 0);
  case JANUS_I8:
    return PyLong_FromLong(load<int8_t>(memory));
  case JANUS_I16:
    return PyLong_FromLong(load<int16_t>(memory));
  case JANUS_I32:
    return PyLong_FromLong(load<int32_t>(memory));
  case JANUS_I64:
    return PyLong_FromLongLong(load<int64_t>(memory));
  case JANUS_UI8:
    return PyLong_FromUnsignedLong(load<uint8_t>(memory));
  case JANUS_UI16:
    return PyLong_FromUnsignedLong(load<uint16_t>(memory));
  case JANUS_UI32:
    return PyLong_FromUnsignedLong(load<uint32_t>(memory));
  case JANUS_UI64:
    return PyLong_FromUnsignedLongLong(load<uint64_t>(memory));
  case JANUS_F32:
    return PyFloat_FromDouble(static_cast<double>(load<float>(memory)));
  case JANUS_F64:
    return PyFloat_FromDouble(load<double>(memory));
  default:
    return block_item(block, read_type(block, spec));
  }
}

/// Bring a number to the kind that the site asks for.
PyObject *as_kind(Ref number, ValueKind kind) {
  if (!number)
    return nullptr;
  switch (kind) {
  case ValueKind::Int:
    return PyLong_CheckExact(number.get()) ? number.release() : PyNumber_Long(number.get());
  case ValueKind::Float:
    return PyFloat_CheckExact(number.get()) ? number.release() : PyNumber_Float(number.get());
  default: {
    int truth = PyObject_IsTrue(number.get());
    return truth < 0 ? nullptr : PyBool_FromLong(truth);
  }
  }
}

PyObject *wrap_number(const JanusCall &call, const JournalValue &value, const ValueSpec &spec) {
  if (value.tag == ValueTag::Tensor)
    return as_kind(Ref(number_from_block(call, call.blocks[value.block], spec)), spec.kind);
  bool is_int = value.tag == ValueTag::Int;
  switch (spec.kind) {
  case ValueKind::Int:
    return is_int ? PyLong_FromLongLong(value.as_int) : PyLong_FromDouble(value.as_float);
  case ValueKind::Float:
    return PyFloat_FromDouble(is_int ? static_cast<double>(value.as_int) : value.as_float);
  default:
    return PyBool_FromLong(is_int ? value.as_int != 0 : value.as_float != 0);
  }
}

/// An array that owns `memory`, a block of the right size. The block is freed on failure.
PyObject *array_of_block(void *memory, int rank, const int64_t *dims, PyArray_Descr *descr) {
  PyObject *handler = block_memory_handler();
  PyObject *array = nullptr;
  if (handler) {
    Py_INCREF(descr);
    array = PyArray_NewFromDescr(&PyArray_Type, descr, rank, reinterpret_cast<const npy_intp *>(dims), nullptr, memory,
                                 NPY_ARRAY_CARRAY, nullptr);
  }
  if (!array) {
    free_block(memory);
    return nullptr;
  }
  auto *fields = reinterpret_cast<PyArrayObject_fields *>(array);
  fields->mem_handler = Py_NewRef(handler);
  PyArray_ENABLEFLAGS(reinterpret_cast<PyArrayObject *>(array), NPY_ARRAY_OWNDATA);
  return array;
}

/// Write a Python number into memory as an item of a type.
bool store_number(PyObject *number, PyArray_Descr *descr, void *memory) {
  return number && PyArray_Pack(descr, memory, number) == 0;
}

PyObject *number_object(const JournalValue &value) {
  return value.tag == ValueTag::Int ? PyLong_FromLongLong(value.as_int) : PyFloat_FromDouble(value.as_float);
}

PyObject *wrap_npscalar(const JanusCall &call, const JournalValue &value, const ValueSpec &spec) {
  if (value.tag == ValueTag::Tensor) {
    const JournalBlock &block = call.blocks[value.block];
    if (element_count(call, block) != 1)
      return malformed("a scalar was pushed as a tensor of several elements");
    if (item_size(block.dtype) != item_size(spec.dtype))
      return malformed("a scalar's stored type differs in size from its site's");
    return PyArray_Scalar(block.memory, spec.descr, nullptr);
  }
  ScalarCell cell = {};
  if (spec.dtype == JANUS_F64 && value.tag == ValueTag::Float) {
    std::memcpy(cell.bytes, &value.as_float, sizeof(double));
  } else if (value.tag == ValueTag::Int && spec.dtype <= JANUS_UI64) {
    // Two's complement, little-endian: narrower types are the low bytes.
    int64_t number = spec.dtype == JANUS_BOOL ? value.as_int != 0 : value.as_int;
    std::memcpy(cell.bytes, &number, sizeof number);
  } else {
    Ref number(number_object(value));
    if (!store_number(number.get(), spec.descr, cell.bytes))
      return nullptr;
  }
  return PyArray_Scalar(cell.bytes, spec.descr, nullptr);
}

PyObject *wrap_array(JanusCall &call, const JournalValue &value, const ValueSpec &spec) {
  if (value.tag != ValueTag::Tensor) {
    Ref scalar(wrap_npscalar(call, value, spec));
    return scalar ? PyArray_FromScalar(scalar.get(), nullptr) : nullptr;
  }
  JournalBlock &block = call.blocks[value.block];
  if (item_size(block.dtype) != item_size(spec.dtype))
    return malformed("a tensor's stored type differs in size from its site's");
  void *memory = block.memory;
  const int64_t *dims = call.dims.data() + block.first_dim;
  if (block.uses > 1 && !block.one_object) {
    // Other values will be made from this block: they must not see this array change.
    size_t bytes = static_cast<size_t>(element_count(call, block) * item_size(block.dtype));
    memory = allocate_block(bytes);
    if (!memory)
      return PyErr_NoMemory();
    std::memcpy(memory, block.memory, bytes);
    --block.uses;
  } else {
    block.taken = true;
  }
  return array_of_block(memory, block.rank, dims, spec.descr);
}

/// An array of the objects whose addresses a block holds: of None where there is none.
PyObject *wrap_objects(const JanusCall &call, const JournalValue &value) {
  if (value.tag != ValueTag::Tensor)
    return malformed("objects were not pushed as a tensor");
  const JournalBlock &block = call.blocks[value.block];
  if (block.dtype != JANUS_I64)
    return malformed("the addresses of objects are of another type");
  const int64_t *dims = call.dims.data() + block.first_dim;
  Ref array(PyArray_SimpleNew(block.rank, reinterpret_cast<const npy_intp *>(dims), NPY_OBJECT));
  if (!array)
    return nullptr;
  auto **items = static_cast<PyObject **>(PyArray_DATA(reinterpret_cast<PyArrayObject *>(array.get())));
  for (int64_t index = 0, count = element_count(call, block); index < count; ++index) {
    auto *item = load<PyObject *>(static_cast<const int64_t *>(block.memory) + index);
    PyObject *old = std::exchange(items[index], Py_NewRef(item ? item : Py_None));
    Py_XDECREF(old);
  }
  return array.release();
}

PyObject *wrap_fresh(CallContext &context, const JournalValue &value, const ValueSpec &spec) {
  if ((value.tag == ValueTag::Object) != (spec.kind == ValueKind::Object))
    return malformed("an object and a value of another kind were mixed up");
  switch (spec.kind) {
  case ValueKind::Int:
  case ValueKind::Float:
  case ValueKind::Bool:
    return wrap_number(context.journal, value, spec);
  case ValueKind::NpScalar:
    return wrap_npscalar(context.journal, value, spec);
  case ValueKind::Numpy:
    return wrap_array(context.journal, value, spec);
  case ValueKind::Jax: {
    Ref array(wrap_array(context.journal, value, spec));
    Ref wrapped(array ? PyObject_CallOneArg(spec.wrap, array.get()) : nullptr);
    if (wrapped)
      remember_made_array(wrapped.get(), array.get());
    return wrapped.release();
  }
  case ValueKind::Objects:
    return wrap_objects(context.journal, value);
  case ValueKind::Object:
    return Py_NewRef(value.as_object ? static_cast<PyObject *>(value.as_object) : Py_None);
  }
  return nullptr;
}

} // namespace

PyObject *wrap_value(CallContext &context, const JournalValue &value, const ValueSpec &spec) {
  if (spec.key == 0)
    return wrap_fresh(context, value, spec);
  PyObject *&known = context.keyed[static_cast<size_t>(spec.key)];
  if (!known)
    known = wrap_fresh(context, value, spec);
  else if (value.tag == ValueTag::Tensor)
    --context.journal.blocks[value.block].uses;
  return Py_XNewRef(known);
}

} // namespace janus
