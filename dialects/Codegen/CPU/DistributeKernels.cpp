//===- DistributeKernels.cpp - Large kernels over threads -----------------===//

#include "Codegen/CPU/LibraryCalls.h"
#include "Codegen/CPU/LoopNest.h"
#include "Codegen/CPU/Passes.h"
#include "Codegen/CPU/Strategy.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/StringMap.h"

#include <thread>

namespace mlir::janus {
#define GEN_PASS_DEF_DISTRIBUTEKERNELSPASS
#include "Codegen/CPU/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::cpu;

namespace {

/// How a kernel is cut: along which dimension of its op, into pieces of how many steps.
struct Cut {
  unsigned dim;
  int64_t steps;
  /// Whether each piece is left to BLAS.
  bool library = false;
};

/// Of memory beyond the second-level cache, roughly.
constexpr double kNanosecondsPerByte = 0.1;

/// Nanoseconds of one core for one step, roughly, if all operands are at hand.
double arithmeticTime(linalg::GenericOp op) {
  double ops = 0;
  for (Operation &inner : op.getBody()->without_terminator())
    if (!inner.hasTrait<OpTrait::ConstantLike>())
      ops += isa_and_nonnull<math::MathDialect>(inner.getDialect()) ? 10 : 1;
  return 0.02 * std::max(ops, 1.0);
}

int64_t bytesOf(Type element) { return element.isIndex() ? 8 : llvm::divideCeil(element.getIntOrFloatBitWidth(), 8); }

class DistributeKernelsPass : public janus::impl::DistributeKernelsPassBase<DistributeKernelsPass> {
public:
  using DistributeKernelsPassBase::DistributeKernelsPassBase;

  void runOnOperation() override {
    llvm::StringMap<SmallVector<func::CallOp>> calls;
    getOperation().walk([&](func::CallOp call) { calls[call.getCallee()].push_back(call); });
    SmallVector<func::FuncOp> functions(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp function : functions) {
      linalg::GenericOp op = onlyGeneric(function);
      if (!op)
        continue;
      if (std::optional<Cut> cut = choose(op, calls[function.getName()]))
        distribute(function, op, *cut);
    }
  }

private:
  /// The op of an outlined kernel: fills of its outputs, and it.
  static linalg::GenericOp onlyGeneric(func::FuncOp function) {
    if (!function.isPrivate() || function.isDeclaration() || function.getNumResults() != 0 ||
        !function.getBody().hasOneBlock())
      return nullptr;
    linalg::GenericOp generic;
    for (Operation &op : function.getBody().front().without_terminator()) {
      if (op.hasTrait<OpTrait::ConstantLike>() || isa<linalg::FillOp>(op))
        continue;
      if (generic || !isa<linalg::GenericOp>(op))
        return nullptr;
      generic = cast<linalg::GenericOp>(op);
    }
    if (!generic || !generic.hasPureBufferSemantics())
      return nullptr;
    for (Operation &op : function.getBody().front())
      if (auto fill = dyn_cast<linalg::FillOp>(op))
        if (!llvm::is_contained(generic.getOutputs(), fill.getOutputs()[0]))
          return nullptr;
    return generic;
  }

  /// How far `expr` moves with each step of `dim`; nothing if it does not move evenly, or moves back.
  static std::optional<int64_t> strideOf(AffineExpr expr, unsigned dim) {
    std::optional<int64_t> coefficient = linearCoefficient(expr, dim);
    return coefficient && *coefficient >= 0 ? coefficient : std::nullopt;
  }

  /// Whether the op can be cut along `dim`: each step of it writes what no other one does.
  static bool canCut(linalg::GenericOp op, unsigned dim) {
    if (op.getIteratorTypesArray()[dim] != utils::IteratorType::parallel)
      return false;
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
      auto type = dyn_cast<MemRefType>(operand.getType());
      if (!type)
        continue;
      bool written = static_cast<int64_t>(i) >= op.getNumDpsInputs();
      SmallVector<int64_t> strides;
      int64_t offset;
      if (failed(type.getStridesAndOffset(strides, offset)))
        return false;
      bool moves = false;
      for (AffineExpr result : maps[i].getResults()) {
        std::optional<int64_t> stride = strideOf(result, dim);
        if (!stride)
          return false;
        moves |= *stride != 0;
        // Of an output the pieces must not overlap, and lie side by side.
        if (written && *stride != 0 && result != getAffineDimExpr(dim, op.getContext()))
          return false;
      }
      if (written && !moves)
        return false;
    }
    return true;
  }

  /// The most elements of an argument that a call has, as far as that is known.
  static std::optional<int64_t> largest(ArrayRef<func::CallOp> calls, unsigned argument) {
    if (calls.empty())
      return std::nullopt;
    int64_t most = 0;
    for (func::CallOp call : calls) {
      Value value = call.getOperand(argument);
      while (auto cast = value.getDefiningOp<memref::CastOp>())
        value = cast.getSource();
      auto type = cast<MemRefType>(value.getType());
      if (!type.hasStaticShape())
        return std::nullopt;
      most = std::max(most, type.getNumElements());
    }
    return most;
  }

  std::optional<Cut> choose(linalg::GenericOp op, ArrayRef<func::CallOp> calls) {
    FailureOr<LoopNest> nest = analyzeLoopNest(op);
    if (failed(nest))
      return std::nullopt;
    SmallVector<int64_t> sizes = op.getStaticLoopRanges();
    double each = arithmeticTime(op);
    if (llvm::any_of(sizes, ShapedType::isDynamic)) {
      // Flattened elementwise ops have one loop of any size; what is too small makes one piece. If all that are called
      // are, there is nothing to cut.
      if (sizes.size() != 1 || !canCut(op, 0))
        return std::nullopt;
      double bytes = 0;
      for (Value operand : op->getOperands())
        if (auto type = dyn_cast<MemRefType>(operand.getType()); type && type.getRank() > 0)
          bytes += bytesOf(type.getElementType());
      double steps = minTime / 2.0 / std::max(each, kNanosecondsPerByte * bytes);
      int64_t length = llvm::PowerOf2Ceil(static_cast<uint64_t>(std::max(steps, 1.0)));
      for (Value output : op.getOutputs())
        if (auto argument = dyn_cast<BlockArgument>(output))
          if (std::optional<int64_t> most = largest(calls, argument.getArgNumber()); most && *most <= length)
            return std::nullopt;
      return Cut{0, length};
    }
    double steps = 1;
    for (int64_t size : sizes)
      steps *= size;
    double bytes = 0;
    for (Value operand : op->getOperands())
      if (auto type = dyn_cast<MemRefType>(operand.getType()); type && type.hasStaticShape())
        bytes += static_cast<double>(type.getNumElements()) * bytesOf(type.getElementType());
    double time = std::max(steps * each, kNanosecondsPerByte * bytes);
    if (time < minTime)
      return std::nullopt;
    std::optional<Gemm> gemm = matchGemm(*nest);
    bool library = gemm && prefersLibrary(*gemm);
    std::optional<Cut> best;
    double leastTime = 0;
    for (unsigned dim = 0; dim < sizes.size(); ++dim) {
      if (!canCut(op, dim))
        continue;
      double again = kNanosecondsPerByte / 2 * bytesOfUnmoved(op, dim);
      bool isVector = dim + 1 == sizes.size() || isDense(op, dim);
      for (int64_t pieces = 2; pieces <= maxPieces && time / pieces >= minTime / 4.0; ++pieces) {
        int64_t length = sizes[dim] / pieces;
        // Pieces of what fills vectors must be whole vectors, and the library wants much to do at a time.
        if (sizes[dim] % pieces != 0 || (isVector && length % 8 != 0) || (library && length < 64))
          continue;
        // Each piece has a beginning and an end at which register tiles are not full.
        double loss = 1 + (isVector ? 8.0 + length % 16 : 2.0) / length;
        // Of equals the outermost: there the pieces of an output lie together.
        double found = timeOf(time / pieces, again, pieces) * loss;
        if (best && found >= leastTime)
          continue;
        best = Cut{dim, length, library};
        leastTime = found;
      }
    }
    return best;
  }

  /// How long the threads take: the one that gets most pieces, each of which reads `again` what does not move with it,
  /// and a share of a piece that the others wait for at the end.
  double timeOf(double piece, double again, int64_t pieces) {
    int64_t threads = std::max<int64_t>(cores ? cores : std::thread::hardware_concurrency(), 2);
    return llvm::divideCeil(pieces, threads) * (piece + again) + 0.15 * piece;
  }

  /// Whether elements of an output lie side by side along `dim`.
  static bool isDense(linalg::GenericOp op, unsigned dim) {
    AffineExpr expr = getAffineDimExpr(dim, op.getContext());
    return llvm::any_of(op.getDpsInitsMutable(), [&](OpOperand &init) {
      AffineMap map = op.getMatchingIndexingMap(&init);
      return map.getNumResults() != 0 && map.getResults().back() == expr;
    });
  }

  /// The size of the operands that each piece reads all of.
  static double bytesOfUnmoved(linalg::GenericOp op, unsigned dim) {
    double bytes = 0;
    for (OpOperand &operand : op->getOpOperands()) {
      auto type = dyn_cast<MemRefType>(operand.get().getType());
      AffineMap map = op.getMatchingIndexingMap(&operand);
      if (type && type.hasStaticShape() &&
          llvm::all_of(map.getResults(), [&](AffineExpr e) { return *linearCoefficient(e, dim) == 0; }))
        bytes += static_cast<double>(type.getNumElements()) * bytesOf(type.getElementType());
    }
    return bytes;
  }

  void distribute(func::FuncOp kernel, linalg::GenericOp op, Cut cut) {
    OpBuilder b(kernel);
    Location loc = op.getLoc();
    Type index = b.getIndexType();
    // The part of a kernel: what it does from one piece to another.
    SmallVector<Type> types{index, index};
    llvm::append_range(types, kernel.getArgumentTypes());
    auto part = func::FuncOp::create(b, loc, (kernel.getName() + "_part").str(), b.getFunctionType(types, {}));
    part.setPrivate();
    part->setAttr("janus.part", b.getUnitAttr());
    part->setAttr("passthrough", b.getStrArrayAttr({"noinline"}));
    Block *body = part.addEntryBlock();
    b.setInsertionPointToStart(body);
    IRMapping outer;
    for (auto [from, to] : llvm::zip(kernel.getArguments(), body->getArguments().drop_front(2)))
      outer.map(from, to);
    for (Operation &inner : kernel.getBody().front())
      if (inner.hasTrait<OpTrait::ConstantLike>())
        b.clone(inner, outer);
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    Value steps = arith::ConstantIndexOp::create(b, loc, cut.steps);
    auto loop = scf::ForOp::create(b, loc, body->getArgument(0), body->getArgument(1), one);
    func::ReturnOp::create(b, loc);
    b.setInsertionPointToStart(loop.getBody());
    Value first = arith::MulIOp::create(b, loc, loop.getInductionVar(), steps);
    int64_t size = op.getStaticLoopRanges()[cut.dim];
    OpFoldResult length = b.getIndexAttr(cut.steps);
    if (ShapedType::isDynamic(size)) {
      Value total = extentOf(op, cut.dim, outer, b);
      Value rest = arith::SubIOp::create(b, loc, total, first);
      length = Value(arith::MinSIOp::create(b, loc, rest, steps));
    }
    IRMapping mapping = outer;
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    llvm::SmallDenseMap<std::pair<Value, AffineMap>, Value> views;
    SmallVector<Value> operands;
    for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
      Value whole = outer.lookup(operand);
      Value &view = views[{operand, maps[i]}];
      if (!view)
        view = pieceView(whole, maps[i], cut.dim, size, first, length, cut.steps, b, loc);
      operands.push_back(view);
      if (static_cast<int64_t>(i) >= op.getNumDpsInputs())
        mapping.map(operand, view);
    }
    for (Operation &inner : kernel.getBody().front())
      if (auto fill = dyn_cast<linalg::FillOp>(inner))
        linalg::FillOp::create(b, loc, ValueRange{mapping.lookup(fill.getInputs()[0])},
                               ValueRange{mapping.lookup(fill.getOutputs()[0])});
    ValueRange all(operands);
    auto made = linalg::GenericOp::create(b, loc, all.take_front(op.getNumDpsInputs()),
                                          all.drop_front(op.getNumDpsInputs()), maps, op.getIteratorTypesArray());
    IRMapping regionMapping = outer;
    op.getRegion().cloneInto(&made.getRegion(), regionMapping);
    if (cut.library) {
      Strategy strategy = chooseStrategy(*analyzeLoopNest(made), Target::host());
      strategy.kind = "library";
      made->setAttr(kStrategyAttrName, strategy.toAttr(b.getContext()));
    }
    // Where an element is counts from the beginning of the whole.
    SmallVector<linalg::IndexOp> indices;
    made.walk([&](linalg::IndexOp inner) {
      if (inner.getDim() == cut.dim)
        indices.push_back(inner);
    });
    for (linalg::IndexOp inner : indices) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointAfter(inner);
      auto moved = arith::AddIOp::create(b, loc, inner, first);
      inner.getResult().replaceAllUsesExcept(moved, moved);
    }

    // The kernel itself: all pieces, which the runtime may share among threads.
    b.setInsertionPoint(op);
    Value pieces;
    if (ShapedType::isDynamic(size)) {
      IRMapping none;
      Value total = extentOf(op, cut.dim, none, b);
      Value wanted = arith::ConstantIndexOp::create(b, loc, cut.steps);
      pieces = arith::CeilDivSIOp::create(b, loc, total, wanted);
    } else {
      pieces = arith::ConstantIndexOp::create(b, loc, size / cut.steps);
    }
    SmallVector<Value> arguments{arith::ConstantIndexOp::create(b, loc, 0), pieces};
    llvm::append_range(arguments, kernel.getArguments());
    func::CallOp::create(b, loc, part, arguments);
    for (Operation &inner : llvm::make_early_inc_range(kernel.getBody().front().without_terminator()))
      if (isa<linalg::FillOp, linalg::GenericOp>(inner))
        inner.erase();
  }

  /// The extent of the op's dimension `dim`, which is that of an operand's dimension.
  static Value extentOf(linalg::GenericOp op, unsigned dim, const IRMapping &mapping, OpBuilder &b) {
    for (auto [operand, map] : llvm::zip(op->getOperands(), op.getIndexingMapsArray()))
      for (auto [position, expr] : llvm::enumerate(map.getResults()))
        if (expr == getAffineDimExpr(dim, op.getContext()))
          return memref::DimOp::create(b, op.getLoc(), mapping.lookupOrDefault(operand), position);
    llvm_unreachable("an output moves with the dimension");
  }

  /// What a piece sees of an operand.
  static Value pieceView(Value whole, AffineMap map, unsigned dim, int64_t size, Value first, OpFoldResult length,
                         int64_t steps, OpBuilder &b, Location loc) {
    auto type = dyn_cast<MemRefType>(whole.getType());
    if (!type || llvm::all_of(map.getResults(), [&](AffineExpr e) { return *linearCoefficient(e, dim) == 0; }))
      return whole;
    SmallVector<OpFoldResult> offsets, sizes;
    for (auto [position, expr] : llvm::enumerate(map.getResults())) {
      int64_t stride = *linearCoefficient(expr, dim);
      if (stride == 0) {
        offsets.push_back(b.getIndexAttr(0));
        sizes.push_back(memref::getMixedSize(b, loc, whole, position));
        continue;
      }
      Value offset = first;
      if (stride != 1)
        offset = arith::MulIOp::create(b, loc, first, arith::ConstantIndexOp::create(b, loc, stride));
      offsets.push_back(offset);
      if (ShapedType::isDynamic(size) || ShapedType::isDynamic(type.getDimSize(position)))
        sizes.push_back(length);
      else
        // Windows reach over the piece's end by what the other dimensions add.
        sizes.push_back(b.getIndexAttr(type.getDimSize(position) - (size - steps) * stride));
    }
    SmallVector<OpFoldResult> strides(offsets.size(), b.getIndexAttr(1));
    return memref::SubViewOp::create(b, loc, whole, offsets, sizes, strides);
  }
};

} // namespace
