// RUN: janus-opt %s --janus-lower-heap | FileCheck %s

// CHECK-DAG: llvm.mlir.global external constant @janus_objects() {{.*}} : !llvm.ptr
// CHECK-DAG: llvm.mlir.global internal constant @janus_name_left("left\00")
// CHECK-DAG: llvm.mlir.global internal @janus_attribute_0()
// CHECK-DAG: llvm.mlir.global internal constant @janus_array_0(dense<[1, 11, 2, 4, -1]> : tensor<5xi64>)

// CHECK-LABEL: func.func private @f
// CHECK-SAME: (%[[CALL:.*]]: !llvm.ptr, %[[NODE:.*]]: !llvm.ptr) -> (i32, !llvm.ptr)
func.func private @f(%call: !llvm.ptr, %node: !janus.object) -> (i32, !janus.object) attributes {janus.internal} {
  // CHECK: %[[FOUND:.*]] = llvm.alloca {{.*}} x !llvm.array<3 x i64>
  %status = arith.constant 0 : i32
  // CHECK: %[[LEFT:.*]] = llvm.call @janus_rt_get_attr(%[[NODE]], %{{.*}}) : (!llvm.ptr, !llvm.ptr) -> !llvm.ptr
  %left = janus.get_attr %node "left"
  // CHECK: llvm.icmp "eq" %[[LEFT]]
  %missing = janus.is_null %left
  janus.guard %missing, <type>, site 0
  // CHECK: llvm.mlir.addressof @janus_objects
  // CHECK: llvm.getelementptr %{{.*}}[2]
  %key = janus.object 2
  // CHECK: llvm.call @janus_rt_get_key(%[[LEFT]], %{{.*}})
  %item = janus.get_item %left[%key : !janus.object]
  // CHECK: llvm.call @janus_rt_length(%[[LEFT]])
  // CHECK: arith.maxsi
  %n, %sized = janus.length %left
  // CHECK: llvm.call @janus_rt_get_item(%[[LEFT]], %{{.*}})
  %last = janus.get_item %left[%n : i64]
  // CHECK: llvm.getelementptr %{{.*}}[1]
  // CHECK: llvm.select
  %leaf = janus.type_is %left "Leaf" class 1
  // CHECK: llvm.call @janus_rt_unbox_int({{.*}}) : (!llvm.ptr) -> !llvm.struct<(i64, i64)>
  %k, %ok = janus.unbox %last number : i64
  // CHECK: llvm.call @janus_rt_unbox_float({{.*}}) : (!llvm.ptr) -> !llvm.struct<(f64, i64)>
  %g, %ok1 = janus.unbox %last number : f64
  // CHECK: llvm.call @janus_rt_unbox_array(%[[CALL]], %{{.*}}, %{{.*}}, %[[FOUND]])
  // CHECK: builtin.unrealized_conversion_cast {{.*}} to memref<4x?xf32>
  %x, %ok2 = janus.unbox %item numpy dtype 11 : memref<4x?xf32>
  // CHECK: %[[ADDRESS:.*]] = llvm.ptrtoint %{{.*}} : !llvm.ptr to i64
  %address = janus.address %last
  // CHECK: llvm.inttoptr %[[ADDRESS]] : i64 to !llvm.ptr
  %again = janus.object_at %address
  // CHECK: scf.if %{{.*}} -> (!llvm.ptr)
  %chosen = scf.if %leaf -> !janus.object {
    scf.yield %again : !janus.object
  } else {
    scf.yield %left : !janus.object
  }
  return %status, %chosen : i32, !janus.object
}
