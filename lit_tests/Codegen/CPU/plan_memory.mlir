// RUN: janus-opt %s --pass-pipeline="builtin.module(func.func(janus-cpu-plan-memory))" --split-input-file | FileCheck %s

func.func private @use(memref<16xf32>, memref<16xf32>)

// %a is dead when %c is made, and shares its memory; the result is handed over.
// CHECK-LABEL: func.func @chain
// CHECK: %[[M:.*]] = memref.alloc() {alignment = 64 : i64, janus.memory = "scratch"} : memref<128xi8>
// CHECK: %[[O0:.*]] = arith.constant 0 : index
// CHECK: memref.view %[[M]][%[[O0]]]
// CHECK: %[[O64:.*]] = arith.constant 64 : index
// CHECK: memref.view %[[M]][%[[O64]]]
// CHECK: %[[O1:.*]] = arith.constant 0 : index
// CHECK: memref.view %[[M]][%[[O1]]]
// CHECK: %[[R:.*]] = memref.alloc() {janus.memory = "result"} : memref<16xf32>
// CHECK: janus.leave site 0 (%[[R]], %[[R]] : memref<16xf32>, memref<16xf32>) {janus.owned = array<i64: 0>}
func.func @chain(%x: memref<16xf32>) attributes {janus.entry, janus.return_site = 0 : i32} {
  %a = memref.alloc() : memref<16xf32>
  call @use(%x, %a) : (memref<16xf32>, memref<16xf32>) -> ()
  %b = memref.alloc() : memref<16xf32>
  call @use(%a, %b) : (memref<16xf32>, memref<16xf32>) -> ()
  %c = memref.alloc() : memref<16xf32>
  call @use(%b, %c) : (memref<16xf32>, memref<16xf32>) -> ()
  %r = memref.alloc() : memref<16xf32>
  call @use(%c, %r) : (memref<16xf32>, memref<16xf32>) -> ()
  janus.leave site 0 (%r, %r : memref<16xf32>, memref<16xf32>)
  return
}

// -----

func.func private @use(memref<?xf32>, memref<?xf32>)

// A buffer carried to the next iteration alternates, others are used again.
// CHECK-LABEL: func.func @loop
// CHECK: scf.for
// CHECK: memref.alloc(%{{.*}}) {janus.memory = "reuse"}
// CHECK: memref.alloc(%{{.*}}) {janus.memory = "alternate"}
func.func @loop(%x: memref<?xf32>, %n: index) attributes {janus.entry, janus.return_site = 0 : i32} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> memref<?xf32> {
    %t = memref.alloc(%n) : memref<?xf32>
    func.call @use(%a, %t) : (memref<?xf32>, memref<?xf32>) -> ()
    %b = memref.alloc(%n) : memref<?xf32>
    func.call @use(%t, %b) : (memref<?xf32>, memref<?xf32>) -> ()
    scf.yield %b : memref<?xf32>
  }
  janus.leave site 0 (%r : memref<?xf32>)
  return
}

// -----

func.func private @use(memref<16xf32>, memref<16xf32>)

// A buffer written after the record cannot be given away at it. Other functions are left alone.
// CHECK-LABEL: func.func @record
// CHECK-NOT: janus.owned
func.func @record(%x: memref<16xf32>) attributes {janus.entry, janus.return_site = 0 : i32} {
  %a = memref.alloc() : memref<16xf32>
  call @use(%x, %a) : (memref<16xf32>, memref<16xf32>) -> ()
  janus.record site 1 (%a : memref<16xf32>)
  call @use(%x, %a) : (memref<16xf32>, memref<16xf32>) -> ()
  return
}

// CHECK-LABEL: func.func @other
// CHECK: memref.alloc() : memref<16xf32>
func.func @other() {
  %a = memref.alloc() : memref<16xf32>
  return
}
