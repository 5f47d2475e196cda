//===- Phases.cpp - The one table of phases and pass order ----------------===//

#include "Pipelines/Phases.h"

#include "Janus/IR/JanusDialect.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/Support/ThreadPool.h"

using namespace mlir;
using namespace mlir::janus;

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

static constexpr Phase kPhases[] = {
    {"captured", "janus, lax, scf, func, arith, math and tensor, as Python emitted them",
     // Nothing to run: the module is what it is, and has been verified.
     "",
     /*gone=*/""},

    {"speculated",
     "the same dialects without frames; what the profile supports is assumed under guards, as few as possible",
     // Fold first, so that profile facts of what is constant cost nothing, and ranges and guards see constants.
     "func.func(canonicalize,cse),"
     // What is known of callees and attributes decides branches and bounds; only then are branches looked at.
     "func.func(janus-devirtualise,janus-fold-attributes,canonicalize,cse),"
     // What was never taken goes first: the loops that remain are smaller. Unrolling reads profile facts of whole
     // loops, so it comes before anything takes loops apart.
     "func.func(janus-prune-branches,janus-unroll-loops),"
     // Straightened conditions let loops be recognised as counting; and of a counting loop ranges are known.
     "func.func(canonicalize,janus-raise-loops),"
     // Eliminate before hoisting, so that only what is really checked is moved, and hoisting sees what does not
     // overflow. What has been hoisted stands before the loop in the way of equal guards: merge, and eliminate once
     // more.
     "func.func(janus-eliminate-guards,canonicalize,cse),"
     "func.func(janus-hoist-guards,canonicalize,cse,janus-merge-guards,janus-eliminate-guards),"
     // What is left of guards in short branches, to be checked with those next to them.
     "func.func(janus-flatten-branches,canonicalize,cse,janus-merge-guards),"
     // Nothing is assumed from here on.
     "func.func(janus-erase-frames,canonicalize,cse)",
     /*gone=*/""},

    {"differentiated", "no janus.value_and_grad: gradients are computed by functions of the same dialects",
     // After speculation: what is never reached has no derivative, and a guard that is gone keeps nothing.
     "janus-differentiate,"
     // What a derivative repeats or multiplies by one; then zeros and transposes meet what they are added to.
     "func.func(canonicalize,cse,janus-simplify-gradients,canonicalize,cse),"
     // Products stand next to what they are added to only now.
     "func.func(janus-batch-contractions,canonicalize,cse),"
     // Functions that nothing calls any more.
     "symbol-dce",
     /*gone=*/""},

    {"linalg", "no lax: linalg on tensors, with arith, math, tensor and scf; bool tensors are i8, integers signless",
     "convert-lax-to-linalg,"
     // Broadcasts and reshapes that became trivial, scalars read out of tensors that were made of scalars.
     "func.func(canonicalize,cse)",
     /*gone=*/"lax"},

    {"codegen", "no tensors: memref, vector and scf, tiled, vectorised and planned in memory; janus exits remain",
     "inline,"
     // Before elementwise fusion, which would draw additions into larger ops.
     "func.func(janus-cpu-accumulate-contractions,janus-cpu-merge-contractions),"
     // After fusion, which would make a transpose part of its uses again.
     "func.func(janus-cpu-fuse-elementwise,canonicalize,cse,janus-cpu-transpose-operands),"
     // Results become a record before buffers are chosen, so that one analysis sees all exits.
     "janus-cpu-prepare-entry,janus-cpu-bufferize,"
     "func.func(canonicalize,cse),"
     // Outline first: what is alike is decided, written and compiled once.
     "janus-cpu-outline-kernels,"
     // Cut before the strategy: it is chosen for what one thread does at a time.
     "janus-cpu-distribute-kernels,janus-cpu-strategy,janus-cpu-emit-kernels,"
     "janus-cpu-approximate-math,janus-cpu-emulate-bf16,"
     "func.func(janus-cpu-plan-memory,cse)",
     /*gone=*/"lax linalg tensor bufferization"},

    {"llvm", "the llvm dialect only",
     // Kernels are converted side by side where a pass looks at one function only.
     // Objects become pointers while types are still those of structured control flow; a read may need the call in
     // flight.
     "janus-lower-entry,janus-lower-heap,janus-lower-overflow,janus-lower-division,"
     "any(expand-strided-metadata,lower-affine,convert-scf-to-cf),"
     // Exits and failing allocations branch, which structured control flow has no place for.
     "janus-lower-memory,janus-lower-exits,janus-lower-calls,"
     // libm takes scalars only, so what LLVM has no intrinsic for is unrolled while vectors are still vectors.
     "any(convert-math-to-llvm),convert-math-to-libm,any(convert-vector-to-llvm),"
     "finalize-memref-to-llvm,any(convert-arith-to-llvm,convert-index-to-llvm,convert-ub-to-llvm),"
     "convert-func-to-llvm,convert-cf-to-llvm,any(reconcile-unrealized-casts),"
     // Arguments are pointers and numbers now, which can be handed over in memory.
     "janus-lower-parts",
     /*gone=*/"lax linalg tensor bufferization janus scf affine cf func memref vector arith math index ub"},
};

//===----------------------------------------------------------------------===//
// Running phases
//===----------------------------------------------------------------------===//

ArrayRef<Phase> janus::getPhases() { return kPhases; }

static std::optional<size_t> findPhase(StringRef name) {
  const Phase *phase = llvm::find_if(kPhases, [&](const Phase &p) { return p.name == name; });
  if (phase == std::end(kPhases))
    return std::nullopt;
  return phase - std::begin(kPhases);
}

/// The phases still to run, or failure after a diagnostic. A module without the attribute still has "captured" to run.
static FailureOr<ArrayRef<Phase>> phasesToRun(ModuleOp module, size_t target) {
  ArrayRef<Phase> phases = getPhases().take_front(target + 1);
  auto attribute = module->getAttrOfType<StringAttr>(kPhaseAttr);
  if (!attribute)
    return phases;
  std::optional<size_t> current = findPhase(attribute.getValue());
  if (!current)
    return module.emitError() << "unknown phase '" << attribute.getValue() << "' in '" << kPhaseAttr << "'";
  if (*current > target)
    return module.emitError() << "the module is in phase '" << attribute.getValue() << "', past '"
                              << kPhases[target].name << "'";
  return phases.drop_front(*current + 1);
}

static LogicalResult buildPhase(const Phase &phase, OpPassManager &pm, llvm::raw_ostream &errors) {
  return phase.pipeline.empty() ? success() : parsePassPipeline(phase.pipeline, pm, errors);
}

/// Fails at the first op of a dialect that the phase should have replaced.
static LogicalResult checkGone(const Phase &phase, ModuleOp module) {
  SmallVector<StringRef> gone;
  StringRef(phase.gone).split(gone, ' ', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  if (gone.empty())
    return success();
  WalkResult result = module.walk([&](Operation *op) {
    if (!llvm::is_contained(gone, op->getName().getDialectNamespace()))
      return WalkResult::advance();
    op->emitOpError() << "is left over after phase '" << phase.name << "'";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

namespace {

/// Runs what is missing of the phases up to its own. One class serves all phases: the table tells them apart.
class PhasePass : public PassWrapper<PhasePass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(PhasePass)

  explicit PhasePass(size_t target) : target(target), argument(("janus-phase-" + kPhases[target].name).str()) {}

  StringRef getArgument() const override { return argument; }
  StringRef getDescription() const override { return kPhases[target].summary; }
  StringRef getName() const override { return argument; }

  void getDependentDialects(DialectRegistry &registry) const override {
    // A pass may schedule only passes whose dialects it has announced.
    OpPassManager pm(ModuleOp::getOperationName());
    for (const Phase &phase : getPhases().take_front(target + 1))
      if (failed(buildPhase(phase, pm, llvm::errs())))
        return;
    pm.getDependentDialects(registry);
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<ArrayRef<Phase>> phases = phasesToRun(module, target);
    if (failed(phases))
      return signalPassFailure();
    for (const Phase &phase : *phases) {
      OpPassManager pm(ModuleOp::getOperationName());
      std::string errors;
      llvm::raw_string_ostream stream(errors);
      if (failed(buildPhase(phase, pm, stream))) {
        module.emitError() << "the pipeline of phase '" << phase.name << "' does not parse: " << errors;
        return signalPassFailure();
      }
      if (failed(runPipeline(pm, module)) || failed(checkGone(phase, module)))
        return signalPassFailure();
      module->setAttr(kPhaseAttr, StringAttr::get(&getContext(), phase.name));
    }
  }

private:
  size_t target;
  std::string argument;
};

} // namespace

LogicalResult janus::runToPhase(ModuleOp module, StringRef name, bool verifyEach) {
  std::optional<size_t> target = findPhase(name);
  if (!target)
    return module.emitError() << "there is no phase '" << name << "'";
  PassManager pm(module->getName());
  pm.enableVerifier(verifyEach);
  pm.addPass(std::make_unique<PhasePass>(*target));
  if (!verifyEach && failed(verify(module)))
    return failure();
  // The threads live no longer than this call: a process may fork between calls.
  MLIRContext *context = module.getContext();
  llvm::DefaultThreadPool threads(llvm::hardware_concurrency());
  bool wasThreaded = context->isMultithreadingEnabled();
  if (!wasThreaded)
    context->setThreadPool(threads);
  LogicalResult result = pm.run(module);
  if (!wasThreaded)
    context->disableMultithreading();
  return success(succeeded(result) && (verifyEach || succeeded(verify(module))));
}

void janus::registerPhases() {
  for (size_t target = 0; target < std::size(kPhases); ++target)
    registerPass([target]() -> std::unique_ptr<Pass> { return std::make_unique<PhasePass>(target); });
}
