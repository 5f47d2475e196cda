//===- Utils.cpp - Tensors, sizes and loops -------------------------------===//

#include "Conversion/LaxToLinalg/Lowering.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::lowering;

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

Value lowering::toIndexValue(OpBuilder &b, Location loc, OpFoldResult size) {
  return getValueOrCreateConstantIndexOp(b, loc, size);
}

template <typename OpT>
static OpFoldResult foldSizes(OpBuilder &b, Location loc, OpFoldResult x, OpFoldResult y,
                              function_ref<int64_t(int64_t, int64_t)> fold) {
  std::optional<int64_t> left = getConstantIntValue(x), right = getConstantIntValue(y);
  if (left && right)
    return b.getIndexAttr(fold(*left, *right));
  return OpT::create(b, loc, toIndexValue(b, loc, x), toIndexValue(b, loc, y)).getResult();
}

OpFoldResult lowering::addSizes(OpBuilder &b, Location loc, OpFoldResult x, OpFoldResult y) {
  if (isZeroInteger(y))
    return x;
  return foldSizes<arith::AddIOp>(b, loc, x, y, [](int64_t x, int64_t y) { return x + y; });
}
OpFoldResult lowering::subSizes(OpBuilder &b, Location loc, OpFoldResult x, OpFoldResult y) {
  if (isZeroInteger(y))
    return x;
  return foldSizes<arith::SubIOp>(b, loc, x, y, [](int64_t x, int64_t y) { return x - y; });
}
OpFoldResult lowering::mulSizes(OpBuilder &b, Location loc, OpFoldResult x, OpFoldResult y) {
  if (isOneInteger(y))
    return x;
  return foldSizes<arith::MulIOp>(b, loc, x, y, [](int64_t x, int64_t y) { return x * y; });
}
OpFoldResult lowering::divSizes(OpBuilder &b, Location loc, OpFoldResult x, OpFoldResult y) {
  if (isOneInteger(y))
    return x;
  return foldSizes<arith::FloorDivSIOp>(
      b, loc, x, y, [](int64_t x, int64_t y) { return x / y - (x % y != 0 && (x < 0) != (y < 0)); });
}
OpFoldResult lowering::maxSizes(OpBuilder &b, Location loc, OpFoldResult x, OpFoldResult y) {
  return foldSizes<arith::MaxSIOp>(b, loc, x, y, [](int64_t x, int64_t y) { return std::max(x, y); });
}

Sizes lowering::resultSizes(OpBuilder &b, RankedTensorType type, ValueRange dynamicDims) {
  return getMixedValues(type.getShape(), dynamicDims, b);
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

Value lowering::emptyTensor(OpBuilder &b, Location loc, ArrayRef<OpFoldResult> sizes, Type elementType) {
  return tensor::EmptyOp::create(b, loc, sizes, elementType);
}

Value lowering::filledTensor(OpBuilder &b, Location loc, ArrayRef<OpFoldResult> sizes, Value scalar) {
  Value empty = emptyTensor(b, loc, sizes, scalar.getType());
  return linalg::FillOp::create(b, loc, scalar, empty).getResult(0);
}

Value lowering::constantScalar(OpBuilder &b, Location loc, TypedAttr value) {
  return arith::ConstantOp::create(b, loc, value);
}

Value lowering::zeroScalar(OpBuilder &b, Location loc, Type type) {
  return constantScalar(b, loc, b.getZeroAttr(type));
}

Value lowering::castTensor(OpBuilder &b, Location loc, Value value, Type type) {
  return value.getType() == type ? value : Value(tensor::CastOp::create(b, loc, type, value));
}

Value lowering::extractScalar(OpBuilder &b, Location loc, Value tensor, ValueRange indices) {
  return tensor::ExtractOp::create(b, loc, tensor, indices);
}

linalg::GenericOp lowering::buildGeneric(OpBuilder &b, Location loc, ValueRange inputs, ValueRange outputs,
                                         ArrayRef<AffineMap> maps, ArrayRef<utils::IteratorType> iterators,
                                         BodyFn body) {
  return linalg::GenericOp::create(b, loc, TypeRange(outputs), inputs, outputs, maps, iterators, body);
}

Value lowering::buildElementwise(OpBuilder &b, Location loc, ValueRange inputs, ArrayRef<OpFoldResult> sizes,
                                 Type elementType, BodyFn body) {
  unsigned rank = sizes.size();
  AffineMap identity = b.getMultiDimIdentityMap(rank);
  SmallVector<AffineMap> maps;
  for (Value input : inputs) {
    bool broadcast = cast<RankedTensorType>(input.getType()).getRank() != rank;
    maps.push_back(broadcast ? AffineMap::get(rank, 0, b.getContext()) : identity);
  }
  maps.push_back(identity);
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  Value output = emptyTensor(b, loc, sizes, elementType);
  return buildGeneric(b, loc, inputs, output, maps, iterators, body).getResult(0);
}

Value lowering::buildFromIndices(OpBuilder &b, Location loc, ArrayRef<OpFoldResult> sizes, Type elementType,
                                 function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  return buildElementwise(b, loc, {}, sizes, elementType, [&](OpBuilder &b, Location loc, ValueRange) {
    SmallVector<Value> indices;
    for (unsigned dim = 0; dim < sizes.size(); ++dim)
      indices.push_back(linalg::IndexOp::create(b, loc, dim));
    linalg::YieldOp::create(b, loc, body(b, loc, indices));
  });
}

Value lowering::convertFloatTensor(OpBuilder &b, Location loc, Value tensor, Type elementType) {
  if (getElementTypeOrSelf(tensor.getType()) == elementType)
    return tensor;
  return buildElementwise(b, loc, tensor, tensor::getMixedSizes(b, loc, tensor), elementType,
                          [&](OpBuilder &builder, Location loc, ValueRange args) {
                            ScalarBuilder b(builder, loc);
                            linalg::YieldOp::create(builder, loc, castFloat(b, args[0], elementType));
                          });
}

Value lowering::extractSlice(OpBuilder &b, Location loc, Value tensor, ArrayRef<OpFoldResult> offsets,
                             ArrayRef<OpFoldResult> sizes, ArrayRef<OpFoldResult> givenStrides) {
  SmallVector<OpFoldResult> strides(givenStrides), places(offsets);
  strides.resize(offsets.size(), b.getIndexAttr(1));
  // A slice without elements may start at the very end, where no offset is valid.
  for (auto [place, size] : llvm::zip_equal(places, sizes))
    if (isZeroInteger(size))
      place = b.getIndexAttr(0);
  return tensor::ExtractSliceOp::create(b, loc, tensor, places, sizes, strides);
}

Value lowering::insertSlice(OpBuilder &b, Location loc, Value slice, Value tensor, ArrayRef<OpFoldResult> offsets) {
  if (llvm::is_contained(cast<RankedTensorType>(slice.getType()).getShape(), 0))
    return tensor;
  SmallVector<OpFoldResult> strides(offsets.size(), b.getIndexAttr(1));
  Sizes sizes = tensor::getMixedSizes(b, loc, slice);
  return tensor::InsertSliceOp::create(b, loc, slice, tensor, offsets, sizes, strides);
}

Value lowering::clampStart(OpBuilder &b, Location loc, Value start, Type original, OpFoldResult last) {
  Value limit = toIndexValue(b, loc, last);
  if (original.isUnsignedInteger()) {
    Value index = arith::IndexCastUIOp::create(b, loc, b.getIndexType(), start);
    return arith::MinUIOp::create(b, loc, index, limit);
  }
  Value index = arith::IndexCastOp::create(b, loc, b.getIndexType(), start);
  Value positive = arith::MaxSIOp::create(b, loc, index, arith::ConstantIndexOp::create(b, loc, 0));
  return arith::MinSIOp::create(b, loc, positive, limit);
}

//===----------------------------------------------------------------------===//
// Reshapes
//===----------------------------------------------------------------------===//

namespace {

/// The number of elements of some dims: a static part and how many dynamic dims.
struct Count {
  int64_t dynamic = 0, product = 1;
  void add(int64_t size) { ShapedType::isDynamic(size) ? void(++dynamic) : void(product *= size); }
  bool operator==(const Count &other) const { return dynamic == other.dynamic && product == other.product; }
  bool operator<(const Count &other) const {
    return dynamic != other.dynamic ? dynamic < other.dynamic : product < other.product;
  }
};

/// Splits both shapes into groups with equal element counts; fails where that cannot be told from the types.
LogicalResult matchGroups(ArrayRef<int64_t> from, ArrayRef<int64_t> to, SmallVector<ReassociationIndices> &fromGroups,
                          SmallVector<ReassociationIndices> &toGroups) {
  // With one dynamic dim on each side and equal static parts, the dynamic dims are equal. With more, they may not be.
  Count fromCount, toCount;
  for (int64_t size : from)
    fromCount.add(size);
  for (int64_t size : to)
    toCount.add(size);
  if (!(fromCount == toCount) || fromCount.dynamic > 1 || fromCount.product == 0)
    return failure();
  size_t i = 0, j = 0;
  while (i < from.size() && j < to.size()) {
    ReassociationIndices fromGroup{static_cast<int64_t>(i)}, toGroup{static_cast<int64_t>(j)};
    Count left, right;
    left.add(from[i++]);
    right.add(to[j++]);
    while (!(left == right)) {
      bool takeFrom = left < right;
      if (takeFrom ? i == from.size() : j == to.size())
        return failure();
      if (takeFrom) {
        left.add(from[i]);
        fromGroup.push_back(i++);
      } else {
        right.add(to[j]);
        toGroup.push_back(j++);
      }
    }
    fromGroups.push_back(fromGroup);
    toGroups.push_back(toGroup);
  }
  if (fromGroups.empty())
    return failure();
  // What is left over has size one.
  for (; i < from.size(); ++i)
    fromGroups.back().push_back(i);
  for (; j < to.size(); ++j)
    toGroups.back().push_back(j);
  return success();
}

ReassociationIndices allDims(int64_t rank) { return llvm::to_vector<2>(llvm::seq<int64_t>(0, rank)); }

bool isTrivial(ArrayRef<ReassociationIndices> groups) {
  return llvm::all_of(groups, [](const ReassociationIndices &group) { return group.size() == 1; });
}

} // namespace

Value lowering::reshapeTensor(OpBuilder &b, Location loc, Value tensor, RankedTensorType type,
                              ArrayRef<OpFoldResult> sizes) {
  auto from = cast<RankedTensorType>(tensor.getType());
  if (from == type && type.hasStaticShape())
    return tensor;
  SmallVector<int64_t> ones;
  if (from.getRank() == 0 || type.getRank() == 0) {
    ones.assign(std::max(from.getRank(), type.getRank()), 1);
    auto unit = RankedTensorType::get(ones, type.getElementType());
    if (type.getRank() == 0)
      return tensor::CollapseShapeOp::create(b, loc, type, castTensor(b, loc, tensor, unit),
                                             ArrayRef<ReassociationIndices>());
    Value expanded = tensor::ExpandShapeOp::create(b, loc, unit, tensor, ArrayRef<ReassociationIndices>());
    return castTensor(b, loc, expanded, type);
  }

  SmallVector<ReassociationIndices> fromGroups, toGroups;
  if (failed(matchGroups(from.getShape(), type.getShape(), fromGroups, toGroups))) {
    // A dim can be expanded into one dynamic dim at most.
    if (type.getNumDynamicDims() > 1) {
      SmallVector<Value> shape;
      for (OpFoldResult size : sizes)
        shape.push_back(toIndexValue(b, loc, size));
      return tensor::ReshapeOp::create(b, loc, type, tensor, tensor::FromElementsOp::create(b, loc, shape));
    }
    fromGroups = {allDims(from.getRank())};
    toGroups = {allDims(type.getRank())};
  }
  Value merged = tensor;
  if (!isTrivial(fromGroups))
    merged = tensor::CollapseShapeOp::create(b, loc, merged, fromGroups);
  if (isTrivial(toGroups))
    return castTensor(b, loc, merged, type);
  // A merged dim may be dynamic where the target is static throughout.
  SmallVector<int64_t> groupSizes;
  for (const ReassociationIndices &group : toGroups) {
    Count count;
    for (int64_t dim : group)
      count.add(type.getDimSize(dim));
    groupSizes.push_back(count.dynamic ? ShapedType::kDynamic : count.product);
  }
  merged = castTensor(b, loc, merged, RankedTensorType::get(groupSizes, type.getElementType()));
  return tensor::ExpandShapeOp::create(b, loc, type, merged, toGroups, sizes);
}

Value lowering::splitDim(OpBuilder &b, Location loc, Value tensor, unsigned dim, int64_t outer) {
  Sizes sizes = tensor::getMixedSizes(b, loc, tensor);
  OpFoldResult inner = divSizes(b, loc, sizes[dim], b.getIndexAttr(outer));
  sizes[dim] = b.getIndexAttr(outer);
  sizes.insert(sizes.begin() + dim + 1, inner);
  SmallVector<ReassociationIndices> groups;
  for (unsigned i = 0, next = 0; next < sizes.size(); ++i) {
    groups.push_back({static_cast<int64_t>(next++)});
    if (i == dim)
      groups.back().push_back(next++);
  }
  SmallVector<int64_t> shape = decomposeMixedValues(sizes).first;
  auto type = RankedTensorType::get(shape, getElementTypeOrSelf(tensor.getType()));
  return tensor::ExpandShapeOp::create(b, loc, type, tensor, groups, sizes);
}

Value lowering::mergeDims(OpBuilder &b, Location loc, Value tensor, unsigned dim) {
  unsigned rank = cast<RankedTensorType>(tensor.getType()).getRank();
  SmallVector<ReassociationIndices> groups;
  for (unsigned i = 0; i < rank; ++i) {
    groups.push_back({static_cast<int64_t>(i)});
    if (i == dim)
      groups.back().push_back(++i);
  }
  return tensor::CollapseShapeOp::create(b, loc, tensor, groups);
}

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

/// Each element of the result by itself: for amounts of padding that are not known, or that remove everything.
static Value padByElement(OpBuilder &b, Location loc, Value tensor, Value padding, ArrayRef<OpFoldResult> low,
                          ArrayRef<OpFoldResult> resultSizes, ArrayRef<int64_t> interior) {
  Sizes sizes = tensor::getMixedSizes(b, loc, tensor);
  return buildFromIndices(
      b, loc, resultSizes, padding.getType(), [&](OpBuilder &builder, Location loc, ValueRange indices) -> Value {
        ScalarBuilder s(builder, loc);
        Value inside = s.constant(builder.getI1Type(), APInt(1, 1));
        Value zero = s.index(0);
        SmallVector<Value> source;
        for (auto [dim, index] : llvm::enumerate(indices)) {
          Value shifted = s.sub(index, toIndexValue(builder, loc, low[dim]));
          Value place = shifted, step = s.index(interior[dim] + 1);
          if (interior[dim] != 0) {
            place = s.create<arith::FloorDivSIOp>(shifted, step);
            Value exact = s.cmpi(arith::CmpIPredicate::eq, s.mul(place, step), shifted);
            inside = s.create<arith::AndIOp>(inside, exact);
          }
          Value size = toIndexValue(builder, loc, sizes[dim]);
          Value within = s.create<arith::AndIOp>(s.cmpi(arith::CmpIPredicate::sge, place, zero),
                                                 s.cmpi(arith::CmpIPredicate::slt, place, size));
          inside = s.create<arith::AndIOp>(inside, within);
          source.push_back(place);
        }
        auto choice = scf::IfOp::create(
            builder, loc, inside,
            [&](OpBuilder &b, Location loc) { scf::YieldOp::create(b, loc, extractScalar(b, loc, tensor, source)); },
            [&](OpBuilder &b, Location loc) { scf::YieldOp::create(b, loc, padding); });
        return choice.getResult(0);
      });
}

Value lowering::padTensor(OpBuilder &b, Location loc, Value tensor, Value padding, ArrayRef<OpFoldResult> low,
                          ArrayRef<OpFoldResult> high, ArrayRef<int64_t> interior) {
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  Sizes sizes = tensor::getMixedSizes(b, loc, tensor), dilated = sizes, result;
  unsigned rank = sizes.size();
  bool byElement = false, anyInterior = false, anyCut = false, anyPadding = false;
  for (unsigned dim = 0; dim < rank; ++dim) {
    if (interior[dim] != 0) {
      anyInterior = true;
      OpFoldResult gaps = mulSizes(b, loc, subSizes(b, loc, sizes[dim], one), b.getIndexAttr(interior[dim] + 1));
      dilated[dim] = maxSizes(b, loc, addSizes(b, loc, gaps, one), zero);
    }
    OpFoldResult padded = addSizes(b, loc, addSizes(b, loc, dilated[dim], low[dim]), high[dim]);
    result.push_back(padded);
    std::optional<int64_t> lowValue = getConstantIntValue(low[dim]), highValue = getConstantIntValue(high[dim]);
    if (!lowValue || !highValue) {
      byElement = true;
      continue;
    }
    anyCut |= *lowValue < 0 || *highValue < 0;
    anyPadding |= *lowValue > 0 || *highValue > 0;
    std::optional<int64_t> size = getConstantIntValue(dilated[dim]);
    int64_t removed = std::max<int64_t>(-*lowValue, 0) + std::max<int64_t>(-*highValue, 0);
    // Cutting more than there is and padding on the other side leaves elements that no slice can name.
    byElement |= removed > 0 && (!size || removed > *size);
  }
  if (byElement) {
    for (OpFoldResult &size : result)
      size = maxSizes(b, loc, size, zero);
    return padByElement(b, loc, tensor, padding, low, result, interior);
  }

  Value value = tensor;
  if (anyInterior) {
    Sizes outer = anyCut ? dilated : result;
    SmallVector<OpFoldResult> offsets(rank, zero), strides;
    for (unsigned dim = 0; dim < rank; ++dim) {
      strides.push_back(b.getIndexAttr(interior[dim] + 1));
      if (!anyCut)
        offsets[dim] = low[dim];
    }
    Value padded = filledTensor(b, loc, outer, padding);
    bool empty = llvm::is_contained(cast<RankedTensorType>(value.getType()).getShape(), 0);
    value = empty ? padded : tensor::InsertSliceOp::create(b, loc, value, padded, offsets, sizes, strides).getResult();
    if (!anyCut)
      return value;
  }
  SmallVector<OpFoldResult> lowPad(low), highPad(high);
  if (anyCut) {
    SmallVector<OpFoldResult> offsets(rank, zero);
    Sizes kept = dilated;
    for (unsigned dim = 0; dim < rank; ++dim) {
      int64_t lowValue = *getConstantIntValue(low[dim]), highValue = *getConstantIntValue(high[dim]);
      if (lowValue < 0) {
        offsets[dim] = b.getIndexAttr(-lowValue);
        kept[dim] = addSizes(b, loc, kept[dim], low[dim]);
        lowPad[dim] = zero;
      }
      if (highValue < 0) {
        kept[dim] = addSizes(b, loc, kept[dim], high[dim]);
        highPad[dim] = zero;
      }
    }
    if (llvm::any_of(kept, isZeroInteger))
      return filledTensor(b, loc, result, padding);
    value = extractSlice(b, loc, value, offsets, kept);
  }
  if (!anyPadding)
    return value;
  return tensor::PadOp::create(b, loc, Type(), value, lowPad, highPad, padding);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

SmallVector<Value>
lowering::buildLoops(OpBuilder &b, Location loc, ArrayRef<OpFoldResult> bounds, ValueRange inits,
                     function_ref<SmallVector<Value>(OpBuilder &, Location, ValueRange, ValueRange)> body) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0), one = arith::ConstantIndexOp::create(b, loc, 1);
  SmallVector<Value> lower(bounds.size(), zero), steps(bounds.size(), one), upper;
  for (OpFoldResult bound : bounds)
    upper.push_back(toIndexValue(b, loc, bound));
  if (bounds.empty())
    return body(b, loc, {}, inits);
  scf::LoopNest nest = scf::buildLoopNest(
      b, loc, lower, upper, steps, inits,
      [&](OpBuilder &b, Location loc, ValueRange ivs, ValueRange carried) { return body(b, loc, ivs, carried); });
  return llvm::to_vector(nest.results);
}
