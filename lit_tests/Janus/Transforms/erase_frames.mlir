// RUN: janus-opt %s --janus-erase-frames | FileCheck %s

// CHECK-LABEL: func.func @everywhere
func.func @everywhere(%p: i1, %x: tensor<4xf32>) {
  // CHECK-NOT: janus.frame
  janus.frame site 1 (%x : tensor<4xf32>)
  scf.if %p {
    janus.frame restart site 2
    // Guards have values of their own.
    // CHECK: janus.guard %arg0, <bounds>, site 1 (%arg1 : tensor<4xf32>)
    janus.guard %p, <bounds>, site 1 (%x : tensor<4xf32>)
  }
  // CHECK-NOT: janus.frame
  return
}
