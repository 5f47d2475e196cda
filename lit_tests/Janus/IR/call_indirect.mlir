// RUN: janus-opt %s | janus-opt | FileCheck %s
// RUN: janus-opt %s --mlir-print-op-generic | janus-opt | FileCheck %s

func.func private @square(f64) -> f64

// CHECK-LABEL: func.func @calls
func.func @calls(%f: !janus.object, %x: f64, %t: tensor<?xf32>) -> f64 {
  // CHECK: janus.call_indirect %arg0(%arg1) {janus.profile = #janus.callee<function = @square, entry = 3, count = 40>} : (f64) -> f64
  %r = janus.call_indirect %f(%x) {janus.profile = #janus.callee<function = @square, entry = 3, count = 40>} : (f64) -> f64
  // CHECK: janus.call_indirect %arg0() : () -> ()
  janus.call_indirect %f() : () -> ()
  // CHECK: %{{.*}}:2 = janus.call_indirect %arg0(%arg1, %arg2) : (f64, tensor<?xf32>) -> (i64, !janus.object)
  %s:2 = janus.call_indirect %f(%x, %t) : (f64, tensor<?xf32>) -> (i64, !janus.object)
  return %r : f64
}
