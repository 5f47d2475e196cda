//===- Extension.cpp - janus_mlir._native._compiler -----------------------===//

#include "compiler/Compiler.h"

#include "mlir/Bindings/Python/NanobindAdaptors.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/unordered_map.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;

namespace {

/// Raised with the diagnostics as its text.
struct CompileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void appendText(MlirStringRef text, void *userData) {
  static_cast<std::string *>(userData)->append(text.data, text.length);
}

std::string toString(MlirStringRef text) { return {text.data, text.length}; }

class Executable {
public:
  explicit Executable(JanusExecutable handle) : handle(handle) {}
  Executable(const Executable &) = delete;
  Executable &operator=(const Executable &) = delete;
  ~Executable() { janusExecutableDestroy(handle); }

  uint64_t address(const std::string &name) const {
    uint64_t value = janusExecutableLookup(handle, mlirStringRefCreate(name.data(), name.size()));
    if (!value)
      throw nb::key_error(name.c_str());
    return value;
  }

private:
  JanusExecutable handle;
};

void runPhase(MlirModule module, const std::string &phase, bool verifyEach) {
  std::string errors;
  bool failed;
  {
    nb::gil_scoped_release release;
    failed = mlirLogicalResultIsFailure(
        janusRunPhase(module, mlirStringRefCreate(phase.data(), phase.size()), verifyEach, appendText, &errors));
  }
  if (failed)
    throw CompileError(errors);
}

std::unique_ptr<Executable> jit(MlirModule module, const std::unordered_map<std::string, uint64_t> &symbols,
                                int optLevel) {
  std::vector<MlirStringRef> names;
  std::vector<uint64_t> addresses;
  for (const auto &[name, address] : symbols) {
    names.push_back(mlirStringRefCreate(name.data(), name.size()));
    addresses.push_back(address);
  }
  std::string errors;
  JanusExecutable handle;
  {
    nb::gil_scoped_release release;
    handle = janusJit(module, names.size(), names.data(), addresses.data(), optLevel, appendText, &errors);
  }
  if (!handle.ptr)
    throw CompileError(errors);
  return std::make_unique<Executable>(handle);
}

nb::bytes compile(MlirModule module, int optLevel) {
  std::string archive, errors;
  bool failed;
  {
    nb::gil_scoped_release release;
    failed = mlirLogicalResultIsFailure(janusCompile(module, optLevel, appendText, &archive, appendText, &errors));
  }
  if (failed)
    throw CompileError(errors);
  return nb::bytes(archive.data(), archive.size());
}

std::unique_ptr<Executable> load(nb::bytes archive, const std::string &function,
                                 const std::unordered_map<std::string, uint64_t> &symbols) {
  std::vector<MlirStringRef> names;
  std::vector<uint64_t> addresses;
  for (const auto &[name, address] : symbols) {
    names.push_back(mlirStringRefCreate(name.data(), name.size()));
    addresses.push_back(address);
  }
  MlirStringRef code = mlirStringRefCreate(archive.c_str(), archive.size());
  std::string errors;
  JanusExecutable handle;
  {
    nb::gil_scoped_release release;
    handle = janusLoad(code, mlirStringRefCreate(function.data(), function.size()), names.size(), names.data(),
                       addresses.data(), appendText, &errors);
  }
  if (!handle.ptr)
    throw CompileError(errors);
  return std::make_unique<Executable>(handle);
}

std::vector<std::string> phases() {
  std::vector<std::string> names;
  for (intptr_t i = 0; i < janusGetNumPhases(); ++i)
    names.push_back(toString(janusGetPhase(i)));
  return names;
}

nb::dict hostTarget() {
  JanusHostTarget host = janusGetHostTarget();
  nb::dict result;
  result["triple"] = toString(host.triple);
  result["cpu"] = toString(host.cpu);
  result["features"] = toString(host.features);
  result["vector_bits"] = host.vectorBits;
  return result;
}

} // namespace

NB_MODULE(_compiler, m) {
  m.doc() = "The Janus compiler: dialects, phases and the JIT.";
  // The bindings must be there first: they register upstream's passes and own the context type.
  nb::module_::import_("mlir.ir");
  nb::module_::import_("mlir._mlir_libs._mlirRegisterEverything");

  nb::exception<CompileError>(m, "CompileError", PyExc_RuntimeError);
  m.def("register_dialects", &janusRegisterDialects, nb::arg("context"),
        "Add the janus and lax dialects to a context and load them.");
  m.def("run_phase", &runPhase, nb::arg("module"), nb::arg("phase"), nb::arg("verify_each") = true,
        "Bring a module in place from its phase up to the phase named.");
  m.def("jit", &jit, nb::arg("module"), nb::arg("symbols"), nb::arg("opt_level") = 3,
        "Compile a module in phase \"llvm\" to native code.");
  m.def("compile", &compile, nb::arg("module"), nb::arg("opt_level") = 3,
        "The first half of jit: an archive of object files, of a module in phase \"llvm\".");
  m.def("load", &load, nb::arg("archive"), nb::arg("function"), nb::arg("symbols"),
        "The second half of jit: such an archive, of this or of an earlier process, as native code.");
  m.def("phases", &phases, "The names of the phases, first to last.");
  m.def("host_target", &hostTarget, "Triple, cpu, features and vector_bits of this machine.");
  nb::class_<Executable>(m, "Executable", "Native code; it lives as long as this object.")
      .def("address", &Executable::address, nb::arg("name"), "The address of a function; KeyError if there is none.");
}
