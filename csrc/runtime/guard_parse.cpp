//===- guard_parse.cpp - Guard instructions from Python tuples ------------===//

#include "dtypes.h"
#include "guard_checks.h"
#include "guard_program.h"
#include "jax_bridge.h"

#include <algorithm>
#include <cstring>

namespace janus {
namespace {

struct OpName {
  const char *name;
  Op op;
  /// Operands after the name; "array" takes its own.
  Py_ssize_t operands;
};

constexpr OpName kOps[] = {
    {"attr", Op::Attr, 3},
    {"type", Op::Type, 2},
    {"index", Op::Index, 3},
    {"key", Op::Key, 3},
    {"global", Op::Global, 3},
    {"cell", Op::Cell, 2},
    {"const", Op::Const, 2},
    {"call1", Op::Call1, 3},
    {"type_is", Op::TypeIs, 2},
    {"is", Op::Is, 2},
    {"is_not", Op::IsNot, 2},
    {"same", Op::Same, 2},
    {"distinct", Op::Distinct, 1},
    {"eq", Op::Eq, 2},
    {"len", Op::Len, 2},
    {"dict_keys", Op::DictKeys, 2},
    {"absent", Op::Absent, 2},
    {"method_is", Op::MethodIs, 3},
    {"array", Op::ArrayNumpy, 6},
    {"npscalar", Op::NpScalar, 2},
    {"writeable", Op::Writeable, 1},
    {"no_overlap", Op::NoOverlap, 2},
    {"int_range", Op::IntRange, 3},
    {"bind_tensor", Op::BindTensor, 2},
    {"bind_int", Op::BindInt, 1},
    {"bind_float", Op::BindFloat, 1},
    {"bind_bool", Op::BindBool, 1},
    {"bind_len", Op::BindLen, 1},
    {"bind_object", Op::BindObject, 1},
};

/// Symbols are numbered densely by the compiler; this only bounds mistakes.
constexpr int64_t kMostSymbols = 1 << 16;

} // namespace

/// Reads one program. All failures are Python errors, thrown as PythonError.
class ProgramParser {
public:
  ProgramParser(GuardProgram &program, int32_t slot_count) : program(program) {
    program.fetched.assign(static_cast<size_t>(slot_count), false);
    program.slot_count = slot_count;
    program.fetched_from = slot_count;
  }

  void parse(PyObject *list) {
    Ref sequence(PySequence_Fast(list, "a guard program is a list of tuples"));
    check(bool(sequence));
    for (Py_ssize_t index = 0; index < PySequence_Fast_GET_SIZE(sequence.get()); ++index) {
      number = index;
      parse_instruction(PySequence_Fast_GET_ITEM(sequence.get(), index));
    }
  }

private:
  GuardProgram &program;
  std::vector<bool> symbol_seen;
  PyObject *tuple = nullptr;
  Py_ssize_t number = 0;

  static void check(bool fine) {
    if (!fine)
      throw PythonError();
  }
  [[noreturn]] void fail(const char *what) {
    PyErr_Format(PyExc_ValueError, "guard instruction %zd, %R: %s", number, tuple, what);
    throw PythonError();
  }

  PyObject *operand(Py_ssize_t index) { return PyTuple_GET_ITEM(tuple, index + 1); }

  int64_t integer(PyObject *object) {
    long long value = PyLong_AsLongLong(object);
    check(value != -1 || !PyErr_Occurred());
    return value;
  }
  int64_t integer(Py_ssize_t index) { return integer(operand(index)); }

  int32_t slot(int64_t value) {
    if (value < 0 || value >= program.slot_count)
      fail("there is no such slot");
    return static_cast<int32_t>(value);
  }
  int32_t source_slot(int64_t value) {
    int32_t src = slot(value);
    if (!program.is_fetched(src)) {
      if (src >= program.fetched_from)
        fail("the slot is read before it is fetched");
      program.arguments = std::max(program.arguments, src + 1);
    }
    return src;
  }
  int32_t source(Py_ssize_t index) { return source_slot(integer(index)); }
  int32_t destination(Py_ssize_t index) {
    int32_t dst = slot(integer(index));
    if (program.is_fetched(dst))
      fail("the slot is fetched twice");
    if (dst < program.arguments)
      fail("the slot is that of an argument");
    program.fetched_from = std::min(program.fetched_from, dst);
    program.fetched[static_cast<size_t>(dst)] = true;
    return dst;
  }

  PyObject *own(PyObject *object) {
    program.constants.push_back(Py_NewRef(object));
    return object;
  }
  PyObject *own_name(Py_ssize_t index) {
    PyObject *name = operand(index);
    if (!PyUnicode_CheckExact(name))
      fail("a name is a str");
    Py_INCREF(name);
    PyUnicode_InternInPlace(&name);
    program.constants.push_back(name);
    return name;
  }
  PyObject *own_dict(Py_ssize_t index) {
    if (!PyDict_Check(operand(index)))
      fail("a dict is wanted");
    return own(operand(index));
  }
  PyObject *own_comparable(PyObject *object) {
    if (!is_comparable_constant(object))
      fail("the constant cannot be compared by value: use \"is\"");
    return own(object);
  }

  Ref sequence(Py_ssize_t index) {
    Ref items(PySequence_Fast(operand(index), "a list of ints is wanted"));
    check(bool(items));
    return items;
  }
  template <typename Convert> void numbers(Instruction &instruction, Py_ssize_t index, Convert convert) {
    Ref items = sequence(index);
    instruction.first_number = static_cast<uint32_t>(program.numbers.size());
    instruction.number_count = static_cast<uint32_t>(PySequence_Fast_GET_SIZE(items.get()));
    for (Py_ssize_t item = 0; item < PySequence_Fast_GET_SIZE(items.get()); ++item)
      program.numbers.push_back(convert(integer(PySequence_Fast_GET_ITEM(items.get(), item))));
  }
  void source_list(Instruction &instruction, Py_ssize_t index) {
    numbers(instruction, index, [this](int64_t value) { return int64_t(source_slot(value)); });
  }

  int64_t encode_dim(int64_t dim) {
    if (dim >= 0)
      return dim;
    int64_t symbol = -1 - dim;
    if (symbol >= kMostSymbols)
      fail("the number of a dimension symbol is out of range");
    if (static_cast<size_t>(symbol) >= symbol_seen.size())
      symbol_seen.resize(static_cast<size_t>(symbol) + 1, false);
    if (symbol_seen[static_cast<size_t>(symbol)])
      return encode_bound_symbol(symbol);
    symbol_seen[static_cast<size_t>(symbol)] = true;
    program.symbol_count = symbol_seen.size();
    return encode_binding_symbol(symbol);
  }

  void parse_array(Instruction &instruction) {
    instruction.src = source(0);
    if (PyUnicode_Check(operand(1)) && PyUnicode_CompareWithASCIIString(operand(1), "jax") == 0) {
      instruction.op = Op::ArrayJax;
      require_jax();
      instruction.cache = static_cast<uint32_t>(program.jax_caches.size());
      program.jax_caches.emplace_back();
    } else if (!PyUnicode_Check(operand(1)) || PyUnicode_CompareWithASCIIString(operand(1), "numpy") != 0) {
      fail("an array is of kind \"numpy\" or \"jax\"");
    }
    instruction.descr = dtype(2);
    numbers(instruction, 3, [this](int64_t dim) { return encode_dim(dim); });
    int weak = PyObject_IsTrue(operand(4));
    check(weak >= 0);
    instruction.weak = weak != 0;
    instruction.low = integer(5);
  }

  PyArray_Descr *dtype(Py_ssize_t index) {
    int64_t code = integer(index);
    PyArray_Descr *descr = descriptor(code < 0 || code > 127 ? -1 : static_cast<int32_t>(code));
    check(descr != nullptr);
    return descr;
  }

  void parse_instruction(PyObject *item) {
    tuple = item;
    if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) == 0 || !PyUnicode_Check(PyTuple_GET_ITEM(item, 0)))
      fail("an instruction is a tuple that begins with its name");
    const OpName *found = std::find_if(std::begin(kOps), std::end(kOps), [&](const OpName &known) {
      return PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(item, 0), known.name) == 0;
    });
    if (found == std::end(kOps))
      fail("there is no such instruction");
    if (PyTuple_GET_SIZE(item) != found->operands + 1)
      fail("wrong number of operands");
    Instruction instruction{};
    instruction.op = found->op;
    parse_operands(instruction);
    program.instructions.push_back(instruction);
  }

  void parse_operands(Instruction &instruction) {
    switch (instruction.op) {
    case Op::Attr:
      instruction.src = source(1);
      instruction.dst = destination(0);
      instruction.name = own_name(2);
      break;
    case Op::Type:
      instruction.src = source(1);
      instruction.dst = destination(0);
      break;
    case Op::Index:
      instruction.src = source(1);
      instruction.dst = destination(0);
      instruction.low = integer(2);
      break;
    case Op::Key:
    case Op::Call1:
      instruction.src = source(1);
      instruction.dst = destination(0);
      instruction.object = own(operand(2));
      break;
    case Op::Global:
      instruction.dst = destination(0);
      instruction.object = own_dict(1);
      instruction.name = own_name(2);
      break;
    case Op::Cell:
      instruction.dst = destination(0);
      if (!PyCell_Check(operand(1)))
        fail("a cell is wanted");
      instruction.object = own(operand(1));
      break;
    case Op::Const:
      instruction.dst = destination(0);
      instruction.object = own(operand(1));
      break;
    case Op::TypeIs:
      instruction.src = source(0);
      if (!PyType_Check(operand(1)))
        fail("a type is wanted");
      instruction.object = own(operand(1));
      break;
    case Op::Is:
    case Op::IsNot:
      instruction.src = source(0);
      instruction.object = own(operand(1));
      break;
    case Op::Same:
      instruction.src = source(0);
      instruction.other = source(1);
      break;
    case Op::Distinct:
      source_list(instruction, 0);
      break;
    case Op::Eq:
      instruction.src = source(0);
      instruction.object = own_comparable(operand(1));
      break;
    case Op::Len:
      instruction.src = source(0);
      instruction.low = integer(1);
      break;
    case Op::DictKeys: {
      instruction.src = source(0);
      Ref keys(PySequence_Tuple(operand(1)));
      check(bool(keys));
      instruction.object = own_comparable(keys.get());
      break;
    }
    case Op::Absent:
      instruction.object = own_dict(0);
      instruction.name = own_name(1);
      break;
    case Op::MethodIs:
      instruction.src = source(0);
      instruction.name = own_name(1);
      instruction.object = own(operand(2));
      break;
    case Op::ArrayNumpy:
    case Op::ArrayJax:
      parse_array(instruction);
      break;
    case Op::NpScalar:
      instruction.src = source(0);
      instruction.descr = dtype(1);
      break;
    case Op::NoOverlap:
      instruction.src = source(0);
      source_list(instruction, 1);
      break;
    case Op::IntRange:
      instruction.src = source(0);
      instruction.low = integer(1);
      instruction.high = integer(2);
      break;
    case Op::BindTensor:
      instruction.src = source(0);
      numbers(instruction, 1, [this](int64_t axis) {
        if (axis < 0 || axis >= NPY_MAXDIMS)
          fail("there is no such axis");
        return axis;
      });
      program.native_slot_count += 1 + instruction.number_count;
      ++program.cell_count;
      break;
    case Op::Writeable:
      instruction.src = source(0);
      break;
    case Op::BindInt:
    case Op::BindFloat:
    case Op::BindBool:
    case Op::BindLen:
    case Op::BindObject:
      instruction.src = source(0);
      ++program.native_slot_count;
      break;
    }
  }
};

void GuardProgram::parse(PyObject *list, int32_t wanted_slots) { ProgramParser(*this, wanted_slots).parse(list); }

int GuardProgram::traverse(visitproc visit, void *arg) const {
  for (PyObject *object : constants)
    Py_VISIT(object);
  for (const JaxCache &cache : jax_caches)
    Py_VISIT(cache.aval);
  return 0;
}

void GuardProgram::clear() {
  instructions.clear();
  std::vector<PyObject *> dropped;
  dropped.swap(constants);
  std::vector<JaxCache> caches;
  caches.swap(jax_caches);
  for (PyObject *object : dropped)
    Py_DECREF(object);
  for (JaxCache &cache : caches)
    Py_XDECREF(cache.aval);
}

} // namespace janus
