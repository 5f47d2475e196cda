//===- LaxReductionVjp.cpp - Reverse rules of reductions, scans, sorts ----===//

#include "Lax/IR/LaxOps.h"
#include "Lax/IR/LaxVjp.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::lax;

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// `value`, which lacks `axes`, repeated along them to the shape of the operand.
static Value spread(Vjp &v, Value value, ArrayRef<int64_t> axes) {
  SmallVector<int64_t> dims;
  for (int64_t d = 0; d < v.typeOf(0).getRank(); ++d)
    if (!llvm::is_contained(axes, d))
      dims.push_back(d);
  return v.cast(v.broadcast(value, dims, v.sizesOf(0)), v.op->getOperand(0).getType());
}

LogicalResult ReduceSumOp::buildVjp(Vjp &v) {
  v.add(0, spread(v, v.cotangent(), getAxes()));
  return success();
}

/// The cotangent is shared equally among the elements that are the extremum.
static LogicalResult extremumVjp(Vjp &v, ArrayRef<int64_t> axes) {
  Term x = v.operand(0);
  Term places = eq(x, v.term(spread(v, v.result(), axes)));
  Term chosen = v.term(v.convert(places, getElementTypeOrSelf(x.value.getType())));
  Term count = v.term(v.reduceSum(chosen, axes));
  v.add(0, v.term(spread(v, v.g() / count, axes)) * chosen);
  return success();
}

LogicalResult ReduceMaxOp::buildVjp(Vjp &v) { return extremumVjp(v, getAxes()); }
LogicalResult ReduceMinOp::buildVjp(Vjp &v) { return extremumVjp(v, getAxes()); }

/// `x` moved by one along `axis`, away from the start or from the end, with `value` moving in.
static Value shift(Vjp &v, Value x, int64_t axis, bool towardsStart, double value) {
  int64_t rank = cast<RankedTensorType>(x.getType()).getRank();
  SmallVector<OpFoldResult> low(rank, v.b.getIndexAttr(0)), high(low);
  SmallVector<int64_t> interior(rank, 0);
  low[axis] = v.b.getIndexAttr(towardsStart ? -1 : 1);
  high[axis] = v.b.getIndexAttr(towardsStart ? 1 : -1);
  return v.cast(v.pad(x, value, low, high, interior), x.getType());
}

LogicalResult ReduceProdOp::buildVjp(Vjp &v) {
  // The product of all others: of those before and of those behind, which is right at zeros too.
  RankedTensorType type = v.typeOf(0);
  SmallVector<int64_t> kept, order;
  SmallVector<OpFoldResult> flat;
  for (int64_t d = 0; d < type.getRank(); ++d)
    if (!llvm::is_contained(getAxes(), d)) {
      order.push_back(d);
      flat.push_back(v.size(getOperand(), d));
    }
  OpFoldResult count = v.b.getIndexAttr(1);
  SmallVector<OpFoldResult> permuted(flat);
  for (int64_t d : getAxes()) {
    order.push_back(d);
    OpFoldResult size = v.size(getOperand(), d);
    permuted.push_back(size);
    if (auto known = getConstantIntValue(size))
      count = v.times(count, *known);
    else
      count = Value(v.create<arith::MulIOp>(v.index(count), v.index(size)));
  }
  int64_t axis = flat.size();
  flat.push_back(count);
  Value x = v.reshape(v.transpose(v.operand(0), order), flat);
  auto product = [&](Value values, bool reverse) -> Value {
    return v.create<CumprodOp>(values.getType(), values, axis, reverse);
  };
  Term before = v.term(product(shift(v, x, axis, false, 1), false));
  Term behind = v.term(product(shift(v, x, axis, true, 1), true));
  SmallVector<int64_t> dims = llvm::to_vector(llvm::seq<int64_t>(0, axis));
  Term g = v.term(v.cast(v.broadcast(v.cotangent(), dims, flat), x.getType()));
  Value gradient = g * (before * behind);
  v.add(0, v.cast(v.transpose(v.reshape(gradient, permuted), invertPermutationVector(order)), type));
  return success();
}

//===----------------------------------------------------------------------===//
// Scans
//===----------------------------------------------------------------------===//

/// Along `axis`, against the direction of the scan: s[i] = g[i] + a[i + 1] * s[i + 1], where i + 1 is the next place of
/// the scan.
static Value recur(Vjp &v, Value a, Value g, int64_t axis, bool reverse) {
  auto type = cast<RankedTensorType>(g.getType());
  OpFoldResult length = v.sizeHere(g, axis);
  SmallVector<OpFoldResult> row;
  for (int64_t d = 0; d < type.getRank(); ++d)
    row.push_back(d == axis ? OpFoldResult(v.b.getIndexAttr(1)) : v.sizeHere(g, d));
  auto rowType = RankedTensorType::get(v.statics(row), type.getElementType());
  Value zero = v.create<arith::ConstantIndexOp>(0), one = v.create<arith::ConstantIndexOp>(1);
  Value initial = v.constant(rowType, 0, v.dynamic(row));
  Value sums = v.constant(type, 0,
                          v.term(g).vjp->dynamic(llvm::map_to_vector(llvm::seq<int64_t>(0, type.getRank()),
                                                                     [&](int64_t d) { return v.sizeHere(g, d); })));
  Value last = v.create<arith::SubIOp>(v.index(length), one);
  auto loop = v.create<scf::ForOp>(zero, v.index(length), one, ValueRange{initial, sums});
  {
    OpBuilder::InsertionGuard guard(v.b);
    v.b.setInsertionPointToStart(loop.getBody());
    Value k = loop.getInductionVar();
    Value at = reverse ? k : Value(v.create<arith::SubIOp>(last, k));
    Type i64 = v.b.getI64Type();
    auto start = [&](Value index) -> Value {
      Value number = v.create<arith::IndexCastOp>(i64, index);
      return v.create<tensor::FromElementsOp>(RankedTensorType::get({}, i64), number);
    };
    SmallVector<Value> starts(type.getRank(), start(zero));
    starts[axis] = start(at);
    SmallVector<Value> dims = v.dynamic(row);
    auto take = [&](Value x) { return v.term(v.create<DynamicSliceOp>(rowType, x, starts, dims)); };
    // The first row of `a` that is read here meets zeros.
    Term carried = v.term(loop.getRegionIterArg(0));
    Term sum = take(g) + carried;
    Value next = take(a) * sum;
    Value updated = v.create<DynamicUpdateSliceOp>(type, loop.getRegionIterArg(1), sum, starts);
    v.create<scf::YieldOp>(ValueRange{next, updated});
  }
  return loop.getResult(1);
}

LogicalResult CumsumOp::buildVjp(Vjp &v) {
  v.add(0, v.create<CumsumOp>(getType(), v.cotangent(), getAxis(), !getReverse()));
  return success();
}

LogicalResult CumprodOp::buildVjp(Vjp &v) {
  Value sums = recur(v, v.operand(0), v.cotangent(), getAxis(), getReverse());
  Value before = shift(v, v.result(), getAxis(), getReverse(), 1);
  v.add(0, v.term(sums) * v.term(before));
  return success();
}

/// Each place is the greater (or lesser) of the place before and of its element.
static LogicalResult cumulativeExtremumVjp(Vjp &v, int64_t axis, bool reverse, double neutral) {
  Term x = v.operand(0), r = v.result();
  Term before = v.term(shift(v, r, axis, reverse, neutral));
  Value sums = recur(v, share(before, r, x), v.cotangent(), axis, reverse);
  v.add(0, v.term(sums) * share(x, r, before));
  return success();
}

LogicalResult CummaxOp::buildVjp(Vjp &v) {
  return cumulativeExtremumVjp(v, getAxis(), getReverse(), -std::numeric_limits<double>::infinity());
}

LogicalResult CumminOp::buildVjp(Vjp &v) {
  return cumulativeExtremumVjp(v, getAxis(), getReverse(), std::numeric_limits<double>::infinity());
}

LogicalResult CumlogsumexpOp::buildVjp(Vjp &v) {
  Term x = v.operand(0), r = v.result();
  // exp(before - r), where there is a place before; elsewhere it meets zeros and only has to be finite.
  Term before = v.term(shift(v, r, getAxis(), getReverse(), 0));
  Value sums = recur(v, exp(before - r), v.cotangent(), getAxis(), getReverse());
  v.add(0, v.term(sums) * exp(x - r));
  return success();
}

//===----------------------------------------------------------------------===//
// Sorting
//===----------------------------------------------------------------------===//

LogicalResult SortOp::buildVjp(Vjp &v) {
  // The permutation, by sorting the places along; then the cotangents are sorted by it, back to where their elements
  // came from.
  auto shape = cast<RankedTensorType>(getOperand(0).getType());
  auto places = shape.clone(v.b.getI64Type());
  SmallVector<Value> operands;
  for (Value operand : getOperands().take_front(getNumKeys()))
    operands.push_back(v.primal(operand));
  operands.push_back(v.create<IotaOp>(places, getDimension(), v.dynamicSizes(getOperand(0))));
  SmallVector<Type> types(ValueRange(operands).getTypes());
  auto sorted = v.create<SortOp>(types, operands, getDimension(), getNumKeys(), /*is_stable=*/true);
  SmallVector<Value> back{sorted.getResults().back()};
  SmallVector<unsigned> wanted;
  for (unsigned i = 0; i < getNumOperands(); ++i)
    if (v.wants(i) && v.hasCotangent(i)) {
      wanted.push_back(i);
      back.push_back(v.cotangent(i));
    }
  SmallVector<Type> backTypes(ValueRange(back).getTypes());
  auto unsorted = v.create<SortOp>(backTypes, back, getDimension(), /*num_keys=*/1, /*is_stable=*/true);
  for (auto [k, i] : llvm::enumerate(wanted))
    v.add(i, unsorted.getResult(k + 1));
  return success();
}

LogicalResult TopKOp::buildVjp(Vjp &v) {
  if (!v.hasCotangent(0))
    return success();
  // Compares each place with each index that was found: k is small.
  auto values = cast<RankedTensorType>(getValues().getType());
  int64_t rank = values.getRank(), axis = getAxis();
  SmallVector<OpFoldResult> sizes = v.sizesOf(0);
  SmallVector<int64_t> found, all, original;
  for (int64_t d = 0; d < rank; ++d)
    found.push_back(d <= axis ? d : d + 1);
  // Dims: those of the operand, and the k indices before `axis`.
  sizes.insert(sizes.begin() + axis, v.b.getIndexAttr(getK()));
  Value g = v.broadcast(v.cotangent(0), found, sizes);
  Value index = v.broadcast(v.result(1), found, sizes);
  Value place = v.create<IotaOp>(cast<RankedTensorType>(index.getType()), axis + 1, v.dynamic(sizes));
  Term chosen = v.term(v.create<EqOp>(cast<RankedTensorType>(index.getType()).clone(v.b.getI1Type()), index, place));
  Term g0 = v.term(g);
  v.add(0, v.cast(v.reduceSum(select(chosen, g0, constantLike(g0, 0)), {axis}), getOperand().getType()));
  return success();
}
