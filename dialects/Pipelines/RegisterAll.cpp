//===- RegisterAll.cpp - All dialects and passes of Janus -----------------===//

#include "Pipelines/RegisterAll.h"

#include "Janus/IR/JanusDialect.h"
#include "Lax/IR/LaxDialect.h"
#include "Pipelines/Phases.h"

#include <mutex>

using namespace mlir;

void janus::registerAllDialects(DialectRegistry &registry) {
  registry.insert<janus::JanusDialect, lax::LaxDialect>();
  detail::registerGeneratedExtensions(registry);
}

void janus::registerAllPasses() {
  static std::once_flag once;
  std::call_once(once, [] {
    detail::registerGeneratedPasses();
    registerPhases();
  });
}
