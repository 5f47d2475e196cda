// RUN: janus-opt %s | janus-opt | FileCheck %s
// RUN: janus-opt %s --mlir-print-op-generic | janus-opt | FileCheck %s

// CHECK: module attributes {janus.phase = "captured"}
module attributes {janus.phase = "captured"} {
  // CHECK-LABEL: func.func @entry
  // CHECK-SAME: {janus.dims = ["b", ""], janus.source = "model.layers[0].w"}
  // CHECK-SAME: attributes {janus.entry, janus.return_site = 4 : i32}
  func.func @entry(%x: tensor<?x3xf32> {janus.source = "model.layers[0].w", janus.dims = ["b", ""]}, %c: i1,
                   %n: index) -> tensor<?x3xf32> attributes {janus.entry, janus.return_site = 4 : i32} {
    // CHECK: } {janus.profile = #janus.branch<taken = 97, not_taken = 3>}
    scf.if %c {
      janus.record site 1
    } {janus.profile = #janus.branch<taken = 97, not_taken = 3>}
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    // CHECK: } {janus.profile = #janus.trips<min = 1, max = 16>}
    scf.for %i = %c0 to %n step %c1 {
      janus.record site 1
    } {janus.profile = #janus.trips<min = 1, max = 16>}
    // CHECK: } attributes {janus.profile = #janus.trips<min = 0, max = 0>}
    scf.while : () -> () {
      scf.condition(%c)
    } do {
      scf.yield
    } attributes {janus.profile = #janus.trips<min = 0, max = 0>}
    return %x : tensor<?x3xf32>
  }
}
