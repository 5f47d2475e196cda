//===- PlanMemory.cpp - Decide where buffers live -------------------------===//
//
// Every op has a first and a last position in the walk of the function. A buffer lives from its allocation to the last
// position of the ops that use it or what aliases it, where a use in a loop that the allocation stands outside of
// counts as a use by the whole loop. Control flow is structured here, exits are ordinary uses.
//
//===----------------------------------------------------------------------===//

#include "Codegen/CPU/Passes.h"
#include "Janus/IR/JanusDialect.h"
#include "Janus/IR/JanusOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::janus {
#define GEN_PASS_DEF_PLANMEMORYPASS
#include "Codegen/CPU/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

constexpr int64_t kAlignment = 64;

struct Buffer {
  memref::AllocOp alloc;
  /// All values that may be this memory.
  llvm::SetVector<Value> aliases;
  int64_t first = 0, last = 0;
  /// Carried out of an iteration of a loop around the allocation.
  bool carried = false;
  /// An op that is not understood gets hold of it.
  bool unknown = false;
  int64_t bytes = 0, offset = 0;
};

int64_t bytesOf(MemRefType type) {
  Type element = type.getElementType();
  int64_t bits = isa<ComplexType>(element) ? 2 * cast<ComplexType>(element).getElementType().getIntOrFloatBitWidth()
                 : element.isIndex()       ? 64
                                           : element.getIntOrFloatBitWidth();
  return type.getNumElements() * llvm::divideCeil(bits, 8);
}

/// The outermost loop around `op` inside of `within`'s block, or null.
Operation *outermostLoop(Operation *op, Block *within) {
  Operation *loop = nullptr;
  for (Operation *at = op; at && at->getBlock() != within; at = at->getParentOp()) {
    Operation *parent = at->getParentOp();
    if (isa_and_nonnull<LoopLikeOpInterface>(parent))
      loop = parent;
  }
  return loop;
}

class Planner {
public:
  explicit Planner(func::FuncOp function) : function(function) {
    int64_t position = 0;
    number(function, position);
  }

  LogicalResult run();

private:
  void number(Operation *op, int64_t &position) {
    first[op] = position++;
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (Operation &inner : block)
          number(&inner, position);
    last[op] = position++;
  }

  void findAliases(Buffer &buffer);
  void findLifetime(Buffer &buffer);
  void handOver();
  bool canHandOver(Operation *op, memref::AllocOp alloc);
  void place(SmallVectorImpl<Buffer *> &buffers);

  func::FuncOp function;
  DenseMap<Operation *, int64_t> first, last;
  SmallVector<Buffer> buffers;
  DenseMap<Operation *, Buffer *> bufferOf;
};

/// Follows the buffer through views, branches and loops.
void Planner::findAliases(Buffer &buffer) {
  SmallVector<Value> pending{buffer.alloc.getResult()};
  auto reach = [&](Value value) {
    if (isa<BaseMemRefType>(value.getType()) && buffer.aliases.insert(value))
      pending.push_back(value);
  };
  auto leaveLoop = [&](Operation *loop) {
    if (loop->isProperAncestor(buffer.alloc))
      buffer.carried = true;
  };
  buffer.aliases.insert(pending.front());
  while (!pending.empty()) {
    Value value = pending.pop_back_val();
    for (OpOperand &use : value.getUses()) {
      Operation *user = use.getOwner();
      unsigned i = use.getOperandNumber();
      if (auto yield = dyn_cast<scf::YieldOp>(user)) {
        Operation *parent = yield->getParentOp();
        if (auto loop = dyn_cast<scf::ForOp>(parent)) {
          leaveLoop(loop);
          reach(loop.getRegionIterArg(i));
          reach(loop.getResult(i));
        } else if (auto loop = dyn_cast<scf::WhileOp>(parent)) {
          leaveLoop(loop);
          reach(loop.getBeforeArguments()[i]);
        } else {
          reach(parent->getResult(i)); // scf.if, scf.index_switch, scf.execute_region
        }
      } else if (auto condition = dyn_cast<scf::ConditionOp>(user)) {
        auto loop = condition->getParentOfType<scf::WhileOp>();
        if (i == 0)
          continue;
        leaveLoop(loop);
        reach(loop.getAfterArguments()[i - 1]);
        reach(loop.getResult(i - 1));
      } else if (auto loop = dyn_cast<scf::ForOp>(user)) {
        unsigned arg = i - loop.getNumControlOperands();
        reach(loop.getRegionIterArg(arg));
        reach(loop.getResult(arg));
      } else if (auto loop = dyn_cast<scf::WhileOp>(user)) {
        reach(loop.getBeforeArguments()[i]);
      } else if (isa<linalg::LinalgOp, GuardOp, DeoptOp, RecordOp, LeaveOp, func::CallOp, memref::LoadOp,
                     memref::StoreOp, memref::DimOp, memref::CopyOp>(user)) {
        continue;
      } else if (user->getNumRegions() == 0) {
        for (Value result : user->getResults())
          reach(result); // views, casts, selects, metadata
      } else {
        buffer.unknown = true;
      }
    }
  }
}

void Planner::findLifetime(Buffer &buffer) {
  buffer.first = first[buffer.alloc];
  buffer.last = last[buffer.alloc];
  for (Value alias : buffer.aliases)
    for (Operation *user : alias.getUsers()) {
      // A loop that the allocation stands outside of uses it until the loop ends.
      buffer.last = std::max(buffer.last, last[user]);
      for (Operation *loop = user->getParentOp(); loop != function; loop = loop->getParentOp())
        if (isa<LoopLikeOpInterface>(loop) && !loop->isAncestor(buffer.alloc))
          buffer.last = std::max(buffer.last, last[loop]);
    }
}

/// Whether `op`, a record or an early return, may take the memory of `alloc` over.
bool Planner::canHandOver(Operation *op, memref::AllocOp alloc) {
  Buffer *buffer = bufferOf.lookup(alloc);
  if (!buffer || buffer->carried || buffer->unknown || !alloc.getType().getLayout().isIdentity())
    return false;
  // Once per allocation: the op runs at most as often as the allocation does, and the function has one chance only.
  if (outermostLoop(op, alloc->getBlock()) || alloc->getParentOfType<LoopLikeOpInterface>())
    return false;
  if (isa<LeaveOp>(op))
    return alloc->getBlock() == op->getBlock();
  // What follows a record may read the memory but not write it.
  int64_t at = last[op];
  for (Value alias : buffer->aliases)
    for (Operation *user : alias.getUsers()) {
      if (first[user] <= at || isMemoryEffectFree(user))
        continue;
      auto linalgOp = dyn_cast<linalg::LinalgOp>(user);
      bool reads = isa<memref::LoadOp, GuardOp, DeoptOp, RecordOp, LeaveOp>(user) ||
                   (linalgOp && !llvm::is_contained(linalgOp.getDpsInits(), alias));
      if (!reads)
        return false;
    }
  return alloc->getBlock() == op->getBlock();
}

/// Marks the buffers whose memory the runtime takes over.
void Planner::handOver() {
  Builder b(function.getContext());
  DenseSet<Operation *> given;
  function.walk([&](Operation *op) {
    if (!isa<LeaveOp, RecordOp>(op))
      return;
    SmallVector<int64_t> owned;
    for (OpOperand &operand : op->getOpOperands()) {
      auto alloc = operand.get().getDefiningOp<memref::AllocOp>();
      if (!alloc || !canHandOver(op, alloc) || !given.insert(alloc).second)
        continue;
      owned.push_back(operand.getOperandNumber());
      alloc->setAttr("janus.memory", b.getStringAttr("result"));
    }
    if (!owned.empty())
      op->setAttr("janus.owned", b.getDenseI64ArrayAttr(owned));
  });
}

/// Gives each buffer an offset at which it meets no other that lives at the same time, the large ones first.
void Planner::place(SmallVectorImpl<Buffer *> &arena) {
  llvm::stable_sort(arena, [](Buffer *a, Buffer *b) { return a->bytes > b->bytes; });
  int64_t total = 0;
  SmallVector<Buffer *> placed;
  for (Buffer *buffer : arena) {
    SmallVector<std::pair<int64_t, int64_t>> taken;
    for (Buffer *other : placed)
      if (other->first <= buffer->last && buffer->first <= other->last)
        taken.emplace_back(other->offset, other->offset + other->bytes);
    llvm::sort(taken);
    int64_t at = 0;
    for (auto [from, to] : taken) {
      if (at + buffer->bytes <= from)
        break;
      at = std::max(at, to);
    }
    buffer->offset = at;
    total = std::max(total, at + buffer->bytes);
    placed.push_back(buffer);
  }

  OpBuilder b(function.getContext());
  b.setInsertionPointToStart(&function.getBody().front());
  Location loc = function.getLoc();
  auto memory = memref::AllocOp::create(b, loc, MemRefType::get({std::max(total, kAlignment)}, b.getI8Type()),
                                        b.getI64IntegerAttr(kAlignment));
  memory->setAttr("janus.memory", b.getStringAttr("scratch"));
  for (Buffer *buffer : arena) {
    b.setInsertionPoint(buffer->alloc);
    Value offset = arith::ConstantIndexOp::create(b, buffer->alloc.getLoc(), buffer->offset);
    auto view =
        memref::ViewOp::create(b, buffer->alloc.getLoc(), buffer->alloc.getType(), memory, offset, ValueRange{});
    buffer->alloc.replaceAllUsesWith(view.getResult());
    buffer->alloc.erase();
  }
}

LogicalResult Planner::run() {
  SmallVector<memref::AllocOp> allocs;
  function.walk([&](memref::AllocOp alloc) {
    if (!alloc->hasAttr("janus.memory"))
      allocs.push_back(alloc);
  });
  buffers.resize(allocs.size());
  for (auto [alloc, buffer] : llvm::zip_equal(allocs, buffers)) {
    buffer.alloc = alloc;
    findAliases(buffer);
    findLifetime(buffer);
    bufferOf[alloc] = &buffer;
  }
  handOver();
  SmallVector<Buffer *> arena;
  Builder b(function.getContext());
  for (Buffer &buffer : buffers) {
    if (buffer.alloc->hasAttr("janus.memory"))
      continue;
    bool inLoop = bool(buffer.alloc->getParentOfType<LoopLikeOpInterface>());
    MemRefType type = buffer.alloc.getType();
    if (!type.getLayout().isIdentity())
      return buffer.alloc.emitError("allocates a buffer that is not dense");
    if (inLoop && (buffer.carried || buffer.unknown)) {
      buffer.alloc->setAttr("janus.memory", b.getStringAttr("alternate"));
    } else if (!type.hasStaticShape() || buffer.unknown) {
      buffer.alloc->setAttr("janus.memory", b.getStringAttr(inLoop ? "reuse" : "scratch"));
    } else {
      buffer.bytes = llvm::alignTo(std::max<int64_t>(1, bytesOf(type)), kAlignment);
      arena.push_back(&buffer);
    }
  }
  if (!arena.empty())
    place(arena);
  return success();
}

class PlanMemoryPass : public janus::impl::PlanMemoryPassBase<PlanMemoryPass> {
  void runOnOperation() override {
    bool plans = getOperation()->hasAttr(kEntryAttr) || getOperation()->hasAttr(kInternalAttr);
    if (plans && failed(Planner(getOperation()).run()))
      signalPassFailure();
  }
};

} // namespace
