//===- ReverseControl.cpp - Branches, loops and calls backwards -----------===//

#include "Autodiff/Inline.h"
#include "Autodiff/Reverse.h"

#include "Janus/IR/JanusOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::janus;

static bool isStaticallySized(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return !type || type.hasStaticShape();
}

Scope Reverse::inner(Region &region, Block *backward, Scope::Kind kind) {
  Scope *outer = scopes.back();
  bool stacked = kind == Scope::Loop || (kind == Scope::Branch && outer->stacked);
  return Scope(region, backward, kind, stacked);
}

//===----------------------------------------------------------------------===//
// Branches
//===----------------------------------------------------------------------===//

LogicalResult Reverse::reverseIf(scf::IfOp op) {
  Location loc = op.getLoc();
  SmallVector<std::pair<unsigned, Value>> seeds;
  for (OpResult result : op->getResults())
    if (Value cotangent = cotangentOf(result))
      seeds.emplace_back(result.getResultNumber(), cotangent);
  Value condition = lookup(op.getCondition());
  auto backward = scf::IfOp::create(b, loc, TypeRange{}, condition, /*withElseRegion=*/true);
  Block *blocks[] = {&backward.getThenRegion().front(), &backward.getElseRegion().front()};
  Region *regions[] = {&op.getThenRegion(), &op.getElseRegion()};
  for (Block *block : blocks)
    if (block->mightHaveTerminator())
      block->getTerminator()->erase();

  // Out of a loop or a recursive function, a side keeps its values itself: the other one has none to keep.
  Scope::Kind kind = scopes.back()->kind == Scope::Tape ? Scope::Tape : Scope::Branch;
  SmallVector<Scope, 2> sides;
  for (auto [region, block] : llvm::zip_equal(regions, blocks))
    sides.push_back(inner(*region, block, kind));
  Cotangents before = cotangents, after[2];
  for (unsigned k = 0; k < 2; ++k) {
    b.setInsertionPointToEnd(blocks[k]);
    if (!regions[k]->empty()) {
      scopes.push_back(&sides[k]);
      Operation *yield = regions[k]->front().getTerminator();
      for (auto [i, cotangent] : seeds)
        accumulate(yield->getOperand(i), cotangent);
      LogicalResult result = reverseBlock(regions[k]->front());
      scopes.pop_back();
      if (failed(result))
        return failure();
    }
    after[k] = std::move(cotangents);
    cotangents = before;
  }

  SmallVector<Value> changed;
  for (Value value : outerActive(op))
    if (after[0].lookup(value) != before.lookup(value) || after[1].lookup(value) != before.lookup(value))
      changed.push_back(value);
  for (unsigned k = 0; k < 2; ++k) {
    b.setInsertionPointToEnd(blocks[k]);
    SmallVector<Value> yielded;
    for (Value value : changed) {
      Value cotangent = after[k].lookup(value);
      yielded.push_back(cotangent ? cotangent : zeros(op, value));
    }
    scf::YieldOp::create(b, loc, yielded);
  }
  // The types are known only now.
  b.setInsertionPoint(backward);
  auto typed = scf::IfOp::create(b, loc, ValueRange(changed).getTypes(), condition, /*withElseRegion=*/true);
  typed.getThenRegion().takeBody(backward.getThenRegion());
  typed.getElseRegion().takeBody(backward.getElseRegion());
  backward.erase();
  realizeBranches(op, sides, typed);
  b.setInsertionPointAfter(typed);
  for (auto [value, cotangent] : llvm::zip_equal(changed, typed.getResults()))
    cotangents[value] = cotangent;
  return success();
}

void Reverse::realizeBranches(scf::IfOp op, MutableArrayRef<Scope> sides, Operation *backward) {
  for (Scope &side : sides) {
    if (side.forward->empty())
      continue;
    if (side.kind == Scope::Tape)
      side.saveOnTape(source.stack);
    else if (side.stacked)
      side.saveOnTape(source.stack, [](Value value) { return !isStaticallySized(value); });
  }
  SmallVector<Type> types(op.getResultTypes());
  for (Scope &side : sides)
    for (Scope::Save &save : side.saves)
      types.push_back(save.value().getType());
  if (types.size() == op.getNumResults())
    return;

  OpBuilder forward(op);
  Location loc = op.getLoc();
  auto extended = scf::IfOp::create(forward, loc, types, op.getCondition(), /*withElseRegion=*/true);
  if (Attribute profile = op->getAttr("janus.profile"))
    extended->setAttr("janus.profile", profile);
  Region *regions[] = {&extended.getThenRegion(), &extended.getElseRegion()};
  for (auto [region, old] : llvm::zip_equal(regions, op->getRegions())) {
    if (old.empty()) {
      forward.setInsertionPointToEnd(&region->front());
      if (region->front().empty())
        scf::YieldOp::create(forward, loc);
    } else {
      region->takeBody(old);
    }
  }
  for (auto [k, region] : llvm::enumerate(regions)) {
    Operation *yield = region->front().getTerminator();
    SmallVector<Value> values(yield->getOperands());
    forward.setInsertionPoint(yield);
    for (auto [j, side] : llvm::enumerate(sides))
      for (Scope::Save &save : side.saves)
        values.push_back(j == k ? save.value() : Value(ub::PoisonOp::create(forward, loc, save.value().getType())));
    yield->setOperands(values);
  }
  op.replaceAllUsesWith(extended.getResults().take_front(op.getNumResults()));
  forgetResults(op);
  op.erase();

  b.setInsertionPoint(backward);
  unsigned next = types.size();
  for (Scope &side : sides)
    next -= side.saves.size();
  for (Scope &side : sides)
    for (Scope::Save &save : side.saves) {
      save.placeholder->getResult(0).replaceAllUsesWith(lookup(extended.getResult(next++)));
      save.placeholder->erase();
      save.marker->erase();
    }
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

LogicalResult Reverse::reverseLoop(const LoopParts &parts, Value count, Scope &scope, function_ref<void(Value)> start,
                                   Operation *&backward) {
  Operation *op = parts.op;
  Location loc = op->getLoc();
  SmallVector<Value> outer = outerActive(op);
  // A value from outside that is yielded has its place among those.
  SmallVector<unsigned> active;
  for (unsigned i = 0; i < parts.arguments.size(); ++i)
    if (isActive(parts.arguments[i]) || (isActive(parts.yielded[i]) && isActive(parts.results[i])))
      active.push_back(i);

  SmallVector<Value> inits;
  for (unsigned i : active) {
    Value cotangent = cotangentOf(parts.results[i]);
    inits.push_back(cotangent ? cotangent : zeros(op, parts.results[i]));
  }
  for (Value value : outer) {
    Value cotangent = cotangents.lookup(value);
    inits.push_back(cotangent ? cotangent : zeros(op, value));
  }
  Value zero = arith::ConstantIndexOp::create(b, loc, 0), one = arith::ConstantIndexOp::create(b, loc, 1);
  auto loop = scf::ForOp::create(b, loc, zero, count, one, inits);
  backward = loop;
  Block *body = loop.getBody();
  if (!body->empty())
    body->clear();
  scope.backward = body;
  Cotangents before = cotangents;
  scopes.push_back(&scope);
  b.setInsertionPointToEnd(body);
  start(loop.getInductionVar());
  ValueRange arguments = loop.getRegionIterArgs();
  for (auto [value, argument] : llvm::zip_equal(outer, arguments.drop_front(active.size()))) {
    cotangents[value] = argument;
    carried.insert(argument);
  }
  for (auto [k, i] : llvm::enumerate(active))
    accumulate(parts.yielded[i], arguments[k]);
  if (failed(reverseBlock(parts.body->front()))) {
    scopes.pop_back();
    return failure();
  }
  b.setInsertionPointToEnd(body);
  SmallVector<Value> yielded;
  for (unsigned i : active) {
    Value argument = parts.arguments[i], cotangent = cotangentOf(argument);
    yielded.push_back(cotangent ? cotangent : zeros(op, argument));
  }
  for (Value value : outer)
    yielded.push_back(cotangents.lookup(value));
  scf::YieldOp::create(b, loc, yielded);
  scopes.pop_back();

  cotangents = std::move(before);
  b.setInsertionPointAfter(loop);
  for (auto [value, cotangent] : llvm::zip_equal(outer, loop.getResults().drop_front(active.size()))) {
    cotangents[value] = cotangent;
    // Around this loop there may be another one that carries it.
    if (carried.contains(loop.getInits()[active.size() + (&value - outer.data())]))
      carried.insert(cotangent);
  }
  for (auto [k, i] : llvm::enumerate(active))
    accumulate(parts.inits[i], loop.getResult(k));
  return success();
}

LogicalResult Reverse::reverseFor(scf::ForOp op) {
  Location loc = op.getLoc();
  LoopParts parts{
      op, &op.getRegion(), llvm::to_vector(op.getInitArgs()), {}, {}, llvm::to_vector(ValueRange(op.getResults()))};
  for (BlockArgument argument : op.getRegionIterArgs())
    parts.arguments.push_back(argument);
  for (Value value : op.getYieldedValues())
    parts.yielded.push_back(value);

  Type type = op.getInductionVar().getType();
  // How often it runs, for bounds that are values of where `b` stands.
  auto trips = [&](OpBuilder &b, Value lower, Value upper, Value step) -> Value {
    auto l = getConstantIntValue(OpFoldResult(lower)), u = getConstantIntValue(OpFoldResult(upper)),
         s = getConstantIntValue(OpFoldResult(step));
    if (l && u && s)
      return arith::ConstantIndexOp::create(b, loc, std::max<int64_t>(0, llvm::divideCeilSigned(*u - *l, *s)));
    Value span = arith::SubIOp::create(b, loc, upper, lower);
    Value count = arith::CeilDivSIOp::create(b, loc, span, step);
    if (!type.isIndex())
      count = arith::IndexCastOp::create(b, loc, b.getIndexType(), count);
    return arith::MaxSIOp::create(b, loc, count, arith::ConstantIndexOp::create(b, loc, 0));
  };
  Value lower = lookup(op.getLowerBound()), upper = lookup(op.getUpperBound()), step = lookup(op.getStep());
  Value count = trips(b, lower, upper, step);
  bool tape = scopes.back()->kind == Scope::Tape && !getConstantIntValue(OpFoldResult(count));
  Scope scope = inner(op.getRegion(), nullptr, tape ? Scope::Tape : Scope::Loop);
  Operation *backward = nullptr;
  auto start = [&](Value k) {
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    Value last = arith::SubIOp::create(b, loc, count, one);
    Value at = arith::SubIOp::create(b, loc, last, k);
    if (!type.isIndex())
      at = arith::IndexCastOp::create(b, loc, type, at);
    Value iv = arith::AddIOp::create(b, loc, lower, arith::MulIOp::create(b, loc, at, step));
    scope.restored[op.getInductionVar()] = iv;
  };
  if (failed(reverseLoop(parts, count, scope, start, backward)))
    return failure();
  if (tape) {
    scope.saveOnTape(source.stack);
    return success();
  }
  scope.saveOnTape(source.stack, [](Value value) { return !isStaticallySized(value); });
  if (scope.saves.empty())
    return success();
  OpBuilder forward(op);
  Value forwardCount = trips(forward, op.getLowerBound(), op.getUpperBound(), op.getStep());
  // Behind the loop there may be sums already, with what its initial values get.
  OpBuilder::InsertionGuard guard(b);
  realizeRows(op, scope, forwardCount, backward);
  return success();
}

void Reverse::realizeRows(scf::ForOp op, Scope &scope, Value count, Operation *backward) {
  Location loc = op.getLoc();
  IRRewriter rewriter(op.getContext());
  rewriter.setInsertionPoint(op);
  auto constant = getConstantIntValue(OpFoldResult(count));
  SmallVector<Value> rows;
  for (Scope::Save &save : scope.saves) {
    auto type = dyn_cast<RankedTensorType>(save.value().getType());
    SmallVector<int64_t> shape{constant.value_or(ShapedType::kDynamic)};
    if (type)
      llvm::append_range(shape, type.getShape());
    Type element = type ? type.getElementType() : save.value().getType();
    if (element.isIndex())
      element = rewriter.getI64Type();
    auto empty = tensor::EmptyOp::create(rewriter, loc, RankedTensorType::get(shape, element),
                                         constant ? ValueRange{} : ValueRange{count});
    rows.push_back(empty);
  }

  auto sliceOf = [](OpBuilder &b, Value value, Value at) {
    SmallVector<OpFoldResult> offsets{at}, sizes{b.getIndexAttr(1)};
    auto type = cast<RankedTensorType>(value.getType());
    for (int64_t size : type.getShape()) {
      offsets.push_back(b.getIndexAttr(0));
      sizes.push_back(b.getIndexAttr(size));
    }
    return std::pair(offsets, sizes);
  };

  forgetResults(op);
  for (Value argument : op.getRegionIterArgs())
    activity.forget(argument);
  auto extended = cast<scf::ForOp>(*op.replaceWithAdditionalYields(
      rewriter, rows, /*replaceInitOperandUsesInLoop=*/false,
      [&](OpBuilder &b, Location loc, ArrayRef<BlockArgument> arguments) {
        auto loop = cast<scf::ForOp>(arguments.front().getOwner()->getParentOp());
        Value at = loop.getInductionVar();
        if (!isConstantIntValue(OpFoldResult(loop.getLowerBound()), 0))
          at = arith::SubIOp::create(b, loc, at, loop.getLowerBound());
        if (!isConstantIntValue(OpFoldResult(loop.getStep()), 1))
          at = arith::DivSIOp::create(b, loc, at, loop.getStep());
        if (!at.getType().isIndex())
          at = arith::IndexCastOp::create(b, loc, b.getIndexType(), at);
        SmallVector<Value> updated;
        for (auto [save, row] : llvm::zip_equal(scope.saves, arguments)) {
          Value value = save.value();
          if (!isa<RankedTensorType>(value.getType())) {
            if (value.getType().isIndex())
              value = arith::IndexCastOp::create(b, loc, b.getI64Type(), value);
            updated.push_back(tensor::InsertOp::create(b, loc, value, row, at));
            continue;
          }
          auto [offsets, sizes] = sliceOf(b, value, at);
          SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
          updated.push_back(tensor::InsertSliceOp::create(b, loc, value, row, offsets, sizes, strides));
        }
        return updated;
      }));

  // Backwards, row by row from the last one.
  auto loop = cast<scf::ForOp>(backward);
  SmallVector<Value> kept;
  b.setInsertionPoint(loop);
  for (Value row : extended.getResults().take_back(rows.size()))
    kept.push_back(lookup(row));
  b.setInsertionPointToStart(loop.getBody());
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value last = arith::SubIOp::create(b, loc, loop.getUpperBound(), one);
  Value at = arith::SubIOp::create(b, loc, last, loop.getInductionVar());
  for (auto [save, row] : llvm::zip_equal(scope.saves, kept)) {
    Value value = save.value(), restored;
    if (auto type = dyn_cast<RankedTensorType>(value.getType())) {
      auto [offsets, sizes] = sliceOf(b, value, at);
      SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
      restored = tensor::ExtractSliceOp::create(b, loc, type, row, offsets, sizes, strides);
    } else {
      restored = tensor::ExtractOp::create(b, loc, row, at);
      if (value.getType().isIndex())
        restored = arith::IndexCastOp::create(b, loc, b.getIndexType(), restored);
    }
    save.placeholder->getResult(0).replaceAllUsesWith(restored);
    save.placeholder->erase();
    save.marker->erase();
  }
}

LogicalResult Reverse::reverseWhile(scf::WhileOp op) {
  // Rotated: the first region only passes its arguments on, and the iterations are counted.
  LoopParts parts{op, &op.getAfter(), {}, {}, {}, llvm::to_vector(ValueRange(op.getResults()).drop_back())};
  for (Value value : op.getInits().drop_front().drop_back())
    parts.inits.push_back(value);
  for (Value value : op.getAfterArguments().drop_back())
    parts.arguments.push_back(value);
  for (Value value : op.getYieldOp().getOperands().drop_front().drop_back())
    parts.yielded.push_back(value);
  Value count = lookup(op.getResults().back());
  count = arith::IndexCastOp::create(b, op.getLoc(), b.getIndexType(), count);
  Scope scope = inner(op.getAfter(), nullptr, Scope::Tape);
  Operation *backward = nullptr;
  if (failed(reverseLoop(parts, count, scope, [](Value) {}, backward)))
    return failure();
  scope.saveOnTape(source.stack);
  return success();
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

LogicalResult Reverse::reverseCall(func::CallOp op) {
  Location loc = op.getLoc();
  llvm::BitVector arguments(op.getNumOperands()), results(op.getNumResults());
  for (auto [i, operand] : llvm::enumerate(op.getOperands()))
    if (activity.isVaried(operand))
      arguments.set(i);
  for (auto [i, result] : llvm::enumerate(op.getResults()))
    if (isActive(result))
      results.set(i);
  Split *split = source.split(op, arguments, results);
  if (!split)
    return op.emitError() << "second derivatives of recursive functions are not supported, and '" << op.getCallee()
                          << "' is one";
  SmallVector<Value> operands;
  SmallVector<std::pair<Value, Value>> local;
  for (unsigned i : split->passed)
    operands.push_back(lookup(op.getOperand(i)));
  for (unsigned i : split->accumulated) {
    Value value = op.getOperand(i), memory = accumulators.lookup(value);
    if (!memory) {
      auto type = cast<RankedTensorType>(value.getType());
      memory = AccumulatorOp::create(b, loc, MemRefType::get(type.getShape(), type.getElementType()),
                                     RuleVjp(op, b, *this).dynamicSizes(value));
      local.emplace_back(value, memory);
    }
    operands.push_back(memory);
  }
  for (unsigned i : split->seeds) {
    Value result = op.getResult(i), cotangent = cotangentOf(result);
    operands.push_back(cotangent ? cotangent : zeros(op, result));
  }
  auto backward = func::CallOp::create(b, loc, split->backward, operands);
  for (auto [i, cotangent] : llvm::zip_equal(split->returned, backward.getResults()))
    accumulate(op.getOperand(i), cotangent);
  for (auto [value, memory] : local)
    if (isActive(value))
      accumulate(value, AccumulatedOp::create(b, loc, value.getType(), memory));
  op.setCallee(split->forward.getName());
  return success();
}
