//===- Lowering.h - What the patterns of LaxToLinalg share ------*- C++ -*-===//

#ifndef CONVERSION_LAXTOLINALG_LOWERING_H
#define CONVERSION_LAXTOLINALG_LOWERING_H

#include "Lax/IR/LaxOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::janus::lowering {

/// Bool tensors become `i8`, unsigned integers signless.
class LaxTypeConverter : public TypeConverter {
public:
  LaxTypeConverter();
  /// The element type that tensors of `type` have afterwards.
  static Type convertElementType(Type type);
};

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

// A scalar body computes on *logical* scalars: a bool is an i1, an unsigned integer is signless, and the original
// element type, which says how to read it, is passed beside the value.

/// Builds scalar arithmetic at one location.
class ScalarBuilder {
public:
  ScalarBuilder(OpBuilder &builder, Location loc) : b(builder), loc(loc) {}

  template <typename OpT, typename... Args> Value create(Args &&...args) {
    return OpT::create(b, loc, std::forward<Args>(args)...);
  }

  Value constant(Type type, double value);
  Value constant(Type type, const APInt &value);
  Value constant(Type type, const APFloat &value);
  Value intConstant(Type type, int64_t value);
  Value index(int64_t value);

  /// Arithmetic that reads the type of its operands: float or integer.
  Value add(Value x, Value y);
  Value sub(Value x, Value y);
  Value mul(Value x, Value y);
  Value div(Value x, Value y);
  Value neg(Value x);
  Value select(Value condition, Value x, Value y);
  Value cmpf(arith::CmpFPredicate predicate, Value x, Value y);
  Value cmpi(arith::CmpIPredicate predicate, Value x, Value y);
  Value isNaN(Value x);
  /// Evaluates the polynomial with these coefficients, highest power first.
  Value polynomial(Value x, ArrayRef<double> coefficients);

  OpBuilder &b;
  Location loc;
};

bool isUnsignedOrBool(Type elementType);

/// Computes one element. `types` are the original element types of the operands, `result` that of the result.
using ScalarFn = Value (*)(ScalarBuilder &b, Operation *op, ValueRange args, ArrayRef<Type> types, Type result);

struct ScalarRule {
  ScalarFn build = nullptr;
  /// f16 and bf16 are computed in f32.
  bool widenHalf = true;
};

/// The rule of an elementwise op by its name without the dialect; null if there is none.
const ScalarRule *lookupScalarRule(StringRef mnemonic);
void addConversionRules(llvm::StringMap<ScalarRule> &rules);
void addSpecialRules(llvm::StringMap<ScalarRule> &rules);

/// The value of original element type `from` as one of `to`, by value.
Value convertScalar(ScalarBuilder &b, Value value, Type from, Type to);
/// Storage (i8 for bool) to logical scalar and back.
Value toLogical(ScalarBuilder &b, Value stored, Type original);
Value toStorage(ScalarBuilder &b, Value logical, Type original);

/// What reductions, scans, windows and scatters combine two elements with, on stored scalars: a byte that holds 0 or 1
/// stays one. `original` is the original element type.
Value combineScalars(ScalarBuilder &b, lax::Combiner combiner, Value x, Value y, Type original);
/// The neutral element of a combiner, in the stored accumulator type of `original`.
TypedAttr neutralElement(OpBuilder &b, lax::Combiner combiner, Type original);
/// The type in which elements of `original` are accumulated: f32 for narrower floats.
Type accumulatorType(Type original);
/// Widens or narrows between floats; nothing where the types agree.
Value castFloat(ScalarBuilder &b, Value value, Type type);

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

using Sizes = SmallVector<OpFoldResult>;
using BodyFn = function_ref<void(OpBuilder &, Location, ValueRange)>;

Value toIndexValue(OpBuilder &b, Location loc, OpFoldResult size);
/// Folding arithmetic on sizes.
OpFoldResult addSizes(OpBuilder &b, Location loc, OpFoldResult x, OpFoldResult y);
OpFoldResult subSizes(OpBuilder &b, Location loc, OpFoldResult x, OpFoldResult y);
OpFoldResult mulSizes(OpBuilder &b, Location loc, OpFoldResult x, OpFoldResult y);
/// Rounds to minus infinity; the divisor is positive.
OpFoldResult divSizes(OpBuilder &b, Location loc, OpFoldResult x, OpFoldResult y);
OpFoldResult maxSizes(OpBuilder &b, Location loc, OpFoldResult x, OpFoldResult y);

Value emptyTensor(OpBuilder &b, Location loc, ArrayRef<OpFoldResult> sizes, Type elementType);
Value filledTensor(OpBuilder &b, Location loc, ArrayRef<OpFoldResult> sizes, Value scalar);
Value constantScalar(OpBuilder &b, Location loc, TypedAttr value);
Value zeroScalar(OpBuilder &b, Location loc, Type type);
/// `value` with the given type, which differs at most in which dims are static.
Value castTensor(OpBuilder &b, Location loc, Value value, Type type);
/// The element of a tensor of rank 0, or at `indices`.
Value extractScalar(OpBuilder &b, Location loc, Value tensor, ValueRange indices = {});

/// The sizes of a result of type `type`: static ones from the type, dynamic ones from `dynamicDims` in order.
Sizes resultSizes(OpBuilder &b, RankedTensorType type, ValueRange dynamicDims);

/// One `linalg.generic`. Operands that lack some loop dims are broadcast by their maps.
linalg::GenericOp buildGeneric(OpBuilder &b, Location loc, ValueRange inputs, ValueRange outputs,
                               ArrayRef<AffineMap> maps, ArrayRef<utils::IteratorType> iterators, BodyFn body);
/// One `linalg.generic` without reductions, identity maps and a new output.
Value buildElementwise(OpBuilder &b, Location loc, ValueRange inputs, ArrayRef<OpFoldResult> sizes, Type elementType,
                       BodyFn body);
/// Every element computed from its index.
Value buildFromIndices(OpBuilder &b, Location loc, ArrayRef<OpFoldResult> sizes, Type elementType,
                       function_ref<Value(OpBuilder &, Location, ValueRange indices)> body);
/// `tensor` with its elements converted to the float type `elementType`.
Value convertFloatTensor(OpBuilder &b, Location loc, Value tensor, Type elementType);

/// `tensor` in a new shape with as many elements, in row-major order.
Value reshapeTensor(OpBuilder &b, Location loc, Value tensor, RankedTensorType type, ArrayRef<OpFoldResult> sizes);
/// Splits dim `dim` into `outer` times the rest.
Value splitDim(OpBuilder &b, Location loc, Value tensor, unsigned dim, int64_t outer);
/// Merges dims `dim` and `dim + 1`.
Value mergeDims(OpBuilder &b, Location loc, Value tensor, unsigned dim);

/// Dilates by `interior`, then pads with `low` and `high`, which may be negative.
Value padTensor(OpBuilder &b, Location loc, Value tensor, Value padding, ArrayRef<OpFoldResult> low,
                ArrayRef<OpFoldResult> high, ArrayRef<int64_t> interior);

/// A start index, a scalar of original type `original`, as an `index` in [0, `last`].
Value clampStart(OpBuilder &b, Location loc, Value start, Type original, OpFoldResult last);
/// `tensor` from `offsets` on, of the given sizes; strides are 1 if not given.
Value extractSlice(OpBuilder &b, Location loc, Value tensor, ArrayRef<OpFoldResult> offsets,
                   ArrayRef<OpFoldResult> sizes, ArrayRef<OpFoldResult> strides = {});
/// `tensor` with what lies at `offsets` replaced by `slice`.
Value insertSlice(OpBuilder &b, Location loc, Value slice, Value tensor, ArrayRef<OpFoldResult> offsets);

/// A nest of `scf.for` from zero to `bounds` in steps of one, with carried values.
SmallVector<Value>
buildLoops(OpBuilder &b, Location loc, ArrayRef<OpFoldResult> bounds, ValueRange inits,
           function_ref<SmallVector<Value>(OpBuilder &, Location, ValueRange ivs, ValueRange carried)> body);

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

/// The sum of products over the reduction iterators, as one `linalg.generic` into zeros of `sizes`, with the result
/// brought to `result`. Types are the original element types.
Value buildContraction(OpBuilder &b, Location loc, Value lhs, Value rhs, Type lhsOriginal, Type rhsOriginal,
                       Type result, ArrayRef<OpFoldResult> sizes, ArrayRef<AffineMap> maps,
                       ArrayRef<utils::IteratorType> iterators);

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

/// A pattern with access to the original types of the op.
template <typename OpT> class LaxPattern : public OpConversionPattern<OpT> {
public:
  using OpConversionPattern<OpT>::OpConversionPattern;
  using OpAdaptor = typename OpConversionPattern<OpT>::OpAdaptor;

protected:
  RankedTensorType convertedType(Value value) const {
    return cast<RankedTensorType>(this->getTypeConverter()->convertType(value.getType()));
  }
  static Type elementType(Value value) { return cast<ShapedType>(value.getType()).getElementType(); }
};

void populateTypeConversionPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns,
                                    ConversionTarget &target);
void populateElementwisePatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns);
void populateShapePatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns);
void populateSlicingPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns);
void populateGatherPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns);
void populateScatterPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns);
void populateReductionPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns);
void populateContractionPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns);
void populateConvolutionPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns);
void populateWindowPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns);
void populateSortPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns);
void populateRandomPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns);

} // namespace mlir::janus::lowering

#endif // CONVERSION_LAXTOLINALG_LOWERING_H
