//===- commit.cpp - From the journal to the Python heap -------------------===//

#include "commit.h"

#include <algorithm>
#include <new>

namespace janus {
namespace {

PyObject *malformed(const char *what) {
  PyErr_Format(PyExc_SystemError, "native code broke the Janus ABI: %s", what);
  return nullptr;
}

/// The arguments of a site's callable: one spare slot (for the vectorcall
/// protocol), the tuple of objects, and the values. Owned.
class CallArguments {
public:
  explicit CallArguments(size_t value_count) {
    if (value_count + 2 > kInline)
      storage = static_cast<PyObject **>(PyMem_Calloc(value_count + 2, sizeof(PyObject *)));
    if (!storage)
      PyErr_NoMemory();
  }
  CallArguments(const CallArguments &) = delete;
  CallArguments &operator=(const CallArguments &) = delete;
  ~CallArguments() {
    for (size_t index = 1; index <= used; ++index)
      Py_DECREF(storage[index]);
    if (storage != inline_storage)
      PyMem_Free(storage);
  }

  bool valid() const { return storage != nullptr; }
  bool add(PyObject *owned) {
    if (!owned)
      return false;
    storage[++used] = owned;
    return true;
  }
  PyObject *call(PyObject *callable) {
    return PyObject_Vectorcall(callable, storage + 1, used | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr);
  }

private:
  static constexpr size_t kInline = 8;
  PyObject *inline_storage[kInline];
  PyObject **storage = inline_storage;
  size_t used = 0;
};

class Committer {
public:
  Committer(Version &version, ContextScope &context) : version(version), context(context), journal(context->journal) {}

  PyObject *run(int32_t status);

private:
  Version &version;
  ContextScope &context;
  JanusCall &journal;
  Ref objects;

  const JournalValue *values_of(const JournalRecord &record) const {
    return journal.values.data() + record.first_value;
  }
  PyObject *wrap(const JournalRecord &record, const Site &site, size_t index) {
    return wrap_value(*context, values_of(record)[index], site.values[index]);
  }
  bool is_well_formed(size_t first);
  void find_shared_blocks(size_t first);
  PyObject *object_tuple();
  bool collect(const JournalRecord &record, const Site &site, CallArguments &arguments);
  bool run_effect(const JournalRecord &record);
  PyObject *finish(const JournalRecord &record, Site &site);
};

/// Every record from `first` on has a site with as many values, and all but the last are effects.
bool Committer::is_well_formed(size_t first) {
  for (size_t index = first; index < journal.records.size(); ++index) {
    const JournalRecord &record = journal.records[index];
    Site *site = version.sites.find(record.site);
    if (!site || site->values.size() != record.value_count)
      return false;
    if ((site->kind == SiteKind::Effect) == (index + 1 == journal.records.size()))
      return false;
  }
  return true;
}

/// Memory that was pushed more than once: see whether all its values will be
/// one object, else every array but the last is made from a copy.
void Committer::find_shared_blocks(size_t first) {
  for (JournalBlock &block : journal.blocks) {
    block.uses = 0;
    block.one_object = true;
  }
  for (size_t index = first; index < journal.records.size(); ++index) {
    const JournalRecord &record = journal.records[index];
    const Site &site = *version.sites.find(record.site);
    for (uint32_t at = 0; at < record.value_count; ++at) {
      const JournalValue &value = values_of(record)[at];
      if (value.tag != ValueTag::Tensor)
        continue;
      JournalBlock &block = journal.blocks[value.block];
      const ValueSpec &spec = site.values[at];
      if (block.uses++ == 0)
        block.key = spec.key;
      else if (spec.key != block.key)
        block.one_object = false;
      if (spec.key == 0 && block.uses > 1)
        block.one_object = false;
    }
  }
}

PyObject *Committer::object_tuple() {
  if (!objects) {
    objects = Ref(PyTuple_New(static_cast<Py_ssize_t>(version.object_slots.size())));
    if (!objects)
      return nullptr;
    for (size_t index = 0; index < version.object_slots.size(); ++index) {
      PyObject *object = context->objects[static_cast<size_t>(version.object_slots[index])];
      PyTuple_SET_ITEM(objects.get(), static_cast<Py_ssize_t>(index), Py_NewRef(object));
    }
  }
  return Py_NewRef(objects.get());
}

bool Committer::collect(const JournalRecord &record, const Site &site, CallArguments &arguments) {
  if (!arguments.valid() || !arguments.add(object_tuple()))
    return false;
  for (uint32_t index = 0; index < record.value_count; ++index)
    if (!arguments.add(wrap(record, site, index)))
      return false;
  return true;
}

bool Committer::run_effect(const JournalRecord &record) {
  const Site &site = *version.sites.find(record.site);
  if (site.finish != Finish::Call)
    return true;
  CallArguments arguments(record.value_count);
  if (!collect(record, site, arguments))
    return false;
  return bool(Ref(arguments.call(site.callable)));
}

PyObject *Committer::finish(const JournalRecord &record, Site &site) {
  Ref result;
  switch (site.finish) {
  case Finish::None:
    result = Ref::borrow(Py_None);
    break;
  case Finish::Single:
    result = Ref(wrap(record, site, 0));
    break;
  case Finish::Tuple: {
    result = Ref(PyTuple_New(record.value_count));
    for (uint32_t index = 0; result && index < record.value_count; ++index) {
      PyObject *value = wrap(record, site, index);
      if (!value)
        return nullptr;
      PyTuple_SET_ITEM(result.get(), static_cast<Py_ssize_t>(index), value);
    }
    break;
  }
  case Finish::Call: {
    CallArguments arguments(record.value_count);
    if (!collect(record, site, arguments))
      return nullptr;
    Ref callable = Ref::borrow(site.callable);
    objects = Ref();
    context.release();
    return arguments.call(callable.get());
  }
  }
  return result.release();
}

PyObject *Committer::run(int32_t status) {
  if (journal.malformed || journal.records.empty())
    return malformed("the journal is not well formed");
  const JournalRecord &last = journal.records.back();
  Site *site = version.sites.find(last.site);
  bool returned = status == JANUS_RETURNED;
  if (!site || site->kind != (returned ? SiteKind::Return : SiteKind::Exit) || (!returned && last.site != status - 1))
    return malformed("the last record is not that of the site where the function was left");
  size_t first = site->discard ? journal.records.size() - 1 : 0;
  if (!is_well_formed(first))
    return malformed("a record does not match its site");
  if (!returned)
    ++site->exits;
  if (journal.repeated)
    find_shared_blocks(first);
  if (size_t keys = version.sites.key_limit()) {
    PyObject **keyed = context->keyed.grow(keys + 1);
    if (!keyed)
      return PyErr_NoMemory();
    std::fill_n(keyed, keys + 1, nullptr);
  }
  for (size_t index = first; index + 1 < journal.records.size(); ++index)
    if (!run_effect(journal.records[index]))
      return nullptr;
  return finish(journal.records.back(), *site);
}

} // namespace

PyObject *commit(Version &version, ContextScope &context, int32_t status) {
  return Committer(version, context).run(status);
}

} // namespace janus
