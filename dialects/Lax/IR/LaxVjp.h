//===- LaxVjp.h - What reverse rules are written in -------------*- C++ -*-===//
//
// A rule gets a `Vjp`, which hands out cotangents and primal values and takes contributions. `Term` is a value with
// arithmetic: on tensors it builds lax ops, on scalars arith and math, so that one formula serves both.
//
//===----------------------------------------------------------------------===//

#ifndef LAX_IR_LAXVJP_H
#define LAX_IR_LAXVJP_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"

namespace mlir::lax {

class Vjp;

/// Whether values of `type` have cotangents: floats, complex numbers, and tensors of them.
bool isDifferentiable(Type type);

struct Term {
  Term(Vjp &vjp, Value value) : vjp(&vjp), value(value) {}
  operator Value() const { return value; }

  Vjp *vjp;
  Value value;
};

Term operator+(Term x, Term y);
Term operator-(Term x, Term y);
Term operator*(Term x, Term y);
Term operator/(Term x, Term y);
Term operator-(Term x);
Term operator+(Term x, double y);
Term operator-(Term x, double y);
Term operator*(Term x, double y);
Term operator/(Term x, double y);
Term operator+(double x, Term y);
Term operator-(double x, Term y);
Term operator*(double x, Term y);
Term operator/(double x, Term y);

Term abs(Term x);
Term conj(Term x);
Term cos(Term x);
Term cosh(Term x);
Term digamma(Term x);
Term exp(Term x);
Term floor(Term x);
Term integerPow(Term x, int64_t y);
Term log(Term x);
Term pow(Term x, Term y);
Term rsqrt(Term x);
Term sign(Term x);
Term sin(Term x);
Term sinh(Term x);
Term trigamma(Term x);
/// Comparisons, as bools of the shape of the operands.
Term eq(Term x, Term y);
Term lt(Term x, Term y);
Term gt(Term x, Term y);
Term both(Term x, Term y);
/// `x` where `condition`, else `y`. A scalar condition selects among tensors too.
Term select(Term condition, Term x, Term y);
/// What falls to `x` of the cotangent of max or min with result `r`: all, or half where `y` is equal.
Term share(Term x, Term r, Term y);
/// A constant of the type and shape of `like`.
Term constantLike(Term like, double value);

/// The reverse rule of one op at work. Primal values are those of the forward computation, brought to where the
/// cotangents are computed only when they are asked for: a rule asks for no more than it needs.
class Vjp {
public:
  Vjp(Operation *op, OpBuilder &builder) : op(op), b(builder), loc(op->getLoc()) {}
  virtual ~Vjp() = default;

  // Provided by the differentiation.

  /// A value of the forward computation.
  virtual Value primal(Value forward) = 0;
  /// The size of a dim of a tensor of the forward computation, without the tensor.
  virtual OpFoldResult size(Value forward, int64_t dim) = 0;
  /// Null if there is none.
  virtual Value cotangentOf(Value forward) = 0;
  virtual void setCotangent(Value forward, Value cotangent) = 0;
  virtual bool isActive(Value forward) = 0;

  // For rules.

  Term g(unsigned i = 0) { return {*this, cotangent(i)}; }
  Term operand(unsigned i) { return {*this, primal(op->getOperand(i))}; }
  Term result(unsigned i = 0) { return {*this, primal(op->getResult(i))}; }
  Term term(Value value) { return {*this, value}; }
  bool wants(unsigned i) { return isActive(op->getOperand(i)); }
  bool hasCotangent(unsigned i) { return bool(cotangentOf(op->getResult(i))); }
  /// The cotangent of a result, zeros if there is none.
  Value cotangent(unsigned i = 0);
  /// Adds to the cotangent of an operand.
  virtual void add(unsigned i, Value contribution) = 0;
  /// What the cotangent of an operand is so far, where it is worth updating in place; else null. Update it by
  /// `replace`.
  virtual Value partial(unsigned i) = 0;
  void replace(unsigned i, Value total) { setCotangent(op->getOperand(i), total); }

  RankedTensorType typeOf(unsigned i) { return llvm::cast<RankedTensorType>(op->getOperand(i).getType()); }
  SmallVector<OpFoldResult> sizes(Value forward);
  SmallVector<OpFoldResult> sizesOf(unsigned i) { return sizes(op->getOperand(i)); }
  /// The dynamic ones of the sizes of a forward tensor, as the `output_dims` of many ops.
  SmallVector<Value> dynamicSizes(Value forward);
  Value zeros(Value forward) { return filled(forward, 0); }
  Value filled(Value forward, double value);
  Value constant(Type type, double value, ArrayRef<Value> dynamicSizes = {});

  // Building blocks, on values that exist where the cotangents are computed.

  OpFoldResult sizeHere(Value tensor, int64_t dim);
  /// Arithmetic on sizes, folded.
  OpFoldResult plus(OpFoldResult x, OpFoldResult y);
  OpFoldResult minus(OpFoldResult x, OpFoldResult y);
  OpFoldResult times(OpFoldResult x, int64_t y);
  Value index(OpFoldResult size);
  SmallVector<Value> dynamic(ArrayRef<OpFoldResult> sizes);
  SmallVector<int64_t> statics(ArrayRef<OpFoldResult> sizes);
  Value broadcast(Value operand, ArrayRef<int64_t> dims, ArrayRef<OpFoldResult> sizes);
  Value transpose(Value operand, ArrayRef<int64_t> permutation);
  Value reshape(Value operand, ArrayRef<OpFoldResult> sizes);
  Value reduceSum(Value operand, ArrayRef<int64_t> axes);
  Value convert(Value operand, Type elementType);
  Value pad(Value operand, double value, ArrayRef<OpFoldResult> low, ArrayRef<OpFoldResult> high,
            ArrayRef<int64_t> interior);
  Value slice(Value operand, ArrayRef<OpFoldResult> starts, ArrayRef<OpFoldResult> limits, ArrayRef<int64_t> strides);
  Value cast(Value tensor, Type type);

  template <typename OpT, typename... Args> OpT create(Args &&...args) {
    return OpT::create(b, loc, std::forward<Args>(args)...);
  }

  Operation *op;
  OpBuilder &b;
  Location loc;
};

} // namespace mlir::lax

#endif // LAX_IR_LAXVJP_H
