//===- LaxWindowFormat.h - Text of window parameters ------------*- C++ -*-===//
//
// Private to the implementation of the dialect. Strides and dilations of 1 throughout and padding of 0 throughout are
// left out of the text.
//
//===----------------------------------------------------------------------===//

#ifndef LAX_IR_LAXWINDOWFORMAT_H
#define LAX_IR_LAXWINDOWFORMAT_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/OpImplementation.h"

namespace mlir::lax {

/// `[2, 2] (strides = [2, 2])`
ParseResult parseWindow(OpAsmParser &parser, DenseI64ArrayAttr &window, DenseI64ArrayAttr &strides,
                        DenseI64ArrayAttr &padding, DenseI64ArrayAttr &baseDilation, DenseI64ArrayAttr &windowDilation);
void printWindow(OpAsmPrinter &printer, Operation *op, DenseI64ArrayAttr window, DenseI64ArrayAttr strides,
                 DenseI64ArrayAttr padding, DenseI64ArrayAttr baseDilation, DenseI64ArrayAttr windowDilation);

/// The same without dilations.
ParseResult parsePlainWindow(OpAsmParser &parser, DenseI64ArrayAttr &window, DenseI64ArrayAttr &strides,
                             DenseI64ArrayAttr &padding);
void printPlainWindow(OpAsmPrinter &printer, Operation *op, DenseI64ArrayAttr window, DenseI64ArrayAttr strides,
                      DenseI64ArrayAttr padding);

/// `[0, 3, 1, 2] x [3, 2, 0, 1] -> [0, 3, 1, 2] window (strides = [2, 2])`
ParseResult parseConvNumbers(OpAsmParser &parser, DenseI64ArrayAttr &lhsSpec, DenseI64ArrayAttr &rhsSpec,
                             DenseI64ArrayAttr &outSpec, DenseI64ArrayAttr &strides, DenseI64ArrayAttr &padding,
                             DenseI64ArrayAttr &lhsDilation, DenseI64ArrayAttr &rhsDilation);
void printConvNumbers(OpAsmPrinter &printer, Operation *op, DenseI64ArrayAttr lhsSpec, DenseI64ArrayAttr rhsSpec,
                      DenseI64ArrayAttr outSpec, DenseI64ArrayAttr strides, DenseI64ArrayAttr padding,
                      DenseI64ArrayAttr lhsDilation, DenseI64ArrayAttr rhsDilation);

} // namespace mlir::lax

#endif // LAX_IR_LAXWINDOWFORMAT_H
