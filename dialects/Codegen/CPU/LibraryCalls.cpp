//===- LibraryCalls.cpp - Contractions for a tuned library ----------------===//
//
// OpenBLAS, as the Python package scipy-openblas32 has it: its symbols have a prefix, and sizes are 32-bit.
//
//===----------------------------------------------------------------------===//

#include "Codegen/CPU/LibraryCalls.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::cpu;

/// Whether the body of `op` is acc + x * y, and nothing else.
static bool isMultiplyAdd(linalg::GenericOp op) {
  Block *body = op.getBody();
  if (body->getOperations().size() != 3 || body->getNumArguments() != 3)
    return false;
  auto product = dyn_cast<arith::MulFOp>(body->front());
  auto sum = dyn_cast<arith::AddFOp>(*std::next(body->begin()));
  if (!product || !sum || body->getTerminator()->getOperand(0) != sum.getResult())
    return false;
  Value x = body->getArgument(0), y = body->getArgument(1), acc = body->getArgument(2);
  bool multiplies =
      (product.getLhs() == x && product.getRhs() == y) || (product.getLhs() == y && product.getRhs() == x);
  bool adds = (sum.getLhs() == acc && sum.getRhs() == product.getResult()) ||
              (sum.getRhs() == acc && sum.getLhs() == product.getResult());
  return multiplies && adds;
}

/// The distance between rows of an operand that walks `row` and `column` (true: transposed), or nothing.
static std::optional<std::pair<bool, int64_t>> rowsOf(const NestOperand &operand, unsigned row, unsigned column,
                                                      int64_t rows, int64_t columns) {
  int64_t byRow = operand.strides[row], byColumn = operand.strides[column];
  if (byColumn == 1 && byRow >= columns)
    return std::pair(false, byRow);
  if (byRow == 1 && byColumn >= rows)
    return std::pair(true, byColumn);
  return std::nullopt;
}

std::optional<Gemm> cpu::matchGemm(const LoopNest &nest) {
  if (nest.numLoops() != 3 || nest.operands.size() != 3 || llvm::count(nest.reduction, true) != 1 ||
      llvm::is_contained(nest.sizes, ShapedType::kDynamic))
    return std::nullopt;
  for (const NestOperand &operand : nest.operands)
    if (!operand.isBuffer || operand.element != nest.operands[2].element ||
        llvm::is_contained(operand.strides, ShapedType::kDynamic))
      return std::nullopt;
  const NestOperand &output = nest.operands[2];
  if (!(output.element.isF32() || output.element.isF64()) || !output.isOutput || !isMultiplyAdd(nest.op))
    return std::nullopt;
  unsigned k = llvm::find(nest.reduction, true) - nest.reduction.begin();
  unsigned n = 0;
  while (n < 3 && (n == k || output.strides[n] != 1))
    ++n;
  if (n == 3 || output.strides[k] != 0)
    return std::nullopt;
  unsigned m = 3 - k - n;
  Gemm gemm;
  gemm.a = nest.operands[0].strides[n] == 0 ? 0 : 1;
  gemm.b = 1 - gemm.a;
  gemm.c = 2;
  gemm.m = nest.sizes[m], gemm.n = nest.sizes[n], gemm.k = nest.sizes[k];
  const NestOperand &a = nest.operands[gemm.a], &b = nest.operands[gemm.b];
  if (a.strides[n] != 0 || b.strides[m] != 0)
    return std::nullopt;
  auto rowsA = rowsOf(a, m, k, gemm.m, gemm.k), rowsB = rowsOf(b, k, n, gemm.k, gemm.n);
  gemm.ldc = output.strides[m];
  if (!rowsA || !rowsB || gemm.ldc < gemm.n)
    return std::nullopt;
  std::tie(gemm.transposeA, gemm.lda) = *rowsA;
  std::tie(gemm.transposeB, gemm.ldb) = *rowsB;
  constexpr int64_t limit = std::numeric_limits<int32_t>::max();
  if (std::max({gemm.m, gemm.n, gemm.k, gemm.lda, gemm.ldb, gemm.ldc}) > limit)
    return std::nullopt;
  return gemm;
}

bool cpu::prefersLibrary(const Gemm &gemm) {
  // Measured on one core with AVX2: generated code leads up to 512 in each size, and is a few per cent behind from 1024
  // on; where the rows of A lie across the reduction it misses the cache, and falls behind from 512 on. With few rows
  // the library packs in vain.
  int64_t volume = gemm.m * gemm.n * gemm.k;
  return std::min({gemm.m, gemm.n, gemm.k}) > 64 && volume >= int64_t(1) << (gemm.transposeA ? 27 : 30);
}

/// The address of the first element of a buffer.
static Value pointerTo(OpBuilder &b, Location loc, Value buffer, Type element) {
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, buffer);
  Value bytes = arith::ConstantIndexOp::create(b, loc, element.getIntOrFloatBitWidth() / 8);
  Value offset = arith::MulIOp::create(b, loc, metadata.getOffset(), bytes);
  Value address = arith::AddIOp::create(b, loc, base, offset);
  Value integer = arith::IndexCastOp::create(b, loc, b.getI64Type(), address);
  return LLVM::IntToPtrOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext()), integer);
}

void cpu::emitGemm(OpBuilder &b, const LoopNest &nest, const Gemm &gemm) {
  linalg::GenericOp op = nest.op;
  Location loc = op.getLoc();
  Type element = nest.operands[gemm.c].element, i32 = b.getI32Type();
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  StringRef name = element.isF32() ? "scipy_cblas_sgemm" : "scipy_cblas_dgemm";
  auto module = op->getParentOfType<ModuleOp>();
  auto function = module.lookupSymbol<LLVM::LLVMFuncOp>(name);
  if (!function) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    auto type = LLVM::LLVMFunctionType::get(
        LLVM::LLVMVoidType::get(b.getContext()),
        {i32, i32, i32, i32, i32, i32, element, pointer, i32, pointer, i32, element, pointer, i32});
    function = LLVM::LLVMFuncOp::create(b, loc, name, type);
  }
  auto integer = [&](int64_t value) -> Value { return arith::ConstantIntOp::create(b, loc, i32, value); };
  constexpr int64_t rowMajor = 101, noTranspose = 111, transpose = 112;
  Value one = arith::ConstantOp::create(b, loc, b.getFloatAttr(element, 1.0));
  auto address = [&](unsigned operand) { return pointerTo(b, loc, nest.operands[operand].value, element); };
  LLVM::CallOp::create(b, loc, function,
                       ValueRange{integer(rowMajor), integer(gemm.transposeA ? transpose : noTranspose),
                                  integer(gemm.transposeB ? transpose : noTranspose), integer(gemm.m), integer(gemm.n),
                                  integer(gemm.k), one, address(gemm.a), integer(gemm.lda), address(gemm.b),
                                  integer(gemm.ldb), one, address(gemm.c), integer(gemm.ldc)});
}
