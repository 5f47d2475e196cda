//===- PrepareEntry.cpp - Buffers in, a record out ------------------------===//

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
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function->hasAttr(kEntryAttr)) {
        if (failed(prepare(function)))
          return signalPassFailure();
        continue;
      }
      if (function.isExternal() || llvm::any_of(function.getFunctionType().getInputs(), llvm::IsaPred<TensorType>) ||
          llvm::any_of(function.getFunctionType().getResults(), llvm::IsaPred<TensorType>)) {
        function.emitError("is called with tensors and could not be inlined; recursive functions are not supported");
        return signalPassFailure();
      }
    }
  }

  static LogicalResult prepare(func::FuncOp function) {
    auto site = function->getAttrOfType<IntegerAttr>(kReturnSiteAttr);
    if (!site)
      return function.emitError() << "has '" << kEntryAttr << "' but no '" << kReturnSiteAttr << "'";
    if (!llvm::hasSingleElement(function.getBody()))
      return function.emitError("has unstructured control flow");
    Block &body = function.getBody().front();
    OpBuilder b(function.getContext());
    b.setInsertionPointToStart(&body);
    for (BlockArgument arg : body.getArguments()) {
      auto type = dyn_cast<RankedTensorType>(arg.getType());
      if (!type)
        continue;
      arg.setType(MemRefType::get(type.getShape(), type.getElementType()));
      auto tensor = bufferization::ToTensorOp::create(b, arg.getLoc(), type, arg, /*restrict=*/true);
      arg.replaceAllUsesExcept(tensor.getResult(), tensor);
    }
    Operation *terminator = body.getTerminator();
    if (!isa<func::ReturnOp>(terminator))
      return terminator->emitError("the entry must end in a return");
    b.setInsertionPoint(terminator);
    LeaveOp::create(b, terminator->getLoc(), site, terminator->getOperands());
    terminator->setOperands({});
    function.setFunctionType(b.getFunctionType(body.getArgumentTypes(), {}));
    function.removeResAttrsAttr();

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
    return success();
  }
};

} // namespace
