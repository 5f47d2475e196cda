//===- NestEmitter.cpp - Loop nests to vector code ------------------------===//

#include "Codegen/CPU/NestEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/Utils/VectorUtils.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::cpu;

NestEmitter::NestEmitter(OpBuilder &builder, const LoopNest &nest, const Strategy &strategy, ArrayRef<Value> initial)
    : b(builder), loc(linalg::GenericOp(nest.op).getLoc()), nest(nest), strategy(strategy), initial(initial) {
  for (bool isReduction : nest.reduction)
    numParallel += !isReduction;
}

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

Value NestEmitter::constantIndex(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

Value NestEmitter::materialize(const Index &index) {
  if (!index.value)
    return constantIndex(index.constant);
  if (index.constant == 0)
    return index.value;
  return arith::AddIOp::create(b, loc, index.value, constantIndex(index.constant));
}

NestEmitter::Index NestEmitter::add(const Index &x, const Index &y) {
  Index sum{x.value ? x.value : y.value, x.constant + y.constant};
  if (x.value && y.value)
    sum.value = arith::AddIOp::create(b, loc, x.value, y.value);
  return sum;
}

NestEmitter::Index NestEmitter::scale(const Index &x, const Index &factor) {
  if (!factor.value) {
    Index product{Value(), x.constant * factor.constant};
    if (x.value && factor.constant == 1)
      product.value = x.value;
    else if (x.value && factor.constant != 0)
      product.value = arith::MulIOp::create(b, loc, x.value, constantIndex(factor.constant));
    return product;
  }
  if (!x.value)
    return scale(factor, x);
  return Index{arith::MulIOp::create(b, loc, materialize(x), materialize(factor)), 0};
}

NestEmitter::Offsets NestEmitter::advance(const Offsets &offsets, unsigned loop, const Index &steps) {
  Offsets moved;
  for (unsigned i = 0; i < offsets.size(); ++i)
    moved.push_back(add(offsets[i], scale(steps, step[i][loop])));
  return moved;
}

//===----------------------------------------------------------------------===//
// The nest
//===----------------------------------------------------------------------===//

/// Views each buffer as one dimension and works out how far each loop moves in it.
void NestEmitter::prepare() {
  linalg::GenericOp op = nest.op;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  auto toIndex = [](OpFoldResult value) {
    if (std::optional<int64_t> constant = getConstantIntValue(value))
      return Index{Value(), *constant};
    return Index{cast<Value>(value), 0};
  };

  bool dynamicSizes = llvm::any_of(nest.sizes, ShapedType::isDynamic);
  SmallVector<Range> ranges;
  if (dynamicSizes)
    ranges = cast<linalg::LinalgOp>(op.getOperation()).createLoopRanges(b, loc);
  for (unsigned d = 0; d < nest.numLoops(); ++d) {
    if (!ShapedType::isDynamic(nest.sizes[d])) {
      size.push_back({Value(), nest.sizes[d]});
      continue;
    }
    Index product{Value(), 1};
    for (unsigned dim : nest.dims[d])
      product = scale(product, toIndex(ranges[dim].size));
    size.push_back(product);
  }

  for (auto [i, operand] : llvm::enumerate(nest.operands)) {
    step.emplace_back(nest.numLoops(), Index{});
    start.push_back({});
    if (!operand.isBuffer) {
      flat.push_back(operand.value);
      continue;
    }
    auto type = cast<MemRefType>(operand.value.getType());
    SmallVector<int64_t> layout;
    int64_t offset;
    (void)type.getStridesAndOffset(layout, offset);
    bool isStatic = type.hasStaticShape() && type.getLayout().isIdentity();
    SmallVector<OpFoldResult> strides;
    if (isStatic) {
      for (int64_t stride : layout)
        strides.push_back(b.getIndexAttr(stride));
      if (type.getRank() == 1)
        flat.push_back(operand.value);
      else
        flat.push_back(memref::ReinterpretCastOp::create(
            b, loc, MemRefType::get({type.getNumElements()}, operand.element), operand.value, b.getIndexAttr(0),
            ArrayRef<OpFoldResult>{b.getIndexAttr(type.getNumElements())}, ArrayRef<OpFoldResult>{b.getIndexAttr(1)}));
    } else {
      auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, operand.value);
      strides = metadata.getConstifiedMixedStrides();
      OpFoldResult offsetValue = metadata.getConstifiedMixedOffset();
      // Only the address matters from here on; the length is a bound that no access comes near.
      auto flatType = MemRefType::get({ShapedType::kDynamic}, operand.element,
                                      StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic, {1}));
      flat.push_back(memref::ReinterpretCastOp::create(
          b, loc, flatType, metadata.getBaseBuffer(),
          OpFoldResult(getValueOrCreateConstantIndexOp(b, loc, offsetValue)),
          ArrayRef<OpFoldResult>{OpFoldResult(constantIndex(std::numeric_limits<int64_t>::max()))},
          ArrayRef<OpFoldResult>{b.getIndexAttr(1)}));
    }
    AffineMap map = maps[i];
    SmallVector<Attribute> zeros(map.getNumDims(), b.getIndexAttr(0));
    SmallVector<Attribute> origin;
    (void)map.constantFold(zeros, origin);
    for (unsigned r = 0; r < map.getNumResults(); ++r) {
      Index stride = toIndex(strides[r]);
      start.back() = add(start.back(), scale(stride, {Value(), cast<IntegerAttr>(origin[r]).getInt()}));
      for (unsigned d = 0; d < nest.numLoops(); ++d) {
        int64_t coefficient = *linearCoefficient(map.getResult(r), nest.dims[d].back());
        if (coefficient != 0)
          step[i][d] = add(step[i][d], scale(stride, {Value(), coefficient}));
      }
    }
  }
  for (const NestOperand &operand : nest.operands)
    strides.push_back(operand.strides);
  tile.assign(nest.numLoops(), 1);
  position.resize(nest.numLoops());
  blockStart.resize(nest.numLoops());

  // Panels lie on the stack of the function, one for all tiles.
  for (int64_t operand : strategy.pack) {
    int64_t elements = strategy.tile[strategy.vectorLoop];
    for (unsigned d = 0; d < nest.numLoops(); ++d)
      if (nest.reduction[d] && strides[operand][d] != 0)
        elements *= strategy.block[d] ? std::min(strategy.block[d], nest.sizes[d]) : nest.sizes[d];
    OpBuilder::InsertionGuard guard(b);
    auto function = op->getParentOfType<FunctionOpInterface>();
    b.setInsertionPointToStart(&function.getFunctionBody().front());
    panels.push_back(memref::AllocaOp::create(b, loc, MemRefType::get({elements}, nest.operands[operand].element),
                                              b.getI64IntegerAttr(64)));
  }
}

void NestEmitter::emit() {
  OpBuilder::InsertionGuard guard(b);
  prepare();
  emitBlocks(0, start);
}

/// Runs the rest once per block of each blocked loop.
void NestEmitter::emitBlocks(unsigned loop, const Offsets &offsets) {
  while (loop < nest.numLoops() && (strategy.block.empty() || strategy.block[loop] == 0))
    ++loop;
  if (loop == nest.numLoops())
    return emitParallel(0, offsets);
  int64_t n = nest.sizes[loop], steps = std::min(strategy.block[loop], n), whole = steps ? n / steps * steps : 0;
  auto run = [&](Index from, int64_t length) {
    size[loop] = {Value(), length};
    blockStart[loop] = from;
    emitBlocks(loop + 1, advance(offsets, loop, from));
  };
  if (whole == steps && whole > 0) {
    run({}, steps);
  } else if (whole > 0) {
    auto forOp = scf::ForOp::create(b, loc, constantIndex(0), constantIndex(whole), constantIndex(steps));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(forOp.getBody());
    run({forOp.getInductionVar(), 0}, steps);
  }
  if (whole < n)
    run({Value(), whole}, n - whole);
  size[loop] = {Value(), n};
  blockStart[loop] = {};
}

/// Copies the panels of the current tile of the vector loop to dense memory and reads them from there.
void NestEmitter::pack(Offsets &offsets) {
  unsigned v = strategy.vectorLoop;
  for (auto [operand, panel] : llvm::zip_equal(strategy.pack, panels)) {
    SmallVector<unsigned> loops;
    for (int64_t d : strategy.order)
      if (nest.reduction[d] && strides[operand][d] != 0)
        loops.push_back(d);
    SmallVector<int64_t> dense(nest.numLoops(), 0);
    int64_t distance = tile[v];
    dense[v] = 1;
    for (unsigned d : llvm::reverse(loops)) {
      dense[d] = distance;
      distance *= size[d].constant;
    }
    loaded.clear();
    copyPanel(operand, loops, offsets, {}, dense, panel);
    flat[operand] = panel;
    offsets[operand] = {};
    strides[operand] = dense;
    for (unsigned d = 0; d < nest.numLoops(); ++d)
      step[operand][d] = {Value(), dense[d]};
  }
}

void NestEmitter::copyPanel(unsigned operand, ArrayRef<unsigned> loops, const Offsets &offsets, const Index &target,
                            ArrayRef<int64_t> targetStrides, Value panel) {
  if (loops.empty()) {
    loaded.clear();
    for (int64_t k = 0; k < tile[strategy.vectorLoop]; k += lanes) {
      Steps point(nest.numLoops(), 0);
      point[strategy.vectorLoop] = k;
      Value value = load(operand, offsets, point, lanes);
      Value at = materialize(add(target, {Value(), k}));
      if (lanes == 1)
        memref::StoreOp::create(b, loc, value, panel, at);
      else
        vector::StoreOp::create(b, loc, value, panel, at);
    }
    return;
  }
  unsigned loop = loops.front();
  if (size[loop].constant == 0)
    return;
  auto forOp = scf::ForOp::create(b, loc, constantIndex(0), materialize(size[loop]), constantIndex(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(forOp.getBody());
  Index iv{forOp.getInductionVar(), 0};
  copyPanel(operand, loops.drop_front(), advance(offsets, loop, iv),
            add(target, scale(iv, {Value(), targetStrides[loop]})), targetStrides, panel);
}

void NestEmitter::emitParallel(unsigned level, const Offsets &offsets) {
  if (level == numParallel) {
    if (strategy.vectorLoop >= 0 && nest.reduction[strategy.vectorLoop])
      emitTileAlongReduction(offsets);
    else
      emitTile(offsets);
    return;
  }
  unsigned loop = strategy.order[level];
  forPieces(loop, [&](int64_t pieceTile, int64_t pieceLanes, Index iv) {
    tile[loop] = pieceTile;
    if (static_cast<int64_t>(loop) == strategy.vectorLoop)
      lanes = pieceLanes;
    position[loop] = iv;
    Offsets moved = advance(offsets, loop, iv);
    if (level != 0 || strategy.pack.empty())
      return emitParallel(level + 1, moved);
    auto restore = std::tuple(flat, strides, step);
    pack(moved);
    emitParallel(level + 1, moved);
    std::tie(flat, strides, step) = restore;
  });
}

/// Runs `body` for all of a parallel loop: full tiles, then what remains in smaller ones.
void NestEmitter::forPieces(unsigned loop, const Body &body) {
  bool isVector = static_cast<int64_t>(loop) == strategy.vectorLoop;
  int64_t full = strategy.tile[loop], width = isVector ? strategy.lanes : 1;
  auto run = [&](Index from, Index to, int64_t pieceTile, int64_t pieceLanes) {
    if (!from.value && !to.value) {
      if (from.constant >= to.constant)
        return;
      if (from.constant + pieceTile >= to.constant)
        return body(pieceTile, pieceLanes, from);
    }
    auto forOp = scf::ForOp::create(b, loc, materialize(from), materialize(to), constantIndex(pieceTile));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(forOp.getBody());
    body(pieceTile, pieceLanes, {forOp.getInductionVar(), 0});
  };
  if (!size[loop].value) {
    int64_t n = size[loop].constant, at = n / full * full;
    run({}, {Value(), at}, full, width);
    if (width == 1) {
      if (at < n)
        run({Value(), at}, {Value(), n}, n - at, 1);
      return;
    }
    if (int64_t whole = (n - at) / width * width) {
      run({Value(), at}, {Value(), at + whole}, whole, width);
      at += whole;
    }
    for (int64_t narrow = width / 2; narrow >= 1; narrow /= 2)
      if ((n - at) & narrow) {
        run({Value(), at}, {Value(), at + narrow}, narrow, narrow);
        at += narrow;
      }
    return;
  }
  Index from{};
  for (auto [pieceTile, pieceLanes] :
       {std::pair{full, width}, std::pair{width, width}, std::pair{int64_t(1), int64_t(1)}}) {
    if (pieceTile == full && from.value)
      continue; // this size has been done
    Index to = size[loop];
    if (pieceTile != 1) {
      Value n = materialize(size[loop]);
      Value rest = arith::RemUIOp::create(b, loc, n, constantIndex(pieceTile));
      to = {arith::SubIOp::create(b, loc, n, rest), 0};
    }
    run(from, to, pieceTile, pieceLanes);
    from = to;
    if (pieceTile == 1)
      break;
  }
}

/// The points of the register tile, as steps along each parallel loop; a vector counts as the point it starts at. The
/// vector loop varies fastest: what is broadcast to its vectors then lives no longer than for one row of them.
SmallVector<NestEmitter::Steps> NestEmitter::tilePoints() const {
  SmallVector<Steps> points{Steps(nest.numLoops(), 0)};
  SmallVector<unsigned> loops;
  for (unsigned d = 0; d < nest.numLoops(); ++d)
    if (!nest.reduction[d] && static_cast<int64_t>(d) != strategy.vectorLoop)
      loops.push_back(d);
  if (strategy.vectorLoop >= 0 && !nest.reduction[strategy.vectorLoop])
    loops.push_back(strategy.vectorLoop);
  for (unsigned d : loops) {
    int64_t stride = static_cast<int64_t>(d) == strategy.vectorLoop ? lanes : 1;
    SmallVector<Steps> extended;
    for (const Steps &point : points)
      for (int64_t k = 0; k < tile[d]; k += stride) {
        extended.push_back(point);
        extended.back()[d] = k;
      }
    points = std::move(extended);
  }
  return points;
}

Value NestEmitter::initialValue(unsigned output, const Offsets &offsets, const Steps &point, int64_t width) {
  unsigned operand = nest.numInputs() + output;
  if (!nest.readsOutput(output)) {
    Type element = nest.operands[operand].element;
    return broadcast(arith::ConstantOp::create(b, loc, b.getZeroAttr(element)), width);
  }
  if (initial[output])
    return broadcast(initial[output], width);
  return broadcast(load(operand, offsets, point, width), width);
}

/// Loads what lies along another loop than the vector loop as vectors of that loop, where the tile is a square of the
/// two, and transposes them in registers; `load` finds the results.
void NestEmitter::loadTransposed(const Offsets &offsets) {
  int64_t v = strategy.vectorLoop;
  if (v < 0 || lanes == 1 || tile[v] != lanes)
    return;
  for (unsigned i = 0; i < nest.numInputs(); ++i) {
    if (!nest.operands[i].isBuffer || strides[i][v] == 0 || strides[i][v] == 1)
      continue;
    int64_t along = -1;
    for (unsigned d = 0; d < nest.numLoops(); ++d)
      if (static_cast<int64_t>(d) != v && !nest.reduction[d] && strides[i][d] == 1 && tile[d] == lanes)
        along = d;
    if (along < 0)
      continue;
    auto type = VectorType::get({lanes}, nest.operands[i].element);
    SmallVector<Value> rows;
    for (int64_t k = 0; k < lanes; ++k) {
      Steps point(nest.numLoops(), 0);
      point[v] = k;
      rows.push_back(vector::LoadOp::create(b, loc, type, flat[i], materialize(address(i, offsets, point))));
    }
    // Exchange the off-diagonal halves of ever larger squares.
    for (int64_t half = 1; half < lanes; half *= 2)
      for (int64_t k = 0; k < lanes; ++k) {
        if (k & half)
          continue;
        SmallVector<int64_t> upper, lower;
        for (int64_t j = 0; j < lanes; ++j) {
          upper.push_back(j & half ? lanes + j - half : j);
          lower.push_back(j & half ? lanes + j : j + half);
        }
        Value a = rows[k], c = rows[k + half];
        rows[k] = vector::ShuffleOp::create(b, loc, a, c, upper);
        rows[k + half] = vector::ShuffleOp::create(b, loc, a, c, lower);
      }
    for (int64_t k = 0; k < lanes; ++k) {
      Steps key(nest.numLoops(), 0);
      key[along] = k;
      key.push_back(lanes);
      loaded[{i, key}] = rows[k];
    }
  }
}

/// A tile whose vectors, if any, run along a parallel loop.
void NestEmitter::emitTile(const Offsets &offsets) {
  unsigned numOutputs = nest.operands.size() - nest.numInputs();
  SmallVector<Steps> points = tilePoints();
  auto storeAll = [&](const Steps &point, ArrayRef<Value> values) {
    for (unsigned i = 0; i < numOutputs; ++i)
      store(nest.numInputs() + i, offsets, point, lanes, values[i]);
  };
  loaded.clear();
  if (!nest.hasReduction()) {
    loadTransposed(offsets);
    auto transposed = loaded;
    for (const Steps &point : points) {
      loaded = transposed;
      SmallVector<Value> before;
      for (unsigned i = 0; i < numOutputs; ++i)
        before.push_back(nest.readsOutput(i) ? initialValue(i, offsets, point, lanes) : Value());
      storeAll(point, evaluate(offsets, point, lanes, before));
    }
    return;
  }
  SmallVector<Value> totals;
  for (const Steps &point : points)
    for (unsigned i = 0; i < numOutputs; ++i)
      totals.push_back(initialValue(i, offsets, point, lanes));
  chooseCut();
  // A block of a long sum is summed by itself: the total it goes to may be large already.
  totals = strategy.chain > 0 && strategy.isBlocked()
               ? addTo(totals, emitReductions(numParallel, offsets, zerosLike(totals)))
               : emitReductions(numParallel, offsets, totals);
  for (auto [k, point] : llvm::enumerate(points))
    storeAll(point, ArrayRef(totals).slice(k * numOutputs, numOutputs));
}
