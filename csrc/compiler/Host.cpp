//===- Host.cpp - This machine, as the code generator sees it -------------===//

#include "compiler/Host.h"

#include "compiler/Compiler.h"

#include "mlir/CAPI/Support.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace mlir::janus;
namespace orc = llvm::orc;

static Host findHost() {
  Host host{llvm::sys::getProcessTriple(), llvm::sys::getHostCPUName().str(), /*features=*/""};
  llvm::StringMap<bool> map = llvm::sys::getHostCPUFeatures();
  std::vector<std::string> list;
  for (const auto &feature : map)
    list.push_back((feature.second ? "+" : "-") + feature.first().str());
  llvm::sort(list);
  host.features = llvm::join(list, ",");
  if (map.lookup("avx512f"))
    host.vectorBits = 512;
  else if (map.lookup("avx2"))
    host.vectorBits = 256;
  return host;
}

const Host &janus::getHost() {
  static const Host host = findHost();
  return host;
}

JanusHostTarget janusGetHostTarget(void) {
  const Host &host = getHost();
  return {wrap(StringRef(host.triple)), wrap(StringRef(host.cpu)), wrap(StringRef(host.features)), host.vectorBits};
}

orc::JITTargetMachineBuilder janus::createTargetMachineBuilder(int optLevel) {
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
