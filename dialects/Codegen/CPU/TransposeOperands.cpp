//===- TransposeOperands.cpp - Lay out operands as contractions read them -===//

#include "Codegen/CPU/Accumulation.h"
#include "Codegen/CPU/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::janus {
#define GEN_PASS_DEF_TRANSPOSEOPERANDSPASS
#include "Codegen/CPU/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

/// What a loop is taken to run for.
constexpr int64_t kAssumedTrips = 8;

/// Uses of one tensor by contractions along its last dimension, all of which would rather have another one last.
struct Uses {
  SmallVector<OpOperand *> operands;
  /// How often, in all, each element of the tensor is read.
  int64_t reads = 0;
};

class TransposeOperandsPass : public janus::impl::TransposeOperandsPassBase<TransposeOperandsPass> {
public:
  using TransposeOperandsPassBase::TransposeOperandsPassBase;

  void runOnOperation() override {
    llvm::MapVector<std::pair<Value, int64_t>, Uses> found;
    getOperation().walk([&](linalg::GenericOp op) {
      if (!op.hasPureTensorSemantics() || !cpu::isProductSum(op))
        return;
      for (OpOperand *operand : op.getDpsInputOperands())
        if (std::optional<int64_t> dim = wantedLast(op, operand)) {
          Uses &uses = found[{operand->get(), *dim}];
          uses.operands.push_back(operand);
          uses.reads += readsOf(op, operand);
        }
    });
    for (auto &[key, uses] : found)
      if (uses.reads >= minReads)
        transpose(key.first, key.second, uses);
  }

private:
  /// The dimension of a matrix, or batch of matrices, that vectors of the result run along, if it is not the last one,
  /// which is contracted.
  static std::optional<int64_t> wantedLast(linalg::GenericOp op, OpOperand *operand) {
    auto type = dyn_cast<RankedTensorType>(operand->get().getType());
    AffineMap map = op.getMatchingIndexingMap(operand);
    if (!type || !type.hasStaticShape() || type.getRank() < 2 || !map.isProjectedPermutation())
      return std::nullopt;
    AffineMap result = op.getIndexingMapsArray().back();
    if (result.getNumResults() == 0)
      return std::nullopt;
    auto vectors = dyn_cast<AffineDimExpr>(result.getResults().back());
    auto last = cast<AffineDimExpr>(map.getResults().back());
    if (!vectors || op.getIteratorTypesArray()[last.getPosition()] != utils::IteratorType::reduction)
      return std::nullopt;
    for (auto [i, expr] : llvm::enumerate(map.getResults()))
      if (expr == vectors)
        // Of few elements either way nothing is gained.
        return type.getDimSize(i) >= 8 && type.getShape().back() >= 8 ? std::optional<int64_t>(i) : std::nullopt;
    return std::nullopt;
  }

  static int64_t readsOf(linalg::GenericOp op, OpOperand *operand) {
    AffineMap map = op.getMatchingIndexingMap(operand);
    int64_t reads = 1;
    for (auto [d, size] : llvm::enumerate(op.getStaticLoopRanges()))
      if (!map.isFunctionOfDim(d))
        reads *= ShapedType::isDynamic(size) ? kAssumedTrips : size;
    for (Operation *at = op->getParentOp(); at; at = at->getParentOp())
      if (isa<LoopLikeOpInterface>(at) && !at->isAncestor(operand->get().getParentBlock()->getParentOp()))
        reads *= kAssumedTrips;
    return reads;
  }

  static void transpose(Value value, int64_t dim, const Uses &uses) {
    // Before everything that uses it: in the block around all uses, outside of the loops that do not compute it.
    Operation *first = uses.operands.front()->getOwner();
    Block *block = first->getBlock();
    for (OpOperand *operand : uses.operands)
      while (!block->findAncestorOpInBlock(*operand->getOwner()))
        block = block->getParentOp()->getBlock();
    Block *home = value.getParentBlock();
    for (Block *at = block; at != home; at = at->getParentOp()->getBlock())
      if (isa<LoopLikeOpInterface>(at->getParentOp()))
        block = at->getParentOp()->getBlock();
    first = block->findAncestorOpInBlock(*first);
    for (OpOperand *operand : uses.operands) {
      Operation *other = block->findAncestorOpInBlock(*operand->getOwner());
      if (other->isBeforeInBlock(first))
        first = other;
    }
    OpBuilder b(first);
    Location loc = value.getLoc();
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
    std::swap(permutation[dim], permutation.back());
    SmallVector<int64_t> shape;
    for (int64_t d : permutation)
      shape.push_back(type.getDimSize(d));
    Value empty = tensor::EmptyOp::create(b, loc, shape, type.getElementType());
    AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
    AffineMap swapped = AffineMap::getPermutationMap(permutation, b.getContext());
    SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
    Value copy = linalg::GenericOp::create(b, loc, TypeRange{empty.getType()}, ValueRange{value}, ValueRange{empty},
                                           ArrayRef<AffineMap>{swapped, identity}, iterators,
                                           [](OpBuilder &b, Location loc, ValueRange arguments) {
                                             linalg::YieldOp::create(b, loc, arguments[0]);
                                           })
                     .getResult(0);
    for (OpOperand *operand : uses.operands) {
      auto op = cast<linalg::GenericOp>(operand->getOwner());
      SmallVector<AffineMap> maps = op.getIndexingMapsArray();
      AffineMap &map = maps[operand->getOperandNumber()];
      SmallVector<AffineExpr> results(map.getResults());
      std::swap(results[dim], results.back());
      map = AffineMap::get(map.getNumDims(), 0, results, b.getContext());
      operand->set(copy);
      op.setIndexingMapsAttr(b.getAffineMapArrayAttr(maps));
    }
  }
};

} // namespace
