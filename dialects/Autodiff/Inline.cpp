//===- Inline.cpp - Bringing a function into a form to reverse ------------===//

#include "Autodiff/Inline.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace mlir::janus;

static SmallVector<func::FuncOp> calleesOf(func::FuncOp function, ModuleOp module) {
  SmallVector<func::FuncOp> callees;
  function.walk([&](func::CallOp call) {
    if (auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee()))
      callees.push_back(callee);
  });
  return callees;
}

llvm::SetVector<func::FuncOp> janus::findRecursive(ModuleOp module) {
  llvm::SetVector<func::FuncOp> recursive;
  for (auto function : module.getOps<func::FuncOp>()) {
    llvm::SetVector<func::FuncOp> reached;
    for (func::FuncOp callee : calleesOf(function, module))
      reached.insert(callee);
    for (unsigned i = 0; i < reached.size(); ++i)
      for (func::FuncOp callee : calleesOf(reached[i], module))
        reached.insert(callee);
    if (reached.contains(function))
      recursive.insert(function);
  }
  return recursive;
}

LogicalResult janus::inlineCalls(func::FuncOp function, function_ref<bool(func::FuncOp)> which) {
  auto module = function->getParentOfType<ModuleOp>();
  for (bool changed = true; changed;) {
    changed = false;
    SmallVector<func::CallOp> calls;
    function.walk([&](func::CallOp call) { calls.push_back(call); });
    for (func::CallOp call : calls) {
      auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
      if (!callee || callee.isExternal() || !which(callee))
        continue;
      if (!llvm::hasSingleElement(callee.getBody()))
        return call.emitError() << "'" << call.getCallee() << "' has unstructured control flow";
      IRMapping mapping;
      mapping.map(callee.getArguments(), call.getOperands());
      OpBuilder b(call);
      for (Operation &op : callee.front().without_terminator())
        b.clone(op, mapping);
      for (auto [result, value] : llvm::zip_equal(call.getResults(), callee.front().getTerminator()->getOperands()))
        result.replaceAllUsesWith(mapping.lookupOrDefault(value));
      call.erase();
      changed = true;
    }
  }
  return success();
}

scf::WhileOp janus::rotate(scf::WhileOp loop) {
  OpBuilder b(loop);
  Location loc = loop.getLoc();
  Type i64 = b.getI64Type();
  Block &before = loop.getBefore().front();

  // Clones the first region, and returns its condition and what it passes on.
  auto test = [&](ValueRange arguments) {
    IRMapping mapping;
    mapping.map(before.getArguments(), arguments);
    for (Operation &op : before.without_terminator())
      b.clone(op, mapping);
    SmallVector<Value> values;
    for (Value value : before.getTerminator()->getOperands())
      values.push_back(mapping.lookupOrDefault(value));
    return values;
  };

  SmallVector<Value> inits = test(loop.getInits());
  inits.push_back(arith::ConstantIntOp::create(b, loc, 0, 64));
  SmallVector<Type> carried(ValueRange(inits).getTypes());
  auto rotated = scf::WhileOp::create(b, loc, TypeRange(carried).drop_front(), inits);
  if (Attribute profile = loop->getAttr("janus.profile"))
    rotated->setAttr("janus.profile", profile);
  SmallVector<Location> locs(carried.size(), loc);
  {
    OpBuilder::InsertionGuard guard(b);
    Block *first = b.createBlock(&rotated.getBefore(), {}, carried, locs);
    scf::ConditionOp::create(b, loc, first->getArgument(0), first->getArguments().drop_front());

    rotated.getAfter().takeBody(loop.getAfter());
    Block &body = rotated.getAfter().front();
    Value count = body.addArgument(i64, loc);
    Operation *yield = body.getTerminator();
    b.setInsertionPoint(yield);
    SmallVector<Value> next = test(yield->getOperands());
    next.push_back(arith::AddIOp::create(b, loc, count, arith::ConstantIntOp::create(b, loc, 1, 64)));
    yield->setOperands(next);
  }
  loop.replaceAllUsesWith(rotated.getResults().drop_back());
  loop.erase();
  return rotated;
}
