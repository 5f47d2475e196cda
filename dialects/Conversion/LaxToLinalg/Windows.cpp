//===- Windows.cpp - Reductions over windows and their derivatives --------===//

#include "Conversion/LaxToLinalg/Lowering.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::lowering;

namespace {

//===----------------------------------------------------------------------===//
// Sliding windows
//===----------------------------------------------------------------------===//

struct WindowParameters {
  ArrayRef<int64_t> window, strides, padding, baseDilation, windowDilation;

  int64_t low(unsigned dim) const { return padding[2 * dim]; }
  int64_t high(unsigned dim) const { return padding[2 * dim + 1]; }
  bool isPadded() const {
    return llvm::any_of(padding, [](int64_t amount) { return amount > 0; }) ||
           llvm::any_of(baseDilation, [](int64_t dilation) { return dilation != 1; });
  }
  int64_t countElements() const {
    int64_t count = 1;
    for (int64_t size : window)
      count *= size;
    return count;
  }

  Value pad(OpBuilder &b, Location loc, Value tensor, Value element) const {
    SmallVector<OpFoldResult> lows, highs;
    SmallVector<int64_t> interior;
    for (unsigned dim = 0; dim < window.size(); ++dim) {
      lows.push_back(b.getIndexAttr(low(dim)));
      highs.push_back(b.getIndexAttr(high(dim)));
      interior.push_back(baseDilation[dim] - 1);
    }
    return padTensor(b, loc, tensor, element, lows, highs, interior);
  }
};

/// The loops of a reduction over the windows of a padded tensor: over the result, then over the window dims longer
/// than one. The latter need an operand that has their sizes.
struct WindowLoops {
  Sizes sizes;
  SmallVector<utils::IteratorType> iterators;
  AffineMap inputMap, windowMap, resultMap;
  Value windowOperand;
  /// For each dim the loop within the window, or none.
  SmallVector<std::optional<unsigned>> windowLoop;

  WindowLoops(OpBuilder &b, Location loc, Value padded, const WindowParameters &p) {
    MLIRContext *context = b.getContext();
    unsigned rank = p.window.size();
    Sizes input = tensor::getMixedSizes(b, loc, padded);
    OpFoldResult one = b.getIndexAttr(1);
    iterators.assign(rank, utils::IteratorType::parallel);
    SmallVector<AffineExpr> inputExprs, windowExprs, resultExprs;
    Sizes windowSizes;
    for (unsigned dim = 0; dim < rank; ++dim) {
      int64_t reach = (p.window[dim] - 1) * p.windowDilation[dim] + 1;
      OpFoldResult room = subSizes(b, loc, input[dim], b.getIndexAttr(reach));
      OpFoldResult steps = divSizes(b, loc, room, b.getIndexAttr(p.strides[dim]));
      sizes.push_back(maxSizes(b, loc, addSizes(b, loc, steps, one), b.getIndexAttr(0)));
      resultExprs.push_back(getAffineDimExpr(dim, context));
      AffineExpr place = resultExprs.back() * p.strides[dim];
      windowLoop.push_back(std::nullopt);
      if (p.window[dim] != 1) {
        windowLoop.back() = iterators.size();
        AffineExpr step = getAffineDimExpr(iterators.size(), context);
        iterators.push_back(utils::IteratorType::reduction);
        windowExprs.push_back(step);
        windowSizes.push_back(b.getIndexAttr(p.window[dim]));
        place = place + step * p.windowDilation[dim];
      }
      inputExprs.push_back(place);
    }
    unsigned loops = iterators.size();
    inputMap = AffineMap::get(loops, 0, inputExprs, context);
    windowMap = AffineMap::get(loops, 0, windowExprs, context);
    resultMap = AffineMap::get(loops, 0, resultExprs, context);
    windowOperand = emptyTensor(b, loc, windowSizes, getElementTypeOrSelf(padded.getType()));
  }
};

/// Whether a result of these sizes has no elements: then there are no windows, and its operand may be too small for
/// one.
bool isEmpty(ArrayRef<OpFoldResult> sizes) { return llvm::any_of(sizes, isZeroInteger); }

struct LowerWindowReduction : public OpInterfaceConversionPattern<lax::WindowReductionOpInterface> {
  using OpInterfaceConversionPattern::OpInterfaceConversionPattern;

  LogicalResult matchAndRewrite(lax::WindowReductionOpInterface op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op->getLoc();
    Type original = getElementTypeOrSelf(op.getInput().getType());
    if (!original.isIntOrFloat())
      return op->emitOpError("on complex numbers has no lowering to linalg");
    WindowParameters p{op.getWindowDimensions(), op.getWindowStrides(), op.getPadding(), op.getBaseDilation(),
                       op.getWindowDilation()};
    lax::Combiner combiner = op.getCombiner();
    TypedAttr neutral = neutralElement(rewriter, combiner, original);
    Value element = constantScalar(rewriter, loc, neutral);
    ScalarBuilder s(rewriter, loc);
    Value padded =
        p.pad(rewriter, loc, operands[0], castFloat(s, element, getElementTypeOrSelf(operands[0].getType())));
    WindowLoops loops(rewriter, loc, padded, p);
    auto type = cast<RankedTensorType>(getTypeConverter()->convertType(op->getResult(0).getType()));
    if (isEmpty(loops.sizes)) {
      rewriter.replaceOp(
          op, castTensor(rewriter, loc, emptyTensor(rewriter, loc, loops.sizes, type.getElementType()), type));
      return success();
    }
    Value init = filledTensor(rewriter, loc, loops.sizes, element);
    Value result =
        buildGeneric(rewriter, loc, {padded, loops.windowOperand}, init,
                     {loops.inputMap, loops.windowMap, loops.resultMap}, loops.iterators,
                     [&](OpBuilder &builder, Location loc, ValueRange args) {
                       ScalarBuilder b(builder, loc);
                       Value value = castFloat(b, args[0], args[2].getType());
                       linalg::YieldOp::create(builder, loc, combineScalars(b, combiner, value, args[2], original));
                     })
            .getResult(0);
    result = convertFloatTensor(rewriter, loc, result, type.getElementType());
    rewriter.replaceOp(op, castTensor(rewriter, loc, result, type));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Selection in windows
//===----------------------------------------------------------------------===//

/// What the selected element of each window stands for: an element of another tensor, or its place in the window.
struct Selection {
  Value payload;
  /// Whether there was anything but padding; null if there always is.
  Value found;
};

/// Scans each window in order. The first element is selected, and from then on each one that the selected one does
/// not equal or beat. Without `other`, the payload is the row-major place in the window, as i32.
Selection selectInWindows(OpBuilder &b, Location loc, Value operand, Type original, Value other, bool greatest,
                          const WindowParameters &p) {
  Type stored = getElementTypeOrSelf(operand.getType()), i8 = b.getI8Type();
  Type payloadType = other ? getElementTypeOrSelf(other.getType()) : b.getI32Type();
  Sizes operandSizes = tensor::getMixedSizes(b, loc, operand);
  bool padded = p.isPadded();
  Value zero = zeroScalar(b, loc, stored);
  Value input = p.pad(b, loc, operand, zero);
  WindowLoops loops(b, loc, input, p);

  SmallVector<Value> inputs = {input, loops.windowOperand};
  SmallVector<AffineMap> maps = {loops.inputMap, loops.windowMap};
  if (other) {
    inputs.push_back(p.pad(b, loc, other, zero));
    maps.push_back(loops.inputMap);
  }
  TypedAttr worst = neutralElement(b, greatest ? lax::Combiner::Max : lax::Combiner::Min, original);
  SmallVector<Value> outputs = {filledTensor(b, loc, loops.sizes, constantScalar(b, loc, worst)),
                                filledTensor(b, loc, loops.sizes, zeroScalar(b, loc, payloadType)),
                                filledTensor(b, loc, loops.sizes, zeroScalar(b, loc, i8))};
  if (isEmpty(loops.sizes))
    return {outputs[1], Value()};
  maps.append(3, loops.resultMap);
  linalg::GenericOp generic = buildGeneric(
      b, loc, inputs, outputs, maps, loops.iterators, [&](OpBuilder &builder, Location loc, ValueRange args) {
        ScalarBuilder s(builder, loc);
        Value best = args[inputs.size()], payload = args[inputs.size() + 1], found = args[inputs.size() + 2];
        Value element = castFloat(s, args[0], best.getType());
        Value inside = s.constant(builder.getI1Type(), APInt(1, 1));
        Value flat = s.index(0);
        for (unsigned dim = 0; dim < p.window.size(); ++dim) {
          Value place = s.mul(s.create<linalg::IndexOp>(dim), s.index(p.strides[dim]));
          if (std::optional<unsigned> loop = loops.windowLoop[dim]) {
            Value step = s.create<linalg::IndexOp>(*loop);
            flat = s.add(s.mul(flat, s.index(p.window[dim])), step);
            place = s.add(place, s.mul(step, s.index(p.windowDilation[dim])));
          }
          if (p.low(dim) <= 0 && p.high(dim) <= 0 && p.baseDilation[dim] == 1)
            continue;
          // Padding is never selected.
          Value shifted = s.sub(place, s.index(p.low(dim)));
          Value dilation = s.index(p.baseDilation[dim]);
          Value span = s.mul(toIndexValue(builder, loc, operandSizes[dim]), dilation);
          Value within = s.create<arith::AndIOp>(s.cmpi(arith::CmpIPredicate::sge, shifted, s.index(0)),
                                                 s.cmpi(arith::CmpIPredicate::slt, shifted, span));
          inside = s.create<arith::AndIOp>(inside, within);
          if (p.baseDilation[dim] != 1) {
            Value rest = s.create<arith::RemSIOp>(shifted, dilation);
            inside = s.create<arith::AndIOp>(inside, s.cmpi(arith::CmpIPredicate::eq, rest, s.index(0)));
          }
        }
        Value keeps;
        if (isa<FloatType>(element.getType()))
          keeps = s.cmpf(greatest ? arith::CmpFPredicate::OGE : arith::CmpFPredicate::OLE, best, element);
        else if (isUnsignedOrBool(original))
          keeps = s.cmpi(greatest ? arith::CmpIPredicate::uge : arith::CmpIPredicate::ule, best, element);
        else
          keeps = s.cmpi(greatest ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sle, best, element);
        Value none = s.cmpi(arith::CmpIPredicate::eq, found, s.intConstant(i8, 0));
        Value yes = s.constant(builder.getI1Type(), APInt(1, 1));
        Value replaces = s.create<arith::OrIOp>(none, s.create<arith::XOrIOp>(keeps, yes));
        replaces = s.create<arith::AndIOp>(replaces, inside);
        Value candidate = other ? args[2] : s.create<arith::IndexCastOp>(payloadType, flat);
        SmallVector<Value> results = {s.select(replaces, element, best), s.select(replaces, candidate, payload),
                                      s.select(inside, s.intConstant(i8, 1), found)};
        linalg::YieldOp::create(builder, loc, results);
      });
  return {generic.getResult(1), padded ? generic.getResult(2) : Value()};
}

struct LowerSelectAndGatherAdd : public LaxPattern<lax::SelectAndGatherAddOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::SelectAndGatherAddOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    WindowParameters p{op.getWindowDimensions(), op.getWindowStrides(), op.getPadding(), op.getBaseDilation(),
                       op.getWindowDilation()};
    Selection selection = selectInWindows(rewriter, op.getLoc(), adaptor.getOperand(), elementType(op.getOperand()),
                                          adaptor.getTangents(), op.getSelectPrim() == "ge", p);
    rewriter.replaceOp(op, castTensor(rewriter, op.getLoc(), selection.payload, convertedType(op.getResult())));
    return success();
  }
};

struct LowerSelectAndScatterAdd : public LaxPattern<lax::SelectAndScatterAddOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::SelectAndScatterAddOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    SmallVector<int64_t> ones(op.getWindowDimensions().size(), 1);
    WindowParameters p{op.getWindowDimensions(), op.getWindowStrides(), op.getPadding(), ones, ones};
    Selection selection = selectInWindows(rewriter, op.getLoc(), adaptor.getOperand(), elementType(op.getOperand()),
                                          Value(), op.getSelectPrim() == "ge", p);
    auto operandType = cast<RankedTensorType>(adaptor.getOperand().getType());
    bool unpadded = llvm::all_of(op.getPadding(), [](int64_t amount) { return amount == 0; });
    bool apart = op.getWindowDimensions() == op.getWindowStrides() && unpadded && operandType.hasStaticShape() &&
                 cast<RankedTensorType>(adaptor.getSource().getType()).hasStaticShape();
    Value result = apart ? placeApart(op, adaptor, selection, rewriter) : scatter(op, adaptor, selection, p, rewriter);
    rewriter.replaceOp(op, castTensor(rewriter, op.getLoc(), result, convertedType(op.getResult())));
    return success();
  }

private:
  /// Windows that do not overlap: each element of the result belongs to one window, and looks whether it is selected.
  static Value placeApart(lax::SelectAndScatterAddOp op, OpAdaptor adaptor, const Selection &selection, OpBuilder &b) {
    Location loc = op.getLoc();
    MLIRContext *context = b.getContext();
    ArrayRef<int64_t> window = op.getWindowDimensions();
    Sizes source = tensor::getMixedSizes(b, loc, adaptor.getSource()), sizes;
    SmallVector<AffineExpr> sourceExprs;
    SmallVector<std::optional<unsigned>> windowLoop;
    SmallVector<ReassociationIndices> groups;
    for (unsigned dim = 0; dim < window.size(); ++dim) {
      sourceExprs.push_back(getAffineDimExpr(sizes.size(), context));
      groups.push_back({static_cast<int64_t>(sizes.size())});
      sizes.push_back(source[dim]);
      windowLoop.push_back(std::nullopt);
      if (window[dim] == 1)
        continue;
      windowLoop.back() = sizes.size();
      groups.back().push_back(sizes.size());
      sizes.push_back(b.getIndexAttr(window[dim]));
    }
    unsigned loops = sizes.size();
    AffineMap sourceMap = AffineMap::get(loops, 0, sourceExprs, context);
    SmallVector<utils::IteratorType> iterators(loops, utils::IteratorType::parallel);
    Type stored = getElementTypeOrSelf(adaptor.getSource().getType());
    Value output = emptyTensor(b, loc, sizes, stored);
    Value placed =
        buildGeneric(b, loc, {adaptor.getSource(), selection.payload}, output,
                     {sourceMap, sourceMap, b.getMultiDimIdentityMap(loops)}, iterators,
                     [&](OpBuilder &builder, Location loc, ValueRange args) {
                       ScalarBuilder s(builder, loc);
                       Value flat = s.index(0);
                       for (unsigned dim = 0; dim < window.size(); ++dim)
                         if (windowLoop[dim])
                           flat = s.add(s.mul(flat, s.index(window[dim])), s.create<linalg::IndexOp>(*windowLoop[dim]));
                       Value place = s.create<arith::IndexCastOp>(args[1].getType(), flat);
                       Value here = s.cmpi(arith::CmpIPredicate::eq, place, args[1]);
                       Value zero = s.constant(stored, 0.0);
                       linalg::YieldOp::create(builder, loc, s.select(here, args[0], zero));
                     })
            .getResult(0);
    if (loops != window.size())
      placed = tensor::CollapseShapeOp::create(b, loc, placed, groups);
    // What no window covers is zero.
    Sizes all = tensor::getMixedSizes(b, loc, adaptor.getOperand());
    SmallVector<OpFoldResult> low(window.size(), b.getIndexAttr(0)), high;
    Sizes covered = tensor::getMixedSizes(b, loc, placed);
    for (auto [whole, part] : llvm::zip_equal(all, covered))
      high.push_back(subSizes(b, loc, whole, part));
    SmallVector<int64_t> interior(window.size(), 0);
    return padTensor(b, loc, placed, zeroScalar(b, loc, stored), low, high, interior);
  }

  static Value scatter(lax::SelectAndScatterAddOp op, OpAdaptor adaptor, const Selection &selection,
                       const WindowParameters &p, OpBuilder &b) {
    Location loc = op.getLoc();
    Type stored = getElementTypeOrSelf(adaptor.getOperand().getType());
    Sizes sizes = tensor::getMixedSizes(b, loc, adaptor.getOperand());
    Value zeros = filledTensor(b, loc, sizes, zeroScalar(b, loc, stored));
    Sizes bounds = tensor::getMixedSizes(b, loc, adaptor.getSource());
    auto addTo = [&](OpBuilder &builder, Location loc, ValueRange at, Value tensor) -> Value {
      ScalarBuilder s(builder, loc);
      Value rest =
          s.create<arith::IndexCastOp>(builder.getIndexType(), extractScalar(builder, loc, selection.payload, at));
      SmallVector<Value> target(p.window.size());
      for (int64_t dim = p.window.size() - 1; dim >= 0; --dim) {
        Value place = s.sub(s.mul(at[dim], s.index(p.strides[dim])), s.index(p.low(dim)));
        if (p.window[dim] != 1) {
          Value size = s.index(p.window[dim]);
          place = s.add(place, s.create<arith::RemUIOp>(rest, size));
          rest = s.create<arith::DivUIOp>(rest, size);
        }
        target[dim] = place;
      }
      Type wide = accumulatorType(stored);
      Value old = castFloat(s, extractScalar(builder, loc, tensor, target), wide);
      Value added = castFloat(s, extractScalar(builder, loc, adaptor.getSource(), at), wide);
      return tensor::InsertOp::create(builder, loc, castFloat(s, s.add(old, added), stored), tensor, target);
    };
    return buildLoops(
        b, loc, bounds, zeros,
        [&](OpBuilder &b, Location loc, ValueRange ivs, ValueRange carried) -> SmallVector<Value> {
          if (!selection.found)
            return {addTo(b, loc, ivs, carried[0])};
          ScalarBuilder s(b, loc);
          Value found = extractScalar(b, loc, selection.found, ivs);
          Value any = s.cmpi(arith::CmpIPredicate::ne, found, s.intConstant(found.getType(), 0));
          auto choice = scf::IfOp::create(
              b, loc, any,
              [&](OpBuilder &b, Location loc) { scf::YieldOp::create(b, loc, addTo(b, loc, ivs, carried[0])); },
              [&](OpBuilder &b, Location loc) { scf::YieldOp::create(b, loc, carried[0]); });
          return {choice.getResult(0)};
        })[0];
  }
};

} // namespace

void lowering::populateWindowPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerWindowReduction, LowerSelectAndGatherAdd, LowerSelectAndScatterAdd>(converter,
                                                                                        patterns.getContext());
}
