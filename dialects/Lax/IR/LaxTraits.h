//===- LaxTraits.h - Traits and vocabulary of lax ops -----------*- C++ -*-===//

#ifndef LAX_IR_LAXTRAITS_H
#define LAX_IR_LAXTRAITS_H

#include "mlir/IR/OpDefinition.h"

namespace mlir::lax {

/// What combines two elements in reductions, scans, windows and scatters. For bools, Add and Mul do not occur, and
/// Max and Min are Or and And.
enum class Combiner {
  Add,
  Sub, // scatters only: old - update
  Mul,
  Max, // NaN if either is NaN
  Min, // NaN if either is NaN
  And,
  Or,
  Xor,
  LogAddExp, // cumlogsumexp only: log(exp(a) + exp(b))
  Replace,   // scatters only: the update
};

/// The op has no derivative, or one that is zero everywhere.
template <typename ConcreteType>
class NotDifferentiable : public OpTrait::TraitBase<ConcreteType, NotDifferentiable> {};

/// The reverse rule of the op is written in TableGen.
template <typename ConcreteType> class HasVjpRule : public OpTrait::TraitBase<ConcreteType, HasVjpRule> {};

class Vjp;

namespace detail {
LogicalResult verifyReduction(Operation *op);
LogicalResult verifyCumulative(Operation *op);
LogicalResult verifyWindowReduction(Operation *op);
LogicalResult verifyScatter(Operation *op);
} // namespace detail

} // namespace mlir::lax

#endif // LAX_IR_LAXTRAITS_H
