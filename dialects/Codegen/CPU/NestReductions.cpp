//===- NestReductions.cpp - The reductions of a loop nest -----------------===//

#include "Codegen/CPU/NestEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/Utils/VectorUtils.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::cpu;

/// Short reductions are written out if that makes no more than so many evaluations of the body.
static constexpr int64_t kWrittenOutSteps = 8;
static constexpr int64_t kWrittenOutOps = 96;

//===----------------------------------------------------------------------===//
// Long sums
//===----------------------------------------------------------------------===//

/// Chooses the loop that long sums are cut in, and where: the error of a sum grows with the number of terms that are
/// added one after the other, so pieces of no more than `chain` of them are summed each by itself.
/// (Higham, The accuracy of floating point summation, 1993.)
void NestEmitter::chooseCut() {
  cutLoop = -1;
  int64_t inner = 1;
  for (int64_t loop : llvm::reverse(strategy.order)) {
    if (strategy.chain == 0 || !nest.reduction[loop])
      return;
    int64_t most = std::max<int64_t>(1, strategy.chain / inner);
    if (size[loop].value) {
      cutLoop = loop;
      cutSteps = most;
      return;
    }
    int64_t trips = llvm::divideCeil(size[loop].constant, strategy.tile[loop]);
    if (trips > most) {
      cutLoop = loop;
      cutSteps = most;
      // Equal pieces, where they are of a good size, need no bounds of the run time.
      for (int64_t divisor = most; divisor > most / 2; --divisor)
        if (trips % divisor == 0) {
          cutSteps = divisor;
          break;
        }
      return;
    }
    inner *= std::max<int64_t>(trips, 1);
  }
}

SmallVector<Value> NestEmitter::zerosLike(ArrayRef<Value> values) {
  // What nothing is added to keeps its sign.
  return llvm::map_to_vector(values, [&](Value value) {
    auto zero = arith::ConstantOp::create(b, loc, b.getFloatAttr(getElementTypeOrSelf(value.getType()), -0.0));
    auto vector = dyn_cast<VectorType>(value.getType());
    return vector ? broadcast(zero, vector.getNumElements()) : Value(zero);
  });
}

SmallVector<Value> NestEmitter::addTo(ArrayRef<Value> totals, ArrayRef<Value> terms) {
  SmallVector<Value> sums;
  for (auto [total, term] : llvm::zip_equal(totals, terms))
    sums.push_back(arith::AddFOp::create(b, loc, total, term));
  return sums;
}

/// Runs `loop` in pieces of `cutSteps` whose sums are added to the totals; nothing if there is only one piece.
std::optional<SmallVector<Value>> NestEmitter::cutLoopInPieces(unsigned loop, const Index &from, const Index &to,
                                                               int64_t pieceLanes, ArrayRef<Value> totals,
                                                               const ReductionBody &body) {
  int64_t pieceTile = strategy.tile[loop], stride = cutSteps * pieceTile;
  bool isStatic = !from.value && !to.value;
  if (isStatic && to.constant - from.constant <= stride)
    return std::nullopt;
  auto forOp = scf::ForOp::create(b, loc, materialize(from), materialize(to), constantIndex(stride), totals);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(forOp.getBody());
  SmallVector<Value> arguments(forOp.getRegionIterArgs().begin(), forOp.getRegionIterArgs().end());
  SmallVector<Value> zeros = zerosLike(arguments), terms;
  Index begin{forOp.getInductionVar(), 0};
  if (cutSteps == 1) {
    terms = body(pieceTile, pieceLanes, begin, zeros);
  } else {
    Index end = add(begin, {Value(), stride});
    if (!isStatic || (to.constant - from.constant) % stride != 0)
      end = {arith::MinSIOp::create(b, loc, materialize(end), materialize(to)), 0};
    int64_t outer = std::exchange(cutLoop, -1);
    terms = reductionLoop(loop, begin, end, pieceTile, pieceLanes, zeros, body);
    cutLoop = outer;
  }
  scf::YieldOp::create(b, loc, addTo(arguments, terms));
  return SmallVector<Value>(forOp.getResults());
}

//===----------------------------------------------------------------------===//
// Reductions in general
//===----------------------------------------------------------------------===//

SmallVector<Value> NestEmitter::emitReductions(unsigned level, const Offsets &offsets, ArrayRef<Value> accumulators) {
  if (level == nest.numLoops()) {
    loaded.clear();
    unsigned numOutputs = nest.operands.size() - nest.numInputs();
    SmallVector<Value> updated;
    for (auto [k, point] : llvm::enumerate(tilePoints()))
      updated.append(evaluate(offsets, point, lanes, accumulators.slice(k * numOutputs, numOutputs)));
    return updated;
  }
  unsigned loop = strategy.order[level];
  return forReductionPieces(loop, accumulators,
                            [&](int64_t, int64_t, Index iv, ArrayRef<Value> carried) -> SmallVector<Value> {
                              position[loop] = add(blockStart[loop], iv);
                              return emitReductions(level + 1, advance(offsets, loop, iv), carried);
                            });
}

SmallVector<Value> NestEmitter::reductionLoop(unsigned loop, const Index &from, const Index &to, int64_t pieceTile,
                                              int64_t pieceLanes, ArrayRef<Value> accumulators,
                                              const ReductionBody &body) {
  if (static_cast<int64_t>(loop) == cutLoop && pieceTile == strategy.tile[loop]) {
    std::optional<SmallVector<Value>> totals = cutLoopInPieces(loop, from, to, pieceLanes, accumulators, body);
    if (totals)
      return *totals;
  }
  SmallVector<Value> carried(accumulators);
  // The steps of the loops inside of this one, were they written out as well.
  uint64_t inner = 1;
  for (int64_t other : llvm::reverse(strategy.order)) {
    if (other == static_cast<int64_t>(loop))
      break;
    inner *= size[other].value ? kWrittenOutOps + 1 : llvm::divideCeil(size[other].constant, strategy.tile[other]);
  }
  if (!from.value && !to.value) {
    if (from.constant >= to.constant)
      return carried;
    int64_t trips = llvm::divideCeil(to.constant - from.constant, pieceTile);
    if (trips == 1 || (trips <= kWrittenOutSteps && trips * inner * tilePoints().size() <= kWrittenOutOps)) {
      for (int64_t at = from.constant; at < to.constant; at += pieceTile)
        carried = body(pieceTile, pieceLanes, {Value(), at}, carried);
      return carried;
    }
  }
  auto forOp = scf::ForOp::create(b, loc, materialize(from), materialize(to), constantIndex(pieceTile), carried);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(forOp.getBody());
  SmallVector<Value> arguments(forOp.getRegionIterArgs().begin(), forOp.getRegionIterArgs().end());
  SmallVector<Value> results = body(pieceTile, pieceLanes, {forOp.getInductionVar(), 0}, arguments);
  scf::YieldOp::create(b, loc, results);
  return SmallVector<Value>(forOp.getResults());
}

SmallVector<Value> NestEmitter::forReductionPieces(unsigned loop, ArrayRef<Value> accumulators,
                                                   const ReductionBody &body) {
  bool isVector = static_cast<int64_t>(loop) == strategy.vectorLoop;
  if (!isVector)
    return reductionLoop(loop, {}, size[loop], 1, 1, accumulators, body);
  int64_t full = strategy.tile[loop], width = strategy.lanes;
  SmallVector<Value> carried(accumulators);
  if (!size[loop].value) {
    int64_t n = size[loop].constant, at = n / full * full;
    carried = reductionLoop(loop, {}, {Value(), at}, full, width, carried, body);
    if (int64_t whole = (n - at) / width * width) {
      carried = reductionLoop(loop, {Value(), at}, {Value(), at + whole}, whole, width, carried, body);
      at += whole;
    }
    return reductionLoop(loop, {Value(), at}, {Value(), n}, 1, 1, carried, body);
  }
  Value n = materialize(size[loop]);
  Index from{};
  auto upTo = [&](int64_t multiple) {
    Value rest = arith::RemUIOp::create(b, loc, n, constantIndex(multiple));
    return Index{arith::SubIOp::create(b, loc, n, rest), 0};
  };
  Index to = upTo(full);
  carried = reductionLoop(loop, from, to, full, width, carried, body);
  from = to;
  if (full != width) {
    to = upTo(width);
    carried = reductionLoop(loop, from, to, width, width, carried, body);
    from = to;
  }
  return reductionLoop(loop, from, size[loop], 1, 1, carried, body);
}

//===----------------------------------------------------------------------===//
// Vectors along a reduction
//===----------------------------------------------------------------------===//

/// Each point has one vector of partial results for each vector of the tile, and one scalar that starts as the
/// output's value and takes the steps that fill no vector; they are combined once the loops are done.
void NestEmitter::emitTileAlongReduction(const Offsets &offsets) {
  unsigned numOutputs = nest.operands.size() - nest.numInputs();
  int64_t vectors = strategy.tile[strategy.vectorLoop] / strategy.lanes;
  SmallVector<vector::CombiningKind> kinds = *matchCombiners(nest);
  lanes = 1;
  loaded.clear();
  SmallVector<Steps> points = tilePoints();
  SmallVector<Value> accumulators;
  linalg::GenericOp op = nest.op;
  for (const Steps &point : points)
    for (unsigned i = 0; i < numOutputs; ++i) {
      Operation *combine = *op.getRegionOutputArgs()[i].user_begin();
      Type element = nest.operands[nest.numInputs() + i].element;
      std::optional<TypedAttr> neutral = arith::getNeutralElement(combine);
      Value vector =
          broadcast(arith::ConstantOp::create(b, loc, neutral ? *neutral : cast<TypedAttr>(b.getZeroAttr(element))),
                    strategy.lanes);
      accumulators.append(vectors, vector);
      accumulators.push_back(initialValue(i, offsets, point, 1));
    }
  chooseCut();
  accumulators = emitReductionsAlong(numParallel, offsets, accumulators);
  auto reassociate = arith::FastMathFlagsAttr::get(b.getContext(), arith::FastMathFlags::reassoc);
  unsigned next = 0;
  for (const Steps &point : points)
    for (unsigned i = 0; i < numOutputs; ++i) {
      // Pairwise, to keep the chain short.
      SmallVector<Value> parts(accumulators.begin() + next, accumulators.begin() + next + vectors);
      while (parts.size() > 1) {
        SmallVector<Value> halves;
        for (unsigned k = 0; k + 1 < parts.size(); k += 2)
          halves.push_back(vector::makeArithReduction(b, loc, kinds[i], parts[k], parts[k + 1]));
        if (parts.size() % 2)
          halves.push_back(parts.back());
        parts = std::move(halves);
      }
      Type element = nest.operands[nest.numInputs() + i].element;
      Value total = isa<FloatType>(element)
                        ? Value(vector::ReductionOp::create(b, loc, kinds[i], parts[0], reassociate.getValue()))
                        : Value(vector::ReductionOp::create(b, loc, kinds[i], parts[0]));
      total = vector::makeArithReduction(b, loc, kinds[i], total, accumulators[next + vectors]);
      store(nest.numInputs() + i, offsets, point, 1, total);
      next += vectors + 1;
    }
}

SmallVector<Value> NestEmitter::emitReductionsAlong(unsigned level, const Offsets &offsets,
                                                    ArrayRef<Value> accumulators) {
  unsigned loop = strategy.order[level];
  bool last = level + 1 == nest.numLoops();
  return forReductionPieces(
      loop, accumulators,
      [&](int64_t pieceTile, int64_t pieceLanes, Index iv, ArrayRef<Value> carried) -> SmallVector<Value> {
        position[loop] = add(blockStart[loop], iv);
        Offsets moved = advance(offsets, loop, iv);
        if (!last)
          return emitReductionsAlong(level + 1, moved, carried);
        loaded.clear();
        unsigned numOutputs = nest.operands.size() - nest.numInputs();
        unsigned vectors = strategy.tile[strategy.vectorLoop] / strategy.lanes;
        unsigned group = vectors + 1;
        SmallVector<Value> updated(carried);
        for (auto [k, point] : llvm::enumerate(tilePoints()))
          for (unsigned v = 0; v < pieceTile / pieceLanes; ++v) {
            Steps at = point;
            at[loop] = v * pieceLanes;
            SmallVector<Value> before;
            auto slot = [&](unsigned i) { return (k * numOutputs + i) * group + (pieceLanes > 1 ? v : vectors); };
            for (unsigned i = 0; i < numOutputs; ++i)
              before.push_back(updated[slot(i)]);
            SmallVector<Value> after = evaluate(moved, at, pieceLanes, before);
            for (unsigned i = 0; i < numOutputs; ++i)
              updated[slot(i)] = after[i];
          }
        return updated;
      });
}
