//===- LaxInterfaces.cpp - What families of lax ops have in common --------===//

#include "Lax/IR/LaxInterfaces.h"

#include "Lax/IR/LaxIndexing.h"
#include "Lax/IR/LaxVerification.h"

using namespace mlir;
using namespace mlir::lax;

#include "Lax/IR/LaxInterfaces.cpp.inc"

LogicalResult mlir::lax::detail::verifyReduction(Operation *op) {
  auto reduction = cast<ReductionOpInterface>(op);
  auto input = cast<RankedTensorType>(reduction.getInput().getType());
  if (failed(verifyDims(op, "axes", reduction.getAxes(), input.getRank(), DimOrder::Ascending)))
    return failure();
  SmallVector<int64_t> expected;
  for (auto [dim, size] : llvm::enumerate(input.getShape()))
    if (!llvm::is_contained(reduction.getAxes(), static_cast<int64_t>(dim)))
      expected.push_back(size);
  return verifyShape(op, "the result", op->getResult(0).getType(), expected);
}

LogicalResult mlir::lax::detail::verifyCumulative(Operation *op) {
  auto scan = cast<CumulativeOpInterface>(op);
  auto input = cast<RankedTensorType>(scan.getInput().getType());
  return verifyDim(op, "axis", scan.getAxis(), input.getRank());
}

LogicalResult mlir::lax::detail::verifyWindowReduction(Operation *op) {
  auto reduction = cast<WindowReductionOpInterface>(op);
  return verifyWindow(op, reduction.getInput().getType(), op->getResult(0).getType(), reduction.getWindowDimensions(),
                      reduction.getWindowStrides(), reduction.getPadding(), reduction.getBaseDilation(),
                      reduction.getWindowDilation());
}

LogicalResult mlir::lax::detail::verifyScatter(Operation *op) {
  auto scatter = cast<ScatterOpInterface>(op);
  auto input = cast<RankedTensorType>(scatter.getInput().getType());
  auto updates = cast<RankedTensorType>(scatter.getUpdates().getType());

  // A scatter is a gather that runs backwards: the updates stand where a gather has its result.
  IndexingNumbers numbers{scatter.getUpdateWindowDims(), scatter.getInsertedWindowDims(),
                          scatter.getScatterDimsToOperandDims(), scatter.getOperandBatchingDims(),
                          scatter.getScatterIndicesBatchingDims()};
  IndexingNames names{"update_window_dims", "inserted_window_dims", "scatter_dims_to_operand_dims",
                      "scatter_indices_batching_dims"};
  if (failed(verifyIndexingNumbers(op, numbers, names, input, cast<RankedTensorType>(scatter.getIndices().getType()),
                                   updates, "updates")))
    return failure();

  SmallVector<int64_t> kept = getKeptDims(numbers, input.getRank());
  for (auto [operandDim, updateDim] : llvm::zip_equal(kept, numbers.offsetDims)) {
    int64_t window = updates.getDimSize(updateDim), size = input.getDimSize(operandDim);
    if (!ShapedType::isDynamic(window) && !ShapedType::isDynamic(size) && window > size)
      return op->emitOpError() << "updates have size " << window << " in dim " << updateDim
                               << ", more than the operand's " << size << " in dim " << operandDim;
  }
  return success();
}
