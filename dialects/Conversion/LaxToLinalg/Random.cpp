//===- Random.cpp - The generator under jax.random ------------------------===//

#include "Conversion/LaxToLinalg/Lowering.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::lowering;

namespace {

/// Threefry-2x32 with 20 rounds on scalars: five times four rounds, each time followed by the injection of key words.
std::pair<Value, Value> buildThreefry(ScalarBuilder &b, Value key0, Value key1, Value x0, Value x1) {
  constexpr unsigned rotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  Type type = x0.getType();
  auto rotate = [&](Value value, unsigned amount) {
    Value left = b.create<arith::ShLIOp>(value, b.intConstant(type, amount));
    return b.create<arith::OrIOp>(left, b.create<arith::ShRUIOp>(value, b.intConstant(type, 32 - amount)));
  };
  Value parity = b.create<arith::XOrIOp>(b.create<arith::XOrIOp>(key0, key1), b.intConstant(type, 0x1BD11BDA));
  Value keys[3] = {key0, key1, parity};
  x0 = b.add(x0, key0);
  x1 = b.add(x1, key1);
  for (unsigned group = 0; group < 5; ++group) {
    for (unsigned rotation : rotations[group % 2]) {
      x0 = b.add(x0, x1);
      x1 = b.create<arith::XOrIOp>(rotate(x1, rotation), x0);
    }
    x0 = b.add(x0, keys[(group + 1) % 3]);
    x1 = b.add(b.add(x1, keys[(group + 2) % 3]), b.intConstant(type, group + 1));
  }
  return {x0, x1};
}

struct LowerThreefry : public LaxPattern<lax::Threefry2x32Op> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::Threefry2x32Op op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = convertedType(op.getOut0());
    Sizes sizes = tensor::getMixedSizes(rewriter, loc, adaptor.getX0());
    SmallVector<Value> outputs(2);
    for (Value &output : outputs)
      output = emptyTensor(rewriter, loc, sizes, type.getElementType());
    SmallVector<AffineMap> maps(6, rewriter.getMultiDimIdentityMap(type.getRank()));
    SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
    linalg::GenericOp generic = buildGeneric(rewriter, loc, adaptor.getOperands(), outputs, maps, iterators,
                                             [](OpBuilder &builder, Location loc, ValueRange args) {
                                               ScalarBuilder b(builder, loc);
                                               auto [out0, out1] = buildThreefry(b, args[0], args[1], args[2], args[3]);
                                               linalg::YieldOp::create(builder, loc, ValueRange{out0, out1});
                                             });
    rewriter.replaceOp(op, {castTensor(rewriter, loc, generic.getResult(0), type),
                            castTensor(rewriter, loc, generic.getResult(1), type)});
    return success();
  }
};

} // namespace

void lowering::populateRandomPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerThreefry>(converter, patterns.getContext());
}
