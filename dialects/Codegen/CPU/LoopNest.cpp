//===- LoopNest.cpp - Linalg ops as strided loop nests --------------------===//

#include "Codegen/CPU/LoopNest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::cpu;

std::optional<int64_t> cpu::linearCoefficient(AffineExpr expr, unsigned dim) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return 0;
  if (auto d = dyn_cast<AffineDimExpr>(expr))
    return d.getPosition() == dim ? 1 : 0;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return std::nullopt;
  std::optional<int64_t> lhs = linearCoefficient(binary.getLHS(), dim);
  std::optional<int64_t> rhs = linearCoefficient(binary.getRHS(), dim);
  if (!lhs || !rhs)
    return std::nullopt;
  if (binary.getKind() == AffineExprKind::Add)
    return *lhs + *rhs;
  if (binary.getKind() == AffineExprKind::Mul) {
    if (auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS()))
      return *lhs * factor.getValue();
    if (auto factor = dyn_cast<AffineConstantExpr>(binary.getLHS()))
      return *rhs * factor.getValue();
  }
  // A division or remainder is linear only if it does not depend on the dimension, which its operands tell, but
  // then it is no linear function of the others; refuse all of them.
  return std::nullopt;
}

static bool isLinear(AffineMap map) {
  for (AffineExpr result : map.getResults())
    for (unsigned d = 0, e = std::max(1u, map.getNumDims()); d < e; ++d)
      if (!linearCoefficient(result, d))
        return false;
  return true;
}

bool LoopNest::readsOutput(unsigned i) const {
  linalg::GenericOp generic = op;
  return !generic.getRegionOutputArgs()[i].use_empty();
}

/// Whether going one step in `outer` moves buffer `operand` as far as going through all of `inner`: strides may be
/// known at run time only, when the layout says that the two dimensions of the buffer lie densely.
static bool walksAsOne(const NestOperand &operand, AffineMap map, unsigned outer, unsigned inner, int64_t strideOuter,
                       int64_t strideInner, int64_t sizeInner) {
  if (!operand.isBuffer || (strideOuter == 0 && strideInner == 0))
    return true;
  if (!ShapedType::isDynamic(strideOuter) && !ShapedType::isDynamic(strideInner) && !ShapedType::isDynamic(sizeInner))
    return strideOuter == strideInner * sizeInner;
  auto type = cast<MemRefType>(operand.value.getType());
  if (!type.getLayout().isIdentity())
    return false;
  MLIRContext *ctx = map.getContext();
  for (unsigned r = 0; r + 1 < map.getNumResults(); ++r)
    if (map.getResult(r) == getAffineDimExpr(outer, ctx) && map.getResult(r + 1) == getAffineDimExpr(inner, ctx)) {
      for (unsigned other = 0; other < map.getNumResults(); ++other)
        if (other != r && other != r + 1 &&
            (map.getResult(other).isFunctionOfDim(outer) || map.getResult(other).isFunctionOfDim(inner)))
          return false;
      return true;
    }
  return false;
}

FailureOr<LoopNest> cpu::analyzeLoopNest(linalg::GenericOp op) {
  LoopNest nest;
  nest.op = op;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  unsigned numDims = ranges.size();
  if (!op.hasPureBufferSemantics())
    return failure();

  bool usesIndex = false;
  nest.vectorizable = true;
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (isa<linalg::IndexOp>(inner)) {
      usesIndex = true;
      continue;
    }
    if (inner.hasTrait<OpTrait::ConstantLike>())
      continue;
    if (!OpTrait::hasElementwiseMappableTraits(&inner) || inner.getNumRegions() != 0 || !isPure(&inner))
      nest.vectorizable = false;
  }
  // Complex numbers take upstream's loops.
  for (BlockArgument arg : op.getBody()->getArguments())
    if (!arg.getType().isIntOrIndexOrFloat())
      return failure();

  // One loop per dimension first, strides per operand.
  SmallVector<SmallVector<int64_t>> strides(op->getNumOperands());
  for (OpOperand &use : op->getOpOperands()) {
    NestOperand operand;
    operand.value = use.get();
    operand.isOutput = op.isDpsInit(&use);
    operand.element = getElementTypeOrSelf(use.get().getType());
    auto type = dyn_cast<MemRefType>(use.get().getType());
    operand.isBuffer = bool(type);
    AffineMap map = maps[use.getOperandNumber()];
    SmallVector<int64_t> &perDim = strides[use.getOperandNumber()];
    perDim.assign(numDims, 0);
    if (type) {
      SmallVector<int64_t> layout;
      int64_t offset;
      if (!isLinear(map) || failed(type.getStridesAndOffset(layout, offset)))
        return failure();
      for (unsigned d = 0; d < numDims; ++d)
        for (unsigned r = 0; r < map.getNumResults(); ++r) {
          int64_t coefficient = *linearCoefficient(map.getResult(r), d);
          if (coefficient == 0 || ShapedType::isDynamic(perDim[d]))
            continue;
          perDim[d] = ShapedType::isDynamic(layout[r]) ? ShapedType::kDynamic : perDim[d] + coefficient * layout[r];
        }
    }
    nest.operands.push_back(operand);
  }

  // An output that stays in place while a parallel loop runs is written by whichever step comes last: leave such
  // ops to the loops of upstream, in the order they state.
  for (NestOperand &operand : nest.operands)
    if (operand.isOutput)
      for (unsigned d = 0; d < numDims; ++d)
        if (iterators[d] == utils::IteratorType::parallel && ranges[d] != 1 &&
            strides[&operand - nest.operands.data()][d] == 0)
          return failure();

  // Drop loops of one step, merge loops that walk as one.
  for (unsigned d = 0; d < numDims; ++d) {
    if (ranges[d] == 1)
      continue;
    bool isReduction = iterators[d] != utils::IteratorType::parallel;
    bool merge = !usesIndex && nest.numLoops() > 0 && nest.reduction.back() == isReduction;
    if (merge) {
      unsigned outer = nest.dims.back().back();
      for (auto [i, operand] : llvm::enumerate(nest.operands))
        merge = merge && walksAsOne(operand, maps[i], outer, d, strides[i][outer], strides[i][d], ranges[d]);
      // Dimensions of one step may lie between the two in the buffer's shape; strides tell when they are static,
      // and adjacency in the map is asked for otherwise.
    }
    if (merge) {
      nest.dims.back().push_back(d);
      int64_t &size = nest.sizes.back();
      size = ShapedType::isDynamic(size) || ShapedType::isDynamic(ranges[d]) ? ShapedType::kDynamic : size * ranges[d];
      for (auto [i, operand] : llvm::enumerate(nest.operands))
        operand.strides.back() = strides[i][d];
      continue;
    }
    nest.dims.push_back({d});
    nest.sizes.push_back(ranges[d]);
    nest.reduction.push_back(isReduction);
    for (auto [i, operand] : llvm::enumerate(nest.operands))
      operand.strides.push_back(strides[i][d]);
  }
  return nest;
}

static std::optional<vector::CombiningKind> combinerOf(Operation *op) {
  using vector::CombiningKind;
  return llvm::TypeSwitch<Operation *, std::optional<CombiningKind>>(op)
      .Case<arith::AddFOp, arith::AddIOp>([](auto) { return CombiningKind::ADD; })
      .Case<arith::MulFOp, arith::MulIOp>([](auto) { return CombiningKind::MUL; })
      .Case<arith::MaximumFOp>([](auto) { return CombiningKind::MAXIMUMF; })
      .Case<arith::MinimumFOp>([](auto) { return CombiningKind::MINIMUMF; })
      .Case<arith::MaxNumFOp>([](auto) { return CombiningKind::MAXNUMF; })
      .Case<arith::MinNumFOp>([](auto) { return CombiningKind::MINNUMF; })
      .Case<arith::MaxSIOp>([](auto) { return CombiningKind::MAXSI; })
      .Case<arith::MinSIOp>([](auto) { return CombiningKind::MINSI; })
      .Case<arith::MaxUIOp>([](auto) { return CombiningKind::MAXUI; })
      .Case<arith::MinUIOp>([](auto) { return CombiningKind::MINUI; })
      .Case<arith::AndIOp>([](auto) { return CombiningKind::AND; })
      .Case<arith::OrIOp>([](auto) { return CombiningKind::OR; })
      .Case<arith::XOrIOp>([](auto) { return CombiningKind::XOR; })
      .Default([](Operation *) { return std::nullopt; });
}

std::optional<SmallVector<vector::CombiningKind>> cpu::matchCombiners(const LoopNest &nest) {
  linalg::GenericOp op = nest.op;
  SmallVector<vector::CombiningKind> kinds;
  auto yield = cast<linalg::YieldOp>(op.getBody()->getTerminator());
  for (auto [i, arg] : llvm::enumerate(op.getRegionOutputArgs())) {
    if (!arg.hasOneUse())
      return std::nullopt;
    Operation *combine = *arg.user_begin();
    Value yielded = yield.getOperand(i);
    if (combine->getNumResults() != 1 || yielded != combine->getResult(0) || !yielded.hasOneUse())
      return std::nullopt;
    std::optional<vector::CombiningKind> kind = combinerOf(combine);
    // Half precision accumulates in order: lanes of partial sums would round differently by more than a tolerance.
    if (!kind || !arith::getNeutralElement(combine) || arg.getType().isF16() || arg.getType().isBF16())
      return std::nullopt;
    kinds.push_back(*kind);
  }
  return kinds;
}

bool cpu::sumsFloats(const LoopNest &nest) {
  std::optional<SmallVector<vector::CombiningKind>> kinds = matchCombiners(nest);
  if (!kinds || !nest.hasReduction())
    return false;
  for (auto [kind, operand] : llvm::zip_equal(*kinds, ArrayRef(nest.operands).drop_front(nest.numInputs())))
    if (kind != vector::CombiningKind::ADD || !isa<FloatType>(operand.element))
      return false;
  return true;
}
