//===- Compiler.cpp - Dialects and phases for C ---------------------------===//

#include "compiler/Compiler.h"

#include "Pipelines/Phases.h"
#include "Pipelines/RegisterAll.h"
#include "compiler/Diagnostics.h"

#include "mlir/CAPI/IR.h"
#include "mlir/CAPI/Support.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace mlir::janus;

void janusRegisterDialects(MlirContext context) {
  registerAllPasses();
  DialectRegistry registry;
  registerAllDialects(registry);
  MLIRContext *ctx = unwrap(context);
  ctx->appendDialectRegistry(registry);
  for (StringRef name : registry.getDialectNames())
    ctx->getOrLoadDialect(name);
}

intptr_t janusGetNumPhases(void) { return getPhases().size(); }

MlirStringRef janusGetPhase(intptr_t index) { return wrap(StringRef(getPhases()[index].name)); }

MlirLogicalResult janusRunPhase(MlirModule module, MlirStringRef phase, bool verifyEach, MlirStringCallback onError,
                                void *userData) {
  ModuleOp op = unwrap(module);
  DiagnosticText diagnostics(op.getContext());
  LogicalResult result = runToPhase(op, unwrap(phase), verifyEach);
  if (failed(result))
    diagnostics.report(onError, userData, "a pass failed without a diagnostic");
  return wrap(result);
}
