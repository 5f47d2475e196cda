//===- LaxWindowFormat.cpp - Text of window parameters --------------------===//

#include "Lax/IR/LaxWindowFormat.h"

using namespace mlir;
using namespace mlir::lax;

namespace {

/// One parameter: its keyword, and what it is when the text does not say.
struct Parameter {
  StringRef keyword;
  int64_t defaultValue;
  int64_t count;
};

ParseResult parseDims(OpAsmParser &parser, DenseI64ArrayAttr &dims) {
  dims = dyn_cast_or_null<DenseI64ArrayAttr>(DenseI64ArrayAttr::parse(parser, Type{}));
  return success(dims != nullptr);
}

ParseResult parseParameters(OpAsmParser &parser, ArrayRef<Parameter> parameters, ArrayRef<DenseI64ArrayAttr *> values) {
  auto parseOne = [&]() -> ParseResult {
    SMLoc loc = parser.getCurrentLocation();
    StringRef keyword;
    if (parser.parseKeyword(&keyword))
      return failure();
    for (auto [parameter, value] : llvm::zip_equal(parameters, values)) {
      if (parameter.keyword != keyword)
        continue;
      if (*value)
        return parser.emitError(loc) << keyword << " is given twice";
      return failure(parser.parseEqual() || parseDims(parser, *value));
    }
    return parser.emitError(loc) << "unknown window parameter '" << keyword << "'";
  };
  if (succeeded(parser.parseOptionalLParen())) {
    if (parser.parseCommaSeparatedList(parseOne) || parser.parseRParen())
      return failure();
  }
  for (auto [parameter, value] : llvm::zip_equal(parameters, values))
    if (!*value)
      *value = parser.getBuilder().getDenseI64ArrayAttr(SmallVector<int64_t>(parameter.count, parameter.defaultValue));
  return success();
}

bool isDefault(const Parameter &parameter, DenseI64ArrayAttr value) {
  return value.size() == parameter.count &&
         llvm::all_of(value.asArrayRef(), [&](int64_t x) { return x == parameter.defaultValue; });
}

/// Prints nothing at all if everything is as it is by default.
void printParameters(OpAsmPrinter &printer, ArrayRef<Parameter> parameters, ArrayRef<DenseI64ArrayAttr> values,
                     StringRef prefix = "") {
  bool first = true;
  for (auto [parameter, value] : llvm::zip_equal(parameters, values)) {
    if (isDefault(parameter, value))
      continue;
    if (first)
      printer << prefix << " (";
    else
      printer << ", ";
    first = false;
    printer << parameter.keyword << " = ";
    value.print(printer);
  }
  if (!first)
    printer << ")";
}

SmallVector<Parameter> windowParameters(int64_t rank) {
  return {{"strides", 1, rank}, {"padding", 0, 2 * rank}, {"base_dilation", 1, rank}, {"window_dilation", 1, rank}};
}

SmallVector<Parameter> plainWindowParameters(int64_t rank) { return {{"strides", 1, rank}, {"padding", 0, 2 * rank}}; }

/// The rank comes from the dim numbers: batch, feature and the spatial dims.
SmallVector<Parameter> convParameters(DenseI64ArrayAttr lhsSpec) {
  int64_t rank = std::max<int64_t>(lhsSpec.size() - 2, 0);
  return {{"strides", 1, rank}, {"padding", 0, 2 * rank}, {"lhs_dilation", 1, rank}, {"rhs_dilation", 1, rank}};
}

} // namespace

ParseResult mlir::lax::parseWindow(OpAsmParser &parser, DenseI64ArrayAttr &window, DenseI64ArrayAttr &strides,
                                   DenseI64ArrayAttr &padding, DenseI64ArrayAttr &baseDilation,
                                   DenseI64ArrayAttr &windowDilation) {
  if (parseDims(parser, window))
    return failure();
  return parseParameters(parser, windowParameters(window.size()), {&strides, &padding, &baseDilation, &windowDilation});
}

void mlir::lax::printWindow(OpAsmPrinter &printer, Operation *op, DenseI64ArrayAttr window, DenseI64ArrayAttr strides,
                            DenseI64ArrayAttr padding, DenseI64ArrayAttr baseDilation,
                            DenseI64ArrayAttr windowDilation) {
  window.print(printer);
  printParameters(printer, windowParameters(window.size()), {strides, padding, baseDilation, windowDilation});
}

ParseResult mlir::lax::parsePlainWindow(OpAsmParser &parser, DenseI64ArrayAttr &window, DenseI64ArrayAttr &strides,
                                        DenseI64ArrayAttr &padding) {
  if (parseDims(parser, window))
    return failure();
  return parseParameters(parser, plainWindowParameters(window.size()), {&strides, &padding});
}

void mlir::lax::printPlainWindow(OpAsmPrinter &printer, Operation *op, DenseI64ArrayAttr window,
                                 DenseI64ArrayAttr strides, DenseI64ArrayAttr padding) {
  window.print(printer);
  printParameters(printer, plainWindowParameters(window.size()), {strides, padding});
}

ParseResult mlir::lax::parseConvNumbers(OpAsmParser &parser, DenseI64ArrayAttr &lhsSpec, DenseI64ArrayAttr &rhsSpec,
                                        DenseI64ArrayAttr &outSpec, DenseI64ArrayAttr &strides,
                                        DenseI64ArrayAttr &padding, DenseI64ArrayAttr &lhsDilation,
                                        DenseI64ArrayAttr &rhsDilation) {
  if (parseDims(parser, lhsSpec) || parser.parseKeyword("x") || parseDims(parser, rhsSpec) || parser.parseArrow() ||
      parseDims(parser, outSpec))
    return failure();
  // The keyword and the parentheses come and go together; without them, all is as it is by default.
  (void)parser.parseOptionalKeyword("window");
  return parseParameters(parser, convParameters(lhsSpec), {&strides, &padding, &lhsDilation, &rhsDilation});
}

void mlir::lax::printConvNumbers(OpAsmPrinter &printer, Operation *op, DenseI64ArrayAttr lhsSpec,
                                 DenseI64ArrayAttr rhsSpec, DenseI64ArrayAttr outSpec, DenseI64ArrayAttr strides,
                                 DenseI64ArrayAttr padding, DenseI64ArrayAttr lhsDilation,
                                 DenseI64ArrayAttr rhsDilation) {
  lhsSpec.print(printer);
  printer << " x ";
  rhsSpec.print(printer);
  printer << " -> ";
  outSpec.print(printer);
  printParameters(printer, convParameters(lhsSpec), {strides, padding, lhsDilation, rhsDilation}, " window");
}
