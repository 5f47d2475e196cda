//===- Differentiate.cpp - Replace janus.value_and_grad -------------------===//

#include "Autodiff/Inline.h"
#include "Autodiff/Passes.h"
#include "Autodiff/Reverse.h"

#include "Janus/IR/JanusOps.h"
#include "Lax/IR/LaxDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::janus {
#define GEN_PASS_DEF_DIFFERENTIATEPASS
#include "Autodiff/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

/// On both parts of a recursive function that was split: its name.
constexpr StringLiteral kSplitAttr = "janus.split";
/// On functions that are inlined where they are called, before the pass ends.
constexpr StringLiteral kGeneratedAttr = "janus.generated";

/// One janus.value_and_grad.
class Expansion : public SplitSource {
public:
  Expansion(ModuleOp module, SymbolTable &symbols)
      : module(module), symbols(symbols), recursive(findRecursive(module)) {}

  LogicalResult run(ValueAndGradOp op);

  Split *split(func::CallOp call, const llvm::BitVector &arguments, const llvm::BitVector &results) override;
  bool isPassedOn(func::CallOp call, unsigned argument) override {
    auto found = passedOn.find(module.lookupSymbol<func::FuncOp>(call.getCallee()));
    return found != passedOn.end() && found->second.test(argument);
  }
  const CallSummaries &summaries() override { return calls; }

private:
  LogicalResult prepare(func::FuncOp function);
  void findPassedOn(ArrayRef<func::FuncOp> functions);
  void rotateLoops(func::FuncOp function, const Activity &activity);
  func::FuncOp copy(func::FuncOp function, const Twine &name);
  LogicalResult makeParts(Split &split);

  ModuleOp module;
  SymbolTable &symbols;
  llvm::SetVector<func::FuncOp> recursive;
  /// The recursive functions, with all other calls in them inlined.
  DenseMap<Operation *, func::FuncOp> prepared;
  DenseMap<Operation *, llvm::BitVector> passedOn;
  CallSummaries calls;
  SmallVector<std::unique_ptr<Split>> splits;
};

func::FuncOp Expansion::copy(func::FuncOp function, const Twine &name) {
  auto made = cast<func::FuncOp>(function->clone());
  made.setName(name.str());
  made.setPrivate();
  made->removeAttr(kEntryAttr);
  made->removeAttr(kReturnSiteAttr);
  symbols.insert(made);
  return made;
}

/// Makes what is called recursively from `function` ready.
LogicalResult Expansion::prepare(func::FuncOp function) {
  SmallVector<func::FuncOp> pending{function}, found;
  while (!pending.empty()) {
    SmallVector<func::FuncOp> callees;
    pending.pop_back_val().walk([&](func::CallOp call) {
      if (auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee()))
        callees.push_back(callee);
    });
    for (func::FuncOp callee : callees) {
      if (prepared.contains(callee) || callee->hasAttr(kSplitAttr) || !recursive.contains(callee))
        continue;
      func::FuncOp ready = copy(callee, callee.getName() + ".inlined");
      prepared[callee] = ready;
      found.push_back(callee);
      if (failed(inlineCalls(ready, [&](func::FuncOp f) { return !recursive.contains(f); })))
        return failure();
      pending.push_back(ready);
    }
  }
  // Summaries go by the names that calls use.
  SmallVector<std::pair<StringRef, func::FuncOp>> bodies;
  for (func::FuncOp original : found)
    bodies.emplace_back(original.getName(), prepared[original]);
  calls.compute(bodies);
  findPassedOn(found);
  return success();
}

/// An argument is passed on if all recursive calls give an argument for it that is itself passed on.
void Expansion::findPassedOn(ArrayRef<func::FuncOp> functions) {
  for (func::FuncOp function : functions) {
    llvm::BitVector all(function.getNumArguments(), true);
    passedOn[function] = all;
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (func::FuncOp caller : functions) {
      func::FuncOp body = prepared[caller];
      body.walk([&](func::CallOp call) {
        auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
        auto mask = passedOn.find(callee);
        if (mask == passedOn.end())
          return;
        for (auto [i, operand] : llvm::enumerate(call.getOperands())) {
          auto argument = dyn_cast<BlockArgument>(operand);
          bool stays = argument && argument.getOwner() == &body.front() &&
                       passedOn[caller].test(argument.getArgNumber()) &&
                       operand.getType() == callee.getArgument(i).getType();
          if (!stays && mask->second.test(i)) {
            mask->second.reset(i);
            changed = true;
          }
        }
      });
    }
  }
}

Split *Expansion::split(func::CallOp call, const llvm::BitVector &arguments, const llvm::BitVector &results) {
  auto function = module.lookupSymbol<func::FuncOp>(call.getCallee());
  if (!function || !prepared.contains(function))
    return nullptr;
  for (auto &known : splits)
    if (known->forward->getAttr(kSplitAttr) == function.getNameAttr() && known->arguments == arguments &&
        known->results == results)
      return known.get();

  auto made = std::make_unique<Split>();
  made->arguments = arguments;
  made->results = results;
  made->forward = copy(prepared[function], function.getName() + ".fwd");
  made->forward->setAttr(kSplitAttr, function.getNameAttr());

  llvm::BitVector useful(function.getNumArguments());
  for (unsigned i = 0; i < function.getNumResults(); ++i)
    if (results.test(i) && lax::isDifferentiable(function.getResultTypes()[i])) {
      made->seeds.push_back(i);
      useful |= *calls.find(function.getName(), i);
    }
  SmallVector<Type> inputs, outputs;
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
    bool active = arguments.test(i) && useful.test(i);
    bool passed = passedOn[function].test(i);
    if (passed && isa<RankedTensorType, IntegerType, FloatType, IndexType>(type)) {
      made->passed.push_back(i);
      inputs.push_back(type);
    }
    if (active && passed && isa<RankedTensorType>(type)) {
      made->accumulated.push_back(i);
    } else if (active) {
      made->returned.push_back(i);
      outputs.push_back(type);
    }
  }
  for (unsigned i : made->accumulated) {
    auto type = cast<RankedTensorType>(function.getArgumentTypes()[i]);
    inputs.push_back(MemRefType::get(type.getShape(), type.getElementType()));
  }
  for (unsigned i : made->seeds)
    inputs.push_back(function.getResultTypes()[i]);
  made->backward = func::FuncOp::create(function.getLoc(), (function.getName() + ".bwd").str(),
                                        FunctionType::get(function.getContext(), inputs, outputs));
  made->backward.setPrivate();
  if (Attribute attribute = function->getAttr("no_inline"))
    made->backward->setAttr("no_inline", attribute);
  made->backward->setAttr(kSplitAttr, function.getNameAttr());
  symbols.insert(made->backward);
  splits.push_back(std::move(made));
  return splits.back().get();
}

void Expansion::rotateLoops(func::FuncOp function, const Activity &activity) {
  SmallVector<scf::WhileOp> loops;
  function.walk([&](scf::WhileOp loop) {
    if (usesTape(loop) || llvm::any_of(loop.getResults(), [&](Value result) { return activity.isActive(result); }))
      loops.push_back(loop);
  });
  // Inner ones first, which the copy of a condition does not hold.
  for (scf::WhileOp loop : loops)
    rotate(loop);
}

LogicalResult Expansion::makeParts(Split &split) {
  rotateLoops(split.forward, Activity(split.forward, split.arguments, split.results, calls));
  Activity activity(split.forward, split.arguments, split.results, calls);
  return Reverse(split.forward, activity, *this).runSplit(split);
}

LogicalResult Expansion::run(ValueAndGradOp op) {
  auto callee = module.lookupSymbol<func::FuncOp>(op.getCallee());
  if (callee.isExternal() || !llvm::hasSingleElement(callee.getBody()))
    return op.emitError() << "'" << op.getCallee() << "' has no structured body";
  func::FuncOp function = copy(callee, callee.getName() + ".grad");
  if (failed(inlineCalls(function, [&](func::FuncOp f) { return !recursive.contains(f); })) ||
      failed(prepare(function)))
    return failure();

  // Above all stacks in use: what is below may be pushed and popped in between.
  auto noteStacks = [&](func::FuncOp body) {
    body.walk([&](Operation *inner) {
      if (isa<TapePushOp, TapePopOp>(inner))
        stack = std::max<int32_t>(stack, inner->getAttrOfType<IntegerAttr>("stack").getInt() + 1);
    });
  };
  noteStacks(function);
  for (auto &[original, body] : prepared)
    noteStacks(body);

  llvm::BitVector arguments(function.getNumArguments()), results(function.getNumResults());
  for (int64_t i : op.getWrt())
    arguments.set(i);
  results.set(0);
  rotateLoops(function, Activity(function, arguments, results, calls));
  Activity activity(function, arguments, results, calls);
  if (failed(Reverse(function, activity, *this).runInline(op.getWrt())))
    return failure();
  // Making the parts of one may ask for others.
  for (unsigned i = 0; i < splits.size(); ++i)
    if (failed(makeParts(*splits[i])))
      return failure();
  for (auto &[original, body] : prepared)
    symbols.erase(body);

  function->setAttr(kGeneratedAttr, UnitAttr::get(module.getContext()));
  OpBuilder b(op);
  auto call = func::CallOp::create(b, op.getLoc(), function, op.getArguments());
  op.replaceAllUsesWith(call.getResults());
  op.erase();
  return success();
}

class DifferentiatePass : public janus::impl::DifferentiatePassBase<DifferentiatePass> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    while (true) {
      SmallVector<ValueAndGradOp> ops;
      getOperation().walk([&](ValueAndGradOp op) { ops.push_back(op); });
      if (ops.empty())
        break;
      auto innermost = llvm::find_if(ops, [&](ValueAndGradOp op) { return !asksForGradients(op); });
      if (innermost == ops.end()) {
        ops.front().emitError("differentiates a function that contains this very op");
        return signalPassFailure();
      }
      if (failed(Expansion(getOperation(), symbols).run(*innermost)))
        return signalPassFailure();
    }
    // What has a rule of its own is a call like any other from here on.
    getOperation().walk([&](CustomVjpOp op) {
      OpBuilder b(op);
      auto call = func::CallOp::create(b, op.getLoc(), op.getPrimal(), op.getResultTypes(), op.getArguments());
      op.replaceAllUsesWith(call.getResults());
      for (StringRef name : {op.getPrimal(), op.getPullback()})
        getOperation().lookupSymbol(name)->setAttr(kGeneratedAttr, b.getUnitAttr());
      op.erase();
    });
    // One block is easier to optimise than two.
    SmallVector<func::FuncOp> generated;
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (failed(inlineCalls(function, [](func::FuncOp callee) { return callee->hasAttr(kGeneratedAttr); })))
        return signalPassFailure();
      if (function->hasAttr(kGeneratedAttr))
        generated.push_back(function);
    }
    for (func::FuncOp function : generated)
      symbols.erase(function);
  }

  /// Whether the callee, or what it calls, contains janus.value_and_grad.
  bool asksForGradients(ValueAndGradOp op) {
    llvm::SetVector<Operation *> reached;
    reached.insert(getOperation().lookupSymbol(op.getCallee()));
    for (unsigned i = 0; i < reached.size(); ++i) {
      bool found = false;
      reached[i]->walk([&](Operation *inner) {
        found |= isa<ValueAndGradOp>(inner);
        if (auto call = dyn_cast<func::CallOp>(inner))
          if (Operation *callee = getOperation().lookupSymbol(call.getCallee()))
            reached.insert(callee);
      });
      if (found)
        return true;
    }
    return false;
  }
};

} // namespace
