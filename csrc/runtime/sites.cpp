//===- sites.cpp - Reading the site table ---------------------------------===//

#include "sites.h"

#include "dtypes.h"

#include <algorithm>
#include <iterator>

namespace janus {
namespace {

constexpr int64_t kMostSites = 1 << 20;
constexpr int32_t kMostKeys = 1 << 20;

template <typename Enum> struct Word {
  const char *text;
  Enum meaning;
};

constexpr Word<ValueKind> kValueKinds[] = {{"int", ValueKind::Int},           {"float", ValueKind::Float},
                                           {"bool", ValueKind::Bool},         {"numpy", ValueKind::Numpy},
                                           {"npscalar", ValueKind::NpScalar}, {"jax", ValueKind::Jax},
                                           {"object", ValueKind::Object},     {"objects", ValueKind::Objects}};
constexpr Word<SiteKind> kSiteKinds[] = {
    {"effect", SiteKind::Effect}, {"return", SiteKind::Return}, {"exit", SiteKind::Exit}};
constexpr Word<Finish> kFinishes[] = {{"single", Finish::Single}, {"tuple", Finish::Tuple}, {"none", Finish::None}};

[[noreturn]] void fail(PyObject *tuple, const char *what) {
  PyErr_Format(PyExc_ValueError, "site %R: %s", tuple, what);
  throw PythonError();
}

template <typename Enum, size_t N>
Enum decode(const Word<Enum> (&words)[N], PyObject *text, PyObject *tuple, const char *what) {
  if (PyUnicode_Check(text))
    for (const Word<Enum> &word : words)
      if (PyUnicode_CompareWithASCIIString(text, word.text) == 0)
        return word.meaning;
  fail(tuple, what);
}

} // namespace

void SiteTable::parse(PyObject *list) {
  Ref items(PySequence_Fast(list, "sites are a list of tuples"));
  if (!items)
    throw PythonError();
  for (Py_ssize_t index = 0; index < PySequence_Fast_GET_SIZE(items.get()); ++index)
    parse_site(PySequence_Fast_GET_ITEM(items.get(), index));
}

ValueSpec SiteTable::parse_value(PyObject *tuple) {
  PyObject *kind, *wrap;
  int dtype, key;
  if (!PyTuple_Check(tuple))
    fail(tuple, "a value is (kind, dtype_code, key, wrap)");
  if (!PyArg_ParseTuple(tuple, "OiiO:value", &kind, &dtype, &key, &wrap))
    throw PythonError();
  ValueSpec spec{};
  spec.kind = decode(kValueKinds, kind, tuple, "no such kind of value");
  spec.descr = descriptor(dtype);
  if (!spec.descr)
    throw PythonError();
  spec.dtype = static_cast<int8_t>(dtype);
  if (key < 0 || key > kMostKeys)
    fail(tuple, "the identity key is out of range");
  spec.key = key;
  keys = std::max(keys, static_cast<size_t>(key));
  if (spec.kind == ValueKind::Jax) {
    if (!PyCallable_Check(wrap))
      fail(tuple, "a JAX value wants a callable that wraps it");
    spec.wrap = own(wrap);
  }
  return spec;
}

void SiteTable::parse_site(PyObject *tuple) {
  int id, discard;
  PyObject *kind, *values, *callable, *fast;
  if (!PyTuple_Check(tuple))
    fail(tuple, "a site is (id, kind, values, fn, discard, fast)");
  if (!PyArg_ParseTuple(tuple, "iOOOpO:site", &id, &kind, &values, &callable, &discard, &fast))
    throw PythonError();
  if (id < 0 || id >= kMostSites)
    fail(tuple, "the number is out of range");
  Site site;
  site.kind = decode(kSiteKinds, kind, tuple, "no such kind of site");
  site.discard = discard;
  Ref specs(PySequence_Fast(values, "the values of a site are a list"));
  if (!specs)
    throw PythonError();
  for (Py_ssize_t index = 0; index < PySequence_Fast_GET_SIZE(specs.get()); ++index)
    site.values.push_back(parse_value(PySequence_Fast_GET_ITEM(specs.get(), index)));
  if (fast != Py_None)
    site.finish = decode(kFinishes, fast, tuple, "no such way to finish");
  if (site.finish == Finish::Single && site.values.empty())
    fail(tuple, "\"single\" wants a value");
  if (site.finish == Finish::Call) {
    if (!PyCallable_Check(callable))
      fail(tuple, "a callable is wanted");
    site.callable = own(callable);
  }
  if (static_cast<size_t>(id) >= sites.size())
    sites.resize(static_cast<size_t>(id) + 1);
  if (sites[static_cast<size_t>(id)].kind != SiteKind::Unused)
    fail(tuple, "the number is used twice");
  sites[static_cast<size_t>(id)] = std::move(site);
}

PyObject *SiteTable::exit_counts() const {
  Ref counts(PyDict_New());
  for (size_t id = 0; counts && id < sites.size(); ++id) {
    if (sites[id].exits == 0)
      continue;
    Ref key(PyLong_FromSize_t(id));
    Ref count(PyLong_FromUnsignedLongLong(sites[id].exits));
    if (!key || !count || PyDict_SetItem(counts.get(), key.get(), count.get()) < 0)
      return nullptr;
  }
  return counts.release();
}

int SiteTable::traverse(visitproc visit, void *arg) const {
  for (PyObject *object : references)
    Py_VISIT(object);
  return 0;
}

void SiteTable::clear() {
  sites.clear();
  std::vector<PyObject *> dropped;
  dropped.swap(references);
  for (PyObject *object : dropped)
    Py_DECREF(object);
}

} // namespace janus
