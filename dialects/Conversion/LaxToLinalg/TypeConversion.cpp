//===- TypeConversion.cpp - Bools to bytes, unsigned to signless ----------===//
//
// Everything but lax ops that carries a type which vanishes: functions, control flow, exits, constants, and the
// passage between tensors and scalars.
//
//===----------------------------------------------------------------------===//

#include "Conversion/LaxToLinalg/Lowering.h"
#include "Janus/IR/JanusOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::lowering;

Type LaxTypeConverter::convertElementType(Type type) {
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return type;
  if (integer.getWidth() == 1)
    return IntegerType::get(type.getContext(), 8);
  return IntegerType::get(type.getContext(), integer.getWidth());
}

LaxTypeConverter::LaxTypeConverter() {
  addConversion([](Type type) { return type; });
  addConversion([](IntegerType type) -> Type { return IntegerType::get(type.getContext(), type.getWidth()); });
  addConversion([](RankedTensorType type) -> Type {
    return RankedTensorType::get(type.getShape(), convertElementType(type.getElementType()), type.getEncoding());
  });
  auto materialize = [](OpBuilder &b, Type type, ValueRange inputs, Location loc) -> Value {
    return UnrealizedConversionCastOp::create(b, loc, type, inputs).getResult(0);
  };
  addSourceMaterialization(materialize);
  addTargetMaterialization(materialize);
}

namespace {

/// Constants: the elements in their new type.
struct ConvertConstant : public OpConversionPattern<arith::ConstantOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(arith::ConstantOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto from = dyn_cast<RankedTensorType>(op.getType());
    if (!from) {
      auto integer = dyn_cast<IntegerAttr>(op.getValue());
      Type type = getTypeConverter()->convertType(op.getType());
      if (!integer || !type)
        return op.emitOpError("has a value that convert-lax-to-linalg cannot convert");
      rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, IntegerAttr::get(type, integer.getValue()));
      return success();
    }
    auto to = cast<RankedTensorType>(getTypeConverter()->convertType(from));
    TypedAttr value;
    if (auto dense = dyn_cast<DenseIntElementsAttr>(op.getValue())) {
      unsigned width = to.getElementTypeBitWidth();
      value = dense.mapValues(to.getElementType(), [&](const APInt &element) { return element.zextOrTrunc(width); });
    } else if (auto resource = dyn_cast<DenseResourceElementsAttr>(op.getValue());
               resource && from.getElementTypeBitWidth() == to.getElementTypeBitWidth()) {
      value = DenseResourceElementsAttr::get(to, resource.getRawHandle());
    } else {
      return op.emitOpError("has a value that convert-lax-to-linalg cannot convert");
    }
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, value);
    return success();
  }
};

struct ConvertExtract : public OpConversionPattern<tensor::ExtractOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(tensor::ExtractOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    ScalarBuilder b(rewriter, op.getLoc());
    Value stored = tensor::ExtractOp::create(rewriter, op.getLoc(), adaptor.getTensor(), adaptor.getIndices());
    rewriter.replaceOp(op, toLogical(b, stored, op.getTensor().getType().getElementType()));
    return success();
  }
};

struct ConvertFromElements : public OpConversionPattern<tensor::FromElementsOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(tensor::FromElementsOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    ScalarBuilder b(rewriter, op.getLoc());
    Type original = op.getType().getElementType();
    SmallVector<Value> elements;
    for (Value element : adaptor.getElements())
      elements.push_back(toStorage(b, element, original));
    rewriter.replaceOpWithNewOp<tensor::FromElementsOp>(op, getTypeConverter()->convertType(op.getType()), elements);
    return success();
  }
};

struct ConvertSplat : public OpConversionPattern<tensor::SplatOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(tensor::SplatOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    ScalarBuilder b(rewriter, op.getLoc());
    Value stored = toStorage(b, adaptor.getInput(), cast<ShapedType>(op.getType()).getElementType());
    rewriter.replaceOpWithNewOp<tensor::SplatOp>(op, stored, getTypeConverter()->convertType(op.getType()),
                                                 adaptor.getDynamicSizes());
    return success();
  }
};

struct ConvertInsert : public OpConversionPattern<tensor::InsertOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(tensor::InsertOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    ScalarBuilder b(rewriter, op.getLoc());
    Value stored = toStorage(b, adaptor.getScalar(), op.getType().getElementType());
    rewriter.replaceOpWithNewOp<tensor::InsertOp>(op, stored, adaptor.getDest(), adaptor.getIndices());
    return success();
  }
};

/// Ops that only pass values on, whatever their type: the same op on the new types.
struct ConvertPassThrough : public ConversionPattern {
  ConvertPassThrough(const TypeConverter &converter, MLIRContext *context)
      : ConversionPattern(converter, MatchAnyOpTypeTag(), /*benefit=*/0, context) {}

  LogicalResult matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &rewriter) const override {
    bool janus = isa<GuardOp, DeoptOp, RecordOp, LeaveOp, UnboxOp, TapePushOp, TapePopOp>(op);
    if (!janus && !isa<ub::PoisonOp, arith::SelectOp, tensor::DimOp, tensor::CastOp, tensor::EmptyOp, tensor::ReshapeOp,
                       tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::ExtractSliceOp, tensor::InsertSliceOp,
                       tensor::ConcatOp>(op))
      return failure();
    SmallVector<Type> types;
    if (failed(getTypeConverter()->convertTypes(op->getResultTypes(), types)))
      return failure();
    OperationState state(op->getLoc(), op->getName(), operands, types, op->getAttrs());
    if (Attribute properties = op->getPropertiesAsAttribute())
      state.propertiesAttr = properties;
    Operation *converted = rewriter.create(state);
    rewriter.replaceOp(op, converted->getResults());
    return success();
  }
};

/// `janus.truth`: the element is not zero.
struct ConvertTruth : public OpConversionPattern<TruthOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(TruthOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getInput().getType());
    if (!type.getElementType().isIntOrIndexOrFloat())
      return op.emitOpError("on complex numbers has no lowering to linalg");
    ScalarBuilder b(rewriter, op.getLoc());
    SmallVector<Value> indices(type.getRank(), type.getRank() ? b.index(0) : Value());
    Value element =
        toLogical(b, extractScalar(rewriter, op.getLoc(), adaptor.getInput(), indices), type.getElementType());
    if (element.getType().isIndex())
      rewriter.replaceOp(op, b.cmpi(arith::CmpIPredicate::ne, element, b.index(0)));
    else
      rewriter.replaceOp(op, convertScalar(b, element, type.getElementType(), rewriter.getI1Type()));
    return success();
  }
};

} // namespace

void lowering::populateTypeConversionPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns,
                                              ConversionTarget &target) {
  MLIRContext *context = patterns.getContext();
  patterns.add<ConvertConstant, ConvertExtract, ConvertFromElements, ConvertSplat, ConvertInsert, ConvertPassThrough,
               ConvertTruth>(converter, context);
  populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns, converter);
  populateReturnOpTypeConversionPattern(patterns, converter);
  populateCallOpTypeConversionPattern(patterns, converter);
  scf::populateSCFStructuralTypeConversions(converter, patterns);

  target.markUnknownOpDynamicallyLegal([&converter](Operation *op) {
    if (auto function = dyn_cast<func::FuncOp>(op))
      return converter.isSignatureLegal(function.getFunctionType()) && converter.isLegal(&function.getBody());
    if (!converter.isLegal(op))
      return false;
    return llvm::all_of(op->getRegions(), [&](Region &region) { return converter.isLegal(&region); });
  });
}
