// RUN: janus-opt %s --janus-differentiate --canonicalize --cse --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @entry
// CHECK: %[[y:.*]] = lax.tanh %arg0
// CHECK: %[[s:.*]] = lax.reduce_sum %[[y]]
// What the rule of tanh needs is its result.
// CHECK-NOT: lax.tanh
// CHECK: return %[[s]], %{{.*}}
func.func @entry(%x: tensor<4xf32>) -> (tensor<f32>, tensor<4xf32>) {
  %v, %g = janus.value_and_grad @f(%x) {wrt = array<i64: 0>} : (tensor<4xf32>) -> (tensor<f32>, tensor<4xf32>)
  return %v, %g : tensor<f32>, tensor<4xf32>
}
func.func private @f(%x: tensor<4xf32>) -> tensor<f32> {
  %y = lax.tanh %x : tensor<4xf32>
  %s = lax.reduce_sum %y axes = [0] : tensor<4xf32> -> tensor<f32>
  return %s : tensor<f32>
}

// -----

// What does not depend on the argument, or does not reach the result, has no cotangent.

// CHECK-LABEL: func.func @entry
// CHECK-COUNT-2: lax.exp
// CHECK-NOT: lax.exp
// CHECK: lax.cos
// CHECK-NOT: lax.mul {{.*}} lax.exp
func.func @entry(%x: tensor<f32>, %c: tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<f32>) {
  %v, %a, %g = janus.value_and_grad @f(%x, %c) {wrt = array<i64: 0>}
      : (tensor<f32>, tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<f32>)
  return %v, %a, %g : tensor<f32>, tensor<f32>, tensor<f32>
}
func.func private @f(%x: tensor<f32>, %c: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %k = lax.exp %c : tensor<f32>
  %aux = lax.exp %x : tensor<f32>
  %s = lax.sin %x : tensor<f32>
  %y = lax.add %s, %k : tensor<f32>
  return %y, %aux : tensor<f32>, tensor<f32>
}

// -----

// An unused argument has a gradient of zeros.

// CHECK-LABEL: func.func @entry
// CHECK: %[[zero:.*]] = arith.constant dense<0.000000e+00> : tensor<3xf32>
// CHECK: return %arg0, %[[zero]]
func.func @entry(%x: tensor<f32>, %u: tensor<3xf32>) -> (tensor<f32>, tensor<3xf32>) {
  %v, %g = janus.value_and_grad @f(%x, %u) {wrt = array<i64: 1>}
      : (tensor<f32>, tensor<3xf32>) -> (tensor<f32>, tensor<3xf32>)
  return %v, %g : tensor<f32>, tensor<3xf32>
}
func.func private @f(%x: tensor<f32>, %u: tensor<3xf32>) -> tensor<f32> {
  return %x : tensor<f32>
}

// -----

// A branch keeps what its derivative needs as a further result; what remains of the other side is folded in.

// CHECK-LABEL: func.func @entry
// CHECK: %[[r:.*]]:2 = scf.if %arg1 -> (tensor<f32>, tensor<f32>)
// CHECK: %[[e:.*]] = lax.exp
// CHECK: lax.div %{{.*}}, %[[e]]
// CHECK: } else {
// CHECK-NOT: lax.exp
// CHECK: return
func.func @entry(%x: tensor<f32>, %p: i1) -> (tensor<f32>, tensor<f32>) {
  %v, %g = janus.value_and_grad @f(%x, %p) {wrt = array<i64: 0>} : (tensor<f32>, i1) -> (tensor<f32>, tensor<f32>)
  return %v, %g : tensor<f32>, tensor<f32>
}
func.func private @f(%x: tensor<f32>, %p: i1) -> tensor<f32> {
  %y = scf.if %p -> (tensor<f32>) {
    %e = lax.exp %x : tensor<f32>
    %z = lax.log %e : tensor<f32>
    scf.yield %z : tensor<f32>
  } else {
    %z = lax.neg %x : tensor<f32>
    scf.yield %z : tensor<f32>
  }
  return %y : tensor<f32>
}

// -----

// A loop with a known number of iterations keeps rows.

// CHECK-LABEL: func.func @entry
// CHECK: tensor.empty() : tensor<5x4xf32>
// CHECK: scf.for
// CHECK: tensor.insert_slice
// CHECK: scf.for
// CHECK: tensor.extract_slice
// CHECK-NOT: janus.tape
// CHECK: return
func.func @entry(%x: tensor<4xf32>) -> (tensor<f32>, tensor<4xf32>) {
  %v, %g = janus.value_and_grad @f(%x) {wrt = array<i64: 0>} : (tensor<4xf32>) -> (tensor<f32>, tensor<4xf32>)
  return %v, %g : tensor<f32>, tensor<4xf32>
}
func.func private @f(%x: tensor<4xf32>) -> tensor<f32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %y = scf.for %i = %c0 to %c5 step %c1 iter_args(%a = %x) -> (tensor<4xf32>) {
    %s = lax.sin %a : tensor<4xf32>
    scf.yield %s : tensor<4xf32>
  }
  %r = lax.reduce_sum %y axes = [0] : tensor<4xf32> -> tensor<f32>
  return %r : tensor<f32>
}

// -----

// What the initial value of a loop gets is summed with what its other uses give, before it is used.

// CHECK-LABEL: func.func @entry
// CHECK: scf.for
// CHECK: %[[LOOP:.*]] = scf.for
// CHECK: %[[SUM:.*]] = lax.add %{{.*}}, %[[LOOP]]
// CHECK: lax.mul %[[SUM]], %{{.*}}
// CHECK: return
func.func @entry(%x: tensor<4xf32>) -> (tensor<f32>, tensor<4xf32>) {
  %v, %g = janus.value_and_grad @f(%x) {wrt = array<i64: 0>} : (tensor<4xf32>) -> (tensor<f32>, tensor<4xf32>)
  return %v, %g : tensor<f32>, tensor<4xf32>
}
func.func private @f(%x: tensor<4xf32>) -> tensor<f32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %s = lax.sin %x : tensor<4xf32>
  %y = scf.for %i = %c0 to %c5 step %c1 iter_args(%a = %s) -> (tensor<4xf32>) {
    %z = lax.sin %a : tensor<4xf32>
    scf.yield %z : tensor<4xf32>
  }
  %t = lax.mul %y, %s : tensor<4xf32>
  %r = lax.reduce_sum %t axes = [0] : tensor<4xf32> -> tensor<f32>
  return %r : tensor<f32>
}

// -----

// A loop that runs until the data says stop: a tape, and a count of the iterations.

// CHECK-LABEL: func.func @entry
// CHECK: scf.while
// CHECK: arith.addi
// CHECK: janus.tape_push %{{.*}} stack 0 : tensor<f32>
// CHECK: scf.for
// CHECK: janus.tape_pop stack 0 : tensor<f32>
// CHECK: lax.cos
// CHECK: return
func.func @entry(%x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %v, %g = janus.value_and_grad @f(%x) {wrt = array<i64: 0>} : (tensor<f32>) -> (tensor<f32>, tensor<f32>)
  return %v, %g : tensor<f32>, tensor<f32>
}
func.func private @f(%x: tensor<f32>) -> tensor<f32> {
  %limit = arith.constant dense<0.5> : tensor<f32>
  %y = scf.while (%a = %x) : (tensor<f32>) -> tensor<f32> {
    %more = lax.gt %a, %limit : tensor<f32>
    %p = janus.truth %more : tensor<i1>
    scf.condition(%p) %a : tensor<f32>
  } do {
  ^bb0(%a: tensor<f32>):
    %s = lax.sin %a : tensor<f32>
    scf.yield %s : tensor<f32>
  }
  return %y : tensor<f32>
}

// -----

// Guards and records stay in the forward computation.

// CHECK-LABEL: func.func @entry
// CHECK-COUNT-1: janus.guard
// CHECK-NOT: janus.guard
// CHECK-COUNT-1: janus.record
// CHECK-NOT: janus.record
// CHECK: return
func.func @entry(%x: tensor<f32>, %p: i1) -> (tensor<f32>, tensor<f32>) {
  %v, %g = janus.value_and_grad @f(%x, %p) {wrt = array<i64: 0>} : (tensor<f32>, i1) -> (tensor<f32>, tensor<f32>)
  return %v, %g : tensor<f32>, tensor<f32>
}
func.func private @f(%x: tensor<f32>, %p: i1) -> tensor<f32> {
  janus.guard %p, <branch>, site 1 (%x : tensor<f32>)
  %y = lax.sin %x : tensor<f32>
  janus.record site 2 (%y : tensor<f32>)
  return %y : tensor<f32>
}

// -----

// A recursive function: two functions that share the tape, and the gradient of what is passed on summed up in place.

// CHECK-LABEL: func.func @entry
// CHECK: call @rec.fwd
// CHECK: %[[dw:.*]] = janus.accumulator : memref<4xf32>
// CHECK: call @rec.bwd(%{{.*}}, %[[dw]], %{{.*}})
// CHECK: janus.accumulated %[[dw]]
// CHECK-LABEL: func.func private @rec.fwd
// CHECK: call @rec.fwd
// CHECK: janus.tape_push
// CHECK-LABEL: func.func private @rec.bwd
// CHECK: janus.tape_pop
// CHECK: janus.accumulate %{{.*}} into %{{.*}} : tensor<4xf32>, memref<4xf32>
// CHECK: call @rec.bwd
func.func @entry(%x: tensor<4xf32>, %w: tensor<4xf32>, %n: i64) -> (tensor<f32>, tensor<4xf32>) {
  %v, %g = janus.value_and_grad @loss(%x, %w, %n) {wrt = array<i64: 1>}
      : (tensor<4xf32>, tensor<4xf32>, i64) -> (tensor<f32>, tensor<4xf32>)
  return %v, %g : tensor<f32>, tensor<4xf32>
}
func.func private @loss(%x: tensor<4xf32>, %w: tensor<4xf32>, %n: i64) -> tensor<f32> {
  %y = func.call @rec(%x, %w, %n) : (tensor<4xf32>, tensor<4xf32>, i64) -> tensor<4xf32>
  %r = lax.reduce_sum %y axes = [0] : tensor<4xf32> -> tensor<f32>
  return %r : tensor<f32>
}
func.func private @rec(%x: tensor<4xf32>, %w: tensor<4xf32>, %n: i64) -> tensor<4xf32> {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %last = arith.cmpi sle, %n, %c0 : i64
  %y = scf.if %last -> (tensor<4xf32>) {
    scf.yield %x : tensor<4xf32>
  } else {
    %m = arith.subi %n, %c1 : i64
    %z = lax.mul %x, %w : tensor<4xf32>
    %t = lax.tanh %z : tensor<4xf32>
    %q = func.call @rec(%t, %w, %m) : (tensor<4xf32>, tensor<4xf32>, i64) -> tensor<4xf32>
    scf.yield %q : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}
