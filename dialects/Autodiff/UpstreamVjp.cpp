//===- UpstreamVjp.cpp - Reverse rules of upstream ops --------------------===//
//
// Python floats are f64 scalars, computed by arith and math.
//
//===----------------------------------------------------------------------===//

#include "Autodiff/UpstreamVjp.h"

#include "Lax/IR/LaxOps.h"
#include "Lax/IR/LaxVjp.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/DialectRegistry.h"

using namespace mlir;
using namespace mlir::janus;
using lax::Term;
using lax::Vjp;

namespace {

/// A rule that is a function of the `Vjp`.
template <typename OpT, LogicalResult (*rule)(OpT, Vjp &)>
struct Model : public lax::DifferentiableOpInterface::ExternalModel<Model<OpT, rule>, OpT> {
  LogicalResult buildVjp(Operation *op, Vjp &v) const { return rule(cast<OpT>(op), v); }
};

/// An op of one operand whose cotangent is that of the result times a factor.
template <typename OpT, Term (*factor)(Vjp &)>
struct Factor : public lax::DifferentiableOpInterface::ExternalModel<Factor<OpT, factor>, OpT> {
  LogicalResult buildVjp(Operation *op, Vjp &v) const {
    v.add(0, v.g() * factor(v));
    return success();
  }
};

template <typename OpT, Term (*factor)(Vjp &)> void attachFactor(MLIRContext *context) {
  OpT::template attachInterface<Factor<OpT, factor>>(*context);
}

template <typename OpT, LogicalResult (*rule)(OpT, Vjp &)> void attachRule(MLIRContext *context) {
  OpT::template attachInterface<Model<OpT, rule>>(*context);
}

Term x(Vjp &v) { return v.operand(0); }
Term r(Vjp &v) { return v.result(); }

//===----------------------------------------------------------------------===//
// arith
//===----------------------------------------------------------------------===//

LogicalResult addF(arith::AddFOp, Vjp &v) {
  for (unsigned i : {0, 1})
    if (v.wants(i))
      v.add(i, v.g());
  return success();
}

LogicalResult subF(arith::SubFOp, Vjp &v) {
  if (v.wants(0))
    v.add(0, v.g());
  if (v.wants(1))
    v.add(1, -v.g());
  return success();
}

LogicalResult mulF(arith::MulFOp, Vjp &v) {
  if (v.wants(0))
    v.add(0, v.g() * v.operand(1));
  if (v.wants(1))
    v.add(1, v.g() * v.operand(0));
  return success();
}

LogicalResult divF(arith::DivFOp, Vjp &v) {
  if (v.wants(0))
    v.add(0, v.g() / v.operand(1));
  if (v.wants(1)) {
    Term y = v.operand(1);
    v.add(1, (-v.g() * v.operand(0)) / (y * y));
  }
  return success();
}

LogicalResult remF(arith::RemFOp, Vjp &v) {
  if (v.wants(0))
    v.add(0, v.g());
  if (v.wants(1)) {
    Term quotient = v.operand(0) / v.operand(1);
    v.add(1, -v.g() * (sign(quotient) * floor(abs(quotient))));
  }
  return success();
}

LogicalResult negF(arith::NegFOp, Vjp &v) {
  v.add(0, -v.g());
  return success();
}

template <typename OpT> LogicalResult extremum(OpT, Vjp &v) {
  for (unsigned i : {0, 1})
    if (v.wants(i))
      v.add(i, v.g() * share(v.operand(i), v.result(), v.operand(1 - i)));
  return success();
}

LogicalResult selectOp(arith::SelectOp op, Vjp &v) {
  Term condition = v.operand(0);
  for (unsigned i : {1, 2}) {
    if (!v.wants(i))
      continue;
    Term g = v.g(), zero = v.term(v.zeros(op.getResult()));
    v.add(i, i == 1 ? select(condition, g, zero) : select(condition, zero, g));
  }
  return success();
}

template <typename OpT> LogicalResult resize(OpT op, Vjp &v) {
  Type from = op.getIn().getType(), to = op.getType();
  if (isa<ShapedType>(from))
    return op.emitOpError("on tensors has no derivative that is known");
  Value g = v.cotangent();
  if (from.getIntOrFloatBitWidth() < to.getIntOrFloatBitWidth())
    v.add(0, v.create<arith::TruncFOp>(from, g));
  else
    v.add(0, v.create<arith::ExtFOp>(from, g));
  return success();
}

//===----------------------------------------------------------------------===//
// math
//===----------------------------------------------------------------------===//

LogicalResult powF(math::PowFOp, Vjp &v) {
  if (v.wants(0)) {
    Term y = v.operand(1);
    v.add(0, v.g() * (y * pow(v.operand(0), y - 1)));
  }
  if (v.wants(1)) {
    Term base = v.operand(0);
    Term safe = select(eq(base, constantLike(base, 0)), constantLike(base, 1), base);
    v.add(1, v.g() * (log(safe) * v.result()));
  }
  return success();
}

LogicalResult fpowI(math::FPowIOp op, Vjp &v) {
  // y * x ** (y - 1)
  Value y = v.operand(1);
  Value one = v.create<arith::ConstantOp>(v.b.getIntegerAttr(y.getType(), 1));
  Value less = v.create<arith::SubIOp>(y, one);
  Value power = v.create<math::FPowIOp>(v.operand(0).value, less);
  Value number = v.create<arith::SIToFPOp>(op.getType(), y);
  v.add(0, v.g() * (v.term(number) * v.term(power)));
  return success();
}

LogicalResult copySign(math::CopySignOp op, Vjp &v) {
  if (v.wants(0)) {
    // Turned round where the signs differ.
    Term one = constantLike(v.operand(0), 1);
    Value mine = v.create<math::CopySignOp>(one.value, v.operand(0).value);
    Value theirs = v.create<math::CopySignOp>(one.value, v.operand(1).value);
    v.add(0, v.g() * (v.term(mine) * v.term(theirs)));
  }
  return success();
}

LogicalResult atan2(math::Atan2Op, Vjp &v) {
  Term a = v.operand(0), c = v.operand(1);
  Term norm = a * a + c * c;
  if (v.wants(0))
    v.add(0, v.g() * (c / norm));
  if (v.wants(1))
    v.add(1, v.g() * (-a / norm));
  return success();
}

LogicalResult fma(math::FmaOp, Vjp &v) {
  if (v.wants(0))
    v.add(0, v.g() * v.operand(1));
  if (v.wants(1))
    v.add(1, v.g() * v.operand(0));
  if (v.wants(2))
    v.add(2, v.g());
  return success();
}

//===----------------------------------------------------------------------===//
// tensor
//===----------------------------------------------------------------------===//

SmallVector<Value> primals(Vjp &v, ValueRange values) {
  SmallVector<Value> found;
  for (Value value : values)
    found.push_back(v.primal(value));
  return found;
}

LogicalResult extract(tensor::ExtractOp op, Vjp &v) {
  RankedTensorType type = v.typeOf(0);
  if (type.getRank() == 0) {
    v.add(0, v.create<tensor::FromElementsOp>(type, v.cotangent()));
    return success();
  }
  SmallVector<Value> indices = primals(v, op.getIndices());
  Value total = v.partial(0);
  if (!total) {
    v.add(0, v.create<tensor::InsertOp>(v.cotangent(), v.zeros(op.getTensor()), indices));
    return success();
  }
  Value old = v.create<tensor::ExtractOp>(total, indices);
  v.replace(0, v.create<tensor::InsertOp>((v.term(old) + v.g()).value, total, indices));
  return success();
}

LogicalResult insert(tensor::InsertOp op, Vjp &v) {
  SmallVector<Value> indices = primals(v, op.getIndices());
  Value g = v.cotangent();
  if (v.wants(0))
    v.add(0, v.create<tensor::ExtractOp>(g, indices));
  if (v.wants(1))
    v.add(1, v.create<tensor::InsertOp>(v.zeros(op.getScalar()), g, indices));
  return success();
}

LogicalResult fromElements(tensor::FromElementsOp op, Vjp &v) {
  auto type = cast<RankedTensorType>(op.getType());
  SmallVector<int64_t> strides(type.getRank(), 1);
  for (int64_t d = type.getRank() - 2; d >= 0; --d)
    strides[d] = strides[d + 1] * type.getDimSize(d + 1);
  for (unsigned i = 0; i < op.getNumOperands(); ++i) {
    if (!v.wants(i))
      continue;
    SmallVector<Value> indices;
    for (int64_t d = 0; d < type.getRank(); ++d)
      indices.push_back(v.create<arith::ConstantIndexOp>(i / strides[d] % type.getDimSize(d)));
    v.add(i, v.create<tensor::ExtractOp>(v.cotangent(), indices));
  }
  return success();
}

LogicalResult castOp(tensor::CastOp op, Vjp &v) {
  v.add(0, v.cast(v.cotangent(), op.getSource().getType()));
  return success();
}

LogicalResult splat(tensor::SplatOp op, Vjp &v) {
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, cast<RankedTensorType>(op.getType()).getRank()));
  v.add(0, v.create<tensor::ExtractOp>(v.reduceSum(v.cotangent(), axes), ValueRange{}));
  return success();
}

/// Offsets and sizes of a slice, where the cotangents are computed.
template <typename OpT> SmallVector<SmallVector<OpFoldResult>> sliceOf(OpT op, Vjp &v) {
  SmallVector<SmallVector<OpFoldResult>> lists{op.getMixedOffsets(), op.getMixedSizes(), op.getMixedStrides()};
  for (SmallVector<OpFoldResult> &list : lists)
    for (OpFoldResult &entry : list)
      if (auto value = dyn_cast<Value>(entry))
        entry = v.primal(value);
  return lists;
}

LogicalResult extractSlice(tensor::ExtractSliceOp op, Vjp &v) {
  auto lists = sliceOf(op, v);
  Value total = v.partial(0), g = v.cotangent();
  if (!total) {
    v.add(0, v.create<tensor::InsertSliceOp>(g, v.zeros(op.getSource()), lists[0], lists[1], lists[2]));
    return success();
  }
  Value old = v.create<tensor::ExtractSliceOp>(op.getType(), total, lists[0], lists[1], lists[2]);
  v.replace(0, v.create<tensor::InsertSliceOp>((v.term(old) + v.term(g)).value, total, lists[0], lists[1], lists[2]));
  return success();
}

LogicalResult insertSlice(tensor::InsertSliceOp op, Vjp &v) {
  auto lists = sliceOf(op, v);
  Value g = v.cotangent();
  if (v.wants(0))
    v.add(0, v.create<tensor::ExtractSliceOp>(op.getSourceType(), g, lists[0], lists[1], lists[2]));
  if (v.wants(1))
    v.add(1, v.create<tensor::InsertSliceOp>(v.zeros(op.getSource()), g, lists[0], lists[1], lists[2]));
  return success();
}

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

Term absFactor(Vjp &v) {
  return select(lt(x(v), constantLike(x(v), 0)), constantLike(x(v), -1), constantLike(x(v), 1));
}
Term expFactor(Vjp &v) { return r(v); }
Term exp2Factor(Vjp &v) { return r(v) * 0.69314718055994530942; }
Term expm1Factor(Vjp &v) { return r(v) + 1; }
Term logFactor(Vjp &v) { return 1.0 / x(v); }
Term log2Factor(Vjp &v) { return 1.44269504088896340736 / x(v); }
Term log10Factor(Vjp &v) { return 0.43429448190325182765 / x(v); }
Term log1pFactor(Vjp &v) { return 1.0 / (x(v) + 1); }
Term sqrtFactor(Vjp &v) { return 0.5 / r(v); }
Term rsqrtFactor(Vjp &v) { return -0.5 * (r(v) / x(v)); }
Term cbrtFactor(Vjp &v) { return (1.0 / 3) * (r(v) / x(v)); }
Term sinFactor(Vjp &v) { return cos(x(v)); }
Term cosFactor(Vjp &v) { return -sin(x(v)); }
Term tanFactor(Vjp &v) { return 1 + r(v) * r(v); }
Term sinhFactor(Vjp &v) { return cosh(x(v)); }
Term coshFactor(Vjp &v) { return sinh(x(v)); }
Term tanhFactor(Vjp &v) { return 1 - r(v) * r(v); }
Term asinFactor(Vjp &v) { return rsqrt(1 - x(v) * x(v)); }
Term acosFactor(Vjp &v) { return -rsqrt(1 - x(v) * x(v)); }
Term atanFactor(Vjp &v) { return 1.0 / (1 + x(v) * x(v)); }
Term asinhFactor(Vjp &v) { return rsqrt(x(v) * x(v) + 1); }
Term acoshFactor(Vjp &v) { return rsqrt((x(v) - 1) * (x(v) + 1)); }
Term atanhFactor(Vjp &v) { return 1.0 / (1 - x(v) * x(v)); }
Term erfFactor(Vjp &v) { return 1.12837916709551257390 * exp(-(x(v) * x(v))); }
Term erfcFactor(Vjp &v) { return -1.12837916709551257390 * exp(-(x(v) * x(v))); }

} // namespace

void janus::registerUpstreamVjpModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, arith::ArithDialect *) {
    attachRule<arith::AddFOp, addF>(context);
    attachRule<arith::SubFOp, subF>(context);
    attachRule<arith::MulFOp, mulF>(context);
    attachRule<arith::DivFOp, divF>(context);
    attachRule<arith::RemFOp, remF>(context);
    attachRule<arith::NegFOp, negF>(context);
    attachRule<arith::MaximumFOp, extremum<arith::MaximumFOp>>(context);
    attachRule<arith::MinimumFOp, extremum<arith::MinimumFOp>>(context);
    attachRule<arith::MaxNumFOp, extremum<arith::MaxNumFOp>>(context);
    attachRule<arith::MinNumFOp, extremum<arith::MinNumFOp>>(context);
    attachRule<arith::SelectOp, selectOp>(context);
    attachRule<arith::ExtFOp, resize<arith::ExtFOp>>(context);
    attachRule<arith::TruncFOp, resize<arith::TruncFOp>>(context);
  });
  registry.addExtension(+[](MLIRContext *context, math::MathDialect *) {
    attachFactor<math::AbsFOp, absFactor>(context);
    attachFactor<math::ExpOp, expFactor>(context);
    attachFactor<math::Exp2Op, exp2Factor>(context);
    attachFactor<math::ExpM1Op, expm1Factor>(context);
    attachFactor<math::LogOp, logFactor>(context);
    attachFactor<math::Log2Op, log2Factor>(context);
    attachFactor<math::Log10Op, log10Factor>(context);
    attachFactor<math::Log1pOp, log1pFactor>(context);
    attachFactor<math::SqrtOp, sqrtFactor>(context);
    attachFactor<math::RsqrtOp, rsqrtFactor>(context);
    attachFactor<math::CbrtOp, cbrtFactor>(context);
    attachFactor<math::SinOp, sinFactor>(context);
    attachFactor<math::CosOp, cosFactor>(context);
    attachFactor<math::TanOp, tanFactor>(context);
    attachFactor<math::SinhOp, sinhFactor>(context);
    attachFactor<math::CoshOp, coshFactor>(context);
    attachFactor<math::TanhOp, tanhFactor>(context);
    attachFactor<math::AsinOp, asinFactor>(context);
    attachFactor<math::AcosOp, acosFactor>(context);
    attachFactor<math::AtanOp, atanFactor>(context);
    attachFactor<math::AsinhOp, asinhFactor>(context);
    attachFactor<math::AcoshOp, acoshFactor>(context);
    attachFactor<math::AtanhOp, atanhFactor>(context);
    attachFactor<math::ErfOp, erfFactor>(context);
    attachFactor<math::ErfcOp, erfcFactor>(context);
    attachRule<math::PowFOp, powF>(context);
    attachRule<math::FPowIOp, fpowI>(context);
    attachRule<math::CopySignOp, copySign>(context);
    attachRule<math::Atan2Op, atan2>(context);
    attachRule<math::FmaOp, fma>(context);
  });
  registry.addExtension(+[](MLIRContext *context, tensor::TensorDialect *) {
    attachRule<tensor::ExtractOp, extract>(context);
    attachRule<tensor::InsertOp, insert>(context);
    attachRule<tensor::FromElementsOp, fromElements>(context);
    attachRule<tensor::CastOp, castOp>(context);
    attachRule<tensor::SplatOp, splat>(context);
    attachRule<tensor::ExtractSliceOp, extractSlice>(context);
    attachRule<tensor::InsertSliceOp, insertSlice>(context);
  });
}
