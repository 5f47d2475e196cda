//===- LaxIndexing.h - Dim numbers of gather and scatter --------*- C++ -*-===//
//
// Private to the implementation of the dialect.
//
//===----------------------------------------------------------------------===//

#ifndef LAX_IR_LAXINDEXING_H
#define LAX_IR_LAXINDEXING_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"

namespace mlir::lax::detail {

/// The dim numbers, by their names in a gather.
struct IndexingNumbers {
  ArrayRef<int64_t> offsetDims;
  ArrayRef<int64_t> collapsedSliceDims;
  ArrayRef<int64_t> startIndexMap;
  ArrayRef<int64_t> operandBatchingDims;
  ArrayRef<int64_t> startIndicesBatchingDims;
};

/// What the op calls them.
struct IndexingNames {
  StringRef offsetDims;
  StringRef collapsedSliceDims;
  StringRef startIndexMap;
  StringRef startIndicesBatchingDims;
};

/// The dims of the operand that slices keep, ascending.
SmallVector<int64_t> getKeptDims(const IndexingNumbers &numbers, int64_t operandRank);

/// The dims of the result (of the updates, for a scatter) that are not offset dims, ascending.
SmallVector<int64_t> getBatchDims(const IndexingNumbers &numbers, int64_t resultRank);

/// Checks all numbers against the ranks, and the batch sizes. `result` is the type of a gather's result or of a
/// scatter's updates, called `resultName` in messages.
LogicalResult verifyIndexingNumbers(Operation *op, const IndexingNumbers &numbers, const IndexingNames &names,
                                    RankedTensorType operand, RankedTensorType indices, RankedTensorType result,
                                    StringRef resultName);

} // namespace mlir::lax::detail

#endif // LAX_IR_LAXINDEXING_H
