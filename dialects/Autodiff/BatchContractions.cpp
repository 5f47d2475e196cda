//===- BatchContractions.cpp - One contraction for all iterations ---------===//

#include "Autodiff/Passes.h"

#include "Lax/IR/LaxConstantFolding.h"
#include "Lax/IR/LaxOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::janus {
#define GEN_PASS_DEF_BATCHCONTRACTIONSPASS
#include "Autodiff/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

/// Rows per iteration from which on a contraction is worth its while alone.
constexpr int64_t kEnoughRows = 256;
/// Elements that one operand may take for all iterations.
constexpr int64_t kMaxElements = int64_t(1) << 24;

/// What a loop adds up: `result` of the loop is the sum of all `product`s, and what it starts from.
struct Sum {
  unsigned result;
  lax::AddOp add;
  lax::DotGeneralOp product;
};

/// An operand of all iterations: rows of `stack`, of which iteration takes the one at `at`. Without a stack it is to be
/// kept.
struct Operand {
  Value value, stack, at;
};

/// The loop's number of iterations, if it counts from 0 by 1 that far.
std::optional<int64_t> countOf(scf::ForOp loop) {
  auto upper = getConstantIntValue(OpFoldResult(loop.getUpperBound()));
  if (!isConstantIntValue(OpFoldResult(loop.getLowerBound()), 0) ||
      !isConstantIntValue(OpFoldResult(loop.getStep()), 1) || !upper || *upper < 2)
    return std::nullopt;
  return upper;
}

std::optional<Sum> matchSum(scf::ForOp loop, unsigned number, int64_t count) {
  BlockArgument argument = loop.getRegionIterArg(number);
  if (!argument.hasOneUse())
    return std::nullopt;
  auto add = dyn_cast<lax::AddOp>(*argument.user_begin());
  if (!add || add->getBlock() != loop.getBody() || !add->hasOneUse() || loop.getYieldedValues()[number] != add)
    return std::nullopt;
  Value other = add.getLhs() == argument ? add.getRhs() : add.getLhs();
  auto product = other.getDefiningOp<lax::DotGeneralOp>();
  if (!product || !product->hasOneUse() || product->getBlock() != loop.getBody() || !product.getLhsBatch().empty() ||
      product.getLhsContracting() != ArrayRef<int64_t>{0} || product.getRhsContracting() != ArrayRef<int64_t>{0})
    return std::nullopt;
  auto type = cast<RankedTensorType>(product.getType());
  if (!type.getElementType().isF32() && !type.getElementType().isF64())
    return std::nullopt;
  for (Value operand : product->getOperands()) {
    auto operandType = cast<RankedTensorType>(operand.getType());
    if (!operandType.hasStaticShape() || operandType.getElementType() != type.getElementType() ||
        operandType.getDimSize(0) >= kEnoughRows || operandType.getNumElements() > kMaxElements / count)
      return std::nullopt;
  }
  return Sum{number, add, product};
}

/// Finds the rows that an operand is taken from, if each iteration takes the next or the last but so many.
Operand findStack(scf::ForOp loop, Value value, int64_t count) {
  Operand operand{value, {}, {}};
  auto slice = value.getDefiningOp<tensor::ExtractSliceOp>();
  if (!slice || !loop.isDefinedOutsideOfLoop(slice.getSource()) || !slice.hasUnitStride())
    return operand;
  RankedTensorType source = slice.getSourceType(), type = slice.getType();
  if (!source.hasStaticShape() || source.getRank() != type.getRank() + 1 || source.getDimSize(0) != count ||
      source.getShape().drop_front() != type.getShape() ||
      !llvm::all_of(ArrayRef(slice.getMixedOffsets()).drop_front(), isZeroInteger))
    return operand;
  auto at = dyn_cast<Value>(slice.getMixedOffsets().front());
  if (!at)
    return operand;
  bool reversed = false;
  if (auto difference = at.getDefiningOp<arith::SubIOp>())
    reversed = isConstantIntValue(OpFoldResult(difference.getLhs()), count - 1) &&
               difference.getRhs() == loop.getInductionVar();
  if (at == loop.getInductionVar() || reversed) {
    operand.stack = slice.getSource();
    operand.at = at;
  }
  return operand;
}

class BatchContractionsPass : public janus::impl::BatchContractionsPassBase<BatchContractionsPass> {
  void runOnOperation() override {
    SmallVector<scf::ForOp> loops;
    getOperation().walk([&](scf::ForOp loop) { loops.push_back(loop); });
    IRRewriter rewriter(&getContext());
    for (scf::ForOp loop : loops)
      if (std::optional<int64_t> count = countOf(loop))
        batch(loop, *count, rewriter);
  }

  static void batch(scf::ForOp loop, int64_t count, IRRewriter &rewriter) {
    SmallVector<Sum> sums;
    for (unsigned number = 0; number < loop.getNumRegionIterArgs(); ++number)
      if (std::optional<Sum> sum = matchSum(loop, number, count))
        sums.push_back(*sum);
    if (sums.empty())
      return;
    // All operands are in one order: that in which one of them is kept already.
    SmallVector<Operand> operands;
    Value at;
    for (Sum &sum : sums)
      for (Value value : sum.product->getOperands()) {
        if (llvm::any_of(operands, [&](Operand &known) { return known.value == value; }))
          continue;
        Operand operand = findStack(loop, value, count);
        if (operand.stack && !at)
          at = operand.at;
        if (operand.stack && operand.at != at)
          operand.stack = {};
        operands.push_back(operand);
      }
    loop = keep(loop, count, operands, at, rewriter);
    for (Sum &sum : sums)
      replace(loop, sum, operands, rewriter);
  }

  /// Lets the loop keep, in rows, the operands that no tensor has.
  static scf::ForOp keep(scf::ForOp loop, int64_t count, MutableArrayRef<Operand> operands, Value at,
                         IRRewriter &rewriter) {
    Location loc = loop.getLoc();
    rewriter.setInsertionPoint(loop);
    SmallVector<Value> empty;
    SmallVector<Operand *> kept;
    for (Operand &operand : operands) {
      if (operand.stack)
        continue;
      auto type = cast<RankedTensorType>(operand.value.getType());
      SmallVector<int64_t> shape{count};
      llvm::append_range(shape, type.getShape());
      empty.push_back(tensor::EmptyOp::create(rewriter, loc, shape, type.getElementType()));
      kept.push_back(&operand);
    }
    if (kept.empty())
      return loop;
    bool counter = at && at == loop.getInductionVar();
    unsigned results = loop.getNumResults();
    auto extended = cast<scf::ForOp>(*loop.replaceWithAdditionalYields(
        rewriter, empty, /*replaceInitOperandUsesInLoop=*/false,
        [&](OpBuilder &b, Location loc, ArrayRef<BlockArgument> arguments) {
          auto body = cast<scf::ForOp>(arguments.front().getOwner()->getParentOp());
          Value row = !at || counter ? body.getInductionVar() : at;
          if (!row.getType().isIndex())
            row = arith::IndexCastOp::create(b, loc, b.getIndexType(), row);
          SmallVector<Value> updated;
          for (auto [operand, rows] : llvm::zip_equal(kept, arguments)) {
            SmallVector<OpFoldResult> offsets{row}, sizes{b.getIndexAttr(1)};
            for (int64_t size : cast<RankedTensorType>(operand->value.getType()).getShape()) {
              offsets.push_back(b.getIndexAttr(0));
              sizes.push_back(b.getIndexAttr(size));
            }
            SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
            updated.push_back(tensor::InsertSliceOp::create(b, loc, operand->value, rows, offsets, sizes, strides));
          }
          return updated;
        }));
    for (auto [operand, result] : llvm::zip_equal(kept, extended.getResults().drop_front(results)))
      operand->stack = result;
    return extended;
  }

  /// Adds the products of all iterations up at once, behind the loop.
  static void replace(scf::ForOp loop, Sum sum, ArrayRef<Operand> operands, IRRewriter &rewriter) {
    Location loc = sum.product.getLoc();
    rewriter.setInsertionPointAfter(loop);
    auto rowsOf = [&](Value value) -> Value {
      const Operand *operand = llvm::find_if(operands, [&](const Operand &known) { return known.value == value; });
      SmallVector<ReassociationIndices> groups{{0, 1}};
      for (int64_t dim = 1; dim < cast<RankedTensorType>(value.getType()).getRank(); ++dim)
        groups.push_back({dim + 1});
      return tensor::CollapseShapeOp::create(rewriter, loc, operand->stack, groups);
    };
    Value lhs = rowsOf(sum.product.getLhs()), rhs = rowsOf(sum.product.getRhs());
    Value total = lax::DotGeneralOp::create(rewriter, loc, sum.product.getType(), lhs, rhs,
                                            sum.product.getLhsContracting(), sum.product.getRhsContracting(),
                                            sum.product.getLhsBatch(), sum.product.getRhsBatch());
    Value start = loop.getInitArgs()[sum.result];
    Attribute constant;
    if (!matchPattern(start, m_Constant(&constant)) || !lax::detail::isPositiveZero(constant))
      total = lax::AddOp::create(rewriter, loc, total.getType(), start, total);
    rewriter.replaceAllUsesWith(loop.getResult(sum.result), total);
    auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
    rewriter.modifyOpInPlace(yield, [&] { yield->setOperand(sum.result, loop.getRegionIterArg(sum.result)); });
    rewriter.eraseOp(sum.add);
    rewriter.eraseOp(sum.product);
  }
};

} // namespace
