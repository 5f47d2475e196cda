//===- ApproximateMath.cpp - Vectors of transcendental functions ----------===//

#include "Codegen/CPU/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::janus {
#define GEN_PASS_DEF_APPROXIMATEMATHPASS
#include "Codegen/CPU/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

/// Those whose approximations keep to a few units in the last place over the whole range, NaN and infinities included.
/// The others (sin and cos of large arguments lose all digits) stay calls.
constexpr StringLiteral kApproximated[] = {"math.exp", "math.log", "math.log1p", "math.expm1", "math.tanh", "math.erf"};

bool isApproximated(StringRef name) { return llvm::is_contained(kApproximated, name); }

/// The logarithm of a subnormal number: upstream's takes it to be the smallest normal one.
void scaleSubnormals(math::LogOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  Type type = op.getType();
  auto constant = [&](float value) -> Value {
    TypedAttr attr = b.getF32FloatAttr(value);
    if (auto shaped = dyn_cast<ShapedType>(type))
      attr = DenseElementsAttr::get(shaped, value);
    return arith::ConstantOp::create(b, loc, attr);
  };
  Value x = op.getOperand();
  Value isSmall = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, constant(0x1p-126f));
  Value scaled = arith::MulFOp::create(b, loc, x, constant(0x1p23f));
  op->setOperand(0, arith::SelectOp::create(b, loc, isSmall, scaled, x));
  b.setInsertionPointAfter(op);
  Value back = arith::SubFOp::create(b, loc, op.getResult(), constant(15.942385152878742f)); // 23 log 2
  Value result = arith::SelectOp::create(b, loc, isSmall, back, op.getResult());
  op.getResult().replaceUsesWithIf(result, [&](OpOperand &use) {
    return use.getOwner() != back.getDefiningOp() && use.getOwner() != result.getDefiningOp();
  });
}

/// Calls libm for each element. LLVM's intrinsics have no log1p and expm1, and upstream's lowering to log(1 + x) and
/// exp(x) - 1 loses the digits that the two functions exist for.
void callLibm(Operation *op, StringRef name, ModuleOp module) {
  OpBuilder b(op);
  Location loc = op->getLoc();
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  std::string symbol = (name + (element.isF32() ? "f" : "")).str();
  auto callee = module.lookupSymbol<func::FuncOp>(symbol);
  if (!callee) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    callee = func::FuncOp::create(b, loc, symbol, b.getFunctionType({element}, {element}));
    callee.setPrivate();
  }
  auto call = [&](Value x) { return func::CallOp::create(b, loc, callee, x).getResult(0); };
  auto type = dyn_cast<VectorType>(op->getResult(0).getType());
  Value result;
  if (type) {
    SmallVector<Value> elements;
    for (int64_t i = 0; i < type.getNumElements(); ++i)
      elements.push_back(call(vector::ExtractOp::create(b, loc, op->getOperand(0), i)));
    result = vector::FromElementsOp::create(b, loc, type, elements);
  } else {
    result = call(op->getOperand(0));
  }
  op->getResult(0).replaceAllUsesWith(result);
  op->erase();
}

class ApproximateMathPass : public janus::impl::ApproximateMathPassBase<ApproximateMathPass> {
  void runOnOperation() override {
    SmallVector<Operation *> approximated, narrow, calls;
    getOperation().walk([&](Operation *op) {
      if (!isApproximated(op->getName().getStringRef()))
        return;
      Type element = getElementTypeOrSelf(op->getResult(0).getType());
      if (element.isF32())
        approximated.push_back(op);
      else if (element.isF16() || element.isBF16())
        narrow.push_back(op);
      else if (isa<math::Log1pOp, math::ExpM1Op>(op))
        calls.push_back(op);
    });
    for (Operation *op : calls)
      callLibm(op, isa<math::Log1pOp>(op) ? "log1p" : "expm1", getOperation());
    for (Operation *op : approximated)
      if (auto log = dyn_cast<math::LogOp>(op))
        scaleSubnormals(log);
    approximated.append(narrow);
    if (approximated.empty())
      return;
    RewritePatternSet patterns(&getContext());
    populateMathF32ExpansionPatterns(patterns, isApproximated);
    populateMathPolynomialApproximationPatterns(patterns, isApproximated);
    GreedyRewriteConfig config;
    config.setStrictness(GreedyRewriteStrictness::ExistingAndNewOps).enableFolding(false);
    (void)applyOpPatternsGreedily(approximated, std::move(patterns), config);
  }
};

} // namespace
