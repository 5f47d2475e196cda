//===- LaxIndexing.cpp - Dim numbers of gather and scatter ----------------===//

#include "Lax/IR/LaxIndexing.h"

#include "Lax/IR/LaxVerification.h"

using namespace mlir;
using namespace mlir::lax::detail;

SmallVector<int64_t> mlir::lax::detail::getKeptDims(const IndexingNumbers &numbers, int64_t operandRank) {
  SmallVector<int64_t> kept;
  for (int64_t dim = 0; dim < operandRank; ++dim)
    if (!llvm::is_contained(numbers.collapsedSliceDims, dim) && !llvm::is_contained(numbers.operandBatchingDims, dim))
      kept.push_back(dim);
  return kept;
}

SmallVector<int64_t> mlir::lax::detail::getBatchDims(const IndexingNumbers &numbers, int64_t resultRank) {
  SmallVector<int64_t> batch;
  for (int64_t dim = 0; dim < resultRank; ++dim)
    if (!llvm::is_contained(numbers.offsetDims, dim))
      batch.push_back(dim);
  return batch;
}

LogicalResult mlir::lax::detail::verifyIndexingNumbers(Operation *op, const IndexingNumbers &numbers,
                                                       const IndexingNames &names, RankedTensorType operand,
                                                       RankedTensorType indices, RankedTensorType result,
                                                       StringRef resultName) {
  int64_t operandRank = operand.getRank(), indicesRank = indices.getRank();
  if (indicesRank < 1)
    return op->emitOpError("indices have rank 0; their last dim holds the index vectors");
  if (failed(verifyDims(op, names.offsetDims, numbers.offsetDims, result.getRank(), DimOrder::Ascending)) ||
      failed(verifyDims(op, names.collapsedSliceDims, numbers.collapsedSliceDims, operandRank, DimOrder::Ascending)) ||
      failed(verifyDims(op, names.startIndexMap, numbers.startIndexMap, operandRank)) ||
      failed(verifyDims(op, "operand_batching_dims", numbers.operandBatchingDims, operandRank, DimOrder::Ascending)) ||
      failed(verifyDims(op, names.startIndicesBatchingDims, numbers.startIndicesBatchingDims, indicesRank - 1)))
    return failure();

  if (numbers.operandBatchingDims.size() != numbers.startIndicesBatchingDims.size())
    return op->emitOpError() << "operand_batching_dims and " << names.startIndicesBatchingDims << " differ in length";
  for (int64_t dim : numbers.operandBatchingDims)
    if (llvm::is_contained(numbers.collapsedSliceDims, dim) || llvm::is_contained(numbers.startIndexMap, dim))
      return op->emitOpError() << "dim " << dim << " of operand_batching_dims is also in " << names.collapsedSliceDims
                               << " or " << names.startIndexMap;
  for (auto [operandDim, indicesDim] : llvm::zip_equal(numbers.operandBatchingDims, numbers.startIndicesBatchingDims))
    if (!sizesAgree(operand.getDimSize(operandDim), indices.getDimSize(indicesDim)))
      return op->emitOpError() << "batching dims " << operandDim << " of the operand and " << indicesDim
                               << " of the indices differ in size";

  int64_t components = indices.getShape().back();
  if (!sizesAgree(components, numbers.startIndexMap.size()))
    return op->emitOpError() << "index vectors have " << components << " components, but " << names.startIndexMap
                             << " has " << numbers.startIndexMap.size();

  size_t kept = getKeptDims(numbers, operandRank).size();
  if (kept != numbers.offsetDims.size())
    return op->emitOpError() << names.offsetDims << " holds " << numbers.offsetDims.size() << " dims, but slices have "
                             << kept;

  SmallVector<int64_t> batch = getBatchDims(numbers, result.getRank());
  if (static_cast<int64_t>(batch.size()) != indicesRank - 1)
    return op->emitOpError() << resultName << " has " << batch.size() << " batch dims, but the indices have "
                             << indicesRank - 1;
  for (auto [resultDim, size] : llvm::zip_equal(batch, indices.getShape().drop_back()))
    if (!sizesAgree(result.getDimSize(resultDim), size))
      return op->emitOpError() << resultName << " has size " << result.getDimSize(resultDim) << " in batch dim "
                               << resultDim << ", but the indices have " << size;
  return success();
}
