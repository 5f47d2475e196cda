//===- Scope.cpp - From the forward to the backward computation -----------===//

#include "Autodiff/Scope.h"

#include "Janus/IR/JanusOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::janus;

Value Scope::save(Value value) {
  Value &known = restored[value];
  if (!known) {
    OpBuilder b(value.getContext());
    Location loc = value.getLoc();
    b.setInsertionPoint(forward->front().getTerminator());
    auto marker = UnrealizedConversionCastOp::create(b, loc, value.getType(), value);
    b.setInsertionPointToStart(backward);
    auto placeholder = UnrealizedConversionCastOp::create(b, loc, value.getType(), ValueRange{});
    saves.push_back({marker, placeholder});
    known = placeholder.getResult(0);
  }
  return known;
}

/// A scalar as a tensor of rank 0, and back.
static Value wrap(OpBuilder &b, Location loc, Value value) {
  if (isa<RankedTensorType>(value.getType()))
    return value;
  if (value.getType().isIndex())
    value = arith::IndexCastOp::create(b, loc, b.getI64Type(), value);
  return tensor::FromElementsOp::create(b, loc, RankedTensorType::get({}, value.getType()), value);
}

static Value pop(OpBuilder &b, Location loc, Type type, int32_t stack, ValueRange sizes = {}) {
  if (isa<RankedTensorType>(type))
    return TapePopOp::create(b, loc, type, b.getI32IntegerAttr(stack), sizes);
  Type element = type.isIndex() ? b.getI64Type() : type;
  Value tensor =
      TapePopOp::create(b, loc, RankedTensorType::get({}, element), b.getI32IntegerAttr(stack), ValueRange{});
  Value value = tensor::ExtractOp::create(b, loc, tensor, ValueRange{});
  return type.isIndex() ? Value(arith::IndexCastOp::create(b, loc, type, value)) : value;
}

void Scope::saveOnTape(int32_t stack, function_ref<bool(Value)> which) {
  SmallVector<Save> taken, left;
  for (Save &save : saves)
    (!which || which(save.value()) ? taken : left).push_back(save);
  saves = left;
  OpBuilder push(forward->getContext()), b(forward->getContext());
  push.setInsertionPoint(forward->front().getTerminator());
  for (Save &save : taken) {
    Value value = save.value();
    Location loc = save.marker->getLoc();
    TapePushOp::create(push, loc, wrap(push, loc, value), push.getI32IntegerAttr(stack));
    if (auto type = dyn_cast<RankedTensorType>(value.getType()))
      for (int64_t d = 0; d < type.getRank(); ++d)
        if (type.isDynamicDim(d))
          TapePushOp::create(push, loc, wrap(push, loc, tensor::DimOp::create(push, loc, value, d)),
                             push.getI32IntegerAttr(stack));
  }
  // The last one pushed is the first one popped, its sizes before it.
  b.setInsertionPointToStart(backward);
  SmallVector<Value> popped;
  for (Save &save : llvm::reverse(taken)) {
    Type type = save.value().getType();
    Location loc = save.marker->getLoc();
    SmallVector<Value> sizes;
    if (auto tensor = dyn_cast<RankedTensorType>(type)) {
      for (int64_t i = 0, e = tensor.getNumDynamicDims(); i < e; ++i)
        sizes.push_back(pop(b, loc, b.getIndexType(), stack));
      std::reverse(sizes.begin(), sizes.end());
    }
    popped.push_back(pop(b, loc, type, stack, sizes));
  }
  // Not before: the builder stands at the first of them.
  for (auto [save, value] : llvm::zip_equal(llvm::reverse(taken), popped)) {
    save.placeholder->getResult(0).replaceAllUsesWith(value);
    save.placeholder->erase();
    save.marker->erase();
  }
}
