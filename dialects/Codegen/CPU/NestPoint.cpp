//===- NestPoint.cpp - What happens at one point of a nest ----------------===//
//
// Loads and stores of one vector or scalar, and the body of the op between them.
//
//===----------------------------------------------------------------------===//

#include "Codegen/CPU/NestEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::cpu;

Value NestEmitter::broadcast(Value value, int64_t width) {
  if (width == 1 || isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(b, loc, VectorType::get({width}, value.getType()), value);
}

NestEmitter::Index NestEmitter::address(unsigned operand, const Offsets &offsets, const Steps &point) {
  Index at = offsets[operand];
  for (unsigned d = 0; d < nest.numLoops(); ++d)
    if (point[d] != 0)
      at = add(at, scale({Value(), point[d]}, step[operand][d]));
  return at;
}

/// The value of `operand` at `point`: a scalar if all lanes share it, else a vector.
Value NestEmitter::load(unsigned operand, const Offsets &offsets, const Steps &point, int64_t width) {
  const NestOperand &info = nest.operands[operand];
  if (!info.isBuffer)
    return info.value;
  Steps key = point;
  for (unsigned d = 0; d < nest.numLoops(); ++d)
    if (strides[operand][d] == 0)
      key[d] = 0;
  key.push_back(width);
  Value &known = loaded[{operand, key}];
  if (known)
    return known;
  Index at = address(operand, offsets, point);
  int64_t stride = width == 1 ? 0 : strides[operand][strategy.vectorLoop];
  if (stride == 0)
    return known = memref::LoadOp::create(b, loc, flat[operand], materialize(at));
  auto type = VectorType::get({width}, info.element);
  if (stride == 1)
    return known = vector::LoadOp::create(b, loc, type, flat[operand], materialize(at));
  SmallVector<Value> elements;
  for (int64_t k = 0; k < width; ++k)
    elements.push_back(memref::LoadOp::create(
        b, loc, flat[operand], materialize(add(at, scale({Value(), k}, step[operand][strategy.vectorLoop])))));
  return known = vector::FromElementsOp::create(b, loc, type, elements);
}

void NestEmitter::store(unsigned operand, const Offsets &offsets, const Steps &point, int64_t width, Value value) {
  Index at = address(operand, offsets, point);
  if (width == 1) {
    memref::StoreOp::create(b, loc, value, flat[operand], materialize(at));
    return;
  }
  value = broadcast(value, width);
  if (strides[operand][strategy.vectorLoop] == 1) {
    vector::StoreOp::create(b, loc, value, flat[operand], materialize(at));
    return;
  }
  for (int64_t k = 0; k < width; ++k) {
    Value element = vector::ExtractOp::create(b, loc, value, k);
    memref::StoreOp::create(b, loc, element, flat[operand],
                            materialize(add(at, scale({Value(), k}, step[operand][strategy.vectorLoop]))));
  }
}

/// The index of dimension `dim` of the op at `point`.
Value NestEmitter::indexOf(unsigned dim, const Steps &point, int64_t width) {
  for (unsigned d = 0; d < nest.numLoops(); ++d) {
    if (nest.dims[d].back() != dim)
      continue;
    Value at = materialize(add(position[d], {Value(), point[d]}));
    if (width == 1 || static_cast<int64_t>(d) != strategy.vectorLoop)
      return at;
    Value steps = vector::StepOp::create(b, loc, VectorType::get({width}, b.getIndexType()));
    return arith::AddIOp::create(b, loc, broadcast(at, width), steps);
  }
  return constantIndex(0); // a loop of one step
}

/// Whether an op adds a term to what a reduction has summed up so far. Such a term and its sum may become one
/// multiply-add. Elsewhere this must not be left to LLVM: what is computed in several places, by fusion or again for a
/// gradient, has to be the same number in all of them, for `x == max(x)` to hold where it should.
static bool accumulates(Operation *inner, linalg::GenericOp op) {
  return isa<arith::AddFOp, arith::SubFOp>(inner) && llvm::any_of(inner->getOperands(), [&](Value operand) {
           auto argument = dyn_cast<BlockArgument>(operand);
           return argument && argument.getOwner() == op.getBody() && argument.getArgNumber() >= op.getNumDpsInputs();
         });
}

/// The body at `point`, on vectors of `width` lanes where its operands differ between lanes.
SmallVector<Value> NestEmitter::evaluate(const Offsets &offsets, const Steps &point, int64_t width,
                                         ArrayRef<Value> accumulators) {
  linalg::GenericOp op = nest.op;
  Block *body = op.getBody();
  IRMapping mapping;
  for (auto [i, arg] : llvm::enumerate(body->getArguments())) {
    if (arg.use_empty())
      continue;
    mapping.map(arg, i < nest.numInputs() ? load(i, offsets, point, width) : accumulators[i - nest.numInputs()]);
  }
  for (Operation &inner : body->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      mapping.map(index.getResult(), indexOf(index.getDim(), point, width));
      continue;
    }
    bool isVector = llvm::any_of(inner.getOperands(), [&](Value operand) {
      return isa<VectorType>(mapping.lookupOrDefault(operand).getType());
    });
    if (isVector)
      for (Value operand : inner.getOperands())
        mapping.map(operand, broadcast(mapping.lookupOrDefault(operand), width));
    Operation *copy = b.clone(inner, mapping);
    if (isVector)
      for (Value result : copy->getResults())
        result.setType(VectorType::get({width}, result.getType()));
    if (accumulates(&inner, op) ||
        (isa<arith::MulFOp>(inner) && inner.hasOneUse() && accumulates(*inner.user_begin(), op))) {
      auto flags = cast<arith::ArithFastMathInterface>(copy).getFastMathFlagsAttr().getValue();
      copy->setAttr("fastmath", arith::FastMathFlagsAttr::get(b.getContext(), flags | arith::FastMathFlags::contract));
    }
  }
  SmallVector<Value> results;
  for (Value yielded : body->getTerminator()->getOperands())
    results.push_back(broadcast(mapping.lookupOrDefault(yielded), width));
  return results;
}
