//===- LaxContractionVjp.cpp - Reverse rules of dots and convolutions -----===//

#include "Lax/IR/LaxOps.h"
#include "Lax/IR/LaxVjp.h"

using namespace mlir;
using namespace mlir::lax;

/// The cotangent of one side of a dot product: that of the result, contracted with the other side over its free dims.
/// `free` and `otherFree` are the free dims of this side and of the other, `start` is where the free dims of the other
/// stand in the result.
static Value dotSide(Vjp &v, Value g, Value other, RankedTensorType type, ArrayRef<int64_t> batch,
                     ArrayRef<int64_t> contracting, ArrayRef<int64_t> free, ArrayRef<int64_t> otherBatch,
                     ArrayRef<int64_t> otherContracting, ArrayRef<int64_t> otherFree, int64_t start) {
  auto range = [](int64_t from, int64_t count) { return llvm::to_vector(llvm::seq<int64_t>(from, from + count)); };
  SmallVector<int64_t> gBatch = range(0, batch.size()), gFree = range(start, otherFree.size());
  // Dims of the product: batch, then what is left of g (this side's free dims), then the other side's contracting dims,
  // ascending.
  SmallVector<int64_t> order(type.getRank()), sorted(otherContracting);
  llvm::sort(sorted);
  SmallVector<int64_t> shape;
  int64_t next = 0;
  for (int64_t dim : batch)
    order[dim] = next++, shape.push_back(type.getDimSize(dim));
  for (int64_t dim : free)
    order[dim] = next++, shape.push_back(type.getDimSize(dim));
  for (int64_t dim : sorted) {
    int64_t mine = contracting[llvm::find(otherContracting, dim) - otherContracting.begin()];
    order[mine] = next++, shape.push_back(type.getDimSize(mine));
  }
  Value product = v.create<DotGeneralOp>(RankedTensorType::get(shape, type.getElementType()), g, other, gFree,
                                         SmallVector<int64_t>(otherFree), gBatch, SmallVector<int64_t>(otherBatch));
  return v.cast(v.transpose(product, order), type);
}

LogicalResult DotGeneralOp::buildVjp(Vjp &v) {
  Value g = v.cotangent();
  SmallVector<int64_t> lhsFree = getLhsFree(), rhsFree = getRhsFree();
  int64_t batch = getLhsBatch().size();
  if (v.wants(0))
    v.add(0, dotSide(v, g, v.operand(1), v.typeOf(0), getLhsBatch(), getLhsContracting(), lhsFree, getRhsBatch(),
                     getRhsContracting(), rhsFree, batch + lhsFree.size()));
  if (v.wants(1))
    v.add(1, dotSide(v, g, v.operand(0), v.typeOf(1), getRhsBatch(), getRhsContracting(), rhsFree, getLhsBatch(),
                     getLhsContracting(), lhsFree, batch));
  return success();
}

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

namespace {

int64_t dilate(int64_t size, int64_t dilation) { return size == 0 ? 0 : 1 + dilation * (size - 1); }

/// Splits dim `source` into `groups` times the rest, and merges the groups, as the outer part, into dim `target` of the
/// rest.
Value moveGroups(Vjp &v, Value x, int64_t source, int64_t target, int64_t groups) {
  auto type = cast<RankedTensorType>(x.getType());
  SmallVector<OpFoldResult> split;
  SmallVector<int64_t> order;
  for (int64_t d = 0; d < type.getRank(); ++d) {
    if (d == source) {
      split.push_back(v.b.getIndexAttr(groups));
      split.push_back(v.b.getIndexAttr(type.getDimSize(d) / groups));
    } else {
      split.push_back(v.sizeHere(x, d));
    }
  }
  // Dims of the split tensor: the groups stand at `source`.
  auto moved = [&](int64_t dim) { return dim >= source ? dim + 1 : dim; };
  for (int64_t d = 0; d < type.getRank(); ++d) {
    if (d == target)
      order.push_back(source);
    order.push_back(moved(d));
  }
  SmallVector<OpFoldResult> merged;
  for (int64_t d = 0; d < type.getRank(); ++d) {
    OpFoldResult size = d == source ? OpFoldResult(v.b.getIndexAttr(type.getDimSize(d) / groups)) : v.sizeHere(x, d);
    merged.push_back(d == target ? v.times(size, groups) : size);
  }
  return v.reshape(v.transpose(v.reshape(x, split), order), merged);
}

SmallVector<int64_t> swapFirst(ArrayRef<int64_t> spec) {
  SmallVector<int64_t> swapped(spec);
  std::swap(swapped[0], swapped[1]);
  return swapped;
}

} // namespace

LogicalResult ConvGeneralDilatedOp::buildVjp(Vjp &v) {
  RankedTensorType lhs = v.typeOf(0), rhs = v.typeOf(1), out = cast<RankedTensorType>(getType());
  unsigned spatial = getWindowStrides().size();
  for (unsigned k = 0; k < spatial; ++k)
    if (lhs.isDynamicDim(getLhsSpec()[k + 2]) || rhs.isDynamicDim(getRhsSpec()[k + 2]) ||
        out.isDynamicDim(getOutSpec()[k + 2]))
      return emitOpError("cannot be differentiated where spatial dims are dynamic");
  int64_t features = getFeatureGroupCount(), batches = getBatchGroupCount();
  SmallVector<int64_t> pads, rhsPads, ones(spatial, 1), spatialDims(ArrayRef<int64_t>(getRhsSpec()).drop_front(2));
  for (unsigned k = 0; k < spatial; ++k) {
    int64_t in = dilate(lhs.getDimSize(getLhsSpec()[k + 2]), getLhsDilation()[k]);
    int64_t window = dilate(rhs.getDimSize(getRhsSpec()[k + 2]), getRhsDilation()[k]);
    int64_t result = dilate(out.getDimSize(getOutSpec()[k + 2]), getWindowStrides()[k]);
    int64_t low = getPadding()[2 * k];
    int64_t before = window - low - 1;
    pads.append({before, in + window - 1 - result - before});
    rhsPads.append({low, result - in + window - low - 1});
  }

  if (v.wants(0)) {
    int64_t groups = features;
    Value kernel = v.operand(1);
    if (features > 1 || batches > 1) {
      groups = std::max(features, batches);
      kernel = moveGroups(v, kernel, getRhsSpec()[0], getRhsSpec()[1], groups);
    }
    Value reversed = v.create<RevOp>(kernel.getType(), kernel, spatialDims);
    SmallVector<int64_t> shape(lhs.getShape());
    if (batches > 1) {
      // The batch comes out in the features of groups.
      shape[getLhsSpec()[1]] *= batches;
      if (!ShapedType::isDynamic(shape[getLhsSpec()[0]]))
        shape[getLhsSpec()[0]] /= batches;
    }
    Value result = v.create<ConvGeneralDilatedOp>(
        RankedTensorType::get(shape, lhs.getElementType()), v.cotangent(), reversed,
        SmallVector<int64_t>(getLhsDilation()), pads, SmallVector<int64_t>(getWindowStrides()),
        SmallVector<int64_t>(getRhsDilation()), SmallVector<int64_t>(getOutSpec()), swapFirst(getRhsSpec()),
        SmallVector<int64_t>(getLhsSpec()), groups, 1);
    if (batches > 1)
      result = moveGroups(v, result, getLhsSpec()[1], getLhsSpec()[0], batches);
    v.add(0, v.cast(result, lhs));
  }
  if (v.wants(1)) {
    int64_t newFeatures = batches > 1 ? batches : 1, newBatches = batches > 1 ? 1 : features;
    Value result = v.create<ConvGeneralDilatedOp>(
        rhs, v.operand(0), v.cotangent(), SmallVector<int64_t>(getRhsDilation()), rhsPads,
        SmallVector<int64_t>(getLhsDilation()), SmallVector<int64_t>(getWindowStrides()), swapFirst(getLhsSpec()),
        swapFirst(getOutSpec()), swapFirst(getRhsSpec()), newFeatures, newBatches);
    v.add(1, result);
  }
  return success();
}
