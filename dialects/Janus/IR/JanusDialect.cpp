//===- JanusDialect.cpp - Dialect, attributes and their verification ------===//

#include "Janus/IR/JanusDialect.h"
#include "Janus/IR/JanusOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::janus;

#include "Janus/IR/JanusDialect.cpp.inc"
#include "Janus/IR/JanusEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "Janus/IR/JanusAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "Janus/IR/JanusTypes.cpp.inc"

void JanusDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "Janus/IR/JanusTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "Janus/IR/JanusAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "Janus/IR/JanusOps.cpp.inc"
      >();
}

Operation *JanusDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location loc) {
  if (auto poison = dyn_cast<ub::PoisonAttr>(value))
    return ub::PoisonOp::create(builder, loc, type, poison);
  return arith::ConstantOp::materialize(builder, value, type, loc);
}

LogicalResult BranchAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t taken, int64_t notTaken) {
  if (taken < 0 || notTaken < 0)
    return emitError() << "branch counts must not be negative";
  return success();
}

LogicalResult TripsAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t min, int64_t max,
                                int64_t executions) {
  if (min < 0 || max < min)
    return emitError() << "trip counts must satisfy 0 <= min <= max";
  if (executions < 1)
    return emitError() << "trip counts are of at least one execution";
  return success();
}

static LogicalResult verifyObserved(function_ref<InFlightDiagnostic()> emitError, int32_t entry, int64_t count) {
  if (entry < 0)
    return emitError() << "entries of the table of objects are not negative";
  if (count < 0)
    return emitError() << "counts must not be negative";
  return success();
}

LogicalResult CalleeAttr::verify(function_ref<InFlightDiagnostic()> emitError, FlatSymbolRefAttr, int32_t entry,
                                 int64_t count) {
  return verifyObserved(emitError, entry, count);
}

LogicalResult ConstantObjectAttr::verify(function_ref<InFlightDiagnostic()> emitError, int32_t entry, int64_t count) {
  return verifyObserved(emitError, entry, count);
}

LogicalResult ConstantNumberAttr::verify(function_ref<InFlightDiagnostic()> emitError, TypedAttr, int64_t count) {
  return verifyObserved(emitError, /*entry=*/0, count);
}

static LogicalResult verifyReturnSite(Operation *op, Attribute value) {
  auto site = dyn_cast<IntegerAttr>(value);
  if (!site || !site.getType().isInteger(32) || site.getInt() < 0)
    return op->emitOpError() << "'" << kReturnSiteAttr << "' must be a non-negative i32";
  if (!op->hasAttr(kEntryAttr))
    return op->emitOpError() << "'" << kReturnSiteAttr << "' needs '" << kEntryAttr << "'";
  return success();
}

static LogicalResult verifyProfile(Operation *op, Attribute value) {
  StringRef expected;
  if (isa<scf::IfOp>(op)) {
    expected = isa<BranchAttr>(value) ? "" : "#janus.branch";
  } else if (isa<scf::ForOp, scf::WhileOp>(op)) {
    expected = isa<TripsAttr>(value) ? "" : "#janus.trips";
  } else if (isa<CallIndirectOp>(op)) {
    expected = isa<CalleeAttr>(value) ? "" : "#janus.callee";
  } else if (isa<GetAttrOp, GetItemOp>(op)) {
    expected = isa<ConstantObjectAttr>(value) ? "" : "#janus.constant_object";
  } else if (auto read = dyn_cast<UnboxOp>(op)) {
    auto number = dyn_cast<ConstantNumberAttr>(value);
    if (number && number.getValue().getType() != read.getValue().getType())
      return op->emitOpError() << "gives " << read.getValue().getType() << ", its profile "
                               << number.getValue().getType();
    expected = number ? "" : "#janus.constant_number";
  } else {
    return op->emitOpError() << "'" << kProfileAttr << "' belongs on branches, loops, indirect calls and reads";
  }
  if (!expected.empty())
    return op->emitOpError() << "'" << kProfileAttr << "' must be a " << expected;
  return success();
}

LogicalResult JanusDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  StringRef name = attribute.getName().strref();
  Attribute value = attribute.getValue();
  if (name == kEntryAttr) {
    // Any function: the attribute stays when func.func becomes llvm.func.
    if (!isa<FunctionOpInterface>(op) || !isa<UnitAttr>(value))
      return op->emitOpError() << "'" << kEntryAttr << "' is a unit attribute of a function";
    if (!op->hasAttr(kReturnSiteAttr))
      return op->emitOpError() << "'" << kEntryAttr << "' needs '" << kReturnSiteAttr << "'";
    return success();
  }
  if (name == kInternalAttr) {
    if (!isa<FunctionOpInterface>(op) || !isa<UnitAttr>(value) || op->hasAttr(kEntryAttr))
      return op->emitOpError() << "'" << kInternalAttr << "' is a unit attribute of a function that is no entry";
    return success();
  }
  if (name == kReturnSiteAttr)
    return verifyReturnSite(op, value);
  if (name == kProfileAttr)
    return verifyProfile(op, value);
  if (name == kPhaseAttr) {
    if (!isa<ModuleOp>(op) || !isa<StringAttr>(value))
      return op->emitOpError() << "'" << kPhaseAttr << "' is a string attribute of a module";
    return success();
  }
  // Passes hang notes of their own on ops under the dialect's name.
  return success();
}

LogicalResult JanusDialect::verifyRegionArgAttribute(Operation *op, unsigned regionIndex, unsigned argIndex,
                                                     NamedAttribute attribute) {
  StringRef name = attribute.getName().strref();
  Attribute value = attribute.getValue();
  if (name == kSourceAttr) {
    if (!isa<StringAttr>(value))
      return op->emitOpError() << "'" << kSourceAttr << "' must be a string";
    return success();
  }
  if (name == kDimsAttr) {
    auto dims = dyn_cast<ArrayAttr>(value);
    if (!dims || !llvm::all_of(dims, llvm::IsaPred<StringAttr>))
      return op->emitOpError() << "'" << kDimsAttr << "' must be an array of strings";
    auto function = dyn_cast<FunctionOpInterface>(op);
    if (!function)
      return success();
    auto shaped = dyn_cast<ShapedType>(function.getArgumentTypes()[argIndex]);
    if (shaped && shaped.hasRank() && shaped.getRank() != static_cast<int64_t>(dims.size()))
      return op->emitOpError() << "'" << kDimsAttr << "' names " << dims.size() << " dims of an argument of rank "
                               << shaped.getRank();
    return success();
  }
  return success();
}
