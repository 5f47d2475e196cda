//===- LaxElementwiseVjp.cpp - Reverse rules of elementwise ops -----------===//
//
// Those that are no formula of operands, result and cotangent.
//
//===----------------------------------------------------------------------===//

#include "Lax/IR/LaxOps.h"
#include "Lax/IR/LaxVjp.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::lax;

LogicalResult ConvertElementTypeOp::buildVjp(Vjp &v) {
  Type from = getElementTypeOrSelf(getOperand().getType()), to = getElementTypeOrSelf(getType());
  if (v.wants(0) && isDifferentiable(to)) {
    if (isa<ComplexType>(from) != isa<ComplexType>(to) && isa<ComplexType>(to)) {
      // The real part of the cotangent.
      Value real = v.create<RealOp>(getType().clone(cast<ComplexType>(to).getElementType()), v.cotangent());
      v.add(0, v.convert(real, from));
    } else {
      v.add(0, v.convert(v.cotangent(), from));
    }
  }
  return success();
}

LogicalResult ReducePrecisionOp::buildVjp(Vjp &v) {
  v.add(0, v.create<ReducePrecisionOp>(getType(), v.cotangent(), getExponentBitsAttr(), getMantissaBitsAttr()));
  return success();
}

LogicalResult RealOp::buildVjp(Vjp &v) {
  v.add(0, v.create<ComplexOp>(getOperand().getType(), v.cotangent(), constantLike(v.g(), 0)));
  return success();
}

LogicalResult ImagOp::buildVjp(Vjp &v) {
  // Complex cotangents are those of JAX: not conjugated.
  v.add(0, v.create<ComplexOp>(getOperand().getType(), constantLike(v.g(), 0), -v.g()));
  return success();
}

LogicalResult ComplexOp::buildVjp(Vjp &v) {
  if (v.wants(0))
    v.add(0, v.create<RealOp>(getLhs().getType(), v.cotangent()));
  if (v.wants(1))
    v.add(1, v.create<ImagOp>(getLhs().getType(), -v.g()));
  return success();
}

LogicalResult IntegerPowOp::buildVjp(Vjp &v) {
  auto y = static_cast<int64_t>(getY());
  if (y == 1)
    v.add(0, v.g());
  else if (y != 0)
    v.add(0, v.g() * (integerPow(v.operand(0), y - 1) * double(y)));
  return success();
}

LogicalResult PowOp::buildVjp(Vjp &v) {
  Type element = getElementTypeOrSelf(getLhs().getType());
  bool integer = !isa<FloatType>(getElementTypeOrSelf(getRhs().getType()));
  if (v.wants(0)) {
    Term x = v.operand(0);
    if (integer) {
      // x ** n at n = 0 is 1 wherever x is: no derivative, x = 0 included.
      Value n = v.operand(1);
      Type type = n.getType();
      SmallVector<Value> sizes = v.dynamicSizes(getRhs());
      Value zero = v.constant(type, 0, sizes), one = v.constant(type, 1, sizes);
      Value less = v.create<SubOp>(type, n, one);
      Value power = v.create<PowOp>(x.value.getType(), x, less);
      Term product = v.term(v.convert(n, element)) * v.term(power);
      Value none = v.create<EqOp>(cast<RankedTensorType>(type).clone(v.b.getI1Type()), n, zero);
      v.add(0, v.g() * select(v.term(none), constantLike(x, 0), product));
    } else {
      Term y = v.operand(1);
      v.add(0, v.g() * (y * pow(x, y - 1)));
    }
  }
  if (!integer && v.wants(1)) {
    Term x = v.operand(0);
    Term safe = select(eq(x, constantLike(x, 0)), constantLike(x, 1), x);
    v.add(1, v.g() * (log(safe) * v.result()));
  }
  return success();
}

LogicalResult SelectNOp::buildVjp(Vjp &v) {
  for (auto [i, value] : llvm::enumerate(getCases())) {
    if (!v.wants(i + 1))
      continue;
    Term g = v.g();
    SmallVector<Value> cases(getCases().size(), constantLike(g, 0));
    cases[i] = g;
    v.add(i + 1, v.create<SelectNOp>(g.value.getType(), v.operand(0), cases));
  }
  return success();
}

LogicalResult ClampOp::buildVjp(Vjp &v) {
  if (v.wants(0)) {
    Term low = v.operand(0);
    v.add(0, select(both(gt(low, v.operand(1)), lt(low, v.operand(2))), v.g(), constantLike(v.g(), 0)));
  }
  if (v.wants(1)) {
    Term x = v.operand(1);
    v.add(1, select(both(gt(x, v.operand(0)), lt(x, v.operand(2))), v.g(), constantLike(v.g(), 0)));
  }
  if (v.wants(2))
    v.add(2, select(lt(v.operand(2), v.operand(1)), v.g(), constantLike(v.g(), 0)));
  return success();
}
