//===- Activity.cpp - What depends on what --------------------------------===//

#include "Autodiff/Activity.h"

#include "Janus/IR/JanusOps.h"
#include "Lax/IR/LaxTraits.h"
#include "Lax/IR/LaxVjp.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"

using namespace mlir;
using namespace mlir::janus;

bool janus::hasZeroDerivative(Operation *op) {
  return op->hasTrait<lax::NotDifferentiable>() ||
         isa<math::FloorOp, math::CeilOp, math::RoundOp, math::RoundEvenOp, math::TruncOp, ub::PoisonOp,
             arith::SIToFPOp, arith::UIToFPOp, arith::BitcastOp, arith::ConstantOp>(op);
}

static bool isTapeOfDifferentiable(Operation *op) {
  if (auto push = dyn_cast<TapePushOp>(op))
    return lax::isDifferentiable(push.getValue().getType());
  if (auto pop = dyn_cast<TapePopOp>(op))
    return lax::isDifferentiable(pop.getValue().getType());
  return false;
}

bool janus::usesTape(Operation *op) {
  return op
      ->walk([](Operation *inner) {
        return isTapeOfDifferentiable(inner) ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

const llvm::BitVector *CallSummaries::find(StringRef function, unsigned result) const {
  auto found = reaching.find(function);
  return found == reaching.end() ? nullptr : &found->second[result];
}

void CallSummaries::compute(ArrayRef<std::pair<StringRef, func::FuncOp>> functions) {
  for (auto [name, function] : functions)
    reaching[name].assign(function.getNumResults(), llvm::BitVector(function.getNumArguments()));
  for (bool changed = true; changed;) {
    changed = false;
    for (auto [name, function] : functions) {
      auto &mine = reaching[name];
      for (BlockArgument argument : function.getArguments()) {
        if (!lax::isDifferentiable(argument.getType()))
          continue;
        Activity activity(function, *this);
        activity.varied.insert(argument);
        activity.spreadVaried();
        for (auto [i, value] : llvm::enumerate(function.front().getTerminator()->getOperands()))
          if (activity.isVaried(value) && !mine[i].test(argument.getArgNumber())) {
            mine[i].set(argument.getArgNumber());
            changed = true;
          }
      }
    }
  }
}

//===----------------------------------------------------------------------===//
// One function
//===----------------------------------------------------------------------===//

Activity::Activity(func::FuncOp function, const llvm::BitVector &arguments, const llvm::BitVector &results,
                   const CallSummaries &calls)
    : function(function), calls(calls) {
  for (BlockArgument argument : function.getArguments())
    if (arguments.test(argument.getArgNumber()) && lax::isDifferentiable(argument.getType()))
      varied.insert(argument);
  spreadVaried();
  for (auto [i, value] : llvm::enumerate(function.front().getTerminator()->getOperands()))
    if (results.test(i) && lax::isDifferentiable(value.getType()))
      useful.insert(value);
  spreadUseful();
}

bool Activity::vary(Value from, Value to) {
  return varied.contains(from) && lax::isDifferentiable(to.getType()) && varied.insert(to).second;
}

bool Activity::use(Value from, Value to) {
  return useful.contains(to) && lax::isDifferentiable(from.getType()) && useful.insert(from).second;
}

/// Calls `edge` for each pair of values between which control flow passes a value on. False for other ops.
static bool forEachEdge(Operation *op, function_ref<void(Value, Value)> edge) {
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    for (Region &region : branch->getRegions())
      if (!region.empty())
        for (auto [from, to] : llvm::zip_equal(region.front().getTerminator()->getOperands(), branch.getResults()))
          edge(from, to);
    return true;
  }
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    for (unsigned i = 0; i < loop.getNumResults(); ++i) {
      Value argument = loop.getRegionIterArg(i), yielded = loop.getYieldedValues()[i];
      edge(loop.getInitArgs()[i], argument);
      edge(loop.getInitArgs()[i], loop.getResult(i));
      edge(yielded, argument);
      edge(yielded, loop.getResult(i));
    }
    return true;
  }
  if (auto loop = dyn_cast<scf::WhileOp>(op)) {
    for (auto [from, to] : llvm::zip_equal(loop.getInits(), loop.getBeforeArguments()))
      edge(from, to);
    for (auto [from, to] : llvm::zip_equal(loop.getYieldOp().getOperands(), loop.getBeforeArguments()))
      edge(from, to);
    for (auto [i, from] : llvm::enumerate(loop.getConditionOp().getArgs())) {
      edge(from, loop.getAfterArguments()[i]);
      edge(from, loop.getResult(i));
    }
    return true;
  }
  return false;
}

bool Activity::varyThrough(Operation *op) {
  bool changed = false;
  if (forEachEdge(op, [&](Value from, Value to) { changed |= vary(from, to); }))
    return changed;
  if (op->getNumResults() == 0 || hasZeroDerivative(op))
    return false;
  if (auto pop = dyn_cast<TapePopOp>(op))
    return lax::isDifferentiable(pop.getValue().getType()) && varied.insert(pop.getValue()).second;
  if (auto sum = dyn_cast<AccumulatedOp>(op)) {
    // The calls that are given the accumulator add to it what may depend on whatever they are given.
    bool depends = llvm::any_of(sum.getMemory().getUsers(), [&](Operation *user) {
      return llvm::any_of(user->getOperands(), [&](Value value) { return varied.contains(value); });
    });
    return depends && varied.insert(sum.getValue()).second;
  }
  auto call = dyn_cast<func::CallOp>(op);
  for (Value result : op->getResults()) {
    const llvm::BitVector *mask =
        call ? calls.find(call.getCallee(), cast<OpResult>(result).getResultNumber()) : nullptr;
    for (auto [i, operand] : llvm::enumerate(op->getOperands()))
      if (!mask || mask->test(i))
        changed |= vary(operand, result);
  }
  return changed;
}

bool Activity::useThrough(Operation *op) {
  bool changed = false;
  if (forEachEdge(op, [&](Value from, Value to) { changed |= use(from, to); }))
    return changed;
  if (auto push = dyn_cast<TapePushOp>(op))
    return lax::isDifferentiable(push.getValue().getType()) && useful.insert(push.getValue()).second;
  if (hasZeroDerivative(op))
    return false;
  auto call = dyn_cast<func::CallOp>(op);
  for (Value result : op->getResults()) {
    const llvm::BitVector *mask =
        call ? calls.find(call.getCallee(), cast<OpResult>(result).getResultNumber()) : nullptr;
    for (auto [i, operand] : llvm::enumerate(op->getOperands()))
      if (!mask || mask->test(i))
        changed |= use(operand, result);
  }
  return changed;
}

void Activity::spreadVaried() {
  for (bool changed = true; changed;) {
    changed = false;
    // Inner ops first, then the op around them, whose results they decide; loops need another round.
    function.walk([&](Operation *op) { changed |= varyThrough(op); });
  }
}

void Activity::spreadUseful() {
  for (bool changed = true; changed;) {
    changed = false;
    SmallVector<Operation *> ops;
    function.walk<WalkOrder::PreOrder>([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : llvm::reverse(ops))
      changed |= useThrough(op);
  }
}
