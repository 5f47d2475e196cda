//===- Reverse.cpp - The backward computation of one function -------------===//

#include "Autodiff/Reverse.h"

#include "Janus/IR/JanusOps.h"
#include "Lax/IR/LaxOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace mlir::janus;

Reverse::Reverse(func::FuncOp forward, const Activity &activity, SplitSource &source)
    : forward(forward), activity(activity), source(source), b(forward.getContext()) {}

//===----------------------------------------------------------------------===//
// Whole functions
//===----------------------------------------------------------------------===//

LogicalResult Reverse::runInline(ArrayRef<int64_t> wrt) {
  Block &body = forward.front();
  Operation *terminator = body.getTerminator();
  Scope root(forward.getBody(), &body, Scope::Direct);
  scopes.push_back(&root);
  b.setInsertionPoint(terminator);
  makeAccumulators();

  Value loss = terminator->getOperand(0);
  RuleVjp seed(terminator, b, *this);
  accumulate(loss, seed.constant(loss.getType(), 1));
  if (failed(reverseBlock(body)))
    return failure();

  b.setInsertionPoint(terminator);
  SmallVector<Value> results(terminator->getOperands());
  for (int64_t i : wrt) {
    Value argument = forward.getArgument(i);
    Value gradient = cotangentOf(argument);
    results.push_back(gradient ? gradient : zeros(terminator, argument));
  }
  terminator->setOperands(results);
  forward.setFunctionType(b.getFunctionType(forward.getArgumentTypes(), ValueRange(results).getTypes()));
  forward.removeResAttrsAttr();
  return success();
}

LogicalResult Reverse::runSplit(const Split &split) {
  func::FuncOp backward = split.backward;
  Block *body = backward.addEntryBlock();
  Operation *terminator = forward.front().getTerminator();
  Scope root(forward.getBody(), body, Scope::Tape);
  scopes.push_back(&root);
  unsigned next = 0;
  for (unsigned i : split.passed)
    root.restored[forward.getArgument(i)] = body->getArgument(next++);
  for (unsigned i : split.accumulated)
    accumulators[forward.getArgument(i)] = body->getArgument(next++);
  b.setInsertionPointToEnd(body);
  for (unsigned i : split.seeds)
    accumulate(terminator->getOperand(i), body->getArgument(next++));
  if (failed(reverseBlock(forward.front())))
    return failure();
  b.setInsertionPointToEnd(body);
  SmallVector<Value> results;
  for (unsigned i : split.returned) {
    Value argument = forward.getArgument(i), gradient = cotangentOf(argument);
    results.push_back(gradient ? gradient : zeros(terminator, argument));
  }
  func::ReturnOp::create(b, backward.getLoc(), results);
  root.saveOnTape(source.stack);
  return success();
}

/// What recursive calls pass on to themselves gets one accumulator for all calls.
void Reverse::makeAccumulators() {
  forward.walk([&](func::CallOp call) {
    for (auto [i, operand] : llvm::enumerate(call.getOperands())) {
      if (!source.isPassedOn(call, i) || operand.getParentRegion() != &forward.getBody() || !isActive(operand) ||
          accumulators.contains(operand))
        continue;
      auto type = dyn_cast<RankedTensorType>(operand.getType());
      if (!type)
        continue;
      RuleVjp sizes(call, b, *this);
      accumulators[operand] = AccumulatorOp::create(
          b, call.getLoc(), MemRefType::get(type.getShape(), type.getElementType()), sizes.dynamicSizes(operand));
    }
  });
}

//===----------------------------------------------------------------------===//
// Values of the forward computation
//===----------------------------------------------------------------------===//

Scope &Reverse::scopeOf(Value value) {
  Region *region = value.getParentRegion();
  for (Scope *scope : llvm::reverse(scopes))
    if (scope->forward == region)
      return *scope;
  llvm_unreachable("the value is of no region that is being reversed");
}

/// Cheaper to compute again than to keep: no memory but for the result, and no more than a few instructions an element.
static bool isCheap(Operation *op) {
  if (op->getNumRegions() || !isMemoryEffectFree(op))
    return false;
  if (op->hasTrait<OpTrait::ConstantLike>() || isa<arith::ArithDialect>(op->getDialect()))
    return true;
  if (isa<tensor::DimOp, tensor::CastOp, tensor::FromElementsOp, tensor::ExtractOp, tensor::SplatOp, TruthOp>(op))
    return true;
  return isa<lax::NegOp, lax::AbsOp, lax::SignOp, lax::NotOp, lax::AndOp, lax::OrOp, lax::XorOp, lax::EqOp, lax::NeOp,
             lax::LtOp, lax::LeOp, lax::GtOp, lax::GeOp, lax::SelectNOp, lax::ConvertElementTypeOp, lax::AddOp,
             lax::SubOp, lax::MulOp, lax::MaxOp, lax::MinOp, lax::ClampOp, lax::SquareOp, lax::CopyOp, lax::IotaOp,
             lax::BroadcastInDimOp, lax::ReshapeOp, lax::SqueezeOp, lax::ExpandDimsOp, lax::TransposeOp, lax::SliceOp,
             lax::DynamicSliceOp, lax::IsFiniteOp, lax::StopGradientOp>(op);
}

bool Reverse::isAvailable(Value value, unsigned depth) {
  Scope &scope = scopeOf(value);
  if (scope.kind == Scope::Direct || scope.restored.contains(value))
    return true;
  Operation *def = value.getDefiningOp();
  return def && depth < 8 && isCheap(def) &&
         llvm::all_of(def->getOperands(), [&](Value operand) { return isAvailable(operand, depth + 1); });
}

Value Reverse::lookup(Value value) {
  Scope &scope = scopeOf(value);
  if (scope.kind == Scope::Direct)
    return value;
  auto known = scope.restored.find(value);
  if (known != scope.restored.end())
    return known->second;
  // A broadcast is kept by what it repeats.
  if (Operation *def = value.getDefiningOp();
      def && (isAvailable(value) || isa<lax::BroadcastInDimOp, tensor::FromElementsOp>(def))) {
    SmallVector<Value> operands;
    for (Value operand : def->getOperands())
      operands.push_back(lookup(operand));
    Operation *again = b.clone(*def);
    again->setOperands(operands);
    return again->getResult(cast<OpResult>(value).getResultNumber());
  }
  return scope.save(value);
}

Value Reverse::forwardSize(Value value, int64_t dim) {
  Scope &scope = scopeOf(value);
  Value &known = scope.sizes[{value, dim}];
  if (known)
    return known;
  auto type = cast<RankedTensorType>(value.getType());
  Operation *def = value.getDefiningOp();
  Value found;
  if (def && isa<lax::LaxDialect>(def->getDialect())) {
    // What has the size as an operand, or the shape of an operand.
    unsigned position = 0;
    for (int64_t d = 0; d < dim; ++d)
      position += type.isDynamicDim(d);
    TypeSwitch<Operation *>(def)
        .Case<lax::BroadcastInDimOp, lax::IotaOp, lax::ReshapeOp, lax::DynamicSliceOp, lax::GatherOp>([&](auto op) {
          if (op.getOutputDims().size() > position)
            found = op.getOutputDims()[position];
        })
        .Case<lax::TransposeOp>([&](auto op) { found = forwardSize(op.getOperand(), op.getPermutation()[dim]); })
        .Default([&](Operation *op) {
          if (!op->hasTrait<OpTrait::Elementwise>())
            return;
          for (Value operand : op->getOperands())
            if (auto operandType = dyn_cast<RankedTensorType>(operand.getType());
                operandType && operandType.getRank() == type.getRank() && operandType.isDynamicDim(dim)) {
              found = forwardSize(operand, dim);
              return;
            }
        });
  }
  if (!found) {
    OpBuilder::InsertionGuard guard(b);
    if (def)
      b.setInsertionPointAfter(def);
    else
      b.setInsertionPointToStart(cast<BlockArgument>(value).getOwner());
    found = tensor::DimOp::create(b, value.getLoc(), value, dim);
  }
  // The map may have grown meanwhile.
  return scope.sizes[{value, dim}] = found;
}

OpFoldResult Reverse::size(Value value, int64_t dim) {
  auto type = cast<RankedTensorType>(value.getType());
  if (!type.isDynamicDim(dim))
    return b.getIndexAttr(type.getDimSize(dim));
  Value found = forwardSize(value, dim);
  Scope &scope = scopeOf(found);
  if (scope.kind == Scope::Direct || scope.restored.contains(found) || isAvailable(found))
    return lookup(found);
  return scope.save(found);
}

//===----------------------------------------------------------------------===//
// Cotangents
//===----------------------------------------------------------------------===//

Value Reverse::cotangentOf(Value value) {
  if (Value memory = accumulators.lookup(value))
    return AccumulatedOp::create(b, value.getLoc(), value.getType(), memory);
  return cotangents.lookup(value);
}

void Reverse::accumulate(Value value, Value contribution) {
  if (!isActive(value))
    return;
  Location loc = contribution.getLoc();
  if (contribution.getType() != value.getType())
    contribution = tensor::CastOp::create(b, loc, value.getType(), contribution);
  if (Value memory = accumulators.lookup(value)) {
    AccumulateOp::create(b, loc, contribution, memory);
    return;
  }
  Value &sum = cotangents[value];
  if (!sum) {
    sum = contribution;
  } else if (isa<RankedTensorType>(value.getType())) {
    auto add = lax::AddOp::create(b, loc, value.getType(), sum, contribution);
    if (carried.contains(sum)) {
      add->setAttr(kAccumulateAttr, b.getUnitAttr());
      carried.insert(add);
    }
    sum = add;
  } else {
    sum = arith::AddFOp::create(b, loc, sum, contribution);
  }
}

Value Reverse::zeros(Operation *op, Value value) { return RuleVjp(op, b, *this).zeros(value); }

SmallVector<Value> Reverse::outerActive(Operation *op) {
  llvm::SetVector<Value> used;
  getUsedValuesDefinedAbove(op->getRegions(), used);
  SmallVector<Value> found;
  for (Value value : used)
    if (isActive(value) && !accumulators.contains(value))
      found.push_back(value);
  return found;
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

LogicalResult Reverse::reverseBlock(Block &block) {
  SmallVector<Operation *> ops;
  for (Operation &op : block.without_terminator())
    ops.push_back(&op);
  for (Operation *op : llvm::reverse(ops)) {
    // What the backward computation has added: it stands in the same block.
    if (failed(reverseOp(op)))
      return failure();
  }
  return success();
}

LogicalResult Reverse::reverseOp(Operation *op) {
  if (isa<TapePushOp, TapePopOp>(op)) {
    if (auto push = dyn_cast<TapePushOp>(op))
      return reversePush(push);
    return reversePop(cast<TapePopOp>(op));
  }
  bool has = llvm::any_of(op->getResults(),
                          [&](Value result) { return cotangents.contains(result) || accumulators.contains(result); });
  if (auto accumulate = dyn_cast<AccumulateOp>(op); accumulate && activity.isVaried(accumulate.getValue()))
    return op->emitError("second derivatives of recursive functions are not supported");
  if (!has && !(op->getNumRegions() && usesTape(op)))
    return success();
  LogicalResult result =
      TypeSwitch<Operation *, LogicalResult>(op)
          .Case([&](scf::IfOp op) { return reverseIf(op); })
          .Case([&](scf::ForOp op) { return reverseFor(op); })
          .Case([&](scf::WhileOp op) { return reverseWhile(op); })
          .Case([&](func::CallOp op) { return reverseCall(op); })
          .Case([&](CustomVjpOp op) { return reverseCustom(op); })
          .Default([&](Operation *op) -> LogicalResult {
            if (isa<AccumulatedOp>(op))
              return op->emitError("second derivatives of recursive functions are not supported");
            if (hasZeroDerivative(op) || llvm::none_of(op->getOperands(), [&](Value v) { return isActive(v); }))
              return success();
            auto rule = dyn_cast<lax::DifferentiableOpInterface>(op);
            if (!rule)
              return op->emitOpError("has no derivative that is known");
            RuleVjp vjp(op, b, *this);
            return rule.buildVjp(vjp);
          });
  return result;
}

LogicalResult Reverse::reverseCustom(CustomVjpOp op) {
  SmallVector<Value> operands;
  SmallVector<Type> types;
  for (Value argument : op.getArguments()) {
    operands.push_back(lookup(argument));
    if (lax::isDifferentiable(argument.getType()))
      types.push_back(argument.getType());
  }
  for (Value result : op.getOutputs())
    if (lax::isDifferentiable(result.getType())) {
      Value cotangent = cotangentOf(result);
      operands.push_back(cotangent ? cotangent : zeros(op, result));
    }
  auto call = func::CallOp::create(b, op.getLoc(), op.getPullback(), types, operands);
  unsigned next = 0;
  for (Value argument : op.getArguments())
    if (lax::isDifferentiable(argument.getType()))
      accumulate(argument, call.getResult(next++));
  return success();
}

LogicalResult Reverse::reversePush(TapePushOp op) {
  Value value = op.getValue();
  if (!lax::isDifferentiable(value.getType()))
    return success();
  SmallVector<Value> sizes = RuleVjp(op, b, *this).dynamicSizes(value);
  accumulate(value, TapePopOp::create(b, op.getLoc(), value.getType(), op.getStackAttr(), sizes));
  return success();
}

LogicalResult Reverse::reversePop(TapePopOp op) {
  Value value = op.getValue();
  if (!lax::isDifferentiable(value.getType()))
    return success();
  Value cotangent = cotangentOf(value);
  TapePushOp::create(b, op.getLoc(), cotangent ? cotangent : zeros(op, value), op.getStackAttr());
  return success();
}
