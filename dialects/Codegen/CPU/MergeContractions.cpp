//===- MergeContractions.cpp - One contraction for a sum of several -------===//

#include "Codegen/CPU/Accumulation.h"
#include "Codegen/CPU/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::janus {
#define GEN_PASS_DEF_MERGECONTRACTIONSPASS
#include "Codegen/CPU/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

RankedTensorType typeOf(Value value) { return dyn_cast<RankedTensorType>(value.getType()); }

/// Where a dimension of the op stands in an operand's shape; nothing unless it stands there once, by itself.
std::optional<unsigned> positionOf(AffineMap map, unsigned dim) {
  AffineExpr wanted = getAffineDimExpr(dim, map.getContext());
  std::optional<unsigned> position;
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    if (expr == wanted && !position)
      position = i;
    else if (expr.isFunctionOfDim(dim))
      return std::nullopt;
  }
  return position;
}

class MergeContractionsPass : public janus::impl::MergeContractionsPassBase<MergeContractionsPass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<linalg::GenericOp> ops;
    getOperation().walk([&](linalg::GenericOp op) {
      if (isCandidate(op))
        ops.push_back(op);
    });
    // From the last one of each chain back to its first.
    DenseSet<Operation *> done;
    for (linalg::GenericOp last : llvm::reverse(ops)) {
      if (done.contains(last))
        continue;
      SmallVector<linalg::GenericOp> chain{last};
      while (linalg::GenericOp before = previous(chain.back()))
        chain.push_back(before);
      done.insert(chain.begin(), chain.end());
      if (chain.size() > 1) {
        std::reverse(chain.begin(), chain.end());
        merge(chain, rewriter);
      }
    }
  }

  static bool isCandidate(linalg::GenericOp op) {
    return op.hasPureTensorSemantics() && cpu::isProductSum(op) && op.getNumReductionLoops() == 1 &&
           llvm::all_of(op->getOperands(), [](Value v) { return typeOf(v) && typeOf(v).hasStaticShape(); }) &&
           isWorthIt(op);
  }

  /// Each contraction reads and writes the whole sum; merged, the operands are copied once.
  static bool isWorthIt(linalg::GenericOp op) {
    int64_t copied = typeOf(op->getOperand(0)).getNumElements() + typeOf(op->getOperand(1)).getNumElements();
    unsigned k = reductionOf(op);
    return copied <= typeOf(op->getResult(0)).getNumElements() && positionOf(op.getIndexingMapsArray()[0], k) &&
           positionOf(op.getIndexingMapsArray()[1], k);
  }

  static unsigned reductionOf(linalg::GenericOp op) {
    SmallVector<unsigned> dims;
    op.getReductionDims(dims);
    return dims.front();
  }

  /// The contraction that `op` starts from, if nothing else needs what that one gives and the two differ in their
  /// inputs only.
  static linalg::GenericOp previous(linalg::GenericOp op) {
    auto before = op.getDpsInits()[0].getDefiningOp<linalg::GenericOp>();
    if (!before || !before->hasOneUse() || before->getBlock() != op->getBlock() || !isCandidate(before) ||
        before.getIndexingMaps() != op.getIndexingMaps() || before.getIteratorTypes() != op.getIteratorTypes())
      return nullptr;
    unsigned k = reductionOf(op);
    for (unsigned i = 0; i < 2; ++i) {
      RankedTensorType one = typeOf(op->getOperand(i)), other = typeOf(before->getOperand(i));
      unsigned along = *positionOf(op.getIndexingMapsArray()[i], k);
      if (one.getElementType() != other.getElementType())
        return nullptr;
      for (int64_t d = 0; d < one.getRank(); ++d)
        if (d != along && one.getDimSize(d) != other.getDimSize(d))
          return nullptr;
    }
    return before;
  }

  static void merge(ArrayRef<linalg::GenericOp> chain, IRRewriter &rewriter) {
    linalg::GenericOp last = chain.back();
    unsigned k = reductionOf(last);
    rewriter.setInsertionPoint(last);
    SmallVector<Value> inputs;
    for (unsigned i = 0; i < 2; ++i) {
      SmallVector<Value> parts;
      for (linalg::GenericOp op : chain)
        parts.push_back(op->getOperand(i));
      int64_t along = *positionOf(last.getIndexingMapsArray()[i], k);
      inputs.push_back(tensor::ConcatOp::create(rewriter, last.getLoc(), along, parts));
    }
    linalg::GenericOp first = chain.front();
    rewriter.modifyOpInPlace(last, [&] {
      last->setOperand(0, inputs[0]);
      last->setOperand(1, inputs[1]);
      last.getDpsInitsMutable()[0].set(first.getDpsInits()[0]);
    });
    for (linalg::GenericOp op : llvm::reverse(chain.drop_back()))
      rewriter.eraseOp(op);
  }
};

} // namespace
