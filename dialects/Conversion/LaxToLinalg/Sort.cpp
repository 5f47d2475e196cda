//===- Sort.cpp - sort and top_k ------------------------------------------===//
//
// A stable bottom-up merge sort of each row. The rows being sorted lie in one buffer per operand, of size 2 x n: each
// pass reads one half and writes the other, so that the loops carry one tensor that bufferises in place.
//
//===----------------------------------------------------------------------===//

#include "Conversion/LaxToLinalg/Lowering.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::lowering;

namespace {

class RowSorter {
public:
  RowSorter(ValueRange operands, ArrayRef<Type> originals, unsigned dim, unsigned keys, bool descending)
      : operands(operands), originals(originals), dim(dim), keys(keys), descending(descending) {}

  SmallVector<Value> build(OpBuilder &b, Location loc) {
    Sizes sizes = tensor::getMixedSizes(b, loc, operands[0]);
    length = toIndexValue(b, loc, sizes[dim]);
    Sizes rows = sizes;
    rows.erase(rows.begin() + dim);
    // Rows are sorted in place. The buffers are filled: two loop-carried tensors may not start from one `tensor.empty`,
    // whose content is undefined and which bufferisation would therefore let them share.
    SmallVector<Value> carried(operands);
    for (Value operand : operands) {
      Value zero = zeroScalar(b, loc, getElementTypeOrSelf(operand.getType()));
      carried.push_back(filledTensor(b, loc, {b.getIndexAttr(2), sizes[dim]}, zero));
    }
    SmallVector<Value> results =
        buildLoops(b, loc, rows, carried, [&](OpBuilder &b, Location loc, ValueRange ivs, ValueRange state) {
          return sortRow(b, loc, ivs, state);
        });
    results.truncate(operands.size());
    return results;
  }

private:
  SmallVector<Value> rowIndex(ValueRange ivs, Value step) const {
    SmallVector<Value> at(ivs);
    at.insert(at.begin() + dim, step);
    return at;
  }

  SmallVector<Value> sortRow(OpBuilder &b, Location loc, ValueRange ivs, ValueRange state) {
    size_t count = operands.size();
    ValueRange results = state.take_front(count), buffers = state.drop_front(count);
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    SmallVector<Value> loaded = buildLoops(
        b, loc, OpFoldResult(length), buffers,
        [&](OpBuilder &b, Location loc, ValueRange step, ValueRange carried) -> SmallVector<Value> {
          SmallVector<Value> next;
          for (auto [rows, buffer] : llvm::zip_equal(results, carried))
            next.push_back(tensor::InsertOp::create(b, loc, extractScalar(b, loc, rows, rowIndex(ivs, step[0])), buffer,
                                                    ValueRange{zero, step[0]}));
          return next;
        });

    // Runs of `width` are merged in pairs, from half `side` of the buffers into the other.
    SmallVector<Value> inits = {arith::ConstantIndexOp::create(b, loc, 1), zero};
    llvm::append_range(inits, loaded);
    auto loop = scf::WhileOp::create(
        b, loc, TypeRange(ValueRange(inits)), inits,
        [&](OpBuilder &b, Location loc, ValueRange args) {
          Value more = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, args[0], length);
          scf::ConditionOp::create(b, loc, more, args);
        },
        [&](OpBuilder &builder, Location loc, ValueRange args) {
          ScalarBuilder b(builder, loc);
          Value two = b.index(2), width = args[0], side = args[1];
          Value other = b.sub(b.index(1), side), pair = b.mul(width, two);
          SmallVector<Value> next = {pair, other};
          auto pass =
              scf::ForOp::create(builder, loc, b.index(0), length, pair, args.drop_front(2),
                                 [&](OpBuilder &b, Location loc, Value first, ValueRange carried) {
                                   scf::YieldOp::create(b, loc, mergePair(b, loc, first, width, side, other, carried));
                                 });
          llvm::append_range(next, pass.getResults());
          scf::YieldOp::create(builder, loc, next);
        });

    Value side = loop.getResult(1);
    ValueRange sorted = loop.getResults().drop_front(2);
    SmallVector<Value> stored = buildLoops(
        b, loc, OpFoldResult(length), results,
        [&](OpBuilder &b, Location loc, ValueRange step, ValueRange carried) -> SmallVector<Value> {
          SmallVector<Value> next;
          for (auto [result, buffer] : llvm::zip_equal(carried, sorted))
            next.push_back(tensor::InsertOp::create(b, loc, extractScalar(b, loc, buffer, ValueRange{side, step[0]}),
                                                    result, rowIndex(ivs, step[0])));
          return next;
        });
    llvm::append_range(stored, sorted);
    return stored;
  }

  /// Merges [first, first + width) and [first + width, first + 2 width), both cut at the length.
  SmallVector<Value> mergePair(OpBuilder &builder, Location loc, Value first, Value width, Value side, Value other,
                               ValueRange buffers) {
    ScalarBuilder b(builder, loc);
    using arith::CmpIPredicate;
    Value middle = b.create<arith::MinSIOp>(b.add(first, width), length);
    Value end = b.create<arith::MinSIOp>(b.add(middle, width), length);
    Value last = b.sub(length, b.index(1));
    SmallVector<Value> inits = {first, middle};
    llvm::append_range(inits, buffers);
    auto loop = scf::ForOp::create(
        builder, loc, first, end, b.index(1), inits,
        [&](OpBuilder &builder, Location loc, Value to, ValueRange carried) {
          ScalarBuilder b(builder, loc);
          Value i = carried[0], j = carried[1];
          ValueRange buffers = carried.drop_front(2);
          // An exhausted run is still read, within the buffer, and not used.
          Value iSafe = b.create<arith::MinSIOp>(i, last), jSafe = b.create<arith::MinSIOp>(j, last);
          SmallVector<Value> left, right;
          for (Value buffer : buffers) {
            left.push_back(extractScalar(builder, loc, buffer, ValueRange{side, iSafe}));
            right.push_back(extractScalar(builder, loc, buffer, ValueRange{side, jSafe}));
          }
          Value hasLeft = b.cmpi(CmpIPredicate::slt, i, middle), noRight = b.cmpi(CmpIPredicate::sge, j, end);
          Value yes = b.constant(builder.getI1Type(), APInt(1, 1));
          Value ordered = b.create<arith::XOrIOp>(precedes(b, right, left), yes);
          Value takeLeft = b.create<arith::AndIOp>(hasLeft, b.create<arith::OrIOp>(noRight, ordered));
          Value step = b.create<arith::IndexCastUIOp>(builder.getIndexType(), takeLeft);
          SmallVector<Value> next = {b.add(i, step), b.add(j, b.sub(b.index(1), step))};
          for (auto [buffer, x, y] : llvm::zip_equal(buffers, left, right))
            next.push_back(
                tensor::InsertOp::create(builder, loc, b.select(takeLeft, x, y), buffer, ValueRange{other, to}));
          scf::YieldOp::create(builder, loc, next);
        });
    return llvm::to_vector(ValueRange(loop.getResults()).drop_front(2));
  }

  /// Whether the first keys come strictly before the second.
  Value precedes(ScalarBuilder &b, ArrayRef<Value> x, ArrayRef<Value> y) const {
    Value result;
    for (int64_t key = keys - 1; key >= 0; --key) {
      Value left = descending ? y[key] : x[key], right = descending ? x[key] : y[key];
      Value less, equal;
      if (isa<FloatType>(left.getType())) {
        // All NaNs are equal and above all numbers.
        Type wide = accumulatorType(left.getType());
        left = castFloat(b, left, wide);
        right = castFloat(b, right, wide);
        Value leftNaN = b.isNaN(left), rightNaN = b.isNaN(right);
        Value number = b.cmpf(arith::CmpFPredicate::ORD, left, left);
        less = b.create<arith::OrIOp>(b.cmpf(arith::CmpFPredicate::OLT, left, right),
                                      b.create<arith::AndIOp>(number, rightNaN));
        equal = b.create<arith::OrIOp>(b.cmpf(arith::CmpFPredicate::OEQ, left, right),
                                       b.create<arith::AndIOp>(leftNaN, rightNaN));
      } else {
        less = b.cmpi(isUnsignedOrBool(originals[key]) ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt, left,
                      right);
        equal = b.cmpi(arith::CmpIPredicate::eq, left, right);
      }
      result = result ? b.create<arith::OrIOp>(less, b.create<arith::AndIOp>(equal, result)) : less;
    }
    return result;
  }

  ValueRange operands;
  ArrayRef<Type> originals;
  unsigned dim, keys;
  bool descending;
  Value length;
};

struct LowerSort : public LaxPattern<lax::SortOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::SortOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    SmallVector<Type> originals;
    for (Value operand : op.getOperands())
      originals.push_back(elementType(operand));
    RowSorter sorter(adaptor.getOperands(), originals, op.getDimension(), op.getNumKeys(), /*descending=*/false);
    SmallVector<Value> results = sorter.build(rewriter, op.getLoc());
    for (auto [result, original] : llvm::zip_equal(results, op.getResults()))
      result = castTensor(rewriter, op.getLoc(), result, convertedType(original));
    rewriter.replaceOp(op, results);
    return success();
  }
};

/// A descending sort of values and indices, cut off after `k`.
struct LowerTopK : public LaxPattern<lax::TopKOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::TopKOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value operand = adaptor.getOperand();
    Sizes sizes = tensor::getMixedSizes(rewriter, loc, operand);
    Type i32 = rewriter.getI32Type();
    Value places =
        buildFromIndices(rewriter, loc, sizes, i32, [&](OpBuilder &b, Location loc, ValueRange indices) -> Value {
          return arith::IndexCastOp::create(b, loc, i32, indices[op.getAxis()]);
        });
    SmallVector<Type> originals = {elementType(op.getOperand()), i32};
    SmallVector<Value> pair = {operand, places};
    SmallVector<Value> results = RowSorter(pair, originals, op.getAxis(), 1, /*descending=*/true).build(rewriter, loc);
    sizes[op.getAxis()] = rewriter.getIndexAttr(op.getK());
    SmallVector<OpFoldResult> offsets(sizes.size(), rewriter.getIndexAttr(0));
    for (auto [result, original] : llvm::zip_equal(results, op.getResults())) {
      Value cut = extractSlice(rewriter, loc, result, offsets, sizes);
      result = castTensor(rewriter, loc, cut, convertedType(original));
    }
    rewriter.replaceOp(op, results);
    return success();
  }
};

} // namespace

void lowering::populateSortPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerSort, LowerTopK>(converter, patterns.getContext());
}
