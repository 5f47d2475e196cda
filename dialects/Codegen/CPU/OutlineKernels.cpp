//===- OutlineKernels.cpp - Linalg ops to private functions ---------------===//

#include "Codegen/CPU/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::janus {
#define GEN_PASS_DEF_OUTLINEKERNELSPASS
#include "Codegen/CPU/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

/// Ops of no more steps than this are not worth a call.
constexpr int64_t kInlineSteps = 4;
/// With few calls the kernels may as well be inlined; with many that would only make the entry slow to compile.
constexpr unsigned kInlineCalls = 4;

bool isTiny(linalg::LinalgOp op) {
  int64_t steps = 1;
  for (int64_t range : op.getStaticLoopRanges()) {
    if (ShapedType::isDynamic(range))
      return false;
    steps *= range;
  }
  return steps <= kInlineSteps;
}

class OutlineKernelsPass : public janus::impl::OutlineKernelsPassBase<OutlineKernelsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    IRRewriter rewriter(&getContext());
    SmallVector<linalg::LinalgOp> named;
    module.walk([&](linalg::LinalgOp op) {
      if (op.hasPureBufferSemantics() && !isa<linalg::GenericOp, linalg::FillOp>(op.getOperation()))
        named.push_back(op);
    });
    for (linalg::LinalgOp op : named) {
      rewriter.setInsertionPoint(op);
      if (failed(linalg::generalizeNamedOp(rewriter, op))) {
        op.emitError("has no generic form");
        return signalPassFailure();
      }
    }

    SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
    for (func::FuncOp function : functions) {
      SmallVector<linalg::LinalgOp> roots;
      function.walk([&](linalg::LinalgOp op) {
        if (op.hasPureBufferSemantics())
          roots.push_back(op);
      });
      SmallVector<SmallVector<Operation *>> groups;
      DenseSet<Operation *> grouped;
      // Generics first: they take their fills along.
      for (linalg::LinalgOp op : roots) {
        if (!isa<linalg::GenericOp>(op.getOperation()) || isTiny(op))
          continue;
        SmallVector<Operation *> group;
        for (Value output : op.getDpsInits())
          if (linalg::FillOp fill = fillOf(op, output))
            if (grouped.insert(fill).second)
              group.push_back(fill);
        group.push_back(op);
        groups.push_back(std::move(group));
      }
      for (linalg::LinalgOp op : roots)
        if (isa<linalg::FillOp>(op.getOperation()) && !isTiny(op) && !grouped.contains(op))
          groups.push_back({op});
      bool many = groups.size() > kInlineCalls;
      for (SmallVector<Operation *> &group : groups) {
        if (many && group.size() == 1)
          group.front() = flatten(cast<linalg::LinalgOp>(group.front()), rewriter);
        outline(group, module, rewriter);
      }
    }
    if (calls > kInlineCalls)
      for (const auto &entry : kernels)
        func::FuncOp(entry.second)->setAttr("passthrough", rewriter.getStrArrayAttr({"noinline"}));
  }

  /// Makes an elementwise op on dense buffers one of a single dimension of any size, so that those on other shapes are
  /// the same kernel: the updates of all parameters of a model, say.
  static Operation *flatten(linalg::LinalgOp op, IRRewriter &rewriter) {
    unsigned rank = op.getNumLoops();
    auto isDense = [&](OpOperand &operand) {
      auto type = dyn_cast<MemRefType>(operand.get().getType());
      AffineMap map = op.getMatchingIndexingMap(&operand);
      if (!type || type.getRank() == 0)
        return map.getNumResults() == 0;
      return type.getLayout().isIdentity() && map.isIdentity();
    };
    if (rank == 0 || op.getNumParallelLoops() != rank || op.hasIndexSemantics() ||
        !llvm::all_of(op->getOpOperands(), isDense))
      return op;
    rewriter.setInsertionPoint(op);
    Location loc = op.getLoc();
    auto flat = [&](Value value) -> Value {
      auto type = dyn_cast<MemRefType>(value.getType());
      if (!type || type.getRank() == 0)
        return value;
      if (type.getRank() > 1) {
        ReassociationIndices all = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
        value = memref::CollapseShapeOp::create(rewriter, loc, value, ArrayRef<ReassociationIndices>{all});
      }
      auto anySize = MemRefType::get({ShapedType::kDynamic}, type.getElementType());
      return value.getType() == anySize ? value : memref::CastOp::create(rewriter, loc, anySize, value);
    };
    SmallVector<Value> inputs(llvm::map_range(op.getDpsInputs(), flat));
    SmallVector<Value> outputs(llvm::map_range(op.getDpsInits(), flat));
    Operation *result;
    if (isa<linalg::FillOp>(op.getOperation())) {
      result = linalg::FillOp::create(rewriter, loc, inputs, outputs);
    } else {
      SmallVector<AffineMap> maps;
      for (Value value : llvm::concat<Value>(inputs, outputs)) {
        auto type = dyn_cast<MemRefType>(value.getType());
        maps.push_back(type && type.getRank() == 1 ? rewriter.getMultiDimIdentityMap(1)
                                                   : AffineMap::get(1, 0, rewriter.getContext()));
      }
      auto generic =
          linalg::GenericOp::create(rewriter, loc, inputs, outputs, maps, ArrayRef{utils::IteratorType::parallel});
      rewriter.inlineRegionBefore(op->getRegion(0), generic.getRegion(), generic.getRegion().begin());
      result = generic;
    }
    rewriter.eraseOp(op);
    return result;
  }

  /// The fill that gives `output` the value it has when `op` runs, if moving the fill right before `op` changes
  /// nothing.
  static linalg::FillOp fillOf(linalg::LinalgOp op, Value output) {
    if (!output.getDefiningOp<memref::AllocOp>())
      return nullptr;
    linalg::FillOp fill;
    SmallVector<Operation *> others;
    for (Operation *user : output.getUsers()) {
      if (user == op.getOperation())
        continue;
      // A view may be written behind the name of the buffer.
      if (isa<ViewLikeOpInterface, memref::CastOp>(user) || user->getNumRegions() != 0 ||
          user->hasTrait<OpTrait::IsTerminator>())
        if (!isa<linalg::LinalgOp>(user) && !user->hasTrait<OpTrait::IsTerminator>())
          return nullptr;
      Operation *ancestor = op->getBlock()->findAncestorOpInBlock(*user);
      if (!ancestor || !ancestor->isBeforeInBlock(op))
        continue;
      auto candidate = dyn_cast<linalg::FillOp>(user);
      if (!candidate || user != ancestor) {
        others.push_back(ancestor);
        continue;
      }
      if (!fill || fill->isBeforeInBlock(candidate))
        fill = candidate;
    }
    // What else used the buffer before must have done so before the fill.
    if (!fill || llvm::any_of(others, [&](Operation *other) { return !other->isBeforeInBlock(fill); }))
      return nullptr;
    return fill;
  }

  /// The type of slices like this one wherever they begin: those of all steps of a loop that was unrolled are alike.
  static Type anywhere(Type type) {
    auto memref = dyn_cast<MemRefType>(type);
    auto layout = memref ? dyn_cast<StridedLayoutAttr>(memref.getLayout()) : nullptr;
    if (!layout)
      return type;
    return MemRefType::get(memref.getShape(), memref.getElementType(),
                           StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, layout.getStrides()),
                           memref.getMemorySpace());
  }

  void outline(ArrayRef<Operation *> group, ModuleOp module, IRRewriter &rewriter) {
    Operation *root = group.back();
    llvm::SetVector<Value> inputs;
    SmallVector<Operation *> constants;
    for (Operation *op : group)
      op->walk([&](Operation *inner) {
        for (Value operand : inner->getOperands()) {
          if (operand.getParentBlock()->getParentOp() == op ||
              op->isProperAncestor(operand.getParentBlock()->getParentOp()))
            continue;
          Operation *definition = operand.getDefiningOp();
          if (definition && matchPattern(definition, m_Constant()) && !isa<ShapedType>(operand.getType())) {
            if (!llvm::is_contained(constants, definition))
              constants.push_back(definition);
            continue;
          }
          inputs.insert(operand);
        }
      });

    Location loc = root->getLoc();
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPointToEnd(module.getBody());
    SmallVector<Type> types(llvm::map_range(inputs, [](Value value) { return anywhere(value.getType()); }));
    std::string name = "kernel_" + std::to_string(kernels.size());
    auto kernel = func::FuncOp::create(rewriter, loc, name, rewriter.getFunctionType(types, {}));
    kernel.setPrivate();
    Block *body = kernel.addEntryBlock();
    rewriter.setInsertionPointToStart(body);
    IRMapping mapping;
    for (auto [input, arg] : llvm::zip_equal(inputs, body->getArguments()))
      mapping.map(input, arg);
    for (Operation *op : constants)
      rewriter.clone(*op, mapping);
    for (Operation *op : group)
      rewriter.clone(*op, mapping);
    func::ReturnOp::create(rewriter, loc);

    std::string text;
    llvm::raw_string_ostream stream(text);
    for (Type type : types)
      stream << type << ',';
    // Values are numbered per function, so that equal kernels print alike.
    for (Operation &op : *body)
      op.print(stream, OpPrintingFlags().useLocalScope().printGenericOpForm());
    auto [known, isNew] = kernels.try_emplace(text, kernel);
    if (!isNew)
      kernel.erase();
    rewriter.setInsertionPoint(root);
    SmallVector<Value> arguments;
    for (auto [input, type] : llvm::zip_equal(inputs, types))
      arguments.push_back(input.getType() == type ? input : memref::CastOp::create(rewriter, loc, type, input));
    func::CallOp::create(rewriter, loc, func::FuncOp(known->second), arguments);
    ++calls;
    for (Operation *op : llvm::reverse(group))
      rewriter.eraseOp(op);
  }

  llvm::StringMap<func::FuncOp> kernels;
  unsigned calls = 0;
};

} // namespace
