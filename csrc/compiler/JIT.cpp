//===- JIT.cpp - From the llvm dialect to native code ---------------------===//

#include "compiler/Compiler.h"
#include "compiler/Diagnostics.h"
#include "compiler/SoftFloat.h"

#include "mlir/CAPI/IR.h"
#include "mlir/CAPI/Support.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/CompileUtils.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace mlir::janus;
namespace orc = llvm::orc;

//===----------------------------------------------------------------------===//
// The host
//===----------------------------------------------------------------------===//

namespace {
struct Host {
  std::string triple, cpu, features;
  int vectorBits = 128;

  Host() : triple(llvm::sys::getProcessTriple()), cpu(llvm::sys::getHostCPUName()) {
    llvm::StringMap<bool> map = llvm::sys::getHostCPUFeatures();
    std::vector<std::string> list;
    for (const auto &feature : map)
      list.push_back((feature.second ? "+" : "-") + feature.first().str());
    llvm::sort(list);
    features = llvm::join(list, ",");
    if (map.lookup("avx512f"))
      vectorBits = 512;
    else if (map.lookup("avx2"))
      vectorBits = 256;
  }
};
} // namespace

static const Host &getHost() {
  static const Host host;
  return host;
}

JanusHostTarget janusGetHostTarget(void) {
  const Host &host = getHost();
  return {wrap(StringRef(host.triple)), wrap(StringRef(host.cpu)), wrap(StringRef(host.features)), host.vectorBits};
}

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

static void optimize(llvm::Module &module, llvm::TargetMachine &machine, llvm::OptimizationLevel level) {
  // Without it LLVM splits 512-bit vectors in two on CPUs where that was once faster.
  std::string width = std::to_string(getHost().vectorBits);
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      function.addFnAttr("prefer-vector-width", width);

  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  // Kernels come as vectors already, unrolled as far as is good for them: looking for more takes time and finds
  // nothing.
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  tuning.LoopInterleaving = false;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  llvm::ModulePassManager passes = level == llvm::OptimizationLevel::O0 ? builder.buildO0DefaultPipeline(level)
                                                                        : builder.buildPerModuleDefaultPipeline(level);
  passes.run(module, modules);
}

using Object = std::unique_ptr<llvm::MemoryBuffer>;

static llvm::Expected<orc::JITTargetMachineBuilder> createTargetMachineBuilder(int optLevel) {
  static const bool initialized = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    return true;
  }();
  (void)initialized;
  static const llvm::CodeGenOptLevel levels[] = {llvm::CodeGenOptLevel::None, llvm::CodeGenOptLevel::Less,
                                                 llvm::CodeGenOptLevel::Default, llvm::CodeGenOptLevel::Aggressive};
  const Host &host = getHost();
  orc::JITTargetMachineBuilder builder{llvm::Triple(host.triple)};
  builder.setCPU(host.cpu);
  builder.setFeatures(host.features);
  builder.setCodeGenOptLevel(levels[std::clamp(optLevel, 0, 3)]);
  return builder;
}

/// An object file with the code of a module in phase "llvm".
static llvm::Expected<Object> compile(ModuleOp op, int optLevel) {
  registerBuiltinDialectTranslation(*op.getContext());
  registerLLVMDialectTranslation(*op.getContext());
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module = translateModuleToLLVMIR(op, context);
  if (!module)
    return llvm::createStringError("the module does not translate to LLVM IR");

  auto builder = createTargetMachineBuilder(optLevel);
  if (!builder)
    return builder.takeError();
  auto machine = builder->createTargetMachine();
  if (!machine)
    return machine.takeError();
  module->setDataLayout((*machine)->createDataLayout());
  module->setTargetTriple((*machine)->getTargetTriple());
  static const llvm::OptimizationLevel levels[] = {llvm::OptimizationLevel::O0, llvm::OptimizationLevel::O1,
                                                   llvm::OptimizationLevel::O2, llvm::OptimizationLevel::O3};
  optimize(*module, **machine, levels[std::clamp(optLevel, 0, 3)]);
  return orc::SimpleCompiler(**machine)(*module);
}

/// Links an object file into this process. `functions` must be among what it defines.
static llvm::Expected<std::unique_ptr<orc::LLJIT>> link(Object object, ArrayRef<StringRef> functions,
                                                        ArrayRef<MlirStringRef> names, ArrayRef<uint64_t> addresses,
                                                        std::string &linkErrors) {
  auto builder = createTargetMachineBuilder(/*optLevel=*/0);
  if (!builder)
    return builder.takeError();
  auto jit = orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(*builder)).create();
  if (!jit)
    return jit.takeError();
  // The session says which symbol is missing; the error that comes back says only that linking failed.
  (*jit)->getExecutionSession().setErrorReporter(
      [&linkErrors](llvm::Error error) { linkErrors += llvm::toString(std::move(error)) + "\n"; });
  orc::JITDylib &dylib = (*jit)->getMainJITDylib();
  orc::SymbolMap symbols;
  for (auto [name, address] : llvm::zip_equal(names, addresses))
    symbols[(*jit)->mangleAndIntern(unwrap(name))] = {orc::ExecutorAddr(address), llvm::JITSymbolFlags::Exported};
  for (const SoftFloatFunction &function : getSoftFloatFunctions())
    symbols[(*jit)->mangleAndIntern(function.name)] = {orc::ExecutorAddr(function.address),
                                                       llvm::JITSymbolFlags::Exported};
  if (llvm::Error error = dylib.define(orc::absoluteSymbols(std::move(symbols))))
    return error;
  // libm and libc: what the code generator itself calls.
  auto process = orc::DynamicLibrarySearchGenerator::GetForCurrentProcess((*jit)->getDataLayout().getGlobalPrefix());
  if (!process)
    return process.takeError();
  dylib.addGenerator(std::move(*process));
  if (llvm::Error error = (*jit)->addObjectFile(std::move(object)))
    return error;
  // Link now, on the caller's time, and say now what cannot be linked.
  for (StringRef function : functions) {
    auto address = (*jit)->lookup(function);
    if (!address)
      return address.takeError();
  }
  // `linkErrors` lives no longer than this call.
  (*jit)->getExecutionSession().setErrorReporter([](llvm::Error error) { llvm::consumeError(std::move(error)); });
  return jit;
}

MlirLogicalResult janusCompile(MlirModule module, int optLevel, MlirStringCallback onObject, void *objectData,
                               MlirStringCallback onError, void *userData) {
  ModuleOp op = unwrap(module);
  DiagnosticText diagnostics(op.getContext());
  llvm::Expected<Object> object = compile(op, optLevel);
  if (!object) {
    diagnostics.report(onError, userData, llvm::toString(object.takeError()));
    return mlirLogicalResultFailure();
  }
  onObject(wrap((*object)->getBuffer()), objectData);
  return mlirLogicalResultSuccess();
}

JanusExecutable janusLoad(MlirStringRef object, MlirStringRef function, intptr_t numSymbols, const MlirStringRef *names,
                          const uint64_t *addresses, MlirStringCallback onError, void *userData) {
  std::string linkErrors;
  size_t count = numSymbols;
  auto jit = link(llvm::MemoryBuffer::getMemBufferCopy(unwrap(object), "janus"), {unwrap(function)}, {names, count},
                  {addresses, count}, linkErrors);
  if (jit)
    return {jit->release()};
  std::string message = linkErrors + llvm::toString(jit.takeError());
  onError(wrap(StringRef(message)), userData);
  return {nullptr};
}

JanusExecutable janusJit(MlirModule module, intptr_t numSymbols, const MlirStringRef *names, const uint64_t *addresses,
                         int optLevel, MlirStringCallback onError, void *userData) {
  ModuleOp op = unwrap(module);
  DiagnosticText diagnostics(op.getContext());
  std::string linkErrors;
  size_t count = numSymbols;
  SmallVector<StringRef> functions;
  for (LLVM::LLVMFuncOp function : op.getOps<LLVM::LLVMFuncOp>())
    if (!function.isExternal() && function.getLinkage() == LLVM::Linkage::External)
      functions.push_back(function.getSymName());
  auto build = [&]() -> llvm::Expected<std::unique_ptr<orc::LLJIT>> {
    llvm::Expected<Object> object = compile(op, optLevel);
    if (!object)
      return object.takeError();
    return link(std::move(*object), functions, {names, count}, {addresses, count}, linkErrors);
  };
  auto jit = build();
  if (jit)
    return {jit->release()};
  diagnostics.report(onError, userData, linkErrors + llvm::toString(jit.takeError()));
  return {nullptr};
}

uint64_t janusExecutableLookup(JanusExecutable executable, MlirStringRef name) {
  auto address = static_cast<orc::LLJIT *>(executable.ptr)->lookup(unwrap(name));
  if (address)
    return address->getValue();
  llvm::consumeError(address.takeError());
  return 0;
}

void janusExecutableDestroy(JanusExecutable executable) { delete static_cast<orc::LLJIT *>(executable.ptr); }
