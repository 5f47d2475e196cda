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

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::cpu;

namespace {

/// What a size known at run time only is taken to be.
constexpr int64_t kAssumedSize = 256;
/// Blocks of a packed reduction are not shorter: what they add to is read and written for each.
constexpr int64_t kFewestBlockSteps = 128;
/// Terms added one after the other; shorter chains cost more additions to totals, longer ones accuracy.
constexpr int64_t kChain = 256;
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
    // Numbers that all elements share take no room in vectors.
    for (const NestOperand &operand : nest.operands)
      if (operand.isOutput || llvm::any_of(operand.strides, [](int64_t stride) { return stride != 0; }))
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

  double stepCost(const Strategy &strategy, ArrayRef<int64_t> tile, int64_t width) const;
  double cost(const Strategy &strategy) const;
  void consider(Strategy candidate);
  void considerTiles(Strategy base, int64_t maxTiles);
  bool conflicts(unsigned operand, unsigned v, int64_t steps) const;
  int64_t transposeLoop(const NestOperand &operand, unsigned v, int64_t width) const;
  SmallVector<int64_t> packFor(unsigned v, int64_t steps) const;
  void chooseBlock(Strategy &strategy) const;
  void choosePackedBlock(Strategy &strategy) const;
  bool isBlockable(int64_t d, int64_t v) const {
    return nest.reduction[d] && d != v && !ShapedType::isDynamic(nest.sizes[d]) && nest.sizes[d] > 1;
  }
  int64_t blockableLoop(const Strategy &strategy) const;
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

/// The loop along which an elementwise op can load `operand` as vectors, to transpose them to vectors along `v`; -1 if
/// there is none.
int64_t Chooser::transposeLoop(const NestOperand &operand, unsigned v, int64_t width) const {
  if (nest.hasReduction() || !operand.isBuffer || operand.isOutput || operand.strides[v] == 0 ||
      operand.strides[v] == 1)
    return -1;
  for (unsigned d = 0; d < nest.numLoops(); ++d)
    if (d != v && operand.strides[d] == 1 && sizes[d] >= width)
      return d;
  return -1;
}

/// Whether the panel of `operand` that `steps` of loop `v` read does not stay in the first-level cache while the other
/// loops run: it is too large, or its rows lie so far apart that they share few sets of the cache.
bool Chooser::conflicts(unsigned operand, unsigned v, int64_t steps) const {
  if (!canPack(nest, operand, v))
    return false;
  const NestOperand &info = nest.operands[operand];
  int64_t bytes = bitsOf(info.element) / 8, rows = 1, rowStride = 0;
  for (unsigned d = 0; d < nest.numLoops(); ++d)
    if (nest.reduction[d] && info.strides[d] != 0) {
      rows *= sizes[d];
      if (ShapedType::isDynamic(info.strides[d]))
        return false;
      int64_t stride = std::abs(info.strides[d]) * bytes;
      rowStride = rowStride == 0 ? stride : std::min(rowStride, stride);
    }
  constexpr int64_t line = 64, ways = 8;
  int64_t sets = target.l1Bytes / line / ways;
  int64_t wanted = rows * llvm::divideCeil(steps * bytes, line);
  if (rowStride % line == 0)
    sets /= std::gcd(sets, rowStride / line);
  return wanted > 0.75 * sets * ways;
}

/// The operands to pack when `v` fills vectors: those that would be gathered, or missed in the cache, time and again.
SmallVector<int64_t> Chooser::packFor(unsigned v, int64_t steps) const {
  SmallVector<int64_t> operands;
  int64_t uses = 1;
  for (unsigned d = 0; d < nest.numLoops(); ++d)
    if (!nest.reduction[d] && d != v)
      uses *= sizes[d];
  if (uses < 16)
    return operands;
  for (unsigned i = 0; i < nest.operands.size(); ++i) {
    if (!canPack(nest, i, v) || (nest.operands[i].strides[v] == 1 && !conflicts(i, v, steps)))
      continue;
    int64_t elements = steps;
    for (unsigned d = 0; d < nest.numLoops(); ++d)
      if (nest.reduction[d] && nest.operands[i].strides[d] != 0)
        elements *= sizes[d];
    // What is too long is packed a block at a time.
    double block = 1;
    for (unsigned d = 0; d < nest.numLoops() && combiners; ++d)
      if (isBlockable(d, v)) {
        block = std::min(1.0, static_cast<double>(kFewestBlockSteps) / sizes[d]);
        break;
      }
    if (elements * block <= kMaxPackedElements / 2)
      operands.push_back(i);
  }
  return operands;
}

/// The loop to block: the outermost reduction that is none of vectors; -1 if there is none.
int64_t Chooser::blockableLoop(const Strategy &strategy) const {
  for (int64_t d : strategy.order)
    if (isBlockable(d, strategy.vectorLoop))
      return d;
  return -1;
}

/// Blocks a reduction whose panels would be too large, or during which everything that is not packed would have to come
/// from beyond the second-level cache again for each panel.
void Chooser::choosePackedBlock(Strategy &strategy) const {
  int64_t loop = blockableLoop(strategy), v = strategy.vectorLoop;
  strategy.block.assign(nest.numLoops(), 0);
  if (loop < 0)
    return;
  double panel = 0, rest = 0; // elements and bytes of one step of the loop
  for (auto [i, operand] : llvm::enumerate(nest.operands)) {
    if (!operand.isBuffer || operand.isOutput || operand.strides[loop] == 0)
      continue;
    bool packed = llvm::is_contained(strategy.pack, static_cast<int64_t>(i));
    double elements = 1;
    for (unsigned d = 0; d < nest.numLoops(); ++d)
      if (static_cast<int64_t>(d) != loop && operand.strides[d] != 0)
        elements *= packed && static_cast<int64_t>(d) == v ? strategy.tile[d] : sizes[d];
    if (packed)
      panel = std::max(panel, elements);
    else
      rest += elements * bitsOf(operand.element) / 8;
  }
  int64_t steps = sizes[loop];
  if (panel * steps > kMaxPackedElements / 2)
    steps = kMaxPackedElements / 2 / panel;
  if (sizes[v] > 2 * strategy.tile[v] && rest * steps > target.l2Bytes)
    steps = std::min<int64_t>(steps, std::max<int64_t>(kFewestBlockSteps, target.l2Bytes / 2 / rest));
  if (steps >= sizes[loop])
    return;
  // Without a remainder, which is code of its own, where that leaves blocks of a good size.
  for (int64_t divisor = steps; divisor > steps / 2; --divisor)
    if (sizes[loop] % divisor == 0) {
      steps = divisor;
      break;
    }
  strategy.block[loop] = std::max<int64_t>(steps, 1);
}

/// Blocks the outermost reduction when every tile would stream more through the first-level cache than it computes on,
/// and a few steps of the reduction read so little that all tiles find it there.
void Chooser::chooseBlock(Strategy &strategy) const {
  unsigned n = nest.numLoops();
  strategy.block.assign(n, 0);
  if (!nest.hasReduction() || !combiners)
    return;
  if (!strategy.pack.empty())
    return choosePackedBlock(strategy);
  double tiles = 1, reductionSteps = 1, outputBytes = 0;
  for (unsigned d = 0; d < n; ++d) {
    if (nest.reduction[d])
      reductionSteps *= std::max(1.0, static_cast<double>(sizes[d]) / strategy.tile[d]);
    else
      tiles *= llvm::divideCeil(sizes[d], strategy.tile[d]);
  }
  // What one tile reads, and what all tiles read in one step of each candidate.
  auto footprint = [&](const NestOperand &operand, bool whole, int64_t loop, int64_t steps) {
    double bytes = bitsOf(operand.element) / 8;
    for (unsigned d = 0; d < n; ++d)
      if (operand.strides[d] != 0)
        bytes *= static_cast<int64_t>(d) == loop ? steps : nest.reduction[d] || whole ? sizes[d] : strategy.tile[d];
    return bytes;
  };
  double perTile = 0;
  for (const NestOperand &operand : nest.operands) {
    if (!operand.isBuffer)
      continue;
    if (operand.isOutput)
      outputBytes += footprint(operand, true, -1, 0);
    else
      perTile += footprint(operand, false, -1, 0);
  }
  double compute = reductionSteps * stepCost(strategy, strategy.tile, strategy.lanes);
  constexpr double bytesPerCycle = 16; // of the second-level cache
  if (tiles < 2 || perTile < target.l1Bytes || perTile / bytesPerCycle < 0.4 * compute)
    return;
  int64_t loop = blockableLoop(strategy);
  if (loop < 0)
    return;
  for (int64_t steps = sizes[loop]; steps >= 1; steps /= 2) {
    double read = 0;
    for (const NestOperand &operand : nest.operands) {
      if (!operand.isBuffer || operand.isOutput)
        continue;
      // Windows overlap: an operand is read at most as often as the loops that do not overlap say, which the
      // buffer's own size bounds.
      double bytes = footprint(operand, true, loop, steps);
      auto type = cast<MemRefType>(operand.value.getType());
      if (type.hasStaticShape() && operand.strides[loop] != 0)
        bytes = std::min(bytes, static_cast<double>(type.getNumElements()) * bitsOf(operand.element) / 8 * steps /
                                    sizes[loop]);
      read += bytes;
    }
    if (read > 0.75 * target.l1Bytes)
      continue;
    double blocks = llvm::divideCeil(sizes[loop], steps);
    double extra = blocks * (outputBytes / 8 + 10 * tiles);
    if (extra < 0.5 * tiles * perTile / bytesPerCycle)
      strategy.block[loop] = steps;
    return;
  }
}

/// Cycles of one step of the reductions for a tile of `tile` steps of each loop, with vectors of `width` lanes.
double Chooser::stepCost(const Strategy &strategy, ArrayRef<int64_t> tile, int64_t width) const {
  int64_t vectorLoop = strategy.vectorLoop;
  double loads = 0, misses = 0, accumulators = 1;
  for (unsigned d = 0; d < nest.numLoops(); ++d)
    accumulators *= static_cast<int64_t>(d) == vectorLoop ? tile[d] / width : tile[d];
  for (auto [i, operand] : llvm::enumerate(nest.operands)) {
    if (!operand.isBuffer || (operand.isOutput && nest.hasReduction()))
      continue;
    bool packed = llvm::is_contained(strategy.pack, static_cast<int64_t>(i));
    bool transposed = vectorLoop >= 0 && width == tile[vectorLoop] && transposeLoop(operand, vectorLoop, width) >= 0 &&
                      tile[transposeLoop(operand, vectorLoop, width)] == width;
    double points = 1;
    for (unsigned d = 0; d < nest.numLoops(); ++d) {
      if (operand.strides[d] == 0)
        continue;
      if (static_cast<int64_t>(d) != vectorLoop)
        points *= tile[d];
      else if (packed || operand.strides[d] == 1)
        points *= tile[d] / width;
      else if (transposed)
        points *= 1 + std::log2(width); // a load, and its share of the exchanges
      else
        points *= tile[d] * 2.0; // gathered: a load and an insertion each
    }
    loads += points;
    // What misses the first-level cache at every step is hidden in part only.
    if (vectorLoop >= 0 && !packed && conflicts(i, vectorLoop, tile[vectorLoop]))
      misses += points;
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
  return cycles + misses + 0.5;
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
    double step = stepCost(strategy, tile, width);
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
  for (int64_t operand : strategy.pack) {
    double elements = sizes[strategy.vectorLoop];
    for (unsigned d = 0; d < n; ++d)
      if (nest.reduction[d] && nest.operands[operand].strides[d] != 0)
        elements *= sizes[d];
    total += elements * (nest.operands[operand].strides[strategy.vectorLoop] == 1 ? 0.3 : 1.3);
    numPieces *= 2;
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
  panelOutside |= !strategy.pack.empty();
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
    bool product =
        llvm::any_of(*op.getBody(), [](Operation &inner) { return isa<arith::MulFOp, arith::MulIOp>(inner); });
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
        if (nest.hasReduction()) {
          considerTiles(candidate, maxTiles / multiple);
          if (!alongReduction) {
            candidate.pack = packFor(v, candidate.tile[v]);
            if (!candidate.pack.empty())
              considerTiles(candidate, maxTiles / multiple);
          }
        } else {
          consider(candidate);
          for (const NestOperand &operand : nest.operands)
            if (int64_t u = transposeLoop(operand, v, width); u >= 0 && multiple == 1) {
              Strategy square = candidate;
              square.tile[u] = width;
              consider(square);
            }
        }
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
  chooseBlock(*best);
  if (sumsFloats(nest)) {
    double terms = 1;
    for (unsigned d = 0; d < n; ++d)
      if (nest.reduction[d])
        terms *= ShapedType::isDynamic(nest.sizes[d]) ? 2.0 * kChain : llvm::divideCeil(sizes[d], best->tile[d]);
    if (terms >= 2 * kChain)
      best->chain = kChain;
  }
  return *best;
}

} // namespace

Strategy cpu::chooseStrategy(const LoopNest &nest, const Target &target) { return Chooser(nest, target).choose(); }
