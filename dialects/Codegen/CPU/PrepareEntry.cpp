//===- PrepareEntry.cpp - Buffers between functions, a record out ---------===//

#include "Codegen/CPU/Passes.h"
#include "Janus/IR/JanusDialect.h"
#include "Janus/IR/JanusOps.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/UB/IR/UBOps.h"

namespace mlir::janus {
#define GEN_PASS_DEF_PREPAREENTRYPASS
#include "Codegen/CPU/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

class PrepareEntryPass : public janus::impl::PrepareEntryPassBase<PrepareEntryPass> {
  void runOnOperation() override {
    SmallVector<func::CallOp> calls;
    getOperation().walk([&](func::CallOp call) { calls.push_back(call); });
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal()) {
        function.emitError("has no body");
        return signalPassFailure();
      }
      if (failed(function->hasAttr(kEntryAttr) ? prepare(function) : prepareInternal(function)))
        return signalPassFailure();
      definePoison(function);
    }
    for (func::CallOp call : calls)
      prepareCall(call);
  }

  static MemRefType bufferOf(RankedTensorType type) { return MemRefType::get(type.getShape(), type.getElementType()); }

  /// Tensor arguments become buffers that are never written.
  static void takeBuffers(Block &body, OpBuilder &b) {
    b.setInsertionPointToStart(&body);
    for (BlockArgument arg : body.getArguments()) {
      auto type = dyn_cast<RankedTensorType>(arg.getType());
      if (!type)
        continue;
      arg.setType(bufferOf(type));
      auto tensor = bufferization::ToTensorOp::create(b, arg.getLoc(), type, arg, /*restrict=*/true);
      arg.replaceAllUsesExcept(tensor.getResult(), tensor);
    }
  }

  static SmallVector<Value> sizesOf(Value value, ShapedType type, OpBuilder &b, Location loc) {
    SmallVector<Value> sizes;
    for (int64_t d = 0; d < type.getRank(); ++d)
      if (type.isDynamicDim(d))
        sizes.push_back(isa<MemRefType>(value.getType()) ? Value(memref::DimOp::create(b, loc, value, d))
                                                         : Value(tensor::DimOp::create(b, loc, value, d)));
    return sizes;
  }

  static LogicalResult prepareInternal(func::FuncOp function) {
    if (!llvm::hasSingleElement(function.getBody()))
      return function.emitError("has unstructured control flow");
    Block &body = function.getBody().front();
    OpBuilder b(function.getContext());
    function->setAttr(kInternalAttr, b.getUnitAttr());
    takeBuffers(body, b);
    Operation *terminator = body.getTerminator();
    Location loc = terminator->getLoc();
    b.setInsertionPoint(terminator);
    SmallVector<Value> results;
    for (auto [i, value] : llvm::enumerate(terminator->getOperands())) {
      auto type = dyn_cast<RankedTensorType>(value.getType());
      if (!type) {
        results.push_back(value);
        continue;
      }
      Value buffer;
      if (type.hasStaticShape()) {
        buffer = body.addArgument(bufferOf(type), loc);
      } else {
        auto alloc = memref::AllocOp::create(b, loc, bufferOf(type), sizesOf(value, type, b, loc));
        alloc->setAttr("janus.memory", b.getStringAttr("handover"));
        alloc->setAttr("janus.handover", b.getI32IntegerAttr(i));
        results.push_back(buffer = alloc);
      }
      bufferization::MaterializeInDestinationOp::create(b, loc, Type(), value, buffer, /*restrict=*/true,
                                                        /*writable=*/true);
    }
    terminator->setOperands(results);
    function.removeArgAttrsAttr();
    function.removeResAttrsAttr();
    function.setFunctionType(b.getFunctionType(body.getArgumentTypes(), ValueRange(results).getTypes()));
    return success();
  }

  static void prepareCall(func::CallOp call) {
    OpBuilder b(call);
    Location loc = call.getLoc();
    SmallVector<Value> operands, places;
    for (Value operand : call.getOperands()) {
      if (auto type = dyn_cast<RankedTensorType>(operand.getType()))
        operand = bufferization::ToBufferOp::create(b, loc, bufferOf(type), operand, /*read_only=*/true);
      operands.push_back(operand);
    }
    SmallVector<Type> types;
    for (Type result : call.getResultTypes()) {
      auto type = dyn_cast<RankedTensorType>(result);
      places.push_back(Value());
      if (!type) {
        types.push_back(result);
      } else if (type.hasStaticShape()) {
        places.back() = memref::AllocOp::create(b, loc, bufferOf(type));
        operands.push_back(places.back());
      } else {
        types.push_back(bufferOf(type));
      }
    }
    auto made = func::CallOp::create(b, loc, call.getCallee(), types, operands);
    unsigned next = 0;
    for (auto [result, place] : llvm::zip_equal(call.getResults(), places)) {
      auto type = dyn_cast<RankedTensorType>(result.getType());
      if (!type) {
        result.replaceAllUsesWith(made.getResult(next++));
        continue;
      }
      if (!place) {
        // The next call may use the memory again.
        Value handed = made.getResult(next++);
        place = memref::AllocOp::create(b, loc, bufferOf(type), sizesOf(handed, type, b, loc));
        memref::CopyOp::create(b, loc, handed, place);
      }
      result.replaceAllUsesWith(
          bufferization::ToTensorOp::create(b, loc, type, place, /*restrict=*/true, /*writable=*/true));
    }
    call.erase();
  }

  static LogicalResult prepare(func::FuncOp function) {
    auto site = function->getAttrOfType<IntegerAttr>(kReturnSiteAttr);
    if (!site)
      return function.emitError() << "has '" << kEntryAttr << "' but no '" << kReturnSiteAttr << "'";
    if (!llvm::hasSingleElement(function.getBody()))
      return function.emitError("has unstructured control flow");
    Block &body = function.getBody().front();
    OpBuilder b(function.getContext());
    takeBuffers(body, b);
    Operation *terminator = body.getTerminator();
    if (!isa<func::ReturnOp>(terminator))
      return terminator->emitError("the entry must end in a return");
    b.setInsertionPoint(terminator);
    LeaveOp::create(b, terminator->getLoc(), site, terminator->getOperands());
    terminator->setOperands({});
    function.setFunctionType(b.getFunctionType(body.getArgumentTypes(), {}));
    function.removeResAttrsAttr();
    return success();
  }

  static void definePoison(func::FuncOp function) {
    OpBuilder b(function.getContext());
    function.walk([&](ub::PoisonOp poison) {
      auto type = dyn_cast<RankedTensorType>(poison.getType());
      if (!type)
        return;
      b.setInsertionPoint(poison);
      SmallVector<Value> sizes;
      if (!type.hasStaticShape())
        sizes.assign(type.getNumDynamicDims(), arith::ConstantIndexOp::create(b, poison.getLoc(), 0));
      poison.replaceAllUsesWith(tensor::EmptyOp::create(b, poison.getLoc(), type, sizes).getResult());
      poison.erase();
    });
  }
};

} // namespace
