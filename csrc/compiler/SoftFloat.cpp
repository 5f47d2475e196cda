//===- SoftFloat.cpp - Conversions that the code generator calls ----------===//

#include "compiler/SoftFloat.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"

using namespace mlir::janus;
using llvm::APFloat;

namespace {

// A 16-bit float travels in the low bits of the register of a float, so that is how these functions declare it.
float asRegister(uint16_t bits) { return llvm::bit_cast<float>(static_cast<uint32_t>(bits)); }

template <typename Wide> float narrow(Wide x, const llvm::fltSemantics &semantics) {
  APFloat value(x);
  bool losesInfo;
  value.convert(semantics, APFloat::rmNearestTiesToEven, &losesInfo);
  return asRegister(static_cast<uint16_t>(value.bitcastToAPInt().getZExtValue()));
}

float truncsfbf2(float x) {
  auto bits = llvm::bit_cast<uint32_t>(x);
  if (x != x)
    return asRegister(static_cast<uint16_t>((bits >> 16) | 0x40)); // a quiet NaN
  return asRegister(static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16));
}
float truncdfbf2(double x) { return narrow(x, APFloat::BFloat()); }
float truncsfhf2(float x) { return narrow(x, APFloat::IEEEhalf()); }
float truncdfhf2(double x) { return narrow(x, APFloat::IEEEhalf()); }

float extendhfsf2(float x) {
  APFloat value(APFloat::IEEEhalf(), llvm::APInt(16, llvm::bit_cast<uint32_t>(x) & 0xffff));
  return value.convertToFloat();
}

template <typename Function> uint64_t addressOf(Function *function) { return reinterpret_cast<uint64_t>(function); }

} // namespace

llvm::ArrayRef<SoftFloatFunction> mlir::janus::getSoftFloatFunctions() {
  static const SoftFloatFunction functions[] = {{"__truncsfbf2", addressOf(truncsfbf2)},
                                                {"__truncdfbf2", addressOf(truncdfbf2)},
                                                {"__truncsfhf2", addressOf(truncsfhf2)},
                                                {"__truncdfhf2", addressOf(truncdfhf2)},
                                                {"__extendhfsf2", addressOf(extendhfsf2)}};
  return functions;
}
