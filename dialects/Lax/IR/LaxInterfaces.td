//===- LaxInterfaces.td - What families of lax ops have in common ---------===//
//
// Each interface lets a lowering or a derivative treat a family generically.
//
//===----------------------------------------------------------------------===//

#ifndef LAX_INTERFACES
#define LAX_INTERFACES

include "mlir/IR/OpBase.td"

def Lax_ReductionOpInterface : OpInterface<"ReductionOpInterface"> {
  let cppNamespace = "::mlir::lax";
  let description = [{
    Folds a tensor along `axes` with an associative combiner: `reduce_sum` and its like.
  }];
  let methods = [
    InterfaceMethod<"The tensor that is reduced.", "::mlir::Value", "getInput", (ins), [{}], [{
      return $_op->getOperand(0);
    }]>,
    InterfaceMethod<"The axes that vanish, ascending.", "::llvm::ArrayRef<int64_t>", "getAxes">,
    StaticInterfaceMethod<"What combines two elements.", "::mlir::lax::Combiner", "getCombiner">
  ];
  let verify = [{ return ::mlir::lax::detail::verifyReduction($_op); }];
}

def Lax_CumulativeOpInterface : OpInterface<"CumulativeOpInterface"> {
  let cppNamespace = "::mlir::lax";
  let description = [{
    Inclusive scan along one axis: `cumsum` and its like.
  }];
  let methods = [
    InterfaceMethod<"The tensor that is scanned.", "::mlir::Value", "getInput", (ins), [{}], [{
      return $_op->getOperand(0);
    }]>,
    InterfaceMethod<"The axis of the scan.", "uint64_t", "getAxis">,
    InterfaceMethod<"Whether the scan starts at the end.", "bool", "getReverse">,
    StaticInterfaceMethod<"What combines two elements.", "::mlir::lax::Combiner", "getCombiner">
  ];
  let verify = [{ return ::mlir::lax::detail::verifyCumulative($_op); }];
}

def Lax_WindowReductionOpInterface : OpInterface<"WindowReductionOpInterface"> {
  let cppNamespace = "::mlir::lax";
  let description = [{
    Folds each window of a tensor with an associative combiner: `reduce_window_sum` and its like.
  }];
  let methods = [
    InterfaceMethod<"The tensor that the window slides over.", "::mlir::Value", "getInput", (ins), [{}], [{
      return $_op->getOperand(0);
    }]>,
    InterfaceMethod<"Size of the window in each dim.", "::llvm::ArrayRef<int64_t>", "getWindowDimensions">,
    InterfaceMethod<"Step of the window in each dim.", "::llvm::ArrayRef<int64_t>", "getWindowStrides">,
    InterfaceMethod<"Padding, low and high for each dim.", "::llvm::ArrayRef<int64_t>", "getPadding">,
    InterfaceMethod<"Dilation of the input in each dim.", "::llvm::ArrayRef<int64_t>", "getBaseDilation">,
    InterfaceMethod<"Dilation of the window in each dim.", "::llvm::ArrayRef<int64_t>", "getWindowDilation">,
    StaticInterfaceMethod<"What combines two elements.", "::mlir::lax::Combiner", "getCombiner">
  ];
  let verify = [{ return ::mlir::lax::detail::verifyWindowReduction($_op); }];
}

def Lax_ScatterOpInterface : OpInterface<"ScatterOpInterface"> {
  let cppNamespace = "::mlir::lax";
  let description = [{
    Writes slices of updates at computed places of a tensor: `scatter`, `scatter_add` and their like.
  }];
  let methods = [
    InterfaceMethod<"The tensor that is updated.", "::mlir::Value", "getInput", (ins), [{}], [{
      return $_op->getOperand(0);
    }]>,
    InterfaceMethod<"Where the updates go.", "::mlir::Value", "getIndices", (ins), [{}], [{
      return $_op->getOperand(1);
    }]>,
    InterfaceMethod<"What is written or combined.", "::mlir::Value", "getUpdates", (ins), [{}], [{
      return $_op->getOperand(2);
    }]>,
    InterfaceMethod<"Window dims of the updates.", "::llvm::ArrayRef<int64_t>", "getUpdateWindowDims">,
    InterfaceMethod<"Dims of the input of window size one that the updates lack.", "::llvm::ArrayRef<int64_t>",
                    "getInsertedWindowDims">,
    InterfaceMethod<"Dim of the input for each component of an index.", "::llvm::ArrayRef<int64_t>",
                    "getScatterDimsToOperandDims">,
    InterfaceMethod<"Batching dims of the input.", "::llvm::ArrayRef<int64_t>", "getOperandBatchingDims">,
    InterfaceMethod<"Batching dims of the indices.", "::llvm::ArrayRef<int64_t>", "getScatterIndicesBatchingDims">,
    InterfaceMethod<"What happens out of bounds.", "::llvm::StringRef", "getMode">,
    InterfaceMethod<"Whether no two updates meet.", "bool", "getUniqueIndices">,
    StaticInterfaceMethod<"What combines the old element with the update.", "::mlir::lax::Combiner", "getCombiner">
  ];
  let verify = [{ return ::mlir::lax::detail::verifyScatter($_op); }];
}

def Lax_DifferentiableOpInterface : OpInterface<"DifferentiableOpInterface"> {
  let cppNamespace = "::mlir::lax";
  let description = [{
    Has a reverse rule: from the cotangents of the results, those of the operands. An op without regions implements it
    or has the
    trait `NotDifferentiable`; one that does neither cannot stand where a derivative passes. `LaxVjp.h` has what
    rules are written in. Ops of other dialects implement it by external models.
  }];
  let methods = [
    InterfaceMethod<[{
      Adds to the cotangents of the operands that are wanted. At least one result has a cotangent. Fails, after a
      diagnostic, where the
      op in this form has no derivative.
    }], "::llvm::LogicalResult", "buildVjp", (ins "::mlir::lax::Vjp &":$vjp)>
  ];
}

#endif // LAX_INTERFACES
