//===- FoldAttributes.cpp - Reads that always found the same --------------===//

#include "Janus/Analysis/Frames.h"
#include "Janus/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

namespace mlir::janus {
#define GEN_PASS_DEF_FOLDATTRIBUTESPASS
#include "Janus/Transforms/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

struct FoldAttributesPass : public janus::impl::FoldAttributesPassBase<FoldAttributesPass> {
  using FoldAttributesPassBase::FoldAttributesPassBase;

  void runOnOperation() override {
    SmallVector<Operation *> reads;
    getOperation()->walk([&](Operation *op) {
      if (isa<GetAttrOp, GetItemOp, UnboxOp>(op) && op->hasAttr(kProfileAttr))
        reads.push_back(op);
    });
    for (Operation *read : reads) {
      FrameOp frame = findFrame(read);
      if (!frame)
        continue;
      Attribute profile = read->getAttr(kProfileAttr);
      if (auto object = dyn_cast<ConstantObjectAttr>(profile); object && object.getCount() >= threshold)
        foldObject(read, object, frame);
      else if (auto number = dyn_cast<ConstantNumberAttr>(profile); number && number.getCount() >= threshold)
        foldNumber(cast<UnboxOp>(read), number, frame);
    }
  }

  /// The object that was read is the one of the profile.
  static void foldObject(Operation *read, ConstantObjectAttr profile, FrameOp frame) {
    OpBuilder b(read->getContext());
    b.setInsertionPointAfter(read);
    Value expected = ObjectOp::create(b, read->getLoc(), profile.getEntry());
    Value same = IsOp::create(b, read->getLoc(), read->getResult(0), expected);
    assume(b, read, read->getResult(0), expected, same, frame);
  }

  /// The object is of the type of the profile's number, and holds that number.
  static void foldNumber(UnboxOp read, ConstantNumberAttr profile, FrameOp frame) {
    OpBuilder b(read.getContext());
    b.setInsertionPointAfter(read);
    Location loc = read.getLoc();
    Value expected = arith::ConstantOp::create(b, loc, profile.getValue());
    Value found = read.getValue(), wanted = expected;
    // A float is the same if its bits are: NaN is, and -0.0 is not 0.0.
    if (isa<FloatType>(found.getType())) {
      found = arith::BitcastOp::create(b, loc, b.getI64Type(), found);
      wanted = arith::BitcastOp::create(b, loc, b.getI64Type(), wanted);
    }
    Value equal = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, found, wanted);
    Value same = arith::AndIOp::create(b, loc, read.getOk(), equal);
    assume(b, read, read.getValue(), expected, same, frame);
  }

  /// From here on `expected` is used where `found` was.
  static void assume(OpBuilder &b, Operation *read, Value found, Value expected, Value same, FrameOp frame) {
    auto guard = createGuard(b, read->getLoc(), same, GuardKind::Value, frame);
    found.replaceUsesWithIf(expected, [&](OpOperand &use) {
      Operation *user = use.getOwner();
      return user->getBlock() != guard->getBlock() || guard->isBeforeInBlock(user);
    });
    read->removeAttr(kProfileAttr);
  }
};

} // namespace
