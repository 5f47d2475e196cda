//===- GradientOps.cpp - Gradients, tapes, accumulators -------------------===//

#include "Janus/IR/JanusOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace mlir::janus;

LogicalResult ValueAndGradOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto callee = symbols.lookupNearestSymbolFrom<func::FuncOp>(*this, getCalleeAttr());
  if (!callee)
    return emitOpError() << "'" << getCallee() << "' is no function";
  FunctionType type = callee.getFunctionType();
  if (TypeRange(getArguments().getTypes()) != TypeRange(type.getInputs()))
    return emitOpError() << "has arguments that '" << getCallee() << "' does not take";
  SmallVector<Type> expected(type.getResults());
  if (expected.empty())
    return emitOpError() << "'" << getCallee() << "' has no result";
  Type first = expected.front();
  if (auto tensor = dyn_cast<RankedTensorType>(first); tensor && tensor.getRank() == 0)
    first = tensor.getElementType();
  if (!isa<FloatType>(first))
    return emitOpError() << "needs a float scalar as first result of '" << getCallee() << "', but it is "
                         << expected.front();
  for (int64_t i : getWrt()) {
    if (i < 0 || i >= static_cast<int64_t>(type.getNumInputs()))
      return emitOpError() << "has no argument " << i;
    Type wrt = type.getInput(i);
    Type element = getElementTypeOrSelf(wrt);
    if (!isa<FloatType, ComplexType>(element) || isa<BaseMemRefType>(wrt))
      return emitOpError() << "cannot differentiate with respect to argument " << i << " of type " << wrt;
    expected.push_back(wrt);
  }
  if (TypeRange(getOutputs().getTypes()) != TypeRange(expected))
    return emitOpError() << "results must be those of '" << getCallee()
                         << "' and one gradient for each argument in 'wrt'";
  return success();
}

static bool hasCotangent(Type type) { return isa<FloatType, ComplexType>(getElementTypeOrSelf(type)); }

LogicalResult CustomVjpOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto primal = symbols.lookupNearestSymbolFrom<func::FuncOp>(*this, getPrimalAttr());
  auto pullback = symbols.lookupNearestSymbolFrom<func::FuncOp>(*this, getPullbackAttr());
  if (!primal || !pullback)
    return emitOpError() << "'" << (primal ? getPullback() : getPrimal()) << "' is no function";
  auto type = FunctionType::get(getContext(), getArguments().getTypes(), getOutputs().getTypes());
  if (primal.getFunctionType() != type)
    return emitOpError() << "'" << getPrimal() << "' has another type";
  SmallVector<Type> inputs(type.getInputs()), results;
  llvm::copy_if(type.getResults(), std::back_inserter(inputs), hasCotangent);
  llvm::copy_if(type.getInputs(), std::back_inserter(results), hasCotangent);
  auto expected = FunctionType::get(getContext(), inputs, results);
  if (pullback.getFunctionType() != expected)
    return emitOpError() << "'" << getPullback() << "' must be of type " << expected;
  return success();
}

LogicalResult TapePopOp::verify() {
  auto type = cast<RankedTensorType>(getValue().getType());
  if (getOutputDims().size() != static_cast<size_t>(type.getNumDynamicDims()))
    return emitOpError() << "needs one size for each dynamic dim of " << type;
  return success();
}
