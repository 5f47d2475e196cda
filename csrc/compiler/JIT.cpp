//===- JIT.cpp - Object files as native code in memory --------------------===//

#include "compiler/Compiler.h"
#include "compiler/Diagnostics.h"
#include "compiler/Host.h"
#include "compiler/ObjectCode.h"
#include "compiler/SoftFloat.h"

#include "mlir/CAPI/IR.h"
#include "mlir/CAPI/Support.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Object/Archive.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace mlir::janus;
namespace orc = llvm::orc;

/// Adds each object file of an archive.
static llvm::Error addMembers(orc::LLJIT &jit, llvm::MemoryBufferRef buffer) {
  auto archive = llvm::object::Archive::create(buffer);
  if (!archive)
    return archive.takeError();
  llvm::Error error = llvm::Error::success();
  for (const llvm::object::Archive::Child &child : (*archive)->children(error)) {
    auto member = child.getMemoryBufferRef();
    if (!member)
      return llvm::joinErrors(std::move(error), member.takeError());
    // A copy, which is aligned as members of archives are not.
    auto object = llvm::MemoryBuffer::getMemBufferCopy(member->getBuffer(), "janus");
    if (llvm::Error failure = jit.addObjectFile(std::move(object)))
      return llvm::joinErrors(std::move(error), std::move(failure));
  }
  return error;
}

/// Links an archive of object files into this process. `functions` must be among what they define.
static llvm::Expected<std::unique_ptr<orc::LLJIT>> link(llvm::MemoryBufferRef archive, ArrayRef<StringRef> functions,
                                                        ArrayRef<MlirStringRef> names, ArrayRef<uint64_t> addresses,
                                                        std::string &linkErrors) {
  auto jit = orc::LLJITBuilder().setJITTargetMachineBuilder(createTargetMachineBuilder(/*optLevel=*/0)).create();
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
  if (llvm::Error error = addMembers(**jit, archive))
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

MlirLogicalResult janusCompile(MlirModule module, int optLevel, MlirStringCallback onArchive, void *archiveData,
                               MlirStringCallback onError, void *userData) {
  ModuleOp op = unwrap(module);
  DiagnosticText diagnostics(op.getContext());
  auto archive = compileToArchive(op, optLevel);
  if (!archive) {
    diagnostics.report(onError, userData, llvm::toString(archive.takeError()));
    return mlirLogicalResultFailure();
  }
  onArchive(wrap((*archive)->getBuffer()), archiveData);
  return mlirLogicalResultSuccess();
}

JanusExecutable janusLoad(MlirStringRef archive, MlirStringRef function, intptr_t numSymbols,
                          const MlirStringRef *names, const uint64_t *addresses, MlirStringCallback onError,
                          void *userData) {
  std::string linkErrors;
  size_t count = numSymbols;
  auto jit = link({unwrap(archive), "janus"}, {unwrap(function)}, {names, count}, {addresses, count}, linkErrors);
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
    if (!function.isExternal() && !function.isPrivate() && function.getLinkage() == LLVM::Linkage::External)
      functions.push_back(function.getSymName());
  auto build = [&]() -> llvm::Expected<std::unique_ptr<orc::LLJIT>> {
    auto archive = compileToArchive(op, optLevel);
    if (!archive)
      return archive.takeError();
    return link((*archive)->getMemBufferRef(), functions, {names, count}, {addresses, count}, linkErrors);
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
