//===- JanusOps.h - Ops and attributes of the janus dialect -----*- C++ -*-===//

#ifndef JANUS_IR_JANUSOPS_H
#define JANUS_IR_JANUSOPS_H

#include "Janus/IR/JanusDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMTypes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferIntRangeInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "Janus/IR/JanusEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "Janus/IR/JanusAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "Janus/IR/JanusTypes.h.inc"

namespace mlir::janus {

/// The journal and the way out of the function: what exits write, so that they keep their order.
struct ControlState : public SideEffects::Resource::Base<ControlState> {
  StringRef getName() final { return "JanusControlState"; }
};

/// The stacks on which forward computations leave what backward ones need.
struct Tape : public SideEffects::Resource::Base<Tape> {
  StringRef getName() final { return "JanusTape"; }
};

/// Python objects as they are outside the compiled code.
struct Heap : public SideEffects::Resource::Base<Heap> {
  StringRef getName() final { return "JanusHeap"; }
};

/// Whether control never passes `op`: a deopt, a leave, or a guard whose condition is constantly false.
bool isUnconditionalExit(Operation *op);

} // namespace mlir::janus

#define GET_OP_CLASSES
#include "Janus/IR/JanusOps.h.inc"

#endif // JANUS_IR_JANUSOPS_H
