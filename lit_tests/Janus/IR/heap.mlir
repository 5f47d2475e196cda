// RUN: janus-opt %s | janus-opt | FileCheck %s
// RUN: janus-opt %s --mlir-print-op-generic | janus-opt | FileCheck %s

// CHECK-LABEL: func.func private @read(%{{.*}}: !janus.object, %{{.*}}: i64) -> !janus.object
func.func private @read(%node: !janus.object, %i: i64) -> !janus.object {
  // CHECK: janus.object 0
  %none = janus.object 0
  // CHECK: janus.null
  %null = janus.null
  // CHECK: janus.get_attr %{{.*}} "left"
  %left = janus.get_attr %node "left"
  // CHECK: janus.get_item %{{.*}}[%{{.*}} : i64]
  %item = janus.get_item %left[%i : i64]
  // CHECK: janus.get_item %{{.*}}[%{{.*}} : !janus.object]
  %value = janus.get_item %item[%none : !janus.object]
  // CHECK: %{{.*}}, %{{.*}} = janus.length %{{.*}}
  %n, %sized = janus.length %left
  // CHECK: janus.type_is %{{.*}} "Leaf" class 3
  %leaf = janus.type_is %node "Leaf" class 3
  // CHECK: janus.method_is %{{.*}} "forward" %{{.*}}
  %method = janus.method_is %node "forward" %none
  // CHECK: janus.equals %{{.*}}, %{{.*}}
  %equal = janus.equals %item, %none
  // CHECK: janus.is %{{.*}}, %{{.*}}
  %same = janus.is %item, %none
  // CHECK: janus.is_null %{{.*}}
  %missing = janus.is_null %left
  %half = arith.constant 0.5 : f64
  // CHECK: janus.box %{{.*}} : f64
  %boxed = janus.box %half : f64
  // CHECK: janus.invoke %{{.*}}(%{{.*}}, %{{.*}})
  %sum = janus.invoke %none(%boxed, %item)
  // CHECK: janus.address %{{.*}}
  %address = janus.address %boxed
  // CHECK: janus.object_at %{{.*}}
  %again = janus.object_at %address
  // CHECK: janus.unbox %{{.*}} number : i64
  %k, %ok = janus.unbox %item number : i64
  // CHECK: janus.unbox %{{.*}} number : f64
  %f, %ok1 = janus.unbox %item number : f64
  // CHECK: janus.unbox %{{.*}} number : i1
  %b, %ok2 = janus.unbox %item number : i1
  // CHECK: janus.unbox %{{.*}} numpy dtype 11 : tensor<4x?xf32>
  %x, %ok3 = janus.unbox %item numpy dtype 11 : tensor<4x?xf32>
  // CHECK: janus.unbox %{{.*}} npscalar dtype 12 : tensor<f64>
  %s, %ok4 = janus.unbox %item npscalar dtype 12 : tensor<f64>
  // CHECK: janus.unbox %{{.*}} jax_weak dtype 0 : memref<4xi8>
  %w, %ok5 = janus.unbox %item jax_weak dtype 0 : memref<4xi8>
  // CHECK: janus.guard %{{.*}}, <type>, site 1 (%{{.*}} : !janus.object)
  janus.guard %ok, <type>, site 1 (%node : !janus.object)
  return %left : !janus.object
}
