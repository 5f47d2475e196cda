//===- LaxContractionOps.cpp - Dot products and convolutions --------------===//

#include "Lax/IR/LaxOps.h"
#include "Lax/IR/LaxVerification.h"
#include "Lax/IR/LaxWindowFormat.h"

using namespace mlir;
using namespace mlir::lax;
using namespace mlir::lax::detail;

#define GET_OP_CLASSES
#include "Lax/IR/LaxContractionOps.cpp.inc"

void LaxDialect::registerContractionOps() {
  addOperations<
#define GET_OP_LIST
#include "Lax/IR/LaxContractionOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// DotGeneralOp
//===----------------------------------------------------------------------===//

static SmallVector<int64_t> getFreeDims(Value operand, ArrayRef<int64_t> contracting, ArrayRef<int64_t> batch) {
  SmallVector<int64_t> free;
  for (int64_t dim = 0, rank = cast<RankedTensorType>(operand.getType()).getRank(); dim < rank; ++dim)
    if (!llvm::is_contained(contracting, dim) && !llvm::is_contained(batch, dim))
      free.push_back(dim);
  return free;
}

SmallVector<int64_t> DotGeneralOp::getLhsFree() { return getFreeDims(getLhs(), getLhsContracting(), getLhsBatch()); }

SmallVector<int64_t> DotGeneralOp::getRhsFree() { return getFreeDims(getRhs(), getRhsContracting(), getRhsBatch()); }

LogicalResult DotGeneralOp::verify() {
  auto lhs = cast<RankedTensorType>(getLhs().getType()), rhs = cast<RankedTensorType>(getRhs().getType());
  if (lhs.getElementType() != rhs.getElementType())
    return emitOpError("operands differ in element type");

  auto verifyPairs = [&](StringRef kind, ArrayRef<int64_t> lhsDims, ArrayRef<int64_t> rhsDims) -> LogicalResult {
    if (failed(verifyDims(*this, "lhs_" + kind.str(), lhsDims, lhs.getRank())) ||
        failed(verifyDims(*this, "rhs_" + kind.str(), rhsDims, rhs.getRank())))
      return failure();
    if (lhsDims.size() != rhsDims.size())
      return emitOpError() << "lhs_" << kind << " and rhs_" << kind << " differ in length";
    for (auto [l, r] : llvm::zip_equal(lhsDims, rhsDims))
      if (!sizesAgree(lhs.getDimSize(l), rhs.getDimSize(r)))
        return emitOpError() << kind << " dims " << l << " and " << r << " differ in size: " << lhs.getDimSize(l)
                             << " and " << rhs.getDimSize(r);
    return success();
  };
  if (failed(verifyPairs("contracting", getLhsContracting(), getRhsContracting())) ||
      failed(verifyPairs("batch", getLhsBatch(), getRhsBatch())))
    return failure();
  for (int64_t dim : getLhsBatch())
    if (llvm::is_contained(getLhsContracting(), dim))
      return emitOpError() << "dim " << dim << " of lhs is both a batch and a contracting dim";
  for (int64_t dim : getRhsBatch())
    if (llvm::is_contained(getRhsContracting(), dim))
      return emitOpError() << "dim " << dim << " of rhs is both a batch and a contracting dim";

  SmallVector<int64_t> expected;
  for (auto [l, r] : llvm::zip_equal(getLhsBatch(), getRhsBatch()))
    expected.push_back(lhs.isDynamicDim(l) ? rhs.getDimSize(r) : lhs.getDimSize(l));
  for (int64_t dim : getLhsFree())
    expected.push_back(lhs.getDimSize(dim));
  for (int64_t dim : getRhsFree())
    expected.push_back(rhs.getDimSize(dim));
  return verifyShape(*this, "the result", getType(), expected);
}

//===----------------------------------------------------------------------===//
// ConvGeneralDilatedOp
//===----------------------------------------------------------------------===//

LogicalResult ConvGeneralDilatedOp::verify() {
  auto lhs = cast<RankedTensorType>(getLhs().getType()), rhs = cast<RankedTensorType>(getRhs().getType());
  auto result = cast<RankedTensorType>(getType());
  int64_t rank = lhs.getRank(), spatial = rank - 2;
  if (lhs.getElementType() != rhs.getElementType())
    return emitOpError("operands differ in element type");
  if (rank < 2)
    return emitOpError("the input has no batch and feature dims");
  if (rhs.getRank() != rank || result.getRank() != rank)
    return emitOpError("input, kernel and result differ in rank");

  std::pair<StringRef, ArrayRef<int64_t>> specs[] = {
      {"lhs_spec", getLhsSpec()}, {"rhs_spec", getRhsSpec()}, {"out_spec", getOutSpec()}};
  for (auto [name, spec] : specs)
    if (failed(verifyCount(*this, name, spec, rank)) || failed(verifyDims(*this, name, spec, rank)))
      return failure();
  if (failed(verifyCount(*this, "window_strides", getWindowStrides(), spatial)) ||
      failed(verifyCount(*this, "padding", getPadding(), 2 * spatial)) ||
      failed(verifyCount(*this, "lhs_dilation", getLhsDilation(), spatial)) ||
      failed(verifyCount(*this, "rhs_dilation", getRhsDilation(), spatial)) ||
      failed(verifyAtLeast(*this, "window_strides", getWindowStrides(), 1)) ||
      failed(verifyAtLeast(*this, "lhs_dilation", getLhsDilation(), 1)) ||
      failed(verifyAtLeast(*this, "rhs_dilation", getRhsDilation(), 1)))
    return failure();

  int64_t featureGroups = getFeatureGroupCount(), batchGroups = getBatchGroupCount();
  if (featureGroups < 1 || batchGroups < 1)
    return emitOpError("has a group count below 1");
  if (featureGroups > 1 && batchGroups > 1)
    return emitOpError("has groups of both features and batch");

  auto divides = [](int64_t divisor, int64_t size) { return ShapedType::isDynamic(size) || size % divisor == 0; };
  int64_t batch = lhs.getDimSize(getLhsSpec()[0]), features = lhs.getDimSize(getLhsSpec()[1]);
  int64_t outFeatures = rhs.getDimSize(getRhsSpec()[0]), inFeatures = rhs.getDimSize(getRhsSpec()[1]);
  if (!divides(batchGroups, batch))
    return emitOpError() << "batch_group_count " << batchGroups << " does not divide the batch size " << batch;
  if (!divides(featureGroups, features))
    return emitOpError() << "feature_group_count " << featureGroups << " does not divide the feature count "
                         << features;
  if (!divides(featureGroups, outFeatures) || !divides(batchGroups, outFeatures))
    return emitOpError() << "the group count does not divide the output feature count " << outFeatures;
  if (!ShapedType::isDynamic(features) && !sizesAgree(features / featureGroups, inFeatures))
    return emitOpError() << "the kernel has " << inFeatures << " input features, expected " << features / featureGroups;

  SmallVector<int64_t> expected(rank);
  expected[getOutSpec()[0]] = ShapedType::isDynamic(batch) ? batch : batch / batchGroups;
  expected[getOutSpec()[1]] = outFeatures;
  for (int64_t i = 0; i < spatial; ++i)
    expected[getOutSpec()[i + 2]] =
        windowCount(lhs.getDimSize(getLhsSpec()[i + 2]), rhs.getDimSize(getRhsSpec()[i + 2]), getWindowStrides()[i],
                    getPadding()[2 * i], getPadding()[2 * i + 1], getLhsDilation()[i], getRhsDilation()[i]);
  return verifyShape(*this, "the result", result, expected);
}
