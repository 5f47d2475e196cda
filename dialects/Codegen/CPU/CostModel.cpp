//===- CostModel.cpp - Choosing vector loop and register tile -------------===//
//
// A small analytic model: for each candidate it counts the loads and the arithmetic of one step of the register
// tile, takes the slower of the two as the step's time, and sums over all pieces that the sizes fall into, remainders
// included. It need not be exact, only rank candidates as the machine does.
//
//===----------------------------------------------------------------------===//

#include "Codegen/CPU/Strategy.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::cpu;

namespace {

/// What a size known at run time only is taken to be.
constexpr int64_t kAssumedSize = 256;
/// Cycles from the operands of an addition or multiply-add to its result.
constexpr double kLatency = 4;

/// A run of `count` equal tiles of `tile` steps, `lanes` to a vector.
struct Piece {
  int64_t count, tile, lanes;
};

SmallVector<Piece> piecesOf(int64_t size, int64_t tile, int64_t lanes) {
  SmallVector<Piece> pieces;
  if (size >= tile)
    pieces.push_back({size / tile, tile, lanes});
  int64_t rest = size % tile;
  if (lanes == 1) {
    if (rest)
      pieces.push_back({1, rest, 1});
    return pieces;
  }
  if (rest >= lanes)
    pieces.push_back({1, rest / lanes * lanes, lanes});
  rest %= lanes;
  for (int64_t width = lanes / 2; width >= 1; width /= 2)
    if (rest & width)
      pieces.push_back({1, width, width});
  return pieces;
}

class Chooser {
public:
  Chooser(const LoopNest &nest, const Target &target) : nest(nest), target(target) {
    linalg::GenericOp op = nest.op;
    for (Operation &inner : op.getBody()->without_terminator())
      work += costOf(inner);
    work = std::max(work, 0.5);
    for (int64_t size : nest.sizes)
      sizes.push_back(ShapedType::isDynamic(size) ? kAssumedSize : size);
    combiners = matchCombiners(nest);
    unsigned bits = 8;
    for (const NestOperand &operand : nest.operands)
      bits = std::max(bits, bitsOf(operand.element));
    lanes = std::max<int64_t>(1, target.vectorBits / bits);
  }

  Strategy choose();

private:
  static unsigned bitsOf(Type type) { return type.isIndex() ? 64 : std::max(8u, type.getIntOrFloatBitWidth()); }

  static double costOf(Operation &op) {
    if (op.hasTrait<OpTrait::ConstantLike>())
      return 0;
    // A product that is only added to something is half of a multiply-add.
    if (isa<arith::MulFOp>(op) && op.getResult(0).hasOneUse() &&
        isa<arith::AddFOp, arith::SubFOp>(*op.getResult(0).user_begin()))
      return 0;
    if (isa<math::AbsFOp, math::AbsIOp, math::FmaOp, math::CopySignOp, math::FloorOp, math::CeilOp, math::TruncOp,
            math::RoundEvenOp>(op))
      return 1;
    if (isa<arith::DivFOp, math::SqrtOp, math::RsqrtOp>(op))
      return 6;
    if (isa_and_nonnull<math::MathDialect>(op.getDialect()))
      return 20;
    return 1;
  }

  double stepCost(ArrayRef<int64_t> tile, int64_t vectorLoop, int64_t width) const;
  double cost(const Strategy &strategy) const;
  void consider(Strategy candidate);
  void considerTiles(Strategy base, int64_t maxTiles);
  bool outputsUnitStride(unsigned loop) const;
  SmallVector<int64_t> orderFor(const Strategy &strategy) const;

  const LoopNest &nest;
  const Target &target;
  double work = 0;
  SmallVector<int64_t> sizes;
  std::optional<SmallVector<vector::CombiningKind>> combiners;
  int64_t lanes;
  double bestCost = 0;
  std::optional<Strategy> best;
};

/// Cycles of one step of the reductions for a tile of `tile` steps of each loop, with vectors of `width` lanes.
double Chooser::stepCost(ArrayRef<int64_t> tile, int64_t vectorLoop, int64_t width) const {
  double loads = 0, accumulators = 1;
  for (unsigned d = 0; d < nest.numLoops(); ++d)
    accumulators *= static_cast<int64_t>(d) == vectorLoop ? tile[d] / width : tile[d];
  for (const NestOperand &operand : nest.operands) {
    if (!operand.isBuffer || (operand.isOutput && nest.hasReduction()))
      continue;
    double points = 1;
    for (unsigned d = 0; d < nest.numLoops(); ++d) {
      if (operand.strides[d] == 0)
        continue;
      if (static_cast<int64_t>(d) != vectorLoop)
        points *= tile[d];
      else if (operand.strides[d] == 1)
        points *= tile[d] / width;
      else
        points *= tile[d] * 2.0; // gathered: a load and an insertion each
    }
    loads += points;
  }
  double compute = accumulators * work * 0.5;
  double cycles = std::max(loads * 0.5, compute);
  if (nest.hasReduction()) {
    cycles = std::max(cycles, kLatency);
    // Accumulators and one row of the vector operand stay in registers; more than there are spill.
    int64_t row = vectorLoop >= 0 ? tile[vectorLoop] / width : 1;
    double excess = accumulators + row + 1 - static_cast<double>(target.vectorRegisters);
    if (excess > 0)
      cycles += 2 * excess;
  }
  return cycles + 0.5;
}

double Chooser::cost(const Strategy &strategy) const {
  unsigned n = nest.numLoops();
  SmallVector<SmallVector<Piece>> pieces;
  double reductionSteps = 1;
  for (unsigned d = 0; d < n; ++d) {
    int64_t width = static_cast<int64_t>(d) == strategy.vectorLoop ? strategy.lanes : 1;
    if (nest.reduction[d]) {
      // Partial sums end in one element each: a handful of cycles for the shuffles of each accumulator.
      pieces.push_back({{1, strategy.tile[d], width}});
      reductionSteps *= std::max(1.0, static_cast<double>(sizes[d]) / strategy.tile[d]);
      if (width > 1)
        reductionSteps += sizes[d] % width;
      continue;
    }
    pieces.push_back(piecesOf(sizes[d], strategy.tile[d], width));
    if (pieces.back().empty())
      return 0; // an empty loop
  }
  double total = 0;
  SmallVector<unsigned> choice(n, 0);
  SmallVector<int64_t> tile(n);
  unsigned numPieces = 0;
  while (true) {
    double times = 1, accumulators = 1;
    int64_t width = strategy.lanes;
    for (unsigned d = 0; d < n; ++d) {
      const Piece &piece = pieces[d][choice[d]];
      tile[d] = piece.tile;
      times *= piece.count;
      if (static_cast<int64_t>(d) == strategy.vectorLoop)
        width = piece.lanes;
      accumulators *= static_cast<int64_t>(d) == strategy.vectorLoop ? piece.tile / piece.lanes : piece.tile;
    }
    double step = stepCost(tile, strategy.vectorLoop, width);
    double perTile = reductionSteps * step;
    if (nest.hasReduction())
      perTile += 3 + accumulators;
    if (strategy.vectorLoop >= 0 && nest.reduction[strategy.vectorLoop])
      perTile += 10 * accumulators;
    total += times * perTile;
    ++numPieces;
    unsigned d = 0;
    while (d < n && ++choice[d] == pieces[d].size())
      choice[d++] = 0;
    if (d == n)
      break;
  }
  // Each combination of pieces is code to compile.
  return total * (1 + 0.01 * numPieces) + 20 * numPieces;
}

void Chooser::consider(Strategy candidate) {
  double c = cost(candidate);
  if (best && c >= bestCost)
    return;
  bestCost = c;
  best = std::move(candidate);
}

bool Chooser::outputsUnitStride(unsigned loop) const {
  return llvm::all_of(nest.operands,
                      [&](const NestOperand &operand) { return !operand.isOutput || operand.strides[loop] == 1; });
}

void Chooser::considerTiles(Strategy base, int64_t maxTiles) {
  static constexpr int64_t factors[] = {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14};
  unsigned n = nest.numLoops();
  auto factorFits = [&](unsigned d, int64_t factor) {
    return factor == 1 || (!nest.reduction[d] && static_cast<int64_t>(d) != base.vectorLoop && sizes[d] >= factor);
  };
  for (unsigned first = 0; first < n; ++first)
    for (int64_t f1 : factors) {
      if (f1 > maxTiles || !factorFits(first, f1))
        continue;
      if (f1 == 1 && first != 0)
        continue;
      for (unsigned second = first + 1; second < n || second == first + 1; ++second) {
        for (int64_t f2 : factors) {
          if (f1 * f2 > maxTiles || (second >= n && f2 != 1))
            break;
          if (f2 != 1 && !factorFits(second, f2))
            continue;
          if (f2 == 1 && second != first + 1)
            continue;
          Strategy candidate = base;
          candidate.tile[first] = std::max(candidate.tile[first], f1);
          if (second < n)
            candidate.tile[second] = std::max(candidate.tile[second], f2);
          consider(std::move(candidate));
        }
        if (second >= n)
          break;
      }
    }
}

SmallVector<int64_t> Chooser::orderFor(const Strategy &strategy) const {
  SmallVector<int64_t> order;
  // The vector loop goes outermost when a panel of the operands that only it and the reductions walk exceeds the
  // first-level cache if left inside: then each panel is used for all of the other loops before the next one.
  bool panelOutside = false;
  int64_t v = strategy.vectorLoop;
  if (v >= 0 && !nest.reduction[v] && nest.hasReduction()) {
    double bytes = 0;
    for (const NestOperand &operand : nest.operands) {
      if (!operand.isBuffer || operand.isOutput || operand.strides[v] == 0)
        continue;
      double footprint = 1;
      for (unsigned d = 0; d < nest.numLoops(); ++d)
        if (operand.strides[d] != 0)
          footprint *= sizes[d];
      bytes += footprint * bitsOf(operand.element) / 8;
    }
    panelOutside = bytes > 0.75 * target.l1Bytes;
  }
  if (panelOutside)
    order.push_back(v);
  for (unsigned d = 0; d < nest.numLoops(); ++d)
    if (!nest.reduction[d] && static_cast<int64_t>(d) != v)
      order.push_back(d);
  if (!panelOutside && v >= 0 && !nest.reduction[v])
    order.push_back(v);
  for (unsigned d = 0; d < nest.numLoops(); ++d)
    if (nest.reduction[d] && static_cast<int64_t>(d) != v)
      order.push_back(d);
  if (v >= 0 && nest.reduction[v])
    order.push_back(v);
  return order;
}

Strategy Chooser::choose() {
  unsigned n = nest.numLoops();
  Strategy base;
  base.tile.assign(n, 1);
  base.kind = "map";
  if (nest.hasReduction()) {
    linalg::GenericOp op = nest.op;
    bool product = llvm::any_of(*op.getBody(), [](Operation &inner) { return isa<arith::MulFOp, arith::MulIOp>(inner); });
    unsigned buffers = llvm::count_if(nest.operands, [](const NestOperand &operand) {
      return operand.isBuffer && !operand.isOutput &&
             llvm::any_of(operand.strides, [](int64_t stride) { return stride != 0; });
    });
    base.kind = product && buffers > 1 ? "contract" : "reduce";
  }
  if (n == 0) {
    base.order = {};
    return base;
  }
  int64_t maxTiles = std::max<int64_t>(4, target.vectorRegisters - 3);
  if (nest.vectorizable && lanes > 1) {
    for (unsigned v = 0; v < n; ++v) {
      bool alongReduction = nest.reduction[v];
      if (alongReduction ? !combiners : !outputsUnitStride(v))
        continue;
      // Short loops take narrower vectors.
      int64_t width = lanes;
      while (width > 1 && width > sizes[v])
        width /= 2;
      if (width == 1)
        continue;
      for (int64_t multiple : {1, 2, 3, 4, 6, 8}) {
        if (multiple > 1 && multiple * width > sizes[v])
          break;
        if (!nest.hasReduction() && multiple > 2)
          break;
        Strategy candidate = base;
        candidate.vectorLoop = v;
        candidate.lanes = width;
        candidate.tile[v] = multiple * width;
        if (nest.hasReduction())
          considerTiles(candidate, maxTiles / multiple);
        else
          consider(candidate);
      }
    }
  }
  if (!best) {
    if (nest.hasReduction() && combiners && nest.vectorizable)
      considerTiles(base, 4);
    else
      consider(base);
  }
  best->order = orderFor(*best);
  return *best;
}

} // namespace

Strategy cpu::chooseStrategy(const LoopNest &nest, const Target &target) { return Chooser(nest, target).choose(); }
